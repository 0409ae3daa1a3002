//! Where a SIP domain is (RFC 3263): NAPTR, then SRV, then addresses, as questions and answers without a socket.
//!
//! Invariants: a location ends, whatever is answered and in whatever order; it asks at most [`QUESTIONS_MAX`] questions
//! and gives at most [`PLACES_MAX`] places; an answer to what was not asked is ignored.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;

use cordboard_model::dns::{DnsAnswer, DnsQuery, DnsRecords, Naptr, Srv};

use crate::engine::Transport;

/// Most questions about one name.
pub const QUESTIONS_MAX: usize = 32;
/// Most places that a name leads to.
pub const PLACES_MAX: usize = 32;
/// Answers are used no shorter than this: a TTL of zero must not make a question of every call.
const TTL_MIN: Duration = Duration::from_secs(5);
/// Answers are used no longer than this.
const TTL_MAX: Duration = Duration::from_secs(86_400);
/// When to ask again after nobody answered.
const RETRY: Duration = Duration::from_secs(30);

/// A place that serves the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// How it is reached.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// The lowest is tried first: the service's rank among the domain's, then the record's priority.
    pub priority: u32,
    /// Its share among those of one priority.
    pub weight: u16,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask these; each is to be answered by [`Locate::answer`].
    Ask(Vec<DnsQuery>),
    /// Wait for the answers that are still to come.
    Wait,
    /// It is over.
    Done {
        /// Where the domain is; empty if it is nowhere, or nobody knows.
        places: Vec<Place>,
        /// When to look again.
        again: Duration,
    },
}

/// A service of the domain: its SRV name and the transport it stands for.
#[derive(Clone, Debug)]
struct Service {
    name: String,
    transport: Transport,
}

/// A host of a service.
#[derive(Clone, Debug)]
struct Host {
    name: String,
    port: u16,
    transport: Transport,
    priority: u32,
    weight: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Services,
    Hosts,
    Addresses,
    Over,
}

/// The location of one domain.
#[derive(Clone, Debug)]
pub struct Locate {
    domain: String,
    port: Option<u16>,
    transport: Option<Transport>,
    stage: Stage,
    services: Vec<Service>,
    hosts: Vec<Host>,
    /// Questions without an answer.
    open: Vec<DnsQuery>,
    addresses: BTreeMap<String, Vec<IpAddr>>,
    srv: BTreeMap<String, Vec<Srv>>,
    asked: usize,
    ttl: Duration,
    failed: bool,
}

impl Locate {
    /// Begins. `transport` and `port` are what was written beside the domain.
    #[must_use]
    pub fn new(domain: &str, port: Option<u16>, transport: Option<Transport>) -> (Self, Step) {
        let mut locate = Self {
            domain: domain.to_owned(),
            port,
            transport,
            stage: Stage::Services,
            services: Vec::new(),
            hosts: Vec::new(),
            open: Vec::new(),
            addresses: BTreeMap::new(),
            srv: BTreeMap::new(),
            asked: 0,
            ttl: TTL_MAX,
            failed: false,
        };
        let step = match (port, transport) {
            // "If the TARGET is not a numeric IP address, and no port was present in the URI, the client performs an SRV
            // query" (4.2); with a port, "an A or AAAA record lookup of the domain name"
            (Some(_), _) => locate.ask_own_addresses(),
            (None, Some(transport)) => {
                locate.services = vec![service(domain, transport)];
                locate.ask_services()
            }
            (None, None) => locate.ask(vec![DnsQuery::Naptr(domain.to_owned())]),
        };
        (locate, step)
    }

    /// Takes an answer.
    pub fn answer(&mut self, query: &DnsQuery, answer: DnsAnswer) -> Step {
        let Some(at) = self.open.iter().position(|open| open == query) else {
            return Step::Wait;
        };
        self.open.swap_remove(at);
        match answer {
            DnsAnswer::Found { records, ttl } => {
                self.ttl = self.ttl.min(ttl);
                self.take(query, records);
            }
            DnsAnswer::Nothing { ttl } => self.ttl = self.ttl.min(ttl),
            DnsAnswer::Failed => self.failed = true,
        }
        if !self.open.is_empty() {
            return Step::Wait;
        }
        match self.stage {
            Stage::Services => {
                if self.services.is_empty() {
                    // "If no NAPTR records are found, the client constructs SRV queries for those transport protocols it
                    // supports, and does a query for each." (4.1)
                    let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
                    self.services = all.map(|transport| service(&self.domain, transport)).to_vec();
                }
                self.ask_services()
            }
            Stage::Hosts => self.ask_addresses(),
            Stage::Addresses | Stage::Over => self.done(),
        }
    }

