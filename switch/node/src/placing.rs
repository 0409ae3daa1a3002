//! Which media thread has which leg, and how legs that are to be joined come to be on one.
//!
//! Invariant: commands of a leg reach the thread that has it, in the order in which they were given. While a leg is under
//! way between two threads, what concerns it waits here; a move takes two hops over lanes.

use cordboard_model::id::LegId;
use cordboard_model::media::MediaCommand;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Commands that may wait for moves. A move takes less than a millisecond, and no call gives so many in that time.
const HELD_MAX: usize = 4_096;

/// What is to be done with the media threads' lanes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// This thread is to obey.
    Send(usize, MediaCommand),
    /// Nobody knows which thread: each is told, and those that do not have what it names ignore it.
    SendAll(MediaCommand),
    /// This thread is to let the leg go to another.
    Move {
        /// Where the leg is.
        from: usize,
        leg: LegId,
        /// Where it is wanted.
        to: usize,
        /// Even out of a recording.
        force: bool,
    },
}

/// A command that waits for a leg: how its two legs come together.
#[derive(Debug)]
struct Journey {
    /// Who is wanted where another is.
    leg: LegId,
    /// Who is to go instead, if that one cannot.
    other: LegId,
    tries: u8,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Placing {
    threads: usize,
    last: usize,
    placed: BTreeMap<LegId, usize>,
    journey: Option<Journey>,
    held: VecDeque<MediaCommand>,
}

impl Placing {
    /// Over so many threads.
    pub(crate) fn new(threads: usize) -> Self {
        let threads = threads.max(1);
        Self { threads, last: 0, placed: BTreeMap::new(), journey: None, held: VecDeque::new() }
    }

    /// A leg is gone.
    pub(crate) fn forget(&mut self, leg: LegId) {
        self.placed.remove(&leg);
    }

    /// What is to be done for this command, in this order.
    pub(crate) fn route(&mut self, command: MediaCommand) -> Vec<Placed> {
        if let MediaCommand::Open { leg, near } = &command {
            let there = near.and_then(|near| self.placed.get(&near).copied());
            let thread = there.unwrap_or_else(|| {
                self.last = (self.last + 1) % self.threads;
                self.last
            });
            self.placed.insert(*leg, thread);
            return vec![Placed::Send(thread, command)];
        }
        if self.waits(&command) {
            self.held.push_back(command);
            return Vec::new();
        }
        let legs: Vec<LegId> = command.legs().collect();
        let known = legs.iter().find_map(|leg| Some((*leg, *self.placed.get(leg)?)));
        let Some((first, thread)) = known else {
            return vec![Placed::SendAll(command)];
        };
        let apart = |leg: &&LegId| self.placed.get(leg).is_some_and(|other| *other != thread);
        let Some(leg) = legs.iter().find(apart).copied() else {
            return vec![Placed::Send(thread, command)];
        };
        if self.journey.is_some() || self.held.len() >= HELD_MAX {
            self.held.push_back(command);
            return Vec::new();
        }
        self.held.push_front(command);
        let journey = Journey { leg, other: first, tries: 0 };
        let first_try = self.next_try(&journey);
        self.journey = Some(journey);
        first_try.into_iter().collect()
    }

    /// Whether a command concerns what waits already.
    fn waits(&self, command: &MediaCommand) -> bool {
        if self.held.is_empty() || self.held.len() >= HELD_MAX {
            return false;
        }
        let legs: BTreeSet<LegId> = command.legs().collect();
        legs.is_empty() || self.held.iter().flat_map(MediaCommand::legs).any(|leg| legs.contains(&leg))
    }

    /// The one that is wanted elsewhere goes there; or else the other comes; or else the first must, recorded or not.
    fn next_try(&self, journey: &Journey) -> Option<Placed> {
        let Journey { leg, other, tries } = *journey;
        let (leg, other) = if tries == 1 { (other, leg) } else { (leg, other) };
        let (from, to) = (*self.placed.get(&leg)?, *self.placed.get(&other)?);
        (tries <= 2).then_some(Placed::Move { from, leg, to, force: tries == 2 })
    }

    /// What became of a move: where the leg is now, or nothing if it could not go.
    pub(crate) fn moved(&mut self, leg: LegId, thread: Option<usize>) -> Vec<Placed> {
        let Some(mut journey) = self.journey.take() else {
            return Vec::new();
        };
        if let Some(place) = self.placed.get_mut(&leg)
            && let Some(thread) = thread
        {
            *place = thread;
        } else {
            journey.tries += 1;
            if let Some(next) = self.next_try(&journey) {
                self.journey = Some(journey);
                return vec![next];
            }
            // Nobody could come to the other: the command goes where its first leg is, and that thread tells of it.
            let hopeless = self.held.pop_front();
            let place =
                |command: &MediaCommand| command.legs().find_map(|leg| self.placed.get(&leg).copied());
            let sent = hopeless.and_then(|command| Some(Placed::Send(place(&command)?, command)));
            return sent.into_iter().chain(self.resume()).collect();
        }
        self.resume()
    }

