//! Calls that come in (RFC 3261 8.2, 9.2, 13.3, 14.2, 15.1.2).

use super::calling::caller_of;
use super::line::{Line, State, Unacked};
use super::sdp::Sdp;
use super::{Act, End, Moment, Phone, PhoneCall, PhoneEvent, Reply, has_to_tag};
use cordboard_sip::wire::{HeaderName, Message, Method};

type Key = (String, Method);

impl Phone {
    pub(super) fn on_invite(&mut self, key: Key) {
        let Some(request) = self.servers.get(&key).map(|s| s.request.clone()) else {
            return;
        };
        if has_to_tag(&request) {
            return self.on_reinvite(key, &request);
        }
        let contact = request.contacts().ok().and_then(|c| c.into_iter().next());
        let (Some(slot), Some(contact)) = (self.free_slot(), contact) else {
            return self.respond(&key, 486, |_| {});
        };
        let call_id = request.call_id().unwrap_or_default().to_owned();
        let (call, log) = self.add_log(slot, false, &call_id);
        let (peer, display) = caller_of(&request);
        if let Some(entry) = self.log.get_mut(log) {
            entry.peer = peer;
            entry.display = display;
        }
        let random = self.token();
        let media = self.new_media(slot);
        let routes = request.headers.get_all(&HeaderName::RecordRoute);
        let mut line = Line {
            slot,
            state: State::Ringing,
            outgoing: false,
            call_id,
            local: String::new(),
            remote: request.header(&HeaderName::From).unwrap_or_default().into(),
            remote_tag: request.from_().ok().and_then(|f| f.tag().map(Into::into)),
            target: contact.uri,
            routes: routes.map(str::to_owned).collect(),
            cseq: 0,
            peer_cseq: request.cseq().ok().map(|c| c.seq),
            branch: key.0.clone(),
            proceeding: true,
            rang: false,
            cancelled: false,
            cancel_sent: false,
            challenged: false,
            bye_wanted: false,
            unacked: None,
            reinvite: None,
            reinvite_again: None,
            held: false,
            held_by_peer: false,
            sdp_session: u64::from_str_radix(&random[..8], 16).unwrap_or(1),
            sdp_version: 1,
            plan: self.config.incoming.clone(),
            due: Vec::new(),
            media,
            log,
        };
        line.moment(Moment::Start, self.now);
        self.lines.insert(call, line);
        if let Some(server) = self.servers.get_mut(&key) {
            server.call = Some(call);
        }
        self.event(PhoneEvent::Incoming(call));
        self.ring(call, &key);
    }

    fn ring(&mut self, call: PhoneCall, key: &Key) {
        let now = self.now;
        let contact = self.contact();
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.rang = true;
        line.moment(Moment::Ringing, now);
        let reply = line.plan.reply;
        match reply {
            Reply::Answer(after) => line.due.push((now + after, Act::Answer)),
            Reply::EarlyMedia(after) => line.due.push((now + after, Act::Answer)),
            Reply::Reject(code, after) => line.due.push((now + after, Act::Reject(code))),
            Reply::RingOn | Reply::Nothing => {}
        }
        if let Some(log) = self.log.get_mut(line.log) {
            log.rang = Some(now);
        }
        let early = matches!(reply, Reply::EarlyMedia(_));
        let body = if early { self.answer_sdp(call, key) } else { None };
        let code = if early { 183 } else { 180 };
        self.respond(key, code, |response| {
            response.push(HeaderName::Contact, contact);
            if let Some(body) = body {
                response.set_body("application/sdp", body);
            }
        });
    }

    /// Our answer to the offer of a request, which settles our media; our offer if it has none.
    fn answer_sdp(&mut self, call: PhoneCall, key: &Key) -> Option<Vec<u8>> {
        let now = self.now;
        let codecs = self.config.codecs.clone();
        let offer = Sdp::read(&self.servers.get(key)?.request.body);
        let slot = self.lines.get(&call)?.slot;
        let Some(offer) = offer else {
            let line = self.lines.get(&call)?;
            let ours = self.our_sdp(slot, line.direction());
            return Some(ours.write(line.sdp_session, line.sdp_version));
        };
        let held = self.lines.get(&call)?.held;
        let wish = self.lines.get(&call)?.direction();
        let theirs = offer.direction.reversed();
        let direction = cordboard_model::media::Direction::new(
            theirs.sends() && wish.sends(),
            theirs.receives() && wish.receives(),
        );
        let mut ours = self.our_sdp(slot, direction);
        let common = offer.codecs.iter().copied().find(|c| codecs.contains(c))?;
        ours.codecs = vec![common];
        // "the answerer SHOULD use the payload type numbers of the offer" is for both ways (RFC 3264 6.1).
        ours.event_pt = offer.event_pt;
        let line = self.lines.get_mut(&call)?;
        line.media.settle(&offer, &codecs, held, now);
        line.held_by_peer = !offer.direction.receives();
        Some(ours.write(line.sdp_session, line.sdp_version))
    }

    /// Answers the call that rings.
    pub(super) fn answer(&mut self, call: PhoneCall) {
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        if line.state != State::Ringing {
            return;
        }
        let key = (line.branch.clone(), Method::Invite);
        let Some(body) = self.answer_sdp(call, &key) else {
            self.respond(&key, 488, |_| {});
            return self.end(call, End::Declined(488));
        };
        self.accept(call, &key, body);
        let now = self.now;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.state = State::Up;
        line.moment(Moment::Answered, now);
        if let Some(log) = self.log.get_mut(line.log) {
            log.answered = Some(now);
        }
        self.event(PhoneEvent::Answered(call));
    }

