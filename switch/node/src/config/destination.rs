//! Names that must lead somewhere: `flow:main`, `queue:sales`, `trunk:NAME:number`.

use super::error::Problem;
use super::section::{At, Pos, Section};
use super::suggest::nearest;
use cordboard_model::id::{AgentId, FlowId, Name, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What there is in one tenant, read before anything that refers to it.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) users: BTreeMap<Name, Pos>,
    pub(super) agents: BTreeMap<Name, Pos>,
    pub(super) queues: BTreeMap<Name, Pos>,
    pub(super) flows: BTreeMap<Name, Pos>,
    pub(super) trunks: BTreeMap<Name, Pos>,
    pub(super) pools: BTreeMap<Name, Pos>,
    pub(super) calendars: BTreeMap<Name, Pos>,
    /// Trunks that calls can be sent by.
    pub(super) gateways: Vec<String>,
    /// None if the folder could not be read: then no prompt is reported as missing.
    pub(super) assets: Option<BTreeMap<Name, PathBuf>>,
}

const FORMS: &str = "\"flow:NAME\", \"queue:NAME\", \"agent:NAME\", \"user:NAME\" or \"trunk:NAME:NUMBER\"";

/// Finds a name among those of its kind, or reports it.
pub(super) fn resolve<V>(
    section: &Section<'_>,
    key: &str,
    kind: &'static str,
    at: &At<String>,
    known: &BTreeMap<Name, V>,
) -> Option<Name> {
    if let Some((name, _)) = known.get_key_value(at.value.as_str()) {
        return Some(name.clone());
    }
    let words = || known.keys().map(Name::as_str);
    let mut some: Vec<String> = words().take(8).map(Into::into).collect();
    if known.len() > some.len() {
        some.push("others".into());
    }
    let problem = Problem::Dangling {
        key: key.into(),
        section: section.shown(),
        kind,
        name: at.value.clone(),
        meant: nearest(&at.value, words()).map(Into::into),
        known: some,
    };
    section.report().error(at.pos, problem);
    None
}

/// Reads a destination and finds what it names, or reports what is wrong.
pub(super) fn read(
    section: &Section<'_>,
    key: &str,
    at: &At<String>,
    tenant: TenantId,
    names: &Names,
) -> Option<Destination> {
    let (kind, name) = at.value.split_once(':').unwrap_or(("", ""));
    let part = |value: &str| At { value: value.to_owned(), pos: at.pos };
    let name_at = part(name);
    match kind {
        "flow" => resolve(section, key, "flow", &name_at, &names.flows)
            .map(|name| Destination::Flow(FlowId { tenant, name })),
        "queue" => resolve(section, key, "queue", &name_at, &names.queues)
            .map(|name| Destination::Queue(QueueId { tenant, name })),
        "agent" => resolve(section, key, "agent", &name_at, &names.agents)
            .map(|name| Destination::Agent(AgentId { tenant, name })),
        "user" => resolve(section, key, "user", &name_at, &names.users)
            .map(|name| Destination::User(UserId { tenant, name })),
        "trunk" => {
            let (trunk, number) = name.split_once(':').unwrap_or((name, ""));
            let name = resolve(section, key, "trunk", &part(trunk), &names.trunks);
            if !is_number(number) {
                let why = "expected the number to call, as \"trunk:NAME:NUMBER\"";
                section.conflict(key, at.pos, why);
                return None;
            }
            let name = name?;
            if !names.gateways.iter().any(|known| known == trunk) {
                let why = format!("trunk {trunk:?} has no gateway, so no call can be sent by it");
                section.conflict(key, at.pos, why);
                return None;
            }
            let id = TrunkId { tenant, name };
            Some(Destination::Trunk(id, number.into()))
        }
        _ => {
            let problem = Problem::Value {
                key: key.into(),
                section: section.shown(),
                expected: FORMS.into(),
                found: format!("{:?}", at.value),
            };
            section.report().error(at.pos, problem);
            None
        }
    }
}

pub(super) use cordboard_model::routes::is_dialable as is_number;
