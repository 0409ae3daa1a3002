//! The thread that makes and frees what media threads need for legs: states of codecs, buffers, keys at work.
//!
//! Invariant: all commands of the shard to media threads come through here, so they reach each thread in the order in which they
//! were given, each with the kit that obeying it needs ([`KitMaker`]). Nobody waits for this thread but who gave a command, and
//! it waits for none: a command for whose media thread there is no room is refused as the shard itself would have, a new leg
//! by its `OpenFailed`.

use super::thread::MediaOrder;
use crate::gauges::BuilderGauges;
use crate::guard::guarded;
use crate::shard::Order;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_media::{Discarded, KitMaker};
use cordboard_model::id::LegId;
use cordboard_model::media::{MediaCommand, MediaEvent, OpenError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Orders after which media threads hear of what they were sent, if more wait: a leg that is to be answered is not to wait for
/// a hundred others that are made.
const QUIET: u32 = 8;
/// How often what media threads are done with is looked at when nothing else happens. They wake nobody for it: a wake-up costs a
/// packet's time, and memory that is free a little later costs nothing.
const SWEEP: Duration = Duration::from_millis(100);
/// When the lane to the shard is full.
const RETRY: Duration = Duration::from_millis(5);

/// To the builder.
#[derive(Debug)]
pub enum BuildOrder {
    /// For the media thread of this number.
    Command(usize, MediaCommand),
    /// A leg is wanted on another thread than this one, recorded or not if need be.
    Part {
        /// Where it is.
        thread: usize,
        /// Which.
        leg: LegId,
        /// Its recordings go on without it.
        force: bool,
    },
    /// A leg never came to be.
    Forget(LegId),
}

/// See the module.
#[derive(Debug)]
pub struct Builder {
    /// From the shard.
    pub orders: Receiver<BuildOrder>,
    /// What media threads are done with.
    pub discarded: Receiver<Discarded>,
    /// To the media threads.
    pub media: Vec<Sender<MediaOrder>>,
    /// To the shard.
    pub events: Sender<Order>,
    /// Who knows what a command needs.
    pub maker: KitMaker,
    /// What the shard is still to hear.
    pub owed: VecDeque<Order>,
    /// Read by the metrics.
    pub gauges: Arc<BuilderGauges>,
}

impl Builder {
    /// Runs until the lane from the shard is closed and drained.
    pub fn run(mut self) {
        let thread = std::thread::current();
        if self.orders.set_waker(move || thread.unpark()).is_err() {
            return;
        }
        let mut quiet = 0;
        loop {
            while let Some(order) = self.orders.pop() {
                guarded("media builder", || self.build(order));
                quiet += 1;
                if quiet >= QUIET {
                    quiet = 0;
                    self.flush();
                }
            }
            self.flush();
            self.sweep();
            self.pay();
            match self.orders.prepare_sleep() {
                Sleep::Ready => {}
                Sleep::Armed => std::thread::park_timeout(if self.owed.is_empty() { SWEEP } else { RETRY }),
                Sleep::Finished => return,
            }
        }
    }

    fn build(&mut self, order: BuildOrder) {
        match order {
            BuildOrder::Command(thread, command) => {
                let opens = match &command {
                    MediaCommand::Open { leg, .. } => Some(*leg),
                    _ => None,
                };
                let kit = self.maker.prepare(&command);
                self.gauges.kits.fetch_add(u64::from(kit.is_some()), Relaxed);
                let is_sent = self.send(thread, MediaOrder::Command(command, kit));
                if let Some(leg) = opens.filter(|_| !is_sent) {
                    self.maker.forget(leg);
                    let why = OpenError::Overloaded;
                    self.owed.push_back(Order::Media(MediaEvent::OpenFailed { leg, why }));
                }
            }
            BuildOrder::Part { thread, leg, force } => {
                if !self.send(thread, MediaOrder::Part { leg, force }) {
                    self.owed.push_back(Order::Moved(leg, None));
                }
            }
            BuildOrder::Forget(leg) => self.maker.forget(leg),
        }
        self.gauges.legs.store(self.maker.legs() as u64, Relaxed);
    }

    fn send(&self, thread: usize, order: MediaOrder) -> bool {
        self.media.get(thread).is_some_and(|lane| lane.try_send_quietly(order).is_ok())
    }

    fn flush(&self) {
        self.media.iter().for_each(Sender::flush);
    }

    /// Frees what media threads are done with.
    fn sweep(&mut self) {
        while let Some(discarded) = self.discarded.pop() {
            drop(discarded);
            self.gauges.freed.fetch_add(1, Relaxed);
        }
    }

    /// Tells the shard what it waits for, as far as its lane has room.
    fn pay(&mut self) {
        while !self.owed.is_empty()
            && let Ok(permit) = self.events.reserve()
            && let Some(owed) = self.owed.pop_front()
        {
            permit.send(owed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_lane::lane;
    use cordboard_media::MediaConfig;
    use cordboard_model::id::{IdMaker, TenantId};
    use cordboard_model::media::PlayItem;
    use cordboard_model::media::{Repeat, Tone};

    struct Rig {
        orders: Sender<BuildOrder>,
        discarded: Sender<Discarded>,
        media: Vec<Receiver<MediaOrder>>,
        events: Receiver<Order>,
        gauges: Arc<BuilderGauges>,
        running: std::thread::JoinHandle<()>,
    }

    /// A builder that runs, for two media threads whose lanes have so many slots.
    fn running(slots: usize) -> Rig {
        let (orders, from_shard) = lane("shard to builder", 64);
        let (discarded, from_media) = lane("media to builder", 64);
        let (to_media, media): (Vec<_>, Vec<_>) = (0..2).map(|_| lane("builder to media", slots)).unzip();
        let (to_shard, events) = lane("media to shard", 64);
        let gauges = Arc::new(BuilderGauges::default());
        let builder = Builder {
            orders: from_shard,
            discarded: from_media,
            media: to_media,
            events: to_shard,
            maker: KitMaker::new(MediaConfig::default(), 100),
            owed: VecDeque::new(),
            gauges: Arc::clone(&gauges),
        };
        let running = std::thread::spawn(move || builder.run());
        Rig { orders, discarded, media, events, gauges, running }
    }

    /// Ends the builder: all that it was told is done then.
    fn end(rig: Rig) -> (Vec<Receiver<MediaOrder>>, Receiver<Order>, Arc<BuilderGauges>) {
        rig.orders.close();
        rig.running.join().unwrap();
        (rig.media, rig.events, rig.gauges)
    }

    #[test]
    fn commands_reach_their_thread_in_their_order_each_with_its_kit() {
        let rig = running(64);
        let mut ids = IdMaker::new(1, 0);
        let legs = [0, 1].map(|_| ids.leg(TenantId::DEFAULT));
        let playback = ids.playback(TenantId::DEFAULT);
        for (thread, leg) in legs.into_iter().enumerate() {
            let items = vec![PlayItem::Tone(Tone::Busy, 100)];
            let play = MediaCommand::Play { leg, playback, items, repeat: Repeat::Once };
            let orders = [
                BuildOrder::Command(thread, MediaCommand::Open { leg, near: None }),
                BuildOrder::Command(thread, play),
                BuildOrder::Part { thread, leg, force: false },
            ];
            orders.into_iter().for_each(|order| rig.orders.try_send(order).unwrap());
        }
        let (mut media, mut events, gauges) = end(rig);
        for (leg, lane) in legs.into_iter().zip(&mut media) {
            let orders = [lane.pop(), lane.pop(), lane.pop(), lane.pop()];
            let [Some(open), Some(play), Some(part), None] = orders else {
                panic!("three orders, in all");
            };
            assert!(matches!(open, MediaOrder::Command(MediaCommand::Open { leg: l, .. }, None) if l == leg));
            assert!(matches!(play, MediaOrder::Command(MediaCommand::Play { .. }, Some(_))));
            assert!(matches!(part, MediaOrder::Part { leg: l, force: false } if l == leg));
        }
        assert!(events.pop().is_none());
        assert_eq!(gauges.kits.load(Relaxed), 2);
    }

    #[test]
    fn a_media_thread_without_room_costs_its_own_legs_and_the_shard_is_told() {
        let rig = running(1);
        let mut ids = IdMaker::new(1, 0);
        let legs = [0, 0, 1].map(|thread| {
            let leg = ids.leg(TenantId::DEFAULT);
            let open = MediaCommand::Open { leg, near: None };
            rig.orders.try_send(BuildOrder::Command(thread, open)).unwrap();
            leg
        });
        rig.orders.try_send(BuildOrder::Part { thread: 0, leg: legs[0], force: true }).unwrap();
        let (mut media, mut events, gauges) = end(rig);
        for (lane, leg) in media.iter_mut().zip([legs[0], legs[2]]) {
            let only = lane.pop();
            let opens = |order| matches!(order, MediaOrder::Command(MediaCommand::Open { leg: l, .. }, _) if l == leg);
            assert!(only.is_some_and(opens) && lane.pop().is_none());
        }
        let refused = events.pop();
        assert!(matches!(
            refused,
            Some(Order::Media(MediaEvent::OpenFailed { leg, why: OpenError::Overloaded })) if leg == legs[1]
        ));
        assert!(matches!(events.pop(), Some(Order::Moved(leg, None)) if leg == legs[0]));
        assert_eq!(gauges.legs.load(Relaxed), 2, "the refused one is forgotten");
    }

    #[test]
    fn what_media_threads_are_done_with_is_freed_here_without_being_woken_for_it() {
        let rig = running(1);
        let audio = Arc::new(cordboard_media::Audio::from_pcm(&[1; 100]));
        let watched = Arc::downgrade(&audio);
        rig.discarded.try_send(audio.into()).unwrap();
        // Nothing else happens: within a sweep it is gone. Its thread is seen to do it, not waited for by time.
        while watched.upgrade().is_some() {
            std::thread::yield_now();
        }
        let (_, _, gauges) = end(rig);
        assert_eq!(gauges.freed.load(Relaxed), 1);
    }
}
