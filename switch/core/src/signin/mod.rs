//! How agents sign in: by a page with a password, or by the keys of a telephone.
//!
//! Invariant: what is decided is decided in [`accounts`] and [`rules`], in virtual time; here it is joined to the queues, to
//! calls and to flows. No password leaves this module but as work for who makes hashes.

mod accounts;
mod rules;
#[cfg(test)]
mod tests;
mod tries;

pub use accounts::{Ask, At, NewSession, SignIns, Softphone, Terms, Told};
pub use rules::judge;

use crate::io::ShardOutput;
use crate::shard::Shard;
use cordboard_acd::{AcdCommand, Clock};
use cordboard_flow::FlowInput;
use cordboard_model::config::Snapshot;
use cordboard_model::desk::DeskFault;
use cordboard_model::device::{AgentDevice, DeviceChoice};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::{AgentOrder, Role};
use cordboard_model::signin::{
    HashWork, Hashed, PhoneAct, PhoneEnd, PhoneSecret, SessionEnd, SessionView, SignInFault, SignInLock,
    SignInRecord, SignInRules, TokenHash,
};
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::VerbAnswer;
use cordboard_model::view::AgentStatus;
use cordboard_sip::engine::{Directory, SipCommand};
use std::collections::BTreeMap;

/// Whose session a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// His.
    pub agent: AgentId,
    /// He may order others about.
    pub supervisor: bool,
}

/// A step of a flow that waits for a password to be looked at.
#[derive(Debug)]
struct Waits {
    call: CallId,
    ticket: u64,
    ask: Ask,
    /// The flow still waits.
    wanted: bool,
}

/// What calls have to do with sign-ins.
#[derive(Debug, Default)]
pub(crate) struct PhoneDesks {
    next: u64,
    waiting: BTreeMap<u64, Waits>,
    /// Who has signed in on a call, with the number of his session.
    signed: BTreeMap<CallId, (AgentId, u64)>,
}

impl PhoneDesks {
    /// The flow of the call waits no longer. A password that is being looked at counts all the same.
    pub(crate) fn leave(&mut self, call: CallId) {
        for waits in self.waiting.values_mut().filter(|waits| waits.call == call) {
            waits.wanted = false;
        }
    }

    /// Who has signed in on a call.
    pub(crate) fn agent_on(&self, call: CallId) -> Option<&AgentId> {
        self.signed.get(&call).map(|(agent, _)| agent)
    }

    /// Whether no flow waits for a password to be looked at, and no call has signed anybody in.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.signed.is_empty()
    }

    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallId) {
        self.leave(call);
        self.signed.remove(&call);
    }
}

fn idle(snapshot: &Snapshot, agent: &AgentId) -> Duration {
    snapshot.tenant(agent.tenant).map_or_else(|| SignInRules::default().idle, |t| t.sign_in.rules.idle)
}

impl Shard {
    fn both(&self) -> At {
        At { time: self.now, wall: self.wall.at(self.now) }
    }

    /// Whether somebody may sign in, or set a password: what has to be done with passwords before
    /// [`Shard::finish_sign_in`].
    ///
    /// # Errors
    /// Why not.
    pub fn begin_sign_in(&mut self, ask: &mut Ask, now: Time) -> Result<HashWork, SignInFault> {
        self.now = now.max(self.now);
        let terms = Terms::of(&self.snapshot, &ask.agent);
        let at = self.both();
        self.sign_ins.begin(&terms, ask, at)
    }

    /// Signs him in, or sets his password, if it was right. He is not ready until he says so, unless he was.
    ///
    /// # Errors
    /// Why not.
    pub fn finish_sign_in(&mut self, ask: Ask, hashed: Hashed, now: Time) -> Result<(), SignInFault> {
        self.now = now.max(self.now);
        self.in_hand = None;
        let done = self.sign_in(ask, hashed, None);
        self.settle();
        done.map(|_| ())
    }

