//! Drives the routing plugins of each new call.
//!
//! Invariant: a run that ends leaves nothing behind: neither a question that is open, nor a flow that decides.

mod ask;
mod explain;
mod sight;
mod ways;

use crate::shard::Shard;
use cordboard_call::{CallInput, Marks};
use cordboard_model::cause::Cause;
use cordboard_model::config::{Snapshot, Tenant};
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{CallId, TenantId};
use cordboard_model::leg::Incoming;
use cordboard_model::plan;
use cordboard_model::time::{Time, TimerReason};
use cordboard_model::verb::Destination;
use cordboard_model::view::RouteReason;
use cordboard_plugin_api::{
    Order, Registry, RouteContext, RouteEnd, RouteOutcome, RouteRequest, RouteRun, RouteStep,
};
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use sight::Sight;
use std::collections::{BTreeMap, BTreeSet};
pub(crate) use ways::{URGENT_MAX, Ways};

/// Most numbers of one call of which it is kept by which trunks they leave: it may ring several parties at once.
const WAYS_MAX: usize = 16;

/// Two numbers of a tenant: who calls whom.
type Pair = (TenantId, String, String);

/// Calls that are being routed, and the order of plugins of each tenant.
#[derive(Debug)]
pub(crate) struct Routing {
    orders: BTreeMap<TenantId, Order>,
    runs: BTreeMap<CallId, RouteRun>,
    late: Deadlines<CallId>,
    /// What is to be told before what the plugins say.
    before: BTreeMap<CallId, RouteReason>,
    asking: ask::Asking,
    /// How calls leave that may go by several trunks, or are for help.
    ways: BTreeMap<CallId, Vec<Ways>>,
    /// Between which numbers calls were when they were routed first, and how many are.
    pairs: BTreeMap<CallId, Pair>,
    alike: BTreeMap<Pair, u32>,
    /// Emergency calls.
    urgent: BTreeSet<CallId>,
    rng: ChaCha12Rng,
}

