//! Transfers: REFER and Replaces in the calls' words, and what a leg that goes to another call takes along.

use crate::shard::Shard;
use cordboard_acd::AcdInput;
use cordboard_call::{ListenAsked, ListenRefusal, RecordAsked, RecordRefusal, TransferRefusal};
use cordboard_model::desk::{DeskFault, Goal};
use cordboard_model::id::{AgentId, CallId, LegId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::LegEvent;
use cordboard_model::time::Time;
use cordboard_model::verb::Destination;
use cordboard_sip::engine::{IncomingCall, Refer, SessionId, SipCommand};

/// Why a party is not sent to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceRefusal {
    /// The call is none that a party can be sent from.
    Stays(TransferRefusal),
    /// The party cannot go there.
    Target(DeskFault),
}

impl Shard {
    /// A party wants the other one sent elsewhere. Only those whom we know may: an account, or a trunk that is trusted
    /// with it. The target is a number of the tenant's own plan, whatever host stands behind it: we never call where a
    /// stranger's Refer-To points.
    pub(crate) fn on_refer(&mut self, leg: LegId, session: SessionId, refer: Refer) {
        let ticket = refer.ticket;
        let replaces = match &refer.replaces {
            None => Ok(None),
            Some(replaces) => {
                let found = self.sip.replaced(replaces).and_then(|other| self.legs.by_session(other));
                found.filter(|other| other.tenant == leg.tenant).map(Some).ok_or(481_u16)
            }
        };
        let allowed = self.may_refer(leg) && self.sip.is_home(&refer.host, leg.tenant);
        let refused = match (allowed, replaces) {
            (true, Ok(replaces)) => {
                let to = refer.to.user;
                return self.leg_event(leg, LegEvent::TransferAsked { ticket, to, replaces });
            }
            (false, _) => 403,
            (true, Err(status)) => status,
        };
        let refusal = SipCommand::ReferResult { session, ticket, status: refused };
        self.sip.handle_command(refusal, self.now);
    }

    /// A device refuses the call and says where it shall go instead. Followed for an account, within the tenant's numbers;
    /// else it is the refusal that it is.
    pub(crate) fn on_redirect(&mut self, call: CallId, leg: LegId, to: String, host: &str) {
        let account = self.legs.get(leg).and_then(|found| found.user.clone());
        let Some(account) = account.filter(|_| self.snapshot.limits.redirects) else {
            return;
        };
        if !self.sip.is_home(host, leg.tenant) {
            return;
        }
        // where it goes outside again, the next carrier is told who sent it on
        let others = self.legs.of(call).to_vec();
        let came =
            others.into_iter().find(|other| self.legs.get(*other).is_some_and(|found| found.came.is_some()));
        if let Some(came) = came.and_then(|other| self.legs.get_mut(other)?.came.as_deref_mut()) {
            came.diverted_by(account.name.as_str());
        }
        self.leg_event(leg, LegEvent::Redirected { to });
    }

    fn may_refer(&self, leg: LegId) -> bool {
        let Some(found) = self.legs.get(leg) else {
            return false;
        };
        let trusted = |id| self.snapshot.trunk(id).is_some_and(|trunk| trunk.transfers);
        found.user.is_some() || found.trunk.as_ref().is_some_and(trusted)
    }

    /// The leg whose place an INVITE takes: of the same tenant, and for an account that has proved itself. Else the call
    /// is refused.
    pub(crate) fn place_of(&self, call: &IncomingCall) -> Result<Option<LegId>, ()> {
        let Some(session) = call.replaces else {
            return Ok(None);
        };
        let leg = self.legs.by_session(session).filter(|leg| leg.tenant == call.tenant);
        leg.filter(|_| call.user.is_some()).map(Some).ok_or(())
    }

    /// A leg goes from one call to another, and what is kept by call goes with it.
    pub(crate) fn on_moved(&mut self, leg: LegId, to: CallId) {
        let Some(found) = self.legs.move_to(leg, to) else {
            return;
        };
        if let Some(trunk) = &found.trunk {
            self.trunks.carries(trunk, to);
        }
        let agents = found.user.as_ref().map(|user| self.agents_at_account(user)).unwrap_or_default();
        for agent in agents.into_iter().chain(found.telephone_of.iter().cloned()) {
            self.busy_outside(to, agent);
        }
        // the journal's call of its dialog closes: after a restart the other's is the one that ends it
        if found.journalled
            && let Some(dialog) = found.session.and_then(|session| self.sip.dialog_record(session))
        {
            let agent = found.agent.clone();
            self.journal(None, JournalRecord::DialogUp { call: to, leg, dialog, agent });
        }
    }

