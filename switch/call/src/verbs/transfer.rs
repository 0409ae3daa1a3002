//! Transfer: a device rings while the flow waits, and the flow ends when it answers. Another flow or a
//! queue takes the call at once, so the flow ends at once.

use crate::call::Call;
use crate::desk::Desk;
use crate::flow::StepKind;
use crate::input::Ticket;
use cordboard_model::verb::Destination;

impl Call {
    pub(super) fn verb_transfer(&mut self, desk: &mut Desk, ticket: Ticket, to: Destination) {
        match to {
            Destination::Flow(_) | Destination::Queue(_) => self.stop_flow(desk, false),
            Destination::Agent(_) | Destination::User(_) | Destination::Trunk(..) => {
                self.begin_step(ticket, StepKind::Transfer);
            }
        }
        self.go(desk, to);
    }
}
