//! A tenant's section: accounts, agents, queues, flows, numbers, trunks.

use super::destination::{self, Names, resolve};
use super::error::Problem;
use super::kept::{self, FlowHome, FlowHomes, Keeper};
use super::machine::flag;
use super::range::Ranges;
use super::section::{At, Pos, Report, Section, Wrong};
use super::service::{self, Kinds};
use super::tree::Node;
use super::value::{duration, hash, host, one_of, secret, some_text, text, wrong};
use super::{
    Checks, access, application, assets, audio, calendar, callback, called, desk, doubts, fetch, libraries,
    number, routes, secret as hashing, shown, sign_in, srtp, tables, third_party, trunk,
};
use cordboard_model::config::{Agent, Flow, FlowKit, Queue, Tenant, User};
use cordboard_model::id::{AgentId, AssetId, FlowId, Name, QueueId, TenantId, UserId};
use cordboard_model::media::{Codec, DtmfKind};
use cordboard_model::plan::NumberPlan;
use cordboard_model::record::QueueFigures;
use cordboard_model::service::Service;
use cordboard_model::srtp::SrtpRule;
use cordboard_model::verb::Destination;
use core::cell::RefCell;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The prompt folder of a tenant that names none, from the configuration's folder.
const PROMPTS: &str = "../ivr-flows/prompts";
/// Longest flow, bytes.
const FLOW_MAX: u64 = 1 << 20;

const CODECS: &[(&str, Codec)] = &[
    ("PCMA", Codec::Pcma),
    ("PCMU", Codec::Pcmu),
    ("G722", Codec::G722),
    ("opus", Codec::Opus),
    ("L16", Codec::L16),
];
/// How keys reach a party.
pub(super) const DTMF: &[(&str, DtmfKind)] =
    &[("rfc4733", DtmfKind::Rfc4733), ("info", DtmfKind::Info), ("inband", DtmfKind::Inband)];
const LANGUAGES: &[(&str, &str)] = &[("en", "en"), ("zh", "zh")];
/// Domains of the tenant `default` when it names none.
const DOMAINS: [&str; 2] = ["localhost", "127.0.0.1"];

/// A tenant, with its domains' positions and its assets.
pub(super) struct Read {
    pub(super) tenant: Tenant,
    pub(super) domains: Vec<At<String>>,
    pub(super) peers: Vec<At<core::net::SocketAddr>>,
    /// Tenants that numbers of its trunks are given to.
    pub(super) others: Vec<At<TenantId>>,
    /// Listeners that its trunks name.
    pub(super) own: Vec<At<core::net::SocketAddr>>,
    pub(super) assets: Vec<(AssetId, PathBuf)>,
    /// Where its flows are configured.
    pub(super) homes: FlowHomes,
}

/// What the parts of one tenant share while they are read.
pub(super) struct Context<'a> {
    pub(super) id: TenantId,
    base: &'a Path,
    checks: &'a Checks<'a>,
    pub(super) names: Names,
    pub(super) realm: String,
    pub(super) plan: Option<NumberPlan>,
    /// For accounts and trunks that say nothing else.
    pub(super) srtp: SrtpRule,
    /// Where published flows are.
    shelves: &'a Path,
    homes: RefCell<FlowHomes>,
    pub(super) kinds: RefCell<Kinds>,
    groups: RefCell<BTreeMap<Name, Vec<QueueId>>>,
    /// What desks may do.
    pub(super) desk: desk::Desk,
    /// How agents sign in.
    pub(super) sign_in: sign_in::SignIn,
}

