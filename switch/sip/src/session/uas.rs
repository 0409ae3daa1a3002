//! Being called (RFC 3261 13.3): ring, early media, answer, refuse, CANCEL.

use core::time::Duration;

use cordboard_model::cause::Cause;

use super::refresh::Wish;
use super::{Base, Session, Stage};
use crate::dialog::Dialog;
use crate::engine::context::{SessionTimer, describe};
use crate::engine::{Flow, SessionId, SipEvent};
use crate::sdp::{self, Keying, Local, MEDIA_TYPE, SdpError};
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
            self.progress(base, 180, None);
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
                self.progress(base, 183, description);
                self.keep_alive(base);
            }
            Err(error) => self.refuse_offer(base, error),
        }
    }

    /// 200.
    pub(crate) fn answer(&mut self, base: &mut Base, local: Local) {
        if self.stage != Stage::Incoming || self.over || self.answer_waits(&local) {
            return;
        }
        let description = match self.answer_offer(base, local) {
            Ok(description) => description,
            Err(error) => return self.refuse_offer(base, error),
        };
        let request = self.invite.and_then(|tx| base.tx.request(tx)).cloned();
        // what was too brief was refused when it came
        let agreed = match request.as_ref().map(|request| Self::timer_wish(base, request)) {
            Some(Wish::Answer(agreed)) => agreed,
            Some(Wish::TooBrief) | None => None,
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
        self.stop_repeating_1xx(base);
        self.respond_adding(base, tx, 200, |session, response| {
            session.tell_timer(agreed, response);
            if let Some(description) = description {
                response.set_body(MEDIA_TYPE, description);
            }
        });
        self.await_ack(base, tx, offered, true);
        if let Some(request) = &request {
            self.refreshed_by_peer(base, request, agreed);
        }
    }

    /// Our answer to the offer of the INVITE, the same each time; none if it has no offer.
    fn answer_offer(&mut self, base: &mut Base, local: Local) -> Result<Option<Vec<u8>>, SdpError> {
        self.media.take(base, local);
        if self.media.settled().is_some() {
            return Ok(self.media.ours().map(<[u8]>::to_vec));
        }
        let request = self.invite.and_then(|tx| base.tx.request(tx));
        let flow = self.invite.and_then(|tx| base.tx.flow(tx));
        let Some(offer) = request.map(|r| r.body.as_slice()).filter(|b| !b.is_empty()) else {
            if let Some(flow) = flow {
                let secured = self.media.secures(base, &flow)?;
                self.media.for_peer(base, flow.remote.ip(), secured);
            }
            return Ok(None);
        };
        // "c=" says where the peer has its audio, which may be elsewhere than its signalling
        if base.cx.config.media_other.is_some()
            && let Some(peer) = sdp::audio_address(offer).or(flow.map(|flow| flow.remote.ip()))
        {
            self.media.for_peer(base, peer, Keying::Plain);
        }
        let (answer, settled) = self.media.answer(offer)?;
        let (session, media) = (self.id, Box::new(settled));
        self.tell(base, SipEvent::MediaSettled { session, media });
        Ok(Some(answer))
    }

    /// The refusal of an offer that we cannot serve, and the end.
    fn refuse_offer(&mut self, base: &mut Base, error: SdpError) {
        if let Some(tx) = self.invite.take() {
            self.refuse_description(base, tx, error);
        }
        self.end(base, Cause::Incompatible, true, Some(error.code()));
    }

    /// A refusal that says what is wrong with the description: "The Warning header field is used to carry additional
    /// information about the status of a response" (20.43).
    pub(super) fn refuse_description(&self, base: &mut Base, tx: TxId, error: SdpError) {
        let warning = self.dialog.as_ref().map(|_| {
            let host = base.tx.flow(tx).map(|flow| base.cx.sent_by(&flow).0.to_string());
            format!("{} {} \"{error}\"", error.warning(), host.unwrap_or_else(|| "cordboard".into()))
        });
        self.respond_adding(base, tx, error.code(), |_, response| {
            if let Some(warning) = warning {
                response.push(HeaderName::Warning, warning);
            }
        });
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
            // one that was acknowledged is not sent again (RFC 3262 3): another says that we are still there
            match self.reliable.is_acknowledged() {
                true => self.progress(base, 183, None),
                false => base.tx.repeat_provisional(&mut base.cx, tx),
            }
            self.keep_alive(base);
        }
    }

    pub(super) fn respond(&self, base: &mut Base, code: u16, description: Option<Vec<u8>>) {
        if let Some(tx) = self.invite {
            self.respond_to(base, tx, code, description);
        }
    }

    /// A response to an INVITE of this dialog: "When a UAS responds to a request with a response
    /// that establishes a dialog (such as a 2xx to INVITE), the UAS MUST copy all Record-Route
    /// header field values from the request into the response ... The UAS MUST add a Contact
    /// header field to the response." (12.1.1)
    pub(super) fn respond_to(&self, base: &mut Base, tx: TxId, code: u16, description: Option<Vec<u8>>) {
        self.respond_adding(base, tx, code, |_, response| {
            if let Some(description) = description {
                response.set_body(MEDIA_TYPE, description);
            }
        });
    }

    /// The same with headers of its own.
    pub(super) fn respond_adding(
        &self,
        base: &mut Base,
        tx: TxId,
        code: u16,
        add: impl FnOnce(&Self, &mut Message),
    ) {
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
        add(self, &mut response);
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
