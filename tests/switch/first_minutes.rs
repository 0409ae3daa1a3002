//! What docs/integrators.md tells a newcomer to type in his first fifteen minutes, typed.

use crate::common::{AGENT, CALLER, Phone};
use cordboard_tests::config::{Config, KEY};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The section whose commands are run.
const SECTION: &str = "## The first fifteen minutes\n";
/// How long they may take together: they wait for two phones, a beep, and a key that nobody presses.
const LIMIT: Duration = Duration::from_secs(30);

/// The commands of the section; where the switch is, and the key, the test says.
fn commands(page: &str) -> String {
    let section = page.split_once(SECTION).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1).filter_map(|part| part.split("```").next());
    let lines = blocks.flat_map(str::lines).filter(|line| !line.starts_with("export "));
    lines.collect::<Vec<_>>().join("\n")
}

/// A phone that answers by itself, and ends either way.
fn answers() -> Scenario {
    Scenario::called(MU_LAW).says(180, "Ringing").answers().ends()
}

/// Each command does what the page says, and the phones have rung for it.
pub fn as_written(dir: &Path) -> Outcome {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrators.md"))?;
    let script = commands(&page);
    let asks = script.matches("ask ").count();
    ensure(asks > 10, || format!("the page has {asks} requests under {SECTION:?}"))?;
    let config = Config::new(dir)?.agent("1001").agent("1002").queue("wrap_up = \"0s\"");
    let switch = Switch::start(dir, &config)?;
    let mut first = Phone::registered(dir, "1001", 5071, &answers(), CALLER)?;
    let mut second = Phone::registered(dir, "1002", 5072, &answers(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    switch.wait_agent("1002", "ready")?;
    let typed = dir.join("typed.sh");
    fs::write(&typed, &script)?;
    let said = fs::File::create(dir.join("said.txt"))?;
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail"]).arg(&typed).current_dir(dir).stdin(Stdio::null());
    shell.env("SWITCH", format!("http://{}", switch.api.at)).env("KEY", KEY);
    let mut shell = shell.stdout(said.try_clone()?).stderr(said).spawn()?;
    let ended = wait_for("the commands to be done", LIMIT, || shell.try_wait().ok().flatten());
    let told = fs::read_to_string(dir.join("said.txt")).unwrap_or_default();
    match ended {
        Ok(status) if status.success() => {}
        Ok(status) => return fail(format!("the commands end with {status}; they were answered:\n{told}")),
        Err(why) => {
            let _ = shell.kill();
            return fail(format!("{why}; they were answered:\n{told}"));
        }
    }
    for wanted in ["\"timeout\"", "administrative", "no_such_target", "limit", "scope_missing", "[true,true]"]
    {
        ensure(told.contains(wanted), || format!("no {wanted} in what was answered:\n{told}"))?;
    }
    first.ended()?;
    second.ended()?;
    let events = fs::read_to_string(dir.join("events.txt"))?;
    for kind in ["play_ended", "collect_ended", "call_ended"] {
        ensure(events.contains(kind), || format!("no {kind} among the events:\n{events}"))?;
    }
    switch.wait_cdrs(1)?;
    switch.ensure_nothing_left()
}
