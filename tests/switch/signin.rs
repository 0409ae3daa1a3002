//! Agents who sign in: by a page with a password, and by the keys of a telephone.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::{Switch, binary};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Tones of the flow's prompts, Hz: asking for a number, for a password, the menu, and what says that it was wrong.
const NUMBER: f64 = 520.0;
const SECRET: f64 = 1_000.0;
const CHOICE: f64 = 750.0;
const WRONG: f64 = 350.0;
/// That he is ready.
const READY: f64 = 880.0;
/// All of them.
const PROMPTS: [f64; 5] = [NUMBER, SECRET, CHOICE, WRONG, READY];

fn path(what: &str) -> String {
    format!("/api/v1/agents/1001/{what}")
}

/// Signs in without a key; the status and the body.
fn sign_in(switch: &Switch, body: &Value) -> Result<(u16, Value), Fail> {
    let answer = switch.api.with_key("").send("POST", &path("sign-in"), &body.to_string())?;
    Ok((answer.status, answer.json()?))
}

fn token(switch: &Switch, body: &Value) -> Result<String, Fail> {
    let (status, answer) = sign_in(switch, body)?;
    ensure(status == 200, || format!("{status} {answer}"))?;
    Ok(answer["token"].as_str().unwrap_or_default().to_owned())
}

/// What is answered where a token asks for the desk.
fn desk(switch: &Switch, token: &str) -> Result<u16, Fail> {
    Ok(switch.api.send_as("GET", &path("desk"), token)?.status)
}

/// Fails if one of these texts stands in the log, in the journal or in what the API gives.
fn ensure_hidden(switch: &Switch, dir: &Path, hidden: &[&str]) -> Outcome {
    let mut told = vec![("the log".to_owned(), switch.log())];
    for entry in std::fs::read_dir(dir.join("var/journal"))? {
        let file = entry?.path();
        if file.is_file() {
            told.push((
                file.display().to_string(),
                String::from_utf8_lossy(&std::fs::read(&file)?).into_owned(),
            ));
        }
    }
    for trace in switch.api.list("/api/v1/traces")? {
        let call = at(&trace, "call").as_str().unwrap_or_default().to_owned();
        let ladder = switch.api.send("GET", &format!("/api/v1/calls/{call}/trace?messages=true"), "")?;
        told.push((format!("the ladder of {call}"), String::from_utf8_lossy(&ladder.body).into_owned()));
    }
    let cdrs = switch.api.get("/api/v1/cdrs")?;
    told.push(("the records".to_owned(), cdrs.to_string()));
    for (place, text) in told {
        for secret in hidden {
            ensure(!text.contains(secret), || format!("{secret} stands in {place}"))?;
        }
    }
    Ok(())
}

