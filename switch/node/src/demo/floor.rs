//! The people of the demo: two agents, and callers who come by a trunk, choose from the menu, wait, talk and hang up.

use super::phones::Handset;
use crate::boot::BootError;
use crate::clock::Clock;
use cordboard_model::time::{Duration, Time};
use cordboard_sim::phone::{Act, Moment, PhoneCommand, PhoneConfig, Plan};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The simulated carrier's address: config/demo.toml knows it as the peer of the trunk `carrier`.
const CARRIER: u16 = 5090;
/// Calls that the carrier can have at a time.
const CARRIER_LINES: u16 = 12;
/// First RTP port of the phones.
const RTP: u16 = 31_000;
/// Longest pause of the phones' thread: a tick of 20 ms is kept, give or take this.
const PAUSE: Duration = Duration::from_millis(2);

/// The demo's phones, on one thread.
pub struct Floor {
    phones: Vec<Handset>,
    clock: Clock,
    rng: ChaCha8Rng,
    /// Mean time between two callers; none calls if there is none.
    every: Option<Duration>,
    next_call: Time,
    number: u32,
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Floor {
    /// Binds the phones' sockets.
    ///
    /// # Errors
    /// One of their ports is in use.
    pub fn open(server: SocketAddr, clock: Clock, callers: u32) -> Result<Self, BootError> {
        let now = clock.now();
        let mut phones = Vec::new();
        let mut carrier = PhoneConfig::new("carrier", "", at(CARRIER), at(RTP), server);
        carrier.lines = CARRIER_LINES;
        carrier.tone_hz = 350;
        carrier.incoming = Plan::reject(404, Duration::ZERO);
        phones.push(Handset::new(carrier, now)?);
        for (index, agent) in ["1001", "1002"].into_iter().enumerate() {
            let index = index as u16;
            let rtp = at(RTP + 100 + 10 * index);
            let mut config = PhoneConfig::new(agent, &format!("demo{agent}"), at(5071 + index), rtp, server);
            config.tone_hz = 500 + 100 * index;
            config.seed = u64::from(index) + 2;
            config.incoming = Plan::answer(Duration::from_millis(1_500 + 1_500 * u64::from(index)));
            let mut handset = Handset::new(config, now)?;
            handset.command(PhoneCommand::Register, now);
            phones.push(handset);
        }
        let every = (callers > 0).then(|| Duration::from_secs(60) / callers);
        let rng = ChaCha8Rng::seed_from_u64(now.as_nanos());
        let next_call = now + Duration::from_millis(500);
        Ok(Self { phones, clock, rng, every, next_call, number: 0 })
    }

    /// Runs until told to stop.
    pub fn run(mut self, stop: &AtomicBool) {
        let mut buf = vec![0u8; 65_535];
        while !stop.load(Relaxed) {
            let now = self.clock.now();
            self.maybe_call(now);
            for phone in &mut self.phones {
                for event in phone.turn(now, &mut buf) {
                    tracing::debug!(?event, "a phone of the demo");
                }
            }
            let due = self.phones.iter().filter_map(Handset::due).min();
            let wait = due.map_or(PAUSE, |due| due.since(self.clock.now()).min(PAUSE));
            std::thread::sleep(wait);
        }
    }

    /// Between `from` and `to` seconds.
    fn seconds(&mut self, from: u32, to: u32) -> Duration {
        let span = u64::from((to - from) * 1_000).max(1);
        Duration::from_millis(u64::from(from) * 1_000 + self.rng.next_u64() % span)
    }

    fn maybe_call(&mut self, now: Time) {
        let Some(every) = self.every else { return };
        if now < self.next_call {
            return;
        }
        let half = u64::try_from(every.as_millis() / 2).unwrap_or(0).max(1);
        self.next_call = now + every / 2 + Duration::from_millis(self.rng.next_u64() % (2 * half));
        self.number += 1;
        let caller = format!("+86138{:08}", 10_000_000 + self.rng.next_u32() % 80_000_000);
        let (to, plan) = self.errand();
        let display = Some(format!("Caller {}", self.number));
        if let Some(carrier) = self.phones.first_mut() {
            carrier.command(PhoneCommand::Call { to, from: Some(caller), display, plan }, now);
        }
    }

    /// What a caller has in mind: most take the menu, some go straight to a queue, some lose patience.
    fn errand(&mut self) -> (String, Plan) {
        let talk = self.seconds(15, 40);
        let choice = self.rng.next_u32() % 10;
        let pressed = self.seconds(3, 8);
        match choice {
            0 => ("501".into(), Plan::call().hang_up_after(talk)),
            1 => ("502".into(), Plan::call().hang_up_after(talk)),
            2 => ("500".into(), Plan::call().hang_up_after(self.seconds(4, 9))),
            _ => {
                let key = if choice < 7 { "1" } else { "2" };
                let plan = Plan::call().then(Moment::Answered, pressed, Act::Press(key.into()));
                ("500".into(), plan.hang_up_after(pressed + talk))
            }
        }
    }
}
