//! The protocol under loom: every interleaving of these few steps, up to a bound on preemptions.
//! Run by `cargo xtask loom`. A lost wake-up shows as a deadlock, a permit that finds no room as a
//! failed assertion in the modelled ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::model::Builder;
use loom::sync::Notify;
use loom::thread;

use crate::{Receiver, Refusal, Sender, Sleep, lane};

fn explore(preemptions: usize, steps: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(steps);
}

/// A consumer that really sleeps, and counts what happened to it.
struct Sleeper {
    bed: Arc<Notify>,
    announced: usize,
    wakes: Arc<AtomicUsize>,
}

impl Sleeper {
    fn of(lane: &mut Receiver<usize>) -> Self {
        let bed = Arc::new(Notify::new());
        let wakes = Arc::new(AtomicUsize::new(0));
        let (to_bed, counted) = (Arc::clone(&bed), Arc::clone(&wakes));
        lane.set_waker(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            to_bed.notify();
        })
        .unwrap();
        Self { bed, announced: 0, wakes }
    }

    /// Pops until the lane is finished, sleeping whenever it may.
    fn drain(&mut self, lane: &mut Receiver<usize>) -> Vec<usize> {
        let mut got = Vec::new();
        loop {
            while let Some(item) = lane.pop() {
                got.push(item);
            }
            self.announced += 1;
            match lane.prepare_sleep() {
                Sleep::Ready => {}
                Sleep::Armed => self.bed.wait(),
                Sleep::Finished => {
                    assert!(self.wakes.load(Ordering::Relaxed) <= self.announced);
                    return got;
                }
            }
        }
    }
}

/// Nothing but the items themselves wakes the consumer here: the lane is still open when it goes to
/// its last sleep, so a send it does not hear of is a deadlock.
#[test]
fn no_wake_up_is_lost() {
    explore(3, || {
        let (sender, mut receiver) = lane("model", 2);
        let sleeper = Sleeper::of(&mut receiver);
        let producer = {
            let sender = sender.clone();
            thread::spawn(move || {
                sender.try_send(1).unwrap();
                sender.try_send(2).unwrap();
            })
        };
        let mut got = Vec::new();
        while got.len() < 2 {
            match receiver.pop() {
                Some(item) => got.push(item),
                None => {
                    if receiver.prepare_sleep() == Sleep::Armed {
                        sleeper.bed.wait();
                    }
                }
            }
        }
        assert_eq!(got, [1, 2]);
        producer.join().unwrap();
    });
}

/// Items that were sent quietly, and one flush after them, against a consumer that goes to sleep at any moment: it
/// hears of both.
#[test]
fn one_flush_tells_of_all_that_was_sent_quietly() {
    explore(3, || {
        let (sender, mut receiver) = lane("model", 2);
        let sleeper = Sleeper::of(&mut receiver);
        let producer = {
            let sender = sender.clone();
            thread::spawn(move || {
                sender.try_send_quietly(1).unwrap();
                sender.reserve().unwrap().send_quietly(2);
                sender.flush();
            })
        };
        let mut got = Vec::new();
        while got.len() < 2 {
            match receiver.pop() {
                Some(item) => got.push(item),
                None => {
                    if receiver.prepare_sleep() == Sleep::Armed {
                        sleeper.bed.wait();
                    }
                }
            }
        }
        assert_eq!(got, [1, 2]);
        assert!(sleeper.wakes.load(Ordering::Relaxed) <= 1);
        producer.join().unwrap();
    });
}

#[test]
fn two_producers_leave_and_the_consumer_gets_all_and_ends() {
    explore(2, || {
        let (sender, mut receiver) = lane("model", 2);
        let mut sleeper = Sleeper::of(&mut receiver);
        let send = |sender: Sender<usize>, item| thread::spawn(move || sender.try_send(item).unwrap());
        let first = send(sender.clone(), 1);
        let second = send(sender, 2);
        let mut got = sleeper.drain(&mut receiver);
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        first.join().unwrap();
        second.join().unwrap();
    });
}

/// The modelled ring asserts that whoever holds a slot finds room. One slot, so that each producer
/// can only go on with what the consumer has just freed.
#[test]
fn a_slot_that_was_freed_has_room() {
    explore(3, || {
        let (sender, mut receiver) = lane("model", 1);
        sender.try_send(0).unwrap();
        let producers = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || usize::from(sender.try_send(item).is_ok()))
        });
        let mut got = usize::from(receiver.pop().is_some());
        let sent: usize = producers.map(|producer| producer.join().unwrap()).iter().sum();
        while receiver.pop().is_some() {
            got += 1;
        }
        assert!(sent <= 1);
        assert_eq!(got, sent + 1);
    });
}

/// The closing record of a call: reserved while the lane was open, sent while it closes.
#[test]
fn what_a_permit_sends_is_drained_although_the_lane_closes() {
    explore(3, || {
        let (sender, mut receiver) = lane("model", 2);
        let mut sleeper = Sleeper::of(&mut receiver);
        let call = thread::spawn(move || match sender.reserve_owned() {
            Ok(permit) => {
                drop(sender);
                permit.send(7);
                true
            }
            Err(why) => {
                assert_eq!(why, Refusal::Closed);
                false
            }
        });
        receiver.close();
        let got = sleeper.drain(&mut receiver);
        let sent = call.join().unwrap();
        assert_eq!(got, if sent { vec![7] } else { vec![] });
        assert_eq!(receiver.stats().depth, 0);
    });
}

/// The last permit of a closed lane is dropped instead of used: the consumer must hear of it.
#[test]
fn a_permit_dropped_after_the_close_ends_the_consumers_sleep() {
    explore(3, || {
        let (sender, mut receiver) = lane("model", 1);
        let mut sleeper = Sleeper::of(&mut receiver);
        let permit = sender.reserve_owned().unwrap();
        let closer = thread::spawn(move || sender.close());
        let call = thread::spawn(move || drop(permit));
        assert!(sleeper.drain(&mut receiver).is_empty());
        closer.join().unwrap();
        call.join().unwrap();
    });
}

/// Two producers race for the only slot: one permit, one refusal, and the slot comes back whole.
#[test]
fn one_slot_is_never_held_twice() {
    explore(3, || {
        let (sender, receiver) = lane::<usize>("model", 1);
        let held = Arc::new(AtomicUsize::new(0));
        let producers = [(); 2].map(|()| {
            let (sender, held) = (sender.clone(), Arc::clone(&held));
            thread::spawn(move || {
                if let Ok(permit) = sender.reserve() {
                    assert_eq!(held.fetch_add(1, Ordering::Relaxed), 0);
                    thread::yield_now();
                    held.fetch_sub(1, Ordering::Relaxed);
                    drop(permit);
                }
            })
        });
        for producer in producers {
            producer.join().unwrap();
        }
        assert!(sender.reserve().is_ok());
        assert_eq!(receiver.stats().depth, 0);
    });
}

/// Producers that send to a consumer which never announced a sleep call no waker.
#[test]
fn a_consumer_that_is_awake_is_not_woken() {
    explore(3, || {
        let (sender, mut receiver) = lane("model", 2);
        let sleeper = Sleeper::of(&mut receiver);
        let producer = thread::spawn(move || {
            sender.try_send(1).unwrap();
            sender.close();
        });
        while !receiver.is_finished() {
            let _ = receiver.pop();
            thread::yield_now();
        }
        producer.join().unwrap();
        assert_eq!(sleeper.wakes.load(Ordering::Relaxed), 0);
    });
}
