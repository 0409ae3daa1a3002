//! A request by a signed-in agent, and the envelope of every answer.

use super::Gateway;
use super::code::{Code, Fault};
use super::fields::Fields;
use super::guid::Worth;
use super::seat::Seat;
use crate::switch::{Command, Refusal};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::desk::{Actor, DeskAct, DeskCall, DeskOrder, DeskView, SeatOrder};
use cordboard_model::id::{AgentId, CallId};
use cordboard_model::service::Role;
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest header value that is taken for a guid, bytes.
const GUID_MAX: usize = 128;

/// An answer whose `retcode` is `"0"`.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// `result`, or `event` in a poll's.
    pub(crate) key: Option<&'static str>,
    pub(crate) value: Value,
    pub(crate) message: String,
    /// The next guid.
    pub(crate) guid: Option<String>,
}

/// What a request is answered with.
pub(crate) type Answered = Result<Reply, Fault>;

/// Done, and nothing to tell.
pub(crate) fn done() -> Answered {
    result(json!({}))
}

/// Done, with a result.
pub(crate) fn result(value: Value) -> Answered {
    Ok(Reply { value, ..Reply::default() })
}

fn enveloped(status: StatusCode, body: &Value) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    (status, [kind], body.to_string()).into_response()
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let key = self.key.unwrap_or("result");
        let body = json!({ "message": self.message, "retcode": "0", key: self.value });
        let mut response = enveloped(StatusCode::OK, &body);
        let guid = self.guid.and_then(|guid| HeaderValue::try_from(format!("JSESSIONID={guid}")).ok());
        if let Some(guid) = guid {
            response.headers_mut().insert("Set-GUID", guid);
        }
        response
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        enveloped(StatusCode::OK, &self.body())
    }
}

/// A refusal that says by the status, too, that there is no such thing here.
pub(crate) fn absent(status: StatusCode, fault: &Fault) -> Response {
    enveloped(status, &fault.body())
}

/// A request by a signed-in agent.
pub(crate) struct Ask {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) seat: Arc<Seat>,
    /// The guid that he showed.
    pub(crate) guid: String,
    pub(crate) headers: HeaderMap,
    /// What the query and the body say.
    pub(crate) fields: Fields,
    path: Vec<(String, String)>,
}

/// The parameters of a path.
pub(crate) fn path_of(params: &RawPathParams) -> Vec<(String, String)> {
    params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The guid that a request shows, with or without what stands before it in `Set-GUID`.
pub(super) fn guid_of(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get("guid")?.to_str().ok()?.trim();
    Some(shown.strip_prefix("JSESSIONID=").unwrap_or(shown)).filter(|shown| shown.len() <= GUID_MAX)
}

impl FromRequest<Arc<Gateway>> for Ask {
    type Rejection = Response;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let refused = |fault: Fault| fault.into_response();
        let params = RawPathParams::from_request_parts(&mut parts, gateway).await;
        let path = path_of(&params.map_err(IntoResponse::into_response)?);
        let agent = path.iter().find(|(name, _)| name == "agentid").map(|(_, value)| value.as_str());
        let seat = agent.and_then(|agent| gateway.seat(agent)).filter(|seat| !seat.is_gone());
        let seat = seat.ok_or_else(|| refused(Code::NOT_SIGNED_IN.into()))?;
        let guid = guid_of(&parts.headers).unwrap_or_default().to_owned();
        match seat.worth(&guid, gateway.now()) {
            Worth::Good => {}
            Worth::Stale => return Err(refused(Code::NO_RIGHT.into())),
            Worth::Wrong => return Err(refused(Code::NOT_SIGNED_IN.into())),
        }
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let query = Fields::query(pairs.map(|Query(pairs)| pairs).unwrap_or_default());
        let headers = parts.headers.clone();
        let bytes = Bytes::from_request(Request::from_parts(parts, body), gateway).await;
        let said = Fields::body(&bytes.map_err(IntoResponse::into_response)?).map_err(refused)?;
        Ok(Self { gateway: Arc::clone(gateway), seat, guid, headers, fields: query.over(said), path })
    }
}

/// What an order that the switch refuses is answered with: a code for each of its reasons.
pub(crate) type Reasons = fn(&str) -> Code;

