//! An agent's own work, as his page shows it: his calls with their recordings, his figures of today, who is to be called back by him,
//! messages that callers have left for his queues.
//!
//! Invariant: an agent sees his own alone, a supervisor that of others too; whose it is stands in the path, and who asks is held to
//! it before anything is read.

use crate::asked::{Said, own};
use crate::callback::place;
use crate::catalog::{Routes, desk};
use crate::desk::Desk;
use crate::figures::Rows;
use crate::params::Params;
use crate::problem::Problem;
use crate::recording;
use crate::routes::{Answer, Done, MOMENT, Page, bad_cursor, limit, order};
use crate::switch::{CdrFilter, RecordingsAsked};
use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use cordboard_model::callback::Callback;
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::cdr::{Cdr, RecordingEntry};
use cordboard_model::figures::Figures;
use cordboard_model::id::{CallId, Name, RecordingId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Entries that are looked through at a time for those of his queues.
const ENTRIES: usize = 200;

pub(crate) fn routes() -> Routes {
    let at = |id, summary| desk(id, "agents:read", summary).tag("desk");
    Routes::v1()
        .get(
            "/agents/{name}/calls",
            calls,
            at("listOwnCalls", "The records of the calls that he talked in last, newest first")
                .query(&["from", "to", "before", "limit"])
                .gives::<Page<Cdr>>(),
        )
        .get(
            "/agents/{name}/calls/{call}/recordings/{recording}",
            audio,
            at("downloadOwnRecording", "The audio of a recording of a call of his, or a part of it")
                .gives_media(200, "audio/wav")
                .gives_media(206, "audio/wav")
                .refuses(&[304, 416]),
        )
        .get(
            "/agents/{name}/figures",
            figures,
            at("readOwnFigures", "His figures of today").gives::<OwnFigures>(),
        )
        .get(
            "/agents/{name}/callbacks",
            callbacks,
            at("listOwnCallbacks", "Who is to be called back by him: of his queues, and of none")
                .query(&["after", "limit"])
                .gives::<Rows<Callback>>(),
        )
        .post(
            "/agents/{name}/callbacks",
            add_callback,
            desk(
                "addOwnCallback",
                "agents:control",
                "Puts one who is to be called back on the list, in his name",
            )
            .takes::<crate::callback::Body>(r#"{"number": "+493012345", "note": "after six"}"#)
            .gives::<Done>()
            .tag("desk"),
        )
        .get(
            "/agents/{name}/messages",
            messages,
            at("listOwnMessages", "What callers have left for his queues, newest first")
                .query(&["before", "limit"])
                .gives::<Rows<Message>>(),
        )
        .get(
            "/agents/{name}/messages/{recording}",
            message,
            at("downloadOwnMessage", "The audio of a message for one of his queues, or a part of it")
                .gives_media(200, "audio/wav")
                .gives_media(206, "audio/wav")
                .refuses(&[304, 416]),
        )
}

/// A message that a caller has left.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "OwnMessage")]
struct Message {
    recording: RecordingId,
    /// The call in which it was left.
    call: CallId,
    /// For this queue.
    queue: Name,
    /// When it began.
    at: Wall,
    length_ms: u64,
    /// Who has left it; unknown of what a restart cut.
    from: Option<PartyId>,
}

/// An agent's figures of the day that it is for his tenant.
#[derive(JsonSchema, Serialize)]
struct OwnFigures {
    /// When they were made.
    at: Wall,
    /// When the day began.
    day: Wall,
    /// The tenant's zone.
    zone: String,
    /// From then until now.
    today: Figures,
}

/// He is there, and may be looked at by who asks.
async fn seen(desk: &Desk) -> Result<(), Problem> {
    desk.may_see()?;
    desk.state.switch.desk(desk.agent.clone()).await?;
    Ok(())
}

async fn calls(desk: Desk, query: Params) -> Result<impl IntoResponse, Problem> {
    seen(&desk).await?;
    let query = query.only(&["from", "to", "before", "limit"])?;
    let tenant = desk.tenant();
    let before = query.text("before").map(|text| own(text, tenant).map_err(|_| bad_cursor()));
    let filter = CdrFilter {
        from: query.number("from", MOMENT)?.map(Wall),
        to: query.number("to", MOMENT)?.map(Wall),
        agent: Some(desk.agent.clone()),
        queue: None,
        before: before.transpose()?,
        limit: limit(&query)?,
    };
    let rows = filter.limit as usize;
    let items = desk.state.switch.cdrs(tenant, filter).await?;
    let next = items.last().filter(|_| items.len() == rows).map(|cdr| cdr.call.to_string());
    Ok(Json(Page { items, next }))
}

#[derive(Deserialize)]
struct OfCall {
    call: String,
    recording: String,
}

/// A recording of a call that he was in.
async fn audio(
    desk: Desk,
    Path(OfCall { call, recording }): Path<OfCall>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen(&desk).await?;
    let tenant = desk.tenant();
    let (call, recording) = (own::<CallId>(&call, tenant)?, own::<RecordingId>(&recording, tenant)?);
    let cdr = desk.state.switch.cdr(call).await?;
    let his = cdr.legs.iter().any(|leg| leg.agent.as_ref() == Some(&desk.agent));
    if !his || !cdr.recordings.contains(&recording) {
        return Err(Problem::not_found(format!(
            "no recording {recording} of a call of agent {}",
            desk.agent
        )));
    }
    recording::audio(&desk.state, recording, &method, &headers).await
}

async fn figures(desk: Desk) -> Answer<OwnFigures> {
    seen(&desk).await?;
    let wall = desk.state.switch.wall(desk.tenant()).await?;
    let his = wall.agents.into_iter().find(|one| one.agent == desk.agent);
    let today = his.map(|one| one.today).unwrap_or_default();
    Ok(Json(OwnFigures { at: wall.at, day: wall.day, zone: wall.zone, today }))
}

async fn callbacks(desk: Desk, query: Params) -> Result<impl IntoResponse, Problem> {
    seen(&desk).await?;
    let query = query.only(&["after", "limit"])?;
    let (mut after, limit) = (place(&query)?, limit(&query)? as usize);
    let queues = queues(&desk).await?;
    let is_his = |entry: &Callback| entry.queue.as_ref().is_none_or(|queue| queues.contains(&queue.name));
    let mut items = Vec::new();
    loop {
        let page = CallbackPage { queue: None, after, limit: ENTRIES };
        let found = desk.state.switch.callbacks(desk.tenant(), page).await?;
        let is_last = found.len() < ENTRIES;
        after = found.last().map(|entry| (entry.since, entry.id.name.clone()));
        items.extend(found.into_iter().filter(is_his));
        if is_last || items.len() >= limit {
            break;
        }
    }
    items.truncate(limit);
    let next = items.last().filter(|_| items.len() == limit).map(CallbackPage::place);
    Ok(Json(Rows { items, next }))
}

async fn add_callback(desk: Desk, Said(body): Said<crate::callback::Body>) -> Answer<Done> {
    desk.may_be()?;
    desk.state.switch.desk(desk.agent.clone()).await?;
    let tenant = desk.tenant();
    let by = desk.asker().0.actor(Some(desk.agent.clone()))?;
    order(&desk.state, tenant, body.entry(tenant, by)?).await
}

/// What was recorded for one of his queues under the label that `voicemail.lua` gives it, newest first, what was deleted among it.
async fn left(
    desk: &Desk,
    queue: &Name,
    before: Option<RecordingId>,
    limit: u32,
) -> Result<Vec<RecordingEntry>, Problem> {
    let asked = RecordingsAsked { before, limit, label: Some(format!("message for {queue}")), call: None };
    let found = desk.state.switch.recordings(desk.tenant(), asked).await?;
    Ok(found.into_iter().map(|view| view.entry).collect())
}

/// The queues that he serves.
async fn queues(desk: &Desk) -> Result<Vec<Name>, Problem> {
    let plan = desk.state.switch.floor_plan(desk.tenant()).await?;
    Ok(plan.agents.get(&desk.agent.name).map(|agent| agent.queues.clone()).unwrap_or_default())
}

async fn messages(desk: Desk, query: Params) -> Result<impl IntoResponse, Problem> {
    seen(&desk).await?;
    let query = query.only(&["before", "limit"])?;
    let tenant = desk.tenant();
    let before = query.text("before").map(|text| own(text, tenant).map_err(|_| bad_cursor())).transpose()?;
    let limit = limit(&query)?;
    let mut items = Vec::new();
    // what is older is not known of every queue yet
    let mut known: Option<RecordingId> = None;
    for queue in queues(&desk).await? {
        let found = left(&desk, &queue, before, limit).await?;
        if found.len() == limit as usize {
            known = known.max(found.last().map(|entry| entry.recording));
        }
        for entry in found.into_iter().filter(|entry| entry.deleted.is_none()) {
            let RecordingEntry { recording, call, started, length_ms, parties, .. } = entry;
            let caller = parties.into_iter().find(|party| party.agent.is_none());
            let from = caller.map(|party| party.party);
            items.push(Message { recording, call, queue: queue.clone(), at: started, length_ms, from });
        }
    }
    items.retain(|message| known.is_none_or(|known| message.recording >= known));
    items.sort_by_key(|message| core::cmp::Reverse(message.recording));
    items.truncate(limit as usize);
    let last = items.last().filter(|_| items.len() == limit as usize).map(|message| message.recording);
    let next = last.or(known).map(|recording| recording.to_string());
    Ok(Json(Rows { items, next }))
}

#[derive(Deserialize)]
struct OfMessage {
    recording: String,
}

async fn message(
    desk: Desk,
    Path(OfMessage { recording }): Path<OfMessage>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen(&desk).await?;
    let recording = own::<RecordingId>(&recording, desk.tenant())?;
    let next = RecordingId { number: recording.number.saturating_add(1), ..recording };
    let mut his = false;
    for queue in queues(&desk).await? {
        let newest = left(&desk, &queue, Some(next), 1).await?;
        his |= newest.first().is_some_and(|entry| entry.recording == recording && entry.deleted.is_none());
    }
    if !his {
        return Err(Problem::not_found(format!(
            "no message {recording} for a queue of agent {}",
            desk.agent
        )));
    }
    recording::audio(&desk.state, recording, &method, &headers).await
}
