//! `[tenant.NAME.smart]`: the program that listens to the calls of smart agents, and how many agents may be smart.

use super::error::Problem;
use super::section::{Pos, Report, Section, Wrong};
use super::tree::Node;
use super::value::{integer, some_text, wrong};
use crate::outgoing::Target;
use cordboard_model::config::Tenant;
use cordboard_model::desk::Smart;
use cordboard_model::id::Name;
use std::collections::BTreeMap;

/// Most agents that may be smart, and as many as are allowed where it is not said.
const AGENTS_MAX: u32 = 10_000;

pub(super) fn read(tenant: &Section<'_>) -> Option<Smart> {
    tenant.has("smart")?;
    let section = tenant.section("smart");
    let url = section.need("url", "the program that listens, as \"wss://bots.example/assist\"", program);
    let agents = section.or("agents", AGENTS_MAX, integer(0..=AGENTS_MAX, "agents"));
    section.finish();
    Some(Smart { url: url?.value, agents })
}

fn program(node: &Node) -> Result<String, Wrong> {
    let url = some_text(node)?;
    match Target::read(&url, ["ws", "wss"]) {
        Some(_) => Ok(url),
        None => Err(wrong(node, "a URL that begins with ws:// or wss://")),
    }
}

/// Whether no more agents are smart than may be.
pub(super) fn check(tenant: &Tenant, agents: &BTreeMap<Name, Pos>, report: &Report) {
    let Some(smart) = &tenant.desk.smart else { return };
    let all: Vec<&Name> =
        tenant.agents.iter().filter(|(_, agent)| agent.duty.smart).map(|(name, _)| name).collect();
    let allowed = usize::try_from(smart.agents).unwrap_or(usize::MAX);
    if let Some(pos) = all.get(allowed).and_then(|name| agents.get(*name)) {
        let section = format!("[tenant.{}.smart]", tenant.id);
        let why = format!("{} agents are smart; the tenant may have {allowed}", all.len());
        report.error(*pos, Problem::Conflict { key: "agents".into(), section, why });
    }
}
