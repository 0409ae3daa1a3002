//! SIP messages as bytes and as values (RFC 3261 7, 18.3, 20, 25).
//!
//! Invariants: input never panics and never costs more than one pass over it; what was parsed
//! prints to bytes that parse to the same; what is printed has exactly the body's length as
//! Content-Length; no value can smuggle a line end; and what `parse_datagram` accepts has
//! readable Via, From, To, Call-ID and CSeq.
//!
//! rsip 0.4 is used for what it does rightly: naming transports ([`Transport`]). The rest of it
//! is not fit for the wire, each reason stands in the file that replaces it and is held by a
//! test in rsip_bounds.rs, which fails when a newer rsip would serve: it knows no compact
//! names and no folds, reads bodies as text, compares methods without case, stops URIs at a dot
//! in the user, loses URI headers, takes IPv6 references apart, looks for `<` inside quoted
//! names, prints "404 NotFound", and reads nonce counts as decimal bytes. No type of it leaves
//! this folder.

mod cseq;
mod error;
mod frame;
mod head;
mod headers;
mod host;
pub mod limits;
mod media_type;
mod message;
mod method;
mod name;
mod name_addr;
mod params;
mod parse;
mod replaces;
#[cfg(test)]
mod rsip_bounds;
pub(crate) mod scan;
mod session_expires;
mod status;
mod uri;
mod uri_compare;
mod via;

pub use cseq::CSeq;
pub use error::{Reject, WireError, WireErrorKind};
pub use frame::{Frame, Framer};
pub use headers::{Header, Headers};
pub use host::Host;
pub use media_type::MediaType;
pub use message::{Message, StartLine};
pub use method::Method;
pub use name::{HeaderName, OtherName};
pub use name_addr::NameAddr;
pub use params::Params;
pub use parse::parse_datagram;
pub use replaces::Replaces;
pub use session_expires::{RAck, Refresher, SessionExpires, delta};
pub use status::reason_phrase;
pub use uri::{Scheme, SipUri, Uri};
pub use via::{MAGIC_COOKIE, Transport, Via};
