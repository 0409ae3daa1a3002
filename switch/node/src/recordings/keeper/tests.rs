//! What is deleted and what is not, and what is told of it.

use super::*;
use crate::recordings::sealed::MasterKey;
use crate::recordings::{file_of, sealed_file_of};
use cordboard_lane::lane;
use cordboard_model::id::IdMaker;
use std::fs::File;

struct Bench {
    keeper: Keeper,
    told: Receiver<Order>,
    ids: IdMaker,
    acme: TenantId,
    _entries: Sender<RecordingEntry>,
    _runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new(name: &str, rules: Rules) -> Self {
        let dir = std::env::temp_dir().join(format!("cordboard-keeper-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let store = runtime.block_on(Store::open(&dir.join("test.db"))).unwrap();
        let ((entries, receiver), (shard, told)) = (lane("entries", 16), lane("told", 64));
        let keeper = Keeper {
            keeping: Keeping { dir, ..Keeping::default() },
            rules,
            entries: receiver,
            shard,
            store: Arc::new(store),
            gauges: Arc::default(),
            runtime: runtime.handle().clone(),
        };
        let acme = TenantId::new("acme").unwrap();
        Self { keeper, told, ids: IdMaker::new(1, 0), acme, _entries: entries, _runtime: runtime }
    }

    /// A finished recording of `bytes`, `days` old, listed and described.
    fn recording(&mut self, tenant: TenantId, days: u64, bytes: usize) -> RecordingId {
        let (recording, call) = (self.ids.recording(tenant), self.ids.call(tenant));
        let path = file_of(&self.keeper.keeping.dir, recording);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, vec![0; bytes]).unwrap();
        let entry = RecordingEntry {
            recording,
            call,
            started: Wall(1_795_000_000_000),
            length_ms: 1_500,
            dropped_ms: 0,
            pauses: Vec::new(),
            parties: Vec::new(),
            label: String::new(),
            deleted: None,
        };
        assert!(self.keeper.describe(&entry));
        self.keeper.store.put_recording(entry).unwrap();
        self.keeper.runtime.block_on(self.keeper.store.flush()).unwrap();
        let then = SystemTime::now() - DAY * u32::try_from(days).unwrap() - Duration::from_secs(60);
        File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        recording
    }

    fn is_there(&self, recording: RecordingId) -> bool {
        file_of(&self.keeper.keeping.dir, recording).exists()
    }

    fn told(&mut self) -> Vec<(RecordingId, String)> {
        let mut all = Vec::new();
        while let Some(order) = self.told.pop() {
            if let Order::Command(ShardCommand::Tell(_, told)) = order
                && let EventKind::RecordingDeleted { recording, why, call: Some(_) } = *told
            {
                all.push((recording, why));
            }
        }
        all
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.keeper.keeping.dir);
    }
}

#[test]
fn recordings_are_deleted_by_age_as_their_tenant_says_with_an_event_and_a_mark() {
    let acme = TenantId::new("acme").unwrap();
    let other = TenantId::new("other").unwrap();
    let by_tenant = BTreeMap::from([(acme, Some(7)), (other, None)]);
    let mut bench = Bench::new("age", Rules { days: Some(30), by_tenant, bytes: None });
    let default = TenantId::DEFAULT;
    let (young, old) = (bench.recording(default, 29, 100), bench.recording(default, 30, 100));
    let (week, days) = (bench.recording(bench.acme, 7, 100), bench.recording(bench.acme, 6, 100));
    let (kept, held) = (bench.recording(other, 900, 100), bench.recording(default, 900, 100));
    fs::write(hold_of(&bench.keeper.keeping.dir, held), "").unwrap();
    bench.keeper.sweep(SystemTime::now());
    let there = [young, old, week, days, kept, held].map(|recording| bench.is_there(recording));
    assert_eq!(there, [true, false, false, true, true, true]);
    let mut told = bench.told();
    told.sort();
    let mut expected = vec![(old, "older than 30 days".to_owned()), (week, "older than 7 days".to_owned())];
    expected.sort();
    assert_eq!(told, expected);
    let (runtime, store) = (&bench.keeper.runtime, &bench.keeper.store);
    runtime.block_on(store.flush()).unwrap();
    let entry = runtime.block_on(store.recording(default, old)).unwrap().unwrap();
    assert_eq!(entry.deleted.unwrap().why, "older than 30 days");
    assert!(manifest::read(&bench.keeper.keeping.dir, old).is_none());
    fs::remove_file(hold_of(&bench.keeper.keeping.dir, held)).unwrap();
    bench.keeper.sweep(SystemTime::now());
    assert!(!bench.is_there(held), "a hold that is lifted is over");
}

