//! STUN by the vectors of RFC 5769; two agents against each other, and a peer that is written here by hand.

use super::agent::{Agent, Heard};
use super::stun::{self, Class, Role, Writer};
use cordboard_model::path::{Candidate, IceCredentials, IceTerms, PathFault};
use cordboard_model::time::{Duration, Time};
use core::net::SocketAddr;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
/// RFC 5769 2.1.
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
/// 2.2.
const ANSWER_4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
/// 2.3.
const ANSWER_6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";

#[test]
fn the_vectors_of_rfc_5769_are_read_and_their_integrity_holds() {
    let bytes = hex::decode(REQUEST).unwrap();
    let request = stun::read(&bytes).unwrap();
    assert_eq!((request.class, request.username), (Class::Request, Some(&b"evtj:h6vY"[..])));
    assert_eq!(
        (request.priority, request.role),
        (Some(0x6e00_01ff), Some(Role::Controlled(0x932f_f9b1_5126_3b36)))
    );
    assert!(request.fingerprint && request.is_of(PASSWORD) && !request.is_of(b"another"));
    for (text, mapped) in
        [(ANSWER_4, "192.0.2.1:32853"), (ANSWER_6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853")]
    {
        let bytes = hex::decode(text).unwrap();
        let answer = stun::read(&bytes).unwrap();
        assert_eq!((answer.class, answer.mapped), (Class::Success, mapped.parse().ok()));
        assert!(answer.fingerprint && answer.is_of(PASSWORD));
    }
}

#[test]
fn no_damage_to_a_message_passes_and_none_panics() {
    for text in [REQUEST, ANSWER_4, ANSWER_6] {
        let whole = hex::decode(text).unwrap();
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                let passes = stun::read(&bytes).is_some_and(|m| m.fingerprint && m.is_of(PASSWORD));
                assert!(!passes, "byte {at} bit {bit}");
            }
            assert!(stun::read(&whole[..at]).is_none());
        }
    }
}

fn credentials(user: &str) -> IceCredentials {
    IceCredentials { user: user.into(), password: format!("{user}-0123456789abcdefghijkl") }
}

fn terms(ours: &str, theirs: &str, candidates: &[SocketAddr], controlling: bool) -> IceTerms {
    let candidates =
        candidates.iter().map(|address| Candidate { address: *address, priority: 100 }).collect();
    IceTerms { ours: credentials(ours), theirs: credentials(theirs), candidates, lite: false, controlling }
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Two ends with what is between them: a packet to an address arrives at who has it, unless that way is cut.
struct Net {
    now: Time,
    rng: ChaCha8Rng,
    ends: [(SocketAddr, Agent); 2],
    /// Nothing passes.
    cut: bool,
    /// Where the second end is, too.
    also: Option<SocketAddr>,
    /// Nothing passes to or from there.
    dead: Option<SocketAddr>,
    sent: usize,
}

impl Net {
    fn new(a: (SocketAddr, IceTerms), b: (SocketAddr, IceTerms)) -> Self {
        let mut rng = ChaCha8Rng::from_seed([3; 32]);
        let now = Time::from_millis(1_000);
        let ends = [a, b].map(|(address, terms)| (address, Agent::new(&terms, now, &mut rng)));
        Self { now, rng, ends, cut: false, also: None, dead: None, sent: 0 }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            for from in [0, 1] {
                let mut buf = [0; 1_500];
                while let Some((to, len)) = self.ends[from].1.poll(&mut buf, self.now, &mut self.rng) {
                    self.sent += 1;
                    self.carry(from, self.ends[from].0, to, &buf[..len]);
                }
            }
            self.now = self.now + Duration::from_millis(10);
        }
    }

    fn carry(&mut self, from: usize, source: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let there = 1 - from;
        let is_there = self.ends[there].0 == to || there == 1 && self.also == Some(to);
        if self.cut || !is_there || [Some(source), Some(to)].contains(&self.dead) {
            return;
        }
        let mut buf = [0; 1_500];
        buf[..bytes.len()].copy_from_slice(bytes);
        if let Heard::Answer(len) = self.ends[there].1.hear(source, &mut buf, bytes.len(), self.now) {
            self.carry(there, to, source, &buf[..len]);
        }
    }

    fn selected(&self) -> [Option<SocketAddr>; 2] {
        [self.ends[0].1.selected(), self.ends[1].1.selected()]
    }
}

