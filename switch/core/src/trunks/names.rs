//! Gateways that are known by a name: asked for, asked again when the answer is old, and put beside those with an address.
//!
//! Invariants: a name that cannot be found any more keeps the places that were found last, for an unreachable name
//! server is no reason to lose a trunk; a place that stays keeps what is known of it.

use super::Due;
use crate::ShardOutput;
use crate::shard::Shard;
use cordboard_model::config::{Gateway, NamedGateway, SipTransport, Snapshot, Trunk};
use cordboard_model::dns::{DnsAnswer, DnsQuery};
use cordboard_model::id::TrunkId;
use cordboard_model::time::{Time, TimerReason};
use cordboard_sip::engine::Transport;
use cordboard_sip::locate::{Locate, Place, Step};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One name of one trunk.
#[derive(Debug, Default)]
struct Named {
    /// Under way.
    locate: Option<Locate>,
    /// What was found last.
    places: Vec<Place>,
}

/// All names of all trunks.
#[derive(Debug, Default)]
pub(crate) struct Names {
    of: BTreeMap<(TrunkId, usize), Named>,
    /// Questions on their way, and whose they are.
    asked: BTreeMap<u64, ((TrunkId, usize), DnsQuery)>,
    last: u64,
}

fn transport(of: SipTransport) -> Transport {
    match of {
        SipTransport::Udp => Transport::Udp,
        SipTransport::Tcp => Transport::Tcp,
        SipTransport::Tls => Transport::Tls,
    }
}

fn gateway(place: &Place, named: &NamedGateway, priority: u16) -> Gateway {
    let transport = match place.transport {
        Transport::Tcp => SipTransport::Tcp,
        Transport::Tls => SipTransport::Tls,
        _ => SipTransport::Udp,
    };
    Gateway {
        address: place.address,
        transport,
        priority,
        weight: place.weight,
        domain: Some(named.host.clone()),
    }
}

impl Names {
    /// The names of a new configuration are asked for at once; those that stay are kept.
    pub(crate) fn configure(
        &mut self,
        snapshot: &Snapshot,
        old: &Snapshot,
        due: &mut super::Deadline,
        now: Time,
    ) {
        let trunks: Vec<&Trunk> =
            snapshot.tenants.values().flat_map(|tenant| tenant.trunks.values()).collect();
        let stays = |id: &TrunkId, at: usize| {
            let of = |snapshot: &Snapshot| snapshot.trunk(id).and_then(|trunk| trunk.named.get(at).cloned());
            of(snapshot).is_some() && of(snapshot) == of(old)
        };
        self.of.retain(|(id, at), _| stays(id, *at));
        self.asked.retain(|_, ((id, at), _)| stays(id, *at));
        for trunk in trunks {
            for at in 0..trunk.named.len() {
                let key = (trunk.id.clone(), at);
                if self.of.contains_key(&key) {
                    continue;
                }
                self.of.insert(key, Named::default());
                due.set(Due::Resolve(trunk.id.clone(), at), now, TimerReason("trunk name"));
            }
        }
    }

    /// The configuration with what was found put in.
    pub(crate) fn found(&self, configured: &Arc<Snapshot>) -> Arc<Snapshot> {
        if self.of.values().all(|named| named.places.is_empty()) {
            return Arc::clone(configured);
        }
        let mut snapshot = Snapshot::clone(configured);
        for trunk in snapshot.tenants.values_mut().flat_map(|tenant| tenant.trunks.values_mut()) {
            self.put_in(trunk);
        }
        Arc::new(snapshot)
    }

    /// Ranks what is configured and what was found in one order: by the configured priority, then by the domain's own.
    fn put_in(&self, trunk: &mut Trunk) {
        let mut all: Vec<((u16, u32), Gateway)> = Vec::new();
        for fixed in &trunk.gateways {
            all.push(((fixed.priority, 0), fixed.clone()));
        }
        for (at, named) in trunk.named.iter().enumerate() {
            let places = self.of.get(&(trunk.id.clone(), at)).map(|named| named.places.as_slice());
            for place in places.unwrap_or_default() {
                all.push(((named.priority, place.priority), gateway(place, named, 0)));
            }
        }
        let mut ranks: Vec<(u16, u32)> = all.iter().map(|(rank, _)| *rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        for (rank, gateway) in &mut all {
            let at = ranks.binary_search(rank).unwrap_or_default();
            gateway.priority = u16::try_from(at).unwrap_or(u16::MAX);
        }
        trunk.gateways = all.into_iter().map(|(_, gateway)| gateway).collect();
    }

    fn ticket(&mut self, key: &(TrunkId, usize), query: DnsQuery) -> u64 {
        self.last += 1;
        self.asked.insert(self.last, (key.clone(), query));
        self.last
    }
}

impl Shard {
    /// It is time to ask for a name.
    pub(super) fn resolve(&mut self, id: &TrunkId, at: usize) {
        let key = (id.clone(), at);
        let snapshot = Arc::clone(&self.snapshot);
        let named = snapshot.trunk(id).and_then(|trunk| trunk.named.get(at));
        let Some((named, entry)) = named.zip(self.trunks.names.of.get_mut(&key)) else {
            return;
        };
        if self.stop.is_ending() || entry.locate.is_some() {
            return;
        }
        let (locate, step) = Locate::new(&named.host, named.port, named.transport.map(transport));
        entry.locate = Some(locate);
        self.locate_step(&key, step);
    }

    fn locate_step(&mut self, key: &(TrunkId, usize), step: Step) {
        match step {
            Step::Wait => {}
            Step::Ask(queries) => {
                for query in queries {
                    let ticket = self.trunks.names.ticket(key, query.clone());
                    let domain = self.domain_of(key).unwrap_or_default();
                    self.out.push_back(ShardOutput::Lookup { ticket, query, domain });
                }
            }
            Step::Done { places, again } => {
                let due = Due::Resolve(key.0.clone(), key.1);
                self.trunks.due.set(due, self.now + again, TimerReason("trunk name"));
                let Some(named) = self.trunks.names.of.get_mut(key) else { return };
                named.locate = None;
                if places.is_empty() && named.places.is_empty() {
                    let domain = self.domain_of(key);
                    self.tell_trunk(&key.0, domain, "not found in the domain name system".to_owned());
                } else if !places.is_empty() && named.places != places {
                    named.places = places;
                    self.names_changed();
                }
            }
        }
    }

    fn domain_of(&self, (id, at): &(TrunkId, usize)) -> Option<String> {
        Some(self.snapshot.trunk(id)?.named.get(*at)?.host.clone())
    }

    /// A question is answered.
    pub(crate) fn on_looked(&mut self, ticket: u64, answer: DnsAnswer) {
        let Some((key, query)) = self.trunks.names.asked.remove(&ticket) else {
            return;
        };
        let step = match self.trunks.names.of.get_mut(&key).and_then(|named| named.locate.as_mut()) {
            Some(locate) => locate.answer(&query, answer),
            None => return,
        };
        self.locate_step(&key, step);
    }

    /// What was found has changed: trunks have other gateways from now on.
    fn names_changed(&mut self) {
        let found = self.trunks.names.found(&self.configured);
        let old = core::mem::replace(&mut self.snapshot, Arc::clone(&found));
        self.trunks.configure(&found, &old, self.now);
        let directory = self.directory(&found);
        let command = cordboard_sip::engine::SipCommand::Configure(Box::new(directory));
        self.sip.handle_command(command, self.now);
    }
}
