//! A reader of the event stream who is cut wherever one can be, and comes back: what he has made of the events is what the switch has.
//!
//! Held to it is what events carry at every moment: calls with their stage, queue, agent, legs and data; who waits in which queue and
//! to whom he is offered; agents who are signed in with their status, reason and call.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::api::{Api, Stream};
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::SOON;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;

/// Tone of the second caller, Hz.
const SECOND: f64 = 880.0;
/// Its port.
const SECOND_PORT: u16 = 5_094;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What a reader has.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    /// The last event that is in it.
    seq: u64,
    calls: BTreeMap<String, Value>,
    waiting: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    agents: BTreeMap<String, Value>,
}

impl Seen {
    /// As a snapshot has it.
    fn of(snapshot: &Value) -> Self {
        let leg =
            |leg: &Value| (text(&leg["leg"]), json!({ "answered": leg["answered"], "held": leg["held"] }));
        let call = |view: &Value| {
            let legs: serde_json::Map<String, Value> = items(&view["legs"]).map(leg).collect();
            let seen = json!({
                "stage": view["stage"], "queue": view["queue"], "agent": view["agent"], "legs": legs,
                "answered": !view["answered"].is_null(), "data": view["data"],
            });
            (text(&view["call"]), seen)
        };
        let offered = |one: &Value| items(&one["offered_to"]).map(|agent| text(&agent["name"])).collect();
        let queue = |view: &Value| {
            let waits = items(&view["waiting"]).map(|one| (text(&one["call"]), offered(one)));
            (text(&view["queue"]["name"]), waits.collect())
        };
        let agents = items(&snapshot["agents"]).filter(|view| view["status"] != "signed_out");
        Self {
            seq: snapshot["seq"].as_u64().unwrap_or_default(),
            calls: items(&snapshot["calls"]).map(call).collect(),
            waiting: items(&snapshot["queues"]).map(queue).collect(),
            agents: agents.map(|view| (text(&view["agent"]["name"]), status(view))).collect(),
        }
    }

    /// Takes a message in.
    fn take(&mut self, message: &Value) -> Outcome {
        match message["message"].as_str() {
            Some("snapshot") => *self = Self::of(message),
            Some("event") => {
                let seq = message["seq"].as_u64().unwrap_or_default();
                ensure(seq == self.seq + 1, || format!("{seq} after {}, without a gap", self.seq))?;
                self.seq = seq;
                self.change(message);
            }
            Some("gap" | "hello" | "position") => {}
            _ => return fail(format!("what is {message}")),
        }
        Ok(())
    }

    fn change(&mut self, event: &Value) {
        let (call, agent) = (text(&event["call"]), text(&event["agent"]["name"]));
        match event["type"].as_str().unwrap_or_default() {
            "call_started" => {
                let begun = json!({
                    "stage": "routing", "queue": null, "agent": null, "legs": {}, "answered": false, "data": {},
                });
                self.calls.insert(call, begun);
            }
            "call_ended" => drop(self.calls.remove(&call)),
            "queue_entered" => drop(self.queue(event).insert(call, Vec::new())),
            "queue_offered" => {
                let offered = self.queue(event).entry(call).or_default();
                offered.retain(|one| *one != agent);
                offered.push(agent);
            }
            "queue_left" => drop(self.queue(event).remove(&call)),
            "agent_status" => {
                if event["status"] != "ringing" {
                    let offered = self.waiting.values_mut().flat_map(BTreeMap::values_mut);
                    offered.for_each(|to| to.retain(|one| *one != agent));
                }
                match event["status"] == "signed_out" {
                    true => drop(self.agents.remove(&agent)),
                    false => drop(self.agents.insert(agent, status(event))),
                }
            }
            kind => {
                if let Some(view) = self.calls.get_mut(&call) {
                    of_call(view, kind, event);
                }
            }
        }
    }

