//! What is neither recorded nor heard: a pause, and a secret.

use crate::harness::{Rtp, World, sine_codes};
use cordboard_media::tone::Goertzel;
use cordboard_model::id::RecordingId;
use cordboard_model::media::{Codec, DtmfKind, MediaCommand, MediaEvent};

/// Leg 0 says 440 Hz in mu-law from packet `from` on, leg 1 660 Hz in A-law.
fn talk(world: &mut World, from: u32, packets: u32) {
    let low = sine_codes(Codec::Pcmu, 440, 8_000);
    let high = sine_codes(Codec::Pcma, 660, 8_000);
    for n in from..from + packets {
        let at = (n as usize * 160) % 8_000;
        for (leg, kind, codes) in [(0, 0, &low), (1, 8, &high)] {
            let mut packet = Rtp::audio(kind, leg as u32 + 1, n, 0);
            packet.payload = codes[at..at + 160].to_vec();
            world.say(leg, &packet);
        }
        world.run(20);
    }
}

fn channel(world: &World, recording: RecordingId, side: usize) -> Vec<i16> {
    world.recorded[&recording].iter().map(|pair| pair[side]).collect()
}

fn marks(world: &World) -> Vec<(bool, u64)> {
    let of = |event: &MediaEvent| match event {
        MediaEvent::RecordingPaused { on, sample, .. } => Some((*on, *sample)),
        _ => None,
    };
    world.events.iter().filter_map(|(_, event)| of(event)).collect()
}

fn is_silent(samples: &[i16]) -> bool {
    samples.iter().all(|sample| *sample == 0)
}

#[test]
fn a_pause_is_silence_of_the_same_length_from_sample_to_sample() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let recording = world.record(0, 1);
    talk(&mut world, 0, 100);
    // in the middle of a packet of both
    world.run(7);
    world.command(MediaCommand::PauseRecord { recording, on: true });
    world.command(MediaCommand::PauseRecord { recording, on: true });
    world.run(13);
    talk(&mut world, 101, 99);
    world.run(3);
    world.command(MediaCommand::PauseRecord { recording, on: false });
    world.run(17);
    talk(&mut world, 201, 99);
    world.command(MediaCommand::StopRecord { recording });
    assert_eq!(marks(&world), [(true, 8 * 2_007), (false, 8 * 4_003)]);
    for (side, hertz) in [(0, 440.0), (1, 660.0)] {
        let samples = channel(&world, recording, side);
        assert_eq!(samples.len(), 48_000, "the clock goes on");
        assert!(Goertzel::share(&samples[..16_000], hertz) > 0.99);
        assert!(is_silent(&samples[8 * 2_007..8 * 4_003]), "side {side}");
        assert!(Goertzel::share(&samples[8 * 4_020..48_000], hertz) > 0.99);
    }
}

#[test]
fn what_was_said_before_a_pause_and_comes_late_is_kept_and_what_was_said_in_it_is_not() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let recording = world.record(0, 1);
    talk(&mut world, 0, 10);
    // 60 ms late, from before the pause, and one from within it after its end
    let held_back = Rtp { payload: vec![0x80; 160], ..Rtp::audio(0, 1, 10, 0) };
    world.run(20);
    world.command(MediaCommand::PauseRecord { recording, on: true });
    world.run(40);
    world.say(0, &held_back);
    let within = Rtp { payload: vec![0x80; 160], ..Rtp::audio(0, 1, 12, 0) };
    world.command(MediaCommand::PauseRecord { recording, on: false });
    world.run(20);
    world.say(0, &within);
    world.run(300);
    world.command(MediaCommand::StopRecord { recording });
    let left = channel(&world, recording, 0);
    assert!(left[1_600..1_760].iter().all(|sample| *sample != 0), "said before");
    assert_eq!(marks(&world), [(true, 1_760), (false, 2_080)]);
    assert!(is_silent(&left[1_760..]), "said meanwhile");
}

#[test]
fn a_recording_of_one_party_has_a_silent_right_channel() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let recording = world.ids.recording(world.legs[0].tenant);
    let left = world.legs[0];
    world.command(MediaCommand::Record { recording, left, right: None });
    talk(&mut world, 0, 50);
    world.command(MediaCommand::StopRecord { recording });
    assert!(Goertzel::share(&channel(&world, recording, 0), 440.0) > 0.99);
    assert!(is_silent(&channel(&world, recording, 1)));
}

