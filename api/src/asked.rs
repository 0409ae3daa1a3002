//! What a request is about, one thing of the asking tenant's, and what it says of it.

use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::{Answer, Done, order};
use crate::state::State;
use crate::switch::{Caller, Command};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cordboard_model::id::{ActId, CallId, LegId, RecordingId, TenantId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// An id that says whose it is.
pub(crate) trait Owned: FromStr {
    /// Whose it is.
    fn tenant(&self) -> TenantId;
}

impl Owned for CallId {
    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

impl Owned for LegId {
    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

impl Owned for ActId {
    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

impl Owned for RecordingId {
    fn tenant(&self) -> TenantId {
        self.tenant
    }
}

/// An id that must be of the asking tenant. Others' ids do not exist for him.
pub(crate) fn own<T: Owned>(text: &str, tenant: TenantId) -> Result<T, Problem> {
    let id = text.parse::<T>().map_err(|_| Problem::not_found(format!("{text:?} is not an id")))?;
    if id.tenant() == tenant { Ok(id) } else { Err(Problem::not_found(text.to_owned())) }
}

/// A request about what the path's `id` names, by a tenant whose it is.
pub(crate) struct Of<T> {
    pub(crate) id: T,
    pub(crate) who: Caller,
    pub(crate) state: State,
}

impl<T> Of<T> {
    /// Has the switch do it.
    pub(crate) async fn order(&self, command: Command) -> Answer<Done> {
        order(&self.state, self.who.tenant, command).await
    }

    /// Who asks, for a record.
    pub(crate) fn by(&self) -> String {
        self.who.to_string()
    }
}

impl<T: Owned> FromRequestParts<State> for Of<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        #[derive(Deserialize)]
        struct Named {
            id: String,
        }
        let Asking(who) =
            Asking::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let Path(Named { id }) =
            Path::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let id = own(&id, who.tenant).map_err(IntoResponse::into_response)?;
        Ok(Self { id, who, state: state.clone() })
    }
}

/// What a body may say.
pub(crate) trait Says: DeserializeOwned {
    /// The field that is named when it cannot be read.
    const FIELD: &'static str;
    /// What was expected, for who sent something else.
    const EXPECTED: &'static str;
}

/// A body that is one JSON object, of whatever content type.
pub(crate) struct Said<T>(pub(crate) T);

impl<T: Says> FromRequest<State> for Said<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let unread = |why| Problem::field(T::FIELD, format!("{why}; {}", T::EXPECTED)).into_response();
        serde_json::from_slice(&body).map(Said).map_err(unread)
    }
}

/// The same, or no body at all.
pub(crate) struct MaySay<T>(pub(crate) T);

impl<T: Says + Default> FromRequest<State> for MaySay<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        if body.is_empty() {
            return Ok(MaySay(T::default()));
        }
        let unread = |why| Problem::field(T::FIELD, format!("{why}; {}", T::EXPECTED)).into_response();
        serde_json::from_slice(&body).map(MaySay).map_err(unread)
    }
}

/// `{"on": true}` or `{"on": false}`.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct On {
    pub(crate) on: bool,
}

impl Says for On {
    const FIELD: &'static str = "on";
    const EXPECTED: &'static str = r#"expected {"on": true} or {"on": false}"#;
}
