//! What lies above the telephone band: kept for who can hear it, and no matter to who cannot.

use crate::harness::{Rtp, Sent, World, params};
use cordboard_media::MediaConfig;
use cordboard_media::codec::opus::OpusConfig;
use cordboard_media::codec::{Decoder, Encoder};
use cordboard_media::tone::Goertzel;
use cordboard_model::media::{Codec, MediaCommand, OpusParams, PlayItem, Repeat, Tone};

/// Above the telephone band, within that of speech, Hz.
pub const HIGH: f64 = 6_000.0;
pub const LOW: f64 = 500.0;

/// Both tones at once, 4,000 each.
pub fn chord(rate: u32, ms: u32) -> Vec<i16> {
    let wave = |n: u32, hertz: f64| (f64::from(n) * hertz / f64::from(rate) * core::f64::consts::TAU).sin();
    (0..rate / 1_000 * ms).map(|n| (4_000.0 * (wave(n, LOW) + wave(n, HIGH))) as i16).collect()
}

/// What a party hears, at 16 kHz.
pub fn heard(sent: &[&Sent], codec: Codec) -> Vec<i16> {
    let mut decoder = Decoder::at(codec, 16_000);
    let mut out = Vec::new();
    for packet in sent.iter().filter(|sent| sent.payload_type() == codec.static_payload_type()) {
        let mut piece = [0; 2_000];
        let len = decoder.decode(packet.payload(), &mut piece);
        out.extend(&piece[..len]);
    }
    out
}

/// The share of a tone in samples at 16 kHz: the filter counts at 8.
pub fn share(pcm: &[i16], hertz: f64) -> f64 {
    Goertzel::share(pcm, hertz / 2.0)
}

#[test]
fn a_prompts_tone_at_6_khz_reaches_every_party_whose_codec_carries_it() {
    for codec in [Codec::G722, Codec::Opus, Codec::L16] {
        for rate in [16_000, 48_000] {
            let mut world = World::new(MediaConfig::default());
            world.open(params(0, codec));
            let prompt = world.asset_at("prompt", chord(rate, 1_000), rate);
            world.play(0, vec![prompt], Repeat::Once);
            world.run(1_200);
            let sent = world.sent_by(0);
            assert_eq!(sent.len(), 50, "{codec:?}");
            assert_eq!(world.play_done().len(), 1);
            let pcm = heard(&sent, codec);
            let shares = [LOW, HIGH].map(|hertz| share(&pcm[3_200..12_800], hertz));
            assert!(shares.iter().all(|share| (0.4..0.6).contains(share)), "{codec:?}, {rate}: {shares:?}");
        }
    }
}

#[test]
fn of_a_wideband_prompt_a_g711_party_hears_the_telephone_band_and_nothing_folded_into_it() {
    for codec in [Codec::Pcma, Codec::Pcmu] {
        let mut world = World::new(MediaConfig::default());
        world.open(params(0, codec));
        let prompt = world.asset_at("prompt", chord(16_000, 1_000), 16_000);
        world.play(0, vec![prompt], Repeat::Once);
        world.run(1_200);
        let pcm = crate::harness::heard(&world.sent_by(0), codec);
        assert_eq!(pcm.len(), 8_000);
        assert!(Goertzel::share(&pcm[400..7_600], LOW) > 0.99, "{codec:?}");
    }
}

#[test]
fn a_prompt_at_8_khz_sounds_for_every_codec_as_it_did() {
    for codec in [Codec::G722, Codec::Opus, Codec::L16] {
        let mut world = World::new(MediaConfig::default());
        world.open(params(0, codec));
        let pcm: Vec<i16> = chord(16_000, 1_000).into_iter().step_by(2).collect();
        let prompt = world.asset("prompt", &pcm);
        world.play(0, vec![prompt], Repeat::Once);
        world.run(1_200);
        let pcm = heard(&world.sent_by(0), codec);
        let pcm = &pcm[3_200..12_800];
        // every second sample of 6 kHz at 16 is 2 kHz at 8
        let shares = [LOW, 2_000.0].map(|hertz| share(pcm, hertz));
        assert!(shares.iter().all(|share| (0.4..0.6).contains(share)), "{codec:?}: {shares:?}");
        assert!(share(pcm, HIGH) < 1e-3, "{codec:?}: nothing mirrors");
    }
}

