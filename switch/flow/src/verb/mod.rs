//! The verbs of a flow, one file each: what the designer writes, the [`Verb`] it becomes, and what its
//! answer gives back.
//!
//! Invariant: a verb's file is pure. It reads [`Arg`]s and gives a [`Verb`], reads an answer and gives a
//! [`Reply`]; it knows neither Lua nor the call.
//!
//! Times are seconds, fractions allowed. A step that could not be done gives `nil` and the cause.

pub mod agent_sign_in;
pub mod agent_state;
pub mod answer;
pub mod arg;
pub mod calendar;
pub mod callback;
pub mod collect;
pub mod collect_secret;
pub mod conference;
pub mod count;
pub mod data;
pub mod dial;
pub mod enqueue;
pub mod first;
pub mod get;
pub mod hang_up;
pub mod heard;
pub mod http;
pub mod items;
pub mod json;
pub mod log;
pub mod lookup;
pub mod menu;
pub mod now;
pub mod play;
pub mod queue;
pub mod record;
pub mod reject;
pub mod ring;
pub mod run;
pub mod say;
pub mod say_date;
pub mod say_digits;
pub mod say_money;
pub mod say_number;
pub mod say_time;
pub mod spoken;
pub mod stream;
pub mod transfer;
pub mod wait;

use arg::{Arg, BadOption};
use cordboard_model::ask::Told;
use cordboard_model::id::TenantId;
use cordboard_model::verb::{Verb, VerbAnswer};
use serde::{Deserialize, Serialize};

/// Every name that can be called on `call`, in the order of the guide.
pub const NAMES: [&str; 34] = [
    answer::NAME,
    ring::NAME,
    reject::NAME,
    play::NAME,
    say::NAME,
    say_number::NAME,
    say_digits::NAME,
    say_date::NAME,
    say_time::NAME,
    say_money::NAME,
    collect::NAME,
    collect_secret::NAME,
    menu::NAME,
    enqueue::NAME,
    queue::NAME,
    callback::NAME,
    dial::NAME,
    conference::NAME,
    stream::NAME,
    transfer::NAME,
    run::NAME,
    now::NAME,
    calendar::NAME,
    count::NAME,
    lookup::NAME,
    get::NAME,
    http::NAME,
    agent_sign_in::NAME,
    agent_state::NAME,
    hang_up::NAME,
    record::NAME,
    wait::NAME,
    first::NAME,
    log::NAME,
];

/// Every field of `call`.
pub const FIELDS: [&str; 3] = ["from", "to", "data"];

/// A value given back to the flow.
#[derive(Clone, PartialEq)]
pub enum Plain {
    /// `nil`.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Number(f64),
    /// A string.
    Text(String),
    /// What the flow may pass on and not read.
    Secret(String),
    /// A table with numbers from 1 on.
    List(Vec<Plain>),
    /// A table with names.
    Record(Vec<(String, Plain)>),
}

impl core::fmt::Debug for Plain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Plain::Nil => f.write_str("nil"),
            Plain::Bool(is) => is.fmt(f),
            Plain::Int(n) => n.fmt(f),
            Plain::Number(n) => n.fmt(f),
            Plain::Text(text) => text.fmt(f),
            Plain::Secret(_) => f.write_str("(secret)"),
            Plain::List(list) => list.fmt(f),
            Plain::Record(fields) => fields.fmt(f),
        }
    }
}

impl Plain {
    /// A string.
    pub fn text(text: impl Into<String>) -> Plain {
        Plain::Text(text.into())
    }
}

/// What an answer means for the flow.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The verb returns these.
    Values(Vec<Plain>),
    /// The flow ends.
    End,
    /// The verb raises this error.
    Raise(String),
}

/// Which verb is open, as far as its answer needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// `call:answer`.
    Answer,
    /// `call:play`, `call:say` and those that read numbers, dates and so on.
    Play,
    /// `call:collect`; the fewest digits that count.
    Collect(u8),
    /// The same where the caller may also speak; what may be said.
    CollectSpoken(u8, Box<heard::Words>),
    /// `call:collect_secret`; likewise.
    CollectSecret(u8),
    /// `call:http`.
    Http,
    /// `call:enqueue`.
    Enqueue,
    /// `call:queue`.
    Queue,
    /// `call:callback`.
    Callback,
    /// `call:stream`.
    Stream,
    /// `call:dial`.
    Dial,
    /// `call:conference`.
    Conference,
    /// `call:ring`.
    Ring,
    /// `call:reject`.
    Reject,
    /// `call:transfer`.
    Transfer,
    /// `call:hang_up`.
    HangUp,
    /// `call.data.key = value`.
    SetData(String, serde_json::Value),
    /// `call.data.key`.
    GetData(String),
    /// `call:wait`.
    Wait,
    /// `call:first`.
    First,
    /// `call:record`.
    Record,
    /// `call:now`.
    Now,
    /// `call:calendar`.
    Calendar,
    /// `call:count`.
    Count,
    /// `call:lookup`.
    Lookup,
    /// `call:agent_sign_in`.
    AgentSignIn,
    /// `call:agent_state`.
    AgentState,
}

