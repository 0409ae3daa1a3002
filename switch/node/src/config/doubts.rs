//! What can be meant, and is more likely a mistake: told by `cordboard check` and at a start, and no ground to refuse the
//! configuration.
//!
//! Invariant: what cannot work at all is an error, said where it is read; here only if it takes all agents to see it.

use super::destination::Names;
use super::error::Problem;
use super::section::{Pos, Report};
use super::smart;
use super::suggest::nearest;
use cordboard_model::config::{Agent, Queue, Tenant};
use cordboard_model::id::{Name, UserId};
use cordboard_model::service::{BusyWhen, Nobody, Role};
use cordboard_model::verb::Destination;
use std::collections::{BTreeMap, BTreeSet};

/// The ways from queue to queue, and what becomes of a caller whom no queue of a circle keeps.
const WAYS: [(&str, &str); 3] = [
    ("on_nobody", "where nobody is signed in to any of them the call ends"),
    ("on_busy", "where all of them are full or busy the call ends"),
    ("on_timeout", "who waits goes round until he has been sent on 32 times, and then his call ends"),
];

/// What is doubtful in a tenant, and what is wrong with its agents together.
pub(super) fn look(tenant: &Tenant, names: &Names, own: Pos, report: &Report) {
    check_accounts(tenant, names, report);
    smart::check(tenant, &names.agents, report);
    let doubts = Doubts { tenant, names, own, report };
    WAYS.iter().for_each(|(key, ends)| doubts.circles(key, ends));
    tenant.queues.values().for_each(|queue| doubts.queue(queue));
    let wanted: BTreeSet<&str> =
        tenant.queues.values().flat_map(|queue| queue.service.skills.keys().map(Name::as_str)).collect();
    tenant.agents.values().for_each(|agent| doubts.agent(agent, &wanted));
}

/// Two who are signed in and ready from the start cannot be so at one account: a call for each would ring at one phone.
fn check_accounts(tenant: &Tenant, names: &Names, report: &Report) {
    let mut taken: BTreeMap<&UserId, &Name> = BTreeMap::new();
    for (name, agent) in tenant.agents.iter().filter(|(_, agent)| agent.auto_sign_in) {
        let (Some(first), Some(pos)) = (taken.insert(&agent.user, name), names.agents.get(name)) else {
            continue;
        };
        let section = format!("[tenant.{}.agent.{name}]", tenant.id);
        let why = format!("agent {first} signs in by himself at the same account {}", agent.user.name);
        report.error(*pos, Problem::Conflict { key: "auto_sign_in".into(), section, why });
    }
}

struct Doubts<'a> {
    tenant: &'a Tenant,
    names: &'a Names,
    /// The tenant's own section.
    own: Pos,
    report: &'a Report,
}

