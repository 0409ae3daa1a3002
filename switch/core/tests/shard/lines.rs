//! Legs to agents that stay up between calls.

use crate::rig::*;
use crate::routing::{FIRST, two_ways, with};
use cordboard_core::{Restore, RestoredAgent, ShardCommand, ShardInput};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::Cdr;
use cordboard_model::config::Tenant;
use cordboard_model::desk::{Actor, DeskAct, DeskOrder, SeatOrder};
use cordboard_model::device::{AgentPhone, LineEnd, LineState};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, LegId, Name, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::{MediaCommand, MediaEvent, PlayItem};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;

pub const PHONE: &str = "203.0.113.5:5060";
const MOBILE: &str = "+493012345";

fn agent() -> AgentId {
    AgentId::new(TenantId::DEFAULT, "1001").unwrap()
}

fn order(rig: &mut Rig, what: AgentOrder) {
    rig.order(agent(), what).unwrap();
    drained(rig);
}

/// Whatever is to be done is done.
pub fn drained(rig: &mut Rig) {
    rig.command(ShardCommand::Unrecordable(false));
}

fn status(rig: &Rig) -> AgentStatus {
    rig.shard.agents(TenantId::DEFAULT).remove(0).status
}

pub fn keeps(tenant: &mut Tenant) {
    two_ways(tenant);
    tenant.agents.get_mut("1001").unwrap().duty.phone.keep = true;
}

/// The invitations that his phone got.
pub fn rang(rig: &Rig) -> usize {
    rig.heard(&format!("{PHONE} INVITE"))
}

/// What was told of lines: nothing of one that is up, and why one is not.
pub fn told(rig: &Rig) -> Vec<Option<LineEnd>> {
    let line = |(_, _, what): &_| match what {
        EventKind::AgentLine { up, why, .. } => {
            assert_eq!(*up, why.is_none());
            Some(*why)
        }
        _ => None,
    };
    rig.events.iter().filter_map(line).collect()
}

fn shown(rig: &Rig) -> Option<LineState> {
    rig.shard.agent(&agent()).unwrap().line
}

/// Agent 1001 has signed in, his phone has rung and was answered, and he is ready. Gives the line's leg.
pub fn connected(change: impl FnOnce(&mut Tenant)) -> (Rig, LegId) {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        keeps(tenant);
        change(tenant);
    }));
    rig.knows_the_phone(PHONE);
    assert_eq!(rang(&rig), 0, "he has not signed in");
    order(&mut rig, AgentOrder::SignIn);
    assert_eq!((rang(&rig), told(&rig), shown(&rig)), (1, vec![], Some(LineState::Rings)));
    let leg = takes_the_line(&mut rig, PHONE);
    assert_eq!((told(&rig), shown(&rig)), (vec![None], Some(LineState::Up)));
    order(&mut rig, AgentOrder::Ready);
    (rig, leg)
}

/// The phone answers, and hears silence. Gives the line's leg.
pub fn takes_the_line(rig: &mut Rig, phone: &str) -> LegId {
    let to_it = |(to, text): &&(_, String)| *to == addr(phone) && text.starts_with("INVITE");
    let ours = rig.sent.iter().rev().find(to_it).expect("it rings").1.clone();
    rig.datagram(phone, &response(phone, &ours, "200 OK"));
    let leg = rig.media.iter().rev().find_map(|command| match command {
        MediaCommand::Play { leg, items, .. } if matches!(items[..], [PlayItem::Silence(_)]) => Some(*leg),
        _ => None,
    });
    leg.expect("it hears silence")
}

pub fn calls(rig: &mut Rig, call: &str) {
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", call));
}

/// The caller acknowledges his answer: only then may he be sent a BYE.
pub fn acks(rig: &mut Rig) -> String {
    let ok = rig.sent.iter().rev().find(|(to, text)| *to == addr(TRUNK) && text.starts_with("SIP/2.0 200"));
    let ok = ok.unwrap().1.clone();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    ok
}

pub fn caller_leaves(rig: &mut Rig) {
    let ok = acks(rig);
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    rig.after(1_000);
}

