//! `[webhooks]`: where events may be posted to; and `[[webhook]]`: where they are.

use super::Checks;
use super::section::Section;
use super::value::{boolean, duration, integer, secret, some_text};
use crate::outgoing::{Target, allowed};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use core::time::Duration;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Least length of a secret.
const SECRET_MIN: usize = 16;

/// `[webhooks]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WebhooksMachine {
    /// How URLs begin that may be posted to.
    pub allowed: Vec<String>,
    /// PEM: whom we trust, if not those the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether they may be at private addresses.
    pub allow_private: bool,
    /// Longest time for one attempt.
    pub limit: Duration,
    /// Attempts before a delivery is given up.
    pub attempts: u32,
    /// The pause before the second attempt; doubled before each further one, up to five minutes.
    pub pause: Duration,
    /// Deliveries given up one after the other, after which a webhook is disabled.
    pub disable_after: u32,
    /// Dead letters kept for each webhook.
    pub dead_letters: u32,
    /// Most events in one delivery.
    pub batch: u32,
}

/// One `[[webhook]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookConfig {
    /// Whose events.
    pub tenant: TenantId,
    /// Its name.
    pub name: Name,
    /// Where to.
    pub url: String,
    /// Kinds of events; all if empty.
    pub kinds: Vec<String>,
    /// What deliveries are signed with: the secret, and the one before it.
    pub secrets: Vec<Secret>,
}

pub(super) fn read(section: &Section<'_>, base: &Path) -> WebhooksMachine {
    let second = Duration::from_secs(1);
    let read = WebhooksMachine {
        allowed: super::fetch::urls(section, "allowed"),
        ca: section.opt("ca", some_text).map(|at| base.join(at.value)),
        allow_private: section.or("allow_private", false, boolean),
        limit: section.or("limit", 10 * second, duration(Duration::from_millis(100)..=60 * second)),
        attempts: section.or("attempts", 10, integer(1..=100, "attempts")),
        pause: section.or("pause", second, duration(Duration::from_millis(10)..=60 * second)),
        disable_after: section.or("disable_after", 20, integer(1..=10_000, "deliveries")),
        dead_letters: section.or("dead_letters", 1_000, integer(1..=100_000, "deliveries")),
        batch: section.or("batch", 20, integer(1..=100, "events")),
    };
    section.finish();
    read
}

/// Reads one, of a tenant that is known.
pub(super) fn webhook(
    section: &Section<'_>,
    tenant: Option<TenantId>,
    machine: &WebhooksMachine,
    checks: &Checks<'_>,
) -> Option<WebhookConfig> {
    let name = section.need("name", "a name", |node| {
        let text = some_text(node)?;
        Name::new(&text).map_err(|why| super::value::wrong(node, why.to_string()))
    });
    let url = section.need("url", "where events are posted to", |node| {
        let url = some_text(node)?;
        match Target::read(&url, ["http", "https"]) {
            None => Err(super::value::wrong(node, "a URL that begins with http:// or https://")),
            Some(_) if allowed(&machine.allowed, &url, ["http", "https"]).is_none() => {
                Err(super::value::wrong(node, "a URL below one that [webhooks] allowed names"))
            }
            Some(_) => Ok(url),
        }
    });
    let kinds = section.list("kinds", |node| {
        let text = some_text(node)?;
        cordboard_api::events::kind(&text).map_err(|why| super::value::wrong(node, why))
    });
    let newest = signing(section, ("secret", "secret_env"), checks);
    let before = signing(section, ("old_secret", "old_secret_env"), checks);
    if section.has("secret").is_none() && section.has("secret_env").is_none() {
        let missing = "a secret of at least 16 characters, or secret_env";
        let _ = section.need("secret", missing, secret(SECRET_MIN));
    }
    let secrets: Vec<Secret> = newest.into_iter().chain(before).map(Secret).collect();
    let kinds = kinds.map_or_else(Vec::new, |list| list.value.into_iter().map(|at| at.value).collect());
    let (name, url) = (name?.value, url?.value);
    Some(WebhookConfig { tenant: tenant?, name, url, kinds, secrets })
}

/// A secret from the file, or from the variable that it names.
pub(super) fn signing(
    section: &Section<'_>,
    (key, variable): (&'static str, &'static str),
    checks: &Checks<'_>,
) -> Option<String> {
    let own = section.opt(key, secret(SECRET_MIN)).map(|at| at.value);
    let read = section.opt(variable, |node| {
        let name = some_text(node)?;
        match (checks.env)(&name) {
            Some(value) if value.len() >= SECRET_MIN => Ok(value),
            Some(_) => Err(super::value::wrong(node, "a variable with a secret of at least 16 characters")),
            None => Err(super::value::wrong(node, "an environment variable that is set")),
        }
    });
    own.or(read.map(|at| at.value))
}
