//! The RTP header (RFC 3550 5.1): read by rtp-rs, written in place.

use rtp_rs::RtpReader;

/// Length of a header without CSRC and extension: the only kind we send.
pub(crate) const HEADER_LEN: usize = 12;
/// Longest payload taken: 200 ms of G.711.
pub(crate) const PAYLOAD_MAX: usize = 1_600;

/// What is used of a header, and where the payload lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload_start: usize,
    pub payload_end: usize,
}

/// Reads a packet. `None` if it is not RTP or longer than any we take.
pub(crate) fn read(packet: &[u8]) -> Option<Header> {
    let reader = RtpReader::new(packet).ok()?;
    let payload_start = reader.payload_offset();
    let payload_len = reader.payload().len();
    if payload_len > PAYLOAD_MAX {
        return None;
    }
    Some(Header {
        payload_type: reader.payload_type(),
        marker: reader.mark(),
        sequence: u16::from(reader.sequence_number()),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
        payload_start,
        payload_end: payload_start + payload_len,
    })
}

/// Whether a datagram is RTCP (RFC 5761 4): packet types 192 to 223 where RTP has marker and type.
pub(crate) fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [_, 192..=223, ..])
}

/// Writes a plain header over the [`HEADER_LEN`] bytes that end where the payload begins, so that
/// CSRC and extension, which are between the peer and us, go no further. Says where the packet
/// begins now.
pub(crate) fn write(
    packet: &mut [u8],
    payload_start: usize,
    payload_type: u8,
    marker: bool,
    place: Place,
) -> Option<usize> {
    let start = payload_start.checked_sub(HEADER_LEN)?;
    let header = packet.get_mut(start..payload_start)?;
    let mark = if marker { 0x80 } else { 0 };
    header[0] = 0x80;
    header[1] = mark | (payload_type & 0x7f);
    header[2..4].copy_from_slice(&place.sequence.to_be_bytes());
    header[4..8].copy_from_slice(&place.timestamp.to_be_bytes());
    header[8..12].copy_from_slice(&place.ssrc.to_be_bytes());
    Some(start)
}

/// Where a packet stands in the stream we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// The timestamp jumped: the receiver's playout must begin anew (RFC 3551 4.1).
    pub restarted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V=2 with padding, extension, two CSRC, marker; payload `abc`, padded by 5.
    const FULL: &[u8] = b"\xb2\x88\x01\x02\0\0\0\x10\x0a\x0b\x0c\x0d\
        CSR1CSR2\xbe\xde\0\x01EXT1abc\0\0\0\0\x05";

    #[test]
    fn a_header_with_everything_is_read_and_rewritten_in_front_of_its_payload() {
        let mut packet = FULL.to_vec();
        let header = read(&packet).unwrap();
        assert_eq!((header.payload_type, header.marker), (8, true));
        assert_eq!((header.sequence, header.timestamp, header.ssrc), (0x102, 16, 0x0a0b_0c0d));
        assert_eq!(&packet[header.payload_start..header.payload_end], b"abc");
        let place = Place { sequence: 7, timestamp: 160, ssrc: 0xffff_0001, restarted: false };
        let start = write(&mut packet, header.payload_start, 0, false, place).unwrap();
        assert_eq!(&packet[start..header.payload_end], b"\x80\0\0\x07\0\0\0\xa0\xff\xff\0\x01abc");
    }

    #[test]
    fn what_is_cut_short_lies_or_is_too_long_is_not_rtp() {
        for end in 0..28 {
            assert_eq!(read(&FULL[..end]), None, "{end} bytes");
        }
        let mut version = FULL.to_vec();
        version[0] = 0x72;
        assert_eq!(read(&version), None);
        let mut padding = FULL.to_vec();
        *padding.last_mut().unwrap() = 200;
        assert_eq!(read(&padding), None);
        let mut long = b"\x80\0\0\x01\0\0\0\xa0\0\0\0\x01".to_vec();
        long.resize(HEADER_LEN + PAYLOAD_MAX, 0);
        assert!(read(&long).is_some());
        long.push(0);
        assert_eq!(read(&long), None);
    }
}
