//! Legs that come, change and go: with their parts made by a [`KitMaker`] and freed by whoever asks for what is discarded,
//! the engine allocates and frees nothing, from its first leg on.
//!
//! Not among them, for they are made where the packets are: legs with ICE or DTLS, mixes, video, and legs that go from one
//! engine to another.

use crate::counting::calls;
use crate::rig::{packet, phone};
use cordboard_media::codec::Encoder;
use cordboard_media::{
    Audio, Discarded, KitCounters, KitMaker, MediaConfig, MediaEngine, MediaOutput, PortKey, RecordRate,
    Recorded, Verdict,
};
use cordboard_model::id::{AssetId, IdMaker, LegId, TenantId};
use cordboard_model::media::{
    Codec, Direction, DtmfKind, MediaCommand, MediaEvent, OpusParams, PlayItem, Repeat, StreamParams, Tone,
};
use cordboard_model::srtp::{SrtpKey, SrtpKeys, SrtpSuite};
use cordboard_model::stream::Track;
use cordboard_model::time::Time;
use std::sync::Arc;

/// An engine whose allocator calls are counted, and who makes and frees for it elsewhere.
struct Beside {
    engine: MediaEngine,
    maker: KitMaker,
    ids: IdMaker,
    discarded: Vec<Discarded>,
    buf: [u8; 2_048],
    ms: u64,
    /// Allocations and frees of the engine.
    took: u64,
    sent: u64,
    recorded: u64,
    ended: u64,
}

impl Beside {
    fn new(rate: RecordRate) -> Self {
        let config = MediaConfig { record_rate: rate, ..MediaConfig::default() };
        let mut engine = MediaEngine::new(config, [3; 32]);
        let speech = Audio::from_samples((0..32_000).map(|n| (n % 40) * 500 - 10_000).collect(), 16_000);
        engine.load_asset(prompt(), Arc::new(speech.unwrap()));
        Self {
            engine,
            maker: KitMaker::new(config, 100),
            ids: IdMaker::new(1, 0),
            discarded: Vec::with_capacity(1_000),
            buf: [0; 2_048],
            ms: 0,
            took: 0,
            sent: 0,
            recorded: 0,
            ended: 0,
        }
    }

    /// Gives a command as a media thread does: its kit is made before, and what is left is freed behind.
    fn give(&mut self, command: MediaCommand) {
        let kit = self.maker.prepare(&command);
        let now = Time::from_millis(self.ms);
        let before = calls();
        self.engine.handle_prepared(command, kit, now);
        self.took += calls() - before;
        self.clear_out();
    }

    fn clear_out(&mut self) {
        let before = calls();
        while let Some(discarded) = self.engine.poll_discarded() {
            self.discarded.push(discarded);
        }
        self.took += calls() - before;
        self.discarded.clear();
    }

    fn open(&mut self, port: u32) -> LegId {
        let leg = self.ids.leg(TenantId::DEFAULT);
        self.give(MediaCommand::Open { leg, near: None });
        let before = calls();
        assert_eq!(self.engine.poll_output(), Some(MediaOutput::OpenPort { leg }));
        self.engine.port_opened(leg, PortKey(port), phone(99), Time::from_millis(self.ms));
        self.took += calls() - before;
        leg
    }

    fn agree(&mut self, leg: LegId, port: u32, codec: Codec, events: bool, keys: Option<SrtpKeys>) {
        let params = StreamParams {
            remote: phone(port),
            rtcp_mux: false,
            codec,
            send_payload_type: 96,
            recv_payload_type: 96,
            dtmf: events.then_some((101, 101)),
            dtmf_hz: codec.clock_hz(),
            comfort: None,
            opus: OpusParams { fec: true, ..OpusParams::default() },
            ptime_ms: 20,
            direction: Direction::SendRecv,
        };
        let keys = keys.map(Box::new);
        self.give(MediaCommand::Configure { leg, params, signals: None, keys, path: None });
    }

