//! The client side of the table: sending requests, matching responses (RFC 3261 8.1, 9.1, 17.1).

use super::layer::{Machine, Transactions, Tx, TxUser, Upcall};
use super::{Timer, TxId, client_invite, client_other, large};
use crate::engine::Flow;
use crate::engine::Transport;
use crate::engine::context::{Context, PRODUCT};
use crate::wire::{HeaderName, Message, Method, Via};

/// Most 2xx of one forked INVITE that are remembered; further ones get their ACK anew.
const ACKS_MAX: usize = 16;

impl Transactions {
    /// Sends a request in a new transaction. The top Via is added here: "When the UAC creates a
    /// request, it MUST insert a Via into that request ... The Via header field value MUST
    /// contain a branch parameter" (8.1.1.7).
    pub(crate) fn send(&mut self, cx: &mut Context, user: TxUser, flow: Flow, mut request: Message) -> TxId {
        let branch = cx.tokens.branch();
        request.push_front(HeaderName::Via, via(cx, &flow, &branch).to_string());
        let bytes = request.to_bytes();
        match large::instead_of(cx, flow, &request, bytes.len()) {
            Some(stream) => {
                request.set_via_top(&via(cx, &stream, &branch));
                let bytes = request.to_bytes();
                self.send_with_branch(cx, user, (stream, Some(flow)), (request, bytes), branch)
            }
            None => self.send_with_branch(cx, user, (flow, None), (request, bytes), branch),
        }
    }

    fn send_with_branch(
        &mut self,
        cx: &mut Context,
        user: TxUser,
        (flow, home): (Flow, Option<Flow>),
        (request, bytes): (Message, Vec<u8>),
        branch: String,
    ) -> TxId {
        let method = request.method();
        let invite = method == Some(&Method::Invite);
        let key = client_key(&branch, method == Some(&Method::Cancel));
        let (machine, begin) = match invite {
            true => (Machine::ClientInvite(client_invite::State::Calling), client_invite::BEGIN),
            false => (Machine::ClientOther(client_other::State::Trying), client_other::BEGIN),
        };
        let id = self.insert(Tx {
            machine,
            user,
            flow,
            home,
            bytes,
            request,
            interval: None,
            running: 0,
            key,
            merged: None,
            to_tag: String::new(),
            acks: Vec::new(),
            ack: Vec::new(),
        });
        self.act(cx, id, begin, None);
        id
    }

    /// Cancels an INVITE that has a provisional response: "If no provisional response has been
    /// received, the CANCEL request MUST NOT be sent" (9.1), which the caller sees to.
    ///
    /// "The Request-URI, Call-ID, To, the numeric part of CSeq, and From header fields in the
    /// CANCEL request MUST be identical to those in the request being cancelled, including tags.
    /// A CANCEL constructed by a client MUST have only a single Via header field value matching
    /// the top Via value in the request being cancelled."
    pub(crate) fn cancel(&mut self, cx: &mut Context, id: TxId, reason: &str) {
        let Some(tx) = self.table.get_mut(&id) else {
            return;
        };
        let (Some(uri), Ok(top), Ok(cseq)) =
            (tx.request.request_uri(), tx.request.via_top(), tx.request.cseq())
        else {
            return;
        };
        let mut cancel = Message::request(Method::Cancel, uri.clone());
        cancel.push(HeaderName::Via, top.to_string());
        for name in [HeaderName::From, HeaderName::To, HeaderName::CallId] {
            cancel.headers.copy_from(&tx.request.headers, &name);
        }
        cancel.push(HeaderName::CSeq, format!("{} CANCEL", cseq.seq));
        cancel.push(HeaderName::MaxForwards, "70");
        // "If the request being cancelled contains a Route header field, the CANCEL request MUST
        // include that Route header field's values."
        cancel.headers.copy_from(&tx.request.headers, &HeaderName::Route);
        cancel.push(HeaderName::Reason, reason);
        cancel.push(HeaderName::UserAgent, PRODUCT);
        let branch = top.branch().unwrap_or_default().to_owned();
        let flow = tx.flow;
        self.start(cx, id, Timer::CancelOver, false);
        let bytes = cancel.to_bytes();
        self.send_with_branch(cx, TxUser::Nobody, (flow, None), (cancel, bytes), branch);
    }

