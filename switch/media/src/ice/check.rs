//! One address of the peer's and what is known of the way there (RFC 8445 6.1.2.6).

use super::stun::Transaction;
use cordboard_model::time::{Duration, Time};
use core::net::SocketAddr;

/// How far its check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not checked yet, or to be checked again.
    Waiting,
    /// A request is out; the next at this time.
    Asked {
        /// When.
        again: Time,
    },
    /// It has answered.
    Works,
    /// It has not.
    Failed,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub remote: SocketAddr,
    pub priority: u32,
    pub state: State,
    /// The peer has checked it, so it goes before others.
    pub triggered: bool,
    /// Our checks nominate it.
    pub nominates: bool,
    /// The peer has, or has agreed.
    pub nominated: bool,
    /// The peer has proved to be there.
    pub proved: bool,
    /// The request that is out.
    pub transaction: Option<Transaction>,
    /// It was sent in the controlled role.
    pub as_controlled: bool,
    pub asked_at: Time,
    requests: u8,
}

impl Pair {
    pub(super) fn new(remote: SocketAddr, priority: u32) -> Self {
        Self {
            remote,
            priority,
            state: State::Waiting,
            triggered: false,
            nominates: false,
            nominated: false,
            proved: false,
            transaction: None,
            as_controlled: false,
            asked_at: Time::ZERO,
            requests: 0,
        }
    }

    /// Whether the peer has proved to be there.
    pub(super) fn is_proved(&self) -> bool {
        self.proved
    }

    /// Whether its check waits to leave, or has left once and may still be answered.
    pub(super) fn is_asked_first(&self) -> bool {
        match self.state {
            State::Waiting => true,
            State::Asked { .. } => self.requests <= 1,
            State::Works | State::Failed => false,
        }
    }

    /// Whether this request is the one that is out.
    pub(super) fn asks(&self, transaction: &Transaction) -> bool {
        self.transaction.as_ref() == Some(transaction)
    }

    /// A request leaves: another of the same transaction, whose time to wait has doubled, or the first of a new one. A pair
    /// that works is asked for consent: "a retransmission is not needed" (RFC 7675 5.1), for the next is due soon enough.
    pub(super) fn ask(&mut self, fresh: Transaction, now: Time, wait: Duration, most: u8) {
        self.asked_at = now;
        match self.state {
            State::Works => self.transaction = Some(fresh),
            State::Asked { .. } => {
                self.requests = self.requests.saturating_add(1).min(most);
                self.state = State::Asked { again: now + wait * (1 << (self.requests - 1).min(4)) };
            }
            State::Waiting | State::Failed => {
                (self.transaction, self.requests) = (Some(fresh), 1);
                self.state = State::Asked { again: now + wait };
            }
        }
        self.triggered = false;
    }

    /// A pair that was asked often enough has failed.
    pub(super) fn give_up(&mut self, now: Time, most: u8) {
        if let State::Asked { again } = self.state
            && self.requests >= most
            && now >= again
        {
            (self.state, self.transaction) = (State::Failed, None);
        }
    }
}
