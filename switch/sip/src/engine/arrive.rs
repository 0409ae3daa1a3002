//! What a datagram is: noise, a response, or a request for a transaction, a dialog or us
//! (RFC 3261 18.2, 8.2, 12.2.2).

use super::belongs::Sender;
use super::context::is_supported;
use super::{Datagram, Flow, SessionId, SipEngine};
use crate::guard::{Look, Offence, goes_on, invited};
use crate::session::Base;
use crate::session::request::{answer, respond_with};
use crate::stun;
use crate::transaction::{Arrival, TxId, TxUser, What, response_flow};
use crate::wire::{HeaderName, Message, Method, Reject, Via, WireError, WireErrorKind, parse_datagram};

impl SipEngine {
    pub(super) fn arrive(&mut self, datagram: Datagram<'_>) {
        let flow = datagram.flow();
        if stun::is_stun(datagram.bytes) {
            return self.on_stun(flow, datagram.bytes);
        }
        let is_peer = self.base.cx.directory.trunk_of(flow.remote).is_some();
        let number = invited(datagram.bytes);
        let is_help = number.is_some_and(|number| self.base.cx.directory.is_help(number));
        let look = Look { is_peer, is_help, goes_on: goes_on(datagram.bytes) };
        if !self.guard.admit(flow, datagram.bytes, look, self.base.cx.now) {
            return self.on_scanner();
        }
        match parse_datagram(datagram.bytes) {
            Ok(message) => self.arrived(flow, message),
            Err(error) => self.damaged(flow, error),
        }
    }

    /// The keep-alive of a UDP flow (RFC 5626 4.4.2). A flow that nobody registered over gets no answer: an address
    /// written by a liar would get more bytes than he sent.
    fn on_stun(&mut self, flow: Flow, bytes: &[u8]) {
        if self.registrar.has_flow(flow)
            && let Some(answer) = stun::answer(bytes, flow.remote)
        {
            self.base.cx.transmit(flow, answer);
        }
    }

    pub(super) fn arrived(&mut self, flow: Flow, message: Message) {
        if message.is_request() {
            return self.on_request(flow, message);
        }
        let base = &mut self.base;
        if let Some(upcall) = base.tx.on_response(&mut base.cx, message) {
            self.on_upcall(upcall);
        }
    }

    pub(super) fn damaged(&mut self, flow: Flow, error: WireError) {
        if error.kind != WireErrorKind::KeepAlive {
            self.offence(Offence::Malformed);
        }
        if let Some(reject) = error.reject {
            self.on_damaged(flow, *reject);
        }
    }

    /// A request that cannot be read whole is answered without a transaction.
    fn on_damaged(&mut self, flow: Flow, reject: Reject) {
        let mut via = reject.via.clone();
        note_source(&mut via, flow);
        let tag = self.base.cx.tokens.stateless_tag(via.branch().unwrap_or_default());
        let response = reject.into_response(&via, &tag);
        let to = response_flow(flow, &via);
        self.answer_stranger(to, &response);
    }

    fn on_request(&mut self, flow: Flow, mut request: Message) {
        let Ok(mut via) = request.via_top() else {
            return;
        };
        if note_source(&mut via, flow) {
            request.set_via_top(&via);
        }
        self.note_reuse(flow, &via);
        let base = &mut self.base;
        let request = match base.tx.on_request(&mut base.cx, request, &via) {
            Arrival::New(request) => *request,
            Arrival::Absorbed => return,
            Arrival::Ack(upcall) => {
                // an ACK of a 2xx that has the branch of its INVITE: old peers do so
                if let What::Ack(ack) = &upcall.what {
                    self.on_ack(flow, ack);
                }
                return;
            }
        };
        match request.method() {
            Some(Method::Ack) => self.on_ack(flow, &request),
            Some(Method::Cancel) => self.on_cancel(flow, &via, request),
            Some(_) => self.on_new_request(flow, &via, request),
            None => {}
        }
    }

    /// An ACK is never answered; one for no dialog, or from elsewhere, is dropped.
    fn on_ack(&mut self, flow: Flow, ack: &Message) {
        if let Some(id) = self.session_of(ack).filter(|id| self.is_ack_of_peer(*id, flow)) {
            self.with_session(id, |session, base| session.on_ack(base, ack));
        }
    }

