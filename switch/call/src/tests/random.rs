//! Hundreds of calls in a world that obeys late, twice, wrongly or not at all.
//!
//! The world keeps its own books from the outputs alone and asserts: one record per call and one end; the
//! record before the last leg's end; every offer settled once; every port closed once; every recording
//! stopped; nothing left.

mod acts;
mod book;
mod rooms;
mod seats;

use super::rig::{TENANT, agent, asset, flow, queue, user};
use crate::*;
use cordboard_model::audio::{AnswerAt, NumberTo, QueueAudio, RecordRule, RecordWhen, WhenUnrecorded};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{Supervision, TransferKind, TransferOutcome};
use cordboard_model::conference::Conference;
use cordboard_model::dial::{Accept, Dial};
use cordboard_model::event::EventKind;
use cordboard_model::id::*;
use cordboard_model::leg::{Incoming, LegCommand, LegEvent, PartyId};
use cordboard_model::media::{LegStats, MediaCommand, MediaEvent, OpenError};
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::verb::{Destination, First, QueueEnd, Verb};
use core::net::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Knuth's 64-bit linear congruence; the upper half is good enough here.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let len = u64::try_from(from.len()).ok().filter(|len| *len > 0)?;
        let at = usize::try_from(self.roll(len)).ok()?;
        from.get(at).copied()
    }
}

/// What happened often enough to prove something.
#[derive(Debug, Default)]
struct Seen {
    calls: usize,
    settled: u64,
    served: u64,
    recorded: u64,
    late: u64,
    forced: u64,
    held: u64,
    moved: u64,
    transferred: u64,
    brought_back: u64,
    taken: u64,
    mixed: u64,
    conferred: u64,
    supervised: u64,
    intercepted: u64,
    above: u64,
    opened: u64,
    aside: u64,
    surveyed: u64,
    /// Who rang when another answered.
    others: u64,
    /// Queues that were consulted, and agents whom they gave.
    asked: u64,
    given: u64,
    /// What programs had done, how that ended, and callers whom they sent elsewhere or joined.
    acts: u64,
    act_ends: BTreeSet<String>,
    sent: u64,
    joined: u64,
}

#[derive(Default)]
struct CallBook {
    legs: BTreeSet<LegId>,
    /// Not told to hang up and not reported as ended.
    living: BTreeSet<LegId>,
    closings: u32,
    forgotten: u32,
    /// Who rings for it.
    offered: BTreeSet<AgentId>,
    talking: BTreeSet<AgentId>,
    waits: bool,
    /// It waits for one who is consulted.
    asks: bool,
    flow: bool,
    above: Above,
}

/// A flow above the call's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Above {
    #[default]
    None,
    Runs,
    /// It said so itself; the engine has still to give the call back to the other.
    Ended,
}

/// A queue's.
fn manner(dice: &mut Dice) -> QueueAudio {
    let said = || AssetId::new(TENANT, "said").unwrap();
    QueueAudio {
        wait_flow: dice.one_in(2).then(|| flow("w")),
        hold: dice.one_in(2).then(said),
        number_to: if dice.one_in(2) { NumberTo::Both } else { NumberTo::Caller },
        answer: if dice.one_in(2) { AnswerAt::Agent } else { AnswerAt::Entry },
        record: Some(RecordRule {
            when: RecordWhen::Share(60),
            announcement: dice.one_in(2).then(said),
            on_failure: WhenUnrecorded::GoOn,
        }),
        max_talk: Duration::from_secs(60 + dice.roll(600)),
        talk_warning: Duration::from_secs(dice.roll(60)),
        survey: dice.one_in(2).then(|| flow("s")),
        ..QueueAudio::default()
    }
}

