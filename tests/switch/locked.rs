//! A database that takes nothing: calls are queued, answered and ended as ever, and it gets every record afterwards.

use crate::common::{AGENT, Phone, SOON, calls, field, setup};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::{Process, wait_for};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::Sipp;
use cordboard_tests::switch::Switch;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Agents, each of whom hangs up as soon as he has answered.
const AGENTS: usize = 10;
/// Callers of the three turns: before, during and after a kill.
const TURNS: [u32; 3] = [40, 10, 5];

/// Another process that has the database for itself.
const LOCKS: &str = "import sqlite3, sys\n\
                     db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)\n\
                     db.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\n\
                     sys.stdin.readline()\ndb.execute('ROLLBACK')\n";

struct Lock(Process);

impl Lock {
    fn take(dir: &Path) -> Result<Self, Fail> {
        let mut command = Command::new("python3");
        command.args(["-c", LOCKS]).arg(dir.join("var/cordboard.db"));
        let mut process = Process::start_with_input("lock", dir, command)?;
        process.wait_line("locked", SOON)?;
        Ok(Self(process))
    }

    fn release(mut self) -> Outcome {
        self.0.type_line("")?;
        self.0.wait_success(SOON)
    }
}

/// Fails unless the last word on these calls is one record each, ended by the phone that took it. Who hangs up as he
/// answers may do so before the two are joined, and is not in the record then.
fn ensure_records(switch: &Switch, count: usize) -> Outcome {
    let cdrs = switch.wait_cdrs(count)?;
    let ids: BTreeSet<&str> = cdrs.iter().filter_map(|cdr| cdr["call"].as_str()).collect();
    ensure(ids.len() == count, || format!("{} calls have {count} records", ids.len()))?;
    for cdr in &cdrs {
        field(cdr, "cause", "normal")?;
        field(cdr, "ended_by", "callee")?;
    }
    Ok(())
}

/// So many callers, who are all served.
fn served(dir: &Path, port: u16, count: u32) -> Outcome {
    Phone::crowd(dir, port, "501", &calls(), count, 0.0)?.ended()
}

fn wait_healthy(switch: &Switch, healthy: bool) -> Outcome {
    let what = if healthy { "the database to be well" } else { "the database to be missed" };
    wait_for(what, SOON, || {
        let problems = switch.api.get("/healthz").ok()?["problems"].to_string();
        (problems.contains("the database takes no records") != healthy).then_some(())
    })
}

pub fn loses_nothing(dir: &Path) -> Outcome {
    let agents: Vec<String> = (1..=AGENTS).map(|n| format!("10{n:02}")).collect();
    let mut config = Config::new(dir)?.queue("wrap_up = \"0s\"").trunk();
    for agent in &agents {
        config = config.agent(agent);
    }
    let mut switch = Switch::start(dir, &config)?;
    for agent in &agents {
        Sipp::register(dir, &setup("phones-5071", agent, 5071), 600)?;
    }
    let hangs_up = Scenario::called(MU_LAW).rings_and_answers().hangs_up();
    let all: u32 = TURNS.iter().sum();
    let mut phones = Phone::listening(dir, 5071, &hangs_up, all, AGENT)?;

    let lock = Lock::take(dir)?;
    served(dir, 5090, TURNS[0])?;
    wait_healthy(&switch, false)?;
    ensure(switch.api.list("/api/v1/cdrs")?.is_empty(), || "the database was not locked".into())?;
    ensure(switch.api.metric("cordboard_journal_unstored")? >= 40.0, || "the journal kept nothing".into())?;
    for agent in &agents {
        switch.wait_agent(agent, "ready")?;
    }
    lock.release()?;
    ensure_records(&switch, 40)?;
    wait_healthy(&switch, true)?;

    // The same with an end and a start in it: what the database never had comes from the journal.
    let lock = Lock::take(dir)?;
    served(dir, 5091, TURNS[1])?;
    wait_for("the calls to be over", SOON, || {
        (switch.api.list("/api/v1/calls").ok()?.is_empty()).then_some(())
    })?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    served(dir, 5092, TURNS[2])?;
    phones.ended()?;
    wait_healthy(&switch, false)?;
    lock.release()?;
    ensure_records(&switch, all as usize)?;
    ensure(switch.api.metric("cordboard_store_refused_total")? == 0.0, || "records were refused".into())?;
    switch.ensure_nothing_left()
}
