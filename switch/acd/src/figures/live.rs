//! The figures of today, while it lasts: the steps of [`Sums`] as they are taken, who waits now, what agents are.
//!
//! Invariant: a step counts for the day in which its visit entered the queue; what began before the day is not in it. The
//! day is the tenant's own, and the next one begins with nothing.

use super::cell::{Ended, Sums};
use super::fold::{Fold, once};
use super::grid::{day_after, day_of};
use cordboard_model::calendar;
use cordboard_model::cdr::LegRecord;
use cordboard_model::config::{self, Snapshot};
use cordboard_model::figures::{Figures, ReportBy, WallAgent, WallQueue, WallRow, WallView};
use cordboard_model::id::{AgentId, CallId, FlowId, Name, QueueId, TenantId};
use cordboard_model::record::{AgentInterval, OfferRecord, VisitAccount};
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A visit, as far as its figures are counted.
pub(super) struct Visitor<'a> {
    pub(super) queue: &'a QueueId,
    pub(super) entered: Wall,
    pub(super) account: &'a VisitAccount,
}

/// Whose sums: of which kind, and the name; none for the tenant's.
type Whose = (ReportBy, Option<Name>);

#[derive(Clone, Debug)]
struct Day {
    zone: TimeZone,
    name: String,
    from: Wall,
    to: Wall,
    complete: bool,
    sums: BTreeMap<Whose, Sums>,
}

/// Who waits in a queue, by when he came.
type Waiting = BTreeMap<(Wall, CallId), Waiter>;

/// By what he is measured, and for whom he counts besides his queue.
#[derive(Clone, Debug)]
struct Waiter {
    target_ms: u64,
    trunk: Option<Name>,
    flows: Vec<Name>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    days: BTreeMap<TenantId, Day>,
    waiting: BTreeMap<QueueId, Waiting>,
}

impl Day {
    fn new(name: &str, at: Wall) -> Self {
        let zone = calendar::zone(name).unwrap_or(TimeZone::UTC);
        let (from, to) = (day_of(at, &zone), day_after(at, &zone));
        Self { zone, name: name.to_owned(), from, to, complete: false, sums: BTreeMap::new() }
    }

    /// Begins the day that `at` is in, if it is a later one.
    fn roll(&mut self, at: Wall) {
        if at >= self.to {
            (self.from, self.to) = (day_of(at, &self.zone), day_after(at, &self.zone));
            self.sums.clear();
            self.complete = true;
        }
    }

    fn sums(&mut self, by: ReportBy, name: Option<&Name>) -> &mut Sums {
        self.sums.entry((by, name.cloned())).or_default()
    }

    fn interval(&mut self, interval: &AgentInterval) {
        let of_day = interval.to.0.min(self.to.0).saturating_sub(interval.from.0.max(self.from.0));
        let agent = Some(&interval.agent.name);
        if let Ok(ms @ 1..) = u64::try_from(of_day) {
            self.sums(ReportBy::Agents, agent).time(interval.status, interval.chats, ms);
            self.sums(ReportBy::Tenant, None).time(interval.status, interval.chats, ms);
        }
        let Some(work) = interval.work.as_ref().filter(|_| interval.status == AgentStatus::WrapUp) else {
            return;
        };
        if work.entered < self.from {
            return;
        }
        let ms = interval.ms();
        self.sums(ReportBy::Agents, agent).wrap_up(ms);
        self.sums(ReportBy::Tenant, None).wrap_up(ms);
        self.sums(ReportBy::Queues, Some(&work.queue.name)).wrap_up(ms);
        if let Some(trunk) = &work.trunk {
            self.sums(ReportBy::Trunks, Some(&trunk.name)).wrap_up(ms);
        }
        once(&work.flows).for_each(|flow| self.sums(ReportBy::Flows, Some(flow)).wrap_up(ms));
    }
}

