//! Drives the routing plugins of each new call.

use crate::shard::Shard;
use cordboard_call::CallInput;
use cordboard_model::cause::Cause;
use cordboard_model::config::{Snapshot, Tenant};
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{AgentId, CallId, TenantId, TrunkId, UserId};
use cordboard_model::leg::{Incoming, PartyId};
use cordboard_model::plan;
use cordboard_model::time::{Time, TimerReason};
use cordboard_model::view::{RouteReason, RouteView};
use cordboard_plugin_api::{
    AskAnswer, Order, Registry, RouteContext, RouteEnd, RouteOutcome, RouteRequest, RouteRun, RouteStep,
};
use cordboard_sip::engine::SipEngine;
use std::collections::BTreeMap;

/// Calls that are being routed, and the order of plugins of each tenant.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    orders: BTreeMap<TenantId, Order>,
    runs: BTreeMap<CallId, RouteRun>,
    late: Deadlines<CallId>,
    /// What is to be told before what the plugins say.
    before: BTreeMap<CallId, RouteReason>,
}

impl Routing {
    /// Resolves each tenant's list. The configuration was checked: an unknown name here means that the check and
    /// this binary disagree, and that tenant's calls are refused with no route.
    pub(crate) fn configure(&mut self, snapshot: &Snapshot, registry: &Registry) {
        let order = |tenant: &Tenant| registry.order(&tenant.routing).unwrap_or_default();
        self.orders = snapshot.tenants.iter().map(|(id, tenant)| (*id, order(tenant))).collect();
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.late.next()
    }

    pub(crate) fn forget(&mut self, call: CallId) {
        self.runs.remove(&call);
        self.late.clear(&call);
        self.before.remove(&call);
    }

    /// Something that was decided about a call before routing.
    pub(crate) fn note(&mut self, call: CallId, reason: Option<RouteReason>) {
        if let Some(reason) = reason {
            self.before.insert(call, reason);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.late.is_empty() && self.before.is_empty()
    }
}

/// What plugins may see of the shard.
struct Sight<'a> {
    tenant: &'a Tenant,
    sip: &'a SipEngine,
    agent_of: &'a BTreeMap<UserId, AgentId>,
}

impl RouteContext for Sight<'_> {
    fn tenant(&self) -> &Tenant {
        self.tenant
    }
    fn contacts(&self, user: &UserId) -> u32 {
        u32::try_from(self.sip.contact_count(user)).unwrap_or(u32::MAX)
    }
    fn agent_of(&self, user: &UserId) -> Option<AgentId> {
        self.agent_of.get(user).cloned()
    }
}

impl Shard {
    /// A call wants to know where to go.
    pub(crate) fn route(&mut self, call: CallId, mut incoming: Incoming) {
        // who wants a party sent elsewhere dials as he would for himself
        if let Some(found) = self.legs.get(incoming.leg).filter(|_| incoming.trunk.is_none()) {
            incoming.user = incoming.user.or_else(|| found.user.clone());
            incoming.trunk.clone_from(&found.trunk);
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
        let request = RouteRequest {
            tenant: call.tenant,
            from: incoming.from,
            to: incoming.to,
            trunk: incoming.trunk,
            user: incoming.user,
            at: self.wall.at(self.now),
            amended: Vec::new(),
        };
        let order = self.routing.orders.get(&call.tenant).cloned().unwrap_or_default();
        let run = RouteRun::new(order, request, self.now);
        self.routing.runs.insert(call, run);
        self.advance_route(call, |run, registry, sight, now| run.start(registry, sight, now));
    }

    /// Routing runs whose answer is late.
    pub(crate) fn routes_late(&mut self) {
        while let Some(call) = self.routing.late.pop_due(self.now) {
            self.in_hand = Some(call);
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
        let sight = Sight { tenant, sip: &self.sip, agent_of: &self.agent_of };
        let mut next = step(&mut run, &self.registry, &sight, self.now);
        while let Some(RouteStep::Ask { id, .. }) = next {
            // No plugin of this switch asks the world yet; the shell has no one to ask.
            let answer = AskAnswer::Failed { why: "this switch answers no outside questions yet".into() };
            next = run.handle_answer(id, answer, &self.registry, &sight, self.now);
        }
        match next {
            Some(RouteStep::Done(outcome)) => self.routed(call, *outcome),
            _ => {
                if let Some((at, reason)) = run.poll_timeout() {
                    self.routing.late.set(call, at, reason);
                    self.routing.runs.insert(call, run);
                }
            }
        }
    }

    fn routed(&mut self, call: CallId, mut outcome: RouteOutcome) {
        if let Some(before) = self.routing.before.remove(&call) {
            outcome.reasons.insert(0, before);
        }
        match outcome.end {
            RouteEnd::Decided { to } => {
                self.tell_call(call, CallInput::Routed { call, to, reasons: outcome.reasons });
            }
            RouteEnd::Refused { cause, .. } => self.refuse(call, cause, outcome.reasons),
        }
    }

    fn refuse(&mut self, call: CallId, cause: Cause, reasons: Vec<RouteReason>) {
        self.tell_call(call, CallInput::Refused { call, cause, reasons });
    }

    /// What would become of a call, without placing it. None if there is no such tenant or trunk.
    pub fn explain(
        &self,
        tenant: TenantId,
        trunk: Option<&TrunkId>,
        from: &str,
        to: &str,
    ) -> Option<RouteView> {
        let home = self.snapshot.tenant(tenant)?;
        let trunk = match trunk {
            Some(id) => Some(self.snapshot.trunk(id).filter(|trunk| trunk.id.tenant == tenant)?),
            None => None,
        };
        if let Some(other) = trunk.and_then(|trunk| plan::owner(home, trunk, to)) {
            let (from, to, reasons) = (from.to_owned(), to.to_owned(), Vec::new());
            return Some(RouteView { tenant: other, from, to, reasons, goes_to: None, refused: None });
        }
        let user = UserId::new(tenant, from).ok();
        let user = user.filter(|user| trunk.is_none() && home.users.contains_key(&user.name));
        let (from, to) = plan::inside(home, trunk, user.is_some(), from, to);
        let outcome = self.explain_route(RouteRequest {
            tenant,
            from: PartyId::new(&from),
            to: PartyId::new(&to),
            trunk: trunk.map(|trunk| trunk.id.clone()),
            user,
            at: self.wall.at(self.now),
            amended: Vec::new(),
        })?;
        let (goes_to, refused) = match outcome.end {
            RouteEnd::Decided { to } => (Some(to), None),
            RouteEnd::Refused { cause, .. } => (None, Some(cause)),
        };
        Some(RouteView { tenant, from, to, reasons: outcome.reasons, goes_to, refused })
    }

    /// What the plugins would say to a call, without placing it.
    pub fn explain_route(&self, request: RouteRequest) -> Option<RouteOutcome> {
        let tenant = self.snapshot.tenant(request.tenant)?;
        let order = self.routing.orders.get(&request.tenant).cloned().unwrap_or_default();
        let sight = Sight { tenant, sip: &self.sip, agent_of: &self.agent_of };
        let mut run = RouteRun::new(order, request, self.now);
        let mut next = run.start(&self.registry, &sight, self.now)?;
        loop {
            match next {
                RouteStep::Done(outcome) => return Some(*outcome),
                RouteStep::Ask { id, .. } => {
                    let answer =
                        AskAnswer::Failed { why: "nothing outside is asked while explaining".into() };
                    next = run.handle_answer(id, answer, &self.registry, &sight, self.now)?;
                }
            }
        }
    }
}
