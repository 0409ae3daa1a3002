//! Orders at desks: who may give them, and what they leave behind.

use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::audio::{RecordRule, RecordWhen};
use cordboard_model::callback::NewCallback;
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::config::{CalledNumber, Snapshot};
use cordboard_model::desk::{
    Actor, AgentDesk, CallbackOrder, DeskAct, DeskFault, DeskOrder, Goal, RecordingNow, SeatOrder,
};
use cordboard_model::id::{AgentId, Name, QueueId, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::{AgentOrder, Role};
use cordboard_model::verb::{Destination, RecordAct};
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;

const PHONE: &str = "203.0.113.5:5060";
pub const CHIEF: &str = "203.0.113.6:5060";

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn agent(text: &str) -> AgentId {
    AgentId::new(TenantId::DEFAULT, text).unwrap()
}

/// Agents 1001 and 1002, who is a supervisor.
pub fn two_agents() -> Snapshot {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    let user = UserId::new(TenantId::DEFAULT, "1002").unwrap();
    let mut account = tenant.users[&name("1001")].clone();
    account.id = user.clone();
    let mut chief = tenant.agents[&name("1001")].clone();
    (chief.id, chief.user, chief.queues) = (agent("1002"), user, Vec::new());
    chief.duty.role = Role::Supervisor;
    tenant.users.insert(name("1002"), account);
    tenant.agents.insert(name("1002"), chief);
    snapshot
}

/// Both are signed in, with their phones.
fn desks(snapshot: Snapshot) -> Rig {
    let mut rig = Rig::new();
    rig.configure(snapshot);
    let contacts = vec![contact("1001", PHONE), contact("1002", CHIEF)];
    rig.command(ShardCommand::Restore(Box::new(Restore { contacts, ..Restore::default() })));
    for who in ["1001", "1002"] {
        rig.order(agent(who), AgentOrder::SignIn).unwrap();
    }
    rig
}

/// A caller of the queue talks to 1001.
fn talks(rig: &mut Rig) {
    rig.order(agent("1001"), AgentOrder::Ready).unwrap();
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ours, "200 OK"));
    rig.after(1_000);
}

/// An order at the desk of 1001 by an agent, or by the key alone.
pub fn order(by: Option<&str>, act: DeskAct) -> DeskOrder {
    let by = Actor { key: "desk".into(), agent: by.map(agent) };
    DeskOrder { agent: agent("1001"), call: None, by, act }
}

/// A supervisor's agent gave the orders in his own name, and that made them his: he let his supervisor go, had him listen
/// only, or had a phone of the house listen to his own caller.
#[test]
fn who_is_supervised_has_no_word_in_it() {
    let mut rig = desks(two_agents());
    talks(&mut rig);
    let extension = Some(UserId::new(TenantId::DEFAULT, "1002").unwrap());
    let listen = |extension| DeskAct::Supervise { mode: SupervisionMode::Listen, extension };
    let own = rig.desk(order(Some("1001"), listen(extension)));
    assert_eq!(own, Err(DeskFault::NotSupervisor));
    rig.desk(order(Some("1002"), listen(None))).unwrap();
    let ours = rig.last(&format!("INVITE sip:1002@{CHIEF}")).to_owned();
    rig.datagram(CHIEF, &response(CHIEF, &ours, "200 OK"));
    rig.after(1_000);
    for act in [DeskAct::EndSupervision, DeskAct::Change(SupervisionMode::BargeIn)] {
        assert_eq!(rig.desk(order(Some("1001"), act.clone())), Err(DeskFault::NotSupervisor), "{act:?}");
    }
    let calls = rig.shard.calls(TenantId::DEFAULT);
    let watch = calls[0].supervision.as_ref().unwrap();
    assert_eq!((watch.mode, watch.turns.len(), watch.ended), (SupervisionMode::Listen, 1, None));
    // the supervisor, and a key by itself, as ever
    rig.desk(order(Some("1002"), DeskAct::Change(SupervisionMode::Whisper))).unwrap();
    rig.desk(order(None, DeskAct::EndSupervision)).unwrap();
    assert_eq!(rig.heard(&format!("{CHIEF} BYE")), 1, "{:#?}", rig.said);
}

