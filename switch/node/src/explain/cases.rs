//! `routes.test.toml`, beside the configuration: calls, and what is to become of them. `cordboard check` runs it, so that a
//! change of the configuration cannot send calls elsewhere unseen.

use super::{Call, Question};
use crate::config::Loaded;
use cordboard_model::config::Tenant;
use cordboard_model::id::{AgentId, TrunkId};
use cordboard_model::time::Duration;
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{Ask, AskAnswer, Paper, RouteEnd, RouteOutcome, TrunkRoom, destination};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// The file, in the folder of the configuration.
pub const FILE: &str = "routes.test.toml";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(default)]
    case: Vec<Case>,
}

/// One call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows.
    name: String,
    /// As in `cordboard route explain`.
    from: String,
    to: String,
    at: Option<String>,
    #[serde(default = "default_tenant")]
    tenant: String,
    /// Where it goes, as in the configuration (`queue:sales`); or
    goes_to: Option<String>,
    /// why it is refused (`forbidden`).
    refused: Option<String>,
    /// The trunks that are tried, in this order.
    by: Option<Vec<String>>,
    /// The plugin that decides.
    plugin: Option<String>,
    #[serde(default)]
    given: Given,
}

/// What the day is like.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Trunks that cannot carry a call.
    #[serde(default)]
    down: Vec<String>,
    #[serde(default)]
    full: Vec<String>,
    #[serde(default)]
    blocked: Vec<String>,
    /// Agents who are ready.
    #[serde(default)]
    ready: Vec<String>,
    /// Callers with the agent whom each talked to an hour ago.
    #[serde(default)]
    talked: BTreeMap<String, String>,
    /// What is drawn for the call: shares and weights go by it.
    #[serde(default)]
    draw: u64,
    /// Diversions that the call brings along.
    #[serde(default)]
    diversions: u8,
    /// What the server answers that decides, in JSON; none: nothing in time.
    http: Option<String>,
    /// What the flow returns that decides, in JSON; none: nothing in time.
    lua: Option<String>,
}

fn default_tenant() -> String {
    "default".to_owned()
}

/// Runs the file that stands beside a configuration; what is to be said of it, or none if there is none.
///
/// # Errors
/// The file cannot be read, or calls go elsewhere: each with what it says and what is.
pub fn run(config: &Path, loaded: &Loaded) -> Result<Option<String>, String> {
    let file = config.with_file_name(FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(format!("{}: {why}", file.display())),
    };
    let shown = file.display();
    let cases: Cases = toml::from_str(&text).map_err(|why| format!("{shown}: {why}"))?;
    let mut wrong = String::new();
    let mut count = 0;
    for case in &cases.case {
        if let Err(why) = one(case, loaded) {
            count += 1;
            // Writing to a String cannot fail.
            let _ = writeln!(wrong, "{shown}: {:?}: {why}", case.name);
        }
    }
    let of = cases.case.len();
    match count {
        0 => Ok(Some(format!("{shown}: {of} call{} go where they should", if of == 1 { "" } else { "s" }))),
        _ => Err(format!("{wrong}{count} of {of} calls do not go where they should")),
    }
}

fn one(case: &Case, loaded: &Loaded) -> Result<(), String> {
    let question = Question { from: &case.from, to: &case.to, at: case.at.as_deref(), tenant: &case.tenant };
    let mut call = Call::read(&question, loaded)?;
    call.written.draw = case.given.draw;
    call.written.diversions = case.given.diversions;
    let paper = paper(&case.given, call.tenant)?;
    let outcome = call.decide(&paper, |ask| match (ask, &case.given.http, &case.given.lua) {
        (Ask::Fetch(_), Some(body), _) => AskAnswer::Fetched { status: 200, body: body.clone() },
        (Ask::Flow(_), _, Some(text)) => AskAnswer::Returned(Some(text.clone())),
        (Ask::Fetch(_), None, _) | (Ask::Flow(_), _, None) => AskAnswer::Late,
    })?;
    compare(case, &outcome)
}

fn paper<'a>(given: &Given, tenant: &'a Tenant) -> Result<Paper<'a>, String> {
    let mut paper = Paper::new(tenant);
    let rooms = [
        (&given.down, TrunkRoom::Down),
        (&given.full, TrunkRoom::Full),
        (&given.blocked, TrunkRoom::Blocked),
    ];
    for (names, room) in rooms {
        for name in names {
            let id = TrunkId::new(tenant.id, name).ok().filter(|id| tenant.trunks.contains_key(&id.name));
            paper.rooms.insert(id.ok_or_else(|| format!("there is no trunk {name:?}"))?, room);
        }
    }
    let agent = |name: &String| {
        let id = AgentId::new(tenant.id, name).ok().filter(|id| tenant.agents.contains_key(&id.name));
        id.ok_or_else(|| format!("there is no agent {name:?}"))
    };
    paper.ready = given.ready.iter().map(agent).collect::<Result<_, _>>()?;
    for (caller, name) in &given.talked {
        paper.talks.insert(caller.clone(), (agent(name)?, Duration::from_secs(3_600)));
    }
    Ok(paper)
}

/// A destination as the configuration writes it.
fn written(to: &Destination) -> String {
    match to {
        Destination::Flow(id) => format!("flow:{}", id.name),
        Destination::Queue(id) => format!("queue:{}", id.name),
        Destination::Agent(id) => format!("agent:{}", id.name),
        Destination::User(id) => format!("user:{}", id.name),
        Destination::Trunk(id, number) => format!("trunk:{}:{number}", id.name),
    }
}

fn compare(case: &Case, outcome: &RouteOutcome) -> Result<(), String> {
    let last = outcome.reasons.last().map(|reason| format!("{}: {}", reason.plugin, reason.why));
    let told = last.map(|last| format!(" ({last})")).unwrap_or_default();
    let (to, by, refused) = match &outcome.end {
        RouteEnd::Decided { to, others, .. } => {
            let first = match to {
                Destination::Trunk(id, _) => Some(id),
                _ => None,
            };
            let by: Vec<String> = first.into_iter().chain(others).map(|id| id.name.to_string()).collect();
            (Some((written(to), destination(to))), by, None)
        }
        RouteEnd::Refused { cause, .. } => (None, Vec::new(), Some(cause.as_str())),
    };
    let is = match (&to, refused) {
        (Some((_, shown)), _) => format!("it goes to {shown}{told}"),
        (None, Some(cause)) => format!("it is refused, {cause}{told}"),
        (None, None) => format!("nothing becomes of it{told}"),
    };
    match (&case.goes_to, &case.refused) {
        (Some(_), Some(_)) | (None, None) => return Err("expected one of goes_to and refused".to_owned()),
        (Some(wanted), None) if to.as_ref().map(|(to, _)| to) != Some(wanted) => {
            return Err(format!("expected {wanted}, but {is}"));
        }
        (None, Some(wanted)) if refused != Some(wanted) => {
            return Err(format!("expected a refusal, {wanted}, but {is}"));
        }
        _ => {}
    }
    if let Some(wanted) = case.by.as_ref().filter(|wanted| **wanted != by) {
        return Err(format!("expected the trunks {}, but it leaves by {}", wanted.join(", "), by.join(", ")));
    }
    let plugin = outcome.reasons.last().map(|reason| reason.plugin.as_str());
    match case.plugin.as_deref().filter(|wanted| Some(*wanted) != plugin) {
        Some(wanted) => Err(format!("expected {wanted} to decide, but {}", plugin.unwrap_or("nobody did"))),
        None => Ok(()),
    }
}
