//! RFC 4733 digits: received whatever is lost, forwarded, sent; and the captures of real senders.

use crate::corpus;
use crate::harness::{Rtp, World, params, phone};
use cordboard_media::MediaConfig;
use cordboard_model::media::{Codec, DtmfKind, MediaCommand, MediaEvent};

/// One press as a phone sends it: seven updates, then the end three times.
fn press(sequence: u16, timestamp: u32, code: u8) -> Vec<Rtp> {
    (0..10u16)
        .map(|n| {
            let duration = 160 * (n + 1).min(8);
            let mut packet = Rtp::event(9, sequence + n, timestamp, code, n >= 7, duration);
            packet.marker = n == 0;
            packet
        })
        .collect()
}

fn speaking() -> World {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..3 {
        world.say(0, &Rtp::audio(8, 9, n, 0));
        world.run(20);
    }
    world
}

#[test]
fn two_presses_are_two_digits_with_any_two_ends_of_each_lost() {
    let pairs = [(7, 8), (7, 9), (8, 9)];
    for first in pairs {
        for second in pairs {
            for lose_marker in [false, true] {
                let mut world = speaking();
                let presses = [(press(3, 480, 5), first), (press(13, 2_400, 5), second)];
                for (packets, lost) in presses {
                    for (n, packet) in packets.iter().enumerate() {
                        if n != lost.0 && n != lost.1 && !(lose_marker && n == 0) {
                            world.say(0, packet);
                        }
                        world.run(20);
                    }
                }
                assert_eq!(world.digits(0), "55", "lost {first:?} {second:?} {lose_marker}");
            }
        }
    }
}

#[test]
fn every_key_has_its_digit_and_flash_has_none() {
    let mut world = speaking();
    for code in 0..=16 {
        let at = u16::from(code) * 10;
        for packet in press(3 + at, 480 + u32::from(at) * 160, code) {
            world.say(0, &packet);
        }
    }
    assert_eq!(world.digits(0), "0123456789*#ABCD");
}

#[test]
fn a_press_crosses_the_bridge_with_the_other_sides_payload_type_and_one_timestamp() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcma));
    let mut other = params(1, Codec::Pcmu);
    other.dtmf = Some((96, 97));
    world.open(other);
    world.bridge(0, 1);
    for n in 0..3 {
        world.say(0, &Rtp::audio(8, 9, n, 0xd5));
        world.run(20);
    }
    for packet in press(3, 480, 11) {
        let sent = world.say(0, &packet).unwrap();
        assert_eq!(sent.payload_type(), 96);
        assert_eq!(sent.marker(), packet.marker);
        assert_eq!(sent.payload(), packet.payload);
        world.run(20);
    }
    world.say(0, &Rtp::audio(8, 9, 13, 0xd5));
    let sent = world.sent_by(1);
    let base = sent[0].timestamp();
    let timestamps: Vec<u32> = sent.iter().map(|s| s.timestamp().wrapping_sub(base)).collect();
    assert_eq!(timestamps[..4], [0, 160, 320, 480]);
    assert!(timestamps[3..13].iter().all(|t| *t == 480));
    assert_eq!(timestamps[13], 13 * 160);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
    }
}

/// The keys in what a leg was sent, as an engine hears them that has them as tones.
fn keys_in(sent: &[&crate::harness::Sent], codec: Codec) -> String {
    let mut reader = World::new(MediaConfig::default());
    let mut tones = params(0, codec);
    tones.dtmf = None;
    reader.open(tones);
    for packet in sent {
        reader.give(0, phone(0), &packet.bytes);
    }
    reader.digits(0)
}