    /// Both parties speak for so many packets, and all is sent, recorded and told that there is.
    fn talk(&mut self, codecs: [Codec; 2], packets: u32) {
        let speech: [i16; 160] = core::array::from_fn(|n| ((n % 40) * 500) as i16 - 10_000);
        let mut codes = [[0; 960]; 2];
        let mut encoders = codecs.map(Encoder::new);
        for _ in 0..packets {
            let lens: [usize; 2] =
                core::array::from_fn(|side| encoders[side].encode(&speech, &mut codes[side]));
            self.ms += 20;
            let now = Time::from_millis(self.ms);
            let before = calls();
            for side in 0..2u32 {
                let at = (self.ms / 20) as u32;
                let len = lens[side as usize];
                self.buf[..12].copy_from_slice(&packet(96, at, None)[..12]);
                let ticks = at * codecs[side as usize].clock_hz() / 50;
                self.buf[4..8].copy_from_slice(&ticks.to_be_bytes());
                self.buf[12..12 + len].copy_from_slice(&codes[side as usize][..len]);
                let verdict =
                    self.engine.handle_packet(PortKey(side), phone(side), &mut self.buf, 12 + len, now);
                self.sent += u64::from(matches!(verdict, Verdict::Send { .. }));
            }
            self.took += calls() - before;
            self.pass(now);
        }
    }

    fn pass(&mut self, now: Time) {
        let mut samples = [0; 640];
        let before = calls();
        self.engine.handle_timeout(now);
        while self.engine.poll_transmit(&mut self.buf, now).is_some() {
            self.sent += 1;
        }
        while self.engine.poll_rtcp(&mut self.buf, now).is_some() {}
        while let Some(Recorded { frames, .. }) = self.engine.poll_recorded(&mut samples) {
            self.recorded += frames as u64;
        }
        while self.engine.poll_output().is_some() {}
        while let Some(event) = self.engine.poll_event() {
            self.ended += u64::from(matches!(
                event,
                MediaEvent::Closed { .. } | MediaEvent::PlayDone { .. } | MediaEvent::RecordingClosed { .. }
            ));
        }
        self.took += calls() - before;
        self.clear_out();
    }

    /// Nothing was allocated, nothing was missing in a kit, and nothing was freed for want of room.
    fn has_taken_nothing(&self, what: &str) {
        assert_eq!(self.took, 0, "allocations and frees with {what}");
        assert_eq!(self.engine.kit_counters(), KitCounters::default(), "{what}");
        assert_eq!((self.engine.legs(), self.engine.recordings(), self.maker.legs()), (0, 0, 0), "{what}");
    }
}

fn prompt() -> AssetId {
    AssetId::new(TenantId::DEFAULT, "welcome").unwrap()
}

fn keys(suite: SrtpSuite, seed: u8) -> SrtpKeys {
    let key = |seed| SrtpKey::new(suite, &vec![seed; suite.material_len()]).unwrap();
    SrtpKeys { send: key(seed), receive: key(seed + 1) }
}

const CODECS: [Codec; 5] = [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus, Codec::L16];

/// Every codec to every other, relayed and transcoded, with a prompt before and a change of codec in between.
#[test]
fn calls_that_come_change_and_go_allocate_nothing_beside_their_kits() {
    for first in CODECS {
        for second in CODECS {
            let what = format!("{first:?} and {second:?}");
            let mut beside = Beside::new(RecordRate::Narrow);
            for round in 0..3 {
                let legs = [beside.open(0), beside.open(1)];
                beside.agree(legs[0], 0, first, round != 1, None);
                let items = vec![PlayItem::Asset(prompt()), PlayItem::Tone(Tone::Beep, 200)];
                let playback = beside.ids.playback(TenantId::DEFAULT);
                let repeat = if round == 0 { Repeat::Once } else { Repeat::Forever };
                beside.give(MediaCommand::Play { leg: legs[0], playback, items, repeat });
                beside.talk([first, second], 5);
                beside.agree(legs[1], 1, second, true, None);
                beside.give(MediaCommand::Bridge { a: legs[0], b: legs[1] });
                beside.give(MediaCommand::StopPlay { leg: legs[0], playback });
                beside.talk([first, second], 50);
                // both change, one after the other, and are held and back in between
                beside.agree(legs[0], 0, second, true, None);
                beside.talk([second, second], 20);
                beside.agree(legs[1], 1, first, true, None);
                beside.agree(legs[1], 1, first, true, None);
                beside.talk([second, first], 20);
                let digits = "123".to_owned();
                beside.give(MediaCommand::SendDigits { leg: legs[0], digits, length_ms: 80 });
                beside.give(MediaCommand::Dtmf { leg: legs[1], kind: DtmfKind::Inband });
                beside.talk([second, first], 20);
                if round == 2 {
                    beside.give(MediaCommand::Unbridge { leg: legs[0] });
                }
                legs.into_iter().for_each(|leg| beside.give(MediaCommand::Close { leg }));
                beside.pass(Time::from_millis(beside.ms));
            }
            beside.has_taken_nothing(&what);
            assert!(beside.sent > 3 * 2 * 90, "{what}: {}", beside.sent);
            assert_eq!(beside.ended, 3 * 3, "{what}: two legs and a playback each time");
        }
    }
}

