//! Sending digits (RFC 4733 2.5.1): the marker on the first packet of each, one timestamp all through,
//! the last packet three times.

use super::event::{Event, code_of, digit_of};
use super::pair::tones_of;
use crate::rtp::{Clock, ahead};
use crate::tone::Sine;

/// Digits that may wait on one leg; more are refused and counted.
pub(crate) const DIGITS_MAX: usize = 64;
/// Milliseconds between the last packet of a digit and the next digit (ITU-T Q.24 wants 40).
const PAUSE_MS: u32 = 50;
/// "the final packet [...] SHOULD be sent a total of three times" (RFC 4733 2.5.1.4).
const ENDS: u8 = 3;
/// -10 dBm0, the level phones use.
const VOLUME: u8 = 10;

/// Milliseconds of silence after a key's tones. Q.24 wants 30 to 40 at least by country.
const TONE_PAUSE_MS: u32 = 80;
/// "If an event has a duration that exceeds the maximum [...] expressible in the duration field, the event MUST be divided"
/// into segments (RFC 4733 2.5.1.3): 8.2 s at 8 kHz, 1.4 s at 48.
const SEGMENT: u32 = 0xffff;

/// The tones of one key.
#[derive(Clone, Copy, Debug)]
struct Tones {
    pair: [Sine; 2],
    /// At 8 kHz.
    left: u32,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    code: u8,
    began: u32,
    length_ms: u16,
    ends: u8,
    /// Of the event's clock: how much of it lies in segments that are over.
    over: u32,
}

/// The clocks that events are sent by: that of the stream's timestamps, and that of the durations. They are one, unless the
/// peer knows events of 8 kHz alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    pub stream: Clock,
    pub event: Clock,
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
    lengths_ms: [u16; DIGITS_MAX],
    head: u8,
    count: u8,
    current: Option<Current>,
    tones: Option<Tones>,
    pause_ms: u32,
    /// Samples of the pause after tones that are still to be made, at 8 kHz.
    tone_pause: u32,
}

impl Default for DigitSender {
    fn default() -> Self {
        Self {
            waiting: [0; DIGITS_MAX],
            lengths_ms: [0; DIGITS_MAX],
            head: 0,
            count: 0,
            current: None,
            tones: None,
            pause_ms: 0,
            tone_pause: 0,
        }
    }
}

impl DigitSender {
    /// Adds a digit of this length. False if it was refused.
    pub(crate) fn add(&mut self, digit: char, length_ms: u16) -> bool {
        let Some(code) = code_of(digit).filter(|_| usize::from(self.count) < DIGITS_MAX) else {
            return false;
        };
        let at = (usize::from(self.head) + usize::from(self.count)) % DIGITS_MAX;
        self.waiting[at] = code;
        self.lengths_ms[at] = length_ms.clamp(40, 5_000);
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
        self.count > 0
            || self.current.is_some()
            || self.tones.is_some()
            || self.pause_ms > 0
            || self.tone_pause > 0
    }

    /// The frame of `ms` milliseconds that begins at `timestamp`: an event packet, or nothing of ours.
    pub(crate) fn frame(&mut self, timestamp: u32, ms: u32, clocks: Clocks) -> Option<EventPacket> {
        self.tones = None;
        self.pause_ms += core::mem::take(&mut self.tone_pause) / 8;
        if self.current.is_none() {
            if self.pause_ms > 0 {
                self.pause_ms = self.pause_ms.saturating_sub(ms);
                return None;
            }
            let (code, length_ms) = self.pop()?;
            self.current = Some(Current { code, began: timestamp, length_ms, ends: 0, over: 0 });
        }
        let current = self.current.as_mut()?;
        let passed = u64::from(ahead(timestamp, current.began).unsigned_abs());
        let elapsed_ms = passed * 1_000 / u64::from(clocks.stream.hertz()) + u64::from(ms);
        let lasts_ms = elapsed_ms.min(u64::from(current.length_ms));
        let lasts = clocks.event.ticks_in_ms(lasts_ms) as u32 - current.over;
        let before =
            u64::from(current.over) * u64::from(clocks.stream.hertz()) / u64::from(clocks.event.hertz());
        let is_over = lasts > SEGMENT;
        let end = !is_over && elapsed_ms >= u64::from(current.length_ms);
        let packet = EventPacket {
            event: Event { code: current.code, end, volume: VOLUME, duration: lasts.min(SEGMENT) as u16 },
            timestamp: current.began.wrapping_add(before as u32),
            marker: timestamp == current.began,
        };
        if is_over {
            current.over += SEGMENT;
        }
        current.ends += u8::from(end);
        if current.ends == ENDS {
            self.current = None;
            self.pause_ms = if self.count > 0 { PAUSE_MS } else { 0 };
        }
        Some(packet)
    }