impl Asked {
    /// The verb as it is written in a flow.
    pub fn name(&self) -> &'static str {
        match self {
            Asked::Answer => answer::NAME,
            Asked::Play => play::NAME,
            Asked::Collect(_) | Asked::CollectSpoken(..) => collect::NAME,
            Asked::CollectSecret(_) => collect_secret::NAME,
            Asked::Http => http::NAME,
            Asked::Enqueue => enqueue::NAME,
            Asked::Queue => queue::NAME,
            Asked::Callback => callback::NAME,
            Asked::Stream => stream::NAME,
            Asked::Transfer => transfer::NAME,
            Asked::Dial => dial::NAME,
            Asked::Conference => conference::NAME,
            Asked::Ring => ring::NAME,
            Asked::Reject => reject::NAME,
            Asked::HangUp => hang_up::NAME,
            Asked::SetData(..) | Asked::GetData(_) => "data",
            Asked::Wait => wait::NAME,
            Asked::First => first::NAME,
            Asked::Record => record::NAME,
            Asked::Now => now::NAME,
            Asked::Calendar => calendar::NAME,
            Asked::Count => count::NAME,
            Asked::Lookup => lookup::NAME,
            Asked::AgentSignIn => agent_sign_in::NAME,
            Asked::AgentState => agent_state::NAME,
        }
    }

    /// Whether time passes while the verb is done, so that others may change the call data.
    pub fn takes_time(&self) -> bool {
        let at_once = matches!(self, Asked::SetData(..) | Asked::GetData(_) | Asked::HangUp | Asked::Record)
            || matches!(self, Asked::Now | Asked::Calendar | Asked::Count | Asked::Lookup | Asked::Queue)
            || matches!(self, Asked::AgentState | Asked::Callback);
        !at_once
    }

    /// What an answer that takes no time costs all the same, in instructions: so many of them take about as long.
    pub fn costs(&self) -> u64 {
        match self {
            Asked::Now => 2_000,
            Asked::Calendar => 10_000,
            // It looks at each agent of the queue.
            Asked::Queue => 10_000,
            // Routing is asked whether the number can be called.
            Asked::Callback => 50_000,
            Asked::SetData(..)
            | Asked::GetData(_)
            | Asked::Count
            | Asked::Lookup
            | Asked::Record
            | Asked::AgentState => 1_000,
            _ => 0,
        }
    }

    /// What an answer to this verb means. A refusal, a limit and the caller's end mean the same for all.
    pub fn reply(&self, answer: VerbAnswer) -> Reply {
        match (self, answer) {
            (_, VerbAnswer::HungUp) => Reply::End,
            (_, VerbAnswer::Limit(which)) => {
                Reply::Raise(format!("{}: the limit of {which} is reached", self.name()))
            }
            (Asked::HangUp, _) => Reply::End,
            (Asked::GetData(_), VerbAnswer::Failed(_)) => Reply::Values(vec![Plain::Nil]),
            (_, VerbAnswer::Failed(cause)) => Reply::Values(vec![Plain::Nil, Plain::text(cause.as_str())]),
            (Asked::Play, answer) => play::reply(answer),
            (Asked::CollectSpoken(_, words), VerbAnswer::Said { words: said, confidence }) => {
                words.reply(&said, confidence)
            }
            (Asked::Collect(min) | Asked::CollectSpoken(min, _), answer) => collect::reply(*min, answer),
            (Asked::CollectSecret(min), answer) => collect_secret::reply(*min, answer),
            (Asked::Http, answer) => http::reply(answer),
            (Asked::Enqueue, answer) => enqueue::reply(answer),
            (Asked::GetData(_), answer) => data::reply(answer),
            (Asked::First, answer) => first::reply(answer),
            (Asked::Stream, answer) => stream::reply(answer),
            (Asked::Dial, answer) => dial::reply(answer),
            (Asked::Conference, answer) => conference::reply(answer),
            (Asked::Transfer | Asked::Reject, _) => Reply::End,
            (Asked::AgentSignIn, answer) => agent_sign_in::reply(answer),
            (Asked::AgentState, answer) => agent_state::reply(answer),
            (Asked::Now | Asked::Calendar | Asked::Count | Asked::Lookup, answer) => told(answer),
            (Asked::Queue | Asked::Callback, answer) => told(answer),
            (Asked::Answer | Asked::Ring | Asked::SetData(..) | Asked::Wait | Asked::Record, _) => {
                Reply::Values(vec![Plain::Bool(true)])
            }
        }
    }
}

