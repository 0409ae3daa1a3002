//! SIP messages of the usual size and shape.

/// The session description of a phone with four codecs and RFC 4733 events.
const OFFER: &str = "v=0\r\n\
    o=- 3905678101 3905678101 IN IP4 192.0.2.31\r\n\
    s=-\r\n\
    c=IN IP4 192.0.2.31\r\n\
    t=0 0\r\n\
    m=audio 11784 RTP/AVP 9 8 0 18 101\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:18 G729/8000\r\n\
    a=fmtp:18 annexb=no\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-15\r\n\
    a=ptime:20\r\n\
    a=sendrecv\r\n";

/// An INVITE of a desk phone that came by one proxy, with a session description.
pub fn invite() -> Vec<u8> {
    format!(
        "INVITE sip:1002@switch.example.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK8f2d.1a2b3c4d5e6f.0;rport=5060\r\n\
         Via: SIP/2.0/UDP 192.0.2.31:5060;branch=z9hG4bK1766551301;rport=5060;received=192.0.2.31\r\n\
         Record-Route: <sip:192.0.2.7;lr;ftag=1519573463>\r\n\
         From: \"Ann Example\" <sip:1001@switch.example.com>;tag=1519573463\r\n\
         To: <sip:1002@switch.example.com>\r\n\
         Call-ID: 0_3905678101@192.0.2.31\r\n\
         CSeq: 2 INVITE\r\n\
         Contact: <sip:1001@192.0.2.31:5060>\r\n\
         Max-Forwards: 69\r\n\
         Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, UPDATE\r\n\
         Supported: replaces, timer, 100rel\r\n\
         Session-Expires: 1800\r\n\
         Min-SE: 90\r\n\
         User-Agent: Example SIP-T46S 66.86.0.15\r\n\
         Allow-Events: talk, hold, conference, refer, check-sync\r\n\
         P-Asserted-Identity: \"Ann Example\" <sip:1001@switch.example.com>\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{OFFER}",
        OFFER.len()
    )
    .into_bytes()
}

/// A REGISTER that answers a SHA-256 challenge.
pub fn register() -> Vec<u8> {
    "REGISTER sip:switch.example.com SIP/2.0\r\n\
     Via: SIP/2.0/UDP 192.0.2.31:5060;branch=z9hG4bK1766551302;rport\r\n\
     From: \"Ann Example\" <sip:1001@switch.example.com>;tag=803463012\r\n\
     To: \"Ann Example\" <sip:1001@switch.example.com>\r\n\
     Call-ID: 0_3905670001@192.0.2.31\r\n\
     CSeq: 2 REGISTER\r\n\
     Contact: <sip:1001@192.0.2.31:5060>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"\r\n\
     Authorization: Digest username=\"1001\", realm=\"switch.example.com\", \
     nonce=\"00000192a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4\", uri=\"sip:switch.example.com\", \
     response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", algorithm=SHA-256, \
     cnonce=\"0a4f113b\", qop=auth, nc=00000001\r\n\
     Max-Forwards: 70\r\n\
     Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, UPDATE\r\n\
     User-Agent: Example SIP-T46S 66.86.0.15\r\n\
     Expires: 3600\r\n\
     Content-Length: 0\r\n\r\n"
        .into()
}

/// The 200 of a REGISTER: a response without a body.
pub fn ok() -> Vec<u8> {
    "SIP/2.0 200 OK\r\n\
     Via: SIP/2.0/UDP 192.0.2.31:5060;branch=z9hG4bK1766551302;rport=5060;received=192.0.2.31\r\n\
     From: \"Ann Example\" <sip:1001@switch.example.com>;tag=803463012\r\n\
     To: \"Ann Example\" <sip:1001@switch.example.com>;tag=00-6f1c2a\r\n\
     Call-ID: 0_3905670001@192.0.2.31\r\n\
     CSeq: 2 REGISTER\r\n\
     Contact: <sip:1001@192.0.2.31:5060>;expires=3600\r\n\
     Date: Fri, 20 Nov 2026 09:15:00 GMT\r\n\
     Server: Example\r\n\
     Content-Length: 0\r\n\r\n"
        .into()
}

#[cfg(test)]
mod tests {
    use cordboard_sip::wire::{HeaderName, Method, parse_datagram};

    #[test]
    fn the_messages_that_are_measured_are_taken_as_what_they_are() {
        let invite = parse_datagram(&super::invite()).unwrap();
        assert_eq!(invite.method(), Some(&Method::Invite));
        assert_eq!(invite.vias().unwrap().len(), 2);
        assert_eq!(invite.body.len(), super::OFFER.len());
        let register = parse_datagram(&super::register()).unwrap();
        assert!(register.header(&HeaderName::Authorization).unwrap().contains("nc=00000001"));
        assert_eq!(parse_datagram(&super::ok()).unwrap().status(), Some(200));
    }
}
