//! Ends calls that go round in a circle: sent on from house to house, or out by a carrier and in again.
//!
//! A call that comes back is a new call each time, so that no count of its own can stop it. Two things show: the
//! diversions that it brings along (RFC 5806, RFC 7044), and that many calls are up between the same two numbers.

use cordboard_model::cause::Cause;
use cordboard_plugin_api::{Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, shown};

/// The plugin `loop-guard`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoopGuardPlugin;

impl RoutingPlugin for LoopGuardPlugin {
    fn name(&self) -> &'static str {
        "loop-guard"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, _: &mut Notes) -> Verdict {
        let limits = ctx.tenant().routes.loops;
        // who withholds his number is nobody in particular, and many
        let known = req.from.user.contains(|c: char| c.is_ascii_digit());
        let alike = if known { ctx.alike(&req.from.user, &req.to.user) } else { 0 };
        let why = if req.diversions > limits.diversions {
            format!("it was sent on {} times already; {} are allowed", req.diversions, limits.diversions)
        } else if alike > u32::from(limits.alike) {
            let (from, to) = (shown(&req.from.user), shown(&req.to.user));
            format!("{alike} calls are up from {from} to {to}; {} are allowed", limits.alike)
        } else {
            let why = format!("sent on {} times, {alike} calls between these two numbers", req.diversions);
            return Verdict::Pass { why };
        };
        Verdict::Refuse { cause: Cause::NoRoute, why }
    }
}

#[cfg(test)]
mod tests;
