//! From bytes to a message, or to the reason why not (RFC 3261 7, 8.1.1, 18.3; RFC 4475).
//!
//! Lenient where RFC 4475 allows it and nothing is forwarded as it came: more than one space in
//! the request line (3.1.2.9) or at its end (3.1.2.10). Strict where it says 400.

use super::head::{BodyLength, Head};
use super::limits::{
    MAX_CALL_ID_BYTES, MAX_LEADING_LINES, MAX_MESSAGE_BYTES, MAX_TOKEN_BYTES, MAX_URI_BYTES,
};
use super::{
    CSeq, Header, HeaderName, Headers, MAGIC_COOKIE, Message, Method, NameAddr, Reject, StartLine, Uri, Via,
    WireError, WireErrorKind, scan,
};

type Fault = (WireErrorKind, usize);

/// Reads one datagram as one message. The body has the length that Content-Length says, or the
/// rest of the datagram without it. Bytes beyond it are discarded; "If the transport packet ends
/// before the end of the message body, this is considered an error" (RFC 3261 18.3).
///
/// # Errors
/// See [`WireErrorKind`]; `KeepAlive` is no error of the sender. A request that may be answered
/// comes with [`WireError::reject`]; everything else is dropped.
pub fn parse_datagram(data: &[u8]) -> Result<Message, WireError> {
    if data.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b'\0')) {
        return Err(WireError::new(WireErrorKind::KeepAlive, 0));
    }
    if data.len() > MAX_MESSAGE_BYTES {
        return Err(WireError::new(WireErrorKind::MessageTooLong, 0));
    }
    let lead = leading_lines(data);
    let rest = data.get(lead..).unwrap_or_default();
    let mut head = Head::read(rest);
    let after = rest.get(head.len..).unwrap_or_default();
    let body = match head.body_length {
        BodyLength::Absent | BodyLength::Unknown => after,
        BodyLength::Bytes(length) => after.get(..length).unwrap_or_else(|| {
            head.fault.get_or_insert((WireErrorKind::BodyTooShort, head.len));
            after
        }),
    };
    judge(head, body.to_vec()).map_err(|mut error| {
        error.offset += lead;
        error
    })
}

/// "Implementations processing SIP messages over stream-oriented transports MUST ignore any
/// CRLF appearing before the start-line" (RFC 3261 7.5); datagrams get the same.
fn leading_lines(data: &[u8]) -> usize {
    let blank = data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    blank.min(2 * MAX_LEADING_LINES)
}

/// Decides whether a header section and a body are a message.
pub(super) fn judge(head: Head, body: Vec<u8>) -> Result<Message, WireError> {
    let start = read_start_line(&head.start);
    let fault = match (&start, &head.fault) {
        (_, Some(fault @ (WireErrorKind::UriTooLong, _))) => Some(fault.clone()),
        (Err(kind), _) => Some((kind.clone(), 0)),
        (Ok(_), Some(fault)) => Some(fault.clone()),
        (Ok(start), None) => check_headers(start, &head).err(),
    };
    match (start, fault) {
        (Ok(start), None) => Ok(Message { start, headers: head.headers, body }),
        (start, Some((kind, offset))) => Err(refuse(start.ok(), head, kind, offset)),
        // an unreadable start line is a fault
        (Err(kind), None) => Err(WireError::new(kind, 0)),
    }
}

fn read_start_line(line: &str) -> Result<StartLine, WireErrorKind> {
    if line.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("SIP/")) {
        return read_status_line(line);
    }
    let line = line.trim_end_matches([' ', '\t']);
    let (method, rest) = line.split_once(' ').ok_or(WireErrorKind::StartLine)?;
    let (uri, version) = rest.rsplit_once(' ').ok_or(WireErrorKind::StartLine)?;
    let method = Method::parse(method).ok_or(WireErrorKind::StartLine)?;
    check_version(version)?;
    let uri = uri.trim_matches(' ');
    if uri.len() > MAX_URI_BYTES {
        return Err(WireErrorKind::UriTooLong);
    }
    match Uri::parse(uri) {
        // table 1 of RFC 3261 19.1.1 has no headers in a Request-URI
        Some(Uri::Sip(sip)) if sip.raw_headers().is_some() => Err(WireErrorKind::RequestUri),
        Some(uri) => Ok(StartLine::Request { method, uri }),
        None => Err(WireErrorKind::RequestUri),
    }
}

