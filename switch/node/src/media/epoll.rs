//! The media thread's sockets by epoll: asked for levels and not for edges, a system call for each packet in and for each out.
//!
//! With edges, a socket must be read until it has nothing, and the second read of each packet is for nothing. With levels one
//! read for each packet does: what is left is told again by the next wait, behind those whose turn it is. So no
//! socket has two turns while another has none, and nothing need be remembered.

use super::pairs::Pairs;
use super::ports::Pair;
use super::sockets::{Bell, Came, Packet, Sockets};
use cordboard_media::PortKey;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// Sockets told of at a time.
const TOLD: usize = 256;
/// The bell's place among the sockets.
const BELL: u64 = u64::MAX;

/// See the module.
#[derive(Debug)]
pub struct ByEpoll {
    epoll: Epoll,
    bell: Bell,
    events: Box<[EpollEvent]>,
    /// Of the events, those whose turn is still to come.
    left: usize,
}

impl ByEpoll {
    /// Of no socket yet.
    ///
    /// # Errors
    /// The operating system gives no epoll or eventfd.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let bell = Bell::new()?;
        epoll.add(bell.eventfd(), EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self { epoll, bell, events: vec![EpollEvent::empty(); TOLD].into(), left: 0 })
    }

    /// The number of the next socket that had a packet when the wait ended: twice its pair's key, and one more for RTCP.
    fn ready(&mut self) -> Option<u64> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let number = self.events.get(self.left)?.data();
            if number != BELL {
                return Some(number);
            }
            self.bell.hush();
        }
    }
}

impl Sockets for ByEpoll {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn bell(&self) -> Bell {
        self.bell.clone()
    }

    fn watch(&mut self, pair: &Pair, key: PortKey) -> io::Result<()> {
        let number = u64::from(key.0) * 2;
        self.epoll.add(&pair.rtp, EpollEvent::new(EpollFlags::EPOLLIN, number))?;
        pair.rtcp.as_ref().map_or(Ok(()), |rtcp| self.watch_rtcp(rtcp, key))
    }

    /// What had come is still in the sockets.
    fn forget(&mut self, pair: &Pair, key: PortKey) -> Vec<Came> {
        // One that was not watched is what is wanted.
        let _ = self.epoll.delete(&pair.rtp);
        if let Some(rtcp) = &pair.rtcp {
            self.forget_rtcp(rtcp, key);
        }
        Vec::new()
    }

    fn watch_rtcp(&mut self, rtcp: &UdpSocket, key: PortKey) -> io::Result<()> {
        let number = u64::from(key.0) * 2 + 1;
        Ok(self.epoll.add(rtcp, EpollEvent::new(EpollFlags::EPOLLIN, number))?)
    }

    fn forget_rtcp(&mut self, rtcp: &UdpSocket, _key: PortKey) {
        let _ = self.epoll.delete(rtcp);
    }

    /// Rounded up to a millisecond.
    fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        let millis = limit.map(|limit| limit.as_nanos().div_ceil(1_000_000));
        let limit = match millis {
            Some(millis) => EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::MAX),
            None => EpollTimeout::NONE,
        };
        self.left = match self.epoll.wait(&mut self.events, limit) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(why) => return Err(why.into()),
        };
        Ok(())
    }

    /// One of each socket; if there are more, the next wait tells so.
    fn next(&mut self, pairs: &Pairs, buf: &mut [u8]) -> Option<Packet> {
        loop {
            let number = self.ready()?;
            let (key, is_rtcp) = (PortKey((number / 2) as u32), number % 2 == 1);
            // An error is an ICMP error of an earlier send: the peer's port is closed. The silence limit decides.
            if let Some(socket) = pairs.socket(key, is_rtcp)
                && let Ok((len, from)) = socket.recv_from(buf)
            {
                return Some(Packet { key, is_rtcp, from, len });
            }
        }
    }

    fn send(&mut self, socket: &UdpSocket, bytes: &[u8], to: SocketAddr) -> bool {
        socket.send_to(bytes, to).is_ok()
    }

    fn flush(&mut self) {}

    fn take_refused(&mut self) -> u64 {
        0
    }
}
