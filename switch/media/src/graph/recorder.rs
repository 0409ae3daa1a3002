//! A recording: what two parties say, left and right, on one sample clock.
//!
//! Invariant: frame n of the file is the moment n/rate s after the start, on both channels; the rate, 8 or 16 kHz, is the
//! recording's from its beginning to its end, whatever the parties speak meanwhile. Packets
//! are placed by their RTP timestamp against that clock, so jitter is undone within a hold-back
//! window, what is lost is silence, and a sender's clock that drifts is brought back before it is
//! 20 ms off. Memory is one ring, allocated when the recording starts; audio that nobody took
//! in time becomes silence of the same length, counted.

use crate::codec::{NARROW, WIDE};
use crate::graph::fit::Fit;
use crate::kit::Stock;
use crate::rtp::ahead;
use cordboard_model::id::RecordingId;
use cordboard_model::time::{Duration, Time};

/// A packet may come this much late, milliseconds, and still find its place.
const HOLD_BACK_MS: u64 = 200;
/// And lie so far ahead, when the packets before it were late.
const AHEAD_MAX_MS: u64 = 100;
/// Packets too late in a row that move the channel's clock: the path has become longer.
const LATE_RUN: u8 = 5;
/// Packets between two looks at the drift.
const DRIFT_WINDOW: u8 = 50;
/// Drift that is corrected, milliseconds, so that two clocks that go opposite ways are not 20 ms apart.
const DRIFT_MAX_MS: u64 = 5;
/// A party that sends no silence and begins to speak again after a second has nothing to cut: its clock is set right at
/// once. What is late may be so by the path; it counts as drift as far as a clock can have gone wrong meanwhile,
/// one part in 3,333 (300 ppm).
const SPURT_GAP_MS: u64 = 1_000;
const DRIFT_PART: i64 = 3_333;
/// How often recorded audio is handed over.
pub(crate) const STEP: Duration = Duration::from_millis(60);

/// Pauses whose frames may still come; of more than these the oldest two become one.
const PAUSES: usize = 4;

/// Left or right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Left,
    Right,
}

impl Channel {
    fn index(self) -> usize {
        match self {
            Channel::Left => 0,
            Channel::Right => 1,
        }
    }
}

/// A packet of a party.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken<'a> {
    pub epoch: u32,
    /// Of a clock of 8, 16 or 48 kHz.
    pub timestamp: u32,
    pub clock_hz: u32,
    /// At the rate that was told by [`Recorder::expect`].
    pub pcm: &'a [i16],
    /// It is nobody's business: its place stays silent.
    pub secret: bool,
}

/// Which frame a channel's timestamps stand for.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    epoch: u32,
    timestamp: u32,
    frame: i64,
    /// The frame after the newest packet.
    end: i64,
    /// Ticks of its clock in a second, and frames.
    clock: i64,
    rate: i64,
    late: u8,
    /// The least lateness in this window, in frames: what the path takes at best.
    best: i64,
    seen: u8,
}

impl Anchor {
    fn new(spoken: Spoken<'_>, rate: u32, frame: i64) -> Self {
        let Spoken { epoch, timestamp, clock_hz, .. } = spoken;
        let (clock, rate) = (i64::from(clock_hz.max(NARROW)), i64::from(rate));
        Self { epoch, timestamp, frame, end: frame, clock, rate, late: 0, best: i64::MAX, seen: 0 }
    }

    /// The frame of a timestamp. The anchor moves along by whole ticks and frames, of which one is a multiple of the other, so
    /// that it is never half a turn of the 32 bits behind: at 48 kHz that is twelve hours.
    fn frame_of(&mut self, timestamp: u32) -> i64 {
        let frames = (i64::from(ahead(timestamp, self.timestamp)) * self.rate).div_euclid(self.clock);
        let frame = self.frame + frames;
        if frames > 0 {
            self.timestamp = self.timestamp.wrapping_add((frames * self.clock / self.rate) as u32);
            self.frame = frame;
        }
        frame
    }

    /// So many frames.
    fn ms(&self, ms: u64) -> i64 {
        ms as i64 * self.rate / 1_000
    }

