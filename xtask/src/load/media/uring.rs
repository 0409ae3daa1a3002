//! The bare relay over `io_uring`: one wait armed for each socket for good (multishot receive into a ring of buffers), all
//! packets out given over with the next wait.
//!
//! It serves to know what that would gain. The kernel is given addresses of memory, hence `unsafe`: what it is given lives
//! as long as the process does.
#![allow(unsafe_code, reason = "io_uring takes addresses of buffers; they live as long as the process")]

use std::alloc::{Layout, alloc_zeroed};
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::{BufRingEntry, Fd};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::libc;

use super::bare::{PACKET, address, other, ready, sockets};

/// Buffers of packets that are under way through us.
const BUFFERS: u16 = 4_096;
const GROUP: u16 = 1;
/// A completion of a send carries its buffer, with this bit.
const SENT: u64 = 1 << 32;

struct Buffers {
    entries: *mut BufRingEntry,
    memory: *mut u8,
    tail: u16,
}

impl Buffers {
    fn new(ring: &IoUring) -> io::Result<Self> {
        let pages = |bytes| Layout::from_size_align(bytes, 4_096).map_err(io::Error::other);
        let table = pages(usize::from(BUFFERS) * size_of::<BufRingEntry>())?;
        let packets = pages(usize::from(BUFFERS) * PACKET)?;
        // SAFETY: neither layout is empty; both live until the process ends.
        let (entries, memory) =
            unsafe { (alloc_zeroed(table).cast::<BufRingEntry>(), alloc_zeroed(packets)) };
        if entries.is_null() || memory.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        // SAFETY: the table is page-aligned, of the length told, and never freed.
        unsafe { ring.submitter().register_buf_ring_with_flags(entries as u64, BUFFERS, GROUP, 0)? };
        let mut buffers = Self { entries, memory, tail: 0 };
        (0..BUFFERS).for_each(|buffer| buffers.give(buffer));
        Ok(buffers)
    }

    fn at(&self, buffer: u16) -> *mut u8 {
        // SAFETY: within the allocation, for there are `BUFFERS` buffers.
        unsafe { self.memory.add(usize::from(buffer % BUFFERS) * PACKET) }
    }

    /// Hands a buffer to the kernel.
    fn give(&mut self, buffer: u16) {
        let address = self.at(buffer) as u64;
        let place = usize::from(self.tail % BUFFERS);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `place` is within the table; the tail is where the kernel reads it, and is written after the entry.
        unsafe {
            let entry = &mut *self.entries.add(place);
            entry.set_addr(address);
            entry.set_len(PACKET as u32);
            entry.set_bid(buffer);
            let tail = BufRingEntry::tail(self.entries).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }
}

pub(super) fn relay(ends: usize) -> io::Result<()> {
    let sockets = sockets(0..ends)?;
    let to: Vec<libc::sockaddr_in> = (0..ends).map(|end| address(other(end))).collect();
    let mut ring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(u32::from(BUFFERS) * 4)
        .build(u32::from(BUFFERS))?;
    let mut buffers = Buffers::new(&ring)?;
    let arm = |end: usize| {
        opcode::RecvMulti::new(Fd(sockets[end].as_raw_fd()), GROUP).build().user_data(end as u64)
    };
    for end in 0..ends {
        push(&mut ring, &arm(end))?;
    }
    ready()?;
    let mut done: Vec<cqueue::Entry> = Vec::with_capacity(usize::from(BUFFERS));
    loop {
        ring.submit_and_wait(1)?;
        done.extend(ring.completion());
        for entry in done.drain(..) {
            let data = entry.user_data();
            if data & SENT != 0 {
                buffers.give(data as u16);
                continue;
            }
            let end = data as usize;
            if let Some(buffer) = cqueue::buffer_select(entry.flags()) {
                let length = u32::try_from(entry.result()).unwrap_or(0);
                let out = Fd(sockets[end ^ 1].as_raw_fd());
                let address = (&raw const to[end]).cast();
                let send = opcode::Send::new(out, buffers.at(buffer), length)
                    .dest_addr(address)
                    .dest_addr_len(size_of::<libc::sockaddr_in>() as u32)
                    .build()
                    .user_data(SENT | u64::from(buffer));
                push(&mut ring, &send)?;
            }
            if !cqueue::more(entry.flags()) {
                push(&mut ring, &arm(end))?;
            }
        }
    }
}

fn push(ring: &mut IoUring, entry: &squeue::Entry) -> io::Result<()> {
    // SAFETY: what the entry names (sockets, buffers, addresses) lives as long as the process.
    while unsafe { ring.submission().push(entry) }.is_err() {
        ring.submit()?;
    }
    Ok(())
}
