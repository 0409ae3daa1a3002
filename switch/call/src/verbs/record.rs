//! Record: begin, end, pause or resume, at once.

use crate::call::Call;
use crate::desk::Desk;
use crate::input::Ticket;
use crate::record::{RecordAsked, RecordRefusal};
use cordboard_model::cause::Cause;
use cordboard_model::verb::{RECORD_WHY_MAX, RecordAct, VerbAnswer};

impl Call {
    pub(super) fn verb_record(&mut self, desk: &mut Desk, ticket: Ticket, act: RecordAct, why: String) {
        if why.len() > RECORD_WHY_MAX {
            return self.answer_now(desk, ticket, VerbAnswer::Limit("reason".into()));
        }
        let flow = self.flow.as_ref().map(|flow| flow.id.name.as_str()).unwrap_or_default();
        let by = format!("flow {flow}");
        let answer = match self.record(desk, RecordAsked { act, by, why }) {
            Ok(()) => VerbAnswer::Done,
            Err(RecordRefusal::Limit) => VerbAnswer::Limit("recordings".into()),
            Err(RecordRefusal::Forbidden) => VerbAnswer::Failed(Cause::Forbidden),
            Err(RecordRefusal::NotFound | RecordRefusal::Nobody) => VerbAnswer::Failed(Cause::NotFound),
        };
        self.answer_now(desk, ticket, answer);
    }
}
