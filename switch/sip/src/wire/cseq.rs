//! CSeq (RFC 3261 20.16). rsip's typed CSeq is not used: it takes numbers above 2^31 - 1.

use super::limits::MAX_CSEQ;
use super::{Method, scan};
use std::fmt;

/// A sequence number and the method it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The number, at most 2^31 - 1.
    pub seq: u32,
    /// The method.
    pub method: Method,
}

impl CSeq {
    /// Reads a CSeq; `None` when malformed or the number is too large.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let value = scan::trim(value);
        let (number, method) = value.split_at_checked(value.find([' ', '\t'])?)?;
        let seq = u32::try_from(scan::digits(number)?).ok().filter(|&seq| seq <= MAX_CSEQ)?;
        Some(Self { seq, method: Method::parse(scan::trim(method))? })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_above_two_to_the_31_are_refused() {
        assert_eq!(CSeq::parse("0009   INVITE"), Some(CSeq { seq: 9, method: Method::Invite }));
        assert_eq!(CSeq::parse("2147483647 BYE").unwrap().seq, 2_147_483_647);
        for bad in ["2147483648 BYE", "36893488147419103232 REGISTER", "1", "INVITE", "-1 BYE", "1 B@D", ""] {
            assert_eq!(CSeq::parse(bad), None, "{bad}");
        }
    }
}
