//! Callers who wait, agents who do not answer.

use crate::stage::{AGENT_HZ, CALLER_HZ, OTHER_HZ, Stage, secs, setup};
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::service::Spare;
use cordboard_model::time::Duration;
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, Plan};
use cordboard_sim::setup::{MUSIC_HZ, Setup};
use cordboard_sim::world::Wish;

fn position(s: &Stage, from: &str) -> Option<u32> {
    let queues = s.world.shard().queues(TenantId::DEFAULT);
    let waiting = &queues.iter().find(|q| q.queue.name.as_str() == "sales")?.waiting;
    let call = |w: &&cordboard_model::view::WaitingView| {
        s.world.shard().call(w.call).is_some_and(|call| call.from.display == from)
    };
    waiting.iter().find(call).map(|w| w.position)
}

fn call_as(s: &mut Stage, name: &str, to: &str, plan: Plan) {
    let call = cordboard_sim::phone::PhoneCommand::Call {
        to: to.into(),
        from: None,
        display: Some(name.into()),
        plan,
    };
    assert!(s.world.tell("carrier", call));
}

#[test]
fn a_busy_agent_and_one_who_does_not_answer_lead_to_the_next() {
    let mut s = Stage::new(setup(&["2001", "2002", "2003"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::reject(486, secs(0.2)));
    s.phone("2002", AGENT_HZ, Plan::ring_on());
    s.phone("2003", OTHER_HZ, Plan::answer(secs(1.0)));
    s.call("caller", "2000", Plan::call());
    s.run(5.0);
    s.hears("caller", MUSIC_HZ);
    s.status("2002", AgentStatus::Ringing);
    s.run(8.0);
    s.status("2002", AgentStatus::Ready);
    s.status("2003", AgentStatus::Talking);
    s.hears("caller", OTHER_HZ);
    s.hears("2003", CALLER_HZ);
    s.act("caller", Act::HangUp);
    s.run(1.0);
    s.ladder_of(
        "2002",
        "
        < INVITE
        > 180
        < CANCEL
        > 200 CANCEL
        > 487
        < ACK
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 13.0s, talk 1.8s, agent 2003, queue sales served 2003, Caller +4930123+normal, Callee 2001-busy 486, Callee 2002-no_answer, Callee 2003+normal, recordings 1",
    ]);
}

#[test]
fn a_caller_whose_agent_did_not_answer_keeps_his_place() {
    let mut s = Stage::new(setup(&["2001"]).queue("sales", |queue| {
        queue.ring = Duration::from_secs(5);
        queue.service.unanswered.no_answer = Spare::For(Duration::from_secs(5));
    }));
    s.carrier("carrier");
    s.phone("2001", AGENT_HZ, Plan::ring_on());
    call_as(&mut s, "first", "2000", Plan::call());
    s.run(1.0);
    call_as(&mut s, "second", "2000", Plan::call());
    s.run(8.0);
    assert_eq!((position(&s, "first"), position(&s, "second")), (Some(1), Some(2)));
    s.world.tell("2001", cordboard_sim::phone::PhoneCommand::Incoming(Plan::answer(secs(0.5))));
    s.run(12.0);
    assert_eq!((position(&s, "first"), position(&s, "second")), (None, Some(1)));
    let talks = s.world.shard().agents(TenantId::DEFAULT)[0].call.unwrap();
    assert_eq!(s.world.shard().call(talks).unwrap().from.display, "first");
    for _ in 0..2 {
        s.act("carrier", Act::HangUp);
    }
    s.run(1.0);
    s.act("carrier", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 20.0s, talk -, queue sales abandoned, Caller +4930123+normal",
        "+4930123 to 2000: normal by Caller, up 22.0s, talk 11.5s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001-no_answer, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn an_agent_gets_no_call_while_he_wraps_up() {
    let mut s = Stage::new(setup(&["2001"]).queue("sales", |queue| queue.wrap_up = Duration::from_secs(5)));
    s.carrier("carrier");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(0.5)));
    call_as(&mut s, "first", "2000", Plan::call().hang_up_after(secs(3.0)));
    s.run(0.1);
    call_as(&mut s, "second", "2000", Plan::call());
    s.run(5.0);
    s.status("2001", AgentStatus::WrapUp);
    assert_eq!(position(&s, "second"), Some(1));
    s.run(4.0);
    s.status("2001", AgentStatus::Talking);
    s.act("carrier", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 3.0s, talk 2.5s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
        "+4930123 to 2000: normal by Caller, up 9.0s, talk 0.6s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn a_caller_who_gives_up_is_no_fault_of_the_agent() {
    let mut s = Stage::new(setup(&["2001"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::ring_on());
    s.call("caller", "2000", Plan::call().hang_up_after(secs(3.0)));
    s.run(5.0);
    s.status("2001", AgentStatus::Ready);
    s.ladder(
        "
        caller > INVITE
        caller < 100
        caller < 200
        caller > ACK
        2001 < INVITE
        2001 > 180
        caller > BYE
        caller < 200 BYE
        2001 < CANCEL
        2001 > 200 CANCEL
        2001 > 487
        2001 < ACK
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 3.0s, talk -, queue sales abandoned, Caller +4930123+normal, Callee 2001-cancelled",
    ]);
}

#[test]
fn an_agent_who_signs_out_while_it_rings_is_not_rung_on() {
    let mut s = Stage::new(setup(&["2001"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::ring_on());
    s.call("caller", "2000", Plan::call());
    s.run(2.0);
    let agent = s.agent("2001");
    s.world.wish(&agent, Wish::SignOut);
    s.run(1.0);
    s.status("2001", AgentStatus::SignedOut);
    s.hears("caller", MUSIC_HZ);
    s.ladder_of(
        "2001",
        "
        < INVITE
        > 180
        < CANCEL
        > 200 CANCEL
        > 487
        < ACK
    ",
    );
    s.world.wish(&agent, Wish::SignIn);
    s.world.wish(&agent, Wish::Ready);
    s.run(1.0);
    s.status("2001", AgentStatus::Ringing);
    s.act("caller", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 4.0s, talk -, queue sales abandoned, Caller +4930123+normal, Callee 2001-cancelled, Callee 2001-cancelled",
    ]);
}

#[test]
fn an_agent_whose_phone_is_gone_is_not_offered_calls_until_it_is_back() {
    let mut s = Stage::new(setup(&["2001"]));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    s.world.tell("2001", cordboard_sim::phone::PhoneCommand::Unregister);
    s.run(1.0);
    s.call("caller", "2000", Plan::call());
    s.run(3.0);
    s.hears("caller", MUSIC_HZ);
    s.world.tell("2001", cordboard_sim::phone::PhoneCommand::Register);
    s.run(3.0);
    s.hears("caller", AGENT_HZ);
    s.act("caller", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 6.0s, talk 2.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn a_wait_that_ends_overflows_to_another_queue() {
    let other = Destination::Queue(QueueId::new(TenantId::DEFAULT, "late").unwrap());
    let overflow = |setup: Setup| {
        setup.queue("late", |_| {}).queue("sales", |queue| {
            queue.max_wait = Duration::from_secs(5);
            queue.service.on_timeout = Some(other);
        })
    };
    let mut s = Stage::new(overflow(setup(&[])).agent("2009", &["late"]));
    s.carrier("caller");
    s.phone("2009", AGENT_HZ, Plan::answer(secs(1.0)));
    s.call("caller", "2000", Plan::call());
    s.run(4.0);
    s.hears("caller", MUSIC_HZ);
    s.run(4.0);
    s.hears("caller", AGENT_HZ);
    s.act("2009", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Callee, up 8.0s, talk 2.0s, agent 2009, queue sales timeout, queue late served 2009, Caller +4930123+normal, Callee 2009+normal, recordings 1",
    ]);
}
