//! What flows ask that is not of their call: the time, calendars, tables, counters. Answered at once.

use crate::shard::Shard;
use cordboard_model::ask::{Ask, Told};
use cordboard_model::calendar;
use cordboard_model::cause::Cause;
use cordboard_model::id::{CallId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::Duration;
use cordboard_model::verb::VerbAnswer;

impl Shard {
    /// The answer to a question.
    pub(crate) fn asked(&mut self, call: CallId, ask: Ask) -> VerbAnswer {
        let told = match ask {
            Ask::Now { zone } => self.told_time(call, zone).ok_or(Cause::NotFound),
            Ask::Calendar { name } => {
                let tenant = self.snapshot.tenant(call.tenant);
                let found = tenant.and_then(|tenant| tenant.kit.calendars.get(&name));
                let at = self.wall.at(self.now);
                let state = found.and_then(|found| Some(found.state(at, &self.zones.get(&found.zone)?)));
                state.map(Told::Calendar).ok_or(Cause::NotFound)
            }
            Ask::Lookup { table, key } => {
                let tenant = self.snapshot.tenant(call.tenant);
                let there = tenant.is_some_and(|tenant| tenant.kit.tables.contains_key(&table));
                let row = self.row(call.tenant, &table, &key);
                (there || row.is_some() || self.rows.has(call.tenant, &table))
                    .then_some(Told::Row(row))
                    .ok_or(Cause::NotFound)
            }
            Ask::Queue { queue } => {
                let waits_in = self.acd.place_of(call).map(|(queue, ..)| queue);
                let own = waits_in.is_some() && (queue.is_none() || queue == waits_in);
                let state = match queue {
                    _ if own => self.acd.state_for(call, self.now),
                    Some(queue) => self.acd.queue_state(&queue, self.now),
                    None => None,
                };
                state.map(Told::Queue).ok_or(Cause::NotFound)
            }
            Ask::Callback(ask) => self.keep_place(call, *ask).map(Told::Callback),
            Ask::Count { name, add, most, seconds } => {
                let kept = Duration::from_secs(seconds.into());
                let counted = self.counters.count((call.tenant, &name), add, most, kept, self.now);
                if add != 0 && matches!(counted, Ok(Some(_))) {
                    self.keep_count(call.tenant, name, counted.ok().flatten().unwrap_or_default());
                }
                counted.map(Told::Count).map_err(|_| Cause::Congestion)
            }
        };
        match told {
            Ok(told) => VerbAnswer::Told(Box::new(told)),
            Err(cause) => VerbAnswer::Failed(cause),
        }
    }

    /// Writes a count down, so that it is there after a restart.
    fn keep_count(&mut self, tenant: TenantId, name: String, value: i64) {
        if let Some(ends) = self.counters.ends((tenant, &name)) {
            let ends = self.wall.at(ends);
            self.journal(None, JournalRecord::Counted { tenant, name, value, ends });
        }
    }

    fn told_time(&mut self, call: CallId, zone: Option<String>) -> Option<Told> {
        let own = || self.snapshot.tenant(call.tenant).map(|tenant| tenant.zone.clone());
        let name = zone.or_else(own)?;
        let zone = self.zones.get(&name)?;
        Some(Told::Now(calendar::moment(self.wall.at(self.now), &zone)))
    }
}