/// What the desk says of the recording of its call.
fn recording(rig: &Rig) -> RecordingNow {
    rig.shard.desk_view(&agent("1001")).unwrap().calls[0].seat.recording
}

#[test]
fn an_agent_has_his_call_recorded_and_pauses_that_unless_such_calls_never_are() {
    let record = |rig: &mut Rig, act| rig.desk(order(Some("1001"), DeskAct::Record(act)));
    let mut rig = desks(two_agents());
    assert_eq!(record(&mut rig, RecordAct::Start), Err(DeskFault::NoCall));
    talks(&mut rig);
    assert_eq!(recording(&rig), RecordingNow::Off);
    assert_eq!(record(&mut rig, RecordAct::Pause), Err(DeskFault::NotRecorded));
    for (act, now) in [
        (RecordAct::Start, RecordingNow::On),
        (RecordAct::Pause, RecordingNow::Paused),
        (RecordAct::Resume, RecordingNow::On),
    ] {
        record(&mut rig, act).unwrap();
        assert_eq!(recording(&rig), now, "{act:?}");
    }
    let mut snapshot = two_agents();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.agents.get_mut("1001").unwrap().record = Some(RecordRule::new(RecordWhen::Never));
    let mut rig = desks(snapshot);
    talks(&mut rig);
    assert_eq!(recording(&rig), RecordingNow::Never);
    assert_eq!(record(&mut rig, RecordAct::Start), Err(DeskFault::NeverRecorded));
}

/// An agent who talks was sent on a break by his supervisor, and the switch was killed before the call ended: he was ready
/// after it, for only what agents ask for themselves was in the journal.
#[test]
fn what_a_supervisor_makes_of_an_agent_in_a_call_is_in_the_journal() {
    let mut rig = desks(two_agents());
    talks(&mut rig);
    let rest = || DeskAct::Want(AgentOrder::Rest { reason: None, limit: None });
    for (by, act, wish) in [
        (Some("1002"), rest(), AgentStatus::Rest),
        (None, DeskAct::Want(AgentOrder::Ready), AgentStatus::Ready),
        (Some("1001"), rest(), AgentStatus::Rest),
    ] {
        rig.records.clear();
        rig.desk(order(by, act)).unwrap();
        let wishes: Vec<_> = rig
            .records
            .iter()
            .filter_map(|record| match record {
                JournalRecord::AgentWish { agent, wish } => Some((agent.name.as_str(), *wish)),
                _ => None,
            })
            .collect();
        assert_eq!(wishes, [("1001", wish)], "{by:?}");
    }
}

/// Whether the last INVITE to a phone asks it to answer by itself; all of its three ways, or none.
pub fn asks_to_answer(rig: &Rig, phone: &str) -> bool {
    let is = |(to, text): &&(std::net::SocketAddr, String)| *to == addr(phone) && text.starts_with("INVITE ");
    let (_, ours) = rig.sent.iter().rev().find(is).unwrap_or_else(|| panic!("{:#?}", rig.said));
    let ways = ["Answer-Mode: Auto", ";answer-after=0", "info=alert-autoanswer"];
    let asked = ways.map(|way| ours.contains(way));
    assert!(asked == [true; 3] || asked == [false; 3], "{ours}");
    asked[0]
}

