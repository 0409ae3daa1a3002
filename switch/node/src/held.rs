//! Answers that wait until the journal has what they tell of.
//!
//! Invariant: every answer is given once, in the order of its question among those that wait: when the journal has come to
//! its mark, or when that takes too long. A disk that stalls is an operator's trouble, and not one of who is signed in.

use crate::question::Asked;
use cordboard_model::time::{Duration, Time};
use std::collections::VecDeque;

/// Longest wait for the journal. Shorter than what who asks waits for his answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Default)]
pub struct Held {
    last: u64,
    waiting: VecDeque<(u64, Time, Box<dyn Asked>)>,
}

impl Held {
    /// Keeps an answer. Gives the mark that the journal is to come to.
    pub fn hold(&mut self, asked: Box<dyn Asked>, now: Time) -> u64 {
        self.last += 1;
        self.waiting.push_back((self.last, now + PATIENCE, asked));
        self.last
    }

    /// The journal has come to a mark: gives the answers up to it.
    pub fn tell(&mut self, mark: u64) {
        self.tell_while(|of, _| of <= mark);
    }

    /// Gives the answers that have waited long enough.
    pub fn tell_late(&mut self, now: Time) {
        self.tell_while(|_, due| due <= now);
    }

    /// Gives all.
    pub fn tell_all(&mut self) {
        self.tell_while(|_, _| true);
    }

    /// When [`Held::tell_late`] has something to do.
    pub fn due(&self) -> Option<Time> {
        self.waiting.front().map(|(_, due, _)| *due)
    }

    fn tell_while(&mut self, ready: impl Fn(u64, Time) -> bool) {
        while let Some((_, _, asked)) = self.waiting.pop_front_if(|(mark, due, _)| ready(*mark, *due)) {
            asked.tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_core::Shard;
    use std::sync::mpsc::{Receiver, Sender, channel};

    struct Says(u8, Sender<u8>);

    impl Asked for Says {
        fn put(&mut self, _: &mut Shard) {}

        fn tell(self: Box<Self>) {
            self.1.send(self.0).unwrap();
        }
    }

    fn held(most: u8) -> (Held, Receiver<u8>) {
        let (says, told) = channel();
        let mut held = Held::default();
        for n in 1..=most {
            let at = Time::ZERO + Duration::from_millis(u64::from(n));
            assert_eq!(held.hold(Box::new(Says(n, says.clone())), at), u64::from(n));
        }
        (held, told)
    }

    fn all(told: &Receiver<u8>) -> Vec<u8> {
        told.try_iter().collect()
    }

    #[test]
    fn an_answer_waits_for_its_mark_and_takes_those_before_it_along() {
        let (mut held, told) = held(3);
        held.tell(0);
        assert!(all(&told).is_empty());
        held.tell(2);
        assert_eq!(all(&told), [1, 2]);
        held.tell(2);
        assert!(all(&told).is_empty());
        held.tell(3);
        assert_eq!((all(&told), held.due()), (vec![3], None));
    }

    #[test]
    fn a_journal_that_stalls_keeps_an_answer_back_for_a_time_only() {
        let (mut held, told) = held(2);
        let due = held.due().unwrap();
        assert_eq!(due, Time::ZERO + Duration::from_millis(1) + PATIENCE);
        held.tell_late(Time::ZERO + PATIENCE);
        assert!(all(&told).is_empty());
        held.tell_late(due);
        assert_eq!(all(&told), [1]);
        held.tell(2);
        assert_eq!(all(&told), [2], "the journal goes on");
    }

    #[test]
    fn all_that_wait_are_told_at_the_end() {
        let (mut held, told) = held(2);
        held.tell_all();
        assert_eq!(all(&told), [1, 2]);
    }
}
