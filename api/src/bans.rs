//! Who is kept off the SIP port: by the guard for what he sent, or by hand.

use crate::asked::{Said, Says};
use crate::catalog::{Routes, key, operator};
use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::{Answer, Done, Page, order, page};
use crate::state::State;
use crate::switch::Command;
use axum::extract::{Path, State as Use};
use axum::response::IntoResponse;
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
            key("listBans", "bans:read", "Addresses that are kept off the SIP port").gives::<Page<BanView>>(),
        )
        .post(
            "/bans",
            ban,
            operator("ban", "bans:control", "Keeps an address or a network off the SIP port")
                .takes::<Body>(r#"{"source": "203.0.113.0/24", "seconds": 3600, "why": "guesses passwords"}"#)
                .gives::<Done>(),
        )
        .post(
            "/bans/{source}/lift",
            lift,
            operator("liftBan", "bans:control", "Takes back a ban").gives::<Done>(),
        )
}

async fn bans(Use(state): Use<State>, Asking(who): Asking) -> Result<impl IntoResponse, Problem> {
    Ok(page(state.switch.bans(who.tenant).await?))
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
    let until = Wall(state.switch.moment().0 + seconds * 1_000);
    let bar = Bar { source, why: why.to_owned(), by: who.to_string(), until };
    order(&state, who.tenant, Command::Ban(Box::new(bar))).await
}

async fn lift(Use(state): Use<State>, Asking(who): Asking, Path(source): Path<String>) -> Answer<Done> {
    let source = source
        .parse()
        .map_err(|_| Problem::not_found(format!("{source:?} is neither an address nor a network")))?;
    order(&state, who.tenant, Command::LiftBan(source)).await
}
