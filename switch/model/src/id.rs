//! Ids. Each carries its tenant; those made at run time also carry the shard and the start they
//! belong to, so that they are unique over restarts and a shard can be split later.

use core::fmt;
use core::str::FromStr;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest tenant name in bytes.
pub const TENANT_MAX: usize = 23;
/// Longest name of a configured object in bytes.
pub const NAME_MAX: usize = 64;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Nothing was given.
    Empty,
    /// Longer than the limit, which is named in bytes.
    TooLong(usize),
    /// Holds this character, which ids do not allow.
    BadChar(char),
    /// Not in the printed form of this kind of id.
    Shape,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdError::Empty => write!(f, "an id cannot be empty"),
            IdError::TooLong(max) => write!(f, "an id of this kind has at most {max} bytes"),
            IdError::BadChar(c) => write!(f, "an id cannot hold {c:?}"),
            IdError::Shape => write!(f, "not in the form tenant.start-shard-number"),
        }
    }
}

impl std::error::Error for IdError {}

/// A tenant: lower-case letters, digits and `-`, at most 23 bytes. Cheap to copy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId {
    bytes: [u8; TENANT_MAX],
    len: u8,
}

impl TenantId {
    /// The tenant that exists without configuration.
    pub const DEFAULT: TenantId = TenantId::known(b"default");

    const fn known(name: &[u8]) -> TenantId {
        let mut bytes = [0; TENANT_MAX];
        let mut i = 0;
        while i < name.len() {
            bytes[i] = name[i];
            i += 1;
        }
        TenantId { bytes, len: name.len() as u8 }
    }

    /// Reads a tenant name.
    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > TENANT_MAX {
            return Err(IdError::TooLong(TENANT_MAX));
        }
        let bad = |c: &char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-');
        if let Some(c) = text.chars().find(bad) {
            return Err(IdError::BadChar(c));
        }
        Ok(TenantId::known(text.as_bytes()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for TenantId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        TenantId::new(&text).map_err(D::Error::custom)
    }
}

/// The name of a configured object within its tenant: letters, digits, `-`, `_`, `.`, `+`, at most 64 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Name(Box<str>);

impl Name {
    /// Reads a name.
    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty);
        }
        if text.len() > NAME_MAX {
            return Err(IdError::TooLong(NAME_MAX));
        }
        let bad = |c: &char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+'));
        match text.chars().find(bad) {
            Some(c) => Err(IdError::BadChar(c)),
            None => Ok(Name(text.into())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Name::new(&text).map_err(D::Error::custom)
    }
}

/// Ids of configured objects: a tenant and a name.
macro_rules! named_id {
    ($($(#[$doc:meta])* $id:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
        pub struct $id {
            /// Whose it is.
            pub tenant: TenantId,
            /// Its name there.
            pub name: Name,
        }

        impl $id {
            /// The id of `name` in `tenant`.
            pub fn new(tenant: TenantId, name: &str) -> Result<Self, IdError> {
                Ok(Self { tenant, name: Name::new(name)? })
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.tenant, self.name)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.tenant, self.name)
            }
        }
    )*};
}

named_id! {
    /// A skill queue.
    QueueId
    /// An agent (his work number).
    AgentId
    /// A Lua flow.
    FlowId
    /// A trunk to a carrier or another switch.
    TrunkId
    /// A SIP account: the user part of an address of record.
    UserId
    /// A prompt or music file, by its path below the tenant's prompt folder with `/` written as `.`.
    AssetId
}

