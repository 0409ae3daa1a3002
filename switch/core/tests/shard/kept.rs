//! Places that are kept, where something goes wrong: with trunks, with the switch, with the configuration, or on purpose.

use crate::callbacks::*;
use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::calendar::Hours;
use cordboard_model::callback::{
    CALLBACKS_MAX, CallbackChange, CallbackFirst, CallbackState, CallbackWindow, NewCallback,
};
use cordboard_model::config::{CalledNumber, Snapshot, Tenant};
use cordboard_model::desk::Actor;
use cordboard_model::event::EventKind;
use cordboard_model::id::{FlowId, Name, QueueId};
use cordboard_model::service::{AgentOrder, Spare};
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;

/// What the world of these tests is configured with, after a change.
fn configured(change: impl FnOnce(&mut Tenant)) -> Snapshot {
    let mut changed = None;
    world(|tenant| {
        change(tenant);
        changed = Some(tenant.clone());
    });
    snapshot(changed.into_iter().collect())
}

fn queue_id() -> QueueId {
    QueueId::new(T, "sales").unwrap()
}

/// From eleven on; the clock of the tests shows 22:13 UTC when they begin.
fn night() -> CallbackWindow {
    CallbackWindow::Hours(Hours { from: 23 * 60, to: 24 * 60 })
}

fn restored(rig: &mut Rig, names: &[&str]) {
    let entry = |name: &&str| journalled(name, 100, CallbackState::Waiting);
    let callbacks = names.iter().map(entry).collect();
    rig.command(ShardCommand::Restore(Box::new(Restore { callbacks, ..Restore::default() })));
}

fn offers(rig: &Rig) -> usize {
    let is = |what: &EventKind| matches!(what, EventKind::QueueOffered { .. });
    rig.events.iter().filter(|(_, _, what)| is(what)).count()
}

/// A caller whose number had its place already left the queue for the wait flow, and the queue was not told: he counted there
/// after he had hung up, and was offered to an agent.
#[test]
fn who_has_his_place_already_leaves_the_queue_for_it_and_costs_no_agent_anything() {
    let other = "call:wait(5) call:log('said', call:callback({number = '1002'})) call:wait(1) call:hang_up()";
    let mut rig = world(|tenant| {
        put_flow(tenant, "offer", other);
        queue(tenant).service.unanswered.no_answer = Spare::Rest;
    });
    leaves(&mut rig);
    let place = only(&rig);
    // from another telephone, with the agent's phone ringing for him when he keys in the same number
    let text = String::from_utf8(invite(TRUNK, "2000", "example.com", "second")).unwrap();
    rig.datagram(TRUNK, text.as_bytes());
    let ack = within("ACK", 1, TRUNK, &sent(&rig, TRUNK, "SIP/2.0 200"));
    rig.datagram(TRUNK, &ack);
    rig.after(7_000);
    assert_eq!(said(&rig), ["kept", "known"]);
    hung_up(&mut rig, TRUNK);
    let view = rig.shard.queues(T).remove(0);
    assert_eq!((view.waiting.len(), view.callbacks), (0, 1), "he stands there once");
    assert_eq!(only(&rig).kept.unwrap().arrived, place.kept.unwrap().arrived);
    assert_eq!(view.abandoned, 0, "and has not lost patience");
    let cdr = records(&rig).pop().unwrap();
    assert_eq!(cdr.queues[0].outcome, "callback");
    ready(&mut rig);
    assert_eq!(only(&rig).state, CallbackState::Calling);
    says(&mut rig, AGENT, "486 Busy Here");
    rig.after(400);
    assert!(rig.shard.remove_callback(&only(&rig).id, "key desk"));
    carried_out(&mut rig);
    nothing_is_left(&mut rig);
}

#[test]
fn an_agent_who_rings_for_one_who_keeps_his_place_is_free_at_once() {
    let other = "call:wait(5) call:log('said', call:callback({number = '1002'})) call:wait(1) call:hang_up()";
    let mut rig = world(|tenant| {
        put_flow(tenant, "offer", other);
        let queue = queue(tenant);
        queue.service.unanswered.no_answer = Spare::Rest;
        queue.callback.window = Some(night());
    });
    // the older entry sleeps, so that the agent is free for who calls
    leaves(&mut rig);
    assert_eq!(only(&rig).state, CallbackState::Asleep);
    ready(&mut rig);
    let text = String::from_utf8(invite(TRUNK, "2000", "example.com", "second")).unwrap();
    rig.datagram(TRUNK, text.as_bytes());
    says(&mut rig, AGENT, "180 Ringing");
    assert_eq!(status(&rig), AgentStatus::Ringing);
    rig.after(5_500);
    assert_eq!((count(&rig, AGENT, "CANCEL"), status(&rig)), (1, AgentStatus::Ready), "{:?}", said(&rig));
    says(&mut rig, AGENT, "487 Request Terminated");
    rig.after(20_000);
    assert_eq!(status(&rig), AgentStatus::Ready);
}

