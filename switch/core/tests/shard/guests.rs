//! Agents at accounts that are not their own.

use crate::desks::{CHIEF, agent, asks_to_answer, name, order, two_agents};
use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::config::Snapshot;
use cordboard_model::desk::{Actor, AgentDesk, DeskAct, DeskFault, DeskOrder, Goal, SeatOrder};
use cordboard_model::device::{AgentDevice, DeviceChoice};
use cordboard_model::id::{TenantId, UserId};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::{Session, SignInRecord};
use cordboard_model::time::Wall;
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;

fn account(of: &str) -> AgentDevice {
    AgentDevice::Account(UserId::new(TenantId::DEFAULT, of).unwrap())
}

fn chiefs() -> AgentDevice {
    account("1002")
}

fn sits_at_the_chiefs() -> DeskAct {
    DeskAct::Device(DeviceChoice::Other(chiefs()))
}

/// Agents 1001, whose phone answers by itself, and 1002, the supervisor; 1002 has the one phone that there is. Account 1003 is
/// nobody's.
fn snapshot() -> Snapshot {
    let mut snapshot = two_agents();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.desk.agents.insert(name("1001"), AgentDesk { auto_answer: true, ..AgentDesk::default() });
    let mut third = tenant.users[&name("1001")].clone();
    third.id = UserId::new(TenantId::DEFAULT, "1003").unwrap();
    tenant.users.insert(name("1003"), third);
    snapshot
}

fn world() -> Rig {
    let mut rig = Rig::new();
    rig.configure(snapshot());
    let contacts = vec![contact("1002", CHIEF)];
    rig.command(ShardCommand::Restore(Box::new(Restore { contacts, ..Restore::default() })));
    rig
}

fn sign_in(rig: &mut Rig, who: &str) {
    rig.order(agent(who), AgentOrder::SignIn).unwrap();
}

fn status(rig: &Rig, who: &str) -> AgentStatus {
    rig.shard.agent(&agent(who)).unwrap().status
}

fn dial() -> DeskAct {
    let to = Goal::Place(Destination::Agent(agent("1002")));
    DeskAct::Dial { to, shown: None, data: BTreeMap::new() }
}

/// A caller from outside calls the chief's account, and talks to who answers there.
fn talks_at_the_chiefs(rig: &mut Rig) {
    rig.datagram(TRUNK, &invite(TRUNK, "1002", "example.com", "a"));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(CHIEF, &response(CHIEF, &ours, "200 OK"));
    rig.after(100);
}

/// An agent whose phone answers by itself chose the account of his chief, and ordered a call: the chief's phone went off hook
/// by itself, and the agent heard the room.
#[test]
fn nobody_has_a_colleagues_phone_answer_by_itself() {
    let mut rig = world();
    sign_in(&mut rig, "1001");
    sign_in(&mut rig, "1002");
    assert_eq!(rig.desk(order(Some("1001"), sits_at_the_chiefs())), Err(DeskFault::DeskTaken));
    // when the chief has gone home his desk is free, and still it is his phone
    rig.order(agent("1002"), AgentOrder::SignOut).unwrap();
    rig.desk(order(Some("1001"), sits_at_the_chiefs())).unwrap();
    rig.desk(order(Some("1001"), dial())).unwrap();
    assert!(!asks_to_answer(&rig, CHIEF));
}

/// Nobody sits down where another is signed in. Where he works elsewhere, his phone is still not his colleagues' to order about.
#[test]
fn a_supervisor_and_a_key_have_an_agent_sit_where_they_say() {
    for by in [Some("1002"), None] {
        let mut rig = world();
        sign_in(&mut rig, "1001");
        sign_in(&mut rig, "1002");
        assert_eq!(rig.desk(order(by, sits_at_the_chiefs())), Err(DeskFault::DeviceTaken));
        assert_eq!(rig.desk(order(Some("1001"), sits_at_the_chiefs())), Err(DeskFault::DeskTaken));
        let by_himself = Actor { key: "desk".into(), agent: Some(agent("1002")) };
        let act = DeskAct::Device(DeviceChoice::Other(account("1003")));
        rig.desk(DeskOrder { agent: agent("1002"), call: None, by: by_himself, act }).unwrap();
        assert_eq!(rig.desk(order(Some("1001"), sits_at_the_chiefs())), Err(DeskFault::DeskTaken));
        rig.desk(order(by, sits_at_the_chiefs())).unwrap();
        assert_eq!(rig.shard.agent(&agent("1001")).unwrap().device, Some(chiefs()));
    }
}

