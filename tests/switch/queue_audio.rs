//! What callers and agents of a queue hear, by tone.

use crate::common::{
    AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other, in_order,
};
use cordboard_tests::config::{Config, MENU, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sound::write_tone;
use cordboard_tests::switch::Switch;
use std::path::Path;

/// The tone that says an agent's number, Hz.
const NUMBER: f64 = 880.0;
/// The tone that says that a talk is recorded, Hz.
const RECORDED: f64 = 1_250.0;

/// Who offers 100rel hears the queue's music in a reliable 183, and is answered when the agent answers.
pub fn answered_with_the_agent(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("answer = \"agent\"").trunk();
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let asks = Scenario::caller(MU_LAW).invites_saying("Supported: 100rel\n");
    let asks = asks.may_receive(100).acknowledges_reliable(183).receives(200).acknowledges_first().ends();
    let mut caller = Phone::by_trunk(dir, "501", &asks, CALLER)?;
    caller.sipp.wait_sent("PRACK", 1)?;
    caller.speaks()?;
    caller.voice.hears("the caller, before any answer,", MUSIC, SOON)?;
    ensure(caller.sipp.received("SIP/2.0 200 OK").len() < 2, || "answered before the agent".into())?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    in_order(&cdr, &["started", "times.early", "times.rang", "answered", "bridged", "ended"])?;
    field(&cdr, "times.charged", at(&cdr, "answered").clone())?;
    switch.ensure_nothing_left()
}

/// The caller hears that the talk is recorded and the agent's number, the agent only the former; then they are joined.
pub fn number_and_notice(dir: &Path) -> Outcome {
    let queue = "agent_number = [\"number\"]\nrecord = true\nrecord_announcement = \"recorded\"";
    let config = Config::new(dir)?.agent("1001").queue(queue).trunk();
    write_tone(&dir.join("prompts/number.wav"), NUMBER, 1_500)?;
    write_tone(&dir.join("prompts/recorded.wav"), RECORDED, 1_000)?;
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    agent.speaks()?;
    caller.speaks()?;
    agent.voice.hears("the agent, before,", RECORDED, SOON)?;
    let all = [NUMBER, AGENT, MUSIC];
    caller.voice.hears_these("the caller, before,", &[NUMBER], &all, SOON)?;
    caller.voice.hears("the caller", AGENT, SOON)?;
    agent.voice.hears_these("the agent", &[CALLER], &[CALLER, NUMBER, RECORDED], SOON)?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    in_order(&cdr, &["answered", "bridged", "ended"])?;
    let recording = switch.wait_recordings(1)?.remove(0);
    ensure(at(&recording, "length_ms").as_u64().is_some_and(|ms| ms > 0), || format!("{recording}"))?;
    switch.ensure_nothing_left()
}

/// Who waits hears a flow and presses a key for it; the agent's answer ends it, and who held hears the queue's hold audio.
pub fn wait_flow(dir: &Path) -> Outcome {
    let news = "local key = call:collect({prompt = 'menu', max = 1, first = 30})
        call:log('pressed', key)
        while true do call:play('menu') end";
    let own = "call:answer() call:log('then', call:enqueue('sales'))";
    let config = Config::new(dir)?.agent("1001").queue("wait_flow = \"news\"").trunk();
    let config = config.flow("news", news)?.flow("own", own)?.number("600", "flow:own");
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.speaks()?;
    caller.voice.hears_these("the caller, waiting,", &[MENU], &[MENU, MUSIC], SOON)?;
    caller.voice.press('7');
    switch.wait_logged("pressed 7")?;
    caller.voice.hears_these("the caller, still waiting,", &[MENU], &[MENU, MUSIC], SOON)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    agent.hangs_up()?;
    // his own flow, which waited below, has him again
    switch.wait_logged("then served")?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "flows.1.name", "news").or_else(|_| field(&cdr, "flows.1", "default/news"))?;
    field(&cdr, "queues.0.outcome", "served")?;
    switch.ensure_nothing_left()
}

/// A call of a queue that lets it last for three seconds.
pub fn longest_talk(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("max_talk = \"3s\"\ntalk_warning = \"1s\"").trunk();
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.ended()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "max_duration")?;
    let [started, ended] = ["started", "ended"].map(|time| at(&cdr, time).as_u64().unwrap_or_default());
    ensure((3_000..4_000).contains(&(ended - started)), || format!("it lasted {} ms", ended - started))?;
    switch.ensure_nothing_left()
}

/// The tone that an agent hears who waits for his caller, Hz.
const BEEP: f64 = 1_000.0;

/// A card is keyed in as a secret while the agent waits; neither his ear nor an event, log or record has it, and the two talk
/// again after it with what came of it.
pub fn aside(dir: &Path) -> Outcome {
    let pay = "local card = call:collect_secret({prompt = 'menu', max = 4, first = 20})
        call.data.card = card and 'given'
        call:log('asked for', call.data.amount)";
    let config = Config::new(dir)?.agent("1001").queue("record = true").trunk().flow("pay", pay)?;
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let call = switch.wait_stage("bridged")?;
    let path = format!("/api/v1/calls/{}/aside", at(&call, "call").as_str().unwrap_or_default());
    let unknown = switch.api.send("POST", &path, r#"{"flow": "nowhere"}"#)?;
    ensure(unknown.status == 404, || format!("an unknown flow: {}", unknown.status))?;
    let all = [CALLER, AGENT, MENU, BEEP];
    switch.api.post_body(&path, r#"{"flow": "pay", "data": {"amount": 1999}}"#)?;
    caller.voice.hears_these("the caller, aside,", &[MENU], &all, SOON)?;
    agent.voice.hears_these("the agent, waiting,", &[BEEP], &all, SOON)?;
    agent.voice.forget();
    "7391".chars().for_each(|key| caller.voice.press(key));
    switch.wait_logged("asked for 1999")?;
    hear_each_other(&mut caller, &mut agent)?;
    ensure(agent.voice.keys().is_empty(), || format!("the agent got keys: {}", agent.voice.keys()))?;
    agent.hangs_up()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "data.card", "given")?;
    field(&cdr, "data.verifyWorkNo", "1001")?;
    field(&cdr, "agent", at(&cdr, "queues.0.agent").clone())?;
    ensure(!switch.log().contains("7391"), || "the card is in the log".into())?;
    ensure(switch.wait_recordings(2)?.len() == 2, || "not recorded before and after".into())?;
    switch.ensure_nothing_left()
}

/// The agent hangs up, and the caller is asked.
pub fn survey(dir: &Path) -> Outcome {
    let ask = "local score = call:collect({prompt = 'menu', max = 1, first = 20})
        call.data.surveyScore = tonumber(score)";
    let config = Config::new(dir)?.agent("1001").queue("survey = \"ask\"").trunk().flow("ask", ask)?;
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    agent.hangs_up()?;
    switch.wait_agent("1001", "wrap_up")?;
    caller.voice.hears_these("the caller, asked,", &[MENU], &[MENU, AGENT, MUSIC], SOON)?;
    caller.voice.press('4');
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "data.surveyScore", 4)?;
    field(&cdr, "data.surveyAgent", "1001")?;
    field(&cdr, "data.surveyQueue", "sales")?;
    field(&cdr, "ended_by", "callee")?;
    switch.ensure_nothing_left()
}
