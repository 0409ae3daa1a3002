//! Parties that are sent elsewhere, with what each of them hears.

use crate::stage::{AGENT_HZ, CALLER_HZ, OTHER_HZ, Stage, ms, secs, setup};
use cordboard_model::cdr::{TransferKind, TransferOutcome};
use cordboard_model::id::TenantId;
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, Moment, Plan};
use cordboard_sim::world::Sending;

/// What a phone hears of ring-back.
const RING_BACK_HZ: u16 = 450;

/// A carrier's caller talks to agent 1001, whom a queue gave him; 3002 may be called.
fn talking(target: Plan) -> Stage {
    let mut s = Stage::new(setup(&["1001"]).user("3002"));
    s.carrier("carrier");
    s.phone_with("1001", "1001", AGENT_HZ, |config| {
        config.lines = 2;
        config.incoming = Plan::answer(secs(1.0));
    });
    s.phone("3002", OTHER_HZ, target);
    s.call("carrier", "2000", Plan::call());
    s.run(3.0);
    s.hears("carrier", AGENT_HZ);
    s.world.take_ladder();
    s
}

fn transfers(s: &Stage, cdr: usize) -> Vec<(TransferKind, TransferOutcome)> {
    let transfers = &s.world.cdrs()[cdr].transfers;
    transfers.iter().map(|transfer| (transfer.kind, transfer.outcome)).collect()
}

fn the_call(s: &Stage) -> cordboard_model::id::CallId {
    s.world.shard().calls(TenantId::DEFAULT)[0].call
}

/// "who is held hears the hold audio, then ring-back while the target rings, then the target"
#[test]
fn a_phone_sends_its_caller_on_and_he_hears_each_step() {
    let mut s = talking(Plan::answer(secs(3.0)));
    s.act("1001", Act::Refer("3002".into()));
    s.run(0.5);
    s.hears_not("carrier", AGENT_HZ);
    s.hears("carrier", RING_BACK_HZ);
    s.run(4.0);
    s.hears("carrier", OTHER_HZ);
    s.hears("3002", CALLER_HZ);
    s.ladder_of(
        "1001",
        "
        > REFER
        < 202 REFER
        < NOTIFY
        > 200 NOTIFY
        < NOTIFY
        > 200 NOTIFY
        < NOTIFY
        > 200 NOTIFY
        > BYE
        < BYE
        > 200 BYE
        < 481 BYE
    ",
    );
    s.status("1001", AgentStatus::WrapUp);
    s.act("3002", Act::HangUp);
    s.cdrs(&[
        "+4930123 to 2000: normal by Callee, up 7.5s, talk 6.5s, agent 1001, queue sales served 1001, Caller +4930123+normal, Callee 1001+transferred, Callee 3002+normal, recordings 2",
    ]);
    assert_eq!(transfers(&s, 0), [(TransferKind::Blind, TransferOutcome::Done)]);
}

/// "a failed transfer brings the first party back"
#[test]
fn a_target_that_declines_brings_the_two_together_again() {
    let mut s = talking(Plan::reject(486, secs(1.0)));
    s.act("1001", Act::Refer("3002".into()));
    s.run(3.0);
    s.hears("carrier", AGENT_HZ);
    s.hears("1001", CALLER_HZ);
    s.act("1001", Act::HangUp);
    s.quiet();
    assert_eq!(transfers(&s, 0), [(TransferKind::Blind, TransferOutcome::Failed)]);
}

#[test]
fn a_phone_that_leaves_at_once_is_rung_again_when_the_target_does_not_answer() {
    let mut s = talking(Plan::reject(480, secs(2.0)));
    s.act("1001", Act::Refer("3002".into()));
    s.run(0.5);
    s.act("1001", Act::HangUp);
    s.run(5.0);
    s.hears("carrier", AGENT_HZ);
    s.act("carrier", Act::HangUp);
    s.quiet();
    assert_eq!(transfers(&s, 0), [(TransferKind::Blind, TransferOutcome::Failed)]);
}

