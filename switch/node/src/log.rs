//! The log: lines on standard error, by level; and which events of the stream are also lines of it.

use crate::config::LogLevel;
use crate::lines::Log;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{Cdr, LegRecord, LegRole};
use cordboard_model::event::{Event, EventKind};
use std::time::{Duration, Instant};
use tracing_subscriber::filter::LevelFilter;

/// Starts the log. A second start is ignored.
pub fn start(level: LogLevel) {
    let level = level.as_str().parse::<LevelFilter>().unwrap_or(LevelFilter::INFO);
    let lines = Log::new();
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(lines.writers()).with_target(false);
    // Tests of one process share the log.
    if log.with_ansi(false).try_init().is_ok()
        && let Err(why) = lines.write_to(std::io::stderr())
    {
        eprintln!("there is no log: {why}");
    }
}

/// Most lines of events within one [`TURN`]: a disk that fails, or a flow that fails at every call, must not fill the
/// log with one line a thousand times over.
const LINES: u32 = 100;
const TURN: Duration = Duration::from_secs(1);

/// Writes the events to the log that an operator or a designer looks for there: alarms, flows that failed, parties that
/// could not be reached and what flows say; at level debug also how each call began, went and ended. Never a digit and
/// never call data, for either may be a secret.
#[derive(Debug)]
pub struct EventLog {
    turn: Instant,
    written: u32,
    left_out: u64,
}

impl Default for EventLog {
    fn default() -> Self {
        Self { turn: Instant::now(), written: 0, left_out: 0 }
    }
}

impl EventLog {
    /// Writes `event`, if it is one for the log and there is room for it.
    pub fn write(&mut self, event: &Event, now: Instant) {
        let is_for_log = match &event.what {
            EventKind::CallEnded { cdr, .. } if unreached(cdr).next().is_some() => {
                tracing::enabled!(tracing::Level::WARN)
            }
            EventKind::Alarm { .. } | EventKind::FlowFailed { .. } | EventKind::TrunkChanged { .. } => {
                tracing::enabled!(tracing::Level::WARN)
            }
            EventKind::FlowLog { .. } | EventKind::TableChanged { .. } => {
                tracing::enabled!(tracing::Level::INFO)
            }
            EventKind::CallStarted { .. } | EventKind::CallRouted { .. } | EventKind::CallEnded { .. } => {
                tracing::enabled!(tracing::Level::DEBUG)
            }
            _ => false,
        };
        if !is_for_log || !self.has_room(now) {
            return;
        }
        let tenant = event.tenant;
        match &event.what {
            EventKind::Alarm { code, text } => tracing::error!(%tenant, code, "alarm: {text}"),
            EventKind::FlowFailed { call, flow, error } => {
                tracing::warn!(%call, %flow, "flow failed: {error}")
            }
            EventKind::TrunkChanged { trunk, gateway, state } => {
                let gateway = gateway.as_deref().unwrap_or("-");
                tracing::warn!(%trunk, gateway, "trunk: {state}");
            }
            EventKind::TableChanged { table, key, removed, by } => {
                let done = if *removed { "removed" } else { "put" };
                tracing::info!(%tenant, by, "row {key:?} of table {table} is {done}");
            }
            EventKind::FlowLog { call, text } => tracing::info!(%call, "{text}"),
            EventKind::CallStarted { call, from, to } => {
                tracing::debug!(%call, from = from.user, to = to.user, "call");
            }
            EventKind::CallRouted { call, to, .. } => tracing::debug!(%call, "call goes to {to}"),
            EventKind::CallEnded { call, cause, by, cdr } => {
                for leg in unreached(cdr) {
                    let party = &leg.party.user;
                    tracing::warn!(%call, leg = %leg.leg, party, "unreachable: nothing answers there");
                }
                tracing::debug!(%call, ?by, "call ended: {}", cause.as_str());
            }
            _ => {}
        }
    }

    /// Whether one more line may be written now. The first of a new turn says how many were not.
    fn has_room(&mut self, now: Instant) -> bool {
        if now.duration_since(self.turn) >= TURN {
            if self.left_out > 0 {
                tracing::warn!(
                    lines = self.left_out,
                    "the log left lines out; the event stream has them all"
                );
            }
            *self = Self { turn: now, written: 0, left_out: 0 };
        }
        self.written += 1;
        let has_room = self.written <= LINES;
        self.left_out += u64::from(!has_room);
        has_room
    }
}

/// The legs of a call whose other end did not answer at all: a gateway that is down, a phone without power.
fn unreached(cdr: &Cdr) -> impl Iterator<Item = &LegRecord> {
    cdr.legs.iter().filter(|leg| leg.role == LegRole::Callee && leg.cause == Cause::Unreachable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_events_leaves_a_hundred_lines_a_second() {
        let mut log = EventLog::default();
        let start = log.turn;
        let within = (0..1_000).filter(|_| log.has_room(start)).count();
        assert_eq!((within, log.left_out), (100, 900));
        assert!(log.has_room(start + TURN));
        assert_eq!(log.left_out, 0);
    }
}
