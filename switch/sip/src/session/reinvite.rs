//! Changing a session (RFC 3261 14): our hold, the peer's re-INVITE, and both at once.

use cordboard_model::cause::Cause;

use super::refresh::{Wish, refuse_too_brief};
use super::{Base, Session, Stage, to_tag, uac};
use crate::engine::context::{ALLOW, SUPPORTED, SessionTimer};
use crate::engine::{Flow, SipEvent};
use crate::sdp::{MEDIA_TYPE, Negotiated};
use crate::transaction::{TxId, TxUser, What};
use crate::wire::{HeaderName, Message, Method};

/// A re-INVITE of ours that is not answered.
#[derive(Clone, Debug)]
pub(crate) struct Reinvite {
    pub(super) tx: TxId,
    /// What it asks for; none if it only refreshes the session.
    hold: Option<bool>,
    /// What it got so far, for the choice after a 2xx.
    flow: Flow,
}

impl Session {
    /// Holds the peer or takes it off hold. Of several wishes the last counts.
    pub(crate) fn hold(&mut self, base: &mut Base, on: bool) {
        if self.over {
            return;
        }
        if self.stage != Stage::Up {
            return self.tell_hold(base, on, false);
        }
        if let Some(earlier) = self.hold_wanted.replace(on) {
            // never asked for: replaced before its turn
            self.tell_hold(base, earlier, false);
        }
        if base.cx.glare_waits(self.id) {
            return;
        }
        self.go_on_with_hold(base);
    }

    /// Sends the re-INVITE that is wanted, unless it must wait: "a UAC MUST NOT initiate a new
    /// INVITE transaction within a dialog while another INVITE transaction is in progress in
    /// either direction." (14.1)
    pub(super) fn go_on_with_hold(&mut self, base: &mut Base) {
        if self.over || self.reinvite.is_some() || self.awaited.is_some() {
            return;
        }
        let refresh = core::mem::take(&mut self.refresh_wanted);
        let hold = self.hold_wanted.take();
        let offer = match hold {
            Some(on) if self.media.holds() == on && !refresh => return self.tell_hold(base, on, true),
            Some(on) => self.media.offer_again(Some(on)).ok(),
            None if refresh => self.refresh_offer(),
            None => return,
        };
        let Some(offer) = offer else {
            return self.tell_hold_if(base, hold, false);
        };
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        let (mut invite, flow) = dialog.request(Method::Invite);
        invite.push(HeaderName::Allow, ALLOW);
        invite.push(HeaderName::Supported, SUPPORTED);
        self.ask_timer(base, &mut invite);
        invite.set_body(MEDIA_TYPE, offer);
        let user = TxUser::Session(self.id);
        let tx = base.tx.send(&mut base.cx, user, flow, invite);
        self.reinvite = Some(Reinvite { tx, hold, flow });
    }

    pub(super) fn on_reinvite_result(&mut self, base: &mut Base, what: What) {
        match what {
            What::Response(response) => match response.status() {
                Some(200..=299) => self.on_reinvite_accepted(base, &response),
                Some(491) => self.on_glare(base),
                Some(422) if self.note_too_brief(&response) => self.on_glare(base),
                // 14.1: "If a UA receives a non-2xx final response to a re-INVITE, the session
                // parameters MUST remain unchanged"; with a 481 or 408 "the UAC SHOULD terminate
                // the dialog" (12.2.1.2)
                Some(code @ (408 | 481)) => self.on_dialog_lost(base, code),
                Some(300..) => self.on_reinvite_refused(base),
                _ => {}
            },
            What::Timeout | What::Unreachable => self.on_dialog_lost(base, 408),
            What::Ack(_) => {}
        }
    }

    fn on_reinvite_accepted(&mut self, base: &mut Base, response: &Message) {
        let Some(reinvite) = self.reinvite.take() else {
            return;
        };
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        dialog.refresh(response, reinvite.flow);
        let seq = response.cseq().map_or(0, |cseq| cseq.seq);
        let (ack, flow) = dialog.ack(seq);
        let tag = to_tag(response);
        base.tx.ack_success(&mut base.cx, reinvite.tx, &tag, flow, ack);
        if self.over {
            return;
        }
        self.refreshed_by_us(base, response);
        let settled = self.media.accept(&response.body);
        if let Ok(settled) = &settled {
            self.tell_renegotiated(base, settled);
        } else {
            self.media.refused();
        }
        self.tell_hold_if(base, reinvite.hold, settled.is_ok());
        self.go_on_with_hold(base);
    }

    fn on_reinvite_refused(&mut self, base: &mut Base) {
        if let Some(reinvite) = self.reinvite.take() {
            self.media.refused();
            self.tell_hold_if(base, reinvite.hold, false);
            self.go_on_with_hold(base);
        }
    }

