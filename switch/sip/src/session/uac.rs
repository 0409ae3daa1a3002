//! Calling out (RFC 3261 13.2): one INVITE per contact, the first 2xx wins.

use cordboard_model::cause::Cause;
use cordboard_model::leg::PartyId;

use super::branch::Failure;
use super::{Base, Branch, Media, Session, Stage, end_orphan, to_tag};
use crate::dialog::Dialog;
use crate::engine::context::{ALLOW, PRODUCT, SUPPORTED};
use crate::engine::{Credentials, Flow, SessionId, SipEvent};
use crate::identity::Told;
use crate::sdp::Local;
use crate::transaction::{TxUser, What};
use crate::wire::{HeaderName, Host, Message, Method, NameAddr, SipUri, Uri};

/// The Reason of a CANCEL to branches that lost (RFC 3326).
pub(super) const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// One target of a call.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) uri: Uri,
    pub(crate) flow: Flow,
    /// Route values: the Path of a registration.
    pub(crate) routes: Vec<String>,
    pub(crate) credentials: Option<Credentials>,
    /// Other flows to the same device (RFC 5626 7), one after the other.
    pub(crate) spare: Vec<Target>,
}

/// What a call out needs.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) targets: Vec<Target>,
    pub(crate) from: PartyId,
    pub(crate) to: PartyId,
    pub(crate) host: String,
    pub(crate) local: Local,
    pub(crate) told: Told,
}

impl Session {
    /// Sends the INVITEs. A call to nobody ends at once.
    pub(crate) fn call(base: &mut Base, id: SessionId, call: Call) -> Self {
        let mut session = Self::new(id, Stage::Calling);
        session.media = Media::new(call.local.clone());
        if session.media.offer(base).is_err() {
            session.end(base, Cause::InternalError, false, None);
            return session;
        }
        let call_has_targets = !call.targets.is_empty();
        for target in &call.targets {
            if let Some(branch) = session.branch(base, &call, target) {
                session.branches.push(branch);
            }
        }
        if call.targets.iter().any(|target| !target.spare.is_empty()) {
            session.call = Some(Box::new(call));
        }
        if session.branches.is_empty() {
            let cause = if call_has_targets { Cause::Incompatible } else { Cause::NotRegistered };
            session.end(base, cause, false, None);
        }
        session
    }

    /// Sends the INVITE to a target. `None` if it may get no keys and must.
    fn branch(&mut self, base: &mut Base, call: &Call, target: &Target) -> Option<Branch> {
        let secured = self.media.secures(base, &target.flow).ok()?;
        self.media.for_peer(base, target.flow.remote.ip(), secured);
        let offer = self.media.ours().unwrap_or_default().to_vec();
        let mut invite = invite(base, call, target, offer);
        self.ask_timer(base, &mut invite);
        let tx = base.tx.send(&mut base.cx, TxUser::Session(self.id), target.flow, invite);
        Some(Branch {
            tx,
            secured,
            provisional: false,
            cancel_wanted: None,
            done: false,
            early: None,
            dialogs: Vec::new(),
            talk: None,
            credentials: target.credentials.clone(),
            challenges: 0,
            spare: target.spare.clone(),
        })
    }

    /// A flow that failed, or whose edge says so with 430 (Flow Failed), or that leads nowhere (408), is followed by the
    /// next one of the same device (RFC 5626 7). Any other answer is the device's own, and no second flow MUST be tried
    /// after it. True if there was another flow.
    fn next_flow(&mut self, base: &mut Base, at: usize, failure: Failure) -> bool {
        let wanted = !self.over && self.stage == Stage::Calling;
        let Some(branch) = self.branches.get_mut(at) else {
            return false;
        };
        if !wanted || !failure.is_of_flow() || branch.cancel_wanted.is_some() || branch.spare.is_empty() {
            return false;
        }
        let Some(call) = self.call.take() else {
            return false;
        };
        let mut rest = core::mem::take(&mut branch.spare);
        base.tx.release(branch.tx);
        let mut next = rest.remove(0);
        next.spare = rest;
        let Some(new) = self.branch(base, &call, &next) else {
            self.call = Some(call);
            return false;
        };
        if let Some(branch) = self.branches.get_mut(at) {
            *branch = new;
        }
        self.call = Some(call);
        true
    }

    pub(super) fn on_branch(&mut self, base: &mut Base, at: usize, what: What) {
        match what {
            What::Response(response) => match response.status() {
                Some(100..=199) => self.on_provisional(base, at, &response),
                Some(200..=299) => self.on_success(base, at, &response),
                Some(code) => self.on_refusal(base, at, code, &response),
                None => {}
            },
            What::Timeout => {
                let rang = self.branches.get(at).is_some_and(|b| b.provisional);
                self.on_failure(base, at, Failure::of_silence(rang));
            }
            What::Unreachable => self.on_failure(base, at, Failure::of_transport()),
            What::Ack(_) => {}
        }
    }

