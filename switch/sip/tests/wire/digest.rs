//! Digest against the vectors of the RFCs, and both of our ends against each other.

use super::corpora::corpus;
use cordboard_model::time::Time;
use cordboard_sip::auth::{
    Algorithm, Authenticator, Credentials, CredentialsError, Ha1, Identity, Refusal, Verdict,
    answer_challenge, find_credentials, ha1,
};
use cordboard_sip::wire::{HeaderName, Message, Method, Uri, parse_datagram};

const NOW: Time = Time::from_millis(60_000);

/// A right response with a nonce that is not ours is stale; a wrong one is refused.
#[test]
fn the_vectors_of_rfc_7616_and_2617_are_right() {
    let Some(dir) = corpus("vectors") else { return };
    let text = std::fs::read_to_string(dir.join("vectors.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let digests = vectors["digest"].as_array().unwrap();
    assert_eq!(digests.len(), 3);
    for vector in digests {
        let get = |name: &str| vector[name].as_str().unwrap();
        let algorithm = Algorithm::parse(get("algorithm")).unwrap();
        let kept = ha1(algorithm, get("username"), get("realm"), get("password"));
        let account = Ha1 { md5: &kept, sha256: &kept };
        let verdict = |response: &str| {
            let value = format!(
                "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", algorithm={}, \
                 nc={}, cnonce=\"{}\", qop={}, response=\"{response}\"",
                get("username"),
                get("realm"),
                get("nonce"),
                get("uri"),
                get("algorithm"),
                get("nc"),
                get("cnonce"),
                get("qop"),
            );
            let credentials = Credentials::parse(&value).unwrap();
            let method = Method::parse(get("method")).unwrap();
            Authenticator::new([3; 32]).verify(
                &credentials,
                &method,
                get("realm"),
                "192.0.2.7",
                Some(account),
                NOW,
            )
        };
        let printed = get("response_in_rfc");
        assert_eq!(verdict(printed), Verdict::Stale, "{}", get("source"));
        assert_eq!(verdict(&printed.to_uppercase()), Verdict::Stale);
        let wrong = printed.replacen(&printed[..1], if printed.starts_with('0') { "1" } else { "0" }, 1);
        assert_eq!(verdict(&wrong), Verdict::Refused(Refusal::Response));
        assert_eq!(verdict(""), Verdict::Refused(Refusal::Response));
    }
}

fn register() -> Message {
    let uri = Uri::parse("sip:example.com;transport=udp").unwrap();
    Message::request(Method::Register, uri)
        .with(HeaderName::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport")
        .with(HeaderName::From, "<sip:alice@example.com>;tag=1")
        .with(HeaderName::To, "<sip:alice@example.com>")
        .with(HeaderName::CallId, "c@192.0.2.1")
        .with(HeaderName::CSeq, "1 REGISTER")
        .with(HeaderName::MaxForwards, "70")
        .with(HeaderName::Contact, "<sip:alice@192.0.2.1>;expires=600")
}

/// Challenge, answer, acceptance and replay, each over the wire.
#[test]
fn a_registration_is_challenged_answered_and_accepted_once() {
    let realm = "example.com";
    let kept = [Algorithm::Md5, Algorithm::Sha256].map(|a| ha1(a, "alice", realm, "pa\"ss\\word"));
    let account = Ha1 { md5: &kept[0], sha256: &kept[1] };
    let mut server = Authenticator::new([9; 32]);
    let request = parse_datagram(&register().to_bytes()).unwrap();
    let name = HeaderName::Authorization;
    assert_eq!(find_credentials(&request, &name, realm), Err(CredentialsError::None));

    let mut challenged = Message::response_to(&request, 401);
    for value in server.challenge(realm, "192.0.2.7", false, NOW, &Algorithm::OFFERED) {
        challenged.push(HeaderName::WwwAuthenticate, value);
    }
    let challenged = parse_datagram(&challenged.to_bytes()).unwrap();
    let identity = Identity { username: "alice", password: "pa\"ss\\word" };
    let mut again = request.clone();
    let (header, value) = answer_challenge(&challenged, &request, identity, "0a4f113b", 1).unwrap();
    assert!(value.contains("algorithm=SHA-256"), "{value}");
    again.set(header, value);
    again.set(HeaderName::CSeq, "2 REGISTER");

    let again = parse_datagram(&again.to_bytes()).unwrap();
    let credentials = find_credentials(&again, &name, realm).unwrap();
    assert_eq!(
        (credentials.username.as_str(), credentials.uri.as_str()),
        ("alice", "sip:example.com;transport=udp")
    );
    let mut verify =
        || server.verify(&credentials, &Method::Register, realm, "192.0.2.7", Some(account), NOW);
    assert_eq!(verify(), Verdict::Accepted);
    assert_eq!(verify(), Verdict::Stale);
}
