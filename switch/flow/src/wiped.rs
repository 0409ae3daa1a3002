//! What is kept of a flow that is over has no secrets: keys that were one, what others said back of them, and values whose names
//! say that they are.
//!
//! While the call runs its answers are kept as they are, for the flow can only be rebuilt with them. They are wiped when it
//! is over: keys become as many others. What the flow asked for since is kept beside them, so that it can be told later
//! whether a secret led it elsewhere.

use crate::io::FlowRecord;
use crate::line::line;
use cordboard_model::ask::Told;
use cordboard_model::fetch::Fetched;
use cordboard_model::verb::{Verb, VerbAnswer};
use serde_json::Value;

/// Words in a name of JSON whose value is nobody's business.
const SECRETS: [&str; 8] =
    ["secret", "token", "password", "passwd", "credential", "authorization", "cookie", "pin"];
/// What stands in place of a secret.
const HIDDEN: &str = "(secret)";

/// Keys that were a secret, each with the keys that stand for it.
type Secrets = Vec<(String, String)>;

/// What a flow that runs was told in secret, and what it asked for since.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    secrets: Secrets,
    /// Which answers were keys that are a secret.
    keyed: Vec<usize>,
    /// The first answer whose question may depend on something that is hidden, and the questions since.
    since: Option<(usize, Vec<String>)>,
}

impl Trail {
    /// Takes note of the answer of this number, counted from none.
    pub(crate) fn note(&mut self, at: usize, verb: &Verb, answer: &VerbAnswer) {
        if let Some((_, asked)) = &mut self.since {
            asked.push(line(verb));
        }
        let hides = match (verb, answer) {
            (Verb::Collect { secret: true, .. }, VerbAnswer::Digits { digits, .. }) if !digits.is_empty() => {
                self.secrets.push((digits.clone(), "1".repeat(digits.len())));
                self.keyed.push(at);
                true
            }
            (_, VerbAnswer::Fetched(fetched)) => matches!(&**fetched, Fetched::Answer { json: true, .. }),
            (_, VerbAnswer::Told(told)) => matches!(&**told, Told::Row(Some(_))),
            _ => false,
        };
        if hides {
            self.since.get_or_insert_with(|| (at + 1, Vec::new()));
        }
    }

    /// No answers are kept any more.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes the secrets out of what is kept. Gives what was asked for since the first of them.
    pub(crate) fn wipe(self, record: &mut FlowRecord) -> Option<(usize, Vec<String>)> {
        let Self { secrets, keyed, since } = self;
        let (from, asked) = since?;
        for (at, answer) in record.answers.iter_mut().enumerate() {
            let told = core::mem::replace(answer, VerbAnswer::Done);
            *answer = match told {
                VerbAnswer::Digits { digits, end } if keyed.contains(&at) => {
                    VerbAnswer::Digits { digits: "1".repeat(digits.len()), end }
                }
                told => without(&secrets, harmless(&secrets, told)),
            };
        }
        Some((from, asked.into_iter().map(|line| cleared(&secrets, &line)).collect()))
    }
}

fn cleared(secrets: &Secrets, text: &str) -> String {
    secrets.iter().fold(text.to_owned(), |text, (secret, other)| text.replace(secret.as_str(), other))
}

/// An answer without values whose names say that they are secrets.
fn harmless(secrets: &Secrets, answer: VerbAnswer) -> VerbAnswer {
    match answer {
        VerbAnswer::Fetched(fetched) => VerbAnswer::Fetched(match *fetched {
            Fetched::Answer { status, json: true, body } => {
                let mut value: Value = serde_json::from_str(&body).unwrap_or_default();
                hide(&mut value, secrets);
                Box::new(Fetched::Answer { status, json: true, body: value.to_string() })
            }
            other => Box::new(other),
        }),
        VerbAnswer::Told(told) => VerbAnswer::Told(match *told {
            Told::Row(Some(row)) => {
                let cell = |(name, cell): (String, String)| {
                    let shown = if is_secret(&name) { hidden(&cell, secrets) } else { cell };
                    (name, shown)
                };
                Box::new(Told::Row(Some(row.into_iter().map(cell).collect())))
            }
            other => Box::new(other),
        }),
        other => other,
    }
}

/// What others said after keys were a secret, without those keys: they may have said them back.
fn without(secrets: &Secrets, answer: VerbAnswer) -> VerbAnswer {
    let clear = |text: &str| cleared(secrets, text);
    match answer {
        VerbAnswer::Fetched(fetched) => VerbAnswer::Fetched(match *fetched {
            Fetched::Answer { status, json, body } => {
                Box::new(Fetched::Answer { status, json, body: clear(&body) })
            }
            failed @ Fetched::Failed(_) => Box::new(failed),
        }),
        VerbAnswer::Data(Some(Value::String(text))) => VerbAnswer::Data(Some(clear(&text).into())),
        VerbAnswer::Data(Some(value)) => {
            // What is no text is looked through as one.
            let cleared = clear(&value.to_string());
            VerbAnswer::Data(Some(serde_json::from_str(&cleared).unwrap_or_else(|_| HIDDEN.into())))
        }
        VerbAnswer::Said { words, confidence } => VerbAnswer::Said { words: clear(&words), confidence },
        VerbAnswer::Told(told) => VerbAnswer::Told(match *told {
            Told::Row(Some(row)) => {
                Box::new(Told::Row(Some(row.into_iter().map(|(name, cell)| (name, clear(&cell))).collect())))
            }
            other => Box::new(other),
        }),
        VerbAnswer::Streamed(mut outcome) => {
            outcome.result = outcome.result.map(|found| clear(&found));
            VerbAnswer::Streamed(outcome)
        }
        other => other,
    }
}

/// Whether a name says that its value is nobody's business.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRETS.iter().any(|word| name.contains(word))
}

/// What stands for a secret: if it is one that was keyed in, what stands for that, so that the two are alike.
fn hidden(value: &str, secrets: &Secrets) -> String {
    let known = secrets.iter().find(|(secret, _)| secret == value);
    known.map_or(HIDDEN.to_owned(), |(_, other)| other.clone())
}

/// Values whose names say that they are secrets, of whatever type.
fn hide(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) && !value.is_null() {
                    *value = hidden(value.as_str().unwrap_or_default(), secrets).into();
                } else {
                    hide(value, secrets);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| hide(value, secrets)),
        _ => {}
    }
}
