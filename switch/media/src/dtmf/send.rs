//! Sending digits (RFC 4733 2.5.1): the marker on the first packet of each, one timestamp all through,
//! the last packet three times.

use super::event::{Event, code_of, digit_of};
use super::pair::tones_of;
use crate::rtp::ahead;
use crate::tone::Sine;

/// Digits that may wait on one leg; more are refused and counted.
pub(crate) const DIGITS_MAX: usize = 64;
/// Samples between the last packet of a digit and the next digit: 50 ms (ITU-T Q.24 wants 40).
const PAUSE: u32 = 400;
/// "the final packet [...] SHOULD be sent a total of three times" (RFC 4733 2.5.1.4).
const ENDS: u8 = 3;
/// -10 dBm0, the level phones use.
const VOLUME: u8 = 10;

/// Samples of silence after a key's tones: 80 ms. Q.24 wants 30 to 40 at least by country.
const TONE_PAUSE: u32 = 640;

/// The tones of one key.
#[derive(Clone, Copy, Debug)]
struct Tones {
    pair: [Sine; 2],
    left: u32,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    code: u8,
    began: u32,
    length: u16,
    ends: u8,
}

/// One packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventPacket {
    pub event: Event,
    pub timestamp: u32,
    pub marker: bool,
}

/// The digits one leg sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DigitSender {
    waiting: [u8; DIGITS_MAX],
    lengths: [u16; DIGITS_MAX],
    head: u8,
    count: u8,
    current: Option<Current>,
    tones: Option<Tones>,
    pause: u32,
}

impl Default for DigitSender {
    fn default() -> Self {
        Self {
            waiting: [0; DIGITS_MAX],
            lengths: [0; DIGITS_MAX],
            head: 0,
            count: 0,
            current: None,
            tones: None,
            pause: 0,
        }
    }
}

impl DigitSender {
    /// Adds a digit of this length. False if it was refused.
    pub(crate) fn add(&mut self, digit: char, length_ms: u16) -> bool {
        let length = length_ms.clamp(40, 5_000) * 8;
        let Some(code) = code_of(digit).filter(|_| usize::from(self.count) < DIGITS_MAX) else {
            return false;
        };
        let at = (usize::from(self.head) + usize::from(self.count)) % DIGITS_MAX;
        self.waiting[at] = code;
        self.lengths[at] = length;
        self.count += 1;
        true
    }

    /// Forgets everything; says how many digits were not sent to their end.
    pub(crate) fn clear(&mut self) -> u64 {
        let lost = u64::from(self.count) + u64::from(self.current.is_some() || self.tones.is_some());
        *self = Self::default();
        lost
    }

    /// Whether there is something to send, or a pause to keep.
    pub(crate) fn is_active(&self) -> bool {
        self.count > 0 || self.current.is_some() || self.tones.is_some() || self.pause > 0
    }

    /// The frame of `samples` that begins at `timestamp`: an event packet, or nothing of ours.
    pub(crate) fn frame(&mut self, timestamp: u32, samples: u32) -> Option<EventPacket> {
        self.tones = None;
        if self.current.is_none() {
            if self.pause > 0 {
                self.pause = self.pause.saturating_sub(samples);
                return None;
            }
            let (code, length) = self.pop()?;
            self.current = Some(Current { code, began: timestamp, length, ends: 0 });
        }
        let current = self.current.as_mut()?;
        let elapsed = ahead(timestamp, current.began).unsigned_abs() + samples;
        let end = elapsed >= u32::from(current.length);
        let packet = EventPacket {
            event: Event {
                code: current.code,
                end,
                volume: VOLUME,
                duration: elapsed.min(u32::from(current.length)) as u16,
            },
            timestamp: current.began,
            marker: timestamp == current.began,
        };
        current.ends += u8::from(end);
        if current.ends == ENDS {
            self.current = None;
            self.pause = if self.count > 0 { PAUSE } else { 0 };
        }
        Some(packet)
    }

    /// The next sample of the keys as tones; silence between them.
    pub(crate) fn sample(&mut self) -> i16 {
        self.current = None;
        if self.tones.is_none() {
            if self.pause > 0 {
                self.pause -= 1;
                return 0;
            }
            let next = self.pop().and_then(|(code, length)| Some((tones_of(digit_of(code)?)?, length)));
            self.tones = next.map(|(pair, length)| Tones { pair, left: u32::from(length) });
        }
        let Some(tones) = self.tones.as_mut() else {
            return 0;
        };
        let [low, high] = &mut tones.pair;
        let sample = low.sample().saturating_add(high.sample());
        tones.left = tones.left.saturating_sub(1);
        if tones.left == 0 {
            self.tones = None;
            self.pause = TONE_PAUSE;
        }
        sample
    }