    /// The next sample of the keys as tones; silence between them.
    pub(crate) fn sample(&mut self) -> i16 {
        self.current = None;
        self.tone_pause += core::mem::take(&mut self.pause_ms) * 8;
        if self.tones.is_none() {
            if self.tone_pause > 0 {
                self.tone_pause -= 1;
                return 0;
            }
            let next = self.pop().and_then(|(code, length)| Some((tones_of(digit_of(code)?)?, length)));
            self.tones = next.map(|(pair, length)| Tones { pair, left: u32::from(length) * 8 });
        }
        let Some(tones) = self.tones.as_mut() else {
            return 0;
        };
        let [low, high] = &mut tones.pair;
        let sample = low.sample().saturating_add(high.sample());
        tones.left = tones.left.saturating_sub(1);
        if tones.left == 0 {
            self.tones = None;
            self.tone_pause = TONE_PAUSE_MS * 8;
        }
        sample
    }

    fn pop(&mut self) -> Option<(u8, u16)> {
        self.count = self.count.checked_sub(1)?;
        let at = usize::from(self.head);
        let digit = (self.waiting[at], self.lengths_ms[at]);
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

    const NARROW: Clocks = Clocks { stream: Clock::new(8_000), event: Clock::new(8_000) };

    fn run(sender: &mut DigitSender, samples: u32, timestamp: u32) -> Vec<String> {
        run_at(NARROW, sender, samples, timestamp)
    }

    fn run_at(clocks: Clocks, sender: &mut DigitSender, samples: u32, mut timestamp: u32) -> Vec<String> {
        let mut out = Vec::new();
        let ms = samples * 1_000 / clocks.stream.hertz();
        while sender.is_active() {
            out.push(match sender.frame(timestamp, ms, clocks) {
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
    fn durations_count_the_clock_that_was_agreed_on_and_a_long_press_is_cut_into_segments() {
        let wide = |hertz| Clocks { stream: Clock::new(48_000), event: Clock::new(hertz) };
        let mut sender = DigitSender::default();
        add(&mut sender, "1", 60);
        let expected = ["1 ts=0 dur=960 M", "1 ts=0 dur=1920", "1 ts=0 dur=2880 E"];
        assert_eq!(run_at(wide(48_000), &mut sender, 960, 1_000)[..3], expected);
        add(&mut sender, "1", 60);
        let expected = ["1 ts=0 dur=160 M", "1 ts=0 dur=320", "1 ts=0 dur=480 E"];
        assert_eq!(run_at(wide(8_000), &mut sender, 960, 1_000)[..3], expected, "a peer of 8 kHz");
        add(&mut sender, "5", 3_000);
        let sent = run_at(wide(48_000), &mut sender, 960, 1_000);
        assert_eq!(sent[68..71], ["5 ts=0 dur=65535", "5 ts=65535 dur=1665", "5 ts=65535 dur=2625"]);
        assert_eq!(sent.last().unwrap(), "5 ts=131070 dur=12930 E");
        assert_eq!(sent.iter().filter(|packet| packet.contains(" M")).count(), 1);
        let mut receiver = crate::dtmf::receive::DigitReceiver::default();
        receiver.set_clock(Clock::new(48_000));
        add(&mut sender, "5", 5_000);
        let mut timestamp = 7;
        let mut told = 0;
        while sender.is_active() {
            let packet = sender.frame(timestamp, 20, wide(48_000));
            told += packet.map_or(0, |packet| u32::from(receiver.take(packet.timestamp, packet.event)));
            timestamp += 960;
        }
        assert_eq!(told, 1, "one press");
    }

    #[test]
    fn what_was_begun_in_one_way_is_not_ended_in_the_other() {
        let mut sender = DigitSender::default();
        add(&mut sender, "12", 80);
        sender.frame(0, 20, NARROW);
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