fn check_version(version: &str) -> Result<(), WireErrorKind> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    match version.get(..4) {
        Some(name) if name.eq_ignore_ascii_case("SIP/") => Err(WireErrorKind::Version),
        _ => Err(WireErrorKind::StartLine),
    }
}

fn read_status_line(line: &str) -> Result<StartLine, WireErrorKind> {
    let (version, rest) = line.split_once(' ').ok_or(WireErrorKind::StartLine)?;
    check_version(version)?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    match scan::digits(code).map(u16::try_from) {
        Some(Ok(code @ 100..=699)) if rest.as_bytes().get(3).is_none_or(|b| *b == b' ') => {
            Ok(StartLine::Response { code, reason: reason.to_owned() })
        }
        _ => Err(WireErrorKind::StatusCode),
    }
}

/// Every value that the transaction and dialog layers rely on.
fn check_headers(start: &StartLine, head: &Head) -> Result<(), Fault> {
    for (header, offset) in head.headers.iter().zip(&head.offsets) {
        check_header(start, header).map_err(|kind| (kind, *offset))?;
    }
    let needed = [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
    match needed.into_iter().find(|name| !head.headers.contains(name)) {
        Some(name) => Err((WireErrorKind::Missing(name), 0)),
        None => Ok(()),
    }
}

fn check_header(start: &StartLine, header: &Header) -> Result<(), WireErrorKind> {
    let value = header.value();
    let method = match start {
        StartLine::Request { method, .. } => Some(method),
        StartLine::Response { .. } => None,
    };
    let good = match header.name() {
        HeaderName::Via => is_good_via(value),
        HeaderName::From | HeaderName::To => is_good_party(value),
        HeaderName::CallId => is_good_call_id(value),
        HeaderName::CSeq => {
            let cseq = CSeq::parse(value);
            if let (Some(method), Some(cseq)) = (method, &cseq)
                && cseq.method != *method
            {
                return Err(WireErrorKind::MethodMismatch);
            }
            cseq.is_some()
        }
        // a response with a damaged one of these still ends its transaction
        _ if method.is_none() => true,
        HeaderName::Contact => value == "*" || NameAddr::parse(value).is_some(),
        HeaderName::Route | HeaderName::RecordRoute => NameAddr::parse(value).is_some(),
        HeaderName::MaxForwards => scan::digits(value).is_some_and(|hops| hops <= 255),
        _ => true,
    };
    if good { Ok(()) } else { Err(WireErrorKind::Malformed(header.name().clone())) }
}

/// A branch that is only the magic cookie would make one transaction of all such requests
/// (RFC 4475 3.2.1).
fn is_good_via(value: &str) -> bool {
    Via::parse(value)
        .is_some_and(|via| via.branch().is_none_or(|b| b.len() <= MAX_TOKEN_BYTES && b != MAGIC_COOKIE))
}

fn is_good_party(value: &str) -> bool {
    NameAddr::parse(value).is_some_and(|party| party.tag().is_none_or(|t| t.len() <= MAX_TOKEN_BYTES))
}

/// `word [ "@" word ]`: visible ASCII without blanks.
fn is_good_call_id(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_CALL_ID_BYTES && value.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The error, with the means to answer it if the bytes are a request with a readable Via.
fn refuse(start: Option<StartLine>, head: Head, kind: WireErrorKind, offset: usize) -> WireError {
    let mut error = WireError::new(kind, offset);
    let method = match start {
        Some(StartLine::Response { .. }) => return error,
        Some(StartLine::Request { method, .. }) => Some(method),
        None if head.start.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("SIP/")) => {
            return error;
        }
        None => head.start.split(' ').next().and_then(Method::parse),
    };
    if method == Some(Method::Ack) {
        return error;
    }
    let Some(top) = head.headers.get(&HeaderName::Via).and_then(Via::salvage) else {
        return error;
    };
    // RFC 4475 3.1.2.18 would rather have 501 for a method that nobody knows
    let is_unknown = matches!(method, Some(Method::Other(_)));
    let code = match error.kind {
        WireErrorKind::MethodMismatch if is_unknown => 501,
        ref kind => kind.code(),
    };
    error.reject = Some(Box::new(Reject {
        code,
        reason: error.kind.to_string(),
        method,
        headers: echo(&head.headers, &top),
        via: top,
    }));
    error
}

/// What the answer repeats: readable Via, and the first From, To, Call-ID and CSeq.
fn echo(headers: &Headers, top: &Via) -> Headers {
    let mut echoed = Headers::with_capacity(8);
    echoed.push(HeaderName::Via, top.to_string());
    for via in headers.get_all(&HeaderName::Via).skip(1).filter(|via| Via::parse(via).is_some()) {
        echoed.push(HeaderName::Via, via);
    }
    for name in [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
        if let Some(value) = headers.get(&name) {
            echoed.push(name, value);
        }
    }
    echoed
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
        From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n";

    fn kind(text: &str) -> WireErrorKind {
        parse_datagram(text.as_bytes()).unwrap_err().kind
    }

    fn reject_code(text: &str) -> Option<u16> {
        parse_datagram(text.as_bytes()).unwrap_err().reject.map(|reject| reject.code)
    }

    #[test]
    fn keep_alives_are_not_errors() {
        for data in [&b""[..], b"\r\n", b"\r\n\r\n", b"\0", b"\0\0\0\0", b"\n"] {
            assert!(parse_datagram(data).unwrap_err().is_keep_alive());
        }
    }

    #[test]
    fn content_length_decides_the_body_of_a_datagram() {
        let body =
            |length: &str| parse_datagram(format!("{OPTIONS}{length}\r\nhello").as_bytes()).map(|m| m.body);
        assert_eq!(body("").unwrap(), b"hello");
        assert_eq!(body("l: 4\r\n").unwrap(), b"hell");
        assert_eq!(body("l: 0\r\n").unwrap(), b"");
        assert_eq!(body("l: 5\r\nContent-Length: 5\r\n").unwrap(), b"hello");
        for (bad, kind) in [
            ("l: 6\r\n", WireErrorKind::BodyTooShort),
            ("l: -1\r\n", WireErrorKind::Malformed(HeaderName::ContentLength)),
            ("l: 99999999999999999999\r\n", WireErrorKind::Malformed(HeaderName::ContentLength)),
            ("l: 5\r\nl: 4\r\n", WireErrorKind::Conflicting(HeaderName::ContentLength)),
        ] {
            let error = body(bad).unwrap_err();
            assert_eq!((error.kind, error.reject.map(|r| r.code)), (kind, Some(400)), "{bad}");
        }
    }

    #[test]
    fn line_ends_are_those_of_the_first_line() {
        let bare = format!("{OPTIONS}\r\n").replace("\r\n", "\n");
        assert!(parse_datagram(bare.as_bytes()).is_ok());
        assert_eq!(kind(&format!("{OPTIONS}Subject: a\nRoute: <sip:x>\r\n\r\n")), WireErrorKind::LineEnd);
        assert_eq!(kind(&format!("{OPTIONS}Subject: a\rb\r\n\r\n")), WireErrorKind::LineEnd);
        assert!(parse_datagram(OPTIONS.as_bytes()).is_ok());
        assert_eq!(kind(&format!("{OPTIONS}X: y")), WireErrorKind::NoEmptyLine);
    }

    #[test]
    fn an_error_says_where_its_line_begins() {
        let text = format!("\r\n\r\n{OPTIONS}X: y\r\nno colon\r\n\r\n");
        let error = parse_datagram(text.as_bytes()).unwrap_err();
        assert_eq!((error.kind, error.offset), (WireErrorKind::HeaderLine, text.find("no colon").unwrap()));
    }

    #[test]
    fn singletons_may_repeat_only_themselves() {
        assert!(parse_datagram(format!("{OPTIONS}Call-ID: c\r\n\r\n").as_bytes()).is_ok());
        assert_eq!(kind(&format!("{OPTIONS}i: d\r\n\r\n")), WireErrorKind::Conflicting(HeaderName::CallId));
    }

    #[test]
    fn neither_ack_nor_responses_are_answered() {
        let broken = format!("{OPTIONS}no colon\r\n\r\n");
        assert_eq!(reject_code(&broken), Some(400));
        assert_eq!(reject_code(&broken.replace("OPTIONS", "ACK")), None);
        assert_eq!(reject_code(&broken.replace("OPTIONS sip:a@h SIP/2.0", "SIP/2.0 200 OK")), None);
        assert_eq!(reject_code(&broken.replace("OPTIONS sip:a@h SIP/2.0", "SIP/9.0 200 OK")), None);
        assert_eq!(reject_code(&format!("{OPTIONS}\r\n").replace("Via", "Vie")), None);
    }

    #[test]
    fn a_reject_becomes_an_answer_with_the_noted_via() {
        let text = format!("{OPTIONS}Max-Forwards: x\r\n\r\n");
        let reject = parse_datagram(text.as_bytes()).unwrap_err().reject.unwrap();
        let mut via = reject.via.clone();
        via.set_received("192.0.2.7".parse().unwrap());
        let answer = String::from_utf8(reject.into_response(&via, "t9").to_bytes()).unwrap();
        assert_eq!(
            answer,
            "SIP/2.0 400 Bad Request - Malformed Max-Forwards\r\n\
             Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.7\r\n\
             From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=t9\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn limits_are_named_outcomes() {
        let with = |header: String| format!("{OPTIONS}{header}\r\n\r\n");
        assert_eq!(kind(&with(format!("X: {}", "a".repeat(17_000)))), WireErrorKind::HeaderTooLong);
        assert_eq!(kind(&with("X: a\r\n".repeat(300))), WireErrorKind::TooManyHeaders);
        assert_eq!(
            kind(&with(format!("m: <sip:a>{}", ",<sip:a>".repeat(300)))),
            WireErrorKind::TooManyHeaders
        );
        assert_eq!(kind(&"x".repeat(70_000)), WireErrorKind::MessageTooLong);
        let long_uri = format!("sip:{}@h", "a".repeat(5000));
        let text = format!("{OPTIONS}\r\n").replacen("sip:a@h", &long_uri, 1);
        assert_eq!((kind(&text), reject_code(&text)), (WireErrorKind::UriTooLong, Some(414)));
        let text = format!("{OPTIONS}\r\n").replacen("sip:a@h", &long_uri.repeat(10), 1);
        assert_eq!((kind(&text), reject_code(&text)), (WireErrorKind::UriTooLong, Some(414)));
        let folded = format!("X: a{}", "\r\n b".repeat(10_000));
        assert_eq!(kind(&with(folded)), WireErrorKind::HeaderTooLong);
        for (from, to) in [("tag=1", "tag="), ("branch=z9hG4bK1", "branch="), ("Call-ID: c", "Call-ID: ")] {
            let text = format!("{OPTIONS}\r\n").replacen(from, &format!("{to}{}", "a".repeat(2000)), 1);
            assert_eq!(reject_code(&text), Some(400), "{to}");
        }
    }

    #[test]
    fn text_that_is_no_utf8_is_read_as_latin_1_unless_it_must_be_echoed() {
        let mut data = format!("{OPTIONS}Subject: X\r\n\r\n").into_bytes();
        let at = data.iter().rposition(|byte| *byte == b'X').unwrap();
        data[at] = 0xe4;
        let message = parse_datagram(&data).unwrap();
        assert_eq!(message.header(&HeaderName::Subject), Some("\u{e4}"));
        let mut data = format!("{OPTIONS}\r\n").replace("Call-ID: c", "Call-ID: X").into_bytes();
        let at = data.iter().rposition(|byte| *byte == b'X').unwrap();
        data[at] = 0xe4;
        let kind = parse_datagram(&data).unwrap_err().kind;
        assert_eq!(kind, WireErrorKind::Encoding(HeaderName::CallId));
    }

    #[test]
    fn status_codes_have_three_digits() {
        let response = |line: &str| {
            let text = format!("{OPTIONS}\r\n").replacen("OPTIONS sip:a@h SIP/2.0", line, 1);
            parse_datagram(text.as_bytes()).ok().and_then(|message| message.status())
        };
        assert_eq!(response("SIP/2.0 100 "), Some(100));
        assert_eq!(response("SIP/2.0 200"), Some(200));
        for bad in
            ["SIP/2.0 4294967301 x", "SIP/2.0 0200 OK", "SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0 -20 x"]
        {
            assert_eq!(response(bad), None, "{bad}");
        }
    }
}