    /// "If the UAS did not find a matching transaction for the CANCEL according to the procedure
    /// above, it SHOULD respond to the CANCEL with a 481". Else "the UAS answers the CANCEL
    /// request itself with a 200 (OK) response ... the To tag of the response to the CANCEL and
    /// the To tag in the response to the original request SHOULD be the same." (9.2)
    fn on_cancel(&mut self, flow: Flow, via: &Via, cancel: Message) {
        let found = self.base.tx.cancelled(&cancel, via);
        // It is sent hop by hop: from where the INVITE came, or it is another's.
        let same_hop = |invite: Flow| {
            invite.transport == flow.transport
                && invite.remote.ip().to_canonical() == flow.remote.ip().to_canonical()
        };
        let found = found.filter(|(invite, _)| self.base.tx.flow(*invite).is_some_and(same_hop));
        let Some((invite, user)) = found else {
            return self.answer_stateless(flow, via, &cancel, 481, |_| {});
        };
        let base = &mut self.base;
        let tx = base.tx.open(&mut base.cx, TxUser::Nobody, flow, via, cancel);
        base.tx.share_to_tag(invite, tx);
        answer(base, tx, 200);
        if let TxUser::Session(id) = user {
            self.with_session(id, |session, base| session.on_cancel(base));
        }
    }

    fn on_new_request(&mut self, flow: Flow, via: &Via, request: Message) {
        let in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
        let limit = self.base.cx.config.transactions_max;
        // what is up may still be ended when new calls are refused
        let is_urgent = self.guard.is_urgent();
        let limit = if in_dialog || is_urgent { limit.saturating_mul(2) } else { limit };
        if self.base.tx.len() >= limit {
            return self.answer_stateless(flow, via, &request, 503, |_| {});
        }
        if !in_dialog && !is_urgent {
            let is_peer = self.base.cx.directory.trunk_of(flow.remote).is_some();
            if self.guard.is_behind(is_peer) {
                return self.answer_stateless(flow, via, &request, 503, |_| {});
            }
        }
        let is_register = request.method() == Some(&Method::Register);
        if in_dialog && !is_register {
            return self.on_dialog_request(flow, via, request);
        }
        self.on_outside_request(flow, via, request);
    }

    /// 12.2.2: "If the request has a tag in the To header field, the UAS core computes the dialog
    /// identifier ... If the UAS wishes to reject the request because it does not wish to recreate
    /// the dialog, it MUST respond to the request with a 481 (Call/Transaction Does Not Exist)".
    fn on_dialog_request(&mut self, flow: Flow, via: &Via, request: Message) {
        let Some(id) = self.session_of(&request) else {
            if self.on_subscription_request(flow, via, &request) {
                return;
            }
            return self.answer_stateless(flow, via, &request, 481, |_| {});
        };
        let sender = self.sender(id, flow, &request);
        if !matches!(sender, Sender::Peer) {
            return self.turn_away(flow, via, &request, &sender);
        }
        let base = &mut self.base;
        let tx = base.tx.open(&mut base.cx, TxUser::Session(id), flow, via, request);
        if refuse_extensions(base, tx) {
            return;
        }
        self.with_session(id, |session, base| session.on_request(base, tx, flow));
    }

    /// The session in whose dialog a request is.
    fn session_of(&self, request: &Message) -> Option<SessionId> {
        let to = request.to().ok()?;
        let id = *self.base.dialogs.get(to.tag()?)?;
        let from = request.from_().ok()?;
        let session = self.sessions.get(&id)?;
        let matches = session.matches(request.call_id().ok()?, from.tag().unwrap_or_default());
        matches.then_some(id)
    }
}

/// 8.2.2.3: "If a UAS does not understand an option-tag listed in a Require header field, it MUST
/// respond by generating a response with status code 420 (Bad Extension). The UAS MUST add an
/// Unsupported header field, and list in it those options it does not understand".
pub(super) fn refuse_extensions(base: &mut Base, tx: TxId) -> bool {
    let unknown = base.tx.request(tx).map(unknown_extensions).unwrap_or_default();
    if unknown.is_empty() {
        return false;
    }
    respond_with(base, tx, 420, |response| response.push(HeaderName::Unsupported, unknown));
    true
}

/// The option tags of Require that we do not know, as a list; empty when there is none.
pub(super) fn unknown_extensions(request: &Message) -> String {
    let unknown: Vec<&str> = request.require().filter(|tag| !is_supported(tag)).collect();
    unknown.join(", ")
}

/// Notes where a request came from; true if the Via changed.
///
/// "If the host portion of the "sent-by" parameter contains a domain name, or if it contains an
/// IP address that differs from the packet source address, the server MUST add a "received"
/// parameter to that Via header field value." (18.2.1). With an rport "it MUST set the value
/// of the parameter to the source port of the request" and "MUST insert a "received" parameter
/// containing the source IP address that the request came from, even if it is identical to the
/// value of the "sent-by" component" (RFC 3581 4).
fn note_source(via: &mut Via, flow: Flow) -> bool {
    let wants_port = via.rport().is_some();
    let source = flow.remote.ip().to_canonical();
    let differs = via.host.ip().map(|ip| ip.to_canonical()) != Some(source);
    if wants_port {
        via.set_rport(flow.remote.port());
    }
    if differs || wants_port {
        via.set_received(source);
    }
    differs || wants_port
}
