//! An engine that is asked by HTTP: one POST of JSON, answered with a file of audio. The body is a pattern of the
//! configuration, so that services with other names for the same things need no program between.

use super::engine::{AUDIO_MAX, Engine, Parts, SpeechError};
use crate::config::SpeechMachine;
use crate::outgoing::{self, Target};
use axum::body::{Body, to_bytes};
use cordboard_model::speech::Speech;
use futures_util::future::BoxFuture;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::sync::Arc;

/// Most bytes of a refusal's words that are kept.
const WORDS_MAX: usize = 200;

/// See the module.
pub(super) struct HttpEngine {
    machine: SpeechMachine,
    tls: Arc<ClientConfig>,
}

impl HttpEngine {
    pub(super) fn new(machine: SpeechMachine, tls: Arc<ClientConfig>) -> Self {
        Self { machine, tls }
    }

    async fn ask(&self, speech: &Speech) -> Result<Vec<u8>, SpeechError> {
        let failed = |why: String| SpeechError::Engine(why);
        let url = &self.machine.url;
        let target =
            Target::read(url, ["http", "https"]).ok_or_else(|| failed(format!("{url} is no URL")))?;
        let wire = outgoing::connect(&target, self.machine.allow_private, &self.tls).await;
        let wire = wire.map_err(|why| failed(why.to_string()))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(wire))
            .await
            .map_err(|why| failed(why.to_string()))?;
        // ends with the request, for the sender is dropped then
        let connection = tokio::spawn(connection);
        let outcome = async {
            let request = self.request(&target, speech).map_err(|why| failed(why.to_string()))?;
            let response = sender.send_request(request).await.map_err(|why| failed(why.to_string()))?;
            let status = response.status();
            let body = to_bytes(Body::new(response.into_body()), AUDIO_MAX).await;
            let body = body.map_err(|why| SpeechError::Audio(why.to_string()))?;
            if !status.is_success() {
                let words =
                    String::from_utf8_lossy(body.get(..WORDS_MAX.min(body.len())).unwrap_or_default());
                return Err(SpeechError::Refused(format!(
                    "{status} {}",
                    words.replace(char::is_control, " ")
                )));
            }
            Ok(body.to_vec())
        }
        .await;
        connection.abort();
        outcome
    }

    fn request(&self, target: &Target, speech: &Speech) -> Result<Request<Body>, axum::http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&target.path)
            .header(HOST, target.authority())
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.machine.key
            && let Ok(mut value) = HeaderValue::try_from(format!("Bearer {}", key.0))
        {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Body::from(body(&self.machine, speech)))
    }
}

/// The pattern with the words of a speech put in, each as a JSON string.
fn body(machine: &SpeechMachine, speech: &Speech) -> String {
    let Parts { voice, speed } = Parts::of(machine, speech);
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let speed = speed.to_string();
    let words = [
        ("{text}", quoted(&speech.text)),
        ("{language}", quoted(&speech.language)),
        ("{voice}", quoted(&voice)),
        ("{speed}", speed),
    ];
    // One way through it: a text that holds "{voice}" is not read again.
    let mut rest = machine.body.as_str();
    let mut made = String::new();
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        made.push_str(before);
        match words.iter().find(|(word, _)| from.starts_with(word)) {
            Some((word, value)) => {
                made.push_str(value);
                rest = from.get(word.len()..).unwrap_or_default();
            }
            None => {
                made.push('{');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    made.push_str(rest);
    made
}

impl Engine for HttpEngine {
    fn identity(&self, speech: &Speech) -> String {
        format!(
            "{}\n{}",
            self.machine.url,
            body(&self.machine, &Speech { text: String::new(), ..speech.clone() })
        )
    }

    fn speak<'a>(&'a self, speech: &'a Speech) -> BoxFuture<'a, Result<Vec<u8>, SpeechError>> {
        Box::pin(self.ask(speech))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_takes_each_word_as_json_and_no_word_of_a_text_is_read_again() {
        let machine = SpeechMachine {
            body: r#"{"input":{text},"voice":{voice},"lang":{language},"speed":{speed}}"#.into(),
            ..SpeechMachine::default()
        };
        let speech = Speech {
            text: "say \"{voice}\"\n\u{4f60}".into(),
            language: "zh".into(),
            voice: Some("v1".into()),
        };
        let value: serde_json::Value = serde_json::from_str(&body(&machine, &speech)).unwrap();
        assert_eq!(value["input"], "say \"{voice}\"\n\u{4f60}");
        assert_eq!((&value["voice"], &value["lang"]), (&"v1".into(), &"zh".into()));
        assert_eq!(value["speed"], crate::config::SPEED);
    }
}
