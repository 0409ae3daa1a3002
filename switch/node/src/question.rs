//! Questions for the signalling thread, and commands whose refusal matters: put there, answered when all that they led to is done.

use crate::shard::Order;
use cordboard_core::Shard;

/// One of them, on its way to the signalling thread.
pub trait Asked: Send {
    /// Asks the shard; once.
    fn put(&mut self, shard: &mut Shard);
    /// Tells who asked. He hears nothing of what the shard did not survive.
    fn tell(self: Box<Self>);
}

struct Asking<Q, T, A> {
    question: Option<Q>,
    answer: Option<A>,
    tell: T,
}

impl<Q, T, A> Asked for Asking<Q, T, A>
where
    Q: FnOnce(&mut Shard) -> A + Send,
    T: FnOnce(A) + Send,
    A: Send,
{
    fn put(&mut self, shard: &mut Shard) {
        self.answer = self.question.take().map(|question| question(shard));
    }

    fn tell(self: Box<Self>) {
        if let Some(answer) = self.answer {
            (self.tell)(answer);
        }
    }
}

impl Order {
    /// Asks the shard, and tells what it says.
    pub fn ask<A: Send + 'static>(
        question: impl FnOnce(&mut Shard) -> A + Send + 'static,
        tell: impl FnOnce(A) + Send + 'static,
    ) -> Self {
        Order::Ask(Box::new(Asking { question: Some(question), answer: None, tell }))
    }
}
