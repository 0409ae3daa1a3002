//! What agents do in calls over legs that stay up, and who else is in them.

use crate::lines::{
    PHONE, acks, caller_leaves, calls, connected, drained, joined, keeps, presses, rang, record,
    takes_the_line, told,
};
use crate::rig::*;
use crate::routing::with;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::audio::{RecordRule, RecordWhen};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::config::Tenant;
use cordboard_model::desk::{Actor, DeskAct, DeskFault, DeskOrder, Goal, SeatOrder};
use cordboard_model::device::LineEnd;
use cordboard_model::id::{AgentId, LegId, Name, TenantId, UserId};
use cordboard_model::journal::ContactRecord;
use cordboard_model::media::MediaCommand;
use cordboard_model::service::{AgentOrder, Role, Strategy};
use cordboard_model::time::Wall;
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;

const CHIEF: &str = "203.0.113.6:5060";

fn agent(name: &str) -> AgentId {
    AgentId::new(TenantId::DEFAULT, name).unwrap()
}

fn status(rig: &Rig, who: &str) -> AgentStatus {
    rig.shard.agent(&agent(who)).unwrap().status
}

fn chief() -> Goal {
    Goal::Place(Destination::Agent(agent("1002")))
}

/// Agent 1002 beside 1001, with a line, too.
fn and_a_chief(tenant: &mut Tenant) {
    let name = |text: &str| Name::new(text).unwrap();
    let user = UserId::new(TenantId::DEFAULT, "1002").unwrap();
    let mut account = tenant.users[&name("1001")].clone();
    account.id = user.clone();
    let mut chief = tenant.agents[&name("1001")].clone();
    (chief.id, chief.user) = (agent("1002"), user);
    chief.duty.role = Role::Supervisor;
    tenant.users.insert(name("1002"), account);
    tenant.agents.insert(name("1002"), chief);
}

/// Both are ready and connected. Gives the legs of their lines.
fn both(change: impl FnOnce(&mut Tenant)) -> (Rig, LegId, LegId) {
    let (mut rig, line) = connected(|tenant| {
        and_a_chief(tenant);
        change(tenant);
    });
    let contact = ContactRecord {
        user: UserId::new(TenantId::DEFAULT, "1002").unwrap(),
        uri: format!("sip:1002@{CHIEF}"),
        flow: format!("udp:{CHIEF}"),
        path: Vec::new(),
        user_agent: String::new(),
        q_milli: 1_000,
        call_id: "r2".into(),
        cseq: 1,
        expires: Wall(1_700_000_900_000),
    };
    rig.command(ShardCommand::Restore(Box::new(Restore { contacts: vec![contact], ..Restore::default() })));
    rig.order(agent("1002"), AgentOrder::SignIn).unwrap();
    drained(&mut rig);
    let other = takes_the_line(&mut rig, CHIEF);
    assert_ne!(line, other);
    (rig, line, other)
}

fn order(rig: &mut Rig, who: &str, by: Option<&str>, act: DeskAct) -> Result<Vec<String>, DeskFault> {
    let by = Actor { key: "test".into(), agent: by.map(agent) };
    rig.desk(DeskOrder { agent: agent(who), call: None, by, act })
}

fn seat(rig: &mut Rig, act: SeatOrder) {
    order(rig, "1001", None, DeskAct::Seat(act)).unwrap();
}

/// Who was let go, or rung, since the lines were up.
fn disturbed(rig: &Rig) -> [usize; 4] {
    let of = |what: &str, phone: &str| rig.heard(&format!("{phone} {what}"));
    [of("BYE", PHONE), of("INVITE", PHONE) - 1, of("BYE", CHIEF), of("INVITE", CHIEF) - 1]
}

/// A caller talks to agent 1001 over his line.
fn talking(rig: &mut Rig, line: LegId) {
    calls(rig, "a");
    presses(rig, line);
    assert_eq!((status(rig, "1001"), joined(rig, line)), (AgentStatus::Talking, 1));
}