/// A password set by command must be changed; one session at a time, taken over, and there again after a kill; wrong ones lock.
pub fn by_page(dir: &Path) -> Outcome {
    let rules = "[tenant.default.sign_in]\ntries = 3\nslow = \"0s\"\n";
    let config = Config::new(dir)?.agent("1001").queue("").more(rules);
    let mut switch = Switch::start(dir, &config)?;
    switch.api.post(&path("sign-out"))?;
    let mut events = switch.api.events(None)?;
    set_by_command(&switch, "first-One1")?;
    let (status, refused) = sign_in(&switch, &json!({ "password": "first-One1" }))?;
    ensure(status == 403 && refused["code"] == "password_must_change", || format!("{status} {refused}"))?;
    let first = json!({ "password": "first-One1", "new_password": "my own 1", "where": "desk 7" });
    let first = token(&switch, &first)?;
    ensure(desk(&switch, &first)? == 200, || "his token does not open his desk".into())?;
    switch.wait_agent("1001", "not_ready")?;
    let began = events.until("the session", |event| event["type"] == "session_began")?;
    let began = began.last().cloned().unwrap_or_default();
    field(&began, "where", "desk 7")?;
    field(&began, "address", "127.0.0.1")?;

    let own = json!({ "password": "my own 1", "where": "desk 8" });
    let (status, refused) = sign_in(&switch, &own)?;
    ensure(status == 409 && refused["code"] == "signed_in_elsewhere", || format!("{status} {refused}"))?;
    field(&refused, "session.where", "desk 7")?;
    let second = token(&switch, &json!({ "password": "my own 1", "where": "desk 8", "take_over": true }))?;
    let ended = events.until("the end of the first", |event| event["type"] == "session_ended")?;
    field(&ended.last().cloned().unwrap_or_default(), "why", "taken_over")?;
    ensure(desk(&switch, &first)? == 401, || "the first token still opens".into())?;

    let mine = switch.api.with_key(&second);
    mine.post_body(&path("rest"), r#"{"reason": "lunch"}"#)?;
    switch.wait_agent("1001", "rest")?;
    ensure(mine.send("GET", "/api/v1/cdrs", "")?.status == 403, || "his token opens the records".into())?;
    ensure_hidden(&switch, dir, &["first-One1", "my own 1", first.as_str(), second.as_str()])?;

    switch.kill();
    let switch = Switch::restart(dir)?;
    ensure(desk(&switch, &second)? == 200, || "a restart ended the session".into())?;
    switch.wait_agent("1001", "rest")?;
    switch.api.with_key(&second).post(&path("sign-out"))?;
    ensure(desk(&switch, &second)? == 401, || "he has signed out, and his token opens".into())?;
    for (tries, wanted) in [(1, "wrong_password"), (2, "wrong_password"), (3, "locked"), (4, "locked")] {
        let (_, refused) = sign_in(&switch, &json!({ "password": "a wrong one 1" }))?;
        ensure(refused["code"] == wanted, || format!("try {tries}: {refused}"))?;
    }
    let (status, refused) = sign_in(&switch, &own)?;
    ensure(status == 429 && refused["code"] == "locked", || format!("{status} {refused}"))?;
    let_in_again(&switch, &own)
}

/// Operators see the lock, and take it away; his password is what it was.
fn let_in_again(switch: &Switch, own: &Value) -> Outcome {
    let locks = || -> Result<Value, Fail> {
        let agents = switch.api.list("/api/v1/agents")?;
        Ok(agents.first().map(|agent| at(agent, "locks").clone()).unwrap_or_default())
    };
    let shown = locks()?;
    ensure(shown[0]["from"] == "127.0.0.1" && shown[0]["until"].is_i64(), || format!("the lock: {shown}"))?;
    let why = switch.api.get(&path("explain"))?.to_string();
    ensure(why.contains("his password is not looked at until"), || why)?;
    let status = switch.api.send("DELETE", &path("lock"), "")?.status;
    ensure(status == 200, || format!("the lock is not taken away: {status}"))?;
    ensure(locks()?.is_null(), || "it is shown yet".into())?;
    let (status, begun) = sign_in(switch, own)?;
    ensure(status == 200, || format!("{status} {begun}"))
}

/// `cordboard agent password 1001`, as an operator types it.
fn set_by_command(switch: &Switch, password: &str) -> Outcome {
    let mut command = Command::new(binary()?);
    command.args(["agent", "password", "1001", "--config"]).arg(switch.config());
    command.env("CORDBOARD_API_KEY", cordboard_tests::config::KEY).current_dir(switch.dir());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        writeln!(stdin, "{password}")?;
    }
    let done = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    ensure(done.status.success() && said == "agent 1001: the password is set\n", || {
        format!("{said}{}", String::from_utf8_lossy(&done.stderr))
    })
}

/// A switch with the flow that ships behind 600, and agent 1001, who signs in by keys.
fn with_keys(dir: &Path) -> Result<Switch, Fail> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ivr-flows");
    for (prompt, hertz, ms) in [
        ("number", NUMBER, 4_000),
        ("password", SECRET, 4_000),
        ("menu", CHOICE, 4_000),
        ("welcome", CHOICE, 100),
        ("ready", READY, 2_000),
    ] {
        write_tone(&dir.join(format!("prompts/en/sign-in/{prompt}.wav")), hertz, ms)?;
    }
    for prompt in ["verify/again", "verify/locked", "goodbye"] {
        write_tone(&dir.join(format!("prompts/en/{prompt}.wav")), WRONG, 300)?;
    }
    let flow = std::fs::read_to_string(shipped.join("agent-sign-in.lua"))?;
    let rules = "[tenant.default.sign_in]\ntries = 3\nslow = \"0s\"\nchange_first = false\n";
    let agent =
        "[tenant.default.agent.1001]\nqueues = [\"sales\"]\nphone_sign_in = true\npassword_env = \"ANN\"";
    let config = Config::new(dir)?
        .tenant(&format!("libraries = \"{}\"", shipped.join("lib").display()))
        .user("1001")
        .more(agent)
        .more(rules)
        .queue("")
        .flow("agent-sign-in", &flow)?
        .number("600", "flow:agent-sign-in")
        .trunk();
    Switch::start_with(dir, &config, &[("ANN", "482913")])
}

