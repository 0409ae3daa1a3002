//! Two tenants on one switch: the same numbers, two houses.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other, setup};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, PASSWORD};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::Sipp;
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use std::path::Path;

const FIRST: &str = "first.test";
const SECOND: &str = "second.test";
/// Tone of the second tenant's phone, Hz.
const OTHER: f64 = 880.0;

/// Registers `user` of the tenant with this domain at `port`, and waits for a call, saying `hertz`.
fn phone(dir: &Path, domain: &str, user: &str, port: u16, hertz: f64) -> Result<Phone, Fail> {
    let name = format!("phone-{port}");
    let setup = setup(&name, user, port);
    Sipp::register_by(dir, &setup, &Scenario::register(600, 200).within(domain))?;
    let voice = Voice::new("127.0.0.1", setup.rtp, hertz)?;
    let scenario = answers_when_told().within(domain);
    Ok(Phone { sipp: Sipp::listen(dir, &scenario, &setup)?, voice })
}

fn config(dir: &Path) -> Result<Config, Fail> {
    let second = format!(
        "[[tenant.default.trunk.carrier.shared]]\nnumber = \"+4930700\"\ntenant = \"second\"\n\
         [tenant.second]\ndomains = [\"{SECOND}\"]\n\
         [tenant.second.user.1001]\npassword = \"{PASSWORD}\"\n\
         [tenant.second.user.1002]\npassword = \"{PASSWORD}\"\n\
         [tenant.second.user.1003]\npassword = \"{PASSWORD}\"\n\
         [tenant.second.agent.1001]\n\
         [[tenant.second.number]]\naccess_code = \"+4930700\"\nto = \"agent:1001\"\n\
         [[api_key]]\nname = \"second\"\ntenant = \"second\"\nkey = \"the-key-of-the-second-tenant\""
    );
    let first = Config::new(dir)?.tenant(&format!("domains = [\"{FIRST}\", \"127.0.0.1\"]"));
    let first = first.agent("1001").user("1002").queue("").number("+4930600", "agent:1001");
    Ok(first.trunk().more(&second))
}

/// 1002 of a tenant calls 1001 of the same, and they hear each other; nobody else is rung.
fn calls_at_home(dir: &Path, domain: &str, port: u16, called: &mut Phone, hertz: f64) -> Outcome {
    let name = format!("caller-{port}");
    let own = setup(&name, "1001", port);
    let own = cordboard_tests::sipp::Setup { caller: "1002", ..own };
    let voice = Voice::new("127.0.0.1", own.rtp, CALLER)?;
    let scenario = Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends().within(domain);
    let mut caller = Phone { sipp: Sipp::start(dir, &scenario, &own)?, voice };
    called.answers_now()?;
    caller.speaks()?;
    called.speaks()?;
    caller.voice.hears("the caller", hertz, crate::common::SOON)?;
    called.voice.hears("the called party", CALLER, crate::common::SOON)?;
    let challenge = caller.sipp.received("SIP/2.0 401").remove(0);
    let realm = challenge.header("WWW-Authenticate").unwrap_or_default().to_owned();
    ensure(realm.contains(&format!("realm=\"{domain}\"")), || format!("the realm is in {realm}"))?;
    caller.hangs_up()?;
    called.ended()
}

/// 1001 in two domains is two agents with two realms, each called in his own house.
pub fn two_of_one_name(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &config(dir)?)?;
    let mut first = phone(dir, FIRST, "1001", 5071, AGENT)?;
    let mut second = phone(dir, SECOND, "1001", 5072, OTHER)?;
    calls_at_home(dir, FIRST, 5081, &mut first, AGENT)?;
    ensure(second.sipp.received("INVITE").is_empty(), || "the second tenant's 1001 was rung".into())?;
    calls_at_home(dir, SECOND, 5082, &mut second, OTHER)?;
    ensure(first.sipp.received("INVITE").len() == 1, || "the first tenant's 1001 was rung, too".into())?;
    // each house has its own records, and its own key shows nothing of the other
    let own = switch.wait_cdrs(1)?;
    ensure(own.len() == 1, || format!("the first tenant has {} records", own.len()))?;
    field(&own[0], "from.user", "1002")?;
    switch.ensure_nothing_left()
}

/// A phone that dials into the other house finds nobody there; nor does one that takes the other's account.
pub fn nobody_crosses(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &config(dir)?)?;
    let second = phone(dir, SECOND, "1001", 5072, OTHER)?;
    // From one's own house, the Request-URI in the other's.
    let across = Scenario::caller(MU_LAW).invites_with_digest().is_refused(404).within(FIRST);
    let across = across.dials_into(FIRST, SECOND);
    let own = setup("across", "1001", 5081);
    let own = cordboard_tests::sipp::Setup { caller: "1002", ..own };
    Sipp::start(dir, &across, &own)?.wait_success(crate::common::SOON)?;
    // 1003 is an account of the second tenant alone.
    let stranger = Scenario::caller(MU_LAW).invites_with_digest().is_refused(403).within(FIRST);
    let own = setup("stranger", "1001", 5082);
    let own = cordboard_tests::sipp::Setup { caller: "1003", ..own };
    let mut stranger = Sipp::start(dir, &stranger, &own)?;
    stranger.wait_received("SIP/2.0 401", 2)?;
    stranger.kill();
    ensure(second.sipp.received("INVITE").is_empty(), || "the second tenant's 1001 was rung".into())?;
    drop(switch);
    Ok(())
}

/// A trunk that two tenants share: whose number is called, his agent rings.
pub fn a_shared_trunk(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &config(dir)?)?;
    let mut first = phone(dir, FIRST, "1001", 5071, AGENT)?;
    let mut second = phone(dir, SECOND, "1001", 5072, OTHER)?;
    switch.wait_registered("1001", 1)?;
    let mut caller = Phone::by_trunk(dir, "+4930600", &calls(), CALLER)?;
    first.answers_now()?;
    hear_each_other(&mut caller, &mut first)?;
    caller.hangs_up()?;
    first.ended()?;
    drop(caller);
    ensure(second.sipp.received("INVITE").is_empty(), || "the second tenant's 1001 was rung".into())?;
    let mut caller = Phone::by_trunk(dir, "+4930700", &calls(), CALLER)?;
    second.answers_now()?;
    caller.speaks()?;
    second.speaks()?;
    caller.voice.hears("the caller", OTHER, crate::common::SOON)?;
    second.voice.hears("the second tenant's agent", CALLER, crate::common::SOON)?;
    caller.hangs_up()?;
    second.ended()?;
    drop(caller);
    // a number of the first that is not shared is not the second's
    let unknown = Scenario::caller(MU_LAW).invites().is_refused(404);
    Phone::by_trunk(dir, "+4930800", &unknown, 0.0)?.ended()?;
    let own = switch.wait_cdrs(2)?;
    ensure(own.len() == 2, || format!("the first tenant has {} records", own.len()))?;
    switch.ensure_nothing_left()
}
