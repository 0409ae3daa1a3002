//! The media thread's sockets by `io_uring`: one wait armed for each socket for good (multishot receive into a ring of buffers),
//! packets out given over together, with the next wait at the latest.
//!
//! Invariant: the kernel is given addresses of memory that this owns ([`Memory`]) and that is freed after everything under way has
//! been called off. A buffer is ours or the kernel's: ours from the completion that names it until it is handed back, at once,
//! when the packet has been copied out of it; one that is sent from, until its own completion. A socket goes to another thread
//! after the kernel has said that its wait is over. Nothing is allocated for a packet.

use super::memory::{Memory, NAME, ROOM, SLOTS};
use super::pairs::Pairs;
use super::ports::{Pair, bind_udp};
use super::sockets::{Bell, Came, Packet, Sockets};
use cordboard_media::PortKey;
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::libc;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// Requests that may wait to be given over.
const REQUESTS: u32 = 1_024;
/// Packets out after which all are given over: the first is not to wait for hundreds of others.
const BATCH: u32 = 32;
/// Packets in before commands and time have their turn.
const TURN: u32 = 256;
/// Completions that are not of a socket's wait: of the bell, of a wait that was called off, and of the packet out in a slot.
const BELL: u64 = u64::MAX;
const CALLED_OFF: u64 = u64::MAX - 1;
const SENT: u64 = 1 << 40;
/// How often, and for how long each time, the end of a wait that was called off is waited for. It comes at once.
const CALLS: u32 = 20;
const CALL_OFF: Duration = Duration::from_millis(100);
/// What the kernel writes before a packet: four lengths, then the sender's address.
const LENGTHS: usize = 16;

/// A socket that is waited for.
#[derive(Clone, Copy, Debug)]
struct Watched {
    fd: RawFd,
    /// The kernel has a wait for it.
    armed: bool,
}

/// See the module.
pub struct ByUring {
    ring: IoUring,
    memory: Memory,
    bell: Bell,
    /// By number: twice the pair's key, and one more for RTCP.
    watched: Vec<Option<Watched>>,
    /// Those whose wait ended and is to be armed again.
    ended: Vec<usize>,
    /// The bell is to be waited for again.
    deaf: bool,
    /// Completions of others that came while one was called off.
    kept: VecDeque<cqueue::Entry>,
    free: Vec<u16>,
    /// Packets out since all were given over.
    given: u32,
    turn: u32,
    refused: u64,
    begun: bool,
}

impl fmt::Debug for ByUring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByUring").field("watched", &self.watched.len()).finish_non_exhaustive()
    }
}

