//! What is rung for an agent: the devices of an account, or a telephone number.
//!
//! Invariant: an agent has one device at a time. Which one is configured, or what he chose since; a choice outlives a
//! restart, and one that the configuration no longer has room for is as if it had not been made.

use crate::id::UserId;
use core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is rung for an agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentDevice {
    /// The registered devices of an account of his tenant: his own, or that of the desk at which he sits today.
    Account(UserId),
    /// A telephone, by its number as the tenant's plan reads it. It counts as being there always.
    Number(String),
}

impl AgentDevice {
    /// The account, if it is one.
    pub fn account(&self) -> Option<&UserId> {
        match self {
            Self::Account(user) => Some(user),
            Self::Number(_) => None,
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Account(_) => None,
            Self::Number(number) => Some(number),
        }
    }
}

impl core::fmt::Display for AgentDevice {
    /// As explanations have it: `account default/1001`, `number +8613812345678`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Account(user) => write!(f, "account {user}"),
            Self::Number(number) => write!(f, "number {number}"),
        }
    }
}

/// What the configuration says of an agent's telephone.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AgentPhone {
    /// Its number, as the tenant's plan reads it.
    pub number: Option<String>,
    /// It is rung unless he chooses otherwise; his account if not.
    pub first: bool,
    /// Who answers any number for him presses a key within this time, or counts as not having answered; no key is asked
    /// for if none. A mailbox answers, too.
    pub confirm: Option<Duration>,
    /// His device is rung as he signs in, and the leg to it stays up between calls.
    #[serde(default)]
    pub keep: bool,
}

impl AgentPhone {
    /// How long is waited for the key, unless it is said otherwise.
    pub const CONFIRM: Duration = Duration::from_secs(15);
    /// The key.
    pub const KEY: char = '1';

    /// His device as long as he chooses none. `own` is his account.
    pub fn usual(&self, own: &UserId) -> AgentDevice {
        match &self.number {
            Some(number) if self.first => AgentDevice::Number(number.clone()),
            _ => AgentDevice::Account(own.clone()),
        }
    }
}

impl Default for AgentPhone {
    fn default() -> Self {
        Self { number: None, first: false, confirm: Some(Self::CONFIRM), keep: false }
    }
}

/// What the line to an agent's device is: the leg that stays up between calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Not there: calls ring his device.
    Down,
    /// His device rings, or he is asked for the key.
    Rings,
    /// There.
    Up,
}

impl LineState {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Rings => "rings",
            Self::Up => "up",
        }
    }
}

/// Why a line is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// It is not wanted: he has signed out, is rung elsewhere, the configuration or a stop wants none, or so it was ordered.
    GivenUp,
    /// He hung up.
    PutDown,
    /// His device did not take it.
    NotTaken,
    /// Its port or its session was lost, or nothing is heard from its other end.
    Lost,
}

impl LineEnd {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GivenUp => "given_up",
            Self::PutDown => "put_down",
            Self::NotTaken => "not_taken",
            Self::Lost => "lost",
        }
    }
}

/// What an agent chooses as his device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// What is configured for him.
    Usual,
    /// The devices of his own account.
    Own,
    /// The telephone that is configured for him.
    Phone,
    /// This, whatever is configured.
    Other(AgentDevice),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TenantId;

    #[test]
    fn a_number_is_rung_only_where_it_is_first() {
        let own = UserId::new(TenantId::DEFAULT, "1001").unwrap();
        let account = AgentDevice::Account(own.clone());
        let number = || Some("+8613812345678".to_owned());
        assert_eq!(AgentPhone::default().usual(&own), account);
        assert_eq!(AgentPhone { number: number(), ..AgentPhone::default() }.usual(&own), account);
        assert_eq!(AgentPhone { first: true, ..AgentPhone::default() }.usual(&own), account);
        let phone = AgentPhone { number: number(), first: true, ..AgentPhone::default() };
        assert_eq!(phone.usual(&own), AgentDevice::Number("+8613812345678".into()));
    }

    #[test]
    fn a_device_is_kept_as_these_words() {
        let number = AgentDevice::Number("+8613812345678".into());
        let account = AgentDevice::Account(UserId::new(TenantId::DEFAULT, "1001").unwrap());
        for device in [number.clone(), account] {
            let kept = serde_json::to_string(&device).unwrap();
            assert_eq!(serde_json::from_str::<AgentDevice>(&kept).unwrap(), device);
        }
        assert_eq!(serde_json::to_string(&number).unwrap(), r#"{"number":"+8613812345678"}"#);
    }
}