#[test]
fn a_press_is_tones_to_who_has_no_events_and_leaves_no_gap() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcma));
    let mut other = params(1, Codec::Pcma);
    other.dtmf = None;
    world.open(other);
    world.bridge(0, 1);
    world.say(0, &Rtp::audio(8, 9, 2, 0xd5));
    for packet in press(3, 480, 11) {
        assert_eq!(world.say(0, &packet), None);
        world.run(20);
    }
    world.say(0, &Rtp::audio(8, 9, 13, 0xd5));
    assert_eq!(world.digits(0), "#");
    let sent = world.sent_by(1);
    assert_eq!(sent.len(), 10, "eight of 160 ms between two that are relayed");
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1));
        assert!(pair[1].timestamp().wrapping_sub(pair[0].timestamp()) < 1_600);
    }
    assert_eq!(keys_in(&sent, Codec::Pcma), "#");
}

/// Leg 0 has keys as tones, leg 1 as `kind` says; leg 0 presses 4 for 100 ms and speaks before and after.
fn toned(kind: DtmfKind, codec: Codec) -> World {
    let mut world = World::new(MediaConfig::default());
    let mut first = params(0, codec);
    first.dtmf = None;
    world.open(first);
    let mut second = params(1, Codec::Pcma);
    second.dtmf = second.dtmf.filter(|_| kind == DtmfKind::Rfc4733);
    world.open(second);
    for (n, kind) in [DtmfKind::Inband, kind].into_iter().enumerate() {
        let leg = world.legs[n];
        world.command(MediaCommand::Dtmf { leg, kind });
    }
    world.bridge(0, 1);
    let mut pcm = vec![0i16; 800];
    let mut tones = [770, 1_209].map(|hertz| cordboard_media::tone::Sine::new(hertz, 8_000));
    pcm.extend((0..800).map(|_| tones.iter_mut().map(|tone| tone.sample()).sum::<i16>()));
    pcm.extend([0; 1_600]);
    let mut codes = vec![0; pcm.len()];
    cordboard_media::codec::Encoder::new(codec).encode(&pcm, &mut codes);
    for (n, payload) in codes.chunks(160).enumerate() {
        let mut packet = Rtp::audio(codec.static_payload_type(), 9, n as u32, 0);
        packet.payload = payload.to_vec();
        world.say(0, &packet);
        world.run(20);
    }
    world
}

#[test]
fn tones_are_one_key_to_the_shard_and_to_the_other_party_in_its_own_way() {
    for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722] {
        let world = toned(DtmfKind::Info, codec);
        assert_eq!((world.digits(0).as_str(), due(&world, 1).as_str()), ("4", "4"), "{codec:?}");
        let world = toned(DtmfKind::Rfc4733, codec);
        let mut reader = World::bridged(Codec::Pcma, Codec::Pcma);
        for packet in world.sent_by(1) {
            reader.give(0, phone(0), &packet.bytes);
        }
        assert_eq!((world.digits(0).as_str(), reader.digits(0).as_str()), ("4", "4"), "{codec:?}");
        let world = toned(DtmfKind::Inband, codec);
        assert_eq!(keys_in(&world.sent_by(1), Codec::Pcma), "4", "the tones themselves: {codec:?}");
        assert_eq!((world.digits(0).as_str(), due(&world, 1).as_str()), ("4", ""), "{codec:?}");
    }
}

#[test]
fn who_gets_a_key_as_an_event_does_not_hear_its_tones_as_well() {
    let world = toned(DtmfKind::Rfc4733, Codec::Pcma);
    let sent = world.sent_by(1);
    assert_eq!(keys_in(&sent, Codec::Pcma), "");
    let tone = crate::harness::heard(&sent, Codec::Pcma);
    let loud = tone.iter().filter(|sample| sample.unsigned_abs() > 1_000).count();
    assert!(loud < 40 * 8, "{loud} samples of tones before the key was known");
}

