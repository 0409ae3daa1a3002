//! What keys were used for, over restarts: a mark is in the store before a request is carried out, and its answer after.
//!
//! Invariant: a request whose mark the store has is not carried out again after a restart, whatever came of it: it is answered as it
//! was, or, where a crash came between, told that this is not known. While the store takes nothing, what memory has is all there is:
//! calls are controlled without it.

use super::{Answer, KEPT, Mark};
use crate::once;
use crate::switch::Switch;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use cordboard_model::access::AccessWrite;
use cordboard_model::once::OnceAnswer;
use cordboard_model::time::Wall;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest wait for the store before a request is carried out without it.
const STORE: Duration = Duration::from_secs(1);
/// Longest answer that is kept over a restart, bytes.
const ANSWER_MAX: usize = 64 << 10;

/// What the store says of a request.
pub(super) enum Before {
    /// It has its mark from now on, or cannot say: it is to be carried out.
    Never,
    /// It was answered so, and this is a hash of it.
    Answered([u8; 32], Answer),
    /// It was begun before the switch's last start; what came of it is not known.
    Unknown,
    /// It was begun before, and the store cannot say now what came of it.
    Busy,
}

/// An answer, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Kept {
    /// None of one that is too long, or no text.
    fn of(answer: &Answer) -> Option<Self> {
        let body = std::str::from_utf8(&answer.body).ok().filter(|body| body.len() <= ANSWER_MAX)?;
        let text = |(name, value): &(HeaderName, HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = answer.headers.iter().filter_map(text).collect();
        Some(Self { status: answer.status.as_u16(), headers, body: body.to_owned() })
    }

    fn answer(self) -> Option<Answer> {
        let header = |(name, value): (String, String)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        };
        Some(Answer {
            status: StatusCode::from_u16(self.status).ok()?,
            headers: self.headers.into_iter().filter_map(header).collect(),
            body: Bytes::from(self.body),
        })
    }
}

/// Of who asks and his key. What he asks with cannot be had from it.
fn hash((who, key): &Mark) -> [u8; 16] {
    let who: String = who.iter().map(|byte| format!("{byte:02x}")).collect();
    once::mark(&["idempotency-key", &who, key])
}

fn until(now: Wall) -> Wall {
    Wall(now.0.saturating_add(i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX)))
}

/// Before a request that memory does not know is carried out.
pub(super) async fn begin(switch: &dyn Switch, mark: &Mark) -> Before {
    let (mark, now) = (hash(mark), switch.moment());
    match tokio::time::timeout(STORE, once::take(switch, mark, until(now), now)).await {
        Ok(Ok(false)) => {}
        Ok(Ok(true) | Err(_)) | Err(_) => return Before::Never,
    }
    // It was begun: whatever is wrong with the store now, it is not carried out again.
    let Ok(Ok(known)) = tokio::time::timeout(STORE, switch.answer(mark)).await else {
        return Before::Busy;
    };
    let read = known
        .and_then(|(request, answer)| Some((request, serde_json::from_str::<Kept>(&answer).ok()?.answer()?)));
    read.map_or(Before::Unknown, |(request, answer)| Before::Answered(request, answer))
}

/// It was carried out and answered so.
pub(super) async fn answered(switch: &dyn Switch, mark: &Mark, request: [u8; 32], answer: &Answer) {
    let kept = Kept::of(answer).and_then(|kept| serde_json::to_string(&kept).ok());
    if let Some(answer) = kept {
        let at = switch.moment();
        let given = OnceAnswer { mark: hash(mark), request, until: until(at), at, answer };
        // Without it a repeat after a restart is told that the outcome is not known. What is on its way is not called back.
        let keep = switch.keep(vec![AccessWrite::OnceAnswer(Box::new(given))]);
        let _ = tokio::time::timeout(STORE, keep).await;
    }
}

/// It was not carried out: the key is free.
pub(super) async fn freed(switch: &dyn Switch, mark: &Mark) {
    let _ = tokio::time::timeout(STORE, switch.keep(vec![AccessWrite::NotOnce(hash(mark))])).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_as_it_was_and_what_is_no_text_or_too_long_is_not_kept() {
        let header = (axum::http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let of = |body: Vec<u8>| Answer {
            status: StatusCode::CREATED,
            headers: vec![header.clone()],
            body: body.into(),
        };
        let kept = Kept::of(&of("{\"name\": \"Łódź\"}".into())).unwrap();
        let text = serde_json::to_string(&kept).unwrap();
        let again = serde_json::from_str::<Kept>(&text).unwrap().answer().unwrap();
        assert_eq!(
            (again.status, &again.headers, again.body.as_ref()),
            (StatusCode::CREATED, &vec![header.clone()], "{\"name\": \"Łódź\"}".as_bytes())
        );
        assert!(Kept::of(&of(vec![0xff])).is_none() && Kept::of(&of(vec![b'x'; ANSWER_MAX + 1])).is_none());
    }

    #[test]
    fn a_mark_is_of_who_asks_and_his_key() {
        let marks =
            [([1; 32], "a"), ([2; 32], "a"), ([1; 32], "b")].map(|(who, key)| hash(&(who, key.into())));
        assert!(marks[0] != marks[1] && marks[0] != marks[2]);
        assert_eq!(marks[0], hash(&([1; 32], "a".into())));
    }
}
