//! Writes our reports (RFC 3550 6.4): an SR when we sent since the last one, else an RR, each with the
//! CNAME. "Each compound packet MUST include a report packet [and] an SDES CNAME" (6.1).

use crate::rtp::reception::ReportBlock;
use cordboard_model::time::{Duration, Time};

/// Longest packet written here.
pub(crate) const REPORT_MAX: usize = 28 + 24 + 8 + 24;

/// What is known of the peer's last sender report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastReport {
    /// The middle 32 bits of its NTP timestamp.
    pub sent_at: u32,
    pub received_at: Time,
}

/// What a sender says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SenderInfo {
    /// Our stream's timestamp at this moment.
    pub timestamp: u32,
    pub packets: u64,
    pub octets: u64,
}

/// Everything in a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub ssrc: u32,
    pub sender: Option<SenderInfo>,
    pub block: Option<ReportBlock>,
    pub last: Option<LastReport>,
    /// RFC 7022 4.2: random, 16 hexadecimal digits.
    pub cname: u64,
}

struct Cursor<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Cursor<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.out.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }
    fn word(&mut self, word: u32) {
        self.put(&word.to_be_bytes());
    }
}

/// Seconds and fraction of a time, as NTP writes them.
fn ntp(since: Duration) -> (u32, u32) {
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    (since.as_secs() as u32, fraction as u32)
}

/// The middle 32 bits of our NTP clock at a moment, as `sent_at` of a peer's block repeats it.
pub(crate) fn middle(now: Time) -> u32 {
    let (seconds, fraction) = ntp(now.since(Time::ZERO));
    seconds << 16 | fraction >> 16
}

/// Writes the compound packet to the front of `out`; its length, or `None` if there is no room.
pub(crate) fn write(out: &mut [u8], report: &Report, now: Time) -> Option<usize> {
    if out.len() < REPORT_MAX {
        return None;
    }
    let mut to = Cursor { out, at: 0 };
    let blocks = u8::from(report.block.is_some());
    let body = 6 * u16::from(blocks);
    match report.sender {
        Some(info) => {
            to.put(&[0x80 | blocks, 200]);
            to.put(&(6 + body).to_be_bytes());
            to.word(report.ssrc);
            // "A sender that can keep track of elapsed time but has no notion of wallclock time MAY
            // use the elapsed time since joining the session instead."
            let (seconds, fraction) = ntp(now.since(Time::ZERO));
            to.word(seconds);
            to.word(fraction);
            to.word(info.timestamp);
            to.word(info.packets as u32);
            to.word(info.octets as u32);
        }
        None => {
            to.put(&[0x80 | blocks, 201]);
            to.put(&(1 + body).to_be_bytes());
            to.word(report.ssrc);
        }
    }
    if let Some(block) = report.block {
        to.word(block.ssrc);
        to.word(u32::from(block.fraction_lost) << 24 | (block.lost & 0x00ff_ffff));
        to.word(block.highest);
        to.word(block.jitter);
        to.word(report.last.map_or(0, |last| last.sent_at));
        to.word(report.last.map_or(0, |last| {
            let (seconds, fraction) = ntp(now.since(last.received_at));
            seconds << 16 | fraction >> 16
        }));
    }
    // SDES: one chunk, CNAME of 16 bytes, two bytes of end and padding.
    to.put(&[0x81, 202, 0, 6]);
    to.word(report.ssrc);
    to.put(&[1, 16]);
    for digit in (0..16).rev() {
        let nibble = (report.cname >> (digit * 4) & 0xf) as u8;
        to.put(&[if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }]);
    }
    to.put(&[0, 0]);
    Some(to.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::read;

    fn report(sender: bool, block: bool) -> Report {
        Report {
            ssrc: 0x0102_0304,
            sender: sender.then_some(SenderInfo { timestamp: 160, packets: 3, octets: 480 }),
            block: block.then_some(ReportBlock {
                ssrc: 9,
                fraction_lost: 64,
                lost: 25,
                highest: 99,
                jitter: 80,
            }),
            last: Some(LastReport { sent_at: 0xaabb_ccdd, received_at: Time::from_millis(1_000) }),
            cname: 0x0123_4567_89ab_cdef,
        }
    }

    #[test]
    fn all_four_shapes_are_read_back() {
        let mut out = [0; REPORT_MAX];
        let now = Time::from_millis(2_500);
        for (sender, block, len) in
            [(true, true, 80), (true, false, 56), (false, true, 60), (false, false, 36)]
        {
            assert_eq!(write(&mut out, &report(sender, block), now), Some(len));
            let read = read::read(&out[..len], 0).unwrap();
            assert_eq!(read.sender, 0x0102_0304);
            assert_eq!(read.sent_at, sender.then_some(0x0002_8000));
        }
        assert_eq!(write(&mut out[1..], &report(true, true), now), None);
    }

    #[test]
    fn the_block_and_the_name_are_where_the_rfc_puts_them() {
        let mut out = [0; REPORT_MAX];
        write(&mut out, &report(false, true), Time::from_millis(2_500));
        assert_eq!(out[..4], [0x81, 201, 0, 7]);
        assert_eq!(out[12..16], [64, 0, 0, 25]);
        assert_eq!(out[24..28], [0xaa, 0xbb, 0xcc, 0xdd]);
        assert_eq!(out[28..32], [0, 1, 0x80, 0], "1.5 s in 1/65,536 s");
        assert_eq!(&out[40..58], b"\x01\x100123456789abcdef");
    }
}
