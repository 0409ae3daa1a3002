//! Wait: time passes. Keys that are pressed meanwhile are kept.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::input::Ticket;
use cordboard_model::time::Duration;

impl Call {
    pub(super) fn verb_wait(&mut self, desk: &mut Desk, ticket: Ticket, ms: u32) {
        self.begin_step(ticket, StepKind::Wait);
        desk.set(Timer::Step(self.id), Duration::from_millis(ms.into()));
    }
}
