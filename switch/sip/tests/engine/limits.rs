//! What happens when there is no room.

use cordboard_model::leg::PartyId;
use cordboard_sip::engine::{Dest, Flow, SipCommand, SipConfig};
use cordboard_sip::wire::{HeaderName, Uri};

use crate::bench::{Bench, PHONE, SWITCH, TRUNK, addr, header, invite, local, our_tag, request, sdp};

fn other(n: u32) -> String {
    invite(&format!("z9hG4bKn{n}"), &sdp(4000)).replace("call-1", &format!("call-n{n}"))
}

#[test]
fn beyond_the_most_sessions_a_call_gets_503_and_the_others_go_on() {
    let mut config = SipConfig::new(addr(SWITCH));
    config.sessions_max = 2;
    let mut bench = Bench::with(config);
    let (_, ok) = bench.up();
    bench.recv(TRUNK, &other(1));
    assert_eq!(bench.lines(), ["100 INVITE"]);
    bench.recv(TRUNK, &other(2));
    let refusal = bench.one();
    assert_eq!(refusal.status(), Some(503));
    assert_eq!(header(&refusal, HeaderName::RetryAfter), "5");
    bench.take_events();
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Uri {
            uri: Uri::parse("sip:900@198.51.100.7").unwrap(),
            flow: Flow::udp(addr(SWITCH), addr(TRUNK)),
            routes: Vec::new(),
            credentials: None,
        },
        from: PartyId::new("1"),
        to: PartyId::new("2"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    assert_eq!(bench.told(), ["Ended congestion us"]);
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"]);
}

#[test]
fn a_flood_fills_no_more_than_the_limit_and_passes() {
    let mut config = SipConfig::new(addr(SWITCH));
    config.transactions_max = 50;
    let mut bench = Bench::with(config);
    let (session, ok) = bench.up();
    for n in 0..500 {
        bench.recv(TRUNK, &other(n).replace("application/sdp", "application/xml"));
    }
    assert!(bench.engine.transactions_len() <= 51);
    let refused = bench.take().iter().filter(|(_, m)| m.status() == Some(503)).count();
    assert!(refused > 400);
    assert!(bench.engine.is_live(session));
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"], "what is up can still be ended");
    bench.wait(33_000);
    bench.take();
    bench.recv(TRUNK, &other(1));
    assert_eq!(bench.lines(), ["100 INVITE"]);
}

#[test]
fn nothing_that_a_stranger_sends_takes_the_room_of_a_call() {
    let mut config = SipConfig::new(addr(SWITCH));
    config.transactions_max = 5;
    let mut bench = Bench::with(config);
    bench.unguarded();
    let (_, ok) = bench.up();
    let before = bench.engine.transactions_len();
    for n in 0..100 {
        for method in ["OPTIONS", "CANCEL", "BYE", "INFO", "MESSAGE", "SUBSCRIBE", "INVITE", "REGISTER"] {
            for tag in ["", "gone"] {
                let text =
                    request(method, &format!("z9hG4bK{method}{tag}{n}"), &format!("1 {method}"), tag, "");
                bench.recv(PHONE, &text.replace("call-1", &format!("{method}{tag}{n}")));
                let code = bench.one().status().unwrap();
                assert!(matches!(code, 200 | 401 | 405 | 481), "{method} {code}");
                assert_eq!(bench.engine.transactions_len(), before, "{method}");
            }
        }
    }
    bench.recv(TRUNK, &request("BYE", "z9hG4bK9", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"]);
    bench.settle();
}

#[test]
fn an_answer_without_state_keeps_the_tag_of_the_request() {
    let mut bench = Bench::new();
    bench.recv(PHONE, &request("BYE", "z9hG4bK9", "2 BYE", "gone", ""));
    assert_eq!(our_tag(&bench.one()), "gone");
}

#[test]
fn beyond_the_most_contacts_a_registration_gets_503() {
    let mut config = SipConfig::new(addr(SWITCH));
    config.contacts_max = 1;
    let mut bench = Bench::with(config);
    let first = crate::registrar::register(&mut bench, "203.0.113.5:5060", "1001", "<sip:a@10.0.0.1>", "");
    assert_eq!(first.status(), Some(200));
    let second = crate::registrar::register(&mut bench, "203.0.113.6:5060", "1002", "<sip:b@10.0.0.1>", "");
    assert_eq!(second.status(), Some(503));
}
