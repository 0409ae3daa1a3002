//! Agents' desks over the API: orders in an agent's name, without ids of calls or legs, with every ear asserted by tone.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MENU, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Tone of the third phone, Hz.
pub const THIRD: f64 = 880.0;
/// How long it is listened for what must not be heard.
pub const SILENCE: Duration = Duration::from_millis(300);
/// All tones.
pub const TONES: [f64; 5] = [CALLER, AGENT, THIRD, MUSIC, MENU];

pub fn path(agent: &str, order: &str) -> String {
    format!("/api/v1/agents/{agent}/{order}")
}

/// An order that is obeyed.
pub fn order(switch: &Switch, agent: &str, order: &str, body: &str) -> Result<Value, Fail> {
    switch.api.post_body(&path(agent, order), body)
}

/// An order that is refused for this reason.
pub fn refused(switch: &Switch, agent: &str, order: &str, body: &str, code: &str) -> Outcome {
    let answer = switch.api.send("POST", &path(agent, order), body)?;
    let problem = answer.json()?;
    ensure(answer.status == 409 && problem["code"] == code, || {
        format!("{order} of {agent} is answered {}: {problem}, not {code}", answer.status)
    })
}

fn desk(switch: &Switch, agent: &str) -> Result<Value, Fail> {
    switch.api.get(&path(agent, "desk"))
}

/// Waits until the first call at a desk is in this state.
pub fn wait_state(switch: &Switch, agent: &str, state: &str) -> Result<Value, Fail> {
    let mut last = Value::Null;
    let seen = wait_for(&format!("agent {agent} to be {state}"), SOON, || {
        last = desk(switch, agent).ok()?;
        (at(&last, "calls.0.state") == state).then(|| last.clone())
    });
    seen.map_err(|why| Fail(format!("{why}; {last}")))
}

pub fn config(dir: &Path) -> Result<Config, Fail> {
    Ok(Config::new(dir)?.agent("1001").queue("").trunk())
}

/// An agent who serves no queue; his calls are those that others send him.
fn helper(config: Config, name: &str) -> Config {
    let config = config.user(name);
    config.more(&format!("[tenant.default.agent.{name}]\nauto_sign_in = true"))
}

/// A supervisor.
fn chief(config: Config, name: &str) -> Config {
    let config = config.user(name);
    config.more(&format!("[tenant.default.agent.{name}]\nauto_sign_in = true\nrole = \"supervisor\""))
}

