//! What every call shares: ids, the clock pair, limits, deadlines and the outputs on their way.

use crate::config::{CallConfig, CallLimits};
use crate::manners::Manners;
use crate::output::{CallOutput, FlowOutput, QueueOutput};
use cordboard_model::act::Collected;
use cordboard_model::deadline::Deadlines;
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, IdMaker, LegId, RecordingId, TenantId};
use cordboard_model::leg::LegCommand;
use cordboard_model::media::{MediaCommand, PlayItem, Tone};
use cordboard_model::time::{Duration, Time, TimerReason, Wall, WallClock};
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, VecDeque};

/// What a deadline is for. One of a kind per call or leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The call's longest length.
    Length(CallId),
    /// The tone before it.
    Warning(CallId),
    /// What is heard before two are joined.
    Opening(CallId),
    /// Routing's answer.
    Route(CallId),
    /// The flow's step: a pause, a key, an apology's end.
    Step(CallId),
    /// Media figures before the record is made.
    Close(CallId),
    /// Everything gone after the end.
    Teardown(CallId),
    /// An unanswered leg rings.
    Ring(LegId),
    /// The leg leaves a state that another room must end: opening, answering, ending.
    Leg(LegId),
    /// A re-INVITE that holds or retrieves.
    Hold(LegId),
    /// The talk with who was dialled.
    Talk(LegId),
    /// The conference that a flow began.
    Conference(CallId),
    /// A key of an entry that a program asked for.
    Entry(CallId),
    /// The keys of who was typing a secret when he was not asked any more.
    Cover(LegId),
}

impl Timer {
    fn reason(self) -> TimerReason {
        TimerReason(match self {
            Timer::Length(_) => "longest call",
            Timer::Warning(_) => "longest call near",
            Timer::Opening(_) => "announcement before a talk",
            Timer::Route(_) => "routing late",
            Timer::Step(_) => "step of a flow",
            Timer::Close(_) => "media figures late",
            Timer::Teardown(_) => "call not gone",
            Timer::Ring(_) => "nobody answers",
            Timer::Leg(_) => "leg does not move",
            Timer::Hold(_) => "hold not answered",
            Timer::Talk(_) => "longest talk",
            Timer::Conference(_) => "longest conference",
            Timer::Entry(_) => "key for a program",
            Timer::Cover(_) => "secret may go on",
        })
    }
}

/// Shared by all calls; a call borrows it for the length of one input.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) ids: IdMaker,
    pub(crate) limits: CallLimits,
    pub(crate) now: Time,
    pub(crate) deadlines: Deadlines<Timer>,
    /// Whose leg is whose.
    pub(crate) legs: BTreeMap<LegId, CallId>,
    /// Whose recording is whose.
    pub(crate) recordings: BTreeMap<RecordingId, CallId>,
    pub(crate) out: VecDeque<CallOutput>,
    /// Entries of keys that programs asked for and that are over, the oldest first; at most `OUTCOMES_MAX`.
    pub(crate) entries: VecDeque<(CallId, Collected)>,
    /// Calls whose caller wants the place of a leg of another call, and whether he is answered. The engine, which alone
    /// sees two calls, looks at them when an input is done.
    pub(crate) places: Vec<(CallId, LegId, bool)>,
    /// Soft and loud voices of a conference are made equal.
    pub(crate) conference_gain: bool,
    /// What is heard and recorded.
    pub(crate) manners: Manners,
    /// Recordings cannot be written.
    pub(crate) unrecordable: bool,
    dice: ChaCha12Rng,
    wall: WallClock,
    hold_items: BTreeMap<TenantId, Vec<PlayItem>>,
}

impl Desk {
    pub(crate) fn new(config: CallConfig, wall: WallClock) -> Self {
        Self {
            ids: IdMaker::new(config.start_secs, config.shard),
            limits: config.limits,
            now: Time::ZERO,
            deadlines: Deadlines::default(),
            legs: BTreeMap::new(),
            recordings: BTreeMap::new(),
            out: VecDeque::new(),
            entries: VecDeque::new(),
            places: Vec::new(),
            conference_gain: config.conference_gain,
            manners: config.manners,
            unrecordable: false,
            dice: ChaCha12Rng::from_seed(config.seed),
            wall,
            hold_items: config.hold_items,
        }
    }

    pub(crate) fn set_wall(&mut self, wall: WallClock) {
        self.wall = wall;
    }

    pub(crate) fn configure(&mut self, config: CallConfig) {
        self.limits = config.limits;
        self.conference_gain = config.conference_gain;
        self.hold_items = config.hold_items;
        self.manners = config.manners;
    }

    /// A lot from 0 to 99.
    pub(crate) fn lot(&mut self) -> u8 {
        u8::try_from(self.dice.next_u32() % 100).unwrap_or_default()
    }

    /// The date of the input in hand.
    pub(crate) fn wall_now(&self) -> Wall {
        self.wall.at(self.now)
    }

    pub(crate) fn set(&mut self, timer: Timer, after: Duration) {
        self.deadlines.set(timer, self.now + after, timer.reason());
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        self.deadlines.clear(&timer);
    }

    /// What a held party of `tenant` hears when the call's last queue had `music`.
    pub(crate) fn hold_music(&self, tenant: TenantId, music: &[PlayItem]) -> Vec<PlayItem> {
        match self.hold_items.get(&tenant) {
            Some(items) if !items.is_empty() => items.clone(),
            _ if !music.is_empty() => music.to_vec(),
            _ => vec![PlayItem::Tone(Tone::Beep, 200), PlayItem::Silence(4_800)],
        }
    }

    pub(crate) fn leg(&mut self, leg: LegId, command: LegCommand) {
        self.out.push_back(CallOutput::Leg(leg, command));
    }

    pub(crate) fn media(&mut self, command: MediaCommand) {
        self.out.push_back(CallOutput::Media(command));
    }

    pub(crate) fn flow(&mut self, output: FlowOutput) {
        self.out.push_back(CallOutput::Flow(output));
    }

    pub(crate) fn queue(&mut self, output: QueueOutput) {
        self.out.push_back(CallOutput::Queue(output));
    }

    pub(crate) fn event(&mut self, tenant: TenantId, what: EventKind) {
        self.out.push_back(CallOutput::Event(tenant, what));
    }
}
