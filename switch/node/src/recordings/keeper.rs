//! The keeper of finished recordings: a thread that writes their manifests and deletes what is too old, or too much.
//!
//! Invariant: nothing is deleted without an event that says why and a mark in the recording's entry; what is held is not
//! deleted; what is being written is not touched.

use crate::clock::wall_now;
use crate::recordings::full::WhenFull;
use crate::recordings::manifest;
use crate::recordings::writer::{Keeping, RecorderGauges, files_of};
use crate::shard::Order;
use cordboard_core::ShardCommand;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_model::cdr::{RecordingDeleted, RecordingEntry};
use cordboard_model::event::EventKind;
use cordboard_model::id::{RecordingId, TenantId};
use cordboard_model::time::Wall;
use cordboard_store::Store;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime};

/// How often it looks for what is too old.
const SWEEP: Duration = Duration::from_secs(3_600);
/// How often a manifest is tried that could not be written.
const RETRY: Duration = Duration::from_secs(30);
/// Entries whose manifests wait for a disk; beyond it the oldest is given up, and its recording has none.
const WAITING: usize = 65_536;
/// How often it looks whether the disk is full, where room is to be made.
const LOOK: Duration = Duration::from_secs(1);
/// Room that is made at first, bytes; twice as much each time that it did not last for a look.
const ROOM: u64 = 16 << 20;
/// The most at a time. Where that did not help either, more would not: it is another's disk, or a quota.
const ROOM_MAX: u64 = 1 << 30;
const DAY: Duration = Duration::from_secs(86_400);

/// How long recordings are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Days, for tenants that say nothing else; for ever if none.
    pub days: Option<u32>,
    /// Days by tenant.
    pub by_tenant: BTreeMap<TenantId, Option<u32>>,
    /// Most bytes of all; the oldest go first. No limit if none.
    pub bytes: Option<u64>,
}

impl Rules {
    fn days_of(&self, tenant: TenantId) -> Option<u32> {
        self.by_tenant.get(&tenant).copied().unwrap_or(self.days)
    }
}

/// One recording as it lies there.
#[derive(Clone, Debug)]
struct Found {
    recording: RecordingId,
    /// When its last sample was written.
    at: SystemTime,
    bytes: u64,
    /// It is finished.
    described: bool,
}

/// See the module.
pub struct Keeper {
    /// Where recordings are.
    pub keeping: Keeping,
    /// How long they are kept.
    pub rules: Rules,
    /// Recordings that have ended.
    pub entries: Receiver<RecordingEntry>,
    /// To the shard, for events.
    pub shard: Sender<Order>,
    /// The list of recordings.
    pub store: Arc<Store>,
    /// What the writer finds of the disk.
    pub gauges: Arc<RecorderGauges>,
    /// The runtime that the list is asked on.
    pub runtime: tokio::runtime::Handle,
}

/// The mark that keeps a recording from being deleted.
pub fn hold_of(dir: &Path, recording: RecordingId) -> PathBuf {
    dir.join(recording.tenant.as_str()).join(format!("{recording}.hold"))
}

impl Keeper {
    /// Runs until the shard is gone. `ended`: what ended in an earlier run and may have no manifest yet.
    pub fn run(mut self, ended: Vec<RecordingEntry>) {
        let thread = std::thread::current();
        if self.entries.set_waker(move || thread.unpark()).is_err() {
            return;
        }
        let mut waiting: Vec<RecordingEntry> = ended;
        waiting.retain(|entry| manifest::read(&self.keeping.dir, entry.recording).is_none());
        let (mut swept, mut tried): (Option<Instant>, Option<Instant>) = (None, None);
        let makes_room = self.keeping.when_full == WhenFull::DeleteOldest;
        let mut room = ROOM;
        loop {
            while let Some(entry) = self.entries.pop() {
                if !self.describe(&entry) {
                    waiting.push(entry);
                }
            }
            if !waiting.is_empty() && tried.is_none_or(|tried| tried.elapsed() >= RETRY) {
                waiting.drain(..waiting.len().saturating_sub(WAITING));
                waiting.retain(|entry| !self.describe(entry));
                tried = Some(Instant::now());
            }
            if swept.is_none_or(|swept| swept.elapsed() >= SWEEP) {
                self.sweep(SystemTime::now());
                swept = Some(Instant::now());
            }
            if makes_room {
                let full = self.gauges.full.load(Relaxed);
                if full && room <= ROOM_MAX {
                    self.make_room(room);
                } else if full && room == 2 * ROOM_MAX {
                    tracing::error!("deleting recordings makes no room on the disk; no more are deleted");
                }
                room = if full { room.saturating_mul(2) } else { ROOM };
            }
            match self.entries.prepare_sleep() {
                Sleep::Ready => {}
                Sleep::Armed if makes_room => std::thread::park_timeout(LOOK),
                Sleep::Armed => std::thread::park_timeout(if waiting.is_empty() { SWEEP } else { RETRY }),
                Sleep::Finished => break,
            }
        }
    }

