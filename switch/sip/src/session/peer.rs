//! Who the peer of a session is: the flow its messages come by, the addresses it named, the account it has shown.

use super::Session;
use crate::engine::Flow;
use crate::engine::belongs::{is_named, is_peer};
use cordboard_model::id::UserId;

impl Session {
    /// The account that called, or is called.
    pub(crate) fn account(&self) -> Option<&UserId> {
        self.account.as_ref()
    }

    /// Notes it.
    pub(crate) fn is_of(&mut self, account: Option<UserId>) {
        self.account = account;
    }

    /// By which flow the peer's messages come; of an outgoing session from the answer on.
    pub(crate) fn peer_flow(&self) -> Option<Flow> {
        self.dialog.as_ref().map(|dialog| dialog.flow())
    }

    /// Whether what comes by `flow` can be the peer's without further proof.
    pub(crate) fn is_from(&self, flow: Flow, strict: bool) -> bool {
        let Some(dialog) = &self.dialog else {
            return false;
        };
        is_peer(dialog.flow(), flow, strict) || is_named(dialog.named(), flow)
    }
}
