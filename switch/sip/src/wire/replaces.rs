//! Replaces (RFC 3891 6.1): the dialog whose place an INVITE takes.

use super::scan;
use std::fmt;

/// `Replaces: 425928@bobster.example.org;to-tag=7743;from-tag=6472`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// The Call-ID.
    pub call_id: String,
    /// The local tag of whoever gets the INVITE.
    pub to_tag: String,
    /// The tag of the other end.
    pub from_tag: String,
    /// Only a dialog that is not confirmed is meant.
    pub early_only: bool,
}

impl Replaces {
    /// Reads a value. "Each Replaces header field MUST contain exactly one to-tag and exactly one from-tag" (6.1);
    /// `None` for any other.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(scan::trim);
        let call_id = parts.next().filter(|id| !id.is_empty() && !id.contains([' ', '\t']))?;
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (scan::trim(name), Some(scan::trim(value))),
                None => (part, None),
            };
            let slot = match (name.to_ascii_lowercase().as_str(), value) {
                ("to-tag", Some(_)) => &mut to_tag,
                ("from-tag", Some(_)) => &mut from_tag,
                ("early-only", None) => {
                    early_only = true;
                    continue;
                }
                _ => continue,
            };
            if slot.replace(value.filter(|tag| !tag.is_empty())?.to_owned()).is_some() {
                return None;
            }
        }
        Some(Self { call_id: call_id.to_owned(), to_tag: to_tag?, from_tag: from_tag?, early_only })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        if self.early_only {
            f.write_str(";early-only")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_exactly_one_tag_of_each_end() {
        let read =
            Replaces::parse("98732@sip.example.com ;from-tag=r33th4x0r; To-Tag=ff87ff;early-only").unwrap();
        assert_eq!(read.call_id, "98732@sip.example.com");
        assert_eq!((read.to_tag.as_str(), read.from_tag.as_str()), ("ff87ff", "r33th4x0r"));
        assert!(read.early_only);
        assert_eq!(Replaces::parse(&read.to_string()), Some(read));
        for bad in [
            "",
            "a",
            "a;to-tag=1",
            "a;from-tag=1",
            "a;to-tag=;from-tag=2",
            "a;to-tag=1;from-tag=2;to-tag=3",
            ";to-tag=1;from-tag=2",
        ] {
            assert_eq!(Replaces::parse(bad), None, "{bad}");
        }
    }
}
