//! Agents at telephones outside: a mobile number is their device, over a trunk.

use crate::common::{
    AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other, setup,
};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::{Voice, write_tone};
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::time::Duration;

/// The agent's mobile.
const MOBILE: &str = "13812345678";
/// What is asked of who answers it, Hz.
const QUESTION: f64 = 880.0;
/// Another caller, Hz.
const SECOND: f64 = 600.0;

/// Agent 1001 is at his mobile, behind a gateway, and ready.
fn config(dir: &Path, agent: &str, queue: &str) -> Result<Config, Fail> {
    write_tone(&dir.join("prompts/en/agent/take.wav"), QUESTION, 1_500)?;
    let config = Config::new(dir)?.tenant("country = \"CN\"").user("1001").queue(queue).trunk();
    let config = config.more(
        "[tenant.default.trunk.mobiles]\noptions_every = \"0s\"\n\
         [[tenant.default.trunk.mobiles.gateways]]\naddress = \"127.0.0.3:5091\"\n\
         [[tenant.default.way_out]]\nprefix = \"+861\"\ntrunks = [{ trunk = \"mobiles\" }]",
    );
    Ok(config.more(&format!(
        "[tenant.default.agent.1001]\nqueues = [\"sales\"]\nauto_sign_in = true\nphone = \"{MOBILE}\"\n{agent}"
    )))
}

/// The mobile.
fn mobile(dir: &Path, scenario: &Scenario) -> Result<Phone, Fail> {
    let (port, rtp) = (5_091, 41_182);
    let setup = Setup { name: "mobile", ip: "127.0.0.3", port, user: "mobile", rtp, ..Setup::default() };
    Ok(Phone { sipp: Sipp::listen(dir, scenario, &setup)?, voice: Voice::new("127.0.0.3", rtp, AGENT)? })
}

/// A caller waits, the agent's mobile rings over the trunk, is asked for a key, and is joined by it.
pub fn joined_by_its_key(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &config(dir, "device = \"phone\"", "")?)?;
    let mut mobile = mobile(dir, &answers_when_told())?;
    let held = Scenario::caller(MU_LAW).invites().is_answered();
    let held = held.is_offered_again("recvonly").is_offered_again("sendrecv").ends();
    let mut caller = Phone::by_trunk(dir, "501", &held, CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    mobile.answers_now()?;
    let invite = mobile.sipp.wait_received("INVITE", 1)?;
    let line = invite.text.lines().find(|line| line.starts_with("INVITE")).unwrap_or_default();
    ensure(line.starts_with("INVITE sip:+8613812345678@127.0.0.3:5091 "), || format!("it got {line}"))?;
    mobile.speaks()?;
    mobile.voice.hears("who answered the mobile", QUESTION, SOON)?;
    caller.voice.forget();
    caller.voice.hears("the caller, who still waits,", MUSIC, SOON)?;
    ensure(!caller.voice.heard_within(AGENT, Duration::from_millis(300)), || {
        "the caller hears who has not pressed the key".into()
    })?;
    mobile.voice.press('1');
    hear_each_other(&mut caller, &mut mobile)?;
    switch.wait_agent("1001", "talking")?;
    // what he does at his desk he does at this leg, too
    switch.api.post("/api/v1/agents/1001/hold")?;
    caller.voice.hears("the caller, on hold,", MUSIC, SOON)?;
    switch.wait_agent("1001", "hold")?;
    switch.api.post("/api/v1/agents/1001/retrieve")?;
    caller.voice.hears("the caller, after the hold,", AGENT, SOON)?;
    mobile.hangs_up()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "callee")?;
    field(&cdr, "agent.name", "1001")?;
    field(&cdr, "legs.1.agent.name", "1001")?;
    field(&cdr, "legs.1.trunk.name", "mobiles")?;
    field(&cdr, "queues.0.outcome", "served")?;
    switch.ensure_nothing_left()
}

/// A mailbox answers the agent's mobile and presses nothing: that is no answer, and its caller is before the one who came
/// after him.
pub fn a_mailbox_is_no_answer(dir: &Path) -> Outcome {
    let agent = "device = \"phone\"\nphone_confirm_wait = \"3s\"\n[tenant.default.user.1002]\npassword = \"a-secret\"\n\
                 [tenant.default.agent.1002]\nqueues = [\"sales\"]";
    let switch = Switch::start(dir, &config(dir, agent, "on_no_answer = \"not_ready\"")?)?;
    let mut mailbox = mobile(dir, &answers_when_told())?;
    let mut desk = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    mailbox.answers_now()?;
    mailbox.speaks()?;
    let mut second = Phone::crowd(dir, 5_094, "501", &calls(), 1, SECOND)?;
    second.sipp.wait_up()?;
    second.speaks()?;
    mailbox.ended()?;
    let view = switch.wait_agent("1001", "not_ready")?;
    field(&view, "reason", "no_answer")?;
    caller.voice.hears("the caller, who waits on,", MUSIC, SOON)?;
    for order in ["sign-in", "ready"] {
        switch.api.post(&format!("/api/v1/agents/1002/{order}"))?;
    }
    desk.answers_now()?;
    hear_each_other(&mut caller, &mut desk)?;
    caller.hangs_up()?;
    desk.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "legs.1.cause", "no_answer")?;
    field(&cdr, "legs.1.answered", serde_json::Value::Null)?;
    field(&cdr, "queues.0.agent.name", "1002")?;
    switch.api.post("/api/v1/agents/1002/sign-out")?;
    second.hangs_up()?;
    switch.wait_cdrs(2)?;
    switch.ensure_nothing_left()
}

