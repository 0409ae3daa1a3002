//! The engine. (The surface; the machine behind it follows.)

use crate::error::FlowError;
use crate::io::{FlowCommand, FlowInput, FlowOutput, FlowRecord};
use cordboard_model::id::CallId;
use cordboard_model::time::{Time, TimerReason};
use std::collections::VecDeque;

/// Runs flows. Not `Send`: it is made and kept on the thread of its shard.
pub struct FlowEngine {
    outputs: VecDeque<FlowOutput>,
}

impl FlowEngine {
    /// An engine without flows. The seed feeds `math.random` of every call.
    pub fn new(_seed: [u8; 32]) -> Self {
        Self {
            outputs: VecDeque::new(),
        }
    }

    /// Obeys a command. Only `Configure` can fail; the errors are all there are.
    pub fn handle_command(
        &mut self,
        _command: FlowCommand<'_>,
        _now: Time,
    ) -> Result<(), Vec<FlowError>> {
        Ok(())
    }

    /// Takes an answer and runs the flow to its next verb.
    pub fn handle_input(&mut self, _input: FlowInput, _now: Time) {}

    /// Ends the flows whose time is up.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// The next thing to do or to tell.
    pub fn poll_output(&mut self) -> Option<FlowOutput> {
        self.outputs.pop_front()
    }

    /// When the engine wants to be woken. O(1).
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        None
    }

    /// From what the coroutine of a call can be rebuilt; `None` if there is none, or if it was given
    /// more answers than are kept.
    pub fn record(&self, _call: CallId) -> Option<FlowRecord> {
        None
    }

    /// Rebuilds a coroutine by replaying its answers; the verb it then waits for is put out again.
    pub fn rebuild(&mut self, _record: FlowRecord, _now: Time) -> Result<(), FlowError> {
        Ok(())
    }

    /// How many coroutines are alive.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether no coroutine is alive.
    pub fn is_empty(&self) -> bool {
        true
    }
}

/// Checks a flow's text without running it: Lua syntax, and verbs that `call` does not have.
pub fn check(_source: &str, _file: &str) -> Result<(), Vec<FlowError>> {
    Ok(())
}