/// Reads one tenant. Everything in it is read even where something is wrong.
/// `shelves` is the folder of published flows.
pub(super) fn read(
    id: TenantId,
    section: Section<'_>,
    base: &Path,
    shelves: &Path,
    checks: &Checks<'_>,
) -> Read {
    let domains = read_domains(id, &section);
    let users = section.named("user");
    let agents = section.named("agent");
    let queues = section.named("queue");
    let flows = section.named("flow");
    let trunks = section.named("trunk");
    let pools = section.named("pool");
    let plan = number::plan(&section);
    let ranges = Ranges::read(&section, base);
    let parts = [&users, &agents, &queues, &flows, &trunks, &pools].map(Vec::as_slice);
    let mut names = all_names(&section, base, parts);
    ranges.name(&mut names);
    let context = Context {
        id,
        base,
        checks,
        realm: domains.first().map(|at| at.value.clone()).unwrap_or_default(),
        plan: plan.clone(),
        srtp: srtp::read(&section, SrtpRule::default()),
        shelves,
        homes: RefCell::default(),
        kinds: RefCell::default(),
        groups: RefCell::default(),
        desk: desk::Desk::tenant(&section),
        sign_in: sign_in::SignIn::tenant(&section),
        names,
    };
    let queues = context.queues(queues, &section);
    let (mut peers, mut others, mut own) = (Vec::new(), Vec::new(), Vec::new());
    let numbers = called::read(&section, &context, plan.as_ref());
    let mut flows = each(flows, |name, s| context.flow(name, s));
    let own_zone = section.or("zone", "UTC".into(), zone);
    let kit = read_kit(&section, &context, &own_zone);
    kept::set_apart((&mut flows, &context.names.flows), &mut context.homes.borrow_mut(), &kit, checks);
    libraries::resolve(section.report(), checks, (&flows, &context.names.flows), &kit, &kit.libraries);
    let tenant = Tenant {
        id,
        display: section.or("display", id.to_string(), some_text),
        zone: own_zone,
        pools: number::pools(pools, plan.as_ref()),
        domains: domains.iter().map(|at| at.value.clone()).collect(),
        codecs: read_codecs(&section),
        tones: number::tones(&section),
        routing: read_routing(&section, checks),
        routes: routes::read(&section, &context, &kit),
        users: context.users(users, &ranges),
        agents: ranges.agents(&context, agents),
        queues,
        desk: context.desk.take(),
        sign_in: context.sign_in.take(),
        access: access::read(&section),
        third_party: third_party::read(&section, id),
        applications: application::read(section.named("application"), id, (base, checks)),
        flows,
        kit,
        numbers,
        plan,
        trunks: each(trunks, |name, s| trunk::read(&context, name, s, &mut peers, &mut others, &mut own)),
    };
    section.finish();
    doubts::look(&tenant, &context.names, section.pos, section.report());
    let assets = context.names.assets.unwrap_or_default().into_iter();
    let assets = assets.map(|(name, path)| (AssetId { tenant: id, name }, path));
    Read { tenant, domains, peers, others, own, assets: assets.collect(), homes: context.homes.take() }
}

/// What there is of accounts, agents, queues, flows, trunks and pools.
fn all_names(section: &Section<'_>, base: &Path, parts: [&[(At<String>, Section<'_>)]; 6]) -> Names {
    let [users, agents, queues, flows, trunks, pools] = parts;
    let gateway = |(_, trunk): &&(At<String>, Section<'_>)| {
        trunk.has("gateway").is_some() || trunk.has("gateways").is_some()
    };
    Names {
        users: names("user", users),
        agents: names("agent", agents),
        queues: names("queue", queues),
        flows: names("flow", flows),
        trunks: names("trunk", trunks),
        calendars: names("calendar", &section.named("calendar")),
        pools: names("pool", pools),
        gateways: trunks.iter().filter(gateway).map(|(name, _)| name.value.clone()).collect(),
        assets: read_assets(section, base),
    }
}

/// What its flows may use.
fn read_kit(section: &Section<'_>, context: &Context<'_>, zone: &str) -> FlowKit {
    let secrets = fetch::secrets(named(section, "secret"), context);
    let http_allowed = fetch::urls(section, "http_allowed");
    let tables = tables::read(section, context.base);
    let calendars = calendar::read(named(section, "calendar"), zone);
    let libraries = libraries::read(section, context.base, context.checks);
    FlowKit { libraries, calendars, tables, http_allowed, secrets }
}

/// The names of one kind; those that cannot be names are reported.
fn names(kind: &'static str, sections: &[(At<String>, Section<'_>)]) -> BTreeMap<Name, Pos> {
    let mut all = BTreeMap::new();
    for (at, section) in sections {
        match Name::new(&at.value) {
            Ok(name) => {
                all.insert(name, at.pos);
            }
            Err(e) => {
                let problem = Problem::Name { kind, name: at.value.clone(), why: e.to_string() };
                section.report().error(at.pos, problem);
            }
        }
    }
    all
}

/// The sections of one kind; names that cannot be names are reported.
pub(super) fn named<'a>(section: &Section<'a>, kind: &'static str) -> Vec<(At<String>, Section<'a>)> {
    let found = section.named(kind);
    names(kind, &found);
    found
}

