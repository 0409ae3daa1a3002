//! A caller gets the agent whom he talked to last, if that agent is ready now.
//!
//! Invariant: nobody waits because of it. An agent who is not ready, is not there any more, or talked to the caller too
//! long ago, is passed over, and the plugins after this one decide. A ready one who does not answer loses no caller where
//! `otherwise` says where he goes then. Accounts of the house get nobody by it: they dial whom they want.

use cordboard_model::routes::covers;
use cordboard_model::time::Duration;
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{
    Change, Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, destination, shown,
};

/// The plugin `last-agent`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastAgentPlugin;

impl RoutingPlugin for LastAgentPlugin {
    fn name(&self) -> &'static str {
        "last-agent"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict {
        let pass = |why: String| Verdict::Pass { why };
        let Some(rule) = &ctx.tenant().routes.last_agent else {
            return pass("callers get no agent of their own".to_owned());
        };
        if !covers(&rule.called, &req.to.user) {
            return pass(format!("not for {}", shown(&req.to.user)));
        }
        if req.user.is_some() {
            return pass("an account calls, which is no customer".to_owned());
        }
        let caller = shown(&req.from.user);
        let Some((agent, ago)) = ctx.last_agent(&req.from.user) else {
            return pass(format!("{caller} has talked to nobody"));
        };
        let ago_shown = span(ago);
        let name = format!("agent {agent}, {ago_shown} ago");
        if ago > rule.within {
            notes.reject(&name, format_args!("longer ago than {}", span(rule.within)));
        } else if !ctx.tenant().agents.contains_key(&agent.name) {
            notes.reject(&name, "is no agent any more");
        } else if !ctx.is_ready(&agent) {
            notes.reject(&name, "is not ready");
        } else {
            let why = format!("{caller} talked to agent {agent} {ago_shown} ago, who is ready");
            let decided = Verdict::Decide { to: Destination::Agent(agent), why };
            let Some(otherwise) = &rule.otherwise else { return decided };
            return Verdict::Amend {
                changes: vec![Change::Otherwise(otherwise.clone())],
                why: format!("if that agent does not answer: {}", destination(otherwise)),
                then: Some(Box::new(decided)),
            };
        }
        pass(format!("{caller} does not get the agent whom he had"))
    }
}

/// A time that is over, in the unit in which people say it.
fn span(time: Duration) -> String {
    match time.as_secs() {
        secs @ 0..=119 => format!("{secs} s"),
        secs @ 120..=7_199 => format!("{} min", secs / 60),
        secs @ 7_200..=172_799 => format!("{} h", secs / 3_600),
        secs => format!("{} d", secs / 86_400),
    }
}

#[cfg(test)]
mod tests;
