//! The readers of a stream, found by whom an event concerns.
//!
//! Invariant: an event is looked at for all whom it may be for, and for nobody else: of a thousand agents who follow their own
//! events, one's costs the others nothing. A state is for everybody.

use super::keeper::EventGauges;
use super::reader::Reader;
use cordboard_model::id::Name;
use cordboard_store::events::Entry;
use std::collections::BTreeMap;

/// See the module.
#[derive(Default)]
pub(super) struct Readers {
    places: Vec<Option<Reader>>,
    free: Vec<usize>,
    /// Places of those who may want what concerns no agent of theirs.
    wide: Vec<usize>,
    /// Of those who want nothing but what concerns these agents.
    by_agent: BTreeMap<Name, Vec<usize>>,
    /// The number of the last entry that was given.
    given: u64,
    /// Room for the places that an entry is looked at for.
    concerned: Vec<usize>,
}

/// Agents beside whom the reader wants nothing; none if he may want more than what concerns them.
fn agents_of(reader: &Reader) -> &[Name] {
    let filter = &reader.filter;
    let only = filter.queues.is_empty() && filter.calls.is_empty();
    if only { &filter.agents } else { &[] }
}

impl Readers {
    /// One more, who has all that was given until now.
    pub(super) fn add(&mut self, reader: Reader) {
        let place = self.free.pop().unwrap_or(self.places.len());
        match agents_of(&reader) {
            [] => self.wide.push(place),
            agents => {
                for agent in agents {
                    self.by_agent.entry(agent.clone()).or_default().push(place);
                }
            }
        }
        match self.places.get_mut(place) {
            Some(empty) => *empty = Some(reader),
            None => self.places.push(Some(reader)),
        }
    }

    /// Gives everybody whom it concerns an entry. How many are gone, or were cut for being behind.
    pub(super) fn give(&mut self, entry: &Entry, gauges: &EventGauges) -> usize {
        let mut concerned = core::mem::take(&mut self.concerned);
        concerned.clear();
        match entry {
            Entry::Event(told) => {
                concerned.extend(&self.wide);
                let of = told.agents.iter().filter_map(|agent| self.by_agent.get(agent));
                // Who is found by two of his agents has seen it the second time.
                of.for_each(|places| concerned.extend(places));
            }
            Entry::State(_) => concerned.extend(0..self.places.len()),
        }
        let mut gone = 0;
        for place in &concerned {
            let Some(Some(reader)) = self.places.get_mut(*place) else { continue };
            reader.seen = reader.seen.max(self.given);
            if !reader.give(entry, gauges) {
                self.remove(*place);
                gone += 1;
            }
        }
        self.given = entry.seq();
        self.concerned = concerned;
        gone
    }

    /// Tells those for whom there was nothing how far the stream is. How many are gone.
    pub(super) fn tell_position(&mut self) -> usize {
        let mut gone = 0;
        for place in 0..self.places.len() {
            let Some(Some(reader)) = self.places.get_mut(place) else { continue };
            reader.seen = reader.seen.max(self.given);
            if !reader.tell_position() {
                self.remove(place);
                gone += 1;
            }
        }
        gone
    }

    fn remove(&mut self, place: usize) {
        let Some(reader) = self.places.get_mut(place).and_then(Option::take) else { return };
        match agents_of(&reader) {
            [] => self.wide.retain(|one| *one != place),
            agents => {
                for agent in agents {
                    if let Some(places) = self.by_agent.get_mut(agent) {
                        places.retain(|one| *one != place);
                        if places.is_empty() {
                            self.by_agent.remove(agent);
                        }
                    }
                }
            }
        }
        self.free.push(place);
    }

    /// Whether nobody reads.
    pub(super) fn is_empty(&self) -> bool {
        self.places.len() == self.free.len()
    }

