//! Keys found in the audio of a party (ITU-T Q.24).
//!
//! Audio is looked at in blocks of 10 ms. For each of the eight frequencies a block has a complex amplitude; the turn of
//! its phase from one block to the next says how far the tone really is from the frequency, which speech does not pass.
//!
//! Invariant: a press is told once, when its tones have filled three blocks, and is over when four pairs of blocks in a
//! row were without them. So 40 ms of tone are always a press and 20 ms never; a break of 10 ms does not end one and one of 40 ms does,
//! as Q.24 wants it ("minimum duration 40 ms", "maximum interruption 10 ms", "minimum pause 30 to 40 ms").

use super::pair::{HIGH, LOW, PEAK_0_DBM0, key_at};
use core::f64::consts::{PI, TAU};

/// Samples of a block: 10 ms.
const BLOCK: u32 = 80;
/// Hits in a row that are a press. A hit is about two blocks, so these are three.
const HITS: u8 = 2;
/// Pairs of blocks without the tones, in a row, that end a press: a break of 10 ms spoils three.
const MISSES: u8 = 4;
/// What the two tones must have of a block's power at least. A block that a tone fills to less is not of the tone.
const SHARE: f64 = 0.75;
/// The weakest tone that counts: -33 dBm0. Receivers must take -24 to -29 by country (Q.24, annex A).
const LEAST: f64 = PEAK_0_DBM0 * 0.022_387;
/// How much more power the high tone may have (6 dB), and the low tone (9 dB): Q.24 has 4 to 6 and 7 to 8.
const TWIST: (f64, f64) = (3.981, 7.943);
/// How far a tone may be from its frequency: this part of it and this many hertz more. Receivers must take 1.5 % and
/// 2 Hz (Q.24); the rest is what the other tone of the pair adds to the measure.
const OFF: (f64, f64) = (0.018, 6.0);

/// A complex number.
type Complex = (f64, f64);

/// The filters (Goertzel) of the eight frequencies, side by side: the machine works on several at once.
#[derive(Clone, Copy, Debug)]
struct Bank {
    /// Twice the cosine of each frequency's turn in a sample.
    turn: [f64; 8],
    state: [[f64; 8]; 2],
}

impl Bank {
    fn run(&mut self, samples: &[i16]) {
        let (turn, [mut one, mut two]) = (self.turn, self.state);
        for sample in samples {
            let sample = f64::from(*sample);
            for ((one, two), turn) in one.iter_mut().zip(&mut two).zip(&turn) {
                let now = sample - *two + turn * *one;
                (*two, *one) = (*one, now);
            }
        }
        self.state = [one, two];
    }
}

/// What one frequency's filter has come to.
#[derive(Clone, Copy, Debug, Default)]
struct Filter {
    hertz: f64,
    turn: Complex,
    before: Complex,
    last: Complex,
}

impl Filter {
    fn new(hertz: u16) -> Self {
        let hertz = f64::from(hertz);
        let angle = TAU * hertz / 8_000.0;
        Self { hertz, turn: (angle.cos(), angle.sin()), ..Self::default() }
    }

    /// The block is whole: the filter's last two states.
    fn close(&mut self, one: f64, two: f64) {
        self.before = self.last;
        self.last = (one - self.turn.0 * two, self.turn.1 * two);
    }

    fn power(of: Complex) -> f64 {
        of.0 * of.0 + of.1 * of.1
    }

    fn strength(&self) -> f64 {
        Self::power(self.before) + Self::power(self.last)
    }

    /// How far the tone is from the frequency, in hertz: what the phase turned by more than it should.
    fn off(&self) -> f64 {
        let (a, b) = (self.last, self.before);
        let turned = (a.1 * b.0 - a.0 * b.1).atan2(a.0 * b.0 + a.1 * b.1);
        let blocks = f64::from(BLOCK);
        let more = turned - TAU * self.hertz * blocks / 8_000.0;
        let more = more - TAU * (more / TAU).round();
        more / TAU * 8_000.0 / blocks
    }
}

/// What the two blocks show.
struct Tone {
    at: usize,
    /// The tone's energy in the block before and in the last one.
    energy: [f64; 2],
}

