//! Transfers that the API asks for, and its answers in words.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::{Later, Refusal, Transfer, TransferTo};
use cordboard_core::{PlaceRefusal, TransferRefusal};
use cordboard_model::desk::Goal;
use cordboard_model::id::CallId;

fn refusal(refused: TransferRefusal, call: CallId) -> Refusal {
    let why = match refused {
        TransferRefusal::NotFound => return missing(format!("call {call} is not up, or has no such leg")),
        TransferRefusal::NotTalking => "the call is not two parties who talk",
        TransferRefusal::UnderWay => "a transfer is under way; complete it or take it back first",
        TransferRefusal::Recordings => {
            "the talk is recorded, and the call has as many recordings as one may have"
        }
        TransferRefusal::None => "nobody is being consulted",
        TransferRefusal::Conference => "more than two talk, or somebody is being added",
        TransferRefusal::Alone => "who began the transfer has left; it cannot be taken back",
    };
    Refusal::Conflict(format!("call {call}: {why}"))
}

fn to_place(refused: PlaceRefusal, call: CallId) -> Refusal {
    match refused {
        PlaceRefusal::Stays(refused) => refusal(refused, call),
        PlaceRefusal::Target(fault) => {
            let (code, why) = fault.words();
            Refusal::Named(code, why.to_owned())
        }
    }
}

impl NodeSwitch {
    pub(crate) fn transfer(&self, transfer: Transfer) -> Later<Vec<String>> {
        let Transfer { call, by, to } = transfer;
        let answer = self.later(move |shard| {
            let now = shard.now();
            let (done, told) = match to {
                TransferTo::Place(place, consult) => {
                    let to = Goal::Place(place);
                    let told = format!("call {call}: to {to}");
                    let done = shard.transfer_to(call, by, to, consult, now);
                    return done.map(|()| vec![told]).map_err(|refused| to_place(refused, call));
                }
                TransferTo::Number(to) => {
                    (shard.transfer(call, by, &to, false, now), format!("call {call} is being sent to {to}"))
                }
                TransferTo::Consult(to) => {
                    (shard.transfer(call, by, &to, true, now), format!("{to} is being consulted"))
                }
                TransferTo::Call(other) => (
                    shard.transfer_to_call(call, by, other, now),
                    format!("call {call} is joined to {other}"),
                ),
            };
            done.map(|()| vec![told]).map_err(|refused| refusal(refused, call))
        });
        Box::pin(async move { answer.await? })
    }

    pub(crate) fn end_transfer(&self, call: CallId, complete: bool) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let now = shard.now();
            let (done, told) = match complete {
                true => (shard.complete_transfer(call, now), "the party is sent on"),
                false => (shard.cancel_transfer(call, now), "the transfer is taken back"),
            };
            done.map(|()| vec![told.to_owned()]).map_err(|refused| refusal(refused, call))
        });
        Box::pin(async move { answer.await? })
    }
}
