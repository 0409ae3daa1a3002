//! Processes of a test: started with their output in a file, ended by id, never left behind.

use crate::fail::{Fail, fail};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a condition is looked at while waiting for it.
const LOOK: Duration = Duration::from_millis(5);
/// How long a test waits for what must come. Far longer than it takes: on a machine with other work, the programs at both ends
/// of a call stand still for seconds now and then, and a test that fails then says nothing of the switch.
pub const SOON: Duration = Duration::from_secs(25);

/// Waits until `seen` gives something, at most `limit`. `what` is what was waited for.
pub fn wait_for<T>(what: &str, limit: Duration, mut seen: impl FnMut() -> Option<T>) -> Result<T, Fail> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = seen() {
            return Ok(found);
        }
        if Instant::now() >= end {
            return fail(format!("waited {limit:?} for {what}"));
        }
        std::thread::sleep(LOOK);
    }
}

/// A started program. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts `command` with both its outputs in `dir/NAME.out`.
    pub fn start(name: &str, dir: &Path, mut command: Command) -> Result<Self, Fail> {
        command.stdin(Stdio::null());
        Self::spawn(name, dir, command)
    }

    /// The same, with an input to type into.
    pub fn start_with_input(name: &str, dir: &Path, mut command: Command) -> Result<Self, Fail> {
        command.stdin(Stdio::piped());
        Self::spawn(name, dir, command)
    }

    fn spawn(name: &str, dir: &Path, mut command: Command) -> Result<Self, Fail> {
        let output = dir.join(format!("{name}.out"));
        let file = File::create(&output)?;
        command.stdout(file.try_clone()?).stderr(file);
        let child =
            command.spawn().map_err(|why| Fail(format!("cannot start {name} ({command:?}): {why}")))?;
        Ok(Self { name: name.into(), child, output })
    }

    /// Types a line, for one that was started with an input.
    pub fn type_line(&mut self, line: &str) -> Result<(), Fail> {
        let Some(input) = &mut self.child.stdin else {
            return fail(format!("{} has no input", self.name));
        };
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or(0)
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// Waits until a line that it printed holds `text`. A line is there when its end is: some programs write one in pieces.
    pub fn wait_line(&mut self, text: &str, limit: Duration) -> Result<String, Fail> {
        self.wait_until(text, limit, |output| {
            let mut whole = output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            whole.find(|line| line.contains(text)).map(|line| line.trim_end_matches('\r').to_owned())
        })
    }

    /// The same of a line that need not have ended, as a prompt has not.
    pub fn wait_text(&mut self, text: &str, limit: Duration) -> Result<String, Fail> {
        self.wait_until(text, limit, |output| {
            output.lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    fn wait_until(
        &mut self,
        text: &str,
        limit: Duration,
        find: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Fail> {
        let end = Instant::now() + limit;
        loop {
            let output = self.output();
            if let Some(line) = find(&output) {
                return Ok(line);
            }
            if let Some(status) = self.child.try_wait()? {
                // What it wrote last may have come between the two looks, and without a line's end.
                if let Some(line) = self.output().lines().find(|line| line.contains(text)) {
                    return Ok(line.into());
                }
                return fail(format!(
                    "{} ended with {status} before it printed {text:?}; it said:\n{output}",
                    self.name
                ));
            }
            if Instant::now() >= end {
                return fail(format!(
                    "{} did not print {text:?} within {limit:?}; it said:\n{output}",
                    self.name
                ));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus, Fail> {
        let name = self.name.clone();
        wait_for(&format!("the end of {name}"), limit, || self.ended())
            .map_err(|why| Fail(format!("{why}; it said:\n{}", self.output())))
    }

    /// Waits for its end and fails unless it was success.
    pub fn wait_success(&mut self, limit: Duration) -> Result<(), Fail> {
        let status = self.wait(limit)?;
        if status.success() {
            return Ok(());
        }
        fail(format!("{} ended with {status}; it said:\n{}", self.name, self.output()))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) -> Result<(), Fail> {
        let pid = self.pid().to_string();
        let status = Command::new("kill").arg(format!("-{signal}")).arg(&pid).status()?;
        if status.success() { Ok(()) } else { fail(format!("cannot signal {}", self.name)) }
    }

    /// Sends a signal to its whole process group, as a terminal does. It must have been started with one of its own.
    pub fn signal_group(&self, signal: i32) -> Result<(), Fail> {
        let group = format!("-{}", self.pid());
        let status = Command::new("kill").args([&format!("-{signal}"), "--", &group]).status()?;
        if status.success() { Ok(()) } else { fail(format!("cannot signal the group of {}", self.name)) }
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
