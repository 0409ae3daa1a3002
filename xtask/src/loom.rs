//! `cargo xtask loom`: every interleaving of the lanes' protocol, within bounds.

use std::path::Path;
use std::process::Command;

use crate::outcome::Outcome;
use crate::steps::{self, cargo};

/// The command that explores. A target directory of its own, because the flag changes every crate's
/// fingerprint and would have the main one built anew each time.
pub(crate) fn command(root: &Path) -> Command {
    let mut command = cargo(root, &["test", "--package", "cordboard-lane", "--lib"]);
    command.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", root.join("target").join("loom"));
    command
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let mut command = command(root);
    if !arguments.is_empty() {
        command.arg("--").args(arguments);
    }
    match steps::plain(command) {
        Ok(passed) => Outcome::of(passed),
        Err(error) => Outcome::Misused(format!("cargo did not start: {error}")),
    }
}