/// Keys that the shard was told of.
fn digits(world: &World) -> String {
    let of = |event: &MediaEvent| match event {
        MediaEvent::Digit { digit, .. } => Some(*digit),
        _ => None,
    };
    world.events.iter().filter_map(|(_, event)| of(event)).collect()
}

#[test]
fn events_of_a_secret_reach_the_shard_and_nobody_else() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    talk(&mut world, 0, 10);
    let leg = world.legs[0];
    world.command(MediaCommand::Secret { leg, on: true });
    world.sent.clear();
    let mut sequence = 10;
    for key in [4u8, 2] {
        let timestamp = u32::from(sequence) * 160;
        for n in 1..=8u16 {
            // the last word of the last key comes after the secret was taken back
            if key == 2 && n == 2 {
                world.command(MediaCommand::Secret { leg, on: false });
            }
            world.say(0, &Rtp::event(1, sequence, timestamp, key, n == 8, n * 160));
            sequence += 1;
            world.run(20);
        }
    }
    world.command(MediaCommand::Secret { leg, on: true });
    world.command(MediaCommand::Pressed { leg, digit: '7' });
    world.run(200);
    assert_eq!(digits(&world), "427");
    let to_agent: Vec<_> = world.sent.iter().filter(|sent| sent.leg == 1).collect();
    assert!(to_agent.is_empty(), "{to_agent:?}");
    // and afterwards he is heard again
    world.command(MediaCommand::Secret { leg, on: false });
    world.run(600);
    talk(&mut world, 80, 10);
    let first = world.sent.iter().find(|sent| sent.leg == 1).expect("heard again").sequence();
    let before = world.sent.iter().rfind(|sent| sent.leg == 1).expect("heard again").sequence();
    assert_eq!(before - first, 9);
}

#[test]
fn tones_of_a_secret_are_neither_recorded_nor_heard_and_the_other_party_is() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let (leg, other) = (world.legs[0], world.legs[1]);
    for leg in [leg, other] {
        world.command(MediaCommand::Dtmf { leg, kind: DtmfKind::Inband });
    }
    let recording = world.record(0, 1);
    talk(&mut world, 0, 50);
    world.command(MediaCommand::Secret { leg, on: true });
    world.sent.clear();
    // the key 5, 770 and 1,336 Hz, for 200 ms; who collects has it after some 40 ms and ends the secret
    let decode = |hertz| {
        let codes = sine_codes(Codec::Pcmu, hertz, 1_600);
        let mut pcm = vec![0; codes.len()];
        cordboard_media::codec::Decoder::new(Codec::Pcmu).decode(&codes, &mut pcm);
        pcm
    };
    let (low, high) = (decode(770), decode(1_336));
    let both: Vec<i16> = low.iter().zip(&high).map(|(a, b)| a / 2 + b / 2).collect();
    let mut codes = vec![0; both.len()];
    cordboard_media::codec::Encoder::new(Codec::Pcmu).encode(&both, &mut codes);
    let high = sine_codes(Codec::Pcma, 660, 8_000);
    for n in 0..60u32 {
        let at = n as usize * 160;
        let mut packet = Rtp::audio(0, 1, 50 + n, 0xff);
        if let Some(part) = codes.get(at..at + 160) {
            packet.payload = part.to_vec();
        }
        world.say(0, &packet);
        let mut packet = Rtp::audio(8, 2, 50 + n, 0);
        packet.payload = high[at % 8_000..at % 8_000 + 160].to_vec();
        world.say(1, &packet);
        if digits(&world) == "5" && n < 10 {
            world.command(MediaCommand::Secret { leg, on: false });
        }
        world.run(20);
    }
    world.command(MediaCommand::StopRecord { recording });
    assert_eq!(digits(&world), "5");
    let left = channel(&world, recording, 0);
    assert!(Goertzel::share(&left[..8_000], 440.0) > 0.99);
    assert!(is_silent(&left[8_000..]), "from the first sample of the key to the last");
    assert!(Goertzel::share(&channel(&world, recording, 1), 660.0) > 0.99, "the agent is recorded");
    let heard: Vec<_> = world.sent.iter().filter(|sent| sent.leg == 1 && sent.at_ms < 2_000 + 650).collect();
    assert!(heard.is_empty(), "{} packets", heard.len());
    assert_eq!(world.sent.iter().filter(|sent| sent.leg == 0).count(), 60, "the caller hears the agent");
}
