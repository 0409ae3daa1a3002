//! What a designer wrote between the parentheses of a verb, and how it is read: every wrong name, type
//! and range is refused with the option's name and what was expected.

use core::fmt;
use std::collections::BTreeMap;

/// Most entries of a table given to a verb.
pub const ENTRIES_MAX: usize = 256;
/// Most entries of all tables given to a verb, counted wherever a table stands.
pub const ALL_ENTRIES_MAX: usize = 1_024;
/// Longest text given to a verb, bytes.
pub const TEXT_MAX: usize = 4_096;
/// How deep tables given to a verb may nest.
pub const DEPTH_MAX: usize = 4;

/// How deep what is sent as JSON may nest, the verb's own table included.
pub const JSON_DEPTH_MAX: usize = 16;

/// One value given to a verb.
#[derive(Clone, PartialEq)]
pub enum Arg {
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
    /// A table.
    Table(Table),
    /// What a caller keyed in in secret.
    Secret(String),
    /// What verbs have no use for: a function, for one.
    Other(&'static str),
}

/// A table given to a verb.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The entries 1, 2, 3 ... up to the first gap.
    pub list: Vec<Arg>,
    /// The entries with a name, and the numbered ones beyond a gap by their number.
    pub named: BTreeMap<String, Arg>,
}

impl fmt::Debug for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arg::Nil => f.write_str("nil"),
            Arg::Bool(is) => is.fmt(f),
            Arg::Int(n) => n.fmt(f),
            Arg::Number(n) => n.fmt(f),
            Arg::Text(text) => text.fmt(f),
            Arg::Table(table) => table.fmt(f),
            Arg::Secret(_) => f.write_str("(secret)"),
            Arg::Other(kind) => f.write_str(kind),
        }
    }
}

impl Arg {
    /// What the designer would call it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Arg::Nil => "nil",
            Arg::Bool(_) => "boolean",
            Arg::Int(_) | Arg::Number(_) => "number",
            Arg::Text(_) => "string",
            Arg::Table(_) => "table",
            Arg::Secret(_) => "secret",
            Arg::Other(name) => name,
        }
    }
}

/// A wrong option: the message names verb, option, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadOption(pub String);

impl BadOption {
    /// `verb` and what is wrong with it.
    pub fn new(verb: &str, text: impl fmt::Display) -> Self {
        BadOption(format!("{verb}: {text}"))
    }
}

impl fmt::Display for BadOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the options of one verb; what is not read by the end is unknown.
pub struct Options<'a> {
    verb: &'static str,
    table: Option<&'a Table>,
    known: &'static [&'static str],
}

impl<'a> Options<'a> {
    /// Options out of a table. Refuses names that are not in `known`.
    pub fn new(
        verb: &'static str,
        arg: Option<&'a Arg>,
        known: &'static [&'static str],
    ) -> Result<Self, BadOption> {
        let table = match arg {
            None | Some(Arg::Nil) => None,
            Some(Arg::Table(table)) => Some(table),
            Some(other) => {
                let text = format!("the options must be a table, not a {}", other.type_name());
                return Err(BadOption::new(verb, text));
            }
        };
        let options = Options { verb, table, known };
        options.refuse_unknown()?;
        Ok(options)
    }

    fn refuse_unknown(&self) -> Result<(), BadOption> {
        let Some(table) = self.table else {
            return Ok(());
        };
        let stranger = table.named.keys().find(|name| !self.known.contains(&name.as_str()));
        let Some(name) = stranger else { return Ok(()) };
        let hint = match super::nearest(name, self.known.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("there are {}", self.known.join(", ")),
        };
        Err(self.wrong(format!("unknown option '{name}'; {hint}")))
    }

    /// An error of this verb.
    pub fn wrong(&self, text: impl fmt::Display) -> BadOption {
        BadOption::new(self.verb, text)
    }

    /// The option as it was written; `None` if it was not, or is `nil`.
    pub fn raw(&self, name: &str) -> Option<&'a Arg> {
        self.table?.named.get(name).filter(|arg| **arg != Arg::Nil)
    }

    fn wrong_type(&self, name: &str, want: &str, got: &Arg) -> BadOption {
        self.wrong(format!("option '{name}' must be {want}, not a {}", got.type_name()))
    }

    /// A table of at most so many names and values, and nothing else.
    pub fn named(&self, name: &str, most: usize) -> Result<Option<&'a BTreeMap<String, Arg>>, BadOption> {
        let table = match self.raw(name) {
            None => return Ok(None),
            Some(Arg::Table(table)) if table.list.is_empty() => table,
            Some(_) => {
                return Err(self.wrong(format!("option '{name}' must be a table of names and values")));
            }
        };
        if table.named.len() > most {
            return Err(self.wrong(format!("more than {most} {name}")));
        }
        Ok(Some(&table.named))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, BadOption> {
        match self.raw(name) {
            None => Ok(None),
            Some(Arg::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(name, "a string", other)),
        }
    }

    /// Yes or no.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, BadOption> {
        match self.raw(name) {
            None => Ok(default),
            Some(Arg::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong_type(name, "true or false", other)),
        }
    }

    /// A whole number within a range.
    pub fn int(&self, name: &str, range: core::ops::RangeInclusive<i64>) -> Result<Option<i64>, BadOption> {
        let whole = || format!("a whole number from {} to {}", range.start(), range.end());
        match self.raw(name) {
            None => Ok(None),
            Some(Arg::Int(n)) if range.contains(n) => Ok(Some(*n)),
            Some(Arg::Int(n)) => Err(self.wrong(format!("option '{name}' must be {}, not {n}", whole()))),
            Some(Arg::Number(n)) => Err(self.wrong(format!("option '{name}' must be {}, not {n}", whole()))),
            Some(other) => Err(self.wrong_type(name, &whole(), other)),
        }
    }

    /// Seconds within a range, as milliseconds.
    pub fn millis(&self, name: &str, min: f64, max: f64) -> Result<Option<u32>, BadOption> {
        match self.raw(name) {
            None => Ok(None),
            Some(arg) => millis(self.verb, &format!("option '{name}'"), arg, min, max).map(Some),
        }
    }
}

