//! Whom the engine believes: learning, the lock, and what an injected stream comes to.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::tone::Goertzel;
use cordboard_media::{MediaConfig, PortKey};
use cordboard_model::media::{Codec, MediaEvent};
use core::net::SocketAddr;

fn forger() -> SocketAddr {
    "203.0.113.66:4000".parse().unwrap()
}

fn locked(world: &World) -> Vec<SocketAddr> {
    let from = world.events.iter().filter_map(|(_, event)| match event {
        MediaEvent::Locked { from, .. } => Some(*from),
        _ => None,
    });
    from.collect()
}

#[test]
fn both_directions_flow_from_the_first_packet_after_the_bridge() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let there = world.say(0, &Rtp::audio(8, 1, 1, 0x11)).unwrap();
    assert_eq!((there.leg, there.to), (1, phone(1)));
    let back = world.say(1, &Rtp::audio(8, 2, 1, 0x22)).unwrap();
    assert_eq!((back.leg, back.to), (0, phone(0)));
    assert_eq!(back.payload(), [0x22; 160]);
}

#[test]
fn an_injected_stream_is_not_relayed_not_recorded_and_presses_no_keys() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let recording = world.record(0, 1);
    for n in 0..50 {
        world.say(0, &Rtp::audio(8, 1, n, 0xd5));
        // The same SSRC and fitting numbers, as one who sees the stream would make them.
        if n >= 3 {
            let loud = Rtp::audio(8, 1, n, 0xaa).bytes();
            assert_eq!(world.give(0, forger(), &loud), None);
            let key = Rtp::event(1, n as u16, n * 160, 5, false, 160).bytes();
            assert_eq!(world.give(0, forger(), &key), None);
        }
        world.run(20);
    }
    let stop = cordboard_model::media::MediaCommand::StopRecord { recording };
    world.command(stop);
    assert_eq!(world.stats(0).foreign, 94);
    assert_eq!(world.digits(0), "");
    assert!(world.sent_by(1).iter().all(|s| s.payload() == [0xd5; 160]));
    assert!(world.recorded[&recording].iter().all(|pair| pair[0].abs() <= 8));
    assert_eq!(locked(&world), [phone(0)]);
}

#[test]
fn a_forger_who_speaks_from_the_start_does_not_take_the_leg_from_its_phone() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    world.say(0, &Rtp::audio(8, 1, 0, 0xd5));
    for n in 0..200 {
        assert_eq!(world.give(0, forger(), &Rtp::audio(8, 7, n, 0xaa).bytes()), None);
    }
    for n in 1..4 {
        assert!(world.say(0, &Rtp::audio(8, 1, n, 0xd5)).is_some());
    }
    assert_eq!(locked(&world), [phone(0)]);
}

#[test]
fn a_phone_behind_a_nat_is_learnt_and_answered_there() {
    let nat: SocketAddr = "198.51.100.7:31000".parse().unwrap();
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    let before = world.say(1, &Rtp::audio(8, 2, 0, 0)).unwrap();
    assert_eq!(before.to, phone(0));
    for n in 0..2 {
        assert_eq!(world.give(0, nat, &Rtp::audio(8, 1, n, 0).bytes()), None);
    }
    assert!(world.give(0, nat, &Rtp::audio(8, 1, 2, 0).bytes()).is_some());
    assert_eq!(locked(&world), [nat]);
    let after = world.say(1, &Rtp::audio(8, 2, 1, 0)).unwrap();
    assert_eq!(after.to, nat);
    assert_eq!(
        world.say(0, &Rtp::audio(8, 1, 3, 0)),
        None,
        "one packet is no proof, even of the negotiated address"
    );
    assert_eq!(world.give(0, forger(), &Rtp::audio(8, 1, 4, 0).bytes()), None);
    assert_eq!(world.stats(0).foreign, 1);
}

#[test]
fn packets_each_from_another_address_are_nobodys_and_are_counted_where_nobody_was_heard() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..60 {
        let from = SocketAddr::from(([198, 51, 100, 7], 31_000 + n));
        assert_eq!(world.give(0, from, &Rtp::audio(8, 1, u32::from(n), 0).bytes()), None);
        world.run(20);
    }
    assert_eq!((world.stats(0).received, world.stats(0).foreign), (0, 60));
    // Once the party is heard, those were only before it.
    for n in 60..63 {
        world.say(0, &Rtp::audio(8, 1, n, 0));
    }
    assert_eq!(world.stats(0).foreign, 0);
}

