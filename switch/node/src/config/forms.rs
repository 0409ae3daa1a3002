//! What documents of the control plane look like, found by asking the readers: the schemas that OpenAPI shows.
//!
//! Invariant: nothing of a schema is written by hand. Which keys there are, of which form and in which range is what the
//! readers ask for and say they expected; what a key means is what the shipped file says of it. The result is a file of the
//! `api` crate, which cannot see the readers; the test that makes it fails when it differs.

use super::section::Wrong;
use super::tree::{Node, Value as Tree};
use super::value::duration_shown;
use core::any::Any;
use core::time::Duration;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// In which form a key was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// A value; what its reader says it expected, and which other kinds of values it takes.
    Value(Expected),
    /// A list of them.
    List(Expected),
    /// What holds where it is not given, as far as that can be shown.
    Default(Option<String>),
    /// A table, tables by name, tables in a row.
    Table,
    Named,
    Tables,
}

/// What a reader takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Expected {
    words: String,
    kinds: BTreeSet<&'static str>,
}

/// The forms of every key, by its section's pattern.
pub(super) type Forms = BTreeMap<(String, &'static str), BTreeSet<Form>>;

fn node(value: Tree) -> Node {
    Node { offset: 0, value, source: None }
}

/// Has a reader say what it expected, by giving it what no key takes; and tries simple values of each kind.
pub(super) fn expected<T>(read: &impl Fn(&Node) -> Result<T, Wrong>) -> Expected {
    let words = read(&node(Tree::Date)).err().map(|wrong| wrong.expected).unwrap_or_default();
    let mut kinds = BTreeSet::new();
    let mut try_one = |kind, value| {
        if read(&node(value)).is_ok() {
            kinds.insert(kind);
        }
    };
    try_one("boolean", Tree::Boolean(true));
    for number in [0, 1, 5, 100, 5_000] {
        try_one("integer", Tree::Integer(Some(number)));
    }
    for text in ["x", "100", "a:b", "10s", "1MiB", "192.0.2.1", "192.0.2.1:5060"] {
        try_one("string", Tree::Text(text.to_owned()));
    }
    try_one("array", Tree::Array(Vec::new()));
    try_one("object", Tree::Table(Vec::new()));
    Expected { words, kinds }
}

/// A default as JSON, of the types that have one form alone.
pub(super) fn shown<T: Any>(default: &T) -> Option<String> {
    let any = default as &dyn Any;
    macro_rules! numbers {
        ($($kind:ty),*) => { $(if let Some(n) = any.downcast_ref::<$kind>() { return Some(json!(n).to_string()); })* };
    }
    numbers!(u8, u16, u32, u64, usize, i64, bool, String);
    any.downcast_ref::<Duration>().map(|time| json!(duration_shown(*time)).to_string())
}

/// What the shipped file says of keys: the comment before each, and the value that stands there.
pub(super) struct Shipped(BTreeMap<String, (String, String)>);

impl Shipped {
    /// `file` with its examples taken as they are; `pattern` makes `tenant.*.queue.*` of a section's header.
    pub(super) fn read(file: &str, pattern: impl Fn(&str) -> String) -> Self {
        let (mut section, mut comment, mut all) = (String::new(), Vec::new(), BTreeMap::new());
        let mut is_used = false;
        for line in file.lines() {
            if let Some(words) = line.strip_prefix("# ") {
                if core::mem::take(&mut is_used) {
                    comment.clear();
                }
                comment.push(words.trim());
                continue;
            }
            let line = line.strip_prefix('#').unwrap_or(line).trim();
            if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('[')) {
                // keys that stand right under each other share what is said before the first
                let path = pattern(&format!("{section}.{}", key.trim()));
                let words = comment.join(" ");
                all.entry(path).or_insert_with(|| (words, value.trim().to_owned()));
                is_used = true;
                continue;
            }
            if let Some(header) = line.strip_prefix('[') {
                section = pattern(header.trim_start_matches('[').split(']').next().unwrap_or_default());
            }
            comment.clear();
        }
        Self(all)
    }

    /// What is said of a key, or of the tables by name that it has.
    fn of(&self, path: &str) -> Option<&(String, String)> {
        self.0.get(path).or_else(|| self.0.get(&format!("{path}.*")))
    }
}

/// Numbers and quoted texts of a sentence.
fn between<'a>(words: &'a str, begin: &str, middle: &str) -> Option<(&'a str, &'a str)> {
    let rest = words.strip_prefix(begin)?;
    let (low, rest) = rest.split_once(middle)?;
    Some((low, rest.split([' ', ',']).next().unwrap_or(rest)))
}

