//! URIs (RFC 3261 19.1, tel: RFC 3966). Invariant: every part is kept as it was written, so
//! that parse and print are inverse; the decoding accessors decode once and never twice.
//!
//! rsip's `Uri` is not used: it stops at a dot in the user part, drops `?headers` and whatever
//! else follows the parameters, refuses unknown `transport` values and cannot print IPv6.

use super::limits::MAX_URI_BYTES;
use super::{Host, Params};
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// Whether a SIP URI asks for TLS on every hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
}

impl Scheme {
    /// The scheme without its colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sip => "sip",
            Self::Sips => "sips",
        }
    }
}

/// A `sip:` or `sips:` URI.
#[derive(Clone, Debug)]
pub struct SipUri {
    /// `sip` or `sips`.
    pub scheme: Scheme,
    /// The user part as written, escapes included, without the password.
    user: Option<Box<str>>,
    /// The password as written. It is kept to be sent back as it came; never log it.
    password: Option<Box<str>>,
    /// The host.
    pub host: Host,
    /// The port, if one was written.
    pub port: Option<u16>,
    /// The URI parameters, as written.
    pub params: Params,
    /// What follows `?`, as written.
    headers: Option<Box<str>>,
}

/// A URI: one that SIP can route, or any other, kept as it came.
#[derive(Clone, Debug)]
pub enum Uri {
    /// `sip:` and `sips:`.
    Sip(SipUri),
    /// Any other scheme (`tel:`, `urn:`, `http:` ...).
    Other {
        /// The scheme as written, without its colon.
        scheme: Box<str>,
        /// What follows the colon.
        rest: Box<str>,
    },
}

impl SipUri {
    /// A `sip:` URI; what may not stand in the user part is escaped.
    #[must_use]
    pub fn new(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        Self {
            scheme: Scheme::Sip,
            user: user.map(|user| escape_user(user).into()),
            password: None,
            host,
            port,
            params: Params::new(),
            headers: None,
        }
    }

    /// The user part, decoded once. An escape that does not give UTF-8 leaves it as written.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(unescape)
    }

    /// The user part as written.
    #[must_use]
    pub fn raw_user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Sets the user part; what may not stand there is escaped. Drops the password.
    pub fn set_user(&mut self, user: Option<&str>) {
        self.user = user.map(|user| escape_user(user).into());
        self.password = None;
    }

    /// The password as written (RFC 3261 19.1.1 advises against it).
    #[must_use]
    pub fn raw_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// What follows `?`, as written: headers for a request made from this URI.
    #[must_use]
    pub fn raw_headers(&self) -> Option<&str> {
        self.headers.as_deref()
    }

    /// The headers that a request made from this URI would carry, decoded.
    pub fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.headers.as_deref().unwrap_or_default().split('&').filter(|h| !h.is_empty()).map(|h| {
            let (name, value) = h.split_once('=').unwrap_or((h, ""));
            (unescape(name), unescape(value))
        })
    }

    /// Removes what follows `?`.
    pub fn clear_headers(&mut self) {
        self.headers = None;
    }

    /// A URI parameter by its decoded name, with its decoded value; without a value, empty.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params
            .iter()
            .find(|(found, _)| unescape(found).eq_ignore_ascii_case(name))
            .map(|(_, value)| unescape(value.unwrap_or_default()))
    }

    /// Whether this is a loose router (`lr`, RFC 3261 16.12).
    #[must_use]
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    fn parse(scheme: Scheme, rest: &str) -> Option<Self> {
        let (userinfo, rest) = match rest.split_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers)),
            None => (rest, None),
        };
        let params_at = rest.find(';').unwrap_or(rest.len());
        let (hostport, params) = rest.split_at_checked(params_at)?;
        let (host, port) = Host::parse_with_port(hostport, false)?;
        let (user, password) = match userinfo.map(|info| info.split_once(':').ok_or(info)) {
            Some(Ok((user, password))) => (Some(user), Some(password)),
            Some(Err(user)) => (Some(user), None),
            None => (None, None),
        };
        let good = |part: Option<&str>| part.is_none_or(|part| part.bytes().all(is_uri_byte));
        if user == Some("") || !good(user) || !good(password) || !good(headers) {
            return None;
        }
        Some(Self {
            scheme,
            user: user.map(Into::into),
            password: password.map(Into::into),
            host,
            port,
            params: Params::parse_uri(params)?,
            headers: headers.map(Into::into),
        })
    }
}

