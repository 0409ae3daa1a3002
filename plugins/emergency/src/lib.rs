//! Emergency numbers first: a call for help leaves by trunks of its own, whatever else may be said of it.
//!
//! Invariants: only who is known may place such a call: an account that has shown its password, or who comes in by a trunk
//! that is named for it. Over UDP anybody can write a trunk's address, so that a trunk is no proof unless the operator
//! says so. And no more such calls go first than the configuration allows, so that nobody fills the switch with a stolen
//! password; one beyond that leaves by the same trunks, with its number and place, where any call may.
//!
//! What makes the call go through where others do not (no cap, ban, calendar, permission or refusal for load) is done by
//! the switch, by the word that this plugin gives: see [`cordboard_plugin_api::Urgent`].

use cordboard_model::cause::Cause;
use cordboard_model::routes::{Emergency, covers};
use cordboard_plugin_api::{Notes, RouteContext, RouteRequest, RoutingPlugin, Urgent, Verdict, shown};

/// The plugin `emergency`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmergencyPlugin;

impl RoutingPlugin for EmergencyPlugin {
    fn name(&self) -> &'static str {
        "emergency"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, _: &mut Notes) -> Verdict {
        let number = req.to.user.as_str();
        let Some(help) = &ctx.tenant().routes.emergency else {
            return Verdict::Pass { why: "no emergency numbers are configured".to_owned() };
        };
        if !help.numbers.iter().any(|known| known == number) {
            return Verdict::Pass { why: format!("{} is no emergency number", shown(number)) };
        }
        if let (None, Some(trunk)) = (&req.user, &req.trunk)
            && !help.from_trunks.contains(trunk)
        {
            let why = format!("an emergency call by trunk {trunk}, which is not named in from_trunks");
            return Verdict::Refuse { cause: Cause::Forbidden, why };
        }
        let up = ctx.urgent();
        let beyond = up >= help.calls;
        let trunks: Vec<String> = help.trunks.iter().map(|trunk| trunk.name.to_string()).collect();
        Verdict::Leave {
            by: help.trunks.clone(),
            number: number.to_owned(),
            urgent: Some(Box::new(Urgent { first: !beyond, ..place(help, req) })),
            why: match beyond {
                false => format!("emergency number {number}: trunk {}", trunks.join(", then ")),
                true => format!(
                    "emergency number {number}, but {up} such calls are up of {} that go first: trunk {}",
                    help.calls,
                    trunks.join(", then ")
                ),
            },
        }
    }
}

/// Who calls for help, and where he is.
fn place(help: &Emergency, req: &RouteRequest) -> Urgent {
    let of_user = req.user.as_ref().and_then(|user| {
        let has = |place: &&cordboard_model::routes::EmergencyPlace| {
            !place.users.is_empty() && covers(&place.users, user.name.as_str())
        };
        help.places.iter().find(has)
    });
    Urgent {
        caller: of_user.and_then(|place| place.caller.clone()).or_else(|| help.caller.clone()),
        location: of_user.and_then(|place| place.location.clone()).or_else(|| help.location.clone()),
        first: true,
    }
}

#[cfg(test)]
mod tests;