    fn queue(&mut self, event: &Value) -> &mut BTreeMap<String, Vec<String>> {
        self.waiting.entry(text(&event["queue"]["name"])).or_default()
    }
}

fn status(view: &Value) -> Value {
    json!({ "status": view["status"], "reason": view["reason"], "call": view["call"] })
}

fn of_call(view: &mut Value, kind: &str, event: &Value) {
    let leg = text(&event["leg"]);
    match kind {
        "call_stage" => ["stage", "queue", "agent"].iter().for_each(|key| view[*key] = event[*key].clone()),
        "call_answered" => view["answered"] = true.into(),
        "leg_started" => view["legs"][leg] = json!({ "answered": false, "held": false }),
        "leg_answered" => view["legs"][leg]["answered"] = true.into(),
        "leg_held" => view["legs"][leg]["held"] = event["held"].clone(),
        "leg_ended" => drop(view["legs"].as_object_mut().and_then(|legs| legs.remove(&leg))),
        "data_changed" => {
            let key = text(&event["key"]);
            if let Some(data) = view["data"].as_object_mut() {
                data.remove(&key);
                if !event["value"].is_null() {
                    data.insert(key, event["value"].clone());
                }
            }
        }
        _ => {}
    }
}

/// A reader who is never cut, and what the switch has shown meanwhile to readers who came new.
struct Story {
    start: u64,
    first: Seen,
    uncut: Stream,
    told: Vec<Value>,
    shown: BTreeMap<u64, Seen>,
}

impl Story {
    fn begin(api: &Api) -> Result<Self, Fail> {
        let mut uncut = api.events(None)?;
        let start = uncut.read()?["start"].as_u64().unwrap_or_default();
        let first = Seen::of(&uncut.read()?);
        Ok(Self { start, first, uncut, told: Vec::new(), shown: BTreeMap::new() })
    }

    /// Waits for an event, and has the switch show what it has then.
    fn sees(&mut self, api: &Api, what: &str, wanted: impl Fn(&Value) -> bool) -> Outcome {
        let told = self.uncut.until(what, wanted)?;
        self.told.extend(told.into_iter().filter(|message| message["message"] == "event"));
        let mut new = api.events(None)?;
        field(&new.read()?, "start", self.start)?;
        let seen = Seen::of(&new.read()?);
        self.shown.insert(seen.seq, seen);
        Ok(())
    }

    /// The last number that the switch has shown, up to which all is read.
    fn end(&mut self) -> Result<u64, Fail> {
        let last = self.shown.keys().last().copied().unwrap_or_default();
        if self.told.last().and_then(|event| event["seq"].as_u64()) < Some(last) {
            let rest = self.uncut.until("the last event", |event| event["seq"].as_u64() >= Some(last))?;
            self.told.extend(rest);
        }
        Ok(last)
    }

    /// What a reader has who was cut after this event.
    fn until(&self, seq: u64) -> Result<Seen, Fail> {
        let mut seen = self.first.clone();
        for event in self.told.iter().filter(|event| event["seq"].as_u64() <= Some(seq)) {
            seen.take(event)?;
        }
        Ok(seen)
    }

    /// Goes on with what he reads, to the last event that was shown; wherever the switch has shown what it has, he has the same.
    fn goes_on(&self, mut seen: Seen, last: u64, mut read: impl FnMut() -> Result<Value, Fail>) -> Outcome {
        let cut = seen.seq;
        while seen.seq < last {
            seen.take(&read()?)?;
            if let Some(shown) = self.shown.get(&seen.seq) {
                ensure(seen == *shown, || {
                    format!("cut after {cut}: he has {seen:#?}, and it is {shown:#?}")
                })?;
            }
        }
        Ok(())
    }
}

