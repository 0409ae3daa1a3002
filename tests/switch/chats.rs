//! A web chat as an integrator has it: his server opens it, the customer's page speaks to it, an agent takes it, and the switch
//! is killed in the middle.

use crate::common::field;
use cordboard_tests::Fail;
use cordboard_tests::api::Api;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::{SOON, wait_for};
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::Path;

const CHATS: &str = "/api/v1/chats";

/// A queue of chats, and agent 1001 who has two slots and so long to take one.
fn floor(dir: &Path, ring: &str) -> Result<Config, Fail> {
    let queue = format!(
        "[tenant.default.queue.web]\nkind = \"multimedia\"\non_nobody = \"wait\"\nwrap_up = \"0s\"\nring = \"{ring}\"\n"
    );
    let agent = "[tenant.default.agent.1001]\nqueues = [\"web\"]\nkind = \"multimedia\"\nchats = 2\nauto_sign_in = true\n";
    Ok(Config::new(dir)?.user("1001").more(&queue).more(agent))
}

/// A customer with his chat.
struct Customer {
    chat: String,
    api: Api,
}

impl Customer {
    fn comes(switch: &Switch, name: &str) -> Result<Self, Fail> {
        let body =
            json!({ "queue": "web", "customer": { "id": name, "name": name }, "data": { "order": 4711 } });
        let answer = switch.api.send("POST", CHATS, &body.to_string())?;
        let opened = answer.json()?;
        ensure(answer.status == 201, || format!("{} {opened}", answer.status))?;
        let text = |key: &str| opened[key].as_str().unwrap_or_default().to_owned();
        Ok(Self { chat: text("chat"), api: switch.api.with_key(&text("token")) })
    }

    fn says(&self, text: &str, id: &str) -> Result<u64, Fail> {
        let body = json!({ "text": text, "id": id }).to_string();
        let answer = self.api.post_body("/api/v1/chat/messages", &body)?;
        Ok(answer["number"].as_u64().unwrap_or_default())
    }

    /// What he reads after a number, as `side: text`; waits until there is something.
    fn reads(&self, since: u64) -> Result<Vec<String>, Fail> {
        let said = self.api.list(&format!("/api/v1/chat/messages?since={since}&wait=true"))?;
        let line = |message: &Value| {
            let side = message["from"]["side"].as_str().unwrap_or_default();
            format!("{side}: {}", message["text"].as_str().unwrap_or_default())
        };
        Ok(said.iter().map(line).collect())
    }

    fn sees(&self) -> Result<Value, Fail> {
        self.api.get("/api/v1/chat")
    }

    /// The agent, with a key, does something in his chat.
    fn agent(&self, switch: &Switch, what: &str, body: &Value) -> Result<Value, Fail> {
        let mut body = body.clone();
        body["by"] = json!("1001");
        switch.api.post_body(&format!("{CHATS}/{}/{what}", self.chat), &body.to_string())
    }
}

fn same(what: &str, found: &[String], wanted: &[&str]) -> Outcome {
    ensure(found == wanted, || format!("{what}: {found:?}, not {wanted:?}"))
}

