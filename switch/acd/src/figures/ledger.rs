//! Writes the records while calls run: what each wait was made of, and each stretch of an agent's work.
//!
//! Invariant: an agent who is signed in has exactly one stretch that is open, and the next begins when it ends. A visit
//! changes by what the queue engine decided, never by what it was told and ignored.

use super::live::{Live, Visitor};
use crate::api::{AcdInput, AcdOutput, Outcome};
use cordboard_model::cdr::{Cdr, QueueVisit};
use cordboard_model::config::Snapshot;
use cordboard_model::event::EventKind;
use cordboard_model::figures::{ReportBy, WallView};
use cordboard_model::id::{AgentId, CallId, FlowId, IdMaker, LegId, QueueId, TenantId, TrunkId};
use cordboard_model::record::{
    AgentInterval, IntervalEnd, OFFERS_MAX, OfferEnd, OfferRecord, QueueFigures, VisitAccount, WorkFor,
};
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_model::view::{AgentStatus, CallStage};
use std::collections::{BTreeMap, BTreeSet};

/// When something happened: by the clock that durations come from, and by the one that dates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For durations.
    pub time: Time,
    /// For dates.
    pub wall: Wall,
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An offer that rings.
#[derive(Clone, Debug)]
struct OpenOffer {
    agent: AgentId,
    at: Moment,
    ring: Duration,
    rang: bool,
}

/// A talk that came of a visit.
#[derive(Clone, Debug)]
struct Talk {
    agent: AgentId,
    from: Time,
    /// Since when one of the legs is on hold.
    held: Option<Time>,
    hold: Duration,
    over: Option<Time>,
}

/// One wait, and the talk that came of it.
#[derive(Clone, Debug)]
struct Visit {
    queue: QueueId,
    entered: Moment,
    left: bool,
    /// Who rings: one, unless the queue rings all.
    offers: Vec<OpenOffer>,
    talk: Option<Talk>,
    account: VisitAccount,
}

/// Visits of a call that are kept: those that its record may have.
const VISITS_MAX: usize = 64;

/// What is kept of a call that is in a queue, or was.
#[derive(Clone, Debug, Default)]
struct Book {
    visits: Vec<Visit>,
    held: BTreeSet<LegId>,
    flows: Vec<FlowId>,
    trunk: Option<TrunkId>,
    answered: bool,
    /// When it came; none for what was not told of.
    started: Option<Wall>,
    /// When its end was decided.
    ending: Option<Time>,
}

/// A stretch of an agent's work that goes on.
#[derive(Clone, Debug)]
struct Open {
    interval: AgentInterval,
    since: Time,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Ledger {
    ids: IdMaker,
    rules: BTreeMap<QueueId, QueueFigures>,
    calls: BTreeMap<CallId, Book>,
    agents: BTreeMap<AgentId, Open>,
    /// What each agent was last rung for.
    work: BTreeMap<AgentId, (CallId, WorkFor)>,
    pub(super) live: Live,
}

impl Ledger {
    /// An empty one. `start` and `shard` are for the ids of stretches.
    pub fn new(start: u32, shard: u8) -> Self {
        Self {
            ids: IdMaker::new(start, shard),
            rules: BTreeMap::new(),
            calls: BTreeMap::new(),
            agents: BTreeMap::new(),
            work: BTreeMap::new(),
            live: Live::default(),
        }
    }

    /// Takes a configuration: how queues judge waits, and the zones of tenants. Visits keep what they began with.
    pub fn configure(&mut self, snapshot: &Snapshot, at: Moment) {
        let queues = snapshot.tenants.values().flat_map(|tenant| tenant.queues.values());
        self.rules = queues.map(|queue| (queue.id.clone(), queue.figures)).collect();
        self.live.configure(snapshot, at.wall);
    }

    /// A call came, by this trunk if by one.
    pub fn came(&mut self, call: CallId, trunk: Option<TrunkId>, at: Moment) {
        let book = self.calls.entry(call).or_default();
        (book.trunk, book.started) = (trunk, Some(at.wall));
        self.live.call_came(call.tenant, at.wall);
    }