/// The schema of a value, of what its reader says it expected.
fn value(expected: &Expected) -> Value {
    let words = expected.words.as_str();
    if words == "true or false" {
        return json!({ "type": "boolean" });
    }
    if let Some((low, high)) = between(words, "an integer from ", " to ")
        && let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>())
    {
        return json!({ "type": "integer", "minimum": low, "maximum": high });
    }
    if let Some(all) = words.strip_prefix("one of ") {
        let read = |word: &str| serde_json::from_str::<String>(word).ok();
        if let Some(all) = all.split(", ").map(read).collect::<Option<Vec<_>>>() {
            return json!({ "type": "string", "enum": all });
        }
    }
    if words.starts_with("a duration from ") {
        let range = words.split(" (").next().unwrap_or(words);
        return json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "x-range": range });
    }
    let mut made = Map::new();
    // texts have forms that no sample may fit: what else is taken is known, a text is likely
    let mut kinds = expected.kinds.clone();
    if !words.starts_with("a table") && !kinds.contains("object") {
        kinds.insert("string");
    }
    let kinds: Vec<&str> = kinds.into_iter().collect();
    match kinds.as_slice() {
        [] => {}
        [one] => drop(made.insert("type".into(), json!(one))),
        several => drop(made.insert("type".into(), json!(several))),
    }
    if !words.is_empty() && words != "a text in quotes" {
        made.insert("x-expected".into(), json!(words));
    }
    made.into()
}

/// What makes schemas of forms.
pub(super) struct Maker<'a> {
    pub(super) forms: &'a Forms,
    pub(super) shipped: &'a Shipped,
    /// Keys that are never in a document of the API.
    pub(super) hidden: &'a dyn Fn(&str) -> bool,
    /// Keys whose values are taken and never given.
    pub(super) secret: &'a dyn Fn(&str) -> bool,
}

impl Maker<'_> {
    /// The schema of a table; without the keys that `leave_out` names.
    pub(super) fn table(&self, pattern: &str, leave_out: &BTreeSet<&str>) -> Value {
        let mut fields = Map::new();
        let mut needed = Vec::new();
        for ((of, key), forms) in self.forms.iter().filter(|((of, _), _)| of == pattern) {
            if leave_out.contains(key) || (self.hidden)(key) {
                continue;
            }
            let path = format!("{of}.{key}");
            let (schema, is_needed) = self.field(&path, key, forms);
            fields.insert((*key).to_owned(), schema);
            if is_needed {
                needed.push(*key);
            }
        }
        let mut made = json!({ "type": "object", "additionalProperties": false, "properties": fields });
        if let (false, Some(entries)) = (needed.is_empty(), made.as_object_mut()) {
            entries.insert("required".into(), json!(needed));
        }
        made
    }

    fn field(&self, path: &str, key: &str, forms: &BTreeSet<Form>) -> (Value, bool) {
        let nothing = BTreeSet::new();
        let mut kinds: Vec<Value> = Vec::new();
        for form in forms {
            let made = match form {
                Form::Value(expected) => value(expected),
                Form::List(expected) => json!({ "type": "array", "items": value(expected) }),
                Form::Table => self.table(path, &nothing),
                Form::Named => {
                    json!({ "type": "object", "additionalProperties": self.table(&format!("{path}.*"), &nothing) })
                }
                Form::Tables => json!({ "type": "array", "items": self.table(path, &nothing) }),
                Form::Default(_) => continue,
            };
            if !kinds.contains(&made) {
                kinds.push(made);
            }
        }
        let mut schema = match kinds.len() {
            0 => Map::new(),
            1 => kinds.pop().and_then(|one| one.as_object().cloned()).unwrap_or_default(),
            _ => [("anyOf".to_owned(), kinds.into())].into_iter().collect(),
        };
        let (words, shipped) = self.shipped.of(path).cloned().unwrap_or_default();
        if let Some(default) = Self::default_of(forms, &schema, (&words, &shipped)) {
            schema.insert("default".into(), default);
        }
        if !words.is_empty() {
            schema.insert("description".into(), json!(words));
        }
        if (self.secret)(key) {
            schema.insert("writeOnly".into(), json!(true));
        }
        (schema.into(), words.starts_with("Required.") || words.ends_with("Required."))
    }

    /// What is known to hold where a key is not given. The shipped file has every key at its default, unless it says
    /// otherwise; that there is one, the reader says.
    fn default_of(
        forms: &BTreeSet<Form>,
        schema: &Map<String, Value>,
        (words, shipped): (&str, &str),
    ) -> Option<Value> {
        let is_word = |value: &Value| {
            schema.get("enum").and_then(Value::as_array).is_some_and(|all| all.contains(value))
        };
        let of_file = || {
            let value = serde_json::from_str::<Value>(shipped).ok()?;
            (is_word(&value) && !words.contains("Default:")).then_some(value)
        };
        let of_form = |form: &Form| match form {
            Form::Default(Some(text)) => serde_json::from_str(text).ok(),
            Form::Default(None) => of_file(),
            _ => None,
        };
        let mut all: Vec<Value> = forms.iter().filter_map(of_form).collect();
        all.dedup();
        // a key that is read twice may have two
        if all.len() == 1 { all.pop() } else { None }
    }
}
