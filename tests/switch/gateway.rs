//! The agent gateway with the whole switch: an agent's day by a client that was written from the reference's documents
//! (`tests/gateway/bar.py`), once by polling and once by push, with every ear asserted by tone.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::{Process, wait_for};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tone of the third phone, Hz.
const THIRD: f64 = 880.0;
/// All tones.
const TONES: [f64; 4] = [CALLER, AGENT, THIRD, MUSIC];
/// The password of all agents.
const PASSWORD: &str = "Bar-4711";

/// An agent bar.
struct Bar {
    process: Process,
    orders: usize,
    /// The last event that was waited for.
    event: usize,
}

impl Bar {
    /// Starts the client of an agent, who is not signed in yet; with a port, his events are pushed there.
    fn start(dir: &Path, switch: &Switch, agent: &str, push: Option<u16>) -> Result<Self, Fail> {
        let mut command = Command::new("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/gateway/bar.py")).args([&switch.api.at, agent]);
        if let Some(port) = push {
            command.args(["push", &port.to_string()]);
        }
        command.current_dir(dir);
        // one agent may have several, one after the other
        static BARS: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bar-{}", BARS.fetch_add(1, Ordering::Relaxed));
        let mut process = Process::start_with_input(&name, dir, command)?;
        process.wait_line("bar", SOON)?;
        Ok(Self { process, orders: 0, event: 0 })
    }

    /// Starts it and signs in.
    fn signed_in(
        dir: &Path,
        switch: &Switch,
        agent: &str,
        push: Option<u16>,
        more: Value,
    ) -> Result<Self, Fail> {
        let mut bar = Self::start(dir, switch, agent, push)?;
        let mut body =
            json!({ "password": PASSWORD, "phonenum": agent, "autoanswer": "false", "status": "4" });
        if let Some(port) = push {
            body["callBackUri"] = json!(format!("http://127.0.0.1:{port}/events"));
            body["serviceToken"] = json!("token-of-the-page");
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let result = bar.order("signin", &body)?;
        field(&result, "workno", agent)?;
        bar.events(&["AgentOther_InService", "AgentState_Ready"])?;
        Ok(bar)
    }

    fn asks(&mut self, name: &str, entries: &Value) -> Result<(String, Value), Fail> {
        self.orders += 1;
        self.process.type_line(&format!("{name} {entries}"))?;
        let start = format!("reply {} ", self.orders);
        let line = self.process.wait_line(&start, SOON)?;
        let rest = line.strip_prefix(&start).unwrap_or_default();
        let (code, result) = rest.split_once(' ').unwrap_or((rest, "null"));
        Ok((code.to_owned(), serde_json::from_str(result)?))
    }

    /// An order that is obeyed; its result.
    fn order(&mut self, name: &str, entries: &Value) -> Result<Value, Fail> {
        match self.asks(name, entries)? {
            (code, result) if code == "0" => Ok(result),
            (code, _) => fail(format!("{name} {entries} is answered {code}; {}", self.process.output())),
        }
    }

    /// The same without entries.
    fn does(&mut self, name: &str) -> Result<Value, Fail> {
        self.order(name, &json!({}))
    }

    /// An order that is refused with this code.
    fn refused(&mut self, name: &str, entries: &Value, code: &str) -> Outcome {
        let (found, _) = self.asks(name, entries)?;
        ensure(found == code, || format!("{name} {entries} is answered {found}, not {code}"))
    }

    /// Waits for the next event of a type; gives its content. Others that come before are passed over.
    fn event(&mut self, kind: &str) -> Result<Value, Fail> {
        let seen = wait_for(&format!("the event {kind}"), SOON, || {
            self.told().into_iter().find(|(number, found, _)| *number > self.event && found == kind)
        });
        let seen = seen.map_err(|why| Fail(format!("{why}; {}", self.process.output())))?;
        self.event = seen.0;
        Ok(seen.2)
    }

    /// Waits for events one right after the other.
    fn events(&mut self, kinds: &[&str]) -> Outcome {
        for kind in kinds {
            let wanted = self.event + 1;
            self.event(kind)?;
            ensure(self.event == wanted, || format!("{kind} came late: {}", self.process.output()))?;
        }
        Ok(())
    }

    /// Every event so far: its number, type and content.
    fn told(&self) -> Vec<(usize, String, Value)> {
        let read = |line: &str| {
            let mut words = line.strip_prefix("event ")?.splitn(3, ' ');
            let number = words.next()?.parse().ok()?;
            let kind = words.next()?.to_owned();
            Some((number, kind, serde_json::from_str(words.next()?).ok()?))
        };
        self.process.output().lines().filter_map(read).collect()
    }

    /// Fails if anything was not as the reference says.
    fn ensure_right(&self) -> Outcome {
        let output = self.process.output();
        ensure(!output.lines().any(|line| line.starts_with("wrong") || line.contains("Traceback")), || output)
    }

    fn signs_out(mut self) -> Outcome {
        self.does("logout")?;
        self.ensure_right()
    }
}