/// Ids made at run time, printed `tenant.start-shard-number` with start and number in hexadecimal.
macro_rules! serial_id {
    ($($(#[$doc:meta])* $id:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $id {
            /// The second (UTC) at which this switch was started: ids stay unique over restarts.
            pub start: u32,
            /// The shard that made it.
            pub shard: u8,
            /// Counted from one within shard and start.
            pub number: u64,
            /// Whose it is. Last, for ids are compared in this order: tables of calls are searched for every message,
            /// and the number nearly always decides.
            pub tenant: TenantId,
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}.{:x}-{}-{:x}", self.tenant, self.start, self.shard, self.number)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $id {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let (tenant, rest) = text.split_once('.').ok_or(IdError::Shape)?;
                let mut parts = rest.splitn(3, '-');
                let mut part = || parts.next().ok_or(IdError::Shape);
                let (start, shard, number) = (part()?, part()?, part()?);
                Ok(Self {
                    tenant: TenantId::new(tenant)?,
                    start: u32::from_str_radix(start, 16).map_err(|_| IdError::Shape)?,
                    shard: shard.parse().map_err(|_| IdError::Shape)?,
                    number: u64::from_str_radix(number, 16).map_err(|_| IdError::Shape)?,
                })
            }
        }

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

serial_id! {
    /// A call: everything between a caller's arrival and the last leg's end.
    CallId
    /// A leg: one SIP dialog and its media.
    LegId
    /// One playback on a leg.
    PlaybackId
    /// One recording.
    RecordingId
    /// One stream of a leg's audio to a program and back.
    StreamId
    /// One stretch of an agent's work.
    IntervalId
    /// One playback, or one entry of keys, that a program asked for in a call.
    ActId
}

/// Makes run-time ids of one shard and one start.
#[derive(Clone, Debug)]
pub struct IdMaker {
    start: u32,
    shard: u8,
    next: u64,
}

impl IdMaker {
    /// A maker for `shard` of the switch started in UTC second `start`.
    pub fn new(start: u32, shard: u8) -> Self {
        Self { start, shard, next: 1 }
    }

    fn take(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// A new call.
    pub fn call(&mut self, tenant: TenantId) -> CallId {
        CallId { tenant, start: self.start, shard: self.shard, number: self.take() }
    }

    /// A new leg.
    pub fn leg(&mut self, tenant: TenantId) -> LegId {
        LegId { tenant, start: self.start, shard: self.shard, number: self.take() }
    }

    /// A new playback.
    pub fn playback(&mut self, tenant: TenantId) -> PlaybackId {
        PlaybackId { tenant, start: self.start, shard: self.shard, number: self.take() }
    }

    /// A new playback, or entry of keys, that a program asks for.
    pub fn act(&mut self, tenant: TenantId) -> ActId {
        ActId { tenant, start: self.start, shard: self.shard, number: self.take() }
    }

    /// A new stream.
    pub fn stream(&mut self, tenant: TenantId) -> StreamId {
        StreamId { tenant, start: self.start, shard: self.shard, number: self.take() }
    }

    /// A new stretch of an agent's work.
    pub fn interval(&mut self, tenant: TenantId) -> IntervalId {
        IntervalId { tenant, start: self.start, shard: self.shard, number: self.take() }
    }

    /// A new recording.
    pub fn recording(&mut self, tenant: TenantId) -> RecordingId {
        RecordingId { tenant, start: self.start, shard: self.shard, number: self.take() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_short_lower_case_word() {
        assert_eq!(TenantId::new("acme-1").map(|t| t.to_string()), Ok("acme-1".into()));
        assert_eq!(TenantId::new(""), Err(IdError::Empty));
        assert_eq!(TenantId::new("Acme"), Err(IdError::BadChar('A')));
        assert_eq!(TenantId::new(&"a".repeat(24)), Err(IdError::TooLong(23)));
        assert_eq!(TenantId::DEFAULT.as_str(), "default");
    }

    #[test]
    fn the_same_name_in_two_tenants_is_two_agents() {
        let a = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
        let b = AgentId::new(TenantId::new("acme").unwrap(), "1001").unwrap();
        assert_ne!(a, b);
    }

    #[test]
    fn a_run_time_id_prints_and_reads_back() {
        let id = IdMaker::new(0x6560_0000, 3).call(TenantId::DEFAULT);
        assert_eq!(id.to_string(), "default.65600000-3-1");
        assert_eq!(id.to_string().parse::<CallId>(), Ok(id));
        assert_eq!("default.xyz".parse::<CallId>(), Err(IdError::Shape));
    }
}
