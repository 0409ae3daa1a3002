//! The life of a flow that is kept by the API: draft, check, test, publish, roll back.

use crate::asked::{MaySay, Of, Said, Says};
use crate::catalog::{Routes, key};
use crate::key::Asking;
use crate::list::{flag, listed, newest, word};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Page};
use crate::state::State;
use crate::switch::{Caller, Refusal};
use crate::tag::{self, Meant, Turn, tagged};
use axum::Json;
use axum::extract::{FromRequestParts, Path, State as Use};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cordboard_model::id::{CallId, FlowId};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A flow and its test, as they are sent and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowTexts {
    /// The flow, in Lua.
    pub text: String,
    /// Its test, in TOML. Left out, it is the one that was published last; empty, there is none.
    #[serde(default)]
    pub test: Option<String>,
}

/// What is asked of one flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowOrder {
    /// Keep these texts until they are published. They may be wrong.
    Draft(FlowTexts),
    /// Forget them.
    DropDraft,
    /// Say what is wrong with these texts, or the draft's, or the published ones.
    Check(Option<FlowTexts>),
    /// The same, and play the calls of the test.
    Test(Option<FlowTexts>),
    /// Take these texts, or the draft's, for calls that begin from now on.
    Publish {
        /// The texts.
        texts: Option<FlowTexts>,
        /// Why, for the list of versions.
        note: String,
    },
    /// Publish the texts of an earlier version.
    RollBack {
        /// Its number.
        version: u32,
        /// Why.
        note: String,
    },
}

/// Which texts of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowWhich {
    /// Those that calls run which begin now.
    Current,
    /// Those that nobody has published yet.
    Draft,
    /// Those of this version.
    Version(u32),
}

/// Who keeps a flow's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowKeeper {
    /// A file beside the configuration.
    File,
    /// The API.
    Api,
}

impl FlowKeeper {
    /// Its word.
    fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
        }
    }
}

/// A version.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FlowVersion {
    /// Counted from one.
    pub version: u32,
    /// SHA-256 of the flow's text, hexadecimal.
    pub sha256: String,
    /// The same of its test.
    pub test_sha256: Option<String>,
    /// When it was published.
    pub at: Wall,
    /// By whom.
    pub by: String,
    /// Why.
    pub note: String,
    /// The version it went back to, if it did.
    pub back_to: Option<u32>,
}

/// What waits to be published.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FlowDraft {
    /// SHA-256 of the flow's text, hexadecimal.
    pub sha256: String,
    /// When it was put there.
    pub at: Wall,
    /// By whom.
    pub by: String,
}

/// A flow as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FlowView {
    /// The flow.
    pub flow: FlowId,
    /// Who keeps its text.
    pub kept: FlowKeeper,
    /// How messages call the text that new calls begin with.
    pub file: String,
    /// The published version; none of a flow that is kept by a file.
    pub version: Option<FlowVersion>,
    /// The draft.
    pub draft: Option<FlowDraft>,
}

/// Texts of a flow.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FlowSource {
    /// The flow.
    #[serde(flatten)]
    pub view: FlowView,
    /// Its text.
    pub text: String,
    /// Its test.
    pub test: Option<String>,
}

/// What came of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct FlowDone {
    /// What was done, in words.
    pub done: Vec<String>,
    /// What is wrong with the texts, a line each, as `cordboard check` and `cordboard flow test` write it.
    pub errors: Vec<String>,
    /// What was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<FlowVersion>,
    /// The flow as a drawing (SVG), made from the calls of its test: where that was played and went as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawing: Option<String>,
}

/// A flow of the asking tenant's, named by the path.
pub(crate) struct Named {
    id: FlowId,
    /// The rest of the path, where there is one.
    version: Option<u32>,
    who: Caller,
    state: State,
}

impl FromRequestParts<State> for Named {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        #[derive(Deserialize)]
        struct Names {
            name: String,
            version: Option<String>,
        }
        let Asking(who) =
            Asking::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let Path(Names { name, version }) =
            Path::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let id = FlowId::new(who.tenant, &name)
            .map_err(|why| Problem::not_found(why.to_string()).into_response())?;
        let number = version.as_deref().map(str::parse::<u32>).transpose();
        let version = number.map_err(|_| {
            Problem::not_found(format!("{:?} is no version", version.unwrap_or_default())).into_response()
        })?;
        Ok(Self { id, version, who, state: state.clone() })
    }
}

/// The version of texts. The published ones are another version with each number, also where a text comes back; a draft is not
/// another one because something was published meanwhile.
fn version_of(source: &FlowSource, which: FlowWhich) -> String {
    let number = source.view.version.as_ref().filter(|_| which != FlowWhich::Draft);
    let number = number.map(|version| version.version);
    tag::version(&(number, &source.text, &source.test))
}

