//! SIPp as the caller and as the called side, and what it counted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::machine::on_core;
use super::place::{CALLED, CALLER, NUMBER, SIP};

/// The first port that session descriptions name; nobody speaks there. SIPp binds some from there on, and
/// two on one address must not meet.
const MEDIA_PORT: u32 = 40_000;

/// One SIPp; it ends with this value.
pub(super) struct Sipp {
    child: Child,
    stats: PathBuf,
}

/// What a side counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) created: u64,
    pub(super) successful: u64,
    pub(super) failed: u64,
    /// Calls that are up.
    pub(super) current: u64,
    /// Requests that it had to send again.
    pub(super) repeated: u64,
}

/// How the caller's side calls.
#[derive(Clone, Copy)]
pub(super) struct Calls {
    /// Calls a second.
    pub(super) rate: u32,
    /// How many.
    pub(super) count: u32,
    /// How long each is held after its answer.
    pub(super) hold: Duration,
}

fn start(root: &Path, dir: &Path, name: &str, finish: impl FnOnce(&mut Command)) -> Result<Sipp, String> {
    let stats = dir.join(format!("{name}.csv"));
    // Of an earlier one of this name.
    let _ = fs::remove_file(&stats);
    let scenario = name.split('-').next().unwrap_or(name);
    let mut command = on_core("sipp", false);
    command.arg("-sf").arg(root.join("xtask").join("load").join(format!("{scenario}.xml")));
    command.args(["-nostdin", "-trace_err", "-error_file"]);
    command.arg(dir.join(format!("{name}.errors")));
    command.args(["-trace_stat", "-fd", "1", "-stf"]).arg(&stats);
    finish(&mut command);
    let started = File::create(dir.join(format!("{name}.out"))).and_then(|output| {
        command.current_dir(dir).stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn()
    });
    match started {
        Ok(child) => Ok(Sipp { child, stats }),
        Err(error) => Err(format!("SIPp did not start: {error}")),
    }
}

impl Sipp {
    /// The side that is called; it goes on until it is dropped.
    pub(super) fn called(root: &Path, dir: &Path) -> Result<Self, String> {
        let sipp = start(root, dir, "called", |command| {
            command.args(["-i", CALLED, "-p", "5060", "-mp", &MEDIA_PORT.to_string(), "-l", "100000"]);
        })?;
        // Once its address is taken, it listens.
        let address = format!("{CALLED}:5060");
        let begun = Instant::now();
        while std::net::UdpSocket::bind(&address).is_ok() {
            if begun.elapsed() > Duration::from_secs(5) {
                return Err("SIPp does not listen".to_owned());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(sipp)
    }

    /// The side that calls, from this port.
    pub(super) fn caller(
        root: &Path,
        dir: &Path,
        name: &str,
        port: u16,
        calls: Calls,
    ) -> Result<Self, String> {
        Self::caller_of(root, dir, name, (CALLER, port), NUMBER, calls)
    }

    /// The same from another address, to another number.
    pub(super) fn caller_of(
        root: &Path,
        dir: &Path,
        name: &str,
        (address, port): (&str, u16),
        number: &str,
        calls: Calls,
    ) -> Result<Self, String> {
        start(root, dir, name, |command| {
            let media = MEDIA_PORT + 10 * u32::from(port % 100);
            command.args(["-i", address, "-p", &port.to_string(), "-mp", &media.to_string(), "-s", number]);
            command.args(["-r", &calls.rate.to_string(), "-m", &calls.count.to_string()]);
            command.args(["-l", &calls.count.to_string(), "-d", &calls.hold.as_millis().to_string()]);
            command.arg(SIP);
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, at most `limit`. Whether calls failed stands in its counts.
    pub(super) fn wait(&mut self, limit: Duration) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(_)) => return Ok(()),
                Ok(None) if begun.elapsed() < limit => sleep(Duration::from_millis(5)),
                Ok(None) => return Err(format!("SIPp did not end within {limit:?}")),
                Err(error) => return Err(format!("SIPp cannot be waited for: {error}")),
            }
        }
    }

    /// What it counted, as it last wrote it down: at its end, and every second.
    pub(super) fn counts(&self) -> Result<Counts, String> {
        let read = |error: io::Error| format!("SIPp's counts: {error}");
        let text = fs::read_to_string(&self.stats).map_err(read)?;
        Counts::read(&text).ok_or_else(|| "SIPp's counts cannot be read".to_owned())
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // The caller's side has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Counts {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let names = lines.next()?;
        let last = lines.next_back()?;
        let row: BTreeMap<&str, &str> = names.split(';').zip(last.split(';')).collect();
        let number = |name: &str| row.get(name)?.parse::<u64>().ok();
        Some(Self {
            created: number("TotalCallCreated")?,
            successful: number("SuccessfulCall(C)")?,
            failed: number("FailedCall(C)")?,
            current: number("CurrentCall")?,
            repeated: number("Retransmissions(C)")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn the_last_row_counts() {
        let text = "Start;TotalCallCreated;CurrentCall;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);\
                    Retransmissions(C);\nx;10;5;5;5;0;0;\ny;20;0;15;19;1;2;\n";
        let counts = Counts { created: 20, successful: 19, failed: 1, current: 0, repeated: 2 };
        assert_eq!(Counts::read(text), Some(counts));
        assert_eq!(Counts::read("Start;TotalCallCreated;\n"), None);
    }
}
