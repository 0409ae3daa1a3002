//! Every state of an agent against every event, as one table to be read by eye.

use super::bench::*;
use crate::{AcdCommand, AcdInput, AcdOutput};
use cordboard_model::cause::Cause;
use cordboard_model::service::{AgentKind, AgentOrder, QueueKind};
use core::fmt::Write as _;

type Step = fn(&mut Bench);

/// Call 1 is the agent's; call 2 waits behind it; call 90 is outside the queues.
/// The queue is one of chats, and the agent may have two.
fn chats(b: &mut Bench) {
    b.queue_mut("sales").service.kind = QueueKind::Multimedia;
    let duty = &mut b.agent_mut("1001").duty;
    (duty.kind, duty.chats.most) = (AgentKind::AllRound, 2);
    b.configure();
}

const STATES: [(&str, Step); 19] = [
    ("signed out", |b| b.sign_out("1001")),
    ("ready", |_| {}),
    ("ready, no device", |b| b.contacts("1001", 0)),
    ("ready, held after busy", |b| {
        b.enter(1);
        b.fail(1, "1001", Cause::Busy);
    }),
    ("ready, held after unreachable", |b| {
        b.enter(1);
        b.fail(1, "1001", Cause::Unreachable);
    }),
    ("not ready", |b| b.not_ready("1001")),
    ("rest", |b| b.rest("1001")),
    ("ringing", |b| b.enter(1)),
    ("talking", |b| {
        b.enter(1);
        b.answer(1, "1001");
    }),
    ("hold", |b| {
        b.enter(1);
        b.answer(1, "1001");
        b.holds(1, "1001", true);
    }),
    ("away", |b| {
        b.graced("1001", 60);
        b.contacts("1001", 0);
    }),
    ("wanted by a caller", |b| {
        b.outside("1001", Some(90));
        b.enter_for(1, "1001", Some(30));
    }),
    ("talking, will sign out", |b| {
        b.enter(1);
        b.answer(1, "1001");
        b.sign_out("1001");
    }),
    ("talking outside", |b| b.outside("1001", Some(90))),
    ("offered a chat", |b| {
        chats(b);
        b.enter(1);
    }),
    ("one of two chats", |b| {
        chats(b);
        b.enter(1);
        b.answer(1, "1001");
    }),
    ("a chat, will sign out", |b| {
        chats(b);
        b.enter(1);
        b.answer(1, "1001");
        b.sign_out("1001");
    }),
    ("a chat in wrap-up", |b| {
        chats(b);
        b.enter(1);
        b.answer(1, "1001");
        b.release(1, "1001");
    }),
    ("wrap-up", |b| {
        b.enter(1);
        b.answer(1, "1001");
        b.release(1, "1001");
    }),
];

fn ask(b: &mut Bench, command: AcdCommand<'_>) {
    if let Err(refused) = b.command(command) {
        b.out.clear();
        b.out.push(AcdOutput::AgentChanged {
            agent: agent("1001"),
            status: b.status("1001"),
            since: NOON,
            why: format!("REFUSED: {refused}"),
            call: None,
            reason: None,
            limit: None,
            by: None,
        });
    }
}

fn caller_gone(b: &mut Bench) {
    b.tell(AcdInput::OfferFailed {
        call: call(1),
        agent: agent("1001"),
        why: Cause::Cancelled,
        caller_gone: true,
    });
}

const EVENTS: [(&str, Step); 25] = [
    ("sign in", |b| ask(b, order("1001", AgentOrder::SignIn))),
    ("sign out", |b| ask(b, order("1001", AgentOrder::SignOut))),
    ("ask ready", |b| ask(b, order("1001", AgentOrder::Ready))),
    ("ask not ready", |b| ask(b, order("1001", AgentOrder::NotReady { reason: Some("meeting".into()) }))),
    ("ask rest", |b| ask(b, order("1001", AgentOrder::Rest { reason: None, limit: None }))),
    ("forced out", |b| {
        let (agent, by) = (agent("1001"), Some("2001".into()));
        ask(b, AcdCommand::Order { agent, what: AgentOrder::SignOut, by });
    }),
    ("is given call 1", |b| {
        ask(b, AcdCommand::Place { call: call(1), agent: agent("1001"), by: "2001".into() })
    }),
    ("holds", |b| b.holds(1, "1001", true)),
    ("retrieves", |b| b.holds(1, "1001", false)),
    ("a call enters", |b| b.enter(2)),
    ("rings", |b| b.rings(1, "1001")),
    ("answered", |b| b.answer(1, "1001")),
    ("no answer", |b| b.fail(1, "1001", Cause::NoAnswer)),
    ("busy", |b| b.fail(1, "1001", Cause::Busy)),
    ("declined", |b| b.fail(1, "1001", Cause::Declined)),
    ("unreachable", |b| b.fail(1, "1001", Cause::Unreachable)),
    ("not registered", |b| b.fail(1, "1001", Cause::NotRegistered)),
    ("caller gone", caller_gone),
    ("abandoned", |b| b.abandon(1)),
    ("released", |b| b.release(1, "1001")),
    ("no device", |b| b.contacts("1001", 0)),
    ("second device", |b| b.contacts("1001", 2)),
    ("outside call", |b| b.outside("1001", Some(91))),
    ("outside over", |b| b.outside("1001", None)),
    ("deadline", |b| {
        if let Some((at, _)) = b.engine.poll_timeout() {
            b.pass(u64::try_from(at.since(b.now).as_millis()).unwrap());
        }
    }),
];

fn line(output: &AcdOutput) -> String {
    match output {
        AcdOutput::Offer { call, .. } => format!("offer {}", call.number),
        AcdOutput::Withdraw { call, .. } => format!("withdraw {}", call.number),
        AcdOutput::QueueEnded { call, end, .. } => format!("ended {} {end:?}", call.number),
        AcdOutput::Entered { call, position, .. } => {
            format!("entered {} at {position}", call.number)
        }
        AcdOutput::Position { call, position, .. } => format!("say {} {position}", call.number),
        AcdOutput::Left { call, outcome, .. } => {
            format!("left {} {}", call.number, outcome.as_str())
        }
        AcdOutput::AgentChanged { status, why, reason, .. } => {
            match (why.strip_prefix("REFUSED: "), reason) {
                (Some(why), _) => format!("refused: {why}"),
                (None, Some(reason)) => format!("-> {} [{reason}] ({why})", status.as_str()),
                (None, None) => format!("-> {} ({why})", status.as_str()),
            }
        }
        AcdOutput::ChatsChanged { chats, most, .. } => format!("{} of {most} chats", chats.len()),
        AcdOutput::Overdue { .. } => "overdue".into(),
        AcdOutput::Recalled { call, .. } => format!("recalled {}", call.number),
        AcdOutput::Reserved { call, .. } => format!("reserved {}", call.number),
        AcdOutput::Stranded { call, .. } => format!("stranded {}", call.number),
    }
}

#[test]
fn every_state_against_every_event() {
    let mut table = String::new();
    for (state, reach) in STATES {
        writeln!(table, "{state}").unwrap();
        for (event, happens) in EVENTS {
            let mut b = Bench::with_agents(&["1001"]);
            reach(&mut b);
            b.take();
            happens(&mut b);
            let lines: Vec<String> = b.take().iter().map(line).collect();
            let said = match lines.is_empty() {
                true => "nothing".into(),
                false => lines.join("; "),
            };
            writeln!(table, "  {event:<16}{said}").unwrap();
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}
