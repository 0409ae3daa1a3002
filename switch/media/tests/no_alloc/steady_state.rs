//! Six legs under an allocator that counts. An allocator is unsafe by nature; nothing else here is.
#![allow(unsafe_code)]

use cordboard_media::{Audio, MediaConfig, MediaEngine, MediaOutput, PortKey, Verdict};
use cordboard_model::id::{AssetId, IdMaker, LegId, TenantId};
use cordboard_model::media::{
    Codec, Direction, MediaCommand, MixMember, OpusParams, PlayItem, Repeat, StreamParams, Tone,
};
use cordboard_model::srtp::{SrtpKey, SrtpKeys, SrtpSuite};
use cordboard_model::time::Time;
use core::net::SocketAddr;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

const LEGS: u32 = 6;

/// The codec of leg `n`.
fn codec_of(n: u32) -> Codec {
    match n {
        0 | 2 => Codec::Pcmu,
        4 => Codec::G722,
        _ => Codec::Pcma,
    }
}

struct Counting;

thread_local! {
    /// Of this thread alone: the harness has one of its own, which prints when it likes.
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends allocates no more that matters.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

// SAFETY: everything is left to the system's allocator; only calls are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn phone(n: u32) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n as u8 + 1], 4_000))
}

fn packet(payload_type: u8, n: u32, event: Option<u8>) -> [u8; 172] {
    let mut out = [0x55; 172];
    out[0] = 0x80;
    out[1] = if event.is_some() { 101 } else { payload_type };
    out[2..4].copy_from_slice(&(n as u16).to_be_bytes());
    out[4..8].copy_from_slice(&(n * 160).to_be_bytes());
    out[8..12].copy_from_slice(&7u32.to_be_bytes());
    if let Some(code) = event {
        out[12..16].copy_from_slice(&[code, 0x0a, 0, 160]);
    }
    out
}

struct Shell {
    engine: MediaEngine,
    buf: [u8; 2_048],
    out: [i16; 2_000],
    relayed: u64,
    played: u64,
    reports: u64,
    recorded: u64,
    events: u64,
}

impl Shell {
    fn drain(&mut self, now: Time) {
        while self.engine.poll_transmit(&mut self.buf, now).is_some() {
            self.played += 1;
        }
        while self.engine.poll_rtcp(&mut self.buf, now).is_some() {
            self.reports += 1;
        }
        while let Some((_, frames)) = self.engine.poll_recorded(&mut self.out) {
            self.recorded += frames as u64;
        }
        while self.engine.poll_event().is_some() {
            self.events += 1;
        }
    }

    /// A second of everything, from millisecond `from` on.
    fn second(&mut self, from: u64) {
        for frame in 0..50u64 {
            let n = (from / 20 + frame) as u32;
            for leg in 0..LEGS {
                let now = Time::from_millis(from + frame * 20 + u64::from(leg));
                let payload_type = codec_of(leg).static_payload_type();
                let event = frame.is_multiple_of(25).then_some(5);
                let bytes = packet(payload_type, n, event);
                self.buf[..172].copy_from_slice(&bytes);
                let verdict = self.engine.handle_packet(PortKey(leg), phone(leg), &mut self.buf, 172, now);
                self.relayed += u64::from(matches!(verdict, Verdict::Send { .. }));
                self.engine.handle_timeout(now);
                self.drain(now);
            }
        }
    }
}

fn open(engine: &mut MediaEngine, ids: &mut IdMaker, n: u32) -> LegId {
    open_with(engine, ids, n, None)
}

