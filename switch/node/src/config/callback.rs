//! How a queue calls back those who keep their places in it: the keys of `[tenant.NAME.queue.NAME]` that begin with
//! `callback_`.

use super::calendar::span;
use super::destination::resolve;
use super::section::Section;
use super::tenant::Context;
use super::tree::Node;
use super::value::{boolean, dialled, duration, integer, one_of, some_text, wrong};
use cordboard_model::callback::{CallbackFirst, CallbackRules, CallbackWindow};
use core::time::Duration;

const FIRST: &[(&str, CallbackFirst)] =
    &[("agent", CallbackFirst::Agent), ("customer", CallbackFirst::Customer)];

/// A queue's.
pub(super) fn rules(context: &Context<'_>, section: &Section<'_>) -> CallbackRules {
    let (s, usual) = (Duration::from_secs, CallbackRules::default());
    let calendar = section.opt("callback_calendar", some_text);
    let hours = section.opt("callback_hours", span);
    if let (Some(_), Some(hours)) = (&calendar, &hours) {
        section.conflict("callback_hours", hours.pos, "there is a callback_calendar");
    }
    let calendar = calendar
        .and_then(|at| resolve(section, "callback_calendar", "calendar", &at, &context.names.calendars));
    let confirm = section.opt("callback_confirm", key);
    let prompt = context.asset(section, "callback_prompt");
    if let (Some(_), None, Some(pos)) = (&prompt, &confirm, section.has("callback_prompt")) {
        section.conflict("callback_prompt", pos, "no key is asked for: there is no callback_confirm");
    }
    CallbackRules {
        first: section.or("callback_first", usual.first, one_of(FIRST)),
        attempts: section.or("callback_attempts", usual.attempts, integer(1..=20, "")),
        every: section.or("callback_every", usual.every, duration(s(1)..=s(86_400))),
        expires: section.or("callback_expires", usual.expires, duration(s(60)..=s(2_592_000))),
        ring: section.or("callback_ring", usual.ring, duration(s(5)..=s(120))),
        window: calendar
            .map(CallbackWindow::Calendar)
            .or_else(|| hours.map(|at| CallbackWindow::Hours(at.value))),
        confirm: confirm.map(|at| at.value),
        prompt,
        other: section.or("callback_other", usual.other, boolean),
        to: section
            .list("callback_to", dialled)
            .map_or_else(Vec::new, |list| list.value.into_iter().map(|at| at.value).collect()),
        a_day: section.or("callback_a_day", usual.a_day, integer(1..=1_000, "")),
        keep: section.or("callback_keep", usual.keep, duration(s(3_600)..=s(31_536_000))),
    }
}

/// A key of a phone.
fn key(node: &Node) -> Result<char, super::section::Wrong> {
    let text = some_text(node)?;
    let mut keys = text.chars();
    match (keys.next(), keys.next()) {
        (Some(key), None) if key.is_ascii_digit() || matches!(key, '*' | '#') => Ok(key),
        _ => Err(wrong(node, "a key: 0 to 9, * or #")),
    }
}
