//! An agent consults a queue: what the queues, the journal and the figures make of one call that talks and waits at once.

use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::config::{Queue, Snapshot};
use cordboard_model::desk::{Actor, DeskAct, DeskOrder, Goal, SeatOrder};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, Name, QueueId, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::{AgentOrder, Stick};
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::Destination;
use cordboard_model::view::{AgentStatus, CallStage};

const T: TenantId = TenantId::DEFAULT;
const FIRST: &str = "203.0.113.5:5060";
const SECOND: &str = "203.0.113.6:5060";

fn agent(name: &str) -> AgentId {
    AgentId::new(T, name).unwrap()
}

fn help() -> QueueId {
    QueueId::new(T, "help").unwrap()
}

/// Agent 1001 serves `sales` and `help`, 1002 `help` alone.
fn house(change: impl FnOnce(&mut Queue)) -> Snapshot {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&T).unwrap();
    let (first, second) = (Name::new("1001").unwrap(), Name::new("1002").unwrap());
    let mut queue = tenant.queues.values().next().unwrap().clone();
    queue.id = help();
    change(&mut queue);
    tenant.queues.insert(help().name, queue);
    let mut account = tenant.users[&first].clone();
    account.id = UserId::new(T, "1002").unwrap();
    let mut other = tenant.agents[&first].clone();
    (other.id, other.user, other.queues) = (agent("1002"), account.id.clone(), vec![help()]);
    tenant.users.insert(second.clone(), account);
    tenant.agents.insert(second, other);
    if let Some(agent) = tenant.agents.get_mut(&first) {
        agent.queues.push(help());
    }
    snapshot
}

/// Both are signed in, and 1001 talks to a caller of `sales`.
fn talking(snapshot: Snapshot, talks: Vec<(AgentId, String, Wall, Wall)>) -> Rig {
    let mut rig = Rig::new();
    rig.configure(snapshot);
    let contacts = vec![contact("1001", FIRST), contact("1002", SECOND)];
    rig.command(ShardCommand::Restore(Box::new(Restore { contacts, talks, ..Restore::default() })));
    for who in ["1001", "1002"] {
        rig.order(agent(who), AgentOrder::SignIn).unwrap();
    }
    rig.order(agent("1001"), AgentOrder::Ready).unwrap();
    let text = String::from_utf8(invite(TRUNK, "2000", "example.com", "a")).unwrap();
    rig.datagram(TRUNK, &text.replace("sip:caller@", "sip:+4930@").into_bytes());
    answers(&mut rig, FIRST);
    assert_eq!(status(&rig, "1001"), AgentStatus::Talking, "{:#?}", rig.said);
    rig
}

/// The last message that went to somebody and begins so.
fn sent(rig: &Rig, to: &str, begins: &str) -> String {
    let is = |(at, text): &&(_, String)| *at == addr(to) && text.starts_with(begins);
    let found = rig.sent.iter().rev().find(is);
    found.unwrap_or_else(|| panic!("no {begins} to {to}: {:#?}", rig.said)).1.clone()
}

fn answers(rig: &mut Rig, phone: &str) {
    let ours = sent(rig, phone, "INVITE");
    rig.datagram(phone, &response(phone, &ours, "200 OK"));
    rig.after(1_000);
}

fn status(rig: &Rig, name: &str) -> AgentStatus {
    rig.shard.agents(T).into_iter().find(|view| view.agent == agent(name)).unwrap().status
}

fn order(rig: &mut Rig, order: SeatOrder) {
    let by = Actor { key: "desk".into(), agent: None };
    let act = DeskAct::Seat(order);
    rig.desk(DeskOrder { agent: agent("1001"), call: None, by, act }).unwrap();
}

fn consults(rig: &mut Rig) {
    order(rig, SeatOrder::Consult(Goal::Place(Destination::Queue(help()))));
}

fn caller_leaves(rig: &mut Rig) {
    let bye = within("BYE", 2, TRUNK, &sent(rig, TRUNK, "SIP/2.0 200"));
    rig.datagram(TRUNK, &bye);
    rig.after(1_000);
}

fn record(rig: &Rig) -> cordboard_model::cdr::Cdr {
    let closed = |record: &JournalRecord| match record {
        JournalRecord::CallClosed(cdr) => Some((**cdr).clone()),
        _ => None,
    };
    rig.records.iter().find_map(closed).unwrap()
}

