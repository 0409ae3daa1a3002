//! A browser's phone that goes from one network to another in the middle of its call.
//!
//! The browser has a place of its own, with a link to one router and then, or too, to another. Both translate addresses.

use crate::browser_calls::{BACK, Browser, PAGE, explained};
use crate::common::{AGENT, CALLER, Phone, SOON, field};
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::net::{self, Ports, inside};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

/// The switch's address.
pub const SWITCH: &str = "203.0.113.10";
/// Where the customer is.
pub const CUSTOMER: &str = "customer";
/// Where the browser is.
pub const DESK: &str = "desk";
/// What the desk has at first.
pub const CABLE: Link = Link { router: "cable", public: "203.0.113.31", inner: "192.168.1", metric: 100 };
/// What it has later.
pub const RADIO: Link = Link { router: "radio", public: "203.0.113.32", inner: "192.168.2", metric: 200 };

/// A network that the browser may be in.
#[derive(Clone, Copy)]
pub struct Link {
    /// The host that is its router.
    pub router: &'static str,
    /// Its router's address on the internet.
    pub public: &'static str,
    /// What addresses behind the router begin with.
    pub inner: &'static str,
    /// The lower is gone by where there are two.
    pub metric: u32,
}

/// Gives the desk a link.
pub fn plug(link: Link) -> Outcome {
    net::plug(DESK, link.router, link.inner, 2, link.metric)
}

/// The internet with a customer and the switch, whose accounts are 1001, by WebSocket too from pages of this origin, and 1002.
pub fn switch_with(dir: &Path, origin: &str) -> Result<Switch, Fail> {
    net::internet()?;
    net::switch_at(SWITCH, None)?;
    net::host(CUSTOMER, "203.0.113.21")?;
    let config = Config::new(dir)?.listens(&["203.0.113.10:5060", "ws:203.0.113.10:5062"]);
    let config = config.media("address = \"203.0.113.10\"").sip(&format!("origins = [\"{origin}\"]"));
    Switch::start(dir, &config.md5_alone().user("1001").user("1002"))
}

/// The same with the two routers and the browser's place, which has the cable.
fn world(dir: &Path) -> Result<Switch, Fail> {
    let switch = switch_with(dir, &format!("http://{PAGE}"))?;
    net::router_of(CABLE.inner, CABLE.router, CABLE.public, Ports::Kept)?;
    net::router_of(RADIO.inner, RADIO.router, RADIO.public, Ports::ForEachPeer)?;
    net::host_apart(DESK)?;
    plug(CABLE)?;
    Ok(switch)
}

/// The customer calls 1001, who answers.
pub fn customer_calls(dir: &Path) -> Result<Phone, Fail> {
    let calls = Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends();
    let from = Setup { ip: "203.0.113.21", switch: "203.0.113.10:5060", port: 5_072, ..Setup::default() };
    let setup = Setup { name: "customer", caller: "1002", user: "1001", password: PASSWORD, ..from };
    inside(CUSTOMER, || {
        let voice = Voice::new(setup.ip, setup.rtp, AGENT)?;
        let mut phone = Phone { sipp: Sipp::start(dir, &calls, &setup)?, voice };
        phone.speaks()?;
        Ok(phone)
    })
}

/// The customer calls the browser; both hear each other.
fn talking(dir: &Path) -> Result<(Browser, Phone), Fail> {
    let mut browser = inside(DESK, || Browser::open_for(dir, &format!("ws://{SWITCH}:5062")))?;
    let mut customer = customer_calls(dir)?;
    both_hear(&mut browser, &mut customer)?;
    Ok((browser, customer))
}

fn both_hear(browser: &mut Browser, customer: &mut Phone) -> Outcome {
    browser.hears(AGENT, SOON)?;
    customer.voice.forget();
    customer.voice.hears("the customer", CALLER, SOON)
}

/// Both hear each other soon enough after `began`.
fn back(switch: &Switch, browser: &mut Browser, customer: &mut Phone, began: Instant) -> Outcome {
    let heard = both_hear(browser, customer);
    let took = began.elapsed();
    explained(heard, browser, switch)?;
    let soon = ensure(took <= BACK, || format!("back after {took:?}"));
    explained(soon, browser, switch)
}

/// The browser's phone is registered by its other network, the customer's leg was not touched, and one call is on record.
fn over(switch: &Switch, mut browser: Browser, mut customer: Phone, by: Link) -> Outcome {
    let restarted = browser.sees("restarted");
    explained(restarted, &mut browser, switch)?;
    let contacts = switch.api.list("/api/v1/contacts")?;
    let reached = format!("ws:{}:", by.public);
    let there = |contact: &Value| contact["flow"].as_str().is_some_and(|flow| flow.starts_with(&reached));
    ensure(contacts.len() == 1 && contacts.iter().all(there), || format!("{contacts:?}"))?;
    let touched = customer.sipp.messages().into_iter().filter(|message| {
        !message.sent && (message.text.starts_with("BYE") || message.text.starts_with("INVITE"))
    });
    ensure(touched.count() == 0, || customer.sipp.log())?;
    inside(CUSTOMER, || customer.hangs_up())?;
    let ended = browser.sees("ended");
    explained(ended, &mut browser, switch)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    switch.ensure_nothing_left()
}

/// The cable is pulled out and the radio comes: another address, another router.
pub fn cable_to_radio(dir: &Path) -> Outcome {
    let switch = world(dir)?;
    let (mut browser, mut customer) = talking(dir)?;
    net::unplug(DESK, CABLE.router)?;
    browser.hears(0.0, SOON)?;
    plug(RADIO)?;
    back(&switch, &mut browser, &mut customer, Instant::now())?;
    over(&switch, browser, customer, RADIO)
}

/// Both networks are there, and the one in use goes dead without a word: both ends take the other by themselves. Signalling
/// follows when the browser's machine has seen it, too.
pub fn network_goes_dead(dir: &Path) -> Outcome {
    let switch = world(dir)?;
    plug(RADIO)?;
    let (mut browser, mut customer) = talking(dir)?;
    // its own address, or the router's once it has seen that
    let from = browser.speaks_from()?;
    let (used, other) = match [CABLE.inner, CABLE.public].iter().any(|place| from.starts_with(place)) {
        true => (CABLE, RADIO),
        false => (RADIO, CABLE),
    };
    net::goes_dead(used.router)?;
    let dead = Instant::now();
    browser.hears(0.0, SOON)?;
    back(&switch, &mut browser, &mut customer, dead)?;
    net::unplug(DESK, used.router)?;
    over(&switch, browser, customer, other)
}
