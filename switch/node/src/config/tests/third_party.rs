//! Enterprises that speak for their agents: each key with its range and its default.

use super::{faults, good};
use cordboard_model::id::TenantId;
use cordboard_model::third_party::ThirdPartyTerms;

const URL: &str = "url = \"https://crm.example/validate\"";

fn text(lines: &str) -> String {
    format!("[tenant.default.third_party]\n{lines}\n")
}

#[test]
fn every_key_of_third_party_sign_in_has_its_range_and_its_default() {
    let read = |lines: &str| good(&text(lines)).snapshot.tenants[&TenantId::DEFAULT].third_party.clone();
    let usual = ThirdPartyTerms {
        url: "https://crm.example/validate".into(),
        space: "default".into(),
        take_over: true,
    };
    assert_eq!(read(URL), Some(usual));
    assert_eq!(good("").snapshot.tenants[&TenantId::DEFAULT].third_party, None);
    let own = read(&format!("{URL}\nspace = \"201805021\"\ntake_over = false")).unwrap();
    assert_eq!((own.space.as_str(), own.take_over), ("201805021", false));
    let long = "x".repeat(129);
    for (key, lines) in [
        ("url", String::new()),
        ("url", "url = \"ftp://crm.example/\"".into()),
        ("url", "url = \"https://li:secret@crm.example/\"".into()),
        ("space", format!("{URL}\nspace = \"{long}\"")),
        ("take_over", format!("{URL}\ntake_over = 1")),
    ] {
        let said = faults(&text(&lines));
        assert!(said.len() == 1 && said[0].contains(&format!("\"{key}\"")), "{lines}: {said:?}");
    }
    let machine = good("[third_party]\nlimit = \"100ms\"\nallow_private = true\n").machine.third_party;
    assert_eq!((machine.limit.as_millis(), machine.allow_private), (100, true));
    assert!(!good("").machine.third_party.allow_private);
    assert_eq!(faults("[third_party]\nlimit = \"31s\"\n").len(), 1);
}

#[test]
fn two_tenants_are_not_called_the_same_by_their_enterprises() {
    let two = |space: &str| {
        format!(
            "[tenant.default.third_party]\n{URL}\nspace = \"one\"\n[tenant.acme]\ndomains = [\"acme.example\"]\n\
             [tenant.acme.third_party]\n{URL}\nspace = \"{space}\"\n"
        )
    };
    good(&two("two"));
    let said = faults(&two("one"));
    assert!(said.len() == 1 && said[0].contains("same space"), "{said:?}");
}
