//! Two tenants on one switch know nothing of each other.

use crate::rig::*;
use cordboard_model::id::TenantId;

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