const A: &str = "192.0.2.1:1000";
const B: &str = "192.0.2.2:2000";
const C: &str = "198.51.100.2:2000";

fn pair(a_controls: bool, b_controls: bool) -> Net {
    let a = terms("aaaa", "bbbb", &[at(B)], a_controls);
    // b knows nothing of a's address: a is behind NAT
    Net::new((at(A), a), (at(B), terms("bbbb", "aaaa", &[at("10.0.0.1:9")], b_controls)))
}

#[test]
fn two_full_agents_find_each_other_also_where_both_or_none_believe_to_control() {
    for (a, b) in [(true, false), (false, true), (true, true), (false, false)] {
        let mut net = pair(a, b);
        net.run(Duration::from_secs(3));
        assert_eq!(net.selected(), [Some(at(B)), Some(at(A))], "{a} {b}");
        let now = net.now;
        assert!(net.ends[0].1.knows(at(B), now) && !net.ends[0].1.knows(at("192.0.2.9:9"), now));
        assert!(net.sent < 30, "{}", net.sent);
    }
}

#[test]
fn who_only_answers_follows_the_one_that_nominates() {
    let mut lite = terms("aaaa", "bbbb", &[], false);
    lite.lite = true;
    let mut net = Net::new((at(A), lite), (at(B), terms("bbbb", "aaaa", &[at(A)], true)));
    net.run(Duration::from_secs(2));
    assert_eq!(net.selected(), [Some(at(B)), Some(at(A))]);
}

#[test]
fn consent_is_asked_for_every_five_seconds_and_packets_cease_thirty_after_the_last() {
    let mut net = pair(true, false);
    net.run(Duration::from_secs(3));
    let before = net.sent;
    net.run(Duration::from_secs(60));
    let asked = net.sent - before;
    assert!((18..=34).contains(&asked), "{asked} of two ends in a minute");
    assert_eq!(net.selected(), [Some(at(B)), Some(at(A))]);
    net.cut = true;
    net.run(Duration::from_secs(23));
    assert!(net.selected().iter().all(Option::is_some), "25 to 30 s after the last answer");
    net.run(Duration::from_secs(13));
    assert_eq!(net.selected(), [None, None]);
    assert_eq!(net.ends[0].1.fault(), Some(PathFault::ConsentLost));
}

#[test]
fn a_restart_moves_a_call_to_another_network_and_goes_on_where_it_was_until_then() {
    let mut net = pair(false, true);
    net.run(Duration::from_secs(3));
    let elsewhere = at("203.0.113.9:7777");
    let renewed = [terms("aaa2", "bbb2", &[at(B)], false), terms("bbb2", "aaa2", &[elsewhere], true)];
    net.ends[0].0 = elsewhere;
    net.ends[0].1.renew(&renewed[0], net.now);
    assert_eq!(net.selected(), [Some(at(B)), Some(at(A))]);
    net.ends[1].1.renew(&renewed[1], net.now);
    net.run(Duration::from_secs(3));
    assert_eq!(net.selected(), [Some(at(B)), Some(elsewhere)]);
}

/// A peer with two ways, found and controlled by us.
fn with_two_ways() -> Net {
    let a = terms("aaaa", "bbbb", &[at(B), at(C)], true);
    let mut net = Net::new((at(A), a), (at(B), terms("bbbb", "aaaa", &[at(A)], false)));
    net.also = Some(at(C));
    net.run(Duration::from_secs(3));
    assert_eq!(net.selected(), [Some(at(B)), Some(at(A))]);
    net
}

#[test]
fn a_way_that_falls_silent_gives_way_to_another_that_works_in_two_seconds() {
    let mut net = with_two_ways();
    net.dead = Some(at(B));
    net.ends[0].1.knows(at(B), net.now);
    net.run(Duration::from_millis(1_950));
    assert_eq!(net.selected()[0], Some(at(B)));
    net.run(Duration::from_millis(500));
    assert_eq!(net.selected()[0], Some(at(C)));
    // and back, when that one dies
    net.dead = Some(at(C));
    net.run(Duration::from_secs(3));
    assert_eq!(net.selected()[0], Some(at(B)));
    // both: the last stays until its consent is over
    net.cut = true;
    let before = net.sent;
    net.run(Duration::from_secs(20));
    assert_eq!(net.selected()[0], Some(at(B)));
    assert!(net.sent - before < 50, "{}", net.sent - before);
}