/// A reader of server-sent events who comes back to this place; by the header, as a browser does.
fn sent_events(api: &Api, since: &str) -> Result<impl FnMut() -> Result<Value, Fail>, Fail> {
    let mut stream = TcpStream::connect(&api.at)?;
    stream.set_read_timeout(Some(SOON))?;
    write!(
        stream,
        "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: text/event-stream\r\n\
         Last-Event-ID: {since}\r\n\r\n",
        api.at, api.key
    )?;
    let mut lines = BufReader::new(stream).lines();
    Ok(move || {
        loop {
            let line = lines.next().ok_or_else(|| Fail("the stream has ended".into()))??;
            if let Some(data) = line.strip_prefix("data: ") {
                return Ok(serde_json::from_str(data)?);
            }
        }
    })
}

fn is(kind: &'static str, key: &'static str, value: impl Into<Value>) -> impl Fn(&Value) -> bool {
    let value = value.into();
    move |event| event["type"] == kind && event[key] == value
}

/// An agent comes, has a break, is offered a call, takes it, holds it while another caller waits, wraps up, rests and leaves.
fn happens(dir: &Path, switch: &Switch, story: &mut Story) -> Outcome {
    let api = &switch.api;
    let desk = |order: &str, body: &str| api.post_body(&format!("/api/v1/agents/1001/{order}"), body);
    let held = Scenario::caller(MU_LAW).invites().is_answered();
    let held = held.is_offered_again("recvonly").is_offered_again("sendrecv").ends();
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    desk("rest", r#"{"reason": "lunch"}"#)?;
    story.sees(api, "the break", is("agent_status", "status", "rest"))?;
    desk("ready", "")?;
    story.sees(api, "the end of the break", is("agent_status", "status", "ready"))?;
    let mut caller = Phone::by_trunk(dir, "501", &held, CALLER)?;
    story.sees(api, "the call that rings", is("agent_status", "status", "ringing"))?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    story.sees(api, "the talk", is("call_stage", "stage", "bridged"))?;
    desk("hold", "")?;
    story.sees(api, "the hold", is("leg_held", "held", true))?;
    let mut second = Phone::crowd(dir, SECOND_PORT, "501", &calls(), 1, SECOND)?;
    story.sees(api, "the other caller", |event| event["type"] == "queue_entered")?;
    desk("retrieve", "")?;
    story.sees(api, "the end of the hold", is("leg_held", "held", false))?;
    desk("release", "")?;
    agent.ended()?;
    caller.ended()?;
    story.sees(api, "the wrap-up", is("agent_status", "status", "wrap_up"))?;
    desk("rest", r#"{"reason": "tea"}"#)?;
    story.sees(api, "another break", is("agent_status", "status", "rest"))?;
    second.hangs_up()?;
    story.sees(api, "the other caller's end", |event| event["type"] == "call_ended")?;
    desk("sign-out", "")?;
    story.sees(api, "the agent's leave", is("agent_status", "status", "signed_out"))
}

/// Cut after each event of it, a reader comes back by either way of the stream.
pub fn at_every_boundary(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("wrap_up = \"60s\"").trunk();
    let switch = Switch::start(dir, &config)?;
    let mut story = Story::begin(&switch.api)?;
    happens(dir, &switch, &mut story)?;
    let last = story.end()?;
    let (first, shown) = (story.first.seq, story.shown.len());
    ensure(last > first + 30 && shown > 10, || format!("{first} to {last}, shown {shown} times"))?;
    let most = |count: fn(&Seen) -> usize| story.shown.values().map(count).max().unwrap_or_default();
    let waited = most(|seen| seen.waiting.values().map(BTreeMap::len).sum());
    let at_once = (most(|seen| seen.calls.len()), most(|seen| seen.agents.len()), waited);
    ensure(at_once == (2, 1, 1), || format!("of calls, agents and who waits there were {at_once:?}"))?;
    for cut in first..last {
        let since = format!("{}-{cut}", story.start);
        let mut stream = switch.api.events(Some(&since))?;
        story.goes_on(story.until(cut)?, last, || stream.read())?;
        story.goes_on(story.until(cut)?, last, sent_events(&switch.api, &since)?)?;
    }
    switch.ensure_nothing_left()
}
