//! The agent bar in a browser: a call from the first ring to its note, a reload and another network in the midst of it, and the
//! bar within a page of another origin.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field};
use crate::desks::TONES;
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::desk::{At, Desk, page};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What the browser's microphone says, Hz.
pub const MICROPHONE: f64 = 1_200.0;
/// Tone of the third phone, Hz.
const THIRD: f64 = 880.0;
/// A page of another origin, and of another site than the switch.
pub const FOREIGN: &str = "http://localhost:8097";
/// The password that somebody else has set.
pub const FIRST: &str = "first-One1";
const OWN: &str = "my own 1";
/// Longest time without the other side.
pub const BACK: Duration = Duration::from_secs(3);

/// Two agents, a queue and a trunk; a page of another origin may have the bar.
pub fn config(dir: &Path) -> Result<Config, Fail> {
    let agent = |name: &str, more: &str| format!("[tenant.default.agent.{name}]\n{more}");
    Ok(Config::new(dir)?
        .user("1001")
        .more(&agent("1001", "display = \"Li Wei\"\nqueues = [\"sales\"]"))
        .user("1002")
        .more(&agent("1002", "display = \"Chen Jing\"\nauto_sign_in = true"))
        .queue("display = \"Sales desk\"\nwrap_up = \"60s\"\nwrap_up_codes = [\"sold\", \"lost\"]")
        .more(&format!("[tenant.default.access]\norigins = [\"{FOREIGN}\"]"))
        .trunk())
}

/// A switch with agent 1001, who has a password of somebody else's choice, and a browser.
fn begin(dir: &Path) -> Result<(Switch, Desk), Fail> {
    begin_with(dir, &config(dir)?)
}

fn begin_with(dir: &Path, config: &Config) -> Result<(Switch, Desk), Fail> {
    let switch = Switch::start(dir, config)?;
    switch.api.put("/api/v1/agents/1001/password", &json!({ "password": FIRST }).to_string())?;
    let tone = dir.join("microphone.wav");
    write_tone(&tone, MICROPHONE, 10_000)?;
    Ok((switch, Desk::start(dir, &tone)?))
}

/// Signs in at the bar, with a password of his own, and waits for its phone.
pub fn sign_in(switch: &Switch, desk: &mut Desk, bar: At<'_>) -> Outcome {
    desk.fill(bar, "Agent number", "1001")?;
    desk.fill(bar, "Password", FIRST)?;
    desk.click(bar, "Sign in")?;
    desk.sees(bar, "Choose a password of your own.")?;
    desk.fill(bar, "New password", OWN)?;
    desk.click(bar, "Sign in")?;
    desk.sees(bar, "phone ready")?;
    switch.wait_registered("1001", 1)?;
    switch.wait_agent("1001", "not_ready").map(drop)
}

/// A switch, and a browser in which agent 1001 has signed in and is ready.
pub fn opened(dir: &Path) -> Result<(Switch, Desk, At<'static>), Fail> {
    opened_with(dir, &config(dir)?)
}

/// The same with another configuration.
pub fn opened_with(dir: &Path, config: &Config) -> Result<(Switch, Desk, At<'static>), Fail> {
    let (switch, mut desk) = begin_with(dir, config)?;
    desk.open("bar", &format!("http://{}/bar.html", switch.api.at))?;
    let bar = page("bar");
    sign_in(&switch, &mut desk, bar)?;
    desk.click(bar, "^Ready")?;
    switch.wait_agent("1001", "ready")?;
    Ok((switch, desk, bar))
}

/// The customer calls the queue, and the agent answers in the bar.
pub fn talking(dir: &Path, desk: &mut Desk, bar: At<'_>) -> Result<Phone, Fail> {
    talking_as(dir, desk, bar, &calls())
}

fn talking_as(dir: &Path, desk: &mut Desk, bar: At<'_>, scenario: &Scenario) -> Result<Phone, Fail> {
    let mut caller = Phone::by_trunk(dir, "501", scenario, CALLER)?;
    desk.sees(bar, "Incoming call")?;
    desk.click(bar, "Answer")?;
    desk.sees(bar, "Talking")?;
    hear_each_other(&mut caller, desk, bar)?;
    Ok(caller)
}

