//! A switchboard of one tenant to try the engine on.

use super::check::check;
use crate::{AcdCommand, AcdEngine, AcdInput, AcdOutput, Outcome, Refused, Wish};
use cordboard_model::cause::Cause;
use cordboard_model::config::{self, Snapshot};
use cordboard_model::id::{AgentId, CallId, Name, QueueId, TenantId, UserId};
use cordboard_model::service::{AgentOrder, Duty, Service, Spare};
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::verb::QueueEnd;
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;

pub(crate) const T: TenantId = TenantId::DEFAULT;
/// 2026-11-20 12:00:00 UTC.
pub(super) const NOON: Wall = Wall(1_795_176_000_000);

pub(crate) fn call(n: u64) -> CallId {
    CallId { tenant: T, start: 1, shard: 0, number: n }
}

pub(crate) fn agent(name: &str) -> AgentId {
    AgentId::new(T, name).unwrap()
}

pub(crate) fn queue(name: &str) -> QueueId {
    QueueId::new(T, name).unwrap()
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(T, name).unwrap()
}

/// A queue: 20 s of ringing, 10 s of wrap-up, 300 s of waiting, 100 places, no answer means rest.
pub(crate) fn queue_config(name: &str) -> config::Queue {
    config::Queue {
        id: queue(name),
        display: name.to_uppercase(),
        music: None,
        announce_every: None,
        announce_wait: true,
        language: "en".into(),
        ring: Duration::from_secs(20),
        wrap_up: Duration::from_secs(10),
        max_wait: Duration::from_secs(300),
        max_length: 100,
        audio: Default::default(),
        service: Service::default(),
        caller_pool: None,
        figures: Default::default(),
        callback: Default::default(),
    }
}

/// An agent whose account has his name.
pub(crate) fn agent_config(name: &str, queues: &[&str]) -> config::Agent {
    config::Agent {
        id: agent(name),
        display: format!("Agent {name}"),
        user: user(name),
        queues: queues.iter().map(|q| queue(q)).collect(),
        auto_sign_in: false,
        duty: Duty::default(),
        record: None,
    }
}

pub(crate) fn snapshot(queues: Vec<config::Queue>, agents: Vec<config::Agent>) -> Snapshot {
    let tenant = config::Tenant {
        id: T,
        display: "Default".into(),
        agents: agents.into_iter().map(|a| (a.id.name.clone(), a)).collect(),
        queues: queues.into_iter().map(|q| (q.id.name.clone(), q)).collect(),
        ..config::Tenant::new(T)
    };
    Snapshot { version: 1, limits: config::Limits::default(), tenants: BTreeMap::from([(T, tenant)]) }
}

/// The engine, its clock and everything it said. Every step ends with a check of all invariants.
pub(super) struct Bench {
    pub(super) engine: AcdEngine,
    pub(super) now: Time,
    pub(super) config: Snapshot,
    /// Outputs since [`Bench::take`].
    pub(super) out: Vec<AcdOutput>,
}

impl Bench {
    /// One queue `sales`, these agents signed in, ready and with one device each, idle in this
    /// order, one second between them.
    pub(super) fn with_agents(names: &[&str]) -> Self {
        let agents = names.iter().map(|n| agent_config(n, &["sales"])).collect();
        let mut bench = Self::of(snapshot(vec![queue_config("sales")], agents));
        for name in names {
            bench.arrive(name);
            bench.pass(1_000);
        }
        bench.take();
        bench
    }

    /// Nobody signed in, nobody registered.
    pub(super) fn of(config: Snapshot) -> Self {
        let mut bench = Self {
            engine: AcdEngine::new(WallClock { at_zero: NOON }),
            now: Time::from_millis(1_000),
            config,
            out: Vec::new(),
        };
        bench.configure();
        bench
    }

    pub(super) fn configure(&mut self) {
        let config = self.config.clone();
        self.command(AcdCommand::Configure(&config)).unwrap();
    }

    pub(super) fn queue_mut(&mut self, name: &str) -> &mut config::Queue {
        let tenant = self.config.tenants.get_mut(&T).unwrap();
        tenant.queues.get_mut(&Name::new(name).unwrap()).unwrap()
    }

