//! Calls that go out (RFC 3261 8.1, 13.2, 9.1), and what follows an answer on either side.

use super::line::{Line, State};
use super::sdp::Sdp;
use super::transaction::Purpose;
use super::{End, Moment, Phone, PhoneCall, PhoneEvent, Plan, user_of};
use cordboard_model::media::Direction;
use cordboard_sip::wire::{HeaderName, Message, Method, Uri};

impl Phone {
    pub(super) fn call(&mut self, to: &str, from: Option<String>, display: Option<String>, plan: Plan) {
        let uri = Uri::parse(&format!("sip:{to}@{}", self.config.domain));
        let (Some(slot), Some(target)) = (self.free_slot(), uri) else {
            return self.event(PhoneEvent::NotCalled);
        };
        let call_id = format!("c{}", self.token());
        let tag = self.token();
        let from = from.unwrap_or_else(|| self.config.user.clone());
        let display = display.unwrap_or_else(|| self.config.display.clone());
        let shown = match display.as_str() {
            "" => String::new(),
            display => format!("\"{display}\" "),
        };
        let named = if self.config.names_callee { shown.clone() } else { String::new() };
        let (call, log) = self.add_log(slot, true, &call_id);
        if let Some(entry) = self.log.get_mut(log) {
            entry.peer = to.into();
            entry.display = display;
        }
        let random = self.token();
        let media = self.new_media(slot);
        let mut line = Line {
            slot,
            state: State::Calling,
            outgoing: true,
            call_id,
            local: format!("{shown}<sip:{from}@{}>;tag={tag}", self.config.domain),
            remote: format!("{named}<sip:{to}@{}>", self.config.domain),
            remote_tag: None,
            target,
            routes: Vec::new(),
            cseq: 0,
            peer_cseq: None,
            branch: String::new(),
            proceeding: false,
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
            plan,
            due: Vec::new(),
            media,
            log,
        };
        line.moment(Moment::Start, self.now);
        self.lines.insert(call, line);
        self.send_invite(call, None);
    }

