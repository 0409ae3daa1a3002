//! Reads Opus files of anybody's making: prompts, and recordings that a crash has cut.

use super::page::{self, CONTINUED, LAST, NO_GRANULE, Page};
use super::{GRANULE_HZ, HEAD, TAGS};
use crate::codec::opus::many::ManyDecoder;

/// Longest packet that is put together: a stream has at most 48 frames of 1,275 octets in one (RFC 6716 3.2.1), and files that we
/// are given have one or two.
const PACKET_MAX: usize = 64 * 1_024;

/// Why a file gives no audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OggError {
    /// It does not begin with the header of an Opus stream.
    NotOpus,
    /// A version or a mapping of channels that is not known.
    Unknown,
    /// There is not a whole packet in it.
    Empty,
    /// There is more than was asked for.
    TooLong,
}

impl core::fmt::Display for OggError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            OggError::NotOpus => "it does not begin with the header of an Opus stream",
            OggError::Unknown => "its version, or its mapping of channels, is not known",
            OggError::Empty => "there is no audio in it",
            OggError::TooLong => "it is too long",
        })
    }
}

impl core::error::Error for OggError {}

/// The audio of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusAudio {
    /// Samples, interleaved.
    pub pcm: Vec<i16>,
    /// Channels.
    pub channels: u16,
}

/// The ID header (RFC 7845 5.1).
struct Id {
    channels: u8,
    pre_skip: u16,
    gain: i16,
    streams: u8,
    coupled: u8,
    mapping: Vec<u8>,
}

fn id(packet: &[u8]) -> Result<Id, OggError> {
    let (Some(HEAD), Some(fixed)) = (packet.first_chunk::<8>(), packet.get(8..19)) else {
        return Err(OggError::NotOpus);
    };
    let &[version, channels, skip0, skip1, _, _, _, _, gain0, gain1, family] = fixed else {
        return Err(OggError::NotOpus);
    };
    // The upper four bits are that of a version that is not compatible (RFC 7845 5.1).
    if version >> 4 != 0 || channels == 0 {
        return Err(OggError::Unknown);
    }
    let (streams, coupled, mapping) = match family {
        0 if channels <= 2 => (1, channels - 1, (0..channels).collect()),
        1 if channels <= 8 => {
            let table = packet.get(19..21 + usize::from(channels)).ok_or(OggError::Unknown)?;
            let [streams, coupled, mapping @ ..] = table else {
                return Err(OggError::Unknown);
            };
            (*streams, *coupled, mapping.to_vec())
        }
        _ => return Err(OggError::Unknown),
    };
    // More streams than channels are decoded for nobody.
    if usize::from(streams) + usize::from(coupled) > usize::from(channels) {
        return Err(OggError::Unknown);
    }
    let (pre_skip, gain) = (u16::from_le_bytes([skip0, skip1]), i16::from_le_bytes([gain0, gain1]));
    Ok(Id { channels, pre_skip, gain, streams, coupled, mapping })
}

/// The pages of the first stream, up to the first that is broken.
fn pages(bytes: &[u8]) -> impl Iterator<Item = Page<'_>> {
    let mut rest = bytes;
    let mut serial = None;
    core::iter::from_fn(move || {
        let page = page::read(rest)?;
        rest = rest.get(page.len..)?;
        Some(page)
    })
    .filter(move |page| *serial.get_or_insert(page.head.serial) == page.head.serial)
}

/// Puts packets together that pages hold pieces of.
#[derive(Default)]
struct Packets {
    piece: Vec<u8>,
    whole: Vec<Vec<u8>>,
    lost: bool,
}

impl Packets {
    fn take(&mut self, page: &Page<'_>) {
        if page.head.flags & CONTINUED == 0 {
            self.piece.clear();
            self.lost = false;
        } else if self.piece.is_empty() {
            self.lost = true;
        }
        let mut body = page.body;
        for len in page.segments {
            let (segment, rest) = body.split_at(usize::from(*len).min(body.len()));
            body = rest;
            self.piece.extend_from_slice(segment);
            if self.piece.len() > PACKET_MAX {
                self.lost = true;
                self.piece.clear();
            }
            if *len < 255 {
                let packet = core::mem::take(&mut self.piece);
                if !core::mem::take(&mut self.lost) {
                    self.whole.push(packet);
                }
            }
        }
    }
}

