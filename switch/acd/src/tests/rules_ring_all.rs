//! The rules of a queue that rings all its agents at once, one test each.

use super::bench::*;
use crate::{AcdCommand, AcdOutput, Outcome};
use cordboard_model::cause::Cause;
use cordboard_model::id::Name;
use cordboard_model::service::{AgentOrder, Reserve, RingMost, SPARE_OF_ALL, Strategy, WantedSkill};
use cordboard_model::view::AgentStatus::{self, NotReady, Ready, Ringing, Talking, WrapUp};

/// `sales` rings all; these agents are ready, idle in this order.
fn ring_all(names: &[&str]) -> Bench {
    let mut b = Bench::with_agents(names);
    let service = &mut b.queue_mut("sales").service;
    service.strategy = Strategy::RingAll;
    service.unanswered.no_answer = SPARE_OF_ALL;
    b.configure();
    b.take();
    b
}

fn at_most(b: &mut Bench, most: u8) {
    b.queue_mut("sales").service.ring_all_most = RingMost(most);
    b.configure();
    b.take();
}

fn statuses(b: &Bench, names: &[&str]) -> Vec<AgentStatus> {
    names.iter().map(|name| b.status(name)).collect()
}

const THREE: [&str; 3] = ["1001", "1002", "1003"];

#[test]
fn all_ring_at_once_and_who_answers_first_has_the_caller() {
    let mut b = ring_all(&THREE);
    b.enter(1);
    assert_eq!(b.offers(), THREE.map(|name| to(1, name)));
    b.enter(2);
    assert_eq!(b.offers(), [], "nobody is left for the second");
    b.answer(1, "1002");
    // 1001 is idle longest still: that another was faster has cost him nothing.
    assert_eq!(statuses(&b, &THREE), [Ringing, Talking, Ringing]);
    let elsewhere = |o: &AcdOutput| matches!(o, AcdOutput::Withdraw { elsewhere: true, .. });
    assert_eq!(b.out.iter().filter(|o| elsewhere(o)).count(), 2);
    assert_eq!(b.withdrawn(), [to(1, "1001"), to(1, "1003")]);
    assert_eq!(b.left(), [(1, Outcome::Served)]);
    assert_eq!(b.offers(), [to(2, "1001"), to(2, "1003")]);
    // What the phones of the others say of the first caller is of no account any more.
    b.fail(1, "1001", Cause::AnsweredElsewhere);
    b.answer(1, "1003");
    assert_eq!(b.take(), []);
    b.answer(2, "1003");
    assert_eq!(statuses(&b, &THREE), [Ready, Talking, Talking]);
    let taken = THREE.map(|name| b.engine.agent(&agent(name)).unwrap().handled);
    assert_eq!(taken, [0, 1, 1]);
}

#[test]
fn a_caller_who_hangs_up_while_all_ring_costs_nobody_anything() {
    let mut b = ring_all(&THREE);
    b.enter(1);
    b.take();
    b.abandon(1);
    assert_eq!(b.withdrawn(), THREE.map(|name| to(1, name)));
    assert_eq!(statuses(&b, &THREE), [Ready; 3]);
    b.enter(2);
    assert_eq!(b.offers(), THREE.map(|name| to(2, name)), "in the same order");
}

#[test]
fn who_declines_is_busy_or_not_reached_pays_alone_and_the_others_ring_on() {
    let mut b = ring_all(&["1001", "1002", "1003", "1004"]);
    b.enter(1);
    b.take();
    b.fail(1, "1001", Cause::Declined);
    b.fail(1, "1002", Cause::Busy);
    b.fail(1, "1003", Cause::Unreachable);
    assert_eq!(b.take().iter().filter(|o| !matches!(o, AcdOutput::AgentChanged { .. })).count(), 0);
    assert_eq!(statuses(&b, &["1001", "1004"]), [Ready, Ringing]);
    assert!(b.explain("1001").contains("the last offer failed (declined)"), "{}", b.explain("1001"));
    b.pass(5_000);
    assert_eq!(b.offers(), [to(1, "1001"), to(1, "1002")], "spared for so long, then they ring again");
    b.answer(1, "1004");
    b.take();
    b.pass(25_000);
    assert_eq!(statuses(&b, &["1001", "1002", "1003"]), [Ready; 3]);
}

/// One caller would have sent the whole group on a break, had each been blamed as by a queue that rings one after another.
#[test]
fn who_let_it_ring_is_spared_for_a_moment_and_all_ring_again() {
    let mut b = ring_all(&THREE);
    b.enter(1);
    THREE.iter().for_each(|name| b.rings(1, name));
    b.pass(20_000);
    b.take();
    THREE.iter().for_each(|name| b.fail(1, name, Cause::NoAnswer));
    assert_eq!(statuses(&b, &THREE), [Ready; 3]);
    assert_eq!(b.offers(), []);
    b.pass(5_000);
    assert_eq!(b.offers(), THREE.map(|name| to(1, name)));
    assert_eq!(b.waiting("sales"), [1]);
}

#[test]
fn so_many_ring_by_skill_then_idle_time_and_the_others_for_the_next_caller() {
    let mut b = ring_all(&["1001", "1002", "1003", "1004", "1005"]);
    let english = Name::new("english").unwrap();
    let wanted = WantedSkill { weight: 2, least: 0 };
    b.queue_mut("sales").service.skills.insert(english.clone(), wanted);
    b.agent_mut("1004").duty.skills.insert(english, 30);
    at_most(&mut b, 2);
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1004"), to(1, "1001")]);
    b.enter(2);
    b.enter(3);
    assert_eq!(b.offers(), [to(2, "1002"), to(2, "1003"), to(3, "1005")]);
    // One place at the first caller is empty, and who becomes free takes it.
    b.fail(1, "1001", Cause::Declined);
    b.answer(3, "1005");
    assert_eq!(b.offers(), []);
    b.release(3, "1005");
    b.ready("1005").unwrap();
    assert_eq!(b.offers(), [to(1, "1005")]);
    let view = b.engine.queues(T).remove(0);
    let rings: Vec<usize> = view.waiting.iter().map(|one| one.offered_to.len()).collect();
    assert_eq!(rings, [2, 2]);
}

