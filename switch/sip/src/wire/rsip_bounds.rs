//! Where rsip 0.4 is right and used, and where it is wrong and replaced. A test that fails here
//! after an update of rsip means that own code may be given up for it.

use super::Transport;
use rsip::prelude::*;

#[test]
fn transports_are_read_rightly() {
    for known in rsip::Transport::all() {
        let text = known.to_string();
        assert_eq!(Transport::parse(&text.to_lowercase()), Some(known.into()));
        assert_eq!(Transport::parse(&text).unwrap().as_str(), text);
        assert_eq!(Transport::parse(&text).unwrap().default_port(), *known.default_port().value());
    }
}

#[test]
fn uris_lose_dotted_users_headers_and_ipv6() {
    let uri = |text: &str| rsip::Uri::try_from(text);
    assert!(uri("sip:j.user@example.com").map_or(true, |uri| uri.user() != Some("j.user")));
    assert!(uri("sip:a@h?Subject=x").map_or(true, |uri| uri.headers.is_empty()));
    assert!(uri("sip:a@[2001:db8::10]:5070").map_or(true, |uri| uri.port().is_none()));
    assert!(uri("sip:a@h;transport=quic").is_err());
}

#[test]
fn methods_are_compared_without_case_and_extensions_refused() {
    assert_eq!("invite".parse::<rsip::Method>().unwrap(), rsip::Method::Invite);
    assert!("NEWMETHOD".parse::<rsip::Method>().is_err());
}

#[test]
fn quoted_names_with_brackets_are_torn_apart() {
    let from = rsip::headers::untyped::From::new("\"a <b>\" <sip:c@d>;tag=1");
    assert!(from.typed().map_or(true, |from| from.uri.to_string() != "sip:c@d"));
}

#[test]
fn compact_names_and_folds_are_not_known() {
    let text = "OPTIONS sip:a@h SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n";
    let compact = rsip::SipMessage::try_from(text).unwrap();
    assert!(compact.via_header().is_err());
    let text = "OPTIONS sip:a@h SIP/2.0\r\nSubject: a\r\n b\r\n\r\n";
    assert!(rsip::SipMessage::try_from(text).is_err());
}

#[test]
fn status_codes_print_their_variant_and_nonce_counts_are_bytes() {
    assert_eq!(rsip::StatusCode::from(404).to_string(), "404 NotFound");
    let count = |nc: &str| {
        let text = format!(
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"x\", \
             qop=auth, cnonce=\"c\", nc={nc}"
        );
        rsip::headers::untyped::Authorization::new(text).typed()
    };
    assert!(count("00000001").is_ok());
    assert!(count("0000000a").is_err() && count("00000256").is_err());
    assert!("SHA-256".parse::<rsip::headers::auth::Algorithm>().is_err());
}

#[test]
fn cseq_numbers_have_no_limit_and_via_no_blanks() {
    assert!(rsip::headers::untyped::CSeq::new("4294967295 INVITE").typed().is_ok());
    assert!(rsip::headers::untyped::Via::new("SIP / 2.0 / UDP h;branch=z9hG4bK1").typed().is_err());
    assert!(rsip::headers::untyped::Via::new("SIP/2.0/QUIC h;branch=z9hG4bK1").typed().is_err());
}
