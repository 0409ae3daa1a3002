//! What goes into the engine and what comes out of it.

use cordboard_model::cause::Cause;
use cordboard_model::config::Snapshot;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::{AgentId, CallId, QueueId, UserId};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::{Destination, QueueEnd, Wish};
use cordboard_model::view::AgentStatus;
use core::fmt;

/// What operators, agents and the shell ask for.
#[derive(Clone, Debug)]
pub enum AcdCommand<'a> {
    /// Exchange queues and agents. Calls that wait keep their place and the limits they entered
    /// with; those of a removed queue end as [`QueueEnd::Gone`]. An agent removed while he talks
    /// finishes that call.
    Configure(&'a Snapshot),
    /// What an agent asks for, or somebody for him.
    Order {
        /// Who.
        agent: AgentId,
        /// What.
        what: AgentOrder,
        /// Who asked, if not he himself.
        by: Option<String>,
    },
    /// Ring this for an agent from now on; what is configured for him if none. An offer that rings is withdrawn without
    /// blame; a talk goes on where it is.
    Device {
        /// Who.
        agent: AgentId,
        /// What.
        device: Option<AgentDevice>,
    },
    /// Offer a waiting caller to this agent now, whoever else would get him. The agent may be not ready, on a break or in
    /// wrap-up; he is refused when he is signed out, has a call or has no device.
    Place {
        /// The call.
        call: CallId,
        /// The agent.
        agent: AgentId,
        /// Who asked.
        by: String,
    },
    /// Put a waiting caller before all others of his queue.
    PutFirst {
        /// The call.
        call: CallId,
    },
    /// A chat that an agent had before a restart, after [`AcdCommand::RestoreAgent`]. Refused if he is not signed in.
    RestoreChat {
        /// The chat.
        call: CallId,
        /// The queue it came from.
        queue: QueueId,
        /// The agent.
        agent: AgentId,
    },
    /// Whether those who are to be called back have no turn now, since no calls can be begun. They keep their places.
    HoldAbsent(bool),
    /// What the journal knew of an agent, after [`AcdCommand::Configure`] at a start. A call did
    /// not survive the restart, so ringing, talking and wrap-up come back as ready.
    RestoreAgent {
        /// Who.
        agent: AgentId,
        /// His last journalled status.
        status: AgentStatus,
        /// The reason that was given for it.
        reason: Option<String>,
        /// How long his break may be, if that was said.
        limit: Option<Duration>,
        /// Since when; his idle time goes on from there.
        since: Wall,
    },
}

