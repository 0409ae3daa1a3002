//! A wait in a queue, and the agents who are rung for it.
//!
//! Invariant: an offer ends in exactly one word: ours to the queue (answered or failed), or the queue's to us
//! (withdrawn, or the wait ended), to which nothing is said. The queue itself is elsewhere; here is only what
//! the caller hears and whose devices ring. That is one at a time, unless the queue rings all: then it is the queue that
//! takes its other offers back when one has answered. So the call still has them where it had withdrawn the one that did.

use crate::call::{Call, Doing, Serving};
use crate::connect::Talk;
use crate::desk::Desk;
use crate::engine::CallEngine;
use crate::leg::{Heard, LegState};
use crate::opening::Opening;
use crate::output::{DialTarget, QueueOutput};
use crate::side::Side;
use cordboard_model::audio::{AnswerAt, NumberTo};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::QueueVisit;
use cordboard_model::desk::DeskFault;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId, QueueId, UserId};
use cordboard_model::leg::{PartyId, Target};
use cordboard_model::media::{MediaCommand, PlayItem, Repeat};
use cordboard_model::service::RingMost;
use cordboard_model::time::Duration;
use cordboard_model::verb::{Destination, QueueEnd, VerbAnswer, Wish};

/// The wait.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) queue: QueueId,
    timeout_ms: Option<u32>,
    priority: u8,
    /// Keys that leave it.
    keys: String,
    /// It lasts only while an agent is signed in.
    staffed: bool,
    /// The agent he would have.
    wish: Option<Wish>,
    /// The queue knows of it. It learns when the caller is answered, or hears us before that.
    pub(crate) entered: bool,
    /// It knows of another wait of this call, which it takes this one for until it learns of it.
    known: bool,
    /// The queue has taken him, and said what he hears.
    pub(crate) taken: bool,
    /// What he is told as soon as he hears us.
    said: Vec<PlayItem>,
}

/// More ring for one call than any queue rings: the offer is refused.
const OFFERS_MAX: usize = RingMost::LIMIT as usize;

/// An agent who rings.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) agent: AgentId,
    leg: LegId,
    number: Vec<PlayItem>,
    /// The queue was told that it rings.
    rings: bool,
}

/// What the queue offers.
pub(crate) struct Offered {
    pub(crate) agent: AgentId,
    pub(crate) user: UserId,
    pub(crate) display: String,
    pub(crate) ring: Duration,
    pub(crate) number: Vec<PlayItem>,
}

impl Wait {
    pub(crate) fn new(queue: QueueId, timeout_ms: Option<u32>, priority: u8) -> Self {
        let keys = String::new();
        Self {
            queue,
            timeout_ms,
            priority,
            keys,
            staffed: false,
            wish: None,
            entered: false,
            known: false,
            taken: false,
            said: Vec::new(),
        }
    }

    /// The same, with keys by which the caller leaves it, and whether only while an agent is signed in.
    pub(crate) fn until(self, keys: String, staffed: bool) -> Self {
        Self { keys, staffed, ..self }
    }

    /// The same, for an agent.
    pub(crate) fn of_agent(self, wish: Option<Wish>) -> Self {
        Self { wish, ..self }
    }
}

/// Refuses an offer for a call that cannot take it.
pub(crate) fn refuse_offer(desk: &mut Desk, call: CallId, agent: AgentId, why: Cause, caller_gone: bool) {
    desk.queue(QueueOutput::OfferFailed { call, agent, why, caller_gone });
}

impl CallEngine {
    /// Whether this is the leg of an agent whom the call's queue has ring.
    pub fn offers(&self, call: CallId, leg: LegId) -> bool {
        self.calls.get(&call).is_some_and(|call| call.is_offered(leg))
    }
}

impl Call {
    /// The call waits from now on: the queue is told, and a caller who is not answered yet is answered when it takes him.
    pub(crate) fn enqueue(&mut self, desk: &mut Desk, queue: QueueId, timeout_ms: Option<u32>, priority: u8) {
        self.wait_in(desk, Wait::new(queue, timeout_ms, priority));
    }

    /// The same, in the way that is given.
    pub(crate) fn wait_in(&mut self, desk: &mut Desk, wait: Wait) {
        self.music.clear();
        // of the queue that he comes from
        self.end_wait_flow(desk);
        self.let_offers_go(desk);
        let manner = desk.manners.queue(&wait.queue);
        self.queue = Some(wait.queue.clone());
        let early = manner.answer == AnswerAt::Agent && self.caller.state == LegState::Arrived;
        self.manner = Some(manner);
        self.doing = Doing::Queue(wait);
        if self.is_refused_unrecorded(desk) {
            return self.end(desk, Cause::Administrative, Party::Switch);
        }
        self.limit_length(desk);
        if early {
            self.open_ear(desk);
        }
        // one who is not answered yet is when the queue takes him: nobody pays for being turned away
        self.enter(desk);
    }

