//! A planned stop: what is new is refused, what is up goes on for a while, and what is left then is ended.
//!
//! Invariant: once a stop has begun no call is taken, and there is a moment at which the last one is ended. Everything
//! else works until then: requests in calls, offers to agents, registrations, trunks.

use crate::shard::Shard;
use cordboard_call::CallCommand;
use cordboard_model::cause::Cause;
use cordboard_model::event::EventKind;
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_sip::engine::{IncomingCall, SipCommand};

/// How far a stop is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nobody asked for one.
    #[default]
    No,
    /// Calls that are up go on until then.
    Drains(Time),
    /// They are ended.
    Ends,
}

impl Stop {
    /// Whether nothing is begun that would outlast it.
    pub(crate) fn is_ending(self) -> bool {
        self == Stop::Ends
    }

    /// When the calls that are left are ended.
    pub(crate) fn poll_timeout(self) -> Option<(Time, TimerReason)> {
        match self {
            Stop::Drains(until) => Some((until, TimerReason("stop"))),
            Stop::No | Stop::Ends => None,
        }
    }
}

impl Shard {
    /// Takes no new calls from now on, and ends those that are up: at once, or when `limits.drain` is over.
    pub(crate) fn begin_stop(&mut self, end: bool) {
        let drain = self.snapshot.limits.drain;
        if self.stop == Stop::No {
            self.stop = Stop::Drains(self.now + drain);
            self.sip.handle_command(SipCommand::Drain, self.now);
            self.mind_lines();
            if !end && !drain.is_zero() {
                self.tell_stop(drain);
            }
        }
        if end || drain.is_zero() {
            self.end_calls();
        }
    }

    /// Ends what is left of a stop whose time is over.
    pub(crate) fn stop_due(&mut self) {
        if matches!(self.stop, Stop::Drains(until) if until <= self.now) {
            self.end_calls();
        }
    }

    fn end_calls(&mut self) {
        self.stop = Stop::Ends;
        self.calls.handle_command(CallCommand::HangUpAll(Cause::Shutdown), self.now);
    }

    /// Agents and operators hear of it in the stream of their tenant.
    fn tell_stop(&mut self, drain: Duration) {
        let tenants: Vec<_> = self.snapshot.tenants.keys().copied().collect();
        for tenant in tenants {
            let up = self.calls.calls(tenant).len();
            let text = format!(
                "the switch stops: new calls are refused, {up} that are up may go on for {} s at most",
                drain.as_secs_f64().ceil()
            );
            self.event(tenant, EventKind::Alarm { code: "stopping".into(), text });
        }
    }

    /// Whether a stop keeps this call out. One that takes the place of a call that is up belongs to that.
    pub(crate) fn stop_refuses(&mut self, incoming: &IncomingCall) -> bool {
        let refused = match self.stop {
            Stop::No => false,
            Stop::Drains(_) => incoming.replaces.is_none(),
            Stop::Ends => true,
        };
        if refused && incoming.urgent {
            let number = &incoming.to.user;
            let text = format!("an emergency call to {number} is refused, for the switch stops");
            self.event(incoming.tenant, EventKind::Alarm { code: "emergency_call".into(), text });
        }
        refused
    }

    /// Whether no call is up and every record is on its way: a stop need not wait any longer.
    pub fn is_drained(&self) -> bool {
        let calls = self.calls.is_quiescent() && self.lines.is_empty();
        calls && self.gate.is_empty() && self.goodbyes.is_empty()
    }
}