    /// Begins to speak again: says by how much the clock is set right.
    fn begin_spurt(&mut self, frame: i64, lateness: i64) -> i64 {
        let gap = frame.saturating_sub(self.end);
        if gap < self.ms(SPURT_GAP_MS) {
            return 0;
        }
        let shift = lateness.min(gap / DRIFT_PART);
        (self.frame, self.best, self.seen) = (self.frame + shift, i64::MAX, 0);
        shift
    }

    /// Shifts the clock when even the quickest packet of the window was early or late.
    fn follow_drift(&mut self, lateness: i64) {
        self.best = self.best.min(lateness);
        self.seen += 1;
        if self.seen == DRIFT_WINDOW {
            if self.best.abs() > self.ms(DRIFT_MAX_MS) {
                self.frame += self.best;
            }
            self.best = i64::MAX;
            self.seen = 0;
        }
    }
}

/// One recording.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    id: RecordingId,
    start: Time,
    /// Frames a second.
    rate: u32,
    /// For channels whose samples come at another rate.
    fit: [Option<Box<Fit>>; 2],
    /// Frames of left and right; what is not written is zero.
    ring: Box<[[i16; 2]]>,
    anchors: [Option<Anchor>; 2],
    /// The first frame in the ring that was not handed over.
    read: u64,
    /// Frames below this one are final.
    settled: u64,
    /// Silence to hand over before the frame at `read`.
    owed: u64,
    dropped: u64,
    closing: bool,
    pauses: Pauses,
}

/// Whole frames in a duration.
fn frames_in(rate: u32, duration: Duration) -> u64 {
    // either rate divides a second's nanoseconds
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX) / u64::from(1_000_000_000 / rate.max(1))
}

/// Stretches of frames that stay silent whatever comes for them.
#[derive(Clone, Copy, Debug, Default)]
struct Pauses {
    /// From a frame on, up to another; the last may be open.
    spans: [(u64, u64); PAUSES],
    len: usize,
}

impl Pauses {
    fn last(&mut self) -> Option<&mut (u64, u64)> {
        self.spans.get_mut(self.len.checked_sub(1)?)
    }

    fn is_on(&mut self) -> bool {
        self.last().is_some_and(|(_, to)| *to == u64::MAX)
    }

    fn begin(&mut self, frame: u64) {
        if self.len == PAUSES {
            // Rather silence too much than a word that was not to be kept.
            let (first, end) = (self.spans[0].0, self.spans[1].1);
            self.spans.copy_within(1.., 0);
            (self.spans[0], self.len) = ((first, end), PAUSES - 1);
        }
        if let Some(next) = self.spans.get_mut(self.len) {
            *next = (frame, u64::MAX);
            self.len += 1;
        }
    }

    fn end(&mut self, frame: u64) {
        if let Some((_, to)) = self.last() {
            *to = frame;
        }
    }

    fn cover(&self, frame: u64) -> bool {
        self.spans.iter().take(self.len).any(|(from, to)| (*from..*to).contains(&frame))
    }
}

impl Recorder {
    /// Begins at this moment, and has this name.
    pub(crate) fn begin(&mut self, id: RecordingId, now: Time) {
        (self.id, self.start) = (id, now);
    }

    /// Starts, at 8 kHz or 16; allocates the ring, at least as long as the window needs.
    pub(crate) fn new(id: RecordingId, rate: u32, ring: Duration, now: Time) -> Self {
        let rate = rate.clamp(NARROW, WIDE);
        let least = Duration::from_millis(HOLD_BACK_MS + AHEAD_MAX_MS) + STEP + STEP;
        let frames = frames_in(rate, ring.max(least)).min(1 << 24) as usize;
        Self {
            id,
            start: now,
            rate,
            fit: [None, None],
            ring: vec![[0; 2]; frames].into(),
            anchors: [None; 2],
            read: 0,
            settled: 0,
            owed: 0,
            dropped: 0,
            closing: false,
            pauses: Pauses::default(),
        }
    }

    /// Which recording this is.
    pub(crate) fn id(&self) -> RecordingId {
        self.id
    }

    /// Frames a second.
    pub(crate) fn rate(&self) -> u32 {
        self.rate
    }

