//! What the API asks of recordings.

use crate::recordings::keeper::hold_of;
use crate::recordings::sealed::SealError;
use crate::recordings::{Keeping, audio, found_file, manifest};
use crate::switch::{NodeSwitch, missing, store_refusal};
use cordboard_api::switch::{Later, Record, RecordingAudio, RecordingFile, RecordingView, Refusal};
use cordboard_core::{RecordAsked, RecordRefusal};
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::id::RecordingId;
use cordboard_model::verb::RecordAct;
use std::sync::Arc;

impl NodeSwitch {
    pub(crate) fn record(&self, record: Record) -> Later<Vec<String>> {
        let Record { call, act, by, why } = record;
        let answer = self.later(move |shard| {
            let now = shard.now();
            shard.record(call, RecordAsked { act, by, why }, now)
        });
        let told = match act {
            RecordAct::Start => "is being recorded",
            RecordAct::Stop => "is recorded no longer",
            RecordAct::Pause => "is not heard by its recording, which goes on in silence",
            RecordAct::Resume => "is heard by its recording",
        };
        Box::pin(async move {
            answer.await?.map(|()| vec![format!("call {call} {told}")]).map_err(|refused| match refused {
                RecordRefusal::NotFound => missing(format!("call {call} is not up")),
                RecordRefusal::Nobody if act == RecordAct::Start => {
                    Refusal::Conflict(format!("call {call}: nobody is there to be recorded yet"))
                }
                RecordRefusal::Nobody => Refusal::Conflict(format!("call {call} is not being recorded")),
                RecordRefusal::Forbidden => Refusal::Conflict(format!(
                    "the talks of the agent, queue or trunk of call {call} are never recorded"
                )),
                RecordRefusal::Limit => Refusal::Conflict(format!(
                    "call {call} has as many recordings, or pauses, as one may have"
                )),
            })
        })
    }
}

fn view(keeping: &Keeping, entry: RecordingEntry) -> RecordingView {
    let held = hold_of(&keeping.dir, entry.recording).exists();
    let manifest = manifest::read(&keeping.dir, entry.recording);
    let file = manifest.map(|manifest| RecordingFile {
        format: manifest.format,
        codec: manifest.codec,
        channels: manifest.channels,
        sample_rate: manifest.sample_rate,
        bytes: manifest.bytes,
        sha256: manifest.sha256,
        key: manifest.key,
    });
    RecordingView { entry, file, held }
}

/// Entries with what their manifests say.
pub(crate) async fn views(
    keeping: Keeping,
    items: Vec<RecordingEntry>,
) -> Result<Vec<RecordingView>, Refusal> {
    let look = move || items.into_iter().map(|entry| view(&keeping, entry)).collect();
    tokio::task::spawn_blocking(look).await.map_err(|why| Refusal::Internal(why.to_string()))
}

/// What cannot be opened for a reason that the operator can mend is a conflict, and says the reason.
fn unopened(recording: RecordingId, why: SealError) -> Refusal {
    match why {
        SealError::Io(why) => Refusal::Internal(format!("recording {recording}: {why}")),
        why => Refusal::Conflict(format!("recording {recording}: {why}")),
    }
}

impl NodeSwitch {
    /// The audio of a recording.
    pub(crate) fn audio(&self, recording: RecordingId) -> Later<RecordingAudio> {
        let (store, keeping) = (Arc::clone(&self.store), self.recordings.clone());
        Box::pin(async move {
            let found = store.recording(recording.tenant, recording).await.map_err(store_refusal)?;
            let entry = found.ok_or_else(|| missing(format!("recording {recording}")))?;
            if let Some(deleted) = entry.deleted {
                return Err(missing(format!("recording {recording} was deleted: {}", deleted.why)));
            }
            let gone = || missing(format!("the file of recording {recording} is gone"));
            let path = found_file(&keeping.dir, recording).ok_or_else(gone)?;
            // what lies there is named by its hash; of one without a manifest nothing says when it changes
            let tag = manifest::read(&keeping.dir, recording).map(|manifest| manifest.sha256);
            let unopened = |why| unopened(recording, why);
            let len = audio::length(&path, &keeping.keys).map_err(unopened)?;
            let media_type = audio::media_type(&path, &keeping.keys).map_err(unopened)?;
            let open = move |from| Ok(audio::open(&path, &keeping.keys, from)?);
            Ok(RecordingAudio { tag, len, media_type, open: Box::new(open) })
        })
    }

    /// Keeps a recording from being deleted, or no longer.
    pub(crate) fn hold_recording(&self, recording: RecordingId, on: bool) -> Later<Vec<String>> {
        let (store, keeping) = (Arc::clone(&self.store), self.recordings.clone());
        Box::pin(async move {
            let found = store.recording(recording.tenant, recording).await.map_err(store_refusal)?;
            found
                .filter(|entry| entry.deleted.is_none())
                .ok_or_else(|| missing(format!("recording {recording}")))?;
            let mark = hold_of(&keeping.dir, recording);
            let done = match on {
                true => std::fs::write(&mark, ""),
                false if !mark.exists() => Ok(()),
                false => std::fs::remove_file(&mark),
            };
            done.map_err(|why| Refusal::Internal(format!("{}: {why}", mark.display())))?;
            let told = if on { "is kept, however old" } else { "is kept as long as the others" };
            Ok(vec![format!("recording {recording} {told}")])
        })
    }
}
