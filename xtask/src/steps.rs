//! Running other commands as steps: named, timed, and their test lines kept.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The cargo that runs us, so that a step uses the same toolchain.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(arguments).stdin(Stdio::null());
    // Set by the cargo that started us, for us; a step that finds it would think it is xtask.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// The steps of one run, in order, with how each ended.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: &'static str,
    passed: bool,
    seconds: f64,
}

impl Steps {
    /// Runs one step, says how long it took, and goes on whatever its end.
    pub(crate) fn step(&mut self, name: &'static str, run: impl FnOnce() -> io::Result<bool>) -> bool {
        println!("== {name}");
        let begun = Instant::now();
        let passed = run().unwrap_or_else(|error| {
            eprintln!("{name}: {error}");
            false
        });
        let seconds = begun.elapsed().as_secs_f64();
        println!("== {name}: {} in {seconds:.1} s", if passed { "ok" } else { "FAILED" });
        self.done.push(Step { name, passed, seconds });
        passed
    }

    /// How many steps failed, those named in `except` aside.
    pub(crate) fn failed(&self, except: &[&str]) -> usize {
        self.done.iter().filter(|step| !step.passed && !except.contains(&step.name)).count()
    }

    /// One line for each step.
    pub(crate) fn print(&self) {
        println!("== steps");
        for step in &self.done {
            let end = if step.passed { "ok" } else { "FAILED" };
            println!("{:<24} {end:<6} {:>7.1} s", step.name, step.seconds);
        }
    }
}

/// Runs a command to its end with its output untouched.
pub(crate) fn plain(mut command: Command) -> io::Result<bool> {
    Ok(command.status()?.success())
}

/// Runs a command, showing its standard output as it comes and adding it to `copy`.
pub(crate) fn copied(mut command: Command, copy: &mut File) -> io::Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        // By bytes: what a test prints need not be UTF-8.
        while output.read_until(b'\n', &mut line)? > 0 {
            io::stdout().write_all(&line)?;
            copy.write_all(&line)?;
            line.clear();
        }
    }
    Ok(child.wait()?.success())
}
