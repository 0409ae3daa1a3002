//! Hang up: the flow ends the call. A caller who is not answered is refused with the cause.

use crate::call::Call;
use crate::desk::Desk;
use cordboard_model::cause::{Cause, Party};

impl Call {
    pub(super) fn verb_hang_up(&mut self, desk: &mut Desk, cause: Cause) {
        self.end(desk, cause, Party::Switch);
    }
}
