//! `[sip.guard]`, and what `[sip]` says of overload.

use super::section::{Section, Wrong};
use super::tree::Node;
use super::value::{boolean, duration, integer, some_text, wrong};
use cordboard_model::guard::{GuardLimits, Network};
use core::time::Duration;

/// Reads both. `sip` is the section around.
pub(super) fn read(sip: &Section<'_>) -> GuardLimits {
    let d = GuardLimits::default();
    let guard = sip.section("guard");
    let ms = Duration::from_millis;
    let day = Duration::from_secs(86_400);
    let rate = |key| guard.or(key, 0, integer(0..=100_000, "calls a second"));
    let calls = |key| guard.or(key, 0, integer(0..=100_000, "calls"));
    let (ban, ban_max) = (
        guard.opt("ban", duration(ms(1_000)..=day * 7)),
        guard.opt("ban_max", duration(ms(1_000)..=day * 30)),
    );
    let first = ban.as_ref().map_or(d.ban, |at| at.value);
    let longest = ban_max.as_ref().map_or(d.ban_max, |at| at.value);
    if first > longest {
        let pos = ban_max.or(ban).map_or(guard.pos, |at| at.pos);
        guard.conflict("ban_max", pos, "expected at least ban");
    }
    let words = guard
        .list("scanners", some_text)
        .map(|list| list.value.into_iter().map(|at| at.value.to_ascii_lowercase()).collect());
    let allow = guard.list("allow", network).map(|list| list.value.into_iter().map(|at| at.value).collect());
    let read = GuardLimits {
        enabled: guard.or("enabled", d.enabled, boolean),
        sources: guard.or("sources", d.sources, integer(256..=1_000_000, "sources")),
        offences: guard.or("offences", d.offences, integer(1..=100_000, "offences")),
        window: guard.or("window", d.window, duration(ms(1_000)..=day)),
        ban: first,
        ban_max: longest,
        answers_per_second: guard.or(
            "answers_per_second",
            d.answers_per_second,
            integer(1..=1_000_000, "answers a second"),
        ),
        scanners: words.unwrap_or(d.scanners),
        allow: allow.unwrap_or(d.allow),
        account_calls_per_second: rate("account_calls_per_second"),
        account_calls: calls("account_calls"),
        number_calls_per_second: rate("number_calls_per_second"),
        number_calls: calls("number_calls"),
        calls_per_second: sip.or(
            "calls_per_second",
            d.calls_per_second,
            integer(0..=1_000_000, "calls a second"),
        ),
        overload_delay: sip.or("overload_delay", d.overload_delay, duration(ms(10)..=ms(10_000))),
    };
    guard.finish();
    read
}

fn network(node: &Node) -> Result<Network, Wrong> {
    let expected = "an address, or a network as \"192.0.2.0/24\"";
    some_text(node)?.parse().map_err(|_| wrong(node, expected))
}
