//! Planned stops: what is up goes on for its time, what is new is refused, and what is left has a record that says why.

use crate::common::{AGENT, CALLER, Phone, SOON, calls, field, hear_each_other, setup};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, KEY};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::switch::{Switch, binary};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// One agent, and a queue without wrap-up.
fn one_agent(dir: &Path, drain: &str) -> Result<Config, Fail> {
    let config = Config::new(dir)?.agent("1001").user("1002").queue("wrap_up = \"0s\"").trunk();
    Ok(config.limit(&format!("drain = \"{drain}\"")))
}

/// The agent's phone, which takes so many calls.
fn agent(dir: &Path, count: u32) -> Result<Phone, Fail> {
    Sipp::register(dir, &setup("phones-5071", "1001", 5071), 600)?;
    Phone::listening(dir, 5071, &Scenario::called(MU_LAW).rings_and_answers().ends(), count, AGENT)
}

fn is_stopping(message: &serde_json::Value) -> bool {
    message["type"] == "alarm" && message["code"] == "stopping"
}

pub fn serves_what_is_up(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &one_agent(dir, "1h")?)?;
    let mut phone = agent(dir, 2)?;
    let holds = Scenario::caller(MU_LAW).invites().is_answered().waits_for_word();
    let mut caller = Phone::by_trunk(dir, "501", &holds.offers_again("sendonly").is_agreed().ends(), CALLER)?;
    hear_each_other(&mut caller, &mut phone)?;
    let mut next = Phone::crowd(dir, 5091, "501", &calls(), 1, CALLER)?;
    switch.wait_calls("queued", 1)?;
    let mut events = switch.api.events(None)?;
    switch.signal(15)?;
    events.until("the alarm", is_stopping)?;

    let health = switch.api.send("GET", "/healthz", "")?;
    let said = health.json()?;
    ensure(health.status == 503 && said["ready"] == false && said["calls"] == 2, || {
        format!("health: {said}")
    })?;
    let asks = Scenario::caller(MU_LAW).asks("OPTIONS").receives(503);
    let place = Setup { name: "asks", ip: "127.0.0.2", port: 5093, user: "1001", ..Setup::default() };
    Sipp::start(dir, &asks, &place)?.wait_success(SOON)?;
    let tries = Scenario::caller(MU_LAW).invites().is_refused(503);
    let mut late = Phone::crowd(dir, 5092, "501", &tries, 1, 0.0)?;
    late.ended()?;
    let refused = late.sipp.received("SIP/2.0 503");
    let retry = refused.first().and_then(|answer| answer.header("Retry-After")).map(str::to_owned);
    ensure(retry.is_some(), || "503 without Retry-After".into())?;

    Sipp::register(dir, &setup("late", "1002", 5072), 600)?;
    caller.sipp.go_on()?;
    events.until("the hold", |event| event["type"] == "leg_held" && event["held"] == true)?;
    caller.gives_up()?;
    switch.wait_calls("bridged", 1)?;
    next.voice.forget();
    phone.voice.forget();
    hear_each_other(&mut next, &mut phone)?;
    next.gives_up()?;
    phone.ended()?;
    switch.ended_cleanly()?;

    let switch = Switch::restart(dir)?;
    for cdr in switch.wait_cdrs(2)? {
        field(&cdr, "cause", "normal")?;
        field(&cdr, "agent.name", "1001")?;
    }
    switch.wait_registered("1002", 1)?;
    switch.ensure_nothing_left()
}

/// The command of an operator at the switch's own configuration.
fn orders_stop(dir: &Path) -> Result<String, Fail> {
    let args = ["stop", "--config", "cordboard.toml"];
    let output =
        Command::new(binary()?).args(args).current_dir(dir).env("CORDBOARD_API_KEY", KEY).output()?;
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure(output.status.success(), || format!("cordboard stop: {said}{error}"))?;
    Ok(said.into_owned())
}

pub fn ends_the_rest(dir: &Path) -> Outcome {
    let other = "[[api_key]]\nname = \"acme\"\ntenant = \"acme\"\nkey = \"the-key-of-another-tenant\"\n\
                 [tenant.acme]\ndomains = [\"acme.test\"]";
    let mut switch = Switch::start(dir, &one_agent(dir, "1s")?.more(other))?;
    let mut phone = agent(dir, 1)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    hear_each_other(&mut caller, &mut phone)?;
    let mut waits = Phone::crowd(dir, 5091, "501", &calls(), 1, CALLER)?;
    switch.wait_calls("queued", 1)?;
    let refused = switch.api.send_as("POST", "/api/v1/stop", "the-key-of-another-tenant")?;
    ensure(refused.status == 404, || format!("another tenant stops the switch: {}", refused.head))?;

    let begun = Instant::now();
    let said = orders_stop(dir)?;
    ensure(said.contains("may go on for 1 s"), || format!("cordboard stop says {said:?}"))?;
    for party in [&mut caller, &mut phone, &mut waits] {
        party.ended()?;
        let byes = party.sipp.received("BYE");
        let reason = byes.first().and_then(|bye| bye.header("Reason")).unwrap_or_default().to_owned();
        ensure(reason.contains("shutdown"), || format!("BYE for {reason:?}: {}", party.sipp.log()))?;
    }
    let took = begun.elapsed();
    ensure(took >= Duration::from_secs(1), || format!("the calls went on for {took:?} only"))?;
    switch.ended_cleanly()?;

    let switch = Switch::restart(dir)?;
    let cdrs = switch.wait_cdrs(2)?;
    let ids: BTreeSet<&str> = cdrs.iter().filter_map(|cdr| cdr["call"].as_str()).collect();
    ensure(ids.len() == 2, || format!("one call has two records: {cdrs:?}"))?;
    for cdr in &cdrs {
        field(cdr, "cause", "shutdown")?;
        field(cdr, "ended_by", "switch")?;
    }
    switch.wait_agent("1001", "ready")?;
    switch.ensure_nothing_left()
}

/// A first SIGTERM has the switch wait for a call of any length, the second does not.
pub fn second_sigterm(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &one_agent(dir, "1h")?)?;
    // It gets the BYE and says nothing to it for a while: the stop waits.
    let slow = Scenario::called(MU_LAW).says(180, "Ringing").waits_for_word().answers();
    let mut phone = Phone::registered(dir, "1001", 5071, &slow.receives_request("BYE"), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    phone.answers_now()?;
    hear_each_other(&mut caller, &mut phone)?;
    let mut events = switch.api.events(None)?;
    switch.signal(15)?;
    events.until("the alarm", is_stopping)?;
    switch.signal(15)?;
    caller.ended()?;
    phone.ended()?;
    let tries = Scenario::caller(MU_LAW).invites().is_refused(503);
    let mut late = Phone::crowd(dir, 5092, "501", &tries, 1, 0.0)?;
    late.ended()?;
    switch.ended_cleanly()?;
    let switch = Switch::restart(dir)?;
    let cdrs = switch.wait_cdrs(1)?;
    field(&cdrs[0], "cause", "shutdown")?;
    field(&cdrs[0], "ended_by", "switch")?;
    switch.ensure_nothing_left()
}
