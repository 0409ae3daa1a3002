//! Session-Expires and Min-SE (RFC 4028 4, 5), RSeq and RAck (RFC 3262 7).

use super::Method;
use std::fmt;

/// Who refreshes a session (RFC 4028 4), seen from the request that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// Who sent the request.
    Uac,
    /// Who answered it.
    Uas,
}

/// `Session-Expires: 1800;refresher=uas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds from one refresh to the end of the session.
    pub secs: u32,
    /// Who refreshes; none if the other side is to choose.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads a value; `None` if it is damaged. Parameters that are not known are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let secs = delta(parts.next()?)?;
        let refresher = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            match (name.trim().to_ascii_lowercase().as_str(), value.trim().to_ascii_lowercase().as_str()) {
                ("refresher", "uac") => Some(Refresher::Uac),
                ("refresher", "uas") => Some(Refresher::Uas),
                _ => None,
            }
        });
        Some(Self { secs, refresher })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.secs)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

/// Seconds, with parameters that are ignored; what is too large counts as the largest (RFC 3261 20.19).
#[must_use]
pub fn delta(text: &str) -> Option<u32> {
    let digits = text.split(';').next()?.trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}

/// `RAck: 776656 1 INVITE`: the response that a PRACK acknowledges (RFC 3262 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The RSeq of the response.
    pub rseq: u32,
    /// The CSeq number of its request.
    pub cseq: u32,
    /// The method of its request.
    pub method: Method,
}

impl RAck {
    /// Reads a value; `None` if it is damaged.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let read = Self {
            rseq: words.next()?.parse().ok()?,
            cseq: words.next()?.parse().ok()?,
            method: Method::parse(words.next()?)?,
        };
        words.next().is_none().then_some(read)
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.cseq, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_and_print_and_damaged_ones_do_not() {
        for text in ["1800", "90;refresher=uac", "4294967295;refresher=uas"] {
            assert_eq!(SessionExpires::parse(text).unwrap().to_string(), text);
        }
        let odd = SessionExpires::parse(" 1800 ; x=y ; Refresher = UAS").unwrap();
        assert_eq!(odd.to_string(), "1800;refresher=uas");
        assert_eq!(SessionExpires::parse("99999999999").unwrap().secs, u32::MAX);
        for text in ["", ";refresher=uac", "abc", "-1"] {
            assert_eq!(SessionExpires::parse(text), None, "{text}");
        }
        let rack = RAck::parse("776656  1 INVITE").unwrap();
        assert_eq!(rack.to_string(), "776656 1 INVITE");
        for text in ["", "1", "1 2", "1 2 INVITE x", "x 2 INVITE", "4294967296 1 INVITE"] {
            assert_eq!(RAck::parse(text), None, "{text}");
        }
    }
}
