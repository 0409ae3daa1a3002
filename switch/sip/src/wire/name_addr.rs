//! `name-addr` and `addr-spec` with header parameters: From, To, Contact, Route,
//! Record-Route, Refer-To, P-Asserted-Identity (RFC 3261 20.10, 20.20).
//!
//! rsip's typed From, To and Contact are not used: they look for `<` inside quoted names.

use super::{Params, Uri, scan};
use std::fmt::{self, Write as _};

/// A display name, a URI and the header's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct NameAddr {
    /// The display name, quotes and escapes taken off; `None` when there is none.
    pub display: Option<String>,
    /// The URI.
    pub uri: Uri,
    /// The parameters of the header (not of the URI).
    pub params: Params,
}

impl NameAddr {
    /// An address without display name and parameters.
    #[must_use]
    pub fn new(uri: impl Into<Uri>) -> Self {
        Self { display: None, uri: uri.into(), params: Params::new() }
    }

    /// Reads one value of such a header. `None` when malformed.
    ///
    /// Lenient where RFC 4475 allows: a display name of other characters than tokens
    /// (3.1.2.15), no blank before `<` (3.1.1.6), blanks inside the brackets (3.1.2.14).
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = scan::trim(value);
        if value.starts_with('"') {
            let end = scan::quoted_end(value.as_bytes(), 0)?;
            let display = scan::unquote(value.get(..end)?);
            let rest = scan::trim(value.get(end..)?);
            return Self::parse_brackets(Some(display), rest.strip_prefix('<')?);
        }
        match value.split_once('<') {
            Some((display, rest)) if !display.contains('"') => {
                let display = scan::trim(display);
                Self::parse_brackets((!display.is_empty()).then(|| display.to_owned()), rest)
            }
            _ => Self::parse_addr_spec(value),
        }
    }

    fn parse_brackets(display: Option<String>, rest: &str) -> Option<Self> {
        let (uri, params) = rest.split_once('>')?;
        Some(Self {
            display: display.filter(|display| !display.is_empty()),
            uri: Uri::parse(scan::trim(uri))?,
            params: Params::parse_header(scan::trim(params))?,
        })
    }

    /// "If the URI is not enclosed in angle brackets, any semicolon-delimited parameters are
    /// header-parameters, not URI parameters", and a URI with a comma or question mark "MUST be
    /// enclosed" (RFC 3261 20, 20.10).
    fn parse_addr_spec(value: &str) -> Option<Self> {
        let (uri, params) = value.split_at_checked(value.find(';').unwrap_or(value.len()))?;
        let uri = scan::trim(uri);
        if uri.contains(['?', ',']) {
            return None;
        }
        Some(Self { display: None, uri: Uri::parse(uri)?, params: Params::parse_header(params)? })
    }

    /// The `tag` parameter of From and To.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Sets the `tag` parameter.
    pub fn set_tag(&mut self, tag: &str) {
        self.params.set("tag", Some(tag));
    }

    /// The same address with this tag.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.set_tag(tag);
        self
    }

    /// The `expires` parameter of a Contact in seconds; `None` when absent or malformed, which
    /// RFC 3261 10.2.1.1 treats alike. Above `u32` it is the largest `u32`.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        let value = self.params.get("expires")?;
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| value.parse().unwrap_or(u32::MAX))
    }

    /// The `q` parameter of a Contact in thousandths, from 0 to 1000; 1000 when absent or
    /// malformed.
    #[must_use]
    pub fn q_thousandths(&self) -> u16 {
        self.params.get("q").and_then(parse_q).unwrap_or(1000)
    }
}

/// `qvalue` of RFC 3261 25.1: `0` or `1` with up to three decimals, at most 1.
fn parse_q(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !matches!(whole, "0" | "1") {
        return None;
    }
    let padded = format!("{whole}{decimals:0<3}");
    let value = u16::try_from(scan::digits(&padded)?).ok()?;
    (value <= 1000).then_some(value)
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            let mut quoted = String::with_capacity(display.len() + 2);
            scan::push_quoted(&mut quoted, display);
            f.write_str(&quoted)?;
            f.write_char(' ')?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> NameAddr {
        NameAddr::parse(value).unwrap_or_else(|| panic!("{value}"))
    }

    #[test]
    fn brackets_decide_whose_the_parameters_are() {
        let inside = parse("<sip:user@example.com;unknownparam>");
        assert!(inside.params.is_empty() && inside.uri.param("unknownparam").is_some());
        let outside = parse("sip:user@example.com;unknownparam");
        assert!(outside.params.contains("unknownparam") && outside.uri.param("unknownparam").is_none());
    }

    #[test]
    fn a_quoted_name_may_hold_anything() {
        let addr = parse(r#""J Rosenberg \\\" <not a uri>, ;"   <sip:jdrosen@example.com> ; tag = 98asjd8"#);
        assert_eq!(addr.display.as_deref(), Some(r#"J Rosenberg \" <not a uri>, ;"#));
        assert_eq!(addr.tag(), Some("98asjd8"));
        assert_eq!(parse(&addr.to_string()), addr);
    }

    #[test]
    fn lenient_where_rfc_4475_allows() {
        assert_eq!(parse("caller<sip:caller@example.com>;tag=323").display.as_deref(), Some("caller"));
        assert_eq!(
            parse("Bell, Alexander <sip:a.g.bell@example.com>;tag=43").to_string(),
            "\"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=43"
        );
        assert_eq!(
            parse("\"W, T\" < sip:t.watson@example.org >").uri.to_string(),
            "sip:t.watson@example.org"
        );
    }

    #[test]
    fn damaged_addresses_are_refused() {
        let bad = [
            "",
            "<>",
            "alan@jasomi.com",
            "\"Mr. J. User <sip:j.user@example.com>",
            "<sip:a@b",
            "\"a\" sip:a@b",
            "<sip:a@b>x",
            "<sip:a@b>;;",
            "sip:user@example.com?Route=x",
            "sip:a@b, sip:c@d",
            "\"Joe\" <sip:joe@example.org>;;;;",
        ];
        for value in bad {
            assert!(NameAddr::parse(value).is_none(), "{value}");
        }
    }

    #[test]
    fn expires_and_q_of_a_contact() {
        let of = |params: &str| parse(&format!("<sip:a@b>{params}"));
        assert_eq!(of(";expires=60").expires(), Some(60));
        assert_eq!(of(";expires=99999999999999999999").expires(), Some(u32::MAX));
        assert_eq!(of(";expires=-1").expires(), None);
        let q = ["", ";q=0.33", ";q=1", ";q=1.000", ";q=0", ";q=1.1", ";q=x", ";q=0.1234"];
        let q: Vec<_> = q.iter().map(|params| of(params).q_thousandths()).collect();
        assert_eq!(q, [1000, 330, 1000, 1000, 0, 1000, 1000, 1000]);
    }
}
