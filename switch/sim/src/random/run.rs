//! One seed from beginning to end.

use super::check;
use super::dice::Dice;
use super::floor::{Floor, NUMBERS, plan, talk};
use super::probe::Probes;
use super::reader::Reader;
use crate::phone::{Act, Moment, PhoneCommand, Plan};
use crate::world::{Sending, Wish, World};
use cordboard_core::{DialTarget, RoomOrder, ShardCommand, Supervise};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::{CallId, LegId, TenantId};
use cordboard_model::time::{Duration, Time};
use cordboard_model::view::CallStage;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often the world is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Longest time until all is quiet after the last hang-up: every transaction of RFC 3261 is over after 64*T1,
/// and the ends of a call come one after the other.
/// A caller who is not answered yet and vanishes is found out by nobody: he waits as long, and in as many queues that send
/// him on to each other, as the switch lets him.
const QUIET_MAX: Duration = Duration::from_secs(2_000);
/// Time for the longest wrap-up and the longest penalty of an agent.
const AFTER: Duration = Duration::from_secs(60);

/// What became of a seed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What was wrong; nothing if all is well.
    pub faults: Vec<String>,
    /// Calls that were begun.
    pub begun: usize,
    /// Calls that were taken.
    pub taken: usize,
    /// Calls in which caller and called party were joined.
    pub bridged: usize,
    /// Probes that were judged.
    pub probes: usize,
    /// Events after which a reader's state was held against the switch's.
    pub compared: usize,
    /// Causes of the records, with how many there are of each.
    pub causes: BTreeMap<&'static str, usize>,
    /// Alarms, with how many there were of each.
    pub alarms: BTreeMap<String, usize>,
    /// Virtual time until all was quiet.
    pub length: Duration,
    /// Whether every packet of audio was sent.
    pub loud: bool,
    /// The trace, if one was asked for.
    pub trace: String,
}

/// Runs a seed. `trace` keeps the trace; it changes nothing else.
pub fn run(seed: u64, trace: bool) -> Outcome {
    let mut outcome = Outcome { seed, ..Outcome::default() };
    let mut dice = Dice::new(seed);
    let built = Floor::draw(seed, &mut dice).and_then(|mut floor| {
        let world = floor.build(seed, trace, &mut dice)?;
        Some((floor, world))
    });
    let Some((floor, world)) = built else {
        outcome.faults.push("the world could not be built".into());
        return outcome;
    };
    let reader = Reader::of(world.shard(), TenantId::DEFAULT);
    let probes = Probes::default();
    Run { floor, world, dice, probes, reader, seen: 0, begun: 0, cut_short: None, outcome }.go()
}

struct Run {
    floor: Floor,
    world: World,
    dice: Dice,
    probes: Probes,
    /// Follows the stream from a snapshot on.
    reader: Reader,
    /// Events looked at.
    seen: usize,
    begun: usize,
    /// Dialogs that were up when the switch was killed, and when the last of them must have got its BYE.
    cut_short: Option<(Time, BTreeSet<String>)>,
    outcome: Outcome,
}

impl Run {
    fn go(mut self) -> Outcome {
        let end = Time::ZERO + self.dice.ms(62_000, 80_000);
        self.plan_calls();
        self.plan_people(end);
        self.plan_mishaps(end);
        while self.world.now() < end && self.world.fault().is_none() {
            self.look();
        }
        self.let_go();
        self.outcome.begun = self.begun;
        let Self { world, floor, probes, outcome, .. } = &mut self;
        let quiet = world.run_until_quiet(QUIET_MAX);
        outcome.length = world.now().since(Time::ZERO);
        outcome.faults.extend(world.fault().map(str::to_owned));
        if !quiet {
            outcome.faults.push(format!("left at {:?}: {:?}", world.now(), world.leftovers()));
        }
        world.run_for(AFTER);
        check::check(world, floor, probes, &mut outcome.faults);
        outcome.taken = world.opened().len();
        outcome.bridged = world.cdrs().iter().filter(|cdr| cdr.bridged.is_some()).count();
        for cdr in world.cdrs() {
            *outcome.causes.entry(cdr.cause.as_str()).or_insert(0) += 1;
        }
        for alarm in world.alarms() {
            *outcome.alarms.entry(alarm).or_insert(0) += 1;
        }
        outcome.probes = probes.count;
        outcome.loud = floor.loud;
        outcome.trace = world.trace().text().to_owned();
        self.outcome
    }

