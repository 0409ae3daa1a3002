//! The folders of a tenant: every file below one with a certain ending is known by its path with `/` written as `.`. Of the
//! prompt folder those are the WAV, MP3 and Ogg files.

use super::error::Problem;
use super::section::{Pos, Report};
use crate::prompts::ENDINGS;
use cordboard_model::id::Name;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Deepest folder below such a folder; a link that leads back up ends here.
const DEPTH_MAX: usize = 8;

/// The folder of prompts.
pub(super) const PROMPTS: Folder =
    Folder { kind: "prompt folder", thing: "prompt", endings: &ENDINGS, most: 20_000 };

/// What is looked for in a folder.
pub(super) struct Folder {
    /// The folder, in words.
    pub(super) kind: &'static str,
    /// One of its files, in a word.
    pub(super) thing: &'static str,
    /// How its files are named.
    pub(super) endings: &'static [&'static str],
    /// Most files of the folder tree.
    pub(super) most: usize,
}

impl Folder {
    /// The files below `dir`. Those that cannot be named, and two that would have one name, are errors at `pos`, where the
    /// folder is named.
    pub(super) fn read(&self, report: &Report, pos: Pos, dir: &Path) -> Option<BTreeMap<Name, PathBuf>> {
        let mut found = Found { folder: self, report, pos, root: dir, files: BTreeMap::new() };
        match found.walk(dir, "", 0) {
            Ok(()) => Some(found.files),
            Err((path, why)) => {
                found.error(&path, why);
                None
            }
        }
    }

    fn has(&self, path: &Path) -> bool {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        self.endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
    }
}

struct Found<'a> {
    folder: &'a Folder,
    report: &'a Report,
    pos: Pos,
    root: &'a Path,
    files: BTreeMap<Name, PathBuf>,
}

impl Found<'_> {
    fn error(&self, path: &Path, why: String) {
        let problem = Problem::File { kind: self.folder.kind, path: super::shown(path), why };
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
            } else if self.folder.has(&path) {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                self.add(&format!("{prefix}{stem}"), &path);
                if self.files.len() > self.folder.most {
                    let why = format!("holds more than {} files", self.folder.most);
                    return Err((self.root.to_owned(), why));
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, path: &Path) {
        let name = match Name::new(name) {
            Ok(name) => name,
            Err(e) => return self.error(path, format!("it cannot name a {}: {e}", self.folder.thing)),
        };
        if let Some(first) = self.files.get(&name) {
            let why = format!("the {} {name} is {} already", self.folder.thing, super::shown(first));
            return self.error(path, why);
        }
        self.files.insert(name, path.to_owned());
    }
}
