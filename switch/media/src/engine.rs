//! The engine: commands, packets and time in; packets, events and requests out.
//!
//! Invariant: a command may allocate and look up by id; a packet or a tick does neither. Legs and
//! recordings lie in slabs and find each other by key; who is due stands in timing wheels, who has
//! something to send in queues that have room for everyone.

mod command;
mod config;
mod digits;
mod live;
mod mixing;
mod packet;
mod path;
mod recording;
mod tick;
mod travel;
mod vacate;

pub use config::{MediaConfig, MediaCounters, MediaOutput, PortKey, RecordRate, Recorded, Verdict};
pub use travel::Traveller;

pub(crate) use path::Reach;

use crate::audio::Audio;
use crate::dtls::Identity;
use crate::graph::leg::Leg;
use crate::graph::mixer::Mix;
use crate::index::Index;
use crate::kit::{Discarded, KitCounters, Stock};
use crate::rtp::header::PAYLOAD_MAX;
use crate::slab::Slab;
use crate::tone::ToneTable;
use crate::wheel::Wheel;
use cordboard_model::id::{AssetId, CallId, LegId, RecordingId, TenantId};
use cordboard_model::media::{LegStats, MediaEvent};
use cordboard_model::time::{Duration, Time, TimerReason};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use recording::Recording;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// No leg has this key.
const NO_LEG: u32 = u32::MAX;
/// Requests that may wait without a look for memory: a shell answers each before the next command.
const OUTPUTS: usize = 64;
/// Grain of the wheel that watches for silence and reports.
const WATCH_GRAIN: Duration = Duration::from_millis(20);
/// Grain of the wheels that play and record: the millisecond that packet times are counted in.
const TICK_GRAIN: Duration = Duration::from_millis(1);

/// One media thread's engine.
#[derive(Debug)]
pub struct MediaEngine {
    config: MediaConfig,
    rng: ChaCha8Rng,
    /// Who we are in DTLS.
    identity: Option<Identity>,
    tones: ToneTable,
    assets: BTreeMap<AssetId, Arc<Audio>>,
    legs: Slab<Leg>,
    by_id: Index<LegId>,
    by_port: Vec<u32>,
    recordings: Slab<Recording>,
    by_recording: Index<RecordingId>,
    mixes: Slab<Mix>,
    by_mix: BTreeMap<CallId, u32>,
    /// Legs that play or send digits, by the millisecond of their next frame.
    ticks: Wheel,
    /// Legs, by when to look for silence or to report.
    watches: Wheel,
    /// Legs, by when to go on looking for their party or agreeing on keys with it.
    paths: Wheel,
    /// Recordings, by when their clock is read.
    steps: Wheel,
    /// Mixes, by their next step.
    beats: Wheel,
    /// Legs with frames to make, then legs with a report to write, then recordings to hand over.
    frames: VecDeque<u32>,
    reports: VecDeque<u32>,
    /// Legs with a report that leaves by the RTP socket.
    muxed: VecDeque<u32>,
    /// Legs with checks or DTLS to send.
    ways: VecDeque<u32>,
    recorded: VecDeque<u32>,
    /// Mixes with steps to make.
    mixing: VecDeque<u32>,
    /// Legs of programs: with pieces to hand out, and when the next is made.
    live: VecDeque<u32>,
    live_steps: Wheel,
    events: VecDeque<MediaEvent>,
    outputs: VecDeque<MediaOutput>,
    counters: MediaCounters,
    next_phase: u8,
    /// What commands need, and what is needed no more.
    stock: Stock,
    /// One packet's samples.
    scratch: Box<[i16]>,
}

impl MediaEngine {
    /// Shortest buffer for `poll_transmit` and `poll_rtcp`, in bytes; with a shorter one they answer
    /// `None`.
    pub const TRANSMIT_MIN: usize = 1_500;

    /// Bytes behind a datagram that [`MediaEngine::handle_packet`] may need: what a tag of secure RTP takes.
    pub const ROOM: usize = crate::srtp::GROWTH;

