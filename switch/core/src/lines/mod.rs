//! Lines: legs to agents' devices that stay up between calls.
//!
//! A line is a session and a port that no call owns. A call that rings the agent makes a leg of its own, which is lent both
//! as long as it lives: so a call, and all that is ordered in it, knows nothing of lines. What is lent comes back when the
//! call lets the leg go.
//!
//! Invariants: a line is lent to one leg at a time, and again only when session and port are back; a line that is lost takes the
//! leg with it that it is lent to, and is no line; without one its agent is rung like any other.

mod lend;

use crate::io::ShardOutput;
use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_model::cause::Cause;
use cordboard_model::deadline::Deadlines;
use cordboard_model::desk::DeskFault;
use cordboard_model::device::{AgentDevice, AgentPhone, LineEnd, LineState};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId, PlaybackId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::{PartyId, Target};
use cordboard_model::media::{MediaCommand, MediaEvent, PlayItem, Repeat};
use cordboard_model::stream::StreamCommand;
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::view::{AgentStatus, AgentView};
use cordboard_sip::engine::{SessionId, SipCommand, SipEvent};
use std::collections::{BTreeMap, BTreeSet};

/// What is played between calls: packets keep the way open.
const SILENCE_MS: u32 = 60_000;
/// A device that had no room for a line, or could not be reached, is rung again after this.
const AGAIN: Duration = Duration::from_secs(30);
const NOT_UP: TimerReason = TimerReason("a line is not up");
const TRY_AGAIN: TimerReason = TimerReason("a line is tried again");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its port is asked for, or it rings.
    Rings,
    /// It was answered, and a key is waited for.
    Asked,
    Up,
}

/// One line.
#[derive(Clone, Debug)]
struct Line {
    /// Its own leg, in a call that is none.
    leg: LegId,
    call: CallId,
    state: State,
    silence: Option<PlaybackId>,
    lent: Option<Lent>,
    /// It is to be given up when it is back, and why: lost, or of another device.
    gone: Option<LineEnd>,
    /// Media threads have closed its port by themselves.
    closed: bool,
}

/// To which leg it is lent, and what that has of it still.
#[derive(Clone, Copy, Debug)]
struct Lent {
    leg: LegId,
    session: bool,
    port: bool,
    /// The port is on its way back.
    vacating: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    of: BTreeMap<AgentId, Line>,
    /// Whose line a leg is: until its port is closed.
    own: BTreeMap<LegId, AgentId>,
    /// Legs of calls that have a line.
    lent: BTreeMap<LegId, AgentId>,
    /// Legs of calls whose own port is closed, for they have a line.
    spare: BTreeSet<LegId>,
    /// Whose line failed, or was put down: it is not tried again until he is ready anew.
    resting: BTreeMap<AgentId, LineEnd>,
    /// When one that rings is given up, or one that is not there is tried again.
    due: Deadlines<AgentId>,
}

impl Lines {
    /// Whether this is the leg of a line itself.
    pub(crate) fn is_own(&self, leg: LegId) -> bool {
        self.own.contains_key(&leg)
    }

    /// Whether no line is up, or on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.of.is_empty() && self.own.is_empty() && self.lent.is_empty() && self.spare.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.due.next()
    }

    /// The leg of the line that a call's leg has.
    fn line_of(&self, leg: LegId) -> Option<LegId> {
        self.of.get(self.lent.get(&leg)?).map(|line| line.leg)
    }

    /// What media threads know a leg as.
    pub(crate) fn meant(&self, command: &mut MediaCommand) {
        if !self.lent.is_empty() {
            for leg in command.legs_mut() {
                *leg = self.line_of(*leg).unwrap_or(*leg);
            }
        }
    }

    /// Which leg of a call an event of a line's leg is about, while it is lent.
    fn borrower(&self, leg: LegId) -> Option<LegId> {
        self.of.get(self.own.get(&leg)?)?.lent.filter(|lent| lent.port).map(|lent| lent.leg)
    }

    /// The same for what programs are told of a leg's audio.
    pub(crate) fn meant_by(&self, command: &mut StreamCommand) {
        if let StreamCommand::Open(opening) = command {
            opening.leg = self.line_of(opening.leg).unwrap_or(opening.leg);
        }
    }
}

