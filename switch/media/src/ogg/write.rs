//! The growing file of one recording: two channels, each a stream of its own, in packets of 20 ms.
//!
//! Nothing here touches a disk: what is to be appended comes out as bytes, and what the disk refused is taken back.

use super::page::{self, FIRST, Head, LAST, SEGMENTS_MAX};
use super::{GRANULE_HZ, HEAD, TAGS};
use crate::codec::opus::many::PairEncoder;
use crate::codec::{NARROW, WIDE};

/// Bits a second of both channels together. For speech of 8 kHz RFC 7587 3.1.1 names 8 to 12 kbit/s a channel, for that of
/// 16 kHz 16 to 20; what is heard again, and read by machines, gets more.
const BITRATE: u32 = 32_000;
const BITRATE_WIDE: u32 = 48_000;
/// CPU for quality: one thread writes all recordings.
const COMPLEXITY: u8 = 5;
/// Packets of a page at most: a second.
const PAGE_PACKETS: usize = 50;

/// Packets of silence after which the encoder has forgotten what was before.
const SETTLED: usize = 10;

/// Where a file stood before something was appended.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    page: u32,
    encoded: u64,
}

/// See the module.
#[derive(Debug)]
pub struct OpusFile {
    encoder: PairEncoder,
    /// Samples a second of each channel.
    rate: u32,
    serial: u32,
    page: u32,
    /// Samples of each channel that packets were made of.
    encoded: u64,
    /// Interleaved ones for which there is no whole packet yet.
    pending: Vec<i16>,
}

impl OpusFile {
    /// A file without audio, for samples at 8,000 or 16,000 hertz. `serial` tells streams of one file apart, and ours has one:
    /// any number will do. Allocates.
    #[must_use]
    pub fn new(serial: u32, rate: u32) -> Self {
        let (rate, bits) = if rate > NARROW { (WIDE, BITRATE_WIDE) } else { (NARROW, BITRATE) };
        let encoder = PairEncoder::new(rate, bits, COMPLEXITY);
        let pending = Vec::with_capacity(rate as usize / 25);
        Self { encoder, rate, serial, page: 2, encoded: 0, pending }
    }

    /// Samples a second of each channel.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Samples of a packet on each channel: 20 ms.
    fn frame(&self) -> usize {
        self.rate as usize / 50
    }

    /// Granules of a sample.
    fn step(&self) -> u64 {
        u64::from(GRANULE_HZ / self.rate)
    }

    /// Samples of each channel so far.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.encoded + (self.pending.len() / 2) as u64
    }

    /// The two pages with which the file begins.
    pub fn headers(&mut self) -> Vec<u8> {
        let mut head = HEAD.to_vec();
        // version 1, two channels
        head.extend([1, 2]);
        head.extend(self.pre_skip().to_le_bytes());
        head.extend(self.rate.to_le_bytes());
        // no gain; channel mapping family 1 (RFC 7845 5.1.1.2): two streams, none coupled, so that neither side is heard on the other
        head.extend([0, 0, 1, 2, 0, 0, 1]);
        let mut tags = TAGS.to_vec();
        let vendor = b"Cordboard";
        tags.extend((vendor.len() as u32).to_le_bytes());
        tags.extend(vendor);
        tags.extend([0; 4]);
        let mut out = Vec::new();
        // Each is alone on its page, and the granule position of both is zero (RFC 7845 3).
        for (number, flags, packet) in [(0, FIRST, head), (1, 0, tags)] {
            page::write(&mut out, Head { flags, granule: 0, serial: self.serial, number }, &[packet]);
        }
        out
    }

    /// Granules that a player leaves out at the beginning: what the encoder looks ahead.
    fn pre_skip(&mut self) -> u16 {
        (self.encoder.lookahead() * self.step() as u32).min(u32::from(u16::MAX)) as u16
    }

    /// Where it stands.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { page: self.page, encoded: self.encoded }
    }

    /// What was appended since `mark` is not in the file: so many samples of each channel are missing, whole packets.
    pub fn back_to(&mut self, mark: Mark) -> u64 {
        let missing = self.encoded - mark.encoded;
        (self.page, self.encoded) = (mark.page, mark.encoded);
        missing
    }

    /// Takes interleaved samples; `out` gets the pages that are full by them.
    pub fn append(&mut self, pcm: &[i16], out: &mut Vec<u8>) {
        let mut packets = Vec::new();
        for pair in pcm.chunks_exact(2) {
            self.pending.extend_from_slice(pair);
            if self.pending.len() == 2 * self.frame() {
                packets.push(self.encoder.encode(&self.pending));
                self.pending.clear();
            }
        }
        self.put(packets, out);
    }

    /// Silence of whole packets, `samples` or less, before what is pending: in place of what the disk refused.
    pub fn silence(&mut self, samples: u64, out: &mut Vec<u8>) {
        let count = usize::try_from(samples).unwrap_or(usize::MAX) / self.frame();
        let silent = vec![0; 2 * self.frame()];
        // What comes before dies away; from then on every packet is the same.
        let mut packets: Vec<Vec<u8>> =
            (0..count.min(SETTLED)).map(|_| self.encoder.encode(&silent)).collect();
        if let Some(last) = packets.last().cloned() {
            packets.resize(count, last);
        }
        self.put(packets, out);
    }

    fn put(&mut self, packets: Vec<Vec<u8>>, out: &mut Vec<u8>) {
        let mut page: Vec<Vec<u8>> = Vec::new();
        let mut segments = 0;
        for packet in packets {
            let more = page::segments_of(packet.len());
            if page.len() == PAGE_PACKETS || segments + more > SEGMENTS_MAX {
                self.turn(&core::mem::take(&mut page), out);
                segments = 0;
            }
            segments += more;
            page.push(packet);
        }
        if !page.is_empty() {
            self.turn(&page, out);
        }
    }

    fn turn(&mut self, packets: &[Vec<u8>], out: &mut Vec<u8>) {
        self.encoded += (packets.len() * self.frame()) as u64;
        self.page_of(packets, 0, self.encoded * self.step(), out);
    }

    fn page_of(&mut self, packets: &[Vec<u8>], flags: u8, granule: u64, out: &mut Vec<u8>) {
        let head = Head { flags, granule, serial: self.serial, number: self.page };
        page::write(out, head, packets);
        self.page = self.page.wrapping_add(1);
    }

    /// The last page. Its granule position says where the audio ends within its packets (RFC 7845 4.4).
    pub fn end(&mut self, out: &mut Vec<u8>) {
        let samples = self.samples();
        let granule = samples * self.step() + u64::from(self.pre_skip());
        let mut packets = Vec::new();
        let mut encoded = self.encoded;
        while encoded * self.step() < granule {
            self.pending.resize(2 * self.frame(), 0);
            packets.push(self.encoder.encode(&self.pending));
            self.pending.clear();
            encoded += self.frame() as u64;
        }
        self.page_of(&packets, LAST, granule, out);
        // what fills the last packet is not audio
        self.encoded = samples;
    }
}
