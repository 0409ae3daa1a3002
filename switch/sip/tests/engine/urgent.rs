//! INVITEs to emergency numbers: looked at where others are not, and worth nothing to who only pretends.

use cordboard_model::guard::Bar;
use cordboard_model::id::TenantId;
use cordboard_model::routes::Emergency;
use cordboard_model::time::{Time, Wall};
use cordboard_sip::engine::{Directory, Flow, SipCommand, SipEvent, Transport};
use cordboard_sip::wire::{Frame, Message, parse_datagram};

use crate::auth::with_credentials;
use crate::bench::{Bench, PHONE, SWITCH, TRUNK, addr, sdp, snapshot};

fn helped(from_trunks: bool) -> Bench {
    let mut bench = Bench::new();
    let mut snapshot = snapshot();
    let tenant = snapshot.tenants.get_mut(&TenantId::DEFAULT).unwrap();
    let carrier = tenant.trunks["carrier"].id.clone();
    tenant.routes.emergency = Some(Emergency {
        numbers: vec!["112".into()],
        trunks: vec![carrier.clone()],
        caller: None,
        location: None,
        places: Vec::new(),
        from_trunks: if from_trunks { vec![carrier] } else { Vec::new() },
        calls: 8,
    });
    snapshot.limits.guard.overload_delay = core::time::Duration::from_millis(100);
    bench.command(SipCommand::Configure(Box::new(Directory::new(&snapshot))));
    bench
}