/// While no call could be begun each kept place had its turn every half minute: an agent rang for nobody, an offer was told that
/// was none, and what was kept of it was kept for ever.
#[test]
fn while_no_call_can_be_begun_nobody_has_a_turn() {
    let mut rig = world(|_| ());
    restored(&mut rig, &["one", "two"]);
    rig.command(ShardCommand::Unrecordable(true));
    rig.order(agent(), AgentOrder::SignIn).unwrap();
    rig.order(agent(), AgentOrder::Ready).unwrap();
    rig.drain();
    rig.records.clear();
    rig.after(600_000);
    assert_eq!((offers(&rig), rig.records.len(), status(&rig)), (0, 0, AgentStatus::Ready));
    assert_eq!(rig.shard.leftovers(), [""; 0]);
    let text = rig.shard.explain_queue(&queue_id()).unwrap();
    assert!(text.contains("no call can be begun now"), "{text}");
    rig.command(ShardCommand::Unrecordable(false));
    assert_eq!((offers(&rig), count(&rig, AGENT, "INVITE")), (1, 1));
}

/// At the limit of calls the flag may be late by one call: a turn that cannot be taken is no offer.
#[test]
fn a_turn_that_cannot_be_taken_is_no_offer_and_leaves_nothing() {
    let mut rig = world(|_| ());
    let mut limited = configured(|tenant| {
        let mut second = tenant.agents.values().next().unwrap().clone();
        second.id.name = Name::new("1003").unwrap();
        second.user.name = Name::new("1002").unwrap();
        tenant.agents.insert(second.id.name.clone(), second);
    });
    limited.limits.calls = 1;
    rig.configure(limited);
    for who in ["1001", "1003"] {
        let mut id = agent();
        id.name = Name::new(who).unwrap();
        rig.order(id.clone(), AgentOrder::SignIn).unwrap();
        rig.order(id, AgentOrder::Ready).unwrap();
    }
    restored(&mut rig, &["one", "two"]);
    // both turns are given at once, and there is room for one call
    assert_eq!(offers(&rig), 1, "{:#?}", rig.said);
    let states: Vec<_> = entries(&rig).iter().map(|entry| entry.state).collect();
    assert!(
        states.contains(&CallbackState::Calling) && states.contains(&CallbackState::Asleep),
        "{states:?}"
    );
}

/// A trunk that was down for a quarter of an hour made each entry whose turn came undone.
#[test]
fn what_is_no_fault_of_the_customer_is_no_attempt_and_somebody_is_told() {
    let mut rig = world(|_| ());
    leaves(&mut rig);
    ready(&mut rig);
    for turn in 1..=4 {
        says(&mut rig, AGENT, "200 OK");
        says(&mut rig, CUSTOMER, "503 Service Unavailable");
        hung_up(&mut rig, AGENT);
        let entry = only(&rig);
        assert_eq!(
            (entry.state, entry.attempts, entry.outcome.as_str()),
            (CallbackState::Asleep, 0, "congestion"),
            "turn {turn}"
        );
        assert_eq!(rig.alarms(), if turn < 3 { vec![] } else { vec!["callbacks_fail"] });
        rig.after(300_100);
    }
    says(&mut rig, AGENT, "200 OK");
    says(&mut rig, CUSTOMER, "180 Ringing");
    says(&mut rig, CUSTOMER, "503 Service Unavailable");
    hung_up(&mut rig, AGENT);
    assert_eq!(only(&rig).attempts, 1, "his phone has rung");
}

/// A reload with a queue left out, or a start with it, lost the places of all who stood there.
#[test]
fn a_queue_that_is_gone_and_comes_back_has_its_places_as_they_were() {
    let mut rig = world(|_| ());
    let before = leaves(&mut rig);
    let without = configured(|tenant| tenant.queues.clear());
    rig.configure(without.clone());
    let entry = only(&rig);
    assert_eq!((entry.state, entry.outcome.as_str()), (CallbackState::Asleep, "queue_gone"));
    rig.after(7_200_000);
    rig.configure(configured(|_| ()));
    let entry = only(&rig);
    assert_eq!((entry.state, entry.outcome.as_str()), (CallbackState::Waiting, ""));
    assert_eq!(entry.kept, before.kept);
    assert_eq!(rig.shard.queues(T)[0].callbacks, 1);
    // and at a start
    let mut again = Rig::unconfigured([7; 32]);
    again.configure(without);
    restored(&mut again, &["one"]);
    assert_eq!(only(&again).state, CallbackState::Asleep);
    again.configure(configured(|_| ()));
    assert_eq!((only(&again).state, again.shard.queues(T)[0].callbacks), (CallbackState::Waiting, 1));
    // until he is given up
    again.configure(configured(|tenant| tenant.queues.clear()));
    again.after(86_400_000);
    assert_eq!(only(&again).state, CallbackState::Undone);
}