/// Who has proved by its keys that he is at a telephone has it answer by itself there, as at his own.
#[test]
fn who_has_signed_in_by_a_telephones_keys_is_there_for_sure() {
    let mut rig = world();
    let session = Session {
        token: None,
        place: "1002".into(),
        address: String::new(),
        since: Wall(1_700_000_000_000),
        phone: true,
    };
    let record = SignInRecord {
        agent: agent("1001"),
        password: None,
        session: Some(session),
        locked: None,
        tries: None,
        gone: None,
        softphone: None,
    };
    sign_in(&mut rig, "1001");
    let restore =
        Restore { sign_ins: vec![record], devices: vec![(agent("1001"), chiefs())], ..Restore::default() };
    rig.command(ShardCommand::Restore(Box::new(restore)));
    rig.desk(order(None, dial())).unwrap();
    assert!(asks_to_answer(&rig, CHIEF));
}

/// What the chief talked at his own phone was the guest's to hold, send on and listen in to, as if it were his.
#[test]
fn a_guest_orders_what_is_rung_for_him_and_nothing_else_of_the_account() {
    let mut rig = world();
    sign_in(&mut rig, "1001");
    rig.desk(order(None, sits_at_the_chiefs())).unwrap();
    talks_at_the_chiefs(&mut rig);
    assert_eq!((status(&rig, "1001"), status(&rig, "1002")), (AgentStatus::Talking, AgentStatus::SignedOut));
    let add = DeskAct::Seat(SeatOrder::Add(Goal::Number("1001".into())));
    for act in [add, DeskAct::Seat(SeatOrder::Hold(true)), DeskAct::Keys("1".into())] {
        assert_eq!(rig.desk(order(Some("1001"), act.clone())), Err(DeskFault::NoCall), "{act:?}");
    }
    assert_eq!(rig.shard.desk_view(&agent("1001")).unwrap().calls.len(), 0);
    assert_eq!(rig.shard.desk_view(&agent("1002")).unwrap().calls.len(), 1, "it is his own phone");
    // what a queue gives to the guest is the guest's
    let mut rig = world();
    sign_in(&mut rig, "1001");
    rig.desk(order(None, sits_at_the_chiefs())).unwrap();
    rig.order(agent("1001"), AgentOrder::Ready).unwrap();
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(CHIEF, &response(CHIEF, &ours, "200 OK"));
    rig.after(100);
    assert_eq!(rig.shard.desk_view(&agent("1001")).unwrap().calls.len(), 1);
    rig.desk(order(Some("1001"), DeskAct::Seat(SeatOrder::Hold(true)))).unwrap();
}

/// A desk that was lent on Monday was its guest's for ever: on Tuesday its owner talked and was taken for free, and his page
/// showed no call.
#[test]
fn who_has_signed_out_has_left_the_desk_and_its_owner_is_busy_with_his_own_calls() {
    let mut rig = world();
    sign_in(&mut rig, "1001");
    rig.desk(order(Some("1001"), sits_at_the_chiefs())).unwrap();
    let said = rig.shard.explain_agent(&agent("1002")).unwrap();
    assert!(said.contains("Agent default/1001 sits at his account."), "{said}");
    rig.order(agent("1001"), AgentOrder::SignOut).unwrap();
    let said = rig.shard.explain_agent(&agent("1002")).unwrap();
    assert!(!said.contains("sits at his account"), "{said}");
    sign_in(&mut rig, "1002");
    rig.order(agent("1002"), AgentOrder::Ready).unwrap();
    talks_at_the_chiefs(&mut rig);
    assert_eq!(status(&rig, "1002"), AgentStatus::Talking);
    assert_eq!(rig.shard.desk_view(&agent("1002")).unwrap().calls.len(), 1);
    assert_eq!(rig.shard.desk_view(&agent("1001")).unwrap().calls.len(), 0);
}

/// While a phone talked to a caller of its owner's, its guest was offered the next, and it was busy.
#[test]
fn a_guest_is_busy_while_the_phone_talks_and_free_after_it() {
    let mut rig = world();
    sign_in(&mut rig, "1001");
    rig.desk(order(None, sits_at_the_chiefs())).unwrap();
    rig.order(agent("1001"), AgentOrder::Ready).unwrap();
    rig.datagram(TRUNK, &invite(TRUNK, "1002", "example.com", "a"));
    assert_eq!(status(&rig, "1001"), AgentStatus::Talking);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(CHIEF, &response(CHIEF, &ours, "486 Busy Here"));
    rig.after(100);
    assert_eq!(status(&rig, "1001"), AgentStatus::Ready);
}
