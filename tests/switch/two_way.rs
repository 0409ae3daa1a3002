//! Calls that a program begins: one party's phone rings, then the other's, and they talk.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, at, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MENU};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::Scenario;
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use std::path::Path;

/// Asks for a call. Gives it.
fn begin(switch: &Switch, body: &str) -> Result<String, Fail> {
    let answer = switch.api.send("POST", "/api/v1/calls", body)?;
    let begun = answer.json()?;
    ensure(answer.status == 201, || format!("{body} is answered {}: {begun}", answer.status))?;
    Ok(at(&begun, "call").as_str().unwrap_or_default().to_owned())
}

fn refused(switch: &Switch, body: &str, code: &str) -> Outcome {
    let answer = switch.api.send("POST", "/api/v1/calls", body)?;
    let problem = answer.json()?;
    ensure(answer.status == 409 && problem["code"] == code, || {
        format!("{body} is answered {}: {problem}, not {code}", answer.status)
    })
}

/// A phone behind a gateway at 127.0.0.3.
fn gateway(dir: &Path, port: u16, scenario: &Scenario, hertz: f64) -> Result<Phone, Fail> {
    let (name, rtp) = (format!("gateway-{port}"), 41_000 + (port - 5_000) * 2);
    let setup = Setup { name: &name, ip: "127.0.0.3", port, user: "gateway", rtp, ..Setup::default() };
    Ok(Phone { sipp: Sipp::listen(dir, scenario, &setup)?, voice: Voice::new("127.0.0.3", rtp, hertz)? })
}

