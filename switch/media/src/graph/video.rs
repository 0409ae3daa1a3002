//! What a leg of video has beside its stream: feedback about pictures (RFC 4585, RFC 5104), passed on to who makes them.
//!
//! Invariants: a message that is passed on names the streams of the leg that it leaves by, and nothing of the leg that it came
//! from; one about a stream that is not there goes no further; none is sent to who did not say that it takes it. Video itself
//! is relayed like audio (`bridge`), so that only who receives reports has any of this to do.

use cordboard_model::id::LegId;
use cordboard_model::media::VideoFeedback;

/// Transport layer feedback (RFC 4585 6.2).
const TRANSPORT: u8 = 205;
/// Payload-specific feedback (6.3).
const PAYLOAD: u8 = 206;
/// Packets that are missing (6.2.1).
const NACK: u8 = 1;
/// A picture is lost (6.3.1).
const PICTURE_LOSS: u8 = 1;
/// A whole picture is wanted (RFC 5104 4.3.1).
const FULL_INTRA: u8 = 4;
/// Of an application (RFC 4585 6.4); the one in use is REMB, how many bits a second come through.
const APPLICATION: u8 = 15;
/// Header, who tells, and about whom.
const FIXED: usize = 12;
/// Bytes of messages that may wait for the next report, which follows within the same turn of the shell.
const PENDING_MAX: usize = 512;

/// See the module.
#[derive(Debug)]
pub(crate) struct Video {
    /// The leg of the party's audio.
    pub beside: LegId,
    /// What the party takes.
    pub takes: VideoFeedback,
    /// A whole picture is wanted of the party.
    wanted: bool,
    /// Messages for the party, in its own terms.
    pending: [u8; PENDING_MAX],
    len: usize,
    /// "Command Sequence number [...] The sequence number space is unique for each pairing of the SSRC of command source and the
    /// SSRC of the command target" (RFC 5104 4.3.1.1): the last one seen of who asks, and ours for it.
    asked: Option<u8>,
    commands: u8,
}

/// Between which streams a message is passed on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    /// What we send to who tells.
    pub told_of: u32,
    /// What the party sends us, which that was made of.
    pub source: u32,
    /// What we send to that party.
    pub ours: u32,
}

impl Video {
    pub(crate) fn new(beside: LegId, takes: VideoFeedback) -> Self {
        Self { beside, takes, wanted: false, pending: [0; PENDING_MAX], len: 0, asked: None, commands: 0 }
    }

    /// Has the party asked for a whole picture with the next report. False: it takes no such request.
    pub(crate) fn want(&mut self) -> bool {
        // who asks next may be another, with numbers of his own
        self.asked = None;
        self.wanted = self.takes.pli || self.takes.fir;
        self.wanted
    }

    /// Passes on what a compound packet of the other party says about the pictures of this one. `number`: which packet of this party
    /// one of ours was. Whether there is something to send.
    pub(crate) fn pass(&mut self, packet: &[u8], route: Route, number: impl Fn(u16) -> Option<u16>) -> bool {
        let before = self.len;
        let mut rest = packet;
        while let [first, kind, high, low, ..] = *rest {
            let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
            let Some((part, after)) = rest.split_at_checked(length) else {
                break;
            };
            rest = after;
            // Padding may follow a message, and no message needs it.
            if matches!(kind, TRANSPORT | PAYLOAD) && first & 0x20 == 0 {
                self.take((kind, first & 0x1f), part, route, &number);
            }
        }
        self.wanted || self.len > before
    }

    fn take(&mut self, kind: (u8, u8), part: &[u8], route: Route, number: impl Fn(u16) -> Option<u16>) {
        let is_about_ours = word(part, 8) == Some(route.told_of);
        match kind {
            (TRANSPORT, NACK) if is_about_ours && self.takes.nack => self.missing(part, route, number),
            (PAYLOAD, PICTURE_LOSS) if is_about_ours => match self.takes.pli {
                true => self.put(&message(PAYLOAD, PICTURE_LOSS, route, 0), &[]),
                false => {
                    self.want();
                }
            },
            // "the "SSRC of media source" is not used and SHALL be set to 0"; the entries name whom they mean
            (PAYLOAD, FULL_INTRA) => {
                let entries = part.get(FIXED..).unwrap_or_default().chunks_exact(8);
                let mine = entries.rev().find(|entry| word(entry, 0) == Some(route.told_of));
                match mine.and_then(|entry| entry.get(4)) {
                    Some(command) if self.takes.fir => self.command(route, Some(*command)),
                    Some(_) => {
                        self.want();
                    }
                    None => {}
                }
            }
            (PAYLOAD, APPLICATION) if self.takes.remb => self.application(part, route),
            _ => {}
        }
    }

