//! Recordings: what becomes of a call's, and the download of one, with `Range` (RFC 9110 14) so that a player can seek.

use crate::asked::{Of, On, Said, Says};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::switch::{Command, Record, RecordingAudio};
use axum::body::Body as AxumBody;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
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

/// Reads a `Range` value. Anything but one byte range is ignored, as RFC 9110 14.2 allows.
fn part(range: Option<&HeaderValue>, len: u64) -> Part {
    let Some(spec) = range.and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("bytes=")) else {
        return Part::All;
    };
    let Some((first, last)) = spec.split_once('-') else {
        return Part::All;
    };
    let parsed = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(from), Ok(to)) if from <= to => (from, to.min(len.saturating_sub(1))),
        (Ok(from), Err(_)) if last.trim().is_empty() => (from, len.saturating_sub(1)),
        (Err(_), Ok(0)) if first.trim().is_empty() => return Part::Unsatisfiable,
        (Err(_), Ok(tail)) if first.trim().is_empty() => (len.saturating_sub(tail), len.saturating_sub(1)),
        _ => return Part::All,
    };
    if parsed.0 >= len { Part::Unsatisfiable } else { Part::Some(parsed.0, parsed.1) }
}

/// `GET /api/v1/recordings/{id}`: the WAV file.
pub(crate) async fn download(of: Of<RecordingId>, headers: HeaderMap) -> Result<Response, Problem> {
    let recording = of.id;
    let RecordingAudio { len, media_type, open } = of.state.switch.recording_audio(recording).await?;
    // RFC 9110 13.1.5: "MUST ignore the Range header field" when an If-Range does not match, and we give out nothing that
    // it could match.
    let range = headers.get(header::RANGE).filter(|_| !headers.contains_key(header::IF_RANGE));
    let (status, from, to) = match part(range, len) {
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
    let opened = tokio::task::spawn_blocking(move || open(from)).await.map_err(|why| unreadable(&why))?;
    let file = opened.map_err(|why| unreadable(&why))?;
    let wanted = if len == 0 { 0 } else { to - from + 1 };
    let body = AxumBody::from_stream(chunks(file, wanted));
    let mut response = (status, body).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(header::CONTENT_LENGTH, HeaderValue::from(wanted));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{to}/{len}"))
    {
        out.insert(header::CONTENT_RANGE, range);
    }
    Ok(response)
}

/// The next `wanted` bytes of `file`, in chunks. A file that ends early ends the stream with an error.
fn chunks(
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
    }
}
