//! Why bytes are no message, and the answer they deserve.

use super::{HeaderName, Headers, Message, Method, NameAddr, StartLine, Via, reason_phrase};
use std::fmt;

/// What a datagram or a stretch of a stream was, if not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireErrorKind {
    /// Not an error: an empty datagram, CRLFs or NULs that keep a binding open (RFC 5626 3.5.1).
    KeepAlive,
    /// More than [`super::limits::MAX_MESSAGE_BYTES`].
    MessageTooLong,
    /// The start line is neither a request nor a status line.
    StartLine,
    /// A request or response of another version than SIP/2.0.
    Version,
    /// The Request-URI cannot be read.
    RequestUri,
    /// The Request-URI is above [`super::limits::MAX_URI_BYTES`].
    UriTooLong,
    /// The status code is no number from 100 to 699.
    StatusCode,
    /// A line ends with a lone CR or LF although the first one ends with CRLF.
    LineEnd,
    /// The last line of the header section has no end.
    NoEmptyLine,
    /// A header line has no name or no colon.
    HeaderLine,
    /// A header line is above [`super::limits::MAX_HEADER_LINE_BYTES`].
    HeaderTooLong,
    /// More than [`super::limits::MAX_HEADERS`] headers.
    TooManyHeaders,
    /// A header that must be repeated byte for byte is no UTF-8.
    Encoding(HeaderName),
    /// A header that must be there is missing.
    Missing(HeaderName),
    /// A header that may be there once has two values.
    Conflicting(HeaderName),
    /// The value of a header cannot be read.
    Malformed(HeaderName),
    /// The method of CSeq is not that of the request.
    MethodMismatch,
    /// Content-Length says more than there is.
    BodyTooShort,
}

impl WireErrorKind {
    /// The status code for a request that is wrong in this way.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::Version => 505,
            Self::UriTooLong => 414,
            Self::MessageTooLong => 513,
            _ => 400,
        }
    }

    /// Whether nothing is wrong: the bytes only keep a binding open.
    #[must_use]
    pub const fn is_keep_alive(&self) -> bool {
        matches!(self, Self::KeepAlive)
    }
}

impl fmt::Display for WireErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeepAlive => f.write_str("Keep-Alive"),
            Self::MessageTooLong => f.write_str("Message Too Large"),
            Self::StartLine => f.write_str("Malformed Start Line"),
            Self::Version => f.write_str("Version Not Supported"),
            Self::RequestUri => f.write_str("Malformed Request-URI"),
            Self::UriTooLong => f.write_str("Request-URI Too Long"),
            Self::StatusCode => f.write_str("Malformed Status Code"),
            Self::LineEnd => f.write_str("Malformed Line End"),
            Self::NoEmptyLine => f.write_str("Header Section Without End"),
            Self::HeaderLine => f.write_str("Malformed Header Line"),
            Self::HeaderTooLong => f.write_str("Header Too Long"),
            Self::TooManyHeaders => f.write_str("Too Many Headers"),
            Self::Encoding(name) => write!(f, "{name} Is Not UTF-8"),
            Self::Missing(name) => write!(f, "Missing {name}"),
            Self::Conflicting(name) => write!(f, "Conflicting {name}"),
            Self::Malformed(name) => write!(f, "Malformed {name}"),
            Self::MethodMismatch => f.write_str("CSeq Method Differs From Request"),
            Self::BodyTooShort => f.write_str("Body Shorter Than Content-Length"),
        }
    }
}

/// Bytes that are no message: what is wrong, where, and how to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct WireError {
    /// What is wrong.
    pub kind: WireErrorKind,
    /// The byte of the datagram where the faulty line begins; 0 for errors of accessors.
    pub offset: usize,
    /// The answer, when the bytes are a request that may be answered and say to whom. Without
    /// it the bytes are dropped: responses, ACK, and what has no readable Via.
    pub reject: Option<Box<Reject>>,
}

impl WireError {
    pub(crate) const fn new(kind: WireErrorKind, offset: usize) -> Self {
        Self { kind, offset, reject: None }
    }

    pub(crate) const fn missing(name: HeaderName) -> Self {
        Self::new(WireErrorKind::Missing(name), 0)
    }

    pub(crate) const fn malformed(name: HeaderName) -> Self {
        Self::new(WireErrorKind::Malformed(name), 0)
    }

    /// Whether nothing is wrong: the bytes only keep a binding open.
    #[must_use]
    pub const fn is_keep_alive(&self) -> bool {
        self.kind.is_keep_alive()
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.offset)
    }
}

impl std::error::Error for WireError {}

/// What is needed to refuse a request that could not be read whole. The answer is stateless.
#[derive(Clone, Debug, PartialEq)]
pub struct Reject {
    /// 400, 414, 501, 505 or 513.
    pub code: u16,
    /// The reason phrase; for 400 it names what is wrong.
    pub reason: String,
    /// The method, if it could be read. Never ACK, which is not answered.
    pub method: Option<Method>,
    /// The top Via as far as it could be read: the answer goes to its sent-by port at the
    /// address the request came from (RFC 3261 18.2.2, RFC 3581).
    pub via: Via,
    /// All Via values, and From, To, Call-ID and CSeq as far as they were there.
    pub headers: Headers,
}

impl Reject {
    /// The answer. `to_tag` is added when To can be read and has none: "the UAS MUST add a tag
    /// to the To header field in the response" (RFC 3261 8.2.6.2). `via` replaces the top Via,
    /// for the caller has noted `received` and `rport` in its copy.
    #[must_use]
    pub fn into_response(mut self, via: &Via, to_tag: &str) -> Message {
        self.headers.set_first(HeaderName::Via, via.to_string());
        let to = self.headers.get(&HeaderName::To).and_then(NameAddr::parse);
        if let Some(to) = to.filter(|to| to.tag().is_none()) {
            self.headers.set(HeaderName::To, to.with_tag(to_tag).to_string());
        }
        let reason = match self.code {
            400 => format!("{} - {}", reason_phrase(400), self.reason),
            code => reason_phrase(code).to_owned(),
        };
        Message {
            start: StartLine::Response { code: self.code, reason },
            headers: self.headers,
            body: Vec::new(),
        }
    }
}
