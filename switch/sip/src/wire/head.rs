//! The start line and header section of a message, read line by line (RFC 3261 7.3.1).
//!
//! Invariant: reading goes on past a faulty line, so that the fault can be answered with what
//! the other lines say. The first line decides how lines end: after a CRLF a lone CR or LF is a
//! fault, for another element might have seen other headers; a message of bare LF (RFC 5118's
//! archive has such) is read as one.

use super::limits::{MAX_HEADER_LINE_BYTES, MAX_HEADERS, MAX_START_LINE_BYTES};
use super::{HeaderName, Headers, WireErrorKind, scan};
use std::borrow::Cow;

/// What the header section says of the body's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyLength {
    Absent,
    Bytes(usize),
    /// Negative, not a number, too large or said twice: the body's end is unknown.
    Unknown,
}

/// A header section as it was read, not yet judged.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The start line.
    pub start: String,
    /// The headers without Content-Length.
    pub headers: Headers,
    /// Where the line of each header begins, in bytes from the start line.
    pub offsets: Vec<usize>,
    /// The body's length as Content-Length has it.
    pub body_length: BodyLength,
    /// The first fault and where its line begins.
    pub fault: Option<(WireErrorKind, usize)>,
    /// Bytes up to and with the empty line.
    pub len: usize,
}

/// Usual messages have fewer headers; more only cost a second allocation.
const USUAL_HEADERS: usize = 24;

impl Head {
    /// Reads from the start line to the empty line or the end of `data`.
    pub(super) fn read(data: &[u8]) -> Self {
        let mut lines = Lines::new(data);
        let mut head = Self {
            start: String::new(),
            headers: Headers::with_capacity(USUAL_HEADERS),
            offsets: Vec::with_capacity(USUAL_HEADERS),
            body_length: BodyLength::Absent,
            fault: None,
            len: 0,
        };
        match lines.next_line() {
            Some(line) if line.bytes.len() > MAX_START_LINE_BYTES => {
                head.note(WireErrorKind::UriTooLong, 0);
                // the method is enough to know whether an answer is due
                let method = line.bytes.iter().take(64).copied().take_while(|b| *b != b' ');
                head.start = method.map(char::from).collect();
            }
            Some(line) if line.is_sound => head.start = text(line.bytes).0.into_owned(),
            _ => head.note(WireErrorKind::StartLine, 0),
        }
        head.read_headers(&mut lines);
        head.len = lines.at;
        head
    }

    fn read_headers(&mut self, lines: &mut Lines<'_>) {
        loop {
            let offset = lines.at;
            if lines.is_at_end() {
                // a datagram ends here too; RFC 5118 4.10 prints one without the empty line
                return;
            }
            let Some(line) = lines.next_line() else {
                return self.note(WireErrorKind::NoEmptyLine, offset);
            };
            if line.bytes.is_empty() {
                return;
            }
            let mut is_sound = line.is_sound;
            let mut value = Cow::Borrowed(line.bytes);
            while let Some(fold) = lines.next_fold() {
                is_sound &= fold.is_sound;
                if value.len() <= MAX_HEADER_LINE_BYTES {
                    let owned = value.to_mut();
                    owned.push(b' ');
                    owned.extend_from_slice(fold.bytes.trim_ascii());
                }
            }
            if !is_sound {
                self.note(WireErrorKind::LineEnd, offset);
            } else if value.len() > MAX_HEADER_LINE_BYTES {
                self.note(WireErrorKind::HeaderTooLong, offset);
            } else if self.headers.len() >= MAX_HEADERS {
                return self.note(WireErrorKind::TooManyHeaders, offset);
            } else {
                self.read_header(&value, offset);
            }
        }
    }

