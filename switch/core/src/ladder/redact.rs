//! Secrets in a message are written over with `*`, byte for byte: lengths, and with them Content-Length and the framing
//! of a capture, stay true.
//!
//! Invariant: of the credentials of a header only parameters that are known to be no secret stay; what is not understood
//! is written over whole. What is written over here never reaches a reader, a file or the network.

use super::scan::split;

/// Headers with credentials or proofs of them (RFC 3261 22.4, RFC 7615).
const CREDENTIALS: [&[u8]; 4] =
    [b"authorization", b"proxy-authorization", b"authentication-info", b"proxy-authentication-info"];
/// Parameters of Digest that say nothing of the password. `response` and `rspauth` are made from it: who has them can
/// try passwords at leisure.
const PUBLIC: [&[u8]; 11] = [
    b"username",
    b"realm",
    b"nonce",
    b"uri",
    b"algorithm",
    b"qop",
    b"nc",
    b"cnonce",
    b"opaque",
    b"stale",
    b"nextnonce",
];
/// Lines of session descriptions with keys or passwords: SDES (RFC 4568), MIKEY (RFC 4567), ICE (RFC 8839), and the
/// obsolete k= (RFC 4566 5.12).
const LINES: [&[u8]; 4] = [b"a=crypto:", b"a=key-mgmt:", b"a=ice-pwd:", b"k="];

/// Writes over what must not be seen, wherever it stands in the message.
pub fn redact(message: &mut [u8]) {
    let head = split(message).0.len();
    let (head, body) = message.split_at_mut(head);
    let mut at = 0;
    while at < head.len() {
        let end = logical_line(head, at);
        if let Some(line) = head.get_mut(at..end) {
            redact_header(line);
        }
        at = end;
    }
    for line in body.split_mut(|byte| *byte == b'\n' || *byte == b'\r') {
        redact_body_line(line);
    }
}

/// Writes over the body of a message that tells keys: a digit of a secret, its length and whatever stands beside it.
pub(super) fn redact_keys(message: &mut [u8]) {
    let head = split(message).0.len();
    blank(message.get_mut(head..).unwrap_or_default());
}

/// Where a header ends that begins at `from`, with the lines that are folded into it (RFC 3261 7.3.1).
fn logical_line(head: &[u8], from: usize) -> usize {
    let mut end = from;
    loop {
        let rest = head.get(end..).unwrap_or_default();
        let Some(feed) = rest.iter().position(|byte| *byte == b'\n') else {
            return head.len();
        };
        end += feed + 1;
        if !matches!(head.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

fn redact_header(line: &mut [u8]) {
    redact_uri_password(line);
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return;
    };
    let (name, value) = line.split_at_mut(colon + 1);
    let name = name.get(..colon).unwrap_or_default().trim_ascii().to_ascii_lowercase();
    if !CREDENTIALS.contains(&name.as_slice()) {
        return;
    }
    let lead = value.len() - value.trim_ascii_start().len();
    let scheme = value.get(lead..).unwrap_or_default();
    let is_digest = scheme.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"digest "));
    let has_scheme = name.ends_with(b"authorization");
    let from = match (is_digest, has_scheme) {
        (true, _) => lead + 7,
        (false, false) => lead,
        (false, true) => return blank(value),
    };
    redact_params(value.get_mut(from..).unwrap_or_default());
}

/// Of `name=value, name="value"` all but the public ones. A comma within quotes parts nothing.
fn redact_params(params: &mut [u8]) {
    let mut quoted = false;
    let mut escaped = false;
    for param in params.split_mut(|byte| {
        let parts = *byte == b',' && !quoted;
        match *byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        parts
    }) {
        let Some(equals) = param.iter().position(|byte| *byte == b'=') else {
            blank(param);
            continue;
        };
        let (name, value) = param.split_at_mut(equals + 1);
        let name = name.get(..equals).unwrap_or_default().trim_ascii().to_ascii_lowercase();
        if !PUBLIC.contains(&name.as_slice()) {
            blank(value);
        }
    }
}

/// `sip:user:password@host` (RFC 3261 19.1.1: "the use of this format is NOT RECOMMENDED"), as often as it comes.
fn redact_uri_password(line: &mut [u8]) {
    let mut from = 0;
    while let Some(scheme) = find_scheme(line.get(from..).unwrap_or_default()) {
        let start = from + scheme;
        let rest = line.get(start..).unwrap_or_default();
        let end =
            rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'>' | b'<' | b'"' | b'\r' | b'\n'));
        let user = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        // The first colon before the first @, up to the last: who forgot to escape an @ has a password all the same.
        if let Some(at) = user.iter().rposition(|byte| *byte == b'@')
            && let Some(colon) = user.iter().take_while(|byte| **byte != b'@').position(|byte| *byte == b':')
        {
            blank(line.get_mut(start + colon + 1..start + at).unwrap_or_default());
        }
        from = start;
    }
}

