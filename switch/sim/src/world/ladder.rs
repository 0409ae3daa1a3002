//! A SIP message as one line of a ladder: `caller > INVITE`, `caller < 200 BYE`.

/// The line for a message, or none for one of registration, which every ladder would begin with.
pub(super) fn line(name: &str, way: char, bytes: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(bytes.get(..bytes.len().min(1_500))?).ok()?;
    let first = text.lines().next()?;
    let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq: "));
    let method = cseq.and_then(|cseq| cseq.split(' ').nth(1)).unwrap_or("?");
    if method == "REGISTER" {
        return None;
    }
    Some(match first.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)) {
        Some(code) if method == "INVITE" => format!("{name} {way} {code}"),
        Some(code) => format!("{name} {way} {code} {method}"),
        None => format!("{name} {way} {method}"),
    })
}
