//! The recording writer: one thread that appends samples to WAV files and keeps their headers true while they grow,
//! so that a file plays after a kill. It never makes a media thread wait: what it cannot take in time becomes silence
//! that the engine counts, and what the disk does not take becomes silence that is counted here.

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
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How often a growing file's header is brought up to date.
const REFRESH: Duration = Duration::from_secs(1);
/// Bytes gathered before a write.
const GATHER: usize = 16 * 1024;
/// 8 kHz, two channels, 16 bits.
const BYTES_PER_MS: u64 = 32;

/// Counters of the recording writer, read by the metrics.
#[derive(Debug, Default)]
pub struct RecorderGauges {
    /// Recordings being written.
    pub open: AtomicU64,
    /// Writes that failed.
    pub failed: AtomicU64,
    /// Whether the last write failed.
    pub failing: AtomicBool,
}

struct Growing {
    path: PathBuf,
    /// None until it could be created.
    file: Option<File>,
    gathered: Vec<u8>,
    /// What is in the file.
    wav: WavWriterState,
    /// Bytes refused since the last write that worked: they stay a hole, which reads as silence.
    hole: usize,
    /// Bytes refused in all.
    lost: u64,
    header_at: Time,
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
            let _ = self.finish(recording);
        }
    }

    fn append(&mut self, recording: RecordingId, samples: &[i16]) {
        let now = self.clock.now();
        let path = || file_of(&self.dir, recording);
        let growing = self.growing.entry(recording).or_insert_with(|| Growing {
            path: path(),
            file: None,
            gathered: Vec::with_capacity(GATHER + 1_024),
            wav: WavWriterState::default(),
            hole: 0,
            lost: 0,
            header_at: now,
        });
        for sample in samples {
            growing.gathered.extend_from_slice(&sample.to_le_bytes());
        }
        if growing.gathered.len() >= GATHER {
            flush(recording, growing, &self.gauges);
        }
        self.gauges.open.store(self.growing.len() as u64, Relaxed);
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

    fn close(&mut self, mut event: MediaEvent) {
        if let MediaEvent::RecordingClosed { recording, length_ms, dropped_ms } = &mut event {
            match self.finish(*recording) {
                Some(growing) if growing.lost > 0 => {
                    *length_ms = u64::from(growing.wav.data_bytes()) / BYTES_PER_MS;
                    *dropped_ms += growing.lost / BYTES_PER_MS;
                }
                Some(_) => {}
                // Over before the first sample.
                None => drop(ensure_file(&self.dir, *recording)),
            }
        }
        // The shard's lane has a slot per recording to spare; should it be full all the same, the call's own deadline
        // closes its record without this.
        let _ = self.shard.try_send(Order::Media(event));
    }

    fn finish(&mut self, recording: RecordingId) -> Option<Growing> {
        let mut growing = self.growing.remove(&recording)?;
        flush(recording, &mut growing, &self.gauges);
        self.gauges.open.store(self.growing.len() as u64, Relaxed);
        Some(growing)
    }
}

/// Makes an empty file of a recording that has none: it is listed, so it can be asked for, and played.
pub fn ensure_file(dir: &Path, recording: RecordingId) -> io::Result<()> {
    let path = file_of(dir, recording);
    match path.try_exists()? {
        true => Ok(()),
        false => open(&path)?.write_all_at(&WavWriterState::default().header(), 0),
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        create_dir_all(dir)?;
    }
    OpenOptions::new().create(true).truncate(true).write(true).open(path)
}

/// Writes what was gathered, then the header that covers it: a kill between the two leaves a file that plays.
fn flush(recording: RecordingId, growing: &mut Growing, gauges: &RecorderGauges) {
    if growing.gathered.is_empty() {
        return;
    }
    match write(growing) {
        Ok(wav) => {
            (growing.wav, growing.hole) = (wav, 0);
            if gauges.failing.swap(false, Relaxed) {
                tracing::info!("recordings are written again");
            }
        }
        Err(why) => {
            growing.hole += growing.gathered.len();
            growing.lost += growing.gathered.len() as u64;
            gauges.failed.fetch_add(1, Relaxed);
            // Said once until it works again, not for each recording and twice a second.
            if !gauges.failing.swap(true, Relaxed) {
                let path = growing.path.display();
                tracing::warn!(%recording, %path, %why, "recordings cannot be written; calls go on without");
            }
        }
    }
    growing.gathered.clear();
}

/// Gives what is in the file afterwards. At the format's 4 GiB (37 hours) the rest is refused.
fn write(growing: &mut Growing) -> io::Result<WavWriterState> {
    let mut wav = growing.wav;
    let at = WavWriterState::HEADER_LEN as u64 + u64::from(wav.data_bytes()) + growing.hole as u64;
    wav.append(growing.hole + growing.gathered.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let file = match &mut growing.file {
        Some(file) => file,
        none => none.insert(open(&growing.path)?),
    };
    file.write_all_at(&growing.gathered, at)?;
    file.write_all_at(&wav.header(), 0)?;
    Ok(wav)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_lane::lane;
    use cordboard_media::Audio;
    use cordboard_model::id::{IdMaker, TenantId};

    #[test]
    fn a_recording_that_was_over_before_its_first_sample_can_be_played() {
        let dir = std::env::temp_dir().join(format!("cordboard-recorder-none-{}", std::process::id()));
        let (_chunks, orders) = lane("media to recorder", 1);
        let (shard, _heard) = lane("media to shard", 1);
        let mut recorder = Recorder::new(dir.clone(), orders, shard, Clock::start(), Arc::default());
        let recording = IdMaker::new(1, 0).recording(TenantId::DEFAULT);
        recorder.close(MediaEvent::RecordingClosed { recording, length_ms: 0, dropped_ms: 0 });
        let wav = std::fs::read(file_of(&dir, recording)).unwrap();
        assert!(wav.len() == 44 && Audio::from_wav(&wav).is_ok());
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_the_disk_refuses_becomes_counted_silence() {
        let dir = std::env::temp_dir().join(format!("cordboard-recorder-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let (_chunks, orders) = lane("media to recorder", 1);
        let (shard, mut heard) = lane("media to shard", 1);
        let gauges = Arc::new(RecorderGauges::default());
        let mut recorder = Recorder::new(dir.clone(), orders, shard, Clock::start(), Arc::clone(&gauges));
        let recording = IdMaker::new(1, 0).recording(TenantId::DEFAULT);
        // Half a second of both channels is one write. In the way of the tenant's folder stands a file.
        let half_second = |sample| vec![sample; 8_192];
        std::fs::write(dir.join("default"), "").unwrap();
        recorder.append(recording, &half_second(100));
        assert!(gauges.failing.load(Relaxed));
        std::fs::remove_file(dir.join("default")).unwrap();
        recorder.append(recording, &half_second(200));
        assert!(!gauges.failing.load(Relaxed));
        recorder.close(MediaEvent::RecordingClosed { recording, length_ms: 1_024, dropped_ms: 5 });
        let Some(Order::Media(MediaEvent::RecordingClosed { length_ms, dropped_ms, .. })) = heard.pop()
        else {
            unreachable!("the shard is told")
        };
        assert_eq!((length_ms, dropped_ms), (1_024, 512 + 5));
        let wav = std::fs::read(file_of(&dir, recording)).unwrap();
        assert_eq!(wav.len(), 44 + 4 * 8_192);
        assert!(wav[44..44 + 2 * 8_192].iter().all(|byte| *byte == 0));
        assert!(wav[44 + 2 * 8_192..].chunks(2).all(|sample| sample == [200, 0]));
        assert!(Audio::from_wav(&wav).is_ok());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
