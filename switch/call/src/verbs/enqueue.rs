//! Enqueue: the step lasts until the wait ends without an agent or by a key; with an agent, until the end of the call.

use crate::call::Call;
use crate::desk::Desk;
use crate::flow::StepKind;
use crate::input::Ticket;
use crate::queue::Wait;

impl Call {
    pub(super) fn verb_enqueue(&mut self, desk: &mut Desk, ticket: Ticket, wait: Wait) {
        self.begin_step(ticket, StepKind::Enqueue);
        self.wait_in(desk, wait);
    }
}
