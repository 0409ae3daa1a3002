//! The transaction layer (RFC 3261 17, 18.2; RFC 6026; RFC 3581).
//!
//! Invariant: a transaction is in the table exactly as long as its machine is not Terminated,
//! and while it is there either a timer of its own runs or the layer above owes it a response
//! (server) or may cancel it (client INVITE after a provisional response). Each of the four
//! machines is a pure table in its own file; this file does what their actions say.

mod client;
mod client_invite;
mod client_other;
mod key;
mod large;
mod layer;
mod run;
mod server;
mod server_invite;
mod server_other;
mod timer;

pub(crate) use layer::{Arrival, Transactions, TxUser, Upcall, What};
pub(crate) use server::response_flow;
pub(crate) use timer::Timer;

/// A transaction. Counted from one, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TxId(pub(crate) u64);

/// What a machine wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send what was sent last, or first: the request of a client, the response of a server.
    Send,
    /// Send the ACK of a refusal (17.1.1.3).
    Ack,
    /// Give the message to the layer above.
    PassUp,
    /// Tell it that nothing came in time: it acts as for a 408 (8.1.3.1).
    TellTimeout,
    /// Tell it that the transport failed: it acts as for a 503 (8.1.3.1).
    TellUnreachable,
    /// Start a timer; a repeating one at its next interval.
    Start(Timer),
    /// Start a repeating timer at T2.
    StartAtT2(Timer),
    /// Stop a timer.
    Stop(Timer),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Action;
    use core::fmt::{Debug, Write as _};

    /// Every state against every event, a line each; what changes nothing is left out of the
    /// line's end.
    pub(crate) fn table<S: Debug + Copy, E: Debug + Copy>(
        states: &[S],
        events: &[E],
        on: impl Fn(S, E) -> Option<(S, &'static [Action])>,
    ) -> String {
        let mut text = String::new();
        for state in states {
            for event in events {
                let shown = format!("{state:?}");
                let name = format!("{event:?}");
                let _ = write!(text, "{shown:<11} {name:<16}");
                match on(*state, *event) {
                    None => text.push_str(" -"),
                    Some((next, actions)) => {
                        let _ = write!(text, " {next:?}");
                        for action in actions {
                            let _ = write!(text, ", {action:?}");
                        }
                    }
                }
                text.push('\n');
            }
        }
        text
    }
}
