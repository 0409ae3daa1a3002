//! What administrators and operators do from the console beside taking calls: a tenant, rows of a table, who is shut out, what is
//! said in chats, records one by one, the machine; and a person's second factor.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::api::Api;
use cordboard_tests::config::{Config, KEY};
use cordboard_tests::desk::{At, Desk, page};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::{SOON, wait_for};
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::net::UdpSocket;
use std::path::Path;

/// The pages of these tests.
const CONSOLE: &str = "console";
const PERSON: &str = "person";
/// Who scans, and is not on the list of those who may.
const SCANNER: &str = "127.0.0.9";
const GUARD: &str = "[sip.guard]\nallow = [\"127.0.0.1\"]\n";
/// Where a webhook may post to.
const HOOKS: &str = "[webhooks]\nallowed = [\"http://127.0.0.1:8099/\"]\nallow_private = true\n";
/// A queue of chats with an agent who takes none by himself.
const CHATS: &str = "[tenant.default.queue.web]\nkind = \"multimedia\"\non_nobody = \"wait\"\nring = \"10m\"\n\
                     [tenant.default.agent.1001]\nqueues = [\"web\"]\nkind = \"multimedia\"\nauto_sign_in = true\n";
/// As a spreadsheet writes it; the second row's name has a comma.
const CSV: &str = "number,name,level\r\n49302,\"Babbage, Charles\",silver\r\n49303,Mary,gold\r\n";
const FIRST: &str = "the first password 7";
const OWN: &str = "my own password 8";

fn switch(dir: &Path) -> Result<Switch, Fail> {
    Switch::start(dir, &Config::new(dir)?.user("1001").queue("").trunk().more(CHATS).more(GUARD))
}

fn browser(dir: &Path) -> Result<Desk, Fail> {
    let tone = dir.join("microphone.wav");
    write_tone(&tone, 440.0, 100)?;
    Desk::start(dir, &tone)
}

fn opens(desk: &mut Desk, switch: &Switch, name: &'static str, path: &str) -> Result<At<'static>, Fail> {
    let url = format!("http://{}/{path}", switch.api.at);
    desk.does("open", page(name), json!({ "url": url, "width": 1280, "height": 800 }))?;
    let at = page(name);
    desk.sees(at, "Sign in")?;
    Ok(at)
}

fn console(desk: &mut Desk, switch: &Switch) -> Result<At<'static>, Fail> {
    let at = opens(desk, switch, CONSOLE, "")?;
    desk.does("choose", at, json!({ "what": "API key" }))?;
    types(desk, at, "#key", KEY)?;
    desk.click(at, "^Sign in$")?;
    desk.sees(at, "Ladders")?;
    Ok(at)
}

fn types(desk: &mut Desk, at: At<'_>, field: &str, text: &str) -> Outcome {
    desk.does("type", at, json!({ "at": field, "text": text })).map(drop)
}

fn goes_to(desk: &mut Desk, at: At<'_>, what: &str) -> Outcome {
    desk.does("follow", at, json!({ "what": what })).map(drop)
}

/// A tenant is made by its form, which names a slip at its field.
fn a_tenant(desk: &mut Desk, at: At<'_>, api: &Api) -> Outcome {
    goes_to(desk, at, "Tenants")?;
    desk.click(at, "^Add$")?;
    types(desk, at, "#f-name", "Acme House")?;
    desk.sees(at, "Small letters, digits and -, at most 23.")?;
    types(desk, at, "#f-name", "acme")?;
    types(desk, at, "#f-domains", "acme.example")?;
    desk.does("press", at, json!({ "keys": "Enter" }))?;
    desk.click(at, "^More settings$")?;
    types(desk, at, "#f-sign_in\\.tries", "4")?;
    desk.ensure_clean(at)?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "Saved.")?;
    let made = api.get("/api/v1/config/tenants/acme")?;
    field(&made, "document.domains.0", "acme.example")?;
    field(&made, "document.sign_in.tries", 4)
}

