//! How a line is lent to a call, and comes back.
//!
//! Invariant: whatever the call does with its leg is done with the line's session and port, and the last that the call hears of
//! the leg is an end and a closed port, as of any other; of what it had begun nothing is left when the next call has the line.

use super::{Lent, SILENCE_MS, State};
use crate::legs::Leg;
use crate::shard::Shard;
use cordboard_call::CallInput;
use cordboard_model::cause::Cause;
use cordboard_model::device::{AgentPhone, LineEnd};
use cordboard_model::dial::Accept;
use cordboard_model::id::{AgentId, CallId, LegId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::{LegEvent, PartyId};
use cordboard_model::media::{MediaCommand, MediaEvent, PlayItem, Repeat, Tone};
use cordboard_sip::engine::{DialogState, SessionId, SipCommand};

/// The tone before a call, milliseconds.
const TONE_MS: u32 = 400;

impl Shard {
    /// A call rings an agent: he has it by his line, if that is free. False if he is to be rung otherwise.
    pub(crate) fn lend_line(&mut self, call: CallId, leg: LegId, agent: &AgentId, from: PartyId) -> bool {
        let Some(line) = self.lines.of.get(agent).cloned() else { return false };
        let free = line.state == State::Up && line.lent.is_none() && line.gone.is_none();
        let Some(own) = self.legs.get(line.leg).filter(|_| free).cloned() else { return false };
        let Some(session) = own.session else { return false };
        // the ports that the call has asked for are not needed
        self.lines.spare.insert(leg);
        let mut close = MediaCommand::Close { leg };
        self.video_before(&mut close);
        self.tell_media(close);
        if let Some(playback) = line.silence {
            self.tell_media(MediaCommand::StopPlay { leg: line.leg, playback });
        }
        let account = own.user.clone();
        if let Some(found) = self.legs.get_mut(leg) {
            let Leg { local, user, trunk, codec, .. } = own;
            (found.local, found.user, found.trunk, found.codec) = (local, user, trunk, codec);
            (found.settled, found.journalled) = (true, true);
        }
        self.lines.lent.insert(leg, agent.clone());
        if let Some(line) = self.lines.of.get_mut(agent) {
            line.lent = Some(Lent { leg, session: true, port: true, vacating: false });
            line.silence = None;
        }
        self.hand_over(session, (line.call, line.leg), (call, leg), agent);
        if !self.offered.get(&call).is_some_and(|of| of.contains(agent)) {
            self.busy_outside(call, agent.clone());
        }
        if let Some(user) = account {
            self.lamp_begins(leg, user, false, from);
            self.lamp(leg, DialogState::Confirmed);
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
            // a crash in between costs a BYE too many, and not one too few
            let (call, leg) = to;
            self.journal(None, JournalRecord::DialogUp { call, leg, dialog, agent: Some(agent.clone()) });
            self.journal(None, JournalRecord::DialogDown { call: from.0, leg: from.1 });
        }
    }

    /// He hears a tone, and has the call at once if his phone answers by itself or he has ordered the call; else he presses a
    /// key.
    fn ring_by_line(&mut self, call: CallId, leg: LegId, agent: &AgentId) {
        let tone = PlayItem::Tone(Tone::Beep, TONE_MS);
        self.leg_event(leg, LegEvent::Ringing);
        let own_wish = self.legs.get(leg).is_some_and(|found| found.own_wish);
        if own_wish || self.answers_itself(call, leg) {
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
    pub(crate) fn session_back(&mut self, call: CallId, leg: LegId, cause: Cause) -> bool {
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
            self.lamp_ends(leg);
            self.note_last_call(agent.clone(), call);
            self.on_left(call, leg);
            // a party that was on hold when the call ended is no longer
            self.sip.handle_command(SipCommand::Hold { session, on: false }, self.now);
        }
        self.leg_event(leg, LegEvent::Ended { cause, by_peer: false, sip_status: None });
        self.line_back(&agent);
        true
    }

    /// The session of a leg is over. If it was a line's, so is the line.
    pub(crate) fn session_lost(&mut self, leg: LegId, end: LineEnd) {
        let Some(agent) = self.lines.lent.get(&leg).cloned() else { return };
        if let Some(line) = self.lines.of.get_mut(&agent) {
            line.gone.get_or_insert(end);
            if let Some(lent) = &mut line.lent {
                lent.session = false;
            }
        }
        self.lines.resting.entry(agent.clone()).or_insert(end);
        self.line_back(&agent);
    }

    /// A call closes a leg's port: that of a line comes back once nothing of the call is left on it. False if the leg has none.
    pub(crate) fn port_back(&mut self, leg: LegId) -> bool {
        let Some(agent) = self.lines.lent.get(&leg).cloned() else { return false };
        let Some(line) = self.lines.of.get_mut(&agent) else { return false };
        let Some(lent) = line.lent.as_mut().filter(|lent| lent.port) else { return false };
        lent.vacating = true;
        let own = line.leg;
        self.tell_media(MediaCommand::Vacate { leg: own });
        true
    }

    /// What media threads report of a line that is lent: the call hears it as if the port were its leg's own.
    pub(super) fn on_lent_media(&mut self, own: LegId, event: &mut MediaEvent) {
        match event {
            MediaEvent::Closed { .. } => self.port_lost(own),
            MediaEvent::Vacated { leg, stats } => {
                *event = MediaEvent::Closed { leg: *leg, stats: *stats };
                let Some(agent) = self.lines.own.get(&own).cloned() else { return };
                if let Some(lent) = self.lines.of.get_mut(&agent).and_then(|line| line.lent.as_mut()) {
                    lent.port = false;
                }
                self.line_back(&agent);
            }
            _ => {}
        }
    }

    /// Media threads have closed the port of a line that is lent: the call hears so, and it is no line any more.
    fn port_lost(&mut self, leg: LegId) {
        let Some(agent) = self.lines.own.remove(&leg) else { return };
        self.lines.resting.insert(agent.clone(), LineEnd::Lost);
        if let Some(line) = self.lines.of.get_mut(&agent) {
            (line.gone, line.closed) = (Some(LineEnd::Lost), true);
            if let Some(lent) = &mut line.lent {
                lent.port = false;
            }
        }
        self.line_back(&agent);
    }

    /// If all of it is back it is free, or given up.
    fn line_back(&mut self, agent: &AgentId) {
        let Some(line) = self.lines.of.get_mut(agent) else { return };
        let Some(lent) = line.lent.filter(|lent| !lent.session && !lent.port) else { return };
        line.lent = None;
        let (leg, gone) = (line.leg, line.gone.is_some());
        self.lines.lent.remove(&lent.leg);
        if !gone {
            self.play_line(agent, leg, vec![PlayItem::Silence(SILENCE_MS)], Repeat::Forever);
        }
        self.mind_line(agent);
    }

    /// It is ended, whoever has it.
    pub(super) fn end_line(&mut self, agent: &AgentId) {
        let lent = self.lines.of.get(agent).and_then(|line| line.lent).filter(|lent| lent.session);
        let session = lent.and_then(|lent| self.legs.get(lent.leg)?.session);
        match (session, self.lines.of.get_mut(agent)) {
            // the call hears it from its leg
            (Some(session), Some(line)) => {
                line.gone = Some(LineEnd::GivenUp);
                let cause = Cause::Normal;
                self.sip.handle_command(SipCommand::HangUp { session, cause, text: None }, self.now);
            }
            (None, Some(line)) if line.lent.is_some() => line.gone = Some(LineEnd::GivenUp),
            (None, Some(_)) => self.close_line(agent),
            (_, None) => {}
        }
    }

    /// A call is forgotten: by force, if it has a session still, and that is lost. A port may be on its way back.
    pub(crate) fn lines_forgotten(&mut self, legs: &[LegId]) {
        for leg in legs {
            let Some(agent) = self.lines.lent.get(leg).cloned() else { continue };
            let Some(lent) = self.lines.of.get_mut(&agent).and_then(|line| line.lent.as_mut()) else {
                continue;
            };
            if !lent.vacating {
                lent.port = false;
            }
            if lent.session {
                self.session_lost(*leg, LineEnd::Lost);
            } else {
                self.line_back(&agent);
            }
        }
    }
}
