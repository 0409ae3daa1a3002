//! Agents in bulk: a range of numbers in the configuration, and one order for all of them.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other};
use crate::sight::command;
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;

fn floor(dir: &Path, last: u32) -> Result<Config, Fail> {
    let accounts: String = (1_000..=last).map(|number| format!("{number},{PASSWORD}\n")).collect();
    std::fs::write(dir.join("floor.csv"), accounts)?;
    Ok(Config::new(dir)?.queue("wrap_up = \"0s\"").trunk().more(&format!(
        "[tenant.default.agent_range.floor]\nnumbers = \"1000-{last}\"\npasswords = \"floor.csv\"\nqueues = [\"sales\"]\n\
         display = \"Floor {{number}}\"\n[tenant.default.agent.1003]\nrole = \"supervisor\"\nqueues = []"
    )))
}

fn rows(answer: &Value, ok: bool) -> usize {
    answer["rows"].as_array().map_or(0, |rows| rows.iter().filter(|row| row["ok"] == ok).count())
}

/// Twenty agents by one section, one of whom is their supervisor by a section of his own. All are signed in by one command
/// and made ready, or not, by one order each, of which every agent has a row. A reload makes ten of them go.
pub fn range_and_orders(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &floor(dir, 1_019)?)?;
    let agents = switch.api.list("/api/v1/agents")?;
    ensure(agents.len() == 20, || format!("{} agents", agents.len()))?;
    let path = "/api/v1/agents/orders";
    let early = switch.api.post_body(path, r#"{"range": "1000-1019", "order": "ready"}"#)?;
    ensure(rows(&early, false) == 20, || format!("nobody is signed in: {early}"))?;
    let said = command(dir, &["agent", "order", "sign-in", "--range", "1000-1019", "-c", "cordboard.toml"])?;
    ensure(said.contains("20 ordered, 0 refused"), || said.clone())?;
    let mut phone = Phone::registered(dir, "1005", 5_075, &answers_when_told(), AGENT)?;
    let some = switch.api.post_body(path, r#"{"agents": ["1005", "1006", "4711"], "order": "ready"}"#)?;
    ensure(rows(&some, true) == 2 && some["rows"][2]["status"] == 404, || format!("{some}"))?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    phone.answers_now()?;
    hear_each_other(&mut caller, &mut phone)?;
    // who talks goes after his call
    let drill = r#"{"range": "1000-1019", "order": "not-ready", "reason": "drill", "by": "1003"}"#;
    let all = switch.api.post_body(path, drill)?;
    ensure(rows(&all, true) == 20, || format!("{all}"))?;
    field(&switch.wait_agent("1006", "not_ready")?, "reason", "drill")?;
    let talks = switch.wait_agent("1005", "talking")?;
    field(&talks, "display", "Floor 1005")?;
    caller.hangs_up()?;
    phone.ended()?;
    field(&switch.wait_agent("1005", "not_ready")?, "reason", "drill")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "agent.name", "1005")?;
    std::fs::write(switch.config(), floor(dir, 1_009)?.text())?;
    switch.api.post("/api/v1/config/reload")?;
    let agents = switch.api.list("/api/v1/agents")?;
    ensure(agents.len() == 10, || format!("{} agents after the reload", agents.len()))?;
    field(&switch.wait_agent("1005", "not_ready")?, "reason", "drill")?;
    switch.ensure_nothing_left()
}
