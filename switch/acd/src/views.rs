//! What readers see.

use crate::agent::{Agent, Leg, RING_MARGIN};
use crate::engine::{AcdEngine, Timer};
use crate::queue::{Queue, Waiting};
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_model::view::{AgentStatus, AgentView, QueueState, QueueView, WaitingView};

impl AcdEngine {
    /// The queues of a tenant, by name.
    pub fn queues(&self, tenant: TenantId) -> Vec<QueueView> {
        let of_tenant = self.queues.iter().filter(|(id, _)| id.tenant == tenant);
        of_tenant.map(|(id, q)| self.queue_view(id, q)).collect()
    }

    /// What flows are told of a queue.
    pub fn queue_state(&self, id: &QueueId, now: Time) -> Option<QueueState> {
        let queue = self.queues.get(id)?;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let agents = queue.signed_in;
        // One who is ready without a device gets no calls.
        let ready = count(queue.free.len());
        let waiting = count(queue.order.len());
        let at_once = ready > 0 && queue.open.is_empty();
        let wait = queue.wait(waiting.saturating_add(1), now).map(|wait| wait.as_secs());
        let wait = if at_once { Some(0) } else { wait.map(|s| u32::try_from(s).unwrap_or(u32::MAX)) };
        Some(QueueState { waiting, full: queue.is_full(), agents, ready, wait, position: None })
    }

    /// The same for a caller who waits there: his place, and how long it still is.
    pub fn state_for(&self, call: CallId, now: Time) -> Option<QueueState> {
        let waiting = self.calls.get(&call)?;
        let queue = self.queues.get(&waiting.queue)?;
        let position = queue.position(waiting.place);
        let seconds = |wait: Duration| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
        let wait = queue.wait(position, now).map(seconds);
        let state = self.queue_state(&waiting.queue, now)?;
        Some(QueueState { wait, position: Some(position), ..state })
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

    /// What an agent is once he is in no call: what he asked for.
    pub fn wish(&self, id: &AgentId) -> Option<AgentStatus> {
        let agent = self.agents.get(id)?;
        Some(agent.pending.as_ref().map_or(agent.intent, |asked| asked.intent).status())
    }

    /// Whether no one who is there waits and no agent rings, talks or wraps up.
    pub fn is_quiescent(&self) -> bool {
        use AgentStatus::{Hold, Ringing, Talking, WrapUp};
        let transient =
            |a: &Agent| matches!(a.status, Ringing | Talking | Hold | WrapUp) || !a.chats.is_empty();
        let waits = |w: &Waiting| w.absent.is_none() || !w.offered_to.is_empty();
        !self.calls.values().any(waits) && !self.agents.values().any(transient)
    }

    /// When what he is ends by itself, as he sees it: a ring at the end of its time, and not when it is given up for lost.
    pub(crate) fn until(&self, id: &AgentId, agent: &Agent) -> Option<Wall> {
        let mut margin = Duration::from_millis(0);
        let timer = match agent.status {
            AgentStatus::Ringing if matches!(agent.leg, Leg::Ringing(_)) => {
                margin = RING_MARGIN;
                Timer::Ring(id.clone())
            }
            AgentStatus::Ringing => Timer::ChatRing(id.clone()),
            AgentStatus::WrapUp => Timer::WrapUp(id.clone()),
            AgentStatus::Away => Timer::Device(id.clone()),
            _ => return None,
        };
        let ends = self.wall.at(self.deadlines.get(&timer)?);
        Some(Wall(ends.0.saturating_sub(i64::try_from(margin.as_millis()).unwrap_or(0))))
    }

    fn agent_view(&self, id: &AgentId, agent: &Agent) -> AgentView {
        let why = match self.barred(agent, agent.work()) {
            Some(bar) => format!("{}; gets no {}: {bar}", agent.why, agent.work_word()),
            None => agent.why.clone(),
        };
        AgentView {
            agent: id.clone(),
            display: agent.config.display.clone(),
            status: agent.status,
            since: agent.since,
            until: self.until(id, agent),
            user: agent.config.user.clone(),
            device: Some(agent.device()).filter(|device| device.account() != Some(&agent.config.user)),
            line: None,
            contacts: agent.contacts,
            call: agent.call,
            why,
            reason: agent.told.clone(),
            role: agent.config.duty.role,
            chats: agent.chats.keys().copied().collect(),
            chat_slots: agent.most_chats(),
            organisation: agent.config.duty.organisation.clone(),
            smart: agent.config.duty.smart,
            numbers_label: agent.config.duty.numbers_label,
            locks: Vec::new(),
            handled: agent.handled,
        }
    }

    fn queue_view(&self, id: &QueueId, queue: &Queue) -> QueueView {
        let waiting = queue.order.iter().zip(1..).filter_map(|((place, call), position)| {
            let waiting = self.calls.get(call).filter(|waiting| waiting.absent.is_none())?;
            Some(WaitingView {
                call: *call,
                since: place.since.date(self.wall),
                position,
                offered_to: waiting.offered_to.clone(),
            })
        });
        QueueView {
            queue: id.clone(),
            display: queue.config.display.clone(),
            waiting: waiting.collect(),
            callbacks: u32::try_from(queue.absent).unwrap_or(u32::MAX),
            agents_signed_in: queue.signed_in,
            agents_ready: queue.ready,
            offered: queue.offered,
            answered: queue.answered,
            abandoned: queue.abandoned,
            timed_out: queue.timed_out,
        }
    }
}