/// The number of a call as an event has it.
fn id_of(content: &Value) -> Value {
    content["callid"].clone()
}

fn agent(config: Config, name: &str, more: &str) -> Config {
    let own = format!("[tenant.default.agent.{name}]\nqueues = [\"sales\"]\n{more}");
    config.user(name).more(&own)
}

fn started(dir: &Path) -> Result<Switch, Fail> {
    let rules = "[tenant.default.sign_in]\nslow = \"0s\"\nchange_first = false\n";
    let gateway = "[agent_gateway]\nguid_interval = \"1s\"\nguid_timeout = \"30s\"\npoll_wait = \"1s\"\n\
                   push_allowed = [\"http://127.0.0.1:8095/events\"]\nallow_private = true\n\
                   [agent_gateway.tenant.default]\nvdn = 5\nskills = [\"sales:21\"]";
    let mut config = Config::new(dir)?.more(rules).more(gateway);
    config = agent(agent(config, "1001", ""), "1002", "");
    config = agent(config, "1009", "role = \"supervisor\"");
    config = config
        .queue("wrap_up = \"0s\"")
        .trunk()
        .number("900", "trunk:out:4930900")
        .more("[tenant.default.trunk.out]\ngateway = \"127.0.0.3:5091\"\noptions_every = \"0s\"");
    let switch = Switch::start(dir, &config)?;
    for agent in ["1001", "1002", "1009"] {
        let body = json!({ "password": PASSWORD }).to_string();
        switch.api.put(&format!("/api/v1/agents/{agent}/password"), &body)?;
    }
    Ok(switch)
}

/// The caller of an incoming call is held and retrieved.
fn held() -> Scenario {
    let held = Scenario::caller(MU_LAW).invites().is_answered();
    held.is_offered_again("recvonly").is_offered_again("sendrecv").ends()
}

/// A call of the queue comes, is taken, held, retrieved and released.
fn incoming(dir: &Path, switch: &Switch, bar: &mut Bar) -> Outcome {
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &held(), CALLER)?;
    bar.event("AgentState_Busy")?;
    bar.event("AgentOther_PhoneAlerting")?;
    let rings = bar.event("AgentEvent_Ringing")?;
    field(&rings, "called", "501")?;
    let info = bar.does("callinfo")?;
    field(&info, "callid", id_of(&rings))?;
    field(&info, "callskillid", 21)?;
    phone.answers_now()?;
    bar.events(&["AgentOther_PhoneOffhook", "AgentEvent_Talking"])?;
    field(&bar.event("AgentEvent_Incoming_CallInfo")?, "skillId", "21")?;
    hear_each_other(&mut caller, &mut phone)?;
    bar.refused("gethold", &json!({}), "200-016")?;
    bar.does("hold")?;
    let hold = bar.event("AgentEvent_Hold")?;
    ensure(hold == id_of(&rings), || format!("a hold tells {hold}"))?;
    caller.voice.hears_these("the caller, held,", &[MUSIC], &TONES, SOON)?;
    let list = bar.does("holdlist")?;
    field(&list, "0.callid", id_of(&rings))?;
    bar.refused("hold", &json!({}), "200-014")?;
    bar.order("gethold", &json!({ "callid": id_of(&rings) }))?;
    bar.event("AgentEvent_Talking")?;
    caller.voice.hears_these("the caller, retrieved,", &[AGENT], &TONES, SOON)?;
    phone.voice.hears_these("the agent, retrieving,", &[CALLER], &TONES, SOON)?;
    bar.order("seconddialex", &json!({ "number": "12#" }))?;
    wait_for("the keys to arrive", SOON, || (caller.voice.keys() == "12#").then_some(()))?;
    bar.does("release")?;
    phone.ended()?;
    caller.ended()?;
    bar.events(&["AgentEvent_Call_Release", "AgentEvent_Customer_Release", "AgentOther_PhoneRelease"])
}

