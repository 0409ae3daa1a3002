//! Keys are collected from a party because a program asks for it, by the rules of a flow's step: a prompt that the first key
//! ends, then keys until a terminator, the wanted number, a pattern or silence.
//!
//! Invariants: an entry ends once; its outcome is kept for who asks. Of a secret no event has the keys, nobody hears them, and
//! they are kept no longer than the call.

use super::ActRefusal;
use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::leg::Heard;
use crate::verbs::collect::Collect;
use cordboard_model::act::{ActEnd, CollectAsked, CollectView, Collected, Entered, OUTCOMES_MAX};
use cordboard_model::event::EventKind;
use cordboard_model::id::{ActId, LegId};
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::time::Duration;
use cordboard_model::verb::{CollectEnd, VerbAnswer};

/// One under way.
#[derive(Debug)]
pub(super) struct Entry {
    view: CollectView,
    rule: Collect,
    first: Duration,
    inter: Duration,
}

impl Entry {
    pub(super) fn id(&self) -> ActId {
        self.view.collect
    }

    pub(super) fn under_way(&self) -> Collected {
        let CollectView { collect, leg, .. } = self.view;
        Collected { collect, leg, how: None, digits: None, secret: self.rule.is_secret() }
    }
}

impl Call {
    /// The entry under way, as readers see it.
    pub(crate) fn collects(&self) -> Option<CollectView> {
        self.acts.entry.as_ref().map(|entry| entry.view.clone())
    }

    pub(super) fn collect_from(&mut self, desk: &mut Desk, asked: CollectAsked) -> Result<ActId, ActRefusal> {
        let CollectAsked { leg, prompt, what, by } = asked;
        let leg = leg.unwrap_or(self.caller.id);
        self.may_act_on(leg)?;
        if self.acts.entry.is_some() {
            return Err(ActRefusal::Collecting);
        }
        let Entered { min, max, terminators, first_ms, inter_ms, patterns, secret } = what;
        let (first, inter) = (Duration::from_millis(first_ms.into()), Duration::from_millis(inter_ms.into()));
        let rule = Collect::new(min, max, terminators, first_ms, inter_ms);
        let rule = rule.of_secret(secret).like(patterns, true);
        let collect = desk.ids.act(self.tenant());
        let call = self.id;
        desk.event(self.tenant(), EventKind::CollectStarted { call, collect, leg, by: by.clone() });
        if secret {
            self.cover_entry(desk, leg, true, false);
        }
        let view = CollectView { collect, leg, by };
        self.acts.entry = Some(Entry { view, rule, first, inter });
        if !self.speaks_first(desk, collect, &prompt) {
            self.ask_for_keys(desk, prompt);
        }
        Ok(collect)
    }

    /// The prompt begins; without one the first key has its time.
    pub(super) fn ask_for_keys(&mut self, desk: &mut Desk, prompt: Vec<PlayItem>) {
        let Some(entry) = &self.acts.entry else { return };
        let (act, leg) = (entry.id(), entry.view.leg);
        if !self.play(desk, leg, Heard::Asked(act), prompt, Repeat::Once) {
            self.wait_for_key(desk);
        }
    }

    /// The prompt is over.
    pub(super) fn wait_for_key(&mut self, desk: &mut Desk) {
        if let Some(entry) = &self.acts.entry {
            desk.set(Timer::Entry(self.id), entry.first);
        }
    }

    /// A key: true if a program's entry has it.
    pub(crate) fn entry_key(&mut self, desk: &mut Desk, leg: LegId, key: char) -> bool {
        let Some(entry) = self.acts.entry.as_mut().filter(|entry| entry.view.leg == leg) else {
            return false;
        };
        let (act, inter, end) = (entry.id(), entry.inter, entry.rule.take(key));
        let asks = |heard: &Heard| matches!(heard, Heard::Asked(on) if *on == act);
        if self.leg(leg).is_some_and(|leg| leg.playing.is_some_and(|(_, heard)| asks(&heard))) {
            self.stop_play(desk, leg);
        }
        match end {
            Some(end) => self.entry_over(desk, end),
            None => desk.set(Timer::Entry(self.id), inter),
        }
        true
    }

    /// No key in time.
    pub(crate) fn on_entry_deadline(&mut self, desk: &mut Desk) {
        self.entry_over(desk, CollectEnd::Timeout);
    }

    /// It ended by its own rules.
    fn entry_over(&mut self, desk: &mut Desk, end: CollectEnd) {
        let Some(entry) = &mut self.acts.entry else { return };
        let VerbAnswer::Digits { digits, end } = entry.rule.answer(end) else { return };
        let how = match end {
            CollectEnd::Terminator => ActEnd::Terminator,
            CollectEnd::Max => ActEnd::Max,
            CollectEnd::Pattern => ActEnd::Pattern,
            CollectEnd::Timeout => ActEnd::Timeout,
            CollectEnd::Invalid => ActEnd::Invalid,
        };
        let entered = how != ActEnd::Invalid && !(how == ActEnd::Timeout && digits.is_empty());
        self.end_entry_with(desk, how, entered.then_some(digits));
    }

    /// It ended otherwise: what was typed is no entry.
    pub(super) fn end_entry_asked(&mut self, desk: &mut Desk, how: ActEnd) {
        self.end_entry_with(desk, how, None);
    }

    fn end_entry_with(&mut self, desk: &mut Desk, how: ActEnd, digits: Option<String>) {
        let Some(entry) = self.acts.entry.take() else { return };
        desk.clear(Timer::Entry(self.id));
        let (call, secret) = (self.id, entry.rule.is_secret());
        let CollectView { collect, leg, .. } = entry.view;
        if self
            .leg(leg)
            .is_some_and(|leg| matches!(leg.playing, Some((_, Heard::Asked(on))) if on == collect))
        {
            self.stop_play(desk, leg);
        }
        if secret && self.is_there(leg) {
            // who is cut short may type on
            let cut = digits.is_none() && self.end.is_none();
            self.cover_entry(desk, leg, false, cut);
        }
        let told = digits.clone().filter(|_| !secret);
        desk.event(self.tenant(), EventKind::CollectEnded { call, collect, leg, how, digits: told });
        if desk.entries.len() >= OUTCOMES_MAX {
            desk.entries.pop_front();
        }
        desk.entries.push_back((call, Collected { collect, leg, how: Some(how), digits, secret }));
        self.hears_again(desk, leg);
    }

    pub(super) fn settle_entry(&mut self, desk: &mut Desk) {
        let Some(leg) = self.acts.entry.as_ref().map(|entry| entry.view.leg) else { return };
        if self.may_act_on(leg).is_err() {
            let why = self.why_not(leg);
            self.end_entry_asked(desk, why);
        }
    }
}