    /// Sends the ACK of a 2xx and keeps it for repetitions of that 2xx: "The UAC core MUST
    /// generate an ACK request for each 2xx received from the transaction layer" (13.2.2.4).
    pub(crate) fn ack_success(
        &mut self,
        cx: &mut Context,
        id: TxId,
        to_tag: &str,
        flow: Flow,
        mut ack: Message,
    ) {
        // "The ACK MUST contain the same credentials as the INVITE."
        if let Some(tx) = self.table.get(&id) {
            for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
                ack.headers.copy_from(&tx.request.headers, &name);
            }
        }
        let branch = cx.tokens.branch();
        ack.push_front(HeaderName::Via, via(cx, &flow, &branch).to_string());
        let mut bytes = ack.to_bytes();
        // Its INVITE was longer: it went the same way, or the peer is known to refuse that.
        let stream = large::instead_of(cx, flow, &ack, bytes.len());
        if let Some(stream) = stream {
            ack.set_via_top(&via(cx, &stream, &branch));
            bytes = ack.to_bytes();
        }
        let flow = stream.unwrap_or(flow);
        if let Some(tx) = self.table.get_mut(&id)
            && tx.acks.len() < ACKS_MAX
        {
            tx.acks.push((to_tag.to_owned(), flow, bytes.clone()));
        }
        cx.transmit(flow, bytes);
    }

    /// Sends the ACK of this 2xx again; false if it has none yet.
    pub(crate) fn repeat_ack(&self, cx: &mut Context, id: TxId, to_tag: &str) -> bool {
        let acks = self.table.get(&id).map_or(&[][..], |tx| &tx.acks);
        let found = acks.iter().find(|(tag, _, _)| tag == to_tag);
        if let Some((_, flow, bytes)) = found {
            cx.transmit(*flow, bytes.clone());
        }
        found.is_some()
    }

    /// The request of a transaction.
    pub(crate) fn request(&self, id: TxId) -> Option<&Message> {
        self.table.get(&id).map(|tx| &tx.request)
    }

    /// By which flow its peer is reached; what is too long for it may have gone elsewhere.
    pub(crate) fn flow(&self, id: TxId) -> Option<Flow> {
        self.table.get(&id).map(|tx| tx.home.unwrap_or(tx.flow))
    }

    /// Nobody waits for it any more; it runs to its end alone.
    pub(crate) fn release(&mut self, id: TxId) {
        if let Some(tx) = self.table.get_mut(&id) {
            tx.user = TxUser::Nobody;
        }
    }

    /// Drops a client INVITE that nothing would end. Used when its session is given up.
    pub(crate) fn is_waiting_for_cancel(&self, id: TxId) -> bool {
        self.table.get(&id).is_some_and(|tx| tx.running & Timer::CancelOver.bit() != 0)
    }

    /// Takes a response. `None` when it fits no transaction, repeats one, or means nothing.
    ///
    /// "If the response has the same value of the branch parameter in the top Via header field
    /// as the branch parameter in the top Via header field of the request that created the
    /// transaction [and] the method parameter in the CSeq header field matches the method of the
    /// request" (17.1.3), it belongs to it.
    pub(crate) fn on_response(&mut self, cx: &mut Context, response: Message) -> Option<Upcall> {
        let code = response.status()?;
        let cseq = response.cseq().ok()?;
        let top = response.via_top().ok()?;
        // "If more than one Via header field value is present in a response, the UAC SHOULD
        // discard the message." (8.1.3.3)
        if response.headers.get_all(&HeaderName::Via).nth(1).is_some() {
            return None;
        }
        let key = client_key(top.branch()?, cseq.method == Method::Cancel);
        let id = *self.clients.get(&key)?;
        let tx = self.table.get(&id)?;
        if tx.request.method() != Some(&cseq.method) {
            return None;
        }
        match tx.machine {
            Machine::ClientInvite(_) => {
                let event = match code {
                    100..=199 => client_invite::Event::Provisional,
                    200..=299 => client_invite::Event::Success,
                    _ => client_invite::Event::Failure,
                };
                self.client_invite(cx, id, event, Some(response))
            }
            Machine::ClientOther(_) => {
                let event = match code {
                    100..=199 => client_other::Event::Provisional,
                    _ => client_other::Event::Final,
                };
                self.client_other(cx, id, event, Some(response))
            }
            Machine::ServerInvite(_) | Machine::ServerOther(_) => None,
        }
    }
}

fn client_key(branch: &str, is_cancel: bool) -> String {
    match is_cancel {
        // the CANCEL has the branch of its INVITE
        true => format!("{branch}\nCANCEL"),
        false => branch.to_owned(),
    }
}

pub(super) fn via(cx: &Context, flow: &Flow, branch: &str) -> Via {
    let (host, port) = cx.sent_by(flow);
    let rport = !flow.transport.is_reliable();
    let mut via = Via::new(flow.transport.via(), host, Some(port), branch, rport);
    if flow.transport == Transport::Tls {
        // what the peer sends us may come by this connection (RFC 5923)
        via.params.set("alias", None);
    }
    via
}
