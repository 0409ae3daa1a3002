//! Audio on its way: who is heard, in which codec, and what becomes of a party that is heard no more.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{self, MU_LAW, Scenario};
use cordboard_tests::sound::{self, Voice};
use cordboard_tests::switch::Switch;
use std::path::Path;
use std::time::Duration;

/// The tone of someone who has no business here, Hz.
const STRANGER: f64 = 900.0;

fn talking(dir: &Path, config: Config, calls: &Scenario) -> Result<(Switch, Phone, Phone), Fail> {
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", calls, CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    Ok((switch, caller, agent))
}

fn house(dir: &Path) -> Result<Config, Fail> {
    Ok(Config::new(dir)?.agent("1001").queue("").trunk())
}

pub fn injection(dir: &Path) -> Outcome {
    let (switch, mut caller, mut agent) = talking(dir, house(dir)?, &calls())?;
    let stranger = Voice::new("127.0.0.9", 45_000, STRANGER)?;
    stranger.speak_to(caller.sipp.wait_media()?);
    stranger.speak_to(agent.sipp.wait_media()?);
    let heard = agent.voice.heard_within(STRANGER, Duration::from_secs(1));
    ensure(!heard, || "the agent heard the stranger".into())?;
    let heard = caller.voice.heard_within(STRANGER, Duration::from_secs(1));
    ensure(!heard, || "the caller heard the stranger".into())?;
    agent.voice.hears("the agent, while a stranger speaks,", CALLER, SOON)?;
    caller.voice.hears("the caller, while a stranger speaks,", AGENT, SOON)?;
    ensure(stranger.packets() == 0, || format!("the stranger got {} packets", stranger.packets()))?;
    caller.hangs_up()?;
    agent.ended()?;
    field(&switch.wait_cdrs(1)?.remove(0), "cause", "normal")?;
    switch.ensure_nothing_left()
}

pub fn transcoding(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &house(dir)?)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let calls = Scenario::caller(scenario::A_LAW).invites().is_answered().ends();
    let mut caller = Phone::by_trunk_in(dir, "501", &calls, CALLER, sound::A_LAW)?;
    caller.voice.hears("the caller in the queue", MUSIC, SOON)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    for key in "159".chars() {
        caller.voice.press(key);
    }
    for key in "#0*".chars() {
        agent.voice.press(key);
    }
    let heard = |voice: &Voice, keys: &str| {
        let seen = wait_for(&format!("the keys {keys}"), SOON, || (voice.keys() == keys).then_some(()));
        seen.map_err(|why| Fail(format!("{why}; heard {:?}", voice.keys())))
    };
    heard(&agent.voice, "159")?;
    heard(&caller.voice, "#0*")?;
    agent.hangs_up()?;
    caller.ended()?;
    field(&switch.wait_cdrs(1)?.remove(0), "ended_by", "callee")?;
    switch.ensure_nothing_left()
}

pub fn longest_call(dir: &Path) -> Outcome {
    let config = house(dir)?.limit("call_length = \"2s\"");
    let (switch, mut caller, mut agent) = talking(dir, config, &calls())?;
    caller.ended()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "max_duration")?;
    field(&cdr, "ended_by", "switch")?;
    let lasted = cdr["ended"].as_u64().zip(cdr["answered"].as_u64()).map(|(end, begin)| end - begin);
    ensure(lasted.is_some_and(|ms| (1_900..3_500).contains(&ms)), || format!("it lasted {lasted:?} ms"))?;
    switch.ensure_nothing_left()
}

pub fn silence(dir: &Path) -> Outcome {
    let config = house(dir)?.limit("media_silence = \"700ms\"");
    let held = Scenario::caller(MU_LAW).invites().is_answered().waits_for_word().offers_again("sendonly");
    let calls = held.is_agreed().waits_for_word().offers_again("sendrecv").is_agreed().ends();
    let (switch, mut caller, mut agent) = talking(dir, config, &calls)?;
    caller.sipp.go_on()?;
    agent.voice.hears("who is held", MUSIC, SOON)?;
    caller.voice.set_quiet(true);
    // Three times the limit: a phone that holds may send nothing.
    let music = agent.voice.heard_within(MUSIC, Duration::from_millis(2_100));
    ensure(music, || "the music ended".into())?;
    switch.wait_stage("bridged")?;
    caller.voice.set_quiet(false);
    caller.sipp.go_on()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.voice.set_quiet(true);
    caller.ended()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "media_timeout")?;
    field(&cdr, "ended_by", "switch")?;
    switch.ensure_nothing_left()
}

/// Who is not heard, or late, is told of while the call is up and in its record.
pub fn unheard(dir: &Path) -> Outcome {
    let config = house(dir)?.limit("media_unheard = \"1s\"");
    let switch = Switch::start(dir, &config)?;
    let mut events = switch.api.events(None)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.voice.set_quiet(true);
    agent.answers_now()?;
    caller.speaks()?;
    let mut told = |what: &str| {
        let found = events.until(what, |e| e["type"] == "leg_audio" && e["audio"] == what)?;
        let leg = found.last().and_then(|event| event["leg"].as_str()).unwrap_or_default();
        Ok::<String, Fail>(leg.to_owned())
    };
    let agents = told("nothing")?;
    let shown = |leg: &str, unheard: &str| {
        let call = switch.wait_stage("bridged")?;
        let legs = call["legs"].as_array().cloned().unwrap_or_default();
        let view = legs.into_iter().find(|view| view["leg"] == leg).unwrap_or_default();
        ensure(view["unheard"] == unheard, || format!("the view of {leg} is {view}"))
    };
    shown(&agents, "nothing")?;
    agent.voice.set_quiet(false);
    hear_each_other(&mut caller, &mut agent)?;
    ensure(told("back")? == agents, || "another leg is back".into())?;
    caller.voice.set_quiet(true);
    let callers = told("one_way")?;
    ensure(callers != agents, || "the agent is heard".into())?;
    shown(&callers, "one_way")?;
    caller.voice.set_quiet(false);
    ensure(told("back")? == callers, || "another leg is back".into())?;
    agent.voice.stall(Duration::from_millis(300));
    ensure(told("late")? == agents, || "another leg is late".into())?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    let legs = cdr["legs"].as_array().cloned().unwrap_or_default();
    let verdicts: Vec<&str> = legs.iter().filter_map(|leg| leg["verdict"].as_str()).collect();
    let said = |start: &str| verdicts.iter().any(|verdict| verdict.starts_with(start));
    ensure(said("the caller was not heard for") && said("the agent was not heard for"), || {
        format!("verdicts are {verdicts:?}")
    })?;
    switch.ensure_nothing_left()
}

/// Where it is configured, comfort noise is offered to who is called, and taken of who offers it.
pub fn comfort_noise(dir: &Path) -> Outcome {
    const NOISE: scenario::Sdp = scenario::Sdp { audio: &[0, 13], events: Some(101) };
    let config = house(dir)?.media("address = \"127.0.0.1\"\ncomfort_noise = true");
    let calls = Scenario::caller(NOISE).invites().is_answered().ends();
    let (switch, mut caller, mut agent) = talking(dir, config, &calls)?;
    let answered = caller.sipp.received("SIP/2.0 200").remove(0);
    let invited = agent.sipp.received("INVITE").remove(0);
    for message in [answered, invited] {
        let text = message.text;
        ensure(text.contains("a=rtpmap:13 CN/8000"), || format!("no comfort noise in {text}"))?;
    }
    caller.hangs_up()?;
    agent.ended()?;
    field(&switch.wait_cdrs(1)?.remove(0), "cause", "normal")?;
    switch.ensure_nothing_left()
}
