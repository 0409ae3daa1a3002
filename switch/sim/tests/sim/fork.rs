//! One account, two devices.

use crate::stage::{AGENT_HZ, CALLER_HZ, OTHER_HZ, Stage, secs, setup};
use cordboard_sim::phone::{Act, Plan};

fn desk_and_mobile(desk: Plan, mobile: Plan) -> Stage {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002"));
    s.phone("3001", CALLER_HZ, Plan::ring_on());
    s.phone_with("desk", "3002", AGENT_HZ, |config| config.incoming = desk);
    s.phone_with("mobile", "3002", OTHER_HZ, |config| config.incoming = mobile);
    s
}

#[test]
fn both_ring_and_the_first_answer_wins() {
    let mut s = desk_and_mobile(Plan::ring_on(), Plan::answer(secs(2.0)));
    s.call("3001", "3002", Plan::call());
    s.run(4.0);
    s.hears("3001", OTHER_HZ);
    s.hears("mobile", CALLER_HZ);
    s.act("3001", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        desk < INVITE
        desk > 180
        mobile < INVITE
        mobile > 180
        3001 < 180
        mobile > 200
        mobile < ACK
        desk < CANCEL
        desk > 200 CANCEL
        desk > 487
        3001 < 200
        3001 > ACK
        desk < ACK
        3001 > BYE
        3001 < 200 BYE
        mobile < BYE
        mobile > 200 BYE
    ",
    );
    s.cdrs(&["3001 to 3002: normal by Caller, up 2.0s, talk 2.0s, Caller 3001+normal, Callee 3002+normal"]);
}

#[test]
fn a_late_200_gets_ack_and_bye() {
    let mut s = desk_and_mobile(Plan::answer(secs(2.0)), Plan::answer(secs(2.005)));
    s.call("3001", "3002", Plan::call());
    s.run(4.0);
    s.hears("3001", AGENT_HZ);
    s.hears("desk", CALLER_HZ);
    s.act("3001", Act::HangUp);
    s.run(1.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        desk < INVITE
        desk > 180
        mobile < INVITE
        mobile > 180
        3001 < 180
        desk > 200
        mobile > 200
        desk < ACK
        mobile < CANCEL
        mobile > 200 CANCEL
        3001 < 200
        3001 > ACK
        mobile < ACK
        mobile < BYE
        mobile > 200 BYE
        3001 > BYE
        3001 < 200 BYE
        desk < BYE
        desk > 200 BYE
    ",
    );
    s.cdrs(&["3001 to 3002: normal by Caller, up 2.0s, talk 2.0s, Caller 3001+normal, Callee 3002+normal"]);
}

#[test]
fn when_one_is_busy_the_other_still_rings() {
    let mut s = desk_and_mobile(Plan::reject(486, secs(0.5)), Plan::answer(secs(3.0)));
    s.call("3001", "3002", Plan::call());
    s.run(5.0);
    s.hears("3001", OTHER_HZ);
    s.act("mobile", Act::HangUp);
    s.cdrs(&["3001 to 3002: normal by Callee, up 2.0s, talk 2.0s, Caller 3001+normal, Callee 3002+normal"]);
}

#[test]
fn a_decline_ends_all() {
    let mut s = desk_and_mobile(Plan::reject(603, secs(1.0)), Plan::ring_on());
    s.call("3001", "3002", Plan::call());
    s.run(5.0);
    s.ladder(
        "
        3001 > INVITE
        3001 < 100
        desk < INVITE
        desk > 180
        mobile < INVITE
        mobile > 180
        3001 < 180
        desk > 603
        desk < ACK
        mobile < CANCEL
        mobile > 200 CANCEL
        mobile > 487
        mobile < ACK
        3001 < 603
        3001 > ACK
    ",
    );
    s.cdrs(&[
        "3001 to 3002: declined by Callee, up -, talk -, Caller 3001-declined 603, Callee 3002-declined 603",
    ]);
}
