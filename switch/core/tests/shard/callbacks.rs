//! Places that are kept: how a caller leaves a queue, when his turn comes, and what becomes of it.

use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::calendar::Hours;
use cordboard_model::callback::{
    Callback, CallbackChange, CallbackFirst, CallbackId, CallbackState, CallbackWindow, KeptPlace,
};
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::cdr::Cdr;
use cordboard_model::config::{CalledNumber, Flow, Queue, Tenant};
use cordboard_model::desk::{Actor, DeskAct, DeskOrder, Goal, SeatOrder, TransferWay};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, FlowId, IdMaker, Name, QueueId, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::AgentOrder;
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::Destination;
use cordboard_model::view::{AgentStatus, CallStage};
use std::collections::BTreeSet;

pub const T: TenantId = TenantId::DEFAULT;
pub const AGENT: &str = "203.0.113.5:5060";
pub const CUSTOMER: &str = "203.0.113.9:5060";

/// What those hear who wait: after five seconds they are to be called back.
const OFFER: &str = "call:wait(5) call:log('said', call:callback()) call:wait(1) call:hang_up()";

pub fn agent() -> AgentId {
    AgentId::new(T, "1001").unwrap()
}

/// The queue at 2000 with the offer, its agent, and the customer's account 1002, both with a phone.
pub fn world(change: impl FnOnce(&mut Tenant)) -> Rig {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&T).unwrap();
    let mut customer = tenant.users.values().next().unwrap().clone();
    customer.id = UserId::new(T, "1002").unwrap();
    tenant.users.insert(customer.id.name.clone(), customer);
    put_flow(tenant, "offer", OFFER);
    queue(tenant).audio.wait_flow = Some(FlowId::new(T, "offer").unwrap());
    change(tenant);
    let mut rig = Rig::unconfigured([7; 32]);
    rig.configure(snapshot);
    let contacts = [("1001", AGENT), ("1002", CUSTOMER)].map(|(name, phone)| contact(name, phone));
    let restore = Restore { contacts: contacts.into(), ..Restore::default() };
    rig.command(ShardCommand::Restore(Box::new(restore)));
    rig
}

pub fn put_flow(tenant: &mut Tenant, name: &str, source: &str) {
    let id = FlowId::new(T, name).unwrap();
    let flow = Flow {
        id: id.clone(),
        file: format!("{name}.lua"),
        source: source.into(),
        apology: None,
        fallback: None,
    };
    tenant.flows.insert(id.name.clone(), flow);
}

pub fn queue(tenant: &mut Tenant) -> &mut Queue {
    tenant.queues.values_mut().next().unwrap()
}

pub fn ready(rig: &mut Rig) {
    order(rig, AgentOrder::SignIn);
    order(rig, AgentOrder::Ready);
}

/// The agent asks for something, and what comes of it is carried out.
pub fn order(rig: &mut Rig, what: AgentOrder) {
    rig.order(agent(), what).unwrap();
    carried_out(rig);
}

pub fn carried_out(rig: &mut Rig) {
    rig.command(ShardCommand::Unrecordable(false));
}

/// The customer calls a number by the trunk.
pub fn calls(rig: &mut Rig, number: &str, call: &str) {
    let text = String::from_utf8(invite(TRUNK, number, "example.com", call)).unwrap();
    rig.datagram(TRUNK, &text.replace("sip:caller@", "sip:1002@").into_bytes());
    let ack = within("ACK", 1, TRUNK, &sent(rig, TRUNK, "SIP/2.0 200"));
    rig.datagram(TRUNK, &ack);
}

/// He calls, waits, and is hung up with his place kept.
pub fn leaves(rig: &mut Rig) -> Callback {
    calls(rig, "2000", "first");
    rig.after(7_000);
    hung_up(rig, TRUNK);
    only(rig)
}

pub fn entries(rig: &Rig) -> Vec<Callback> {
    rig.shard.callbacks(T, &CallbackPage { queue: None, after: None, limit: 1_000 })
}

