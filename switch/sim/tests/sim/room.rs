//! Conferences and supervision on the whole switch: what each phone hears, by tone.

use crate::stage::{AGENT_HZ, CALLER_HZ, OTHER_HZ, Stage, secs, setup};
use cordboard_core::{DialTarget, RoomOrder, Supervise};
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::id::{AgentId, CallId, LegId, TenantId};
use cordboard_model::view::AgentStatus;
use cordboard_sim::phone::{Act, Plan};
use cordboard_sim::world::Sending;

/// What the fourth phone says.
const FOURTH_HZ: u16 = 1_300;

/// A carrier's caller talks to agent 1001, whom a queue gave him. 1009 is an agent who is not signed in, 3002 an extension.
fn talking() -> Stage {
    let mut s = Stage::new(setup(&["1001", "1009"]).user("3002"));
    s.carrier("carrier");
    s.phone("1001", AGENT_HZ, Plan::answer(secs(0.5)));
    s.phone("1009", OTHER_HZ, Plan::answer(secs(0.5)));
    s.phone("3002", FOURTH_HZ, Plan::answer(secs(0.5)));
    let chief = s.world.agent("1009").unwrap();
    s.world.wish_at(s.world.now(), &chief, cordboard_sim::world::Wish::SignOut);
    s.run(0.5);
    s.call("carrier", "2000", Plan::call());
    s.run(3.0);
    ears(&s, [&[AGENT_HZ], &[CALLER_HZ], &[], &[]]);
    s
}

fn call(s: &Stage) -> CallId {
    s.world.shard().calls(TenantId::DEFAULT)[0].call
}

fn order(s: &mut Stage, order: RoomOrder) {
    let call = call(s);
    s.world.send_at(s.world.now(), call, Sending::Room(order));
    s.run(2.0);
}

fn chief() -> DialTarget {
    DialTarget::Agent(AgentId::new(TenantId::DEFAULT, "1009").unwrap())
}

fn supervise(s: &mut Stage, mode: SupervisionMode) {
    order(s, RoomOrder::Supervise(Supervise { mode, by: chief(), of: None }));
}

fn leg_of(s: &Stage, user: &str) -> LegId {
    let legs = s.world.shard().calls(TenantId::DEFAULT)[0].legs.clone();
    legs.iter().find(|leg| leg.party.user == user).unwrap().leg
}

/// Which tones each phone hears: the carrier's caller, 1001, 1009, 3002.
#[track_caller]
fn ears(s: &Stage, expected: [&[u16]; 4]) {
    for (name, tones) in ["carrier", "1001", "1009", "3002"].into_iter().zip(expected) {
        let all = [CALLER_HZ, AGENT_HZ, OTHER_HZ, FOURTH_HZ];
        let heard: Vec<u16> = all.into_iter().filter(|hz| s.world.share(name, *hz) > 0.15).collect();
        let share: Vec<f64> = all.into_iter().map(|hz| s.world.share(name, hz)).collect();
        let mut wanted = tones.to_vec();
        wanted.sort_by_key(|hz| all.iter().position(|known| known == hz));
        assert_eq!(heard, wanted, "{name} hears {share:?}");
        assert!(share.iter().all(|share| *share > 0.15 || *share < 0.03), "{name} hears {share:?}");
    }
}

#[test]
fn a_supervisor_listens_whispers_barges_in_and_intercepts_and_each_phone_hears_what_it_may() {
    let mut s = talking();
    supervise(&mut s, SupervisionMode::Listen);
    ears(&s, [&[AGENT_HZ], &[CALLER_HZ], &[CALLER_HZ, AGENT_HZ], &[]]);
    order(&mut s, RoomOrder::Change(SupervisionMode::Whisper));
    ears(&s, [&[AGENT_HZ], &[CALLER_HZ, OTHER_HZ], &[CALLER_HZ, AGENT_HZ], &[]]);
    order(&mut s, RoomOrder::Change(SupervisionMode::BargeIn));
    ears(&s, [&[AGENT_HZ, OTHER_HZ], &[CALLER_HZ, OTHER_HZ], &[CALLER_HZ, AGENT_HZ], &[]]);
    order(&mut s, RoomOrder::Change(SupervisionMode::Listen));
    ears(&s, [&[AGENT_HZ], &[CALLER_HZ], &[CALLER_HZ, AGENT_HZ], &[]]);
    order(&mut s, RoomOrder::Change(SupervisionMode::Intercept));
    s.hears("carrier", OTHER_HZ);
    s.hears("1009", CALLER_HZ);
    s.status("1001", AgentStatus::WrapUp);
    s.act("carrier", Act::HangUp);
    s.run(2.0);
    let cdr = &s.world.cdrs()[0];
    let turns: Vec<_> = cdr.supervisions[0].turns.iter().map(|turn| turn.mode).collect();
    assert_eq!(
        turns,
        [
            SupervisionMode::Listen,
            SupervisionMode::Whisper,
            SupervisionMode::BargeIn,
            SupervisionMode::Listen,
            SupervisionMode::Intercept
        ]
    );
    assert_eq!(cdr.supervisions[0].agent.as_ref().unwrap().name.as_str(), "1009");
    assert!(cdr.supervisions[0].ended.is_some());
}