#[test]
fn a_call_talks_and_waits_at_once_and_both_visits_have_their_accounts() {
    let mut rig = talking(house(|_| ()), Vec::new());
    consults(&mut rig);
    let waiting = |rig: &Rig| -> Vec<usize> {
        rig.shard.queues(T).into_iter().map(|queue| queue.waiting.len()).collect()
    };
    assert_eq!(waiting(&rig), [1, 0], "help, sales");
    assert_eq!(status(&rig, "1001"), AgentStatus::Talking, "who waits is he, and he talks still");
    rig.after(4_000);
    rig.order(agent("1002"), AgentOrder::Ready).unwrap();
    rig.drain();
    answers(&mut rig, SECOND);
    assert_eq!((status(&rig, "1001"), status(&rig, "1002")), (AgentStatus::Talking, AgentStatus::Talking));
    assert_eq!(waiting(&rig), [0, 0]);
    let view = rig.shard.calls(T).remove(0);
    assert_eq!((view.stage, view.queue.unwrap().name.as_str()), (CallStage::Transferring, "sales"));
    rig.after(2_000);
    order(&mut rig, SeatOrder::Complete);
    rig.after(10);
    assert_eq!(status(&rig, "1001"), AgentStatus::Ready);
    assert_eq!(rig.shard.calls(T).remove(0).queue, Some(help()));
    rig.after(3_000);
    caller_leaves(&mut rig);
    let by: Vec<_> = rig
        .records
        .iter()
        .filter_map(|record| match record {
            JournalRecord::Queued { queue, by, .. } => Some((queue.name.to_string(), by.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(by, [("sales".to_owned(), None), ("help".to_owned(), Some(agent("1001")))]);
    let cdr = record(&rig);
    let ended = rig.events.iter().find_map(|event| match &event.2 {
        EventKind::CallEnded { cdr, .. } => Some((**cdr).clone()),
        _ => None,
    });
    assert_eq!(ended, Some(cdr.clone()), "the event has the record as it is kept");
    let [sales, help] = &cdr.queues[..] else { panic!("{:?}", cdr.queues) };
    let (of_sales, of_help) = (sales.account.as_ref().unwrap(), help.account.as_ref().unwrap());
    assert_eq!((help.agent.clone(), help.consulted_by.clone()), (Some(agent("1002")), Some(agent("1001"))));
    assert_eq!((of_sales.ended_by, of_help.ended_by), (None, Some(cdr.ended_by)));
    assert!(
        (7_000..9_000).contains(&of_sales.talk_ms),
        "he talked until he had sent his caller: {of_sales:?}"
    );
    assert!((5_000..8_000).contains(&of_help.talk_ms), "{of_help:?}");
    assert!((4_000..4_100).contains(&of_help.wait_ms), "{of_help:?}");
    let today = |name: &str| {
        let queues = rig.shard.queues(T).into_iter().map(|queue| queue.queue.name.to_string());
        queues.filter(|known| known == name).count()
    };
    assert_eq!((today("help"), today("sales")), (1, 1));
    for queue in rig.shard.wall_view(T).unwrap().queues {
        let sums = queue.today;
        assert_eq!((sums.offered, sums.answered, sums.handled, sums.abandoned), (1, 1, 1, 0));
    }
}

/// One that is taken back is nobody's abandoned call, and the first talk ended with the call although a visit came after it.
#[test]
fn a_consultation_that_is_taken_back_is_no_abandoned_call() {
    let mut rig = talking(house(|_| ()), Vec::new());
    consults(&mut rig);
    rig.after(2_000);
    order(&mut rig, SeatOrder::Cancel);
    rig.after(1_000);
    let left = rig.events.iter().filter_map(|event| match &event.2 {
        EventKind::QueueLeft { queue, outcome, .. } => Some((queue.name.to_string(), outcome.clone())),
        _ => None,
    });
    let left: Vec<_> = left.collect();
    assert_eq!(left[1..], [("help".to_owned(), "ended".to_owned())]);
    caller_leaves(&mut rig);
    let cdr = record(&rig);
    assert_eq!(cdr.queues[0].account.as_ref().unwrap().ended_by, Some(cdr.ended_by));
    let help = rig.shard.wall_view(T).unwrap().queues.remove(0).today;
    assert_eq!((help.offered, help.abandoned, help.left_otherwise), (1, 0, 1));
}

/// The caller knows 1001, who asks: his consultation would have waited for himself.
#[test]
fn who_consults_is_not_waited_for_in_his_own_consultation() {
    let stick = |queue: &mut Queue| {
        let (wait, memory) = (Duration::from_secs(20), Duration::from_secs(3_600));
        queue.service.stick = Some(Stick { key: None, wait, memory });
    };
    let known = (agent("1001"), "+4930".to_owned(), Wall(1_700_000_000_000), Wall(1_900_000_000_000));
    let mut rig = talking(house(stick), vec![known]);
    rig.order(agent("1002"), AgentOrder::Ready).unwrap();
    consults(&mut rig);
    rig.after(10);
    assert_eq!(status(&rig, "1002"), AgentStatus::Ringing, "{:#?}", rig.events);
}
