//! What a media thread needs of its sockets, whichever way the operating system is asked for it.
//!
//! Invariant: a packet comes out once, and of none that came for a watched socket less than the operating system itself would have
//! lost is lost, also when the socket goes to another thread. Which back end it is, a media thread is made for: nothing is looked
//! up for a packet.

use super::pairs::Pairs;
use super::ports::Pair;
use cordboard_media::PortKey;
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Bell(Arc<EventFd>);

impl Bell {
    /// One that does not ring.
    ///
    /// # Errors
    /// The operating system gives no eventfd.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?)))
    }

    /// The wait that is on, or the next one, ends at once.
    pub fn ring(&self) {
        // Full means that it rings already; anything else that the thread is gone.
        let _ = self.0.write(1);
    }

    /// It was heard. Rung again while that is noted, it rings again.
    pub(super) fn hush(&self) {
        let _ = self.0.read();
    }

    /// What is waited for.
    pub(super) fn eventfd(&self) -> &EventFd {
        &self.0
    }
}

/// A packet that has come, at the front of the buffer that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The pair it came for.
    pub key: PortKey,
    /// It came to the RTCP port.
    pub is_rtcp: bool,
    /// From where.
    pub from: SocketAddr,
    /// Its length.
    pub len: usize,
}

/// A packet that had come for a pair before that went to another thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// It came to the RTCP port.
    pub is_rtcp: bool,
    /// From where.
    pub from: SocketAddr,
    /// The packet.
    pub bytes: Vec<u8>,
}

/// See the module.
pub trait Sockets {
    /// Begins on the thread that it is used on from now on. Nothing is waited for or sent before.
    ///
    /// # Errors
    /// The operating system refuses.
    fn begin(&mut self) -> io::Result<()>;

    /// What ends its waits.
    fn bell(&self) -> Bell;

    /// From now on packets for this pair come out under this key.
    ///
    /// # Errors
    /// The operating system refuses to watch it.
    fn watch(&mut self, pair: &Pair, key: PortKey) -> io::Result<()>;

    /// This pair is watched no more; what had come for it and was not taken.
    fn forget(&mut self, pair: &Pair, key: PortKey) -> Vec<Came>;

    /// From now on packets for a watched pair's RTCP socket come out, too.
    ///
    /// # Errors
    /// The operating system refuses to watch it.
    fn watch_rtcp(&mut self, rtcp: &UdpSocket, key: PortKey) -> io::Result<()>;

    /// A watched pair's RTCP socket is watched no more. What had come for it is nobody's.
    fn forget_rtcp(&mut self, rtcp: &UdpSocket, key: PortKey);

    /// Waits for packets, the bell, or the end of `limit`, whichever is first and never for less. What was given over to be sent
    /// leaves before that at the latest.
    ///
    /// # Errors
    /// The operating system cannot wait.
    fn wait(&mut self, limit: Option<Duration>) -> io::Result<()>;

    /// The next packet, written to the front of `buf`; `None`: commands and time have their turn before there are more.
    fn next(&mut self, pairs: &Pairs, buf: &mut [u8]) -> Option<Packet>;

    /// Sends a packet, or gives it over to be sent with others. False: it was refused.
    fn send(&mut self, socket: &UdpSocket, bytes: &[u8], to: SocketAddr) -> bool;

    /// What was given over to be sent leaves now.
    fn flush(&mut self);

    /// Packets that were given over and then refused, since this was last asked.
    fn take_refused(&mut self) -> u64;
}
