//! Documents of the dialog package (RFC 4235 4).
//!
//! Invariant: every document is whole ("full" state): who missed one before it misses nothing.

use core::fmt::Write as _;

use cordboard_model::id::UserId;
use cordboard_model::leg::PartyId;

/// How far a call is, as those who watch an extension see it (RFC 4235 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// It has begun.
    Trying,
    /// It rings.
    Early,
    /// It is answered.
    Confirmed,
}

/// A call of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogInfo {
    /// Names it among those of the extension, for as long as it lasts.
    pub id: String,
    /// Whether the extension has called.
    pub initiator: bool,
    /// How far it is.
    pub state: DialogState,
    /// The other party.
    pub remote: PartyId,
}

/// Most calls of one extension that a document names.
const DIALOGS_MAX: usize = 16;

/// The version counts the documents of one subscription, by which a watcher knows an older one (4.1).
pub(super) fn document<'a>(
    dialogs: impl Iterator<Item = &'a DialogInfo>,
    resource: &UserId,
    domain: &str,
    version: u32,
) -> String {
    let mut text = String::with_capacity(256);
    let entity = escaped(&format!("sip:{}@{domain}", resource.name));
    let _ = write!(
        text,
        "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
         state=\"full\" entity=\"{entity}\">\r\n"
    );
    for dialog in dialogs.take(DIALOGS_MAX) {
        let direction = if dialog.initiator { "initiator" } else { "recipient" };
        let state = match dialog.state {
            DialogState::Trying => "trying",
            DialogState::Early => "early",
            DialogState::Confirmed => "confirmed",
        };
        let display = match dialog.remote.display.as_str() {
            "" => String::new(),
            display => format!(" display=\"{}\"", escaped(display)),
        };
        let remote = escaped(&format!("sip:{}@{domain}", dialog.remote.user));
        let _ = write!(
            text,
            "<dialog id=\"{}\" direction=\"{direction}\">\r\n<state>{state}</state>\r\n\
             <remote><identity{display}>{remote}</identity></remote>\r\n</dialog>\r\n",
            escaped(&dialog.id)
        );
    }
    text.push_str("</dialog-info>\r\n");
    text
}

/// What a peer has written must not become a tag; characters that XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::TenantId;

    #[test]
    fn a_document_names_every_call_and_nothing_in_it_can_be_a_tag() {
        let resource = UserId::new(TenantId::DEFAULT, "1002").unwrap();
        let info = |id: &str, initiator, state, user: &str, display: &str| DialogInfo {
            id: id.into(),
            initiator,
            state,
            remote: PartyId { user: user.into(), display: display.into() },
        };
        let dialogs = [
            info("a", false, DialogState::Early, "900", "<b>\"A\u{7}&B\""),
            info("b", true, DialogState::Confirmed, "4711", ""),
        ];
        insta::assert_snapshot!(
            "dialog_info",
            document(dialogs.iter(), &resource, "example.com", 7).replace('\r', "")
        );
        let none = document([].iter(), &resource, "example.com", 8);
        assert!(none.contains("version=\"8\"") && !none.contains("<dialog "), "{none}");
    }
}
