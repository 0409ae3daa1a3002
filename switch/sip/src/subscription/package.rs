//! The event packages that we serve: `dialog` (RFC 4235) and `message-summary` (RFC 3842).

use cordboard_model::id::UserId;

use super::Known;
use super::{dialog_info, message_summary};
use crate::wire::{HeaderName, Message};

/// What Allow-Events lists (RFC 6665 8.2.2).
pub(crate) const ALLOW_EVENTS: &str = "dialog, message-summary";

/// What is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Package {
    /// Calls of an extension.
    Dialog,
    /// Messages that wait for an account.
    MessageSummary,
}

impl Package {
    /// The package of a SUBSCRIBE and the id of its Event; none for one that we do not serve, or that is missing.
    pub(crate) fn of(request: &Message) -> Option<(Self, Option<String>)> {
        let value = request.header(&HeaderName::Event)?;
        let mut parts = value.split(';').map(str::trim);
        let package = match parts.next()? {
            "dialog" => Self::Dialog,
            "message-summary" => Self::MessageSummary,
            _ => return None,
        };
        let id = parts.find_map(|part| part.strip_prefix("id=")).filter(|id| is_token(id));
        Some((package, id.map(str::to_owned)))
    }

    /// The value of Event.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::MessageSummary => "message-summary",
        }
    }

    /// The type of its documents.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Dialog => "application/dialog-info+xml",
            Self::MessageSummary => "application/simple-message-summary",
        }
    }

    /// The document that says all there is to say of `resource` at `domain`.
    pub(super) fn document(self, known: &Known, resource: &UserId, domain: &str, version: u32) -> String {
        match self {
            Self::Dialog => dialog_info::document(known.dialogs(resource), resource, domain, version),
            Self::MessageSummary => message_summary::document(known.messages(resource), resource, domain),
        }
    }
}

/// Short enough and of the characters of a token, so that it can be repeated as it came.
fn is_token(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}
