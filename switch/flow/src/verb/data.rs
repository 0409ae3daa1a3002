//! `call.data.language = "zh"`, `local l = call.data.language`: entries of the call data, which travels
//! with the call to the agent and into the record. Values are strings; numbers and booleans become strings, which
//! `call:get` reads back; `nil` removes an entry.

use super::arg::{Arg, BadOption};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::verb::{DATA_KEY_MAX, DATA_VALUE_MAX, Verb, VerbAnswer};

const NAME: &str = "data";

fn key(arg: &Arg) -> Result<String, BadOption> {
    match arg {
        Arg::Text(key) if !key.is_empty() && key.len() <= DATA_KEY_MAX => Ok(key.clone()),
        Arg::Text(key) if key.is_empty() => Err(BadOption::new(NAME, "a key cannot be empty")),
        Arg::Text(_) => Err(BadOption::new(NAME, format!("a key has at most {DATA_KEY_MAX} bytes"))),
        other => Err(BadOption::new(NAME, format!("a key must be a string, not a {}", other.type_name()))),
    }
}

/// Reads a key to be looked up.
pub fn get(arg: &Arg) -> Result<Request, BadOption> {
    let key = key(arg)?;
    Ok((Verb::GetData { key: key.clone() }, Asked::GetData(key)))
}

/// Reads an entry to be set.
pub fn set(arg: &Arg, value: &Arg) -> Result<Request, BadOption> {
    let key = key(arg)?;
    let value = match value {
        Arg::Nil => String::new(),
        Arg::Text(text) if text.len() <= DATA_VALUE_MAX => text.clone(),
        Arg::Bool(is) => is.to_string(),
        Arg::Int(n) => n.to_string(),
        Arg::Number(n) => n.to_string(),
        Arg::Text(_) => {
            return Err(BadOption::new(
                NAME,
                format!("the value of '{key}' has more than {DATA_VALUE_MAX} bytes"),
            ));
        }
        other => {
            return Err(BadOption::new(
                NAME,
                format!(
                    "the value of '{key}' must be a string, a number or a boolean, not a {}",
                    other.type_name()
                ),
            ));
        }
    };
    let verb = Verb::SetData { key: key.clone(), value: value.clone() };
    Ok((verb, Asked::SetData(key, value)))
}

/// Reads the answer to a look-up.
pub fn reply(answer: VerbAnswer) -> Reply {
    Reply::Values(vec![match answer {
        VerbAnswer::Data(Some(value)) if !value.is_empty() => Plain::Text(value),
        _ => Plain::Nil,
    }])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn nil_removes_an_entry() {
        let (verb, _) = set(&text("x"), &Arg::Nil).unwrap();
        assert_eq!(verb, Verb::SetData { key: "x".into(), value: String::new() });
    }

    #[test]
    fn keys_and_values_have_limits_and_types() {
        assert_eq!(get(&text(&"k".repeat(65))).unwrap_err().0, "data: a key has at most 64 bytes");
        assert_eq!(get(&Arg::Int(1)).unwrap_err().0, "data: a key must be a string, not a number");
        assert_eq!(
            set(&text("x"), &Arg::Secret("4711".into())).unwrap_err().0,
            "data: the value of 'x' must be a string, a number or a boolean, not a secret"
        );
        assert_eq!(
            set(&text("x"), &text(&"v".repeat(4_097))).unwrap_err().0,
            "data: the value of 'x' has more than 4096 bytes"
        );
    }

    #[test]
    fn an_entry_that_is_not_there_is_nil() {
        assert_eq!(reply(VerbAnswer::Data(None)), Reply::Values(vec![Plain::Nil]));
        assert_eq!(reply(VerbAnswer::Data(Some("x".into()))), Reply::Values(vec![Plain::text("x")]));
    }
}