fn mixed(rig: &Rig, legs: &[LegId]) -> bool {
    let last = rig.media.iter().rev().find_map(|command| match command {
        MediaCommand::Mix { members, .. } => {
            Some(members.iter().map(|member| member.leg).collect::<Vec<_>>())
        }
        _ => None,
    });
    last.is_some_and(|members| legs.iter().all(|leg| members.contains(leg)))
}

#[test]
fn who_consults_over_his_line_and_gives_the_caller_away_keeps_it() {
    let (mut rig, line, other) = both(|_| {});
    talking(&mut rig, line);
    seat(&mut rig, SeatOrder::Consult(chief()));
    assert_eq!(joined(&rig, other), 0, "he is asked");
    presses(&mut rig, other);
    assert_eq!(joined(&rig, other), 1, "they speak");
    seat(&mut rig, SeatOrder::Complete);
    rig.after(1_000);
    assert_eq!(
        (joined(&rig, other), status(&rig, "1001")),
        (2, AgentStatus::Ready),
        "the caller has the chief"
    );
    assert_eq!(disturbed(&rig), [0; 4], "{:#?}", rig.said);
    caller_leaves(&mut rig);
    assert_eq!(record(&rig).cause, Cause::Normal);
    calls(&mut rig, "b");
    presses(&mut rig, line);
    assert_eq!((status(&rig, "1001"), disturbed(&rig)), (AgentStatus::Talking, [0; 4]));
}

#[test]
fn a_conference_over_two_lines_leaves_both_up() {
    let (mut rig, line, other) = both(|_| {});
    talking(&mut rig, line);
    seat(&mut rig, SeatOrder::Consult(chief()));
    presses(&mut rig, other);
    seat(&mut rig, SeatOrder::Merge);
    assert!(mixed(&rig, &[line, other]), "{:?}", rig.media);
    caller_leaves(&mut rig);
    order(&mut rig, "1001", None, DeskAct::Seat(SeatOrder::Release)).ok();
    rig.after(1_000);
    assert_eq!(disturbed(&rig), [0; 4], "{:#?}", rig.said);
    calls(&mut rig, "b");
    presses(&mut rig, line);
    assert_eq!(status(&rig, "1001"), AgentStatus::Talking);
}

#[test]
fn a_supervisor_listens_over_his_line_without_a_key() {
    let (mut rig, line, other) = both(|_| {});
    talking(&mut rig, line);
    let listen = DeskAct::Supervise { mode: SupervisionMode::Listen, extension: None };
    order(&mut rig, "1001", Some("1002"), listen).unwrap();
    assert!(mixed(&rig, &[line, other]), "{:?}", rig.media);
    order(&mut rig, "1001", Some("1002"), DeskAct::EndSupervision).unwrap();
    rig.after(1_000);
    assert_eq!((disturbed(&rig), status(&rig, "1001")), ([0; 4], AgentStatus::Talking));
    caller_leaves(&mut rig);
    assert_eq!(disturbed(&rig), [0; 4]);
}

#[test]
fn of_several_lines_that_are_asked_at_once_the_first_has_the_call() {
    let (mut rig, line, other) = both(|tenant| {
        tenant.queues.get_mut("sales").unwrap().service.strategy = Strategy::RingAll;
    });
    rig.order(agent("1002"), AgentOrder::Ready).unwrap();
    drained(&mut rig);
    calls(&mut rig, "a");
    assert_eq!(["1001", "1002"].map(|who| status(&rig, who)), [AgentStatus::Ringing; 2]);
    presses(&mut rig, other);
    rig.after(100);
    assert_eq!((joined(&rig, other), joined(&rig, line)), (1, 0));
    assert_eq!(["1001", "1002"].map(|who| status(&rig, who)), [AgentStatus::Ready, AgentStatus::Talking]);
    calls(&mut rig, "b");
    presses(&mut rig, line);
    assert_eq!((status(&rig, "1001"), disturbed(&rig)), (AgentStatus::Talking, [0; 4]));
}