#[test]
fn the_oldest_go_first_when_recordings_take_too_much() {
    let mut bench = Bench::new("size", Rules { bytes: Some(250), ..Rules::default() });
    let tenant = TenantId::DEFAULT;
    let all: Vec<_> = [3, 2, 1, 0].into_iter().map(|days| bench.recording(tenant, days, 100)).collect();
    // one that is being written has no manifest yet, and counts
    let growing = bench.ids.recording(tenant);
    fs::write(file_of(&bench.keeper.keeping.dir, growing), [0; 50]).unwrap();
    bench.keeper.sweep(SystemTime::now());
    let there: Vec<_> = all.iter().map(|recording| bench.is_there(*recording)).collect();
    assert_eq!(there, [false, false, true, true]);
    assert!(bench.is_there(growing));
    assert_eq!(bench.told().len(), 2);
}

#[test]
fn room_is_made_by_deleting_the_oldest_that_are_finished_and_not_held() {
    let mut bench = Bench::new("room", Rules::default());
    let tenant = TenantId::DEFAULT;
    let all: Vec<_> = [4, 3, 2, 1, 0].into_iter().map(|days| bench.recording(tenant, days, 100)).collect();
    fs::write(hold_of(&bench.keeper.keeping.dir, all[0]), "").unwrap();
    let growing = bench.ids.recording(tenant);
    fs::write(file_of(&bench.keeper.keeping.dir, growing), [0; 50]).unwrap();
    bench.keeper.make_room(150);
    let there: Vec<_> = all.iter().map(|recording| bench.is_there(*recording)).collect();
    assert_eq!(there, [true, false, false, true, true]);
    let why = "the disk was full, and it was the oldest";
    assert_eq!(bench.told(), [(all[1], why.to_owned()), (all[2], why.to_owned())]);
    bench.keeper.make_room(1 << 30);
    let there: Vec<_> = all.iter().map(|recording| bench.is_there(*recording)).collect();
    assert_eq!(there, [true, false, false, false, false], "what is held stays");
    assert!(bench.is_there(growing), "and what is being written");
}

#[test]
fn a_manifest_says_what_the_recording_is_and_a_changed_file_is_known() {
    let mut bench = Bench::new("manifest", Rules::default());
    let recording = bench.recording(TenantId::DEFAULT, 0, 100);
    let dir = bench.keeper.keeping.dir.clone();
    let manifest = manifest::read(&dir, recording).unwrap();
    assert_eq!((manifest.bytes, manifest.key.as_deref(), manifest.length_ms), (100, None, 1_500));
    assert_eq!((manifest.channels, manifest.sample_rate), (2, 8_000));
    assert_eq!(manifest.started, "2026-11-18T11:06:40.000Z");
    assert_eq!(manifest.ended, "2026-11-18T11:06:41.500Z");
    // SHA-256 of a hundred zero bytes
    let zeros = "cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a418b6840b86e79a3";
    assert_eq!(manifest.sha256, zeros);
    let path = file_of(&dir, recording);
    assert!(manifest::verify(&path, &[]).unwrap().contains("100 bytes"));
    fs::write(&path, [0; 99]).unwrap();
    assert!(matches!(manifest::verify(&path, &[]), Err(manifest::VerifyError::Length { found: 99, .. })));
    let mut changed = vec![0; 100];
    changed[50] = 1;
    fs::write(&path, changed).unwrap();
    let why = manifest::verify(&path, &[]).unwrap_err();
    assert!(why.to_string().starts_with("the file was changed: its SHA-256 is"), "{why}");
}

#[test]
fn a_sealed_recording_is_verified_with_its_key_and_without() {
    let mut bench = Bench::new("sealed", Rules::default());
    let key = MasterKey::new("2026".into(), [5; 32]);
    bench.keeper.keeping.key = Some(key.clone());
    bench.keeper.keeping.keys = vec![key.clone()];
    let recording = bench.ids.recording(TenantId::DEFAULT);
    crate::recordings::ensure_file(&bench.keeper.keeping, recording).unwrap();
    let path = sealed_file_of(&bench.keeper.keeping.dir, recording);
    assert!(path.exists() && !file_of(&bench.keeper.keeping.dir, recording).exists());
    let entry = RecordingEntry {
        recording,
        call: bench.ids.call(TenantId::DEFAULT),
        started: Wall(0),
        length_ms: 0,
        dropped_ms: 0,
        pauses: Vec::new(),
        parties: Vec::new(),
        label: String::new(),
        deleted: None,
    };
    assert!(bench.keeper.describe(&entry));
    let manifest = manifest::read(&bench.keeper.keeping.dir, recording).unwrap();
    assert_eq!((manifest.key.as_deref(), manifest.format.as_str()), (Some("2026"), "sealed"));
    assert!(manifest::verify(&path, &[key]).unwrap().ends_with("every chunk is whole"));
    assert!(manifest::verify(&path, &[]).unwrap().ends_with("its chunks were not opened"));
    let wrong = MasterKey::new("2026".into(), [6; 32]);
    assert!(manifest::verify(&path, &[wrong]).is_err());
}
