//! Who is kept off the SIP port: by the guard for what he sent, or by hand.

use crate::asked::{Said, Says};
use crate::catalog::{Routes, key, operator};
use crate::key::Asking;
use crate::list::{listed, word};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Done, Page, order};
use crate::state::State;
use crate::switch::{Caller, Command};
use crate::tag::{Meant, Turn, tagged, version};
use axum::extract::{Path, State as Use};
use axum::response::Response;
use cordboard_model::guard::{BanView, Bar, Network};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::Deserialize;

/// Shortest and longest ban by hand, and one of which nothing else is said; seconds.
const SECONDS: [i64; 3] = [60, 366 * 86_400, 86_400];
/// Longest reason, characters.
const WHY_MAX: usize = 200;

pub(crate) fn routes() -> Routes {
    Routes::v1()
        .get(
            "/bans",
            bans,
            key("listBans", "bans:read", "Addresses that are kept off the SIP port")
                .filters(&["made", "after", "limit"])
                .gives::<Page<BanView>>(),
        )
        .post(
            "/bans",
            ban,
            operator("ban", "bans:control", "Keeps an address or a network off the SIP port")
                .takes::<Body>(r#"{"source": "203.0.113.0/24", "seconds": 3600, "why": "guesses passwords"}"#)
                .gives::<Done>(),
        )
        .get("/bans/{source}", one, key("readBan", "bans:read", "A ban").gives::<BanView>())
        .post(
            "/bans/{source}/lift",
            lift,
            operator("liftBan", "bans:control", "Takes back a ban").gives::<Done>().refuses(&[412]),
        )
}

async fn bans(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<BanView>> {
    let by_hand = word(&query, "made", &[true, false], |hand| if hand { "by_hand" } else { "by_guard" })?;
    let mut items = state.switch.bans(who.tenant).await?;
    items.retain(|view| by_hand.is_none_or(|hand| view.by.is_some() == hand));
    listed(&query, items, |view| view.source)
}

fn source_of(text: &str) -> Result<Network, Problem> {
    text.parse().map_err(|_| Problem::not_found(format!("{text:?} is neither an address nor a network")))
}

/// A ban, and its version: what it has kept off since is not of it.
async fn found(state: &State, who: &Caller, source: Network) -> Result<Option<(BanView, String)>, Problem> {
    let all = state.switch.bans(who.tenant).await?;
    let found = all.into_iter().find(|view| view.source == source);
    Ok(found.map(|view| {
        let version = version(&(view.source.to_string(), &view.why, view.until, &view.by));
        (view, version)
    }))
}

async fn one(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(source): Path<String>,
) -> Result<Response, Problem> {
    let source = source_of(&source)?;
    let found = found(&state, &who, source).await?;
    let (view, version) = found.ok_or_else(|| Problem::not_found(format!("{source} is not banned")))?;
    Ok(tagged(&version, view))
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "NewBan")]
#[serde(deny_unknown_fields)]
struct Body {
    /// An address, or a network as 203.0.113.0/24.
    source: String,
    /// For how long: a day if not said.
    seconds: Option<i64>,
    /// What for, for those who read it later.
    #[serde(default)]
    why: String,
}

impl Says for Body {
    const FIELD: &'static str = "source";
    const EXPECTED: &'static str =
        r#"expected {"source": "203.0.113.5"}, and perhaps "seconds": 3600 and "why": "text""#;
}

async fn ban(Use(state): Use<State>, Asking(who): Asking, Said(body): Said<Body>) -> Answer<Done> {
    let source: Network = body
        .source
        .trim()
        .parse()
        .map_err(|_| Problem::field("source", "an address, or a network as 203.0.113.0/24"))?;
    if Bar::is_wide(&source) {
        let why = format!(
            "{source} is too wide: at least {} bits, or {} of IPv6",
            Bar::V4_BITS_MIN,
            Bar::V6_BITS_MIN
        );
        return Err(Problem::field("source", why));
    }
    let [least, most, usual] = SECONDS;
    let seconds = body.seconds.unwrap_or(usual);
    if !(least..=most).contains(&seconds) {
        return Err(Problem::field("seconds", format!("{least} to {most}")));
    }
    let why = body.why.trim();
    if why.chars().count() > WHY_MAX || why.chars().any(char::is_control) {
        return Err(Problem::field("why", format!("at most {WHY_MAX} characters in one line")));
    }
    let _turn = state.turns.bans.read().await;
    let until = Wall(state.switch.moment().0 + seconds * 1_000);
    let bar = Bar { source, why: why.to_owned(), by: who.to_string(), until };
    order(&state, who.tenant, Command::Ban(Box::new(bar))).await
}

async fn lift(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(source): Path<String>,
    meant: Meant,
) -> Answer<Done> {
    let source = source_of(&source)?;
    let _turn = Turn::of(&state.turns.bans, &meant).await;
    if meant.is_said() {
        let there = found(&state, &who, source).await?;
        meant.check(there.as_ref().map(|(_, version)| version.as_str()))?;
    }
    order(&state, who.tenant, Command::LiftBan(source)).await
}