/// Reads every section of one kind, also those whose name is wrong.
pub(super) fn each<T>(
    sections: Vec<(At<String>, Section<'_>)>,
    mut read: impl FnMut(&Name, &Section<'_>) -> Option<T>,
) -> BTreeMap<Name, T> {
    let mut all = BTreeMap::new();
    for (at, section) in sections {
        if let Ok(name) = Name::new(&at.value) {
            if let Some(object) = read(&name, &section) {
                all.insert(name, object);
            }
            section.finish();
        }
    }
    all
}

pub(super) fn zone(node: &Node) -> Result<String, Wrong> {
    let name = text(node)?;
    match jiff::tz::TimeZoneDatabase::bundled().get(&name) {
        Ok(zone) => Ok(zone.iana_name().unwrap_or("UTC").into()),
        Err(_) => Err(wrong(node, "an IANA time zone as \"Europe/Berlin\"")),
    }
}

fn read_domains(id: TenantId, section: &Section<'_>) -> Vec<At<String>> {
    if let Some(list) = section.list("domains", host) {
        if section.is_empty_list("domains") {
            let why = "expected at least one domain; the first is the digest realm";
            section.conflict("domains", list.pos, why);
        }
        return list.value;
    }
    if section.has("domains").is_some() {
        return Vec::new();
    }
    if id != TenantId::DEFAULT {
        let problem = Problem::MissingKey {
            key: "domains".into(),
            section: section.shown(),
            expected: "the SIP domains and addresses of this tenant".into(),
        };
        section.report().error(section.pos, problem);
        return Vec::new();
    }
    let at = |domain: &str| At { value: domain.to_owned(), pos: section.pos };
    DOMAINS.into_iter().map(at).collect()
}

pub(super) fn read_codecs(section: &Section<'_>) -> Vec<Codec> {
    let Some(list) = section.list("codecs", one_of(CODECS)) else {
        return Codec::DEFAULT.to_vec();
    };
    let mut codecs = Vec::new();
    for at in &list.value {
        if codecs.contains(&at.value) {
            let why = format!("{} is listed twice", at.value.name());
            section.conflict("codecs", at.pos, why);
        } else {
            codecs.push(at.value);
        }
    }
    if section.is_empty_list("codecs") {
        section.conflict("codecs", list.pos, "expected at least one codec");
    }
    codecs
}

fn read_routing(section: &Section<'_>, checks: &Checks<'_>) -> Vec<String> {
    let Some(list) = section.list("routing", text) else {
        return routes::usual(section);
    };
    routes::check_order(section, &list.value);
    let name = |plugin: &&str| Some((Name::new(plugin).ok()?, ()));
    let known: BTreeMap<Name, ()> = checks.plugins.iter().filter_map(name).collect();
    let mut routing: Vec<String> = Vec::new();
    for at in &list.value {
        if routing.contains(&at.value) {
            let why = format!("{:?} is listed twice", at.value);
            section.conflict("routing", at.pos, why);
        }
        if resolve(section, "routing", "routing plugin", at, &known).is_some() {
            routing.push(at.value.clone());
        }
    }
    if section.is_empty_list("routing") {
        section.conflict("routing", list.pos, "expected at least one routing plugin");
    }
    routing
}

/// A folder that is named must be there; the default one need not.
fn read_assets(section: &Section<'_>, base: &Path) -> Option<BTreeMap<Name, PathBuf>> {
    let (dir, pos) = match section.opt("prompts", some_text) {
        Some(at) => (base.join(at.value), at.pos),
        None if section.has("prompts").is_some() => return None,
        None => {
            let dir = base.join(PROMPTS);
            if !dir.exists() {
                return Some(BTreeMap::new());
            }
            (dir, section.pos)
        }
    };
    assets::PROMPTS.read(section.report(), pos, &dir)
}

impl Context<'_> {
    pub(super) fn destination(
        &self,
        section: &Section<'_>,
        key: &str,
        at: &At<String>,
    ) -> Option<Destination> {
        destination::read(section, key, at, self.id, &self.names)
    }

    pub(super) fn asset(&self, section: &Section<'_>, key: &'static str) -> Option<AssetId> {
        let at = section.opt(key, some_text)?;
        self.prompt(section, key, &at)
    }

    /// The prompt of this name.
    pub(super) fn prompt(&self, section: &Section<'_>, key: &str, at: &At<String>) -> Option<AssetId> {
        let assets = self.names.assets.as_ref()?;
        let name = resolve(section, key, "prompt", at, assets)?;
        Some(AssetId { tenant: self.id, name })
    }

    /// Whether the tenant has a prompt of this name; so it counts while what he has is not known.
    pub(super) fn has_prompt(&self, name: &str) -> bool {
        let Some(assets) = &self.names.assets else {
            return true;
        };
        Name::new(name).is_ok_and(|name| assets.contains_key(&name))
    }

    /// The accounts with sections, and those that are made with ranges.
    fn users(&self, sections: Vec<(At<String>, Section<'_>)>, ranges: &Ranges<'_>) -> BTreeMap<Name, User> {
        let mut users = each(sections, |name, section| self.user(name, section));
        users.extend(ranges.users(self));
        users
    }

    fn user(&self, name: &Name, section: &Section<'_>) -> Option<User> {
        let display = section.or("display", name.to_string(), some_text);
        let dtmf = section.or("dtmf", DtmfKind::default(), one_of(DTMF));
        let srtp = srtp::read(section, self.srtp);
        let password = section.opt("password", secret(1));
        let variable = section.opt("password_env", some_text);
        let md5 = section.opt("ha1_md5", hash(32));
        let sha256 = section.opt("ha1_sha256", hash(64));
        let ways = [
            section.has("password"),
            section.has("password_env"),
            section.has("ha1_md5").or(section.has("ha1_sha256")),
        ];
        let given: Vec<Pos> = ways.into_iter().flatten().collect();
        if let Some(second) = given.get(1) {
            let why = "give one of password, password_env, or ha1_md5 with ha1_sha256";
            section.conflict("password", *second, why);
            return None;
        }
        if given.is_empty() {
            let expected = "a password, password_env, or ha1_md5 with ha1_sha256";
            return missing(section, "password", expected);
        }
        let (ha1_md5, ha1_sha256) = if ways[2].is_some() {
            // One alone would leave the other algorithm without a secret.
            for key in ["ha1_md5", "ha1_sha256"] {
                if section.has(key).is_none() {
                    return missing(section, key, "the hash for the other algorithm too");
                }
            }
            (md5?.value, sha256?.value)
        } else {
            let password = match (password, variable) {
                (Some(at), _) => at.value,
                (None, variable) => self.variable(section, &variable?)?,
            };
            hashing::ha1(name.as_str(), &self.realm, &password)
        };
        let id = UserId { tenant: self.id, name: name.clone() };
        Some(User { id, display, ha1_md5, ha1_sha256, dtmf, srtp })
    }

    /// The value of an environment variable that the configuration names.
    pub(super) fn variable(&self, section: &Section<'_>, at: &At<String>) -> Option<String> {
        let value = (self.checks.env)(&at.value).filter(|value| !value.is_empty());
        if value.is_none() {
            let problem = Problem::Environment { name: at.value.clone(), why: "not set".into() };
            section.report().error(at.pos, problem);
        }
        value
    }

    /// An agent by his section.
    pub(super) fn agent(&self, name: &Name, section: &Section<'_>) -> Option<Agent> {
        self.desk.agent(name, section, self.plan.as_ref());
        self.sign_in.agent(self, name, section);
        let user = section.opt("user", some_text).unwrap_or(At { value: name.to_string(), pos: section.pos });
        let user = resolve(section, "user", "user", &user, &self.names.users);
        let agent = self.agent_like(name, section);
        Some(Agent { user: UserId { tenant: self.id, name: user? }, ..agent })
    }

    /// The same with an account of his own name.
    pub(super) fn agent_like(&self, name: &Name, section: &Section<'_>) -> Agent {
        let display = section.or("display", name.to_string(), some_text);
        let queues = service::queues_of(self, section, &self.groups.borrow());
        let duty = service::duty(self, section, &queues);
        Agent {
            id: AgentId { tenant: self.id, name: name.clone() },
            display,
            auto_sign_in: flag(section, "auto_sign_in", false),
            record: audio::record(self, section),
            user: UserId { tenant: self.id, name: name.clone() },
            queues,
            duty,
        }
    }

    /// Every queue, and then what takes all of them to be read.
    fn queues(
        &self,
        sections: Vec<(At<String>, Section<'_>)>,
        tenant: &Section<'_>,
    ) -> BTreeMap<Name, Queue> {
        let queues = each(sections, |name, section| self.queue(name, section));
        service::check_kinds(self, tenant);
        *self.groups.borrow_mut() = service::groups(self, tenant);
        queues
    }

    fn queue(&self, name: &Name, section: &Section<'_>) -> Option<Queue> {
        self.desk.queue(name, section);
        let (ms, s) = (Duration::from_millis, Duration::from_secs);
        let kind = service::queue_kind(section);
        let (max_length, length_share) = service::length(section, kind);
        let service = Service { length_share, ..service::service(self, name, section, kind) };
        service::check_places(section, &service);
        let every = section.opt("announce_every", duration(s(5)..=s(3_600)));
        let language: &str = section.or("language", "en", one_of(LANGUAGES));
        Some(Queue {
            id: QueueId { tenant: self.id, name: name.clone() },
            display: section.or("display", name.to_string(), service::queue_name),
            music: audio::music(self, section),
            announce_every: every.map(|at| at.value),
            announce_wait: flag(section, "announce_wait", false),
            language: language.into(),
            ring: section.or("ring", s(30), duration(ms(100)..=s(600))),
            wrap_up: service::wrap_up(section),
            max_wait: section.or("max_wait", s(60), duration(s(1)..=s(60_000))),
            max_length,
            audio: audio::queue(self, section, language),
            caller_pool: number::pool(section, &self.names.pools),
            service,
            figures: QueueFigures {
                target: section.or("answer_target", s(20), duration(s(1)..=s(3_600))),
                short_abandon: section.or("short_abandon", s(5), duration(s(0)..=s(600))),
            },
            callback: callback::rules(self, section),
        })
    }

    fn flow(&self, name: &Name, section: &Section<'_>) -> Option<Flow> {
        let id = FlowId { tenant: self.id, name: name.clone() };
        let keeper = kept::keeper(section);
        let home = FlowHome { keeper, place: section.report().words(section.pos), broken: None };
        self.homes.borrow_mut().insert(id.clone(), home);
        let apology = self.asset(section, "apology");
        let fallback = section.opt("fallback", text);
        let fallback = fallback.and_then(|at| {
            let to = self.destination(section, "fallback", &at);
            if matches!(&to, Some(Destination::Flow(id)) if id.name == *name) {
                section.conflict("fallback", at.pos, "a flow cannot fall back to itself");
            }
            to
        });
        let (file, source) = match keeper {
            Keeper::File => {
                let (file, source) = self.text_of_file(section)?;
                lua_faults(section.report(), self.checks, &source, &file);
                (file, source)
            }
            // Looked at when everything that it may name is known: what is wrong with it costs its own callers.
            Keeper::Api => self.text_of_api(&id, section)?,
        };
        Some(Flow { id, file, source, apology, fallback })
    }

    /// The file's name for messages, and its text.
    fn text_of_file(&self, section: &Section<'_>) -> Option<(String, String)> {
        let file = section.need("file", "the Lua file, or kept = \"api\"", some_text)?;
        let path = self.base.join(&file.value);
        let label = shown(&path);
        match read_flow(&path) {
            Ok(source) => Some((label, source)),
            Err(why) => {
                let problem = Problem::File { kind: "flow", path: label, why };
                section.report().error(file.pos, problem);
                None
            }
        }
    }

    /// The same of what was published by the API.
    fn text_of_api(&self, id: &FlowId, section: &Section<'_>) -> Option<(String, String)> {
        if let Some(pos) = section.has("file") {
            section.conflict("file", pos, "a flow that is kept by the API has no file");
            return None;
        }
        let kept::Published { label, text, broken } = kept::published(self.shelves, id);
        if let Some(home) = self.homes.borrow_mut().get_mut(id) {
            home.broken = broken;
        }
        Some((label, text))
    }
}

pub(super) fn missing<T>(section: &Section<'_>, key: &str, expected: &str) -> Option<T> {
    let problem =
        Problem::MissingKey { key: key.into(), section: section.shown(), expected: expected.into() };
    section.report().error(section.pos, problem);
    None
}

/// What is wrong with a Lua text, each at its place in it.
pub(super) fn lua_faults(report: &Report, checks: &Checks<'_>, source: &str, file: &str) {
    for fault in (checks.lua)(source, file) {
        let (line, column) = (fault.line.max(1), fault.column.max(1));
        report.error_in(file.to_owned(), line, column, Problem::Lua(fault.why));
    }
}

pub(super) fn read_flow(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > FLOW_MAX {
        return Err(format!("{size} bytes; at most {FLOW_MAX} are taken"));
    }
    std::fs::read_to_string(path).map_err(|e| e.to_string())
}
