//! Tokens, call-backs, monitoring and files with the whole switch, by a client that was written from the reference's documents
//! (`tests/shapes/client.py`).

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::wait_for;
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

pub const SECRET: &str = "a-secret-of-the-crm";
const CREATE: &str = "/apiaccess/CC-Management/v1/mobileAgent/createCall";
const CMS: &str = "/rest/cmsapp/v1/openapi";
const FILES: &str = "/CCFS/resource/ccfs";

/// What the client is answered.
fn asks(switch: &Switch, secret: &str, name: &str, said: &Value) -> Result<Value, Fail> {
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/shapes/client.py"));
    let output = command.args([&switch.api.at, "crm", secret, name, &said.to_string()]).output()?;
    match serde_json::from_slice(&output.stdout) {
        Ok(answer) => Ok(answer),
        Err(why) => fail(format!("{name}: {why}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The body of an answer.
pub fn body(switch: &Switch, name: &str, said: &Value) -> Result<Value, Fail> {
    let answer = asks(switch, SECRET, name, said)?;
    ensure(answer["status"] == 200, || format!("{name} is answered {answer}"))?;
    Ok(answer["body"].clone())
}

/// A skill's indicator.
fn indicator(switch: &Switch, name: &str) -> Result<Value, Fail> {
    let said = json!({ "queryParam": { "ccId": 1, "vdn": 5, "skillIds": ["21"], "indexIds": [name] } });
    let body = body(switch, &format!("{CMS}/skill/rindex"), &said)?;
    Ok(body["resultDatas"][0]["idxs"][0]["val"].clone())
}

/// The agent is called first, then a number outside; they hear each other, are seen by monitoring, and their recording is fetched.
pub fn walk(dir: &Path) -> Outcome {
    let keys = format!(
        "[huawei.tenant.default]\nvdn = 5\n[huawei.tenant.default.key.crm]\nsecret = \"{SECRET}\"\n\
         [agent_gateway.tenant.default]\nvdn = 5\nskills = [\"sales:21\"]"
    );
    let config = Config::new(dir)?
        .more(&keys)
        .user("1001")
        .more("[tenant.default.agent.1001]\nqueues = [\"sales\"]\nauto_sign_in = true\nrecord = \"always\"")
        .queue("wrap_up = \"0s\"")
        .trunk()
        .number("900", "trunk:out:4930900")
        .more("[tenant.default.trunk.out]\ngateway = \"127.0.0.3:5091\"\noptions_every = \"0s\"");
    let switch = Switch::start(dir, &config)?;
    let wrong = asks(&switch, "another-secret-here", "token", &json!({}))?;
    ensure(wrong["status"] == 401, || format!("a wrong secret is answered {wrong}"))?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let setup = Setup {
        name: "outside",
        ip: "127.0.0.3",
        port: 5091,
        user: "outside",
        rtp: 41_182,
        ..Setup::default()
    };
    let sipp = Sipp::listen(dir, &answers_when_told(), &setup)?;
    let mut outside = Phone { sipp, voice: Voice::new("127.0.0.3", setup.rtp, CALLER)? };
    let said = json!({ "caller": "1001", "called": "900", "agentWorkNo": 1001, "callData": "order 7" });
    let begun = body(&switch, CREATE, &said)?;
    field(&begun, "retCode", "0")?;
    let id = begun["result"]["callSerialNo"].clone();
    agent.answers_now()?;
    outside.answers_now()?;
    hear_each_other(&mut outside, &mut agent)?;
    wait_for("monitoring to see the talk", SOON, || {
        (indicator(&switch, "IDX_COUNT_REAL_AGENT_CONNECT").ok()? == "1").then_some(())
    })?;
    let seen = body(&switch, &format!("{CMS}/calldata/querydetailcallinfo"), &json!({ "callId": id }))?;
    field(&seen, "resultDatas.callData", "order 7")?;
    let state = body(&switch, &format!("{CMS}/vdn/totalagentstate"), &json!({ "ccId": 1, "vdn": 5 }))?;
    field(&state, "resultDatas.0.state", 5)?;
    outside.hangs_up()?;
    agent.ended()?;
    switch.wait_cdrs(1)?;
    let found = wait_for("the recording", SOON, || {
        let answer = asks(
            &switch,
            SECRET,
            &format!("{FILES}/downloadRecord"),
            &json!({ "msgBody": { "callId": id } }),
        );
        answer.ok().filter(|answer| answer["head"] == "RIFF")
    })?;
    let list = switch.api.get("/api/v1/recordings")?;
    field(&list, "items.0.file.sha256", found["sha256"].clone())?;
    field(&list, "items.0.file.bytes", found["bytes"].clone())?;
    let none =
        body(&switch, &format!("{FILES}/downloadRecord"), &json!({ "msgBody": { "callId": "1-256" } }))?;
    field(&none, "resultCode", "0300012")?;
    field(&none, "response.resultCode", "0300012")?;
    switch.ensure_nothing_left()
}

const TALK: &str = "/apiaccess/ccmessaging";

/// A customer of the program's.
struct Customer<'a> {
    switch: &'a Switch,
    token: &'a str,
}

impl Customer<'_> {
    fn sends(&self, control: &str, content: &str) -> Outcome {
        let said = json!({
            "channel": "WEB", "controlType": control, "content": content, "from": "c-17", "mediaType": "TEXT",
            "ccmessaging-token": self.token,
        });
        field(&body(self.switch, &format!("{TALK}/send"), &said)?, "resultCode", "0")
    }

    /// What he is told, as `control: content`.
    fn polls(&self) -> Result<Vec<String>, Fail> {
        let said = json!({ "ccmessaging-token": self.token });
        let told = body(self.switch, &format!("GET {TALK}/poll?receiverId=c-17&channel=WEB"), &said)?;
        field(&told, "resultCode", "0")?;
        let text = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let line =
            |message: &Value| format!("{}: {}", text(message, "controlType"), text(message, "content"));
        Ok(told["downlinkMessages"].as_array().into_iter().flatten().map(line).collect())
    }
}

/// A customer of a program writes by `send`, an agent takes his chat and answers; the switch is killed in the middle, and both go on.
pub fn talks(dir: &Path) -> Outcome {
    let keys =
        format!("[huawei.tenant.default]\nvdn = 5\n[huawei.tenant.default.key.crm]\nsecret = \"{SECRET}\"");
    let queue = "[tenant.default.queue.web]\nkind = \"multimedia\"\non_nobody = \"wait\"\nwrap_up = \"0s\"";
    let agent = "[tenant.default.agent.1001]\nqueues = [\"web\"]\nkind = \"multimedia\"\nchats = 1\nauto_sign_in = true";
    let config = Config::new(dir)?.more(&keys).user("1001").more(queue).more(agent);
    let mut switch = Switch::start(dir, &config)?;
    switch.wait_agent("1001", "ready")?;
    let who = json!({ "userId": "c-17", "userName": "Ann", "channelId": "web", "locale": "en" });
    let applied = body(&switch, &format!("{TALK}/applyToken"), &who)?;
    let token = applied["token"].as_str().unwrap_or_default().to_owned();
    let ann = Customer { switch: &switch, token: &token };
    ann.sends("CONNECT", "where is my order?")?;
    switch.wait_agent("1001", "ringing")?;
    let chat = switch.api.list("/api/v1/chats")?.first().cloned().unwrap_or_default();
    field(&chat, "customer.name", "Ann")?;
    let path = format!("/api/v1/chats/{}", chat["chat"].as_str().unwrap_or_default());
    let agent = |switch: &Switch, what: &str, text: &str| {
        let said =
            if text.is_empty() { json!({ "by": "1001" }) } else { json!({ "by": "1001", "text": text }) };
        switch.api.post_body(&format!("{path}/{what}"), &said.to_string())
    };
    agent(&switch, "accept", "")?;
    agent(&switch, "messages", "on its way")?;
    let told = ann.polls()?;
    ensure(told == ["CHAT: on its way"], || format!("{told:?}"))?;

    switch.kill();
    let switch = Switch::restart(dir)?;
    let ann = Customer { switch: &switch, token: &token };
    ann.sends("CHAT", "are you there?")?;
    let told = ann.polls()?;
    ensure(told == ["CHAT: on its way"], || format!("after the restart all of it again: {told:?}"))?;
    let messages = switch.api.list(&format!("{path}/messages"))?;
    ensure(messages.len() == 3, || format!("{messages:?}"))?;
    agent(&switch, "messages", "I am")?;
    agent(&switch, "close", "")?;
    let told = ann.polls()?;
    ensure(told == ["CHAT: I am", "DISCONNECT: "], || format!("{told:?}"))?;
    switch.wait_cdrs(1).map(drop)
}
