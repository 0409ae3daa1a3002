//! Being called (RFC 3261 13.3): ring, early media, answer, refuse, CANCEL.

use core::time::Duration;

use cordboard_model::cause::Cause;

use super::{Base, Session, Stage};
use crate::dialog::Dialog;
use crate::engine::context::{SessionTimer, describe};
use crate::engine::{Flow, SessionId, SipEvent};
use crate::sdp::{Local, MEDIA_TYPE};
use crate::transaction::TxId;
use crate::wire::{HeaderName, Message};

/// "the UAS MUST send a non-100 provisional response at every minute, to handle the possibility
/// of lost provisional responses" (13.3.1.1), so that no proxy gives up.
const PROGRESS: Duration = Duration::from_secs(60);

impl Session {
    /// The session of an INVITE that has a transaction. `None` when it can make no dialog.
    pub(crate) fn incoming(base: &mut Base, id: SessionId, tx: TxId, flow: Flow) -> Option<Self> {
        let contact = base.cx.contact(&flow);
        let (request, tag) = base.tx.request(tx).zip(base.tx.to_tag(tx))?;
        let dialog = Dialog::of_request(request, tag, flow, contact)?;
        base.dialogs.insert(dialog.local_tag.clone(), id);
        // 13.3.1: "the UAS core sets a timer for the number of seconds indicated in the header
        // field value"
        if let Some(secs) = request.expires() {
            let after = Duration::from_secs(u64::from(secs));
            base.cx.start_session(id, SessionTimer::Expires, after);
        }
        let mut session = Self::new(id, Stage::Incoming);
        session.dialog = Some(dialog);
        session.invite = Some(tx);
        Some(session)
    }

    /// 180.
    pub(crate) fn ring(&mut self, base: &mut Base) {
        if self.stage == Stage::Incoming && !self.over {
            self.respond(base, 180, None);
            self.keep_alive(base);
        }
    }

    /// 183 with our answer. To an INVITE without offer it can only be a 183 without: an offer of
    /// ours in it would need to be acknowledged (RFC 3262), which we do not ask for.
    pub(crate) fn early_media(&mut self, base: &mut Base, local: Local) {
        if self.stage != Stage::Incoming || self.over {
            return;
        }
        match self.answer_offer(base, local) {
            Ok(description) => {
                self.respond(base, 183, description);
                self.keep_alive(base);
            }
            Err(code) => self.refuse(base, code, Cause::Incompatible),
        }
    }

    /// 200.
    pub(crate) fn answer(&mut self, base: &mut Base, local: Local) {
        if self.stage != Stage::Incoming || self.over {
            return;
        }
        let description = match self.answer_offer(base, local) {
            Ok(description) => description,
            Err(code) => return self.refuse(base, code, Cause::Incompatible),
        };
        let (offered, description) = match description {
            Some(answer) => (false, Some(answer)),
            None => (true, self.media.offer(base).ok()),
        };
        let Some(tx) = self.invite.take() else {
            return;
        };
        base.cx.stop_session(self.id, SessionTimer::Progress);
        base.cx.stop_session(self.id, SessionTimer::Expires);
        self.stage = Stage::Up;
        self.respond_to(base, tx, 200, description);
        self.await_ack(base, tx, offered, true);
    }

    /// Our answer to the offer of the INVITE, the same each time; none if it has no offer.
    fn answer_offer(&mut self, base: &mut Base, local: Local) -> Result<Option<Vec<u8>>, u16> {
        self.media.take(base, local);
        if self.media.settled().is_some() {
            return Ok(self.media.ours().map(<[u8]>::to_vec));
        }
        let request = self.invite.and_then(|tx| base.tx.request(tx));
        let Some(offer) = request.map(|r| r.body.as_slice()).filter(|b| !b.is_empty()) else {
            return Ok(None);
        };
        let (answer, settled) = self.media.answer(offer).map_err(|error| error.code())?;
        let (session, media) = (self.id, Box::new(settled));
        self.tell(base, SipEvent::MediaSettled { session, media });
        Ok(Some(answer))
    }

    /// A final refusal of the INVITE, and the end.
    pub(super) fn refuse(&mut self, base: &mut Base, code: u16, cause: Cause) {
        self.respond(base, code, None);
        self.invite = None;
        self.end(base, cause, true, Some(code));
    }

    /// A CANCEL for the INVITE: "the UAS SHOULD immediately respond to the INVITE with a 487
    /// (Request Terminated)" (9.2), unless it has a final response already.
    pub(crate) fn on_cancel(&mut self, base: &mut Base) {
        if self.stage == Stage::Incoming && !self.over {
            self.refuse(base, 487, Cause::Cancelled);
        }
    }

    /// "If the invitation expires before the UAS has generated a final response, a 487 (Request
    /// Terminated) response SHOULD be generated." (13.3.1)
    pub(super) fn on_expired(&mut self, base: &mut Base) {
        if self.stage == Stage::Incoming && !self.over {
            self.refuse(base, 487, Cause::NoAnswer);
        }
    }

    fn keep_alive(&self, base: &mut Base) {
        base.cx.start_session(self.id, SessionTimer::Progress, PROGRESS);
    }

    pub(super) fn on_progress_due(&mut self, base: &mut Base) {
        if self.stage == Stage::Incoming
            && let Some(tx) = self.invite
        {
            base.tx.repeat_provisional(&mut base.cx, tx);
            self.keep_alive(base);
        }
    }

    fn respond(&self, base: &mut Base, code: u16, description: Option<Vec<u8>>) {
        if let Some(tx) = self.invite {
            self.respond_to(base, tx, code, description);
        }
    }

    /// A response to an INVITE of this dialog: "When a UAS responds to a request with a response
    /// that establishes a dialog (such as a 2xx to INVITE), the UAS MUST copy all Record-Route
    /// header field values from the request into the response ... The UAS MUST add a Contact
    /// header field to the response." (12.1.1)
    pub(super) fn respond_to(&self, base: &mut Base, tx: TxId, code: u16, description: Option<Vec<u8>>) {
        let Some(mut response) = base.tx.response(tx, code) else {
            return;
        };
        if code < 300 {
            if let Some(request) = base.tx.request(tx) {
                response.headers.copy_from(&request.headers, &HeaderName::RecordRoute);
            }
            if let Some(dialog) = &self.dialog {
                response.push(HeaderName::Contact, dialog.contact());
            }
            describe(&mut response);
        }
        add_retry_after(base, &mut response);
        if let Some(description) = description {
            response.set_body(MEDIA_TYPE, description);
        }
        base.tx.respond(&mut base.cx, tx, &response);
    }
}

/// A 503 says when to come again (21.5.4).
pub(crate) fn add_retry_after(base: &Base, response: &mut Message) {
    if response.status() == Some(503) {
        let secs = base.cx.config.retry_after_secs.to_string();
        response.push(HeaderName::RetryAfter, secs);
    }
}
