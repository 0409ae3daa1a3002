//! An agent's desk as the gateway last saw it.
//!
//! Two of these are compared (`news.rs`) to say what has happened to him. So nothing is lost when an event is: whoever looks
//! again sees where things stand.

use super::beside::FloorPlan;
use super::number;
use super::texts::Text;
use cordboard_model::cdr::{SupervisionMode, TransferKind};
use cordboard_model::desk::{DeskCall, DeskView, SeatState};
use cordboard_model::id::{CallId, LegId, QueueId};
use cordboard_model::view::{AgentStatus, CallStage, LegView};
use std::collections::BTreeMap;

/// The reason of one who works after a call by his own wish, as the switch keeps it.
pub(crate) const WORK: &str = "work";

/// What an agent is, in the gateway's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Out,
    Idle,
    /// Not ready, with the number of the reason.
    Busy(String),
    /// After-call work; by his own wish.
    Work(bool),
    Rest(String),
    /// In a call, or one rings.
    Call,
}

impl State {
    pub(crate) fn of(status: AgentStatus, reason: Option<&str>) -> Self {
        let number = |usual: &str| match reason {
            None => usual.to_owned(),
            Some(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text.to_owned(),
            Some(_) => "0".to_owned(),
        };
        match (status, reason) {
            (AgentStatus::SignedOut, _) => State::Out,
            (AgentStatus::Ready, _) => State::Idle,
            (AgentStatus::Away, _) => State::Busy("5".into()),
            (AgentStatus::WrapUp, _) => State::Work(false),
            (AgentStatus::NotReady, Some(WORK)) => State::Work(true),
            (AgentStatus::NotReady | AgentStatus::Rest, Some("no_answer")) => State::Busy("2".into()),
            (AgentStatus::NotReady | AgentStatus::Rest, Some("declined")) => State::Busy("7".into()),
            (AgentStatus::NotReady | AgentStatus::Rest, Some("unreachable" | "not_registered" | "busy")) => {
                State::Busy("5".into())
            }
            (AgentStatus::NotReady, _) => State::Busy(number("1")),
            (AgentStatus::Rest, _) => State::Rest(number("0")),
            (AgentStatus::Ringing | AgentStatus::Talking | AgentStatus::Hold, _) => State::Call,
        }
    }

    /// `status` of the reference's appendix.
    pub(crate) fn status(&self) -> u8 {
        match self {
            State::Out => 2,
            State::Busy(_) => 3,
            State::Idle => 4,
            State::Work(_) => 5,
            State::Call => 7,
            State::Rest(_) => 8,
        }
    }

    /// `ctiStatus`.
    pub(crate) fn cti_status(&self, status: AgentStatus) -> u8 {
        match self {
            State::Out => 0,
            State::Idle => 1,
            State::Call if status == AgentStatus::Ringing => 4,
            State::Call => 5,
            State::Work(_) => 6,
            State::Busy(_) => 7,
            State::Rest(_) => 8,
        }
    }
}

/// Somebody else in his call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) leg: LegId,
    pub(crate) number: String,
    /// His work number, if he is an agent.
    pub(crate) agent: Option<String>,
    pub(crate) answered: bool,
}

/// Who inspects him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    pub(crate) mode: SupervisionMode,
    pub(crate) by: String,
}

/// One of his calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Talk {
    pub(crate) call: CallId,
    pub(crate) leg: LegId,
    /// The number that he knows it by.
    pub(crate) id: String,
    pub(crate) seat: SeatState,
    pub(crate) held: bool,
    /// His caller is in a flow meanwhile.
    pub(crate) aside: bool,
    /// He called.
    pub(crate) own: bool,
    /// He came to it by another's help call.
    pub(crate) helped: bool,
    /// He inspects it.
    pub(crate) inspects: bool,
    pub(crate) caller: String,
    pub(crate) called: String,
    pub(crate) feature: u8,
    /// Those that he talks or talked to before he asked somebody else.
    pub(crate) parties: Vec<Other>,
    /// Whom he asks while they wait.
    pub(crate) help: Option<Other>,
    pub(crate) queue: Option<QueueId>,
    pub(crate) watch: Option<Watch>,
    /// He was sent here by another agent.
    pub(crate) sent_by: Option<String>,
}

impl Talk {
    /// How many he talks to.
    pub(crate) fn answered(&self) -> usize {
        self.parties.iter().filter(|other| other.answered).count()
    }

    /// The number of the customer, for news about him.
    pub(crate) fn party(&self) -> String {
        let usual = || if self.own { self.called.clone() } else { self.caller.clone() };
        self.parties.first().map_or_else(usual, |other| other.number.clone())
    }
}

/// The whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) state: State,
    pub(crate) talks: BTreeMap<CallId, Talk>,
    pub(crate) texts: BTreeMap<CallId, Text>,
}

impl Seen {
    /// One who is this and in no call.
    pub(crate) fn idle(state: State) -> Self {
        Self { state, talks: BTreeMap::new(), texts: BTreeMap::new() }
    }

