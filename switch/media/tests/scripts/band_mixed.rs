//! Mixes at the rate that two of their members share.

use crate::band::{HIGH, LOW, Singer, heard, share, sing};
use crate::harness::{Sent, World, params};
use cordboard_media::MediaConfig;
use cordboard_media::tone::Goertzel;
use cordboard_model::media::{Codec, StreamParams};

/// Everybody hears everybody.
const ALL: u32 = u32::MAX;

fn room(codecs: &[Codec]) -> (World, Vec<Singer>) {
    let mut world = World::new(MediaConfig::default());
    for (n, codec) in codecs.iter().enumerate() {
        world.open(params(n, *codec));
    }
    (world, codecs.iter().copied().map(Singer::new).collect())
}

/// What a party hears while all sing for a second, at 16 kHz.
fn second(world: &mut World, singers: &mut [Singer], leg: usize, codec: Codec) -> Vec<i16> {
    sing(world, singers, 20);
    let before = world.sent_by(leg).len();
    sing(world, singers, 50);
    heard(&world.sent_by(leg)[before..], codec)
}

/// The longest time in a row without sound after the first half second, milliseconds.
fn longest_gap(sent: &[&Sent], codec: Codec) -> usize {
    let pcm = heard(sent, codec);
    let per_ms = if codec.sample_hz() > 8_000 { 16 } else { 8 };
    let silent = |piece: &[i16]| piece.iter().all(|sample| sample.saturating_abs() < 300);
    let pieces = pcm[500 * per_ms..].chunks_exact(5 * per_ms).map(silent);
    let (longest, _) = pieces.fold((0, 0), |(longest, run), silent| {
        let run = if silent { run + 5 } else { 0 };
        (longest.max(run), run)
    });
    longest
}

#[test]
fn parties_with_wideband_codecs_hear_all_of_each_other_in_a_mix_and_a_g711_party_its_band() {
    let codecs = [Codec::G722, Codec::Opus, Codec::L16, Codec::Pcma];
    let (mut world, mut singers) = room(&codecs);
    world.mix(&[(0, ALL), (1, ALL), (2, ALL), (3, ALL)]);
    for (leg, codec) in codecs.into_iter().enumerate().take(3) {
        let pcm = second(&mut world, &mut singers, leg, codec);
        let shares = [LOW, HIGH].map(|hertz| share(&pcm, hertz));
        assert!(shares.iter().all(|share| *share > 0.2), "{codec:?}: {shares:?}");
    }
    let pcm = second(&mut world, &mut singers, 3, Codec::Pcma);
    let low = Goertzel::share(&pcm, LOW);
    assert!(low > 0.98, "nothing folds into the telephone band: {low}");
}

#[test]
fn the_rate_follows_who_comes_and_goes_without_a_gap() {
    for wide in [Codec::G722, Codec::Opus, Codec::L16] {
        let codecs = [wide, Codec::Pcma, Codec::Pcmu, Codec::G722];
        let (mut world, mut singers) = room(&codecs);
        // packets of another length than the steps
        world.configure(2, StreamParams { ptime_ms: 30, ..params(2, Codec::Pcmu) });
        let (three, four) = ([(0, ALL), (1, ALL), (2, ALL)], [(0, ALL), (1, ALL), (2, ALL), (3, ALL)]);
        world.mix(&three);
        let pcm = second(&mut world, &mut singers, 0, wide);
        assert!(share(&pcm, LOW) > 0.2 && share(&pcm, HIGH) < 0.01, "{wide:?}: {}", share(&pcm, HIGH));
        for _ in 0..3 {
            world.mix(&four);
            let pcm = second(&mut world, &mut singers, 0, wide);
            assert!(share(&pcm, HIGH) > 0.04, "{wide:?}: {}", share(&pcm, HIGH));
            let pcm = second(&mut world, &mut singers, 3, Codec::G722);
            assert!(share(&pcm, HIGH) > 0.04, "{wide:?}: {}", share(&pcm, HIGH));
            world.mix(&three);
            let pcm = second(&mut world, &mut singers, 0, wide);
            assert!(share(&pcm, HIGH) < 0.01, "{wide:?}: {}", share(&pcm, HIGH));
        }
        for (leg, codec) in codecs.into_iter().enumerate().take(3) {
            let sent = world.sent_by(leg);
            let ptime = if leg == 2 { 30 } else { 20 };
            for pair in sent.windows(2) {
                assert_eq!(pair[1].sequence(), pair[0].sequence().wrapping_add(1), "{wide:?}, {leg}");
                let passed = u64::from(pair[1].timestamp().wrapping_sub(pair[0].timestamp()));
                assert_eq!(passed, ptime * u64::from(codec.clock_hz()) / 1_000, "{wide:?}, {leg}");
                assert!(pair[1].at_ms - pair[0].at_ms <= 40);
            }
            let loudest = heard(&sent, codec)[8_000..].iter().map(|sample| sample.unsigned_abs()).max();
            assert!(
                codec == Codec::Opus || loudest < Some(27_000),
                "{wide:?}, {leg}: a bang of {loudest:?} where 24,000 were said"
            );
            let gap = longest_gap(&sent, codec);
            assert!(gap <= 40, "{wide:?}, {leg}: {gap} ms of silence");
        }
    }
}

#[test]
fn who_is_muted_or_heard_by_no_wideband_party_changes_no_rate() {
    let codecs = [Codec::G722, Codec::G722, Codec::Pcma];
    let (mut world, mut singers) = room(&codecs);
    world.mix_muted(&[(0, ALL), (1, ALL), (2, ALL)], &[1]);
    let sent = second(&mut world, &mut singers, 1, Codec::G722);
    assert!(share(&sent, HIGH) > 0.1, "who is muted hears the other");
    // a listener who is heard by nobody, and two who speak to him and a third in the telephone band alone
    world.mix(&[(0, 0b100), (1, 0b100), (2, ALL)]);
    let pcm = second(&mut world, &mut singers, 2, Codec::Pcma);
    assert!(Goertzel::share(&pcm, LOW) > 0.98);
    let pcm = second(&mut world, &mut singers, 0, Codec::G722);
    assert!(share(&pcm, LOW) > 0.4 && share(&pcm, HIGH) < 1e-3);
}

#[test]
fn two_who_were_decoded_at_16_khz_go_into_a_mix_and_back_at_their_own_pitch() {
    let codecs = [Codec::G722, Codec::Opus, Codec::Pcma];
    let (mut world, mut singers) = room(&codecs);
    world.bridge(0, 1);
    let pcm = second(&mut world, &mut singers, 0, Codec::G722);
    assert!(share(&pcm, HIGH) > 0.4);
    world.mix(&[(0, 0b100), (1, 0b100), (2, 0b011)]);
    let pcm = second(&mut world, &mut singers, 2, Codec::Pcma);
    assert!(Goertzel::share(&pcm, LOW) > 0.98, "{}", Goertzel::share(&pcm, LOW));
    world.mix(&[(0, ALL), (1, ALL), (2, ALL)]);
    let pcm = second(&mut world, &mut singers, 0, Codec::G722);
    assert!(share(&pcm, LOW) > 0.3 && share(&pcm, HIGH) > 0.1);
    world.bridge(0, 2);
    let pcm = second(&mut world, &mut singers, 2, Codec::Pcma);
    assert!(Goertzel::share(&pcm, LOW) > 0.98);
    assert!(
        longest_gap(&world.sent_by(0), Codec::G722) <= 40,
        "{}",
        longest_gap(&world.sent_by(0), Codec::G722)
    );
}
