//! What Q.24 asks of a receiver, and what speech must not do to it.

use super::*;
use core::f64::consts::TAU;

/// Two tones: hertz and level in dBm0 each.
fn pair(tones: [(f64, f64); 2], samples: usize, phase: f64) -> Vec<f64> {
    let wave = |n: usize, (hertz, level): (f64, f64)| {
        PEAK_0_DBM0 * 10f64.powf(level / 20.0) * (TAU * hertz * n as f64 / 8_000.0 + phase).sin()
    };
    (0..samples).map(|n| tones.iter().map(|tone| wave(n, *tone)).sum()).collect()
}

fn key(low: f64, high: f64, ms: usize) -> Vec<f64> {
    pair([(low, -8.0), (high, -6.0)], ms * 8, 0.4)
}

fn silence(ms: usize) -> Vec<f64> {
    vec![0.0; ms * 8]
}

fn heard(audio: &[f64]) -> String {
    let mut detector = Detector::default();
    let tail = silence(100);
    let audio: Vec<i16> = audio.iter().chain(&tail).map(|sample| sample.round() as i16).collect();
    let mut keys = String::new();
    detector.hear(&audio, |key| keys.push(key));
    keys
}

/// What is heard with the audio beginning anywhere in a block.
fn at_any_place(audio: &[f64]) -> Vec<String> {
    let mut all: Vec<String> =
        (0..80).step_by(7).map(|shift| heard(&[vec![0.0; shift], audio.to_vec()].concat())).collect();
    all.dedup();
    all
}

/// White noise with this standard deviation (twelve uniform numbers are nearly a normal one).
fn noise(samples: usize, deviation: f64, mut seed: u64) -> Vec<f64> {
    let mut uniform = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f64 / (1u64 << 24) as f64
    };
    (0..samples).map(|_| ((0..12).map(|_| uniform()).sum::<f64>() - 6.0) * deviation).collect()
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

#[test]
fn every_key_is_heard_once() {
    for (row, low) in LOW.into_iter().enumerate() {
        for (column, high) in HIGH.into_iter().enumerate() {
            let wanted = key_at(row, column).unwrap().to_string();
            assert_eq!(at_any_place(&key(low.into(), high.into(), 80)), std::slice::from_ref(&wanted));
            assert_eq!(at_any_place(&key(low.into(), high.into(), 3_000)), [wanted], "held");
        }
    }
}

#[test]
fn forty_milliseconds_are_a_press_and_twenty_are_none() {
    for (low, high) in [(697.0, 1_209.0), (941.0, 1_633.0)] {
        for (ms, times) in [(40, 1), (20, 0), (15, 0)] {
            for heard in at_any_place(&key(low, high, ms)) {
                assert_eq!(heard.len(), times, "{ms} ms of {low} and {high}: {heard:?}");
            }
        }
    }
}

#[test]
fn a_break_of_ten_milliseconds_is_one_press_and_a_pause_of_forty_two() {
    for (pause, times) in [(10, 1), (40, 2), (80, 2)] {
        let one = key(770.0, 1_336.0, 60);
        for heard in at_any_place(&[one.clone(), silence(pause), one].concat()) {
            assert_eq!(heard, "5".repeat(times), "{pause} ms");
        }
    }
    let run = [key(697.0, 1_209.0, 50), key(941.0, 1_336.0, 50), key(697.0, 1_209.0, 50)].concat();
    assert_eq!(at_any_place(&run), ["101"], "without any pause");
}

#[test]
fn tones_off_by_a_part_of_them_are_heard_and_those_farther_off_are_not() {
    for (low, high) in
        [(697.0, 1_209.0), (697.0, 1_633.0), (852.0, 1_477.0), (941.0, 1_209.0), (941.0, 1_633.0)]
    {
        for (a, b) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
            let near = key(low * (1.0 + a * 0.015) + a * 2.0, high * (1.0 + b * 0.015) + b * 2.0, 60);
            assert_eq!(at_any_place(&near)[0].len(), 1, "{low} {high} {a} {b}");
            for far in [key(low * (1.0 + a * 0.04), high, 60), key(low, high * (1.0 + b * 0.035), 60)] {
                assert_eq!(at_any_place(&far), [""], "{low} {high} {a} {b}");
            }
        }
    }
}

