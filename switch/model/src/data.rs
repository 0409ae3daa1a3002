//! Call data: what travels with a call to every leg, event, screen and record, as JSON types it.
//!
//! An entry is a string, a number, a boolean, a list or an object. One that is `null` or an empty string is none.

use serde_json::Value;

/// Whether it is no entry: to set it is to remove the entry.
pub fn is_none(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// As it is written where there is room for a text only: a string as it is, all else as JSON.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How many bytes it takes: those of a string, and of all else those of its JSON.
pub fn bytes(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_string_is_shown_as_it_is_and_all_else_as_json() {
        for (value, text) in [
            (json!("a \"b\""), "a \"b\""),
            (json!(7), "7"),
            (json!(2.5), "2.5"),
            (json!(false), "false"),
            (json!([1, "a"]), "[1,\"a\"]"),
            (json!({"a": [true]}), "{\"a\":[true]}"),
            (json!(null), ""),
        ] {
            assert_eq!((shown(&value).as_str(), bytes(&value)), (text, text.len()));
        }
        assert!(is_none(&json!(null)) && is_none(&json!("")));
        assert!(!is_none(&json!(false)) && !is_none(&json!(0)) && !is_none(&json!([])));
    }
}
