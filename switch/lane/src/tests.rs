//! What one thread can see of a lane, and one run with real threads over crossbeam's ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::{LaneStats, Refusal, Sleep, WakerAlreadySet, lane};

#[test]
fn a_full_lane_refuses_before_the_work_begins() {
    let (sender, mut receiver) = lane::<u32>("calls", 2);
    let first = sender.reserve().unwrap();
    let second = sender.reserve_owned().unwrap();
    assert_eq!(sender.reserve().unwrap_err(), Refusal::Full);
    assert_eq!(sender.reserve_owned().unwrap_err(), Refusal::Full);
    let back = sender.try_send(9).unwrap_err();
    assert_eq!((back.item, back.why), (9, Refusal::Full));

    second.send(2);
    first.send(1);
    assert_eq!(receiver.pop(), Some(2), "the order is that of sending, not of reserving");
    assert_eq!(receiver.pop(), Some(1));
    assert_eq!(receiver.pop(), None);
}

#[test]
fn a_dropped_permit_gives_its_slot_back() {
    let (sender, receiver) = lane::<u32>("calls", 1);
    drop(sender.reserve().unwrap());
    drop(sender.reserve_owned().unwrap());
    assert_eq!(receiver.stats().depth, 0);
    assert!(sender.try_send(1).is_ok());
}

#[test]
fn many_items_cost_one_wake_up() {
    let (sender, mut receiver) = lane::<u32>("calls", 8);
    let wakes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&wakes);
    let wake = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    receiver.set_waker(wake).unwrap();
    assert_eq!(receiver.prepare_sleep(), Sleep::Armed);
    for item in 0..4 {
        sender.try_send_quietly(item).unwrap();
    }
    assert_eq!(wakes.load(Ordering::Relaxed), 0);
    sender.flush();
    sender.flush();
    assert_eq!(wakes.load(Ordering::Relaxed), 1);
    assert_eq!(std::iter::from_fn(|| receiver.pop()).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn an_item_keeps_its_slot_until_it_is_popped() {
    let (sender, mut receiver) = lane::<u32>("calls", 1);
    sender.reserve().unwrap().send(1);
    assert_eq!(sender.reserve().unwrap_err(), Refusal::Full);
    assert_eq!(receiver.pop(), Some(1));
    assert!(sender.reserve().is_ok());
}

#[test]
fn the_ring_goes_round_many_times() {
    let (sender, mut receiver) = lane::<usize>("calls", 3);
    for round in 0..1_000 {
        for item in 0..3 {
            sender.try_send(round * 3 + item).unwrap();
        }
        for item in 0..3 {
            assert_eq!(receiver.pop(), Some(round * 3 + item));
        }
    }
}

#[test]
fn what_was_sent_is_drained_after_a_close() {
    let (sender, mut receiver) = lane::<u32>("calls", 4);
    let permit = sender.reserve_owned().unwrap();
    sender.try_send(1).unwrap();
    sender.close();
    assert!(receiver.is_closed());
    let back = sender.try_send(2).unwrap_err();
    assert_eq!((back.item, back.why), (2, Refusal::Closed));

    assert_eq!(receiver.prepare_sleep(), Sleep::Ready);
    assert_eq!(receiver.pop(), Some(1));
    assert_eq!(receiver.prepare_sleep(), Sleep::Armed, "a permit is still out");
    permit.send(3);
    assert_eq!(receiver.prepare_sleep(), Sleep::Ready);
    assert_eq!(receiver.pop(), Some(3));
    assert_eq!(receiver.prepare_sleep(), Sleep::Finished);
    assert!(receiver.is_finished());
}

#[test]
fn a_consumer_that_closes_or_leaves_is_seen_by_the_producers() {
    let (sender, receiver) = lane::<u32>("calls", 4);
    receiver.close();
    assert_eq!(sender.reserve().unwrap_err(), Refusal::Closed);

    let (sender, receiver) = lane::<u32>("calls", 4);
    let permit = sender.reserve_owned().unwrap();
    drop(receiver);
    assert!(sender.is_closed());
    permit.send(1);
}

#[test]
fn the_last_producer_to_leave_closes_the_lane() {
    let (sender, mut receiver) = lane::<u32>("calls", 4);
    let other = sender.clone();
    drop(sender);
    assert!(!receiver.is_closed());
    other.try_send(1).unwrap();
    drop(other);
    assert!(receiver.is_closed());
    assert_eq!(receiver.pop(), Some(1));
    assert_eq!(receiver.prepare_sleep(), Sleep::Finished);
}

#[test]
fn items_left_in_a_lane_are_dropped_with_it() {
    let item = Arc::new(());
    let (sender, receiver) = lane("calls", 4);
    let permit = sender.reserve_owned().unwrap();
    sender.try_send(Arc::clone(&item)).unwrap();
    drop((sender, receiver));
    permit.send(Arc::clone(&item));
    assert_eq!(Arc::strong_count(&item), 1);
}

#[test]
fn the_waker_is_called_once_for_each_announced_sleep() {
    let (sender, mut receiver) = lane::<u32>("calls", 8);
    let wakes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&wakes);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    receiver.set_waker(count.clone()).unwrap();
    assert_eq!(receiver.set_waker(count), Err(WakerAlreadySet));
    let wakes = || wakes.load(Ordering::Relaxed);

    sender.try_send(1).unwrap();
    assert_eq!(wakes(), 0, "the consumer has not said that it sleeps");
    assert_eq!(receiver.prepare_sleep(), Sleep::Ready);
    sender.try_send(2).unwrap();
    assert_eq!(wakes(), 0, "a consumer told to go on does not sleep");

    while receiver.pop().is_some() {}
    assert_eq!(receiver.prepare_sleep(), Sleep::Armed);
    sender.try_send(3).unwrap();
    sender.try_send(4).unwrap();
    assert_eq!(wakes(), 1);

    while receiver.pop().is_some() {}
    assert_eq!(receiver.prepare_sleep(), Sleep::Armed);
    assert_eq!(receiver.pop(), None, "woken by something else, a timer or another lane");
    sender.try_send(5).unwrap();
    assert_eq!(wakes(), 1);

    while receiver.pop().is_some() {}
    assert_eq!(receiver.prepare_sleep(), Sleep::Armed);
    sender.close();
    assert_eq!(wakes(), 2, "a close is news");
    assert_eq!(receiver.stats().woken, 2);
}

