//! Pages (RFC 3533 6): what a file is cut into, each with its place and its checksum.

/// "OggS", before every page.
const CAPTURE: &[u8; 4] = b"OggS";
/// Octets before the segment table.
const HEAD_LEN: usize = 27;
/// Most segments of a page.
pub(super) const SEGMENTS_MAX: usize = 255;
/// A granule position of a page on which no packet ends: "A special value of '-1'".
pub(super) const NO_GRANULE: u64 = u64::MAX;

/// The first packet of the page is the rest of one that began before.
pub(super) const CONTINUED: u8 = 1;
/// First page of its stream.
pub(super) const FIRST: u8 = 2;
/// Last page.
pub(super) const LAST: u8 = 4;

/// What stands before a page's packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub flags: u8,
    pub granule: u64,
    pub serial: u32,
    pub number: u32,
}

/// A page as it lies there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub head: Head,
    pub segments: &'a [u8],
    pub body: &'a [u8],
    /// Of all of it.
    pub len: usize,
}

/// "The generator polynomial is 0x04c11db7", with no inversion and the highest bit first.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut value = (n as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 0x8000_0000 != 0 { (value << 1) ^ 0x04c1_1db7 } else { value << 1 };
            bit += 1;
        }
        table[n] = value;
        n += 1;
    }
    table
};

fn checksum(mut sum: u32, bytes: &[u8]) -> u32 {
    for byte in bytes {
        sum = (sum << 8) ^ TABLE[((sum >> 24) as u8 ^ byte) as usize];
    }
    sum
}

/// Segments that a packet takes: the last one is shorter than 255, and may be empty.
pub(super) fn segments_of(packet: usize) -> usize {
    packet / 255 + 1
}

/// Appends a page of whole packets, of at most [`SEGMENTS_MAX`] segments together.
pub(super) fn write(out: &mut Vec<u8>, head: Head, packets: &[Vec<u8>]) {
    let begin = out.len();
    out.extend(CAPTURE);
    out.extend([0, head.flags]);
    out.extend(head.granule.to_le_bytes());
    out.extend(head.serial.to_le_bytes());
    out.extend(head.number.to_le_bytes());
    out.extend([0; 4]);
    let count: usize = packets.iter().map(|packet| segments_of(packet.len())).sum();
    out.push(count.min(SEGMENTS_MAX) as u8);
    for packet in packets {
        out.extend(core::iter::repeat_n(255, packet.len() / 255));
        out.push((packet.len() % 255) as u8);
    }
    packets.iter().for_each(|packet| out.extend(packet));
    seal(out.get_mut(begin..).unwrap_or_default());
}

/// Writes the checksum of a whole page into it.
pub(super) fn seal(page: &mut [u8]) {
    if let Some(field) = page.get_mut(22..26) {
        field.fill(0);
    }
    let sum = checksum(0, page).to_le_bytes();
    if let Some(field) = page.get_mut(22..26) {
        field.copy_from_slice(&sum);
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// The page at the beginning of `bytes`, if there is a whole one.
pub(super) fn read(bytes: &[u8]) -> Option<Page<'_>> {
    if bytes.get(..4)? != CAPTURE || *bytes.get(4)? != 0 {
        return None;
    }
    let count = usize::from(*bytes.get(HEAD_LEN - 1)?);
    let segments = bytes.get(HEAD_LEN..HEAD_LEN + count)?;
    let body_len: usize = segments.iter().map(|len| usize::from(*len)).sum();
    let len = HEAD_LEN + count + body_len;
    let body = bytes.get(HEAD_LEN + count..len)?;
    let sum = u32::from_le_bytes(number(bytes, 22)?);
    let zeroed = checksum(checksum(0, bytes.get(..22)?), &[0; 4]);
    if checksum(zeroed, bytes.get(26..len)?) != sum {
        return None;
    }
    let head = Head {
        flags: *bytes.get(5)?,
        granule: u64::from_le_bytes(number(bytes, 6)?),
        serial: u32::from_le_bytes(number(bytes, 14)?),
        number: u32::from_le_bytes(number(bytes, 18)?),
    };
    Some(Page { head, segments, body, len })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_it_was_written_and_not_when_a_bit_of_it_is_another() {
        let head = Head { flags: FIRST, granule: 960, serial: 7, number: 3 };
        let packets = [vec![1; 254], vec![2; 255], Vec::new(), vec![3; 600]];
        let mut out = vec![9; 5];
        write(&mut out, head, &packets);
        let page = read(&out[5..]).unwrap();
        assert_eq!(page.segments, [254, 255, 0, 0, 255, 255, 90]);
        assert_eq!((page.body.len(), page.len), (254 + 255 + 600, out.len() - 5));
        assert_eq!((page.head.granule, page.head.serial, page.head.number), (960, 7, 3));
        for at in 5..out.len() {
            let mut wrong = out.clone();
            wrong[at] ^= 0x10;
            assert!(read(&wrong[5..]).is_none(), "byte {at}");
        }
        assert!(read(&out[5..out.len() - 1]).is_none(), "cut");
    }

    #[test]
    fn the_checksum_is_that_of_the_format() {
        // CRC-32 with this polynomial, zero to begin with, nothing inverted: the check value of its catalogue.
        assert_eq!(checksum(0, b"123456789"), 0x89a1_897f);
    }
}
