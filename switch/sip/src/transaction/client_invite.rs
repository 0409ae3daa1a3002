//! The INVITE client transaction (RFC 3261 17.1.1 with RFC 6026 8.4).
//!
//! | state | event | next | actions |
//! | --- | --- | --- | --- |
//! | Calling | Timer A | Calling | send, restart A at twice its length |
//! | | Timer B | Terminated | tell: timeout |
//! | | transport error | Terminated | tell: unreachable |
//! | | 1xx | Proceeding | stop A and B, pass up |
//! | | 2xx | Accepted | stop A and B, pass up, start M |
//! | | 300-699 | Completed | stop A and B, ACK, pass up, start D |
//! | Proceeding | 1xx | Proceeding | pass up |
//! | | 2xx | Accepted | stop the wait, pass up, start M |
//! | | 300-699 | Completed | stop the wait, ACK, pass up, start D |
//! | | wait after CANCEL over | Terminated | tell: timeout |
//! | | transport error | Terminated | tell: unreachable |
//! | Completed | 300-699 | Completed | ACK |
//! | | Timer D | Terminated | |
//! | | transport error | Terminated | tell: unreachable |
//! | Accepted | 2xx | Accepted | pass up |
//! | | Timer M | Terminated | |
//!
//! Everything else changes nothing. What the actions do stands in `run.rs`, how long the timers are in `timer.rs`.

use super::{Action, Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The INVITE was sent, nothing came.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A refusal came; its repetitions get the ACK again.
    Completed,
    /// A 2xx came; further ones, of other branches of a fork too, go up.
    Accepted,
    /// Nothing is left.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Time to send again.
    TimerA,
    /// Nothing came in 64*T1.
    TimerB,
    /// Repetitions of the refusal are over.
    TimerD,
    /// Further 2xx are over.
    TimerM,
    /// No final response in 64*T1 after our CANCEL (RFC 3261 9.1).
    CancelOver,
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 300 to 699.
    Failure,
    /// The transport cannot reach the peer.
    TransportError,
}

/// On entering Calling. "If an unreliable transport is being used, the client transaction MUST
/// start timer A with a value of T1 ... For any transport, the client transaction MUST start
/// timer B with a value of 64*T1 seconds" (17.1.1.2). A is not started over a reliable one.
pub(crate) const BEGIN: &[Action] = &[Action::Send, Action::Start(Timer::A), Action::Start(Timer::B)];

const FAILED: &[Action] = &[
    Action::Stop(Timer::A),
    Action::Stop(Timer::B),
    Action::Stop(Timer::CancelOver),
    Action::Ack,
    Action::PassUp,
    Action::Start(Timer::D),
];
const ACCEPTED: &[Action] = &[
    Action::Stop(Timer::A),
    Action::Stop(Timer::B),
    Action::Stop(Timer::CancelOver),
    Action::PassUp,
    Action::Start(Timer::M),
];

/// The next state and what to do; `None` when the event means nothing here.
pub(crate) fn on(state: State, event: Event) -> Option<(State, &'static [Action])> {
    match state {
        State::Calling => calling(event),
        State::Proceeding => proceeding(event),
        State::Completed => completed(event),
        State::Accepted => accepted(event),
        State::Terminated => None,
    }
}

fn calling(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "When timer A fires, the client transaction MUST retransmit the request by passing it
        // to the transport layer, and MUST reset the timer with a value of 2*T1."
        Event::TimerA => (State::Calling, &[Action::Send, Action::Start(Timer::A)]),
        // "If the client transaction is still in the "Calling" state when timer B fires, the
        // client transaction SHOULD inform the TU that a timeout has occurred. The client
        // transaction MUST NOT generate an ACK."
        Event::TimerB => (
            State::Terminated,
            &[Action::Stop(Timer::A), Action::Stop(Timer::CancelOver), Action::TellTimeout],
        ),
        Event::TransportError => (State::Terminated, UNREACHABLE),
        // "the client transaction SHOULD NOT retransmit the request any longer. Furthermore, the
        // provisional response MUST be passed to the TU."
        Event::Provisional => {
            (State::Proceeding, &[Action::Stop(Timer::A), Action::Stop(Timer::B), Action::PassUp])
        }
        Event::Success => (State::Accepted, ACCEPTED),
        Event::Failure => (State::Completed, FAILED),
        Event::CancelOver | Event::TimerD | Event::TimerM => return None,
    })
}

fn proceeding(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "Any further provisional responses MUST be passed up to the TU while in the
        // "Proceeding" state."
        Event::Provisional => (State::Proceeding, &[Action::PassUp]),
        // RFC 6026 8.4: a 2xx leads to Accepted, not to the end as RFC 3261 had it, and timer M
        // of 64*T1 "reflects the amount of time that the transaction user will wait for such
        // messages".
        Event::Success => (State::Accepted, ACCEPTED),
        // "reception of a response with status code from 300-699 MUST cause the client
        // transaction to transition to "Completed". The client transaction MUST pass the
        // received response up to the TU, and the client transaction MUST generate an ACK
        // request"
        Event::Failure => (State::Completed, FAILED),
        // 9.1: "If there is no final response for the original request in 64*T1 seconds ... the
        // client SHOULD then consider the original transaction cancelled and SHOULD destroy the
        // client transaction handling the original request."
        Event::CancelOver => (State::Terminated, &[Action::TellTimeout]),
        Event::TransportError => (State::Terminated, UNREACHABLE),
        Event::TimerA | Event::TimerB | Event::TimerD | Event::TimerM => return None,
    })
}

fn completed(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "Any retransmissions of the final response that are received while in the "Completed"
        // state MUST cause the ACK to be re-passed to the transport layer for retransmission,
        // but the newly received response MUST NOT be passed up to the TU."
        Event::Failure => (State::Completed, &[Action::Ack]),
        // "If timer D fires while the client transaction is in the "Completed" state, the client
        // transaction MUST move to the terminated state."
        Event::TimerD => (State::Terminated, &[]),
        Event::TransportError => (State::Terminated, &[Action::Stop(Timer::D), Action::TellUnreachable]),
        Event::TimerA
        | Event::TimerB
        | Event::TimerM
        | Event::CancelOver
        | Event::Provisional
        | Event::Success => return None,
    })
}

fn accepted(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // RFC 6026 8.4: "Any 2xx responses that match this client transaction and that are
        // received while in the "Accepted" state MUST be passed up to the TU. The client
        // transaction MUST NOT generate an ACK to the 2xx response."
        Event::Success => (State::Accepted, &[Action::PassUp]),
        // RFC 6026 8.4: timer M ends the wait.
        Event::TimerM => (State::Terminated, &[]),
        Event::TimerA
        | Event::TimerB
        | Event::TimerD
        | Event::CancelOver
        | Event::Provisional
        | Event::Failure
        | Event::TransportError => return None,
    })
}

const UNREACHABLE: &[Action] = &[
    Action::Stop(Timer::A),
    Action::Stop(Timer::B),
    Action::Stop(Timer::CancelOver),
    Action::TellUnreachable,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::tests::table;

    #[test]
    fn every_state_meets_every_event() {
        let states =
            [State::Calling, State::Proceeding, State::Completed, State::Accepted, State::Terminated];
        let events = [
            Event::TimerA,
            Event::TimerB,
            Event::TimerD,
            Event::TimerM,
            Event::CancelOver,
            Event::Provisional,
            Event::Success,
            Event::Failure,
            Event::TransportError,
        ];
        insta::assert_snapshot!("client_invite", table(&states, &events, on));
    }
}
