//! One entry in a file: a head of fixed length, then JSON. All numbers little-endian.
//!
//! `length` u32 and `crc` u32, then what the checksum covers: `kind` u8, `seq` u64, `at` i64 (wall clock, ms), the JSON.

use super::{Entry, State, Told};
use crate::journal::crc32;
use std::io::{self, Read};

/// Length of a head.
pub(super) const HEAD: usize = 4 + 4 + COVERED;
/// Bytes of it that the checksum covers.
const COVERED: usize = 1 + 8 + 8;
/// Longest JSON: the state of a tenant with tens of thousands of agents. What says that it is longer is torn.
const BODY_MAX: u32 = 64 << 20;

const EVENT: u8 = 1;
const STATE: u8 = 2;
/// The start ended in order: nothing came after this.
const END: u8 = 3;

/// What a frame holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Entry(Entry),
    End,
}

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    length: u32,
    crc: u32,
    kind: u8,
    pub(super) seq: u64,
    pub(super) at: i64,
}

impl Head {
    /// Reads one; none at the end of the file, or in what is not written to its end.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Head>> {
        let mut bytes = [0u8; HEAD];
        match from.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(why) => return Err(why),
        }
        let head = Self::of(&bytes);
        Ok(head.filter(|head| head.length <= BODY_MAX && (EVENT..=END).contains(&head.kind)))
    }

    fn of(bytes: &[u8; HEAD]) -> Option<Head> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let at = rest.first_chunk::<8>()?;
        let (length, crc) = (u32::from_le_bytes(*length), u32::from_le_bytes(*crc));
        Some(Head { length, crc, kind: *kind, seq: u64::from_le_bytes(*seq), at: i64::from_le_bytes(*at) })
    }

    /// Bytes of JSON behind it.
    pub(super) fn length(&self) -> u64 {
        u64::from(self.length)
    }

    /// Whether it is an event.
    pub(super) fn is_event(&self) -> bool {
        self.kind == EVENT
    }

    /// What is behind it; none if that is not what was written.
    pub(super) fn body(&self, from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
        let mut body = Vec::new();
        let read = from.take(self.length()).read_to_end(&mut body)?;
        let whole = read as u64 == self.length() && self.checksum(&body) == self.crc;
        Ok(whole.then_some(body))
    }

    fn checksum(&self, body: &[u8]) -> u32 {
        let mut covered = Vec::with_capacity(COVERED + body.len());
        covered.push(self.kind);
        covered.extend_from_slice(&self.seq.to_le_bytes());
        covered.extend_from_slice(&self.at.to_le_bytes());
        covered.extend_from_slice(body);
        crc32(&covered)
    }

    /// What the JSON says; none if it is of another version of the switch.
    pub(super) fn frame(&self, body: &[u8]) -> Option<Frame> {
        match self.kind {
            EVENT => serde_json::from_slice::<Told>(body).ok().map(|told| Entry::Event(Box::new(told))),
            STATE => serde_json::from_slice::<State>(body).ok().map(|state| Entry::State(Box::new(state))),
            _ => return Some(Frame::End),
        }
        .map(Frame::Entry)
    }
}

/// Puts an entry behind what is in `to`. False if it is longer than a frame may be: nothing was put then.
pub(super) fn put(to: &mut Vec<u8>, entry: &Entry, at: i64) -> bool {
    let (kind, body) = match entry {
        Entry::Event(told) => (EVENT, serde_json::to_vec(told)),
        Entry::State(state) => (STATE, serde_json::to_vec(state)),
    };
    body.is_ok_and(|body| append(to, (kind, entry.seq(), at), &body))
}

/// Puts the word that nothing comes after this number.
pub(super) fn put_end(to: &mut Vec<u8>, seq: u64) {
    append(to, (END, seq, 0), &[]);
}

fn append(to: &mut Vec<u8>, (kind, seq, at): (u8, u64, i64), body: &[u8]) -> bool {
    let Some(length) = u32::try_from(body.len()).ok().filter(|length| *length <= BODY_MAX) else {
        return false;
    };
    let mut head = Head { length, crc: 0, kind, seq, at };
    head.crc = head.checksum(body);
    to.extend_from_slice(&head.length.to_le_bytes());
    to.extend_from_slice(&head.crc.to_le_bytes());
    to.push(kind);
    to.extend_from_slice(&seq.to_le_bytes());
    to.extend_from_slice(&at.to_le_bytes());
    to.extend_from_slice(body);
    true
}
