//! Legs from opening to closing: every command has its answer, and nothing is left.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::{MediaConfig, MediaEngine, MediaOutput, PortKey};
use cordboard_model::id::{AssetId, IdMaker, TenantId};
use cordboard_model::media::{Codec, Direction, MediaCommand, MediaEvent, OpenError, PlayItem, Repeat, Tone};
use cordboard_model::time::Time;

#[test]
fn close_frees_the_port_ends_the_playback_and_gives_the_figures() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in [0, 1, 2, 4] {
        world.say(0, &Rtp::audio(8, 1, n, 0));
    }
    let playback = world.play(0, vec![PlayItem::Tone(Tone::Busy, 10_000)], Repeat::Once);
    world.run(100);
    world.events.clear();
    let leg = world.legs[0];
    world.command(MediaCommand::Close { leg });
    let [(_, done), (_, closed)] = &world.events[..] else {
        panic!("{:?}", world.events);
    };
    let finished = false;
    assert_eq!(*done, MediaEvent::PlayDone { leg, playback, finished });
    let MediaEvent::Closed { leg: gone, stats } = closed else {
        panic!("{closed:?}");
    };
    assert_eq!((*gone, stats.received, stats.lost, stats.sent), (leg, 4, 1, 5));
    assert_eq!(world.closed_ports, [PortKey(0)]);
    assert_eq!(world.say(1, &Rtp::audio(8, 2, 0, 0)), None, "the partner hears nobody");
    let leg = world.legs[1];
    world.command(MediaCommand::Close { leg });
    world.command(MediaCommand::Close { leg });
    assert_eq!(world.engine.counters().commands_ignored, 1);
    assert_eq!(world.engine.legs(), 0);
    assert_eq!(world.engine.poll_timeout(), None);
}

/// A leg that stays while its users change: what one has begun is over for the next, and each has figures of his own.
#[test]
fn a_vacated_leg_keeps_its_party_and_nothing_of_who_used_it() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    world.open(params(2, Codec::Pcma));
    let recording = world.record(0, 1);
    for n in [0, 1, 2, 4] {
        world.say(0, &Rtp::audio(8, 1, n, 0));
    }
    world.play(0, vec![PlayItem::Tone(Tone::Busy, 10_000)], Repeat::Once);
    let leg = world.legs[0];
    world.command(MediaCommand::Secret { leg, on: true });
    world.run(100);
    world.events.clear();
    world.command(MediaCommand::Vacate { leg });
    let told = |world: &World| {
        let of = |(_, event): &_| match event {
            MediaEvent::Vacated { leg: gone, stats } if *gone == leg => Some(*stats),
            _ => None,
        };
        world.events.iter().rev().find_map(of)
    };
    let stats = told(&world).expect("its figures");
    assert_eq!((stats.received, stats.lost, stats.gaps, stats.sent), (4, 1, 1, 5));
    assert_eq!(world.play_done().len(), 1);
    assert!(world.closed_ports.is_empty() && world.engine.recordings() == 1, "{recording} has the other one");
    assert_eq!(world.say(1, &Rtp::audio(8, 2, 0, 0)), None, "he is joined with nobody");
    world.run(1_000);
    world.bridge(0, 2);
    for n in 60..63 {
        assert_eq!(world.say(0, &Rtp::audio(8, 1, n, 0)).map(|sent| sent.leg), Some(2));
    }
    world.command(MediaCommand::Vacate { leg });
    let second = told(&world).expect("those of the second");
    assert_eq!((second.received, second.sent), (3, 0));
    world.command(MediaCommand::Close { leg });
    let Some((_, MediaEvent::Closed { stats, .. })) = world.events.last() else {
        panic!("{:?}", world.events)
    };
    assert_eq!((stats.received, stats.lost), (0, 0));
}

#[test]
fn every_end_of_an_opening_is_told() {
    let mut engine = MediaEngine::new(MediaConfig { legs_max: 3, ..Default::default() }, [0; 32]);
    let mut ids = IdMaker::new(1, 0);
    let legs: Vec<_> = (0..4).map(|_| ids.leg(TenantId::DEFAULT)).collect();
    let now = Time::from_millis(1);
    for leg in &legs {
        engine.handle_command(MediaCommand::Open { leg: *leg, near: None }, now);
    }
    let outputs: Vec<_> = std::iter::from_fn(|| engine.poll_output()).collect();
    let opening = |n: usize| MediaOutput::OpenPort { leg: legs[n] };
    assert_eq!(outputs, [opening(0), opening(1), opening(2)]);
    engine.handle_command(MediaCommand::Close { leg: legs[1] }, now);
    engine.handle_command(MediaCommand::Close { leg: legs[2] }, now);
    engine.port_failed(legs[0], OpenError::RangeExhausted, now);
    engine.port_opened(legs[1], PortKey(5), phone(0), now);
    engine.port_failed(legs[2], OpenError::BindFailed, now);
    let late = ids.leg(TenantId::DEFAULT);
    engine.port_opened(late, PortKey(6), phone(0), now);
    let events: Vec<_> = std::iter::from_fn(|| engine.poll_event()).collect();
    let stats = Default::default();
    let failed = |leg, why| MediaEvent::OpenFailed { leg, why };
    assert_eq!(
        events,
        [
            failed(legs[3], OpenError::Overloaded),
            failed(legs[0], OpenError::RangeExhausted),
            MediaEvent::Closed { leg: legs[1], stats },
            MediaEvent::Closed { leg: legs[2], stats },
        ]
    );
    let outputs: Vec<_> = std::iter::from_fn(|| engine.poll_output()).collect();
    assert_eq!(outputs, [5, 6].map(|key| MediaOutput::ClosePort(PortKey(key))));
    assert_eq!(engine.legs(), 0);
}

