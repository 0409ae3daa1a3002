//! An agent's desk: what may be ordered in his name, in the call that he is in, without naming its legs, and why an order is
//! refused.
//!
//! Invariant: every refusal has one word that stays what it is, beside the sentence for people.

use crate::callback::CallbackId;
use crate::cdr::SupervisionMode;
use crate::device::DeviceChoice;
use crate::id::{AgentId, CallId, FlowId, LegId, Name, QueueId, UserId};
use crate::service::AgentOrder;
use crate::time::Wall;
use crate::verb::{Destination, RecordAct};
use crate::view::{AgentView, CallView};
use core::fmt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest note on a call, bytes.
pub const NOTE_MAX: usize = 2_048;
/// Most agents whose word on one call is kept.
pub const WRAP_UPS_MAX: usize = 16;

/// What the configuration says of one agent's desk.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AgentDesk {
    /// His phone is asked to answer by itself what queues offer him and what he has ordered himself.
    #[serde(default)]
    pub auto_answer: bool,
    /// The number that is shown where he calls out, as the tenant's plan reads it.
    #[serde(default)]
    pub caller_number: Option<String>,
}

/// What it says of the desks of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TenantDesk {
    /// Of agents who have anything of their own.
    #[serde(default)]
    pub agents: BTreeMap<Name, AgentDesk>,
    /// Wrap-up codes that any agent may give to any call.
    #[serde(default)]
    pub codes: Vec<Name>,
    /// Those of one queue's calls alone.
    #[serde(default)]
    pub queue_codes: BTreeMap<Name, Vec<Name>>,
    /// What smart agents have.
    #[serde(default)]
    pub smart: Option<Smart>,
}

/// The program that listens to the calls of smart agents: it writes down what is said, and advises.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Smart {
    /// Where it listens, by WebSocket in the media-stream format.
    pub url: String,
    /// How many agents may be smart.
    pub agents: u32,
}

/// What stands before the name of a person who is signed in, in place of a key's name.
pub const PERSON: &str = "user ";

/// Who orders something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The name of the key that carried the order; of a person who is signed in, `user ` and his name.
    pub key: String,
    /// The agent in whose name it was carried, if one is named.
    pub agent: Option<AgentId>,
}

impl fmt::Display for Actor {
    /// As events and records have it: `agent 1009`, `key wallboard`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.agent {
            Some(agent) => write!(f, "agent {}", agent.name),
            None if self.key.starts_with(PERSON) => f.write_str(&self.key),
            None => write!(f, "key {}", self.key),
        }
    }
}

/// Who is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A number, as the agent would dial it.
    Number(String),
    /// Something of the tenant's by its name.
    Place(Destination),
}

impl fmt::Display for Goal {
    /// As records have it: `1002`, `queue:sales`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(number),
            Self::Place(Destination::Flow(FlowId { name, .. })) => write!(f, "flow:{name}"),
            Self::Place(Destination::Queue(QueueId { name, .. })) => write!(f, "queue:{name}"),
            Self::Place(Destination::Agent(AgentId { name, .. })) => write!(f, "agent:{name}"),
            Self::Place(Destination::User(UserId { name, .. })) => write!(f, "user:{name}"),
            Self::Place(Destination::Trunk(trunk, number)) => write!(f, "trunk:{}:{number}", trunk.name),
        }
    }
}

/// How an agent leaves the party that he sends elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferWay {
    /// At once. If the target is not reached, he is rung again.
    #[default]
    Blind,
    /// When the target has answered. If it does not, the two talk again.
    AfterSuccess,
}

