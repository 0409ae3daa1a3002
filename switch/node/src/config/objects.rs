//! What the API keeps of the configuration, beside what stands in the file.
//!
//! Invariant: a document of the API becomes a part of the same tree that the file becomes, and is read and checked by the same
//! readers; nothing else knows that there are two ways. What is wrong with one is said with its key, as with a key of the file.
//!
//! All documents lie in one file beside the database, which is there whole or not at all: it is written beside its place, synced
//! and renamed. So many changes are made or none, and it can be read before anything runs.

use super::error::{ConfigError, Problem};
use super::section::{Pos, Report};
use super::tree::{Entry, Node, Value as Tree};
use super::{Document, shown};
use cordboard_api::objects::ObjectKind;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Wall;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Most documents of all tenants.
pub(crate) const OBJECTS_MAX: usize = 50_000;
/// How the source of a document is called in messages.
const SOURCE: &str = "api:";
/// Keys whose values are never shown.
pub(crate) const SECRETS: [&str; 4] = ["password", "password_hash", "ha1_md5", "ha1_sha256"];
/// Keys that name files of the machine: who configures by the API does not choose what is read there.
const OF_THE_MACHINE: [&str; 6] = ["file", "prompts", "libraries", "tables", "passwords", "ca"];

/// Whether a key is for the configuration file alone.
pub(super) fn is_of_the_machine(key: &str) -> bool {
    OF_THE_MACHINE.contains(&key) || key.ends_with("_env")
}

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectKey {
    /// Whose. Of a tenant's own document: the operator's.
    pub tenant: TenantId,
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: Name,
}

impl ObjectKey {
    /// How messages call it.
    pub(crate) fn label(&self) -> String {
        format!("{SOURCE}{}/{}/{}", self.tenant, self.kind.as_str(), self.name)
    }

    /// The one that messages call so.
    fn of_label(label: &str) -> Option<Self> {
        let mut parts = label.strip_prefix(SOURCE)?.splitn(3, '/');
        Some(Self {
            tenant: TenantId::new(parts.next()?).ok()?,
            kind: ObjectKind::from_name(parts.next()?)?,
            name: Name::new(parts.next()?).ok()?,
        })
    }

    /// The one that a fault is in.
    pub(crate) fn of(error: &ConfigError) -> Option<Self> {
        Self::of_label(&error.file)
    }
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Counted from one; a document that is made again under its name goes on counting from where all were.
    pub version: u64,
    /// When it was changed.
    pub at: Wall,
    /// By whom.
    pub by: String,
    /// It.
    pub document: Map<String, Value>,
}

/// All documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// The version that was given last.
    pub last: u64,
    /// By what they are.
    pub all: BTreeMap<ObjectKey, Kept>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    key: ObjectKey,
    #[serde(flatten)]
    kept: Kept,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    last: u64,
    objects: Vec<Row>,
}

/// Where they lie, beside this database.
pub(crate) fn place(database: &Path) -> PathBuf {
    database.with_extension("objects.json")
}

impl Objects {
    /// Reads them; none if there is no file.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(why) => return Err(why),
        };
        let file: File = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
        if file.format != 1 {
            return Err(io::Error::other(format!("its format is {}, and 1 is known", file.format)));
        }
        let all = file.objects.into_iter().map(|Row { key, kept }| (key, kept)).collect();
        Ok(Self { last: file.last, all })
    }

    /// Writes them: for the switch's own eyes, for trunks have passwords.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let rows = self.all.iter().map(|(key, kept)| Row { key: key.clone(), kept: kept.clone() });
        let file = File { format: 1, last: self.last, objects: rows.collect() };
        let bytes = serde_json::to_vec(&file).map_err(io::Error::other)?;
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let new = path.with_extension("new");
        let mut out =
            std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&new)?;
        out.write_all(&bytes)?;
        out.sync_all()?;
        std::fs::rename(&new, path)?;
        std::fs::File::open(folder)?.sync_all()
    }
}

/// A thing that the file configures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfFile {
    /// `file:line:column`.
    pub place: String,
    /// Its keys, with its secrets.
    pub document: Map<String, Value>,
}

