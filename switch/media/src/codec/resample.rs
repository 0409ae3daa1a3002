//! From one sampling rate to another that is a whole multiple of it or a whole part: 8, 16 and 48 kHz.
//!
//! One low-pass in as many phases as the ratio has: of the samples that stuffing would add, and of those that would be
//! thrown away, none is computed. Whole numbers, so that the compiler can take many at once.

use core::f64::consts::PI;

/// Taps for each sample of the lower rate. With 32 the telephone band (to 3.4 kHz of 8) is flat within 0.1 dB, and what
/// mirrors above 4.6 kHz is more than 60 dB down; the test measures it.
const TAPS: usize = 32;
/// The shape of the window of Kaiser.
const BETA: f64 = 6.8;
/// Taps are in units of 1/16,384, so that a sum of them and of samples stays within 32 bits.
const UNIT: i32 = 14;
/// Longest input at once: 60 ms at 48 kHz and five more to fit.
const INPUT_MAX: usize = 3_120;

/// A stream of samples from one rate to another.
#[derive(Clone, Debug)]
pub struct Resampler {
    up: usize,
    down: usize,
    /// The low-pass: for each phase the taps in the order of time.
    taps: Box<[i16]>,
    /// The last samples of before, and those of now.
    line: Box<[i16]>,
    /// Taps of one phase, which is how many samples the next output needs.
    reach: usize,
}

impl Resampler {
    /// One from `from` to `to` hertz. `None` if neither is a whole multiple of the other, or they are the same. Allocates.
    pub fn new(from: u32, to: u32) -> Option<Self> {
        let (up, down) = match (from, to) {
            (0, _) | (_, 0) => return None,
            (from, to) if from == to => return None,
            (from, to) if to % from == 0 => ((to / from) as usize, 1),
            (from, to) if from % to == 0 => (1, (from / to) as usize),
            _ => return None,
        };
        let ratio = up * down;
        if ratio > 6 {
            return None;
        }
        let reach = TAPS * down;
        let taps = low_pass(ratio, up);
        let room = (INPUT_MAX / up).max(480 * down) + reach;
        Some(Self { up, down, taps, line: vec![0; room].into(), reach })
    }

    /// Forgets what it heard.
    pub fn reset(&mut self) {
        self.line.fill(0);
    }

    /// Samples of `input` at the other rate; how many: exactly the ratio, where `input` is a multiple of it and has room.
    pub fn run(&mut self, input: &[i16], out: &mut [i16]) -> usize {
        let most = self.line.len() - self.reach;
        let mut written = 0;
        for piece in input.chunks((most / self.down * self.down).max(1)) {
            let before = self.reach;
            self.line[before..before + piece.len()].copy_from_slice(piece);
            for at in (0..piece.len()).step_by(self.down) {
                // Up to and with the last sample that falls within this step.
                let end = before + at + self.down;
                let Some(heard) = self.line.get(end.saturating_sub(self.reach)..end) else {
                    break;
                };
                for phase in self.taps.chunks_exact(self.reach) {
                    if let Some(sample) = out.get_mut(written) {
                        *sample = sum(phase, heard);
                        written += 1;
                    }
                }
            }
            self.line.copy_within(piece.len()..piece.len() + before, 0);
        }
        written
    }

    /// By how many samples what comes out is later than what went in.
    pub fn delay(&self) -> usize {
        TAPS / 2 * self.up
    }

    /// How many samples so many of the input make.
    pub fn makes(&self, input: usize) -> usize {
        input * self.up / self.down
    }

    /// How many samples of the input make so many of the output.
    pub fn needs(&self, out: usize) -> usize {
        out * self.down / self.up
    }
}

fn sum(taps: &[i16], heard: &[i16]) -> i16 {
    let sum: i32 = taps.iter().zip(heard).map(|(tap, sample)| i32::from(*tap) * i32::from(*sample)).sum();
    ((sum + (1 << (UNIT - 1))) >> UNIT).clamp(-32_768, 32_767) as i16
}

