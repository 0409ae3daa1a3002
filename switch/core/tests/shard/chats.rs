//! Chats on the shard: through the queues, into the journal before anybody hears of it, and back after a restart.

use crate::rig::*;
use cordboard_core::{ChatDone, Restore, RestoredAgent, ShardCommand, ShardInput};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::Cdr;
use cordboard_model::chat::{
    ChatAct, ChatActor, ChatCustomer, ChatEvent, ChatFault, ChatRecord, ChatStage, NewChat,
};
use cordboard_model::config::{Queue, Snapshot, Tenant};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::record::OfferEnd;
use cordboard_model::service::{AgentKind, AgentOrder, Channel, QueueKind};
use cordboard_model::signin::TokenHash;
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;

const T: TenantId = TenantId::DEFAULT;
const CUSTOMER: ChatActor = ChatActor::Customer;

fn agent() -> AgentId {
    AgentId::new(T, "1001").unwrap()
}

fn him() -> ChatActor {
    ChatActor::Agent(agent())
}

fn queue(tenant: &mut Tenant) -> &mut Queue {
    tenant.queues.values_mut().next().unwrap()
}

/// The one queue is of chats.
fn floor() -> Snapshot {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&T).unwrap();
    queue(tenant).service.kind = QueueKind::Multimedia;
    for agent in tenant.agents.values_mut() {
        agent.duty.kind = AgentKind::AllRound;
    }
    snapshot
}

fn web() -> QueueId {
    let mut snapshot = floor();
    queue(snapshot.tenants.get_mut(&T).unwrap()).id.clone()
}

fn rig() -> Rig {
    let mut rig = Rig::unconfigured([7; 32]);
    rig.configure(floor());
    rig
}

fn ready(rig: &mut Rig) {
    for what in [AgentOrder::SignIn, AgentOrder::Ready] {
        rig.order(agent(), what).unwrap();
    }
    carried_out(rig);
}

fn carried_out(rig: &mut Rig) {
    rig.command(ShardCommand::Unrecordable(false));
}

fn token(n: u8) -> TokenHash {
    TokenHash([n; 32])
}

fn open(rig: &mut Rig, n: u8) -> CallId {
    let new = NewChat {
        queue: web(),
        channel: Channel::Web,
        customer: ChatCustomer { id: "c-17".into(), name: "Ann".into() },
        data: BTreeMap::new(),
        priority: 0,
        text: None,
        by: "key shop".into(),
    };
    let (chat, _) = rig.shard.open_chat(T, new, token(n), rig.now).unwrap();
    carried_out(rig);
    chat
}

fn act(rig: &mut Rig, chat: CallId, actor: &ChatActor, act: ChatAct) -> Result<ChatDone, ChatFault> {
    let done = rig.shard.chat_act(chat, actor, act, rig.now);
    carried_out(rig);
    done
}

fn say(text: &str) -> ChatAct {
    ChatAct::Say { text: text.into(), id: None }
}

/// What was told of messages: their numbers.
fn told(rig: &Rig) -> Vec<u32> {
    let number = |event: &(TenantId, u64, EventKind)| match &event.2 {
        EventKind::Chat { what, .. } => match &**what {
            ChatEvent::Message { message } => Some(message.number),
            _ => None,
        },
        _ => None,
    };
    rig.events.iter().filter_map(number).collect()
}

fn cdrs(rig: &Rig) -> Vec<&Cdr> {
    let closed = rig.records.iter().filter_map(|record| match record {
        JournalRecord::CallClosed(cdr) => Some(&**cdr),
        _ => None,
    });
    closed.collect()
}

/// The chats that a journal with these records knows.
fn kept(records: &[JournalRecord]) -> Vec<ChatRecord> {
    let mut chats: BTreeMap<CallId, ChatRecord> = BTreeMap::new();
    for record in records {
        match record {
            JournalRecord::ChatOpened(record) => _ = chats.insert(record.chat, (**record).clone()),
            JournalRecord::ChatStep { chat, step } => chats.get_mut(chat).unwrap().take((**step).clone()),
            JournalRecord::ChatClosed(record) => _ = chats.remove(&record.chat),
            _ => {}
        }
    }
    chats.into_values().collect()
}