/// The switch is killed while one chat is talked in and another waits: both go on, nothing that was accepted is lost, and
/// each has one record.
pub fn killed_in_the_middle(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &floor(dir, "30s")?)?;
    switch.wait_agent("1001", "ready")?;
    let ann = Customer::comes(&switch, "ann")?;
    switch.wait_agent("1001", "ringing")?;
    ann.agent(&switch, "accept", &json!({}))?;
    ensure(ann.says("hello", "m1")? == 1, || "the first message".into())?;
    ann.agent(&switch, "messages", &json!({ "text": "hi Ann" }))?;
    same("before", &ann.reads(1)?, &["agent: hi Ann"])?;
    ensure(ann.says("how much is it?", "m2")? == 3, || "the third message".into())?;
    // two more take the second slot and a place in the queue
    let bob = Customer::comes(&switch, "bob")?;
    bob.agent(&switch, "accept", &json!({}))?;
    let eve = Customer::comes(&switch, "eve")?;
    eve.says("anybody there?", "e1")?;
    field(&eve.sees()?, "position", 1)?;
    let agents = switch.api.list("/api/v1/agents")?;
    let his = agents.first().cloned().unwrap_or_default();
    ensure(his["chats"].as_array().map(Vec::len) == Some(2) && his["status"] == "ready", || his.to_string())?;

    for (metric, wanted) in
        [("chats", 3.0), ("chats_total", 3.0), ("chat_messages_total", 4.0), ("chats_ended_total", 0.0)]
    {
        let found = switch.api.metric(&format!("cordboard_{metric}"))?;
        ensure(found == wanted, || format!("{metric} is {found}, not {wanted}"))?;
    }

    switch.kill();
    let switch = Switch::restart(dir)?;
    let view = ann.sees()?;
    field(&view, "stage", "open")?;
    field(&view, "agent", "1001")?;
    same("after", &ann.reads(0)?, &["customer: hello", "agent: hi Ann", "customer: how much is it?"])?;
    // what was answered for is not said twice, and the next has the next number
    ensure(ann.says("how much is it?", "m2")? == 3, || "said twice".into())?;
    ann.agent(&switch, "messages", &json!({ "text": "five" }))?;
    same("the answer", &ann.reads(3)?, &["agent: five"])?;
    field(&eve.sees()?, "position", 1)?;
    same("who waits", &eve.reads(0)?, &["customer: anybody there?"])?;

    // a slot is free: who waited is offered
    bob.agent(&switch, "close", &json!({}))?;
    switch.wait_agent("1001", "ringing")?;
    eve.agent(&switch, "accept", &json!({}))?;
    eve.agent(&switch, "close", &json!({}))?;
    ann.api.post("/api/v1/chat/close")?;
    ann.api.post_body("/api/v1/chat/survey", r#"{"score": 9, "comment": "quick"}"#)?;
    let cdrs = switch.wait_cdrs(3)?;
    ensure(cdrs.len() == 3, || format!("{} call records", cdrs.len()))?;
    let path = format!("{CHATS}?over=true&customer=ann");
    let record = wait_for("the record of the chat with what she thinks of it", SOON, || {
        let over = switch.api.list(&path).ok()?;
        over.into_iter().find(|record| record["survey"]["score"] == 9)
    })?;
    ensure(switch.api.list(&path)?.len() == 1, || "two records of one chat".into())?;
    field(&record, "chat", ann.chat.as_str())?;
    field(&record, "end", "customer")?;
    ensure(!record.to_string().contains("token"), || record.to_string())
}

/// Waits, a rejection, a time-out of the offer, a transfer to another queue, what the customer types, and figures.
pub fn through_the_queues(dir: &Path) -> Outcome {
    let sales = "[tenant.default.queue.sales]\nkind = \"multimedia\"\non_nobody = \"wait\"\n\
                 [tenant.default.agent.1002]\nqueues = [\"sales\"]\nkind = \"multimedia\"\nauto_sign_in = true\n";
    let config = floor(dir, "1s")?.user("1002").more(sales);
    let switch = Switch::start(dir, &config)?;
    switch.wait_agent("1001", "ready")?;
    let mut events = switch.api.events(None)?;
    let ann = Customer::comes(&switch, "ann")?;
    let not_accepted = |event: &Value| event["type"] == "chat" && event["what"] == "not_accepted";
    let refused = events.until("the end of the first offer", not_accepted)?;
    field(&refused.last().cloned().unwrap_or_default(), "why", "no_answer")?;
    let waiting = ann.sees()?;
    field(&waiting, "stage", "waiting")?;
    let supervisor = json!({ "queue": "sales" }).to_string();
    switch.api.post_body(&format!("{CHATS}/{}/transfer", ann.chat), &supervisor)?;
    switch.wait_agent("1002", "ringing")?;
    let accept = json!({ "by": "1002" }).to_string();
    switch.api.post_body(&format!("{CHATS}/{}/accept", ann.chat), &accept)?;
    ann.api.post_body("/api/v1/chat/typing", r#"{"on": true}"#)?;
    events.until("that she types", |event| event["type"] == "chat" && event["what"] == "typing")?;
    ann.says("hello", "m1")?;
    let told =
        events.until("what she says", |event| event["type"] == "chat" && event["what"] == "message")?;
    field(&told.last().cloned().unwrap_or_default(), "said.text", "hello")?;
    let close = json!({ "by": "1002" }).to_string();
    switch.api.post_body(&format!("{CHATS}/{}/close", ann.chat), &close)?;
    let view = ann.sees()?;
    field(&view, "end", "agent")?;
    let cdr = switch.wait_cdrs(1)?.first().cloned().unwrap_or_default();
    let ways: Vec<String> = cdr["queues"]
        .as_array()
        .cloned()
        .unwrap_or_default()
        .iter()
        .map(|visit| format!("{} {}", visit["queue"]["name"], visit["outcome"]))
        .collect();
    same("its waits", &ways, &["\"web\" \"moved\"", "\"sales\" \"served\""])?;
    let wall = switch.api.get("/api/v1/wall")?;
    let of = |name: &str| {
        let queues = wall["queues"].as_array().cloned().unwrap_or_default();
        queues.into_iter().find(|queue| queue["queue"]["name"] == name).unwrap_or_default()
    };
    field(&of("web"), "today.non_response", 1)?;
    field(&of("sales"), "today.handled", 1)
}
