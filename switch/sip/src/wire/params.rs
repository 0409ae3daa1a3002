//! `;name=value` parameters of headers and URIs (RFC 3261 25.1, generic-param and
//! uri-parameter). Invariant: the text is empty or well-formed, without blanks outside quotes,
//! so that it is printed as it is kept and reading one cannot fail.

use super::limits::MAX_PARAMS;
use super::scan;
use std::borrow::Cow;
use std::fmt;

/// Which characters a parameter may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Uri,
}

/// An ordered list of parameters, kept as one text: `;lr;transport=tcp`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Params {
    text: String,
}

impl Params {
    /// No parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self { text: String::new() }
    }

    /// Reads header parameters: names are tokens, values tokens, hosts or quoted strings, with
    /// blanks around `;` and `=`. `text` begins with `;` or is empty. `None` when malformed.
    #[must_use]
    pub fn parse_header(text: &str) -> Option<Self> {
        Self::parse(text, Place::Header)
    }

    /// Reads URI parameters: no blanks, no quotes, `%` escapes. `None` when malformed.
    #[must_use]
    pub fn parse_uri(text: &str) -> Option<Self> {
        Self::parse(text, Place::Uri)
    }

    fn parse(text: &str, place: Place) -> Option<Self> {
        let (params, read) = Self::read(text, place);
        (read == text.len()).then_some(params)
    }

    /// As many parameters as can be read from the front of a damaged text.
    pub(crate) fn salvage_header(text: &str) -> Self {
        Self::read(text, Place::Header).0
    }

    /// Reads parameters as far as they are well-formed, and says how far that is.
    fn read(text: &str, place: Place) -> (Self, usize) {
        let bytes = text.as_bytes();
        let mut params = Self { text: String::with_capacity(text.len()) };
        let mut at = skip_blanks(bytes, 0, place);
        for _ in 0..MAX_PARAMS {
            if at == bytes.len() {
                break;
            }
            match read_param(text, at, place) {
                Some((name, value, end)) => {
                    push_param(&mut params.text, name, value);
                    at = end;
                }
                None => break,
            }
        }
        (params, at)
    }

    /// The parameters as they are printed, with the leading `;`, or empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Names and values in order; a value is as it is written, quotes and escapes included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut rest = self.text.as_str();
        std::iter::from_fn(move || {
            let body = rest.strip_prefix(';')?;
            let end = param_end(body.as_bytes());
            let param = body.get(..end)?;
            rest = body.get(end..)?;
            Some(match param.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (param, None),
            })
        })
    }

    /// Whether a parameter of this name is there, with a value or without.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|(found, _)| found.eq_ignore_ascii_case(name))
    }

    /// The value of the first parameter of this name, as it is written. A parameter without a
    /// value gives the empty text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The value of the first parameter of this name, quotes taken off.
    #[must_use]
    pub fn get_unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(
            |value| {
                if value.starts_with('"') { scan::unquote(value).into() } else { value.into() }
            },
        )
    }

    /// Sets a parameter, in its place if it is there, at the end if not. A value that is no
    /// token or host is quoted; a name that is no token is ignored.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        if !scan::is_token(name) {
            return;
        }
        let mut text = String::with_capacity(self.text.len() + name.len() + 16);
        let mut written = false;
        for (found, old) in self.iter() {
            if !found.eq_ignore_ascii_case(name) {
                push_param(&mut text, found, old);
            } else if !written {
                push_new_param(&mut text, name, value);
                written = true;
            }
        }
        if !written {
            push_new_param(&mut text, name, value);
        }
        self.text = text;
    }

    /// Removes every parameter of this name.
    pub fn remove(&mut self, name: &str) {
        let mut text = String::with_capacity(self.text.len());
        for (found, value) in self.iter() {
            if !found.eq_ignore_ascii_case(name) {
                push_param(&mut text, found, value);
            }
        }
        self.text = text;
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads `;name` or `;name=value` at `at`, and says where the next one begins.
fn read_param(text: &str, at: usize, place: Place) -> Option<(&str, Option<&str>, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b';') {
        return None;
    }
    let name_at = skip_blanks(bytes, at + 1, place);
    let name_end = run(bytes, name_at, |byte| is_name_byte(byte, place));
    let name = text.get(name_at..name_end).filter(|name| !name.is_empty())?;
    let after_name = skip_blanks(bytes, name_end, place);
    if bytes.get(after_name) != Some(&b'=') {
        return Some((name, None, after_name));
    }
    let value_at = skip_blanks(bytes, after_name + 1, place);
    let value_end = value_end(bytes, value_at, place)?;
    let value = text.get(value_at..value_end)?;
    Some((name, Some(value), skip_blanks(bytes, value_end, place)))
}

