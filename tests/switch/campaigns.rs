//! Campaigns with the whole switch: whom they call, who talks, what is told of it, and what a crash leaves.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, field, hear_each_other};
use crate::shapes::{SECRET, body};
use cordboard_tests::Fail;
use cordboard_tests::api::Stream;
use cordboard_tests::config::{Config, MENU};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};

const ISALES: &str = "/rest/isales/v1/openapi/campaigns/5";

/// A phone outside, behind the trunk.
fn outside(dir: &Path) -> Result<Phone, Fail> {
    let (port, rtp) = (5091, 41_182);
    let setup = Setup { name: "outside", ip: "127.0.0.3", port, user: "outside", rtp, ..Setup::default() };
    let sipp = Sipp::listen(dir, &answers_when_told(), &setup)?;
    Ok(Phone { sipp, voice: Voice::new("127.0.0.3", rtp, CALLER)? })
}

/// One that is busy, behind another.
fn busy(dir: &Path) -> Result<Sipp, Fail> {
    let busy = Scenario::called(MU_LAW).says(486, "Busy Here").receives_request("ACK");
    let (port, rtp) = (5092, 41_184);
    let setup = Setup { name: "busy", ip: "127.0.0.3", port, user: "busy", rtp, ..Setup::default() };
    Sipp::listen(dir, &busy, &setup)
}

fn config(dir: &Path) -> Result<Config, Fail> {
    Ok(Config::new(dir)?
        .agent("1001")
        .queue("wrap_up = \"0s\"")
        .number("900", "trunk:out:4930900")
        .more("[tenant.default.pool.house]\nnumbers = [\"+493055500\"]")
        .number("901", "trunk:busy:4930901")
        .more("[tenant.default.trunk.out]\ngateway = \"127.0.0.3:5091\"\noptions_every = \"0s\"")
        .more("[tenant.default.trunk.busy]\ngateway = \"127.0.0.3:5092\"\noptions_every = \"0s\""))
}

/// What one post says; the first one is refused.
fn serve(mut stream: TcpStream, first: bool, got: &Sender<String>) -> Outcome {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    let (status, said) =
        if first { ("500 No", "") } else { ("200 OK", r#"{"retCode":"0","retMsg":"success"}"#) };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{said}", said.len())?;
    Ok(got.send(String::from_utf8(bytes)?)?)
}

/// Where results are posted, and what comes.
fn program() -> Result<(u16, Receiver<String>), Fail> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let (sender, got) = channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().flatten().enumerate() {
            // who reads no more has seen what he wanted
            let _ = serve(stream, count == 0, &sender);
        }
    });
    Ok((port, got))
}

/// The whole day, working day or not.
fn all_day() -> Value {
    json!({ "workdayBeginTime1": "00:00", "workdayEndTime1": "00:00", "holidayBeginTime1": "00:00",
            "holidayEndTime1": "00:00", "workdayBeginTime2": "", "workdayEndTime2": "" })
}

/// Midnight of a day from today on, UTC.
fn day(days: i64) -> Result<String, Fail> {
    let date = Command::new("date").args(["-u", "-d", &format!("{days} days"), "+%F 00:00:00"]).output()?;
    Ok(String::from_utf8(date.stdout)?.trim().to_owned())
}

fn ok(switch: &Switch, name: &str, said: &Value) -> Result<Value, Fail> {
    let answer = body(switch, name, said)?;
    field(&answer, "resultCode", "0200000")?;
    field(&answer, "returnCode", "0200000")?;
    Ok(answer)
}

fn refused(switch: &Switch, name: &str, code: &str) -> Outcome {
    let answer = body(switch, name, &json!({}))?;
    field(&answer, "resultCode", code)?;
    field(&answer, "returnCode", code)
}

/// The results of the next post.
fn told(got: &Receiver<String>) -> Result<Vec<Value>, Fail> {
    let text = got.recv_timeout(SOON).map_err(|_| Fail("no result is posted".into()))?;
    let list: Value = serde_json::from_str(&text)?;
    list.as_array().cloned().ok_or_else(|| Fail(format!("no bare list: {text}")))
}