/// He goes from his desk phone to his mobile by an order, and is there still after the switch was killed.
pub fn chosen_and_kept(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &config(dir, "", "")?)?;
    switch.api.post_body("/api/v1/agents/1001/device", r#"{"device": "phone"}"#)?;
    let view = switch.wait_agent("1001", "ready")?;
    field(&view, "device.number", format!("+86{MOBILE}"))?;
    let refused = switch.api.send("POST", "/api/v1/agents/1001/device", r#"{"number": "+4930123"}"#)?;
    ensure(refused.status == 409, || format!("a number that no trunk reaches: {}", refused.status))?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    switch.wait_agent("1001", "ready")?;
    let mut mobile = mobile(dir, &answers_when_told())?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    mobile.answers_now()?;
    mobile.speaks()?;
    mobile.voice.hears("who answered the mobile", QUESTION, SOON)?;
    mobile.voice.press('1');
    hear_each_other(&mut caller, &mut mobile)?;
    caller.hangs_up()?;
    mobile.ended()?;
    switch.wait_cdrs(1)?;
    switch.ensure_nothing_left()
}

/// The agent's phone rings as he signs in and stays up: two callers after each other reach him by a tone and a key, and his
/// phone gets no other INVITE and no BYE before he signs out.
pub fn stays_up(dir: &Path) -> Outcome {
    write_tone(&dir.join("prompts/en/agent/take.wav"), QUESTION, 1_500)?;
    let agent = "[tenant.default.agent.1001]\nqueues = [\"sales\"]\nkeep_connected = true";
    let config = Config::new(dir)?.user("1001").queue("wrap_up = \"0s\"").trunk().more(agent);
    let switch = Switch::start(dir, &config)?;
    let mut phone = Phone::registered(dir, "1001", 5_071, &answers_when_told(), AGENT)?;
    let mut events = switch.api.events(None)?;
    switch.api.post("/api/v1/agents/1001/sign-in")?;
    phone.answers_now()?;
    phone.speaks()?;
    events.until("the line to be up", |event| event["type"] == "agent_line" && event["up"] == true)?;
    switch.api.post("/api/v1/agents/1001/ready")?;
    for (count, port) in [(1, 5_094), (2, 5_095)] {
        let mut caller = Phone::crowd(dir, port, "501", &calls(), 1, CALLER)?;
        caller.sipp.wait_up()?;
        caller.speaks()?;
        phone.voice.forget();
        phone.voice.hears("the agent, for a call,", QUESTION, SOON)?;
        phone.voice.press('1');
        caller.voice.hears("the caller", AGENT, SOON)?;
        phone.voice.hears("the agent", CALLER, SOON)?;
        caller.hangs_up()?;
        let cdr = switch.wait_cdrs(count)?.remove(0);
        field(&cdr, "cause", "normal")?;
        field(&cdr, "agent.name", "1001")?;
        // each has the packets of his own time
        let heard = at(&cdr, "legs.1.stats.received").as_u64().unwrap_or(0);
        ensure(heard > 10, || format!("{heard} packets of the agent in call {count}: {cdr}"))?;
        switch.wait_agent("1001", "ready")?;
    }
    ensure(phone.sipp.received("INVITE").len() == 1, || "it was rung again".into())?;
    ensure(phone.sipp.received("BYE").is_empty(), || "it was let go".into())?;
    switch.api.post("/api/v1/agents/1001/sign-out")?;
    phone.ended()?;
    switch.ensure_nothing_left()
}

/// A crash ends the connection with the call that has it: the phone gets its BYE, the call its record, and the agent, who is
/// signed in as before, is rung and connected again.
pub fn ended_by_a_kill(dir: &Path) -> Outcome {
    write_tone(&dir.join("prompts/en/agent/take.wav"), QUESTION, 1_500)?;
    let agent =
        "[tenant.default.agent.1001]\nqueues = [\"sales\"]\nkeep_connected = true\nrecord = \"always\"";
    let config = Config::new(dir)?.user("1001").queue("wrap_up = \"0s\"").trunk().more(agent);
    let mut switch = Switch::start(dir, &config)?;
    Sipp::register(dir, &setup("phones-5071", "1001", 5_071), 600)?;
    let mut phone =
        Phone::listening(dir, 5_071, &Scenario::called(MU_LAW).rings_and_answers().ends(), 2, AGENT)?;
    let mut events = switch.api.events(None)?;
    switch.api.post("/api/v1/agents/1001/sign-in")?;
    events.until("the line to be up", |event| event["type"] == "agent_line" && event["up"] == true)?;
    phone.speaks()?;
    switch.api.post("/api/v1/agents/1001/ready")?;
    let mut caller = Phone::crowd(dir, 5_094, "501", &calls(), 1, CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    phone.voice.hears("the agent, for a call,", QUESTION, SOON)?;
    phone.voice.press('1');
    caller.voice.hears("the caller", AGENT, SOON)?;
    switch.wait_agent("1001", "talking")?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    caller.ended()?;
    phone.sipp.wait_received("BYE", 1)?;
    phone.sipp.wait_received("INVITE", 2)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "lost_by_restart")?;
    field(&cdr, "agent.name", "1001")?;
    let view = switch.wait_agent("1001", "ready")?;
    ensure(view["line"] == "up" || view["line"] == "rings", || format!("his line is {}", view["line"]))?;
    switch.api.post("/api/v1/agents/1001/sign-out")?;
    phone.ended()?;
    switch.ensure_nothing_left()
}