    fn on_provisional(&mut self, base: &mut Base, at: usize, response: &Message) {
        let Some(branch) = self.branches.get_mut(at) else {
            return;
        };
        branch.provisional = true;
        // 9.1: "If no provisional response has been received, the CANCEL request MUST NOT be
        // sent; rather, the client MUST wait for the arrival of a provisional response before
        // sending the request."
        if let Some(reason) = branch.cancel_wanted.take() {
            base.tx.cancel(&mut base.cx, branch.tx, &reason);
        }
        if self.over || self.stage != Stage::Calling || response.status() == Some(100) {
            return;
        }
        if !self.acknowledge(base, at, response) {
            return;
        }
        self.note_talk(base, at, response);
        let session = self.id;
        if response.status() == Some(180) && !self.rang {
            self.rang = true;
            self.tell(base, SipEvent::Ringing { session });
        }
        self.on_early_media(base, at, response);
    }

    /// Each branch has its own early media; what the shard hears of is the first.
    fn on_early_media(&mut self, base: &mut Base, at: usize, response: &Message) {
        if response.body.is_empty() || !is_sdp(response) {
            return;
        }
        let mut media = self.media.clone();
        if let Some(branch) = self.branches.get(at)
            && let Some(flow) = base.tx.flow(branch.tx)
        {
            media.for_peer(base, flow.remote.ip(), branch.secured);
        }
        let Ok(settled) = media.accept(&response.body) else {
            return;
        };
        if let Some(branch) = self.branches.get_mut(at) {
            branch.early = Some((to_tag(response), media));
        }
        if !self.early {
            self.early = true;
            let session = self.id;
            let media = Box::new(settled);
            self.tell(base, SipEvent::EarlyMedia { session, media });
        }
    }

    fn on_success(&mut self, base: &mut Base, at: usize, response: &Message) {
        let Some(branch) = self.branches.get_mut(at) else {
            return;
        };
        let tx = branch.tx;
        branch.done = true;
        branch.cancel_wanted = None;
        let tag = to_tag(response);
        if base.tx.repeat_ack(&mut base.cx, tx, &tag) {
            return;
        }
        if self.over || self.stage != Stage::Calling {
            // late: another branch won, or the caller has gone (13.2.2.4: "The UAC
            // core MUST generate an ACK request for each 2xx", and a dialog nobody wants gets a BYE)
            return end_orphan(base, tx, response);
        }
        let (early, secured) = (branch.early.take(), branch.secured);
        let dialog = base
            .tx
            .request(tx)
            .zip(base.tx.flow(tx))
            .and_then(|(invite, flow)| Dialog::of_response(invite, response, flow));
        let known = branch.dialogs.iter().find(|known| known.tag == tag);
        let dialog = dialog.map(|dialog| match known {
            Some(known) => dialog.after(&known.dialog),
            None => dialog,
        });
        let told = branch.talk.as_ref().filter(|(known, _)| *known == tag);
        let dialog = dialog.map(|dialog| match told {
            Some((_, told)) => dialog.after(told),
            None => dialog,
        });
        let Some(mut dialog) = dialog else {
            return self.on_failure(base, at, Failure::of_status(400));
        };
        let seq = response.cseq().map_or(1, |cseq| cseq.seq);
        let (ack, flow) = dialog.ack(seq);
        base.tx.ack_success(&mut base.cx, tx, &tag, flow, ack);
        self.cancel_branches(base, ELSEWHERE);
        // The description of the 2xx counts even if one came before it. 13.2.1 wants the first of a
        // dialog, but gateways announce from one address and talk from another under one tag, and
        // only the 2xx is sent reliably.
        if let Some(flow) = base.tx.flow(tx) {
            self.media.for_peer(base, flow.remote.ip(), secured);
        }
        let settled = match early {
            Some((early_tag, media)) if response.body.is_empty() && early_tag == tag => {
                self.media = media;
                self.media.settled().cloned()
            }
            _ => self.media.accept(&response.body).ok(),
        };
        let Some(settled) = settled else {
            let (mut bye, flow) = dialog.request(Method::Bye);
            bye.push(HeaderName::Reason, "SIP;cause=488;text=\"Not Acceptable Here\"");
            base.tx.send(&mut base.cx, TxUser::Nobody, flow, bye);
            return self.end(base, Cause::Incompatible, true, Some(488));
        };
        self.stage = Stage::Up;
        self.refreshed_by_us(base, response);
        base.dialogs.insert(dialog.local_tag.clone(), self.id);
        let (session, media) = (self.id, Box::new(settled));
        let record = Box::new(dialog.record());
        self.dialog = Some(dialog);
        self.tell(base, SipEvent::Answered { session, media });
        self.tell(base, SipEvent::DialogUp { session, record });
    }

