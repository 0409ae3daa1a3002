//! What the guard of the SIP port may do, and what it shows of its work.

use crate::time::Wall;
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use core::str::FromStr;
use core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Addresses that share their first bits. Written as `192.0.2.0/24`; one address without a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// The network of the first `bits` bits of `address`; more bits than the address has are all of them.
    #[must_use]
    pub fn new(address: IpAddr, bits: u8) -> Self {
        let address = address.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.min(width);
        let kept = number(address) & !(u128::MAX.checked_shr(u32::from(128 - width + bits)).unwrap_or(0));
        let first = match address {
            IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::from_bits(kept)).to_canonical(),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(kept)),
        };
        Self { first, bits }
    }

    /// Its first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// How many bits its addresses share.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether two have addresses in common.
    #[must_use]
    pub fn overlaps(&self, other: &Network) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }

    /// Whether an address is one of it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self::new(address, self.bits) == *self
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.bits) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => write!(f, "{}", self.first),
            (first, bits) => write!(f, "{first}/{bits}"),
        }
    }
}

/// A text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkError;

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network is an address, or an address, a slash and a number of bits")
    }
}

impl std::error::Error for NetworkError {}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |bits| bits.parse().map_err(|_| NetworkError))?;
        if bits > width {
            return Err(NetworkError);
        }
        Ok(Self::new(address, bits))
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `[sip.guard]`, and the limits of `[sip]` that hold under overload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardLimits {
    /// Whether sources are watched and banned.
    pub enabled: bool,
    /// Sources that are kept in mind; the one that was silent longest is forgotten for a new one.
    pub sources: u32,
    /// Offences that lead to a ban, within `window`.
    pub offences: u32,
    /// The time in which so many offences are forgiven.
    pub window: Duration,
    /// The first ban of a source; each further one is twice as long.
    pub ban: Duration,
    /// The longest ban.
    pub ban_max: Duration,
    /// Answers a second to a source that has proved nothing; what it sends beyond gets none.
    pub answers_per_second: u32,
    /// Words in User-Agent or From of tools that get no answer at all, in lower case.
    pub scanners: Vec<String>,
    /// Networks that are never banned.
    pub allow: Vec<Network>,
    /// New calls a second of one account; zero for no limit.
    pub account_calls_per_second: u32,
    /// Calls at a time of one account; zero for no limit.
    pub account_calls: u32,
    /// New calls a second to one called number; zero for no limit.
    pub number_calls_per_second: u32,
    /// Calls at a time to one called number; zero for no limit.
    pub number_calls: u32,
    /// New calls a second of the whole switch; zero for no limit.
    pub calls_per_second: u32,
    /// How long a message may have waited before new calls are refused.
    pub overload_delay: Duration,
}

/// Tools that ask every address there is.
const SCANNERS: [&str; 12] = [
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sip-scan",
    "sipcli",
    "sipptk",
    "sundayddr",
    "smap ",
    "iwar",
    "vaxsipuseragent",
    "pplsip",
    "sipsscuser",
];

impl Default for GuardLimits {
    fn default() -> Self {
        Self {
            enabled: true,
            sources: 16_384,
            offences: 20,
            window: Duration::from_secs(60),
            ban: Duration::from_secs(60),
            ban_max: Duration::from_secs(86_400),
            answers_per_second: 50,
            scanners: SCANNERS.map(str::to_owned).into(),
            allow: vec![
                Network { first: IpAddr::from([127, 0, 0, 0]), bits: 8 },
                Network { first: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
            ],
            account_calls_per_second: 0,
            account_calls: 0,
            number_calls_per_second: 0,
            number_calls: 0,
            calls_per_second: 0,
            overload_delay: Duration::from_millis(200),
        }
    }
}

/// A source that gets no answers.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct BanView {
    /// Who.
    pub source: Network,
    /// What for: the last offence.
    pub why: String,
    /// When it ends.
    pub until: Wall,
    /// How many bans it has had.
    pub times: u32,
    /// Messages dropped unread since the first.
    pub dropped: u64,
    /// Who made it; null if the guard did.
    pub by: Option<String>,
}

/// A ban that somebody made. Nothing of its addresses is read, whatever they have shown, until it ends or is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Whom it keeps off.
    pub source: Network,
    /// What for, in his words.
    pub why: String,
    /// Who made it.
    pub by: String,
    /// When it ends.
    pub until: Wall,
}

impl Bar {
    /// Fewest bits of an IPv4 network, for who means one host and mistypes keeps the world off.
    pub const V4_BITS_MIN: u8 = 8;
    /// The same of IPv6: what a provider is given.
    pub const V6_BITS_MIN: u8 = 20;
    /// Most at a time.
    pub const MAX: usize = 1_000;

    /// Whether it keeps off more than one can mean.
    #[must_use]
    pub fn is_wide(source: &Network) -> bool {
        source.bits < if source.first.is_ipv4() { Self::V4_BITS_MIN } else { Self::V6_BITS_MIN }
    }
}

/// Why a ban cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BarFault {
    /// Addresses of it are never banned, by `sip.guard.allow`.
    Allowed(Network),
    /// A trunk's peer is among its addresses.
    Trunk(String),
    /// There are so many already.
    Full,
}

impl BarFault {
    /// A word for programs, and words for people.
    #[must_use]
    pub fn words(&self) -> (&'static str, String) {
        match self {
            Self::Allowed(network) => {
                ("never_banned", format!("{network} is in sip.guard.allow and is never banned"))
            }
            Self::Trunk(trunk) => {
                let why = format!(
                    "an address of trunk {trunk} is among them: block the trunk, or take that address out of it"
                );
                ("trunk_address", why)
            }
            Self::Full => (
                "too_many_bans",
                format!("there are {} bans already: take some back, or ban networks", Bar::MAX),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_share_its_bits() {
        let cases = [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8:1:2::/64", "2001:db8:1:2:ffff::1", true),
            ("2001:db8:1:2::/64", "2001:db8:1:3::1", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
        ];
        for (network, address, is_in) in cases {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), is_in, "{network} {address}");
            assert_eq!(network.to_string().parse(), Ok(network));
        }
        assert_eq!("192.0.2.9/24".parse::<Network>().unwrap().to_string(), "192.0.2.0/24");
        let of = |text: &str| text.parse::<Network>().unwrap();
        for (one, other, do_overlap) in [
            ("192.0.2.0/24", "192.0.2.7", true),
            ("192.0.0.0/8", "192.0.2.0/24", true),
            ("192.0.2.0/24", "192.0.3.0/24", false),
            ("0.0.0.0/0", "::/0", false),
        ] {
            assert_eq!(of(one).overlaps(&of(other)), do_overlap, "{one} {other}");
            assert_eq!(of(other).overlaps(&of(one)), do_overlap, "{other} {one}");
        }
        for (text, is_wide) in
            [("10.0.0.0/8", false), ("10.0.0.0/7", true), ("2001:db8::/32", false), ("::/0", true)]
        {
            assert_eq!(Bar::is_wide(&of(text)), is_wide, "{text}");
        }
        for text in ["", "192.0.2.0/33", "::/129", "host/8", "192.0.2.0/", "192.0.2.0/-1"] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }
}
