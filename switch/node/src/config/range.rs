//! Agents by number range: what many have alike stands once, and what is one agent's own in his section, key by key.
//!
//! Invariant: a fault of a range is told once, at its line, however many agents it has; a number is in one range at most.

use super::destination::Names;
use super::error::Problem;
use super::section::{At, Pos, Section, Wrong};
use super::tenant::{Context, named};
use super::tree::Node;
use super::value::{some_text, text, wrong};
use super::{secret, shown};
use cordboard_model::config::{Agent, User};
use cordboard_model::id::{Name, UserId};
use cordboard_model::media::DtmfKind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Most agents of all ranges of a tenant.
const AGENTS_MAX: u64 = 10_000;
/// Most digits of a number.
const DIGITS_MAX: usize = 15;
/// Largest file of passwords, bytes.
const FILE_MAX: u64 = 1 << 20;
/// Most numbers that one fault names.
const NAMED_MAX: usize = 5;
/// What stands for an agent's number in the name that people see.
const NUMBER: &str = "{number}";

/// Numbers from one to another, all of as many digits.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: u64,
    last: u64,
    digits: usize,
}

impl Span {
    fn read(node: &Node) -> Result<Self, Wrong> {
        let expected = || wrong(node, "two numbers of as many digits, the lower first, as \"1000-1099\"");
        let both = text(node)?;
        let (first, last) = both.split_once('-').ok_or_else(expected)?;
        let is_number =
            |part: &str| (1..=DIGITS_MAX).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if first.len() != last.len() || !is_number(first) || !is_number(last) {
            return Err(expected());
        }
        let number = |part: &str| part.parse::<u64>().map_err(|_| expected());
        let span = Self { first: number(first)?, last: number(last)?, digits: first.len() };
        match span.first <= span.last {
            true if span.len() > AGENTS_MAX => Err(wrong(node, format!("at most {AGENTS_MAX} numbers"))),
            true => Ok(span),
            false => Err(expected()),
        }
    }

    fn len(self) -> u64 {
        self.last - self.first + 1
    }

    fn number(self, number: u64) -> String {
        format!("{number:0digits$}", digits = self.digits)
    }

    fn names(self) -> impl Iterator<Item = Name> {
        (self.first..=self.last).filter_map(move |number| Name::new(&self.number(number)).ok())
    }

    fn holds(self, name: &str) -> bool {
        let number = name.parse::<u64>().ok().filter(|_| name.len() == self.digits);
        number.is_some_and(|number| (self.first..=self.last).contains(&number))
    }

    /// The numbers that are in both.
    fn with(self, other: Self) -> Option<(u64, u64)> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (self.digits == other.digits && first <= last).then_some((first, last))
    }
}

/// One range.
struct Range<'a> {
    section: Section<'a>,
    span: Span,
    pos: Pos,
    /// Accounts that are made with it, and where their passwords are.
    accounts: BTreeMap<Name, String>,
    passwords: Option<Pos>,
}

/// The ranges of a tenant.
pub(super) struct Ranges<'a>(Vec<Range<'a>>);

impl<'a> Ranges<'a> {
    /// Reads which numbers there are, and the passwords of their accounts.
    pub(super) fn read(tenant: &Section<'a>, base: &Path) -> Self {
        let mut all: Vec<Range<'a>> = Vec::new();
        let mut agents = 0;
        for (_, mut section) in named(tenant, "agent_range") {
            let expected = "the first and the last number, as \"1000-1099\"";
            let numbers = section.need("numbers", expected, Span::read);
            let passwords = section.opt("passwords", some_text);
            section.asks_as("agent_range", "agent");
            let Some(At { value: span, pos }) = numbers else {
                continue;
            };
            agents += span.len();
            if agents > AGENTS_MAX {
                let why = format!("{agents} agents with those of the ranges before; at most {AGENTS_MAX}");
                section.conflict("numbers", pos, why);
                break;
            }
            let common = all.iter().find_map(|other| Some((other, other.span.with(span)?)));
            if let Some((other, (first, last))) = common {
                let (first, last) = (span.number(first), span.number(last));
                let place = section.report().words(other.pos);
                let why = format!("{first} to {last} are in {}, too, at {place}", other.section.shown());
                section.conflict("numbers", pos, why);
                continue;
            }
            let accounts = passwords.as_ref().map(|at| accounts(&section, at, span, base));
            let (accounts, passwords) = (accounts.unwrap_or_default(), passwords.map(|at| at.pos));
            all.push(Range { section, span, pos, accounts, passwords });
        }
        Self(all)
    }

    /// Enters the names of agents and accounts.
    pub(super) fn name(&self, names: &mut Names) {
        for range in &self.0 {
            for (name, pos) in range.accounts.keys().filter_map(|name| Some((name, range.passwords?))) {
                if let Some(first) = names.users.insert(name.clone(), pos) {
                    let first = range.section.report().words(first);
                    let problem = Problem::Duplicate { kind: "user", name: name.to_string(), first };
                    range.section.report().error(pos, problem);
                }
            }
            for name in range.span.names() {
                names.agents.entry(name).or_insert(range.pos);
            }
        }
    }