#[test]
fn what_is_said_is_told_when_the_journal_has_it_and_its_sender_is_answered_then() {
    let mut rig = rig();
    let chat = open(&mut rig, 1);
    rig.prompt = false;
    let first = act(&mut rig, chat, &CUSTOMER, say("one")).unwrap();
    let second = act(&mut rig, chat, &CUSTOMER, say("two")).unwrap();
    assert_eq!((first.number, second.number), (Some(1), Some(2)));
    assert_eq!((told(&rig), rig.shard.chat_messages(chat, 0, 10).unwrap().len()), (vec![], 0));
    assert_eq!(rig.shard.chat(chat).unwrap().last_message, 0);
    rig.kept.clear();
    for (done, seen) in [(first, vec![1]), (second, vec![1, 2])] {
        let ticket = done.ticket.unwrap();
        rig.input(ShardInput::Journalled { ticket, ok: true });
        assert_eq!((told(&rig), rig.kept.last()), (seen, Some(&(ticket, true))));
    }
    assert_eq!(rig.shard.chat_messages(chat, 1, 10).unwrap()[0].text, "two");
}

#[test]
fn a_journal_that_is_late_or_fails_holds_nobody_back_but_the_answer() {
    let mut rig = rig();
    let chat = open(&mut rig, 1);
    rig.prompt = false;
    rig.kept.clear();
    let done = act(&mut rig, chat, &CUSTOMER, say("one")).unwrap();
    rig.after(60);
    assert_eq!((told(&rig), rig.kept.len()), (vec![1], 0), "told, and not answered");
    assert!(rig.events.iter().any(|(.., what)| matches!(what, EventKind::Alarm { .. })));
    rig.after(5_000);
    assert_eq!(rig.kept, [(done.ticket.unwrap(), false)]);
    // sent again with its id it is written again, and not said twice
    let again = || ChatAct::Say { text: "two".into(), id: Some("m".into()) };
    let failed = act(&mut rig, chat, &CUSTOMER, again()).unwrap();
    rig.input(ShardInput::Journalled { ticket: failed.ticket.unwrap(), ok: false });
    assert_eq!(rig.kept.last(), Some(&(failed.ticket.unwrap(), false)));
    let retried = act(&mut rig, chat, &CUSTOMER, again()).unwrap();
    rig.input(ShardInput::Journalled { ticket: retried.ticket.unwrap(), ok: true });
    assert_eq!((retried.number, failed.number), (Some(2), Some(2)));
    assert_eq!(rig.kept.last(), Some(&(retried.ticket.unwrap(), true)));
    assert_eq!(told(&rig), [1, 2]);
}

#[test]
fn a_chat_goes_through_the_queue_and_is_in_the_same_records_and_figures_as_calls() {
    let mut rig = rig();
    ready(&mut rig);
    let chat = open(&mut rig, 1);
    assert_eq!(rig.shard.chat(chat).unwrap().offered_to, [agent()]);
    assert_eq!(rig.shard.agent(&agent()).unwrap().status, AgentStatus::Ringing);
    rig.after(4_000);
    act(&mut rig, chat, &him(), ChatAct::Accept).unwrap();
    let view = rig.shard.agent(&agent()).unwrap();
    assert_eq!((view.status, view.chats), (AgentStatus::Ready, vec![chat]));
    act(&mut rig, chat, &him(), say("hi")).unwrap();
    rig.after(30_000);
    act(&mut rig, chat, &CUSTOMER, ChatAct::Close).unwrap();
    let cdr = cdrs(&rig)[0].clone();
    assert_eq!((cdr.call, cdr.cause, cdr.ended_by), (chat, Cause::Normal, Party::Caller));
    assert_eq!((cdr.from.user.as_str(), cdr.legs.len(), cdr.agent), ("c-17", 0, Some(agent())));
    let visit = &cdr.queues[0];
    let account = visit.account.as_ref().unwrap();
    assert_eq!((visit.outcome.as_str(), account.wait_ms, account.talk_ms), ("served", 4_000, 30_000));
    let ended: Vec<_> = account.offers.iter().map(|offer| (offer.end, offer.rang)).collect();
    assert_eq!(ended, [(OfferEnd::Answered, true)]);
    let wall = rig.shard.wall_view(T).unwrap();
    let today = wall.queues.iter().find(|q| q.queue == web()).unwrap().today;
    assert_eq!((today.offered, today.answered, today.handled, today.talk_ms), (1, 1, 1, 30_000));
    let his = wall.agents.iter().find(|a| a.agent == agent()).unwrap().today;
    assert_eq!(his.time_chatting_ms, 30_000);
    act(&mut rig, chat, &CUSTOMER, ChatAct::Survey { score: 8, comment: String::new() }).unwrap();
    let closed = rig.records.iter().filter(|record| matches!(record, JournalRecord::ChatClosed(_))).count();
    assert_eq!(
        (closed, cdrs(&rig).len()),
        (2, 1),
        "the survey is in the chat's record, and there is one call record"
    );
    assert!(kept(&rig.records).is_empty());
}

