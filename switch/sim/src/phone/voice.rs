//! The media of one line of a phone: says a tone, presses digits, hears.

use super::api::Voice;
use super::ear::Ear;
use super::sdp::{EVENT_PT, Sdp};
use cordboard_media::codec::Encoder;
use cordboard_media::tone::Sine;
use cordboard_model::media::Codec;
use cordboard_model::time::{Duration, Time};
use core::net::SocketAddr;
use std::collections::VecDeque;

const FRAME: Duration = Duration::from_millis(20);
const RTCP_EVERY: Duration = Duration::from_secs(5);
/// Samples of a frame.
const SAMPLES: usize = 160;
/// Frames of one key press: 100 ms.
const PRESS_FRAMES: u16 = 5;
/// How often its end is said (RFC 4733 2.5.1.4).
const END_FRAMES: u16 = 3;
/// Frames of audio after a key.
const GAP_FRAMES: u16 = 3;
/// Frames of audio before the first key of a silent phone, so that the switch knows its source.
const LEAD_FRAMES: u32 = 5;
const AMPLITUDE: i16 = 8_000;

/// Where and how the peer wants audio.
#[derive(Clone, Copy, Debug)]
struct Peer {
    addr: SocketAddr,
    codec: Codec,
    event_pt: Option<u8>,
}

/// The stream that is heard, for reports of it.
#[derive(Clone, Copy, Debug)]
struct Heard {
    ssrc: u32,
    first: u16,
    /// Steps from the first number to the highest.
    reach: u16,
    count: u32,
}

/// A key being pressed.
#[derive(Clone, Copy, Debug)]
struct Key {
    code: u8,
    timestamp: u32,
    frame: u16,
}

/// What a line wants to send.
pub(super) enum Packet {
    Rtp(SocketAddr, Vec<u8>),
    Rtcp(SocketAddr, Vec<u8>),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Media {
    voice: Voice,
    tone_hz: u16,
    no_rtcp: bool,
    peer: Option<Peer>,
    may_send: bool,
    may_hear: bool,
    began: Time,
    next: Option<Time>,
    next_rtcp: Option<Time>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    tone: Vec<u8>,
    tone_at: usize,
    speak: u32,
    keys: VecDeque<char>,
    key: Option<Key>,
    mark: bool,
    pub ear: Ear,
    pub received: u64,
    pub sent: u64,
    theirs: Option<Heard>,
    /// The latest packet received.
    pub heard: Option<Time>,
    codec: Codec,
}

impl Media {
    pub fn new(voice: Voice, tone_hz: u16, no_rtcp: bool, random: u64) -> Self {
        let mut ear = Ear::default();
        ear.open = voice == Voice::Always;
        Self {
            voice,
            tone_hz,
            no_rtcp,
            peer: None,
            may_send: false,
            may_hear: false,
            began: Time::ZERO,
            next: None,
            next_rtcp: None,
            ssrc: random as u32,
            sequence: (random >> 32) as u16,
            timestamp: (random >> 24) as u32,
            tone: Vec::new(),
            tone_at: 0,
            speak: 0,
            keys: VecDeque::new(),
            key: None,
            mark: true,
            ear,
            received: 0,
            sent: 0,
            theirs: None,
            heard: None,
            codec: Codec::Pcma,
        }
    }

    /// What offer and answer settled: the peer's description, and whether we hold it or it us.
    pub fn settle(&mut self, sdp: &Sdp, ours: &[Codec], held: bool, now: Time) {
        let Some(codec) = sdp.codecs.iter().copied().find(|c| ours.contains(c)) else {
            return;
        };
        if self.peer.is_none() {
            self.began = now;
            self.next_rtcp = (!self.no_rtcp).then_some(now + RTCP_EVERY);
        }
        if self.tone.is_empty() || codec != self.codec {
            self.codec = codec;
            self.tone = tone(self.tone_hz, codec);
        }
        self.peer = Some(Peer { addr: sdp.addr, codec, event_pt: sdp.event_pt });
        self.may_send = sdp.direction.receives() && sdp.addr.port() != 0 && !held;
        self.may_hear = sdp.direction.sends() && !held;
        self.wake(now);
    }

