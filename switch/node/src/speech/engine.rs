//! What makes speech, behind one trait.

use super::{http::HttpEngine, process::EspeakNg};
use crate::config::{SpeechEngine, SpeechMachine};
use cordboard_model::speech::Speech;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;

/// Most bytes of audio that an engine may give: ten minutes of 16-bit audio at 22 kHz.
pub const AUDIO_MAX: usize = 28 << 20;

/// Why there is no speech.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpeechError {
    /// It took longer than `[speech] time_limit`.
    Late,
    /// The engine cannot be started or reached.
    Engine(String),
    /// The engine refused, with its words.
    Refused(String),
    /// What it gave is no audio.
    Audio(String),
}

impl fmt::Display for SpeechError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpeechError::Late => f.write_str("the engine took longer than [speech] time_limit"),
            SpeechError::Engine(why) => write!(f, "the engine cannot be used: {why}"),
            SpeechError::Refused(why) => write!(f, "the engine refuses: {why}"),
            SpeechError::Audio(why) => write!(f, "what the engine gave cannot be played: {why}"),
        }
    }
}

/// Makes speech. Whoever calls it sets the time limit, by dropping the future.
pub trait Engine: Send + Sync {
    /// All that decides how a text sounds, but for the text: engine, language, voice, parameters.
    fn identity(&self, speech: &Speech) -> String;
    /// Makes a file of audio: WAV, MP3 or Ogg.
    fn speak<'a>(&'a self, speech: &'a Speech) -> BoxFuture<'a, Result<Vec<u8>, SpeechError>>;
}

/// The voice and speed of a speech, as configured for its language and asked for by the flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// By the engine's name.
    pub voice: String,
    /// Words a minute.
    pub speed: u16,
}

impl Parts {
    /// Of a speech.
    pub fn of(machine: &SpeechMachine, speech: &Speech) -> Self {
        let configured = machine.voices.get(&speech.language);
        let own = configured.map(|voice| voice.name.clone());
        Self {
            voice: speech.voice.clone().or(own).unwrap_or_else(|| speech.language.clone()),
            speed: configured.map_or(crate::config::SPEED, |voice| voice.speed),
        }
    }
}

/// The engine that is configured.
///
/// # Errors
/// Its certificates cannot be read.
pub fn engine(machine: &SpeechMachine) -> Result<Option<Arc<dyn Engine>>, crate::transport::TlsError> {
    Ok(match machine.engine {
        SpeechEngine::None => None,
        SpeechEngine::EspeakNg => Some(Arc::new(EspeakNg::new(machine.clone()))),
        SpeechEngine::Http => {
            let tls = crate::transport::trusting(machine.ca.as_deref())?;
            Some(Arc::new(HttpEngine::new(machine.clone(), tls)))
        }
    })
}
