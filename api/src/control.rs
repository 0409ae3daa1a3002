//! What programs do with the parties of calls that are up: `play`, `collect`, `bridge` and `send`.

use crate::asked::{Of, Said, Says, own};
use crate::begin::End;
use crate::catalog::{Routes, key};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::transfer::leg_of;
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordboard_model::act::{CollectAsked, Collected, Entered, Hearers, ITEMS_MAX, PlayAsked};
use cordboard_model::id::{ActId, AssetId, CallId, TenantId, UserId};
use cordboard_model::keys::{PATTERNS_MAX, is_pattern};
use cordboard_model::media::{PlayItem, Repeat, Tone};
use cordboard_model::speech::{Speech, TEXT_MAX, is_name};
use core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The keys of a telephone.
const KEYS: &str = "0123456789*#ABCD";
/// Most keys of one entry.
const KEYS_MAX: u8 = 64;
/// Longest tone or silence, seconds.
const SECONDS_MAX: f64 = 3_600.0;
/// Shortest and longest wait for a key, seconds.
const WAITS: core::ops::RangeInclusive<f64> = 0.1..=120.0;
/// Length of the beep, and of any other tone if none is given, milliseconds.
const BEEP_MS: u32 = 200;
const TONE_MS: u32 = 1_000;
/// The tones that have a name; how they sound is for the country of the tenant to say.
const TONES: [(&str, Tone); 6] = [
    ("ringback", Tone::RingBack),
    ("busy", Tone::Busy),
    ("congestion", Tone::Congestion),
    ("dial", Tone::Dial),
    ("information", Tone::Information),
    ("beep", Tone::Beep),
];

/// What a key needs for what changes something here.
const CONTROL: &str = "calls:control";

