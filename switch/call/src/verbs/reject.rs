//! Reject and ring: what a caller is told who is not answered.

use crate::call::Call;
use crate::desk::Desk;
use crate::input::Ticket;
use crate::leg::LegState;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::leg::LegCommand;
use cordboard_model::verb::VerbAnswer;

impl Call {
    pub(super) fn verb_reject(&mut self, desk: &mut Desk, ticket: Ticket, cause: Cause) {
        match self.caller.state {
            LegState::Arrived => self.end(desk, cause, Party::Switch),
            _ => self.answer_now(desk, ticket, VerbAnswer::Failed(Cause::ProtocolError)),
        }
    }

    pub(super) fn verb_ring(&mut self, desk: &mut Desk, ticket: Ticket) {
        if self.caller.state == LegState::Arrived && !self.caller.told_ringing {
            self.caller.told_ringing = true;
            desk.leg(self.caller.id, LegCommand::Ring);
        }
        self.answer_now(desk, ticket, VerbAnswer::Done);
    }
}
