//! What flows ask by HTTP: one task takes the questions, and each is asked in one of its own.
//!
//! Invariants: every question is answered once, if only by a failure, and within its time. It goes only where the tenant's
//! configuration allows, each secret only where that secret may go, and to no private address that was not allowed by name.
//! A redirection is not followed. No line of the log has a header, a body or a query.

use crate::config::FetchMachine;
use crate::outgoing::{self, OutgoingError, Target};
use crate::shard::Order;
use axum::body::{Body, Bytes};
use cordboard_lane::Sender;
use cordboard_model::fetch::{FetchError, FetchOrder, Fetched};
use cordboard_model::id::CallId;
use futures_util::StreamExt;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// Questions that may wait to be taken; one more is answered with a failure.
const WAITING: usize = 256;
/// Questions of one call under way: no call has all of them.
const OF_CALL: usize = 4;
/// Pause before the second try; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// A question with the name of its answer.
#[derive(Debug)]
pub struct Question {
    /// Names it in the answer.
    pub ticket: u64,
    /// The question.
    pub order: Box<FetchOrder>,
}

/// What each question is asked with.
struct Asking {
    machine: FetchMachine,
    tls: Arc<ClientConfig>,
    shard: Sender<Order>,
}

/// Begins; ends when the shard has.
pub fn start(machine: FetchMachine, tls: Arc<ClientConfig>, shard: Sender<Order>) -> mpsc::Sender<Question> {
    let (questions, mut asked) = mpsc::channel::<Question>(WAITING);
    let turns = Arc::new(Semaphore::new(machine.at_once as usize));
    let asking = Arc::new(Asking { machine, tls, shard });
    let own = Arc::new(Own::default());
    tokio::spawn(async move {
        while let Some(Question { ticket, order }) = asked.recv().await {
            let asking = Arc::clone(&asking);
            let turn = Arc::clone(&turns).try_acquire_owned().ok().zip(Own::begin(&own, order.call));
            tokio::spawn(async move {
                let fetched = match turn {
                    Some(_turn) => asking.ask(&order).await,
                    None => Err(FetchError::Overloaded),
                };
                let fetched = fetched.unwrap_or_else(|why| {
                    let url = order.url.split('?').next().unwrap_or_default();
                    tracing::warn!(call = %order.call, url, why = why.as_str(), "a flow's question has no answer");
                    Fetched::Failed(why)
                });
                asking.answer(ticket, fetched).await;
            });
        }
    });
    questions
}

/// Questions under way of each call. A flow may wait for something else before its question has its answer, and ask again.
#[derive(Default)]
struct Own(Mutex<BTreeMap<CallId, usize>>);

/// One of them; over when dropped.
struct OneOf(Arc<Own>, CallId);

impl Own {
    /// One more, unless the call has as many as it may.
    fn begin(own: &Arc<Own>, call: CallId) -> Option<OneOf> {
        let mut calls = own.0.lock().ok()?;
        let count = calls.entry(call).or_default();
        if *count >= OF_CALL {
            return None;
        }
        *count += 1;
        Some(OneOf(Arc::clone(own), call))
    }
}

impl Drop for OneOf {
    fn drop(&mut self) {
        let Ok(mut calls) = self.0.0.lock() else { return };
        if let Some(count) = calls.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                calls.remove(&self.1);
            }
        }
    }
}

/// What a try came to.
enum Tried {
    Answer(Fetched),
    /// Nothing was sent yet.
    NotSent(FetchError),
    /// It may have been done.
    Sent(FetchError),
}

impl Asking {
    async fn ask(&self, order: &FetchOrder) -> Result<Fetched, FetchError> {
        let schemes = ["http", "https"];
        let allowed = |list: &Vec<String>| outgoing::allowed(list, &order.url, schemes).is_some();
        let target = Target::read(&order.url, schemes).filter(|_| order.within.iter().all(allowed));
        let target = target.ok_or(FetchError::Forbidden)?;
        let limit = Duration::from_millis(order.timeout_ms.into());
        tokio::time::timeout(limit, self.tries(order, &target)).await.unwrap_or(Err(FetchError::Late))
    }

    async fn tries(&self, order: &FetchOrder, target: &Target) -> Result<Fetched, FetchError> {
        let mut left = order.retries;
        let mut pause = PAUSE;
        loop {
            let (outcome, again) = match self.once(order, target).await {
                Tried::Answer(fetched) => {
                    let again = matches!(&fetched, Fetched::Answer { status, .. } if order.method.is_idempotent()
                        && [502, 503, 504].contains(status));
                    (Ok(fetched), again)
                }
                Tried::NotSent(why) => (Err(why), why == FetchError::Unreachable),
                Tried::Sent(why) => (Err(why), order.method.is_idempotent() && why != FetchError::TooLarge),
            };
            if !again || left == 0 {
                return outcome;
            }
            left -= 1;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn once(&self, order: &FetchOrder, target: &Target) -> Tried {
        let wire = match outgoing::connect(target, self.machine.allow_private, &self.tls).await {
            Ok(wire) => wire,
            Err(OutgoingError::Private(_)) => return Tried::NotSent(FetchError::Forbidden),
            Err(_) => return Tried::NotSent(FetchError::Unreachable),
        };
        let Some(request) = request(order, target) else {
            return Tried::NotSent(FetchError::ProtocolError);
        };
        let Ok((sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(wire)).await else {
            return Tried::NotSent(FetchError::Unreachable);
        };
        let connection = Ending(tokio::spawn(connection));
        let outcome = send(sender, request, self.machine.answer_size).await;
        drop(connection);
        outcome.map_or_else(Tried::Sent, Tried::Answer)
    }

    async fn answer(&self, ticket: u64, fetched: Fetched) {
        let mut order = Order::Fetched { ticket, fetched };
        // The lane is full only while the shard is far behind.
        while let Err(back) = self.shard.try_send(order) {
            if self.shard.is_closed() {
                return;
            }
            order = back.item;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A task that ends with who waits for it, also when his time is up.
struct Ending<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn send(
    mut sender: SendRequest<Body>,
    request: Request<Body>,
    most: usize,
) -> Result<Fetched, FetchError> {
    let response = sender.send_request(request).await.map_err(|_| FetchError::ProtocolError)?;
    let status = response.status();
    let json = is_json(&response) && status != StatusCode::NO_CONTENT;
    let mut parts = Body::new(response.into_body()).into_data_stream();
    let mut body: Vec<u8> = Vec::new();
    while let Some(part) = parts.next().await {
        let part: Bytes = part.map_err(|_| FetchError::ProtocolError)?;
        if body.len() + part.len() > most {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&part);
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Fetched::Answer { status: status.as_u16(), json, body })
}

fn is_json<B>(response: &Response<B>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json") || kind == "text/json"
}

fn request(order: &FetchOrder, target: &Target) -> Option<Request<Body>> {
    let mut request = Request::builder()
        .method(order.method.as_str())
        .uri(&target.path)
        .header(HOST, target.authority())
        .header(USER_AGENT, "Cordboard");
    for (name, value) in &order.headers {
        let mut value = HeaderValue::try_from(&value.0).ok()?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    let body = match &order.body {
        Some((kind, text)) => {
            request = request.header(CONTENT_TYPE, kind);
            Body::from(text.0.clone())
        }
        None => Body::empty(),
    };
    request.body(body).ok()
}

#[cfg(test)]
mod tests;
