//! What readers see.

use crate::agent::{Agent, Bar, Intent};
use crate::engine::{AcdEngine, Timer};
use crate::queue::Queue;
use cordboard_model::id::{AgentId, QueueId, TenantId};
use cordboard_model::time::Wall;
use cordboard_model::view::{AgentStatus, AgentView, QueueState, QueueView, WaitingView};
use core::fmt::Write as _;

impl AcdEngine {
    /// The queues of a tenant, by name.
    pub fn queues(&self, tenant: TenantId) -> Vec<QueueView> {
        let of_tenant = self.queues.iter().filter(|(id, _)| id.tenant == tenant);
        of_tenant.map(|(id, q)| self.queue_view(id, q)).collect()
    }

    /// What flows are told of a queue.
    pub fn queue_state(&self, id: &QueueId) -> Option<QueueState> {
        let queue = self.queues.get(id)?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (agents, _) = self.staff(queue);
        // One who is ready without a device gets no calls.
        let ready = count(queue.free.len());
        let waiting = count(queue.order.len());
        let at_once = ready > 0 && queue.open.is_empty();
        let wait = queue.wait(waiting.saturating_add(1)).map(|wait| wait.as_secs());
        let wait = if at_once { Some(0) } else { wait.map(|s| u32::try_from(s).unwrap_or(u32::MAX)) };
        Some(QueueState { waiting, full: queue.is_full(), agents, ready, wait })
    }

    /// How many of those who serve a queue are signed in, and how many of them ready.
    pub(crate) fn staff(&self, queue: &Queue) -> (u32, u32) {
        let members = || queue.members.iter().filter_map(|a| self.agents.get(a));
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let signed_in = members().filter(|a| a.status != AgentStatus::SignedOut).count();
        (count(signed_in), count(members().filter(|a| a.status == AgentStatus::Ready).count()))
    }

    /// The agents of a tenant, by work number.
    pub fn agents(&self, tenant: TenantId) -> Vec<AgentView> {
        let of_tenant = self.agents.iter().filter(|(id, _)| id.tenant == tenant);
        of_tenant.map(|(id, a)| self.agent_view(id, a)).collect()
    }

    /// One agent.
    pub fn agent(&self, id: &AgentId) -> Option<AgentView> {
        self.agents.get(id).map(|a| self.agent_view(id, a))
    }

    /// Why an agent is what he is, since when, and what keeps calls from him.
    pub fn explain_agent(&self, id: &AgentId) -> Option<String> {
        let agent = self.agents.get(id)?;
        let word = agent.status.as_str().replace('_', " ");
        let mut text = format!(
            "agent {id} ({}) is {word} since {}: {}.",
            agent.config.display,
            Clock(agent.since),
            agent.why,
        );
        // Writing to a String cannot fail.
        if let Some(call) = agent.call {
            let _ = write!(text, " The call is {call}.");
        }
        if let Some(until) = self.until(id, agent) {
            let _ = write!(text, " It ends by itself at {}.", Clock(until));
        }
        if let Some(intent) = agent.pending {
            let next = intent.status().as_str().replace('_', " ");
            let _ = write!(text, " After the call he will be {next}.");
        }
        if agent.removed {
            text.push_str(" He is no longer configured and goes after this call.");
        }
        if let Some(bar) = self.barred(agent) {
            let _ = write!(text, " He gets no calls: {bar}.");
        }
        match agent.serves.is_empty() {
            true => text.push_str(" He serves no queue."),
            false => self.explain_queues(agent, &mut text),
        }
        Some(text)
    }

    /// Whether no one waits and no agent rings, talks or wraps up.
    pub fn is_quiescent(&self) -> bool {
        let transient =
            |a: &Agent| matches!(a.status, AgentStatus::Ringing | AgentStatus::Talking | AgentStatus::WrapUp);
        self.calls.is_empty() && !self.agents.values().any(transient)
    }

    fn explain_queues(&self, agent: &Agent, text: &mut String) {
        for (i, name) in agent.serves.iter().enumerate() {
            let waiting = self.queues.get(name).map_or(0, |q| q.order.len());
            let lead = if i == 0 { " Serves" } else { "," };
            let _ = write!(text, "{lead} {name} ({waiting} waiting)");
        }
        text.push('.');
    }

    /// Why a ready agent gets no calls, in words.
    fn barred(&self, agent: &Agent) -> Option<String> {
        if agent.intent != Intent::Ready {
            return None;
        }
        Some(match agent.bar()? {
            Bar::NoDevice => format!("account {} has no registered device", agent.config.user),
            Bar::Held(hold) => format!(
                "the last offer failed ({}); next at {}{}",
                hold.cause.as_str().replace('_', " "),
                Clock(self.wall.at(hold.until)),
                if hold.device { " or when he registers" } else { "" },
            ),
        })
    }

    fn until(&self, id: &AgentId, agent: &Agent) -> Option<Wall> {
        let timer = match agent.status {
            AgentStatus::Ringing => Timer::Ring(id.clone()),
            AgentStatus::WrapUp => Timer::WrapUp(id.clone()),
            _ => return None,
        };
        self.deadlines.get(&timer).map(|t| self.wall.at(t))
    }

    fn agent_view(&self, id: &AgentId, agent: &Agent) -> AgentView {
        let why = match self.barred(agent) {
            Some(bar) => format!("{}; gets no calls: {bar}", agent.why),
            None => agent.why.clone(),
        };
        AgentView {
            agent: id.clone(),
            display: agent.config.display.clone(),
            status: agent.status,
            since: agent.since,
            until: self.until(id, agent),
            user: agent.config.user.clone(),
            contacts: agent.contacts,
            call: agent.call,
            why,
            handled: agent.handled,
        }
    }

    fn queue_view(&self, id: &QueueId, queue: &Queue) -> QueueView {
        let (agents_signed_in, agents_ready) = self.staff(queue);
        let waiting = queue.order.iter().zip(1..).map(|((place, call), position)| WaitingView {
            call: *call,
            since: self.wall.at(place.since),
            position,
            offered_to: self.calls.get(call).and_then(|w| w.offered_to.clone()),
        });
        QueueView {
            queue: id.clone(),
            display: queue.config.display.clone(),
            waiting: waiting.collect(),
            agents_signed_in,
            agents_ready,
            offered: queue.offered,
            answered: queue.answered,
            abandoned: queue.abandoned,
            timed_out: queue.timed_out,
        }
    }
}

/// The time of day, UTC. The date stands in the view.
struct Clock(Wall);

impl core::fmt::Display for Clock {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let s = self.0.0.div_euclid(1_000).rem_euclid(86_400);
        write!(f, "{:02}:{:02}:{:02} UTC", s / 3_600, s / 60 % 60, s % 60)
    }
}