    /// Whether he can hear what is for those who wait: answered, or by early media where that is meant to do.
    fn caller_hears_us(&self) -> bool {
        let early = self.manner.as_ref().is_some_and(|manner| manner.answer == AnswerAt::Agent);
        self.caller_is_up() || early && self.caller.told_early
    }

    /// Tells the queue.
    pub(crate) fn enter(&mut self, desk: &mut Desk) {
        let Doing::Queue(wait) = &mut self.doing else {
            return;
        };
        wait.entered = true;
        let (call, queue) = (self.id, wait.queue.clone());
        let (timeout_ms, priority) = (wait.timeout_ms, wait.priority.max(self.priority));
        let (staffed, wish, by) = (wait.staffed, wait.wish.clone(), None);
        self.visit(desk, &queue, None);
        desk.queue(QueueOutput::Enter { call, queue, timeout_ms, priority, staffed, wish, by });
    }

    /// Writes down that a wait begins; `by` is the agent who consults the queue.
    pub(crate) fn visit(&mut self, desk: &Desk, queue: &QueueId, by: Option<AgentId>) {
        let now = desk.wall_now();
        if self.visits.len() >= desk.limits.leg_records.max(1) {
            self.visits.remove(0);
        }
        self.visits.push(QueueVisit {
            queue: queue.clone(),
            entered: now,
            left: now,
            agent: None,
            outcome: String::new(),
            consulted_by: by,
            account: None,
        });
    }

    /// Writes down how the wait ended.
    pub(crate) fn leave(&mut self, desk: &Desk, agent: Option<AgentId>, outcome: &str) {
        if let Some(visit) = self.visits.last_mut() {
            visit.left = desk.wall_now();
            visit.agent = agent;
            visit.outcome = outcome.into();
        }
    }

    /// The queue has taken him: what he hears from now on.
    pub(crate) fn on_music(&mut self, desk: &mut Desk, items: Vec<PlayItem>) {
        if self.asks_queue() {
            return self.consulting_music(desk, items);
        }
        let Doing::Queue(wait) = &mut self.doing else { return };
        if !wait.entered {
            return;
        }
        wait.taken = true;
        self.refused_by.clear();
        self.music = items;
        self.hears_queue(desk);
    }

    /// What he hears while he waits begins, if the queue has taken him; if he cannot hear it yet, he is answered first.
    pub(crate) fn hears_queue(&mut self, desk: &mut Desk) {
        let said = match &mut self.doing {
            Doing::Queue(wait) if wait.taken => core::mem::take(&mut wait.said),
            _ => return,
        };
        if !self.caller_hears_us() {
            if let Doing::Queue(wait) = &mut self.doing {
                wait.said = said;
            }
            return self.answer_caller(desk);
        }
        if let Some(flow) = self.manner.as_ref().and_then(|manner| manner.wait_flow.clone()) {
            self.begin_side(desk, flow, Side::Wait);
        }
        self.on_position(desk, said);
        let announced = matches!(self.caller.playing, Some((_, Heard::Announcement)));
        if !announced {
            self.resume_music(desk);
        }
    }

    /// What the caller hears once, or who consults in his stead.
    pub(crate) fn on_position(&mut self, desk: &mut Desk, announcement: Vec<PlayItem>) {
        if self.asks_queue() {
            return self.consulting_position(desk, announcement);
        }
        let (hears, has_flow) = (self.caller_hears_us(), self.has_wait_flow());
        match &mut self.doing {
            Doing::Queue(wait) if !hears => wait.said = announcement,
            // a flow of the wait says itself what is to be said
            Doing::Queue(_) if !has_flow => {
                let leg = self.caller.id;
                self.play(desk, leg, Heard::Announcement, announcement, Repeat::Once);
            }
            _ => {}
        }
    }

    pub(crate) fn resume_music(&mut self, desk: &mut Desk) {
        if self.has_wait_flow() {
            return;
        }
        let (leg, items) = (self.caller.id, self.music.clone());
        if !self.play(desk, leg, Heard::Music, items, Repeat::Forever) {
            self.stop_play(desk, leg);
        }
    }

