//! The server side of the table: matching requests, sending responses (RFC 3261 8.2, 17.2, 18.2).

use core::net::SocketAddr;

use super::layer::{Arrival, Machine, Transactions, Tx, TxUser};
use super::{TxId, key, server_invite, server_other};
use crate::engine::Flow;
use crate::engine::context::{Context, PRODUCT};
use crate::wire::{HeaderName, Message, Method, NameAddr, Via};

impl Transactions {
    /// Matches a request. A CANCEL is matched by itself here; see [`Self::cancelled`].
    pub(crate) fn on_request(&mut self, cx: &mut Context, request: Message, via: &Via) -> Arrival {
        let Some(method) = request.method() else {
            return Arrival::Absorbed;
        };
        let is_ack = *method == Method::Ack;
        let key = key::of_request(&request, via, method);
        let Some(id) = self.servers.get(&key).copied() else {
            return Arrival::New(Box::new(request));
        };
        let tag = self.table.get(&id).map(|tx| tx.to_tag.as_str());
        if is_ack && !via.has_magic_cookie() && tag != Some(to_tag(&request).as_str()) {
            // for RFC 2543 "the To tag of the ACK matches the To tag of the response sent"
            return Arrival::New(Box::new(request));
        }
        match self.table.get(&id).map(|tx| tx.machine) {
            Some(Machine::ServerInvite(_)) if is_ack => {
                let event = server_invite::Event::Ack;
                let up = self.server_invite(cx, id, event, Some(request));
                up.map_or(Arrival::Absorbed, |up| Arrival::Ack(Box::new(up)))
            }
            Some(Machine::ServerInvite(_)) => {
                self.server_invite(cx, id, server_invite::Event::Request, None);
                Arrival::Absorbed
            }
            Some(Machine::ServerOther(_)) => {
                self.server_other(cx, id, server_other::Event::Request);
                Arrival::Absorbed
            }
            Some(Machine::ClientInvite(_) | Machine::ClientOther(_)) | None => {
                Arrival::New(Box::new(request))
            }
        }
    }

    /// The INVITE that a CANCEL is for, if it is here (9.2).
    pub(crate) fn cancelled(&self, cancel: &Message, via: &Via) -> Option<(TxId, TxUser)> {
        let id = *self.servers.get(&key::of_cancelled(cancel, via))?;
        self.table.get(&id).map(|tx| (id, tx.user))
    }

    /// Whether a request without To tag is a copy of one that is here, come by another way
    /// (8.2.2.2).
    pub(crate) fn is_merged(&self, request: &Message) -> bool {
        key::of_merged(request).is_some_and(|key| self.merged.has(&key))
    }

    /// Opens a server transaction for a new request.
    pub(crate) fn open(
        &mut self,
        cx: &mut Context,
        user: TxUser,
        flow: Flow,
        via: &Via,
        request: Message,
    ) -> TxId {
        let to = request.to().ok();
        let had_tag = to.as_ref().and_then(NameAddr::tag).map(str::to_owned);
        let machine = match request.method() {
            Some(Method::Invite) => Machine::ServerInvite(server_invite::State::Proceeding),
            _ => Machine::ServerOther(server_other::State::Trying),
        };
        let method = request.method().cloned().unwrap_or(Method::Options);
        self.insert(Tx {
            machine,
            user,
            flow: response_flow(flow, via),
            home: None,
            key: key::of_request(&request, via, &method),
            merged: match had_tag {
                None => key::of_merged(&request),
                Some(_) => None,
            },
            to_tag: had_tag.unwrap_or_else(|| cx.tokens.tag()),
            request,
            bytes: Vec::new(),
            interval: None,
            running: 0,
            acks: Vec::new(),
            ack: Vec::new(),
        })
    }

    /// Whom this transaction tells from now on.
    pub(crate) fn set_user(&mut self, id: TxId, user: TxUser) {
        if let Some(tx) = self.table.get_mut(&id) {
            tx.user = user;
        }
    }

    /// The To tag of a server transaction's responses: the local tag of its dialog.
    pub(crate) fn to_tag(&self, id: TxId) -> Option<&str> {
        self.table.get(&id).map(|tx| tx.to_tag.as_str())
    }

    /// Gives the responses of `to` the To tag of `from`: those of a CANCEL the tag of its INVITE.
    pub(crate) fn share_to_tag(&mut self, from: TxId, to: TxId) {
        let tag = self.table.get(&from).map(|tx| tx.to_tag.clone());
        if let (Some(tag), Some(tx)) = (tag, self.table.get_mut(&to)) {
            tx.to_tag = tag;
        }
    }

    /// A response to the request of a server transaction, to be completed and given to
    /// [`Self::respond`]. A 100 has no tag of ours (17.2.1).
    pub(crate) fn response(&self, id: TxId, code: u16) -> Option<Message> {
        let tx = self.table.get(&id)?;
        let mut response = Message::response_to(&tx.request, code);
        if code > 100 {
            response.set_to_tag(&tx.to_tag);
        }
        response.push(HeaderName::Server, PRODUCT);
        Some(response)
    }

    /// Sends a response.
    pub(crate) fn respond(&mut self, cx: &mut Context, id: TxId, response: &Message) {
        let Some(code) = response.status() else {
            return;
        };
        let Some(tx) = self.table.get_mut(&id) else {
            return;
        };
        match tx.machine {
            Machine::ServerInvite(state) => {
                let event = match code {
                    100..=199 => server_invite::Event::SendProvisional,
                    200..=299 => server_invite::Event::SendSuccess,
                    _ => server_invite::Event::SendFailure,
                };
                if server_invite::on(state, event).is_some() {
                    tx.bytes = response.to_bytes();
                    self.server_invite(cx, id, event, None);
                }
            }
            Machine::ServerOther(state) => {
                let event = match code {
                    100..=199 => server_other::Event::SendProvisional,
                    _ => server_other::Event::SendFinal,
                };
                if server_other::on(state, event).is_some() {
                    tx.bytes = response.to_bytes();
                    self.server_other(cx, id, event);
                }
            }
            Machine::ClientInvite(_) | Machine::ClientOther(_) => {}
        }
    }

    /// Sends the last provisional response of a server INVITE again (13.3.1.1).
    pub(crate) fn repeat_provisional(&mut self, cx: &mut Context, id: TxId) {
        self.server_invite(cx, id, server_invite::Event::SendProvisional, None);
    }

    /// Sends the 2xx of a server INVITE again, as the session's clock wants it (13.3.1.4).
    pub(crate) fn repeat_success(&mut self, cx: &mut Context, id: TxId) -> bool {
        if !self.table.contains_key(&id) {
            return false;
        }
        self.server_invite(cx, id, server_invite::Event::SendSuccess, None);
        true
    }
}

fn to_tag(message: &Message) -> String {
    let to = message.to().ok();
    to.as_ref().and_then(NameAddr::tag).unwrap_or_default().to_owned()
}

/// Where a response goes (18.2.2, RFC 3581 4). Over a stream it is the same connection. Over UDP
/// it is the address the request came from: received is added whenever sent-by differs, so both
/// branches of 18.2.2 give it; `maddr` is not obeyed, as it would let a stranger choose whom we
/// send to. The port is the source port if rport was asked for, else that of sent-by.
pub(crate) fn response_flow(flow: Flow, via: &Via) -> Flow {
    if flow.transport.is_reliable() || via.rport().is_some() {
        return flow;
    }
    flow.to(SocketAddr::new(flow.remote.ip(), via.port_or_default()))
}