fn open_with(engine: &mut MediaEngine, ids: &mut IdMaker, n: u32, keys: Option<SrtpKeys>) -> LegId {
    let leg = ids.leg(TenantId::DEFAULT);
    let codec = codec_of(n);
    engine.handle_command(MediaCommand::Open { leg, near: None }, Time::ZERO);
    assert_eq!(engine.poll_output(), Some(MediaOutput::OpenPort { leg }));
    engine.port_opened(leg, PortKey(n), phone(99), Time::ZERO);
    let params = StreamParams {
        remote: phone(n),
        rtcp_mux: false,
        codec,
        send_payload_type: codec.static_payload_type(),
        recv_payload_type: codec.static_payload_type(),
        dtmf: Some((101, 101)),
        dtmf_hz: codec.clock_hz(),
        opus: OpusParams::default(),
        ptime_ms: 20,
        direction: Direction::SendRecv,
    };
    engine.handle_command(
        MediaCommand::Configure { leg, params, keys: keys.map(Box::new), path: None },
        Time::ZERO,
    );
    leg
}

/// Legs 0 and 1 are bridged (with transcoding) and recorded, and so are 4 and 5; 2 hears music, 3 a tone and digits.
#[test]
fn relay_playback_and_recording_do_not_allocate_in_steady_state() {
    let mut engine = MediaEngine::new(MediaConfig::default(), [3; 32]);
    let mut ids = IdMaker::new(1, 0);
    let legs: Vec<LegId> = (0..LEGS).map(|n| open(&mut engine, &mut ids, n)).collect();
    let asset = AssetId::new(TenantId::DEFAULT, "music").unwrap();
    engine.load_asset(asset.clone(), Arc::new(Audio::from_pcm(&[1_000; 4_321])));
    for (a, b) in [(legs[0], legs[1]), (legs[4], legs[5])] {
        engine.handle_command(MediaCommand::Bridge { a, b }, Time::ZERO);
        let recording = ids.recording(TenantId::DEFAULT);
        let record = MediaCommand::Record { recording, left: a, right: Some(b) };
        engine.handle_command(record, Time::ZERO);
    }
    let items = [PlayItem::Asset(asset), PlayItem::Tone(Tone::RingBack, 60_000)];
    for (leg, item) in legs[2..4].iter().zip(items) {
        let play = MediaCommand::Play {
            leg: *leg,
            playback: ids.playback(TenantId::DEFAULT),
            items: vec![item],
            repeat: Repeat::Forever,
        };
        engine.handle_command(play, Time::ZERO);
    }
    let digits = MediaCommand::SendDigits { leg: legs[3], digits: "0123456789".repeat(6), length_ms: 500 };
    engine.handle_command(digits, Time::ZERO);
    let mut shell = Shell {
        engine,
        buf: [0; 2_048],
        out: [0; 2_000],
        relayed: 0,
        played: 0,
        reports: 0,
        recorded: 0,
        events: 0,
    };
    shell.second(0);
    let before = CALLS.get();
    assert!(before > 0, "the allocator counts: setting up did allocate");
    for second in 1..30 {
        shell.second(second * 1_000);
    }
    let calls = CALLS.get() - before;
    assert_eq!(calls, 0, "allocations and frees in 29 seconds of six legs");
    assert_eq!(shell.relayed, 2 * 50 * 30 + 2 * 2 * 30);
    assert!(shell.played > 2 * 50 * 29 - 400, "{}", shell.played);
    assert!(shell.recorded > 8_000 * 29, "{}", shell.recorded);
    assert!(shell.reports > 12 && shell.events > 60);
}

