//! Sign-ins with a password, as the shard joins them to queues, events and the journal.

use crate::rig::*;
use cordboard_core::signin::{Ask, NewSession};
use cordboard_core::{RefusedReason, Restore, RestoredAgent, ShardCommand};
use cordboard_model::config::{Secret, Snapshot};
use cordboard_model::desk::{Actor, DeskAct, DeskOrder};
use cordboard_model::device::{AgentDevice, DeviceChoice};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::{
    AgentSignIn, Hashed, PasswordHash, SessionEnd, SignInFault, SignInRecord, TokenHash,
};
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;

const PHONE: &str = "203.0.113.5:5062";
const TOKEN: TokenHash = TokenHash([7; 32]);

fn agent() -> AgentId {
    AgentId::new(TenantId::DEFAULT, "1001").unwrap()
}

/// Agent 1001 has a password, which need not be changed.
fn configured() -> Snapshot {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.sign_in.rules.change_first = false;
    let own = AgentSignIn { password: Some(Secret("hash".into())), ..AgentSignIn::default() };
    tenant.sign_in.agents.insert(agent().name, own);
    snapshot
}

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.configure(configured());
    rig
}

fn signs_in(rig: &mut Rig, right: bool) -> Result<(), SignInFault> {
    signs_in_over(rig, right, false)
}

fn signs_in_over(rig: &mut Rig, right: bool, take_over: bool) -> Result<(), SignInFault> {
    let session = NewSession {
        token: Some(TOKEN),
        place: "desk 7".into(),
        address: "192.0.2.9".into(),
        phone: false,
        take_over,
    };
    let (password, session) = (Some(Secret("correct7".into())), Some(session));
    let (from, by) = ("192.0.2.9".into(), "agent 1001".into());
    let mut ask = Ask { agent: agent(), password, new: None, session, from, by, version: 0 };
    let work = rig.shard.begin_sign_in(&mut ask, rig.now)?;
    assert_eq!(work.check.unwrap().1, Some(PasswordHash("hash".into())));
    let done = rig.shard.finish_sign_in(ask, Hashed::Done { right, used: false, made: None }, rig.now);
    rig.drain();
    done
}

fn status(rig: &Rig) -> AgentStatus {
    rig.shard.agent(&agent()).unwrap().status
}

fn records(rig: &Rig) -> Vec<SignInRecord> {
    let of = |record: &JournalRecord| match record {
        JournalRecord::SignIn(record) => Some((**record).clone()),
        _ => None,
    };
    rig.records.iter().filter_map(of).collect()
}

fn ended(rig: &Rig, why: SessionEnd) -> bool {
    let is = |event: &EventKind| matches!(event, EventKind::SessionEnded { why: is, .. } if *is == why);
    rig.events.iter().any(|(_, _, event)| is(event))
}

#[test]
fn a_right_password_begins_a_session_and_the_agents_work_and_his_sign_out_ends_both() {
    let mut rig = rig();
    assert_eq!(signs_in(&mut rig, false), Err(SignInFault::Wrong));
    assert_eq!(status(&rig), AgentStatus::SignedOut);
    rig.after(1_000);
    signs_in(&mut rig, true).unwrap();
    assert_eq!(status(&rig), AgentStatus::NotReady);
    let signed = rig.shard.signed(&TOKEN, rig.now).unwrap();
    assert_eq!((signed.agent, signed.supervisor), (agent(), false));
    assert_eq!(rig.shard.session_of(&agent()).unwrap().place, "desk 7");
    rig.order(agent(), AgentOrder::SignOut).unwrap();
    rig.drain();
    assert_eq!(rig.shard.signed(&TOKEN, rig.now), None);
    assert!(ended(&rig, SessionEnd::SignedOut), "{:#?}", rig.events);
    assert_eq!(records(&rig).last().unwrap().session, None);
}

/// What operators see of it: in what they read of the agent, and in why he is what he is.
#[test]
fn who_is_locked_out_is_seen_and_let_in_again() {
    let mut rig = rig();
    for _ in 0..5 {
        signs_in(&mut rig, false).unwrap_err();
        rig.after(10_000);
    }
    let locks = rig.shard.agent(&agent()).unwrap().locks;
    assert_eq!(locks.len(), 1, "{locks:?}");
    assert_eq!(locks[0].from.as_deref(), Some("192.0.2.9"));
    let why = rig.shard.explain_agent(&agent()).unwrap();
    assert!(
        why.contains("his password is not looked at until ") && why.contains(", from 192.0.2.9"),
        "{why}"
    );
    assert!(rig.shard.unlock_sign_in(&agent(), "key desk".into(), rig.now));
    rig.drain();
    assert_eq!(rig.shard.agents(TenantId::DEFAULT)[0].locks, []);
    assert!(!rig.shard.explain_agent(&agent()).unwrap().contains("password"));
    assert_eq!(records(&rig).last().unwrap().tries, None);
    signs_in(&mut rig, true).unwrap();
}

