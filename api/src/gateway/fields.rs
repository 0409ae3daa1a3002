//! What a request says, read as leniently as clients write it: numbers and booleans may be texts, and texts numbers.

use super::code::{Code, Fault};
use core::str::FromStr;
use serde_json::{Map, Value};

/// Longest call data, bytes.
pub(crate) const DATA_MAX: usize = 16 << 10;

/// The entries of a query or of a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Of a body, which may be empty or `null`.
    pub(crate) fn body(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(entries)) => Ok(Self(entries)),
            Ok(Value::Null) => Ok(Self::default()),
            Ok(_) => Err(Fault::new(Code::MESSAGE, "expected an object")),
            Err(why) => Err(Fault::new(Code::MESSAGE, why.to_string())),
        }
    }

    /// The entries of an entry that is an object.
    pub(crate) fn inner(&self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().map(|entries| Self(entries.clone()))
    }

    /// A list of texts, or of numbers.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Fault> {
        let wrong = || Fault::new(Code::PARAMETER, format!("{name} is no list"));
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.trim().to_owned()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(wrong()),
        };
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(values)) => values.iter().map(text).collect::<Result<_, _>>().map(Some),
            Some(_) => Err(wrong()),
        }
    }

    /// Of a query.
    pub(crate) fn query(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
    }

    /// Both; what the query says holds.
    pub(crate) fn over(self, other: Self) -> Self {
        let mut entries = other.0;
        entries.extend(self.0);
        Self(entries)
    }

    /// An entry as text; none if it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(on) => on.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// An entry that must be there, also empty.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::Null => None,
            _ => Some(self.text(name).unwrap_or_default()),
        }
    }

    /// A number.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Fault> {
        let wrong = |text: &str| Fault::new(Code::PARAMETER, format!("{name} is {text:?}"));
        self.text(name).map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
    }

    /// A number that must be there.
    pub(crate) fn need_number<T: FromStr>(&self, name: &str) -> Result<T, Fault> {
        self.number(name)?.ok_or_else(|| missing(name))
    }

    /// A list of numbers.
    pub(crate) fn numbers(&self, name: &str) -> Result<Option<Vec<u64>>, Fault> {
        let wrong = || Fault::new(Code::PARAMETER, format!("{name} is no list of numbers"));
        let number = |value: &Value| match value {
            Value::String(text) => text.trim().parse().map_err(|_| wrong()),
            other => other.as_u64().ok_or_else(wrong),
        };
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(values)) => values.iter().map(number).collect::<Result<_, _>>().map(Some),
            Some(_) => Err(wrong()),
        }
    }

    /// A boolean.
    pub(crate) fn flag(&self, name: &str, usual: bool) -> Result<bool, Fault> {
        match self.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(usual),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => Err(Fault::new(Code::PARAMETER, format!("{name} is {other:?}"))),
        }
    }

    /// A text that must be there, of at most so many bytes.
    pub(crate) fn need(&self, name: &str, most: usize) -> Result<String, Fault> {
        let text = self.text(name).ok_or_else(|| missing(name))?;
        match text.len() <= most {
            true => Ok(text),
            false => Err(Fault::new(Code::PARAMETER, format!("{name} is longer than {most}"))),
        }
    }

    /// The call data that goes with an order, if there is any.
    pub(crate) fn app_data(&self) -> Result<Option<String>, Fault> {
        let data = self.text("callappdata");
        match data.as_ref().is_some_and(|data| data.len() > DATA_MAX) {
            true => Err(Fault::new(Code::PARAMETER, format!("callappdata is longer than {DATA_MAX}"))),
            false => Ok(data),
        }
    }
}

fn missing(name: &str) -> Fault {
    Fault::new(Code::PARAMETER, format!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_booleans_are_read_as_texts_too_and_texts_as_numbers() {
        for body in [
            r#"{"status": 4, "releasephone": false, "called": 10086, "phonenum": ""}"#,
            r#"{"status": "4", "releasephone": "false", "called": "10086", "phonenum": null}"#,
        ] {
            let said = Fields::body(body.as_bytes()).unwrap();
            assert_eq!(said.number("status"), Ok(Some(4)));
            assert_eq!(said.flag("releasephone", true), Ok(false));
            assert_eq!(said.need("called", 24), Ok("10086".into()));
            assert_eq!(said.text("phonenum"), None);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(Fields::body(b"").unwrap(), Fields::default());
        assert_eq!(Fields::body(b"[1]").unwrap_err().code, Code::MESSAGE);
        assert_eq!(Fields::body(b"{").unwrap_err().code, Code::MESSAGE);
        let said = Fields::body(br#"{"status": "four", "on": "maybe", "to": "123"}"#).unwrap();
        assert_eq!(said.number::<u8>("status").unwrap_err().code, Code::PARAMETER);
        assert!(said.flag("on", true).unwrap_err().message().contains("maybe"));
        assert!(said.need("called", 24).unwrap_err().message().contains("called is missing"));
        assert_eq!(said.need("to", 2).unwrap_err().code, Code::PARAMETER);
    }
}