    pub(super) fn remove_agent(&mut self, name: &str) -> config::Agent {
        let tenant = self.config.tenants.get_mut(&T).unwrap();
        tenant.agents.remove(&Name::new(name).unwrap()).unwrap()
    }

    pub(super) fn put_agent(&mut self, agent: config::Agent) {
        let tenant = self.config.tenants.get_mut(&T).unwrap();
        tenant.agents.insert(agent.id.name.clone(), agent);
    }

    pub(super) fn remove_queue(&mut self, name: &str) {
        let tenant = self.config.tenants.get_mut(&T).unwrap();
        tenant.queues.remove(&Name::new(name).unwrap()).unwrap();
        for agent in tenant.agents.values_mut() {
            agent.queues.retain(|q| q.name.as_str() != name);
        }
    }

    pub(super) fn command(&mut self, command: AcdCommand<'_>) -> Result<(), Refused> {
        let done = self.engine.handle_command(command, self.now);
        self.drain();
        done
    }

    pub(super) fn tell(&mut self, input: AcdInput) {
        self.engine.handle_input(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            self.out.push(output);
        }
        check(&self.engine, self.now);
    }

    /// Lets time pass; every deadline is met in time.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn take(&mut self) -> Vec<AcdOutput> {
        core::mem::take(&mut self.out)
    }

    // Agents.

    /// Registers a device, signs in and is ready.
    pub(super) fn arrive(&mut self, name: &str) {
        self.contacts(name, 1);
        self.sign_in(name);
        self.ready(name).unwrap();
    }

    pub(super) fn order(&mut self, name: &str, what: AgentOrder) -> Result<(), Refused> {
        self.command(order(name, what))
    }

    pub(super) fn sign_in(&mut self, name: &str) {
        self.order(name, AgentOrder::SignIn).unwrap();
    }

    pub(super) fn sign_out(&mut self, name: &str) {
        self.order(name, AgentOrder::SignOut).unwrap();
    }

    pub(super) fn ready(&mut self, name: &str) -> Result<(), Refused> {
        self.order(name, AgentOrder::Ready)
    }

    pub(super) fn not_ready(&mut self, name: &str) {
        self.order(name, AgentOrder::NotReady { reason: None }).unwrap();
    }

    pub(super) fn rest(&mut self, name: &str) {
        self.order(name, AgentOrder::Rest { reason: None, limit: None }).unwrap();
    }

    pub(super) fn contacts(&mut self, name: &str, count: u32) {
        let user = user(name);
        self.tell(AcdInput::Contacts { user, count });
    }

    pub(super) fn holds(&mut self, n: u64, name: &str, on: bool) {
        self.tell(AcdInput::Held { agent: agent(name), call: call(n), on });
    }

    pub(super) fn agent_mut(&mut self, name: &str) -> &mut config::Agent {
        let tenant = self.config.tenants.get_mut(&T).unwrap();
        tenant.agents.get_mut(&Name::new(name).unwrap()).unwrap()
    }

    /// Gives an agent so many seconds without a device.
    pub(super) fn graced(&mut self, name: &str, secs: u64) {
        self.agent_mut(name).duty.device_grace = Some(Duration::from_secs(secs));
        self.configure();
    }

    pub(super) fn outside(&mut self, name: &str, n: Option<u64>) {
        self.tell(AcdInput::AgentBusyOutside { agent: agent(name), call: n.map(call) });
    }

    pub(super) fn status(&self, name: &str) -> AgentStatus {
        self.engine.agent(&agent(name)).unwrap().status
    }

    pub(super) fn explain(&self, name: &str) -> String {
        self.engine.explain_agent(&agent(name)).unwrap()
    }

    // Calls.

    pub(super) fn enter(&mut self, n: u64) {
        self.enter_as(n, "sales", 0);
    }

    pub(super) fn enter_as(&mut self, n: u64, name: &str, priority: u8) {
        self.tell(AcdInput::Enter {
            call: call(n),
            queue: queue(name),
            timeout_ms: None,
            priority,
            staffed: false,
            wish: None,
        });
    }

    /// Enters a queue for as long as an agent is signed in to it.
    pub(super) fn enter_staffed(&mut self, n: u64) {
        let (call, queue) = (call(n), queue("sales"));
        self.tell(AcdInput::Enter { call, queue, timeout_ms: None, priority: 0, staffed: true, wish: None });
    }

    /// Enters `sales` and would have this agent, for so many seconds or for ever.
    pub(super) fn enter_for(&mut self, n: u64, name: &str, wait: Option<u64>) {
        let (call, queue) = (call(n), queue("sales"));
        let wish = Some(Wish { agent: agent(name), wait: wait.map(Duration::from_secs) });
        self.tell(AcdInput::Enter { call, queue, timeout_ms: None, priority: 0, staffed: false, wish });
    }

    pub(super) fn abandon(&mut self, n: u64) {
        self.tell(AcdInput::Abandoned { call: call(n) });
    }

    pub(super) fn rings(&mut self, n: u64, name: &str) {
        self.tell(AcdInput::OfferRinging { call: call(n), agent: agent(name) });
    }

    pub(super) fn answer(&mut self, n: u64, name: &str) {
        self.tell(AcdInput::OfferAnswered { call: call(n), agent: agent(name) });
    }

    pub(super) fn fail(&mut self, n: u64, name: &str, why: Cause) {
        self.tell(AcdInput::OfferFailed { call: call(n), agent: agent(name), why, caller_gone: false });
    }

    pub(super) fn release(&mut self, n: u64, name: &str) {
        self.tell(AcdInput::AgentReleased { call: call(n), agent: agent(name) });
    }

    /// Who waits in a queue, in order.
    pub(super) fn waiting(&self, name: &str) -> Vec<u64> {
        let views = self.engine.queues(T);
        let view = views.iter().find(|v| v.queue == queue(name)).unwrap();
        view.waiting.iter().map(|w| w.call.number).collect()
    }

    /// The offers made since the last look, as call and agent.
    pub(super) fn offers(&mut self) -> Vec<(u64, String)> {
        offers(&self.take())
    }

    /// The waits ended by the switch since the last look.
    pub(super) fn ends(&self) -> Vec<(u64, QueueEnd)> {
        let end = |o: &AcdOutput| match o {
            AcdOutput::QueueEnded { call, end, .. } => Some((call.number, *end)),
            _ => None,
        };
        self.out.iter().filter_map(end).collect()
    }

    /// Who left since the last look, and how.
    pub(super) fn left(&self) -> Vec<(u64, Outcome)> {
        let left = |o: &AcdOutput| match o {
            AcdOutput::Left { call, outcome, .. } => Some((call.number, *outcome)),
            _ => None,
        };
        self.out.iter().filter_map(left).collect()
    }

    /// The offers taken back since the last look.
    pub(super) fn withdrawn(&self) -> Vec<(u64, String)> {
        let withdrawn = |o: &AcdOutput| match o {
            AcdOutput::Withdraw { call, agent } => Some((call.number, agent.name.to_string())),
            _ => None,
        };
        self.out.iter().filter_map(withdrawn).collect()
    }

    /// The statuses an agent went through since the last look.
    pub(super) fn went(&self, name: &str) -> Vec<AgentStatus> {
        let id = agent(name);
        let went = |o: &AcdOutput| match o {
            AcdOutput::AgentChanged { agent, status, .. } if *agent == id => Some(*status),
            _ => None,
        };
        self.out.iter().filter_map(went).collect()
    }
}

pub(super) fn offers(out: &[AcdOutput]) -> Vec<(u64, String)> {
    let offer = |o: &AcdOutput| match o {
        AcdOutput::Offer { call, agent, .. } => Some((call.number, agent.name.to_string())),
        _ => None,
    };
    out.iter().filter_map(offer).collect()
}

/// An agent's own order.
pub(super) fn order(name: &str, what: AgentOrder) -> AcdCommand<'static> {
    AcdCommand::Order { agent: agent(name), what, by: None }
}

/// A queue whose agents stay ready when they let it ring.
pub(super) fn no_rest(queue: &mut config::Queue) {
    queue.service.unanswered.no_answer = Spare::For(Duration::from_secs(5));
}

/// Shorthand for an expected offer.
pub(super) fn to(n: u64, name: &str) -> (u64, String) {
    (n, name.into())
}
