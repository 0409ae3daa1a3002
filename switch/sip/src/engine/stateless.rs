//! Answers that leave no state (RFC 3261 8.2.7): all that a stranger gets.
//!
//! Invariant: who has shown neither credentials, nor a trunk's address, nor the tags of a dialog of ours, cannot make
//! the switch keep a transaction. So no flood of his can fill the table that calls live on: "if unauthenticated
//! requests were handled statefully, then malicious floods of unauthenticated requests could create massive amounts of
//! transaction state that could slow or completely halt call processing in a UAS, effectively creating a denial of
//! service condition".

use super::context::PRODUCT;
use super::{Flow, SipEngine, SipOutput};
use crate::guard::Offence;
use crate::transaction::response_flow;
use crate::wire::{HeaderName, Message, Via};

impl SipEngine {
    /// A final response that is forgotten when it is sent. A repeated request gets the same again, To tag included; an
    /// ACK of it finds nothing and is dropped ("A stateless UAS MUST ignore ACK requests").
    pub(super) fn answer_stateless(
        &mut self,
        flow: Flow,
        via: &Via,
        request: &Message,
        code: u16,
        add: impl FnOnce(&mut Message),
    ) {
        let cx = &mut self.base.cx;
        let mut response = Message::response_to(request, code);
        if request.to().is_ok_and(|to| to.tag().is_none()) {
            response.set_to_tag(&cx.tokens.stateless_tag(via.branch().unwrap_or_default()));
        }
        response.push(HeaderName::Server, PRODUCT);
        if code == 503 {
            response.push(HeaderName::RetryAfter, cx.config.retry_after_secs.to_string());
        }
        add(&mut response);
        if let Some(offence) = offence_of(code) {
            self.offence(offence);
        }
        self.answer_stranger(response_flow(flow, via), &response);
    }

    /// Sends what a stranger may have: not more than so many a second, nor much longer than what he sent.
    pub(super) fn answer_stranger(&mut self, to: Flow, response: &Message) {
        let bytes = response.to_bytes();
        if self.guard.may_answer(bytes.len(), self.base.cx.now) {
            self.base.cx.transmit(to, bytes);
        }
    }

    /// Counts an offence by the sender of the message at hand.
    pub(super) fn offence(&mut self, offence: Offence) {
        if let Some(banned) = self.guard.offence(offence, self.base.cx.now) {
            self.base.cx.out.push_back(SipOutput::Banned(banned));
        }
    }

    /// The guard did not let a message in: if its sender is not banned yet, it is a scanning tool.
    pub(super) fn on_scanner(&mut self) {
        if let Some(banned) = self.guard.scanned(self.base.cx.now) {
            self.base.cx.out.push_back(SipOutput::Banned(banned));
        }
    }
}

/// What an answer says of who asked. A device that is asked for its password is no offender, but one that never shows
/// it is.
const fn offence_of(code: u16) -> Option<Offence> {
    match code {
        200 | 481 => Some(Offence::Bare),
        400..=499 => Some(Offence::Refused),
        _ => None,
    }
}
