//! A switch without calls: the trait of the control plane over a floor that is told what happens.
//!
//! Invariant: views and events never disagree, since only [`Floor::event`] changes either. Shared by the route tests
//! and the example that the page is drawn against.

#![allow(dead_code)]

pub mod application;
mod bar;
mod beside;
pub mod campaigns;
pub mod chats;
mod clicks;
mod control;
pub mod door;
mod floor;
mod hooks;
mod objects;
mod tables;
pub mod third_party;
pub mod vault;

pub use floor::Floor;

use cordboard_api::events::{Events, Follow};
use cordboard_api::figures::{ReportAsked, Rows, RowsAsked, When};
use cordboard_api::flows::{FlowDone, FlowOrder, FlowSource, FlowVersion, FlowView, FlowWhich};
use cordboard_api::switch::{
    AgentCaller, Caller, CdrFilter, Command, Health, Later, RecordingAudio, RecordingView, RecordingsAsked,
    Refusal, RoomOrder, SignIn, SignedIn, Subscription, Switch, TransferTo, Why,
};
use cordboard_model::callback::Callback;
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::cause::Party;
use cordboard_model::cdr::{Cdr, RecordingEntry};
use cordboard_model::config::Secret;
use cordboard_model::desk::{DeskAct, DeskFault, DeskOrder, DeskView, SeatOrder};
use cordboard_model::event::EventKind;
use cordboard_model::figures::{Figures, Report, ReportRow, WallView};
use cordboard_model::guard::{BanView, Bar, BarFault, Network};
use cordboard_model::id::{AgentId, CallId, FlowId, LegId, Name, RecordingId, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::originate::{FirstGoal, NewCall};
use cordboard_model::record::{AgentInterval, LegRow, VisitRow};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::SessionView;
use cordboard_model::time::Wall;
use cordboard_model::trace::{TraceEntry, TraceKey, TraceView, TraceWhat};
use cordboard_model::view::{AgentStatus, AgentView, CallView, ContactView, QueueView, RouteView, TrunkView};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A fake switch; clones share it.
#[derive(Clone)]
pub struct Fake {
    start: u32,
    keys: Arc<BTreeMap<String, TenantId>>,
    floors: Arc<Mutex<BTreeMap<TenantId, Floor>>>,
    ready: Arc<AtomicBool>,
    objects: Arc<Mutex<objects::Kept>>,
    /// What is kept of who may ask.
    pub shelf: Arc<vault::Shelf>,
    /// The session of agent 1001 is over.
    left: Arc<AtomicBool>,
}

impl Fake {
    /// A switch started in UTC second `start`, with an empty floor for each key's tenant.
    pub fn new(start: u32, keys: &[(&str, TenantId)]) -> Self {
        let keys: BTreeMap<String, TenantId> = keys.iter().map(|(k, t)| ((*k).to_owned(), *t)).collect();
        let floors = keys.values().map(|t| (*t, Floor::new(*t, start))).collect();
        Self {
            start,
            keys: Arc::new(keys),
            floors: Arc::new(Mutex::new(floors)),
            ready: Arc::new(AtomicBool::new(true)),
            objects: Arc::new(Mutex::new(objects::of_file())),
            shelf: Arc::default(),
            left: Arc::default(),
        }
    }

    /// Does something on a tenant's floor.
    pub fn on<T>(&self, tenant: TenantId, act: impl FnOnce(&mut Floor) -> T) -> T {
        let mut floors = self.lock();
        let start = self.start;
        act(floors.entry(tenant).or_insert_with(|| Floor::new(tenant, start)))
    }

    /// Ends the session of agent 1001.
    pub fn end_session(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    /// Whether it takes calls.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, Floor>> {
        self.floors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T: Send + 'static>(
        &self,
        tenant: TenantId,
        of: impl FnOnce(&mut Floor) -> Result<T, Refusal>,
    ) -> Later<T> {
        let answer = self.on(tenant, of);
        Box::pin(std::future::ready(answer))
    }
}

impl Switch for Fake {
    fn flows(&self, tenant: TenantId) -> Later<Vec<FlowView>> {
        self.answer(tenant, |floor| Ok(floor.flows.iter().map(|flow| flow.view.clone()).collect()))
    }

    fn flow(&self, flow: FlowId, _: FlowWhich) -> Later<FlowSource> {
        self.answer(flow.tenant, move |floor| {
            let known = floor.flows.iter().find(|known| known.view.flow == flow);
            known.cloned().ok_or_else(|| Refusal::NotFound(format!("flow {flow}")))
        })
    }

    fn flow_versions(&self, flow: FlowId) -> Later<Vec<FlowVersion>> {
        let known = self.flow(flow, FlowWhich::Current);
        Box::pin(async move { Ok(known.await?.view.version.into_iter().collect()) })
    }

    fn flow_test(&self, call: CallId, _: Option<String>) -> Later<String> {
        self.answer(call.tenant, move |floor| match floor.cdrs.iter().any(|cdr| cdr.call == call) {
            true => Ok("flow = \"main.lua\"\n".to_owned()),
            false => Err(missing(&call)),
        })
    }

    fn flow_order(&self, flow: FlowId, by: String, order: FlowOrder) -> Later<FlowDone> {
        self.answer(flow.tenant, move |_| match order {
            FlowOrder::Publish { texts: Some(texts), .. } if texts.text.is_empty() => {
                Err(Refusal::Invalid(vec!["main.lua:1:1: Lua: nothing".into()]))
            }
            order => Ok(FlowDone { done: vec![format!("{by}: {flow} {order:?}")], ..FlowDone::default() }),
        })
    }

    fn authenticate(&self, key: &str) -> Option<Caller> {
        let tenant = *self.keys.get(key)?;
        Some(Caller::key(tenant, "fake"))
    }

    fn session(&self, token: &str) -> Later<AgentCaller> {
        let over = token == door::TOKEN && self.left.load(Ordering::Relaxed);
        let gone = || Err(Refusal::NotFound("it is over".into()));
        Box::pin(std::future::ready(if over { gone() } else { door::session(token) }))
    }

    fn session_of(&self, _: AgentId) -> Later<Option<SessionView>> {
        Box::pin(std::future::ready(Ok(Some(door::elsewhere()))))
    }

    fn sign_in(&self, order: SignIn) -> Later<SignedIn> {
        let mut done = Self::door(&order);
        if done.is_ok() && order.session.is_some() {
            self.on(order.agent.tenant, |floor| {
                if floor.agents.contains_key(&order.agent) {
                    floor.agent_is(&order.agent, AgentStatus::NotReady, "signed in", None);
                }
                // guids are made of it: no two are the same
                let wanted = order.session.as_ref();
                let differs = |place: &str| place == "agent gateway" || place.contains("://");
                let wanted = wanted.filter(|wanted| differs(&wanted.place));
                if let (Some(_), Ok(signed)) = (wanted, &mut done) {
                    signed.token = Some(Secret(format!("{}{}", door::GATEWAY, floor.seq)));
                }
            });
        }
        Box::pin(std::future::ready(done))
    }

    fn health(&self) -> Health {
        let ready = self.ready.load(Ordering::Relaxed);
        let calls: usize = self.lock().values().map(|floor| floor.calls.len()).sum();
        let problem = "the switch is stopping".to_owned();
        Health {
            ready,
            uptime_s: 1,
            calls: u32::try_from(calls).unwrap_or(u32::MAX),
            problems: if ready { vec![] } else { vec![problem] },
        }
    }

    fn report(&self, tenant: TenantId, asked: ReportAsked) -> Later<Report> {
        self.answer(tenant, |floor| {
            let (from, to) = match (asked.from, asked.to) {
                (Some(When::At(from)), Some(When::At(to))) => (from, to),
                (Some(When::Day(day)), _) if day.starts_with("2026-13") => {
                    return Err(Refusal::Invalid(vec![format!("{day} is no day")]));
                }
                _ => (Wall(0), floor.now),
            };
            let figures = Figures { offered: floor.cdrs.len() as u64, ..Figures::default() };
            let name = Some(Name::new("+1").map_err(|why| Refusal::Internal(why.to_string()))?);
            let row = ReportRow { from, to, local: String::new(), name, figures };
            let (by, interval, zone) = (asked.by, asked.interval, "UTC".to_owned());
            Ok(Report { tenant, by, interval, from, to, zone, rows: vec![row], totals: Vec::new() })
        })
    }

    fn wall(&self, tenant: TenantId) -> Later<WallView> {
        self.answer(tenant, |floor| {
            Ok(WallView {
                tenant,
                at: floor.now,
                zone: "UTC".into(),
                day: Wall(0),
                complete: true,
                waiting: 0,
                longest_wait_ms: None,
                agents_by_status: BTreeMap::new(),
                today: Figures { calls: floor.calls.len() as u64, ..Figures::default() },
                queues: Vec::new(),
                agents: Vec::new(),
                trunks: Vec::new(),
                flows: Vec::new(),
            })
        })
    }

    fn legs(&self, tenant: TenantId, _: RowsAsked) -> Later<Rows<LegRow>> {
        self.answer(tenant, |floor| {
            let rows = |cdr: &Cdr| {
                let call = cdr.call;
                cdr.legs.clone().into_iter().map(move |leg| LegRow { call, leg })
            };
            Ok(Rows { items: floor.cdrs.iter().flat_map(rows).collect(), next: None })
        })
    }

    fn visits(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<VisitRow>> {
        self.answer(tenant, |floor| {
            let rows = |cdr: &Cdr| {
                let call = cdr.call;
                let visits = cdr.queues.clone().into_iter().zip(0..);
                visits.map(move |(visit, number)| VisitRow { call, number, visit })
            };
            let of_queue =
                |row: &VisitRow| asked.queue.as_ref().is_none_or(|queue| row.visit.queue == *queue);
            let of_call = |row: &VisitRow| asked.call.is_none_or(|call| row.call == call);
            let rows = floor.cdrs.iter().flat_map(rows).filter(of_queue).filter(of_call);
            Ok(Rows { items: rows.take(asked.limit as usize).collect(), next: asked.before })
        })
    }

    fn intervals(&self, tenant: TenantId, _: RowsAsked) -> Later<Rows<AgentInterval>> {
        self.answer(tenant, |_| Ok(Rows { items: Vec::new(), next: None }))
    }

    fn metrics(&self) -> String {
        format!("# TYPE cordboard_calls gauge\ncordboard_calls {}\n", self.health().calls)
    }

    fn calls(&self, tenant: TenantId) -> Later<Vec<CallView>> {
        self.answer(tenant, |floor| Ok(floor.calls.values().cloned().collect()))
    }

    fn call(&self, call: CallId) -> Later<CallView> {
        self.answer(call.tenant, |floor| floor.calls.get(&call).cloned().ok_or_else(|| missing(&call)))
    }

    fn queues(&self, tenant: TenantId) -> Later<Vec<QueueView>> {
        self.answer(tenant, |floor| Ok(floor.queue_views()))
    }

    fn agents(&self, tenant: TenantId) -> Later<Vec<AgentView>> {
        self.answer(tenant, |floor| Ok(floor.agents.values().cloned().collect()))
    }

    fn desk(&self, agent: AgentId) -> Later<DeskView> {
        self.answer(agent.tenant, move |floor| {
            let view = floor.agents.get(&agent).cloned();
            let agent = view.ok_or_else(|| Refusal::NotFound(format!("agent {agent}")))?;
            let calls = floor.desk_calls(&agent);
            Ok(DeskView { agent, calls, last_call: None, last_codes: Vec::new() })
        })
    }

    fn callbacks(&self, tenant: TenantId, page: CallbackPage) -> Later<Vec<Callback>> {
        self.answer(tenant, move |floor| {
            let entries = floor.callbacks.iter().filter(|entry| page.has(entry));
            Ok(entries.take(page.limit).cloned().collect())
        })
    }

    fn trace(&self, key: TraceKey) -> Later<TraceView> {
        let tenant = match &key {
            TraceKey::Call(call) => call.tenant,
            TraceKey::Sip(tenant, _) => *tenant,
        };
        self.answer(tenant, |floor| {
            let of = |view: &&TraceView| match &key {
                TraceKey::Call(call) => view.call == Some(*call),
                TraceKey::Sip(_, id) => view
                    .steps
                    .iter()
                    .any(|step| matches!(&step.what, TraceWhat::Message(message) if message.call_id == *id)),
            };
            floor.traces.iter().find(of).cloned().ok_or_else(|| Refusal::NotFound("no ladder".into()))
        })
    }

    fn traces(&self, tenant: TenantId, most: usize) -> Later<Vec<TraceEntry>> {
        self.answer(tenant, |floor| {
            let entry = |(view, after): (&TraceView, i64)| TraceEntry {
                call: view.call,
                call_id: None,
                from: String::new(),
                to: String::new(),
                last: Wall(floor.now.0 + after),
                title: "INVITE".into(),
            };
            let mut all: Vec<_> = floor.traces.iter().zip(0..).map(entry).collect();
            all.reverse();
            all.truncate(most);
            Ok(all)
        })
    }

    fn trunks(&self, tenant: TenantId) -> Later<Vec<TrunkView>> {
        self.answer(tenant, |floor| Ok(floor.trunks.clone()))
    }

    fn explain(
        &self,
        tenant: TenantId,
        trunk: Option<TrunkId>,
        from: String,
        to: String,
    ) -> Later<RouteView> {
        self.answer(tenant, move |floor| {
            if let Some(id) = trunk.filter(|id| floor.trunks.iter().all(|known| known.trunk != *id)) {
                return Err(Refusal::NotFound(format!("trunk {id}")));
            }
            let refused = Some(cordboard_model::cause::Cause::NoRoute);
            Ok(RouteView { tenant, from, to, reasons: Vec::new(), goes_to: None, refused })
        })
    }

    fn why(&self, what: Why) -> Later<String> {
        let (tenant, id, known): (_, _, fn(&Floor, &str) -> bool) = match what {
            Why::Agent(id) => {
                (id.tenant, id.name, |floor, name| floor.agents.keys().any(|id| id.name.as_str() == name))
            }
            Why::Queue(id) => {
                (id.tenant, id.name, |floor, name| floor.queues.keys().any(|id| id.name.as_str() == name))
            }
        };
        self.answer(tenant, move |floor| match known(floor, id.as_str()) {
            true => Ok(format!("{id} is as it is")),
            false => Err(missing(&id)),
        })
    }

    fn row(&self, tenant: TenantId, table: Name, key: String) -> Later<BTreeMap<String, String>> {
        self.answer(tenant, move |floor| {
            let row = floor.rows.get(&(table, key)).cloned();
            row.ok_or_else(|| Refusal::NotFound("no such row".into()))
        })
    }

    fn contacts(&self, tenant: TenantId) -> Later<Vec<ContactView>> {
        self.answer(tenant, |floor| Ok(floor.contacts.clone()))
    }

    fn bans(&self, tenant: TenantId) -> Later<Vec<BanView>> {
        self.answer(tenant, |floor| Ok(floor.bans.clone()))
    }

    fn cdrs(&self, tenant: TenantId, filter: CdrFilter) -> Later<Vec<Cdr>> {
        self.answer(tenant, |floor| {
            let fits = |cdr: &&Cdr| {
                filter.from.is_none_or(|from| cdr.started >= from)
                    && filter.to.is_none_or(|to| cdr.started < to)
                    && filter.before.is_none_or(|before| cdr.call < before)
                    && (filter.agent.is_none() || cdr.agent == filter.agent)
                    && filter
                        .queue
                        .as_ref()
                        .is_none_or(|queue| cdr.queues.iter().any(|visit| &visit.queue == queue))
            };
            let newest = floor.cdrs.iter().rev().filter(fits);
            Ok(newest.take(filter.limit as usize).cloned().collect())
        })
    }

    fn cdr(&self, call: CallId) -> Later<Cdr> {
        self.answer(call.tenant, |floor| {
            let found = floor.cdrs.iter().find(|cdr| cdr.call == call);
            found.cloned().ok_or_else(|| missing(&call))
        })
    }

    fn recordings(&self, tenant: TenantId, asked: RecordingsAsked) -> Later<Vec<RecordingView>> {
        let RecordingsAsked { before, limit, label, call } = asked;
        self.answer(tenant, |floor| {
            let fits = |(entry, _): &&(RecordingEntry, PathBuf)| {
                before.is_none_or(|b| entry.recording < b)
                    && label.as_ref().is_none_or(|l| entry.label == *l)
                    && call.is_none_or(|call| entry.call == call)
            };
            let newest = floor.recordings.iter().rev().filter(fits);
            let view =
                |entry: &RecordingEntry| RecordingView { entry: entry.clone(), file: None, held: false };
            Ok(newest.take(limit as usize).map(|(entry, _)| view(entry)).collect())
        })
    }

    fn recording_audio(&self, recording: RecordingId) -> Later<RecordingAudio> {
        self.answer(recording.tenant, |floor| {
            let found = floor.recordings.iter().find(|(entry, _)| entry.recording == recording);
            let (_, path) = found.ok_or_else(|| missing(&recording))?;
            let gone = |_| Refusal::NotFound(format!("the file of recording {recording} is gone"));
            let mut file = std::fs::File::open(path).map_err(gone)?;
            let len = file.metadata().map_err(gone)?.len();
            let open = move |from| {
                std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(from))?;
                Ok(Box::new(file) as Box<dyn std::io::Read + Send>)
            };
            Ok(RecordingAudio {
                tag: Some(format!("{len:x}")),
                len,
                media_type: "audio/wav",
                open: Box::new(open),
            })
        })
    }

    fn command(&self, tenant: TenantId, command: Command) -> Later<Vec<String>> {
        self.answer(tenant, |floor| {
            floor.orders.push(format!("{command:?}"));
            obey(floor, command)
        })
    }
}

impl Events for Fake {
    fn follow(&self, follow: Follow) -> Subscription {
        self.on(follow.tenant, |floor| floor.subscribe(follow))
    }
}

fn missing(id: &impl ToString) -> Refusal {
    Refusal::NotFound(id.to_string())
}

/// The call of a leg.
fn call_of(floor: &Floor, leg: LegId) -> Result<CallId, Refusal> {
    let of_leg = |call: &&CallView| call.legs.iter().any(|l| l.leg == leg);
    Ok(floor.calls.values().find(of_leg).ok_or_else(|| missing(&leg))?.call)
}

fn intend(floor: &mut Floor, agent: &AgentId, what: AgentOrder, by: &str) -> Result<Vec<String>, Refusal> {
    let Some(view) = floor.agents.get(agent) else {
        return Err(missing(agent));
    };
    if view.status == AgentStatus::SignedOut && what != AgentOrder::SignIn {
        return Err(Refusal::Conflict(format!("agent {agent} has to sign in first")));
    }
    let (status, reason) = match what {
        AgentOrder::SignIn => (AgentStatus::NotReady, None),
        AgentOrder::NotReady { reason } => (AgentStatus::NotReady, reason),
        AgentOrder::SignOut => (AgentStatus::SignedOut, None),
        AgentOrder::Ready => (AgentStatus::Ready, None),
        AgentOrder::Rest { reason, .. } => (AgentStatus::Rest, reason),
        AgentOrder::Chats { .. } => return Ok(Vec::new()),
    };
    floor.agent_is(agent, status, &format!("{by} asked for it"), None);
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Ok(vec![format!("agent {agent} is {}{reason}", status.as_str())])
}

/// What is asked for, and a call that stands for it: to nobody yet.
fn begun(floor: &mut Floor, new: &NewCall) -> Vec<String> {
    let first = match &new.first {
        FirstGoal::Agent(agent) => agent.name.to_string(),
        FirstGoal::User(user) => user.name.to_string(),
        FirstGoal::Number(number) => number.clone(),
    };
    let call = floor.arrive(PartyId::new(&first), "0");
    vec![format!("{new:?}"), call.to_string()]
}

/// Says what was ordered; nobody is on hold here.
fn at_desk(floor: &mut Floor, order: DeskOrder) -> Result<Vec<String>, Refusal> {
    let DeskOrder { agent, call, by, act } = order;
    if !floor.agents.contains_key(&agent) {
        return Err(Refusal::NotFound(format!("agent {agent}")));
    }
    if act == DeskAct::Seat(SeatOrder::Hold(false)) {
        let (code, why) = DeskFault::NotHeld.words();
        return Err(Refusal::Named(code, why.into()));
    }
    let in_none = floor.agents.get(&agent).is_some_and(|view| floor.desk_calls(view).is_empty());
    if in_none && matches!(act, DeskAct::Answer | DeskAct::Keys(_)) {
        let (code, why) = DeskFault::NoCall.words();
        return Err(Refusal::Named(code, why.into()));
    }
    let call = call.map(|call| format!(" in {call}")).unwrap_or_default();
    let mut told = vec![format!("{act:?}{call} by {by}")];
    match act {
        DeskAct::Want(what) => drop(intend(floor, &agent, what, &by.to_string())),
        DeskAct::Dial { .. } => told.push(format!("call {}", floor.ids.call(agent.tenant))),
        _ => {}
    }
    Ok(told)
}

/// The trunk of this house.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

fn ban(floor: &mut Floor, bar: Bar) -> Result<Vec<String>, Refusal> {
    if bar.source.contains(PEER) {
        let (code, why) = BarFault::Trunk("out".into()).words();
        return Err(Refusal::Named(code, why));
    }
    let Bar { source, why, by, until } = bar;
    floor.bans.retain(|ban| ban.source != source);
    floor.bans.push(BanView { source, why, until, times: 1, dropped: 0, by: Some(by) });
    Ok(vec![format!("{source} is not heard from now on")])
}

fn keep_off(floor: &mut Floor, command: Command) -> Result<Vec<String>, Refusal> {
    match command {
        Command::Ban(bar) => ban(floor, *bar),
        Command::LiftBan(source) => lift(floor, source),
        _ => Err(Refusal::NotFound("no ban".into())),
    }
}

fn lift(floor: &mut Floor, source: Network) -> Result<Vec<String>, Refusal> {
    let before = floor.bans.len();
    floor.bans.retain(|ban| ban.source != source);
    match floor.bans.len() < before {
        true => Ok(vec![format!("{source} is heard again")]),
        false => Err(missing(&source)),
    }
}

fn change_row(floor: &mut Floor, row: cordboard_api::switch::Row) -> Result<Vec<String>, Refusal> {
    let key = (row.table, row.key);
    let found = match row.cells {
        Some(cells) => {
            floor.rows.insert(key, cells);
            true
        }
        None => floor.rows.remove(&key).is_some(),
    };
    let done = vec![format!("done by {}", row.by)];
    found.then_some(done).ok_or_else(|| Refusal::NotFound("no such row".into()))
}

fn obey(floor: &mut Floor, command: Command) -> Result<Vec<String>, Refusal> {
    match command {
        Command::HangUp(call, cause) => {
            if !floor.calls.contains_key(&call) {
                return Err(missing(&call));
            }
            floor.end(call, cause, Party::Operator);
            Ok(vec![format!("call {call} ends")])
        }
        Command::Hold(leg, held) => {
            let call = call_of(floor, leg)?;
            floor.event(EventKind::LegHeld { call, leg, held });
            let word = if held { "on" } else { "off" };
            Ok(vec![format!("leg {leg} is {word} hold")])
        }
        Command::Keys(leg, keys) => {
            call_of(floor, leg)?;
            Ok(vec![format!("{} keys are sent", keys.len())])
        }
        Command::Record(record) => {
            let call = floor.calls.get(&record.call).ok_or_else(|| missing(&record.call))?.call;
            Ok(vec![format!("{:?} of {call} by {} because of {:?}", record.act, record.by, record.why)])
        }
        Command::Listen(listen) => {
            let call = floor.calls.get(&listen.call).ok_or_else(|| missing(&listen.call))?.call;
            Ok(vec![format!(
                "{:?} of {call} to {} {:?} by {}",
                listen.way, listen.url, listen.parameters, listen.by
            )])
        }
        Command::ListenNoMore(call) => {
            let call = floor.calls.get(&call).ok_or_else(|| missing(&call))?.call;
            Ok(vec![format!("nobody listens to {call}")])
        }
        Command::HoldRecording(recording, on) => Ok(vec![format!("recording {recording} held: {on}")]),
        Command::Secret(leg, on) => {
            call_of(floor, leg)?;
            Ok(vec![format!("keys of leg {leg} are {} secret", if on { "a" } else { "no" })])
        }
        Command::Aside(_)
        | Command::TakeBack(_)
        | Command::Data(..)
        | Command::Transfer(_)
        | Command::EndTransfer(..)
        | Command::Room(_)
        | Command::Mute(..) => rearrange(floor, command),
        Command::Row(row) => change_row(floor, row),
        Command::Messages(user, new, old) => {
            Ok(vec![format!("{new} new and {old} old messages wait for {user}")])
        }
        Command::Ban(_) | Command::LiftBan(_) => keep_off(floor, command),
        Command::Stop { now } => Ok(vec![format!("the switch stops, at once: {now}")]),
        Command::Desk(order) => at_desk(floor, *order),
        Command::Place(order) => Ok(vec![format!("{:?} by {}", order.to, order.by)]),
        Command::Callback(new) => Ok(vec![floor.put_callback(new)]),
        Command::NewCall(new) => Ok(begun(floor, &new)),
        Command::CallbackDone(id, by) => floor.take_callback(&id, &by),
        Command::Unlock(agent, by) => unlock(floor, &agent, &by),
        Command::Agent(agent, what, by) => intend(floor, &agent, what, &by),
        Command::BlockTrunk(trunk, block) => block_trunk(floor, &trunk, block),
        Command::Reload if floor.broken_config => Err(Refusal::Invalid(vec![
            "cordboard.toml:3:1: unknown key `nam`".into(),
            "cordboard.toml:9:8: there is no queue \"sale\"".into(),
        ])),
        Command::Reload => {
            floor.version += 1;
            let version = floor.version;
            floor.event(EventKind::ConfigReloaded { version });
            Ok(vec![format!("configuration {version} is in use")])
        }
    }
}

fn unlock(floor: &Floor, agent: &AgentId, by: &str) -> Result<Vec<String>, Refusal> {
    match floor.agents.contains_key(agent) {
        true => Ok(vec![format!("agent {agent} may sign in, says {by}")]),
        false => Err(missing(agent)),
    }
}

fn block_trunk(floor: &mut Floor, trunk: &TrunkId, block: bool) -> Result<Vec<String>, Refusal> {
    let found = floor.trunks.iter_mut().find(|known| known.trunk == *trunk);
    let found = found.ok_or_else(|| Refusal::NotFound(format!("trunk {trunk}")))?;
    found.blocked = block;
    Ok(vec![format!("trunk {trunk} is {}", if block { "blocked" } else { "in service" })])
}

/// Who is in a call and who hears whom.
fn rearrange(floor: &mut Floor, command: Command) -> Result<Vec<String>, Refusal> {
    match command {
        Command::Transfer(transfer) => {
            let call = floor.calls.get(&transfer.call).ok_or_else(|| missing(&transfer.call))?.call;
            match transfer.to {
                TransferTo::Call(other) if other == call => Err(Refusal::Conflict("the same call".into())),
                to => Ok(vec![format!("call {call} goes to {to:?} by {:?}", transfer.by)]),
            }
        }
        Command::EndTransfer(call, complete) => match floor.calls.contains_key(&call) {
            true => Err(Refusal::Conflict(format!("call {call} has no transfer to end ({complete})"))),
            false => Err(missing(&call)),
        },
        Command::Aside(aside) => {
            let call = floor.calls.get(&aside.call).ok_or_else(|| missing(&aside.call))?.call;
            let told = format!("call {call} is aside in {} with {:?}", aside.flow, aside.data);
            floor.asides.push(*aside);
            Ok(vec![told])
        }
        Command::Data(call, entries) => {
            let view = floor.calls.get_mut(&call).ok_or_else(|| missing(&call))?;
            for (key, value) in entries {
                match value.is_null() {
                    true => drop(view.data.remove(&key)),
                    false => drop(view.data.insert(key, value)),
                }
            }
            Ok(vec![format!("data of call {call} changed")])
        }
        Command::TakeBack(call) => match floor.calls.contains_key(&call) {
            true => Err(Refusal::Conflict("nobody was sent aside".into())),
            false => Err(missing(&call)),
        },
        Command::Room(room) => {
            let call = floor.calls.get(&room.call).ok_or_else(|| missing(&room.call))?.call;
            match room.order {
                RoomOrder::EndSupervision => Err(Refusal::Conflict("nobody supervises it".into())),
                order => Ok(vec![format!("call {call}: {order:?}")]),
            }
        }
        Command::Mute(leg, muted) => {
            let call = call_of(floor, leg)?;
            floor.event(EventKind::LegMuted { call, leg, muted });
            Ok(vec![format!("leg {leg} is muted: {muted}")])
        }
        other => Err(Refusal::Conflict(format!("{other:?} rearranges nothing"))),
    }
}