/// Customer and agent hear each other.
pub fn hear_each_other(caller: &mut Phone, desk: &mut Desk, bar: At<'_>) -> Outcome {
    caller.speaks()?;
    desk.hears(bar, CALLER, SOON)?;
    caller.voice.forget();
    caller.voice.hears("the customer", MICROPHONE, SOON)
}

/// The agent has the call recorded, with silence for a while.
fn records(desk: &mut Desk, bar: At<'_>) -> Outcome {
    desk.click(bar, "^Record$")?;
    desk.sees(bar, "Recorded")?;
    desk.click(bar, "^Pause recording$")?;
    desk.sees(bar, "Recording paused: silence")?;
    desk.ensure_clean(bar)?;
    desk.click(bar, "^Resume recording$")?;
    desk.sees(bar, "Recorded")
}

/// What he had recorded is there, with his pause.
fn was_recorded(switch: &Switch) -> Outcome {
    let paused = |one: &Value| one["pauses"].as_array().is_some_and(|pauses| pauses.len() == 1);
    wait_for("the recording with its pause", SOON, || {
        let recordings = switch.api.list("/api/v1/recordings").ok()?;
        recordings.into_iter().find(|one| paused(one) && one["pauses"][0]["by"] == "agent 1001")
    })
    .map(drop)
}

/// Sign-in with a password that must be changed, a call from a queue with sound both ways, hold, a consultation that becomes a
/// conference, the note; the pages' consoles are empty and nothing keeps anybody from using them.
pub fn takes_a_call(dir: &Path) -> Outcome {
    let (switch, mut desk, bar) = opened(dir)?;
    let mut third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    switch.wait_agent("1002", "ready")?;
    let held = Scenario::caller(MU_LAW).invites().is_answered();
    let held = held.is_offered_again("recvonly").is_offered_again("sendrecv").ends();
    let mut caller = talking_as(dir, &mut desk, bar, &held)?;
    desk.sees(bar, "from queue Sales desk")?;
    // a machine with other work may make it sound fair
    desk.sees(bar, "Sounds ")?;
    let tones = [TONES.as_slice(), &[MICROPHONE]].concat();

    desk.click(bar, "^Hold")?;
    desk.sees(bar, "On hold: the caller hears music")?;
    caller.voice.hears_these("the customer, held,", &[MUSIC], &tones, SOON)?;
    desk.click(bar, "^Retrieve")?;
    caller.voice.hears_these("the customer, retrieved,", &[MICROPHONE], &tones, SOON)?;
    desk.click(bar, "^Mute")?;
    wait_for("the customer to hear nobody", SOON, || {
        (!caller.voice.heard_within(MICROPHONE, Duration::from_millis(300))).then_some(())
    })?;
    desk.click(bar, "^Unmute")?;
    caller.voice.hears_these("the customer, who hears again,", &[MICROPHONE], &tones, SOON)?;

    records(&mut desk, bar)?;
    desk.click(bar, "^Consult")?;
    desk.click(bar, "Chen Jing")?;
    third.answers_now()?;
    third.speaks()?;
    desk.sees(bar, "You consult; the caller waits")?;
    desk.hears(bar, THIRD, SOON)?;
    third.voice.hears("who is consulted", MICROPHONE, SOON)?;
    desk.click(bar, "All talk")?;
    desk.sees(bar, "Conference")?;
    caller.voice.hears_these("the customer in the conference", &[MICROPHONE, THIRD], &tones, SOON)?;
    desk.ensure_clean(bar)?;

    desk.click(bar, "^Hang up")?;
    desk.sees(bar, "Wrap-up")?;
    caller.voice.hears_these("the customer, with the other agent alone,", &[THIRD], &tones, SOON)?;
    desk.does("choose", bar, json!({ "what": "sold" }))?;
    desk.fill(bar, "Note", "two of them")?;
    desk.click(bar, "^Save")?;
    desk.sees(bar, "Saved")?;
    caller.hangs_up()?;
    third.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "wrap_ups.0.code", "sold")?;
    field(&cdr, "wrap_ups.0.note", "two of them")?;
    was_recorded(&switch)?;
    desk.ensure_clean(bar)?;
    desk.click(bar, "Sign out")?;
    desk.sees(bar, "You are signed out.")?;
    switch.wait_agent("1001", "signed_out")?;
    switch.wait_registered("1001", 0)
}

