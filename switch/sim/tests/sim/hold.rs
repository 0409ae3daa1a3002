//! Hold, by a party's re-INVITE and by an operator.

use crate::stage::{AGENT_HZ, CALLER_HZ, Stage, secs, setup};
use cordboard_core::ShardCommand;
use cordboard_model::id::TenantId;
use cordboard_sim::phone::{Act, Plan};
use cordboard_sim::setup::MUSIC_HZ;

fn talking() -> Stage {
    let mut s = Stage::new(setup(&["2001"]));
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
fn an_agent_holds_and_resumes_and_the_caller_hears_music_meanwhile() {
    let mut s = talking();
    s.act("2001", Act::Hold);
    s.run(2.0);
    s.hears("caller", MUSIC_HZ);
    s.hears_not("2001", CALLER_HZ);
    s.act("2001", Act::Resume);
    s.run(1.0);
    s.hears("caller", AGENT_HZ);
    s.hears("2001", CALLER_HZ);
    s.act("caller", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        2001 > INVITE
        2001 < 200
        2001 > ACK
        2001 > INVITE
        2001 < 200
        2001 > ACK
        caller > BYE
        caller < 200 BYE
        2001 < BYE
        2001 > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 6.0s, talk 5.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn a_caller_holds_and_hangs_up_while_he_holds() {
    let mut s = talking();
    s.act("caller", Act::Hold);
    s.run(2.0);
    s.hears("2001", MUSIC_HZ);
    s.act("caller", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        caller > INVITE
        caller < 200
        caller > ACK
        caller > BYE
        caller < 200 BYE
        2001 < BYE
        2001 > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: normal by Caller, up 5.0s, talk 4.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn an_operator_holds_the_caller_and_lets_him_go() {
    let mut s = talking();
    let call = s.world.shard().calls(TenantId::DEFAULT)[0].clone();
    let leg = call.legs[0].leg;
    s.world.order(ShardCommand::Hold(leg, true));
    s.run(2.0);
    s.hears("caller", MUSIC_HZ);
    s.hears_not("2001", CALLER_HZ);
    assert!(s.world.shard().call(call.call).unwrap().legs[0].held);
    s.world.order(ShardCommand::Hold(leg, false));
    s.run(2.0);
    s.hears("caller", AGENT_HZ);
    s.hears("2001", CALLER_HZ);
    s.act("2001", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        caller < INVITE
        caller > 200
        caller < ACK
        caller < INVITE
        caller > 200
        caller < ACK
        2001 > BYE
        2001 < 200 BYE
        caller < BYE
        caller > 200 BYE
    ",
    );
    s.cdrs(&[
        "+4930123 to 2000: normal by Callee, up 7.0s, talk 6.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}

#[test]
fn two_offers_that_cross_are_both_made_in_the_end() {
    // RFC 3261 14.1: each refuses the other with 491 and offers again after a while.
    let mut s = talking();
    let call = s.world.shard().calls(TenantId::DEFAULT)[0].clone();
    s.world.order(ShardCommand::Hold(call.legs[1].leg, true));
    s.act("2001", Act::Hold);
    s.run(6.0);
    s.hears("caller", MUSIC_HZ);
    s.hears_not("2001", CALLER_HZ);
    s.world.order(ShardCommand::Hold(call.legs[1].leg, false));
    s.run(1.0);
    s.act("2001", Act::Resume);
    s.run(6.0);
    s.hears("caller", AGENT_HZ);
    s.hears("2001", CALLER_HZ);
    s.act("2001", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Callee, up 16.0s, talk 15.0s, agent 2001, queue sales served 2001, Caller +4930123+normal, Callee 2001+normal, recordings 1",
    ]);
}