    /// What waited goes on; some of it may have to wait again.
    fn resume(&mut self) -> Vec<Placed> {
        let held = std::mem::take(&mut self.held);
        held.into_iter().flat_map(|command| self.route(command)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};
    use cordboard_model::media::MixMember;

    fn legs() -> [LegId; 4] {
        let mut ids = IdMaker::new(1, 0);
        [(); 4].map(|()| ids.leg(TenantId::DEFAULT))
    }

    /// Two calls on two threads: legs 0 and 1 on one, 2 and 3 on the other.
    fn two_calls() -> (Placing, [LegId; 4], [usize; 2]) {
        let (mut placing, legs) = (Placing::new(2), legs());
        let mut open = |leg, near| match placing.route(MediaCommand::Open { leg, near }).as_slice() {
            [Placed::Send(thread, _)] => *thread,
            other => panic!("{other:?}"),
        };
        let [a, b, c, d] = legs;
        let threads = [open(a, None), open(c, None)];
        assert_eq!([open(b, Some(a)), open(d, Some(c))], threads);
        assert_ne!(threads[0], threads[1]);
        (placing, legs, threads)
    }

    #[test]
    fn a_join_across_threads_waits_for_the_move_and_everything_of_its_legs_waits_behind_it_in_order() {
        let (mut placing, [a, b, c, d], [one, two]) = two_calls();
        let bridge = MediaCommand::Bridge { a, b: c };
        let moves = [Placed::Move { from: two, leg: c, to: one, force: false }];
        assert_eq!(placing.route(bridge.clone()), moves);
        let (hold, close) = (MediaCommand::Held { leg: c, held: true }, MediaCommand::Close { leg: a });
        assert_eq!(placing.route(hold.clone()), []);
        assert_eq!(placing.route(close.clone()), []);
        let others = MediaCommand::Unbridge { leg: b };
        assert_eq!(
            placing.route(others.clone()),
            [Placed::Send(one, others)],
            "it has nothing to do with it"
        );
        let expected = [bridge, hold, close].map(|command| Placed::Send(one, command));
        assert_eq!(placing.moved(c, Some(one)), expected);
        assert_eq!(
            placing.route(MediaCommand::Close { leg: d }),
            [Placed::Send(two, MediaCommand::Close { leg: d })]
        );
    }

    #[test]
    fn who_cannot_go_is_come_to_and_if_neither_can_the_first_must() {
        let (mut placing, [a, _, c, _], [one, two]) = two_calls();
        let bridge = MediaCommand::Bridge { a, b: c };
        placing.route(bridge.clone());
        assert_eq!(placing.moved(c, None), [Placed::Move { from: one, leg: a, to: two, force: false }]);
        assert_eq!(placing.moved(a, None), [Placed::Move { from: two, leg: c, to: one, force: true }]);
        assert_eq!(placing.moved(c, None), [Placed::Send(one, bridge)], "it is gone: nothing waits for ever");
        assert_eq!(placing.moved(c, Some(one)), []);
    }

    #[test]
    fn a_mix_waits_until_all_its_legs_are_on_one_thread() {
        let (mut placing, [a, b, c, d], [one, two]) = two_calls();
        let member = |leg| MixMember { leg, hears: 7, muted: false };
        let mix = IdMaker::new(1, 0).call(TenantId::DEFAULT);
        let members = [a, b, c, d].map(member).to_vec();
        let command = MediaCommand::Mix { mix, members, gain: false };
        let go = |leg| Placed::Move { from: two, leg, to: one, force: false };
        assert_eq!(placing.route(command.clone()), [go(c)]);
        assert_eq!(placing.moved(c, Some(one)), [go(d)]);
        assert_eq!(placing.moved(d, Some(one)), [Placed::Send(one, command)]);
    }

    #[test]
    fn a_second_join_waits_for_the_first_ones_move() {
        let (mut placing, [a, b, c, d], [one, two]) = two_calls();
        let (first, second) = (MediaCommand::Bridge { a, b: c }, MediaCommand::Bridge { a: d, b });
        assert_eq!(placing.route(first.clone()).len(), 1);
        assert_eq!(placing.route(second.clone()), []);
        let next = Placed::Move { from: one, leg: b, to: two, force: false };
        assert_eq!(placing.moved(c, Some(one)), [Placed::Send(one, first), next]);
        assert_eq!(placing.moved(b, Some(two)), [Placed::Send(two, second)]);
    }
}