/// A row is put, found, changed and removed, and others come from a spreadsheet.
fn rows(desk: &mut Desk, at: At<'_>, api: &Api) -> Outcome {
    goes_to(desk, at, "Tables")?;
    desk.sees(at, "No tables yet")?;
    desk.click(at, "^New row$")?;
    for (field, text) in [("#row-table", "vip"), ("#row-key", "49301")] {
        types(desk, at, field, text)?;
    }
    desk.fill(at, "Column 1", "name")?;
    desk.fill(at, "Value 1", "Ada")?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "Calls see it at once")?;
    field(&api.get("/api/v1/tables/vip/49301")?, "name", "Ada")?;
    desk.does("upload", at, json!({ "at": "input[type=file]", "name": "vip.csv", "text": CSV }))?;
    desk.click(at, "^Put 2 rows into vip$")?;
    desk.sees(at, "2 of 2 rows are in.")?;
    desk.click(at, "^Close$")?;
    desk.loses(at, "vip.csv")?;
    field(&api.get("/api/v1/tables/vip/49302")?, "name", "Babbage, Charles")?;
    types(desk, at, "#t-find", "gold")?;
    desk.loses(at, "Ada")?;
    desk.sees(at, "Mary")?;
    desk.ensure_clean(at)?;
    desk.click(at, "^Delete: 49303$")?;
    desk.click(at, "^Delete$")?;
    desk.sees(at, "Deleted.")?;
    let gone = api.send("GET", "/api/v1/tables/vip/49303", "")?;
    ensure(gone.status == 404, || format!("the row is still there: {}", gone.status))
}

/// Somebody scans, is shut out, and is let in again.
fn a_ban(desk: &mut Desk, at: At<'_>, switch: &Switch) -> Outcome {
    goes_to(desk, at, "Shut out")?;
    desk.sees(at, "Nobody is shut out")?;
    let scanner = UdpSocket::bind(format!("{SCANNER}:5099"))?;
    let asks = format!(
        "OPTIONS sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {SCANNER}:5099;branch=z9hG4bKs\r\nMax-Forwards: 70\r\n\
         From: <sip:100@1.1.1.1>;tag=s\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: s\r\nCSeq: 1 OPTIONS\r\n\
         User-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n"
    );
    scanner.send_to(asks.as_bytes(), &switch.sip)?;
    desk.sees(at, SCANNER)?;
    desk.sees(at, "the name of a scanning tool")?;
    desk.ensure_clean(at)?;
    goes_to(desk, at, "Switch")?;
    desk.sees(at, "The switch takes calls")?;
    desk.sees(at, "source_banned")?;
    desk.ensure_clean(at)?;
    goes_to(desk, at, "Shut out")?;
    desk.click(at, &format!("^Let in: {SCANNER}$"))?;
    desk.click(at, "^Let in$")?;
    desk.sees(at, "It is listened to again.")?;
    wait_for("the ban to be lifted", SOON, || {
        switch.api.list("/api/v1/bans").ok()?.is_empty().then_some(())
    })?;
    // and once more by hand; one that is never banned first
    desk.click(at, "^Shut somebody out$")?;
    types(desk, at, "#b-source", "127.0.0.1")?;
    types(desk, at, "#b-why", "calls at night")?;
    desk.click(at, "^Shut out$")?;
    desk.sees(at, "are never banned (sip.guard.allow)")?;
    types(desk, at, "#b-source", SCANNER)?;
    desk.click(at, "^Shut out$")?;
    desk.sees(at, "It is shut out.")?;
    desk.sees(at, "calls at night")?;
    desk.ensure_clean(at)?;
    let bans = switch.api.list("/api/v1/bans")?;
    ensure(bans.len() == 1 && bans[0]["source"] == SCANNER, || format!("{bans:?}"))?;
    desk.click(at, &format!("^Let in: {SCANNER}$"))?;
    desk.click(at, "^Let in$")?;
    wait_for("the ban to be lifted", SOON, || switch.api.list("/api/v1/bans").ok()?.is_empty().then_some(()))
}

