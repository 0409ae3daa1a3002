//! Domains as operators of carriers set them up, and as they break.

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// A small name system: what it does not know is nothing.
#[derive(Default)]
struct Names {
    known: Vec<(DnsQuery, DnsAnswer)>,
    asked: Vec<String>,
}

impl Names {
    fn add(mut self, query: DnsQuery, records: DnsRecords) -> Self {
        self.known.push((query, DnsAnswer::Found { records, ttl: HOUR }));
        self
    }

    fn addr(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.add(DnsQuery::Addr(name.into()), DnsRecords::Addr(addresses))
    }

    fn srv(self, name: &str, records: &[(u16, u16, u16, &str)]) -> Self {
        let record = |(priority, weight, port, target): &(u16, u16, u16, &str)| Srv {
            priority: *priority,
            weight: *weight,
            port: *port,
            target: (*target).into(),
        };
        self.add(DnsQuery::Srv(name.into()), DnsRecords::Srv(records.iter().map(record).collect()))
    }

    fn naptr(self, name: &str, records: &[(u16, u16, &str, &str)]) -> Self {
        let record = |(order, preference, service, replacement): &(u16, u16, &str, &str)| Naptr {
            order: *order,
            preference: *preference,
            flags: "s".into(),
            service: (*service).into(),
            replacement: (*replacement).into(),
        };
        self.add(DnsQuery::Naptr(name.into()), DnsRecords::Naptr(records.iter().map(record).collect()))
    }

    fn fails(mut self, query: DnsQuery) -> Self {
        self.known.push((query, DnsAnswer::Failed));
        self
    }