/// What the answer to a question gives.
fn told(answer: VerbAnswer) -> Reply {
    let VerbAnswer::Told(told) = answer else {
        return Reply::Values(vec![Plain::Nil, Plain::text("internal_error")]);
    };
    match *told {
        Told::Now(moment) => now::reply(moment),
        Told::Calendar(state) => calendar::reply(state),
        Told::Queue(state) => queue::reply(state),
        Told::Count(counted) => count::reply(counted),
        Told::Row(row) => lookup::reply(row),
        Told::Callback(answer) => callback::reply(answer),
    }
}

/// A verb with what its answer needs.
pub type Request = (Verb, Asked);

/// Reads the arguments of the verb `name`.
pub fn request(name: &str, tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    match name {
        answer::NAME => answer::request(args),
        play::NAME => play::request(tenant, args),
        say::NAME => say::request(args),
        say_number::NAME => say_number::request(tenant, args),
        say_digits::NAME => say_digits::request(tenant, args),
        say_date::NAME => say_date::request(tenant, args),
        say_time::NAME => say_time::request(tenant, args),
        say_money::NAME => say_money::request(tenant, args),
        collect::NAME => collect::request(tenant, args),
        collect_secret::NAME => collect_secret::request(tenant, args),
        http::NAME => http::request(tenant, args),
        enqueue::NAME => enqueue::request(tenant, args),
        queue::NAME => queue::request(tenant, args),
        callback::NAME => callback::request(tenant, args),
        ring::NAME => ring::request(args),
        reject::NAME => reject::request(args),
        dial::NAME => dial::request(tenant, args),
        conference::NAME => conference::request(tenant, args),
        stream::NAME => stream::request(args),
        transfer::NAME => transfer::request(tenant, args),
        hang_up::NAME => hang_up::request(args),
        record::NAME => record::request(args),
        now::NAME => now::request(args),
        calendar::NAME => calendar::request(args),
        count::NAME => count::request(args),
        lookup::NAME => lookup::request(args),
        agent_sign_in::NAME => agent_sign_in::request(args),
        agent_state::NAME => agent_state::request(args),
        wait::NAME => wait::request(args),
        first::NAME => first::request(tenant, args),
        _ => Err(BadOption::new(name, "is not a verb")),
    }
}

/// What to tell a designer who wrote a name that `call` does not have.
pub fn unknown(name: &str) -> String {
    let all = || NAMES.iter().chain(FIELDS.iter()).copied();
    let longer = || all().find(|known| name.len() > 2 && known.starts_with(name));
    match nearest(name, all()).or_else(longer) {
        Some(near) => format!("call has no verb '{name}'; did you mean '{near}'?"),
        None => format!("call has no verb '{name}'; there are {}", NAMES.join(", ")),
    }
}

/// The candidate that differs from `name` by at most two edits (one for short names).
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = if name.len() < 4 { 1 } else { 2 };
    candidates
        .map(|candidate| (edits(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters must be changed, added, left out or swapped with a neighbour.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j - 1] + change).min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = core::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::cause::Cause;

    #[test]
    fn a_misspelt_verb_gets_the_one_that_was_meant() {
        assert_eq!(unknown("plya"), "call has no verb 'plya'; did you mean 'play'?");
        assert_eq!(unknown("hangup"), "call has no verb 'hangup'; did you mean 'hang_up'?");
        assert_eq!(unknown("say_num"), "call has no verb 'say_num'; did you mean 'say_number'?");
        assert!(unknown("teleport").contains("there are answer, ring, reject, play,"));
    }

    #[test]
    fn a_refusal_is_nil_and_the_cause_whatever_the_verb() {
        let refusal = Reply::Values(vec![Plain::Nil, Plain::text("not_found")]);
        for asked in
            [Asked::Answer, Asked::Play, Asked::Collect(1), Asked::Enqueue, Asked::Transfer, Asked::Wait]
        {
            assert_eq!(asked.reply(VerbAnswer::Failed(Cause::NotFound)), refusal, "{asked:?}");
            assert_eq!(asked.reply(VerbAnswer::HungUp), Reply::End);
        }
    }

    #[test]
    fn a_transfer_that_is_done_ends_the_flow_and_a_limit_raises() {
        assert_eq!(Asked::Transfer.reply(VerbAnswer::Done), Reply::End);
        assert_eq!(
            Asked::Play.reply(VerbAnswer::Limit("calls".into())),
            Reply::Raise("play: the limit of calls is reached".into())
        );
    }
}
