//! A floor: the queue engine, the ledger beside it, and the records that come of both.

use crate::figures::{Fold, Grid, Ledger, Moment, day_after, day_of};
use crate::tests::bench::{T, agent, call, queue, snapshot};
use crate::{AcdCommand, AcdEngine, AcdInput, AcdOutput};
use cordboard_model::calendar;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{Cdr, LegRecord, LegRole, QueueVisit};
use cordboard_model::config::{self, Snapshot};
use cordboard_model::event::EventKind;
use cordboard_model::figures::{Figures, ReportBy, ReportRow, ReportStep, WallView};
use cordboard_model::id::{AgentId, CallId, FlowId, LegId, QueueId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::record::{AgentInterval, CallRow, IntervalEnd};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::{Time, Wall, WallClock};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) struct Floor {
    pub(super) engine: AcdEngine,
    pub(super) ledger: Ledger,
    pub(super) config: Snapshot,
    wall: WallClock,
    now: Time,
    /// Visits of calls that are up.
    open: BTreeMap<CallId, Vec<QueueVisit>>,
    /// Who has a call, or was offered it last.
    pub(super) offered: BTreeMap<CallId, AgentId>,
    /// Who rings for a call.
    pub(super) ringing: BTreeSet<(CallId, AgentId)>,
    /// What was decided, for whoever plays the phones.
    pub(super) news: VecDeque<AcdOutput>,
    /// The raw records.
    pub(super) visits: Vec<QueueVisit>,
    pub(super) intervals: Vec<AgentInterval>,
    /// Calls and their legs have records, too.
    pub(super) whole: bool,
    pub(super) calls: Vec<CallRow>,
    pub(super) legs: Vec<LegRecord>,
    /// How each call that is up came.
    came: BTreeMap<CallId, (Wall, Option<TrunkId>, Vec<FlowId>)>,
}

impl Floor {
    /// At this date, with these queues and agents, all of whose phones are registered.
    pub(super) fn new(at: &str, zone: &str, queues: Vec<config::Queue>, agents: Vec<config::Agent>) -> Self {
        let mut config = snapshot(queues, agents);
        config.tenants.get_mut(&T).unwrap().zone = zone.into();
        let wall = WallClock { at_zero: calendar::read(at).unwrap() };
        let mut floor = Self {
            engine: AcdEngine::new(wall),
            ledger: Ledger::new(7, 0),
            config,
            wall,
            now: Time::ZERO,
            open: BTreeMap::new(),
            offered: BTreeMap::new(),
            ringing: BTreeSet::new(),
            news: VecDeque::new(),
            visits: Vec::new(),
            intervals: Vec::new(),
            whole: false,
            calls: Vec::new(),
            legs: Vec::new(),
            came: BTreeMap::new(),
        };
        let config = floor.config.clone();
        floor.ledger.configure(&config, floor.moment());
        floor.command(AcdCommand::Configure(&config));
        let users: Vec<_> = config.tenants[&T].agents.values().map(|agent| agent.user.clone()).collect();
        users.into_iter().for_each(|user| floor.tell(AcdInput::Contacts { user, count: 1 }));
        floor
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { time: self.now, wall: self.wall.at(self.now) }
    }

    pub(super) fn now(&self) -> Time {
        self.now
    }

    /// Brings the time up to so many milliseconds after the start, with what is due on the way.
    pub(super) fn until(&mut self, ms: u64) {
        let end = Time::from_millis(ms);
        while let Some((due, _)) = self.engine.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = self.now.max(end);
    }

    fn command(&mut self, command: AcdCommand<'_>) {
        self.engine.handle_command(command, self.now).unwrap();
        self.drain();
    }