/// Routes of this subject.
pub(crate) fn routes() -> Routes {
    let control = CONTROL;
    Routes::v1()
        .post(
            "/calls/{id}/play",
            play,
            key("playToCall", control, "Plays prompts, tones or speech to parties of a call")
                .takes::<PlayBody>(r#"{"items": [{"tone": "beep"}], "to": "all"}"#)
                .gives_as::<PlayBegun>(201),
        )
        .delete("/calls/{id}/play/{play}", stop, key("stopPlay", control, "Stops a playback").gives::<Done>())
        .post(
            "/calls/{id}/collect",
            collect,
            key("collectKeys", control, "Collects keys from a party of a call")
                .takes::<CollectBody>(r#"{"max": 4, "prompt": [{"tone": "beep"}]}"#)
                .gives_as::<CollectBegun>(201),
        )
        .get(
            "/calls/{id}/collect/{collect}",
            collected,
            key("readCollected", "calls:read", "What was keyed in, and how that ended").gives::<Collected>(),
        )
        .delete(
            "/calls/{id}/collect/{collect}",
            stop,
            key("stopCollect", control, "Collects no more keys").gives::<Done>(),
        )
        .post(
            "/calls/{id}/bridge",
            bridge,
            key("bridgeCalls", control, "Joins the callers of two calls that flows or queues have")
                .takes::<BridgeBody>(r#"{"call": "default.6b000000-0-2b"}"#)
                .gives::<Done>(),
        )
        .post(
            "/calls/{id}/send",
            send,
            key("sendCaller", control, "Sends the caller of a flow or a queue elsewhere")
                .takes::<SendBody>(r#"{"to": {"queue": "sales"}}"#)
                .gives::<Done>(),
        )
}

/// The name of a tone, or a frequency.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Tone")]
#[serde(untagged)]
enum ToneName {
    /// `ringback`, `busy`, `congestion`, `dial`, `information` or `beep`.
    Name(String),
    /// 100 to 3,400 hertz.
    Hertz(u16),
}

/// One thing to play: a prompt by its name, or an object with one of `prompt`, `tone`, `silence` and `say`.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "PlayItem")]
#[serde(untagged)]
enum Item {
    /// A prompt.
    Name(String),
    /// Anything.
    Thing(Box<Thing>),
}

/// One thing to play.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "PlayThing")]
#[serde(deny_unknown_fields)]
struct Thing {
    /// A prompt or music file, by its name.
    prompt: Option<String>,
    /// A tone.
    tone: Option<ToneName>,
    /// How long the tone is, seconds.
    seconds: Option<f64>,
    /// Silence for so many seconds.
    silence: Option<f64>,
    /// Speech: its text.
    say: Option<String>,
    /// What language that is in: `en`, `zh`.
    language: Option<String>,
    /// The voice, if not the language's own.
    voice: Option<String>,
}

fn millis(field: &'static str, seconds: f64, most: f64) -> Result<u32, Problem> {
    let fits = (0.0..=most).contains(&seconds);
    let time = fits.then(|| Duration::try_from_secs_f64(seconds).ok()).flatten();
    let ms = time.and_then(|time| u32::try_from(time.as_millis()).ok());
    ms.ok_or_else(|| Problem::field(field, format!("expected 0 to {most} seconds")))
}

fn asset(field: &'static str, tenant: TenantId, name: &str) -> Result<PlayItem, Problem> {
    let id = AssetId::new(tenant, name).map_err(|why| Problem::field(field, format!("{name:?}: {why}")))?;
    Ok(PlayItem::Asset(id))
}

fn tone(field: &'static str, name: &ToneName, seconds: Option<f64>) -> Result<PlayItem, Problem> {
    let tone = match name {
        ToneName::Hertz(hertz @ 100..=3_400) => Tone::Hertz(*hertz),
        ToneName::Hertz(_) => return Err(Problem::field(field, "a tone has 100 to 3400 hertz")),
        ToneName::Name(name) => match TONES.iter().find(|(known, _)| known == name) {
            Some((_, tone)) => *tone,
            None => {
                let names = TONES.map(|(name, _)| name).join(", ");
                return Err(Problem::field(field, format!("no tone {name:?}; there are {names}")));
            }
        },
    };
    let usual = if tone == Tone::Beep { BEEP_MS } else { TONE_MS };
    let ms = seconds.map_or(Ok(usual), |seconds| millis(field, seconds, SECONDS_MAX))?;
    Ok(PlayItem::Tone(tone, ms))
}

fn speech(
    field: &'static str,
    text: String,
    language: Option<String>,
    voice: Option<String>,
) -> Result<PlayItem, Problem> {
    if text.trim().is_empty() || text.len() > TEXT_MAX {
        return Err(Problem::field(field, format!("say: expected 1 to {TEXT_MAX} bytes")));
    }
    let language = language.unwrap_or_else(|| "en".to_owned());
    if let Some(wrong) = [Some(&language), voice.as_ref()].into_iter().flatten().find(|name| !is_name(name)) {
        return Err(Problem::field(field, format!("{wrong:?} can be neither a language nor a voice")));
    }
    Ok(PlayItem::Say(Box::new(Speech { text, language, voice })))
}

impl Item {
    fn read(self, field: &'static str, tenant: TenantId) -> Result<PlayItem, Problem> {
        let thing = match self {
            Self::Name(name) => return asset(field, tenant, &name),
            Self::Thing(thing) => *thing,
        };
        match thing {
            Thing {
                prompt: Some(name),
                tone: None,
                seconds: None,
                silence: None,
                say: None,
                language: None,
                voice: None,
            } => asset(field, tenant, &name),
            Thing {
                prompt: None,
                tone: Some(name),
                seconds,
                silence: None,
                say: None,
                language: None,
                voice: None,
            } => tone(field, &name, seconds),
            Thing {
                prompt: None,
                tone: None,
                seconds: None,
                silence: Some(seconds),
                say: None,
                language: None,
                voice: None,
            } => Ok(PlayItem::Silence(millis(field, seconds, SECONDS_MAX)?)),
            Thing {
                prompt: None,
                tone: None,
                seconds: None,
                silence: None,
                say: Some(text),
                language,
                voice,
            } => speech(field, text, language, voice),
            _ => Err(Problem::field(field, PlayBody::EXPECTED)),
        }
    }
}

fn items(field: &'static str, tenant: TenantId, items: Vec<Item>) -> Result<Vec<PlayItem>, Problem> {
    if items.len() > ITEMS_MAX {
        return Err(Problem::field(field, format!("at most {ITEMS_MAX} things")));
    }
    items.into_iter().map(|item| item.read(field, tenant)).collect()
}

/// What is played, and to whom.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Play")]
#[serde(deny_unknown_fields)]
pub(crate) struct PlayBody {
    /// In this order.
    items: Vec<Item>,
    /// `all` who talk, which is usual, the `caller` or the `called` party alone; or a leg.
    to: Option<String>,
    /// It goes on until it is stopped.
    #[serde(default)]
    repeat: bool,
}

impl Says for PlayBody {
    const FIELD: &'static str = "items";
    const EXPECTED: &'static str = r#"expected {"items": ["welcome", {"tone": "beep"}, {"tone": 440, "seconds": 2}, {"silence": 0.5}, {"say": "Hello", "language": "en"}]}, and perhaps "to": "all", "caller", "called" or a leg, and "repeat": true"#;
}

/// What plays.
#[derive(JsonSchema, Serialize)]
pub(crate) struct PlayBegun {
    play: ActId,
}

async fn play(call: Of<CallId>, Said(body): Said<PlayBody>) -> Result<Response, Problem> {
    let tenant = call.who.tenant;
    let to = match body.to.as_deref() {
        None | Some("all") => Hearers::All,
        Some("caller") => Hearers::Caller,
        Some("called") => Hearers::Called,
        Some(leg) => Hearers::Leg(
            own(leg, tenant).map_err(|_| Problem::field("to", "expected all, caller, called or a leg"))?,
        ),
    };
    let items = items("items", tenant, body.items)?;
    if items.is_empty() {
        return Err(Problem::field("items", PlayBody::EXPECTED));
    }
    let repeat = if body.repeat { Repeat::Forever } else { Repeat::Once };
    let asked = PlayAsked { to, items, repeat, by: call.by() };
    let play = call.state.switch.play(call.id, asked).await?;
    Ok((StatusCode::CREATED, Json(PlayBegun { play })).into_response())
}

/// What an entry of keys is.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Collect")]
#[serde(deny_unknown_fields)]
pub(crate) struct CollectBody {
    /// What is played before; the first key ends it.
    #[serde(default)]
    prompt: Vec<Item>,
    /// Fewest keys: 1 if not said.
    min: Option<u8>,
    /// Most keys, up to 64. Needed, but where `patterns` say it.
    max: Option<u8>,
    /// Keys that end it: `#` if not said, and none where one key is wanted.
    terminators: Option<String>,
    /// Longest wait for the first key, seconds: 5 if not said.
    first: Option<f64>,
    /// Longest wait between keys, seconds: 3 if not said.
    inter: Option<f64>,
    /// What it may look like: keys, X for 0 to 9, Z for 1 to 9, N for 2 to 9, a `.` at the end for any more digits.
    #[serde(default)]
    patterns: Vec<String>,
    /// No event has the keys, and nobody hears them.
    #[serde(default)]
    secret: bool,
    /// Whose keys: the caller's if not said.
    leg: Option<String>,
}

impl Says for CollectBody {
    const FIELD: &'static str = "max";
    const EXPECTED: &'static str = r##"expected {"max": 4}, and perhaps "prompt": [...] as of play, "min", "terminators": "#", "first" and "inter" in seconds, "patterns": ["1XXX"], "secret": true and "leg""##;
}

/// What is being collected.
#[derive(JsonSchema, Serialize)]
pub(crate) struct CollectBegun {
    collect: ActId,
}

fn waits(field: &'static str, seconds: Option<f64>, usual: u32) -> Result<u32, Problem> {
    match seconds {
        None => Ok(usual),
        Some(seconds) if WAITS.contains(&seconds) => millis(field, seconds, *WAITS.end()),
        Some(_) => {
            Err(Problem::field(field, format!("expected {} to {} seconds", WAITS.start(), WAITS.end())))
        }
    }
}

fn entered(body: &mut CollectBody) -> Result<Entered, Problem> {
    let patterns = core::mem::take(&mut body.patterns);
    if patterns.len() > PATTERNS_MAX || !patterns.iter().all(|pattern| is_pattern(pattern)) {
        let why = format!("at most {PATTERNS_MAX}; a pattern has keys, X, Z, N, and a '.' at its end");
        return Err(Problem::field("patterns", why));
    }
    let by_patterns = (!patterns.is_empty()).then_some(KEYS_MAX);
    let max = body.max.or(by_patterns).filter(|max| (1..=KEYS_MAX).contains(max));
    let max = max.ok_or_else(|| Problem::field("max", CollectBody::EXPECTED))?;
    let min = body.min.unwrap_or(1);
    if min > max {
        return Err(Problem::field("min", format!("{min} is greater than max, {max}")));
    }
    // one key is an answer by itself, and `#` may be one
    let is_key = max == 1 || patterns.iter().any(|pattern| pattern.contains('#'));
    let usual = if is_key { "" } else { "#" };
    let terminators = body.terminators.take().unwrap_or_else(|| usual.to_owned());
    if terminators.len() > KEYS.len() || !terminators.chars().all(|key| KEYS.contains(key)) {
        return Err(Problem::field("terminators", format!("expected keys of {KEYS}, each once at most")));
    }
    let first_ms = waits("first", body.first, 5_000)?;
    let inter_ms = waits("inter", body.inter, 3_000)?;
    Ok(Entered { min, max, terminators, first_ms, inter_ms, patterns, secret: body.secret })
}

async fn collect(call: Of<CallId>, Said(mut body): Said<CollectBody>) -> Result<Response, Problem> {
    let tenant = call.who.tenant;
    let what = entered(&mut body)?;
    let leg = leg_of(body.leg.as_deref(), tenant)?;
    let prompt = items("prompt", tenant, body.prompt)?;
    let asked = CollectAsked { leg, prompt, what, by: call.by() };
    let collect = call.state.switch.collect(call.id, asked).await?;
    Ok((StatusCode::CREATED, Json(CollectBegun { collect })).into_response())
}

async fn collected(call: Of<CallId>, Path((_, act)): Path<(String, String)>) -> Answer<Collected> {
    let act: ActId = own(&act, call.who.tenant)?;
    let mut found = call.state.switch.collected(call.id, act).await?;
    // who may only read calls has no business with a secret
    if found.secret && !call.who.scopes.cover(CONTROL) {
        found.digits = None;
    }
    Ok(Json(found))
}

async fn stop(call: Of<CallId>, Path((_, act)): Path<(String, String)>) -> Answer<Done> {
    let act: ActId = own(&act, call.who.tenant)?;
    Ok(Json(Done::of(call.state.switch.stop_act(call.id, act).await?)))
}

/// The other call.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Bridge")]
#[serde(deny_unknown_fields)]
pub(crate) struct BridgeBody {
    /// It ends, and its caller talks in this one.
    call: String,
}

impl Says for BridgeBody {
    const FIELD: &'static str = "call";
    const EXPECTED: &'static str = r#"expected {"call": "..."}: the other call"#;
}

async fn bridge(call: Of<CallId>, Said(body): Said<BridgeBody>) -> Answer<Done> {
    let other = own(&body.call, call.who.tenant)?;
    Ok(Json(Done::of(call.state.switch.bridge(call.id, other).await?)))
}

/// Where a caller is sent.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Send")]
#[serde(deny_unknown_fields)]
pub(crate) struct SendBody {
    /// Where: one of number, agent, account, queue and flow.
    to: End,
    /// The account whose rules say which numbers may be dialled; those of the house if not said.
    account: Option<String>,
}

impl Says for SendBody {
    const FIELD: &'static str = "to";
    const EXPECTED: &'static str = r#"expected {"to": {"queue": "sales"}}: one of number, agent, account, queue and flow; and perhaps "account", whose rules count for a number"#;
}

async fn send(call: Of<CallId>, Said(body): Said<SendBody>) -> Answer<Done> {
    let tenant = call.who.tenant;
    if body.to.rings() {
        return Err(Problem::field("to", "ring: how long a phone rings is not said here"));
    }
    let to = body.to.goal("to", tenant)?;
    let account = body.account.map(|name| UserId::new(tenant, &name)).transpose();
    let account = account.map_err(|why| Problem::field("account", why.to_string()))?;
    Ok(Json(Done::of(call.state.switch.send(call.id, to, account).await?)))
}
