//! Reads a compound RTCP packet (RFC 3550 6.1, A.2), defensively: every length is checked, nothing is
//! believed beyond what is used.

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
/// Types 192 to 223 are RTCP's (RFC 5761 4).
const FIRST_TYPE: u8 = 192;
const LAST_TYPE: u8 = 223;

/// What is used of a compound packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compound {
    /// Who sent it.
    pub sender: u32,
    /// The middle 32 bits of the NTP timestamp of its sender report, to be repeated in ours.
    pub sent_at: Option<u32>,
    /// What it says of our stream.
    pub about: Option<About>,
}

/// A report block about our stream (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// Packets lost in all. Duplicates may make it negative; then it is 0 here.
    pub lost: u32,
    /// In samples.
    pub jitter: u32,
    /// `sent_at` of the last report of ours that it got; 0 if it got none.
    pub last: u32,
    /// How long before this report that was, in 1/65,536 s.
    pub delay: u32,
}

/// Bytes of a block.
const BLOCK_LEN: usize = 24;

/// Reads a packet. `None` if any part of it is not RTCP. A reduced-size packet (RFC 5506), which
/// begins with another type than a report, is accepted as a sign of life.
/// `ours` is the synchronisation source that we send with.
pub(crate) fn read(packet: &[u8], ours: u32) -> Option<Compound> {
    let mut found = None;
    let mut rest = packet;
    while !rest.is_empty() {
        let [first, kind, high, low, ..] = *rest else {
            return None;
        };
        if first >> 6 != 2 || !(FIRST_TYPE..=LAST_TYPE).contains(&kind) {
            return None;
        }
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let part = rest.get(..length)?;
        rest = rest.get(length..)?;
        // "padding [...] should only be required on one individual packet", the last.
        if first & 0x20 != 0 && !rest.is_empty() {
            return None;
        }
        let word = |at: usize| -> Option<u32> {
            let bytes = part.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        let blocks = usize::from(first & 0x1f) * BLOCK_LEN;
        let fixed = match kind {
            SENDER_REPORT => 28,
            RECEIVER_REPORT => 8,
            _ => 4,
        };
        let reports = matches!(kind, SENDER_REPORT | RECEIVER_REPORT);
        if part.len() < fixed + if reports { blocks } else { 0 } {
            return None;
        }
        let compound: &mut Compound =
            found.get_or_insert_with(|| Compound { sender: word(4).unwrap_or(0), ..Compound::default() });
        if kind == SENDER_REPORT {
            let (seconds, fraction) = (word(8)?, word(12)?);
            compound.sent_at = Some(seconds << 16 | fraction >> 16);
        }
        if reports {
            let starts = (0..usize::from(first & 0x1f)).map(|block| fixed + block * BLOCK_LEN);
            for at in starts.filter(|at| word(*at) == Some(ours)) {
                // "The total number of RTP data packets [...] lost", 24 bits and signed.
                let lost = (word(at + 4)? << 8).cast_signed() >> 8;
                let (jitter, last, delay) = (word(at + 12)?, word(at + 16)?, word(at + 20)?);
                compound.about = Some(About { lost: lost.max(0).unsigned_abs(), jitter, last, delay });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &[u8] = b"\x81\xc8\0\x0c\0\0\0\x07\x11\x22\x33\x44\x55\x66\x77\x88\
        \0\0\0\0\0\0\0\0\0\0\0\0\
        \0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
        \x81\xca\0\x02\0\0\0\x07\x01\x00\0\0";

    #[test]
    fn a_sender_report_with_its_description_is_read() {
        let expected = Compound { sender: 7, sent_at: Some(0x3344_5566), about: None };
        assert_eq!(read(REPORT, 8), Some(expected));
        assert_eq!(read(REPORT, 9).map(|c| c.about), Some(Some(About::default())));
    }

    #[test]
    fn a_block_about_us_is_read_and_a_negative_loss_is_none() {
        let mut packet = b"\x82\xc9\0\x0d\0\0\0\x05".to_vec();
        for (ssrc, lost) in [(3u32, 0x20_00_00_19u32), (4, 0x00_ff_ff_fe)] {
            for word in [ssrc, lost, 99, 80, 0xaabb_ccdd, 0x1_8000] {
                packet.extend(word.to_be_bytes());
            }
        }
        let about = About { lost: 25, jitter: 80, last: 0xaabb_ccdd, delay: 0x1_8000 };
        assert_eq!(read(&packet, 3).unwrap().about, Some(about));
        assert_eq!(read(&packet, 4).unwrap().about, Some(About { lost: 0, ..about }));
        assert_eq!(read(&packet, 5).unwrap().about, None);
    }

    #[test]
    fn a_receiver_report_and_a_reduced_packet_are_signs_of_life() {
        let alive = |packet: &[u8]| read(packet, 0).map(|c| (c.sender, c.sent_at));
        assert_eq!(alive(b"\x80\xc9\0\x01\0\0\0\x05"), Some((5, None)));
        assert_eq!(alive(b"\x81\xcd\0\x02\0\0\0\x05\0\0\0\x06"), Some((5, None)));
    }

    #[test]
    fn what_is_cut_short_or_lies_about_its_length_is_refused() {
        for end in 0..REPORT.len() {
            let whole = end == 52;
            assert_eq!(read(&REPORT[..end], 9).is_some(), whole, "{end} bytes");
        }
        assert_eq!(read(b"\x9f\xc9\0\x01\0\0\0\x05", 0), None, "31 blocks in no space");
        assert_eq!(read(b"\x80\xc9\xff\xff\0\0\0\x05", 0), None);
        assert_eq!(read(b"\x40\xc9\0\x01\0\0\0\x05", 0), None);
        assert_eq!(read(b"\x80\x08\0\x01\0\0\0\x05", 0), None);
    }
}
