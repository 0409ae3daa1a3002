//! Digest at the gate.

use cordboard_sip::auth::{Challenge, Identity, answer_challenge};
use cordboard_sip::engine::SipEvent;
use cordboard_sip::wire::{HeaderName, Message, parse_datagram};

use crate::bench::{Bench, PHONE, addr, line, sdp, user};

/// A request of the phone.
pub fn phone(method: &str, seq: u32, to: &str, more: &str, body: &str) -> Message {
    let text = format!(
        "{method} sip:example.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKp{seq}{method}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{to}@example.com>;tag=phone\r\n\
         To: <sip:{to}@example.com>\r\n\
         Call-ID: phone-1\r\n\
         CSeq: {seq} {method}\r\n\
         Contact: <sip:{to}@10.0.0.5:5060>\r\n\
         User-Agent: Desk/1\r\n\
         {more}\r\n{body}"
    );
    parse_datagram(text.as_bytes()).unwrap()
}

pub fn send(bench: &mut Bench, message: &Message) {
    bench.recv_bytes(PHONE, &message.to_bytes());
}

/// The request again with credentials for this challenge, with a higher CSeq.
pub fn with_credentials(request: &Message, challenge: &Message, username: &str, password: &str) -> Message {
    let identity = Identity { username, password };
    let (name, value) = answer_challenge(challenge, request, identity, "0123456789abcdef", 1).unwrap();
    let mut again = request.clone();
    let cseq = again.cseq().unwrap();
    again.set(HeaderName::CSeq, format!("{} {}", cseq.seq + 1, cseq.method));
    let mut via = again.via_top().unwrap();
    let branch = format!("{}x", via.branch().unwrap());
    via.params.set("branch", Some(&branch));
    again.set_via_top(&via);
    again.set(name, value);
    again
}

/// Sends a request, answers its challenge, returns the answer to the second.
#[track_caller]
pub fn authenticated(bench: &mut Bench, request: &Message, name: &str, password: &str) -> Message {
    send(bench, request);
    let challenge = bench.one();
    assert_eq!(challenge.status(), Some(401));
    let again = with_credentials(request, &challenge, name, password);
    send(bench, &again);
    bench.one()
}

fn challenges(response: &Message) -> Vec<Challenge> {
    let values = response.headers.get_all(&HeaderName::WwwAuthenticate);
    values.filter_map(Challenge::parse).collect()
}

#[test]
fn an_unknown_source_is_challenged_with_sha_256_before_md5() {
    let mut bench = Bench::new();
    send(&mut bench, &phone("REGISTER", 1, "1001", "", ""));
    let sent = bench.take();
    let (flow, response) = &sent[0];
    assert_eq!(flow.remote, addr(PHONE), "rport: back to where it came from");
    let top = response.via_top().unwrap();
    assert_eq!((top.received(), top.rport()), (Some(addr(PHONE).ip()), Some(Some(5060))));
    let names: Vec<String> = challenges(response).iter().map(|c| format!("{:?}", c.algorithm)).collect();
    assert_eq!(names, ["Some(Sha256)", "Some(Md5)"]);
    assert_eq!(challenges(response)[0].realm, "example.com");
    bench.settle();
}

#[test]
fn both_algorithms_open_the_gate() {
    for keep in [0, 1] {
        let mut bench = Bench::new();
        let register = phone("REGISTER", 1, "1001", "", "");
        send(&mut bench, &register);
        let mut challenge = bench.one();
        let values: Vec<String> =
            challenge.headers.get_all(&HeaderName::WwwAuthenticate).map(str::to_owned).collect();
        challenge.remove(&HeaderName::WwwAuthenticate);
        challenge.push(HeaderName::WwwAuthenticate, values[keep].as_str());
        let again = with_credentials(&register, &challenge, "1001", "secret");
        send(&mut bench, &again);
        assert_eq!(bench.lines(), ["200 REGISTER"]);
        assert_eq!(bench.engine.contact_count(&user("1001")), 1);
    }
}

