//! The loop of one media thread.
//!
//! Invariant: nothing here allocates, locks or logs per packet; what comes from a lane is bounded per turn, so that
//! neither commands nor packets starve the other or the tick.

use super::pairs::Pairs;
use super::ports::Pair;
use super::sockets::{Came, Packet, Sockets};
use crate::clock::Clock;
use crate::gauges::MediaGauges;
use crate::guard::guarded;
use crate::shard::Order;
use crate::streams::Piece;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_media::{
    Audio, Discarded, Kit, LIVE_CHUNK, MediaEngine, MediaOutput, PortKey, Recorded, Traveller, Verdict,
};
use cordboard_model::id::{AssetId, LegId, RecordingId, StreamId};
use cordboard_model::media::{MediaCommand, MediaEvent, PlayItem};
use cordboard_model::time::{Duration, Time};
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Ends of recordings and moves of legs that may wait without a look for memory.
const ENDS: usize = 256;
/// Commands obeyed before packets have their turn again.
const COMMANDS: usize = 256;
/// Longest RTP packet taken: an Ethernet frame's worth, with room for what sealing it adds.
const PACKET: usize = 2_048;
/// Samples of a chunk of recorded audio: 20 ms of two channels at 8 kHz, 10 at 16.
pub const CHUNK: usize = 320;

/// To a media thread.
#[derive(Debug)]
pub enum MediaOrder {
    /// What the shard wants, with what that needs.
    Command(MediaCommand, Option<Box<Kit>>),
    /// A leg is wanted on another thread, recorded or not if need be.
    Part {
        /// Which.
        leg: LegId,
        /// Its recordings go on without it.
        force: bool,
    },
    /// A leg from another thread.
    Arrive(Box<Parted>),
    /// A prompt or music file, decoded.
    Asset(AssetId, Arc<Audio>),
    /// Audio of a program for its party, in mu-law.
    FeedLive {
        /// The leg.
        leg: LegId,
        /// Whose audio.
        stream: StreamId,
        /// Its place in all of the program's audio, samples.
        at: u64,
        /// How many codes are valid.
        len: usize,
        /// The codes.
        codes: [u8; LIVE_CHUNK],
    },
    /// Throw away what a program's party has not heard yet.
    ClearLive {
        /// The leg.
        leg: LegId,
        /// Whose audio.
        stream: StreamId,
        /// Before this place in the program's audio.
        to: u64,
    },
    /// Forget a prompt. Playbacks that are on keep it.
    DropAsset(AssetId),
}

/// A leg between two threads: what the engine had of it, and its bound ports.
#[derive(Debug)]
pub struct Parted {
    /// The leg.
    pub traveller: Traveller,
    /// Its ports.
    pub pair: Pair,
    /// What had come for it and was not heard yet.
    pub came: Vec<Came>,
}

/// To the recording writer.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a box would be an allocation on the media thread")]
pub enum RecorderOrder {
    /// The next samples of a recording: `len` of them, left and right in turn.
    Chunk {
        /// Which.
        recording: RecordingId,
        /// Samples a second on each channel.
        rate: u32,
        /// How many samples are valid.
        len: usize,
        /// The samples.
        samples: [i16; CHUNK],
    },
    /// The recording is complete; pass the event on to the shard once the file is closed.
    Close(MediaEvent),
}

/// What a media thread is made of.
#[derive(Debug)]
pub struct MediaSetup {
    /// The engine.
    pub engine: MediaEngine,
    /// Its ports.
    pub ports: Pairs,
    /// The address that session descriptions name, where it differs from the bound one.
    pub public: Option<IpAddr>,
    /// From the shard.
    pub orders: Receiver<MediaOrder>,
    /// To the shard.
    pub events: Sender<Order>,
    /// To the recording writer.
    pub recorder: Sender<RecorderOrder>,
    /// To the builder, who frees what is needed no more. It is not woken for that; what finds no room is freed here and counted.
    pub discarded: Sender<Discarded>,
    /// To the streams of programs, and this thread's place among the media threads.
    pub pieces: Sender<Piece>,
    /// See `pieces`.
    pub place: usize,
    /// The clock.
    pub clock: Clock,
    /// Read by the metrics.
    pub gauges: Arc<MediaGauges>,
}

