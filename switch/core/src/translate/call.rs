//! What calls want, done by the rooms that can.

use crate::ShardOutput;
use crate::shard::Shard;
use crate::trunks::Out;
use cordboard_acd::AcdInput;
use cordboard_call::{CallOutput, DialTarget, FlowOutput, QueueOutput};
use cordboard_flow::{FlowCommand, FlowInput};
use cordboard_model::cause::Cause;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::{LegCommand, LegEvent, PartyId, Target};
use cordboard_model::media::{Codec, Direction, DtmfKind, MediaCommand, PlayItem};
use cordboard_model::stream::StreamCommand;
use cordboard_sip::engine::{Dest, SipCommand};
use cordboard_sip::identity::Told;
use cordboard_sip::sdp::{Local, Security};
use core::net::SocketAddr;

/// The payload type that we offer RFC 4733 events with.
const DTMF_PAYLOAD_TYPE: u8 = 101;

/// The call that an output is about. Events and plain journal records are about none: they pass at once.
fn call_of(shard: &Shard, output: &CallOutput) -> Option<CallId> {
    let of_leg = |leg: LegId| shard.legs.get(leg).map(|found| found.call);
    match output {
        CallOutput::Leg(leg, _) => of_leg(*leg),
        CallOutput::Media(command) => command.leg().and_then(of_leg),
        CallOutput::Dial { call, .. }
        | CallOutput::Route { call, .. }
        | CallOutput::Closing { call, .. }
        | CallOutput::Forgotten { call } => Some(*call),
        CallOutput::Flow(_)
        | CallOutput::Queue(_)
        | CallOutput::Stream(_)
        | CallOutput::Event(..)
        | CallOutput::Journal(_)
        | CallOutput::Speak { .. }
        | CallOutput::Moved { .. } => None,
    }
}

impl Shard {
    pub(crate) fn on_call(&mut self, output: CallOutput) {
        let Some(call) = call_of(self, &output) else {
            return self.do_call(output);
        };
        let is_answer = matches!(output, CallOutput::Leg(_, LegCommand::Answer));
        if let Some(output) = self.gate.pass(call, output, is_answer) {
            self.do_call(output);
        }
    }

    /// Does what a call wants, the journal permitting.
    pub(crate) fn do_call(&mut self, output: CallOutput) {
        match output {
            CallOutput::Leg(leg, command) => self.do_leg(leg, command),
            CallOutput::Dial { call, leg, to, from, agent } => self.do_dial(call, leg, to, from, agent),
            CallOutput::Media(command) => self.do_media(command),
            CallOutput::Route { call, incoming } => self.route(call, incoming),
            CallOutput::Flow(output) => self.do_flow(output),
            CallOutput::Queue(output) => self.do_queue(output),
            // what a caller keys in while he is asked for a secret is no program's business
            CallOutput::Stream(StreamCommand::Digit { call, .. }) if self.asks_secret(call) => {}
            CallOutput::Stream(mut command) => {
                self.lines.meant_by(&mut command);
                self.out.push_back(ShardOutput::Stream(command));
            }
            CallOutput::Event(tenant, what) => {
                if let EventKind::StreamEnded { call, .. } = &what {
                    self.assisted.remove(call);
                }
                let held = match &what {
                    EventKind::LegHeld { call, .. } => Some(*call),
                    _ => None,
                };
                let what = self.whole(what);
                self.event(tenant, what);
                if let Some(call) = held {
                    self.note_hold(call);
                }
            }
            CallOutput::Journal(record) => self.journal(None, record),
            CallOutput::Closing { call, mut cdr } => {
                self.ledger_into(&mut cdr);
                self.numbers_into(&mut cdr);
                self.videos_into(&mut cdr);
                self.note_talk(&cdr);
                self.recalled(&cdr);
                self.figures.calls_ended += 1;
                self.closing.insert(call, cdr.clone());
                let ticket = self.gate.closing(call, self.now, self.snapshot.limits.journal_wait);
                self.journal(Some(ticket), JournalRecord::CallClosed(cdr));
            }
            CallOutput::Speak { call, act, items } => self.speak_for(call, act, items),
            CallOutput::Moved { leg, to, .. } => self.on_moved(leg, to),
            CallOutput::Forgotten { call } => self.do_forget(call),
        }
    }

    /// The end of a call is told with its record as it is kept: with what only the shard knows of it.
    fn whole(&mut self, what: EventKind) -> EventKind {
        match what {
            EventKind::CallEnded { call, cause, by, cdr } => {
                let cdr = self.closing.remove(&call).unwrap_or(cdr);
                EventKind::CallEnded { call, cause, by, cdr }
            }
            other => other,
        }
    }