impl Shard {
    /// Sends a command to media threads.
    pub(crate) fn tell_media(&mut self, mut command: MediaCommand) {
        self.lines.meant(&mut command);
        self.out.push_back(ShardOutput::Media(command));
    }

    /// An agent is something else, or his devices are: his line comes, or goes.
    pub(crate) fn mind_line(&mut self, agent: &AgentId) {
        let wants = self.wants_line(agent);
        match self.lines.of.get(agent) {
            // his phone is in use: afterwards
            None if !wants => _ = self.lines.due.clear(agent),
            None if self.is_in_call(agent) => {}
            None if !self.lines.resting.contains_key(agent) => self.open_line(agent),
            Some(line) if line.lent.is_none() && (!wants || line.gone.is_some()) => self.close_line(agent),
            _ => {}
        }
    }

    /// The same after a change of his status: who is ready anew has it tried anew, unless he has ended it by an order.
    pub(crate) fn mind_line_of(&mut self, agent: &AgentId, status: AgentStatus) {
        let ordered = self.lines.resting.get(agent) == Some(&LineEnd::GivenUp);
        if status == AgentStatus::SignedOut || (status == AgentStatus::Ready && !ordered) {
            self.lines.resting.remove(agent);
        }
        self.mind_line(agent);
    }

    /// He is rung elsewhere: the line to where he was is of no use.
    pub(crate) fn renew_line(&mut self, agent: &AgentId) {
        self.lines.resting.remove(agent);
        if let Some(line) = self.lines.of.get_mut(agent) {
            line.gone = Some(LineEnd::GivenUp);
        }
        // given up, and then made anew
        self.mind_line(agent);
        self.mind_line(agent);
    }

    /// All lines, after a change of the configuration or at the beginning of a stop.
    pub(crate) fn mind_lines(&mut self) {
        let mut agents: BTreeSet<AgentId> = self.lines.of.keys().cloned().collect();
        let all = self.snapshot.tenants.values().flat_map(|tenant| tenant.agents.values());
        agents.extend(all.filter(|agent| agent.duty.phone.keep).map(|agent| agent.id.clone()));
        for agent in agents {
            self.mind_line(&agent);
        }
    }

    fn wants_line(&self, agent: &AgentId) -> bool {
        let keeps = self.snapshot.agent(agent).is_some_and(|agent| agent.duty.phone.keep);
        let is_in = |view: AgentView| view.status != AgentStatus::SignedOut;
        keeps && self.stop == Stop::No && self.acd.agent(agent).is_some_and(is_in) && self.can_ring(agent)
    }

    /// What his line is; none if none is kept for him now.
    fn line_state(&self, agent: &AgentId) -> Option<LineState> {
        match self.lines.of.get(agent).map(|line| line.state) {
            Some(State::Up) => Some(LineState::Up),
            Some(State::Rings | State::Asked) => Some(LineState::Rings),
            None => self.wants_line(agent).then_some(LineState::Down),
        }
    }

    /// What readers see of an agent, with his line.
    pub(crate) fn with_line(&self, view: AgentView) -> AgentView {
        AgentView { line: self.line_state(&view.agent), ..view }
    }

    /// The same in words, for who asks why he is not connected.
    pub(crate) fn explain_line(&self, agent: &AgentId) -> String {
        match (self.line_state(agent), self.lines.resting.get(agent)) {
            (None, _) => String::new(),
            (Some(LineState::Up), _) => " The line to his device is up.".to_owned(),
            (Some(LineState::Rings), _) => " His device rings for the line that is to stay up.".to_owned(),
            (Some(LineState::Down), None) => " The line to his device is down.".to_owned(),
            (Some(LineState::Down), Some(end)) => {
                format!(" The line to his device is down: {}.", end.as_str().replace('_', " "))
            }
        }
    }