pub fn only(rig: &Rig) -> Callback {
    let all = entries(rig);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

/// The last request of this method that went to a party.
pub fn sent(rig: &Rig, to: &str, method: &str) -> String {
    let is = |(at, text): &&(_, String)| *at == addr(to) && text.starts_with(method);
    let found = rig.sent.iter().rev().find(is);
    found.unwrap_or_else(|| panic!("no {method} to {to}: {:#?}", rig.said)).1.clone()
}

/// How many requests of this method went to a party. What is sent again is no other one.
pub fn count(rig: &Rig, to: &str, method: &str) -> usize {
    let is = |(at, text): &&(_, String)| *at == addr(to) && text.starts_with(method);
    let request =
        |(_, text): &'_ (_, String)| (header(text, "Call-ID").to_owned(), header(text, "CSeq").to_owned());
    rig.sent.iter().filter(is).map(request).collect::<BTreeSet<_>>().len()
}

/// All sessions are over, transactions run out, and nothing is left of any call.
pub fn nothing_is_left(rig: &mut Rig) {
    assert!(rig.shard.is_at_rest(), "{:#?}", rig.said);
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

/// A party answers the last INVITE.
pub fn says(rig: &mut Rig, who: &str, status: &str) {
    let ours = sent(rig, who, "INVITE");
    rig.datagram(who, &response(who, &ours, status));
}

/// A party whom we called hangs up.
pub fn hangs_up(rig: &mut Rig, who: &str) {
    let ack = sent(rig, who, "ACK");
    let (from, to, call) = (header(&ack, "To"), header(&ack, "From"), header(&ack, "Call-ID"));
    let bye = format!(
        "BYE sip:cordboard@{SWITCH} SIP/2.0\r\nVia: SIP/2.0/UDP {who};branch=z9hG4bK{call}b\r\n\
         Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: 2 BYE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    rig.datagram(who, bye.as_bytes());
}

/// A party agrees to the BYE.
pub fn hung_up(rig: &mut Rig, who: &str) {
    rig.after(300);
    let bye = sent(rig, who, "BYE");
    rig.datagram(who, &response(who, &bye, "200 OK"));
    rig.after(300);
}

pub fn status(rig: &Rig) -> AgentStatus {
    rig.shard.agents(T)[0].status
}

pub fn said(rig: &Rig) -> Vec<String> {
    let of = |event: &(_, _, EventKind)| match &event.2 {
        EventKind::FlowLog { text, .. } => text.split("said ").nth(1).map(str::to_owned),
        _ => None,
    };
    rig.events.iter().filter_map(of).collect()
}

pub fn changes(rig: &Rig) -> Vec<(CallbackChange, CallbackState, u32)> {
    let of = |event: &(_, _, EventKind)| match &event.2 {
        EventKind::CallbackChanged { callback, change, .. } => {
            Some((*change, callback.state, callback.attempts))
        }
        _ => None,
    };
    rig.events.iter().filter_map(of).collect()
}

pub fn records(rig: &Rig) -> Vec<Cdr> {
    let closed = |record: &JournalRecord| match record {
        JournalRecord::CallClosed(cdr) => Some((**cdr).clone()),
        _ => None,
    };
    rig.records.iter().filter_map(closed).collect()
}

#[test]
fn the_journal_has_a_kept_place_before_its_caller_hears_anything_more() {
    let mut rig = world(|_| ());
    calls(&mut rig, "2000", "first");
    rig.after(4_900);
    rig.prompt = false;
    rig.journal_answers(true);
    rig.after(110);
    assert_eq!(said(&rig), ["kept"]);
    let entry = only(&rig);
    assert_eq!((entry.state, entry.number.as_str()), (CallbackState::Waiting, "1002"));
    assert_eq!(rig.shard.queues(T)[0].callbacks, 1);
    assert_eq!(rig.shard.queues(T)[0].waiting.len(), 0, "he waits no longer by his call");
    assert!(!rig.owed.is_empty());
    // the flow has hung up, and he does not know yet
    rig.prompt = true;
    rig.journal_answers(true);
    rig.after(1_500);
    let place = |holds: &str| rig.said.iter().position(|line| line.contains(holds)).unwrap();
    assert!(place("journal Callback") < place("BYE"));
    hung_up(&mut rig, TRUNK);
    let cdr = records(&rig).remove(0);
    assert_eq!(cdr.queues[0].outcome, "callback");
    assert_eq!(entry.kept.as_ref().unwrap().arrived, cdr.queues[0].entered);
    assert_eq!(entry.kept.as_ref().unwrap().call, Some(cdr.call));
    assert_eq!(cdr.data["callback"], entry.id.name.as_str());
}

#[test]
fn the_agent_is_rung_first_then_the_customer_and_the_entry_is_done_when_they_have_talked() {
    let mut rig = world(|_| ());
    let entry = leaves(&mut rig);
    ready(&mut rig);
    let rings = sent(&rig, AGENT, "INVITE");
    assert!(header(&rings, "From").contains("Call-back") && header(&rings, "From").contains("sip:1002@"));
    assert_eq!((status(&rig), only(&rig).state), (AgentStatus::Ringing, CallbackState::Calling));
    assert_eq!(count(&rig, CUSTOMER, "INVITE"), 0, "he is not called before the agent has answered");
    says(&mut rig, AGENT, "200 OK");
    assert_eq!(status(&rig), AgentStatus::Talking);
    says(&mut rig, CUSTOMER, "200 OK");
    rig.after(3_000);
    hangs_up(&mut rig, CUSTOMER);
    hung_up(&mut rig, AGENT);
    assert_eq!(entries(&rig), []);
    let cdr = records(&rig).remove(1);
    assert!(cdr.bridged.is_some());
    assert_eq!(cdr.data["callback"], entry.id.name.as_str());
    let visit = &cdr.queues[0];
    let account = visit.account.as_ref().unwrap();
    assert_eq!((visit.outcome.as_str(), account.callback, account.offers.len()), ("served", true, 1));
    assert_eq!(status(&rig), AgentStatus::Ready);
    let last = changes(&rig).pop().unwrap();
    assert_eq!((last.0, last.2), (CallbackChange::Done, 1));
    // he was counted once, when he waited, and the agent once, when he talked
    let today = rig.shard.wall_view(T).unwrap().queues.remove(0).today;
    assert_eq!((today.offered, today.left_otherwise, today.answered), (1, 1, 0));
    assert_eq!((today.offers, today.offers_answered, today.handled), (1, 1, 1));
    nothing_is_left(&mut rig);
}

/// He was asked only if he had called himself, or was called first.
#[test]
fn a_customer_who_is_called_back_agent_first_is_asked_when_the_agent_has_hung_up() {
    let mut rig = world(|tenant| {
        put_flow(
            tenant,
            "ask",
            "call:log('said', 'asked ' .. call.data.surveyAgent) call:wait(2) call:hang_up()",
        );
        queue(tenant).audio.survey = Some(FlowId::new(T, "ask").unwrap());
    });
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, AGENT, "200 OK");
    says(&mut rig, CUSTOMER, "200 OK");
    rig.after(1_000);
    hangs_up(&mut rig, AGENT);
    rig.after(1_000);
    assert_eq!(said(&rig), ["kept", "asked 1001"]);
    assert_eq!(
        (count(&rig, CUSTOMER, "BYE"), status(&rig)),
        (0, AgentStatus::Ready),
        "he is asked, the agent is free"
    );
    rig.after(2_000);
    hung_up(&mut rig, CUSTOMER);
    assert_eq!(entries(&rig), [], "he was reached");
    nothing_is_left(&mut rig);
}

/// What was offered to a call that an agent began with was swallowed, whoever it was for: a customer who was called back and
/// sent to a queue waited in it for ever, its agents rang without a phone.
#[test]
fn who_is_called_back_agent_first_and_sent_to_a_queue_is_offered_like_anybody() {
    let mut rig = world(|_| ());
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, AGENT, "200 OK");
    says(&mut rig, CUSTOMER, "200 OK");
    rig.after(1_000);
    let sales = queue(one_tenant().tenants.get_mut(&T).unwrap()).id.clone();
    let call = rig.shard.calls(T).remove(0).call;
    let act = DeskAct::Seat(SeatOrder::Transfer(Goal::Place(Destination::Queue(sales)), TransferWay::Blind));
    let by = Actor { key: "desk".into(), agent: None };
    rig.desk(DeskOrder { agent: agent(), call: Some(call), by, act }).unwrap();
    hung_up(&mut rig, AGENT);
    rig.after(1_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 2, "{:#?}", rig.said);
    says(&mut rig, AGENT, "200 OK");
    rig.after(1_000);
    assert_eq!(rig.shard.calls(T).remove(0).stage, CallStage::Bridged);
}

#[test]
fn an_attempt_in_vain_is_counted_and_the_next_comes_after_its_time_until_the_last() {
    let mut rig = world(|tenant| queue(tenant).callback.attempts = 2);
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, AGENT, "200 OK");
    says(&mut rig, CUSTOMER, "486 Busy Here");
    hung_up(&mut rig, AGENT);
    let entry = only(&rig);
    assert_eq!((entry.state, entry.attempts, entry.outcome.as_str()), (CallbackState::Asleep, 1, "busy"));
    assert_eq!(rig.shard.queues(T)[0].callbacks, 0, "he is in nobody's way meanwhile");
    rig.after(299_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 1);
    rig.after(2_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 2, "after five minutes it is his turn again");
    says(&mut rig, AGENT, "200 OK");
    says(&mut rig, CUSTOMER, "480 Temporarily Unavailable");
    hung_up(&mut rig, AGENT);
    let entry = only(&rig);
    assert_eq!((entry.state, entry.attempts), (CallbackState::Undone, 2), "it stays on the list");
    rig.after(7_200_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 2);
    assert!(rig.shard.remove_callback(&entry.id, "key desk"));
    carried_out(&mut rig);
    nothing_is_left(&mut rig);
}

