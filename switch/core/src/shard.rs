//! The shard itself: takes an input, lets the rooms speak until they are silent, and hands out what they want.

use crate::acts::Spoken;
use crate::assist::Assisted;
use crate::begin::Tokens;
use crate::callbacks::Callbacks;
use crate::chats::Chats;
use crate::clicks::Clicks;
use crate::events::Numbering;
use crate::fetches::Fetches;
use crate::gate::Gate;
use crate::goodbye::{BYE_WAIT, Goodbyes};
use crate::io::{ShardCommand, ShardConfig, ShardInput, ShardOutput};
use crate::kept::Places;
use crate::ladder::Ladder;
use crate::lamps::Lamps;
use crate::legs::Legs;
use crate::lines::Lines;
use crate::outside::Outside;
use crate::query::Figures;
use crate::routing::{Routing, URGENT_MAX};
use crate::rows::Rows;
use crate::signin::{PhoneDesks, SignIns};
use crate::speech::Speeches;
use crate::stop::Stop;
use crate::talks::Talks;
use crate::translate::LastCalls;
use crate::trunks::Trunks;
use cordboard_acd::AcdEngine;
use cordboard_acd::figures::Ledger;
use cordboard_call::{CallCommand, CallConfig, CallEngine, CallInput, CallLimits, Manners};
use cordboard_flow::{Counters, FlowCommand, FlowEngine};
use cordboard_model::calendar::Zones;
use cordboard_model::cause::Party;
use cordboard_model::cdr::Cdr;
use cordboard_model::config::Snapshot;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::{Time, TimerReason, WallClock};
use cordboard_plugin_api::Registry;
use cordboard_sip::engine::{SipCommand, SipConfig, SipEngine};
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// More sessions than two for each of the most calls that `limits.calls` may allow: it alone decides when a call is one
/// too many.
const SESSIONS: usize = 250_000;

/// All decisions of one switch.
pub struct Shard {
    pub(crate) sip: SipEngine,
    pub(crate) calls: CallEngine,
    pub(crate) acd: AcdEngine,
    pub(crate) flows: FlowEngine,
    pub(crate) registry: Registry,
    /// The configuration, with what the domain name system says put in.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The configuration as it was given.
    pub(crate) configured: Arc<Snapshot>,
    pub(crate) config: ShardConfig,
    pub(crate) wall: WallClock,
    pub(crate) now: Time,
    pub(crate) legs: Legs,
    pub(crate) gate: Gate,
    pub(crate) routing: Routing,
    /// Steps of flows that wait for what they say.
    pub(crate) speeches: Speeches,
    /// Playbacks of programs that wait for speech.
    pub(crate) spoken: Spoken,
    /// Steps of flows that wait for a server.
    pub(crate) fetches: Fetches,
    /// Zones that flows asked for.
    pub(crate) zones: Zones,
    /// What flows count.
    pub(crate) counters: Counters,
    /// Rows of tables that the API has changed.
    pub(crate) rows: Rows,
    /// Who talked to which caller last.
    pub(crate) talks: Talks,
    /// Whose account rings at which agent's desk.
    pub(crate) agent_of: BTreeMap<UserId, AgentId>,
    /// Calls outside a queue that keep an agent's phone busy.
    pub(crate) outside: Outside,
    pub(crate) trunks: Trunks,
    /// Legs to agents that stay up between calls.
    pub(crate) lines: Lines,
    /// Calls that programs listen to for their agents.
    pub(crate) assisted: Assisted,
    /// What lamps of phones show.
    pub(crate) lamps: Lamps,
    pub(crate) goodbyes: Goodbyes,
    /// The agent whom a queue gave each call last: his leg is the queue's affair, any other is outside of it.
    pub(crate) offered: BTreeMap<CallId, BTreeSet<AgentId>>,
    /// Whole records of calls whose end readers have still to hear of.
    pub(crate) closing: BTreeMap<CallId, Box<Cdr>>,
    /// Who is to be called back.
    pub(crate) callbacks: Callbacks,
    /// Where those of them stand who have their places in a queue.
    pub(crate) places: Places,
    /// Which calls programs have begun by which tokens.
    pub(crate) tokens: Tokens,
    /// Chats.
    pub(crate) chats: Chats,
    /// Calls that visitors of web pages may begin.
    pub(crate) clicks: Clicks,
    /// Who may sign in, and who has.
    pub(crate) sign_ins: SignIns,
    /// Who has signed in on which call.
    pub(crate) phone_desks: PhoneDesks,
    /// The call that each agent was in last.
    pub(crate) last_calls: LastCalls,
    /// Contacts that are known to readers of the event stream.
    pub(crate) known_contacts: BTreeSet<(UserId, String)>,
    pub(crate) numbering: Numbering,
    /// The messages and events of the last calls.
    pub(crate) ladder: Ladder,
    pub(crate) figures: Figures,
    /// Records of queues and agents.
    pub(crate) ledger: Ledger,
    pub(crate) stop: Stop,
    /// New calls are refused, for they could not be recorded.
    pub(crate) unrecordable: bool,
    /// The call that the input at hand is about: what a panic costs.
    pub(crate) in_hand: Option<CallId>,
    pub(crate) out: VecDeque<ShardOutput>,
}

