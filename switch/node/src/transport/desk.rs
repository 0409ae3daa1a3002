//! The desk: who is connected, and to whom a message goes.

use super::connection::{End, run};
use super::tls::TlsStore;
use super::{CONNECT, Key, News, QUEUE, Shared, StreamGauges, StreamOrder};
use crate::shard::Order;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_sip::engine::{Flow, Transport};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// Word of connections that come and go, waiting for the desk.
const NEWS: usize = 1_024;

/// What a desk is made of.
pub struct DeskSetup {
    /// From the shard.
    pub orders: Receiver<StreamOrder>,
    /// To the shard.
    pub shard: Sender<Order>,
    /// Certificates.
    pub tls: Arc<TlsStore>,
    /// Read by the metrics.
    pub gauges: Arc<StreamGauges>,
    /// Most connections.
    pub most: usize,
}

/// See the module.
pub struct Desk {
    orders: Receiver<StreamOrder>,
    news: mpsc::Receiver<News>,
    shared: Shared,
    tls: Arc<TlsStore>,
    most: usize,
    table: BTreeMap<Key, (u64, mpsc::Sender<Vec<u8>>)>,
}

impl Desk {
    /// A desk, and what connections need to reach it.
    pub fn new(setup: DeskSetup) -> (Self, Shared) {
        let (sender, news) = mpsc::channel(NEWS);
        let shared = Shared {
            shard: setup.shard,
            news: sender,
            gauges: setup.gauges,
            numbers: Arc::new(AtomicU64::new(1)),
        };
        let desk = Self {
            orders: setup.orders,
            news,
            shared: shared.clone(),
            tls: setup.tls,
            most: setup.most,
            table: BTreeMap::new(),
        };
        (desk, shared)
    }

    /// Runs until the lane from the shard is closed and drained.
    pub async fn run(mut self) {
        let notify = Arc::new(Notify::new());
        let waker = Arc::clone(&notify);
        if self.orders.set_waker(move || waker.notify_one()).is_err() {
            return;
        }
        loop {
            while let Some(order) = self.orders.pop() {
                self.send(order);
            }
            match self.orders.prepare_sleep() {
                Sleep::Ready => continue,
                Sleep::Finished => return,
                Sleep::Armed => {}
            }
            tokio::select! {
                () = notify.notified() => {}
                Some(news) = self.news.recv() => self.note(news),
            }
        }
    }

    fn note(&mut self, news: News) {
        match news {
            News::Opened { flow, number, queue } => {
                self.table.insert(Key::of(flow), (number, queue));
            }
            News::Closed { flow, number } => {
                let key = Key::of(flow);
                if self.table.get(&key).is_some_and(|(known, _)| *known == number) {
                    self.table.remove(&key);
                }
            }
        }
        self.shared.gauges.open.store(self.table.len() as u64, Relaxed);
    }

    fn send(&mut self, order: StreamOrder) {
        let key = Key::of(order.flow);
        if !self.table.contains_key(&key) {
            // A connection is told of before its first message is; what answers that message must find it.
            while let Ok(news) = self.news.try_recv() {
                self.note(news);
            }
        }
        if let Some((_, queue)) = self.table.get(&key) {
            if queue.try_send(order.bytes).is_err() {
                // Full: it takes nothing, and what is lost here must not be taken for sent. Without a sender in the
                // table its writer ends, and the shard is told.
                self.table.remove(&key);
            }
            return;
        }
        self.open(order);
    }

    /// Opens a connection for a message. Nobody can connect to a browser.
    fn open(&mut self, order: StreamOrder) {
        let (flow, shared) = (order.flow, self.shared.clone());
        let possible = matches!(flow.transport, Transport::Tcp | Transport::Tls);
        if !possible || self.table.len() >= self.most {
            tokio::spawn(async move { shared.tell(Order::FlowClosed(flow)).await });
            return;
        }
        let number = shared.number();
        let (queue, messages) = mpsc::channel(QUEUE);
        // The queue was made for it just now.
        let _ = queue.try_send(order.bytes);
        let own = queue.downgrade();
        self.table.insert(Key::of(flow), (number, queue));
        shared.gauges.open.store(self.table.len() as u64, Relaxed);
        tokio::spawn(connect(shared, flow, number, own, messages, Arc::clone(&self.tls)));
    }
}

async fn connect(
    shared: Shared,
    flow: Flow,
    number: u64,
    own: mpsc::WeakSender<Vec<u8>>,
    messages: mpsc::Receiver<Vec<u8>>,
    tls: Arc<TlsStore>,
) {
    let made = timeout(CONNECT, async {
        let stream = dial(flow).await?;
        match flow.transport {
            Transport::Tls => tls.connect(flow.remote, stream).await.map(Made::Tls),
            _ => Ok(Made::Tcp(stream)),
        }
    });
    let end = match made.await {
        Ok(Ok(made)) => {
            shared.gauges.connected.fetch_add(1, Relaxed);
            match made {
                Made::Tcp(stream) => run(&shared, flow, stream, own, messages).await,
                Made::Tls(stream) => run(&shared, flow, *stream, own, messages).await,
            }
        }
        Ok(Err(why)) => {
            shared.gauges.unreachable.fetch_add(1, Relaxed);
            tracing::info!(%flow, %why, "no connection");
            End::Peer
        }
        Err(_) => {
            shared.gauges.unreachable.fetch_add(1, Relaxed);
            tracing::info!(%flow, "no connection within {CONNECT:?}");
            End::Peer
        }
    };
    shared.closed(flow, number, end).await;
}

enum Made {
    Tcp(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// From the address that the peer knows us by, where that is one.
async fn dial(flow: Flow) -> io::Result<TcpStream> {
    let socket = if flow.remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let own = flow.local.ip();
    if !own.is_unspecified() && own.is_ipv4() == flow.remote.is_ipv4() {
        socket.bind((own, 0).into())?;
    }
    let stream = socket.connect(flow.remote).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
