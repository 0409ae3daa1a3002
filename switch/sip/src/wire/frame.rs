//! Messages out of a stream (RFC 3261 18.3, RFC 5626 3.5.1).
//!
//! Invariant: the frames depend on the bytes alone, never on how they were cut; and at most one
//! message of [`MAX_MESSAGE_BYTES`] is kept.

use super::head::{BodyLength, Head};
use super::limits::{MAX_LEADING_LINES, MAX_MESSAGE_BYTES};
use super::parse::judge;
use super::{HeaderName, Message, WireError, WireErrorKind};

/// What a stream held next.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A message.
    Message(Message),
    /// A double CRLF: answer with one CRLF (RFC 5626 3.5.1).
    Ping,
    /// A message that could not be read; its bytes are gone and the stream goes on.
    Bad(WireError),
    /// The stream cannot be followed any more, for where this message ends is unknown: answer
    /// if there is a reject, then close. Nothing follows it.
    Broken(WireError),
}

/// Cuts a stream (TCP, TLS) into messages, however its bytes arrive.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes of the buffer that are done with.
    start: usize,
    /// Where the last message, or the one whose body is awaited, begins.
    begin: usize,
    /// Bytes after `start` in which no end of a header section begins.
    scanned: usize,
    /// Lone CRLFs read since the last message.
    blank_lines: usize,
    /// A header section whose body is not there yet, and the body's length.
    pending: Option<(Head, usize)>,
    broken: bool,
}

/// What stood before a start line.
enum Blank {
    Done,
    /// Only more bytes can tell.
    Unfinished,
    Frame(Frame),
}

const CRLF: &[u8] = b"\r\n";
const DOUBLE_CRLF: &[u8] = b"\r\n\r\n";

impl Framer {
    /// An empty framer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes as they came. Drain the frames after each push; what a broken stream still
    /// sends is ignored.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        let done = if self.pending.is_some() { self.begin } else { self.start };
        if done > 0 {
            self.buffer.drain(..done);
            self.start -= done;
            self.begin = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes kept for a message that is not whole yet.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The bytes of the message that was given last, as they came; until the next push. Empty after a ping or a break.
    #[must_use]
    pub fn last_bytes(&self) -> &[u8] {
        self.buffer.get(self.begin..self.start).unwrap_or_default()
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.scanned = 0;
    }

    fn break_off(&mut self, error: WireError) -> Frame {
        self.broken = true;
        self.buffer = Vec::new();
        (self.start, self.begin) = (0, 0);
        self.pending = None;
        Frame::Broken(error)
    }

    /// Reads blank lines before a start line: a pair is a ping, a single one is ignored.
    fn skip_blank_lines(&mut self) -> Blank {
        while self.rest().first() == Some(&b'\r') {
            if self.rest().starts_with(DOUBLE_CRLF) {
                self.consume(DOUBLE_CRLF.len());
                self.begin = self.start;
                return Blank::Frame(Frame::Ping);
            }
            if DOUBLE_CRLF.starts_with(self.rest()) {
                return Blank::Unfinished;
            }
            self.blank_lines += 1;
            if !self.rest().starts_with(CRLF) || self.blank_lines > MAX_LEADING_LINES {
                let error = WireError::new(WireErrorKind::StartLine, 0);
                return Blank::Frame(self.break_off(error));
            }
            self.consume(CRLF.len());
        }
        Blank::Done
    }

    /// Reads a header section, or asks for more bytes with `None`.
    fn read_head(&mut self) -> Option<Frame> {
        let rest = self.rest();
        let found = rest.get(self.scanned..)?.windows(4).position(|window| window == DOUBLE_CRLF);
        let Some(found) = found else {
            let length = rest.len();
            self.scanned = length.saturating_sub(DOUBLE_CRLF.len() - 1);
            if length > MAX_MESSAGE_BYTES {
                return Some(self.break_off(WireError::new(WireErrorKind::MessageTooLong, 0)));
            }
            return None;
        };
        let end = self.scanned + found + DOUBLE_CRLF.len();
        let mut head = Head::read(rest.get(..end)?);
        let length = match head.body_length {
            BodyLength::Bytes(length) => Some(length),
            // "The Content-Length header field MUST be used with stream oriented transports."
            BodyLength::Absent => {
                let missing = WireErrorKind::Missing(HeaderName::ContentLength);
                head.fault.get_or_insert((missing, 0));
                None
            }
            BodyLength::Unknown => None,
        };
        // other line ends than CRLF, or too many headers, leave the end in doubt as well
        let whole = head.len == end;
        match length {
            Some(length) if whole && end.saturating_add(length) <= MAX_MESSAGE_BYTES => {
                self.begin = self.start;
                self.consume(end);
                self.pending = Some((head, length));
                None
            }
            Some(_) if whole => {
                head.fault = Some((WireErrorKind::MessageTooLong, 0));
                Some(self.refuse(head))
            }
            _ => {
                head.fault.get_or_insert((WireErrorKind::LineEnd, 0));
                Some(self.refuse(head))
            }
        }
    }

    fn refuse(&mut self, head: Head) -> Frame {
        match judge(head, Vec::new()) {
            Err(error) => self.break_off(error),
            // a head with a fault is never a message
            Ok(_) => self.break_off(WireError::new(WireErrorKind::LineEnd, 0)),
        }
    }
}

impl Iterator for Framer {
    type Item = Frame;

