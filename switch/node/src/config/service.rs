//! How queues serve, and what agents are there for: the keys of tables 4-2 and 4-4 of the reference documents.

use super::chat;
use super::destination::resolve;
use super::device;
use super::error::Problem;
use super::machine::flag;
use super::section::{At, Pos, Section, Wrong};
use super::tenant::{Context, each, named};
use super::tree::Node;
use super::value::{boolean, duration, integer, one_of, some_text, text, wrong};
use cordboard_model::id::{Name, QueueId};
use cordboard_model::service::{
    AgentKind, BusyWhen, Channel, ChatSlots, Duty, Nobody, QueueKind, Reserve, RingMost, Role, SPARE_OF_ALL,
    Service, Spare, Stick, Strategy, Unanswered, WantedSkill,
};
use cordboard_model::time::Duration;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

/// Longest name of a queue, bytes, and its longest description, characters.
const NAME_MAX: usize = 100;
const DESCRIPTION_MAX: usize = 50;
/// Longest name of an organisation, characters.
const ORGANISATION_MAX: usize = 64;
/// Wrap-up lasts a multiple of this.
const WRAP_UP_STEP: u64 = 5;
/// The most of a queue, callers or percent.
const LENGTH_MAX: u32 = 10_000;

const KINDS: &[(&str, QueueKind)] = &[
    ("voice", QueueKind::Voice),
    ("video", QueueKind::Video),
    ("multimedia", QueueKind::Multimedia),
    ("voice_click", QueueKind::VoiceClick),
    ("video_click", QueueKind::VideoClick),
];
const CHANNELS: &[(&str, Channel)] = &[
    ("web", Channel::Web),
    ("whatsapp", Channel::Whatsapp),
    ("line", Channel::Line),
    ("wechat", Channel::Wechat),
    ("facebook", Channel::Facebook),
    ("x", Channel::X),
    ("rcs", Channel::Rcs),
    ("email", Channel::Email),
    ("sms", Channel::Sms),
    ("instagram", Channel::Instagram),
    ("telegram", Channel::Telegram),
];
const STRATEGIES: &[(&str, Strategy)] = &[
    ("longest_idle", Strategy::LongestIdle),
    ("fewest_calls", Strategy::FewestCalls),
    ("highest_skill", Strategy::HighestSkill),
    ("least_occupied", Strategy::LeastOccupied),
    ("round_robin", Strategy::RoundRobin),
    ("ring_all", Strategy::RingAll),
];
const ROLES: &[(&str, Role)] =
    &[("agent", Role::Agent), ("supervisor", Role::Supervisor), ("outbound", Role::Outbound)];
const AGENT_KINDS: &[(&str, AgentKind)] = &[
    ("voice", AgentKind::Voice),
    ("video", AgentKind::Video),
    ("multimedia", AgentKind::Multimedia),
    ("all_round", AgentKind::AllRound),
];

/// A queue that sends its callers to another: both must be of one kind.
#[derive(Debug)]
pub(super) struct Sent {
    key: &'static str,
    section: String,
    pos: Pos,
    from: QueueKind,
    to: Name,
}

/// What was read of queues, for the checks that need all of them.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    of: BTreeMap<Name, QueueKind>,
    sent: Vec<Sent>,
}

impl Kinds {
    /// What a queue is for.
    pub(super) fn kind(&self, queue: &Name) -> Option<QueueKind> {
        self.of.get(queue).copied()
    }
}

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// The name of a queue: at most a hundred bytes.
pub(super) fn queue_name(node: &Node) -> Result<String, Wrong> {
    some_text(node).and_then(|name| match name.len() <= NAME_MAX {
        true => Ok(name),
        false => Err(wrong(node, format!("at most {NAME_MAX} bytes"))),
    })
}

/// The part of the house that an agent is of.
fn organisation(node: &Node) -> Result<String, Wrong> {
    some_text(node).and_then(|name| match name.chars().count() <= ORGANISATION_MAX {
        true => Ok(name),
        false => Err(wrong(node, format!("at most {ORGANISATION_MAX} characters"))),
    })
}

