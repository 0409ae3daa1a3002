//! The engine's face: finds the call that an input is about and lets it act.

use crate::config::CallConfig;
use crate::desk::Desk;
use crate::input::{CallCommand, CallInput};
use crate::output::CallOutput;
use cordboard_model::id::{CallId, LegId, TenantId};
use cordboard_model::time::{Time, TimerReason, WallClock};
use cordboard_model::view::CallView;

/// Every call of a shard.
#[derive(Debug)]
pub struct CallEngine {
    desk: Desk,
}

impl CallEngine {
    /// An engine without calls. `wall` gives the dates of records.
    pub fn new(config: CallConfig, wall: WallClock) -> Self {
        Self {
            desk: Desk::new(config, wall),
        }
    }

    /// The wall clock moved against the monotonic clock.
    pub fn set_wall(&mut self, wall: WallClock) {
        self.desk.set_wall(wall);
    }

    /// An id for a call that comes in.
    pub fn new_call(&mut self, tenant: TenantId) -> CallId {
        self.desk.ids.call(tenant)
    }

    /// An id for its first leg.
    pub fn new_leg(&mut self, tenant: TenantId) -> LegId {
        self.desk.ids.leg(tenant)
    }

    /// Takes in what happened. Inputs about calls or legs that are gone are absorbed.
    pub fn handle_input(&mut self, _input: CallInput, now: Time) {
        self.desk.now = now;
    }

    /// Does what an operator, the API or `core` wants. Commands about calls or legs that are gone are absorbed.
    pub fn handle_command(&mut self, _command: CallCommand, now: Time) {
        self.desk.now = now;
    }

    /// Lets every deadline act that is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.desk.now = now;
    }

    /// The next thing to do. `None` until the next input.
    pub fn poll_output(&mut self) -> Option<CallOutput> {
        self.desk.out.pop_front()
    }

    /// When to call [`CallEngine::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.desk.deadlines.next()
    }

    /// One call as readers see it.
    pub fn view(&self, _call: CallId) -> Option<CallView> {
        None
    }

    /// A tenant's calls as readers see them, in the order they came.
    pub fn calls(&self, _tenant: TenantId) -> Vec<CallView> {
        Vec::new()
    }

    /// The call that a leg belongs to.
    pub fn call_of(&self, leg: LegId) -> Option<CallId> {
        self.desk.legs.get(&leg).copied()
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no call, leg, playback, recording or deadline is left.
    pub fn is_quiescent(&self) -> bool {
        self.desk.legs.is_empty()
            && self.desk.recordings.is_empty()
            && self.desk.deadlines.is_empty()
    }
}
