//! SRTP packets (RFC 3711 3.1, 3.3; RFC 7714 8).

use super::cipher::{Place, Span};
use super::{Half, Refused, Srtp, carries, word};

/// Longest packet that may come first under a new key.
const COPY: usize = 2_048;

/// Bytes that stay readable: the fixed header, CSRC and the header extension.
fn clear_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first().filter(|first| **first >> 6 == 2)?;
    let fixed = 12 + usize::from(first & 0x0f) * 4;
    if first & 0x10 == 0 {
        return Some(fixed);
    }
    let words = packet.get(fixed + 2..fixed + 4)?;
    Some(fixed + 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4)
}

fn sequence(packet: &[u8]) -> Option<u16> {
    packet.get(2..4)?.try_into().ok().map(u16::from_be_bytes)
}

/// The rollover counter of an index.
fn roc(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

impl Srtp {
    /// Seals the RTP packet in the first `len` bytes; says how long it is now. The bytes behind are room for the tag.
    ///
    /// A packet whose index was used already is refused: two payloads under one piece of keystream would tell both. A
    /// relayed source that repeats numbers gets there.
    pub(crate) fn protect(&mut self, buf: &mut [u8], len: usize) -> Result<usize, Refused> {
        let half = &mut self.send;
        let packet = buf.get(..len).ok_or(Refused::Malformed)?;
        let header =
            clear_len(packet).filter(|clear| *clear <= len).zip(word(packet, 8)).zip(sequence(packet));
        let ((clear, ssrc), number) = header.ok_or(Refused::Malformed)?;
        let index = half.streams.candidates(ssrc, number)[0].ok_or(Refused::Exhausted)?;
        if half.streams.is_stale(ssrc, index) {
            return Err(Refused::Stale);
        }
        let span = Span { clear, end: len, extra: 0, tag_at: len };
        let place = Place::Rtp(ssrc, index);
        if buf.len() < len + half.rtp.tag_len() {
            return Err(Refused::NoRoom);
        }
        half.rtp.seal(buf, span, place, roc(index)).ok_or(Refused::NoRoom)?;
        half.streams.note(ssrc, index);
        Ok(len + half.rtp.tag_len())
    }

    /// Opens an SRTP packet, which is all of `packet`; says how long the RTP packet at its front is.
    pub(crate) fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let half = &mut self.receive;
        let header = clear_len(packet).zip(word(packet, 8)).zip(sequence(packet));
        let ((clear, ssrc), number) = header.ok_or(Refused::Malformed)?;
        let mki = half.mki();
        let mki_len = mki.map_or(0, |mki| usize::from(mki.len));
        let tag_len = half.rtp.tag_len();
        let end = packet.len().checked_sub(tag_len + mki_len).filter(|end| *end >= clear);
        let end = end.ok_or(Refused::Malformed)?;
        // RFC 3711 3.1 puts the MKI before the tag; what GCM makes is all ciphertext, and the MKI comes behind it.
        let (tag_at, mki_at) =
            if half.rtp.checks_first() { (end + mki_len, end) } else { (end, end + tag_len) };
        if !carries(packet, mki_at, mki) {
            return Err(Refused::Forged);
        }
        let span = Span { clear, end, extra: 0, tag_at };
        let index = match half.streams.candidates(ssrc, number) {
            [Some(index), None] => half.open(packet, span, ssrc, index)?,
            [None, _] => return Err(Refused::Stale),
            [Some(first), Some(second)] => half.open_either(packet, span, ssrc, [first, second])?,
        };
        half.streams.note(ssrc, index);
        Ok(end)
    }
}

impl Half {
    fn open(&self, packet: &mut [u8], span: Span, ssrc: u32, index: u64) -> Result<u64, Refused> {
        if self.streams.is_stale(ssrc, index) {
            return Err(Refused::Stale);
        }
        let right = self.rtp.open(packet, span, Place::Rtp(ssrc, index), roc(index));
        if right { Ok(index) } else { Err(Refused::Forged) }
    }

    /// Opens the first packet of a source under a new key. GCM spoils what it fails to open, so it works on a copy.
    #[cold]
    fn open_either(
        &self,
        packet: &mut [u8],
        span: Span,
        ssrc: u32,
        guesses: [u64; 2],
    ) -> Result<u64, Refused> {
        let mut copy = [0; COPY];
        let copy = copy.get_mut(..packet.len()).ok_or(Refused::Malformed)?;
        copy.copy_from_slice(packet);
        let [first, second] = guesses;
        self.open(packet, span, ssrc, first).or_else(|_| {
            packet.copy_from_slice(copy);
            self.open(packet, span, ssrc, second)
        })
    }
}