/// He asks another agent, all three talk, and the customer is left to the other.
fn help(dir: &Path, switch: &Switch, bar: &mut Bar, other: &mut Bar) -> Outcome {
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    let rings = bar.event("AgentEvent_Ringing")?;
    phone.answers_now()?;
    bar.event("AgentEvent_Talking")?;
    hear_each_other(&mut caller, &mut phone)?;
    // 1002 was busy until now, so that the caller came to 1001
    other.does("sayfree")?;
    other.event("AgentState_Ready")?;
    let asked = bar.order("innerhelp", &json!({ "dstaddress": "1002", "devicetype": "2", "mode": "1" }))?;
    bar.event("AgentEvent_Hold")?;
    field(&bar.event("AgentEvent_Customer_Alerting")?, "callid", asked.clone())?;
    field(&other.event("AgentEvent_Ringing")?, "caller", "1001")?;
    third.answers_now()?;
    third.speaks()?;
    let talks = bar.event("AgentEvent_Talking")?;
    field(&talks, "callid", asked)?;
    field(&talks, "feature", "51")?;
    third.voice.hears_these("who is asked", &[AGENT], &TONES, SOON)?;
    caller.voice.hears_these("the caller, who waits,", &[MUSIC], &TONES, SOON)?;
    field(&bar.does("holdlist")?, "0.callid", id_of(&rings))?;
    bar.order("confjoin", &json!({ "callid": id_of(&rings) }))?;
    field(&bar.event("AgentEvent_Conference")?, "callid", id_of(&rings))?;
    caller.voice.hears_these("the caller among three", &[AGENT, THIRD], &TONES, SOON)?;
    third.voice.hears_these("the third", &[CALLER, AGENT], &TONES, SOON)?;
    phone.voice.hears_these("the agent among three", &[CALLER, THIRD], &TONES, SOON)?;
    bar.does("release")?;
    phone.ended()?;
    bar.event("AgentOther_PhoneRelease")?;
    caller.voice.hears_these("the caller, left to the third,", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("the third, left with the caller,", &[CALLER], &TONES, SOON)?;
    caller.hangs_up()?;
    third.ended()?;
    other.event("AgentOther_PhoneRelease")?;
    other.does("saybusy")?;
    other.event("AgentState_SetNotReady_Success")?;
    Ok(())
}

/// He gives a customer to another agent after success.
fn transfer(dir: &Path, switch: &Switch, bar: &mut Bar, other: &mut Bar) -> Outcome {
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    bar.event("AgentEvent_Ringing")?;
    phone.answers_now()?;
    bar.event("AgentEvent_Talking")?;
    hear_each_other(&mut caller, &mut phone)?;
    other.does("sayfree")?;
    other.event("AgentState_Ready")?;
    bar.refused("transfer", &json!({ "devicetype": 5, "mode": 0, "address": "900" }), "000-002")?;
    bar.order("transfer", &json!({ "devicetype": "2", "mode": "2", "address": "1002" }))?;
    bar.event("AgentEvent_Customer_Alerting")?;
    other.event("AgentEvent_Ringing")?;
    third.answers_now()?;
    third.speaks()?;
    phone.ended()?;
    field(&bar.event("AgentEvent_SuccTransResult")?, "result", "0")?;
    bar.events(&["AgentEvent_Call_Release", "AgentEvent_Customer_Release", "AgentOther_PhoneRelease"])?;
    other.event("AgentEvent_Talking")?;
    caller.voice.hears_these("the caller, sent on,", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("who has the caller now", &[CALLER], &TONES, SOON)?;
    other.does("release")?;
    third.ended()?;
    caller.ended()?;
    other.event("AgentOther_PhoneRelease")?;
    other.does("saybusy")?;
    other.event("AgentState_SetNotReady_Success")?;
    Ok(())
}

/// He calls out: first his phone, then the number.
fn out(dir: &Path, switch: &Switch, bar: &mut Bar) -> Outcome {
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let setup = Setup {
        name: "outside",
        ip: "127.0.0.3",
        port: 5091,
        user: "outside",
        rtp: 41_182,
        ..Setup::default()
    };
    let sipp = Sipp::listen(dir, &answers_when_told(), &setup)?;
    let mut outside = Phone { sipp, voice: Voice::new("127.0.0.3", setup.rtp, THIRD)? };
    switch.wait_agent("1001", "ready")?;
    let id = bar.order("callout", &json!({ "called": "900", "callappdata": "spring" }))?;
    bar.event("AgentOther_PhoneAlerting")?;
    phone.answers_now()?;
    phone.speaks()?;
    bar.event("AgentOther_PhoneOffhook")?;
    let alerts = bar.event("AgentEvent_Customer_Alerting")?;
    field(&alerts, "callid", id.clone())?;
    outside.answers_now()?;
    outside.speaks()?;
    let talks = bar.event("AgentEvent_Talking")?;
    field(&talks, "callid", id.clone())?;
    field(&talks, "feature", "7")?;
    phone.voice.hears_these("who calls out", &[THIRD], &TONES, SOON)?;
    outside.voice.hears_these("who is called", &[AGENT], &TONES, SOON)?;
    field(&bar.does("callinfo")?, "calldata", "spring")?;
    bar.order("dropcall", &json!({ "callid": id }))?;
    phone.ended()?;
    outside.ended()?;
    bar.event("AgentOther_PhoneRelease")?;
    Ok(())
}

/// A break with its reminder.
fn breaks(bar: &mut Bar) -> Outcome {
    bar.order("saybusy", &json!({ "reason": "201" }))?;
    field(&bar.event("AgentState_SetNotReady_Success")?, "reason", "201")?;
    bar.does("sayfree")?;
    bar.event("AgentState_CancelNotReady_Success")?;
    bar.events(&["AgentState_Ready"])?;
    bar.order("rest", &json!({ "time": 1, "restcause": 7 }))?;
    field(&bar.event("AgentState_SetRest_Success")?, "reason", "7")?;
    bar.event("AgentState_Rest_Timeout")?;
    bar.does("cancelrest")?;
    bar.event("AgentState_CancelRest_Success")?;
    bar.events(&["AgentState_Ready"])
}

/// An inspector listens, joins, and goes.
fn inspected(dir: &Path, switch: &Switch, bar: &mut Bar, chief: &mut Bar) -> Outcome {
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut third = Phone::registered(dir, "1009", 5079, &answers_when_told(), THIRD)?;
    switch.wait_agent("1001", "ready")?;
    chief.refused("addsupervise", &json!({ "workno": "1001" }), "900-005")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    bar.event("AgentEvent_Ringing")?;
    phone.answers_now()?;
    bar.event("AgentEvent_Talking")?;
    hear_each_other(&mut caller, &mut phone)?;
    bar.refused("addsupervise", &json!({ "workno": "1002" }), "900-002")?;
    chief.order("addsupervise", &json!({ "workno": "1001" }))?;
    chief.event("AgentOther_PhoneAlerting")?;
    third.answers_now()?;
    third.speaks()?;
    chief.event("AgentOther_PhoneOffhook")?;
    let begun = bar.event("AgentOther_BeQcStart")?;
    field(&begun, "qcType", "8")?;
    field(&begun, "qcAgentId", "1009")?;
    third.voice.hears_these("who listens", &[CALLER, AGENT], &TONES, SOON)?;
    caller.voice.hears_these("the caller, listened to,", &[AGENT], &TONES, SOON)?;
    chief.order("switch", &json!({ "workno": "1001" }))?;
    field(&bar.event("AgentOther_BeQcStart")?, "qcType", "9")?;
    caller.voice.hears_these("the caller, with an inspector,", &[AGENT, THIRD], &TONES, SOON)?;
    chief.order("requestswitchinsertwhisperagent", &json!({ "whisperagentid": "1001", "switchtype": 2 }))?;
    field(&bar.event("AgentOther_BeQcStart")?, "qcType", "20172")?;
    phone.voice.hears_these("the agent, whispered to,", &[CALLER, THIRD], &TONES, SOON)?;
    caller.voice.hears_these("the caller, who hears no whisper,", &[AGENT], &TONES, SOON)?;
    chief.order("stopsupervise", &json!({ "workno": "1001" }))?;
    third.ended()?;
    chief.event("AgentOther_PhoneRelease")?;
    bar.event("AgentOther_BeQcStop")?;
    caller.hangs_up()?;
    phone.ended()?;
    bar.event("AgentOther_PhoneRelease")?;
    Ok(())
}

/// All of it, with his events polled or pushed.
fn day(dir: &Path, push: Option<u16>) -> Outcome {
    let switch = started(dir)?;
    let mut bar = Bar::signed_in(dir, &switch, "1001", push, json!({}))?;
    let mut other = Bar::signed_in(dir, &switch, "1002", None, json!({ "status": 3 }))?;
    other.event("AgentState_SetNotReady_Success")?;
    let mut chief = Bar::signed_in(dir, &switch, "1009", None, json!({ "status": 3 }))?;
    field(&bar.order("agentbyworkno", &json!({ "workno": "1002" }))?, "status", "3")?;
    incoming(dir, &switch, &mut bar)?;
    help(dir, &switch, &mut bar, &mut other)?;
    transfer(dir, &switch, &mut bar, &mut other)?;
    out(dir, &switch, &mut bar)?;
    breaks(&mut bar)?;
    inspected(dir, &switch, &mut bar, &mut chief)?;
    let renewed = bar.process.output().contains("guid is another one");
    ensure(renewed, || "no guid was renewed all day".into())?;
    let cdrs = switch.wait_cdrs(5)?;
    ensure(cdrs.iter().all(|cdr| cdr["agent"]["name"].is_string()), || format!("{cdrs:?}"))?;
    for one in [bar, other, chief] {
        one.signs_out()?;
    }
    for agent in ["1001", "1002", "1009"] {
        switch.wait_agent(agent, "signed_out")?;
    }
    switch.ensure_nothing_left()
}

/// By polling.
pub fn polled(dir: &Path) -> Outcome {
    day(dir, None)
}

/// By push.
pub fn pushed(dir: &Path) -> Outcome {
    day(dir, Some(8_095))
}

/// After-call work by his own wish, a sign-in by force that throws the other out, and a switch that was killed.
pub fn thrown_out(dir: &Path) -> Outcome {
    let mut switch = started(dir)?;
    let mut bar = Bar::signed_in(dir, &switch, "1001", None, json!({ "autoenteridle": "false" }))?;
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    bar.event("AgentEvent_Ringing")?;
    phone.answers_now()?;
    bar.event("AgentEvent_Talking")?;
    hear_each_other(&mut caller, &mut phone)?;
    caller.hangs_up()?;
    phone.ended()?;
    bar.event("AgentOther_PhoneRelease")?;
    bar.event("AgentState_Work")?;
    switch.wait_agent("1001", "not_ready")?;
    bar.does("cancelwork")?;
    bar.event("AgentState_CancelWork_Success")?;
    bar.events(&["AgentState_Ready"])?;

    let mut second = Bar::start(dir, &switch, "1001", None)?;
    let body = json!({ "password": PASSWORD, "autoanswer": false });
    second.refused("signin", &body, "100-002")?;
    second.refused("signin", &json!({ "password": "guess-11" }), "100-004")?;
    second.order("forcelogin", &body)?;
    bar.process.wait_line("out 100-006", SOON)?;
    bar.ensure_right()?;
    second.event("AgentState_Ready")?;

    switch.kill();
    let switch = Switch::restart(dir)?;
    let mut third = Bar::start(dir, &switch, "1001", None)?;
    third.refused("signin", &body, "100-002")?;
    third.order("forcelogin", &body)?;
    third.event("AgentState_Ready")?;
    third.signs_out()?;
    switch.wait_agent("1001", "signed_out")?;
    Ok(())
}

/// Agents of web chats.
fn started_with_chats(dir: &Path) -> Result<Switch, Fail> {
    let rules = "[tenant.default.sign_in]\nslow = \"0s\"\nchange_first = false\n";
    let gateway = "[agent_gateway]\npoll_wait = \"1s\"\n\
                   [agent_gateway.tenant.default]\nvdn = 5\nskills = [\"web:31\"]";
    let queue = "[tenant.default.queue.web]\nkind = \"multimedia\"\non_nobody = \"wait\"\nwrap_up = \"0s\"\nring = \"30s\"";
    let mut config = Config::new(dir)?.more(rules).more(gateway).more(queue);
    for name in ["1001", "1002"] {
        let agent =
            format!("[tenant.default.agent.{name}]\nqueues = [\"web\"]\nkind = \"multimedia\"\nchats = 3");
        config = config.user(name).more(&agent);
    }
    let switch = Switch::start(dir, &config)?;
    for agent in ["1001", "1002"] {
        let body = json!({ "password": PASSWORD }).to_string();
        switch.api.put(&format!("/api/v1/agents/{agent}/password"), &body)?;
    }
    Ok(switch)
}

/// A web chat rings at a bar, is taken, talked in both ways, sent to a colleague, and dropped by him.
pub fn texted(dir: &Path) -> Outcome {
    let switch = started_with_chats(dir)?;
    let mut bar = Bar::signed_in(dir, &switch, "1001", None, json!({}))?;
    bar.order("setcallnums", &json!({ "mediaType": "51", "callnums": "2" }))?;
    let agents = switch.api.list("/api/v1/agents")?;
    let slots = agents.iter().map(|agent| agent["chat_slots"].as_u64().unwrap_or_default());
    ensure(slots.eq([2, 3]), || format!("{agents:?}"))?;
    let body = json!({ "queue": "web", "customer": { "id": "c-17" }, "text": "where is my order?" });
    let opened = switch.api.send("POST", "/api/v1/chats", &body.to_string())?.json()?;
    let customer = switch.api.with_key(opened["token"].as_str().unwrap_or_default());
    let rings = bar.event("AgentEvent_Ringing")?;
    field(&rings, "caller", "c-17")?;
    field(&rings, "mediaAbility", "5")?;
    bar.order("answer", &json!({ "callid": id_of(&rings) }))?;
    bar.event("AgentEvent_Talking")?;
    let info = bar.event("AgentEvent_Incoming_CallInfo")?;
    field(&info, "skillId", "31")?;
    field(&info, "mediaType", "51")?;
    field(&bar.event("AgentEvent_MessageData")?, "message", "where is my order?")?;
    bar.order("sendmessage", &json!({ "callid": id_of(&rings), "userid": "", "data": "on its way" }))?;
    let read = customer.list("/api/v1/chat/messages?since=1&wait=true")?;
    field(&read.first().cloned().unwrap_or_default(), "text", "on its way")?;
    customer.post_body("/api/v1/chat/messages", r#"{"text": "thanks"}"#)?;
    field(&bar.event("AgentEvent_MessageData")?, "message", "thanks")?;
    field(&bar.order("callinfobycallid", &json!({ "callid": id_of(&rings) }))?, "mediaType", 51)?;

    let mut other = Bar::signed_in(dir, &switch, "1002", None, json!({}))?;
    let send = json!({ "callid": id_of(&rings), "devicetype": "2", "mode": "0", "address": "1002" });
    bar.order("mediatransfer", &send)?;
    bar.event("AgentEvent_Call_Release")?;
    bar.event("AgentEvent_Customer_Release")?;
    let again = other.event("AgentEvent_Ringing")?;
    ensure(id_of(&again) == id_of(&rings), || format!("another number: {again}"))?;
    field(&again, "transfer", "yes")?;
    field(&again, "transfrom", "1001")?;
    other.order("answer", &json!({ "callid": id_of(&rings) }))?;
    other.event("AgentEvent_Talking")?;
    field(&other.event("AgentEvent_MessageData")?, "caller", "c-17")?;
    field(&other.event("AgentEvent_MessageData")?, "caller", "1001")?;
    other.order("dropcall", &json!({ "callid": id_of(&rings) }))?;
    other.event("AgentEvent_Customer_Release")?;
    field(&customer.get("/api/v1/chat")?, "end", "agent")?;
    other.signs_out()?;
    bar.signs_out()
}