#[test]
fn a_chat_that_nobody_takes_goes_on_by_the_rules_of_its_queue() {
    let mut snapshot = floor();
    queue(snapshot.tenants.get_mut(&T).unwrap()).max_wait = core::time::Duration::from_secs(60);
    let mut rig = Rig::unconfigured([7; 32]);
    rig.configure(snapshot);
    ready(&mut rig);
    let chat = open(&mut rig, 1);
    act(&mut rig, chat, &him(), ChatAct::Reject).unwrap();
    assert_eq!(rig.shard.chat(chat).unwrap().stage, ChatStage::Waiting);
    assert_eq!(rig.shard.chat(chat).unwrap().position, Some(1));
    rig.after(90_000);
    let view = rig.shard.chat(chat).unwrap();
    assert_eq!((view.stage, view.end.map(|end| end.as_str())), (ChatStage::Closed, Some("timeout")));
    assert_eq!(cdrs(&rig)[0].cause, Cause::QueueTimeout);
    assert_eq!(cdrs(&rig)[0].queues[0].outcome, "timeout");
}

#[test]
fn chats_go_on_after_a_restart_with_their_agents_their_places_and_their_numbers() {
    let mut before = rig();
    ready(&mut before);
    let talking = open(&mut before, 1);
    act(&mut before, talking, &him(), ChatAct::Accept).unwrap();
    act(&mut before, talking, &CUSTOMER, say("hello")).unwrap();
    before.order(agent(), AgentOrder::NotReady { reason: None }).unwrap();
    carried_out(&mut before);
    before.after(1_000);
    let waiting = open(&mut before, 2);
    let mut rig = self::rig();
    let restored = RestoredAgent {
        agent: agent(),
        status: AgentStatus::Ready,
        reason: None,
        limit: None,
        since: Wall(1_700_000_000_000),
    };
    let chats = kept(&before.records);
    assert_eq!(chats.len(), 2);
    let restore = Restore { agents: vec![restored], chats, ..Restore::default() };
    rig.command(ShardCommand::Restore(Box::new(restore)));
    assert_eq!(rig.shard.chat_of_token(&token(1)), Some(talking));
    assert_eq!(rig.shard.agent(&agent()).unwrap().chats, [talking]);
    assert_eq!(rig.shard.chat_messages(talking, 0, 10).unwrap()[0].text, "hello");
    assert_eq!(act(&mut rig, talking, &him(), say("hi")).unwrap().number, Some(2));
    assert_eq!(rig.shard.chat(waiting).unwrap().offered_to, [agent()]);
    act(&mut rig, talking, &him(), ChatAct::Close).unwrap();
    assert_eq!(cdrs(&rig)[0].call, talking);
    // and whose agent is not there any more waits again
    let mut rig = self::rig();
    let restore = Restore { chats: kept(&before.records), ..Restore::default() };
    rig.command(ShardCommand::Restore(Box::new(restore)));
    assert_eq!(rig.shard.chat(talking).unwrap().stage, ChatStage::Waiting);
    assert_eq!(rig.shard.chat(talking).unwrap().position, Some(1));
}

#[test]
fn a_queue_of_calls_takes_no_chat_and_an_agent_who_is_not_there_none() {
    let mut rig = Rig::new();
    let new = NewChat {
        queue: web(),
        channel: Channel::Web,
        customer: ChatCustomer::default(),
        data: BTreeMap::new(),
        priority: 0,
        text: None,
        by: "key shop".into(),
    };
    assert_eq!(rig.shard.open_chat(T, new.clone(), token(1), rig.now).err(), Some(ChatFault::NotOfChats));
    let nowhere = NewChat { queue: QueueId::new(T, "nowhere").unwrap(), ..new.clone() };
    assert_eq!(rig.shard.open_chat(T, nowhere, token(1), rig.now).err(), Some(ChatFault::NoSuchQueue));
    let mut rig = self::rig();
    let chat = open(&mut rig, 1);
    let by = ChatActor::Operator("key shop".into());
    assert_eq!(act(&mut rig, chat, &by, ChatAct::ToAgent(agent())).err(), Some(ChatFault::NoSuchAgent));
    rig.command(ShardCommand::Stop { end: false });
    assert_eq!(rig.shard.open_chat(T, new, token(9), rig.now).err(), Some(ChatFault::NoChats));
}
