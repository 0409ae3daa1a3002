//! What a tenant's routing plugins are told: `[tenant.NAME.emergency]`, `[[tenant.NAME.caller_list]]` and so on.
//!
//! Invariant: what is written for a plugin is read by it: `routing`, where it is given, must name the plugin.

use super::destination::{is_number, resolve};
use super::section::{At, Section, Wrong};
use super::tenant::Context;
use super::tree::Node;
use super::value::{dialled, duration, integer, one_of, some_text, text, wrong};
use crate::outgoing::Target;
use cordboard_model::cause::Cause;
use cordboard_model::config::FlowKit;
use cordboard_model::fetch::FetchHeader;
use cordboard_model::id::{FlowId, Name, TrunkId};
use cordboard_model::routes::{
    CallerList, Emergency, EmergencyPlace, HttpDecision, LastAgent, ListKind, LoopLimits, LuaDecision,
    NumberPattern, OpeningRule, Otherwise, Part, Ported, Routes, Share, WayOut, WayTrunk, is_location,
};
use cordboard_model::verb::Destination;
use core::time::Duration;
use std::collections::BTreeMap;

const KINDS: &[(&str, ListKind)] =
    &[("block", ListKind::Block), ("allow", ListKind::Allow), ("vip", ListKind::Vip)];
/// Longest that plugins wait for an answer; see docs/routing.md.
const ASK: core::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(2);
const ASK_DEFAULT: Duration = Duration::from_secs(1);
/// The header that a secret goes in.
const AUTHORIZATION: &str = "authorization";

/// Plugins in the order in which a tenant that names none has them, each with what it is told by. One without is always
/// asked.
const PLUGINS: [(&str, Option<&str>); 12] = [
    ("emergency", Some("emergency")),
    ("loop-guard", Some("loops")),
    ("caller-lists", Some("caller_list")),
    ("http-decision", Some("http_decision")),
    ("lua-decision", Some("lua_decision")),
    ("calendar", Some("hours")),
    ("last-agent", Some("last_agent")),
    ("share", Some("share")),
    ("called-number", None),
    ("registered-extension", None),
    ("portability", Some("ported")),
    ("trunk-choice", Some("way_out")),
];

