//! The configuration exchanged under way.

use crate::common::{Phone, SOON, answers_when_told, calls, field, setup};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::Sipp;
use cordboard_tests::switch::Switch;
use std::path::Path;

fn house(dir: &Path) -> Result<Config, Fail> {
    Ok(Config::new(dir)?.agent("1001").user("1002").queue("").trunk())
}

fn rewrite(switch: &Switch, config: &Config) -> Outcome {
    Ok(std::fs::write(switch.config(), config.text())?)
}

/// A call to `number` is refused with this status.
fn refused(dir: &Path, port: u16, number: &str, status: u16) -> Outcome {
    let tries = Scenario::caller(MU_LAW).invites().is_refused(status);
    Phone::crowd(dir, port, number, &tries, 1, 0.0)?.ended()
}

pub fn under_calls(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &house(dir)?)?;
    let rings = Scenario::called(MU_LAW).rings_and_answers().ends();
    // An agent on a break: signed in, so that callers may wait for him.
    let _agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), 0.0)?;
    switch.api.post("/api/v1/agents/1001/rest")?;
    Sipp::register(dir, &setup("called", "1002", 5072), 600)?;
    let mut called = Phone::listening(dir, 5072, &rings, 25, 0.0)?;
    let mut talking = Phone::crowd(dir, 5090, "1002", &calls(), 25, 0.0)?;
    let mut waiting = Phone::crowd(dir, 5091, "501", &calls(), 25, 0.0)?;
    switch.wait_calls("bridged", 25)?;
    switch.wait_calls("queued", 25)?;
    refused(dir, 5092, "700", 404)?;
    let mut events = switch.api.events(None)?;
    let reloaded = |event: &serde_json::Value| event["type"] == "config_reloaded";

    rewrite(&switch, &house(dir)?.number("700", "queue:sales"))?;
    switch.signal(1)?;
    events.until("the reload by SIGHUP", reloaded)?;
    let mut seventh = Phone::crowd(dir, 5093, "700", &calls(), 1, 0.0)?;
    switch.wait_calls("queued", 26)?;
    seventh.hangs_up()?;

    rewrite(&switch, &house(dir)?.number("701", "queue:sales"))?;
    let done = switch.api.post("/api/v1/config/reload")?;
    ensure(done["done"].to_string().contains("701"), || format!("what changed is said as {done}"))?;
    events.until("the reload by the API", reloaded)?;
    refused(dir, 5094, "700", 404)?;

    switch.wait_calls("bridged", 25)?;
    switch.wait_calls("queued", 25)?;
    for crowd in [&mut talking, &mut waiting] {
        crowd.sipp.all_go_on()?;
        crowd.ended()?;
    }
    called.ended()?;
    let cdrs = switch.wait_cdrs(53)?;
    let normal = cdrs.iter().filter(|cdr| cdr["ended_by"] == "caller").count();
    ensure(normal == 51, || format!("{normal} of 51 calls were ended by their callers"))?;
    switch.ensure_nothing_left()
}

pub fn broken(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &house(dir)?)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), 0.0)?;
    switch.wait_calls("queued", 1)?;
    rewrite(&switch, &house(dir)?.number("702", "queue:nowhere").more("[nonsense]\nkey = 1"))?;
    let answer = switch.api.send("POST", "/api/v1/config/reload", "")?;
    ensure(answer.status == 422, || format!("a broken file: {}", answer.head))?;
    let problem = answer.json()?;
    let errors: Vec<&str> =
        problem["errors"].as_array().into_iter().flatten().filter_map(|e| e.as_str()).collect();
    for wanted in ["nowhere", "nonsense"] {
        let found = errors.iter().find(|error| error.contains(wanted));
        let named = found.is_some_and(|error| {
            let place = error.split_once("cordboard.toml:").map(|(_, rest)| rest);
            let mut numbers = place.into_iter().flat_map(|rest| rest.split(':'));
            let mut number = || numbers.next().is_some_and(|n| n.parse::<u32>().is_ok());
            number() && number()
        });
        ensure(named, || format!("no file:line:column about {wanted:?} in {problem}"))?;
    }
    switch.signal(1)?;
    cordboard_tests::process::wait_for("the log to refuse the file", SOON, || {
        switch.log().contains("not reloaded").then_some(())
    })?;
    switch.wait_calls("queued", 1)?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "to.user", "501")?;
    field(&cdr, "ended_by", "caller")?;
    refused(dir, 5095, "702", 404)?;
    let key = switch.api.send("GET", "/api/v1/queues", "")?;
    ensure(key.status == 200, || format!("the key is gone: {}", key.head))?;
    switch.ensure_nothing_left()
}
