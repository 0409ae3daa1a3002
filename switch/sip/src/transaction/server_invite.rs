//! The INVITE server transaction (RFC 3261 17.2.1 with RFC 6026 8.7).
//!
//! | state | event | next | actions |
//! | --- | --- | --- | --- |
//! | Proceeding | INVITE | Proceeding | send the last response |
//! | | 1xx of ours | Proceeding | send |
//! | | 2xx of ours | Accepted | send, start L |
//! | | 300-699 of ours | Completed | send, start G and H |
//! | | transport error | Proceeding | tell: unreachable |
//! | Completed | INVITE | Completed | send the last response |
//! | | Timer G | Completed | send, restart G at twice its length, at most T2 |
//! | | Timer H | Terminated | stop G, tell: timeout |
//! | | ACK | Confirmed | stop G and H, start I |
//! | | transport error | Completed | tell: unreachable |
//! | Confirmed | Timer I | Terminated | |
//! | Accepted | 2xx of ours | Accepted | send |
//! | | ACK | Accepted | pass up |
//! | | Timer L | Terminated | |
//! | | transport error | Accepted | tell: unreachable |
//!
//! Everything else changes nothing. After a transport error the transaction stays as it is
//! (RFC 6026 8.8, which takes the place of 17.2.4).

use super::{Action, Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No final response was given.
    Proceeding,
    /// Refused; waiting for the ACK.
    Completed,
    /// The ACK came; its repetitions are absorbed.
    Confirmed,
    /// A 2xx was given; the session repeats it.
    Accepted,
    /// Nothing is left.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The INVITE came again.
    Request,
    /// Its ACK came.
    Ack,
    /// We send a provisional response.
    SendProvisional,
    /// We send a 2xx.
    SendSuccess,
    /// We send 300 to 699.
    SendFailure,
    /// Time to send the refusal again.
    TimerG,
    /// No ACK in 64*T1.
    TimerH,
    /// Repetitions of the ACK are over.
    TimerI,
    /// Repetitions of the accepted INVITE are over.
    TimerL,
    /// The transport cannot reach the peer.
    TransportError,
}

/// The next state and what to do; `None` when the event means nothing here.
pub(crate) fn on(state: State, event: Event) -> Option<(State, &'static [Action])> {
    match state {
        State::Proceeding => proceeding(event),
        State::Completed => completed(event),
        State::Confirmed => confirmed(event),
        State::Accepted => accepted(event),
        State::Terminated => None,
    }
}

fn proceeding(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "If a request retransmission is received while in the "Proceeding" state, the most
        // recent provisional response that was received from the TU MUST be passed to the
        // transport layer for retransmission."
        Event::Request => (State::Proceeding, &[Action::Send]),
        Event::SendProvisional => (State::Proceeding, &[Action::Send]),
        // RFC 6026 8.7: a 2xx leads to Accepted, with timer L of 64*T1 for all transports.
        Event::SendSuccess => (State::Accepted, &[Action::Send, Action::Start(Timer::L)]),
        // "the response MUST be passed to the transport layer for transmission, and the state
        // machine MUST enter the "Completed" state. For unreliable transports, timer G is set to
        // fire in T1 seconds ... When the "Completed" state is entered, timer H MUST be set to
        // fire in 64*T1 seconds for all transports."
        Event::SendFailure => {
            (State::Completed, &[Action::Send, Action::Start(Timer::G), Action::Start(Timer::H)])
        }
        // RFC 6026 8.8: "the server transaction SHOULD inform the TU that a failure has occurred,
        // and MUST remain in the current state."
        Event::TransportError => (State::Proceeding, &[Action::TellUnreachable]),
        Event::Ack | Event::TimerG | Event::TimerH | Event::TimerI | Event::TimerL => return None,
    })
}

fn completed(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "while in the "Completed" state, if a request retransmission is received, the server
        // SHOULD pass the response to the transport for retransmission."
        Event::Request => (State::Completed, &[Action::Send]),
        // "If timer G fires, the response is passed to the transport layer once more for
        // retransmission, and timer G is set to fire in MIN(2*T1, T2) seconds."
        Event::TimerG => (State::Completed, &[Action::Send, Action::Start(Timer::G)]),
        // "If timer H fires while in the "Completed" state, it implies that the ACK was never
        // received. In this case, the server transaction MUST transition to the "Terminated"
        // state, and MUST indicate to the TU that a transaction failure has occurred."
        Event::TimerH => (State::Terminated, &[Action::Stop(Timer::G), Action::TellTimeout]),
        // "If an ACK is received while the server transaction is in the "Completed" state, the
        // server transaction MUST transition to the "Confirmed" state."
        Event::Ack => {
            (State::Confirmed, &[Action::Stop(Timer::G), Action::Stop(Timer::H), Action::Start(Timer::I)])
        }
        Event::TransportError => (State::Completed, &[Action::TellUnreachable]),
        Event::SendProvisional | Event::SendSuccess | Event::SendFailure | Event::TimerI | Event::TimerL => {
            return None;
        }
    })
}

fn confirmed(event: Event) -> Option<(State, &'static [Action])> {
    match event {
        // "Once timer I fires, the server MUST transition to the "Terminated" state."
        Event::TimerI => Some((State::Terminated, &[])),
        Event::Request
        | Event::Ack
        | Event::SendProvisional
        | Event::SendSuccess
        | Event::SendFailure
        | Event::TimerG
        | Event::TimerH
        | Event::TimerL
        | Event::TransportError => None,
    }
}

fn accepted(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // RFC 6026 8.7: "While in the "Accepted" state, if the TU passes a 2xx response, the
        // server transaction MUST pass the response to the transport layer for transmission."
        Event::SendSuccess => (State::Accepted, &[Action::Send]),
        // RFC 6026 8.7: "If an ACK is received while the INVITE server transaction is in the
        // "Accepted" state, then the ACK must be passed up to the TU."
        Event::Ack => (State::Accepted, &[Action::PassUp]),
        // RFC 6026 8.7: "If Timer L fires while the INVITE server transaction is in the
        // "Accepted" state, the transaction MUST transition to the "Terminated" state."
        Event::TimerL => (State::Terminated, &[]),
        Event::TransportError => (State::Accepted, &[Action::TellUnreachable]),
        // "The purpose of the "Accepted" state is to absorb retransmissions of an accepted
        // INVITE request" (8.7): the session repeats its 2xx by the clock.
        Event::Request
        | Event::SendProvisional
        | Event::SendFailure
        | Event::TimerG
        | Event::TimerH
        | Event::TimerI => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::tests::table;

    #[test]
    fn every_state_meets_every_event() {
        let states =
            [State::Proceeding, State::Completed, State::Confirmed, State::Accepted, State::Terminated];
        let events = [
            Event::Request,
            Event::Ack,
            Event::SendProvisional,
            Event::SendSuccess,
            Event::SendFailure,
            Event::TimerG,
            Event::TimerH,
            Event::TimerI,
            Event::TimerL,
            Event::TransportError,
        ];
        insta::assert_snapshot!("server_invite", table(&states, &events, on));
    }
}
