//! Whether a party is heard, and in time: what is told of it while the call is up.
//!
//! RTP alone counts: a party whose reports (RTCP) come is there, and may all the same not be heard. A party that is not
//! expected to send (on hold, or by its description) is not missed.

use crate::rtp::ahead;
use cordboard_model::media::AudioNews;
use cordboard_model::time::{Duration, Time};

/// The partner is heard if a packet of it came within this time.
const LATELY: Duration = Duration::from_secs(2);
/// A packet is late that comes so long after the quickest of the last seconds promised it: more than a phone's buffer holds.
const LATE_MIN_US: u32 = 60_000;
/// So many late ones between two looks are told.
const LATE_MANY: u32 = 5;
/// And not again before this.
const LATE_REST: Duration = Duration::from_secs(10);
/// The quickest packet is forgotten after this: clocks drift, and paths change.
const WINDOW: Duration = Duration::from_secs(5);
/// So long a party that said that it is silent (comfort noise) need not be heard: as long as that noise is made for it.
const SILENT: Duration = Duration::from_secs(60);
/// A step beyond this is a new time base, not lateness.
const STEP_MAX_US: u32 = 10_000_000;

/// See the module. It lies in every leg, so it is kept small: microseconds as u32, and [`Time::ZERO`] for never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hearing {
    /// The last RTP, or since when it is expected.
    since: Time,
    looked: Time,
    /// When the packet came that the others are measured by; `anchor` is its timestamp.
    anchor_at: Time,
    /// Since when it is that one.
    anchored: Time,
    late_told: Time,
    anchor: u32,
    /// The least lateness since then.
    least_us: u32,
    late_now: u32,
    late_now_us: u32,
    late: u32,
    late_peak_us: u32,
    unheard_ms: u32,
    ever: bool,
    missed: bool,
    has_anchor: bool,
}

/// What a party's figures say of this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    /// For how long it was missed.
    pub unheard_ms: u64,
    /// Packets that came late.
    pub delayed: u64,
    /// How late the latest of them was.
    pub delay_peak_ms: u32,
}

impl Hearing {
    /// From now on the party is to send: it cannot be missed for what was before.
    pub(crate) fn expect(&mut self, now: Time) {
        self.since = self.since.max(now);
        self.looked = now;
    }

    /// A packet of audio came. True: the party had been missed.
    pub(crate) fn hear(&mut self, timestamp: u32, clock_hz: u32, now: Time) -> bool {
        self.since = now;
        self.ever = true;
        self.judge(timestamp, clock_hz, now);
        core::mem::take(&mut self.missed)
    }

    /// The party says that it is silent until it speaks. True: it had been missed.
    pub(crate) fn silent(&mut self, now: Time) -> bool {
        self.since = now + SILENT;
        self.ever = true;
        core::mem::take(&mut self.missed)
    }

    /// Another source, or other numbers: what was promised is void.
    pub(crate) fn forget(&mut self) {
        self.has_anchor = false;
    }

    fn judge(&mut self, timestamp: u32, clock_hz: u32, now: Time) {
        if !self.has_anchor {
            return self.set_anchor(timestamp, now, now);
        }
        let passed = i64::try_from(now.since(self.anchor_at).as_micros()).unwrap_or(i64::MAX);
        let due = i64::from(ahead(timestamp, self.anchor)) * 1_000_000 / i64::from(clock_hz.max(1));
        let late = u32::try_from(passed - due).ok().filter(|late| *late < STEP_MAX_US);
        let Some(late) = late else {
            return self.set_anchor(timestamp, now, now);
        };
        self.least_us = self.least_us.min(late);
        if late >= LATE_MIN_US {
            self.late_now += 1;
            self.late_now_us = self.late_now_us.max(late);
            self.late = self.late.saturating_add(1);
            self.late_peak_us = self.late_peak_us.max(late);
        }
        if now.since(self.anchored) >= WINDOW {
            // the quickest of this window is what the next one is measured by
            let behind = Duration::from_micros(u64::from(late - self.least_us));
            self.set_anchor(timestamp, now - behind, now);
        }
    }

    fn set_anchor(&mut self, timestamp: u32, at: Time, now: Time) {
        (self.anchor, self.anchor_at, self.anchored) = (timestamp, at, now);
        (self.least_us, self.has_anchor) = (u32::MAX, true);
    }

    /// Whether the party was heard just now.
    pub(crate) fn is_heard(&self, now: Time) -> bool {
        self.ever && now.since(self.since) < LATELY
    }

    /// Looks whether the party is missed, or is late. `expected`: it is to send; `limit`: how long it may not.
    pub(crate) fn look(
        &mut self,
        expected: bool,
        partner_heard: bool,
        limit: Duration,
        now: Time,
    ) -> Option<AudioNews> {
        let passed = now.since(self.looked);
        self.looked = now;
        if !expected {
            self.since = now;
            return None;
        }
        if self.missed {
            self.miss(passed);
        } else if !limit.is_zero() && now.since(self.since) >= limit && (!self.ever || partner_heard) {
            self.missed = true;
            self.miss(now.since(self.since));
            return Some(if self.ever { AudioNews::OneWay } else { AudioNews::Nothing });
        }
        self.lateness(now)
    }

    fn lateness(&mut self, now: Time) -> Option<AudioNews> {
        let (packets, worst) = (core::mem::take(&mut self.late_now), core::mem::take(&mut self.late_now_us));
        let rests = self.late_told > Time::ZERO && now.since(self.late_told) < LATE_REST;
        if packets < LATE_MANY || rests {
            return None;
        }
        self.late_told = now;
        Some(AudioNews::Late { packets, by_ms: worst / 1_000 })
    }

    fn miss(&mut self, time: Duration) {
        let ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        self.unheard_ms = self.unheard_ms.saturating_add(ms);
    }

    /// Counts from now on.
    pub(crate) fn count_anew(&mut self) {
        (self.late, self.late_peak_us, self.unheard_ms) = (0, 0, 0);
    }

    pub(crate) fn missed(&self) -> Missed {
        Missed {
            unheard_ms: u64::from(self.unheard_ms),
            delayed: u64::from(self.late),
            delay_peak_ms: self.late_peak_us / 1_000,
        }
    }
}
