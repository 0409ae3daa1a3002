//! A decision as a server or a flow writes it, in JSON: a text as `"queue:sales"`, or an object with any of these.
//!
//! | field | value |
//! | --- | --- |
//! | `to` | `flow:NAME`, `queue:NAME`, `agent:NAME`, `user:NAME` or `trunk:NAME:NUMBER` |
//! | `number` | another number to be called; the next plugin is asked |
//! | `refuse` | `busy`, `not_found`, `forbidden`, `congestion` or `no_route` |
//! | `priority` | the place in a queue, 0 to 255 |
//! | `data` | call data by name, of any type |
//!
//! `null`, nothing, or an object with neither `to`, `number` nor `refuse` lets the next plugin decide.

use crate::routing::{Change, RouteRequest, Verdict};
use crate::words::{destination, shown};
use cordboard_model::cause::Cause;
use cordboard_model::config::Tenant;
use cordboard_model::data::bytes;
use cordboard_model::id::{AgentId, FlowId, Name, QueueId, TrunkId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::routes::{Otherwise, is_dialable};
use cordboard_model::verb::{DATA_BYTES_MAX, DATA_ENTRIES_MAX, DATA_KEY_MAX, DATA_VALUE_MAX, Destination};
use serde_json::Value;
use std::collections::BTreeMap;

/// What can be answered to a caller.
const CAUSES: [Cause; 5] =
    [Cause::Busy, Cause::NotFound, Cause::Forbidden, Cause::Congestion, Cause::NoRoute];

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Where the call goes.
    pub to: Option<Destination>,
    /// Which number is called instead.
    pub number: Option<String>,
    /// Why it is refused.
    pub refuse: Option<Cause>,
    /// Its place in a queue.
    pub priority: Option<u8>,
    /// Call data.
    pub data: BTreeMap<String, Value>,
}

/// Reads a decision about a call of this tenant.
///
/// # Errors
/// In words, what is wrong with it.
pub fn decision(text: &str, tenant: &Tenant) -> Result<Decision, String> {
    let value: Value = serde_json::from_str(text).map_err(|_| "the answer is no JSON".to_owned())?;
    let mut read = Decision::default();
    let fields = match value {
        Value::Null => return Ok(read),
        Value::String(to) => {
            read.to = Some(named(tenant, &to)?);
            return Ok(read);
        }
        Value::Object(fields) => fields,
        _ => return Err("the answer is neither a text nor an object".to_owned()),
    };
    for (name, value) in fields {
        match (name.as_str(), value) {
            (_, Value::Null) => {}
            ("to", Value::String(to)) => read.to = Some(named(tenant, &to)?),
            ("number", Value::String(number)) if is_dialable(&number) => read.number = Some(number),
            ("refuse", Value::String(word)) => read.refuse = Some(cause(&word)?),
            ("priority", Value::Number(number)) => read.priority = Some(place(&number)?),
            ("data", Value::Object(data)) => read.data = data_of(data)?,
            ("to" | "number" | "refuse" | "priority" | "data", value) => {
                return Err(format!("{name} cannot be {}", shown(&value.to_string())));
            }
            (other, _) => return Err(format!("the answer has an unknown field {}", shown(other))),
        }
    }
    let ways = [read.to.is_some(), read.number.is_some(), read.refuse.is_some()];
    match ways.into_iter().filter(|way| *way).count() > 1 {
        true => Err("the answer has more than one of to, number and refuse".to_owned()),
        false => Ok(read),
    }
}

fn cause(word: &str) -> Result<Cause, String> {
    let found = CAUSES.into_iter().find(|cause| cause.as_str() == word);
    found.ok_or_else(|| format!("refuse cannot be {}", shown(word)))
}

fn place(number: &serde_json::Number) -> Result<u8, String> {
    let place = number.as_u64().and_then(|n| u8::try_from(n).ok());
    place.ok_or_else(|| format!("priority is 0 to 255, not {number}"))
}

fn data_of(fields: serde_json::Map<String, Value>) -> Result<BTreeMap<String, Value>, String> {
    let data: BTreeMap<String, Value> = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
    for (key, value) in &data {
        if key.is_empty() {
            return Err("data has an entry without a name".to_owned());
        }
        if key.len() > DATA_KEY_MAX || bytes(value) > DATA_VALUE_MAX {
            return Err(format!("data {} is too long", shown(key)));
        }
    }
    let all: usize = data.iter().map(|(key, value)| key.len() + bytes(value)).sum();
    match data.len() > DATA_ENTRIES_MAX || all > DATA_BYTES_MAX {
        true => Err("there is too much data".to_owned()),
        false => Ok(data),
    }
}