/// What an agent does to the call that he is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatOrder {
    /// Leave it, or refuse it while it rings.
    Release,
    /// Have the other party wait (`true`), or talk on.
    Hold(bool),
    /// Be heard by nobody (`true`), or again.
    Mute(bool),
    /// Speak to somebody while the party waits.
    Consult(Goal),
    /// Give the party to whom he consults.
    Complete,
    /// Be back with the party.
    Cancel,
    /// All three talk together.
    Merge,
    /// Send the party elsewhere.
    Transfer(Goal, TransferWay),
    /// Have somebody join those who talk.
    Add(Goal),
    /// Take a party out of a conference.
    Remove(LegId),
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskAct {
    /// Have his phone answer the call that rings.
    Answer,
    /// Be ready, not ready, on a break, at work or not.
    Want(AgentOrder),
    /// Be rung elsewhere.
    Device(DeviceChoice),
    /// Have the connection to his device that is kept up (`true`), or end it, and the call that has it.
    Line(bool),
    /// Something in the call that he is in.
    Seat(SeatOrder),
    /// Send these keys to whom he talks to.
    Keys(String),
    /// Have the call recorded, or put silence into the recording for a while. He does not end it.
    Record(RecordAct),
    /// Call somebody: his phone rings first.
    Dial {
        /// Whom.
        to: Goal,
        /// The number that is to be shown outside, if not the usual one.
        shown: Option<String>,
        /// Call data from the start.
        data: BTreeMap<String, Value>,
    },
    /// Say what became of a call.
    WrapUp {
        /// One of the configured codes.
        code: Option<Name>,
        /// In his words.
        note: Option<String>,
    },
    /// Something about one who is to be called back.
    Callback(CallbackId, CallbackOrder),
    /// Have a supervisor's phone rung for the call that the agent is in.
    Supervise {
        /// What he will do.
        mode: SupervisionMode,
        /// His account, where he is no agent.
        extension: Option<UserId>,
    },
    /// Have the supervisor of the agent's call do something else.
    Change(SupervisionMode),
    /// Let him go.
    EndSupervision,
}

/// What an agent does about one who is to be called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackOrder {
    /// He will do it: no other agent may.
    Take,
    /// He will not.
    GiveBack,
    /// He calls: his phone rings first.
    Call,
    /// It is done.
    Done,
}

/// An order at a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskOrder {
    /// Whose desk.
    pub agent: AgentId,
    /// Which of his calls; the one he is in if none is named.
    pub call: Option<CallId>,
    /// Who orders.
    pub by: Actor,
    /// What.
    pub act: DeskAct,
}

/// Where a caller who waits is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceTo {
    /// His phone rings for him now, whoever else would get him.
    Agent(AgentId),
    /// He waits there.
    Queue(QueueId),
    /// Before all others of his queue.
    First,
}

/// An order about a caller who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The call.
    pub call: CallId,
    /// Where to.
    pub to: PlaceTo,
    /// Who orders.
    pub by: Actor,
}

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeskFault {
    /// The configuration has no such agent.
    NoSuchAgent,
    /// He has not begun work.
    NotSignedIn,
    /// He is in no call.
    NoCall,
    /// He is not in the call that is named.
    NotInCall,
    /// He is in a call already.
    InCall,
    /// No call rings at his phone.
    NotRinging,
    /// His phone announces no way to answer by order.
    PhoneCannotAnswer,
    /// His account has no registered device.
    NoDevice,
    /// Nothing of that name can be rung for him.
    NoSuchDevice,
    /// It is the account of a colleague who is at work.
    DeskTaken,
    /// His account may not dial the number.
    NotDialable,
    /// Another agent is signed in at the same telephone.
    DeviceTaken,
    /// No connection to his device is kept up.
    NoLine,
    /// He talks to nobody.
    NotTalking,
    /// The party waits already.
    HeldAlready,
    /// The party does not wait.
    NotHeld,
    /// He is muted already.
    MutedAlready,
    /// He is not muted.
    NotMuted,
    /// A consultation or transfer is under way.
    Consulting,
    /// None is.
    NotConsulting,
    /// Who began the transfer has left.
    Alone,
    /// More than two talk, or somebody is being added.
    Conference,
    /// There is no place for another party.
    Full,
    /// The talk is recorded, and could not be any more after it.
    Recordings,
    /// A queue or flow is nobody to speak to or to wait for.
    NotAPerson,
    /// The tenant has no such agent, queue or flow.
    NoSuchTarget,
    /// Nothing is recorded.
    NotRecorded,
    /// Such calls are never recorded, whoever asks for it.
    NeverRecorded,
    /// The call has as many recordings, or pauses, as one may have.
    RecordingsFull,
    /// The party is not in the call.
    NoSuchParty,
    /// The number may not be shown by this agent.
    NumberNotAllowed,
    /// The code is not configured for this call.
    NoSuchCode,
    /// He has no call to say something of: neither one that he is in nor one that he wraps up.
    NothingToWrapUp,
    /// Who asks is no supervisor of the tenant.
    NotSupervisor,
    /// The call has a supervisor.
    Supervised,
    /// It has none.
    NotSupervised,
    /// The supervisor is one of those who talk.
    OwnCall,
    /// The switch takes no new calls now.
    NoCalls,
    /// The call does not wait in a queue.
    NotWaiting,
    /// The call was sent on as often as one may be.
    MovedTooOften,
    /// Nobody of that name is to be called back.
    NoSuchCallback,
    /// Another agent has taken it.
    CallbackTaken,
    /// He has not taken it.
    CallbackNotTaken,
    /// It is of a queue that he does not serve.
    CallbackOfAnotherQueue,
}