    /// He, or somebody for him, wants the connection (`on`) or wants it ended: the call that has it, too.
    ///
    /// # Errors
    /// None is kept for him.
    pub(crate) fn order_line(&mut self, agent: &AgentId, on: bool) -> Result<LineState, DeskFault> {
        if !self.wants_line(agent) {
            return Err(DeskFault::NoLine);
        }
        if on {
            self.lines.resting.remove(agent);
            self.mind_line(agent);
        } else {
            self.lines.resting.insert(agent.clone(), LineEnd::GivenUp);
            self.end_line(agent);
        }
        Ok(self.line_state(agent).unwrap_or(LineState::Down))
    }

    fn is_in_call(&self, agent: &AgentId) -> bool {
        self.acd.agent(agent).is_some_and(|view| view.status.is_of_a_call())
    }

    fn open_line(&mut self, agent: &AgentId) {
        let (call, leg) = (self.calls.new_call(agent.tenant), self.calls.new_leg(agent.tenant));
        self.legs.add(leg, call).agent = Some(agent.clone());
        let line =
            Line { leg, call, state: State::Rings, silence: None, lent: None, gone: None, closed: false };
        self.lines.of.insert(agent.clone(), line);
        self.lines.own.insert(leg, agent.clone());
        self.lines.due.set(agent.clone(), self.now + self.snapshot.limits.ring, NOT_UP);
        self.tell_media(MediaCommand::Open { leg, near: None });
    }

    /// Its port is open: his device rings.
    fn ring_line(&mut self, agent: &AgentId, (call, leg): (CallId, LegId)) {
        let target = match self.acd.device(agent) {
            Some(AgentDevice::Account(user)) => Some(Target::User(user)),
            Some(AgentDevice::Number(number)) => {
                self.way_to(agent, &number).map(|(trunk, number, _)| Target::Trunk(trunk, number))
            }
            None => None,
        };
        let local = self.legs.get(leg).and_then(|found| found.local);
        let (Some(target), Some(local)) = (target, local) else {
            return self.line_failed(agent, LineEnd::NotTaken);
        };
        match (&target, self.legs.get_mut(leg)) {
            (Target::Trunk(id, _), Some(found)) => found.trunk = Some(id.clone()),
            (Target::User(user), Some(found)) => found.user = Some(user.clone()),
            _ => {}
        }
        let local = self.local_media(leg, local);
        let from = self
            .snapshot
            .agent(agent)
            .map(|agent| PartyId { user: agent.user.name.to_string(), display: agent.display.clone() });
        let from = from.unwrap_or_default();
        if self.invite(call, leg, target, from, local, false).is_err() {
            self.line_failed(agent, LineEnd::NotTaken);
            self.try_again(agent);
        }
        // he is in no call: no lamp shows that he is
        self.lamp_ends(leg);
    }

    /// It does not come up, or is put down.
    fn line_failed(&mut self, agent: &AgentId, end: LineEnd) {
        self.lines.resting.insert(agent.clone(), end);
        self.close_line(agent);
    }

    /// Nobody has refused it: it may come up later.
    fn try_again(&mut self, agent: &AgentId) {
        self.lines.due.set(agent.clone(), self.now + AGAIN, TRY_AGAIN);
    }

    /// Gives a line up that is not lent.
    fn close_line(&mut self, agent: &AgentId) {
        let Some(line) = self.lines.of.remove(agent) else { return };
        self.lines.due.clear(agent);
        self.trunks.settled(line.leg);
        if let Some(session) = self.legs.get(line.leg).and_then(|found| found.session) {
            let cause = Cause::Normal;
            self.sip.handle_command(SipCommand::HangUp { session, cause, text: None }, self.now);
            self.line_down(line.leg, line.call, session);
        }
        let end = line.gone.or(self.lines.resting.get(agent).copied()).unwrap_or(LineEnd::GivenUp);
        self.tell_down(agent, line.state, end);
        match line.closed {
            true => self.do_forget(line.call),
            false => self.tell_media(MediaCommand::Close { leg: line.leg }),
        }
    }

