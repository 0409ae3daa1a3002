//! Recordings: who is on which channel, when, and what is done about a writer that is late.

use crate::harness::{Rtp, World, params, sine_codes};
use cordboard_media::MediaConfig;
use cordboard_media::tone::Goertzel;
use cordboard_model::id::RecordingId;
use cordboard_model::media::{Codec, MediaCommand, MediaEvent, PlayItem, Repeat, Tone};

fn closed(world: &World) -> Vec<(RecordingId, u64, u64)> {
    let of = |event: &MediaEvent| match event {
        MediaEvent::RecordingClosed { recording, length_ms, dropped_ms } => {
            Some((*recording, *length_ms, *dropped_ms))
        }
        _ => None,
    };
    world.events.iter().filter_map(|(_, event)| of(event)).collect()
}

fn channel(world: &World, recording: RecordingId, side: usize) -> Vec<i16> {
    world.recorded[&recording].iter().map(|pair| pair[side]).collect()
}

/// Both phones speak for `ms`: 440 Hz in mu-law on leg 0, 660 Hz in A-law on leg 1.
fn talk(world: &mut World, ms: u32) {
    let low = sine_codes(Codec::Pcmu, 440, 8_000);
    let high = sine_codes(Codec::Pcma, 660, 8_000);
    for n in 0..ms / 20 {
        let at = (n as usize * 160) % 8_000;
        let mut packet = Rtp::audio(0, 1, n, 0);
        packet.payload = low[at..at + 160].to_vec();
        world.say(0, &packet);
        let mut packet = Rtp::audio(8, 2, 700 + n, 0);
        packet.payload = high[at..at + 160].to_vec();
        world.say(1, &packet);
        world.run(20);
    }
}

#[test]
fn the_caller_is_left_the_agent_is_right_and_prompts_are_on_neither() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let recording = world.record(0, 1);
    world.play(0, vec![PlayItem::Tone(Tone::Hertz(1_000), 1_000)], Repeat::Once);
    talk(&mut world, 3_000);
    world.command(MediaCommand::StopRecord { recording });
    assert_eq!(closed(&world), [(recording, 3_000, 0)]);
    let (left, right) = (channel(&world, recording, 0), channel(&world, recording, 1));
    assert_eq!(left.len(), 24_000);
    assert!(Goertzel::share(&left, 440.0) > 0.99);
    assert!(Goertzel::share(&right, 660.0) > 0.99);
    for (samples, other) in [(&left, 660.0), (&left, 1_000.0), (&right, 440.0), (&right, 1_000.0)] {
        assert!(Goertzel::share(samples, other) < 0.001);
    }
    assert_eq!(world.engine.recordings(), 0);
}

#[test]
fn a_recording_begins_in_the_middle_of_the_call_and_length_is_time() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    talk(&mut world, 1_000);
    world.run(10);
    let recording = world.record(0, 1);
    world.run(500);
    talk(&mut world, 500);
    world.run(7);
    world.command(MediaCommand::StopRecord { recording });
    assert_eq!(closed(&world), [(recording, 1_007, 0)]);
    let left = channel(&world, recording, 0);
    assert_eq!(left.len(), 8_056);
    assert!(left[..4_000].iter().all(|s| *s == 0), "nobody spoke for half a second");
    assert!(Goertzel::share(&left[4_000..8_000], 440.0) > 0.99);
}

#[test]
fn chunks_come_while_the_call_goes_on() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let recording = world.record(0, 1);
    talk(&mut world, 2_000);
    let so_far = world.recorded[&recording].len();
    assert!((8 * 1_700..=8 * 1_800).contains(&so_far), "{so_far} frames are on their way");
}

#[test]
fn a_writer_that_stands_still_costs_silence_and_not_length() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let recording = world.record(0, 1);
    talk(&mut world, 1_000);
    world.writer = false;
    talk(&mut world, 2_000);
    world.writer = true;
    talk(&mut world, 1_000);
    world.command(MediaCommand::StopRecord { recording });
    let [(_, length, dropped)] = closed(&world)[..] else {
        panic!("{:?}", closed(&world));
    };
    assert_eq!(length, 4_000);
    assert_eq!(world.recorded[&recording].len(), 32_000);
    assert!((1_500..2_000).contains(&dropped), "{dropped}");
    let left = channel(&world, recording, 0);
    assert!(Goertzel::share(&left[..6_000], 440.0) > 0.99);
    assert!(Goertzel::share(&left[25_600..], 440.0) > 0.99);
}

#[test]
fn the_last_party_to_leave_ends_the_recording() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let recording = world.record(0, 1);
    talk(&mut world, 400);
    let leg = world.legs[0];
    world.command(MediaCommand::Close { leg });
    world.run(100);
    assert_eq!(closed(&world), []);
    let leg = world.legs[1];
    world.command(MediaCommand::Close { leg });
    assert_eq!(closed(&world), [(recording, 500, 0)]);
    assert_eq!(world.recorded[&recording].len(), 4_000);
}

#[test]
fn what_cannot_be_recorded_is_closed_at_once() {
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    let first = world.record(0, 1);
    let second = world.record(0, 1);
    let third = world.record(0, 1);
    assert_eq!(closed(&world), [(third, 0, 0)], "a leg is on two recordings at most");
    let recording = world.ids.recording(world.legs[0].tenant);
    let nobody = world.ids.leg(world.legs[0].tenant);
    world.command(MediaCommand::Record { recording, left: nobody, right: Some(nobody) });
    assert_eq!(closed(&world)[1], (recording, 0, 0));
    talk(&mut world, 100);
    for recording in [first, second] {
        world.command(MediaCommand::StopRecord { recording });
    }
    assert_eq!(closed(&world)[2..], [(first, 100, 0), (second, 100, 0)]);
    let fourth = world.record(0, 1);
    world.command(MediaCommand::StopRecord { recording: fourth });
    assert_eq!(closed(&world)[4], (fourth, 0, 0), "the places were free again");
}

#[test]
fn a_held_party_is_not_recorded() {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcmu));
    world.open(params(1, Codec::Pcma));
    let recording = world.record(0, 1);
    let mut held = params(0, Codec::Pcmu);
    held.direction = cordboard_model::media::Direction::SendOnly;
    world.configure(0, held);
    talk(&mut world, 500);
    world.command(MediaCommand::StopRecord { recording });
    assert!(channel(&world, recording, 0).iter().all(|s| *s == 0));
    assert!(Goertzel::share(&channel(&world, recording, 1), 660.0) > 0.99);
}
