//! Digest authentication of both kinds, ours of peers and peers' of us (RFC 7616, RFC 3261 22,
//! RFC 8760; RFC 2617 clients are served).
//!
//! Invariants: no password is kept, only HA1 of each algorithm; no secret is printed; a response
//! is compared in constant time and a user that is not there costs the same as one that is; a
//! nonce is ours, fresh, and each of its counts is good once.
//!
//! rsip's types are not used: they read the nonce count as a decimal byte and know "SHA256" but
//! not "SHA-256".

mod algorithm;
mod challenge;
mod client;
mod credentials;
mod nonce;
mod params;
mod pass;
mod server;

pub use algorithm::{Algorithm, ha1};
pub use challenge::{Challenge, Qop};
pub use client::{ClientError, Identity, answer_challenge};
pub use credentials::{Credentials, CredentialsError, find_credentials};
pub use nonce::{DEFAULT_NONCE_LIFETIME, MAX_NONCES};
pub use pass::{Pass, Passes};
pub use server::{Authenticator, Ha1, Refusal, Verdict};
