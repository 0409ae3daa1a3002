//! G.711 against the ITU's own sweep of all 65,536 inputs.

use crate::corpus;
use cordboard_media::codec::g711::{ALAW_TO_PCM, Law, ULAW_TO_PCM, encode};

fn words(name: &str) -> Option<Vec<u16>> {
    let bytes = corpus::file(&format!("itu-g711/{name}"))?;
    assert_eq!(bytes.len(), 131_072);
    let pairs = bytes.chunks_exact(2);
    Some(pairs.map(|b| u16::from_le_bytes([b[0], b[1]])).collect())
}

#[test]
fn alaw_is_exact_for_all_inputs() {
    let (Some(source), Some(codes), Some(decoded)) =
        (words("sweep.src"), words("sweep-r.a"), words("sweep-r.rea"))
    else {
        return;
    };
    for ((source, code), decoded) in source.iter().zip(&codes).zip(&decoded) {
        let ours = encode(Law::A, *source as i16);
        assert_eq!(u16::from(ours), *code, "A-law of {}", *source as i16);
        assert_eq!(ALAW_TO_PCM[usize::from(ours)], *decoded as i16);
    }
}

#[test]
fn mulaw_is_exact_for_all_inputs() {
    let (Some(source), Some(codes), Some(decoded)) =
        (words("sweep.src"), words("sweep-r.u"), words("sweep-r.reu"))
    else {
        return;
    };
    let mut different = 0;
    for ((source, code), decoded) in source.iter().zip(&codes).zip(&decoded) {
        different += u32::from(u16::from(encode(Law::Mu, *source as i16)) != *code);
        assert_eq!(ULAW_TO_PCM[usize::from(*code)], *decoded as i16);
    }
    // The ITU and the common Sun code differ on 508 inputs, and either is right. Ours is the ITU's.
    assert_eq!(different, 0);
}
