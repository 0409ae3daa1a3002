//! Answers that leave no state (RFC 3261 8.2.7): all that a stranger gets.
//!
//! Invariant: who has shown neither credentials, nor a trunk's address, nor the tags of a dialog of ours, cannot make
//! the switch keep a transaction. So no flood of his can fill the table that calls live on: "if unauthenticated
//! requests were handled statefully, then malicious floods of unauthenticated requests could create massive amounts of
//! transaction state that could slow or completely halt call processing in a UAS, effectively creating a denial of
//! service condition".

use super::context::PRODUCT;
use super::{Flow, SipEngine};
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
        let to = response_flow(flow, via);
        cx.transmit(to, response.to_bytes());
    }
}
