//! Callers whom their agents send aside to a flow; the data of calls.

use crate::shard::Shard;
use cordboard_call::{DataRefusal, RoomRefusal};
use cordboard_model::id::{CallId, FlowId};
use cordboard_model::time::Time;
use serde_json::Value;
use std::collections::BTreeMap;

impl Shard {
    /// Whether there is such a flow.
    pub fn has_flow(&self, flow: &FlowId) -> bool {
        self.snapshot.flow(flow).is_some()
    }

    /// Sends the caller of an agent aside to a flow, and back to the agent after it.
    ///
    /// # Errors
    /// If the call is not an agent and his caller who talk.
    pub fn send_aside(
        &mut self,
        call: CallId,
        flow: FlowId,
        data: BTreeMap<String, Value>,
        now: Time,
    ) -> Result<(), RoomRefusal> {
        self.now = now.max(self.now);
        self.in_hand = Some(call);
        let answer = self.calls.send_aside(call, flow, data, self.now);
        self.settle();
        answer
    }

    /// Takes him back before the flow is over.
    ///
    /// # Errors
    /// If nobody was sent aside.
    pub fn take_back(&mut self, call: CallId, now: Time) -> Result<(), RoomRefusal> {
        self.now = now.max(self.now);
        self.in_hand = Some(call);
        let answer = self.calls.take_back(call, self.now);
        self.settle();
        answer
    }

    /// Changes entries of a call's data, all of them or none; an empty value removes one.
    ///
    /// # Errors
    /// There is no such call, or a limit is in the way.
    pub fn change_data(
        &mut self,
        call: CallId,
        entries: Vec<(String, Value)>,
        now: Time,
    ) -> Result<(), DataRefusal> {
        self.now = now.max(self.now);
        self.in_hand = Some(call);
        let answer = self.calls.change_data(call, entries, self.now);
        self.settle();
        answer
    }
}
