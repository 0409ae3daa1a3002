//! INVITEs to emergency numbers, which are looked at where others are not: from sources that are banned, and when the
//! switch has fallen behind.
//!
//! Invariant: nobody gains by it but who calls for help. So many of them are looked at in a second, from one source and in
//! all, and no more; the rest are treated like any INVITE. None of it lets a call through: its sender still has to show a
//! password, or come from a trunk that is named.

use cordboard_model::guard::Network;
use cordboard_model::time::Time;

use super::bucket::Bucket;
use super::table::Table;

/// Most of them that are looked at in a second from one source: a device sends one, and one with its password.
const OF_ONE: u32 = 4;
/// Most in all of strangers, and as many of those who are known.
const OF_ALL: u32 = 40;
/// Longest number, bytes; real ones have three or four.
const NUMBER_MAX: usize = 32;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Urgent {
    sources: Table<Network, Bucket>,
    strangers: Bucket,
    /// Of those who are known: what strangers send takes nothing from them.
    known: Bucket,
}

impl Urgent {
    pub(super) fn new(size: usize) -> Self {
        Self { sources: Table::new(size), strangers: Bucket::default(), known: Bucket::default() }
    }

    pub(super) fn resize(&mut self, size: usize) {
        self.sources.resize(size);
    }

    /// Takes one of those that are looked at.
    pub(super) fn take(&mut self, source: Network, is_known: bool, now: Time) -> bool {
        let all = if is_known { &mut self.known } else { &mut self.strangers };
        self.sources.used(source, Bucket::default, |bucket| bucket.take(OF_ONE, now)) && all.take(OF_ALL, now)
    }
}

/// The user part of the Request-URI of an INVITE, read off its first bytes.
pub(crate) fn invited(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.strip_prefix(b"INVITE ")?;
    let line = rest.get(..NUMBER_MAX + 8).unwrap_or(rest);
    let (scheme, rest) = line.split_at_checked(line.iter().position(|b| *b == b':')?)?;
    if ![&b"sip"[..], b"sips", b"tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let rest = rest.get(1..)?;
    let end = rest.iter().position(|b| matches!(b, b'@' | b' ' | b';' | b':'))?;
    // a parameter may make another number of it
    let plain = rest.get(end).is_some_and(|b| *b != b';');
    core::str::from_utf8(rest.get(..end)?).ok().filter(|number| !number.is_empty() && plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_is_called_is_read_off_the_first_bytes_of_an_invite() {
        for (bytes, number) in [
            ("INVITE sip:112@example.com SIP/2.0\r\n", Some("112")),
            ("INVITE SIPS:112@example.com SIP/2.0\r\n", Some("112")),
            ("INVITE sip:112;user=phone@example.com SIP/2.0\r\n", None),
            ("INVITE tel:112;phone-context=+883510001 SIP/2.0\r\n", None),
            ("INVITE tel:112 SIP/2.0\r\n", Some("112")),
            ("INVITE sip:112", None),
            ("INVITE sip:@example.com SIP/2.0", None),
            ("INVITE http:112@example.com SIP/2.0", None),
            ("OPTIONS sip:112@example.com SIP/2.0", None),
            ("INVITE ", None),
            ("", None),
        ] {
            assert_eq!(invited(bytes.as_bytes()), number, "{bytes}");
        }
        assert_eq!(invited(&[b"INVITE sip:", "1".repeat(60).as_bytes(), b"@x "].concat()), None);
    }

    #[test]
    fn so_many_are_looked_at_in_a_second_from_one_source_and_in_all() {
        let source = |n: u32| Network::new(core::net::Ipv4Addr::from(n).into(), 32);
        let mut urgent = Urgent::new(1_000);
        let now = Time::from_millis(5_000);
        assert_eq!((0..50).filter(|_| urgent.take(source(1), false, now)).count(), 4);
        let taken = (2..100).filter(|n| urgent.take(source(*n), false, now)).count();
        assert_eq!(taken, 36);
        assert!(urgent.take(source(200), true, now), "strangers take nothing from those who are known");
        assert!(urgent.take(source(1), false, Time::from_millis(6_100)));
    }
}