    /// What is said on a channel comes as samples at `rate` from now on.
    pub(crate) fn expect(&mut self, channel: Channel, rate: u32, stock: &mut Stock) {
        let fit = &mut self.fit[channel.index()];
        let (before, after) = (fit.is_some(), rate != self.rate);
        if before != after {
            let made = if after { stock.fit(rate, self.rate) } else { None };
            stock.discard(core::mem::replace(fit, made));
        }
    }

    fn frame_at(&self, at: Time) -> u64 {
        frames_in(self.rate, at.since(self.start))
    }

    fn ms(&self, ms: u64) -> u64 {
        ms * u64::from(self.rate) / 1_000
    }

    fn slot(&mut self, frame: u64) -> Option<&mut [i16; 2]> {
        let at = (frame % self.ring.len() as u64) as usize;
        self.ring.get_mut(at)
    }

    /// Begins a pause or ends it; says from which frame on, if that changed something. What was heard for later
    /// frames goes; what comes late and belongs before them is kept.
    pub(crate) fn pause(&mut self, on: bool, now: Time) -> Option<u64> {
        if self.closing || self.pauses.is_on() == on {
            return None;
        }
        let frame = self.frame_at(now);
        if !on {
            self.pauses.end(frame);
            return Some(frame);
        }
        self.pauses.begin(frame);
        for later in frame.max(self.read)..self.read + self.ring.len() as u64 {
            if let Some(pair) = self.slot(later) {
                *pair = [0; 2];
            }
        }
        Some(frame)
    }

    /// Puts a packet where it belongs.
    pub(crate) fn place(&mut self, channel: Channel, spoken: Spoken<'_>, now: Time) {
        if self.closing {
            return;
        }
        let arrived = self.frame_at(now) as i64;
        let fit = &mut self.fit[channel.index()];
        let frames = fit.as_ref().map_or(spoken.pcm.len() as i64, |fit| fit.frames(spoken.pcm.len()));
        let mut fit = fit.take();
        if let Some(first) = self.locate(channel, spoken, frames, arrived) {
            self.make_room((first + frames).max(0) as u64);
            match &mut fit {
                _ if spoken.secret => {}
                None => self.write(channel, first, spoken.pcm),
                Some(fit) => fit.run(first, spoken.pcm, |at, pcm| self.write(channel, at, pcm)),
            }
        }
        self.fit[channel.index()] = fit;
    }

    fn write(&mut self, channel: Channel, first: i64, pcm: &[i16]) {
        let (settled, pauses) = (self.settled, self.pauses);
        for (frame, sample) in (first..).zip(pcm) {
            let Some(frame) = u64::try_from(frame).ok().filter(|f| *f >= settled && !pauses.cover(*f)) else {
                continue;
            };
            if let Some(pair) = self.slot(frame) {
                pair[channel.index()] = *sample;
            }
        }
    }

    /// The frame at which a packet begins; `None` if it is too late to matter.
    fn locate(&mut self, channel: Channel, spoken: Spoken<'_>, frames: i64, arrived: i64) -> Option<i64> {
        let settled = self.settled as i64;
        let anew = Anchor::new(spoken, self.rate, arrived);
        let anchor = &mut self.anchors[channel.index()];
        let same = |a: &&mut Anchor| a.epoch == spoken.epoch && a.clock == anew.clock;
        let Some(anchor) = anchor.as_mut().filter(same) else {
            *anchor = Some(anew);
            return Some(arrived);
        };
        let mut frame = anchor.frame_of(spoken.timestamp);
        let mut lateness = arrived.saturating_sub(frame);
        if -lateness > anchor.ms(AHEAD_MAX_MS) {
            *anchor = anew;
            return Some(arrived);
        }
        let shift = anchor.begin_spurt(frame, lateness);
        (frame, lateness) = (frame + shift, lateness - shift);
        if frame < settled {
            anchor.late += 1;
            if anchor.late < LATE_RUN {
                return None;
            }
            *anchor = anew;
            return Some(arrived);
        }
        anchor.late = 0;
        anchor.end = anchor.end.max(frame + frames);
        anchor.follow_drift(lateness);
        Some(frame)
    }

