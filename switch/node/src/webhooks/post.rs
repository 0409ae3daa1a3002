//! One attempt to deliver: a POST over a connection that is kept while it is good.

use crate::config::WebhooksMachine;
use crate::outgoing::{self, OutgoingError};
use axum::body::Body;
use futures_util::StreamExt;
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Longest answer that is read before the connection is used again, bytes.
const ANSWER: usize = 64 << 10;

/// What is posted.
pub(super) struct Parcel<'a> {
    pub(super) url: &'a str,
    pub(super) id: &'a str,
    pub(super) at: i64,
    pub(super) signature: &'a str,
    pub(super) body: &'a str,
}

/// Why it was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// In words.
    Failed(String),
    /// It says that it never will be (410).
    Gone,
}

/// Who posts.
pub(super) struct Poster {
    pub(super) machine: Arc<WebhooksMachine>,
    pub(super) tls: Arc<ClientConfig>,
    open: Option<Open>,
}

/// A connection that was posted by, and may be again: to the same place.
struct Open {
    place: (bool, String, u16),
    sender: SendRequest<Body>,
    connection: JoinHandle<Result<(), hyper::Error>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Poster {
    pub(super) fn new(machine: Arc<WebhooksMachine>, tls: Arc<ClientConfig>) -> Self {
        Self { machine, tls, open: None }
    }

    /// Posts; taken is what is answered with 2xx within the time.
    pub(super) async fn post(&mut self, parcel: &Parcel<'_>) -> Result<(), NotTaken> {
        let limit = self.machine.limit;
        let outcome = tokio::time::timeout(limit, self.once(parcel)).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(NotTaken::Failed(format!("no answer within {limit:?}"))));
        if outcome.is_err() {
            self.open = None;
        }
        outcome
    }

    async fn once(&mut self, parcel: &Parcel<'_>) -> Result<(), NotTaken> {
        let failed = |why: String| NotTaken::Failed(why);
        let schemes = ["http", "https"];
        let target = outgoing::allowed(&self.machine.allowed, parcel.url, schemes);
        let target = target.ok_or_else(|| failed("[webhooks] allowed does not name this URL".into()))?;
        let place = (target.secure, target.host.clone(), target.port);
        // What has gone elsewhere since does not go by the connection to where it went.
        let kept = match self.open.take().filter(|open| open.place == place) {
            Some(mut open) => open.sender.ready().await.is_ok().then_some(open),
            None => None,
        };
        let open = match kept {
            Some(open) => open,
            None => {
                let wire = outgoing::connect(&target, self.machine.allow_private, &self.tls).await;
                let wire = wire.map_err(|why: OutgoingError| failed(why.to_string()))?;
                let shaken = handshake(TokioIo::new(wire)).await;
                let (sender, connection) = shaken.map_err(|why| failed(why.to_string()))?;
                Open { place, sender, connection: tokio::spawn(connection) }
            }
        };
        let open = self.open.insert(open);
        let request = Request::post(&target.path)
            .header(HOST, target.authority())
            .header(USER_AGENT, "Cordboard")
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", parcel.id)
            .header("webhook-timestamp", parcel.at)
            .header("webhook-signature", parcel.signature)
            .body(Body::from(parcel.body.to_owned()));
        let request = request.map_err(|why| failed(why.to_string()))?;
        let response = open.sender.send_request(request).await.map_err(|why| failed(why.to_string()))?;
        let status = response.status();
        let mut parts = Body::new(response.into_body()).into_data_stream();
        let mut read = 0;
        while let Some(Ok(part)) = parts.next().await {
            read += part.len();
            if read > ANSWER {
                // What it says is not wanted, and not waited for.
                self.open = None;
                break;
            }
        }
        match status.as_u16() {
            200..=299 => Ok(()),
            410 => Err(NotTaken::Gone),
            code => Err(failed(format!("answered {code}"))),
        }
    }
}
