//! A chat for its customer: a page that has the token of one chat, and sees and does nothing else.
//!
//! Invariant: no route here names a chat; the token does. A page of an origin that the tenant does not know is refused, and no
//! answer of a chat says what is not for its customer: call data, queues, who else was offered it.

use crate::asked::{On, Said, Says};
use crate::catalog::{Routes, visitor};
use crate::chat::{Acted, Talk};
use crate::key::{key_of, source_of};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, limit};
use crate::state::State;
use crate::switch::Refusal;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use cordboard_model::chat::{
    CHAT_TOKEN_PREFIX, ChatAct, ChatActor, ChatEnd, ChatMessage, ChatStage, ChatSurvey, ChatView,
};
use cordboard_model::id::{CallId, Name};
use cordboard_model::time::Wall;
use dashmap::DashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

/// Requests of one chat that wait for news at once: some pages of one customer.
const WATCHING_MAX: u32 = 4;
/// Characters of a token behind its prefix: 32 bytes in base64url.
const TOKEN: usize = 43;
/// Messages that are read at once.
const BATCH: usize = 100;

/// How many requests wait for news of each chat.
#[derive(Clone, Default)]
pub struct Watching(Arc<DashMap<CallId, u32>>);

/// One of them; it is counted until it is dropped.
struct Watch {
    all: Watching,
    chat: CallId,
}

impl Watching {
    fn one_more(&self, chat: CallId) -> Result<Watch, Problem> {
        let mut room = true;
        let one_more = |count: &mut u32| match *count < WATCHING_MAX {
            true => *count += 1,
            false => room = false,
        };
        self.0.entry(chat).and_modify(one_more).or_insert(1);
        if room {
            return Ok(Watch { all: self.clone(), chat });
        }
        let why = format!("{WATCHING_MAX} requests wait for news of this chat already");
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many at once", why);
        problem.retry_after_s = Some(5);
        Err(problem)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.all.0.remove_if_mut(&self.chat, |_, count| {
            *count = count.saturating_sub(1);
            *count == 0
        });
    }
}