#[test]
fn keys_between_which_nothing_is_sent_are_two() {
    let mut world = World::new(MediaConfig::default());
    let mut first = params(0, Codec::Pcma);
    first.dtmf = None;
    world.open(first);
    let mut tones = [770, 1_209].map(|hertz| cordboard_media::tone::Sine::new(hertz, 8_000));
    let mut number = 0;
    for pause in [20, 20] {
        for _ in 0..4 {
            let pcm: Vec<i16> = (0..160).map(|_| tones.iter_mut().map(|t| t.sample()).sum()).collect();
            let mut packet = Rtp::audio(8, 9, number, 0);
            cordboard_media::codec::Encoder::new(Codec::Pcma).encode(&pcm, &mut packet.payload);
            packet.sequence = (number / 24 * 4 + number % 24) as u16;
            world.say(0, &packet);
            world.run(20);
            number += 1;
        }
        number += pause;
        world.run(400);
    }
    assert_eq!(world.digits(0), "44");
}

#[test]
fn sent_digits_have_three_ends_a_marker_and_fit_into_the_stream() {
    let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
    for n in 0..40 {
        if n == 10 {
            let leg = world.legs[1];
            let digits = "7#".into();
            world.command(MediaCommand::SendDigits { leg, digits, length_ms: 100 });
        }
        world.say(0, &Rtp::audio(8, 9, n, 0xd5));
        world.run(20);
    }
    let sent = world.sent_by(1);
    let mut events: Vec<Vec<&crate::harness::Sent>> = Vec::new();
    for packet in sent.iter().filter(|s| s.payload_type() == 101) {
        match events.last_mut() {
            Some(event) if event[0].timestamp() == packet.timestamp() => event.push(packet),
            _ => events.push(vec![packet]),
        }
    }
    assert_eq!(events.len(), 2);
    for (event, code) in events.iter().zip([7, 11]) {
        assert_eq!(event.len(), 7, "five updates, the last of which ends, and two more ends");
        assert!(event.iter().all(|p| p.payload()[0] == code));
        let ends: Vec<bool> = event.iter().map(|p| p.payload()[1] & 0x80 != 0).collect();
        assert_eq!(ends, [false, false, false, false, true, true, true]);
        assert_eq!(event[6].payload()[2..], 800u16.to_be_bytes());
        let marked: Vec<bool> = event.iter().map(|p| p.marker()).collect();
        assert_eq!(marked.iter().filter(|m| **m).count(), 1);
        assert!(marked[0]);
    }
    let (mut last, mut number) = (sent[0].timestamp(), sent[0].sequence());
    for packet in &sent[1..] {
        assert!(packet.timestamp().wrapping_sub(last) < 80_000, "never back");
        assert_eq!(packet.sequence(), number.wrapping_add(1));
        (last, number) = (packet.timestamp(), packet.sequence());
    }
    let audio = sent.iter().filter(|s| s.payload_type() == 8).count();
    assert!(audio >= 20, "the bridge goes on afterwards: {audio}");
    // What one engine sends another one reads.
    let mut reader = World::bridged(Codec::Pcma, Codec::Pcma);
    for packet in sent {
        reader.give(0, phone(0), &packet.bytes);
    }
    assert_eq!(reader.digits(0), "7#");
}

/// Two joined legs; leg 1 takes keys by signalling.
fn beside_info() -> World {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcma));
    let mut other = params(1, Codec::Pcma);
    other.dtmf = None;
    world.open(other);
    let leg = world.legs[1];
    world.command(MediaCommand::Dtmf { leg, kind: DtmfKind::Info });
    world.bridge(0, 1);
    for n in 0..3 {
        world.say(0, &Rtp::audio(8, 9, n, 0xd5));
        world.say(1, &Rtp::audio(8, 5, n, 0xd5));
        world.run(20);
    }
    world
}

/// The keys that are due by signalling at a leg.
fn due(world: &World, leg: usize) -> String {
    let of_leg = world.events.iter().filter_map(|(_, event)| match event {
        MediaEvent::DigitDue { leg: at, digit, .. } if *at == world.legs[leg] => Some(*digit),
        _ => None,
    });
    of_leg.collect()
}

