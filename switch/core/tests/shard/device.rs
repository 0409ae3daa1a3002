//! Agents who are rung outside, at a number.

use crate::rig::*;
use crate::routing::{FIRST, SECOND, trunk, two_ways, with};
use cordboard_core::{Restore, ShardCommand, ShardInput};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::Cdr;
use cordboard_model::config::{NumberPool, PoolChoice, Tenant};
use cordboard_model::desk::{Actor, DeskAct, DeskFault, DeskOrder, Goal, SeatOrder};
use cordboard_model::device::{AgentDevice, AgentPhone, DeviceChoice};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, LegId, Name, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::{MediaCommand, MediaEvent, PlayItem};
use cordboard_model::service::AgentOrder;
use cordboard_model::view::AgentStatus;

const MOBILE: &str = "+493012345";

fn agent() -> AgentId {
    AgentId::new(TenantId::DEFAULT, "1001").unwrap()
}

fn with_phone(tenant: &mut Tenant) {
    two_ways(tenant);
    let agent = tenant.agents.get_mut("1001").unwrap();
    agent.duty.phone = AgentPhone { number: Some(MOBILE.into()), first: true, ..AgentPhone::default() };
}

/// Agent 1001 is ready at his mobile, and a caller waits.
fn rung(change: impl FnOnce(&mut Tenant)) -> Rig {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        with_phone(tenant);
        change(tenant);
    }));
    rig.order(agent(), AgentOrder::SignIn).unwrap();
    rig.order(agent(), AgentOrder::Ready).unwrap();
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    rig
}

fn status(rig: &Rig) -> AgentStatus {
    rig.shard.agents(TenantId::DEFAULT).remove(0).status
}

/// The telephone answers; gives its leg, which is asked to confirm.
fn answers(rig: &mut Rig, at: &str) -> LegId {
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(at, &response(at, &ours, "200 OK"));
    let asked = rig.media.iter().rev().find_map(|command| match command {
        MediaCommand::Play { leg, items, .. } if items.iter().any(is_question) => Some(*leg),
        _ => None,
    });
    asked.expect("he is asked to press a key")
}

fn is_question(item: &PlayItem) -> bool {
    matches!(item, PlayItem::Asset(asset) if asset.name.as_str() == "en.agent.take")
}

fn presses(rig: &mut Rig, leg: LegId, digit: char) {
    rig.input(ShardInput::Media(MediaEvent::Digit { leg, digit }));
}

fn bridged(rig: &Rig) -> bool {
    rig.media.iter().any(|command| matches!(command, MediaCommand::Bridge { .. }))
}

fn record(rig: &Rig) -> &Cdr {
    let closed = rig.records.iter().rev().find_map(|record| match record {
        JournalRecord::CallClosed(cdr) => Some(&**cdr),
        _ => None,
    });
    closed.expect("a record")
}

fn order(rig: &mut Rig, act: DeskAct) -> Result<Vec<String>, DeskFault> {
    let by = Actor { key: "test".into(), agent: None };
    let done = rig.shard.desk(DeskOrder { agent: agent(), call: None, by, act }, rig.now);
    // whatever is to be done is done
    rig.command(ShardCommand::Unrecordable(false));
    done
}

fn choose(rig: &mut Rig, choice: DeviceChoice) -> Result<Vec<String>, DeskFault> {
    order(rig, DeskAct::Device(choice))
}

