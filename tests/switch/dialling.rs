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

/// Tones of those who are called together, Hz, and all that may be heard.
const THIRD: f64 = 880.0;
const TONES: [f64; 5] = [CALLER, AGENT, THIRD, MUSIC, MENU];

/// A flow rings two at once. The caller hears music until the first answers; then both, who hear each other and him, and nobody hears
/// himself. One leaves, the two talk on; the other leaves, and the flow has the caller again, with what became of each.
pub fn conference(dir: &Path) -> Outcome {
    let flow = "call:answer()
        local how, parties = call:conference{{user = '1001'}, {user = '1002'}, {user = '1003'}, timeout = 60, music = 'music', talk = 600}
        for _, party in ipairs(parties) do call:log('party', party.who, party.joined, party.cause) end
        call:log('conference', how)
        call:play('menu')";
    let config = Config::new(dir)?.user("1001").user("1002").user("1003").trunk();
    let switch = Switch::start(dir, &config.flow("team", flow)?.number("600", "flow:team"))?;
    let mut first = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut second = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    let mut busy = Phone::registered(
        dir,
        "1003",
        5073,
        &Scenario::called(MU_LAW).says(486, "Busy Here").receives_request("ACK"),
        0.0,
    )?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.sipp.wait_up()?;
    caller.speaks()?;
    busy.ended()?;
    caller.voice.hears_these("the caller, who is alone,", &[MUSIC], &TONES, SOON)?;
    first.answers_now()?;
    hear_each_other(&mut caller, &mut first)?;
    second.answers_now()?;
    second.speaks()?;
    caller.voice.hears_these("the caller, among three,", &[AGENT, THIRD], &TONES, SOON)?;
    first.voice.hears_these("the first, among three,", &[CALLER, THIRD], &TONES, SOON)?;
    second.voice.hears_these("the second, among three,", &[CALLER, AGENT], &TONES, SOON)?;
    first.hangs_up()?;
    caller.voice.hears_these("the caller, after one has left,", &[THIRD], &TONES, SOON)?;
    second.voice.hears_these("who stayed", &[CALLER], &TONES, SOON)?;
    second.hangs_up()?;
    caller.voice.hears_these("the caller, after the talk,", &[MENU], &TONES, SOON)?;
    for line in
        ["party 1001 true normal", "party 1002 true normal", "party 1003 false busy", "conference ended"]
    {
        switch.wait_logged(line)?;
    }
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "ended_by", "caller")?;
    let legs = cdr["legs"].as_array().cloned().unwrap_or_default();
    let mut causes: Vec<&str> = legs.iter().skip(1).filter_map(|leg| leg["cause"].as_str()).collect();
    causes.sort_unstable();
    ensure(causes == ["busy", "normal", "normal"], || format!("{causes:?} in {cdr}"))?;
    switch.ensure_left_resting(1)
}
