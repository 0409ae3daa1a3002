//! What a program has done with the parties of a call beside what the call does by itself: something is played to them, keys
//! are collected from one of them.
//!
//! Invariants: every act that was begun ends once, and readers hear how; whether one may go on is settled after every input,
//! from what the call does then. The call comes first: its flow's next step, its hold, its agent who answers and its end end
//! what a program has begun, and where a flow speaks or listens itself nothing is begun. One playback at a time on a leg, one
//! entry of keys in a call. Who talks hears the other again when a playback is over; who waits, his music.

mod collect;
mod play;

use crate::call::{Call, Doing};
use crate::desk::Desk;
use crate::engine::CallEngine;
use crate::flow::StepKind;
use crate::leg::{Leg, LegState, Port};
use crate::output::CallOutput;
use collect::Entry;
use cordboard_model::act::{ActEnd, CollectAsked, Collected, PlayAsked};
use cordboard_model::id::{ActId, CallId, LegId};
use cordboard_model::media::PlayItem;
use cordboard_model::time::Time;
use play::Playing;

/// Why it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActRefusal {
    /// There is no such call, or the leg is not in it.
    NotFound,
    /// There is no such playback or entry under way in this call.
    NoAct,
    /// The party is not answered, or about to be let go.
    NotUp,
    /// The call is on its way to somebody: nobody is there whom it could be done with.
    Connecting,
    /// A flow has the call, and does not wait.
    Flow,
    /// The party is on hold.
    Held,
    /// Keys are being collected in this call.
    Collecting,
    /// Nothing is to be played.
    Nothing,
}

/// What programs have under way in a call.
#[derive(Debug, Default)]
pub(crate) struct Acts {
    plays: Vec<Playing>,
    entry: Option<Entry>,
}

impl Acts {
    fn is_empty(&self) -> bool {
        self.plays.is_empty() && self.entry.is_none()
    }
}

impl CallEngine {
    /// Has something played to parties of a call. Gives the playback.
    ///
    /// # Errors
    /// If nothing is to be played, or one of them is not there, is on hold, or hears a flow.
    pub fn play_to(&mut self, call: CallId, asked: PlayAsked, now: Time) -> Result<ActId, ActRefusal> {
        self.act(call, now, |call, desk| call.play_to(desk, asked))
    }

    /// Has keys collected from a party of a call. Gives the entry.
    ///
    /// # Errors
    /// If that party is not there, is on hold, or is asked for keys already.
    pub fn collect_from(
        &mut self,
        call: CallId,
        asked: CollectAsked,
        now: Time,
    ) -> Result<ActId, ActRefusal> {
        self.act(call, now, |call, desk| call.collect_from(desk, asked))
    }

    /// Stops a playback or an entry of keys.
    ///
    /// # Errors
    /// If it is not under way in this call.
    pub fn stop_act(&mut self, call: CallId, act: ActId, now: Time) -> Result<(), ActRefusal> {
        self.act(call, now, |call, desk| call.stop_act(desk, act))
    }

    /// What is known of an entry of keys: under way, or one of the newest that are over.
    pub fn collected(&self, call: CallId, act: ActId) -> Option<Collected> {
        let entry = self.calls.get(&call).and_then(|call| call.acts.entry.as_ref());
        let under_way = entry.filter(|entry| entry.id() == act).map(Entry::under_way);
        let over = || self.desk.entries.iter().rev().find(|(of, one)| *of == call && one.collect == act);
        under_way.or_else(|| over().map(|(_, one)| one.clone()))
    }

    fn act<T>(
        &mut self,
        call: CallId,
        now: Time,
        act: impl FnOnce(&mut Call, &mut Desk) -> Result<T, ActRefusal>,
    ) -> Result<T, ActRefusal> {
        self.desk.now = now;
        let mut answer = Err(ActRefusal::NotFound);
        self.with(call, |call, desk| answer = act(call, desk));
        answer
    }
}

