//! Chats in the journal: the sum of their steps, carried over by a compaction, and let go when the database has them.

use super::*;
use crate::db::Stored;
use crate::scratch::Scratch;
use cordboard_model::chat::{
    ChatCustomer, ChatFrom, ChatMessage, ChatRecord, ChatStage, ChatStep, ChatSurvey,
};
use cordboard_model::id::{AgentId, CallId, IdMaker, QueueId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::Channel;
use cordboard_model::signin::TokenHash;
use cordboard_model::time::{Time, Wall};
use std::collections::BTreeMap;

fn chat(id: CallId) -> ChatRecord {
    ChatRecord {
        chat: id,
        token: TokenHash([7; 32]),
        channel: Channel::Web,
        customer: ChatCustomer { id: "c-17".into(), name: "Ann".into() },
        data: BTreeMap::new(),
        priority: 0,
        by: "key shop".into(),
        opened: Wall(1_000),
        accepted: None,
        closed: None,
        end: None,
        ended_by: String::new(),
        stage: ChatStage::Waiting,
        queue: QueueId::new(TenantId::DEFAULT, "web").unwrap(),
        agent: None,
        since: Wall(1_000),
        visits: Vec::new(),
        messages: Vec::new(),
        survey: None,
        version: 0,
    }
}

fn said(chat: CallId, number: u32) -> JournalRecord {
    let (at, from) = (Wall(2_000), ChatFrom::Customer);
    let message = ChatMessage { number, at, from, text: format!("message {number}"), id: Some("m".into()) };
    JournalRecord::ChatStep { chat, step: Box::new(ChatStep::Said { message }) }
}

fn put(journal: &mut Writer, records: &[JournalRecord]) {
    for record in records {
        journal.append(record, Wall(5_000)).unwrap();
    }
    journal.commit(Time::ZERO).unwrap();
}

fn open(scratch: &Scratch) -> (Writer, Recovered) {
    let (journal, recovered) = Journal::open(scratch.path()).unwrap();
    (journal.into_writer().unwrap(), recovered)
}

#[test]
fn chats_are_recovered_from_their_steps_and_let_go_when_the_database_has_the_newest_record() {
    let scratch = Scratch::new();
    let mut ids = IdMaker::new(100, 0);
    let (a, b) = (ids.call(TenantId::DEFAULT), ids.call(TenantId::DEFAULT));
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    let taken = ChatStep::Taken { agent: agent.clone(), at: Wall(3_000), visits: Vec::new() };
    let taken = JournalRecord::ChatStep { chat: a, step: Box::new(taken) };
    let opened = |id| JournalRecord::ChatOpened(Box::new(chat(id)));
    let (mut journal, _) = open(&scratch);
    // the second message is written twice, for it was sent twice
    put(&mut journal, &[opened(a), said(a, 1), opened(b), taken, said(a, 2), said(a, 2), said(b, 1)]);
    journal.compact().unwrap();
    put(&mut journal, &[said(a, 3)]);
    drop(journal);
    let (mut journal, recovered) = open(&scratch);
    let numbers = |record: &ChatRecord| record.messages.iter().map(|m| m.number).collect::<Vec<_>>();
    let [first, second] = &recovered.chats[..] else { panic!("{:?}", recovered.chats) };
    assert_eq!((first.chat, numbers(first), numbers(second)), (a, vec![1, 2, 3], vec![1]));
    assert_eq!(
        (first.stage, &first.agent, first.accepted),
        (ChatStage::Open, &Some(agent), Some(Wall(3_000)))
    );

    let closed = ChatRecord { stage: ChatStage::Closed, closed: Some(Wall(6_000)), ..first.clone() };
    let survey = Some(ChatSurvey { score: 9, comment: String::new(), at: Wall(7_000) });
    let surveyed = ChatRecord { survey, version: 1, ..closed.clone() };
    let over = |record: &ChatRecord| JournalRecord::ChatClosed(Box::new(record.clone()));
    put(&mut journal, &[over(&closed), over(&surveyed)]);
    // what the database has is not the newest
    journal.stored(Stored::Chat(a, 0));
    journal.compact().unwrap();
    drop(journal);
    let (mut journal, recovered) = open(&scratch);
    assert_eq!((recovered.chats.len(), &recovered.chats_over), (1, &vec![surveyed]));
    assert_eq!(journal.stats().unstored, 1);
    journal.stored(Stored::Chat(a, 1));
    assert_eq!(journal.stats().unstored, 0);
    journal.compact().unwrap();
    drop(journal);
    let (_, recovered) = open(&scratch);
    assert_eq!((recovered.chats.len(), recovered.chats_over.len()), (1, 0));
}
