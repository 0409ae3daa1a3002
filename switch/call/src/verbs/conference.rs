//! Conference: several ring at once, and each who answers is joined to the caller and to those who are there already.
//!
//! Invariants: the caller is answered before anybody is joined; whoever rings when the caller is alone again still rings, and the
//! caller hears his music until somebody comes. The step ends when nobody is there and nobody rings, or by its longest time.
//! With fewer than two left there is no talk: a caller who leaves takes the others along, unless they may talk on.

use crate::call::{Call, Doing};
use crate::connect::Talk;
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::fork::{Branch, Fork};
use crate::input::Ticket;
use crate::leg::{Heard, LegState};
use crate::opening::Opening;
use crate::room::Guest;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::conference::{Attended, Conference, ConferenceEnd};
use cordboard_model::dial::DIAL_WAYS_MAX;
use cordboard_model::event::ConferenceChange;
use cordboard_model::id::LegId;
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_model::verb::VerbAnswer;

/// What the step has to know until its end.
#[derive(Debug)]
pub(crate) struct Gathering {
    /// Who was rung, in the order of the flow.
    legs: Vec<(LegId, String)>,
    music: Vec<PlayItem>,
    without_caller: bool,
    /// When it ends at the latest.
    until: Option<Time>,
}

impl Call {
    pub(super) fn verb_conference(&mut self, desk: &mut Desk, ticket: Ticket, conference: Conference) {
        let Conference { mut ways, music, talk_ms, without_caller } = conference;
        ways.truncate(DIAL_WAYS_MAX);
        self.answer_caller(desk);
        let rung: Vec<_> = ways.into_iter().filter_map(|way| self.ring_way(desk, way)).collect();
        let legs = rung.iter().map(|(leg, _)| (*leg, self.name_of(*leg))).collect();
        let talk = talk_ms.map(|ms| Duration::from_millis(ms.into()));
        let until = talk.map(|talk| desk.now + talk);
        if let Some(talk) = talk {
            desk.set(Timer::Conference(self.id), talk);
        }
        self.begin_step(ticket, StepKind::Conference(Gathering { legs, music, without_caller, until }));
        if rung.is_empty() {
            // Flows and queues are not rung; a flow cannot ask for it.
            return self.finish_step(desk, VerbAnswer::Failed(Cause::NotFound));
        }
        for (leg, _) in &rung {
            let to = self.name_of(*leg);
            self.tell_conference(desk, Some(*leg), &to, ConferenceChange::Asked, None);
        }
        let ways = rung.into_iter().map(|(leg, agent)| Branch { leg, agent, answered: false }).collect();
        self.doing = Doing::Fork(Fork { ways, whisper: Vec::new(), accept: None, gathers: true });
        self.comfort(desk);
    }

    fn name_of(&self, leg: LegId) -> String {
        self.leg(leg).map(|leg| leg.party.user.clone()).unwrap_or_default()
    }

    /// The caller is alone while others ring: he hears his music, if he has some, else ring-back once it rings.
    fn comfort(&mut self, desk: &mut Desk) {
        let Some(StepKind::Conference(gathering)) = self.step_kind() else { return };
        let music = gathering.music.clone();
        if !music.is_empty() {
            self.open_ear(desk);
            self.play(desk, self.caller.id, Heard::Music, music, Repeat::Forever);
        }
    }

    /// Whoever has answered is joined to a caller who is alone, once he is answered himself.
    pub(crate) fn gather(&mut self, desk: &mut Desk) {
        if !self.caller_is_up() {
            return;
        }
        let first = match &mut self.doing {
            Doing::Fork(fork) if fork.gathers => {
                let Some(at) = fork.ways.iter().position(|way| way.answered) else { return };
                fork.ways.remove(at)
            }
            _ => return,
        };
        let Branch { leg: peer, agent, .. } = first;
        // several come and go: nothing is announced to them
        let talk = Talk { opening: Opening::decided(), ..Talk::new(peer, agent) };
        let Doing::Fork(fork) = core::mem::replace(&mut self.doing, Doing::Talk(talk)) else { return };
        for Branch { leg, agent, answered } in fork.ways {
            let to = self.name_of(leg);
            self.room.guests.push(Guest { leg, agent, to, up: answered });
        }
        self.join(desk);
        for leg in self.talkers().into_iter().skip(1) {
            let to = self.name_of(leg);
            self.tell_conference(desk, Some(leg), &to, ConferenceChange::Joined, None);
        }
    }