    /// Sends a 200 to an INVITE, until its ACK comes (RFC 3261 13.3.1.4).
    fn accept(&mut self, call: PhoneCall, key: &Key, body: Vec<u8>) {
        let contact = self.contact();
        let now = self.now;
        let timers = self.config.timers;
        self.respond(key, 200, |response| {
            response.push(HeaderName::Contact, contact);
            response.set_body("application/sdp", body);
        });
        let Some(server) = self.servers.get(key) else {
            return;
        };
        let cseq = server.request.cseq().map_or(1, |cseq| cseq.seq);
        let bytes = server.bytes.clone();
        let local = cordboard_sip::wire::parse_datagram(&bytes)
            .ok()
            .and_then(|m| m.header(&HeaderName::To).map(str::to_owned));
        if let Some(line) = self.lines.get_mut(&call) {
            line.local = local.unwrap_or_default();
            line.unacked = Some(Unacked {
                bytes,
                cseq,
                resend: now + timers.t1,
                interval: timers.t1,
                deadline: now + timers.t1 * 64,
            });
        }
    }

    pub(super) fn run_unacked(&mut self, call: PhoneCall) {
        let now = self.now;
        let t2 = self.config.timers.t2;
        let server = self.config.server;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        let Some(unacked) = &mut line.unacked else {
            return;
        };
        if unacked.deadline <= now {
            // "If the server retransmits the 2xx response for 64*T1 seconds without receiving an ACK, the
            // dialog is confirmed, but the session SHOULD be terminated" (13.3.1.4).
            line.bye_wanted = true;
            return self.bye(call);
        }
        if unacked.resend <= now {
            unacked.interval = (unacked.interval * 2).min(t2);
            unacked.resend = now + unacked.interval;
            let bytes = unacked.bytes.clone();
            self.sip(server, bytes);
        }
    }

    pub(super) fn on_ack(&mut self, branch: &str, ack: &Message) {
        let now = self.now;
        if let Some(server) = self.servers.get_mut(&(branch.to_owned(), Method::Invite)) {
            server.on_ack(now);
        }
        let Some(call) = self.dialog(ack) else {
            return;
        };
        let codecs = self.config.codecs.clone();
        let seq = ack.cseq().map_or(0, |cseq| cseq.seq);
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        if line.unacked.as_ref().is_some_and(|u| u.cseq == seq) {
            line.unacked = None;
            if let Some(sdp) = Sdp::read(&ack.body) {
                let held = line.held;
                line.media.settle(&sdp, &codecs, held, now);
            }
            if line.bye_wanted {
                self.bye(call);
            }
        }
    }

    fn on_reinvite(&mut self, key: Key, request: &Message) {
        let Some(call) = self.dialog(request) else {
            return self.respond(&key, 481, |_| {});
        };
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        let seq = request.cseq().map_or(0, |cseq| cseq.seq);
        if line.peer_cseq.is_some_and(|last| seq <= last) {
            return self.respond(&key, 500, |_| {});
        }
        line.peer_cseq = Some(seq);
        if line.state == State::Leaving {
            return self.respond(&key, 481, |_| {});
        }
        if line.reinvite.is_some() {
            return self.respond(&key, 491, |_| {});
        }
        if line.unacked.is_some() || line.state != State::Up {
            return self.respond(&key, 500, |response| {
                response.push(HeaderName::RetryAfter, "1");
            });
        }
        line.sdp_version += 1;
        match self.answer_sdp(call, &key) {
            Some(body) => self.accept(call, &key, body),
            None => self.respond(&key, 488, |_| {}),
        }
    }

    pub(super) fn on_cancel(&mut self, key: Key) {
        let invite = (key.0.clone(), Method::Invite);
        let Some(server) = self.servers.get(&invite) else {
            return self.respond(&key, 481, |_| {});
        };
        let (open, call) = (server.is_open(), server.call);
        self.respond(&key, 200, |_| {});
        let Some(call) = call.filter(|_| open) else {
            return;
        };
        if self.config.quirks.answers_cancel {
            return self.answer(call);
        }
        self.respond(&invite, 487, |_| {});
        self.end(call, End::Cancelled);
    }

    pub(super) fn on_bye(&mut self, key: Key) {
        let Some(request) = self.servers.get(&key).map(|s| s.request.clone()) else {
            return;
        };
        let Some(call) = self.dialog(&request) else {
            return self.respond(&key, 481, |_| {});
        };
        self.respond(&key, 200, |_| {});
        self.hung_up(call);
    }

    pub(super) fn on_bye_unanswered(&mut self, request: &Message) {
        if let Some(call) = self.dialog(request) {
            self.hung_up(call);
        }
    }

    fn hung_up(&mut self, call: PhoneCall) {
        if let Some(line) = self.lines.get_mut(&call) {
            // Crossed with our own: that one's transaction is still answered.
            line.unacked = None;
            self.end(call, End::There);
        }
    }

    /// Refuses the call that rings.
    pub(super) fn reject(&mut self, call: PhoneCall, code: u16) {
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        if line.state == State::Ringing {
            let key = (line.branch.clone(), Method::Invite);
            self.respond(&key, code, |_| {});
            self.end(call, End::Declined(code));
        }
    }
}