impl Live {
    pub(super) fn configure(&mut self, snapshot: &Snapshot, at: Wall) {
        self.days.retain(|tenant, _| snapshot.tenants.contains_key(tenant));
        for (id, tenant) in &snapshot.tenants {
            let known = self.days.get(id).is_some_and(|day| day.name == tenant.zone);
            if !known {
                self.days.insert(*id, Day::new(&tenant.zone, at));
            }
        }
    }

    /// The day of a tenant, if `at` is in it.
    fn day(&mut self, tenant: TenantId, at: Wall) -> Option<&mut Day> {
        let day = self.days.get_mut(&tenant)?;
        day.roll(at);
        Some(day).filter(|day| at >= day.from)
    }

    /// Takes a step for everything that a visit counts for but agents.
    fn step(&mut self, visitor: &Visitor<'_>, step: impl Fn(&mut Sums)) {
        let Some(day) = self.day(visitor.queue.tenant, visitor.entered) else { return };
        step(day.sums(ReportBy::Queues, Some(&visitor.queue.name)));
        step(day.sums(ReportBy::Tenant, None));
        if let Some(trunk) = &visitor.account.trunk {
            step(day.sums(ReportBy::Trunks, Some(&trunk.name)));
        }
        once(&visitor.account.flows).for_each(|flow| step(day.sums(ReportBy::Flows, Some(flow))));
    }

    fn step_of(&mut self, agent: &AgentId, visitor: &Visitor<'_>, step: impl Fn(&mut Sums)) {
        if let Some(day) = self.day(agent.tenant, visitor.entered) {
            step(day.sums(ReportBy::Agents, Some(&agent.name)));
        }
    }

    pub(super) fn refused(&mut self, visitor: &Visitor<'_>) {
        self.step(visitor, Sums::refuse);
    }

    pub(super) fn entered(&mut self, call: CallId, visitor: &Visitor<'_>) {
        if !visitor.account.callback {
            self.step(visitor, Sums::enter);
        }
        let waiting = self.waiting.entry(visitor.queue.clone()).or_default();
        let VisitAccount { target_ms, trunk, flows, .. } = visitor.account;
        let waiter = Waiter {
            target_ms: *target_ms,
            trunk: trunk.as_ref().map(|trunk| trunk.name.clone()),
            flows: once(flows).cloned().collect(),
        };
        waiting.insert((visitor.entered, call), waiter);
    }

    pub(super) fn left(&mut self, call: CallId, visitor: &Visitor<'_>, outcome: &str) {
        if let Some(waiting) = self.waiting.get_mut(visitor.queue) {
            waiting.remove(&(visitor.entered, call));
            if waiting.is_empty() {
                self.waiting.remove(visitor.queue);
            }
        }
        let VisitAccount { wait_ms, target_ms, short_ms, callback, .. } = *visitor.account;
        if callback {
            return; // his wait was counted before
        }
        self.step(visitor, |sums| sums.leave(Ended { outcome, wait_ms, target_ms, short_ms }));
    }

    pub(super) fn offer(&mut self, visitor: &Visitor<'_>, offer: &OfferRecord) {
        self.step(visitor, |sums| sums.offer(offer.end));
        self.step_of(&offer.agent, visitor, |sums| sums.offer(offer.end));
    }

    pub(super) fn handled(&mut self, visitor: &Visitor<'_>, agent: &AgentId, (talk, hold): (u64, u64)) {
        self.step(visitor, |sums| sums.handle(talk, hold));
        self.step_of(agent, visitor, |sums| sums.handle(talk, hold));
    }

    pub(super) fn interval(&mut self, interval: &AgentInterval) {
        if let Some(day) = self.days.get_mut(&interval.agent.tenant) {
            day.roll(interval.to);
            day.interval(interval);
        }
    }

    pub(super) fn call_came(&mut self, tenant: TenantId, at: Wall) {
        if let Some(day) = self.day(tenant, at) {
            day.sums(ReportBy::Tenant, None).call(false);
        }
    }