#[test]
fn who_becomes_free_while_it_rings_joins_in() {
    let mut b = ring_all(&THREE);
    b.not_ready("1002");
    b.outside("1003", Some(90));
    b.take();
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.pass(8_000);
    b.ready("1002").unwrap();
    b.outside("1003", None);
    assert_eq!(b.offers(), [to(1, "1002"), to(1, "1003")]);
    b.not_ready("1001");
    assert_eq!(b.withdrawn(), [to(1, "1001")]);
    b.take();
    // Each rings for his own time.
    b.pass(24_999);
    assert_eq!(statuses(&b, &THREE), [NotReady, Ringing, Ringing]);
    b.pass(1);
    assert_eq!(statuses(&b, &THREE), [NotReady, Ready, Ready]);
}

#[test]
fn priority_preference_and_reserve_hold_where_all_ring() {
    let mut b = Bench::of(snapshot(
        vec![queue_config("help"), queue_config("sales")],
        vec![
            agent_config("1001", &["help", "sales"]),
            agent_config("1002", &["sales"]),
            agent_config("1003", &["sales"]),
        ],
    ));
    let service = &mut b.queue_mut("sales").service;
    service.strategy = Strategy::RingAll;
    service.reserve = Some(Reserve { agents: 1, priority: 5 });
    b.agent_mut("1001").duty.preference.insert(Name::new("sales").unwrap(), 2);
    b.configure();
    THREE.iter().for_each(|name| b.arrive(name));
    b.take();
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1002"), to(1, "1003")], "those who prefer it, and one is kept");
    b.enter_as(2, "sales", 5);
    assert_eq!(b.offers(), [to(2, "1001")]);
    b.abandon(2);
    b.enter_as(3, "help", 0);
    assert_eq!(b.offers(), [to(3, "1001")]);
    b.enter_as(4, "sales", 9);
    b.take();
    b.answer(1, "1002");
    assert_eq!(b.offers(), [to(4, "1003")]);
    assert_eq!(b.status("1002"), Talking);
    b.release(1, "1002");
    assert_eq!(b.status("1002"), WrapUp);
}

#[test]
fn who_is_given_to_one_agent_or_waits_for_one_rings_at_him_alone() {
    let mut b = ring_all(&THREE);
    b.enter(1);
    b.take();
    let place = |b: &mut Bench, name: &str| {
        b.command(AcdCommand::Place { call: call(1), agent: agent(name), by: "2001".into() })
    };
    // of those who ring, one rings on
    place(&mut b, "1002").unwrap();
    assert_eq!(b.withdrawn(), [to(1, "1001"), to(1, "1003")]);
    assert_eq!(statuses(&b, &THREE), [Ready, Ringing, Ready]);
    b.take();
    b.fail(1, "1002", Cause::Declined);
    assert_eq!(b.offers(), [to(1, "1001"), to(1, "1003")]);
    b.rest("1002");
    b.take();
    place(&mut b, "1002").unwrap();
    assert_eq!(b.offers(), [to(1, "1002")]);
    assert_eq!(statuses(&b, &THREE), [Ready, Ringing, Ready]);
    b.abandon(1);
    b.order("1002", AgentOrder::Ready).unwrap();
    b.take();
    b.enter_for(2, "1003", Some(20));
    assert_eq!(b.offers(), [to(2, "1003")]);
    b.pass(20_000);
    assert_eq!(b.offers(), [to(2, "1001"), to(2, "1002")], "he has waited for him long enough");
}

#[test]
fn a_reload_changes_how_many_ring() {
    let mut b = ring_all(&THREE);
    b.enter(1);
    b.enter(2);
    b.take();
    b.queue_mut("sales").service.strategy = Strategy::LongestIdle;
    b.configure();
    assert_eq!(b.offers(), [], "who rings, rings on");
    b.fail(1, "1001", Cause::Declined);
    b.pass(5_000);
    assert_eq!(b.offers(), [to(2, "1001")], "the first has enough");
    b.queue_mut("sales").service.strategy = Strategy::RingAll;
    b.configure();
    b.fail(2, "1001", Cause::Declined);
    b.take();
    b.pass(5_000);
    assert_eq!(b.offers(), [to(1, "1001")]);
}

#[test]
fn an_offer_and_a_queue_that_ring_all_say_so() {
    let mut b = ring_all(&THREE);
    b.outside("1003", Some(90));
    b.take();
    b.enter(1);
    let why = |o: AcdOutput| match o {
        AcdOutput::Offer { why, .. } => Some(why),
        _ => None,
    };
    let said: Vec<String> = b.take().into_iter().filter_map(why).collect();
    assert_eq!(
        said,
        [
            "caller: priority 0, waited 0.000 s, before 0 others in default/sales; \
             agent: skill 0, idle 3.000 s, before 1 others free there; 0 ring already",
            "caller: priority 0, waited 0.000 s, before 0 others in default/sales; \
             agent: skill 0, idle 2.000 s, before 0 others free there; 1 ring already",
        ]
    );
    let text = b.engine.explain_queue(&queue("sales"), b.now).unwrap();
    assert!(text.contains("strategy ring_all, at most 10 at once.\n"), "{text}");
    assert!(text.contains("waited 0.000 s, rings at default/1001 and default/1002\n"), "{text}");
}