/// A BYE of the phone in the dialog of this INVITE of ours.
fn puts_down(rig: &mut Rig, ours: &str) {
    let (from, to, call) = (header(ours, "From"), header(ours, "To"), header(ours, "Call-ID"));
    let bye = format!(
        "BYE sip:cordboard@{SWITCH} SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};branch=z9hG4bKdown\r\nMax-Forwards: 70\r\n\
         From: {to};tag=peer\r\nTo: {from}\r\nCall-ID: {call}\r\nCSeq: 7 BYE\r\nContent-Length: 0\r\n\r\n"
    );
    rig.datagram(PHONE, bye.as_bytes());
}

pub fn presses(rig: &mut Rig, leg: LegId) {
    rig.input(ShardInput::Media(MediaEvent::Digit { leg, digit: '1' }));
}

/// How often the line was joined with somebody.
pub fn joined(rig: &Rig, line: LegId) -> usize {
    let with_line = |command: &&MediaCommand| matches!(command, MediaCommand::Bridge { a, b } if *a == line || *b == line);
    rig.media.iter().filter(with_line).count()
}

pub fn record(rig: &Rig) -> &Cdr {
    let closed = rig.records.iter().rev().find_map(|record| match record {
        JournalRecord::CallClosed(cdr) => Some(&**cdr),
        _ => None,
    });
    closed.expect("a record")
}

#[test]
fn one_call_after_the_other_comes_over_a_leg_that_stays_up() {
    let (mut rig, line) = connected(|_| {});
    for (n, call) in ["a", "b"].into_iter().enumerate() {
        calls(&mut rig, call);
        assert_eq!((status(&rig), joined(&rig, line)), (AgentStatus::Ringing, n));
        presses(&mut rig, line);
        assert_eq!((status(&rig), joined(&rig, line)), (AgentStatus::Talking, n + 1));
        caller_leaves(&mut rig);
        assert_eq!(status(&rig), AgentStatus::Ready);
        let cdr = record(&rig);
        assert_eq!((cdr.cause, cdr.agent.clone()), (Cause::Normal, Some(agent())));
        assert_eq!((cdr.legs.len(), cdr.legs[1].agent.clone()), (2, Some(agent())));
        assert!(cdr.legs[1].answered.is_some(), "{:?}", cdr.legs[1]);
    }
    assert_eq!((rang(&rig), rig.heard(&format!("{PHONE} BYE"))), (1, 0), "{:#?}", rig.said);
    order(&mut rig, AgentOrder::SignOut);
    assert_eq!(rig.heard(&format!("{PHONE} BYE")), 1);
    assert_eq!((told(&rig), shown(&rig)), (vec![None, Some(LineEnd::GivenUp)], None));
    rig.after(60_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn with_auto_answer_he_has_the_call_after_a_tone() {
    let (mut rig, line) = connected(|tenant| {
        tenant.desk.agents.entry(Name::new("1001").unwrap()).or_default().auto_answer = true;
    });
    calls(&mut rig, "a");
    assert_eq!((status(&rig), joined(&rig, line), rang(&rig)), (AgentStatus::Talking, 1, 1));
    let tone = rig.media.iter().any(|command| {
        matches!(command, MediaCommand::Play { leg, items, .. } if *leg == line && matches!(items[..], [PlayItem::Tone(..)]))
    });
    assert!(tone, "he hears that a call comes");
}

#[test]
fn who_presses_nothing_keeps_his_line_and_has_not_answered() {
    let (mut rig, line) = connected(|_| {});
    calls(&mut rig, "a");
    rig.after(15_000);
    assert_eq!(
        (status(&rig), joined(&rig, line), rig.heard(&format!("{PHONE} BYE"))),
        (AgentStatus::Ready, 0, 0)
    );
    let why = rig.shard.explain_agent(&agent()).unwrap();
    assert!(why.contains("the last offer failed (no answer)"), "{why}");
    rig.after(5_000);
    presses(&mut rig, line);
    assert_eq!((status(&rig), joined(&rig, line)), (AgentStatus::Talking, 1));
}

#[test]
fn a_caller_who_leaves_while_he_is_asked_leaves_the_line_up() {
    let (mut rig, line) = connected(|_| {});
    calls(&mut rig, "a");
    caller_leaves(&mut rig);
    assert_eq!((status(&rig), rig.heard(&format!("{PHONE} BYE"))), (AgentStatus::Ready, 0));
    calls(&mut rig, "b");
    presses(&mut rig, line);
    assert_eq!((status(&rig), joined(&rig, line), rang(&rig)), (AgentStatus::Talking, 1, 1));
}

#[test]
fn who_hangs_up_ends_the_call_and_the_line_which_comes_anew_as_he_is_ready() {
    let (mut rig, line) = connected(|_| {});
    let ours = rig.last("INVITE").to_owned();
    calls(&mut rig, "a");
    presses(&mut rig, line);
    puts_down(&mut rig, &ours);
    // before an INVITE is sent once more
    rig.after(400);
    assert_eq!(record(&rig).ended_by, cordboard_model::cause::Party::Callee);
    assert_eq!((rang(&rig), status(&rig)), (2, AgentStatus::Ready), "{:#?}", rig.said);
    // it is not up: he is rung like any other
    calls(&mut rig, "b");
    assert_eq!(rang(&rig), 3);
}

#[test]
fn a_line_that_is_put_down_is_not_rung_again_until_he_is_ready_anew() {
    let (mut rig, _) = connected(|_| {});
    let ours = rig.last("INVITE").to_owned();
    puts_down(&mut rig, &ours);
    rig.after(60_000);
    assert_eq!((rang(&rig), told(&rig)), (1, vec![None, Some(LineEnd::PutDown)]));
    let why = rig.shard.explain_agent(&agent()).unwrap();
    assert!(why.contains("The line to his device is down: put down."), "{why}");
    order(&mut rig, AgentOrder::NotReady { reason: None });
    order(&mut rig, AgentOrder::Ready);
    assert_eq!(rang(&rig), 2);
}

#[test]
fn a_phone_that_does_not_take_the_line_is_rung_for_calls() {
    let mut rig = Rig::new();
    rig.configure(with(keeps));
    rig.knows_the_phone(PHONE);
    order(&mut rig, AgentOrder::SignIn);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ours, "603 Decline"));
    rig.after(60_000);
    assert_eq!((rang(&rig), told(&rig)), (1, vec![Some(LineEnd::NotTaken)]));
    order(&mut rig, AgentOrder::Ready);
    assert_eq!(rang(&rig), 2, "it is tried anew");
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ours, "603 Decline"));
    calls(&mut rig, "a");
    assert_eq!((rang(&rig), status(&rig)), (3, AgentStatus::Ringing));
}

