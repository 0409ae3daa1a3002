//! One webhook: follows the stream from where it left off, and delivers what comes, in order.
//!
//! Invariant: its place moves on behind what was taken or is kept as a dead letter, never before: what was under way when
//! the switch was killed is delivered again.

use super::post::{NotTaken, Parcel, Poster};
use super::shelf::{Kept, Shelf};
use super::sign::{jittered, signature};
use super::{Definition, Shared, Told};
use crate::clock::wall_now;
use crate::shard::Order;
use cordboard_api::events::Follow;
use cordboard_api::switch::{Since, StreamItem, Subscription};
use cordboard_api::webhooks::{DeadLetter, WebhookDoing, filter_of};
use cordboard_core::ShardCommand;
use cordboard_model::event::EventKind;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// How often its place is written down while it moves.
const KEEP: Duration = Duration::from_secs(1);
/// How long it waits before it follows the stream again after that ended.
const AGAIN: Duration = Duration::from_secs(1);

/// What it is told to do.
#[derive(Debug)]
pub(super) enum Ask {
    /// It was made anew: other secrets, another URL.
    Change(Definition),
    /// Deliver, or not.
    Enable(bool),
    /// Deliver these dead letters again.
    Replay(Vec<u64>),
}

/// One that runs.
pub(super) struct Runner {
    pub(super) definition: Definition,
    pub(super) shelf: Shelf,
    pub(super) shared: Arc<Shared>,
    pub(super) told: Arc<Told>,
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) poster: Poster,
    pub(super) kept: Kept,
    /// When its place was written down.
    pub(super) written: Instant,
    /// Dead letters that are to be delivered again.
    pub(super) again: VecDeque<u64>,
}

/// What became of a delivery.
enum Delivered {
    Taken,
    GivenUp,
    /// It was told to stop meanwhile; nothing has changed.
    Stopped,
    /// Nobody wants it any more.
    Ended,
}

/// What the stream has said so far.
struct Heard {
    start: u32,
    /// That something is missing, which is still to be delivered.
    gap: Option<Value>,
}

/// What there is to do.
enum Step {
    Nothing,
    /// Deliver these, and then the place is there.
    Deliver(Vec<Value>, u64),
    /// The stream is over.
    Over,
}

/// What comes next.
enum Next {
    Item(Option<StreamItem>),
    Ask(Option<Ask>),
}

impl Runner {
    /// Runs until it is removed.
    pub(super) async fn run(mut self) {
        // One without a place begins with what comes now.
        let mut begun = self.kept.start != 0;
        loop {
            self.tell_doing(if self.kept.disabled { WebhookDoing::Disabled } else { WebhookDoing::Delivers });
            if self.kept.disabled {
                match self.asks.recv().await {
                    Some(ask) => self.asked(ask).await,
                    None => return,
                }
                continue;
            }
            let since = begun.then_some(Since { start: self.kept.start, seq: self.kept.seq });
            let filter = filter_of(&self.definition.kinds);
            let items = self.shared.hub.follow(Follow { tenant: self.definition.tenant, since, filter });
            if !self.follow(items).await {
                return;
            }
            begun = self.kept.start != 0;
            self.write_down().await;
        }
    }

    /// Delivers what comes, until the stream ends or it is told something that changes what it follows. False: it is
    /// removed.
    async fn follow(&mut self, mut items: Subscription) -> bool {
        let mut heard = Heard { start: self.kept.start, gap: None };
        loop {
            while let Some(id) = self.again.pop_front() {
                match self.redeliver(id).await {
                    Delivered::Ended => return false,
                    Delivered::Stopped => return true,
                    Delivered::Taken | Delivered::GivenUp => {}
                }
            }
            if self.kept.disabled {
                return true;
            }
            let next = tokio::select! {
                // What was ordered counts from then on, whatever comes at the same time.
                biased;
                ask = self.asks.recv() => Next::Ask(ask),
                item = items.recv() => Next::Item(item),
            };
            let item = match next {
                Next::Ask(None) => return false,
                Next::Ask(Some(ask)) => {
                    let replays = matches!(ask, Ask::Replay(_));
                    self.asked(ask).await;
                    if replays {
                        continue;
                    }
                    return true;
                }
                Next::Item(item) => item,
            };
            let (events, seq) = match self.step(item, &mut heard, &mut items) {
                Step::Nothing => continue,
                Step::Deliver(events, seq) => (events, seq),
                Step::Over => {
                    tokio::time::sleep(AGAIN).await;
                    return true;
                }
            };
            match self.deliver_all(events).await {
                Delivered::Ended => return false,
                Delivered::Stopped => return true,
                Delivered::Taken | Delivered::GivenUp => {}
            }
            (self.kept.start, self.kept.seq) = (heard.start, seq);
            self.told.seq.store(seq, Relaxed);
            if self.kept.disabled {
                return true;
            }
            if self.written.elapsed() >= KEEP || items.is_empty() {
                self.write_down().await;
            }
        }
    }

