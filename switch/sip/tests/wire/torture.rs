//! Every message of RFC 4475 and RFC 5118: what the RFC says, and what the parser does.
//! What only a transaction user can decide (416, 420, 415, 405, 483) is parsed here and
//! answered above; the table says so.

use cordboard_sip::wire::{HeaderName, Message, Method, NameAddr, WireErrorKind, parse_datagram};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the parser makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Well-formed, and parsed.
    Valid,
    /// Not well-formed; the RFC allows to accept it, and the parser does.
    Lenient,
    /// Refused with this status code.
    Refused(u16),
    /// Dropped in silence: a response, or nobody to answer.
    Dropped,
}
use Outcome::{Dropped, Lenient, Refused, Valid};

struct Case {
    file: &'static str,
    rfc_says: &'static str,
    outcome: Outcome,
    check: fn(&Message),
}

const fn case(file: &'static str, rfc_says: &'static str, outcome: Outcome) -> Case {
    Case { file, rfc_says, outcome, check: |_| {} }
}

const fn checked(file: &'static str, rfc_says: &'static str, outcome: Outcome, check: fn(&Message)) -> Case {
    Case { file, rfc_says, outcome, check }
}

const RFC_4475: &[Case] = &[
    checked("wsinv", "folds, compact names, blanks, leading zeros: parse", Valid, wsinv),
    checked("intmeth", "odd characters everywhere: parse, 501 above", Valid, intmeth),
    checked("esc01", "escapes are decoded once", Valid, esc01),
    checked("escnull", "an escaped NUL cuts nothing, two contacts", Valid, escnull),
    checked("esc02", "% is no escape in methods and names: not a REGISTER", Valid, esc02),
    checked("lwsdisp", "no blank between name and <", Valid, |m| {
        assert_eq!(m.from_().unwrap().display.as_deref(), Some("caller"));
    }),
    checked("longreq", "long values, 34 Via: parse", Valid, longreq),
    checked("dblreq", "the octets after the message are noise", Valid, |m| {
        assert_eq!((m.method(), m.body.len()), (Some(&Method::Register), 0));
    }),
    checked("semiuri", "the semicolon belongs to the user part", Valid, |m| {
        assert_eq!(m.request_uri().unwrap().user().unwrap(), "user;par=u@example.net");
        assert_eq!(m.headers.tokens(&HeaderName::Accept).count(), 6);
        assert!(m.accepts("application/sdp") && !m.accepts("text/plain"));
    }),
    checked("transports", "unknown transports in lower Via: parse", Valid, |m| {
        let transports: Vec<_> =
            m.vias().unwrap().iter().map(|via| via.transport.as_str().to_owned()).collect();
        assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    }),
    checked("mpart01", "a binary body with NULs is kept whole", Valid, |m| {
        assert_eq!(m.body.len(), 553);
        assert!(m.body.contains(&0));
        let content_type = m.content_type().unwrap().unwrap();
        assert!(content_type.is("multipart/mixed"));
        assert_eq!(content_type.params.get("boundary"), Some("7a9cbec02ceef655"));
    }),
    checked("unreason", "UTF-8 in the reason phrase", Valid, |m| {
        assert_eq!(m.status(), Some(200));
    }),
    checked("noreason", "an empty reason phrase", Valid, |m| assert_eq!(m.status(), Some(100))),
    case("badinv01", "stray separators in Via and Contact: 400", Refused(400)),
    case("clerr", "Content-Length beyond the datagram: 400", Refused(400)),
    case("ncl", "negative Content-Length: error", Refused(400)),
    case("scalar02", "CSeq above 2^31, huge Expires: 400", Refused(400)),
    case("scalarlg", "huge CSeq in a response: discard", Dropped),
    case("quotbal", "unterminated quote in To: 400", Refused(400)),
    case("ltgtruri", "<> around the Request-URI: 400", Refused(400)),
    case("lwsruri", "blank inside the Request-URI: 400", Refused(400)),
    checked("lwsstart", "several spaces in the request line: may accept", Lenient, reprinted),
    checked("trws", "space at the end of the request line: may accept", Lenient, reprinted),
    case("escruri", "headers in the Request-URI: 400 is acceptable", Refused(400)),
    case("baddate", "a zone other than GMT: better ignored", Lenient),
    case("regbadct", "Contact with a URI header but no <>: 400", Refused(400)),
    checked("badaspec", "blanks inside <>: may accept", Lenient, |m| {
        assert_eq!(m.to().unwrap().uri.to_string(), "sip:t.watson@example.org");
    }),
    checked("baddn", "no quotes where they are needed: may accept", Lenient, |m| {
        // the fault is not passed on in what we write
        assert!(m.to().unwrap().to_string().starts_with("\"Watson, Thomas\" <"));
    }),
    case("badvers", "SIP/7.0: 505", Refused(505)),
    case("mismatch01", "method differs from CSeq: 400", Refused(400)),
    case("mismatch02", "unknown method differs from CSeq: 501", Refused(501)),
    case("bigcode", "status code beyond 32 bits: drop", Dropped),
    case("badbranch", "the branch is the cookie alone: 400", Refused(400)),
    case("insuf", "no Call-ID, From, To: 400", Refused(400)),
    checked("unkscm", "unknown scheme in the Request-URI: parse, 416 above", Valid, |m| {
        assert_eq!(m.request_uri().unwrap().scheme(), "nobodyKnowsThisScheme");
    }),
    checked("novelsc", "known odd scheme in the Request-URI: parse, 416 above", Valid, |m| {
        assert_eq!(m.request_uri().unwrap().scheme(), "soap.beep");
    }),
    checked("unksm2", "unknown schemes in To, From, Contact: parse, 400 by the registrar", Valid, |m| {
        assert_eq!(m.to().unwrap().uri.scheme(), "isbn");
        assert_eq!(m.contacts().unwrap()[0].uri.scheme(), "name");
    }),
    checked("bext01", "unknown Require: parse, 420 above", Valid, |m| {
        assert_eq!(m.require().collect::<Vec<_>>(), ["nothingSupportsThis", "nothingSupportsThisEither"]);
        assert_eq!(m.headers.tokens(&HeaderName::ProxyRequire).count(), 2);
    }),
    checked("invut", "unknown Content-Type: parse, 415 above", Valid, |m| {
        assert!(m.content_type().unwrap().unwrap().is("application/unknownformat"));
    }),
    checked("regaut01", "unknown Authorization scheme: parse, 401 above", Valid, |m| {
        assert!(m.header(&HeaderName::Authorization).unwrap().starts_with("NoOneKnowsThisScheme"));
    }),
    case("multi01", "several values of single headers: 400", Refused(400)),
    case("mcl01", "two Content-Length: error", Refused(400)),
    checked("bcast", "response with a foreign second Via: parse, the user agent discards it", Valid, |m| {
        assert_eq!(m.vias().unwrap().len(), 2);
    }),
    checked("zeromf", "Max-Forwards 0: parse, 483 or 200 above", Valid, |m| {
        assert_eq!(m.max_forwards().unwrap(), Some(0));
    }),
    checked("cparam01", "unknownparam is of the header", Valid, |m| {
        let contact = &m.contacts().unwrap()[0];
        assert!(contact.params.contains("unknownparam") && contact.uri.param("unknownparam").is_none());
    }),
    checked("cparam02", "unknownparam is of the URI", Valid, |m| {
        let contact = &m.contacts().unwrap()[0];
        assert!(!contact.params.contains("unknownparam") && contact.uri.param("unknownparam").is_some());
    }),
    checked("regescrt", "the escaped Route stays in the URI", Valid, |m| {
        let contact = &m.contacts().unwrap()[0];
        let uri = contact.uri.as_sip().unwrap();
        assert_eq!(uri.raw_headers(), Some("Route=%3Csip:sip.example.com%3E"));
        assert!(!m.headers.contains(&HeaderName::Route));
    }),
    checked("sdp01", "Accept without application/sdp: parse, 406 above", Valid, |m| {
        assert!(!m.accepts("application/sdp"));
    }),
    checked("inv2543", "no branch, tag, Content-Length, Max-Forwards: parse", Valid, |m| {
        assert_eq!(m.via_top().unwrap().branch(), None);
        assert_eq!((m.from_().unwrap().tag(), m.max_forwards().unwrap()), (None, None));
        assert!(m.body.starts_with(b"v=0\r\n") && m.body.ends_with(b"m=audio 49217 RTP/AVP 0\r\n"));
    }),
    case("test", "not in the text: no version, no Via, no answer possible", Dropped),
];