#[test]
fn his_page_answers_and_releases_a_call_and_the_line_stays() {
    let (mut rig, line) = connected(|_| {});
    calls(&mut rig, "a");
    acks(&mut rig);
    order(&mut rig, "1001", None, DeskAct::Answer).unwrap();
    assert_eq!((status(&rig, "1001"), joined(&rig, line)), (AgentStatus::Talking, 1));
    order(&mut rig, "1001", None, DeskAct::Seat(SeatOrder::Release)).unwrap();
    rig.after(400);
    assert_eq!((rig.heard(&format!("{TRUNK} BYE")), rig.heard(&format!("{PHONE} BYE"))), (1, 0));
    assert_eq!(status(&rig, "1001"), AgentStatus::Ready);
}

#[test]
fn what_he_dials_goes_out_at_once_over_his_line() {
    let (mut rig, line) = connected(|_| {});
    let to = Goal::Number("+49409999".into());
    order(&mut rig, "1001", Some("1001"), DeskAct::Dial { to, shown: None, data: Default::default() })
        .unwrap();
    assert_eq!((rig.heard("INVITE sip:+49409999@"), rang(&rig)), (1, 1), "{:#?}", rig.said);
    let ours = rig.last("INVITE sip:+49409999@").to_owned();
    let at = crate::routing::FIRST;
    rig.datagram(at, &response(at, &ours, "200 OK"));
    assert_eq!(joined(&rig, line), 1);
    order(&mut rig, "1001", None, DeskAct::Seat(SeatOrder::Release)).unwrap();
    rig.after(400);
    assert_eq!((rig.heard(&format!("{at} BYE")), rig.heard(&format!("{PHONE} BYE"))), (1, 0));
}

#[test]
fn a_recorded_call_over_a_line_is_recorded_from_it_and_nothing_of_it_is_left() {
    let (mut rig, line) = connected(|tenant| {
        tenant.agents.get_mut("1001").unwrap().record = Some(RecordRule::new(RecordWhen::Always));
    });
    talking(&mut rig, line);
    let records = |command: &&MediaCommand| matches!(command, MediaCommand::Record { left, right, .. } if *left == line || *right == Some(line));
    assert_eq!(rig.media.iter().filter(records).count(), 1, "{:?}", rig.media);
    let vacated = |rig: &Rig| rig.media.iter().filter(|c| **c == MediaCommand::Vacate { leg: line }).count();
    assert_eq!(vacated(&rig), 0);
    caller_leaves(&mut rig);
    assert_eq!((vacated(&rig), rig.media.contains(&MediaCommand::Close { leg: line })), (1, false));
}

#[test]
fn the_connection_is_ended_and_made_by_order() {
    let (mut rig, line) = connected(|_| {});
    talking(&mut rig, line);
    acks(&mut rig);
    order(&mut rig, "1001", None, DeskAct::Line(false)).unwrap();
    rig.after(400);
    assert_eq!((rig.heard(&format!("{PHONE} BYE")), rig.heard(&format!("{TRUNK} BYE"))), (1, 1));
    assert_eq!(told(&rig), [None, Some(LineEnd::GivenUp)]);
    assert_eq!((status(&rig, "1001"), rang(&rig)), (AgentStatus::Ready, 1), "he wants it no more");
    assert_eq!(order(&mut rig, "1001", None, DeskAct::Line(true)).unwrap().len(), 1);
    takes_the_line(&mut rig, PHONE);
    assert_eq!(told(&rig).last(), Some(&None));
    order(&mut rig, "1001", None, DeskAct::Line(false)).unwrap();
    assert_eq!(told(&rig).last(), Some(&Some(LineEnd::GivenUp)));
    rig.after(60_000);
    assert_eq!(rang(&rig), 2, "it stays as he wants it");

    let mut plain = Rig::new();
    plain.configure(with(|tenant| {
        keeps(tenant);
        tenant.agents.get_mut("1001").unwrap().duty.phone.keep = false;
    }));
    plain.knows_the_phone(PHONE);
    plain.order(agent("1001"), AgentOrder::SignIn).unwrap();
    assert_eq!(order(&mut plain, "1001", None, DeskAct::Line(true)), Err(DeskFault::NoLine));
}