/// A blind transfer to a colleague, and calling out with the number typed; the page's phone answers its own order by itself.
pub fn transfers_and_calls_out(dir: &Path) -> Outcome {
    let (switch, mut desk, bar) = opened(dir)?;
    let mut third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    switch.wait_agent("1002", "ready")?;
    let mut caller = talking(dir, &mut desk, bar)?;
    desk.click(bar, "^Transfer")?;
    desk.click(bar, "Chen Jing")?;
    third.answers_now()?;
    third.speaks()?;
    caller.voice.hears("the customer, transferred,", THIRD, SOON)?;
    desk.sees(bar, "Wrap-up")?;
    caller.hangs_up()?;
    third.ended()?;
    switch.wait_cdrs(1)?;

    let mut called = Phone::registered(dir, "1002", 5073, &answers_when_told(), AGENT)?;
    desk.click(bar, "^Ready")?;
    desk.click(bar, "Call out")?;
    desk.fill(bar, "Number", "1002")?;
    desk.click(bar, "^Call$")?;
    called.answers_now()?;
    called.speaks()?;
    desk.hears(bar, AGENT, SOON)?;
    called.voice.hears("who was called", MICROPHONE, SOON)?;
    desk.click(bar, "^Hang up")?;
    called.ended()?;
    switch.wait_cdrs(2)?;
    desk.ensure_clean(bar)
}

/// In the midst of a call the page is loaded anew, and then its network is another one: each time the two hear each other within
/// three seconds, and the customer's leg is never touched.
pub fn is_back_in_its_call(dir: &Path) -> Outcome {
    let (switch, mut desk, bar) = opened(dir)?;
    let mut caller = talking(dir, &mut desk, bar)?;
    desk.click(bar, "^Note")?;
    desk.fill(bar, "Note", "half a sent")?;
    let began = Instant::now();
    desk.does("reload", bar, json!({}))?;
    desk.hears(bar, CALLER, SOON)?;
    caller.voice.forget();
    caller.voice.hears("the customer after the reload", MICROPHONE, SOON)?;
    let took = began.elapsed();
    ensure(took <= BACK, || format!("back after {took:?}\n{}", switch.log()))?;
    desk.sees(bar, "Talking")?;
    desk.click(bar, "^Note")?;
    let note = desk.evaluate(bar, "document.querySelector('#wrap-note').value")?;
    ensure(note == "half a sent", || format!("the note is {note}"))?;

    let began = Instant::now();
    let moves = "new Promise((seen) => {
        const watch = new MutationObserver(() => {
          if (document.body.innerText.includes('Finding the way back to the call')) { watch.disconnect(); seen(true); }
        });
        watch.observe(document.body, { childList: true, subtree: true, characterData: true });
        dispatchEvent(new Event('online'));
      })";
    desk.evaluate(bar, moves)?;
    desk.loses(bar, "Finding the way back to the call…")?;
    caller.voice.forget();
    caller.voice.hears("the customer after the move", MICROPHONE, SOON)?;
    desk.hears(bar, CALLER, SOON)?;
    let took = began.elapsed();
    ensure(took <= BACK, || format!("heard after {took:?}\n{}", switch.log()))?;
    let byes = caller.sipp.messages().iter().filter(|message| message.text.starts_with("BYE")).count();
    ensure(byes == 0, || caller.sipp.log())?;
    caller.hangs_up()?;
    desk.sees(bar, "Wrap-up")?;
    desk.ensure_clean(bar)
}

