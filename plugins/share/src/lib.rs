//! Share by percentage: calls to a number go to several places, so many of a hundred each.
//!
//! Invariant: of many calls each place gets its share, whoever calls; which one a call gets is drawn for it and does not
//! depend on those before. What the parts leave of the hundred goes to the plugins after this one.

use cordboard_model::routes::{Share, covers};
use cordboard_plugin_api::{Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, destination, shown};

/// The plugin `share`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SharePlugin;

impl RoutingPlugin for SharePlugin {
    fn name(&self) -> &'static str {
        "share"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict {
        let shares = &ctx.tenant().routes.shares;
        let number = shown(&req.to.user);
        let Some(share) = shares.iter().find(|share| covers(&share.called, &req.to.user)) else {
            return Verdict::Pass { why: format!("calls to {number} are not shared out") };
        };
        decide(share, req.draw, notes)
    }
}

fn decide(share: &Share, draw: u64, notes: &mut Notes) -> Verdict {
    let drawn = u8::try_from(draw % 100).unwrap_or_default();
    let mut end = 0u8;
    let mut taken = None;
    for part in &share.parts {
        let begin = end;
        end = end.saturating_add(part.percent);
        match (begin..end).contains(&drawn) {
            true => taken = Some((part, begin, end)),
            false => notes.reject(destination(&part.to), format_args!("{drawn} is not in {begin} to {end}")),
        }
    }
    match taken {
        Some((part, begin, end)) => Verdict::Decide {
            to: part.to.clone(),
            why: format!(
                "{} of a hundred go to {}: {drawn} was drawn, which is in {begin} to {end}",
                part.percent,
                destination(&part.to)
            ),
        },
        None => Verdict::Pass { why: format!("{drawn} was drawn, which is nobody's") },
    }
}

#[cfg(test)]
mod tests;
