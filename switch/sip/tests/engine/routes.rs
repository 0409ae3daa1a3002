//! Ways that registrations prescribe: Path towards a device (RFC 3327), Service-Route from us (RFC 3608).

use core::time::Duration;

use cordboard_model::leg::PartyId;
use cordboard_sip::client::{Ask, Request, RequestId};
use cordboard_sip::engine::{Dest, Flow, SipCommand, SipOutput};
use cordboard_sip::wire::{HeaderName, Message, Uri};

use crate::bench::{Bench, PHONE, SWITCH, TRUNK, addr, header, line, local, reply, sdp, user};
use crate::registrar::register;

fn routes(message: &Message) -> Vec<&str> {
    message.headers.get_all(&HeaderName::Route).collect()
}

#[test]
fn a_device_is_reached_by_the_path_of_its_registration() {
    let mut bench = Bench::new();
    let path = "Path: <sip:198.51.100.1;lr>, <sip:198.51.100.2;lr>\r\nSupported: path\r\n";
    let ok = register(&mut bench, PHONE, "1001", "<sip:1001@10.0.0.5>", path);
    let told: Vec<&str> = ok.headers.get_all(&HeaderName::Path).collect();
    assert_eq!(told, ["<sip:198.51.100.1;lr>", "<sip:198.51.100.2;lr>"]);
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
    let (flow, invite) = bench.take().remove(0);
    assert_eq!(routes(&invite), ["<sip:198.51.100.1;lr>", "<sip:198.51.100.2;lr>"]);
    assert_eq!(invite.request_uri().unwrap().to_string(), "sip:1001@10.0.0.5");
    // to the proxy that the REGISTER came by, for that is who knows the way back
    assert_eq!(flow.remote, addr(PHONE));
}

#[test]
fn a_registrar_prescribes_the_way_of_our_requests() {
    let mut bench = Bench::new();
    bench.command(SipCommand::Request(Box::new(Request {
        id: RequestId(1),
        ask: Ask::Register { expires: Duration::from_secs(600), call_id: None, cseq: 1 },
        user: "4930".into(),
        host: "carrier.example".into(),
        flow: Flow::udp(addr(SWITCH), addr(TRUNK)),
        credentials: None,
    })));
    let asked = bench.one();
    let ok = reply(&asked, 200, "r", "");
    let way = "Service-Route: <sip:p1.carrier.example;lr>, <mailto:x@y>\r\nService-Route: <sip:p2.carrier.example;lr>\r\n";
    bench.recv(TRUNK, &ok.replacen("\r\n\r\n", &format!("\r\n{way}\r\n"), 1));
    let Some(SipOutput::Reply(told)) = bench.journal.pop() else { panic!() };
    let way = ["<sip:p1.carrier.example;lr>", "<sip:p2.carrier.example;lr>"];
    assert_eq!(told.service_route, way);
    let session = bench.engine.new_session();
    bench.command(SipCommand::Invite {
        session,
        target: Dest::Uri {
            uri: Uri::parse("sip:900@carrier.example").unwrap(),
            flow: Flow::udp(addr(SWITCH), addr(TRUNK)),
            routes: told.service_route.clone(),
            credentials: None,
        },
        from: PartyId::new("1001"),
        to: PartyId::new("900"),
        host: "carrier.example".into(),
        local: local(30_000),
        told: Box::default(),
    });
    let invite = bench.one();
    assert_eq!(routes(&invite), way);
    bench.recv(TRUNK, &reply(&invite, 486, "far", &sdp(4000)));
    // the ACK of a refusal takes the same way (RFC 3261 17.1.1.3)
    let ack = bench.one();
    assert_eq!((line(&ack).as_str(), routes(&ack)), ("ACK", way.to_vec()));
    assert_eq!(header(&ack, HeaderName::Via), header(&invite, HeaderName::Via));
}
