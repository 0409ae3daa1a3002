//! Finding a way to a party and keeping its consent: STUN (RFC 8489), ICE (RFC 8445), consent freshness (RFC 7675).
//!
//! Our own, over the aes-free half of what `srtp/` stands on (hmac, sha1), and not rtc-ice 0.21: a switch has one address
//! per leg, one component (RTCP shares the port) and no relay, so gathering, foundations, frozen lists and sockets, most of a
//! general agent, have nothing to do here. What is left is one table of the peer's addresses.
//!
//! **Invariant: no packet leaves for an address that has not proved to know the password of the session description**,
//! but checks of full ICE, which are few, spread over time, and go to what the description names. An answer goes only to a
//! request with the right integrity, to where that came from, and is shorter than twice the request: nothing to amplify with.

pub(crate) mod agent;
mod check;
pub(crate) mod stun;

#[cfg(test)]
mod tests;

pub(crate) use agent::{Agent, Heard};
