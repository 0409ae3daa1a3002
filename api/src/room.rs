//! Conferences, supervision and mutes by the API.

use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::{Answer, Done, on, order, read};
use crate::state::{State, own};
use crate::switch::{Command, Phone, Room, RoomOrder};
use crate::transfer::{is_number, leg_of};
use axum::body::Bytes;
use axum::extract::{Path, State as Use};
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::id::{AgentId, CallId, LegId, TenantId, UserId};
use serde::Deserialize;

const CONFERENCE: &str =
    r#"expected {"to": "1002"} and perhaps "leg", or {"consulted": true} while somebody is consulted"#;
const SUPERVISE: &str = r#"expected {"mode": "listen", "agent": "1009"} or {"mode": "listen", "extension": "1009"}, and perhaps "leg"; modes are listen, whisper, barge_in and intercept"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConferenceBody {
    to: Option<String>,
    #[serde(default)]
    consulted: bool,
    leg: Option<String>,
}

pub(crate) async fn conference(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    let body: ConferenceBody = read(&body, "to", CONFERENCE)?;
    let by = leg_of(body.leg.as_deref(), who.tenant)?;
    let wanted = match (body.to, body.consulted) {
        (Some(to), false) if is_number(&to) => RoomOrder::Add(by, to),
        (Some(_), false) => return Err(Problem::field("to", "not a number or name that can be dialled")),
        (None, true) if by.is_none() => RoomOrder::AddConsulted,
        _ => return Err(Problem::field("to", CONFERENCE)),
    };
    room(&state, who.tenant, call, wanted).await
}

async fn room(state: &State, tenant: TenantId, call: CallId, wanted: RoomOrder) -> Answer<Done> {
    order(state, tenant, Command::Room(Room { call, order: wanted })).await
}

pub(crate) async fn remove(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((id, leg)): Path<(String, String)>,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    let leg = own(&leg, who.tenant, |l: &LegId| l.tenant)?;
    room(&state, who.tenant, call, RoomOrder::Remove(leg)).await
}

pub(crate) async fn mute(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Done> {
    let leg = own(&id, who.tenant, |l: &LegId| l.tenant)?;
    order(&state, who.tenant, Command::Mute(leg, on(&body)?)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuperviseBody {
    mode: String,
    agent: Option<String>,
    extension: Option<String>,
    leg: Option<String>,
}

fn mode(name: &str) -> Result<SupervisionMode, Problem> {
    SupervisionMode::from_name(name).ok_or_else(|| Problem::field("mode", SUPERVISE))
}

pub(crate) async fn supervise(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    let body: SuperviseBody = read(&body, "mode", SUPERVISE)?;
    let mode = mode(&body.mode)?;
    let phone = match (body.agent, body.extension) {
        (Some(agent), None) => Phone::Agent(
            AgentId::new(who.tenant, &agent).map_err(|why| Problem::field("agent", why.to_string()))?,
        ),
        (None, Some(number)) => Phone::Extension(
            UserId::new(who.tenant, &number).map_err(|why| Problem::field("extension", why.to_string()))?,
        ),
        _ => return Err(Problem::field("agent", SUPERVISE)),
    };
    let of = leg_of(body.leg.as_deref(), who.tenant)?;
    room(&state, who.tenant, call, RoomOrder::Supervise { mode, by: phone, of }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeBody {
    mode: String,
}

pub(crate) async fn change(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    let body: ModeBody = read(&body, "mode", r#"expected {"mode": "whisper"}"#)?;
    room(&state, who.tenant, call, RoomOrder::Change(mode(&body.mode)?)).await
}

pub(crate) async fn end(Use(state): Use<State>, Asking(who): Asking, Path(id): Path<String>) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    room(&state, who.tenant, call, RoomOrder::EndSupervision).await
}
