//! Why things are as they are, for people: of an agent, and of a queue.

use crate::agent::{Agent, Bar, Hold, Intent};
use crate::configure::can_serve;
use crate::engine::AcdEngine;
use crate::queue::Queue;
use crate::reason::{InOrder, Seconds};
use cordboard_model::id::{AgentId, Name, QueueId};
use cordboard_model::service::{Strategy, Work};
use cordboard_model::time::{Time, Wall};
use core::fmt::Write as _;

/// At most so many callers and agents are named.
const NAMED_MAX: usize = 20;

impl AcdEngine {
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
        if let Some(reason) = &agent.told {
            let _ = write!(text, " The reason is {reason:?}.");
        }
        if agent.gone {
            text.push_str(" His device is gone: after the call he will be signed out.");
        } else if let Some(asked) = &agent.pending {
            let next = asked.intent.status().as_str().replace('_', " ");
            let _ = write!(text, " After the call he will be {next}.");
        }
        if agent.removed {
            text.push_str(" He is no longer configured and goes after this call.");
        }
        if let Some(bar) = self.barred(agent, agent.work()) {
            let _ = write!(text, " He gets no {}: {bar}.", agent.work_word());
        }
        self.explain_slots(agent, &mut text);
        if let Some(device) = &agent.chosen {
            let _ = write!(text, " He has chosen to be rung at {device}.");
        }
        for other in self.at_work_at(&agent.config.user).filter(|other| **other != agent.config.id) {
            let _ = write!(text, " Agent {other} sits at his account.");
        }
        match agent.serves.is_empty() {
            true => text.push_str(" He serves no queue."),
            false => self.explain_queues(agent, &mut text),
        }
        Some(text)
    }

    /// Who waits in a queue in which order and why, and who of its agents would take the next and why not the others.
    pub fn explain_queue(&self, id: &QueueId, now: Time) -> Option<String> {
        let queue = self.queues.get(id)?;
        let strategy = queue.config.service.strategy;
        let (occupancy, places) = (queue.occupancy(), queue.places());
        let mut text = format!(
            "queue {id} ({}): {} of at most {places} wait, {} agents signed in, {} ready, occupancy {}.{} %, strategy {}.\n",
            queue.config.display,
            queue.present(),
            queue.signed_in,
            queue.ready,
            occupancy / 10,
            occupancy % 10,
            match strategy {
                Strategy::RingAll =>
                    format!("ring_all, at most {} at once", queue.config.service.ring_all_most.0),
                _ => strategy.as_str().to_owned(),
            },
        );
        if queue.absent > 0 {
            let held = if queue.absent_held {
                "; no call can be begun now, and none of them has a turn"
            } else {
                ""
            };
            let _ = writeln!(text, "{} are to be called back and have their places{held}.", queue.absent);
        }
        self.explain_callers(queue, now, &mut text);
        self.explain_free(queue, now, &mut text);
        self.explain_others(id, queue, &mut text);
        Some(text)
    }

    fn explain_callers(&self, queue: &Queue, now: Time, text: &mut String) {
        for ((place, call), n) in queue.order.iter().zip(1..).take(NAMED_MAX) {
            let waited = Seconds(place.since.length(now));
            let priority = place.priority(queue.ageing(), now);
            let _ = write!(text, "caller {n}: {call}, priority {priority}, waited {waited}");
            if let Some(waiting) = self.calls.get(call) {
                match (waiting.absent, waiting.offered_to.is_empty()) {
                    (Some(_), false) => text.push_str(", is being called back"),
                    (Some(_), true) => text.push_str(", is to be called back"),
                    (None, _) => {}
                }
                match (waiting.offered_to.as_slice(), &waiting.wish) {
                    ([], Some(wanted)) => {
                        let only = if wanted.only { ", and takes no other" } else { "" };
                        let _ = write!(text, ", waits for {}{only}", wanted.agent);
                    }
                    (ringing, _) => {
                        for (agent, n) in ringing.iter().zip(0..) {
                            let lead = if n == 0 { ", rings at" } else { " and" };
                            let _ = write!(text, "{lead} {agent}");
                        }
                    }
                }
            }
            text.push('\n');
        }
        more(queue.order.len(), "callers", text);
        if let Some(reserve) = queue.config.service.reserve
            && !queue.open.is_empty()
            && !queue.free.is_empty()
        {
            let _ = writeln!(
                text,
                "{} agents are kept free for callers of priority {} and more.",
                reserve.agents, reserve.priority
            );
        }
    }

    fn explain_free(&self, queue: &Queue, now: Time, text: &mut String) {
        let strategy = queue.config.service.strategy;
        let mut free: Vec<_> = queue.free.iter().cloned().collect();
        if strategy == Strategy::LeastOccupied {
            for (turn, id) in &mut free {
                turn.term = self.agents.get(id).map_or(0, |agent| agent.occupied(now));
            }
            free.sort();
        }
        for ((turn, id), n) in free.iter().zip(1..).take(NAMED_MAX) {
            let terms = InOrder(turn, strategy, turn.idle.length(now));
            let _ = write!(text, "agent {n}: {id}, {terms}");
            let by_skill = matches!(strategy, Strategy::HighestSkill | Strategy::RingAll);
            if let Some(agent) = self.agents.get(id).filter(|_| by_skill) {
                self.explain_score(agent, queue, text);
            }
            text.push('\n');
        }
        more(free.len(), "free agents", text);
    }

    fn explain_score(&self, agent: &Agent, queue: &Queue, text: &mut String) {
        for (i, (name, wanted)) in queue.config.service.skills.iter().enumerate() {
            let level = agent.config.duty.skills.get(name).copied().unwrap_or(0);
            let sign = if i == 0 { " =" } else { " +" };
            let _ = write!(text, "{sign} {name} {level} x {}", wanted.weight);
        }
    }

    /// Those who are listed for the queue and would not take a caller now.
    fn explain_others(&self, id: &QueueId, queue: &Queue, text: &mut String) {
        let listed = self.agents.iter().filter(|(_, agent)| agent.config.queues.contains(id));
        let mut others = 0;
        for (agent_id, agent) in listed {
            let work = queue.config.service.kind.work();
            if agent.free(work).is_some() && queue.members.contains(agent_id) {
                continue;
            }
            others += 1;
            if others > NAMED_MAX {
                continue;
            }
            let word = agent.status.as_str().replace('_', " ");
            let _ = write!(text, "not {agent_id}: ");
            let bar = self.barred(agent, work);
            let _ = match (can_serve(&agent.config, &queue.config), bar) {
                (false, _) => writeln!(text, "he does not serve it{}", self.unfit(agent, queue)),
                (true, Some(bar)) => writeln!(text, "{word}, but {bar}"),
                (true, None) => writeln!(text, "{word} since {}: {}", Clock(agent.since), agent.why),
            };
        }
        more(others, "other agents", text);
    }

    /// His slots: one for a call, and those for chats if he has queues of chats.
    fn explain_slots(&self, agent: &Agent, text: &mut String) {
        let slots = agent.config.duty.chats;
        let has_queues = agent.serves.iter().any(|queue| self.work_of(queue) == Work::Chat);
        if !has_queues && agent.chats.is_empty() {
            return;
        }
        let _ = write!(text, " Of {} slots for chats {} are taken", agent.most_chats(), agent.load());
        for (i, (call, chat)) in agent.chats.iter().take(NAMED_MAX).enumerate() {
            let lead = if i == 0 { ": " } else { ", " };
            let wraps_up = if chat.until.is_some() { " (wrap-up)" } else { "" };
            let _ = write!(text, "{lead}{call}{wraps_up}");
        }
        if let Some(offer) = &agent.chat_offer {
            let _ = write!(text, "; {} is offered", offer.call);
        }
        let _ = write!(
            text,
            ". He is offered {} while he has chats, and {} during a call.",
            if slots.calls_beside { "calls" } else { "no calls" },
            if slots.during_call { "chats" } else { "no chats" },
        );
    }

    fn unfit(&self, agent: &Agent, queue: &Queue) -> String {
        let (duty, service) = (&agent.config.duty, &queue.config.service);
        if !duty.kind.serves(service.kind) {
            return format!(": a {} agent, a {} queue", duty.kind.as_str(), service.kind.as_str());
        }
        let level = |name: &Name| duty.skills.get(name).copied().unwrap_or(0);
        let lacks = service.skills.iter().find(|(name, wanted)| level(name) < wanted.least);
        match lacks {
            Some((name, wanted)) => format!(": {name} {} is below {}", level(name), wanted.least),
            None => format!(": role {}", duty.role.as_str()),
        }
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
    pub(crate) fn barred(&self, agent: &Agent, work: Work) -> Option<String> {
        if agent.intent != Intent::Ready {
            return None;
        }
        Some(match agent.bar(work)? {
            Bar::Chats => format!("he takes no calls beside chats, and has {}", agent.load()),
            Bar::Full => {
                format!("all {} of his slots for chats are taken", agent.most_chats())
            }
            Bar::NoDevice => format!("{} has no registered device", agent.device()),
            Bar::Held(hold) if Hold::is_ours(hold.cause) => {
                format!("the switch had no line to ring him; next at {}", Clock(self.wall.at(hold.until)))
            }
            Bar::Held(hold) => format!(
                "the last offer failed ({}); next at {}{}",
                hold.cause.as_str().replace('_', " "),
                Clock(self.wall.at(hold.until)),
                if hold.device { " or when he registers" } else { "" },
            ),
        })
    }
}

fn more(all: usize, of: &str, text: &mut String) {
    if let Some(more @ 1..) = all.checked_sub(NAMED_MAX) {
        let _ = writeln!(text, "and {more} {of} more.");
    }
}

/// The time of day, UTC. The date stands in the view.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub Wall);

impl core::fmt::Display for Clock {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let s = self.0.0.div_euclid(1_000).rem_euclid(86_400);
        write!(f, "{:02}:{:02}:{:02} UTC", s / 3_600, s / 60 % 60, s % 60)
    }
}
