//! Conferences, supervisors and mutes in the random world, and what must hold of them.

use super::*;
use cordboard_model::cdr::{Supervision, SupervisionMode};
use cordboard_model::event::ConferenceChange;
use cordboard_model::media::{MIX_MEMBERS_MAX, MixMember};

impl World {
    /// Somebody is added to a call, supervises it, is muted or is taken out; mostly at the wrong moment.
    pub(super) fn room(&mut self, call: CallId, leg: LegId) {
        let now = self.now;
        let mode = SupervisionMode::ALL[usize::try_from(self.dice.roll(4)).unwrap()];
        match self.dice.roll(12) {
            0..=2 => {
                let by = self.dice.one_in(2).then_some(leg);
                let _ = self.engine.conference(call, by, "8", now);
            }
            3 => {
                let _ = self.engine.conference_with_consulted(call, now);
            }
            4 if self.dice.one_in(3) => {
                let _ = self.engine.remove(call, leg, now);
            }
            5 => {
                let muted = self.dice.one_in(2);
                let _ = self.engine.mute(call, leg, muted, now);
            }
            6..=8 => {
                let by = match self.dice.one_in(2) {
                    true => DialTarget::Agent(agent("chief")),
                    false => DialTarget::Target(cordboard_model::leg::Target::User(user("chief"))),
                };
                let of = self.dice.one_in(3).then_some(leg);
                let _ = self.engine.supervise(call, Supervise { mode, by, of }, now);
            }
            9 | 10 => {
                let _ = self.engine.change_supervision(call, mode, now);
            }
            _ if self.dice.one_in(3) => {
                let _ = self.engine.end_supervision(call, now);
            }
            _ => self.tell(CallInput::Media(MediaEvent::Speaking { mix: call, leg: Some(leg) })),
        }
    }

    pub(super) fn book_mix(&mut self, mix: CallId, members: &[MixMember]) {
        assert!((2..=MIX_MEMBERS_MAX).contains(&members.len()));
        for member in members {
            assert!(self.ports.contains(&member.leg), "a closed leg in a mix");
            assert_eq!(self.whose[&member.leg], mix, "a leg of another call in a mix");
            self.part(member.leg);
        }
        let legs: BTreeSet<LegId> = members.iter().map(|member| member.leg).collect();
        assert_eq!(legs.len(), members.len(), "a leg twice in a mix");
        self.mixes.insert(mix, legs);
        self.seen.mixed += 1;
        let Some(watch) = self.watched.get(&mix) else { return };
        let Some(place) = members.iter().position(|member| member.leg == watch.leg) else { return };
        for member in members.iter().filter(|member| member.leg != watch.leg) {
            let hears = member.hears & (1 << place) != 0;
            let may = match watch.mode {
                SupervisionMode::Listen | SupervisionMode::Intercept => false,
                SupervisionMode::Whisper => member.leg == watch.of,
                SupervisionMode::BargeIn => true,
            };
            assert!(may || !hears, "{} hears a supervisor who does {:?}", member.leg, watch.mode);
        }
    }

    pub(super) fn book_supervision(&mut self, call: CallId, supervision: &Supervision) {
        if supervision.ended.is_none() {
            self.watched.insert(call, supervision.clone());
            return;
        }
        assert!(self.watched.remove(&call).is_some(), "the last word twice");
        let intercepted = supervision.mode == SupervisionMode::Intercept;
        self.seen.supervised += u64::from(!supervision.turns.is_empty());
        self.seen.intercepted += u64::from(intercepted && !supervision.turns.is_empty());
    }

    pub(super) fn book_conference(&mut self, change: ConferenceChange) {
        self.seen.conferred += u64::from(change == ConferenceChange::Joined);
    }

    /// A leg is in no mix any more.
    pub(super) fn leave_mix(&mut self, leg: LegId) {
        for legs in self.mixes.values_mut() {
            legs.remove(&leg);
        }
        self.mixes.retain(|_, legs| !legs.is_empty());
    }
}