#[test]
fn media_or_answers_keep_a_way_and_one_without_another_stays_as_it_is() {
    let mut net = with_two_ways();
    let before = net.sent;
    net.run(Duration::from_secs(20));
    assert_eq!(net.selected()[0], Some(at(B)), "answers");
    assert!(net.sent - before < 60, "{}", net.sent - before);
    net.dead = Some(at(B));
    for _ in 0..200 {
        net.ends[0].1.knows(at(B), net.now);
        net.run(Duration::from_millis(20));
    }
    assert_eq!(net.selected()[0], Some(at(B)), "media");
    let mut net = pair(true, false);
    net.run(Duration::from_secs(3));
    net.cut = true;
    net.run(Duration::from_secs(10));
    assert_eq!(net.selected()[0], Some(at(B)), "the only one");
}

#[test]
fn without_an_answer_that_is_told_after_fifteen_seconds_and_the_checks_end() {
    let mut net = pair(true, false);
    net.cut = true;
    net.run(Duration::from_secs(14));
    assert_eq!(net.ends[0].1.fault(), None);
    net.run(Duration::from_secs(60));
    assert_eq!(net.ends[0].1.fault(), Some(PathFault::NoPath));
    assert_eq!(net.sent, 14, "seven requests of each");
}

/// A request as a peer would write it.
fn request(first: &str, second: &str, password: &[u8]) -> Vec<u8> {
    let mut buf = [0; 512];
    let mut writer = Writer::new(&mut buf, Class::Request, &[9; 12]).unwrap();
    writer.username(first, second).unwrap();
    writer.priority(7).unwrap();
    writer.role(Role::Controlling(5)).unwrap();
    writer.use_candidate().unwrap();
    let len = writer.finish(password).unwrap();
    buf[..len].to_vec()
}

#[test]
fn only_who_knows_the_password_is_answered_and_never_with_more_than_he_sent() {
    let mut rng = ChaCha8Rng::from_seed([3; 32]);
    let now = Time::from_millis(1);
    let mut agent = Agent::new(&terms("aaaa", "bbbb", &[], false), now, &mut rng);
    let ours = credentials("aaaa").password.into_bytes();
    let mut hear = |bytes: &[u8]| {
        let mut buf = [0; 1_500];
        buf[..bytes.len()].copy_from_slice(bytes);
        agent.hear(at(B), &mut buf, bytes.len(), now)
    };
    for wrong in [
        request("aaaa", "bbbb", b"another password 123456"),
        request("bbbb", "aaaa", &ours),
        request("aaaa", "cccc", &ours),
        hex::decode(REQUEST).unwrap(),
        hex::decode(ANSWER_4).unwrap(),
        b"\0\x01\0\0\x21\x12\xa4\x42............".to_vec(),
    ] {
        assert_eq!(hear(&wrong), Heard::Refused);
    }
    let right = request("aaaa", "bbbb", &ours);
    let Heard::Answer(len) = hear(&right) else { panic!("no answer") };
    assert!(len <= right.len(), "{len} for {}", right.len());
}

#[test]
fn a_peer_that_names_and_uses_many_addresses_fills_no_more_than_the_table() {
    let mut rng = ChaCha8Rng::from_seed([3; 32]);
    let mut now = Time::from_millis(1);
    let many: Vec<SocketAddr> = (1..200).map(|n| SocketAddr::from(([192, 0, 2, n], 5))).collect();
    let mut agent = Agent::new(&terms("aaaa", "bbbb", &many, false), now, &mut rng);
    let right = request("aaaa", "bbbb", credentials("aaaa").password.as_bytes());
    for from in &many {
        let mut buf = [0; 1_500];
        buf[..right.len()].copy_from_slice(&right);
        assert!(matches!(agent.hear(*from, &mut buf, right.len(), now), Heard::Answer(_)));
    }
    let (mut buf, mut checks) = ([0; 1_500], 0);
    for _ in 0..1_000 {
        now = now + Duration::from_millis(100);
        while agent.poll(&mut buf, now, &mut rng).is_some() {
            checks += 1;
        }
    }
    assert!(checks <= 16 * 7, "{checks} checks for 200 addresses");
}
