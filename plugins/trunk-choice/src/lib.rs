//! By which trunk a call leaves: the least cost first, among those of one cost by weight.
//!
//! Invariants: a number is looked up by the longest beginning that is configured; trunks that cannot carry the call now
//! come after all that can, and only if none can is the call refused; who came in by a trunk does not get out again at our
//! cost, unless the configuration says so of that trunk; and nothing but a number leaves ([`is_dialable`]).

use cordboard_model::cause::Cause;
use cordboard_model::id::TrunkId;
use cordboard_model::routes::{WayOut, WayTrunk, covers, is_dialable};
use cordboard_plugin_api::{Notes, RouteContext, RouteRequest, RoutingPlugin, TrunkRoom, Verdict, shown};

/// Most digits of a number: an international one has 15, and its prefix some more.
const DIGITS_MAX: usize = 24;

/// The plugin `trunk-choice`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrunkChoicePlugin;

impl RoutingPlugin for TrunkChoicePlugin {
    fn name(&self) -> &'static str {
        "trunk-choice"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict {
        let pass = |why: String| Verdict::Pass { why };
        let Some(number) = bare(&req.to.user) else {
            return pass(format!("{} is no number", shown(&req.to.user)));
        };
        let number = number.as_str();
        let ways = ctx.tenant().routes.ways.iter().filter(|way| number.starts_with(&way.prefix));
        let mut ways: Vec<&WayOut> = ways.collect();
        // of equal ones the first that is written
        ways.sort_by_key(|way| core::cmp::Reverse(way.prefix.len()));
        let Some(longest) = ways.first().map(|way| way.prefix.len()) else {
            return pass(format!("no way out begins like {number}"));
        };
        let (taken, shorter): (Vec<&WayOut>, Vec<&WayOut>) =
            ways.into_iter().partition(|way| way.prefix.len() == longest);
        shorter.iter().for_each(|way| notes.reject(name(way), "a longer beginning is there"));
        for way in taken {
            match may(way, req) {
                Ok(()) => return leave(way, (req, number), ctx, notes),
                Err(why) => notes.reject(name(way), why),
            }
        }
        Verdict::Refuse {
            cause: Cause::Forbidden,
            why: format!("{} may not call {number}", shown(&req.from.user)),
        }
    }
}

/// A number without what only separates its digits (RFC 3966 5.1.1): carriers leave it out, and so a way that is not for a
/// caller must not be missed by a hyphen. None if it is none, or has more digits than numbers have.
fn bare(number: &str) -> Option<String> {
    if !is_dialable(number) {
        return None;
    }
    if number.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Some(number.to_owned());
    }
    let bare: String = number.chars().filter(|c| !matches!(c, '-' | '.' | '_')).collect();
    let digits = bare.chars().filter(char::is_ascii_digit).count();
    (!bare.is_empty() && digits <= DIGITS_MAX).then_some(bare)
}

fn name(way: &WayOut) -> String {
    match way.prefix.as_str() {
        "" => "way out for all numbers".to_owned(),
        prefix => format!("way out {prefix}"),
    }
}

/// Whether the caller may use a way.
fn may(way: &WayOut, req: &RouteRequest) -> Result<(), String> {
    match (&req.user, &req.trunk) {
        (Some(user), None) if covers(&way.users, user.name.as_str()) => Ok(()),
        (Some(user), None) => Err(format!("not for account {user}")),
        (_, Some(trunk)) if way.from_trunks.contains(trunk) => Ok(()),
        (_, Some(trunk)) => Err(format!("not for who comes in by trunk {trunk}")),
        // neither: the house itself calls, by its API or a flow
        (None, None) => Ok(()),
    }
}

fn leave(
    way: &WayOut,
    (req, number): (&RouteRequest, &str),
    ctx: &dyn RouteContext,
    notes: &mut Notes,
) -> Verdict {
    let (mut by, mut spare) = (Vec::new(), Vec::new());
    for trunk in in_order(way, req.draw) {
        match ctx.trunk(trunk) {
            TrunkRoom::Ready => by.push(trunk.clone()),
            room => {
                notes.reject(format_args!("trunk {trunk}"), room.as_str());
                if matches!(room, TrunkRoom::Full | TrunkRoom::Down) {
                    spare.push(trunk.clone());
                }
            }
        }
    }
    let Some(first) = by.first().cloned() else {
        let why = format!("{}: none of its trunks can carry the call", name(way));
        return Verdict::Refuse { cause: Cause::Congestion, why };
    };
    by.append(&mut spare);
    let others: Vec<String> = by.iter().skip(1).map(ToString::to_string).collect();
    let then = if others.is_empty() { String::new() } else { format!(", then {}", others.join(", ")) };
    let why = format!("{}: trunk {first}{then}", name(way));
    Verdict::Leave { by, number: number.to_owned(), urgent: None, why }
}

/// The trunks of a way, those of least cost first; within one cost by weight, as RFC 2782 has it.
fn in_order(way: &WayOut, draw: u64) -> Vec<&TrunkId> {
    let mut left: Vec<&WayTrunk> = way.trunks.iter().collect();
    left.sort_by_key(|trunk| trunk.cost);
    let mut order = Vec::with_capacity(left.len());
    let mut draw = draw;
    while let Some(cost) = left.first().map(|trunk| trunk.cost) {
        let same = left.iter().take_while(|trunk| trunk.cost == cost).count();
        let sum: u64 = left.iter().take(same).map(|trunk| u64::from(trunk.weight)).sum();
        let mut drawn = if sum == 0 { 0 } else { draw % sum };
        draw = draw.rotate_right(17).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut at = 0;
        for (index, trunk) in left.iter().take(same).enumerate() {
            at = index;
            let own = u64::from(trunk.weight);
            if drawn < own || sum == 0 {
                break;
            }
            drawn -= own;
        }
        order.push(&left.remove(at).trunk);
    }
    order
}

#[cfg(test)]
mod tests;
