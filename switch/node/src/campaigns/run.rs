//! One tenant's campaigns: what comes, what is due, and what is called.

use super::tell::Telling;
use super::{Asked, Ways};
use crate::clock::wall_now;
use crate::switch::ask;
use cordboard_acd::campaign::{Dialler, Floor, campaign_hours, outcome_of_refusal};
use cordboard_api::events::{EventFilter, Follow};
use cordboard_api::switch::{StreamItem, Subscription};
use cordboard_model::calendar::Zones;
use cordboard_model::callback::{Callback, CallbackChange, CallbackId, CallbackState, NewPlace};
use cordboard_model::campaign::{
    Campaign, CampaignGoal, CampaignNumber, CampaignWrite, NumberCounts, NumberState, Outcome,
};
use cordboard_model::cdr::Cdr;
use cordboard_model::desk::{Actor, DeskFault, Goal};
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, FlowId, Name, QueueId, TenantId};
use cordboard_model::originate::{FirstGoal, NewCall};
use cordboard_model::time::{Duration as Length, Wall};
use cordboard_model::verb::Destination;
use cordboard_model::view::CallStage;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often it is looked whom to call, while a campaign runs.
const LOOK: Duration = Duration::from_millis(250);
/// How long it is looked for the record of a call, whatever became of its campaign.
const MISSING_MAX: Duration = Duration::from_secs(60);
/// The calendar that says which days are working days, if the tenant has one of this name.
const DAYS: &str = "campaigns";
/// How long a number waits whose turn came when the switch took no calls.
const NOT_NOW_MS: i64 = 5_000;

/// The task.
pub(super) struct Runner {
    pub(super) tenant: TenantId,
    pub(super) ways: Arc<Ways>,
    asks: mpsc::Receiver<Asked>,
    /// Whether what the database has is known; else when it is asked again.
    pub(super) loaded: bool,
    pub(super) load_at: Instant,
    pub(super) diallers: BTreeMap<u64, Dialler>,
    pub(super) counts: BTreeMap<u64, NumberCounts>,
    /// Those that were not over when it was looked last.
    pub(super) open: BTreeSet<u64>,
    pub(super) last_campaign: u64,
    pub(super) last_number: u64,
    /// What the database has still to be told: nothing is begun meanwhile.
    unwritten: Vec<CampaignWrite>,
    pub(super) telling: Telling,
    zones: Zones,
    /// Calls that are over and have no record yet: since when, by the number.
    pub(super) missing: BTreeMap<u64, Instant>,
}

enum Next {
    Ask(Option<Asked>),
    Item(Option<StreamItem>),
    Told,
    Look,
}

impl Runner {
    pub(super) fn new(tenant: TenantId, ways: Arc<Ways>, asks: mpsc::Receiver<Asked>) -> Self {
        Self {
            tenant,
            ways,
            asks,
            loaded: false,
            load_at: Instant::now(),
            diallers: BTreeMap::new(),
            counts: BTreeMap::new(),
            open: BTreeSet::new(),
            last_campaign: 0,
            last_number: 0,
            unwritten: Vec::new(),
            telling: Telling::default(),
            zones: Zones::default(),
            missing: BTreeMap::new(),
        }
    }

    fn follow(&self) -> Subscription {
        let kinds = ["call_stage", "call_ended", "callback_changed"].map(str::to_owned).to_vec();
        let filter = EventFilter { kinds, ..EventFilter::default() };
        self.ways.hub.follow(Follow { tenant: self.tenant, since: None, filter })
    }

