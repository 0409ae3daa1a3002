//! Recordings at 16 kHz, and what else they stay like.

use crate::band::{HIGH, LOW, Singer, share, sing};
use crate::harness::{World, params};
use cordboard_media::tone::Goertzel;
use cordboard_media::{MediaConfig, RecordRate};
use cordboard_model::id::RecordingId;
use cordboard_model::media::{Codec, MediaCommand, MediaEvent};

fn world(record_rate: RecordRate, codecs: [Codec; 2]) -> World {
    let mut world = World::new(MediaConfig { record_rate, ..MediaConfig::default() });
    for (n, codec) in codecs.into_iter().enumerate() {
        world.open(params(n, codec));
    }
    world.bridge(0, 1);
    world
}

fn side(world: &World, recording: RecordingId, side: usize) -> Vec<i16> {
    world.recorded[&recording].iter().map(|pair| pair[side]).collect()
}

/// Both parties sing for two seconds on record: the recording, and its length.
fn recorded(world: &mut World, codecs: [Codec; 2]) -> RecordingId {
    let recording = world.record(0, 1);
    sing(world, &mut codecs.map(Singer::new), 100);
    world.command(MediaCommand::StopRecord { recording });
    recording
}

#[test]
fn at_16_khz_each_party_is_recorded_with_all_that_its_codec_carries() {
    for wide in [Codec::G722, Codec::Opus, Codec::L16] {
        for (rate, codecs) in [
            (RecordRate::Auto, [wide, Codec::Pcma]),
            (RecordRate::Auto, [Codec::Pcmu, wide]),
            (RecordRate::Wide, [wide, wide]),
        ] {
            let mut world = world(rate, codecs);
            let recording = recorded(&mut world, codecs);
            assert_eq!(world.rates[&recording], 16_000);
            assert!(world.recorded[&recording].len().abs_diff(32_000) < 400);
            for (n, codec) in codecs.into_iter().enumerate() {
                let pcm = &side(&world, recording, n)[4_800..28_800];
                if codec == wide {
                    let shares = [LOW, HIGH].map(|hertz| share(pcm, hertz));
                    assert!(shares.iter().all(|share| *share > 0.4), "{codecs:?}, {n}: {shares:?}");
                } else {
                    // sung at 8 kHz, 6 kHz is 2
                    let shares = [LOW, 2_000.0].map(|hertz| share(pcm, hertz));
                    assert!(shares.iter().all(|share| *share > 0.45), "{codecs:?}, {n}: {shares:?}");
                    assert!(share(pcm, HIGH) < 1e-3, "nothing mirrors");
                }
            }
        }
    }
}

#[test]
fn as_delivered_and_where_all_speak_g711_recordings_are_at_8_khz() {
    for (rate, codecs) in [
        (MediaConfig::default().record_rate, [Codec::G722, Codec::Opus]),
        (RecordRate::Auto, [Codec::Pcma, Codec::Pcmu]),
    ] {
        let mut world = world(rate, codecs);
        let recording = recorded(&mut world, codecs);
        assert_eq!(world.rates[&recording], 8_000);
        let pcm = &side(&world, recording, 0)[2_400..14_400];
        assert!(Goertzel::share(pcm, LOW) > 0.4, "{codecs:?}");
    }
}

#[test]
fn a_recording_keeps_its_rate_when_a_party_changes_its_codec() {
    let mut world = world(RecordRate::Auto, [Codec::Pcma, Codec::Pcma]);
    let narrow = world.record(0, 1);
    let mut singers = [Singer::new(Codec::Pcma), Singer::new(Codec::Pcma)];
    sing(&mut world, &mut singers, 100);
    world.configure(0, params(0, Codec::G722));
    let mut singers = [Singer::new(Codec::G722), singers.into_iter().last().unwrap()];
    // one more that begins now hears more, and the old one goes on beside it
    let wide = world.record(0, 1);
    sing(&mut world, &mut singers, 100);
    world.configure(0, params(0, Codec::Pcma));
    let mut singers = [Singer::new(Codec::Pcma), singers.into_iter().last().unwrap()];
    sing(&mut world, &mut singers, 100);
    for recording in [narrow, wide] {
        world.command(MediaCommand::StopRecord { recording });
    }
    assert_eq!((world.rates[&narrow], world.rates[&wide]), (8_000, 16_000));
    let old = side(&world, narrow, 0);
    assert!(old.len().abs_diff(48_000) < 400, "{}", old.len());
    for second in [0, 2, 4] {
        let piece = &old[second * 8_000 + 2_400..][..8_000];
        assert!(Goertzel::share(piece, LOW) > 0.4, "{second}");
    }
    let new = side(&world, wide, 0);
    assert!(share(&new[4_800..28_800], HIGH) > 0.4);
    assert!(share(&new[36_800..60_800], 2_000.0) > 0.4 && share(&new[36_800..60_800], HIGH) < 1e-3);
}

#[test]
fn pauses_and_lengths_count_the_recordings_own_samples() {
    let codecs = [Codec::G722, Codec::Pcma];
    let mut world = world(RecordRate::Wide, codecs);
    let recording = world.record(0, 1);
    let mut singers = codecs.map(Singer::new);
    sing(&mut world, &mut singers, 50);
    world.command(MediaCommand::PauseRecord { recording, on: true });
    sing(&mut world, &mut singers, 50);
    world.command(MediaCommand::PauseRecord { recording, on: false });
    sing(&mut world, &mut singers, 50);
    world.command(MediaCommand::StopRecord { recording });
    world.run(100);
    let paused: Vec<(bool, u64)> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            MediaEvent::RecordingPaused { on, sample, .. } => Some((*on, *sample)),
            _ => None,
        })
        .collect();
    assert_eq!(paused, [(true, 16_000), (false, 32_000)]);
    for n in 0..2 {
        let pcm = side(&world, recording, n);
        assert!(pcm[16_000..32_000].iter().all(|sample| *sample == 0));
        assert!(pcm[14_000..16_000].iter().any(|sample| *sample > 3_000));
        assert!(pcm[32_100..34_000].iter().any(|sample| *sample > 3_000));
    }
    let told = world.events.iter().find_map(|(_, event)| match event {
        MediaEvent::RecordingClosed { length_ms, dropped_ms, .. } => Some((*length_ms, *dropped_ms)),
        _ => None,
    });
    assert_eq!(told, Some((3_000, 0)));
}
