//! Requests in a dialog from elsewhere, and registrations that are another's.

use cordboard_model::leg::PartyId;
use cordboard_sip::engine::{Dest, SessionId, SipCommand, SipEvent};
use cordboard_sip::wire::{HeaderName, Message, parse_datagram};

use crate::auth::with_credentials;
use crate::bench::{Bench, PHONE, TRUNK, ack, line, local, our_tag, reply, request, sdp, user};
use crate::registrar::{register, register_as};

/// Nobody we know.
const ELSEWHERE: &str = "192.0.2.66:5060";

/// 1001 is called and answers; gives the session, and the text of a request of its phone.
fn called(bench: &mut Bench) -> (SessionId, impl Fn(&str, u32) -> Message + use<>) {
    register(bench, PHONE, "1001", "<sip:1001@10.0.0.5:5060>", "");
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Aor(user("1001")),
        from: PartyId::new("900"),
        to: PartyId::new("1001"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    let invite = bench.one();
    let answer =
        reply(&invite, 200, "phone", &sdp(4000)).replace("900@198.51.100.7:5060", "1001@10.0.0.5:5060");
    bench.recv(PHONE, &answer);
    assert_eq!(line(&bench.one()), "ACK");
    bench.told();
    let header = |name: HeaderName| invite.header(&name).unwrap_or_default().to_owned();
    let (from, to, call_id) = (header(HeaderName::From), header(HeaderName::To), header(HeaderName::CallId));
    let make = move |method: &str, n: u32| {
        let text = format!(
            "{method} sip:cordboard@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;rport;branch=z9hG4bKd{n}\r\n\
             Max-Forwards: 70\r\nFrom: {to};tag=phone\r\nTo: {from}\r\nCall-ID: {call_id}\r\n\
             CSeq: {n} {method}\r\nContact: <sip:1001@192.0.2.66>\r\n\r\n"
        );
        parse_datagram(text.as_bytes()).unwrap()
    };
    (session, make)
}

#[test]
fn a_bye_from_a_stranger_who_knows_the_dialog_does_nothing() {
    let mut bench = Bench::new();
    let (session, ok) = bench.up();
    for method in ["BYE", "INVITE", "UPDATE", "INFO", "REFER"] {
        bench.recv(
            ELSEWHERE,
            &request(method, &format!("z9hG4bKx{method}"), &format!("7 {method}"), &our_tag(&ok), ""),
        );
        assert_eq!(bench.lines(), [format!("481 {method}")]);
    }
    assert_eq!(bench.told(), [""; 0]);
    assert!(bench.engine.is_live(session));
    bench.recv(TRUNK, &request("BYE", "z9hG4bKb", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"]);
    bench.settle();
}

#[test]
fn an_ack_and_a_cancel_from_elsewhere_are_not_the_callers() {
    let mut bench = Bench::new();
    let call = bench.called();
    let cancel = request("CANCEL", "z9hG4bK1", "1 CANCEL", "", "");
    bench.recv(ELSEWHERE, &cancel);
    assert_eq!(bench.lines(), ["481 CANCEL"]);
    bench.command(SipCommand::Answer { session: call.session, local: local(30_000) });
    let ok = bench.one();
    assert_eq!(bench.told(), ["MediaSettled"]);
    bench.recv(ELSEWHERE, &ack(&ok));
    assert_eq!(bench.told(), [""; 0], "it does not count as acknowledged");
    bench.recv(TRUNK, &ack(&ok));
    assert_eq!(bench.told(), ["Confirmed"]);
}

#[test]
fn another_address_of_the_same_trunk_is_the_trunk() {
    let mut bench = Bench::new();
    let (_, ok) = bench.up();
    bench.recv("198.51.100.8:5099", &request("BYE", "z9hG4bKb", "2 BYE", &our_tag(&ok), ""));
    assert_eq!(bench.lines(), ["200 BYE"]);
    assert_eq!(bench.told(), ["Ended normal peer"]);
}

#[test]
fn a_phone_whose_nat_gave_it_another_port_can_end_its_call() {
    let mut bench = Bench::new();
    let (_, make) = called(&mut bench);
    bench.recv_bytes("203.0.113.5:61000", &make("BYE", 1).to_bytes());
    assert_eq!(bench.lines(), ["200 BYE"]);
    assert_eq!(bench.told(), ["Ended normal peer"]);
}

#[test]
fn a_phone_that_has_moved_shows_its_password_and_nobody_else_can() {
    let mut bench = Bench::new();
    let (session, make) = called(&mut bench);
    bench.recv_bytes(ELSEWHERE, &make("BYE", 1).to_bytes());
    let challenge = bench.one();
    assert_eq!(line(&challenge), "401 BYE");
    // another account, and then a wrong password
    for (n, name, password, code) in [(2, "1002", "secret", "403 BYE"), (3, "1001", "wrong", "401 BYE")] {
        let bye = with_credentials(&make("BYE", n), &challenge, name, password);
        bench.recv_bytes(ELSEWHERE, &bye.to_bytes());
        assert_eq!(bench.lines(), [code]);
    }
    assert!(bench.engine.is_live(session));
    bench.recv_bytes(ELSEWHERE, &make("BYE", 4).to_bytes());
    let bye = with_credentials(&make("BYE", 5), &bench.one(), "1001", "secret");
    bench.recv_bytes(ELSEWHERE, &bye.to_bytes());
    assert_eq!(bench.lines(), ["200 BYE"]);
    assert_eq!(bench.told(), ["Ended normal peer"]);
}

#[test]
fn a_phone_that_has_registered_from_where_it_is_now_needs_no_further_proof() {
    let mut bench = Bench::new();
    let (_, make) = called(&mut bench);
    register(&mut bench, ELSEWHERE, "1001", "<sip:1001@10.0.0.9>", "");
    bench.recv_bytes(ELSEWHERE, &make("BYE", 1).to_bytes());
    assert_eq!(bench.lines(), ["200 BYE"]);
    assert!(bench.take_events().iter().any(|event| matches!(event, SipEvent::Ended { by_peer: true, .. })));
}

#[test]
fn an_account_cannot_register_for_another() {
    let mut bench = Bench::new();
    register(&mut bench, PHONE, "1001", "<sip:1001@10.0.0.5>", "");
    let text = "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKh\r\n\
                From: <sip:1002@example.com>;tag=h\r\nTo: <sip:1001@example.com>\r\nCall-ID: h\r\nCSeq: 1 REGISTER\r\n\
                Contact: <sip:1001@192.0.2.66>\r\n\r\n";
    let hijack = parse_datagram(text.as_bytes()).unwrap();
    bench.recv_bytes(ELSEWHERE, &hijack.to_bytes());
    let challenge = bench.one();
    let with = with_credentials(&hijack, &challenge, "1002", "secret");
    bench.recv_bytes(ELSEWHERE, &with.to_bytes());
    assert_eq!(bench.lines(), ["403 REGISTER"]);
    let views = bench.engine.contacts(&user("1001"));
    assert_eq!(views.len(), 1);
    assert_eq!(views[0].uri, "sip:1001@10.0.0.5");
}

#[test]
fn a_captured_register_is_worth_nothing() {
    let mut bench = Bench::new();
    let ok = register_as(&mut bench, PHONE, "1001", "<sip:1001@10.0.0.5>", "", "one", 5);
    assert_eq!(ok.status(), Some(200));
    // the whole request as it was, with another Contact, another branch, from here and from there
    let captured = bench.captured.clone().unwrap();
    register_as(&mut bench, PHONE, "1001", "*", "Expires: 0\r\n", "one", 9);
    let text = String::from_utf8(captured).unwrap();
    // the very same bytes are answered as a repetition and change nothing
    bench.recv_bytes(PHONE, text.as_bytes());
    assert_eq!(bench.lines(), ["200 REGISTER"]);
    bench.wait(33_000);
    for (n, from) in [PHONE, ELSEWHERE].into_iter().enumerate() {
        for contact in ["10.0.0.5", "192.0.2.66"] {
            let again = text
                .replace("branch=z9hG4bK", &format!("branch=z9hG4bKagain{n}{}", contact.len()))
                .replace("<sip:1001@10.0.0.5>", &format!("<sip:1001@{contact}>"));
            bench.recv_bytes(from, again.as_bytes());
            assert_eq!(bench.lines(), ["401 REGISTER"], "{from} {contact}");
        }
    }
    assert_eq!(bench.engine.contacts_total(), 0);
}
