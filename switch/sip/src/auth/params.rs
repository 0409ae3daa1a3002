//! `scheme name=value, name="value"` of the four authentication headers (RFC 3261 25.1).

use crate::wire::scan;
use std::fmt::Write as _;

/// Parameters of one header; a tenth more than any scheme has.
const MAX_PARAMS: usize = 32;

/// The parameters of a Digest header value. `None` when the scheme is another or the value is
/// malformed, a name said twice included.
pub(super) fn parse_digest(value: &str) -> Option<Vec<(&str, String)>> {
    let (scheme, rest) = value.split_once([' ', '\t'])?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let mut params: Vec<(&str, String)> = Vec::with_capacity(10);
    for element in scan::split_list(rest).filter(|element| !element.is_empty()) {
        let (name, value) = element.split_once('=')?;
        let (name, value) = (scan::trim(name), scan::trim(value));
        let is_quoted = value.starts_with('"');
        let is_whole = !is_quoted || scan::quoted_end(value.as_bytes(), 0) == Some(value.len());
        if !scan::is_token(name) || !is_whole || get(&params, name).is_some() {
            return None;
        }
        if params.len() == MAX_PARAMS {
            return None;
        }
        params.push((name, scan::unquote(value)));
    }
    Some(params)
}

/// The value of a parameter, by its name in any case.
pub(super) fn get<'a>(params: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    let found = params.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Writes `name="value"` after what is there.
pub(super) fn push_quoted(out: &mut String, name: &str, value: &str) {
    push_name(out, name);
    scan::push_quoted(out, value);
}

/// Writes `name=value` after what is there; the value is a token.
pub(super) fn push_plain(out: &mut String, name: &str, value: &str) {
    push_name(out, name);
    out.push_str(value);
}

fn push_name(out: &mut String, name: &str) {
    out.push_str(if out.is_empty() { "Digest " } else { ", " });
    // writing to a String cannot fail
    let _ = write!(out, "{name}=");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_blanks_around_signs() {
        let params = parse_digest("digest  realm = \"a, \\\"b\\\"\" ,qop=auth,, nc=0000000a").unwrap();
        assert_eq!(get(&params, "REALM"), Some("a, \"b\""));
        assert_eq!((get(&params, "qop"), get(&params, "nc")), (Some("auth"), Some("0000000a")));
    }

    #[test]
    fn damaged_values_are_refused() {
        for bad in [
            "",
            "Digest",
            "Basic a=b",
            "Digest a",
            "Digest a=\"b",
            "Digest a=\"b\"c",
            "Digest a=1, A=2",
            "Digest =x",
            "Digest a b=c",
        ] {
            assert!(parse_digest(bad).is_none(), "{bad}");
        }
        let many: String = (0..40).map(|n| format!("a{n}=1,")).collect();
        assert!(parse_digest(&format!("Digest {many}")).is_none());
    }
}
