//! Imports run one way: both what a manifest depends on and what the code names.
//!
//! Development dependencies count too: an engine whose tests need another engine is not alone. The
//! crates `tests`, `benches` and `xtask` may import everything and are imported by nobody.

use super::house::{Room, folder_of, room};
use super::tree::Tree;
use super::{Findings, Options};

const TABLES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

pub(crate) fn check(tree: &Tree, _: &Options, findings: &mut Findings) {
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let folder = file.path.trim_end_matches("/Cargo.toml");
        let Some(room) = room(folder) else {
            findings.add(&file.path, 1, "a crate where the design has no room");
            continue;
        };
        match file.text.parse::<toml::Table>() {
            Ok(manifest) => check_manifest(&file.path, &file.text, &manifest, &room, findings),
            Err(error) => findings.add(&file.path, 1, error.message()),
        }
    }
    check_code(tree, findings);
}

fn check_manifest(path: &str, text: &str, manifest: &toml::Table, room: &Room, findings: &mut Findings) {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let per_target = targets.into_iter().flat_map(|all| all.values()).filter_map(toml::Value::as_table);
    for holder in std::iter::once(manifest).chain(per_target) {
        let tables = TABLES.iter().filter_map(|table| holder.get(*table)?.as_table());
        for (key, value) in tables.flatten() {
            let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
            if is_ours(package) && !room.imports.allow(package) {
                findings.add(
                    path,
                    line_of_key(text, key),
                    format!("{} may not import {package}", room.code_name),
                );
            }
        }
    }
}

fn is_ours(package: &str) -> bool {
    package == "xtask" || package.starts_with("cordboard-")
}

/// The line that begins with a key; the line is for the reader only, so the first one will do.
fn line_of_key(text: &str, key: &str) -> usize {
    let begins = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    text.lines().position(begins).map_or(1, |at| at + 1)
}

fn check_code(tree: &Tree, findings: &mut Findings) {
    for (file, scan) in tree.rust() {
        let Some((folder, room)) = folder_of(&file.path).and_then(|folder| Some((folder, room(folder)?)))
        else {
            continue;
        };
        for path in scan.paths() {
            let Some(crate_name) = path.parts.first().filter(|first| first.starts_with("cordboard_")) else {
                continue;
            };
            let package = crate_name.replace('_', "-");
            if *crate_name == room.code_name {
                continue;
            }
            if !room.imports.allow(&package) {
                findings.add(
                    &file.path,
                    path.line,
                    format!("{} may not import {crate_name}", room.code_name),
                );
            } else if folder == "switch/sim"
                && crate_name == "cordboard_sip"
                && path.parts.get(1).is_none_or(|part| part != "wire")
            {
                let says = "the simulator's phones may use cordboard_sip::wire, not the engines of sip";
                findings.add(&file.path, path.line, says);
            }
        }
    }
}
