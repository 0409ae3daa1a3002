//! Answer: the flow goes on when the caller is answered; at once if he is.

use crate::call::Call;
use crate::desk::Desk;
use crate::flow::StepKind;
use crate::input::Ticket;
use cordboard_model::verb::VerbAnswer;

impl Call {
    pub(super) fn verb_answer(&mut self, desk: &mut Desk, ticket: Ticket) {
        if self.caller_is_up() {
            self.answer_now(desk, ticket, VerbAnswer::Done);
        } else {
            self.begin_step(ticket, StepKind::Answer);
            self.answer_caller(desk);
        }
    }
}