/// A running media thread's state.
#[derive(Debug)]
pub struct MediaThread<S> {
    setup: MediaSetup,
    sockets: S,
    /// Closings that the recorder's lane had no room for yet: a disk that stalls holds up nothing else.
    closing: VecDeque<MediaEvent>,
    /// What the shard is still to hear beside the engine's events: it waits for each of these.
    owed: VecDeque<Order>,
    /// The prompts that the engine has.
    assets: BTreeSet<AssetId>,
    /// Prompts that were asked for and are missing.
    missing: BTreeSet<AssetId>,
}

impl<S: Sockets> MediaThread<S> {
    /// Registers the lane's wake-up.
    ///
    /// # Errors
    /// The lane has one already.
    pub fn new(mut setup: MediaSetup, sockets: S) -> io::Result<Self> {
        let bell = sockets.bell();
        setup
            .orders
            .set_waker(move || bell.ring())
            .map_err(|_| io::Error::other("the lane has a waker already"))?;
        Ok(Self {
            setup,
            sockets,
            closing: VecDeque::with_capacity(ENDS),
            owed: VecDeque::with_capacity(ENDS),
            assets: BTreeSet::new(),
            missing: BTreeSet::new(),
        })
    }

    /// Runs until the lane from the shard is closed and drained.
    pub fn run(mut self) {
        let mut buf = vec![0u8; PACKET];
        if let Err(why) = self.sockets.begin() {
            tracing::error!(%why, "media thread cannot begin to wait for packets");
            return;
        }
        loop {
            let wait = match self.setup.orders.prepare_sleep() {
                Sleep::Finished => return,
                Sleep::Ready => Some(Duration::ZERO),
                Sleep::Armed => self.wait(),
            };
            if let Err(why) = self.sockets.wait(wait) {
                tracing::error!(%why, "media thread cannot wait for packets");
                return;
            }
            while let Some(packet) = self.sockets.next(&self.setup.ports, &mut buf) {
                self.packet(packet, &mut buf);
            }
            self.obey();
            self.tick(&mut buf);
            self.outputs();
            self.clear_out();
            self.report();
        }
    }

