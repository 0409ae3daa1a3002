//! `[third_party]`: how enterprises are asked whether their agents are who they say; and `[tenant.NAME.third_party]`: whose.

use super::section::Section;
use super::value::{boolean, duration, some_text, wrong};
use crate::outgoing::Target;
use cordboard_model::config::Tenant;
use cordboard_model::id::TenantId;
use cordboard_model::third_party::ThirdPartyTerms;
use core::time::Duration;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Longest name of a tenant on an enterprise's page, characters.
const SPACE_MAX: usize = 128;

/// `[third_party]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ThirdPartyMachine {
    /// Longest time for an answer.
    pub limit: Duration,
    /// PEM: whom we trust, if not those the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether the enterprises' servers may be at private addresses.
    pub allow_private: bool,
}

pub(super) fn machine(section: &Section<'_>, base: &Path) -> ThirdPartyMachine {
    let limits = Duration::from_millis(100)..=Duration::from_secs(30);
    let read = ThirdPartyMachine {
        limit: section.or("limit", Duration::from_secs(5), duration(limits)),
        ca: section.opt("ca", some_text).map(|at| base.join(at.value)),
        allow_private: section.or("allow_private", false, boolean),
    };
    section.finish();
    read
}

/// Each tenant whose agents have an enterprise is called otherwise by its pages.
pub(super) fn differ<'a>(root: &Section<'_>, tenants: impl Iterator<Item = &'a Tenant>) {
    let mut taken = BTreeMap::new();
    for tenant in tenants {
        let Some(terms) = &tenant.third_party else { continue };
        if let Some(other) = taken.insert(&terms.space, tenant.id) {
            let why = format!("tenants {other} and {} have the same space {:?}", tenant.id, terms.space);
            root.conflict("third_party", root.pos, why);
        }
    }
}

/// Reads it from the tenant's section.
pub(super) fn read(section: &Section<'_>, tenant: TenantId) -> Option<ThirdPartyTerms> {
    section.has("third_party")?;
    let own = section.section("third_party");
    let url = own.need("url", "where the enterprise is asked", |node| {
        let url = some_text(node)?;
        match Target::read(&url, ["http", "https"]) {
            Some(_) => Ok(url),
            None => Err(wrong(node, "a URL that begins with http:// or https://")),
        }
    });
    let space = own.or("space", tenant.to_string(), |node| {
        let space = some_text(node)?;
        match (1..=SPACE_MAX).contains(&space.chars().count()) {
            true => Ok(space),
            false => Err(wrong(node, "1 to 128 characters")),
        }
    });
    let take_over = own.or("take_over", true, boolean);
    own.finish();
    Some(ThirdPartyTerms { url: url?.value, space, take_over })
}
