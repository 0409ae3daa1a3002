//! Dial: a device rings for as long as the flow says, and the flow ends when it answers.

use crate::call::{Call, Doing};
use crate::connect::Connect;
use crate::desk::Desk;
use crate::flow::StepKind;
use crate::input::Ticket;
use cordboard_model::cause::Cause;
use cordboard_model::time::Duration;
use cordboard_model::verb::{Destination, VerbAnswer};

impl Call {
    pub(super) fn verb_dial(
        &mut self,
        desk: &mut Desk,
        ticket: Ticket,
        to: Destination,
        timeout_ms: Option<u32>,
    ) {
        let ring = timeout_ms.map_or(desk.limits.ring, |ms| Duration::from_millis(ms.into()));
        let from = self.caller.party.clone();
        self.begin_step(ticket, StepKind::Transfer);
        match self.ring_device_for(desk, to, from, ring) {
            Some((leg, agent)) => self.doing = Doing::Connect(Connect { leg, agent, heard_early: false }),
            // Flows and queues are not rung; a flow cannot ask for it.
            None => self.finish_step(desk, VerbAnswer::Failed(Cause::NotFound)),
        }
    }
}
