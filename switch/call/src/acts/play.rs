//! Something is played to one or several parties because a program asks for it.
//!
//! Invariant: a playback is over when nobody hears it any more; who hears it is who still has it on.

use super::ActRefusal;
use crate::call::{Call, Doing};
use crate::desk::Desk;
use crate::leg::Heard;
use cordboard_model::act::{ActEnd, Hearers, PlayAsked, PlayView};
use cordboard_model::event::EventKind;
use cordboard_model::id::{ActId, LegId};
use cordboard_model::media::{PlayItem, Repeat};

/// One under way.
#[derive(Debug)]
pub(super) struct Playing {
    view: PlayView,
    repeat: Repeat,
    /// What is said is being made.
    waits: bool,
    /// How it ended for the last who heard all of it.
    how: Option<ActEnd>,
}

impl Playing {
    pub(super) fn id(&self) -> ActId {
        self.view.play
    }
}

impl Call {
    /// Playbacks under way, as readers see them.
    pub(crate) fn plays(&self) -> Vec<PlayView> {
        self.acts.plays.iter().map(|play| play.view.clone()).collect()
    }

    pub(super) fn play_to(&mut self, desk: &mut Desk, asked: PlayAsked) -> Result<ActId, ActRefusal> {
        let PlayAsked { to, items, repeat, by } = asked;
        if items.is_empty() {
            return Err(ActRefusal::Nothing);
        }
        let legs = self.hearers(to)?;
        for leg in &legs {
            self.may_act_on(*leg)?;
        }
        let play = desk.ids.act(self.tenant());
        let view = PlayView { play, legs, by };
        let (call, PlayView { legs, by, .. }) = (self.id, view.clone());
        desk.event(self.tenant(), EventKind::PlayStarted { call, play, legs, by });
        self.acts.plays.push(Playing { view, repeat, waits: true, how: None });
        if !self.speaks_first(desk, play, &items) {
            self.begin_play(desk, play, items);
        }
        Ok(play)
    }

    fn hearers(&self, to: Hearers) -> Result<Vec<LegId>, ActRefusal> {
        let talkers = self.talkers();
        let called = match &self.doing {
            Doing::Talk(talk) if talk.joined => Some(talk.peer),
            _ => None,
        };
        match to {
            Hearers::All if talkers.is_empty() => Ok(vec![self.caller.id]),
            Hearers::All => Ok(talkers),
            Hearers::Caller => Ok(vec![self.caller.id]),
            Hearers::Called => called.map(|leg| vec![leg]).ok_or(ActRefusal::Connecting),
            Hearers::Leg(leg) => Ok(vec![leg]),
        }
    }

    /// It begins, for those with whom that may still be done.
    pub(super) fn begin_play(&mut self, desk: &mut Desk, act: ActId, items: Vec<PlayItem>) {
        let Some(play) = self.acts.plays.iter_mut().find(|play| play.id() == act) else { return };
        play.waits = false;
        let (legs, repeat) = (play.view.legs.clone(), play.repeat);
        for leg in legs {
            if self.may_act_on(leg).is_ok() {
                self.play(desk, leg, Heard::Asked(act), items.clone(), repeat);
            }
        }
    }

    /// One of them has heard it, or it was not to be had.
    pub(super) fn play_heard(&mut self, act: ActId, finished: bool) {
        if let Some(play) = self.acts.plays.iter_mut().find(|play| play.id() == act) {
            play.how = Some(if finished { ActEnd::Finished } else { ActEnd::Failed });
        }
    }

    fn hears(&self, leg: LegId, act: ActId) -> bool {
        self.leg(leg).is_some_and(|leg| matches!(leg.playing, Some((_, Heard::Asked(on))) if on == act))
    }

    pub(super) fn settle_plays(&mut self, desk: &mut Desk) {
        let all: Vec<(ActId, Vec<LegId>, bool, Option<ActEnd>)> = self
            .acts
            .plays
            .iter()
            .map(|play| (play.id(), play.view.legs.clone(), play.waits, play.how))
            .collect();
        for (act, legs, waits, how) in all {
            let may = |leg: &LegId| self.may_act_on(*leg).is_ok() && (waits || self.hears(*leg, act));
            let stay: Vec<LegId> = legs.iter().copied().filter(may).collect();
            for leg in legs.iter().filter(|leg| !stay.contains(leg)) {
                self.has_heard(desk, *leg, act);
            }
            if stay.is_empty() {
                let why = legs.first().map_or(ActEnd::Left, |leg| self.why_not(*leg));
                self.end_play(desk, act, how.unwrap_or(why));
            } else if let Some(play) = self.acts.plays.iter_mut().find(|play| play.id() == act) {
                play.view.legs = stay;
            }
        }
    }

    fn has_heard(&mut self, desk: &mut Desk, leg: LegId, act: ActId) {
        if self.hears(leg, act) {
            self.stop_play(desk, leg);
        }
        self.hears_again(desk, leg);
    }

    pub(super) fn end_play(&mut self, desk: &mut Desk, act: ActId, how: ActEnd) {
        let Some(at) = self.acts.plays.iter().position(|play| play.id() == act) else { return };
        let play = self.acts.plays.remove(at);
        for leg in play.view.legs {
            self.has_heard(desk, leg, act);
        }
        desk.event(self.tenant(), EventKind::PlayEnded { call: self.id, play: act, how });
    }
}
