//! TOML text as a tree in which every key and value knows where it stands. The one file that names
//! the `toml` crate.

use core::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text and its name.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) text: String,
}

impl Source {
    /// Line and column of a byte, both from one; the column counts characters.
    pub(super) fn position(&self, offset: usize) -> (u32, u32) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let begin = before.rfind('\n').map_or(0, |i| i + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[begin..].chars().count() + 1;
        (line as u32, column as u32)
    }
}

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) offset: usize,
    pub(super) value: Value,
    /// The source it stands in, where that is another than its table's.
    pub(super) source: Option<usize>,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    /// None if it is beyond 64 bits.
    Integer(Option<i64>),
    Float,
    Boolean(bool),
    Date,
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) offset: usize,
    pub(super) node: Node,
}

/// Something that is not TOML.
#[derive(Debug)]
pub(super) struct NotToml {
    pub(super) offset: usize,
    pub(super) why: String,
}

/// Reads a text: the entries that could be read, in the order written, and everything that could not.
pub(super) fn parse(text: &str) -> (Vec<Entry>, Vec<NotToml>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let faults = errors.into_iter().map(|e| {
        let span = e.span().unwrap_or(text.len()..text.len());
        NotToml { why: describe(e.message(), text, &span), offset: span.start }
    });
    let faults = faults.collect();
    (entries(table.into_inner()), faults)
}

/// The parser's words, with the text they are about where it says more.
fn describe(message: &str, text: &str, span: &Range<usize>) -> String {
    let at = text.get(span.clone()).unwrap_or_default().trim();
    match message {
        "duplicate key" if !at.is_empty() => format!("{at:?} stands twice in its table"),
        _ => message.to_owned(),
    }
}

fn entries(table: DeTable<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            offset: key.span().start,
            key: key.into_inner().into_owned(),
            node: node(value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.offset);
    entries
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let offset = value.span().start;
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(n) => Value::Integer(i64::from_str_radix(n.as_str(), n.radix()).ok()),
        DeValue::Float(_) => Value::Float,
        DeValue::Boolean(on) => Value::Boolean(on),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => Value::Array(items.into_iter().map(node).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
    };
    Node { offset, value, source: None }
}

impl Node {
    /// What it is, for a message. Texts are shown, shortened.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::Text(text) => {
                let short: String = text.chars().take(60).collect();
                let more = if short.len() < text.len() { " ..." } else { "" };
                format!("{short:?}{more}")
            }
            Value::Integer(Some(n)) => n.to_string(),
            Value::Boolean(on) => on.to_string(),
            _ => self.kind().into(),
        }
    }

    /// Its type, for a message that must not show it.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Integer(Some(_)) => "an integer",
            Value::Integer(None) => "an integer that is too large",
            Value::Float => "a decimal number",
            Value::Boolean(_) => "true or false",
            Value::Date => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_know_where_they_stand() {
        let text = "[sip]\nlisten = [\"a\", 5]\n\n[ten.\"ä\".x]\n  n = 1\n";
        let source = Source { file: "f".into(), text: text.into() };
        let (entries, faults) = parse(text);
        assert!(faults.is_empty());
        let Value::Table(sip) = &entries[0].node.value else { panic!("{entries:?}") };
        assert_eq!(source.position(sip[0].offset), (2, 1));
        let Value::Array(items) = &sip[0].node.value else { panic!("{sip:?}") };
        assert_eq!(source.position(items[1].offset), (2, 16));
        assert_eq!(source.position(text.len()), (6, 1));
    }

    #[test]
    fn every_fault_of_the_text_is_found_not_the_first_alone() {
        let (entries, faults) = parse("a = \nb = 1\nc = [1,\n\nb = 2\n");
        assert!(faults.len() >= 2, "{faults:?}");
        assert!(entries.iter().any(|e| e.key == "b"));
    }
}
