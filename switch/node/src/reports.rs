//! Reports: raw records of the database through the fold of figures. Also what was before the start, today, for the wall.
//!
//! Invariant: a record is folded once: one that is read from the database is not taken from the shard, too, and what this
//! start has seen live is not read again for its wall.

use crate::clock::wall_now;
use crate::config::Loaded;
use crate::reload::Reloader;
use crate::shard::Order;
use crate::switch::{NodeSwitch, missing, store_refusal};
use cordboard_acd::figures::{Fold, Grid, day_after, day_named, day_of};
use cordboard_api::figures::{ReportAsked, Rows, RowsAsked, When};
use cordboard_api::switch::{Later, Refusal};
use cordboard_lane::Sender;
use cordboard_model::calendar;
use cordboard_model::figures::{Report, ReportBy, ReportStep, WallView};
use cordboard_model::id::TenantId;
use cordboard_model::record::{AgentInterval, LegRow, VisitRow};
use cordboard_model::time::Wall;
use cordboard_store::{RowCursor, RowFilter, RowPage, Store, StoreError};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

fn zone_of(loaded: &Loaded, tenant: TenantId) -> Result<(String, TimeZone), Refusal> {
    let name = loaded.snapshot.tenant(tenant).map(|tenant| tenant.zone.clone());
    let name = name.ok_or_else(|| missing(format!("tenant {tenant}")))?;
    let zone = calendar::zone(&name).ok_or_else(|| Refusal::Internal(format!("no zone {name}")))?;
    Ok((name, zone))
}

fn invalid(field: &str, why: impl std::fmt::Display) -> Refusal {
    Refusal::Invalid(vec![format!("{field}: {why}")])
}

/// The beginning of a day, or its end.
fn day(field: &str, text: &str, zone: &TimeZone, end: bool) -> Result<Wall, Refusal> {
    let begins = day_named(text, zone).ok_or_else(|| invalid(field, format!("there is no day {text}")))?;
    Ok(if end { day_after(begins, zone) } else { begins })
}

fn grid(asked: &ReportAsked, zone: &TimeZone, now: Wall) -> Result<Grid, Refusal> {
    let from = match &asked.from {
        None => day_of(now, zone),
        Some(When::At(at)) => *at,
        Some(When::Day(text)) => day("from", text, zone, false)?,
    };
    let to = match &asked.to {
        None => now,
        Some(When::At(at)) => *at,
        Some(When::Day(text)) => day("to", text, zone, true)?,
    };
    Grid::new(from, to, asked.interval, zone).map_err(|why| invalid("from, to", why))
}

/// Folds what the database has of a time, and of the stretches of work that go on those that it has not.
/// `ours` says which records count, by the start of the switch that made them.
async fn fold(
    store: &Store,
    tenant: TenantId,
    within: (Wall, Wall),
    open: Vec<AgentInterval>,
    ours: impl Fn(u32) -> bool + Send + Sync,
    folds: &mut [(ReportBy, Fold)],
) -> Result<(), StoreError> {
    let has =
        |wanted: &[ReportBy], folds: &[(ReportBy, Fold)]| folds.iter().any(|(by, _)| wanted.contains(by));
    if has(&[ReportBy::Tenant, ReportBy::Flows], folds) {
        let each = |call: cordboard_model::record::CallRow| {
            if ours(call.call.start) {
                folds.iter_mut().for_each(|(_, fold)| fold.call(&call));
            }
        };
        store.each_call(tenant, within, each).await?;
    }
    if has(&[ReportBy::Trunks], folds) {
        let each = |leg: LegRow| {
            if ours(leg.call.start) {
                folds.iter_mut().for_each(|(_, fold)| fold.leg(&leg.leg));
            }
        };
        store.each_leg(tenant, within, each).await?;
    }
    let each = |visit: VisitRow| {
        if ours(visit.call.start) {
            folds.iter_mut().for_each(|(_, fold)| fold.visit(&visit.visit));
        }
    };
    store.each_visit(tenant, within, each).await?;
    let mut open: BTreeMap<_, _> = open.into_iter().map(|interval| (interval.id, interval)).collect();
    let each = |interval: AgentInterval| {
        open.remove(&interval.id);
        if ours(interval.id.start) {
            folds.iter_mut().for_each(|(_, fold)| fold.interval(&interval));
        }
    };
    store.each_interval(tenant, within, each).await?;
    for interval in open.values() {
        folds.iter_mut().for_each(|(_, fold)| fold.interval(interval));
    }
    Ok(())
}

