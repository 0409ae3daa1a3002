//! What can be wrong with a flow, and where: every error names a file and a line a designer can open.

use core::fmt;
use serde::Serialize;

/// What kind of error it is. Budgets are kinds of their own, so that a record can name the one reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowErrorKind {
    /// The text is not Lua 5.4.
    Syntax,
    /// `call` has no verb of this name.
    UnknownVerb,
    /// A verb got an option it does not know, or a value of the wrong type or out of range.
    BadOption,
    /// The flow itself raised an error while it ran.
    Runtime,
    /// The budget of instructions per resume is used up.
    Instructions,
    /// The budget of memory is used up.
    Memory,
    /// The flow lived longer than it may.
    Wall,
    /// The flow took more steps than it may.
    Verbs,
    /// No flow of this name is configured.
    NoSuchFlow,
    /// A fault of the Lua host, not of the flow.
    Internal,
}

impl FlowErrorKind {
    /// The word used in records, events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            FlowErrorKind::Syntax => "syntax",
            FlowErrorKind::UnknownVerb => "unknown_verb",
            FlowErrorKind::BadOption => "bad_option",
            FlowErrorKind::Runtime => "runtime",
            FlowErrorKind::Instructions => "instructions",
            FlowErrorKind::Memory => "memory",
            FlowErrorKind::Wall => "wall",
            FlowErrorKind::Verbs => "verbs",
            FlowErrorKind::NoSuchFlow => "no_such_flow",
            FlowErrorKind::Internal => "internal",
        }
    }

    /// Whether it is a budget that was used up.
    pub fn is_budget(self) -> bool {
        matches!(
            self,
            FlowErrorKind::Instructions | FlowErrorKind::Memory | FlowErrorKind::Wall | FlowErrorKind::Verbs
        )
    }
}

/// One error of a flow, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowError {
    /// The file as the configuration names it.
    pub file: String,
    /// The line, counted from one; 0 if no line can be named.
    pub line: u32,
    /// The column in characters, counted from one, where it is known (syntax errors).
    pub column: Option<u32>,
    /// What kind.
    pub kind: FlowErrorKind,
    /// What is wrong and what was expected, without the place.
    pub text: String,
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}: {}", self.file, self.text),
            (line, None) => write!(f, "{}:{line}: {}", self.file, self.text),
            (line, Some(column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.text),
        }
    }
}

impl std::error::Error for FlowError {}