impl DeskFault {
    /// Its word, and the sentence for people.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NoSuchAgent => ("no_such_agent", "there is no such agent"),
            Self::NotSignedIn => ("not_signed_in", "he is not signed in"),
            Self::NoCall => ("no_call", "he is in no call"),
            Self::NotInCall => ("not_in_call", "he is not in that call"),
            Self::InCall => ("in_call", "he is in a call"),
            Self::NotRinging => ("not_ringing", "no call rings at his phone"),
            Self::PhoneCannotAnswer => (
                "phone_cannot_answer",
                "his phone does not announce the event \"talk\": it answers by its own key, or by auto_answer",
            ),
            Self::NoDevice => ("no_device", "his account has no registered device"),
            Self::NoSuchDevice => {
                ("no_such_device", "he has no telephone configured, or the tenant has no such account")
            }
            Self::DeskTaken => (
                "desk_taken",
                "it is the account of a colleague who is at work; a supervisor or a key may say so",
            ),
            Self::NotDialable => (
                "not_dialable",
                "by the rules of the tenant this account does not reach the number over a trunk",
            ),
            Self::DeviceTaken => ("device_taken", "another agent is signed in at the same telephone"),
            Self::NoLine => {
                ("no_line", "no connection to his device is kept up: it is not configured, or has no device")
            }
            Self::NotTalking => ("not_talking", "he talks to nobody"),
            Self::HeldAlready => ("held_already", "the party is on hold already"),
            Self::NotHeld => ("not_held", "the party is not on hold"),
            Self::MutedAlready => ("muted_already", "he is muted already"),
            Self::NotMuted => ("not_muted", "he is not muted"),
            Self::Consulting => {
                ("consulting", "a consultation or transfer is under way; complete it or take it back first")
            }
            Self::NotConsulting => ("not_consulting", "nobody is being consulted"),
            Self::Alone => ("alone", "who began the transfer has left; it cannot be taken back"),
            Self::Conference => ("conference", "more than two talk, or somebody is being added"),
            Self::Full => ("full", "there is no place for another party"),
            Self::Recordings => ("recordings", "it is recorded, and the call has all the recordings it may"),
            Self::NotRecorded => ("not_recorded", "the call is not being recorded"),
            Self::NeverRecorded => {
                ("never_recorded", "calls of this agent, queue or trunk are never recorded")
            }
            Self::RecordingsFull => {
                ("recordings_full", "the call has as many recordings or pauses as it may have")
            }
            Self::NotAPerson => ("not_a_person", "a queue or flow is nobody to speak to, or to wait for"),
            Self::NoSuchTarget => ("no_such_target", "there is no such agent, queue or flow"),
            Self::NoSuchParty => ("no_such_party", "there is no such party in the call"),
            Self::NumberNotAllowed => ("number_not_allowed", "it is neither his nor in a pool of his queues"),
            Self::NoSuchCode => ("no_such_code", "the code is not configured for this call"),
            Self::NothingToWrapUp => ("nothing_to_wrap_up", "he is in no call, and was in none before"),
            Self::NotSupervisor => ("not_supervisor", "who asks is no supervisor of the tenant"),
            Self::Supervised => ("supervised", "the call has a supervisor already"),
            Self::NotSupervised => ("not_supervised", "nobody supervises the call"),
            Self::OwnCall => ("own_call", "the supervisor is one of those who talk"),
            Self::NoCalls => ("no_calls", "the switch takes no new calls now"),
            Self::NotWaiting => ("not_waiting", "the call does not wait in a queue"),
            Self::MovedTooOften => ("moved_too_often", "the call was sent on as often as one may be"),
            Self::NoSuchCallback => ("no_such_callback", "there is no such entry on the list of call-backs"),
            Self::CallbackTaken => ("callback_taken", "another agent has taken it"),
            Self::CallbackNotTaken => ("callback_not_taken", "he has not taken it"),
            Self::CallbackOfAnotherQueue => {
                ("callback_of_another_queue", "it is of a queue that he does not serve")
            }
        }
    }
}

