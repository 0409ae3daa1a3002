//! What flows dial, at the running switch: several phones at once, words to who answers, and what follows the talk.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::config::{Config, MENU, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::time::Duration;

/// What who answers hears before he is joined, Hz.
const WHISPER: f64 = 880.0;

/// Three phones ring at once to the caller's music. One refuses with his key, another takes the call with his, each having
/// heard alone what he is told; the third is cancelled. When the called side leaves, the flow has the caller again.
pub fn several(dir: &Path) -> Outcome {
    let flow = "call:answer()
        local how, who = call:dial{{user = '1001'}, {user = '1002', caller = '4711', caller_name = 'House'}, {user = '1003'},
          together = true, timeout = 60, music = 'music', whisper = {tone = 880, seconds = 60},
          accept = {refuse = '2', timeout = 30}, talk = 600, go_on = true}
        call:log('dialled', how, who)
        call:play('menu')";
    let config = Config::new(dir)?.user("1001").user("1002").user("1003").trunk();
    let switch = Switch::start(dir, &config.flow("ring", flow)?.number("600", "flow:ring"))?;
    let mut refuses = Phone::registered(dir, "1001", 5071, &answers_when_told(), 0.0)?;
    let mut takes = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let rings = Scenario::called(MU_LAW).says(180, "Ringing").is_cancelled();
    let mut loses = Phone::registered(dir, "1003", 5073, &rings, 0.0)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    caller.voice.hears("the caller, while they ring,", MUSIC, SOON)?;
    let shown = takes.sipp.wait_received("INVITE", 1)?;
    let from = shown.header("From").unwrap_or_default();
    ensure(from.contains("House") && from.contains("sip:4711@"), || format!("the phone is shown {from}"))?;

    refuses.answers_now()?;
    refuses.speaks()?;
    refuses.voice.hears("who answered first", WHISPER, SOON)?;
    takes.answers_now()?;
    takes.speaks()?;
    takes.voice.hears("who answered next", WHISPER, SOON)?;
    ensure(!caller.voice.heard_within(AGENT, Duration::from_millis(300)), || {
        "the caller hears who was not joined".into()
    })?;
    caller.voice.hears("the caller, while they are asked,", MUSIC, SOON)?;
    refuses.voice.press('2');
    refuses.ended()?;
    takes.voice.press('1');
    hear_each_other(&mut caller, &mut takes)?;
    loses.ended()?;

    takes.hangs_up()?;
    caller.voice.hears("the caller, after the talk,", MENU, SOON)?;
    switch.wait_logged("dialled served 1002")?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "caller")?;
    let legs = cdr["legs"].as_array().cloned().unwrap_or_default();
    let mut causes: Vec<&str> = legs.iter().skip(1).filter_map(|leg| leg["cause"].as_str()).collect();
    causes.sort_unstable();
    ensure(causes == ["answered_elsewhere", "declined", "normal"], || format!("{causes:?} in {cdr}"))?;
    switch.ensure_left_resting(1)
}
