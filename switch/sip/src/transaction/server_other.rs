//! The non-INVITE server transaction (RFC 3261 17.2.2).
//!
//! | state | event | next | actions |
//! | --- | --- | --- | --- |
//! | Trying | 1xx of ours | Proceeding | send |
//! | | 200-699 of ours | Completed | send, start J |
//! | Proceeding | request | Proceeding | send the last response |
//! | | 1xx of ours | Proceeding | send |
//! | | 200-699 of ours | Completed | send, start J |
//! | | transport error | Proceeding | tell: unreachable |
//! | Completed | request | Completed | send the last response |
//! | | Timer J | Terminated | |
//! | | transport error | Completed | tell: unreachable |
//!
//! Everything else changes nothing. After a transport error the transaction stays as it is
//! (RFC 6026 8.8, which takes the place of 17.2.4).

use super::{Action, Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No response was given.
    Trying,
    /// A provisional response was given.
    Proceeding,
    /// The final response was given; it is repeated for repeated requests.
    Completed,
    /// Nothing is left.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The request came again.
    Request,
    /// We send a provisional response.
    SendProvisional,
    /// We send 200 to 699.
    SendFinal,
    /// Repetitions are over.
    TimerJ,
    /// The transport cannot reach the peer.
    TransportError,
}

/// The next state and what to do; `None` when the event means nothing here.
pub(crate) fn on(state: State, event: Event) -> Option<(State, &'static [Action])> {
    match state {
        State::Trying => trying(event),
        State::Proceeding => proceeding(event),
        State::Completed => completed(event),
        State::Terminated => None,
    }
}

/// "the transaction MUST enter the "Completed" state ... When the server transaction enters the "Completed" state, it MUST set Timer J to fire in 64*T1 seconds for
/// unreliable transports, and zero seconds for reliable transports."
const FINAL: &[Action] = &[Action::Send, Action::Start(Timer::J)];

fn trying(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "While in the "Trying" state, if the TU passes a provisional response to the server
        // transaction, the server transaction MUST enter the "Proceeding" state."
        Event::SendProvisional => (State::Proceeding, &[Action::Send]),
        Event::SendFinal => (State::Completed, FINAL),
        // "Once in the "Trying" state, any further request retransmissions are discarded."
        Event::Request | Event::TimerJ | Event::TransportError => return None,
    })
}

fn proceeding(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "If a retransmission of the request is received while in the "Proceeding" state, the
        // most recently sent provisional response MUST be passed to the transport layer for
        // retransmission."
        Event::Request => (State::Proceeding, &[Action::Send]),
        Event::SendProvisional => (State::Proceeding, &[Action::Send]),
        Event::SendFinal => (State::Completed, FINAL),
        // RFC 6026 8.8: "the server transaction SHOULD inform the TU that a failure has occurred,
        // and MUST remain in the current state."
        Event::TransportError => (State::Proceeding, &[Action::TellUnreachable]),
        Event::TimerJ => return None,
    })
}

fn completed(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "While in the "Completed" state, the server transaction MUST pass the final response
        // to the transport layer for retransmission whenever a retransmission of the request is
        // received. Any other final responses passed by the TU to the server transaction MUST be
        // discarded while in the "Completed" state."
        Event::Request => (State::Completed, &[Action::Send]),
        // "The server transaction remains in this state until Timer J fires, at which point it
        // MUST transition to the "Terminated" state."
        Event::TimerJ => (State::Terminated, &[]),
        Event::TransportError => (State::Completed, &[Action::TellUnreachable]),
        Event::SendProvisional | Event::SendFinal => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::tests::table;

    #[test]
    fn every_state_meets_every_event() {
        let states = [State::Trying, State::Proceeding, State::Completed, State::Terminated];
        let events =
            [Event::Request, Event::SendProvisional, Event::SendFinal, Event::TimerJ, Event::TransportError];
        insta::assert_snapshot!("server_other", table(&states, &events, on));
    }
}
