//! Lines: legs to agents' devices that stay up between calls.
//!
//! A line is a session and a port that no call owns. A call that rings the agent makes a leg of its own, which is lent both
//! as long as it lives: so a call, and all that is ordered in it, knows nothing of lines. What is lent comes back when the
//! call lets the leg go.
//!
//! Invariants: a line is lent to one leg at a time, and again only when session and port are back; a line that is lost takes the
//! leg with it that it is lent to, and is no line; without one its agent is rung like any other.

use crate::io::ShardOutput;
use crate::legs::Leg;
use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_call::CallInput;
use cordboard_model::cause::Cause;
use cordboard_model::deadline::Deadlines;
use cordboard_model::device::{AgentDevice, AgentPhone};
use cordboard_model::dial::Accept;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId, PlaybackId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::{LegEvent, PartyId, Target};
use cordboard_model::media::{LegStats, MediaCommand, MediaEvent, PlayItem, Repeat, Tone};
use cordboard_model::time::{Time, TimerReason};
use cordboard_model::view::{AgentStatus, AgentView};
use cordboard_sip::engine::{DialogState, SessionId, SipCommand, SipEvent};
use std::collections::{BTreeMap, BTreeSet};

/// What is played between calls: packets keep the way open.
const SILENCE_MS: u32 = 60_000;
/// The tone before a call, milliseconds.
const TONE_MS: u32 = 400;
const NOT_UP: TimerReason = TimerReason("a line is not up");

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
    /// It is to be given up when it is back: lost, or of another device.
    gone: bool,
    /// Media threads have closed its port by themselves.
    closed: bool,
}

/// To which leg it is lent, and what that has of it still.
#[derive(Clone, Copy, Debug)]
struct Lent {
    leg: LegId,
    session: bool,
    port: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    of: BTreeMap<AgentId, Line>,
    /// Whose line a leg is: until its port is closed.
    own: BTreeMap<LegId, AgentId>,
    /// Legs of calls that have a line.
    lent: BTreeMap<LegId, AgentId>,
    /// Legs of calls that had one: media threads have no figures of them.
    had: BTreeSet<LegId>,
    /// Legs of calls whose own port is closed, for they have a line.
    spare: BTreeSet<LegId>,
    /// Whose line failed, or was put down: it is not tried again until he is ready anew.
    resting: BTreeSet<AgentId>,
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

    /// Legs of a call that is forgotten.
    pub(crate) fn forget(&mut self, legs: &[LegId]) {
        for leg in legs {
            self.had.remove(leg);
        }
    }

