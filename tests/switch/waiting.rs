//! Queues as flows see them, at the running switch.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use crate::sight::command;
use cordboard_tests::config::{Config, MENU};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::switch::Switch;
use std::path::Path;

/// A caller hears from his flow how the queue stands, waits in it, and leaves it by a key; the flow has him again.
pub fn by_key(dir: &Path) -> Outcome {
    let flow = "call:answer()
        local state = call:queue('sales')
        call:log('agents', state.agents, 'waiting', state.waiting, 'full', state.full, 'wait', state.wait)
        call:log('nowhere', select(2, call:queue('nowhere')))
        call:log('left by', call:enqueue('sales', {keys = '1*'}))
        call:log('waiting now', call:queue('sales').waiting)";
    let config =
        Config::new(dir)?.agent("1001").queue("").trunk().number("600", "flow:wait").flow("wait", flow)?;
    let switch = Switch::start(dir, &config)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.speaks()?;
    switch.wait_stage("queued")?;
    // One that means nothing here, then one that leaves.
    caller.voice.press('5');
    caller.voice.press('*');
    caller.ended()?;
    for line in
        ["agents 1 waiting 0 full false wait nil", "nowhere not_found", "left by key *", "waiting now 0"]
    {
        switch.wait_logged(line)?;
    }
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "queues.0.outcome", "key")?;
    switch.ensure_nothing_left()
}

/// What `cordboard queue explain` and `agent explain` print of a queue with a caller and its agent, and the reason that an
/// agent gives.
pub fn explained(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("").trunk();
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    switch.wait_agent("1001", "ringing")?;
    let says = |words: &[&str], what: &str| {
        let said = command(dir, &[words, &["-c", "cordboard.toml"]].concat())?;
        ensure(said.contains(what), || format!("{words:?} prints {said}"))
    };
    says(&["queue", "explain", "sales"], "rings at default/1001")?;
    says(&["queue", "explain", "sales"], "not default/1001: ringing since")?;
    says(&["agent", "explain", "1001"], "agent default/1001 (1001) is ringing since")?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    switch.wait_cdrs(1)?;
    switch.api.post_body("/api/v1/agents/1001/not-ready", r#"{"reason": "meeting"}"#)?;
    let view = switch.wait_agent("1001", "not_ready")?;
    field(&view, "reason", "meeting")?;
    says(&["agent", "explain", "1001"], "The reason is \"meeting\".")?;
    switch.ensure_nothing_left()
}

/// A caller who waits only while somebody is signed in is back in his flow when the last agent signs out, and at once if nobody
/// is there.
pub fn staffed(dir: &Path) -> Outcome {
    let flow = "call:answer()
        call:log('first', call:enqueue('sales', {staffed = true}))
        call:log('second', call:enqueue('sales', {staffed = true}))
        call:play('menu')";
    let config =
        Config::new(dir)?.agent("1001").queue("").trunk().number("600", "flow:wait").flow("wait", flow)?;
    let switch = Switch::start(dir, &config)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.speaks()?;
    switch.wait_stage("queued")?;
    switch.api.post("/api/v1/agents/1001/sign-out")?;
    caller.voice.hears("the caller, whom nobody serves,", MENU, SOON)?;
    for line in ["first nobody_signed_in", "second nobody_signed_in"] {
        switch.wait_logged(line)?;
    }
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "queues.0.outcome", "nobody_signed_in")?;
    field(&cdr, "queues.1.outcome", "nobody_signed_in")?;
    switch.ensure_nothing_left()
}

/// A caller takes no agent but 1002, who is not ready: 1001 stays free, and 1002 gets him as soon as he is. Of who is signed
/// out the flow hears at once, and with a time to wait another takes him.
pub fn one_agent(dir: &Path) -> Outcome {
    let flow = "call:answer()
        call:log('unknown:', call:enqueue('sales', {agent = '1009'}))
        call:log('signed out:', call:enqueue('sales', {agent = '1003'}))
        call:log('alone:', call:enqueue('sales', {agent = '1002'}))
        call:log('first:', call:enqueue('sales', {agent = '1002', agent_wait = 1}))
        call:play('menu')";
    let config =
        Config::new(dir)?.agent("1001").agent("1002").agent("1003").queue("wrap_up = \"60s\"").trunk();
    let switch = Switch::start(dir, &config.number("600", "flow:wait").flow("wait", flow)?)?;
    let mut other = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut wanted = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    switch.api.post("/api/v1/agents/1003/sign-out")?;
    switch.api.post_body("/api/v1/agents/1002/not-ready", r#"{"reason": "meeting"}"#)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.speaks()?;
    switch.wait_logged("unknown: no_agent")?;
    switch.wait_logged("signed out: no_agent")?;
    switch.wait_stage("queued")?;
    switch.api.post("/api/v1/agents/1002/ready")?;
    wanted.answers_now()?;
    hear_each_other(&mut caller, &mut wanted)?;
    ensure(other.sipp.received("INVITE").is_empty(), || "another agent was rung".into())?;
    wanted.hangs_up()?;
    // 1002 wraps up, and the time for him alone is short
    switch.wait_logged("alone: served")?;
    other.answers_now()?;
    hear_each_other(&mut caller, &mut other)?;
    other.hangs_up()?;
    switch.wait_logged("first: served")?;
    caller.voice.hears("the caller, served twice,", MENU, SOON)?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    for (visit, outcome) in [(0, "no_agent"), (1, "no_agent"), (2, "served"), (3, "served")] {
        field(&cdr, &format!("queues.{visit}.outcome"), outcome)?;
    }
    field(&cdr, "queues.2.agent.name", "1002")?;
    field(&cdr, "queues.3.agent.name", "1001")?;
    switch.ensure_nothing_left()
}
