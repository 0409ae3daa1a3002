//! Time and calendar: where calls go while nobody is there.
//!
//! Invariant: this plugin decides only about a call whose calendar says that it is closed; while it is open, the plugins
//! after it do. Times are those of the calendar's own zone, on the days on which the clock is changed too.

use cordboard_model::cause::Cause;
use cordboard_model::routes::{OpeningRule, covers};
use cordboard_plugin_api::{Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, destination, shown};

/// The plugin `calendar`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CalendarPlugin;

impl RoutingPlugin for CalendarPlugin {
    fn name(&self) -> &'static str {
        "calendar"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict {
        for rule in &ctx.tenant().routes.hours {
            let name = &rule.calendar;
            if !covers(&rule.called, &req.to.user) {
                notes.reject(name, format_args!("not for {}", shown(&req.to.user)));
                continue;
            }
            let Some(state) = ctx.calendar(name, req.at) else {
                notes.reject(name, "there is no such calendar");
                continue;
            };
            if state.open {
                notes.reject(name, "it is open");
                continue;
            }
            return closed(rule, state.holiday.as_deref());
        }
        Verdict::Pass { why: "nothing that applies is closed".to_owned() }
    }
}

fn closed(rule: &OpeningRule, holiday: Option<&str>) -> Verdict {
    let (name, to) = match holiday {
        Some(_) => (&rule.calendar, rule.holiday.as_ref().or(rule.closed.as_ref())),
        None => (&rule.calendar, rule.closed.as_ref()),
    };
    let what = match holiday {
        Some(day) => format!("calendar {name}: holiday ({day})"),
        None => format!("calendar {name}: closed"),
    };
    match to {
        Some(to) => Verdict::Decide { to: to.clone(), why: format!("{what}: goes to {}", destination(to)) },
        None => Verdict::Refuse { cause: Cause::NoRoute, why: what },
    }
}

#[cfg(test)]
mod tests;