/// The switch's reason in the gateway's codes.
pub(crate) fn refused(why: Refusal, reasons: Reasons) -> Fault {
    match why {
        Refusal::Named("not_signed_in", _) => Code::NOT_SIGNED_IN.into(),
        Refusal::Named(word, why) => Fault::new(reasons(word), why),
        Refusal::NotFound(why) => Fault::new(reasons("not_found"), why),
        Refusal::Conflict(why) => Fault::new(reasons("conflict"), why),
        Refusal::Invalid(why) => Fault::new(Code::PARAMETER, why.join("; ")),
        Refusal::Busy(_) => Code::UNAVAILABLE.into(),
        Refusal::SignIn(why) => Fault::new(Code::INTERNAL, why.to_string()),
        // no order of the gateway is about chats
        Refusal::Chat(why) => Fault::new(Code::INTERNAL, why.to_string()),
        Refusal::Internal(why) => Fault::new(Code::INTERNAL, why),
    }
}

impl Ask {
    /// A parameter of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the path that is a number.
    pub(crate) fn path_number(
        &self,
        name: &str,
        range: core::ops::RangeInclusive<u64>,
    ) -> Result<u64, Fault> {
        let wrong = || Fault::new(Code::PARAMETER, format!("{name} is {:?}", self.path(name)));
        self.path(name).parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
    }

    /// Notes which order came last, for a page that comes back.
    pub(crate) fn note(&self, command: u8) {
        let date = self.gateway.switch.moment();
        self.seat.lock().command = (command, date);
    }

    /// Something at his own desk.
    pub(crate) async fn order(
        &self,
        act: DeskAct,
        call: Option<CallId>,
        reasons: Reasons,
    ) -> Result<Vec<String>, Fault> {
        self.gateway.order(&self.seat, act, call).await.map_err(|why| refused(why, reasons))
    }

    /// Something in a call of his.
    pub(crate) async fn seat_order(
        &self,
        what: SeatOrder,
        call: Option<CallId>,
        reasons: Reasons,
    ) -> Result<Vec<String>, Fault> {
        self.order(DeskAct::Seat(what), call, reasons).await
    }

    /// Something at another's desk, in his own name.
    pub(crate) async fn order_at(
        &self,
        agent: AgentId,
        act: DeskAct,
        reasons: Reasons,
    ) -> Result<Vec<String>, Fault> {
        let by = Actor { key: String::new(), agent: Some(self.seat.agent.clone()) };
        let order = DeskOrder { agent, call: None, by, act };
        self.command(Command::Desk(Box::new(order)), reasons).await
    }

    /// Anything in his tenant. Whether he may was looked at.
    pub(crate) async fn command(&self, command: Command, reasons: Reasons) -> Result<Vec<String>, Fault> {
        let done = self.gateway.switch.command(self.seat.agent.tenant, command).await;
        done.map_err(|why| refused(why, reasons))
    }

    /// His desk.
    pub(crate) async fn desk(&self) -> Result<DeskView, Fault> {
        self.desk_of(self.seat.agent.clone()).await
    }

    /// An agent's desk.
    pub(crate) async fn desk_of(&self, agent: AgentId) -> Result<DeskView, Fault> {
        self.gateway.switch.desk(agent).await.map_err(|why| refused(why, |_| Code::NO_SUCH_AGENT))
    }

    /// Another agent of the tenant.
    pub(crate) fn agent(&self, workno: &str, none: Code) -> Result<AgentId, Fault> {
        let known = self.seat.plan.agents.contains_key(workno);
        let id = AgentId::new(self.seat.agent.tenant, workno).ok().filter(|_| known);
        id.ok_or_else(|| Fault::new(none, workno))
    }

    /// Whether he is an inspector.
    pub(crate) fn inspects(&self) -> bool {
        let me = self.seat.plan.agents.get(self.seat.workno());
        me.is_some_and(|agent| agent.role == Role::Supervisor)
    }

    /// The call of his that a number means: its own, or that of a talk in it.
    pub(crate) fn call_of<'a>(&self, desk: &'a DeskView, id: &str) -> Option<&'a DeskCall> {
        use super::number::{of_call, of_leg};
        let is = |call: &&DeskCall| {
            of_call(call.call.call) == id || call.call.legs.iter().any(|leg| of_leg(leg.leg) == id)
        };
        desk.calls.iter().find(is)
    }
}
