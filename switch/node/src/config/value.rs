//! The forms of values: durations, sizes, addresses, names.

use super::section::Wrong;
use super::tree::{Node, Value};
use core::fmt::Display;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use core::str::FromStr;
use core::time::Duration;

pub(super) fn wrong(node: &Node, expected: impl Into<String>) -> Wrong {
    Wrong { expected: expected.into(), found: node.shown() }
}

pub(super) fn text(node: &Node) -> Result<String, Wrong> {
    match &node.value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err(wrong(node, "a text in quotes")),
    }
}

/// A text that is not empty.
pub(super) fn some_text(node: &Node) -> Result<String, Wrong> {
    match text(node)? {
        text if text.trim().is_empty() => Err(wrong(node, "a text that is not empty")),
        text => Ok(text),
    }
}

/// A text that no message may show, of at least `min` bytes.
pub(super) fn secret(min: usize) -> impl Fn(&Node) -> Result<String, Wrong> {
    move |node| {
        let wrong = |expected: String, found: &str| Wrong { expected, found: found.into() };
        match &node.value {
            Value::Text(text) if text.len() >= min => Ok(text.clone()),
            Value::Text(_) => Err(wrong(format!("at least {min} characters"), "a shorter text")),
            _ => Err(wrong("a text in quotes".into(), node.kind())),
        }
    }
}

pub(super) fn boolean(node: &Node) -> Result<bool, Wrong> {
    match node.value {
        Value::Boolean(on) => Ok(on),
        _ => Err(wrong(node, "true or false")),
    }
}

/// An integer in a range, with its unit for the message.
pub(super) fn integer<T>(range: RangeInclusive<T>, unit: &'static str) -> impl Fn(&Node) -> Result<T, Wrong>
where
    T: TryFrom<i64> + PartialOrd + Display,
{
    move |node| {
        let value = match node.value {
            Value::Integer(Some(n)) => T::try_from(n).ok().filter(|n| range.contains(n)),
            _ => None,
        };
        value.ok_or_else(|| {
            let space = if unit.is_empty() { "" } else { " " };
            let (low, high) = (range.start(), range.end());
            wrong(node, format!("an integer from {low} to {high}{space}{unit}"))
        })
    }
}

/// Units of durations in milliseconds, the longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// `90s`, `5m`: a whole number and a unit.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let ms = number.parse::<u64>().ok()?.checked_mul(*ms)?;
    Some(Duration::from_millis(ms))
}

/// A duration as it is written: in the longest unit that divides it.
pub(super) fn duration_shown(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if ms == 0 {
        return "0s".into();
    }
    let whole = UNITS.iter().find(|(_, unit)| ms.is_multiple_of(*unit));
    let (name, unit) = whole.copied().unwrap_or(("ms", 1));
    format!("{}{name}", ms / unit)
}

pub(super) fn duration(range: RangeInclusive<Duration>) -> impl Fn(&Node) -> Result<Duration, Wrong> {
    move |node| {
        let value = match &node.value {
            Value::Text(text) => parse_duration(text).filter(|d| range.contains(d)),
            _ => None,
        };
        value.ok_or_else(|| {
            let low = duration_shown(*range.start());
            let high = duration_shown(*range.end());
            wrong(node, format!("a duration from \"{low}\" to \"{high}\" (number and ms, s, m, h or d)"))
        })
    }
}

/// Bytes: an integer, or a text as `64KiB`, `1MiB`.
pub(super) fn size(range: RangeInclusive<u64>) -> impl Fn(&Node) -> Result<u64, Wrong> {
    move |node| {
        let value = match &node.value {
            Value::Integer(Some(n)) => u64::try_from(*n).ok(),
            Value::Text(text) => parse_size(text),
            _ => None,
        };
        value.filter(|n| range.contains(n)).ok_or_else(|| {
            let (low, high) = (size_shown(*range.start()), size_shown(*range.end()));
            wrong(node, format!("a size from \"{low}\" to \"{high}\""))
        })
    }
}