impl fmt::Display for DeskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().1)
    }
}

impl std::error::Error for DeskFault {}

/// What an agent does in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatState {
    /// He talks.
    Talking,
    /// He speaks to whom he consults, or that one rings, while the party waits.
    Consulting,
    /// He has sent the party elsewhere and waits for the answer there.
    Sending,
    /// He is spoken to by one who consults him.
    Consulted,
    /// He supervises it.
    Supervising,
    /// He called, and waits for an answer.
    Dialling,
    /// He waits, for he is being sent elsewhere.
    Waiting,
    /// His phone rings.
    Ringing,
}

/// Where an agent stands in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Seat {
    /// His leg.
    pub leg: LegId,
    /// What he does.
    pub state: SeatState,
    /// Whether he has the other party wait, or waits himself, where several talk.
    pub held: bool,
    /// Whether nobody hears him.
    pub muted: bool,
    /// Whether the call is recorded.
    #[serde(default)]
    pub recording: RecordingNow,
}

/// Whether a call is recorded now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingNow {
    /// No, and whoever asks for it is refused.
    Never,
    /// No.
    #[default]
    Off,
    /// Yes.
    On,
    /// It is, with silence in place of what is said now.
    Paused,
}

/// A call at a desk.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeskCall {
    /// Where he stands in it.
    #[serde(flatten)]
    pub seat: Seat,
    /// The call, with its data.
    #[serde(flatten)]
    pub call: CallView,
    /// Codes that he may give it.
    pub codes: Vec<Name>,
    /// What was said of it so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrap_ups: Vec<WrapUp>,
}

/// All that an agent's page needs to begin with.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DeskView {
    /// The agent.
    #[serde(flatten)]
    pub agent: AgentView,
    /// His calls, the one that orders mean first.
    pub calls: Vec<DeskCall>,
    /// The call that he was in last, of which he may still say something.
    pub last_call: Option<CallId>,
    /// Codes that he may give to that one.
    pub last_codes: Vec<Name>,
}

/// What an agent said of a call.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WrapUp {
    /// Who.
    pub agent: AgentId,
    /// When.
    pub at: Wall,
    /// The code; none if he wrote a note alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Name>,
    /// In his words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Who gave the order, where it was not the agent's own key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// Puts what was said among the rest: a later word of the same agent takes the place of his earlier one, entry by entry.
/// The same word may come twice, and late: nothing newer is lost by that.
pub fn wrap_up_into(all: &mut Vec<WrapUp>, said: WrapUp) {
    if let Some(known) = all.iter_mut().find(|known| known.agent == said.agent) {
        let (old, new) = match said.at >= known.at {
            true => (known.clone(), said),
            false => (said, known.clone()),
        };
        let note = if new.note.is_empty() { old.note } else { new.note };
        *known = WrapUp { code: new.code.or(old.code), note, ..new };
    } else if all.len() < WRAP_UPS_MAX {
        all.push(said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TenantId;

    fn said(agent: &str, at: i64, code: Option<&str>, note: &str) -> WrapUp {
        WrapUp {
            agent: AgentId::new(TenantId::DEFAULT, agent).unwrap(),
            at: Wall(at),
            code: code.map(|code| Name::new(code).unwrap()),
            note: note.into(),
            by: String::new(),
        }
    }

    #[test]
    fn a_later_word_of_an_agent_takes_the_place_of_his_earlier_one_entry_by_entry() {
        let mut all = Vec::new();
        wrap_up_into(&mut all, said("1001", 1, Some("sold"), "two of them"));
        wrap_up_into(&mut all, said("1002", 2, None, "asked for Ann"));
        wrap_up_into(&mut all, said("1001", 3, Some("returned"), ""));
        wrap_up_into(&mut all, said("1002", 4, None, ""));
        assert_eq!(
            all,
            [said("1001", 3, Some("returned"), "two of them"), said("1002", 4, None, "asked for Ann")]
        );
        wrap_up_into(&mut all, said("1001", 1, Some("sold"), "two of them"));
        assert_eq!(all[0], said("1001", 3, Some("returned"), "two of them"), "an old word that comes again");
    }
}
