//! Resampling of whole files to 8 or 16 kHz: a windowed-sinc low-pass evaluated only where an output sample falls.

use core::f64::consts::{PI, TAU};

/// Where the filter has fallen by half, as a part of the lower rate: at 8 kHz, telephony ends at 3.4 kHz and folding begins
/// at 4; this is 3.65.
const CUTOFF: f64 = 3_650.0 / 8_000.0;
/// Zero crossings of the sinc on each side. 32 of them give a transition of some 400 Hz.
const CROSSINGS: f64 = 32.0;

/// `input` at `rate` as samples at `to` hertz.
pub(crate) fn resample(input: Vec<i16>, rate: u32, to: u32) -> Vec<i16> {
    if rate == to {
        return input;
    }
    let filter = Filter::new(rate, to);
    let length = input.len() as u64 * u64::from(to) / u64::from(rate);
    (0..length).map(|n| filter.at(&input, n)).collect()
}

/// One set of coefficients for each distance an output sample can have from the input sample before it.
struct Filter {
    /// Input samples per `step.1` output samples.
    step: (u64, u64),
    half: usize,
    phases: Vec<Vec<f32>>,
}

impl Filter {
    fn new(rate: u32, to: u32) -> Self {
        let shared = gcd(u64::from(rate), u64::from(to));
        let step = (u64::from(rate) / shared, u64::from(to) / shared);
        // In units of input samples.
        let cutoff = 2.0 * CUTOFF * f64::from(rate.min(to)) / f64::from(rate);
        let half = (CROSSINGS / cutoff).ceil();
        let phases = (0..step.1)
            .map(|phase| {
                let shift = phase as f64 / step.1 as f64;
                let taps = 2 * half as i64;
                let mut set: Vec<f32> = (0..taps)
                    .map(|tap| kernel((tap + 1) as f64 - half - shift, cutoff, half) as f32)
                    .collect();
                let sum: f32 = set.iter().sum();
                for tap in &mut set {
                    *tap /= sum;
                }
                set
            })
            .collect();
        Self { step, half: half as usize, phases }
    }

    fn at(&self, input: &[i16], n: u64) -> i16 {
        let position = n * self.step.0;
        let before = (position / self.step.1) as usize;
        let taps = &self.phases[(position % self.step.1) as usize];
        // Tap 0 belongs to input sample `before + 1 - half`; what lies outside is silence.
        let first = (before + 1).checked_sub(self.half);
        let (skip, start) = match first {
            Some(start) => (0, start),
            None => (self.half - before - 1, 0),
        };
        let pairs = taps.iter().skip(skip).zip(input.iter().skip(start));
        let sum: f32 = pairs.map(|(tap, sample)| tap * f32::from(*sample)).sum();
        sum.round().clamp(-32_768.0, 32_767.0) as i16
    }
}

/// A sinc under a Blackman window that is zero at `half`.
fn kernel(x: f64, cutoff: f64, half: f64) -> f64 {
    let at = x * cutoff * PI;
    let sinc = if at == 0.0 { 1.0 } else { at.sin() / at };
    let turn = (x / half + 1.0) / 2.0;
    let window = 0.42 - 0.5 * (TAU * turn).cos() + 0.08 * (2.0 * TAU * turn).cos();
    sinc * window
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