impl Uri {
    /// Reads a URI; the whole text must be one. `None` when malformed or above
    /// [`MAX_URI_BYTES`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_URI_BYTES {
            return None;
        }
        let (scheme, rest) = text.split_once(':')?;
        if scheme.eq_ignore_ascii_case("sip") {
            return SipUri::parse(Scheme::Sip, rest).map(Self::Sip);
        }
        if scheme.eq_ignore_ascii_case("sips") {
            return SipUri::parse(Scheme::Sips, rest).map(Self::Sip);
        }
        let scheme_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        let begins_well = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        if !begins_well || !scheme.bytes().all(scheme_byte) {
            return None;
        }
        if rest.is_empty() || !rest.bytes().all(is_uri_byte) {
            return None;
        }
        Some(Self::Other { scheme: scheme.into(), rest: rest.into() })
    }

    /// The SIP URI, unless this is another one.
    #[must_use]
    pub const fn as_sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Other { .. } => None,
        }
    }

    /// The SIP URI to change, unless this is another one.
    pub const fn as_sip_mut(&mut self) -> Option<&mut SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Other { .. } => None,
        }
    }

    /// The scheme as written, without its colon.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self {
            Self::Sip(uri) => uri.scheme.as_str(),
            Self::Other { scheme, .. } => scheme,
        }
    }

    /// The user part of a SIP URI, decoded, or the number of a `tel:` URI.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Sip(uri) => uri.user(),
            Self::Other { scheme, rest } if scheme.eq_ignore_ascii_case("tel") => {
                rest.split(';').next().map(unescape)
            }
            Self::Other { .. } => None,
        }
    }

    /// What was dialled: the user part, or the number of a `tel:` URI with the context in which it is valid
    /// (`;phone-context=`, RFC 3966 5.1.5).
    #[must_use]
    pub fn dialled(&self) -> Option<Cow<'_, str>> {
        let context = match self {
            Self::Other { scheme, rest } if scheme.eq_ignore_ascii_case("tel") => {
                rest.split(';').skip(1).find(|param| param.starts_with("phone-context="))
            }
            _ => None,
        };
        let user = self.user()?;
        Some(context.map_or(user.clone(), |context| format!("{user};{context}").into()))
    }

    /// The host of a SIP URI.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.as_sip().map(|uri| &uri.host)
    }

    /// The port of a SIP URI, if one was written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.as_sip().and_then(|uri| uri.port)
    }

    /// A URI parameter of a SIP URI; see [`SipUri::param`].
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.as_sip().and_then(|uri| uri.param(name))
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.as_str())?;
        f.write_char(':')?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            f.write_char('@')?;
        }
        f.write_str(self.host.as_str())?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Other { scheme, rest } => write!(f, "{scheme}:{rest}"),
        }
    }
}

/// Bytes that may stand in a URI in any part: visible ASCII without the delimiters around URIs.
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'\\' | b'^' | b'{' | b'}')
}