fn description(node: &Node) -> Result<String, Wrong> {
    text(node).and_then(|words| match words.chars().count() <= DESCRIPTION_MAX {
        true => Ok(words),
        false => Err(wrong(node, format!("at most {DESCRIPTION_MAX} characters"))),
    })
}

/// The wrap-up time: from one second on it is rounded up to the next multiple of five seconds that is longer, as the
/// reference table has it (12 s make 15, 10 s make 15). What is shorter is taken as it is.
pub(super) fn wrap_up(section: &Section<'_>) -> Duration {
    let asked = section.or("wrap_up", secs(5), duration(secs(0)..=secs(3_600)));
    match asked.as_secs() {
        0 => asked,
        s => secs((s / WRAP_UP_STEP + 1) * WRAP_UP_STEP),
    }
}

/// The most who may wait: a number, and a share of the agents who are signed in if that is given instead.
pub(super) fn length(section: &Section<'_>, kind: QueueKind) -> (u32, Option<u32>) {
    let least = u32::from(!matches!(kind, QueueKind::Voice | QueueKind::Video));
    let share =
        section.opt("max_length_share", integer(least..=LENGTH_MAX, "percent of the signed-in agents"));
    if let (Some(_), Some(pos)) = (&share, section.has("max_length")) {
        section.conflict("max_length", pos, "a queue has max_length or max_length_share, not both");
    }
    (section.or("max_length", 100, integer(least..=LENGTH_MAX, "callers")), share.map(|at| at.value))
}

pub(super) fn queue_kind(section: &Section<'_>) -> QueueKind {
    section.or("kind", QueueKind::Voice, one_of(KINDS))
}

/// A destination, or a word for what else becomes of callers.
fn place(node: &Node, may_wait: bool) -> Result<String, Wrong> {
    let word = some_text(node)?;
    if word == "release" || word.contains(':') {
        return Ok(word);
    }
    let wait = if may_wait { "\"wait\", " } else { "" };
    Err(wrong(node, format!("\"release\", {wait}\"flow:NAME\", \"queue:NAME\" or another destination")))
}

/// A key of a queue that says where callers go: nothing for "release".
fn way(
    context: &Context<'_>,
    (name, kind): (&Name, QueueKind),
    section: &Section<'_>,
    key: &'static str,
) -> Option<(Option<Destination>, Pos)> {
    let at = section.opt(key, |node| place(node, key == "on_nobody"))?;
    if at.value == "release" {
        return Some((None, at.pos));
    }
    let to = context.destination(section, key, &at);
    match &to {
        Some(Destination::Queue(id)) if id.name == *name => {
            section.conflict(key, at.pos, "a queue cannot send its callers to itself");
        }
        Some(Destination::Queue(id)) => {
            let (section, pos, to) = (section.shown(), at.pos, id.name.clone());
            context.kinds.borrow_mut().sent.push(Sent { key, section, pos, from: kind, to });
        }
        Some(_) if kind == QueueKind::Multimedia => {
            section.conflict(key, at.pos, "a multimedia queue can send its callers only to a queue");
        }
        _ => {}
    }
    Some((to, at.pos))
}

