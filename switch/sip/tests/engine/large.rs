//! Requests too long for UDP (RFC 3261 18.1.1).

use cordboard_model::leg::PartyId;
use cordboard_sip::engine::{Dest, Flow, SessionId, SipCommand, SipConfig, Transport};
use cordboard_sip::wire::{HeaderName, Message, Uri};

use crate::bench::{Bench, SWITCH, TRUNK, addr, header, line, local, reply, sdp};

/// A switch that listens on UDP and TCP.
fn bench() -> Bench {
    let mut config = SipConfig::new(addr(SWITCH));
    config.listeners = vec![(Transport::Udp, addr(SWITCH)), (Transport::Tcp, addr("192.0.2.1:5070"))];
    Bench::with(config)
}

/// Calls the trunk's peer by this URI with a name of so many letters.
fn dial(bench: &mut Bench, uri: &str, letters: usize) -> SessionId {
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Uri {
            uri: Uri::parse(uri).unwrap(),
            flow: Flow::udp(addr(SWITCH), addr(TRUNK)),
            routes: Vec::new(),
            credentials: None,
        },
        from: PartyId { user: "1001".into(), display: "x".repeat(letters) },
        to: PartyId::new("900"),
        host: "example.com".into(),
        local: local(30_000),
        told: Box::default(),
    });
    session
}

#[track_caller]
fn one(bench: &mut Bench) -> (Flow, Message) {
    let mut sent = bench.take();
    assert_eq!(sent.len(), 1);
    sent.remove(0)
}

fn tcp() -> Flow {
    Flow { transport: Transport::Tcp, local: addr("192.0.2.1:5070"), remote: addr(TRUNK) }
}

#[test]
fn a_request_over_1300_bytes_goes_by_tcp_and_says_so_in_its_via() {
    let mut bench = bench();
    for (letters, transport, via) in [
        (1, Transport::Udp, "SIP/2.0/UDP 192.0.2.1:5060;rport;"),
        (1_000, Transport::Tcp, "SIP/2.0/TCP 192.0.2.1:5070;"),
    ] {
        let session = dial(&mut bench, "sip:900@198.51.100.7", letters);
        let (flow, invite) = one(&mut bench);
        assert_eq!((flow.transport, flow.remote), (transport, addr(TRUNK)));
        assert!(header(&invite, HeaderName::Via).starts_with(via), "{invite:?}");
        assert_eq!(invite.to_bytes().len() > 1_300, letters > 1);
        bench.recv(TRUNK, &reply(&invite, 180, "far", ""));
        // over TCP nothing is sent twice
        bench.wait(3_000);
        assert_eq!(bench.lines().len(), 0);
        bench.hang_up(session, cordboard_model::cause::Cause::Normal);
        let (cancel_flow, cancel) = one(&mut bench);
        assert_eq!((line(&cancel).as_str(), cancel_flow.transport), ("CANCEL", transport));
        bench.wait(100_000);
        bench.take();
    }
    bench.settle();
}

#[test]
fn what_a_peer_without_tcp_refuses_goes_by_udp_and_is_remembered_for_a_while() {
    let mut bench = bench();
    let session = dial(&mut bench, "sip:900@198.51.100.7", 900);
    let (flow, first) = one(&mut bench);
    assert_eq!(flow, tcp());
    bench.unreachable(flow);
    let (flow, again) = one(&mut bench);
    assert_eq!(flow.transport, Transport::Udp);
    let branch = |message: &Message| message.via_top().unwrap().branch().unwrap().to_owned();
    assert_eq!(branch(&first), branch(&again));
    assert!(header(&again, HeaderName::Via).starts_with("SIP/2.0/UDP 192.0.2.1:5060;rport;"));
    // it is repeated as UDP needs it
    bench.wait(600);
    assert_eq!(bench.lines(), ["INVITE"]);
    bench.recv(TRUNK, &reply(&again, 200, "far", &sdp(4000)));
    assert_eq!(bench.lines(), ["ACK"]);
    assert_eq!(bench.told(), ["Answered", "DialogUp"]);
    bench.hang_up(session, cordboard_model::cause::Cause::Normal);
    bench.take();
    // within ten minutes this peer is not asked again, and afterwards it is
    dial(&mut bench, "sip:900@198.51.100.7", 900);
    assert_eq!(one(&mut bench).0.transport, Transport::Udp);
    bench.wait(601_000);
    bench.take();
    dial(&mut bench, "sip:900@198.51.100.7", 900);
    assert_eq!(one(&mut bench).0.transport, Transport::Tcp);
}

#[test]
fn a_dialog_stays_where_its_peer_is_known_and_short_requests_go_by_udp() {
    let mut bench = bench();
    let session = dial(&mut bench, "sip:900@198.51.100.7", 1_000);
    let (_, invite) = one(&mut bench);
    bench.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
    assert_eq!(one(&mut bench).0.transport, Transport::Tcp, "the ACK carries the long name as well");
    bench.hang_up(session, cordboard_model::cause::Cause::Normal);
    bench.take();
    let session = dial(&mut bench, "sip:900@198.51.100.7", 800);
    let (flow, invite) = one(&mut bench);
    assert_eq!(flow.transport, Transport::Tcp);
    bench.recv(TRUNK, &reply(&invite, 200, "far", &sdp(4000)));
    assert_eq!(one(&mut bench).0.transport, Transport::Udp);
    bench.hang_up(session, cordboard_model::cause::Cause::Normal);
    assert_eq!(one(&mut bench).0.transport, Transport::Udp);
}

#[test]
fn a_peer_behind_nat_and_a_switch_without_tcp_keep_to_udp() {
    let mut behind = bench();
    for uri in ["sip:900@10.0.0.5:5060", "sip:900@abc.invalid", "sip:900@198.51.100.7:5999"] {
        dial(&mut behind, uri, 900);
        assert_eq!(one(&mut behind).0.transport, Transport::Udp, "{uri}");
    }
    dial(&mut behind, "sip:900@carrier.example", 900);
    assert_eq!(one(&mut behind).0.transport, Transport::Tcp);
    let mut without = Bench::new();
    dial(&mut without, "sip:900@198.51.100.7", 900);
    assert_eq!(one(&mut without).0.transport, Transport::Udp);
}
