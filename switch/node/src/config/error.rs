//! What is wrong with a configuration, and where.

use core::fmt;

/// One thing that is wrong. Prints as `file:line:column: what is wrong and what was expected`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    /// The file, as it was named to the loader or as the configuration names it.
    pub file: String,
    /// Counted from one.
    pub line: u32,
    /// Counted in characters from one.
    pub column: u32,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConfigError { file, line, column, problem } = self;
        write!(f, "{file}:{line}:{column}: {problem}")
    }
}

impl std::error::Error for ConfigError {}

/// The kinds of things that are wrong. No secret is ever in one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// Not TOML.
    Syntax(String),
    /// A key that means nothing here.
    UnknownKey {
        /// The key.
        key: String,
        /// Its section, as `[sip]`.
        section: String,
        /// The key that may be meant.
        meant: Option<String>,
    },
    /// A key that cannot be left out.
    MissingKey {
        /// The key.
        key: String,
        /// Its section.
        section: String,
        /// What it would say.
        expected: String,
    },
    /// A value of the wrong type, form or range.
    Value {
        /// The key.
        key: String,
        /// Its section.
        section: String,
        /// What would be right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Two keys that cannot stand together, or one that needs another.
    Conflict {
        /// The key.
        key: String,
        /// Its section.
        section: String,
        /// What is wrong with the two.
        why: String,
    },
    /// A name of something that is not configured.
    Dangling {
        /// The key.
        key: String,
        /// Its section.
        section: String,
        /// `queue`, `agent`, `prompt` ...
        kind: &'static str,
        /// The name.
        name: String,
        /// The name that may be meant.
        meant: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// A name that cannot be a name.
    Name {
        /// Of what.
        kind: &'static str,
        /// The name.
        name: String,
        /// Why not.
        why: String,
    },
    /// The same name or number twice.
    Duplicate {
        /// Of what.
        kind: &'static str,
        /// The name.
        name: String,
        /// Where it stands first: `file:line:column`.
        first: String,
    },
    /// A file or folder that cannot be read.
    File {
        /// What it is for.
        kind: &'static str,
        /// The path.
        path: String,
        /// What the system says.
        why: String,
    },
    /// A flow that is not Lua.
    Lua(String),
    /// A table that cannot be taken.
    Table(String),
    /// An environment variable that is named and not set, or set badly.
    Environment {
        /// The variable.
        name: String,
        /// What is wrong; never its value.
        why: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Syntax(why) => write!(f, "not TOML: {why}"),
            Problem::UnknownKey { key, section, meant } => {
                write!(f, "unknown key {key:?} in {section}")?;
                ask(f, meant)
            }
            Problem::MissingKey { key, section, expected } => {
                write!(f, "missing key {key:?} in {section}: expected {expected}")
            }
            Problem::Value { key, section, expected, found } => {
                write!(f, "{key:?} in {section}: expected {expected}, found {found}")
            }
            Problem::Conflict { key, section, why } => write!(f, "{key:?} in {section}: {why}"),
            Problem::Dangling { key, section, kind, name, meant, known } => {
                write!(f, "{key:?} in {section}: there is no {kind} {name:?}")?;
                match (meant, known.is_empty()) {
                    (Some(_), _) => ask(f, meant),
                    (None, true) => write!(f, "; none is configured"),
                    (None, false) => write!(f, "; there is {}", known.join(", ")),
                }
            }
            Problem::Name { kind, name, why } => write!(f, "{name:?} cannot name a {kind}: {why}"),
            Problem::Duplicate { kind, name, first } => {
                write!(f, "{kind} {name:?} is already at {first}")
            }
            Problem::File { kind, path, why } => write!(f, "cannot read the {kind} {path}: {why}"),
            Problem::Lua(why) => write!(f, "Lua: {why}"),
            Problem::Table(why) => f.write_str(why),
            Problem::Environment { name, why } => {
                write!(f, "environment variable {name}: {why}")
            }
        }
    }
}

fn ask(f: &mut fmt::Formatter<'_>, meant: &Option<String>) -> fmt::Result {
    match meant {
        Some(meant) => write!(f, "; did you mean {meant:?}?"),
        None => Ok(()),
    }
}
