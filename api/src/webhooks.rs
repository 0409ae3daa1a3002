//! Webhooks: addresses that the switch posts events to, and what became of that.
//!
//! Invariant: a secret is in one answer, that to who had it made, and in no other.

use crate::asked::{MaySay, Said, Says};
use crate::audit::Audit;
use crate::catalog::{Routes, key};
use crate::events::{EventFilter, LIST_MAX, kind};
use crate::key::Asking;
use crate::list::{listed, word};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Page, limit};
use crate::state::State;
use crate::switch::Later;
use crate::tag::{Meant, Turn, tagged, version};
use axum::Json;
use axum::extract::{FromRequestParts, Path, State as Use};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a webhook is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookDoing {
    /// It has delivered everything, or is about to.
    Delivers,
    /// The last attempt failed, and the next waits for its time.
    Retries,
    /// It was switched off, by somebody or for its failures. Nothing is delivered, and events wait as long as they are kept.
    Disabled,
}

impl WebhookDoing {
    /// All of it.
    const ALL: [Self; 3] = [Self::Delivers, Self::Retries, Self::Disabled];

    /// Its word.
    fn as_str(self) -> &'static str {
        match self {
            Self::Delivers => "delivers",
            Self::Retries => "retries",
            Self::Disabled => "disabled",
        }
    }
}

/// A webhook as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct WebhookView {
    /// Its name within the tenant.
    #[schemars(with = "String")]
    pub name: Name,
    /// Where events are posted to.
    pub url: String,
    /// Kinds of events; all if empty.
    pub kinds: Vec<String>,
    /// Whether the configuration file has it, or the API made it.
    pub from_file: bool,
    /// What it is doing.
    pub doing: WebhookDoing,
    /// The last event that was delivered, or given up.
    pub seq: u64,
    /// Deliveries that were accepted, since the start of the switch.
    pub delivered: u64,
    /// Attempts that failed, since the start of the switch.
    pub failed: u64,
    /// Deliveries that were given up one after the other, up to now.
    pub given_up: u32,
    /// Deliveries that were given up and are kept.
    pub dead_letters: u64,
    /// Why the last attempt failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Secrets that deliveries are signed with: two while one takes the other's place.
    pub secrets: u32,
}

/// A webhook that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Its name.
    pub name: String,
    /// Where to.
    pub url: String,
    /// Kinds of events; all if empty.
    #[serde(default)]
    pub kinds: Vec<String>,
}

impl Says for NewWebhook {
    const FIELD: &'static str = "url";
    const EXPECTED: &'static str =
        r#"expected {"name": "crm", "url": "https://...", "kinds": ["call_ended"]}"#;
}

/// A webhook, and the secret that it has from now on, if it has a new one. It is shown here alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMade {
    /// The webhook.
    pub view: WebhookView,
    /// The secret.
    pub secret: Option<Secret>,
}

/// What is to be another of a webhook that is there: what is not said stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Where to.
    pub url: Option<String>,
    /// Kinds of events; all if empty.
    pub kinds: Option<Vec<String>>,
}

impl Says for WebhookChange {
    const FIELD: &'static str = "url";
    const EXPECTED: &'static str = r#"expected some of {"url": "https://...", "kinds": ["call_ended"]}"#;
}

/// What is done with a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookOrder {
    /// It goes elsewhere, or has other kinds of events, from where it is on.
    Change(WebhookChange),
    /// It delivers again, from where it stopped.
    Enable,
    /// It delivers no more.
    Disable,
    /// It gets a new secret; the old one signs beside it until the next.
    NewSecret,
    /// Its dead letters are delivered again: this one, or all.
    Replay(Option<u64>),
    /// This dead letter is forgotten, or all are.
    Forget(Option<u64>),
    /// It is no more.
    Remove,
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its name: the number of its first event.
    pub id: u64,
    /// When it was given up.
    pub at: Wall,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: String,
    /// What was to be delivered.
    pub body: Value,
}

/// The part of the switch that delivers.
pub trait Webhooks {
    /// A tenant's, by name.
    fn webhooks(&self, tenant: TenantId) -> Later<Vec<WebhookView>>;
    /// Makes one.
    fn new_webhook(&self, tenant: TenantId, new: NewWebhook) -> Later<WebhookMade>;
    /// Does something with one.
    fn webhook_order(&self, tenant: TenantId, name: Name, order: WebhookOrder) -> Later<WebhookMade>;
    /// Its dead letters, oldest first: those behind `after`, `most` at most.
    fn dead_letters(&self, tenant: TenantId, name: Name, after: u64, most: u32) -> Later<Vec<DeadLetter>>;
}

