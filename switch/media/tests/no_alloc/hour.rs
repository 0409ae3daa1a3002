//! An hour of calls of every kind at once: every codec, relayed, transcoded, secured, mixed, recorded, with music, keys, loss,
//! jitter and pauses. Once everybody has been heard, nothing is allocated and nothing freed.

use crate::counting::calls;
use crate::rig::{Shell, configure, open_leg, phone};
use cordboard_media::codec::Encoder;
use cordboard_media::codec::opus::OpusConfig;
use cordboard_media::{Audio, MediaConfig, MediaEngine, PortKey, Verdict};
use cordboard_model::id::{AssetId, IdMaker, LegId, TenantId};
use cordboard_model::media::{Codec, MediaCommand, MixMember, OpusParams, PlayItem, Repeat, Tone};
use cordboard_model::srtp::{SrtpKey, SrtpKeys, SrtpSuite};
use cordboard_model::time::Time;
use std::sync::Arc;

const HOUR_MS: u64 = 3_600_000;
/// Until everybody was heard, and every buffer has found its size.
const WARM_MS: u64 = 30_000;
/// The loop of what a party says: speech and a pause.
const FRAMES: usize = 250;
/// Frames of it that are speech.
const SPEECH: usize = 150;

/// Who takes part, by number; each of the first five pairs is a call.
const CODECS: [Codec; 18] = [
    // transcoded by a table and recorded
    Codec::Pcmu,
    Codec::Pcma,
    // transcoded
    Codec::Opus,
    Codec::Pcma,
    // relayed
    Codec::Opus,
    Codec::Opus,
    // transcoded, the first one secured
    Codec::G722,
    Codec::L16,
    // relayed, both secured
    Codec::Pcma,
    Codec::Pcma,
    // a conference of six, of whom two are recorded and one is muted
    Codec::Opus,
    Codec::Pcma,
    Codec::G722,
    Codec::Pcmu,
    Codec::L16,
    Codec::Pcma,
    // music; a tone and keys
    Codec::Opus,
    Codec::G722,
];

/// The parties with keys of their own.
const SECURED: [(usize, SrtpSuite); 3] =
    [(6, SrtpSuite::Aes128CmSha1_80), (8, SrtpSuite::AeadAes256Gcm), (9, SrtpSuite::Aes256CmSha1_32)];

fn wanted() -> OpusParams {
    OpusParams { fec: true, dtx: true, ..OpusParams::default() }
}

/// What a party says, packet by packet: a voice of 120 Hz whose loudness goes up and down, then nothing. An empty packet is
/// none.
fn said(codec: Codec) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::at(codec, 16_000, &OpusConfig::default(), &wanted());
    let (rate, mut out) = (f64::from(encoder.rate()), [0; 1_500]);
    let len = encoder.rate() as usize / 50;
    let sample = |at: usize| {
        let t = at as f64 / rate * core::f64::consts::TAU;
        let voice: f64 = (1..16).map(|k| (t * 120.0 * f64::from(k)).sin() / f64::from(k)).sum();
        (voice * (t * 3.0).sin().abs() * 6_000.0) as i16
    };
    let frame = |n: usize| {
        let speaks = n < SPEECH;
        let pcm: Vec<i16> = (n * len..(n + 1) * len).map(|at| if speaks { sample(at) } else { 0 }).collect();
        let written = encoder.encode(&pcm, &mut out);
        out[..written].to_vec()
    };
    (0..FRAMES).map(frame).collect()
}

/// A party that speaks over a bad line, by numbers that are always the same.
struct Party {
    codec: Codec,
    frames: Vec<Vec<u8>>,
    /// What it seals with, as a packet of its own.
    seal: Option<Box<Sealing>>,
    dice: u64,
}

/// A second engine, which does for a party what a phone with secure RTP does: what its own plain leg gets goes out sealed.
struct Sealing {
    engine: MediaEngine,
}

impl Party {
    fn roll(&mut self, of: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % of
    }

    /// The packet of 20 ms number `n`; `None` in a pause of Opus and where it is lost.
    fn packet(&mut self, n: u32, buf: &mut [u8], now: Time) -> Option<usize> {
        let lost = self.roll(50) == 0;
        let frame = &self.frames[n as usize % FRAMES];
        // a key is pressed every five seconds, for 20 ms
        let event = (n % 250 == 200).then_some([5, 0x8a, 0, 160]);
        let payload = event.as_ref().map_or(frame.as_slice(), |event| event.as_slice());
        if payload.is_empty() {
            return None;
        }
        let clock = self.codec.clock_hz() / 50;
        let number = if event.is_some() { 101 } else { payload_type(self.codec) };
        buf[..2].copy_from_slice(&[0x80, number]);
        buf[2..4].copy_from_slice(&(n as u16).to_be_bytes());
        buf[4..8].copy_from_slice(&n.wrapping_mul(clock).to_be_bytes());
        buf[8..12].copy_from_slice(&7_u32.to_be_bytes());
        buf[12..12 + payload.len()].copy_from_slice(payload);
        let mut len = 12 + payload.len();
        if let Some(seal) = &mut self.seal {
            let verdict = seal.engine.handle_packet(PortKey(0), phone(0), buf, len, now);
            let Verdict::Send { offset, len: sealed, .. } = verdict else { return None };
            buf.copy_within(offset..offset + sealed, 0);
            len = sealed;
            seal.engine.handle_timeout(now);
            let mut out = [0; 1_500];
            while seal.engine.poll_rtcp(&mut out, now).is_some() {}
            while seal.engine.poll_event().is_some() {}
        }
        (!lost).then_some(len)
    }
}

fn payload_type(codec: Codec) -> u8 {
    if matches!(codec, Codec::Opus | Codec::L16) { 96 } else { codec.static_payload_type() }
}

