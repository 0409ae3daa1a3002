//! Calls through all rooms: what is written before what is sent, what is refused, what repeats.

use crate::rig::*;
use cordboard_core::{RefusedReason, ShardCommand};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::PartyId;
use cordboard_model::service::AgentOrder;
use cordboard_plugin_api::{RouteEnd, RouteRequest};

fn place(rig: &Rig, line: &str) -> usize {
    rig.said.iter().position(|said| said.contains(line)).unwrap_or_else(|| panic!("{line}: {:#?}", rig.said))
}

/// An answered call from the trunk; the text of its 200.
fn answered(rig: &mut Rig, call: &str) -> String {
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", call));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    ok
}

#[test]
fn a_shard_without_configuration_refuses_every_call() {
    let mut rig = Rig::unconfigured([7; 32]);
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    assert_eq!((rig.heard("SIP/2.0 403"), rig.heard("SIP/2.0 200")), (1, 0), "{:?}", rig.said);
    assert_eq!(rig.shard.call_count(), 0);
}

#[test]
fn a_plain_call_where_keys_are_required_is_refused_before_anybody_rings() {
    use cordboard_model::srtp::{SrtpPolicy, SrtpRule};
    let mut rig = Rig::new();
    let mut snapshot = one_tenant();
    for trunk in snapshot.tenants.values_mut().flat_map(|tenant| tenant.trunks.values_mut()) {
        trunk.srtp = SrtpRule { policy: SrtpPolicy::Required, without_tls: false };
    }
    rig.configure(snapshot);
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    let refused = rig.last("488").to_owned();
    assert!(refused.contains("Warning: 302 "), "{refused}");
    assert_eq!((rig.heard("SIP/2.0 180"), rig.heard("SIP/2.0 200")), (0, 0), "{:#?}", rig.said);
    let closed = rig.records.iter().find_map(|record| match record {
        JournalRecord::CallClosed(cdr) => Some(cdr.cause),
        _ => None,
    });
    assert_eq!(closed, Some(cordboard_model::cause::Cause::Incompatible));
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &refused));
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
    assert_eq!(rig.shard.call_count(), 0);
}

#[test]
fn the_opening_record_is_written_before_the_200_is_sent() {
    let mut rig = Rig::new();
    rig.prompt = false;
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    assert_eq!((rig.heard("journal CallOpened"), rig.heard("200 OK")), (1, 0));
    assert_eq!(rig.shard.poll_timeout().unwrap().1.0, "journal late");
    rig.journal_answers(true);
    assert_eq!(rig.heard("200 OK"), 1);
}

#[test]
fn a_200_waits_for_the_journal_no_longer_than_its_limit() {
    let mut rig = Rig::new();
    rig.prompt = false;
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    rig.after(49);
    assert_eq!(rig.heard("200 OK"), 0);
    rig.after(1);
    assert_eq!(rig.heard("200 OK"), 1);
    assert_eq!(rig.alarms(), ["journal_late"]);
    rig.journal_answers(true);
    assert_eq!((rig.heard("200 OK"), rig.shard.figures().journal_late), (1, 1));
}

