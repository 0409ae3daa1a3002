//! What the console has beside calls: webhooks with what they gave up, keys to the API, the log of changes, figures for a spreadsheet,
//! and what would become of a call.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use crate::console::{console, pick, save, type_into};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::desk::{At, Desk};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::switch::Switch;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

/// Where the server is that events are posted to: it is not there until the test says so.
const SERVER: &str = "127.0.0.1:8099";
/// Given up after the second attempt, and on for as long as the test needs.
const WEBHOOKS: &str = "[webhooks]\nallowed = [\"http://127.0.0.1:8099/\"]\nallow_private = true\nattempts = 2\n\
                        pause = \"10ms\"\ndisable_after = 1000\n";

/// Takes one delivery after the other, and hands on what is in them.
fn takes(stream: TcpStream) -> Result<String, Fail> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        ensure(reader.read_line(&mut line)? > 0, || "the connection ends".into())?;
        if let Some(said) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = said.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    write!(reader.get_mut(), "HTTP/1.1 204 Taken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn server() -> Result<Receiver<String>, Fail> {
    let listener = TcpListener::bind(SERVER)?;
    let (sender, got) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if takes(stream).is_ok_and(|body| sender.send(body).is_err()) {
                return;
            }
        }
    });
    Ok(got)
}

fn secret(desk: &mut Desk, at: At<'_>) -> Result<String, Fail> {
    let shown = desk.evaluate(at, "document.querySelector('.once code').textContent")?;
    let shown = shown.as_str().unwrap_or_default().to_owned();
    ensure(shown.len() >= 16, || format!("the secret is {shown:?}"))?;
    Ok(shown)
}

/// Put away, a secret is nowhere any more: not on the page, not after a reload.
fn is_gone(desk: &mut Desk, at: At<'_>, secret: &str, row: &str) -> Outcome {
    desk.click(at, "^Close$")?;
    desk.loses(at, secret)?;
    desk.does("reload", at, json!({}))?;
    desk.sees(at, row)?;
    let page = desk.evaluate(at, "document.documentElement.outerHTML")?;
    ensure(page.as_str().is_some_and(|page| !page.contains(secret)), || "the secret is shown again".into())
}

fn one_call(dir: &Path) -> Outcome {
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()
}

/// A webhook's address is checked; its secret is shown once; what its server was not there for is given up, shown, and delivered
/// again when it is there.
pub fn a_webhook_and_its_dead_letter(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"").trunk().more(WEBHOOKS);
    let switch = Switch::start(dir, &config)?;
    let (mut desk, at) = console(dir, &switch)?;
    desk.does("follow", at, json!({ "what": "Webhooks" }))?;
    desk.sees(at, "No webhooks")?;
    desk.click(at, "^Add$")?;
    type_into(&mut desk, at, "#wh-name", "crm")?;
    pick(&mut desk, at, "#wh-kinds", "call_ended")?;
    type_into(&mut desk, at, "#wh-url", "http://127.0.0.1:9/elsewhere")?;
    desk.does("press", at, json!({ "keys": "Enter" }))?;
    desk.sees(at, "no URL below one that [webhooks] allowed")?;
    desk.ensure_clean(at)?;
    type_into(&mut desk, at, "#wh-url", &format!("http://{SERVER}/events"))?;
    desk.does("press", at, json!({ "keys": "Enter" }))?;
    desk.sees(at, "It is shown now and never again.")?;
    let shown = secret(&mut desk, at)?;
    desk.ensure_clean(at)?;
    is_gone(&mut desk, at, &shown, "crm")?;
    ensure(!switch.api.get("/api/v1/webhooks/crm")?.to_string().contains(&shown), || {
        "it is told again".into()
    })?;
    another_was_first(&mut desk, at, &switch)?;

    one_call(dir)?;
    one_call(dir)?;
    desk.click(at, "^Given up by crm: 2$")?;
    desk.sees(at, "call_ended")?;
    desk.ensure_clean(at)?;
    let got = server()?;
    desk.click(at, "^Deliver again: ")?;
    let body = got.recv_timeout(SOON).map_err(|_| Fail("nothing is delivered again".into()))?;
    ensure(body.contains("\"call_ended\"") && body.contains("\"cdr\""), || body.clone())?;
    // the newer one is forgotten
    let rows = "document.querySelectorAll('.el-dialog tbody tr').length";
    wait_for("one row", SOON, || (desk.evaluate(at, rows).ok()? == 1).then_some(()))?;
    desk.click(at, "^Forget: ")?;
    desk.sees(at, "Nothing was given up")?;
    let hook = switch.api.get("/api/v1/webhooks/crm")?;
    ensure(hook["dead_letters"] == 0, || format!("{hook}"))?;
    desk.does("press", at, json!({ "keys": "Escape" }))?;
    desk.click(at, "^Delete: crm$")?;
    desk.click(at, "^Delete$")?;
    desk.sees(at, "No webhooks")?;
    desk.ensure_clean(at)
}

