//! The versions of flows that are kept by the control API, on disk.
//!
//! ```text
//! DIR/tenant-default/flow-main/texts/5e88…        a text, named by its SHA-256
//! DIR/tenant-default/flow-main/draft.json         which texts the draft is
//! DIR/tenant-default/flow-main/000003.json        a version: its texts, when, who, why
//! ```
//!
//! Invariants:
//! - The version with the highest number is the one that is published: publishing is the renaming of one file.
//! - A file is there whole or not at all: it is written beside its place, synced, renamed, and its folder synced.
//! - A text is what its name says; one that is not is an error and never run.

use cordboard_model::id::FlowId;
use cordboard_model::time::Wall;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Why the shelf cannot be read or written.
#[derive(Debug)]
pub enum ShelfError {
    /// The system refuses.
    Io(PathBuf, io::Error),
    /// A file is not what it should be.
    Damaged(PathBuf, String),
}

impl fmt::Display for ShelfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShelfError::Io(path, why) => write!(f, "{}: {why}", path.display()),
            ShelfError::Damaged(path, why) => write!(f, "{} is damaged: {why}", path.display()),
        }
    }
}

impl std::error::Error for ShelfError {}

/// The texts of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The flow, in Lua.
    pub flow: String,
    /// Its test, in TOML, if there is one.
    pub test: Option<String>,
}

/// Which texts, by their SHA-256 in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    /// The flow.
    pub flow: String,
    /// Its test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
}

/// What nobody has published yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Its texts.
    pub texts: Hashes,
    /// When it was put there.
    pub at: Wall,
    /// By whom.
    pub by: String,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Counted from one for each flow.
    pub version: u32,
    /// Its texts.
    pub texts: Hashes,
    /// When.
    pub at: Wall,
    /// By whom.
    pub by: String,
    /// Why, in his words.
    pub note: String,
    /// The version whose texts these are, if it was a way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<u32>,
}

/// The folder of one flow.
#[derive(Clone, Debug)]
pub struct Shelf {
    dir: PathBuf,
}

/// SHA-256, hexadecimal.
fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> ShelfError {
    move |why| ShelfError::Io(path.to_owned(), why)
}

/// What is there, or none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, ShelfError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(io_at(path)(why)),
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ShelfError> {
    let Some(bytes) = read(path)? else { return Ok(None) };
    let damaged = |why: serde_json::Error| ShelfError::Damaged(path.to_owned(), why.to_string());
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Puts a file in its place, whole.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ShelfError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let new = path.with_extension("new");
    let put = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(folder)?.sync_all()
    };
    put().map_err(io_at(path))
}

impl Shelf {
    /// Of a flow, below `dir`. Nothing is made before something is put there.
    pub fn new(dir: &Path, flow: &FlowId) -> Self {
        // With words before them, since a name may be ".." alone.
        Self { dir: dir.join(format!("tenant-{}", flow.tenant)).join(format!("flow-{}", flow.name)) }
    }

    fn text_path(&self, hash: &str) -> PathBuf {
        self.dir.join("texts").join(hash)
    }

    fn version_path(&self, version: u32) -> PathBuf {
        self.dir.join(format!("{version:06}.json"))
    }

