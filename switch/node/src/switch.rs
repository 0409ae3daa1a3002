//! The switch as the control plane sees it: questions go to the shard, the database or the gauges.

use crate::alone::Alone;
use crate::chats::ChatDesk;
use crate::flows;
use crate::hashing::Hasher;
use crate::hub::HubHandle;
use crate::metrics::Gauges;
use crate::recordings::Keeping;
use crate::recordings::order::views;
use crate::reload::Reloader;
use crate::shard::Order;
use crate::stop::StopSender;
use crate::walls::Walls;
use crate::webhooks::Deliveries;
use cordboard_acd::AcdCommand;
use cordboard_api::events::{Events, Follow};
use cordboard_api::figures::{ReportAsked, Rows, RowsAsked};
use cordboard_api::flows::{FlowDone, FlowOrder, FlowSource, FlowVersion, FlowView, FlowWhich};
use cordboard_api::switch::{
    AgentCaller, Caller, CdrFilter, Command, Health, Later, RecordingAudio, RecordingView, RecordingsAsked,
    Refusal, Row, SignIn, SignedIn, Subscription, Switch, Why,
};
use cordboard_core::{CHANGED_ROWS_MAX, RowRefused, Shard, ShardCommand};
use cordboard_lane::Sender;
use cordboard_model::callback::Callback;
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::Cdr;
use cordboard_model::desk::DeskView;
use cordboard_model::figures::{Report, WallView};
use cordboard_model::guard::BanView;
use cordboard_model::id::{AgentId, CallId, FlowId, LegId, Name, RecordingId, TenantId, TrunkId};
use cordboard_model::record::{AgentInterval, LegRow, VisitRow};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::SessionView;
use cordboard_model::trace::{TraceEntry, TraceKey, TraceView};
use cordboard_model::view::{AgentView, CallView, ContactView, QueueView, RouteView, TrunkView};
use cordboard_store::{Cursor, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the shard may take to answer before the asker is told to come back.
const ANSWER: Duration = Duration::from_secs(5);

/// What the control plane holds of the switch.
pub struct NodeSwitch {
    /// To the shard.
    pub orders: Sender<Order>,
    /// Who looks at passwords.
    pub hasher: Hasher,
    /// Event streams.
    pub hub: HubHandle,
    /// Events that are posted.
    pub webhooks: Arc<Deliveries>,
    /// The database.
    pub store: Arc<Store>,
    /// Where recordings are.
    pub recordings: Keeping,
    /// How enterprises are asked about their agents.
    pub enterprises: Arc<crate::enterprise::Enterprises>,
    /// How URLs of programs begin that may be connected to.
    pub streams: Vec<String>,
    /// Numbers for /metrics and /healthz.
    pub gauges: Arc<Gauges>,
    /// The configuration in use, and how to read it again.
    pub reloader: Arc<Reloader>,
    /// Whether calls are still taken.
    pub stopping: Arc<AtomicBool>,
    /// Orders to stop, to who waits for them.
    pub stops: StopSender,
    /// Close the lanes that end threads.
    pub closers: Vec<Closer>,
    /// Reports that are being made.
    pub alone: Alone,
    /// Figures of now.
    pub walls: Walls,
    /// Who calls by lists, and how what comes of it gets to programs, and events to agents' pages.
    pub dialling: Arc<crate::campaigns::Dialling>,
    /// Who waits for chats.
    pub chat_desk: Arc<ChatDesk>,
}

/// Closes one lane.
pub type Closer = Box<dyn Fn() + Send + Sync>;

/// Asks the shard and waits for the answer.
pub(crate) async fn ask<T: Send + 'static>(
    orders: Sender<Order>,
    question: impl FnOnce(&mut Shard) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let (answer, wait) = oneshot::channel();
    let order = Order::ask(question, move |said| {
        // The asker may have given up; nothing is lost with its answer.
        let _ = answer.send(said);
    });
    orders.try_send(order).map_err(|_| Refusal::Busy(1))?;
    match tokio::time::timeout(ANSWER, wait).await {
        Ok(Ok(answer)) => Ok(answer),
        _ => Err(Refusal::Busy(1)),
    }
}

