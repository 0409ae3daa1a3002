//! `cargo xtask sim`: the simulator's random scenarios, as many as wished.

use std::path::Path;

use crate::outcome::Outcome;
use crate::steps::{self, cargo};

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let mut command =
        cargo(root, &["run", "--quiet", "--package", "cordboard-sim", "--bin", "cordboard-sim", "--"]);
    command.args(arguments);
    match steps::plain(command) {
        Ok(passed) => Outcome::of(passed),
        Err(error) => Outcome::Misused(format!("cargo did not start: {error}")),
    }
}