#[test]
fn an_agent_who_does_not_take_it_costs_no_attempt_and_the_next_agent_gets_it() {
    let mut rig = world(|_| ());
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, AGENT, "486 Busy Here");
    rig.after(400);
    assert_eq!((only(&rig).attempts, only(&rig).state), (0, CallbackState::Waiting));
    rig.after(5_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 2, "the queue spares him for five seconds");
    says(&mut rig, AGENT, "180 Ringing");
    order(&mut rig, AgentOrder::NotReady { reason: None });
    assert_eq!(count(&rig, AGENT, "CANCEL"), 1);
    says(&mut rig, AGENT, "487 Request Terminated");
    rig.after(400);
    assert_eq!((only(&rig).attempts, only(&rig).state), (0, CallbackState::Waiting));
    let outcomes: Vec<String> = records(&rig)[1..].iter().map(|cdr| cdr.queues[0].outcome.clone()).collect();
    assert_eq!(outcomes, ["unanswered", "unanswered"]);
}

#[test]
fn the_customer_is_rung_first_and_the_agent_who_is_kept_free_after_him() {
    let mut rig = world(|tenant| queue(tenant).callback.first = CallbackFirst::Customer);
    leaves(&mut rig);
    ready(&mut rig);
    assert_eq!((count(&rig, CUSTOMER, "INVITE"), count(&rig, AGENT, "INVITE")), (1, 0));
    assert_eq!(status(&rig), AgentStatus::Ringing, "he is kept free");
    says(&mut rig, CUSTOMER, "200 OK");
    assert_eq!(count(&rig, AGENT, "INVITE"), 1);
    says(&mut rig, AGENT, "200 OK");
    rig.after(2_000);
    hangs_up(&mut rig, CUSTOMER);
    hung_up(&mut rig, AGENT);
    assert_eq!(entries(&rig), []);
    let cdr = records(&rig).remove(1);
    assert_eq!((cdr.from.user.as_str(), cdr.to.user.as_str()), ("1002", "sales"));
    assert!(cdr.queues[0].account.as_ref().unwrap().callback);
    let today = rig.shard.wall_view(T).unwrap().queues.remove(0).today;
    assert_eq!((today.offered, today.answered, today.handled, today.offers), (1, 0, 1, 1));
    nothing_is_left(&mut rig);
}

