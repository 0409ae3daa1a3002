//! What the API asks of programs that listen.

use super::allowed;
use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::{Later, Listen, Refusal};
use cordboard_core::{ListenAsked, ListenRefusal};
use cordboard_model::id::CallId;

fn refusal(refused: ListenRefusal, call: CallId) -> Refusal {
    let why = match refused {
        ListenRefusal::NotFound => return missing(format!("call {call} is not up")),
        ListenRefusal::Nobody => "nobody is there to be heard",
        ListenRefusal::UnderWay => "a program listens already",
        ListenRefusal::None => "no program listens",
    };
    Refusal::Conflict(format!("call {call}: {why}"))
}

impl NodeSwitch {
    pub(crate) fn listen(&self, listen: Listen) -> Later<Vec<String>> {
        let Listen { call, url, parameters, way, by } = listen;
        if allowed(&self.streams, &url).is_none() {
            let why = "url: it is not among those that [streams] allowed of the configuration names";
            return Box::pin(async move { Err(Refusal::Invalid(vec![why.to_owned()])) });
        }
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.listen(call, Some(ListenAsked { url, parameters, way, by }), now)
        });
        Box::pin(async move {
            let told = format!("call {call} is given to the program; an event tells of its end");
            answer.await?.map(|()| vec![told]).map_err(|refused| refusal(refused, call))
        })
    }

    pub(crate) fn listen_no_more(&self, call: CallId) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.listen(call, None, now)
        });
        Box::pin(async move {
            let told = format!("call {call} is heard by no program any more");
            answer.await?.map(|()| vec![told]).map_err(|refused| refusal(refused, call))
        })
    }
}
