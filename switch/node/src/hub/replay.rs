//! Leads readers through what is on the disk, each in a task of its own, a few at a time.
//!
//! Invariant: it waits for its reader and nobody waits for it: neither the hub nor who writes.

use super::keeper::EventGauges;
use super::reader::Reader;
use cordboard_api::switch::Since;
use cordboard_model::id::TenantId;
use cordboard_store::events::{EventReader, Next, Place};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Readers led at a time; others wait for their turn.
const AT_ONCE: usize = 8;
/// How long a reader waits for the disk to have what memory had when he came.
const DISK: Duration = Duration::from_secs(5);

/// A reader on its way.
pub(super) struct Way {
    pub(super) tenant: TenantId,
    /// Where it left off.
    pub(super) since: Since,
    pub(super) reader: Reader,
    /// It was led before.
    pub(super) tried: bool,
}

/// A reader who has been led to the end of what is there, or to what is not.
pub(super) struct Back {
    pub(super) way: Way,
    /// It is further than it was.
    pub(super) moved: bool,
    /// Nothing was missing.
    pub(super) whole: bool,
}

/// Who leads them.
pub(super) struct Replays {
    dir: Option<PathBuf>,
    back: mpsc::Sender<Back>,
    turns: Arc<Semaphore>,
    gauges: Arc<EventGauges>,
}

impl Replays {
    /// For a hub that keeps events in this folder.
    pub(super) fn new(dir: Option<PathBuf>, gauges: Arc<EventGauges>) -> (Self, mpsc::Receiver<Back>) {
        let (back, backs) = mpsc::channel(256);
        (Self { dir, back, turns: Arc::new(Semaphore::new(AT_ONCE)), gauges }, backs)
    }

    /// Begins when the disk has what there was (`written`); the hub gets the reader back. Gives it back at once if there is
    /// nothing to lead it through.
    pub(super) fn lead(&self, way: Way, written: Option<oneshot::Receiver<()>>) -> Option<Way> {
        let Some(dir) = self.dir.clone() else { return Some(way) };
        self.gauges.replays.fetch_add(1, Relaxed);
        let (turns, backs) = (Arc::clone(&self.turns), self.back.clone());
        tokio::spawn(async move {
            if let Some(written) = written {
                // A disk that hangs does not hold him for good: what it has not is a gap.
                let _ = tokio::time::timeout(DISK, written).await;
            }
            let Ok(turn) = turns.acquire_owned().await else { return };
            let led = tokio::task::spawn_blocking(move || lead(&dir, way)).await;
            drop(turn);
            if let Ok(Some(back)) = led {
                let _ = backs.send(back).await;
            }
        });
        None
    }
}

/// Gives the reader what comes after its place. None if it has gone.
fn lead(dir: &Path, mut way: Way) -> Option<Back> {
    let before = way.reader.seen;
    let place = Place { start: way.since.start, seq: way.since.seq };
    let opened = EventReader::open(dir, way.tenant, place);
    let Ok(Some(mut entries)) = opened.inspect_err(|why| tracing::warn!(%why, "kept events cannot be read"))
    else {
        return Some(Back { way, moved: false, whole: false });
    };
    let whole = loop {
        match entries.next() {
            Ok(Next::Entry(entry)) => {
                let items = way.reader.items(&entry);
                if !items.is_empty() {
                    way.reader.told = way.reader.seen;
                }
                for item in items {
                    way.reader.out.blocking_send(item).ok()?;
                }
            }
            Ok(Next::Nothing) => break true,
            Ok(Next::Hole) => break false,
            Err(why) => {
                tracing::warn!(%why, "kept events cannot be read to their end");
                break false;
            }
        }
    };
    let moved = way.reader.seen != before;
    Some(Back { way, moved, whole })
}
