//! Routing by what was dialled: an access code, optionally with an extension code, leads to a
//! flow, a queue, an agent, a user or a trunk.
//!
//! Invariant: a route applies if, and only if, its access code followed by its extension code is
//! exactly what was dialled. So 12345 with the extension codes 1 and 2 takes calls to 123451 and
//! 123452; a caller of 12345 alone gets there only by a route without extension code.
//!
//! Several routes can read the same digits (12345, 1234 with 5, 123 with 45): the longest access
//! code wins, then the one written first.

use cordboard_model::config::CalledNumber;
use cordboard_plugin_api::{Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, destination, shown};
use core::cmp::Reverse;

/// Most extension codes listed in a reason.
const LISTED_MAX: usize = 5;

/// The plugin `called-number`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CalledNumberPlugin;

impl RoutingPlugin for CalledNumberPlugin {
    fn name(&self) -> &'static str {
        "called-number"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, _: &mut Notes) -> Verdict {
        let tenant = ctx.tenant();
        let dialled = req.to.user.as_str();
        let applies = |route: &&CalledNumber| rest(route, dialled) == Some(extension(route));
        let routes = tenant.numbers.iter().filter(applies);
        // Of equal keys the first is taken: the one written first.
        match routes.min_by_key(|route| Reverse(route.access_code.len())) {
            Some(route) => Verdict::Decide {
                to: route.to.clone(),
                why: format!("{} leads to {}", code(route), destination(&route.to)),
            },
            None => Verdict::Pass {
                why: format!(
                    "{} is no access code of tenant {}{}",
                    shown(dialled),
                    tenant.id,
                    hint(&tenant.numbers, dialled)
                ),
            },
        }
    }
}

/// The digits that must follow the access code; empty if none.
fn extension(route: &CalledNumber) -> &str {
    route.extension_code.as_deref().unwrap_or_default()
}

/// What was dialled after the access code, if it was dialled at all.
fn rest<'a>(route: &CalledNumber, dialled: &'a str) -> Option<&'a str> {
    dialled.strip_prefix(route.access_code.as_str())
}

/// A route's codes in words.
fn code(route: &CalledNumber) -> String {
    match extension(route) {
        "" => format!("access code {}", route.access_code),
        ext => format!("access code {} with extension code {ext}", route.access_code),
    }
}

/// What the operator may have meant.
fn hint(routes: &[CalledNumber], dialled: &str) -> String {
    if routes.is_empty() {
        return ", which has none".into();
    }
    let begun = |r: &&CalledNumber| !extension(r).is_empty() && rest(r, dialled).is_some();
    let begun = routes.iter().filter(begun);
    if let Some(longest) = begun.max_by_key(|r| r.access_code.len()) {
        return wrong_extension(routes, &longest.access_code, dialled);
    }
    // The longest common beginning, then the least left over on both sides.
    let likeness = |route: &&CalledNumber| {
        let same = common(&route.access_code, dialled);
        (same, Reverse(route.access_code.len() + dialled.len() - 2 * same))
    };
    let mut best = None;
    for route in routes {
        let this = likeness(&route);
        if best.is_none_or(|(likest, _)| this > likest) {
            best = Some((this, route));
        }
    }
    match best {
        Some(((same, _), route)) if same > 0 => format!("; closest is {}", route.access_code),
        _ => String::new(),
    }
}

/// The access code was dialled, but what follows it is none of its extension codes.
fn wrong_extension(routes: &[CalledNumber], access_code: &str, dialled: &str) -> String {
    let extensions: Vec<&str> = routes
        .iter()
        .filter(|r| r.access_code == access_code)
        .filter_map(|r| r.extension_code.as_deref())
        .collect();
    let mut listed = extensions[..extensions.len().min(LISTED_MAX)].join(", ");
    if extensions.len() > LISTED_MAX {
        listed.push_str(", ...");
    }
    let given = match dialled.strip_prefix(access_code) {
        None | Some("") => "no extension code follows".into(),
        Some(ext) => format!("{} is none of its extension codes", shown(ext)),
    };
    format!("; it begins with access code {access_code}, but {given} ({listed})")
}

/// Length of the common beginning, bytes.
fn common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests;