/// What happened to calls, legs and devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcdInput {
    /// A caller begins to wait. A call that waits already is moved.
    Enter {
        /// The call.
        call: CallId,
        /// Where.
        queue: QueueId,
        /// Longest wait, milliseconds; it can shorten the queue's own limit, not stretch it.
        timeout_ms: Option<u32>,
        /// Higher is served first.
        priority: u8,
        /// Only while an agent who serves the queue is signed in.
        staffed: bool,
        /// The agent he would have.
        wish: Option<Wish>,
    },
    /// Somebody who is not there has a place from now on: he is to be called back. He waits by no limit, and no queue is too
    /// full for him.
    Absent {
        /// The call that he will be called back by, unless his turn comes to nothing: see [`AcdOutput::Stranded`].
        call: CallId,
        /// Where.
        queue: QueueId,
        /// Higher is served first.
        priority: u8,
        /// When he came; it may be before the start.
        since: Wall,
        /// He is called before an agent rings: for so long an agent is kept free for him. If none, the agent rings first.
        reserve: Option<Duration>,
        /// The call by which he waits until now.
        from: Option<CallId>,
    },
    /// One who has a place is there: he was called back and has answered, or has called by himself. An agent who is kept
    /// free for him is offered the call.
    Arrived {
        /// His call.
        call: CallId,
        /// Where.
        queue: QueueId,
        /// Longest wait from now on, as for `Enter`.
        timeout_ms: Option<u32>,
        /// Higher is served first.
        priority: u8,
        /// When he came first.
        since: Wall,
        /// He was called back: he goes before all others.
        back: bool,
    },
    /// The caller is about to leave, and not because he hung up. What says that he left comes next.
    Leaving {
        /// The call.
        call: CallId,
        /// How he leaves.
        how: Outcome,
    },
    /// The caller hung up, or the call left the queue for another reason than an agent: then [`AcdInput::Leaving`] came before. One
    /// who is absent has lost his place.
    Abandoned {
        /// The call.
        call: CallId,
    },
    /// The offered agent's device rings.
    OfferRinging {
        /// The call.
        call: CallId,
        /// The agent.
        agent: AgentId,
    },
    /// The offered agent answered. Ignored when the offer was withdrawn before: his leg is then
    /// taken down by that [`AcdOutput::Withdraw`].
    OfferAnswered {
        /// The call.
        call: CallId,
        /// The agent.
        agent: AgentId,
    },
    /// The offer came to nothing.
    OfferFailed {
        /// The call.
        call: CallId,
        /// The agent.
        agent: AgentId,
        /// Why. `Congestion` and `InternalError` are of the switch and of the house's trunks, and never a device's.
        why: Cause,
        /// Whether the caller hung up first; it is then not the agent's doing, whatever `why` says.
        caller_gone: bool,
    },
    /// The agent's leg of a call from a queue is over, whoever hung up.
    AgentReleased {
        /// The call.
        call: CallId,
        /// The agent.
        agent: AgentId,
    },
    /// An agent's call is on hold, or no longer.
    Held {
        /// The agent.
        agent: AgentId,
        /// The call.
        call: CallId,
        /// Whether it is on hold.
        on: bool,
    },
    /// An account has this many registered devices now.
    Contacts {
        /// The account.
        user: UserId,
        /// How many.
        count: u32,
    },
    /// The agent's phone is in a call that no queue gave him, or (none) in no such call any more.
    AgentBusyOutside {
        /// The agent.
        agent: AgentId,
        /// One of the calls.
        call: Option<CallId>,
    },
}

/// What the engine wants done, or known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcdOutput {
    /// Ring the agent for the caller; answered by `OfferRinging`, then `OfferAnswered` or
    /// `OfferFailed`.
    Offer {
        /// The call.
        call: CallId,
        /// From this queue.
        queue: QueueId,
        /// The agent.
        agent: AgentId,
        /// The account whose devices ring.
        user: UserId,
        /// How long.
        ring: Duration,
        /// The terms that led to this pair, in words.
        why: String,
    },
    /// It is the turn of one who is to be called back: his call begins now. An [`AcdOutput::Offer`] follows.
    Recalled {
        /// The call.
        call: CallId,
        /// Where he has his place.
        queue: QueueId,
        /// Who is offered his call.
        agent: AgentId,
        /// The place, from one.
        position: u32,
    },
    /// It is the turn of one who is called before an agent rings: this agent is kept free for him. Answered by
    /// [`AcdInput::Arrived`] or [`AcdInput::Abandoned`].
    Reserved {
        /// The call.
        call: CallId,
        /// From this queue.
        queue: QueueId,
        /// The agent.
        agent: AgentId,
        /// The terms that led to this pair, in words.
        why: String,
    },
    /// The turn of one who is absent came to nothing by the agent's doing. He has no place any more until he is given one
    /// again, by another call.
    Stranded {
        /// The call.
        call: CallId,
        /// Where he had his place.
        queue: QueueId,
    },
    /// Stop ringing (or take down) the agent's leg of this call. No report is expected; it may be
    /// over already.
    Withdraw {
        /// The call.
        call: CallId,
        /// The agent.
        agent: AgentId,
        /// Another agent has the caller.
        elsewhere: bool,
    },
    /// The wait ended without an agent. Never [`QueueEnd::Served`]: only the call engine knows
    /// which side hung up first.
    QueueEnded {
        /// The call.
        call: CallId,
        /// Where it waited.
        queue: QueueId,
        /// How.
        end: QueueEnd,
        /// Where the queue sends such callers, if anywhere.
        to: Option<Destination>,
    },
    /// The caller waits.
    Entered {
        /// The call.
        call: CallId,
        /// Where.
        queue: QueueId,
        /// The place, from one.
        position: u32,
    },
    /// An announcement of the place is due: at entry, then at the queue's interval.
    Position {
        /// The call.
        call: CallId,
        /// Where.
        queue: QueueId,
        /// The place, from one.
        position: u32,
        /// How long he will wait from now on, if the queue tells that and it is known.
        wait: Option<Duration>,
    },
    /// The caller waits there no longer. Exactly one for each [`AcdOutput::Entered`] and [`AcdOutput::Recalled`].
    Left {
        /// The call.
        call: CallId,
        /// Where it waited.
        queue: QueueId,
        /// How the wait ended.
        outcome: Outcome,
        /// The agent who answered, if one did.
        agent: Option<AgentId>,
    },
    /// An agent's status or call changed: exactly one for each change. A break that is asked for again is one.
    AgentChanged {
        /// Who.
        agent: AgentId,
        /// What he is now.
        status: AgentStatus,
        /// Since when.
        since: Wall,
        /// Why, in words.
        why: String,
        /// The call he rings, talks or wraps up for.
        call: Option<CallId>,
        /// Why he is not ready or on a break, in the words of who asked for it.
        reason: Option<String>,
        /// How long his break may be, if that was said.
        limit: Option<Duration>,
        /// Who asked for it, if not he himself.
        by: Option<String>,
    },
    /// Other chats take the slots of an agent: they go on, or he wraps them up.
    ChatsChanged {
        /// Who.
        agent: AgentId,
        /// The chats.
        chats: Vec<CallId>,
        /// How many he may have.
        most: u8,
    },
    /// An agent's break is longer than it may be. Once for each break.
    Overdue {
        /// Who.
        agent: AgentId,
        /// Since when he rests.
        since: Wall,
    },
}