    /// Whether media threads have no figures of this leg.
    pub(crate) fn had(&self, leg: LegId) -> bool {
        self.had.contains(&leg)
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
            None if wants && self.is_in_call(agent) => {}
            None if wants && !self.lines.resting.contains(agent) => self.open_line(agent),
            Some(line) if line.lent.is_none() && (!wants || line.gone) => self.close_line(agent),
            _ => {}
        }
    }

    /// The same after a change of his status: who is ready anew has it tried anew.
    pub(crate) fn mind_line_of(&mut self, agent: &AgentId, status: AgentStatus) {
        if matches!(status, AgentStatus::Ready | AgentStatus::SignedOut) {
            self.lines.resting.remove(agent);
        }
        self.mind_line(agent);
    }

    /// He is rung elsewhere: the line to where he was is of no use.
    pub(crate) fn renew_line(&mut self, agent: &AgentId) {
        self.lines.resting.remove(agent);
        if let Some(line) = self.lines.of.get_mut(agent) {
            line.gone = true;
        }
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

    fn is_in_call(&self, agent: &AgentId) -> bool {
        self.acd.agent(agent).is_some_and(|view| view.status.is_of_a_call())
    }

    fn open_line(&mut self, agent: &AgentId) {
        let (call, leg) = (self.calls.new_call(agent.tenant), self.calls.new_leg(agent.tenant));
        self.legs.add(leg, call).agent = Some(agent.clone());
        let line =
            Line { leg, call, state: State::Rings, silence: None, lent: None, gone: false, closed: false };
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
            return self.line_failed(agent);
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
            self.line_failed(agent);
        }
    }

    /// It does not come up, or is put down.
    fn line_failed(&mut self, agent: &AgentId) {
        self.lines.resting.insert(agent.clone());
        self.close_line(agent);
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
        if line.state == State::Up {
            self.event(agent.tenant, EventKind::AgentLine { agent: agent.clone(), up: false });
        }
        match line.closed {
            true => self.do_forget(line.call),
            false => self.tell_media(MediaCommand::Close { leg: line.leg }),
        }
    }

    /// Media threads have closed the port of a line that is lent: the call hears so, and it is no line any more.
    fn port_lost(&mut self, leg: LegId) {
        let Some(agent) = self.lines.own.remove(&leg) else { return };
        self.lines.resting.insert(agent.clone());
        if let Some(line) = self.lines.of.get_mut(&agent) {
            (line.gone, line.closed) = (true, true);
            if let Some(lent) = &mut line.lent {
                lent.port = false;
            }
        }
    }

    /// Its session is over, or another's.
    fn line_down(&mut self, leg: LegId, call: CallId, session: SessionId) {
        self.legs.unbind(session);
        self.lamp_ends(leg);
        if self.legs.get_mut(leg).is_some_and(|found| core::mem::take(&mut found.journalled)) {
            self.journal(None, JournalRecord::DialogDown { call, leg });
        }
    }

    /// Lines that are not up in time.
    pub(crate) fn lines_due(&mut self) {
        while let Some(agent) = self.lines.due.pop_due(self.now) {
            self.line_failed(&agent);
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
        if let Some(borrower) = self.lines.borrower(*leg) {
            let line = core::mem::replace(leg, borrower);
            if matches!(event, MediaEvent::Closed { .. }) {
                self.port_lost(line);
            }
            return false;
        }
        let leg = *leg;
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
                self.line_failed(&agent)
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
        self.lines.resting.insert(agent.clone());
        self.lines.of.remove(agent);
        self.lines.due.clear(agent);
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
            SipEvent::Ringing { .. } => self.lamp(leg, DialogState::Early),
            SipEvent::EarlyMedia { media, .. } | SipEvent::Renegotiated { media, .. } => {
                self.configure_media(leg, *media);
            }
            SipEvent::Answered { media, .. } => {
                self.trunks.settled(leg);
                self.lamp(leg, DialogState::Confirmed);
                self.configure_media(leg, *media);
                self.line_answered(&agent, leg);
            }
            SipEvent::DialogUp { record, .. } => self.on_dialog(call, leg, *record),
            SipEvent::Digit { digit, .. } => self.on_key_told(leg, digit),
            SipEvent::Ended { session, by_peer, sip_status, .. } => {
                if self.tries_on(leg, session, by_peer, sip_status) {
                    return;
                }
                if by_peer && sip_status.is_none() {
                    self.answer_bye(session);
                }
                self.line_down(leg, call, session);
                if self.lines.of.get(&agent).is_some_and(|line| line.leg == leg) {
                    self.line_failed(&agent);
                }
            }
            _ => {}
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
        self.event(agent.tenant, EventKind::AgentLine { agent: agent.clone(), up: true });
        self.play_line(agent, leg, vec![PlayItem::Silence(SILENCE_MS)], Repeat::Forever);
    }

    fn play_line(&mut self, agent: &AgentId, leg: LegId, items: Vec<PlayItem>, repeat: Repeat) {
        let playback = self.calls.new_playback(agent.tenant);
        if let Some(line) = self.lines.of.get_mut(agent) {
            line.silence = Some(playback);
        }
        self.tell_media(MediaCommand::Play { leg, playback, items, repeat });
    }

    /// A call rings an agent: he has it by his line, if that is free. False if he is to be rung otherwise.
    pub(crate) fn lend_line(&mut self, call: CallId, leg: LegId, agent: &AgentId) -> bool {
        let Some(line) = self.lines.of.get(agent).cloned() else { return false };
        let free = line.state == State::Up && line.lent.is_none() && !line.gone;
        let Some(own) = self.legs.get(line.leg).filter(|_| free).cloned() else { return false };
        let Some(session) = own.session else { return false };
        // the port that the call has asked for is not needed
        self.lines.spare.insert(leg);
        self.tell_media(MediaCommand::Close { leg });
        if let Some(playback) = line.silence {
            self.tell_media(MediaCommand::StopPlay { leg: line.leg, playback });
        }
        if let Some(found) = self.legs.get_mut(leg) {
            let Leg { local, user, trunk, codec, .. } = own;
            (found.local, found.user, found.trunk, found.codec) = (local, user, trunk, codec);
            (found.settled, found.journalled) = (true, true);
        }
        self.lines.lent.insert(leg, agent.clone());
        self.lines.had.insert(leg);
        if let Some(line) = self.lines.of.get_mut(agent) {
            line.lent = Some(Lent { leg, session: true, port: true });
            line.silence = None;
        }
        self.hand_over(session, (line.call, line.leg), (call, leg), agent);
        if !self.offered.get(&call).is_some_and(|of| of.contains(agent)) {
            self.busy_outside(call, agent.clone());
        }
        self.ring_by_line(call, leg, agent);
        true
    }

    /// A session goes from one leg to another, and its dialog with it in the journal.
    fn hand_over(&mut self, session: SessionId, from: (CallId, LegId), to: (CallId, LegId), agent: &AgentId) {
        self.legs.unbind(session);
        self.legs.bind(to.1, session);
        if let Some(found) = self.legs.get_mut(from.1) {
            found.journalled = false;
        }
        if let Some(found) = self.legs.get_mut(to.1) {
            found.journalled = true;
        }
        if let Some(dialog) = self.sip.dialog_record(session) {
            self.journal(None, JournalRecord::DialogDown { call: from.0, leg: from.1 });
            let (call, leg) = to;
            self.journal(None, JournalRecord::DialogUp { call, leg, dialog, agent: Some(agent.clone()) });
        }
    }

    /// He hears a tone, and has the call at once if his phone answers by itself; else he presses a key.
    fn ring_by_line(&mut self, call: CallId, leg: LegId, agent: &AgentId) {
        let tone = PlayItem::Tone(Tone::Beep, TONE_MS);
        self.leg_event(leg, LegEvent::Ringing);
        if self.answers_itself(call, leg) {
            let playback = self.calls.new_playback(agent.tenant);
            self.tell_media(MediaCommand::Play { leg, playback, items: vec![tone], repeat: Repeat::Once });
        } else {
            let phone = self.snapshot.agent(agent).map(|agent| agent.duty.phone.clone()).unwrap_or_default();
            let wait = phone.confirm.unwrap_or(AgentPhone::CONFIRM);
            let queue = self.trunks.numbers.queue_of(call).cloned();
            let prompt = self.question(agent.tenant, queue.as_ref());
            let timeout_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
            let accept = Accept { prompt, key: AgentPhone::KEY, refuse: None, timeout_ms };
            self.tell_call(call, CallInput::Confirm { leg, accept });
        }
        self.leg_event(leg, LegEvent::Answered);
    }

    /// A call lets go of a leg: the session of a line comes back instead of its end. False if the leg has none.
    pub(crate) fn session_back(&mut self, call: CallId, leg: LegId) -> bool {
        let Some(agent) = self.lines.lent.get(&leg).cloned() else { return false };
        let Some(line) = self.lines.of.get_mut(&agent) else { return false };
        let Some(lent) = line.lent.as_mut().filter(|lent| lent.session) else { return false };
        lent.session = false;
        let (own, its) = (line.leg, line.call);
        let session = self.legs.get(leg).and_then(|found| found.session);
        if let Some(session) = session {
            self.hand_over(session, (call, leg), (its, own), &agent);
            if let Some(found) = self.legs.get_mut(leg) {
                found.session = None;
            }
            self.note_last_call(agent.clone(), call);
            self.on_left(call, leg);
            // a party that was on hold when the call ended is no longer
            self.sip.handle_command(SipCommand::Hold { session, on: false }, self.now);
        }
        let ended = LegEvent::Ended { cause: Cause::Normal, by_peer: false, sip_status: None };
        self.leg_event(leg, ended);
        self.line_back(&agent);
        true
    }

    /// The session of a leg is over. If it was a line's, so is the line.
    pub(crate) fn session_lost(&mut self, leg: LegId) {
        let Some(agent) = self.lines.lent.get(&leg).cloned() else { return };
        if let Some(line) = self.lines.of.get_mut(&agent) {
            line.gone = true;
            if let Some(lent) = &mut line.lent {
                lent.session = false;
            }
        }
        self.lines.resting.insert(agent.clone());
        self.line_back(&agent);
    }

    /// A call closes a leg's port: that of a line comes back instead. False if the leg has none.
    pub(crate) fn port_back(&mut self, leg: LegId) -> bool {
        let Some(agent) = self.lines.lent.get(&leg).cloned() else { return false };
        let Some(line) = self.lines.of.get_mut(&agent) else { return false };
        let Some(lent) = line.lent.as_mut().filter(|lent| lent.port) else { return false };
        lent.port = false;
        let own = line.leg;
        self.tell_media(MediaCommand::Unbridge { leg: own });
        self.tell_media(MediaCommand::Held { leg: own, held: false });
        let closed = MediaEvent::Closed { leg, stats: LegStats::default() };
        self.calls.handle_input(CallInput::Media(closed), self.now);
        self.line_back(&agent);
        true
    }

    /// If all of it is back it is free, or given up.
    fn line_back(&mut self, agent: &AgentId) {
        let Some(line) = self.lines.of.get_mut(agent) else { return };
        let Some(lent) = line.lent.filter(|lent| !lent.session && !lent.port) else { return };
        line.lent = None;
        let (leg, gone) = (line.leg, line.gone);
        self.lines.lent.remove(&lent.leg);
        if !gone {
            self.play_line(agent, leg, vec![PlayItem::Silence(SILENCE_MS)], Repeat::Forever);
        }
        self.mind_line(agent);
    }

    /// A call is forgotten by force: what it has of lines is lost.
    pub(crate) fn lines_forgotten(&mut self, legs: &[LegId]) {
        for leg in legs {
            self.session_lost(*leg);
            let agent = self.lines.lent.get(leg).cloned();
            if let Some(lent) = agent.and_then(|agent| self.lines.of.get_mut(&agent)?.lent.as_mut()) {
                lent.port = false;
            }
            if let Some(agent) = self.lines.lent.get(leg).cloned() {
                self.line_back(&agent);
            }
        }
        self.lines.forget(legs);
    }
}
