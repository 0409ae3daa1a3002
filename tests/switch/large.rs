//! Requests too long for UDP, at the running switch.

use crate::common::field;
use cordboard_sip::wire::HeaderName;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::peer::Peer;
use cordboard_tests::switch::Switch;
use std::net::TcpListener;
use std::path::Path;

const SDP: &str = "v=0\no=- 1 1 IN IP4 127.0.0.2\ns=-\nc=IN IP4 127.0.0.2\nt=0 0\nm=audio 41000 RTP/AVP 0\n";
const GATEWAY: &str = "127.0.0.3:5080";

/// A gateway, and the number that leads there.
fn way() -> String {
    format!(
        "[tenant.default.trunk.in]\npeers = [\"127.0.0.2\"]\n\
         [[tenant.default.number]]\naccess_code = \"900\"\nto = \"trunk:out:4930900\"\n\
         [tenant.default.trunk.out]\noptions_every = \"0s\"\n\
         [[tenant.default.trunk.out.gateways]]\naddress = \"{GATEWAY}\"\n"
    )
}

/// Calls with a name so long that no INVITE with it fits in 1,300 bytes.
fn calls(caller: &mut Peer) -> Outcome {
    let mut invite = caller.request("INVITE", "sip:900@127.0.0.1:5060", "4711", "")?;
    let name = "x".repeat(900);
    invite.set(HeaderName::From, format!("\"{name}\" <sip:4711@127.0.0.2>;tag={}", caller.at.port()));
    invite.push(HeaderName::Contact, format!("<sip:4711@{}>", caller.at));
    invite.set_body("application/sdp", SDP.replace('\n', "\r\n").into_bytes());
    caller.send(&invite)
}

/// The refusal reaches the caller, who acknowledges it.
fn is_refused(caller: &mut Peer) -> Outcome {
    let refusal = caller.receive("486 INVITE")?;
    let ack = caller.ack_of(&refusal)?;
    caller.send(&ack)
}

/// A long INVITE to a UDP gateway goes by TCP where the gateway takes it, and by UDP where it does not.
pub fn by_tcp_or_after_all_by_udp(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.listen("tcp:127.0.0.1:5060").more(&way()))?;
    let mut caller = Peer::udp("127.0.0.2:5090", &switch.sip)?;
    let mut udp = Peer::udp(GATEWAY, &switch.sip)?;
    let listener = TcpListener::bind(GATEWAY)?;
    calls(&mut caller)?;
    let mut tcp = Peer::accept(&listener)?;
    let invite = tcp.receive("INVITE")?;
    ensure(invite.to_bytes().len() > 1_300, || format!("it is short: {invite:?}"))?;
    let via = invite.via_top().map(|via| via.transport.to_string()).unwrap_or_default();
    ensure(via == "TCP", || format!("Via says {via}"))?;
    tcp.answer(&invite, 486)?;
    tcp.receive("ACK")?;
    is_refused(&mut caller)?;
    ensure(udp.kinds().is_empty(), || format!("UDP got {:?}", udp.kinds()))?;
    drop((tcp, listener));
    calls(&mut caller)?;
    let invite = udp.receive("INVITE")?;
    let via = invite.via_top().map(|via| via.transport.to_string()).unwrap_or_default();
    ensure(via == "UDP", || format!("Via says {via}"))?;
    udp.answer(&invite, 486)?;
    udp.receive("ACK")?;
    is_refused(&mut caller)?;
    for cdr in switch.wait_cdrs(2)? {
        field(&cdr, "cause", "busy")?;
    }
    // Over TCP a refused INVITE does not rest: nothing comes twice.
    switch.ensure_left_resting(1)
}
