//! Content-Type and the elements of Accept (RFC 3261 20.15, 20.1).
//!
//! rsip's typed `MediaType` is not used: it wants no blank before `;` and calls a parameter
//! without value or with a quoted pair an error of the whole header.

use super::{Params, scan};
use std::fmt;

/// A media type such as `application/sdp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype` in lower case.
    pub essence: String,
    /// The parameters (`boundary`, `charset`, `q` ...).
    pub params: Params,
}

impl MediaType {
    /// Reads a media type or range (`text/*`). `None` when malformed.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (essence, params) = value.split_at_checked(value.find(';').unwrap_or(value.len()))?;
        let (main, sub) = essence.split_once('/')?;
        let (main, sub) = (scan::trim(main), scan::trim(sub));
        if !scan::is_token(main) || !scan::is_token(sub) {
            return None;
        }
        Some(Self {
            essence: format!("{}/{}", main.to_ascii_lowercase(), sub.to_ascii_lowercase()),
            params: Params::parse_header(params)?,
        })
    }

    /// Whether this is `type/subtype`, parameters aside. `essence` is in lower case.
    #[must_use]
    pub fn is(&self, essence: &str) -> bool {
        self.essence == essence
    }

    /// Whether this media range covers `essence`: `*/*`, `application/*` or the same type.
    #[must_use]
    pub fn covers(&self, essence: &str) -> bool {
        match self.essence.strip_suffix("/*") {
            Some("*") => true,
            Some(main) => essence.split('/').next() == Some(main),
            None => self.essence == essence,
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.essence, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_compare_without_case_and_ranges_cover() {
        let sdp = MediaType::parse("Application / SDP ; charset=UTF-8").unwrap();
        assert!(sdp.is("application/sdp"));
        assert_eq!(sdp.to_string(), "application/sdp;charset=UTF-8");
        let covers = |range: &str| MediaType::parse(range).unwrap().covers("application/sdp");
        assert!(covers("*/*") && covers("application/*;q=0.1") && covers("application/sdp"));
        assert!(!covers("text/*") && !covers("application/pkcs7-mime"));
        for bad in ["", "application", "application/", "/sdp", "a b/c", "a/b;;"] {
            assert_eq!(MediaType::parse(bad), None, "{bad}");
        }
    }
}