struct World {
    engine: CallEngine,
    dice: Dice,
    now: Time,
    calls: BTreeMap<CallId, CallBook>,
    whose: BTreeMap<LegId, CallId>,
    ports: BTreeSet<LegId>,
    /// Ports that were refused. A `Close` may have crossed the refusal.
    refused: BTreeSet<LegId>,
    recordings: BTreeMap<RecordingId, [LegId; 2]>,
    /// What the world still owes an answer to.
    owed: Vec<CallInput>,
    agents: u64,
    seen: Seen,
    tickets: u64,
    asked: BTreeSet<(CallId, Ticket)>,
    trace: u64,
    /// Who hears whom.
    bridges: BTreeMap<LegId, LegId>,
    mixes: BTreeMap<CallId, BTreeSet<LegId>>,
    watched: BTreeMap<CallId, Supervision>,
    /// REFERs that have no last word.
    refers: BTreeSet<(LegId, u32)>,
    refer: u32,
    /// What programs have under way, and in which call.
    acts: BTreeMap<ActId, CallId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut config = CallConfig::new(1, 0);
        config.manners.queues.insert(queue("q"), Arc::new(manner(&mut Dice(seed))));
        Self {
            engine: CallEngine::new(config, WallClock { at_zero: Wall(0) }),
            dice: Dice(seed),
            now: Time::ZERO,
            calls: BTreeMap::new(),
            whose: BTreeMap::new(),
            ports: BTreeSet::new(),
            refused: BTreeSet::new(),
            recordings: BTreeMap::new(),
            owed: Vec::new(),
            agents: 0,
            seen: Seen::default(),
            tickets: 0,
            asked: BTreeSet::new(),
            trace: 0,
            bridges: BTreeMap::new(),
            mixes: BTreeMap::new(),
            watched: BTreeMap::new(),
            refers: BTreeSet::new(),
            refer: 0,
            acts: BTreeMap::new(),
        }
    }

    fn run(&mut self, steps: u32) {
        for _ in 0..steps {
            match self.dice.roll(12) {
                0 if self.engine.len() < 6 => self.new_call(),
                1 => self.pass_time(),
                2..=5 => self.pay(),
                6 => self.nonsense(),
                _ => self.act(),
            }
            if !self.dice.one_in(3) {
                self.drain();
            }
        }
        let now = self.now;
        self.engine.handle_command(CallCommand::HangUpAll(Cause::Shutdown), now);
        self.drain();
        for _ in 0..10_000 {
            let Some((at, _)) = self.engine.poll_timeout() else {
                break;
            };
            self.now = at.max(self.now);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.audit();
    }

    fn audit(&self) {
        assert!(self.engine.is_quiescent(), "{:?}", self.engine);
        for (id, call) in &self.calls {
            assert_eq!((call.closings, call.forgotten), (1, 1), "{id}");
            assert!(call.living.is_empty(), "{id} left {:?}", call.living);
            assert!(call.talking.is_empty(), "{id}: an agent was never released");
            assert!(call.offered.is_empty(), "{id}: an offer was never settled");
            assert!(!call.flow, "{id}: a flow was never stopped");
            assert!(!call.waits, "{id}: a wait was never ended");
        }
        assert!(self.refers.is_empty(), "transfers without a last word: {:?}", self.refers);
        assert!(self.mixes.is_empty(), "mixes left: {:?}", self.mixes);
        assert!(self.watched.is_empty(), "supervisors left: {:?}", self.watched);
        assert!(self.acts.is_empty(), "acts that never ended: {:?}", self.acts);
        assert!(self.ports.is_empty(), "ports left: {:?}", self.ports);
        assert!(self.recordings.is_empty(), "recordings left: {:?}", self.recordings);
    }

    fn new_call(&mut self) {
        if self.dice.one_in(5) {
            return self.originate();
        }
        let (call, leg) = (self.engine.new_call(TENANT), self.engine.new_leg(TENANT));
        let book = CallBook { legs: [leg].into(), living: [leg].into(), ..CallBook::default() };
        self.calls.insert(call, book);
        self.whose.insert(leg, call);
        let (from, to) = (PartyId::new("a"), PartyId::new("b"));
        let replaces = match self.dice.one_in(4) {
            true => self.some_call().filter(|other| *other != call).and_then(|other| self.some_leg(other)),
            false => None,
        };
        let user = self.dice.one_in(2).then(|| user("u"));
        let incoming = Incoming { leg, from, to, trunk: None, user, replaces, data: BTreeMap::new() };
        self.tell(CallInput::New { call, incoming });
    }

    /// Somebody wants a party sent elsewhere, or what he wanted before completed or taken back.
    fn transfer(&mut self, call: CallId, leg: LegId) {
        let now = self.now;
        let other = self.some_call().and_then(|other| self.some_leg(other));
        match self.dice.roll(9) {
            7 | 8 => self.at_a_seat(call, leg),
            0 | 1 => {
                self.refer += 1;
                let ticket = self.refer;
                let replaces = other.filter(|_| self.dice.one_in(2));
                self.refers.insert((leg, ticket));
                self.tell(CallInput::Leg(leg, LegEvent::TransferAsked { ticket, to: "9".into(), replaces }));
                // nobody answers for a leg that is gone
                self.drain();
                if !self.calls.values().any(|book| book.living.contains(&leg)) {
                    self.refers.remove(&(leg, ticket));
                }
            }
            2 => {
                let by = self.dice.one_in(2).then_some(leg);
                let consult = self.dice.one_in(2);
                let _ = self.engine.transfer(call, by, "9", consult, now);
            }
            3 => {
                let _ = self.engine.complete_transfer(call, now);
            }
            4 => {
                let _ = self.engine.cancel_transfer(call, now);
            }
            _ => {
                if let Some(other) = self.some_call() {
                    let _ = self.engine.transfer_to_call(call, None, other, now);
                }
            }
        }
    }

    fn pass_time(&mut self) {
        let most = [5, 300, 3_000, 30_000][usize::try_from(self.dice.roll(4)).unwrap()];
        self.now = self.now + Duration::from_millis(self.dice.roll(most));
        self.engine.handle_timeout(self.now);
        // Deadlines may have ended an offer: the books must know before the next act.
        self.drain();
    }

    /// Gives one of the answers that are owed: any of them, perhaps twice.
    fn pay(&mut self) {
        let Ok(len) = u64::try_from(self.owed.len()) else {
            return;
        };
        if len == 0 {
            return;
        }
        let at = usize::try_from(self.dice.roll(len)).unwrap();
        let input = match self.dice.one_in(12) {
            true => self.owed[at].clone(),
            false => self.owed.swap_remove(at),
        };
        self.tell(input);
    }

    fn some_call(&mut self) -> Option<CallId> {
        let there = |(_, book): &(&CallId, &CallBook)| book.forgotten == 0;
        let calls: Vec<CallId> = self.calls.iter().filter(there).map(|(id, _)| *id).collect();
        self.dice.pick(&calls)
    }

    fn some_leg(&mut self, call: CallId) -> Option<LegId> {
        let legs: Vec<LegId> = self.calls.get(&call)?.legs.iter().copied().collect();
        self.dice.pick(&legs)
    }

    /// Something a healthy world might say at this moment.
    fn act(&mut self) {
        let Some(call) = self.some_call() else { return };
        self.drain();
        let Some(leg) = self.some_leg(call) else {
            return;
        };
        let newest = self.calls[&call].legs.last().copied().unwrap_or(leg);
        let book = &self.calls[&call];
        match self.dice.roll(23) {
            13 if self.dice.one_in(3) => self.consults(call),
            13..=15 => self.transfer(call, leg),
            16 if self.dice.one_in(3) => {
                let _ = self.engine.take_back(call, self.now);
            }
            16 => {
                let _ = self.engine.send_aside(call, flow("v"), BTreeMap::new(), self.now);
            }
            17..=20 => self.room(call, leg),
            21 | 22 => self.program(call, leg),
            0 | 1 if book.waits && book.offered.len() < 3 => self.offer(call),
            2 if book.waits => self.withdraw_and_end(call),
            3 if !book.offered.is_empty() => self.withdraw(call),
            4 | 5 if book.flow => self.verb(call),
            6 if book.flow && self.dice.one_in(4) => self.flow_ends(call),
            // one whom his caller sent to a queue himself may be offered another while the queue still counts on him
            7 if !book.talking.is_empty() && self.dice.one_in(2) => self.withdraw_late(call),
            7 => {
                let digit = ['1', '#', '9', 'x'][usize::try_from(self.dice.roll(4)).unwrap()];
                self.tell(CallInput::Media(MediaEvent::Digit { leg, digit }));
            }
            8 | 9 => self.tell(CallInput::Leg(newest, LegEvent::Answered)),
            10 if self.dice.one_in(3) => {
                self.tell(CallInput::Leg(newest, LegEvent::Redirected { to: "7".into() }));
                self.peer_ends(newest);
            }
            10 => self.tell(CallInput::Leg(leg, LegEvent::Ringing)),
            11 => {
                let on = self.dice.one_in(2);
                self.tell(CallInput::Leg(leg, LegEvent::PeerHold { on }));
            }
            12 if self.dice.one_in(3) => self.peer_ends(leg),
            _ => self.tell(CallInput::Music { call, items: vec![asset("m")] }),
        }
    }

    fn peer_ends(&mut self, leg: LegId) {
        let cause =
            [Cause::Normal, Cause::Busy, Cause::Cancelled][usize::try_from(self.dice.roll(3)).unwrap()];
        self.tell(CallInput::Leg(leg, LegEvent::Ended { cause, by_peer: true, sip_status: None }));
    }

    fn offer(&mut self, call: CallId) {
        self.agents += 1;
        let (name, says) = (format!("a{}", self.agents), self.dice.one_in(2));
        let number = if says { vec![asset("number")] } else { Vec::new() };
        let ring = Duration::from_millis(self.dice.roll(20_000));
        if let Some(book) = self.calls.get_mut(&call) {
            book.offered.insert(agent(&name));
        }
        let (agent, user) = (agent(&name), user(&name));
        self.tell(CallInput::Offer { call, agent, user, display: name, ring, number });
    }

    /// The queue's word, which settles the offer.
    fn withdraw(&mut self, call: CallId) {
        let rings = self.calls[&call].offered.len();
        let one = usize::try_from(self.dice.roll(u64::try_from(rings.max(1)).unwrap())).unwrap();
        if let Some(agent) = self.calls[&call].offered.iter().nth(one).cloned() {
            self.tell(CallInput::OfferWithdrawn { call, agent, elsewhere: false });
        }
    }

    /// The queue's word crosses the agent's answer: for the queue the call still waits.
    fn withdraw_late(&mut self, call: CallId) {
        let Some(agent) = self.calls[&call].talking.last().cloned() else { return };
        if let Some(book) = self.calls.get_mut(&call) {
            book.waits = true;
            self.seen.late += 1;
        }
        // nor has it taken back those who rang with him
        self.owed.retain(|input| !matches!(input, CallInput::OfferWithdrawn { call: of, .. } if *of == call));
        self.tell(CallInput::OfferWithdrawn { call, agent, elsewhere: false });
    }

    fn withdraw_and_end(&mut self, call: CallId) {
        while !self.calls[&call].offered.is_empty() {
            self.withdraw(call);
        }
        let end =
            [QueueEnd::Timeout, QueueEnd::Full, QueueEnd::Gone][usize::try_from(self.dice.roll(3)).unwrap()];
        let overflow = self.dice.one_in(2).then(|| self.destination());
        if let Some(book) = self.calls.get_mut(&call) {
            book.waits = false;
        }
        self.tell(CallInput::QueueEnded { call, end, overflow });
    }

    fn destination(&mut self) -> Destination {
        match self.dice.roll(4) {
            0 => Destination::Queue(queue("q")),
            1 => Destination::Flow(flow("f")),
            2 => Destination::Agent(agent("direct")),
            _ => Destination::User(user("u")),
        }
    }

    fn dial(&mut self) -> Verb {
        let mut dial = Dial::one(self.destination());
        for _ in 0..self.dice.roll(3) {
            let more = Dial::one(self.destination());
            dial.ways.extend(more.ways);
        }
        for way in &mut dial.ways {
            way.timeout_ms = Some(400);
        }
        let item = || vec![asset("p")];
        if self.dice.one_in(2) {
            dial.whisper = item();
        }
        if self.dice.one_in(2) {
            dial.accept = Some(Accept { prompt: item(), key: '1', refuse: Some('2'), timeout_ms: 300 });
        }
        if self.dice.one_in(3) {
            dial.music = item();
        }
        dial.talk_ms = self.dice.one_in(3).then_some(500);
        (dial.go_on, dial.more) = (self.dice.one_in(2), self.dice.one_in(2));
        Verb::Dial(Box::new(dial))
    }

    fn conference(&mut self) -> Verb {
        let mut ways = Vec::new();
        for _ in 0..=self.dice.roll(4) {
            ways.extend(Dial::one(self.destination()).ways);
        }
        for way in &mut ways {
            way.timeout_ms = Some(400);
        }
        let music = if self.dice.one_in(2) { vec![asset("p")] } else { Vec::new() };
        let talk_ms = self.dice.one_in(3).then_some(700);
        let without_caller = self.dice.one_in(2);
        Verb::Conference(Box::new(Conference { ways, music, talk_ms, without_caller }))
    }

    fn verb(&mut self, call: CallId) {
        self.tickets += 1;
        let items = vec![asset("p")];
        let verb = match self.dice.roll(9) {
            0 => Verb::Answer,
            1 => Verb::Play { items, barge_in: self.dice.one_in(2) },
            2 => Verb::Collect {
                prompt: items,
                min: 0,
                max: 3,
                terminators: "#".into(),
                first_timeout_ms: 900,
                inter_timeout_ms: 0,
                patterns: Vec::new(),
                strict: false,
                secret: false,
                ear: None,
            },
            3 | 4 => Verb::Enqueue {
                queue: queue("q"),
                timeout_ms: None,
                priority: 0,
                keys: String::new(),
                staffed: false,
                wish: None,
            },
            5 if self.dice.one_in(3) => match self.dice.roll(4) {
                0 if self.dice.one_in(2) => {
                    let ms = Some(200);
                    Verb::First(First { key: self.dice.one_in(2), ms, fetch: None, music: items })
                }
                0 => Verb::Ring,
                1 => Verb::Reject { cause: Cause::Busy },
                2 => self.conference(),
                _ => self.dial(),
            },
            5 => Verb::Transfer { to: self.destination() },
            6 => Verb::Wait { ms: 50 },
            7 => Verb::SetData { key: "k".into(), value: "v".into() },
            _ if self.dice.one_in(3) => Verb::HangUp { cause: Cause::Normal },
            _ => Verb::Log { text: "l".into() },
        };
        let ticket = self.tickets;
        self.asked.insert((call, ticket));
        self.tell(CallInput::VerbRequest { call, ticket, verb });
    }

    fn flow_ends(&mut self, call: CallId) {
        // which flow it is that ends, the engine and its host agree on
        self.drain();
        match self.calls.get_mut(&call) {
            Some(book) if book.above == Above::Runs => book.above = Above::Ended,
            Some(book) if book.flow => book.flow = false,
            _ => return,
        }
        let input = match self.dice.one_in(2) {
            true => CallInput::FlowEnded { call },
            false => {
                let to = self.dice.one_in(2).then(|| self.destination());
                let fallback = Fallback { apology: vec![asset("sorry")], to };
                CallInput::FlowFailed { call, error: "e".into(), fallback }
            }
        };
        self.tell(input);
    }

    /// Something that no healthy world would say at this moment, or at any.
    fn nonsense(&mut self) {
        let Some(call) = self.some_call() else { return };
        let Some(leg) = self.some_leg(call) else {
            return;
        };
        let now = self.now;
        match self.dice.roll(12) {
            0 => self.tell(CallInput::Leg(leg, LegEvent::Confirmed)),
            1 => self.tell(CallInput::Leg(leg, LegEvent::EarlyMedia)),
            2 => self.tell(CallInput::Leg(leg, LegEvent::HoldDone { on: true, ok: true })),
            3 => self.tell(CallInput::Media(MediaEvent::Silent { leg })),
            4 => {
                let to = self.destination();
                self.tell(CallInput::Routed { call, to, reasons: Vec::new() });
            }
            5 => self.engine.handle_command(CallCommand::Hold { leg }, now),
            6 => self.engine.handle_command(CallCommand::Retrieve { leg }, now),
            7 if self.dice.one_in(4) => {
                self.engine.handle_command(CallCommand::Abort { call }, now);
            }
            8 => {
                let announcement = vec![asset("pos")];
                self.tell(CallInput::Position { call, announcement });
            }
            9 if self.dice.one_in(4) => {
                let (cause, by) = (Cause::Administrative, Party::Operator);
                self.engine.handle_command(CallCommand::HangUp { call, cause, by }, now);
            }
            // A second word about a call that is up; an id is never used again after the end.
            10 if self.engine.view(call).is_some() => {
                let (from, to) = (PartyId::new("x"), PartyId::new("y"));
                let incoming = Incoming {
                    leg,
                    from,
                    to,
                    trunk: None,
                    user: None,
                    replaces: None,
                    data: BTreeMap::new(),
                };
                self.tell(CallInput::New { call, incoming });
            }
            _ => {
                let leg = LegId { number: self.dice.roll(1 << 30) + (1 << 40), ..leg };
                self.tell(CallInput::Leg(leg, LegEvent::Answered));
            }
        }
    }

    fn tell(&mut self, input: CallInput) {
        match &input {
            CallInput::Leg(leg, LegEvent::Ended { .. }) => {
                if let Some(book) = self.whose.get(leg).and_then(|call| self.calls.get_mut(call)) {
                    book.living.remove(leg);
                }
                let gone = *leg;
                self.refers.retain(|(leg, _)| *leg != gone);
            }
            CallInput::Media(MediaEvent::OpenFailed { leg, .. }) => {
                self.ports.remove(leg);
                self.refused.insert(*leg);
            }
            CallInput::OfferWithdrawn { call, agent, .. } => {
                // what the engine has said of the offer before is in the books first
                self.drain();
                let book = self.calls.get_mut(call);
                self.seen.settled += u64::from(book.is_some_and(|book| book.offered.remove(agent)));
            }
            _ => {}
        }
        self.engine.handle_input(input, self.now);
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            for byte in format!("{output:?}").bytes() {
                self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            self.book(output);
        }
    }

    /// Owes an answer, unless this world forgets it.
    fn owe(&mut self, input: CallInput) {
        if !self.dice.one_in(40) {
            self.owed.push(input);
        }
    }
}