/// The plugins of a tenant that names none.
pub(super) fn usual(section: &Section<'_>) -> Vec<String> {
    let given = |(_, key): &&(&str, Option<&'static str>)| key.is_none_or(|key| section.has(key).is_some());
    PLUGINS.iter().filter(given).map(|(plugin, _)| (*plugin).to_owned()).collect()
}

/// What is written for a plugin that `routing` does not name; and emergency numbers come first or not at all.
pub(super) fn check_order(section: &Section<'_>, routing: &[At<String>]) {
    for (plugin, key) in PLUGINS {
        let place = routing.iter().position(|named| named.value == plugin);
        if let Some(pos) = key.and_then(|key| section.has(key))
            && place.is_none()
        {
            let key = key.unwrap_or_default();
            let why = format!("nothing reads it: routing does not name the plugin {plugin:?}");
            section.conflict(key, pos, why);
        }
        if plugin == "emergency"
            && let Some(at) = place.filter(|at| *at > 0).and_then(|at| routing.get(at))
        {
            section.conflict(
                "routing",
                at.pos,
                "\"emergency\" must be the first: nothing may come before it",
            );
        }
    }
}

/// Reads all of it.
pub(super) fn read(section: &Section<'_>, context: &Context<'_>, kit: &FlowKit) -> Routes {
    let reader = Reader { context, kit };
    Routes {
        emergency: given(section, "emergency").and_then(|own| reader.emergency(&own)),
        loops: read_loops(&section.section("loops")),
        lists: each(section, "caller_list", |table| reader.list(table)),
        ported: given(section, "ported").and_then(|own| reader.ported(&own)),
        hours: each(section, "hours", |table| reader.hours(table)),
        shares: each(section, "share", |table| reader.share(table)),
        last_agent: given(section, "last_agent").map(|own| reader.last_agent(&own)),
        http: given(section, "http_decision").and_then(|own| reader.http(&own)),
        lua: given(section, "lua_decision").and_then(|own| reader.lua(&own)),
        ways: each(section, "way_out", |table| reader.way(table)),
    }
}

fn given<'a>(section: &Section<'a>, key: &'static str) -> Option<Section<'a>> {
    section.has(key).map(|_| section.section(key))
}

fn each<T>(section: &Section<'_>, key: &'static str, read: impl Fn(&Section<'_>) -> Option<T>) -> Vec<T> {
    let tables = section.tables(key);
    let read = |table: &Section<'_>| {
        let read = read(table);
        table.finish();
        read
    };
    tables.iter().filter_map(read).collect()
}

fn read_loops(section: &Section<'_>) -> LoopLimits {
    let d = LoopLimits::default();
    let read = LoopLimits {
        diversions: section.or("diversions", d.diversions, integer(0..=20, "diversions")),
        alike: section.or("alike", d.alike, integer(1..=10_000, "calls")),
    };
    section.finish();
    read
}

/// Numbers, each alone or with `*` at its end.
fn patterns(section: &Section<'_>, key: &'static str) -> Vec<NumberPattern> {
    let list = section.list(key, pattern);
    list.map_or_else(Vec::new, |list| list.value.into_iter().map(|at| at.value).collect())
}

fn pattern(node: &Node) -> Result<NumberPattern, Wrong> {
    let written = some_text(node)?;
    let begin = written.strip_suffix('*').unwrap_or(&written);
    match begin.is_empty() || is_number(begin) {
        true => Ok(NumberPattern::new(&written)),
        false => Err(wrong(node, "a number as \"5000\", or its beginning as \"+4930*\"")),
    }
}

/// A number, or how one begins, or nothing.
fn prefix(node: &Node) -> Result<String, Wrong> {
    let written = text(node)?;
    match written.is_empty() || is_number(&written) {
        true => Ok(written),
        false => Err(wrong(node, "how numbers begin, as \"+49\"; empty for all")),
    }
}

fn location(node: &Node) -> Result<String, Wrong> {
    let uri = some_text(node)?;
    match is_location(&uri) {
        true => Ok(uri),
        false => Err(wrong(node, "a URI as \"geo:52.52,13.40\" or \"https://lis.example/place\"")),
    }
}

fn url(node: &Node) -> Result<String, Wrong> {
    let url = some_text(node)?;
    match Target::read(&url, ["http", "https"]) {
        Some(_) => Ok(url),
        None => Err(wrong(node, "a URL that begins with http:// or https://")),
    }
}

struct Reader<'a> {
    context: &'a Context<'a>,
    kit: &'a FlowKit,
}

