//! The messages of RFC 4475 and RFC 5118 once more, over TCP and cut at random: what a stream makes of them, and a call
//! afterwards. One connection each, for a stream whose lengths lie cannot be found back into.

use crate::torture::{RFC4475, RFC5118, final_answer, folder, marks, works};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::SOON;
use cordboard_tests::switch::Switch;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Where a stream makes a message another than a datagram does: name, right answers.
const OVER_TCP: &[(&str, &[u16])] = &[
    // The length is greater than what follows, so the stream waits for more; its idle timer ends that.
    ("clerr", &[]),
    // "If a stream-based protocol (such as TCP) is used as transport, the header field MUST be used." (RFC 3261 20.14)
    ("inv2543", &[400]),
];

/// How many ways each message is cut.
const CUTS: u64 = 3;

pub fn rfc4475(dir: &Path) -> Outcome {
    let files: Vec<_> =
        RFC4475.iter().map(|(name, wanted)| (*name, format!("rfc4475/{name}.dat"), *wanted)).collect();
    torture(dir, &files)
}

pub fn rfc5118(dir: &Path) -> Outcome {
    let files: Vec<_> =
        RFC5118.iter().map(|(name, wanted)| (*name, format!("rfc5118-crlf/{name}"), *wanted)).collect();
    torture(dir, &files)
}

fn torture(dir: &Path, files: &[(&str, String, &[u16])]) -> Outcome {
    let config = Config::new(dir)?.listen("tcp:127.0.0.1:5060").agent("1001").queue("").trunk();
    let switch = Switch::start(dir, &config)?;
    let mut wrong = Vec::new();
    for (index, (name, file, wanted)) in files.iter().enumerate() {
        let wanted = OVER_TCP.iter().find(|(of, _)| of == name).map_or(*wanted, |(_, wanted)| wanted);
        let mut bytes = std::fs::read(folder(file))?;
        if !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
            // The archive leaves out the empty line of some; a datagram ends without it, a stream does not.
            bytes.extend_from_slice(b"\r\n");
        }
        for seed in 1..=CUTS {
            let seed = seed + CUTS * index as u64;
            let told =
                Wire::open()?.answers(&bytes, wanted, &mut Cuts(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)))?;
            let right = match told.as_slice() {
                [] => wanted.is_empty() || wanted.contains(&0),
                told => told.iter().all(|status| wanted.contains(status)),
            };
            if !right {
                wrong.push(format!("{name}, cut by {seed}: {told:?}, not {wanted:?}"));
            }
        }
        // Whatever it did to its own connection, it did to no other.
        Wire::open()?.probe(index)?;
    }
    ensure(wrong.is_empty(), || format!("{}\nits log:\n{}", wrong.join("\n"), switch.log()))?;
    works(dir, &switch)
}

/// Lengths of pieces, the same for a seed each time (xorshift).
struct Cuts(u64);

impl Cuts {
    fn next(&mut self) -> usize {
        for (left, by) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << by } else { self.0 >> by };
        }
        // Most are short; one of sixteen takes a whole header.
        let most = if self.0 >> 60 == 0 { 700 } else { 40 };
        (self.0 >> 20) as usize % most + 1
    }
}

/// A connection to the switch.
struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    fn open() -> Result<Self, Fail> {
        let stream = TcpStream::connect("127.0.0.1:5060")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_millis(2)))?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// False once the switch has closed it.
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// What came so far, and whether more may come.
    fn receive(&mut self) -> Result<(Vec<String>, bool), Fail> {
        let mut piece = [0; 4_096];
        let open = match self.stream.read(&mut piece) {
            Ok(0) => false,
            Ok(len) => {
                self.read.extend_from_slice(piece.get(..len).unwrap_or_default());
                true
            }
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => true,
            Err(why) if matches!(why.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => false,
            Err(why) => return Err(why.into()),
        };
        let text = String::from_utf8_lossy(&self.read).into_owned();
        Ok((text.split("SIP/2.0 ").skip(1).map(|rest| format!("SIP/2.0 {rest}")).collect(), open))
    }

    /// The final answers to a message. Where one may come it is waited for, until the switch closes the connection.
    fn answers(&mut self, bytes: &[u8], wanted: &[u16], cuts: &mut Cuts) -> Result<Vec<u16>, Fail> {
        let (marks, mut at) = (marks(bytes), 0);
        while at < bytes.len() {
            let end = bytes.len().min(at + cuts.next());
            if !self.send(bytes.get(at..end).unwrap_or_default()) {
                break;
            }
            at = end;
        }
        if wanted.is_empty() || wanted.contains(&0) {
            // Answered after the message if there is an answer at all; a connection that was closed says the same.
            self.send(probe_text(99).as_bytes());
        }
        let end = Instant::now() + SOON;
        loop {
            let (texts, open) = self.receive()?;
            let found: Vec<u16> = texts.iter().filter_map(|text| final_answer(text, &marks)).collect();
            let probed = texts.iter().any(|text| text.contains("z9hG4bK-probe-"));
            if !found.is_empty() || probed || !open || Instant::now() >= end {
                return Ok(found);
            }
        }
    }

    fn probe(&mut self, number: usize) -> Outcome {
        self.send(probe_text(number).as_bytes());
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            if self.receive()?.0.iter().any(|text| text.starts_with("SIP/2.0 200")) {
                return Ok(());
            }
        }
        fail(format!("no OPTIONS was answered after message {number}"))
    }
}

fn probe_text(number: usize) -> String {
    format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5071;branch=z9hG4bK-probe-{number}\r\n\
         From: <sip:probe@127.0.0.1>;tag=p\r\nTo: <sip:127.0.0.1>\r\nCall-ID: probe-tcp-{number}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}