impl Named {
    async fn order(self, order: FlowOrder) -> Answer<FlowDone> {
        let by = self.who.to_string();
        Ok(Json(self.state.switch.flow_order(self.id, by, order).await?))
    }

    /// Changes its texts, if these are the version that is meant: those of the draft, or those that calls run.
    async fn change(self, meant: Meant, which: FlowWhich, order: FlowOrder) -> Answer<FlowDone> {
        let state = self.state.clone();
        let _turn = Turn::of(&state.turns.flows, &meant).await;
        if meant.is_said() {
            let there = match state.switch.flow(self.id.clone(), which).await {
                Ok(source) => Some(version_of(&source, which)),
                Err(Refusal::NotFound(_)) => None,
                Err(why) => return Err(why.into()),
            };
            meant.check(there.as_deref())?;
        }
        self.order(order).await
    }

    async fn source(self, which: FlowWhich) -> Result<Response, Problem> {
        let source = self.state.switch.flow(self.id, which).await?;
        Ok(tagged(&version_of(&source, which), source))
    }
}

impl Says for FlowTexts {
    const FIELD: &'static str = "text";
    const EXPECTED: &'static str = r#"expected {"text": "call:answer()", "test": "[[case]] ..."}"#;
}

/// Texts that may be left out, for what is there.
#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "FlowTextsAsked")]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    text: Option<String>,
    #[serde(default)]
    test: Option<String>,
}

impl Says for Texts {
    const FIELD: &'static str = FlowTexts::FIELD;
    const EXPECTED: &'static str = FlowTexts::EXPECTED;
}

/// A test without the flow it is for could be meant for the draft or for what is published.
fn whole(text: Option<String>, test: Option<String>) -> Result<Option<FlowTexts>, Problem> {
    match (text, test) {
        (Some(text), test) => Ok(Some(FlowTexts { text, test })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Problem::field("text", "a test comes with the text that it is for")),
    }
}

#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "FlowPublished")]
#[serde(deny_unknown_fields)]
pub(crate) struct Publish {
    text: Option<String>,
    test: Option<String>,
    #[serde(default)]
    note: String,
}

impl Says for Publish {
    const FIELD: &'static str = "note";
    const EXPECTED: &'static str =
        r#"expected {"note": "why"}, perhaps with "text" and "test"; without them it is the draft"#;
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "FlowRolledBack")]
#[serde(deny_unknown_fields)]
pub(crate) struct Back {
    version: u32,
    #[serde(default)]
    note: String,
}

impl Says for Back {
    const FIELD: &'static str = "version";
    const EXPECTED: &'static str = r#"expected {"version": 3, "note": "why"}"#;
}

/// Most bytes of a note.
const NOTE_MAX: usize = 1_000;

fn short(note: String) -> Result<String, Problem> {
    match note.len() <= NOTE_MAX {
        true => Ok(note),
        false => Err(Problem::field("note", format!("at most {NOTE_MAX} bytes"))),
    }
}

/// The routes of flows.
pub(crate) fn routes() -> Routes {
    text_routes().merge(version_routes())
}

