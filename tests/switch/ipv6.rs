//! Phones that have IPv6 and phones that have not.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use std::path::Path;

/// A phone's address and the switch's in its family.
type Side = (&'static str, &'static str);

const V4: Side = ("127.0.0.1", "127.0.0.1:5060");
const V6: Side = ("::1", "[::1]:5060");

/// Every side is told an address of its own family, and hears the other.
pub fn calls_across_families(dir: &Path) -> Outcome {
    let config = Config::new(dir)?
        .listen("[::1]:5060")
        .media("address = \"::\"\npublic = \"127.0.0.1\"\npublic6 = \"::1\"")
        .user("1001")
        .user("1002");
    let switch = Switch::start(dir, &config)?;
    for (count, (caller, called)) in [(V6, V4), (V4, V6), (V6, V6)].into_iter().enumerate() {
        call(dir, &switch, caller, called, u16::try_from(count)?)?;
        let cdr = switch.wait_cdrs(count + 1)?.remove(0);
        field(&cdr, "cause", "normal")?;
        switch.ensure_nothing_left()?;
    }
    Ok(())
}

fn call(dir: &Path, switch: &Switch, caller: Side, called: Side, count: u16) -> Outcome {
    let ports = (5_001 + 10 * count, 5_002 + 10 * count);
    let rtp = |port: u16| 41_000 + (port - 5_000) * 2;
    let name = format!("called-{count}");
    let place =
        Setup { ip: called.0, switch: called.1, port: ports.1, rtp: rtp(ports.1), ..Setup::default() };
    let setup = Setup { name: &name, user: "1002", password: PASSWORD, ..place };
    Sipp::register(dir, &setup, 600)?;
    let voice = Voice::new(called.0, setup.rtp, AGENT)?;
    let mut second = Phone { sipp: Sipp::listen(dir, &answers_when_told(), &setup)?, voice };

    let name = format!("caller-{count}");
    let place =
        Setup { ip: caller.0, switch: caller.1, port: ports.0, rtp: rtp(ports.0), ..Setup::default() };
    let from = Setup { name: &name, caller: "1001", user: "1002", password: PASSWORD, ..place };
    let asks = Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends();
    let voice = Voice::new(caller.0, from.rtp, CALLER)?;
    let mut first = Phone { sipp: Sipp::start(dir, &asks, &from)?, voice };

    second.answers_now()?;
    hear_each_other(&mut first, &mut second)?;
    for (phone, side) in [(&mut first, caller), (&mut second, called)] {
        let media = phone.sipp.wait_media()?;
        ensure(media.ip().to_string() == side.0, || format!("audio is wanted at {media} from {}", side.0))?;
    }
    first.hangs_up()?;
    second.sipp.wait_success(SOON)?;
    Sipp::register(dir, &setup, 0)?;
    switch.wait_registered("1002", 0).map_err(|why| Fail(format!("{why}: of call {count}")))
}