    /// Runs as long as the switch does.
    pub(super) async fn run(mut self) {
        // first, so that nothing that happens while the database is read is missed
        let mut items = self.follow();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                biased;
                ask = self.asks.recv() => Next::Ask(ask),
                item = items.recv() => Next::Item(item),
                () = self.telling.told() => Next::Told,
                _ = look.tick() => Next::Look,
            };
            match next {
                Next::Ask(None) => return,
                Next::Ask(Some(asked)) => {
                    self.load().await;
                    let done = self.order(asked.order).await;
                    // who has given up finds it done
                    let _ = asked.answer.send(done);
                }
                Next::Item(Some(StreamItem::Event(event))) => self.happened(event.what).await,
                Next::Item(Some(StreamItem::Snapshot { .. })) => self.look_again().await,
                Next::Item(Some(StreamItem::Closing { .. }) | None) => {
                    tokio::time::sleep(LOOK).await;
                    items = self.follow();
                    self.look_again().await;
                }
                Next::Item(Some(_)) => {}
                Next::Told => self.told().await,
                Next::Look => {
                    self.load().await;
                    self.look().await;
                }
            }
        }
    }

    /// What has to be written is, now or as soon as the database takes it.
    pub(super) async fn write(&mut self, numbers: Vec<CampaignNumber>) {
        let writes = numbers.into_iter().map(|number| CampaignWrite::Number(Box::new(number)));
        self.unwritten.extend(writes);
        self.catch_up().await;
    }

    /// Tells the database what it did not take before. False if it still does not.
    async fn catch_up(&mut self) -> bool {
        if self.unwritten.is_empty() {
            return true;
        }
        let done = self.ways.store.keep_campaigns(self.unwritten.clone()).await;
        if let Err(why) = &done {
            tracing::warn!(tenant = %self.tenant, %why, "the database takes no results of campaigns; nobody is called by them");
            return false;
        }
        self.unwritten.clear();
        true
    }

    /// A number has left the hand: counted, noted, written.
    pub(super) async fn settled(&mut self, number: Option<CampaignNumber>) {
        let Some(number) = number else { return };
        self.missing.remove(&number.id);
        if let Some(counts) = self.counts.get_mut(&number.campaign) {
            *counts.of(NumberState::Calling) = counts.calling.saturating_sub(1);
            *counts.of(number.state) += 1;
        }
        if number.owed.is_some() {
            self.telling.owes(number.campaign);
        }
        let settled = vec![number];
        self.write(settled.clone()).await;
        self.numbers_became(&settled).await;
    }

    /// It is being called.
    async fn rings(&mut self, row: Option<CampaignNumber>) {
        let row: Vec<CampaignNumber> = row.into_iter().collect();
        self.write(row.clone()).await;
        self.numbers_became(&row).await;
    }

    async fn happened(&mut self, what: EventKind) {
        let now = wall_now();
        match what {
            EventKind::CallEnded { cdr, .. } => self.ended(&cdr, now).await,
            EventKind::CallStage { call, stage, .. } if stage != CallStage::Routing => {
                let of =
                    self.diallers.values_mut().find_map(|dialler| Some((dialler.by_call(call)?, dialler)));
                if let Some((id, dialler)) = of {
                    dialler.served(id);
                }
            }
            EventKind::CallbackChanged { callback, change, .. } => {
                self.placed_changed(*callback, change).await
            }
            _ => {}
        }
    }

    async fn ended(&mut self, cdr: &Cdr, now: Wall) {
        let settle = |dialler: &mut Dialler| {
            let id = dialler.by_call(cdr.call)?;
            dialler.ended(id, cdr, now)
        };
        let number = self.diallers.values_mut().find_map(settle);
        self.settled(number).await;
    }

    /// The entry by which an agent is sought has changed.
    async fn placed_changed(&mut self, entry: Callback, change: CallbackChange) {
        let now = wall_now();
        let found = self.diallers.values_mut().find_map(|of| Some((of.by_place(&entry.id)?, of)));
        let Some((id, dialler)) = found else { return };
        match change {
            CallbackChange::Called => {
                let row = entry.last_call.and_then(|call| dialler.rung(id, call));
                self.rings(row).await;
            }
            CallbackChange::Waits | CallbackChange::Sleeps => dialler.waits_again(id),
            CallbackChange::Done | CallbackChange::Undone | CallbackChange::Forgotten => {
                let number = dialler.place_over(id, now);
                self.settled(number).await;
                if entry.state == CallbackState::Undone {
                    self.remove_place(entry.id).await;
                }
            }
            _ => {}
        }
    }

    pub(super) async fn remove_place(&self, id: CallbackId) {
        // it may be gone already
        let _ = ask(self.ways.shard.clone(), move |shard| shard.remove_callback(&id, "campaign")).await;
    }

    /// The record of a call that is over. It may have ended just now.
    pub(super) async fn record_of(&self, call: CallId) -> Option<Cdr> {
        self.ways.store.cdr_now(self.tenant, call).await.ok().flatten()
    }

    /// Sees whom to call, and what to tell.
    async fn look(&mut self) {
        if !self.loaded || !self.catch_up().await {
            return;
        }
        if !self.missing.is_empty() {
            self.look_again().await;
            self.missing.retain(|_, since| since.elapsed() <= MISSING_MAX);
        }
        let now = wall_now();
        self.ends(now).await;
        let mut order: Vec<u64> = self.diallers.keys().copied().collect();
        order.sort_by_key(|id| {
            let priority = self.diallers.get(id).map_or(0, |dialler| dialler.campaign().spec.priority);
            (core::cmp::Reverse(priority), *id)
        });
        let mut taken: BTreeMap<Name, u32> = BTreeMap::new();
        for id in order {
            self.dial(id, now, &mut taken).await;
        }
        self.tell(now).await;
    }

    /// `taken`: free agents of each queue for whom another campaign has called just now.
    async fn dial(&mut self, id: u64, now: Wall, taken: &mut BTreeMap<Name, u32>) {
        let Some(dialler) = self.diallers.get(&id) else { return };
        let campaign = dialler.campaign().clone();
        // before the shard is asked: most campaigns are over, paused or out of hours
        if dialler.takes(now, true, Floor { ready: u32::MAX, waiting: 0 }, 1) == 0
            || !self.is_open(&campaign, now)
        {
            return;
        }
        let queue = match &campaign.spec.goal {
            CampaignGoal::Queue(name) => Some(QueueId { tenant: self.tenant, name: name.clone() }),
            CampaignGoal::Flow(_) => None,
        };
        let asked = queue.clone();
        let question = move |shard: &mut cordboard_core::Shard| {
            (asked.and_then(|queue| shard.queue_floor(&queue)), shard.lines_left())
        };
        let Ok((floor, lines)) = ask(self.ways.shard.clone(), question).await else { return };
        let (ready, waiting) = floor.unwrap_or_default();
        let others = queue.as_ref().and_then(|queue| taken.get(&queue.name)).copied().unwrap_or(0);
        let floor = Floor { ready: ready.saturating_sub(others), waiting };
        let Some(dialler) = self.diallers.get_mut(&id) else { return };
        let count = dialler.takes(now, true, floor, lines);
        if count == 0 {
            return;
        }
        let Ok((numbers, next)) = self.ways.store.campaign_due((self.tenant, id), now, count).await else {
            return;
        };
        let begun = dialler.taken(numbers, count, next, now);
        if let Some(queue) = queue {
            *taken.entry(queue.name).or_default() += u32::try_from(begun.len()).unwrap_or(u32::MAX);
        }
        self.begin_all(&campaign, begun, now).await;
    }

    fn is_open(&mut self, campaign: &Campaign, now: Wall) -> bool {
        let loaded = self.ways.reloader.current();
        let Some(tenant) = loaded.snapshot.tenant(self.tenant) else { return false };
        let days = Name::new(DAYS).ok().and_then(|name| tenant.kit.calendars.get(&name));
        let hours = campaign_hours(&campaign.spec, &tenant.zone, days);
        self.zones.get(&hours.zone).is_some_and(|zone| hours.state(now, &zone).open)
    }

    /// Writes that they are called, and calls them.
    async fn begin_all(&mut self, campaign: &Campaign, numbers: Vec<CampaignNumber>, now: Wall) {
        if numbers.is_empty() {
            return;
        }
        let writes = numbers.iter().map(|number| CampaignWrite::Number(Box::new(number.clone()))).collect();
        if let Err(why) = self.ways.store.keep_campaigns(writes).await {
            tracing::warn!(tenant = %self.tenant, %why, "the database does not take whom a campaign calls; nobody is called");
            let later = Wall(now.0.saturating_add(NOT_NOW_MS));
            if let Some(dialler) = self.diallers.get_mut(&campaign.id) {
                for number in numbers {
                    // the database has it as it was, or will have it as it is not: this makes both the same
                    let back = dialler.given_back(number.id, later);
                    self.unwritten.extend(back.map(|number| CampaignWrite::Number(Box::new(number))));
                }
            }
            return;
        }
        if let Some(counts) = self.counts.get_mut(&campaign.id) {
            let count = numbers.len() as u64;
            counts.pending = counts.pending.saturating_sub(count);
            counts.calling += count;
        }
        for number in numbers {
            self.begin(campaign, number, now).await;
        }
    }

    /// Calls one. Its row says that it is called.
    pub(super) async fn begin(&mut self, campaign: &Campaign, number: CampaignNumber, now: Wall) {
        let id = number.id;
        let done = match campaign.spec.kind.is_agent_first() {
            true => self.place(campaign, number, now).await,
            false => self.call(campaign, number).await,
        };
        let Some(dialler) = self.diallers.get_mut(&campaign.id) else { return };
        match done {
            Ok(Begun::Call(call)) => {
                let row = dialler.called(id, call);
                self.rings(row).await;
            }
            Ok(Begun::Place(place)) => {
                let row = dialler.placed(id, place);
                self.write(row.into_iter().collect()).await;
            }
            Err(Some(outcome)) => {
                let row = dialler.failed(id, outcome, now);
                self.settled(row).await;
            }
            Err(None) => {
                let row = dialler.given_back(id, Wall(now.0.saturating_add(NOT_NOW_MS)));
                self.settled(row).await;
            }
        }
    }

    /// What goes with the call, or with its place in the queue.
    fn data(campaign: &Campaign, number: &CampaignNumber) -> BTreeMap<String, Value> {
        let mut data = number.data.clone();
        data.insert("campaign".into(), campaign.id.into());
        data.insert("campaignName".into(), campaign.spec.name.clone().into());
        data.insert("campaignNumber".into(), number.id.into());
        if !number.session.is_empty() {
            data.insert("campaignSession".into(), number.session.clone().into());
        }
        data
    }

    async fn call(&self, campaign: &Campaign, number: CampaignNumber) -> Result<Begun, Option<Outcome>> {
        let tenant = self.tenant;
        let spec = &campaign.spec;
        let then = match &spec.goal {
            CampaignGoal::Flow(name) => Destination::Flow(FlowId { tenant, name: name.clone() }),
            CampaignGoal::Queue(name) => Destination::Queue(QueueId { tenant, name: name.clone() }),
        };
        let shown = spec.shown.iter().min_by_key(|shown| shown.priority).map(|shown| shown.number.clone());
        let new = NewCall {
            data: Self::data(campaign, &number),
            token: Some(format!("campaign-{}-{}", number.id, number.attempts)),
            first: FirstGoal::Number(number.called),
            then: Goal::Place(then),
            account: None,
            shown,
            rings: [Some(Length::from_secs(spec.ring_s.into())), None],
            by: Actor { key: campaign.by.clone(), agent: None },
        };
        let question = move |shard: &mut cordboard_core::Shard| {
            let now = shard.now();
            shard.new_call(tenant, new, now)
        };
        match ask(self.ways.shard.clone(), question).await {
            Ok(Ok(call)) => Ok(Begun::Call(call)),
            Ok(Err(fault)) => Err(self.refused(campaign, fault)),
            Err(_) => Err(None),
        }
    }

    fn refused(&self, campaign: &Campaign, fault: DeskFault) -> Option<Outcome> {
        let outcome = outcome_of_refusal(fault);
        if outcome == Some(Outcome::Failed) {
            let (tenant, id, why) = (self.tenant, campaign.id, fault.words().1);
            tracing::warn!(%tenant, campaign = id, %why, "a campaign's call cannot be begun");
        }
        outcome
    }

    async fn place(
        &self,
        campaign: &Campaign,
        number: CampaignNumber,
        now: Wall,
    ) -> Result<Begun, Option<Outcome>> {
        use cordboard_core::CallbackRefused::{Full, NoSuchQueue, NotDialable, TooLarge};
        let CampaignGoal::Queue(queue) = &campaign.spec.goal else { return Err(Some(Outcome::Failed)) };
        let tenant = self.tenant;
        let new = NewPlace {
            data: Self::data(campaign, &number),
            number: number.called,
            queue: QueueId { tenant, name: queue.clone() },
            ring_s: Some(campaign.spec.ring_s),
            expires: campaign.spec.ends.max(now),
            by: Actor { key: campaign.by.clone(), agent: None },
        };
        let question = move |shard: &mut cordboard_core::Shard| {
            let now = shard.now();
            shard.put_place(tenant, new, now)
        };
        match ask(self.ways.shard.clone(), question).await {
            Ok(Ok(entry)) => Ok(Begun::Place(entry.id)),
            Ok(Err(NotDialable | TooLarge)) => Err(Some(Outcome::BadNumber)),
            Ok(Err(NoSuchQueue)) => Err(Some(Outcome::Failed)),
            Ok(Err(Full)) | Err(_) => Err(None),
        }
    }
}

/// How a number is being called.
enum Begun {
    Call(CallId),
    Place(CallbackId),
}