#[test]
fn his_mobile_is_rung_over_the_trunks_and_joined_by_its_key() {
    let mut rig = rung(|_| {});
    assert_eq!(rig.heard(&format!("{FIRST} INVITE sip:{MOBILE}@")), 1, "{:#?}", rig.said);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "503 Service Unavailable"));
    assert_eq!(rig.heard(&format!("{SECOND} INVITE sip:{MOBILE}@")), 1, "the next trunk is tried");
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(SECOND, &response(SECOND, &ours, "180 Ringing"));
    assert_eq!(status(&rig), AgentStatus::Ringing);
    let leg = answers(&mut rig, SECOND);
    assert_eq!((bridged(&rig), status(&rig)), (false, AgentStatus::Ringing));
    presses(&mut rig, leg, '1');
    assert_eq!((bridged(&rig), status(&rig)), (true, AgentStatus::Talking));
    let ok = rig.last("SIP/2.0 200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    rig.after(5_000);
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    rig.after(40_000);
    let cdr = record(&rig);
    assert_eq!((cdr.cause, cdr.agent.clone()), (Cause::Normal, Some(agent())));
    let his = &cdr.legs[1];
    assert_eq!((his.agent.clone(), his.trunk.clone()), (Some(agent()), Some(trunk("two"))));
    assert_eq!(cdr.queues[0].outcome, "served");
    assert_eq!(status(&rig), AgentStatus::Ready);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn without_the_key_nobody_has_answered_and_the_caller_is_offered_again() {
    let mut rig = rung(|_| {});
    answers(&mut rig, FIRST);
    rig.after(15_000);
    assert_eq!(status(&rig), AgentStatus::Ready);
    assert_eq!(rig.heard(&format!("{FIRST} BYE")), 1, "{:#?}", rig.said);
    // what it costs him in this queue is five seconds
    rig.after(5_000);
    assert_eq!(rig.heard(&format!("{FIRST} INVITE sip:{MOBILE}@")), 2);
    assert!(!bridged(&rig));
}

/// A caller of the house talked to an agent's mobile for an hour, and the record said that nobody outside was answered; nor did
/// any record have the seconds for which a mailbox was charged.
#[test]
fn an_agents_mobile_is_charged_from_when_it_is_picked_up() {
    let mut rig = rung(|_| {});
    rig.after(2_000);
    answers(&mut rig, FIRST);
    rig.after(15_000);
    let ok = rig.last("SIP/2.0 200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    rig.after(40_000);
    let cdr = record(&rig);
    let his = cdr.legs.iter().find(|leg| leg.agent.is_some()).unwrap();
    let picked_up = his.picked_up.expect("it was picked up");
    assert_eq!((his.answered, picked_up.0 - his.started.0), (None, 2_000));
    assert!(his.ended.0 - picked_up.0 >= 15_000);
}

#[test]
fn what_the_carrier_says_is_one_of_the_ways_to_fail() {
    for (answer, why) in
        [("486 Busy Here", "busy"), ("603 Decline", "declined"), ("404 Not Found", "not found")]
    {
        let mut rig = rung(|_| {});
        let ours = rig.last("INVITE").to_owned();
        rig.datagram(FIRST, &response(FIRST, &ours, answer));
        let said = rig.shard.explain_agent(&agent()).unwrap();
        assert!(said.contains(&format!("the last offer failed ({why})")), "{answer}: {said}");
        assert!(!said.contains("registered"), "{said}");
    }
}

#[test]
fn a_number_that_his_account_may_not_dial_is_unreachable() {
    let mut rig = rung(|tenant| tenant.routes.ways.clear());
    assert_eq!(rig.heard("INVITE sip:+49"), 0, "{:#?}", rig.said);
    let said = rig.shard.explain_agent(&agent()).unwrap();
    assert!(said.contains("the last offer failed (unreachable)"), "{said}");
    let number = || DeviceChoice::Other(AgentDevice::Number(MOBILE.into()));
    assert_eq!(choose(&mut rig, number()), Err(DeskFault::NotDialable));
}

#[test]
fn nobody_is_asked_for_a_key_where_the_configuration_says_so() {
    let mut rig = rung(|tenant| tenant.agents.get_mut("1001").unwrap().duty.phone.confirm = None);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "200 OK"));
    assert_eq!((bridged(&rig), status(&rig)), (true, AgentStatus::Talking));
}

