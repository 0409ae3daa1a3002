//! A share of one core for one process, by the kernel's CPU controller of control groups, version 1 or 2.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Length of one turn, microseconds. As short as the kernel lets a tenth of it be counted, so that a process that waits
/// for its next turn does not wait long.
const PERIOD: u32 = 10_000;

/// The group; it goes with this value, once its process has ended.
pub(super) struct Quota {
    group: PathBuf,
}

impl Quota {
    /// Holds a process, with all its threads, to so many per cent of one core.
    pub(super) fn hold(pid: u32, percent: u32) -> Result<Self, String> {
        let name = format!("cordboard-load-{}", std::process::id());
        let made = make(Path::new("/sys/fs/cgroup"), &name, percent).and_then(|group| {
            let quota = Self { group };
            fs::write(quota.group.join("cgroup.procs"), pid.to_string()).map(|()| quota)
        });
        made.map_err(|error| format!("no quota by control groups here ({error}); run it without --quota"))
    }
}

fn make(root: &Path, name: &str, percent: u32) -> io::Result<PathBuf> {
    let share = PERIOD * percent / 100;
    let first = root.join("cpu");
    if first.join("cpu.cfs_quota_us").exists() || first.join("cgroup.procs").exists() {
        let group = first.join(name);
        fs::create_dir(&group)?;
        fs::write(group.join("cpu.cfs_period_us"), PERIOD.to_string())?;
        fs::write(group.join("cpu.cfs_quota_us"), share.to_string())?;
        return Ok(group);
    }
    let group = root.join(name);
    fs::create_dir(&group)?;
    fs::write(group.join("cpu.max"), format!("{share} {PERIOD}"))?;
    Ok(group)
}

impl Drop for Quota {
    fn drop(&mut self) {
        // A group whose process is still ending cannot go; it holds nobody then.
        let _ = fs::remove_dir(&self.group);
    }
}