    fn send_invite(&mut self, call: PhoneCall, credentials: Option<(HeaderName, String)>) {
        let contact = self.contact();
        let Some(slot) = self.lines.get(&call).map(|line| line.slot) else {
            return;
        };
        let sdp = self.our_sdp(slot, Direction::SendRecv);
        let offers = !self.config.quirks.no_offer;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        let mut invite = line.request(Method::Invite);
        invite.push(HeaderName::Contact, contact);
        invite.push(HeaderName::Allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO");
        if let Some((name, value)) = credentials {
            invite.push(name, value);
        }
        if offers {
            invite.set_body("application/sdp", sdp.write(line.sdp_session, line.sdp_version));
        }
        let server = self.config.server;
        let branch = self.send_request(invite, Purpose::Invite(call), server);
        if let Some(line) = self.lines.get_mut(&call) {
            line.branch = branch;
            line.proceeding = false;
        }
    }

    pub(super) fn on_invite_response(
        &mut self,
        call: PhoneCall,
        request: Option<Message>,
        response: &Message,
        code: u16,
    ) {
        match code {
            100..=199 => self.on_progress(call, response, code),
            200..=299 => self.on_answer(call, request, response),
            401 | 407 if self.may_answer_challenge(call) => {
                let answer = request.and_then(|request| self.credentials(&request, response));
                match answer {
                    Some(answer) => self.send_invite(call, Some(answer)),
                    None => self.end(call, End::Refused(code)),
                }
            }
            487 if self.lines.get(&call).is_some_and(|line| line.cancelled) => {
                self.end(call, End::Cancelled);
            }
            _ => self.end(call, End::Refused(code)),
        }
    }

    /// Once, and not when we gave up meanwhile.
    fn may_answer_challenge(&mut self, call: PhoneCall) -> bool {
        self.lines.get_mut(&call).is_some_and(|line| {
            let first = !core::mem::replace(&mut line.challenged, true);
            first && !line.cancelled
        })
    }

    fn on_progress(&mut self, call: PhoneCall, response: &Message, code: u16) {
        let now = self.now;
        let codecs = self.config.codecs.clone();
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.proceeding = true;
        if line.cancelled {
            return self.send_cancel(call);
        }
        if code > 100
            && let Ok(to) = response.to()
        {
            line.remote_tag = to.tag().map(str::to_owned);
        }
        if let Some(sdp) = Sdp::read(&response.body) {
            line.media.settle(&sdp, &codecs, false, now);
        }
        if matches!(code, 180 | 183) && !core::mem::replace(&mut line.rang, true) {
            line.moment(Moment::Ringing, now);
            if let Some(log) = self.log.get_mut(line.log) {
                log.rang = Some(now);
            }
            self.event(PhoneEvent::Ringing(call));
        }
    }

    fn on_answer(&mut self, call: PhoneCall, request: Option<Message>, response: &Message) {
        let now = self.now;
        let codecs = self.config.codecs.clone();
        let offered = request.as_ref().is_none_or(|request| !request.body.is_empty());
        let seq = request.and_then(|r| r.cseq().ok()).map_or(1, |c| c.seq);
        let answer = if offered { None } else { self.answer_of(call, response) };
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        if let Ok(to) = response.to() {
            line.remote_tag = to.tag().map(str::to_owned);
            line.remote = to.to_string();
        }
        if let Some(contact) = response.contacts().ok().and_then(|c| c.into_iter().next()) {
            line.target = contact.uri;
        }
        // "in reverse order" for the caller (RFC 3261 12.1.2).
        let routes = response.headers.get_all(&HeaderName::RecordRoute);
        line.routes = routes.map(str::to_owned).collect();
        line.routes.reverse();
        line.state = State::Up;
        if let Some(sdp) = Sdp::read(&response.body) {
            line.media.settle(&sdp, &codecs, false, now);
            line.held_by_peer = !sdp.direction.receives();
        }
        let mut ack = line.request_with(Method::Ack, seq);
        if let Some(answer) = answer {
            ack.set_body("application/sdp", answer.write(line.sdp_session, line.sdp_version));
        }
        let cancelled = line.cancelled;
        if let Some(log) = self.log.get_mut(line.log) {
            log.answered = Some(now);
        }
        self.send_ack(ack, seq);
        if cancelled {
            // The 200 and our CANCEL crossed: the call is up, and nobody wants it (RFC 3261 9.1, 15).
            return self.bye(call);
        }
        if let Some(line) = self.lines.get_mut(&call) {
            line.moment(Moment::Answered, now);
        }
        self.event(PhoneEvent::Answered(call));
    }

    /// Our answer to the offer of a 200.
    fn answer_of(&self, call: PhoneCall, response: &Message) -> Option<Sdp> {
        let slot = self.lines.get(&call)?.slot;
        let offer = Sdp::read(&response.body)?;
        let mut ours = self.our_sdp(slot, offer.direction.reversed());
        ours.codecs = vec![offer.codecs.iter().copied().find(|codec| ours.codecs.contains(codec))?];
        ours.event_pt = offer.event_pt;
        Some(ours)
    }

    /// Sends the ACK of a 200 and keeps it for the time the 200 may come again.
    pub(super) fn send_ack(&mut self, mut ack: Message, seq: u32) {
        if self.config.quirks.no_ack {
            return;
        }
        let branch = format!("z9hG4bK{}", self.token());
        ack.push_front(HeaderName::Via, self.via(&branch));
        let call_id = ack.call_id().unwrap_or_default().to_owned();
        let bytes = ack.to_bytes();
        let to = self.config.server;
        let until = self.now + self.config.timers.t1 * 64;
        self.acks.insert((call_id, seq), (until, to, bytes.clone()));
        self.sip(to, bytes);
    }

    /// Gives up a call that is not answered.
    pub(super) fn cancel(&mut self, call: PhoneCall) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.cancelled = true;
        line.due.clear();
        // "If no provisional response has been received, the CANCEL request MUST NOT be sent" (9.1).
        if line.proceeding {
            self.send_cancel(call);
        }
    }

    fn send_cancel(&mut self, call: PhoneCall) {
        let now = self.now;
        let wait = self.config.timers.t1 * 64;
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        if core::mem::replace(&mut line.cancel_sent, true) {
            return;
        }
        let key = (line.branch.clone(), Method::Invite);
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        // "If there is no final response for the original request in 64*T1 seconds ..., the client SHOULD
        // then consider the original transaction cancelled" (9.1).
        client.deadline = client.deadline.min(now + wait);
        let (invite, to) = (&client.request, client.to);
        let Some(mut cancel) = cancel_of(invite) else {
            return;
        };
        if let Ok(via) = invite.via_top() {
            cancel.push_front(HeaderName::Via, via.to_string());
        }
        self.start_client(cancel, Purpose::Cancel(call), to, key.0);
    }