fn push_param(text: &mut String, name: &str, value: Option<&str>) {
    text.push(';');
    text.push_str(name);
    if let Some(value) = value {
        text.push('=');
        text.push_str(value);
    }
}

fn push_new_param(text: &mut String, name: &str, value: Option<&str>) {
    let plain =
        |value: &str| !value.is_empty() && value.bytes().all(|byte| is_value_byte(byte, Place::Header));
    match value {
        Some(value) if !plain(value) => {
            text.push(';');
            text.push_str(name);
            text.push('=');
            scan::push_quoted(text, value);
        }
        value => push_param(text, name, value),
    }
}

/// Where the parameter at the start of `bytes` ends: at the next `;` outside quotes.
fn param_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b';' => return at,
            b'"' => match scan::quoted_end(bytes, at) {
                Some(end) => at = end,
                None => return bytes.len(),
            },
            _ => at += 1,
        }
    }
    bytes.len()
}

fn skip_blanks(bytes: &[u8], from: usize, place: Place) -> usize {
    match place {
        Place::Header => run(bytes, from, scan::is_space),
        Place::Uri => from,
    }
}

fn run(bytes: &[u8], from: usize, allowed: impl Fn(u8) -> bool) -> usize {
    let mut at = from;
    while bytes.get(at).is_some_and(|&byte| allowed(byte)) {
        at += 1;
    }
    at
}

const fn is_name_byte(byte: u8, place: Place) -> bool {
    match place {
        Place::Header => scan::is_token_byte(byte),
        Place::Uri => is_uri_param_byte(byte),
    }
}

const fn is_value_byte(byte: u8, place: Place) -> bool {
    match place {
        // wider than the grammar: peers put URIs and base64 into values without quotes
        Place::Header => byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'<' | b'>' | b'"' | b'\\'),
        Place::Uri => is_uri_param_byte(byte),
    }
}

/// `paramchar` of RFC 3261 25.1, and the few that peers leave unescaped.
const fn is_uri_param_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b';' | b'?' | b',' | b'=' | b'@' | b'<' | b'>' | b'"' | b'\\' | b'`')
}

fn value_end(bytes: &[u8], at: usize, place: Place) -> Option<usize> {
    if place == Place::Header && bytes.get(at) == Some(&b'"') {
        return scan::quoted_end(bytes, at);
    }
    let end = run(bytes, at, |byte| is_value_byte(byte, place));
    (end > at).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_separators_are_dropped_and_quotes_kept() {
        let params = Params::parse_header(" ;  tag  = a1 ; q = 0.33;lr; x=\"a;b \\\" c\"").unwrap();
        assert_eq!(params.as_str(), ";tag=a1;q=0.33;lr;x=\"a;b \\\" c\"");
        assert_eq!(params.get("TAG"), Some("a1"));
        assert_eq!(params.get("lr"), Some(""));
        assert_eq!(params.get_unquoted("x").unwrap(), "a;b \" c");
        assert_eq!(params.get("y"), None);
    }

    #[test]
    fn damaged_parameters_are_refused() {
        for bad in [";;", ";", "; =a", ";a=", ";a=\"b", "a=b", ";a=b c", ";a b", ";a,b", ";a<"] {
            assert_eq!(Params::parse_header(bad), None, "{bad}");
        }
        for bad in [";", ";;", "; lr", ";lr ", ";a=\"b\"", ";a=b@c", ";a=b=c", ";a=b?c"] {
            assert_eq!(Params::parse_uri(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_precedes_the_damage_is_salvaged() {
        assert_eq!(Params::salvage_header(";rport;branch=z9;;,").as_str(), ";rport;branch=z9");
        assert_eq!(Params::salvage_header(";;,").as_str(), "");
    }

    #[test]
    fn more_parameters_than_the_limit_are_damage() {
        let many = |count: usize| ";a=b".repeat(count);
        assert!(Params::parse_header(&many(MAX_PARAMS)).is_some());
        assert_eq!(Params::parse_header(&many(MAX_PARAMS + 1)), None);
        assert_eq!(Params::salvage_header(&many(4000)).as_str(), many(MAX_PARAMS));
    }

    #[test]
    fn set_replaces_in_place_quotes_when_needed_and_removes_doubles() {
        let mut params = Params::parse_header(";a=1;B=2;a=3").unwrap();
        params.set("A", Some("x y"));
        assert_eq!(params.as_str(), ";A=\"x y\";B=2");
        params.set("rport", None);
        params.set("received", Some("2001:db8::1"));
        params.set("bad name", Some("x"));
        assert_eq!(params.as_str(), ";A=\"x y\";B=2;rport;received=2001:db8::1");
        params.remove("a");
        params.set("b", Some("\r\nVia: x"));
        assert_eq!(params.as_str(), ";b=\"  Via: x\";rport;received=2001:db8::1");
    }
}