    /// The queue has an agent: his devices ring, unless this call cannot take him.
    pub(crate) fn on_offer(&mut self, desk: &mut Desk, offered: Offered) {
        let Offered { agent, user, display, ring, number } = offered;
        let call = self.id;
        let mut from = self.caller.party.clone();
        let fits = self.offers.len() < OFFERS_MAX && self.offers.iter().all(|offer| offer.agent != agent);
        match &self.doing {
            Doing::Queue(wait) if wait.entered && fits => {}
            Doing::Transfer(transfer) if transfer.asks_queue() && fits => {
                let by = self.leg(transfer.talk.peer);
                from = by.map(|leg| leg.party.clone()).unwrap_or_default();
            }
            Doing::Queue(wait) if wait.entered => {
                return refuse_offer(desk, call, agent, Cause::Congestion, false);
            }
            // it crosses the answer of another, whom the queue may not have any more: then the call waits on
            Doing::Talk(Talk { wait: Some(_), .. }) | Doing::Transfer(_) => {
                return refuse_offer(desk, call, agent, Cause::Congestion, false);
            }
            _ => return refuse_offer(desk, call, agent, Cause::Cancelled, true),
        }
        let party = PartyId { user: user.name.as_str().into(), display };
        let to = DialTarget::Target(Target::User(user));
        let leg = self.call_out(desk, (to, from), party, Some(agent.clone()), ring);
        self.offers.push(Offer { agent, leg, number, rings: false });
    }

    /// Whether this is the leg of an agent who rings.
    pub(crate) fn is_offered(&self, leg: LegId) -> bool {
        self.offers.iter().any(|offer| offer.leg == leg)
    }

    fn take_offer(&mut self, of: impl Fn(&Offer) -> bool) -> Option<Offer> {
        let at = self.offers.iter().position(of)?;
        Some(self.offers.remove(at))
    }

    /// The agent's device rings; the caller keeps his music.
    pub(crate) fn offer_rings(&mut self, desk: &mut Desk, leg: LegId) {
        let Some(offer) = self.offers.iter_mut().find(|offer| offer.leg == leg && !offer.rings) else {
            return;
        };
        offer.rings = true;
        let (call, agent) = (self.id, offer.agent.clone());
        desk.queue(QueueOutput::OfferRinging { call, agent });
    }

    /// The agent answered: the wait is over, the talk begins. One who answers when another has is let go.
    pub(crate) fn offer_answered(&mut self, desk: &mut Desk, leg: LegId) {
        let Some(Offer { agent, leg, number, .. }) = self.take_offer(|offer| offer.leg == leg) else {
            return;
        };
        if self.asks_queue() {
            return self.consulted(desk, leg, agent, number);
        }
        let wait = match core::mem::replace(&mut self.doing, Doing::Ending) {
            Doing::Queue(wait) => wait,
            other => {
                self.doing = other;
                self.hang_up_leg(desk, leg, Cause::AnsweredElsewhere);
                return refuse_offer(desk, self.id, agent, Cause::AnsweredElsewhere, false);
            }
        };
        self.end_wait_flow(desk);
        // one who was sent here himself, by his caller, is somebody's caller now
        self.release_any(desk);
        desk.queue(QueueOutput::OfferAnswered { call: self.id, agent: agent.clone() });
        self.leave(desk, Some(agent.clone()), "served");
        self.serving.push(Serving { leg, agent: agent.clone() });
        let both = self.manner.as_ref().is_some_and(|manner| manner.number_to == NumberTo::Both);
        let opening = Opening::number(number, both);
        self.doing = Doing::Talk(Talk { wait: Some(wait), opening, ..Talk::new(leg, Some(agent)) });
        self.join(desk);
    }

    /// The agent did not answer; the call waits on.
    pub(crate) fn offer_failed(&mut self, desk: &mut Desk, leg: LegId, why: Cause) {
        let why = match why {
            Cause::Congestion if !self.lacked_line(leg) => Cause::Unreachable,
            other => other,
        };
        if let Some(offer) = self.take_offer(|offer| offer.leg == leg) {
            refuse_offer(desk, self.id, offer.agent, why, false);
        }
    }

    /// Whether an agent who was not rung, or refused, lacked a line of ours: no port was free, or his telephone is outside and
    /// the trunks had no room. A device that says the same is the agent's own.
    fn lacked_line(&self, leg: LegId) -> bool {
        self.leg(leg).is_some_and(|leg| leg.dial.is_some() || leg.carried)
    }

