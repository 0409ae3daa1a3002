//! How a queue serves its callers, and what its agents are there for.
//!
//! The words are those of the reference tables 4-2 (skill queue) and 4-4 (agent); ranges and defaults stand at the keys
//! of cordboard.toml.

use crate::chat::ChatRules;
use crate::device::AgentPhone;
use crate::id::Name;
use crate::verb::Destination;
use core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a queue is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueKind {
    /// Calls with audio.
    #[default]
    Voice,
    /// Calls with video.
    Video,
    /// Text and the like.
    Multimedia,
    /// Calls with audio that visitors of web pages begin, in a chat or beside one.
    VoiceClick,
    /// Such calls with video.
    VideoClick,
}

impl QueueKind {
    /// The word used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            QueueKind::Voice => "voice",
            QueueKind::Video => "video",
            QueueKind::Multimedia => "multimedia",
            QueueKind::VoiceClick => "voice_click",
            QueueKind::VideoClick => "video_click",
        }
    }
}

/// What an agent has a slot for: one call at a time, some chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A call, with video or not.
    Call,
    /// A chat.
    Chat,
}

impl QueueKind {
    /// What an agent gets from such a queue.
    pub fn work(self) -> Work {
        match self {
            QueueKind::Multimedia => Work::Chat,
            QueueKind::Voice | QueueKind::Video | QueueKind::VoiceClick | QueueKind::VideoClick => Work::Call,
        }
    }

    /// Whether visitors of web pages call such a queue.
    pub fn is_click(self) -> bool {
        matches!(self, QueueKind::VoiceClick | QueueKind::VideoClick)
    }
}

/// How many chats an agent has at once, and what he may have beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatSlots {
    /// The most, 1 to [`ChatSlots::LIMIT`].
    pub most: u8,
    /// Whether he is offered chats while he is in a call.
    pub during_call: bool,
    /// Whether he is offered calls while he has chats.
    pub calls_beside: bool,
}

impl ChatSlots {
    /// Nobody has more.
    pub const LIMIT: u8 = 50;
}

impl Default for ChatSlots {
    fn default() -> Self {
        Self { most: 5, during_call: false, calls_beside: true }
    }
}

/// By which way the contacts of a multimedia queue come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A web page.
    #[default]
    Web,
    /// WhatsApp.
    Whatsapp,
    /// LINE.
    Line,
    /// WeChat.
    Wechat,
    /// Facebook.
    Facebook,
    /// X, formerly Twitter.
    X,
    /// Messages of the Rich Communication Suite over 5G.
    Rcs,
    /// Mail.
    Email,
    /// Short messages.
    Sms,
    /// Instagram.
    Instagram,
    /// Telegram.
    Telegram,
}

/// Which of the free agents gets the next caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Who is idle longest.
    #[default]
    LongestIdle,
    /// Who has taken the fewest calls since he signed in.
    FewestCalls,
    /// Whose skills are the highest, weighed by the queue.
    HighestSkill,
    /// Who was busy for the smallest part of his time since he signed in.
    LeastOccupied,
    /// Who was offered a call of this queue longest ago.
    RoundRobin,
    /// All at once: who answers first has the caller.
    RingAll,
}

impl Strategy {
    /// The word used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::LongestIdle => "longest_idle",
            Strategy::FewestCalls => "fewest_calls",
            Strategy::HighestSkill => "highest_skill",
            Strategy::LeastOccupied => "least_occupied",
            Strategy::RoundRobin => "round_robin",
            Strategy::RingAll => "ring_all",
        }
    }
}

/// The most agents who ring at once for one caller of a queue that rings all, 1 to [`RingMost::LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingMost(pub u8);

impl RingMost {
    /// No queue rings more.
    pub const LIMIT: u8 = 50;
}

impl Default for RingMost {
    fn default() -> Self {
        Self(10)
    }
}

/// A skill as a queue wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedSkill {
    /// What a level of it counts, 1 to 100.
    pub weight: u8,
    /// Agents below this level do not serve the queue, 0 to 100.
    pub least: u8,
}

/// Agents who are kept free for callers of some priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// So many.
    pub agents: u32,
    /// For callers of at least this priority.
    pub priority: u8,
}

