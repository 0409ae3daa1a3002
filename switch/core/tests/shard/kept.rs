//! Places that are kept, where something goes wrong: with trunks, with the switch, with the configuration, or on purpose.

use crate::callbacks::*;
use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::calendar::Hours;
use cordboard_model::callback::{CallbackFirst, CallbackState, CallbackWindow};
use cordboard_model::config::{Snapshot, Tenant};
use cordboard_model::event::EventKind;
use cordboard_model::id::{Name, QueueId};
use cordboard_model::service::{AgentOrder, Spare};
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
/// after he had hung up, and the agent whose phone had rung for him was taken for one who does not answer.
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

/// The agent's phone was cancelled, and after the ring time he was sent on a break for not answering it.
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