/// A caller talks to agent 1001, whom the queue gave him.
pub fn talking(
    dir: &Path,
    switch: &Switch,
    agent: &Scenario,
    caller: &Scenario,
) -> Result<(Phone, Phone), Fail> {
    let mut agent = Phone::registered(dir, "1001", 5071, agent, AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", caller, CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    Ok((caller, agent))
}

/// The first order is refused before sign-in and without a call; then hold, retrieve, mute, keys, release.
pub fn in_a_call(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &config(dir)?)?;
    switch.api.post(&path("1001", "sign-out"))?;
    refused(&switch, "1001", "hold", "", "not_signed_in")?;
    switch.api.post(&path("1001", "sign-in"))?;
    refused(&switch, "1001", "hold", "", "no_call")?;
    switch.api.post(&path("1001", "ready"))?;
    ensure(switch.api.send("POST", &path("1009", "hold"), "")?.status == 404, || "1009 has a desk".into())?;

    let held = Scenario::caller(MU_LAW).invites().is_answered();
    let held = held.is_offered_again("recvonly").is_offered_again("sendrecv").ends();
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &held)?;
    let mut events = switch.api.events(None)?;
    refused(&switch, "1001", "retrieve", "", "not_held")?;
    refused(&switch, "1001", "unmute", "", "not_muted")?;
    refused(&switch, "1001", "consult/complete", "", "not_consulting")?;
    refused(&switch, "1001", "transfer", r#"{"agent": "1009"}"#, "no_such_target")?;
    refused(&switch, "1001", "call", r#"{"to": "501"}"#, "in_call")?;
    order(&switch, "1001", "hold", r#"{"by": "1001"}"#)?;
    let told = events.until("the order", |e| e["type"] == "desk_order")?;
    let told = told.last().cloned().unwrap_or_default();
    field(&told, "order", "hold")?;
    field(&told, "by", "agent 1001")?;
    caller.voice.hears_these("the caller, held,", &[MUSIC], &TONES, SOON)?;
    ensure(!agent.voice.heard_within(CALLER, SILENCE), || "the agent hears whom he holds".into())?;
    field(&desk(&switch, "1001")?, "calls.0.held", true)?;
    refused(&switch, "1001", "hold", "", "held_already")?;
    order(&switch, "1001", "retrieve", "")?;
    caller.voice.hears_these("the caller, retrieved,", &[AGENT], &TONES, SOON)?;
    agent.voice.hears_these("the agent, retrieving,", &[CALLER], &TONES, SOON)?;

    order(&switch, "1001", "mute", "")?;
    ensure(!caller.voice.heard_within(AGENT, SILENCE), || "a muted agent is heard".into())?;
    agent.voice.hears_these("the muted agent", &[CALLER], &TONES, SOON)?;
    order(&switch, "1001", "unmute", "")?;
    caller.voice.hears_these("the caller, who hears again,", &[AGENT], &TONES, SOON)?;
    order(&switch, "1001", "keys", r#"{"keys": "12#"}"#)?;
    wait_for("the keys to arrive", SOON, || (caller.voice.keys() == "12#").then_some(()))?;

    order(&switch, "1001", "release", "")?;
    agent.ended()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "callee")?;
    switch.wait_agent("1001", "wrap_up")?;
    refused(&switch, "1001", "hold", "", "no_call")?;
    switch.ensure_nothing_left()
}

/// Agent 1001 consults 1002 while the caller waits; then all three talk, and the agent leaves.
pub fn three_party(dir: &Path) -> Outcome {
    let config = helper(config(dir)?, "1002").flow("door", "call:play('menu')")?;
    let switch = Switch::start(dir, &config)?;
    let mut third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    refused(&switch, "1001", "consult", r#"{"flow": "door"}"#, "not_a_person")?;
    order(&switch, "1001", "consult", r#"{"agent": "1002"}"#)?;
    wait_state(&switch, "1002", "ringing")?;
    third.answers_now()?;
    third.speaks()?;
    wait_state(&switch, "1001", "consulting")?;
    agent.voice.hears_these("who consults", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("who is consulted", &[AGENT], &TONES, SOON)?;
    caller.voice.hears_these("the caller, who waits,", &[MUSIC], &TONES, SOON)?;
    wait_state(&switch, "1002", "consulted")?;
    refused(&switch, "1001", "hold", "", "consulting")?;
    order(&switch, "1001", "consult/conference", "")?;
    caller.voice.hears_these("the caller, of three,", &[AGENT, THIRD], &TONES, SOON)?;
    agent.voice.hears_these("the agent, of three,", &[CALLER, THIRD], &TONES, SOON)?;
    third.voice.hears_these("the third", &[CALLER, AGENT], &TONES, SOON)?;
    refused(&switch, "1001", "transfer", r#"{"queue": "sales"}"#, "conference")?;
    order(&switch, "1001", "release", "")?;
    agent.ended()?;
    caller.voice.hears_these("the caller, of two,", &[THIRD], &TONES, SOON)?;
    order(&switch, "1002", "release", "")?;
    third.ended()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "transfers.0.to", "agent:1002")?;
    field(&cdr, "transfers.0.outcome", "conference")?;
    switch.ensure_nothing_left()
}

/// A flow has verified the caller; who gets him from the agent sees that at his own desk.
pub fn attended(dir: &Path) -> Outcome {
    let flow = "call:answer()
        call.data.account = '4711'
        call.data.verified = true
        call:enqueue('sales')";
    let config = helper(config(dir)?, "1002").flow("door", flow)?.number("600", "flow:door");
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut other = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    field(&wait_state(&switch, "1001", "talking")?, "calls.0.data.verified", true)?;
    order(&switch, "1001", "consult", r#"{"agent": "1002"}"#)?;
    other.answers_now()?;
    other.speaks()?;
    other.voice.hears_these("who is consulted", &[AGENT], &TONES, SOON)?;
    order(&switch, "1001", "consult/complete", "")?;
    agent.ended()?;
    other.voice.hears_these("who was sent the caller", &[CALLER], &TONES, SOON)?;
    caller.voice.hears_these("who was sent", &[THIRD], &TONES, SOON)?;
    let view = wait_state(&switch, "1002", "talking")?;
    field(&view, "calls.0.data.verified", true)?;
    field(&view, "calls.0.data.account", "4711")?;
    ensure(at(&desk(&switch, "1001")?, "calls").as_array().is_some_and(Vec::is_empty), || {
        "1001 has a call".into()
    })?;
    caller.hangs_up()?;
    other.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "transfers.0.kind", "attended")?;
    field(&cdr, "transfers.0.outcome", "done")?;
    switch.ensure_nothing_left()
}

/// 1002 is busy: after success, the caller is back with the agent; sent blindly to a flow, the agent is free at once.
pub fn sent_elsewhere(dir: &Path) -> Outcome {
    let flow = "call:play('menu')";
    let config = helper(config(dir)?, "1002").flow("bye", flow)?;
    let switch = Switch::start(dir, &config)?;
    let busy = Scenario::called(MU_LAW).says(486, "Busy Here").receives_request("ACK");
    let mut other = Phone::registered(dir, "1002", 5072, &busy, 0.0)?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    refused(&switch, "1001", "transfer", r#"{"flow": "bye", "after_success": true}"#, "not_a_person")?;
    let mut events = switch.api.events(None)?;
    order(&switch, "1001", "transfer", r#"{"agent": "1002", "after_success": true}"#)?;
    other.ended()?;
    events.until("the failure", |e| e["type"] == "call_transfer" && e["transfer"]["outcome"] == "failed")?;
    wait_state(&switch, "1001", "talking")?;
    caller.voice.forget();
    agent.voice.forget();
    caller.voice.hears_these("the caller, who is back,", &[AGENT], &TONES, SOON)?;
    agent.voice.hears_these("the agent, who has him again,", &[CALLER], &TONES, SOON)?;
    order(&switch, "1001", "transfer", r#"{"flow": "bye"}"#)?;
    agent.ended()?;
    caller.voice.hears_these("the caller, in the flow,", &[MENU], &TONES, SOON)?;
    switch.wait_agent("1001", "wrap_up")?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "transfers.0.cause", "busy")?;
    field(&cdr, "transfers.1.to", "flow:bye")?;
    switch.ensure_left_resting(1)
}

/// A phone behind a gateway at 127.0.0.3.
pub fn gateway(dir: &Path, port: u16, scenario: &Scenario) -> Result<Phone, Fail> {
    let (name, rtp) = (format!("gateway-{port}"), 41_000 + (port - 5_000) * 2);
    let setup = Setup { name: &name, ip: "127.0.0.3", port, user: "gateway", rtp, ..Setup::default() };
    Ok(Phone { sipp: Sipp::listen(dir, scenario, &setup)?, voice: Voice::new("127.0.0.3", rtp, THIRD)? })
}

/// A caller is sent to a telephone outside: blindly the agent is free before it rings, after success he stays until it answers.
pub fn sent_outside(dir: &Path) -> Outcome {
    for (name, blind) in [("blind", true), ("after-success", false)] {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir)?;
        let config = Config::new(&dir)?.agent("1001").queue("wrap_up = \"0s\"").trunk();
        let config = config
            .number("900", "trunk:out:4930900")
            .more("[tenant.default.trunk.out]\ngateway = \"127.0.0.3:5091\"\noptions_every = \"0s\"");
        let switch = Switch::start(&dir, &config)?;
        let mut outside = gateway(&dir, 5091, &answers_when_told())?;
        let (mut caller, mut agent) = talking(&dir, &switch, &answers_when_told(), &calls())?;
        order(&switch, "1001", "transfer", &format!(r#"{{"to": "900", "after_success": {}}}"#, !blind))?;
        if blind {
            agent.ended()?;
            switch.wait_agent("1001", "ready")?;
        }
        outside.sipp.wait_received("INVITE", 1)?;
        if !blind {
            ensure(!desk(&switch, "1001")?["calls"].as_array().is_none_or(Vec::is_empty), || {
                "the agent is gone before it is answered".into()
            })?;
        }
        outside.answers_now()?;
        outside.speaks()?;
        if !blind {
            agent.ended()?;
        }
        caller.voice.forget();
        caller.voice.hears_these("the caller", &[THIRD], &TONES, SOON)?;
        outside.voice.hears_these("who was sent the caller", &[CALLER], &TONES, SOON)?;
        caller.hangs_up()?;
        outside.ended()?;
        let cdr = switch.wait_cdrs(1)?.remove(0);
        field(&cdr, "transfers.0.outcome", "done")?;
        field(&cdr, "transfers.0.to", "900")?;
        switch.ensure_nothing_left()?;
    }
    Ok(())
}

/// An agent of `sales`, which shows numbers of the pool `house`.
fn seller(config: Config, name: &str, more: &str) -> Config {
    let config = config.user(name);
    config.more(&format!("[tenant.default.agent.{name}]\nqueues = [\"sales\"]\nauto_sign_in = true\n{more}"))
}

/// 900 and 901 lead out; an agent's own number is shown, or one of his queue's pool that he asks for.
pub fn calls_out(dir: &Path) -> Outcome {
    let mut config = Config::new(dir)?.queue("caller_pool = \"house\"");
    config = config.more("[tenant.default.pool.house]\nnumbers = [\"+493055500\"]");
    config = seller(config, "1001", "caller_number = \"+493055501\"");
    config = seller(config, "1004", "caller_number = \"+493055504\"");
    for (number, port) in [("900", 5091), ("901", 5092)] {
        config = config.number(number, &format!("trunk:out-{number}:4930{number}")).more(&format!(
            "[tenant.default.trunk.out-{number}]\ngateway = \"127.0.0.3:{port}\"\noptions_every = \"0s\""
        ));
    }
    let switch = Switch::start(dir, &config)?;
    refused(&switch, "1001", "call", r#"{"to": "900"}"#, "no_device")?;
    let asked = r#", "caller_number": "+493055500""#;
    for (name, number, asked, shown) in
        [("1001", "900", "", "+493055501"), ("1004", "901", asked, "+493055500")]
    {
        let offset = u16::from(number == "901");
        let mut agent = Phone::registered(dir, name, 5071 + offset, &answers_when_told(), AGENT)?;
        let mut outside = gateway(dir, 5091 + offset, &answers_when_told())?;
        let foreign = format!(r#"{{"to": "{number}", "caller_number": "+4911"}}"#);
        refused(&switch, name, "call", &foreign, "number_not_allowed")?;
        let body = format!(r#"{{"to": "{number}", "data": {{"campaign": "spring"}}{asked}}}"#);
        order(&switch, name, "call", &body)?;
        let rings = agent.sipp.wait_received("INVITE", 1)?;
        let from = rings.header("From").unwrap_or_default().to_owned();
        ensure(from.contains(&format!("sip:{number}@")), || format!("the agent is shown {from}"))?;
        refused(&switch, name, "call", &body, "in_call")?;
        agent.answers_now()?;
        agent.speaks()?;
        let out = outside.sipp.wait_received("INVITE", 1)?;
        let from = out.header("From").unwrap_or_default().to_owned();
        ensure(from.contains(&format!("sip:{shown}@")), || format!("outside is shown {from}, not {shown}"))?;
        field(&wait_state(&switch, name, "dialling")?, "calls.0.data.campaign", "spring")?;
        outside.answers_now()?;
        outside.speaks()?;
        agent.voice.hears_these("the agent", &[THIRD], &TONES, SOON)?;
        outside.voice.hears_these("who was called", &[AGENT], &TONES, SOON)?;
        switch.wait_agent(name, "talking")?;
        order(&switch, name, "release", "")?;
        agent.ended()?;
        outside.ended()?;
        switch.wait_agent(name, "ready")?;
    }
    let expected = [("1004", "901", "+493055500"), ("1001", "900", "+493055501")];
    for (cdr, (name, number, shown)) in switch.wait_cdrs(2)?.iter().zip(expected) {
        field(cdr, "from.user", name)?;
        field(cdr, "to.user", number)?;
        field(cdr, "agent.name", name)?;
        field(cdr, "ended_by", "caller")?;
        field(cdr, "legs.1.presented", shown)?;
    }
    switch.ensure_nothing_left()
}

/// 1001 has 1002 called by name.
pub fn calls_an_agent(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &helper(config(dir)?, "1002"))?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), CALLER)?;
    let mut other = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    switch.wait_agent("1002", "ready")?;
    order(&switch, "1001", "call", r#"{"agent": "1002"}"#)?;
    agent.answers_now()?;
    wait_state(&switch, "1002", "ringing")?;
    other.answers_now()?;
    hear_each_other(&mut agent, &mut other)?;
    switch.wait_agent("1002", "talking")?;
    order(&switch, "1002", "release", "")?;
    other.ended()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "from.user", "1001")?;
    field(&cdr, "to.user", "1002")?;
    field(&cdr, "ended_by", "callee")?;
    switch.ensure_nothing_left()
}

/// A code during the call, a note after it; both are in the record, and stay there when the switch is killed.
pub fn wraps_up(dir: &Path) -> Outcome {
    let codes = Config::new(dir)?.agent("1001").trunk().tenant("wrap_up_codes = [\"no-interest\"]");
    let mut switch = Switch::start(dir, &codes.queue("wrap_up_codes = [\"sold\"]\nwrap_up = \"10m\""))?;
    refused(&switch, "1001", "wrap-up", r#"{"code": "sold"}"#, "nothing_to_wrap_up")?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    let view = desk(&switch, "1001")?;
    field(&view, "calls.0.codes", serde_json::json!(["no-interest", "sold"]))?;
    refused(&switch, "1001", "wrap-up", r#"{"code": "stolen"}"#, "no_such_code")?;
    order(&switch, "1001", "wrap-up", r#"{"code": "no-interest"}"#)?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "wrap_ups.0.code", "no-interest")?;
    switch.wait_agent("1001", "wrap_up")?;
    let mut events = switch.api.events(None)?;
    let view = desk(&switch, "1001")?;
    field(&view, "last_call", at(&cdr, "call").clone())?;
    field(&view, "last_codes", serde_json::json!(["no-interest", "sold"]))?;
    order(&switch, "1001", "wrap-up", r#"{"code": "sold", "note": "changed his mind", "by": "1001"}"#)?;
    events.until("what was said", |e| e["type"] == "call_wrapped_up" && e["said"]["code"] == "sold")?;
    let record = format!("/api/v1/cdrs/{}", at(&cdr, "call").as_str().unwrap_or_default());
    let joined = |switch: &Switch| {
        wait_for("the record to have it", SOON, || {
            let cdr = switch.api.get(&record).ok()?;
            (at(&cdr, "wrap_ups.0.code") == "sold").then_some(cdr)
        })
    };
    field(&joined(&switch)?, "wrap_ups.0.note", "changed his mind")?;
    switch.api.post(&path("1001", "ready"))?;
    switch.wait_agent("1001", "ready")?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    let cdr = joined(&switch)?;
    ensure(at(&cdr, "wrap_ups").as_array().is_some_and(|said| said.len() == 1), || format!("{cdr}"))
}

/// A phone that announces the event answers when it is told; every phone of an agent with auto_answer is asked to.
pub fn answers(dir: &Path) -> Outcome {
    let config =
        Config::new(dir)?.user("1001").trunk().queue("").more(
            "[tenant.default.agent.1001]\nqueues = [\"sales\"]\nauto_sign_in = true\nauto_answer = true",
        );
    let switch = Switch::start(dir, &config)?;
    let told = Scenario::called(MU_LAW).answers_when_ordered().ends();
    let mut agent = Phone::registered(dir, "1001", 5071, &told, AGENT)?;
    switch.wait_agent("1001", "ready")?;
    refused(&switch, "1001", "answer", "", "no_call")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    let invite = agent.sipp.wait_received("INVITE", 1)?;
    let is = |name: &str, value: &str| invite.header(name).is_some_and(|found| found.contains(value));
    ensure(
        is("Call-Info", ";answer-after=0")
            && is("Alert-Info", "info=alert-autoanswer")
            && is("Answer-Mode", "Auto"),
        || format!("{:?} {:?}", invite.header("Call-Info"), invite.header("Alert-Info")),
    )?;
    agent.sipp.wait_sent("SIP/2.0 180", 1)?;
    switch.wait_agent("1001", "ringing")?;
    wait_for("the phone to be one that can be told", SOON, || {
        order(&switch, "1001", "answer", "").ok().map(|_| ())
    })?;
    hear_each_other(&mut caller, &mut agent)?;
    refused(&switch, "1001", "answer", "", "not_ringing")?;
    caller.hangs_up()?;
    agent.ended()?;
    switch.ensure_nothing_left()
}

/// 1002 supervises whatever 1001 talks in: listens, whispers, barges in, and takes his place.
pub fn supervised(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &helper(chief(config(dir)?, "1002"), "1003"))?;
    let mut third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    let asks = |mode: &str| format!(r#"{{"mode": "{mode}", "by": "1002"}}"#);
    refused(&switch, "1001", "supervise", &asks("listen"), "no_call")?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    let mut events = switch.api.events(None)?;
    refused(&switch, "1001", "supervise", r#"{"mode": "listen", "by": "1003"}"#, "not_supervisor")?;
    refused(&switch, "1001", "release", r#"{"by": "1003"}"#, "not_supervisor")?;
    order(&switch, "1001", "supervise", &asks("listen"))?;
    let told = events.until("the order", |e| e["type"] == "desk_order" && e["order"] == "supervise")?;
    field(&told.last().cloned().unwrap_or_default(), "by", "agent 1002")?;
    refused(&switch, "1001", "supervise", &asks("listen"), "supervised")?;
    third.answers_now()?;
    third.speaks()?;
    wait_state(&switch, "1002", "supervising")?;
    let mut ears = |what: &str, expected: [&[f64]; 3]| -> Outcome {
        for ((phone, name), tones) in [&mut caller, &mut agent, &mut third]
            .into_iter()
            .zip(["the caller", "the agent", "the supervisor"])
            .zip(expected)
        {
            phone.voice.hears_these(&format!("{name}, {what},"), tones, &TONES, SOON)?;
        }
        Ok(())
    };
    ears("listened to", [&[AGENT], &[CALLER], &[CALLER, AGENT]])?;
    switch.api.put(&path("1001", "supervise"), &asks("whisper"))?;
    ears("with a whisper", [&[AGENT], &[CALLER, THIRD], &[CALLER, AGENT]])?;
    switch.api.put(&path("1001", "supervise"), &asks("barge_in"))?;
    ears("barged in on", [&[AGENT, THIRD], &[CALLER, THIRD], &[CALLER, AGENT]])?;
    switch.api.put(&path("1001", "supervise"), &asks("intercept"))?;
    agent.ended()?;
    caller.voice.hears_these("the caller, intercepted,", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("who intercepted", &[CALLER], &TONES, SOON)?;
    wait_state(&switch, "1002", "talking")?;
    refused(&switch, "1001", "supervise", &asks("listen"), "no_call")?;
    caller.hangs_up()?;
    third.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "supervisions.0.by.user", "1002")?;
    switch.ensure_nothing_left()
}

/// Two are to be called back. One is taken and called by an agent; the switch is killed; what was so is so, until it is done.
pub fn called_back(dir: &Path) -> Outcome {
    let config = helper(config(dir)?, "1002").user("1003");
    let mut switch = Switch::start(dir, &config)?;
    let put = |number: &str| {
        let body = format!(r#"{{"number": "{number}", "queue": "sales", "note": "after six"}}"#);
        let done = switch.api.post_body("/api/v1/callbacks", &body)?;
        Ok::<_, Fail>(at(&done, "done.1").as_str().unwrap_or_default().to_owned())
    };
    let (first, second) = (put("1003")?, put("+493055512")?);
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), CALLER)?;
    let mut party = Phone::registered(dir, "1003", 5073, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let entry = |id: &str, what: &str| format!("callbacks/{id}/{what}");
    refused(&switch, "1001", &entry(&first, "done"), "", "callback_not_taken")?;
    order(&switch, "1001", &entry(&first, "take"), "")?;
    refused(&switch, "1002", &entry(&first, "take"), "", "callback_taken")?;
    order(&switch, "1001", &entry(&first, "call"), "")?;
    agent.answers_now()?;
    party.answers_now()?;
    hear_each_other(&mut agent, &mut party)?;
    field(&desk(&switch, "1001")?, "calls.0.data.callback", first.as_str())?;
    agent.hangs_up()?;
    party.ended()?;
    switch.wait_cdrs(1)?;
    order(&switch, "1002", &entry(&second, "take"), "")?;
    order(&switch, "1002", &entry(&second, "give-back"), "")?;
    let before = switch.api.list("/api/v1/callbacks?queue=sales")?;
    switch.kill();

    let switch = Switch::restart(dir)?;
    let after = switch.api.list("/api/v1/callbacks?queue=sales")?;
    ensure(before == after, || format!("{before:?} before, {after:?} after"))?;
    let list = Value::Array(after);
    field(&list, "0.number", "1003")?;
    field(&list, "0.attempts", 1)?;
    field(&list, "0.taken_by.name", "1001")?;
    field(&list, "0.note", "after six")?;
    field(&list, "1.attempts", 0)?;
    field(&list, "1.taken_by", Value::Null)?;
    switch.wait_agent("1001", "ready")?;
    order(&switch, "1001", &entry(&first, "done"), "")?;
    let gone = switch.api.send("POST", &path("1001", &entry(&first, "done")), "")?;
    ensure(gone.status == 404, || format!("done twice: {}", gone.status))?;
    let left = switch.api.list("/api/v1/callbacks")?;
    ensure(left.len() == 1, || format!("{left:?}"))
}

/// Waits until an agent's status changes to this, by the supervisor.
fn forced(switch: &Switch, order: &str, status: &str) -> Outcome {
    let mut events = switch.api.events(None)?;
    let body = match order {
        "sign-in" => r#"{"by": "1009"}"#,
        _ => r#"{"by": "1009", "reason": "briefing"}"#,
    };
    switch.api.post_body(&path("1001", order), body)?;
    let told = events.until(status, |e| e["type"] == "agent_status" && e["status"] == status)?;
    let told = told.last().cloned().unwrap_or_default();
    field(&told, "agent.name", "1001")?;
    field(&told, "by", "agent 1009")?;
    if matches!(order, "rest" | "not-ready") {
        field(&told, "reason", "briefing")?;
    }
    Ok(())
}

/// A supervisor makes an agent what he is to be, and who is none may not; the state and its reason outlive a kill.
pub fn forced_states(dir: &Path) -> Outcome {
    let config = helper(chief(config(dir)?, "1009"), "1002");
    let mut switch = Switch::start(dir, &config)?;
    let mut _agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    refused(&switch, "1001", "rest", r#"{"by": "1002"}"#, "not_supervisor")?;
    forced(&switch, "not-ready", "not_ready")?;
    forced(&switch, "rest", "rest")?;
    forced(&switch, "sign-out", "signed_out")?;
    refused(&switch, "1001", "ready", r#"{"by": "1009"}"#, "not_signed_in")?;
    forced(&switch, "sign-in", "not_ready")?;
    forced(&switch, "ready", "ready")?;
    forced(&switch, "rest", "rest")?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    let agent = switch.wait_agent("1001", "rest")?;
    field(&agent, "reason", "briefing")
}

/// Two wait, and nobody is ready. A supervisor puts the second first, moves him to another queue, and gives him to an agent
/// who is not ready.
pub fn placed(dir: &Path) -> Outcome {
    let more = "[tenant.default.queue.help]\nmusic = \"music\"\non_nobody = \"wait\"";
    let config = helper(chief(config(dir)?, "1009"), "1002").more(more);
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    switch.api.post(&path("1001", "not-ready"))?;
    let setup = |name: &'static str, port, rtp| Setup {
        name,
        ip: "127.0.0.2",
        port,
        user: "501",
        rtp,
        ..Setup::default()
    };
    let caller = |setup: Setup<'_>, hertz| {
        let voice = Voice::new("127.0.0.2", setup.rtp, hertz)?;
        Ok::<_, Fail>(Phone { sipp: Sipp::start(dir, &calls(), &setup)?, voice })
    };
    let mut first = caller(setup("first", 5090, 42_000), CALLER)?;
    switch.wait_calls("queued", 1)?;
    let mut second = caller(setup("second", 5092, 42_010), THIRD)?;
    let waiting = || -> Result<Vec<Value>, Fail> {
        let queues = switch.api.list("/api/v1/queues")?;
        let sales = queues.into_iter().find(|queue| queue["queue"]["name"] == "sales").unwrap_or_default();
        Ok(at(&sales, "waiting").as_array().cloned().unwrap_or_default())
    };
    wait_for("two to wait", SOON, || (waiting().ok()?.len() == 2).then_some(()))?;
    let call = at(&waiting()?[1], "call").as_str().unwrap_or_default().to_owned();
    let place = format!("/api/v1/calls/{call}/place");
    let no = switch.api.send("POST", &place, r#"{"first": true, "by": "1002"}"#)?;
    ensure(no.status == 409 && no.json()?["code"] == "not_supervisor", || format!("{no:?}"))?;
    let mut events = switch.api.events(None)?;
    switch.api.post_body(&place, r#"{"first": true, "by": "1009"}"#)?;
    ensure(at(&waiting()?[0], "call") == call.as_str(), || "he is not the first".into())?;
    switch.api.post_body(&place, r#"{"queue": "help"}"#)?;
    ensure(waiting()?.len() == 1, || "he waits in both".into())?;
    let told = events.until("the placing", |e| e["type"] == "call_placed" && e["to"] == "queue:help")?;
    field(&told.last().cloned().unwrap_or_default(), "by", "key harness")?;
    switch.api.post_body(&place, r#"{"agent": "1001", "by": "1009"}"#)?;
    agent.answers_now()?;
    agent.speaks()?;
    second.speaks()?;
    agent.voice.hears_these("the agent", &[THIRD], &TONES, SOON)?;
    second.voice.hears_these("who was placed", &[AGENT], &TONES, SOON)?;
    let no = switch.api.send("POST", &place, r#"{"first": true}"#)?;
    ensure(no.status == 409 && no.json()?["code"] == "not_waiting", || format!("{no:?}"))?;
    second.hangs_up()?;
    agent.ended()?;
    first.hangs_up()?;
    let cdrs = switch.wait_cdrs(2)?;
    let placed = cdrs.iter().find(|cdr| at(cdr, "call") == call.as_str()).cloned().unwrap_or_default();
    field(&placed, "queues.0.outcome", "moved")?;
    field(&placed, "queues.1.queue.name", "help")?;
    field(&placed, "agent.name", "1001")?;
    switch.ensure_nothing_left()
}
