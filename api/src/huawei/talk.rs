//! Web chat for programs: a token for a customer (`applyToken`), what he says (`send`), what he is told (`poll`).
//!
//! Invariants: who a customer is follows from his token alone, which a key of his tenant has signed and only the same key's
//! programs may show; he reaches the one chat that was opened with it and no other. What is kept here is which chat he has and
//! what he was told of it: bounded, found again among the switch's chats after a restart, and then he is told it all again.
//! What of a poll's answer is lost on its way is not told again: the reference has no word for that he has it.

use super::Shapes;
use super::config::HuaweiKey;
use super::door::{Ask, why};
use super::reply::{refused, sent};
use super::token::{sealed, unsealed};
use crate::gateway::fields::Fields;
use crate::gateway::number::of_call;
use crate::switch::{Later, Refusal};
use axum::extract::{FromRequest, Query, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use cordboard_model::chat::{
    CHAT_WORD_MAX, ChatAct, ChatActor, ChatCustomer, ChatFault, ChatFrom, ChatMessage, ChatStage, ChatView,
    NewChat,
};
use cordboard_model::id::{CallId, QueueId, TenantId};
use cordboard_model::service::Channel;
use cordboard_model::time::Wall;
use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// The header of a customer's token.
const HEADER: &str = "ccmessaging-token";
/// What is signed of it begins so.
const PURPOSE: &[u8] = b"cordboard-ccmessaging\n";
/// How long a token is good, milliseconds.
const GOOD_MS: i64 = 3_600_000;
/// The longest token that is looked at, bytes.
const TOKEN_MAX: usize = 2_048;
/// The longest id of a customer and of a locale, bytes.
const ID_MAX: usize = 32;
/// The longest text, bytes.
const TEXT_MAX: usize = 1_024;
/// Most customers whose chats are known here.
const TALKS_MAX: usize = 10_000;
/// Longest time that a poll waits for something to tell.
const WAIT: Duration = Duration::from_secs(10);
/// Most messages of one answer.
const BATCH: usize = 100;
/// The entries of call data that say by which channel a chat came, and in which language.
const CHANNEL: &str = "channelId";
const LOCALE: &str = "locale";

const PARAMETER: &str = "160000";
const NO_SESSION: &str = "160004";

/// Who a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Customer {
    id: String,
    name: String,
    channel: String,
    locale: String,
}

impl Customer {
    fn token(&self, key: &HuaweiKey, now: Wall) -> Option<String> {
        let said = hex::encode(serde_json::to_vec(self).ok()?);
        sealed(key, PURPOSE, &format!("{said}.{:x}", now.0.checked_add(GOOD_MS)?))
    }

    /// Whose token this is, and until when, if it is good now.
    fn of(key: &HuaweiKey, token: &str, now: Wall) -> Option<(Self, Wall)> {
        let said = unsealed(key, PURPOSE, token).filter(|_| token.len() <= TOKEN_MAX)?;
        let (said, until) = said.split_once('.')?;
        let until = i64::from_str_radix(until, 16).ok()?;
        let customer = serde_json::from_slice(&hex::decode(said).ok()?).ok()?;
        (now.0 < until).then_some((customer, Wall(until)))
    }
}

/// A customer's chat, as far as it is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Talk {
    None,
    /// It, and the number of the last message that he was told.
    One(CallId, u32),
}

/// Where a customer's chat is known.
struct Place {
    talk: Mutex<Talk>,
    /// When he was here last, milliseconds.
    used: AtomicI64,
}

impl Place {
    fn of(talk: Talk, now: Wall) -> Arc<Self> {
        Arc::new(Self { talk: Mutex::new(talk), used: AtomicI64::new(now.0) })
    }
}

/// The chats of customers.
#[derive(Default)]
pub(crate) struct Talks {
    places: DashMap<(TenantId, String, String), Arc<Place>>,
    /// Tenants whose chats from before have their places.
    known: Mutex<BTreeSet<TenantId>>,
}

