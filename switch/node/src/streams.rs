//! Streams of calls to programs: a WebSocket for each, in the wire format of the well-known media-stream protocol.
//!
//! Invariant: one task, the switchboard, knows which stream is whose: no lock. Pieces of audio come by one lane from the
//! media threads and are handed to the stream's own task by a bounded queue; what a program that hangs does not take is
//! dropped and counted, and holds up nobody else. The shard hears of a stream's end once, unless it closed it itself.

mod downlink;
mod order;
mod protocol;
mod talk;

use crate::config::StreamsMachine;
use crate::media::MediaOrder;
use crate::outgoing::{self, Target};
use crate::shard::Order;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_media::LiveChunk;
use cordboard_model::id::{CallId, StreamId};
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamOpening, StreamOutcome, Track};
use rustls::ClientConfig;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use talk::{Talk, ToTalk};
use tokio::sync::{Notify, mpsc};

/// Commands of the shard that may wait: an opening and a few keys for each call of a busy second.
const COMMANDS: usize = 1 << 18;
/// Pieces that wait for one program: five seconds.
const PIECES: usize = 250;
/// Ends that wait to be told.
const ENDS: usize = 1_024;

/// A piece of a party's audio, from the media thread that has the leg now.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Its place among the media threads.
    pub thread: usize,
    /// The audio.
    pub chunk: LiveChunk,
}

/// Read by the metrics.
#[derive(Debug, Default)]
pub struct StreamCounts {
    /// Streams that are on.
    pub on: AtomicU64,
    /// Streams begun.
    pub begun: AtomicU64,
    /// Streams that had no connection, or lost it.
    pub failed: AtomicU64,
    /// Pieces of 20 ms that programs did not take in time.
    pub dropped_out: AtomicU64,
    /// Samples of programs that found no room.
    pub dropped_in: AtomicU64,
}

/// What the switchboard is made of.
pub struct StreamSetup {
    /// What is allowed.
    pub machine: StreamsMachine,
    /// Whom we trust.
    pub tls: Arc<ClientConfig>,
    /// From the media threads.
    pub pieces: Receiver<Piece>,
    /// To the media threads.
    pub media: Vec<Sender<MediaOrder>>,
    /// To the shard.
    pub shard: Sender<Order>,
    /// Read by the metrics.
    pub counts: Arc<StreamCounts>,
}

/// A stream whose program is done, or that failed.
type Ended = (StreamId, StreamOutcome);

/// The switchboard.
pub struct Streams {
    setup: StreamSetup,
    commands: mpsc::Receiver<StreamCommand>,
    on: BTreeMap<StreamId, (CallId, mpsc::Sender<ToTalk>)>,
    ended: (mpsc::Sender<Ended>, mpsc::Receiver<Ended>),
}

impl Streams {
    /// Begins; ends when the shard has.
    pub fn start(setup: StreamSetup) -> mpsc::Sender<StreamCommand> {
        let (to, commands) = mpsc::channel(COMMANDS);
        let streams = Self { setup, commands, on: BTreeMap::new(), ended: mpsc::channel(ENDS) };
        tokio::spawn(streams.run());
        to
    }

    async fn run(mut self) {
        let notify = Arc::new(Notify::new());
        let waker = Arc::clone(&notify);
        if self.setup.pieces.set_waker(move || waker.notify_one()).is_err() {
            return;
        }
        loop {
            while let Some(piece) = self.setup.pieces.pop() {
                self.piece(piece);
            }
            match self.setup.pieces.prepare_sleep() {
                Sleep::Ready => continue,
                Sleep::Finished => return,
                Sleep::Armed => {}
            }
            tokio::select! {
                () = notify.notified() => {}
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                Some((stream, outcome)) = self.ended.1.recv() => self.end(stream, outcome).await,
            }
        }
    }

    fn piece(&mut self, piece: Piece) {
        if let Some(talker) = piece.chunk.talker {
            self.hand_on(talker, Track::Inbound, piece);
        }
        if let Some((listener, track)) = piece.chunk.listener {
            self.hand_on(listener, track, piece);
        }
    }

    fn hand_on(&mut self, stream: StreamId, track: Track, piece: Piece) {
        let Some((_, talk)) = self.on.get(&stream) else {
            return;
        };
        if piece.chunk.dropped > 0 {
            self.setup.counts.dropped_out.fetch_add(piece.chunk.dropped, Relaxed);
        }
        if talk.try_send(ToTalk::Piece(track, piece)).is_err() {
            self.setup.counts.dropped_out.fetch_add(1, Relaxed);
        }
    }

    async fn obey(&mut self, command: StreamCommand) {
        match command {
            StreamCommand::Open(opening) => self.open(*opening).await,
            StreamCommand::Digit { stream, digit, .. } => {
                if let Some((_, talk)) = self.on.get(&stream) {
                    // a program that has not taken anything for five seconds misses keys, too
                    let _ = talk.try_send(ToTalk::Digit(digit));
                }
            }
            StreamCommand::Close { stream } => {
                // its task ends with the queue
                self.on.remove(&stream);
                self.count();
            }
        }
    }

    async fn open(&mut self, opening: StreamOpening) {
        let (stream, call) = (opening.stream, opening.call);
        self.setup.counts.begun.fetch_add(1, Relaxed);
        let Some(target) = allowed(&self.setup.machine.allowed, &opening.url) else {
            tracing::warn!(%call, "a stream's URL is not among [streams] allowed");
            return self.tell(call, stream, StreamEnd::Forbidden.into()).await;
        };
        if self.on.len() >= self.setup.machine.at_once as usize {
            tracing::warn!(%call, "more streams than [streams] at_once");
            return self.tell(call, stream, StreamEnd::Overloaded.into()).await;
        }
        let (to, pieces) = mpsc::channel(PIECES);
        self.on.insert(stream, (call, to));
        self.count();
        let talk = Talk {
            opening,
            target,
            connect: self.setup.machine.connect,
            buffer: self.setup.machine.buffer,
            allow_private: self.setup.machine.allow_private,
            tls: Arc::clone(&self.setup.tls),
            media: self.setup.media.clone(),
            counts: Arc::clone(&self.setup.counts),
        };
        let ended = self.ended.0.clone();
        tokio::spawn(async move {
            if let Some(outcome) = talk.run(pieces).await {
                // nobody is told any more when the switchboard has ended
                let _ = ended.send((stream, outcome)).await;
            }
        });
    }

    async fn end(&mut self, stream: StreamId, outcome: StreamOutcome) {
        if let Some((call, _)) = self.on.remove(&stream) {
            self.count();
            self.tell(call, stream, outcome).await;
        }
    }

    fn count(&self) {
        self.setup.counts.on.store(self.on.len() as u64, Relaxed);
    }

    async fn tell(&self, call: CallId, stream: StreamId, outcome: StreamOutcome) {
        if !outcome.end.was_served() {
            self.setup.counts.failed.fetch_add(1, Relaxed);
        }
        let mut order = Order::StreamEnded { call, stream, outcome };
        // The lane is full only while the shard is far behind.
        while let Err(back) = self.setup.shard.try_send(order) {
            if self.setup.shard.is_closed() {
                return;
            }
            order = back.item;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Where a URL leads, if one of those that are allowed is its beginning.
pub(crate) fn allowed(list: &[String], url: &str) -> Option<Target> {
    outgoing::allowed(list, url, ["ws", "wss"])
}

#[cfg(test)]
mod tests;
