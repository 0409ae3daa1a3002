//! SRTCP packets (RFC 3711 3.4; RFC 7714 9).

use super::cipher::{Place, Span};
use super::{Refused, Srtp, carries, word};

/// What stays readable: the first header and the sender's SSRC.
const CLEAR: usize = 8;
/// E flag and index.
const INDEX: usize = 4;
const ENCRYPTED: u32 = 1 << 31;
/// The highest index: "2^31 SRTCP packets" are the life of a key (9.2). At one report in five seconds that is 340 years.
const INDEX_MAX: u32 = ENCRYPTED - 1;

impl Srtp {
    /// Seals the compound packet in the first `len` bytes; says how long it is now. The bytes behind are room.
    pub(crate) fn protect_rtcp(&mut self, buf: &mut [u8], len: usize) -> Result<usize, Refused> {
        let half = &mut self.send;
        let ssrc = word(buf, 4).filter(|_| len >= CLEAR).ok_or(Refused::Malformed)?;
        // 3.4: "The SRTCP index MUST be set to zero before the first SRTCP packet is sent, and MUST be incremented by
        // one, modulo 2^31, after each SRTCP packet is sent."
        let index = half.reports.newest(ssrc).map_or(0, |newest| newest + 1);
        let index =
            u32::try_from(index).ok().filter(|index| *index <= INDEX_MAX).ok_or(Refused::Exhausted)?;
        let trailer = (ENCRYPTED | index).to_be_bytes();
        let tag_len = half.rtcp.tag_len();
        if buf.len() < len + INDEX + tag_len {
            return Err(Refused::NoRoom);
        }
        let (tag_at, index_at) =
            if half.rtcp.checks_first() { (len + INDEX, len) } else { (len, len + tag_len) };
        buf.get_mut(index_at..index_at + INDEX).ok_or(Refused::NoRoom)?.copy_from_slice(&trailer);
        let span = Span { clear: CLEAR, end: len, extra: INDEX, tag_at };
        half.rtcp.seal(buf, span, Place::Rtcp(ssrc, index), trailer).ok_or(Refused::NoRoom)?;
        half.reports.note(ssrc, u64::from(index));
        Ok(len + INDEX + tag_len)
    }

    /// Opens an SRTCP packet, which is all of `packet`; says how long the RTCP packet at its front is.
    pub(crate) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Refused> {
        let half = &mut self.receive;
        let mki = half.mki();
        let mki_len = mki.map_or(0, |mki| usize::from(mki.len));
        let tag_len = half.rtcp.tag_len();
        let end = packet.len().checked_sub(INDEX + tag_len + mki_len).filter(|end| *end >= CLEAR);
        let end = end.ok_or(Refused::Malformed)?;
        let (tag_at, index_at, mki_at) = if half.rtcp.checks_first() {
            (end + INDEX + mki_len, end, end + INDEX)
        } else {
            (end, end + tag_len, end + tag_len + INDEX)
        };
        let is_rtcp = packet.first().is_some_and(|first| first >> 6 == 2);
        let (true, Some(ssrc), Some(trailer)) = (is_rtcp, word(packet, 4), word(packet, index_at)) else {
            return Err(Refused::Malformed);
        };
        // Not encrypted would need UNENCRYPTED_SRTCP, which is never agreed (RFC 4568 6.3.2).
        if trailer & ENCRYPTED == 0 || !carries(packet, mki_at, mki) {
            return Err(Refused::Forged);
        }
        let index = trailer & INDEX_MAX;
        if half.reports.is_stale(ssrc, u64::from(index)) {
            return Err(Refused::Stale);
        }
        let span = Span { clear: CLEAR, end, extra: INDEX, tag_at };
        if !half.rtcp.open(packet, span, Place::Rtcp(ssrc, index), trailer.to_be_bytes()) {
            return Err(Refused::Forged);
        }
        half.reports.note(ssrc, u64::from(index));
        Ok(end)
    }
}