impl Call {
    /// Whether a program may have something done with the party of this leg now.
    fn may_act_on(&self, id: LegId) -> Result<(), ActRefusal> {
        let leg = self.leg(id).filter(|leg| leg.is_alive()).ok_or(ActRefusal::NotFound)?;
        if self.end.is_some() || leg.state != LegState::Up || leg.port != Port::Open || leg.is_asked() {
            return Err(ActRefusal::NotUp);
        }
        if leg.is_held() {
            return Err(ActRefusal::Held);
        }
        match &self.doing {
            Doing::Talk(talk) if talk.joined && self.talks(id) => Ok(()),
            Doing::Queue(_) | Doing::Flow if id == self.caller.id => {
                if self.flow_speaks() {
                    Err(ActRefusal::Flow)
                } else {
                    Ok(())
                }
            }
            _ => Err(ActRefusal::Connecting),
        }
    }

    /// Whether a flow has the call and does not merely wait.
    fn flow_speaks(&self) -> bool {
        let waits = |flow: &crate::flow::FlowRun| {
            flow.step.as_ref().is_some_and(|step| matches!(step.kind, StepKind::Wait))
        };
        self.flow_has_call() && !self.flow.as_ref().is_some_and(waits)
    }

    fn stop_act(&mut self, desk: &mut Desk, act: ActId) -> Result<(), ActRefusal> {
        if self.acts.plays.iter().any(|play| play.id() == act) {
            self.end_play(desk, act, ActEnd::Stopped);
            return Ok(());
        }
        if self.acts.entry.as_ref().is_some_and(|entry| entry.id() == act) {
            self.end_entry_asked(desk, ActEnd::Stopped);
            return Ok(());
        }
        Err(ActRefusal::NoAct)
    }

    /// What is said is there, or cannot be made: none.
    pub(crate) fn act_spoken(&mut self, desk: &mut Desk, act: ActId, items: Option<Vec<PlayItem>>) {
        if self.acts.entry.as_ref().is_some_and(|entry| entry.id() == act) {
            // as with any prompt that is not there, the key is waited for in silence
            return self.ask_for_keys(desk, items.unwrap_or_default());
        }
        match items {
            Some(items) => self.begin_play(desk, act, items),
            None => self.end_play(desk, act, ActEnd::Failed),
        }
    }

    /// A playback of a program's came to its end by itself.
    pub(crate) fn act_heard(&mut self, desk: &mut Desk, act: ActId, finished: bool) {
        if self.acts.entry.as_ref().is_some_and(|entry| entry.id() == act) {
            return self.wait_for_key(desk);
        }
        self.play_heard(act, finished);
    }

    /// Ends what may not go on, and tells of what is over. After every input.
    pub(crate) fn settle_acts(&mut self, desk: &mut Desk) {
        if self.acts.is_empty() || self.end.is_some() {
            return;
        }
        self.settle_plays(desk);
        self.settle_entry(desk);
    }

    /// The call is over, or does something else with its parties: before a leg goes to another call, so that nothing of it goes
    /// along.
    pub(crate) fn end_acts(&mut self, desk: &mut Desk, how: ActEnd) {
        let plays: Vec<ActId> = self.acts.plays.iter().map(Playing::id).collect();
        for play in plays {
            self.end_play(desk, play, how);
        }
        self.end_entry_asked(desk, how);
    }

    /// Nothing is left of the call: what was a secret is nobody's any more.
    pub(crate) fn forget_secrets(&self, desk: &mut Desk) {
        for (_, entry) in desk.entries.iter_mut().filter(|(call, entry)| *call == self.id && entry.secret) {
            entry.digits = None;
        }
    }

    /// Whether a party is still there whom this could be done with.
    fn is_there(&self, id: LegId) -> bool {
        self.leg(id).is_some_and(Leg::is_alive)
    }

    /// Why something that may not go on does not.
    fn why_not(&self, id: LegId) -> ActEnd {
        if self.is_there(id) { ActEnd::Replaced } else { ActEnd::Left }
    }

    /// A leg hears nothing of a program's any more: who waits has his music again.
    fn hears_again(&mut self, desk: &mut Desk, id: LegId) {
        let silent = self.leg(id).is_some_and(|leg| leg.playing.is_none());
        if id == self.caller.id && silent && matches!(self.doing, Doing::Queue(_)) && self.end.is_none() {
            self.resume_music(desk);
        }
    }

    /// Has what is to be said made first. True if something is.
    fn speaks_first(&self, desk: &mut Desk, act: ActId, items: &[PlayItem]) -> bool {
        let says = items.iter().any(|item| matches!(item, PlayItem::Say(_)));
        if says {
            desk.out.push_back(CallOutput::Speak { call: self.id, act, items: items.to_vec() });
        }
        says
    }
}
