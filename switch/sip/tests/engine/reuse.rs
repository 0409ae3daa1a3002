//! Connection reuse (RFC 5923).

use crate::bench::{Bench, PHONE, SWITCH, addr, invite};
use cordboard_sip::engine::{Datagram, Flow, SipConfig, Transport};

/// A carrier's connection to us, from a port of the day.
const FROM: &str = "198.51.100.7:40123";

fn tls(remote: &str) -> Flow {
    Flow { transport: Transport::Tls, local: addr(SWITCH), remote: addr(remote) }
}

/// A switch whose TLS listener demands certificates, or not, that gets an INVITE by `flow` with this in its Via.
fn after(demands: bool, flow: Flow, more: &str) -> Bench {
    let authenticated = if demands { vec![addr(SWITCH)] } else { Vec::new() };
    let mut bench = Bench::with(SipConfig { authenticated, ..SipConfig::new(addr(SWITCH)) });
    let via = format!("Via: SIP/2.0/TLS 198.51.100.7:5061{more};branch");
    let text = invite("z9hG4bK1", "").replace("Via: SIP/2.0/UDP 198.51.100.7:5060;branch", &via);
    let text = text.replace('\n', "\r\n");
    let Flow { transport, local, remote } = flow;
    bench.engine.handle_input(Datagram { transport, local, remote, bytes: text.as_bytes() }, bench.now);
    bench
}

#[test]
fn a_carrier_that_came_with_a_certificate_and_asks_for_it_is_called_by_its_own_connection() {
    let mut bench = after(true, tls(FROM), ";alias");
    let to = |bench: &Bench, remote: &str| bench.engine.flow_by(Transport::Tls, addr(remote), None);
    assert_eq!(to(&bench, "198.51.100.7:5061"), tls(FROM));
    assert_eq!(to(&bench, "198.51.100.7:5071"), tls("198.51.100.7:5071"), "another port is another");
    let udp = bench.engine.flow_by(Transport::Udp, addr("198.51.100.7:5061"), None);
    assert_eq!(udp.remote, addr("198.51.100.7:5061"));
    let other = Some(addr("192.0.2.9:5061"));
    let named = bench.engine.flow_by(Transport::Tls, addr("198.51.100.7:5061"), other);
    assert_ne!(named, tls(FROM), "the trunk is called from another listener");
    bench.unreachable(tls(FROM));
    assert_eq!(to(&bench, "198.51.100.7:5061"), tls("198.51.100.7:5061"), "it is gone");
}

#[test]
fn without_certificate_alias_trust_or_tls_a_connection_stands_for_nobody() {
    let own = tls("198.51.100.7:5061");
    let plain = Flow { transport: Transport::Tcp, ..tls(FROM) };
    for (demands, flow, more) in [
        (false, tls(FROM), ";alias"),
        (true, tls(FROM), ""),
        (true, tls(PHONE), ";alias"),
        (true, plain, ";alias"),
    ] {
        let bench = after(demands, flow, more);
        assert_eq!(bench.engine.flow_by(Transport::Tls, own.remote, None), own, "{demands} {flow:?} {more}");
    }
}
