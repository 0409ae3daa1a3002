//! `[tenant.NAME.access]`: how people who administrate a tenant sign in, whose pages may ask, and how long the audit log is kept.

use super::machine::flag;
use super::section::{Section, Wrong};
use super::tree::Node;
use super::value::{duration, some_text, wrong};
use cordboard_api::catalog;
use cordboard_model::access::{AccessTerms, Scopes};
use core::time::Duration;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// Reads it from the tenant's section.
pub(super) fn read(section: &Section<'_>) -> AccessTerms {
    let own = section.section("access");
    let usual = AccessTerms::default();
    let minute = Duration::from_secs(60);
    let terms = AccessTerms {
        idle: own.or("session_idle", usual.idle, duration(5 * minute..=7 * DAY)),
        longest: own.or("session_longest", usual.longest, duration(5 * minute..=30 * DAY)),
        totp_required: flag(&own, "second_factor_required", usual.totp_required),
        origins: origins(&own, "origins").into_iter().collect(),
        audit_keep: own.or("audit_keep", usual.audit_keep, duration(DAY..=3_650 * DAY)),
    };
    own.finish();
    terms
}

/// A list of origins.
pub(super) fn origins(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let list = section.list(key, origin).map_or_else(Vec::new, |list| list.value);
    list.into_iter().map(|at| at.value).collect()
}

/// An origin as browsers write it (RFC 6454 6.2): scheme and host in small letters, no path. Compared letter by letter.
fn origin(node: &Node) -> Result<String, Wrong> {
    let text = some_text(node)?;
    let (scheme, host) = text.split_once("://").unwrap_or_default();
    let is_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-:[]".contains(c);
    match ["http", "https"].contains(&scheme) && !host.is_empty() && host.chars().all(is_host) {
        true => Ok(text),
        false => {
            Err(wrong(node, "an origin as \"https://desk.example.com\": small letters, no path, no \"*\""))
        }
    }
}

/// What a key of the configuration opens: everything if it says nothing.
pub(super) fn scopes(section: &Section<'_>) -> Scopes {
    let Some(list) = section.list("scopes", scope) else {
        return Scopes::all();
    };
    Scopes::new(list.value.into_iter().map(|at| at.value)).unwrap_or_default()
}

fn scope(node: &Node) -> Result<String, Wrong> {
    let text = some_text(node)?;
    let known = catalog::scopes();
    let opens = Scopes::new([text.as_str()]).is_ok_and(|one| known.iter().any(|scope| one.cover(scope)));
    match opens {
        true => Ok(text),
        false => Err(wrong(
            node,
            "a scope that opens something, as \"calls:read\", \"calls:*\", \"*:read\" or \"*\"",
        )),
    }
}
