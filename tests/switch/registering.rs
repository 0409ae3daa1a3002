//! Accounts and their phones: digest, several devices, expiry, and what a crash leaves of it.

use crate::common::{SOON, setup};
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::Scenario;
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::switch::Switch;
use std::path::Path;

pub fn registers_and_unregisters(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001").user("1002"))?;
    Sipp::register(dir, &setup("desk", "1001", 5071), 600)?;
    Sipp::register(dir, &setup("soft", "1001", 5072), 600)?;
    Sipp::register(dir, &setup("other", "1002", 5073), 600)?;
    switch.wait_registered("1001", 2)?;
    switch.wait_registered("1002", 1)?;
    Sipp::register(dir, &setup("soft", "1001", 5072), 0)?;
    switch.wait_registered("1001", 1)?;
    let contacts = switch.api.list("/api/v1/contacts")?;
    let left = contacts.iter().find(|c| c["user"]["name"] == "1001");
    let uri = left.and_then(|c| c["uri"].as_str()).unwrap_or_default();
    ensure(uri.contains("127.0.0.1:5071"), || format!("the wrong device is left: {contacts:?}"))?;
    switch.ensure_nothing_left()
}

pub fn wrong_password(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001"))?;
    for (name, user, password) in
        [("guess", "1001", "not-the-secret"), ("nobody", "1999", PASSWORD), ("empty", "1001", "x")]
    {
        let setup = Setup { password, caller: user, ..setup(name, user, 5071) };
        // Asked again, not told whether the account exists.
        let mut sipp = Sipp::start(dir, &Scenario::register(600, 401), &setup)?;
        sipp.wait_success(SOON)?;
    }
    let contacts = switch.api.list("/api/v1/contacts")?;
    ensure(contacts.is_empty(), || format!("registered all the same: {contacts:?}"))?;
    switch.ensure_nothing_left()
}

pub fn expires(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1001").limit("register_min = \"1s\"");
    let switch = Switch::start(dir, &config)?;
    let mut events = switch.api.events(None)?;
    Sipp::register(dir, &setup("short", "1001", 5071), 1)?;
    events.until("the registration", |event| event["type"] == "registered")?;
    events.until("its end", |event| event["type"] == "unregistered")?;
    switch.wait_registered("1001", 0)
}

pub fn survive(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1001").agent("1002").queue("").limit("register_min = \"1s\"");
    let mut switch = Switch::start(dir, &config)?;
    Sipp::register(dir, &setup("desk", "1001", 5071), 600)?;
    Sipp::register(dir, &setup("soft", "1001", 5072), 600)?;
    Sipp::register(dir, &setup("gone", "1001", 5074), 600)?;
    Sipp::register(dir, &setup("gone", "1001", 5074), 0)?;
    Sipp::register(dir, &setup("agent", "1002", 5073), 600)?;
    switch.wait_registered("1001", 2)?;
    switch.wait_agent("1002", "ready")?;
    switch.api.post("/api/v1/agents/1002/rest")?;
    let before = switch.api.list("/api/v1/contacts")?;
    switch.kill();
    let mut switch = Switch::restart(dir)?;
    let after = switch.api.list("/api/v1/contacts")?;
    ensure(before == after, || format!("before the kill {before:?}, after it {after:?}"))?;
    switch.wait_agent("1002", "rest")?;
    switch.stop()?;
    let switch = Switch::restart(dir)?;
    let after = switch.api.list("/api/v1/contacts")?;
    ensure(before == after, || format!("before the stop {before:?}, after it {after:?}"))?;
    switch.wait_agent("1002", "rest")?;
    switch.ensure_nothing_left()
}
