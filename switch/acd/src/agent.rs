//! One agent: what he asked for, what his legs do, and the status that follows from both.
//!
//! Invariant: [`Agent::derive`] is the only place where a status comes from.

use crate::chats::{Chat, Standing};
use crate::intents::DEVICE_GONE;
use crate::queue::Turn;
use cordboard_model::cause::Cause;
use cordboard_model::config;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::{CallId, QueueId};
use cordboard_model::service::{Spare, Unanswered, Work};
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;

/// How long after the ring time an offer that nobody reported on is given up.
pub const RING_MARGIN: Duration = Duration::from_secs(5);

/// What an agent asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    SignedOut,
    Ready,
    NotReady,
    Rest,
}

impl Intent {
    pub(crate) fn status(self) -> AgentStatus {
        match self {
            Intent::SignedOut => AgentStatus::SignedOut,
            Intent::Ready => AgentStatus::Ready,
            Intent::NotReady => AgentStatus::NotReady,
            Intent::Rest => AgentStatus::Rest,
        }
    }
}

/// What was asked for an agent, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) intent: Intent,
    /// Why, in the words of who asked.
    pub(crate) reason: Option<String>,
    /// How long a break may be before he is reminded.
    pub(crate) limit: Option<Duration>,
    /// Who asked, if not he himself.
    pub(crate) by: Option<String>,
}

impl Asked {
    pub(crate) fn own(intent: Intent) -> Self {
        Self { intent, reason: None, limit: None, by: None }
    }

    /// His device is gone.
    pub(crate) fn gone() -> Self {
        Self { reason: Some(DEVICE_GONE.to_owned()), ..Self::own(Intent::SignedOut) }
    }
}

/// His leg of a call from a queue, with the queue's rules as they were at the offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leg {
    None,
    Ringing(Offer),
    Talking(Offer),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) call: CallId,
    pub(crate) queue: QueueId,
    pub(crate) rang: bool,
    pub(crate) wrap_up: Duration,
    pub(crate) unanswered: Unanswered,
}

/// He is ready, but not offered calls for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) until: Time,
    pub(crate) cause: Cause,
    /// Whether a change of his registrations ends it.
    pub(crate) device: bool,
}

impl Hold {
    /// Whether an offer failed by the switch, or by the house's trunks, and by nothing that the agent has.
    pub(crate) fn is_ours(cause: Cause) -> bool {
        matches!(cause, Cause::Congestion | Cause::InternalError)
    }

    /// The policy of a queue for an offer that failed for `cause`, and whether a change of his registrations ends a
    /// time that it costs.
    pub(crate) fn policy(unanswered: &Unanswered, cause: Cause) -> (Spare, bool) {
        match cause {
            Cause::NoAnswer => (unanswered.no_answer, false),
            Cause::Busy | Cause::Cancelled | Cause::AnsweredElsewhere => (unanswered.busy, false),
            Cause::Declined => (unanswered.declined, false),
            Cause::NotRegistered => (unanswered.not_registered, true),
            // Whatever else a device answers (404, 488 ...) is no better reached by asking again.
            _ => (unanswered.unreachable, true),
        }
    }
}

/// The moment an agent became idle, or a caller came, in nanoseconds from the start of the switch; negative when
/// that was before a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IdleSince(i64);

impl IdleSince {
    pub(crate) fn at(t: Time) -> Self {
        Self(i64::try_from(t.as_nanos()).unwrap_or(i64::MAX))
    }

    /// From a date of the journal, never later than `now`.
    pub(crate) fn restored(since: Wall, wall: WallClock, now: Time) -> Self {
        let ms = since.0.saturating_sub(wall.at_zero.0);
        Self(ms.saturating_mul(1_000_000)).min(Self::at(now))
    }

    /// Its date.
    pub(crate) fn date(self, wall: WallClock) -> Wall {
        Wall(wall.at_zero.0.saturating_add(self.0.div_euclid(1_000_000)))
    }

    /// In nanoseconds.
    pub(crate) fn nanos(self) -> i64 {
        self.0
    }

