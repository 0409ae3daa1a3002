//! What is asked and not given, and what is asked and answered outside a call.

use crate::common::{Phone, answers_when_told, field, setup};
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{G729, MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::switch::{SOON, Switch};
use std::path::Path;

pub fn wrong_password(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001").user("1002"))?;
    let called = Phone::registered(dir, "1002", 5072, &answers_when_told(), 0.0)?;
    let tries = Scenario::caller(MU_LAW).invites_with_digest().is_refused(401);
    let setup = Setup { caller: "1001", password: "not-the-secret", ..setup("guess", "1002", 5071) };
    Sipp::start(dir, &tries, &setup)?.wait_success(SOON)?;
    ensure(called.sipp.messages().is_empty(), || format!("it rang: {}", called.sipp.log()))?;
    switch.ensure_nothing_left()?;
    // Nobody has called: there is nothing to record.
    switch.wait_cdrs(0).map(drop)
}

pub fn options(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001").trunk())?;
    let asks = Scenario::caller(MU_LAW).asks("OPTIONS").receives(200);
    let setup = Setup { ip: "127.0.0.2", user: "1001", ..Setup::default() };
    let mut sipp = Sipp::start(dir, &asks, &setup)?;
    sipp.wait_success(SOON)?;
    let answer = sipp.wait_received("SIP/2.0 200", 1)?;
    for (header, holds) in [("Allow", "INVITE"), ("Accept", "application/sdp")] {
        let value = answer.header(header).unwrap_or_default();
        ensure(value.contains(holds), || format!("{header} is {value:?}"))?;
    }
    switch.ensure_nothing_left()
}

pub fn not_found(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.queue("").trunk())?;
    let tries = Scenario::caller(MU_LAW).invites().is_refused(404);
    let mut caller = Phone::by_trunk(dir, "999", &tries, 0.0)?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "no_route")?;
    field(&cdr, "to.user", "999")?;
    field(&cdr, "answered", serde_json::Value::Null)?;
    switch.ensure_nothing_left()
}

pub fn no_device(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001").trunk())?;
    let tries = Scenario::caller(MU_LAW).invites().is_refused(480);
    let mut caller = Phone::by_trunk(dir, "1001", &tries, 0.0)?;
    caller.ended()?;
    field(&switch.wait_cdrs(1)?.remove(0), "cause", "not_registered")?;
    switch.ensure_nothing_left()
}

pub fn no_codec(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.queue("").trunk())?;
    let tries = Scenario::caller(G729).invites().is_refused(488);
    let mut caller = Phone::by_trunk(dir, "501", &tries, 0.0)?;
    caller.ended()?;
    field(&switch.wait_cdrs(1)?.remove(0), "cause", "incompatible")?;
    switch.ensure_nothing_left()
}
