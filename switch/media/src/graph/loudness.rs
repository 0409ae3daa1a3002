//! How loud the members of a mix are: who speaks, and what makes them equally loud.
//!
//! Invariant: the speaker changes when another is clearly louder for a while, or when the present one has been silent for
//! longer than a breath; a cough, an echo or two voices at once change nothing.

use cordboard_model::media::MIX_MEMBERS_MAX;

/// Below this mean square nobody speaks: 40 dB below full scale, above the noise of a line.
const QUIET: f32 = 327.0 * 327.0;
/// Another takes over who is so much louder (6 dB) for so long, milliseconds.
const LOUDER: f32 = 4.0;
const TAKE_OVER_MS: u16 = 300;
/// Nobody speaks any more after so much silence, milliseconds.
const PAUSE_MS: u16 = 1_000;
/// A level follows what is heard within so much, milliseconds.
const SMOOTH_MS: f32 = 120.0;

/// Speech is brought to this mean square: 23 dB below full scale.
const TARGET: f32 = 2_320.0 * 2_320.0;
/// By 12 dB at most, either way.
const GAIN_MAX: f32 = 4.0;
/// It takes so many steps for most of the way.
const GAIN_STEPS: f32 = 64.0;
/// Fixed point of a gain.
const UNITY: f32 = 256.0;

/// Mean square of some samples.
pub(crate) fn mean_square(pcm: &[i16]) -> f32 {
    let sum: i64 = pcm.iter().map(|sample| i64::from(*sample) * i64::from(*sample)).sum();
    sum as f32 / pcm.len().max(1) as f32
}

/// Automatic gain of one member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gain {
    factor: f32,
    level: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self { factor: 1.0, level: TARGET }
    }
}