/// Recorded at the rate of the telephone, and at 16 kHz what one of them speaks.
#[test]
fn recorded_calls_allocate_nothing_beside_their_kits() {
    for rate in [RecordRate::Narrow, RecordRate::Wide, RecordRate::Auto] {
        for (first, second) in CODECS.into_iter().flat_map(|first| CODECS.map(|second| (first, second))) {
            let what = format!("{first:?} and {second:?} recorded at {rate:?}");
            let mut beside = Beside::new(rate);
            for _ in 0..2 {
                let legs = [beside.open(0), beside.open(1)];
                beside.agree(legs[0], 0, first, true, None);
                beside.agree(legs[1], 1, second, true, None);
                beside.give(MediaCommand::Bridge { a: legs[0], b: legs[1] });
                let recording = beside.ids.recording(TenantId::DEFAULT);
                let record = MediaCommand::Record { recording, left: legs[0], right: Some(legs[1]) };
                beside.give(record);
                beside.talk([first, second], 50);
                beside.agree(legs[1], 1, first, true, None);
                beside.talk([first, first], 50);
                beside.give(MediaCommand::StopRecord { recording });
                beside.talk([first, first], 5);
                legs.into_iter().for_each(|leg| beside.give(MediaCommand::Close { leg }));
                beside.pass(Time::from_millis(beside.ms));
            }
            beside.has_taken_nothing(&what);
            assert!(beside.recorded > 2 * 8_000, "{what}: {}", beside.recorded);
            assert_eq!(beside.ended, 2 * 3, "{what}: two legs and a recording each time");
        }
    }
}

/// Keys agreed on, kept, changed on one side and on both, and given up.
#[test]
fn keys_that_come_change_and_go_allocate_nothing_beside_their_kits() {
    for suite in SrtpSuite::ALL {
        let mut beside = Beside::new(RecordRate::Narrow);
        let leg = beside.open(0);
        let (one, two) = (keys(suite, 1), keys(suite, 7));
        let mixed = SrtpKeys { send: one.send, receive: two.receive };
        for keys in [Some(one), Some(one), Some(mixed), Some(two), None, Some(one)] {
            beside.agree(leg, 0, Codec::Opus, true, keys);
            beside.pass(Time::from_millis(beside.ms));
        }
        beside.give(MediaCommand::Close { leg });
        beside.pass(Time::from_millis(beside.ms));
        beside.has_taken_nothing(&format!("{suite:?}"));
    }
}

/// A program has a leg, and another listens to one that changes its codec.
#[test]
fn programs_that_come_and_go_allocate_nothing_beside_their_kits() {
    for codec in CODECS {
        let mut beside = Beside::new(RecordRate::Narrow);
        let legs = [beside.open(0), beside.open(1)];
        legs.into_iter().zip(0..).for_each(|(leg, port)| beside.agree(leg, port, codec, true, None));
        let streams = [0, 1].map(|_| beside.ids.stream(TenantId::DEFAULT));
        beside.give(MediaCommand::Live { leg: legs[0], stream: streams[0] });
        let track = Track::Inbound;
        beside.give(MediaCommand::Listen { leg: legs[1], stream: streams[1], track });
        beside.talk([codec; 2], 20);
        beside.agree(legs[0], 0, Codec::G722, true, None);
        beside.talk([Codec::G722, codec], 20);
        beside.give(MediaCommand::StopLive { leg: legs[0], stream: streams[0] });
        beside.talk([codec; 2], 5);
        legs.into_iter().for_each(|leg| beside.give(MediaCommand::Close { leg }));
        beside.pass(Time::from_millis(beside.ms));
        beside.has_taken_nothing(&format!("{codec:?}"));
    }
}

/// What the kits are worth, and that the count would tell: without them the same call does allocate.
#[test]
fn without_kits_an_engine_makes_what_it_needs_itself_and_counts_it() {
    let mut beside = Beside::new(RecordRate::Narrow);
    let leg = beside.open(0);
    beside.maker = KitMaker::new(MediaConfig::default(), 100);
    let before = calls();
    beside.agree(leg, 0, Codec::Opus, false, None);
    assert!(calls() - before > 4 && beside.took > 4, "coders and an ear: {}", beside.took);
    assert_eq!(beside.engine.kit_counters(), KitCounters { made_here: 2, freed_here: 0 });
}