/// How a queue serves.
pub(super) fn service(context: &Context<'_>, name: &Name, section: &Section<'_>, kind: QueueKind) -> Service {
    context.kinds.borrow_mut().of.insert(name.clone(), kind);
    let way = |key| way(context, (name, kind), section, key);
    let overflow = way("overflow").and_then(|(to, _)| to);
    let on = |key| match way(key) {
        Some((to, _)) => to,
        None => overflow.clone(),
    };
    let (on_timeout, on_busy) = (on("on_timeout"), on("on_busy"));
    let waits = |node: &Node| text(node).map(|word| word == "wait");
    let nobody = match section.opt("on_nobody", waits) {
        Some(At { value: true, .. }) => Nobody::Wait,
        Some(_) => way("on_nobody").and_then(|(to, _)| to).map_or(Nobody::Release, Nobody::To),
        None => Nobody::Release,
    };
    let strategy = section.or("strategy", Strategy::default(), one_of(STRATEGIES));
    let busy_when = busy_when(section, on_busy.is_some());
    let busy_room = section.opt("busy_room", integer(0..=100, "percent"));
    if let Some(room) = busy_room.as_ref().filter(|_| !matches!(on_busy, Some(Destination::Queue(_)))) {
        section.conflict("busy_room", room.pos, "there is a limit only where on_busy is a queue");
    }
    Service {
        description: section.or("description", String::new(), description),
        kind,
        channels: channels(section, kind),
        length_share: None,
        strategy,
        ring_all_most: ring_all_most(section),
        skills: wanted_skills(section),
        ageing: section.opt("ageing", duration(secs(1)..=secs(3_600))).map(|at| at.value),
        reserve: reserve(section),
        stick: stick(section),
        nobody,
        on_timeout,
        on_busy,
        busy_when,
        busy_room: busy_room.map(|at| at.value),
        unanswered: unanswered(section, strategy),
        chat: chat::rules(section, kind),
    }
}

fn busy_when(section: &Section<'_>, goes: bool) -> Option<BusyWhen> {
    let occupancy = section.opt("busy_occupancy", integer(0..=100, "percent"));
    let wait = section.opt("busy_wait", duration(secs(0)..=secs(9_999)));
    let (key, pos) = match (&occupancy, &wait) {
        (Some(_), Some(wait)) => {
            let why = "a queue is busy by its occupancy or by a wait, not both";
            section.conflict("busy_wait", wait.pos, why);
            return None;
        }
        (Some(occupancy), None) => ("busy_occupancy", occupancy.pos),
        (None, Some(wait)) => ("busy_wait", wait.pos),
        (None, None) => return None,
    };
    if !goes {
        section.conflict(key, pos, "expected only with on_busy or overflow: busy callers are sent nowhere");
    }
    let occupancy = occupancy.map(|at| BusyWhen::Occupancy(at.value));
    occupancy.or(wait.map(|at| BusyWhen::Wait(at.value)))
}

fn channels(section: &Section<'_>, kind: QueueKind) -> Vec<Channel> {
    let Some(list) = section.list("channels", one_of(CHANNELS)) else {
        return Vec::new();
    };
    if kind != QueueKind::Multimedia {
        section.conflict("channels", list.pos, "expected only for kind \"multimedia\"");
    }
    list.value.into_iter().map(|at| at.value).collect()
}

fn wanted_skills(section: &Section<'_>) -> BTreeMap<Name, WantedSkill> {
    each(named(section, "skill"), |_, skill| {
        Some(WantedSkill {
            weight: skill.or("weight", 1, integer(1..=100, "")),
            least: skill.or("least", 1, integer(0..=100, "")),
        })
    })
}

fn reserve(section: &Section<'_>) -> Option<Reserve> {
    let agents = section.opt("reserve_agents", integer(1..=10_000, "agents"));
    let priority = section.opt("reserve_priority", integer(1..=255, ""));
    match (agents, priority) {
        (Some(agents), Some(priority)) => Some(Reserve { agents: agents.value, priority: priority.value }),
        (Some(At { pos, .. }), None) => {
            section.conflict("reserve_agents", pos, "expected with reserve_priority: for whom they are kept");
            None
        }
        (None, Some(At { pos, .. })) => {
            section.conflict("reserve_priority", pos, "expected with reserve_agents: how many are kept");
            None
        }
        (None, None) => None,
    }
}

fn stick(section: &Section<'_>) -> Option<Stick> {
    let by = section.opt("stick", stick_key);
    let wait = section.opt("stick_wait", duration(secs(0)..=secs(3_600)));
    let memory = section.opt("stick_memory", duration(secs(60)..=secs(31_536_000)));
    for (key, pos) in
        [("stick_wait", wait.as_ref().map(|at| at.pos)), ("stick_memory", memory.as_ref().map(|at| at.pos))]
    {
        if let (Some(pos), None) = (pos, &by) {
            section.conflict(key, pos, "expected with stick: by what callers are known");
        }
    }
    Some(Stick {
        key: by?.value,
        wait: wait.map_or(secs(20), |at| at.value),
        memory: memory.map_or(secs(30 * 86_400), |at| at.value),
    })
}