/// A phone that was busy at a restart, for its call was not over yet, stayed without a line until its agent did something.
#[test]
fn a_phone_that_was_busy_is_tried_again_by_itself() {
    let mut rig = Rig::new();
    rig.configure(with(keeps));
    rig.knows_the_phone(PHONE);
    order(&mut rig, AgentOrder::SignIn);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ours, "486 Busy Here"));
    rig.after(29_000);
    assert_eq!(rang(&rig), 1);
    rig.after(1_000);
    takes_the_line(&mut rig, PHONE);
    assert_eq!((rang(&rig), told(&rig)), (2, vec![Some(LineEnd::NotTaken), None]));
}

#[test]
fn a_line_whose_port_is_lost_ends_its_call_and_is_made_anew() {
    let (mut rig, leg) = connected(|_| {});
    calls(&mut rig, "a");
    presses(&mut rig, leg);
    acks(&mut rig);
    rig.input(ShardInput::Media(MediaEvent::Closed { leg, stats: Default::default() }));
    // before a BYE is sent once more
    rig.after(400);
    assert_eq!((rig.heard(&format!("{PHONE} BYE")), rig.heard(&format!("{TRUNK} BYE"))), (1, 1));
    assert_eq!((told(&rig), rang(&rig)), (vec![None, Some(LineEnd::Lost)], 2), "{:#?}", rig.said);
}