/// It goes elsewhere; and what somebody else has changed since it was read is not written over unasked.
fn another_was_first(desk: &mut Desk, at: At<'_>, switch: &Switch) -> Outcome {
    let path = "/api/v1/webhooks/crm";
    desk.click(at, "^Edit: crm$")?;
    type_into(desk, at, "#wh-url", &format!("http://{SERVER}/events?from=console"))?;
    desk.does("press", at, json!({ "keys": "Enter" }))?;
    desk.sees(at, "from=console")?;
    field(&switch.api.get(path)?, "url", format!("http://{SERVER}/events?from=console"))?;
    desk.click(at, "^Edit: crm$")?;
    type_into(desk, at, "#wh-url", &format!("http://{SERVER}/lost"))?;
    let mine = json!({ "url": format!("http://{SERVER}/events") }).to_string();
    ensure(switch.api.send("PATCH", path, &mine)?.status == 200, || "it is not changed".into())?;
    desk.does("press", at, json!({ "keys": "Enter" }))?;
    desk.click(at, "^Reload$")?;
    desk.ensure_clean(at)?;
    desk.click(at, "^Save$")?;
    field(&switch.api.get(path)?, "url", format!("http://{SERVER}/events"))
}

/// A key is made, shown once, opens what it was given and nothing else, and is ended.
fn a_key(desk: &mut Desk, at: At<'_>, switch: &Switch) -> Outcome {
    desk.does("follow", at, json!({ "what": "API keys" }))?;
    desk.sees(at, "No keys")?;
    desk.click(at, "^Add$")?;
    pick(desk, at, "#k-scopes", "calls:read")?;
    type_into(desk, at, "#k-name", "crm")?;
    desk.ensure_clean(at)?;
    desk.does("press", at, json!({ "keys": "Enter" }))?;
    desk.sees(at, "It is shown now and never again.")?;
    let shown = secret(desk, at)?;
    let with =
        |path: &str| -> Result<u16, Fail> { Ok(switch.api.with_key(&shown).send("GET", path, "")?.status) };
    ensure(with("/api/v1/calls")? == 200, || "the key does not open what it was given".into())?;
    ensure(with("/api/v1/audit")? == 403, || "the key opens what it was not given".into())?;
    is_gone(desk, at, &shown, "crm")?;
    desk.sees(at, "Valid")?;
    desk.ensure_clean(at)?;
    desk.click(at, "^Revoke: crm$")?;
    desk.sees(at, "opens nothing any more, at once")?;
    desk.click(at, "^Revoke$")?;
    desk.sees(at, "The key is revoked.")?;
    desk.sees(at, "Revoked")?;
    ensure(with("/api/v1/calls")? == 401, || "the key opens still".into())
}