/// `caller`, or `data:KEY`.
fn stick_key(node: &Node) -> Result<Option<String>, Wrong> {
    let word = some_text(node)?;
    match word.strip_prefix("data:") {
        Some(key) if !key.is_empty() => Ok(Some(key.to_owned())),
        _ if word == "caller" => Ok(None),
        _ => Err(wrong(node, "\"caller\" or \"data:KEY\"")),
    }
}

/// How many ring at once, where all do.
fn ring_all_most(section: &Section<'_>) -> RingMost {
    let most = section.opt("ring_all_most", integer(1..=RingMost::LIMIT, "agents"));
    most.map_or_else(RingMost::default, |at| RingMost(at.value))
}

fn unanswered(section: &Section<'_>, strategy: Strategy) -> Unanswered {
    let mut usual = Unanswered::default();
    if strategy == Strategy::RingAll {
        usual.no_answer = SPARE_OF_ALL;
    }
    Unanswered {
        no_answer: section.or("on_no_answer", usual.no_answer, spare),
        busy: section.or("on_agent_busy", usual.busy, spare),
        declined: section.or("on_declined", usual.declined, spare),
        unreachable: section.or("on_unreachable", usual.unreachable, spare),
        not_registered: section.or("on_not_registered", usual.not_registered, spare),
    }
}

/// What an offer that was not answered costs.
fn spare(node: &Node) -> Result<Spare, Wrong> {
    let words = [("rest", Spare::Rest), ("not_ready", Spare::NotReady), ("sign_out", Spare::SignOut)];
    let word = text(node).unwrap_or_default();
    if let Some((_, policy)) = words.into_iter().find(|(name, _)| *name == word) {
        return Ok(policy);
    }
    let time = duration(Duration::from_millis(100)..=secs(3_600))(node);
    time.map(Spare::For).map_err(|_| {
        wrong(
            node,
            "\"rest\", \"not_ready\", \"sign_out\", or how long he gets no call, from \"100ms\" to \"1h\"",
        )
    })
}

/// A queue whose places are a share of its agents has none while nobody is signed in: nobody can wait for them then.
pub(super) fn check_places(section: &Section<'_>, service: &Service) {
    if let (Some(_), Nobody::Wait) = (service.length_share, &service.nobody) {
        let why = "with max_length_share nobody can wait while nobody is signed in: there are no places then";
        section.conflict("on_nobody", section.has("on_nobody").unwrap_or(section.pos), why);
    }
}

/// Once every queue is read: those who send callers to one another are of one kind.
pub(super) fn check_kinds(context: &Context<'_>, section: &Section<'_>) {
    let kinds = context.kinds.borrow();
    for sent in &kinds.sent {
        if let Some(to) = kinds.of.get(&sent.to).filter(|to| **to != sent.from) {
            let why = format!(
                "queue {} is of kind {}, this one of kind {}; callers go only between queues of one kind",
                sent.to,
                to.as_str(),
                sent.from.as_str()
            );
            let problem = Problem::Conflict { key: sent.key.into(), section: sent.section.clone(), why };
            section.report().error(sent.pos, problem);
        }
    }
}