    /// "If a UAC receives a 491 response to a re-INVITE, it SHOULD start a timer with a value T
    /// chosen as follows ... When the timer fires, the UAC SHOULD attempt the re-INVITE once
    /// more, if it still desires for that session modification to take place." (14.1)
    fn on_glare(&mut self, base: &mut Base) {
        let Some(reinvite) = self.reinvite.take() else {
            return;
        };
        self.media.refused();
        match self.hold_wanted {
            // a later wish has come meanwhile
            Some(_) => self.tell_hold_if(base, reinvite.hold, false),
            None => self.hold_wanted = reinvite.hold,
        }
        self.refresh_wanted |= reinvite.hold.is_none();
        let owner = self.dialog.as_ref().is_some_and(|d| d.owns_call_id);
        let delay = base.cx.tokens.glare_delay(owner);
        base.cx.start_session(self.id, SessionTimer::Glare, delay);
    }

    pub(super) fn on_glare_over(&mut self, base: &mut Base) {
        self.go_on_with_hold(base);
    }

    fn on_dialog_lost(&mut self, base: &mut Base, code: u16) {
        self.reinvite = None;
        self.media.refused();
        self.send_bye(base, &format!("SIP;cause={code}"));
        self.end(base, Cause::Unreachable, true, Some(code));
    }

    /// A re-INVITE of the peer, answered at once. What refuses it leaves the session as it was.
    pub(super) fn on_peer_reinvite(&mut self, base: &mut Base, tx: TxId, flow: Flow) {
        // 14.2: "A UAS that receives a second INVITE before it sends the final response to a
        // first INVITE with a lower CSeq sequence number on the same dialog MUST return a 500
        // (Server Internal Error) response to the second INVITE and MUST include a Retry-After
        // header field with a randomly chosen value of between 0 and 10 seconds."
        if self.stage != Stage::Up {
            return refuse_for_a_while(base, tx);
        }
        if self.over {
            return self.respond_to(base, tx, 481, None);
        }
        // "A UAS that receives an INVITE on a dialog while an INVITE it had sent on that dialog
        // is in progress MUST return a 491 (Request Pending) response". An offer of ours in a
        // 2xx without ACK is in progress as well (RFC 6337 4.2).
        if self.reinvite.is_some() || self.awaited.is_some() {
            return self.respond_to(base, tx, 491, None);
        }
        let Some(request) = base.tx.request(tx).cloned() else {
            return;
        };
        if !request.body.is_empty() && !uac::is_sdp(&request) {
            return super::request::refuse_body(base, tx);
        }
        let agreed = match Self::timer_wish(base, &request) {
            Wish::TooBrief => return refuse_too_brief(base, tx),
            Wish::Answer(agreed) => agreed,
        };
        let answered = match request.body.is_empty() {
            true => self.media.offer_again(None).map(|offer| (offer, None)),
            false => {
                let answered = self.media.answer(&request.body);
                answered.map(|(answer, settled)| (answer, Some(settled)))
            }
        };
        let (description, settled) = match answered {
            Ok(answered) => answered,
            Err(error) => return self.refuse_description(base, tx, error),
        };
        if let Some(dialog) = &mut self.dialog {
            dialog.refresh(&request, flow);
        }
        self.respond_adding(base, tx, 200, |session, response| {
            session.tell_timer(agreed, response);
            response.set_body(MEDIA_TYPE, description);
        });
        self.refreshed_by_peer(base, &request, agreed);
        self.await_ack(base, tx, settled.is_none(), false);
        if let Some(settled) = settled {
            self.tell_renegotiated(base, &settled);
        }
    }

    pub(super) fn tell_renegotiated(&self, base: &mut Base, settled: &Negotiated) {
        let session = self.id;
        self.tell(base, SipEvent::Renegotiated { session, media: Box::new(settled.clone()) });
    }

    fn tell_hold_if(&self, base: &mut Base, on: Option<bool>, ok: bool) {
        if let Some(on) = on {
            self.tell_hold(base, on, ok);
        }
    }

    fn tell_hold(&self, base: &mut Base, on: bool, ok: bool) {
        let session = self.id;
        self.tell(base, SipEvent::HoldDone { session, on, ok });
    }
}

pub(super) fn refuse_for_a_while(base: &mut Base, tx: TxId) {
    if let Some(mut response) = base.tx.response(tx, 500) {
        let secs = base.cx.tokens.number() % 11;
        response.push(HeaderName::RetryAfter, secs.to_string());
        base.tx.respond(&mut base.cx, tx, &response);
    }
}