    fn sign_in(
        &mut self,
        mut ask: Ask,
        hashed: Hashed,
        call: Option<CallId>,
    ) -> Result<Option<u64>, SignInFault> {
        let terms = Terms::of(&self.snapshot, &ask.agent);
        let (agent, at) = (ask.agent.clone(), self.both());
        let takes = ask.session.as_ref().is_some_and(|wanted| wanted.take_over);
        let there = ask.session.as_ref().and_then(|_| self.at_his_telephone(&agent, call));
        let refused = there.clone().filter(|other| !takes || self.has_call(other));
        if refused.is_some() {
            // the password is looked at all the same: who does not know it is not told who sits where
            (ask.session, ask.new) = (None, None);
        }
        let reset = (ask.new.is_some() && ask.password.is_none()).then(|| ask.by.clone());
        let had_session = self.sign_ins.session(&agent).is_some();
        let done = self.sign_ins.finish(&terms, ask, hashed, at);
        if let (Ok(_), Some(other)) = (&done, refused) {
            self.tell_sign_ins(&agent);
            return Err(SignInFault::DeviceTaken(other.name));
        }
        if let (Ok(Some(_)), Some(other)) = (&done, there) {
            let by = Some(format!("agent {}, who is at his telephone", agent.name));
            let command = AcdCommand::Order { agent: other, what: AgentOrder::SignOut, by };
            // He is signed in, and has no call.
            let _ = self.acd.handle_command(command, self.now);
        }
        self.tell_sign_ins(&agent);
        if let Some(by) = reset.filter(|_| done.is_ok()) {
            self.undo_sessions(&agent, by, had_session);
        }
        if let Ok(Some(_)) = done {
            let command = AcdCommand::Order { agent, what: AgentOrder::SignIn, by: None };
            // He is configured, or there would be no session.
            let _ = self.acd.handle_command(command, self.now);
        }
        done
    }

    /// The other agent who is signed in at the telephone at which this one will be: where he calls from, if he signs in by keys.
    fn at_his_telephone(&self, agent: &AgentId, call: Option<CallId>) -> Option<AgentId> {
        let config = self.snapshot.agent(agent)?;
        let usual = || config.duty.phone.usual(&config.user);
        let by_keys = self.sign_ins.session(agent).is_some_and(|(_, session)| session.phone);
        let device = match call {
            Some(call) => match self.called_from(call) {
                Some(user) => AgentDevice::Account(user),
                None => config.duty.phone.number.clone().map(AgentDevice::Number).unwrap_or_else(usual),
            },
            // he leaves the telephone at which he is now
            None if by_keys => usual(),
            None => self.acd.device(agent)?,
        };
        self.acd.holder(agent, &device).cloned()
    }

    fn has_call(&self, agent: &AgentId) -> bool {
        self.acd.agent(agent).is_some_and(|view| view.call.is_some())
    }

    /// The account from which a call came.
    fn called_from(&self, call: CallId) -> Option<UserId> {
        let caller = self.legs.of(call).first().and_then(|leg| self.legs.get(*leg))?;
        caller.user.clone()
    }

    /// Wrong passwords of an agent count no longer, and he may sign in at once. False if none counted.
    pub fn unlock_sign_in(&mut self, agent: &AgentId, by: String, now: Time) -> bool {
        self.now = now.max(self.now);
        self.in_hand = None;
        let at = self.both();
        let counted = self.sign_ins.unlock(agent, by, at);
        self.tell_sign_ins(agent);
        self.settle();
        counted
    }

    /// Why no password is looked at for an agent now, in words.
    pub(crate) fn explain_locks(&self, agent: &AgentId) -> String {
        let says = |lock: SignInLock| {
            let until = Clock(lock.until);
            let from =
                lock.from.map_or_else(|| "wherever it comes from".to_owned(), |from| format!("from {from}"));
            format!(" After too many that were wrong his password is not looked at until {until}, {from}.")
        };
        self.sign_ins.locks(agent, self.wall.at(self.now)).into_iter().map(says).collect()
    }

    /// Somebody else has set an agent's password, perhaps because it had become known: what was done in his name ends with it.
    /// He is rung where the configuration says, and one who had a session has left.
    fn undo_sessions(&mut self, agent: &AgentId, by: String, had_session: bool) {
        if had_session {
            let command = AcdCommand::Order { agent: agent.clone(), what: AgentOrder::SignOut, by: Some(by) };
            // He is configured, or there would be no password to set.
            let _ = self.acd.handle_command(command, self.now);
            self.note_wish(agent);
        }
        self.leave_phone(agent);
    }

