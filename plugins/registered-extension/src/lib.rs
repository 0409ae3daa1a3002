//! Routing among the accounts of a tenant: what was dialled is an account, and its devices ring.
//!
//! Invariant: an account is rung as an account, also when it is an agent's. Whether that agent is
//! ready does not matter then: colleagues reach him at his extension, callers of a queue through
//! the queue. While he talks that way he is busy for his queues.

use cordboard_model::cause::Cause;
use cordboard_model::id::UserId;
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, shown};

/// The plugin `registered-extension`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegisteredExtensionPlugin;

impl RoutingPlugin for RegisteredExtensionPlugin {
    fn name(&self) -> &'static str {
        "registered-extension"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, _: &mut Notes) -> Verdict {
        let tenant = ctx.tenant();
        let Some((name, _)) = tenant.users.get_key_value(req.to.user.as_str()) else {
            let dialled = shown(&req.to.user);
            return Verdict::Pass { why: format!("{dialled} is no account of tenant {}", tenant.id) };
        };
        let user = UserId { tenant: tenant.id, name: name.clone() };
        let whose = match ctx.agent_of(&user) {
            Some(agent) => format!("account {user}, the phone of agent {agent},"),
            None => format!("account {user}"),
        };
        match ctx.contacts(&user) {
            0 => Verdict::Refuse {
                cause: Cause::NotRegistered,
                why: format!("{whose} has no registered device"),
            },
            n => Verdict::Decide {
                to: Destination::User(user),
                why: format!("{whose} has {n} registered {}", if n == 1 { "device" } else { "devices" }),
            },
        }
    }
}

#[cfg(test)]
mod tests;
