//! An agent's bar that goes from one network to another in the middle of a call.
//!
//! The browser has a place of its own, with a link to one router and then, or too, to another. Pages, orders, signalling and
//! audio all go by what there is.

use crate::agent_bar::{BACK, FIRST, MICROPHONE, sign_in};
use crate::common::{CALLER, Phone, SOON, field};
use crate::roaming::{CABLE, CUSTOMER, DESK, Link, RADIO, plug};
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::desk::{At, Desk, page};
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::net::{self, Ports, inside};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::{Voice, write_tone};
use cordboard_tests::switch::Switch;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Where the bar comes from. It is no secure place to a browser, and this one is told to take it for one.
const PAGES: &str = "203.0.113.10:8080";
const BAR: At<'static> = At { page: "bar", frame: None };

/// The switch, its customer, and the agent's place with the cable.
fn world(dir: &Path) -> Result<(Switch, Desk), Fail> {
    net::internet()?;
    net::switch_at("203.0.113.10", None)?;
    net::host(CUSTOMER, "203.0.113.21")?;
    net::router_of(CABLE.inner, CABLE.router, CABLE.public, Ports::Kept)?;
    net::router_of(RADIO.inner, RADIO.router, RADIO.public, Ports::ForEachPeer)?;
    net::host_apart(DESK)?;
    plug(CABLE)?;
    let agent = "[tenant.default.agent.1001]\ndisplay = \"Li Wei\"\nqueues = [\"sales\"]";
    let config = Config::new(dir)?.listens(&["203.0.113.10:5060"]).pages_at(PAGES);
    let config = config.media("address = \"203.0.113.10\"").user("1001").user("1002").more(agent);
    let switch = Switch::start(dir, &config.queue("wrap_up = \"60s\"\nwrap_up_codes = [\"sold\"]"))?;
    switch.api.put("/api/v1/agents/1001/password", &json!({ "password": FIRST }).to_string())?;
    let tone = dir.join("microphone.wav");
    write_tone(&tone, MICROPHONE, 10_000)?;
    let secure = format!("--unsafely-treat-insecure-origin-as-secure=http://{PAGES}");
    let desk = inside(DESK, || Desk::start_with(dir, &tone, &[secure]))?;
    Ok((switch, desk))
}

/// The agent has taken a customer's call in the bar; both hear each other.
fn talking(dir: &Path, switch: &Switch, desk: &mut Desk) -> Result<Phone, Fail> {
    desk.open("bar", &format!("http://{PAGES}/bar.html"))?;
    sign_in(switch, desk, page("bar"))?;
    desk.click(BAR, "^Ready")?;
    switch.wait_agent("1001", "ready")?;
    let calls = Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends();
    let from = Setup { ip: "203.0.113.21", switch: "203.0.113.10:5060", port: 5_072, ..Setup::default() };
    let setup = Setup { name: "customer", caller: "1002", user: "501", password: PASSWORD, ..from };
    let mut customer = inside(CUSTOMER, || {
        let voice = Voice::new(setup.ip, setup.rtp, CALLER)?;
        let mut phone = Phone { sipp: Sipp::start(dir, &calls, &setup)?, voice };
        phone.speaks()?;
        Ok(phone)
    })?;
    desk.sees(BAR, "Incoming call")?;
    desk.click(BAR, "Answer")?;
    desk.sees(BAR, "Talking")?;
    both_hear(desk, &mut customer)?;
    Ok(customer)
}

fn both_hear(desk: &mut Desk, customer: &mut Phone) -> Outcome {
    desk.hears(BAR, CALLER, SOON)?;
    customer.voice.forget();
    customer.voice.hears("the customer", MICROPHONE, SOON)
}

/// Both hear each other soon enough after `began`.
fn back(switch: &Switch, desk: &mut Desk, customer: &mut Phone, began: Instant) -> Outcome {
    let heard = both_hear(desk, customer);
    let took = began.elapsed();
    println!("measured: both heard each other {took:?} after the other network was there");
    let shown = |desk: &mut Desk| desk.does("reads", BAR, json!({})).unwrap_or_default();
    heard.map_err(|why| Fail(format!("{why}\n{}\n{}", shown(desk), switch.log())))?;
    ensure(took <= BACK, || format!("back after {took:?}\n{}\n{}", shown(desk), switch.log()))
}

/// The bar works by the other network: its phone is registered there, the customer's leg was not touched, orders are obeyed, and
/// the call ends as calls do.
fn over(switch: &Switch, desk: &mut Desk, mut customer: Phone, by: Link) -> Outcome {
    desk.loses(BAR, "Finding the way back to the call…")?;
    desk.loses(BAR, "No answer from the switch")?;
    let contacts = switch.api.list("/api/v1/contacts")?;
    let reached = format!("ws:{}:", by.public);
    let there = |contact: &Value| contact["flow"].as_str().is_some_and(|flow| flow.starts_with(&reached));
    ensure(contacts.len() == 1 && contacts.iter().all(there), || format!("{contacts:?}"))?;
    let touched = customer.sipp.messages().into_iter().filter(|message| {
        !message.sent && (message.text.starts_with("BYE") || message.text.starts_with("INVITE"))
    });
    ensure(touched.count() == 0, || customer.sipp.log())?;
    desk.click(BAR, "^Hang up")?;
    desk.sees(BAR, "Wrap-up")?;
    inside(CUSTOMER, || customer.ended())?;
    desk.does("choose", BAR, json!({ "what": "sold" }))?;
    desk.click(BAR, "^Save")?;
    desk.sees(BAR, "Saved")?;
    desk.ensure_quiet(BAR)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    // the record is there before what he says of it
    wait_for("what he said to be in the record", SOON, || {
        let cdrs = switch.api.list("/api/v1/cdrs").ok()?;
        (cdrs.first()?["wrap_ups"][0]["code"] == "sold").then_some(())
    })?;
    switch.ensure_nothing_left()
}

/// The cable is pulled out and the radio comes: another address, another router.
pub fn cable_to_radio(dir: &Path) -> Outcome {
    let (switch, mut desk) = world(dir)?;
    let mut customer = talking(dir, &switch, &mut desk)?;
    net::unplug(DESK, CABLE.router)?;
    desk.hears(BAR, 0.0, SOON)?;
    plug(RADIO)?;
    back(&switch, &mut desk, &mut customer, Instant::now())?;
    over(&switch, &mut desk, customer, RADIO)
}

/// By which network the audio goes, and the other one.
fn used(desk: &mut Desk, customer: &mut Phone) -> Result<(Link, Link), Fail> {
    let before = [net::sent_by(CABLE.router)?, net::sent_by(RADIO.router)?];
    both_hear(desk, customer)?;
    let by_cable = net::sent_by(CABLE.router)? - before[0];
    let by_radio = net::sent_by(RADIO.router)? - before[1];
    Ok(if by_cable > by_radio { (CABLE, RADIO) } else { (RADIO, CABLE) })
}

/// Both networks are there, and the one in use goes dead without a word; later the machine takes it away.
pub fn network_goes_dead(dir: &Path) -> Outcome {
    let (switch, mut desk) = world(dir)?;
    plug(RADIO)?;
    let mut customer = talking(dir, &switch, &mut desk)?;
    let (used, other) = used(&mut desk, &mut customer)?;
    net::goes_dead(used.router)?;
    let dead = Instant::now();
    desk.hears(BAR, 0.0, SOON)?;
    back(&switch, &mut desk, &mut customer, dead)?;
    net::unplug(DESK, used.router)?;
    over(&switch, &mut desk, customer, other)
}
