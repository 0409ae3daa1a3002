//! What lamps of phones show: the calls of each extension (RFC 4235), and the messages that wait for it (RFC 3842).
//!
//! Invariant: a leg is listed for its account from its beginning to its end, and for no longer than its call.

use crate::shard::Shard;
use cordboard_model::id::{LegId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_sip::engine::{DialogInfo, DialogState, SipCommand, Waiting};
use std::collections::BTreeMap;

/// Legs that end at accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lamps {
    legs: BTreeMap<LegId, (UserId, DialogInfo)>,
}

impl Lamps {
    /// Whether no extension has a call.
    pub(crate) fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }
}

impl Shard {
    /// A leg of this account has begun.
    pub(crate) fn lamp_begins(&mut self, leg: LegId, user: UserId, initiator: bool, remote: PartyId) {
        let info = DialogInfo { id: leg.to_string(), initiator, state: DialogState::Trying, remote };
        self.lamps.legs.insert(leg, (user.clone(), info.clone()));
        self.show(user, info, false);
    }

    /// A leg rings or is answered. Nothing if it is no account's.
    pub(crate) fn lamp(&mut self, leg: LegId, state: DialogState) {
        if let Some((user, info)) = self.lamps.legs.get_mut(&leg) {
            info.state = state;
            let (user, info) = (user.clone(), info.clone());
            self.show(user, info, false);
        }
    }

    /// A leg is over.
    pub(crate) fn lamp_ends(&mut self, leg: LegId) {
        if let Some((user, info)) = self.lamps.legs.remove(&leg) {
            self.show(user, info, true);
        }
    }

    fn show(&mut self, user: UserId, dialog: DialogInfo, over: bool) {
        self.sip.handle_command(SipCommand::Dialog { user, dialog, over }, self.now);
    }

    /// So many messages wait for an account. False if there is no such account. Kept until the switch ends: whoever
    /// counts them says it again then.
    pub fn set_messages(&mut self, user: &UserId, new: u32, old: u32) -> bool {
        if self.snapshot.user(user).is_none() {
            return false;
        }
        let waiting = Waiting { new, old };
        self.sip.handle_command(SipCommand::Messages { user: user.clone(), waiting }, self.now);
        self.settle();
        true
    }
}
