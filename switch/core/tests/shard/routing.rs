//! What routing plugins see of the shard, what they ask of the world, and by how many trunks a call leaves.

use crate::rig::*;
use cordboard_core::ShardInput;
use cordboard_model::config::{Flow, Gateway, Snapshot, Tenant, Trunk, TrunkHealth};
use cordboard_model::event::EventKind;
use cordboard_model::fetch::Fetched;
use cordboard_model::id::{AgentId, FlowId, Name, TenantId, TrunkId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::routes::{HttpDecision, LastAgent, LuaDecision, Otherwise, WayOut, WayTrunk};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::Duration;
use std::collections::BTreeMap;

pub const FIRST: &str = "198.51.100.81:5060";
pub const SECOND: &str = "198.51.100.82:5060";

/// Two trunks with a gateway each, and what `change` makes of the tenant, whose plugins are `obeys` and `numbers`.
pub fn with(change: impl FnOnce(&mut Tenant)) -> Snapshot {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.routing = vec!["obeys".into(), "numbers".into()];
    tenant.trunks.get_mut("carrier").unwrap().max_calls = 100;
    for (name, at) in [("one", FIRST), ("two", SECOND)] {
        let id = TrunkId::new(tenant.id, name).unwrap();
        let health = TrunkHealth { every: None, ..TrunkHealth::default() };
        let trunk = Trunk { gateways: vec![Gateway::at(addr(at))], health, ..Trunk::new(id.clone()) };
        tenant.trunks.insert(id.name, trunk);
    }
    change(tenant);
    snapshot
}

pub fn trunk(name: &str) -> TrunkId {
    TrunkId::new(TenantId::DEFAULT, name).unwrap()
}

pub fn two_ways(tenant: &mut Tenant) {
    let way = |name: &str| WayTrunk { trunk: trunk(name), cost: 0, weight: 1 };
    let trunks = vec![way("one"), way("two")];
    tenant.routes.ways =
        vec![WayOut { prefix: "+49".into(), trunks, users: Vec::new(), from_trunks: Vec::new() }];
}

fn calls(rig: &mut Rig, to: &str, call: &str) {
    rig.datagram(TRUNK, &invite(TRUNK, to, "example.com", call));
}

/// Why the last call went where it went.
fn told(rig: &Rig) -> (String, Vec<String>) {
    let routed = rig.events.iter().rev().find_map(|(_, _, what)| match what {
        EventKind::CallRouted { to, reasons, .. } => Some((to.clone(), reasons.clone())),
        _ => None,
    });
    let (to, reasons) = routed.unwrap();
    (to, reasons.into_iter().map(|reason| format!("{} {}", reason.verdict, reason.why)).collect())
}

fn hangs_up(rig: &mut Rig, call: &str) {
    let ok = rig.sent.iter().rev().find(|(_, text)| {
        text.starts_with("SIP/2.0 200")
            && header(text, "Call-ID") == call
            && header(text, "CSeq").ends_with("INVITE")
    });
    let ok = ok.unwrap().1.clone();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn a_call_that_fails_by_one_trunk_leaves_by_the_next_as_that_trunk_writes_it() {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        two_ways(tenant);
        tenant.trunks.get_mut("two").unwrap().numbers.out_called =
            vec![cordboard_model::number::Rewrite { prefix: "+".into(), strip: 1, prepend: "00".into() }];
    }));
    calls(&mut rig, "+493012345", "a");
    assert_eq!(rig.heard(&format!("{FIRST} INVITE sip:+493012345@{FIRST}")), 1, "{:#?}", rig.said);
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(FIRST, &response(FIRST, &ours, "503 Service Unavailable"));
    assert_eq!(rig.heard(&format!("{SECOND} INVITE sip:00493012345@{SECOND}")), 1, "{:#?}", rig.said);
    let views = rig.shard.trunk_views(TenantId::DEFAULT);
    let up: Vec<_> = views.iter().map(|view| (view.trunk.name.as_str(), view.calls)).collect();
    assert_eq!(up, [("carrier", 1), ("one", 0), ("two", 1)], "the call is of one trunk");
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(SECOND, &response(SECOND, &ours, "200 OK"));
    assert_eq!(rig.heard("SIP/2.0 200 OK"), 1);
    hangs_up(&mut rig, "a");
    let Some(JournalRecord::CallClosed(cdr)) =
        rig.records.iter().rfind(|r| matches!(r, JournalRecord::CallClosed(_)))
    else {
        panic!("no record")
    };
    assert_eq!(cdr.legs.len(), 2);
}

