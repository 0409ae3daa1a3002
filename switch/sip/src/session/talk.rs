//! A device that rings is told to answer: NOTIFY with the event "talk" in its early dialog, as phones of the field take it
//! that announce the event in Allow-Events. No RFC has the package; RFC 6665 4.4.2 has no room for a NOTIFY without a
//! subscription, and a phone that does not announce it is never sent one.
//!
//! Invariant: whatever the phone says to it, the call rings on: its answer is its 200 to the INVITE.

use super::{Base, Session, Stage, to_tag};
use crate::dialog::Dialog;
use crate::transaction::TxUser;
use crate::wire::{HeaderName, Message, Method};

/// The event.
const TALK: &str = "talk";

impl Session {
    /// Keeps the early dialog of a device that says it can be told.
    pub(super) fn note_talk(&mut self, base: &Base, at: usize, response: &Message) {
        let Some(branch) = self.branches.get_mut(at) else {
            return;
        };
        let tag = to_tag(response);
        let announced = response.headers.get_all(&HeaderName::AllowEvents).flat_map(|value| value.split(','));
        if branch.talk.is_some()
            || tag.is_empty()
            || !announced.map(str::trim).any(|event| event.eq_ignore_ascii_case(TALK))
        {
            return;
        }
        let invite = base.tx.request(branch.tx).zip(base.tx.flow(branch.tx));
        let dialog = invite.and_then(|(invite, flow)| Dialog::of_response(invite, response, flow));
        branch.talk = dialog.map(|dialog| (tag, dialog));
    }

    /// Whether a device of the call rings that can be told to answer.
    pub(crate) fn can_be_told(&self) -> bool {
        let rings = self.stage == Stage::Calling && !self.over;
        rings && self.branches.iter().any(|branch| !branch.done && branch.talk.is_some())
    }

    /// Tells the first device that can be told: two must not answer one call.
    pub(crate) fn tell_to_answer(&mut self, base: &mut Base) {
        if !self.can_be_told() {
            return;
        }
        let Some(branch) = self.branches.iter_mut().find(|branch| !branch.done && branch.talk.is_some())
        else {
            return;
        };
        let Some((tag, dialog)) = &mut branch.talk else {
            return;
        };
        // requests of one dialog are numbered through, those that acknowledged its reliable responses included
        if let Some(known) = branch.dialogs.iter().find(|known| known.tag == *tag) {
            *dialog = dialog.clone().after(&known.dialog);
        }
        let (mut notify, flow) = dialog.request(Method::Notify);
        if let Some(known) = branch.dialogs.iter_mut().find(|known| known.tag == *tag) {
            known.dialog = known.dialog.clone().after(dialog);
        }
        notify.push(HeaderName::Event, TALK);
        notify.push(HeaderName::SubscriptionState, "active");
        base.tx.send(&mut base.cx, TxUser::Nobody, flow, notify);
    }
}
