//! Documents of the message-summary package (RFC 3842 5).

use super::Waiting;
use cordboard_model::id::UserId;

/// "Messages-Waiting: yes" where there is a new one, and the counts, which phones show.
pub(super) fn document(waiting: Waiting, resource: &UserId, domain: &str) -> String {
    let Waiting { new, old } = waiting;
    let any = if new > 0 { "yes" } else { "no" };
    format!(
        "Messages-Waiting: {any}\r\nMessage-Account: sip:{}@{domain}\r\nVoice-Message: {new}/{old}\r\n",
        resource.name
    )
}
