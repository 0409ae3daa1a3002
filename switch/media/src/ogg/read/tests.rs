//! Files written by one half and read by the other; the readers of others are in the tests of the node.

use super::super::OpusFile;
use super::*;
use crate::tone::{Goertzel, Sine};

/// Two tones, one on each side.
fn tones(samples: usize) -> Vec<i16> {
    let (mut left, mut right) = (Sine::new(440, 8_000), Sine::new(660, 8_000));
    (0..samples).flat_map(|_| [left.sample(), right.sample()]).collect()
}

fn file_of(pcm: &[i16]) -> Vec<u8> {
    let mut file = OpusFile::new(7, 8_000);
    let mut bytes = file.headers();
    // in pieces that fit nothing
    pcm.chunks(1_234).for_each(|piece| file.append(piece, &mut bytes));
    file.end(&mut bytes);
    bytes
}

fn side(audio: &OpusAudio, side: usize) -> Vec<i16> {
    audio.pcm.iter().skip(side).step_by(2).copied().collect()
}

#[test]
fn each_side_is_read_back_to_the_sample_and_nothing_of_the_other() {
    for samples in [8_000, 8_001, 79, 159 * 2] {
        let bytes = file_of(&tones(samples));
        let audio = read_opus(&bytes, 8_000, usize::MAX).unwrap();
        assert_eq!((audio.channels, audio.pcm.len()), (2, 2 * samples));
        if samples == 8_000 {
            let (left, right) = (side(&audio, 0), side(&audio, 1));
            assert!(
                Goertzel::share(&left[800..], 440.0) > 0.98 && Goertzel::share(&right[800..], 660.0) > 0.98
            );
            assert!(Goertzel::share(&left[800..], 660.0) < 1e-3, "the other side is heard");
            assert!(bytes.len() < 6_000, "{} octets", bytes.len());
        }
        let mut last = Vec::new();
        let whole = whole(&bytes, &mut last);
        assert_eq!((whole.len, whole.ended), (bytes.len() as u64, true));
        assert_eq!(whole.ms, samples as u64 / 8);
        assert!(bytes.ends_with(&last), "the last page is marked already");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_whole_up_to_its_last_page_and_can_be_ended_there() {
    let pcm = tones(24_000);
    let mut file = OpusFile::new(7, 8_000);
    let mut bytes = file.headers();
    let headers = bytes.len();
    pcm.chunks(2 * 4_096).for_each(|piece| file.append(piece, &mut bytes));
    for cut in [headers, headers + 1, headers + 900, bytes.len() - 1, bytes.len()] {
        let mut last = Vec::new();
        let kept = whole(&bytes[..cut], &mut last);
        assert!(
            !kept.ended && kept.len <= cut as u64 && (cut as u64 - kept.len) < 4_000,
            "{kept:?} of {cut}"
        );
        let mut mended = bytes[..kept.len as usize].to_vec();
        let at = mended.len() - last.len();
        mended[at..].copy_from_slice(&last);
        let after = whole(&mended, &mut last);
        assert_eq!((after.ended, after.len), (true, kept.len));
        match read_opus(&mended, 8_000, usize::MAX) {
            Ok(audio) => assert_eq!(audio.pcm.len() as u64 / 16, kept.ms, "{cut}"),
            Err(why) => assert!(why == OggError::Empty && kept.ms == 0, "{why}"),
        }
    }
}

#[test]
fn what_the_disk_refused_is_silence_of_its_own_length() {
    let pcm = tones(24_000);
    let mut file = OpusFile::new(7, 8_000);
    let mut bytes = file.headers();
    file.append(&pcm[..16_100], &mut bytes);
    let mark = file.mark();
    file.append(&pcm[16_100..32_100], &mut Vec::new());
    let missing = file.back_to(mark);
    assert_eq!(missing % 160, 0);
    file.silence(missing, &mut bytes);
    file.append(&pcm[32_100..], &mut bytes);
    file.end(&mut bytes);
    let audio = read_opus(&bytes, 8_000, usize::MAX).unwrap();
    assert_eq!(audio.pcm.len(), pcm.len());
    let left = side(&audio, 0);
    let loud = |from: usize, to: usize| left[from..to].iter().map(|s| s.abs()).max().unwrap();
    assert!(Goertzel::share(&left[..8_000], 440.0) > 0.95 && Goertzel::share(&left[16_500..], 440.0) > 0.95);

    assert!(loud(9_000, 15_500) < 16, "{}", loud(9_000, 15_500));
}

#[test]
fn files_that_are_none_are_refused_and_broken_ones_are_as_long_as_they_are_good() {
    let good = file_of(&tones(8_000));
    assert_eq!(read_opus(b"", 8_000, usize::MAX), Err(OggError::NotOpus));
    assert_eq!(read_opus(&good[1..], 8_000, usize::MAX), Err(OggError::NotOpus));
    assert_eq!(read_opus(&good, 8_000, 1_000), Err(OggError::TooLong));
    for at in (0..good.len()).step_by(7) {
        let mut broken = good.clone();
        broken[at] ^= 0xff;
        if let Ok(audio) = read_opus(&broken, 48_000, usize::MAX) {
            assert!(audio.pcm.len() <= 2 * 48_000 + 2 * 960);
        }
        let _ = read_opus(&good[..at], 16_000, usize::MAX);
    }
}
