//! Questions that flows ask by HTTP, and their answers.

use crate::config::Secret;
use crate::id::{CallId, Name};
use serde::{Deserialize, Serialize};

/// Longest URL, bytes.
pub const URL_MAX: usize = 2_048;
/// Most headers of a question.
pub const HEADERS_MAX: usize = 16;
/// Longest value of a header, bytes.
pub const HEADER_MAX: usize = 1_024;
/// Longest body of a question, bytes.
pub const BODY_MAX: usize = 65_536;
/// Most tries after the first.
pub const RETRIES_MAX: u8 = 5;

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Does something, each time.
    Post,
    /// Puts something in a place.
    Put,
    /// Changes something.
    Patch,
    /// Removes something.
    Delete,
}

impl Method {
    /// Every one.
    pub const ALL: [Method; 5] = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];

    /// As HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Whether it may be asked twice and nothing is done twice (RFC 9110 9.2.2).
    pub fn is_idempotent(self) -> bool {
        matches!(self, Method::Get | Method::Put | Method::Delete)
    }
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchHeader {
    /// As it is.
    Text(String),
    /// The secret of this name in the tenant's configuration.
    Secret(Name),
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchBody {
    /// `application/json`, for one.
    pub kind: String,
    /// At most [`BODY_MAX`] bytes. It may hold what a caller keyed in in secret.
    pub text: Secret,
    /// The same with each secret replaced.
    pub shown: String,
}

/// A question, as a flow asks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// How.
    pub method: Method,
    /// Where: `http://` or `https://`.
    pub url: String,
    /// At most [`HEADERS_MAX`].
    pub headers: Vec<(String, FetchHeader)>,
    /// What is sent.
    pub body: Option<FetchBody>,
    /// Longest time in all, milliseconds.
    pub timeout_ms: u32,
    /// Tries after the first, within that time.
    pub retries: u8,
}

/// A question, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOrder {
    /// Whose flow asks.
    pub call: CallId,
    /// How.
    pub method: Method,
    /// Where.
    pub url: String,
    /// Beside those that HTTP itself needs.
    pub headers: Vec<(String, Secret)>,
    /// The kind of body and the body.
    pub body: Option<(String, Secret)>,
    /// Longest time in all, milliseconds.
    pub timeout_ms: u32,
    /// Tries after the first.
    pub retries: u8,
    /// Of each list one must be the beginning of the URL: what the tenant may ask, and where each of its secrets may go.
    pub within: Vec<Vec<String>>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchError {
    /// The URL is not among those that are allowed, or is at a private address.
    Forbidden,
    /// The configuration has no secret of this name.
    NoSecret,
    /// Nobody answers there.
    Unreachable,
    /// There was no answer in time.
    Late,
    /// The answer is larger than may be.
    TooLarge,
    /// The answer is not HTTP, or the question cannot be sent.
    ProtocolError,
    /// Too many questions are asked already.
    Overloaded,
}

impl FetchError {
    /// As flows are told it.
    pub fn as_str(self) -> &'static str {
        match self {
            FetchError::Forbidden => "forbidden",
            FetchError::NoSecret => "no_secret",
            FetchError::Unreachable => "unreachable",
            FetchError::Late => "late",
            FetchError::TooLarge => "too_large",
            FetchError::ProtocolError => "protocol_error",
            FetchError::Overloaded => "overloaded",
        }
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetched {
    /// An answer, be it a refusal.
    Answer {
        /// HTTP's.
        status: u16,
        /// Whether it says that it is JSON.
        json: bool,
        /// What came.
        body: String,
    },
    /// None.
    Failed(FetchError),
}