/// How a kind stands in the file.
pub(super) enum Shape {
    /// `[queue.NAME]`.
    Named(&'static str),
    /// `[[number]]`.
    Listed(&'static str),
    /// The tenant's own keys.
    Tenant,
}

pub(super) fn shape(kind: ObjectKind) -> Shape {
    match kind {
        ObjectKind::Tenants => Shape::Tenant,
        ObjectKind::Accounts => Shape::Named("user"),
        ObjectKind::Agents => Shape::Named("agent"),
        ObjectKind::Queues => Shape::Named("queue"),
        ObjectKind::SkillGroups => Shape::Named("skill_group"),
        ObjectKind::Numbers => Shape::Listed("number"),
        ObjectKind::NumberGroups => Shape::Named("pool"),
        ObjectKind::Trunks => Shape::Named("trunk"),
        ObjectKind::WaysOut => Shape::Listed("way_out"),
        ObjectKind::Flows => Shape::Named("flow"),
        ObjectKind::Calendars => Shape::Named("calendar"),
    }
}

/// The key of a document that a fault is about, with the tables it is in: `skill.en.level`.
pub(crate) fn field(key: &ObjectKey, error: &ConfigError) -> String {
    let (field, section) = match &error.problem {
        Problem::UnknownKey { key, section, .. }
        | Problem::MissingKey { key, section, .. }
        | Problem::Value { key, section, .. }
        | Problem::Conflict { key, section, .. }
        | Problem::Dangling { key, section, .. } => (key.as_str(), section.as_str()),
        Problem::Name { .. } | Problem::Duplicate { .. } => return "name".into(),
        _ => return "document".into(),
    };
    let own = match shape(key.kind) {
        Shape::Tenant => format!("tenant.{}", key.name),
        Shape::Named(word) => format!("tenant.{}.{word}.{}", key.tenant, key.name),
        Shape::Listed(word) => format!("tenant.{}.{word}", key.tenant),
    };
    let section = section.trim_start_matches('[').trim_end_matches(']');
    match section.strip_prefix(&own).map(|rest| rest.trim_start_matches('.')) {
        Some(rest) if !rest.is_empty() => format!("{rest}.{field}"),
        _ => field.to_owned(),
    }
}

fn json(node: &Node) -> Value {
    match &node.value {
        Tree::Text(text) => Value::String(text.clone()),
        Tree::Integer(Some(n)) => (*n).into(),
        Tree::Boolean(on) => (*on).into(),
        Tree::Array(items) => items.iter().map(json).collect(),
        Tree::Table(entries) => Value::Object(fields(entries)),
        // No key takes these.
        Tree::Integer(None) | Tree::Float | Tree::Date => Value::Null,
    }
}

fn fields(entries: &[Entry]) -> Map<String, Value> {
    entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect()
}

/// What the files configure, by what it is. Things in a list are called by their number or their place.
pub(super) fn of_files(report: &Report, documents: &[&Document]) -> BTreeMap<ObjectKey, OfFile> {
    let mut all = BTreeMap::new();
    for document in documents {
        for (tenant, entries, offset) in tenants(&document.entries) {
            let Ok(id) = TenantId::new(tenant) else { continue };
            let mut put = |kind, name: &str, offset, fields| {
                let Ok(name) = Name::new(name) else { return };
                let tenant = if kind == ObjectKind::Tenants { TenantId::DEFAULT } else { id };
                let place = report.words(Pos { source: document.source, offset });
                all.insert(ObjectKey { tenant, kind, name }, OfFile { place, document: fields });
            };
            let things: BTreeSet<&str> = ObjectKind::ALL
                .into_iter()
                .filter_map(|kind| match shape(kind) {
                    Shape::Named(word) | Shape::Listed(word) => Some(word),
                    Shape::Tenant => None,
                })
                .collect();
            let mut own = fields(entries);
            own.retain(|key, _| !things.contains(key.as_str()));
            put(ObjectKind::Tenants, tenant, offset, own);
            for kind in ObjectKind::ALL {
                each(kind, entries, &mut |name, offset, fields| put(kind, name, offset, fields));
            }
        }
    }
    all
}

/// Told of a name, its place, and its keys.
type Found<'a> = dyn FnMut(&str, usize, Map<String, Value>) + 'a;

/// Every thing of a kind in a tenant's table.
fn each(kind: ObjectKind, entries: &[Entry], found: &mut Found<'_>) {
    let (Shape::Named(word) | Shape::Listed(word)) = shape(kind) else { return };
    match entries.iter().find(|entry| entry.key == word).map(|entry| &entry.node.value) {
        Some(Tree::Table(inner)) => {
            for entry in inner {
                if let Tree::Table(keys) = &entry.node.value {
                    found(&entry.key, entry.offset, fields(keys));
                }
            }
        }
        Some(Tree::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                let Tree::Table(keys) = &item.value else { continue };
                let fields = fields(keys);
                let text = |key: &str| fields.get(key).and_then(Value::as_str);
                let name = match (kind, text("access_code"), text("extension_code")) {
                    (ObjectKind::Numbers, Some(access), Some(extension)) => format!("{access}.{extension}"),
                    (ObjectKind::Numbers, Some(access), None) => access.to_owned(),
                    _ => format!("file.{}", at + 1),
                };
                found(&name, item.offset, fields);
            }
        }
        _ => {}
    }
}

/// The tables of tenants in a document: name, entries, place.
fn tenants(entries: &[Entry]) -> impl Iterator<Item = (&str, &Vec<Entry>, usize)> {
    let all = entries.iter().filter(|entry| entry.key == "tenant");
    let named = all.filter_map(|entry| match &entry.node.value {
        Tree::Table(inner) => Some(inner),
        _ => None,
    });
    named.flatten().filter_map(|entry| match &entry.node.value {
        Tree::Table(inner) => Some((entry.key.as_str(), inner, entry.offset)),
        _ => None,
    })
}

/// The table of this key, made if there is none; nothing if something else stands there.
fn table<'a>(entries: &'a mut Vec<Entry>, key: &str) -> Option<&'a mut Vec<Entry>> {
    let at = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
        entries.push(empty(key, Tree::Table(Vec::new())));
        entries.len() - 1
    });
    match &mut entries.get_mut(at)?.node.value {
        Tree::Table(inner) => Some(inner),
        _ => None,
    }
}

