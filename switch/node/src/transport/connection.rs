//! One connection: bytes to messages, messages to bytes, and the timers that end it.

use super::{FIRST, IDLE, News, QUEUE, STALL, Shared};
use crate::shard::Order;
use cordboard_sip::engine::Flow;
use cordboard_sip::wire::{Frame, Framer};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Bytes read at once.
const READ: usize = 16 * 1_024;
/// How long a connection waits before it tries again to hand a message to a shard that has no room.
const BUSY: std::time::Duration = std::time::Duration::from_millis(5);
/// How long it tries before it is given up: the shard has been overloaded for so long.
const GIVE_UP: std::time::Duration = std::time::Duration::from_secs(5);
/// How long a broken stream stays open for the answer that says why.
const LAST_WORD: std::time::Duration = std::time::Duration::from_secs(1);

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By the peer, or by a fault of the network.
    Peer,
    /// It was silent for too long.
    Idle,
    /// It took nothing of what was sent.
    Slow,
    /// What it sent could not be followed.
    Broken,
    /// The switch stops, or is overloaded.
    Shard,
}

impl Shared {
    /// A number for a new connection.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed)
    }

    fn count(&self, end: End) -> Option<&AtomicU64> {
        match end {
            End::Idle => Some(&self.gauges.idle),
            End::Slow => Some(&self.gauges.slow),
            End::Broken => Some(&self.gauges.broken),
            End::Peer | End::Shard => None,
        }
    }

    /// Hands something to the shard; waits while it has no room, and reads nothing from the peer meanwhile.
    pub(crate) async fn tell(&self, order: Order) -> Result<(), End> {
        let begun = Instant::now();
        let mut order = order;
        loop {
            match self.shard.try_send(order) {
                Ok(()) => return Ok(()),
                Err(_) if self.shard.is_closed() || begun.elapsed() > GIVE_UP => return Err(End::Shard),
                Err(refused) => order = refused.item,
            }
            sleep(BUSY).await;
        }
    }

    /// Says that a connection is gone, to the desk and to the shard.
    pub(crate) async fn closed(&self, flow: Flow, number: u64, end: End) {
        if let Some(counter) = self.count(end) {
            counter.fetch_add(1, Relaxed);
        }
        // The desk first: what the shard then sends to this peer must not find the old connection.
        let _ = self.news.send(News::Closed { flow, number }).await;
        let _ = self.tell(Order::FlowClosed(flow)).await;
    }
}

/// Runs a connection that a peer opened, from its registration at the desk to its end.
pub(crate) async fn accepted<S>(shared: Shared, flow: Flow, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let number = shared.number();
    let (queue, messages) = mpsc::channel(QUEUE);
    let own = queue.downgrade();
    // Known before its first message is: the answer must find it.
    if shared.news.send(News::Opened { flow, number, queue }).await.is_err() {
        return;
    }
    let end = run(&shared, flow, stream, own, messages).await;
    shared.closed(flow, number, end).await;
}

/// Reads and writes until something ends it. `queue` is its own, for pongs; weak, for the desk's alone keeps it up.
pub(crate) async fn run<S>(
    shared: &Shared,
    flow: Flow,
    stream: S,
    queue: mpsc::WeakSender<Vec<u8>>,
    messages: mpsc::Receiver<Vec<u8>>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        end = read(shared, flow, reader, queue) => end,
        end = write(writer, messages) => end,
    }
}

async fn read<R: AsyncRead + Unpin>(
    shared: &Shared,
    flow: Flow,
    mut reader: R,
    queue: mpsc::WeakSender<Vec<u8>>,
) -> End {
    let mut framer = Framer::new();
    let mut buf = vec![0; READ];
    // A message that trickles in byte by byte is not a sign of life: the time runs from message to message.
    let mut until = Instant::now() + FIRST;
    loop {
        let len = match timeout_at(until, reader.read(&mut buf)).await {
            Err(_) => return End::Idle,
            Ok(Err(_) | Ok(0)) => return End::Peer,
            Ok(Ok(len)) => len,
        };
        framer.push(buf.get(..len).unwrap_or_default());
        while let Some(frame) = framer.next() {
            until = Instant::now() + IDLE;
            match frame {
                // RFC 5626 3.5.1: "When the server receives a double CRLF sequence ... it MUST ... respond by
                // sending a single CRLF". A peer that pings faster than it reads gets fewer.
                Frame::Ping => drop(queue.upgrade().map(|queue| queue.try_send(b"\r\n".to_vec()))),
                frame => {
                    let is_broken = matches!(frame, Frame::Broken(_));
                    let bytes = framer.last_bytes().to_vec();
                    if let Err(end) = shared.tell(Order::Frame { flow, frame: Box::new(frame), bytes }).await
                    {
                        return end;
                    }
                    if is_broken {
                        sleep(LAST_WORD).await;
                        return End::Broken;
                    }
                }
            }
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(mut writer: W, mut messages: mpsc::Receiver<Vec<u8>>) -> End {
    while let Some(bytes) = messages.recv().await {
        let sent = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        match timeout(STALL, sent).await {
            Err(_) => return End::Slow,
            Ok(Err(_)) => return End::Peer,
            Ok(Ok(())) => {}
        }
    }
    // The desk let it go: the queue was full, or the switch stops.
    let _ = timeout(STALL, writer.shutdown()).await;
    End::Slow
}
