//! Ends that nobody asked for: silence, length, a peer that is gone, a switch that stops.

use crate::stage::{AGENT_HZ, CALLER_HZ, Stage, secs, setup};
use cordboard_core::ShardCommand;
use cordboard_model::cause::Cause;
use cordboard_model::id::TenantId;
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, Plan, Quirks};
use cordboard_sim::setup::{MUSIC_HZ, Setup};
use cordboard_sim::world::Way;

fn talking(change: impl FnOnce(Setup) -> Setup) -> Stage {
    let mut s = Stage::new(change(setup(&["2001"])));
    s.carrier("caller");
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    s.call("caller", "2000", Plan::call());
    s.run(3.0);
    s.hears("caller", AGENT_HZ);
    s.hears("2001", CALLER_HZ);
    s.world.take_ladder();
    s
}

#[test]
fn a_caller_who_falls_silent_is_gone() {
    let mut s = talking(|setup| setup.limits(|l| l.media_silence = secs(10.0)));
    let now = s.world.now();
    s.world.cut_at(now, "caller", true);
    s.run(11.0);
    s.status("2001", AgentStatus::WrapUp);
    s.run(1.0);
    s.world.cut_at(s.world.now(), "caller", false);
    s.ladder_of(
        "2001",
        "
        < BYE
        > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: media_timeout by Switch, up 13.0s, talk 12.0s, agent 2001, queue sales served 2001, Caller +4930123+media_timeout, Callee 2001+media_timeout, recordings 1",
    ]);
}

#[test]
fn a_held_caller_may_be_silent() {
    let mut s = talking(|setup| setup.limits(|l| l.media_silence = secs(5.0)));
    s.act("caller", Act::Hold);
    s.run(1.0);
    s.world.tell(
        "caller",
        cordboard_sim::phone::PhoneCommand::Quirks(Quirks { no_rtcp: true, ..Quirks::default() }),
    );
    s.run(20.0);
    s.hears("2001", MUSIC_HZ);
    s.act("caller", Act::Resume);
    s.run(1.0);
    s.hears("2001", CALLER_HZ);
    s.act("caller", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 25.0s, talk 24.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn no_call_is_longer_than_the_longest() {
    let mut s = talking(|setup| setup.limits(|l| l.call_length = secs(20.0)));
    s.run(16.0);
    s.hears("caller", AGENT_HZ);
    s.run(3.0);
    s.ladder(
        "
        2001 < BYE
        2001 > 200 BYE
        caller < BYE
        caller > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: max_duration by Switch, up 20.0s, talk 19.0s, agent 2001, queue sales served 2001, Caller +4930123+max_duration, Callee 2001+max_duration, recordings 1",
    ]);
}

#[test]
fn a_200_that_nobody_acknowledges_ends_the_call() {
    let mut s = Stage::new(setup(&["2001"]));
    s.carrier_with("caller", |config| config.quirks.no_ack = true);
    s.phone("2001", AGENT_HZ, Plan::answer(secs(1.0)));
    s.call("caller", "2000", Plan::call());
    s.run(40.0);
    s.ladder_of(
        "caller",
        "
        > INVITE
        < 100
        < 200
        < 200
        < 200
        < 200
        < 200
        < 200
        < 200
        < 200
        < 200
        < 200
        < 200
        < BYE
        > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: protocol_error by Caller, up 32.0s, talk 31.0s, agent 2001, queue sales served 2001, Caller +4930123+protocol_error, Callee 2001+protocol_error, recordings 1",
    ]);
}

#[test]
fn an_agent_who_never_acknowledges_a_bye_is_free_again() {
    let mut s = talking(|setup| setup);
    let deaf = Quirks { no_bye_reply: true, ..Quirks::default() };
    s.world.tell("2001", cordboard_sim::phone::PhoneCommand::Quirks(deaf));
    s.act("caller", Act::HangUp);
    s.run(5.0);
    s.status("2001", AgentStatus::Ready);
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 3.0s, talk 2.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn both_hang_up_at_once() {
    let mut s = talking(|setup| setup);
    s.act("caller", Act::HangUp);
    s.act("2001", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        caller > BYE
        2001 > BYE
        caller < 200 BYE
        2001 < 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 3.0s, talk 2.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn a_bye_whose_answer_is_lost_ends_the_call_once() {
    let mut s = talking(|setup| setup);
    s.world.lose("caller", Way::Out, "SIP/2.0 200", "BYE", 3);
    s.act("caller", Act::HangUp);
    s.run(5.0);
    s.ladder(
        "
        caller > BYE
        2001 < BYE
        2001 > 200 BYE
        caller > BYE
        caller > BYE
        caller > BYE
        caller < 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 3.0s, talk 2.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn an_operator_ends_a_call() {
    let mut s = talking(|setup| setup);
    let call = s.world.shard().calls(TenantId::DEFAULT)[0].call;
    s.world.order(ShardCommand::HangUp(call, Cause::Administrative));
    s.run(1.0);
    s.ladder(
        "
        2001 < BYE
        2001 > 200 BYE
        caller < BYE
        caller > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: administrative by Operator, up 3.0s, talk 2.0s, agent 2001, queue sales served 2001, Caller +4930123+administrative, Callee 2001+administrative, recordings 1",
    ]);
}

#[test]
fn a_switch_that_stops_ends_its_calls_and_takes_no_new_ones() {
    let mut s = talking(|setup| setup);
    s.world.order(ShardCommand::Stop { end: false });
    s.call("caller", "1000", Plan::call());
    s.run(1.0);
    s.world.order(ShardCommand::Stop { end: true });
    s.run(1.0);
    s.ladder_of(
        "caller",
        "
        > INVITE
        < 100
        < 503
        > ACK
        < BYE
        > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: shutdown by Switch, up 4.0s, talk 3.0s, agent 2001, queue sales served 2001, Caller +4930123+shutdown, Callee 2001+shutdown, recordings 1",
    ]);
}