/// Where what follows the next `sip:` or `sips:` begins.
fn find_scheme(text: &[u8]) -> Option<usize> {
    let sip = |at: usize| text.get(at..at + 4).is_some_and(|word| word.eq_ignore_ascii_case(b"sip:"));
    let sips = |at: usize| text.get(at..at + 5).is_some_and(|word| word.eq_ignore_ascii_case(b"sips:"));
    (0..text.len()).find_map(|at| match (sip(at), sips(at)) {
        (true, _) => Some(at + 4),
        (_, true) => Some(at + 5),
        _ => None,
    })
}

fn redact_body_line(line: &mut [u8]) {
    let is =
        |prefix: &&[u8]| line.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let Some(prefix) = LINES.iter().find(|prefix| is(prefix)) else {
        return;
    };
    // Tag and suite of a=crypto are no secret, and what its reader looks for.
    let mut from = prefix.len();
    if line.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"a=crypto:")) {
        let colons = line.iter().enumerate().skip(from).find(|(_, byte)| **byte == b':');
        from = colons.map_or(from, |(at, _)| at + 1);
    }
    blank(line.get_mut(from..).unwrap_or_default());
}

/// Stars for everything but the ends of lines.
fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| !matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b'*');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        redact(&mut bytes);
        assert_eq!(bytes.len(), text.len(), "lengths hold");
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn of_credentials_only_what_is_public_stays() {
        let all = seen(
            "REGISTER sip:a SIP/2.0\r\nAuthorization: Digest username=\"u,=1\", realm=\"r\", nonce=\"n\", \
             response=\"canary1\", cnonce=\"c\"\r\nproxy-AUTHORIZATION : Digest response=canary2,\r\n secret=\"canary3\"\r\n\
             Authentication-Info: rspauth=\"canary4\", nc=1\r\nAuthorization: Basic canary5\r\n\
             Authorization: Digest response=\"a\\\"b, canary6\"\r\nCall-ID: x\r\n\r\n",
        );
        assert!(!all.contains("canary"), "{all}");
        for kept in ["username=\"u,=1\"", "realm=\"r\"", "nonce=\"n\"", "cnonce=\"c\"", "nc=1", "Call-ID: x"]
        {
            assert!(all.contains(kept), "{kept} in {all}");
        }
    }

    #[test]
    fn keys_in_session_descriptions_go_and_the_suite_stays() {
        let all = seen(
            "INVITE sip:a SIP/2.0\r\nCall-ID: x\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:canary|2^31\r\n\
             a=CRYPTO:2 X inline:canary\r\na=key-mgmt:mikey canary\r\na=ice-pwd:canary\r\nk=clear:canary\r\nm=audio 1\r\n",
        );
        assert!(!all.contains("canary"), "{all}");
        assert!(
            all.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*") && all.contains("m=audio 1"),
            "{all}"
        );
    }

    #[test]
    fn passwords_in_uris_go() {
        let all = seen(
            "INVITE sip:bob:canary@example.com SIP/2.0\r\nTo: <sips:bob:canary@[2001:db8::1]:5061;x=y>\r\n\
             Contact: <sip:carol@192.0.2.1:5060>, \"D\" <SIP:dave:canary@host>\r\n\r\n",
        );
        assert!(!all.contains("canary"), "{all}");
        assert!(
            all.contains("<sip:carol@192.0.2.1:5060>") && all.contains("@[2001:db8::1]:5061;x=y>"),
            "{all}"
        );
    }

    #[test]
    fn keys_of_a_secret_go_with_the_whole_body() {
        let mut info = b"INFO sip:a SIP/2.0\r\nCall-ID: x\r\n\r\nSignal=7\r\nDuration=160\r\n".to_vec();
        redact_keys(&mut info);
        assert_eq!(info, b"INFO sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n********\r\n************\r\n");
    }

    #[test]
    fn any_bytes_are_taken() {
        for text in
            ["", ":", "\r\n", "a=crypto:", "Authorization:", "Authorization: Digest", "sip:", "x\nsips:@:@"]
        {
            seen(text);
            seen(&format!("INVITE\r\n{text}\r\n\r\n{text}"));
        }
    }
}