    /// What the queue engine is told. To be called before it is.
    pub fn note_input(&mut self, input: &AcdInput, at: Moment) {
        match input {
            AcdInput::Enter { call, queue, .. } => self.enter(*call, queue, at),
            AcdInput::Arrived { call, queue, back, .. } => {
                self.enter(*call, queue, at);
                self.called_back(*call, *back);
            }
            AcdInput::OfferRinging { call, agent } => {
                let offers = self.last(*call).into_iter().flat_map(|visit| visit.offers.iter_mut());
                offers.filter(|offer| offer.agent == *agent).for_each(|offer| offer.rang = true);
            }
            AcdInput::OfferFailed { call, agent, why, caller_gone } => {
                self.offer_ends(*call, agent, OfferEnd::of(*why, *caller_gone), at);
            }
            AcdInput::AgentReleased { call, agent } => self.released(*call, agent, at),
            _ => {}
        }
    }

    /// What the queue engine has decided. Gives back the stretch of an agent's work that is over, then the one that
    /// begins: both are to be written down, in this order.
    pub fn note_output(&mut self, output: &AcdOutput, at: Moment) -> [Option<AgentInterval>; 2] {
        match output {
            AcdOutput::Entered { call, position, .. } => self.entered(*call, *position),
            AcdOutput::Recalled { call, queue, position, .. } => {
                self.enter(*call, queue, at);
                self.called_back(*call, true);
                self.entered(*call, *position);
            }
            AcdOutput::Offer { call, agent, ring, .. } => self.offered(*call, agent, *ring, at),
            AcdOutput::Withdraw { call, agent, .. } => {
                let visit = self.last(*call);
                let offer = visit.and_then(|visit| visit.offers.iter().find(|offer| offer.agent == *agent));
                // Taken back after all its time: nobody had reported, which is as if it had rung out.
                let end = offer.map(|offer| match (at.time.since(offer.at.time) >= offer.ring, offer.rang) {
                    (false, _) => OfferEnd::Withdrawn,
                    (true, true) => OfferEnd::NoAnswer,
                    (true, false) => OfferEnd::Unreachable,
                });
                self.offer_ends(*call, agent, end.unwrap_or(OfferEnd::Withdrawn), at);
            }
            AcdOutput::Left { call, outcome, agent, .. } => self.left(*call, *outcome, agent.as_ref(), at),
            AcdOutput::AgentChanged { agent, status, why, call, reason, .. } => {
                return self.changed(agent, *status, (why, reason.as_deref()), *call, at);
            }
            AcdOutput::ChatsChanged { agent, chats, .. } => {
                let count = u8::try_from(chats.len()).unwrap_or(u8::MAX);
                return self.has_chats(agent, count, at);
            }
            AcdOutput::QueueEnded { call, .. } => self.refused(*call),
            _ => {}
        }
        [None, None]
    }

    /// Something that is in the event stream.
    pub fn note_event(&mut self, what: &EventKind, at: Moment) {
        match what {
            EventKind::LegHeld { call, leg, held } => self.hold(*call, *leg, *held, at),
            // one that ends on hold is not told to be off it
            EventKind::LegEnded { call, leg, .. } => self.hold(*call, *leg, false, at),
            EventKind::FlowStarted { call, flow } => {
                if let Some(book) = self.calls.get_mut(call)
                    && !book.flows.contains(flow)
                {
                    book.flows.push(flow.clone());
                    let (started, answered) = (book.started, book.answered);
                    self.live.flow_ran(flow, started, answered);
                }
            }
            EventKind::CallStage { call, stage: CallStage::Ending, .. } => {
                if let Some(book) = self.calls.get_mut(call) {
                    book.ending = Some(at.time);
                }
            }
            EventKind::CallAnswered { call } => {
                if let Some(book) = self.calls.get_mut(call)
                    && !core::mem::replace(&mut book.answered, true)
                {
                    let (started, flows) = (book.started, book.flows.clone());
                    self.live.call_answered(call.tenant, &flows, started);
                }
            }
            _ => {}
        }
    }

