//! Who has diverted a call: Diversion (RFC 5806), and History-Info (RFC 7044), which tells the same.

use crate::wire::{HeaderName, Host, Message, NameAddr, SipUri, scan};

/// Most diversions that are read or told; a call that was sent on more often goes in a ring.
const MAX: usize = 10;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// The number that was called and sent the call on.
    pub number: String,
    /// Why, in the words of RFC 5806: `user-busy`, `no-answer`, `unavailable`, `unconditional`, `deflection` ...
    pub reason: String,
}

/// The diversions of a request, the latest first. "the Diversion header field ... the top-most is the most recent" (5806
/// 5); without it what History-Info tells.
pub(super) fn read(request: &Message) -> Vec<Diversion> {
    let values = request.headers.get_all(&HeaderName::Diversion).flat_map(scan::split_list);
    let told: Vec<Diversion> =
        values.filter_map(NameAddr::parse).filter_map(of_diversion).take(MAX).collect();
    if told.is_empty() { of_history(request) } else { told }
}

fn of_diversion(address: NameAddr) -> Option<Diversion> {
    let number = address.uri.user().filter(|user| !user.is_empty())?.into_owned();
    let reason = address.params.get_unquoted("reason").map(|reason| reason.to_ascii_lowercase());
    Some(Diversion {
        number,
        reason: reason.filter(|reason| is_word(reason)).unwrap_or_else(|| "unknown".into()),
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// An entry that was left for another carries in its URI the Reason of the response that sent the call on (7044 5.2); the
/// last entry is where the call is now.
fn of_history(request: &Message) -> Vec<Diversion> {
    let values = request.headers.get_all(&HeaderName::HistoryInfo).flat_map(scan::split_list);
    let entries: Vec<NameAddr> = values.filter_map(NameAddr::parse).collect();
    let left = entries.iter().take(entries.len().saturating_sub(1)).rev();
    let step = |entry: &NameAddr| {
        let uri = entry.uri.as_sip()?;
        let reason = uri.headers().find(|(name, _)| name.eq_ignore_ascii_case("reason"))?.1.into_owned();
        let cause =
            reason.split(';').find_map(|part| part.trim().strip_prefix("cause=")?.parse::<u16>().ok());
        let number = uri.user().filter(|user| !user.is_empty())?.into_owned();
        Some(Diversion { number, reason: word_of(cause?).into() })
    };
    left.filter_map(step).take(MAX).collect()
}

/// The words of RFC 5806 for the causes of RFC 4458 and 7544.
fn word_of(cause: u16) -> &'static str {
    match cause {
        486 => "user-busy",
        408 => "no-answer",
        302 => "unconditional",
        480 => "deflection",
        503 => "unavailable",
        404 => "unknown",
        487 => "deflection",
        _ => "unknown",
    }
}

fn cause_of(word: &str) -> u16 {
    match word {
        "user-busy" => 486,
        "no-answer" => 408,
        "unconditional" => 302,
        "deflection" => 480,
        "unavailable" => 503,
        _ => 404,
    }
}

/// Tells the diversions in both ways; who does not know one ignores it.
pub(super) fn write(diversions: &[Diversion], request: &mut Message, host: &Host) {
    if diversions.is_empty() {
        return;
    }
    let address = |number: &str| NameAddr::new(SipUri::new(Some(number), host.clone(), None));
    for step in diversions.iter().take(MAX) {
        let mut value = address(&step.number);
        value.params.set("reason", Some(&step.reason));
        request.push(HeaderName::Diversion, value.to_string());
    }
    let mut index = String::from("1");
    for step in diversions.iter().take(MAX).rev() {
        let uri = SipUri::new(Some(&step.number), host.clone(), None);
        let cause = cause_of(&step.reason);
        request.push(HeaderName::HistoryInfo, format!("<{uri}?Reason=SIP%3Bcause%3D{cause}>;index={index}"));
        index.push_str(".1");
    }
    if let Some(uri) = request.request_uri().map(ToString::to_string) {
        request.push(HeaderName::HistoryInfo, format!("<{uri}>;index={index}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Method, Uri};

    fn with(name: HeaderName, values: &[&str]) -> Message {
        let mut message = Message::request(Method::Invite, Uri::parse("sip:900@example.com").unwrap());
        for value in values {
            message.push(name.clone(), *value);
        }
        message
    }

    fn steps(message: &Message) -> Vec<(String, String)> {
        read(message).into_iter().map(|step| (step.number, step.reason)).collect()
    }

    #[test]
    fn the_latest_diversion_comes_first() {
        let message = with(
            HeaderName::Diversion,
            &["<sip:2@x>;reason=no-answer;counter=1, \"B\" <sip:1@x>;reason=\"user-busy\"", "<sip:0@x>"],
        );
        let expected = [("2", "no-answer"), ("1", "user-busy"), ("0", "unknown")];
        assert_eq!(steps(&message), expected.map(|(n, r)| (n.to_owned(), r.to_owned())));
    }

    #[test]
    fn history_tells_it_where_diversion_does_not() {
        let message = with(
            HeaderName::HistoryInfo,
            &[
                "<sip:1@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:2@x?Reason=SIP%3Bcause%3D486>;index=1.1",
                "<sip:3@x>;index=1.1.1",
            ],
        );
        let expected = [("2", "user-busy"), ("1", "unconditional")];
        assert_eq!(steps(&message), expected.map(|(n, r)| (n.to_owned(), r.to_owned())));
        // a call that was only routed was not diverted
        assert!(
            steps(&with(HeaderName::HistoryInfo, &["<sip:1@x>;index=1", "<sip:2@x>;index=1.1"])).is_empty()
        );
    }

    #[test]
    fn both_headers_tell_the_same() {
        let told = [("2", "user-busy"), ("1", "no-answer")]
            .map(|(number, reason)| Diversion { number: number.into(), reason: reason.into() });
        let mut message = with(HeaderName::Subject, &[]);
        write(&told, &mut message, &Host::parse("example.com").unwrap());
        assert_eq!(read(&message), told);
        message.remove(&HeaderName::Diversion);
        assert_eq!(read(&message), told);
    }
}