/// A queue is changed; the log has how it was and how it is.
fn a_change(desk: &mut Desk, at: At<'_>, switch: &Switch) -> Outcome {
    switch.api.put("/api/v1/config/queues/help", &json!({ "ring": "20s" }).to_string())?;
    desk.does("follow", at, json!({ "what": "Queues" }))?;
    desk.click(at, "help")?;
    type_into(desk, at, "#f-ring", "25s")?;
    save(desk, at)?;
    field(&switch.api.get("/api/v1/config/queues/help")?, "document.ring", "25s")?;
    desk.does("follow", at, json!({ "what": "Audit log" }))?;
    desk.fill(at, "Of what", "queues/help")?;
    desk.loses(at, "keys/")?;
    desk.ensure_clean(at)?;
    desk.click(at, "^More: .*queues/help$")?;
    let parts = "Object.fromEntries([...document.querySelectorAll('.three > div')].map((one) => \
                 [one.querySelector('h3').textContent, one.querySelector('pre').textContent]))";
    desk.sees(at, "Before")?;
    let shown = desk.evaluate(at, parts)?;
    let has = |part: &str, text: &str| shown[part].as_str().is_some_and(|said| said.contains(text));
    ensure(has("Before", "20s") && has("After", "25s"), || format!("{shown}"))?;
    desk.ensure_clean(at)?;
    let kept = desk.does("download", at, json!({ "what": "^Spreadsheet$" }))?;
    let text = kept["text"].as_str().unwrap_or_default();
    ensure(kept["name"] == "audit.csv" && text.contains("queues/help"), || format!("{kept}"))
}

/// Figures of a time that is chosen, on the page and as a table.
fn figures(desk: &mut Desk, at: At<'_>) -> Outcome {
    desk.does("follow", at, json!({ "what": "Reports" }))?;
    desk.sees(at, "sales")?;
    let day = |desk: &mut Desk, label: &str, text: &str| -> Outcome { desk.fill(at, label, text) };
    day(desk, "To (not included)", "2001-02-04")?;
    day(desk, "From", "2001-02-03")?;
    desk.sees(at, "Nothing in this time")?;
    desk.ensure_clean(at)?;
    day(desk, "To (not included)", "2101-02-04")?;
    let today = desk.evaluate(at, "new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)")?;
    day(desk, "From", today.as_str().unwrap_or_default())?;
    desk.sees(at, "sales")?;
    let cells = "[...document.querySelectorAll('.plain-table tbody tr')].map((row) => \
                 [...row.cells].slice(0, 3).map((cell) => cell.textContent))";
    let rows = desk.evaluate(at, cells)?;
    ensure(rows == json!([["sales", "1", "1"]]), || format!("rows: {rows}"))?;
    desk.ensure_clean(at)?;
    let kept = desk.does("download", at, json!({ "what": "^Spreadsheet$" }))?;
    let text = kept["text"].as_str().unwrap_or_default();
    let row = text.lines().find(|line| line.contains("sales"));
    ensure(kept["name"] == "queues.csv" && row.is_some() && text.contains("offered"), || format!("{kept}"))
}

/// What would become of a call, and what each plugin says of it.
fn a_route(desk: &mut Desk, at: At<'_>) -> Outcome {
    desk.does("follow", at, json!({ "what": "Route explain" }))?;
    type_into(desk, at, "#r-from", "+4930123456")?;
    type_into(desk, at, "#r-to", "501")?;
    pick(desk, at, "#r-trunk", "carrier")?;
    desk.click(at, "^Explain$")?;
    desk.sees(at, "Goes to queue sales")?;
    desk.ensure_clean(at)?;
    type_into(desk, at, "#r-to", "777")?;
    desk.click(at, "^Explain$")?;
    desk.sees(at, "Refused: ")?;
    desk.ensure_clean(at)
}

/// A key, a change in the log, figures of a chosen time and a route, each on its page.
pub fn keys_changes_figures_and_routes(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"").trunk();
    let switch = Switch::start(dir, &config)?;
    one_call(dir)?;
    wait_for("the figures of the call", SOON, || {
        let found = switch.api.get("/api/v1/reports/queues").ok()?;
        found["rows"].as_array().is_some_and(|rows| !rows.is_empty()).then_some(())
    })?;
    let (mut desk, at) = console(dir, &switch)?;
    a_key(&mut desk, at, &switch)?;
    a_change(&mut desk, at, &switch)?;
    figures(&mut desk, at)?;
    a_route(&mut desk, at)
}