impl Talks {
    /// A customer's place. The switch is asked for the chats that there are once for a tenant, and again when places were forgotten.
    async fn of(
        &self,
        tenant: TenantId,
        customer: &Customer,
        now: Wall,
        chats: impl FnOnce() -> Later<Vec<ChatView>>,
    ) -> Result<Arc<Place>, Refusal> {
        let key = (tenant, customer.channel.clone(), customer.id.clone());
        let found = self.places.get(&key).map(|found| Arc::clone(found.value()));
        if let Some(place) = found {
            place.used.store(now.0, Relaxed);
            return Ok(place);
        }
        let mut known = self.known.lock().await;
        if self.places.len() >= TALKS_MAX {
            self.forget(now);
            known.clear();
        }
        if !known.contains(&tenant) {
            // the newest first, if he has several
            for chat in chats().await?.into_iter().rev() {
                if let Some(channel) = chat.data.get(CHANNEL).and_then(Value::as_str) {
                    let his = (tenant, channel.to_owned(), chat.customer.id);
                    self.places.entry(his).or_insert_with(|| Place::of(Talk::One(chat.chat, 0), now));
                }
            }
            known.insert(tenant);
        }
        Ok(Arc::clone(&self.places.entry(key).or_insert_with(|| Place::of(Talk::None, now))))
    }

    /// Forgets who has not been here for long; if that makes no room, everybody who is not here now.
    fn forget(&self, now: Wall) {
        let is_here = |place: &Arc<Place>| Arc::strong_count(place) > 1;
        let was_here = |place: &Arc<Place>| now.0 - place.used.load(Relaxed) < GOOD_MS;
        self.places.retain(|_, place| is_here(place) || was_here(place));
        if self.places.len() >= TALKS_MAX {
            self.places.retain(|_, place| is_here(place));
        }
    }
}

fn said(code: &str, words: &str) -> Value {
    json!({ "resultCode": code, "resultDesc": words })
}

fn not_done(code: &str, words: &str) -> Response {
    sent(StatusCode::OK, &said(code, words))
}

fn refusal(refusal: Refusal) -> Response {
    let code = match &refusal {
        Refusal::Chat(ChatFault::NoSuchChat | ChatFault::Closed) | Refusal::NotFound(_) => NO_SESSION,
        Refusal::Chat(ChatFault::BadText | ChatFault::NoSuchQueue | ChatFault::NotOfChats) => PARAMETER,
        _ => "1",
    };
    not_done(code, &why(refusal))
}

/// A token for a customer.
pub(crate) async fn apply(ask: Ask) -> Response {
    let word = |name: &str, most: usize| {
        let text = ask.said.text(name).filter(|text| text.len() <= most);
        text.ok_or_else(|| format!("{name}: expected 1 to {most} bytes"))
    };
    let customer = || {
        Ok::<_, String>(Customer {
            id: word("userId", ID_MAX)?,
            name: word("userName", CHAT_WORD_MAX)?,
            channel: word("channelId", CHAT_WORD_MAX)?,
            locale: word("locale", ID_MAX)?,
        })
    };
    let customer = match customer() {
        Ok(customer) => customer,
        Err(why) => return not_done("1", &why),
    };
    let config = ask.shapes.config();
    let made = config.key(&ask.key).and_then(|(_, key)| customer.token(key, ask.shapes.switch.moment()));
    let Some(token) = made else { return not_done("1", "the key is not configured any more") };
    let mut body = said("0", "success");
    body["token"] = token.into();
    sent(StatusCode::OK, &body)
}

/// A customer who shows his token.
pub(crate) struct Talker {
    ask: Ask,
    customer: Customer,
    place: Arc<Place>,
    /// In the place of his, whose time is half over.
    renewed: Option<String>,
    query: Fields,
}

