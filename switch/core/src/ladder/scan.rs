//! Just enough of a message to know whose it is, without parsing it: on the path of every message.

/// What is before the body, and the body.
pub(super) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        from += line.len();
        if matches!(line, b"\r\n" | b"\n") && from > line.len() {
            return bytes.split_at(from);
        }
    }
    (bytes, &[])
}

/// The value of the first header line of this name or its compact form (RFC 3261 7.3.3), without what is folded.
pub(super) fn header<'a>(head: &'a [u8], name: &str, compact: u8) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
        let colon = line.iter().take(name.len() + 8).position(|byte| *byte == b':')?;
        let (key, value) = line.split_at(colon);
        let key = key.trim_ascii();
        let is = key.eq_ignore_ascii_case(name.as_bytes()) || key.eq_ignore_ascii_case(&[compact]);
        is.then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

/// The Call-ID.
pub(super) fn call_id(bytes: &[u8]) -> Option<&[u8]> {
    header(bytes, "Call-ID", b'i').filter(|id| !id.is_empty())
}

/// The user part of the address in a header; empty when there is none.
pub(super) fn user(head: &[u8], name: &str, compact: u8) -> String {
    let value = String::from_utf8_lossy(header(head, name, compact).unwrap_or_default()).into_owned();
    let (_, address) = value.rsplit_once("sip:").or_else(|| value.rsplit_once("sips:")).unwrap_or_default();
    let (user, _) = address.split_once('@').unwrap_or_default();
    user.split([':', ';']).next().unwrap_or_default().chars().take(80).collect()
}

/// Whether it is the request that may begin a call.
pub(super) fn is_invite(bytes: &[u8]) -> bool {
    bytes.starts_with(b"INVITE ")
}

/// Whether it is a request whose body may tell keys that were pressed.
pub(super) fn may_tell_keys(bytes: &[u8]) -> bool {
    [&b"INFO "[..], b"NOTIFY ", b"MESSAGE "].iter().any(|method| bytes.starts_with(method))
}

/// `INVITE` or `180 Ringing`: the first line for readers.
pub(super) fn title(bytes: &[u8]) -> String {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first.trim_ascii()).into_owned();
    let title = match first.strip_prefix("SIP/2.0 ") {
        Some(status) => status,
        None => first.split(' ').next().unwrap_or_default(),
    };
    title.chars().take(60).collect()
}

/// Whether the body is, or holds, a session description.
pub(super) fn has_sdp(bytes: &[u8]) -> bool {
    let (_, body) = split(bytes);
    body.starts_with(b"v=0") || body.windows(5).any(|part| part == b"\nv=0\r" || part == b"\nv=0\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_is_found_in_any_spelling_and_not_in_a_body() {
        let of = |text: &str| call_id(text.as_bytes()).map(|id| String::from_utf8_lossy(id).into_owned());
        assert_eq!(of("INVITE sip:a SIP/2.0\r\nCall-ID: x@y\r\n\r\n").as_deref(), Some("x@y"));
        assert_eq!(of("SIP/2.0 200 OK\r\nVia: z\r\ni:x\r\n\r\n").as_deref(), Some("x"));
        assert_eq!(of("SIP/2.0 200 OK\nCALL-id \t: x \n\n").as_deref(), Some("x"));
        assert_eq!(of("BYE sip:a SIP/2.0\r\nFrom: b\r\n"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn the_user_of_an_address_is_found_without_a_password() {
        let of = |value: &str| user(format!("INVITE x\r\nFrom: {value}\r\n\r\n").as_bytes(), "From", b'f');
        assert_eq!(of("\"Ann\" <sip:600:pass@example.com>;tag=1"), "600");
        assert_eq!(of("<sips:+4930;phone-context=x@example.com>"), "+4930");
        assert_eq!(of("<sip:example.com>"), "");
        assert_eq!(of("tel:123"), "");
    }

    #[test]
    fn a_message_is_told_by_its_first_line() {
        assert_eq!(title(b"INVITE sip:a@b SIP/2.0\r\n"), "INVITE");
        assert_eq!(title(b"SIP/2.0 486 Busy Here\r\n"), "486 Busy Here");
        assert_eq!(title(b""), "");
    }

    #[test]
    fn head_and_body_are_parted_at_the_first_empty_line() {
        assert_eq!(split(b"a\r\nb\r\n\r\nc\r\n\r\nd"), (&b"a\r\nb\r\n\r\n"[..], &b"c\r\n\r\nd"[..]));
        assert_eq!(split(b"a\nb\n\nc"), (&b"a\nb\n\n"[..], &b"c"[..]));
        assert_eq!(split(b"a\r\nb"), (&b"a\r\nb"[..], &b""[..]));
    }
}