    /// What there is to do about an item of the stream.
    fn step(&self, item: Option<StreamItem>, heard: &mut Heard, items: &mut Subscription) -> Step {
        match item {
            Some(StreamItem::Hello { start, .. }) => heard.start = start,
            Some(StreamItem::Gap { from, to }) => {
                heard.gap = Some(json!({ "type": "gap", "from": from, "to": to }));
            }
            // The state is not delivered; that something is missing before it is.
            Some(StreamItem::Snapshot { seq, .. }) => {
                return Step::Deliver(heard.gap.take().into_iter().collect(), seq);
            }
            Some(StreamItem::Position { seq }) => return Step::Deliver(Vec::new(), seq),
            Some(StreamItem::Event(event)) => {
                let first = event.seq;
                let (events, seq) = self.gathered(json!(event), first, items);
                return Step::Deliver(events, seq);
            }
            Some(StreamItem::Wall(_)) => {}
            Some(StreamItem::Closing { .. }) | None => return Step::Over,
        }
        Step::Nothing
    }

    /// The event, with those that have come already and follow it, as many as go into one delivery.
    fn gathered(&self, first: Value, seq: u64, items: &mut Subscription) -> (Vec<Value>, u64) {
        let (mut events, mut last) = (vec![first], seq);
        // Only events are taken out: whatever else comes, comes in its turn.
        while events.len() < self.poster.machine.batch as usize && !items.is_empty() {
            match items.try_recv() {
                Ok(StreamItem::Event(event)) => {
                    last = event.seq;
                    events.push(json!(event));
                }
                Ok(StreamItem::Position { seq }) => last = seq,
                // The stream is taken up again behind what was gathered, and says this again.
                Ok(_) => {
                    items.close();
                    while items.try_recv().is_ok() {}
                }
                Err(_) => break,
            }
        }
        (events, last)
    }

    async fn deliver_all(&mut self, events: Vec<Value>) -> Delivered {
        let number = |event: &Value| event.get("seq").or(event.get("from")).and_then(Value::as_u64);
        let Some(id) = events.first().and_then(number) else { return Delivered::Taken };
        let tenant = self.definition.tenant;
        let body = json!({ "webhook": self.definition.name, "tenant": tenant, "events": events });
        let delivered = self.deliver(id, &body, self.poster.machine.attempts).await;
        match delivered {
            Delivered::Taken => self.kept.given_up = 0,
            Delivered::GivenUp => self.gave_up(id, body).await,
            Delivered::Stopped | Delivered::Ended => {}
        }
        self.told.given_up.store(self.kept.given_up, Relaxed);
        delivered
    }

    async fn redeliver(&mut self, id: u64) -> Delivered {
        let Some(letter) = self.shelf.letter(id) else { return Delivered::Taken };
        let delivered = self.deliver(id, &letter.body, 1).await;
        if matches!(delivered, Delivered::Taken) {
            let _ = self.shelf.forget(id);
        } else {
            // Who does not take one takes the others no better.
            self.again.clear();
        }
        self.told.dead.store(self.shelf.ids().len() as u64, Relaxed);
        delivered
    }