impl FromRequest<Arc<Shapes>> for Talker {
    type Rejection = Response;

    async fn from_request(request: Request, shapes: &Arc<Shapes>) -> Result<Self, Response> {
        let shown = request.headers().get(HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        let ask = Ask::from_request(request, shapes).await?;
        let bad = |_| refused(StatusCode::BAD_REQUEST, "the query cannot be read");
        let query = Fields::query(query.map_err(bad)?.0);
        let (config, now) = (shapes.config(), shapes.switch.moment());
        let over =
            || refused(StatusCode::UNAUTHORIZED, "the ccmessaging-token is wrong, or its time is over");
        let (_, key) = config.key(&ask.key).ok_or_else(over)?;
        let (customer, until) =
            shown.and_then(|token| Customer::of(key, token.trim(), now)).ok_or_else(over)?;
        let renewed = (until.0 - now.0 < GOOD_MS / 2).then(|| customer.token(key, now)).flatten();
        let tenant = ask.tenant.tenant.id;
        let place = shapes.talks.of(tenant, &customer, now, || shapes.switch.chats(tenant)).await;
        let place = place.map_err(refusal)?;
        Ok(Self { ask, customer, place, renewed, query })
    }
}

impl Talker {
    fn answered(&self, body: &Value) -> Response {
        let mut response = sent(StatusCode::OK, body);
        let renewed = self.renewed.as_ref().and_then(|token| HeaderValue::from_str(token).ok());
        if let Some(token) = renewed {
            response.headers_mut().insert(HEADER, token);
        }
        response
    }

    fn tenant(&self) -> TenantId {
        self.ask.tenant.tenant.id
    }

    /// Opens his chat, if there is none; whether there was none.
    async fn open(&self, text: Option<String>) -> Result<bool, Response> {
        let mut talk = self.place.talk.lock().await;
        if let Talk::One(chat, _) = *talk {
            match self.ask.shapes.switch.chat(chat).await {
                Ok(view) if view.stage != ChatStage::Closed => return Ok(false),
                Ok(_) | Err(Refusal::NotFound(_)) => {}
                Err(other) => return Err(refusal(other)),
            }
        }
        let skills = &self.ask.tenant.tenant.skills;
        let by_number = skills.iter().find(|(_, number)| number.to_string() == self.customer.channel);
        let queue = match by_number {
            Some((name, _)) => Ok(QueueId { tenant: self.tenant(), name: name.clone() }),
            None => QueueId::new(self.tenant(), &self.customer.channel),
        };
        let queue = queue.map_err(|why| not_done(PARAMETER, &format!("channelId: {why}")))?;
        let Customer { id, name, channel, locale } = self.customer.clone();
        let data = [(CHANNEL.to_owned(), channel.into()), (LOCALE.to_owned(), locale.into())].into();
        let new = NewChat {
            queue,
            channel: Channel::default(),
            customer: ChatCustomer { id, name },
            data,
            priority: 0,
            text,
            by: format!("key {}", self.ask.key),
        };
        self.ask.notes();
        let opened = self.ask.shapes.switch.open_chat(self.tenant(), new).await.map_err(refusal)?;
        *talk = Talk::One(opened.chat, 0);
        Ok(true)
    }

    async fn act(&self, act: ChatAct) -> Result<(), Response> {
        let Talk::One(chat, _) = *self.place.talk.lock().await else {
            return Err(not_done(NO_SESSION, "there is no chat: begin with CONNECT"));
        };
        let done = self.ask.shapes.switch.chat_act(chat, ChatActor::Customer, act).await;
        done.map(drop).map_err(refusal)
    }