    /// One that was up is no more, or one that was wanted has not come up.
    fn tell_down(&mut self, agent: &AgentId, was: State, end: LineEnd) {
        if was == State::Up || end != LineEnd::GivenUp {
            let (agent, why) = (agent.clone(), Some(end));
            self.event(agent.tenant, EventKind::AgentLine { agent, up: false, why });
        }
    }

    /// Its session is over, or another's.
    fn line_down(&mut self, leg: LegId, call: CallId, session: SessionId) {
        self.legs.unbind(session);
        if self.legs.get_mut(leg).is_some_and(|found| core::mem::take(&mut found.journalled)) {
            self.journal(None, JournalRecord::DialogDown { call, leg });
        }
    }

    /// Lines that are not up in time.
    pub(crate) fn lines_due(&mut self) {
        while let Some(agent) = self.lines.due.pop_due(self.now) {
            if self.lines.of.contains_key(&agent) {
                self.line_failed(&agent, LineEnd::NotTaken);
            } else {
                self.lines.resting.remove(&agent);
            }
            self.mind_line(&agent);
        }
    }

    /// What media threads report of a line; true if no call hears of it.
    pub(crate) fn on_line_media(&mut self, event: &mut MediaEvent) -> bool {
        if let MediaEvent::Speaking { leg: Some(leg), .. } = event {
            *leg = self.lines.borrower(*leg).unwrap_or(*leg);
            return false;
        }
        let Some(leg) = event.leg_mut() else { return false };
        let own = *leg;
        if let Some(borrower) = self.lines.borrower(own) {
            *leg = borrower;
            self.on_lent_media(own, event);
            return false;
        }
        let leg = own;
        let of_spare = matches!(event, MediaEvent::Closed { .. }) && self.lines.spare.remove(&leg);
        let Some(agent) = self.lines.own.get(&leg).cloned() else {
            return of_spare;
        };
        let call = self.legs.get(leg).map(|found| found.call);
        let (state, ours) = match self.lines.of.get(&agent) {
            Some(line) => (Some(line.state), line.leg == leg),
            None => (None, false),
        };
        match (event, call) {
            (MediaEvent::Opened { local, .. }, Some(call)) if ours => {
                if let Some(found) = self.legs.get_mut(leg) {
                    found.local = Some(*local);
                }
                self.ring_line(&agent, (call, leg));
            }
            (MediaEvent::Digit { digit: AgentPhone::KEY, .. }, _) if ours && state == Some(State::Asked) => {
                self.line_up(&agent);
            }
            // whatever is at its other end, it sends nothing any more
            (MediaEvent::Silent { .. } | MediaEvent::PathFailed { .. }, _) if ours => {
                self.line_failed(&agent, LineEnd::Lost)
            }
            (MediaEvent::OpenFailed { .. } | MediaEvent::Closed { .. }, Some(call)) => {
                if ours {
                    self.line_lost(&agent, leg, call);
                }
                self.lines.own.remove(&leg);
                self.do_forget(call);
                self.mind_line(&agent);
            }
            _ => {}
        }
        true
    }

    /// Its port is gone, and it was not we who closed it.
    fn line_lost(&mut self, agent: &AgentId, leg: LegId, call: CallId) {
        self.lines.resting.insert(agent.clone(), LineEnd::Lost);
        let was = self.lines.of.remove(agent).map_or(State::Rings, |line| line.state);
        self.lines.due.clear(agent);
        self.tell_down(agent, was, LineEnd::Lost);
        if let Some(session) = self.legs.get(leg).and_then(|found| found.session) {
            let cause = Cause::InternalError;
            self.sip.handle_command(SipCommand::HangUp { session, cause, text: None }, self.now);
            self.line_down(leg, call, session);
        }
    }