impl ByUring {
    /// Of no socket yet, for at most so many pairs before it takes more memory.
    ///
    /// # Errors
    /// The kernel has no `io_uring` as new as this wants (6.1), or does not let us have it.
    pub fn new(pairs: usize) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_r_disabled()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_cqsize(REQUESTS * 4)
            .build(REQUESTS)?;
        let memory = Memory::new(&ring)?;
        Ok(Self {
            ring,
            memory,
            bell: Bell::new()?,
            watched: Vec::with_capacity(pairs * 2),
            ended: Vec::with_capacity(pairs * 2),
            deaf: true,
            kept: VecDeque::with_capacity(REQUESTS as usize * 4),
            free: (0..SLOTS).collect(),
            given: 0,
            turn: 0,
            refused: 0,
            begun: false,
        })
    }

    /// Whether all that this needs is there: a packet of each kind is sent and received.
    ///
    /// # Errors
    /// It is not.
    pub fn try_out() -> io::Result<()> {
        let mut sockets = Self::new(1)?;
        sockets.begin()?;
        let bind =
            || Ok::<_, io::Error>(UdpSocket::from(bind_udp((Ipv4Addr::LOCALHOST, 0).into(), None, false)?));
        let (pair, peer) = (Pair { rtp: bind()?, rtcp: Some(bind()?), port: 0 }, bind()?);
        sockets.watch(&pair, PortKey(0))?;
        if !sockets.send(&peer, b"there?", pair.rtp.local_addr()?) {
            return Err(io::Error::other("a packet is refused"));
        }
        let mut buf = [0; 64];
        // The bell is not rung: packets alone end the waits, and each may end with one that was sent.
        for _ in 0..4 {
            sockets.wait(Some(Duration::from_secs(1)))?;
            if let Some(packet) = sockets.take(&mut buf) {
                let came = buf.get(..packet.len) == Some(b"there?") && packet.from == peer.local_addr()?;
                sockets.forget(&pair, PortKey(0));
                return if came { Ok(()) } else { Err(io::Error::other("another packet came")) };
            }
        }
        Err(io::Error::other("no packet came"))
    }

    /// Asks the kernel for something, with what is given over next. False: it takes nothing now.
    #[allow(unsafe_code)]
    fn push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: what an entry names is a socket that is open until it is forgotten, or memory that lives until everything under
        // way was called off.
        if unsafe { self.ring.submission().push(entry) }.is_ok() {
            return true;
        }
        self.give_over();
        // SAFETY: as above.
        unsafe { self.ring.submission().push(entry) }.is_ok()
    }

    fn give_over(&mut self) {
        // What it refuses is given over again with the next.
        let _ = self.ring.submit();
        self.given = 0;
    }

    fn arm(&mut self, number: usize) {
        let Some(Some(Watched { fd, .. })) = self.watched.get(number).copied() else {
            return;
        };
        let entry = opcode::RecvMsgMulti::new(Fd(fd), self.memory.header(), Memory::GROUP).build();
        let armed = self.push(&entry.user_data(number as u64));
        if let Some(Some(watched)) = self.watched.get_mut(number) {
            watched.armed = armed;
        }
        if !armed {
            self.ended.push(number);
        }
    }

    /// Waits that had ended are armed again.
    fn arm_ended(&mut self) {
        for _ in 0..self.ended.len() {
            if let Some(number) = self.ended.pop() {
                self.arm(number);
            }
        }
        if self.deaf {
            let fd = Fd(self.bell.eventfd().as_raw_fd());
            let entry = opcode::PollAdd::new(fd, libc::POLLIN as u32).multi(true).build();
            self.deaf = !self.push(&entry.user_data(BELL));
        }
    }

    /// What has come, of sockets or otherwise.
    fn take(&mut self, buf: &mut [u8]) -> Option<Packet> {
        while self.turn > 0 {
            let entry = self.kept.pop_front().or_else(|| self.ring.completion().next())?;
            if let Some(packet) = self.complete(&entry, buf) {
                self.turn -= 1;
                return Some(packet);
            }
        }
        None
    }

    /// Something that was asked for is done; a packet, if it was one.
    fn complete(&mut self, entry: &cqueue::Entry, buf: &mut [u8]) -> Option<Packet> {
        let (data, flags) = (entry.user_data(), entry.flags());
        match data {
            BELL => {
                self.bell.hush();
                self.deaf |= !cqueue::more(flags);
                None
            }
            CALLED_OFF => None,
            data if data & SENT != 0 => {
                self.free.push(data as u16);
                self.refused += u64::from(entry.result() < 0);
                None
            }
            number => self.receive(number as usize, entry, buf),
        }
    }

    fn receive(&mut self, number: usize, entry: &cqueue::Entry, buf: &mut [u8]) -> Option<Packet> {
        if !cqueue::more(entry.flags())
            && let Some(Some(watched)) = self.watched.get_mut(number)
        {
            // No buffer was free, or an ICMP error of an earlier send: the silence limit decides about that.
            watched.armed = false;
            self.ended.push(number);
        }
        let buffer = cqueue::buffer_select(entry.flags())?;
        let written = usize::try_from(entry.result()).unwrap_or(0).min(ROOM);
        let packet = read(self.memory.received(buffer, written), buf);
        self.memory.hand_back(buffer);
        let (from, len) = packet?;
        Some(Packet { key: PortKey((number / 2) as u32), is_rtcp: number % 2 == 1, from, len })
    }

    /// Waits for a socket under this number, for which there is a place.
    fn wait_for(&mut self, socket: &UdpSocket, number: usize) {
        if let Some(place) = self.watched.get_mut(number) {
            *place = Some(Watched { fd: socket.as_raw_fd(), armed: false });
        }
        self.arm(number);
    }

    /// Waits for these numbers no more; what had come for them.
    fn leave(&mut self, numbers: &[usize]) -> Vec<Came> {
        let came = self.call_off(numbers);
        for number in numbers {
            if let Some(place) = self.watched.get_mut(*number) {
                *place = None;
            }
        }
        self.ended.retain(|ended| !numbers.contains(ended));
        came
    }

    /// Ends the waits of these numbers; what came for them. What comes for others meanwhile is kept.
    fn call_off(&mut self, numbers: &[usize]) -> Vec<Came> {
        let mut came = Vec::new();
        for number in numbers {
            let cancel = opcode::AsyncCancel::new(*number as u64).build();
            self.push(&cancel.user_data(CALLED_OFF));
        }
        for _ in 0..self.kept.len() {
            if let Some(entry) = self.kept.pop_front() {
                self.sort_out(entry, numbers, &mut came);
            }
        }
        let limit = Timespec::from(CALL_OFF);
        let mut tries = 0;
        while self.is_armed(numbers) {
            let next = self.ring.completion().next();
            if let Some(entry) = next {
                self.sort_out(entry, numbers, &mut came);
                continue;
            }
            let args = SubmitArgs::new().timespec(&limit);
            let waited = self.ring.submitter().submit_with_args(1, &args);
            tries += 1;
            if tries > CALLS || waited.is_err_and(|why| !is_passing(&why)) {
                tracing::error!("the kernel does not end its wait for a socket");
                break;
            }
        }
        came
    }

    fn is_armed(&self, numbers: &[usize]) -> bool {
        let is_armed = |watched: &Option<Watched>| watched.is_some_and(|watched| watched.armed);
        numbers.iter().any(|number| self.watched.get(*number).is_some_and(is_armed))
    }

    fn sort_out(&mut self, entry: cqueue::Entry, numbers: &[usize], came: &mut Vec<Came>) {
        let number = usize::try_from(entry.user_data()).unwrap_or(usize::MAX);
        if !numbers.contains(&number) {
            return self.kept.push_back(entry);
        }
        let mut buf = [0; ROOM];
        if let Some(Packet { is_rtcp, from, len, .. }) = self.receive(number, &entry, &mut buf) {
            let bytes = buf.get(..len).unwrap_or_default().to_vec();
            came.push(Came { is_rtcp, from, bytes });
        }
    }
}