impl Shard {
    /// A shard without configuration: it refuses every call until the first `Configure`.
    pub fn new(config: ShardConfig, registry: Registry) -> Self {
        let mut seeds = ChaCha12Rng::from_seed(config.seed);
        let mut sip = SipConfig::new(config.local);
        sip.shard = config.shard;
        sip.advertised = config.advertised;
        sip.advertised_other = config.advertised_other;
        sip.media_other = config.media_other;
        sip.dtls = config.dtls;
        sip.listeners.clone_from(&config.listeners);
        sip.authenticated.clone_from(&config.authenticated);
        sip.clock = config.wall;
        sip.sessions_max = SESSIONS;
        sip.bye_wait = Some(BYE_WAIT);
        let mut calls = CallConfig::new(config.start_secs, config.shard);
        // a stream of its own: what others draw does not change by it
        let mut draws = ChaCha12Rng::from_seed(config.seed);
        draws.set_stream(1);
        calls.seed = seed(&mut draws);
        let limits = config.trace;
        let (start_secs, shard) = (config.start_secs, config.shard);
        Self {
            sip: SipEngine::new(sip, seed(&mut seeds), config.start_secs),
            calls: CallEngine::new(calls, config.wall),
            acd: AcdEngine::new(config.wall),
            flows: FlowEngine::new(seed(&mut seeds)),
            registry,
            snapshot: Arc::new(Snapshot::empty()),
            configured: Arc::new(Snapshot::empty()),
            wall: config.wall,
            chats: Chats::new(config.wall),
            clicks: Clicks::default(),
            config,
            now: Time::ZERO,
            legs: Legs::default(),
            gate: Gate::default(),
            routing: Routing::new(seed(&mut seeds)),
            speeches: Speeches::default(),
            spoken: Spoken::default(),
            fetches: Fetches::default(),
            zones: Zones::default(),
            counters: Counters::default(),
            rows: Rows::default(),
            talks: Talks::default(),
            agent_of: BTreeMap::new(),
            outside: Outside::default(),
            trunks: Trunks::new(seed(&mut seeds)),
            lines: Lines::default(),
            assisted: Assisted::new(),
            lamps: Lamps::default(),
            ladder: Ladder::new(limits, seed(&mut seeds)),
            goodbyes: Goodbyes::new(),
            offered: BTreeMap::new(),
            closing: BTreeMap::new(),
            callbacks: Callbacks::default(),
            places: Places::default(),
            tokens: Tokens::default(),
            sign_ins: SignIns::default(),
            phone_desks: PhoneDesks::default(),
            last_calls: LastCalls::new(),
            known_contacts: BTreeSet::new(),
            numbering: Numbering::default(),
            figures: Figures::default(),
            ledger: Ledger::new(start_secs, shard),
            stop: Stop::No,
            unrecordable: false,
            in_hand: None,
            out: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle_input(&mut self, input: ShardInput<'_>, now: Time) {
        self.begin(now);
        match input {
            ShardInput::Datagram(datagram) => {
                self.figures.sip_messages += 1;
                let dropped = self.sip.guard_figures().dropped;
                self.sip.handle_input(datagram, now);
                self.keep_message(dropped, datagram.flow(), datagram.bytes);
            }
            ShardInput::Frame { flow, frame, bytes } => {
                self.figures.sip_messages += 1;
                let dropped = self.sip.guard_figures().dropped;
                self.sip.handle_frame(flow, frame, now);
                self.keep_message(dropped, flow, bytes);
            }
            ShardInput::FlowClosed(flow) => self.sip.handle_unreachable(flow, now),
            ShardInput::Media(event) => self.on_media(event),
            ShardInput::Journalled { ticket, ok } => {
                if !ok {
                    self.journal_alarm("journal_failed", "the journal could not be written");
                }
                if !self.chat_kept(ticket, ok) {
                    self.release(ticket);
                }
            }
            ShardInput::Wall(wall) => self.set_wall(wall),
            ShardInput::Looked { ticket, answer } => self.on_looked(ticket, answer),
            ShardInput::StreamEnded { call, stream, outcome } => {
                self.tell_call(call, CallInput::StreamEnded { call, stream, outcome });
            }
            ShardInput::Spoken { ticket, asset } => self.on_spoken(ticket, asset),
            ShardInput::Fetched { ticket, fetched } => self.on_fetched(ticket, fetched),
            ShardInput::Hashed { ticket, hashed } => self.on_hashed(ticket, hashed),
        }
        self.settle();
    }

    /// Does what an operator, the API or the shell wants.
    pub fn handle_command(&mut self, command: ShardCommand, now: Time) {
        self.begin(now);
        match command {
            ShardCommand::Configure(snapshot) => self.configure(snapshot),
            ShardCommand::Restore(restore) => self.restore(*restore),
            ShardCommand::HangUp(call, cause) => {
                self.in_hand = Some(call);
                let by = Party::Operator;
                self.calls.handle_command(CallCommand::HangUp { call, cause, by }, now);
            }
            ShardCommand::Hold(leg, on) => {
                self.in_hand = self.calls.call_of(leg);
                let command = if on { CallCommand::Hold { leg } } else { CallCommand::Retrieve { leg } };
                self.calls.handle_command(command, now);
            }
            ShardCommand::Tell(tenant, what) => self.event(tenant, *what),
            ShardCommand::Unrecordable(whether) => self.unrecordable = whether,
            ShardCommand::Stop { end } => self.begin_stop(end),
            ShardCommand::RecordingsFail(whether) => {
                self.calls.handle_command(CallCommand::Unrecordable(whether), now);
            }
        }
        self.settle();
    }

    /// Lets every deadline act that is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.begin(now);
        self.stop_due();
        self.sip.handle_timeout(now);
        self.settle();
        self.calls.handle_timeout(now);
        self.settle();
        self.trunks_due();
        self.lines_due();
        self.callbacks_due();
        self.doubts_due();
        self.sign_ins_due();
        self.acd.handle_timeout(now);
        self.chats_due();
        self.clicks.handle_timeout(now);
        self.flows.handle_timeout(now);
        self.routes_late();
        while let Some(ticket) = self.gate.pop_late(now) {
            self.figures.journal_late += 1;
            self.journal_alarm("journal_late", "the journal is slower than limits.journal_wait");
            self.release(ticket);
        }
        self.settle();
    }

    /// The next thing the shell is to do. `None` until the next input.
    pub fn poll_output(&mut self) -> Option<ShardOutput> {
        self.out.pop_front()
    }

    /// When to call [`Shard::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        let all = [
            self.sip.poll_timeout(),
            self.calls.poll_timeout(),
            self.acd.poll_timeout(),
            self.flows.poll_timeout(),
            self.routing.poll_timeout(),
            self.gate.poll_timeout(),
            self.trunks.poll_timeout(),
            self.lines.poll_timeout(),
            self.stop.poll_timeout(),
            self.places.wake.next(),
            self.chats.poll_timeout(),
            self.clicks.poll_timeout(),
            self.outside.doubts.next(),
            self.sign_ins.poll_timeout().map(|at| (at, TimerReason("session idle"))),
        ];
        all.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// The time of the last input.
    pub fn now(&self) -> Time {
        self.now
    }