    pub(super) fn tell(&mut self, input: AcdInput) {
        if let AcdInput::Enter { call, queue, .. } = &input {
            let at = self.moment().wall;
            let visit = QueueVisit {
                queue: queue.clone(),
                entered: at,
                left: at,
                agent: None,
                outcome: "full".into(),
                consulted_by: None,
                account: None,
            };
            self.open.entry(*call).or_default().push(visit);
        }
        self.ledger.note_input(&input, self.moment());
        self.engine.handle_input(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            let at = self.moment();
            for interval in self.ledger.note_output(&output, at).into_iter().flatten() {
                if interval.end != IntervalEnd::Open {
                    self.intervals.push(interval);
                }
            }
            match &output {
                AcdOutput::Offer { call, agent, .. } => {
                    self.offered.insert(*call, agent.clone());
                    self.ringing.insert((*call, agent.clone()));
                }
                AcdOutput::Withdraw { call, agent, .. } => {
                    self.ringing.remove(&(*call, agent.clone()));
                }
                AcdOutput::Entered { call, .. } => self.last(*call).outcome = "waits".into(),
                AcdOutput::Left { call, outcome, agent, .. } => {
                    self.offered.extend(agent.iter().map(|agent| (*call, agent.clone())));
                    let visits = self.open.get_mut(call).unwrap();
                    let visit = visits.iter_mut().rev().find(|visit| visit.outcome == "waits").unwrap();
                    (visit.left, visit.outcome) = (at.wall, outcome.as_str().into());
                    visit.agent = agent.clone();
                }
                _ => {}
            }
            self.news.push_back(output);
        }
    }

    fn last(&mut self, call: CallId) -> &mut QueueVisit {
        self.open.get_mut(&call).unwrap().last_mut().unwrap()
    }

    pub(super) fn enter(&mut self, n: u64, name: &str) {
        let (call, queue) = (call(n), queue(name));
        if !self.open.contains_key(&call) {
            self.ledger.came(call, None, self.moment());
            self.came.insert(call, (self.moment().wall, None, Vec::new()));
        }
        self.tell(AcdInput::Enter { call, queue, timeout_ms: None, priority: 0, staffed: false, wish: None });
    }

    /// The same of a call that came by a trunk and ran a flow.
    pub(super) fn enter_by(&mut self, n: u64, name: &str, trunk: &str, flow: &str) {
        let (trunk, flow) = (TrunkId::new(T, trunk).unwrap(), FlowId::new(T, flow).unwrap());
        self.ledger.came(call(n), Some(trunk.clone()), self.moment());
        self.came.insert(call(n), (self.moment().wall, Some(trunk), vec![flow.clone()]));
        self.open.entry(call(n)).or_default();
        let started = EventKind::FlowStarted { call: call(n), flow };
        self.ledger.note_event(&started, self.moment());
        if self.whole {
            self.ledger.note_event(&EventKind::CallAnswered { call: call(n) }, self.moment());
        }
        self.enter(n, name);
    }

    pub(super) fn answer(&mut self, n: u64) {
        let agent = self.offered[&call(n)].clone();
        self.answer_by(n, &agent);
    }

    /// Of several who ring, this one answers.
    pub(super) fn answer_by(&mut self, n: u64, agent: &AgentId) {
        let (call, agent) = (call(n), agent.clone());
        self.ringing.remove(&(call, agent.clone()));
        self.tell(AcdInput::OfferRinging { call, agent: agent.clone() });
        self.tell(AcdInput::OfferAnswered { call, agent });
    }

    pub(super) fn fails(&mut self, n: u64, why: Cause) {
        let agent = self.offered[&call(n)].clone();
        self.fails_at(n, &agent, why);
    }

    /// Of several who ring, this one does not answer.
    pub(super) fn fails_at(&mut self, n: u64, agent: &AgentId, why: Cause) {
        let (call, agent) = (call(n), agent.clone());
        self.ringing.remove(&(call, agent.clone()));
        self.tell(AcdInput::OfferFailed { call, agent, why, caller_gone: false });
    }

    /// The caller hangs up while he waits; his call is over.
    pub(super) fn gives_up(&mut self, n: u64) {
        self.tell(AcdInput::Abandoned { call: call(n) });
        self.over(n, Party::Caller);
    }

    /// His agent talks no more with him; he may go on.
    pub(super) fn released(&mut self, n: u64) {
        let (call, agent) = (call(n), self.offered[&call(n)].clone());
        self.tell(AcdInput::AgentReleased { call, agent });
    }

    pub(super) fn held(&mut self, n: u64, held: bool) {
        let leg = LegId { tenant: T, start: 7, shard: 0, number: n };
        self.ledger.note_event(&EventKind::LegHeld { call: call(n), leg, held }, self.moment());
    }