    /// The ring must reach to frame `end`: the oldest frames give way and become silence.
    fn make_room(&mut self, end: u64) {
        let first = end.saturating_sub(self.ring.len() as u64);
        let Some(over) = first.checked_sub(self.read).filter(|over| *over > 0) else {
            return;
        };
        for frame in self.read..first.min(self.read + self.ring.len() as u64) {
            if let Some(pair) = self.slot(frame) {
                *pair = [0; 2];
            }
        }
        self.read = first;
        self.settled = self.settled.max(first);
        self.owed += over;
        self.dropped += over;
    }

    /// The clock has reached `now`.
    pub(crate) fn tick(&mut self, now: Time) {
        let reached = self.frame_at(now);
        if !self.closing {
            self.make_room(reached + self.ms(AHEAD_MAX_MS));
            self.settled = self.settled.max(reached.saturating_sub(self.ms(HOLD_BACK_MS)));
        }
    }

    /// The recording ends here: all up to `now` is final.
    pub(crate) fn close(&mut self, now: Time) {
        if !self.closing {
            let reached = self.frame_at(now);
            self.make_room(reached);
            self.settled = self.settled.max(reached);
            self.closing = true;
        }
    }

    /// Frames that can be handed over.
    pub(crate) fn waiting(&self) -> u64 {
        self.owed + (self.settled - self.read)
    }

    /// Hands over as many frames as fit; how many.
    pub(crate) fn take(&mut self, out: &mut [i16]) -> usize {
        let mut taken = 0;
        for pair in out.chunks_exact_mut(2) {
            if self.owed > 0 {
                self.owed -= 1;
                pair.fill(0);
            } else if self.read < self.settled {
                let frame = self.read;
                self.read += 1;
                if let Some(slot) = self.slot(frame) {
                    pair.copy_from_slice(slot);
                    *slot = [0; 2];
                }
            } else {
                break;
            }
            taken += 1;
        }
        taken
    }

    /// Whether it was stopped and everything was handed over.
    pub(crate) fn is_done(&self) -> bool {
        self.closing && self.waiting() == 0
    }

