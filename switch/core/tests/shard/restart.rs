//! What the journal held is taken back.

use crate::rig::*;
use cordboard_core::{Restore, RestoredAgent, ShardCommand};
use cordboard_model::id::{AgentId, TenantId, UserId};
use cordboard_model::journal::{ContactRecord, JournalRecord};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;

const PHONE: &str = "203.0.113.5:5062";

fn contact(expires: i64) -> ContactRecord {
    ContactRecord {
        user: UserId::new(TenantId::DEFAULT, "1001").unwrap(),
        uri: format!("sip:1001@{PHONE}"),
        flow: format!("udp:{PHONE}"),
        path: Vec::new(),
        call_id: "reg".into(),
        cseq: 1,
        q_milli: 1_000,
        user_agent: "phone".into(),
        expires: Wall(1_700_000_000_000 + expires),
    }
}

fn restored(contacts: Vec<ContactRecord>, agents: Vec<(AgentId, AgentStatus, Wall)>) -> Rig {
    let mut rig = Rig::new();
    let agents = agents.into_iter().map(|(agent, status, since)| RestoredAgent {
        agent,
        status,
        reason: None,
        limit: None,
        since,
    });
    let agents = agents.collect();
    let restore = Restore { contacts, agents, ..Restore::default() };
    rig.command(ShardCommand::Restore(Box::new(restore)));
    rig
}

#[test]
fn a_device_can_be_called_without_registering_again() {
    let mut rig = restored(vec![contact(60_000)], Vec::new());
    rig.datagram(TRUNK, &invite(TRUNK, "1001", "example.com", "a"));
    assert_eq!(rig.heard(&format!("{PHONE} INVITE sip:1001@{PHONE}")), 1, "{:#?}", rig.said);
    assert_eq!(rig.shard.contacts(TenantId::DEFAULT).len(), 1);
}

#[test]
fn a_device_whose_time_was_over_is_not_taken_back() {
    let rig = restored(vec![contact(500)], Vec::new());
    assert_eq!(rig.shard.contacts(TenantId::DEFAULT).len(), 0);
}

#[test]
fn a_device_that_was_not_taken_back_is_news_to_its_agent_when_it_registers_again() {
    let mut rig = Rig::unconfigured([7; 32]);
    rig.configure(with_password("secret"));
    let restore = Restore { contacts: vec![contact(500)], ..Restore::default() };
    rig.command(ShardCommand::Restore(Box::new(restore)));
    let register = format!(
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};branch=z9hG4bKr\r\nMax-Forwards: 70\r\n\
         From: <sip:1001@example.com>;tag=r\r\nTo: <sip:1001@example.com>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:1001@{PHONE}>\r\nExpires: 300\r\nContent-Length: 0\r\n\r\n"
    );
    rig.authenticated(PHONE, &register, "secret");
    assert_eq!(rig.heard("SIP/2.0 200 OK"), 1, "{:#?}", rig.said);
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    assert_eq!(rig.shard.agent(&agent).unwrap().contacts, 1);
}

#[test]
fn an_agent_who_talked_is_ready_and_one_who_rested_rests() {
    let agent = || AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    for (was, is) in [
        (AgentStatus::Talking, AgentStatus::Ready),
        (AgentStatus::WrapUp, AgentStatus::Ready),
        (AgentStatus::Rest, AgentStatus::Rest),
        (AgentStatus::NotReady, AgentStatus::NotReady),
        (AgentStatus::SignedOut, AgentStatus::SignedOut),
    ] {
        let rig = restored(Vec::new(), vec![(agent(), was, Wall(1_699_999_990_000))]);
        assert_eq!(rig.shard.agent(&agent()).unwrap().status, is, "{was:?}");
    }
}

#[test]
fn each_dialog_that_was_cut_gets_a_bye_that_the_peer_takes() {
    let mut rig = restored(vec![contact(60_000)], Vec::new());
    rig.datagram(TRUNK, &invite(TRUNK, "1001", "example.com", "a"));
    let ringing = rig.last("INVITE").to_owned();
    rig.datagram(PHONE, &response(PHONE, &ringing, "200 OK"));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    let up = rig.records.iter().filter_map(|record| match record {
        JournalRecord::DialogUp { dialog, .. } => Some(dialog.clone()),
        _ => None,
    });
    let dialogs: Vec<_> = up.collect();
    assert_eq!(dialogs.len(), 2);
    // The switch dies here.
    let mut rig = Rig::new();
    rig.command(ShardCommand::Restore(Box::new(Restore { dialogs, ..Restore::default() })));
    let byes: Vec<_> = rig.sent.iter().filter(|(_, text)| text.starts_with("BYE ")).cloned().collect();
    assert_eq!(byes.len(), 2, "{:#?}", rig.said);
    for (to, bye) in &byes {
        let seq: u32 = header(bye, "CSeq").split(' ').next().unwrap().parse().unwrap();
        assert!(seq > 1, "above what the dialog may have used");
        if *to == addr(TRUNK) {
            assert_eq!(header(bye, "Call-ID"), "a");
            assert_eq!(header(bye, "To"), "\"a\" <sip:caller@example.com>;tag=a");
            assert_eq!(header(bye, "From"), header(&ok, "To"));
        } else {
            assert_eq!(header(bye, "From"), header(&ringing, "From"));
            assert!(header(bye, "To").ends_with(";tag=peer"));
        }
        rig.datagram(&to.to_string(), &response(&to.to_string(), bye, "200 OK"));
    }
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

#[test]
fn what_an_agent_asks_for_in_a_call_is_in_the_journal() {
    let mut rig = Rig::new();
    let agent = || AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    let wishes = |rig: &Rig| -> Vec<AgentStatus> {
        let wish = |record: &JournalRecord| match record {
            JournalRecord::AgentWish { wish, .. } => Some(*wish),
            _ => None,
        };
        rig.records.iter().filter_map(wish).collect()
    };
    let asks = |rig: &mut Rig, what| {
        rig.order(agent(), what).unwrap();
        rig.after(1);
    };
    rig.talks_to_the_phone(PHONE);
    asks(&mut rig, AgentOrder::SignIn);
    asks(&mut rig, AgentOrder::Rest { reason: None, limit: None });
    asks(&mut rig, AgentOrder::Ready);
    // out of the call what he is says it all
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("BYE", 2, TRUNK, &ok));
    asks(&mut rig, AgentOrder::NotReady { reason: None });
    let mut wishes = wishes(&rig);
    wishes.dedup();
    assert_eq!(wishes, [AgentStatus::NotReady, AgentStatus::Rest, AgentStatus::Ready]);
}
