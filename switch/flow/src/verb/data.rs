//! `call.data.language = "zh"`, `local l = call.data.language`: entries of the call data, which travels
//! with the call to the agent and into the record. Values are strings, numbers, booleans, and tables of these; they stay what
//! they are (JSON). `nil` and `""` remove an entry.

use super::arg::{Arg, BadOption};
use super::{Asked, Plain, Reply, Request, json};
use cordboard_model::data::{bytes, is_none};
use cordboard_model::verb::{DATA_KEY_MAX, DATA_VALUE_MAX, Verb, VerbAnswer};
use serde_json::Value;

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
    let wrong = |why: String| BadOption::new(NAME, format!("the value of '{key}' {why}"));
    let kinds = |what: &str| {
        wrong(format!("must be a string, a number, a boolean or a table of these, not a {what}"))
    };
    let value = match value {
        Arg::Other(_) => return Err(kinds(value.type_name())),
        Arg::Number(n) if !n.is_finite() => return Err(wrong(format!("is {n}, which is no number"))),
        value => json::value(value).map_err(|why| wrong(format!("cannot be kept: {why}")))?,
    };
    let Some(value) = value else { return Err(kinds("secret")) };
    if bytes(&value) > DATA_VALUE_MAX {
        return Err(wrong(format!("has more than {DATA_VALUE_MAX} bytes")));
    }
    let value = if is_none(&value) { Value::Null } else { value };
    let verb = Verb::SetData { key: key.clone(), value: value.clone() };
    Ok((verb, Asked::SetData(key, value)))
}

/// Reads the answer to a look-up.
pub fn reply(answer: VerbAnswer) -> Reply {
    Reply::Values(vec![match answer {
        VerbAnswer::Data(Some(value)) if !is_none(&value) => json::plain(value),
        _ => Plain::Nil,
    }])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_stays_what_it_is() {
        let list = table(&[], &[Arg::Int(1), text("two"), Arg::Bool(false)]);
        for (arg, value) in [
            (text("7"), json!("7")),
            (Arg::Int(7), json!(7)),
            (Arg::Number(2.5), json!(2.5)),
            (Arg::Bool(false), json!(false)),
            (list.clone(), json!([1, "two", false])),
            (table(&[("a", list)], &[]), json!({"a": [1, "two", false]})),
        ] {
            let (verb, _) = set(&text("x"), &arg).unwrap();
            assert_eq!(verb, Verb::SetData { key: "x".into(), value: value.clone() });
            assert_eq!(reply(VerbAnswer::Data(Some(value.clone()))), Reply::Values(vec![json::plain(value)]));
        }
    }

    #[test]
    fn nil_removes_an_entry() {
        let (verb, _) = set(&text("x"), &Arg::Nil).unwrap();
        assert_eq!(verb, Verb::SetData { key: "x".into(), value: Value::Null });
        let (verb, _) = set(&text("x"), &text("")).unwrap();
        assert_eq!(verb, Verb::SetData { key: "x".into(), value: Value::Null });
    }

    #[test]
    fn keys_and_values_have_limits_and_types() {
        assert_eq!(get(&text(&"k".repeat(65))).unwrap_err().0, "data: a key has at most 64 bytes");
        assert_eq!(get(&Arg::Int(1)).unwrap_err().0, "data: a key must be a string, not a number");
        assert_eq!(
            set(&text("x"), &Arg::Secret("4711".into())).unwrap_err().0,
            "data: the value of 'x' must be a string, a number, a boolean or a table of these, not a secret"
        );
        assert_eq!(
            set(&text("x"), &text(&"v".repeat(16_385))).unwrap_err().0,
            "data: the value of 'x' has more than 16384 bytes"
        );
        let hidden = table(&[("pin", Arg::Secret("4711".into()))], &[]);
        assert!(set(&text("x"), &hidden).unwrap_err().0.ends_with("not a secret"));
        let long = table(&[], &vec![text(&"v".repeat(100)); 165]);
        assert_eq!(set(&text("x"), &long).unwrap_err().0, "data: the value of 'x' has more than 16384 bytes");
        assert_eq!(
            set(&text("x"), &Arg::Number(f64::NAN)).unwrap_err().0,
            "data: the value of 'x' is NaN, which is no number"
        );
        let both = table(&[("a", Arg::Int(1))], &[Arg::Int(1)]);
        assert_eq!(
            set(&text("x"), &both).unwrap_err().0,
            "data: the value of 'x' cannot be kept: a table has either a list or names"
        );
    }

    #[test]
    fn an_entry_that_is_not_there_is_nil() {
        assert_eq!(reply(VerbAnswer::Data(None)), Reply::Values(vec![Plain::Nil]));
        assert_eq!(reply(VerbAnswer::Data(Some("x".into()))), Reply::Values(vec![Plain::text("x")]));
    }
}
