//! Queues that do not serve their caller: one that is full sends him to another, one that lasts too long to a flow.

use crate::baresip::registered;
use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::baresip::{Baresip, Setup};
use cordboard_tests::config::{Config, MENU, MUSIC};
use cordboard_tests::fail::Outcome;
use cordboard_tests::switch::Switch;
use std::path::Path;

/// The agent of the queue that callers are sent to.
fn with_help(config: Config) -> Config {
    let config = config.user("1002").more("[tenant.default.queue.help]\nmusic = \"music\"");
    config.more("[tenant.default.agent.1002]\nqueues = [\"help\"]\nauto_sign_in = true")
}

/// `sales` has one place, and that is taken: the next caller talks to the agent of `help`, who has a baresip.
pub fn full(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.md5_alone().agent("1001").trunk();
    let config = with_help(config.queue("max_length = 1\non_busy = \"queue:help\""));
    let switch = Switch::start(dir, &config)?;
    let setup = Setup { user: "1002", hertz: &[AGENT], port: 5_087, ..Setup::default() };
    let mut phone = Baresip::start(dir, &setup)?;
    registered(&switch, "1002", &phone)?;
    switch.wait_agent("1002", "ready")?;
    let mut first = Phone::crowd(dir, 5091, "501", &calls(), 1, 0.0)?;
    switch.wait_calls("queued", 1)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    caller.voice.hears("who was sent on", AGENT, SOON)?;
    switch.wait_agent("1002", "talking")?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "agent.name", "1002")?;
    for (visit, queue, outcome) in [(0, "sales", "full"), (1, "help", "served")] {
        field(&cdr, &format!("queues.{visit}.queue.name"), queue)?;
        field(&cdr, &format!("queues.{visit}.outcome"), outcome)?;
    }
    // he had a place nowhere but where he was served
    field(&cdr, "queues.0.account.position", 0)?;
    first.sipp.all_go_on()?;
    first.ended()?;
    switch.wait_cdrs(2)?;
    phone.stop()?;
    switch.wait_registered("1002", 0)?;
    switch.ensure_nothing_left()
}

/// Nobody of `sales` comes: after its longest wait the caller hears a flow, which asks another queue for him.
pub fn too_long(dir: &Path) -> Outcome {
    let flow = "call:play('menu')
        call:enqueue('help')";
    let config = Config::new(dir)?.agent("1001").trunk().flow("late", flow)?;
    let config = with_help(config.queue("max_wait = \"3s\"\non_timeout = \"flow:late\""));
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    switch.wait_agent("1002", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    caller.voice.hears("the caller, who waits,", MUSIC, SOON)?;
    caller.voice.hears("the caller, in the flow,", MENU, SOON)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "flows.0.name", "late")?;
    field(&cdr, "agent.name", "1002")?;
    for (visit, queue, outcome) in [(0, "sales", "timeout"), (1, "help", "served")] {
        field(&cdr, &format!("queues.{visit}.queue.name"), queue)?;
        field(&cdr, &format!("queues.{visit}.outcome"), outcome)?;
    }
    switch.ensure_nothing_left()
}
