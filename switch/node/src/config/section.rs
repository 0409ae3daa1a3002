//! Reading tables key by key, collecting what is wrong instead of stopping at it.
//!
//! Invariant: a key is known because it was asked for. What nobody asked for is reported as unknown
//! when the section is finished, so that no list of keys can differ from what is read.

use super::error::{ConfigError, Problem};
use super::suggest::nearest;
use super::tree::{Entry, Node, Source, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// A byte of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pos {
    pub(super) source: usize,
    pub(super) offset: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) pos: Pos,
}

/// What a value should have been.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) expected: String,
    pub(super) found: String,
}

/// The sources of one loading and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) sources: RefCell<Vec<Source>>,
    errors: RefCell<Vec<ConfigError>>,
    doubts: RefCell<Vec<ConfigError>>,
    /// Every key that was asked for, with its section's pattern: `tenant.*.queue.* ring`.
    asked: RefCell<BTreeSet<(String, &'static str)>>,
    /// In which forms the keys were asked for.
    #[cfg(test)]
    pub(super) forms: RefCell<super::forms::Forms>,
}

impl Report {
    /// Adds a source and gives its number.
    pub(super) fn add(&self, file: String, text: String) -> usize {
        let mut sources = self.sources.borrow_mut();
        sources.push(Source { file, text });
        sources.len() - 1
    }

    /// The text of a source.
    pub(super) fn text(&self, source: usize) -> String {
        self.sources.borrow().get(source).map(|source| source.text.clone()).unwrap_or_default()
    }

    pub(super) fn error(&self, pos: Pos, problem: Problem) {
        let (file, line, column) = self.place(pos);
        self.error_in(file, line, column, problem);
    }

    /// An error in a file that is not one of the sources.
    pub(super) fn error_in(&self, file: String, line: u32, column: u32, problem: Problem) {
        self.errors.borrow_mut().push(ConfigError { file, line, column, problem });
    }

    /// What is more likely a mistake than meant.
    pub(super) fn doubt(&self, pos: Pos, problem: Problem) {
        let (file, line, column) = self.place(pos);
        self.doubts.borrow_mut().push(ConfigError { file, line, column, problem });
    }

    /// All of that, in the order of files, lines and columns.
    pub(super) fn take_doubts(&self) -> Vec<ConfigError> {
        let mut doubts = self.doubts.take();
        doubts.sort();
        doubts
    }

    /// How much is wrong so far.
    pub(super) fn count(&self) -> usize {
        self.errors.borrow().len()
    }

    fn place(&self, pos: Pos) -> (String, u32, u32) {
        match self.sources.borrow().get(pos.source) {
            Some(source) => {
                let (line, column) = source.position(pos.offset);
                (source.file.clone(), line, column)
            }
            None => (String::new(), 1, 1),
        }
    }

    /// A place in words.
    pub(super) fn words(&self, pos: Pos) -> String {
        let (file, line, column) = self.place(pos);
        format!("{file}:{line}:{column}")
    }

    /// Everything that is wrong, in the order of files, lines and columns.
    pub(super) fn into_errors(self) -> Vec<ConfigError> {
        let mut errors = self.errors.into_inner();
        // What the parser made of a broken line is no ground for a second complaint about it.
        let is_broken = |e: &&ConfigError| matches!(e.problem, Problem::Syntax(_));
        let place = |e: &ConfigError| (e.file.clone(), e.line);
        let broken: BTreeSet<_> = errors.iter().filter(is_broken).map(place).collect();
        errors.retain(|e| is_broken(&e) || !broken.contains(&place(e)));
        let order: Vec<String> = self.sources.into_inner().into_iter().map(|source| source.file).collect();
        let rank = |file: &str| order.iter().position(|f| f == file).unwrap_or(order.len());
        errors.sort_by(|a, b| (rank(&a.file), a).cmp(&(rank(&b.file), b)));
        errors.dedup();
        errors
    }

    #[cfg(test)]
    pub(super) fn asked(&self) -> Vec<(String, &'static str)> {
        self.asked.borrow().iter().cloned().collect()
    }
}

