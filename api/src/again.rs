//! `Idempotency-Key`: a POST that is sent again is answered as it was, and not carried out again
//! (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! Invariant: what a key was used for by one who asks is carried out once while it is remembered: for a day, over restarts
//! ([`kept`]). Who asked need not wait for the answer: what was begun is carried out to its end, and answered when he asks again.
//!
//! An answer that says that nothing was done, for who asks was not known, was too fast, or the switch too busy, is not
//! remembered: the same key may be tried again. Of one whom nobody knows nothing is written down.

mod kept;

use crate::key::find;
use crate::problem::Problem;
use crate::rate::{Credential, credential};
use crate::state::State;
use crate::visitor;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State as Use};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is remembered.
const KEPT: Duration = Duration::from_secs(86_400);
/// Most keys that are remembered.
const KEYS_MAX: usize = 50_000;
/// Most bytes of all answers that are remembered.
const BYTES_MAX: usize = 32 << 20;
/// Longest body of a request that can be told from another, bytes.
const BODY_MAX: usize = 2 << 20;
/// Longest answer that is remembered, bytes; the answer to a longer one is given once.
const ANSWER_MAX: usize = 1 << 20;
/// Longest key, bytes.
const KEY_MAX: usize = 255;
/// The headers that are part of an answer.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

/// Where people sign in, which who is not known may.
const SESSION: &str = "/api/v1/session";
const NAME: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";

/// One who asks, and his key.
type Mark = (Credential, String);

/// An answer that was given.
#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    fn of(problem: &Problem) -> Self {
        let kind = HeaderValue::from_static("application/problem+json");
        Self {
            status: StatusCode::from_u16(problem.status).unwrap_or(StatusCode::CONFLICT),
            headers: vec![(header::CONTENT_TYPE, kind)],
            body: serde_json::to_vec(problem).unwrap_or_default().into(),
        }
    }

    fn response(&self) -> Response {
        let mut response = (self.status, Body::from(self.body.clone())).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.extend(self.headers.iter().cloned());
        response
    }
}

/// What a key was used for.
#[derive(Debug)]
struct Used {
    at: Instant,
    request: [u8; 32],
    /// None while the request is carried out.
    answer: Option<Answer>,
}

/// What a request is to come to.
enum Turn {
    /// It is the first.
    First,
    /// It was answered so.
    Again(Answer),
    /// It is being carried out.
    UnderWay,
    /// The key was used for something else.
    Other,
    /// There is no room, for so much is being carried out.
    Full,
}

#[derive(Default)]
struct Book {
    used: BTreeMap<Mark, Used>,
    /// In the order of time.
    order: VecDeque<(Instant, Mark)>,
    bytes: usize,
}

impl Book {
    fn drop_first(&mut self) {
        let Some((at, mark)) = self.order.pop_front() else { return };
        // A mark that was given up and used anew has a later place.
        if self.used.get(&mark).is_some_and(|used| used.at == at)
            && let Some(used) = self.used.remove(&mark)
        {
            self.bytes -= used.answer.map_or(0, |answer| answer.body.len());
        }
    }

    fn begin(&mut self, mark: &Mark, request: [u8; 32], now: Instant) -> Turn {
        while self.order.front().is_some_and(|(at, _)| now.duration_since(*at) >= KEPT) {
            self.drop_first();
        }
        match self.used.get(mark) {
            Some(used) if used.request != request => return Turn::Other,
            Some(Used { answer: Some(answer), .. }) => return Turn::Again(answer.clone()),
            Some(_) => return Turn::UnderWay,
            None => {}
        }
        while self.order.len() >= KEYS_MAX {
            // What is being carried out is not forgotten.
            let under_way = |mark: &Mark| self.used.get(mark).is_some_and(|used| used.answer.is_none());
            if self.order.front().is_some_and(|(_, mark)| under_way(mark)) {
                return Turn::Full;
            }
            self.drop_first();
        }
        self.used.insert(mark.clone(), Used { at: now, request, answer: None });
        self.order.push_back((now, mark.clone()));
        Turn::First
    }

