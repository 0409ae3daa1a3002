//! `load events`: how soon an event is at the page of its agent, and an order of that page on the wire.
//!
//! Agents' phones are called by way of a queue, so many times a second, talk for a while and hang up; each agent has a stream of
//! his own (server-sent events, `agent=` his name). From a phone's BYE to his `agent_status` is an event's way. Now and then
//! an agent who talks is told to leave by `release`: from the request to his phone's BYE is an order's.
//!
//! Invariant: each time is taken before what begins it is sent and after what ends it was read, by one clock.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::drive;
use super::machine;
use super::options::Options;
use super::place::HTTP;
use super::queue::{Reading, Shared, agents, callers, percentiles, start, wait};
use super::switch::KEY;
use crate::outcome::Outcome;

/// Most calls of the switch: with as many as other drivers allow it, a usual limit of open files leaves no room for a
/// thousand streams.
const CALLS: u32 = 2_000;
/// Orders a second.
const ORDERS: u32 = 10;
/// How long an agent talks.
const TALK: Duration = Duration::from_secs(2);
/// Goals, milliseconds that 99 of a hundred do not exceed.
const GOAL_EVENT: f64 = 10.0;
const GOAL_ORDER: f64 = 2.0;

pub(super) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let numbers = ["--agents", "--rate", "--seconds"].as_slice();
    drive(root, "events", Options::new(arguments, numbers, &["--no-build"]), |binary, dir, options| {
        let (agents, rate) = (options.number("--agents", 1_000), options.number("--rate", 50));
        let seconds = options.number("--seconds", 60);
        println!("{} cores; the switch on one of them, everybody else on another", machine::cores());
        let switch = start(binary, dir, agents, 1, Some(CALLS), "entry")?;
        let count = rate * seconds;
        let shared = Shared::of(count, TALK).with_agents(agents);
        machine::stay_apart();
        let (seen, streams, orders, used) = thread::scope(|scope| {
            let calling = scope.spawn(|| callers::run(&shared, 1));
            let serving = scope.spawn(|| agents::run(&shared, agents));
            let driven = wait("agents are registered", &shared.registered, agents).and_then(|()| {
                let streams = Streams::open(agents).map_err(|error| format!("a stream: {error}"))?;
                let before = Reading::take(&switch);
                let reading = scope.spawn(|| streams.read(&shared));
                let ordering = scope.spawn(|| order(&shared));
                shared.rate.store(rate, Relaxed);
                shared.wanted.store(count, Relaxed);
                sleep(Duration::from_secs(u64::from(seconds)) + 2 * TALK);
                let over = wait("calls are over", &shared.ended, count);
                shared.over.store(true, Relaxed);
                let wrong = |what: &str| format!("the {what} ended badly");
                let streams = reading.join().map_err(|_| wrong("streams"))?;
                let orders = ordering.join().map_err(|_| wrong("orders"))?;
                let streams = streams.map_err(|error| format!("a stream: {error}"))?;
                let orders = orders.map_err(|error| format!("an order: {error}"))?;
                over.map(|()| (streams, orders, before.spent(&switch)))
            });
            shared.over.store(true, Relaxed);
            let seen = serving.join().map_err(|_| "the agents ended badly".to_owned())?;
            let called = calling.join().map_err(|_| "the callers ended badly".to_owned())?;
            let (streams, orders, used) = driven?;
            called.map_err(|error| format!("the callers: {error}"))?;
            Ok::<_, String>((seen.map_err(|error| format!("the agents: {error}"))?, streams, orders, used))
        })?;
        let (mut ways, mut wires) = (streams, seen.ordered);
        let (events, told) = (ways.len(), wires.len());
        let (p50, p99, most) = percentiles(&mut ways);
        println!("result events={events} wire_to_reader_p50_ms={p50:.2} p99_ms={p99:.2} most_ms={most:.2}");
        let (order_p50, order_p99, order_most) = percentiles(&mut wires);
        println!(
            "result orders={told} of={orders} command_to_wire_p50_ms={order_p50:.2} p99_ms={order_p99:.2} \
             most_ms={order_most:.2}"
        );
        let failed = shared.failed.load(Relaxed);
        println!(
            "result agents={agents} rate={rate} calls={count} failed={failed} cpu_seconds={:.1} foreign_percent={:.0} \
             steal_percent={:.0}",
            used.cpu, used.others.foreign, used.others.steal
        );
        Ok(p99 < GOAL_EVENT && order_p99 < GOAL_ORDER && failed == 0 && events >= count as usize / 2)
    })
}

