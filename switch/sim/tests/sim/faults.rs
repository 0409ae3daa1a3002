//! What goes wrong inside: flows, the journal, a reload, a panic.

use crate::stage::{AGENT_HZ, CALLER_HZ, Stage, secs, setup};
use cordboard_core::ShardCommand;
use cordboard_model::cause::Cause;
use cordboard_model::event::EventKind;
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::verb::Destination;
use cordboard_sim::phone::{Act, Plan};
use cordboard_sim::setup::{APOLOGY_HZ, MENU_HZ, Setup};
use cordboard_sim::world::WorldConfig;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

const BROKEN: &str = "call:answer()\nlocal nothing = nil\nnothing.x = 1\n";

#[test]
fn a_flow_error_is_an_apology_and_then_the_fallback() {
    let sales = Destination::Queue(QueueId::new(TenantId::DEFAULT, "sales").unwrap());
    let broken = setup(&["2001"]).flow("broken", BROKEN, Some(sales)).number_to_flow("1666", "broken");
    let mut s = Stage::new(broken);
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    s.call("caller", "1666", Plan::call());
    s.run(0.5);
    s.hears("caller", APOLOGY_HZ);
    s.run(3.0);
    s.hears("caller", AGENT_HZ);
    s.act("caller", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 1666: normal by Caller, up 3.5s, talk 1.5s, agent 2001, flow broken, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
    let failed = s.events().find_map(|event| match event {
        EventKind::FlowFailed { error, .. } => Some(error.clone()),
        _ => None,
    });
    assert!(failed.as_deref().is_some_and(|error| error.starts_with("broken.lua:3")), "{failed:?}");
}

#[test]
fn a_flow_error_without_a_fallback_is_an_apology_and_the_end() {
    let mut s = Stage::new(setup(&[]).flow("broken", BROKEN, None).number_to_flow("1666", "broken"));
    s.carrier("caller");
    s.call("caller", "1666", Plan::call());
    s.run(3.0);
    s.ladder(
        "
        caller > INVITE
        caller < 100
        caller < 200
        caller > ACK
        caller < BYE
        caller > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 1666: flow_failed by Switch, up 1.0s, talk -, flow broken, Caller +4930123+flow_failed",
    ]);
}

#[test]
fn a_late_journal_delays_no_one_for_longer_than_its_limit() {
    let mut config = WorldConfig::new(1);
    config.journal.late_in_1000 = 1_000;
    config.journal.late = secs(2.0);
    let mut s = Stage::with(config, setup(&["2001"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    let began = s.world.now();
    s.call("caller", "2000", Plan::call());
    s.run(3.0);
    s.hears("caller", AGENT_HZ);
    s.act("caller", Act::HangUp);
    s.run(1.0);
    let answered = s.world.phone("caller").unwrap().log()[0].answered.unwrap();
    let waited = answered.since(began);
    assert!(waited >= secs(0.070) && waited <= secs(0.080), "{waited:?}: 20 ms of network, 50 ms of limit");
    assert_eq!(s.world.alarms(), ["journal_late", "journal_late"]);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 3.0s, talk 1.9s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn a_journal_that_cannot_write_is_an_alarm_and_the_call_goes_on() {
    let mut config = WorldConfig::new(1);
    config.journal.fails_in_1000 = 1_000;
    let mut s = Stage::with(config, setup(&["2001"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    s.call("caller", "2000", Plan::call());
    s.run(3.0);
    s.hears("caller", AGENT_HZ);
    s.act("caller", Act::HangUp);
    s.run(1.0);
    assert_eq!(s.world.alarms(), ["journal_failed", "journal_failed"]);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 3.0s, talk 2.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn calls_keep_what_they_began_with_when_the_configuration_is_exchanged() {
    let before = || setup(&["2001"]);
    let mut s = Stage::new(before());
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    s.call("caller", "2000", Plan::call());
    s.run(3.0);
    s.call("caller", "1000", Plan::call());
    s.run(1.0);
    s.hears("caller", MENU_HZ);
    // The menu's flow and its number are gone, and so is nothing that runs.
    let mut after = Setup::new().trunk("carrier", "198.51.100.1:5060".parse().unwrap());
    after = after.queue("sales", |_| {}).agent("2001", &["sales"]).number_to_queue("2000", "sales");
    let mut after = after.snapshot().unwrap();
    after.version = 2;
    s.world.order(ShardCommand::Configure(Arc::new(after)));
    s.run(0.5);
    s.hears("caller", MENU_HZ);
    s.act("caller", Act::Press("1".into()));
    s.run(1.0);
    s.call("caller", "1000", Plan::call());
    s.run(1.0);
    let shard = s.world.shard();
    assert_eq!(shard.call_count(), 2, "the new call found no menu");
    s.act("2001", Act::HangUp);
    s.run(6.0);
    s.hears("caller", AGENT_HZ);
    s.act("caller", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 1000: no_route by Switch, up -, talk -, Caller +4930123-no_route 404",
        "+4930123 to 2000: normal by Callee, up 6.5s, talk 5.5s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
        "+4930123 to 1000: normal by Caller, up 9.5s, talk 2.0s, agent 2001, flow menu, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn a_panic_ends_one_call_of_many() {
    let mut config = WorldConfig::new(1);
    config.panic_key = Some('D');
    let agents = ["2001", "2002", "2003"];
    let mut s = Stage::with(config, setup(&agents));
    s.carrier("caller");
    for agent in agents {
        s.phone(agent, AGENT_HZ, Plan::answer(secs(0.5)));
    }
    for _ in 0..3 {
        s.call("caller", "2000", Plan::call());
    }
    s.run(2.0);
    s.call("caller", "1000", Plan::call().press(secs(1.0), "D"));
    s.call("caller", "1000", Plan::call());
    let until = s.at(3.0);
    let mut cost = Vec::new();
    while s.world.now() < until {
        let stepped = catch_unwind(AssertUnwindSafe(|| s.world.step(until)));
        if stepped.is_err() {
            cost.push(s.world.after_panic().unwrap());
        }
    }
    assert_eq!(cost.len(), 1);
    assert_eq!(s.world.shard().call_count(), 4);
    assert_eq!(s.world.shard().figures().panics, 1);
    let ended: Vec<Cause> = s.world.cdrs().iter().map(|cdr| cdr.cause).collect();
    assert_eq!(ended, [Cause::InternalError]);
    assert_eq!(s.world.cdrs()[0].call, cost[0]);
    s.hears("caller", MENU_HZ);
    for agent in agents {
        s.hears(agent, CALLER_HZ);
    }
    for call in s.world.phone("caller").unwrap().calls() {
        let hang_up = cordboard_sim::phone::PhoneCommand::Do { call: Some(call), act: Act::HangUp };
        assert!(s.world.tell("caller", hang_up));
    }
    s.run(1.0);
    s.quiet();
    assert_eq!(s.world.cdrs().len(), 5);
}