    fn take(&mut self, query: &DnsQuery, records: DnsRecords) {
        match records {
            DnsRecords::Naptr(records) => self.services = services(records),
            DnsRecords::Srv(records) => {
                self.srv.insert(query.name().to_owned(), records);
            }
            DnsRecords::Addr(addresses) => {
                self.addresses.insert(query.name().to_owned(), addresses);
            }
        }
    }

    fn ask(&mut self, queries: Vec<DnsQuery>) -> Step {
        for query in queries {
            if self.asked < QUESTIONS_MAX && !self.open.contains(&query) {
                self.asked += 1;
                self.open.push(query);
            }
        }
        match self.open.is_empty() {
            true => self.done(),
            false => Step::Ask(self.open.clone()),
        }
    }

    fn ask_services(&mut self) -> Step {
        self.stage = Stage::Hosts;
        let queries = self.services.iter().map(|service| DnsQuery::Srv(service.name.clone()));
        self.ask(queries.collect())
    }

    fn ask_addresses(&mut self) -> Step {
        for (rank, service) in (0_u32..).zip(&self.services) {
            for record in self.srv.get(&service.name).into_iter().flatten() {
                if record.target == "." || record.target.is_empty() {
                    continue;
                }
                self.hosts.push(Host {
                    name: record.target.trim_end_matches('.').to_owned(),
                    port: record.port,
                    transport: service.transport,
                    priority: rank << 16 | u32::from(record.priority),
                    weight: record.weight,
                });
            }
        }
        self.hosts.truncate(PLACES_MAX);
        // "If no SRV records were found, the client performs an A or AAAA record lookup of the domain name." (4.2); but a
        // service that says that it is not there is not there
        if self.hosts.is_empty() && self.srv.is_empty() {
            return self.ask_own_addresses();
        }
        self.stage = Stage::Addresses;
        let queries = self.hosts.iter().map(|host| DnsQuery::Addr(host.name.clone()));
        let queries = queries.collect();
        self.ask(queries)
    }

    /// The domain is a host by itself.
    fn ask_own_addresses(&mut self) -> Step {
        self.stage = Stage::Addresses;
        let transport = self.transport.unwrap_or(Transport::Udp);
        let default = if transport == Transport::Tls { 5061 } else { 5060 };
        let port = self.port.unwrap_or(default);
        self.hosts = vec![Host { name: self.domain.clone(), port, transport, priority: 0, weight: 1 }];
        self.ask(vec![DnsQuery::Addr(self.domain.clone())])
    }

    fn done(&mut self) -> Step {
        self.stage = Stage::Over;
        let mut places = Vec::new();
        for host in &self.hosts {
            for address in self.addresses.get(&host.name).into_iter().flatten() {
                let place = Place {
                    transport: host.transport,
                    address: SocketAddr::new(*address, host.port),
                    priority: host.priority,
                    weight: host.weight,
                };
                if places.len() < PLACES_MAX && !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        let again = match self.failed {
            true => self.ttl.min(RETRY),
            false => self.ttl,
        };
        Step::Done { places, again: again.clamp(TTL_MIN, TTL_MAX) }
    }
}

/// The SRV name of a transport (4.1): `_sips._tcp` is SIP over TLS.
fn service(domain: &str, transport: Transport) -> Service {
    let prefix = match transport {
        Transport::Tls => "_sips._tcp",
        Transport::Tcp => "_sip._tcp",
        _ => "_sip._udp",
    };
    Service { name: format!("{prefix}.{domain}"), transport }
}

/// Those of our transports, the preferred first. "the client discards any records whose services fields are not
/// applicable" (4.1).
fn services(mut records: Vec<Naptr>) -> Vec<Service> {
    records.sort_by_key(|record| (record.order, record.preference));
    let of = |record: Naptr| {
        let transport = match record.service.to_ascii_uppercase().as_str() {
            "SIP+D2U" => Transport::Udp,
            "SIP+D2T" => Transport::Tcp,
            "SIPS+D2T" => Transport::Tls,
            _ => return None,
        };
        let name = record.replacement.trim_end_matches('.').to_owned();
        (record.flags.eq_ignore_ascii_case("s") && !name.is_empty()).then_some(Service { name, transport })
    };
    records.into_iter().filter_map(of).take(8).collect()
}

#[cfg(test)]
mod tests;