    fn end(&mut self, mark: &Mark, answer: Option<Answer>) {
        let Some(answer) = answer else {
            self.used.remove(mark);
            self.order.retain(|(_, other)| other != mark);
            return;
        };
        let Some(used) = self.used.get_mut(mark) else { return };
        self.bytes += answer.body.len();
        used.answer = Some(answer);
        while self.bytes > BYTES_MAX && self.order.len() > 1 {
            self.drop_first();
        }
    }
}

/// What keys were used for.
#[derive(Default)]
pub struct Again(Mutex<Book>);

impl Again {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request under way: given up, its key is free again as far as memory goes.
struct Pending {
    book: Arc<Again>,
    mark: Option<Mark>,
}

impl Pending {
    fn end(mut self, answer: Option<Answer>) {
        if let Some(mark) = self.mark.take() {
            self.book.book().end(&mark, answer);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(mark) = self.mark.take() {
            self.book.book().end(&mark, None);
        }
    }
}

fn key(headers: &HeaderMap) -> Option<Result<String, Problem>> {
    let value = headers.get(NAME)?;
    // A structured field has its text in quotes; most programs send it bare.
    let text = value.to_str().unwrap_or_default().trim().trim_matches('"');
    let good = (1..=KEY_MAX).contains(&text.len());
    Some(if good {
        Ok(text.to_owned())
    } else {
        Err(refused(&format!("expected 1 to {KEY_MAX} printable characters")))
    })
}

fn refused(why: &str) -> Problem {
    Problem::field("Idempotency-Key", why)
}

fn digest(method: &Method, target: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), target.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What an answer shows that is not for everybody who reads it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    /// Nothing of the kind.
    Nothing,
    /// A token or password that a page works with: given again to who asks again, and not written to the disk.
    Token,
    /// A key, a password, a token or a code, which is shown once.
    Secret,
}

impl Shows {
    fn of(path: &str) -> Self {
        let path = path.strip_prefix("/api/v1/").unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["keys" | "users" | "session" | "webhooks", ..] | [.., "sign-in"] => Self::Secret,
            ["chats" | "click-calls"] | ["agents", _, "phone"] => Self::Token,
            _ => Self::Nothing,
        }
    }
}

/// Whether it is somebody who may ask, by whatever he shows.
async fn known(parts: &Parts, state: &State) -> Result<(), Problem> {
    match visitor::is_one(&parts.headers) {
        true => visitor::known(parts, state).await,
        false => find(parts, state).await.map(drop),
    }
}

/// Every POST of the API goes by here.
pub(crate) async fn once(Use(state): Use<State>, request: Request, next: Next) -> Response {
    let of_api = request.method() == Method::POST && request.uri().path().starts_with("/api/");
    let (Some(key), Some(who)) = (key(request.headers()).filter(|_| of_api), credential(request.headers()))
    else {
        return next.run(request).await;
    };
    match key {
        Ok(key) => carry(&state, (who, key), request, next).await.unwrap_or_else(IntoResponse::into_response),
        Err(problem) => problem.into_response(),
    }
}