fn empty(key: &str, value: Tree) -> Entry {
    Entry { key: key.to_owned(), offset: 0, node: Node { offset: 0, value, source: None } }
}

/// Puts every document but those that are set aside into the trees of the files.
pub(super) fn put(
    report: &Report,
    stored: &Objects,
    aside: &BTreeMap<ObjectKey, String>,
    documents: &mut [&mut Document],
) {
    if stored.all.is_empty() {
        return;
    }
    let is_there = |documents: &[&mut Document], tenant: &str| {
        documents.iter().any(|document| tenants(&document.entries).any(|(name, ..)| name == tenant))
    };
    let none = !documents.iter().any(|document| tenants(&document.entries).next().is_some());
    let Some(main) = documents.first_mut() else { return };
    if none {
        // As without documents: where no tenant is configured there is this one.
        table(&mut main.entries, "tenant").and_then(|all| table(all, TenantId::DEFAULT.as_str()));
    }
    // Tenants stand first among the kinds, and the operator's documents before they are needed.
    let kept = stored.all.iter().filter(|(key, _)| !aside.contains_key(*key));
    let (tenants_own, others): (Vec<_>, Vec<_>) = kept.partition(|(key, _)| key.kind == ObjectKind::Tenants);
    for (key, kept) in tenants_own.into_iter().chain(others) {
        let mut text = String::new();
        let mut node = lay(&Value::Object(kept.document.clone()), &mut text, 0);
        let source = report.add(key.label(), text);
        node.source = Some(source);
        let pos = Pos { source, offset: 0 };
        machine_keys(report, source, &node, key);
        let owner = if key.kind == ObjectKind::Tenants { key.name.as_str() } else { key.tenant.as_str() };
        let there = is_there(documents, owner);
        if there == (key.kind == ObjectKind::Tenants) {
            let why = match there {
                true => format!("the configuration file has a tenant {owner}"),
                false => format!("there is no tenant {owner}"),
            };
            report.error(pos, Problem::Conflict { key: "name".into(), section: key.label(), why });
            continue;
        }
        let home =
            documents.iter_mut().find(|document| tenants(&document.entries).any(|(name, ..)| name == owner));
        let home = match home {
            Some(home) => home,
            None => match documents.first_mut() {
                Some(main) => main,
                None => continue,
            },
        };
        let Some(all) = table(&mut home.entries, "tenant") else { continue };
        stand(report, key, node, all, pos);
    }
}