#[test]
fn an_event_is_due_once_by_signalling_at_who_has_no_events_and_no_packet_of_it_passes() {
    let mut world = beside_info();
    for (n, code) in [4, 4, 11].into_iter().enumerate() {
        let at = n as u16 * 13;
        for packet in press(3 + at, 480 + u32::from(at) * 160, code) {
            assert_eq!(world.say(0, &packet), None);
            world.run(20);
        }
        world.run(60);
    }
    assert_eq!((due(&world, 1).as_str(), due(&world, 0).as_str()), ("44#", ""));
    assert_eq!(world.digits(0), "44#");
}

#[test]
fn a_key_told_by_signalling_is_events_to_who_has_them() {
    let mut world = beside_info();
    let leg = world.legs[1];
    for digit in ['5', 'D'] {
        world.command(MediaCommand::Pressed { leg, digit });
    }
    world.run(1_000);
    let mut reader = World::bridged(Codec::Pcma, Codec::Pcma);
    for packet in world.sent_by(0) {
        reader.give(0, phone(0), &packet.bytes);
    }
    assert_eq!(reader.digits(0), "5D");
    assert_eq!(due(&world, 0), "", "who has events gets events");
    assert_eq!(world.digits(1), "5D");
}

#[test]
fn keys_to_send_are_due_by_signalling_too_and_none_to_who_hears_a_prompt_or_is_alone() {
    let mut world = beside_info();
    let leg = world.legs[1];
    world.command(MediaCommand::SendDigits { leg, digits: "1*x".into(), length_ms: 200 });
    assert_eq!(due(&world, 1), "1*");
    assert_eq!(world.engine.counters().digits_refused, 1);
    let prompt = world.asset("prompt", &[0; 8_000]);
    let playback = world.play(1, vec![prompt], cordboard_model::media::Repeat::Once);
    let presser = world.legs[0];
    world.command(MediaCommand::Pressed { leg: presser, digit: '2' });
    world.command(MediaCommand::StopPlay { leg, playback });
    world.command(MediaCommand::Pressed { leg: presser, digit: '3' });
    world.command(MediaCommand::Unbridge { leg });
    world.command(MediaCommand::Pressed { leg: presser, digit: '4' });
    assert_eq!(due(&world, 1), "1*3");
}

#[test]
fn a_press_told_by_event_and_by_signalling_is_one_whichever_comes_first() {
    for info_first in [false, true] {
        let mut world = speaking();
        let leg = world.legs[0];
        for (n, packet) in press(3, 480, 5).iter().enumerate() {
            if n == if info_first { 0 } else { 5 } {
                world.command(MediaCommand::Pressed { leg, digit: '5' });
            }
            world.say(0, packet);
            world.run(20);
        }
        world.run(300);
        for packet in press(13, 5_000, 5) {
            world.say(0, &packet);
            world.run(20);
        }
        assert_eq!(world.digits(0), "55", "info first: {info_first}");
        let mut reader = World::bridged(Codec::Pcma, Codec::Pcma);
        for packet in world.sent_by(1) {
            reader.give(0, phone(0), &packet.bytes);
        }
        assert_eq!(reader.digits(0), "55", "info first: {info_first}");
    }
}

#[test]
fn digits_to_who_cannot_take_them_are_refused_and_counted() {
    let mut world = World::new(MediaConfig::default());
    let mut without = params(0, Codec::Pcma);
    without.dtmf = None;
    world.open(without);
    world.open_bare();
    world.open(params(2, Codec::Pcma));
    for (leg, digits) in [(0, "1y"), (1, "3"), (2, "4x5")] {
        let leg = world.legs[leg];
        world.command(MediaCommand::SendDigits { leg, digits: digits.into(), length_ms: 40 });
    }
    world.run(2_000);
    assert_eq!(world.engine.counters().digits_refused, 3);
    assert!(world.sent_by(1).is_empty());
    assert_eq!(keys_in(&world.sent_by(0), Codec::Pcma), "1", "tones where no events are agreed on");
    assert_eq!(world.sent_by(2).len(), 8);
}

