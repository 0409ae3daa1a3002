//! The steps of a flow, one file per verb.

pub(crate) mod answer;
pub(crate) mod collect;
pub(crate) mod conference;
pub(crate) mod data;
pub(crate) mod dial;
pub(crate) mod enqueue;
pub(crate) mod first;
pub(crate) mod hang_up;
pub(crate) mod log;
pub(crate) mod play;
pub(crate) mod record;
pub(crate) mod reject;
pub(crate) mod stream;
pub(crate) mod transfer;
pub(crate) mod wait;

use crate::call::Call;
use crate::desk::Desk;
use crate::input::Ticket;
use crate::queue::Wait;
use cordboard_model::cause::Cause;
use cordboard_model::verb::{Verb, VerbAnswer};

/// Begins a step. The flow has the call and waits for nothing else.
pub(crate) fn begin(call: &mut Call, desk: &mut Desk, ticket: Ticket, verb: Verb) {
    match verb {
        Verb::Answer => call.verb_answer(desk, ticket),
        Verb::Play { items, barge_in } => call.verb_play(desk, ticket, items, barge_in),
        Verb::Collect {
            prompt,
            min,
            max,
            terminators,
            first_timeout_ms,
            inter_timeout_ms,
            patterns,
            strict,
            secret,
            ear,
        } => {
            let rule = collect::Collect::new(min, max, terminators, first_timeout_ms, inter_timeout_ms);
            call.verb_collect(desk, ticket, prompt, rule.of_secret(secret).like(patterns, strict), ear);
        }
        Verb::Record { act, why } => call.verb_record(desk, ticket, act, why),
        Verb::Enqueue { queue, timeout_ms, priority, keys, staffed } => {
            call.verb_enqueue(desk, ticket, Wait::new(queue, timeout_ms, priority).until(keys, staffed));
        }
        Verb::Stream { url, parameters, timeout_ms } => {
            call.verb_stream(desk, ticket, url, parameters, timeout_ms);
        }
        Verb::Transfer { to } => call.verb_transfer(desk, ticket, to),
        Verb::Dial(dial) => call.verb_dial(desk, ticket, *dial),
        Verb::Conference(conference) => call.verb_conference(desk, ticket, *conference),
        Verb::First(first) => call.verb_first(desk, ticket, first),
        Verb::Ring => call.verb_ring(desk, ticket),
        Verb::Reject { cause } => call.verb_reject(desk, ticket, cause),
        Verb::HangUp { cause } => call.verb_hang_up(desk, cause),
        Verb::SetData { key, value } => call.verb_set_data(desk, ticket, key, value),
        Verb::GetData { key } => call.verb_get_data(desk, ticket, &key),
        Verb::Wait { ms } => call.verb_wait(desk, ticket, ms),
        // The shard answers them, and they do not come here.
        Verb::Ask(_) | Verb::Http(_) | Verb::Phone(_) => {
            call.answer_now(desk, ticket, VerbAnswer::Failed(Cause::ProtocolError))
        }
        Verb::Log { text } => call.verb_log(desk, ticket, text),
    }
}
