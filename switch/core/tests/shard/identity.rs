//! Who calls: what is believed, what is withheld, what is told on the way out.

use crate::rig::*;
use cordboard_core::ShardCommand;
use cordboard_model::config::{CalledNumber, Gateway, Snapshot, Trunk, TrunkIdentity};
use cordboard_model::id::{TenantId, TrunkId};
use cordboard_model::media::{Codec, MediaCommand};
use cordboard_model::verb::Destination;
use std::collections::BTreeSet;

const FAR: &str = "198.51.100.77:5060";

/// The trunk that calls come by, with this trust, and one that 900 goes out by.
fn trusting(inward: TrunkIdentity, outward: TrunkIdentity) -> Rig {
    let mut snapshot: Snapshot = with_password("secret");
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    for trunk in tenant.trunks.values_mut() {
        trunk.identity = inward;
    }
    let id = TrunkId::new(TenantId::DEFAULT, "far").unwrap();
    let far = Trunk { gateways: vec![Gateway::at(addr(FAR))], identity: outward, ..Trunk::new(id.clone()) };
    tenant.trunks.insert(id.name.clone(), far);
    let to = Destination::Trunk(id, "900".into());
    tenant.numbers.push(CalledNumber { access_code: "900".into(), extension_code: None, to });
    let mut rig = Rig::new();
    rig.configure(snapshot);
    rig
}

fn call(rig: &mut Rig, to: &str, headers: &str) {
    let text = String::from_utf8(invite(TRUNK, to, "example.com", "a")).unwrap();
    rig.datagram(TRUNK, text.replace("Max-Forwards", &format!("{headers}\r\nMax-Forwards")).as_bytes());
}

const ASSERTED: &str = "P-Asserted-Identity: \"Anna\" <sip:+4930@carrier>";

#[test]
fn an_identity_is_believed_by_the_trust_in_its_trunk() {
    for (trust, header, user) in [
        (TrunkIdentity::None, ASSERTED, "caller"),
        (TrunkIdentity::Asserted, ASSERTED, "+4930"),
        (TrunkIdentity::RemoteParty, ASSERTED, "caller"),
        (TrunkIdentity::RemoteParty, "Remote-Party-ID: <sip:+4930@x>;party=calling", "+4930"),
        (TrunkIdentity::Asserted, "Remote-Party-ID: <sip:+4930@x>;party=calling", "+4930"),
    ] {
        let mut rig = trusting(trust, TrunkIdentity::None);
        call(&mut rig, "2000", header);
        let calls = rig.shard.calls(TenantId::DEFAULT);
        assert_eq!(calls[0].from.user, user, "{trust:?} {header}");
    }
}