/// The low-pass at half of the lower rate, `up` phases of it, each with a gain of one.
fn low_pass(ratio: usize, up: usize) -> Box<[i16]> {
    let length = TAPS * ratio;
    let middle = (length as f64 - 1.0) / 2.0;
    let kernel = |n: usize| {
        let x = n as f64 - middle;
        let at = PI * x / ratio as f64;
        let sinc = if at == 0.0 { 1.0 } else { at.sin() / at };
        let turn = x / middle;
        sinc * bessel(BETA * (1.0 - turn * turn).max(0.0).sqrt()) / bessel(BETA)
    };
    let per_phase = length / up;
    let mut taps = vec![0; length];
    for phase in 0..up {
        // Tap 0 meets the oldest sample, which is the farthest in the kernel.
        let set: Vec<f64> = (0..per_phase).map(|tap| kernel((per_phase - 1 - tap) * up + phase)).collect();
        let gain: f64 = set.iter().sum();
        for (tap, value) in set.iter().enumerate() {
            taps[phase * per_phase + tap] = (value / gain * f64::from(1 << UNIT)).round() as i16;
        }
    }
    taps.into()
}

/// The modified Bessel function of order 0.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..40 {
        term *= x / 2.0 / f64::from(n);
        sum += term * term;
    }
    sum
}

/// Brings the first `held` samples of `pcm`, a packet or so that waits, from one rate to twice it or half: how many there are
/// then. Straight lines will do: it is done where a rate changes, not all the time.
pub(crate) fn bring(pcm: &mut [i16], held: usize, from: u32, to: u32) -> usize {
    let held = held.min(pcm.len());
    let sample = |pcm: &[i16], n: usize| i32::from(pcm.get(n).copied().unwrap_or(0));
    if to == from * 2 {
        let held = held.min(pcm.len() / 2);
        for n in (0..held).rev() {
            let (now, next) =
                (sample(pcm, n), if n + 1 < held { sample(pcm, 2 * n + 2) } else { sample(pcm, n) });
            pcm[2 * n + 1] = ((now + next) / 2) as i16;
            pcm[2 * n] = now as i16;
        }
        return held * 2;
    }
    if from == to * 2 {
        for n in 0..held / 2 {
            pcm[n] = ((sample(pcm, 2 * n) + sample(pcm, 2 * n + 1)) / 2) as i16;
        }
        return held / 2;
    }
    // no other change happens; what waits is then not worth more than its time
    0
}

/// The low-pass of 8 to 16 kHz half-way between two samples, from the nearest to the farthest, on either side alike: the same
/// window and as many taps as [`Resampler`] has.
const BETWEEN: [i32; TAPS / 2] =
    [10_398, -3_382, 1_932, -1_280, 900, -648, 468, -336, 237, -163, 109, -69, 42, -23, 11, -4];