/// A chat is read while it goes on, and ended.
fn a_chat(desk: &mut Desk, at: At<'_>, api: &Api) -> Outcome {
    goes_to(desk, at, "Chats")?;
    desk.sees(at, "No chat goes on")?;
    let body = json!({ "queue": "web", "customer": { "id": "c-17", "name": "Ann" }, "data": { "order": 4711 },
                       "text": "Where is my order?" });
    let opened = api.send("POST", "/api/v1/chats", &body.to_string())?.json()?;
    let chat = format!("/api/v1/chats/{}", opened["chat"].as_str().unwrap_or_default());
    let customer = api.with_key(opened["token"].as_str().unwrap_or_default());
    desk.sees(at, "offered to 1001")?;
    desk.click(at, "Ann")?;
    desk.sees(at, "Where is my order?")?;
    desk.sees(at, "4711")?;
    api.post_body(&format!("{chat}/accept"), &json!({ "by": "1001" }).to_string())?;
    let answer = json!({ "by": "1001", "text": "On its way." }).to_string();
    api.post_body(&format!("{chat}/messages"), &answer)?;
    customer.post_body("/api/v1/chat/messages", &json!({ "text": "Thank you!" }).to_string())?;
    for text in ["On its way.", "Thank you!"] {
        desk.sees(at, text)?;
    }
    desk.ensure_clean(at)?;
    desk.click(at, "^End$")?;
    desk.click(at, "^End the chat$")?;
    desk.sees(at, "Ended by a supervisor")?;
    field(&api.get(&chat)?, "end", "operator")
}

/// A campaign is made, filled, looked into, paused and deleted.
fn a_campaign(desk: &mut Desk, at: At<'_>, api: &Api) -> Outcome {
    goes_to(desk, at, "Campaigns")?;
    desk.sees(at, "There are no campaigns")?;
    desk.click(at, "^Add$")?;
    types(desk, at, "#cp-name", "autumn")?;
    desk.does("pick", at, json!({ "at": "#cp-goal", "option": "sales" }))?;
    desk.ensure_clean(at)?;
    desk.click(at, "^Save$")?;
    desk.sees(at, "The campaign is made. Give it numbers.")?;
    desk.click(at, "^Add numbers: autumn$")?;
    types(desk, at, "#cp-numbers", "+49 30 555-01, 4711\n493055502\n")?;
    desk.click(at, "^Add 2$")?;
    desk.loses(at, "Add numbers to autumn")?;
    let numbers = api.list("/api/v1/campaigns/1/numbers")?;
    ensure(numbers.len() == 2, || format!("{numbers:?}"))?;
    field(&numbers[0], "called", "+493055501")?;
    field(&numbers[0], "session", "4711")?;
    desk.click(at, "^Numbers: autumn$")?;
    desk.sees(at, "493055502")?;
    desk.ensure_clean(at)?;
    desk.does("press", at, json!({ "keys": "Escape" }))?;
    desk.loses(at, "493055502")?;
    desk.click(at, "^Pause: autumn$")?;
    desk.sees(at, "Paused")?;
    desk.click(at, "^Delete: autumn$")?;
    desk.click(at, "^Delete$")?;
    desk.sees(at, "There are no campaigns")?;
    ensure(api.list("/api/v1/campaigns")?.is_empty(), || "it is still there".into())
}

