//! Conferences, supervision and mutes by the API.

use crate::asked::{Of, On, Said, Says, own};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::switch::{Command, Phone, Room, RoomOrder};
use crate::transfer::{is_number, leg_of};
use axum::extract::Path;
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::id::{AgentId, CallId, LegId, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "ConferenceParty")]
#[serde(deny_unknown_fields)]
pub(crate) struct ConferenceBody {
    to: Option<String>,
    #[serde(default)]
    consulted: bool,
    leg: Option<String>,
}

impl Says for ConferenceBody {
    const FIELD: &'static str = "to";
    const EXPECTED: &'static str =
        r#"expected {"to": "1002"} and perhaps "leg", or {"consulted": true} while somebody is consulted"#;
}

pub(crate) async fn conference(call: Of<CallId>, Said(body): Said<ConferenceBody>) -> Answer<Done> {
    let by = leg_of(body.leg.as_deref(), call.who.tenant)?;
    let wanted = match (body.to, body.consulted) {
        (Some(to), false) if is_number(&to) => RoomOrder::Add(by, to),
        (Some(_), false) => return Err(Problem::field("to", "not a number or name that can be dialled")),
        (None, true) if by.is_none() => RoomOrder::AddConsulted,
        _ => return Err(Problem::field("to", ConferenceBody::EXPECTED)),
    };
    room(&call, wanted).await
}

async fn room(call: &Of<CallId>, order: RoomOrder) -> Answer<Done> {
    call.order(Command::Room(Room { call: call.id, order })).await
}

pub(crate) async fn remove(call: Of<CallId>, Path((_, leg)): Path<(String, String)>) -> Answer<Done> {
    let leg = own(&leg, call.who.tenant)?;
    room(&call, RoomOrder::Remove(leg)).await
}

pub(crate) async fn mute(leg: Of<LegId>, Said(On { on }): Said<On>) -> Answer<Done> {
    leg.order(Command::Mute(leg.id, on)).await
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Supervise")]
#[serde(deny_unknown_fields)]
pub(crate) struct SuperviseBody {
    mode: String,
    agent: Option<String>,
    extension: Option<String>,
    leg: Option<String>,
}

impl Says for SuperviseBody {
    const FIELD: &'static str = "mode";
    const EXPECTED: &'static str = r#"expected {"mode": "listen", "agent": "1009"} or {"mode": "listen", "extension": "1009"}, and perhaps "leg"; modes are listen, whisper, barge_in and intercept"#;
}

fn mode(name: &str) -> Result<SupervisionMode, Problem> {
    SupervisionMode::from_name(name).ok_or_else(|| Problem::field("mode", SuperviseBody::EXPECTED))
}

pub(crate) async fn supervise(call: Of<CallId>, Said(body): Said<SuperviseBody>) -> Answer<Done> {
    let tenant = call.who.tenant;
    let mode = mode(&body.mode)?;
    let phone = match (body.agent, body.extension) {
        (Some(agent), None) => Phone::Agent(
            AgentId::new(tenant, &agent).map_err(|why| Problem::field("agent", why.to_string()))?,
        ),
        (None, Some(number)) => Phone::Extension(
            UserId::new(tenant, &number).map_err(|why| Problem::field("extension", why.to_string()))?,
        ),
        _ => return Err(Problem::field("agent", SuperviseBody::EXPECTED)),
    };
    let of = leg_of(body.leg.as_deref(), tenant)?;
    room(&call, RoomOrder::Supervise { mode, by: phone, of }).await
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "SupervisionChange")]
#[serde(deny_unknown_fields)]
pub(crate) struct ModeBody {
    mode: String,
}

impl Says for ModeBody {
    const FIELD: &'static str = "mode";
    const EXPECTED: &'static str = r#"expected {"mode": "whisper"}"#;
}

pub(crate) async fn change(call: Of<CallId>, Said(body): Said<ModeBody>) -> Answer<Done> {
    room(&call, RoomOrder::Change(mode(&body.mode)?)).await
}

pub(crate) async fn end(call: Of<CallId>) -> Answer<Done> {
    room(&call, RoomOrder::EndSupervision).await
}