    /// All of them; nobody is left.
    pub(super) fn take_all(&mut self) -> Vec<Reader> {
        let all = core::mem::take(self);
        self.given = all.given;
        all.places.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_api::events::{Concerned, EventFilter};
    use cordboard_api::switch::StreamItem;
    use cordboard_model::event::{Event, EventKind};
    use cordboard_model::id::{CallId, IdMaker, TenantId};
    use cordboard_model::time::Wall;
    use cordboard_store::events::{State, Told};
    use std::sync::Arc;
    use tokio::sync::mpsc;

    /// A generator as good as is needed here (splitmix64).
    struct Lot(u64);

    impl Lot {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) % limit as u64) as usize
        }

        fn names(&mut self, stem: &str, most: usize) -> Vec<Name> {
            let count = self.below(most + 1);
            (0..count).map(|_| Name::new(&format!("{stem}{}", self.below(5))).unwrap()).collect()
        }
    }

    struct Follower {
        filter: EventFilter,
        items: mpsc::Receiver<StreamItem>,
        /// Numbers that it is to be told, by looking at everything.
        wanted: Vec<u64>,
    }

    impl Follower {
        fn heard(&mut self) -> Vec<u64> {
            let mut heard = Vec::new();
            while let Ok(item) = self.items.try_recv() {
                match item {
                    StreamItem::Event(event) => heard.push(event.seq),
                    StreamItem::Snapshot { seq, .. } => heard.push(seq),
                    StreamItem::Gap { from, to } => assert_eq!((from, to), (to, to), "one number was lost"),
                    StreamItem::Position { seq } => assert!(heard.last().is_none_or(|last| *last < seq)),
                    other => panic!("{other:?}"),
                }
            }
            heard
        }
    }

    fn event(seq: u64, call: Option<CallId>, agents: Vec<Name>, queues: Vec<Name>) -> Entry {
        let what = EventKind::Alarm { code: "test".into(), text: String::new() };
        let event = Event { tenant: TenantId::DEFAULT, seq, at: Wall(0), what };
        Entry::Event(Box::new(Told { kind: "alarm".into(), call, agents, queues, event }))
    }

    /// A stream with its readers, and what each of them is to be told.
    struct World {
        lot: Lot,
        calls: Vec<CallId>,
        readers: Readers,
        followers: Vec<Follower>,
        gauges: EventGauges,
        seq: u64,
        gone: usize,
    }

    impl World {
        fn of(seed: u64) -> World {
            let mut ids = IdMaker::new(7, 0);
            World {
                lot: Lot(seed),
                calls: (0..3).map(|_| ids.call(TenantId::DEFAULT)).collect(),
                readers: Readers::default(),
                followers: Vec::new(),
                gauges: EventGauges::default(),
                seq: 0,
                gone: 0,
            }
        }

        fn join(&mut self) {
            let (out, items) = mpsc::channel(1_000);
            let (queues, calls) = (usize::from(self.lot.below(3) == 0), self.lot.below(4) / 3);
            let filter = EventFilter {
                agents: self.lot.names("a", 2),
                queues: self.lot.names("q", queues),
                calls: self.calls.iter().take(calls).copied().collect(),
                kinds: Vec::new(),
            };
            let (of, seen) = (Arc::new(filter.clone()), self.seq);
            self.readers.add(Reader { out, filter: of, seen, told: seen, stranger: false });
            self.followers.push(Follower { filter, items, wanted: Vec::new() });
        }

        /// A state; the number before it was lost.
        fn state(&mut self) {
            self.seq += 2;
            let seq = self.seq;
            let (calls, queues, agents) = (Vec::new(), Vec::new(), Vec::new());
            let state = State { seq, lost: Some((seq, seq)), calls, queues, agents };
            self.followers.iter_mut().for_each(|follower| follower.wanted.push(seq));
            self.gone += self.readers.give(&Entry::State(Box::new(state)), &self.gauges);
        }

        fn event(&mut self) {
            self.seq += 1;
            let call = self.calls.get(self.lot.below(6)).copied();
            let (agents, queues) = (self.lot.names("a", 3), self.lot.names("q", 2));
            for follower in &mut self.followers {
                let concerned = Concerned { kind: "alarm", call, agents: &agents, queues: &queues };
                if follower.filter.takes(concerned) {
                    follower.wanted.push(self.seq);
                }
            }
            self.gone += self.readers.give(&event(self.seq, call, agents, queues), &self.gauges);
        }
    }

    /// Every reader gets what his filter lets through, each number once and in order, as if all were looked at for all; also the
    /// gap before a state begins where he is, whatever was passed over for him.
    #[test]
    fn everybody_is_told_what_concerns_him_as_if_all_were_asked() {
        let mut gone = 0;
        for seed in 0..200 {
            let mut world = World::of(seed);
            for _ in 0..150 {
                match world.lot.below(12) {
                    0 | 1 => world.join(),
                    2 => world.gone += world.readers.tell_position(),
                    3 if !world.followers.is_empty() => {
                        let leaves = world.lot.below(world.followers.len());
                        drop(world.followers.swap_remove(leaves));
                    }
                    4 => world.state(),
                    _ => world.event(),
                }
            }
            world.gone += world.readers.tell_position();
            let World { mut readers, mut followers, .. } = world;
            for follower in &mut followers {
                assert_eq!(follower.heard(), follower.wanted, "seed {seed} {:?}", follower.filter);
            }
            let all = readers.take_all();
            assert_eq!(all.len(), followers.len(), "seed {seed}: who has gone is forgotten");
            assert!(all.iter().all(|reader| reader.seen == readers.given) && readers.is_empty());
            gone += world.gone;
        }
        assert!(gone > 100, "{gone} went");
    }
}
