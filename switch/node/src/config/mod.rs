//! The configuration: read strictly, checked whole, given out as one piece.
//!
//! **Invariant: a [`Loaded`] exists only if nothing at all was wrong; otherwise every error is
//! reported at once, each with file, line, column and what was expected.** A reload is therefore all
//! or nothing: the snapshot in use stays until a new one is whole.
//!
//! The text becomes a tree in which each key and value knows its place; hand-written readers go
//! through it, collect what is wrong, and resolve every reference. A key is known because a reader
//! asks for it. Passwords and keys are hashed here and never leave in another form.

mod access;
mod application;
mod assets;
mod audio;
mod calendar;
mod callback;
mod called;
mod chat;
mod desk;
mod destination;
mod device;
mod diff;
mod doubts;
mod error;
mod events;
mod fetch;
mod flows;
#[cfg(test)]
mod forms;
mod gateway;
mod guard;
mod huawei;
mod kept;
mod libraries;
mod machine;
mod number;
pub(crate) mod objects;
mod range;
mod recordings;
mod routes;
mod secret;
mod section;
mod service;
mod sign_in;
mod sip;
mod smart;
mod speech;
mod srtp;
mod streams;
mod suggest;
mod tables;
mod tenant;
mod third_party;
mod tree;
mod trunk;
mod value;
mod webhooks;

#[cfg(test)]
mod tests;

use cordboard_model::config::{Snapshot, Tenant};
use cordboard_model::id::{AssetId, TenantId};
use section::{At, Pos, Report, Section};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

pub use diff::diff;
pub use error::{ConfigError, Problem};
pub use fetch::FetchMachine;
pub use gateway::GatewayMachine;
pub use kept::{FlowHome, FlowHomes, FlowsMachine, Keeper};
pub(crate) use kept::{alarms, faults, label};
pub use machine::{
    HepMachine, HttpMachine, JournalMachine, LogLevel, LogMachine, Machine, MediaMachine, RecordingsMachine,
    SocketsBy, StoreMachine, TraceMachine,
};
pub use secret::ApiKey;
pub(crate) use secret::ha1;
pub use sip::{Listen, SipMachine, TlsMachine};
pub use speech::{SPEED, SpeechEngine, SpeechMachine, SpeechVoice};
pub use streams::StreamsMachine;
pub use third_party::ThirdPartyMachine;
pub use webhooks::{WebhookConfig, WebhooksMachine};

/// The environment variable that adds a key to the control API for the tenant `default`.
pub const API_KEY_VARIABLE: &str = "CORDBOARD_API_KEY";
/// Shortest key to the control API, bytes.
pub const API_KEY_MIN: usize = 16;
/// Most files that `include` may bring in.
const INCLUDES_MAX: usize = 1_000;

/// What the loader cannot know by itself.
pub struct Checks<'a> {
    /// Checks a flow: text and file name, to the faults in it.
    pub lua: &'a dyn Fn(&str, &str) -> Vec<LuaFault>,
    /// The libraries and flows that a text names outright.
    pub uses: &'a dyn Fn(&str) -> Vec<TextUse>,
    /// The names of the routing plugins there are.
    pub plugins: &'a [&'a str],
    /// Reads an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// What of its tenant's a Lua text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextUse {
    /// "library", "flow", "calendar" or "table".
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The line of the name.
    pub line: u32,
    /// Its column.
    pub column: u32,
}

/// A fault in a Lua file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LuaFault {
    /// Counted from one.
    pub line: u32,
    /// Counted from one; 1 if it is not known.
    pub column: u32,
    /// What is wrong.
    pub why: String,
}

/// A configuration in which nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What belongs to the machine.
    pub machine: Machine,
    /// What the engines get. Its version is 1; who exchanges snapshots counts on.
    pub snapshot: Snapshot,
    /// Every prompt and music file, by tenant and name.
    pub assets: Vec<(AssetId, PathBuf)>,
    /// Where each flow is configured, and who keeps its text.
    pub flows: FlowHomes,
    /// What the API keeps, whole.
    pub stored: objects::Objects,
    /// What of it is left out, for it does not fit the rest any more, and why.
    pub aside: BTreeMap<objects::ObjectKey, String>,
    /// What the files configure.
    pub of_files: BTreeMap<objects::ObjectKey, objects::OfFile>,
    /// The texts that all of it was read from.
    pub texts: Vec<(PathBuf, String)>,
    /// What is more likely a mistake than meant.
    pub warnings: Vec<ConfigError>,
}