    /// A call is over: its record gets the accounts of its visits, and nothing is kept of it here.
    pub fn close(&mut self, cdr: &mut Cdr, at: Moment) {
        let Some(mut book) = self.calls.remove(&cdr.call) else { return };
        // the record has the last of them, if there were too many
        let missing = book.visits.len().saturating_sub(cdr.queues.len());
        book.visits.drain(..missing);
        let unknown = cdr.queues.len().saturating_sub(book.visits.len());
        // one that an agent began to consult its queue is not the caller's way elsewhere
        let own = |visit: &QueueVisit| visit.consulted_by.is_none() || visit.outcome == "served";
        let last = cdr.queues.iter().skip(unknown).rposition(own);
        let by = cdr.ended_by;
        let records = cdr.queues.iter_mut().skip(unknown);
        for (n, (mut visit, record)) in book.visits.into_iter().zip(records).enumerate() {
            // The queue may not have said yet that he left.
            if !core::mem::replace(&mut visit.left, true) && visit.account.position > 0 {
                visit.account.wait_ms = ms(at.time.since(visit.entered.time));
                close_offers(&mut self.live, &mut visit, |_| Some(OfferEnd::CallerGone), at);
                self.live.left(cdr.call, &visitor(&visit), &record.outcome);
            }
            if let Some(mut talk) = visit.talk.take() {
                if talk.over.is_none() {
                    end_talk(&mut talk, at.time);
                    self.live.handled(&visitor(&visit), &talk.agent, told(&talk));
                }
                let to_the_end = talk.over >= Some(book.ending.unwrap_or(at.time));
                visit.account.ended_by = Some(by).filter(|_| to_the_end && Some(n) == last);
                (visit.account.talk_ms, visit.account.hold_ms) = told(&talk);
            }
            record.account = Some(Box::new(visit.account));
        }
        for leg in &cdr.legs {
            self.live.leg(cdr.call.tenant, leg);
        }
    }

