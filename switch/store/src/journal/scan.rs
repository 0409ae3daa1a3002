//! Reading a journal that may be torn at its end or damaged in its middle.

use super::frame::{self, FORMAT, Fault, HEADER};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::Wall;
use core::fmt;

/// Bytes of the journal that are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where in the file they begin.
    pub offset: u64,
    /// How many they are.
    pub bytes: u64,
    /// What is wrong with the first of them.
    pub fault: Fault,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { offset, bytes, fault } = self;
        write!(f, "{bytes} bytes at offset {offset}: {fault}")
    }
}

/// What a scan found besides the records.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) damage: Vec<Damage>,
    pub(crate) torn: Option<Damage>,
    /// Where the next record is to be written: the end of the last intact one.
    pub(crate) end: usize,
}

/// The file was written by a later version of the format.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Newer(pub(crate) u32);

/// Calls `visit(offset, length of the line, stamp, record)` for every intact record, in order.
pub(crate) fn scan(
    bytes: &[u8],
    mut visit: impl FnMut(u64, u32, Wall, JournalRecord),
) -> Result<Scanned, Newer> {
    let mut found = Scanned::default();
    let mut at = begin(bytes)?;
    if at == 0 && HEADER.starts_with(bytes) {
        // Empty, or torn inside the first line: nothing was ever recorded.
        if !bytes.is_empty() {
            found.torn = Some(damage(0, bytes.len(), Fault::Short));
        }
        return Ok(found);
    }
    found.end = at;
    while at < bytes.len() {
        match frame::decode(&bytes[at..]) {
            Ok(frame) => {
                match serde_json::from_slice(frame.json) {
                    Ok(record) => visit(at as u64, frame.total as u32, frame.at, record),
                    Err(_) => found.damage.push(damage(at, frame.total, Fault::Unknown)),
                }
                at += frame.total;
                found.end = at;
            }
            Err(fault) => match next_intact(bytes, at) {
                Some(next) => {
                    found.damage.push(damage(at, next - at, fault));
                    at = next;
                }
                None => {
                    found.torn = Some(damage(at, bytes.len() - at, fault));
                    break;
                }
            },
        }
    }
    Ok(found)
}

fn damage(at: usize, bytes: usize, fault: Fault) -> Damage {
    Damage { offset: at as u64, bytes: bytes as u64, fault }
}

/// Where the records begin; 0 if the first line is not ours, which then counts as damage.
fn begin(bytes: &[u8]) -> Result<usize, Newer> {
    if bytes.starts_with(HEADER) {
        return Ok(HEADER.len());
    }
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let version = line.strip_prefix(b"cordboard-journal ".as_slice());
    let version = version.and_then(|v| core::str::from_utf8(v).ok()?.parse::<u32>().ok());
    match version {
        // A torn first line cannot name a later format: the number of ours is one digit and last.
        Some(n) if n > FORMAT && line.len() < bytes.len() => Err(Newer(n)),
        _ => Ok(0),
    }
}

/// The beginning of the next intact record after a bad one at `at`. Every byte is tried, for the
/// line feed between the two may be what is damaged; a false find would need a fitting checksum.
fn next_intact(bytes: &[u8], at: usize) -> Option<usize> {
    (at + 1..bytes.len()).find(|i| frame::decode(&bytes[*i..]).is_ok())
}
