//! Callers whom their agents send aside to a flow, the data of calls, and the API's answers in words.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::{Aside, Later, Refusal};
use cordboard_core::{DataRefusal, RoomRefusal};
use cordboard_model::id::CallId;
use serde_json::Value;
use std::collections::BTreeMap;

fn refusal(refused: RoomRefusal, call: CallId) -> Refusal {
    let why = match refused {
        RoomRefusal::NotFound => return missing(format!("call {call} is not up")),
        RoomRefusal::UnderWay | RoomRefusal::Full => "more than two talk, or a supervisor is there",
        RoomRefusal::Recordings => {
            "the talk is recorded, and the call has as many recordings as one may have"
        }
        RoomRefusal::None => "nobody was sent aside",
        RoomRefusal::NotTalking | RoomRefusal::Own => "it is not an agent and his caller who talk",
    };
    Refusal::Conflict(format!("call {call}: {why}"))
}

impl NodeSwitch {
    pub(crate) fn send_aside(&self, aside: Aside) -> Later<Vec<String>> {
        let Aside { call, flow, data } = aside;
        let answer = self.later(move |shard| {
            if !shard.has_flow(&flow) {
                return Err(missing(format!("flow {flow}")));
            }
            let now = shard.now();
            let told = format!("the caller of call {call} is aside in flow {flow}");
            shard.send_aside(call, flow, data, now).map_err(|refused| refusal(refused, call))?;
            Ok(vec![told])
        });
        Box::pin(async move { answer.await? })
    }

    pub(crate) fn change_data(&self, call: CallId, entries: BTreeMap<String, Value>) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let (now, keys) = (shard.now(), entries.keys().cloned().collect::<Vec<_>>().join(", "));
            match shard.change_data(call, entries.into_iter().collect(), now) {
                Ok(()) => Ok(vec![format!("data of call {call} changed: {keys}")]),
                Err(DataRefusal::NotFound) => Err(missing(format!("call {call} is not up"))),
                Err(DataRefusal::Limit(limit)) => {
                    Err(Refusal::Invalid(vec![format!("too much for a call: {limit}")]))
                }
            }
        });
        Box::pin(async move { answer.await? })
    }

    pub(crate) fn take_back(&self, call: CallId) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.take_back(call, now).map_err(|refused| refusal(refused, call))?;
            Ok(vec![format!("the two of call {call} talk again")])
        });
        Box::pin(async move { answer.await? })
    }
}