impl Loaded {
    /// What there is, in one line.
    pub fn summary(&self) -> String {
        let tenants = self.snapshot.tenants.values();
        let count = |of: fn(&Tenant) -> usize| -> usize { tenants.clone().map(of).sum() };
        let parts = [
            (self.snapshot.tenants.len(), "tenant"),
            (count(|t| t.users.len()), "user"),
            (count(|t| t.agents.len()), "agent"),
            (count(|t| t.queues.len()), "queue"),
            (count(|t| t.flows.len()), "flow"),
            (count(|t| t.numbers.len()), "number"),
            (count(|t| t.trunks.len()), "trunk"),
            (self.assets.len(), "prompt"),
        ];
        let word = |(n, word)| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        parts.map(word).join(", ")
    }
}

/// What a configuration is read from besides its file.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// What the API keeps; read from beside the database if none.
    pub(crate) stored: Option<&'a objects::Objects>,
    /// The texts of the file and of those it includes, as they were read before; read again if none.
    pub(crate) texts: Option<&'a [(PathBuf, String)]>,
    /// Which documents may be left out if they do not fit.
    pub(crate) may_leave_out: &'a dyn Fn(&objects::ObjectKey) -> bool,
}

/// Reads and checks the configuration at `path` and everything it names. What the API keeps of it and does not fit any more
/// is left out, and named.
pub fn load(path: &Path, checks: &Checks<'_>) -> Result<Loaded, Vec<ConfigError>> {
    load_with(path, checks, Given { stored: None, texts: None, may_leave_out: &|_| true })
}

/// The same with what is given.
pub(crate) fn load_with(
    path: &Path,
    checks: &Checks<'_>,
    given: Given<'_>,
) -> Result<Loaded, Vec<ConfigError>> {
    let mut aside = BTreeMap::new();
    loop {
        let report = Report::default();
        let loaded = read(&report, path, checks, (given, &aside));
        let errors = report.into_errors();
        match loaded {
            Some(loaded) if errors.is_empty() => return Ok(Loaded { aside, ..loaded }),
            _ => {}
        }
        let known = aside.len();
        for error in &errors {
            let key = objects::ObjectKey::of(error).filter(|key| (given.may_leave_out)(key));
            if let Some(key) = key {
                aside.entry(key).or_insert_with(|| error.to_string());
            }
        }
        // Each turn leaves out one more, and there are so many.
        if aside.len() == known {
            return Err(errors);
        }
    }
}

/// A path for messages: `config/../ivr-flows/x.lua` is shown as `ivr-flows/x.lua`.
fn shown(path: &Path) -> String {
    let mut clean = PathBuf::new();
    for part in path.components() {
        let up = part == Component::ParentDir;
        let named = matches!(clean.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            _ if up && named => drop(clean.pop()),
            _ => clean.push(part),
        }
    }
    clean.display().to_string()
}

/// One file's entries.
struct Document {
    source: usize,
    entries: Vec<tree::Entry>,
}

/// Reads a file and reports what is not TOML in it. `named_at` is where another file names it.
fn document(report: &Report, path: &Path, named_at: Option<Pos>) -> Option<Document> {
    let file = shown(path);
    match std::fs::read_to_string(path) {
        Ok(text) => Some(parsed(report, file, text)),
        Err(e) => {
            let problem = Problem::File { kind: "configuration", path: file.clone(), why: e.to_string() };
            match named_at {
                Some(pos) => report.error(pos, problem),
                None => report.error_in(file, 1, 1, problem),
            }
            None
        }
    }
}

/// The entries of a text, with what is not TOML in it reported.
fn parsed(report: &Report, file: String, text: String) -> Document {
    let (entries, faults) = tree::parse(&text);
    let source = report.add(file, text);
    for fault in faults {
        let offset = fault.offset;
        report.error(Pos { source, offset }, Problem::Syntax(fault.why));
    }
    Document { source, entries }
}

/// The file, and those that it includes: as they were read before, or as they are now.
fn documents(
    report: &Report,
    path: &Path,
    texts: Option<&[(PathBuf, String)]>,
) -> Option<(Document, Vec<(Document, PathBuf)>)> {
    if let Some((main, others)) = texts.and_then(<[_]>::split_first) {
        let again = |(path, text): &(PathBuf, String)| parsed(report, shown(path), text.clone());
        return Some((again(main), others.iter().map(|of| (again(of), of.0.clone())).collect()));
    }
    let main = document(report, path, None)?;
    let base = path.parent().unwrap_or(Path::new(""));
    let included = included(report, &Section::root(report, main.source, &main.entries), base);
    Some((main, included))
}