/// The agent who was kept free went on a break while the customer's phone rang: it was cancelled and rang again at once, as often as
/// agents did so, and no attempt was counted.
#[test]
fn a_customer_whose_phone_has_rung_is_not_rung_again_at_once() {
    let mut rig = world(|tenant| queue(tenant).callback.first = CallbackFirst::Customer);
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, CUSTOMER, "180 Ringing");
    order(&mut rig, AgentOrder::NotReady { reason: None });
    assert_eq!(count(&rig, CUSTOMER, "CANCEL"), 1);
    says(&mut rig, CUSTOMER, "487 Request Terminated");
    rig.after(400);
    order(&mut rig, AgentOrder::Ready);
    rig.after(60_000);
    let entry = only(&rig);
    assert_eq!((count(&rig, CUSTOMER, "INVITE"), entry.attempts, entry.state), (1, 1, CallbackState::Asleep));
    rig.after(240_000);
    assert_eq!(count(&rig, CUSTOMER, "INVITE"), 2, "after five minutes it is his turn again");
}

#[test]
fn a_customer_whose_phone_has_not_rung_yet_keeps_his_turn() {
    let mut rig = world(|tenant| queue(tenant).callback.first = CallbackFirst::Customer);
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, CUSTOMER, "100 Trying");
    order(&mut rig, AgentOrder::NotReady { reason: None });
    says(&mut rig, CUSTOMER, "487 Request Terminated");
    rig.after(400);
    order(&mut rig, AgentOrder::Ready);
    assert_eq!((count(&rig, CUSTOMER, "INVITE"), only(&rig).attempts), (2, 0));
}

/// Of a company all show its main number: a colleague who called took the place of one who was to be called back, who never was.
#[test]
fn who_shares_a_number_and_is_not_served_leaves_the_place_as_it_was() {
    let mut rig = world(|_| ());
    let before = leaves(&mut rig);
    calls(&mut rig, "2000", "colleague");
    assert_eq!((only(&rig).state, rig.shard.queues(T)[0].callbacks), (CallbackState::Asleep, 0));
    let bye = within("BYE", 2, TRUNK, &sent(&rig, TRUNK, "SIP/2.0 200"));
    rig.datagram(TRUNK, &bye);
    rig.after(400);
    let entry = only(&rig);
    assert_eq!((entry.state, &entry.kept), (CallbackState::Waiting, &before.kept));
    assert_eq!(rig.shard.queues(T)[0].callbacks, 1);
}

/// Who keyed in the number of another was in his place when that one called, and the entry was gone.
#[test]
fn who_named_another_number_keeps_his_place_whoever_calls_from_it() {
    let text =
        "call:answer() call:log('said', call:callback({queue = 'sales', number = '1002'})) call:hang_up()";
    let mut rig = world(|tenant| {
        put_flow(tenant, "main", text);
        let to = Destination::Flow(FlowId::new(T, "main").unwrap());
        tenant.numbers.push(CalledNumber { access_code: "3000".into(), extension_code: None, to });
    });
    let text = String::from_utf8(invite(TRUNK, "3000", "example.com", "first")).unwrap();
    rig.datagram(TRUNK, text.as_bytes());
    let ack = within("ACK", 1, TRUNK, &sent(&rig, TRUNK, "SIP/2.0 200"));
    rig.datagram(TRUNK, &ack);
    rig.after(60_000);
    let entry = only(&rig);
    assert!(entry.kept.as_ref().unwrap().other);
    calls(&mut rig, "2000", "again");
    let view = rig.shard.queues(T).remove(0);
    assert_eq!((only(&rig), view.callbacks, view.waiting.len()), (entry, 1, 1));
}