fn size_shown(bytes: u64) -> String {
    match bytes {
        b if b % (1 << 20) == 0 => format!("{}MiB", b >> 20),
        b => format!("{}KiB", b >> 10),
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let (number, shift) = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))?;
    number.trim().parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn parsed<T: FromStr>(node: &Node, expected: &str) -> Result<T, Wrong> {
    let value = match &node.value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    value.ok_or_else(|| wrong(node, expected))
}

pub(super) fn ip(node: &Node) -> Result<IpAddr, Wrong> {
    parsed(node, "an IP address as \"192.0.2.1\" or \"2001:db8::1\"")
}

/// An address with a port that is not 0.
pub(super) fn socket(node: &Node) -> Result<SocketAddr, Wrong> {
    let expected = "an address and port as \"192.0.2.1:5060\" or \"[2001:db8::1]:5060\"";
    match parsed::<SocketAddr>(node, expected) {
        Ok(address) if address.port() == 0 => Err(wrong(node, expected)),
        other => other,
    }
}

/// An address to listen on; port 0 lets the system choose.
pub(super) fn listen(node: &Node) -> Result<SocketAddr, Wrong> {
    parsed(node, "an address and port as \"192.0.2.1:5060\", or port 0 for any that is free")
}

/// An address, with or without a port; 0 means any.
pub(super) fn peer(node: &Node) -> Result<SocketAddr, Wrong> {
    match ip(node) {
        Ok(ip) => Ok(SocketAddr::new(ip, 0)),
        Err(_) => parsed(node, "an IP address, or one with a port as \"192.0.2.1:5060\""),
    }
}

/// One of some words.
pub(super) fn one_of<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Node) -> Result<T, Wrong> {
    move |node| {
        let found = match &node.value {
            Value::Text(text) => words.iter().find(|(word, _)| word == text),
            _ => None,
        };
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            wrong(node, format!("one of {}", known.join(", ")))
        })
    }
}

/// A host name or address that stands in a SIP URI, in lower case, without a port.
pub(super) fn host(node: &Node) -> Result<String, Wrong> {
    let host = match &node.value {
        Value::Text(text) => text.to_ascii_lowercase(),
        _ => String::new(),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let good = !host.is_empty() && host.len() <= 253 && host.chars().all(label);
    if good || bare.parse::<IpAddr>().is_ok() {
        return Ok(host);
    }
    Err(wrong(node, "a domain name or IP address without \"sip:\" and port"))
}

/// What can be dialled: a number with `+`, `*`, `#`, or a SIP user name.
pub(super) fn dialled(node: &Node) -> Result<String, Wrong> {
    if let Value::Text(text) = &node.value {
        let fits = |c: char| c.is_ascii_alphanumeric() || "+*#-_.".contains(c);
        if (1..=32).contains(&text.len()) && text.chars().all(fits) {
            return Ok(text.clone());
        }
    }
    Err(wrong(node, "1 to 32 of the letters, digits and + * # - _ . in quotes"))
}

/// A hash in hexadecimal, of so many digits.
pub(super) fn hash(digits: usize) -> impl Fn(&Node) -> Result<String, Wrong> {
    move |node| {
        let found = match &node.value {
            Value::Text(t) if t.len() == digits && t.bytes().all(|b| b.is_ascii_hexdigit()) => {
                return Ok(t.to_ascii_lowercase());
            }
            _ => node.kind(),
        };
        Err(Wrong { expected: format!("{digits} hexadecimal digits"), found: found.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["20ms", "1s", "90s", "5m", "4h", "7d", "0s", "1500ms"] {
            assert_eq!(parse_duration(text).map(duration_shown).as_deref(), Some(text));
        }
        assert_eq!(parse_duration("120s").map(duration_shown).as_deref(), Some("2m"));
        for text in ["", "5", "s", "-1s", "1.5s", "5 s", "5S", "99999999999999999999d"] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_size_is_binary() {
        assert_eq!(parse_size("64KiB"), Some(65_536));
        assert_eq!(parse_size("1MiB"), Some(1 << 20));
        assert_eq!(parse_size("1MB"), None);
        assert_eq!(parse_size("99999999999999GiB"), None);
    }
}