pub(crate) fn routes() -> Routes {
    let (read, write) = ("webhooks:read", "webhooks:write");
    Routes::v1()
        .get(
            "/webhooks",
            all,
            key("listWebhooks", read, "Webhooks")
                .filters(&["doing", "kind", "after", "limit"])
                .gives::<Page<WebhookView>>(),
        )
        .post(
            "/webhooks",
            make,
            key("addWebhook", write, "Makes a webhook; its secret is shown here alone")
                .takes::<NewWebhook>(r#"{"name": "crm", "url": "https://crm.example.com/cordboard/"}"#)
                .gives_as::<Shown>(201),
        )
        .get("/webhooks/{name}", one, key("readWebhook", read, "A webhook").gives::<WebhookView>())
        .patch(
            "/webhooks/{name}",
            change,
            key("changeWebhook", write, "Has it go elsewhere, or be told of other kinds of events")
                .takes::<WebhookChange>(r#"{"kinds": ["call_ended", "alarm"]}"#)
                .gives::<Shown>()
                .refuses(&[412]),
        )
        .delete(
            "/webhooks/{name}",
            remove,
            key("removeWebhook", write, "Removes it").gives::<Shown>().refuses(&[412]),
        )
        .post(
            "/webhooks/{name}/enable",
            enable,
            key("enableWebhook", write, "Has it deliver from where it stopped").gives::<Shown>(),
        )
        .post(
            "/webhooks/{name}/disable",
            disable,
            key("disableWebhook", write, "Has it deliver no more").gives::<Shown>(),
        )
        .post(
            "/webhooks/{name}/secret",
            new_secret,
            key("renewWebhookSecret", write, "Another secret; the one before signs beside it")
                .gives::<Shown>(),
        )
        .merge(letters_routes())
}

fn letters_routes() -> Routes {
    let (read, write) = ("webhooks:read", "webhooks:write");
    Routes::v1()
        .get(
            "/webhooks/{name}/dead-letters",
            dead_letters,
            key("listDeadLetters", read, "What was given up, oldest first")
                .query(&["after", "limit"])
                .gives::<Page<DeadLetter>>(),
        )
        .delete(
            "/webhooks/{name}/dead-letters",
            forget_all,
            key("forgetDeadLetters", write, "Forgets what was given up").gives::<Shown>(),
        )
        .delete(
            "/webhooks/{name}/dead-letters/{id}",
            forget,
            key("forgetDeadLetter", write, "Forgets one of them").gives::<Shown>(),
        )
        .post(
            "/webhooks/{name}/replay",
            replay,
            key("replayDeadLetters", write, "Delivers one again, or all")
                .may_take::<ReplayBody>(r#"{"id": 716}"#)
                .gives::<Shown>(),
        )
}

async fn all(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<WebhookView>> {
    let doing = word(&query, "doing", &WebhookDoing::ALL, WebhookDoing::as_str)?;
    let of_kind = query.text("kind");
    if let Some(text) = of_kind {
        kind(text).map_err(|why| Problem::field("kind", why))?;
    }
    let mut items = state.switch.webhooks(who.tenant).await?;
    items.retain(|view| {
        let has = |text| view.kinds.is_empty() || view.kinds.iter().any(|kind| kind == text);
        doing.is_none_or(|doing| view.doing == doing) && of_kind.is_none_or(has)
    });
    listed(&query, items, |view| view.name.to_string())
}

/// The version of a webhook: how far it is and what became of that is not of it.
fn version_of(view: &WebhookView) -> String {
    version(&(&view.url, &view.kinds, view.from_file, view.secrets))
}

async fn one(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let found = state.switch.webhooks(who.tenant).await?.into_iter().find(|view| view.name.as_str() == name);
    let view = found.ok_or_else(|| Problem::not_found(format!("webhook {name}")))?;
    Ok(tagged(&version_of(&view), view))
}

/// Kinds of events that there are.
fn known_kinds(kinds: &[String]) -> Result<(), Problem> {
    if kinds.len() > LIST_MAX {
        return Err(Problem::field("kinds", format!("at most {LIST_MAX}")));
    }
    kinds.iter().try_for_each(|text| kind(text).map(drop).map_err(|why| Problem::field("kinds", why)))
}

/// A webhook with its secret, as it is answered.
#[derive(JsonSchema, Serialize)]
struct Shown {
    #[serde(flatten)]
    view: WebhookView,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl From<WebhookMade> for Shown {
    fn from(made: WebhookMade) -> Self {
        Self { view: made.view, secret: made.secret.map(|secret| secret.0) }
    }
}

async fn make(
    Use(state): Use<State>,
    Asking(who): Asking,
    audit: Audit,
    Said(new): Said<NewWebhook>,
) -> Result<impl IntoResponse, Problem> {
    Name::new(&new.name).map_err(|why| Problem::field("name", why.to_string()))?;
    known_kinds(&new.kinds)?;
    let made = state.switch.new_webhook(who.tenant, new).await?;
    audit.change(format!("webhooks/{}", made.view.name), None::<&WebhookView>, Some(&made.view));
    Ok((StatusCode::CREATED, Json(Shown::from(made))))
}

/// Who asks for something of a webhook.
struct Wish {
    state: State,
    tenant: TenantId,
    audit: Audit,
    meant: Meant,
}

impl FromRequestParts<State> for Wish {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Asking(who) = Asking::from_request_parts(parts, state).await?;
        let Ok(meant) = Meant::from_request_parts(parts, state).await;
        Ok(Self { state: state.clone(), tenant: who.tenant, audit: Audit::of(parts), meant })
    }
}

impl Wish {
    /// Has it done, and the audit log know how the webhook was before and is now.
    async fn done(self, name: &str, order: WebhookOrder) -> Answer<Shown> {
        let name = Name::new(name).map_err(|_| Problem::not_found(format!("webhook {name}")))?;
        let switch = &self.state.switch;
        let _turn = Turn::of(&self.state.turns.webhooks, &self.meant).await;
        let before = switch.webhooks(self.tenant).await?.into_iter().find(|view| view.name == name);
        self.meant.check(before.as_ref().map(version_of).as_deref())?;
        let removes = order == WebhookOrder::Remove;
        let made = switch.webhook_order(self.tenant, name, order).await?;
        let after = (!removes).then_some(&made.view);
        self.audit.change(format!("webhooks/{}", made.view.name), before.as_ref(), after);
        Ok(Json(made.into()))
    }
}

async fn change(
    wish: Wish,
    Path(name): Path<String>,
    Said(change): Said<WebhookChange>,
) -> Result<Response, Problem> {
    known_kinds(change.kinds.as_deref().unwrap_or_default())?;
    let Json(shown) = wish.done(&name, WebhookOrder::Change(change)).await?;
    Ok(tagged(&version_of(&shown.view), shown))
}

async fn enable(wish: Wish, Path(name): Path<String>) -> Answer<Shown> {
    wish.done(&name, WebhookOrder::Enable).await
}

async fn disable(wish: Wish, Path(name): Path<String>) -> Answer<Shown> {
    wish.done(&name, WebhookOrder::Disable).await
}

async fn new_secret(wish: Wish, Path(name): Path<String>) -> Answer<Shown> {
    wish.done(&name, WebhookOrder::NewSecret).await
}

async fn remove(wish: Wish, Path(name): Path<String>) -> Answer<Shown> {
    wish.done(&name, WebhookOrder::Remove).await
}

#[derive(Default, JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplayBody {
    id: Option<u64>,
}

impl Says for ReplayBody {
    const FIELD: &'static str = "id";
    const EXPECTED: &'static str = r#"expected nothing, or {"id": 716}"#;
}

async fn replay(wish: Wish, Path(name): Path<String>, MaySay(body): MaySay<ReplayBody>) -> Answer<Shown> {
    wish.done(&name, WebhookOrder::Replay(body.id)).await
}

async fn forget(wish: Wish, Path((name, id)): Path<(String, String)>) -> Answer<Shown> {
    let id = id.parse().map_err(|_| Problem::not_found(format!("dead letter {id}")))?;
    wish.done(&name, WebhookOrder::Forget(Some(id))).await
}

async fn forget_all(wish: Wish, Path(name): Path<String>) -> Answer<Shown> {
    wish.done(&name, WebhookOrder::Forget(None)).await
}

async fn dead_letters(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
    query: Params,
) -> Answer<Page<DeadLetter>> {
    let query = query.only(&["after", "limit"])?;
    let after = query.number("after", "the `next` of the page before")?.unwrap_or(0);
    let most = limit(&query)?;
    let name = Name::new(&name).map_err(|_| Problem::not_found(format!("webhook {name}")))?;
    let items = state.switch.dead_letters(who.tenant, name, after, most).await?;
    let next = items.last().filter(|_| items.len() == most as usize).map(|letter| letter.id.to_string());
    Ok(Json(Page { items, next }))
}

/// The filter of a webhook with these kinds.
pub fn filter_of(kinds: &[String]) -> EventFilter {
    EventFilter { kinds: kinds.to_vec(), ..EventFilter::default() }
}
