//! Programs that play to parties, ask them for keys, send callers elsewhere and join them, at any moment.

use super::*;
use cordboard_model::act::{CollectAsked, Entered, Hearers, PlayAsked};
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::speech::Speech;

impl World {
    /// A program orders something; most of it is refused, as it should be.
    pub(super) fn program(&mut self, call: CallId, leg: LegId) {
        let now = self.now;
        match self.dice.roll(12) {
            0..=3 => {
                let to = match self.dice.roll(4) {
                    0 => Hearers::All,
                    1 => Hearers::Caller,
                    2 => Hearers::Called,
                    _ => Hearers::Leg(leg),
                };
                let items = self.something();
                let repeat = if self.dice.one_in(3) { Repeat::Forever } else { Repeat::Once };
                let _ = self.engine.play_to(call, PlayAsked { to, items, repeat, by: "p".into() }, now);
            }
            4..=7 => {
                let what = Entered {
                    min: 1,
                    max: 2,
                    terminators: "#".into(),
                    first_ms: 700,
                    inter_ms: 300,
                    patterns: Vec::new(),
                    secret: self.dice.one_in(2),
                };
                let leg = self.dice.one_in(2).then_some(leg);
                let prompt = self.something();
                let _ =
                    self.engine.collect_from(call, CollectAsked { leg, prompt, what, by: "p".into() }, now);
            }
            8 | 9 => {
                let acts: Vec<ActId> = self.acts.keys().copied().collect();
                if let Some(act) = self.dice.pick(&acts) {
                    let of = self.acts.get(&act).copied().unwrap_or(call);
                    let _ = self.engine.stop_act(of, act, now);
                }
            }
            10 => {
                let to = MoveTo::Place(self.destination());
                self.seen.sent += u64::from(self.engine.send(call, to, now).is_ok());
            }
            _ => {
                if let Some(other) = self.some_call() {
                    self.seen.joined += u64::from(self.engine.bridge(call, other, now).is_ok());
                }
            }
        }
    }

    fn something(&mut self) -> Vec<PlayItem> {
        let speech = || Speech { text: "t".into(), language: "en".into(), voice: None };
        match self.dice.roll(3) {
            0 => Vec::new(),
            1 => vec![PlayItem::Say(Box::new(speech()))],
            _ => vec![asset("p")],
        }
    }

    /// What began ends once, in its call, before the record; what is to be said is made, or is not.
    pub(super) fn book_act(&mut self, output: &CallOutput) {
        match output {
            CallOutput::Speak { call, act, .. } => {
                let items = (!self.dice.one_in(4)).then(|| vec![asset("said")]);
                self.owe(CallInput::Spoken { call: *call, act: *act, items });
            }
            CallOutput::Event(
                _,
                EventKind::PlayStarted { call, play: act, .. }
                | EventKind::CollectStarted { call, collect: act, .. },
            ) => {
                assert!(self.acts.insert(*act, *call).is_none(), "{act} began twice");
                self.seen.acts += 1;
            }
            CallOutput::Event(
                _,
                EventKind::PlayEnded { call, play: act, how }
                | EventKind::CollectEnded { call, collect: act, how, .. },
            ) => {
                assert_eq!(self.acts.remove(act), Some(*call), "{act} ended, and was not under way");
                assert_eq!(self.calls[call].closings, 0, "ended after the record");
                self.seen.act_ends.insert(format!("{how:?}"));
            }
            _ => {}
        }
    }
}