/// A program written for the reference makes a campaign and gives it numbers; who answers is joined to an agent, who does not is
/// told so; results are posted, once more where they were refused; it is paused, and deleted.
pub fn by_signed_requests(dir: &Path) -> Outcome {
    let (port, got) = program()?;
    let keys = format!(
        "[huawei.tenant.default]\nvdn = 5\n[huawei.tenant.default.key.crm]\nsecret = \"{SECRET}\"\n\
         [agent_gateway]\npush_allowed = [\"http://127.0.0.1:{port}/\"]\nallow_private = true\n\
         [agent_gateway.tenant.default]\nvdn = 5\nskills = [\"sales:21\"]"
    );
    let switch = Switch::start(dir, &config(dir)?.more(&keys))?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut customer = outside(dir)?;
    let mut busy = busy(dir)?;
    let said = json!({
        "name": "autumn", "strBeginTime": day(0)?, "strEndTime": day(2)?, "deviceType": "2",
        "callerNo": "+493055500", "maxAlertingTime": 30, "scheduleParam": all_day(),
        "skillParam": { "skillId": 21, "skillName": "sales", "outBoundType": 2 },
        "callBackUrl": format!("http://127.0.0.1:{port}/results"),
    });
    let made = ok(&switch, ISALES, &said)?;
    let id = made["returnObject"]["campaignId"].as_str().unwrap_or_default().to_owned();
    let numbers = json!({ "callDataList": [
        { "sessionId": "a", "called": "900", "customField": "row 1" }, { "sessionId": "b", "called": "901" },
    ] });
    let added = ok(&switch, &format!("{ISALES}/calldata/{id}"), &numbers)?;
    field(&added, "returnObject.totalSize", 2)?;
    let first = added["returnObject"]["dataIdList"][0]["dataId"].as_str().unwrap_or_default().to_owned();
    customer.answers_now()?;
    agent.answers_now()?;
    hear_each_other(&mut customer, &mut agent)?;
    refused(&switch, &format!("DELETE {ISALES}/{id}"), "0200011")?;
    customer.hangs_up()?;
    agent.ended()?;
    busy.wait_success(SOON)?;
    // the first post is refused, and what it said comes again, perhaps with the other number's
    let (mut results, mut posts) = (Vec::new(), 0);
    while !results.iter().any(|one: &Value| one["sessionId"] == "b") || posts < 2 {
        results.extend(told(&got)?);
        posts += 1;
    }
    let of =
        |session: &str| results.iter().rfind(|one| one["sessionId"] == session).cloned().unwrap_or_default();
    let (reached, away) = (of("a"), of("b"));
    for (name, value) in
        [("campaignId", id.as_str()), ("called", "900"), ("failCode", "00000"), ("customField", "row 1")]
    {
        field(&reached, name, value)?;
    }
    field(&reached, "callStatus", 6)?;
    field(&reached, "vdnId", 5)?;
    field(&away, "callStatus", 5)?;
    field(&away, "failCode", "00537")?;
    let cdr = wait_for("the call's record", SOON, || {
        let cdrs = switch.api.list("/api/v1/cdrs").ok()?;
        cdrs.into_iter().find(|cdr| cdr["data"]["campaignSession"] == "a")
    })?;
    field(&cdr, "legs.0.presented", "+493055500")?;
    field(&cdr, "queues.0.outcome", "served")?;
    ok(
        &switch,
        &format!("{ISALES}/callBusiResult/{first}"),
        &json!({ "busiResult": "sold", "workNo": "1001" }),
    )?;
    ok(&switch, &format!("PUT {ISALES}/{id}/pause"), &json!({}))?;
    refused(&switch, &format!("PUT {ISALES}/{id}/pause"), "0200011")?;
    ok(&switch, &format!("PUT {ISALES}/{id}/resume"), &json!({}))?;
    ok(&switch, &format!("PUT {ISALES}/{id}/pause"), &json!({}))?;
    ok(&switch, &format!("DELETE {ISALES}/{id}"), &json!({}))?;
    refused(&switch, &format!("DELETE {ISALES}/{id}"), "0200007")?;
    switch.ensure_left_resting(1)
}

fn now_ms() -> Result<i64, Fail> {
    Ok(i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis())?)
}

/// A campaign of our own API.
fn campaign(switch: &Switch, kind: &str, goal: &Value) -> Result<String, Fail> {
    let now = now_ms()?;
    let all = json!([{ "from": 0, "to": 1_440 }]);
    let said = json!({ "name": kind, "kind": kind, "goal": goal, "begins": now - 1_000, "ends": now + 86_400_000,
                       "workdays": all, "holidays": all, "lines": 1 });
    let made = switch.api.post_body("/api/v1/campaigns", &said.to_string())?;
    Ok(format!("/api/v1/campaigns/{}", made["id"]))
}