#[test]
fn the_closing_record_is_written_before_the_bye_is_sent() {
    let mut rig = Rig::new();
    answered(&mut rig, "a");
    rig.prompt = false;
    let call = rig.shard.calls(TenantId::DEFAULT)[0].call;
    rig.command(ShardCommand::HangUp(call, cordboard_model::cause::Cause::Administrative));
    assert_eq!((rig.heard("journal CallClosed"), rig.heard("BYE")), (1, 0), "{:#?}", rig.said);
    rig.journal_answers(true);
    assert_eq!(rig.heard("BYE"), 1);
    let bye = rig.last("BYE").to_owned();
    rig.datagram(TRUNK, &response(TRUNK, &bye, "200 OK"));
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn a_call_that_ends_before_it_was_opened_in_the_journal_keeps_that_order_too() {
    let mut rig = Rig::new();
    rig.prompt = false;
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    let call = rig.shard.calls(TenantId::DEFAULT)[0].call;
    rig.command(ShardCommand::HangUp(call, cordboard_model::cause::Cause::Administrative));
    assert_eq!((rig.heard("journal CallClosed"), rig.heard("200 OK")), (0, 0), "{:#?}", rig.said);
    rig.journal_answers(true);
    assert_eq!((rig.heard("journal CallClosed"), rig.heard("200 OK")), (1, 1));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    assert_eq!(rig.heard("BYE"), 0, "{:#?}", rig.said);
    rig.journal_answers(true);
    assert_eq!(rig.heard("BYE"), 1);
}

#[test]
fn a_bye_of_the_caller_ends_the_call_with_one_record() {
    let mut rig = Rig::new();
    let ok = answered(&mut rig, "a");
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    rig.after(40_000);
    assert_eq!(rig.heard("journal CallClosed"), 1);
    assert!(place(&rig, "journal CallOpened") < place(&rig, "200 OK"));
    assert!(place(&rig, "journal DialogUp") < place(&rig, "journal DialogDown"));
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn the_same_seed_says_the_same_and_another_one_does_not() {
    let run = |seed| {
        let mut rig = Rig::unconfigured([seed; 32]);
        rig.configure(one_tenant());
        let ok = answered(&mut rig, "a");
        answered(&mut rig, "b");
        rig.after(5_000);
        rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
        rig.after(70_000);
        (rig.sent, rig.events)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0, "tags and branches come from the seed");
    assert_eq!(run(1).1, run(2).1, "and nothing else does");
}

#[test]
fn more_calls_than_the_switch_may_have_get_503() {
    let mut rig = Rig::new();
    let mut small = one_tenant();
    small.limits.calls = 1;
    rig.configure(small);
    answered(&mut rig, "a");
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "b"));
    assert_ne!(header(rig.last("503"), "Retry-After"), "");
    let figures = rig.shard.figures();
    assert_eq!((figures.calls, figures.calls_refused), (1, 1));
}

#[test]
fn more_calls_than_a_trunk_may_have_get_503() {
    let mut rig = Rig::new();
    for call in ["a", "b", "c"] {
        answered(&mut rig, call);
    }
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "d"));
    assert_eq!(rig.heard("SIP/2.0 503"), 1);
    assert_eq!(rig.shard.call_count(), 3);
}

#[test]
fn a_stopping_switch_keeps_its_calls_and_takes_no_new_ones() {
    let mut rig = Rig::new();
    answered(&mut rig, "a");
    rig.command(ShardCommand::Stop { end: false });
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "b"));
    assert_eq!((rig.heard("SIP/2.0 503"), rig.shard.call_count()), (1, 1));
    rig.command(ShardCommand::Stop { end: true });
    assert_eq!(rig.heard("BYE"), 1);
    let Some(JournalRecord::CallClosed(cdr)) =
        rig.records.iter().rev().find(|r| matches!(r, JournalRecord::CallClosed(_)))
    else {
        panic!("no record");
    };
    assert_eq!(cdr.cause, cordboard_model::cause::Cause::Shutdown);
}

#[test]
fn a_route_is_explained_without_a_call() {
    let rig = Rig::new();
    let explain = |to: &str| {
        let request = RouteRequest::new(TenantId::DEFAULT, PartyId::new("caller"), PartyId::new(to));
        rig.shard.explain_route(request).unwrap()
    };
    assert!(matches!(explain("2000").end, RouteEnd::Decided { .. }));
    let nowhere = explain("9");
    assert!(matches!(nowhere.end, RouteEnd::Refused { .. }));
    assert_eq!(nowhere.reasons[0].why, "it is nothing");
}

#[test]
fn an_agents_wish_is_answered_at_once() {
    let mut rig = Rig::new();
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    let refused = rig.order(agent.clone(), AgentOrder::Ready).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::SignedOut);
    rig.order(agent.clone(), AgentOrder::SignIn).unwrap();
    rig.order(agent.clone(), AgentOrder::Ready).unwrap();
    rig.after(1);
    let nobody = AgentId::new(TenantId::DEFAULT, "nobody").unwrap();
    let refused = rig.order(nobody, AgentOrder::SignIn).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::NoSuchAgent);
    assert!(rig.shard.explain_agent(&agent).is_some());
}

#[test]
fn the_route_is_told_with_the_call() {
    let mut rig = Rig::new();
    answered(&mut rig, "a");
    let view = rig.shard.calls(TenantId::DEFAULT).remove(0);
    assert_eq!(view.route[0].why, "it is configured");
    let told = rig
        .events
        .iter()
        .any(|(_, _, what)| matches!(what, EventKind::CallRouted { to, .. } if to == "queue default/sales"));
    assert!(told, "{:#?}", rig.events);
}
