//! Every limit of the wire layer, with its reason. Reaching one is a [`super::WireErrorKind`].

/// Bytes of one message. A UDP datagram cannot be longer, and no signalling message has a
/// reason to be; streams obey the same so that one answer fits both.
pub const MAX_MESSAGE_BYTES: usize = 65_535;

/// Header entries of one message after lists are split. The longest Via list of RFC 4475 has
/// 34; the most a proxy chain of 70 hops can add is 70 Via and 70 Record-Route.
pub const MAX_HEADERS: usize = 256;

/// Bytes of one header line, its folds included. Identity headers (RFC 8224) with a
/// certificate chain reach 8 KiB; the double leaves room.
pub const MAX_HEADER_LINE_BYTES: usize = 16 * 1024;

/// Bytes of the start line. It holds a URI, a method and a version.
pub const MAX_START_LINE_BYTES: usize = 8 * 1024;

/// Bytes of one URI. Beyond it a Request-URI is answered 414 (RFC 3261 21.4.12).
pub const MAX_URI_BYTES: usize = 4 * 1024;

/// Bytes of a Call-ID. It is a key that is kept for the length of a call.
pub const MAX_CALL_ID_BYTES: usize = 1024;

/// Bytes of a tag or branch. They are keys that are kept for the length of a call.
pub const MAX_TOKEN_BYTES: usize = 1024;

/// Parameters of one header value or URI. The richest in use, a Contact with media features
/// (RFC 3840), has about twenty; readers look a name up by going through them.
pub const MAX_PARAMS: usize = 64;

/// The largest CSeq number: "MUST be expressible as a 32-bit unsigned integer and MUST be
/// less than 2**31" (RFC 3261 8.1.1.5).
pub const MAX_CSEQ: u32 = 0x7fff_ffff;

/// Empty lines read before a start line. RFC 3261 7.5 says to ignore them; without an end a
/// peer could feed a stream for ever.
pub const MAX_LEADING_LINES: usize = 64;