#[test]
fn an_agent_who_was_kept_free_in_vain_is_ready_and_the_attempt_is_counted() {
    let mut rig = world(|tenant| queue(tenant).callback.first = CallbackFirst::Customer);
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, CUSTOMER, "180 Ringing");
    rig.after(30_100);
    assert_eq!(count(&rig, CUSTOMER, "CANCEL"), 1, "his phone rings for its time and no longer");
    let cancel = sent(&rig, CUSTOMER, "CANCEL");
    rig.datagram(CUSTOMER, &response(CUSTOMER, &cancel, "200 OK"));
    says(&mut rig, CUSTOMER, "487 Request Terminated");
    rig.after(400);
    assert_eq!(status(&rig), AgentStatus::Ready);
    let entry = only(&rig);
    assert_eq!((entry.attempts, entry.outcome.as_str()), (1, "no_answer"));
    let today = rig.shard.wall_view(T).unwrap().queues.remove(0).today;
    assert_eq!((today.offers, today.non_response), (0, 0), "nothing was offered to him");
    nothing_is_left(&mut rig);
}

#[test]
fn a_customer_who_presses_no_key_was_not_reached() {
    let mut rig = world(|tenant| {
        queue(tenant).callback.first = CallbackFirst::Customer;
        queue(tenant).callback.confirm = Some('1');
    });
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, CUSTOMER, "200 OK");
    rig.after(19_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 0);
    rig.after(2_000);
    hung_up(&mut rig, CUSTOMER);
    assert_eq!((only(&rig).attempts, only(&rig).outcome.as_str()), (1, "declined"));
    assert_eq!(status(&rig), AgentStatus::Ready);
}