    /// Posts until it is taken or was tried often enough.
    async fn deliver(&mut self, id: u64, body: &Value, attempts: u32) -> Delivered {
        let (body, id) = (body.to_string(), format!("{}-{id}", self.definition.tenant));
        let mut pause = self.poster.machine.pause;
        for attempt in 1..=attempts {
            let at = wall_now().0 / 1_000;
            let signature = signature(&self.definition.secrets, (&id, at), &body);
            let url = self.definition.url.clone();
            let parcel = Parcel { url: &url, id: &id, at, signature: &signature, body: &body };
            let outcome = self.poster.post(&parcel).await;
            let gauges = &self.shared.gauges;
            let why = match outcome {
                Ok(()) => {
                    self.told.delivered.fetch_add(1, Relaxed);
                    gauges.delivered.fetch_add(1, Relaxed);
                    self.told.set_error(None);
                    self.tell_doing(WebhookDoing::Delivers);
                    return Delivered::Taken;
                }
                Err(NotTaken::Gone) => {
                    self.kept.disabled = true;
                    "answered 410: it is gone".to_owned()
                }
                Err(NotTaken::Failed(why)) => why,
            };
            self.told.failed.fetch_add(1, Relaxed);
            gauges.failed.fetch_add(1, Relaxed);
            self.told.set_error(Some(why));
            if self.kept.disabled || attempt == attempts {
                break;
            }
            self.tell_doing(WebhookDoing::Retries);
            tokio::select! {
                () = tokio::time::sleep(jittered(pause)) => {}
                ask = self.asks.recv() => match ask {
                    None => return Delivered::Ended,
                    Some(ask) => {
                        self.asked(ask).await;
                        return Delivered::Stopped;
                    }
                },
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Delivered::GivenUp
    }

    /// Keeps what was given up, and stops if that was one too many.
    async fn gave_up(&mut self, id: u64, body: Value) {
        self.kept.given_up = self.kept.given_up.saturating_add(1);
        let error = self.told.error().unwrap_or_default();
        let attempts = if self.kept.disabled { 1 } else { self.poster.machine.attempts };
        let letter = DeadLetter { id, at: wall_now(), attempts, error, body };
        let (shelf, most) = (self.shelf.clone(), self.poster.machine.dead_letters as usize);
        let buried = tokio::task::spawn_blocking(move || shelf.bury(&letter, most)).await;
        let name = format!("{}/{}", self.definition.tenant, self.definition.name);
        self.shared.gauges.dead.fetch_add(1, Relaxed);
        match buried {
            Ok(Ok((there, dropped))) => {
                self.told.dead.store(there, Relaxed);
                self.shared.gauges.dropped.fetch_add(dropped, Relaxed);
            }
            _ => {
                self.shared.gauges.dropped.fetch_add(1, Relaxed);
                tracing::error!(webhook = name, "a delivery that was given up cannot be kept");
            }
        }
        let most = self.poster.machine.disable_after;
        if self.kept.given_up >= most || self.kept.disabled {
            self.kept.disabled = true;
            let count = self.kept.given_up;
            let why = self.told.error().unwrap_or_default();
            let text = format!(
                "webhook {name} is disabled after {count} deliveries that nobody took ({why}); \
                 POST /api/v1/webhooks/{}/enable has it go on from where it stopped",
                self.definition.name
            );
            let alarm = EventKind::Alarm { code: "webhook_disabled".into(), text };
            let tell = ShardCommand::Tell(self.definition.tenant, Box::new(alarm));
            // A full lane costs the alarm; the state stays.
            let _ = self.shared.shard.try_send(Order::Command(tell));
            self.write_down().await;
        }
    }

    async fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Change(definition) => self.definition = definition,
            Ask::Enable(on) => {
                self.kept.disabled = !on;
                self.kept.given_up = 0;
                self.told.given_up.store(0, Relaxed);
                self.write_down().await;
            }
            Ask::Replay(ids) => self.again = ids.into(),
        }
        self.tell_doing(if self.kept.disabled { WebhookDoing::Disabled } else { WebhookDoing::Delivers });
    }

    fn tell_doing(&self, doing: WebhookDoing) {
        self.told.set_doing(doing);
    }

    /// Writes its place down. What cannot be written is delivered twice after a restart.
    async fn write_down(&mut self) {
        self.written = Instant::now();
        let (shelf, kept) = (self.shelf.clone(), self.kept);
        let written = tokio::task::spawn_blocking(move || shelf.keep(kept)).await;
        if let Ok(Err(why)) = written {
            let name = &self.definition.name;
            tracing::warn!(webhook = %name, %why, "how far a webhook is cannot be kept");
        }
    }
}