fn add(switch: &Switch, campaign: &str, numbers: &[&str]) -> Outcome {
    let numbers: Vec<Value> = numbers.iter().map(|called| json!({ "called": called })).collect();
    let said = json!({ "numbers": numbers }).to_string();
    switch.api.post_body(&format!("{campaign}/numbers"), &said).map(drop)
}

/// The numbers of a campaign once `count` of them have their result.
fn done(switch: &Switch, campaign: &str, count: usize) -> Result<Vec<Value>, Fail> {
    wait_for("the numbers' results", SOON, || {
        let done = switch.api.list(&format!("{campaign}/numbers?state=done")).ok()?;
        (done.len() == count).then_some(done)
    })
}

/// Where agents come first: his phone rings, then the customer's. Paused, nobody waits for an agent any more.
pub fn agents_first(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &config(dir)?)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut customer = outside(dir)?;
    let mut events = switch.api.events(None)?;
    let campaign = campaign(&switch, "pre_occupied", &json!({ "queue": "sales" }))?;
    add(&switch, &campaign, &["900"])?;
    agent.answers_now()?;
    customer.answers_now()?;
    hear_each_other(&mut customer, &mut agent)?;
    customer.hangs_up()?;
    agent.ended()?;
    let done = done(&switch, &campaign, 1)?;
    field(&done[0], "result.outcome", "reached")?;
    field(&done[0], "attempts", 1)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "data.campaignName", "pre_occupied")?;
    field(&cdr, "queues.0.agent.name", "1001")?;
    ensure(switch.api.list("/api/v1/callbacks")?.is_empty(), || "an entry of the list is left".into())?;
    // nobody is ready: the next number is not taken, and a number that waited would be let go
    switch.api.post("/api/v1/agents/1001/not-ready")?;
    switch.wait_agent("1001", "not_ready")?;
    add(&switch, &campaign, &["900"])?;
    switch.api.post(&format!("{campaign}/pause"))?;
    let seen = switch.api.get(&campaign)?;
    field(&seen, "state", "paused")?;
    field(&seen, "numbers.pending", 1)?;
    told_in_turn(&mut events)?;
    // one whose time comes to its end says so by itself
    let now = now_ms()?;
    let ends = json!({ "name": "short", "kind": "predictive", "goal": { "queue": "sales" }, "begins": now - 1_000,
                       "ends": now + 1_500, "workdays": [{ "from": 0, "to": 1_440 }] });
    switch.api.post_body("/api/v1/campaigns", &ends.to_string())?;
    events.until("its time is over", |event| event["change"] == "over" && event["name"] == "short")?;
    drop(events);
    switch.ensure_nothing_left()
}

/// What the event stream has of a campaign and of its number, in its turn.
fn told_in_turn(events: &mut Stream) -> Outcome {
    let told = events.until("the campaign is paused", |event| event["change"] == "paused")?;
    let of = |event: &Value| match event["type"].as_str() {
        Some("campaign_changed") => event["change"].as_str().map(str::to_owned),
        Some("campaign_number") => {
            Some(format!("{} {}", event["called"].as_str()?, event["state"].as_str()?))
        }
        _ => None,
    };
    let told: Vec<String> = told.iter().filter_map(of).collect();
    ensure(told == ["made", "900 calling", "900 done", "paused"], || format!("the stream says {told:?}"))
}

/// The switch is killed while a campaign's call is up: that number has its result, is not called again, and the others are.
pub fn over_a_kill(dir: &Path) -> Outcome {
    let config = config(dir)?.flow("talks", "call:answer() while true do call:play('menu') end")?;
    let mut switch = Switch::start(dir, &config)?;
    let mut customer = outside(dir)?;
    let mut busy = busy(dir)?;
    let campaign = campaign(&switch, "automatic_ivr", &json!({ "flow": "talks" }))?;
    add(&switch, &campaign, &["900", "901"])?;
    customer.answers_now()?;
    customer.speaks()?;
    customer.voice.hears("who was called", MENU, SOON)?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    customer.ended()?;
    let done = done(&switch, &campaign, 2)?;
    field(&done[0], "called", "900")?;
    field(&done[0], "result.outcome", "unknown")?;
    field(&done[1], "called", "901")?;
    field(&done[1], "result.outcome", "busy")?;
    busy.wait_success(SOON)?;
    let cdrs = switch.wait_cdrs(2)?;
    let to = |number: &str| cdrs.iter().filter(|cdr| cdr["from"]["user"] == number).count();
    ensure((to("900"), to("901")) == (1, 1), || format!("each is called once: {cdrs:?}"))?;
    // the refused call's transaction is kept as long as its 486 may come again
    switch.ensure_left_resting(1)
}