/// What lies half-way between sample `n` and the one after it, of samples that are all there: no memory, and no delay. What
/// lies outside is silence.
pub(crate) fn between(pcm: &[i16], n: usize) -> i16 {
    let at = |n: Option<usize>| n.and_then(|n| pcm.get(n)).map_or(0, |sample| i32::from(*sample));
    let pairs = BETWEEN.iter().enumerate();
    let sum: i32 = match pcm.get((n + 1).saturating_sub(TAPS / 2)..n + 1 + TAPS / 2) {
        Some(near) if near.len() == TAPS => {
            let (before, after) = near.split_at(TAPS / 2);
            let sides = before.iter().rev().zip(after).map(|(a, b)| i32::from(*a) + i32::from(*b));
            BETWEEN.iter().zip(sides).map(|(tap, both)| tap * both).sum()
        }
        _ => pairs.map(|(far, tap)| tap * (at(n.checked_sub(far)) + at(n.checked_add(far + 1)))).sum(),
    };
    ((sum + (1 << (UNIT - 1))) >> UNIT).clamp(-32_768, 32_767) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::f64::consts::TAU;

    fn sine(rate: u32, hertz: f64, samples: usize) -> Vec<i16> {
        let step = TAU * hertz / f64::from(rate);
        (0..samples).map(|n| ((n as f64 * step).sin() * 16_000.0).round() as i16).collect()
    }

    /// Level of a frequency within samples, against the sine that went in, decibel.
    fn level(pcm: &[i16], rate: u32, hertz: f64) -> f64 {
        let step = TAU * hertz / f64::from(rate);
        let (mut re, mut im, mut weights) = (0.0, 0.0, 0.0);
        for (n, sample) in pcm.iter().enumerate() {
            // a window, so that what lies beside it does not leak in
            let turn = n as f64 / pcm.len() as f64;
            let weight = 0.42 - 0.5 * (TAU * turn).cos() + 0.08 * (2.0 * TAU * turn).cos();
            re += f64::from(*sample) * weight * (n as f64 * step).cos();
            im += f64::from(*sample) * weight * (n as f64 * step).sin();
            weights += weight;
        }
        20.0 * (2.0 * (re * re + im * im).sqrt() / weights / 16_000.0).max(1e-9).log10()
    }

    fn run(from: u32, to: u32, input: &[i16]) -> Vec<i16> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = Vec::new();
        for piece in input.chunks(from as usize / 100) {
            let mut made = vec![0; piece.len() * to as usize / from as usize];
            assert_eq!(resampler.run(piece, &mut made), made.len());
            assert_eq!(resampler.needs(made.len()), piece.len());
            out.extend(made);
        }
        out
    }

    const PAIRS: [(u32, u32); 3] = [(8_000, 16_000), (8_000, 48_000), (16_000, 48_000)];

    #[test]
    fn the_pass_band_is_flat_up_and_down() {
        for (low, high) in PAIRS {
            for share in [0.01, 0.1, 0.25, 0.35, 0.425] {
                let hertz = f64::from(low) * share;
                for (from, to) in [(low, high), (high, low)] {
                    let out = run(from, to, &sine(from, hertz, from as usize / 2));
                    let level = level(&out[to as usize / 10..], to, hertz);
                    assert!(level.abs() < 0.1, "{from} to {to}, {hertz} Hz: {level:.3} dB");
                }
            }
        }
    }

    #[test]
    fn nothing_mirrors_up_and_nothing_folds_down() {
        for (low, high) in PAIRS {
            for share in [0.1, 0.25, 0.425] {
                let hertz = f64::from(low) * share;
                let up = run(low, high, &sine(low, hertz, low as usize / 2));
                let mirror = level(&up[high as usize / 10..], high, f64::from(low) - hertz);
                assert!(mirror < -60.0, "{low} to {high}: {hertz} Hz mirrors at {mirror:.1} dB");
                let above = f64::from(low) - hertz;
                let down = run(high, low, &sine(high, above, high as usize / 2));
                let folded = level(&down[low as usize / 10..], low, hertz);
                assert!(folded < -60.0, "{high} to {low}: {above} Hz folds at {folded:.1} dB");
            }
        }
    }

    #[test]
    fn pieces_make_what_the_whole_makes_and_full_scale_does_not_wrap() {
        let input: Vec<i16> = (0..4_800).map(|n| if n / 7 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        for (from, to) in PAIRS.iter().flat_map(|(low, high)| [(*low, *high), (*high, *low)]) {
            let whole = {
                let mut out = vec![0; 4_800 * to as usize / from as usize];
                Resampler::new(from, to).unwrap().run(&input, &mut out);
                out
            };
            assert_eq!(whole, run(from, to, &input), "{from} to {to}");
        }
        let steady = run(8_000, 48_000, &[i16::MAX; 800]);
        assert!(steady[1_000..].iter().all(|sample| *sample > 32_000), "a gain of one");
    }

    #[test]
    fn what_waits_is_brought_to_twice_the_rate_and_back() {
        let mut pcm = [100, 200, 400, 7, 7, 7, 7];
        assert_eq!(bring(&mut pcm, 3, 8_000, 16_000), 6);
        assert_eq!(pcm, [100, 150, 200, 300, 400, 400, 7]);
        assert_eq!(bring(&mut pcm, 6, 16_000, 8_000), 3);
        assert_eq!(pcm[..3], [125, 250, 400]);
        assert_eq!(bring(&mut [1; 4], 3, 8_000, 16_000), 4, "as many as there is room for");
    }

    #[test]
    fn rates_that_do_not_divide_are_refused() {
        for (from, to) in [(8_000, 8_000), (44_100, 8_000), (0, 8_000), (8_000, 0), (8_000, 96_000)] {
            assert!(Resampler::new(from, to).is_none());
        }
    }
}