    pub(crate) fn length(self, now: Time) -> Duration {
        let ns = Self::at(now).0.saturating_sub(self.0);
        Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
    }
}

/// Why an agent gets no calls, or no chats, although he is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    NoDevice,
    Held(Hold),
    /// He takes no calls beside chats, and has chats.
    Chats,
    /// He has as many chats as he may have.
    Full,
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) config: config::Agent,
    /// The queues he serves that exist, without repetition.
    pub(crate) serves: Vec<QueueId>,
    /// He is no longer configured and goes when his call ends.
    pub(crate) removed: bool,
    pub(crate) intent: Intent,
    /// Why he is not ready or on a break, in the words of who asked for it, and who that was if not he.
    pub(crate) reason: Option<String>,
    pub(crate) by: Option<String>,
    /// How long this break may be.
    pub(crate) limit: Option<Duration>,
    /// A break was asked for, also of one who has one: it begins now.
    pub(crate) anew: bool,
    /// What was asked for while he talked; takes effect after it.
    pub(crate) pending: Option<Asked>,
    /// His device was gone too long while he talked: he is signed out after it, unless it comes back.
    pub(crate) gone: bool,
    pub(crate) leg: Leg,
    /// The chat that he is offered: one at a time.
    pub(crate) chat_offer: Option<Offer>,
    /// What takes his slots for chats.
    pub(crate) chats: BTreeMap<CallId, Chat>,
    /// How many he wants at most, if that are fewer than he is configured for.
    pub(crate) wanted_chats: Option<u8>,
    /// How many chats were told, and how many he may have.
    pub(crate) told_chats: (u8, u8),
    /// All his queues are of chats: no device of his rings.
    pub(crate) only_chats: bool,
    /// As what his queues count him.
    pub(crate) counted: Standing,
    pub(crate) outside: Option<CallId>,
    /// His call is on hold.
    pub(crate) held: bool,
    pub(crate) wrap_up: Option<CallId>,
    pub(crate) hold: Option<Hold>,
    /// How often in a row the switch had no line to ring him.
    pub(crate) no_lines: u32,
    /// What he has chosen to be rung at, if it is not the usual.
    pub(crate) chosen: Option<AgentDevice>,
    pub(crate) contacts: u32,
    pub(crate) idle: IdleSince,
    /// Where he stands in the free lists of his queues.
    pub(crate) indexed: Vec<(QueueId, Turn)>,
    /// The number of the last offer that each queue made him.
    pub(crate) turns: BTreeMap<QueueId, u64>,
    /// When he signed in, how much of the time since he was busy, and since when he is.
    pub(crate) signed_in: Time,
    pub(crate) busy: Duration,
    pub(crate) busy_since: Option<Time>,
    /// Calls taken since he signed in.
    pub(crate) taken: u64,
    pub(crate) status: AgentStatus,
    /// The reason that was told with it.
    pub(crate) told: Option<String>,
    pub(crate) call: Option<CallId>,
    pub(crate) since: Wall,
    pub(crate) why: String,
    pub(crate) handled: u64,
}

impl Agent {
    /// A new agent, signed out.
    pub(crate) fn new(config: config::Agent, contacts: u32, now: Time, at: Wall) -> Self {
        let most_chats = config.duty.chats.most;
        Self {
            config,
            serves: Vec::new(),
            removed: false,
            intent: Intent::SignedOut,
            reason: None,
            by: None,
            limit: None,
            anew: false,
            pending: None,
            gone: false,
            leg: Leg::None,
            chat_offer: None,
            chats: BTreeMap::new(),
            wanted_chats: None,
            told_chats: (0, most_chats),
            only_chats: false,
            counted: Standing::default(),
            outside: None,
            held: false,
            wrap_up: None,
            hold: None,
            no_lines: 0,
            chosen: None,
            contacts,
            idle: IdleSince::at(now),
            indexed: Vec::new(),
            turns: BTreeMap::new(),
            signed_in: now,
            busy: Duration::ZERO,
            busy_since: None,
            taken: 0,
            status: AgentStatus::SignedOut,
            told: None,
            call: None,
            since: at,
            why: "has not signed in since the start".into(),
            handled: 0,
        }
    }

