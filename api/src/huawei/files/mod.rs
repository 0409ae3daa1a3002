//! Files: records of calls as tables in an archive, and recordings.
//!
//! What is done is answered with the bytes; what is not, with JSON whose `resultCode` is not `"0"`, as the reference has it.

mod bills;
mod recordings;
mod sheet;
mod zip;

pub(crate) use bills::Bills;
pub(crate) use sheet::date;

use super::Shapes;
use super::config::{Face, HuaweiTenant};
use super::door::why;
use super::reply::sent;
use super::signed::open;
use crate::gateway::fields::Fields;
use crate::surface::Surface;
use crate::switch::Refusal;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::id::TenantId;
use serde_json::json;
use std::sync::Arc;

/// Where it lies.
const BASE: &str = "/CCFS/resource/ccfs";
/// What a file is, in the reference's spelling.
const OCTETS: &str = "Application/Octet-stream;charset=UTF-8";

pub(super) fn routes() -> Surface<Arc<Shapes>> {
    let at = |path: &str| format!("{BASE}{path}");
    Surface::new()
        .post(&at("/queryBillData"), bills::query)
        .post(&at("/downloadBillFile"), bills::download)
        .post(&at("/downloadRecordFile"), recordings::by_file)
        .post(&at("/downloadRecord"), recordings::by_call)
}

/// Result codes. Of the reference's own one is public: the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Failed,
    Parameter,
    NoData,
}

impl Code {
    fn text(self) -> &'static str {
        match self {
            Self::Failed => "0300001",
            Self::Parameter => "0300002",
            Self::NoData => "0300012",
        }
    }
}

/// Not done, and why.
#[derive(Clone, Debug)]
pub(crate) struct Fault(pub(crate) Code, pub(crate) String);

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (code, why) = (self.0.text(), self.1);
        let body = json!({
            "resultCode": code,
            "resultDesc": why,
            "resultData": "",
            "response": { "version": "2.0", "resultCode": code, "resultMsg": why },
        });
        sent(StatusCode::OK, &body)
    }
}

/// The switch's reason.
pub(crate) fn failed(refusal: Refusal) -> Fault {
    let code = match &refusal {
        Refusal::NotFound(_) => Code::NoData,
        _ => Code::Failed,
    };
    Fault(code, why(refusal))
}

/// Something that is wrong in the body.
pub(crate) fn wrong(why: impl Into<String>) -> Fault {
    Fault(Code::Parameter, why.into())
}

/// A file.
pub(crate) fn octets(name: &str, body: Body, len: u64) -> Response {
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(OCTETS));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// A signed request about a tenant's files.
pub(crate) struct Ask {
    pub(crate) shapes: Arc<Shapes>,
    pub(crate) tenant: HuaweiTenant,
    /// The access key.
    pub(crate) key: String,
    /// What `msgBody` says.
    pub(crate) said: Fields,
}

impl FromRequest<Arc<Shapes>> for Ask {
    type Rejection = Response;

    async fn from_request(request: Request, shapes: &Arc<Shapes>) -> Result<Self, Response> {
        let opened = open(shapes, Face::Files, request).await?;
        let body = Fields::body(&opened.body).map_err(|why| wrong(why.message()).into_response())?;
        let said = body.inner("msgBody").ok_or_else(|| wrong("msgBody is missing").into_response())?;
        let (tenant, key) = (opened.tenant, opened.key);
        let cc = said.text("ccId").unwrap_or_else(|| tenant.cc.to_string());
        if cc != tenant.cc.to_string() {
            return Err(wrong("ccId is not that of this access key").into_response());
        }
        Ok(Self { shapes: Arc::clone(shapes), tenant, key, said })
    }
}

impl Ask {
    pub(crate) fn id(&self) -> TenantId {
        self.tenant.tenant.id
    }

    /// A text that must be there.
    pub(crate) fn need(&self, name: &str) -> Result<String, Fault> {
        self.said.text(name).ok_or_else(|| wrong(format!("{name} is missing")))
    }
}
