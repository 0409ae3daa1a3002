//! What is kept of webhooks on the disk: how far each is, those that the API made, and what was given up.
//!
//! ```text
//! DIR/default/crm/place.json          how far it is, and whether it is disabled
//! DIR/default/crm/made.json           where to and with which secrets, of one that the API made
//! DIR/default/crm/dead/0000716.json   a delivery that was given up, named by its first event
//! ```
//!
//! Invariant: a file is there whole or not at all, and nobody else reads it.

use cordboard_api::webhooks::DeadLetter;
use cordboard_model::id::{Name, TenantId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How far a webhook is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The start that numbered it, and the last event that was delivered or given up.
    pub(super) start: u32,
    pub(super) seq: u64,
    pub(super) disabled: bool,
    /// Deliveries given up one after the other.
    pub(super) given_up: u32,
}

/// A webhook that the API made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) url: String,
    pub(super) kinds: Vec<String>,
    pub(super) secrets: Vec<String>,
}

/// The folder of one webhook.
#[derive(Clone, Debug)]
pub(super) struct Shelf(PathBuf);

/// Those that the API made, of every tenant.
pub(super) fn made(dir: &Path) -> Vec<(TenantId, Name, Made)> {
    let below = |dir: &Path| -> Vec<(String, PathBuf)> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect()
    };
    let mut found = Vec::new();
    for (tenant, folder) in below(dir) {
        let Ok(tenant) = TenantId::new(&tenant) else { continue };
        for (name, folder) in below(&folder) {
            let made = read::<Made>(&folder.join("made.json"));
            if let (Ok(name), Some(made)) = (Name::new(&name), made) {
                found.push((tenant, name, made));
            }
        }
    }
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    found
}

impl Shelf {
    /// Of this webhook.
    pub(super) fn of(dir: &Path, tenant: TenantId, name: &Name) -> Shelf {
        Shelf(dir.join(tenant.as_str()).join(name.as_str()))
    }

    pub(super) fn kept(&self) -> Option<Kept> {
        read(&self.0.join("place.json"))
    }

    pub(super) fn keep(&self, kept: Kept) -> io::Result<()> {
        write(&self.0.join("place.json"), &kept)
    }

    pub(super) fn make(&self, made: &Made) -> io::Result<()> {
        write(&self.0.join("made.json"), made)
    }

    pub(super) fn made(&self) -> Option<Made> {
        read(&self.0.join("made.json"))
    }

    /// Forgets everything of it.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why),
            _ => Ok(()),
        }
    }

    fn dead(&self) -> PathBuf {
        self.0.join("dead")
    }

    /// The names of dead letters, oldest first.
    pub(super) fn ids(&self) -> Vec<u64> {
        let entries = fs::read_dir(self.dead()).into_iter().flatten().flatten();
        let id = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".json")?.parse().ok();
        let mut ids: Vec<u64> = entries.filter_map(id).collect();
        ids.sort_unstable();
        ids
    }

    fn letter_file(&self, id: u64) -> PathBuf {
        self.dead().join(format!("{id:020}.json"))
    }

    pub(super) fn letter(&self, id: u64) -> Option<DeadLetter> {
        read(&self.letter_file(id))
    }

    /// Keeps a letter, and drops the oldest beyond `most`. Gives how many there are, and how many were dropped.
    pub(super) fn bury(&self, letter: &DeadLetter, most: usize) -> io::Result<(u64, u64)> {
        write(&self.letter_file(letter.id), letter)?;
        let ids = self.ids();
        let beyond = ids.len().saturating_sub(most);
        for id in ids.iter().take(beyond) {
            self.forget(*id)?;
        }
        Ok(((ids.len() - beyond) as u64, beyond as u64))
    }

    pub(super) fn forget(&self, id: u64) -> io::Result<()> {
        fs::remove_file(self.letter_file(id))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = fs::read(path).ok()?;
    let read = serde_json::from_slice(&text);
    read.inspect_err(
        |why| tracing::warn!(path = %path.display(), %why, "not what it should be, and left aside"),
    )
    .ok()
}

fn write<T: Serialize>(path: &Path, what: &T) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let new = path.with_extension("new");
    let mut file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&serde_json::to_vec(what).map_err(io::Error::other)?)?;
    drop(file);
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::time::Wall;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_kept_comes_back_and_the_oldest_letters_go() {
        let dir = std::env::temp_dir().join(format!("cordboard-webhooks-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let name = Name::new("crm").unwrap();
        let shelf = Shelf::of(&dir, TenantId::DEFAULT, &name);
        assert_eq!(shelf.kept(), None);
        let kept = Kept { start: 7, seq: 42, disabled: true, given_up: 3 };
        shelf.keep(kept).unwrap();
        assert_eq!(shelf.kept(), Some(kept));
        let mode = fs::metadata(shelf.0.join("place.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let own = Made { url: "https://a/".into(), kinds: Vec::new(), secrets: vec!["s".into()] };
        shelf.make(&own).unwrap();
        assert!(made(&dir) == [(TenantId::DEFAULT, name, own)]);
        let letter = |id| DeadLetter {
            id,
            at: Wall(5),
            attempts: 3,
            error: "status 500".into(),
            body: serde_json::json!({ "events": [] }),
        };
        for id in [9, 10, 100] {
            shelf.bury(&letter(id), 2).unwrap();
        }
        assert_eq!(shelf.ids(), [10, 100]);
        assert_eq!(shelf.letter(100), Some(letter(100)));
        shelf.forget(10).unwrap();
        assert_eq!(shelf.bury(&letter(11), 2).unwrap(), (2, 0));
        shelf.remove().unwrap();
        shelf.remove().unwrap();
        assert!(made(&dir).is_empty() && shelf.ids().is_empty());
        let _ = fs::remove_dir_all(&dir);
    }
}
