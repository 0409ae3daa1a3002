//! Visitors of web pages: each calls the queue that he was given a call to, once.

use crate::callbacks::put_flow;
use crate::desks::{CHIEF, agent, two_agents};
use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::cdr::Cdr;
use cordboard_model::chat::ChatCustomer;
use cordboard_model::click::{
    CHECKS_MAX, CLICKS_MAX, ClickFault, ClickTo, LINE_CHECK, NewClick, OpenedClick,
};
use cordboard_model::config::Snapshot;
use cordboard_model::id::{FlowId, QueueId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::{AgentOrder, QueueKind, Role};
use cordboard_sip::auth::Identity;
use serde_json::json;
use std::collections::BTreeMap;

const PAGE: &str = "203.0.113.9:40001";
const PHONE: &str = "198.51.100.20:5062";

fn of_kind(kind: QueueKind) -> Snapshot {
    let mut known = one_tenant();
    let queues = known.tenants.values_mut().flat_map(|tenant| tenant.queues.values_mut());
    queues.for_each(|queue| queue.service.kind = kind);
    known
}

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.configure(of_kind(QueueKind::VoiceClick));
    rig
}

fn new(queue: &str) -> NewClick {
    NewClick {
        to: ClickTo::Queue(QueueId::new(TenantId::DEFAULT, queue).unwrap()),
        customer: ChatCustomer { id: "c-17".into(), name: "Ann".into() },
        page: "https://shop.example/cart".into(),
        data: BTreeMap::from([("order".into(), json!(4711))]),
        priority: 3,
        agent: None,
        by: "key shop".into(),
    }
}

fn opened(rig: &mut Rig) -> OpenedClick {
    rig.shard.open_click(new("sales"), rig.now).unwrap()
}

/// A request of the page with what it was given.
fn asks(rig: &mut Rig, click: &OpenedClick, message: &[u8]) {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let identity = Identity { username: &click.username, password: &click.password.0 };
    rig.proved(PAGE, &text, identity);
}

fn calls(rig: &mut Rig, click: &OpenedClick, to: &str, name: &str) {
    asks(rig, click, &invite(PAGE, to, "example.com", name));
}

fn cdr(rig: &Rig) -> Cdr {
    let record = rig.records.iter().rev().find_map(|record| match record {
        JournalRecord::CallClosed(cdr) => Some((**cdr).clone()),
        _ => None,
    });
    record.unwrap()
}

