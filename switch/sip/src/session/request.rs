//! Requests in a dialog (RFC 3261 12.2.2): BYE, INFO, OPTIONS, re-INVITE, and what is refused.

use super::{Base, Session};
use crate::dialog::Order;
use crate::engine::Flow;
use crate::engine::context::{ACCEPT, ALLOW, describe};
use crate::transaction::TxId;
use crate::wire::{HeaderName, Message, Method};

impl Session {
    /// A request of the peer in this session's dialog, which has a transaction.
    pub(crate) fn on_request(&mut self, base: &mut Base, tx: TxId, flow: Flow) {
        let Some(request) = base.tx.request(tx) else {
            return;
        };
        let seq = request.cseq().map_or(0, |cseq| cseq.seq);
        let method = request.method().cloned().unwrap_or(Method::Options);
        // 12.2.2: a sequence number below the last one "MUST be rejected with a 500"
        let order = self.dialog.as_mut().map(|dialog| dialog.note_cseq(seq));
        if order == Some(Order::Late) {
            return answer(base, tx, 500);
        }
        match method {
            Method::Bye => {
                match base.cx.config.bye_wait {
                    Some(wait) => {
                        base.byes.insert(self.id, tx);
                        base.cx.start_bye(self.id, wait);
                    }
                    None => answer(base, tx, 200),
                }
                self.on_bye(base);
            }
            Method::Invite => self.on_peer_reinvite(base, tx, flow),
            Method::Info => self.on_info(base, tx),
            Method::Update => self.on_peer_update(base, tx, flow),
            Method::Prack => self.on_prack(base, tx),
            Method::Refer => self.on_refer(base, tx),
            // of a subscription that we do not have (RFC 6665 4.1.3)
            Method::Notify => answer(base, tx, 481),
            Method::Options => answer_options(base, tx),
            _ => refuse_method(base, tx),
        }
    }
}

/// A response without body to a request.
pub(crate) fn answer(base: &mut Base, tx: TxId, code: u16) {
    if let Some(mut response) = base.tx.response(tx, code) {
        super::uas::add_retry_after(base, &mut response);
        base.tx.respond(&mut base.cx, tx, &response);
    }
}

/// A refusal with a phrase that names the fault.
pub(crate) fn refuse(base: &mut Base, tx: TxId, code: u16, phrase: &str) {
    if let Some(response) = base.tx.response(tx, code) {
        let response = response.with_reason(phrase);
        base.tx.respond(&mut base.cx, tx, &response);
    }
}

pub(crate) fn answer_options(base: &mut Base, tx: TxId) {
    respond_with(base, tx, 200, describe_options);
}

/// "Allow, Accept, Accept-Encoding, Accept-Language, and Supported header fields SHOULD be present
/// in a 200 (OK) response to an OPTIONS request." (11.2)
pub(crate) fn describe_options(response: &mut Message) {
    describe(response);
    response.push(HeaderName::Accept, ACCEPT);
    response.push(HeaderName::AcceptEncoding, "identity");
    response.push(HeaderName::AcceptLanguage, "en");
}

pub(crate) fn refuse_method(base: &mut Base, tx: TxId) {
    respond_with(base, tx, 405, describe_methods);
}

/// 8.2.1: "If the UAS recognizes but does not support the method of a request, it MUST generate
/// a 405 (Method Not Allowed) response ... The UAS MUST also add an Allow header field".
pub(crate) fn describe_methods(response: &mut Message) {
    response.push(HeaderName::Allow, ALLOW);
}

/// 8.2.3: "If there are any bodies whose type ... are not understood, and that body part is not
/// optional, the UAS MUST reject the request with a 415 (Unsupported Media Type) response. The
/// response MUST contain an Accept header field listing the types of all bodies it understands".
pub(crate) fn refuse_body(base: &mut Base, tx: TxId) {
    respond_with(base, tx, 415, |response| {
        response.push(HeaderName::Accept, ACCEPT);
        response.push(HeaderName::AcceptEncoding, "identity");
    });
}

/// A response with headers of its own.
pub(crate) fn respond_with(base: &mut Base, tx: TxId, code: u16, add: impl FnOnce(&mut Message)) {
    if let Some(mut response) = base.tx.response(tx, code) {
        add(&mut response);
        base.tx.respond(&mut base.cx, tx, &response);
    }
}
