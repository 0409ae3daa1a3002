//! Where a flow's text comes from: a file, or what was published by the control API.

use super::section::{Report, Section};
use super::tenant::lua_faults;
use super::value::{integer, one_of, some_text};
use super::{Checks, ConfigError, libraries};
use crate::flows::shelf::{Shelf, ShelfError};
use cordboard_model::config::{Flow, FlowKit, Tenant};
use cordboard_model::event::EventKind;
use cordboard_model::id::{FlowId, Name};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `[flows]`: the versions of flows that are kept by the API. Taken over by a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowsMachine {
    /// Their folder.
    pub dir: PathBuf,
    /// How many versions of a flow are kept.
    pub versions: usize,
}

/// Who keeps the text of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    /// A file beside the configuration.
    File,
    /// The control API.
    Api,
}

/// Where a flow is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowHome {
    /// Who keeps its text.
    pub keeper: Keeper,
    /// The place of its section: `file:line:column`.
    pub place: String,
    /// Why what was published cannot run any more, and costs its own callers.
    pub broken: Option<String>,
}

/// Where each flow is configured.
pub type FlowHomes = BTreeMap<FlowId, FlowHome>;

const KEEPERS: &[(&str, Keeper)] = &[("file", Keeper::File), ("api", Keeper::Api)];

pub(super) fn keeper(section: &Section<'_>) -> Keeper {
    section.or("kept", Keeper::File, one_of(KEEPERS))
}

pub(super) fn read(section: &Section<'_>, base: &Path) -> FlowsMachine {
    let dir = base.join(section.or("dir", "../var/flows".to_owned(), some_text));
    let versions = section.or("versions", 200, integer(2..=10_000_u32, "versions"));
    section.finish();
    FlowsMachine { dir, versions: versions as usize }
}

/// How messages call the text of a flow that is kept by the API: with its version, or as a draft without.
pub(crate) fn label(flow: &FlowId, version: Option<u32>) -> String {
    match version {
        Some(version) => format!("{}@{version}.lua", flow.name),
        None => format!("{}.lua", flow.name),
    }
}

/// What was published.
pub(super) struct Published {
    /// How messages call it.
    pub label: String,
    /// Its text. Before the first version one that fails by name, so that callers hear the apology and go on to the fallback.
    pub text: String,
    /// Why it cannot be read.
    pub broken: Option<String>,
}

/// The version of a flow that was published last.
pub(super) fn published(dir: &Path, flow: &FlowId) -> Published {
    let shelf = Shelf::new(dir, flow);
    let unreadable = |why: ShelfError| Published {
        label: label(flow, None),
        text: failing(&format!("flow '{}' cannot be read", flow.name)),
        broken: Some(why.to_string()),
    };
    let found = match shelf.published() {
        Ok(found) => found,
        Err(why) => return unreadable(why),
    };
    let Some(version) = found else {
        let text = failing(&format!("no version of flow '{}' has been published yet", flow.name));
        return Published { label: label(flow, None), text, broken: None };
    };
    match shelf.texts(&version.texts) {
        Ok(texts) => Published { label: label(flow, Some(version.version)), text: texts.flow, broken: None },
        Err(why) => unreadable(why),
    }
}

/// A flow that fails on its callers alone, by name: the calls of everybody else do not wait until it is published anew.
fn failing(why: &str) -> String {
    // What Rust escapes in a text, Lua reads.
    format!("error({why:?}, 0)\n")
}

/// Flows that were published right may be wrong by now: a library, a table or another flow that they name is gone, or this binary
/// knows a verb no more. Such a flow becomes one that fails by name, and its home says why; everything else is read as ever.
pub(super) fn set_apart<V>(
    (flows, names): (&mut BTreeMap<Name, Flow>, &BTreeMap<Name, V>),
    homes: &mut FlowHomes,
    kit: &FlowKit,
    checks: &Checks<'_>,
) {
    // The libraries are looked at by themselves.
    let bare = FlowKit { libraries: BTreeMap::new(), ..kit.clone() };
    for flow in flows.values_mut() {
        let ours = |home: &&mut FlowHome| home.keeper == Keeper::Api && home.broken.is_none();
        let Some(home) = homes.get_mut(&flow.id).filter(ours) else { continue };
        let report = Report::default();
        lua_faults(&report, checks, &flow.source, &flow.file);
        let own = BTreeMap::from([(flow.id.name.clone(), flow.clone())]);
        libraries::resolve(&report, checks, (&own, names), &bare, &kit.libraries);
        let Some(why) = report.into_errors().first().map(ToString::to_string) else { continue };
        flow.source = failing(&format!("flow '{}' cannot run any more: {why}", flow.id.name));
        home.broken = Some(why);
    }
}

/// What is told of the flows that cannot run, and of those that could not before and can now.
pub(crate) fn alarms(before: &FlowHomes, now: &FlowHomes) -> Vec<(FlowId, EventKind)> {
    let was = |flow: &FlowId| before.get(flow).and_then(|home| home.broken.as_ref());
    let told = |(flow, home): (&FlowId, &FlowHome)| {
        let (code, text) = match &home.broken {
            why if why.as_ref() == was(flow) => return None,
            Some(why) => (
                "flow_broken",
                format!(
                    "flow {flow} was published and cannot run any more: {why}; its callers hear the apology and go on \
                     to its fallback until that is mended or it is published anew"
                ),
            ),
            None => ("flow_mended", format!("flow {flow} runs again")),
        };
        Some((flow.clone(), EventKind::Alarm { code: code.to_owned(), text }))
    };
    now.iter().filter_map(told).collect()
}

/// What is wrong with a text that is to become a flow of this tenant's, as reading a configuration with it would say.
pub(crate) fn faults(tenant: &Tenant, flow: &FlowId, text: &str, checks: &Checks<'_>) -> Vec<ConfigError> {
    let (report, file) = (Report::default(), label(flow, None));
    lua_faults(&report, checks, text, &file);
    let own = Flow { id: flow.clone(), file, source: text.to_owned(), apology: None, fallback: None };
    // The libraries were looked at with the configuration.
    let own = BTreeMap::from([(flow.name.clone(), own)]);
    let kit = FlowKit { libraries: BTreeMap::new(), ..tenant.kit.clone() };
    libraries::resolve(&report, checks, (&own, &tenant.flows), &kit, &tenant.kit.libraries);
    report.into_errors()
}
