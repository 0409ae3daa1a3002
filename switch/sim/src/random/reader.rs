//! A reader of the stream, who has a snapshot and changes it by each event: what he has is what the switch has.
//!
//! Held to it is what events carry at every moment: calls with all that is shown of them; who waits in which queue and to whom he
//! is offered; agents who are signed in with their status, reason and call. What changes without an event (an agent's devices,
//! how long something lasts, figures) is asked for.

use cordboard_core::Shard;
use cordboard_model::cdr::{Supervision, TransferOutcome};
use cordboard_model::data;
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::{AgentId, CallId, LegId, QueueId, TenantId};
use cordboard_model::media::AudioNews;
use cordboard_model::view::{AgentStatus, AgentView, CallStage, CallView, LegView, QueueView, Unheard};
use std::collections::BTreeMap;

/// What he has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reader {
    /// The last event that is in it.
    pub(super) seq: u64,
    calls: BTreeMap<CallId, CallView>,
    waiting: BTreeMap<QueueId, BTreeMap<CallId, Vec<AgentId>>>,
    agents: BTreeMap<AgentId, (AgentStatus, Option<String>, Option<CallId>)>,
}

impl Reader {
    /// A snapshot.
    pub(super) fn of(shard: &Shard, tenant: TenantId) -> Self {
        let call = |view: CallView| (view.call, sorted(view));
        let queue = |view: QueueView| {
            let waits = view.waiting.into_iter().map(|one| (one.call, one.offered_to));
            (view.queue, waits.collect())
        };
        let agent = |view: AgentView| (view.agent, (view.status, view.reason, view.call));
        // One who is signed out and no longer configured is told of as signed out, and is gone.
        let there = |view: &AgentView| view.status != AgentStatus::SignedOut;
        Self {
            seq: shard.last_event(tenant),
            calls: shard.open_calls(tenant).into_iter().map(call).collect(),
            waiting: shard.queues(tenant).into_iter().map(queue).collect(),
            agents: shard.agents(tenant).into_iter().filter(there).map(agent).collect(),
        }
    }

    /// What is different in what another has, in words; nothing if all is the same.
    pub(super) fn differs(&self, other: &Self) -> Option<String> {
        if self.seq != other.seq {
            return Some(format!("number {} instead of {}", self.seq, other.seq));
        }
        for (call, theirs) in &other.calls {
            match self.calls.get(call) {
                Some(ours) if ours == theirs => {}
                ours => return Some(format!("{call} is {ours:?} instead of {theirs:?}")),
            }
        }
        if let Some(call) = self.calls.keys().find(|call| !other.calls.contains_key(call)) {
            return Some(format!("{call} is over"));
        }
        if self.waiting != other.waiting {
            return Some(format!("{:?} wait instead of {:?}", self.waiting, other.waiting));
        }
        (self.agents != other.agents).then(|| format!("{:?} instead of {:?}", self.agents, other.agents))
    }

    /// Takes an event in. False: what he has does not lead on, and he needs a snapshot.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        if event.seq <= self.seq {
            return true;
        }
        let follows = event.seq == self.seq + 1 && !matches!(event.what, EventKind::ConfigReloaded { .. });
        self.seq = event.seq;
        match &event.what {
            EventKind::CallStarted { call, from, to } => {
                self.calls.insert(*call, begun(event, *call, (from.clone(), to.clone())));
            }
            EventKind::CallEnded { call, .. } => {
                self.calls.remove(call);
            }
            EventKind::QueueEntered { call, queue, .. } => {
                self.waiting.entry(queue.clone()).or_default().insert(*call, Vec::new());
            }
            EventKind::QueueOffered { call, queue, agent, .. } => {
                let waits = self.waiting.entry(queue.clone()).or_default().entry(*call).or_default();
                waits.retain(|one| one != agent);
                waits.push(agent.clone());
            }
            EventKind::QueueLeft { call, queue, .. } => {
                self.waiting.entry(queue.clone()).or_default().remove(call);
            }
            EventKind::AgentStatus { agent, status, call, reason, .. } => {
                if *status != AgentStatus::Ringing {
                    let offered = self.waiting.values_mut().flat_map(BTreeMap::values_mut);
                    offered.for_each(|to| to.retain(|one| one != agent));
                }
                match status {
                    AgentStatus::SignedOut => drop(self.agents.remove(agent)),
                    _ => drop(self.agents.insert(agent.clone(), (*status, reason.clone(), *call))),
                }
            }
            what => self.change(what, event),
        }
        follows
    }

    fn change(&mut self, what: &EventKind, event: &Event) {
        let call = match what {
            EventKind::CallRouted { call, .. }
            | EventKind::CallStage { call, .. }
            | EventKind::CallAnswered { call }
            | EventKind::CallTransfer { call, .. }
            | EventKind::Speaking { call, .. }
            | EventKind::LegStarted { call, .. }
            | EventKind::LegAnswered { call, .. }
            | EventKind::LegHeld { call, .. }
            | EventKind::LegAudio { call, .. }
            | EventKind::LegMuted { call, .. }
            | EventKind::LegEnded { call, .. }
            | EventKind::CallSupervised { call, .. }
            | EventKind::DataChanged { call, .. } => call,
            _ => return,
        };
        if let Some(view) = self.calls.get_mut(call) {
            change(view, what, event);
        }
    }
}

