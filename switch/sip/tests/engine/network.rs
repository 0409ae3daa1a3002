//! Two engines over a network that loses, delays, reorders and repeats, with people who hang up
//! whenever they like. When all is quiet nothing may be left on either side, every session has
//! ended exactly once, and nothing came after.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use cordboard_model::cause::Cause;
use cordboard_model::config::{Snapshot, Tenant, Trunk};
use cordboard_model::id::{Name, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::Time;
use cordboard_sip::engine::{
    Datagram, Dest, Directory, Flow, SessionId, SipCommand, SipConfig, SipEngine, SipEvent, SipOutput,
    Transport,
};
use cordboard_sip::wire::Uri;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::bench::{addr, local, snapshot};

const ENDS: [&str; 2] = ["192.0.2.1:5060", "192.0.2.2:5060"];

/// What a person does at some moment.
#[derive(Clone, Copy, Debug)]
enum Act {
    Dial,
    Ring,
    Early,
    Answer,
    HangUp,
    Hold(bool),
}

struct World {
    engines: [SipEngine; 2],
    rng: ChaCha8Rng,
    now: Time,
    /// Datagrams in flight by the time they arrive.
    wire: BTreeMap<(Time, u64), (usize, SocketAddr, Vec<u8>)>,
    plan: BTreeMap<(Time, u64), (usize, Option<SessionId>, Act)>,
    serial: u64,
    loss_per_cent: u32,
    /// Whether the called side never hangs up what it has answered: then only the caller's BYE or
    /// CANCEL ends its sessions, and one that is not sent is missed.
    patient: bool,
    begun: [BTreeSet<SessionId>; 2],
    ended: [BTreeSet<SessionId>; 2],
    answered: u32,
    trace: u64,
}

fn directory(peer: &str) -> Box<Directory> {
    let trunk = Trunk {
        peers: vec![addr(peer)],
        max_calls: 100,
        ..Trunk::new(TrunkId::new(TenantId::DEFAULT, "peer").unwrap())
    };
    let mut world: Snapshot = snapshot();
    for tenant in world.tenants.values_mut() {
        let tenant: &mut Tenant = tenant;
        tenant.trunks = [(Name::new("peer").unwrap(), trunk.clone())].into();
    }
    Box::new(Directory::new(&world))
}

impl World {
    fn new(seed: u64) -> Self {
        let engine = |n: usize| {
            let mut bytes = [n as u8; 32];
            bytes[..8].copy_from_slice(&seed.to_le_bytes());
            let mut engine = SipEngine::new(SipConfig::new(addr(ENDS[n])), bytes, 1);
            engine.handle_command(SipCommand::Configure(directory(ENDS[1 - n])), Time::ZERO);
            engine
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let patient = rng.next_u32().is_multiple_of(2);
        // a patient side relies on a BYE that gets through, as one of eleven does up to 20 %
        let losses = if patient { [0, 5, 10, 20] } else { [0, 5, 20, 40] };
        let loss_per_cent = losses[(rng.next_u32() % 4) as usize];
        Self {
            engines: [engine(0), engine(1)],
            rng,
            now: Time::ZERO,
            wire: BTreeMap::new(),
            plan: BTreeMap::new(),
            serial: 0,
            loss_per_cent,
            patient,
            begun: Default::default(),
            ended: Default::default(),
            answered: 0,
            trace: 0,
        }
    }

    fn random_ms(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.rng.next_u64() % most)
    }

    fn post(&mut self, to: usize, from: SocketAddr, bytes: Vec<u8>) {
        for byte in &bytes {
            self.trace = self.trace.wrapping_mul(1_099_511_628_211) ^ u64::from(*byte);
        }
        let copies = match self.rng.next_u32() % 100 {
            n if n < self.loss_per_cent => 0,
            n if n >= 95 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            self.serial += 1;
            let at = self.now + Duration::from_millis(1) + self.random_ms(120);
            self.wire.insert((at, self.serial), (to, from, bytes.clone()));
        }
    }

    fn later(&mut self, most_ms: u64, at: usize, session: Option<SessionId>, act: Act) {
        self.serial += 1;
        let when = self.now + self.random_ms(most_ms);
        self.plan.insert((when, self.serial), (at, session, act));
    }

    fn drain(&mut self, at: usize) {
        while let Some(output) = self.engines[at].poll_output() {
            match output {
                SipOutput::Transmit { flow, bytes } => {
                    assert_eq!(flow.remote, addr(ENDS[1 - at]));
                    self.post(1 - at, flow.local, bytes);
                }
                SipOutput::Event(event) => self.on_event(at, event),
                SipOutput::Registered(_)
                | SipOutput::Unregistered { .. }
                | SipOutput::Reply(_)
                | SipOutput::Banned(_) => {
                    unreachable!()
                }
            }
        }
    }

    fn on_event(&mut self, at: usize, event: SipEvent) {
        let session = event.session();
        assert!(!self.ended[at].contains(&session), "after the end: {event:?}");
        match event {
            SipEvent::Incoming(_) => {
                assert!(self.begun[at].insert(session));
                let now = Some(session);
                match self.rng.next_u32() % 10 {
                    0 => self.later(3_000, at, now, Act::HangUp),
                    1 | 2 => self.later(500, at, now, Act::Early),
                    _ => self.later(500, at, now, Act::Ring),
                }
                self.later(6_000, at, now, Act::Answer);
                if !self.patient {
                    self.later(20_000, at, now, Act::HangUp);
                }
            }
            SipEvent::Answered { .. } | SipEvent::Confirmed { .. } => {
                self.answered += 1;
                for on in [true, false] {
                    if self.rng.next_u32().is_multiple_of(3) {
                        self.later(5_000, at, Some(session), Act::Hold(on));
                    }
                }
            }
            SipEvent::Ended { .. } => {
                self.ended[at].insert(session);
            }
            _ => {}
        }
    }

    fn act(&mut self, at: usize, session: Option<SessionId>, act: Act) {
        let command = match (act, session) {
            (Act::Dial, _) => {
                let session = self.engines[at].new_session();
                self.begun[at].insert(session);
                self.later(25_000, at, Some(session), Act::HangUp);
                SipCommand::Invite {
                    session,
                    target: Dest::Uri {
                        uri: Uri::parse(&format!("sip:100@{}", ENDS[1 - at])).unwrap(),
                        flow: Flow::udp(addr(ENDS[at]), addr(ENDS[1 - at])),
                        routes: Vec::new(),
                        credentials: None,
                    },
                    from: PartyId::new("4711"),
                    to: PartyId::new("100"),
                    host: "example.com".into(),
                    local: local(30_000),
                    told: Box::default(),
                }
            }
            (Act::Ring, Some(session)) => SipCommand::Ring { session },
            (Act::Early, Some(session)) => SipCommand::EarlyMedia { session, local: local(30_000) },
            (Act::Answer, Some(session)) => SipCommand::Answer { session, local: local(30_000) },
            (Act::HangUp, Some(session)) => SipCommand::HangUp { session, cause: Cause::Normal, text: None },
            (Act::Hold(on), Some(session)) => SipCommand::Hold { session, on },
            (_, None) => return,
        };
        self.engines[at].handle_command(command, self.now);
        self.drain(at);
    }

    /// One step to the next moment at which anything happens; false when nothing will.
    fn step(&mut self) -> bool {
        let timers = self.engines.iter().filter_map(|e| e.poll_timeout());
        let timer = timers.map(|(at, _)| at).min();
        let wire = self.wire.first_key_value().map(|((at, _), _)| *at);
        let plan = self.plan.first_key_value().map(|((at, _), _)| *at);
        let Some(next) = [timer, wire, plan].into_iter().flatten().min() else {
            return false;
        };
        self.now = self.now.max(next);
        if wire == Some(next) {
            if let Some((_, (to, from, bytes))) = self.wire.pop_first() {
                let datagram = Datagram {
                    transport: Transport::Udp,
                    local: addr(ENDS[to]),
                    remote: from,
                    bytes: &bytes,
                };
                self.engines[to].handle_input(datagram, self.now);
                self.drain(to);
            }
        } else if plan == Some(next) {
            if let Some((_, (at, session, act))) = self.plan.pop_first() {
                self.act(at, session, act);
            }
        } else {
            for at in [0, 1] {
                self.engines[at].handle_timeout(self.now);
                self.drain(at);
            }
        }
        true
    }
}

/// Runs a seed to quiescence; returns how many sides were answered, and a hash of all bytes.
fn run(seed: u64) -> (u32, u64) {
    let mut world = World::new(seed);
    for n in 0..6 {
        world.later(15_000, n % 2, None, Act::Dial);
    }
    let mut steps = 0;
    while world.step() {
        steps += 1;
        assert!(steps < 50_000, "seed {seed}: it never ends");
    }
    assert!(world.now < Time::from_millis(400_000), "seed {seed}: {:?}", world.now);
    for at in [0, 1] {
        let engine = &world.engines[at];
        assert!(engine.is_quiescent(), "seed {seed}, side {at}: {engine:#?}");
        assert_eq!(world.begun[at], world.ended[at], "seed {seed}, side {at}");
        assert!(world.begun[at].len() >= 3, "seed {seed}");
    }
    (world.answered, world.trace)
}

#[test]
fn two_engines_leave_nothing_behind_whatever_the_network_does() {
    let mut answered = 0;
    for seed in 0..400 {
        answered += run(seed).0;
    }
    assert!(answered > 1_000, "{answered}");
}

#[test]
fn a_seed_replays_byte_for_byte() {
    for seed in [3, 77] {
        assert_eq!(run(seed), run(seed));
    }
}