    async fn send(&self) -> Result<(), Response> {
        let said = &self.ask.said;
        let wrong = |why: &str| not_done(PARAMETER, why);
        if said.text("from").is_some_and(|from| from != self.customer.id) {
            return Err(wrong("from is not the userId of the token"));
        }
        if said.text("channel").is_some_and(|channel| channel != "WEB") {
            return Err(wrong("channel: expected WEB"));
        }
        let media = said.text("mediaType").unwrap_or_else(|| "TEXT".to_owned());
        let content = said.text("content");
        if content.as_ref().is_some_and(|text| text.len() > TEXT_MAX) {
            return Err(wrong("content: at most 1024 bytes"));
        }
        match said.text("controlType").as_deref() {
            Some("CONNECT" | "TRANS2AGENT" | "CHAT") if media != "TEXT" => {
                Err(wrong("mediaType: texts alone are carried"))
            }
            Some("CONNECT" | "TRANS2AGENT") => match self.open(content.clone()).await? {
                // a chat that is there already has it as any other text
                false if content.is_some() => self.say(content).await,
                _ => Ok(()),
            },
            Some("CHAT") => self.say(content).await,
            Some("INPUT") => self.act(ChatAct::Type(true)).await,
            Some("READ") => Ok(()),
            Some("DISCONNECT") => self.act(ChatAct::Close).await,
            _ => Err(wrong("controlType: CONNECT, CHAT, TRANS2AGENT, INPUT, READ or DISCONNECT")),
        }
    }

    async fn say(&self, content: Option<String>) -> Result<(), Response> {
        let text = content.ok_or_else(|| not_done(PARAMETER, "content is empty"))?;
        self.act(ChatAct::Say { text, id: None }).await
    }

    fn message(&self, chat: CallId, message: &ChatMessage) -> Option<Value> {
        let ChatFrom::Agent { agent } = &message.from else { return None };
        let mut told = self.told(chat, message.at, "CHAT", "AGENT");
        told["content"] = message.text.as_str().into();
        (told["from"], told["senderNickname"]) = (agent.as_str().into(), agent.as_str().into());
        told["interIdx"] = message.number.into();
        Some(told)
    }

    fn told(&self, chat: CallId, at: Wall, control: &str, source: &str) -> Value {
        json!({
            "channel": "WEB",
            "content": "",
            "from": "",
            "to": self.customer.id,
            "mediaType": "TEXT",
            "controlType": control,
            "sourceType": source,
            "senderNickname": "",
            "senderAvatar": "",
            "timestamp": at.0,
            "simQuestions": null,
            "isOfflineStatus": false,
            "messageCode": "",
            "interIdx": 0,
            "contentType": null,
            "mediaFileType": null,
            "callId": of_call(chat),
            "robotGender": null,
        })
    }

