//! Addresses of media that are told to the other side.

use super::*;

#[test]
fn behind_nat_the_public_address_is_told_and_the_other_bound() {
    let loaded = good(
        r#"
        [sip]
        listen = ["0.0.0.0:5060"]
        public = "203.0.113.5"
        [media]
        address = "0.0.0.0"
        "#,
    );
    let sip = &loaded.machine.sip;
    assert_eq!(sip.advertised(sip.listen[0].address).to_string(), "203.0.113.5:5060");
    assert_eq!(loaded.machine.media.advertised.to_string(), "203.0.113.5");
    assert!(loaded.machine.media.address.is_unspecified());
}

#[test]
fn each_address_family_has_its_public_address() {
    let loaded = good(
        r#"
        [sip]
        listen = ["0.0.0.0:5060", "[::]:5060"]
        public = "203.0.113.5"
        public6 = "2001:db8::5"
        [media]
        address = "::"
        "#,
    );
    let machine = &loaded.machine;
    let told = |at: usize| machine.sip.advertised(machine.sip.listen[at].address).to_string();
    assert_eq!((told(0), told(1)), ("203.0.113.5:5060".into(), "[2001:db8::5]:5060".into()));
    assert_eq!(machine.media.advertised.to_string(), "203.0.113.5");
    assert_eq!(machine.media.advertised6.map(|ip| ip.to_string()).as_deref(), Some("2001:db8::5"));
}

#[test]
fn every_ipv6_address_is_no_address_to_be_told() {
    let said = faults("[sip]\nlisten = [\"0.0.0.0:5060\", \"[::]:5060\"]\npublic = \"203.0.113.5\"\n");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("\"public6\""), "{said:?}");
}

#[test]
fn a_media_address_of_one_family_cannot_be_told_as_the_other() {
    let said = faults("[media]\naddress = \"127.0.0.1\"\npublic6 = \"2001:db8::5\"\n");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("\"public6\""), "{said:?}");
}