    /// Lets a little time pass and reacts to what happened.
    fn look(&mut self) {
        self.world.run_for(LOOK);
        self.kill();
        let events = self.world.events().get(self.seen..).unwrap_or_default().to_vec();
        self.seen += events.len();
        self.read(&events);
        for event in events {
            self.react(&event.what);
        }
        // Where a vandal speaks for the phones, they need not hear each other.
        if self.floor.vandal_in_1000 == 0 {
            self.probes.look(&mut self.world, &self.floor, &mut self.outcome.faults);
        }
    }

    /// Kills the switch when its time has come. In a kind world every dialog that was up is ended by a BYE
    /// within five seconds.
    fn kill(&mut self) {
        let now = self.world.now();
        if self.floor.killed_at.take_if(|at| *at <= now).is_some() {
            let up = self.world.restart(self.floor.snapshot.clone());
            (self.seen, self.reader) = (0, Reader::default());
            self.cut_short = self.floor.kind.then_some((now + Duration::from_secs(5), up));
        }
        let Some((_, up)) = self.cut_short.take_if(|(until, _)| *until <= now) else { return };
        for (name, phone) in self.world.phones() {
            for log in phone.log().into_iter().filter(|log| up.contains(&log.call_id)) {
                if phone.is_up(log.call) {
                    let what = format!("{name}: {} was not ended after the restart", log.call_id);
                    self.outcome.faults.push(what);
                }
            }
        }
    }

    /// The reader takes in what happened; then he has what the switch has, and who begins here has what he has.
    fn read(&mut self, events: &[Event]) {
        let mut follows = true;
        for event in events {
            follows = self.reader.take(event) && follows;
        }
        let snapshot = Reader::of(self.world.shard(), TenantId::DEFAULT);
        if follows && let Some(what) = self.reader.differs(&snapshot) {
            let fault = format!("{:?}: after {:?}, a reader has: {what}", self.world.now(), events);
            self.outcome.faults.push(fault);
        }
        self.outcome.compared += if follows { events.len() } else { 0 };
        self.reader = snapshot;
    }

    /// The worst moments: just when it is offered, rings, or is joined.
    fn react(&mut self, event: &EventKind) {
        let (call, percent) = match event {
            EventKind::QueueOffered { call, .. } => (*call, 6),
            EventKind::CallStage { call, stage: CallStage::Bridged, .. } => (*call, 8),
            EventKind::CallStage { call, stage: CallStage::Ringing, .. } => (*call, 5),
            EventKind::FlowFailed { call, .. } => (*call, 20),
            _ => return,
        };
        if !self.dice.chance(percent) {
            return;
        }
        match self.dice.number(0, 9) {
            0 => self.operator_ends(call),
            1 => self.operator_holds(call),
            2 => self.wish(),
            3 | 4 => self.operator_sends(call),
            5 | 6 => self.operator_joins(call),
            _ => self.caller_leaves(call),
        }
    }

    fn caller_leaves(&mut self, call: CallId) {
        let Some(view) = self.world.shard().call(call) else { return };
        let at = self.world.now() + self.dice.us(0, 60_000);
        for name in self.floor.phones.clone() {
            let Some(phone) = self.world.phone(&name) else { continue };
            let is = |call: &crate::phone::PhoneCall| {
                phone.call_log(*call).is_some_and(|log| log.display == view.to.display && log.outgoing)
            };
            if let Some(call) = phone.calls().into_iter().find(is) {
                let act = Act::HangUp;
                self.world.tell_at(at, &name, PhoneCommand::Do { call: Some(call), act });
            }
        }
    }

    fn operator_ends(&mut self, call: CallId) {
        let at = self.world.now() + self.dice.us(0, 60_000);
        self.world.order_at(at, ShardCommand::HangUp(call, Cause::Administrative));
    }

    fn operator_holds(&mut self, call: CallId) {
        let Some(view) = self.world.shard().call(call) else { return };
        let legs: Vec<_> = view.legs.iter().map(|leg| leg.leg).collect();
        let at = self.dice.number(0, legs.len() as u64) as usize;
        let Some(leg) = legs.get(at).copied() else { return };
        let hold = self.world.now() + self.dice.ms(0, 3_000);
        self.world.order_at(hold, ShardCommand::Hold(leg, true));
        self.world.order_at(hold + self.dice.ms(0, 5_000), ShardCommand::Hold(leg, false));
    }

    fn operator_sends(&mut self, call: CallId) {
        let at = self.world.now() + self.dice.ms(0, 3_000);
        let number = self.dice.pick(&NUMBERS).to_owned();
        let others = self.world.shard().calls(call.tenant);
        let other = self.dice.number(0, others.len().max(1) as u64) as usize;
        match self.dice.number(0, 3) {
            0 => self.world.send_at(at, call, Sending::Blind(number)),
            1 => {
                if let Some(other) = others.get(other) {
                    self.world.send_at(at, call, Sending::Join(other.call));
                }
            }
            _ => {
                self.world.send_at(at, call, Sending::Consult(number));
                let then = if self.dice.chance(60) { Sending::Complete } else { Sending::Cancel };
                self.world.send_at(at + self.dice.ms(0, 6_000), call, then);
            }
        }
    }

