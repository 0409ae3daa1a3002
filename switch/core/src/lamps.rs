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
    users: BTreeMap<UserId, BTreeMap<LegId, DialogInfo>>,
    legs: BTreeMap<LegId, UserId>,
}

impl Lamps {
    /// Whether no extension has a call.
    pub(crate) fn is_empty(&self) -> bool {
        self.users.is_empty() && self.legs.is_empty()
    }

    fn of(&self, user: &UserId) -> Vec<DialogInfo> {
        self.users.get(user).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }
}

impl Shard {
    /// A leg of this account has begun.
    pub(crate) fn lamp_begins(&mut self, leg: LegId, user: UserId, initiator: bool, remote: PartyId) {
        let info = DialogInfo { id: leg.to_string(), initiator, state: DialogState::Trying, remote };
        self.lamps.legs.insert(leg, user.clone());
        self.lamps.users.entry(user.clone()).or_default().insert(leg, info);
        self.show(user);
    }

    /// A leg rings or is answered. Nothing if it is no account's.
    pub(crate) fn lamp(&mut self, leg: LegId, state: DialogState) {
        let Some(user) = self.lamps.legs.get(&leg).cloned() else {
            return;
        };
        if let Some(info) = self.lamps.users.get_mut(&user).and_then(|legs| legs.get_mut(&leg)) {
            info.state = state;
        }
        self.show(user);
    }

    /// A leg is over.
    pub(crate) fn lamp_ends(&mut self, leg: LegId) {
        let Some(user) = self.lamps.legs.remove(&leg) else {
            return;
        };
        if let Some(legs) = self.lamps.users.get_mut(&user) {
            legs.remove(&leg);
            if legs.is_empty() {
                self.lamps.users.remove(&user);
            }
        }
        self.show(user);
    }

    fn show(&mut self, user: UserId) {
        let dialogs = self.lamps.of(&user);
        self.sip.handle_command(SipCommand::Dialogs { user, dialogs }, self.now);
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
