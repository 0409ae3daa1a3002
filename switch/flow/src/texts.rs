//! The texts of flows and libraries: the current ones, and older ones that calls still run.
//!
//! Invariant: a call sees the texts of one generation, the one that was current when it began, flow and libraries alike.
//! A generation lives as long as it is current or a call runs it, and a version as long as a generation has it.

use cordboard_model::config::{Snapshot, Tenant};
use cordboard_model::id::{FlowId, Name, TenantId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a text is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextName {
    /// A flow.
    Flow(FlowId),
    /// A text of a tenant's library folder.
    Library(TenantId, Name),
}

/// One version of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// What it is known by.
    pub name: TextName,
    /// The file, for messages.
    pub file: String,
    /// The text. Shared with the record of every call that ran it.
    pub source: Arc<str>,
}

type Names = BTreeMap<TextName, u64>;

/// What every name meant at a time.
#[derive(Clone, Debug, Default)]
struct Generation {
    names: Names,
    /// How many calls run it.
    running: usize,
}

/// All versions that are of use.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    current: u64,
    generations: BTreeMap<u64, Generation>,
    versions: BTreeMap<u64, Text>,
    last: u64,
}

/// Every text of a configuration.
pub fn of(snapshot: &Snapshot) -> impl Iterator<Item = Text> {
    snapshot.tenants.values().flat_map(|tenant| flows(tenant).chain(libraries(tenant)))
}

fn flows(tenant: &Tenant) -> impl Iterator<Item = Text> {
    tenant.flows.values().map(|flow| Text {
        name: TextName::Flow(flow.id.clone()),
        file: flow.file.clone(),
        source: flow.source.as_str().into(),
    })
}

fn libraries(tenant: &Tenant) -> impl Iterator<Item = Text> {
    tenant.kit.libraries.iter().map(|(name, library)| Text {
        name: TextName::Library(tenant.id, name.clone()),
        file: library.file.clone(),
        source: library.source.as_str().into(),
    })
}

impl Texts {
    /// What new calls begin with.
    pub fn current(&self) -> u64 {
        self.current
    }

    /// The version of a text in a generation.
    pub fn version(&self, generation: u64, name: &TextName) -> Option<u64> {
        self.generations.get(&generation)?.names.get(name).copied()
    }

    /// The names of a generation.
    pub fn names(&self, generation: u64) -> impl Iterator<Item = &TextName> {
        self.generations.get(&generation).into_iter().flat_map(|generation| generation.names.keys())
    }

    /// A version.
    pub fn get(&self, version: u64) -> Option<&Text> {
        self.versions.get(&version)
    }

    /// Whether this very text is current.
    pub fn is_current(&self, text: &Text) -> bool {
        let version = self.version(self.current, &text.name);
        version.and_then(|version| self.get(version)) == Some(text)
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The version of this very text: one that is there, or a new one.
    fn add(&mut self, text: Text) -> u64 {
        let known = self.versions.iter().rev().find(|(_, known)| **known == text);
        if let Some((version, _)) = known {
            return *version;
        }
        let version = self.next();
        self.versions.insert(version, text);
        version
    }

    /// The generation with these names: one that is there, or a new one.
    fn generation(&mut self, names: Names) -> u64 {
        let known = self.generations.iter().rev().find(|(_, known)| known.names == names);
        if let Some((generation, _)) = known {
            return *generation;
        }
        let generation = self.next();
        self.generations.insert(generation, Generation { names, running: 0 });
        generation
    }

    /// Makes these the current texts. Gives the versions that are of no more use.
    pub fn replace(&mut self, texts: impl Iterator<Item = Text>) -> Vec<u64> {
        let mut names = Names::new();
        for text in texts {
            let name = text.name.clone();
            let version = self.add(text);
            names.insert(name, version);
        }
        self.current = self.generation(names);
        self.sweep()
    }

    /// A generation with these texts, and the current one's where there are none of a name.
    pub fn adopt(&mut self, texts: Vec<Text>) -> u64 {
        let mut names =
            self.generations.get(&self.current).map(|current| current.names.clone()).unwrap_or_default();
        for text in texts {
            let name = text.name.clone();
            let version = self.add(text);
            names.insert(name, version);
        }
        self.generation(names)
    }

    /// A call begins to run a generation.
    pub fn enter(&mut self, generation: u64) {
        if let Some(generation) = self.generations.get_mut(&generation) {
            generation.running += 1;
        }
    }

    /// A call no longer runs a generation. Gives the versions that are of no more use.
    pub fn leave(&mut self, generation: u64) -> Vec<u64> {
        if let Some(left) = self.generations.get_mut(&generation) {
            left.running = left.running.saturating_sub(1);
            if left.running == 0 && generation != self.current {
                return self.sweep();
            }
        }
        Vec::new()
    }

    fn sweep(&mut self) -> Vec<u64> {
        let current = self.current;
        self.generations.retain(|number, generation| *number == current || generation.running > 0);
        let used: BTreeSet<u64> =
            self.generations.values().flat_map(|generation| generation.names.values().copied()).collect();
        let gone: Vec<u64> =
            self.versions.keys().copied().filter(|version| !used.contains(version)).collect();
        for version in &gone {
            self.versions.remove(version);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> TextName {
        TextName::Flow(FlowId::new(TenantId::DEFAULT, name).unwrap())
    }

    fn text(name: &str, source: &str) -> Text {
        Text { name: named(name), file: format!("{name}.lua"), source: source.into() }
    }

    fn version(texts: &Texts, name: &str) -> u64 {
        texts.version(texts.current(), &named(name)).unwrap()
    }

    #[test]
    fn a_text_that_did_not_change_keeps_its_version() {
        let mut texts = Texts::default();
        texts.replace([text("main", "a"), text("other", "b")].into_iter());
        let (first, generation) = (version(&texts, "main"), texts.current());
        assert_eq!(texts.replace([text("main", "a"), text("other", "b")].into_iter()), [0_u64; 0]);
        assert_eq!((version(&texts, "main"), texts.current()), (first, generation));
        let other = version(&texts, "other");
        assert_eq!(texts.replace([text("main", "a"), text("other", "c")].into_iter()), [other]);
        assert_eq!(version(&texts, "main"), first);
    }

    #[test]
    fn old_texts_live_as_long_as_a_call_runs_their_generation() {
        let mut texts = Texts::default();
        texts.replace([text("main", "a"), text("other", "b")].into_iter());
        let (generation, old, other) = (texts.current(), version(&texts, "main"), version(&texts, "other"));
        texts.enter(generation);
        assert_eq!(texts.replace([text("main", "A")].into_iter()), [0_u64; 0]);
        assert_eq!(&*texts.get(old).unwrap().source, "a");
        assert_eq!(texts.version(generation, &named("other")), Some(other), "not taken in yet, still there");
        assert_eq!(texts.leave(generation), [old, other]);
        assert!(texts.get(old).is_none() && texts.version(generation, &named("main")).is_none());
    }
}