impl Reader<'_> {
    /// A trunk that calls can be sent by, or, if they only come by it, any.
    fn trunk(&self, section: &Section<'_>, key: &str, at: &At<String>, sends: bool) -> Option<TrunkId> {
        let names = &self.context.names;
        let name = resolve(section, key, "trunk", at, &names.trunks)?;
        if sends && !names.gateways.contains(&at.value) {
            let why = format!("trunk {:?} has no gateway, so no call can be sent by it", at.value);
            section.conflict(key, at.pos, why);
            return None;
        }
        Some(TrunkId { tenant: self.context.id, name })
    }

    fn trunks(&self, section: &Section<'_>, key: &'static str, sends: bool) -> Vec<TrunkId> {
        let list = section.list(key, some_text).map(|list| list.value).unwrap_or_default();
        list.iter().filter_map(|at| self.trunk(section, key, at, sends)).collect()
    }

    fn to(&self, section: &Section<'_>, key: &'static str) -> Option<Destination> {
        let at = section.opt(key, some_text)?;
        self.context.destination(section, key, &at)
    }

    fn known<V>(
        &self,
        section: &Section<'_>,
        key: &'static str,
        kind: &'static str,
        known: &BTreeMap<Name, V>,
    ) -> Option<Name> {
        let at = section.opt(key, some_text)?;
        resolve(section, key, kind, &at, known)
    }

    fn emergency(&self, section: &Section<'_>) -> Option<Emergency> {
        let numbers = section.need("numbers", "the numbers of help, as [\"112\"]", list_is_there);
        let numbers = numbers.and_then(|_| section.list("numbers", dialled)).map(|list| list.value);
        let trunks = section.need("trunks", "the trunks by which such calls leave", list_is_there);
        let trunks = trunks.map(|_| self.trunks(section, "trunks", true));
        let place = |table: &Section<'_>| {
            Some(EmergencyPlace {
                users: patterns(table, "users"),
                caller: table.opt("caller", dialled).map(|at| at.value),
                location: table.opt("location", location).map(|at| at.value),
            })
        };
        let read = Emergency {
            numbers: numbers.unwrap_or_default().into_iter().map(|at| at.value).collect(),
            trunks: trunks.unwrap_or_default(),
            caller: section.opt("caller", dialled).map(|at| at.value),
            location: section.opt("location", location).map(|at| at.value),
            places: each(section, "place", place),
            from_trunks: self.trunks(section, "from_trunks", false),
            calls: section.or("calls", 8, integer(1..=64, "calls")),
        };
        section.finish();
        (!read.numbers.is_empty() && !read.trunks.is_empty()).then_some(read)
    }

    fn list(&self, section: &Section<'_>) -> Option<CallerList> {
        let name = section.need("name", "what the list is called", name);
        let kind = section.need("kind", "\"block\", \"allow\" or \"vip\"", one_of(KINDS));
        let callers = patterns(section, "callers");
        let table = self.known(section, "table", "table", &self.kit.tables);
        let priority = section.opt("priority", integer(1..=255, ""));
        let to = self.to(section, "to");
        let kind = kind?.value;
        if let Some(priority) = priority.as_ref().filter(|_| kind != ListKind::Vip || to.is_some()) {
            let why = "expected only for kind \"vip\" without to: it is the place in whatever queue comes";
            section.conflict("priority", priority.pos, why);
        }
        if section.has("callers").is_none() && section.has("table").is_none() {
            let why = "expected callers, a table, or both: nobody is on the list";
            section.conflict("name", section.pos, why);
        }
        Some(CallerList {
            name: name?.value,
            kind,
            callers,
            table,
            called: patterns(section, "called"),
            to,
            priority: priority.map_or(10, |at| at.value),
        })
    }

    fn last_agent(&self, section: &Section<'_>) -> LastAgent {
        let day = Duration::from_secs(86_400);
        let read = LastAgent {
            called: patterns(section, "called"),
            within: section.or("within", day * 7, duration(Duration::from_secs(60)..=day * 365)),
            otherwise: self.to(section, "otherwise"),
        };
        section.finish();
        read
    }

    fn ported(&self, section: &Section<'_>) -> Option<Ported> {
        section.need("table", "the table of such numbers", some_text);
        let table = self.known(section, "table", "table", &self.kit.tables);
        let column = section.or("column", "number".to_owned(), some_text);
        section.finish();
        Some(Ported { table: table?, column })
    }

    fn hours(&self, section: &Section<'_>) -> Option<OpeningRule> {
        section.need("calendar", "the calendar that says when it is open", some_text);
        let calendar = self.known(section, "calendar", "calendar", &self.kit.calendars);
        let called = patterns(section, "called");
        let (closed, holiday) = (self.to(section, "closed"), self.to(section, "holiday"));
        Some(OpeningRule { calendar: calendar?, called, closed, holiday })
    }

    fn share(&self, section: &Section<'_>) -> Option<Share> {
        section.need("called", "the numbers whose calls are shared out", list_is_there);
        let called = patterns(section, "called");
        let parts =
            section.need("parts", "the parts, as [{ to = \"queue:a\", percent = 70 }, ...]", list_is_there);
        let parts_at = parts?.pos;
        let part = |table: &Section<'_>| {
            let to = table.need("to", "where that part goes, as \"queue:sales\"", some_text);
            let percent = table.need("percent", "how many of a hundred", integer(0..=100, "percent"));
            let to = to.and_then(|at| self.context.destination(table, "to", &at));
            Some(Part { to: to?, percent: percent?.value })
        };
        let parts: Vec<Part> = each(section, "parts", part);
        let sum: u32 = parts.iter().map(|part| u32::from(part.percent)).sum();
        if sum != 100 {
            section.conflict("parts", parts_at, format!("the parts are {sum} percent together, not 100"));
        }
        Some(Share { called, parts })
    }

    fn otherwise(&self, section: &Section<'_>) -> Otherwise {
        let Some(at) = section.opt("otherwise", some_text) else {
            return Otherwise::Pass;
        };
        match at.value.as_str() {
            "pass" => Otherwise::Pass,
            "refuse" => Otherwise::Refuse(Cause::Congestion),
            _ => match self.context.destination(section, "otherwise", &at) {
                Some(to) => Otherwise::To(to),
                None => Otherwise::Pass,
            },
        }
    }

    fn http(&self, section: &Section<'_>) -> Option<HttpDecision> {
        let url = section.need("url", "the server that decides", url);
        if let Some(at) = &url
            && !self.kit.http_allowed.iter().any(|begin| at.value.starts_with(begin))
        {
            let why = "http_allowed of the tenant has nothing that this URL begins with";
            section.conflict("url", at.pos, why);
        }
        let secret = self.known(section, "secret", "secret", &self.kit.secrets);
        let headers = secret.map(|name| (AUTHORIZATION.to_owned(), FetchHeader::Secret(name)));
        let read = HttpDecision {
            called: patterns(section, "called"),
            url: url.map(|at| at.value).unwrap_or_default(),
            headers: headers.into_iter().collect(),
            within: section.or("within", ASK_DEFAULT, duration(ASK)),
            otherwise: self.otherwise(section),
        };
        section.finish();
        (!read.url.is_empty()).then_some(read)
    }

    fn lua(&self, section: &Section<'_>) -> Option<LuaDecision> {
        section.need("flow", "the flow that decides", some_text);
        let flow = self.known(section, "flow", "flow", &self.context.names.flows);
        let called = patterns(section, "called");
        let within = section.or("within", ASK_DEFAULT, duration(ASK));
        let otherwise = self.otherwise(section);
        section.finish();
        let flow = FlowId { tenant: self.context.id, name: flow? };
        Some(LuaDecision { called, flow, within, otherwise })
    }

    fn way(&self, section: &Section<'_>) -> Option<WayOut> {
        section.need("trunks", "the trunks, as [{ trunk = \"carrier\", cost = 1 }, ...]", list_is_there);
        let trunk = |table: &Section<'_>| {
            let name = table.need("trunk", "the trunk", some_text);
            let cost = table.or("cost", 0, integer(0..=1_000_000, ""));
            let weight = table.or("weight", 1, integer(0..=65_535, ""));
            let trunk = name.and_then(|at| self.trunk(table, "trunk", &at, true))?;
            Some(WayTrunk { trunk, cost, weight })
        };
        let trunks = each(section, "trunks", trunk);
        let read = WayOut {
            prefix: section.or("prefix", String::new(), prefix),
            trunks,
            users: patterns(section, "users"),
            from_trunks: self.trunks(section, "from_trunks", false),
        };
        (!read.trunks.is_empty()).then_some(read)
    }
}

fn name(node: &Node) -> Result<Name, Wrong> {
    Name::new(&some_text(node)?).map_err(|why| wrong(node, format!("a name: {why}")))
}

/// Whether a list is given; what is in it is read by those who know.
fn list_is_there(node: &Node) -> Result<(), Wrong> {
    match &node.value {
        super::tree::Value::Array(items) if !items.is_empty() => Ok(()),
        _ => Err(wrong(node, "a list that is not empty")),
    }
}
