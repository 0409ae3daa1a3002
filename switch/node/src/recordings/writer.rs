//! The recording writer: one thread that appends samples to files, so that a kill costs a second of them: to WAV files,
//! whose headers are kept true while they grow, to Opus in Ogg page by page, or to sealed ones, where a key is configured. It never makes a media
//! thread wait: what it cannot take in time becomes silence that the engine counts, and what the disk does not take
//! becomes silence that is counted here.

use crate::clock::Clock;
use crate::media::RecorderOrder;
use crate::recordings::full::WhenFull;
use crate::recordings::opus::OpusShape;
use crate::recordings::sealed::{Coding, Form, MasterKey, SealError, Sealer};
use crate::shard::Order;
use cordboard_core::ShardCommand;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_media::wav::WavWriterState;
use cordboard_model::id::{RecordingId, TenantId};
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

/// Counters of the recording writer, read by the metrics.
#[derive(Debug, Default)]
pub struct RecorderGauges {
    /// Recordings being written.
    pub open: AtomicU64,
    /// Writes that failed.
    pub failed: AtomicU64,
    /// Whether the last write failed.
    pub failing: AtomicBool,
    /// Whether it failed because the disk, or what we may have of it, is full.
    pub full: AtomicBool,
}

struct Growing {
    path: PathBuf,
    /// None until it could be created.
    file: Option<File>,
    gathered: Vec<u8>,
    form: Shape,
    /// Bytes of samples for each millisecond: two channels of 16 bits.
    bytes_per_ms: u64,
    /// Bytes refused in all.
    lost: u64,
    header_at: Time,
}

/// How the audio is kept.
enum Shape {
    Wav {
        /// What is in the file.
        wav: WavWriterState,
        /// Bytes refused since the last write that worked: they stay a hole, which reads as silence.
        hole: usize,
    },
    Sealed {
        sealer: Box<Sealer>,
        /// Bytes of the file that are good.
        len: u64,
    },
    Opus(Box<OpusShape>),
    /// It cannot be sealed, so it is not kept.
    Nothing,
}

/// What the audio of new recordings is made into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Samples as they are, in a WAV file.
    #[default]
    Wav,
    /// Opus in an Ogg file (RFC 7845).
    Opus,
}

/// Where recordings are, and how they are kept.
#[derive(Clone, Debug, Default)]
pub struct Keeping {
    /// Their folder.
    pub dir: PathBuf,
    /// What new ones are.
    pub format: Format,
    /// The key that new ones are sealed with.
    pub key: Option<MasterKey>,
    /// Every key that there is, for those that were sealed before.
    pub keys: Vec<MasterKey>,
    /// What happens while they cannot be written.
    pub when_full: WhenFull,
}

/// The writer's state.
pub struct Recorder {
    keeping: Keeping,
    orders: Receiver<RecorderOrder>,
    shard: Sender<Order>,
    clock: Clock,
    gauges: Arc<RecorderGauges>,
    growing: BTreeMap<RecordingId, Growing>,
    /// The alarm was given that files cannot be written.
    alarmed: bool,
    /// When it was tried last whether they can be.
    probed: Time,
}

/// What the switch itself writes, at 8 kHz if nothing else is said of a recording.
pub const FORM: Form = Form { coding: Coding::Pcm16, channels: 2, rate: 8_000 };

/// The file of a recording below `dir`, if it is not sealed.
pub fn file_of(dir: &Path, recording: RecordingId) -> PathBuf {
    dir.join(recording.tenant.as_str()).join(format!("{recording}.wav"))
}

/// Its file if it is Opus and not sealed.
pub fn opus_file_of(dir: &Path, recording: RecordingId) -> PathBuf {
    dir.join(recording.tenant.as_str()).join(format!("{recording}.opus"))
}

/// Its file if it is sealed.
pub fn sealed_file_of(dir: &Path, recording: RecordingId) -> PathBuf {
    dir.join(recording.tenant.as_str()).join(format!("{recording}.sealed"))
}

/// Where its file may be.
pub fn files_of(dir: &Path, recording: RecordingId) -> [PathBuf; 3] {
    [file_of(dir, recording), opus_file_of(dir, recording), sealed_file_of(dir, recording)]
}

/// The file that there is.
pub fn found_file(dir: &Path, recording: RecordingId) -> Option<PathBuf> {
    files_of(dir, recording).into_iter().find(|path| path.is_file())
}

/// A salt for a new file.
fn salt() -> io::Result<[u8; 32]> {
    let mut salt = [0; 32];
    io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut salt)?;
    Ok(salt)
}

