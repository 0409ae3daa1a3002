//! What a call wants done waits here until the journal has the record that must come before it.
//!
//! Invariant: for one call, what was held comes out in the order it went in, before anything newer.

use cordboard_call::CallOutput;
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::CallId;
use cordboard_model::time::{Duration, Time, TimerReason};
use std::collections::{BTreeMap, VecDeque};

/// What holds a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// For its opening record: only the answer must wait.
    Opening(u64),
    /// For its opening record, with the answer among what is held.
    Answer(u64),
    /// For another record that it must not speak of before.
    Record(u64),
    /// For its closing record.
    Closing(u64),
}

/// One call's held outputs.
#[derive(Debug)]
struct Held {
    waiting: Waiting,
    outputs: VecDeque<CallOutput>,
}

/// All calls that wait for the journal.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    next_ticket: u64,
    calls: BTreeMap<CallId, Held>,
    by_ticket: BTreeMap<u64, CallId>,
    deadlines: Deadlines<u64>,
}

const LATE: TimerReason = TimerReason("journal late");

impl Gate {
    fn ticket(&mut self, call: CallId, now: Time, wait: Duration) -> u64 {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        self.by_ticket.insert(ticket, call);
        self.deadlines.set(ticket, now + wait, LATE);
        ticket
    }

    /// The call's opening record is being written; its answer must wait for it.
    pub(crate) fn opening(&mut self, call: CallId, now: Time, wait: Duration) -> u64 {
        let ticket = self.ticket(call, now, wait);
        let held = Held { waiting: Waiting::Opening(ticket), outputs: VecDeque::new() };
        self.calls.insert(call, held);
        ticket
    }

    /// A record is being written that the call must not speak of before: all that follows must wait for it.
    pub(crate) fn keeping(&mut self, call: CallId, now: Time, wait: Duration) -> u64 {
        let ticket = self.ticket(call, now, wait);
        let waiting = Waiting::Record(ticket);
        match self.calls.get_mut(&call) {
            Some(Held { waiting: Waiting::Closing(_), .. }) => {}
            // records are written in their order: it comes after the one that was waited for
            Some(held) => held.waiting = waiting,
            None => {
                self.calls.insert(call, Held { waiting, outputs: VecDeque::new() });
            }
        }
        ticket
    }

    /// The call's closing record is being written; all that follows must wait for it.
    pub(crate) fn closing(&mut self, call: CallId, now: Time, wait: Duration) -> u64 {
        let ticket = self.ticket(call, now, wait);
        let waiting = Waiting::Closing(ticket);
        match self.calls.get_mut(&call) {
            Some(held) => held.waiting = waiting,
            None => {
                self.calls.insert(call, Held { waiting, outputs: VecDeque::new() });
            }
        }
        ticket
    }

    /// Gives `output` back if it may be done now, or keeps it.
    pub(crate) fn pass(&mut self, call: CallId, output: CallOutput, is_answer: bool) -> Option<CallOutput> {
        let Some(held) = self.calls.get_mut(&call) else {
            return Some(output);
        };
        match held.waiting {
            Waiting::Opening(ticket) if is_answer => held.waiting = Waiting::Answer(ticket),
            Waiting::Opening(_) => return Some(output),
            Waiting::Answer(_) | Waiting::Record(_) | Waiting::Closing(_) => {}
        }
        held.outputs.push_back(output);
        None
    }

    /// The record of `ticket` is written, or is not waited for any longer: the call, if it was its closing record, and
    /// what may be done now.
    pub(crate) fn release(&mut self, ticket: u64) -> (Option<CallId>, VecDeque<CallOutput>) {
        self.deadlines.clear(&ticket);
        let Some(call) = self.by_ticket.remove(&ticket) else {
            return (None, VecDeque::new());
        };
        let waiting = self.calls.get(&call).map(|held| held.waiting);
        let closed = match waiting {
            Some(Waiting::Closing(t)) if t == ticket => Some(call),
            Some(Waiting::Opening(t) | Waiting::Answer(t) | Waiting::Record(t)) if t == ticket => None,
            _ => return (None, VecDeque::new()),
        };
        (closed, self.calls.remove(&call).map(|held| held.outputs).unwrap_or_default())
    }

    /// A ticket whose record is late at `now`.
    pub(crate) fn pop_late(&mut self, now: Time) -> Option<u64> {
        self.deadlines.pop_due(now)
    }

    /// When the next record is late.
    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.deadlines.next()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.by_ticket.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};
    use cordboard_model::leg::LegCommand;

    const WAIT: Duration = Duration::from_millis(50);

    fn ids() -> (CallId, CallOutput, CallOutput) {
        let mut ids = IdMaker::new(1, 0);
        let call = ids.call(TenantId::DEFAULT);
        let leg = ids.leg(TenantId::DEFAULT);
        (call, CallOutput::Leg(leg, LegCommand::Ring), CallOutput::Leg(leg, LegCommand::Answer))
    }

    #[test]
    fn an_answer_waits_for_the_opening_record_and_what_follows_waits_behind_it() {
        let (call, ring, answer) = ids();
        let mut gate = Gate::default();
        let ticket = gate.opening(call, Time::ZERO, WAIT);
        assert!(gate.pass(call, ring.clone(), false).is_some());
        assert!(gate.pass(call, answer.clone(), true).is_none());
        assert!(gate.pass(call, ring.clone(), false).is_none());
        assert_eq!(gate.release(ticket), (None, [answer, ring].into()));
        assert!(gate.is_empty());
    }

    #[test]
    fn a_closing_record_overtakes_a_late_opening_one_and_keeps_the_order() {
        let (call, ring, answer) = ids();
        let mut gate = Gate::default();
        let opening = gate.opening(call, Time::ZERO, WAIT);
        assert!(gate.pass(call, answer.clone(), true).is_none());
        let closing = gate.closing(call, Time::from_millis(1), WAIT);
        assert!(gate.pass(call, ring.clone(), false).is_none());
        assert_eq!(gate.release(opening), (None, VecDeque::new()));
        assert_eq!(gate.release(closing), (Some(call), [answer, ring].into()));
        assert!(gate.is_empty());
    }

    #[test]
    fn what_a_call_says_of_a_record_waits_for_it_and_the_answer_does_too() {
        let (call, ring, answer) = ids();
        let mut gate = Gate::default();
        let opening = gate.opening(call, Time::ZERO, WAIT);
        let record = gate.keeping(call, Time::ZERO, WAIT);
        assert!(gate.pass(call, ring.clone(), false).is_none());
        assert!(gate.pass(call, answer.clone(), true).is_none());
        assert_eq!(gate.release(opening), (None, VecDeque::new()));
        assert_eq!(gate.release(record), (None, [ring.clone(), answer].into()));
        let closing = gate.closing(call, Time::ZERO, WAIT);
        let late = gate.keeping(call, Time::ZERO, WAIT);
        assert!(gate.pass(call, ring.clone(), false).is_none());
        assert_eq!(gate.release(late), (None, VecDeque::new()));
        assert_eq!(gate.release(closing), (Some(call), [ring].into()));
        assert!(gate.is_empty());
    }

    #[test]
    fn a_record_is_late_after_its_wait() {
        let (call, ..) = ids();
        let mut gate = Gate::default();
        let ticket = gate.opening(call, Time::ZERO, WAIT);
        assert_eq!(gate.pop_late(Time::from_millis(49)), None);
        assert_eq!(gate.pop_late(Time::from_millis(50)), Some(ticket));
    }
}
