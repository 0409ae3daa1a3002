//! Where a flow's text comes from: a file, or what was published by the control API.

use super::section::{Report, Section};
use super::tenant::lua_faults;
use super::value::{integer, one_of, some_text};
use super::{Checks, ConfigError, libraries};
use crate::flows::shelf::{Shelf, ShelfError};
use cordboard_model::config::{Flow, FlowKit, Tenant};
use cordboard_model::id::FlowId;
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

/// The label and the text of the published version. Before the first, one that fails by name, so that callers hear the
/// apology and go on to the fallback.
pub(super) fn published(dir: &Path, flow: &FlowId) -> (String, String) {
    let shelf = Shelf::new(dir, flow);
    let found = match shelf.published() {
        Ok(found) => found,
        Err(why) => return failing(flow, &why),
    };
    let Some(version) = found else {
        let text = format!("error(\"no version of flow '{}' has been published yet\", 0)\n", flow.name);
        return (label(flow, None), text);
    };
    match shelf.texts(&version.texts) {
        Ok(texts) => (label(flow, Some(version.version)), texts.flow),
        Err(why) => failing(flow, &why),
    }
}

/// A flow whose text cannot be read fails on its callers alone, by name: the calls of everybody else do not wait until its
/// tenant has published it anew.
fn failing(flow: &FlowId, why: &ShelfError) -> (String, String) {
    tracing::error!(%flow, %why, "a published flow cannot be read: its callers hear the apology until it is published anew");
    (label(flow, None), format!("error(\"flow '{}' cannot be read\", 0)\n", flow.name))
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