/// The audio of an Opus file at `rate` hertz (8,000, 16,000 or 48,000), up to `most` samples of all channels together. What
/// follows a page that is broken is left out.
///
/// # Errors
/// See [`OggError`].
pub fn read_opus(bytes: &[u8], rate: u32, most: usize) -> Result<OpusAudio, OggError> {
    let mut packets = Packets::default();
    let mut decoder: Option<(ManyDecoder, Id)> = None;
    let (mut pcm, mut end) = (Vec::new(), None);
    for page in pages(bytes) {
        packets.take(&page);
        for packet in packets.whole.drain(..) {
            match &mut decoder {
                None => {
                    let id = id(&packet)?;
                    let (streams, coupled) = (id.streams, id.coupled);
                    let made = ManyDecoder::new(rate, streams, coupled, &id.mapping, id.gain);
                    decoder = Some((made.ok_or(OggError::Unknown)?, id));
                }
                Some(_) if packet.starts_with(TAGS) => {}
                Some((decoder, _)) => pcm.extend_from_slice(decoder.decode(&packet)),
            }
        }
        if pcm.len() > most {
            return Err(OggError::TooLong);
        }
        if page.head.flags & LAST != 0 && page.head.granule != NO_GRANULE {
            end = Some(page.head.granule);
            break;
        }
    }
    let (_, id) = decoder.ok_or(OggError::NotOpus)?;
    let at = |granules: u64| {
        let frames = granules.saturating_mul(u64::from(rate)) / u64::from(GRANULE_HZ);
        usize::try_from(frames).unwrap_or(usize::MAX).saturating_mul(usize::from(id.channels))
    };
    if let Some(end) = end {
        pcm.truncate(at(end));
    }
    pcm.drain(..at(u64::from(id.pre_skip)).min(pcm.len()));
    if pcm.is_empty() {
        return Err(OggError::Empty);
    }
    Ok(OpusAudio { pcm, channels: u16::from(id.channels) })
}

/// The rate of what an Opus file was made from, as it says itself (RFC 7845 5.1, "Input Sample Rate"), by its first bytes.
pub fn rate_of(bytes: &[u8]) -> Option<u32> {
    let first = page::read(bytes)?;
    id(first.body).ok()?;
    let rate: [u8; 4] = first.body.get(12..16)?.try_into().ok()?;
    Some(u32::from_le_bytes(rate)).filter(|rate| *rate > 0)
}

/// What of a file is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Octets, whole pages.
    pub len: u64,
    /// Milliseconds of audio.
    pub ms: u64,
    /// It has its last page.
    pub ended: bool,
}

/// How much of a file is whole, page by page; `last` gets the last of them, marked as the end of the stream: written over it,
/// at `len` less its length, it makes a file that ends there.
pub fn whole(bytes: &[u8], last: &mut Vec<u8>) -> Whole {
    let mut whole = Whole::default();
    let (mut at, mut begin, mut skip) = (0, 0, 0);
    while let Some(page) = bytes.get(at..).and_then(page::read) {
        if at == 0 {
            skip = id(page.body).map_or(0, |id| u64::from(id.pre_skip));
        }
        if page.head.granule != NO_GRANULE {
            whole.ms = page.head.granule.saturating_sub(skip) * 1_000 / u64::from(GRANULE_HZ);
        }
        begin = at;
        at += page.len;
        (whole.len, whole.ended) = (at as u64, page.head.flags & LAST != 0);
    }
    last.clear();
    last.extend_from_slice(bytes.get(begin..at).unwrap_or_default());
    if let Some(flags) = last.get_mut(5) {
        *flags |= LAST;
        page::seal(last);
    }
    whole
}

#[cfg(test)]
mod tests;