    fn on_refusal(&mut self, base: &mut Base, at: usize, code: u16, response: &Message) {
        if matches!(code, 401 | 407) && self.answer_challenge(base, at, response) {
            return;
        }
        if code == 422 && self.ask_for_longer(base, at, response) {
            return;
        }
        if matches!(code, 415 | 488 | 606) && self.offer_less(base, at) {
            return;
        }
        if (300..400).contains(&code) {
            self.note_redirect(response);
        }
        self.on_failure(base, at, Failure::of_status(code));
    }

    /// Where a device says that the call shall go instead: "The Contact header field ... for 3xx responses ... gives
    /// alternative addresses to retry" (8.3, 20.10), the preferred first. Whether it goes there is not decided here.
    fn note_redirect(&mut self, response: &Message) {
        let mut contacts = response.contacts().unwrap_or_default();
        contacts.sort_by_key(|contact| core::cmp::Reverse(contact.q_thousandths()));
        let place = |contact: &NameAddr| {
            let user = contact.uri.user().filter(|user| !user.is_empty())?.into_owned();
            let host = contact.uri.host().map_or_else(String::new, |host| host.as_str().to_owned());
            Some((PartyId { user, display: contact.display.clone().unwrap_or_default() }, host))
        };
        if self.redirect.is_none() {
            self.redirect = contacts.iter().find_map(place);
        }
    }

    fn on_failure(&mut self, base: &mut Base, at: usize, failure: Failure) {
        let Some(branch) = self.branches.get_mut(at) else {
            return;
        };
        if branch.done || self.next_flow(base, at, failure) {
            return;
        }
        let Some(branch) = self.branches.get_mut(at) else {
            return;
        };
        branch.done = true;
        branch.cancel_wanted = None;
        if self.over || self.stage != Stage::Calling {
            return;
        }
        let best = Failure::better(self.best, failure);
        self.best = Some(best);
        // 16.7 step 5: on a 6xx "the stateful proxy SHOULD cancel all client pending transactions"
        if failure.code >= 600 {
            self.cancel_branches(base, "SIP;cause=603");
        }
        if self.branches.iter().all(|b| b.done) {
            if (300..400).contains(&best.code)
                && let Some((to, host)) = self.redirect.take()
            {
                let session = self.id;
                self.tell(base, SipEvent::Redirected { session, to, host });
            }
            self.end(base, best.cause, true, Some(best.code));
        }
    }

    /// Cancels every branch that is still open.
    pub(super) fn cancel_branches(&mut self, base: &mut Base, reason: &str) {
        for branch in self.branches.iter_mut().filter(|b| !b.done) {
            if !branch.provisional {
                branch.cancel_wanted = Some(reason.to_owned());
            } else if !base.tx.is_waiting_for_cancel(branch.tx) {
                base.tx.cancel(&mut base.cx, branch.tx, reason);
            }
        }
    }
}

/// "A valid SIP request formulated by a UAC MUST, at a minimum, contain the following header
/// fields: To, From, CSeq, Call-ID, Max-Forwards, and Via" (8.1.1), and an INVITE a Contact
/// (8.1.1.8). Every branch has its own Call-ID, so that a device with two contacts does not take
/// the second for a merged request.
fn invite(base: &mut Base, call: &Call, target: &Target, offer: Vec<u8>) -> Message {
    let cx = &mut base.cx;
    let host = Host::parse(&call.host).unwrap_or_else(|| cx.sent_by(&target.flow).0);
    let address = |party: &PartyId| {
        let user = Some(party.user.as_str()).filter(|user| !user.is_empty());
        let mut address = NameAddr::new(SipUri::new(user, host.clone(), None));
        address.display = Some(party.display.clone()).filter(|display| !display.is_empty());
        address
    };
    let from = call.told.from().unwrap_or_else(|| address(&call.from)).with_tag(&cx.tokens.tag());
    let mut invite = Message::request(Method::Invite, target.uri.clone());
    for route in &target.routes {
        invite.push(HeaderName::Route, route.as_str());
    }
    invite.push(HeaderName::MaxForwards, "70");
    invite.push(HeaderName::From, from.to_string());
    invite.push(HeaderName::To, address(&call.to).to_string());
    invite.push(HeaderName::CallId, cx.tokens.call_id());
    invite.push(HeaderName::CSeq, format!("{} INVITE", cx.tokens.cseq()));
    invite.push(HeaderName::Contact, cx.contact(&target.flow));
    invite.push(HeaderName::Allow, ALLOW);
    invite.push(HeaderName::Supported, SUPPORTED);
    invite.push(HeaderName::UserAgent, PRODUCT);
    call.told.add_to(&mut invite, &host);
    invite.with_body("application/sdp", offer)
}

/// Whether the body is a session description.
pub(super) fn is_sdp(message: &Message) -> bool {
    matches!(message.content_type(), Ok(Some(kind)) if kind.is("application/sdp"))
}