#[test]
fn his_page_answers_in_the_place_of_the_key() {
    let mut rig = rung(|_| {});
    assert_eq!(
        order(&mut rig, DeskAct::Answer),
        Err(DeskFault::PhoneCannotAnswer),
        "it has not been picked up"
    );
    answers(&mut rig, FIRST);
    order(&mut rig, DeskAct::Answer).unwrap();
    assert_eq!((bridged(&rig), status(&rig)), (true, AgentStatus::Talking));
    order(&mut rig, DeskAct::Answer).unwrap_err();
}

#[test]
fn he_is_shown_a_number_of_the_queues_pool() {
    let rig = rung(|tenant| {
        let numbers = vec!["+4940777".to_owned()];
        let pool = NumberPool { choice: PoolChoice::RoundRobin, numbers };
        tenant.pools.insert(Name::new("house").unwrap(), pool);
        tenant.queues.get_mut("sales").unwrap().caller_pool = Some(Name::new("house").unwrap());
        tenant.desk.agents.entry(Name::new("1001").unwrap()).or_default().caller_number =
            Some("+4911".into());
    });
    let invite = rig.last(&format!("INVITE sip:{MOBILE}"));
    assert!(header(invite, "From").contains("sip:+4940777@"), "{invite}");
}

#[test]
fn he_sends_his_caller_on_as_his_own_account_would() {
    let mut rig = rung(|_| {});
    let leg = answers(&mut rig, FIRST);
    presses(&mut rig, leg, '1');
    let ok = rig.last("SIP/2.0 200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    let consult = DeskAct::Seat(SeatOrder::Consult(Goal::Number("+49409999".into())));
    order(&mut rig, consult).unwrap();
    assert_eq!(rig.heard("INVITE sip:+49409999@"), 1, "{:#?}", rig.said);
    let ours = rig.last("INVITE sip:+49409999@").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "200 OK"));
    order(&mut rig, DeskAct::Seat(SeatOrder::Complete)).unwrap();
    assert_eq!(rig.heard(&format!("{FIRST} BYE")), 1, "he has left: {:#?}", rig.said);
}

#[test]
fn he_calls_out_from_his_mobile_which_rings_first() {
    let mut rig = Rig::new();
    rig.configure(with(with_phone));
    rig.order(agent(), AgentOrder::SignIn).unwrap();
    let to = Goal::Number("+49409999".into());
    order(&mut rig, DeskAct::Dial { to, shown: None, data: Default::default() }).unwrap();
    assert_eq!((rig.heard(&format!("INVITE sip:{MOBILE}@")), status(&rig)), (1, AgentStatus::Talking));
    let leg = answers(&mut rig, FIRST);
    assert_eq!(rig.heard("INVITE sip:+49409999@"), 0, "a mailbox calls nobody");
    presses(&mut rig, leg, '1');
    assert_eq!(rig.heard("INVITE sip:+49409999@"), 1, "{:#?}", rig.said);
    rig.after(120_000);
    assert_eq!(status(&rig), AgentStatus::NotReady);
}

#[test]
fn calls_to_and_from_his_number_keep_him_busy() {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        with_phone(tenant);
        tenant.routes.ways[0].from_trunks = vec![trunk("carrier")];
    }));
    rig.order(agent(), AgentOrder::SignIn).unwrap();
    rig.order(agent(), AgentOrder::Ready).unwrap();
    rig.datagram(TRUNK, &invite(TRUNK, MOBILE, "example.com", "b"));
    assert_eq!(status(&rig), AgentStatus::Talking);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "486 Busy Here"));
    assert_eq!(status(&rig), AgentStatus::Ready);
    let text = String::from_utf8(invite(TRUNK, "2000", "example.com", "c")).unwrap();
    rig.datagram(TRUNK, &text.replace("sip:caller@", &format!("sip:{MOBILE}@")).into_bytes());
    assert_eq!(status(&rig), AgentStatus::Talking);
    assert_eq!(rig.heard("INVITE sip:+49"), 1, "he is not rung for himself");
}