    pub(crate) fn do_media(&mut self, command: MediaCommand) {
        self.note_secret(&command);
        if let MediaCommand::Open { leg, .. } = &command
            && self.legs.get(*leg).is_none()
            && let Some(call) = self.calls.call_of(*leg)
        {
            self.legs.add(*leg, call);
        }
        if let MediaCommand::Close { leg } = command
            && self.port_back(leg)
        {
            return;
        }
        let mut command = self.in_own_tones(command);
        let joined = match &command {
            MediaCommand::Bridge { a, b } => Some((*a, *b)),
            _ => None,
        };
        self.video_before(&mut command);
        self.tell_media(command);
        self.video_after(joined);
        if let Some(legs) = joined {
            self.talks_by_telephone(legs);
        }
    }

    /// Tones that each country has its own way to play become those of the tenant.
    fn in_own_tones(&self, mut command: MediaCommand) -> MediaCommand {
        if let MediaCommand::Play { leg, items, .. } = &mut command {
            let plan = self.snapshot.tenant(leg.tenant).map(|tenant| tenant.tones).unwrap_or_default();
            for item in items {
                if let PlayItem::Tone(tone, _) = item {
                    *tone = tone.of(plan);
                }
            }
        }
        command
    }

    fn do_leg(&mut self, leg: LegId, command: LegCommand) {
        let Some(found) = self.legs.get(leg) else {
            return;
        };
        let call = found.call;
        self.in_hand = Some(call);
        if let LegCommand::HangUp { cause } = command
            && self.session_back(call, leg, cause)
        {
            return;
        }
        let Some(found) = self.legs.get(leg) else {
            return;
        };
        let (Some(session), local) = (found.session, found.local) else {
            // Never dialled, or over: the call hears that it is gone, as it expects after a hang-up.
            if matches!(command, LegCommand::HangUp { .. }) {
                let ended = LegEvent::Ended { cause: Cause::Normal, by_peer: false, sip_status: None };
                self.leg_event(leg, ended);
            }
            return;
        };
        let command = match command {
            LegCommand::Dial { .. } => return,
            LegCommand::Ring => SipCommand::Ring { session },
            LegCommand::Hold { on } => SipCommand::Hold { session, on },
            LegCommand::TransferResult { ticket, status } => {
                SipCommand::ReferResult { session, ticket, status }
            }
            LegCommand::HangUp { cause } => SipCommand::HangUp { session, cause, text: None },
            LegCommand::EarlyMedia | LegCommand::Answer => {
                let Some(local) = local.map(|addr| self.local_media(leg, addr)) else {
                    let cause = Cause::InternalError;
                    self.sip.handle_command(SipCommand::HangUp { session, cause, text: None }, self.now);
                    return;
                };
                match command {
                    LegCommand::EarlyMedia => SipCommand::EarlyMedia { session, local },
                    _ => SipCommand::Answer { session, local },
                }
            }
        };
        let is_answer = matches!(command, SipCommand::Answer { .. });
        self.sip.handle_command(command, self.now);
        if is_answer && let Some(found) = self.legs.get_mut(leg) {
            found.answering = true;
            if found.settled {
                // Early media settled it; the answer changes nothing about that.
                self.leg_event(leg, LegEvent::Answered);
            }
        }
    }

    pub(crate) fn local_media(&self, leg: LegId, addr: SocketAddr) -> Local {
        let tenant = self.snapshot.tenant(leg.tenant);
        let trunk = self.legs.get(leg).and_then(|found| self.snapshot.trunk(found.trunk.as_ref()?));
        let own = trunk.map(|trunk| trunk.codecs.clone()).filter(|codecs| !codecs.is_empty());
        let of_tenant = || tenant.map_or_else(|| Codec::DEFAULT.to_vec(), |tenant| tenant.codecs.clone());
        let spoken = self.others(leg).find_map(|other| other.codec);
        let codecs = own.unwrap_or_else(|| {
            // A party of ours is offered first what the other one speaks: then nothing need be transcoded.
            let mut codecs = of_tenant();
            let offered = || self.others(leg).flat_map(|other| other.offered.iter());
            let place = |codec: &Codec| offered().position(|known| known == codec).unwrap_or(usize::MAX);
            codecs
                .sort_by_key(|codec| if spoken == Some(*codec) { 0 } else { place(codec).saturating_add(1) });
            codecs
        });
        let told = trunk.and_then(|trunk| trunk.told_media);
        Local {
            addr: told.map_or(addr, |told| SocketAddr::new(told, addr.port())),
            session_id: leg.number,
            version: 1,
            codecs,
            spoken,
            // who takes keys in another way is not told that we would send events
            dtmf_pt: (self.dtmf_of(leg) == DtmfKind::Rfc4733).then_some(DTMF_PAYLOAD_TYPE),
            direction: Direction::SendRecv,
            security: Security::new(self.srtp_of(leg)),
            ptime_ms: self.config.ptime_ms,
            rtcp_mux: self.config.rtcp_mux,
            video: self.local_video(leg),
            parted: false,
            comfort: self.config.comfort_noise,
        }
    }

