//! Calls that programs begin: two parties, one after the other.
//!
//! Invariant: a call is refused before anything has changed; one token begins one call.

use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_call::{FirstParty, Origin};
use cordboard_model::desk::{DeskFault, Goal};
use cordboard_model::id::{AgentId, CallId, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::PartyId;
use cordboard_model::originate::{ASKED_BY, FirstGoal, NewCall, TOKEN_KEPT_MS, TOKENS_MAX};
use cordboard_model::plan;
use cordboard_model::time::{Time, Wall};
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;
use cordboard_plugin_api::{RouteEnd, RouteRequest};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// Tokens that were used, with the calls that they began.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    calls: BTreeMap<(TenantId, String), CallId>,
    order: BTreeMap<TenantId, VecDeque<String>>,
}

impl Tokens {
    fn get(&self, tenant: TenantId, token: &str) -> Option<CallId> {
        self.calls.get(&(tenant, token.to_owned())).copied()
    }

    pub(crate) fn put(&mut self, tenant: TenantId, token: String, call: CallId) {
        let order = self.order.entry(tenant).or_default();
        if order.len() >= TOKENS_MAX
            && let Some(oldest) = order.pop_front()
        {
            self.calls.remove(&(tenant, oldest));
        }
        order.push_back(token.clone());
        self.calls.insert((tenant, token), call);
    }
}

impl Shard {
    /// Begins a call between two parties. Gives it, or the one that the same token began before.
    ///
    /// # Errors
    /// If a party is not there or cannot be called, a number may not be dialled or shown, or the switch takes no calls;
    /// nothing has changed then.
    pub fn new_call(&mut self, tenant: TenantId, new: NewCall, now: Time) -> Result<CallId, DeskFault> {
        self.now = now.max(self.now);
        self.in_hand = None;
        if let Some(call) = new.token.as_ref().and_then(|token| self.tokens.get(tenant, token)) {
            return Ok(call);
        }
        let begun = self.begin_new(tenant, new);
        self.settle();
        begun
    }

    fn begin_new(&mut self, tenant: TenantId, new: NewCall) -> Result<CallId, DeskFault> {
        let full = self.calls.len() >= self.snapshot.limits.calls as usize;
        if self.stop != Stop::No || self.unrecordable || full {
            return Err(DeskFault::NoCalls);
        }
        let NewCall { first, then, account, shown, rings, mut data, token, by } = new;
        self.goal_is_there(&then)?;
        let account = account.or_else(|| self.account_first(&first)).or_else(|| self.account_at(&then));
        if account.as_ref().is_some_and(|user| !self.has_account(user)) {
            return Err(DeskFault::NoSuchTarget);
        }
        let then = match then {
            Goal::Number(number) => Goal::Number(self.may_dial(tenant, account.as_ref(), &number)?),
            place => place,
        };
        let (first, caller) = self.first_party(tenant, first, account)?;
        let shown_number = shown.map(|number| self.house_number(tenant, &number)).transpose()?;
        data.insert(ASKED_BY.to_owned(), Value::from(by.to_string()));
        let (call, leg) = (self.calls.new_call(tenant), self.calls.new_leg(tenant));
        if let Some(number) = shown_number {
            self.trunks.numbers.show(call, number);
        }
        let shown = PartyId::new(&then.to_string());
        self.begin_call(Origin { call, leg, first, caller, to: then, shown, data, rings, recall: None });
        if let Some(token) = token {
            let ends = Wall(self.wall.at(self.now).0.saturating_add(TOKEN_KEPT_MS));
            self.journal(None, JournalRecord::CallAsked { call, token: token.clone(), ends });
            self.tokens.put(tenant, token, call);
        }
        Ok(call)
    }

    /// The account of who is called first, if he has one.
    fn account_first(&self, first: &FirstGoal) -> Option<UserId> {
        match first {
            FirstGoal::Agent(agent) => self.snapshot.agent(agent).map(|agent| agent.user.clone()),
            FirstGoal::User(user) => Some(user.clone()),
            FirstGoal::Number(_) => None,
        }
    }

    fn account_at(&self, then: &Goal) -> Option<UserId> {
        match then {
            Goal::Place(Destination::Agent(agent)) => {
                self.snapshot.agent(agent).map(|agent| agent.user.clone())
            }
            Goal::Place(Destination::User(user)) => Some(user.clone()),
            _ => None,
        }
    }