#[test]
fn a_session_that_nobody_uses_ends_and_signs_its_agent_out() {
    let mut rig = rig();
    signs_in(&mut rig, true).unwrap();
    rig.after(43_199_000);
    assert_eq!(status(&rig), AgentStatus::NotReady);
    rig.after(1_001);
    assert_eq!(status(&rig), AgentStatus::SignedOut);
    assert!(ended(&rig, SessionEnd::Idle), "{:#?}", rig.events);
    assert!(!ended(&rig, SessionEnd::SignedOut), "it ends once");
}

/// Who had an agent's token had his calls sent to a telephone of his own; the password was set anew, and customers went on
/// ringing there, over restarts.
#[test]
fn a_password_that_somebody_else_sets_takes_back_what_sessions_had_done() {
    let mut rig = rig();
    signs_in(&mut rig, true).unwrap();
    rig.order(agent(), AgentOrder::Ready).unwrap();
    let elsewhere =
        DeviceChoice::Other(AgentDevice::Account(UserId::new(TenantId::DEFAULT, "1009").unwrap()));
    let mut known = configured();
    let tenant = known.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    let mut desk = tenant.users.values().next().unwrap().clone();
    desk.id = UserId::new(TenantId::DEFAULT, "1009").unwrap();
    tenant.users.insert(desk.id.name.clone(), desk);
    rig.configure(known);
    let by = Actor { key: "session".into(), agent: Some(agent()) };
    let act = DeskAct::Device(elsewhere);
    rig.desk(DeskOrder { agent: agent(), call: None, by, act }).unwrap();
    let (from, by) = ("192.0.2.1".into(), "key desk".into());
    let new = Some(Secret("Horse-99".into()));
    let mut ask = Ask { agent: agent(), password: None, new, session: None, from, by, version: 0 };
    rig.shard.begin_sign_in(&mut ask, rig.now).unwrap();
    let made = Some(PasswordHash("other".into()));
    rig.shard.finish_sign_in(ask, Hashed::Done { right: true, used: false, made }, rig.now).unwrap();
    rig.drain();
    assert!(ended(&rig, SessionEnd::PasswordChanged));
    assert_eq!(status(&rig), AgentStatus::SignedOut);
    let device = rig.shard.agent(&agent()).unwrap().device;
    assert_eq!(device, None, "the usual one");
    let kept = rig.records.iter().rev().find_map(|record| match record {
        JournalRecord::AgentDevice { device, .. } => Some(device.clone()),
        _ => None,
    });
    assert_eq!(kept, Some(None), "over a restart, too");
}

/// Whether the telephone of 1001 registers with this password.
fn registers(rig: &mut Rig, password: &str, call: &str) -> bool {
    let text = format!(
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
         From: <sip:1001@example.com>;tag=r\r\nTo: <sip:1001@example.com>\r\nCall-ID: {call}\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:1001@{PHONE}>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
    );
    rig.said.clear();
    rig.authenticated(PHONE, &text, password);
    rig.heard("SIP/2.0 200") > 0
}

/// One password for the page, the keys and the softphone, which is what the reference calls unified.
#[test]
fn a_softphone_proves_itself_by_its_agents_password_where_that_is_configured() {
    for unified in [false, true] {
        let mut known = configured();
        let tenant = known.tenants.get_mut(&TenantId::DEFAULT).unwrap();
        tenant.users = with_password("secret").tenants.remove(&TenantId::DEFAULT).unwrap().users;
        tenant.sign_in.agents.get_mut("1001").unwrap().unified = unified;
        let mut rig = Rig::new();
        rig.configure(known.clone());
        assert!(registers(&mut rig, "secret", "a"), "he has set none yet: the account's secret counts");
        let (from, by) = ("192.0.2.1".into(), "key desk".into());
        let new = Some(Secret("Horse-99".into()));
        let mut ask = Ask { agent: agent(), password: None, new, session: None, from, by, version: 0 };
        rig.shard.begin_sign_in(&mut ask, rig.now).unwrap();
        let made = Some(PasswordHash("other".into()));
        rig.shard.finish_sign_in(ask, Hashed::Done { right: true, used: false, made }, rig.now).unwrap();
        rig.drain();
        let both = |rig: &mut Rig, n: u32| {
            (registers(rig, "secret", &format!("b{n}")), registers(rig, "Horse-99", &format!("c{n}")))
        };
        assert_eq!(both(&mut rig, 1), (!unified, unified), "{unified}");
        rig.configure(known.clone());
        assert_eq!(both(&mut rig, 2), (!unified, unified), "after a reload");
        let record = records(&rig).pop().unwrap();
        assert_eq!(record.softphone.is_some(), unified);
        assert!(!format!("{record:?}").contains("Horse"));
        let mut again = Rig::new();
        again.configure(known);
        let restore = Restore { sign_ins: vec![record], ..Restore::default() };
        again.command(ShardCommand::Restore(Box::new(restore)));
        assert_eq!(both(&mut again, 3), (!unified, unified), "after a restart");
    }
}

