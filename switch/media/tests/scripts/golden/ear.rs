//! What a phone makes of the packets it is sent: are they one stream, and what is to be heard in it.

use crate::harness::Sent;
use cordboard_media::codec::Decoder;
use cordboard_media::tone::Goertzel;
use cordboard_model::media::Codec;
use std::collections::BTreeMap;

/// 20 ms.
const WINDOW: usize = 160;

/// What was sent to a leg last.
#[derive(Clone, Copy)]
struct Last {
    sequence: u16,
    /// The timestamp after its last sample, if it was audio.
    end: u32,
    ssrc: u32,
}

/// A leg's phone.
#[derive(Default)]
pub struct Ear {
    /// The codecs that were agreed on, by payload type.
    codecs: BTreeMap<u8, (Codec, Decoder)>,
    last: Option<Last>,
}

impl Ear {
    pub fn agree_on(&mut self, payload_type: u8, codec: Codec) {
        if self.codecs.get(&payload_type).is_none_or(|(known, _)| *known != codec) {
            self.codecs.insert(payload_type, (codec, Decoder::new(codec)));
        }
    }

    /// Notes a packet that was told of by itself.
    pub fn pass(&mut self, sent: &Sent) {
        let end = sent.timestamp().wrapping_add(sent.payload().len() as u32);
        self.last = Some(Last { sequence: sent.sequence(), end, ssrc: sent.ssrc() });
    }

    /// What these packets come to, in words.
    pub fn sum_up(&mut self, sent: &[Sent], tones: &[u16]) -> String {
        let first = self.last.map_or(sent[0].sequence().wrapping_sub(1), |last| last.sequence);
        let place = |packet: &Sent| packet.sequence().wrapping_sub(first) as i16;
        let mut ordered: Vec<&Sent> = sent.iter().collect();
        ordered.sort_by_key(|packet| place(packet));
        let behind = sent.windows(2).filter(|pair| place(&pair[1]) < place(&pair[0])).count();
        let all = ordered.len();
        ordered.dedup_by_key(|packet| packet.sequence());
        let holes = usize::from(place(ordered[ordered.len() - 1]) as u16).saturating_sub(ordered.len());
        let mut words = format!("packets={all} {}", self.payload_types(sent));
        let longest = sent.windows(2).map(|pair| pair[1].at_ms - pair[0].at_ms).max().unwrap_or(0);
        words += &format!(" longest-wait={longest}ms");
        for (count, name) in [(holes, "holes"), (behind, "behind"), (all - ordered.len(), "twice")] {
            if count > 0 {
                words += &format!(" {name}={count}");
            }
        }
        words += &self.leaps(&ordered);
        let marks = sent.iter().filter(|packet| packet.marker()).count();
        if marks > 0 {
            words += &format!(" marks={marks}");
        }
        words + &format!(" sound={}", self.sound(&ordered, tones))
    }

    fn payload_types(&self, sent: &[Sent]) -> String {
        let mut counts = BTreeMap::<(u8, usize), usize>::new();
        for packet in sent {
            *counts.entry((packet.payload_type(), packet.payload().len())).or_default() += 1;
        }
        let words = counts.iter().map(|((number, len), count)| format!("pt{number}*{len}={count}"));
        words.collect::<Vec<_>>().join(" ")
    }

    /// Where the timestamp does not go on from the packet before, and another source.
    fn leaps(&mut self, ordered: &[&Sent]) -> String {
        let mut words = String::new();
        for packet in ordered {
            let Some(last) = self.last else {
                self.pass(packet);
                continue;
            };
            if packet.ssrc() != last.ssrc {
                words += " ANOTHER-SSRC";
            }
            if !self.codecs.contains_key(&packet.payload_type()) {
                self.last = Some(Last { sequence: packet.sequence(), ..last });
                continue;
            }
            let leap = packet.timestamp().wrapping_sub(last.end) as i32;
            let next = packet.sequence().wrapping_sub(last.sequence) == 1;
            if leap != 0 && next {
                words += &format!(" leap={leap:+}");
            }
            self.pass(packet);
        }
        words
    }

    /// For how long there was which tone, silence, or something else; tones with their level against full scale.
    fn sound(&mut self, ordered: &[&Sent], tones: &[u16]) -> String {
        let mut pcm = Vec::new();
        for packet in ordered {
            if let Some((_, decoder)) = self.codecs.get_mut(&packet.payload_type()) {
                let mut piece = vec![0; packet.payload().len()];
                decoder.decode(packet.payload(), &mut piece);
                pcm.extend(piece);
            }
        }
        sounds(&pcm, tones)
    }
}

/// What samples at 8 kHz are to an ear that waits for these tones.
pub fn sounds(pcm: &[i16], tones: &[u16]) -> String {
    let (mut silent, mut other) = (0, 0);
    let mut loud = BTreeMap::<u16, (usize, f64)>::new();
    for window in pcm.chunks_exact(WINDOW) {
        let tone = tones.iter().find(|hertz| Goertzel::share(window, f64::from(**hertz)) > 0.9);
        let peak = window.iter().map(|sample| sample.unsigned_abs()).max();
        match tone {
            _ if peak < Some(100) => silent += 1,
            Some(hertz) => {
                let (count, power) = loud.entry(*hertz).or_default();
                *count += 1;
                *power += Goertzel::power_of(window, f64::from(*hertz));
            }
            None => other += 1,
        }
    }
    let level = |count: usize, power: f64| 10.0 * (power / count as f64 * 2.0 / 32_768f64.powi(2)).log10();
    let mut words: Vec<String> = loud
        .iter()
        .map(|(hertz, (count, power))| format!("{hertz}Hz:{}ms@{:.0}dB", count * 20, level(*count, *power)))
        .collect();
    for (count, name) in [(silent, "silence"), (other, "other")] {
        if count > 0 {
            words.push(format!("{name}:{}ms", count * 20));
        }
    }
    words.join(",")
}
