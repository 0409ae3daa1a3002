//! SIP's words into those of calls, queues and records.

use crate::ShardOutput;
use crate::shard::Shard;
use cordboard_acd::AcdInput;
use cordboard_call::CallInput;
use cordboard_model::cause::Cause;
use cordboard_model::config::Trunk;
use cordboard_model::device::LineEnd;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId, UserId};
use cordboard_model::journal::{ContactRecord, DialogRecord, JournalRecord};
use cordboard_model::leg::{Incoming, LegEvent};
use cordboard_model::media::MediaCommand;
use cordboard_model::plan::owner;
use cordboard_model::srtp::SrtpPolicy;
use cordboard_model::trace::TraceMedia;
use cordboard_sip::engine::{DialogState, IncomingCall, SessionId, SipCommand, SipEvent, SipOutput};
use cordboard_sip::sdp::{self, Keying, Negotiated};
use core::net::IpAddr;
use serde_json::Value;
use std::collections::BTreeMap;

impl Shard {
    pub(crate) fn on_sip(&mut self, output: SipOutput) {
        match output {
            SipOutput::Transmit { flow, bytes } => {
                self.ladder.message(flow, true, &bytes, self.now);
                self.out.push_back(ShardOutput::Transmit { flow, bytes });
            }
            SipOutput::Event(SipEvent::Incoming(call)) => self.on_incoming(*call),
            SipOutput::Event(event) => self.on_session(event),
            SipOutput::Reply(reply) => self.on_reply(*reply),
            SipOutput::Banned(ban) => self.on_banned(&ban),
            SipOutput::Registered(contact) => self.on_registered(*contact),
            SipOutput::Unregistered { user, uri } => self.on_unregistered(user, uri),
        }
    }

    fn on_incoming(&mut self, mut incoming: IncomingCall) {
        // Who has proved to be an account is shown by the account's name: what his phone says may be another's.
        if let Some(known) = incoming.user.as_ref().and_then(|user| self.snapshot.user(user)) {
            incoming.from.display.clone_from(&known.display);
        }
        let Ok(is_click) = self.is_click(&mut incoming) else {
            return;
        };
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let trunk = incoming.trunk.as_ref().and_then(|id| snapshot.trunk(id));
        let shared =
            trunk.and_then(|trunk| owner(snapshot.tenant(trunk.id.tenant)?, trunk, &incoming.to.user));
        incoming.tenant = shared.unwrap_or(incoming.tenant);
        let tenant = incoming.tenant;
        let urgent = incoming.urgent && self.may_help(tenant);
        let full = !urgent && self.is_full(trunk);
        let refused = match self.place_of(&incoming) {
            _ if self.crosses(&incoming) && !urgent => Err(Cause::NotFound),
            _ if self.stop_refuses(&incoming) => Err(Cause::Shutdown),
            _ if self.unrecordable && !urgent => Err(Cause::Administrative),
            _ if full || self.snapshot.tenant(tenant).is_none() => Err(Cause::Congestion),
            place => place.map_err(|()| Cause::Forbidden),
        };
        let replaces = match refused {
            Ok(replaces) => replaces,
            Err(cause) => return self.refuse_call(&incoming, cause),
        };
        self.figures.calls += 1;
        let call = incoming.guest.unwrap_or_else(|| self.calls.new_call(tenant));
        let leg = self.calls.new_leg(tenant);
        self.in_hand = Some(call);
        let mut data = self.add_incoming(call, leg, trunk, &mut incoming);
        if is_click {
            data = self.clicks.begin(call);
        } else {
            self.numbers_inside(call, trunk, &mut incoming);
        }
        self.ladder.tie(call, leg, &incoming.call_id);
        if let Some(trunk) = trunk {
            self.trunks.add(trunk, call, self.now);
        }
        let ticket = self.gate.opening(call, self.now, self.snapshot.limits.journal_wait);
        let opened = JournalRecord::CallOpened {
            call,
            from: incoming.from.clone(),
            to: incoming.to.clone(),
            started: self.wall.at(self.now),
        };
        self.journal(Some(ticket), opened);
        self.ledger.came(call, incoming.trunk.clone(), self.moment());
        if !is_click {
            self.busies_caller(call, leg, &incoming);
        }
        if let Some(user) = incoming.user.clone() {
            self.lamp_begins(leg, user, true, incoming.to.clone());
        }
        self.begins_urgent(call, urgent);
        self.refuse_plain(leg, &incoming);
        let incoming = Incoming {
            leg,
            from: incoming.from,
            to: incoming.to,
            trunk: incoming.trunk,
            user: incoming.user,
            replaces,
            data,
        };
        self.tell_call(call, CallInput::New { call, incoming });
    }

