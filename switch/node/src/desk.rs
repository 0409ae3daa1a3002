//! Orders at agents' desks that the API carries, and its answers.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::{Later, Refusal};
use cordboard_core::CallbackRefused;
use cordboard_model::callback::{CALLBACKS_MAX, CallbackId, NewCallback};
use cordboard_model::desk::{DeskFault, DeskOrder, DeskView, PlaceOrder};
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::originate::NewCall;

fn refusal(fault: DeskFault, agent: &AgentId) -> Refusal {
    let (code, why) = fault.words();
    match fault {
        DeskFault::NoSuchAgent => missing(format!("agent {agent}")),
        DeskFault::NoSuchCallback => missing(why),
        _ => Refusal::Named(code, format!("agent {agent}: {why}")),
    }
}

impl NodeSwitch {
    pub(crate) fn desk_order(&self, order: DeskOrder) -> Later<Vec<String>> {
        let agent = order.agent.clone();
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.desk(order, now)
        });
        Box::pin(async move { answer.await?.map_err(|fault| refusal(fault, &agent)) })
    }

    pub(crate) fn put_callback(&self, tenant: TenantId, new: NewCallback) -> Later<Vec<String>> {
        let number = new.number.clone();
        let answer = self.later(move |shard| shard.put_callback(tenant, new));
        Box::pin(async move {
            match answer.await? {
                Ok(entry) => Ok(vec![format!("{number} is to be called back"), entry.id.name.to_string()]),
                Err(CallbackRefused::NoSuchQueue) => Err(missing("the queue")),
                Err(CallbackRefused::NotDialable) => {
                    Err(Refusal::Invalid(vec!["the number may not be called".into()]))
                }
                Err(CallbackRefused::TooLarge) => {
                    Err(Refusal::Invalid(vec!["the number or the note is too long".into()]))
                }
                Err(CallbackRefused::Full) => {
                    Err(Refusal::Conflict(format!("{CALLBACKS_MAX} are to be called back already")))
                }
            }
        })
    }

    pub(crate) fn new_call(&self, tenant: TenantId, new: NewCall) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.new_call(tenant, new, now)
        });
        Box::pin(async move {
            match answer.await? {
                Ok(call) => {
                    let told = "the first party is being called, then the other".to_owned();
                    Ok(vec![told, call.to_string()])
                }
                Err(fault) => {
                    let (code, why) = fault.words();
                    Err(Refusal::Named(code, why.to_owned()))
                }
            }
        })
    }

    pub(crate) fn remove_callback(&self, id: CallbackId, by: String) -> Later<Vec<String>> {
        let what = format!("call-back {id}");
        let answer = self.later(move |shard| shard.remove_callback(&id, &by));
        Box::pin(async move {
            match answer.await? {
                true => Ok(vec![format!("{what} is done")]),
                false => Err(missing(what)),
            }
        })
    }

    pub(crate) fn place(&self, order: PlaceOrder) -> Later<Vec<String>> {
        let call = order.call;
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.place(order, now)
        });
        Box::pin(async move {
            answer.await?.map_err(|fault| {
                let (code, why) = fault.words();
                Refusal::Named(code, format!("call {call}: {why}"))
            })
        })
    }

    pub(crate) fn desk_of(&self, agent: AgentId) -> Later<DeskView> {
        let answer = self.later(move |shard| {
            let found = shard.desk_view(&agent);
            found.ok_or_else(|| missing(format!("agent {agent}")))
        });
        Box::pin(async move { answer.await? })
    }
}