#[test]
fn a_trunk_without_room_is_passed_over_and_one_that_declines_is_the_last_word() {
    let mut rig = Rig::new();
    rig.configure(with(two_ways));
    assert!(rig.shard.block_trunk(&trunk("one"), true));
    calls(&mut rig, "+4930", "a");
    let reasons = rig.shard.calls(TenantId::DEFAULT).remove(0).route;
    assert!(reasons[0].rejected.contains(&"default/one: taken out of service".to_owned()), "{reasons:?}");
    assert!(reasons[0].rejected.contains(&"default/two: ready".to_owned()), "{reasons:?}");
    assert_eq!((rig.heard(&format!("{FIRST} INVITE")), rig.heard(&format!("{SECOND} INVITE"))), (0, 1));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(SECOND, &response(SECOND, &ours, "603 Decline"));
    assert_eq!(rig.heard(&format!("{FIRST} INVITE")), 0, "nobody is asked again who has been refused");
    assert_eq!(rig.heard(&format!("{TRUNK} SIP/2.0 603")), 1, "{:#?}", rig.said);
    rig.after(40_000);
    // both are out of service: congestion, without an INVITE
    assert!(rig.shard.block_trunk(&trunk("two"), true));
    calls(&mut rig, "+4930", "b");
    assert_eq!(rig.heard(&format!("{TRUNK} SIP/2.0 503")), 1, "{:#?}", rig.said);
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn the_last_trunk_that_fails_ends_the_call_and_leaves_nothing() {
    let mut rig = Rig::new();
    rig.configure(with(two_ways));
    calls(&mut rig, "+4930", "a");
    // neither says anything
    rig.after(4_000);
    assert_eq!(rig.heard(&format!("{SECOND} INVITE")), 1, "{:#?}", rig.said);
    rig.after(60_000);
    assert_eq!(rig.shard.call_count(), 0, "{:#?}", rig.said);
    rig.after(60_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

fn asks_by_http(tenant: &mut Tenant) {
    tenant.kit.http_allowed = vec!["http://127.0.0.1/".into()];
    tenant.routes.http = Some(HttpDecision {
        called: Vec::new(),
        url: "http://127.0.0.1/route".into(),
        headers: Vec::new(),
        within: Duration::from_secs(1),
        otherwise: Otherwise::Pass,
    });
}

#[test]
fn a_server_decides_and_what_it_gives_the_call_goes_with_it() {
    let mut rig = Rig::new();
    rig.configure(with(asks_by_http));
    calls(&mut rig, "7000", "a");
    assert_eq!(rig.heard("SIP/2.0 200"), 0);
    let (ticket, order) = rig.fetched.pop().unwrap();
    assert_eq!(order.url, "http://127.0.0.1/route");
    let body = r#"{"to":"queue:sales","priority":7,"data":{"level":"gold"}}"#.to_owned();
    rig.input(ShardInput::Fetched { ticket, fetched: Fetched::Answer { status: 200, json: true, body } });
    let (to, why) = told(&rig);
    assert_eq!(to, "queue default/sales");
    assert_eq!(
        why,
        ["ask who knows", "amend it says what the call is to have", "decide it says queue default/sales"]
    );
    assert_eq!(
        rig.shard.calls(TenantId::DEFAULT)[0].data,
        BTreeMap::from([("level".to_owned(), serde_json::Value::from("gold"))])
    );
    hangs_up(&mut rig, "a");
}

#[test]
fn a_server_that_is_late_is_passed_over_and_its_answer_finds_nobody() {
    let mut rig = Rig::new();
    rig.configure(with(asks_by_http));
    calls(&mut rig, "2000", "a");
    let (ticket, _) = rig.fetched.pop().unwrap();
    rig.after(999);
    assert_eq!(rig.heard("SIP/2.0 200"), 0);
    rig.after(1);
    let (to, why) = told(&rig);
    assert_eq!(to, "queue default/sales");
    assert!(why.contains(&"pass it did not decide (late): the next is asked".to_owned()), "{why:?}");
    let body = r#"{"refuse":"busy"}"#.to_owned();
    rig.input(ShardInput::Fetched { ticket, fetched: Fetched::Answer { status: 200, json: true, body } });
    assert_eq!(rig.heard("SIP/2.0 486"), 0);
    hangs_up(&mut rig, "a");
}

#[test]
fn a_caller_who_hangs_up_while_the_world_is_asked_leaves_no_question_behind() {
    let mut rig = Rig::new();
    let asks: [fn(&mut Tenant); 2] =
        [asks_by_http, |tenant| flow(tenant, "call:http{ url = 'http://127.0.0.1/a' }")];
    for (n, asks) in asks.into_iter().enumerate() {
        let call = format!("c{n}");
        rig.configure(with(|tenant| {
            tenant.kit.http_allowed = vec!["http://127.0.0.1/".into()];
            asks(tenant);
        }));
        calls(&mut rig, "7000", &call);
        assert_eq!(rig.fetched.len(), n + 1, "{:#?}", rig.said);
        let text = String::from_utf8(invite(TRUNK, "7000", "example.com", &call)).unwrap();
        let cancel = text.split("Content-Type").next().unwrap().replace("INVITE", "CANCEL");
        rig.datagram(TRUNK, format!("{cancel}Content-Length: 0\r\n\r\n").as_bytes());
        let over = rig.last("487").to_owned();
        let ack = String::from_utf8(within("ACK", 1, TRUNK, &over)).unwrap();
        rig.datagram(TRUNK, ack.replace(&format!("{call}ACK"), &format!("{call}i")).as_bytes());
        rig.after(40_000);
        assert_eq!(rig.shard.leftovers(), [""; 0]);
    }
}

/// A flow that decides, with this text.
fn flow(tenant: &mut Tenant, source: &str) {
    let id = FlowId::new(tenant.id, "routes").unwrap();
    let flow = Flow {
        id: id.clone(),
        file: "routes.lua".into(),
        source: source.into(),
        apology: None,
        fallback: None,
    };
    tenant.flows.insert(id.name.clone(), flow);
    tenant.routes.lua = Some(LuaDecision {
        called: Vec::new(),
        flow: id,
        within: Duration::from_secs(1),
        otherwise: Otherwise::Pass,
    });
}

#[test]
fn a_flow_decides_by_what_it_returns() {
    let mut rig = Rig::new();
    let rows = [
        // what it returns, where a call to 7000 goes, what is said of it
        ("return 'queue:sales'", "queue default/sales", "decide it says queue default/sales"),
        (
            "if call.to == '7000' then return { to = 'queue:sales' } end",
            "queue default/sales",
            "decide it says",
        ),
        ("return { refuse = 'busy' }", "refused busy", "refuse it says busy"),
        ("return { number = '2000' }", "queue default/sales", "amend it says what the call is to have"),
        (
            "local now = call:now() if now.year >= 2020 then return 'queue:sales' end",
            "queue default/sales",
            "decide",
        ),
        ("return nil", "refused no_route", "pass it has nothing to say"),
        ("return 'queue:nowhere'", "refused no_route", "pass it did not decide (queue:nowhere is not there)"),
        (
            "call:answer()",
            "refused no_route",
            "pass it did not decide (it wants something done with the call",
        ),
        (
            "call.data.vip = 'yes'",
            "refused no_route",
            "pass it did not decide (data is given in what it returns",
        ),
        ("while true do end", "refused no_route", "pass it did not decide (routes.lua:1: the flow used up"),
        ("error('no')", "refused no_route", "pass it did not decide (routes.lua:1: no"),
        ("return print", "refused no_route", "pass it did not decide (a function has no place in JSON"),
    ];
    for (n, (source, to, why)) in rows.into_iter().enumerate() {
        rig.configure(with(|tenant| flow(tenant, source)));
        calls(&mut rig, "7000", &format!("c{n}"));
        let (went, told) = told(&rig);
        assert_eq!(went, to, "{source}: {told:?}");
        assert!(told.iter().any(|told| told.starts_with(why)), "{source}: {told:?}");
    }
    rig.command(cordboard_core::ShardCommand::Stop { end: true });
    rig.after(120_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn plugins_see_rows_of_the_api_calendars_and_calls_between_the_same_two_numbers() {
    let mut rig = Rig::new();
    rig.configure(with(|tenant| {
        let closed = cordboard_model::calendar::Calendar {
            zone: "Asia/Shanghai".into(),
            week: Default::default(),
            holidays: Vec::new(),
        };
        tenant.kit.calendars.insert(Name::new("office").unwrap(), closed);
    }));
    let cells = BTreeMap::from([("level".to_owned(), "gold".to_owned())]);
    let table = (TenantId::DEFAULT, Name::new("vip").unwrap());
    rig.shard.set_row(table, "caller".into(), Some(cells), "a test".into()).unwrap();
    let seen = |rig: &Rig, at: usize| rig.shard.calls(TenantId::DEFAULT)[at].route[0].rejected[0].clone();
    calls(&mut rig, "2000", "a");
    let first = seen(&rig, 0);
    assert!(first.starts_with("seen: alike 1, draw true, urgent 0, talked None"), "{first}");
    assert!(
        first.contains(r#"row Some([("key", "caller"), ("level", "gold")]), closed Some(true)"#),
        "{first}"
    );
    calls(&mut rig, "2000", "b");
    assert!(seen(&rig, 1).starts_with("seen: alike 2"), "{}", seen(&rig, 1));
    hangs_up_all(&mut rig);
    calls(&mut rig, "2000", "c");
    assert!(seen(&rig, 0).starts_with("seen: alike 1"), "{}", seen(&rig, 0));
    hangs_up_all(&mut rig);
}

fn hangs_up_all(rig: &mut Rig) {
    for call in rig.shard.calls(TenantId::DEFAULT) {
        let cause = cordboard_model::cause::Cause::Administrative;
        rig.command(cordboard_core::ShardCommand::HangUp(call.call, cause));
    }
    // neither the 200 nor the BYE is answered
    rig.after(120_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn the_agent_of_a_talk_is_remembered_and_taken_back_after_a_restart() {
    const PHONE: &str = "203.0.113.5:5060";
    let known = |tenant: &mut Tenant| {
        tenant.routes.last_agent =
            Some(LastAgent { called: Vec::new(), within: Duration::from_secs(86_400), otherwise: None });
    };
    let mut rig = Rig::new();
    rig.configure(with(known));
    rig.knows_the_phone(PHONE);
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    rig.order(agent.clone(), AgentOrder::SignIn).unwrap();
    rig.order(agent, AgentOrder::Ready).unwrap();
    let from = |call: &str| {
        let text = String::from_utf8(invite(TRUNK, "2000", "example.com", call)).unwrap();
        text.replace("sip:caller@", "sip:+4930@").into_bytes()
    };
    rig.datagram(TRUNK, &from("a"));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ours, "200 OK"));
    rig.after(1_000);
    let bye = within("BYE", 2, TRUNK, rig.last("200 OK"));
    rig.datagram(TRUNK, &bye);
    rig.after(1_000);
    let talk = rig.records.iter().find_map(|record| match record {
        JournalRecord::Talked { agent, caller, at, ends } => {
            Some((agent.clone(), caller.clone(), *at, *ends))
        }
        _ => None,
    });
    let talk = talk.unwrap_or_else(|| panic!("{:#?}", rig.records));
    assert_eq!((talk.0.name.as_str(), talk.1.as_str(), talk.3.0 - talk.2.0), ("1001", "+4930", 86_400_000));
    let seen = |rig: &Rig| rig.shard.calls(TenantId::DEFAULT)[0].route[0].rejected[0].clone();
    rig.datagram(TRUNK, &from("b"));
    assert!(seen(&rig).contains("talked Some(1001)"), "{}", seen(&rig));
    let mut again = Rig::new();
    again.configure(with(known));
    let restore = cordboard_core::Restore { talks: vec![talk], ..Default::default() };
    again.command(cordboard_core::ShardCommand::Restore(Box::new(restore)));
    again.datagram(TRUNK, &from("c"));
    assert!(seen(&again).contains("talked Some(1001)"), "{}", seen(&again));
}