    /// A call is gone without a record.
    pub fn forget(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    /// How many visits are kept of a call.
    #[cfg(test)]
    pub(super) fn visits_of(&self, call: CallId) -> usize {
        self.calls.get(&call).map_or(0, |book| book.visits.len())
    }

    /// Whether nothing is kept of any call.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The stretches that are open, as they would be if they ended now.
    pub fn open_intervals(&self, tenant: TenantId, at: Moment) -> Vec<AgentInterval> {
        let of_tenant = self.agents.values().filter(|open| open.interval.agent.tenant == tenant);
        of_tenant.map(|open| AgentInterval { to: open.until(at.time), ..open.interval.clone() }).collect()
    }

    /// What was before the start of the switch, today: one fold of each kind, none of them cut.
    pub fn seed(&mut self, tenant: TenantId, day: Wall, folds: Vec<(ReportBy, super::Fold)>) {
        self.live.seed(tenant, day, folds);
    }

    /// The figures of now; none of a tenant that is not configured.
    pub fn wall(&mut self, snapshot: &Snapshot, tenant: TenantId, at: Moment) -> Option<WallView> {
        let open = self.open_intervals(tenant, at);
        self.live.view(snapshot, tenant, &open, at.wall)
    }

    fn last(&mut self, call: CallId) -> Option<&mut Visit> {
        self.calls.get_mut(&call)?.visits.last_mut()
    }

    fn enter(&mut self, call: CallId, queue: &QueueId, at: Moment) {
        let rule = self.rules.get(queue).copied().unwrap_or_default();
        let book = self.calls.entry(call).or_default();
        let account = VisitAccount {
            target_ms: ms(rule.target),
            short_ms: ms(rule.short_abandon),
            trunk: book.trunk.clone(),
            flows: book.flows.clone(),
            ..VisitAccount::default()
        };
        if book.visits.len() >= VISITS_MAX {
            book.visits.remove(0);
        }
        let (queue, offers) = (queue.clone(), Vec::new());
        book.visits.push(Visit { queue, entered: at, left: false, offers, talk: None, account });
    }

    /// The wait that began last is of one who is called back, or not.
    fn called_back(&mut self, call: CallId, is: bool) {
        if let Some(visit) = self.last(call) {
            visit.account.callback = is;
        }
    }

    /// The queue does not take him. A wait that was one ended before.
    fn refused(&mut self, call: CallId) {
        let Some(visit) = self.calls.get_mut(&call).and_then(|book| book.visits.last_mut()) else { return };
        if visit.account.position == 0 && !core::mem::replace(&mut visit.left, true) {
            self.live.refused(&visitor(visit));
        }
    }

    /// The queue took him.
    fn entered(&mut self, call: CallId, position: u32) {
        let Some(visit) = self.calls.get_mut(&call).and_then(|book| book.visits.last_mut()) else { return };
        visit.account.position = position.max(1);
        self.live.entered(call, &visitor(visit));
    }

    fn offered(&mut self, call: CallId, agent: &AgentId, ring: Duration, at: Moment) {
        let Some(visit) = self.calls.get_mut(&call).and_then(|book| book.visits.last_mut()) else { return };
        close_offers(&mut self.live, visit, |of| (of == agent).then_some(OfferEnd::Withdrawn), at);
        visit.offers.push(OpenOffer { agent: agent.clone(), at, ring, rang: false });
        let work = WorkFor {
            queue: visit.queue.clone(),
            entered: visit.entered.wall,
            trunk: visit.account.trunk.clone(),
            flows: visit.account.flows.clone(),
        };
        self.work.insert(agent.clone(), (call, work));
    }

    fn offer_ends(&mut self, call: CallId, agent: &AgentId, end: OfferEnd, at: Moment) {
        if let Some(visit) = self.calls.get_mut(&call).and_then(|book| book.visits.last_mut()) {
            close_offers(&mut self.live, visit, |of| (of == agent).then_some(end), at);
        }
    }

    fn left(&mut self, call: CallId, outcome: Outcome, agent: Option<&AgentId>, at: Moment) {
        let Some(book) = self.calls.get_mut(&call) else { return };
        let held = !book.held.is_empty();
        // A call that is moved has its new visit already.
        let Some(visit) =
            book.visits.iter_mut().rev().find(|visit| !visit.left && visit.account.position > 0)
        else {
            return;
        };
        visit.left = true;
        visit.account.wait_ms = ms(at.time.since(visit.entered.time));
        let end = |of: &AgentId| match outcome {
            Outcome::Served if Some(of) == agent => OfferEnd::Answered,
            Outcome::Served => OfferEnd::Elsewhere,
            Outcome::Abandoned | Outcome::Key | Outcome::Flow | Outcome::PickedUp | Outcome::Ended => {
                OfferEnd::CallerGone
            }
            _ => OfferEnd::Withdrawn,
        };
        close_offers(&mut self.live, visit, |of| Some(end(of)), at);
        self.live.left(call, &visitor(visit), outcome.as_str());
        if let Some(agent) = agent.cloned() {
            let held = held.then_some(at.time);
            visit.talk = Some(Talk { agent, from: at.time, held, hold: Duration::ZERO, over: None });
        }
    }

    fn released(&mut self, call: CallId, agent: &AgentId, at: Moment) {
        let Some(book) = self.calls.get_mut(&call) else { return };
        let his = |visit: &&mut Visit| {
            visit.talk.as_ref().is_some_and(|talk| talk.agent == *agent && talk.over.is_none())
        };
        let Some(visit) = book.visits.iter_mut().rev().find(his) else { return };
        if let Some(talk) = &mut visit.talk {
            end_talk(talk, at.time);
        }
        if let Some(talk) = &visit.talk {
            self.live.handled(&visitor(visit), &talk.agent, told(talk));
        }
    }

    fn hold(&mut self, call: CallId, leg: LegId, held: bool, at: Moment) {
        let Some(book) = self.calls.get_mut(&call) else { return };
        match held {
            true => book.held.insert(leg),
            false => book.held.remove(&leg),
        };
        let held = !book.held.is_empty();
        for talk in book.visits.iter_mut().filter_map(|visit| visit.talk.as_mut()) {
            if talk.over.is_none() {
                match (held, talk.held) {
                    (true, None) => talk.held = Some(at.time),
                    (false, Some(_)) => stop_hold(talk, at.time),
                    _ => {}
                }
            }
        }
    }

    fn changed(
        &mut self,
        agent: &AgentId,
        status: AgentStatus,
        (why, reason): (&str, Option<&str>),
        call: Option<CallId>,
        at: Moment,
    ) -> [Option<AgentInterval>; 2] {
        let chats = self.agents.get(agent).map_or(0, |open| open.interval.chats);
        let over = self.cut(agent, at);
        if status == AgentStatus::SignedOut {
            self.work.remove(agent);
            return [over, None];
        }
        let work = self.work.get(agent).filter(|(of, _)| Some(*of) == call).map(|(_, work)| work.clone());
        let interval = AgentInterval {
            id: self.ids.interval(agent.tenant),
            agent: agent.clone(),
            status,
            why: why.to_owned(),
            reason: reason.map(str::to_owned),
            call,
            work,
            chats,
            from: at.wall,
            to: at.wall,
            end: IntervalEnd::Open,
        };
        self.agents.insert(agent.clone(), Open { interval: interval.clone(), since: at.time });
        [over, Some(interval)]
    }

    /// The stretch that goes on ends.
    fn cut(&mut self, agent: &AgentId, at: Moment) -> Option<AgentInterval> {
        let open = self.agents.remove(agent)?;
        let to = open.until(at.time);
        let over = open.interval.ended(to, IntervalEnd::Known);
        self.live.interval(&over);
        Some(over)
    }

    /// Another number of chats is another stretch.
    fn has_chats(&mut self, agent: &AgentId, chats: u8, at: Moment) -> [Option<AgentInterval>; 2] {
        let Some(over) = self.cut(agent, at) else { return [None, None] };
        let id = self.ids.interval(agent.tenant);
        let (from, to, end) = (at.wall, at.wall, IntervalEnd::Open);
        let interval = AgentInterval { id, chats, from, to, end, ..over.clone() };
        self.agents.insert(agent.clone(), Open { interval: interval.clone(), since: at.time });
        [Some(over), Some(interval)]
    }
}

impl Open {
    /// The date that it would end at: its length is by the clock that does not jump.
    fn until(&self, now: Time) -> Wall {
        // In the milliseconds that dates are cut to: the next one begins exactly then.
        let length = now.as_millis().saturating_sub(self.since.as_millis());
        Wall(self.interval.from.0.saturating_add(i64::try_from(length).unwrap_or(i64::MAX)))
    }
}

fn visitor(visit: &Visit) -> Visitor<'_> {
    Visitor { queue: &visit.queue, entered: visit.entered.wall, account: &visit.account }
}

/// How long they talked, without hold, and how long they were on hold.
fn told(talk: &Talk) -> (u64, u64) {
    let whole = talk.over.unwrap_or(talk.from).since(talk.from);
    (ms(whole.saturating_sub(talk.hold)), ms(talk.hold))
}

fn stop_hold(talk: &mut Talk, now: Time) {
    if let Some(since) = talk.held.take() {
        talk.hold += now.since(since);
    }
}

fn end_talk(talk: &mut Talk, now: Time) {
    stop_hold(talk, now);
    talk.over = Some(now);
}

/// Ends the offers that ring at those for whom `ended` says how; the others ring on.
fn close_offers(
    live: &mut Live,
    visit: &mut Visit,
    ended: impl Fn(&AgentId) -> Option<OfferEnd>,
    at: Moment,
) {
    for offer in core::mem::take(&mut visit.offers) {
        match ended(&offer.agent) {
            Some(end) => write_down(live, visit, offer, end, at),
            None => visit.offers.push(offer),
        }
    }
}

fn write_down(live: &mut Live, visit: &mut Visit, offer: OpenOffer, end: OfferEnd, at: Moment) {
    let record = OfferRecord {
        agent: offer.agent,
        at: offer.at.wall,
        rang: offer.rang,
        ms: ms(at.time.since(offer.at.time)),
        end,
    };
    if visit.account.offers.len() >= OFFERS_MAX {
        // Figures are made of records: what is not written down is in none.
        visit.account.offers_more += 1;
        return;
    }
    live.offer(&visitor(visit), &record);
    visit.account.offers.push(record);
}
