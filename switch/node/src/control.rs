//! What programs have done with the parties of calls, and the API's answers in words.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::control_switch::Control;
use cordboard_api::switch::{Later, Refusal};
use cordboard_core::{ActRefusal, MoveRefusal, SendRefusal};
use cordboard_model::act::{CollectAsked, Collected, PlayAsked};
use cordboard_model::desk::Goal;
use cordboard_model::id::{ActId, CallId, UserId};
use cordboard_model::media::PlayItem;

fn of_act(refused: ActRefusal, call: CallId) -> Refusal {
    let (code, why) = match refused {
        ActRefusal::NotFound => return missing(format!("call {call} is not up, or has no such leg")),
        ActRefusal::NoAct => return missing(format!("call {call} has no such playback or entry under way")),
        ActRefusal::NotUp => ("not_up", "the party is not answered, or is being let go"),
        ActRefusal::Connecting => ("not_talking", "the call is on its way to somebody, or he does not talk"),
        ActRefusal::Flow => ("flow_has_call", "its flow has the call, and does not wait"),
        ActRefusal::Held => ("held", "the party is on hold"),
        ActRefusal::Collecting => ("collecting", "keys are being collected in this call"),
        ActRefusal::Nothing => return Refusal::Invalid(vec!["items: nothing is to be played".to_owned()]),
    };
    Refusal::Named(code, format!("call {call}: {why}"))
}

fn of_move(refused: MoveRefusal, call: CallId) -> Refusal {
    let (code, why) = match refused {
        MoveRefusal::NotFound => return missing(format!("call {call}, or the other one, is not up")),
        MoveRefusal::Same => ("same_call", "both are the same call"),
        MoveRefusal::NotUp => ("not_up", "the caller is not answered yet"),
        MoveRefusal::Talking => {
            ("talking", "a caller talks with somebody, or is on the way to him: who talks is transferred")
        }
        MoveRefusal::Aside => ("aside", "the caller's agent waits for him"),
        MoveRefusal::TooOften => ("moved_too_often", "the call was sent about as often as one may be"),
    };
    Refusal::Named(code, format!("call {call}: {why}"))
}

impl NodeSwitch {
    /// What is to be played and is not there.
    fn lacks(&self, items: &[PlayItem]) -> Option<Refusal> {
        let unknown = items.iter().find_map(|item| match item {
            PlayItem::Asset(asset) if !self.reloader.has_prompt(asset) => Some(asset.name.to_string()),
            _ => None,
        });
        unknown.map(|name| Refusal::Invalid(vec![format!("there is no prompt {name:?}")]))
    }
}

impl Control for NodeSwitch {
    fn play(&self, call: CallId, asked: PlayAsked) -> Later<ActId> {
        if let Some(refused) = self.lacks(&asked.items) {
            return Box::pin(async move { Err(refused) });
        }
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.play_to(call, asked, now)
        });
        Box::pin(async move { answer.await?.map_err(|refused| of_act(refused, call)) })
    }

    fn collect(&self, call: CallId, asked: CollectAsked) -> Later<ActId> {
        if let Some(refused) = self.lacks(&asked.prompt) {
            return Box::pin(async move { Err(refused) });
        }
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.collect_from(call, asked, now)
        });
        Box::pin(async move { answer.await?.map_err(|refused| of_act(refused, call)) })
    }

    fn stop_act(&self, call: CallId, act: ActId) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.stop_act(call, act, now)
        });
        Box::pin(async move {
            answer.await?.map_err(|refused| of_act(refused, call))?;
            Ok(vec![format!("{act} of call {call} is stopped")])
        })
    }

    fn collected(&self, call: CallId, act: ActId) -> Later<Collected> {
        let answer = self.later(move |shard| shard.collected(call, act));
        Box::pin(async move {
            answer.await?.ok_or_else(|| missing(format!("no entry {act} of call {call} is known")))
        })
    }

    fn bridge(&self, call: CallId, other: CallId) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.bridge(call, other, now)
        });
        Box::pin(async move {
            answer.await?.map_err(|refused| of_move(refused, call))?;
            Ok(vec![format!("the callers of {call} and {other} talk in {call}")])
        })
    }

    fn send(&self, call: CallId, to: Goal, account: Option<UserId>) -> Later<Vec<String>> {
        let told = format!("the caller of call {call} is sent to {to}");
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.send(call, to, account, now)
        });
        Box::pin(async move {
            match answer.await? {
                Ok(()) => Ok(vec![told]),
                Err(SendRefusal::Stays(refused)) => Err(of_move(refused, call)),
                Err(SendRefusal::Target(fault)) => {
                    let (code, why) = fault.words();
                    Err(Refusal::Named(code, why.to_owned()))
                }
            }
        })
    }
}
