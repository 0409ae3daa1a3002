//! The memory that `io_uring` is told of: buffers that it receives into, a table of those that it may use, and slots that packets
//! are sent from.
//!
//! Invariant: what the kernel has is not read or written here. A buffer is the kernel's from [`Memory::hand_back`] until a
//! completion names it; a slot from the request that names it until its completion. All of it lives until the kernel has nothing
//! under way, or else for ever ([`Memory::leave`]).
#![allow(unsafe_code, reason = "the kernel is given addresses of memory; see the invariant")]

use io_uring::IoUring;
use io_uring::types::BufRingEntry;
use nix::libc;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io;
use std::net::SocketAddr;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

/// Buffers that packets are received into. They are handed back as soon as their packet is taken.
pub(super) const BUFFERS: u16 = 1_024;
/// Packets that may be under way out.
pub(super) const SLOTS: u16 = 1_024;
/// A socket address of either family.
pub(super) const NAME: usize = size_of::<libc::sockaddr_in6>();
/// Bytes of a buffer: lengths, the sender's address, and a packet as long as any that is taken. Of a slot: address and packet.
pub(super) const ROOM: usize = 2_112;

const PAGE: usize = 4_096;
const TABLE: usize = BUFFERS as usize * size_of::<BufRingEntry>();
const HEADER: usize = size_of::<libc::msghdr>().next_multiple_of(64);
/// Where each part begins: the table first, on a page of its own.
const RECEIVED: usize = TABLE.next_multiple_of(PAGE);
const SENDING: usize = RECEIVED + BUFFERS as usize * ROOM;
const MESSAGE: usize = SENDING + SLOTS as usize * ROOM;
const WHOLE: usize = MESSAGE + HEADER;

/// See the module.
pub(super) struct Memory {
    base: NonNull<u8>,
    layout: Layout,
    /// How many buffers were handed to the kernel so far.
    tail: u16,
    is_left: bool,
}

// SAFETY: it owns what it points to, and nothing in it belongs to a thread.
unsafe impl Send for Memory {}

impl Memory {
    /// The name of its buffers.
    pub(super) const GROUP: u16 = 0;

    /// All buffers are the kernel's.
    pub(super) fn new(ring: &IoUring) -> io::Result<Self> {
        let layout = Layout::from_size_align(WHOLE, PAGE).map_err(io::Error::other)?;
        // SAFETY: the layout is not empty.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut memory = Self { base, layout, tail: 0, is_left: false };
        // SAFETY: the header lies within the memory, aligned as all of it is; nobody else has it yet.
        unsafe {
            let message = memory.at(MESSAGE).cast::<libc::msghdr>();
            (*message).msg_namelen = NAME as libc::socklen_t;
        }
        let table = memory.at(0) as u64;
        // SAFETY: the table is on a page, of the length told, and outlives the ring's requests.
        unsafe { ring.submitter().register_buf_ring_with_flags(table, BUFFERS, Self::GROUP, 0)? };
        (0..BUFFERS).for_each(|buffer| memory.hand_back(buffer));
        Ok(memory)
    }

    fn at(&self, offset: usize) -> *mut u8 {
        // SAFETY: every caller's offset is within the whole.
        unsafe { self.base.as_ptr().add(offset.min(WHOLE - 1)) }
    }

    fn buffer(&self, buffer: u16) -> *mut u8 {
        self.at(RECEIVED + usize::from(buffer % BUFFERS) * ROOM)
    }

    /// What a wait for packets looks like: with the sender's address.
    pub(super) fn header(&self) -> *const libc::msghdr {
        self.at(MESSAGE).cast()
    }

    /// What the kernel has written to a buffer that a completion has named.
    pub(super) fn received(&self, buffer: u16, written: usize) -> &[u8] {
        // SAFETY: the buffer is ours until it is handed back, for which nobody may hold this; it has `ROOM` bytes.
        unsafe { std::slice::from_raw_parts(self.buffer(buffer), written.min(ROOM)) }
    }

    /// Hands a buffer to the kernel.
    pub(super) fn hand_back(&mut self, buffer: u16) {
        let address = self.buffer(buffer) as u64;
        let entries = self.at(0).cast::<BufRingEntry>();
        let place = usize::from(self.tail % BUFFERS);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `place` is within the table; the tail is where the kernel reads it, and is written after the entry.
        unsafe {
            let entry = &mut *entries.add(place);
            entry.set_addr(address);
            entry.set_len(ROOM as u32);
            entry.set_bid(buffer % BUFFERS);
            let tail = BufRingEntry::tail(entries).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }

    /// Writes a packet and where it goes to a slot that is free; where they lie. The packet is at most `ROOM - NAME` bytes.
    pub(super) fn fill(
        &mut self,
        slot: u16,
        bytes: &[u8],
        to: SocketAddr,
    ) -> (*const u8, *const libc::sockaddr, libc::socklen_t) {
        let at = self.at(SENDING + usize::from(slot % SLOTS) * ROOM);
        // SAFETY: the slot is ours until the request that names it, and has `ROOM` bytes.
        let room = unsafe { std::slice::from_raw_parts_mut(at, ROOM) };
        let (name, payload) = room.split_at_mut(NAME);
        let name_len = write_name(name, to);
        let len = bytes.len().min(payload.len());
        payload[..len].copy_from_slice(&bytes[..len]);
        (payload.as_ptr(), name.as_ptr().cast(), name_len)
    }

    /// The kernel may still have some of it: it is never freed.
    pub(super) fn leave(&mut self) {
        self.is_left = true;
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if !self.is_left {
            // SAFETY: it was allocated with this layout, and nobody has any of it.
            unsafe { dealloc(self.base.as_ptr(), self.layout) };
        }
    }
}

/// A socket address as the kernel reads it; its length.
fn write_name(name: &mut [u8], to: SocketAddr) -> libc::socklen_t {
    name.fill(0);
    let (family, len) = match to {
        SocketAddr::V4(_) => (libc::AF_INET, size_of::<libc::sockaddr_in>()),
        SocketAddr::V6(_) => (libc::AF_INET6, NAME),
    };
    name[..2].copy_from_slice(&(family as libc::sa_family_t).to_ne_bytes());
    name[2..4].copy_from_slice(&to.port().to_be_bytes());
    match to {
        SocketAddr::V4(to) => name[4..8].copy_from_slice(&to.ip().octets()),
        SocketAddr::V6(to) => {
            name[8..24].copy_from_slice(&to.ip().octets());
            name[24..28].copy_from_slice(&to.scope_id().to_ne_bytes());
        }
    }
    len as libc::socklen_t
}
