//! What queues and the shard tell each other.

use crate::rig::*;
use cordboard_core::{Restore, ShardCommand};
use cordboard_model::config::Snapshot;
use cordboard_model::desk::Smart;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::MediaCommand;
use cordboard_model::service::{AgentOrder, Stick};
use cordboard_model::time::Duration;

const PHONE: &str = "203.0.113.5:5060";

fn sticky() -> Snapshot {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    let queue = tenant.queues.values_mut().next().unwrap();
    let (wait, memory) = (Duration::from_secs(20), Duration::from_secs(3_600));
    queue.service.stick = Some(Stick { key: None, wait, memory });
    snapshot
}

fn calls(rig: &mut Rig, from: &str, call: &str) {
    let text = String::from_utf8(invite(TRUNK, "2000", "example.com", call)).unwrap();
    rig.datagram(TRUNK, &text.replace("sip:caller@", &format!("sip:{from}@")).into_bytes());
}

/// Why the last offer was made.
fn why(rig: &Rig) -> String {
    let why = rig.events.iter().rev().find_map(|event| match &event.2 {
        EventKind::QueueOffered { why, .. } => Some(why.clone()),
        _ => None,
    });
    why.unwrap_or_else(|| panic!("{:#?}", rig.events))
}

fn ready(rig: &mut Rig) {
    rig.knows_the_phone(PHONE);
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    rig.order(agent.clone(), AgentOrder::SignIn).unwrap();
    rig.order(agent, AgentOrder::Ready).unwrap();
}

#[test]
fn a_customer_who_comes_again_gets_the_agent_he_knows() {
    let mut rig = Rig::new();
    rig.configure(sticky());
    ready(&mut rig);
    calls(&mut rig, "+4930", "a");
    assert!(why(&rig).starts_with("caller: priority 0"), "{}", why(&rig));
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ours, "200 OK"));
    rig.after(1_000);
    let bye = within("BYE", 2, TRUNK, rig.last("200 OK"));
    rig.datagram(TRUNK, &bye);
    rig.after(1_000);
    let talks: Vec<_> = rig
        .records
        .iter()
        .filter_map(|record| match record {
            JournalRecord::Talked { agent, caller, at, ends } => {
                Some((agent.clone(), caller.clone(), *at, *ends))
            }
            _ => None,
        })
        .collect();
    assert_eq!((talks.len(), talks[0].1.as_str(), talks[0].3.0 - talks[0].2.0), (1, "+4930", 3_600_000));
    calls(&mut rig, "+4930", "b");
    assert!(why(&rig).starts_with("the caller waited for this agent"), "{}", why(&rig));
    let mut again = Rig::new();
    again.configure(sticky());
    let restore = Restore { talks, ..Restore::default() };
    again.command(ShardCommand::Restore(Box::new(restore)));
    ready(&mut again);
    calls(&mut again, "+4930", "c");
    assert!(why(&again).starts_with("the caller waited for this agent"), "{}", why(&again));
}

/// Whether who waits was played something.
fn plays(silent: bool) -> bool {
    let mut rig = Rig::new();
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.queues.values_mut().next().unwrap().audio.silent = silent;
    rig.configure(snapshot);
    calls(&mut rig, "+4930", "a");
    rig.after(10_000);
    let waits = rig.events.iter().any(|event| matches!(event.2, EventKind::QueueEntered { .. }));
    assert!(waits, "{:#?}", rig.events);
    rig.media.iter().any(|command| matches!(command, MediaCommand::Play { .. }))
}

#[test]
fn who_waits_in_a_queue_without_music_hears_a_tone_now_and_then_or_is_sent_nothing() {
    assert!(plays(false));
    assert!(!plays(true));
}

/// What smart agents have, and what their page shows of them.
#[test]
fn a_program_listens_to_the_calls_that_queues_give_a_smart_agent() {
    let url = "wss://bots.example/assist";
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    tenant.desk.smart = Some(Smart { url: url.into(), agents: 1 });
    let agent = tenant.agents.values_mut().next().unwrap();
    (agent.duty.smart, agent.duty.numbers_label) = (true, true);
    agent.duty.organisation = Some("North".into());
    let id = agent.id.clone();
    let mut rig = Rig::new();
    rig.configure(snapshot);
    ready(&mut rig);
    let view = rig.shard.agent(&id).unwrap();
    assert_eq!((view.smart, view.numbers_label, view.organisation.as_deref()), (true, true, Some("North")));
    let streams = |rig: &Rig| {
        let of = |(_, _, what): &_| match what {
            EventKind::StreamStarted { by, .. } => Some(by.clone()),
            EventKind::StreamEnded { .. } => Some("ended".to_owned()),
            _ => None,
        };
        rig.events.iter().filter_map(of).collect::<Vec<String>>()
    };
    calls(&mut rig, "+4930", "a");
    assert_eq!(streams(&rig), [""; 0], "nobody talks yet");
    let ours = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ours, "200 OK"));
    rig.after(100);
    assert_eq!(streams(&rig), ["agent 1001"]);
    let heard = rig.media.iter().filter(|command| matches!(command, MediaCommand::Listen { .. })).count();
    assert_eq!(heard, 2, "both parties: {:?}", rig.media);
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, rig.last("200 OK")));
    rig.after(40_000);
    assert_eq!(streams(&rig), ["agent 1001", "ended"]);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}
