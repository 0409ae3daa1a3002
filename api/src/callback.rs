//! Those who are to be called back: listed, put, taken off. What agents do about them is at their desks.

use crate::asked::{Said, Says};
use crate::catalog::{Routes, key};
use crate::figures::Rows;
use crate::key::Asking;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Done, limit, order};
use crate::state::State;
use crate::switch::Command;
use crate::transfer::is_number;
use axum::Json;
use axum::extract::{Path, State as Use};
use axum::response::IntoResponse;
use cordboard_model::callback::{CALLBACK_NOTE_MAX, Callback, CallbackId, NewCallback};
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::desk::Actor;
use cordboard_model::id::{Name, QueueId, TenantId};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) fn routes() -> Routes {
    let write = "callbacks:write";
    Routes::v1()
        .get(
            "/callbacks",
            list,
            key("listCallbacks", "callbacks:read", "Who is to be called back")
                .query(&["queue", "limit", "after"])
                .gives::<Rows<Callback>>(),
        )
        .post(
            "/callbacks",
            put,
            key("addCallback", write, "Puts one who is to be called back on the list")
                .takes::<Body>(r#"{"number": "+493012345", "queue": "sales"}"#)
                .gives::<Done>(),
        )
        .delete("/callbacks/{id}", remove, key("removeCallback", write, "Takes him off it").gives::<Done>())
}

/// The entry that a path names.
pub(crate) fn entry(tenant: TenantId, id: &str) -> Result<CallbackId, Problem> {
    let name = Name::new(id).map_err(|why| Problem::not_found(format!("call-back {id:?}: {why}")))?;
    Ok(CallbackId { tenant, name })
}

/// The place behind which a page begins.
pub(crate) fn place(query: &Params) -> Result<Option<(Wall, Name)>, Problem> {
    let wrong = || Problem::field("after", "not a cursor that an earlier page gave as `next`");
    query.text("after").map(|text| CallbackPage::read(text).ok_or_else(wrong)).transpose()
}

async fn list(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Result<impl IntoResponse, Problem> {
    let query = query.only(&["queue", "limit", "after"])?;
    let queue = query.text("queue").map(|name| QueueId::new(who.tenant, name)).transpose();
    let queue = queue.map_err(|why| Problem::field("queue", why.to_string()))?;
    let after = place(&query)?;
    let limit = limit(&query)? as usize;
    let items = state.switch.callbacks(who.tenant, CallbackPage { queue, after, limit }).await?;
    let next = items.last().filter(|_| items.len() == limit).map(CallbackPage::place);
    Ok(Json(Rows { items, next }))
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "NewCallback")]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    number: String,
    queue: Option<String>,
    #[serde(default)]
    note: String,
}

impl Says for Body {
    const FIELD: &'static str = "number";
    const EXPECTED: &'static str =
        r#"expected {"number": "+4930..."}, and perhaps "queue": "sales" and "note": "after six""#;
}

impl Body {
    /// What is to be put on a tenant's list, by whom.
    pub(crate) fn entry(self, tenant: TenantId, by: Actor) -> Result<Command, Problem> {
        if !is_number(&self.number) {
            return Err(Problem::field("number", "not a number or name that can be dialled"));
        }
        if self.note.len() > CALLBACK_NOTE_MAX {
            return Err(Problem::field("note", format!("longer than {CALLBACK_NOTE_MAX} bytes")));
        }
        let queue = self.queue.map(|name| QueueId::new(tenant, &name)).transpose();
        let queue = queue.map_err(|why| Problem::field("queue", why.to_string()))?;
        Ok(Command::Callback(NewCallback { number: self.number, queue, note: self.note, by }))
    }
}

async fn put(Use(state): Use<State>, Asking(who): Asking, Said(body): Said<Body>) -> Answer<Done> {
    let by = Actor { key: who.actor(), agent: None };
    order(&state, who.tenant, body.entry(who.tenant, by)?).await
}

async fn remove(Use(state): Use<State>, Asking(who): Asking, Path(id): Path<String>) -> Answer<Done> {
    let entry = entry(who.tenant, &id)?;
    order(&state, who.tenant, Command::CallbackDone(entry, who.to_string())).await
}
