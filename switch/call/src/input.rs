//! What the call engine is told and commanded.

use crate::config::CallConfig;
use crate::marks::Marks;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::dial::Accept;
use cordboard_model::id::{ActId, AgentId, CallId, LegId, StreamId, UserId};
use cordboard_model::leg::{Incoming, LegEvent};
use cordboard_model::media::{MediaEvent, PlayItem};
use cordboard_model::stream::StreamOutcome;
use cordboard_model::time::Duration;
use cordboard_model::verb::{Destination, QueueEnd, Verb, VerbAnswer};
use cordboard_model::view::RouteReason;

/// Names one step of a flow, so that its answer finds it. Chosen by whoever runs the flow.
pub type Ticket = u64;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallInput {
    /// A call came in. Ids are from [`crate::CallEngine::new_call`] and [`crate::CallEngine::new_leg`], and used once.
    New {
        /// The call.
        call: CallId,
        /// Its first leg and who calls whom.
        incoming: Incoming,
    },
    /// A leg reports.
    Leg(LegId, LegEvent),
    /// A media thread reports.
    Media(MediaEvent),
    /// What routing gives the call beside its way. Comes before `Routed`.
    Marked {
        /// The call.
        call: CallId,
        /// What.
        marks: Marks,
    },
    /// Routing decided where the call goes. Answers [`crate::CallOutput::Route`].
    Routed {
        /// The call.
        call: CallId,
        /// Where to.
        to: Destination,
        /// What each plugin said.
        reasons: Vec<RouteReason>,
    },
    /// Routing refused the call. Answers [`crate::CallOutput::Route`].
    Refused {
        /// The call.
        call: CallId,
        /// Why.
        cause: Cause,
        /// What each plugin said.
        reasons: Vec<RouteReason>,
    },
    /// The call's flow wants a step done. One at a time.
    VerbRequest {
        /// The call.
        call: CallId,
        /// Names the step in its answer.
        ticket: Ticket,
        /// The step.
        verb: Verb,
    },
    /// Word from outside for a step that waits for the first of several things. One that waits no longer is not told.
    Answered {
        /// The call.
        call: CallId,
        /// The step.
        ticket: Ticket,
        /// What came.
        answer: VerbAnswer,
    },
    /// A stream ended, or never had a connection. One that the call has closed is ignored.
    StreamEnded {
        /// The call.
        call: CallId,
        /// The stream.
        stream: StreamId,
        /// How.
        outcome: StreamOutcome,
    },
    /// The call's flow came to its end by itself.
    FlowEnded {
        /// The call.
        call: CallId,
    },
    /// The call's flow failed.
    FlowFailed {
        /// The call.
        call: CallId,
        /// File, line and reason.
        error: String,
        /// What is done instead.
        fallback: Fallback,
    },
    /// Who answers this leg, which is dialled now, must press a key before he is joined with anybody.
    Confirm {
        /// The leg.
        leg: LegId,
        /// What he hears, and which key, counted from his answer.
        accept: Accept,
    },
    /// This leg, which is dialled now, goes out by a trunk, though an agent was called: his telephone is outside.
    Carried {
        /// The leg.
        leg: LegId,
    },
    /// The queue has an agent for this waiting call.
    Offer {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
        /// The account whose devices ring.
        user: UserId,
        /// The agent's name, as records and events show it.
        display: String,
        /// How long his devices ring.
        ring: Duration,
        /// What the caller hears before of who it is; nothing if empty.
        number: Vec<PlayItem>,
    },
    /// The queue takes its offer to this agent back: he signed out while it rang, or another agent has the caller. Nothing
    /// is reported. If it crosses the agent's answer, his leg is taken down, `AgentReleased` is sent and the call waits on.
    OfferWithdrawn {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
        /// Another has the caller; his device is told so.
        elsewhere: bool,
    },
    /// The wait ended without an agent.
    QueueEnded {
        /// The call.
        call: CallId,
        /// How.
        end: QueueEnd,
        /// Where the call goes if no flow waits for the answer; hung up if none.
        overflow: Option<Destination>,
    },
    /// What a program has said is made: everything of [`crate::CallOutput::Speak`] with prompts in its place; none if something
    /// could not be made.
    Spoken {
        /// The call.
        call: CallId,
        /// The playback, or the entry.
        act: ActId,
        /// What is played.
        items: Option<Vec<PlayItem>>,
    },
    /// What a waiting caller hears, for ever; silence if empty. Usually follows `QueueOutput::Enter`.
    Music {
        /// The call.
        call: CallId,
        /// In this order.
        items: Vec<PlayItem>,
    },
    /// What a waiting caller hears once, before the music goes on.
    Position {
        /// The call.
        call: CallId,
        /// In this order.
        announcement: Vec<PlayItem>,
    },
}

/// What a failed flow is replaced with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallback {
    /// Played first; nothing if empty.
    pub apology: Vec<PlayItem>,
    /// Where the call goes then; hung up with `FlowFailed` if none.
    pub to: Option<Destination>,
}

/// What an operator, the API or `core` wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallCommand {
    /// End a call.
    HangUp {
        /// The call.
        call: CallId,
        /// Why.
        cause: Cause,
        /// In whose name.
        by: Party,
    },
    /// End every call, in the name of the switch.
    HangUpAll(Cause),
    /// Put the party of an answered leg on hold: it hears hold music.
    Hold {
        /// The leg.
        leg: LegId,
    },
    /// Take it off hold.
    Retrieve {
        /// The leg.
        leg: LegId,
    },
    /// A panic was caught while this call was in hand: record `InternalError`, end every leg, and trust
    /// nothing else of its state.
    Abort {
        /// The call.
        call: CallId,
    },
    /// Recordings cannot be written, or can be again.
    Unrecordable(bool),
    /// New limits, hold music and manners. Ids go on as they were.
    Configure(Box<CallConfig>),
}