/// One table.
pub(super) struct Section<'a> {
    report: &'a Report,
    /// `tenant.default.queue.sales`; empty for the whole file.
    path: String,
    /// The same with `*` for names.
    pattern: String,
    entries: &'a [Entry],
    /// What holds where a key is not given.
    usual: &'a [Entry],
    pub(super) pos: Pos,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// The whole file.
    pub(super) fn root(report: &'a Report, source: usize, entries: &'a [Entry]) -> Self {
        let pos = Pos { source, offset: 0 };
        Section::new(report, String::new(), String::new(), entries, pos)
    }

    fn new(report: &'a Report, path: String, pattern: String, entries: &'a [Entry], pos: Pos) -> Self {
        Section { report, path, pattern, entries, usual: &[], pos, asked: RefCell::default() }
    }

    /// The same, with what another section of its file says where a key is not given.
    pub(super) fn over(self, usual: &Section<'a>) -> Self {
        Self { usual: usual.entries, ..self }
    }

    /// From now on its keys are counted as those of sections of another kind, which has the same.
    pub(super) fn asks_as(&mut self, own: &str, kind: &str) {
        self.pattern = self.pattern.replace(&format!(".{own}.*"), &format!(".{kind}.*"));
    }

    /// The section as messages name it.
    pub(super) fn shown(&self) -> String {
        if self.path.is_empty() { "the file".into() } else { format!("[{}]", self.path) }
    }

    pub(super) fn report(&self) -> &'a Report {
        self.report
    }

    fn at(&self, offset: usize) -> Pos {
        Pos { source: self.pos.source, offset }
    }

    /// A place in the source of `node`.
    fn of(&self, node: &Node, offset: usize) -> Pos {
        Pos { source: node.source.unwrap_or(self.pos.source), offset }
    }

    fn find(&self, key: &'static str) -> Option<&'a Entry> {
        self.asked.borrow_mut().push(key);
        let mut asked = self.report.asked.borrow_mut();
        asked.insert((self.pattern.clone(), key));
        self.entries.iter().chain(self.usual).find(|entry| entry.key == key)
    }

    /// Whether the key is given. It counts as asked for.
    pub(super) fn has(&self, key: &'static str) -> Option<Pos> {
        self.find(key).map(|entry| self.at(entry.offset))
    }

    fn wrong(&self, key: &str, node: &Node, wrong: Wrong) {
        let problem = Problem::Value {
            key: key.into(),
            section: self.shown(),
            expected: wrong.expected,
            found: wrong.found,
        };
        self.report.error(self.at(node.offset), problem);
    }

    /// Notes in which form a key is asked for.
    #[cfg(test)]
    fn form(&self, key: &'static str, form: super::forms::Form) {
        self.report.forms.borrow_mut().entry((self.pattern.clone(), key)).or_default().insert(form);
    }

    /// A value, if it is given and right.
    pub(super) fn opt<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Node) -> Result<T, Wrong>,
    ) -> Option<At<T>> {
        #[cfg(test)]
        self.form(key, super::forms::Form::Value(super::forms::expected(&read)));
        let node = &self.find(key)?.node;
        match read(node) {
            Ok(value) => Some(At { value, pos: self.at(node.offset) }),
            Err(wrong) => {
                self.wrong(key, node, wrong);
                None
            }
        }
    }

    /// A value, or its default.
    pub(super) fn or<T: 'static>(
        &self,
        key: &'static str,
        default: T,
        read: impl Fn(&Node) -> Result<T, Wrong>,
    ) -> T {
        #[cfg(test)]
        self.form(key, super::forms::Form::Default(super::forms::shown(&default)));
        self.opt(key, read).map_or(default, |at| at.value)
    }

    /// A value that must be given.
    pub(super) fn need<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Node) -> Result<T, Wrong>,
    ) -> Option<At<T>> {
        if self.find(key).is_none() {
            let problem =
                Problem::MissingKey { key: key.into(), section: self.shown(), expected: expected.into() };
            self.report.error(self.pos, problem);
            return None;
        }
        self.opt(key, read)
    }

    /// Whether the list is there and holds nothing at all.
    pub(super) fn is_empty_list(&self, key: &'static str) -> bool {
        let node = self.find(key).map(|entry| &entry.node.value);
        matches!(node, Some(Value::Array(items)) if items.is_empty())
    }

    /// Whether a list is given.
    pub(super) fn is_list(&self, key: &'static str) -> bool {
        matches!(self.find(key).map(|entry| &entry.node.value), Some(Value::Array(_)))
    }

    /// A list; its wrong items are reported and left out.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Node) -> Result<T, Wrong>,
    ) -> Option<At<Vec<At<T>>>> {
        #[cfg(test)]
        self.form(key, super::forms::Form::List(super::forms::expected(&read)));
        let node = &self.find(key)?.node;
        let Value::Array(items) = &node.value else {
            let expected = "a list".into();
            let found = node.shown();
            self.wrong(key, node, Wrong { expected, found });
            return None;
        };
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            match read(item) {
                Ok(value) => list.push(At { value, pos: self.at(item.offset) }),
                Err(wrong) => self.wrong(key, item, wrong),
            }
        }
        Some(At { value: list, pos: self.at(node.offset) })
    }

    fn below(&self, path: &str, pattern: &str, entries: &'a [Entry], pos: Pos) -> Self {
        let join = |a: &str, b: &str| match a {
            "" => b.to_owned(),
            _ => format!("{a}.{b}"),
        };
        let (path, pattern) = (join(&self.path, path), join(&self.pattern, pattern));
        Section::new(self.report, path, pattern, entries, pos)
    }

    /// The table of this key; an empty one if it is not given.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        #[cfg(test)]
        self.form(key, super::forms::Form::Table);
        match self.find(key) {
            None => self.below(key, key, &[], self.pos),
            Some(entry) => match &entry.node.value {
                Value::Table(entries) => self.below(key, key, entries, self.of(&entry.node, entry.offset)),
                _ => {
                    self.not_a_table(key, &entry.node);
                    self.below(key, key, &[], self.at(entry.offset))
                }
            },
        }
    }

    /// Tables by name: `[queue.sales]`, `[queue.support]`.
    pub(super) fn named(&self, key: &'static str) -> Vec<(At<String>, Section<'a>)> {
        #[cfg(test)]
        self.form(key, super::forms::Form::Named);
        let mut all = Vec::new();
        let Some(entry) = self.find(key) else {
            return all;
        };
        let Value::Table(entries) = &entry.node.value else {
            self.not_a_table(key, &entry.node);
            return all;
        };
        for entry in entries {
            let Value::Table(inner) = &entry.node.value else {
                self.not_a_table(&format!("{key}.{}", entry.key), &entry.node);
                continue;
            };
            let path = format!("{key}.{}", entry.key);
            let pattern = format!("{key}.*");
            let pos = self.of(&entry.node, entry.offset);
            let section = self.below(&path, &pattern, inner, pos);
            let name = At { value: entry.key.clone(), pos };
            all.push((name, section));
        }
        all
    }

    /// Tables in a row: `[[number]]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        #[cfg(test)]
        self.form(key, super::forms::Form::Tables);
        let Some(entry) = self.find(key) else {
            return Vec::new();
        };
        let Value::Array(items) = &entry.node.value else {
            let expected = format!("tables, each begun with [[{key}]]");
            let found = entry.node.shown();
            self.wrong(key, &entry.node, Wrong { expected, found });
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in items {
            match &item.value {
                Value::Table(inner) => all.push(self.below(key, key, inner, self.of(item, item.offset))),
                _ => self.not_a_table(key, item),
            }
        }
        all
    }

    fn not_a_table(&self, key: &str, node: &Node) {
        let expected = "a table".into();
        let found = node.shown();
        self.wrong(key, node, Wrong { expected, found });
    }

    /// Reports something about a key's value.
    pub(super) fn conflict(&self, key: &str, pos: Pos, why: impl Into<String>) {
        let problem = Problem::Conflict { key: key.into(), section: self.shown(), why: why.into() };
        self.report.error(pos, problem);
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for entry in self.entries {
            if asked.contains(&entry.key.as_str()) {
                continue;
            }
            let problem = Problem::UnknownKey {
                key: entry.key.clone(),
                section: self.shown(),
                meant: nearest(&entry.key, asked.iter().copied()).map(Into::into),
            };
            self.report.error(self.at(entry.offset), problem);
        }
    }
}
