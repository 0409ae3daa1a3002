//! The versions of the flows' texts: the current one of each flow, and older ones that calls still run.

use cordboard_model::config::Flow;
use cordboard_model::id::FlowId;
use std::collections::BTreeMap;

/// One version of a flow's text.
#[derive(Clone, Debug)]
pub struct Text {
    /// The file, for messages.
    pub file: String,
    /// The text.
    pub source: String,
    /// How many calls run it.
    running: usize,
    /// Whether new calls begin with it.
    current: bool,
}

/// All versions that are of use.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    current: BTreeMap<FlowId, u64>,
    versions: BTreeMap<u64, Text>,
    last: u64,
}

impl Texts {
    /// The version new calls of a flow begin with.
    pub fn current(&self, flow: &FlowId) -> Option<u64> {
        self.current.get(flow).copied()
    }

    /// A version.
    pub fn get(&self, version: u64) -> Option<&Text> {
        self.versions.get(&version)
    }

    /// Whether a flow is configured with this very text.
    pub fn is_current(&self, flow: &Flow) -> bool {
        self.same(&flow.id, &flow.file, &flow.source).is_some()
    }

    fn same(&self, flow: &FlowId, file: &str, source: &str) -> Option<u64> {
        let version = self.current(flow)?;
        let text = self.get(version)?;
        (text.file == file && text.source == source).then_some(version)
    }

    /// Makes these the flows. Gives the versions that are of no more use.
    pub fn replace<'a>(&mut self, flows: impl Iterator<Item = &'a Flow>) -> Vec<u64> {
        let mut next = BTreeMap::new();
        for flow in flows {
            let version = match self.same(&flow.id, &flow.file, &flow.source) {
                Some(version) => version,
                None => self.add(&flow.file, &flow.source),
            };
            next.insert(flow.id.clone(), version);
        }
        self.current = next;
        for text in self.versions.values_mut() {
            text.current = false;
        }
        for version in self.current.values() {
            if let Some(text) = self.versions.get_mut(version) {
                text.current = true;
            }
        }
        let useless: Vec<u64> =
            self.versions.iter().filter(|(_, t)| !t.current && t.running == 0).map(|(v, _)| *v).collect();
        useless.iter().for_each(|version| {
            self.versions.remove(version);
        });
        useless
    }

    fn add(&mut self, file: &str, source: &str) -> u64 {
        self.last += 1;
        let text = Text { file: file.to_owned(), source: source.to_owned(), running: 0, current: false };
        self.versions.insert(self.last, text);
        self.last
    }

    /// The version with this text: the current one of the flow, or a new one for calls that began with it.
    pub fn adopt(&mut self, flow: &FlowId, file: &str, source: &str) -> u64 {
        let older = || {
            let same = |text: &Text| !text.current && text.file == file && text.source == source;
            self.versions.iter().find(|(_, text)| same(text)).map(|(version, _)| *version)
        };
        match self.same(flow, file, source).or_else(older) {
            Some(version) => version,
            None => self.add(file, source),
        }
    }

    /// A call begins to run a version.
    pub fn enter(&mut self, version: u64) {
        if let Some(text) = self.versions.get_mut(&version) {
            text.running += 1;
        }
    }

    /// A call no longer runs a version. Gives the version if it is of no more use.
    pub fn leave(&mut self, version: u64) -> Option<u64> {
        let text = self.versions.get_mut(&version)?;
        text.running = text.running.saturating_sub(1);
        if text.running > 0 || text.current {
            return None;
        }
        self.versions.remove(&version);
        Some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::TenantId;

    fn flow(source: &str) -> Flow {
        Flow {
            id: FlowId::new(TenantId::DEFAULT, "main").unwrap(),
            file: "main.lua".into(),
            source: source.into(),
            apology: None,
            fallback: None,
        }
    }

    #[test]
    fn a_text_that_did_not_change_keeps_its_version() {
        let mut texts = Texts::default();
        texts.replace([flow("a")].iter());
        let first = texts.current(&flow("a").id);
        assert_eq!(texts.replace([flow("a")].iter()), []);
        assert_eq!(texts.current(&flow("a").id), first);
    }

    #[test]
    fn an_old_text_lives_as_long_as_a_call_runs_it() {
        let mut texts = Texts::default();
        texts.replace([flow("a")].iter());
        let old = texts.current(&flow("a").id).unwrap();
        texts.enter(old);
        assert_eq!(texts.replace([flow("b")].iter()), []);
        assert_eq!(texts.get(old).unwrap().source, "a");
        assert_eq!(texts.leave(old), Some(old));
        assert!(texts.get(old).is_none());
    }
}
