//! What is sealed is read back, and nothing else is.

use super::*;
use crate::recordings::audio;
use std::io::Cursor;

const FORM: Form = Form { coding: Coding::Pcm16, channels: 2, rate: 8_000 };

fn key(id: &str, byte: u8) -> MasterKey {
    MasterKey::new(id.into(), [byte; 32])
}

/// A file of three chunks; where each begins, and where the file ends.
fn sealed(key: &MasterKey) -> (Vec<u8>, Vec<usize>) {
    let mut sealer = Sealer::new(key, FORM, [7; 32]).unwrap();
    let mut file = sealer.header().to_vec();
    let mut begins = Vec::new();
    for n in 0..3u8 {
        begins.push(file.len());
        sealer.audio(&[n; 1_000], &mut file).unwrap();
        sealer.taken();
    }
    begins.push(file.len());
    sealer.end(false, &mut file).unwrap();
    begins.push(file.len());
    (file, begins)
}

fn read(file: &[u8], keys: &[MasterKey]) -> (Vec<u8>, Result<Ending, SealError>) {
    let (mut all, mut piece) = (Vec::new(), Vec::new());
    let mut unsealer = match Unsealer::open(Cursor::new(file), keys) {
        Ok(unsealer) => unsealer,
        Err(why) => return (all, Err(why)),
    };
    loop {
        match unsealer.next(&mut piece) {
            Ok(true) => all.extend(&piece),
            Ok(false) => return (all, unsealer.ending().ok_or(SealError::Cut)),
            Err(why) => return (all, Err(why)),
        }
    }
}

fn whole() -> Vec<u8> {
    (0..3u8).flat_map(|n| [n; 1_000]).collect()
}

#[test]
fn what_is_sealed_is_read_back_by_its_key_among_others() {
    let keys = [key("2025", 1), key("2026", 2)];
    for key in &keys {
        let (file, _) = sealed(key);
        let (audio, ending) = read(&file, &keys);
        assert_eq!(audio, whole());
        assert_eq!(ending.unwrap(), Ending { bytes: 3_000, cut: false });
        assert!(!file.windows(50).any(|window| window == [1; 50]), "it stands in the clear");
    }
    let (one, other) = (sealed(&keys[0]).0, {
        let mut sealer = Sealer::new(&keys[0], FORM, [8; 32]).unwrap();
        let mut file = sealer.header().to_vec();
        sealer.audio(&[0; 1_000], &mut file).unwrap();
        file
    });
    let begin = sealed(&keys[0]).1[0];
    assert_ne!(
        one[begin + CHUNK_HEAD..begin + 99],
        other[begin + CHUNK_HEAD..begin + 99],
        "one key for two files"
    );
}

#[test]
fn a_wrong_key_is_refused_and_named() {
    let (file, _) = sealed(&key("2026", 2));
    let (audio, why) = read(&file, &[key("2026", 3)]);
    let why = why.unwrap_err();
    assert!(audio.is_empty() && matches!(&why, SealError::WrongKey(id) if id == "2026"), "{why}");
    assert_eq!(why.to_string(), "the key \"2026\" of [recordings.keys] is not the one it was sealed with");
    let (_, why) = read(&file, &[key("2025", 2)]);
    assert!(matches!(why, Err(SealError::UnknownKey(id)) if id == "2026"));
    let (_, why) = read(b"RIFF of some other kind, long enough to be looked at", &[]);
    assert!(matches!(why, Err(SealError::NotSealed)));
}

#[test]
fn a_file_that_ends_anywhere_gives_its_whole_chunks_and_is_known_to_be_cut() {
    let key = key("2026", 2);
    let (file, begins) = sealed(&key);
    for len in begins[0]..file.len() {
        let (audio, why) = read(&file[..len], std::slice::from_ref(&key));
        let chunks = begins[1..].iter().filter(|end| **end <= len).count();
        assert_eq!(audio, whole()[..chunks.min(3) * 1_000], "{len}");
        assert!(matches!(why, Err(SealError::Cut)), "{len}: {why:?}");
    }
}

