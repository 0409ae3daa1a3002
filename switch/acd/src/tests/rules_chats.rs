//! Chats beside calls: who has a slot, which work keeps which away, and what is said and counted of it.

use super::bench::*;
use crate::figures::{Ledger, Moment};
use crate::{AcdCommand, AcdInput, AcdOutput, RefusedReason};
use cordboard_model::cause::Cause;
use cordboard_model::config::Snapshot;
use cordboard_model::service::{AgentKind, AgentOrder, ChatSlots, QueueKind, Spare};
use cordboard_model::time::{Duration, Wall, WallClock};
use cordboard_model::view::AgentStatus;

fn web() -> cordboard_model::config::Queue {
    let mut queue = queue_config("web");
    queue.service.kind = QueueKind::Multimedia;
    queue.wrap_up = Duration::ZERO;
    queue
}

/// `sales` is of calls, `web` of chats.
fn floor(names: &[&str], slots: ChatSlots) -> Snapshot {
    let agents = names.iter().map(|name| {
        let mut agent = agent_config(name, &["sales", "web"]);
        agent.duty.kind = AgentKind::AllRound;
        agent.duty.chats = slots;
        agent
    });
    snapshot(vec![queue_config("sales"), web()], agents.collect())
}

fn bench(names: &[&str], slots: ChatSlots) -> Bench {
    let mut b = Bench::of(floor(names, slots));
    for name in names {
        b.arrive(name);
        b.pass(1_000);
    }
    b.take();
    b
}

fn slots(most: u8) -> ChatSlots {
    ChatSlots { most, ..ChatSlots::default() }
}

fn chat(b: &mut Bench, n: u64) {
    b.enter_as(n, "web", 0);
}

fn chats(b: &Bench, name: &str) -> Vec<u64> {
    b.engine.agent(&agent(name)).unwrap().chats.iter().map(|call| call.number).collect()
}

#[test]
fn an_agent_has_as_many_chats_as_he_has_slots_and_is_ready_with_them() {
    let mut b = bench(&["1001"], slots(2));
    for n in 1..=3 {
        chat(&mut b, n);
    }
    // one offer at a time
    assert_eq!(b.offers(), [to(1, "1001")]);
    assert_eq!(b.status("1001"), AgentStatus::Ringing);
    b.answer(1, "1001");
    assert_eq!(b.offers(), [to(2, "1001")]);
    b.answer(2, "1001");
    assert_eq!((b.offers(), b.status("1001")), (vec![], AgentStatus::Ready));
    assert_eq!((chats(&b, "1001"), b.waiting("web")), (vec![1, 2], vec![3]));
    let said = b.explain("1001");
    assert!(said.contains("Of 2 slots for chats 2 are taken: default.1-0-1, default.1-0-2"), "{said}");
    let said = b.engine.explain_queue(&queue("web"), b.now).unwrap();
    assert!(said.contains("ready, but all 2 of his slots for chats are taken"), "{said}");
    b.release(1, "1001");
    assert_eq!(b.offers(), [to(3, "1001")]);
}

#[test]
fn an_agent_may_want_fewer_chats_than_he_is_configured_for_and_keeps_those_he_has() {
    let mut b = bench(&["1001"], slots(3));
    for n in 1..=2 {
        chat(&mut b, n);
        b.answer(n, "1001");
    }
    b.take();
    b.order("1001", AgentOrder::Chats { most: 1 }).unwrap();
    let told = |b: &Bench| {
        b.out.iter().rev().find_map(|out| match out {
            AcdOutput::ChatsChanged { chats, most, .. } => Some((chats.len(), *most)),
            _ => None,
        })
    };
    let most = |b: &Bench| b.engine.agent(&agent("1001")).unwrap().chat_slots;
    assert_eq!((chats(&b, "1001"), told(&b)), (vec![1, 2], Some((2, 1))), "none is taken from him");
    chat(&mut b, 3);
    b.release(1, "1001");
    assert_eq!(
        (b.offers(), b.waiting("web")),
        (vec![], vec![3]),
        "the one that he has is as many as he wants"
    );
    b.order("1001", AgentOrder::Chats { most: 9 }).unwrap();
    assert_eq!((b.offers(), most(&b)), (vec![to(3, "1001")], 3), "more than he is configured for he has not");
    b.answer(3, "1001");
    b.order("1001", AgentOrder::Chats { most: 1 }).unwrap();
    b.release(2, "1001");
    b.release(3, "1001");
    b.sign_out("1001");
    let refused = b.order("1001", AgentOrder::Chats { most: 2 }).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::SignedOut);
    b.arrive("1001");
    assert_eq!(most(&b), 3, "the wish ends with the sign-in");
}

