//! Log: a line of the flow's in the call's events.

use crate::call::Call;
use crate::desk::Desk;
use crate::input::Ticket;
use cordboard_model::event::EventKind;
use cordboard_model::verb::VerbAnswer;

/// Most bytes of a line that are kept.
const TEXT_MAX: usize = 1_024;

impl Call {
    pub(super) fn verb_log(&mut self, desk: &mut Desk, ticket: Ticket, mut text: String) {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
        let call = self.id;
        desk.event(self.tenant(), EventKind::FlowLog { call, text });
        self.answer_now(desk, ticket, VerbAnswer::Done);
    }
}