#[test]
fn he_is_called_only_in_the_hours_that_are_said_and_for_as_long_as_it_is_tried() {
    // the clock of the test shows 22:13 UTC when it begins
    let night = CallbackWindow::Hours(Hours { from: 23 * 60, to: 24 * 60 });
    let mut rig = world(|tenant| {
        queue(tenant).callback.window = Some(night);
        queue(tenant).callback.expires = Duration::from_secs(5_400);
    });
    leaves(&mut rig);
    ready(&mut rig);
    assert_eq!(only(&rig).state, CallbackState::Asleep);
    rig.after(44 * 60_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 0);
    // his call and this make 46:40, and the test began at 22:13:21
    rig.after(152_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 1, "it is eleven");
    says(&mut rig, AGENT, "180 Ringing");
    order(&mut rig, AgentOrder::NotReady { reason: None });
    says(&mut rig, AGENT, "487 Request Terminated");
    rig.after(40 * 60_000);
    assert_eq!(only(&rig).state, CallbackState::Waiting);
    rig.after(5 * 60_000);
    assert_eq!(only(&rig).state, CallbackState::Undone, "after an hour and a half it is given up");
    order(&mut rig, AgentOrder::Ready);
    rig.after(10_000);
    assert_eq!(count(&rig, AGENT, "INVITE"), 1);
}

#[test]
fn who_calls_by_himself_takes_the_place_that_he_has() {
    let mut rig = world(|_| ());
    let kept = leaves(&mut rig);
    rig.after(60_000);
    let text = String::from_utf8(invite(TRUNK, "2000", "example.com", "other")).unwrap();
    rig.datagram(TRUNK, text.as_bytes());
    calls(&mut rig, "2000", "again");
    assert_eq!(only(&rig).state, CallbackState::Asleep, "nobody calls him while he waits himself");
    let waiting = &rig.shard.queues(T)[0].waiting;
    assert_eq!(waiting.len(), 2);
    assert_eq!(waiting[0].since, kept.kept.unwrap().arrived, "he stands before who came meanwhile");
    ready(&mut rig);
    says(&mut rig, AGENT, "200 OK");
    rig.after(1_000);
    hangs_up(&mut rig, AGENT);
    hung_up(&mut rig, TRUNK);
    assert_eq!(entries(&rig), [], "it is done when he was served");
}

#[test]
fn who_cannot_be_called_back_is_told_why_and_waits_on() {
    let text = "call:wait(1) call:log('said', call:callback({number = '77'}))
        call:log('said', call:callback({number = 'anonymous'})) call:log('said', call:callback({queue = 'none'}))";
    let mut rig = world(|tenant| put_flow(tenant, "offer", text));
    calls(&mut rig, "2000", "first");
    rig.after(3_000);
    assert_eq!(said(&rig), ["nil not_dialable", "nil anonymous", "nil not_found"]);
    assert_eq!((entries(&rig).len(), rig.shard.queues(T)[0].waiting.len()), (0, 1));
}

#[test]
fn a_flow_keeps_a_place_for_one_who_does_not_wait_and_the_same_number_keeps_the_older_one() {
    let text = "call:answer()
        call:log('said', call:callback({queue = 'sales', note = 'one', priority = 3}))
        call:wait(9)
        call:log('said', call:callback({queue = 'sales', note = 'two', attempts = 9}))";
    let mut rig = world(|tenant| {
        put_flow(tenant, "main", text);
        let to = Destination::Flow(FlowId::new(T, "main").unwrap());
        tenant.numbers.push(CalledNumber { access_code: "3000".into(), extension_code: None, to });
    });
    calls(&mut rig, "3000", "first");
    rig.after(1_000);
    let first = only(&rig).kept.unwrap();
    rig.after(10_000);
    assert_eq!(said(&rig), ["kept", "known"]);
    let entry = only(&rig);
    let kept = entry.kept.unwrap();
    assert_eq!((entry.note.as_str(), kept.most, kept.priority), ("two", 9, 3));
    assert_eq!(kept.arrived, first.arrived);
}