#[test]
fn a_supervisor_who_rings_to_intercept_is_joined_when_he_answers() {
    let mut s = talking();
    supervise(&mut s, SupervisionMode::Intercept);
    s.hears("carrier", OTHER_HZ);
    s.hears("1009", CALLER_HZ);
    s.status("1001", AgentStatus::WrapUp);
    s.act("1009", Act::HangUp);
    s.run(2.0);
    assert_eq!(s.world.cdrs().len(), 1);
}

#[test]
fn a_supervised_call_that_ends_lets_the_supervisor_go() {
    let mut s = talking();
    supervise(&mut s, SupervisionMode::Whisper);
    s.act("carrier", Act::HangUp);
    s.run(2.0);
    assert_eq!(s.world.shard().calls(TenantId::DEFAULT).len(), 0);
    assert_eq!(s.world.phone("1009").unwrap().calls().len(), 0, "his phone is free");
    assert!(s.world.cdrs()[0].supervisions[0].ended.is_some());
}

#[test]
fn three_talk_one_is_held_and_muted_and_the_others_do_not_hear_his_music() {
    let mut s = talking();
    order(&mut s, RoomOrder::Add(None, "3002".into()));
    ears(&s, [&[AGENT_HZ, FOURTH_HZ], &[CALLER_HZ, FOURTH_HZ], &[], &[CALLER_HZ, AGENT_HZ]]);
    let third = leg_of(&s, "3002");
    s.world.order_at(s.world.now(), cordboard_core::ShardCommand::Hold(third, true));
    s.run(2.0);
    ears(&s, [&[AGENT_HZ], &[CALLER_HZ], &[], &[]]);
    s.world.order_at(s.world.now(), cordboard_core::ShardCommand::Hold(third, false));
    s.run(2.0);
    ears(&s, [&[AGENT_HZ, FOURTH_HZ], &[CALLER_HZ, FOURTH_HZ], &[], &[CALLER_HZ, AGENT_HZ]]);
    order(&mut s, RoomOrder::Mute(third, true));
    ears(&s, [&[AGENT_HZ], &[CALLER_HZ], &[], &[CALLER_HZ, AGENT_HZ]]);
    order(&mut s, RoomOrder::Mute(third, false));
    s.act("1001", Act::HangUp);
    s.run(2.0);
    s.hears("carrier", FOURTH_HZ);
    s.hears("3002", CALLER_HZ);
    s.status("1001", AgentStatus::WrapUp);
    s.act("3002", Act::HangUp);
    s.run(2.0);
    let cdr = &s.world.cdrs()[0];
    assert_eq!(cdr.legs.len(), 3);
    assert_eq!(s.world.shard().calls(TenantId::DEFAULT).len(), 0);
}

#[test]
fn who_is_consulted_becomes_the_third() {
    let mut s = talking();
    let the_call = call(&s);
    s.world.send_at(s.world.now(), the_call, Sending::Consult("3002".into()));
    s.run(2.0);
    s.hears("1001", FOURTH_HZ);
    order(&mut s, RoomOrder::AddConsulted);
    ears(&s, [&[AGENT_HZ, FOURTH_HZ], &[CALLER_HZ, FOURTH_HZ], &[], &[CALLER_HZ, AGENT_HZ]]);
    let third = leg_of(&s, "3002");
    order(&mut s, RoomOrder::Remove(third));
    s.hears("carrier", AGENT_HZ);
    s.hears("1001", CALLER_HZ);
    s.act("carrier", Act::HangUp);
    s.run(2.0);
    assert_eq!(s.world.cdrs().len(), 1);
}
