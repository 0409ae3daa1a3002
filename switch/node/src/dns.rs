//! Asks the domain name system what the shard wants to know.
//!
//! Invariant: every question is answered once, if only by a failure; a question never waits for another.

use crate::shard::Order;
use crate::transport::TlsStore;
use cordboard_lane::Sender;
use cordboard_model::dns::{DnsAnswer, DnsQuery, DnsRecords, Naptr, Srv};
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Questions that may wait for their turn; one more is answered with a failure.
const WAITING: usize = 256;
/// Questions that are asked at the same time.
const AT_ONCE: usize = 32;
/// How long a name server has for its answer, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// How long a "no" without a time of its own holds.
const NOTHING: Duration = Duration::from_secs(60);

/// A question of the shard.
#[derive(Debug)]
pub struct Question {
    /// Names it in the answer.
    pub ticket: u64,
    /// What.
    pub query: DnsQuery,
    /// The domain for whose sake it is asked.
    pub domain: String,
}

/// Who asks.
pub(crate) struct Dns {
    resolver: Option<TokioResolver>,
    answers: Sender<Order>,
    tls: Arc<TlsStore>,
    turns: Arc<Semaphore>,
}

impl Dns {
    /// Begins to ask; ends with the shard.
    pub(crate) fn start(
        servers: &[SocketAddr],
        answers: Sender<Order>,
        tls: Arc<TlsStore>,
    ) -> mpsc::Sender<Question> {
        let (questions, asked) = mpsc::channel(WAITING);
        tokio::spawn(Self::new(servers, answers, tls).run(asked));
        questions
    }

    /// Asks these servers, or those of the system if none is named.
    fn new(servers: &[SocketAddr], answers: Sender<Order>, tls: Arc<TlsStore>) -> Self {
        let resolver = match resolver(servers) {
            Ok(resolver) => Some(resolver),
            Err(why) => {
                tracing::warn!("names of gateways cannot be found: {why}; see [dns] servers");
                None
            }
        };
        Self { resolver, answers, tls, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Until the shard has ended.
    async fn run(self, mut questions: mpsc::Receiver<Question>) {
        while let Some(question) = questions.recv().await {
            let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
                return;
            };
            let (resolver, answers, tls) =
                (self.resolver.clone(), self.answers.clone(), Arc::clone(&self.tls));
            tokio::spawn(async move {
                let Question { ticket, query, domain } = question;
                let answer = match resolver {
                    Some(resolver) => ask(&resolver, &query).await,
                    None => DnsAnswer::Failed,
                };
                if let DnsAnswer::Found { records: DnsRecords::Addr(found), .. } = &answer {
                    found.iter().for_each(|address| tls.name(*address, &domain));
                }
                // The lane is full only while the shard is far behind; the name is asked for again when it is not.
                let mut order = Order::Looked { ticket, answer };
                while let Err(back) = answers.try_send(order) {
                    if answers.is_closed() {
                        return;
                    }
                    order = back.item;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                drop(turn);
            });
        }
    }
}

fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let mut builder = if servers.is_empty() {
        Resolver::builder_tokio()?
    } else {
        let server = |at: &SocketAddr| {
            let mut server = NameServerConfig::udp_and_tcp(at.ip());
            for connection in &mut server.connections {
                connection.port = at.port();
            }
            server
        };
        let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
        Resolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = TRIES;
    // the shard keeps answers for as long as they hold
    options.cache_size = 0;
    builder.build()
}

/// A name that is asked for as it is: no search list of the machine is tried.
fn whole(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

async fn ask(resolver: &TokioResolver, query: &DnsQuery) -> DnsAnswer {
    let name = whole(query.name());
    match query {
        DnsQuery::Naptr(_) => {
            let found = resolver.lookup(name, RecordType::NAPTR).await;
            answer(found.as_ref().map(|found| found.answers()), naptr, DnsRecords::Naptr)
        }
        DnsQuery::Srv(_) => {
            let found = resolver.lookup(name, RecordType::SRV).await;
            answer(found.as_ref().map(|found| found.answers()), srv, DnsRecords::Srv)
        }
        DnsQuery::Addr(_) => {
            let v4 = resolver.lookup(name.clone(), RecordType::A);
            let v6 = resolver.lookup(name, RecordType::AAAA);
            let (v4, v6) = tokio::join!(v4, v6);
            let v4 = answer(v4.as_ref().map(|found| found.answers()), address, DnsRecords::Addr);
            let v6 = answer(v6.as_ref().map(|found| found.answers()), address, DnsRecords::Addr);
            both(v4, v6)
        }
    }
}

/// Records of the kind that was asked for. An alias (CNAME) on the way is followed by the resolver.
fn answer<T>(
    found: Result<&[Record], &NetError>,
    read: impl Fn(&RData) -> Option<T>,
    kind: impl FnOnce(Vec<T>) -> DnsRecords,
) -> DnsAnswer {
    let records = match found {
        Ok(records) => records,
        Err(NetError::Dns(DnsError::NoRecordsFound(nothing))) => {
            let ttl = nothing.negative_ttl.map_or(NOTHING, |secs| Duration::from_secs(u64::from(secs)));
            return DnsAnswer::Nothing { ttl };
        }
        Err(_) => return DnsAnswer::Failed,
    };
    let ttl = records
        .iter()
        .map(|record| record.ttl)
        .min()
        .map_or(NOTHING, |secs| Duration::from_secs(u64::from(secs)));
    let read: Vec<T> = records.iter().filter_map(|record| read(&record.data)).collect();
    match read.is_empty() {
        true => DnsAnswer::Nothing { ttl },
        false => DnsAnswer::Found { records: kind(read), ttl },
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(found) = data else { return None };
    Some(Naptr {
        order: found.order,
        preference: found.preference,
        flags: text(&found.flags),
        service: text(&found.services),
        replacement: found.replacement.to_ascii(),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(found) = data else { return None };
    Some(Srv {
        priority: found.priority,
        weight: found.weight,
        port: found.port,
        target: found.target.to_ascii(),
    })
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(found) => Some(IpAddr::V4(found.0)),
        RData::AAAA(found) => Some(IpAddr::V6(found.0)),
        _ => None,
    }
}

/// What both families say: one is enough.
fn both(v4: DnsAnswer, v6: DnsAnswer) -> DnsAnswer {
    use DnsAnswer::{Failed, Found, Nothing};
    match (v4, v6) {
        (
            Found { records: DnsRecords::Addr(mut addresses), ttl },
            Found { records: DnsRecords::Addr(more), ttl: other },
        ) => {
            addresses.extend(more);
            Found { records: DnsRecords::Addr(addresses), ttl: ttl.min(other) }
        }
        (found @ Found { .. }, _) | (_, found @ Found { .. }) => found,
        (Nothing { ttl }, Nothing { ttl: other }) => Nothing { ttl: ttl.min(other) },
        (Nothing { .. } | Failed, Nothing { .. } | Failed) => Failed,
    }
}
