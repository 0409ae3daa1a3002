//! Conferences, supervision and mutes that the API asks for, and its answers in words.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::{Later, Phone, Refusal, Room, RoomOrder};
use cordboard_core::{DialTarget, RoomOrder as Order, RoomRefusal, Shard, Supervise};
use cordboard_model::id::{CallId, LegId, TenantId};
use cordboard_model::leg::Target;

fn refusal(refused: RoomRefusal, call: CallId) -> Refusal {
    let why = match refused {
        RoomRefusal::NotFound => return missing(format!("call {call} is not up, or has no such leg")),
        RoomRefusal::NotTalking => "the call is not parties who talk",
        RoomRefusal::UnderWay => "somebody is being added already, or a supervisor is there",
        RoomRefusal::Recordings => {
            "the talk is recorded, and the call has as many recordings as one may have"
        }
        RoomRefusal::None => "nobody supervises it, or nobody is being consulted",
        RoomRefusal::Full => "there is no place for another party",
        RoomRefusal::Own => "the supervisor is one of those who talk",
    };
    Refusal::Conflict(format!("call {call}: {why}"))
}

/// The order in the shard's words; the phone that is to be rung must be one of the tenant's.
fn in_words(shard: &Shard, call: CallId, order: RoomOrder) -> Result<(Order, String), Refusal> {
    Ok(match order {
        RoomOrder::Add(by, to) => {
            let told = format!("{to} is being added to call {call}");
            (Order::Add(by, to), told)
        }
        RoomOrder::AddConsulted => (Order::AddConsulted, format!("all of call {call} talk together")),
        RoomOrder::Remove(leg) => (Order::Remove(leg), format!("leg {leg} is taken out")),
        RoomOrder::Supervise { mode, by, of } => {
            let by = match by {
                Phone::Agent(agent) if shard.agent(&agent).is_none() => {
                    return Err(missing(format!("agent {agent}")));
                }
                Phone::Agent(agent) => DialTarget::Agent(agent),
                Phone::Extension(user) if !shard.has_account(&user) => {
                    return Err(missing(format!("extension {user}")));
                }
                Phone::Extension(user) => DialTarget::Target(Target::User(user)),
            };
            (Order::Supervise(Supervise { mode, by, of }), "the supervisor's phone rings".to_owned())
        }
        RoomOrder::Change(mode) => {
            (Order::Change(mode), format!("the supervisor's mode is {}", mode.as_str()))
        }
        RoomOrder::EndSupervision => (Order::EndSupervision, "the supervisor is let go".to_owned()),
    })
}

impl NodeSwitch {
    pub(crate) fn room(&self, room: Room) -> Later<Vec<String>> {
        let Room { call, order } = room;
        let answer = self.later(move |shard| {
            let (order, told) = in_words(shard, call, order)?;
            let now = shard.now();
            let leg = shard.room(call, order, now).map_err(|refused| refusal(refused, call))?;
            Ok(core::iter::once(told).chain(leg.map(|leg| format!("leg {leg}"))).collect())
        });
        Box::pin(async move { answer.await? })
    }

    pub(crate) fn mute(&self, tenant: TenantId, leg: LegId, muted: bool) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let of = shard.calls(tenant).into_iter().find(|call| call.legs.iter().any(|l| l.leg == leg));
            let call = of.ok_or_else(|| missing(format!("leg {leg} is not up")))?.call;
            let now = shard.now();
            let done = shard.room(call, Order::Mute(leg, muted), now);
            done.map_err(|refused| refusal(refused, call))?;
            let what = if muted { "heard by nobody" } else { "heard again" };
            Ok(vec![format!("leg {leg} is {what}")])
        });
        Box::pin(async move { answer.await? })
    }
}