pub(crate) fn routes() -> Routes {
    Routes::v1()
        .get("/chat", view, visitor("readMyChat", "The chat of the token").gives::<Shown>())
        .get(
            "/chat/messages",
            messages,
            visitor("readMyMessages", "What was said in it; with wait, as soon as there is something")
                .query(&["since", "wait", "limit"])
                .gives::<Talk>(),
        )
        .post(
            "/chat/messages",
            say,
            visitor("sayInMyChat", "Says something, once for each id of the sender's")
                .takes::<SayBody>(r#"{"text": "Where is my order?", "id": "c-1"}"#)
                .gives::<Acted>(),
        )
        .post(
            "/chat/typing",
            typing,
            visitor("typeInMyChat", "Tells the agent that the customer types, or does no longer")
                .takes::<On>(r#"{"on": true}"#)
                .gives::<Acted>(),
        )
        .post("/chat/close", close, visitor("closeMyChat", "Ends it").gives::<Acted>())
        .post(
            "/chat/survey",
            survey,
            visitor("rateMyChat", "Says what the customer thinks of it, once it is over")
                .takes::<SurveyBody>(r#"{"score": 9, "comment": "quick"}"#)
                .gives::<Acted>(),
        )
        .get(
            "/chat/events",
            events,
            visitor(
                "followMyChat",
                "Server-sent events of it: message, and chat when anything else has changed",
            )
            .gives_media(200, "text/event-stream"),
        )
}

impl Problem {
    fn from_foreign_page() -> Self {
        let mut problem = Self::new(
            StatusCode::FORBIDDEN,
            "pages of this origin may not speak to chats",
            "the operator lists those that may: access.origins of the tenant",
        );
        problem.code = Some("foreign_page");
        problem
    }

    fn no_chat() -> Self {
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "the token opens no chat",
            "it is over for good, or never was; the integrator's server opens another",
        );
        problem.code = Some("no_such_chat");
        problem
    }
}

/// The customer of a chat.
struct Visitor {
    chat: CallId,
    state: State,
}

/// Whether the page was served by the switch itself.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let of = origin.split_once("://").map(|(_, rest)| rest);
    host.is_some() && host == of
}

/// Whether a request shows the token of a chat, good or not.
pub(crate) fn is_one(headers: &HeaderMap) -> bool {
    key_of(headers).is_some_and(|token| token.starts_with(CHAT_TOKEN_PREFIX))
}

/// Whether what a request shows opens a chat.
pub(crate) async fn known(parts: &Parts, state: &State) -> Result<(), Problem> {
    Visitor::from_request_parts(&mut parts.clone(), state).await.map(drop)
}

impl FromRequestParts<State> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let (source, now) = (source_of(parts), Instant::now());
        let Some(token) = key_of(&parts.headers).filter(|token| token.starts_with(CHAT_TOKEN_PREFIX)) else {
            return Err(Problem::no_chat());
        };
        if let Some(seconds) = state.brake.wait_with(source, &token, now) {
            return Err(Problem::slow_down(seconds));
        }
        let chat = match state.switch.chat_of(&token).await {
            Ok(chat) => {
                state.brake.found(&token, now);
                chat
            }
            Err(Refusal::NotFound(_)) => {
                // a page that has not heard that its chat is over guesses nothing
                match token.len() == CHAT_TOKEN_PREFIX.len() + TOKEN {
                    true => state.brake.stale(source, now),
                    false => state.brake.failed(source, now),
                }
                return Err(Problem::no_chat());
            }
            Err(other) => return Err(other.into()),
        };
        if let Some(origin) = parts.headers.get(header::ORIGIN) {
            let text = origin.to_str().unwrap_or_default();
            let listed =
                state.switch.access(chat.tenant).is_some_and(|(terms, _)| terms.origins.contains(text));
            if !listed && !is_own(text, &parts.headers) {
                return Err(Problem::from_foreign_page());
            }
        }
        Ok(Self { chat, state: state.clone() })
    }
}

/// What a customer is shown of his chat.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "MyChat")]
struct Shown {
    chat: CallId,
    stage: ChatStage,
    /// His place in the queue, from one, while he waits.
    position: Option<u32>,
    /// The work number of the agent he talks to.
    agent: Option<Name>,
    agent_types: bool,
    opened: Wall,
    accepted: Option<Wall>,
    closed: Option<Wall>,
    end: Option<ChatEnd>,
    last_message: u32,
    survey_open: bool,
    survey: Option<ChatSurvey>,
    /// Grows with every change.
    news: u64,
}

impl From<ChatView> for Shown {
    fn from(view: ChatView) -> Self {
        let talks = view.stage != ChatStage::Waiting;
        Self {
            chat: view.chat,
            stage: view.stage,
            position: view.position,
            agent: view.agent.filter(|_| talks).map(|agent| agent.name),
            agent_types: view.typing.1,
            opened: view.opened,
            accepted: view.accepted,
            closed: view.closed,
            end: view.end,
            last_message: view.last_message,
            survey_open: view.survey_open,
            survey: view.survey,
            news: view.news,
        }
    }
}

impl Visitor {
    async fn act(&self, act: ChatAct) -> Answer<Acted> {
        let number = self.state.switch.chat_act(self.chat, ChatActor::Customer, act).await?;
        Ok(Json(Acted { chat: self.chat, number }))
    }

    async fn messages(&self, since: u32, most: usize) -> Result<Vec<ChatMessage>, Problem> {
        Ok(self.state.switch.chat_messages(self.chat, since, most).await?)
    }
}

async fn view(visitor: Visitor) -> Answer<Shown> {
    Ok(Json(visitor.state.switch.chat(visitor.chat).await?.into()))
}

