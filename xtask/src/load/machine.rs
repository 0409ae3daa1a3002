//! The machine: a loopback of one's own, cores, and what processes and the rest of it use.
//!
//! Invariant: figures come from the kernel's own counts; nothing is estimated here.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::outcome::Outcome;

/// Set for the run that is apart already.
const APART: &str = "CORDBOARD_LOAD_APART";
/// `USER_HZ`: the unit of /proc's times, the same on every machine that Rust's standard library knows
/// as Linux but Alpha.
const TICKS_A_SECOND: f64 = 100.0;
/// As many open files as the rights allow: a call takes four.
const FILES: &str = "ulimit -n \"$(ulimit -Hn)\"";

/// Runs this command again with a loopback of its own, where the rights allow it, and with as many open
/// files as they allow. `None` if this run is that one already.
pub(super) fn apart() -> Option<Outcome> {
    if std::env::var_os(APART).is_some() {
        return None;
    }
    let Ok(me) = std::env::current_exe() else {
        return Some(Outcome::Misused("this program does not know its own path".to_owned()));
    };
    let ways: [&[&str]; 2] = [&["unshare", "-n"], &["unshare", "-r", "-n"]];
    let way = ways.iter().find(|way| {
        let tried = way.first().map(|name| {
            Command::new(name)
                .args(way.get(1..).unwrap_or_default())
                .args(["ip", "link", "set", "lo", "up"])
                .output()
        });
        matches!(tried, Some(Ok(output)) if output.status.success())
    });
    let script = match way {
        Some(_) => format!("ip link set lo up && {FILES} && exec \"$@\""),
        None => {
            println!("no rights for a network namespace: this machine's own loopback is used");
            format!("{FILES} && exec \"$@\"")
        }
    };
    let words = way.copied().unwrap_or_default().iter().copied().chain(["sh", "-c", &script, "sh"]);
    let words: Vec<&str> = words.collect();
    let (program, first) = words.split_first()?;
    let status =
        Command::new(program).args(first).arg(me).args(std::env::args_os().skip(1)).env(APART, "1").status();
    Some(match status {
        Ok(status) => Outcome::of(status.success()),
        Err(error) => Outcome::Misused(format!("{program} did not start: {error}")),
    })
}

/// How many cores there are for us, as it was at first: who stays on one core is told of one.
pub(super) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A command on one core: the switch has the last one, everybody else the first. With one core, or
/// without `taskset`, everything runs everywhere.
pub(super) fn on_core(program: impl AsRef<OsStr>, switch: bool) -> Command {
    let has_taskset = Command::new("taskset").arg("--version").output().is_ok();
    if cores() < 2 || !has_taskset {
        return Command::new(program);
    }
    let core = if switch { cores() - 1 } else { 0 };
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

/// Keeps this process to the core that is not the switch's, where [`on_core`] does so with others.
pub(super) fn stay_apart() {
    if cores() >= 2 {
        // Without taskset everything runs everywhere.
        let _ = Command::new("taskset").args(["-p", "-c", "0", &std::process::id().to_string()]).output();
    }
}

/// User and system time of a process so far, its ended threads included, seconds.
pub(super) fn cpu(pid: u32) -> Option<f64> {
    times(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?).map(|[own, _]| own)
}

/// The same of children of this process that have ended and were waited for.
pub(super) fn cpu_of_ended() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    times(&stat).map_or(0.0, |[_, ended]| ended)
}

/// Of a line of /proc/PID/stat: own time, and that of waited-for children. The name, in brackets, may
/// hold anything.
fn times(stat: &str) -> Option<[f64; 2]> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let own = field(14)? + field(15)?;
    let ended = field(16)? + field(17)?;
    Some([own / TICKS_A_SECOND, ended / TICKS_A_SECOND])
}

/// Time of the thread of this name, seconds; to the nanosecond where the kernel counts it.
pub(super) fn cpu_of_thread(pid: u32, name: &str) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let of = |thread: &Path| {
        let called = fs::read_to_string(thread.join("comm")).ok()?;
        if called.trim_end() != name {
            return None;
        }
        let counted = fs::read_to_string(thread.join("schedstat")).ok();
        let nanos = counted.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        match nanos {
            Some(nanos) => Some(nanos / 1e9),
            None => times(&fs::read_to_string(thread.join("stat")).ok()?).map(|[own, _]| own),
        }
    };
    threads.flatten().find_map(|thread| of(&thread.path()))
}

/// Resident memory of a process, bytes.
pub(super) fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// What all cores did so far, seconds.
#[derive(Clone, Copy, Default)]
pub(super) struct Whole {
    /// All of it.
    total: f64,
    /// Neither idle nor waiting for a disk.
    busy: f64,
    /// Taken by other machines on the same hardware.
    steal: f64,
}

/// What everybody else had of the machine between two readings.
pub(super) struct Others {
    /// Of other processes here, per cent of the machine.
    pub(super) foreign: f64,
    /// Of other machines on the hardware, per cent.
    pub(super) steal: f64,
}

impl Whole {
    pub(super) fn read() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self::of(&stat).unwrap_or_default()
    }

    fn of(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        let all: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [user, nice, system, idle, wait, irq, soft, steal, ..] = all.as_slice() else {
            return None;
        };
        let busy = user + nice + system + irq + soft;
        let total = busy + idle + wait + steal;
        Some(Self {
            total: total / TICKS_A_SECOND,
            busy: busy / TICKS_A_SECOND,
            steal: steal / TICKS_A_SECOND,
        })
    }

    /// What others had since `earlier`, when we used `ours` seconds.
    pub(super) fn others(self, earlier: Self, ours: f64) -> Others {
        let total = (self.total - earlier.total).max(f64::MIN_POSITIVE);
        Others {
            foreign: (100.0 * (self.busy - earlier.busy - ours) / total).max(0.0),
            steal: 100.0 * (self.steal - earlier.steal) / total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Whole, times};

    #[test]
    fn times_are_read_behind_any_name() {
        let line = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 30 20 20 0 8 0 1 2 3";
        assert_eq!(times(line), Some([3.0, 0.5]));
        assert_eq!(times("42 (a) S 1"), None);
    }

    #[test]
    fn what_is_not_ours_is_foreign() {
        let before = Whole::of("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1").unwrap();
        let after = Whole::of("cpu  250 0 150 1100 0 0 0 100 0 0\ncpu0 1").unwrap();
        let others = after.others(before, 1.4);
        assert_eq!((others.foreign.round() as i64, others.steal.round() as i64), (10, 17));
    }
}
