//! What is configured over the API works as what stands in the file does, and outlives a kill.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::Path;

fn house() -> Value {
    let put = |kind: &str, name: &str, document: Value| json!({ "do": "put", "kind": kind, "name": name, "document": document });
    json!({ "whole": true, "changes": [
        put("trunks", "carrier", json!({ "peers": ["127.0.0.2"] })),
        put("accounts", "1001", json!({ "password": PASSWORD })),
        put("queues", "sales", json!({ "music": "music", "on_nobody": "wait", "wrap_up": "1s" })),
        put("agents", "1001", json!({ "queues": ["sales"], "auto_sign_in": true })),
        put("numbers", "501", json!({ "to": "queue:sales" })),
    ] })
}

/// A caller by the trunk waits in the queue, the agent's phone answers, both hear each other.
fn a_call_goes_through(dir: &Path, switch: &Switch, port: u16, before: usize) -> Outcome {
    let mut agent = Phone::registered(dir, "1001", port, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    switch.wait_agent("1001", "ringing")?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    switch.wait_cdrs(before + 1).map(drop)
}

fn refused(
    switch: &Switch,
    (method, path, more): (&str, &str, &str),
    body: &str,
    status: u16,
) -> Result<Value, Fail> {
    let answer = switch.api.send_with(method, path, more, body)?;
    let problem = answer.json()?;
    match answer.status == status {
        true => Ok(problem),
        false => fail(format!("{method} {path} is answered {} and not {status}: {problem}", answer.status)),
    }
}

/// A trunk, an account, a queue, an agent and a number made over HTTP carry a call at once, and after kill -9 again.
pub fn carry_calls(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &Config::new(dir)?)?;
    let made = switch.api.post_body("/api/v1/config/changes", &house().to_string())?;
    ensure(made["changed"] == 5, || format!("not all was made: {made}"))?;
    let account = switch.api.get("/api/v1/config/accounts/1001")?;
    ensure(!account.to_string().contains(PASSWORD), || format!("a password is shown: {account}"))?;
    a_call_goes_through(dir, &switch, 5071, 0)?;

    switch.kill();
    let kept =
        std::fs::read_to_string(dir.join("var/cordboard.objects.json")).or_else(|_| objects_below(dir))?;
    ensure(!kept.contains(PASSWORD), || "an account's password lies on the disk".into())?;
    let switch = Switch::restart(dir)?;
    let names = |kind: &str| switch.api.list(&format!("/api/v1/config/{kind}"));
    for (kind, name) in [("trunks", "carrier"), ("queues", "sales"), ("agents", "1001"), ("numbers", "501")] {
        let all = names(kind)?;
        let there = all.iter().any(|view| view["name"] == name && view["origin"] == "store");
        ensure(there, || format!("{kind} {name} is gone: {all:?}"))?;
    }
    a_call_goes_through(dir, &switch, 5072, 1)?;
    switch.ensure_nothing_left()
}

/// The file beside the database, wherever the configuration has that.
fn objects_below(dir: &Path) -> Result<String, Fail> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".objects.json") {
            return Ok(std::fs::read_to_string(path)?);
        }
    }
    fail("nothing is kept of what was made")
}

/// A change that does not fit is refused with its key, and changes nothing; what the file has is the file's; what something
/// needs does not go.
pub fn are_checked_whole(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &Config::new(dir)?.agent("1002").queue(""))?;
    let wrong = [
        (("PUT", "/api/v1/config/queues/help", ""), r#"{"rng": "20s"}"#, "rng"),
        (("PUT", "/api/v1/config/queues/help", ""), r#"{"ring": 20}"#, "ring"),
        (("PUT", "/api/v1/config/agents/1003", ""), r#"{"queues": ["nowhere"]}"#, "user"),
        (("PUT", "/api/v1/config/numbers/700", ""), r#"{"to": "queue:nowhere"}"#, "to"),
        (("PUT", "/api/v1/config/flows/menu", ""), r#"{"file": "/etc/passwd"}"#, "file"),
        (("PUT", "/api/v1/config/accounts/1004", ""), r#"{"password_env": "HOME"}"#, "password_env"),
    ];
    for (request, body, field) in wrong {
        let problem = refused(&switch, request, body, 422)?;
        let named =
            problem["field"] == field || problem["errors"].to_string().contains(&format!("\\\"{field}\\\""));
        ensure(named, || format!("{body} is refused without {field}: {problem}"))?;
    }
    let of_file = refused(&switch, ("PUT", "/api/v1/config/queues/sales", "If-Match: *\r\n"), "{}", 409)?;
    let place = of_file["detail"].as_str().unwrap_or_default().contains("cordboard.toml:");
    ensure(of_file["code"] == "origin_file" && place, || format!("no place is named: {of_file}"))?;

    switch.api.put("/api/v1/config/queues/help", r#"{"display": "Help"}"#)?;
    switch.api.put("/api/v1/config/numbers/700", r#"{"to": "queue:help"}"#)?;
    let needed = refused(&switch, ("DELETE", "/api/v1/config/queues/help", "If-Match: *\r\n"), "", 409)?;
    let names_it = needed["errors"].to_string().contains("numbers/700");
    ensure(needed["code"] == "in_use" && names_it, || format!("who needs it is not said: {needed}"))?;
    let both = r#"{"whole": true, "changes": [{"do": "delete", "kind": "queues", "name": "help", "version": "*"},
        {"do": "delete", "kind": "numbers", "name": "700", "version": "*"}]}"#;
    let gone = switch.api.post_body("/api/v1/config/changes", both)?;
    ensure(gone["changed"] == 2, || format!("both together do not go: {gone}"))?;

    // The file takes a name that was given over the API: at the next start that is left out by name, and the rest is there.
    switch.api.put("/api/v1/config/queues/help", r#"{"display": "Help"}"#)?;
    switch.api.put("/api/v1/config/queues/more", r#"{"display": "More"}"#)?;
    let with_help = Config::new(dir)?.agent("1002").queue("").more("[tenant.default.queue.help]");
    std::fs::write(switch.config(), with_help.text())?;
    let problem = refused(&switch, ("POST", "/api/v1/config/reload", ""), "", 422)?;
    let named = problem["errors"].to_string().contains("queues/help");
    ensure(named, || format!("a reload that would lose a queue says: {problem}"))?;
    switch.stop()?;
    let switch = Switch::restart(dir)?;
    switch.wait_logged("queues/help does not fit the configuration any more and is left out")?;
    let all = switch.api.list("/api/v1/config/queues")?;
    let broken: Vec<_> =
        all.iter().filter(|view| !view["broken"].is_null()).map(|view| &view["name"]).collect();
    ensure(broken == ["help"], || format!("what is broken is not shown: {all:?}"))?;
    ensure(all.iter().any(|view| view["name"] == "more"), || format!("the rest is gone: {all:?}"))
}
