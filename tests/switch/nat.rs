//! Routers that translate addresses between the switch and its phones: in each arrangement a call to a queue, hold, resume,
//! and a transfer, with what every party hears.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC, PASSWORD};
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::net::{self, Ports, inside};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::time::Duration;

/// Tone of the party that the caller is sent to, Hz.
const TARGET: f64 = 880.0;
/// The switch's address, as all the world sees it.
const SWITCH: &str = "203.0.113.10";
const SWITCH6: &str = "2001:db8::10";

/// Where a phone is.
#[derive(Clone, Copy)]
struct Place {
    host: &'static str,
    address: &'static str,
    switch: &'static str,
}

const fn at_v4(host: &'static str, address: &'static str) -> Place {
    Place { host, address, switch: "203.0.113.10:5060" }
}

/// A phone of the matrix: everything it does, it does from where it is.
struct Placed {
    phone: Phone,
    host: &'static str,
}

impl Placed {
    /// Registers and waits for a call.
    fn registered(dir: &Path, place: Place, user: &str, port: u16, hertz: f64) -> Result<Self, Fail> {
        let name = format!("phone-{user}");
        let setup = setup(&name, place, user, port);
        let phone = inside(place.host, || {
            Sipp::register(dir, &setup, 600)?;
            let voice = Voice::new(place.address, setup.rtp, hertz)?;
            Ok(Phone { sipp: Sipp::listen(dir, &answers_when_told().asks_for_its_port(), &setup)?, voice })
        })?;
        Ok(Self { phone, host: place.host })
    }

    /// Calls the queue; holds and resumes when told.
    fn calling(dir: &Path, place: Place, user: &str, port: u16) -> Result<Self, Fail> {
        let up = Scenario::caller(MU_LAW).invites_with_digest().is_answered();
        let held = up.waits_for_word().offers_again("sendonly").is_agreed();
        let calls = held.waits_for_word().offers_again("sendrecv").is_agreed().ends().asks_for_its_port();
        let name = format!("phone-{user}");
        let setup = Setup { caller: user, user: "501", ..setup(&name, place, user, port) };
        let phone = inside(place.host, || {
            let voice = Voice::new(place.address, setup.rtp, CALLER)?;
            Ok(Phone { sipp: Sipp::start(dir, &calls, &setup)?, voice })
        })?;
        Ok(Self { phone, host: place.host })
    }

    fn does(&mut self, act: impl FnOnce(&mut Phone) -> Outcome + Send) -> Outcome {
        let (host, phone) = (self.host, &mut self.phone);
        inside(host, || act(phone))
    }

    fn hears(&self, hertz: f64) -> Outcome {
        self.phone.voice.forget();
        self.phone.voice.hears(self.host, hertz, SOON)
    }
}

fn setup<'a>(name: &'a str, place: Place, user: &'a str, port: u16) -> Setup<'a> {
    let from = Setup { ip: place.address, switch: place.switch, port, ..Setup::default() };
    Setup { name, user, password: PASSWORD, rtp: 41_000 + (port - 5_000) * 2, ..from }
}

fn both_hear(caller: &mut Placed, called: &mut Placed, hertz: f64) -> Outcome {
    caller.does(Phone::speaks)?;
    called.does(Phone::speaks)?;
    caller.hears(hertz)?;
    called.hears(CALLER)
}

fn house(dir: &Path) -> Result<Config, Fail> {
    let config = Config::new(dir)?.listens(&["203.0.113.10:5060"]).media("address = \"203.0.113.10\"");
    Ok(config.agent("1001").queue("").user("1002").user("1003"))
}

