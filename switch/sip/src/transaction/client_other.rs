//! The non-INVITE client transaction (RFC 3261 17.1.2).
//!
//! | state | event | next | actions |
//! | --- | --- | --- | --- |
//! | Trying | Timer E | Trying | send, restart E at twice its length, at most T2 |
//! | | Timer F | Terminated | stop E, tell: timeout |
//! | | transport error | Terminated | stop E and F, tell: unreachable |
//! | | 1xx | Proceeding | pass up |
//! | | 200-699 | Completed | stop E and F, pass up, start K |
//! | Proceeding | Timer E | Proceeding | send, restart E at T2 |
//! | | Timer F | Terminated | stop E, tell: timeout |
//! | | transport error | Terminated | stop E and F, tell: unreachable |
//! | | 1xx | Proceeding | pass up |
//! | | 200-699 | Completed | stop E and F, pass up, start K |
//! | Completed | Timer K | Terminated | |
//!
//! Everything else changes nothing.

use super::{Action, Timer};

/// Where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The request was sent, nothing came.
    Trying,
    /// A provisional response came; requests are repeated at T2.
    Proceeding,
    /// The final response came; its repetitions are absorbed.
    Completed,
    /// Nothing is left.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Time to send again.
    TimerE,
    /// No final response in 64*T1.
    TimerF,
    /// Repetitions are over.
    TimerK,
    /// 1xx.
    Provisional,
    /// 200 to 699.
    Final,
    /// The transport cannot reach the peer.
    TransportError,
}

/// On entering Trying: "When entering this state, the client transaction SHOULD set timer F to
/// fire in 64*T1 seconds ... If an unreliable transport is in use, the client transaction MUST
/// set timer E to fire in T1 seconds" (17.1.2.2).
pub(crate) const BEGIN: &[Action] = &[Action::Send, Action::Start(Timer::E), Action::Start(Timer::F)];

const DONE: &[Action] =
    &[Action::Stop(Timer::E), Action::Stop(Timer::F), Action::PassUp, Action::Start(Timer::K)];
const TIMED_OUT: &[Action] = &[Action::Stop(Timer::E), Action::TellTimeout];
const UNREACHABLE: &[Action] = &[Action::Stop(Timer::E), Action::Stop(Timer::F), Action::TellUnreachable];

/// The next state and what to do; `None` when the event means nothing here.
pub(crate) fn on(state: State, event: Event) -> Option<(State, &'static [Action])> {
    match state {
        State::Trying => trying(event),
        State::Proceeding => proceeding(event),
        State::Completed => completed(event),
        State::Terminated => None,
    }
}

fn trying(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "If timer E fires while still in this state, the timer is reset, but this time with a
        // value of MIN(2*T1, T2)."
        Event::TimerE => (State::Trying, &[Action::Send, Action::Start(Timer::E)]),
        // "If Timer F fires while the client transaction is still in the "Trying" state, the
        // client transaction SHOULD inform the TU about the timeout"
        Event::TimerF => (State::Terminated, TIMED_OUT),
        Event::TransportError => (State::Terminated, UNREACHABLE),
        // "If a provisional response is received while in the "Trying" state, the response MUST
        // be passed to the TU"
        Event::Provisional => (State::Proceeding, &[Action::PassUp]),
        // "If a final response (status codes 200-699) is received while in the "Trying" state,
        // the response MUST be passed to the TU, and the client transaction MUST transition to
        // the "Completed" state."
        Event::Final => (State::Completed, DONE),
        Event::TimerK => return None,
    })
}

fn proceeding(event: Event) -> Option<(State, &'static [Action])> {
    Some(match event {
        // "If Timer E fires while in the "Proceeding" state, the request MUST be passed to the
        // transport layer for retransmission, and Timer E MUST be reset with a value of T2
        // seconds."
        Event::TimerE => (State::Proceeding, &[Action::Send, Action::StartAtT2(Timer::E)]),
        // "If timer F fires while in the "Proceeding" state, the TU MUST be informed of a
        // timeout, and the client transaction MUST transition to the terminated state."
        Event::TimerF => (State::Terminated, TIMED_OUT),
        Event::TransportError => (State::Terminated, UNREACHABLE),
        Event::Provisional => (State::Proceeding, &[Action::PassUp]),
        // "the response MUST be passed to the TU, and the client transaction MUST transition to
        // the "Completed" state."
        Event::Final => (State::Completed, DONE),
        Event::TimerK => return None,
    })
}

fn completed(event: Event) -> Option<(State, &'static [Action])> {
    match event {
        // "If Timer K fires while in this state, the client transaction MUST transition to the
        // "Terminated" state."
        Event::TimerK => Some((State::Terminated, &[])),
        Event::TimerE | Event::TimerF | Event::Provisional | Event::Final | Event::TransportError => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::tests::table;

    #[test]
    fn every_state_meets_every_event() {
        let states = [State::Trying, State::Proceeding, State::Completed, State::Terminated];
        let events = [
            Event::TimerE,
            Event::TimerF,
            Event::TimerK,
            Event::Provisional,
            Event::Final,
            Event::TransportError,
        ];
        insta::assert_snapshot!("client_other", table(&states, &events, on));
    }
}