    /// Somebody is added, supervises, changes his mind, and is taken out again.
    fn operator_joins(&mut self, call: CallId) {
        let mut at = self.world.now() + self.dice.ms(0, 2_000);
        let agents = self.floor.agents.clone();
        let chief = self.world.agent(&self.dice.pick(&agents));
        for _ in 0..self.dice.number(1, 5) {
            let mode = SupervisionMode::ALL[self.dice.number(0, 4) as usize % 4];
            let legs: Vec<LegId> = self
                .world
                .shard()
                .call(call)
                .into_iter()
                .flat_map(|call| call.legs)
                .map(|leg| leg.leg)
                .collect();
            let leg = legs.get(self.dice.number(0, legs.len().max(1) as u64) as usize).copied();
            let number = self.dice.pick(&NUMBERS).to_owned();
            let order = match (self.dice.number(0, 9), leg, &chief) {
                (0..=2, _, Some(chief)) => {
                    let by = DialTarget::Agent(chief.clone());
                    RoomOrder::Supervise(Supervise { mode, by, of: None })
                }
                (3, _, _) => RoomOrder::EndSupervision,
                (4 | 5, _, _) => RoomOrder::Change(mode),
                (6, Some(leg), _) => RoomOrder::Mute(leg, self.dice.chance(60)),
                (7, Some(leg), _) => RoomOrder::Remove(leg),
                (8, _, _) => RoomOrder::AddConsulted,
                _ => RoomOrder::Add(None, number),
            };
            self.world.send_at(at, call, Sending::Room(order));
            at = at + self.dice.ms(0, 3_000);
        }
    }

    fn wish(&mut self) {
        let agents = self.floor.agents.clone();
        let name = self.dice.pick(&agents);
        let at = self.world.now() + self.dice.us(0, 60_000);
        self.wish_at(&name, at);
    }

    fn wish_at(&mut self, name: &str, at: Time) {
        let Some(agent) = self.world.agent(name) else { return };
        let wish = match self.dice.number(0, 9) {
            0 => Wish::SignOut,
            1 => Wish::NotReady,
            2 => Wish::Rest,
            3 | 4 => Wish::SignIn,
            _ => Wish::Ready,
        };
        self.world.wish_at(at, &agent, wish);
        if matches!(wish, Wish::SignOut | Wish::NotReady | Wish::Rest) && self.dice.chance(70) {
            let back = at + self.dice.ms(0, 15_000);
            self.world.wish_at(back, &agent, Wish::SignIn);
            self.world.wish_at(back, &agent, Wish::Ready);
        }
    }

    fn plan_calls(&mut self) {
        // Now and then more callers than anybody can take.
        let calls = if self.dice.chance(10) { self.dice.number(25, 45) } else { self.dice.number(6, 14) };
        for n in 0..calls {
            let at = Time::ZERO + self.dice.ms(2_500, 50_000);
            let extensions = self.floor.extensions.clone();
            let agents = self.floor.agents.clone();
            let who = match self.dice.number(0, 9) {
                0..=6 => "carrier".to_owned(),
                7..=8 => self.dice.pick(&extensions),
                _ => self.dice.pick(&agents),
            };
            let (to, plan) = self.one_call(&extensions, &agents);
            let from = (who == "carrier").then(|| format!("+491510{n:03}"));
            let display = Some(format!("call {n}"));
            self.world.tell_at(at, &who, PhoneCommand::Call { to, from, display, plan });
            self.begun += 1;
        }
    }

    fn one_call(&mut self, extensions: &[String], agents: &[String]) -> (String, Plan) {
        let dice = &mut self.dice;
        let mut plan = talk(Plan::call(), dice);
        let to = match dice.number(0, 19) {
            0..=6 => {
                let keys = dice.pick(&["1", "1", "1", "2", "2", "3", "4", "5", "6", "7", "8", "#", "71"]);
                plan = plan.press(dice.ms(100, 5_000), keys);
                if dice.chance(20) {
                    plan = plan.press(dice.ms(5_000, 15_000), "12");
                }
                "1000".to_owned()
            }
            7..=12 => "2000".to_owned(),
            13 => "1100".to_owned(),
            14 => "4001".to_owned(),
            15 => "900".to_owned(),
            16 => "7777".to_owned(),
            17 => dice.pick(agents),
            _ => dice.pick(extensions),
        };
        plan = match dice.number(0, 9) {
            // Aimed at an answer, at either end of the network's delay.
            0 | 1 => {
                let delay = dice.pick(&[0, 300, 1_000, 2_000, 4_000]);
                let aim = Duration::from_millis(delay) + dice.us(0, 240_000);
                plan.then(Moment::Ringing, aim.saturating_sub(Duration::from_millis(120)), Act::HangUp)
            }
            2 => plan.then(Moment::Start, dice.us(0, 400_000), Act::HangUp),
            3 | 4 => plan.then(Moment::Start, dice.ms(0, 30_000), Act::HangUp),
            5..=7 => plan.hang_up_after(dice.ms(0, 30_000)),
            _ => plan,
        };
        (to, plan)
    }