#[test]
fn a_key_out_of_range_is_given_back() {
    let mut engine = MediaEngine::new(MediaConfig::default(), [0; 32]);
    let leg = IdMaker::new(1, 0).leg(TenantId::DEFAULT);
    engine.handle_command(MediaCommand::Open { leg, near: None }, Time::ZERO);
    engine.poll_output();
    engine.port_opened(leg, PortKey(u32::MAX), phone(0), Time::ZERO);
    let why = OpenError::Overloaded;
    assert_eq!(engine.poll_event(), Some(MediaEvent::OpenFailed { leg, why }));
    assert_eq!(engine.poll_output(), Some(MediaOutput::ClosePort(PortKey(u32::MAX))));
}

#[test]
fn a_third_leg_parts_the_pair_and_unbridge_parts_for_good() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    world.open(params(2, Codec::Pcma));
    world.bridge(2, 0);
    assert_eq!(world.say(0, &Rtp::audio(8, 1, 0, 0)).map(|s| s.leg), Some(2));
    assert_eq!(world.say(1, &Rtp::audio(8, 2, 0, 0)), None);
    let leg = world.legs[0];
    world.command(MediaCommand::Unbridge { leg });
    assert_eq!(world.say(0, &Rtp::audio(8, 1, 1, 0)), None);
    assert_eq!(world.say(2, &Rtp::audio(8, 3, 0, 0)), None);
}

#[test]
fn the_bridge_survives_hold_and_a_new_codec_in_one_stream() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let mut n = 0;
    let mut talk = |world: &mut World, payload_type| {
        let mut heard = 0;
        for _ in 0..10 {
            heard += usize::from(world.say(0, &Rtp::audio(payload_type, 1, n, 0xd5)).is_some());
            n += 1;
            world.run(20);
        }
        heard
    };
    assert_eq!(talk(&mut world, 8), 10);
    let mut held = params(1, Codec::Pcma);
    held.direction = Direction::Inactive;
    world.configure(1, held);
    assert_eq!(talk(&mut world, 8), 0);
    world.configure(1, params(1, Codec::Pcmu));
    assert_eq!(talk(&mut world, 8), 10);
    world.configure(0, params(0, Codec::Pcmu));
    assert_eq!(talk(&mut world, 0), 10);
    let sent = world.sent_by(1);
    assert_eq!(sent.len(), 30);
    for (n, pair) in sent.windows(2).enumerate() {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        let step = pair[1].timestamp().wrapping_sub(pair[0].timestamp());
        assert_eq!(step, if n == 9 { 11 * 160 } else { 160 }, "the hold took 200 ms");
    }
    assert_eq!(sent[29].payload_type(), 0);
    assert_eq!(sent[29].payload(), [0xd5; 160], "mu-law of the sender, as it came");
}

#[test]
fn header_extensions_and_padding_go_no_further() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let mut packet = vec![0xb2, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9];
    packet.extend(b"CSR1CSR2\xbe\xde\0\x01EXT1");
    packet.extend([0x55; 80]);
    packet.extend([0, 0, 0, 4]);
    let sent = world.give(0, phone(0), &packet).unwrap();
    assert_eq!(sent.bytes[0], 0x80);
    assert_eq!(sent.payload(), [0x55; 80]);
}

#[test]
fn assets_belong_to_their_tenant_and_outlive_their_name_while_they_play() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcma));
    let item = world.asset("music", &[8_000; 16_000]);
    let other = AssetId::new(TenantId::new("acme").unwrap(), "music").unwrap();
    let audio = std::sync::Arc::new(cordboard_media::Audio::from_pcm(&[1]));
    assert!(world.engine.load_asset(other.clone(), audio.clone()).is_none());
    assert!(world.engine.load_asset(other.clone(), audio).is_some(), "the old one comes back");
    world.play(0, vec![item.clone()], Repeat::Once);
    assert_eq!(world.engine.drop_assets(TenantId::DEFAULT).len(), 1);
    assert!(world.engine.has_asset(&other));
    world.run(3_000);
    assert_eq!(world.sent_by(0).len(), 100);
    let gone = world.play(0, vec![item], Repeat::Once);
    assert_eq!(world.play_done().last().map(|d| (d.1, d.2)), Some((gone, false)));
    assert!(world.engine.drop_asset(&other).is_some());
}

#[test]
fn news_is_dropped_when_nobody_polls_and_ends_are_not() {
    let mut world = World::new(MediaConfig { events_max: 4, ..Default::default() });
    world.open(params(0, Codec::Pcma));
    let mut buf = Vec::new();
    for n in 0..20u16 {
        buf.clear();
        buf.extend(Rtp::event(1, n, u32::from(n) * 2_000, 5, false, 160).bytes());
        world.engine.handle_packet(PortKey(0), phone(0), &mut buf, 16, world.now);
    }
    let leg = world.legs[0];
    world.engine.handle_command(MediaCommand::Close { leg }, world.now);
    world.events.clear();
    world.drain();
    assert_eq!(world.events.len(), 5);
    assert!(matches!(world.events[4].1, MediaEvent::Closed { .. }));
    assert_eq!(world.engine.counters().events_dropped, 17, "of 20 digits and a lock, four");
}

#[test]
fn a_leg_is_small() {
    let size = MediaEngine::leg_size();
    println!("a leg takes {size} bytes of the slab; a recording of two legs 16 KB more while it is on");
    assert!(size <= 1_536, "{size}: two legs are to stay a small part of a call's 35 KB");
}
