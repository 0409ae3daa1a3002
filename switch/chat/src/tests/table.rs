//! Every stage of a chat against everything that may happen, as one table to be read by eye.

use super::bench::*;
use crate::{ChatInput, ChatOutput, QueueOrder};
use cordboard_model::chat::{ChatAct, ChatActor, ChatStep};
use cordboard_model::verb::QueueEnd;
use core::fmt::Write as _;

type Reach = fn(&mut Bench);

const STAGES: [(&str, Reach); 6] = [
    ("waiting", |b| b.open(1).unwrap()),
    ("offered", |b| {
        b.open(1).unwrap();
        b.offer(1, "1001");
    }),
    ("open, the customer's turn", |b| b.talk(1, "1001")),
    ("open, the agent's turn", |b| {
        b.talk(1, "1001");
        b.act(1, &ChatActor::Customer, say("hello")).unwrap();
    }),
    ("sent to an agent", |b| {
        b.talk(1, "1001");
        b.act(1, &of("1001"), ChatAct::ToAgent(agent("1002"))).unwrap();
    }),
    ("closed", |b| {
        b.talk(1, "1001");
        b.act(1, &ChatActor::Customer, ChatAct::Close).unwrap();
    }),
];

type Step = fn(&mut Bench) -> Result<Option<u32>, cordboard_model::chat::ChatFault>;

fn input(b: &mut Bench, input: ChatInput) -> Result<Option<u32>, cordboard_model::chat::ChatFault> {
    b.tell(input);
    Ok(None)
}

const EVENTS: [(&str, Step); 16] = [
    ("customer says", |b| b.act(1, &ChatActor::Customer, say("x"))),
    ("agent says", |b| b.act(1, &of("1001"), say("y"))),
    ("customer types", |b| b.act(1, &ChatActor::Customer, ChatAct::Type(true))),
    ("agent types", |b| b.act(1, &of("1001"), ChatAct::Type(true))),
    ("accepts", |b| b.act(1, &of("1001"), ChatAct::Accept)),
    ("rejects", |b| b.act(1, &of("1001"), ChatAct::Reject)),
    ("to a queue", |b| b.act(1, &of("1001"), ChatAct::ToQueue(queue("sales")))),
    ("supervisor moves", |b| {
        b.act(1, &ChatActor::Operator("agent 1009".into()), ChatAct::ToQueue(queue("sales")))
    }),
    ("customer closes", |b| b.act(1, &ChatActor::Customer, ChatAct::Close)),
    ("agent closes", |b| b.act(1, &of("1001"), ChatAct::Close)),
    ("operator closes", |b| b.act(1, &ChatActor::Operator("key shop".into()), ChatAct::Close)),
    ("survey", |b| b.act(1, &ChatActor::Customer, ChatAct::Survey { score: 7, comment: String::new() })),
    ("is offered", |b| {
        b.offer(1, "1002");
        Ok(None)
    }),
    ("withdrawn", |b| input(b, ChatInput::Withdrawn { chat: chat(1), agent: agent("1001") })),
    ("queue ended", |b| input(b, ChatInput::QueueEnded { chat: chat(1), end: QueueEnd::Timeout, to: None })),
    ("deadline", |b| {
        if let Some((at, _)) = b.engine.poll_timeout() {
            b.pass(u64::try_from(at.since(b.now).as_millis()).unwrap());
        }
        Ok(None)
    }),
];

fn line(output: &ChatOutput) -> Option<String> {
    Some(match output {
        ChatOutput::Opened(_) => "journal opened".into(),
        ChatOutput::Step { step, .. } => match &**step {
            ChatStep::Said { message } => format!("journal said {}", message.number),
            ChatStep::Waits { queue, .. } => format!("journal waits in {}", queue.name),
            ChatStep::Taken { agent, .. } => format!("journal taken by {}", agent.name),
        },
        ChatOutput::Closed(record) => format!("journal closed v{}", record.version),
        ChatOutput::Queue(order) => match order {
            QueueOrder::Enter { queue, agent, .. } => {
                let wish = agent.as_ref().map(|agent| format!(" for {}", agent.name)).unwrap_or_default();
                format!("enter {}{wish}", queue.name)
            }
            QueueOrder::Leave { how, .. } => format!("leave {how:?}"),
            QueueOrder::Seen { agent, .. } => format!("seen by {}", agent.name),
            QueueOrder::Took { agent, .. } => format!("took {}", agent.name),
            QueueOrder::NotTaken { agent, why, .. } => {
                format!("not taken by {} ({})", agent.name, why.as_str())
            }
            QueueOrder::Released { agent, .. } => format!("released {}", agent.name),
            QueueOrder::Has { agent, .. } => format!("has {}", agent.name),
        },
        ChatOutput::Event { what, .. } => {
            let word = format!("{what:?}");
            format!("! {}", word.split([' ', '{']).next().unwrap_or_default())
        }
        ChatOutput::News { news: None, .. } => "forgotten".into(),
        ChatOutput::News { .. } => return None,
    })
}

#[test]
fn every_stage_of_a_chat_against_every_event() {
    let mut table = String::new();
    for (stage, reach) in STAGES {
        writeln!(table, "{stage}").unwrap();
        for (event, happens) in EVENTS {
            let mut b = Bench::new();
            reach(&mut b);
            b.take();
            let refused = happens(&mut b).err().map(|fault| format!("refused: {}", fault.as_str()));
            let lines: Vec<String> = refused.into_iter().chain(b.take().iter().filter_map(line)).collect();
            let said = if lines.is_empty() { "nothing".into() } else { lines.join("; ") };
            writeln!(table, "  {event:<17}{said}").unwrap();
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}