/// How a wait ended, for records and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// An agent answered.
    Served,
    /// The caller hung up.
    Abandoned,
    /// The wait limit came first.
    Timeout,
    /// The queue was removed.
    Gone,
    /// The call was put into a queue once more.
    Moved,
    /// No agent is signed in any more.
    NobodySignedIn,
    /// The one agent he takes does not serve him any more: he is signed out, or does not serve the queue.
    NoAgent,
    /// The queue was busy for so long that the caller was sent on.
    Busy,
    /// He is to be called back, and has his place.
    Callback,
    /// The agent did not take the call by which one was to be called back.
    Unanswered,
    /// The caller left by a key.
    Key,
    /// The flow of the wait sent him elsewhere.
    Flow,
    /// Somebody took the call out of the queue to himself.
    PickedUp,
    /// The call was ended, and not by the caller.
    Ended,
}

impl Outcome {
    /// How a caller leaves of whose visit the call's record says this. Whatever else it says: he hung up.
    pub fn of_leaving(word: &str) -> Self {
        let asked = [Outcome::Key, Outcome::Flow, Outcome::Moved, Outcome::PickedUp];
        let mut ways = asked.into_iter().chain([Outcome::Ended, Outcome::Callback]);
        ways.find(|way| way.as_str() == word).unwrap_or(Outcome::Abandoned)
    }

    /// The word used in records and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Served => "served",
            Outcome::Abandoned => "abandoned",
            Outcome::Timeout => "timeout",
            Outcome::Gone => "gone",
            Outcome::Moved => "moved",
            Outcome::NobodySignedIn => "nobody_signed_in",
            Outcome::NoAgent => "no_agent",
            Outcome::Busy => "busy",
            Outcome::Callback => "callback",
            Outcome::Unanswered => "unanswered",
            Outcome::Key => "key",
            Outcome::Flow => "flow",
            Outcome::PickedUp => "picked_up",
            Outcome::Ended => "ended",
        }
    }
}

/// Why a command was not carried out. Always the asker's mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What kind of mistake.
    pub reason: RefusedReason,
    /// In words.
    pub why: String,
}

/// The kinds of [`Refused`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedReason {
    /// The configuration has no such agent.
    NoSuchAgent,
    /// He has to sign in first.
    SignedOut,
    /// The call does not wait in a queue.
    NotWaiting,
    /// He has a call already, or no slot for one more chat.
    HasCall,
    /// None of his devices is registered.
    NoDevice,
    /// Another agent is signed in at the same telephone.
    DeviceTaken,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Refused {}