#[test]
fn whatever_the_world_does_every_call_ends_once_and_leaves_nothing() {
    let mut sum = Seen::default();
    for seed in 1..=180 {
        let mut world = World::new(seed);
        world.run(6_000);
        let seen = &world.seen;
        assert_eq!(seen.settled, world.agents, "seed {seed}");
        sum.calls += world.calls.len();
        sum.settled += seen.settled;
        sum.served += seen.served;
        sum.recorded += seen.recorded;
        sum.late += seen.late;
        sum.forced += seen.forced;
        sum.held += seen.held;
        sum.moved += seen.moved;
        sum.transferred += seen.transferred;
        sum.brought_back += seen.brought_back;
        sum.taken += seen.taken;
        sum.mixed += seen.mixed;
        sum.conferred += seen.conferred;
        sum.supervised += seen.supervised;
        sum.intercepted += seen.intercepted;
        sum.above += seen.above;
        sum.opened += seen.opened;
        sum.aside += seen.aside;
        sum.surveyed += seen.surveyed;
        sum.others += seen.others;
        sum.asked += seen.asked;
        sum.given += seen.given;
        sum.acts += seen.acts;
        sum.act_ends.extend(seen.act_ends.iter().cloned());
        sum.sent += seen.sent;
        sum.joined += seen.joined;
    }
    let enough = sum.calls > 5_000
        && sum.surveyed > 20
        && sum.others > 50
        && sum.asked > 200
        && sum.given > 20
        && sum.act_ends.len() >= 8
        && sum.joined > 20
        && sum.settled > 3_000
        && [
            sum.served,
            sum.recorded,
            sum.late,
            sum.forced,
            sum.held,
            sum.moved,
            sum.transferred,
            sum.brought_back,
            sum.taken,
            sum.mixed,
            sum.conferred,
            sum.supervised,
            sum.intercepted,
            sum.above,
            sum.opened,
            sum.aside,
            sum.acts,
            sum.sent,
        ]
        .iter()
        .all(|n| *n > 200);
    assert!(enough, "a world too quiet to show much: {sum:?}");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let mut world = World::new(seed);
        world.run(2_000);
        world.trace
    };
    assert_eq!(story(42), story(42));
    assert_ne!(story(42), story(43));
}
