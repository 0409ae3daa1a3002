//! Who may call, and who comes first: lists of callers that block, allow, or prefer.
//!
//! Invariant: the lists are looked at in the order in which they are written, and the first that decides does. A list
//! that blocks keeps out who is on it; one that allows keeps out who is not; one that prefers sends a caller to a place
//! of his own, or gives him a better one in any queue, and then the plugins after this one decide.
//!
//! A caller who withholds his number is `anonymous`.

use cordboard_model::cause::Cause;
use cordboard_model::routes::{CallerList, ListKind, covers};
use cordboard_plugin_api::{
    Change, Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, destination, shown,
};

/// The plugin `caller-lists`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallerListsPlugin;

impl RoutingPlugin for CallerListsPlugin {
    fn name(&self) -> &'static str {
        "caller-lists"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict {
        let lists = &ctx.tenant().routes.lists;
        let caller = shown(&req.from.user);
        for list in lists {
            if !covers(&list.called, &req.to.user) {
                notes.reject(&list.name, format_args!("not for {}", shown(&req.to.user)));
                continue;
            }
            let found = on(list, &req.from.user, ctx);
            let decides = match list.kind {
                ListKind::Block | ListKind::Vip => found.is_some(),
                ListKind::Allow => found.is_none(),
            };
            match decides {
                true => return act(list, &caller, found),
                false if list.kind == ListKind::Allow => {
                    notes.reject(&list.name, format_args!("{caller} is on it"))
                }
                false => notes.reject(&list.name, format_args!("{caller} is not on it")),
            }
        }
        let why = match lists.len() {
            0 => "there are no lists".to_owned(),
            _ => format!("no list has anything against or for {caller}"),
        };
        Verdict::Pass { why }
    }
}

/// By what a caller is on a list.
fn on(list: &CallerList, caller: &str, ctx: &dyn RouteContext) -> Option<String> {
    if let Some(pattern) = list.callers.iter().find(|pattern| pattern.has(caller)) {
        return Some(format!("as {pattern}"));
    }
    let table = list.table.as_ref()?;
    ctx.row(table, caller).map(|_| format!("by table {table}"))
}

fn act(list: &CallerList, caller: &str, found: Option<String>) -> Verdict {
    let name = &list.name;
    let standing = match found {
        Some(by) => format!("{caller} is on the list {name}, {by}"),
        None => format!("{caller} is not on the list {name}"),
    };
    match (list.kind, &list.to) {
        (ListKind::Vip, None) => Verdict::Amend {
            changes: vec![Change::Priority(list.priority)],
            then: None,
            why: format!("{standing}: priority {} in a queue", list.priority),
        },
        (_, Some(to)) => {
            Verdict::Decide { to: to.clone(), why: format!("{standing}: goes to {}", destination(to)) }
        }
        (_, None) => Verdict::Refuse { cause: Cause::Forbidden, why: standing },
    }
}

#[cfg(test)]
mod tests;
