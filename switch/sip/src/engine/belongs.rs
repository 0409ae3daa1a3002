//! Whether a request in a dialog comes from whom the dialog is with.
//!
//! Call-ID and tags are on the wire: who has seen them must not be able to end a call, hold it or send it elsewhere.
//! Invariant: a request that does not belong to the peer changes nothing in the call.

use core::net::{IpAddr, SocketAddr};

use cordboard_model::id::UserId;

use super::gate::Verdict;
use super::outside::asker;
use super::{Flow, SessionId, SipEngine};
use crate::wire::{Message, Via};

/// Whose a request in a dialog is.
pub(super) enum Sender {
    /// The peer's.
    Peer,
    /// Nobody's that we know: the account of the dialog has to prove it.
    Unproved { account: UserId, stale: bool },
    /// Another account's.
    Other,
    /// A stranger's, and the dialog has no account that could prove anything.
    Stranger,
}

impl SipEngine {
    /// Judges a request in a session's dialog. It is the peer's when it comes
    /// - by the dialog's flow, or over UDP from its address: NAT may have changed the port;
    /// - from the address that the peer named in Contact or Record-Route when the dialog was made;
    /// - from another address of the same trunk;
    /// - by a flow over which the account of the dialog is registered;
    /// - or with this account's digest.
    pub(super) fn sender(&mut self, id: SessionId, flow: Flow, request: &Message) -> Sender {
        let Some(session) = self.sessions.get(&id) else {
            return Sender::Stranger;
        };
        let account = session.account().cloned();
        if session.is_from(flow, account.is_some()) || self.is_same_trunk(id, flow) {
            return Sender::Peer;
        }
        let Some(account) = account else {
            return Sender::Stranger;
        };
        if self.registrar.of(&account).iter().any(|binding| same(binding.flow, flow)) {
            return Sender::Peer;
        }
        match self.gate.check(&self.base.cx, request, account.tenant, &asker(flow)) {
            Verdict::Account(user) if user == account => Sender::Peer,
            Verdict::Account(_) | Verdict::Guest(_) => Sender::Other,
            Verdict::Stranger { stale } => Sender::Unproved { account, stale },
            Verdict::Malformed => Sender::Stranger,
        }
    }

    /// Whether an ACK, which can be asked for nothing, comes from the peer.
    pub(super) fn is_ack_of_peer(&self, id: SessionId, flow: Flow) -> bool {
        let Some(session) = self.sessions.get(&id) else {
            return false;
        };
        let registered =
            |account: &UserId| self.registrar.of(account).iter().any(|binding| same(binding.flow, flow));
        session.is_from(flow, false)
            || self.is_same_trunk(id, flow)
            || session.account().is_some_and(registered)
    }

    fn is_same_trunk(&self, id: SessionId, flow: Flow) -> bool {
        let directory = &self.base.cx.directory;
        let known = self.sessions.get(&id).and_then(|session| session.peer_flow());
        let trunk = known.and_then(|known| directory.trunk_of(known.remote));
        trunk.is_some() && trunk == directory.trunk_of(flow.remote)
    }

    /// Answers a request that is not the peer's. Nothing of it reaches the session.
    pub(super) fn turn_away(&mut self, flow: Flow, via: &Via, request: &Message, sender: &Sender) {
        match sender {
            Sender::Peer => {}
            Sender::Unproved { account, stale } => self.challenge(flow, via, request, account.tenant, *stale),
            Sender::Other => self.answer_stateless(flow, via, request, 403, |_| {}),
            // as if there were no such dialog
            Sender::Stranger => self.answer_stateless(flow, via, request, 481, |_| {}),
        }
    }
}

fn same(a: Flow, b: Flow) -> bool {
    a.transport == b.transport && a.remote == b.remote
}

/// Whether `flow` leads from the peer whose messages came by `known`. `strict`: another connection from its address is
/// not enough, for many devices may share it.
pub(crate) fn is_peer(known: Flow, flow: Flow, strict: bool) -> bool {
    let address = |flow: Flow| -> IpAddr { flow.remote.ip().to_canonical() };
    let rebound = !flow.transport.is_reliable() || !known.transport.is_reliable() || !strict;
    same(known, flow) || rebound && address(known) == address(flow)
}

/// Whether an address is one of those that the peer named.
pub(crate) fn is_named(named: impl Iterator<Item = SocketAddr>, flow: Flow) -> bool {
    let address = flow.remote.ip().to_canonical();
    named.into_iter().any(|named| named.ip().to_canonical() == address)
}
