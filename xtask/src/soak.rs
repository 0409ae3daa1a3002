//! `cargo xtask soak`: runs that take minutes for days of virtual time, by command only.

use std::path::Path;

use crate::outcome::Outcome;
use crate::steps::{self, cargo};

/// What there is: a name, the package and the test target, the tests in it, and for how many hours of virtual time they run.
const SOAKS: &[(&str, [&str; 3], u32)] = &[("drift", ["cordboard-media", "scripts", "drift::"], 24)];

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let [name] = arguments else {
        return Outcome::Misused("what to soak: drift".into());
    };
    let Some((_, [package, target, tests], hours)) = SOAKS.iter().find(|(known, ..)| known == name) else {
        return Outcome::Misused(format!("nothing to soak is called {name:?}; there is: drift"));
    };
    let mut command = cargo(root, &["test", "--package", package, "--test", target, "--"]);
    command.args([tests, "--nocapture"]).env("CORDBOARD_SOAK_HOURS", hours.to_string());
    match steps::plain(command) {
        Ok(passed) => Outcome::of(passed),
        Err(error) => Outcome::Misused(format!("cargo did not start: {error}")),
    }
}