/// Tells the shard what each tenant's figures of today were before this start. For as long as the database cannot be
/// asked the wall says that it is not complete.
pub async fn seed(store: Arc<Store>, reloader: Arc<Reloader>, orders: Sender<Order>, start: u32) {
    let loaded = reloader.current();
    let now = wall_now();
    for tenant in loaded.snapshot.tenants.keys().copied() {
        let Ok((_, zone)) = zone_of(&loaded, tenant) else { continue };
        let within = (day_of(now, &zone), day_after(now, &zone));
        let Ok(grid) = Grid::new(within.0, within.1, ReportStep::Whole, &zone) else { continue };
        let mut folds: Vec<_> = ReportBy::ALL.map(|by| (by, Fold::new(by, grid.clone()))).into();
        let before = |made: u32| made != start;
        if let Err(why) = fold(&store, tenant, within, Vec::new(), before, &mut folds).await {
            tracing::warn!(%tenant, %why, "today's figures from before the start cannot be read; the wall is without them");
            continue;
        }
        let told = Order::ask(move |shard| shard.seed_figures(tenant, within.0, folds), drop);
        if orders.try_send(told).is_err() {
            tracing::warn!(%tenant, "the shard is too busy for today's figures from before the start");
        }
    }
}

fn filter(asked: RowsAsked) -> Result<RowFilter, Refusal> {
    let cursor = |text: String| {
        RowCursor::read(&text)
            .ok_or_else(|| invalid("before", "not a cursor that an earlier page gave as `next`"))
    };
    Ok(RowFilter {
        from: asked.from,
        to: asked.to,
        call: asked.call,
        agent: asked.agent.map(|agent| agent.name),
        queue: asked.queue.map(|queue| queue.name),
        limit: Some(asked.limit),
        before: asked.before.map(cursor).transpose()?,
    })
}

fn rows<T>(page: RowPage<T>) -> Rows<T> {
    Rows { items: page.items, next: page.next.map(|next| next.to_string()) }
}

impl NodeSwitch {
    pub(crate) fn report_of(&self, tenant: TenantId, asked: ReportAsked) -> Later<Report> {
        let (store, loaded) = (Arc::clone(&self.store), self.reloader.current());
        let open = self.later(move |shard| shard.open_intervals(tenant));
        self.alone.work(tenant, async move {
            let (name, zone) = zone_of(&loaded, tenant)?;
            let grid = grid(&asked, &zone, wall_now())?;
            let within = grid.range();
            let mut folds = [(asked.by, Fold::new(asked.by, grid))];
            let done = fold(&store, tenant, within, open.await?, |_| true, &mut folds).await;
            done.map_err(|why| match why {
                StoreError::TooMany(_) => invalid("from, to", why),
                other => store_refusal(other),
            })?;
            let [(by, fold)] = folds;
            let (rows, totals) = fold.finish(&zone).map_err(|why| invalid("from, to, interval", why))?;
            let (from, to) = within;
            Ok(Report { tenant, by, interval: asked.interval, from, to, zone: name, rows, totals })
        })
    }

    pub(crate) fn wall_of(&self, tenant: TenantId) -> Later<WallView> {
        let view = self.later(move |shard| shard.wall_view(tenant));
        let question = async move { view.await?.ok_or_else(|| missing(format!("tenant {tenant}"))) };
        self.walls.of(tenant, Box::pin(question))
    }

    pub(crate) fn legs_of(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<LegRow>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.legs(tenant, &filter(asked)?).await.map(rows).map_err(store_refusal) })
    }

    pub(crate) fn visits_of(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<VisitRow>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.visits(tenant, &filter(asked)?).await.map(rows).map_err(store_refusal) })
    }

    pub(crate) fn intervals_of(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<AgentInterval>> {
        let store = Arc::clone(&self.store);
        Box::pin(
            async move { store.intervals(tenant, &filter(asked)?).await.map(rows).map_err(store_refusal) },
        )
    }
}