async fn carry(state: &State, mark: Mark, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_MAX).await.map_err(|_| {
        let why = format!("at most {BODY_MAX} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long", why)
    })?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let request = digest(&parts.method, target, &body);
    let named = |status, code, why: &str| {
        let mut problem = Problem { code: Some(code), ..refused(why) };
        problem.status = status;
        problem
    };
    // Not in the `match`: the book would be held while the request is carried out.
    let turn = state.again.book().begin(&mark, request, Instant::now());
    match turn {
        Turn::Again(answer) => {
            // what was revoked since opens nothing, the answers that it was given neither
            known(&parts, state).await?;
            return Ok(replayed(&answer));
        }
        Turn::Other => {
            return Err(named(422, "key_used", "this key was used for another request"));
        }
        Turn::UnderWay => {
            return Err(named(409, "key_under_way", "the request of this key is being carried out"));
        }
        Turn::Full => {
            let mut problem = named(503, "keys_full", "too many requests with keys are under way");
            problem.retry_after_s = Some(1);
            return Err(problem);
        }
        Turn::First => {}
    }
    let pending = Pending { book: state.again.clone(), mark: Some(mark) };
    let shows = Shows::of(parts.uri.path());
    let next = next.run(Request::from_parts(parts.clone(), Body::from(body)));
    match known(&parts, state).await {
        Ok(()) => {}
        // A person's page may have a cookie of a session that is over when he signs in anew.
        Err(_) if parts.uri.path() == SESSION => return Ok(next.await),
        Err(problem) => return Err(problem),
    }
    let first = First { state: state.clone(), pending, request };
    // Who asked may be gone meanwhile; he will ask again.
    match tokio::spawn(first.run(shows, next)).await {
        Ok(Outcome::Done(response)) => Ok(response),
        Ok(Outcome::Again(answer)) => Ok(replayed(&answer)),
        Ok(Outcome::Other) => Err(named(422, "key_used", "this key was used for another request")),
        Ok(Outcome::Unknown) => {
            let why = "a request of this key was begun before the switch's last start, and what came of it is not known: look, \
                       and ask with another key if it is to be done";
            Err(named(409, "key_outcome_unknown", why))
        }
        Ok(Outcome::Busy) => {
            let mut problem =
                named(503, "key_busy", "what came of this key cannot be read now; nothing was done");
            problem.retry_after_s = Some(1);
            Err(problem)
        }
        // It has panicked, and that is in the log.
        Err(_) => Err(named(500, "internal", "it is not known whether this was done")),
    }
}

/// Why a request whose parameter is the key is neither carried out nor answered as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The key was used for another request.
    Other,
    /// The first one is being carried out.
    UnderWay,
    /// It was begun, and what came of it is not known.
    Unknown,
    /// Nothing was done now; it may be sent again.
    Busy,
}

/// The same for a request that has its key among its parameters: `whose` is who asks and for what, `said` the rest of what he says.
/// It is known who asks.
///
/// # Errors
/// It was not carried out, and there is no answer to give again.
pub(crate) async fn by_parameter(
    state: &State,
    (whose, key): (&str, &str),
    said: &[u8],
    next: impl Future<Output = Response> + Send + 'static,
) -> Result<Response, Unanswered> {
    let mark = (Sha256::digest(whose).into(), key.to_owned());
    let request = digest(&Method::POST, whose, said);
    let turn = state.again.book().begin(&mark, request, Instant::now());
    match turn {
        Turn::Again(answer) => return Ok(answer.response()),
        Turn::Other => return Err(Unanswered::Other),
        Turn::UnderWay => return Err(Unanswered::UnderWay),
        Turn::Full => return Err(Unanswered::Busy),
        Turn::First => {}
    }
    let pending = Pending { book: state.again.clone(), mark: Some(mark) };
    let first = First { state: state.clone(), pending, request };
    match tokio::spawn(first.run(Shows::Nothing, next)).await {
        Ok(Outcome::Done(response)) => Ok(response),
        Ok(Outcome::Again(answer)) => Ok(answer.response()),
        Ok(Outcome::Other) => Err(Unanswered::Other),
        Ok(Outcome::Busy) => Err(Unanswered::Busy),
        // the second has panicked, and that is in the log
        Ok(Outcome::Unknown) | Err(_) => Err(Unanswered::Unknown),
    }
}

fn replayed(answer: &Answer) -> Response {
    let mut response = answer.response();
    response.headers_mut().insert(HeaderName::from_static(REPLAYED), HeaderValue::from_static("true"));
    response
}

/// What a request came to.
enum Outcome {
    /// This.
    Done(Response),
    /// It was answered so before the last start.
    Again(Answer),
    /// The key was used for something else before.
    Other,
    /// It was begun before.
    Unknown,
    /// It was begun before, and the store does not say now how it was answered.
    Busy,
}

/// A request that memory does not know.
struct First {
    state: State,
    pending: Pending,
    request: [u8; 32],
}