    fn begin(&mut self, now: Time) {
        self.now = now.max(self.now);
        self.in_hand = None;
    }

    /// Carries what the rooms say to each other until nobody speaks.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some(output) = self.sip.poll_output() {
                self.on_sip(output);
            } else if let Some(output) = self.calls.poll_output() {
                self.on_call(output);
            } else if let Some(output) = self.acd.poll_output() {
                self.on_acd(output);
            } else if let Some(output) = self.chats.engine.poll_output() {
                self.on_chat(output);
            } else if let Some(output) = self.flows.poll_output() {
                self.on_flow(output);
            } else if !self.minds_turns() {
                break;
            }
        }
        self.tie_legs();
    }

    fn set_wall(&mut self, wall: WallClock) {
        self.wall = wall;
        self.calls.set_wall(wall);
        self.acd.set_wall(wall);
        self.chats.engine.set_wall(wall);
        self.sip.handle_command(SipCommand::SetClock(wall), self.now);
    }

    fn configure(&mut self, snapshot: Arc<Snapshot>) {
        let now = self.now;
        let given = std::mem::replace(&mut self.configured, Arc::clone(&snapshot));
        let snapshot = self.trunks.configure_names(&snapshot, &given, now);
        let old = std::mem::replace(&mut self.snapshot, Arc::clone(&snapshot));
        self.trunks.configure(&snapshot, &old, now);
        let mut calls = CallConfig::new(self.config.start_secs, self.config.shard);
        calls.limits = CallLimits::from(&snapshot.limits);
        // whether a call is one too many is decided where it is known what it is for
        calls.limits.calls = calls.limits.calls.saturating_add(URGENT_MAX as u32);
        calls.conference_gain = snapshot.limits.conference_gain;
        calls.manners = Manners::of(&snapshot);
        self.calls.handle_command(CallCommand::Configure(Box::new(calls)), now);
        let directory = self.directory(&snapshot);
        self.sip.handle_command(SipCommand::Configure(Box::new(directory)), now);
        // The configuration was checked, flows included: a refusal is a fault of ours, and not a silent one.
        if let Err(refused) = self.flows.handle_command(FlowCommand::Configure(&snapshot), now) {
            let text = format!("the flows stay as they were; please report this: {refused:?}");
            let code = "flows_refused".into();
            self.event(TenantId::DEFAULT, EventKind::Alarm { code, text });
        }
        self.ledger.configure(&snapshot, self.moment());
        let _ = self.acd.handle_command(cordboard_acd::AcdCommand::Configure(&snapshot), now);
        self.chats.engine.configure(&snapshot);
        self.agent_of = snapshot
            .tenants
            .values()
            .flat_map(|tenant| tenant.agents.values())
            .map(|agent| (agent.user.clone(), agent.id.clone()))
            .collect();
        self.note_who_is_gone(&old);
        self.routing.configure(&snapshot, &self.registry);
        let calendars = snapshot.tenants.values().flat_map(|tenant| tenant.kit.calendars.values());
        for zone in calendars.map(|calendar| &calendar.zone) {
            self.zones.get(zone);
        }
        self.resettle_places();
        for user in snapshot.tenants.values().flat_map(|tenant| tenant.users.values()) {
            self.tell_contacts(&user.id.clone());
        }
        self.mind_lines();
        for tenant in snapshot.tenants.keys() {
            self.event(*tenant, EventKind::ConfigReloaded { version: snapshot.version });
        }
    }

    pub(crate) fn event(&mut self, tenant: TenantId, what: EventKind) {
        if self.is_secret(&what) {
            return;
        }
        self.ladder.event(&what, self.now);
        self.ledger.note_event(&what, self.moment());
        let event = self.numbering.next(tenant, self.wall.at(self.now), what);
        self.out.push_back(ShardOutput::Event(event));
    }

    pub(crate) fn journal(&mut self, ticket: Option<u64>, record: JournalRecord) {
        self.out.push_back(ShardOutput::Journal { ticket, record: Box::new(record) });
    }

    fn journal_alarm(&mut self, code: &str, text: &str) {
        let tenant = self.in_hand.map_or(TenantId::DEFAULT, |call| call.tenant);
        let text = format!("{text}; a call went on without it. Look at the disk that holds the journal");
        self.event(tenant, EventKind::Alarm { code: code.into(), text });
    }

    fn release(&mut self, ticket: u64) {
        let (closed, outputs) = self.gate.release(ticket);
        for output in outputs {
            // Not done at once: a closing record among them holds what comes after it.
            self.on_call(output);
        }
        if let Some(call) = closed {
            self.say_goodbye(call);
        }
    }

    /// An input of the call engine, with the call it is about taken in hand.
    pub(crate) fn tell_call(&mut self, call: CallId, input: CallInput) {
        self.in_hand = Some(call);
        self.calls.handle_input(input, self.now);
    }
}

fn seed(rng: &mut ChaCha12Rng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}
