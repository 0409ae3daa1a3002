//! Recordings: what becomes of a call's, and the download of one, with `Range` (RFC 9110 14) so that a player can seek.

use crate::asked::{Of, On, Said, Says};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::state::State;
use crate::switch::{Command, Record, RecordingAudio};
use axum::body::Body as AxumBody;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::id::{CallId, RecordingId};
use cordboard_model::verb::{RECORD_WHY_MAX, RecordAct};
use schemars::JsonSchema;
use serde::Deserialize;
use std::io::Read;

/// Bytes read from the file at a time.
const CHUNK: usize = 64 * 1024;

/// What part of a file of `len` bytes is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    /// From, to (inclusive).
    Some(u64, u64),
    Unsatisfiable,
}

/// A position (RFC 9110 14.1.1: `1*DIGIT`). One that no number of ours holds is behind every end.
fn position(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Reads a `Range` value. Anything but one byte range is ignored, as RFC 9110 14.2 allows.
fn part(range: Option<&HeaderValue>, len: u64) -> Part {
    let Some((unit, spec)) =
        range.and_then(|value| value.to_str().ok()).and_then(|text| text.split_once('='))
    else {
        return Part::All;
    };
    // RFC 9110 14.1: "Range units are case-insensitive"
    let Some((first, last)) = spec.trim().split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes"))
    else {
        return Part::All;
    };
    let end = len.saturating_sub(1);
    let parsed = match (position(first), position(last)) {
        (Some(from), Some(to)) if from <= to => (from, to.min(end)),
        (Some(from), None) if last.is_empty() => (from, end),
        (None, Some(0)) if first.is_empty() => return Part::Unsatisfiable,
        (None, Some(tail)) if first.is_empty() => (len.saturating_sub(tail), end),
        _ => return Part::All,
    };
    if parsed.0 >= len { Part::Unsatisfiable } else { Part::Some(parsed.0, parsed.1) }
}

/// Whether an entity tag is among those of a condition, compared weakly (RFC 9110 8.8.3.2).
fn names(condition: &HeaderValue, tag: &str) -> bool {
    let text = condition.to_str().unwrap_or_default();
    text.trim() == "*" || text.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
}

/// The range that is asked for, unless something speaks against a part. RFC 9110 14.2: a server "MUST ignore a Range header field
/// received with a request method" other than GET; 13.1.5: "MUST ignore the Range header field" when `If-Range` does not match,
/// and it matches a strong tag alone, never a date, for we give out none.
fn wanted<'a>(method: &Method, headers: &'a HeaderMap, tag: Option<&str>) -> Option<&'a HeaderValue> {
    let same = |condition: &HeaderValue| tag.is_some_and(|tag| condition.as_bytes() == tag.as_bytes());
    let holds = headers.get(header::IF_RANGE).is_none_or(same);
    headers.get(header::RANGE).filter(|_| *method == Method::GET && holds)
}

/// `GET /api/v1/recordings/{id}`: the WAV file.
pub(crate) async fn download(
    of: Of<RecordingId>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    audio(&of.state, of.id, &method, &headers).await
}

/// The audio of a recording, or the part of it that is asked for.
pub(crate) async fn audio(
    state: &State,
    recording: RecordingId,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let RecordingAudio { tag, len, media_type, open } = state.switch.recording_audio(recording).await?;
    let tag = tag.map(|tag| format!("\"{tag}\""));
    let tag_value = tag.as_ref().and_then(|tag| HeaderValue::from_str(tag).ok());
    if let (Some(tag), Some(known)) = (&tag, headers.get(header::IF_NONE_MATCH))
        && names(known, tag)
    {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response.headers_mut().extend(tag_value.map(|tag| (header::ETAG, tag)));
        return Ok(response);
    }
    let (status, from, to) = match part(wanted(method, headers, tag.as_deref()), len) {
        Part::All => (StatusCode::OK, 0, len.saturating_sub(1)),
        Part::Some(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        Part::Unsatisfiable => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{len}"))];
            let mut problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "the recording does not have these bytes",
                format!("it has {len}"),
            );
            problem.field = Some("Range".into());
            return Ok((range, problem).into_response());
        }
    };
    let unreadable = |why: &dyn std::fmt::Display| {
        let text = format!("recording {recording} cannot be read: {why}");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "unreadable", text)
    };
    let audio = move |body: AxumBody, wanted: u64| {
        let mut response = (status, body).into_response();
        let out = response.headers_mut();
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        out.insert(header::CONTENT_LENGTH, HeaderValue::from(wanted));
        out.extend(tag_value.map(|tag| (header::ETAG, tag)));
        if status == StatusCode::PARTIAL_CONTENT
            && let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{to}/{len}"))
        {
            out.insert(header::CONTENT_RANGE, range);
        }
        response
    };
    let wanted = if len == 0 { 0 } else { to - from + 1 };
    if *method == Method::HEAD {
        return Ok(audio(AxumBody::empty(), wanted));
    }
    let opened = tokio::task::spawn_blocking(move || open(from)).await.map_err(|why| unreadable(&why))?;
    let file = opened.map_err(|why| unreadable(&why))?;
    Ok(audio(AxumBody::from_stream(chunks(file, wanted)), wanted))
}

