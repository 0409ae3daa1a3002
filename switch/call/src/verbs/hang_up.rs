//! Hang up: the flow ends the call. A caller who is not answered is refused with the cause.

use crate::call::Call;
use crate::desk::Desk;
use crate::side::Side;
use cordboard_model::cause::{Cause, Party};

impl Call {
    pub(super) fn verb_hang_up(&mut self, desk: &mut Desk, cause: Cause) {
        let left = self.flow.as_ref().is_some_and(|flow| flow.left || flow.side == Some(Side::Survey));
        let by = if left && cause == Cause::Normal { Party::Callee } else { Party::Switch };
        self.end(desk, cause, by);
    }
}
