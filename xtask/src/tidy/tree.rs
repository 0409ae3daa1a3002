//! The files that the rules look at.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scan::Scan;

/// Trees that must fail; they are looked at by the tests of the rules alone.
const FIXTURES: &str = "xtask/fixtures/";

/// One text file.
pub(crate) struct SourceFile {
    /// From the top of the repository, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
    /// For Rust files.
    pub(crate) scan: Option<Scan>,
    /// The whole file is test code: it is in a `tests` folder, or its `mod` line is under
    /// `#[cfg(test)]`.
    pub(crate) is_test: bool,
}

impl SourceFile {
    pub(crate) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// The text files of a repository, sorted by path.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<SourceFile>,
}

impl Tree {
    /// What git tracks, and what it would track if it were added: a new file is checked before it is
    /// committed.
    pub(crate) fn of_repository(root: &Path) -> io::Result<Self> {
        let listed = Command::new("git")
            .current_dir(root)
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()?;
        if !listed.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&listed.stderr).into_owned()));
        }
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let paths = names.split('\0').filter(|path| !path.is_empty() && !path.starts_with(FIXTURES));
        Self::read(root, paths.map(str::to_owned).collect())
    }

    /// Every file below a folder.
    #[cfg(test)]
    pub(crate) fn of_folder(root: &Path) -> io::Result<Self> {
        let mut paths = BTreeSet::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(below) = path.strip_prefix(root) {
                    paths.insert(below.to_string_lossy().into_owned());
                }
            }
        }
        Self::read(root, paths)
    }

    fn read(root: &Path, paths: BTreeSet<String>) -> io::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            let bytes = match fs::read(root.join(&path)) {
                Ok(bytes) => bytes,
                // Deleted but still in the index, or a link to a folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) if root.join(&path).is_dir() => continue,
                Err(error) => return Err(io::Error::new(error.kind(), format!("{path}: {error}"))),
            };
            // Recordings, pictures and torture messages are not text.
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let scan = path.ends_with(".rs").then(|| Scan::of(&text));
            let is_test = path.ends_with(".rs") && in_tests_folder(&path);
            files.push(SourceFile { path, text, scan, is_test });
        }
        mark_test_modules(&mut files);
        Ok(Self { root: root.to_path_buf(), files })
    }

    /// The Rust files, each with its scan.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&SourceFile, &Scan)> {
        self.files.iter().filter_map(|file| file.scan.as_ref().map(|scan| (file, scan)))
    }

    pub(crate) fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// `switch/sip/tests/x.rs` and `switch/sip/benches/x.rs`. The crate `tests/` itself is not meant: a
/// rule that spares test code has no say there.
fn in_tests_folder(path: &str) -> bool {
    path.split('/').skip(1).any(|part| part == "tests" || part == "benches")
}

/// `#[cfg(test)] mod NAME;` makes the file of NAME, and what is below it, test code.
fn mark_test_modules(files: &mut [SourceFile]) {
    let mut under = Vec::new();
    for file in files.iter() {
        let Some(scan) = &file.scan else { continue };
        let folder = module_folder(&file.path);
        for name in scan.test_modules() {
            under.push((format!("{folder}{name}.rs"), format!("{folder}{name}/")));
        }
    }
    for file in files.iter_mut() {
        if under.iter().any(|(exactly, below)| file.path == *exactly || file.path.starts_with(below)) {
            file.is_test = true;
        }
    }
}

/// Where the modules that a file declares are: beside `lib.rs`, `main.rs` and `mod.rs`, else in the
/// folder named like the file.
fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder,
        other => format!("{folder}{}/", other.trim_end_matches(".rs")),
    }
}