/// An agent on a break was called by number, by a supervisor's order, by a colleague who consulted: his phone had been asked
/// to answer by itself, and who called heard the room.
#[test]
fn a_phone_answers_by_itself_what_a_queue_offers_and_what_its_agent_has_ordered() {
    let configured = || {
        let mut snapshot = two_agents();
        let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
        for who in ["1001", "1002"] {
            let desk = AgentDesk { auto_answer: true, ..AgentDesk::default() };
            tenant.desk.agents.insert(name(who), desk);
            tenant.numbers.push(CalledNumber {
                access_code: format!("3{who}"),
                extension_code: None,
                to: Destination::Agent(agent(who)),
            });
        }
        desks(snapshot)
    };
    let mut rig = configured();
    talks(&mut rig);
    assert!(asks_to_answer(&rig, PHONE), "what a queue offers");
    rig.desk(order(Some("1002"), DeskAct::Supervise { mode: SupervisionMode::Listen, extension: None }))
        .unwrap();
    assert!(asks_to_answer(&rig, CHIEF), "what a supervisor has ordered in his own name");

    let mut rig = configured();
    rig.order(agent("1001"), AgentOrder::Rest { reason: None, limit: None }).unwrap();
    rig.datagram(TRUNK, &invite(TRUNK, "31001", "example.com", "a"));
    assert!(!asks_to_answer(&rig, PHONE), "a call by number");

    let mut rig = configured();
    talks(&mut rig);
    let chief = Goal::Place(Destination::Agent(agent("1002")));
    rig.desk(order(Some("1001"), DeskAct::Seat(SeatOrder::Consult(chief.clone())))).unwrap();
    assert!(!asks_to_answer(&rig, CHIEF), "a colleague who consults");

    for (by, asked) in [(Some("1001"), true), (None, true), (Some("1002"), false)] {
        let mut rig = configured();
        let dial = DeskAct::Dial { to: chief.clone(), shown: None, data: BTreeMap::new() };
        rig.desk(order(by, dial)).unwrap();
        assert_eq!(asks_to_answer(&rig, PHONE), asked, "a call that is ordered by {by:?}");
        let ours = rig.last("INVITE").to_owned();
        rig.datagram(PHONE, &response(PHONE, &ours, "200 OK"));
        rig.after(100);
        assert!(!asks_to_answer(&rig, CHIEF), "who is called by it");
    }
}

/// The list was copied and sorted whole for each who asked: ten thousand entries, with notes of 2 KB.
#[test]
fn the_list_of_call_backs_is_read_in_pages_whatever_is_done_meanwhile() {
    let mut rig = desks(two_agents());
    let put = |rig: &mut Rig| {
        let by = Actor { key: "desk".into(), agent: None };
        let new = NewCallback { number: "+4930".into(), queue: None, note: String::new(), by };
        rig.shard.put_callback(TenantId::DEFAULT, new).unwrap().id
    };
    let ids: Vec<_> = (0..5).map(|_| put(&mut rig)).collect();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = CallbackPage { queue: None, after, limit: 2 };
        let entries = rig.shard.callbacks(TenantId::DEFAULT, &page);
        assert!(entries.len() <= 2);
        let Some(last) = entries.last() else { break };
        after = CallbackPage::read(&CallbackPage::place(last));
        seen.extend(entries.into_iter().map(|entry| entry.id));
        // one of those that were seen is done
        rig.shard.remove_callback(&seen[0], "key desk");
    }
    assert_eq!(seen, ids);
}

/// An agent of no queue took an entry of `sales`, and his call showed the number of `sales` and had its wrap-up codes.
#[test]
fn an_agent_calls_back_for_his_own_queues_and_for_others_if_he_is_told_to() {
    for (serves, role, by, taken) in [
        (true, Role::Agent, Some("1001"), true),
        (false, Role::Agent, Some("1001"), false),
        (false, Role::Agent, Some("1002"), true),
        (false, Role::Agent, None, true),
        (false, Role::Supervisor, Some("1001"), true),
    ] {
        let mut snapshot = two_agents();
        let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
        let caller = tenant.agents.get_mut(&name("1001")).unwrap();
        caller.duty.role = role;
        if !serves {
            caller.queues.clear();
        }
        let mut rig = desks(snapshot);
        let queue = QueueId::new(TenantId::DEFAULT, "sales").unwrap();
        for (queue, taken) in [(Some(queue), taken), (None, true)] {
            let key = Actor { key: "desk".into(), agent: None };
            let new = NewCallback { number: "1002".into(), queue, note: String::new(), by: key };
            let id = rig.shard.put_callback(TenantId::DEFAULT, new).unwrap().id;
            let refused = Err(DeskFault::CallbackOfAnotherQueue);
            for act in [CallbackOrder::Call, CallbackOrder::Take] {
                let done = rig.desk(order(by, DeskAct::Callback(id.clone(), act)));
                // while he calls he calls nobody else
                assert!(if taken { done != refused } else { done == refused }, "{by:?} {act:?}: {done:?}");
            }
            assert_eq!(rig.heard("INVITE") > 0, taken, "{by:?}");
        }
    }
}