    /// He waits in another queue from now on. The queue that he waited in takes its offer back itself, when it learns where
    /// he is. Counted like any other way on, so that nobody has him wait for ever, a longest wait after the other.
    pub(crate) fn requeue(&mut self, desk: &mut Desk, queue: QueueId) -> Result<(), DeskFault> {
        if matches!(&self.doing, Doing::Queue(wait) if wait.entered) {
            if self.hops >= desk.limits.hops {
                return Err(DeskFault::MovedTooOften);
            }
            self.hops += 1;
        }
        let wait = match core::mem::replace(&mut self.doing, Doing::Ending) {
            Doing::Queue(wait) if wait.entered => wait,
            other => {
                self.doing = other;
                return Err(DeskFault::NotWaiting);
            }
        };
        self.cancel_offers(desk);
        self.leave(desk, None, "moved");
        self.stop_play(desk, self.caller.id);
        let wait =
            Wait { known: true, ..Wait::new(queue, None, wait.priority).until(wait.keys, wait.staffed) };
        self.wait_in(desk, wait);
        Ok(())
    }

    /// Stops the ringing of agents whom nobody wants any more.
    pub(crate) fn cancel_offers(&mut self, desk: &mut Desk) {
        for offer in core::mem::take(&mut self.offers) {
            self.hang_up_leg(desk, offer.leg, Cause::Cancelled);
        }
    }

    /// The call waits no longer, by its own doing: whoever rings is not to blame. Gives the legs that ring.
    pub(crate) fn refuse_offers(&mut self, desk: &mut Desk, why: Cause) -> Vec<LegId> {
        let offers = core::mem::take(&mut self.offers);
        let refused = offers.into_iter().map(|Offer { agent, leg, .. }| {
            refuse_offer(desk, self.id, agent, why, true);
            leg
        });
        refused.collect()
    }

    /// The same, and they stop ringing.
    pub(crate) fn let_offers_go(&mut self, desk: &mut Desk) {
        for Offer { agent, leg, .. } in core::mem::take(&mut self.offers) {
            self.hang_up_leg(desk, leg, Cause::Cancelled);
            refuse_offer(desk, self.id, agent, Cause::Cancelled, true);
        }
    }

    /// The queue takes an offer back. If that crossed the agent's answer, the queue did not count the answer
    /// and still has the caller waiting: the agent's leg is taken down and the wait goes on.
    pub(crate) fn on_offer_withdrawn(&mut self, desk: &mut Desk, agent: &AgentId, elsewhere: bool) {
        if self.recall_withdrawn(desk) {
            return;
        }
        if let Some(offer) = self.take_offer(|offer| offer.agent == *agent) {
            let cause = if elsewhere { Cause::AnsweredElsewhere } else { Cause::Cancelled };
            return self.hang_up_leg(desk, offer.leg, cause);
        }
        let serving = self.serving.iter().find(|serving| serving.agent == *agent);
        if let Some(leg) = serving.map(|serving| serving.leg) {
            self.on_answer_withdrawn(desk, leg);
        }
    }

    /// `leg` is that of the agent.
    fn on_answer_withdrawn(&mut self, desk: &mut Desk, leg: LegId) {
        let caller = self.caller.id;
        match core::mem::replace(&mut self.doing, Doing::Ending) {
            // he waits in another queue by now, as that one knows
            Doing::Queue(wait) => self.doing = Doing::Queue(wait),
            Doing::Transfer(transfer) if transfer.asks_queue() => self.doing = Doing::Transfer(transfer),
            Doing::Talk(mut talk) if leg == talk.peer || leg == caller => match talk.wait.take() {
                Some(wait) => self.wait_again(desk, talk, wait),
                None => {
                    self.doing = Doing::Talk(talk);
                    self.not_waiting(desk, leg);
                }
            },
            Doing::Transfer(transfer) if transfer.asked.is_some() && transfer.target == Some(leg) => {
                self.doing = Doing::Transfer(transfer);
                self.consulted_withdrawn(desk, leg);
            }
            Doing::Transfer(transfer) if transfer.talk.wait.is_some() => {
                let target = transfer.target;
                self.doing = Doing::Transfer(transfer);
                // taken back first: the two talk for the moment in which the queue takes its agent away
                if self.cancel_transfer(desk).is_ok() {
                    self.on_answer_withdrawn(desk, leg);
                }
                if let Some(target) = target {
                    self.hang_up_leg(desk, target, Cause::Cancelled);
                }
            }
            other => {
                self.doing = other;
                self.not_waiting(desk, leg);
            }
        }
    }

    /// The queue thinks that the caller of an agent of its own waits again, but he was sent elsewhere meanwhile.
    pub(crate) fn not_waiting(&mut self, desk: &mut Desk, leg: LegId) {
        self.let_offers_go(desk);
        self.release_agent(desk, leg);
        desk.queue(QueueOutput::Abandoned { call: self.id });
    }