/// RFC 5589 7.3, and "a phone's own transfer and the switch's give the same CDR chain": the same joined by the API.
#[test]
fn an_attended_transfer_by_the_phone_and_one_by_the_api_leave_the_same_records() {
    let chain = |by_phone: bool| {
        let mut s = talking(Plan::answer(secs(1.0)));
        s.act("1001", Act::Hold);
        s.run(0.5);
        s.hears_not("carrier", AGENT_HZ);
        s.call("1001", "3002", Plan::call());
        s.run(2.0);
        s.hears("1001", OTHER_HZ);
        let calls: Vec<_> = s.world.shard().calls(TenantId::DEFAULT).iter().map(|call| call.call).collect();
        let first = s.world.phone("1001").unwrap().calls()[0];
        if by_phone {
            s.world
                .tell("1001", cordboard_sim::phone::PhoneCommand::Do { call: Some(first), act: Act::Join });
        } else {
            let now = s.world.now();
            s.world.send_at(now, calls[0], Sending::Join(calls[1]));
        }
        s.run(1.0);
        s.hears("carrier", OTHER_HZ);
        s.hears("3002", CALLER_HZ);
        s.act("carrier", Act::HangUp);
        s.quiet();
        let cdrs = s.world.cdrs();
        let of = |at: usize| {
            let cdr = &cdrs[at];
            let legs: Vec<_> =
                cdr.legs.iter().map(|leg| (leg.leg, leg.party.user.clone(), leg.cause)).collect();
            let transfers: Vec<_> =
                cdr.transfers.iter().map(|t| (t.kind, t.by, t.to.clone(), t.leg, t.consultation)).collect();
            (cdr.call, cdr.cause, cdr.ended_by, cdr.joined, legs, transfers)
        };
        (of(0), of(1))
    };
    assert_eq!(chain(true), chain(false));
}

/// "consult without transfer", then with.
#[test]
fn an_agent_consults_and_takes_the_caller_back_then_sends_him() {
    let mut s = talking(Plan::answer(secs(1.0)));
    let (call, now) = (the_call(&s), s.world.now());
    s.world.send_at(now, call, Sending::Consult("3002".into()));
    s.run(0.6);
    s.hears("1001", RING_BACK_HZ);
    s.run(1.4);
    s.hears("1001", OTHER_HZ);
    s.hears("3002", AGENT_HZ);
    s.hears_not("carrier", AGENT_HZ);
    s.hears_not("carrier", OTHER_HZ);
    let now = s.world.now();
    s.world.send_at(now, call, Sending::Cancel);
    s.run(1.0);
    s.hears("carrier", AGENT_HZ);
    let now = s.world.now();
    s.world.send_at(now, call, Sending::Consult("3002".into()));
    s.run(2.0);
    let now = s.world.now();
    s.world.send_at(now, call, Sending::Complete);
    s.run(1.0);
    s.hears("carrier", OTHER_HZ);
    s.hears("3002", CALLER_HZ);
    s.act("3002", Act::HangUp);
    s.quiet();
    let attended = TransferKind::Attended;
    assert_eq!(transfers(&s, 0), [(attended, TransferOutcome::Cancelled), (attended, TransferOutcome::Done)]);
}

/// A REFER is no right of whoever calls: a carrier's caller gets 403 and stays where he is.
#[test]
fn a_stranger_cannot_send_anybody_anywhere() {
    let mut s = talking(Plan::answer(secs(1.0)));
    s.act("carrier", Act::Refer("3002".into()));
    s.run(1.0);
    s.ladder_of(
        "carrier",
        "
        > REFER
        < 403 REFER
    ",
    );
    s.hears("carrier", AGENT_HZ);
    s.act("carrier", Act::HangUp);
    s.quiet();
    assert!(s.world.cdrs()[0].transfers.is_empty());
}

/// Both ends of one call send the other away at once: one is first, the other hears that a transfer is under way.
#[test]
fn two_refers_that_cross_are_one_transfer() {
    let mut s = Stage::new(setup(&[]).user("3001").user("3002").user("3003"));
    s.carrier("carrier");
    s.phone("3001", CALLER_HZ, Plan::answer(secs(1.0)));
    s.phone("3002", AGENT_HZ, Plan::answer(secs(1.0)));
    s.phone("3003", OTHER_HZ, Plan::answer(secs(1.0)));
    s.call("3001", "3002", Plan::call().then(Moment::Answered, ms(1_000), Act::Refer("3003".into())));
    while !s.world.take_ladder().contains("3001 > REFER") {
        s.run(0.001);
    }
    s.act("3002", Act::Refer("3003".into()));
    s.run(0.3);
    let ladder = s.world.take_ladder();
    let answered = |status: &str| ladder.matches(&format!("{status} REFER")).count();
    assert_eq!((answered("202"), answered("491")), (1, 1), "{ladder}");
    s.run(3.0);
    let calls = s.world.shard().calls(TenantId::DEFAULT);
    assert_eq!(calls.len(), 1, "{calls:?}");
    let share = s.world.share("3003", AGENT_HZ) + s.world.share("3003", CALLER_HZ);
    assert!(share > 0.8, "3003 hears neither");
    s.act("3003", Act::HangUp);
    s.quiet();
    assert_eq!(transfers(&s, 0), [(TransferKind::Blind, TransferOutcome::Done)]);
}