fn nothing_is_left(rig: &mut Rig) {
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn a_visitor_calls_his_queue_once_as_who_his_server_says_he_is() {
    let mut rig = rig();
    let click = opened(&mut rig);
    assert!(!click.video && click.domain == "example.com");
    calls(&mut rig, &click, "sales", "mallory");
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(PAGE, &within("ACK", 2, PAGE, &ok));
    let view = rig.shard.call(click.call).unwrap();
    assert_eq!(
        (view.from.user.as_str(), view.from.display.as_str()),
        ("c-17", "Ann"),
        "not as the page says"
    );
    assert_eq!(rig.shard.queues(TenantId::DEFAULT)[0].waiting.len(), 1);
    // the same once more, in another call and while the first is up
    calls(&mut rig, &click, "sales", "again");
    let refused = rig.last("403");
    assert!(header(refused, "Reason").contains("used already"), "{refused}");
    rig.datagram(PAGE, &within("BYE", 3, PAGE, &ok));
    let cdr = cdr(&rig);
    assert_eq!((cdr.call, cdr.to.user.as_str()), (click.call, "sales"));
    let data = serde_json::to_value(&cdr.data).unwrap();
    let all = json!({ "order": 4711, "source": "click", "page": "https://shop.example/cart", "customer": "c-17", "askedBy": "key shop" });
    assert_eq!(data, all);
    assert_eq!(cdr.queues.len(), 1);
    assert_eq!(rig.records.iter().filter(|r| matches!(r, JournalRecord::CallOpened { .. })).count(), 1);
    nothing_is_left(&mut rig);
}

#[test]
fn what_was_given_opens_nothing_else_and_is_not_spent_by_trying() {
    let mut rig = rig();
    let click = opened(&mut rig);
    calls(&mut rig, &click, "1001", "a");
    assert!(header(rig.last("403"), "Reason").contains("another destination"), "{}", rig.last("403"));
    for method in ["REGISTER", "SUBSCRIBE", "MESSAGE"] {
        let text = String::from_utf8(invite(PAGE, "sales", "example.com", method)).unwrap();
        asks(&mut rig, &click, text.replace("INVITE", method).as_bytes());
        assert!(
            rig.said.last().unwrap().contains("403 Forbidden - Only For Its Call"),
            "{:?}",
            rig.said.last()
        );
    }
    // a wrong password is a stranger's, and asks again
    let wrong = OpenedClick { password: cordboard_model::config::Secret("guess".into()), ..click.clone() };
    calls(&mut rig, &wrong, "sales", "b");
    assert!(rig.said.last().unwrap().contains("401"), "{:?}", rig.said.last());
    assert_eq!(rig.heard("200 OK"), 0);
    calls(&mut rig, &click, "sales", "c");
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(PAGE, &within("ACK", 2, PAGE, &ok));
    // and once in its queue it sends nobody elsewhere
    let refer = String::from_utf8(within("REFER", 3, PAGE, &ok)).unwrap();
    rig.datagram(
        PAGE,
        refer
            .replacen(
                "Content-Length",
                "Refer-To: <sip:1001@example.com>\r\nContact: <sip:x@203.0.113.9>\r\nContent-Length",
                1,
            )
            .as_bytes(),
    );
    assert!(rig.said.last().unwrap().contains("403"), "{:?}", rig.said.last());
    rig.datagram(PAGE, &within("BYE", 4, PAGE, &ok));
    nothing_is_left(&mut rig);
}

#[test]
fn it_is_good_for_a_minute_and_until_its_queue_is_gone() {
    let mut rig = rig();
    let (late, gone) = (opened(&mut rig), opened(&mut rig));
    rig.after(59_000);
    rig.configure(of_kind(QueueKind::Voice));
    calls(&mut rig, &gone, "sales", "a");
    assert!(header(rig.last("404"), "Reason").contains("what it was for is gone"));
    rig.configure(of_kind(QueueKind::VoiceClick));
    rig.after(1_000);
    calls(&mut rig, &late, "sales", "b");
    assert!(header(rig.last("403"), "Reason").contains("too late"));
    assert_eq!(rig.heard("200 OK"), 0);
    nothing_is_left(&mut rig);
}

#[test]
fn what_cannot_be_given_says_whose_fault_it_is() {
    let mut rig = rig();
    let open = |rig: &mut Rig, new: NewClick| rig.shard.open_click(new, rig.now).map(drop);
    assert_eq!(open(&mut rig, new("none")), Err(ClickFault::NoSuchQueue));
    let with = NewClick { agent: Some(agent("1001")), ..new("sales") };
    assert_eq!(open(&mut rig, with), Err(ClickFault::NoSuchAgent), "not signed in");
    for _ in 0..CLICKS_MAX {
        opened(&mut rig);
    }
    assert_eq!(open(&mut rig, new("sales")), Err(ClickFault::TooMany));
    rig.after(60_000);
    assert_eq!(open(&mut rig, new("sales")), Ok(()), "nobody used them");
    rig.configure(of_kind(QueueKind::Video));
    assert_eq!(open(&mut rig, new("sales")), Err(ClickFault::NotOfClicks));
    rig.configure(of_kind(QueueKind::VideoClick));
    assert!(opened(&mut rig).video);
    rig.command(ShardCommand::Stop { end: false });
    assert_eq!(open(&mut rig, new("sales")), Err(ClickFault::NoCalls));
}

/// Agents 1001 and 1002 serve the queue and are ready; 1002 has been for longer, so that he would be next.
fn two_serve() -> Rig {
    let mut known = two_agents();
    let tenant = known.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.queues.values_mut().for_each(|queue| queue.service.kind = QueueKind::VoiceClick);
    let queues: Vec<QueueId> = tenant.queues.values().map(|queue| queue.id.clone()).collect();
    for agent in tenant.agents.values_mut() {
        agent.queues.clone_from(&queues);
        agent.duty.role = Role::Agent;
    }
    let mut rig = Rig::new();
    rig.configure(known);
    let contacts = vec![contact("1001", PHONE), contact("1002", CHIEF)];
    rig.command(ShardCommand::Restore(Box::new(Restore { contacts, ..Restore::default() })));
    for who in ["1001", "1002"] {
        rig.order(agent(who), AgentOrder::SignIn).unwrap();
    }
    rig.order(agent("1002"), AgentOrder::Ready).unwrap();
    rig.after(5_000);
    rig.order(agent("1001"), AgentOrder::Ready).unwrap();
    rig
}

#[test]
fn a_visitor_who_chats_with_an_agent_has_him_first() {
    let mut rig = two_serve();
    let wanted = NewClick { agent: Some(agent("1001")), ..new("sales") };
    let click = rig.shard.open_click(wanted, rig.now).unwrap();
    calls(&mut rig, &click, "sales", "a");
    let ours = rig.last(&format!("INVITE sip:1001@{PHONE}")).to_owned();
    assert!(header(&ours, "From").starts_with("\"Ann\" <sip:c-17@"), "{ours}");
    rig.datagram(PHONE, &response(PHONE, &ours, "200 OK"));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(PAGE, &within("ACK", 2, PAGE, &ok));
    rig.datagram(PAGE, &within("BYE", 3, PAGE, &ok));
    assert_eq!(cdr(&rig).agent, Some(agent("1001")));
    let bye = rig.last(&format!("BYE sip:peer@{PHONE}")).to_owned();
    rig.datagram(PHONE, &response(PHONE, &bye, "200 OK"));
    nothing_is_left(&mut rig);
    let mut rig = two_serve();
    let click = opened(&mut rig);
    calls(&mut rig, &click, "sales", "a");
    rig.last(&format!("INVITE sip:1002@{CHIEF}"));
    assert_eq!(rig.heard("INVITE"), 1);
}

#[test]
fn the_house_of_another_tenant_knows_none_of_it() {
    let mut rig = Rig::new();
    let other = tenant("acme", "acme.example", "198.51.100.99:5060");
    let mut known = of_kind(QueueKind::VoiceClick);
    known.tenants.insert(other.id, other);
    rig.configure(known);
    let click = opened(&mut rig);
    asks(&mut rig, &click, &invite(PAGE, "sales", "acme.example", "a"));
    assert!(rig.said.last().unwrap().contains("401"), "{:?}", rig.said.last());
    // from its own house it cannot be sent into the other
    let text = String::from_utf8(invite(PAGE, "sales", "example.com", "b")).unwrap();
    asks(&mut rig, &click, text.replacen("sip:sales@example.com", "sip:sales@acme.example", 1).as_bytes());
    assert!(rig.said.last().unwrap().contains("404"), "{:?}", rig.said.last());
    assert_eq!(rig.heard("200 OK"), 0);
}

const TONE: &str = "call:answer()\nfor _ = 1, 30 do\n  call:play({ { tone = \"dial\", seconds = 0.9 } })\nend\ncall:hang_up()\n";

/// A switch whose tenant has the flow that measures.
fn measures() -> Rig {
    let mut rig = Rig::new();
    let mut known = of_kind(QueueKind::VoiceClick);
    known.tenants.values_mut().for_each(|tenant| put_flow(tenant, LINE_CHECK, TONE));
    rig.configure(known);
    rig
}

fn check(rig: &mut Rig) -> Result<OpenedClick, ClickFault> {
    let flow = FlowId::new(TenantId::DEFAULT, LINE_CHECK).unwrap();
    rig.shard.open_click(NewClick::check_of(flow), rig.now)
}

#[test]
fn who_has_shown_nothing_calls_the_flow_that_measures_and_nothing_else() {
    let mut none = rig();
    assert_eq!(check(&mut none).map(drop), Err(ClickFault::NoSuchFlow));
    let mut rig = measures();
    let given = check(&mut rig).unwrap();
    assert_eq!((given.to.as_str(), given.video), (LINE_CHECK, false));
    for to in ["sales", "1001"] {
        calls(&mut rig, &given, to, to);
        assert!(header(rig.last("403"), "Reason").contains("another destination"), "{}", rig.last("403"));
    }
    calls(&mut rig, &given, LINE_CHECK, "a");
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(PAGE, &within("ACK", 2, PAGE, &ok));
    assert_eq!(rig.shard.call(given.call).unwrap().from.user, "web");
    calls(&mut rig, &given, LINE_CHECK, "again");
    assert!(header(rig.last("403"), "Reason").contains("used already"), "{}", rig.last("403"));
    rig.datagram(PAGE, &within("BYE", 3, PAGE, &ok));
    let cdr = cdr(&rig);
    assert_eq!((cdr.call, cdr.to.user.as_str(), cdr.queues.len()), (given.call, LINE_CHECK, 0));
    assert_eq!(serde_json::to_value(&cdr.data).unwrap(), json!({ "source": "check" }));
    nothing_is_left(&mut rig);
}

#[test]
fn a_tenant_has_so_many_checks_given_or_up_and_queues_have_their_own() {
    let mut rig = measures();
    let first = check(&mut rig).unwrap();
    calls(&mut rig, &first, LINE_CHECK, "a");
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(PAGE, &within("ACK", 2, PAGE, &ok));
    for _ in 1..CHECKS_MAX {
        check(&mut rig).unwrap();
    }
    assert_eq!(check(&mut rig).map(drop), Err(ClickFault::TooManyChecks));
    opened(&mut rig);
    rig.datagram(PAGE, &within("BYE", 3, PAGE, &ok));
    assert_eq!(check(&mut rig).map(drop), Ok(()), "one is over");
    assert_eq!(check(&mut rig).map(drop), Err(ClickFault::TooManyChecks));
    rig.after(60_000);
    assert_eq!(check(&mut rig).map(drop), Ok(()), "nobody used them");
}