impl First {
    async fn run(self, shows: Shows, next: impl Future<Output = Response>) -> Outcome {
        let Self { state, pending, request } = self;
        let Some(mark) = pending.mark.clone() else { return Outcome::Busy };
        match kept::begin(&*state.switch, &mark).await {
            kept::Before::Never => {}
            kept::Before::Answered(other, _) if other != request => return Outcome::Other,
            kept::Before::Answered(_, answer) => {
                pending.end(Some(answer.clone()));
                return Outcome::Again(answer);
            }
            kept::Before::Unknown => return Outcome::Unknown,
            kept::Before::Busy => return Outcome::Busy,
        }
        let (response, answer) = answer(next.await, shows).await;
        match &answer {
            Some(answer) if shows == Shows::Token && answer.status.is_success() => {
                kept::answered(&*state.switch, &mark, request, &shown_once()).await;
            }
            Some(answer) => kept::answered(&*state.switch, &mark, request, answer).await,
            None => kept::freed(&*state.switch, &mark).await,
        }
        pending.end(answer);
        Outcome::Done(response)
    }
}

fn shown_once() -> Answer {
    let problem = refused("this was done already, and what it showed is shown once");
    Answer::of(&Problem { status: 409, code: Some("shown_once"), ..problem })
}

/// The response, and what is remembered of it; none if nothing was done.
async fn answer(response: Response, shows: Shows) -> (Response, Option<Answer>) {
    let status = response.status();
    if matches!(status.as_u16(), 401 | 403 | 429 | 500..) {
        return (response, None);
    }
    if shows == Shows::Secret && status.is_success() {
        return (response, Some(shown_once()));
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_MAX).await else {
        let why = "the answer is too long to be remembered; what was asked has been done";
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer is too long", why);
        let answer = Answer::of(&problem);
        return (problem.into_response(), Some(answer));
    };
    let headers =
        HEADERS.into_iter().filter_map(|name| Some((name.clone(), parts.headers.get(&name)?.clone())));
    let answer = Answer { status, headers: headers.collect(), body: body.clone() };
    (Response::from_parts(parts, Body::from(body)), Some(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Answer {
        Answer { status: StatusCode::OK, headers: Vec::new(), body: Bytes::from(vec![b'x'; bytes]) }
    }

    fn mark(n: usize) -> Mark {
        ([1; 32], n.to_string())
    }

    #[test]
    fn a_key_is_for_one_request_until_a_day_is_over() {
        let (mut book, now) = (Book::default(), Instant::now());
        assert!(matches!(book.begin(&mark(1), [1; 32], now), Turn::First));
        assert!(matches!(book.begin(&mark(1), [1; 32], now), Turn::UnderWay));
        book.end(&mark(1), Some(answer(3)));
        assert!(matches!(book.begin(&mark(1), [1; 32], now), Turn::Again(_)));
        assert!(matches!(book.begin(&mark(1), [2; 32], now), Turn::Other));
        assert!(matches!(book.begin(&([2; 32], "1".into()), [2; 32], now), Turn::First), "another's key");
        assert!(matches!(book.begin(&mark(1), [2; 32], now + KEPT), Turn::First));
    }

    #[test]
    fn what_was_not_carried_out_frees_its_key() {
        let (mut book, now) = (Book::default(), Instant::now());
        book.begin(&mark(1), [1; 32], now);
        book.end(&mark(1), None);
        assert!(matches!(book.begin(&mark(1), [2; 32], now), Turn::First));
        assert_eq!((book.used.len(), book.order.len()), (1, 1));
    }

    #[test]
    fn the_oldest_answers_go_when_there_is_no_room() {
        let (mut book, now) = (Book::default(), Instant::now());
        for n in 0..40 {
            book.begin(&mark(n), [1; 32], now);
            book.end(&mark(n), Some(answer(ANSWER_MAX)));
        }
        assert!(book.bytes <= BYTES_MAX);
        assert!(matches!(book.begin(&mark(39), [1; 32], now), Turn::Again(_)));
        assert!(matches!(book.begin(&mark(0), [1; 32], now), Turn::First));
        let mut book = Book::default();
        for n in 0..KEYS_MAX {
            book.begin(&mark(n), [1; 32], now);
        }
        assert!(matches!(book.begin(&mark(KEYS_MAX), [1; 32], now), Turn::Full));
        book.end(&mark(0), Some(answer(1)));
        assert!(matches!(book.begin(&mark(KEYS_MAX), [1; 32], now), Turn::First));
        assert_eq!(book.used.len(), KEYS_MAX);
    }
}