    /// Agents come, go and change their manners.
    fn plan_people(&mut self, end: Time) {
        let last = end.as_millis();
        for _ in 0..self.dice.number(0, 8) {
            let agents = self.floor.agents.clone();
            let name = self.dice.pick(&agents);
            let at = Time::ZERO + self.dice.ms(0, last);
            self.wish_at(&name, at);
        }
        for _ in 0..self.dice.number(0, 8) {
            let phones = self.floor.phones.clone();
            let name = self.dice.pick(&phones);
            let at = Time::ZERO + self.dice.ms(0, last);
            let manners = plan(&mut self.dice);
            self.world.tell_at(at, &name, PhoneCommand::Incoming(manners));
        }
        if self.dice.chance(30) {
            let phones = self.floor.phones.clone();
            let name = self.dice.pick(&phones);
            if name != "carrier" {
                let at = Time::ZERO + self.dice.ms(5_000, 40_000);
                self.world.tell_at(at, &name, PhoneCommand::Unregister);
                self.world.tell_at(at + self.dice.ms(0, 10_000), &name, PhoneCommand::Register);
            }
        }
    }

    fn plan_mishaps(&mut self, end: Time) {
        if self.dice.chance(20) {
            let at = Time::ZERO + self.dice.ms(5_000, 60_000);
            let smaller = Arc::new(self.floor.smaller.clone());
            self.world.order_at(at, ShardCommand::Configure(smaller));
            if self.dice.chance(60) {
                let mut back = self.floor.snapshot.clone();
                back.version = 3;
                let at = at + self.dice.ms(0, 20_000);
                self.world.order_at(at, ShardCommand::Configure(Arc::new(back)));
            }
        }
        if self.dice.chance(4) {
            let at = end - self.dice.ms(0, 20_000);
            let end = self.dice.chance(50);
            self.world.order_at(at, ShardCommand::Stop { end });
        }
        if self.floor.kind {
            return;
        }
        for _ in 0..self.dice.number(0, 3) {
            let phones = self.floor.phones.clone();
            let name = self.dice.pick(&phones);
            let at = Time::ZERO + self.dice.ms(2_000, 60_000);
            let length =
                if self.dice.chance(70) { self.dice.ms(50, 5_000) } else { self.dice.ms(5_000, 45_000) };
            self.floor.hurt.insert(name.clone());
            self.world.cut_at(at, &name, true);
            self.world.cut_at(at + length, &name, false);
        }
        if self.dice.chance(30) {
            let phones = self.floor.phones.clone();
            let name = self.dice.pick(&phones);
            let Self { floor, world, dice, .. } = self;
            floor.worsen(world, &name, dice);
        }
    }

    /// The day is over: the network heals, everybody hangs up.
    fn let_go(&mut self) {
        let now = self.world.now();
        for name in self.floor.phones.clone() {
            self.world.cut_at(now, &name, false);
            self.world.tell(&name, PhoneCommand::Incoming(Plan::reject(480, Duration::ZERO)));
            let calls = self.world.phone(&name).map(|phone| phone.calls()).unwrap_or_default();
            for call in calls {
                let at = now + self.dice.ms(0, 1_500);
                let act = Act::HangUp;
                self.world.tell_at(at, &name, PhoneCommand::Do { call: Some(call), act });
            }
        }
        // A refresh would begin a transaction that all the rest waited for.
        for name in self.floor.phones.clone().into_iter().skip(1) {
            let at = now + self.dice.ms(2_000, 4_000);
            self.world.tell_at(at, &name, PhoneCommand::Unregister);
        }
        // Callers who wait in a queue behind a call that was cancelled too late, and the like.
        for call in self.world.shard().calls(TenantId::DEFAULT) {
            if self.dice.chance(20) {
                self.world
                    .order_at(now + self.dice.ms(0, 2_000), ShardCommand::HangUp(call.call, Cause::Normal));
            }
        }
    }
}