    /// The call is over: nothing more is sent.
    pub fn stop(&mut self) {
        self.peer = None;
        self.next = None;
        self.next_rtcp = None;
        self.ear.open = false;
    }

    pub fn speak(&mut self, length: Duration, now: Time) {
        self.speak = u32::try_from(length.as_millis() / FRAME.as_millis()).unwrap_or(u32::MAX);
        self.wake(now);
    }

    pub fn press(&mut self, keys: &str, now: Time) {
        self.keys.extend(keys.chars());
        if self.voice == Voice::Probe {
            self.speak = self.speak.max(LEAD_FRAMES);
        }
        self.wake(now);
    }

    fn wake(&mut self, now: Time) {
        let wants =
            self.voice == Voice::Always || self.speak > 0 || !self.keys.is_empty() || self.key.is_some();
        if !self.may_send || self.peer.is_none() || !wants {
            self.next = None;
        } else if self.next.is_none() {
            // Frames lie on a grid of 20 ms from the beginning of the stream.
            let since = now.since(self.began).as_nanos();
            let frames = since.div_ceil(FRAME.as_nanos());
            let offset = Duration::from_nanos(
                u64::try_from(frames.saturating_mul(FRAME.as_nanos())).unwrap_or(u64::MAX),
            );
            self.next = Some(self.began + offset);
            self.mark = true;
        }
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        match (self.next, self.next_rtcp) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// A packet that is due.
    pub fn poll(&mut self, now: Time) -> Option<Packet> {
        let peer = self.peer?;
        if let Some(at) = self.next.filter(|at| *at <= now) {
            self.next = Some(at + FRAME);
            let packet = self.frame(peer, at);
            self.settle_next();
            self.sent += 1;
            return Some(Packet::Rtp(peer.addr, packet));
        }
        if let Some(at) = self.next_rtcp.filter(|at| *at <= now) {
            self.next_rtcp = Some(at + RTCP_EVERY);
            let to = SocketAddr::new(peer.addr.ip(), peer.addr.port().checked_add(1)?);
            return Some(Packet::Rtcp(to, self.report()));
        }
        None
    }

    fn settle_next(&mut self) {
        let wants =
            self.voice == Voice::Always || self.speak > 0 || !self.keys.is_empty() || self.key.is_some();
        if !wants {
            self.next = None;
        }
    }

    /// One frame: of a key, or of the tone.
    fn frame(&mut self, peer: Peer, at: Time) -> Vec<u8> {
        let now_ts = self.timestamp.wrapping_add((at.since(self.began).as_millis() as u32).wrapping_mul(8));
        let lead = self.voice == Voice::Probe && self.speak > 0;
        if self.key.is_none()
            && !lead
            && let Some(code) = self.keys.front().copied().and_then(code_of)
            && peer.event_pt.is_some()
        {
            self.keys.pop_front();
            self.key = Some(Key { code, timestamp: now_ts, frame: 0 });
        } else if self.key.is_none() && !lead && (peer.event_pt.is_none()) {
            self.keys.clear();
        }
        let packet = match (self.key, peer.event_pt) {
            (Some(key), Some(pt)) if key.frame < PRESS_FRAMES + END_FRAMES => {
                let length = (key.frame + 1).min(PRESS_FRAMES) * SAMPLES as u16;
                let end = key.frame >= PRESS_FRAMES;
                let [high, low] = length.to_be_bytes();
                let payload = [key.code, if end { 0x8a } else { 0x0a }, high, low];
                self.packet(pt, key.frame == 0, key.timestamp, &payload)
            }
            _ => {
                self.speak = self.speak.saturating_sub(1);
                let mut payload = [0u8; SAMPLES];
                for code in &mut payload {
                    *code = self.tone.get(self.tone_at).copied().unwrap_or(0xd5);
                    self.tone_at = (self.tone_at + 1) % self.tone.len().max(1);
                }
                let mark = core::mem::take(&mut self.mark);
                self.packet(peer.codec.static_payload_type(), mark, now_ts, &payload)
            }
        };
        if let Some(key) = &mut self.key {
            key.frame += 1;
            if key.frame >= PRESS_FRAMES + END_FRAMES + GAP_FRAMES {
                self.key = None;
            }
        }
        packet
    }

    fn packet(&mut self, pt: u8, mark: bool, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = Vec::with_capacity(12 + payload.len());
        packet.extend([0x80, pt | if mark { 0x80 } else { 0 }]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        packet
    }

    /// A receiver report of what is heard, with a CNAME (RFC 3550 6.4.2, 6.5).
    fn report(&self) -> Vec<u8> {
        let ssrc = self.ssrc.to_be_bytes();
        let mut packet = match self.theirs {
            Some(_) => vec![0x81, 201, 0, 7],
            None => vec![0x80, 201, 0, 1],
        };
        packet.extend(ssrc);
        if let Some(heard) = self.theirs {
            let lost = (u32::from(heard.reach) + 1).saturating_sub(heard.count);
            let highest = u32::from(heard.first) + u32::from(heard.reach);
            for word in [heard.ssrc, lost & 0x00ff_ffff, highest, 0, 0, 0] {
                packet.extend(word.to_be_bytes());
            }
        }
        packet.extend([0x81, 202, 0, 3]);
        packet.extend(ssrc);
        packet.extend([1, 5]);
        packet.extend(b"phone");
        packet.push(0);
        packet
    }

    /// A packet of the peer.
    pub fn hear(&mut self, packet: &[u8], now: Time) {
        let (Some(peer), [0x80..=0x8f, second, ..]) = (self.peer, packet) else {
            return;
        };
        self.received += 1;
        self.heard = Some(now);
        self.count(packet);
        let audio = second & 0x7f == peer.codec.static_payload_type();
        if audio && self.may_hear {
            let payload = packet.get(12..).unwrap_or_default();
            self.ear.hear(peer.codec, payload, now);
        }
    }

    fn count(&mut self, packet: &[u8]) {
        let [_, _, high, low, _, _, _, _, a, b, c, d, ..] = *packet else {
            return;
        };
        let (sequence, ssrc) = (u16::from_be_bytes([high, low]), u32::from_be_bytes([a, b, c, d]));
        match &mut self.theirs {
            Some(heard) if heard.ssrc == ssrc => {
                let step = sequence.wrapping_sub(heard.first);
                // What was late before the first one is not counted.
                if step < 1 << 15 {
                    heard.reach = heard.reach.max(step);
                    heard.count += 1;
                }
            }
            heard => *heard = Some(Heard { ssrc, first: sequence, reach: 0, count: 1 }),
        }
    }

    /// The codec that was agreed.
    pub fn codec(&self) -> Option<Codec> {
        self.peer.map(|peer| peer.codec)
    }

    /// Our description of the line.
    pub fn describe(addr: SocketAddr, codecs: &[Codec], direction: cordboard_model::media::Direction) -> Sdp {
        Sdp { addr, codecs: codecs.to_vec(), event_pt: Some(EVENT_PT), direction }
    }
}

fn code_of(key: char) -> Option<u8> {
    "0123456789*#ABCD".find(key).and_then(|at| u8::try_from(at).ok())
}

/// A piece of the tone that repeats: the shortest, or a second where the codec has a memory.
fn tone(hertz: u16, codec: Codec) -> Vec<u8> {
    let mut sine = Sine::new(hertz, AMPLITUDE);
    let mut encoder = Encoder::new(codec);
    let period = match encoder {
        Encoder::G711(_) => 8_000 / gcd(8_000, u32::from(hertz.max(1))),
        Encoder::G722(..) | Encoder::Opus(_) | Encoder::L16(_) => 8_000,
    };
    let pcm: Vec<i16> = (0..period).map(|_| sine.sample()).collect();
    let mut codes = vec![0; pcm.len()];
    for _ in 0..2 {
        encoder.encode(&pcm, &mut codes);
    }
    codes
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