#[test]
fn a_user_that_is_not_there_looks_like_a_wrong_password() {
    let mut shapes = Vec::new();
    for (name, password) in [("1001", "wrong"), ("9999", "secret")] {
        let mut bench = Bench::new();
        let register = phone("REGISTER", 1, name, "", "");
        let answer = authenticated(&mut bench, &register, name, password);
        let mut names: Vec<String> = answer.headers.iter().map(|h| h.name().to_string()).collect();
        names.push(line(&answer));
        names.push(challenges(&answer)[0].stale.to_string());
        shapes.push(names);
    }
    assert_eq!(shapes[0], shapes[1]);
    assert!(shapes[0].contains(&"401 REGISTER".to_owned()));
}

#[test]
fn an_account_cannot_register_for_another() {
    let mut bench = Bench::new();
    let register = phone("REGISTER", 1, "1002", "", "");
    let answer = authenticated(&mut bench, &register, "1001", "secret");
    assert_eq!(answer.status(), Some(403));
    assert_eq!(bench.engine.contacts_total(), 0);
}

#[test]
fn credentials_are_good_once() {
    let mut bench = Bench::new();
    let register = phone("REGISTER", 1, "1001", "", "");
    send(&mut bench, &register);
    let challenge = bench.one();
    let again = with_credentials(&register, &challenge, "1001", "secret");
    send(&mut bench, &again);
    assert_eq!(bench.lines(), ["200 REGISTER"]);
    let mut replayed = again.clone();
    replayed.set(HeaderName::CSeq, "9 REGISTER");
    let mut via = replayed.via_top().unwrap();
    via.params.set("branch", Some("z9hG4bKreplay"));
    replayed.set_via_top(&via);
    send(&mut bench, &replayed);
    let answer = bench.one();
    assert_eq!(answer.status(), Some(401));
    assert!(challenges(&answer)[0].stale);
}

#[test]
fn an_authenticated_caller_is_who_he_proved_to_be_not_who_he_says() {
    let mut bench = Bench::new();
    let mut invite = phone("INVITE", 1, "1001", "Content-Type: application/sdp\r\n", &sdp(4000));
    invite.set(HeaderName::From, "\"Boss\" <sip:1002@example.com>;tag=phone");
    send(&mut bench, &invite);
    let challenge = bench.one();
    assert_eq!(line(&challenge), "401 INVITE");
    assert_eq!(bench.told(), [""; 0]);
    let again = with_credentials(&invite, &challenge, "1001", "secret");
    send(&mut bench, &again);
    let events = bench.take_events();
    let [SipEvent::Incoming(call)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(call.user, Some(user("1001")));
    assert_eq!(call.from.user, "1001");
    assert_eq!(call.from.display, "Boss");
}

#[test]
fn an_unauthenticated_invite_tells_nobody() {
    let mut bench = Bench::new();
    for name in ["1001", "9999", "0049123"] {
        let invite = phone("INVITE", 1, name, "Content-Type: application/sdp\r\n", &sdp(4000));
        let mut invite = invite;
        invite.set(HeaderName::CallId, name);
        send(&mut bench, &invite);
        assert_eq!(bench.lines(), ["401 INVITE"]);
    }
    assert_eq!(bench.told(), [""; 0]);
    bench.settle();
}

#[test]
fn damaged_credentials_are_400() {
    let mut bench = Bench::new();
    let mut register = phone("REGISTER", 1, "1001", "", "");
    register.push(HeaderName::Authorization, "Digest username=\"1001\"");
    send(&mut bench, &register);
    assert_eq!(bench.lines(), ["400 REGISTER"]);
}

#[test]
fn a_flood_of_strangers_leaves_nothing_behind_and_repeats_get_the_same_tag() {
    let mut bench = Bench::new();
    bench.unguarded();
    let mut tags = Vec::new();
    for n in 0..1_000 {
        let mut invite = phone("INVITE", 1 + n / 2, "1001", "Content-Type: application/sdp\r\n", &sdp(4000));
        invite.set(HeaderName::CallId, format!("flood-{}", n / 2));
        send(&mut bench, &invite);
        tags.push(bench.one().to().unwrap().tag().unwrap().to_owned());
    }
    assert!(tags.chunks(2).all(|pair| pair[0] == pair[1]));
    assert!(bench.engine.is_quiescent(), "not even a transaction");
}
