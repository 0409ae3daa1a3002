//! The store stopped: another process holds the database, and the switch cannot write to it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const HOLDS: &str = "import sqlite3, sys\n\
                     db = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)\n\
                     db.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\n\
                     sys.stdin.readline()\ndb.execute('ROLLBACK')\n";
const COUNTS: &str = "import sqlite3, sys\n\
                      db = sqlite3.connect(sys.argv[1], timeout=30)\n\
                      print(*db.execute('SELECT count(*), count(DISTINCT call_id) FROM cdr').fetchone())\n";

/// The lock; it goes with this value.
pub(super) struct Lock(Child);

fn database(dir: &Path) -> PathBuf {
    dir.join("var").join("cordboard.db")
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Self, String> {
        let mut command = Command::new("python3");
        command.args(["-c", HOLDS]).arg(database(dir)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("python3: {error}"))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| format!("python3: {error}"))?;
        }
        let lock = Self(child);
        if line.trim() == "locked" { Ok(lock) } else { Err("the database could not be locked".to_owned()) }
    }

    pub(super) fn release(mut self) -> Result<(), String> {
        let wrong = |error: std::io::Error| format!("python3: {error}");
        if let Some(mut input) = self.0.stdin.take() {
            input.write_all(b"\n").map_err(wrong)?;
        }
        let status = self.0.wait().map_err(wrong)?;
        if status.success() { Ok(()) } else { Err(format!("python3 ended with {status}")) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It has ended already where it was released.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Records of calls in the database, and calls that have one.
pub(super) fn records(dir: &Path) -> Result<(u64, u64), String> {
    let output = Command::new("python3").args(["-c", COUNTS]).arg(database(dir)).output();
    let output = output.map_err(|error| format!("python3: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut numbers = said.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(rows)), Some(Ok(calls))) => Ok((rows, calls)),
        _ => Err(format!("the records cannot be counted: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