/// He keys in his number, and the password when he is asked for it.
fn keys_in(phone: &Phone, password: &str) -> Outcome {
    phone.voice.hears_these("the agent, asked for his number,", &[NUMBER], &PROMPTS, SOON)?;
    "1001#".chars().for_each(|key| phone.voice.press(key));
    phone.voice.hears_these("the agent, asked for his password,", &[SECRET], &PROMPTS, SOON)?;
    password.chars().chain(['#']).for_each(|key| phone.voice.press(key));
    Ok(())
}

fn dials(dir: &Path) -> Result<Phone, Fail> {
    let scenario = Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends();
    let mut phone = Phone::calls(dir, "1001", 5072, "600", &scenario, AGENT)?;
    phone.speaks()?;
    Ok(phone)
}

/// He signs in by keys, is ready, hangs up, and the queue's caller talks to him. No key of the password stands anywhere.
pub fn by_keys(dir: &Path) -> Outcome {
    let switch = with_keys(dir)?;
    let mut desk = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_registered("1001", 1)?;
    switch.wait_agent("1001", "signed_out")?;
    let mut events = switch.api.events(None)?;
    let mut phone = dials(dir)?;
    keys_in(&phone, "482913")?;
    phone.voice.hears_these("the agent, signed in,", &[CHOICE], &PROMPTS, SOON)?;
    let before = events.until("the session", |event| event["type"] == "session_began")?;
    let began = before.last().cloned().unwrap_or_default();
    field(&began, "phone", true)?;
    field(&began, "where", "1001")?;
    let digits = before.iter().filter(|event| event["type"] == "digit").count();
    ensure(digits == "1001#".len(), || format!("{digits} keys stand among the events"))?;
    let session = switch.api.get(&path("session"))?;
    field(&session, "session.phone", true)?;
    phone.voice.press('1');
    phone.voice.hears_these("the agent, told that he is ready,", &[READY], &PROMPTS, SOON)?;
    phone.hangs_up()?;
    switch.wait_agent("1001", "ready")?;

    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    desk.answers_now()?;
    hear_each_other(&mut caller, &mut desk)?;
    desk.hangs_up()?;
    caller.ended()?;
    switch.wait_cdrs(2)?;
    ensure_hidden(&switch, dir, &["482913", "$argon2id$v=19$m=19456,t=2,p=1$482913"])?;
    switch.ensure_nothing_left()
}

/// Three wrong ones, and he is told so; then the right one does not help, nor does a page.
pub fn locked_by_keys(dir: &Path) -> Outcome {
    let switch = with_keys(dir)?;
    let mut events = switch.api.events(None)?;
    let mut phone = dials(dir)?;
    for _ in 0..3 {
        keys_in(&phone, "111111")?;
        phone.voice.hears_these("the agent, refused,", &[WRONG], &PROMPTS, SOON)?;
    }
    phone.ended()?;
    let told = events.until("the lock", |event| event["why"] == "locked")?;
    let failed = told.iter().filter(|event| event["type"] == "sign_in_failed").count();
    ensure(failed == 3, || format!("{failed} tries were told of"))?;
    switch.wait_agent("1001", "signed_out")?;
    // Who guesses on a telephone locks that one out, and not the agent at his page.
    let (status, answer) = sign_in(&switch, &json!({ "password": "482913" }))?;
    ensure(status == 200, || format!("{status} {answer}"))?;
    switch.wait_cdrs(1)?;
    ensure_hidden(&switch, dir, &["111111", "482913"])?;
    switch.ensure_nothing_left()
}