#[test]
fn each_capture_of_a_digit_is_one_digit() {
    let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "star", "pound"];
    for (name, digit) in names.iter().zip("0123456789*#".chars()) {
        let Some(bytes) = corpus::file(&format!("dtmf-pcap/dtmf_2833_{name}.pcap")) else {
            return;
        };
        let packets = corpus::pcap(&bytes);
        assert_eq!(packets.len(), 10, "{name}");
        let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
        for packet in &packets {
            world.give(0, phone(0), &packet.payload);
        }
        assert_eq!(world.digits(0), digit.to_string());
        assert_eq!(world.sent_by(1).len(), 10);
    }
}

/// Plays a capture's largest stream to leg 0 at the pace of the capture; how many packets it had.
fn replay(world: &mut World, name: &str) -> Option<usize> {
    let packets = corpus::pcap(&corpus::file(&format!("dtmf-pcap/{name}"))?);
    let count = |to| packets.iter().filter(|p| p.to == to).count();
    let to = packets.iter().map(|p| p.to).max_by_key(|to| count(*to))?;
    let (begun, first) = (world.now.as_millis(), packets.first()?.micros);
    let mut given = 0;
    for packet in packets.iter().filter(|p| p.to == to) {
        world.run_to(begun + packet.micros.saturating_sub(first) / 1_000);
        world.give(0, phone(0), &packet.payload);
        given += 1;
    }
    Some(given)
}

#[test]
fn captures_of_speech_come_out_as_they_went_in() {
    for (name, codec) in [
        ("g711a.pcap", Codec::Pcma),
        ("fs-milliwatt.pcmu.rtp.pcap", Codec::Pcmu),
        ("fs-milliwatt.long.pcmu.rtp.pcap", Codec::Pcmu),
    ] {
        let mut world = World::bridged(codec, codec);
        let Some(given) = replay(&mut world, name) else {
            return;
        };
        let stats = world.stats(0);
        assert_eq!(stats.received, given as u64, "{name}: {stats:?}");
        assert_eq!((stats.lost, stats.malformed), (0, 0), "{name}");
        assert_eq!(world.sent_by(1).len(), given, "{name}");
        if name.contains("milliwatt") {
            let heard = crate::harness::heard(&world.sent_by(1), codec);
            let share = cordboard_media::tone::Goertzel::share(&heard[..8_000], 1_004.0);
            assert!(share > 0.9, "{name}: {share}");
        }
    }
}

#[test]
fn captures_that_broke_others_break_nothing_here() {
    for name in [
        "ast-2016-003-crash.pcap",
        "crash-27382.pcap",
        "opus-2013785496.pcap",
        "opus-3125894607.pcap",
        "ulaw-2013785496.pcap",
        "ulaw-3125894607.pcap",
    ] {
        let Some(bytes) = corpus::file(&format!("dtmf-pcap/{name}")) else {
            return;
        };
        let packets = corpus::pcap(&bytes);
        assert!(!packets.is_empty(), "{name}");
        let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
        for packet in &packets {
            world.give(0, phone(0), &packet.payload);
            let port = cordboard_media::PortKey(1);
            world.engine.handle_rtcp(port, phone(1), &mut packet.payload.clone(), world.now);
        }
        world.run(10_000);
        let (a, b) = (world.stats(0), world.stats(1));
        println!("{name}: {} datagrams, {a:?}, {b:?}, digits {:?}", packets.len(), world.digits(0));
        // These two calls are named after the digits pressed in them.
        if let Some((_, named)) = name.trim_end_matches(".pcap").split_once('-')
            && named.len() == 10
        {
            assert_eq!(world.digits(0), named, "{name}");
        }
        assert!(world.say(1, &Rtp::audio(8, 3, 1, 0)).is_some(), "{name}: the leg still works");
    }
}