    /// A call that came `started` runs a flow for the first time.
    pub(super) fn flow_ran(&mut self, flow: &FlowId, started: Option<Wall>, answered: bool) {
        if let Some(day) = started.and_then(|at| self.day(flow.tenant, at)) {
            day.sums(ReportBy::Flows, Some(&flow.name)).call(answered);
        }
    }

    pub(super) fn call_answered(&mut self, tenant: TenantId, flows: &[FlowId], started: Option<Wall>) {
        if let Some(day) = started.and_then(|at| self.day(tenant, at)) {
            day.sums(ReportBy::Tenant, None).call_answered();
            once(flows).for_each(|flow| day.sums(ReportBy::Flows, Some(flow)).call_answered());
        }
    }

    pub(super) fn leg(&mut self, tenant: TenantId, leg: &LegRecord) {
        if let (Some(trunk), Some(day)) = (&leg.trunk, self.day(tenant, leg.started)) {
            day.sums(ReportBy::Trunks, Some(&trunk.name)).leg(leg);
        }
    }

    pub(super) fn seed(&mut self, tenant: TenantId, day: Wall, folds: Vec<(ReportBy, Fold)>) {
        let Some(known) = self.days.get_mut(&tenant).filter(|known| known.from == day) else { return };
        known.complete = true;
        for (by, fold) in folds {
            for (name, sums) in fold.into_whole() {
                known.sums.entry((by, name)).or_default().merge(&sums);
            }
        }
    }

    pub(super) fn view(
        &mut self,
        snapshot: &Snapshot,
        tenant: TenantId,
        open: &[AgentInterval],
        now: Wall,
    ) -> Option<WallView> {
        let config = snapshot.tenant(tenant)?;
        let day = self.days.get_mut(&tenant)?;
        day.roll(now);
        let day = &*day;
        let overdue = BTreeMap::new();
        let mut shown = Shown { day, open: day.bare(), waiting: &self.waiting, overdue, now };
        shown.count_overdue(tenant);
        open.iter().for_each(|interval| shown.open.interval(interval));
        let by_agent: BTreeMap<&Name, &AgentInterval> =
            open.iter().map(|interval| (&interval.agent.name, interval)).collect();
        let mut by_status = BTreeMap::new();
        let mut by_queue: BTreeMap<&QueueId, BTreeMap<&'static str, u32>> = BTreeMap::new();
        for (name, agent) in &config.agents {
            let Some(interval) = by_agent.get(name) else { continue };
            let status = interval.status.as_str();
            *by_status.entry(status).or_default() += 1;
            for queue in &agent.queues {
                *by_queue.entry(queue).or_default().entry(status).or_default() += 1;
            }
        }
        let queues: Vec<WallQueue> = config
            .queues
            .values()
            .map(|queue| shown.queue(queue, by_queue.remove(&queue.id).unwrap_or_default()))
            .collect();
        let agents =
            config.agents.values().map(|agent| shown.agent(agent, by_agent.get(&agent.id.name).copied()));
        Some(WallView {
            tenant,
            at: now,
            zone: day.name.clone(),
            day: day.from,
            complete: day.complete,
            waiting: queues.iter().map(|queue| queue.waiting).sum(),
            longest_wait_ms: queues.iter().filter_map(|queue| queue.longest_wait_ms).max(),
            agents_by_status: by_status,
            today: shown.figures(ReportBy::Tenant, None),
            agents: agents.collect(),
            trunks: shown.rows(ReportBy::Trunks),
            flows: shown.rows(ReportBy::Flows),
            queues,
        })
    }
}

impl Day {
    /// The same day without its sums.
    fn bare(&self) -> Self {
        let Self { zone, name, from, to, complete, .. } = self;
        Self {
            zone: zone.clone(),
            name: name.clone(),
            from: *from,
            to: *to,
            complete: *complete,
            sums: BTreeMap::new(),
        }
    }
}

