//! A flow decides where a call goes: what it returns is read as [`cordboard_plugin_api::decision()`] says.
//!
//! The flow runs with the budgets of any flow and within the time that the configuration gives. It may look things up, ask
//! calendars, count, and ask servers; it cannot touch the call, which has no party that hears anything yet.

use cordboard_model::routes::covers;
use cordboard_plugin_api::{
    Ask, AskAnswer, Decision, Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, decision, follow,
    instead, shown,
};

/// The plugin `lua-decision`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LuaDecisionPlugin;

impl RoutingPlugin for LuaDecisionPlugin {
    fn name(&self) -> &'static str {
        "lua-decision"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, _: &mut Notes) -> Verdict {
        let Some(rule) = &ctx.tenant().routes.lua else {
            return Verdict::Pass { why: "no flow decides".to_owned() };
        };
        if !covers(&rule.called, &req.to.user) {
            return Verdict::Pass { why: format!("not for {}", shown(&req.to.user)) };
        }
        let why = format!("flow {} is asked", rule.flow);
        Verdict::Ask { what: Ask::Flow(rule.flow.clone()), deadline: rule.within, why }
    }

    fn resume(
        &self,
        req: &RouteRequest,
        answer: AskAnswer,
        ctx: &dyn RouteContext,
        _: &mut Notes,
    ) -> Verdict {
        let tenant = ctx.tenant();
        let Some(rule) = &tenant.routes.lua else {
            return Verdict::Pass { why: "no flow decides any more".to_owned() };
        };
        let who = format!("flow {}", rule.flow);
        let read = match answer {
            AskAnswer::Returned(None) => Ok(Decision::default()),
            AskAnswer::Returned(Some(text)) => decision(&text, tenant),
            AskAnswer::Fetched { .. } => Err("it was given an answer to another question".to_owned()),
            AskAnswer::Failed { why } => Err(why),
            AskAnswer::Late => Err("it was not ready in time".to_owned()),
        };
        match read {
            Ok(decision) => follow(&who, decision, req),
            Err(why) => instead(&who, &why, &rule.otherwise),
        }
    }
}

#[cfg(test)]
mod tests;
