//! Transfers through all rooms: who may ask, what is written down for a restart, whom a stranger cannot take over.

use crate::rig::*;
use cordboard_core::ShardCommand;
use cordboard_model::cause::Cause;
use cordboard_model::id::TenantId;
use cordboard_model::journal::JournalRecord;

const PHONE: &str = "198.51.100.20:5062";
const OTHER: &str = "198.51.100.30:5062";

/// A trunk's caller talks to account 1001 at its phone. Gives our INVITE to the phone.
fn talking() -> (Rig, String) {
    let mut rig = Rig::new();
    let ours = rig.talks_to_the_phone(PHONE);
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(TRUNK, &within("ACK", 1, TRUNK, &ok));
    rig.said.clear();
    (rig, ours)
}

/// An INVITE from account 1001 that takes the place of its phone's leg.
fn taking(ours: &str, call: &str) -> String {
    let tag = header(ours, "From").split("tag=").nth(1).unwrap().to_owned();
    let replaces = format!("Replaces: {};to-tag={tag};from-tag=peer", header(ours, "Call-ID"));
    let text = String::from_utf8(invite(OTHER, "1001", "example.com", call)).unwrap();
    text.replace("Max-Forwards", &format!("{replaces}\r\nMax-Forwards"))
        .replace("<sip:caller@example", "<sip:1001@example")
}

