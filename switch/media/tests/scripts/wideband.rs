//! G.722: relayed as it is, transcoded to and from G.711, played, recorded.

use crate::harness::{Rtp, Sent, World, heard, params, sine_codes};
use cordboard_media::codec::{Decoder, Encoder};
use cordboard_media::tone::Goertzel;
use cordboard_model::media::{Codec, MediaCommand, PlayItem, Repeat, StreamParams, Tone};

/// Both phones of a bridge say their tones for a while: what each is sent.
fn talk(world: &mut World, codecs: [Codec; 2], numbers: [u8; 2], ms: u32) -> [Vec<Sent>; 2] {
    let samples = ms as usize * 8;
    let tones = [sine_codes(codecs[0], 440, samples), sine_codes(codecs[1], 660, samples)];
    let mut got = [Vec::new(), Vec::new()];
    for n in 0..ms / 20 {
        for leg in 0..2 {
            let at = n as usize * 160;
            let mut packet = Rtp::audio(numbers[leg], leg as u32 + 1, 40 + n, 0);
            packet.payload = tones[leg][at..at + 160].to_vec();
            got[1 - leg].extend(world.say(leg, &packet));
        }
        world.run(20);
    }
    got
}

fn numbered(n: usize, codec: Codec, send: u8, receive: u8) -> StreamParams {
    StreamParams { send_payload_type: send, recv_payload_type: receive, ..params(n, codec) }
}

#[test]
fn g722_between_two_that_speak_it_is_relayed_untouched_under_the_numbers_of_each_leg() {
    let mut world = World::bridged(Codec::G722, Codec::G722);
    world.configure(0, numbered(0, Codec::G722, 109, 9));
    let codes: Vec<u8> = (0..160).map(|n| (n * 37 + 5) as u8).collect();
    for n in 0..20 {
        let mut packet = Rtp::audio(9, 1, n, 0);
        packet.payload.clone_from(&codes);
        let there = world.say(0, &packet);
        let back = world.say(1, &packet);
        world.run(20);
        if let (Some(there), Some(back)) = (there.filter(|_| n > 3), back) {
            assert_eq!((there.payload_type(), there.payload()), (9, codes.as_slice()));
            assert_eq!((back.payload_type(), back.payload()), (109, codes.as_slice()));
        }
    }
    assert!(world.stats(0).sent > 15 && world.stats(1).sent > 15);
}

#[test]
fn a_g722_party_and_a_g711_party_hear_each_other_under_different_numbers() {
    for law in [Codec::Pcma, Codec::Pcmu] {
        let mut world = World::bridged(Codec::G722, law);
        world.configure(0, numbered(0, Codec::G722, 109, 99));
        let own = law.static_payload_type();
        let [to_wide, to_narrow] = talk(&mut world, [Codec::G722, law], [99, own], 2_000);
        assert!(to_wide.len() > 95 && to_narrow.len() > 95);
        assert!(to_wide.iter().all(|s| s.payload_type() == 109 && s.payload().len() == 160));
        assert!(to_narrow.iter().all(|s| s.payload_type() == own && s.payload().len() == 160));
        for (sent, codec, hertz) in [(&to_wide, Codec::G722, 660.0), (&to_narrow, law, 440.0)] {
            let sent: Vec<Sent> = sent.iter().cloned().map(|s| with_number(s, codec)).collect();
            let pcm = heard(&sent.iter().collect::<Vec<_>>(), codec);
            assert!(Goertzel::share(&pcm[1_600..], hertz) > 0.98, "{law:?} {hertz}");
            let power = Goertzel::power_of(&pcm[1_600..], hertz);
            assert!((power / 32_000_000.0 - 1.0).abs() < 0.1, "as loud as it was said: {power}");
        }
    }
}

/// `heard` knows codecs by the numbers of RFC 3551.
fn with_number(mut sent: Sent, codec: Codec) -> Sent {
    sent.bytes[1] = sent.bytes[1] & 0x80 | codec.static_payload_type();
    sent
}

#[test]
fn prompts_and_tones_are_played_to_a_g722_party() {
    let mut world = World::new(cordboard_media::MediaConfig::default());
    world.open(params(0, Codec::G722));
    let mut pcm = [0; 4_000];
    cordboard_media::tone::Sine::new(440, 8_000).fill(&mut pcm);
    let prompt = world.asset("prompt", &pcm);
    let items = vec![prompt, PlayItem::Tone(Tone::Hertz(660), 500), PlayItem::Silence(200)];
    world.play(0, items, Repeat::Once);
    world.run(1_500);
    let sent = world.sent_by(0);
    assert_eq!(sent.len(), 60, "1.2 s");
    let heard = heard(&sent, Codec::G722);
    assert!(Goertzel::share(&heard[400..4_000], 440.0) > 0.98);
    assert!(Goertzel::share(&heard[4_400..8_000], 660.0) > 0.98);
    assert!(heard[8_400..].iter().all(|s| s.abs() < 64), "silence after the tone");
}

#[test]
fn a_g722_party_is_recorded_beside_a_g711_one_whether_relayed_or_transcoded() {
    for other in [Codec::G722, Codec::Pcma] {
        let mut world = World::bridged(Codec::G722, other);
        let recording = world.record(0, 1);
        let numbers = [Codec::G722, other].map(Codec::static_payload_type);
        talk(&mut world, [Codec::G722, other], numbers, 2_000);
        world.command(MediaCommand::StopRecord { recording });
        let channel = |side: usize| -> Vec<i16> {
            world.recorded[&recording].iter().map(|pair| pair[side]).skip(1_600).collect()
        };
        assert!(Goertzel::share(&channel(0), 440.0) > 0.98, "{other:?}");
        assert!(Goertzel::share(&channel(1), 660.0) > 0.98, "{other:?}");
    }
}

#[test]
fn a_new_source_in_g722_begins_with_a_fresh_decoder() {
    let mut world = World::bridged(Codec::G722, Codec::Pcma);
    talk(&mut world, [Codec::G722, Codec::Pcma], [9, 8], 500);
    let tone = sine_codes(Codec::G722, 440, 8_000);
    let mut after = Vec::new();
    for n in 0..25 {
        let mut packet = Rtp::audio(9, 77, 9_000 + n, 0);
        packet.payload = tone[n as usize * 160..][..160].to_vec();
        after.extend(world.say(0, &packet));
        world.run(20);
    }
    let mut expected = vec![0; 4_000];
    Decoder::new(Codec::G722).decode(&tone[..4_000], &mut expected);
    let mut codes = vec![0; 4_000];
    Encoder::new(Codec::Pcma).encode(&expected, &mut codes);
    let got: Vec<u8> = after.iter().flat_map(|sent| sent.payload()).copied().collect();
    assert_eq!(got, codes);
}