/// Callers who come again wait for whom they know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stick {
    /// By which call data a customer is known; by his number if none.
    pub key: Option<String>,
    /// How long he waits for that agent before any other takes him.
    pub wait: Duration,
    /// For how long it is remembered who talked to whom.
    pub memory: Duration,
}

/// What becomes of a caller who enters a queue to which nobody is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nobody {
    /// He waits.
    #[default]
    Wait,
    /// He is released.
    Release,
    /// He goes there.
    To(Destination),
}

/// When a queue is busy although it has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BusyWhen {
    /// From this occupancy on, percent: see [`Service::busy_when`].
    Occupancy(u8),
    /// When a caller has waited so long.
    Wait(Duration),
}

/// How long one who signs in by himself gets no call after one that he let ring, where his queue says nothing.
pub const UNATTENDED: Duration = Duration::from_secs(60);

/// What an offer that was not answered costs the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spare {
    /// He is put on a break; one who signs in by himself, and may have no desk to end it at, gets no call for
    /// [`UNATTENDED`].
    Usual,
    /// He stays ready and is not offered a call for so long.
    For(Duration),
    /// He is put on a break.
    Rest,
    /// He is made not ready.
    NotReady,
    /// He is signed out.
    SignOut,
}

/// How long an agent who let it ring is not offered a call where all ring: he is not put on a break, since others may have
/// been meant as much as he.
pub const SPARE_OF_ALL: Spare = Spare::For(Duration::from_secs(5));

/// The five ways in which an offer fails, and what each costs the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// It rang in vain.
    pub no_answer: Spare,
    /// His phone was busy.
    pub busy: Spare,
    /// He declined.
    pub declined: Spare,
    /// His phone could not be reached. A change of his registrations ends a time that this costs.
    pub unreachable: Spare,
    /// He had no registered phone; likewise.
    pub not_registered: Spare,
}

impl Spare {
    /// What it comes to for an agent, who may be one who signs in by himself.
    pub fn of(self, signs_in_by_himself: bool) -> Spare {
        match self {
            Spare::Usual if signs_in_by_himself => Spare::For(UNATTENDED),
            Spare::Usual => Spare::Rest,
            said => said,
        }
    }
}

impl Default for Unanswered {
    fn default() -> Self {
        let spare = |s| Spare::For(Duration::from_secs(s));
        Self {
            no_answer: Spare::Usual,
            busy: spare(5),
            declined: spare(5),
            unreachable: spare(30),
            not_registered: spare(30),
        }
    }
}

/// How a queue serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// What people say it is for.
    pub description: String,
    /// What it is for.
    pub kind: QueueKind,
    /// Of a multimedia queue, the ways that it is for; all if empty.
    pub channels: Vec<Channel>,
    /// The most who wait, as a share of the agents who are signed in, percent; rounded up. The queue's fixed number if
    /// none.
    pub length_share: Option<u32>,
    /// Who gets the next caller.
    pub strategy: Strategy,
    /// How many ring at once, where all do.
    pub ring_all_most: RingMost,
    /// What its agents must know.
    pub skills: BTreeMap<Name, WantedSkill>,
    /// How long a caller waits to gain one step of priority.
    pub ageing: Option<Duration>,
    /// Agents kept free for some.
    pub reserve: Option<Reserve>,
    /// Whether callers get whom they know.
    pub stick: Option<Stick>,
    /// Nobody is signed in.
    pub nobody: Nobody,
    /// Where a caller goes whose longest wait is over; released if none.
    pub on_timeout: Option<Destination>,
    /// Where he goes if the queue is full or busy; released if none.
    pub on_busy: Option<Destination>,
    /// When it is busy before it is full. The occupancy is 70 parts of a hundred the share of its signed-in agents
    /// who are not idle, and 30 parts the share of its places that are taken.
    pub busy_when: Option<BusyWhen>,
    /// A queue that busy callers are sent to takes them only below this occupancy, percent.
    pub busy_room: Option<u8>,
    /// What offers cost that are not answered.
    pub unanswered: Unanswered,
    /// How it looks after chats.
    #[serde(default)]
    pub chat: ChatRules,
}