/// The check of an agent's place: everything is looked at, the way to the switch over a call of its own, and the report says so.
pub fn checks_a_place(dir: &Path) -> Outcome {
    let flow = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr-flows/line-check.lua");
    let flow = std::fs::read_to_string(flow)?;
    let config = config(dir)?.flow("line-check", &flow)?.number("504", "flow:line-check");
    let (switch, mut desk) = begin_with(dir, &config)?;
    desk.open("bar", &format!("http://{}/bar.html", switch.api.at))?;
    let bar = page("bar");
    // before he has signed in: by a call that is given to anybody for this
    desk.click(bar, "Check microphone and network first")?;
    reports_a_good_place(&mut desk, bar, "agent: \n")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "to.user", "line-check")?;
    field(&cdr, "data.source", "check")?;
    desk.click(bar, "^Back")?;
    sign_in(&switch, &mut desk, bar)?;
    desk.click(bar, "Check my place")?;
    reports_a_good_place(&mut desk, bar, "agent: 1001\n")?;
    desk.ensure_clean(bar)?;
    let cdrs = switch.wait_cdrs(2)?;
    ensure(cdrs.iter().any(|cdr| at(cdr, "to.user") == "504"), || format!("{cdrs:?}"))
}

/// Goes through the check of a place where nothing is wrong.
fn reports_a_good_place(desk: &mut Desk, bar: At<'_>, agent: &str) -> Outcome {
    desk.click(bar, "^Begin")?;
    desk.click(bar, "^Yes")?;
    desk.sees(bar, "Report for support")?;
    let report = desk.evaluate(bar, "document.querySelector('#check-report').value")?;
    let report = report.as_str().unwrap_or_default().to_owned();
    let good = ["browser: good", "permission: good", "microphone: good", "signalling: good"];
    let figures = [agent, "loss in: ", "round trip: ", "packets a second: "];
    for line in good.iter().chain(&figures) {
        ensure(report.contains(line), || format!("{line:?} is not in {report}"))?;
    }
    let second = report.lines().find_map(|line| line.strip_prefix("packets a second: ")?.parse::<f64>().ok());
    ensure(second.is_some_and(|count| count > 25.0), || report)
}

/// What a page of another origin does, in the reference's order: it asks for the script by POST, runs what it gets, says after a
/// while what it wants to hear of, and sets the listener.
pub fn page_of_ours(switch: &Switch, shown: &str) -> String {
    let place = format!("http://{}/service-cloud/", switch.api.at);
    format!(
        r#"<!doctype html><html lang="en"><head><title>CRM</title></head><body><h1>CRM</h1>
<script src="jquery-3.7.1.min.js"></script>
<script>
  const heard = [], raw = [];
  const $aicc_ContextPath = "{place}";
  const run = (text) => {{
    const script = document.createElement("script");
    document.head.appendChild(script);
    script.innerHTML = text;
  }};
  window.addEventListener("message", (message) => raw.push(message.data));
  $.ajax({{
    type: "post",
    url: $aicc_ContextPath + "ccdesktop/pages/cc-bar/js/ccbarclient.js?t=" + Math.random(),
    data: JSON.stringify({shown}),
    crossDomain: true,
    xhrFields: {{ withCredentials: true }},
    success: (text) => {{
      run(text);
      const wanted = ["AgentOther_InService", "AgentState_Ready", "AgentState_Busy", "AgentState_Work", "AgentEvent_Ringing",
        "AgentEvent_Talking", "AgentEvent_Customer_Release", "AgentOther_PhoneAlerting"];
      const said = {{ name: "eventpost", param: wanted }};
      setTimeout(() => window.frames["ccbarclient"].postMessage(JSON.stringify(said), $aicc_ContextPath), 2000);
      window.listeners["eventpost"] = (message) => heard.push(message);
      window.callOut = (param) => window.frames["ccbarclient"].postMessage({{ name: "callout", param }}, $aicc_ContextPath);
    }},
  }});
</script></body></html>"#
    )
}

/// The names of the events that a page was told, in order.
fn told(desk: &mut Desk, at: At<'_>) -> Result<Vec<String>, Fail> {
    let names = desk.evaluate(at, "heard.map((message) => message.event.eventType)")?;
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(names.map(str::to_owned).collect())
}

fn wait_told(desk: &mut Desk, at: At<'_>, wanted: &[&str]) -> Outcome {
    let mut last = Vec::new();
    let seen = wait_for("the page to be told", SOON, || {
        last = told(desk, at).ok()?;
        (last == wanted).then_some(())
    });
    seen.map_err(|why| Fail(format!("{why} {wanted:?}; it was told {last:?}")))
}

