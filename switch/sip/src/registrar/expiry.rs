//! How long a contact is kept (RFC 3261 10.2.1.1, 10.3 step 7), and its end.

use cordboard_model::time::TimerReason;

use super::Registrar;
use crate::engine::Directory;
use crate::engine::context::Context;
use crate::wire::{Message, NameAddr};

/// What a wake-up for it is called.
pub(super) const REASON: TimerReason = TimerReason("sip contact expires");

/// What a contact gets that asks for nothing: "a locally-configured default value"; one hour, as
/// most registrars give, within the configured longest.
const DEFAULT_SECS: u32 = 3_600;

/// What a contact asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// To be removed: zero.
    Remove,
    /// To be kept this many seconds.
    Keep(u32),
    /// Less than the configured minimum.
    TooBrief,
}

/// "If the field value has an "expires" parameter, that value MUST be taken as the requested
/// expiration. If there is no such parameter, but the request has an Expires header field, that
/// value MUST be taken ... If there is neither, a locally-configured default value MUST be taken".
/// "If and only if the requested expiration interval is greater than zero AND smaller than one
/// hour AND less than a registrar-configured minimum, the registrar MAY reject the registration
/// with a response of 423 (Interval Too Brief)."
pub(super) fn wish(contact: &NameAddr, request: &Message, limits: &Directory) -> Wish {
    let asked = contact.expires().or_else(|| request.expires());
    match asked.unwrap_or(DEFAULT_SECS) {
        0 => Wish::Remove,
        secs if secs < 3_600 && secs < limits.register_min_secs() => Wish::TooBrief,
        secs => Wish::Keep(secs.min(limits.register_max_secs())),
    }
}

impl Registrar {
    /// A contact's time is over.
    pub(crate) fn on_expired(&mut self, cx: &mut Context, id: u64) {
        if let Some(user) = self.owners.get(&id).cloned() {
            self.remove_if(cx, &user, |binding| binding.id == id);
        }
    }
}