    fn describe(&self, entry: &RecordingEntry) -> bool {
        match manifest::write(&self.keeping, entry) {
            Ok(_) => true,
            Err(why) => {
                let recording = entry.recording;
                tracing::warn!(%recording, %why, "the manifest of a recording cannot be written yet");
                // without its file there is nothing to describe
                why.kind() == io::ErrorKind::NotFound
            }
        }
    }

    /// Deletes what is too old at `now`, then what is too much.
    fn sweep(&self, now: SystemTime) {
        let mut all = self.found();
        all.sort_by_key(|found| (found.at, found.recording));
        let mut sum: u64 = all.iter().map(|found| found.bytes).sum();
        for found in &all {
            let age = now.duration_since(found.at).unwrap_or_default();
            let days = self.rules.days_of(found.recording.tenant);
            let old = days.filter(|days| age >= DAY * *days);
            let much = self.rules.bytes.filter(|most| sum > *most && found.described);
            let why = match (old, much) {
                (Some(days), _) => format!("older than {days} days"),
                (None, Some(most)) => {
                    format!("recordings take more than {most} bytes, and it was the oldest")
                }
                (None, None) => continue,
            };
            if self.delete(found.recording, why) {
                sum -= found.bytes;
            }
        }
    }

    /// Deletes the oldest until so many bytes are free again, or there is nothing more that may be deleted.
    fn make_room(&self, bytes: u64) {
        let mut all = self.found();
        all.sort_by_key(|found| (found.at, found.recording));
        let mut freed = 0;
        for found in all.iter().filter(|found| found.described) {
            if freed >= bytes {
                break;
            }
            if self.delete(found.recording, "the disk was full, and it was the oldest".to_owned()) {
                freed += found.bytes;
            }
        }
    }

    fn found(&self) -> Vec<Found> {
        let mut all: BTreeMap<RecordingId, Found> = BTreeMap::new();
        let folders = fs::read_dir(&self.keeping.dir).into_iter().flatten().flatten();
        for file in folders.flat_map(|folder| fs::read_dir(folder.path())).flatten().flatten() {
            let path = file.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            let (Some(recording), Ok(meta)) = (id, file.metadata()) else {
                continue;
            };
            let found = all.entry(recording).or_insert(Found {
                recording,
                at: SystemTime::UNIX_EPOCH,
                bytes: 0,
                described: false,
            });
            match path.extension().and_then(|end| end.to_str()) {
                Some("wav" | "opus" | "sealed") => {
                    (found.at, found.bytes) = (meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len());
                }
                Some("json") => found.described = true,
                _ => {}
            }
        }
        all.into_values().filter(|found| found.at > SystemTime::UNIX_EPOCH).collect()
    }

    /// Deletes a recording, with its mark and its event; false if it is held or the disk refuses.
    fn delete(&self, recording: RecordingId, why: String) -> bool {
        let dir = &self.keeping.dir;
        if hold_of(dir, recording).exists() {
            return false;
        }
        let files = files_of(dir, recording);
        for path in files.into_iter().chain([manifest::path_of(dir, recording)]) {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                Err(fault) => {
                    tracing::warn!(path = %path.display(), why = %fault, "a recording cannot be deleted");
                    return false;
                }
            }
        }
        tracing::info!(%recording, why, "a recording is deleted");
        let entry = self.runtime.block_on(self.store.recording(recording.tenant, recording));
        let call = entry.as_ref().ok().and_then(Option::as_ref).map(|entry| entry.call);
        if let Ok(Some(entry)) = entry {
            let deleted = Some(RecordingDeleted { at: self.now(), why: why.clone() });
            if let Err(refused) = self.store.put_recording(RecordingEntry { deleted, ..entry }) {
                tracing::warn!(%recording, %refused, "the list of recordings does not say that it is deleted");
            }
        }
        let told = EventKind::RecordingDeleted { recording, call, why };
        let order = Order::Command(ShardCommand::Tell(recording.tenant, Box::new(told)));
        let _ = self.shard.try_send(order);
        true
    }

    fn now(&self) -> Wall {
        wall_now()
    }
}

#[cfg(test)]
mod tests;
