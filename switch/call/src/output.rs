//! What the call engine wants done. Outputs are to be carried out in the order they are polled.

use crate::input::Ticket;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::Cdr;
use cordboard_model::event::EventKind;
use cordboard_model::id::{ActId, AgentId, CallId, FlowId, LegId, QueueId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::{Incoming, LegCommand, PartyId, Target};
use cordboard_model::media::{MediaCommand, PlayItem};
use cordboard_model::stream::StreamCommand;
use cordboard_model::verb::{VerbAnswer, Wish};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutput {
    /// To a leg that exists. Never `LegCommand::Dial`: see [`CallOutput::Dial`].
    Leg(LegId, LegCommand),
    /// Call out on a new leg. Its media is open already: `MediaEvent::Opened` with the local address came
    /// before. What cannot be dialled is told as `LegEvent::Ended`.
    Dial {
        /// The call.
        call: CallId,
        /// The new leg.
        leg: LegId,
        /// Where to.
        to: DialTarget,
        /// Who calls, as shown to the called party.
        from: PartyId,
        /// The agent at its end, for the journal's dialog record.
        agent: Option<AgentId>,
    },
    /// To the media thread.
    Media(MediaCommand),
    /// Ask the routing plugins. Answered by `Routed` or `Refused`.
    Route {
        /// The call.
        call: CallId,
        /// Who calls whom.
        incoming: Incoming,
    },
    /// To the flow host.
    Flow(FlowOutput),
    /// To the queue engine.
    Queue(QueueOutput),
    /// To who carries streams to programs. An `Open` is answered by `CallInput::StreamEnded`, unless it is closed.
    Stream(StreamCommand),
    /// Have the speech in this list made. Answered by `CallInput::Spoken`.
    Speak {
        /// The call.
        call: CallId,
        /// What wants it.
        act: ActId,
        /// Prompts, tones and what is said.
        items: Vec<PlayItem>,
    },
    /// To the event stream of a tenant.
    Event(TenantId, EventKind),
    /// To the journal: recordings. `CallOpened` and `Queued` are written by whoever carries out `New` and
    /// `QueueOutput::Enter`; `CallClosed` is [`CallOutput::Closing`].
    Journal(JournalRecord),
    /// The call's record: exactly one per call. What follows for this call waits until the journal has it as
    /// `CallClosed` (or until the limit for that wait).
    Closing {
        /// The call.
        call: CallId,
        /// The record.
        cdr: Box<Cdr>,
    },
    /// A leg goes from one call to another. Both go on by themselves: the first ends, which does not end the leg.
    Moved {
        /// The leg.
        leg: LegId,
        /// The call it was in.
        from: CallId,
        /// The call it is in now.
        to: CallId,
    },
    /// Nothing of the call is left here. Its last output.
    Forgotten {
        /// The call.
        call: CallId,
    },
}

/// Where a new leg goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialTarget {
    /// The devices of the agent's account, which `core` looks up in the snapshot.
    Agent(AgentId),
    /// An account or a trunk.
    Target(Target),
}

/// To the flow host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowOutput {
    /// Run a flow on this call. An earlier one was stopped or has ended.
    Start {
        /// The call.
        call: CallId,
        /// The flow.
        flow: FlowId,
        /// Who calls.
        from: PartyId,
        /// What was dialled.
        to: PartyId,
        /// The call data.
        data: BTreeMap<String, Value>,
        /// The call's own flow waits meanwhile, at its step, until [`FlowOutput::Back`].
        above: bool,
    },
    /// Resume it.
    Answer {
        /// The call.
        call: CallId,
        /// The step.
        ticket: Ticket,
        /// What became of it.
        answer: VerbAnswer,
    },
    /// The flow above is over, by itself or for us: the call's own has the call again.
    Back {
        /// The call.
        call: CallId,
    },
    /// End it, and one that waits below it: the caller is gone or the call was handed over. Never sent after `FlowEnded` or `FlowFailed`.
    Stop {
        /// The call.
        call: CallId,
        /// Whether the call is over (a flow that asked to be told is resumed with `HungUp`).
        hung_up: bool,
    },
}

/// To the queue engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueOutput {
    /// The call waits from now on. Answered by `Offer` or `QueueEnded`; `Music` and `Position` may come
    /// meanwhile.
    Enter {
        /// The call.
        call: CallId,
        /// The queue.
        queue: QueueId,
        /// Longest wait, milliseconds; the queue's own limit if none.
        timeout_ms: Option<u32>,
        /// Higher is served first.
        priority: u8,
        /// Only while an agent is signed in.
        staffed: bool,
        /// The agent whom the flow wants for him.
        wish: Option<Wish>,
        /// The agent who consults the queue; none where the caller himself waits.
        by: Option<AgentId>,
    },
    /// The call waits no longer: the caller is gone or the call was ended. Comes after `OfferFailed`, if an
    /// offer was out. Never after `OfferAnswered` or `QueueEnded` of the same wait.
    Abandoned {
        /// The call.
        call: CallId,
    },
    /// The agent's device rings.
    OfferRinging {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
    },
    /// The agent answered: the call has left the queue. `AgentReleased` follows, once.
    OfferAnswered {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
    },
    /// The offer came to nothing; the call still waits unless the caller is gone. Not sent for an offer that the
    /// queue itself ended by `OfferWithdrawn` or `QueueEnded`.
    OfferFailed {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
        /// Why. `Cancelled` when the caller is gone; `Congestion` when the switch had no port or trunk for it, or another offer
        /// rings already.
        why: Cause,
        /// The call waits no longer, through no fault of the agent.
        caller_gone: bool,
    },
    /// The agent who answered an offer talks no more.
    AgentReleased {
        /// The call.
        call: CallId,
        /// Who.
        agent: AgentId,
    },
}