impl Recorder {
    /// A writer of files.
    pub fn new(
        keeping: Keeping,
        orders: Receiver<RecorderOrder>,
        shard: Sender<Order>,
        clock: Clock,
        gauges: Arc<RecorderGauges>,
    ) -> Self {
        Self {
            keeping,
            orders,
            shard,
            clock,
            gauges,
            growing: BTreeMap::new(),
            alarmed: false,
            probed: Time::ZERO,
        }
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
                    RecorderOrder::Chunk { recording, rate, len, samples } => {
                        self.append(recording, rate, samples.get(..len).unwrap_or_default());
                    }
                    RecorderOrder::Close(event) => self.close(event),
                }
            }
            self.refresh();
            self.probe();
            self.alarm();
            match self.orders.prepare_sleep() {
                Sleep::Ready => {}
                Sleep::Armed if self.growing.is_empty() && !self.alarmed => std::thread::park(),
                Sleep::Armed => std::thread::park_timeout(REFRESH),
                Sleep::Finished => break,
            }
        }
        let left: Vec<RecordingId> = self.growing.keys().copied().collect();
        for recording in left {
            let _ = self.finish(recording);
        }
    }

    fn append(&mut self, recording: RecordingId, rate: u32, samples: &[i16]) {
        let now = self.clock.now();
        let keeping = &self.keeping;
        let begin = || Growing::new(keeping, recording, rate, now);
        let growing = self.growing.entry(recording).or_insert_with(begin);
        for sample in samples {
            growing.gathered.extend_from_slice(&sample.to_le_bytes());
        }
        if growing.gathered.len() >= GATHER {
            flush(growing, &self.gauges);
        }
        self.gauges.open.store(self.growing.len() as u64, Relaxed);
    }

    /// Says once in the event stream that files cannot be written, and once that they can again.
    fn alarm(&mut self) {
        let failing = self.gauges.failing.load(Relaxed);
        if self.alarmed == failing {
            return;
        }
        if self.shard.try_send(Order::Command(ShardCommand::RecordingsFail(failing))).is_err() {
            return;
        }
        if self.keeping.when_full == WhenFull::RefuseCalls
            && self.shard.try_send(Order::Command(ShardCommand::Unrecordable(failing))).is_err()
        {
            return;
        }
        let alarm = Box::new(self.keeping.when_full.alarm(failing));
        let order = Order::Command(ShardCommand::Tell(TenantId::DEFAULT, alarm));
        self.alarmed = failing == self.shard.try_send(order).is_ok();
    }

    /// Whether files can be written again, where none is being written: else nobody would know before the next call, which
    /// may never be let in.
    fn probe(&mut self) {
        let now = self.clock.now();
        if !self.gauges.failing.load(Relaxed) || !self.growing.is_empty() || now.since(self.probed) < REFRESH
        {
            return;
        }
        self.probed = now;
        let path = self.keeping.dir.join(".probe");
        let written = write_at(&mut None, &path, &[0; 4 * GATHER], 0);
        // What could not be made cannot be removed.
        let _ = std::fs::remove_file(&path);
        judge(written.map_err(|why| (why, path.as_path())), &self.gauges);
    }

    /// Files whose header is older than a second.
    fn refresh(&mut self) {
        let now = self.clock.now();
        for growing in self.growing.values_mut() {
            if now.since(growing.header_at) >= REFRESH {
                growing.header_at = now;
                flush(growing, &self.gauges);
            }
        }
    }

    fn close(&mut self, mut event: MediaEvent) {
        if let MediaEvent::RecordingClosed { recording, length_ms, dropped_ms } = &mut event {
            match self.finish(*recording) {
                Some(growing) if growing.lost > 0 => {
                    *length_ms = growing.written() / growing.bytes_per_ms;
                    *dropped_ms += growing.lost / growing.bytes_per_ms;
                }
                Some(_) => {}
                // Over before the first sample.
                None => drop(ensure_file(&self.keeping, *recording)),
            }
        }
        // The shard's lane has a slot per recording to spare; should it be full all the same, the call's own deadline
        // closes its record without this.
        let _ = self.shard.try_send(Order::Media(event));
    }

    fn finish(&mut self, recording: RecordingId) -> Option<Growing> {
        let mut growing = self.growing.remove(&recording)?;
        flush(&mut growing, &self.gauges);
        if let Err(why) = growing.end() {
            self.gauges.failed.fetch_add(1, Relaxed);
            tracing::warn!(%recording, %why, "the end of a recording cannot be written: it will be taken for cut");
        }
        self.gauges.open.store(self.growing.len() as u64, Relaxed);
        Some(growing)
    }
}