#[test]
fn who_is_signed_in_after_a_restart_is_connected_again() {
    let mut rig = Rig::new();
    rig.configure(with(keeps));
    rig.knows_the_phone(PHONE);
    let since = Wall(1_699_999_000_000);
    let ann = RestoredAgent { agent: agent(), status: AgentStatus::Ready, reason: None, limit: None, since };
    rig.command(ShardCommand::Restore(Box::new(Restore { agents: vec![ann], ..Restore::default() })));
    takes_the_line(&mut rig, PHONE);
    assert_eq!((rang(&rig), shown(&rig), status(&rig)), (1, Some(LineState::Up), AgentStatus::Ready));
}

#[test]
fn a_party_on_hold_when_the_call_ends_leaves_no_hold_behind() {
    let (mut rig, line) = connected(|_| {});
    calls(&mut rig, "a");
    presses(&mut rig, line);
    let by = Actor { key: "test".into(), agent: None };
    let hold = DeskOrder { agent: agent(), call: None, by, act: DeskAct::Seat(SeatOrder::Hold(true)) };
    rig.shard.desk(hold, rig.now).unwrap();
    drained(&mut rig);
    caller_leaves(&mut rig);
    calls(&mut rig, "b");
    presses(&mut rig, line);
    assert_eq!((status(&rig), joined(&rig, line)), (AgentStatus::Talking, 2));
}

#[test]
fn a_line_to_a_number_is_confirmed_by_the_key_once() {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        keeps(tenant);
        let phone = &mut tenant.agents.get_mut("1001").unwrap().duty.phone;
        *phone = AgentPhone { number: Some(MOBILE.into()), first: true, keep: true, ..AgentPhone::default() };
    }));
    order(&mut rig, AgentOrder::SignIn);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "200 OK"));
    assert_eq!(told(&rig), [], "it may be a mailbox");
    let line = rig.media.iter().rev().find_map(|command| match command {
        MediaCommand::Play { leg, .. } => Some(*leg),
        _ => None,
    });
    let line = line.unwrap();
    presses(&mut rig, line);
    assert_eq!(told(&rig), [None]);
    order(&mut rig, AgentOrder::Ready);
    calls(&mut rig, "a");
    presses(&mut rig, line);
    assert_eq!((status(&rig), joined(&rig, line)), (AgentStatus::Talking, 1));
    assert_eq!(rig.heard(&format!("{FIRST} INVITE")), 1);
}

#[test]
fn a_mailbox_does_not_keep_a_line() {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        keeps(tenant);
        let phone = &mut tenant.agents.get_mut("1001").unwrap().duty.phone;
        *phone = AgentPhone { number: Some(MOBILE.into()), first: true, keep: true, ..AgentPhone::default() };
    }));
    order(&mut rig, AgentOrder::SignIn);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "200 OK"));
    rig.after(15_000);
    assert_eq!((rig.heard(&format!("{FIRST} BYE")), told(&rig)), (1, vec![Some(LineEnd::NotTaken)]));
    order(&mut rig, AgentOrder::SignOut);
    rig.after(60_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn the_journal_knows_in_which_call_the_dialog_of_a_line_is() {
    let (mut rig, line) = connected(|_| {});
    let downs =
        |rig: &Rig| rig.records.iter().filter(|r| matches!(r, JournalRecord::DialogDown { .. })).count();
    let ups = |rig: &Rig| {
        let up = |record: &JournalRecord| match record {
            JournalRecord::DialogUp { call, leg, .. } => Some((*call, *leg)),
            _ => None,
        };
        rig.records.iter().filter_map(up).collect::<Vec<_>>()
    };
    assert_eq!((ups(&rig).len(), downs(&rig)), (1, 0));
    calls(&mut rig, "a");
    presses(&mut rig, line);
    let lent = *ups(&rig).last().unwrap();
    assert_ne!(lent.1, line);
    assert_eq!(rig.shard.calls(TenantId::DEFAULT)[0].call, lent.0);
    caller_leaves(&mut rig);
    assert_eq!(ups(&rig).last().unwrap().1, line, "it has its own leg again");
}

#[test]
fn a_stop_gives_lines_up() {
    let (mut rig, _) = connected(|_| {});
    assert!(!rig.shard.is_drained());
    rig.command(ShardCommand::Stop { end: false });
    assert_eq!(rig.heard(&format!("{PHONE} BYE")), 1);
    assert!(rig.shard.is_drained());
}
