//! Session timers (RFC 4028) in real time. Nothing is below ninety seconds there, so three calls share one test.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, field, hear_each_other, setup};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::Sipp;
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::time::Duration;

/// The shortest interval there is: a refresh is due after 45 s, an end after 60 s.
const TIMERS: &str = "t1 = \"30ms\"\nt2 = \"240ms\"\nt4 = \"300ms\"\nsession_expires = \"90s\"";
/// What a phone says that leaves the refresh to us, and knows no UPDATE.
const WE_REFRESH: &str =
    "Supported: timer\nAllow: INVITE, ACK, BYE, CANCEL\nSession-Expires: 90;refresher=uas\n";
/// The same of a called phone that knows UPDATE.
const CALLER_REFRESHES: &str = "Require: timer\nSupported: timer\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE\n\
                                Session-Expires: 90;refresher=uac\n";
/// What a calling phone says that refreshes itself.
const I_REFRESH: &str = "Supported: timer\nSession-Expires: 90;refresher=uac\n";
/// The same of a called phone, in its answer.
const CALLED_REFRESHES: &str = "Require: timer\nSupported: timer\nSession-Expires: 90;refresher=uas\n";

/// A phone of `user` at `port`, and a caller of the carrier's at `port` too, in a call.
fn call(
    dir: &Path,
    user: &str,
    port: u16,
    calls: &Scenario,
    rings: &Scenario,
) -> Result<(Phone, Phone), Fail> {
    Sipp::register(dir, &setup(&format!("phone-{port}"), user, port), 600)?;
    let mut called = Phone::listening(dir, port, rings, 1, AGENT)?;
    let mut caller = Phone::crowd(dir, port, user, calls, 1, CALLER)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    Ok((caller, called))
}

fn rings() -> Scenario {
    Scenario::called(MU_LAW).says(180, "Ringing").waits_for_word()
}

pub fn by_either_side(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.timer(TIMERS).user("1001").user("1002").user("1003").trunk();
    let switch = Switch::start(dir, &config)?;
    // We refresh: by re-INVITE towards the caller, by UPDATE towards the called phone.
    let asks = Scenario::caller(MU_LAW).invites_saying(WE_REFRESH).is_answered();
    let asks = asks.is_refreshed_by_reinvite("Session-Expires: 90;refresher=uac\n").ends();
    let takes = rings().answers_saying(CALLER_REFRESHES).is_refreshed_by_update(CALLER_REFRESHES).ends();
    let mut first = call(dir, "1001", 5071, &asks, &takes)?;
    // They refresh, when the test says so.
    let asks = Scenario::caller(MU_LAW).invites_saying(I_REFRESH).is_answered().waits_for_word();
    let asks = asks.refreshes_by_reinvite(I_REFRESH).ends();
    let takes = rings().answers_saying(CALLED_REFRESHES).waits_for_word().refreshes_by_update(I_REFRESH);
    let mut second = call(dir, "1002", 5072, &asks, &takes.ends())?;
    // It said that it would refresh, and is gone.
    let asks = Scenario::caller(MU_LAW).invites_saying(I_REFRESH).is_answered().ends();
    let mut third = call(dir, "1003", 5073, &asks, &answers_when_told())?;

    let half = Duration::from_secs(50);
    wait_for("our refresh by re-INVITE", half, || {
        (first.0.sipp.received("INVITE").len() == 1).then_some(())
    })?;
    let update = first.1.sipp.wait_received("UPDATE", 1)?;
    let expires = update.header("Session-Expires").unwrap_or_default();
    ensure(expires == "90;refresher=uac", || format!("the UPDATE says {expires:?}"))?;
    second.0.sipp.go_on()?;
    second.1.sipp.go_on()?;
    let agreed = second.0.sipp.wait_received("SIP/2.0 200", 2)?;
    let expires = agreed.header("Session-Expires").unwrap_or_default();
    ensure(expires == "90;refresher=uac", || format!("the answer to the refresh says {expires:?}"))?;
    second.1.sipp.wait_received("SIP/2.0 200", 1)?;

    // "the side not performing refreshes ... SHOULD send a BYE" (RFC 4028 10), a third of the interval before its end.
    wait_for("the end of the call that nobody refreshed", Duration::from_secs(20), || {
        (!third.0.sipp.received("BYE").is_empty()).then_some(())
    })?;
    let bye = third.0.sipp.wait_received("BYE", 1)?;
    let reason = bye.header("Reason").unwrap_or_default();
    ensure(reason.contains("cause=408"), || format!("the BYE says {reason:?}"))?;
    third.0.ended()?;
    third.1.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "unreachable")?;
    let lasted = cdr["ended"].as_u64().zip(cdr["answered"].as_u64()).map(|(end, begin)| end - begin);
    ensure(lasted.is_some_and(|ms| (59_000..63_000).contains(&ms)), || format!("it lasted {lasted:?} ms"))?;

    // The others began before it and would have ended before it.
    switch.wait_calls("bridged", 2)?;
    for (caller, called) in [&mut first, &mut second] {
        caller.voice.forget();
        called.voice.forget();
        hear_each_other(caller, called)?;
        caller.hangs_up()?;
        called.ended()?;
    }
    let cdrs = switch.wait_cdrs(3)?;
    let normal = cdrs.iter().filter(|cdr| cdr["cause"] == "normal").count();
    ensure(normal == 2, || format!("the records are {cdrs:?}"))?;
    switch.ensure_nothing_left()
}