    /// What he is: his leg first, then his phone, then the clock, then a chat that he is offered, then his wish. Chats that he
    /// has make him nothing else: with two of five he is ready.
    pub(crate) fn derive(&self) -> (AgentStatus, Option<CallId>) {
        let talks = if self.held { AgentStatus::Hold } else { AgentStatus::Talking };
        match (&self.leg, self.outside, self.wrap_up) {
            (Leg::Ringing(offer), ..) => (AgentStatus::Ringing, Some(offer.call)),
            (Leg::Talking(offer), ..) => (talks, Some(offer.call)),
            _ if self.intent == Intent::SignedOut => (AgentStatus::SignedOut, None),
            (Leg::None, Some(call), _) => (talks, Some(call)),
            (Leg::None, None, Some(call)) => (AgentStatus::WrapUp, Some(call)),
            (Leg::None, None, None) if self.chat_offer.is_some() => {
                (AgentStatus::Ringing, self.chat_offer.as_ref().map(|offer| offer.call))
            }
            (Leg::None, None, None) if self.intent == Intent::Ready && self.is_missed() => {
                (AgentStatus::Away, None)
            }
            (Leg::None, None, None) => (self.intent.status(), None),
        }
    }

    /// What is rung for him.
    pub(crate) fn device(&self) -> AgentDevice {
        self.chosen.clone().unwrap_or_else(|| self.config.duty.phone.usual(&self.config.user))
    }

    /// Whether anything can ring for him: a number always can.
    pub(crate) fn has_device(&self) -> bool {
        self.contacts > 0 || self.device().number().is_some()
    }

    /// How long who answers for him may take to press a key.
    pub(crate) fn patience(&self) -> Duration {
        let asks = self.config.duty.phone.confirm.filter(|_| self.device().number().is_some());
        asks.unwrap_or_default()
    }

    /// Whether he has no device, and may be without one only for a while.
    pub(crate) fn is_missed(&self) -> bool {
        let goes = |asked: &Asked| asked.intent == Intent::SignedOut;
        !self.has_device()
            && !self.only_chats
            && !self.gone
            && self.config.duty.device_grace.is_some()
            && self.intent != Intent::SignedOut
            && !self.pending.as_ref().is_some_and(goes)
    }

    /// Whether a wish has to wait for the end of a call.
    pub(crate) fn is_talking(&self) -> bool {
        matches!(self.derive().0, AgentStatus::Talking | AgentStatus::Hold)
    }

    /// What part of his time since he signed in he was busy, millionths.
    pub(crate) fn occupied(&self, now: Time) -> i64 {
        let busy = self.busy + self.busy_since.map(|since| now.since(since)).unwrap_or_default();
        let all = now.since(self.signed_in).as_nanos().max(1);
        i64::try_from(busy.as_nanos().saturating_mul(1_000_000) / all).unwrap_or(i64::MAX)
    }

    /// Keeps account of his time: his status was another one before `now`.
    pub(crate) fn account(&mut self, before: AgentStatus, now: Time) {
        use AgentStatus::{Hold, SignedOut, Talking, WrapUp};
        if before == SignedOut && self.status != SignedOut {
            (self.signed_in, self.busy, self.busy_since, self.taken) = (now, Duration::ZERO, None, 0);
            self.wanted_chats = None;
        }
        let is_busy = matches!(self.status, Talking | Hold | WrapUp) || !self.chats.is_empty();
        match (self.busy_since, is_busy) {
            (None, true) => self.busy_since = Some(now),
            (Some(since), false) => {
                self.busy += now.since(since);
                self.busy_since = None;
            }
            _ => {}
        }
    }

    /// One who signs in by himself does so again when his phone is back.
    pub(crate) fn signs_in_again(&mut self) {
        let was_missed = self.intent == Intent::SignedOut && self.reason.as_deref() == Some(DEVICE_GONE);
        if self.config.auto_sign_in && was_missed && !self.removed {
            self.obey(Asked::own(Intent::Ready));
        }
    }