    pub(crate) fn goal_is_there(&self, goal: &Goal) -> Result<(), DeskFault> {
        let there = match goal {
            Goal::Number(_) => true,
            Goal::Place(Destination::Agent(id)) => self.snapshot.agent(id).is_some(),
            Goal::Place(Destination::User(id)) => self.has_account(id),
            Goal::Place(Destination::Queue(id)) => self.snapshot.queue(id).is_some(),
            Goal::Place(Destination::Flow(id)) => self.snapshot.flow(id).is_some(),
            Goal::Place(Destination::Trunk(..)) => false,
        };
        there.then_some(()).ok_or(DeskFault::NoSuchTarget)
    }

    fn first_party(
        &mut self,
        tenant: TenantId,
        first: FirstGoal,
        account: Option<UserId>,
    ) -> Result<(FirstParty, PartyId), DeskFault> {
        match first {
            FirstGoal::Agent(agent) => {
                let known = self.snapshot.agent(&agent).ok_or(DeskFault::NoSuchTarget)?;
                let (user, display) = (known.user.clone(), known.display.clone());
                self.is_free(&agent)?;
                if !self.can_ring(&agent) {
                    return Err(DeskFault::NoDevice);
                }
                let caller = PartyId { user: user.name.to_string(), display };
                Ok((FirstParty::Agent(agent, user), caller))
            }
            FirstGoal::User(user) => {
                let known = self.snapshot.user(&user).ok_or(DeskFault::NoSuchTarget)?;
                let caller = PartyId { user: user.name.to_string(), display: known.display.clone() };
                self.has_phone(&user)?;
                Ok((FirstParty::User(user), caller))
            }
            FirstGoal::Number(number) => {
                let number = self.may_dial(tenant, account.as_ref(), &number)?;
                let caller = PartyId::new(&number);
                Ok((FirstParty::Number(number, account), caller))
            }
        }
    }

    fn is_free(&self, agent: &AgentId) -> Result<(), DeskFault> {
        use AgentStatus::{Hold, Ringing, SignedOut, Talking};
        match self.acd.agent(agent).map(|view| view.status) {
            None | Some(SignedOut) => Err(DeskFault::NotSignedIn),
            Some(Ringing | Talking | Hold) => Err(DeskFault::InCall),
            Some(_) => Ok(()),
        }
    }

    fn has_phone(&self, user: &UserId) -> Result<(), DeskFault> {
        if self.sip.contact_count(user) == 0 { Err(DeskFault::NoDevice) } else { Ok(()) }
    }

    /// The number as the tenant works with it, if the rules let this account, or the house, call it. A call for help is
    /// nobody's to begin but his who needs it.
    pub(crate) fn may_dial(
        &self,
        tenant: TenantId,
        account: Option<&UserId>,
        number: &str,
    ) -> Result<String, DeskFault> {
        let home = self.snapshot.tenant(tenant).ok_or(DeskFault::NoSuchTarget)?;
        let from = account.map(|user| user.name.to_string()).unwrap_or_default();
        let (_, to) = plan::inside(home, None, account.is_some(), &from, number);
        let request = RouteRequest {
            user: account.cloned(),
            at: self.wall.at(self.now),
            ..RouteRequest::new(tenant, PartyId::new(&from), PartyId::new(&to))
        };
        match self.explain_route(request).map(|outcome| outcome.end) {
            Some(RouteEnd::Decided { urgent: None, .. }) => Ok(to),
            _ => Err(DeskFault::NotDialable),
        }
    }

    /// A number of the house: of one of its pools, or an agent's own.
    fn house_number(&self, tenant: TenantId, number: &str) -> Result<String, DeskFault> {
        let home = self.snapshot.tenant(tenant).ok_or(DeskFault::NoSuchTarget)?;
        let number = plan::read(home.plan.as_ref(), number);
        let pooled = home.pools.values().flat_map(|pool| &pool.numbers);
        let own = home.desk.agents.values().filter_map(|desk| desk.caller_number.as_ref());
        let known = pooled.chain(own).any(|known| *known == number);
        known.then_some(number).ok_or(DeskFault::NumberNotAllowed)
    }
}