/// A number outside is called first, and shown a number of the house; then the agent. The same token is the same call, and
/// `DELETE` ends it.
pub fn number_then_agent(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"");
    let config = config.more("[tenant.default.pool.house]\nnumbers = [\"+493055500\"]");
    let config = config
        .number("900", "trunk:out:4930900")
        .more("[tenant.default.trunk.out]\ngateway = \"127.0.0.3:5091\"\noptions_every = \"0s\"");
    let mut switch = Switch::start(dir, &config)?;
    let asked = r#"{"first": {"number": "900", "ring": 20}, "then": {"agent": "1001"},
        "caller_number": "+493055500", "data": {"order": 7}, "token": "order-7"}"#;
    refused(&switch, r#"{"first": {"agent": "1001"}, "then": {"number": "900"}}"#, "no_device")?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut outside = gateway(dir, 5091, &answers_when_told(), CALLER)?;
    switch.wait_agent("1001", "ready")?;
    refused(&switch, r#"{"first": {"number": "77"}, "then": {"agent": "1001"}}"#, "not_dialable")?;
    refused(&switch, r#"{"first": {"number": "900"}, "then": {"queue": "none"}}"#, "no_such_target")?;
    let foreign = r#"{"first": {"number": "900"}, "then": {"agent": "1001"}, "caller_number": "+4911"}"#;
    refused(&switch, foreign, "number_not_allowed")?;
    let call = begin(&switch, asked)?;
    ensure(begin(&switch, asked)? == call, || "one token began two calls".into())?;
    let invite = outside.sipp.wait_received("INVITE", 1)?;
    let from = invite.header("From").unwrap_or_default().to_owned();
    ensure(from.contains("sip:+493055500@"), || format!("outside is shown {from}"))?;
    ensure(agent.sipp.received("INVITE").is_empty(), || "the agent's phone rang before".into())?;
    outside.answers_now()?;
    agent.answers_now()?;
    hear_each_other(&mut outside, &mut agent)?;
    field(&switch.api.get(&format!("/api/v1/calls/{call}"))?, "data.order", 7)?;
    let ended = switch.api.send("DELETE", &format!("/api/v1/calls/{call}"), "")?;
    ensure(ended.status == 200, || format!("it is ended with {}", ended.status))?;
    outside.ended()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "call", call.as_str())?;
    field(&cdr, "data.askedBy", "key harness")?;
    field(&cdr, "from.user", "900")?;
    field(&cdr, "to.user", "agent:1001")?;
    field(&cdr, "legs.0.presented", "+493055500")?;
    field(&cdr, "agent.name", "1001")?;
    field(&cdr, "cause", "administrative")?;
    ensure(at(&cdr, "legs").as_array().is_some_and(|legs| legs.len() == 2), || format!("{cdr}"))?;
    // who asks again after a crash, its own or ours, does not have the customer called again
    switch.kill();
    let switch = Switch::restart(dir)?;
    ensure(begin(&switch, asked)? == call, || "the token began another call after a restart".into())?;
    switch.wait_cdrs(1)?;
    switch.ensure_nothing_left()
}

/// An account is called first, then a number; and then one who meets a flow, and one who waits in a queue.
pub fn account_then_anything(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1003").user("1004").agent("1001").queue("wrap_up = \"0s\"");
    let switch =
        Switch::start(dir, &config.flow("talks", "call:answer() while true do call:play('menu') end")?)?;
    let mut first = Phone::registered(dir, "1003", 5073, &answers_when_told(), CALLER)?;
    let mut other = Phone::registered(dir, "1004", 5074, &answers_when_told(), AGENT)?;
    begin(&switch, r#"{"first": {"account": "1003"}, "then": {"number": "1004"}}"#)?;
    first.answers_now()?;
    other.answers_now()?;
    hear_each_other(&mut first, &mut other)?;
    first.hangs_up()?;
    other.ended()?;
    drop((first, other));

    let mut first = Phone::listening(dir, 5073, &answers_when_told(), 1, CALLER)?;
    begin(&switch, r#"{"first": {"number": "1003"}, "then": {"flow": "talks"}}"#)?;
    first.answers_now()?;
    first.speaks()?;
    first.voice.hears("who was called", MENU, crate::common::SOON)?;
    first.hangs_up()?;
    drop(first);

    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut first = Phone::listening(dir, 5074, &answers_when_told(), 1, CALLER)?;
    begin(&switch, r#"{"first": {"account": "1004"}, "then": {"queue": "sales"}}"#)?;
    first.answers_now()?;
    agent.answers_now()?;
    hear_each_other(&mut first, &mut agent)?;
    agent.hangs_up()?;
    first.ended()?;
    let cdr = switch.wait_cdrs(3)?.remove(0);
    field(&cdr, "queues.0.outcome", "served")?;
    switch.ensure_nothing_left()
}

/// Two numbers outside, each by its own way: the first one's trunk is no reason why the second may not be called, but the rules
/// for the account in whose name it is done are.
pub fn two_numbers(dir: &Path) -> Outcome {
    let mut config = Config::new(dir)?.user("1003").user("1004");
    for (way, port) in [("4930", 5091), ("4940", 5092)] {
        config = config.more(&format!(
            "[tenant.default.trunk.way-{way}]\ngateway = \"127.0.0.3:{port}\"\noptions_every = \"0s\"\n\
             [[tenant.default.way_out]]\nprefix = \"{way}\"\nusers = [\"1003\"]\ntrunks = [{{ trunk = \"way-{way}\" }}]"
        ));
    }
    let switch = Switch::start(dir, &config)?;
    let mut first = gateway(dir, 5091, &answers_when_told(), CALLER)?;
    let mut other = gateway(dir, 5092, &answers_when_told(), AGENT)?;
    let body = |account: &str| {
        format!(
            r#"{{"first": {{"number": "49301"}}, "then": {{"number": "49401"}}, "account": "{account}"}}"#
        )
    };
    refused(&switch, &body("1004"), "not_dialable")?;
    begin(&switch, &body("1003"))?;
    first.answers_now()?;
    other.answers_now()?;
    hear_each_other(&mut first, &mut other)?;
    first.hangs_up()?;
    other.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "from.user", "49301")?;
    field(&cdr, "to.user", "49401")?;
    switch.ensure_nothing_left()
}
