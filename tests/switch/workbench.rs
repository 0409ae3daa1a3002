//! An agent's day at the workbench: the bar at its side, his calls with their recordings, whom to call back, chats, his figures.

use crate::agent_bar::{FIRST, MICROPHONE, hear_each_other};
use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::desk::{At, Desk, page};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::Path;

const OWN: &str = "my own 1";
/// The page, and the bar in it.
const WORK: At<'static> = At { page: "work", frame: None };
const DOCK: At<'static> = At { page: "work", frame: Some("dock") };

fn config(dir: &Path) -> Result<Config, Fail> {
    Ok(Config::new(dir)?
        .user("1001")
        .user("1002")
        .more(
            "[tenant.default.agent.1001]\ndisplay = \"Li Wei\"\nqueues = [\"sales\", \"web\"]\nkind = \"all_round\"\nchats = 2",
        )
        .queue(
            "display = \"Sales desk\"\nwrap_up = \"60s\"\nwrap_up_codes = [\"sold\", \"lost\"]\nrecord = \"always\"",
        )
        .more("[tenant.default.queue.web]\nkind = \"multimedia\"\non_nobody = \"wait\"\nring = \"10m\"")
        .trunk())
}

fn goes_to(desk: &mut Desk, what: &str) -> Outcome {
    desk.does("follow", WORK, json!({ "what": what })).map(drop)
}

/// Signs in at the workbench, with a password of his own; the bar at its side is signed in with that.
fn signed_in(dir: &Path) -> Result<(Switch, Desk), Fail> {
    let switch = Switch::start(dir, &config(dir)?)?;
    switch.api.put("/api/v1/agents/1001/password", &json!({ "password": FIRST }).to_string())?;
    let tone = dir.join("microphone.wav");
    write_tone(&tone, MICROPHONE, 10_000)?;
    let mut desk = Desk::start(dir, &tone)?;
    let url = format!("http://{}/", switch.api.at);
    desk.does("open", page("work"), json!({ "url": url, "width": 1280, "height": 800 }))?;
    desk.sees(WORK, "Sign in")?;
    desk.does("choose", WORK, json!({ "what": "Agent" }))?;
    for (at, text) in [("#name", "1001"), ("#password", FIRST)] {
        desk.does("type", WORK, json!({ "at": at, "text": text }))?;
    }
    desk.click(WORK, "^Sign in$")?;
    desk.sees(WORK, "New password")?;
    desk.does("type", WORK, json!({ "at": "#renewed", "text": OWN }))?;
    desk.click(WORK, "^Sign in$")?;
    desk.sees(WORK, "No calls yet")?;
    desk.sees(DOCK, "phone ready")?;
    switch.wait_registered("1001", 1)?;
    ready(&switch, &mut desk)?;
    Ok((switch, desk))
}

fn ready(switch: &Switch, desk: &mut Desk) -> Outcome {
    desk.click(DOCK, "^Ready")?;
    switch.wait_agent("1001", "ready").map(drop)
}

/// A call of the queue is taken, noted, found in his list with its recording, and counted.
fn a_call(dir: &Path, switch: &Switch, desk: &mut Desk) -> Outcome {
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    desk.sees(DOCK, "Incoming call")?;
    desk.click(DOCK, "Answer")?;
    desk.sees(DOCK, "from queue Sales desk")?;
    hear_each_other(&mut caller, desk, DOCK)?;
    desk.ensure_clean(WORK)?;
    caller.hangs_up()?;
    desk.sees(DOCK, "Wrap-up")?;
    desk.does("choose", DOCK, json!({ "what": "sold" }))?;
    desk.fill(DOCK, "Note", "two of them")?;
    desk.click(DOCK, "^Save")?;
    desk.sees(DOCK, "Saved")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "wrap_ups.0.note", "two of them")?;
    desk.sees(WORK, "two of them")?;
    desk.click(WORK, "^More$")?;
    desk.sees(WORK, "Recording 1")?;
    desk.click(WORK, "^Play")?;
    let plays = "(() => { const a = document.querySelector('audio'); return a ? a.duration > 0 && a.currentTime > 0 : false; })()";
    wait_for("the recording to play", SOON, || desk.evaluate(WORK, plays).ok()?.as_bool()?.then_some(()))?;
    desk.ensure_clean(WORK)?;
    goes_to(desk, "My figures")?;
    let handled = "document.querySelector('.tiles dd')?.textContent ?? ''";
    wait_for("his figures to count it", SOON, || (desk.evaluate(WORK, handled).ok()? == "1").then_some(()))?;
    desk.ensure_clean(WORK)
}