    /// The call has its record.
    pub(super) fn over(&mut self, n: u64, by: Party) {
        let at = self.moment();
        let queues = self.open.remove(&call(n)).unwrap_or_default();
        let (started, trunk, flows) = self.came.remove(&call(n)).unwrap_or((at.wall, None, Vec::new()));
        let answered = trunk.is_some();
        let leg = trunk.map(|trunk| leg_of(n, trunk, (started, at.wall))).filter(|_| self.whole);
        if self.whole {
            self.calls.push(CallRow { call: call(n), started, answered, flows });
        }
        let mut cdr = Cdr {
            call: call(n),
            from: PartyId::new("1"),
            to: PartyId::new("2"),
            started: at.wall,
            answered: Some(at.wall),
            bridged: None,
            ended: at.wall,
            cause: Cause::Normal,
            ended_by: by,
            agent: None,
            flows: Vec::new(),
            queues,
            legs: leg.into_iter().collect(),
            recordings: Vec::new(),
            data: BTreeMap::new(),
            transfers: Vec::new(),
            supervisions: Vec::new(),
            joined: None,
            dialled: None,
            times: Default::default(),
            wrap_ups: Vec::new(),
        };
        self.ledger.close(&mut cdr, at);
        self.offered.remove(&call(n));
        self.visits.append(&mut cdr.queues);
        self.legs.append(&mut cdr.legs);
    }

    pub(super) fn ready(&mut self, name: &str) {
        self.order(name, AgentOrder::SignIn);
        self.order(name, AgentOrder::Ready);
    }

    pub(super) fn goes_home(&mut self, name: &str) {
        self.order(name, AgentOrder::SignOut);
    }

    pub(super) fn order(&mut self, name: &str, what: AgentOrder) {
        self.command(AcdCommand::Order { agent: agent(name), what, by: None });
    }

    /// The day that it is, cut by `step`.
    pub(super) fn grid(&self, step: ReportStep) -> Grid {
        let zone = calendar::zone(&self.config.tenants[&T].zone).unwrap();
        let at = self.moment().wall;
        Grid::new(day_of(at, &zone), day_after(at, &zone), step, &zone).unwrap()
    }

    /// What the fold makes of the raw records: rows, and totals.
    pub(super) fn report(&self, by: ReportBy, grid: Grid) -> (Vec<ReportRow>, Vec<ReportRow>) {
        let zone = calendar::zone(&self.config.tenants[&T].zone).unwrap();
        let mut fold = Fold::new(by, grid);
        self.visits.iter().for_each(|visit| fold.visit(visit));
        self.calls.iter().for_each(|call| fold.call(call));
        self.legs.iter().for_each(|leg| fold.leg(leg));
        self.intervals.iter().for_each(|interval| fold.interval(interval));
        self.ledger.open_intervals(T, self.moment()).iter().for_each(|interval| fold.interval(interval));
        fold.finish(&zone).unwrap()
    }

    /// The totals of one, over the day that it is.
    pub(super) fn total(&self, by: ReportBy, name: Option<&str>) -> Figures {
        let (_, totals) = self.report(by, self.grid(ReportStep::Whole));
        let of = |row: &&ReportRow| row.name.as_ref().map(|name| name.as_str()) == name;
        totals.iter().find(of).map(|row| row.figures).unwrap_or_default()
    }

    pub(super) fn wall(&mut self) -> WallView {
        let at = self.moment();
        let config = self.config.clone();
        self.ledger.wall(&config, T, at).unwrap()
    }
}

/// The leg of a caller who came by a trunk and was answered at once.
fn leg_of(n: u64, trunk: TrunkId, (started, ended): (Wall, Wall)) -> LegRecord {
    LegRecord {
        leg: LegId { tenant: T, start: 7, shard: 0, number: n },
        role: LegRole::Caller,
        party: PartyId::new("1"),
        agent: None,
        started,
        rang: None,
        picked_up: None,
        answered: Some(started),
        ended,
        cause: Cause::Normal,
        sip_status: None,
        stats: Default::default(),
        video: None,
        verdict: None,
        findings: Vec::new(),
        presented: None,
        trunk: Some(trunk),
    }
}

/// An agent's status, by how long, in order.
pub(super) fn story(intervals: &[AgentInterval], of: &AgentId) -> Vec<(String, u64)> {
    let his = intervals.iter().filter(|interval| interval.agent == *of);
    his.map(|interval| (interval.status.as_str().to_owned(), interval.ms())).collect()
}

/// Where a queue's work went.
pub(super) fn work(interval: &AgentInterval) -> Option<(&QueueId, Wall)> {
    interval.work.as_ref().map(|work| (&work.queue, work.entered))
}
