//! One tenant's floor: views, kept events and readers, all moved by events.

use cordboard_api::events::{Concerned, EventFilter, Follow};
use cordboard_api::switch::{Refusal, StreamItem, Subscription};
use cordboard_model::callback::{Callback, CallbackId, NewCallback};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{Cdr, QueueVisit, RecordingEntry};
use cordboard_model::desk::{DeskCall, RecordingNow, Seat, SeatState};
use cordboard_model::event::{Event, EventKind};
use cordboard_model::guard::BanView;
use cordboard_model::id::{AgentId, CallId, IdMaker, LegId, Name, QueueId, TenantId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::Wall;
use cordboard_model::view::{
    AgentStatus, AgentView, CallStage, CallView, ContactView, LegView, QueueView, RouteReason, TrunkView,
    WaitingView,
};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use tokio::sync::mpsc;

/// Items that a reader may be behind.
const BEHIND: usize = 1_024;

/// The floor.
pub struct Floor {
    /// Whose.
    pub tenant: TenantId,
    /// What the wall clock shows.
    pub now: Wall,
    /// Events kept for readers that come back.
    pub keep: usize,
    /// Makes a reload fail.
    pub broken_config: bool,
    /// The configuration in use.
    pub version: u64,
    /// Ids.
    pub ids: IdMaker,
    /// Calls up.
    pub calls: BTreeMap<CallId, CallView>,
    /// Agents.
    pub agents: BTreeMap<AgentId, AgentView>,
    /// Chats.
    pub chats: Vec<super::chats::FakeChat>,
    /// Its campaigns.
    pub campaigns: super::campaigns::Kept,
    /// Who is to be called back.
    pub callbacks: Vec<Callback>,
    /// Devices.
    pub contacts: Vec<ContactView>,
    pub trunks: Vec<TrunkView>,
    /// Callers who were sent aside.
    pub asides: Vec<cordboard_api::switch::Aside>,
    pub bans: Vec<BanView>,
    pub flows: Vec<cordboard_api::flows::FlowSource>,
    /// Rows of tables.
    pub rows: BTreeMap<(cordboard_model::id::Name, String), BTreeMap<String, String>>,
    pub traces: Vec<cordboard_model::trace::TraceView>,
    /// Webhooks.
    pub webhooks: Vec<cordboard_api::webhooks::WebhookView>,
    /// Records, oldest first.
    pub cdrs: Vec<Cdr>,
    /// What was ordered, oldest first.
    pub orders: Vec<String>,
    /// What was posted to agents' pages, and whether they take it.
    pub posts: Vec<cordboard_api::gateway::beside::Post>,
    /// What was to be played, and the entries of keys that were to be collected.
    pub played: Vec<cordboard_model::act::PlayAsked>,
    pub collects: Vec<cordboard_model::act::CollectAsked>,
    pub pages_take: bool,
    /// Who may ask by an access key.
    pub huawei: std::sync::Arc<cordboard_api::huawei::config::HuaweiConfig>,
    /// Recordings with their files, oldest first.
    pub recordings: Vec<(RecordingEntry, PathBuf)>,
    /// The last event's number.
    pub seq: u64,
    start: u32,
    pub queues: BTreeMap<QueueId, QueueView>,
    kept: VecDeque<Event>,
    readers: Vec<(mpsc::Sender<StreamItem>, EventFilter)>,
}

impl Floor {
    /// An empty floor.
    pub fn new(tenant: TenantId, start: u32) -> Self {
        Self {
            tenant,
            now: Wall(i64::from(start) * 1_000),
            keep: 10_000,
            broken_config: false,
            version: 1,
            ids: IdMaker::new(start, 0),
            calls: BTreeMap::new(),
            agents: BTreeMap::new(),
            campaigns: Default::default(),
            chats: Vec::new(),
            callbacks: Vec::new(),
            contacts: Vec::new(),
            trunks: Vec::new(),
            bans: Vec::new(),
            asides: Vec::new(),
            flows: Vec::new(),
            rows: BTreeMap::new(),
            traces: Vec::new(),
            cdrs: Vec::new(),
            webhooks: Vec::new(),
            orders: Vec::new(),
            posts: Vec::new(),
            played: Vec::new(),
            collects: Vec::new(),
            pages_take: true,
            huawei: std::sync::Arc::default(),
            recordings: Vec::new(),
            seq: 0,
            start,
            queues: BTreeMap::new(),
            kept: VecDeque::new(),
            readers: Vec::new(),
        }
    }

    /// Somebody is to be called back. Gives the entry's name.
    pub fn put_callback(&mut self, new: NewCallback) -> String {
        let name = format!("1-{}", self.callbacks.len());
        let Ok(id) = cordboard_model::id::Name::new(&name) else {
            return String::new();
        };
        self.callbacks.push(Callback {
            id: CallbackId { tenant: self.tenant, name: id },
            number: new.number,
            since: self.now,
            queue: new.queue,
            note: new.note,
            attempts: 0,
            last_attempt: None,
            last_call: None,
            taken_by: None,
            state: Default::default(),
            outcome: String::new(),
            kept: None,
            by: new.by.to_string(),
        });
        name
    }

    /// It is done.
    pub fn take_callback(&mut self, id: &CallbackId, by: &str) -> Result<Vec<String>, Refusal> {
        let before = self.callbacks.len();
        self.callbacks.retain(|entry| entry.id != *id);
        match self.callbacks.len() == before {
            true => Err(Refusal::NotFound(id.to_string())),
            false => Ok(vec![format!("done by {by}")]),
        }
    }

    /// Queues as readers see them.
    pub fn queue_views(&self) -> Vec<QueueView> {
        let count = |fits: &dyn Fn(AgentStatus) -> bool| {
            let agents = self.agents.values().filter(|agent| fits(agent.status));
            u32::try_from(agents.count()).unwrap_or(u32::MAX)
        };
        let mut views: Vec<QueueView> = self.queues.values().cloned().collect();
        for view in &mut views {
            view.agents_ready = count(&|status| status == AgentStatus::Ready);
            view.agents_signed_in = count(&|status| status != AgentStatus::SignedOut);
        }
        views
    }

    /// Adds a queue that all agents serve.
    pub fn add_queue(&mut self, queue: &QueueId, display: &str) {
        let view = QueueView {
            queue: queue.clone(),
            display: display.into(),
            waiting: Vec::new(),
            callbacks: 0,
            agents_signed_in: 0,
            agents_ready: 0,
            offered: 0,
            answered: 0,
            abandoned: 0,
            timed_out: 0,
        };
        self.queues.insert(queue.clone(), view);
    }

    /// The part of the house that an agent is of.
    pub fn of_organisation(&mut self, agent: &AgentId, name: &str) {
        if let Some(view) = self.agents.get_mut(agent) {
            view.organisation = Some(name.to_owned());
        }
    }

    /// Adds an agent with one device.
    pub fn add_agent(&mut self, agent: &AgentId, display: &str, status: AgentStatus) {
        let user = UserId { tenant: agent.tenant, name: agent.name.clone() };
        let view = AgentView {
            agent: agent.clone(),
            display: display.into(),
            status,
            since: self.now,
            until: None,
            user: user.clone(),
            device: None,
            line: None,
            contacts: 1,
            call: None,
            why: "as at the start".into(),
            reason: None,
            role: Default::default(),
            chats: Vec::new(),
            chat_slots: 5,
            organisation: None,
            smart: false,
            numbers_label: false,
            locks: Vec::new(),
            handled: 0,
        };
        self.contacts.push(ContactView {
            uri: format!("sip:{}@192.0.2.10:5062", user.name),
            user,
            flow: "udp 192.0.2.10:5062".into(),
            user_agent: "phone/1.0".into(),
            expires: Wall(self.now.0 + 3_600_000),
        });
        self.agents.insert(agent.clone(), view);
    }

    /// A caller arrives.
    pub fn arrive(&mut self, from: PartyId, to: &str) -> CallId {
        let (call, leg) = (self.ids.call(self.tenant), self.ids.leg(self.tenant));
        let to = PartyId::new(to);
        let party = from.clone();
        self.event(EventKind::CallStarted { call, from, to });
        self.event(EventKind::LegStarted { call, leg, party });
        call
    }

    /// Routing decides.
    pub fn route(&mut self, call: CallId, to: &str, reasons: Vec<RouteReason>) {
        let to = to.to_owned();
        self.event(EventKind::CallRouted { call, to, reasons });
    }

    /// The call does something else.
    pub fn stage(
        &mut self,
        call: CallId,
        stage: CallStage,
        queue: Option<&QueueId>,
        agent: Option<&AgentId>,
    ) {
        let (queue, agent) = (queue.cloned(), agent.cloned());
        self.event(EventKind::CallStage { call, stage, queue, agent });
    }

    /// The call waits.
    pub fn enqueue(&mut self, call: CallId, queue: &QueueId) {
        let waiting = self.queues.get(queue).map_or(0, |q| q.waiting.len());
        let position = u32::try_from(waiting + 1).unwrap_or(u32::MAX);
        let entered = queue.clone();
        self.event(EventKind::QueueEntered { call, queue: entered, position });
        self.stage(call, CallStage::Queued, Some(queue), None);
    }

    /// The call rings at an agent.
    pub fn offer(&mut self, call: CallId, queue: &QueueId, agent: &AgentId) -> LegId {
        let leg = self.ids.leg(self.tenant);
        self.event(EventKind::QueueOffered {
            call,
            queue: queue.clone(),
            agent: agent.clone(),
            why: "longest idle of those who are ready".into(),
        });
        let why = format!("a call of queue {} is offered", queue.name);
        self.agent_is(agent, AgentStatus::Ringing, &why, Some(call));
        self.stage(call, CallStage::Ringing, Some(queue), Some(agent));
        let party = PartyId::new(agent.name.as_str());
        self.event(EventKind::LegStarted { call, leg, party });
        leg
    }

    /// The calls at an agent's desk: those that ring at him, and those that he talks in.
    pub fn desk_calls(&self, agent: &AgentView) -> Vec<DeskCall> {
        let seat = |call: &CallView| {
            let name = agent.agent.name.as_str();
            let own = call.legs.iter().find(|leg| leg.party.user == name)?;
            let held = call.legs.iter().any(|leg| leg.held && leg.leg != own.leg);
            let state = match call.stage {
                CallStage::Ringing => SeatState::Ringing,
                _ => SeatState::Talking,
            };
            let seat = Seat { leg: own.leg, state, held, muted: false, recording: RecordingNow::Off };
            Some(DeskCall { seat, call: call.clone(), codes: Vec::new(), wrap_ups: Vec::new() })
        };
        let calls = self.calls.values().filter(|call| call.agent.as_ref() == Some(&agent.agent));
        calls.filter_map(seat).collect()
    }

    /// The agent takes it.
    pub fn bridge(&mut self, call: CallId, queue: &QueueId, agent: &AgentId) {
        self.leave(call, queue, "served");
        self.agent_is(agent, AgentStatus::Talking, "took the call", Some(call));
        self.stage(call, CallStage::Bridged, Some(queue), Some(agent));
    }

    /// The call leaves its queue.
    pub fn leave(&mut self, call: CallId, queue: &QueueId, outcome: &str) {
        let (queue, outcome) = (queue.clone(), outcome.to_owned());
        self.event(EventKind::QueueLeft { call, queue, outcome });
    }

    /// An agent's status changes.
    pub fn agent_is(&mut self, agent: &AgentId, status: AgentStatus, why: &str, call: Option<CallId>) {
        let (agent, why) = (agent.clone(), why.to_owned());
        self.event(EventKind::AgentStatus { agent, status, why, call, reason: None, by: None });
    }

    /// The call is over.
    pub fn end(&mut self, call: CallId, cause: Cause, by: Party) {
        let Some(view) = self.calls.get(&call).cloned() else {
            return;
        };
        for leg in &view.legs {
            let leg = leg.leg;
            self.event(EventKind::LegEnded { call, leg, cause });
        }
        let visit = |queue: &QueueId| QueueVisit {
            queue: queue.clone(),
            entered: view.answered.unwrap_or(view.started),
            left: view.bridged.unwrap_or(self.now),
            agent: view.agent.clone(),
            outcome: if view.bridged.is_some() { "served" } else { "abandoned" }.into(),
            consulted_by: None,
            account: None,
        };
        let cdr = Box::new(Cdr {
            call,
            from: view.from.clone(),
            to: view.to.clone(),
            started: view.started,
            answered: view.answered,
            bridged: view.bridged,
            ended: self.now,
            cause,
            ended_by: by,
            agent: view.agent.clone(),
            flows: Vec::new(),
            queues: view.queue.iter().map(visit).collect(),
            legs: Vec::new(),
            recordings: Vec::new(),
            data: view.data.clone(),
            transfers: Vec::new(),
            supervisions: Vec::new(),
            wrap_ups: Vec::new(),
            joined: None,
            dialled: None,
            times: cordboard_model::cdr::CallTimes::default(),
        });
        self.event(EventKind::CallEnded { call, cause, by, cdr });
    }

    /// Numbers what happened, lets it change the views, keeps it and passes it on.
    pub fn event(&mut self, what: EventKind) {
        self.seq += 1;
        self.happen(&what);
        let event = Event { tenant: self.tenant, seq: self.seq, at: self.now, what };
        self.kept.push_back(event.clone());
        while self.kept.len() > self.keep {
            self.kept.pop_front();
        }
        self.readers.retain(|(reader, filter)| {
            !takes(filter, &event) || reader.try_send(StreamItem::Event(Box::new(event.clone()))).is_ok()
        });
    }

    fn happen(&mut self, what: &EventKind) {
        match what {
            EventKind::CallStarted { call, from, to } => {
                let view = new_call(*call, from, to, self.now);
                self.calls.insert(*call, view);
            }
            EventKind::CallEnded { call, cdr, .. } => {
                self.calls.remove(call);
                self.cdrs.push((**cdr).clone());
                for queue in self.queues.values_mut() {
                    remove(queue, *call);
                }
            }
            EventKind::QueueEntered { call, queue, .. } => {
                let since = self.now;
                if let Some(view) = self.queues.get_mut(queue) {
                    view.offered += 1;
                    view.waiting.push(WaitingView {
                        call: *call,
                        since,
                        position: 0,
                        offered_to: Vec::new(),
                    });
                    number(view);
                }
            }
            EventKind::QueueOffered { call, queue, agent, .. } => {
                let view = self.queues.get_mut(queue);
                let waiting = view.and_then(|q| q.waiting.iter_mut().find(|w| w.call == *call));
                if let Some(waiting) = waiting {
                    waiting.offered_to = vec![agent.clone()];
                }
            }
            EventKind::QueueLeft { call, queue, outcome } => self.left(*call, queue, outcome),
            EventKind::AgentStatus { agent, status, why, call, .. } => {
                self.agent_changed(agent, *status, why, *call)
            }
            EventKind::CallRouted { call, .. }
            | EventKind::CallStage { call, .. }
            | EventKind::CallAnswered { call }
            | EventKind::LegStarted { call, .. }
            | EventKind::LegHeld { call, .. }
            | EventKind::LegAudio { call, .. }
            | EventKind::LegEnded { call, .. }
            | EventKind::DataChanged { call, .. } => {
                let now = self.now;
                if let Some(view) = self.calls.get_mut(call) {
                    change(view, what, now);
                }
            }
            _ => {}
        }
    }

    fn left(&mut self, call: CallId, queue: &QueueId, outcome: &str) {
        if let Some(view) = self.queues.get_mut(queue) {
            remove(view, call);
            match outcome {
                "served" => view.answered += 1,
                "abandoned" => view.abandoned += 1,
                "timeout" => view.timed_out += 1,
                _ => {}
            }
        }
    }

    fn agent_changed(&mut self, agent: &AgentId, status: AgentStatus, why: &str, call: Option<CallId>) {
        let now = self.now;
        if let Some(view) = self.agents.get_mut(agent) {
            let busy = matches!(status, AgentStatus::Ringing | AgentStatus::Talking);
            view.handled += u64::from(status == AgentStatus::Talking);
            view.since = if view.status == status { view.since } else { now };
            view.status = status;
            view.why = why.into();
            view.call = call.filter(|_| busy);
        }
        if status != AgentStatus::Ringing {
            let waiting = self.queues.values_mut().flat_map(|q| q.waiting.iter_mut());
            for one in waiting {
                one.offered_to.retain(|rings| rings != agent);
            }
        }
    }

    /// A new reader, or one that comes back.
    pub fn subscribe(&mut self, follow: Follow) -> Subscription {
        let Follow { since, filter, .. } = follow;
        let (out, items) = mpsc::channel(BEHIND);
        let _ = out.try_send(StreamItem::Hello { start: self.start, last: self.seq });
        let first = self.kept.front().map_or(self.seq + 1, |event| event.seq);
        let seen = match since {
            Some(s) if s.start == self.start && s.seq + 1 >= first && s.seq <= self.seq => s.seq,
            other => {
                if let Some(since) = other {
                    let from = if since.start == self.start { since.seq + 1 } else { 1 };
                    let _ = out.try_send(StreamItem::Gap { from, to: self.seq.max(from) });
                }
                let (calls, agents): (Vec<_>, Vec<_>) =
                    (self.calls.values().cloned().collect(), self.agents.values().cloned().collect());
                let (calls, queues, agents) = filter.narrow(&calls, &self.queue_views(), &agents);
                let _ = out.try_send(StreamItem::Snapshot { seq: self.seq, calls, queues, agents });
                self.seq
            }
        };
        for event in self.kept.iter().filter(|event| event.seq > seen && takes(&filter, event)) {
            let _ = out.try_send(StreamItem::Event(Box::new(event.clone())));
        }
        self.readers.push((out, filter));
        items
    }

    /// Ends every stream with a reason.
    pub fn close_streams(&mut self, reason: &str) {
        for (reader, _) in self.readers.drain(..) {
            let _ = reader.try_send(StreamItem::Closing { reason: reason.into() });
        }
    }
}

/// Whether a filter lets an event through that concerns whom it names.
fn takes(filter: &EventFilter, event: &Event) -> bool {
    let value = serde_json::to_value(&event.what).unwrap_or_default();
    let name = |key: &str| value[key]["name"].as_str().and_then(|name| Name::new(name).ok());
    let (agents, queues): (Vec<_>, Vec<_>) =
        (name("agent").into_iter().collect(), name("queue").into_iter().collect());
    let call = value["call"].as_str().and_then(|call| call.parse().ok());
    let kind = value["type"].as_str().unwrap_or_default();
    filter.takes(Concerned { kind, call, agents: &agents, queues: &queues })
}

fn new_call(call: CallId, from: &PartyId, to: &PartyId, now: Wall) -> CallView {
    CallView {
        call,
        from: from.clone(),
        to: to.clone(),
        stage: CallStage::Routing,
        started: now,
        answered: None,
        bridged: None,
        queue: None,
        agent: None,
        legs: Vec::new(),
        data: BTreeMap::new(),
        route: Vec::new(),
        transfer: None,
        supervision: None,
        speaker: None,
        plays: Vec::new(),
        collect: None,
    }
}

fn change(view: &mut CallView, what: &EventKind, now: Wall) {
    match what {
        EventKind::CallRouted { reasons, .. } => view.route.clone_from(reasons),
        EventKind::CallStage { stage, queue, agent, .. } => {
            view.stage = *stage;
            view.queue = queue.clone().or(view.queue.take());
            view.agent.clone_from(agent);
            if *stage == CallStage::Bridged {
                view.bridged = view.bridged.or(Some(now));
            }
        }
        EventKind::CallAnswered { .. } => view.answered = Some(now),
        EventKind::LegStarted { leg, party, .. } => view.legs.push(LegView {
            leg: *leg,
            party: party.clone(),
            answered: false,
            held: false,
            unheard: None,
            muted: false,
        }),
        EventKind::LegHeld { leg, held, .. } => {
            for one in view.legs.iter_mut().filter(|one| one.leg == *leg) {
                one.held = *held;
            }
        }
        EventKind::LegEnded { leg, .. } => view.legs.retain(|one| one.leg != *leg),
        EventKind::DataChanged { key, value, .. } => {
            view.data.remove(key);
            if !cordboard_model::data::is_none(value) {
                view.data.insert(key.clone(), value.clone());
            }
        }
        _ => {}
    }
}

fn remove(queue: &mut QueueView, call: CallId) {
    queue.waiting.retain(|one| one.call != call);
    number(queue);
}

fn number(queue: &mut QueueView) {
    for (one, position) in queue.waiting.iter_mut().zip(1..) {
        one.position = position;
    }
}
