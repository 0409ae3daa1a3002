//! How a subcommand ended.

/// What the process exit code is made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Passed,
    /// A check failed and has said so: exit code 1.
    Failed,
    /// The command could not be understood or begun: exit code 2.
    Misused(String),
}

impl Outcome {
    pub(crate) fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}
