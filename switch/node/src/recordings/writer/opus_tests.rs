//! Recordings as Opus in Ogg: in the clear and sealed, with a disk that refuses, cut by a crash.

use super::*;
use crate::recordings::{audio, manifest};
use cordboard_lane::lane;
use cordboard_media::ogg::{OpusAudio, read_opus};
use cordboard_media::tone::{Goertzel, Sine};
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::id::{IdMaker, TenantId};
use cordboard_model::time::Wall;

struct Bench {
    recorder: Recorder,
    heard: Receiver<Order>,
    recording: RecordingId,
    dir: PathBuf,
    tones: (Sine, Sine),
}

impl Bench {
    fn new(name: &str, sealed: bool) -> Self {
        let dir = std::env::temp_dir().join(format!("cordboard-opus-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let key = MasterKey::new("one".into(), [9; 32]);
        let key = sealed.then_some(key);
        let keys = key.iter().cloned().collect();
        let format = Format::Opus;
        let keeping = Keeping { dir: dir.clone(), format, key, keys, ..Keeping::default() };
        let (_chunks, orders) = lane("media to recorder", 1);
        let (shard, heard) = lane("media to shard", 1);
        let recorder = Recorder::new(keeping, orders, shard, Clock::start(), Arc::default());
        let recording = IdMaker::new(1, 0).recording(TenantId::DEFAULT);
        let tones = (Sine::new(440, 8_000), Sine::new(660, 8_000));
        Self { recorder, heard, recording, dir, tones }
    }

    /// Half a second and 12 ms of both tones, which is one write.
    fn says(&mut self) {
        let (left, right) = &mut self.tones;
        let samples: Vec<i16> = (0..4_096).flat_map(|_| [left.sample(), right.sample()]).collect();
        self.recorder.append(self.recording, 8_000, &samples);
    }

    fn close(&mut self, length_ms: u64) -> (u64, u64) {
        let recording = self.recording;
        self.recorder.close(MediaEvent::RecordingClosed { recording, length_ms, dropped_ms: 0 });
        match self.heard.pop() {
            Some(Order::Media(MediaEvent::RecordingClosed { length_ms, dropped_ms, .. })) => {
                (length_ms, dropped_ms)
            }
            other => unreachable!("the shard is told: {other:?}"),
        }
    }

    fn path(&self) -> PathBuf {
        found_file(&self.dir, self.recording).unwrap()
    }

    /// The Ogg file, opened if it is sealed.
    fn bytes(&self) -> Vec<u8> {
        let (path, keys, mut bytes) = (self.path(), &self.recorder.keeping.keys, Vec::new());
        assert_eq!(audio::media_type(&path, keys).unwrap(), "audio/ogg; codecs=opus");
        io::Read::read_to_end(&mut audio::open(&path, keys, 0).unwrap(), &mut bytes).unwrap();
        assert_eq!(audio::length(&path, keys).unwrap(), bytes.len() as u64);
        bytes
    }

    fn audio(&self) -> OpusAudio {
        read_opus(&self.bytes(), 8_000, usize::MAX).unwrap()
    }
}

fn sides(audio: &OpusAudio) -> [Vec<i16>; 2] {
    [0, 1].map(|side| audio.pcm.iter().skip(side).step_by(2).copied().collect())
}

fn ensure_tones(audio: &OpusAudio, from: usize, to: usize) {
    for (samples, hertz, other) in [(&sides(audio)[0], 440.0, 660.0), (&sides(audio)[1], 660.0, 440.0)] {
        let part = &samples[from..to];
        let (own, others) = (Goertzel::share(part, hertz), Goertzel::share(part, other));
        assert!(own > 0.95 && others < 1e-3, "{hertz}: {own}, {other}: {others}");
    }
}

#[test]
fn both_sides_are_kept_apart_and_what_the_disk_refuses_is_silence() {
    for sealed in [false, true] {
        let mut bench = Bench::new(if sealed { "refused-sealed" } else { "refused" }, sealed);
        bench.says();
        // what is opened for reading alone takes no write
        let file = bench.recorder.growing.get_mut(&bench.recording).unwrap();
        let open = file.file.replace(File::open("/dev/null").unwrap());
        bench.says();
        bench.says();
        assert!(bench.recorder.gauges.failing.load(Relaxed));
        bench.recorder.growing.get_mut(&bench.recording).unwrap().file = open;
        bench.says();
        assert!(!bench.recorder.gauges.failing.load(Relaxed));
        let (length_ms, dropped_ms) = bench.close(2_048);
        assert_eq!((length_ms, dropped_ms), (2_048, 1_024));
        let audio = bench.audio();
        assert_eq!(audio.pcm.len(), 2 * 4 * 4_096);
        ensure_tones(&audio, 800, 4_000);
        ensure_tones(&audio, 13_000, 16_000);
        let quiet = sides(&audio)[0][5_500..11_500].iter().map(|sample| sample.abs()).max().unwrap();
        assert!(quiet < 16, "{quiet}");
        std::fs::remove_dir_all(&bench.dir).unwrap();
    }
}

#[test]
fn a_file_that_a_crash_has_cut_ends_with_its_last_page() {
    for sealed in [false, true] {
        let mut bench = Bench::new(if sealed { "cut-sealed" } else { "cut" }, sealed);
        (0..4).for_each(|_| bench.says());
        let path = bench.path();
        let whole = std::fs::read(&path).unwrap();
        for cut in [whole.len(), whole.len() - 1, whole.len() - 1_000] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let keys = &bench.recorder.keeping.keys;
            audio::mend(&path, keys).unwrap();
            let mended = std::fs::read(&path).unwrap();
            audio::mend(&path, keys).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), mended, "mended once is mended");
            let audio = bench.audio();
            assert!(audio.pcm.len() > 2 * 3 * 3_900, "{cut}: {}", audio.pcm.len());
            ensure_tones(&audio, 800, 11_000);
            let ms = manifest::length_ms(&bench.recorder.keeping, bench.recording);
            assert_eq!(ms, audio.pcm.len() as u64 / 16);
        }
        std::fs::remove_dir_all(&bench.dir).unwrap();
    }
}

