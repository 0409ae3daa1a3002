//! G.722 against the ITU's speech: the coder, and the decoder of mode 1.

use crate::corpus;
use cordboard_media::codec::g722::{Decoder, Encoder};

fn words(name: &str) -> Option<Vec<i16>> {
    let bytes = corpus::file(&format!("itu-g722/{name}"))?;
    assert!(bytes.len() > 90_000, "{name}");
    Some(bytes.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
}

#[test]
fn the_coder_gives_the_codes_of_the_itu_for_its_speech() {
    let (Some(speech), Some(expected)) = (words("inpsp.bin"), words("codspw.cod")) else {
        return;
    };
    let mut codes = vec![0; speech.len() / 2];
    Encoder::default().wide(&speech, &mut codes);
    let first = codes.iter().zip(&expected).position(|(ours, theirs)| i16::from(*ours) != *theirs);
    assert_eq!((codes.len(), first), (expected.len(), None));
}

#[test]
fn the_decoder_gives_the_speech_of_the_itu_for_its_codes() {
    let (Some(codes), Some(expected)) = (words("codspw.cod"), words("outsp1.bin")) else {
        return;
    };
    let codes: Vec<u8> = codes.iter().map(|code| *code as u8).collect();
    let mut speech = vec![0; codes.len() * 2];
    Decoder::default().wide(&codes, &mut speech);
    let first = speech.iter().zip(&expected).position(|(ours, theirs)| ours != theirs);
    assert_eq!((speech.len(), first), (expected.len(), None));
}
