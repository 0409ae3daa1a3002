//! Errors as `application/problem+json` (RFC 9457): what is wrong, where, and what to do.

use crate::audit::Code;
use crate::switch::Refusal;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::signin::{SessionView, SignInFault};
use schemars::JsonSchema;
use serde::Serialize;

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// A short sentence for the kind of fault.
    pub title: &'static str,
    /// What is wrong here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// A word for the fault that stays what it is, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The parameter, path segment or scope at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Box<str>>,
    /// One line per fault, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// The session that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Box<SessionView>>,
    /// Seconds after which another try makes sense.
    #[serde(skip)]
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of this status, with detail.
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            title,
            detail: detail.into(),
            code: None,
            field: None,
            errors: Vec::new(),
            session: None,
            retry_after_s: None,
        }
    }

    /// 401: no key, or one that opens nothing.
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "a valid API key is needed",
            "send it as `Authorization: Bearer KEY` or `X-Api-Key: KEY`",
        )
    }

    /// 400 with the field at fault.
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "the request is not valid", detail);
        problem.field = Some(field.into());
        problem
    }

    /// 404 for something that this tenant does not have.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such thing", what)
    }

    /// 401: the session is over, or there never was one.
    pub fn no_session() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "the session is over",
            "sign in again: POST /api/v1/agents/NUMBER/sign-in with the password",
        );
        problem.code = Some("session_over");
        problem
    }

    /// 401: a person's session is over, or there never was one.
    pub fn no_user_session() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "the session is over",
            "sign in again: POST /api/v1/session with name and password",
        );
        problem.code = Some("session_over");
        problem
    }

    /// 403: the scope that is missing.
    pub fn scope(scope: &str) -> Self {
        let detail = format!("who asks has not the scope {scope}");
        let mut problem = Self::new(StatusCode::FORBIDDEN, "a scope is missing", detail);
        problem.code = Some("scope_missing");
        problem.field = Some(scope.into());
        problem
    }

    /// 403 for who must have a second factor before he may do anything.
    pub fn needs_totp() -> Self {
        let mut problem = Self::new(
            StatusCode::FORBIDDEN,
            "a second factor is needed",
            "begin one with POST /api/v1/session/totp, and take it into use",
        );
        problem.code = Some("totp_required");
        problem
    }

    /// 403 for an agent who asks, with his session's token, for what is not his.
    pub fn not_his() -> Self {
        let mut problem = Self::new(
            StatusCode::FORBIDDEN,
            "an agent's session does not open this",
            "with the token of his session an agent acts at his own desk, and a supervisor at those of others; the rest needs a key",
        );
        problem.code = Some("not_his");
        problem
    }

    /// 429 for a source that tried too many keys.
    pub fn slow_down(seconds: u32) -> Self {
        let mut problem =
            Self::new(StatusCode::TOO_MANY_REQUESTS, "too many failed keys from this address", "");
        problem.retry_after_s = Some(seconds);
        problem
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(what) => Self::not_found(what),
            Refusal::Conflict(why) => {
                Self::new(StatusCode::CONFLICT, "not possible in the present state", why)
            }
            Refusal::Named(code, why) => {
                let mut problem = Self::new(StatusCode::CONFLICT, "not possible in the present state", why);
                problem.code = Some(code);
                problem
            }
            Refusal::Invalid(errors) => {
                let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "the request is not valid", "");
                problem.errors = errors;
                problem
            }
            Refusal::Busy(seconds) => {
                let mut problem =
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, "the switch is busy or stopping", "");
                problem.retry_after_s = Some(seconds);
                problem
            }
            Refusal::SignIn(fault) => Self::from(fault),
            Refusal::Chat(fault) => Self::from(fault),
            Refusal::Internal(why) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of ours", why),
        }
    }
}

impl From<SignInFault> for Problem {
    fn from(fault: SignInFault) -> Self {
        let status = match &fault {
            SignInFault::NoSuchAgent => StatusCode::NOT_FOUND,
            SignInFault::Wrong => StatusCode::UNAUTHORIZED,
            SignInFault::Locked(_) | SignInFault::TooSoon(_) => StatusCode::TOO_MANY_REQUESTS,
            SignInFault::Busy => StatusCode::SERVICE_UNAVAILABLE,
            SignInFault::Expired | SignInFault::MustChange | SignInFault::NotByPhone => StatusCode::FORBIDDEN,
            SignInFault::Password(_) => StatusCode::UNPROCESSABLE_ENTITY,
            SignInFault::Elsewhere(_) | SignInFault::DeviceTaken(_) | SignInFault::NoSession => {
                StatusCode::CONFLICT
            }
        };
        let mut problem = Self::new(status, "nobody is signed in, and no password is set", fault.to_string());
        problem.code = Some(fault.as_str());
        match fault {
            SignInFault::Locked(seconds) | SignInFault::TooSoon(seconds) => {
                problem.retry_after_s = Some(seconds);
            }
            SignInFault::Busy => problem.retry_after_s = Some(1),
            SignInFault::Elsewhere(session) => problem.session = Some(Box::new(session)),
            _ => {}
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // RFC 6750 3.1: "MAY include the "scope" attribute with the scope necessary to access the protected resource"
        if let (Some("scope_missing"), Some(scope)) = (self.code, &self.field)
            && let Ok(value) =
                HeaderValue::from_str(&format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""))
        {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        if let Some(code) = self.code {
            response.extensions_mut().insert(Code(code));
        }
        response
    }
}