/// What an agent is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// He takes calls and makes them.
    #[default]
    Agent,
    /// He listens to others, helps them, and may order them about.
    Supervisor,
    /// He makes calls; queues give him none.
    Outbound,
}

impl Role {
    /// The word used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Outbound => "outbound",
        }
    }
}

/// Which queues an agent can serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// Voice, and voice from a chat.
    #[default]
    Voice,
    /// Those, and video.
    Video,
    /// Multimedia, and calls from a chat.
    Multimedia,
    /// All.
    AllRound,
}

impl AgentKind {
    /// The word used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            AgentKind::Voice => "voice",
            AgentKind::Video => "video",
            AgentKind::Multimedia => "multimedia",
            AgentKind::AllRound => "all_round",
        }
    }

    /// Whether he can serve such a queue.
    pub fn serves(self, queue: QueueKind) -> bool {
        match (self, queue) {
            (AgentKind::AllRound, _) => true,
            (AgentKind::Voice, QueueKind::Voice | QueueKind::VoiceClick) => true,
            (AgentKind::Video, QueueKind::Multimedia) => false,
            (AgentKind::Video, _) => true,
            (AgentKind::Multimedia, QueueKind::Voice | QueueKind::Video) => false,
            (AgentKind::Multimedia, _) => true,
            (AgentKind::Voice, _) => false,
        }
    }
}

/// An agent's work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// What he is there for.
    pub role: Role,
    /// Which queues he can serve.
    pub kind: AgentKind,
    /// What he knows, each 1 to 100.
    pub skills: BTreeMap<Name, u8>,
    /// Queues, by name, whose callers he takes before, or after, those of others: 1 is first; 1 for one that is not here.
    pub preference: BTreeMap<Name, u8>,
    /// How long a break may be before he is reminded.
    pub rest_limit: Option<Duration>,
    /// How long he stays signed in without a registered device; for ever if none.
    pub device_grace: Option<Duration>,
    /// His telephone, and whether it is rung.
    #[serde(default)]
    pub phone: AgentPhone,
    /// His chats.
    #[serde(default)]
    pub chats: ChatSlots,
    /// The part of the house that he is of.
    #[serde(default)]
    pub organisation: Option<String>,
    /// The tenant's program listens to the calls that queues give him.
    #[serde(default)]
    pub smart: bool,
    /// Third parties are told by it that he may choose the numbers that are shown. It switches nothing.
    #[serde(default)]
    pub numbers_label: bool,
}

/// What an agent, or somebody for him, asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentOrder {
    /// Come to work. He is not ready until he says so. Does nothing when he is signed in, except that it takes back a
    /// sign-out that waits for the end of a call.
    SignIn,
    /// Leave. While he talks it is remembered and takes effect after the call, without wrap-up.
    SignOut,
    /// May be offered calls; ends rest and wrap-up. Refused when signed out.
    Ready,
    /// Not to be offered calls. An offer that rings is withdrawn; while he talks it is remembered. Refused when signed
    /// out.
    NotReady {
        /// Why.
        reason: Option<String>,
    },
    /// On a break; otherwise as [`AgentOrder::NotReady`].
    Rest {
        /// Why.
        reason: Option<String>,
        /// How long it may be before he is reminded; [`Duty::rest_limit`] if none.
        limit: Option<Duration>,
    },
    /// Have at most so many chats at once, and never more than he is configured for; until he signs out. None that he has
    /// is taken from him. Refused when signed out.
    Chats {
        /// So many; none is zero.
        most: u8,
    },
}

/// Longest reason that is kept, characters.
pub const REASON_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_agent_serves_which_queue() {
        use AgentKind as A;
        use QueueKind as Q;
        let of = |agent: A| {
            [Q::Voice, Q::Video, Q::Multimedia, Q::VoiceClick, Q::VideoClick].map(|queue| agent.serves(queue))
        };
        assert_eq!(of(A::Voice), [true, false, false, true, false]);
        assert_eq!(of(A::Video), [true, true, false, true, true]);
        assert_eq!(of(A::Multimedia), [false, false, true, true, true]);
        assert_eq!(of(A::AllRound), [true; 5]);
    }
}
