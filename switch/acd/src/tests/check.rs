//! What must hold between any two calls of the engine.

use crate::AcdEngine;
use crate::agent::{Intent, Leg};
use crate::engine::Timer;
use cordboard_model::view::AgentStatus;

pub(super) fn check(engine: &AcdEngine) {
    assert!(engine.touched.is_empty());
    queues(engine);
    let deadlines = agents(engine) + calls(engine);
    assert_eq!(engine.deadlines.len(), deadlines, "a deadline without owner");
}

/// No caller waits where an agent is free, and the lists say what the callers and agents say.
fn queues(engine: &AcdEngine) {
    let mut listed = 0;
    for (id, queue) in &engine.queues {
        assert!(queue.ripe().is_none(), "{id}: a caller waits, an agent is free");
        listed += queue.order.len();
        for (place, call) in &queue.order {
            let waiting = &engine.calls[call];
            assert_eq!((&waiting.queue, waiting.place), (id, *place));
            let open = waiting.offered_to.is_none();
            assert_eq!(queue.open.contains_key(place), open, "{call}");
        }
        assert!(queue.open.keys().all(|p| queue.order.contains_key(p)));
        let members = queue.members.iter();
        let free = members.filter_map(|a| Some((engine.agents[a].free()?, a.clone())));
        assert_eq!(queue.free, free.collect(), "{id}");
    }
    assert_eq!(listed, engine.calls.len());
}

/// Every transient state has its deadline. Returns how many deadlines agents have.
fn agents(engine: &AcdEngine) -> usize {
    let mut deadlines = 0;
    for (id, agent) in &engine.agents {
        assert_eq!((agent.status, agent.call), agent.derive(), "{id}");
        let ringing = agent.status == AgentStatus::Ringing;
        for (timer, wanted) in [
            (Timer::Ring(id.clone()), ringing),
            (Timer::WrapUp(id.clone()), agent.wrap_up.is_some()),
            (Timer::Hold(id.clone()), agent.hold.is_some()),
        ] {
            assert_eq!(engine.deadlines.get(&timer).is_some(), wanted, "{timer:?}");
            deadlines += usize::from(wanted);
        }
        if let Leg::Ringing(offer) = &agent.leg {
            let waiting = &engine.calls[&offer.call];
            assert_eq!(waiting.offered_to.as_ref(), Some(id));
        }
        if agent.pending.is_some() || agent.removed {
            assert_eq!(agent.status, AgentStatus::Talking, "{id}: what is he waiting for?");
        }
        if agent.intent == Intent::SignedOut {
            assert_eq!(agent.status, AgentStatus::SignedOut, "{id}");
        }
        let contacts = engine.contacts.get(&agent.config.user);
        if !agent.removed {
            assert_eq!(agent.contacts, contacts.copied().unwrap_or(0), "{id}");
        }
    }
    deadlines
}

/// Every wait has its end. Returns how many deadlines callers have.
fn calls(engine: &AcdEngine) -> usize {
    let mut deadlines = 0;
    for (call, waiting) in &engine.calls {
        assert!(engine.deadlines.get(&Timer::Wait(*call)).is_some(), "{call}");
        let announced = engine.deadlines.get(&Timer::Announce(*call)).is_some();
        deadlines += 1 + usize::from(announced);
        if let Some(agent) = &waiting.offered_to {
            assert!(engine.agents[agent].rings_for(*call).is_some(), "{call}");
        }
    }
    deadlines
}
