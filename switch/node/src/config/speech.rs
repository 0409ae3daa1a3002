//! `[speech]`: what makes speech from text.

use super::error::Problem;
use super::section::{Section, Wrong};
use super::tree::Node;
use super::value::{boolean, duration, integer, one_of, size, some_text, wrong};
use crate::outgoing::Target;
use cordboard_model::config::Secret;
use cordboard_model::speech::is_name;
use core::time::Duration;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Words a minute where nothing else is said: a little slower than espeak-ng's own, as one speaks to strangers.
pub const SPEED: u16 = 155;
/// The body that an engine behind HTTP gets.
const BODY: &str = r#"{"text":{text},"language":{language},"voice":{voice},"speed":{speed}}"#;

/// What makes speech.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeechEngine {
    /// Nothing: what flows say fails.
    #[default]
    None,
    /// The program of this name, a process for each speech.
    EspeakNg,
    /// A service that is asked by HTTP.
    Http,
}

const ENGINES: &[(&str, SpeechEngine)] =
    &[("none", SpeechEngine::None), ("espeak-ng", SpeechEngine::EspeakNg), ("http", SpeechEngine::Http)];

/// The voice of a language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpeechVoice {
    /// By the engine's name.
    pub name: String,
    /// Words a minute.
    pub speed: u16,
}

/// `[speech]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpeechMachine {
    /// What makes it.
    pub engine: SpeechEngine,
    /// The program.
    pub command: String,
    /// The service.
    pub url: String,
    /// What it is sent, with words in braces.
    pub body: String,
    /// What it knows us by.
    pub key: Option<Secret>,
    /// PEM: whom we trust, if not those the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether it may be at a private address.
    pub allow_private: bool,
    /// Longest time from a wish to its audio.
    pub time_limit: Duration,
    /// Most that is made at a time.
    pub at_once: u16,
    /// The folder of what was made.
    pub cache: PathBuf,
    /// Most bytes there.
    pub cache_size: u64,
    /// Most bytes of decoded speech at each media thread.
    pub memory: u64,
    /// Voices, by language.
    pub voices: BTreeMap<String, SpeechVoice>,
}

impl Default for SpeechMachine {
    fn default() -> Self {
        let voice = |language: &str, name: &str| {
            (language.to_owned(), SpeechVoice { name: name.to_owned(), speed: SPEED })
        };
        Self {
            engine: SpeechEngine::None,
            command: "espeak-ng".into(),
            url: String::new(),
            body: BODY.into(),
            key: None,
            ca: None,
            allow_private: false,
            time_limit: Duration::from_secs(10),
            at_once: 2,
            cache: PathBuf::from("../var/speech"),
            cache_size: 256 << 20,
            memory: 64 << 20,
            voices: [voice("en", "en-us"), voice("zh", "cmn")].into(),
        }
    }
}

pub(super) fn read(
    section: &Section<'_>,
    base: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> SpeechMachine {
    let d = SpeechMachine::default();
    let engine = section.or("engine", d.engine, one_of(ENGINES));
    let url = section.opt("url", http);
    if engine == SpeechEngine::Http && url.is_none() && section.has("url").is_none() {
        let problem = Problem::MissingKey {
            key: "url".into(),
            section: section.shown(),
            expected: "where the service is asked, as \"https://speech.example/v1\"".into(),
        };
        section.report().error(section.pos, problem);
    }
    let mut voices = d.voices;
    for (language, voice) in section.named("voice") {
        if !is_name(&language.value) {
            let problem = Problem::Name {
                kind: "language",
                name: language.value.clone(),
                why: "expected a tag as en or zh-cn".into(),
            };
            section.report().error(language.pos, problem);
        }
        let name = voice.or("name", language.value.clone(), speech_name);
        let speed = voice.or("speed", SPEED, integer(80..=450, "words a minute"));
        voice.finish();
        voices.insert(language.value, SpeechVoice { name, speed });
    }
    let path =
        |key, default: PathBuf| section.opt(key, some_text).map_or(default, |at| PathBuf::from(at.value));
    let read = SpeechMachine {
        engine,
        command: section.or("command", d.command, some_text),
        url: url.map(|at| at.value).unwrap_or_default(),
        body: section.or("body", d.body, some_text),
        key: key(section, env),
        ca: section.opt("ca", some_text).map(|at| base.join(at.value)),
        allow_private: section.or("allow_private", d.allow_private, boolean),
        time_limit: section.or(
            "time_limit",
            d.time_limit,
            duration(Duration::from_millis(100)..=Duration::from_secs(60)),
        ),
        at_once: section.or("at_once", d.at_once, integer(1..=64, "processes or requests")),
        cache: base.join(path("cache", d.cache)),
        cache_size: section.or("cache_size", d.cache_size, size(0..=1 << 40)),
        memory: section.or("memory", d.memory, size(1 << 20..=1 << 36)),
        voices,
    };
    section.finish();
    read
}

/// From the environment alone: a key has no place in a file that is shown around.
fn key(section: &Section<'_>, env: &dyn Fn(&str) -> Option<String>) -> Option<Secret> {
    let variable = section.opt("key_env", some_text)?;
    let value = env(&variable.value).filter(|value| !value.is_empty());
    if value.is_none() {
        let problem = Problem::Environment { name: variable.value, why: "not set".into() };
        section.report().error(variable.pos, problem);
    }
    value.map(Secret)
}

fn http(node: &Node) -> Result<String, Wrong> {
    let url = some_text(node)?;
    match Target::read(&url, ["http", "https"]) {
        Some(_) => Ok(url),
        None => Err(wrong(node, "a URL that begins with http:// or https://")),
    }
}

fn speech_name(node: &Node) -> Result<String, Wrong> {
    let name = some_text(node)?;
    if is_name(&name) { Ok(name) } else { Err(wrong(node, "a voice of letters, digits, - _ . and +")) }
}
