//! First: a key, a time or word from outside, whichever comes first, with music or silence until then.
//!
//! Invariant: it is answered once; what comes after that is nobody's. Whoever waits for the word from outside learns from
//! the answer that it is not wanted any more.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::input::Ticket;
use crate::leg::Heard;
use cordboard_model::media::Repeat;
use cordboard_model::time::Duration;
use cordboard_model::verb::{First, FirstEnd, VerbAnswer};

impl Call {
    pub(super) fn verb_first(&mut self, desk: &mut Desk, ticket: Ticket, first: First) {
        let typed = self.digits.front().copied().filter(|_| first.key);
        if let Some(key) = typed {
            return self.answer_now(desk, ticket, VerbAnswer::First(FirstEnd::Key(key)));
        }
        self.begin_step(ticket, StepKind::First { key: first.key });
        if let Some(ms) = first.ms {
            desk.set(Timer::Step(self.id), Duration::from_millis(ms.into()));
        }
        if !first.music.is_empty() {
            self.open_ear(desk);
            self.play(desk, self.caller.id, Heard::Music, first.music, Repeat::Forever);
        }
    }

    /// One of them came.
    pub(crate) fn first_came(&mut self, desk: &mut Desk, answer: VerbAnswer) {
        self.stop_play(desk, self.caller.id);
        self.finish_step(desk, answer);
    }

    /// Word from outside for a step that waits for it.
    pub(crate) fn on_answered(&mut self, desk: &mut Desk, ticket: Ticket, answer: VerbAnswer) {
        let step = self.flow.as_ref().and_then(|flow| flow.step.as_ref());
        let waits =
            step.is_some_and(|step| step.ticket == ticket && matches!(step.kind, StepKind::First { .. }));
        if waits {
            self.first_came(desk, answer);
        }
    }
}