/// A call to the queue, hold by the caller, resume, transfer to a third party, end.
fn call_hold_and_transfer(dir: &Path, config: &Config, caller: Place, agent: Place) -> Outcome {
    let switch = Switch::start(dir, config)?;
    net::host("third", "203.0.113.23")?;
    let mut agent = Placed::registered(dir, agent, "1001", 5071, AGENT)?;
    let mut third = Placed::registered(dir, at_v4("third", "203.0.113.23"), "1003", 5073, TARGET)?;
    let mut caller = Placed::calling(dir, caller, "1002", 5072)?;
    agent.does(Phone::answers_now)?;
    both_hear(&mut caller, &mut agent, AGENT)?;
    let mut events = switch.api.events(None)?;

    caller.does(|phone| phone.sipp.go_on())?;
    events.until("the hold", |e| e["type"] == "leg_held" && e["held"] == true)?;
    agent.hears(MUSIC)?;
    caller.does(|phone| phone.sipp.wait_sent("ACK", 3).map(drop))?;
    caller.does(|phone| phone.sipp.go_on())?;
    events.until("the end of the hold", |e| e["type"] == "leg_held" && e["held"] == false)?;
    both_hear(&mut caller, &mut agent, AGENT)?;

    let call = switch.wait_stage("bridged")?;
    let path = format!("/api/v1/calls/{}/transfer", at(&call, "call").as_str().unwrap_or_default());
    switch.api.post_body(&path, r#"{"to": "1003"}"#)?;
    third.does(Phone::answers_now)?;
    agent.does(Phone::ended)?;
    both_hear(&mut caller, &mut third, TARGET)?;

    caller.does(|phone| phone.sipp.wait_sent("ACK", 4).map(drop))?;
    caller.does(Phone::gives_up)?;
    third.does(Phone::ended)?;
    judge(&switch.wait_cdrs(1)?.remove(0))?;
    switch.ensure_nothing_left()
}

/// Nobody's audio was missing, lost or from elsewhere.
fn judge(cdr: &serde_json::Value) -> Outcome {
    let legs = at(cdr, "legs").as_array().cloned().unwrap_or_default();
    ensure(legs.len() == 3, || format!("{} legs in {cdr}", legs.len()))?;
    for leg in &legs {
        let verdict = at(leg, "verdict").as_str().unwrap_or_default();
        if verdict.contains("no audio") || verdict.contains("loses") || at(leg, "stats.foreign") != 0 {
            return fail(format!("a leg's verdict is {verdict:?}: {leg}"));
        }
    }
    Ok(())
}

/// The internet with the switch on it.
fn open_switch() -> Outcome {
    net::internet()?;
    net::switch_at(SWITCH, None)
}

const CALLER_OPEN: Place = at_v4("caller", "203.0.113.21");
const AGENT_OPEN: Place = at_v4("agent", "203.0.113.22");
const CALLER_BEHIND: Place = at_v4("caller", "192.168.1.2");
const AGENT_BEHIND: Place = at_v4("agent", "192.168.1.3");

/// A phone on the internet, or behind a router of its own.
fn place(phone: Place, router: Option<(&str, &str, Ports)>) -> Outcome {
    match router {
        None => net::host(phone.host, phone.address),
        Some((name, public, ports)) => {
            net::router(name, public, ports)?;
            net::host_behind(name, phone.host, phone.address)
        }
    }
}

const HOME: (&str, &str, Ports) = ("home", "203.0.113.31", Ports::Kept);
const OFFICE: (&str, &str, Ports) = ("office", "203.0.113.32", Ports::Kept);

pub fn none(dir: &Path) -> Outcome {
    open_switch()?;
    place(CALLER_OPEN, None)?;
    place(AGENT_OPEN, None)?;
    call_hold_and_transfer(dir, &house(dir)?, CALLER_OPEN, AGENT_OPEN)
}

pub fn caller_behind(dir: &Path) -> Outcome {
    open_switch()?;
    place(CALLER_BEHIND, Some(HOME))?;
    place(AGENT_OPEN, None)?;
    call_hold_and_transfer(dir, &house(dir)?, CALLER_BEHIND, AGENT_OPEN)
}

pub fn agent_behind(dir: &Path) -> Outcome {
    open_switch()?;
    place(CALLER_OPEN, None)?;
    place(AGENT_BEHIND, Some(OFFICE))?;
    call_hold_and_transfer(dir, &house(dir)?, CALLER_OPEN, AGENT_BEHIND)
}

pub fn both_behind_one(dir: &Path) -> Outcome {
    open_switch()?;
    place(CALLER_BEHIND, Some(OFFICE))?;
    net::host_behind("office", AGENT_BEHIND.host, AGENT_BEHIND.address)?;
    call_hold_and_transfer(dir, &house(dir)?, CALLER_BEHIND, AGENT_BEHIND)
}

/// Two networks with the same addresses inside.
pub fn both_behind_two(dir: &Path) -> Outcome {
    let agent = at_v4("agent", "192.168.1.2");
    open_switch()?;
    place(CALLER_BEHIND, Some(HOME))?;
    place(agent, Some(OFFICE))?;
    call_hold_and_transfer(dir, &house(dir)?, CALLER_BEHIND, agent)
}

pub fn symmetric(dir: &Path) -> Outcome {
    open_switch()?;
    place(CALLER_BEHIND, Some(("home", "203.0.113.31", Ports::ForEachPeer)))?;
    place(AGENT_BEHIND, Some(("office", "203.0.113.32", Ports::ForEachPeer)))?;
    call_hold_and_transfer(dir, &house(dir)?, CALLER_BEHIND, AGENT_BEHIND)
}

/// The switch has a private address and is told its public one; the agent is behind a router, too.
pub fn switch_behind_one_to_one(dir: &Path) -> Outcome {
    net::internet()?;
    net::switch_behind_one_to_one("10.0.0.10", "10.0.0.1", SWITCH)?;
    place(CALLER_OPEN, None)?;
    place(AGENT_BEHIND, Some(OFFICE))?;
    let config = house(dir)?.listens(&["10.0.0.10:5060"]).media("address = \"10.0.0.10\"");
    let config = config.sip(&format!("public = \"{SWITCH}\""));
    call_hold_and_transfer(dir, &config, CALLER_OPEN, AGENT_BEHIND)
}

/// A caller with IPv4 alone, behind a router, and an agent with IPv6 alone.
pub fn ipv4_to_ipv6(dir: &Path) -> Outcome {
    let agent = Place { host: "agent", address: "2001:db8::22", switch: "[2001:db8::10]:5060" };
    net::internet()?;
    net::switch_at(SWITCH, Some(SWITCH6))?;
    place(CALLER_BEHIND, Some(HOME))?;
    place(agent, None)?;
    let media = format!("address = \"::\"\npublic = \"{SWITCH}\"\npublic6 = \"{SWITCH6}\"");
    let config = house(dir)?.listens(&["203.0.113.10:5060", "[2001:db8::10]:5060"]).media(&media);
    call_hold_and_transfer(dir, &config, CALLER_BEHIND, agent)
}

/// Talks with the agent behind a router for so long, and gives the verdicts on both.
fn verdicts(
    dir: &Path,
    fault: impl FnOnce() -> Outcome,
    heard: bool,
    talk: Duration,
) -> Result<[String; 2], Fail> {
    open_switch()?;
    place(CALLER_OPEN, None)?;
    place(AGENT_BEHIND, Some(OFFICE))?;
    fault()?;
    let switch = Switch::start(dir, &house(dir)?)?;
    let mut agent = Placed::registered(dir, AGENT_BEHIND, "1001", 5071, AGENT)?;
    let mut caller = Placed::calling(dir, CALLER_OPEN, "1002", 5072)?;
    agent.does(Phone::answers_now)?;
    caller.does(Phone::speaks)?;
    agent.does(Phone::speaks)?;
    if heard {
        caller.hears(AGENT)?;
    }
    // The verdict is about the time that was talked: there is no event to wait for.
    std::thread::sleep(talk);
    agent.does(Phone::hangs_up)?;
    // Its scenario would hold: it is hung up on before.
    caller.phone.sipp.kill();
    let cdr = switch.wait_cdrs(1)?.remove(0);
    let of = |leg: usize| at(&cdr, &format!("legs.{leg}.verdict")).as_str().unwrap_or_default().to_owned();
    Ok([of(0), of(1)])
}

/// A firewall that lets signalling through and no audio: the record says which address was named.
pub fn no_audio(dir: &Path) -> Outcome {
    let blocked = || net::lets_no_audio_out(OFFICE.0);
    let [caller, agent] = verdicts(dir, blocked, false, Duration::from_millis(3_300))?;
    ensure(agent == "no audio from the agent: its SDP names a private address", || agent)?;
    ensure(caller.starts_with("the caller's uplink is clean"), || caller)
}

/// A line that loses one packet in ten, and one that loses five side by side.
pub fn loss(dir: &Path) -> Outcome {
    let [_, agent] = verdicts(dir, || net::loses(OFFICE.0, 10, 1), true, Duration::from_secs(2))?;
    let scattered = ["the agent's uplink loses 10 %;", "the agent's uplink loses 9 %;"];
    ensure(scattered.iter().any(|said| agent.starts_with(said)), || agent)
}

pub fn loss_in_bursts(dir: &Path) -> Outcome {
    let [_, agent] = verdicts(dir, || net::loses(OFFICE.0, 10, 5), true, Duration::from_secs(3))?;
    ensure(agent.starts_with("the agent's uplink loses ") && agent.contains(" % in bursts;"), || agent)
}