    fn text(&self, wanted: &str) -> Result<String, ShelfError> {
        let path = self.text_path(wanted);
        let damaged = |why: &str| ShelfError::Damaged(path.clone(), why.to_owned());
        // Only what this shelf wrote names files: a name with a way in it would be another file.
        if wanted.len() != 64 || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(damaged("its name is no SHA-256"));
        }
        let bytes = read(&path)?.ok_or_else(|| damaged("it is not there"))?;
        let text = String::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8"))?;
        if hash(&text) != wanted {
            return Err(damaged("its text has another SHA-256"));
        }
        Ok(text)
    }

    /// The texts with these names.
    ///
    /// # Errors
    /// One is not there, or not what its name says.
    pub fn texts(&self, hashes: &Hashes) -> Result<Texts, ShelfError> {
        let test = hashes.test.as_ref().map(|test| self.text(test)).transpose()?;
        Ok(Texts { flow: self.text(&hashes.flow)?, test })
    }

    /// Writes the texts that are not there yet.
    fn keep(&self, texts: &Texts) -> Result<Hashes, ShelfError> {
        let folder = self.dir.join("texts");
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(io_at(&folder))?;
            // The new folders are entries of the one above them.
            for made in self.dir.ancestors().take(4).filter(|made| made.is_dir()) {
                File::open(made).and_then(|folder| folder.sync_all()).map_err(io_at(made))?;
            }
        }
        let keep = |text: &String| -> Result<String, ShelfError> {
            let hash = hash(text);
            if self.text(&hash).is_err() {
                write(&self.text_path(&hash), text.as_bytes())?;
            }
            Ok(hash)
        };
        Ok(Hashes { flow: keep(&texts.flow)?, test: texts.test.as_ref().map(keep).transpose()? })
    }

    /// The numbers of all versions, in order.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn numbers(&self) -> Result<Vec<u32>, ShelfError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(why) => return Err(io_at(&self.dir)(why)),
        };
        let mut numbers = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(io_at(&self.dir))?.file_name();
            let number: Option<u32> = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
            numbers.extend(number);
        }
        Ok(numbers.into_iter().collect())
    }

    /// One version; none if there is none of this number.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn version(&self, version: u32) -> Result<Option<Version>, ShelfError> {
        read_json(&self.version_path(version))
    }

    /// The one that is published; none before the first.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn published(&self) -> Result<Option<Version>, ShelfError> {
        match self.numbers()?.last() {
            Some(last) => self.version(*last),
            None => Ok(None),
        }
    }

    /// Makes these texts the published version. `keep` is how many versions are kept with it; older ones are forgotten.
    ///
    /// # Errors
    /// It cannot be written; then the version before is still the published one.
    pub fn publish(
        &self,
        texts: &Texts,
        (by, note, back_to): (&str, &str, Option<u32>),
        at: Wall,
        keep: usize,
    ) -> Result<Version, ShelfError> {
        let texts = self.keep(texts)?;
        let version = self.numbers()?.last().map_or(1, |last| last + 1);
        let (by, note) = (by.to_owned(), note.to_owned());
        let made = Version { version, texts, at, by, note, back_to };
        write(&self.version_path(version), &json(&made))?;
        // It is published; what is too old may stay until the next time.
        let _ = self.forget(keep);
        Ok(made)
    }

    /// The draft, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn draft(&self) -> Result<Option<Draft>, ShelfError> {
        read_json(&self.dir.join("draft.json"))
    }

    /// Keeps a draft in place of the one before.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_draft(&self, texts: &Texts, by: &str, at: Wall) -> Result<Draft, ShelfError> {
        let draft = Draft { texts: self.keep(texts)?, at, by: by.to_owned() };
        write(&self.dir.join("draft.json"), &json(&draft))?;
        // The texts of the draft before: left until the next time if they cannot be removed.
        let _ = self.forget(usize::MAX);
        Ok(draft)
    }

    /// Forgets the draft. Whether there was one.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn drop_draft(&self) -> Result<bool, ShelfError> {
        let path = self.dir.join("draft.json");
        match fs::remove_file(&path) {
            Ok(()) => {
                let _ = self.forget(usize::MAX);
                Ok(true)
            }
            Err(why) if why.kind() == ErrorKind::NotFound => Ok(false),
            Err(why) => Err(io_at(&path)(why)),
        }
    }

    /// Removes all but the newest versions, and the texts that no version and no draft has.
    fn forget(&self, keep: usize) -> Result<(), ShelfError> {
        let numbers = self.numbers()?;
        let (old, kept) = numbers.split_at(numbers.len().saturating_sub(keep));
        for version in old {
            let path = self.version_path(*version);
            fs::remove_file(&path).map_err(io_at(&path))?;
        }
        let mut used = BTreeSet::new();
        let mut use_all = |hashes: Hashes| {
            used.insert(hashes.flow);
            used.extend(hashes.test);
        };
        for version in kept {
            self.version(*version)?.into_iter().for_each(|version| use_all(version.texts));
        }
        self.draft()?.into_iter().for_each(|draft| use_all(draft.texts));
        let folder = self.dir.join("texts");
        for entry in fs::read_dir(&folder).map_err(io_at(&folder))? {
            let path = entry.map_err(io_at(&folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !used.contains(name) {
                fs::remove_file(&path).map_err(io_at(&path))?;
            }
        }
        Ok(())
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    // Only maps with keys that are no texts cannot be written, and there is none.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::TenantId;

    struct Scratch(PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn shelf(test: &str) -> (Scratch, Shelf) {
        let dir = std::env::temp_dir().join(format!("cordboard-shelf-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let flow = FlowId::new(TenantId::DEFAULT, "main").unwrap();
        let shelf = Shelf::new(&dir, &flow);
        (Scratch(dir), shelf)
    }

    fn texts(flow: &str) -> Texts {
        Texts { flow: flow.into(), test: Some("case = []".into()) }
    }

    fn publish(shelf: &Shelf, flow: &str) -> Version {
        shelf.publish(&texts(flow), ("key a", "why", None), Wall(7), 3).unwrap()
    }

    #[test]
    fn the_last_version_is_the_published_one_and_each_keeps_who_when_and_why() {
        let (_scratch, shelf) = shelf("last");
        assert_eq!(shelf.published().unwrap(), None);
        let first = publish(&shelf, "one");
        assert_eq!(
            (first.version, first.by.as_str(), first.note.as_str(), first.at),
            (1, "key a", "why", Wall(7))
        );
        let second = publish(&shelf, "two");
        assert_eq!(shelf.published().unwrap(), Some(second));
        assert_eq!(shelf.version(1).unwrap(), Some(first.clone()));
        assert_eq!(shelf.texts(&first.texts).unwrap(), texts("one"));
    }

    #[test]
    fn a_text_is_kept_once_and_as_long_as_a_version_or_the_draft_has_it() {
        let (_scratch, shelf) = shelf("once");
        let count = || fs::read_dir(shelf.dir.join("texts")).unwrap().count();
        publish(&shelf, "one");
        publish(&shelf, "one");
        assert_eq!(count(), 2, "the flow and its test");
        shelf.put_draft(&texts("draft"), "key a", Wall(8)).unwrap();
        for flow in ["two", "three", "four"] {
            publish(&shelf, flow);
        }
        assert_eq!(shelf.numbers().unwrap(), [3, 4, 5], "three are kept");
        assert_eq!(count(), 5, "one is forgotten, the draft is not");
        let draft = shelf.draft().unwrap().unwrap();
        assert_eq!(shelf.texts(&draft.texts).unwrap(), texts("draft"));
        assert!(shelf.drop_draft().unwrap() && !shelf.drop_draft().unwrap());
    }

    #[test]
    fn what_a_crash_left_half_written_is_no_version() {
        let (_scratch, shelf) = shelf("crash");
        let first = publish(&shelf, "one");
        fs::write(shelf.dir.join("000002.new"), "{\"version\": 2").unwrap();
        fs::write(shelf.dir.join("texts/abc.new"), "hal").unwrap();
        assert_eq!(shelf.published().unwrap(), Some(first));
        assert_eq!(publish(&shelf, "two").version, 2);
    }

    #[test]
    fn a_damaged_text_is_an_error_and_never_run() {
        let (_scratch, shelf) = shelf("damaged");
        let first = publish(&shelf, "one");
        fs::write(shelf.text_path(&first.texts.flow), "another").unwrap();
        let why = shelf.texts(&first.texts).unwrap_err().to_string();
        assert!(why.ends_with("is damaged: its text has another SHA-256"), "{why}");
        // The same text once more mends it.
        publish(&shelf, "one");
        assert_eq!(shelf.texts(&first.texts).unwrap(), texts("one"));
        let away = Hashes { flow: "../../draft.json".into(), test: None };
        assert!(shelf.texts(&away).is_err());
    }

    #[test]
    fn drafts_leave_no_texts_behind() {
        let (scratch, shelf) = shelf("drafts");
        let at = publish(&shelf, "published").at;
        let kept = || fs::read_dir(scratch.0.join("tenant-default/flow-main/texts")).unwrap().count();
        let before = kept();
        for n in 1..=20 {
            shelf.put_draft(&texts(&n.to_string()), "a", at).unwrap();
        }
        assert!(kept() <= 2 * before, "the version's, and the last draft's");
        assert!(shelf.drop_draft().unwrap());
        assert_eq!(kept(), before);
    }
}
