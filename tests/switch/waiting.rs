//! Queues as flows see them, at the running switch.

use crate::common::{CALLER, Phone, SOON, calls, field};
use cordboard_tests::config::{Config, MENU};
use cordboard_tests::fail::Outcome;
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
