//! One rule a test.

use super::bench::*;
use crate::{ChatEngine, ChatInput, ChatOutput, LeaveHow, QueueOrder};
use cordboard_model::cause::Cause;
use cordboard_model::chat::{
    CHAT_MESSAGES_MAX, CHAT_TEXT_MAX, CHATS_MAX, ChatAct, ChatActor, ChatEnd, ChatEvent, ChatFault, ChatFrom,
    ChatStage,
};
use cordboard_model::time::WallClock;
use cordboard_model::verb::QueueEnd;

const CUSTOMER: ChatActor = ChatActor::Customer;

fn told(out: &[ChatOutput]) -> Vec<&ChatEvent> {
    let events = out.iter().filter_map(|output| match output {
        ChatOutput::Event { what, .. } => Some(&**what),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_chat_waits_is_taken_talks_and_ends_with_what_the_customer_thinks() {
    let mut b = Bench::new();
    let mut new = new_chat();
    new.text = Some("hello".into());
    b.open_with(1, new).unwrap();
    b.tell(ChatInput::Position { chat: chat(1), position: 3 });
    assert_eq!(b.engine.view(chat(1)).unwrap().position, Some(3));
    b.take();
    b.offer(1, "1001");
    b.act(1, &of("1001"), ChatAct::Accept).unwrap();
    let agent = agent("1001");
    let orders = b.orders();
    let seen = QueueOrder::Seen { chat: chat(1), agent: agent.clone() };
    assert_eq!(orders, [seen, QueueOrder::Took { chat: chat(1), agent: agent.clone() }]);
    assert_eq!(b.act(1, &of("1001"), say("hi")), Ok(Some(2)));
    assert_eq!(b.act(1, &CUSTOMER, say("how much?")), Ok(Some(3)));
    let said = b.engine.messages(chat(1), 1, 10).unwrap();
    assert_eq!(
        said.iter().map(|m| (m.number, m.text.as_str())).collect::<Vec<_>>(),
        [(2, "hi"), (3, "how much?")]
    );
    let survey = || ChatAct::Survey { score: 9, comment: "quick".into() };
    assert_eq!(b.act(1, &CUSTOMER, survey()), Err(ChatFault::NotClosed));
    b.take();
    b.act(1, &CUSTOMER, ChatAct::Close).unwrap();
    assert_eq!(b.orders(), [QueueOrder::Released { chat: chat(1), agent }]);
    b.act(1, &CUSTOMER, survey()).unwrap();
    let record = &b.closed[&chat(1)];
    assert_eq!((record.end, record.version, record.messages.len()), (Some(ChatEnd::Customer), 1, 3));
    assert_eq!(record.survey.as_ref().map(|survey| survey.score), Some(9));
    assert_eq!(record.visits.iter().map(|v| v.outcome.as_str()).collect::<Vec<_>>(), ["served"]);
    b.pass(100_000);
    assert_eq!(b.engine.view(chat(1)), None);
    assert!(matches!(b.take().last(), Some(ChatOutput::News { news: None, .. })));
}

#[test]
fn what_is_sent_again_is_said_once_and_written_down_again() {
    let mut b = Bench::new();
    b.talk(1, "1001");
    let again = || ChatAct::Say { text: "hello".into(), id: Some("m-1".into()) };
    assert_eq!(b.act(1, &CUSTOMER, again()), Ok(Some(1)));
    b.take();
    assert_eq!(b.act(1, &CUSTOMER, again()), Ok(Some(1)));
    let out = b.take();
    assert!(matches!(out.as_slice(), [ChatOutput::Step { .. }]), "{out:?}");
    // the same id of the other side is another message
    assert_eq!(b.act(1, &of("1001"), again()), Ok(Some(2)));
}

#[test]
fn an_offer_that_is_not_taken_in_time_or_is_rejected_goes_back_to_the_queue() {
    let mut b = Bench::new();
    b.open(1).unwrap();
    b.take();
    let not_taken = |why| QueueOrder::NotTaken { chat: chat(1), agent: agent("1001"), why };
    b.offer(1, "1001");
    b.pass(20_000);
    assert_eq!(b.orders().last(), Some(&not_taken(Cause::NoAnswer)));
    assert_eq!(b.act(1, &of("1001"), ChatAct::Accept), Err(ChatFault::NotHis));
    b.offer(1, "1001");
    b.take();
    b.act(1, &of("1001"), ChatAct::Reject).unwrap();
    assert_eq!(b.orders(), [not_taken(Cause::Declined)]);
    b.offer(1, "1001");
    b.tell(ChatInput::Withdrawn { chat: chat(1), agent: agent("1001") });
    assert_eq!(b.act(1, &of("1001"), ChatAct::Accept), Err(ChatFault::NotHis));
    assert_eq!(b.stage(1), ChatStage::Waiting);
}

#[test]
fn of_several_who_are_offered_it_the_first_has_it() {
    let mut b = Bench::new();
    b.open(1).unwrap();
    b.offer(1, "1001");
    b.offer(1, "1002");
    b.act(1, &of("1002"), ChatAct::Accept).unwrap();
    assert_eq!(b.act(1, &of("1001"), ChatAct::Accept), Err(ChatFault::NotHis));
    assert_eq!(b.engine.view(chat(1)).unwrap().agent, Some(agent("1002")));
}

#[test]
fn each_side_does_what_is_its_own() {
    let mut b = Bench::new();
    b.talk(1, "1001");
    for (actor, act, fault) in [
        (of("1002"), say("hi"), ChatFault::NotHis),
        (of("1002"), ChatAct::Close, ChatFault::NotHis),
        (of("1002"), ChatAct::ToQueue(queue("sales")), ChatFault::NotHis),
        (CUSTOMER, ChatAct::Accept, ChatFault::NotForHim),
        (CUSTOMER, ChatAct::ToQueue(queue("sales")), ChatFault::NotForHim),
        (of("1001"), ChatAct::Survey { score: 1, comment: String::new() }, ChatFault::NotForHim),
        (ChatActor::Operator("key shop".into()), say("hi"), ChatFault::NotForHim),
        (CUSTOMER, ChatAct::Survey { score: 11, comment: String::new() }, ChatFault::BadScore),
        (CUSTOMER, say(""), ChatFault::BadText),
        (CUSTOMER, say(" \n"), ChatFault::BadText),
        (CUSTOMER, say("a\u{7}"), ChatFault::BadText),
        (CUSTOMER, say(&"x".repeat(CHAT_TEXT_MAX + 1)), ChatFault::BadText),
    ] {
        assert_eq!(b.act(1, &actor, act.clone()), Err(fault), "{act:?}");
    }
    assert!(b.take().is_empty(), "what is refused changes nothing");
}

#[test]
fn an_agent_sends_his_chat_to_a_queue_or_to_another_and_a_supervisor_any() {
    let mut b = Bench::new();
    b.talk(1, "1001");
    b.act(1, &of("1001"), ChatAct::ToQueue(queue("sales"))).unwrap();
    let orders = b.orders();
    let released = QueueOrder::Released { chat: chat(1), agent: agent("1001") };
    let enter = |name: &str, wish: Option<&str>| QueueOrder::Enter {
        chat: chat(1),
        queue: queue(name),
        priority: 0,
        agent: wish.map(agent),
        since: None,
    };
    assert_eq!(orders, [released, enter("sales", None)]);
    let by = ChatActor::Operator("agent 1009".into());
    b.act(1, &by, ChatAct::ToAgent(agent("1002"))).unwrap();
    assert_eq!(b.orders(), [enter("sales", Some("1002"))]);
    b.offer(1, "1002");
    b.act(1, &of("1002"), ChatAct::Accept).unwrap();
    let visits = b.engine.view(chat(1)).unwrap().visits;
    let ways: Vec<_> = visits.iter().map(|v| (v.queue.name.as_str(), v.outcome.as_str())).collect();
    assert_eq!(ways, [("web", "served"), ("sales", "moved"), ("sales", "served")]);
}

#[test]
fn silence_of_the_customer_warns_him_and_ends_it_and_silence_of_the_agent_is_told() {
    let mut b = Bench::new();
    b.talk(1, "1001");
    b.act(1, &CUSTOMER, say("hello")).unwrap();
    b.take();
    // the agent's turn: nobody ends it, and after two minutes somebody should look
    b.pass(119_999);
    assert!(b.take().is_empty());
    b.pass(1);
    assert_eq!(told(&b.take()), [&ChatEvent::Unanswered { agent: agent("1001") }]);
    b.pass(3_600_000);
    assert_eq!(b.stage(1), ChatStage::Open);
    b.act(1, &of("1001"), say("sorry")).unwrap();
    b.take();
    b.pass(540_000);
    assert_eq!(told(&b.take()), [&ChatEvent::Silent]);
    b.pass(59_999);
    assert_eq!(b.stage(1), ChatStage::Open);
    b.pass(1);
    assert_eq!(b.closed[&chat(1)].end, Some(ChatEnd::Silence));
}

#[test]
fn a_customer_who_leaves_while_he_waits_has_abandoned_it() {
    let mut b = Bench::new();
    b.open(1).unwrap();
    b.offer(1, "1001");
    b.take();
    b.act(1, &CUSTOMER, ChatAct::Close).unwrap();
    assert_eq!(b.orders(), [QueueOrder::Leave { chat: chat(1), how: LeaveHow::Abandoned }]);
    assert_eq!(b.closed[&chat(1)].visits[0].outcome, "abandoned");
    b.open(2).unwrap();
    b.take();
    b.act(2, &ChatActor::Operator("key shop".into()), ChatAct::Close).unwrap();
    assert_eq!(b.orders(), [QueueOrder::Leave { chat: chat(2), how: LeaveHow::Ended }]);
}

#[test]
fn a_wait_that_ends_without_an_agent_ends_the_chat_or_sends_it_on() {
    for (end, how) in [
        (QueueEnd::Timeout, ChatEnd::Timeout),
        (QueueEnd::Full, ChatEnd::Full),
        (QueueEnd::NobodySignedIn, ChatEnd::NobodySignedIn),
        (QueueEnd::Gone, ChatEnd::Gone),
    ] {
        let mut b = Bench::new();
        b.open(1).unwrap();
        b.ended(1, end, None);
        assert_eq!(b.closed[&chat(1)].end, Some(how));
    }
    let mut b = Bench::new();
    b.open(1).unwrap();
    b.take();
    b.ended(1, QueueEnd::Timeout, Some("sales"));
    assert_eq!(b.orders().len(), 1);
    let view = b.engine.view(chat(1)).unwrap();
    assert_eq!((view.stage, view.queue), (ChatStage::Waiting, queue("sales")));
    // sent round and round, it ends
    for _ in 0..100 {
        b.ended(1, QueueEnd::Timeout, Some("web"));
    }
    assert_eq!(b.closed[&chat(1)].end, Some(ChatEnd::Timeout));
}

#[test]
fn who_types_is_seen_to_until_he_says_something_or_stops() {
    let mut b = Bench::new();
    b.talk(1, "1001");
    b.act(1, &CUSTOMER, ChatAct::Type(true)).unwrap();
    b.act(1, &of("1001"), ChatAct::Type(true)).unwrap();
    assert_eq!(b.engine.view(chat(1)).unwrap().typing, (true, true));
    b.act(1, &CUSTOMER, say("hello")).unwrap();
    assert_eq!(b.engine.view(chat(1)).unwrap().typing, (false, true));
    b.pass(10_000);
    assert_eq!(b.engine.view(chat(1)).unwrap().typing, (false, false));
    b.take();
    b.act(1, &CUSTOMER, ChatAct::Type(false)).unwrap();
    assert!(b.take().is_empty(), "nothing that anybody would see");
}

#[test]
fn a_flood_is_refused_and_a_chat_has_an_end() {
    let mut b = Bench::new();
    b.talk(1, "1001");
    for _ in 0..20 {
        b.act(1, &CUSTOMER, say("x")).unwrap();
    }
    assert_eq!(b.act(1, &CUSTOMER, say("x")), Err(ChatFault::TooFast(2)));
    // the agent is not meant
    b.act(1, &of("1001"), say("slowly")).unwrap();
    b.pass(2_000);
    b.act(1, &CUSTOMER, say("x")).unwrap();
    for _ in 22..CHAT_MESSAGES_MAX {
        b.act(1, &of("1001"), say("y")).unwrap();
    }
    assert_eq!(b.act(1, &of("1001"), say("y")), Err(ChatFault::Full));
    assert_eq!(b.act(1, &CUSTOMER, ChatAct::Close), Ok(None));
}

#[test]
fn so_many_chats_and_no_more() {
    let mut b = ChatEngine::new(WallClock { at_zero: NOON });
    let token = |n: u64| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_be_bytes());
        cordboard_model::signin::TokenHash(hash)
    };
    let now = cordboard_model::time::Time::ZERO;
    for n in 0..CHATS_MAX as u64 {
        b.open(chat(n), new_chat(), token(n), now).unwrap();
    }
    assert_eq!(b.open(chat(9_999), new_chat(), token(9_999), now), Err(ChatFault::TooMany));
    b.act(chat(0), &CUSTOMER, ChatAct::Close, now).unwrap();
    b.open(chat(9_999), new_chat(), token(9_999), now).unwrap();
}

#[test]
fn chats_come_back_as_they_were_and_who_has_no_agent_any_more_waits_where_he_stood() {
    let mut before = Bench::new();
    before.talk(1, "1001");
    before.act(1, &CUSTOMER, say("hello")).unwrap();
    before.open(2).unwrap();
    before.pass(5_000);
    before.talk(3, "1002");
    let mut b = Bench::new();
    b.now = cordboard_model::time::Time::from_millis(60_000);
    for record in before.journal.values() {
        b.journal.insert(record.chat, record.clone());
        b.engine.restore(record.clone(), b.now);
    }
    b.tell(ChatInput::NotThere { chat: chat(3) });
    let orders = b.orders();
    let has = QueueOrder::Has { chat: chat(1), queue: queue("web"), agent: agent("1001") };
    assert_eq!(orders[0], has);
    let since = |n: u64| {
        orders.iter().find_map(|order| match order {
            QueueOrder::Enter { chat: of, since, .. } if *of == chat(n) => *since,
            _ => None,
        })
    };
    assert_eq!(since(2), Some(before.journal[&chat(2)].since));
    assert_eq!(since(3), before.journal[&chat(3)].accepted);
    assert_eq!(b.engine.messages(chat(1), 0, 10).unwrap()[0].text, "hello");
    assert_eq!(b.act(1, &of("1001"), say("hi again")), Ok(Some(2)));
    assert_eq!(
        b.engine.messages(chat(1), 1, 1).unwrap()[0].from,
        ChatFrom::Agent { agent: agent("1001").name }
    );
    assert_eq!((b.stage(2), b.stage(3)), (ChatStage::Waiting, ChatStage::Waiting));
}