/// What a view is made of.
struct Shown<'a> {
    day: &'a Day,
    /// The stretches that go on, as if they ended now.
    open: Day,
    waiting: &'a BTreeMap<QueueId, Waiting>,
    /// Who came today and waits longer than his target says: he counts as one who was not answered in time.
    overdue: BTreeMap<Whose, u64>,
    now: Wall,
}

impl Shown<'_> {
    fn count_overdue(&mut self, tenant: TenantId) {
        for (queue, waiting) in self.waiting.iter().filter(|(queue, _)| queue.tenant == tenant) {
            for ((entered, _), waiter) in waiting {
                if *entered < self.day.from || self.waited(*entered) <= waiter.target_ms {
                    continue;
                }
                let mut whose = vec![(ReportBy::Tenant, None), (ReportBy::Queues, Some(queue.name.clone()))];
                whose.extend(waiter.trunk.iter().map(|trunk| (ReportBy::Trunks, Some(trunk.clone()))));
                whose.extend(waiter.flows.iter().map(|flow| (ReportBy::Flows, Some(flow.clone()))));
                whose.into_iter().for_each(|key| *self.overdue.entry(key).or_default() += 1);
            }
        }
    }

    fn figures(&self, by: ReportBy, name: Option<&Name>) -> Figures {
        let key = (by, name.cloned());
        let overdue = self.overdue.get(&key).copied().unwrap_or(0);
        match (self.day.sums.get(&key), self.open.sums.get(&key)) {
            (None, None) => Figures::default(),
            (Some(sums), None) | (None, Some(sums)) => sums.figures(overdue),
            (Some(sums), Some(open)) => {
                let mut both = sums.clone();
                both.merge(open);
                both.figures(overdue)
            }
        }
    }

    fn waited(&self, entered: Wall) -> u64 {
        u64::try_from(self.now.0.saturating_sub(entered.0)).unwrap_or(0)
    }

    fn queue(&self, queue: &config::Queue, agents: BTreeMap<&'static str, u32>) -> WallQueue {
        let waiting = self.waiting.get(&queue.id);
        let over =
            |((entered, _), waiter): &(&(Wall, CallId), &Waiter)| self.waited(*entered) > waiter.target_ms;
        let overdue = waiting.iter().flat_map(|all| all.iter()).filter(over).count() as u64;
        WallQueue {
            queue: queue.id.clone(),
            display: queue.display.clone(),
            waiting: waiting.map_or(0, |all| all.len() as u64),
            waiting_over_target: overdue,
            longest_wait_ms: waiting
                .and_then(|all| all.keys().next())
                .map(|(entered, _)| self.waited(*entered)),
            agents,
            today: self.figures(ReportBy::Queues, Some(&queue.id.name)),
        }
    }

    fn agent(&self, agent: &config::Agent, open: Option<&AgentInterval>) -> WallAgent {
        WallAgent {
            agent: agent.id.clone(),
            display: agent.display.clone(),
            status: open.map_or(AgentStatus::SignedOut, |interval| interval.status),
            since: open.map(|interval| interval.from),
            call: open.and_then(|interval| interval.call),
            queue: open.and_then(|interval| Some(interval.work.as_ref()?.queue.clone())),
            today: self.figures(ReportBy::Agents, Some(&agent.id.name)),
        }
    }

    fn rows(&self, by: ReportBy) -> Vec<WallRow> {
        let names = self.day.sums.keys().chain(self.open.sums.keys()).filter(|(of, _)| *of == by);
        let mut names: Vec<&Name> = names.filter_map(|(_, name)| name.as_ref()).collect();
        names.sort_unstable();
        names.dedup();
        let row = |name: &Name| WallRow { name: name.clone(), today: self.figures(by, Some(name)) };
        names.into_iter().map(row).collect()
    }
}