    /// Agents may be gone by this configuration, and others may have come whose numbers were somebody's before.
    pub(crate) fn note_who_is_gone(&mut self, old: &Snapshot) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let before = old.tenants.values().flat_map(|tenant| tenant.agents.values());
        for agent in before.map(|agent| &agent.id).filter(|id| snapshot.agent(id).is_none()) {
            // his number may become another one's
            self.journal(None, JournalRecord::AgentDevice { agent: agent.clone(), device: None });
        }
        self.mind_accounts();
    }

    fn mind_accounts(&mut self) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let at = self.both();
        let agents = self.sign_ins.configured(|agent| snapshot.agent(agent).is_some(), at);
        if !agents.is_empty() {
            // one of them may be somebody else than before
            let directory = self.directory(&snapshot);
            self.sip.handle_command(SipCommand::Configure(Box::new(directory)), self.now);
        }
        for agent in agents {
            self.tell_sign_ins(&agent);
        }
    }

    /// Who may register and call, with what softphones prove themselves by that have their agents' passwords.
    pub(crate) fn directory(&self, snapshot: &Snapshot) -> Directory {
        let mut directory = Directory::new(snapshot);
        for agent in snapshot.tenants.values().flat_map(|tenant| tenant.agents.values()) {
            if let Some(secret) = self.softphone(snapshot, &agent.id) {
                directory.set_secret(&agent.user, secret);
            }
        }
        directory
    }

    fn softphone(&self, snapshot: &Snapshot, agent: &AgentId) -> Option<PhoneSecret> {
        let own = snapshot.tenant(agent.tenant)?.sign_in.agents.get(&agent.name)?;
        self.sign_ins.softphone(agent).filter(|_| own.unified).cloned()
    }

    /// What an agent's softphone proves itself by may have changed with his password.
    fn tell_softphone(&mut self, agent: &AgentId) {
        let Some(user) = self.snapshot.agent(agent).map(|agent| agent.user.clone()) else { return };
        if let Some(secret) = self.softphone(&self.snapshot, agent) {
            self.sip.handle_command(SipCommand::Secret { user, secret }, self.now);
        }
    }

    fn tell_sign_ins(&mut self, agent: &AgentId) {
        self.tell_softphone(agent);
        for told in self.sign_ins.take_told() {
            match told {
                Told::Journal(record) => self.journal(None, record),
                Told::Event(EventKind::SessionBegan { agent, place, address, phone, .. }) => {
                    // who takes over sees where the other one had had himself rung
                    let device = self.acd.device(&agent).filter(|_| !phone);
                    let began =
                        EventKind::SessionBegan { agent: agent.clone(), place, address, phone, device };
                    self.event(agent.tenant, began);
                }
                Told::Event(what) => self.event(agent.tenant, what),
                // One who is not configured any more has no device to choose.
                Told::LeftPhone => self.leave_phone(agent),
            }
        }
    }

    /// He is at his usual device again, or, where another is there meanwhile, nowhere.
    fn leave_phone(&mut self, agent: &AgentId) {
        if self.choose_device(agent, DeviceChoice::Usual) == Err(DeskFault::DeviceTaken) {
            let by = Some("a telephone that is taken".to_owned());
            let command = AcdCommand::Order { agent: agent.clone(), what: AgentOrder::SignOut, by };
            let _ = self.acd.handle_command(command, self.now);
            let _ = self.choose_device(agent, DeviceChoice::Usual);
        }
    }

    /// Whose session a token opens: it is used with that.
    pub fn signed(&mut self, token: &TokenHash, now: Time) -> Option<Signed> {
        self.now = now.max(self.now);
        let agent = self.sign_ins.used(token, self.now)?;
        let supervisor = self.snapshot.agent(&agent)?.duty.role == Role::Supervisor;
        Some(Signed { agent, supervisor })
    }

    /// Where an agent is signed in with his password.
    pub fn session_of(&self, agent: &AgentId) -> Option<SessionView> {
        self.sign_ins.session(agent).map(|(_, session)| SessionView::from(session))
    }

    /// An agent is something else. Who has left has no session.
    pub(crate) fn note_sign_out(&mut self, agent: &AgentId, status: AgentStatus) {
        if status == AgentStatus::SignedOut && self.sign_ins.end(agent, SessionEnd::SignedOut) {
            self.tell_sign_ins(agent);
        }
    }

    /// Sessions that were not used are over, and their agents have left.
    pub(crate) fn sign_ins_due(&mut self) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        for agent in self.sign_ins.handle_timeout(|agent| idle(&snapshot, agent), self.now) {
            self.tell_sign_ins(&agent);
            let by = Some("an idle session".to_owned());
            let command = AcdCommand::Order { agent, what: AgentOrder::SignOut, by };
            // One who is not configured any more has left already.
            let _ = self.acd.handle_command(command, self.now);
        }
    }

    pub(crate) fn restore_sign_ins(&mut self, records: Vec<SignInRecord>) {
        for record in records {
            let agent = record.agent.clone();
            let idle = idle(&self.snapshot, &agent);
            self.sign_ins.restore(record, idle, self.now);
            self.tell_softphone(&agent);
            let status = self.acd.agent(&agent).map_or(AgentStatus::SignedOut, |view| view.status);
            self.note_sign_out(&agent, status);
        }
        self.mind_accounts();
    }

    /// What an agent on a telephone does by keys, for the flow that asks for it.
    pub(crate) fn phone_step(&mut self, call: CallId, ticket: u64, act: PhoneAct) {
        let done = match act {
            PhoneAct::SignIn { .. } => self.phone_sign_in(call, ticket, act),
            PhoneAct::Want(what) => self.phone_want(call, what).map(|()| true),
        };
        match done {
            Ok(true) => self.tell_phone(call, ticket, Ok(())),
            Ok(false) => {}
            Err(fault) => self.tell_phone(call, ticket, Err(fault)),
        }
    }

    fn tell_phone(&mut self, call: CallId, ticket: u64, done: Result<(), SignInFault>) {
        let end = match done {
            Ok(()) => PhoneEnd::Ok,
            Err(fault) => PhoneEnd::Fault(fault.for_flow().to_owned()),
        };
        let answer = VerbAnswer::Phone(end);
        self.flows.handle_input(FlowInput::Answer { call, ticket, answer }, self.now);
    }

    /// Whether it is done already.
    fn phone_sign_in(&mut self, call: CallId, ticket: u64, act: PhoneAct) -> Result<bool, SignInFault> {
        let PhoneAct::SignIn { agent, password, new, take_over } = act else { return Ok(true) };
        let agent = AgentId::new(call.tenant, &agent).map_err(|_| SignInFault::Wrong)?;
        let place = self.calls.view(call).map(|view| view.from.user).unwrap_or_default();
        let (from, by) = (place.clone(), format!("agent {}", agent.name));
        let session = NewSession { token: None, place, address: String::new(), phone: true, take_over };
        let (password, session) = (Some(password), Some(session));
        let mut ask = Ask { agent, password, new, session, from, by, version: 0 };
        let now = self.now;
        let work = self.begin_sign_in(&mut ask, now)?;
        self.phone_desks.next += 1;
        let number = self.phone_desks.next;
        self.phone_desks.waiting.insert(number, Waits { call, ticket, ask, wanted: true });
        self.out.push_back(ShardOutput::Hash { ticket: number, tenant: call.tenant, work: Box::new(work) });
        Ok(false)
    }

    /// A password was looked at for a flow.
    pub(crate) fn on_hashed(&mut self, number: u64, hashed: Hashed) {
        let Some(Waits { call, ticket, mut ask, wanted }) = self.phone_desks.waiting.remove(&number) else {
            return;
        };
        self.in_hand = Some(call);
        if !wanted {
            // who has hung up meanwhile signs in nowhere, and his try counts
            (ask.session, ask.new) = (None, None);
        }
        let agent = ask.agent.clone();
        let done = self.sign_in(ask, hashed, Some(call));
        if let Ok(Some(session)) = done {
            self.take_phone(call, &agent);
            self.phone_desks.signed.insert(call, (agent, session));
        }
        if wanted {
            self.tell_phone(call, ticket, done.map(|_| ()));
        }
    }

    /// What he calls from is rung for him while he is signed in: the account, or, from outside, the telephone that is configured
    /// for him. Until he hangs up he is busy there.
    fn take_phone(&mut self, call: CallId, agent: &AgentId) {
        let choice = match self.called_from(call) {
            Some(user) => DeviceChoice::Other(AgentDevice::Account(user)),
            None => DeviceChoice::Phone,
        };
        // Where there is none, or it may not be dialled, his usual device stays.
        let _ = self.choose_device(agent, choice);
        self.busy_outside(call, agent.clone());
    }

    /// He who has signed in on the call, if that session goes on, is to be something else.
    fn phone_want(&mut self, call: CallId, what: AgentOrder) -> Result<(), SignInFault> {
        let signed = self.phone_desks.signed.get(&call).cloned();
        let (agent, session) = signed.ok_or(SignInFault::NoSession)?;
        if self.sign_ins.session(&agent).map(|(number, _)| number) != Some(session) {
            return Err(SignInFault::NoSession);
        }
        let command = AcdCommand::Order { agent: agent.clone(), what, by: None };
        self.acd.handle_command(command, self.now).map_err(|_| SignInFault::NoSession)?;
        self.note_wish(&agent);
        Ok(())
    }
}