/// The bar within a page of another origin, asked for as the reference's pages do.
pub fn in_a_foreign_page(dir: &Path) -> Outcome {
    let (switch, mut desk) = begin(dir)?;
    let shown = r#"{ access_token: "none", tenantSpaceId: "default", userAccount: "1001" }"#;
    let files = json!({ "port": 8097, "files": { "/": page_of_ours(&switch, shown) } });
    desk.does("serve", page("none"), files)?;
    desk.open("crm", &format!("{FOREIGN}/"))?;
    let (crm, bar) = (page("crm"), At { page: "crm", frame: Some("ccbarclient") });
    desk.click(bar, "Open the agent bar")?;
    // it has listened before it was asked: the page waits for two seconds
    wait_for("the page to have said what it wants", SOON, || {
        desk.evaluate(crm, "performance.now() > 4000").ok()?.as_bool()?.then_some(())
    })?;
    sign_in(&switch, &mut desk, bar)?;
    desk.click(bar, "^Ready")?;
    wait_told(&mut desk, crm, &["AgentOther_InService", "AgentState_Ready"])?;
    let mut caller = talking(dir, &mut desk, bar)?;
    caller.hangs_up()?;
    let call = ["AgentState_Busy", "AgentOther_PhoneAlerting", "AgentEvent_Ringing", "AgentEvent_Talking"];
    let after = ["AgentEvent_Customer_Release", "AgentState_Work"];
    let all = [["AgentOther_InService", "AgentState_Ready"].as_slice(), &call, &after].concat();
    wait_told(&mut desk, crm, &all)?;
    let ringing = desk.evaluate(crm, "heard.find(({event}) => event.eventType === 'AgentEvent_Ringing')")?;
    field(&ringing, "event.workNo", "1001")?;
    field(&ringing, "event.content.caller", "caller")?;
    field(&ringing, "event.content.called", "501")?;
    field(&ringing, "retcode", "0")?;
    field(&ringing, "message", "")?;
    // who listens to the window himself hears these and nothing else
    let raw = desk.evaluate(crm, "raw.map((data) => data.event.eventType).join()")?;
    ensure(raw == told(&mut desk, crm)?.join(","), || format!("the window heard {raw}"))?;

    let mut called = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    desk.click(bar, "^Ready")?;
    switch.wait_agent("1001", "ready")?;
    desk.evaluate(crm, "callOut({ number: '1002', mode: 'audio' }), 0")?;
    called.answers_now()?;
    called.speaks()?;
    desk.hears(bar, AGENT, SOON)?;
    desk.click(bar, "^Hang up")?;
    called.ended()?;
    desk.ensure_clean(bar)?;
    keys_of_the_page_around(&switch, &mut desk, bar)?;
    foreign_pages_are_refused(&switch)
}

/// Keys in the page around are the bar's when the agent has said so, and not while he types there.
fn keys_of_the_page_around(switch: &Switch, desk: &mut Desk, bar: At<'_>) -> Outcome {
    let crm = page(bar.page);
    let press = |desk: &mut Desk| desk.does("press", crm, json!({ "keys": "Alt+KeyR" })).map(drop);
    // what the page itself hears of the key comes after the bar's script has had it
    let heard = "window.pressed = 0; addEventListener('keydown', (event) => event.code === 'KeyR' && (pressed += event.defaultPrevented ? 10 : 1)); \
                 document.body.insertAdjacentHTML('beforeend', '<input id=field aria-label=field><button id=else>Else</button>'); 0";
    desk.evaluate(crm, heard)?;
    switch.wait_agent("1001", "ready")?;
    let focus = |desk: &mut Desk, on: &str| {
        desk.evaluate(crm, &format!("document.querySelector('#{on}').focus(), 0"))
    };
    focus(desk, "else")?;
    press(desk)?;
    ensure(desk.evaluate(crm, "pressed")? == 1, || "the key is taken though nobody said so".into())?;
    desk.click(bar, "^Microphone, speaker, keys")?;
    desk.does(
        "choose",
        bar,
        json!({ "what": "Keys work in the whole page, not only in this bar (not while you type)" }),
    )?;
    desk.ensure_clean(bar)?;
    focus(desk, "field")?;
    press(desk)?;
    ensure(desk.evaluate(crm, "pressed")? == 2, || "the key is taken while he types".into())?;
    focus(desk, "else")?;
    press(desk)?;
    switch.wait_agent("1001", "not_ready")?;
    let pressed = desk.evaluate(crm, "pressed")?;
    ensure(pressed == 12, || format!("the page has heard the keys as {pressed}"))
}

