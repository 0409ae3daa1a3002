//! Orders at an agent's desk: in his name, in the call that he is in, without ids of calls or legs.

use crate::asked::{MaySay, Of, Says, own};
use crate::callback::entry;
use crate::catalog::{Routes, desk, key};
use crate::key::{Signed, Who};
use crate::problem::Problem;
use crate::routes::{Answer, Done, order};
use crate::state::State;
use crate::switch::Command;
use crate::transfer::is_number;
use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Response};
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::desk::{
    Actor, CallbackOrder, DeskAct, DeskOrder, DeskView, Goal, NOTE_MAX, PlaceOrder, PlaceTo, SeatOrder,
    TransferWay,
};
use cordboard_model::id::{AgentId, CallId, FlowId, Name, QueueId, TenantId, UserId};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::SessionView;
use cordboard_model::verb::{Destination, RecordAct};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Most keys of one order: as many as may wait for a party.
const KEYS_MAX: usize = 64;

pub(crate) fn routes() -> Routes {
    party_routes().merge(others_routes()).merge(work_routes())
}

/// What he does with the party he talks to.
fn party_routes() -> Routes {
    let at = |id, summary| desk(id, "agents:control", summary).tag("desk");
    Routes::v1()
        .get(
            "/agents/{name}/desk",
            view,
            desk("readDesk", "agents:read", "What an agent sees at his desk").gives::<DeskView>().tag("desk"),
        )
        .post(
            "/calls/{id}/place",
            place,
            key("placeCaller", "calls:control", "Puts a caller who waits somewhere else")
                .may_take::<Place>(r#"{"agent": "1002"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/answer",
            answer,
            at("answer", "Has his phone take the call that rings")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/release",
            release,
            at("release", "Ends his part of the call")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/hold",
            hold,
            at("hold", "Puts the party on hold").may_take::<Common>(r#"{"by": "1009"}"#).gives::<Done>(),
        )
        .post(
            "/agents/{name}/retrieve",
            retrieve,
            at("retrieve", "Takes the party off hold")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/mute",
            mute,
            at("mute", "Has nobody hear him").may_take::<Common>(r#"{"by": "1009"}"#).gives::<Done>(),
        )
        .post(
            "/agents/{name}/unmute",
            unmute,
            at("unmute", "Has him heard again").may_take::<Common>(r#"{"by": "1009"}"#).gives::<Done>(),
        )
}

/// Whom he brings in, and where he sends the party.
fn others_routes() -> Routes {
    let at = |id, summary| desk(id, "agents:control", summary).tag("desk");
    Routes::v1()
        .post(
            "/agents/{name}/consult",
            consult,
            at("consult", "Has him speak to somebody while the party waits")
                .may_take::<To>(r#"{"to": "1002"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/consult/complete",
            complete,
            at("completeConsult", "Sends the party to who is consulted")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/consult/cancel",
            cancel,
            at("cancelConsult", "Lets who is consulted go")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/consult/conference",
            merge,
            at("mergeConsult", "Has all three talk together")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/transfer",
            transfer,
            at("transfer", "Sends the party elsewhere")
                .may_take::<To>(r#"{"queue": "sales"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/conference",
            add,
            at("addParty", "Adds a party to his call").may_take::<To>(r#"{"agent": "1002"}"#).gives::<Done>(),
        )
        .delete(
            "/agents/{name}/conference/{leg}",
            remove,
            at("removeParty", "Takes a party out of his call")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
}

/// What he does besides, and who looks at it.
fn work_routes() -> Routes {
    let at = |id, summary| desk(id, "agents:control", summary).tag("desk");
    Routes::v1()
        .post(
            "/agents/{name}/keys",
            keys,
            at("pressKeys", "Sends keys to the party").may_take::<Keys>(r#"{"keys": "12#"}"#).gives::<Done>(),
        )
        .post(
            "/agents/{name}/recording/start",
            record,
            at("startRecording", "Has his call recorded from now on")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/recording/pause",
            pause_recording,
            at("pauseRecording", "Puts silence into the recording from now on")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/recording/resume",
            resume_recording,
            at("resumeRecording", "Goes on with the recording")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/call",
            dial,
            at("dial", "Calls somebody from his desk")
                .may_take::<To>(r#"{"to": "+493012345"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/wrap-up",
            wrap_up,
            at("wrapUp", "The code and the note of a call")
                .may_take::<Said>(r#"{"code": "sold"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/callbacks/{id}/{what}",
            call_back,
            at("orderCallback", "What he does about a call-back: take, give-back, call or done")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
        .post(
            "/agents/{name}/supervise",
            supervise,
            at("superviseAgent", "Has a supervisor listen to him")
                .may_take::<Supervise>(r#"{"mode": "listen", "by": "1009"}"#)
                .gives::<Done>(),
        )
        .put(
            "/agents/{name}/supervise",
            change,
            at("changeAgentSupervision", "Has the supervisor do something else")
                .may_take::<Supervise>(r#"{"mode": "whisper"}"#)
                .gives::<Done>(),
        )
        .delete(
            "/agents/{name}/supervise",
            end,
            at("endAgentSupervision", "Lets the supervisor go")
                .may_take::<Common>(r#"{"by": "1009"}"#)
                .gives::<Done>(),
        )
}

/// A desk, and who asks for something at it.
pub(crate) struct Desk {
    pub(crate) agent: AgentId,
    who: Who,
    pub(crate) state: State,
}

impl FromRequestParts<State> for Desk {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &State,
    ) -> Result<Self, Response> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let Signed(who) =
            Signed::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let Path(Named { name }) =
            Path::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let agent = AgentId::new(who.tenant(), &name).map_err(|why| Problem::not_found(why.to_string()));
        let agent = agent.map_err(IntoResponse::into_response)?;
        Ok(Self { agent, who, state: state.clone() })
    }
}

impl Desk {
    /// One that a request has come to by another way.
    pub(crate) fn of(agent: AgentId, who: Who, state: State) -> Self {
        Self { agent, who, state }
    }

    /// Whether who asks may look at it.
    pub(crate) fn may_see(&self) -> Result<(), Problem> {
        self.who.may_see(&self.agent)
    }

    /// Whether who asks may be its agent: he himself, or a key. A supervisor looks, and is himself.
    pub(crate) fn may_be(&self) -> Result<(), Problem> {
        match &self.who {
            Who::Agent(caller) if caller.agent != self.agent => Err(Problem::not_his()),
            _ => Ok(()),
        }
    }

    pub(crate) fn agent(&self) -> &AgentId {
        &self.agent
    }

    pub(crate) fn switch(&self) -> &dyn crate::switch::Switch {
        &*self.state.switch
    }

    pub(crate) fn config(&self) -> &crate::state::ApiConfig {
        &self.state.config
    }

    /// Who asks, and what he sees.
    pub(crate) fn asker(&self) -> (Who, State) {
        (self.who.clone(), self.state.clone())
    }

    /// Where its agent is signed in.
    pub(crate) async fn session(&self) -> Result<Option<SessionView>, Problem> {
        Ok(self.state.switch.session_of(self.agent.clone()).await?)
    }

    /// What an agent is to be.
    pub(crate) async fn want(&self, what: AgentOrder, by: Option<String>) -> Answer<Done> {
        match &self.who {
            Who::Key(caller) if by.is_none() => {
                let by = caller.to_string();
                order(&self.state, self.tenant(), Command::Agent(self.agent.clone(), what, by)).await
            }
            _ => self.order(Common { call: None, by }, DeskAct::Want(what)).await,
        }
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.agent.tenant
    }

    pub(crate) async fn order(&self, common: Common, act: DeskAct) -> Answer<Done> {
        let call = common.call.map(|call| own::<CallId>(&call, self.tenant())).transpose()?;
        let name = |by: String| {
            AgentId::new(self.tenant(), &by).map_err(|why| Problem::field("by", why.to_string()))
        };
        let by = self.who.actor(common.by.map(name).transpose()?)?;
        let desk = DeskOrder { agent: self.agent.clone(), call, by, act };
        order(&self.state, self.tenant(), Command::Desk(Box::new(desk))).await
    }

    async fn seat(&self, common: Common, what: SeatOrder) -> Answer<Done> {
        self.order(common, DeskAct::Seat(what)).await
    }
}

/// What every order may say.
#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "DeskOrder")]
#[serde(deny_unknown_fields)]
pub(crate) struct Common {
    /// Which of his calls.
    pub(crate) call: Option<String>,
    /// The agent in whose name it is ordered.
    pub(crate) by: Option<String>,
}

impl Says for Common {
    const FIELD: &'static str = "call";
    const EXPECTED: &'static str =
        r#"expected nothing, or {"call": "..."} for one of several calls, or {"by": "1009"}"#;
}

/// Whom an order is about.
#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "DeskTarget")]
#[serde(deny_unknown_fields)]
struct To {
    to: Option<String>,
    agent: Option<String>,
    queue: Option<String>,
    flow: Option<String>,
    /// Transfers alone.
    after_success: Option<bool>,
    /// Calls alone.
    caller_number: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, Value>,
    call: Option<String>,
    by: Option<String>,
}

impl Says for To {
    const FIELD: &'static str = "to";
    const EXPECTED: &'static str =
        r#"expected one of {"to": "1002"}, {"agent": "1002"}, {"queue": "sales"} and {"flow": "survey"}"#;
}

impl To {
    /// Takes it apart; `extra` are the entries that only some orders know.
    fn goal(&mut self, tenant: TenantId, extra: &[&str]) -> Result<Goal, Problem> {
        let given = [
            ("after_success", self.after_success.is_some()),
            ("caller_number", self.caller_number.is_some()),
            ("data", !self.data.is_empty()),
        ];
        if let Some((name, _)) = given.iter().find(|(name, is)| *is && !extra.contains(name)) {
            return Err(Problem::field(name, "not an entry of this order"));
        }
        let bad = |field: &'static str| {
            move |why: cordboard_model::id::IdError| Problem::field(field, why.to_string())
        };
        match (self.to.take(), self.agent.take(), self.queue.take(), self.flow.take()) {
            (Some(to), None, None, None) if is_number(&to) => Ok(Goal::Number(to)),
            (Some(_), None, None, None) => {
                Err(Problem::field("to", "not a number or name that can be dialled"))
            }
            (None, Some(name), None, None) => AgentId::new(tenant, &name)
                .map(|id| Goal::Place(Destination::Agent(id)))
                .map_err(bad("agent")),
            (None, None, Some(name), None) => QueueId::new(tenant, &name)
                .map(|id| Goal::Place(Destination::Queue(id)))
                .map_err(bad("queue")),
            (None, None, None, Some(name)) => {
                FlowId::new(tenant, &name).map(|id| Goal::Place(Destination::Flow(id))).map_err(bad("flow"))
            }
            _ => Err(Problem::field("to", Self::EXPECTED)),
        }
    }

    fn common(self) -> Common {
        Common { call: self.call, by: self.by }
    }
}

async fn view(desk: Desk) -> Answer<DeskView> {
    desk.may_see()?;
    Ok(Json(desk.state.switch.desk(desk.agent.clone()).await?))
}

async fn answer(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.order(said, DeskAct::Answer).await
}

async fn release(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Release).await
}

async fn hold(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Hold(true)).await
}

async fn retrieve(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Hold(false)).await
}

async fn mute(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Mute(true)).await
}

async fn unmute(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Mute(false)).await
}

async fn consult(desk: Desk, MaySay(mut said): MaySay<To>) -> Answer<Done> {
    let goal = said.goal(desk.tenant(), &[])?;
    desk.seat(said.common(), SeatOrder::Consult(goal)).await
}

async fn complete(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Complete).await
}

async fn cancel(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Cancel).await
}

async fn merge(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.seat(said, SeatOrder::Merge).await
}

async fn transfer(desk: Desk, MaySay(mut said): MaySay<To>) -> Answer<Done> {
    let goal = said.goal(desk.tenant(), &["after_success"])?;
    let way = match said.after_success {
        Some(true) => TransferWay::AfterSuccess,
        _ => TransferWay::Blind,
    };
    desk.seat(said.common(), SeatOrder::Transfer(goal, way)).await
}

async fn add(desk: Desk, MaySay(mut said): MaySay<To>) -> Answer<Done> {
    let goal = said.goal(desk.tenant(), &[])?;
    desk.seat(said.common(), SeatOrder::Add(goal)).await
}

async fn remove(
    desk: Desk,
    Path((_, leg)): Path<(String, String)>,
    MaySay(said): MaySay<Common>,
) -> Answer<Done> {
    let leg = own(&leg, desk.tenant())?;
    desk.seat(said, SeatOrder::Remove(leg)).await
}

async fn dial(desk: Desk, MaySay(mut said): MaySay<To>) -> Answer<Done> {
    let to = said.goal(desk.tenant(), &["caller_number", "data"])?;
    let (shown, data) = (said.caller_number.take(), core::mem::take(&mut said.data));
    if shown.as_ref().is_some_and(|number| !is_number(number)) {
        return Err(Problem::field("caller_number", "not a number"));
    }
    desk.order(said.common(), DeskAct::Dial { to, shown, data }).await
}

async fn call_back(
    desk: Desk,
    Path((_, id, what)): Path<(String, String, String)>,
    MaySay(said): MaySay<Common>,
) -> Answer<Done> {
    let id = entry(desk.tenant(), &id)?;
    let order = match what.as_str() {
        "take" => CallbackOrder::Take,
        "give-back" => CallbackOrder::GiveBack,
        "call" => CallbackOrder::Call,
        "done" => CallbackOrder::Done,
        other => {
            return Err(Problem::not_found(format!("{other:?} is none of take, give-back, call or done")));
        }
    };
    desk.order(said, DeskAct::Callback(id, order)).await
}

#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "DeskKeys")]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    keys: String,
    call: Option<String>,
    by: Option<String>,
}

impl Says for Keys {
    const FIELD: &'static str = "keys";
    const EXPECTED: &'static str = r#"expected {"keys": "12#"}: at most 64 of 0-9, *, # and A-D"#;
}

async fn keys(desk: Desk, MaySay(said): MaySay<Keys>) -> Answer<Done> {
    let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D');
    if !(1..=KEYS_MAX).contains(&said.keys.len()) || !said.keys.chars().all(is_key) {
        return Err(Problem::field("keys", Keys::EXPECTED));
    }
    desk.order(Common { call: said.call, by: said.by }, DeskAct::Keys(said.keys)).await
}

async fn record(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.order(said, DeskAct::Record(RecordAct::Start)).await
}

async fn pause_recording(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.order(said, DeskAct::Record(RecordAct::Pause)).await
}

async fn resume_recording(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.order(said, DeskAct::Record(RecordAct::Resume)).await
}

#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "WrapUpOrder")]
#[serde(deny_unknown_fields)]
struct Said {
    code: Option<String>,
    note: Option<String>,
    call: Option<String>,
    by: Option<String>,
}

impl Says for Said {
    const FIELD: &'static str = "code";
    const EXPECTED: &'static str = r#"expected {"code": "sold"}, {"note": "..."} or both"#;
}

async fn wrap_up(desk: Desk, MaySay(said): MaySay<Said>) -> Answer<Done> {
    let Said { code, note, call, by } = said;
    if code.is_none() && note.is_none() {
        return Err(Problem::field("code", Said::EXPECTED));
    }
    if note.as_ref().is_some_and(|note| note.len() > NOTE_MAX) {
        return Err(Problem::field("note", format!("longer than {NOTE_MAX} bytes")));
    }
    let code = code.map(|code| Name::new(&code).map_err(|why| Problem::field("code", why.to_string())));
    desk.order(Common { call, by }, DeskAct::WrapUp { code: code.transpose()?, note }).await
}

#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "PlaceCaller")]
#[serde(deny_unknown_fields)]
struct Place {
    agent: Option<String>,
    queue: Option<String>,
    #[serde(default)]
    first: bool,
    by: Option<String>,
}

impl Says for Place {
    const FIELD: &'static str = "agent";
    const EXPECTED: &'static str = r#"expected one of {"agent": "1002"}, {"queue": "help"} and {"first": true}, and perhaps {"by": "1009"}"#;
}

/// What a supervisor does with a caller who waits.
async fn place(call: Of<CallId>, MaySay(said): MaySay<Place>) -> Answer<Done> {
    let tenant = call.who.tenant;
    let agent = |field: &'static str, name: String| {
        AgentId::new(tenant, &name).map_err(|why| Problem::field(field, why.to_string()))
    };
    let to = match (said.agent, said.queue, said.first) {
        (Some(name), None, false) => PlaceTo::Agent(agent("agent", name)?),
        (None, Some(name), false) => PlaceTo::Queue(
            QueueId::new(tenant, &name).map_err(|why| Problem::field("queue", why.to_string()))?,
        ),
        (None, None, true) => PlaceTo::First,
        _ => return Err(Problem::field("agent", Place::EXPECTED)),
    };
    let by = said.by.map(|name| agent("by", name)).transpose()?;
    let by = Actor { key: call.who.actor(), agent: by };
    call.order(Command::Place(PlaceOrder { call: call.id, to, by })).await
}

#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "SuperviseAgent")]
#[serde(deny_unknown_fields)]
struct Supervise {
    #[serde(default)]
    mode: String,
    by: Option<String>,
    extension: Option<String>,
    call: Option<String>,
}

impl Says for Supervise {
    const FIELD: &'static str = "mode";
    const EXPECTED: &'static str = r#"expected {"mode": "listen", "by": "1009"}, or "extension" instead of "by"; modes are listen, whisper, barge_in and intercept"#;
}

impl Supervise {
    fn mode(&self) -> Result<SupervisionMode, Problem> {
        SupervisionMode::from_name(&self.mode).ok_or_else(|| Problem::field("mode", Self::EXPECTED))
    }
}

async fn supervise(desk: Desk, MaySay(said): MaySay<Supervise>) -> Answer<Done> {
    let mode = said.mode()?;
    if said.by.is_none() && said.extension.is_none() && matches!(desk.who, Who::Key(_)) {
        return Err(Problem::field("by", Supervise::EXPECTED));
    }
    let user = |number: String| {
        UserId::new(desk.tenant(), &number).map_err(|why| Problem::field("extension", why.to_string()))
    };
    let extension = said.extension.map(user).transpose()?;
    desk.order(Common { call: said.call, by: said.by }, DeskAct::Supervise { mode, extension }).await
}

async fn change(desk: Desk, MaySay(said): MaySay<Supervise>) -> Answer<Done> {
    let mode = said.mode()?;
    if said.extension.is_some() {
        return Err(Problem::field("extension", "whose phone is rung is said when the supervision begins"));
    }
    desk.order(Common { call: said.call, by: said.by }, DeskAct::Change(mode)).await
}

async fn end(desk: Desk, MaySay(said): MaySay<Common>) -> Answer<Done> {
    desk.order(said, DeskAct::EndSupervision).await
}
