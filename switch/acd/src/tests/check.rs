//! What must hold between any two calls of the engine.

use crate::AcdEngine;
use crate::agent::{Agent, Intent, Leg};
use crate::callers::is_coming;
use crate::dispatch::turn;
use crate::engine::Timer;
use crate::queue::Due;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::AgentId;
use cordboard_model::service::Work;
use cordboard_model::time::Time;
use cordboard_model::view::AgentStatus;

pub(super) fn check(engine: &AcdEngine, now: Time) {
    assert!(engine.touched.is_empty() && engine.due.is_empty());
    assert!(engine.touched_agents.is_empty() && engine.gone_agents.is_empty());
    queues(engine, now);
    held(engine);
    let deadlines = agents(engine) + calls(engine) + ripening(engine);
    assert_eq!(engine.deadlines.len(), deadlines, "a deadline without owner");
}

/// No caller waits where an agent is free, and the lists say what the callers and agents say.
fn queues(engine: &AcdEngine, now: Time) {
    let mut listed = 0;
    for (id, queue) in &engine.queues {
        assert!(queue.ripe(now).is_none(), "{id}: a caller waits, an agent is free");
        listed += queue.order.len();
        let absent = queue.order.values().filter(|call| engine.calls[call].absent.is_some());
        assert_eq!(queue.absent, absent.count(), "{id}");
        for (place, call) in &queue.order {
            let waiting = &engine.calls[call];
            assert_eq!((&waiting.queue, waiting.place), (id, *place));
            assert_eq!(queue.open.contains_key(place), queue.may_offer(waiting), "{call}");
        }
        assert!(queue.open.keys().all(|p| queue.order.contains_key(p)));
        let members = queue.members.iter();
        let turn = |a: &AgentId, idle| turn(&engine.agents[a], id, queue, idle);
        let work = queue.config.service.kind.work();
        let free = members.filter_map(|a| Some((turn(a, engine.agents[a].free(work)?), a.clone())));
        assert_eq!(queue.free, free.collect(), "{id}");
        let is = |wanted: fn(&Agent, Work) -> bool| {
            let members = queue.members.iter().filter(|a| wanted(&engine.agents[*a], work));
            u32::try_from(members.count()).unwrap()
        };
        assert_eq!(queue.signed_in, is(|agent, _| agent.status != AgentStatus::SignedOut), "{id}");
        assert_eq!(queue.ready, is(is_ready), "{id}");
        assert_eq!(queue.working, is(|agent, _| is_coming(agent.status)), "{id}");
    }
    assert_eq!(listed, engine.calls.len());
}

/// Whether nothing but his device keeps such work from him.
fn is_ready(agent: &Agent, work: Work) -> bool {
    let slots = agent.config.duty.chats;
    let ready = agent.status == AgentStatus::Ready && !agent.gone && agent.pending.is_none();
    match work {
        Work::Call => ready && (agent.chats.is_empty() || slots.calls_beside),
        Work::Chat => {
            let talks = matches!(agent.status, AgentStatus::Talking | AgentStatus::Hold);
            let stays = agent.intent == Intent::Ready && agent.pending.is_none() && !agent.gone;
            let beside = talks && stays && slots.during_call && agent.chat_offer.is_none();
            (ready || beside) && agent.chats.len() < usize::from(agent.most_chats())
        }
    }
}