/// What the API keeps beside the database that the file names.
fn stored(report: &Report, main: &Document, base: &Path) -> objects::Objects {
    // What is wrong in that section is said when it is read with the rest.
    let scratch = Report::default();
    let store =
        machine::read_store(&Section::root(&scratch, main.source, &main.entries).section("store"), base);
    let path = objects::place(&store.path);
    objects::Objects::read(&path).unwrap_or_else(|why| {
        objects::unreadable(report, &path, &why);
        objects::Objects::default()
    })
}

fn read(
    report: &Report,
    path: &Path,
    checks: &Checks<'_>,
    (given, aside): (Given<'_>, &BTreeMap<objects::ObjectKey, String>),
) -> Option<Loaded> {
    let base = path.parent().unwrap_or(Path::new(""));
    let (mut main, mut included) = documents(report, path, given.texts)?;
    let text_of = |document: &Document| report.text(document.source);
    let mut texts = vec![(path.to_owned(), text_of(&main))];
    texts.extend(included.iter().map(|(document, path)| (path.clone(), text_of(document))));
    let stored = given.stored.cloned().unwrap_or_else(|| stored(report, &main, base));
    let files: Vec<&Document> = std::iter::once(&main).chain(included.iter().map(|(of, _)| of)).collect();
    let of_files = objects::of_files(report, &files);
    let mut all: Vec<&mut Document> =
        std::iter::once(&mut main).chain(included.iter_mut().map(|(of, _)| of)).collect();
    objects::put(report, &stored, aside, &mut all);
    let root = Section::root(report, main.source, &main.entries);
    root.has("include");
    let mut machine = machine::read(&root, base, checks);
    let limits = machine::read_limits(&root);
    let gateway = gateway::read(&root.section("agent_gateway"), base);
    let huawei = huawei::read(&root.section("huawei"));

    let mut reader = Tenants {
        report,
        checks,
        shelves: machine.flows.dir.clone(),
        flows: FlowHomes::new(),
        read: BTreeMap::new(),
        assets: Vec::new(),
        domains: BTreeMap::new(),
        peers: Vec::new(),
        others: Vec::new(),
        own: Vec::new(),
    };
    reader.section(&root, base);
    let mut keys = root.tables("api_key");
    let mut webhooks = root.tables("webhook");
    root.finish();
    for (document, path) in &included {
        let part = Section::root(report, document.source, &document.entries);
        reader.section(&part, path.parent().unwrap_or(base));
        keys.extend(part.tables("api_key"));
        webhooks.extend(part.tables("webhook"));
        part.finish();
    }
    reader.default_tenant(main.source, base);
    reader.shared_are_there();
    reader.own_are_there(&machine.sip.listen);
    application::differ(&root, reader.read.values().map(|(tenant, _)| tenant));
    third_party::differ(&root, reader.read.values().map(|(tenant, _)| tenant));
    let known = reader.read.iter().map(|(id, (tenant, _))| (*id, tenant)).collect();
    machine.gateway = gateway.with(&known);
    machine.huawei = std::sync::Arc::new(huawei.with(&known, &machine.gateway.api, checks));
    machine.api_keys = api_keys(report, keys, &reader, main.source);
    machine.webhooks = all_webhooks(webhooks, &reader, &machine.webhook_rules);
    Some(Loaded {
        machine,
        snapshot: Snapshot {
            version: 1,
            limits,
            tenants: reader.read.into_iter().map(|(id, (t, _))| (id, t)).collect(),
        },
        assets: reader.assets,
        flows: reader.flows,
        stored,
        aside: BTreeMap::new(),
        of_files,
        texts,
        warnings: report.take_doubts(),
    })
}

/// The files that `include` names: paths, with `*` for any part of the last name.
fn included(report: &Report, root: &Section<'_>, base: &Path) -> Vec<(Document, PathBuf)> {
    let mut all = Vec::new();
    let Some(list) = root.list("include", value::some_text) else {
        return all;
    };
    for at in list.value {
        let pattern = base.join(&at.value);
        let paths = match matching(&pattern) {
            Ok(paths) => paths,
            Err(e) => {
                let problem =
                    Problem::File { kind: "folder of include", path: shown(&pattern), why: e.to_string() };
                report.error(at.pos, problem);
                continue;
            }
        };
        if all.len() + paths.len() > INCLUDES_MAX {
            let why = format!("more than {INCLUDES_MAX} files");
            root.conflict("include", at.pos, why);
            break;
        }
        for path in paths {
            if let Some(document) = document(report, &path, Some(at.pos)) {
                all.push((document, path));
            }
        }
    }
    all
}

/// The files a pattern stands for, sorted. A path without `*` stands for itself.
fn matching(pattern: &Path) -> std::io::Result<Vec<PathBuf>> {
    let name = pattern.file_name().and_then(|n| n.to_str());
    let Some((front, back)) = name.and_then(|name| name.split_once('*')) else {
        return Ok(vec![pattern.to_owned()]);
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(pattern.parent().unwrap_or(Path::new(".")))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let long = name.len() >= front.len() + back.len();
        if long && name.starts_with(front) && name.ends_with(back) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The tenants read so far.
struct Tenants<'a> {
    report: &'a Report,
    checks: &'a Checks<'a>,
    /// Where published flows are.
    shelves: PathBuf,
    flows: FlowHomes,
    read: BTreeMap<TenantId, (Tenant, Pos)>,
    assets: Vec<(AssetId, PathBuf)>,
    domains: BTreeMap<String, Pos>,
    peers: Vec<At<core::net::SocketAddr>>,
    others: Vec<At<TenantId>>,
    own: Vec<At<core::net::SocketAddr>>,
}

impl Tenants<'_> {
    /// Reads every `[tenant.NAME]` of a file.
    fn section(&mut self, root: &Section<'_>, base: &Path) {
        for (name, section) in root.named("tenant") {
            match TenantId::new(&name.value) {
                Ok(id) => self.tenant(id, name.pos, section, base),
                Err(e) => {
                    let problem = Problem::Name { kind: "tenant", name: name.value, why: e.to_string() };
                    self.report.error(name.pos, problem);
                }
            }
        }
    }

    fn tenant(&mut self, id: TenantId, pos: Pos, section: Section<'_>, base: &Path) {
        if let Some((_, first)) = self.read.get(&id) {
            return self.duplicate(pos, "tenant", id.to_string(), *first);
        }
        let read = tenant::read(id, section, base, &self.shelves, self.checks);
        for at in read.domains {
            if let Some(first) = self.domains.insert(at.value.clone(), at.pos) {
                self.duplicate(at.pos, "domain", at.value, first);
            }
        }
        for at in read.peers {
            let same = |known: &&At<core::net::SocketAddr>| {
                known.value.ip().to_canonical() == at.value.ip().to_canonical()
                    && (known.value.port() == at.value.port()
                        || known.value.port() == 0
                        || at.value.port() == 0)
            };
            if let Some(first) = self.peers.iter().find(same).map(|known| known.pos) {
                let name = match at.value.port() {
                    0 => at.value.ip().to_string(),
                    _ => at.value.to_string(),
                };
                self.duplicate(at.pos, "trunk peer", name, first);
            }
            self.peers.push(at);
        }
        self.others.extend(read.others);
        self.own.extend(read.own);
        self.assets.extend(read.assets);
        self.flows.extend(read.homes);
        self.read.insert(id, (read.tenant, pos));
    }

    fn duplicate(&self, pos: Pos, kind: &'static str, name: String, first: Pos) {
        let first = self.report.words(first);
        self.report.error(pos, Problem::Duplicate { kind, name, first });
    }

    /// Numbers of trunks are given to tenants that there are.
    fn shared_are_there(&self) {
        for at in self.others.iter().filter(|at| !self.read.contains_key(&at.value)) {
            let (key, section) = ("tenant".into(), "[[...shared]]".into());
            let why = format!("there is no tenant {}", at.value);
            self.report.error(at.pos, Problem::Conflict { key, section, why });
        }
    }

    /// Trunks are spoken to from addresses that are listened on.
    fn own_are_there(&self, listen: &[Listen]) {
        for at in self.own.iter().filter(|at| listen.iter().all(|listen| listen.address != at.value)) {
            let (key, section) = ("address".into(), "[...trunk]".into());
            let why = format!("{} is none of [sip] listen", at.value);
            self.report.error(at.pos, Problem::Conflict { key, section, why });
        }
    }

    /// Where none is configured, there is the tenant `default`.
    fn default_tenant(&mut self, source: usize, base: &Path) {
        if !self.read.is_empty() {
            return;
        }
        let section = Section::root(self.report, source, &[]);
        let pos = section.pos;
        self.tenant(TenantId::DEFAULT, pos, section, base);
    }
}

/// The webhooks, each of a tenant that there is.
fn all_webhooks(
    sections: Vec<Section<'_>>,
    tenants: &Tenants<'_>,
    rules: &WebhooksMachine,
) -> Vec<WebhookConfig> {
    let known = known_tenants(tenants);
    let mut taken: BTreeMap<(TenantId, String), Pos> = BTreeMap::new();
    let mut all = Vec::new();
    for section in sections {
        let tenant = tenant_of(&section, &known);
        let read = webhooks::webhook(&section, tenant, rules, tenants.checks);
        if let Some(one) = read {
            match taken.insert((one.tenant, one.name.to_string()), section.pos) {
                Some(first) => tenants.duplicate(section.pos, "webhook", one.name.to_string(), first),
                None => all.push(one),
            }
        }
        section.finish();
    }
    all
}

fn known_tenants(tenants: &Tenants<'_>) -> BTreeMap<cordboard_model::id::Name, ()> {
    let name = |id: &TenantId| Some((cordboard_model::id::Name::new(id.as_str()).ok()?, ()));
    tenants.read.keys().filter_map(name).collect()
}

/// The tenant that a section names, or the default one.
fn tenant_of(section: &Section<'_>, known: &BTreeMap<cordboard_model::id::Name, ()>) -> Option<TenantId> {
    let tenant = section
        .opt("tenant", value::some_text)
        .unwrap_or(At { value: TenantId::DEFAULT.to_string(), pos: section.pos });
    let tenant = destination::resolve(section, "tenant", "tenant", &tenant, known);
    tenant.and_then(|name| TenantId::new(name.as_str()).ok())
}

/// The keys to the control API, those of the file and the one of the environment.
fn api_keys(report: &Report, sections: Vec<Section<'_>>, tenants: &Tenants<'_>, main: usize) -> Vec<ApiKey> {
    let known = known_tenants(tenants);
    let mut taken: BTreeMap<String, Pos> = BTreeMap::new();
    let mut keys = Vec::new();
    for section in sections {
        let name = section.need("name", "a name for the log", value::some_text);
        let tenant = tenant_of(&section, &known);
        let key = api_key(&section, tenants.checks);
        let scopes = access::scopes(&section);
        let first = name.as_ref().and_then(|at| taken.insert(at.value.clone(), at.pos));
        if let (Some(at), Some(first)) = (&name, first) {
            tenants.duplicate(at.pos, "api_key", at.value.clone(), first);
        }
        if let (Some(name), Some(tenant), Some(key)) = (name, tenant, key) {
            keys.push(ApiKey::new(name.value, tenant, &key).with(scopes));
        }
        section.finish();
    }
    if let Some(key) = (tenants.checks.env)(API_KEY_VARIABLE) {
        let why = if key.len() < API_KEY_MIN {
            Some(format!("expected at least {API_KEY_MIN} characters"))
        } else if !tenants.read.contains_key(&TenantId::DEFAULT) {
            Some("it is for the tenant \"default\", which is not configured".into())
        } else {
            keys.push(ApiKey::new("environment".into(), TenantId::DEFAULT, &key));
            None
        };
        if let Some(why) = why {
            let name = API_KEY_VARIABLE.into();
            let pos = Pos { source: main, offset: 0 };
            report.error(pos, Problem::Environment { name, why });
        }
    }
    keys
}

/// One key, from the file or from the variable that it names.
fn api_key(section: &Section<'_>, checks: &Checks<'_>) -> Option<String> {
    let key = section.opt("key", value::secret(API_KEY_MIN));
    let variable = section.opt("key_env", value::some_text);
    match (section.has("key"), section.has("key_env")) {
        (Some(_), Some(second)) => {
            section.conflict("key_env", second, "give either key or key_env");
            None
        }
        (Some(_), None) => key.map(|at| at.value),
        (None, Some(_)) => {
            let variable = variable?;
            let value = (checks.env)(&variable.value);
            let why = match &value {
                None => "not set".into(),
                Some(value) if value.len() < API_KEY_MIN => {
                    format!("expected at least {API_KEY_MIN} characters")
                }
                Some(_) => return value,
            };
            let name = variable.value;
            let problem = Problem::Environment { name, why };
            section.report().error(variable.pos, problem);
            None
        }
        (None, None) => {
            let problem = Problem::MissingKey {
                key: "key".into(),
                section: section.shown(),
                expected: format!("a key of at least {API_KEY_MIN} characters, or key_env"),
            };
            section.report().error(section.pos, problem);
            None
        }
    }
}
