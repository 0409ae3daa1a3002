//! `cargo xtask load KIND`: drivers that load the release binary. By command only: they take
//! minutes, and their figures mean something only on a machine with nothing else to do.
//!
//! One file for each kind, and a line in [`KINDS`].

use std::path::Path;

use crate::outcome::Outcome;

/// A kind of load: its name, what it measures, and what it does with the arguments after its name.
type Kind = (&'static str, &'static str, fn(&Path, &[String]) -> Outcome);

const KINDS: &[Kind] = &[];

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let Some((name, rest)) = arguments.split_first() else {
        return Outcome::Misused(format!("a kind is missing; {}", known()));
    };
    match KINDS.iter().find(|(kind, _, _)| kind == name) {
        Some((_, _, run)) => run(root, rest),
        None => Outcome::Misused(format!("no kind {name:?}; {}", known())),
    }
}

fn known() -> String {
    if KINDS.is_empty() {
        return "there are no load drivers yet".to_owned();
    }
    let each: Vec<String> = KINDS
        .iter()
        .map(|(name, says, _)| format!("{name} ({says})"))
        .collect();
    format!("there are: {}", each.join(", "))
}
