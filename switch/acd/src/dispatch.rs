//! Who gets whom.
//!
//! Of all callers who can be served, the one is taken whose priority is highest now; of those, the one whose agent
//! prefers his queue most; of those, the one who came first. The agent is the first of that queue by preference, then by
//! how few chats he has, then by the queue's strategy, then by idle time, then by work number. A caller who waits for one agent stands before that
//! agent alone. Only queues and agents that changed since the last decision are looked at: in all others one side is
//! empty. So a decision costs a few look-ups in ordered lists, however many wait. (The least occupied agent is the
//! exception: how busy each was changes with time, so that the free ones are walked over.)
//!
//! A queue that rings all makes the same pairs. Only that its first caller stays the first while agents ring for him, until so
//! many do as may: so all who are free ring, and who becomes free meanwhile joins them.

use crate::agent::{Agent, IdleSince, Leg, Offer, RING_MARGIN};
use crate::engine::{AcdEngine, Timer};
use crate::queue::{Place, Queue, Turn};
use crate::reason::{AgentTerms, By, CallerTerms, Reason};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::service::{Service, Strategy, Work};
use cordboard_model::time::{Duration, Time, TimerReason};
use core::cmp::Reverse;

/// What is compared between callers of different queues, and who it is.
type Order = (Reverse<u16>, u8, IdleSince, u64);

/// A pair that can be made.
pub(crate) struct Pair<'a> {
    pub(crate) queue: QueueId,
    pub(crate) call: CallId,
    pub(crate) agent: AgentId,
    pub(crate) turn: Turn,
    pub(crate) by: By<'a>,
}

impl AcdEngine {
    /// Makes every offer that can be made.
    pub(crate) fn dispatch(&mut self, now: Time) {
        self.dismiss_unstaffed(now);
        self.give_up_on_agents(now);
        self.end_what_is_due(now);
        while let Some(pair) = self.next_pair(now) {
            if self.make_offer(&pair, now).is_none() {
                break;
            }
        }
        for id in core::mem::take(&mut self.touched) {
            let ripens = self.queues.get(&id).and_then(|queue| queue.ripens(now));
            match ripens {
                Some(at) => {
                    self.deadlines.set(Timer::Ripe(id), at, TimerReason("acd: a caller gains priority"));
                }
                None => _ = self.deadlines.clear(&Timer::Ripe(id)),
            }
        }
        self.touched_agents.clear();
    }