/// Six legs of three codecs in one mix, of which two are recorded, one hears music, one is muted and two hear the same.
#[test]
fn a_mix_with_keys_recording_and_music_does_not_allocate_in_steady_state() {
    let mut engine = MediaEngine::new(MediaConfig::default(), [3; 32]);
    let mut ids = IdMaker::new(1, 0);
    let legs: Vec<LegId> = (0..LEGS).map(|n| open(&mut engine, &mut ids, n)).collect();
    let rows = [0b11_1111, 0b11_1111, 0b11_1111, 0b00_0111, 0b00_0111, 0b00_0111];
    let members = legs.iter().zip(rows).enumerate();
    let members = members.map(|(n, (leg, hears))| MixMember { leg: *leg, hears, muted: n == 4 }).collect();
    let mix = ids.call(TenantId::DEFAULT);
    engine.handle_command(MediaCommand::Mix { mix, members, gain: true }, Time::ZERO);
    let recording = ids.recording(TenantId::DEFAULT);
    let record = MediaCommand::Record { recording, left: legs[0], right: Some(legs[1]) };
    engine.handle_command(record, Time::ZERO);
    let play = MediaCommand::Play {
        leg: legs[5],
        playback: ids.playback(TenantId::DEFAULT),
        items: vec![PlayItem::Tone(Tone::RingBack, 60_000)],
        repeat: Repeat::Forever,
    };
    engine.handle_command(play, Time::ZERO);
    let mut shell = Shell {
        engine,
        buf: [0; 2_048],
        out: [0; 2_000],
        relayed: 0,
        played: 0,
        reports: 0,
        recorded: 0,
        events: 0,
    };
    shell.second(0);
    let before = CALLS.get();
    for second in 1..30 {
        shell.second(second * 1_000);
    }
    let calls = CALLS.get() - before;
    assert_eq!(calls, 0, "allocations and frees in 29 seconds of six legs in a mix");
    assert_eq!(shell.relayed, 0);
    // keys take the place of the mix for a while
    assert!(shell.played > 6_500, "{}", shell.played);
    assert!(shell.recorded > 8_000 * 29 && shell.events > 60, "{} {}", shell.recorded, shell.events);
}

/// A plain leg joined to a secure one.
fn sealing(keys: SrtpKeys) -> MediaEngine {
    let mut engine = MediaEngine::new(MediaConfig::default(), [3; 32]);
    let mut ids = IdMaker::new(1, 0);
    let a = open(&mut engine, &mut ids, 0);
    let b = open_with(&mut engine, &mut ids, 2, Some(keys));
    engine.handle_command(MediaCommand::Bridge { a, b }, Time::ZERO);
    engine
}

/// From a plain phone through one switch, secured to another, and plain again.
#[test]
fn sealing_and_opening_do_not_allocate_in_any_suite() {
    for suite in SrtpSuite::ALL {
        let key = |seed| SrtpKey::new(suite, &vec![seed; suite.material_len()]).unwrap();
        let mut near = sealing(SrtpKeys { send: key(1), receive: key(2) });
        let mut far = sealing(SrtpKeys { send: key(2), receive: key(1) });
        let mut buf = [0; 2_048];
        let (mut passed, mut reports, mut before) = (0, 0, 0);
        for n in 0..70_000u32 {
            if n == 100 {
                before = CALLS.get();
            }
            let now = Time::from_millis(u64::from(n) * 20);
            let bytes = packet(0, n, None);
            buf[..172].copy_from_slice(&bytes);
            let sealed = near.handle_packet(PortKey(0), phone(0), &mut buf, 172, now);
            if let Verdict::Send { offset, len, .. } = sealed {
                assert!(len > 172);
                buf.copy_within(offset..offset + len, 0);
                let plain = far.handle_packet(PortKey(2), phone(2), &mut buf, len, now);
                if let Verdict::Send { offset, len, .. } = plain {
                    passed += u64::from(buf[offset + 12..offset + len] == bytes[12..]);
                }
            }
            near.handle_timeout(now);
            while let Some((_, _, len)) = near.poll_rtcp(&mut buf, now) {
                far.handle_rtcp(PortKey(2), phone(2), &mut buf[..len], now);
                reports += 1;
            }
            while near.poll_event().is_some() || far.poll_event().is_some() {}
        }
        assert_eq!(CALLS.get() - before, 0, "allocations and frees under {suite:?}");
        assert_eq!(passed, 70_000, "over a wrap of the sequence number under {suite:?}");
        assert!(reports > 400, "{reports}");
    }
}
