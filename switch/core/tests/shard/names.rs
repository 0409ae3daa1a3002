//! Gateways that are known by a name.

use crate::rig::*;
use cordboard_core::ShardInput;
use cordboard_model::config::{CalledNumber, NamedGateway, SipTransport, Snapshot, Trunk};
use cordboard_model::dns::{DnsAnswer, DnsQuery, DnsRecords, Srv};
use cordboard_model::event::EventKind;
use cordboard_model::id::{TenantId, TrunkId};
use cordboard_model::time::Duration;
use cordboard_model::verb::Destination;

const FIRST: &str = "198.51.100.81:5060";
const SECOND: &str = "198.51.100.82:5070";

fn named(transport: Option<SipTransport>) -> Snapshot {
    let mut snapshot = one_tenant();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    let id = TrunkId::new(TenantId::DEFAULT, "far").unwrap();
    let gateway = NamedGateway { host: "far.example".into(), port: None, transport, priority: 0 };
    let far = Trunk { named: vec![gateway], ..Trunk::new(id.clone()) };
    tenant.trunks.insert(id.name.clone(), far);
    let to = Destination::Trunk(id, "900".into());
    tenant.numbers.push(CalledNumber { access_code: "900".into(), extension_code: None, to });
    snapshot
}

/// Answers every question that was asked: SRV with these hosts, each at its address.
fn answer(rig: &mut Rig, hosts: &[(u16, &str)], ttl: Duration) {
    while let Some((ticket, query)) = rig.looked.pop() {
        let records = match &query {
            DnsQuery::Naptr(_) => None,
            DnsQuery::Srv(_) if hosts.is_empty() => None,
            DnsQuery::Srv(_) => Some(DnsRecords::Srv(
                hosts
                    .iter()
                    .map(|(priority, at)| Srv {
                        priority: *priority,
                        weight: 1,
                        port: addr(at).port(),
                        target: format!("h{}.far.example", addr(at).port()),
                    })
                    .collect(),
            )),
            DnsQuery::Addr(name) => {
                let of = hosts.iter().find(|(_, at)| name.starts_with(&format!("h{}.", addr(at).port())));
                of.map(|(_, at)| DnsRecords::Addr(vec![addr(at).ip()]))
            }
        };
        let answer = match records {
            Some(records) => DnsAnswer::Found { records, ttl },
            None => DnsAnswer::Nothing { ttl },
        };
        rig.input(ShardInput::Looked { ticket, answer });
    }
}

fn gateways(rig: &Rig) -> Vec<String> {
    let trunks = rig.shard.trunk_views(TenantId::DEFAULT);
    let far = trunks.into_iter().find(|trunk| trunk.trunk.name.as_str() == "far").unwrap();
    far.gateways.into_iter().map(|gateway| gateway.address).collect()
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_dead_first_target_of_a_domain_is_passed_over_for_the_second() {
    let mut rig = Rig::new();
    rig.configure(named(Some(SipTransport::Udp)));
    rig.after(0);
    answer(&mut rig, &[(1, FIRST), (2, SECOND)], HOUR);
    assert_eq!(gateways(&rig), [format!("udp:{FIRST} (far.example)"), format!("udp:{SECOND} (far.example)")]);
    rig.datagram(TRUNK, &invite(TRUNK, "900", "example.com", "a"));
    assert_eq!(rig.heard(&format!("{FIRST} INVITE sip:900@far.example")), 1, "{:#?}", rig.said);
    rig.after(4_000);
    assert_eq!(rig.heard(&format!("{SECOND} INVITE sip:900@far.example")), 1, "{:#?}", rig.said);
}

#[test]
fn the_domain_is_asked_for_again_when_its_records_are_old_and_calls_go_where_it_is_then() {
    let mut rig = Rig::new();
    rig.configure(named(Some(SipTransport::Udp)));
    rig.after(0);
    answer(&mut rig, &[(1, FIRST)], Duration::from_secs(60));
    rig.after(59_000);
    assert!(rig.looked.is_empty());
    rig.after(1_000);
    assert_eq!(rig.looked.len(), 1);
    answer(&mut rig, &[(1, SECOND)], HOUR);
    assert_eq!(gateways(&rig), [format!("udp:{SECOND} (far.example)")]);
}

/// An unreachable name server is no reason to lose a trunk.
#[test]
fn a_domain_that_cannot_be_found_any_more_stays_where_it_was() {
    let mut rig = Rig::new();
    rig.configure(named(Some(SipTransport::Udp)));
    rig.after(0);
    answer(&mut rig, &[(1, FIRST)], Duration::from_secs(60));
    rig.after(60_000);
    let (ticket, _) = rig.looked.pop().unwrap();
    rig.input(ShardInput::Looked { ticket, answer: DnsAnswer::Failed });
    answer(&mut rig, &[], HOUR);
    assert_eq!(gateways(&rig), [format!("udp:{FIRST} (far.example)")]);
    // and it is asked for again soon
    rig.after(30_000);
    assert!(!rig.looked.is_empty());
}

#[test]
fn a_domain_that_is_nowhere_is_said_so_and_its_calls_fail_at_once() {
    let mut rig = Rig::new();
    rig.configure(named(None));
    rig.after(0);
    answer(&mut rig, &[], HOUR);
    let told = |(_, _, what): &(TenantId, u64, EventKind)| match what {
        EventKind::TrunkChanged { gateway, state, .. } => {
            gateway.as_deref() == Some("far.example") && state == "not found in the domain name system"
        }
        _ => false,
    };
    assert!(rig.events.iter().any(told), "{:?}", rig.events);
    rig.datagram(TRUNK, &invite(TRUNK, "900", "example.com", "a"));
    assert_eq!(rig.heard("SIP/2.0 480"), 1, "{:#?}", rig.said);
}

#[test]
fn a_reload_keeps_what_was_found_and_asks_only_for_what_is_new() {
    let mut rig = Rig::new();
    rig.configure(named(Some(SipTransport::Udp)));
    rig.after(0);
    answer(&mut rig, &[(1, FIRST)], HOUR);
    rig.configure(named(Some(SipTransport::Udp)));
    rig.after(0);
    assert!(rig.looked.is_empty());
    assert_eq!(gateways(&rig), [format!("udp:{FIRST} (far.example)")]);
    rig.configure(named(Some(SipTransport::Tcp)));
    rig.after(0);
    assert_eq!(rig.looked, [(rig.looked[0].0, DnsQuery::Srv("_sip._tcp.far.example".into()))]);
    // an answer to a question of the old configuration changes nothing
    rig.input(ShardInput::Looked { ticket: 1, answer: DnsAnswer::Failed });
    assert!(gateways(&rig).is_empty());
}
