//! Transfers by other people's phones and by the API, each party's ears asserted.

use crate::common::{AGENT, CALLER, SOON, at, field};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::linphone::{Linphone, Way};
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;

/// Tone of the party that another one is sent to, Hz.
const TARGET: f64 = 880.0;

/// 1001 who is sent, 1002 who sends, 1003 whom he sends to: three linphones, registered.
fn three(dir: &Path) -> Result<(Switch, [Linphone; 3]), Fail> {
    three_on(dir, Config::new(dir)?)
}

fn three_on(dir: &Path, config: Config) -> Result<(Switch, [Linphone; 3]), Fail> {
    let config = config.md5_alone().user("1001").user("1002").user("1003");
    let switch = Switch::start(dir, &config)?;
    let phone = |user, hertz| Linphone::start(dir, user, Way::UDP, hertz, true);
    let phones = [phone("1001", CALLER)?, phone("1002", AGENT)?, phone("1003", TARGET)?];
    for (user, phone) in ["1001", "1002", "1003"].iter().zip(&phones) {
        switch.wait_registered(user, 1).map_err(|why| Fail(format!("{why}; it said:\n{}", phone.said())))?;
    }
    Ok((switch, phones))
}

fn legs(cdr: &Value) -> Vec<(String, String)> {
    let legs = at(cdr, "legs").as_array().cloned().unwrap_or_default();
    let text = |leg: &Value, path: &str| at(leg, path).as_str().unwrap_or_default().to_owned();
    legs.iter().map(|leg| (text(leg, "party.user"), text(leg, "cause"))).collect()
}

/// The record of a call from `from`.
fn of(cdrs: &[Value], from: &str) -> Result<Value, Fail> {
    let found = cdrs.iter().find(|cdr| at(cdr, "from.user") == from);
    found.cloned().ok_or_else(|| Fail(format!("no call from {from} in {cdrs:?}")))
}

/// Waits until 1001 is joined with 1003 and has heard him, then hangs up.
fn joined_and_over(switch: &Switch, phones: &mut [Linphone; 3], calls: usize) -> Result<Vec<Value>, Fail> {
    let [sent, sender, target] = phones;
    target.wait_hearing()?;
    switch.wait_calls("bridged", 1)?;
    sender.wait_line("ended", SOON)?;
    sent.wait_hearing_on()?;
    sent.order("terminate")?;
    let cdrs = switch.wait_cdrs(calls)?;
    target.wait_line("ended", SOON)?;
    switch.ensure_nothing_left()?;
    sent.ensure_heard(AGENT)?;
    sent.ensure_heard(TARGET)?;
    target.ensure_heard(CALLER)?;
    Ok(cdrs)
}

fn first_talk(phones: &mut [Linphone; 3]) -> Outcome {
    let [sent, sender, _] = phones;
    sent.order("call 1002")?;
    sent.wait_line("Media streams established", SOON)?;
    sender.wait_line("Media streams established", SOON)?;
    sent.wait_hearing()?;
    sender.wait_hearing()
}

fn stop(phones: [Linphone; 3]) -> Outcome {
    phones.into_iter().try_for_each(|mut phone| phone.stop())
}

/// 1002 sends his caller to 1003 without asking.
pub fn blind(dir: &Path) -> Outcome {
    let (switch, mut phones) = three(dir)?;
    first_talk(&mut phones)?;
    phones[1].order("transfer sip:1003@localhost")?;
    let cdr = joined_and_over(&switch, &mut phones, 1)?.remove(0);
    field(&cdr, "transfers.0.kind", "blind")?;
    field(&cdr, "transfers.0.outcome", "done")?;
    let expected = [("1001", "normal"), ("1002", "transferred"), ("1003", "normal")];
    let expected = expected.map(|(who, why)| (who.to_owned(), why.to_owned()));
    ensure(legs(&cdr) == expected, || format!("legs are {:?}", legs(&cdr)))?;
    stop(phones)
}

/// 1002 puts 1001 on hold and calls 1003, then joins the two.
pub fn attended(dir: &Path) -> Outcome {
    join_two_calls(three(dir)?)
}

/// The same with each call on a media thread of its own: a leg goes from one to the other.
pub fn attended_over_threads(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.media("address = \"127.0.0.1\"\nthreads = 2");
    join_two_calls(three_on(dir, config)?)
}

/// The same where media threads ask for their sockets by `io_uring`.
pub fn attended_by_io_uring(dir: &Path) -> Outcome {
    let media = "address = \"127.0.0.1\"\nthreads = 2\nsockets = \"io_uring\"";
    let all = three_on(dir, Config::new(dir)?.media(media))?;
    let threads = all.0.api.metric("cordboard_media_io_uring")?;
    ensure(threads == 2.0, || format!("{threads} media threads have io_uring"))?;
    join_two_calls(all)
}

fn join_two_calls((switch, mut phones): (Switch, [Linphone; 3])) -> Outcome {
    first_talk(&mut phones)?;
    phones[1].order("pause")?;
    phones[1].wait_line("paused", SOON)?;
    phones[1].order("call 1003")?;
    phones[2].wait_line("Media streams established", SOON)?;
    phones[1].wait_line("Media streams established with sip:1003@localhost", SOON)?;
    switch.wait_calls("bridged", 2)?;
    phones[1].order("transfer 1 --to-call 2")?;
    let cdrs = joined_and_over(&switch, &mut phones, 2)?;
    let (first, second) = (of(&cdrs, "1001")?, of(&cdrs, "1002")?);
    field(&first, "transfers.0.kind", "attended")?;
    field(&first, "transfers.0.outcome", "done")?;
    field(&first, "transfers.0.consultation", at(&second, "call").clone())?;
    field(&second, "joined", at(&first, "call").clone())?;
    field(&second, "cause", "transferred")?;
    stop(phones)
}

/// The API lets 1002 consult 1003, then sends 1001 to him.
pub fn consultation(dir: &Path) -> Outcome {
    let (switch, mut phones) = three(dir)?;
    first_talk(&mut phones)?;
    let call = switch.wait_stage("bridged")?;
    let path = format!("/api/v1/calls/{}/transfer", at(&call, "call").as_str().unwrap_or_default());
    let early = switch.api.send("POST", &format!("{path}/complete"), "")?;
    ensure(early.status == 409, || format!("completed what was not begun: {}", early.status))?;
    switch.api.post_body(&path, r#"{"to": "1003", "consult": true}"#)?;
    phones[2].wait_line("Media streams established", SOON)?;
    phones[2].wait_hearing()?;
    switch.wait_stage("transferring")?;
    switch.api.post(&format!("{path}/complete"))?;
    let cdr = joined_and_over(&switch, &mut phones, 1)?.remove(0);
    phones[2].ensure_heard(AGENT)?;
    field(&cdr, "transfers.0.kind", "attended")?;
    field(&cdr, "transfers.0.outcome", "done")?;
    stop(phones)
}
