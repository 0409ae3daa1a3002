//! Reads a tenant's events from a place on.

use super::frame::{Frame, Head};
use super::{Entry, Place, Segment, folder, segments};
use cordboard_model::id::TenantId;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::Path;

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// This.
    Entry(Entry),
    /// Nothing yet: all that was written is read.
    Nothing,
    /// Something is missing after the last entry, and it is not said what.
    Hole,
}

/// Reads what was written after a place, in order.
#[derive(Debug)]
pub struct EventReader {
    left: VecDeque<Segment>,
    open: Option<BufReader<File>>,
    /// The last number that was read or passed over.
    seen: u64,
    /// Another start follows: its first entry says what was before it.
    fresh: bool,
}

impl EventReader {
    /// A reader of what comes after `place`; none if something of that is no longer there, or the place is none of this
    /// log's.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn open(dir: &Path, tenant: TenantId, place: Place) -> io::Result<Option<EventReader>> {
        let all = segments(&folder(dir, tenant))?;
        let Some(first) = all.first() else { return Ok(None) };
        let known = all.iter().any(|segment| segment.start == place.start);
        // A segment begins with the state as of the number before its first event, or goes on with that event.
        if !known || place.seq.saturating_add(1) < first.first {
            return Ok(None);
        }
        // Numbers of a start end where the next one's begin, whatever the reader has seen of it.
        let of_later = |segment: &&Segment| segment.start > place.start && segment.first <= place.seq + 1;
        let numbered = all.iter().rfind(|segment| segment.start == place.start).map(|s| s.first);
        let later = all.iter().filter(|s| Some(s.first) > numbered).find(of_later);
        let from = match later {
            Some(next) => all.iter().position(|segment| segment == next),
            None => all.iter().rposition(|segment| segment.first <= place.seq.saturating_add(1)),
        };
        let left: VecDeque<_> = all.iter().skip(from.unwrap_or(0)).cloned().collect();
        Ok(Some(EventReader { left, open: None, seen: place.seq, fresh: later.is_some() }))
    }

    /// The last number that was read.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The next entry.
    ///
    /// # Errors
    /// A file cannot be read.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> io::Result<Next> {
        loop {
            let Some(file) = &mut self.open else {
                let Some(segment) = self.left.pop_front() else { return Ok(Next::Nothing) };
                match File::open(&segment.path) {
                    Ok(file) => self.open = Some(BufReader::with_capacity(1 << 16, file)),
                    // It became too old while those before it were read.
                    Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Next::Hole),
                    Err(why) => return Err(why),
                }
                continue;
            };
            let Some(head) = Head::read(file)? else {
                self.open = None;
                continue;
            };
            if !self.fresh && head.is_event() && head.seq <= self.seen {
                file.seek_relative(i64::try_from(head.length()).unwrap_or(i64::MAX))?;
                continue;
            }
            let Some(body) = head.body(file)? else {
                // What is being written, or was torn: a later segment says what is missing.
                self.open = None;
                continue;
            };
            match head.frame(&body) {
                Some(Frame::Entry(entry)) => match self.take(entry) {
                    Some(next) => return Ok(next),
                    None => continue,
                },
                Some(Frame::End) => {}
                // What another version wrote cannot be told, and is missed.
                None => return Ok(Next::Hole),
            }
        }
    }

    /// An entry, if it is news.
    fn take(&mut self, entry: Entry) -> Option<Next> {
        let seq = entry.seq();
        match &entry {
            Entry::State(_) if seq < self.seen && !self.fresh => return None,
            Entry::State(_) => {}
            Entry::Event(_) if self.fresh || seq != self.seen + 1 => return Some(Next::Hole),
            Entry::Event(_) => {}
        }
        (self.seen, self.fresh) = (seq, false);
        Some(Next::Entry(entry))
    }
}

/// The end of what can be read of a segment: how many bytes, the last number, and whether the start ended in order.
pub(super) fn end_of(path: &Path, first: u64) -> io::Result<(u64, u64, bool)> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut length, mut last, mut ended) = (0, first.saturating_sub(1), false);
    while let Some(head) = Head::read(&mut file)? {
        if head.body(&mut file)?.is_none() {
            break;
        }
        length = file.stream_position()?;
        last = last.max(head.seq);
        ended = !head.is_event() && head.length() == 0;
    }
    Ok((length, last, ended))
}

/// When the last entry of a segment was written, by the wall clock; none of an empty one.
pub(super) fn newest(path: &Path) -> io::Result<Option<i64>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut newest = None;
    while let Some(head) = Head::read(&mut file)? {
        // The last word of a start has no time.
        newest = newest.max(Some(head.at));
        file.seek_relative(i64::try_from(head.length()).unwrap_or(i64::MAX))?;
    }
    Ok(newest)
}
