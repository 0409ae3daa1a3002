//! Answers, in the envelope of each interface.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// JSON with this status.
pub(crate) fn sent(status: StatusCode, body: &Value) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    (status, [kind], body.to_string()).into_response()
}

/// Nobody is let in, or there is no such row: the same words in the fields of every interface.
pub(crate) fn refused(status: StatusCode, why: &str) -> Response {
    let code = status.as_u16().to_string();
    let body = json!({ "retCode": code, "retMsg": why, "resultCode": code, "resultDesc": why });
    sent(status, &body)
}
