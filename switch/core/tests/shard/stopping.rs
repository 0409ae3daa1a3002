//! A planned stop: what goes on, what is refused, and how the rest ends.

use crate::rig::*;
use cordboard_core::ShardCommand;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::Cdr;
use cordboard_model::config::Snapshot;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::AgentOrder;
use cordboard_model::time::Duration;

const PHONE: &str = "203.0.113.5:5062";
const OTHER: &str = "203.0.113.6:5062";

fn drains(secs: u64) -> Snapshot {
    let mut snapshot = with_password("secret");
    snapshot.limits.drain = Duration::from_secs(secs);
    snapshot
}

fn up(rig: &mut Rig, call: &str) -> String {
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", call));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    ok
}

fn stopping(secs: u64) -> (Rig, String) {
    let mut rig = Rig::new();
    rig.configure(drains(secs));
    let ok = up(&mut rig, "a");
    rig.command(ShardCommand::Stop { end: false });
    rig.sent.clear();
    (rig, ok)
}

fn closed(rig: &Rig) -> Vec<&Cdr> {
    fn of(record: &JournalRecord) -> Option<&Cdr> {
        match record {
            JournalRecord::CallClosed(cdr) => Some(cdr),
            _ => None,
        }
    }
    rig.records.iter().filter_map(of).collect()
}

fn outside(method: &str, call: &str) -> String {
    format!(
        "{method} sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};branch=z9hG4bK{call}\r\nMax-Forwards: 70\r\n\
         From: <sip:1001@example.com>;tag={call}\r\nTo: <sip:1001@example.com>\r\nCall-ID: {call}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:1001@{PHONE}>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn a_switch_that_drains_refuses_what_is_new_and_says_so_to_who_asks() {
    let (mut rig, _) = stopping(60);
    assert_eq!(rig.alarms(), ["stopping"]);
    rig.datagram(TRUNK, outside("OPTIONS", "o").as_bytes());
    assert_eq!(header(rig.last("SIP/2.0 503"), "CSeq"), "1 OPTIONS");
    assert_ne!(header(rig.last("SIP/2.0 503"), "Retry-After"), "");
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "b"));
    assert_eq!(header(rig.last("SIP/2.0 503"), "CSeq"), "1 INVITE");
    assert_ne!(header(rig.last("SIP/2.0 503"), "Retry-After"), "");
    assert_eq!((rig.shard.call_count(), rig.shard.figures().calls_refused), (1, 1));
    // a second order of the same kind changes nothing
    rig.command(ShardCommand::Stop { end: false });
    assert_eq!((rig.alarms(), rig.heard("BYE")), (vec!["stopping"], 0));
}

#[test]
fn a_switch_that_drains_answers_devices_and_what_belongs_to_calls_that_are_up() {
    let (mut rig, ok) = stopping(60);
    rig.authenticated(PHONE, &outside("REGISTER", "r"), "secret");
    assert_eq!(header(rig.last("SIP/2.0 200"), "CSeq"), "1 REGISTER", "{:#?}", rig.said);
    assert_eq!(rig.shard.contacts(TenantId::DEFAULT).len(), 1);
    rig.datagram(TRUNK, &within("OPTIONS", 2, TRUNK, &ok));
    assert_eq!(header(rig.last("SIP/2.0 200"), "CSeq"), "2 OPTIONS", "{:#?}", rig.said);
    // who waits is offered to an agent who comes now, and talks to him
    let agent = || AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    for what in [AgentOrder::SignIn, AgentOrder::Ready] {
        rig.order(agent(), what).unwrap();
    }
    rig.command(ShardCommand::Stop { end: false });
    let offered = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &offered, "200 OK"));
    assert_eq!(rig.heard(&format!("{PHONE} ACK")), 1, "{:#?}", rig.said);
    // and ends his call as ever
    assert!(!rig.shard.is_drained());
    rig.datagram(TRUNK, &within("BYE", 3, TRUNK, &ok));
    let cdrs = closed(&rig);
    assert_eq!((cdrs.len(), cdrs[0].cause, cdrs[0].ended_by), (1, Cause::Normal, Party::Caller));
    assert!(rig.shard.is_drained());
}

#[test]
fn a_call_that_takes_the_place_of_one_that_is_up_is_not_new() {
    let mut rig = Rig::new();
    let ours = rig.talks_to_the_phone(PHONE);
    rig.command(ShardCommand::Stop { end: false });
    let tag = header(&ours, "From").split("tag=").nth(1).unwrap().to_owned();
    let replaces = format!("Replaces: {};to-tag={tag};from-tag=peer", header(&ours, "Call-ID"));
    let text = |call: &str| String::from_utf8(invite(OTHER, "1001", "example.com", call)).unwrap();
    let own = |text: String| text.replace("<sip:caller@example", "<sip:1001@example");
    let taking = own(text("b")).replace("Max-Forwards", &format!("{replaces}\r\nMax-Forwards"));
    rig.authenticated(OTHER, &taking, "secret");
    assert_eq!(rig.heard(&format!("{OTHER} SIP/2.0 200")), 1, "{:#?}", rig.said);
    rig.authenticated(OTHER, &own(text("c")), "secret");
    assert_eq!(rig.heard(&format!("{OTHER} SIP/2.0 503")), 1, "{:#?}", rig.said);
}

#[test]
fn what_is_left_when_the_time_is_over_is_ended_with_one_record_that_says_why() {
    let (mut rig, _) = stopping(30);
    rig.after(29_999);
    assert_eq!((rig.heard("BYE"), rig.shard.poll_timeout().unwrap().1.0), (0, "stop"));
    rig.after(1);
    let bye = rig.last("BYE").to_owned();
    assert!(header(&bye, "Reason").contains("text=\"shutdown\""), "{bye}");
    rig.datagram(TRUNK, &response(TRUNK, &bye, "200 OK"));
    let cdrs = closed(&rig);
    assert_eq!((cdrs.len(), cdrs[0].cause, cdrs[0].ended_by), (1, Cause::Shutdown, Party::Switch));
    assert!(rig.shard.is_drained() && rig.shard.is_at_rest());
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "c"));
    assert_eq!(header(rig.last("SIP/2.0 503"), "CSeq"), "1 INVITE");
}

#[test]
fn both_ends_of_a_talk_hear_of_it_and_an_order_to_end_waits_for_nothing() {
    let mut rig = Rig::new();
    rig.talks_to_the_phone(PHONE);
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    rig.command(ShardCommand::Stop { end: false });
    assert_eq!(rig.heard("BYE"), 0);
    rig.command(ShardCommand::Stop { end: true });
    assert_eq!((rig.heard(&format!("{PHONE} BYE")), rig.heard(&format!("{TRUNK} BYE"))), (1, 1));
    assert_eq!(closed(&rig).len(), 1);
    assert_eq!(closed(&rig)[0].cause, Cause::Shutdown);
}

#[test]
fn where_no_time_is_configured_a_stop_ends_calls_at_once() {
    let (rig, _) = stopping(0);
    assert_eq!((rig.heard("BYE"), rig.alarms().len()), (1, 0));
    assert_eq!(closed(&rig)[0].cause, Cause::Shutdown);
}