    /// What is asked of him takes effect.
    pub(crate) fn obey(&mut self, asked: Asked) {
        let Asked { intent, reason, limit, by } = asked;
        (self.intent, self.reason, self.limit, self.by) = (intent, reason, limit, by);
        self.anew = intent == Intent::Rest;
    }

    /// Why he gets none of such work although he is ready.
    pub(crate) fn bar(&self, work: Work) -> Option<Bar> {
        match (work, self.hold) {
            (Work::Call, _) if !self.has_device() => Some(Bar::NoDevice),
            // what his phone cost him is nothing to his chats
            (Work::Call, Some(hold)) => Some(Bar::Held(hold)),
            (Work::Chat, Some(hold)) if !hold.device => Some(Bar::Held(hold)),
            (Work::Call, None) if !self.takes_calls_beside() => Some(Bar::Chats),
            (Work::Chat, _) if self.slots_left() == 0 => Some(Bar::Full),
            _ => None,
        }
    }

    /// The key he is to stand under in free lists for such work, if he is free.
    pub(crate) fn free(&self, work: Work) -> Option<IdleSince> {
        let free = self.may_take(work) && self.bar(work).is_none() && !self.removed;
        free.then_some(self.idle)
    }

    /// The offer that he has for `call`.
    pub(crate) fn rings_for(&self, call: CallId) -> Option<&Offer> {
        match &self.leg {
            Leg::Ringing(offer) if offer.call == call => Some(offer),
            _ => self.chat_offer.as_ref().filter(|offer| offer.call == call),
        }
    }

    /// Lets a wish that waited for the end of a call take effect, if he talks no longer. Says why
    /// he is what he is then.
    pub(crate) fn after_talk(&mut self) -> &'static str {
        if self.is_talking() {
            return "his phone is in a call that no queue gave him";
        }
        if self.is_chatting() && self.is_leaving() {
            if self.intent != Intent::NotReady {
                self.obey(Asked::own(Intent::NotReady));
            }
            return "leaves when his chats are over";
        }
        let wish = self.pending.take();
        let wished = wish.is_some();
        let gone = core::mem::take(&mut self.gone) && !self.removed;
        if let Some(wish) = wish.filter(|_| !gone).or(gone.then(Asked::gone)) {
            self.obey(wish);
        }
        if self.intent == Intent::SignedOut {
            self.wrap_up = None;
        }
        match wished {
            _ if self.removed => "is no longer configured",
            _ if gone => "his device was gone during the call",
            true if self.wrap_up.is_none() => "asked for it during the call",
            _ => "the call is over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_goes_on_over_a_restart_but_never_into_the_future() {
        let wall = WallClock { at_zero: Wall(1_000_000) };
        let now = Time::from_millis(500);
        let before = IdleSince::restored(Wall(990_000), wall, now);
        assert_eq!(before.length(now), Duration::from_millis(10_500));
        let ahead = IdleSince::restored(Wall(2_000_000), wall, now);
        assert_eq!(ahead.length(now), Duration::ZERO);
        assert!(before < ahead);
    }

    #[test]
    fn every_way_to_fail_has_its_own_policy() {
        let spare = |s| Spare::For(Duration::from_secs(s));
        let unanswered = Unanswered {
            no_answer: Spare::Rest,
            busy: spare(1),
            declined: Spare::NotReady,
            unreachable: spare(3),
            not_registered: Spare::SignOut,
        };
        for (cause, policy) in [
            (Cause::NoAnswer, (Spare::Rest, false)),
            (Cause::Busy, (spare(1), false)),
            (Cause::Cancelled, (spare(1), false)),
            (Cause::Declined, (Spare::NotReady, false)),
            (Cause::Unreachable, (spare(3), true)),
            (Cause::NotRegistered, (Spare::SignOut, true)),
        ] {
            assert_eq!(Hold::policy(&unanswered, cause), policy, "{cause:?}");
        }
    }
}