    /// Reads one unfolded line: `name HCOLON value`.
    fn read_header(&mut self, line: &[u8], offset: usize) {
        let (line, is_utf8) = text(line);
        let Some((name, value)) = line.split_once(':') else {
            return self.note(WireErrorKind::HeaderLine, offset);
        };
        let Some(name) = HeaderName::parse(name.trim_end_matches([' ', '\t'])) else {
            return self.note(WireErrorKind::HeaderLine, offset);
        };
        let value = scan::trim(value);
        if !is_utf8 && must_echo(&name) {
            return self.note(WireErrorKind::Encoding(name), offset);
        }
        if name == HeaderName::ContentLength {
            return self.read_length(value, offset);
        }
        if name.is_split() {
            for element in scan::split_list(value) {
                if self.headers.len() >= MAX_HEADERS {
                    return self.note(WireErrorKind::TooManyHeaders, offset);
                }
                self.push(name.clone(), element, offset);
            }
            return;
        }
        match self.headers.get(&name) {
            Some(first) if name.is_singleton() => {
                if first != value {
                    self.note(WireErrorKind::Conflicting(name), offset);
                }
            }
            _ => self.push(name, value, offset),
        }
    }

    fn read_length(&mut self, value: &str, offset: usize) {
        let Some(bytes) = scan::digits(value).and_then(|n| usize::try_from(n).ok()) else {
            self.body_length = BodyLength::Unknown;
            return self.note(WireErrorKind::Malformed(HeaderName::ContentLength), offset);
        };
        match self.body_length {
            BodyLength::Absent => self.body_length = BodyLength::Bytes(bytes),
            BodyLength::Bytes(first) if first == bytes => {}
            BodyLength::Bytes(_) | BodyLength::Unknown => {
                self.body_length = BodyLength::Unknown;
                self.note(WireErrorKind::Conflicting(HeaderName::ContentLength), offset);
            }
        }
    }

    fn push(&mut self, name: HeaderName, value: &str, offset: usize) {
        self.headers.push_clean(name, value.to_owned());
        self.offsets.push(offset);
    }

    fn note(&mut self, kind: WireErrorKind, offset: usize) {
        self.fault.get_or_insert((kind, offset));
    }
}

/// Headers that a response repeats and the peer compares byte for byte. Elsewhere text that is
/// no UTF-8 is read as ISO 8859-1, in which old equipment sends display names, and goes on as
/// UTF-8, which RFC 3261 7.3.1 asks for.
const fn must_echo(name: &HeaderName) -> bool {
    matches!(name, HeaderName::Via | HeaderName::CallId | HeaderName::CSeq)
}

/// The line as text, and whether it was UTF-8.
fn text(line: &[u8]) -> (Cow<'_, str>, bool) {
    match std::str::from_utf8(line) {
        Ok(text) => (Cow::Borrowed(text), true),
        Err(_) => (line.iter().copied().map(char::from).collect(), false),
    }
}

struct Line<'a> {
    bytes: &'a [u8],
    /// Whether it ends as the first line does and holds no lone CR or LF.
    is_sound: bool,
}

struct Lines<'a> {
    data: &'a [u8],
    at: usize,
    /// Set by the first line.
    ends_with_crlf: Option<bool>,
}

impl<'a> Lines<'a> {
    const fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, ends_with_crlf: None }
    }

    /// Whether a line ended with the last byte.
    const fn is_at_end(&self) -> bool {
        self.at > 0 && self.at == self.data.len()
    }

    /// The next line without its end, or `None` where no line end follows.
    fn next_line(&mut self) -> Option<Line<'a>> {
        let mut is_sound = true;
        let mut from = self.at;
        loop {
            let rest = self.data.get(from..)?;
            let end = from + rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
            let is_cr = self.data.get(end) == Some(&b'\r');
            let is_crlf = is_cr && self.data.get(end + 1) == Some(&b'\n');
            let crlf_mode = *self.ends_with_crlf.get_or_insert(is_crlf);
            if is_crlf || (!is_cr && !crlf_mode) {
                let bytes = self.data.get(self.at..end)?;
                self.at = end + 1 + usize::from(is_crlf);
                return Some(Line { bytes, is_sound });
            }
            is_sound = false;
            from = end + 1;
        }
    }

    /// The next line if it continues the one before: it begins with a blank.
    fn next_fold(&mut self) -> Option<Line<'a>> {
        if !self.data.get(self.at).is_some_and(|&byte| scan::is_space(byte)) {
            return None;
        }
        self.next_line()
    }
}