    /// What becomes of the session of a line that is not lent.
    pub(crate) fn on_line_session(&mut self, call: CallId, leg: LegId, event: SipEvent) {
        let Some(agent) = self.lines.own.get(&leg).cloned() else { return };
        match event {
            SipEvent::EarlyMedia { media, .. } | SipEvent::Renegotiated { media, .. } => {
                self.configure_media(leg, *media);
            }
            SipEvent::Answered { media, .. } => {
                self.trunks.settled(leg);
                self.configure_media(leg, *media);
                self.line_answered(&agent, leg);
            }
            SipEvent::DialogUp { record, .. } => self.on_dialog(call, leg, *record),
            SipEvent::Digit { digit, .. } => self.on_key_told(leg, digit),
            // there is nobody whom he could send elsewhere
            SipEvent::Refer { refer, session, .. } => {
                let refusal = SipCommand::ReferResult { session, ticket: refer.ticket, status: 403 };
                self.sip.handle_command(refusal, self.now);
            }
            SipEvent::Ended { session, by_peer, sip_status, .. } => {
                if self.tries_on(leg, session, by_peer, sip_status) {
                    return;
                }
                if by_peer && sip_status.is_none() {
                    self.answer_bye(session);
                }
                self.line_down(leg, call, session);
                if self.lines.of.get(&agent).is_some_and(|line| line.leg == leg) {
                    self.line_ended(&agent, by_peer, sip_status);
                }
            }
            _ => {}
        }
    }

    /// His device did not take it, or he hung up.
    fn line_ended(&mut self, agent: &AgentId, by_peer: bool, sip_status: Option<u16>) {
        let up = self.lines.of.get(agent).is_some_and(|line| line.state == State::Up);
        let end = match (up, by_peer) {
            (true, true) => LineEnd::PutDown,
            (true, false) => LineEnd::Lost,
            (false, _) => LineEnd::NotTaken,
        };
        self.line_failed(agent, end);
        // a device that is busy, gone for a while or ill has refused nothing; one that rang has
        let later = sip_status.is_some_and(|status| matches!(status, 408 | 480 | 486 | 500..=599));
        if end == LineEnd::Lost || (end == LineEnd::NotTaken && (later || !by_peer)) {
            self.try_again(agent);
        }
    }

    /// Who answers a number presses a key first: a mailbox would keep the line.
    fn line_answered(&mut self, agent: &AgentId, leg: LegId) {
        let outside = self.legs.get(leg).is_some_and(|found| found.trunk.is_some());
        let confirm = self.snapshot.agent(agent).and_then(|agent| agent.duty.phone.confirm);
        let Some(wait) = confirm.filter(|_| outside) else {
            return self.line_up(agent);
        };
        if let Some(line) = self.lines.of.get_mut(agent) {
            line.state = State::Asked;
        }
        self.lines.due.set(agent.clone(), self.now + wait, NOT_UP);
        let items = self.question(agent.tenant, None);
        self.play_line(agent, leg, items, Repeat::Once);
    }

    fn line_up(&mut self, agent: &AgentId) {
        let Some(line) = self.lines.of.get_mut(agent) else { return };
        line.state = State::Up;
        let leg = line.leg;
        self.lines.due.clear(agent);
        self.lines.resting.remove(agent);
        self.event(agent.tenant, EventKind::AgentLine { agent: agent.clone(), up: true, why: None });
        self.play_line(agent, leg, vec![PlayItem::Silence(SILENCE_MS)], Repeat::Forever);
    }

    fn play_line(&mut self, agent: &AgentId, leg: LegId, items: Vec<PlayItem>, repeat: Repeat) {
        let playback = self.calls.new_playback(agent.tenant);
        if let Some(line) = self.lines.of.get_mut(agent) {
            line.silence = Some(playback);
        }
        self.tell_media(MediaCommand::Play { leg, playback, items, repeat });
    }
}
