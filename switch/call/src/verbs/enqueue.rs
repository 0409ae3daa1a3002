//! Enqueue: the step lasts until the wait ends without an agent or by a key; with an agent, until the end of the call.

use crate::call::Call;
use crate::desk::Desk;
use crate::flow::StepKind;
use crate::input::Ticket;
use cordboard_model::id::QueueId;

impl Call {
    pub(super) fn verb_enqueue(
        &mut self,
        desk: &mut Desk,
        ticket: Ticket,
        queue: (QueueId, String),
        timeout_ms: Option<u32>,
        priority: u8,
    ) {
        self.begin_step(ticket, StepKind::Enqueue);
        self.enqueue_until_key(desk, queue, timeout_ms, priority);
    }
}
