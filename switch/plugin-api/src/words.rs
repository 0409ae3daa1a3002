//! How plugins speak of things: the same words in reasons, events and on the page.

use cordboard_model::verb::Destination;

/// Longest number quoted in a reason, characters.
const SHOWN_MAX: usize = 40;

/// A destination in words: `queue default/sales`.
pub fn destination(to: &Destination) -> String {
    match to {
        Destination::Flow(id) => format!("flow {id}"),
        Destination::Queue(id) => format!("queue {id}"),
        Destination::Agent(id) => format!("agent {id}"),
        Destination::User(id) => format!("user {id}"),
        Destination::Trunk(id, number) => format!("trunk {id} as {}", shown(number)),
    }
}

/// What a stranger sent, fit to be quoted: cut at 40 characters, control characters escaped.
pub fn shown(text: &str) -> String {
    if text.is_empty() {
        return "(nothing)".into();
    }
    let mut out: String = text.chars().take(SHOWN_MAX).flat_map(|c| c.escape_debug()).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{QueueId, TenantId, TrunkId};

    #[test]
    fn a_destination_reads_as_kind_and_id() {
        let queue = QueueId::new(TenantId::DEFAULT, "sales").unwrap();
        assert_eq!(destination(&Destination::Queue(queue)), "queue default/sales");
        let trunk = TrunkId::new(TenantId::DEFAULT, "carrier").unwrap();
        let to = Destination::Trunk(trunk, "+4312345".into());
        assert_eq!(destination(&to), "trunk default/carrier as +4312345");
    }

    #[test]
    fn what_a_stranger_sent_is_cut_and_escaped() {
        assert_eq!(shown("5000"), "5000");
        assert_eq!(shown(""), "(nothing)");
        assert_eq!(shown("1\r\n2"), "1\\r\\n2");
        assert_eq!(shown(&"9".repeat(60_000)), format!("{}...", "9".repeat(40)));
    }
}
