//! The table of transactions and its indexes.

use core::time::Duration;
use std::collections::BTreeMap;

use super::{Timer, TxId, client_invite, client_other, server_invite, server_other};
use crate::client::RequestId;
use crate::engine::context::Context;
use crate::engine::{Flow, SessionId};
use crate::keyed::Keyed;
use crate::wire::Message;

/// Who is told what a transaction has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TxUser {
    /// A session.
    Session(SessionId),
    /// A request of ours outside any dialog.
    Client(RequestId),
    /// A subscription that was told something.
    Notify(u64),
    /// A MESSAGE that is sent on.
    Page(u64),
    /// Nobody waits: the BYE of a late 200, a CANCEL, a request answered at once.
    Nobody,
}

/// What a transaction tells.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A response to our request.
    Response(Message),
    /// An ACK of our 2xx that came with the branch of the INVITE.
    Ack(Message),
    /// Nothing came in time.
    Timeout,
    /// The transport failed.
    Unreachable,
}

/// What a transaction tells, and whom.
#[derive(Clone, Debug)]
pub(crate) struct Upcall {
    pub(crate) tx: TxId,
    pub(crate) user: TxUser,
    pub(crate) what: What,
}

/// What a request that came is to the table.
#[derive(Clone, Debug)]
pub(crate) enum Arrival {
    /// Nothing: it is new, and here it is again.
    New(Box<Message>),
    /// A repetition; it has been dealt with.
    Absorbed,
    /// An ACK for the 2xx of this server transaction.
    Ack(Box<Upcall>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Machine {
    ClientInvite(client_invite::State),
    ClientOther(client_other::State),
    ServerInvite(server_invite::State),
    ServerOther(server_other::State),
}

#[derive(Clone, Debug)]
pub(super) struct Tx {
    pub(super) machine: Machine,
    pub(super) user: TxUser,
    /// Where its messages go.
    pub(super) flow: Flow,
    /// Client: where they would go if the request were shorter, and where it goes when `flow` fails.
    pub(super) home: Option<Flow>,
    /// Client: as sent. Server: as it came, with received and rport.
    pub(super) request: Message,
    /// What is sent again: the request of a client, the last response of a server.
    pub(super) bytes: Vec<u8>,
    /// The last interval of A, E or G; none before the first.
    pub(super) interval: Option<Duration>,
    /// Timers that run, by [`Timer::bit`].
    pub(super) running: u16,
    /// Its key in the index.
    pub(super) key: String,
    /// Its key among merged requests.
    pub(super) merged: Option<String>,
    /// Server: the To tag of every response. "the UAS MUST add a tag to the To header field in
    /// the response" and "The same tag MUST be used for all responses to that request" (8.2.6.2).
    pub(super) to_tag: String,
    /// Client INVITE: the ACKs of 2xx by To tag, to be sent again when the 2xx comes again.
    pub(super) acks: Vec<(String, Flow, Vec<u8>)>,
    /// Client INVITE: the ACK of a refusal.
    pub(super) ack: Vec<u8>,
}

/// All transactions.
#[derive(Clone, Debug)]
pub(crate) struct Transactions {
    /// Boxed: a table of large values moves them about whenever one comes or goes.
    pub(super) table: BTreeMap<TxId, Box<Tx>>,
    pub(super) clients: Keyed<TxId>,
    pub(super) servers: Keyed<TxId>,
    pub(super) merged: Keyed<TxId>,
    pub(super) last: u64,
}

impl Transactions {
    /// None yet; `key` is that of the tables' hash.
    pub(crate) fn new(key: u64) -> Self {
        let table = || Keyed::new(key);
        Self { table: BTreeMap::new(), clients: table(), servers: table(), merged: table(), last: 0 }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether one of them still waits for its peer: a request for an answer, a refused INVITE for its ACK. The others
    /// only linger to absorb repetitions.
    pub(crate) fn any_waits(&self) -> bool {
        self.table.values().any(|tx| match tx.machine {
            Machine::ClientInvite(state) => {
                matches!(state, client_invite::State::Calling | client_invite::State::Proceeding)
            }
            Machine::ClientOther(state) => {
                matches!(state, client_other::State::Trying | client_other::State::Proceeding)
            }
            Machine::ServerInvite(state) => {
                matches!(state, server_invite::State::Proceeding | server_invite::State::Completed)
            }
            Machine::ServerOther(_) => false,
        })
    }

    pub(super) fn insert(&mut self, tx: Tx) -> TxId {
        self.last += 1;
        let id = TxId(self.last);
        match tx.machine {
            Machine::ClientInvite(_) | Machine::ClientOther(_) => {
                self.clients.insert(tx.key.clone(), id);
            }
            Machine::ServerInvite(_) | Machine::ServerOther(_) => {
                self.servers.insert(tx.key.clone(), id);
            }
        }
        if let Some(merged) = &tx.merged {
            self.merged.insert_first(merged.clone(), id);
        }
        self.table.insert(id, Box::new(tx));
        id
    }

    pub(super) fn remove(&mut self, cx: &mut Context, id: TxId) {
        let Some(tx) = self.table.remove(&id) else {
            return;
        };
        match tx.machine {
            Machine::ClientInvite(_) | Machine::ClientOther(_) => self.clients.remove(&tx.key),
            Machine::ServerInvite(_) | Machine::ServerOther(_) => self.servers.remove(&tx.key),
        };
        if let Some(merged) = &tx.merged
            && self.merged.get(merged) == Some(&id)
        {
            self.merged.remove(merged);
        }
        for timer in Timer::ALL {
            if tx.running & timer.bit() != 0 {
                cx.stop_tx(id, timer);
            }
        }
    }
}
