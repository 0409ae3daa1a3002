//! Who may administrate, and what keys open: each key with its range and its default.

use super::{faults, good};
use cordboard_model::access::{AccessTerms, Scopes};
use cordboard_model::id::TenantId;

fn text(lines: &str) -> String {
    format!("[tenant.default.access]\n{lines}\n")
}

fn read(lines: &str) -> AccessTerms {
    good(&text(lines)).snapshot.tenants[&TenantId::DEFAULT].access.clone()
}

#[test]
fn every_key_of_access_has_its_range_and_its_default() {
    let usual = AccessTerms::default();
    assert_eq!(read(""), usual);
    assert_eq!((usual.idle.as_secs(), usual.longest.as_secs()), (3_600, 43_200));
    assert_eq!((usual.totp_required, usual.audit_keep.as_secs()), (false, 400 * 86_400));
    for (key, right, wrong) in [
        ("session_idle", ["\"5m\"", "\"7d\""], ["\"299s\"", "\"169h\""]),
        ("session_longest", ["\"5m\"", "\"30d\""], ["\"299s\"", "\"721h\""]),
        ("second_factor_required", ["true", "false"], ["1", "\"yes\""]),
        ("audit_keep", ["\"1d\"", "\"3650d\""], ["\"23h\"", "\"3651d\""]),
        (
            "origins",
            ["[]", "[\"https://desk.example.com\", \"http://127.0.0.1:8080\"]"],
            ["[\"*\"]", "[\"https://desk.example.com/\"]"],
        ),
        (
            "origins",
            ["[\"https://[::1]:8443\"]", "[]"],
            ["[\"desk.example.com\"]", "[\"https://Desk.example.com\"]"],
        ),
    ] {
        for value in right {
            read(&format!("{key} = {value}"));
        }
        for value in wrong {
            let said = faults(&text(&format!("{key} = {value}")));
            assert!(
                said.len() == 1 && said[0].contains(&format!("\"{key}\" in ")),
                "{key} = {value}: {said:?}"
            );
        }
    }
    assert_eq!(good("[http]\nframes = [\"https://crm.example.com\"]\n").machine.http.frames.len(), 1);
    assert_eq!(faults("[http]\nframes = [\"'none'; script-src *\"]\n").len(), 1, "a policy is no origin");
}

#[test]
fn a_key_opens_everything_unless_it_says_what() {
    let key = |lines: &str| format!("[[api_key]]\nname = \"bar\"\nkey = \"0123456789abcdef\"\n{lines}\n");
    let scopes = |lines: &str| good(&key(lines)).machine.api_keys[0].scopes.clone();
    assert_eq!(scopes(""), Scopes::all());
    let some = scopes("scopes = [\"calls:read\", \"agents:*\"]");
    assert!(some.cover("agents:control") && !some.cover("calls:control") && !some.cover("switch:control"));
    assert!(scopes("scopes = []").is_empty());
    for wrong in
        ["scopes = [\"calls\"]", "scopes = [\"calls:sing\"]", "scopes = \"*\"", "scopes = [\"bells:read\"]"]
    {
        let said = faults(&key(wrong));
        assert!(said.len() == 1 && said[0].contains("\"scopes\" in "), "{wrong}: {said:?}");
    }
}
