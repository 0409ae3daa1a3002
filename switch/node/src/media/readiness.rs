//! Which sockets of a media thread have packets: epoll, asked for levels and not for edges.
//!
//! With edges, a socket must be read until it has nothing, and the second read of each packet is for nothing. With levels one
//! read for each packet does: what is left is told again by the next wait, behind those whose turn it is. So no
//! socket has two turns while another has none, and nothing need be remembered.

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

/// Sockets told of at a time.
const TOLD: usize = 256;
/// The bell's place among the sockets.
const BELL: u64 = u64::MAX;

/// See the module.
#[derive(Debug)]
pub struct Readiness {
    epoll: Epoll,
    bell: Arc<EventFd>,
    events: Box<[EpollEvent]>,
    /// Of the events, those whose turn is still to come.
    left: usize,
}

/// Ends a wait from another thread.
#[derive(Clone, Debug)]
pub struct Bell(Arc<EventFd>);

impl Bell {
    /// The wait that is on, or the next one, ends at once.
    pub fn ring(&self) {
        // Full means that it rings already; anything else that the thread is gone.
        let _ = self.0.write(1);
    }
}

impl Readiness {
    /// Of no socket yet.
    ///
    /// # Errors
    /// The operating system gives no epoll or eventfd.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        epoll.add(&bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))?;
        Ok(Self { epoll, bell: Arc::new(bell), events: vec![EpollEvent::empty(); TOLD].into(), left: 0 })
    }

    /// What ends its waits.
    pub fn bell(&self) -> Bell {
        Bell(Arc::clone(&self.bell))
    }

    /// From now on a packet of this socket is told by this number.
    ///
    /// # Errors
    /// The operating system refuses to watch it.
    pub fn watch(&self, socket: impl AsFd, number: u64) -> io::Result<()> {
        Ok(self.epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, number))?)
    }

    /// This socket is watched no more.
    pub fn forget(&self, socket: impl AsFd) {
        // One that was not watched is what is wanted.
        let _ = self.epoll.delete(socket);
    }

    /// Waits for packets, the bell, or the end of `limit`, whichever is first; rounded up to a millisecond.
    ///
    /// # Errors
    /// The operating system cannot wait.
    pub fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
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

    /// The number of the next socket that had a packet when the wait ended.
    pub fn next(&mut self) -> Option<u64> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let number = self.events.get(self.left)?.data();
            if number != BELL {
                return Some(number);
            }
            // Rung again while it is read, it rings again.
            let _ = self.bell.read();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    const LONG: Option<Duration> = Some(Duration::from_secs(5));
    const NOW: Option<Duration> = Some(Duration::ZERO);

    #[test]
    fn what_is_left_in_a_socket_is_told_again_and_the_bell_is_told_once() {
        let mut readiness = Readiness::new().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        readiness.watch(&socket, 7).unwrap();
        readiness.wait(NOW).unwrap();
        assert_eq!(readiness.next(), None);
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        for byte in [1, 2] {
            peer.send_to(&[byte], socket.local_addr().unwrap()).unwrap();
        }
        for byte in [1, 2] {
            readiness.wait(LONG).unwrap();
            assert_eq!((readiness.next(), readiness.next()), (Some(7), None));
            let mut buf = [0; 8];
            assert_eq!(socket.recv(&mut buf).unwrap(), 1);
            assert_eq!(buf[0], byte);
        }
        let bell = readiness.bell();
        let rings = std::thread::spawn(move || bell.ring());
        readiness.wait(None).unwrap();
        assert_eq!(readiness.next(), None);
        rings.join().unwrap();
        let begun = std::time::Instant::now();
        readiness.wait(Some(Duration::from_micros(2_100))).unwrap();
        assert!(
            begun.elapsed() >= Duration::from_micros(2_100),
            "it rings no more, and no wait is too short"
        );
    }
}