    /// An engine without legs. `seed` feeds SSRC, first sequence number and timestamp, and CNAME.
    pub fn new(config: MediaConfig, seed: [u8; 32]) -> Self {
        // Address space, not memory: what no leg has touched is not there. Without it the thousandth leg would have a thousand
        // others copied, and their packets wait.
        let room = config.legs_max.min(1 << 16) as usize;
        Self {
            config,
            rng: ChaCha8Rng::from_seed(seed),
            identity: None,
            tones: ToneTable::new(),
            assets: BTreeMap::new(),
            legs: Slab::with_room(room),
            by_id: Index::with_room(room),
            by_port: Vec::with_capacity(room),
            recordings: Slab::with_room(room),
            by_recording: Index::with_room(room),
            mixes: Slab::new(),
            by_mix: BTreeMap::new(),
            ticks: Wheel::with_room(TICK_GRAIN, room),
            watches: Wheel::with_room(WATCH_GRAIN, room),
            paths: Wheel::with_room(WATCH_GRAIN, room),
            steps: Wheel::with_room(TICK_GRAIN, room),
            beats: Wheel::new(TICK_GRAIN),
            frames: VecDeque::with_capacity(room),
            reports: VecDeque::with_capacity(room),
            muxed: VecDeque::with_capacity(room),
            ways: VecDeque::with_capacity(room),
            recorded: VecDeque::with_capacity(room),
            mixing: VecDeque::new(),
            live: VecDeque::with_capacity(room),
            live_steps: Wheel::with_room(TICK_GRAIN, room),
            events: VecDeque::with_capacity(config.events_max.min(1 << 16)),
            outputs: VecDeque::with_capacity(OUTPUTS),
            counters: MediaCounters::default(),
            next_phase: 0,
            stock: Stock::new(config.opus),
            // a code of G.722 is two samples
            scratch: vec![0; 2 * PAYLOAD_MAX].into(),
        }
    }

    /// The next thing that the engine has no more use for, to be dropped where freeing it holds up nothing. What nobody asks for is
    /// freed here once there is much of it.
    pub fn poll_discarded(&mut self) -> Option<Discarded> {
        self.stock.poll()
    }

    /// What no kit had, and what was freed here.
    pub fn kit_counters(&self) -> KitCounters {
        self.stock.counters()
    }

    /// Makes an asset known; gives back the one it replaces, for the shell to drop elsewhere.
    /// Playbacks that are on keep theirs.
    pub fn load_asset(&mut self, asset: AssetId, audio: Arc<Audio>) -> Option<Arc<Audio>> {
        self.assets.insert(asset, audio)
    }

    /// Forgets one asset, and gives it back.
    pub fn drop_asset(&mut self, asset: &AssetId) -> Option<Arc<Audio>> {
        self.assets.remove(asset)
    }

    /// Forgets a tenant's assets, and gives them back.
    pub fn drop_assets(&mut self, tenant: TenantId) -> Vec<Arc<Audio>> {
        let taken = core::mem::take(&mut self.assets);
        let (gone, kept): (BTreeMap<_, _>, BTreeMap<_, _>) =
            taken.into_iter().partition(|(id, _)| id.tenant == tenant);
        self.assets = kept;
        gone.into_values().collect()
    }

    /// Whether an asset is known.
    pub fn has_asset(&self, asset: &AssetId) -> bool {
        self.assets.contains_key(asset)
    }

    /// The next request to the shell.
    pub fn poll_output(&mut self) -> Option<MediaOutput> {
        self.outputs.pop_front()
    }

    /// The next event for the shard.
    pub fn poll_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// When [`MediaEngine::handle_timeout`] is wanted next, and why. It may come out that nothing was
    /// due: a deadline far away is approached in steps.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        let named = |at: Option<Time>, why| at.map(|at| (at, TimerReason(why)));
        [
            named(self.ticks.next(), "media tick"),
            named(self.steps.next(), "recording step"),
            named(self.beats.next(), "mix step"),
            named(self.live_steps.next(), "stream step"),
            named(self.watches.next(), "media watch"),
            named(self.paths.next(), "media path"),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }

    /// The figures of a leg so far.
    pub fn leg_stats(&self, leg: LegId) -> Option<LegStats> {
        let key = self.by_id.get(&leg)?;
        self.legs.get(key).map(Leg::stats)
    }

    /// What was refused or skipped so far.
    pub fn counters(&self) -> MediaCounters {
        self.counters
    }

    /// Legs that exist, those included that wait for their port.
    pub fn legs(&self) -> usize {
        self.by_id.len()
    }

    /// Recordings that are on or not yet polled to their end.
    pub fn recordings(&self) -> usize {
        self.by_recording.len()
    }

    /// Mixes that are on.
    pub fn mixes(&self) -> usize {
        self.by_mix.len()
    }

    /// Bytes one leg takes in the slab, to be held against the budget of a call.
    pub const fn leg_size() -> usize {
        size_of::<Leg>()
    }

    /// The limits it was made with.
    pub fn config(&self) -> &MediaConfig {
        &self.config
    }

    /// An end or an answer: somebody waits for it, so it is never dropped.
    fn tell(&mut self, event: MediaEvent) {
        self.events.push_back(event);
    }

    /// News that may be dropped when nobody polls: digits, locks, silences.
    fn mention(&mut self, event: MediaEvent) {
        if self.events.len() < self.config.events_max {
            self.events.push_back(event);
        } else {
            self.counters.events_dropped += 1;
        }
    }
}