    /// The other legs of a leg's call.
    pub(crate) fn others(&self, leg: LegId) -> impl Iterator<Item = &crate::legs::Leg> {
        let of_call = self.legs.get(leg).map(|found| self.legs.of(found.call)).unwrap_or_default();
        of_call.iter().filter(move |other| **other != leg).filter_map(|other| self.legs.get(*other))
    }

    fn do_dial(&mut self, call: CallId, leg: LegId, to: DialTarget, from: PartyId, agent: Option<AgentId>) {
        self.in_hand = Some(call);
        let found = self.legs.add(leg, call);
        found.agent.clone_from(&agent);
        let local = found.local;
        let own = agent.as_ref().and_then(|id| self.snapshot.agent(id)).map(|agent| &agent.user);
        let at_his_device = match (&to, &agent) {
            (DialTarget::Agent(id), _) => Ok(id.clone()),
            (DialTarget::Target(Target::User(user)), Some(id)) if own == Some(user) => Ok(id.clone()),
            (DialTarget::Target(target), _) => Err(target.clone()),
        };
        let target = match at_his_device {
            Ok(id) if self.lend_line(call, leg, &id, from.clone()) => return,
            Ok(id) => self.device_for((call, leg), &id),
            Err(target) => Ok(target),
        };
        // Who it is decides what is offered.
        match (&target, self.legs.get_mut(leg)) {
            (Ok(Target::Trunk(id, _)), Some(found)) => found.trunk = Some(id.clone()),
            (Ok(Target::User(user)), Some(found)) => found.user = Some(user.clone()),
            _ => {}
        }
        let dialled = target.and_then(|target| {
            let local = local.map(|addr| self.local_media(leg, addr)).ok_or(Cause::InternalError)?;
            let agent = self.legs.get(leg).and_then(|found| found.agent.as_ref());
            let offered = self.offered.get(&call).zip(agent).is_some_and(|(of, agent)| of.contains(agent));
            self.invite(call, leg, target, from, local, !offered)
        });
        if let Err(cause) = dialled {
            self.leg_event(leg, LegEvent::Ended { cause, by_peer: false, sip_status: None });
        }
    }

    /// Sends the INVITE. `outside`: no queue gave this call to the agent whose phone rings.
    pub(crate) fn invite(
        &mut self,
        call: CallId,
        leg: LegId,
        target: Target,
        from: PartyId,
        local: Local,
        outside: bool,
    ) -> Result<(), Cause> {
        let tenant = self.snapshot.tenant(call.tenant).ok_or(Cause::NotFound)?;
        let host = tenant.domains.first().cloned().unwrap_or_else(|| self.config.local.ip().to_string());
        let (dest, to) = match target {
            Target::User(user) => {
                let dest = self.dest_user(call, leg, user.clone(), outside)?;
                self.lamp_begins(leg, user, false, from.clone());
                dest
            }
            Target::Trunk(id, number) => {
                let out = Out { number: number.clone(), from, local, host, told: Told::default() };
                self.dial_trunk(call, leg, &id, out)?;
                if outside {
                    self.busies_number(call, leg, &number);
                }
                return Ok(());
            }
        };
        let mut told = Box::new(self.told(call, leg, &from, None));
        told.auto_answer = self.answers_itself(call, leg);
        let session = self.sip.new_session();
        self.legs.bind(leg, session);
        let invite = SipCommand::Invite { session, target: dest, from, to, host, local, told };
        self.sip.handle_command(invite, self.now);
        Ok(())
    }

    fn dest_user(
        &mut self,
        call: CallId,
        leg: LegId,
        user: UserId,
        outside: bool,
    ) -> Result<(Dest, PartyId), Cause> {
        let display = self.snapshot.user(&user).ok_or(Cause::NotFound)?.display.clone();
        if self.sip.contact_count(&user) == 0 {
            return Err(Cause::NotRegistered);
        }
        let offered = self.legs.get(leg).and_then(|found| found.agent.clone()).filter(|_| !outside);
        for agent in self.agents_at_account(&user) {
            if Some(&agent) != offered.as_ref() {
                self.busy_outside(call, agent);
            }
        }
        let to = PartyId { user: user.name.to_string(), display };
        Ok((Dest::Aor(user), to))
    }

