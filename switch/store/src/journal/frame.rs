//! One record as a line of the file: `length checksum stamp json`, ended by a line feed.
//!
//! Length (of the JSON) and checksum are 8 hexadecimal digits, the stamp 16: the wall time, in
//! milliseconds, at which the record was given to the writer. The checksum covers stamp and JSON.
//! JSON holds no raw line feed and no raw quote in a text: nothing a caller sends reads as a record.

use super::crc::crc32;
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::Wall;
use core::fmt;

/// First line of every journal; the number is the format's.
pub(crate) const HEADER: &[u8] = b"cordboard-journal 1\n";
/// The format this code writes and reads.
pub(crate) const FORMAT: u32 = 1;
/// Longest JSON of one record, bytes. Call data at its limits, every byte escaped, stays below it.
pub(crate) const RECORD_MAX: usize = 4 << 20;
/// Bytes before the JSON.
const PREFIX: usize = 8 + 1 + 8 + 1 + 16 + 1;
/// Where the part begins that the checksum covers.
const CHECKED: usize = 8 + 1 + 8 + 1;

/// What is wrong with bytes that should be a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file ends inside the record.
    Short,
    /// Not the shape of a record.
    Shape,
    /// The checksum does not fit: bytes were changed after they were written.
    Checksum,
    /// Intact, but not a record this version knows.
    Unknown,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Short => "the file ends inside a record",
            Fault::Shape => "not a journal record",
            Fault::Checksum => "the checksum does not fit",
            Fault::Unknown => "intact, but not a record this version knows",
        })
    }
}

/// An intact record.
pub(crate) struct Frame<'a> {
    pub(crate) at: Wall,
    pub(crate) json: &'a [u8],
    /// Bytes of the whole line.
    pub(crate) total: usize,
}

/// Appends a record's line to `out`. Gives the JSON's length back when it is too long, with `out`
/// as it was.
pub(crate) fn encode(record: &JournalRecord, at: Wall, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let begin = out.len();
    out.resize(begin + PREFIX, b' ');
    if let Err(e) = serde_json::to_writer(&mut *out, record) {
        out.truncate(begin);
        return Err(EncodeError::Json(e));
    }
    let length = out.len() - begin - PREFIX;
    if length > RECORD_MAX {
        out.truncate(begin);
        return Err(EncodeError::TooLong(length));
    }
    hex(&mut out[begin..begin + 8], length as u64);
    hex(&mut out[begin + CHECKED..begin + PREFIX - 1], at.0 as u64);
    let sum = crc32(&out[begin + CHECKED..]);
    hex(&mut out[begin + 9..begin + 17], u64::from(sum));
    out.push(b'\n');
    Ok(())
}

/// Why a record has no line.
#[derive(Debug)]
pub(crate) enum EncodeError {
    TooLong(usize),
    Json(serde_json::Error),
}

/// Reads the line that begins at `bytes[0]`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Frame<'_>, Fault> {
    let Some(prefix) = bytes.get(..PREFIX) else {
        return Err(Fault::Short);
    };
    if prefix[8] != b' ' || prefix[17] != b' ' || prefix[34] != b' ' {
        return Err(Fault::Shape);
    }
    let length = unhex(&prefix[..8]).ok_or(Fault::Shape)? as usize;
    let sum = unhex(&prefix[9..17]).ok_or(Fault::Shape)?;
    let at = unhex(&prefix[18..34]).ok_or(Fault::Shape)?;
    if length > RECORD_MAX {
        return Err(Fault::Shape);
    }
    let end = PREFIX + length;
    match bytes.get(end) {
        None => return Err(Fault::Short),
        Some(b'\n') => {}
        Some(_) => return Err(Fault::Checksum),
    }
    if u64::from(crc32(&bytes[CHECKED..end])) != sum {
        return Err(Fault::Checksum);
    }
    Ok(Frame { at: Wall(at as i64), json: &bytes[PREFIX..end], total: end + 1 })
}

fn hex(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

fn unhex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, d| {
        let digit = match d {
            b'0'..=b'9' => d - b'0',
            b'a'..=b'f' => d - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};
    use cordboard_model::leg::PartyId;

    fn record() -> JournalRecord {
        JournalRecord::CallOpened {
            call: IdMaker::new(7, 0).call(TenantId::DEFAULT),
            from: PartyId { user: "1001".into(), display: "line\nfeed".into() },
            to: PartyId::new("500"),
            started: Wall(-3),
        }
    }

    #[test]
    fn a_record_reads_back_with_its_stamp_and_is_one_line() {
        let mut line = Vec::new();
        encode(&record(), Wall(-5), &mut line).unwrap();
        assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
        let frame = decode(&line).unwrap();
        assert_eq!((frame.at, frame.total), (Wall(-5), line.len()));
        let back: JournalRecord = serde_json::from_slice(frame.json).unwrap();
        assert_eq!(back, record());
    }

    #[test]
    fn no_changed_byte_and_no_missing_byte_goes_unseen() {
        let mut line = Vec::new();
        encode(&record(), Wall(1_700_000_000_000), &mut line).unwrap();
        for i in 0..line.len() {
            let mut bad = line.clone();
            bad[i] ^= 1;
            assert!(decode(&bad).is_err(), "byte {i} changed");
            assert!(decode(&line[..i]).is_err(), "cut at {i}");
        }
    }
}
