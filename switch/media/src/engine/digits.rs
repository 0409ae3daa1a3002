//! Keys from one party to another, whichever way each of them has: RTP events, signalling, or
//! tones.
//!
//! Invariant: a key that a party presses reaches the party it is joined with once, if that one may hear us at that
//! moment, and by that one's own way; RTP events between two parties that both have them stay the packets they are.

use super::MediaEngine;
use crate::dtmf::event::code_of;
use crate::graph::bridge;
use crate::graph::leg::{Leg, Told, Way};
use cordboard_model::id::LegId;
use cordboard_model::media::{DtmfKind, MediaEvent};
use cordboard_model::time::Time;

/// How long a key is pressed that we pass on, milliseconds: a phone's, and twice what a receiver must understand
/// (ITU-T Q.24 wants 40).
const PRESS_MS: u16 = 80;

impl MediaEngine {
    pub(super) fn set_dtmf(&mut self, leg: LegId, kind: DtmfKind) {
        if let Some(leg) = self.find(leg).and_then(|key| self.legs.get_mut(key)) {
            leg.dtmf = kind;
            leg.prick_ear(&mut self.stock);
        }
    }

    /// What the party says and presses is a secret from now on, or no longer.
    pub(super) fn set_secret(&mut self, leg: LegId, on: bool, now: Time) {
        if let Some(leg) = self.find(leg).and_then(|key| self.legs.get_mut(key)) {
            leg.secret.set(on, now);
        }
    }

    /// Keys to the leg's party, by its way.
    pub(super) fn send_digits(&mut self, id: LegId, digits: &str, length_ms: u16, now: Time) {
        let Some(key) = self.find(id) else {
            return;
        };
        for digit in digits.chars() {
            self.send_digit(key, digit, length_ms, now);
        }
    }

    fn send_digit(&mut self, key: u32, digit: char, length_ms: u16, now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let id = leg.id;
        let sends = leg.target().is_some() && code_of(digit).is_some();
        match leg.way().filter(|_| sends) {
            Some(Way::Events | Way::Tones) => {
                self.counters.digits_refused += u64::from(!leg.digits_out.add(digit, length_ms));
                if leg.digits_out.is_active() {
                    self.start_ticking(key, now);
                }
            }
            Some(Way::Signalling) => self.mention(MediaEvent::DigitDue { leg: id, digit, length_ms }),
            None => self.counters.digits_refused += 1,
        }
    }

    /// The party of a leg pressed a key and signalling told so.
    pub(super) fn pressed_outside(&mut self, id: LegId, digit: char, now: Time) {
        if let Some(key) = self.find(id) {
            self.pressed(key, digit, Told::Signalling, now);
        }
    }

    /// The party of a leg pressed a key. Events and tones go on by themselves to who has the same.
    pub(super) fn pressed(&mut self, key: u32, digit: char, told: Told, now: Time) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let is_new = leg.begins_press(digit, told, now);
        if told == Told::Event {
            leg.press_known = !is_new;
        }
        if !is_new {
            return;
        }
        // A secret is told to the shard, and to nobody else.
        let heard = !leg.secret.covers(now);
        let params = leg.stream.map(|stream| stream.params);
        let (leg, partner, seat) = (leg.id, leg.partner.filter(|_| heard), leg.seat.filter(|_| heard));
        self.mention(MediaEvent::Digit { leg, digit });
        if let Some(seat) = seat {
            return self.pressed_in_mix(seat, digit, now);
        }
        let Some((key, leg)) = partner.and_then(|partner| Some((partner, self.legs.get(partner)?))) else {
            return;
        };
        let same = params.zip(leg.stream).is_some_and(|(from, to)| bridge::same_events(&from, &to.params));
        if !(told.goes_on(leg.way()) && (same || told != Told::Event)) {
            self.pass_on(key, digit, now);
        }
    }

    /// To who hears the presser: not to who hears a prompt instead.
    pub(super) fn pass_on(&mut self, key: u32, digit: char, now: Time) {
        let hears = |leg: &Leg| leg.player.is_none() && leg.target().is_some() && leg.way().is_some();
        if self.legs.get(key).is_some_and(hears) {
            self.send_digit(key, digit, PRESS_MS, now);
        }
    }
}
