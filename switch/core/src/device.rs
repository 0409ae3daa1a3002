//! Where an agent is rung: at the devices of an account, or outside at a number.
//!
//! Invariant: a number is dialled for an agent only as his own account may dial it, by the same trunks and limits, and never
//! as a call for help.

use crate::legs::Leg;
use crate::routing::Ways;
use crate::shard::Shard;
use cordboard_acd::{AcdCommand, RefusedReason};
use cordboard_call::CallInput;
use cordboard_flow::say::{Lang, press_to_take};
use cordboard_model::cause::Cause;
use cordboard_model::desk::{Actor, DeskFault};
use cordboard_model::device::{AgentDevice, AgentPhone, DeviceChoice};
use cordboard_model::dial::Accept;
use cordboard_model::id::{AgentId, AssetId, CallId, LegId, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::{PartyId, Target};
use cordboard_model::media::{PlayItem, Tone};
use cordboard_model::plan;
use cordboard_model::time::{Duration, TimerReason};
use cordboard_model::verb::Destination;
use cordboard_model::view::{AgentStatus, AgentView};
use cordboard_plugin_api::{RouteEnd, RouteRequest};
use cordboard_sip::engine::IncomingCall;

/// Who answers hears that it is us before he hears what we want, milliseconds.
const BEEP_MS: u32 = 200;
/// Between the question and the same once more, milliseconds.
const PAUSE_MS: u32 = 2_000;

/// How long a number that a call shows counts for the agent's, while the call reaches nobody.
const DOUBT: Duration = Duration::from_secs(120);

impl Shard {
    /// The agent in whose name an account calls: whose own it is while he works there, else who is at work there, else whose
    /// own it is.
    pub(crate) fn agent_at(&self, user: &UserId) -> Option<AgentId> {
        let own = self.agent_of.get(user);
        let works = |own: &&AgentId| {
            let signed_out = |view: AgentView| view.status == AgentStatus::SignedOut;
            self.is_rung_at(own, user) && !self.acd.agent(own).is_none_or(signed_out)
        };
        own.filter(works).or_else(|| self.acd.at_work_at(user).next()).or(own).cloned()
    }

    /// All whose phone is busy when an account's is: who is at work there, and whose own it is, unless he is rung elsewhere
    /// meanwhile.
    pub(crate) fn agents_at_account(&self, user: &UserId) -> Vec<AgentId> {
        let mut agents: Vec<AgentId> = self.acd.at_work_at(user).cloned().collect();
        let own = self.agent_of.get(user).filter(|own| !agents.contains(own));
        agents.extend(own.filter(|own| agents.is_empty() || self.is_rung_at(own, user)).cloned());
        agents
    }

    pub(crate) fn is_rung_at(&self, agent: &AgentId, user: &UserId) -> bool {
        self.acd.device(agent).is_some_and(|device| device.account() == Some(user))
    }

    /// Whether an account is an agent's for sure: his own, or the telephone by whose keys he has signed in. Any other he
    /// has only named, and whoever calls there need not be he.
    pub(crate) fn is_his_place(&self, agent: &AgentId, user: &UserId) -> bool {
        let by_keys = || self.sign_ins.session(agent).is_some_and(|(_, session)| session.phone);
        self.snapshot.agent(agent).is_some_and(|known| known.user == *user)
            || (self.is_rung_at(agent, user) && by_keys())
    }

    /// Whether an agent may sit down at an account: nobody orders a colleague's phone about who is at work there. Who may
    /// order any agent may say so all the same.
    pub(crate) fn may_sit_at(&self, agent: &AgentId, by: &Actor, choice: &DeviceChoice) -> bool {
        let DeviceChoice::Other(AgentDevice::Account(user)) = choice else { return true };
        if self.snapshot.agent(agent).is_some_and(|known| known.user == *user) {
            return true;
        }
        let at_work = |own: &AgentId| {
            own != agent && self.acd.agent(own).is_some_and(|view| view.status != AgentStatus::SignedOut)
        };
        !self.agent_of.get(user).is_some_and(at_work) || self.may_order(by, None).is_ok()
    }

    /// The account at which an agent sits: the one that is rung for him, else his own.
    pub(crate) fn account_of(&self, agent: &AgentId) -> Option<UserId> {
        match self.acd.device(agent) {
            Some(AgentDevice::Account(user)) => Some(user),
            _ => Some(self.snapshot.agent(agent)?.user.clone()),
        }
    }

    /// Whether something can ring for an agent.
    pub(crate) fn can_ring(&self, agent: &AgentId) -> bool {
        match self.acd.device(agent) {
            Some(AgentDevice::Account(user)) => self.sip.contact_count(&user) > 0,
            Some(AgentDevice::Number(_)) => true,
            None => false,
        }
    }

    /// The account in whose name who is at the end of a leg dials, where he is an agent who was rung at a number.
    pub(crate) fn dials_as(&self, leg: &Leg) -> Option<UserId> {
        let agent = leg.agent.as_ref().filter(|_| leg.user.is_none())?;
        Some(self.snapshot.agent(agent)?.user.clone())
    }

    /// What is dialled for a leg: an agent's device in the place of the agent, or of his own account where he is meant.
    pub(crate) fn device_for(
        &mut self,
        (call, leg): (CallId, LegId),
        agent: &AgentId,
    ) -> Result<Target, Cause> {
        match self.acd.device(agent).ok_or(Cause::NotFound)? {
            AgentDevice::Account(user) => Ok(Target::User(user)),
            AgentDevice::Number(number) => {
                let (trunk, number, others) = self.way_to(agent, &number).ok_or(Cause::Unreachable)?;
                if !others.is_empty() {
                    let (trunk, number) = (trunk.clone(), number.clone());
                    self.routing.keep(call, Ways { trunk, number, others, urgent: None });
                }
                self.tell_call(call, CallInput::Carried { leg });
                self.ask_to_confirm(call, leg, agent);
                Ok(Target::Trunk(trunk, number))
            }
        }
    }

    /// How a number is reached as the agent's own account would reach it, and by which other trunks; none if it may not be
    /// dialled. What a plugin would ask of a server or a flow is not asked.
    pub(crate) fn way_to(
        &mut self,
        agent: &AgentId,
        number: &str,
    ) -> Option<(TrunkId, String, Vec<TrunkId>)> {
        let user = self.snapshot.agent(agent)?.user.clone();
        let from = PartyId::new(user.name.as_str());
        let request = RouteRequest {
            user: Some(user),
            at: self.wall.at(self.now),
            draw: self.routing.draw(),
            ..RouteRequest::new(agent.tenant, from, PartyId::new(number))
        };
        match self.explain_route(request)?.end {
            RouteEnd::Decided { to: Destination::Trunk(trunk, number), others, urgent: None } => {
                Some((trunk, number, others))
            }
            _ => None,
        }
    }

    /// A mailbox answers, too: who answers presses a key, unless the agent's configuration asks for none.
    fn ask_to_confirm(&mut self, call: CallId, leg: LegId, agent: &AgentId) {
        let wait = self.snapshot.agent(agent).and_then(|agent| agent.duty.phone.confirm);
        let Some(wait) = wait else { return };
        let queue = self.trunks.numbers.queue_of(call).cloned();
        let prompt = self.question(agent.tenant, queue.as_ref());
        let timeout_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        let accept = Accept { prompt, key: AgentPhone::KEY, refuse: None, timeout_ms };
        self.tell_call(call, CallInput::Confirm { leg, accept });
    }

    /// What is heard of it, in the language of the queue that the call is from.
    pub(crate) fn question(&self, tenant: TenantId, queue: Option<&QueueId>) -> Vec<PlayItem> {
        let of_queue = queue.and_then(|queue| Lang::new(&self.snapshot.queue(queue)?.language));
        let spoken = press_to_take(of_queue.unwrap_or(Lang::En));
        let asset = || {
            let of = |name: &_| PlayItem::Asset(AssetId { tenant, name: Clone::clone(name) });
            spoken.iter().map(of)
        };
        let beep = PlayItem::Tone(Tone::Beep, BEEP_MS);
        core::iter::once(beep).chain(asset()).chain([PlayItem::Silence(PAUSE_MS)]).chain(asset()).collect()
    }

    /// Who calls is an agent, perhaps, at his account or at his telephone.
    pub(crate) fn busies_caller(&mut self, call: CallId, leg: LegId, incoming: &IncomingCall) {
        match &incoming.user {
            Some(user) => {
                for agent in self.agents_at_account(user) {
                    self.busy_outside(call, agent);
                }
            }
            None => self.busies_shown(call, leg, &incoming.from.user),
        }
    }

    /// A call shows a number that is rung for agents. Whoever calls may show any: what rings at them is not taken back for it,
    /// and while the call reaches nobody they are busy for a while only.
    fn busies_shown(&mut self, call: CallId, leg: LegId, number: &str) {
        let agents = self.at_telephone(call, number);
        let rings = |agent: &AgentId| self.acd.agent(agent).is_some_and(|v| v.status == AgentStatus::Ringing);
        let agents: Vec<AgentId> = agents.into_iter().filter(|agent| !rings(agent)).collect();
        if !agents.is_empty() {
            self.outside.doubts.set(call, self.now + DOUBT, TimerReason("a number that is shown"));
        }
        self.busies(call, leg, agents);
    }

    /// Calls that have shown an agent's number for long enough, and have reached nobody, keep him from nothing any more. Who has
    /// proved on the call who he is stays busy with it.
    pub(crate) fn doubts_due(&mut self) {
        while let Some(call) = self.outside.doubts.pop_due(self.now) {
            if self.calls.view(call).is_some_and(|view| view.bridged.is_some()) {
                continue;
            }
            let shown = self.legs.of(call).first().and_then(|leg| self.legs.get(*leg));
            let agents = shown.map(|leg| leg.telephone_of.clone()).unwrap_or_default();
            let proved = self.phone_desks.agent_on(call).cloned();
            for agent in agents.into_iter().filter(|agent| Some(agent) != proved.as_ref()) {
                self.free_outside(call, agent);
            }
        }
    }

    /// Two are joined: if a number that was shown was doubted, those for whom it is rung talk now.
    pub(crate) fn talks_by_telephone(&mut self, (a, b): (LegId, LegId)) {
        for leg in [a, b] {
            let Some(found) = self.legs.get(leg) else { continue };
            let (call, agents) = (found.call, found.telephone_of.clone());
            for agent in agents {
                self.busy_outside(call, agent);
            }
        }
    }

    fn at_telephone(&self, call: CallId, number: &str) -> Vec<AgentId> {
        let Some(tenant) = self.snapshot.tenant(call.tenant) else { return Vec::new() };
        let number = plan::called(tenant, None, number);
        self.acd.at_number(call.tenant, &number).cloned().collect()
    }

    /// The call rings a number that is rung for agents: they are busy with it.
    pub(crate) fn busies_number(&mut self, call: CallId, leg: LegId, number: &str) {
        let mut agents = self.at_telephone(call, number);
        // what was dialled for an agent may have become another number on its way
        let meant = self.legs.get(leg).and_then(|found| found.agent.clone());
        agents.extend(meant.filter(|agent| !agents.contains(agent)));
        self.busies(call, leg, agents);
    }

    fn busies(&mut self, call: CallId, leg: LegId, agents: Vec<AgentId>) {
        if let Some(found) = self.legs.get_mut(leg) {
            found.telephone_of.clone_from(&agents);
        }
        for agent in agents {
            self.busy_outside(call, agent);
        }
    }

    /// An agent is rung elsewhere from now on. Says where.
    ///
    /// # Errors
    /// There is no such agent or device, or his account may not dial the number.
    pub(crate) fn choose_device(
        &mut self,
        agent: &AgentId,
        choice: DeviceChoice,
    ) -> Result<AgentDevice, DeskFault> {
        let config = self.snapshot.agent(agent).ok_or(DeskFault::NoSuchAgent)?;
        let (own, phone) = (config.user.clone(), config.duty.phone.clone());
        let usual = phone.usual(&own);
        let device = match choice {
            DeviceChoice::Usual => usual.clone(),
            DeviceChoice::Own => AgentDevice::Account(own),
            DeviceChoice::Phone => AgentDevice::Number(phone.number.ok_or(DeskFault::NoSuchDevice)?),
            DeviceChoice::Other(AgentDevice::Number(number)) => {
                let plan = self.snapshot.tenant(agent.tenant).and_then(|tenant| tenant.plan.as_ref());
                AgentDevice::Number(plan::read(plan, &number))
            }
            DeviceChoice::Other(account) => account,
        };
        let is_there = match &device {
            AgentDevice::Account(user) => user.tenant == agent.tenant && self.has_account(user),
            AgentDevice::Number(number) => {
                self.way_to(agent, number).ok_or(DeskFault::NotDialable)?;
                true
            }
        };
        if !is_there {
            return Err(DeskFault::NoSuchDevice);
        }
        self.set_device(agent, Some(device.clone()).filter(|device| *device != usual))?;
        Ok(device)
    }

    fn set_device(&mut self, agent: &AgentId, device: Option<AgentDevice>) -> Result<(), DeskFault> {
        let command = AcdCommand::Device { agent: agent.clone(), device: device.clone() };
        self.acd.handle_command(command, self.now).map_err(|refused| match refused.reason {
            RefusedReason::DeviceTaken => DeskFault::DeviceTaken,
            _ => DeskFault::NoSuchAgent,
        })?;
        self.journal(None, JournalRecord::AgentDevice { agent: agent.clone(), device });
        self.renew_line(agent);
        Ok(())
    }

    /// What the journal knew of it. What is no longer configured is refused, and that is right.
    pub(crate) fn restore_device(&mut self, agent: AgentId, device: AgentDevice) {
        if self.snapshot.agent(&agent).is_none() {
            // his number may become another one's
            return self.journal(None, JournalRecord::AgentDevice { agent, device: None });
        }
        if device.account().is_none_or(|user| self.has_account(user)) {
            let command = AcdCommand::Device { agent, device: Some(device) };
            let _ = self.acd.handle_command(command, self.now);
        }
    }
}
