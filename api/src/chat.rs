//! Chats for those who work on them: a program with a key, an agent with the token of his session.

use crate::asked::{MaySay, Said, Says, own};
use crate::catalog::{Routes, desk, key};
use crate::chat_switch::ChatsAsked;
use crate::figures::Rows;
use crate::key::{Asking, Signed, Who};
use crate::list::newest;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, limit};
use crate::state::State;
use axum::Json;
use axum::extract::{FromRequestParts, Path, State as Use};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cordboard_model::chat::{
    ChatAct, ChatActor, ChatCustomer, ChatFault, ChatMessage, ChatStage, ChatView, NewChat,
};
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::service::Channel;
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What `from` and `to` are.
const MOMENT: &str = "a time in whole milliseconds since 1970";

const READ: &str = "chats:read";
const CONTROL: &str = "chats:control";

pub(crate) fn routes() -> Routes {
    Routes::v1()
        .get(
            "/chats",
            list,
            desk("listChats", READ, "The chats that are not over, or those that are, newest first")
                .query(&["over", "from", "to", "queue", "agent", "customer", "before", "limit"])
                .gives::<Rows<ChatView>>(),
        )
        .post(
            "/chats",
            open,
            key("openChat", CONTROL, "Opens a chat into a queue; the token is for the customer's page")
                .takes::<OpenBody>(r#"{"queue": "web", "customer": {"id": "c-17", "name": "Ann"}}"#)
                .gives_as::<Opened>(201)
                .refuses(&[429, 503]),
        )
        .get("/chats/{id}", one, desk("readChat", READ, "A chat, over or not").gives::<ChatView>())
        .get(
            "/chats/{id}/messages",
            messages,
            desk("readChatMessages", READ, "What was said in a chat")
                .query(&["since", "limit"])
                .gives::<Talk>(),
        )
        .post(
            "/chats/{id}/messages",
            say,
            desk("sayInChat", CONTROL, "Says something to the customer, once for each id of the sender's")
                .takes::<SayBody>(r#"{"text": "On its way.", "id": "a-1", "by": "1001"}"#)
                .gives::<Acted>(),
        )
        .post(
            "/chats/{id}/accept",
            accept,
            desk("acceptChat", CONTROL, "Takes a chat that is offered")
                .may_take::<ByBody>(r#"{"by": "1001"}"#)
                .gives::<Acted>(),
        )
        .post(
            "/chats/{id}/reject",
            reject,
            desk("rejectChat", CONTROL, "Does not take it: the customer is back at the head")
                .may_take::<ByBody>(r#"{"by": "1001"}"#)
                .gives::<Acted>(),
        )
        .merge(later_routes())
}

fn later_routes() -> Routes {
    Routes::v1()
        .post(
            "/chats/{id}/typing",
            typing,
            desk("typeInChat", CONTROL, "Tells the customer that the agent types, or does no longer")
                .takes::<TypingBody>(r#"{"on": true, "by": "1001"}"#)
                .gives::<Acted>(),
        )
        .post(
            "/chats/{id}/transfer",
            transfer,
            desk("transferChat", CONTROL, "Sends a chat to a queue, or to an agent of its queue")
                .takes::<TransferBody>(r#"{"queue": "web"}"#)
                .gives::<Acted>(),
        )
        .post(
            "/chats/{id}/close",
            close,
            desk("closeChat", CONTROL, "Ends a chat")
                .may_take::<ByBody>(r#"{"by": "1001"}"#)
                .gives::<Acted>(),
        )
}

impl From<ChatFault> for Problem {
    fn from(fault: ChatFault) -> Self {
        let status = match fault {
            ChatFault::NoSuchChat => StatusCode::NOT_FOUND,
            ChatFault::NoSuchQueue | ChatFault::NotOfChats | ChatFault::NoSuchAgent => StatusCode::CONFLICT,
            ChatFault::TooMany | ChatFault::NoChats => StatusCode::SERVICE_UNAVAILABLE,
            ChatFault::Closed | ChatFault::NotClosed | ChatFault::Full => StatusCode::CONFLICT,
            ChatFault::NotHis | ChatFault::NotForHim => StatusCode::FORBIDDEN,
            ChatFault::BadText | ChatFault::BadScore => StatusCode::UNPROCESSABLE_ENTITY,
            ChatFault::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
        };
        let mut problem = Self::new(status, "not done with this chat", fault.to_string());
        problem.code = Some(fault.as_str());
        problem.field = match fault {
            ChatFault::NoSuchQueue | ChatFault::NotOfChats => Some("queue".into()),
            ChatFault::NoSuchAgent => Some("agent".into()),
            ChatFault::BadText => Some("text".into()),
            ChatFault::BadScore => Some("score".into()),
            _ => None,
        };
        problem.retry_after_s = match fault {
            ChatFault::TooFast(seconds) => Some(seconds),
            ChatFault::TooMany | ChatFault::NoChats => Some(1),
            _ => None,
        };
        problem
    }
}

fn queue(tenant: TenantId, name: &str) -> Result<QueueId, Problem> {
    QueueId::new(tenant, name).map_err(|why| Problem::field("queue", why.to_string()))
}

fn agent(tenant: TenantId, field: &str, name: &str) -> Result<AgentId, Problem> {
    AgentId::new(tenant, name).map_err(|why| Problem::field(field, why.to_string()))
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChatOpen")]
#[serde(deny_unknown_fields)]
struct OpenBody {
    queue: String,
    #[serde(default)]
    customer: ChatCustomer,
    #[serde(default)]
    data: BTreeMap<String, Value>,
    #[serde(default)]
    priority: u8,
    #[serde(default)]
    channel: Channel,
    text: Option<String>,
}

impl Says for OpenBody {
    const FIELD: &'static str = "queue";
    const EXPECTED: &'static str = r#"expected {"queue": "web"}, and perhaps "customer": {"id": "c-17", "name": "Ann"}, "data", "priority", "channel" and "text""#;
}

/// A chat that was opened.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ChatOpened")]
struct Opened {
    chat: CallId,
    /// For the customer's page, and shown here alone.
    token: String,
}

async fn open(
    Use(state): Use<State>,
    Asking(who): Asking,
    Said(body): Said<OpenBody>,
) -> Result<Response, Problem> {
    let OpenBody { queue: name, customer, data, priority, channel, text } = body;
    let new = NewChat {
        queue: queue(who.tenant, &name)?,
        channel,
        customer,
        data,
        priority,
        text,
        by: who.to_string(),
    };
    let opened = state.switch.open_chat(who.tenant, new).await?;
    let body = Opened { chat: opened.chat, token: opened.token.0 };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

async fn list(Use(state): Use<State>, Signed(who): Signed, query: Params) -> Result<Response, Problem> {
    let query = query.only(&["over", "from", "to", "queue", "agent", "customer", "before", "limit"])?;
    let from = query.number("from", MOMENT)?.map(Wall);
    let to = query.number("to", MOMENT)?.map(Wall);
    let tenant = who.tenant();
    let wanted = query.text("agent").map(|name| agent(tenant, "agent", name)).transpose()?;
    let wanted = match &who {
        // an agent sees his own, a supervisor and a key those of all
        Who::Agent(caller) if !caller.supervisor => match wanted {
            Some(other) if other != caller.agent => return Err(Problem::not_his()),
            _ => Some(caller.agent.clone()),
        },
        _ => wanted,
    };
    let of = query.text("queue").map(|name| queue(tenant, name)).transpose()?;
    let customer = query.text("customer").map(str::to_owned);
    let rows = limit(&query)?;
    match query.text("over") {
        None | Some("false") => {
            let mut items = state.switch.chats(tenant).await?;
            items.retain(|chat| {
                let his =
                    |agent: &AgentId| chat.agent.as_ref() == Some(agent) || chat.offered_to.contains(agent);
                of.as_ref().is_none_or(|queue| chat.queue == *queue)
                    && wanted.as_ref().is_none_or(his)
                    && customer.as_ref().is_none_or(|id| chat.customer.id == *id)
                    && from.is_none_or(|from| chat.opened >= from)
                    && to.is_none_or(|to| chat.opened < to)
            });
            Ok(newest(&query, items, |chat| chat.chat)?.into_response())
        }
        Some("true") => {
            let wrong = || Problem::field("before", "not a cursor that an earlier page gave as `next`");
            let before = query.text("before").map(|text| own(text, tenant)).transpose();
            let asked = ChatsAsked {
                from,
                to,
                agent: wanted,
                queue: of,
                customer,
                before: before.map_err(|_| wrong())?,
                limit: rows,
            };
            let records = state.switch.chats_over(tenant, asked).await?;
            let next =
                records.last().filter(|_| records.len() == rows as usize).map(|last| last.chat.to_string());
            let items: Vec<ChatView> = records.iter().map(|record| record.view()).collect();
            Ok(Json(Rows { items, next }).into_response())
        }
        Some(other) => Err(Problem::field("over", format!("{other:?} is neither true nor false"))),
    }
}

/// A chat, and who asks about it.
struct Chat {
    chat: CallId,
    who: Who,
    state: State,
}

impl FromRequestParts<State> for Chat {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let signed = Signed::from_request_parts(parts, state).await;
        let Signed(who) = signed.map_err(IntoResponse::into_response)?;
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(IntoResponse::into_response)?;
        let chat = own(&id, who.tenant()).map_err(IntoResponse::into_response)?;
        Ok(Self { chat, who, state: state.clone() })
    }
}

impl Chat {
    /// The chat, if he who asks may see it.
    async fn view(&self) -> Result<ChatView, Problem> {
        let view = self.state.switch.chat(self.chat).await?;
        match &self.who {
            Who::Agent(caller) if !caller.supervisor => {
                let his =
                    view.agent.as_ref() == Some(&caller.agent) || view.offered_to.contains(&caller.agent);
                if his { Ok(view) } else { Err(Problem::not_his()) }
            }
            _ => Ok(view),
        }
    }

    /// In whose name he acts, as an agent.
    fn as_agent(&self, by: Option<String>) -> Result<ChatActor, Problem> {
        let named = by.map(|name| agent(self.who.tenant(), "by", &name)).transpose()?;
        match self.who.actor(named)?.agent {
            Some(agent) => Ok(ChatActor::Agent(agent)),
            None => Err(Problem::field("by", "with a key: the agent in whose name it is done")),
        }
    }

    /// The same, or as who watches over chats, if the chat is not his.
    async fn as_anybody(&self, by: Option<String>) -> Result<ChatActor, Problem> {
        let named = by.map(|name| agent(self.who.tenant(), "by", &name)).transpose()?;
        match (&self.who, self.who.actor(named)?.agent) {
            (Who::Agent(caller), Some(agent)) if caller.supervisor => {
                let view = self.state.switch.chat(self.chat).await?;
                match view.agent.as_ref() == Some(&agent) && view.stage == ChatStage::Open {
                    true => Ok(ChatActor::Agent(agent)),
                    false => Ok(ChatActor::Operator(format!("agent {}", agent.name))),
                }
            }
            (_, Some(agent)) => Ok(ChatActor::Agent(agent)),
            (Who::Key(caller), None) => Ok(ChatActor::Operator(caller.to_string())),
            (Who::Agent(_), None) => Err(Problem::not_his()),
        }
    }

    async fn act(&self, actor: ChatActor, act: ChatAct) -> Answer<Acted> {
        let number = self.state.switch.chat_act(self.chat, actor, act).await?;
        Ok(Json(Acted { chat: self.chat, number }))
    }
}

/// It was done.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ChatActed")]
pub(crate) struct Acted {
    pub(crate) chat: CallId,
    /// The number of the message, if something was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u32>,
}

/// What was said.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ChatTalk")]
pub(crate) struct Talk {
    pub(crate) items: Vec<ChatMessage>,
}

async fn one(chat: Chat) -> Answer<ChatView> {
    Ok(Json(chat.view().await?))
}

async fn messages(chat: Chat, query: Params) -> Answer<Talk> {
    chat.view().await?;
    let query = query.only(&["since", "limit"])?;
    let since = query.number("since", "the number of a message")?.unwrap_or(0);
    let most = limit(&query)? as usize;
    Ok(Json(Talk { items: chat.state.switch.chat_messages(chat.chat, since, most).await? }))
}

/// Something to say.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChatSay")]
#[serde(deny_unknown_fields)]
struct SayBody {
    text: String,
    id: Option<String>,
    by: Option<String>,
}

impl Says for SayBody {
    const FIELD: &'static str = "text";
    const EXPECTED: &'static str = r#"expected {"text": "..."}, and perhaps "id": an id of yours, so that what is sent again is not said twice; with a key "by": "1001""#;
}

async fn say(chat: Chat, Said(SayBody { text, id, by }): Said<SayBody>) -> Answer<Acted> {
    chat.act(chat.as_agent(by)?, ChatAct::Say { text, id }).await
}

#[derive(Default, Deserialize, JsonSchema)]
#[schemars(rename = "ChatBy")]
#[serde(deny_unknown_fields)]
struct ByBody {
    by: Option<String>,
}

impl Says for ByBody {
    const FIELD: &'static str = "by";
    const EXPECTED: &'static str = r#"expected nothing, or with a key {"by": "1001"}"#;
}

async fn accept(chat: Chat, MaySay(ByBody { by }): MaySay<ByBody>) -> Answer<Acted> {
    chat.act(chat.as_agent(by)?, ChatAct::Accept).await
}

async fn reject(chat: Chat, MaySay(ByBody { by }): MaySay<ByBody>) -> Answer<Acted> {
    chat.act(chat.as_agent(by)?, ChatAct::Reject).await
}

async fn close(chat: Chat, MaySay(ByBody { by }): MaySay<ByBody>) -> Answer<Acted> {
    chat.act(chat.as_anybody(by).await?, ChatAct::Close).await
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChatTyping")]
#[serde(deny_unknown_fields)]
struct TypingBody {
    on: bool,
    by: Option<String>,
}

impl Says for TypingBody {
    const FIELD: &'static str = "on";
    const EXPECTED: &'static str = r#"expected {"on": true} or {"on": false}, and with a key "by": "1001""#;
}

async fn typing(chat: Chat, Said(TypingBody { on, by }): Said<TypingBody>) -> Answer<Acted> {
    chat.act(chat.as_agent(by)?, ChatAct::Type(on)).await
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChatTransfer")]
#[serde(deny_unknown_fields)]
struct TransferBody {
    queue: Option<String>,
    agent: Option<String>,
    by: Option<String>,
}

impl Says for TransferBody {
    const FIELD: &'static str = "queue";
    const EXPECTED: &'static str = r#"expected one of {"queue": "web"} and {"agent": "1002"}"#;
}

async fn transfer(chat: Chat, Said(body): Said<TransferBody>) -> Answer<Acted> {
    let tenant = chat.who.tenant();
    let act = match (body.queue, body.agent) {
        (Some(name), None) => ChatAct::ToQueue(queue(tenant, &name)?),
        (None, Some(name)) => ChatAct::ToAgent(agent(tenant, "agent", &name)?),
        _ => return Err(Problem::field("queue", TransferBody::EXPECTED)),
    };
    chat.act(chat.as_anybody(body.by).await?, act).await
}