/// Reads seconds as milliseconds. `what` names the value in the error.
pub fn millis(verb: &str, what: &str, arg: &Arg, min: f64, max: f64) -> Result<u32, BadOption> {
    let seconds = match arg {
        Arg::Int(n) => *n as f64,
        Arg::Number(n) => *n,
        other => {
            let text = format!("{what} must be a number of seconds, not a {}", other.type_name());
            return Err(BadOption::new(verb, text));
        }
    };
    if !(min..=max).contains(&seconds) {
        let text = format!("{what} must be {min} to {max} seconds, not {seconds}");
        return Err(BadOption::new(verb, text));
    }
    Ok((seconds * 1_000.0).round() as u32)
}

/// Refuses arguments beyond the first `most`.
pub fn at_most(verb: &str, args: &[Arg], most: usize) -> Result<(), BadOption> {
    if args.len() <= most {
        return Ok(());
    }
    let text = match most {
        0 => "takes no arguments".to_owned(),
        1 => "takes one argument".to_owned(),
        n => format!("takes at most {n} arguments"),
    };
    Err(BadOption::new(verb, text))
}

#[cfg(test)]
pub mod build {
    //! Short ways to write arguments in tests.
    use super::*;

    /// A string.
    pub fn text(text: &str) -> Arg {
        Arg::Text(text.to_owned())
    }

    /// A table with these names and this list.
    pub fn table(named: &[(&str, Arg)], list: &[Arg]) -> Arg {
        let named = named.iter().map(|(name, arg)| ((*name).to_owned(), arg.clone())).collect();
        Arg::Table(Table { list: list.to_vec(), named })
    }
}

#[cfg(test)]
mod tests {
    use super::build::{table, text};
    use super::*;

    #[test]
    fn an_unknown_option_is_named_with_the_one_that_was_meant() {
        let arg = table(&[("timout", Arg::Int(5))], &[]);
        let error = Options::new("enqueue", Some(&arg), &["timeout", "priority"]).err().unwrap();
        assert_eq!(error.to_string(), "enqueue: unknown option 'timout'; did you mean 'timeout'?");
    }

    #[test]
    fn a_wrong_type_and_a_wrong_range_say_what_was_expected() {
        let arg =
            table(&[("max", text("four")), ("first", Arg::Number(-1.0)), ("min", Arg::Number(1.5))], &[]);
        let options = Options::new("collect", Some(&arg), &["max", "first", "min"]).ok().unwrap();
        assert_eq!(
            options.int("max", 1..=64).unwrap_err().0,
            "collect: option 'max' must be a whole number from 1 to 64, not a string"
        );
        assert_eq!(
            options.millis("first", 0.1, 120.0).unwrap_err().0,
            "collect: option 'first' must be 0.1 to 120 seconds, not -1"
        );
        assert_eq!(
            options.int("min", 0..=64).unwrap_err().0,
            "collect: option 'min' must be a whole number from 0 to 64, not 1.5"
        );
    }

    #[test]
    fn not_a_number_is_out_of_every_range() {
        assert!(millis("wait", "the time", &Arg::Number(f64::NAN), 0.0, 10.0).is_err());
        assert_eq!(millis("wait", "the time", &Arg::Number(1.25), 0.0, 10.0), Ok(1_250));
    }
}