    fn next_pair(&self, now: Time) -> Option<Pair<'static>> {
        let by_order = self.touched.iter().filter_map(|id| self.pair_of_queue(id, now));
        let by_wish = self.touched_agents.iter().filter_map(|id| self.pair_of_agent(id, now));
        by_order.chain(by_wish).min_by(|a, b| a.0.cmp(&b.0)).map(|(_, pair)| pair)
    }

    fn pair_of_queue(&self, id: &QueueId, now: Time) -> Option<(Order, Pair<'static>)> {
        let queue = self.queues.get(id)?;
        let place = queue.ripe(now)?;
        let call = *queue.open.get(&place)?;
        let (turn, agent) = self.first_free(queue, now)?;
        let order =
            (Reverse(place.priority(queue.ageing(), now)), turn.preference, place.since, place.serial);
        Some((order, Pair { queue: id.clone(), call, agent, turn, by: By::Order }))
    }

    fn pair_of_agent(&self, id: &AgentId, now: Time) -> Option<(Order, Pair<'static>)> {
        let agent = self.agents.get(id)?;
        let first = |(place, call): (&Place, &CallId)| {
            let queue_id = self.calls.get(call)?.queue.clone();
            let queue = self.queues.get(&queue_id)?;
            let idle = agent.free(queue.config.service.kind.work())?;
            let turn = turn(agent, &queue_id, queue, idle);
            let order =
                (Reverse(place.priority(queue.ageing(), now)), turn.preference, place.since, place.serial);
            let (call, agent, by) = (*call, id.clone(), By::Wish);
            Some((order, Pair { queue: queue_id, call, agent, turn, by }))
        };
        self.held.get(id)?.iter().filter_map(first).min_by(|a, b| a.0.cmp(&b.0))
    }

    fn first_free(&self, queue: &Queue, now: Time) -> Option<(Turn, AgentId)> {
        if !queue.asks_all() {
            return queue.free.first().cloned();
        }
        let at_present = |(turn, id): &(Turn, AgentId)| {
            let term = self.agents.get(id)?.occupied(now);
            Some((Turn { term, ..*turn }, id.clone()))
        };
        queue.free.iter().filter_map(at_present).min()
    }

    pub(crate) fn make_offer(&mut self, pair: &Pair<'_>, now: Time) -> Option<()> {
        let (id, call) = (&pair.queue, pair.call);
        let waiting = self.calls.get_mut(&call)?;
        let queue = self.queues.get_mut(id)?;
        let agent = self.agents.get_mut(&pair.agent)?;
        // Where a wish or a supervisor chose him, nobody has asked yet how busy he was.
        let turn = if queue.asks_all() { Turn { term: agent.occupied(now), ..pair.turn } } else { pair.turn };
        let ringing = waiting.offered_to.len();
        waiting.offered_to.push(pair.agent.clone());
        waiting.placed = matches!(pair.by, By::Placed(_));
        let others = queue.open.len() - usize::from(queue.open.contains_key(&waiting.place));
        if !queue.may_offer(waiting) {
            queue.open.remove(&waiting.place);
        }
        let work = queue.config.service.kind.work();
        queue.turns += 1;
        agent.turns.insert(id.clone(), queue.turns);
        let place = waiting.place;
        let why = Reason {
            queue: id,
            strategy: queue.config.service.strategy,
            by: pair.by,
            caller: CallerTerms {
                priority: waiting.priority,
                now: place.priority(queue.ageing(), now),
                waited: place.since.length(now),
                others,
            },
            agent: AgentTerms {
                turn,
                idle: turn.idle.length(now),
                others: queue.free.len().saturating_sub(1),
                ringing,
                slot: (work == Work::Chat).then(|| (agent.load().saturating_add(1), agent.most_chats())),
            },
        }
        .to_string();
        let offer = Offer {
            call,
            queue: id.clone(),
            rang: false,
            wrap_up: queue.config.wrap_up,
            unanswered: queue.config.service.unanswered,
        };
        let ring = queue.config.ring;
        let (patience, timer, what) = match work {
            Work::Call => {
                agent.leg = Leg::Ringing(offer);
                (agent.patience(), Timer::Ring(pair.agent.clone()), "call")
            }
            Work::Chat => {
                agent.chat_offer = Some(offer);
                (Duration::ZERO, Timer::ChatRing(pair.agent.clone()), "chat")
            }
        };
        if let Some(wanted) = waiting.wish.clone() {
            self.unhold(&wanted.agent, place);
        }
        let kept = self.tell_offer(pair, ring, why);
        let reason = TimerReason("acd: no report on an offer");
        let until = now + kept + patience + RING_MARGIN;
        self.deadlines.set(timer, until, reason);
        let why = format!("a {what} from queue {id} is offered");
        self.settle(&pair.agent, &why, now);
        Some(())
    }
}

/// Where an agent who is free stands in a queue.
pub(crate) fn turn(agent: &Agent, id: &QueueId, queue: &Queue, idle: IdleSince) -> Turn {
    let service = &queue.config.service;
    let clamped = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let term = match service.strategy {
        // How busy he was is asked when it is needed.
        Strategy::LongestIdle | Strategy::LeastOccupied => 0,
        Strategy::FewestCalls => clamped(agent.taken),
        Strategy::HighestSkill | Strategy::RingAll => i64::from(score(agent, service)).saturating_neg(),
        Strategy::RoundRobin => clamped(agent.turns.get(id).copied().unwrap_or(0)),
    };
    let preference = agent.config.duty.preference.get(&id.name).copied().unwrap_or(1);
    Turn { preference, load: agent.load(), term, idle }
}

/// What his skills are worth to a queue: level times weight, over all that it wants.
pub(crate) fn score(agent: &Agent, service: &Service) -> u32 {
    let worth = |(name, wanted): (_, &cordboard_model::service::WantedSkill)| {
        let level = agent.config.duty.skills.get(name).copied().unwrap_or(0);
        u32::from(level) * u32::from(wanted.weight)
    };
    service.skills.iter().map(worth).sum()
}