    /// The accounts that are made with ranges.
    pub(super) fn users(&self, context: &Context<'_>) -> Vec<(Name, User)> {
        let user = |(name, password): (&Name, &String)| {
            let (ha1_md5, ha1_sha256) = secret::ha1(name.as_str(), &context.realm, password);
            let id = UserId { tenant: context.id, name: name.clone() };
            let (display, dtmf) = (name.to_string(), DtmfKind::default());
            (name.clone(), User { id, display, ha1_md5, ha1_sha256, dtmf, srtp: context.srtp })
        };
        self.0.iter().flat_map(|range| range.accounts.iter().map(user)).collect()
    }

    /// All agents: those of ranges, and those with sections of their own.
    pub(super) fn agents(
        self,
        context: &Context<'_>,
        own: Vec<(At<String>, Section<'a>)>,
    ) -> BTreeMap<Name, Agent> {
        let mut all = BTreeMap::new();
        let own_names: BTreeSet<&str> = own.iter().map(|(at, _)| at.value.as_str()).collect();
        let mut sound = Vec::new();
        for range in self.0 {
            let before = range.section.report().count();
            range.agents(context, &own_names, &mut all);
            if range.section.report().count() == before {
                sound.push(range);
            }
        }
        for (at, section) in own {
            let Ok(name) = Name::new(&at.value) else { continue };
            // what is wrong with a range is not told once more for each of its agents
            let range = sound.iter().find(|range| range.span.holds(name.as_str()));
            let section = match range {
                Some(range) => section.over(&range.section),
                None => section,
            };
            if let Some(mut agent) = context.agent(&name, &section) {
                if range.is_some() {
                    agent.display = agent.display.replace(NUMBER, name.as_str());
                }
                all.insert(name, agent);
            }
            section.finish();
        }
        all
    }
}

impl Range<'_> {
    fn agents(&self, context: &Context<'_>, own: &BTreeSet<&str>, all: &mut BTreeMap<Name, Agent>) {
        let section = &self.section;
        // one password for all of them would be nobody's: who knows his own knows his neighbour's
        for key in ["user", "phone", "password_hash", "password_env"] {
            if let Some(pos) = section.has(key) {
                let why = "it is one agent's own: expected in his section, [tenant.….agent.NUMBER]";
                section.conflict(key, pos, why);
            }
        }
        let Some(first) = self.span.names().next() else { return };
        let like = context.agent_like(&first, section);
        let desk = context.desk.read(section, context.plan.as_ref());
        let sign_in = context.sign_in.read(context, &first, section);
        section.finish();
        let display = if section.has("display").is_some() { like.display.as_str() } else { NUMBER };
        let mut missing = Vec::new();
        for name in self.span.names().filter(|name| !own.contains(name.as_str())) {
            if !context.names.users.contains_key(&name) {
                missing.push(name);
                continue;
            }
            let mut agent = like.clone();
            agent.display = display.replace(NUMBER, name.as_str());
            (agent.id.name, agent.user.name) = (name.clone(), name.clone());
            context.desk.put(&name, &desk);
            context.sign_in.put(&name, &sign_in);
            all.insert(name, agent);
        }
        if !missing.is_empty() {
            let some: Vec<&str> = missing.iter().take(NAMED_MAX).map(Name::as_str).collect();
            let more = match missing.len().checked_sub(NAMED_MAX) {
                Some(more @ 1..) => format!(" and {more} more"),
                _ => String::new(),
            };
            let why = format!(
                "there is no user {}{more}; expected a section of each, or a line in a file that passwords names",
                some.join(", ")
            );
            section.conflict("numbers", self.pos, why);
        }
    }
}

/// Reads a file with a line `NUMBER,PASSWORD` for each account.
fn accounts(section: &Section<'_>, at: &At<String>, span: Span, base: &Path) -> BTreeMap<Name, String> {
    let path = base.join(&at.value);
    let report = section.report();
    let small = std::fs::metadata(&path).map_err(|why| why.to_string()).and_then(|known| match known.len() {
        len if len > FILE_MAX => Err(format!("{len} bytes; at most {FILE_MAX} are taken")),
        _ => Ok(()),
    });
    let read = small.and_then(|()| std::fs::read_to_string(&path).map_err(|why| why.to_string()));
    let mut accounts = BTreeMap::new();
    let lines = match read {
        Ok(lines) => lines,
        Err(why) => {
            report.error(at.pos, Problem::File { kind: "password file", path: shown(&path), why });
            return accounts;
        }
    };
    for (line, number) in lines.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // never what the line says beside the number: it is a secret
        let why = match line.split_once(',').map(|(name, password)| (name.trim(), password.trim())) {
            None | Some((_, "")) => "expected a number, a comma and a password".to_owned(),
            Some((name, _)) if !span.holds(name) => format!("the number is not in {}", section.shown()),
            Some((name, password)) => match Name::new(name) {
                Ok(name) if accounts.contains_key(&name) => format!("{name} stands twice"),
                Ok(name) => {
                    accounts.insert(name, password.to_owned());
                    continue;
                }
                Err(why) => why.to_string(),
            },
        };
        report.error_in(shown(&path), number, 1, Problem::Table(why));
    }
    accounts
}
