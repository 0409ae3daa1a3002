//! The console in a browser: a switch with nothing configured but a key is made to take calls from its pages alone; a supervisor's
//! modes are ordered from the supervision page, with who hears whom asserted by tone.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, KEY, MUSIC, PASSWORD};
use cordboard_tests::desk::{At, Desk, page};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::Path;

/// Tone of the supervisor's phone, Hz.
const THIRD: f64 = 880.0;
/// All tones, hold music with them.
const TONES: [f64; 4] = [CALLER, AGENT, THIRD, MUSIC];
/// The page of these tests.
const CONSOLE: &str = "console";
/// A flow with an error at its second line, and the same mended.
const WRONG: &str = "call:answer()\nif true the\n";
const RIGHT: &str = "call:answer()\ncall.data.asked = \"yes\"\ncall:enqueue(\"help\")\n";

/// A browser at the console, signed in with the key by the form.
pub fn console(dir: &Path, switch: &Switch) -> Result<(Desk, At<'static>), Fail> {
    let tone = dir.join("microphone.wav");
    write_tone(&tone, THIRD, 1_000)?;
    let mut desk = Desk::start(dir, &tone)?;
    let url = format!("http://{}/", switch.api.at);
    desk.does("open", page(CONSOLE), json!({ "url": url, "width": 1280, "height": 800 }))?;
    let at = page(CONSOLE);
    desk.sees(at, "Sign in")?;
    desk.does("choose", at, json!({ "what": "API key" }))?;
    desk.does("type", at, json!({ "at": "#key", "text": KEY }))?;
    desk.click(at, "^Sign in$")?;
    desk.sees(at, "Ladders")?;
    Ok((desk, at))
}

/// Opens the form of a new thing on a page of the navigation.
pub fn new(desk: &mut Desk, at: At<'_>, of: &str, name: &str) -> Outcome {
    desk.does("follow", at, json!({ "what": of }))?;
    desk.click(at, "^Add$")?;
    type_into(desk, at, "#f-name", name)
}

pub fn type_into(desk: &mut Desk, at: At<'_>, field: &str, text: &str) -> Outcome {
    desk.does("type", at, json!({ "at": field, "text": text })).map(drop)
}

pub fn pick(desk: &mut Desk, at: At<'_>, field: &str, option: &str) -> Outcome {
    desk.does("pick", at, json!({ "at": field, "option": option })).map(drop)
}

pub fn save(desk: &mut Desk, at: At<'_>) -> Outcome {
    desk.click(at, "^Save$")?;
    desk.sees(at, "Saved.")?;
    desk.loses(at, "Saved.")
}

/// A flow: what is wrong is shown at its line, what is right is published.
fn a_flow(desk: &mut Desk, at: At<'_>) -> Outcome {
    new(desk, at, "Flows", "front")?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "Results")?;
    type_into(desk, at, "#pane-text .cm-content", WRONG)?;
    desk.sees(at, "✕ Text 2")?;
    type_into(desk, at, "#pane-text .cm-content", RIGHT)?;
    desk.loses(at, "✕ Text 2")?;
    desk.click(at, "^Publish$")?;
    desk.sees(at, "Calls that begin from now on meet it")?;
    type_into(desk, at, "#note", "the first")?;
    desk.does("press", at, json!({ "keys": "Enter" }))?;
    desk.sees(at, "Published.")
}

/// What the agent knows, as a row; a slip is named with its column.
fn a_skill(desk: &mut Desk, at: At<'_>) -> Outcome {
    desk.click(at, "^Add a row$")?;
    desk.fill(at, "Name 1", "german")?;
    desk.fill(at, "Level 1", "180")?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "Level: It must be within 1 – 100.")?;
    desk.ensure_clean(at)?;
    desk.fill(at, "Level 1", "80")
}