    fn pop(&mut self) -> Option<(u8, u16)> {
        self.count = self.count.checked_sub(1)?;
        let at = usize::from(self.head);
        let digit = (self.waiting[at], self.lengths[at]);
        self.head = ((usize::from(self.head) + 1) % DIGITS_MAX) as u8;
        Some(digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many were refused.
    fn add(sender: &mut DigitSender, digits: &str, length_ms: u16) -> usize {
        digits.chars().filter(|digit| !sender.add(*digit, length_ms)).count()
    }

    fn run(sender: &mut DigitSender, samples: u32, mut timestamp: u32) -> Vec<String> {
        let mut out = Vec::new();
        while sender.is_active() {
            out.push(match sender.frame(timestamp, samples) {
                Some(p) => format!(
                    "{} ts={} dur={}{}{}",
                    p.event.digit().unwrap(),
                    p.timestamp.wrapping_sub(1_000) as i32,
                    p.event.duration,
                    if p.marker { " M" } else { "" },
                    if p.event.end { " E" } else { "" }
                ),
                None => "-".into(),
            });
            timestamp = timestamp.wrapping_add(samples);
        }
        out
    }

    #[test]
    fn each_digit_has_one_timestamp_a_marker_and_three_ends() {
        let mut sender = DigitSender::default();
        assert_eq!(add(&mut sender, "1#", 60), 0);
        assert_eq!(
            run(&mut sender, 160, 1_000),
            [
                "1 ts=0 dur=160 M",
                "1 ts=0 dur=320",
                "1 ts=0 dur=480 E",
                "1 ts=0 dur=480 E",
                "1 ts=0 dur=480 E",
                "-",
                "-",
                "-",
                "# ts=1280 dur=160 M",
                "# ts=1280 dur=320",
                "# ts=1280 dur=480 E",
                "# ts=1280 dur=480 E",
                "# ts=1280 dur=480 E",
            ]
        );
    }

    #[test]
    fn the_length_is_exact_and_within_its_bounds() {
        for (asked, samples) in [(0, 320), (45, 360), (100, 800), (60_000, 40_000)] {
            let mut sender = DigitSender::default();
            add(&mut sender, "5", asked);
            let sent = run(&mut sender, 240, u32::MAX - 100);
            let last = sent.last().unwrap();
            assert!(last.ends_with(&format!("dur={samples} E")), "{last}");
        }
    }

    #[test]
    fn keys_as_tones_last_as_long_as_asked_with_a_pause_after_each() {
        let mut sender = DigitSender::default();
        add(&mut sender, "1D", 80);
        let mut audio = Vec::new();
        while sender.is_active() {
            audio.push(sender.sample());
        }
        assert_eq!(audio.len(), 2 * (640 + 640));
        for (pair, at) in [([697.0, 1_209.0], 0), ([941.0, 1_633.0], 1_280)] {
            let tone = &audio[at..at + 640];
            let shares = pair.map(|hertz| crate::tone::Goertzel::share(tone, hertz));
            assert!((shares[1] / shares[0] - 1.585).abs() < 0.1, "2 dB more above: {shares:?}");
            assert!(shares[0] + shares[1] > 0.97, "{shares:?}");
            assert!(audio[at + 640..at + 1_280].iter().all(|sample| *sample == 0));
        }
    }

    #[test]
    fn what_was_begun_in_one_way_is_not_ended_in_the_other() {
        let mut sender = DigitSender::default();
        add(&mut sender, "12", 80);
        sender.frame(0, 160);
        let tones = (0..3_000).filter(|_| sender.sample() != 0).count();
        assert!(tones > 500 && !sender.is_active(), "the second, as tones");
        add(&mut sender, "34", 80);
        sender.sample();
        assert_eq!(run(&mut sender, 160, 1_000).len(), 6, "the second, as an event");
    }

    #[test]
    fn too_many_digits_and_what_is_no_digit_are_refused() {
        let mut sender = DigitSender::default();
        assert_eq!(add(&mut sender, &"1".repeat(70), 100), 6);
        let mut sender = DigitSender::default();
        assert_eq!(add(&mut sender, "1x 2", 100), 2);
        assert_eq!(sender.clear(), 2);
        assert!(!sender.is_active());
    }
}