impl Growing {
    /// One of `rate` samples a second on each channel.
    fn new(keeping: &Keeping, recording: RecordingId, rate: u32, now: Time) -> Self {
        let sealer = keeping.key.as_ref().map(|key| {
            let salt = salt().map_err(SealError::Io)?;
            let coding = match keeping.format {
                Format::Wav => Coding::Pcm16,
                Format::Opus => Coding::OggOpus,
            };
            Sealer::new(key, Form { coding, rate, ..FORM }, salt)
        });
        let path = match (&sealer, keeping.format) {
            (Some(_), _) => sealed_file_of(&keeping.dir, recording),
            (None, Format::Wav) => file_of(&keeping.dir, recording),
            (None, Format::Opus) => opus_file_of(&keeping.dir, recording),
        };
        let opus = |sealer| Shape::Opus(Box::new(OpusShape::new(recording.number as u32, rate, sealer)));
        let form = match (sealer, keeping.format) {
            // What was to be sealed is not written in the clear.
            (Some(Err(_)), _) => Shape::Nothing,
            (Some(Ok(sealer)), Format::Wav) => Shape::Sealed { sealer: Box::new(sealer), len: 0 },
            (Some(Ok(sealer)), Format::Opus) => opus(Some(sealer)),
            (None, Format::Wav) => Shape::Wav { wav: WavWriterState::new(rate), hole: 0 },
            (None, Format::Opus) => opus(None),
        };
        let gathered = Vec::with_capacity(GATHER + 1_024);
        let bytes_per_ms = u64::from(rate / 1_000).max(1) * WavWriterState::FRAME_LEN;
        Self { path, file: None, gathered, form, bytes_per_ms, lost: 0, header_at: now }
    }

    /// Bytes of samples that the file stands for.
    fn written(&self) -> u64 {
        match &self.form {
            Shape::Wav { wav, .. } => wav.data_bytes(),
            Shape::Sealed { sealer, .. } => sealer.bytes(),
            Shape::Opus(opus) => opus.samples() * WavWriterState::FRAME_LEN,
            Shape::Nothing => 0,
        }
    }

    /// Writes what was gathered. What is refused now is silence in what is written next.
    fn write(&mut self) -> io::Result<()> {
        match &mut self.form {
            Shape::Wav { wav, hole } => {
                let done = write_wav(&mut self.file, &self.path, (*wav, *hole), &self.gathered);
                match done {
                    Ok(after) => (*wav, *hole) = (after, 0),
                    Err(_) => *hole += self.gathered.len(),
                }
                done.map(drop)
            }
            Shape::Sealed { sealer, len } => {
                let (number, mut out) = (sealer.number(), Vec::with_capacity(self.gathered.len() + 256));
                if *len == 0 {
                    out.extend(sealer.header());
                }
                let sealed = sealer.audio(&self.gathered, &mut out).map_err(io::Error::from);
                let done = sealed.and_then(|()| write_at(&mut self.file, &self.path, &out, *len));
                match done {
                    Ok(()) => {
                        *len += out.len() as u64;
                        sealer.taken();
                    }
                    Err(_) => sealer.was_refused(number, self.gathered.len()),
                }
                done
            }
            Shape::Opus(opus) => opus.write(&mut self.file, &self.path, &self.gathered),
            Shape::Nothing => Err(io::Error::other("no randomness for the salt of a sealed file")),
        }
    }

    /// The last chunk of a sealed file, the last page of an Ogg one.
    fn end(&mut self) -> io::Result<()> {
        let (sealer, len) = match &mut self.form {
            Shape::Sealed { sealer, len } => (sealer, len),
            Shape::Opus(opus) => return opus.end(&mut self.file, &self.path),
            Shape::Wav { .. } | Shape::Nothing => return Ok(()),
        };
        let mut out = Vec::new();
        if *len == 0 {
            out.extend(sealer.header());
        }
        sealer.end(false, &mut out)?;
        write_at(&mut self.file, &self.path, &out, *len)
    }
}

/// Makes an empty file of a recording that has none: it is listed, so it can be asked for, and played.
pub fn ensure_file(keeping: &Keeping, recording: RecordingId) -> io::Result<()> {
    if found_file(&keeping.dir, recording).is_some() {
        return Ok(());
    }
    let mut empty = Growing::new(keeping, recording, FORM.rate, Time::ZERO);
    match &empty.form {
        Shape::Wav { wav, .. } => write_at(&mut empty.file, &empty.path, &wav.header(), 0),
        _ => empty.end(),
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        create_dir_all(dir)?;
    }
    OpenOptions::new().create(true).truncate(true).write(true).open(path)
}