    fn do_flow(&mut self, output: FlowOutput) {
        match output {
            FlowOutput::Start { call, flow, from, to, data, above } => {
                self.in_hand = Some(call);
                if above {
                    self.flow_command(FlowCommand::Park { call });
                }
                let (from, to) = (from.user.as_str().into(), to.user.as_str().into());
                self.flow_command(FlowCommand::Start { call, flow, from, to, data });
            }
            FlowOutput::Answer { call, ticket, answer } => {
                self.in_hand = Some(call);
                // something else came first
                self.fetches.forget(call);
                self.phone_desks.leave(call);
                self.flows.handle_input(FlowInput::Answer { call, ticket, answer }, self.now);
            }
            FlowOutput::Back { call } => {
                self.speeches.forget(call);
                self.fetches.forget(call);
                self.phone_desks.leave(call);
                self.flow_command(FlowCommand::Unpark { call });
            }
            FlowOutput::Stop { call, .. } => {
                self.speeches.forget(call);
                self.fetches.forget(call);
                self.phone_desks.leave(call);
                self.flow_command(FlowCommand::Stop { call });
            }
        }
    }

    fn do_queue(&mut self, output: QueueOutput) {
        let input = match output {
            QueueOutput::Enter { call, queue, timeout_ms, priority, staffed, wish, by: Some(by) } => {
                let at = self.wall.at(self.now);
                // one whom the caller knows is fine, but for him who asks; the caller's own place is not touched
                let wish = wish.or_else(|| self.wish(call, &queue)).filter(|wish| wish.agent != by);
                let record = JournalRecord::Queued { call, queue: queue.clone(), at, by: Some(by) };
                self.journal(None, record);
                AcdInput::Enter { call, queue, timeout_ms, priority, staffed, wish }
            }
            QueueOutput::Enter { call, queue, timeout_ms, priority, staffed, wish, by: None } => {
                let at = self.wall.at(self.now);
                self.trunks.numbers.queued(call, queue.clone());
                self.journal(None, JournalRecord::Queued { call, queue: queue.clone(), at, by: None });
                if let Some(arrived) = self.arrival(call, &queue, timeout_ms, priority) {
                    return self.tell_acd(arrived);
                }
                let wish =
                    wish.or_else(|| self.clicks.wish(call, &queue)).or_else(|| self.wish(call, &queue));
                AcdInput::Enter { call, queue, timeout_ms, priority, staffed, wish }
            }
            QueueOutput::Abandoned { call } => AcdInput::Abandoned { call },
            QueueOutput::OfferRinging { call, agent } => AcdInput::OfferRinging { call, agent },
            QueueOutput::OfferAnswered { call, agent } => {
                self.assist(call, &agent);
                AcdInput::OfferAnswered { call, agent }
            }
            QueueOutput::OfferFailed { call, agent, why, caller_gone } => {
                self.not_offered(call, &agent);
                AcdInput::OfferFailed { call, agent, why, caller_gone }
            }
            QueueOutput::AgentReleased { call, agent } => {
                self.assist_no_more(call, &agent);
                AcdInput::AgentReleased { call, agent }
            }
        };
        self.tell_acd(input);
    }

    /// No queue gives this call to that agent any more: if his phone rings for it, that is not by a queue.
    pub(crate) fn not_offered(&mut self, call: CallId, agent: &AgentId) {
        if let Some(offered) = self.offered.get_mut(&call) {
            offered.remove(agent);
        }
    }

    pub(crate) fn do_forget(&mut self, call: CallId) {
        self.ladder.forget(call, self.now);
        self.ledger.forget(call);
        let legs = self.legs.of(call).to_vec();
        for leg in &legs {
            self.lamp_ends(*leg);
        }
        self.forget_videos(&legs);
        self.lines_forgotten(&legs);
        for session in self.legs.forget(call) {
            // Only a call that was forgotten by force has sessions left.
            let cause = Cause::InternalError;
            self.sip.handle_command(SipCommand::HangUp { session, cause, text: None }, self.now);
        }
        self.stop_asking(call);
        self.routing.forget(call);
        self.speeches.forget(call);
        self.spoken.forget(call);
        self.fetches.forget(call);
        self.phone_desks.forget(call);
        self.offered.remove(&call);
        self.assisted.remove(&call);
        self.closing.remove(&call);
        self.trunks.forget(call, &legs);
        self.recall_forgotten(call);
        self.clicks.forget(call);
        self.say_goodbye(call);
        for (agent, call) in self.outside.forget(call) {
            self.acd.handle_input(AcdInput::AgentBusyOutside { agent, call }, self.now);
        }
    }
}
