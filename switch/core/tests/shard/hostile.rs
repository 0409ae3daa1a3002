//! Bytes that are no message, and messages that are nobody's.

use crate::rig::*;
use cordboard_model::id::TenantId;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

const STRANGER: &str = "203.0.113.9:5060";

#[test]
fn damaged_messages_leave_nothing_behind() {
    let mut rig = Rig::new();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let whole = invite(TRUNK, "2000", "example.com", "a");
    for n in 0..3_000 {
        let mut bytes = whole.clone();
        for _ in 0..=rng.next_u32() % 4 {
            let at = rng.next_u32() as usize % bytes.len();
            bytes[at] = rng.next_u32() as u8;
        }
        if n % 3 == 0 {
            bytes.truncate(rng.next_u32() as usize % whole.len());
        }
        rig.datagram(if n % 2 == 0 { STRANGER } else { TRUNK }, &bytes);
        rig.after(20);
    }
    rig.after(120_000);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
    assert_eq!(rig.heard("journal CallOpened"), rig.heard("journal CallClosed"));
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "after"));
    assert_eq!(rig.shard.call_count(), 1, "and the next call is taken");
}

#[test]
fn a_stranger_is_challenged_and_never_taken() {
    let mut rig = Rig::new();
    rig.datagram(STRANGER, &invite(STRANGER, "2000", "example.com", "a"));
    assert_eq!((rig.heard("SIP/2.0 401"), rig.heard("journal")), (1, 0));
}

#[test]
fn an_account_is_shown_by_its_own_name_whatever_its_phone_claims() {
    let mut rig = Rig::unconfigured([7; 32]);
    rig.configure(with_password("secret"));
    let text = String::from_utf8(invite(STRANGER, "2000", "example.com", "a")).unwrap();
    let text = text.replace("\"a\" <sip:caller@", "\"The Director\" <sip:1@");
    rig.authenticated(STRANGER, &text, "secret");
    let call = &rig.shard.calls(TenantId::DEFAULT)[0];
    assert_eq!((call.from.user.as_str(), call.from.display.as_str()), ("1001", "Ann"));
}

#[test]
fn responses_and_acks_for_nothing_are_not_answered() {
    let mut rig = Rig::new();
    let before = rig.sent.len();
    rig.datagram(STRANGER, b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n");
    rig.datagram(STRANGER, b"ACK sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKy\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 ACK\r\n\r\n");
    rig.datagram(STRANGER, b"\r\n\r\n");
    rig.datagram(STRANGER, &[0; 4]);
    rig.datagram(STRANGER, &[0xff; 1_500]);
    assert_eq!(rig.sent.len(), before, "{:#?}", rig.said);
}