#[test]
fn levels_and_twist_within_what_receivers_must_take() {
    for (low, high, times) in [
        (-3.0, -3.0, 1),
        (-25.0, -25.0, 1),
        (-28.0, -25.0, 1),
        (-14.0, -10.0, 1),
        (-10.0, -17.0, 1),
        (-45.0, -45.0, 0),
        (-20.0, -8.0, 0),
        (-8.0, -22.0, 0),
    ] {
        for (a, b) in [(697.0, 1_209.0), (770.0, 1_633.0), (941.0, 1_477.0)] {
            let audio = pair([(a, low), (b, high)], 60 * 8, 1.0);
            let heard = at_any_place(&audio);
            assert!(heard.iter().all(|heard| heard.len() == times), "{a} at {low}, {b} at {high}: {heard:?}");
        }
    }
}

#[test]
fn a_key_is_heard_in_noise_and_noise_is_no_key() {
    let tone = key(852.0, 1_209.0, 60);
    let power = tone.iter().map(|v| v * v).sum::<f64>() / tone.len() as f64;
    let at_15_db = (power / 31.6).sqrt();
    for seed in 0..50 {
        let heard = heard(&sum(&tone, &noise(tone.len(), at_15_db, seed)));
        assert_eq!(heard, "7", "seed {seed}");
    }
    assert_eq!(heard(&noise(8_000 * 600, 3_000.0, 9)), "");
}

#[test]
fn single_tones_and_those_of_the_network_are_no_keys() {
    for hertz in (100..3_400).step_by(10) {
        assert_eq!(heard(&pair([(f64::from(hertz), -8.0), (0.0, -90.0)], 4_000, 0.0)), "", "{hertz}");
    }
    // dial tone, ring-back and busy of North America; ring-back of most others
    for (a, b) in [(350.0, 440.0), (440.0, 480.0), (480.0, 620.0), (425.0, 450.0)] {
        assert_eq!(heard(&pair([(a, -13.0), (b, -13.0)], 16_000, 0.0)), "");
    }
}

/// Voiced sound: a train of pulses through three resonances that wander with the pitch, and silences between.
fn babble(seconds: usize, seed: u64) -> Vec<f64> {
    let mut dice = noise(seconds * 400, 1.0, seed).into_iter();
    let mut roll = move |from: f64, to: f64| {
        let at = (dice.next().unwrap_or(0.0) / 6.0 + 0.5).clamp(0.0, 1.0);
        from + (to - from) * at
    };
    let mut out = Vec::new();
    let mut state = [[0.0f64; 2]; 3];
    while out.len() < seconds * 8_000 {
        let pitch = (roll(70.0, 320.0), roll(70.0, 320.0));
        let formants =
            [(250.0, 900.0), (800.0, 2_400.0), (2_200.0, 3_300.0)].map(|(a, b)| (roll(a, b), roll(a, b)));
        let samples = (roll(0.03, 0.4) * 8_000.0) as usize;
        let gain = roll(1_000.0, 9_000.0);
        let mut phase = 0.0;
        for n in 0..samples {
            let part = n as f64 / samples as f64;
            phase += (pitch.0 + (pitch.1 - pitch.0) * part) / 8_000.0;
            let pulse = if phase >= 1.0 { gain } else { 0.0 };
            phase -= phase.floor();
            let mut value = 0.0;
            for (at, formant) in formants.iter().enumerate() {
                let hertz = formant.0 + (formant.1 - formant.0) * part;
                let radius = (-core::f64::consts::PI * 70.0 / 8_000.0).exp();
                let [one, two] = state[at];
                let now = pulse + 2.0 * radius * (TAU * hertz / 8_000.0).cos() * one - radius * radius * two;
                state[at] = [now, one];
                value += now * (1.0 - radius) * 4.0 / (at + 1) as f64;
            }
            out.push(value.clamp(-32_000.0, 32_000.0));
        }
        out.extend(vec![0.0; (roll(0.0, 0.1) * 8_000.0) as usize]);
    }
    out
}

#[test]
fn an_hour_of_babble_is_no_key() {
    let (mut heard, mut taken) = (String::new(), 0u32);
    for seed in 0..12 {
        let mut detector = Detector::default();
        for sample in babble(300, seed + 1) {
            detector.hear(&[sample.round() as i16], |key| heard.push(key));
            taken += u32::from(detector.samples == 0 && detector.hears_tones());
        }
    }
    assert_eq!(heard, "");
    assert!(taken < 36, "of 360,000 blocks {taken} are taken away from the other party as tones");
}

#[test]
fn a_key_is_heard_between_words() {
    let words = babble(2, 77);
    let audio = [words.clone(), silence(30), key(697.0, 1_477.0, 80), silence(30), words].concat();
    assert_eq!(at_any_place(&audio), ["3"]);
}
