//! Recordings, by the name of their file or by their call.

use super::zip::archive;
use super::{Ask, Code, Fault, failed, octets, wrong};
use crate::gateway::number::call_of;
use crate::recording::chunks;
use crate::switch::RecordingAudio;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use cordboard_model::id::RecordingId;
use std::io::Read;

/// Most bytes of an archive of several recordings.
const ARCHIVE_MAX: u64 = 64 << 20;

/// The recording whose file has this name, whatever stands before it and behind it: `Y:/ID`, `/Y/1/record/5/20261122/1001/ID.wav`.
fn recording(ask: &Ask, name: &str) -> Result<RecordingId, Fault> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let lower = last.to_ascii_lowercase();
    let cut = [".wav", ".v3"].iter().find(|end| lower.ends_with(*end)).map_or(0, |end| end.len());
    let id = last.get(..last.len() - cut).unwrap_or(last);
    let id = id.parse::<RecordingId>().ok().filter(|id| id.tenant == ask.id());
    id.ok_or_else(|| Fault(Code::NoData, "there is no such recording".into()))
}

async fn audio(ask: &Ask, id: RecordingId) -> Result<RecordingAudio, Fault> {
    ask.shapes.switch.recording_audio(id).await.map_err(failed)
}

fn extension(audio: &RecordingAudio) -> &'static str {
    if audio.media_type.starts_with("audio/ogg") { "ogg" } else { "wav" }
}

async fn opened(audio: RecordingAudio) -> Result<(Box<dyn Read + Send>, u64), Fault> {
    let unreadable = |why: String| Fault(Code::Failed, format!("the recording cannot be read: {why}"));
    let (len, open) = (audio.len, audio.open);
    let file =
        tokio::task::spawn_blocking(move || open(0)).await.map_err(|why| unreadable(why.to_string()))?;
    Ok((file.map_err(|why| unreadable(why.to_string()))?, len))
}

async fn one(ask: &Ask, id: RecordingId) -> Result<Response, Fault> {
    let audio = audio(ask, id).await?;
    let name = format!("{id}.{}", extension(&audio));
    let (file, len) = opened(audio).await?;
    Ok(octets(&name, Body::from_stream(chunks(file, len)), len))
}

/// All of a call's: one as it is, several in an archive.
async fn several(ask: &Ask, ids: &[RecordingId]) -> Result<Response, Fault> {
    if let [id] = ids {
        return one(ask, *id).await;
    }
    let (mut files, mut size) = (Vec::new(), 0);
    for id in ids {
        let audio = audio(ask, *id).await?;
        size += audio.len;
        if size > ARCHIVE_MAX {
            return Err(wrong("together they are too large: ask for each by fileName"));
        }
        let name = format!("{id}.{}", extension(&audio));
        let (file, len) = opened(audio).await?;
        let read = move || {
            let mut bytes = Vec::new();
            file.take(len).read_to_end(&mut bytes).map(|_| bytes)
        };
        let bytes =
            tokio::task::spawn_blocking(read).await.map_err(|why| Fault(Code::Failed, why.to_string()))?;
        files.push((name, bytes.map_err(|why| Fault(Code::Failed, why.to_string()))?));
    }
    let bytes = archive(&files).filter(|_| !files.is_empty());
    let bytes = bytes.ok_or_else(|| Fault(Code::NoData, "the call was not recorded".into()))?;
    let len = bytes.len() as u64;
    Ok(octets("recordings.zip", Body::from(bytes), len))
}

fn answered(done: Result<Response, Fault>) -> Response {
    done.unwrap_or_else(IntoResponse::into_response)
}

/// By the name that the table of recordings has.
pub(crate) async fn by_file(ask: Ask) -> Response {
    let id = ask.need("fileName").and_then(|name| recording(&ask, &name));
    answered(match id {
        Ok(id) => one(&ask, id).await,
        Err(fault) => Err(fault),
    })
}

/// By the original name, or by the call's number.
pub(crate) async fn by_call(ask: Ask) -> Response {
    if ask.said.text("fileName").is_some() {
        return by_file(ask).await;
    }
    answered(of_call(&ask).await)
}

async fn of_call(ask: &Ask) -> Result<Response, Fault> {
    let id = ask.said.text("callId").ok_or_else(|| wrong("neither fileName nor callId"))?;
    let none = || Fault(Code::NoData, format!("there is no call {id}"));
    let call = call_of(ask.id(), &id).ok_or_else(none)?;
    let cdr = ask.shapes.switch.cdr(call).await.map_err(failed)?;
    several(ask, &cdr.recordings).await
}