fn invite(to: &str, n: u32) -> Message {
    let body = sdp(4_000);
    let text = format!(
        "INVITE sip:{to}@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKh{n}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:1001@example.com>;tag=h{n}\r\nTo: <sip:{to}@example.com>\r\n\
         Call-ID: h{n}\r\nCSeq: 1 INVITE\r\nContact: <sip:1001@10.0.0.5:5060>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    parse_datagram(text.as_bytes()).unwrap()
}

/// Sends it, and again with the password, from this address; whether a call came of it, and an urgent one.
fn calls(bench: &mut Bench, from: &str, to: &str, n: u32) -> Option<bool> {
    let request = invite(to, n);
    bench.recv_bytes(from, &request.to_bytes());
    let (_, challenge) = bench.take().pop()?;
    if challenge.status() != Some(401) {
        return None;
    }
    bench.recv_bytes(from, &with_credentials(&request, &challenge, "1001", "secret").to_bytes());
    bench.take();
    bench.take_events().into_iter().find_map(|event| match event {
        SipEvent::Incoming(call) => Some(call.urgent),
        _ => None,
    })
}

fn banned(bench: &mut Bench, from: &str) {
    bench.recv(from, "OPTIONS sip:a SIP/2.0\nUser-Agent: friendly-scanner\n\n");
    bench.take();
    assert_eq!(bench.engine.bans(bench.now).len(), 1);
}

#[test]
fn who_is_banned_calls_for_help_and_nobody_else() {
    let mut bench = helped(false);
    banned(&mut bench, PHONE);
    assert_eq!(calls(&mut bench, PHONE, "1002", 1), None, "he is banned");
    assert_eq!(calls(&mut bench, PHONE, "112", 2), Some(true));
}

#[test]
fn who_is_banned_by_hand_calls_for_help_and_nobody_else() {
    let mut bench = helped(false);
    let bar = Bar {
        source: "203.0.113.0/24".parse().unwrap(),
        why: String::new(),
        by: "key ops".into(),
        until: Wall(bench.now.since(Time::ZERO).as_millis() as i64 + 600_000),
    };
    assert_eq!(bench.engine.bar(bar, bench.now), Ok(0));
    assert_eq!(calls(&mut bench, PHONE, "1002", 1), None, "he is banned");
    assert_eq!(calls(&mut bench, PHONE, "112", 2), Some(true));
    assert_eq!(calls(&mut bench, PHONE, "1002", 3), None, "and is so after it");
}

#[test]
fn who_is_banned_calls_for_help_over_a_connection() {
    let mut bench = helped(false);
    banned(&mut bench, PHONE);
    let flow = Flow { transport: Transport::Tcp, local: addr(SWITCH), remote: addr("203.0.113.5:40000") };
    bench.frame(flow, Frame::Message(invite("1002", 1)));
    assert!(bench.take().is_empty(), "he is banned");
    let request = invite("112", 2);
    bench.frame(flow, Frame::Message(request.clone()));
    let (_, challenge) = bench.take().pop().unwrap();
    bench.frame(flow, Frame::Message(with_credentials(&request, &challenge, "1001", "secret")));
    let urgent =
        bench.take_events().into_iter().any(|event| matches!(event, SipEvent::Incoming(c) if c.urgent));
    assert!(urgent);
}

#[test]
fn a_flood_of_calls_for_help_from_many_ports_of_one_address_is_looked_at_a_few_times_a_second() {
    let mut bench = helped(false);
    banned(&mut bench, PHONE);
    let mut answers = 0;
    for n in 0..200 {
        let from = format!("203.0.113.5:{}", 20_000 + n % 50);
        bench.recv_bytes(&from, &invite("112", n).to_bytes());
        answers += bench.take().len();
    }
    assert_eq!(answers, 4);
    // in all, from as many addresses as there are
    let mut answers = 0;
    for n in 0..200 {
        let from = format!("203.0.114.{}:5060", n % 200);
        banned_all(&mut bench, &from);
        bench.recv_bytes(&from, &invite("112", 1_000 + n).to_bytes());
        answers += bench.take().len();
    }
    assert_eq!(answers, 36);
    bench.wait(1_100);
    assert_eq!(calls(&mut bench, PHONE, "112", 5_000), Some(true), "and then again");
}

fn banned_all(bench: &mut Bench, from: &str) {
    bench.recv(from, "OPTIONS sip:a SIP/2.0\nUser-Agent: friendly-scanner\n\n");
    bench.take();
}

#[test]
fn asking_for_help_bans_nobody_and_guessing_passwords_by_it_does() {
    let mut bench = helped(false);
    for n in 0..200 {
        bench.recv_bytes(PHONE, &invite("112", n).to_bytes());
        bench.take();
        bench.wait(300);
    }
    assert_eq!(bench.engine.bans(bench.now).len(), 0);
    for n in 0..60 {
        let request = invite("112", 1_000 + n);
        bench.recv_bytes(PHONE, &request.to_bytes());
        if let Some((_, challenge)) = bench.take().pop() {
            bench.recv_bytes(PHONE, &with_credentials(&request, &challenge, "1001", "guess").to_bytes());
            bench.take();
        }
        bench.wait(600);
    }
    assert_eq!(bench.engine.bans(bench.now).len(), 1);
    assert!(bench.take_events().is_empty(), "none of it was a call");
}

#[test]
fn a_switch_that_has_fallen_behind_looks_at_calls_for_help() {
    let mut bench = helped(false);
    bench.engine.note_delay(core::time::Duration::from_secs(1));
    assert_eq!(calls(&mut bench, PHONE, "1002", 1), None);
    bench.engine.note_delay(core::time::Duration::from_secs(1));
    assert_eq!(calls(&mut bench, PHONE, "112", 2), Some(true));
}

#[test]
fn a_trunks_call_for_help_is_one_only_where_the_trunk_is_named() {
    for named in [false, true] {
        let mut bench = helped(named);
        bench.recv_bytes(TRUNK, &invite("112", 1).to_bytes());
        let urgent = bench.take_events().into_iter().find_map(|event| match event {
            SipEvent::Incoming(call) => Some(call.urgent),
            _ => None,
        });
        assert_eq!(urgent, Some(named));
    }
}

#[test]
fn a_context_that_makes_another_number_of_it_is_no_call_for_help() {
    let mut bench = helped(false);
    let text = String::from_utf8(invite("112", 1).to_bytes()).unwrap();
    let other = text.replacen("INVITE sip:112@example.com", "INVITE tel:112;phone-context=+883510001", 1);
    let request = parse_datagram(other.as_bytes()).unwrap();
    bench.recv_bytes(PHONE, &request.to_bytes());
    let (_, challenge) = bench.take().pop().unwrap();
    bench.recv_bytes(PHONE, &with_credentials(&request, &challenge, "1001", "secret").to_bytes());
    let call = bench.take_events().into_iter().find_map(|event| match event {
        SipEvent::Incoming(call) => Some((call.to.user.clone(), call.urgent)),
        _ => None,
    });
    assert_eq!(call, Some(("112;phone-context=+883510001".to_owned(), false)));
}

#[test]
fn no_more_calls_for_help_than_are_looked_at_in_a_second_go_past_the_limits() {
    let mut bench = helped(true);
    let urgent = (0..20)
        .filter(|n| {
            bench.recv_bytes(TRUNK, &invite("112", *n).to_bytes());
            bench.take();
            let events = bench.take_events();
            events.iter().any(|event| matches!(event, SipEvent::Incoming(call) if call.urgent))
        })
        .count();
    assert_eq!(urgent, 4);
}