const RFC_5118: &[Case] = &[
    checked("ipv6-good", "IPv6 reference in the Request-URI", Valid, |m| {
        host_port(m, "[2001:db8::10]", None)
    }),
    case("ipv6-bad", "IPv6 address without brackets: 400", Refused(400)),
    checked("port-ambiguous", "all inside the brackets is address", Valid, |m| {
        host_port(m, "[2001:db8::10:5070]", None);
    }),
    checked("port-unambiguous", "the port follows the brackets", Valid, |m| {
        host_port(m, "[2001:db8::10]", Some(5070));
    }),
    checked("via-received-param-with-delim", "brackets in received: accept", Lenient, received),
    checked("via-received-param-no-delim", "no brackets in received", Valid, received),
    case("ipv6-in-sdp", "IPv6 in SDP", Valid),
    checked("mult-ip-in-header", "both families in Via", Valid, |m| assert_eq!(m.vias().unwrap().len(), 3)),
    case("mult-ip-in-sdp", "both families in SDP", Valid),
    case("ipv4-mapped-ipv6", "IPv4-mapped addresses", Valid),
    checked("ipv6-bug-abnf-3-colons", "three colons: be lenient", Lenient, three_colons),
    checked("ipv6-correct-abnf-2-colons", "two colons", Valid, three_colons),
];