    /// The last who talked with the caller has left, and others ring still: the caller waits for them. False if that is not so.
    pub(crate) fn gather_again(&mut self, desk: &mut Desk, id: LegId, cause: Cause) -> bool {
        let waits = matches!(&self.doing, Doing::Talk(talk) if talk.joined && talk.peer == id);
        let rings = waits && !self.room.guests.is_empty();
        if !rings || !matches!(self.step_kind(), Some(StepKind::Conference(_))) {
            return false;
        }
        let to = self.name_of(id);
        self.tell_conference(desk, Some(id), &to, ConferenceChange::Left, Some(cause));
        self.stop_recordings(desk);
        self.end_watch(desk, Cause::Normal);
        self.unjoin_media(desk);
        self.release_agent(desk, id);
        if self.room.asks() {
            self.guest_failed(desk, Cause::Cancelled);
        }
        let guests = core::mem::take(&mut self.room.guests);
        let ways: Vec<Branch> = guests
            .into_iter()
            .map(|guest| Branch { leg: guest.leg, agent: guest.agent, answered: false })
            .collect();
        let is_ringing = |way: &Branch| self.leg(way.leg).is_some_and(|leg| leg.state == LegState::Ringing);
        let anybody_rings = ways.iter().any(is_ringing);
        self.doing = Doing::Fork(Fork { ways, whisper: Vec::new(), accept: None, gathers: true });
        self.let_go(desk);
        self.comfort(desk);
        if anybody_rings {
            self.ring_back(desk);
        }
        true
    }

    /// One who rang for a caller who is alone is lost.
    pub(crate) fn gathered_lost(&mut self, desk: &mut Desk, leg: LegId, cause: Cause) {
        let to = self.name_of(leg);
        self.tell_conference(desk, Some(leg), &to, ConferenceChange::Failed, Some(cause));
        let over = matches!(&self.doing, Doing::Fork(fork) if fork.ways.is_empty());
        if !over {
            return;
        }
        self.stop_play(desk, self.caller.id);
        match self.conferred(desk.wall_now(), false) {
            Some(answer) => self.finish_step(desk, answer),
            None => self.end(desk, cause, Party::Switch),
        }
    }

    /// Whether a caller who leaves takes all others along.
    pub(crate) fn ends_with_caller(&mut self) -> bool {
        matches!(self.step_kind(), Some(StepKind::Conference(gathering)) if !gathering.without_caller)
    }

    /// Until when the others may talk on, if the flow said so.
    pub(crate) fn conference_until(&mut self) -> Option<Time> {
        match self.step_kind() {
            Some(StepKind::Conference(gathering)) => gathering.until,
            _ => None,
        }
    }

    /// What the flow is told; none if no flow waits for the end of a conference.
    pub(crate) fn conferred(&mut self, now: Wall, limit: bool) -> Option<VerbAnswer> {
        let legs = match self.step_kind() {
            Some(StepKind::Conference(gathering)) => core::mem::take(&mut gathering.legs),
            _ => return None,
        };
        let attended = |(leg, who): (LegId, String)| {
            let leg = self.leg(leg);
            let end = leg.and_then(|leg| leg.end);
            let until = end.map_or(now, |end| end.at);
            let joined = leg.and_then(|leg| leg.answered);
            // One whose record was dropped never answered.
            let missing = if leg.is_some() { Cause::Normal } else { Cause::NoAnswer };
            Attended {
                who,
                joined_ms: joined.map(|at| u64::try_from(until.0.saturating_sub(at.0)).unwrap_or_default()),
                cause: end.map_or(missing, |end| end.cause),
            }
        };
        let parties: Vec<Attended> = legs.into_iter().map(attended).collect();
        let end = match parties.iter().any(|party| party.joined_ms.is_some()) {
            _ if limit => ConferenceEnd::Limit,
            true => ConferenceEnd::Ended,
            false => ConferenceEnd::Nobody,
        };
        Some(VerbAnswer::Conferred { end, parties })
    }

    /// It has had its longest time.
    pub(crate) fn on_conference_deadline(&mut self, desk: &mut Desk) {
        if !matches!(self.step_kind(), Some(StepKind::Conference(_))) {
            // The caller has left, and the others talked on.
            return self.end(desk, Cause::MaxDuration, Party::Switch);
        }
        let others: Vec<LegId> = match &self.doing {
            Doing::Talk(talk) => {
                core::iter::once(talk.peer).chain(self.room.guests.iter().map(|g| g.leg)).collect()
            }
            Doing::Fork(fork) => fork.ways.iter().map(|way| way.leg).collect(),
            // One of the last two is being sent elsewhere.
            _ => return,
        };
        for guest in core::mem::take(&mut self.room.guests) {
            self.tell_guest(desk, &guest, Some(Cause::MaxDuration));
        }
        for leg in others {
            self.hang_up_leg(desk, leg, Cause::MaxDuration);
        }
        let Some(answer) = self.conferred(desk.wall_now(), true) else { return };
        if matches!(self.doing, Doing::Talk(_)) {
            self.served(desk, answer);
        } else {
            self.stop_play(desk, self.caller.id);
            self.finish_step(desk, answer);
        }
    }
}