/// One who is to be called back is put on the list, taken, called and done.
fn a_callback(dir: &Path, switch: &Switch, desk: &mut Desk) -> Outcome {
    let mut customer = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    goes_to(desk, "To call back")?;
    desk.click(WORK, "^Add$")?;
    desk.does("pick", WORK, json!({ "at": "#cb-queue", "option": "sales" }))?;
    for (at, text) in [("#cb-note", "asks for an offer"), ("#cb-number", "1002")] {
        desk.does("type", WORK, json!({ "at": at, "text": text }))?;
    }
    desk.does("press", WORK, json!({ "keys": "Enter" }))?;
    desk.sees(WORK, "asks for an offer")?;
    desk.ensure_clean(WORK)?;
    let entry = switch.api.list("/api/v1/callbacks")?.remove(0);
    field(&entry, "queue.name", "sales")?;
    desk.click(WORK, "^Take: 1002$")?;
    desk.sees(WORK, "It is yours.")?;
    desk.click(WORK, "^Call: 1002$")?;
    desk.click(DOCK, "Answer")?;
    customer.answers_now()?;
    customer.speaks()?;
    desk.hears(DOCK, AGENT, SOON)?;
    customer.voice.hears("who is called back", MICROPHONE, SOON)?;
    desk.click(DOCK, "^Hang up")?;
    customer.ended()?;
    desk.click(WORK, "^Done: 1002$")?;
    desk.sees(WORK, "It is off the list.")?;
    desk.sees(WORK, "Nobody is to be called back")?;
    ensure(switch.api.list("/api/v1/callbacks")?.is_empty(), || "the entry is still there".into())?;
    switch.wait_cdrs(2).map(drop)
}

/// A chat is offered, taken, answered and ended.
fn a_chat(switch: &Switch, desk: &mut Desk) -> Outcome {
    goes_to(desk, "My chats")?;
    let new =
        json!({ "queue": "web", "customer": { "id": "c-17", "name": "Ann" }, "text": "Where is my order?" });
    let opened = switch.api.send("POST", "/api/v1/chats", &new.to_string())?.json()?;
    let customer = switch.api.with_key(opened["token"].as_str().unwrap_or_default());
    desk.click(WORK, "Ann")?;
    desk.sees(WORK, "Where is my order?")?;
    desk.click(WORK, "^Take it$")?;
    desk.fill(WORK, "Your answer", "On its way.")?;
    desk.does("press", WORK, json!({ "keys": "Enter" }))?;
    let said = |text: &str| {
        let messages = customer.list("/api/v1/chat/messages").unwrap_or_default();
        messages.iter().any(|one: &Value| one["text"] == text)
    };
    wait_for("the customer to read it", SOON, || said("On its way.").then_some(()))?;
    customer.post_body("/api/v1/chat/messages", &json!({ "text": "Thank you!" }).to_string())?;
    desk.sees(WORK, "Thank you!")?;
    desk.ensure_clean(WORK)?;
    desk.click(WORK, "^End$")?;
    desk.click(WORK, "^End the chat$")?;
    desk.sees(WORK, "Ended by the agent")
}

/// A day at the workbench, from signing in to signing out; nothing is left of it.
pub fn a_day(dir: &Path) -> Outcome {
    let (switch, mut desk) = signed_in(dir)?;
    a_call(dir, &switch, &mut desk)?;
    ready(&switch, &mut desk)?;
    a_callback(dir, &switch, &mut desk)?;
    switch.wait_agent("1001", "ready")?;
    a_chat(&switch, &mut desk)?;
    desk.click(DOCK, "Sign out")?;
    switch.wait_agent("1001", "signed_out")?;
    switch.wait_registered("1001", 0)?;
    switch.wait_cdrs(3).map(drop)
}