/// What an agent is there for.
pub(super) fn duty(context: &Context<'_>, section: &Section<'_>, queues: &[QueueId]) -> Duty {
    let kind = section.or("kind", AgentKind::default(), one_of(AGENT_KINDS));
    let kinds = context.kinds.borrow();
    for queue in queues {
        if let Some(of) = kinds.of.get(&queue.name).filter(|of| !kind.serves(**of)) {
            let why = format!("a {} agent cannot serve {} queue {}", kind.as_str(), of.as_str(), queue.name);
            section.conflict("kind", section.has("kind").unwrap_or(section.pos), why);
        }
    }
    let skills = each(named(section, "skill"), |_, skill| {
        let level = skill.need("level", "how well he knows it, 1 to 100", integer(1..=100, ""));
        level.map(|at| at.value)
    });
    let places = each(named(section, "prefer"), |name, prefer| {
        let at = At { value: name.to_string(), pos: prefer.pos };
        let known = resolve(prefer, "prefer", "queue", &at, &context.names.queues);
        let place = prefer.need("place", "1 for callers he takes first, to 9", integer(1..=9, ""));
        known.and(place).map(|at| at.value)
    });
    let smart = flag(section, "smart", false);
    if let (true, false, Some(pos)) = (smart, context.desk.has_smart(), section.has("smart")) {
        section.conflict("smart", pos, "expected only where [tenant.NAME.smart] says which program listens");
    }
    Duty {
        organisation: section.opt("organisation", organisation).map(|at| at.value),
        smart,
        numbers_label: flag(section, "numbers_label", false),
        role: section.or("role", Role::default(), one_of(ROLES)),
        kind,
        skills,
        preference: places,
        rest_limit: section.opt("rest_limit", duration(secs(60)..=secs(86_400))).map(|at| at.value),
        device_grace: section.opt("device_grace", duration(secs(1)..=secs(86_400))).map(|at| at.value),
        phone: device::read(context, section),
        chats: chat_slots(section),
    }
}

/// How many chats he may have, and what beside them.
fn chat_slots(section: &Section<'_>) -> ChatSlots {
    let usual = ChatSlots::default();
    let switch = |key, usual| section.or(key, usual, boolean);
    ChatSlots {
        most: section.or("chats", usual.most, integer(1..=ChatSlots::LIMIT, "chats")),
        during_call: switch("chats_during_call", usual.during_call),
        calls_beside: switch("calls_beside_chats", usual.calls_beside),
    }
}

/// The queues of an agent: those he is listed for, and those of his groups.
pub(super) fn queues_of(
    context: &Context<'_>,
    section: &Section<'_>,
    groups: &BTreeMap<Name, Vec<QueueId>>,
) -> Vec<QueueId> {
    let mut queues = listed(context, section);
    for at in section.list("skill_groups", text).map_or(vec![], |l| l.value) {
        let found = resolve(section, "skill_groups", "skill group", &at, groups);
        let of_group = found.and_then(|name| groups.get(&name)).into_iter().flatten();
        for queue in of_group {
            if !queues.contains(queue) {
                queues.push(queue.clone());
            }
        }
    }
    if let Some(at) = section.opt("default_queue", text) {
        let found = resolve(section, "default_queue", "queue", &at, &context.names.queues);
        let place = |name: &Name| queues.iter().position(|queue| queue.name == *name);
        match found.map(|name| place(&name).ok_or(name)) {
            Some(Ok(place)) => queues.get_mut(..=place).unwrap_or_default().rotate_right(1),
            Some(Err(name)) => {
                section.conflict("default_queue", at.pos, format!("the agent does not serve queue {name}"));
            }
            None => {}
        }
    }
    queues
}

fn listed(context: &Context<'_>, section: &Section<'_>) -> Vec<QueueId> {
    let mut queues: Vec<QueueId> = Vec::new();
    for at in section.list("queues", text).map_or(vec![], |l| l.value) {
        let found = resolve(section, "queues", "queue", &at, &context.names.queues);
        let Some(name) = found else { continue };
        let queue = QueueId { tenant: context.id, name };
        if queues.contains(&queue) {
            let why = format!("queue {:?} is listed twice", at.value);
            section.conflict("queues", at.pos, why);
        } else {
            queues.push(queue);
        }
    }
    queues
}

/// Skill groups: queues that go together.
pub(super) fn groups(context: &Context<'_>, section: &Section<'_>) -> BTreeMap<Name, Vec<QueueId>> {
    each(named(section, "skill_group"), |_, group| Some(listed(context, group)))
}