/// Whether a wait that ended so is as good as one that did not: its time is over, a signal came, or completions wait that are to be
/// taken first.
fn is_passing(why: &io::Error) -> bool {
    matches!(why.raw_os_error(), Some(libc::ETIME | libc::EINTR | libc::EBUSY))
}

impl Sockets for ByUring {
    fn begin(&mut self) -> io::Result<()> {
        self.ring.submitter().register_enable_rings()?;
        self.begun = true;
        Ok(())
    }

    fn bell(&self) -> Bell {
        self.bell.clone()
    }

    fn watch(&mut self, pair: &Pair, key: PortKey) -> io::Result<()> {
        let number = key.0 as usize * 2;
        if self.watched.len() < number + 2 {
            self.watched.resize(number + 2, None);
        }
        self.wait_for(&pair.rtp, number);
        pair.rtcp.as_ref().map_or(Ok(()), |rtcp| self.watch_rtcp(rtcp, key))
    }

    fn forget(&mut self, _pair: &Pair, key: PortKey) -> Vec<Came> {
        let number = key.0 as usize * 2;
        self.leave(&[number, number + 1])
    }

    fn watch_rtcp(&mut self, rtcp: &UdpSocket, key: PortKey) -> io::Result<()> {
        self.wait_for(rtcp, key.0 as usize * 2 + 1);
        Ok(())
    }