    /// Length so far and audio replaced by silence, both in milliseconds.
    pub(crate) fn lengths_ms(&self) -> (u64, u64) {
        let ms = u64::from(self.rate / 1_000);
        (self.settled / ms, self.dropped.div_ceil(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};

    const LOUD: i16 = 32_256;

    struct Tape {
        recorder: Recorder,
        heard: Vec<[i16; 2]>,
    }

    impl Tape {
        fn new() -> Self {
            let id = IdMaker::new(1, 0).recording(TenantId::DEFAULT);
            let recorder = Recorder::new(id, NARROW, Duration::from_millis(512), Time::ZERO);
            Self { recorder, heard: Vec::new() }
        }

        fn speak(&mut self, channel: Channel, timestamp: u32, ms: f64) {
            let sample = if channel == Channel::Left { LOUD } else { -LOUD };
            let spoken = Spoken { epoch: 1, timestamp, clock_hz: 8_000, pcm: &[sample; 160], secret: false };
            self.recorder.place(channel, spoken, at(ms));
        }

        fn tick(&mut self, ms: f64) {
            self.recorder.tick(at(ms));
            self.drain();
        }

        fn drain(&mut self) {
            let mut out = [0; 1_920];
            loop {
                let taken = self.recorder.take(&mut out);
                if taken == 0 {
                    break;
                }
                let pairs = out[..taken * 2].chunks(2);
                self.heard.extend(pairs.map(|pair| [pair[0], pair[1]]));
            }
        }

        fn close(&mut self, ms: f64) {
            self.recorder.close(at(ms));
            self.drain();
            assert!(self.recorder.is_done());
        }

        /// Runs of sound on a channel: first frame and length.
        fn sounds(&self, channel: usize) -> Vec<(usize, usize)> {
            let mut runs: Vec<(usize, usize)> = Vec::new();
            for (n, pair) in self.heard.iter().enumerate() {
                if pair[channel] == 0 {
                    continue;
                }
                match runs.last_mut() {
                    Some((first, len)) if *first + *len == n => *len += 1,
                    _ => runs.push((n, 1)),
                }
            }
            runs
        }
    }

    fn at(ms: f64) -> Time {
        Time::from_nanos((ms * 1e6) as u64)
    }

    #[test]
    fn jitter_reordering_and_duplicates_leave_no_trace_and_loss_is_silence() {
        let mut tape = Tape::new();
        let arrivals = [(0, 100), (2, 140), (1, 145), (2, 150), (3, 190), (5, 200), (6, 290)];
        for (n, ms) in arrivals {
            tape.speak(Channel::Left, 7_000 + n * 160, f64::from(ms));
        }
        tape.close(400.0);
        assert_eq!(tape.heard.len(), 3_200);
        assert_eq!(tape.sounds(0), [(800, 640), (1_600, 320)], "packet 4 was lost");
        assert_eq!(tape.heard[800], [LOUD, 0]);
        assert_eq!(tape.sounds(1), []);
    }

    #[test]
    fn both_channels_stand_on_one_clock() {
        let mut tape = Tape::new();
        for n in 0..50 {
            let ms = f64::from(n) * 20.0;
            tape.speak(Channel::Left, n * 160, ms);
            tape.speak(Channel::Right, 0xffff_ff00u32.wrapping_add(n * 160), ms + 5.0);
            tape.tick(ms);
        }
        tape.close(1_000.0);
        assert_eq!(tape.sounds(0), [(0, 8_000)]);
        assert_eq!(tape.sounds(1), [(40, 7_960)]);
        assert_eq!(tape.heard[4_000], [LOUD, -LOUD]);
    }

    #[test]
    fn a_clock_200_ppm_off_stays_within_20_ms_for_an_hour() {
        for ppm in [200.0, -200.0] {
            let mut tape = Tape::new();
            let mut worst: f64 = 0.0;
            for n in 0..180_000u32 {
                let ms = f64::from(n) * 20.0 * (1.0 + ppm / 1e6);
                // Up to 10 ms of jitter, the same every run; one packet in twenty is lost.
                let jitter = f64::from(n.wrapping_mul(2_654_435_761) >> 22) / 102.4;
                if n % 20 != 7 {
                    tape.speak(Channel::Left, n.wrapping_mul(160), ms + jitter);
                }
                if n % 3 == 0 {
                    tape.tick(ms + jitter);
                    tape.heard.clear();
                }
                let mut anchor = tape.recorder.anchors[0].unwrap();
                let frame = anchor.frame_of(n.wrapping_mul(160));
                worst = worst.max((frame as f64 / 8.0 - ms).abs());
            }
            assert!(worst < 20.0, "{ppm} ppm: {worst} ms");
        }
    }

    #[test]
    fn a_longer_path_is_followed_and_an_outlier_is_not() {
        let mut tape = Tape::new();
        let delayed = |n: u32| match n {
            50 => 290,
            100.. => 400,
            _ => 0,
        };
        let mut arrivals: Vec<_> = (0..200).map(|n| (n * 20 + delayed(n), n)).collect();
        arrivals.sort();
        for (ms, n) in arrivals {
            tape.speak(Channel::Left, n * 160, f64::from(ms));
            tape.tick(f64::from(ms));
        }
        tape.close(4_500.0);
        let runs = tape.sounds(0);
        assert_eq!(runs[0], (0, 8_000), "packet 50 came too late and is silence");
        assert_eq!(runs[1].0, 8_160);
        let (last, len) = runs[runs.len() - 1];
        assert_eq!(last + len, (199 * 20 + 400) * 8 + 160, "the new delay is the measure");
    }

    #[test]
    fn what_nobody_takes_becomes_silence_of_the_same_length() {
        let mut tape = Tape::new();
        for n in 0..150u32 {
            let ms = f64::from(n) * 20.0;
            tape.speak(Channel::Left, n * 160, ms);
            tape.recorder.tick(at(ms));
            if n == 100 {
                tape.drain();
            }
        }
        tape.close(3_000.0);
        assert_eq!(tape.heard.len(), 24_000);
        let (length, dropped) = tape.recorder.lengths_ms();
        assert_eq!(length, 3_000);
        let silent = tape.heard.iter().filter(|pair| pair[0] == 0).count();
        assert_eq!(dropped, silent as u64 / 8, "and it says how much");
        assert!((2_000..2_400).contains(&dropped), "{dropped}");
    }
}