/// A trunk, an account, a queue, an agent, a flow and a number, made in the console; then a call by all of them, seen there.
pub fn from_nothing(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?)?;
    let (mut desk, at) = console(dir, &switch)?;
    new(&mut desk, at, "Trunks", "carrier")?;
    pick_typed(&mut desk, at, "#f-peers", "127.0.0.2")?;
    save(&mut desk, at)?;
    new(&mut desk, at, "Phone accounts", "1001")?;
    type_into(&mut desk, at, "#f-password", PASSWORD)?;
    save(&mut desk, at)?;
    new(&mut desk, at, "Queues", "help")?;
    type_into(&mut desk, at, "#f-ring", "100d")?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "It must be within 100ms – 10m.")?;
    type_into(&mut desk, at, "#f-ring", "20s")?;
    desk.click(at, "^More settings$")?;
    type_into(&mut desk, at, "#f-sought", "priority after")?;
    desk.loses(at, "Rings for")?;
    type_into(&mut desk, at, "#f-ageing", "2h")?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "It must be within 1s – 1h.")?;
    type_into(&mut desk, at, "#f-ageing", "2m")?;
    desk.sees(at, "Rings for")?;
    pick(&mut desk, at, "#f-callback_other", "no")?;
    save(&mut desk, at)?;
    let queue = switch.api.get("/api/v1/config/queues/help")?;
    field(&queue, "document.ageing", "2m")?;
    field(&queue, "document.callback_other", false)?;
    new(&mut desk, at, "Agents", "1001")?;
    pick(&mut desk, at, "#f-queues", "help")?;
    a_skill(&mut desk, at)?;
    save(&mut desk, at)?;
    field(&switch.api.get("/api/v1/config/agents/1001")?, "document.skill.german.level", 80)?;
    a_flow(&mut desk, at)?;
    new(&mut desk, at, "Called numbers", "501")?;
    pick(&mut desk, at, "#f-to", "flow:front")?;
    save(&mut desk, at)?;

    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    desk.does("follow", at, json!({ "what": "Supervision" }))?;
    for what in ["Sign in", "Make ready"] {
        desk.does("menu", at, json!({ "of": "Actions for 1001", "what": what }))?;
        desk.click(at, "^Order$")?;
        desk.sees(at, "Ordered.")?;
        desk.loses(at, "Ordered.")?;
    }
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    desk.sees(at, "Talking")?;
    desk.ensure_clean(at)?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "data.asked", "yes")?;
    desk.does("follow", at, json!({ "what": "Calls" }))?;
    desk.click(at, "^Reload$")?;
    desk.sees(at, "help")?;
    desk.evaluate(at, "document.querySelector('a[data-open]').click(), 0")?;
    desk.sees(at, "Legs and their quality")?;
    desk.sees(at, "PCMU")?;
    desk.ensure_clean(at)
}

/// An entry that is typed, for lists without anything to choose from.
fn pick_typed(desk: &mut Desk, at: At<'_>, field: &str, text: &str) -> Outcome {
    type_into(desk, at, field, text)?;
    desk.does("press", at, json!({ "keys": "Enter" })).map(drop)
}

/// Waits until each of the three hears these tones and none of the others.
fn ears(phones: &[Phone; 3], what: &str, expected: [&[f64]; 3]) -> Outcome {
    for ((phone, name), tones) in
        phones.iter().zip(["the caller", "the agent", "the supervisor"]).zip(expected)
    {
        phone.voice.hears_these(&format!("{name}, {what},"), tones, &TONES, SOON)?;
    }
    Ok(())
}

/// From the supervision page: listen, whisper, barge in, take over.
pub fn supervises(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("").trunk().user("1002");
    let switch = Switch::start(dir, &config)?;
    let (mut desk, at) = console(dir, &switch)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    desk.does("follow", at, json!({ "what": "Supervision" }))?;
    desk.sees(at, "Talking")?;
    desk.click(at, "^Listen$")?;
    desk.sees(at, "Say first which phone rings for you")?;
    type_into(&mut desk, at, "#my-phone", "1002")?;
    desk.click(at, "^Listen$")?;
    let mut phones = [caller, agent, third];
    phones[2].answers_now()?;
    phones[2].speaks()?;
    ears(&phones, "listened to", [&[AGENT], &[CALLER], &[CALLER, AGENT]])?;
    let whispered: [&[f64]; 3] = [&[AGENT], &[CALLER, THIRD], &[CALLER, AGENT]];
    let barged_in: [&[f64]; 3] = [&[AGENT, THIRD], &[CALLER, THIRD], &[CALLER, AGENT]];
    for (button, expected) in [("^Whisper$", whispered), ("^Barge in$", barged_in)] {
        desk.click(at, button)?;
        ears(&phones, button, expected)?;
    }
    desk.ensure_clean(at)?;
    desk.click(at, "^Take over$")?;
    let [mut caller, mut agent, mut third] = phones;
    agent.ended()?;
    caller.voice.hears_these("the caller, taken over,", &[THIRD], &TONES, SOON)?;
    caller.hangs_up()?;
    third.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    let turns = at_turns(&cdr);
    ensure(turns == ["listen", "whisper", "barge_in", "intercept"], || format!("turns {turns:?}"))
}

fn at_turns(cdr: &Value) -> Vec<String> {
    let turns = at(cdr, "supervisions.0.turns").as_array().cloned().unwrap_or_default();
    turns.iter().filter_map(|turn| Some(turn["mode"].as_str()?.to_owned())).collect()
}