fn keys(suite: SrtpSuite) -> [SrtpKey; 2] {
    [1, 2].map(|seed| SrtpKey::new(suite, &vec![seed; suite.material_len()]).unwrap())
}

fn party(n: usize) -> Party {
    let codec = CODECS[n];
    let seal = SECURED.iter().find(|(who, _)| *who == n).map(|(_, suite)| {
        let mut engine = MediaEngine::new(MediaConfig::default(), [4; 32]);
        let mut ids = IdMaker::new(2, 0);
        let [ours, theirs] = keys(*suite);
        let a = open_leg(&mut engine, &mut ids, 0);
        configure(&mut engine, a, 0, codec, payload_type(codec), wanted(), None);
        let b = open_leg(&mut engine, &mut ids, 1);
        let keys = SrtpKeys { send: theirs, receive: ours };
        configure(&mut engine, b, 1, codec, payload_type(codec), wanted(), Some(keys));
        engine.handle_command(MediaCommand::Bridge { a, b }, Time::ZERO);
        Box::new(Sealing { engine })
    });
    Party { codec, frames: said(codec), seal, dice: 0x9e37_79b9 + n as u64 }
}

fn leg(engine: &mut MediaEngine, ids: &mut IdMaker, n: usize) -> LegId {
    let leg = open_leg(engine, ids, n as u32);
    let keys = SECURED.iter().find(|(who, _)| *who == n).map(|(_, suite)| {
        let [ours, theirs] = keys(*suite);
        SrtpKeys { send: ours, receive: theirs }
    });
    configure(engine, leg, n as u32, CODECS[n], payload_type(CODECS[n]), wanted(), keys);
    leg
}

fn engine() -> MediaEngine {
    let mut engine = MediaEngine::new(MediaConfig::default(), [3; 32]);
    let mut ids = IdMaker::new(1, 0);
    let legs: Vec<LegId> = (0..CODECS.len()).map(|n| leg(&mut engine, &mut ids, n)).collect();
    let asset = AssetId::new(TenantId::DEFAULT, "music").unwrap();
    let music = (0..8_642).map(|n| if n % 3 == 0 { 2_000 } else { -1_000 }).collect();
    let music = Audio::from_samples(music, 16_000).unwrap();
    assert_eq!(music.rate(), 16_000);
    engine.load_asset(asset.clone(), Arc::new(music));
    for pair in legs[..10].chunks(2) {
        engine.handle_command(MediaCommand::Bridge { a: pair[0], b: pair[1] }, Time::ZERO);
    }
    let members = legs[10..16].iter().enumerate();
    let members = members.map(|(n, leg)| MixMember { leg: *leg, hears: u32::MAX, muted: n == 5 }).collect();
    let mix = ids.call(TenantId::DEFAULT);
    engine.handle_command(MediaCommand::Mix { mix, members, gain: true }, Time::ZERO);
    for pair in [0, 10] {
        let recording = ids.recording(TenantId::DEFAULT);
        let record = MediaCommand::Record { recording, left: legs[pair], right: Some(legs[pair + 1]) };
        engine.handle_command(record, Time::ZERO);
    }
    let items = [PlayItem::Asset(asset), PlayItem::Tone(Tone::RingBack, 60_000)];
    for (leg, item) in legs[16..].iter().zip(items) {
        let playback = ids.playback(TenantId::DEFAULT);
        let play = MediaCommand::Play { leg: *leg, playback, items: vec![item], repeat: Repeat::Forever };
        engine.handle_command(play, Time::ZERO);
    }
    engine
}

/// What comes in the millisecond `ms`: each party has its own, and what is late by jitter comes with the next packet.
fn millisecond(shell: &mut Shell, parties: &mut [Party], ms: u64) {
    let now = Time::from_millis(ms);
    for (n, party) in parties.iter_mut().enumerate() {
        // one packet in 20 ms, at a place of its own that moves by up to 10 ms
        let (frame, at) = (ms / 20, ms % 20);
        let moved = (frame.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 10;
        if at != (n as u64 + moved) % 20 {
            continue;
        }
        let Some(len) = party.packet(frame as u32, &mut shell.buf, now) else { continue };
        let from = phone(n as u32);
        let verdict = shell.engine.handle_packet(PortKey(n as u32), from, &mut shell.buf, len, now);
        shell.relayed += u64::from(matches!(verdict, Verdict::Send { .. }));
    }
    shell.engine.handle_timeout(now);
    shell.drain(now);
}

#[test]
fn an_hour_of_calls_of_every_kind_allocates_nothing_once_they_are_up() {
    let mut parties: Vec<Party> = (0..CODECS.len()).map(party).collect();
    let mut shell = Shell::new(engine());
    let mut before = 0;
    for ms in 0..HOUR_MS {
        if ms == WARM_MS {
            before = calls();
            assert!(before > 0, "the allocator counts: setting up did allocate");
        }
        millisecond(&mut shell, &mut parties, ms);
    }
    assert_eq!(calls() - before, 0, "allocations and frees in an hour of {} legs", CODECS.len());
    let frames = HOUR_MS / 20;
    // Two relayed calls: all that Opus says, and its silence is not sent; 2 % is lost.
    assert!(shell.relayed > 3 * frames, "{} relayed", shell.relayed);
    // Six transcoded, six mixed, two that hear music: all the time, but for the silence of Opus.
    assert!(shell.played > 10 * frames, "{} played", shell.played);
    assert!(shell.recorded > 2 * 8_000 * (HOUR_MS / 1_000 - 2), "{} recorded", shell.recorded);
    assert!(shell.reports > 18 * 600 && shell.events > 18 * 600, "{} {}", shell.reports, shell.events);
}