    /// The next frame, or `None` until more bytes come.
    fn next(&mut self) -> Option<Frame> {
        if self.broken {
            return None;
        }
        if self.pending.is_none() {
            match self.skip_blank_lines() {
                Blank::Done => {}
                Blank::Unfinished => return None,
                Blank::Frame(frame) => return Some(frame),
            }
            if let Some(frame) = self.read_head() {
                return Some(frame);
            }
        }
        let (head, length) = self.pending.take()?;
        let Some(body) = self.rest().get(..length).map(<[u8]>::to_vec) else {
            self.pending = Some((head, length));
            return None;
        };
        self.consume(length);
        self.blank_lines = 0;
        Some(match judge(head, body) {
            Ok(message) => Frame::Message(message),
            Err(error) => Frame::Bad(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(call_id: &str, extra: &str, body: &str) -> String {
        format!(
            "OPTIONS sip:a@h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:b@h>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n{extra}\r\n{body}"
        )
    }

    fn sketch(frame: Frame) -> String {
        match frame {
            Frame::Message(m) => format!("{} {:?}", m.call_id().unwrap(), String::from_utf8_lossy(&m.body)),
            Frame::Ping => "ping".into(),
            Frame::Bad(error) => format!("bad {} {}", error.kind, error.reject.is_some()),
            Frame::Broken(error) => format!("broken {} {}", error.kind, error.reject.is_some()),
        }
    }

    fn frames(stream: &[u8], step: usize) -> Vec<String> {
        let mut framer = Framer::new();
        let mut seen = Vec::new();
        for chunk in stream.chunks(step) {
            framer.push(chunk);
            seen.extend(framer.by_ref().map(sketch));
        }
        seen
    }

    #[test]
    fn the_bytes_of_a_message_are_kept_however_they_came() {
        let messages = [options("one", "l: 5\r\n", "hello"), options("two", "l: 3\r\n", "you")];
        let stream = format!("\r\n{}\r\n\r\n{}", messages[0], messages[1]);
        for step in [1, 7, 100, 1_000] {
            let mut framer = Framer::new();
            let mut seen = Vec::new();
            for chunk in stream.as_bytes().chunks(step) {
                framer.push(chunk);
                while let Some(frame) = framer.next() {
                    match frame {
                        Frame::Message(_) => {
                            seen.push(String::from_utf8_lossy(framer.last_bytes()).into_owned())
                        }
                        _ => assert_eq!(framer.last_bytes(), b""),
                    }
                }
            }
            assert_eq!(seen, messages, "cut at {step}");
        }
    }

    #[test]
    fn frames_do_not_depend_on_how_the_stream_is_cut() {
        let mut stream = String::from("\r\n\r\n\r\n");
        stream += &options("one", "l: 5\r\n", "hello");
        stream += "\r\n\r\n";
        stream += &options("two", "l: 0\r\nno colon\r\n", "");
        stream += &options("three", "Subject: a\r\n\tb\r\nContent-Length: 4\r\n", "\r\n\r\n");
        stream += &options("four", "l: -1\r\n", "");
        stream += &options("five", "l: 0\r\n", "");
        let whole = frames(stream.as_bytes(), stream.len());
        assert_eq!(
            whole,
            [
                "ping",
                "one \"hello\"",
                "ping",
                "bad Malformed Header Line true",
                "three \"\\r\\n\\r\\n\"",
                "broken Malformed Content-Length true",
            ]
        );
        for step in 1..stream.len() {
            assert_eq!(frames(stream.as_bytes(), step), whole, "step {step}");
        }
    }

    #[test]
    fn a_stream_without_known_ends_is_broken() {
        let sketch = |extra: &str| frames(options("x", extra, "").as_bytes(), 7);
        assert_eq!(sketch(""), ["broken Missing Content-Length true"]);
        assert_eq!(sketch("l: 1\r\nl: 2\r\n"), ["broken Conflicting Content-Length true"]);
        assert_eq!(sketch("l: 70000\r\n"), ["broken Message Too Large true"]);
        assert_eq!(sketch("X: a\nb: c\r\nl: 0\r\n"), ["bad Malformed Line End true"]);
        assert_eq!(frames(&[b'x'; 70_000], 1000), ["broken Message Too Large false"]);
        assert_eq!(frames("\r\nx".as_bytes(), 1), Vec::<String>::new());
        assert_eq!(frames("\rx".as_bytes(), 1), ["broken Malformed Start Line false"]);
    }

    #[test]
    fn a_broken_framer_keeps_nothing() {
        let mut framer = Framer::new();
        framer.push(options("x", "", "").as_bytes());
        assert!(matches!(framer.next(), Some(Frame::Broken(_))));
        framer.push(options("y", "l: 0\r\n", "").as_bytes());
        assert_eq!((framer.next(), framer.buffered_bytes()), (None, 0));
    }

    #[test]
    fn a_message_in_lf_mode_does_not_hide_in_a_stream() {
        let stream = options("x", "l: 0\r\n", "").replace("\r\n", "\n") + "\r\n\r\n";
        assert_eq!(frames(stream.as_bytes(), 9), ["broken Malformed Line End true"]);
    }
}