    /// A view; `before` tells whom he spoke to already, and by which number he knows a call. Chats are as they were: a desk
    /// does not show them.
    pub(crate) fn of(view: &DeskView, plan: &FloorPlan, before: Option<&Seen>) -> Self {
        let state = State::of(view.agent.status, view.agent.reason.as_deref());
        let talk = |desk: &DeskCall| {
            let known = before.and_then(|seen| seen.talks.get(&desk.call.call));
            (desk.call.call, of_call(desk, view, plan, known))
        };
        let mut texts = before.map(|seen| seen.texts.clone()).unwrap_or_default();
        texts.values_mut().for_each(|text| text.fresh.clear());
        Self { state, talks: view.calls.iter().map(talk).collect(), texts }
    }
}

fn of_call(desk: &DeskCall, view: &DeskView, plan: &FloorPlan, known: Option<&Talk>) -> Talk {
    let (call, seat) = (&desk.call, desk.seat);
    let me = view.agent.agent.name.as_str();
    let user = view.agent.user.name.as_str();
    let watch = call.supervision.as_ref().filter(|watch| watch.ended.is_none());
    let inspects = watch.is_some_and(|watch| watch.leg == seat.leg);
    let known = known.filter(|known| known.leg == seat.leg);
    let help_of = |by: &LegId| call.transfer.as_ref().is_some_and(|transfer| transfer.by == *by);
    let asks = matches!(seat.state, SeatState::Consulting | SeatState::Sending);
    let sent = call.transfer.as_ref().filter(|transfer| !asks && !inspects && transfer.by != seat.leg);
    let asked = sent.is_some_and(|transfer| transfer.kind == TransferKind::Attended);
    let helped = known.map_or(asked, |known| known.helped);
    let is_other = |leg: &&LegView| leg.leg != seat.leg && watch.is_none_or(|watch| watch.leg != leg.leg);
    let others: Vec<Other> = call.legs.iter().filter(is_other).map(|leg| other(leg, plan)).collect();
    let (parties, help) = match (asks && help_of(&seat.leg), known) {
        (true, Some(known)) => apart(others, &known.parties),
        (true, None) => {
            let last = others.iter().map(|other| other.leg.number).max().unwrap_or_default();
            let (help, parties): (Vec<_>, Vec<_>) = others.into_iter().partition(|o| o.leg.number == last);
            (parties, help.into_iter().next())
        }
        (false, _) => (others, None),
    };
    let own = known.map_or(call.from.user == user && call.queue.is_none() && !helped, |known| known.own);
    let consulted = seat.state == SeatState::Consulted || (helped && seat.state == SeatState::Ringing);
    let sender = sent.and_then(|transfer| call.legs.iter().find(|leg| leg.leg == transfer.by));
    let sender = sender.map(|leg| other(leg, plan)).map(|other| other.agent.unwrap_or(other.number));
    let caller = match (&sender, consulted) {
        (Some(sender), true) => sender.clone(),
        _ => call.from.user.clone(),
    };
    let called = if consulted { me.to_owned() } else { call.to.user.clone() };
    let feature = match () {
        () if consulted => 51,
        () if own && is_agent(&call.to.user, plan) => 6,
        () if own => 7,
        () if call.queue.is_none() && is_agent(&call.from.user, plan) => 6,
        () => 0,
    };
    let active = |watch: &&cordboard_model::cdr::Supervision| {
        watch.of == seat.leg && !watch.turns.is_empty() && watch.mode != SupervisionMode::Intercept
    };
    let watch = watch.filter(active).map(|watch| Watch {
        mode: watch.mode,
        by: watch.agent.as_ref().map_or_else(|| watch.by.user.clone(), |agent| agent.name.to_string()),
    });
    let id = match known {
        Some(known) => known.id.clone(),
        None if helped => number::of_leg(seat.leg),
        None => number::of_call(call.call),
    };
    Talk {
        call: call.call,
        leg: seat.leg,
        id,
        seat: seat.state,
        held: seat.held,
        aside: call.stage == CallStage::Flow && call.bridged.is_some(),
        own,
        helped,
        inspects,
        caller,
        called,
        feature,
        parties,
        help,
        queue: call.queue.clone(),
        watch,
        sent_by: sender.or_else(|| known.and_then(|known| known.sent_by.clone())),
    }
}

/// Who of them was spoken to before, and who is asked now.
fn apart(others: Vec<Other>, before: &[Other]) -> (Vec<Other>, Option<Other>) {
    let was = |other: &Other| before.iter().any(|known| known.leg == other.leg);
    let (parties, new): (Vec<_>, Vec<_>) = others.into_iter().partition(was);
    (parties, new.into_iter().next_back())
}

fn other(leg: &LegView, plan: &FloorPlan) -> Other {
    let number = leg.party.user.clone();
    Other { leg: leg.leg, agent: agent_of(&number, plan), number, answered: leg.answered }
}

fn agent_of(user: &str, plan: &FloorPlan) -> Option<String> {
    let found = plan.agents.iter().find(|(name, agent)| agent.user.as_str() == user || name.as_str() == user);
    found.map(|(name, _)| name.to_string())
}

fn is_agent(user: &str, plan: &FloorPlan) -> bool {
    agent_of(user, plan).is_some()
}