#[test]
fn the_reason_of_an_offer_names_the_slot() {
    let mut b = bench(&["1001", "1002"], slots(3));
    for n in 1..=3 {
        chat(&mut b, n);
        let name = b.out.iter().find_map(|o| match o {
            AcdOutput::Offer { agent, .. } => Some(agent.name.to_string()),
            _ => None,
        });
        b.answer(n, &name.unwrap());
        if n < 3 {
            b.take();
        }
    }
    // each has one by then, and the third goes to who is idle longest of them
    let why = b.take().into_iter().find_map(|o| match o {
        AcdOutput::Offer { why, .. } => Some(why),
        _ => None,
    });
    let why = why.unwrap();
    assert!(why.contains("1 chats, ") && why.contains("slot 2 of 3"), "{why}");
    let loads: Vec<usize> = ["1001", "1002"].iter().map(|name| chats(&b, name).len()).collect();
    assert_eq!(loads, [2, 1]);
}

#[test]
fn a_call_keeps_a_second_call_away_and_chats_unless_they_may_be_beside_it() {
    for during_call in [false, true] {
        let mut b = bench(&["1001"], ChatSlots { during_call, ..slots(5) });
        b.enter(1);
        b.answer(1, "1001");
        b.take();
        b.enter(2);
        chat(&mut b, 3);
        let expected = if during_call { vec![to(3, "1001")] } else { vec![] };
        assert_eq!(b.offers(), expected);
        assert_eq!(b.status("1001"), AgentStatus::Talking);
        if during_call {
            b.answer(3, "1001");
            assert_eq!((b.status("1001"), chats(&b, "1001")), (AgentStatus::Talking, vec![3]));
        }
        // the second call comes after the first, and after its wrap-up
        b.release(1, "1001");
        b.pass(9_000);
        assert_eq!((b.offers(), b.status("1001")), (vec![], AgentStatus::WrapUp));
        b.pass(1_000);
        assert_eq!(b.offers(), [to(2, "1001")]);
    }
}

#[test]
fn calls_come_beside_chats_unless_they_may_not() {
    for calls_beside in [true, false] {
        let mut b = bench(&["1001"], ChatSlots { calls_beside, ..slots(5) });
        chat(&mut b, 1);
        b.answer(1, "1001");
        b.take();
        b.enter(2);
        let expected = if calls_beside { vec![to(2, "1001")] } else { vec![] };
        assert_eq!(b.offers(), expected);
        if !calls_beside {
            let said = b.explain("1001");
            assert!(said.contains("He gets no calls: he takes no calls beside chats, and has 1."), "{said}");
            b.release(1, "1001");
            assert_eq!(b.offers(), [to(2, "1001")]);
        }
    }
}

#[test]
fn one_without_a_phone_takes_chats_and_no_calls() {
    let mut b = bench(&["1001"], slots(5));
    b.contacts("1001", 0);
    chat(&mut b, 1);
    b.enter(2);
    assert_eq!(b.offers(), [to(1, "1001")]);
}

#[test]
fn a_chat_that_is_not_taken_goes_back_to_the_head_and_costs_what_the_queue_says() {
    for (why, policy, after) in [
        (Cause::NoAnswer, Spare::Rest, AgentStatus::Rest),
        (Cause::Declined, Spare::For(Duration::from_secs(5)), AgentStatus::Ready),
    ] {
        let mut b = bench(&["1001"], slots(5));
        let queue = b.queue_mut("web");
        queue.service.unanswered.no_answer = policy;
        queue.service.unanswered.declined = policy;
        b.configure();
        chat(&mut b, 1);
        chat(&mut b, 2);
        b.take();
        b.fail(1, "1001", why);
        assert_eq!((b.waiting("web"), b.status("1001")), (vec![1, 2], after));
        assert_eq!(b.offers(), []);
        b.pass(5_000);
        let expected = if after == AgentStatus::Ready { vec![to(1, "1001")] } else { vec![] };
        assert_eq!(b.offers(), expected);
    }
}

#[test]
fn nobody_reports_on_a_chat_and_the_offer_ends_all_the_same() {
    let mut b = bench(&["1001", "1002"], slots(5));
    chat(&mut b, 1);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.pass(25_000);
    assert_eq!(b.withdrawn(), [to(1, "1001")]);
    assert_eq!(b.offers(), [to(1, "1002")]);
    assert_eq!(b.status("1001"), AgentStatus::Rest);
}

#[test]
fn who_asks_to_leave_gets_no_more_and_leaves_with_his_last_chat() {
    let mut b = bench(&["1001"], slots(5));
    for n in [1, 2] {
        chat(&mut b, n);
        b.answer(n, "1001");
    }
    b.take();
    b.sign_out("1001");
    assert_eq!(b.status("1001"), AgentStatus::NotReady);
    chat(&mut b, 3);
    b.enter(4);
    assert_eq!(b.offers(), []);
    assert!(b.explain("1001").contains("will be signed out"), "{}", b.explain("1001"));
    b.release(1, "1001");
    assert_eq!(b.status("1001"), AgentStatus::NotReady);
    b.release(2, "1001");
    assert_eq!(b.status("1001"), AgentStatus::SignedOut);
    // and who takes it back stays
    b.sign_in("1001");
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(3, "1001")]);
}