#[test]
fn the_counters_tell_what_happened() {
    let (sender, mut receiver) = lane::<u32>("recordings", 2);
    let permit = sender.reserve().unwrap();
    sender.try_send(1).unwrap();
    let _ = sender.try_send(2);
    permit.send(3);
    let _ = receiver.pop();
    receiver.close();
    let _ = sender.reserve();
    let stats = sender.stats();
    assert_eq!(
        stats,
        LaneStats {
            name: "recordings",
            capacity: 2,
            depth: 1,
            depth_high_water: 2,
            sent: 2,
            refused_full: 1,
            refused_closed: 1,
            woken: 0,
            closed: true,
        }
    );
    assert_eq!(stats.refused(), 2);
    assert_eq!((sender.name(), receiver.name()), ("recordings", "recordings"));
}

#[test]
fn a_capacity_out_of_range_is_moved_into_it() {
    let (sender, receiver) = lane::<u32>("calls", 0);
    assert_eq!(receiver.stats().capacity, 1);
    assert!(sender.try_send(1).is_ok());
    assert_eq!(sender.try_send(2).unwrap_err().why, Refusal::Full);
}

/// Crossbeam's ring instead of the modelled one: three producers, a ring that is mostly full, a
/// consumer that parks. Each producer's items arrive in its order, and all of them do.
#[test]
fn real_threads_deliver_everything_in_each_producers_order() {
    const EACH: usize = 20_000;
    let (sender, mut receiver) = lane::<(usize, usize)>("calls", 16);
    let consumer = thread::current();
    receiver.set_waker(move || consumer.unpark()).unwrap();
    let producers: Vec<_> = (0..3)
        .map(|who| {
            let sender = sender.clone();
            thread::spawn(move || {
                for count in 0..EACH {
                    let mut item = (who, count);
                    while let Err(back) = sender.try_send(item) {
                        assert_eq!(back.why, Refusal::Full);
                        item = back.item;
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    drop(sender);

    let mut next = [0; 3];
    loop {
        while let Some((who, count)) = receiver.pop() {
            assert_eq!(count, next[who]);
            next[who] += 1;
        }
        match receiver.prepare_sleep() {
            Sleep::Ready => {}
            Sleep::Armed => thread::park(),
            Sleep::Finished => break,
        }
    }
    assert_eq!(next, [EACH; 3]);
    for producer in producers {
        producer.join().unwrap();
    }
    let stats = receiver.stats();
    assert_eq!((stats.sent, stats.depth), (3 * EACH as u64, 0));
    assert!(stats.depth_high_water <= 16);
}

#[test]
fn a_flush_of_nothing_wakes_nobody() {
    let (sender, mut receiver) = lane("flush", 2);
    receiver.set_waker(|| ()).unwrap();
    assert_eq!(receiver.prepare_sleep(), Sleep::Armed);
    sender.flush();
    assert_eq!(receiver.stats().woken, 0);
    sender.try_send_quietly(1).unwrap();
    sender.flush();
    assert_eq!(receiver.stats().woken, 1);
}