/// What a decision leads to: `who` made it. What it gives the call beside, the call has in any case.
pub fn follow(who: &str, decision: Decision, req: &RouteRequest) -> Verdict {
    let Decision { to, number, refuse, priority, data } = decision;
    let mut changes: Vec<Change> = priority.map(Change::Priority).into_iter().collect();
    changes.extend(data.into_iter().map(|(key, value)| Change::Data { key, value }));
    let then = match (to, refuse, number) {
        (Some(to), ..) => {
            let why = format!("{who} says {}", destination(&to));
            Some(Verdict::Decide { to, why })
        }
        (None, Some(cause), _) => {
            Some(Verdict::Refuse { cause, why: format!("{who} says {}", cause.as_str()) })
        }
        (None, None, Some(number)) => {
            changes.push(Change::To(PartyId { user: number, display: req.to.display.clone() }));
            None
        }
        (None, None, None) => None,
    };
    let why = match changes.len() {
        0 => format!("{who} has nothing to say"),
        _ => format!("{who} says what the call is to have"),
    };
    match (changes.is_empty(), then) {
        (true, Some(verdict)) => verdict,
        (true, None) => Verdict::Pass { why },
        (false, then) => Verdict::Amend { changes, why, then: then.map(Box::new) },
    }
}

/// What is done where there is no decision: `who` was to make it.
pub fn instead(who: &str, fault: &str, otherwise: &Otherwise) -> Verdict {
    let why = |what: &str| format!("{who} did not decide ({fault}): {what}");
    match otherwise {
        Otherwise::Pass => Verdict::Pass { why: why("the next is asked") },
        Otherwise::Refuse(cause) => Verdict::Refuse { cause: *cause, why: why("refused") },
        Otherwise::To(to) => {
            Verdict::Decide { to: to.clone(), why: why(&format!("goes to {}", destination(to))) }
        }
    }
}

/// The destination of a tenant that a text names.
///
/// # Errors
/// In words, why it names none.
pub fn named(tenant: &Tenant, text: &str) -> Result<Destination, String> {
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    let (name, number) = match kind {
        "trunk" => name.split_once(':').unwrap_or((name, "")),
        _ => (name, ""),
    };
    let missing = || format!("{} is not there", shown(text));
    let name = Name::new(name).map_err(|_| format!("{} names nothing", shown(text)))?;
    let id = tenant.id;
    let (there, to) = match kind {
        "flow" => (tenant.flows.contains_key(&name), Destination::Flow(FlowId { tenant: id, name })),
        "queue" => (tenant.queues.contains_key(&name), Destination::Queue(QueueId { tenant: id, name })),
        "agent" => (tenant.agents.contains_key(&name), Destination::Agent(AgentId { tenant: id, name })),
        "user" => (tenant.users.contains_key(&name), Destination::User(UserId { tenant: id, name })),
        "trunk" if is_dialable(number) => {
            let there = tenant.trunks.contains_key(&name);
            (there, Destination::Trunk(TrunkId { tenant: id, name }, number.to_owned()))
        }
        _ => return Err(format!("{} names nothing", shown(text))),
    };
    if there { Ok(to) } else { Err(missing()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::config::Trunk;
    use cordboard_model::id::TenantId;

    fn tenant() -> Tenant {
        let mut tenant = Tenant::new(TenantId::DEFAULT);
        let id = TrunkId::new(tenant.id, "carrier").unwrap();
        tenant.trunks.insert(id.name.clone(), Trunk::new(id));
        tenant
    }

    #[test]
    fn a_decision_is_a_text_or_an_object() {
        let carrier = named(&tenant(), "trunk:carrier:+4930").unwrap();
        let read = |text: &str| decision(text, &tenant());
        let to = Decision { to: Some(carrier), ..Decision::default() };
        assert_eq!(read(r#""trunk:carrier:+4930""#), Ok(to.clone()));
        assert_eq!(read(r#"{"to":"trunk:carrier:+4930"}"#), Ok(to));
        for nothing in ["null", "{}", r#"{"to":null}"#] {
            assert_eq!(read(nothing), Ok(Decision::default()));
        }
        let all = read(r#"{"number":"5001","priority":9,"data":{"vip":true,"level":3,"no":null}}"#).unwrap();
        let data = [("level".to_owned(), Value::from(3)), ("vip".to_owned(), Value::from(true))].into();
        let number = Some("5001".to_owned());
        assert_eq!(all, Decision { number, priority: Some(9), data, ..Decision::default() });
        assert_eq!(read(r#"{"refuse":"busy"}"#).unwrap().refuse, Some(Cause::Busy));
    }

    #[test]
    fn what_is_no_decision_is_named() {
        let long = format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(17_000));
        let wrong = [
            ("", "no JSON"),
            ("7", "neither a text nor an object"),
            (r#""queue:sales""#, "queue:sales is not there"),
            (r#""sales""#, "sales names nothing"),
            (r#""trunk:carrier:1@evil""#, "names nothing"),
            (r#""trunk:carrier""#, "names nothing"),
            (r#"{"number":"1@evil"}"#, "number cannot be"),
            (r#"{"to":"trunk:carrier:1","refuse":"busy"}"#, "more than one"),
            (r#"{"refuse":"because"}"#, "refuse cannot be because"),
            (r#"{"priority":256}"#, "0 to 255"),
            (r#"{"goto":"x"}"#, "unknown field goto"),
            (r#"{"data":{"":1}}"#, "without a name"),
            (long.as_str(), "data a is too long"),
        ];
        for (text, why) in wrong {
            let told = decision(text, &tenant()).unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