pub(crate) fn store_refusal(why: StoreError) -> Refusal {
    match why {
        StoreError::QueueFull | StoreError::Closed | StoreError::Busy => Refusal::Busy(1),
        other => Refusal::Internal(other.to_string()),
    }
}

pub(crate) fn missing(what: impl std::fmt::Display) -> Refusal {
    Refusal::NotFound(what.to_string())
}

impl NodeSwitch {
    pub(crate) fn later<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Shard) -> T + Send + 'static,
    ) -> Later<T> {
        Box::pin(ask(self.orders.clone(), question))
    }
}

impl NodeSwitch {
    fn change_row(&self, tenant: TenantId, row: Row) -> Later<Vec<String>> {
        let what = format!("row {:?} of table {}", row.key, row.table);
        let done = if row.cells.is_some() { "put" } else { "removed" };
        let answer = self.later(move |shard| shard.set_row((tenant, row.table), row.key, row.cells, row.by));
        Box::pin(async move {
            match answer.await? {
                Ok(()) => Ok(vec![format!("{what} is {done}")]),
                Err(RowRefused::NotFound) => Err(missing(what)),
                Err(RowRefused::Full) => Err(Refusal::Conflict(format!(
                    "{CHANGED_ROWS_MAX} rows are changed already; more belong into a file"
                ))),
                Err(RowRefused::TooLarge(which)) => {
                    Err(Refusal::Invalid(vec![format!("the {which} is too large")]))
                }
            }
        })
    }
}

impl Switch for NodeSwitch {
    fn authenticate(&self, key: &str) -> Option<Caller> {
        self.reloader.authenticate(key)
    }

    fn session(&self, token: &str) -> Later<AgentCaller> {
        self.session_by(token)
    }

    fn session_of(&self, agent: AgentId) -> Later<Option<SessionView>> {
        self.session_at(agent)
    }

    fn sign_in(&self, order: SignIn) -> Later<SignedIn> {
        self.sign_in_by(order)
    }

    fn health(&self) -> Health {
        self.gauges.health(!self.stopping.load(Relaxed))
    }

    fn metrics(&self) -> String {
        self.gauges.render()
    }

    fn calls(&self, tenant: TenantId) -> Later<Vec<CallView>> {
        self.later(move |shard| shard.calls(tenant))
    }

    fn call(&self, call: CallId) -> Later<CallView> {
        let answer = self.later(move |shard| shard.call(call));
        Box::pin(async move { answer.await?.ok_or_else(|| missing(format!("call {call} is not up"))) })
    }

    fn trace(&self, key: TraceKey) -> Later<TraceView> {
        let answer = self.later(move |shard| shard.trace(&key));
        Box::pin(async move { answer.await?.ok_or_else(|| missing("no ladder of it is kept here")) })
    }

    fn traces(&self, tenant: TenantId, most: usize) -> Later<Vec<TraceEntry>> {
        self.later(move |shard| shard.traces(tenant, most))
    }

    fn queues(&self, tenant: TenantId) -> Later<Vec<QueueView>> {
        self.later(move |shard| shard.queues(tenant))
    }

    fn agents(&self, tenant: TenantId) -> Later<Vec<AgentView>> {
        self.later(move |shard| shard.agents(tenant))
    }

    fn desk(&self, agent: AgentId) -> Later<DeskView> {
        self.desk_of(agent)
    }

    fn callbacks(&self, tenant: TenantId, page: CallbackPage) -> Later<Vec<Callback>> {
        self.later(move |shard| shard.callbacks(tenant, &page))
    }

    fn trunks(&self, tenant: TenantId) -> Later<Vec<TrunkView>> {
        self.later(move |shard| shard.trunk_views(tenant))
    }

    fn explain(
        &self,
        tenant: TenantId,
        trunk: Option<TrunkId>,
        from: String,
        to: String,
    ) -> Later<RouteView> {
        let answer = self.later(move |shard| {
            let found = shard.explain(tenant, trunk.as_ref(), &from, &to);
            found.ok_or_else(|| missing(trunk.map_or_else(|| tenant.to_string(), |id| format!("trunk {id}"))))
        });
        Box::pin(async move { answer.await? })
    }