    /// The first leg of a call, as it came; gives the call data that it brought along.
    fn add_incoming(
        &mut self,
        call: CallId,
        leg: LegId,
        trunk: Option<&Trunk>,
        incoming: &mut IncomingCall,
    ) -> BTreeMap<String, Value> {
        let added = self.legs.add(leg, call);
        added.user.clone_from(&incoming.user);
        added.trunk.clone_from(&incoming.trunk);
        added.video_offered = match self.config.video {
            Some(_) => incoming.offer.as_deref().and_then(sdp::video_of).map(Box::new),
            None => None,
        };
        added.offered = incoming.offer.as_deref().map(sdp::codecs_of).unwrap_or_default();
        let (came, data) = Self::believe(trunk, incoming);
        added.came = Some(Box::new(came));
        self.legs.bind(leg, incoming.session);
        data
    }

    /// Whether one more call is one too many, for the switch or for the trunk it comes by.
    fn is_full(&mut self, trunk: Option<&Trunk>) -> bool {
        self.calls.len() >= self.snapshot.limits.calls as usize
            || trunk.is_some_and(|trunk| !self.trunks.has_room(trunk, self.now))
    }

    /// Plain RTP where keys are required would be refused when the call is to be answered. Nobody's phone need ring before:
    /// the session refuses it now, and says why.
    fn refuse_plain(&mut self, leg: LegId, incoming: &IncomingCall) {
        let policy = self.srtp_of(leg).policy;
        let refused = |keying| match policy {
            SrtpPolicy::Off | SrtpPolicy::Optional => false,
            SrtpPolicy::Required => keying == Keying::Plain,
            SrtpPolicy::Dtls => keying != Keying::Dtls,
        };
        if incoming.offer.as_deref().is_some_and(|offer| refused(sdp::keying_offered(offer))) {
            let local = self.local_media(leg, self.config.local);
            self.sip.handle_command(SipCommand::Answer { session: incoming.session, local }, self.now);
        }
    }

    /// Whether a phone dialled into a domain of another tenant: its own house has no such party, and no call goes over.
    /// An address is where the phone found the switch, and names nobody.
    fn crosses(&self, incoming: &IncomingCall) -> bool {
        let is_name = incoming.host.trim_matches(['[', ']']).parse::<core::net::IpAddr>().is_err();
        let other = self.snapshot.tenant_of_domain(&incoming.host).map(|tenant| tenant.id);
        is_name && incoming.trunk.is_none() && other.is_some_and(|other| other != incoming.tenant)
    }

    /// A call that is not taken at all: it has no record, but its messages are kept.
    fn refuse_call(&mut self, incoming: &IncomingCall, cause: Cause) {
        self.figures.calls_refused += 1;
        self.ladder.refused(incoming.tenant, &incoming.call_id);
        let session = incoming.session;
        self.sip.handle_command(SipCommand::HangUp { session, cause, text: None }, self.now);
    }

    /// The agent's phone is in a call that no queue gave him.
    pub(crate) fn busy_outside(&mut self, call: CallId, agent: AgentId) {
        self.outside.add(call, agent.clone());
        self.acd.handle_input(AcdInput::AgentBusyOutside { agent, call: Some(call) }, self.now);
    }

    fn on_session(&mut self, event: SipEvent) {
        let session = event.session();
        let Some(leg) = self.legs.by_session(session) else {
            return;
        };
        let Some(call) = self.legs.get(leg).map(|found| found.call) else {
            return;
        };
        self.in_hand = Some(call);
        if self.lines.is_own(leg) {
            return self.on_line_session(call, leg, event);
        }
        match event {
            SipEvent::Incoming(_) => {}
            SipEvent::MediaSettled { media, .. } => self.on_settled(leg, *media),
            SipEvent::Ringing { .. } => {
                self.trunks.rang(leg);
                self.lamp(leg, DialogState::Early);
                self.leg_event(leg, LegEvent::Ringing);
            }
            SipEvent::EarlyMedia { media, .. } => {
                self.trunks.rang(leg);
                self.configure_media(leg, *media);
                self.leg_event(leg, LegEvent::EarlyMedia);
            }
            SipEvent::Answered { media, .. } => {
                self.trunks.settled(leg);
                self.lamp(leg, DialogState::Confirmed);
                self.configure_media(leg, *media);
                self.leg_event(leg, LegEvent::Answered);
            }
            SipEvent::DialogUp { record, .. } => self.on_dialog(call, leg, *record),
            SipEvent::Confirmed { record, .. } => {
                self.on_dialog(call, leg, *record);
                self.lamp(leg, DialogState::Confirmed);
                self.leg_event(leg, LegEvent::Confirmed);
            }
            SipEvent::Renegotiated { media, .. } => {
                let on = media.held_by_peer;
                self.configure_media(leg, *media);
                self.leg_event(leg, LegEvent::PeerHold { on });
            }
            SipEvent::HoldDone { on, ok, .. } => self.leg_event(leg, LegEvent::HoldDone { on, ok }),
            SipEvent::Redirected { to, host, .. } => self.on_redirect(call, leg, to.user, &host),
            SipEvent::Refer { refer, .. } => self.on_refer(leg, session, *refer),
            SipEvent::Digit { digit, .. } => self.on_key_told(leg, digit),
            SipEvent::Ended { by_peer, sip_status, .. }
                if self.tries_on(leg, session, by_peer, sip_status) => {}
            SipEvent::Ended { cause, by_peer, sip_status, .. } => {
                if by_peer && sip_status.is_none() {
                    self.on_bye(call, leg, session);
                }
                self.lamp_ends(leg);
                self.on_leg_ended(call, leg, session);
                self.session_lost(leg, if by_peer { LineEnd::PutDown } else { LineEnd::Lost });
                self.leg_event(leg, LegEvent::Ended { cause, by_peer, sip_status });
            }
        }
    }