/// The number of one who has left is another one's some day: it was rung where the former one had chosen.
#[test]
fn what_one_who_is_no_longer_configured_had_chosen_is_not_taken_back() {
    let mut rig = rig();
    let mut without = configured();
    without.tenants.get_mut(&TenantId::DEFAULT).unwrap().agents.clear();
    let device = AgentDevice::Number("+4930".into());
    let restore = || Restore { devices: vec![(agent(), device.clone())], ..Restore::default() };
    rig.command(ShardCommand::Restore(Box::new(restore())));
    assert_eq!(rig.shard.agent(&agent()).unwrap().device, Some(device.clone()));
    let gone = |rig: &Rig| {
        let is = |record: &JournalRecord| matches!(record, JournalRecord::AgentDevice { device: None, .. });
        rig.records.iter().any(is)
    };
    assert!(!gone(&rig));
    rig.configure(without.clone());
    assert!(gone(&rig));
    let mut again = Rig::new();
    again.configure(without);
    again.records.clear();
    again.command(ShardCommand::Restore(Box::new(restore())));
    assert!(gone(&again));
}

#[test]
fn a_session_outlasts_a_restart_unless_its_agent_has_signed_out() {
    let mut before = rig();
    signs_in(&mut before, true).unwrap();
    let kept = records(&before).pop().unwrap();
    for (was, opens) in [(AgentStatus::Ready, true), (AgentStatus::SignedOut, false)] {
        let mut again = rig();
        let since = Wall(1_699_999_990_000);
        let agents = vec![RestoredAgent { agent: agent(), status: was, reason: None, limit: None, since }];
        let restore = Restore { agents, sign_ins: vec![kept.clone()], ..Restore::default() };
        again.command(ShardCommand::Restore(Box::new(restore)));
        assert_eq!(again.shard.signed(&TOKEN, again.now).is_some(), opens, "{was:?}");
        assert_eq!(records(&again).is_empty(), opens, "that it is over is written down");
    }
}

/// Both were signed in, each with a session, and calls of both rang at one telephone.
#[test]
fn who_signs_in_where_another_agent_is_hears_so_and_may_take_his_place() {
    let night = AgentId::new(TenantId::DEFAULT, "1002").unwrap();
    let mut rig = Rig::new();
    let mut snapshot = configured();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    let mut other = tenant.agents[&agent().name].clone();
    other.id = night.clone();
    tenant.agents.insert(night.name.clone(), other);
    rig.configure(snapshot);
    rig.knows_the_phone("203.0.113.5:5060");
    rig.order(night.clone(), AgentOrder::SignIn).unwrap();
    rig.order(night.clone(), AgentOrder::Ready).unwrap();
    let of_the_other = |rig: &Rig| rig.shard.agent(&night).unwrap().status;
    assert_eq!(signs_in(&mut rig, false), Err(SignInFault::Wrong), "who is there is no affair of strangers");
    rig.after(1_000);
    assert_eq!(signs_in(&mut rig, true), Err(SignInFault::DeviceTaken(night.name.clone())));
    assert_eq!((status(&rig), rig.shard.session_of(&agent())), (AgentStatus::SignedOut, None));
    let refused = rig.order(agent(), AgentOrder::SignIn).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::DeviceTaken);
    // nobody is taken out of a call
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    assert_eq!(of_the_other(&rig), AgentStatus::Ringing);
    assert_eq!(signs_in_over(&mut rig, true, true), Err(SignInFault::DeviceTaken(night.name.clone())));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram("203.0.113.5:5060", &response("203.0.113.5:5060", &ours, "486 Busy Here"));
    rig.after(100);
    assert_eq!(of_the_other(&rig), AgentStatus::Ready);
    signs_in_over(&mut rig, true, true).unwrap();
    assert_eq!((status(&rig), of_the_other(&rig)), (AgentStatus::NotReady, AgentStatus::SignedOut));
    let by = rig.events.iter().rev().find_map(|(_, _, what)| match what {
        EventKind::AgentStatus { agent, status: AgentStatus::SignedOut, by, .. } if *agent == night => {
            by.clone()
        }
        _ => None,
    });
    assert_eq!(by.as_deref(), Some("agent 1001, who is at his telephone"));
}