#[test]
fn a_chat_that_is_wrapped_up_keeps_its_slot() {
    let mut b = bench(&["1001"], slots(1));
    b.queue_mut("web").wrap_up = Duration::from_secs(10);
    b.configure();
    chat(&mut b, 1);
    b.answer(1, "1001");
    b.release(1, "1001");
    b.take();
    chat(&mut b, 2);
    b.pass(9_999);
    assert_eq!(b.offers(), []);
    b.pass(1);
    assert_eq!(b.offers(), [to(2, "1001")]);
}

#[test]
fn a_supervisor_gives_a_chat_to_one_who_has_a_slot_and_to_no_other() {
    let mut b = bench(&["1001"], slots(1));
    b.not_ready("1001");
    chat(&mut b, 1);
    chat(&mut b, 2);
    let place = |n| AcdCommand::Place { call: call(n), agent: agent("1001"), by: "2001".into() };
    b.command(place(1)).unwrap();
    assert_eq!(b.offers(), [to(1, "1001")]);
    assert_eq!(b.command(place(2)).unwrap_err().reason, RefusedReason::HasCall);
    b.answer(1, "1001");
    assert_eq!(b.command(place(2)).unwrap_err().why, "agent default/1001 has no slot for one more chat");
}

#[test]
fn chats_of_before_a_restart_take_their_slots_again() {
    let mut b = bench(&["1001"], slots(2));
    let restore = |n| AcdCommand::RestoreChat { call: call(n), queue: queue("web"), agent: agent("1001") };
    b.command(restore(1)).unwrap();
    chat(&mut b, 2);
    assert_eq!(b.offers(), [to(2, "1001")]);
    b.answer(2, "1001");
    assert_eq!(chats(&b, "1001"), [1, 2]);
    b.release(1, "1001");
    assert_eq!(chats(&b, "1001"), [2]);
    let mut b = Bench::of(floor(&["1001"], slots(2)));
    assert_eq!(b.command(restore(1)).unwrap_err().reason, RefusedReason::SignedOut);
}

/// The time with chats is no time of waiting for work: it counts as work, once, however many chats there are.
#[test]
fn figures_count_the_time_with_chats_as_work() {
    let mut b = Bench::of(floor(&["1001"], slots(5)));
    let mut ledger = Ledger::new(1, 0);
    let wall = WallClock { at_zero: NOON };
    let config = b.config.clone();
    let moment = |b: &Bench| Moment { time: b.now, wall: wall.at(b.now) };
    ledger.configure(&config, moment(&b));
    let mut over = Vec::new();
    let mut hear = |b: &mut Bench, ledger: &mut Ledger| {
        let at = moment(b);
        for output in b.take() {
            over.extend(ledger.note_output(&output, at).into_iter().flatten());
        }
    };
    let told = |b: &mut Bench, ledger: &mut Ledger, input: AcdInput| {
        ledger.note_input(&input, moment(b));
        b.tell(input);
    };
    b.arrive("1001");
    hear(&mut b, &mut ledger);
    b.pass(10_000);
    for (n, wait) in [(1, 20_000), (2, 30_000)] {
        let entry = AcdInput::Enter {
            call: call(n),
            queue: queue("web"),
            timeout_ms: None,
            priority: 0,
            staffed: false,
            wish: None,
        };
        told(&mut b, &mut ledger, entry);
        told(&mut b, &mut ledger, AcdInput::OfferAnswered { call: call(n), agent: agent("1001") });
        hear(&mut b, &mut ledger);
        b.pass(wait);
    }
    for n in [1, 2] {
        told(&mut b, &mut ledger, AcdInput::AgentReleased { call: call(n), agent: agent("1001") });
        hear(&mut b, &mut ledger);
    }
    b.pass(40_000);
    b.sign_out("1001");
    hear(&mut b, &mut ledger);
    let at = moment(&b);
    let view = ledger.wall(&config, T, at).unwrap();
    let today = view.agents.first().unwrap().today;
    assert_eq!((today.time_ready_ms, today.time_chatting_ms, today.time_talking_ms), (50_000, 50_000, 0));
    assert_eq!(today.occupancy.value(), Some(0.5));
    assert_eq!((today.handled, today.talk_ms), (2, 80_000));
    let of_queue = view.queues.iter().find(|q| q.queue == queue("web")).unwrap().today;
    assert_eq!((of_queue.offered, of_queue.answered, of_queue.answered_in_target), (2, 2, 2));
    // every stretch has its number of chats, and they follow each other
    let numbers: Vec<(u8, i64)> = over
        .iter()
        .filter(|i| i.ms() > 0 && i.status == AgentStatus::Ready)
        .map(|i| (i.chats, i.to.0 - i.from.0))
        .collect();
    assert_eq!(numbers, [(0, 10_000), (1, 20_000), (2, 30_000), (0, 40_000)]);
    assert!(over.iter().all(|i| i.from >= Wall(NOON.0)));
}
