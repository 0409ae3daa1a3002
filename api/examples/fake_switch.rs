//! The control plane over a switch that has no calls: a floor is made up, so that the page and a client can be tried
//! without a phone.
//!
//! `cargo run -p cordboard-api --example fake_switch -- [PORT] [empty|busy|full] [ask]`; with `ask` the page is given no
//! key and asks for one, which is `fake-key`.

#[path = "../tests/api/fake/mod.rs"]
mod fake;

use cordboard_api::routes::router;
use cordboard_api::state::ApiConfig;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, FlowId, IdError, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::Wall;
use cordboard_model::view::{AgentStatus, CallStage, RouteReason};
use fake::{Fake, Floor};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const KEY: &str = "fake-key";
/// How much is made up before the first reader comes, milliseconds.
const BEFORE: i64 = 420_000;
/// The walk's step, milliseconds.
const STEP: i64 = 250;

const NAMES: [&str; 12] = [
    "Li Wei",
    "Chen Jing",
    "Wang Fang",
    "Zhao Lei",
    "Sun Yue",
    "Ana Costa",
    "Tom Reed",
    "Mia Lund",
    "Zhou Min",
    "Wu Hao",
    "Eva Blum",
    "Omar Aziz",
];
const CALLERS: [&str; 8] = ["", "Zhang San", "", "", "Acme Ltd", "", "Hotel Riva", ""];

/// How much goes on.
#[derive(Clone, Copy)]
struct Scale {
    agents: u64,
    calls: usize,
    /// Mean time between callers, in steps.
    gap: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let port = words.iter().find_map(|word| word.parse().ok()).unwrap_or(8090);
    let scale = match words.iter().find(|word| matches!(word.as_str(), "empty" | "full")).map(String::as_str)
    {
        Some("empty") => Scale { agents: 2, calls: 0, gap: u64::MAX },
        Some(_) => Scale { agents: 30, calls: 50, gap: 4 },
        None => Scale { agents: 9, calls: 12, gap: 50 },
    };
    let start = u32::try_from(wall().0 / 1_000)?;
    let switch = Fake::new(start, &[(KEY, TenantId::DEFAULT)]);
    let mut walk = Walk::new(scale)?;
    switch.on(TenantId::DEFAULT, |floor| {
        floor.now = Wall(wall().0 - BEFORE);
        walk.furnish(floor);
        for _ in 0..BEFORE / STEP {
            floor.now = Wall(floor.now.0 + STEP);
            walk.step(floor);
        }
    });
    let page_key = (!words.iter().any(|word| word == "ask")).then(|| KEY.to_owned());
    let app = router(Arc::new(switch.clone()), ApiConfig { page_key, ..ApiConfig::default() });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/ with key {KEY}", listener.local_addr()?);
    tokio::spawn(live(switch, walk));
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}

async fn live(switch: Fake, mut walk: Walk) {
    let mut steps = tokio::time::interval(Duration::from_millis(STEP as u64));
    loop {
        steps.tick().await;
        switch.on(TenantId::DEFAULT, |floor| {
            floor.now = wall();
            walk.step(floor);
        });
    }
}

fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What a made-up caller does next, and when.
enum Next {
    Menu,
    Choose,
    Take(AgentId),
    Hang(AgentId),
    GiveUp,
}

/// A seeded random walk over the floor.
struct Walk {
    scale: Scale,
    seed: u64,
    queues: Vec<QueueId>,
    calls: BTreeMap<CallId, (Wall, Next)>,
    agents: BTreeMap<AgentId, Wall>,
}

impl Walk {
    fn new(scale: Scale) -> Result<Self, IdError> {
        let queues = ["sales", "service", "billing"].map(|name| QueueId::new(TenantId::DEFAULT, name));
        Ok(Self {
            scale,
            seed: 0x9e37_79b9_7f4a_7c15,
            queues: queues.into_iter().collect::<Result<_, _>>()?,
            calls: BTreeMap::new(),
            agents: BTreeMap::new(),
        })
    }

    /// xorshift64: below `bound`.
    fn draw(&mut self, bound: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % bound.max(1)
    }

    fn after(&mut self, now: Wall, least_ms: u64, spread_ms: u64) -> Wall {
        Wall(now.0 + (least_ms + self.draw(spread_ms)) as i64)
    }