impl Gain {
    /// Makes samples of this mean square as loud as all are to be. Pauses are left as they are.
    pub(crate) fn apply(&mut self, pcm: &mut [i16], level: f32) {
        if level > QUIET {
            self.level += (level - self.level) / GAIN_STEPS;
            let wanted = (TARGET / self.level.max(1.0)).sqrt().clamp(1.0 / GAIN_MAX, GAIN_MAX);
            self.factor += (wanted - self.factor) / GAIN_STEPS;
        }
        let factor = (self.factor * UNITY) as i32;
        for sample in pcm {
            let louder = i32::from(*sample) * factor / UNITY as i32;
            *sample = louder.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker {
    levels: [f32; MIX_MEMBERS_MAX],
    now: Option<usize>,
    /// Who is louder than the present one, and for how long.
    next: Option<usize>,
    louder_ms: u16,
    quiet_ms: u16,
}

impl Default for Speaker {
    fn default() -> Self {
        Self { levels: [0.0; MIX_MEMBERS_MAX], now: None, next: None, louder_ms: 0, quiet_ms: 0 }
    }
}

impl Speaker {
    /// Forgets who sat at a place; true if that one spoke.
    pub(crate) fn leaves(&mut self, place: usize) -> bool {
        if let Some(level) = self.levels.get_mut(place) {
            *level = 0.0;
        }
        self.next = self.next.filter(|next| *next != place);
        let spoke = self.now == Some(place);
        if spoke {
            self.now = None;
        }
        spoke
    }

    /// Everybody sits elsewhere now: by old place, the new one.
    pub(crate) fn moves(&mut self, to: &[Option<usize>; MIX_MEMBERS_MAX]) {
        let before = core::mem::replace(&mut self.levels, [0.0; MIX_MEMBERS_MAX]);
        for (to, level) in to.iter().zip(before) {
            if let Some(place) = to.and_then(|to| self.levels.get_mut(to)) {
                *place = level;
            }
        }
        let place_of = |old: Option<usize>| old.and_then(|old| to.get(old).copied().flatten());
        (self.now, self.next) = (place_of(self.now), place_of(self.next));
    }

    /// What was heard in a step, by place. Says who speaks if that has changed.
    pub(crate) fn step(&mut self, heard: &[f32], step_ms: u8) -> Option<Option<usize>> {
        let part = (f32::from(step_ms) / SMOOTH_MS).min(1.0);
        for (level, heard) in self.levels.iter_mut().zip(heard) {
            *level += (heard - *level) * part;
        }
        let loudest = self.levels.iter().take(heard.len()).enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let loudest = loudest.filter(|(_, level)| **level > QUIET).map(|(place, level)| (place, *level));
        let present = self.now.and_then(|now| self.levels.get(now)).copied().unwrap_or(0.0);
        let before = self.now;
        self.quiet_ms = if present > QUIET { 0 } else { self.quiet_ms.saturating_add(u16::from(step_ms)) };
        match loudest {
            Some((place, level)) if self.now != Some(place) && (level > present * LOUDER) => {
                let goes_on = self.next == Some(place);
                self.louder_ms = if goes_on { self.louder_ms + u16::from(step_ms) } else { 0 };
                self.next = Some(place);
                if self.louder_ms >= TAKE_OVER_MS {
                    (self.now, self.next, self.louder_ms, self.quiet_ms) = (Some(place), None, 0, 0);
                }
            }
            _ => (self.next, self.louder_ms) = (None, 0),
        }
        if self.now.is_some() && self.quiet_ms >= PAUSE_MS {
            self.now = None;
        }
        (self.now != before).then_some(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of 20 ms with these mean squares, until something changes; says after how long, and to whom.
    fn until(speaker: &mut Speaker, heard: &[f32], most_ms: u32) -> Option<(u32, Option<usize>)> {
        (1..=most_ms / 20).find_map(|n| speaker.step(heard, 20).map(|who| (n * 20, who)))
    }

    const LOUD: f32 = 4e6;

    #[test]
    fn who_speaks_is_told_after_a_moment_and_silence_after_a_breath() {
        let mut speaker = Speaker::default();
        assert_eq!(until(&mut speaker, &[0.0, 100.0, 200.0], 5_000), None, "noise is nobody");
        let (after, who) = until(&mut speaker, &[0.0, LOUD, 0.0], 1_000).unwrap();
        assert_eq!(who, Some(1));
        assert!((300..=400).contains(&after), "{after}");
        let (after, who) = until(&mut speaker, &[0.0; 3], 5_000).unwrap();
        assert_eq!(who, None);
        assert!((1_000..=2_000).contains(&after), "{after}");
    }

    #[test]
    fn a_cough_or_an_equal_voice_changes_nothing_and_a_louder_one_takes_over() {
        let mut speaker = Speaker::default();
        until(&mut speaker, &[LOUD, 0.0], 1_000).unwrap();
        assert_eq!(until(&mut speaker, &[LOUD, LOUD * 2.0], 10_000), None, "3 dB louder");
        assert_eq!(until(&mut speaker, &[LOUD / 100.0, LOUD], 240), None, "a cough");
        assert_eq!(until(&mut speaker, &[LOUD, 0.0], 1_000), None);
        assert_eq!(until(&mut speaker, &[LOUD / 100.0, LOUD], 1_000).unwrap().1, Some(1));
        assert!(speaker.leaves(1));
        assert!(!speaker.leaves(0));
    }

    #[test]
    fn gain_makes_a_soft_voice_as_loud_as_a_loud_one_and_leaves_a_pause_alone() {
        let told = |amplitude: i16| {
            let mut gain = Gain::default();
            let mut last = 0.0;
            for _ in 0..500 {
                let mut pcm = [amplitude; 160];
                let level = mean_square(&pcm);
                gain.apply(&mut pcm, level);
                last = mean_square(&pcm).sqrt();
            }
            last
        };
        assert!((told(800) - 2_320.0).abs() < 50.0, "{}", told(800));
        assert!((told(6_000) - 2_320.0).abs() < 50.0, "{}", told(6_000));
        assert!((told(30) - 30.0).abs() < 1.5, "a pause: {}", told(30));
    }
}