/// Of texts that nobody runs yet, and of what is run.
fn text_routes() -> Routes {
    let (read, write) = ("flows:read", "flows:write");
    Routes::v1()
        .get(
            "/flows",
            list,
            key("listFlows", read, "The flows, and who keeps their texts")
                .filters(&["kept", "draft", "after", "limit"])
                .gives::<Page<FlowView>>(),
        )
        .get(
            "/flows/{name}",
            current,
            key("readFlow", read, "The texts that new calls begin with").gives::<FlowSource>(),
        )
        .get(
            "/calls/{id}/flow-test",
            recorded,
            key("readFlowTest", read, "A finished call as a test of its flow")
                .query(&["flow"])
                .gives_media(200, "application/toml"),
        )
        .get(
            "/flows/{name}/draft",
            draft,
            key("readDraft", read, "The texts that wait to be published").gives::<FlowSource>(),
        )
        .put(
            "/flows/{name}/draft",
            put_draft,
            key("putDraft", write, "Keeps texts until they are published")
                .takes::<FlowTexts>(r#"{"text": "call:answer()"}"#)
                .gives::<FlowDone>()
                .refuses(&[412]),
        )
        .delete(
            "/flows/{name}/draft",
            drop_draft,
            key("dropDraft", write, "Forgets the draft").gives::<FlowDone>().refuses(&[412]),
        )
        .post(
            "/flows/{name}/check",
            check,
            key("checkFlow", read, "What is wrong with texts")
                .may_take::<Texts>(r#"{"text": "call:answer()"}"#)
                .gives::<FlowDone>()
                .refuses(&[409, 422])
                .reads(),
        )
        .post(
            "/flows/{name}/test",
            test,
            key("testFlow", read, "What is wrong with texts, and what the calls of their test come to")
                .may_take::<Texts>(r#"{"text": "call:answer()", "test": ""}"#)
                .gives::<FlowDone>()
                .refuses(&[409, 422])
                .reads(),
        )
}

/// Of versions.
fn version_routes() -> Routes {
    let (read, write) = ("flows:read", "flows:write");
    Routes::v1()
        .post(
            "/flows/{name}/publish",
            publish,
            key("publishFlow", write, "Takes texts for calls that begin from now on")
                .may_take::<Publish>(r#"{"note": "new greeting"}"#)
                .gives::<FlowDone>()
                .refuses(&[412]),
        )
        .post(
            "/flows/{name}/rollback",
            roll_back,
            key("rollBackFlow", write, "Publishes the texts of an earlier version")
                .takes::<Back>(r#"{"version": 3, "note": "as before"}"#)
                .gives::<FlowDone>()
                .refuses(&[412]),
        )
        .get(
            "/flows/{name}/versions",
            versions,
            key("listFlowVersions", read, "The versions of a flow, newest first")
                .filters(&["before", "limit"])
                .gives::<Page<FlowVersion>>()
                .refuses(&[409]),
        )
        .get(
            "/flows/{name}/versions/{version}",
            version,
            key("readFlowVersion", read, "The texts of a version").gives::<FlowSource>().refuses(&[409]),
        )
}

async fn list(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<FlowView>> {
    let keepers = [FlowKeeper::File, FlowKeeper::Api];
    let kept = word(&query, "kept", &keepers, FlowKeeper::as_str)?;
    let draft = flag(&query, "draft")?;
    let mut items = state.switch.flows(who.tenant).await?;
    items.retain(|view| {
        kept.is_none_or(|kept| view.kept == kept) && draft.is_none_or(|some| view.draft.is_some() == some)
    });
    listed(&query, items, |view| view.flow.name.to_string())
}

async fn current(flow: Named) -> Result<Response, Problem> {
    flow.source(FlowWhich::Current).await
}

async fn draft(flow: Named) -> Result<Response, Problem> {
    flow.source(FlowWhich::Draft).await
}

async fn version(flow: Named) -> Result<Response, Problem> {
    let which = FlowWhich::Version(flow.version.unwrap_or_default());
    flow.source(which).await
}

async fn versions(flow: Named, query: Params) -> Answer<Page<FlowVersion>> {
    newest(&query, flow.state.switch.flow_versions(flow.id).await?, |version| version.version)
}

async fn put_draft(flow: Named, meant: Meant, Said(texts): Said<FlowTexts>) -> Answer<FlowDone> {
    flow.change(meant, FlowWhich::Draft, FlowOrder::Draft(texts)).await
}

async fn drop_draft(flow: Named, meant: Meant) -> Answer<FlowDone> {
    flow.change(meant, FlowWhich::Draft, FlowOrder::DropDraft).await
}

async fn check(flow: Named, MaySay(Texts { text, test }): MaySay<Texts>) -> Answer<FlowDone> {
    flow.order(FlowOrder::Check(whole(text, test)?)).await
}

async fn test(flow: Named, MaySay(Texts { text, test }): MaySay<Texts>) -> Answer<FlowDone> {
    flow.order(FlowOrder::Test(whole(text, test)?)).await
}

async fn publish(flow: Named, meant: Meant, MaySay(said): MaySay<Publish>) -> Answer<FlowDone> {
    let Publish { text, test, note } = said;
    let order = FlowOrder::Publish { texts: whole(text, test)?, note: short(note)? };
    flow.change(meant, FlowWhich::Current, order).await
}

async fn roll_back(flow: Named, meant: Meant, Said(said): Said<Back>) -> Answer<FlowDone> {
    let Back { version, note } = said;
    let order = FlowOrder::RollBack { version, note: short(note)? };
    flow.change(meant, FlowWhich::Current, order).await
}

/// A finished call as a test of its flow.
async fn recorded(of: Of<CallId>, query: Params) -> Result<Response, Problem> {
    let query = query.only(&["flow"])?;
    let flow = query.text("flow").map(str::to_owned);
    let text = of.state.switch.flow_test(of.id, flow).await?;
    let kind = [(axum::http::header::CONTENT_TYPE, "application/toml; charset=utf-8")];
    Ok((kind, text).into_response())
}