/// The next `wanted` bytes of `file`, in chunks. A file that ends early ends the stream with an error.
pub(crate) fn chunks(
    file: Box<dyn Read + Send>,
    wanted: u64,
) -> impl futures_util::Stream<Item = std::io::Result<Vec<u8>>> {
    futures_util::stream::try_unfold((file, wanted), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        let read = move || {
            let mut chunk = vec![0; size];
            file.read_exact(&mut chunk).map(|()| (chunk, file))
        };
        let (chunk, file) = tokio::task::spawn_blocking(read).await.map_err(std::io::Error::other)??;
        Ok(Some((chunk, (file, left - size as u64))))
    })
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "RecordingOrder")]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    r#do: RecordAct,
    #[serde(default)]
    why: String,
}

impl Says for Body {
    const FIELD: &'static str = "do";
    const EXPECTED: &'static str =
        r#"expected {"do": "start"}, "stop", "pause" or "resume", and perhaps "why": "card number""#;
}

/// Begins, ends, pauses or resumes the recording of a call.
pub(crate) async fn order(call: Of<CallId>, Said(body): Said<Body>) -> Answer<Done> {
    if body.why.len() > RECORD_WHY_MAX {
        return Err(Problem::field("why", format!("longer than {RECORD_WHY_MAX} bytes")));
    }
    let record = Record { call: call.id, act: body.r#do, by: call.by(), why: body.why };
    call.order(Command::Record(record)).await
}

/// Keeps a recording from being deleted, or no longer.
pub(crate) async fn hold(recording: Of<RecordingId>, Said(On { on }): Said<On>) -> Answer<Done> {
    recording.order(Command::HoldRecording(recording.id, on)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let of = |text: &'static str| part(Some(&HeaderValue::from_static(text)), 100);
        assert_eq!(part(None, 100), Part::All);
        assert_eq!(of("bytes=0-9"), Part::Some(0, 9));
        assert_eq!(of("bytes=90-"), Part::Some(90, 99));
        assert_eq!(of("bytes=-10"), Part::Some(90, 99));
        assert_eq!(of("bytes=50-500"), Part::Some(50, 99));
        assert_eq!(of("bytes=100-"), Part::Unsatisfiable);
        assert_eq!(of("bytes=-0"), Part::Unsatisfiable);
        assert_eq!(of("bytes=0-1,5-6"), Part::All);
        assert_eq!(of("lines=1-2"), Part::All);
        assert_eq!(of("bytes=9-2"), Part::All);
        assert_eq!(of("Bytes=0-9"), Part::Some(0, 9));
        assert_eq!(of("bytes=0-99999999999999999999999"), Part::Some(0, 99));
        assert_eq!(of("bytes=99999999999999999999999-"), Part::Unsatisfiable);
        assert_eq!(of("bytes=-99999999999999999999999"), Part::Some(0, 99));
        for none in ["bytes=+1-2", "bytes=1-+2", "bytes=-", "bytes", "bytes=a-b", "bytes=1 -2"] {
            assert_eq!(of(none), Part::All, "{none}");
        }
        for range in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(
                part(Some(&HeaderValue::from_static(range)), 0),
                Part::Unsatisfiable,
                "{range} of nothing"
            );
        }
    }

    #[test]
    fn a_part_is_given_to_a_get_whose_condition_holds() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-9"));
        let of = |headers: &HeaderMap, method, tag| wanted(&method, headers, tag).is_some();
        assert!(of(&headers, Method::GET, None));
        assert!(!of(&headers, Method::HEAD, None));
        for (condition, same) in
            [("\"a\"", true), ("\"b\"", false), ("W/\"a\"", false), ("Sun, 22 Nov 2026 10:00:00 GMT", false)]
        {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(condition));
            assert_eq!(of(&headers, Method::GET, Some("\"a\"")), same, "{condition}");
            assert!(!of(&headers, Method::GET, None), "{condition} where there is no tag");
        }
        for (condition, named) in [("\"a\"", true), ("W/\"a\", \"b\"", true), ("*", true), ("\"b\"", false)] {
            assert_eq!(names(&HeaderValue::from_static(condition), "\"a\""), named, "{condition}");
        }
    }
}