    /// The numbers become those of the party. "Packet ID [...] of a lost packet" and the 16 after it as bits.
    fn missing(&mut self, part: &[u8], route: Route, number: impl Fn(u16) -> Option<u16>) {
        let entries = part.get(FIXED..).unwrap_or_default().chunks_exact(4);
        let mut translated = [0; 128];
        let mut len = 0;
        for entry in entries.take(translated.len() / 4) {
            let [high, low, first, second] = *entry else {
                continue;
            };
            if let Some(number) = number(u16::from_be_bytes([high, low])) {
                let [high, low] = number.to_be_bytes();
                translated[len..len + 4].copy_from_slice(&[high, low, first, second]);
                len += 4;
            }
        }
        let entries = &translated[..len];
        if len > 0 {
            self.put(&message(TRANSPORT, NACK, route, len), entries);
        }
    }

    /// Asks for a whole picture by command. A repetition keeps its number: "A repetition of the command [...] with the same command
    /// sequence number [...] SHALL NOT [be treated] as a new one".
    fn command(&mut self, route: Route, asked: Option<u8>) {
        if asked.is_none() || asked != self.asked {
            self.commands = self.commands.wrapping_add(1);
        }
        self.asked = asked;
        let mut entry = [0; 8];
        entry[..4].copy_from_slice(&route.source.to_be_bytes());
        entry[4] = self.commands;
        let nobody = Route { source: 0, ..route };
        self.put(&message(PAYLOAD, FULL_INTRA, nobody, entry.len()), &entry);
    }

    /// Of an application: the streams that it names are named as the party does. REMB is "R", "E", "M", "B", the count of
    /// streams, the bits a second, and the streams; the field of the source is 0 there.
    fn application(&mut self, part: &[u8], route: Route) {
        let body = part.get(FIXED..).unwrap_or_default();
        let mut translated = [0; 128];
        let Some(out) = translated.get_mut(..body.len()) else {
            return;
        };
        out.copy_from_slice(body);
        // Without the number of ours that only who got it knows, anybody may have written it.
        let mut ours = 0;
        if body.starts_with(b"REMB") {
            for stream in out.get_mut(8..).unwrap_or_default().chunks_exact_mut(4) {
                if word(stream, 0) == Some(route.told_of) {
                    stream.copy_from_slice(&route.source.to_be_bytes());
                    ours += 1;
                }
            }
        }
        if ours == 0 {
            return;
        }
        let about = word(part, 8).filter(|about| *about == 0 || *about == route.told_of);
        let Some(about) = about else {
            return;
        };
        let named = Route { source: if about == 0 { 0 } else { route.source }, ..route };
        self.put(&message(PAYLOAD, APPLICATION, named, body.len()), &translated[..body.len()]);
    }

    /// What does not fit is left out: who asked asks again.
    fn put(&mut self, head: &[u8; FIXED], body: &[u8]) {
        let end = self.len + head.len() + body.len();
        if let Some(room) = self.pending.get_mut(self.len..end) {
            let (first, second) = room.split_at_mut(head.len());
            first.copy_from_slice(head);
            second.copy_from_slice(body);
            self.len = end;
        }
    }

    /// What is to be sent to the party behind a report: bytes written. `source`: what it sends, if something came.
    pub(crate) fn take_pending(&mut self, out: &mut [u8], ours: u32, source: Option<u32>) -> usize {
        if let (true, Some(source)) = (core::mem::take(&mut self.wanted), source) {
            let route = Route { told_of: 0, source, ours };
            match self.takes.pli {
                true => self.put(&message(PAYLOAD, PICTURE_LOSS, route, 0), &[]),
                false => self.command(route, None),
            }
        }
        let len = core::mem::take(&mut self.len);
        match (out.get_mut(..len), self.pending.get(..len)) {
            (Some(out), Some(pending)) => {
                out.copy_from_slice(pending);
                len
            }
            _ => 0,
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The front of a message with so many bytes of its own, a multiple of four.
fn message(kind: u8, format: u8, route: Route, body: usize) -> [u8; FIXED] {
    let words = u16::try_from((FIXED + body) / 4 - 1).unwrap_or(0).to_be_bytes();
    let (ours, source) = (route.ours.to_be_bytes(), route.source.to_be_bytes());
    let mut head = [0x80 | format, kind, words[0], words[1], 0, 0, 0, 0, 0, 0, 0, 0];
    head[4..8].copy_from_slice(&ours);
    head[8..].copy_from_slice(&source);
    head
}
