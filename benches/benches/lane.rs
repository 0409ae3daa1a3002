//! Handing an item over: on one thread, and to a thread that sleeps.

use cordboard_lane::{Receiver, Sender, Sleep, lane};
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The size of a small command.
type Item = [u64; 8];
const SLOTS: usize = 1_024;
const BURST: u64 = 64;

/// The next item, sleeping until there is one; `None` when the other side is gone.
fn wait(lane: &mut Receiver<Item>) -> Option<Item> {
    loop {
        if let Some(item) = lane.pop() {
            return Some(item);
        }
        match lane.prepare_sleep() {
            Sleep::Ready => {}
            Sleep::Armed => std::thread::park(),
            Sleep::Finished => return None,
        }
    }
}

/// Wakes the calling thread when the lane has something.
fn wake_me(lane: &mut Receiver<Item>) {
    let me = std::thread::current();
    // Refused only if a waker is set already, and these lanes are new.
    let _ = lane.set_waker(move || me.unpark());
}

/// There and back, both threads asleep in between.
fn round_trips(count: u64) -> Duration {
    let (there, mut at_other) = lane::<Item>("there", SLOTS);
    let (back, mut at_us) = lane::<Item>("back", SLOTS);
    wake_me(&mut at_us);
    let other = std::thread::spawn(move || {
        wake_me(&mut at_other);
        while let Some(item) = wait(&mut at_other) {
            if back.try_send(item).is_err() {
                return;
            }
        }
    });
    let begun = Instant::now();
    for turn in 0..count {
        if there.try_send([turn; 8]).is_err() || black_box(wait(&mut at_us)).is_none() {
            break;
        }
    }
    let took = begun.elapsed();
    drop(there);
    // It ends when its lane is finished, and has nothing to say.
    let _ = other.join();
    took
}

/// Items as fast as the other thread takes them; the time until it has the last.
fn stream(count: u64) -> Duration {
    let (there, mut at_other) = lane::<Item>("stream", SLOTS);
    let other = std::thread::spawn(move || {
        wake_me(&mut at_other);
        while let Some(item) = wait(&mut at_other) {
            black_box(item);
        }
    });
    let begun = Instant::now();
    for turn in 0..count {
        while there.try_send([turn; 8]).is_err() {
            std::thread::yield_now();
        }
    }
    drop(there);
    let _ = other.join();
    begun.elapsed()
}

fn burst(sender: &Sender<Item>, receiver: &mut Receiver<Item>) {
    for turn in 0..BURST {
        let _ = black_box(sender.try_send([turn; 8]));
    }
    while let Some(item) = receiver.pop() {
        black_box(item);
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("lane");
    let (sender, mut receiver) = lane::<Item>("same thread", SLOTS);
    group.bench_function("send and pop, one thread", |b| {
        b.iter(|| {
            let sent = sender.try_send(black_box([1; 8]));
            (sent, receiver.pop())
        });
    });
    group.bench_function("reserve, send and pop, one thread", |b| {
        b.iter(|| {
            if let Ok(permit) = sender.reserve() {
                permit.send(black_box([1; 8]));
            }
            receiver.pop()
        });
    });
    group.throughput(Throughput::Elements(BURST));
    group.bench_function("a burst of 64, one thread", |b| b.iter(|| burst(&sender, &mut receiver)));
    group.throughput(Throughput::Elements(1));
    group.bench_function("to a sleeping thread and back", |b| b.iter_custom(round_trips));
    group.bench_function("stream between two threads", |b| b.iter_custom(stream));
    group.finish();
    criterion.final_summary();
}
