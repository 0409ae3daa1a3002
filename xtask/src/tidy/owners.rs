//! A third-party crate that shapes types stays in the one folder that owns it, so that it can be
//! changed in a day.

use super::tree::Tree;
use super::{Findings, Options};

/// The crate as code names it, and the folder (or the one file beside it) that may.
const OWNERS: &[(&str, &str)] = &[
    ("rsip", "switch/sip/src/wire"),
    ("mlua", "switch/flow"),
    ("rtp_rs", "switch/media"),
    ("opus", "switch/media/src/codec"),
    ("nanomp3", "switch/node/src/prompts"),
    ("lewton", "switch/node/src/prompts"),
];

pub(crate) fn check(tree: &Tree, _: &Options, findings: &mut Findings) {
    for (file, scan) in tree.rust() {
        for path in scan.paths() {
            let Some(first) = path.parts.first() else {
                continue;
            };
            let Some((name, owner)) = OWNERS.iter().find(|(name, _)| first == name) else {
                continue;
            };
            // A variable of that name is not the crate: the crate comes with a path or a `use`.
            if path.parts.len() > 1 && !is_below(&file.path, owner) {
                findings.add(&file.path, path.line, format!("{name} belongs to {owner} alone"));
            }
        }
    }
}

fn is_below(path: &str, owner: &str) -> bool {
    path.strip_prefix(owner).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}