fn begun(
    event: &Event,
    call: CallId,
    (from, to): (cordboard_model::leg::PartyId, cordboard_model::leg::PartyId),
) -> CallView {
    CallView {
        call,
        from,
        to,
        stage: CallStage::Routing,
        started: event.at,
        answered: None,
        bridged: None,
        queue: None,
        agent: None,
        legs: Vec::new(),
        data: BTreeMap::new(),
        route: Vec::new(),
        transfer: None,
        supervision: None,
        speaker: None,
        plays: Vec::new(),
        collect: None,
    }
}

/// Legs in the order of their ids: which of them the call is for is not told.
fn sorted(mut view: CallView) -> CallView {
    view.legs.sort_by_key(|leg| leg.leg);
    view
}

fn change(view: &mut CallView, what: &EventKind, event: &Event) {
    match what {
        EventKind::CallRouted { reasons, .. } => view.route.clone_from(reasons),
        EventKind::CallStage { stage, queue, agent, .. } => {
            view.stage = *stage;
            view.queue.clone_from(queue);
            view.agent.clone_from(agent);
            if *stage == CallStage::Bridged {
                view.bridged = view.bridged.or(Some(event.at));
            }
        }
        EventKind::CallAnswered { .. } => view.answered = Some(event.at),
        EventKind::LegStarted { leg, party, .. } => {
            let party = party.clone();
            view.legs.push(LegView {
                leg: *leg,
                party,
                answered: false,
                held: false,
                muted: false,
                unheard: None,
            });
            view.legs.sort_by_key(|leg| leg.leg);
        }
        EventKind::CallTransfer { transfer, .. } => {
            let is_open = transfer.outcome == TransferOutcome::Open;
            view.transfer = is_open.then(|| (**transfer).clone());
        }
        EventKind::Speaking { leg, .. } => view.speaker = *leg,
        EventKind::LegAnswered { leg, .. } => of(view, *leg, |one| one.answered = true),
        EventKind::LegHeld { leg, held, .. } => of(view, *leg, |one| one.held = *held),
        EventKind::LegEnded { leg, .. } => view.legs.retain(|one| one.leg != *leg),
        EventKind::LegMuted { leg, muted, .. } => of(view, *leg, |one| one.muted = *muted),
        EventKind::LegAudio { leg, news, .. } => of(view, *leg, |one| match news {
            AudioNews::Nothing => one.unheard = Some(Unheard::Nothing),
            AudioNews::OneWay => one.unheard = Some(Unheard::OneWay),
            AudioNews::Back => one.unheard = None,
            AudioNews::Late { .. } => {}
        }),
        EventKind::CallSupervised { supervision, .. } => {
            view.supervision = supervision.ended.is_none().then(|| Supervision::clone(supervision));
        }
        EventKind::DataChanged { key, value, .. } => {
            view.data.remove(key);
            if !data::is_none(value) {
                view.data.insert(key.clone(), value.clone());
            }
        }
        _ => {}
    }
}

fn of(view: &mut CallView, leg: LegId, change: impl Fn(&mut LegView)) {
    view.legs.iter_mut().filter(|one| one.leg == leg).for_each(change);
}