/// What a caller could spend at the house's cost, or to another's harm, had no limit but the agents' rules.
#[test]
fn what_callers_may_put_on_the_list_has_its_limits() {
    let ask =
        |number: &str| format!("call:log('said', call:callback({{queue = 'sales', number = '{number}'}}))");
    let asks = |numbers: &[&str]| {
        numbers.iter().map(|number| ask(number)).fold("call:wait(1) ".to_owned(), |all, one| all + &one + " ")
    };
    let said_of = |numbers: &[&str], change: &dyn Fn(&mut Tenant)| {
        let mut rig = world(|tenant| {
            put_flow(tenant, "offer", &asks(numbers));
            change(tenant);
        });
        calls(&mut rig, "2000", "first");
        rig.after(3_000);
        (said(&rig), rig)
    };
    let none = said_of(&["1001"], &|tenant| queue(tenant).callback.other = false).0;
    assert_eq!(none, ["nil not_dialable"], "his own number alone");
    let own = said_of(&["1002"], &|tenant| queue(tenant).callback.other = false).0;
    assert_eq!(own, ["kept"]);
    let to = |tenant: &mut Tenant| queue(tenant).callback.to = vec!["1002".into(), "+49".into()];
    assert_eq!(said_of(&["1001", "1002"], &to).0, ["nil not_dialable", "kept"]);
    let (said, mut rig) = said_of(&["1001", "1002"], &|tenant| queue(tenant).callback.a_day = 1);
    assert_eq!(said, ["kept", "nil too_often"], "one caller, whichever number he names");
    assert!(rig.shard.remove_callback(&only(&rig).id, "key desk"));
    carried_out(&mut rig);
    hangs_up_the_caller(&mut rig);
    rig.after(86_400_000);
    calls(&mut rig, "2000", "tomorrow");
    rig.after(3_000);
    assert_eq!(crate::callbacks::said(&rig)[2..], ["kept", "nil too_often"], "another day");
}

fn hangs_up_the_caller(rig: &mut Rig) {
    let bye = within("BYE", 2, TRUNK, &sent(rig, TRUNK, "SIP/2.0 200"));
    rig.datagram(TRUNK, &bye);
    rig.after(400);
}

/// With the customer first nobody is on the line when a stranger answers: he was made to wait for an agent he had not asked for.
#[test]
fn who_named_another_number_is_asked_for_a_key_when_he_is_called_first() {
    for (number, asks) in [("1002", false), ("1001", true)] {
        let text = format!("call:wait(1) call:callback({{number = '{number}'}}) call:hang_up()");
        let rig = {
            let mut rig = world(|tenant| {
                put_flow(tenant, "offer", &text);
                queue(tenant).callback.first = CallbackFirst::Customer;
            });
            calls(&mut rig, "2000", "first");
            rig.after(2_000);
            rig
        };
        let confirm = only(&rig).kept.unwrap().confirm;
        assert_eq!(confirm, asks.then_some('1'), "{number}");
    }
}

/// Nothing but a person took an undone entry off the list: after months it was full, and nobody could be called back.
#[test]
fn an_entry_that_is_undone_is_forgotten_after_its_time() {
    let mut rig = world(|tenant| {
        let rules = &mut queue(tenant).callback;
        (rules.attempts, rules.keep) = (1, std::time::Duration::from_secs(7_200));
    });
    leaves(&mut rig);
    ready(&mut rig);
    says(&mut rig, AGENT, "200 OK");
    says(&mut rig, CUSTOMER, "486 Busy Here");
    hung_up(&mut rig, AGENT);
    assert_eq!(only(&rig).state, CallbackState::Undone);
    rig.after(7_190_000);
    assert_eq!(entries(&rig).len(), 1);
    rig.after(11_000);
    assert_eq!(entries(&rig).len(), 0);
    assert_eq!(changes(&rig).pop().unwrap().0, CallbackChange::Forgotten);
    nothing_is_left(&mut rig);
}

#[test]
fn somebody_is_told_before_the_list_is_full() {
    let mut rig = world(|_| ());
    let put = |rig: &mut Rig, n: usize| {
        for i in 0..n {
            let by = Actor { key: "desk".into(), agent: None };
            let new = NewCallback { number: format!("{i}"), queue: None, note: String::new(), by };
            rig.shard.put_callback(T, new).unwrap();
        }
        rig.drain();
    };
    put(&mut rig, CALLBACKS_MAX / 5 * 4 - 1);
    assert_eq!(rig.alarms(), [""; 0]);
    put(&mut rig, 2);
    assert_eq!(rig.alarms(), ["callbacks_nearly_full"], "once");
    let after = |rig: &Rig| entries(rig).remove(0).id;
    for _ in 0..2 {
        let id = after(&rig);
        assert!(rig.shard.remove_callback(&id, "key desk"));
    }
    put(&mut rig, 2);
    assert_eq!(rig.alarms().len(), 1, "not each time that it goes to and fro");
}
