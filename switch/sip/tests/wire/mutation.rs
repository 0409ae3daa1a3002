//! Damaged messages: nothing panics, and whatever is accepted can be printed and read again.

use super::corpora;
use cordboard_sip::wire::{Frame, Framer, Message, parse_datagram};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::path::Path;

fn seeds() -> Vec<Vec<u8>> {
    let torture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/torture");
    let mut seeds = Vec::new();
    for folder in ["rfc4475", "rfc5118-crlf", "rfc5118"] {
        let mut paths: Vec<_> =
            std::fs::read_dir(torture.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        seeds.extend(paths.iter().map(|path| std::fs::read(path).unwrap()));
    }
    if let Some(dir) = corpora::corpus("rfc-flows") {
        seeds.extend(corpora::messages(&dir).into_iter().step_by(5).map(|(_, data)| data));
    }
    seeds
}

/// Pieces that matter to some scanner.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n ",
    b"\r\n\r\n",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"<>",
    b",",
    b";",
    b";;",
    b":",
    b"@",
    b"=",
    b"[",
    b"]",
    b"[::",
    b"%",
    b"%0",
    b"%00",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"  ",
    b"\t",
    b"/",
    b"?",
    b"z9hG4bK",
    b"SIP/2.0",
    b"99999999999999999999",
    b"-1",
    b"Via: ",
    b"l: ",
    b"*",
    b"&",
    b";tag=",
    b"\xf0\x9f\x98\x80",
];

fn below(rng: &mut ChaCha8Rng, limit: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap() % limit.max(1)
}

fn mutate(rng: &mut ChaCha8Rng, data: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=below(rng, 4) {
        let at = below(rng, data.len());
        match below(rng, 7) {
            0 if !data.is_empty() => data[at] = u8::try_from(rng.next_u32() & 0xff).unwrap(),
            1 if !data.is_empty() => data[at] ^= 1 << below(rng, 8),
            2 => data.truncate(at),
            3 => {
                let end = (at + below(rng, 40)).min(data.len());
                data.drain(at..end);
            }
            4 => {
                let piece = PIECES[below(rng, PIECES.len())];
                data.splice(at..at, piece.iter().copied());
            }
            5 => {
                let end = (at + below(rng, 60)).min(data.len());
                let copy = data[at..end].to_vec();
                let to = below(rng, data.len());
                data.splice(to..to, copy);
            }
            _ => {
                let from = below(rng, other.len());
                let end = (from + below(rng, 200)).min(other.len());
                data.splice(at..at, other[from..end].iter().copied());
            }
        }
    }
}

/// Calls every reader of a message.
fn read_everything(message: &Message) {
    message.via_top().unwrap();
    for via in message.vias().unwrap() {
        let _ = (via.branch(), via.received(), via.rport(), via.port_or_default(), via.to_string());
    }
    for party in [message.from_().unwrap(), message.to().unwrap()] {
        let _ = (party.tag(), party.uri.user(), party.to_string(), party == party.clone());
    }
    message.call_id().unwrap();
    message.cseq().unwrap();
    for contact in message.contacts().into_iter().flatten() {
        let _ = (contact.expires(), contact.q_thousandths(), contact.uri == contact.uri.clone());
        if let Some(uri) = contact.uri.as_sip() {
            let _ = (uri.headers().count(), uri.is_loose_router(), uri.param("transport"));
        }
    }
    let _ = (message.routes(), message.record_routes(), message.max_forwards(), message.expires());
    let _ = (message.content_type(), message.require().count(), message.supported().count());
    let _ = (message.allow().count(), message.accepts("application/sdp"));
}

fn frames(data: &[u8], cuts: usize) -> Vec<Frame> {
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    for chunk in data.chunks(cuts.max(1)) {
        framer.push(chunk);
        frames.extend(framer.by_ref());
    }
    frames
}

#[test]
fn nothing_panics_on_forty_thousand_damaged_messages() {
    let seeds = seeds();
    let mut rng = ChaCha8Rng::seed_from_u64(0x5eed);
    let (mut accepted, mut answered) = (0, 0);
    for round in 0..40_000 {
        let mut data = seeds[below(&mut rng, seeds.len())].clone();
        let other = &seeds[below(&mut rng, seeds.len())];
        mutate(&mut rng, &mut data, other);
        match parse_datagram(&data) {
            Ok(message) => {
                accepted += 1;
                read_everything(&message);
                let again = parse_datagram(&message.to_bytes());
                assert_eq!(again.as_ref(), Ok(&message), "round {round}");
            }
            Err(error) => {
                assert!(error.offset <= data.len(), "round {round}");
                if let Some(reject) = error.reject {
                    answered += 1;
                    let via = reject.via.clone();
                    let answer = reject.into_response(&via, "t").to_bytes();
                    let lines = answer.split(|byte| *byte == b'\n').count();
                    assert!(answer.starts_with(b"SIP/2.0 ") && lines > 3, "round {round}");
                }
            }
        }
        if round % 8 == 0 {
            let cuts = below(&mut rng, 64);
            assert_eq!(frames(&data, cuts), frames(&data, usize::MAX), "round {round}");
        }
    }
    println!("{accepted} accepted, {answered} answered");
    assert!(accepted > 2_000 && answered > 2_000, "{accepted} {answered}");
}
