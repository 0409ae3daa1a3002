//! Flows of devices (RFC 5626) and what is asked for over them.

use cordboard_model::leg::PartyId;
use cordboard_sip::engine::{Dest, Flow, SessionId, SipCommand, SipOutput, Transport};
use cordboard_sip::wire::{Frame, Framer, HeaderName, Message, parse_datagram};

use crate::auth::with_credentials;
use crate::bench::{Bench, PHONE, SWITCH, addr, header, line, local, reply, user};
use crate::registrar::register;

const ID: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"";
/// Two connections of one device.
const FIRST: &str = "203.0.113.5:40001";
const SECOND: &str = "203.0.113.5:40002";

fn tcp(from: &str) -> Flow {
    Flow { transport: Transport::Tcp, local: addr(SWITCH), remote: addr(from) }
}

/// A message by a connection.
fn by_tcp(bench: &mut Bench, from: &str, message: &Message) -> Message {
    let mut framer = Framer::new();
    framer.push(&message.to_bytes());
    let Some(Frame::Message(message)) = framer.next() else { panic!() };
    bench.frame(tcp(from), Frame::Message(message));
    bench.one()
}

/// Registers 1001 by a connection with this Contact.
fn register_by(bench: &mut Bench, from: &str, contact: &str, more: &str) -> Message {
    let n = bench.bytes.len();
    let text = format!(
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/TCP {from};branch=z9hG4bKo{n}\r\n\
         From: <sip:1001@example.com>;tag=r\r\nTo: <sip:1001@example.com>\r\nCall-ID: {from}\r\n\
         CSeq: {} REGISTER\r\nContact: {contact}\r\n{more}Content-Length: 0\r\n\r\n",
        10 + n * 3
    );
    let request = parse_datagram(text.as_bytes()).unwrap();
    let challenge = by_tcp(bench, from, &request);
    let again = with_credentials(&request, &challenge, "1001", "secret");
    by_tcp(bench, from, &again)
}

fn flow_of(n: u32) -> String {
    format!("<sip:1001@10.0.0.1:5060;transport=tcp;ob>;reg-id={n};{ID}")
}

const SUPPORTED: &str = "Supported: path, outbound\r\n";