/// A tenant, a table, a ban, a chat, a campaign, and the pages beside them: used through the page, and clean to axe.
pub fn from_the_console(dir: &Path) -> Outcome {
    let switch = switch(dir)?;
    let mut desk = browser(dir)?;
    let at = console(&mut desk, &switch)?;
    a_tenant(&mut desk, at, &switch.api)?;
    rows(&mut desk, at, &switch.api)?;
    a_ban(&mut desk, at, &switch)?;
    a_chat(&mut desk, at, &switch.api)?;
    a_campaign(&mut desk, at, &switch.api)?;
    goes_to(&mut desk, at, "Live")?;
    desk.sees(at, "Events")?;
    desk.ensure_clean(at)
}

/// Made as an administrator makes it, and not needed by any call.
const OBJECTS: [(&str, &str); 8] = [
    ("accounts/1003", r#"{ "password": "a phone of 1003" }"#),
    ("skill-groups/front", r#"{ "queues": ["sales"] }"#),
    ("number-groups/berlin", r#"{ "numbers": ["+493055501", "+493055502"] }"#),
    ("trunks/abroad", r#"{ "gateway": "127.0.0.1:5095", "max_calls": 30 }"#),
    ("ways-out/abroad", r#"{ "prefix": "+", "trunks": [{ "trunk": "abroad" }] }"#),
    ("calendars/office", r#"{ "weekdays": ["09:00-18:00"] }"#),
    ("flows/front", r#"{ "kept": "api" }"#),
    ("tenants/acme", r#"{ "display": "Acme House", "domains": ["acme.example"] }"#),
];

fn posts(api: &Api, path: &str, body: &Value) -> Result<Value, Fail> {
    let answer = api.send("POST", path, &body.to_string())?;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    ensure(matches!(answer.status, 200 | 201), || format!("POST {path}: {} {said}", answer.status))?;
    answer.json()
}

/// Something is in each list that pages show.
fn fills(switch: &Switch) -> Outcome {
    let api = &switch.api;
    for (what, document) in OBJECTS {
        api.put(&format!("/api/v1/config/{what}"), document)?;
    }
    let text = json!({ "text": "call:answer()\n", "note": "the first" });
    posts(api, "/api/v1/flows/front/publish", &text)?;
    api.put("/api/v1/tables/vip/49301", r#"{ "name": "Ada", "level": "gold" }"#)?;
    let day = json!([{ "from": 0, "to": 1_440 }]);
    let campaign = json!({ "name": "Autumn", "kind": "predictive", "goal": { "queue": "sales" }, "begins": 1,
                           "ends": 4_000_000_000_000_u64, "workdays": day, "holidays": day });
    let id = posts(api, "/api/v1/campaigns", &campaign)?["id"].to_string();
    posts(api, &format!("/api/v1/campaigns/{id}/pause"), &json!({}))?;
    let chat =
        json!({ "queue": "web", "customer": { "id": "c-17", "name": "Ann" }, "text": "Where is my order?" });
    for (path, body) in [
        (
            format!("/api/v1/campaigns/{id}/numbers").as_str(),
            json!({ "numbers": [{ "called": "+4930555001" }] }),
        ),
        (
            "/api/v1/callbacks",
            json!({ "number": "+493012345", "queue": "sales", "note": "asks for an offer" }),
        ),
        ("/api/v1/users", json!({ "name": "li", "roles": ["supervisor"], "password": FIRST })),
        ("/api/v1/keys", json!({ "name": "wallboard", "scopes": ["queues:read"] })),
        ("/api/v1/webhooks", json!({ "name": "crm", "url": "http://127.0.0.1:8099/events" })),
        ("/api/v1/bans", json!({ "source": SCANNER, "why": "calls at night" })),
        ("/api/v1/chats", chat),
    ] {
        posts(api, path, &body)?;
    }
    Ok(())
}

/// One call that is over and recorded, and one that waits while the agent rests; the phones stay until the end.
fn calls_of_each_kind(dir: &Path, switch: &Switch) -> Result<[Phone; 2], Fail> {
    let mut agent = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    // the next one calls from its ports
    drop(caller);
    switch.wait_cdrs(1)?;
    switch.wait_recordings(1)?;
    switch.api.post("/api/v1/agents/1002/rest")?;
    let waits = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    switch.wait_calls("queued", 1)?;
    Ok([agent, waits])
}

/// Every page that the navigation opens is there with something on it, and axe finds nothing serious on any.
pub fn every_page(dir: &Path) -> Outcome {
    let config =
        Config::new(dir)?.user("1001").agent("1002").queue("record = true\nwrap_up = \"0s\"").trunk();
    let switch = Switch::start(dir, &config.more(CHATS).more(GUARD).more(HOOKS))?;
    let phones = calls_of_each_kind(dir, &switch)?;
    fills(&switch)?;
    let mut desk = browser(dir)?;
    let at = console(&mut desk, &switch)?;
    let links = "[...document.querySelectorAll('nav a')].map((one) => one.textContent.trim())";
    let pages: Vec<Value> = desk.evaluate(at, links)?.as_array().cloned().unwrap_or_default();
    ensure(pages.len() > 25, || format!("few pages: {pages:?}"))?;
    // what takes the place of a list without anything in it
    let empty = "document.querySelectorAll('.box strong').length";
    let mut bare = 0;
    for name in pages.iter().filter_map(Value::as_str) {
        goes_to(&mut desk, at, name)?;
        desk.does("rests", at, json!({}))?;
        desk.ensure_clean(at).map_err(|why| Fail(format!("{name}: {why}")))?;
        bare += desk.evaluate(at, empty)?.as_u64().unwrap_or_default();
    }
    // a page that asks for something first, or for one of its list, and no more
    ensure(bare < 8, || format!("{bare} of the pages' parts have nothing to show"))?;
    drop(phones);
    Ok(())
}

/// A person begins a second factor with a code to scan and its key as text, and is asked for it from then on.
pub fn second_factor(dir: &Path) -> Outcome {
    let switch = switch(dir)?;
    let user = json!({ "name": "li", "roles": ["administrator"], "password": FIRST }).to_string();
    let made = switch.api.send("POST", "/api/v1/users", &user)?;
    ensure(made.status == 201, || format!("a person is made with {}", made.status))?;
    let first = json!({ "user": "li", "password": FIRST, "new_password": OWN }).to_string();
    let signed = switch.api.with_key("").send("POST", "/api/v1/session", &first)?;
    ensure(signed.status == 200 || signed.status == 201, || format!("signed in with {}", signed.status))?;
    let mut desk = browser(dir)?;
    let at = opens(&mut desk, &switch, PERSON, "account")?;
    desk.does("choose", at, json!({ "what": "Person" }))?;
    types(&mut desk, at, "#name", "li")?;
    types(&mut desk, at, "#password", OWN)?;
    desk.click(at, "^Sign in$")?;
    desk.sees(at, "Your password alone opens your account.")?;
    types(&mut desk, at, "#proof", OWN)?;
    desk.click(at, "^Begin$")?;
    desk.sees(at, "Scan this with your authenticator")?;
    let squares =
        "document.querySelector('svg[aria-label=\"QR code of the key\"] path + path').getAttribute('d')";
    let code = desk.evaluate(at, &format!("{squares}.length"))?;
    ensure(code.as_u64().unwrap_or_default() > 1_000, || format!("no code is drawn: {code}"))?;
    desk.ensure_clean(at)?;
    let secret = desk.evaluate(at, "document.querySelector('.secret').textContent")?;
    let shown = desk.does("one_time_code", at, json!({ "secret": secret }))?;
    types(&mut desk, at, "#code", shown.as_str().unwrap_or_default())?;
    desk.click(at, "^Confirm$")?;
    desk.sees(at, "Each of these codes opens once")?;
    let body = json!({ "user": "li", "password": OWN }).to_string();
    let refused = switch.api.with_key("").send("POST", "/api/v1/session", &body)?.json()?;
    field(&refused, "code", "code_needed")
}
