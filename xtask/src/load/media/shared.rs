//! The bare relay with few ports: many calls share one, so that packets are taken and given over in batches (recvmmsg, sendmmsg). Whose a
//! packet is, a number in it tells; a switch would have to know it by the address it comes from.
//!
//! It serves to know what that would gain. The kernel is given addresses of memory, hence `unsafe`: what it is given lives
//! as long as the process does.
#![allow(
    unsafe_code,
    reason = "recvmmsg and sendmmsg take addresses of buffers; they live as long as the process"
)]

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};

use nix::libc;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::bare::{PACKET, address, other, ready, sockets};

/// Ports of all calls; a power of two, so that both ends of a call have one each.
const PORTS: usize = 8;
/// The first of them, after those of other relays, which the kernel may still be clearing away.
const FIRST: usize = 25_000;
/// Packets taken at once.
const BATCH: usize = 64;
/// Where a packet has the number of its end.
const NUMBER: usize = 12;

/// Which of all ports takes the packets of an end.
pub(super) fn place(end: usize) -> usize {
    FIRST + end % PORTS
}

/// Packets on their way through, and what the kernel is told of them.
struct Batch {
    packets: Vec<[u8; PACKET]>,
    pieces: Vec<libc::iovec>,
    heads: Vec<libc::mmsghdr>,
}

impl Batch {
    fn new() -> Self {
        // SAFETY: all bits nought are a head that names nothing.
        let empty: libc::mmsghdr = unsafe { core::mem::zeroed() };
        let piece = libc::iovec { iov_base: core::ptr::null_mut(), iov_len: 0 };
        let mut batch =
            Self { packets: vec![[0; PACKET]; BATCH], pieces: vec![piece; BATCH], heads: vec![empty; BATCH] };
        for at in 0..BATCH {
            batch.pieces[at].iov_base = batch.packets[at].as_mut_ptr().cast();
            batch.heads[at].msg_hdr.msg_iov = &raw mut batch.pieces[at];
            batch.heads[at].msg_hdr.msg_iovlen = 1;
        }
        batch
    }

    /// How many packets came.
    fn take(&mut self, from: RawFd) -> usize {
        for (piece, head) in self.pieces.iter_mut().zip(&mut self.heads) {
            piece.iov_len = PACKET;
            (head.msg_hdr.msg_name, head.msg_hdr.msg_namelen) = (core::ptr::null_mut(), 0);
        }
        let (heads, flags) = (self.heads.as_mut_ptr(), libc::MSG_DONTWAIT);
        // SAFETY: there are `BATCH` heads, each with a piece of `PACKET` bytes, none of which move.
        let count = unsafe { libc::recvmmsg(from, heads, BATCH as u32, flags, core::ptr::null_mut()) };
        usize::try_from(count).unwrap_or(0)
    }

    /// Passes the first `count` on, each to the other end of its call.
    fn give(&mut self, count: usize, by: RawFd, to: &[libc::sockaddr_in]) {
        let mut begin = 0;
        for at in 0..count {
            let number = self.packets[at].get(NUMBER..NUMBER + 4).and_then(|bytes| bytes.try_into().ok());
            let end = number.map_or(usize::MAX, |bytes| u32::from_be_bytes(bytes) as usize);
            let Some(address) = to.get(end) else {
                self.send(begin, at, by);
                begin = at + 1;
                continue;
            };
            self.pieces[at].iov_len = self.heads[at].msg_len as usize;
            let head = &mut self.heads[at].msg_hdr;
            head.msg_name = (&raw const *address).cast_mut().cast();
            head.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
        }
        self.send(begin, count, by);
    }

    fn send(&mut self, begin: usize, end: usize, by: RawFd) {
        let Some(heads) = self.heads.get_mut(begin..end).filter(|heads| !heads.is_empty()) else { return };
        // SAFETY: these heads name a piece and an address each, which outlive the call. What cannot be sent is lost, and counted by who
        // waits for it.
        unsafe { libc::sendmmsg(by, heads.as_mut_ptr(), heads.len() as u32, libc::MSG_DONTWAIT) };
    }
}

pub(super) fn relay(ends: usize) -> io::Result<()> {
    let sockets: Vec<UdpSocket> = sockets(FIRST..FIRST + PORTS)?;
    let to: Vec<libc::sockaddr_in> = (0..ends).map(|end| address(other(end))).collect();
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (port, socket) in sockets.iter().enumerate() {
        epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, port as u64))?;
    }
    ready()?;
    let mut events = [EpollEvent::empty(); PORTS];
    let mut batch = Batch::new();
    loop {
        let count = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in events.iter().take(count) {
            let port = event.data() as usize;
            let came = batch.take(sockets[port].as_raw_fd());
            // Ends of a port have their other ends at its neighbour.
            batch.give(came, sockets[port ^ 1].as_raw_fd(), &to);
        }
    }
}