    /// A leg has ended and its call may go on: what was counted for it is not any more.
    pub(crate) fn on_left(&mut self, call: CallId, leg: LegId) {
        let Some(found) = self.legs.get(leg).cloned() else {
            return;
        };
        let others: Vec<_> = self.legs.of(call).iter().filter(|other| **other != leg).collect();
        let there: Vec<_> = others.into_iter().filter_map(|other| self.legs.get(*other)).collect();
        let there = || there.iter().filter(|other| other.session.is_some());
        let user = found.user.filter(|user| !there().any(|other| other.user.as_ref() == Some(user)));
        let trunk = found.trunk.filter(|trunk| !there().any(|other| other.trunk.as_ref() == Some(trunk)));
        let telephones = |agent: &AgentId| !there().any(|other| other.telephone_of.contains(agent));
        let telephones: Vec<_> = found.telephone_of.into_iter().filter(telephones).collect();
        // who has signed in or out since counts as he did when it began
        let is_at = |agent: &AgentId, user: &UserId| {
            self.agent_of.get(user) == Some(agent) || self.is_rung_at(agent, user)
        };
        let busy = self.outside.agents(call);
        let agents: Vec<_> = user.iter().flat_map(|user| busy.iter().filter(|id| is_at(id, user))).collect();
        let agents: Vec<AgentId> = agents.into_iter().cloned().collect();
        for agent in agents.into_iter().chain(telephones) {
            self.free_outside(call, agent);
        }
        if let Some(trunk) = trunk {
            self.trunks.carries_no_more(&trunk, call);
        }
    }

    pub(crate) fn free_outside(&mut self, call: CallId, agent: AgentId) {
        if let Some(still) = self.outside.leave(call, &agent) {
            self.acd.handle_input(AcdInput::AgentBusyOutside { agent, call: still }, self.now);
        }
    }

    /// Begins a transfer of the party that talks to `by`, the called party if none is named. With `consult` the target
    /// is spoken to first.
    ///
    /// # Errors
    /// If the call is not two parties who talk, or another transfer is under way.
    pub fn transfer(
        &mut self,
        call: CallId,
        by: Option<LegId>,
        to: &str,
        consult: bool,
        now: Time,
    ) -> Result<(), TransferRefusal> {
        self.ordered(call, now, |shard| shard.calls.transfer(call, by, to, consult, shard.now))
    }

    /// The same to a place of the tenant's. A flow is not consulted.
    ///
    /// # Errors
    /// If there is no such place, or as [`Shard::transfer`].
    pub fn transfer_to(
        &mut self,
        call: CallId,
        by: Option<LegId>,
        to: Goal,
        consult: bool,
        now: Time,
    ) -> Result<(), PlaceRefusal> {
        self.goal_is_there(&to).map_err(PlaceRefusal::Target)?;
        if consult && matches!(&to, Goal::Place(Destination::Flow(_))) {
            return Err(PlaceRefusal::Target(DeskFault::NotAPerson));
        }
        self.ordered(call, now, |shard| {
            shard.calls.transfer_to(call, by, to, consult, shard.now).map_err(PlaceRefusal::Stays)
        })
    }

    /// Sends the party that talks to `by` to whom the same party reached in `other`, as a phone's REFER with Replaces.
    ///
    /// # Errors
    /// If `call` is not two parties who talk, or `other` has nobody to give.
    pub fn transfer_to_call(
        &mut self,
        call: CallId,
        by: Option<LegId>,
        other: CallId,
        now: Time,
    ) -> Result<(), TransferRefusal> {
        self.ordered(call, now, |shard| shard.calls.transfer_to_call(call, by, other, shard.now))
    }

    /// Sends the party to the target of a consultation.
    ///
    /// # Errors
    /// If there is none.
    pub fn complete_transfer(&mut self, call: CallId, now: Time) -> Result<(), TransferRefusal> {
        self.ordered(call, now, |shard| shard.calls.complete_transfer(call, shard.now))
    }

    /// Takes a transfer back.
    ///
    /// # Errors
    /// If there is none, or who began it has left.
    pub fn cancel_transfer(&mut self, call: CallId, now: Time) -> Result<(), TransferRefusal> {
        self.ordered(call, now, |shard| shard.calls.cancel_transfer(call, shard.now))
    }

    /// Begins, ends, pauses or resumes the recording of a call.
    ///
    /// # Errors
    /// If there is nobody to record, or nothing that is recorded.
    pub fn record(&mut self, call: CallId, asked: RecordAsked, now: Time) -> Result<(), RecordRefusal> {
        self.ordered(call, now, |shard| shard.calls.record(call, asked, shard.now))
    }

    /// Has a program listen to a call (`Some`), or no longer.
    ///
    /// # Errors
    /// If nobody is there to be heard, a program listens already, or none does.
    pub fn listen(
        &mut self,
        call: CallId,
        asked: Option<ListenAsked>,
        now: Time,
    ) -> Result<(), ListenRefusal> {
        self.ordered(call, now, |shard| shard.calls.listen(call, asked, shard.now))
    }

    fn ordered<E>(
        &mut self,
        call: CallId,
        now: Time,
        act: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.now = now.max(self.now);
        self.in_hand = Some(call);
        let answer = act(self);
        self.settle();
        answer
    }
}
