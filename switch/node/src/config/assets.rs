//! The prompt folder: every WAV, MP3 and Ogg file below it is an asset, named by its path with `/` written as `.`.

use super::error::Problem;
use super::section::{Pos, Report};
use crate::prompts::ENDINGS;
use cordboard_model::id::Name;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Most files of one folder tree.
const FILES_MAX: usize = 20_000;
/// Deepest folder below the prompt folder; a link that leads back up ends here.
const DEPTH_MAX: usize = 8;

/// The assets below `dir`. Files that cannot be named, and two that would have one name, are errors
/// at `pos`, where the folder is named.
pub(super) fn read(report: &Report, pos: Pos, dir: &Path) -> Option<BTreeMap<Name, PathBuf>> {
    let mut found = Found { report, pos, root: dir, assets: BTreeMap::new() };
    match found.walk(dir, "", 0) {
        Ok(()) => Some(found.assets),
        Err((path, why)) => {
            found.error(&path, why);
            None
        }
    }
}

fn is_prompt(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

struct Found<'a> {
    report: &'a Report,
    pos: Pos,
    root: &'a Path,
    assets: BTreeMap<Name, PathBuf>,
}

impl Found<'_> {
    fn error(&self, path: &Path, why: String) {
        let problem = Problem::File { kind: "prompt folder", path: super::shown(path), why };
        self.report.error(self.pos, problem);
    }

    fn walk(&mut self, dir: &Path, prefix: &str, depth: usize) -> Result<(), (PathBuf, String)> {
        let failed = |e: std::io::Error| (dir.to_owned(), e.to_string());
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed)? {
            entries.push(entry.map_err(failed)?.path());
        }
        entries.sort();
        for path in entries {
            let file = path.file_name().and_then(|f| f.to_str()).unwrap_or_default();
            if file.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                if depth == DEPTH_MAX {
                    return Err((path, format!("deeper than {DEPTH_MAX} folders")));
                }
                self.walk(&path, &format!("{prefix}{file}."), depth + 1)?;
            } else if is_prompt(&path) {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                self.add(&format!("{prefix}{stem}"), &path);
                if self.assets.len() > FILES_MAX {
                    let why = format!("holds more than {FILES_MAX} prompts");
                    return Err((self.root.to_owned(), why));
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, path: &Path) {
        let name = match Name::new(name) {
            Ok(name) => name,
            Err(e) => return self.error(path, format!("it cannot name a prompt: {e}")),
        };
        if let Some(first) = self.assets.get(&name) {
            let why = format!("the prompt {name} is {} already", super::shown(first));
            return self.error(path, why);
        }
        self.assets.insert(name, path.to_owned());
    }
}
