//! A server decides where a call goes.
//!
//! It is asked by POST with what is known of the call, and answers as [`cordboard_plugin_api::decision()`] says. Where it
//! does not answer in time, or not so that it can be used, what the configuration says for that case is done, and the
//! call's explanation names the reason.
//!
//! ```json
//! {"tenant": "default", "from": "+49301234", "to": "5000", "trunk": "carrier", "user": null,
//!  "at": 1795338000000, "priority": 0}
//! ```
//!
//! `at` is in milliseconds since 1970-01-01T00:00:00Z.

use cordboard_model::config::Secret;
use cordboard_model::fetch::{Fetch, FetchBody, Method};
use cordboard_model::routes::covers;
use cordboard_plugin_api::{
    Ask, AskAnswer, Decision, Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, decision, follow,
    instead, shown,
};
use serde_json::json;

/// The plugin `http-decision`.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpDecisionPlugin;

impl RoutingPlugin for HttpDecisionPlugin {
    fn name(&self) -> &'static str {
        "http-decision"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, _: &mut Notes) -> Verdict {
        let Some(rule) = &ctx.tenant().routes.http else {
            return Verdict::Pass { why: "no server decides".to_owned() };
        };
        if !covers(&rule.called, &req.to.user) {
            return Verdict::Pass { why: format!("not for {}", shown(&req.to.user)) };
        }
        let text = json!({
            "tenant": req.tenant.to_string(),
            "from": req.from.user,
            "to": req.to.user,
            "trunk": req.trunk.as_ref().map(|trunk| trunk.name.as_str()),
            "user": req.user.as_ref().map(|user| user.name.as_str()),
            "at": req.at,
            "priority": req.priority,
        })
        .to_string();
        let body = FetchBody { kind: "application/json".to_owned(), text: Secret(text.clone()), shown: text };
        let fetch = Fetch {
            method: Method::Post,
            url: rule.url.clone(),
            headers: rule.headers.clone(),
            body: Some(body),
            timeout_ms: u32::try_from(rule.within.as_millis()).unwrap_or(u32::MAX),
            retries: 0,
        };
        let why = format!("{} is asked", shown(&rule.url));
        Verdict::Ask { what: Ask::Fetch(Box::new(fetch)), deadline: rule.within, why }
    }

    fn resume(
        &self,
        req: &RouteRequest,
        answer: AskAnswer,
        ctx: &dyn RouteContext,
        _: &mut Notes,
    ) -> Verdict {
        let tenant = ctx.tenant();
        let Some(rule) = &tenant.routes.http else {
            return Verdict::Pass { why: "no server decides any more".to_owned() };
        };
        let read = match answer {
            AskAnswer::Fetched { status: 200..=299, body } if body.trim().is_empty() => {
                Ok(Decision::default())
            }
            AskAnswer::Fetched { status: 200..=299, body } => decision(&body, tenant),
            AskAnswer::Fetched { status, .. } => Err(format!("it answered {status}")),
            AskAnswer::Returned(_) => Err("it was given an answer to another question".to_owned()),
            AskAnswer::Failed { why } => Err(why),
            AskAnswer::Late => Err("it did not answer in time".to_owned()),
        };
        match read {
            Ok(decision) => follow("the server", decision, req),
            Err(why) => instead("the server", &why, &rule.otherwise),
        }
    }
}

#[cfg(test)]
mod tests;
