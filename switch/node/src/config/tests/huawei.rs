//! Access keys: each key of the section with its range and default, and what each access key opens.

use super::{faults, good};
use cordboard_api::gateway::config::GatewayTenant;
use cordboard_api::huawei::config::{Face, HuaweiConfig};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use core::time::Duration;

const FLOORS: &str = "[tenant.default.user.1001]\npassword = \"secret\"\n[tenant.default.queue.sales]\n\
                      [tenant.acme]\ndomains = [\"acme.example\"]\n";
const KEY: &str = "[huawei.tenant.default.key.crm]\nsecret = \"a-secret-of-the-crm\"\n";

fn text(own: &str) -> String {
    format!("{own}\n{FLOORS}")
}

#[test]
fn every_key_of_the_signed_surfaces_has_its_range_and_its_default() {
    assert_eq!(*good(&text("[huawei]")).machine.huawei, HuaweiConfig::default());
    for (key, right, wrong) in [("clock_skew", "\"10s\"", "\"9s\""), ("refuse_replays", "false", "\"no\"")] {
        good(&text(&format!("[huawei]\n{key} = {right}")));
        let said = faults(&text(&format!("[huawei]\n{key} = {wrong}")));
        assert!(said.len() == 1 && said[0].contains(key), "{key} = {wrong}: {said:?}");
    }
    let set = good(&text("[huawei]\nclock_skew = \"1m\"\nrefuse_replays = false"));
    assert_eq!((set.machine.huawei.clock_skew, set.machine.huawei.once), (Duration::from_secs(60), false));
}

#[test]
fn an_access_key_opens_what_is_said_of_its_tenant() {
    let more = "old_secret = \"the-secret-before-it\"\nopens = [\"files\"]\n[huawei.tenant.acme]\ncc = 2\nsip = \"192.0.2.1:5060\"\n\
                [agent_gateway.tenant.default]\nvdn = 7\nskills = [\"sales:21\"]\n";
    let loaded = good(&text(&format!("{KEY}{more}")));
    let config = &loaded.machine.huawei;
    let (tenant, key) = config.key("crm").unwrap();
    let skills = [(Name::new("sales").unwrap(), 21)].into();
    assert_eq!(
        tenant.tenant,
        GatewayTenant { id: TenantId::DEFAULT, vdn: 7, skills },
        "as the gateway has it"
    );
    assert_eq!(key.secrets, ["a-secret-of-the-crm", "the-secret-before-it"].map(|text| Secret(text.into())));
    assert_eq!(key.opens, [Face::Files]);
    let acme = config.tenant(TenantId::new("acme").unwrap()).unwrap();
    assert_eq!((acme.cc, acme.sip.clone()), (2, Some(("192.0.2.1".into(), 5_060))));
    assert!(config.key("other").is_none());
    assert!(!format!("{:?}", loaded.machine).contains("a-secret-of"));
    let all = good(&text(KEY));
    assert_eq!(all.machine.huawei.key("crm").unwrap().1.opens, Face::ALL);
}

#[test]
fn what_is_wrong_with_an_access_key_is_said() {
    let twice = "[huawei.tenant.acme.key.crm]\nsecret = \"another-secret-here\"";
    for (own, said) in [
        ("[huawei.tenant.other]".to_owned(), "there is no such tenant"),
        (format!("{KEY}{twice}"), "another tenant has this access key"),
        (format!("{KEY}opens = [\"calls\", \"everything\"]"), "monitoring"),
        ("[huawei.tenant.default.key.crm]".to_owned(), "at least 16 characters"),
        ("[huawei.tenant.default.key.crm]\nsecret = \"short\"".to_owned(), "at least 16 characters"),
        (format!("[huawei.tenant.default.key.\"a/b\"]\nsecret = \"{}\"", "x".repeat(16)), "without a slash"),
        ("[huawei.tenant.default]\nvdn = 0".to_owned(), "vdn"),
        ("[huawei.tenant.default]\nsip = \"192.0.2.1\"".to_owned(), "sip"),
    ] {
        let told = faults(&text(&own));
        assert!(told.len() == 1 && told[0].contains(said), "{own}: {told:?}");
    }
}