/// What was said since; with `wait=true` the answer comes when there is something, at the latest after some 25 seconds.
async fn messages(visitor: Visitor, query: Params) -> Answer<Talk> {
    let query = query.only(&["since", "wait", "limit"])?;
    let since = query.number("since", "the number of a message")?.unwrap_or(0);
    let most = limit(&query)? as usize;
    let wait = match query.text("wait") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => return Err(Problem::field("wait", format!("{other:?} is neither true nor false"))),
    };
    let seen = visitor.state.switch.chat(visitor.chat).await?.news;
    let mut items = visitor.messages(since, most).await?;
    if items.is_empty() && wait {
        let _watch = visitor.state.watching.one_more(visitor.chat)?;
        visitor.state.switch.chat_news(visitor.chat, seen).await?;
        items = visitor.messages(since, most).await?;
    }
    Ok(Json(Talk { items }))
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "MyChatSay")]
#[serde(deny_unknown_fields)]
struct SayBody {
    text: String,
    id: Option<String>,
}

impl Says for SayBody {
    const FIELD: &'static str = "text";
    const EXPECTED: &'static str = r#"expected {"text": "..."}, and perhaps "id": an id of yours, so that what is sent again is not said twice"#;
}

async fn say(visitor: Visitor, Said(SayBody { text, id }): Said<SayBody>) -> Answer<Acted> {
    visitor.act(ChatAct::Say { text, id }).await
}

async fn typing(visitor: Visitor, Said(On { on }): Said<On>) -> Answer<Acted> {
    visitor.act(ChatAct::Type(on)).await
}

async fn close(visitor: Visitor) -> Answer<Acted> {
    visitor.act(ChatAct::Close).await
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ChatRating")]
#[serde(deny_unknown_fields)]
struct SurveyBody {
    score: u8,
    #[serde(default)]
    comment: String,
}

impl Says for SurveyBody {
    const FIELD: &'static str = "score";
    const EXPECTED: &'static str = r#"expected {"score": 9} of 1 to 10, and perhaps "comment": "...""#;
}

async fn survey(visitor: Visitor, Said(SurveyBody { score, comment }): Said<SurveyBody>) -> Answer<Acted> {
    visitor.act(ChatAct::Survey { score, comment }).await
}

/// Where a reader of the events is.
struct Reading {
    visitor: Visitor,
    /// The last message that he was sent.
    since: u32,
    /// The news that he has seen; none before the first.
    seen: Option<u64>,
    ready: VecDeque<Event>,
    _watch: Watch,
}

impl Reading {
    /// What he is sent next; nothing when the chat is over for good.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            self.read().await.ok()?;
        }
    }

    async fn read(&mut self) -> Result<(), Problem> {
        let (switch, chat) = (&self.visitor.state.switch, self.visitor.chat);
        if let Some(seen) = self.seen {
            switch.chat_news(chat, seen).await?;
        }
        let view = switch.chat(chat).await?;
        let messages = switch.chat_messages(chat, self.since, BATCH).await?;
        let changed = self.seen != Some(view.news);
        // more than one reading holds is read at once, without waiting for news
        self.seen = Some(view.news).filter(|_| messages.len() < BATCH);
        if changed {
            self.ready.extend(Event::default().event("chat").json_data(Shown::from(view)));
        }
        for message in messages {
            self.since = message.number;
            let event = Event::default().event("message").id(message.number.to_string());
            self.ready.extend(event.json_data(&message));
        }
        Ok(())
    }
}

/// Server-sent events of this chat alone: `message` with a number as its id, and `chat` when anything else has changed. Who
/// comes back with `Last-Event-ID` gets what was said since.
async fn events(visitor: Visitor, headers: HeaderMap) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let since = match last {
        None => 0,
        Some(text) => text.parse().map_err(|_| Problem::field("last-event-id", "the number of a message"))?,
    };
    let watch = visitor.state.watching.one_more(visitor.chat)?;
    let reading = Reading { visitor, since, seen: None, ready: VecDeque::new(), _watch: watch };
    let stream = futures_util::stream::unfold(reading, |mut reading| async move {
        let event = reading.next().await?;
        Some((Ok::<Event, Infallible>(event), reading))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}
