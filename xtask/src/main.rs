//! Checks and drivers of the workspace, as code: `cargo xtask help`.
//!
//! One module for each subcommand; a new one is a module and a line in [`COMMANDS`].

mod ci;
mod fuzz;
mod load;
mod loom;
mod outcome;
mod sim;
mod soak;
mod steps;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use outcome::Outcome;

/// A subcommand: its name, what `help` says of it, and what it does with the arguments after it.
type Command = (&'static str, &'static str, fn(&Path, &[String]) -> Outcome);

const COMMANDS: &[Command] = &[
    ("ci", "everything that `make test` checks, after the web build", ci::run),
    ("tidy", "the rules of the tree that no compiler checks [--ran FILE] [--allow-unmapped]", tidy::run),
    ("loom", "explore the lanes' protocol", loom::run),
    ("sim", "random scenarios in virtual time [--seeds N] [and what cordboard-sim takes]", sim::run),
    ("soak", "days of virtual time in minutes, by command only: drift", soak::run),
    ("fuzz", "run a fuzz target and write down what came of it: TARGET [--minutes N]", fuzz::run),
    ("load", "load drivers, by command only: KIND [and what it takes]", load::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print_help();
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print_help();
        return ExitCode::SUCCESS;
    }
    let Some((_, _, run)) = COMMANDS.iter().find(|(known, _, _)| known == name) else {
        eprintln!("cargo xtask: no command {name:?}");
        print_help();
        return ExitCode::from(2);
    };
    match run(&root(), rest) {
        Outcome::Passed => ExitCode::SUCCESS,
        Outcome::Failed => ExitCode::FAILURE,
        Outcome::Misused(why) => {
            eprintln!("cargo xtask {name}: {why}");
            ExitCode::from(2)
        }
    }
}

fn print_help() {
    eprintln!("usage: cargo xtask COMMAND");
    for (name, says, _) in COMMANDS {
        eprintln!("  {name:<6} {says}");
    }
}

/// The top of the repository, which holds this crate.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