#[test]
fn a_forger_who_was_there_first_loses_the_leg_when_its_phone_speaks() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..10 {
        world.give(0, forger(), &Rtp::audio(8, 7, n, 0xaa).bytes());
    }
    assert_eq!(world.say(1, &Rtp::audio(8, 2, 0, 0)).unwrap().to, forger());
    let heard = (0..4).filter(|n| world.say(0, &Rtp::audio(8, 1, *n, 0xd5)).is_some()).count();
    assert_eq!(heard, 2, "the third packet takes it back");
    assert_eq!(world.say(1, &Rtp::audio(8, 2, 1, 0)).unwrap().to, phone(0));
    assert_eq!(world.give(0, forger(), &Rtp::audio(8, 7, 10, 0xaa).bytes()), None);
    assert_eq!(locked(&world), [forger(), phone(0)]);
}

#[test]
fn a_new_remote_unlocks_and_the_same_one_does_not() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..3 {
        world.say(0, &Rtp::audio(8, 1, n, 0));
    }
    world.configure(0, params(0, Codec::Pcma));
    assert_eq!(world.give(0, forger(), &Rtp::audio(8, 1, 3, 0).bytes()), None);
    assert_eq!(world.stats(0).foreign, 1);

    let mut moved = params(0, Codec::Pcma);
    moved.remote = phone(9);
    world.configure(0, moved);
    assert_eq!(world.say(1, &Rtp::audio(8, 2, 0, 0)).unwrap().to, phone(9));
    for n in 4..7 {
        assert!(world.give(0, phone(9), &Rtp::audio(8, 5, n, 0).bytes()).is_some());
    }
    assert_eq!(locked(&world), [phone(0), phone(9)]);
}

#[test]
fn a_change_of_source_keeps_our_stream_whole() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..10 {
        world.say(0, &Rtp::audio(8, 1, 100 + n, 0));
        world.run(20);
    }
    for n in 0..10 {
        world.say(0, &Rtp::audio(8, 2, 50_000 + n, 0));
        world.run(20);
    }
    let sent = world.sent_by(1);
    assert_eq!(sent.len(), 20);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        assert_eq!(pair[1].timestamp(), pair[0].timestamp().wrapping_add(160));
        assert_eq!(pair[1].ssrc(), pair[0].ssrc());
    }
    assert!(sent[10].marker());
    assert_eq!(world.stats(0).lost, 0);
}

#[test]
fn nothing_is_believed_before_it_was_negotiated() {
    let mut world = World::new(MediaConfig::default());
    world.open_bare();
    for n in 0..5 {
        assert_eq!(world.say(0, &Rtp::audio(8, 1, n, 0)), None);
    }
    assert_eq!(world.stats(0), Default::default());
    assert_eq!(world.give(77, phone(0), &Rtp::audio(8, 1, 9, 0).bytes()), None);
    assert_eq!(world.engine.counters().unknown_port, 1);
    let far = PortKey(u32::MAX);
    world.engine.handle_rtcp(far, phone(0), &mut [0; 8], world.now);
    assert_eq!(world.engine.counters().unknown_port, 2);
}

#[test]
fn what_is_no_rtp_or_of_an_unknown_type_is_malformed() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    world.say(0, &Rtp::audio(0, 1, 0, 0));
    world.say(0, &Rtp::audio(19, 1, 1, 0));
    world.give(0, phone(0), b"hello");
    world.give(0, phone(0), b"");
    let mut long = Rtp::audio(8, 1, 2, 0);
    long.payload = vec![0; 1_601];
    world.say(0, &long);
    assert_eq!(world.stats(0).malformed, 5);
    assert_eq!(world.stats(0).received, 0);
}

#[test]
fn the_codes_are_translated_between_the_laws() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let mut tone = Rtp::audio(0, 1, 0, 0);
    let codes = crate::harness::sine_codes(Codec::Pcmu, 440, 8_000);
    for (n, frame) in (0..).zip(codes.chunks(160)) {
        tone.sequence = n;
        tone.timestamp = u32::from(n) * 160;
        tone.payload = frame.to_vec();
        world.say(0, &tone);
    }
    let heard = crate::harness::heard(&world.sent_by(1), Codec::Pcma);
    assert_eq!(heard.len(), 8_000);
    assert!(Goertzel::share(&heard, 440.0) > 0.99);
    let power = Goertzel::power_of(&heard, 440.0);
    assert!((power / 32_000_000.0 - 1.0).abs() < 0.05, "0.2 dB: {power}");
}
