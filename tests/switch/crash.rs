//! The worst moments: killed among many calls, and a fault of ours in one of them.

use crate::common::{AGENT, CALLER, Phone, SOON, at, calls, field};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sound::read_recording;
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Agents among the calls that are cut.
const AGENTS: usize = 20;

/// Agents without a call, and what they ask for.
const STATES: [(&str, &str); 3] = [("1997", "sign-out"), ("1998", "not-ready"), ("1999", "rest")];

fn agents() -> Vec<String> {
    (1..=AGENTS).map(|n| format!("10{n:02}")).collect()
}

pub fn kill(dir: &Path) -> Outcome {
    let mut config = Config::new(dir)?.queue("record = true\nwrap_up = \"0s\"").trunk();
    for agent in agents() {
        config = config.agent(&agent);
    }
    for (agent, _) in STATES {
        config = config.agent(agent);
    }
    let mut switch = Switch::start(dir, &config)?;
    let rings = Scenario::called(MU_LAW).rings_and_answers().ends();
    let mut phones = Phone::many_registered(dir, &agents(), 5071, &rings, AGENT)?;
    for (agent, wish) in STATES {
        switch.api.post(&format!("/api/v1/agents/{agent}/{wish}"))?;
    }
    let mut callers = Phone::crowd(dir, 5090, "501", &calls(), 45, CALLER)?;
    // Five that hang up at the very moment: what they see of it depends on who was first.
    let mut hurried = Phone::crowd(dir, 5091, "501", &calls(), 5, CALLER)?;
    switch.wait_calls("bridged", AGENTS)?;
    let up = switch.wait_calls("queued", 50 - AGENTS)?;
    ensure(up.len() == 30, || "thirty wait".into())?;
    callers.all_speak();
    hurried.all_speak();
    phones.all_speak();
    // Both sides are heard before the cut, so that every recording has something to lose.
    wait_for("audio at both ends", SOON, || {
        (callers.voice.packets() > 2_000 && phones.voice.packets() > 500).then_some(())
    })?;
    wait_for("recordings to grow", SOON, || (recorded(dir).len() == AGENTS).then_some(()))?;
    let before = calls_by_id(&switch)?;
    let contacts = switch.api.list("/api/v1/contacts")?;
    // One of those who talk asked for a break: he has it when the call is gone.
    switch.api.post("/api/v1/agents/1001/rest")?;
    let states = states(&switch)?;
    ensure(states.len() == STATES.len(), || format!("states before the cut: {states:?}"))?;
    hurried.sipp.all_go_on()?;
    switch.kill();
    let start = Instant::now();
    let switch = Switch::restart(dir)?;
    callers.ended()?;
    phones.ended()?;
    let took = start.elapsed();
    ensure(took < Duration::from_secs(5), || format!("the last BYE came {took:?} after the start"))?;

    let cdrs = switch.wait_cdrs(50)?;
    for id in before.keys() {
        let of_call = cdrs.iter().filter(|cdr| cdr["call"] == id.as_str()).count();
        ensure(of_call == 1, || format!("call {id} has {of_call} records"))?;
    }
    let lost = cdrs.iter().filter(|cdr| cdr["cause"] == "lost_by_restart").count();
    ensure(lost >= 45, || format!("{lost} of 50 calls were lost by the restart"))?;
    let served = cdrs.iter().filter(|cdr| !at(cdr, "agent").is_null()).count();
    ensure(served == AGENTS, || format!("{served} records name an agent"))?;
    recordings_play(&switch, &cdrs)?;
    ensure(switch.api.list("/api/v1/contacts")? == contacts, || "other devices are registered".into())?;
    let after = self::states(&switch)?;
    ensure(after == states, || format!("agents were {states:?} and are {after:?}"))?;
    switch.wait_agent("1001", "rest")?;
    for agent in agents().iter().skip(1) {
        switch.wait_agent(agent, "ready")?;
    }
    switch.ensure_nothing_left()?;
    // A second restart finds nothing to do.
    drop(switch);
    let switch = Switch::restart(dir)?;
    switch.wait_cdrs(50)?;
    switch.ensure_nothing_left()
}

/// Kills of [`kill_after_answers`].
const KILLS: usize = 6;

