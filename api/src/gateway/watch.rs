//! Keeps seats up to date: the switch's events say which desks to look at, and each seat has a task that looks, pushes, and
//! notices silence.
//!
//! Invariant: an event that is missed costs nothing but its cause: after every gap each desk is looked at.

use super::Gateway;
use super::beside::Post;
use super::news::{News, Words, between, ringing};
use super::seat::Seat;
use super::seen::{Seen, State, WORK};
use crate::switch::{Command, Refusal, StreamItem};
use cordboard_model::desk::{Actor, DeskAct, DeskOrder, SeatState};
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::{AgentId, CallId, TenantId};
use cordboard_model::service::AgentOrder;
use cordboard_model::view::AgentStatus;
use core::time::Duration;
use serde_json::{Value, json};
use std::sync::Arc;

/// Pause before a stream that ended is asked for again, and before a look that failed is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// Most events of one push.
const PUSHED: usize = 20;
/// First pause after a push that failed; doubled up to [`PUSH_PAUSE_MAX`].
const PUSH_PAUSE: Duration = Duration::from_millis(500);
const PUSH_PAUSE_MAX: Duration = Duration::from_secs(30);

impl Gateway {
    /// Reads a tenant's events as long as anybody of it is signed in.
    pub(super) fn follow(self: &Arc<Self>, tenant: TenantId) {
        if self.feeds.insert(tenant, ()).is_some() {
            return;
        }
        let gateway = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                let mut items = gateway.switch.subscribe(tenant, None);
                while let Some(item) = items.recv().await {
                    match item {
                        StreamItem::Event(event) => gateway.on_event(&event),
                        StreamItem::Closing { .. } => break,
                        _ => gateway.look_at_all(tenant),
                    }
                    if !gateway.has_seats(tenant) {
                        break;
                    }
                }
                // who signs in now finds the entry, or begins anew
                if gateway.feeds.remove_if(&tenant, |_, ()| !gateway.has_seats(tenant)).is_some() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    fn has_seats(&self, tenant: TenantId) -> bool {
        self.seats.iter().any(|seat| seat.agent.tenant == tenant)
    }

    fn look_at_all(&self, tenant: TenantId) {
        let all = self.seats.iter();
        for seat in all.filter(|seat| seat.agent.tenant == tenant) {
            seat.lock().news.texts = true;
            seat.look.notify_one();
        }
    }

    /// The seats of a call.
    fn of_call(&self, call: CallId) -> Vec<Arc<Seat>> {
        let names = self.calls.view(&call, |_, names| names.clone()).unwrap_or_default();
        names.iter().filter_map(|name| self.seat(name)).collect()
    }

    fn on_event(&self, event: &Event) {
        match &event.what {
            EventKind::AgentStatus { agent, by, call, .. } => {
                self.note_of(agent, |news| news.forced |= by.is_some());
                call.iter().for_each(|call| self.note(*call, |_| ()));
            }
            EventKind::AgentOverdue { agent, .. } => self.note_of(agent, |news| news.overdue = true),
            EventKind::SessionEnded { agent, .. } => {
                if let Some(seat) = self.seat_of(agent) {
                    self.confirm(seat);
                }
            }
            EventKind::LegEnded { call, leg, cause } => self.note(*call, |news| {
                if news.causes.len() < News::MOST {
                    news.causes.insert(*leg, *cause);
                }
            }),
            EventKind::CallEnded { call, by, cause, .. } => self.note(*call, |news| {
                if news.ended.len() < News::MOST {
                    news.ended.insert(*call, (*by, *cause));
                }
            }),
            EventKind::RecordingStarted { call, recording } => self.note(*call, |news| {
                if news.recordings.len() < News::MOST {
                    news.recordings.push((*call, *recording, event.at));
                }
            }),
            EventKind::CallStage { call, agent, .. } => {
                self.note(*call, |_| ());
                agent.iter().for_each(|agent| self.note_of(agent, |_| ()));
            }
            EventKind::CallSupervised { call, supervision } => {
                self.note(*call, |_| ());
                supervision.agent.iter().for_each(|agent| self.note_of(agent, |_| ()));
            }
            EventKind::LegStarted { call, party, .. } => {
                self.note(*call, |_| ());
                // whoever is called is not at the call yet
                let seat = self.seat(&party.user).filter(|seat| seat.agent.tenant == call.tenant);
                seat.iter().for_each(|seat| seat.look.notify_one());
            }
            EventKind::QueueOffered { agent, .. } | EventKind::AgentChats { agent, .. } => {
                self.note_of(agent, |news| news.texts = true);
            }
            EventKind::Chat { chat, what } => self.on_chat(*chat, what),
            EventKind::LegHeld { call, .. }
            | EventKind::CallTransfer { call, .. }
            | EventKind::CallConference { call, .. } => self.note(*call, |_| ()),
            _ => {}
        }
    }

    /// The seat of this very agent: another tenant's may have the same number.
    fn seat_of(&self, agent: &AgentId) -> Option<Arc<Seat>> {
        self.seat(agent.name.as_str()).filter(|seat| seat.agent == *agent)
    }

    pub(super) fn note_of(&self, agent: &AgentId, put: impl Fn(&mut News)) {
        if let Some(seat) = self.seat_of(agent) {
            put(&mut seat.lock().news);
            seat.look.notify_one();
        }
    }

    pub(super) fn note(&self, call: CallId, put: impl Fn(&mut News)) {
        for seat in self.of_call(call) {
            put(&mut seat.lock().news);
            seat.look.notify_one();
        }
    }

    /// Whether a seat's session is still there: the one that ended may be the one before.
    pub(super) fn confirm(&self, seat: Arc<Seat>) {
        let asked = self.switch.session(&seat.token);
        let seats = Arc::clone(&self.seats);
        tokio::spawn(async move {
            if let Err(Refusal::NotFound(_)) = asked.await {
                seat.leave();
                seats.remove_if(seat.workno(), |_, known| Arc::ptr_eq(known, &seat));
            }
        });
    }

    /// Looks after a seat until it is left.
    pub(super) fn mind(self: &Arc<Self>, seat: &Arc<Seat>) {
        let (gateway, of) = (Arc::clone(self), Arc::clone(seat));
        tokio::spawn(async move {
            while !of.is_gone() {
                let ends = of.lock().heard + gateway.config.silence;
                tokio::select! {
                    () = of.look.notified() => gateway.look(&of).await,
                    () = tokio::time::sleep_until(gateway.start + ends) => gateway.silent(&of).await,
                }
            }
            gateway.forget(&of);
        });
        if seat.pushes {
            let (gateway, of) = (Arc::clone(self), Arc::clone(seat));
            tokio::spawn(async move { gateway.push_all(&of).await });
        }
    }

    /// Nothing is kept of a seat that is left.
    fn forget(&self, seat: &Arc<Seat>) {
        self.seats.remove_if(seat.workno(), |_, known| Arc::ptr_eq(known, seat));
        let calls: Vec<CallId> = {
            let inner = seat.lock();
            inner.seen.talks.keys().chain(inner.seen.texts.keys()).copied().collect()
        };
        if self.seat(seat.workno()).is_none() {
            calls.iter().for_each(|call| self.unlink(*call, seat.workno()));
        }
    }

    fn link(&self, call: CallId, name: &str) {
        let mut names = self.calls.entry(call).or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }

    fn unlink(&self, call: CallId, name: &str) {
        self.calls.alter(&call, |_, names| names.into_iter().filter(|known| known != name).collect());
        self.calls.remove_if(&call, |_, names| names.is_empty());
    }

    /// Nothing was heard of him for so long: he is signed out, as if he had asked for it.
    async fn silent(&self, seat: &Arc<Seat>) {
        if self.now() < seat.lock().heard + self.config.silence {
            return;
        }
        tracing::info!(agent = %seat.agent, "nothing was heard of an agent's page, and he is signed out");
        self.out(seat).await;
    }

    /// Signs an agent out. The seat is left whatever the switch says.
    pub(super) async fn out(&self, seat: &Arc<Seat>) {
        let done = self.order(seat, DeskAct::Want(AgentOrder::SignOut), None).await;
        if let Err(why) = done {
            tracing::warn!(agent = %seat.agent, ?why, "an agent could not be signed out");
        }
        seat.leave();
        self.forget(seat);
    }

    /// An order of the agent himself.
    pub(super) async fn order(
        &self,
        seat: &Seat,
        act: DeskAct,
        call: Option<CallId>,
    ) -> Result<Vec<String>, Refusal> {
        let by = Actor { key: String::new(), agent: Some(seat.agent.clone()) };
        let order = DeskOrder { agent: seat.agent.clone(), call, by, act };
        self.switch.command(seat.agent.tenant, Command::Desk(Box::new(order))).await
    }

    /// Looks at a desk, and says what has happened there.
    async fn look(&self, seat: &Arc<Seat>) {
        let view = match self.switch.desk(seat.agent.clone()).await {
            Ok(view) => view,
            // a configuration without him
            Err(Refusal::NotFound(_)) => return seat.leave(),
            Err(_) => {
                tokio::time::sleep(PAUSE).await;
                return seat.look.notify_one();
            }
        };
        if view.agent.status == AgentStatus::SignedOut {
            return self.confirm_out(seat).await;
        }
        let Ok(texts) = self.texts(seat).await else {
            tokio::time::sleep(PAUSE).await;
            return seat.look.notify_one();
        };
        let date = self.switch.moment();
        let (told, old, new) = {
            let mut inner = seat.lock();
            let mut new = Seen::of(&view, &seat.plan, Some(&inner.seen));
            new.texts = texts.unwrap_or(new.texts);
            let news = core::mem::take(&mut inner.news);
            // what came while chats were read is read by the next look
            if news.texts {
                inner.news.texts = true;
                inner.news.not_taken.clone_from(&news.not_taken);
            }
            let skill = |name: &str| seat.skill(name);
            let words = Words { me: seat.workno(), skill: &skill, date };
            let old = inner.seen.clone();
            let mut recordings = core::mem::take(&mut inner.recordings);
            let told = between(&old, &new, &news, &mut recordings, &words);
            inner.recordings = recordings;
            inner.seen = new.clone();
            (told, old, new)
        };
        let has = |seen: &Seen, call: &CallId| seen.talks.contains_key(call) || seen.texts.contains_key(call);
        let here = new.talks.keys().chain(new.texts.keys());
        here.for_each(|call| self.link(*call, seat.workno()));
        if new.texts.keys().any(|chat| !old.texts.contains_key(chat)) {
            // what was said before the link was there has told nobody
            seat.lock().news.texts = true;
            seat.look.notify_one();
        }
        let before = old.talks.keys().chain(old.texts.keys());
        before.filter(|call| !has(&new, call)).for_each(|call| self.unlink(*call, seat.workno()));
        let mut told = self.by_manner(seat, &old, &new, told).await;
        self.take_texts(seat, &old, &new, &mut told).await;
        seat.tell(told, date);
    }

    /// He is signed out by somebody else, or because his device was gone for too long.
    async fn confirm_out(&self, seat: &Arc<Seat>) {
        let first = seat.lock().seen.state == State::Out;
        if !first {
            tracing::info!(agent = %seat.agent, "an agent was signed out");
        }
        seat.leave();
    }

    /// What he said at the sign-in that he wants done by itself.
    async fn by_manner(
        &self,
        seat: &Seat,
        old: &Seen,
        new: &Seen,
        mut told: Vec<(&'static str, Value)>,
    ) -> Vec<(&'static str, Value)> {
        let manner = seat.lock().manner;
        for (call, talk) in &new.talks {
            let before = old.talks.get(call).filter(|before| before.leg == talk.leg);
            let rings = talk.seat == SeatState::Ringing && before.is_none() && !talk.inspects;
            if rings && manner.auto_answer && self.order(seat, DeskAct::Answer, Some(*call)).await.is_ok() {
                let auto = told.iter_mut().find(|(kind, _)| *kind == "AgentEvent_Ringing");
                if let Some(event) = auto {
                    let mut content = ringing(talk);
                    content["mediaType"] = json!(5);
                    *event = ("AgentEvent_Auto_Answer", content);
                }
            }
            let begins = talk.seat == SeatState::Talking
                && before.is_none_or(|before| before.seat != SeatState::Talking);
            if begins && !manner.auto_idle {
                // it is remembered while he talks, and takes effect after the call
                let work = AgentOrder::NotReady { reason: Some(WORK.to_owned()) };
                let _ = self.order(seat, DeskAct::Want(work), None).await;
            }
        }
        told
    }

    /// Sends an agent's events to his page, in order, each until it has taken it.
    async fn push_all(&self, seat: &Arc<Seat>) {
        let mut pause = PUSH_PAUSE;
        while !seat.is_gone() {
            let batch = seat.batch(PUSHED);
            if batch.is_empty() {
                seat.waiting.notified().await;
                continue;
            }
            if self.push(seat, &batch).await {
                seat.pushed(&batch);
                pause = PUSH_PAUSE;
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PUSH_PAUSE_MAX);
            }
        }
    }

    async fn push(&self, seat: &Seat, batch: &[Value]) -> bool {
        let (to, guid) = {
            let inner = seat.lock();
            (inner.push.clone(), inner.guids.present().to_owned())
        };
        let Some(to) = to else { return false };
        let post = Post {
            url: to.url,
            headers: vec![("Guid", guid), ("service_token", to.token)],
            body: json!({ "workNo": seat.workno(), "eventList": batch }).to_string(),
        };
        match self.switch.post(post).await {
            Ok(answer) => {
                let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
                answer["retcode"] == "0" || answer["retcode"] == 0
            }
            Err(why) => {
                tracing::debug!(agent = %seat.agent, ?why, "a page did not take its events");
                false
            }
        }
    }
}