    fn wait_again(&mut self, desk: &mut Desk, mut talk: Talk, wait: Wait) {
        let caller = self.caller.id;
        // the caller may have been the one who sent, and the agent the one who was to be sent
        if self.serving.iter().any(|serving| serving.leg == caller) {
            self.promote(talk.peer);
            talk.peer = caller;
        }
        let (peer, joined) = (talk.peer, talk.joined);
        self.doing = Doing::Queue(wait);
        self.stop_recordings(desk);
        self.release_agent(desk, peer);
        if joined {
            desk.media(MediaCommand::Unbridge { leg: self.caller.id });
        }
        self.hang_up_leg(desk, peer, Cause::Cancelled);
        let his = self.visits.iter_mut().rev().find(|visit| visit.consulted_by.is_none());
        if let Some(visit) = his {
            visit.agent = None;
            visit.outcome.clear();
        }
        self.let_go(desk);
        let music = core::mem::take(&mut self.music);
        self.on_music(desk, music);
    }

    /// The wait ended without an agent: back to the flow, or to the overflow, or the end.
    pub(crate) fn on_queue_ended(&mut self, desk: &mut Desk, end: QueueEnd, overflow: Option<Destination>) {
        let (outcome, cause) = match end {
            QueueEnd::Timeout => ("timeout", Cause::QueueTimeout),
            QueueEnd::Full => ("full", Cause::QueueFull),
            QueueEnd::NobodySignedIn => ("nobody_signed_in", Cause::QueueFull),
            QueueEnd::NoAgent => ("no_agent", Cause::QueueFull),
            QueueEnd::Gone => ("gone", Cause::NoRoute),
            QueueEnd::Served | QueueEnd::Key(_) | QueueEnd::Callback => return, // ours to say
        };
        if self.asks_queue() {
            return self.consulting_ended(desk, (outcome, cause), overflow);
        }
        // The wait is taken out first: whatever comes now, the queue is not told that it was abandoned.
        let wait = match core::mem::replace(&mut self.doing, Doing::Flow) {
            Doing::Queue(wait) if wait.entered => wait,
            other => return self.doing = other,
        };
        self.cancel_offers(desk);
        if !wait.taken {
            self.refused_by.push(wait.queue);
        }
        self.leave(desk, None, outcome);
        self.end_wait_flow(desk);
        self.stop_play(desk, self.caller.id);
        // Queues that send on to one another whom none of them takes would do so for ever.
        let refused = |to: &Destination| matches!(to, Destination::Queue(to) if self.refused_by.contains(to));
        if self.flow.is_some() {
            self.finish_step(desk, VerbAnswer::Queue(end));
        } else if let Some(to) = overflow.filter(|to| !refused(to)) {
            self.go(desk, to);
        } else {
            self.end(desk, cause, Party::Switch);
        }
    }

    /// A key that is pressed while the call waits. One that leaves the queue gives the call back to its flow, even if an
    /// agent rings already. False if it is none of those.
    pub(crate) fn key_in_queue(&mut self, desk: &mut Desk, digit: char) -> bool {
        match &self.doing {
            Doing::Queue(wait) if wait.entered && wait.keys.contains(digit) => {}
            _ => return false,
        }
        let call = self.id;
        desk.event(self.tenant(), EventKind::Digit { call, digit });
        self.leave_queue(desk, "key");
        self.finish_step(desk, VerbAnswer::Queue(QueueEnd::Key(digit)));
        true
    }

    /// The call leaves its queue of its own will; an agent who rings is let go without blame.
    pub(crate) fn leave_queue(&mut self, desk: &mut Desk, outcome: &str) {
        let wait = match core::mem::replace(&mut self.doing, Doing::Flow) {
            Doing::Queue(wait) => wait,
            other => return self.doing = other,
        };
        let call = self.id;
        self.let_offers_go(desk);
        if wait.entered || wait.known {
            desk.queue(QueueOutput::Abandoned { call });
        }
        if wait.entered {
            self.leave(desk, None, outcome);
        }
        self.end_wait_flow(desk);
        self.stop_play(desk, self.caller.id);
    }

    /// The call ends while it waits.
    pub(crate) fn abandon(&mut self, desk: &mut Desk, wait: &Wait, by: Party) {
        if wait.known && !wait.entered {
            desk.queue(QueueOutput::Abandoned { call: self.id });
        }
        if wait.entered {
            desk.queue(QueueOutput::Abandoned { call: self.id });
            let outcome = if by == Party::Caller { "abandoned" } else { "ended" };
            self.leave(desk, None, outcome);
        }
    }
}
