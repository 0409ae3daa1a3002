//! The library folder: every Lua file below it is a text that flows take in by `require`, named by its path with `/`
//! written as `.`.

use super::assets::Folder;
use super::error::Problem;
use super::section::{Report, Section};
use super::tenant::{lua_faults, read_flow};
use super::value::some_text;
use super::{Checks, shown};
use cordboard_model::config::{Flow, FlowKit, Library};
use cordboard_model::id::Name;
use std::collections::BTreeMap;
use std::path::Path;

/// The library folder of a tenant that names none, from the configuration's folder.
const LIBRARIES: &str = "../ivr-flows/lib";
const FOLDER: Folder = Folder { kind: "library folder", thing: "library", endings: &["lua"], most: 1_000 };

/// Reads them. A folder that is named must be there; the default one need not.
pub(super) fn read(section: &Section<'_>, base: &Path, checks: &Checks<'_>) -> BTreeMap<Name, Library> {
    let named = section.opt("libraries", some_text);
    let (dir, pos) = match named {
        Some(at) => (base.join(at.value), at.pos),
        None if section.has("libraries").is_some() || !base.join(LIBRARIES).exists() => {
            return BTreeMap::new();
        }
        None => (base.join(LIBRARIES), section.pos),
    };
    let files = FOLDER.read(section.report(), pos, &dir).unwrap_or_default();
    let mut libraries = BTreeMap::new();
    for (name, path) in files {
        let file = shown(&path);
        match read_flow(&path) {
            Ok(source) => {
                lua_faults(section.report(), checks, &source, &file);
                libraries.insert(name, Library { file, source });
            }
            Err(why) => {
                section.report().error(pos, Problem::File { kind: "library", path: file, why });
            }
        }
    }
    libraries
}

/// Everything of its tenant's that a text names outright must be there. `kit` holds the libraries that are looked at,
/// `known` those that there are.
pub(super) fn resolve<V>(
    report: &Report,
    checks: &Checks<'_>,
    (flows, flow_names): (&BTreeMap<Name, Flow>, &BTreeMap<Name, V>),
    kit: &FlowKit,
    known: &BTreeMap<Name, Library>,
) {
    let texts = flows.values().map(|flow| (&flow.file, &flow.source));
    let libraries = kit.libraries.values().map(|library| (&library.file, &library.source));
    for (file, source) in texts.chain(libraries) {
        for used in (checks.uses)(source) {
            let has = |name: Name| match used.kind {
                "library" => known.contains_key(&name),
                "calendar" => kit.calendars.contains_key(&name),
                "table" => kit.tables.contains_key(&name),
                _ => flow_names.contains_key(&name),
            };
            if !Name::new(&used.name).is_ok_and(has) {
                let why = format!("there is no {} '{}'", used.kind, used.name);
                report.error_in(file.clone(), used.line, used.column, Problem::Lua(why));
            }
        }
    }
}