/// Puts one document where its kind stands.
fn stand(report: &Report, key: &ObjectKey, node: Node, tenants: &mut Vec<Entry>, pos: Pos) {
    let entry = |name: &str, node| Entry { key: name.to_owned(), offset: 0, node };
    let own = match shape(key.kind) {
        Shape::Tenant => return tenants.push(entry(key.name.as_str(), node)),
        Shape::Named(_) | Shape::Listed(_) => table(tenants, key.tenant.as_str()),
    };
    let Some(own) = own else { return };
    match shape(key.kind) {
        Shape::Tenant => {}
        Shape::Named(word) => {
            let Some(all) = table(own, word) else { return };
            match all.iter().any(|entry| entry.key == key.name.as_str()) {
                true => {
                    let why = "the configuration file has one of this name".to_owned();
                    report.error(pos, Problem::Conflict { key: "name".into(), section: key.label(), why });
                }
                false => all.push(entry(key.name.as_str(), node)),
            }
        }
        Shape::Listed(word) => {
            if !own.iter().any(|entry| entry.key == word) {
                own.push(empty(word, Tree::Array(Vec::new())));
            }
            if let Some(Tree::Array(items)) =
                own.iter_mut().find(|entry| entry.key == word).map(|entry| &mut entry.node.value)
            {
                items.push(node);
            }
        }
    }
}

/// Files and variables of the machine are named by the configuration file alone.
fn machine_keys(report: &Report, source: usize, node: &Node, of: &ObjectKey) {
    match &node.value {
        Tree::Table(entries) => {
            for entry in entries {
                if is_of_the_machine(&entry.key) {
                    let why = "what is read of the machine's files and variables is named in the configuration file alone";
                    let (key, section) = (entry.key.clone(), of.label());
                    let pos = Pos { source, offset: entry.offset };
                    report.error(pos, Problem::Conflict { key, section, why: why.into() });
                }
                machine_keys(report, source, &entry.node, of);
            }
        }
        Tree::Array(items) => items.iter().for_each(|item| machine_keys(report, source, item, of)),
        _ => {}
    }
}

/// Writes a value down as JSON, and makes the tree whose places are in that text.
fn lay(value: &Value, text: &mut String, depth: usize) -> Node {
    let offset = text.len();
    let value = match value {
        Value::Object(fields) => Tree::Table(lay_fields(fields, text, depth)),
        Value::Array(items) => {
            text.push('[');
            let mut nodes = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push_str(", ");
                }
                nodes.push(lay(item, text, depth));
            }
            text.push(']');
            Tree::Array(nodes)
        }
        plain => {
            text.push_str(&plain.to_string());
            match plain {
                Value::String(text) => Tree::Text(text.clone()),
                Value::Bool(on) => Tree::Boolean(*on),
                Value::Number(n) if n.is_f64() => Tree::Float,
                Value::Number(n) => Tree::Integer(n.as_i64()),
                // What has no value has no place either; a null that is left is no value of any key.
                _ => Tree::Float,
            }
        }
    };
    Node { offset, value, source: None }
}

fn lay_fields(fields: &Map<String, Value>, text: &mut String, depth: usize) -> Vec<Entry> {
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        (0..depth).for_each(|_| text.push_str("  "));
    };
    text.push('{');
    let mut entries = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        if !entries.is_empty() {
            text.push(',');
        }
        line(text, depth + 1);
        let offset = text.len();
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push_str(": ");
        let node = lay(value, text, depth + 1);
        entries.push(Entry { key: key.clone(), offset, node });
    }
    if !entries.is_empty() {
        line(text, depth);
    }
    text.push('}');
    entries
}

/// The fault of a file of documents that cannot be read.
pub(super) fn unreadable(report: &Report, path: &Path, why: &io::Error) {
    let kind = "documents that the API keeps";
    let problem = Problem::File { kind, path: shown(path), why: why.to_string() };
    report.error_in(shown(path), 1, 1, problem);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_knows_the_places_of_its_keys() {
        let value = json!({ "ring": "20s", "skill": { "en": { "level": 3 } }, "codecs": ["PCMA", 5] });
        let mut text = String::new();
        let node = lay(&value, &mut text, 0);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        let Tree::Table(entries) = &node.value else { panic!("{node:?}") };
        for entry in entries {
            assert!(text[entry.offset..].starts_with(&format!("\"{}\"", entry.key)), "{}", entry.key);
        }
        assert_eq!(Value::Object(fields(entries)), value);
    }

    #[test]
    fn a_label_leads_back_to_its_document() {
        let key = ObjectKey {
            tenant: TenantId::new("acme").unwrap(),
            kind: ObjectKind::NumberGroups,
            name: Name::new("front.1+x").unwrap(),
        };
        assert_eq!(ObjectKey::of_label(&key.label()), Some(key));
        for other in
            ["config/cordboard.toml", "api:", "api:acme/queues", "api:acme/kings/a", "api:ACME/queues/a"]
        {
            assert_eq!(ObjectKey::of_label(other), None, "{other}");
        }
    }
}
