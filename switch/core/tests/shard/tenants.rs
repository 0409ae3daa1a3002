//! Two tenants on one switch know nothing of each other.

use crate::rig::*;
use cordboard_model::config::SharedNumber;
use cordboard_model::id::TenantId;
use cordboard_sip::auth::{Algorithm, ha1};

const OTHER: &str = "198.51.100.8:5060";

fn both() -> Rig {
    let mut rig = Rig::new();
    rig.configure(snapshot(vec![
        tenant("default", "example.com", TRUNK),
        tenant("acme", "acme.test", OTHER),
    ]));
    rig
}

#[test]
fn a_call_belongs_to_the_tenant_of_its_trunk() {
    let mut rig = both();
    let acme = TenantId::new("acme").unwrap();
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    // Whatever domain it names: the trunk decides.
    rig.datagram(OTHER, &invite(OTHER, "2000", "example.com", "b"));
    let displays = |tenant| {
        let calls = rig.shard.calls(tenant);
        calls.into_iter().map(|call| call.from.display).collect::<Vec<_>>()
    };
    assert_eq!((displays(TenantId::DEFAULT), displays(acme)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    assert_eq!(rig.shard.queues(acme)[0].waiting.len(), 1);
    assert_eq!(rig.shard.queues(TenantId::DEFAULT)[0].waiting.len(), 1);
}

#[test]
fn a_number_of_a_trunk_that_is_another_tenants_makes_the_call_his() {
    let acme = TenantId::new("acme").unwrap();
    let mut tenants = [tenant("default", "example.com", TRUNK), tenant("acme", "acme.test", OTHER)];
    for number in ["2000", "+4930555"] {
        let mut rig = Rig::new();
        let shared = SharedNumber { number: number.into(), tenant: acme };
        tenants[0].trunks.values_mut().for_each(|trunk| trunk.shared = vec![shared.clone()]);
        rig.configure(snapshot(tenants.to_vec()));
        rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
        let of = |tenant| rig.shard.queues(tenant)[0].waiting.len();
        let is_his = number == "2000";
        assert_eq!(
            (of(TenantId::DEFAULT), of(acme)),
            (usize::from(!is_his), usize::from(is_his)),
            "{number}"
        );
        // the trunk that brought it carries it, and has room again when it is over
        assert_eq!(rig.shard.trunk_views(TenantId::DEFAULT)[0].calls, 1);
        assert_eq!(rig.shard.trunk_views(acme)[0].calls, 0);
    }
}

#[test]
fn a_call_is_explained_as_it_would_be_routed_shared_numbers_included() {
    let acme = TenantId::new("acme").unwrap();
    let mut tenants = [tenant("default", "example.com", TRUNK), tenant("acme", "acme.test", OTHER)];
    let shared = SharedNumber { number: "+4930555".into(), tenant: acme };
    tenants[0].trunks.values_mut().for_each(|trunk| trunk.shared = vec![shared.clone()]);
    let id = tenants[0].trunks.values().next().unwrap().id.clone();
    let mut rig = Rig::new();
    rig.configure(snapshot(tenants.to_vec()));
    let own = TenantId::DEFAULT;
    let said = rig.shard.explain(own, Some(&id), "+4930123", "2000").unwrap();
    assert_eq!((said.tenant, said.refused), (own, None));
    assert!(said.goes_to.is_some() && !said.reasons.is_empty(), "{said:?}");
    let his = rig.shard.explain(own, Some(&id), "+4930123", "+4930555").unwrap();
    assert_eq!((his.tenant, his.goes_to, his.reasons.len()), (acme, None, 0), "that is his");
    assert!(rig.shard.explain(own, None, "1001", "9999").unwrap().refused.is_some());
    assert!(rig.shard.explain(acme, Some(&id), "+4930123", "2000").is_none(), "another tenant's trunk");
}

#[test]
fn the_same_account_in_two_domains_is_two_with_a_realm_each_and_none_reaches_the_other() {
    let mut tenants = vec![tenant("default", "example.com", TRUNK), tenant("acme", "acme.test", OTHER)];
    for tenant in &mut tenants {
        let realm = tenant.domains[0].clone();
        for user in tenant.users.values_mut() {
            user.ha1_md5 = ha1(Algorithm::Md5, "1001", &realm, "secret");
            user.ha1_sha256 = ha1(Algorithm::Sha256, "1001", &realm, "secret");
        }
    }
    let mut rig = Rig::new();
    rig.configure(snapshot(tenants));
    let phone = "203.0.113.9:5060";
    for (own, other) in [("example.com", "acme.test"), ("acme.test", "example.com")] {
        let text =
            String::from_utf8(invite(phone, "2000", own, own)).unwrap().replace("sip:caller@", "sip:1001@");
        let (before, over) = (
            rig.heard("journal CallOpened"),
            text.replace(&format!("sip:2000@{own}"), &format!("sip:1001@{other}")),
        );
        rig.authenticated(phone, &text, "secret");
        assert!(header(rig.last("401"), "WWW-Authenticate").contains(&format!("realm=\"{own}\"")));
        assert_eq!(rig.heard("journal CallOpened"), before + 1, "{:#?}", rig.said);
        let over = over.replace(&format!("Call-ID: {own}"), &format!("Call-ID: over-{own}"));
        let over = over.replace(&format!("z9hG4bK{own}"), &format!("z9hG4bKover{own}"));
        rig.authenticated(phone, &over, "secret");
        assert_eq!(rig.heard("journal CallOpened"), before + 1, "it went over");
        assert!(rig.last("404").contains(&format!("Call-ID: over-{own}")));
    }
    for tenant in [TenantId::DEFAULT, TenantId::new("acme").unwrap()] {
        assert_eq!(rig.shard.queues(tenant)[0].waiting.len(), 1);
    }
}

#[test]
fn each_tenants_events_are_numbered_by_themselves() {
    let mut rig = both();
    rig.datagram(TRUNK, &invite(TRUNK, "2000", "example.com", "a"));
    rig.datagram(OTHER, &invite(OTHER, "9", "acme.test", "b"));
    for tenant in [TenantId::DEFAULT, TenantId::new("acme").unwrap()] {
        let numbers: Vec<u64> =
            rig.events.iter().filter(|(of, ..)| *of == tenant).map(|(_, seq, _)| *seq).collect();
        let count = numbers.len() as u64;
        assert!(count > 3);
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "{tenant}");
        assert_eq!(rig.shard.last_event(tenant), count);
    }
}

#[test]
fn a_tenant_that_is_removed_takes_no_more_calls_and_keeps_those_it_has() {
    let mut rig = both();
    rig.datagram(OTHER, &invite(OTHER, "2000", "acme.test", "a"));
    let ok = rig.last("200 OK").to_owned();
    rig.datagram(OTHER, &within("ACK", 1, OTHER, &ok));
    rig.configure(one_tenant());
    rig.datagram(OTHER, &invite(OTHER, "2000", "acme.test", "b"));
    assert_eq!(rig.heard("journal CallOpened"), 1, "{:#?}", rig.said);
    rig.datagram(OTHER, &within("BYE", 2, OTHER, &ok));
    rig.after(40_000);
    assert_eq!(rig.heard("journal CallClosed"), 1);
    assert_eq!(rig.shard.leftovers(), [""; 0]);
}
