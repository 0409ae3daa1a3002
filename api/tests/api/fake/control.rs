//! What the fake has done with the parties of calls: it keeps what was asked for, and answers as a switch would.

use super::Fake;
use cordboard_api::control_switch::Control;
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::act::{ActEnd, CollectAsked, Collected, PlayAsked};
use cordboard_model::desk::Goal;
use cordboard_model::id::{ActId, CallId, UserId};

fn act(call: CallId) -> ActId {
    ActId { tenant: call.tenant, start: call.start, shard: call.shard, number: 0xac7 }
}

fn missing(call: CallId) -> Refusal {
    Refusal::NotFound(format!("call {call} is not up"))
}

impl Control for Fake {
    fn play(&self, call: CallId, asked: PlayAsked) -> Later<ActId> {
        self.answer(call.tenant, move |floor| {
            floor.calls.get(&call).ok_or_else(|| missing(call))?;
            floor.played.push(asked);
            Ok(act(call))
        })
    }

    fn collect(&self, call: CallId, asked: CollectAsked) -> Later<ActId> {
        self.answer(call.tenant, move |floor| {
            floor.calls.get(&call).ok_or_else(|| missing(call))?;
            if asked.what.secret {
                return Err(Refusal::Named("collecting", "keys are being collected in this call".into()));
            }
            floor.collects.push(asked);
            Ok(act(call))
        })
    }

    fn stop_act(&self, call: CallId, asked: ActId) -> Later<Vec<String>> {
        self.answer(call.tenant, move |floor| {
            floor.calls.get(&call).filter(|_| asked == act(call)).ok_or_else(|| missing(call))?;
            Ok(vec![format!("{asked} is stopped")])
        })
    }

    fn collected(&self, call: CallId, asked: ActId) -> Later<Collected> {
        self.answer(call.tenant, move |floor| {
            let view = floor.calls.get(&call).filter(|_| asked == act(call)).ok_or_else(|| missing(call))?;
            let leg = view.legs.first().ok_or_else(|| missing(call))?.leg;
            let (how, digits) = (Some(ActEnd::Terminator), Some("42".into()));
            Ok(Collected { collect: asked, leg, how, digits, secret: false })
        })
    }

    fn bridge(&self, call: CallId, other: CallId) -> Later<Vec<String>> {
        self.answer(call.tenant, move |floor| {
            floor.calls.get(&call).ok_or_else(|| missing(call))?;
            floor.calls.get(&other).ok_or_else(|| missing(other))?;
            match call == other {
                true => Err(Refusal::Named("same_call", "both are the same call".into())),
                false => Ok(vec![format!("{call} and {other} talk")]),
            }
        })
    }

    fn send(&self, call: CallId, to: Goal, account: Option<UserId>) -> Later<Vec<String>> {
        self.answer(call.tenant, move |floor| {
            floor.calls.get(&call).ok_or_else(|| missing(call))?;
            Ok(vec![format!("call {call} goes to {to} for {account:?}")])
        })
    }
}