/// Every transient state has its deadline. Returns how many deadlines agents have.
fn agents(engine: &AcdEngine) -> usize {
    let mut deadlines = 0;
    for (id, agent) in &engine.agents {
        assert_eq!((agent.status, agent.call), agent.derive(), "{id}");
        let ringing = matches!(agent.leg, Leg::Ringing(_));
        let chat_rings = agent.chat_offer.is_some();
        assert_eq!(
            agent.told_chats,
            (agent.load(), agent.most_chats()),
            "{id}: told another number of chats"
        );
        assert!(!ringing || !chat_rings, "{id}: two offers");
        for (call, chat) in &agent.chats {
            let timer = Timer::ChatWrapUp(id.clone(), *call);
            assert_eq!(engine.deadlines.get(&timer), chat.until, "{id}: {call}");
            deadlines += usize::from(chat.until.is_some());
        }
        for (timer, wanted) in [
            (Timer::ChatRing(id.clone()), chat_rings),
            (Timer::Ring(id.clone()), ringing),
            (Timer::WrapUp(id.clone()), agent.wrap_up.is_some()),
            (Timer::Hold(id.clone()), agent.hold.is_some()),
            (Timer::Device(id.clone()), agent.is_missed()),
        ] {
            assert_eq!(engine.deadlines.get(&timer).is_some(), wanted, "{timer:?}");
            deadlines += usize::from(wanted);
        }
        let rests = engine.deadlines.get(&Timer::Rest(id.clone())).is_some();
        assert!(!rests || agent.status == AgentStatus::Rest, "{id}: a reminder of what is over");
        deadlines += usize::from(rests);
        assert!(!agent.held || agent.is_talking(), "{id}: who is on hold?");
        let leg = match &agent.leg {
            Leg::Ringing(offer) => Some(offer),
            _ => None,
        };
        for offer in leg.into_iter().chain(&agent.chat_offer) {
            let waiting = &engine.calls[&offer.call];
            assert!(waiting.offered_to.contains(id), "{id} rings for {}", offer.call);
        }
        if agent.pending.is_some() || agent.gone || agent.removed {
            assert!(agent.is_talking() || agent.is_chatting(), "{id}: what is he waiting for?");
        }
        if agent.intent == Intent::SignedOut {
            assert_eq!(agent.status, AgentStatus::SignedOut, "{id}");
            assert!(agent.chats.is_empty() || agent.removed, "{id}: signed out with chats");
        }
        let device = agent.device();
        let contacts = device.account().and_then(|user| engine.contacts.get(user));
        if !agent.removed {
            assert_eq!(agent.contacts, contacts.copied().unwrap_or(0), "{id}");
            let there = match &device {
                AgentDevice::Account(user) => engine.by_user.get(user),
                AgentDevice::Number(number) => engine.by_number.get(&(id.tenant, number.clone())),
            };
            assert!(there.is_some_and(|there| there.contains(id)), "{id} is not at {device}");
            let second = engine.holder(id, &device).filter(|_| agent.intent != Intent::SignedOut);
            // one of them leaves with his call, where a new configuration has put them at one telephone
            let goes = |id: &AgentId| {
                let pending = engine.agents[id].pending.as_ref();
                pending.is_some_and(|asked| asked.intent == Intent::SignedOut)
            };
            assert!(
                second.is_none_or(|other| goes(id) || goes(other)),
                "{id} and {second:?} are at {device}"
            );
        }
    }
    deadlines
}

/// Every wait has its end. Returns how many deadlines callers have.
fn calls(engine: &AcdEngine) -> usize {
    let mut deadlines = 0;
    for (call, waiting) in &engine.calls {
        let over = waiting.due == Some(Due::Timeout) || waiting.absent.is_some();
        assert_eq!(engine.deadlines.get(&Timer::Wait(*call)).is_none(), over, "{call}");
        assert!(waiting.due.is_none() || !waiting.offered_to.is_empty(), "{call}: what does he wait for?");
        deadlines += usize::from(!over);
        for timer in [Timer::Announce, Timer::Busy, Timer::Stick] {
            deadlines += usize::from(engine.deadlines.get(&timer(*call)).is_some());
        }
        for agent in &waiting.offered_to {
            assert!(engine.agents[agent].rings_for(*call).is_some(), "{call}");
        }
        let once: std::collections::BTreeSet<_> = waiting.offered_to.iter().collect();
        assert_eq!(once.len(), waiting.offered_to.len(), "{call}: somebody rings twice");
        assert!(!waiting.placed || waiting.offered_to.len() == 1, "{call}: given to one, and others ring");
    }
    deadlines
}

/// Who waits for one agent alone stands with that agent, and no such agent is free.
fn held(engine: &AcdEngine) {
    let mut listed = 0;
    for (id, callers) in &engine.held {
        assert!(!callers.is_empty());
        for (place, call) in callers {
            let waiting = &engine.calls[call];
            let work = engine.work_of(&waiting.queue);
            let free = engine.agents.get(id).is_some_and(|agent| agent.free(work).is_some());
            assert!(!free, "{id} is free, and somebody waits for him");
            assert_eq!((waiting.place, waiting.offered_to.len()), (*place, 0));
            assert_eq!(waiting.wish.as_ref().map(|wanted| &wanted.agent), Some(id));
        }
        listed += callers.len();
    }
    let waits = engine.calls.values().filter(|w| w.wish.is_some() && w.offered_to.is_empty());
    assert_eq!(listed, waits.count());
}

/// Queues whose first caller gains the priority he needs.
fn ripening(engine: &AcdEngine) -> usize {
    let ripe =
        |id: &&cordboard_model::id::QueueId| engine.deadlines.get(&Timer::Ripe((*id).clone())).is_some();
    engine.queues.keys().filter(ripe).count()
}