/// The keys in one party's audio.
#[derive(Clone, Debug)]
pub(crate) struct Detector {
    low: [Filter; 4],
    high: [Filter; 4],
    bank: Bank,
    samples: u32,
    energy: f64,
    /// Of the block before and the last one.
    energies: [f64; 2],
    hit: Option<char>,
    hits: u8,
    pressed: Option<char>,
    misses: u8,
}

impl Default for Detector {
    fn default() -> Self {
        let (low, high) = (LOW.map(Filter::new), HIGH.map(Filter::new));
        let mut turn = [0.0; 8];
        for (turn, filter) in turn.iter_mut().zip(low.iter().chain(&high)) {
            *turn = 2.0 * filter.turn.0;
        }
        Self {
            low,
            high,
            bank: Bank { turn, state: [[0.0; 8]; 2] },
            samples: 0,
            energy: 0.0,
            energies: [0.0; 2],
            hit: None,
            hits: 0,
            pressed: None,
            misses: 0,
        }
    }
}

impl Detector {
    /// Takes the next samples; tells each key whose press is known with them.
    pub(crate) fn hear(&mut self, mut samples: &[i16], mut told: impl FnMut(char)) {
        while !samples.is_empty() {
            let wanted = (BLOCK - self.samples) as usize;
            let (now, later) = samples.split_at(wanted.min(samples.len()));
            samples = later;
            self.bank.run(now);
            self.energy += now.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum::<f64>();
            self.samples += now.len() as u32;
            if self.samples == BLOCK
                && let Some(key) = self.close()
            {
                told(key);
            }
        }
    }

    /// A block is whole.
    fn close(&mut self) -> Option<char> {
        let [one, two] = core::mem::take(&mut self.bank.state);
        for ((filter, one), two) in self.low.iter_mut().chain(&mut self.high).zip(one).zip(two) {
            filter.close(one, two);
        }
        self.samples = 0;
        self.energies = [self.energies[1], core::mem::take(&mut self.energy)];
        let hit = self.look();
        self.count(hit)
    }

    /// Whether the tones of a key are there, or may be: who gets the key in another way shall not hear them.
    pub(crate) fn hears_tones(&self) -> bool {
        self.pressed.is_some() || self.hits > 0
    }

    fn count(&mut self, hit: Option<char>) -> Option<char> {
        self.hits = match hit {
            Some(_) if hit == self.hit => self.hits.saturating_add(1),
            Some(_) => 1,
            None => 0,
        };
        self.hit = hit;
        if hit.is_some() && hit == self.pressed {
            self.misses = 0;
            return None;
        }
        if self.hits >= HITS {
            self.pressed = hit;
            self.misses = 0;
            return hit;
        }
        self.misses = self.misses.saturating_add(1);
        if self.misses >= MISSES {
            self.pressed = None;
        }
        None
    }

    /// The key whose tones are in the last two blocks.
    fn look(&self) -> Option<char> {
        let (low, high) = (tone(&self.low)?, tone(&self.high)?);
        for ((low, high), all) in low.energy.iter().zip(high.energy).zip(self.energies) {
            let fits = low + high >= SHARE * all && high <= low * TWIST.0 && *low <= high * TWIST.1;
            if !fits {
                return None;
            }
        }
        key_at(low.at, high.at)
    }
}

/// The strongest of a group, if it is a tone of its frequency and loud enough.
fn tone(group: &[Filter; 4]) -> Option<Tone> {
    let (at, filter) =
        group.iter().enumerate().max_by(|(_, a), (_, b)| a.strength().total_cmp(&b.strength()))?;
    let off = filter.off();
    if off.abs() > filter.hertz * OFF.0 + OFF.1 {
        return None;
    }
    // A filter beside a tone's frequency sees less of it.
    let turns = PI * off * f64::from(BLOCK) / 8_000.0;
    let seen = if turns.abs() < 1e-6 { 1.0 } else { turns.sin() / turns };
    let energy = |of: Complex| 2.0 * Filter::power(of) / f64::from(BLOCK) / (seen * seen);
    let energy = [energy(filter.before), energy(filter.last)];
    let least = LEAST * LEAST / 2.0 * f64::from(BLOCK);
    energy.iter().all(|energy| *energy >= least).then_some(Tone { at, energy })
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