/// An entry as the journal has it.
pub fn journalled(name: &str, ago: i64, state: CallbackState) -> Callback {
    let arrived = Wall(1_700_000_000_000 - ago * 1_000);
    let kept = KeptPlace {
        arrived,
        priority: 0,
        first: CallbackFirst::Agent,
        most: 3,
        every_s: 60,
        expires: Wall(1_700_086_400_000),
        window: None,
        confirm: None,
        call: None,
        other: false,
        data: Default::default(),
        next: None,
        ring_s: None,
    };
    Callback {
        id: CallbackId { tenant: T, name: Name::new(name).unwrap() },
        number: "1002".into(),
        since: arrived,
        queue: Some(QueueId::new(T, "sales").unwrap()),
        note: String::new(),
        attempts: 0,
        last_attempt: (state == CallbackState::Calling).then_some(Wall(1_699_999_990_000)),
        last_call: None,
        taken_by: None,
        by: "queue sales".into(),
        state,
        outcome: String::new(),
        kept: Some(Box::new(kept)),
    }
}

#[test]
fn after_a_start_places_are_as_old_as_they_were_and_a_call_that_was_cut_after_an_answer_was_an_attempt() {
    let mut rig = world(|_| ());
    let mut ids = IdMaker::new(1, 0);
    let (up, rang) = (ids.call(T), ids.call(T));
    let calling =
        |name, ago, call| Callback { last_call: Some(call), ..journalled(name, ago, CallbackState::Calling) };
    let callbacks = vec![
        journalled("new", 100, CallbackState::Waiting),
        journalled("old", 900, CallbackState::Waiting),
        calling("cut", 9_000, up),
        calling("rang", 500, rang),
    ];
    let answered = BTreeSet::from([up]);
    rig.command(ShardCommand::Restore(Box::new(Restore { callbacks, answered, ..Restore::default() })));
    let find = |rig: &Rig, name: &str| {
        entries(rig).into_iter().find(|entry| entry.id.name.as_str() == name).unwrap()
    };
    let cut = find(&rig, "cut");
    assert_eq!(
        (cut.attempts, cut.state, cut.outcome.as_str()),
        (1, CallbackState::Asleep, "lost_by_restart")
    );
    let rang = find(&rig, "rang");
    assert_eq!((rang.attempts, rang.state), (0, CallbackState::Waiting), "nobody had answered");
    assert_eq!(rig.shard.queues(T)[0].callbacks, 3);
    ready(&mut rig);
    assert_eq!(find(&rig, "old").state, CallbackState::Calling, "who came first is called first");
    assert_eq!(find(&rig, "new").state, CallbackState::Waiting);
    let text = rig.shard.explain_queue(&QueueId::new(T, "sales").unwrap()).unwrap();
    assert!(text.contains("is to be called back"), "{text}");
}

#[test]
fn an_entry_in_an_agents_hands_has_no_turn_until_he_gives_it_back() {
    use cordboard_model::desk::{Actor, CallbackOrder, DeskAct, DeskOrder};
    let mut rig = world(|_| ());
    let entry = leaves(&mut rig);
    order(&mut rig, AgentOrder::SignIn);
    let orders = |rig: &mut Rig, order| {
        let by = Actor { key: "desk".into(), agent: Some(agent()) };
        let act = DeskAct::Callback(entry.id.clone(), order);
        let done = rig.shard.desk(DeskOrder { agent: agent(), call: None, by, act }, rig.now);
        carried_out(rig);
        done
    };
    orders(&mut rig, CallbackOrder::Take).unwrap();
    order(&mut rig, AgentOrder::Ready);
    rig.after(60_000);
    assert_eq!((count(&rig, AGENT, "INVITE"), only(&rig).state), (0, CallbackState::Listed));
    orders(&mut rig, CallbackOrder::GiveBack).unwrap();
    assert_eq!((count(&rig, AGENT, "INVITE"), only(&rig).state), (1, CallbackState::Calling));
    assert!(orders(&mut rig, CallbackOrder::Take).is_err(), "it is being called");
    says(&mut rig, AGENT, "486 Busy Here");
    rig.after(400);
    assert!(rig.shard.remove_callback(&entry.id, "key desk"));
    carried_out(&mut rig);
    rig.after(60_000);
    assert_eq!((count(&rig, AGENT, "INVITE"), rig.shard.queues(T)[0].callbacks), (1, 0), "he is taken off");
}