/// Every agent's stream.
struct Streams {
    all: Vec<(TcpStream, Vec<u8>)>,
    ready: Epoll,
}

impl Streams {
    fn open(agents: u32) -> io::Result<Self> {
        let ready = Epoll::new(EpollCreateFlags::empty())?;
        let mut all = Vec::new();
        for agent in 0..agents {
            let mut stream = TcpStream::connect(HTTP)?;
            let name = agents::name(agent as usize);
            let ask = format!(
                "GET /api/v1/events?agent={name} HTTP/1.1\r\nHost: {HTTP}\r\nX-Api-Key: {KEY}\r\n\
                 Accept: text/event-stream\r\n\r\n"
            );
            stream.write_all(ask.as_bytes())?;
            // It follows once its snapshot is here.
            let mut held = Vec::new();
            while !contains(&held, b"\"message\":\"snapshot\"") {
                let mut part = [0; 4_096];
                match stream.read(&mut part)? {
                    0 => return Err(io::Error::other(String::from_utf8_lossy(&held).into_owned())),
                    read => held.extend_from_slice(part.get(..read).unwrap_or_default()),
                }
            }
            stream.set_nonblocking(true)?;
            let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(agent));
            ready.add(stream.as_fd(), event)?;
            all.push((stream, Vec::new()));
        }
        Ok(Self { all, ready })
    }

    /// Reads until it is over; how long each event was on its way, nanoseconds.
    fn read(mut self, shared: &Shared) -> io::Result<Vec<u64>> {
        let mut ways = Vec::new();
        let mut events = [EpollEvent::empty(); 64];
        while !shared.is_over() {
            let count = self.ready.wait(&mut events, EpollTimeout::from(20_u8))?;
            for event in events.iter().take(count) {
                let agent = usize::try_from(event.data()).unwrap_or(usize::MAX);
                if let Some((stream, held)) = self.all.get_mut(agent) {
                    take(stream, held)?;
                    let now = shared.now();
                    // He has hung up, and is told that he is free.
                    if contains(held, b"\"type\":\"agent_status\"")
                        && let Some(sent) = shared.left(agent)
                    {
                        ways.push(now.saturating_sub(sent));
                    }
                    held.clear();
                }
            }
        }
        Ok(ways)
    }
}

fn take(stream: &mut TcpStream, held: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 16_384];
    loop {
        match stream.read(&mut part) {
            Ok(0) => return Err(io::Error::other("it was ended")),
            Ok(read) => held.extend_from_slice(part.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|part| part == what)
}

/// Tells agents who talk to leave, over one connection, until it is over; how many were told.
fn order(shared: &Shared) -> io::Result<u32> {
    let mut stream = TcpStream::connect(HTTP)?;
    stream.set_nodelay(true)?;
    let (begun, mut told) = (Instant::now(), 0_u32);
    while !shared.is_over() {
        sleep(
            (Duration::from_secs(1) / ORDERS * (told + 1))
                .saturating_sub(begun.elapsed())
                .min(Duration::from_millis(100)),
        );
        let Some(agent) = shared.talks() else { continue };
        let name = agents::name(agent);
        let ask = format!(
            "POST /api/v1/agents/{name}/release HTTP/1.1\r\nHost: {HTTP}\r\nX-Api-Key: {KEY}\r\n\
             Content-Length: 0\r\n\r\n"
        );
        shared.orders(agent);
        stream.write_all(ask.as_bytes())?;
        told += 1;
        let mut held = Vec::new();
        // An answer is short; where he had left already it is a refusal.
        while !contains(&held, b"}") {
            let mut part = [0; 4_096];
            match stream.read(&mut part)? {
                0 => return Err(io::Error::other("the connection was ended")),
                read => held.extend_from_slice(part.get(..read).unwrap_or_default()),
            }
        }
    }
    Ok(told)
}