    pub(super) fn bye(&mut self, call: PhoneCall) {
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.state = State::Leaving;
        line.unacked = None;
        let bye = line.request(Method::Bye);
        let how = if line.cancelled { End::Cancelled } else { End::Here };
        let server = self.config.server;
        self.send_request(bye, Purpose::Bye(call), server);
        self.end(call, how);
    }

    /// Offers again, to hold or to resume.
    pub(super) fn reinvite(&mut self, call: PhoneCall) {
        let contact = self.contact();
        let Some(line) = self.lines.get(&call) else {
            return;
        };
        if line.state != State::Up {
            return;
        }
        let (slot, direction) = (line.slot, line.direction());
        let sdp = self.our_sdp(slot, direction);
        let Some(line) = self.lines.get_mut(&call) else {
            return;
        };
        line.sdp_version += 1;
        line.reinvite = Some(line.held);
        let mut invite = line.request(Method::Invite);
        invite.push(HeaderName::Contact, contact);
        invite.set_body("application/sdp", sdp.write(line.sdp_session, line.sdp_version));
        let server = self.config.server;
        self.send_request(invite, Purpose::Reinvite(call), server);
    }

    pub(super) fn on_reinvite_response(&mut self, call: PhoneCall, response: &Message, code: u16) {
        let now = self.now;
        let codecs = self.config.codecs.clone();
        match code {
            100..=199 => {}
            200..=299 => {
                let seq = response.cseq().map_or(1, |cseq| cseq.seq);
                let Some(line) = self.lines.get_mut(&call) else {
                    return;
                };
                if let Some(sdp) = Sdp::read(&response.body) {
                    let held = line.held;
                    line.media.settle(&sdp, &codecs, held, now);
                }
                let ack = line.request_with(Method::Ack, seq);
                self.send_ack(ack, seq);
                self.reinvite_done(call, true);
            }
            // "If the UAC is the owner of the Call-ID ..., T has a randomly chosen value between 2.1 and 4
            // seconds in units of 10 ms", else between 0 and 2 seconds (14.1).
            491 => {
                let owner = self.lines.get(&call).is_some_and(|line| line.outgoing);
                let (from, to) = if owner { (210, 400) } else { (0, 200) };
                let wait = self.random_ms(from, to) * 10;
                if let Some(line) = self.lines.get_mut(&call) {
                    line.reinvite = None;
                    line.reinvite_again = Some(now + wait);
                }
            }
            408 | 481 => {
                self.reinvite_done(call, false);
                self.bye(call);
            }
            _ => self.reinvite_done(call, false),
        }
    }

    pub(super) fn reinvite_done(&mut self, call: PhoneCall, ok: bool) {
        if let Some(line) = self.lines.get_mut(&call)
            && line.reinvite.take().is_some()
        {
            if !ok {
                line.held = !line.held;
            }
            self.event(PhoneEvent::HoldDone(call, ok));
        }
    }
}

/// A CANCEL has the INVITE's Request-URI, To, From, Call-ID and CSeq number (RFC 3261 9.1).
fn cancel_of(invite: &Message) -> Option<Message> {
    let mut cancel = Message::request(Method::Cancel, invite.request_uri()?.clone());
    cancel.push(HeaderName::MaxForwards, "70");
    cancel.push(HeaderName::From, invite.header(&HeaderName::From)?);
    cancel.push(HeaderName::To, invite.header(&HeaderName::To)?);
    cancel.push(HeaderName::CallId, invite.call_id().ok()?);
    let seq = invite.cseq().ok()?.seq;
    cancel.push(HeaderName::CSeq, format!("{seq} CANCEL"));
    Some(cancel)
}

/// Who calls, as a call that came in shows it.
pub(super) fn caller_of(invite: &Message) -> (String, String) {
    let from = invite.from_().ok();
    let user = from.as_ref().map(user_of).unwrap_or_default();
    let display = from.and_then(|from| from.display).unwrap_or_default();
    (user, display)
}