    /// Answers until it is over; the last question first, for the order must not matter.
    fn locate(
        &mut self,
        domain: &str,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> (Vec<String>, Duration) {
        let (mut locate, mut step) = Locate::new(domain, port, transport);
        let mut open = Vec::new();
        loop {
            match step {
                Step::Ask(queries) => open.extend(queries),
                Step::Wait => {}
                Step::Done { places, again } => {
                    let line = |place: &Place| {
                        format!(
                            "{}:{} {}/{}",
                            place.transport.as_str(),
                            place.address,
                            place.priority,
                            place.weight
                        )
                    };
                    return (places.iter().map(line).collect(), again);
                }
            }
            let query: DnsQuery = open.pop().expect("it waits for nothing");
            self.asked.push(format!("{query:?}"));
            let known = self.known.iter().find(|(known, _)| *known == query);
            let answer = known.map_or(DnsAnswer::Nothing { ttl: HOUR }, |(_, answer)| answer.clone());
            step = locate.answer(&query, answer);
        }
    }
}

#[test]
fn naptr_says_which_transports_in_which_order() {
    let mut names = Names::default()
        .naptr(
            "carrier.example",
            &[
                (20, 1, "SIP+D2U", "_sip._udp.carrier.example."),
                (10, 2, "SIP+D2T", "_sip._tcp.carrier.example"),
                (10, 1, "SIPS+D2T", "_sips._tcp.carrier.example"),
                (1, 1, "E2U+sip", "ignored.example"),
            ],
        )
        .srv("_sips._tcp.carrier.example", &[(0, 5, 5061, "a.carrier.example.")])
        .srv("_sip._tcp.carrier.example", &[(0, 5, 5060, "a.carrier.example")])
        .srv("_sip._udp.carrier.example", &[(7, 5, 5070, "b.carrier.example")])
        .addr("a.carrier.example", &["192.0.2.1", "2001:db8::1"])
        .addr("b.carrier.example", &["192.0.2.2"]);
    let (places, again) = names.locate("carrier.example", None, None);
    assert_eq!(
        places,
        [
            "tls:192.0.2.1:5061 0/5",
            "tls:[2001:db8::1]:5061 0/5",
            "tcp:192.0.2.1:5060 65536/5",
            "tcp:[2001:db8::1]:5060 65536/5",
            "udp:192.0.2.2:5070 131079/5",
        ]
    );
    assert_eq!(again, HOUR);
}

#[test]
fn without_naptr_srv_is_asked_for_each_transport() {
    let mut names = Names::default()
        .srv("_sip._udp.carrier.example", &[(1, 10, 5060, "a.example"), (2, 0, 5080, "b.example")])
        .addr("a.example", &["192.0.2.1"])
        .addr("b.example", &["192.0.2.2"]);
    let (places, _) = names.locate("carrier.example", None, None);
    assert_eq!(places, ["udp:192.0.2.1:5060 1/10", "udp:192.0.2.2:5080 2/0"]);
}

#[test]
fn without_srv_the_domain_is_a_host() {
    let mut names = Names::default().addr("sip.example", &["192.0.2.9"]);
    assert_eq!(names.locate("sip.example", None, None).0, ["udp:192.0.2.9:5060 0/1"]);
    assert_eq!(names.locate("sip.example", None, Some(Transport::Tls)).0, ["tls:192.0.2.9:5061 0/1"]);
}

/// "with a port, an A or AAAA record lookup" alone (4.2).
#[test]
fn with_a_port_only_the_address_is_asked_for() {
    let mut names = Names::default().addr("sip.example", &["192.0.2.9"]);
    assert_eq!(names.locate("sip.example", Some(5080), None).0, ["udp:192.0.2.9:5080 0/1"]);
    assert_eq!(names.asked, ["Addr(\"sip.example\")"]);
}

#[test]
fn a_service_that_says_it_is_not_there_is_nowhere() {
    let mut names = Names::default()
        .srv("_sip._tcp.carrier.example", &[(0, 0, 0, ".")])
        .addr("carrier.example", &["192.0.2.1"]);
    assert_eq!(names.locate("carrier.example", None, Some(Transport::Tcp)).0, [""; 0]);
}

#[test]
fn what_nobody_answers_is_asked_again_soon_and_what_was_answered_is_used() {
    let mut names = Names::default()
        .srv("_sip._udp.carrier.example", &[(1, 1, 5060, "a.example"), (1, 1, 5060, "b.example")])
        .addr("a.example", &["192.0.2.1"])
        .fails(DnsQuery::Addr("b.example".into()));
    let (places, again) = names.locate("carrier.example", None, Some(Transport::Udp));
    assert_eq!((places.as_slice(), again), (["udp:192.0.2.1:5060 1/1".to_owned()].as_slice(), RETRY));
    let mut dead = Names::default().fails(DnsQuery::Naptr("dead.example".into()));
    assert_eq!(dead.locate("dead.example", None, None), (Vec::new(), RETRY));
}

#[test]
fn a_domain_with_a_thousand_hosts_is_not_asked_a_thousand_questions() {
    let targets: Vec<String> = (0..1_000).map(|n| format!("h{n}.example")).collect();
    let records: Vec<_> = targets.iter().map(|target| (0, 1, 5060, target.as_str())).collect();
    let mut names = Names::default().srv("_sip._udp.big.example", &records);
    assert_eq!(names.locate("big.example", None, Some(Transport::Udp)).0, [""; 0]);
    assert!(names.asked.len() <= QUESTIONS_MAX, "{}", names.asked.len());
}

#[test]
fn an_answer_to_what_was_not_asked_is_ignored_and_a_ttl_of_zero_is_not_taken_literally() {
    let (mut locate, _) = Locate::new("sip.example", Some(5060), None);
    let foreign = DnsQuery::Addr("evil.example".into());
    let found = |address: &str| DnsAnswer::Found {
        records: DnsRecords::Addr(vec![address.parse().unwrap()]),
        ttl: Duration::ZERO,
    };
    assert_eq!(locate.answer(&foreign, found("203.0.113.66")), Step::Wait);
    let own = DnsQuery::Addr("sip.example".into());
    let Step::Done { places, again } = locate.answer(&own, found("192.0.2.9")) else { panic!("not done") };
    assert_eq!((places[0].address.to_string().as_str(), again), ("192.0.2.9:5060", TTL_MIN));
    assert_eq!(locate.answer(&own, found("203.0.113.66")), Step::Wait);
}