#[test]
fn things_of_both_rates_follow_each_other_in_one_playlist() {
    for codec in [Codec::G722, Codec::L16] {
        let mut world = World::new(MediaConfig::default());
        world.open(params(0, codec));
        let wide = world.asset_at("wide", chord(16_000, 500), 16_000);
        let narrow = world.asset("narrow", &chord(8_000, 500));
        let items =
            vec![wide.clone(), PlayItem::Tone(Tone::Hertz(660), 500), PlayItem::Silence(100), narrow, wide];
        world.play(0, items, Repeat::Once);
        world.run(2_500);
        let pcm = heard(&world.sent_by(0), codec);
        assert_eq!(pcm.len(), 2_100 * 16);
        let part = |from: usize| &pcm[(from + 50) * 16..(from + 450) * 16];
        assert!((0.4..0.6).contains(&share(part(0), HIGH)) && (0.4..0.6).contains(&share(part(1_600), HIGH)));
        assert!(share(part(500), 660.0) > 0.98, "{codec:?}");
        assert!(pcm[1_010 * 16..1_090 * 16].iter().all(|sample| sample.abs() < 64), "silence");
    }
}

/// A party's packets of 20 ms of the chord, in its codec.
pub struct Singer {
    codec: Codec,
    encoder: Encoder,
    rate: u32,
    n: u32,
}

impl Singer {
    pub fn new(codec: Codec) -> Self {
        let encoder = Encoder::at(codec, 16_000, &OpusConfig::default(), &OpusParams::default());
        Self { codec, rate: encoder.rate(), encoder, n: 0 }
    }

    pub fn packet(&mut self) -> Rtp {
        let pcm = chord(self.rate, 1_000);
        let frame = self.rate as usize / 50;
        let at = self.n as usize % 50 * frame;
        let mut payload = vec![0; 1_000];
        let len = self.encoder.encode(&pcm[at..at + frame], &mut payload);
        payload.truncate(len);
        self.n += 1;
        let number = self.codec.static_payload_type();
        let timestamp = self.n.wrapping_mul(self.codec.clock_hz() / 50);
        Rtp {
            payload_type: number,
            marker: false,
            sequence: self.n as u16,
            timestamp,
            ssrc: u32::from(number),
            payload,
        }
    }
}

/// Both parties sing for a while.
pub fn sing(world: &mut World, singers: &mut [Singer], packets: u32) {
    for _ in 0..packets {
        for (leg, singer) in singers.iter_mut().enumerate() {
            let packet = singer.packet();
            world.say(leg, &packet);
        }
        world.run(20);
    }
}

#[test]
fn music_in_a_call_with_a_g711_partner_is_heard_whole_and_the_partner_after_it() {
    for codec in [Codec::G722, Codec::Opus, Codec::L16] {
        let mut world = World::bridged(codec, Codec::Pcma);
        let mut singers = [Singer::new(codec), Singer::new(Codec::Pcma)];
        sing(&mut world, &mut singers, 50);
        let music = world.asset_at("music", chord(16_000, 1_000), 16_000);
        let before = world.sent_by(0).len();
        let playback = world.play(0, vec![music.clone()], Repeat::Forever);
        sing(&mut world, &mut singers, 25);
        // what is agreed on anew, as a hold does, changes nothing
        world.configure(0, params(0, codec));
        sing(&mut world, &mut singers, 25);
        let played = world.sent_by(0).len();
        world.command(MediaCommand::StopPlay { leg: world.legs[0], playback });
        sing(&mut world, &mut singers, 50);
        // and one that ends by itself
        world.play(0, vec![music], Repeat::Once);
        sing(&mut world, &mut singers, 100);
        let sent = world.sent_by(0);
        for pair in sent.windows(2) {
            assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        }
        let pcm = heard(&sent, codec);
        let part =
            |packets: core::ops::Range<usize>| &pcm[(packets.start + 10) * 320..(packets.end - 2) * 320];
        let music = share(part(before..played), HIGH);
        assert!((0.4..0.6).contains(&music), "{codec:?}: {music}");
        for partner in [part(played..played + 45), part(sent.len() - 40..sent.len())] {
            let shares = [LOW, 2_000.0].map(|hertz| share(partner, hertz));
            assert!(shares[0] > 0.4 && share(partner, HIGH) < 0.01, "{codec:?}: {shares:?}");
        }
    }
}