/// A page whose origin nobody lists gets no script, and may not show the bar.
fn foreign_pages_are_refused(switch: &Switch) -> Outcome {
    let path = "/service-cloud/ccdesktop/pages/cc-bar/js/ccbarclient.js";
    let origin = |origin: &str| format!("Origin: {origin}\r\n");
    let refused = switch.api.send_with("POST", path, &origin("https://evil.example"), "")?;
    ensure(refused.status == 403, || format!("another origin is answered {}", refused.status))?;
    let given = switch.api.send_with("GET", path, &origin(FOREIGN), "")?;
    ensure(given.status == 200, || format!("a listed origin is answered {}", given.status))
}

/// The folders in which the reference documents may lie, seen from the tree.
fn document() -> Option<String> {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = "shared/seeds/huawei-light-agent-bar-js.txt";
    let places: [PathBuf; 2] = [tree.join("..").join(file), tree.join("../..").join(file)];
    places.iter().find_map(|place| std::fs::read_to_string(place).ok())
}

/// The document's own sample, as it stands there. Where the page was too narrow for a comment, its line is made whole again; and
/// it is given our address, in place of the one that stands for every address.
fn sample(document: &str, switch: &Switch) -> Option<String> {
    let from = document.find("<!DOCTYPE html>")?;
    let len = document[from..].find("</html>")? + "</html>".len();
    let mut lines: Vec<String> = Vec::new();
    let raw: Vec<&str> = document[from..from + len].lines().collect();
    for (at, line) in raw.iter().copied().enumerate() {
        // the end of a page, and the end of a comment that was put there, for the comment goes on
        let is_last = raw.get(at + 1).is_some_and(|next| next.starts_with("```"));
        if line.starts_with("```") || (is_last && line.trim() == "*/") {
            continue;
        }
        // a comment goes on where a word was cut, or in Chinese: no statement begins so
        let goes_on =
            |last: &str| last.ends_with('-') || line.trim_start().starts_with(|c: char| !c.is_ascii());
        match lines.last_mut() {
            Some(last) if last.trim_start().starts_with("//") && goes_on(last) => last.push_str(line),
            _ => lines.push(line.to_owned()),
        }
    }
    let place = format!("http://{}/service-cloud/", switch.api.at);
    Some(lines.join("\n").replace("https://10.10.10.1:28090/service-cloud/", &place))
}

/// The document's own sample works in a browser.
pub fn with_the_documents_sample(dir: &Path) -> Outcome {
    let Some(document) = document() else {
        println!("skipped: the reference documents are not beside the tree");
        return Ok(());
    };
    let (switch, mut desk) = begin(dir)?;
    let html = sample(&document, &switch).ok_or_else(|| Fail("the document has no sample".into()))?;
    desk.does("serve", page("none"), json!({ "port": 8097, "files": { "/": html } }))?;
    desk.open("crm", &format!("{FOREIGN}/"))?;
    let (crm, bar) = (page("crm"), At { page: "crm", frame: Some("ccbarclient") });
    desk.click(bar, "Open the agent bar")?;
    // its own callback goes on; what it is told is kept beside it
    desk.evaluate(
        crm,
        "window.heard = []; const inner = listeners.eventpost; listeners.eventpost = (m) => { heard.push(m); inner(m); }; 0",
    )?;
    wait_for("the sample to have said what it wants", SOON, || {
        desk.evaluate(crm, "performance.now() > 5000").ok()?.as_bool()?.then_some(())
    })?;
    sign_in(&switch, &mut desk, bar)?;
    desk.click(bar, "^Ready")?;
    wait_told(&mut desk, crm, &["AgentState_Ready"])?;
    let mut caller = talking(dir, &mut desk, bar)?;
    caller.hangs_up()?;
    wait_told(&mut desk, crm, &["AgentState_Ready", "AgentState_Busy", "AgentState_Work"])
}