    fn wait(&self) -> Option<Duration> {
        let busy = (!self.closing.is_empty() || !self.owed.is_empty()).then_some(Duration::from_millis(5));
        let due = self.setup.engine.poll_timeout().map(|(at, _)| at.since(self.setup.clock.now()));
        match (busy, due) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// A packet is at the front of `buf`.
    fn packet(&mut self, packet: Packet, buf: &mut [u8]) {
        let Packet { key, is_rtcp, from, len } = packet;
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        if self.setup.ports.pool().is_own(from) {
            self.setup.gauges.looped.fetch_add(1, Relaxed);
            return;
        }
        let now = self.setup.clock.now();
        if self.setup.ports.is_late(key, now) {
            self.setup.gauges.late.fetch_add(1, Relaxed);
            return;
        }
        let engine = &mut self.setup.engine;
        if is_rtcp {
            if let Some(packet) = buf.get_mut(..len) {
                guarded("media rtcp", || engine.handle_rtcp(key, from, packet, now));
            }
            return;
        }
        self.setup.gauges.received.fetch_add(1, Relaxed);
        let verdict = guarded("media packet", || engine.handle_packet(key, from, buf, len, now));
        if let Some(Verdict::Send { port, to, offset, len }) = verdict
            && let Some(bytes) = buf.get(offset..offset + len)
        {
            self.send(port, false, to, bytes);
        }
    }

    fn send(&mut self, key: PortKey, is_rtcp: bool, to: SocketAddr, bytes: &[u8]) {
        let Some(socket) = self.setup.ports.socket(key, is_rtcp) else {
            return;
        };
        let to = match to.ip() {
            // An IPv6 socket reaches IPv4 by the address mapped into its own family (RFC 4291 2.5.5.2).
            IpAddr::V4(ip) if self.setup.ports.pool().takes_both() => (ip.to_ipv6_mapped(), to.port()).into(),
            _ => to,
        };
        match self.sockets.send(socket, bytes, to) {
            true => self.setup.gauges.sent.fetch_add(1, Relaxed),
            false => self.setup.gauges.send_failed.fetch_add(1, Relaxed),
        };
    }

    fn obey(&mut self) {
        for _ in 0..COMMANDS {
            let Some(order) = self.setup.orders.pop() else {
                break;
            };
            let now = self.setup.clock.now();
            guarded("media command", || self.follow(order, now));
            self.clear_out();
            // A port must exist before the next command names its leg.
            self.outputs();
        }
    }

    fn follow(&mut self, order: MediaOrder, now: Time) {
        let (engine, assets, missing) = (&mut self.setup.engine, &mut self.assets, &mut self.missing);
        match order {
            MediaOrder::Command(command, kit) => {
                tell_missing(&command, assets, missing);
                engine.handle_prepared(command, kit, now);
            }
            MediaOrder::Part { leg, force } => self.send_off(leg, force, now),
            MediaOrder::Arrive(parted) => self.take_in(*parted, now),
            MediaOrder::Asset(asset, audio) => {
                missing.remove(&asset);
                assets.insert(asset.clone());
                let replaced = engine.load_asset(asset, audio);
                self.hand_back(replaced.map(Discarded::from));
            }
            MediaOrder::FeedLive { leg, stream, at, len, codes } => {
                engine.feed_live(leg, stream, at, codes.get(..len).unwrap_or_default());
            }
            MediaOrder::ClearLive { leg, stream, to } => engine.clear_live(leg, stream, to),
            MediaOrder::DropAsset(asset) => {
                assets.remove(&asset);
                let dropped = engine.drop_asset(&asset);
                self.hand_back(dropped.map(Discarded::from));
            }
        }
    }

    /// What the engine has no more use for is freed elsewhere.
    fn clear_out(&mut self) {
        while let Some(discarded) = self.setup.engine.poll_discarded() {
            self.hand_back(Some(discarded));
        }
    }

    fn hand_back(&self, discarded: Option<Discarded>) {
        if let Some(discarded) = discarded
            && self.setup.discarded.try_send_quietly(discarded).is_err()
        {
            self.setup.gauges.freed_here.fetch_add(1, Relaxed);
        }
    }

    /// A leg leaves for another thread, if it can; the shard takes it there.
    fn send_off(&mut self, leg: LegId, force: bool, now: Time) {
        let released = self.setup.engine.release(leg, force, now);
        let parted = released.and_then(|(port, traveller)| {
            let (pair, came) = self.setup.ports.let_go(&mut self.sockets, port)?;
            Some(Box::new(Parted { traveller, pair, came }))
        });
        self.owed.push_back(Order::Moved(leg, parted));
    }

    fn take_in(&mut self, parted: Parted, now: Time) {
        let Parted { traveller, pair, came } = parted;
        match self.setup.ports.adopt(&mut self.sockets, pair) {
            Ok((key, _)) => {
                self.setup.engine.take_in(traveller, key, now);
                for Came { is_rtcp, from, mut bytes } in came {
                    let len = bytes.len();
                    bytes.resize(PACKET, 0);
                    self.packet(Packet { key, is_rtcp, from, len }, &mut bytes);
                }
            }
            Err(pair) => {
                let (leg, stats) = (traveller.leg(), traveller.stats());
                tracing::error!(%leg, port = pair.port, "a leg from another media thread cannot be listened to");
                self.setup.ports.give_back(pair);
                self.owed.push_back(Order::Media(MediaEvent::Closed { leg, stats }));
            }
        }
    }

    fn tick(&mut self, buf: &mut [u8]) {
        let now = self.setup.clock.now();
        if self.setup.engine.poll_timeout().is_some_and(|(at, _)| at <= now) {
            let engine = &mut self.setup.engine;
            guarded("media tick", || engine.handle_timeout(now));
        }
        loop {
            let engine = &mut self.setup.engine;
            let next = guarded("media packet", || engine.poll_transmit(buf, now)).flatten();
            let Some((key, to, len)) = next else { break };
            if let Some(bytes) = buf.get(..len) {
                self.send(key, false, to, bytes);
            }
        }
        loop {
            let engine = &mut self.setup.engine;
            let next = guarded("media report", || engine.poll_rtcp(buf, now)).flatten();
            let Some((key, to, len)) = next else { break };
            if let Some(bytes) = buf.get(..len) {
                self.send(key, true, to, bytes);
            }
        }
    }

    fn outputs(&mut self) {
        while let Some(output) = self.setup.engine.poll_output() {
            match output {
                MediaOutput::OpenPort { leg } => self.open(leg),
                MediaOutput::ClosePort(key) => self.close(key),
                MediaOutput::RtcpPort { port, wanted: false } => {
                    self.setup.ports.close_rtcp(&mut self.sockets, port);
                }
                MediaOutput::RtcpPort { port, wanted: true } => self.open_rtcp(port),
            }
        }
    }

    fn open(&mut self, leg: LegId) {
        let now = self.setup.clock.now();
        let opened = self.setup.ports.open(&mut self.sockets, now);
        self.setup.gauges.ports_free.store(self.setup.ports.free() as u64, Relaxed);
        match opened {
            Ok((key, mut local)) => {
                if let Some(public) = self.setup.public {
                    local.set_ip(public);
                }
                self.setup.engine.port_opened(leg, key, local, now);
            }
            Err(why) => self.setup.engine.port_failed(leg, why, now),
        }
    }

    /// A party that had RTCP on the RTP port wants it apart again.
    fn open_rtcp(&mut self, key: PortKey) {
        if let Err(why) = self.setup.ports.open_rtcp(&mut self.sockets, key) {
            tracing::warn!(?why, "a leg's RTCP port cannot be had back: its reports are not heard");
        }
    }

    fn close(&mut self, key: PortKey) {
        self.setup.ports.rest(key, self.setup.clock.now());
        self.setup.gauges.ports_free.store(self.setup.ports.free() as u64, Relaxed);
    }

    /// Events to the shard and audio to the recording writer, as far as their lanes have room.
    fn report(&mut self) {
        while let Ok(permit) = self.setup.recorder.reserve() {
            let mut samples = [0i16; CHUNK];
            match self.setup.engine.poll_recorded(&mut samples) {
                Some(Recorded { recording, rate, frames }) => {
                    permit.send_quietly(RecorderOrder::Chunk { recording, rate, len: frames * 2, samples })
                }
                None => break,
            }
        }
        while !self.owed.is_empty()
            && let Ok(permit) = self.setup.events.reserve()
            && let Some(owed) = self.owed.pop_front()
        {
            permit.send_quietly(owed);
        }
        while let Ok(permit) = self.setup.events.reserve() {
            match self.setup.engine.poll_event() {
                Some(closed @ MediaEvent::RecordingClosed { .. }) => self.closing.push_back(closed),
                Some(event) => permit.send_quietly(Order::Media(event)),
                None => break,
            }
        }
        while let Ok(permit) = self.setup.pieces.reserve() {
            match self.setup.engine.poll_live() {
                Some(chunk) => permit.send_quietly(Piece { thread: self.setup.place, chunk }),
                None => break,
            }
        }
        self.setup.pieces.flush();
        self.close_recordings();
        self.setup.recorder.flush();
        self.setup.events.flush();
        let refused = self.sockets.take_refused();
        if refused > 0 {
            // They were taken for sent when they were given over.
            self.setup.gauges.sent.fetch_sub(refused, Relaxed);
            self.setup.gauges.send_failed.fetch_add(refused, Relaxed);
        }
        self.setup.gauges.legs.store(self.setup.engine.legs() as u64, Relaxed);
        self.setup.gauges.made_here.store(self.setup.engine.kit_counters().made_here, Relaxed);
    }

    fn close_recordings(&mut self) {
        while !self.closing.is_empty()
            && let Ok(permit) = self.setup.recorder.reserve()
        {
            match self.closing.pop_front() {
                Some(closed) => permit.send_quietly(RecorderOrder::Close(closed)),
                None => return,
            }
        }
    }
}

/// Missing prompts that are told of; each once, for a flow may ask for one a thousand times a second.
const TOLD: usize = 256;

/// Says which prompt a list to be played names and nobody has: the list is then not played at all.
fn tell_missing(command: &MediaCommand, assets: &BTreeSet<AssetId>, told: &mut BTreeSet<AssetId>) {
    let MediaCommand::Play { leg, items, .. } = command else {
        return;
    };
    let missing = items.iter().find_map(|item| match item {
        PlayItem::Asset(asset) if !assets.contains(asset) => Some(asset),
        _ => None,
    });
    if let Some(asset) = missing
        && told.len() < TOLD
        && told.insert(asset.clone())
    {
        tracing::warn!(%leg, "there is no prompt {asset}: nothing is played; look at its name and its file");
    }
}

#[cfg(test)]
mod tests;
