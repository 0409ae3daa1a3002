//! Play: a list to its end, or to the first key. A key typed ahead skips it.

use crate::call::Call;
use crate::desk::Desk;
use crate::flow::StepKind;
use crate::input::Ticket;
use crate::leg::Heard;
use cordboard_model::cause::Cause;
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::verb::VerbAnswer;

impl Call {
    pub(super) fn verb_play(
        &mut self,
        desk: &mut Desk,
        ticket: Ticket,
        items: Vec<PlayItem>,
        barge_in: bool,
    ) {
        let typed = self.digits.front().copied().filter(|_| barge_in);
        if typed.is_some() || items.is_empty() {
            return self.answer_now(desk, ticket, VerbAnswer::Played { key: typed });
        }
        self.open_ear(desk);
        self.begin_step(ticket, StepKind::Play { barge_in });
        if !self.play(desk, self.caller.id, Heard::Step, items, Repeat::Once) {
            self.finish_step(desk, VerbAnswer::Failed(Cause::InternalError));
        }
    }

    /// The list ended by itself; not finished means that something of it does not exist.
    pub(crate) fn play_done(&mut self, desk: &mut Desk, finished: bool) {
        let answer = match finished {
            true => VerbAnswer::Played { key: None },
            false => VerbAnswer::Failed(Cause::NotFound),
        };
        self.finish_step(desk, answer);
    }

    /// A key ended it. The key stays in the buffer.
    pub(crate) fn play_cut(&mut self, desk: &mut Desk, digit: char) {
        self.stop_play(desk, self.caller.id);
        self.finish_step(desk, VerbAnswer::Played { key: Some(digit) });
    }
}