/// Calls 1001; gives what was sent.
fn call(bench: &mut Bench) -> (SessionId, Vec<(Flow, Message)>) {
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Aor(user("1001")),
        from: PartyId::new("1002"),
        to: PartyId::new("1001"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    (session, bench.take())
}

/// A device with two flows; the second was registered last.
fn two_flows() -> Bench {
    let mut bench = Bench::new();
    for (n, from) in [(1, FIRST), (2, SECOND)] {
        let ok = register_by(&mut bench, from, &flow_of(n), SUPPORTED);
        assert_eq!(ok.status(), Some(200));
        assert_eq!(ok.contacts().unwrap().len(), n as usize);
    }
    bench
}

#[test]
fn a_registration_over_a_flow_says_so_and_asks_for_keep_alives() {
    let mut bench = Bench::new();
    let ok = register_by(&mut bench, FIRST, &flow_of(1), SUPPORTED);
    assert_eq!(header(&ok, HeaderName::Require), "outbound");
    assert_eq!(header(&ok, HeaderName::FlowTimer), "120");
    assert!(ok.supported().any(|tag| tag == "outbound"));
    let contact = ok.contacts().unwrap().remove(0);
    assert_eq!(contact.params.get("reg-id"), Some("1"));
    assert!(contact.to_string().contains(ID), "{contact}");
    // who does not say that it knows of it, or names no device, gets a plain registration
    for (contact, more) in [(flow_of(2).as_str(), ""), ("<sip:x@10.0.0.1>;reg-id=1", SUPPORTED)] {
        let plain = register_by(&mut bench, SECOND, contact, more);
        assert_eq!((plain.status(), plain.header(&HeaderName::Require)), (Some(200), None), "{contact}");
    }
}

#[test]
fn flows_of_one_device_are_kept_apart_by_their_numbers_and_replaced_by_them() {
    let mut bench = two_flows();
    let third = "203.0.113.5:40003";
    // the device lost its first connection and made another: the same flow, however it is reached
    let ok = register_by(&mut bench, third, &flow_of(1).replace("10.0.0.1", "10.0.0.9"), SUPPORTED);
    assert_eq!(ok.contacts().unwrap().len(), 2);
    let views = bench.engine.contacts(&user("1001"));
    let flows: Vec<&str> = views.iter().map(|view| view.flow.as_str()).collect();
    assert_eq!(flows, [format!("tcp:{SECOND}"), format!("tcp:{third}")]);
    // what the journal holds of each can be told apart
    let names: Vec<String> = views.iter().map(|view| view.uri.clone()).collect();
    assert!(names[0].contains("reg-id=2") && names[1].contains("reg-id=1"), "{names:?}");
    let gone = |uri: &str| {
        let is =
            |output: &&SipOutput| matches!(output, SipOutput::Unregistered { uri: u, .. } if u.contains(uri));
        bench.journal.iter().filter(is).count()
    };
    assert_eq!((gone("10.0.0.1"), gone("10.0.0.9")), (1, 0));
    let none = register_by(&mut bench, third, &format!("{};expires=0", flow_of(1)), SUPPORTED);
    assert_eq!(none.contacts().unwrap().len(), 1);
}

#[test]
fn a_call_is_sent_over_one_flow_of_a_device_and_over_the_next_when_it_is_dead() {
    let mut bench = two_flows();
    let (_, sent) = call(&mut bench);
    assert_eq!(sent.len(), 1, "one device, one INVITE");
    assert_eq!(sent[0].0, tcp(SECOND));
    bench.unreachable(tcp(SECOND));
    let mut sent = bench.take();
    assert_eq!(sent.len(), 1);
    let (flow, invite) = sent.remove(0);
    assert_eq!((flow, line(&invite).as_str()), (tcp(FIRST), "INVITE"));
    assert_eq!(bench.told(), [""; 0], "the caller hears nothing of it");
    assert_eq!(bench.engine.contact_count(&user("1001")), 1, "the dead flow is forgotten");
    bench.recv(FIRST, &reply(&invite, 486, "far", ""));
    assert_eq!(bench.told(), ["Ended busy peer 486"]);
    assert_eq!(bench.lines(), ["ACK"]);
    bench.unreachable(tcp(FIRST));
    let (_, sent) = call(&mut bench);
    assert!(sent.is_empty());
    assert_eq!(bench.told(), ["Ended not_registered us"]);
}

#[test]
fn a_430_and_a_408_lead_to_the_next_flow_and_any_other_answer_is_the_devices() {
    for (code, tries_on) in [(430, true), (408, true), (486, false), (480, false), (500, false)] {
        let mut bench = two_flows();
        let (_, sent) = call(&mut bench);
        bench.recv(SECOND, &reply(&sent[0].1, code, "far", ""));
        let after: Vec<(Flow, String)> = bench.take().iter().map(|(f, m)| (*f, line(m))).collect();
        let ack = (tcp(SECOND), "ACK".to_owned());
        match tries_on {
            true => assert_eq!(after, [ack, (tcp(FIRST), "INVITE".to_owned())], "{code}"),
            false => assert_eq!(after, [ack], "{code}"),
        }
        assert_eq!(bench.told().is_empty(), tries_on);
    }
}

#[test]
fn a_call_that_was_given_up_tries_no_further_flow() {
    let mut bench = two_flows();
    let (session, _) = call(&mut bench);
    bench.hang_up(session, cordboard_model::cause::Cause::Normal);
    bench.unreachable(tcp(SECOND));
    assert_eq!(bench.lines().len(), 0);
    assert_eq!(bench.told(), ["Ended normal us"]);
}

#[test]
fn a_proxy_that_knows_nothing_of_flows_is_439_and_two_at_once_are_400() {
    let mut bench = Bench::new();
    let by_proxy =
        format!("{SUPPORTED}Path: <sip:198.51.100.1;lr>\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKb\r\n");
    let lacks = register_by(&mut bench, FIRST, &flow_of(1), &by_proxy);
    assert_eq!(lacks.status(), Some(439));
    let knows = by_proxy.replace(";lr>", ";lr;ob>");
    let ok = register_by(&mut bench, FIRST, &flow_of(1), &knows);
    assert_eq!((ok.status(), header(&ok, HeaderName::Require).as_str()), (Some(200), "outbound"));
    let both = format!("{}, {}", flow_of(1), flow_of(2));
    assert_eq!(register_by(&mut bench, FIRST, &both, SUPPORTED).status(), Some(400));
}

#[test]
fn stun_is_answered_to_registered_flows_alone() {
    let mut bench = Bench::new();
    let id = [0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let request = [&[0, 1, 0, 0][..], &id].concat();
    bench.datagram(PHONE, &request);
    assert_eq!(bench.raw.len(), 0, "a stranger hears nothing");
    register(&mut bench, PHONE, "1001", "<sip:a@10.0.0.1>", "");
    bench.datagram(PHONE, &request);
    let (flow, answer) = bench.raw.remove(0);
    assert_eq!(flow, Flow::udp(addr(SWITCH), addr(PHONE)));
    // 203.0.113.5:5060
    assert_eq!(&answer[..4], [1, 1, 0, 12]);
    assert_eq!(
        &answer[20..],
        [0, 0x20, 0, 8, 0, 1, 0x13 ^ 0x21, 0xc4 ^ 0x12, 203 ^ 0x21, 0x12, 113 ^ 0xa4, 5 ^ 0x42]
    );
    bench.datagram("203.0.113.5:5061", &request);
    assert_eq!(bench.raw.len(), 0, "another port is another flow");
    register(&mut bench, PHONE, "1001", "*", "Expires: 0\r\n");
    bench.datagram(PHONE, &request);
    assert_eq!(bench.raw.len(), 0);
}
