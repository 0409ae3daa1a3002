//! A WebRTC peer that is not a browser (aiortc), behind a router: tones both ways over ICE and DTLS-SRTP, whoever calls.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, field};
use crate::roaming::{CUSTOMER, SWITCH, customer_calls, switch_with};
use cordboard_tests::config::PASSWORD;
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::net::{self, Ports, inside};
use cordboard_tests::process::Process;
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::process::Command;

/// What the peer says where it comes from.
const ORIGIN: &str = "http://127.0.0.1:8099";
/// Time for Python to load its libraries on a loaded machine.
const START: std::time::Duration = std::time::Duration::from_secs(30);

fn world(dir: &Path) -> Result<Switch, Fail> {
    let switch = switch_with(dir, ORIGIN)?;
    net::router("home", "203.0.113.31", Ports::Kept)?;
    net::host_behind("home", "peer", "192.168.1.2")?;
    Ok(switch)
}

/// The peer, registered, saying [`CALLER`]; calls this number at once, if one is given.
fn peer(dir: &Path, number: Option<&str>) -> Result<Process, Fail> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("switch/webrtc_peer.py");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(script).arg(format!("ws://{SWITCH}:5062")).args([ORIGIN, PASSWORD, &CALLER.to_string()]);
    command.args(number);
    let mut peer = inside("peer", || Process::start("peer", dir, command))?;
    peer.wait_line("{\"registered\": 200}", START)?;
    Ok(peer)
}

/// Both hear each other; the phone hangs up; one call is on record, and every packet was sealed rightly.
fn talk(switch: &Switch, mut peer: Process, mut phone: Phone) -> Outcome {
    let explained = |why: Fail, peer: &Process| {
        Fail(format!("{why}; the peer:\n{}\nthe switch:\n{}", peer.output(), switch.log()))
    };
    inside(CUSTOMER, || phone.speaks())?;
    peer.wait_line(&format!("{{\"hears\": {AGENT}"), SOON).map_err(|why| explained(why, &peer))?;
    phone.voice.hears("the phone", CALLER, SOON).map_err(|why| explained(why, &peer))?;
    inside(CUSTOMER, || phone.hangs_up())?;
    peer.wait_line("{\"ended\": true}", SOON)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    for leg in cdr["legs"].as_array().into_iter().flatten() {
        let stats = &leg["stats"];
        let clean =
            stats["fault"].is_null() && stats["unsealed"] == 0 && stats["received"].as_u64() > Some(10);
        ensure(clean, || format!("{cdr}"))?;
    }
    switch.ensure_nothing_left()
}

pub fn calls_a_phone(dir: &Path) -> Outcome {
    let switch = world(dir)?;
    let from = Setup { ip: "203.0.113.21", switch: "203.0.113.10:5060", port: 5_072, ..Setup::default() };
    let setup = Setup { name: "phone", user: "1002", password: PASSWORD, ..from };
    let mut phone = inside(CUSTOMER, || {
        Sipp::register(dir, &setup, 600)?;
        let voice = Voice::new(setup.ip, setup.rtp, AGENT)?;
        Ok(Phone { sipp: Sipp::listen(dir, &answers_when_told(), &setup)?, voice })
    })?;
    let peer = peer(dir, Some("1002"))?;
    inside(CUSTOMER, || phone.answers_now())?;
    talk(&switch, peer, phone)
}

pub fn is_called_by_a_phone(dir: &Path) -> Outcome {
    let switch = world(dir)?;
    let peer = peer(dir, None)?;
    let phone = customer_calls(dir)?;
    talk(&switch, peer, phone)
}