    /// What he is to be told; waits for it for a while.
    async fn news(&self) -> Result<Vec<Value>, Refusal> {
        let until = Instant::now() + WAIT;
        let switch = &self.ask.shapes.switch;
        loop {
            let seen = {
                let mut talk = self.place.talk.lock().await;
                let Talk::One(chat, told) = *talk else {
                    return Err(Refusal::Chat(ChatFault::NoSuchChat));
                };
                let view = match switch.chat(chat).await {
                    Ok(view) => view,
                    Err(Refusal::NotFound(_)) => {
                        *talk = Talk::None;
                        return Ok(vec![self.told(chat, switch.moment(), "DISCONNECT", "SYSTEM")]);
                    }
                    Err(other) => return Err(other),
                };
                let messages = switch.chat_messages(chat, told, BATCH).await?;
                let mut items: Vec<Value> =
                    messages.iter().filter_map(|message| self.message(chat, message)).collect();
                let last = messages.last().map_or(told, |last| last.number);
                *talk = Talk::One(chat, last);
                if view.stage == ChatStage::Closed && messages.len() < BATCH {
                    *talk = Talk::None;
                    let at = view.closed.unwrap_or_else(|| switch.moment());
                    items.push(self.told(chat, at, "DISCONNECT", "SYSTEM"));
                }
                if !items.is_empty() {
                    return Ok(items);
                }
                (chat, view.news, messages.len() == BATCH)
            };
            let (chat, news, more) = seen;
            if !more && timeout_at(until, switch.chat_news(chat, news)).await.is_err() {
                return Ok(Vec::new());
            }
        }
    }
}

/// What a customer says, and what becomes of his chat.
pub(crate) async fn send(talker: Talker) -> Response {
    match talker.send().await {
        Ok(()) => talker.answered(&said("0", "success")),
        Err(response) => response,
    }
}

/// What he is told.
pub(crate) async fn poll(talker: Talker) -> Response {
    let other = |name: &str, wanted: &str| talker.query.text(name).is_some_and(|text| text != wanted);
    if other("receiverId", &talker.customer.id) || other("channel", "WEB") {
        return not_done(PARAMETER, "receiverId is not the userId of the token, or channel is not WEB");
    }
    match talker.news().await {
        Ok(messages) => {
            let mut body = said("0", "success");
            body["downlinkMessages"] = messages.into();
            talker.answered(&body)
        }
        Err(why) => refusal(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::config::Secret;

    fn key(secret: &str) -> HuaweiKey {
        HuaweiKey { name: "crm".into(), secrets: vec![Secret(secret.into())], opens: Vec::new() }
    }

    #[test]
    fn a_customers_token_is_good_for_an_hour_and_for_its_key() {
        let (id, name) = ("c-17".to_owned(), "Ann".to_owned());
        let customer = Customer { id, name, channel: "web".into(), locale: "en".into() };
        let token = customer.token(&key("the-first-secret-1"), Wall(1_000)).unwrap();
        let of = |secret: &str, token: &str, now: i64| Customer::of(&key(secret), token, Wall(now));
        let good = of("the-first-secret-1", &token, 3_600_999).unwrap();
        assert_eq!(good, (customer, Wall(3_601_000)));
        assert_eq!(of("the-first-secret-1", &token, 3_601_000), None);
        assert_eq!(of("another-secret-12", &token, 1_000), None);
        for wrong in ["", ".", "..", &token[2..], &token.replacen('.', "0.", 1)] {
            assert_eq!(of("the-first-secret-1", wrong, 1_000), None, "{wrong}");
        }
    }

    fn ann(n: usize) -> Customer {
        Customer { id: format!("c-{n}"), name: "Ann".into(), channel: "web".into(), locale: "en".into() }
    }

    #[tokio::test]
    async fn so_many_customers_are_known_and_the_switch_is_asked_once_for_those_from_before() {
        let (talks, asked) = (Talks::default(), AtomicI64::new(0));
        let of = async |n: usize, now: i64| {
            let chats = || -> Later<Vec<ChatView>> {
                asked.fetch_add(1, Relaxed);
                Box::pin(core::future::ready(Ok(Vec::new())))
            };
            talks.of(TenantId::DEFAULT, &ann(n), Wall(now), chats).await.unwrap()
        };
        let here = of(0, 0).await;
        *here.talk.lock().await =
            Talk::One(CallId { tenant: TenantId::DEFAULT, start: 1, shard: 0, number: 1 }, 7);
        for n in 1..TALKS_MAX {
            of(n, 0).await;
        }
        assert_eq!((talks.places.len(), asked.load(Relaxed)), (TALKS_MAX, 1));
        of(1, GOOD_MS).await;
        // one more: those who were not here for an hour are forgotten, and who is here or was is not
        of(TALKS_MAX, GOOD_MS).await;
        assert_eq!((talks.places.len(), asked.load(Relaxed)), (3, 2));
        assert!(Arc::ptr_eq(&here, &of(0, GOOD_MS).await));
        // all of them within an hour: there is an end to it all the same
        for n in 0..2 * TALKS_MAX {
            of(n, GOOD_MS).await;
        }
        assert!(talks.places.len() <= TALKS_MAX);
        assert!(Arc::ptr_eq(&here, &of(0, GOOD_MS).await));
    }
}