impl Doubts<'_> {
    fn tell(&self, kind: &str, name: &Name, key: &str, why: String) {
        let known = if kind == "queue" { &self.names.queues } else { &self.names.agents };
        let section = format!("[tenant.{}.{kind}.{name}]", self.tenant.id);
        let problem = Problem::Conflict { key: key.into(), section, why };
        self.report.doubt(known.get(name).copied().unwrap_or(self.own), problem);
    }

    /// Queues that send callers to one another, round and round, by one key each.
    fn circles(&self, key: &str, ends: &str) {
        let next = |name: &Name| {
            let service = &self.tenant.queues.get(name)?.service;
            let to = match (key, &service.nobody) {
                ("on_nobody", Nobody::To(to)) => Some(to),
                ("on_busy", _) => service.on_busy.as_ref(),
                ("on_timeout", _) => service.on_timeout.as_ref(),
                _ => None,
            };
            match to? {
                Destination::Queue(to) => Some(to.name.clone()),
                _ => None,
            }
        };
        let mut told = BTreeSet::new();
        for first in self.tenant.queues.keys() {
            let mut way = vec![first.clone()];
            while let Some(to) = way.last().and_then(&next).filter(|to| !way.contains(to)) {
                way.push(to);
            }
            let closes = way.last().and_then(&next).as_ref() == Some(first);
            if !closes || way.iter().any(|name| told.contains(name)) {
                continue;
            }
            told.extend(way.iter().cloned());
            let round: Vec<&str> = way.iter().chain([first]).map(Name::as_str).collect();
            let why = format!("{} goes round in a circle: {ends}", round.join(" -> "));
            self.tell("queue", first, key, why);
        }
    }

    fn queue(&self, queue: &Queue) {
        let (name, service) = (&queue.id.name, &queue.service);
        let tell = |key: &str, why: String| self.tell("queue", name, key, why);
        if queue.ring > queue.max_wait {
            tell("ring", "longer than max_wait: who waits rings for one agent and is then sent away".into());
        }
        if queue.announce_wait && queue.announce_every.is_none() {
            tell("announce_wait", "nothing is announced: announce_every is not given".into());
        }
        match service.busy_when {
            Some(BusyWhen::Wait(wait)) if wait.is_zero() => {
                tell("busy_wait", "nobody waits: who is not offered to an agent at once is sent on".into());
            }
            Some(BusyWhen::Wait(wait)) if wait >= queue.max_wait => {
                tell("busy_wait", "not shorter than max_wait, which comes first: it never counts".into());
            }
            _ => {}
        }
        if service.busy_room == Some(0) {
            tell("busy_room", "no queue is occupied less than that: nobody is ever sent there".into());
        }
        let agents: Vec<&Agent> =
            self.tenant.agents.values().filter(|agent| agent.queues.contains(&queue.id)).collect();
        if agents.is_empty() {
            return;
        }
        for (skill, wanted) in &service.skills {
            let least = wanted.least.max(1);
            let level = |agent: &&Agent| agent.duty.skills.get(skill).copied().unwrap_or(0);
            if agents.iter().all(|agent| level(agent) < least) {
                let why = format!("none of the agents who are listed for it has {skill} of {least} or more");
                tell("skill", why);
            }
        }
        if let Some(reserve) = service.reserve.filter(|_| service.ageing.is_none())
            && usize::try_from(reserve.agents).is_ok_and(|kept| kept >= agents.len())
        {
            let (kept, all, of) = (reserve.agents, agents.len(), reserve.priority);
            let why = format!("of {all} agents {kept} are kept: callers below priority {of} never get one");
            tell("reserve_agents", why);
        }
    }

    fn agent(&self, agent: &Agent, wanted: &BTreeSet<&str>) {
        let (name, duty) = (&agent.id.name, &agent.duty);
        let tell = |key: &str, why: String| self.tell("agent", name, key, why);
        for skill in duty.skills.keys().filter(|skill| !wanted.contains(skill.as_str())) {
            let meant = nearest(skill.as_str(), wanted.iter().copied());
            let meant = meant.map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
            tell("skill", format!("no queue asks for {:?}{meant}", skill.as_str()));
        }
        for queue in duty.preference.keys() {
            if !agent.queues.iter().any(|of| of.name == *queue) {
                tell("prefer", format!("he is not listed for queue {queue}"));
            }
        }
        if duty.role == Role::Outbound && !agent.queues.is_empty() {
            tell("role", "queues give an outbound agent no calls, and he is listed for some".into());
        }
    }
}

/// Called numbers, by what is dialled for them, with where they stand.
#[derive(Default)]
pub(super) struct Dialled(BTreeMap<String, (usize, Pos)>);

impl Dialled {
    /// Another one: told if one of the two is never reached, or an account of that name.
    pub(super) fn take(
        &mut self,
        (report, section): (&Report, &str),
        (access, extension): (&str, Option<&str>),
        pos: Pos,
        users: &BTreeMap<Name, Pos>,
    ) {
        let dialled = format!("{access}{}", extension.unwrap_or_default());
        let tell = |pos, why: String| {
            let (key, section) = ("access_code".into(), section.to_owned());
            report.doubt(pos, Problem::Conflict { key, section, why });
        };
        if let Some(user) = users.get(dialled.as_str()) {
            let at = report.words(*user);
            tell(pos, format!("account {dialled} at {at} cannot be called: its number leads here"));
        }
        match self.0.get(&dialled) {
            Some((len, other)) if *len != access.len() => {
                let (here, there) = if *len > access.len() { (pos, *other) } else { (*other, pos) };
                let there = report.words(there);
                tell(here, format!("{dialled} leads to the longer access code at {there}, never here"));
            }
            _ => {}
        }
        self.0.entry(dialled).or_insert((access.len(), pos));
    }
}