#[test]
fn an_accounts_other_device_takes_its_call_over_and_the_journal_knows_the_dialog() {
    let (mut rig, ours) = talking();
    rig.authenticated(OTHER, &taking(&ours, "b"), "secret");
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(OTHER, &within("ACK", 1, OTHER, &ok));
    assert_eq!(rig.heard(&format!("{PHONE} BYE")), 1, "{:#?}", rig.said);
    let bye = rig.last("BYE").to_owned();
    assert!(header(&bye, "Reason").contains("transferred"));
    rig.datagram(PHONE, &response(PHONE, &bye, "200 OK"));
    let calls = rig.shard.calls(TenantId::DEFAULT);
    assert_eq!(calls.len(), 1, "{calls:?}");
    let moved = rig.records.iter().filter(|record| match record {
        JournalRecord::DialogUp { call, dialog, .. } => *call == calls[0].call && dialog.call_id == "b",
        _ => false,
    });
    assert_eq!(moved.count(), 1);
    rig.datagram(OTHER, &within("BYE", 2, OTHER, &ok));
    let bye = rig.last(&format!("BYE sip:caller@{TRUNK}")).to_owned();
    rig.datagram(TRUNK, &response(TRUNK, &bye, "200 OK"));
    rig.after(40_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}

/// RFC 3891 5: who knows the name of a dialog has no right to it by that.
#[test]
fn a_stranger_who_knows_the_dialog_does_not_get_it() {
    let (mut rig, ours) = talking();
    let text = taking(&ours, "b").replace(OTHER, TRUNK);
    rig.datagram(TRUNK, text.as_bytes());
    assert_eq!((rig.heard("403"), rig.heard("BYE")), (1, 0), "{:#?}", rig.said);
    assert_eq!(rig.shard.call_count(), 1);
}

fn refer(from: &str, ours: &str, to: &str) -> String {
    let (us, peer) = (header(ours, "From"), header(ours, "To"));
    format!(
        "REFER sip:cordboard@{SWITCH} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKrefer\r\nMax-Forwards: 70\r\n\
         From: {peer};tag=peer\r\nTo: {us}\r\nCall-ID: {}\r\nCSeq: 7 REFER\r\nRefer-To: <{to}>\r\n\
         Contact: <sip:1001@{from}>\r\nContent-Length: 0\r\n\r\n",
        header(ours, "Call-ID")
    )
}

#[test]
fn a_number_of_ours_is_called_whatever_the_phone_thinks_our_address_is() {
    for host in ["example.com", "192.0.2.1:5060"] {
        let (mut rig, ours) = talking();
        rig.datagram(PHONE, refer(PHONE, &ours, &format!("sip:2000@{host}")).as_bytes());
        assert_eq!((rig.heard("202"), rig.heard("NOTIFY"), rig.heard("BYE")), (1, 2, 1), "{:#?}", rig.said);
        assert!(header(rig.last("NOTIFY"), "Subscription-State").starts_with("terminated"));
        let calls = rig.shard.calls(TenantId::DEFAULT);
        assert_eq!(calls[0].queue.as_ref().unwrap().name.as_str(), "sales");
    }
}

/// A foreign address in Refer-To is called by nobody: neither looked up nor sent to.
#[test]
fn a_refer_to_a_foreign_address_is_refused_where_there_are_others_domains() {
    let (mut rig, ours) = talking();
    let mut two = with_password("secret");
    let other = tenant("other", "example.net", "198.51.100.9:5060");
    two.tenants.insert(other.id, other);
    rig.configure(two);
    for to in ["sip:2000@example.net", "sip:2000@evil.example"] {
        let text = refer(PHONE, &ours, to).replace("z9hG4bKrefer", &format!("z9hG4bK{}", to.len()));
        rig.datagram(PHONE, text.as_bytes());
    }
    assert_eq!((rig.heard("403"), rig.heard("202")), (2, 0), "{:#?}", rig.said);
    assert_eq!(rig.shard.call_count(), 1);
}

#[test]
fn a_trunk_may_refer_only_where_it_is_trusted_with_it() {
    for (trusted, status) in [(false, "403"), (true, "202")] {
        let (mut rig, _) = talking();
        let mut known = with_password("secret");
        for trunk in known.tenants.values_mut().flat_map(|tenant| tenant.trunks.values_mut()) {
            trunk.transfers = trusted;
        }
        rig.configure(known);
        let ok = rig.last("200 OK").to_owned();
        let text = String::from_utf8(within("REFER", 2, TRUNK, &ok)).unwrap();
        let text = text.replace("Content-Length", "Refer-To: <sip:2000@example.com>\r\nContent-Length");
        rig.datagram(TRUNK, text.as_bytes());
        assert_eq!(rig.heard(status), 1, "{:#?}", rig.said);
    }
}

#[test]
fn an_order_for_a_call_that_does_not_talk_is_refused() {
    let (mut rig, _) = talking();
    let call = rig.shard.calls(TenantId::DEFAULT)[0].call;
    let now = rig.now;
    assert!(rig.shard.complete_transfer(call, now).is_err());
    rig.command(ShardCommand::HangUp(call, Cause::Administrative));
    assert!(rig.shard.transfer(call, None, "2000", false, now).is_err());
}

/// A phone that forwards its calls, and one that would have us call a stranger.
#[test]
fn a_redirection_is_followed_within_the_tenants_numbers_alone() {
    for (contact, followed) in [("sip:2000@example.com", true), ("sip:2000@evil.example", false)] {
        let (mut rig, ours) = talking();
        let mut two = with_password("secret");
        let other = tenant("other", "example.net", "198.51.100.9:5060");
        two.tenants.insert(other.id, other);
        rig.configure(two);
        let _ = ours;
        rig.datagram(TRUNK, &invite(TRUNK, "1001", "example.com", "z"));
        let ringing = rig.last("INVITE").to_owned();
        let moved = String::from_utf8(response(PHONE, &ringing, "302 Moved Temporarily")).unwrap();
        rig.datagram(PHONE, moved.replace(&format!("sip:peer@{PHONE}"), contact).as_bytes());
        let calls = rig.shard.calls(TenantId::DEFAULT);
        let waits = calls.iter().any(|call| call.queue.is_some());
        assert_eq!(waits, followed, "{contact}: {:#?}", rig.said);
        if followed {
            let call = calls.iter().find(|call| call.queue.is_some()).unwrap();
            assert_eq!(call.data["diverted_from"], "1001");
        }
    }
}