    fn on_leg_ended(&mut self, call: CallId, leg: LegId, session: SessionId) {
        self.legs.unbind(session);
        if let Some(found) = self.legs.get_mut(leg)
            && core::mem::take(&mut found.journalled)
        {
            let (agent, account) = (found.agent.clone(), found.user.clone());
            let at = |user| self.agent_at(&user).filter(|agent| self.is_his_place(agent, &user));
            let agent = agent.or_else(|| account.and_then(at));
            self.journal(None, JournalRecord::DialogDown { call, leg });
            if let Some(agent) = agent {
                self.note_last_call(agent, call);
            }
        }
        self.on_left(call, leg);
    }

    pub(crate) fn on_dialog(&mut self, call: CallId, leg: LegId, dialog: DialogRecord) {
        let Some(found) = self.legs.get_mut(leg) else {
            return;
        };
        found.journalled = true;
        let agent = found.agent.clone();
        self.journal(None, JournalRecord::DialogUp { call, leg, dialog, agent });
    }

    /// Offer and answer of an incoming leg are settled; it is answered if that was what we did.
    fn on_settled(&mut self, leg: LegId, media: Negotiated) {
        self.configure_media(leg, media);
        let answered = self.legs.get_mut(leg).is_some_and(|found| {
            found.settled = true;
            found.answering
        });
        if answered {
            self.leg_event(leg, LegEvent::Answered);
        }
    }

    pub(crate) fn configure_media(&mut self, leg: LegId, media: Negotiated) {
        let Negotiated { stream: params, keys, path, video, .. } = media;
        if let Some(found) = self.legs.get_mut(leg) {
            found.codec = Some(params.codec);
        }
        let suite = keys.map(|keys| keys.send.suite());
        let dtls = path.as_ref().is_some_and(|path| path.dtls.is_some());
        self.note_media(leg, TraceMedia::Agreed { params, suite, dtls });
        self.set_dtmf(leg);
        let signals = self.signals_from(leg);
        self.tell_media(MediaCommand::Configure {
            leg,
            params,
            signals,
            keys: keys.map(Box::new),
            path: path.map(Box::new),
        });
        self.configure_video(leg, video);
    }

    /// The host that a leg's signalling comes from.
    pub(crate) fn signals_from(&self, leg: LegId) -> Option<IpAddr> {
        self.sip.peer_host(self.legs.get(leg)?.session?)
    }

    pub(crate) fn leg_event(&mut self, leg: LegId, event: LegEvent) {
        self.calls.handle_input(CallInput::Leg(leg, event), self.now);
    }

    fn on_registered(&mut self, contact: ContactRecord) {
        let user = contact.user.clone();
        let key = (user.clone(), contact.uri.clone());
        let uri = contact.uri.clone();
        self.journal(None, JournalRecord::Registered(contact));
        if self.known_contacts.insert(key) {
            self.event(user.tenant, EventKind::Registered { user: user.clone(), uri });
            self.tell_contacts(&user);
        }
    }

    fn on_unregistered(&mut self, user: UserId, uri: String) {
        self.journal(None, JournalRecord::Unregistered { user: user.clone(), uri: uri.clone() });
        self.known_contacts.remove(&(user.clone(), uri.clone()));
        self.event(user.tenant, EventKind::Unregistered { user: user.clone(), uri });
        self.tell_contacts(&user);
    }

    /// The queues learn how many devices an account has.
    pub(crate) fn tell_contacts(&mut self, user: &UserId) {
        let count = u32::try_from(self.sip.contact_count(user)).unwrap_or(u32::MAX);
        self.acd.handle_input(AcdInput::Contacts { user: user.clone(), count }, self.now);
        for agent in self.acd.agents_at(user) {
            self.mind_line(&agent);
        }
    }
}