    fn furnish(&mut self, floor: &mut Floor) {
        for (queue, display) in self.queues.iter().zip(["Sales", "Service", "Billing"]) {
            floor.add_queue(queue, display);
        }
        for (at, name) in (0..self.scale.agents).zip(NAMES.iter().cycle()) {
            let status = match at % 9 {
                5 => AgentStatus::NotReady,
                7 => AgentStatus::Rest,
                8 => AgentStatus::SignedOut,
                _ if self.scale.calls == 0 => AgentStatus::SignedOut,
                _ => AgentStatus::Ready,
            };
            if let Ok(agent) = AgentId::new(TenantId::DEFAULT, &(1001 + at).to_string()) {
                floor.add_agent(&agent, name, status);
            }
        }
    }

    fn step(&mut self, floor: &mut Floor) {
        if self.calls.len() < self.scale.calls && self.draw(self.scale.gap) == 0 {
            self.arrive(floor);
        }
        let due: Vec<CallId> =
            self.calls.iter().filter(|(_, (at, _))| *at <= floor.now).map(|(call, _)| *call).collect();
        for call in due {
            if let Some((_, next)) = self.calls.remove(&call) {
                self.go_on(floor, call, next);
            }
        }
        let rested: Vec<AgentId> =
            self.agents.iter().filter(|(_, at)| **at <= floor.now).map(|(agent, _)| agent.clone()).collect();
        for agent in rested {
            self.agents.remove(&agent);
            floor.agent_is(&agent, AgentStatus::Ready, "wrap-up time is over", None);
        }
        self.serve(floor);
    }

    fn arrive(&mut self, floor: &mut Floor) {
        let from = PartyId {
            user: format!("+86139{:08}", self.draw(100_000_000)),
            display: CALLERS[self.draw(CALLERS.len() as u64) as usize].into(),
        };
        let call = floor.arrive(from, "4008001234");
        let reason = |plugin: &str, verdict: &str, why: &str| RouteReason {
            plugin: plugin.into(),
            verdict: verdict.into(),
            why: why.into(),
            rejected: Vec::new(),
        };
        let reasons = vec![
            reason("registered-extension", "pass", "4008001234 is no account"),
            reason("called-number", "decide", "access code 4008001234 leads to flow welcome"),
        ];
        floor.route(call, "flow default/welcome", reasons);
        let at = self.after(floor.now, 250, 500);
        self.calls.insert(call, (at, Next::Menu));
    }

    fn go_on(&mut self, floor: &mut Floor, call: CallId, next: Next) {
        let queue = self.queues[(call.number % 3) as usize].clone();
        match next {
            Next::Menu => {
                floor.event(EventKind::CallAnswered { call });
                if let Ok(flow) = FlowId::new(TenantId::DEFAULT, "welcome") {
                    floor.event(EventKind::FlowStarted { call, flow });
                }
                floor.stage(call, CallStage::Flow, None, None);
                let at = self.after(floor.now, 4_000, 9_000);
                self.calls.insert(call, (at, Next::Choose));
            }
            Next::Choose => {
                floor.event(EventKind::Digit { call, digit: char::from(b'1' + (call.number % 3) as u8) });
                let (key, value) = ("choice".to_owned(), queue.name.to_string().into());
                floor.event(EventKind::DataChanged { call, key, value });
                floor.enqueue(call, &queue);
                let at = self.after(floor.now, 60_000, 120_000);
                self.calls.insert(call, (at, Next::GiveUp));
            }
            Next::Take(agent) => {
                floor.bridge(call, &queue, &agent);
                let at = self.after(floor.now, 20_000, 110_000);
                self.calls.insert(call, (at, Next::Hang(agent)));
            }
            Next::Hang(agent) => {
                floor.end(call, Cause::Normal, Party::Caller);
                floor.agent_is(&agent, AgentStatus::WrapUp, "the call is over", Some(call));
                let at = self.after(floor.now, 8_000, 12_000);
                self.agents.insert(agent, at);
            }
            Next::GiveUp => {
                floor.leave(call, &queue, "abandoned");
                floor.end(call, Cause::Cancelled, Party::Caller);
            }
        }
    }

    /// Offers the first caller of each queue to a ready agent.
    fn serve(&mut self, floor: &mut Floor) {
        for view in floor.queue_views() {
            let Some(first) = view.waiting.iter().find(|one| one.offered_to.is_empty()) else {
                continue;
            };
            let ready = |status: AgentStatus| status == AgentStatus::Ready;
            let Some(agent) = floor.agents.values().filter(|a| ready(a.status)).min_by_key(|a| a.since)
            else {
                return;
            };
            // Agents answer when they are free for a while, so that the queue is seen to move.
            if floor.now.0 - agent.since.0 < 1_000 {
                continue;
            }
            let (call, agent) = (first.call, agent.agent.clone());
            floor.offer(call, &view.queue, &agent);
            let at = self.after(floor.now, 2_000, 5_000);
            self.calls.insert(call, (at, Next::Take(agent)));
        }
    }
}
