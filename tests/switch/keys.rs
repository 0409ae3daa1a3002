//! Keys between parties that have them in different ways.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MENU, PASSWORD};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::Sipp;
use cordboard_tests::switch::{SOON, Switch};
use std::path::Path;

/// Calls, presses 5 by INFO when told, takes two keys by INFO, and ends either way.
fn caller() -> Scenario {
    let up = Scenario::caller(MU_LAW).invites().is_answered().waits_for_word().presses_by_info('5', 160);
    up.takes_info().takes_info().ends()
}

/// The keys that came by INFO, in their order.
fn told(sipp: &mut Sipp, count: usize) -> Result<String, Fail> {
    sipp.wait_received("INFO", count)?;
    let key = |text: &str| Some(text.split_once("Signal=")?.1.lines().next()?.trim().to_owned());
    Ok(sipp.received("INFO").iter().filter_map(|info| key(&info.text)).collect())
}

/// A carrier that has keys by INFO, a phone that has RFC 4733 events: each gets the other's keys in its own way.
pub fn info_and_events(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1001").number("600", "user:1001");
    let trunk = "[tenant.default.trunk.carrier]\npeers = [\"127.0.0.2\"]\ndtmf = \"info\"";
    let switch = Switch::start(dir, &config.more(trunk))?;
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_registered("1001", 1)?;
    let mut caller = Phone::by_trunk(dir, "600", &caller(), CALLER)?;
    phone.answers_now()?;
    hear_each_other(&mut caller, &mut phone)?;
    let answer = caller.sipp.wait_received("SIP/2.0 200", 1)?;
    ensure(!answer.text.contains("telephone-event"), || format!("events are agreed in {}", answer.text))?;
    caller.sipp.go_on()?;
    wait_for("the phone to get an event", SOON, || (phone.voice.keys() == "5").then_some(()))?;
    phone.voice.press('7');
    phone.voice.press('#');
    let keys = told(&mut caller.sipp, 2)?;
    ensure(keys == "7#", || format!("the carrier was told {keys}"))?;
    // and they still talk
    hear_each_other(&mut caller, &mut phone)?;
    caller.hangs_up()?;
    phone.ended()?;
    switch.ensure_nothing_left()
}

/// A phone whose account says INFO gets the keys of a carrier that has events.
pub fn account_by_info(dir: &Path) -> Outcome {
    let account = format!("[tenant.default.user.1002]\npassword = \"{PASSWORD}\"\ndtmf = \"info\"");
    let config = Config::new(dir)?.more(&account).trunk().number("600", "user:1002");
    let switch = Switch::start(dir, &config)?;
    let answers = Scenario::called(MU_LAW).says(180, "Ringing").waits_for_word().answers();
    let phone = answers.takes_info().takes_info().takes_info().ends();
    let mut phone = Phone::registered(dir, "1002", 5072, &phone, AGENT)?;
    switch.wait_registered("1002", 1)?;
    let mut caller = Phone::by_trunk(dir, "600", &crate::common::calls(), CALLER)?;
    phone.answers_now()?;
    let invite = phone.sipp.received("INVITE").remove(0);
    ensure(!invite.text.contains("telephone-event"), || format!("events are offered in {}", invite.text))?;
    hear_each_other(&mut caller, &mut phone)?;
    caller.voice.press('4');
    caller.voice.press('*');
    let keys = told(&mut phone.sipp, 2)?;
    ensure(keys == "4*", || format!("the phone was told {keys}"))?;
    // and a key that the API sends, to one party alone
    let call = switch.api.list("/api/v1/calls")?.remove(0);
    let leg = call["legs"][1]["leg"].as_str().unwrap_or_default().to_owned();
    switch.api.post_body(&format!("/api/v1/legs/{leg}/keys"), r#"{"keys": "9"}"#)?;
    let keys = told(&mut phone.sipp, 3)?;
    ensure(keys == "4*9", || format!("the phone was told {keys}"))?;
    ensure(caller.voice.keys().is_empty(), || "the caller got the key, too".into())?;
    caller.hangs_up()?;
    phone.ended()?;
    switch.ensure_nothing_left()
}

/// A carrier that has keys as tones, and a phone that has RFC 4733 events; then a flow that collects from the carrier.
pub fn tones_and_events(dir: &Path) -> Outcome {
    let pin = "local keys = call:collect{prompt = \"menu\", max = 2}\n\
               if keys == \"93\" then call:transfer{user = \"1001\"} end\n";
    let config = Config::new(dir)?.user("1001").flow("pin", pin)?.number("600", "flow:pin");
    let trunk = "[tenant.default.trunk.carrier]\npeers = [\"127.0.0.2\"]\ndtmf = \"inband\"";
    let switch = Switch::start(dir, &config.more(trunk))?;
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_registered("1001", 1)?;
    let mut caller = Phone::by_trunk(dir, "600", &crate::common::calls(), CALLER)?;
    caller.speaks()?;
    caller.voice.hears("the caller", MENU, SOON)?;
    caller.voice.press_as_tones('9');
    caller.voice.press_as_tones('3');
    phone.answers_now()?;
    hear_each_other(&mut caller, &mut phone)?;
    caller.voice.press_as_tones('4');
    caller.voice.press_as_tones('D');
    wait_for("the phone to get two events", SOON, || (phone.voice.keys() == "4D").then_some(()))?;
    caller.voice.forget();
    phone.voice.press('7');
    phone.voice.press('0');
    wait_for("the carrier to hear two keys", SOON, || (caller.voice.toned_keys() == "70").then_some(()))
        .map_err(|why| Fail(format!("{why}; it heard {}", caller.voice.toned_keys())))?;
    caller.hangs_up()?;
    phone.ended()?;
    switch.ensure_nothing_left()
}