impl Routing {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            orders: BTreeMap::new(),
            runs: BTreeMap::new(),
            late: Deadlines::default(),
            before: BTreeMap::new(),
            asking: ask::Asking::default(),
            ways: BTreeMap::new(),
            pairs: BTreeMap::new(),
            alike: BTreeMap::new(),
            urgent: BTreeSet::new(),
            rng: ChaCha12Rng::from_seed(seed),
        }
    }

    /// The call is between these numbers; the first time counts.
    fn begins(&mut self, call: CallId, from: &str, to: &str) {
        if !self.pairs.contains_key(&call) {
            let pair = (call.tenant, from.to_owned(), to.to_owned());
            *self.alike.entry(pair.clone()).or_insert(0) += 1;
            self.pairs.insert(call, pair);
        }
    }

    /// Resolves each tenant's list. The configuration was checked: an unknown name here means that the check and
    /// this binary disagree, and that tenant's calls are refused with no route.
    pub(crate) fn configure(&mut self, snapshot: &Snapshot, registry: &Registry) {
        let order = |tenant: &Tenant| registry.order(&tenant.routing).unwrap_or_default();
        self.orders = snapshot.tenants.iter().map(|(id, tenant)| (*id, order(tenant))).collect();
    }

    /// A number for choices by weight.
    pub(crate) fn draw(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// How a number leaves in a call; what was said of the same one before is over.
    pub(crate) fn keep(&mut self, call: CallId, ways: Ways) {
        let of_call = self.ways.entry(call).or_default();
        of_call.retain(|known| (&known.trunk, &known.number) != (&ways.trunk, &ways.number));
        if of_call.len() >= WAYS_MAX {
            of_call.remove(0);
        }
        of_call.push(ways);
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.late.next()
    }

    pub(crate) fn forget(&mut self, call: CallId) {
        self.runs.remove(&call);
        self.late.clear(&call);
        self.before.remove(&call);
        self.ways.remove(&call);
        self.urgent.remove(&call);
        if let Some(pair) = self.pairs.remove(&call)
            && let Some(count) = self.alike.get_mut(&pair)
        {
            *count -= 1;
            if *count == 0 {
                self.alike.remove(&pair);
            }
        }
    }

    /// Something that was decided about a call before routing.
    pub(crate) fn note(&mut self, call: CallId, reason: Option<RouteReason>) {
        if let Some(reason) = reason {
            self.before.insert(call, reason);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
            && self.late.is_empty()
            && self.before.is_empty()
            && self.asking.is_empty()
            && self.ways.is_empty()
            && self.pairs.is_empty()
            && self.alike.is_empty()
            && self.urgent.is_empty()
    }
}

impl Shard {
    /// A call wants to know where to go.
    pub(crate) fn route(&mut self, call: CallId, mut incoming: Incoming) {
        if self.routes_click(call) {
            return;
        }
        // who wants a party sent elsewhere dials as he would for himself
        let of_us = self.calls.asks_for_us(call, incoming.leg);
        if let Some(found) = self.legs.get(incoming.leg).filter(|_| incoming.trunk.is_none() && !of_us) {
            // an agent at a telephone outside is the agent, and no caller whom a trunk brought
            let agent = self.dials_as(found);
            let trunk = found.trunk.as_ref().filter(|_| agent.is_none());
            incoming.user = incoming.user.or_else(|| found.user.clone()).or(agent);
            incoming.trunk = trunk.cloned();
        }
        // who sends a call on writes the number as he would dial it
        if let (true, Some(tenant)) = (self.calls.was_routed(call), self.snapshot.tenant(call.tenant)) {
            let trunk = incoming.trunk.as_ref().and_then(|id| self.snapshot.trunk(id));
            let is_account = incoming.user.is_some();
            let (_, to) = plan::inside(tenant, trunk, is_account, &incoming.from.user, &incoming.to.user);
            incoming.to.user = to;
        }
        // a target that a flow, a transfer or the API names is dialled like any other
        if let Some(tenant) = self.snapshot.tenant(call.tenant) {
            let trunk = incoming.trunk.as_ref().and_then(|id| self.snapshot.trunk(id));
            incoming.to.user = cordboard_model::plan::called(tenant, trunk, &incoming.to.user);
        }
        self.routing.begins(call, &incoming.from.user, &incoming.to.user);
        let request = RouteRequest {
            trunk: incoming.trunk,
            user: incoming.user,
            at: self.wall.at(self.now),
            draw: self.routing.draw(),
            diversions: self.diversions(incoming.leg),
            ..RouteRequest::new(call.tenant, incoming.from, incoming.to)
        };
        self.stop_asking(call);
        let order = self.routing.orders.get(&call.tenant).cloned().unwrap_or_default();
        let run = RouteRun::new(order, request, self.now);
        self.routing.runs.insert(call, run);
        self.advance_route(call, |run, registry, sight, now| run.start(registry, sight, now));
    }

    /// Routing runs whose answer is late.
    pub(crate) fn routes_late(&mut self) {
        while let Some(call) = self.routing.late.pop_due(self.now) {
            self.in_hand = Some(call);
            self.stop_asking(call);
            self.advance_route(call, |run, registry, sight, now| run.handle_timeout(registry, sight, now));
        }
    }

    fn advance_route(
        &mut self,
        call: CallId,
        step: impl FnOnce(&mut RouteRun, &Registry, &dyn RouteContext, Time) -> Option<RouteStep>,
    ) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(mut run) = self.routing.runs.remove(&call) else {
            return;
        };
        let Some(tenant) = snapshot.tenant(call.tenant) else {
            return self.refuse(call, Cause::NoRoute, Vec::new());
        };
        let sight = Sight { shard: self, tenant, call: Some(call) };
        let next = step(&mut run, &self.registry, &sight, self.now);
        self.carry_on(call, run, next);
    }

    /// What a run wants next.
    fn carry_on(&mut self, call: CallId, run: RouteRun, next: Option<RouteStep>) {
        match next {
            Some(RouteStep::Done(outcome)) => {
                self.routing.late.clear(&call);
                self.stop_asking(call);
                self.routed(call, *outcome);
            }
            Some(RouteStep::Ask { id, what, .. }) => {
                self.wait_for_answer(call, run);
                self.ask_outside(call, id, what);
            }
            None => self.wait_for_answer(call, run),
        }
    }

    fn wait_for_answer(&mut self, call: CallId, run: RouteRun) {
        if let Some((at, reason)) = run.poll_timeout() {
            self.routing.late.set(call, at, reason);
            self.routing.runs.insert(call, run);
        }
    }

    fn routed(&mut self, call: CallId, mut outcome: RouteOutcome) {
        if let Some(before) = self.routing.before.remove(&call) {
            outcome.reasons.insert(0, before);
        }
        self.note_help(call, &outcome);
        match outcome.end {
            RouteEnd::Decided { to, others, urgent } => {
                let RouteRequest { priority, data, otherwise, .. } = outcome.request;
                let first = urgent.as_ref().is_some_and(|urgent| urgent.first);
                let marks = Marks { priority, data, otherwise, urgent: first };
                if marks != Marks::default() {
                    self.tell_call(call, CallInput::Marked { call, marks });
                }
                if let Destination::Trunk(trunk, number) = &to
                    && (urgent.is_some() || !others.is_empty())
                {
                    let ways = Ways { trunk: trunk.clone(), number: number.clone(), others, urgent };
                    self.routing.keep(call, ways);
                }
                self.tell_call(call, CallInput::Routed { call, to, reasons: outcome.reasons });
            }
            RouteEnd::Refused { cause, .. } => self.refuse(call, cause, outcome.reasons),
        }
    }

    fn refuse(&mut self, call: CallId, cause: Cause, reasons: Vec<RouteReason>) {
        self.tell_call(call, CallInput::Refused { call, cause, reasons });
    }
}