fn wsinv(m: &Message) {
    let vias: Vec<_> = m.vias().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        vias,
        [
            "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw",
            "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8",
            "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
        ]
    );
    assert_eq!((m.max_forwards().unwrap(), m.cseq().unwrap().seq), (Some(68), 9));
    assert_eq!(m.to().unwrap().tag(), Some("1918181833n"));
    let from = m.from_().unwrap();
    assert_eq!((from.display.as_deref(), from.tag()), (Some(r#"J Rosenberg \""#), Some("98asjd8")));
    assert_eq!(m.header(&HeaderName::Subject), Some(""));
    let header = |name: &str| m.header(&HeaderName::parse(name).unwrap());
    assert_eq!(header("newfangledheader"), Some("newfangled value continued newfangled value"));
    assert_eq!(header("UnknownHeaderWithUnusualValue"), Some(";;,,;;,;"));
    let contact = &m.contacts().unwrap()[0];
    assert_eq!(contact.display.as_deref(), Some(r#"Quoted string """#));
    assert_eq!((contact.params.get("newparam"), contact.q_thousandths()), (Some("newvalue"), 330));
    assert!(m.routes().unwrap()[0].uri.as_sip().unwrap().is_loose_router());
    assert_eq!(m.body.len(), 150);
}

fn intmeth(m: &Message) {
    assert_eq!(m.method().unwrap().as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(m.to().unwrap().display.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    let from = m.from_().unwrap();
    assert_eq!(from.display.as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(from.params.get_unquoted("fromParam''~+*_!.-%").unwrap(), "работающий");
    assert_eq!(m.call_id().unwrap(), "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    let uri = m.request_uri().unwrap().as_sip().unwrap();
    assert_eq!(uri.raw_user(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(uri.raw_password(), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
}

fn esc01(m: &Message) {
    assert_eq!(m.request_uri().unwrap().user().unwrap(), "sips:user@example.com");
    assert_eq!(m.to().unwrap().uri.user().unwrap(), "user");
    assert_eq!(m.from_().unwrap().uri.user().unwrap(), "I have spaces");
    let contact = &m.contacts().unwrap()[0];
    assert_eq!(contact.uri.user().unwrap(), "caller");
    assert_eq!(contact.uri.param("name").unwrap(), "value%41");
    assert!(contact.uri.as_sip().unwrap().is_loose_router());
}

fn escnull(m: &Message) {
    assert_eq!(m.to().unwrap().uri.user().unwrap(), "null-\0-null");
    let contacts = m.contacts().unwrap();
    assert_eq!(contacts.len(), 2);
    assert_ne!(contacts[0].uri, contacts[1].uri);
}

fn esc02(m: &Message) {
    assert_eq!(m.method(), Some(&Method::Other("RE%47IST%45R".into())));
    assert_eq!(m.contacts().unwrap().len(), 2);
    assert_eq!(m.to().unwrap().display.as_deref(), Some("%Z%45"));
}

fn longreq(m: &Message) {
    assert_eq!(m.vias().unwrap().len(), 34);
    assert!(m.from_().unwrap().tag().unwrap().len() > 100);
    assert!(m.call_id().unwrap().len() > 100);
    assert_eq!(m.body.len(), 150);
}

/// Accepted spaces are not written again.
fn reprinted(m: &Message) {
    let text = String::from_utf8(m.to_bytes()).unwrap();
    let line = text.lines().next().unwrap();
    assert!(!line.contains("  ") && line.ends_with(" SIP/2.0"), "{line}");
}

fn host_port(m: &Message, host: &str, port: Option<u16>) {
    let uri = m.request_uri().unwrap();
    assert_eq!((uri.host().unwrap().as_str(), uri.port()), (host, port));
}

fn received(m: &Message) {
    let via = m.via_top().unwrap();
    assert_eq!(via.received(), "2001:db8::9:255".parse().ok());
}

fn three_colons(m: &Message) {
    let host = m.request_uri().unwrap().host().unwrap().clone();
    assert_eq!(host.ip(), "2001:db8::192.0.2.1".parse().ok());
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/torture").join(name)
}

fn outcome_of(data: &[u8]) -> (Option<Message>, Outcome) {
    match parse_datagram(data) {
        Ok(message) => (Some(message), Valid),
        Err(error) => (None, error.reject.map_or(Dropped, |reject| Refused(reject.code))),
    }
}

/// The table and the folder name the same files.
fn assert_complete(cases: &[Case], dir: &Path, suffix: &str) {
    let listed: BTreeSet<_> = cases.iter().map(|case| format!("{}{suffix}", case.file)).collect();
    let found: BTreeSet<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(listed, found);
    assert_eq!(listed.len(), cases.len());
}

fn run(cases: &[Case], dir: &Path, suffix: &str) {
    assert_complete(cases, dir, suffix);
    let mut wrong = Vec::new();
    for case in cases {
        let data = std::fs::read(dir.join(format!("{}{suffix}", case.file))).unwrap();
        let (message, outcome) = outcome_of(&data);
        let expected = if case.outcome == Lenient { Valid } else { case.outcome };
        if outcome != expected {
            let kind = parse_datagram(&data).err().map(|error| error.kind);
            wrong.push(format!("{} ({}): {outcome:?} {kind:?}", case.file, case.rfc_says));
        }
        if let Some(message) = message {
            (case.check)(&message);
            assert_prints_what_was_read(case.file, &message);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn assert_prints_what_was_read(file: &str, message: &Message) {
    let printed = message.to_bytes();
    assert_eq!(parse_datagram(&printed).as_ref(), Ok(message), "{file}");
    if !message.is_request() {
        return;
    }
    let mut response = Message::response_to(message, 404);
    response.set_to_tag("z");
    let response = parse_datagram(&response.to_bytes()).unwrap();
    assert_eq!(response.vias().unwrap(), message.vias().unwrap(), "{file}");
    assert_eq!(response.call_id(), message.call_id(), "{file}");
    assert_eq!(response.cseq(), message.cseq(), "{file}");
    assert!(response.to().unwrap().tag().is_some(), "{file}");
}

#[test]
fn rfc_4475_is_obeyed_message_by_message() {
    assert_eq!(RFC_4475.len(), 50);
    run(RFC_4475, &folder("rfc4475"), ".dat");
}

#[test]
fn rfc_5118_is_obeyed_message_by_message() {
    assert_eq!(RFC_5118.len(), 12);
    run(RFC_5118, &folder("rfc5118-crlf"), "");
}

/// The archive's own line ends: read as far as its lengths allow, never a crash.
#[test]
fn rfc_5118_with_bare_line_feeds_is_read_or_refused() {
    let dir = folder("rfc5118");
    assert_complete(RFC_5118, &dir, "");
    for case in RFC_5118 {
        let data = std::fs::read(dir.join(case.file)).unwrap();
        let (message, outcome) = outcome_of(&data);
        let body = message.as_ref().map_or(0, |message| message.body.len());
        let error = parse_datagram(&data).err().map(|error| error.kind);
        match outcome {
            Valid => assert!(case.outcome != Refused(400), "{} {body}", case.file),
            _ => assert!(
                matches!(error, Some(WireErrorKind::BodyTooShort | WireErrorKind::RequestUri)),
                "{} {error:?}",
                case.file
            ),
        }
    }
}

/// A refusal repeats what could be read, and is a response whatever the request was.
#[test]
fn every_refusal_has_a_status_line_and_the_top_via() {
    let (mut refusals, mut expected) = (0, 0);
    for (cases, dir, suffix) in
        [(RFC_4475, folder("rfc4475"), ".dat"), (RFC_5118, folder("rfc5118-crlf"), "")]
    {
        for case in cases {
            expected += usize::from(matches!(case.outcome, Refused(_)));
            let data = std::fs::read(dir.join(format!("{}{suffix}", case.file))).unwrap();
            let Some(reject) = parse_datagram(&data).err().and_then(|error| error.reject) else {
                continue;
            };
            refusals += 1;
            let (via, code) = (reject.via.clone(), reject.code);
            let answer = reject.into_response(&via, "made-here").to_bytes();
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with(&format!("SIP/2.0 {code} ")), "{answer}");
            assert!(answer.contains(&format!("\r\nVia: {via}\r\n")), "{answer}");
            assert!(answer.ends_with("\r\nContent-Length: 0\r\n\r\n"), "{answer}");
            let to = answer.lines().find_map(|line| line.strip_prefix("To: "));
            if let Some(to) = to.and_then(NameAddr::parse) {
                assert!(to.tag().is_some(), "{answer}");
            }
        }
    }
    assert_eq!(refusals, expected);
}
