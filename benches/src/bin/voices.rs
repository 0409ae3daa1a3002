//! For the load drivers: writes what talkers say into a folder, for each codec a file of speech and one (`.word`) of a word and
//! its pause, and prints what the codecs alone cost.
//!
//! A file has one packet's payload after another, each behind its length in two octets. A line has two codecs and the
//! nanoseconds from a packet of the one to a packet of the other.

use cordboard_benches::voice::{cost, speech, word};
use cordboard_model::media::Codec;
use std::path::Path;
use std::process::ExitCode;

const CODECS: [Codec; 3] = [Codec::Pcma, Codec::G722, Codec::Opus];

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("voices: a folder is missing");
        return ExitCode::from(2);
    };
    for codec in CODECS {
        for (packets, kind) in [(speech(codec), ""), (word(codec), ".word")] {
            let path = Path::new(&dir).join(format!("{}{kind}", codec.name()));
            if let Err(error) = std::fs::write(&path, framed(&packets)) {
                eprintln!("voices: {}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    for from in CODECS {
        for to in CODECS {
            println!("{} {} {}", from.name(), to.name(), cost(from, to).as_nanos());
        }
    }
    ExitCode::SUCCESS
}

fn framed(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for packet in packets {
        bytes.extend((packet.len() as u16).to_be_bytes());
        bytes.extend(packet);
    }
    bytes
}