#[test]
fn a_byte_that_is_changed_anywhere_is_known() {
    let key = key("2026", 2);
    let (file, _) = sealed(&key);
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        let (audio, why) = read(&changed, std::slice::from_ref(&key));
        assert!(why.is_err(), "byte {at} can be changed");
        assert!(whole().starts_with(&audio), "byte {at} changes the audio");
    }
}

#[test]
fn chunks_that_are_moved_left_out_doubled_or_added_are_known() {
    let key = key("2026", 2);
    let (file, begins) = sealed(&key);
    let chunk = |n: usize| &file[begins[n]..begins[n + 1]];
    let head = &file[..begins[0]];
    let built =
        |order: &[usize]| [head.to_vec(), order.iter().flat_map(|n| chunk(*n).to_vec()).collect()].concat();
    assert_eq!(built(&[0, 1, 2, 3]), file);
    for order in [&[1, 0, 2, 3][..], &[0, 2, 3], &[0, 1, 3], &[0, 0, 1, 2, 3], &[3], &[0, 1, 2, 3, 3]] {
        let (_, why) = read(&built(order), std::slice::from_ref(&key));
        assert!(matches!(why, Err(SealError::Damaged(_))), "{order:?}: {why:?}");
    }
}

#[test]
fn what_the_disk_refused_is_silence_of_its_length_and_no_number_is_used_twice() {
    let key = key("2026", 2);
    let mut sealer = Sealer::new(&key, FORM, [7; 32]).unwrap();
    let mut file = sealer.header().to_vec();
    sealer.audio(&[1; 500], &mut file).unwrap();
    sealer.taken();
    for _ in 0..3 {
        let (number, mut lost) = (sealer.number(), Vec::new());
        sealer.audio(&[2; 700_000], &mut lost).unwrap();
        sealer.was_refused(number, 700_000);
    }
    sealer.audio(&[3; 500], &mut file).unwrap();
    sealer.taken();
    sealer.end(false, &mut file).unwrap();
    let (audio, ending) = read(&file, std::slice::from_ref(&key));
    assert_eq!(ending.unwrap(), Ending { bytes: 2_101_000, cut: false });
    assert!(audio[..500] == [1; 500] && audio[2_100_500..] == [3; 500]);
    assert!(audio[500..2_100_500].iter().all(|byte| *byte == 0));
    assert_eq!(sealer.number(), 1 + 1 + 2 * 2 + 2 + 1, "each attempt has numbers of its own");
}

#[test]
fn a_file_cut_by_a_kill_is_mended_up_to_its_last_whole_chunk_and_says_so() {
    let key = key("2026", 2);
    let keys = std::slice::from_ref(&key);
    let (file, begins) = sealed(&key);
    let dir = std::env::temp_dir().join(format!("cordboard-mend-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("cut.sealed");
    std::fs::write(&path, &file[..begins[2] + 40]).unwrap();
    assert!(matches!(audio::length(&path, keys), Err(SealError::Cut)));
    let out = dir.join("before.wav");
    assert!(matches!(audio::decrypt(&path, &out, keys), Err(SealError::Cut)));
    assert_eq!(std::fs::read(&out).unwrap()[80..], whole()[..2_000], "what is whole is given");
    audio::mend(&path, keys).unwrap();
    audio::mend(&path, keys).unwrap();
    let opened = std::fs::File::open(&path).unwrap();
    assert_eq!(length(&opened, keys).unwrap().1, Ending { bytes: 2_000, cut: true });
    // as a WAV file, whole and from any byte on
    let mut wav = Vec::new();
    audio::open(&path, keys, 0).unwrap().read_to_end(&mut wav).unwrap();
    assert_eq!(wav.len() as u64, audio::length(&path, keys).unwrap());
    assert_eq!(wav[80..], whole()[..2_000]);
    for from in [0, 1, 79, 80, 81, 1_500, 2_079, 2_080] {
        let mut rest = Vec::new();
        audio::open(&path, keys, from).unwrap().read_to_end(&mut rest).unwrap();
        assert!(rest == wav[from as usize..], "from {from}");
    }
    let other = MasterKey::new("2026".into(), [9; 32]);
    assert!(matches!(audio::mend(&path, &[other]), Err(SealError::WrongKey(_))));
    std::fs::remove_dir_all(&dir).unwrap();
}