/// Killed at the moment at which an order is answered, again and again: what was answered stands.
pub fn kill_after_answers(dir: &Path) -> Outcome {
    let config = agents().iter().fold(Config::new(dir)?.queue(""), |config, agent| config.agent(agent));
    let mut switch = Switch::start(dir, &config)?;
    for round in 0..KILLS {
        let (wish, status) = [("not-ready", "not_ready"), ("rest", "rest")][round % 2];
        for agent in agents() {
            switch.api.post(&format!("/api/v1/agents/{agent}/{wish}"))?;
        }
        switch.kill();
        switch = Switch::restart(dir)?;
        let found = switch.api.list("/api/v1/agents")?;
        ensure(found.len() == AGENTS, || format!("{found:?}"))?;
        for view in found {
            field(&view, "status", status)
                .map_err(|why| Fail(format!("kill {round}: an order was answered, and {why}")))?;
        }
    }
    switch.ensure_nothing_left()
}

/// What the agents without a call are, and since when.
fn states(switch: &Switch) -> Result<Vec<(Value, Value, Value)>, Fail> {
    let of_name = |agent: &Value| STATES.iter().any(|(name, _)| agent["agent"]["name"] == *name);
    let agents = switch.api.list("/api/v1/agents")?.into_iter().filter(of_name);
    Ok(agents.map(|a| (a["agent"]["name"].clone(), a["status"].clone(), a["since"].clone())).collect())
}

fn calls_by_id(switch: &Switch) -> Result<BTreeMap<String, Value>, Fail> {
    let listed = switch.api.list("/api/v1/calls")?;
    Ok(listed.into_iter().map(|call| (call["call"].as_str().unwrap_or_default().to_owned(), call)).collect())
}

/// Recording files on the disk.
fn recorded(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(dir.join("var/recordings/default")).into_iter().flatten().flatten();
    let files = files.filter(|file| file.metadata().is_ok_and(|meta| meta.len() > 64_000));
    files.map(|file| file.path()).collect()
}

fn recordings_play(switch: &Switch, cdrs: &[Value]) -> Outcome {
    let listed = switch.wait_recordings(AGENTS)?;
    for entry in &listed {
        let of_call = cdrs.iter().find(|cdr| cdr["call"] == entry["call"]);
        let named = of_call
            .is_some_and(|cdr| cdr["recordings"].to_string().contains(&entry["recording"].to_string()));
        ensure(named, || format!("no record names the recording {entry}"))?;
        let id = entry["recording"].as_str().unwrap_or_default();
        let answer = switch.api.send("GET", &format!("/api/v1/recordings/{id}"), "")?;
        ensure(answer.status == 200, || format!("recording {id}: {}", answer.head))?;
        let file = switch.dir().join("fetched.wav");
        std::fs::write(&file, &answer.body)?;
        let recording = read_recording(&file)?;
        let heard = recording.left.len() as u64 / 8;
        recording.ensure_tones(CALLER, AGENT).map_err(|why| Fail(format!("recording {id}: {why}")))?;
        let ms = entry["length_ms"].as_u64().unwrap_or_default();
        ensure(ms.abs_diff(heard) < 50, || format!("recording {id} is listed as {ms} ms and is {heard} ms"))?;
    }
    Ok(())
}

pub fn panic(dir: &Path) -> Outcome {
    let flow = "call:answer()\nwhile true do\n  call:collect{prompt = \"menu\", max = 1, first = 30}\nend\n";
    let config = Config::new(dir)?.flow("menu", flow)?.number("500", "flow:menu").trunk();
    let switch = Switch::start_with(dir, &config, &[("CORDBOARD_TEST_PANIC_KEY", "D")])?;
    let mut others = Phone::crowd(dir, 5091, "500", &calls(), 99, 0.0)?;
    let mut caller = Phone::by_trunk(dir, "500", &calls(), CALLER)?;
    switch.wait_calls("flow", 100)?;
    let mut events = switch.api.events(None)?;
    caller.speaks()?;
    caller.voice.press('D');
    events.until("the alarm", |event| event["type"] == "alarm" && event["code"] == "panic")?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "internal_error")?;
    field(&cdr, "ended_by", "switch")?;
    ensure(switch.api.metric("cordboard_panics_total")? == 1.0, || "the panic is not counted".into())?;
    switch.wait_calls("flow", 99)?;
    others.sipp.all_go_on()?;
    others.ended()?;
    let cdrs = switch.wait_cdrs(100)?;
    let normal = cdrs.iter().filter(|cdr| cdr["cause"] == "normal" && cdr["ended_by"] == "caller").count();
    ensure(normal == 99, || format!("{normal} of 99 ended as if nothing had been"))?;
    switch.ensure_nothing_left_after(1)
}
