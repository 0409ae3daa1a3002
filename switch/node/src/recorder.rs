//! The recording writer: one thread that appends samples to WAV files and keeps their headers true while they grow,
//! so that a file plays after a kill. It never makes a media thread wait: what it cannot take in time becomes silence
//! that the engine counts.

use crate::clock::Clock;
use crate::media::RecorderOrder;
use crate::shard::Order;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_media::wav::WavWriterState;
use cordboard_model::id::RecordingId;
use cordboard_model::media::MediaEvent;
use cordboard_model::time::{Duration, Time};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often a growing file's header is brought up to date.
const REFRESH: Duration = Duration::from_secs(1);
/// Bytes gathered before a write.
const GATHER: usize = 16 * 1024;

/// Counters of the recording writer, read by the metrics.
#[derive(Debug, Default)]
pub struct RecorderGauges {
    /// Recordings being written.
    pub open: AtomicU64,
    /// Writes that failed.
    pub failed: AtomicU64,
}

struct Growing {
    file: File,
    gathered: Vec<u8>,
    wav: WavWriterState,
    header_at: Time,
    failed: bool,
}

/// The writer's state.
pub struct Recorder {
    dir: PathBuf,
    orders: Receiver<RecorderOrder>,
    shard: Sender<Order>,
    clock: Clock,
    gauges: Arc<RecorderGauges>,
    growing: BTreeMap<RecordingId, Growing>,
}

/// The file of a recording below `dir`.
pub fn file_of(dir: &Path, recording: RecordingId) -> PathBuf {
    dir.join(recording.tenant.as_str()).join(format!("{recording}.wav"))
}

impl Recorder {
    /// A writer of files below `dir`.
    pub fn new(
        dir: PathBuf,
        orders: Receiver<RecorderOrder>,
        shard: Sender<Order>,
        clock: Clock,
        gauges: Arc<RecorderGauges>,
    ) -> Self {
        Self { dir, orders, shard, clock, gauges, growing: BTreeMap::new() }
    }

    /// Runs until every media thread is gone.
    pub fn run(mut self) {
        let thread = std::thread::current();
        if self.orders.set_waker(move || thread.unpark()).is_err() {
            return;
        }
        loop {
            while let Some(order) = self.orders.pop() {
                match order {
                    RecorderOrder::Chunk { recording, len, samples } => {
                        self.append(recording, samples.get(..len).unwrap_or_default());
                    }
                    RecorderOrder::Close(event) => self.close(event),
                }
            }
            self.refresh();
            match self.orders.prepare_sleep() {
                Sleep::Ready => {}
                Sleep::Armed if self.growing.is_empty() => std::thread::park(),
                Sleep::Armed => std::thread::park_timeout(REFRESH),
                Sleep::Finished => break,
            }
        }
        let left: Vec<RecordingId> = self.growing.keys().copied().collect();
        for recording in left {
            self.finish(recording);
        }
    }

    fn append(&mut self, recording: RecordingId, samples: &[i16]) {
        let now = self.clock.now();
        if !self.growing.contains_key(&recording) {
            let path = file_of(&self.dir, recording);
            match open(&path) {
                Ok(file) => {
                    let gathered = Vec::with_capacity(GATHER + 1_024);
                    let growing = Growing {
                        file,
                        gathered,
                        wav: WavWriterState::resumed(0),
                        header_at: now,
                        failed: false,
                    };
                    self.growing.insert(recording, growing);
                    self.gauges.open.store(self.growing.len() as u64, Relaxed);
                }
                Err(why) => {
                    self.gauges.failed.fetch_add(1, Relaxed);
                    tracing::warn!(%recording, path = %path.display(), %why, "cannot create the recording; its audio is lost");
                    return;
                }
            }
        }
        let Some(growing) = self.growing.get_mut(&recording) else {
            return;
        };
        for sample in samples {
            growing.gathered.extend_from_slice(&sample.to_le_bytes());
        }
        if growing.gathered.len() >= GATHER {
            flush(recording, growing, &self.gauges);
        }
    }

    /// Files whose header is older than a second.
    fn refresh(&mut self) {
        let now = self.clock.now();
        for (recording, growing) in &mut self.growing {
            if now.since(growing.header_at) >= REFRESH {
                growing.header_at = now;
                flush(*recording, growing, &self.gauges);
            }
        }
    }

    fn close(&mut self, event: MediaEvent) {
        if let MediaEvent::RecordingClosed { recording, .. } = &event {
            self.finish(*recording);
        }
        // The shard's lane has a slot per recording to spare; should it be full all the same, the call's own deadline
        // closes its record without this.
        let _ = self.shard.try_send(Order::Media(event));
    }

    fn finish(&mut self, recording: RecordingId) {
        if let Some(mut growing) = self.growing.remove(&recording) {
            flush(recording, &mut growing, &self.gauges);
            self.gauges.open.store(self.growing.len() as u64, Relaxed);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        create_dir_all(dir)?;
    }
    let mut file = OpenOptions::new().create_new(true).write(true).open(path)?;
    file.write_all(&WavWriterState::resumed(0).header())?;
    Ok(file)
}

/// Writes what was gathered, then the header that covers it: a kill between the two leaves a file that plays.
fn flush(recording: RecordingId, growing: &mut Growing, gauges: &RecorderGauges) {
    let write = |growing: &mut Growing| -> io::Result<()> {
        // At the format's 4 GiB (37 hours) the rest is refused, and said once.
        growing.wav.append(growing.gathered.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        growing.file.write_all(&growing.gathered)?;
        growing.file.write_all_at(&growing.wav.header(), 0)
    };
    let outcome = write(growing);
    growing.gathered.clear();
    if let Err(why) = outcome
        && !growing.failed
    {
        growing.failed = true;
        gauges.failed.fetch_add(1, Relaxed);
        tracing::warn!(%recording, %why, "cannot write the recording; what follows of it may be lost");
    }
}
