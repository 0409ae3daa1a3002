//! Six legs for half a minute, and every suite of secure RTP.

use crate::counting::calls;
use crate::rig::{LEGS, Shell, open, open_with, packet, phone};
use cordboard_media::{Audio, MediaConfig, MediaEngine, PortKey, Verdict};
use cordboard_model::id::{AssetId, IdMaker, LegId, TenantId};
use cordboard_model::media::{MediaCommand, MixMember, PlayItem, Repeat, Tone};
use cordboard_model::srtp::{SrtpKey, SrtpKeys, SrtpSuite};
use cordboard_model::time::Time;
use std::sync::Arc;

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
    let mut shell = Shell::new(engine);
    shell.second(0);
    let before = calls();
    assert!(before > 0, "the allocator counts: setting up did allocate");
    for second in 1..30 {
        shell.second(second * 1_000);
    }
    assert_eq!(calls() - before, 0, "allocations and frees in 29 seconds of six legs");
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
    let mut shell = Shell::new(engine);
    shell.second(0);
    let before = calls();
    for second in 1..30 {
        shell.second(second * 1_000);
    }
    assert_eq!(calls() - before, 0, "allocations and frees in 29 seconds of six legs in a mix");
    assert_eq!(shell.relayed, 0);
    // keys take the place of the mix for a while
    assert!(shell.played > 6_500, "{}", shell.played);
    assert!(shell.recorded > 8_000 * 29 && shell.events > 60, "{} {}", shell.recorded, shell.events);
}

/// Legs 0 and 1, of different codecs, are programs': pieces out and audio in, and keys between.
#[test]
fn a_program_that_hears_and_speaks_does_not_allocate_in_steady_state() {
    let mut engine = MediaEngine::new(MediaConfig::default(), [3; 32]);
    let mut ids = IdMaker::new(1, 0);
    let legs: Vec<LegId> = (0..LEGS).map(|n| open(&mut engine, &mut ids, n)).collect();
    let streams = [ids.stream(TenantId::DEFAULT), ids.stream(TenantId::DEFAULT)];
    for (leg, stream) in legs.iter().zip(streams) {
        engine.handle_command(MediaCommand::Live { leg: *leg, stream }, Time::ZERO);
    }
    let mut shell = Shell::new(engine);
    let (mut before, mut pieces) = (0, 0);
    for second in 0..30 {
        if second == 2 {
            (before, pieces) = (calls(), 0);
        }
        for (leg, stream) in legs.iter().zip(streams) {
            assert_eq!(shell.engine.feed_live(*leg, stream, second * 4_000, &[0x21; 4_000]), 4_000);
        }
        shell.second(second * 1_000);
        // ten of each wait: the others were dropped
        while shell.engine.poll_live().is_some() {
            pieces += 1;
        }
        shell.engine.clear_live(legs[0], streams[0], (second + 1) * 4_000);
    }
    assert_eq!(calls() - before, 0, "allocations and frees in 28 seconds of two programs");
    assert!(pieces >= 28 * 20, "{pieces}");
    assert!(shell.played > 2 * 50 * 29, "{}", shell.played);
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
                before = calls();
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
        assert_eq!(calls() - before, 0, "allocations and frees under {suite:?}");
        assert_eq!(passed, 70_000, "over a wrap of the sequence number under {suite:?}");
        assert!(reports > 400, "{reports}");
    }
}