/// Writes to a file, which is created if it is not there.
pub(super) fn write_at(file: &mut Option<File>, path: &Path, bytes: &[u8], at: u64) -> io::Result<()> {
    let file = match file {
        Some(file) => file,
        none => none.insert(open(path)?),
    };
    file.write_all_at(bytes, at)
}

/// Writes what was gathered, then what covers it: a kill between the two leaves a file that plays.
fn flush(growing: &mut Growing, gauges: &RecorderGauges) {
    if growing.gathered.is_empty() {
        return;
    }
    let written = growing.write();
    if written.is_err() {
        growing.lost += growing.gathered.len() as u64;
        gauges.failed.fetch_add(1, Relaxed);
    }
    judge(written.map_err(|why| (why, growing.path.as_path())), gauges);
    growing.gathered.clear();
}

/// What a write says of the disk. It is told once until it works again, not for each recording and twice a second.
fn judge(written: Result<(), (io::Error, &Path)>, gauges: &RecorderGauges) {
    match written {
        Ok(()) => {
            gauges.full.store(false, Relaxed);
            if gauges.failing.swap(false, Relaxed) {
                tracing::info!("recordings are written again");
            }
        }
        Err((why, path)) => {
            let full = matches!(why.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
            gauges.full.store(full, Relaxed);
            if !gauges.failing.swap(true, Relaxed) {
                tracing::warn!(path = %path.display(), %why, "recordings cannot be written; calls go on without");
            }
        }
    }
}

/// Gives what is in the file afterwards.
fn write_wav(
    file: &mut Option<File>,
    path: &Path,
    (mut wav, hole): (WavWriterState, usize),
    gathered: &[u8],
) -> io::Result<WavWriterState> {
    let at = WavWriterState::HEADER_LEN as u64 + wav.data_bytes() + hole as u64;
    wav.append(hole + gathered.len());
    write_at(file, path, gathered, at)?;
    write_at(file, path, &wav.header(), 0)?;
    Ok(wav)
}

#[cfg(test)]
mod opus_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_lane::lane;
    use cordboard_media::Audio;
    use cordboard_model::id::{IdMaker, TenantId};

    const HEADER: usize = WavWriterState::HEADER_LEN;

    fn plain(dir: &Path) -> Keeping {
        Keeping { dir: dir.to_owned(), ..Keeping::default() }
    }

    #[test]
    fn a_recording_that_was_over_before_its_first_sample_can_be_played() {
        let dir = std::env::temp_dir().join(format!("cordboard-recorder-none-{}", std::process::id()));
        let (_chunks, orders) = lane("media to recorder", 1);
        let (shard, _heard) = lane("media to shard", 1);
        let mut recorder = Recorder::new(plain(&dir), orders, shard, Clock::start(), Arc::default());
        let recording = IdMaker::new(1, 0).recording(TenantId::DEFAULT);
        recorder.close(MediaEvent::RecordingClosed { recording, length_ms: 0, dropped_ms: 0 });
        let wav = std::fs::read(file_of(&dir, recording)).unwrap();
        assert!(wav.len() == WavWriterState::HEADER_LEN && Audio::from_wav(&wav).is_ok());
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
        let mut recorder = Recorder::new(plain(&dir), orders, shard, Clock::start(), Arc::clone(&gauges));
        let recording = IdMaker::new(1, 0).recording(TenantId::DEFAULT);
        // Half a second of both channels is one write. In the way of the tenant's folder stands a file.
        let half_second = |sample| vec![sample; 8_192];
        std::fs::write(dir.join("default"), "").unwrap();
        recorder.append(recording, 8_000, &half_second(100));
        assert!(gauges.failing.load(Relaxed));
        std::fs::remove_file(dir.join("default")).unwrap();
        recorder.append(recording, 8_000, &half_second(200));
        assert!(!gauges.failing.load(Relaxed));
        recorder.close(MediaEvent::RecordingClosed { recording, length_ms: 1_024, dropped_ms: 5 });
        let Some(Order::Media(MediaEvent::RecordingClosed { length_ms, dropped_ms, .. })) = heard.pop()
        else {
            unreachable!("the shard is told")
        };
        assert_eq!((length_ms, dropped_ms), (1_024, 512 + 5));
        let wav = std::fs::read(file_of(&dir, recording)).unwrap();
        assert_eq!(wav.len(), HEADER + 4 * 8_192);
        assert!(wav[HEADER..HEADER + 2 * 8_192].iter().all(|byte| *byte == 0));
        assert!(wav[HEADER + 2 * 8_192..].chunks(2).all(|sample| sample == [200, 0]));
        assert!(Audio::from_wav(&wav).is_ok());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
