//! Questions to the domain name system and their answers, as the shard asks them and the node gets them answered.

use core::net::IpAddr;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// A question about a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DnsQuery {
    /// Which services it has (NAPTR, RFC 3403).
    Naptr(String),
    /// Where a service is (SRV, RFC 2782): the name is `_sip._udp.example.com`.
    Srv(String),
    /// Its addresses, of both families (A and AAAA).
    Addr(String),
}

impl DnsQuery {
    /// The name that is asked for.
    pub fn name(&self) -> &str {
        match self {
            Self::Naptr(name) | Self::Srv(name) | Self::Addr(name) => name,
        }
    }
}

/// A NAPTR record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naptr {
    /// The lowest is looked at first.
    pub order: u16,
    /// Among those of one order, the lowest is preferred.
    pub preference: u16,
    /// `s`: the replacement is asked for SRV.
    pub flags: String,
    /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T` (RFC 3263 4.1).
    pub service: String,
    /// What is asked next.
    pub replacement: String,
}

/// An SRV record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Srv {
    /// The lowest is tried first.
    pub priority: u16,
    /// Its share among those of one priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host; `.` says that there is no such service.
    pub target: String,
}

/// Records of the kind that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DnsRecords {
    /// Services.
    Naptr(Vec<Naptr>),
    /// Places of a service.
    Srv(Vec<Srv>),
    /// Addresses.
    Addr(Vec<IpAddr>),
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DnsAnswer {
    /// There are such records.
    Found {
        /// They.
        records: DnsRecords,
        /// How long they may be used.
        ttl: Duration,
    },
    /// There is no such name, or it has no such records.
    Nothing {
        /// How long that may be taken for so.
        ttl: Duration,
    },
    /// Nobody answered, or not rightly.
    Failed,
}