fn entry(recording: RecordingId) -> RecordingEntry {
    RecordingEntry {
        recording,
        call: IdMaker::new(1, 0).call(TenantId::DEFAULT),
        started: Wall(0),
        length_ms: 512,
        dropped_ms: 0,
        pauses: Vec::new(),
        parties: Vec::new(),
        label: String::new(),
        deleted: None,
    }
}

#[test]
fn its_manifest_names_what_it_is_and_is_checked() {
    for (sealed, format) in [(false, "opus"), (true, "sealed")] {
        let mut bench = Bench::new(format, sealed);
        bench.says();
        bench.close(512);
        let entry = entry(bench.recording);
        let manifest = manifest::write(&bench.recorder.keeping, &entry).unwrap();
        assert_eq!((manifest.format.as_str(), manifest.codec.as_str()), (format, "opus"));
        assert_eq!((manifest.channels, manifest.sample_rate), (2, 8_000));
        let keys = &bench.recorder.keeping.keys;
        manifest::verify(&bench.path(), keys).unwrap();
        let mut bytes = std::fs::read(bench.path()).unwrap();
        bytes[700] ^= 1;
        std::fs::write(bench.path(), bytes).unwrap();
        assert!(manifest::verify(&bench.path(), keys).is_err());
        std::fs::remove_dir_all(&bench.dir).unwrap();
    }
}

#[test]
fn one_that_was_over_before_its_first_sample_is_a_file_all_the_same() {
    let mut bench = Bench::new("none", false);
    bench.close(0);
    let bytes = std::fs::read(bench.path()).unwrap();
    let whole = cordboard_media::ogg::whole(&bytes, &mut Vec::new());
    assert_eq!((whole.ms, whole.ended, whole.len), (0, true, bytes.len() as u64));
    std::fs::remove_dir_all(&bench.dir).unwrap();
}

#[test]
fn at_16_khz_files_of_every_form_know_their_rate_and_have_what_lies_above_the_telephone_band() {
    use crate::recordings::sealed::Form;
    for (format, sealed) in
        [(Format::Wav, false), (Format::Wav, true), (Format::Opus, false), (Format::Opus, true)]
    {
        let mut bench = Bench::new(&format!("wide-{format:?}-{sealed}"), sealed);
        bench.recorder.keeping.format = format;
        // tones of 3 and 3.5 kHz at 8 kHz are tones of 6 and 7 at 16
        bench.tones = (Sine::new(3_000, 8_000), Sine::new(3_500, 8_000));
        let say = |bench: &mut Bench| {
            let (left, right) = &mut bench.tones;
            let samples: Vec<i16> = (0..16_000).flat_map(|_| [left.sample(), right.sample()]).collect();
            bench.recorder.append(bench.recording, 16_000, &samples);
        };
        say(&mut bench);
        say(&mut bench);
        // killed now, it plays all the same
        let (path, keys) = (bench.path(), bench.recorder.keeping.keys.clone());
        let cut = path.with_file_name(format!("cut.{}", path.extension().unwrap().to_str().unwrap()));
        std::fs::copy(&path, &cut).unwrap();
        audio::mend(&cut, &keys).unwrap();
        assert_eq!(audio::rate(&cut, &keys).unwrap(), 16_000);
        assert_eq!(bench.close(2_000), (2_000, 0));
        let ms = manifest::length_ms(&bench.recorder.keeping, bench.recording);
        assert!(ms.abs_diff(2_000) <= 1, "{format:?}, {sealed}: {ms}");
        let entry = RecordingEntry { length_ms: 2_000, ..entry(bench.recording) };
        let manifest = manifest::write(&bench.recorder.keeping, &entry).unwrap();
        assert_eq!((manifest.sample_rate, manifest.channels), (16_000, 2));
        for path in [&path, &cut] {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut audio::open(path, &keys, 0).unwrap(), &mut bytes).unwrap();
            let pcm: Vec<i16> = match format {
                Format::Opus => read_opus(&bytes, 16_000, usize::MAX).unwrap().pcm,
                Format::Wav => {
                    assert_eq!(WavWriterState::rate_of(&bytes), Some(16_000));
                    let audio = bytes[WavWriterState::HEADER_LEN..].chunks_exact(2);
                    audio.map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
                }
            };
            let seconds = pcm.len() as f64 / 32_000.0;
            assert!((1.9..2.01).contains(&seconds), "{format:?}, {sealed}: {seconds} s");
            for (n, hertz) in [(0, 3_000.0), (1, 3_500.0)] {
                let side: Vec<i16> = pcm.iter().skip(n).step_by(2).copied().collect();
                let share = Goertzel::share(&side[3_200..28_800], hertz);
                assert!(share > 0.9, "{format:?}, {sealed}, {hertz}: {share}");
            }
        }
        let form = Form { rate: 16_000, ..FORM };
        assert_eq!(form.ms(64_000), 1_000);
        std::fs::remove_dir_all(&bench.dir).unwrap();
    }
}