    fn why(&self, what: Why) -> Later<String> {
        let (answer, name) = match what {
            Why::Agent(agent) => {
                let name = format!("agent {agent}");
                (self.later(move |shard| shard.explain_agent(&agent)), name)
            }
            Why::Queue(queue) => {
                let name = format!("queue {queue}");
                (self.later(move |shard| shard.explain_queue(&queue)), name)
            }
        };
        Box::pin(async move { answer.await?.ok_or_else(|| missing(name)) })
    }

    fn row(&self, tenant: TenantId, table: Name, key: String) -> Later<BTreeMap<String, String>> {
        let what = format!("row {key:?} of table {table}");
        let answer = self.later(move |shard| shard.row(tenant, &table, &key));
        Box::pin(async move {
            let row = answer.await?.ok_or_else(|| missing(what))?;
            Ok(row.into_iter().collect())
        })
    }

    fn contacts(&self, tenant: TenantId) -> Later<Vec<ContactView>> {
        self.later(move |shard| shard.contacts(tenant))
    }

    fn bans(&self, tenant: TenantId) -> Later<Vec<BanView>> {
        let own = tenant == TenantId::DEFAULT;
        self.later(move |shard| if own { shard.bans() } else { Vec::new() })
    }

    fn cdrs(&self, tenant: TenantId, filter: CdrFilter) -> Later<Vec<Cdr>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            let after = match filter.before {
                None => None,
                Some(call) => {
                    let last = store.cdr(tenant, call).await.map_err(store_refusal)?;
                    let last = last.ok_or_else(|| missing(format!("the record of call {call}")))?;
                    Some(Cursor { started: last.started, id: call })
                }
            };
            let asked = cordboard_store::CdrFilter {
                from: filter.from,
                to: filter.to,
                agent: filter.agent.map(|agent| agent.name),
                queue: filter.queue.map(|queue| queue.name),
                before: after,
                limit: Some(filter.limit),
            };
            Ok(store.cdrs(tenant, &asked).await.map_err(store_refusal)?.items)
        })
    }

    fn cdr(&self, call: CallId) -> Later<Cdr> {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            let found = store.cdr_now(call.tenant, call).await.map_err(store_refusal)?;
            found.ok_or_else(|| missing(format!("no record of call {call}; a call that is up has none yet")))
        })
    }

    fn report(&self, tenant: TenantId, asked: ReportAsked) -> Later<Report> {
        self.report_of(tenant, asked)
    }

    fn wall(&self, tenant: TenantId) -> Later<WallView> {
        self.wall_of(tenant)
    }

    fn legs(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<LegRow>> {
        self.legs_of(tenant, asked)
    }

    fn visits(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<VisitRow>> {
        self.visits_of(tenant, asked)
    }

    fn intervals(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<AgentInterval>> {
        self.intervals_of(tenant, asked)
    }

    fn recordings(&self, tenant: TenantId, asked: RecordingsAsked) -> Later<Vec<RecordingView>> {
        let RecordingsAsked { before, limit, label, call } = asked;
        let (store, keeping) = (Arc::clone(&self.store), self.recordings.clone());
        Box::pin(async move {
            let after = match before {
                None => None,
                Some(id) => {
                    let last = store.recording(tenant, id).await.map_err(store_refusal)?;
                    let last = last.ok_or_else(|| missing(format!("recording {id}")))?;
                    Some(Cursor { started: last.started, id })
                }
            };
            let asked = cordboard_store::RecordingFilter {
                before: after,
                limit: Some(limit),
                label,
                call,
                ..Default::default()
            };
            let items = store.recordings(tenant, &asked).await.map_err(store_refusal)?.items;
            views(keeping, items).await
        })
    }

    fn recording_audio(&self, recording: RecordingId) -> Later<RecordingAudio> {
        self.audio(recording)
    }

    fn flows(&self, tenant: TenantId) -> Later<Vec<FlowView>> {
        self.of_flows(move |reloader| flows::list(&reloader.current(), tenant))
    }

    fn flow(&self, flow: FlowId, which: FlowWhich) -> Later<FlowSource> {
        self.of_flows(move |reloader| flows::source(&reloader.current(), &flow, which))
    }

    fn flow_versions(&self, flow: FlowId) -> Later<Vec<FlowVersion>> {
        self.of_flows(move |reloader| flows::versions(&reloader.current(), &flow))
    }

    fn flow_test(&self, call: CallId, flow: Option<String>) -> Later<String> {
        let finished = self.later(move |shard| shard.finished_flows(call));
        Box::pin(async move {
            let finished = finished.await?;
            let made =
                tokio::task::spawn_blocking(move || flows::recorded::test(call, &finished, flow.as_deref()));
            made.await.unwrap_or_else(|why| Err(Refusal::Internal(why.to_string())))
        })
    }

    fn flow_order(&self, flow: FlowId, by: String, order: FlowOrder) -> Later<FlowDone> {
        let done = self.of_flows(move |reloader| flows::order(reloader, &flow, &by, order));
        let orders = self.orders.clone();
        Box::pin(async move {
            let done = done.await?;
            if done.version.is_some() {
                // Orders are obeyed one after another: whoever calls after this answer gets the new version.
                let _ = ask(orders, |_| ()).await;
            }
            Ok(done)
        })
    }

    fn command(&self, tenant: TenantId, command: Command) -> Later<Vec<String>> {
        match command {
            Command::HangUp(call, cause) => self.hang_up(call, cause),
            Command::Hold(leg, on) => self.hold(tenant, leg, on),
            Command::Transfer(transfer) => self.transfer(transfer),
            Command::EndTransfer(call, complete) => self.end_transfer(call, complete),
            Command::Aside(aside) => self.send_aside(*aside),
            Command::TakeBack(call) => self.take_back(call),
            Command::Data(call, entries) => self.change_data(call, entries),
            Command::Record(record) => self.record(record),
            Command::Listen(listen) => self.listen(*listen),
            Command::ListenNoMore(call) => self.listen_no_more(call),
            Command::HoldRecording(recording, on) => self.hold_recording(recording, on),
            Command::Room(room) => self.room(room),
            Command::Mute(leg, muted) => self.mute(tenant, leg, muted),
            Command::Keys(leg, keys) => self.send_keys(leg, keys),
            Command::Secret(leg, on) => {
                let answer = self.later(move |shard| shard.set_secret(leg, on));
                let what = if on { "a secret from now on" } else { "a secret no longer" };
                Box::pin(async move {
                    match answer.await? {
                        true => Ok(vec![format!("keys of leg {leg} are {what}")]),
                        false => Err(missing(format!("leg {leg} is not up"))),
                    }
                })
            }
            Command::Ban(bar) => self.ban(tenant, *bar),
            Command::LiftBan(source) => self.lift_ban(tenant, source),
            Command::Agent(agent, what, by) => self.agent(agent, what, by),
            Command::Desk(order) => self.desk_order(*order),
            Command::Place(order) => self.place(order),
            Command::Callback(new) => self.put_callback(tenant, new),
            Command::NewCall(new) => self.new_call(tenant, *new),
            Command::CallbackDone(id, by) => self.remove_callback(id, by),
            Command::Unlock(agent, by) => self.unlock(agent, by),
            Command::BlockTrunk(trunk, block) => {
                let answer = self.later(move |shard| match shard.block_trunk(&trunk, block) {
                    true if block => Ok(vec![format!("trunk {trunk} takes no new calls")]),
                    true => Ok(vec![format!("trunk {trunk} takes calls")]),
                    false => Err(missing(format!("trunk {trunk}"))),
                });
                Box::pin(async move { answer.await? })
            }
            Command::Row(row) => self.change_row(tenant, row),
            Command::Messages(user, new, old) => {
                let answer = self.later(move |shard| match shard.set_messages(&user, new, old) {
                    true => Ok(vec![format!("{new} new messages wait for {user}, and {old} old")]),
                    false => Err(missing(format!("account {user}"))),
                });
                Box::pin(async move { answer.await? })
            }
            Command::Stop { now } => self.order_stop(tenant, now),
            Command::Reload => {
                let reloader = Arc::clone(&self.reloader);
                Box::pin(async move { told(tenant, reloader.reload().await) })
            }
        }
    }
}

impl Events for NodeSwitch {
    fn follow(&self, follow: Follow) -> Subscription {
        self.hub.follow(follow)
    }
}

/// What a reload says to the key of a tenant: all of it to the operator's own tenant, a count to the others, for the
/// file is one for all.
fn told(tenant: TenantId, outcome: Result<Vec<String>, Vec<String>>) -> Result<Vec<String>, Refusal> {
    let own = tenant == TenantId::DEFAULT;
    match outcome {
        Ok(changes) if changes.is_empty() => Ok(vec!["reloaded: nothing changed".to_owned()]),
        Ok(changes) if own => Ok(changes),
        Ok(changes) => Ok(vec![format!("reloaded; {} changes", changes.len())]),
        Err(faults) if own => Err(Refusal::Invalid(faults)),
        Err(faults) => {
            let count = faults.len();
            Err(Refusal::Invalid(vec![format!(
                "{count} faults in the configuration; the operator's log names them"
            )]))
        }
    }
}

impl NodeSwitch {
    /// Work with files, beside the threads that serve requests.
    fn of_flows<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reloader) -> Result<T, Refusal> + Send + 'static,
    ) -> Later<T> {
        let reloader = Arc::clone(&self.reloader);
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || work(&reloader)).await;
            done.unwrap_or_else(|why| Err(Refusal::Internal(why.to_string())))
        })
    }

    fn hang_up(&self, call: CallId, cause: Cause) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let up = shard.call(call).is_some();
            if up {
                shard.handle_command(ShardCommand::HangUp(call, cause), shard.now());
            }
            up
        });
        Box::pin(async move {
            match answer.await? {
                true => Ok(vec![format!("call {call} is being ended")]),
                false => Err(missing(format!("call {call} is not up"))),
            }
        })
    }

    fn send_keys(&self, leg: LegId, keys: String) -> Later<Vec<String>> {
        let count = keys.len();
        let answer = self.later(move |shard| shard.send_keys(leg, &keys));
        Box::pin(async move {
            match answer.await? {
                true => Ok(vec![format!("{count} keys are being sent to leg {leg}")]),
                false => Err(missing(format!("leg {leg} is not up"))),
            }
        })
    }

    fn hold(&self, tenant: TenantId, leg: LegId, on: bool) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            let found = shard.calls(tenant).iter().any(|call| call.legs.iter().any(|l| l.leg == leg));
            if found {
                shard.handle_command(ShardCommand::Hold(leg, on), shard.now());
            }
            found
        });
        let what = if on { "put on hold" } else { "taken off hold" };
        Box::pin(async move {
            match answer.await? {
                true => Ok(vec![format!("leg {leg} is being {what}")]),
                false => Err(missing(format!("leg {leg} is not up"))),
            }
        })
    }

    fn agent(&self, agent: AgentId, what: AgentOrder, by: String) -> Later<Vec<String>> {
        let answer = self.later(move |shard| {
            if shard.agent(&agent).is_none() {
                return Err(missing(format!("agent {agent}")));
            }
            let who = agent.clone();
            let command = AcdCommand::Order { agent: who, what, by: Some(by) };
            let now = shard.now();
            shard.agent_intent(command, now).map_err(|refused| Refusal::Conflict(refused.to_string()))?;
            let now_is = shard.explain_agent(&agent).unwrap_or_default();
            Ok(vec![now_is])
        });
        Box::pin(async move { answer.await? })
    }
}

impl NodeSwitch {
    /// Closes the lanes into the shard, media threads and writers: each thread ends when it has drained what was sent.
    pub fn close_lanes(&self) {
        self.orders.close();
        self.reloader.close_media();
        for close in &self.closers {
            close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was a fault of ours, 500, that all connections to the database were busy.
    #[test]
    fn a_database_that_is_busy_is_a_503() {
        for why in [StoreError::Busy, StoreError::QueueFull, StoreError::Closed] {
            assert_eq!(store_refusal(why), Refusal::Busy(1));
        }
        assert!(matches!(store_refusal(StoreError::DiskFull), Refusal::Internal(_)));
    }
}