    fn forget_rtcp(&mut self, _rtcp: &UdpSocket, key: PortKey) {
        self.leave(&[key.0 as usize * 2 + 1]);
    }

    fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        self.arm_ended();
        (self.turn, self.given) = (TURN, 0);
        let limit = if self.kept.is_empty() { limit } else { Some(Duration::ZERO) };
        let waited = match limit {
            None => self.ring.submit_and_wait(1),
            Some(limit) => {
                let limit = Timespec::from(limit);
                self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&limit))
            }
        };
        match waited {
            Err(why) if !is_passing(&why) => Err(why),
            _ => Ok(()),
        }
    }

    fn next(&mut self, _pairs: &Pairs, buf: &mut [u8]) -> Option<Packet> {
        self.take(buf)
    }

    fn send(&mut self, socket: &UdpSocket, bytes: &[u8], to: SocketAddr) -> bool {
        let slot = match self.free.last() {
            Some(slot) if bytes.len() <= ROOM - NAME => *slot,
            // All are under way; those that were not given over yet go first.
            _ => {
                self.give_over();
                return socket.send_to(bytes, to).is_ok();
            }
        };
        self.free.pop();
        let (payload, name, name_len) = self.memory.fill(slot, bytes, to);
        let entry = opcode::Send::new(Fd(socket.as_raw_fd()), payload, bytes.len() as u32)
            .flags(libc::MSG_DONTWAIT)
            .dest_addr(name)
            .dest_addr_len(name_len)
            .build();
        if !self.push(&entry.user_data(SENT | u64::from(slot))) {
            self.free.push(slot);
            return socket.send_to(bytes, to).is_ok();
        }
        self.given += 1;
        if self.given >= BATCH {
            self.give_over();
        }
        true
    }

    fn flush(&mut self) {
        self.give_over();
    }

    fn take_refused(&mut self) -> u64 {
        core::mem::take(&mut self.refused)
    }
}

impl Drop for ByUring {
    fn drop(&mut self) {
        if self.begun {
            let any = io_uring::types::CancelBuilder::any();
            let called_off = self.ring.submitter().register_sync_cancel(None, any);
            // None under way is what is wanted.
            if called_off.is_err_and(|why| why.kind() != io::ErrorKind::NotFound) {
                self.memory.leave();
            }
        }
    }
}

/// The sender and the length of a packet as the kernel writes it, and the packet to the front of `buf`.
fn read(written: &[u8], buf: &mut [u8]) -> Option<(SocketAddr, usize)> {
    let (lengths, rest) = written.split_at_checked(LENGTHS)?;
    let (name, payload) = rest.split_at_checked(NAME)?;
    let payload_len = u32::from_ne_bytes(lengths.get(8..12)?.try_into().ok()?) as usize;
    let len = payload_len.min(payload.len()).min(buf.len());
    buf.get_mut(..len)?.copy_from_slice(payload.get(..len)?);
    let family = u16::from_ne_bytes(name.get(..2)?.try_into().ok()?);
    let port = u16::from_be_bytes(name.get(2..4)?.try_into().ok()?);
    let from = match i32::from(family) {
        libc::AF_INET => (Ipv4Addr::from(<[u8; 4]>::try_from(name.get(4..8)?).ok()?), port).into(),
        libc::AF_INET6 => (Ipv6Addr::from(<[u8; 16]>::try_from(name.get(8..24)?).ok()?), port).into(),
        _ => return None,
    };
    Some((from, len))
}
