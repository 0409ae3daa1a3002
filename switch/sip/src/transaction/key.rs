//! What identifies a server transaction (RFC 3261 17.2.3).

use crate::wire::{Message, Method, Via};

/// The key of the transaction a request belongs to, or, for an ACK, of the INVITE it is for.
///
/// With the magic cookie: "the branch parameter in the request is equal to the one in the top
/// Via header field of the request that created the transaction, and the sent-by value ... is
/// equal ..., and the method of the request matches the one that created the transaction,
/// except for ACK, where the method of the request that created the transaction is INVITE."
pub(crate) fn of_request(request: &Message, via: &Via, method: &Method) -> String {
    let method = match method {
        Method::Ack => "INVITE",
        other => other.as_str(),
    };
    match via.branch() {
        Some(branch) if via.has_magic_cookie() => rfc3261(branch, via, method),
        _ => rfc2543(request, via, method),
    }
}

/// The key of the INVITE that this CANCEL is for: it is found by "assuming that
/// the request method is anything but CANCEL or ACK" (9.2).
pub(crate) fn of_cancelled(cancel: &Message, via: &Via) -> String {
    match via.branch() {
        Some(branch) if via.has_magic_cookie() => rfc3261(branch, via, "INVITE"),
        _ => rfc2543(cancel, via, "INVITE"),
    }
}

fn rfc3261(branch: &str, via: &Via, method: &str) -> String {
    let host = via.host.as_str();
    let mut key = String::with_capacity(branch.len() + host.len() + method.len() + 8);
    key.push_str(branch);
    key.push('\n');
    for c in host.chars() {
        key.push(c.to_ascii_lowercase());
    }
    push_number(&mut key, u32::from(via.port_or_default()));
    key.push('\n');
    key.push_str(method);
    key
}

/// "the Request-URI, To tag, From tag, Call-ID, CSeq, and top Via header field" for a peer of
/// RFC 2543. The To tag is left out: an INVITE has none where its ACK has ours, and the other
/// fields already tell two requests apart.
fn rfc2543(request: &Message, via: &Via, method: &str) -> String {
    use core::fmt::Write as _;
    let mut key = String::with_capacity(160);
    if let Some(uri) = request.request_uri() {
        let _ = write!(key, "{uri}");
    }
    let from = request.from_().ok();
    let from_tag = from.as_ref().and_then(|from| from.tag()).unwrap_or_default();
    let call_id = request.call_id().unwrap_or_default();
    let _ = write!(key, "\n{from_tag}\n{call_id}\n{via}\n");
    push_number(&mut key, request.cseq().map_or(0, |cseq| cseq.seq));
    key.push('\n');
    key.push_str(method);
    key
}

/// What two copies of one request have in common when they came by different ways (8.2.2.2):
/// "the From tag, Call-ID, and CSeq exactly match".
pub(crate) fn of_merged(request: &Message) -> Option<String> {
    let cseq = request.cseq().ok()?;
    let from = request.from_().ok()?;
    let call_id = request.call_id().ok()?;
    let mut key = String::with_capacity(call_id.len() + 48);
    key.push_str(call_id);
    key.push('\n');
    key.push_str(from.tag()?);
    push_number(&mut key, cseq.seq);
    key.push('\n');
    key.push_str(cseq.method.as_str());
    Some(key)
}

fn push_number(key: &mut String, number: u32) {
    use core::fmt::Write as _;
    let _ = write!(key, "\n{number}");
}