/// Whoever showed an agent's mobile number kept him from work for as long as he liked, and took back what rang there.
#[test]
fn a_number_that_is_only_shown_takes_back_nothing_and_keeps_its_agent_for_two_minutes() {
    let shows = |rig: &mut Rig, call: &str| {
        let text = String::from_utf8(invite(TRUNK, "2000", "example.com", call)).unwrap();
        rig.datagram(TRUNK, &text.replace("sip:caller@", &format!("sip:{MOBILE}@")).into_bytes());
    };
    // he serves no queue, so that who calls 2000 reaches nobody
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        with_phone(tenant);
        tenant.agents.get_mut("1001").unwrap().queues.clear();
        tenant.queues.get_mut("sales").unwrap().max_wait = cordboard_model::time::Duration::from_secs(900);
    }));
    rig.order(agent(), AgentOrder::SignIn).unwrap();
    rig.order(agent(), AgentOrder::Ready).unwrap();
    shows(&mut rig, "d");
    let ack = within("ACK", 1, TRUNK, rig.last("SIP/2.0 200"));
    rig.datagram(TRUNK, &ack);
    assert_eq!(status(&rig), AgentStatus::Talking);
    rig.after(119_000);
    assert_eq!(status(&rig), AgentStatus::Talking);
    rig.after(2_000);
    assert_eq!(
        (status(&rig), rig.shard.call_count()),
        (AgentStatus::Ready, 1),
        "it goes on, and reaches nobody"
    );
    let mut rig = rung(|_| {});
    assert_eq!(status(&rig), AgentStatus::Ringing);
    shows(&mut rig, "e");
    assert_eq!((status(&rig), rig.heard("CANCEL")), (AgentStatus::Ringing, 0));
}

#[test]
fn what_he_chooses_is_in_the_journal_and_back_after_a_restart() {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        with_phone(tenant);
        tenant.agents.get_mut("1001").unwrap().duty.phone.first = false;
    }));
    let user = |name: &str| AgentDevice::Account(UserId::new(TenantId::DEFAULT, name).unwrap());
    assert_eq!(choose(&mut rig, DeviceChoice::Other(user("1009"))), Err(DeskFault::NoSuchDevice));
    let told = choose(&mut rig, DeviceChoice::Phone).unwrap();
    assert_eq!(told, [format!("agent default/1001 is rung at number {MOBILE}")]);
    let view = rig.shard.agents(TenantId::DEFAULT).remove(0);
    assert_eq!(view.device, Some(AgentDevice::Number(MOBILE.into())));
    let kept = |rig: &Rig| {
        rig.records.iter().rev().find_map(|record| match record {
            JournalRecord::AgentDevice { agent, device } => Some((agent.clone(), device.clone())),
            _ => None,
        })
    };
    let (who, device) = kept(&rig).unwrap();
    let mut again = Rig::new();
    again.configure(with(|tenant| {
        with_phone(tenant);
        tenant.agents.get_mut("1001").unwrap().duty.phone.first = false;
    }));
    let devices = vec![(who, device.unwrap())];
    again.command(ShardCommand::Restore(Box::new(Restore { devices, ..Restore::default() })));
    again.order(agent(), AgentOrder::SignIn).unwrap();
    again.order(agent(), AgentOrder::Ready).unwrap();
    again.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    assert_eq!(again.heard(&format!("INVITE sip:{MOBILE}@")), 1, "{:#?}", again.said);
    choose(&mut again, DeviceChoice::Usual).unwrap();
    assert_eq!(kept(&again).unwrap().1, None);
    let ordered = again.events.iter().any(
        |(_, _, what)| matches!(what, EventKind::DeskOrder { order, by, .. } if order == "device" && by == "key test"),
    );
    assert!(ordered);
}
