//! JSON for what flows send and get. A table with numbers from 1 on is an array, any other an object; an empty one is an
//! object. `null` is `nil`: a field that is not there.

use super::Plain;
use super::arg::Arg;
use serde_json::{Map, Number, Value};

/// What stands where a secret is.
const HIDDEN: &str = "(secret)";

/// A value as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// As it is sent.
    pub text: String,
    /// The same without secrets.
    pub shown: String,
}

/// Writes a value.
///
/// # Errors
/// In words, what JSON cannot hold.
pub fn write(value: &Arg) -> Result<Written, String> {
    let text = convert(value, &|secret| secret)?.to_string();
    let shown = convert(value, &|_| HIDDEN)?.to_string();
    Ok(Written { text, shown })
}

/// A value without secrets; none if there is one in it.
///
/// # Errors
/// In words, what JSON cannot hold.
pub fn value(arg: &Arg) -> Result<Option<Value>, String> {
    fn is_free(arg: &Arg) -> bool {
        match arg {
            Arg::Secret(_) => false,
            Arg::Table(table) => table.list.iter().chain(table.named.values()).all(is_free),
            _ => true,
        }
    }
    if !is_free(arg) {
        return Ok(None);
    }
    convert(arg, &|_| HIDDEN).map(Some)
}

fn convert<'a>(value: &'a Arg, secret: &dyn Fn(&'a str) -> &'a str) -> Result<Value, String> {
    Ok(match value {
        Arg::Nil => Value::Null,
        Arg::Bool(is) => Value::Bool(*is),
        Arg::Int(n) => Value::from(*n),
        Arg::Number(n) => match Number::from_f64(*n) {
            Some(number) => Value::Number(number),
            None => return Err(format!("{n} is not a number of JSON")),
        },
        Arg::Text(text) => Value::from(text.as_str()),
        Arg::Secret(text) => Value::from(secret(text)),
        Arg::Table(table) if table.named.is_empty() && !table.list.is_empty() => {
            Value::Array(table.list.iter().map(|value| convert(value, secret)).collect::<Result<_, _>>()?)
        }
        Arg::Table(table) if table.list.is_empty() => {
            let mut object = Map::new();
            for (name, value) in &table.named {
                object.insert(name.clone(), convert(value, secret)?);
            }
            Value::Object(object)
        }
        Arg::Table(_) => return Err("a table has either a list or names".to_owned()),
        Arg::Other(kind) => return Err(format!("a {kind} has no place in JSON")),
    })
}

/// Reads a text; none if it is not JSON.
pub fn read(text: &str) -> Option<Plain> {
    serde_json::from_str(text).ok().map(plain)
}

/// A value of JSON, as flows have it.
pub fn plain(value: Value) -> Plain {
    match value {
        Value::Null => Plain::Nil,
        Value::Bool(is) => Plain::Bool(is),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(n), _) => Plain::Int(n),
            (None, Some(n)) => Plain::Number(n),
            (None, None) => Plain::Nil,
        },
        Value::String(text) => Plain::Text(text),
        Value::Array(values) => Plain::List(values.into_iter().map(plain).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Plain::Record(fields.map(|(name, value)| (name, plain(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    #[test]
    fn lists_are_arrays_and_what_has_no_place_is_named() {
        let list = table(&[], &[Arg::Int(1), Arg::Bool(false), text("ü")]);
        assert_eq!(write(&list).unwrap().text, r#"[1,false,"ü"]"#);
        assert_eq!(write(&table(&[], &[])).unwrap().text, "{}");
        assert_eq!(write(&table(&[("a", Arg::Nil)], &[])).unwrap().text, r#"{"a":null}"#);
        assert_eq!(write(&Arg::Number(f64::NAN)), Err("NaN is not a number of JSON".into()));
        let both = table(&[("a", Arg::Int(1))], &[Arg::Int(1)]);
        assert_eq!(write(&both), Err("a table has either a list or names".into()));
    }

    #[test]
    fn what_is_no_json_or_nests_without_end_is_not_read() {
        assert_eq!(read("{"), None);
        assert_eq!(read(&"[".repeat(10_000)), None);
        assert_eq!(read(&format!("{}{}", "[".repeat(1_000), "]".repeat(1_000))), None);
        assert_eq!(read("18446744073709551615"), Some(Plain::Number(18_446_744_073_709_551_615.0)));
    }
}