/// `unreserved` and `user-unreserved` of RFC 3261 25.1 may stand in a user part as they are.
const fn is_user_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
        || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        if is_user_byte(byte) {
            escaped.push(char::from(byte));
        } else {
            // writing to a String cannot fail
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// `text` with each `%` escape replaced by its byte, once. Left as written when that is no
/// UTF-8, or where two hexadecimal digits do not follow.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match bytes.get(at..at + 3).filter(|_| byte == b'%').and_then(hex_pair) {
            Some(decoded) => {
                plain.push(decoded);
                at += 3;
            }
            None => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn hex_pair(escape: &[u8]) -> Option<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let value = digit(escape.get(1))? * 16 + digit(escape.get(2))?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sip(text: &str) -> SipUri {
        match Uri::parse(text) {
            Some(Uri::Sip(uri)) => uri,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn parse_and_print_are_inverse() {
        let texts = [
            "sip:alice@atlanta.com",
            "sip:alice:secretword@atlanta.com;transport=tcp",
            "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            "sips:1212@gateway.com",
            "sip:alice@192.0.2.4",
            "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
            "sip:alice;day=tuesday@atlanta.com",
            "sip:j.user@example.com",
            "sip:[2001:db8::10]:5070;lr",
            "sip:user@[2001:db8::10:5070]",
            "sip:null-%00-null@example.com",
            "tel:+358-555-1234567;postd=pp22",
            "urn:service:sos",
            "http://www.example.com/a?b=c",
        ];
        for text in texts {
            assert_eq!(Uri::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_semicolon_before_the_at_sign_belongs_to_the_user() {
        let uri = sip("sip:user;par=u%40example.net@example.com");
        assert_eq!(uri.user().unwrap(), "user;par=u@example.net");
        assert!(uri.params.is_empty());
        assert_eq!(uri.host.as_str(), "example.com");
    }

    #[test]
    fn escapes_are_decoded_once_and_nul_does_not_cut() {
        assert_eq!(sip("sip:%75se%72@example.com").user().unwrap(), "user");
        assert_eq!(sip("sip:null-%00-null@h").user().unwrap(), "null-\0-null");
        let uri = sip("sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31");
        assert!(uri.is_loose_router());
        assert_eq!(uri.param("name").unwrap(), "value%41");
        assert_eq!(sip("sip:%ff@h").user().unwrap(), "%ff");
        assert_eq!(sip("sip:%4@h").user().unwrap(), "%4");
    }

    #[test]
    fn a_user_made_by_us_is_escaped() {
        let host = Host::parse("example.com").unwrap();
        let uri = SipUri::new(Some("a b@c\r\n%:"), host, Some(5070));
        assert_eq!(uri.to_string(), "sip:a%20b%40c%0D%0A%25%3A@example.com:5070");
        assert_eq!(sip(&uri.to_string()).user().unwrap(), "a b@c\r\n%:");
    }

    #[test]
    fn damaged_uris_are_refused() {
        let bad = [
            "",
            "sip",
            "sip:",
            "sip:@h",
            "sip:a@",
            "sip:a@b@c",
            "<sip:a@b>",
            "sip:a b@c",
            "sip:a@b c",
            "sip:a@h; lr",
            "sip:a@h;",
            "sip:a@h:port",
            "sip:2001:db8::10",
            "sip:a@[::1",
            "sip:a@h?x=<y>",
            ":a",
            "1a:b",
            "tel:",
            "isbn:a b",
            "sip:ä@h",
        ];
        for text in bad {
            assert!(Uri::parse(text).is_none(), "{text}");
        }
        assert!(Uri::parse(&format!("sip:{}@h", "a".repeat(MAX_URI_BYTES))).is_none());
    }

    #[test]
    fn a_tel_uri_has_a_number_and_no_host() {
        let uri = Uri::parse("tel:+15551234;phone-context=x").unwrap();
        assert_eq!((uri.user().unwrap().as_ref(), uri.host()), ("+15551234", None));
    }

    #[test]
    fn headers_of_a_uri_are_decoded() {
        let uri = sip("sip:a@h?Route=%3Csip:x%3E&Subject=a%26b&&empty");
        let headers: Vec<_> = uri.headers().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(headers, ["Route=<sip:x>", "Subject=a&b", "empty="]);
    }
}
