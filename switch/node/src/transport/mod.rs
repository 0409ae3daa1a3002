//! SIP over streams: TCP, TLS and WebSocket connections, between the signalling thread and the sockets.
//!
//! Invariants: connections are bounded in number, over all and for each address; one that says nothing, says it slowly
//! or takes nothing of what is sent to it is closed by a timer; what one of them does holds up no other. The shard
//! knows a connection by its [`Flow`] alone, and is told once when it is gone.
//!
//! One task, the desk, owns the table of connections: no lock. Messages from the wire go to the shard by a lane; what
//! the shard sends comes by another, and goes on into a bounded queue of the connection.

mod connection;
mod desk;
mod listener;
mod tls;
mod websocket;

use crate::shard::Order;
use cordboard_lane::Sender;
use cordboard_sip::engine::{Flow, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::mpsc;

pub use desk::{Desk, DeskSetup};
pub use listener::{Bound, bind, serve};
pub use tls::{Pair, TlsError, TlsStore, trusting};
pub use websocket::{Listed, SipOverHttp, routes};

/// Longest time from a connection's beginning to its first whole message, TLS and WebSocket handshakes included.
pub const FIRST: Duration = Duration::from_secs(10);
/// Longest silence of a connection. Phones that stay send keep-alives every two minutes (RFC 5626 4.4.1).
pub const IDLE: Duration = Duration::from_secs(15 * 60);
/// Longest time in which a peer takes nothing of what is sent to it.
pub const STALL: Duration = Duration::from_secs(10);
/// Longest time for a connection of ours to be made, TLS handshake included; well within timer B.
pub const CONNECT: Duration = Duration::from_secs(5);
/// Messages that may wait for a peer to take them.
pub const QUEUE: usize = 64;
/// Most connections from one address.
pub const PER_ADDRESS: usize = 1_024;

/// What the shard sends over a stream.
#[derive(Debug)]
pub struct StreamOrder {
    /// Where.
    pub flow: Flow,
    /// One message.
    pub bytes: Vec<u8>,
}

/// Counters of the transports, read by the metrics.
#[derive(Debug, Default)]
pub struct StreamGauges {
    /// Connections that are open.
    pub open: AtomicU64,
    /// Connections that peers opened.
    pub accepted: AtomicU64,
    /// Connections that we opened.
    pub connected: AtomicU64,
    /// Connections of ours that could not be opened.
    pub unreachable: AtomicU64,
    /// Refused: as many as may be are open, over all or from that address.
    pub refused: AtomicU64,
    /// Closed by a timer: silent, or slow to say its first message.
    pub idle: AtomicU64,
    /// Closed for taking nothing of what was sent.
    pub slow: AtomicU64,
    /// Closed for what could not be followed.
    pub broken: AtomicU64,
    /// TLS and WebSocket handshakes that failed.
    pub handshakes_failed: AtomicU64,
}

/// A connection's entry in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) transport: Transport,
    pub(crate) remote: SocketAddr,
}

impl Key {
    pub(crate) fn of(flow: Flow) -> Self {
        Self { transport: flow.transport, remote: flow.remote }
    }
}

/// To the desk, from connections.
#[derive(Debug)]
pub(crate) enum News {
    /// A peer's connection is up.
    Opened { flow: Flow, number: u64, queue: mpsc::Sender<Vec<u8>> },
    /// A connection is gone.
    Closed { flow: Flow, number: u64 },
}

/// What every connection needs.
#[derive(Clone, Debug)]
pub struct Shared {
    /// To the shard.
    pub(crate) shard: Sender<Order>,
    /// To the desk.
    pub(crate) news: mpsc::Sender<News>,
    /// Counters.
    pub(crate) gauges: Arc<StreamGauges>,
    /// Numbers connections.
    pub(crate) numbers: Arc<AtomicU64>,
}