#[test]
fn a_number_that_is_withheld_is_shown_to_nobody_and_told_to_a_trusted_trunk_alone() {
    for (outward, told) in [(TrunkIdentity::None, false), (TrunkIdentity::Asserted, true)] {
        let mut rig = trusting(TrunkIdentity::Asserted, outward);
        call(&mut rig, "900", &format!("{ASSERTED}\r\nPrivacy: id"));
        assert_eq!(rig.shard.calls(TenantId::DEFAULT)[0].from.user, "anonymous");
        let out = rig.last("INVITE").to_owned();
        assert!(header(&out, "From").starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>"), "{out}");
        assert_eq!(header(&out, "Privacy"), "id");
        assert_eq!(header(&out, "P-Asserted-Identity").contains("+4930"), told, "{out}");
        let everything = format!("{:?} {:?}", rig.events, rig.records);
        assert!(!everything.contains("+4930"), "the number is in an event or record");
    }
}

#[test]
fn a_call_that_goes_out_again_says_who_sent_it_on() {
    let mut rig = trusting(TrunkIdentity::None, TrunkIdentity::RemoteParty);
    call(&mut rig, "900", "Diversion: <sip:555@x>;reason=no-answer");
    let out = rig.last("INVITE").to_owned();
    assert_eq!(header(&out, "Diversion"), "<sip:900@example.com>;reason=unconditional");
    assert!(out.contains("Diversion: <sip:555@example.com>;reason=no-answer"), "{out}");
    assert!(out.contains("History-Info: <sip:900@example.com?Reason=SIP%3Bcause%3D302>;index=1.1"), "{out}");
    assert!(header(&out, "Remote-Party-ID").contains("party=calling;screen=yes;privacy=off"), "{out}");
    let calls = rig.shard.calls(TenantId::DEFAULT);
    assert_eq!(calls[0].data["diverted_from"], "555");
    assert_eq!(calls[0].data["diversion_reason"], "no-answer");
}

#[test]
fn user_to_user_is_call_data_and_goes_to_every_leg() {
    let mut rig = trusting(TrunkIdentity::None, TrunkIdentity::None);
    call(&mut rig, "900", "User-to-User: 56a390;encoding=hex;purpose=isdn-uui");
    let out = rig.last("INVITE").to_owned();
    assert_eq!(header(&out, "User-to-User"), "56a390;encoding=hex;purpose=isdn-uui");
    let call = rig.shard.calls(TenantId::DEFAULT).remove(0);
    assert_eq!(call.data["user_to_user"], "56a390;encoding=hex;purpose=isdn-uui");
    rig.command(ShardCommand::HangUp(call.call, cordboard_model::cause::Cause::Administrative));
}

/// An account is who it has proved to be; what its phone asserts is not looked at.
#[test]
fn an_account_asserts_nothing_but_may_withhold_its_number() {
    let mut rig = trusting(TrunkIdentity::None, TrunkIdentity::Asserted);
    const PHONE: &str = "203.0.113.5:5062";
    let text = String::from_utf8(invite(PHONE, "900", "example.com", "b")).unwrap();
    let text = text.replace("Max-Forwards", &format!("{ASSERTED}\r\nPrivacy: id\r\nMax-Forwards"));
    rig.authenticated(PHONE, &text.replace("<sip:caller@", "<sip:1001@"), "secret");
    let call = &rig.shard.calls(TenantId::DEFAULT)[0];
    assert_eq!(call.from.user, "1001");
    let out = rig.last("INVITE").to_owned();
    assert!(header(&out, "From").contains("anonymous.invalid"), "{out}");
    assert!(header(&out, "P-Asserted-Identity").contains("sip:1001@"), "{out}");
    assert_eq!(header(&out, "Diversion"), "");
}

#[test]
fn a_trunks_own_codecs_are_offered_in_their_order() {
    for (codecs, offered) in
        [(vec![Codec::Pcmu, Codec::Pcma], "RTP/AVP 0 8 101\r"), (vec![Codec::Pcma], "RTP/AVP 8 101\r")]
    {
        let mut snapshot = one_tenant();
        let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
        tenant.codecs = vec![Codec::Pcma, Codec::Pcmu];
        let id = TrunkId::new(TenantId::DEFAULT, "far").unwrap();
        let far = Trunk { gateways: vec![Gateway::at(addr(FAR))], codecs, ..Trunk::new(id.clone()) };
        tenant.trunks.insert(id.name.clone(), far);
        let to = Destination::Trunk(id, "900".into());
        tenant.numbers.push(CalledNumber { access_code: "900".into(), extension_code: None, to });
        let mut rig = Rig::new();
        rig.configure(snapshot);
        call(&mut rig, "900", "Subject: a");
        assert!(rig.last("INVITE").contains(offered), "{}", rig.last("INVITE"));
    }
}

#[test]
fn media_threads_are_told_which_host_a_partys_signalling_comes_from() {
    const PHONE: &str = "198.51.100.20:5062";
    let mut rig = Rig::new();
    rig.talks_to_the_phone(PHONE);
    let told = rig.media.iter().filter_map(|command| match command {
        MediaCommand::Configure { signals, .. } => *signals,
        _ => None,
    });
    let told: BTreeSet<_> = told.collect();
    assert_eq!(told, [addr(TRUNK).ip(), addr(PHONE).ip()].into());
}
