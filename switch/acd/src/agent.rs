//! One agent: what he asked for, what his legs do, and the status that follows from both.
//!
//! Invariant: [`Agent::derive`] is the only place where a status comes from.

use cordboard_model::cause::Cause;
use cordboard_model::config;
use cordboard_model::id::{CallId, QueueId};
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::view::AgentStatus;

/// How long an agent who was busy or declined is not offered another call.
pub const BUSY_PENALTY: Duration = Duration::from_secs(5);
/// How long an agent who let it ring is not offered another call, where his queue does not send
/// him to rest for it.
pub const NO_ANSWER_PENALTY: Duration = Duration::from_secs(5);
/// How long an agent whose device could not be reached is not offered another call, unless his
/// registrations change before.
pub const UNREACHABLE_PENALTY: Duration = Duration::from_secs(30);
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
    pub(crate) rest_on_no_answer: bool,
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
    /// What an offer that failed for `cause` costs.
    pub(crate) fn after(cause: Cause, now: Time) -> Self {
        let (penalty, device) = match cause {
            Cause::Busy | Cause::Declined | Cause::Cancelled | Cause::AnsweredElsewhere => {
                (BUSY_PENALTY, false)
            }
            Cause::NoAnswer => (NO_ANSWER_PENALTY, false),
            // Whatever else a device answers (408, 503, 488 ...) is no better reached by asking again.
            _ => (UNREACHABLE_PENALTY, true),
        };
        Self { until: now + penalty, cause, device }
    }
}

/// The moment an agent became idle, in nanoseconds from the start of the switch; negative when
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

    pub(crate) fn length(self, now: Time) -> Duration {
        let ns = Self::at(now).0.saturating_sub(self.0);
        Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
    }
}

/// Why an agent gets no calls although he is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    NoDevice,
    Held(Hold),
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) config: config::Agent,
    /// The queues he serves that exist, without repetition.
    pub(crate) serves: Vec<QueueId>,
    /// He is no longer configured and goes when his call ends.
    pub(crate) removed: bool,
    pub(crate) intent: Intent,
    /// What he asked for while talking; takes effect after it.
    pub(crate) pending: Option<Intent>,
    pub(crate) leg: Leg,
    pub(crate) outside: Option<CallId>,
    pub(crate) wrap_up: Option<CallId>,
    pub(crate) hold: Option<Hold>,
    pub(crate) contacts: u32,
    pub(crate) idle: IdleSince,
    /// Under which key he stands in the free lists of his queues.
    pub(crate) indexed: Option<IdleSince>,
    pub(crate) status: AgentStatus,
    pub(crate) call: Option<CallId>,
    pub(crate) since: Wall,
    pub(crate) why: String,
    pub(crate) handled: u64,
}

impl Agent {
    /// A new agent, signed out.
    pub(crate) fn new(config: config::Agent, contacts: u32, now: Time, at: Wall) -> Self {
        Self {
            config,
            serves: Vec::new(),
            removed: false,
            intent: Intent::SignedOut,
            pending: None,
            leg: Leg::None,
            outside: None,
            wrap_up: None,
            hold: None,
            contacts,
            idle: IdleSince::at(now),
            indexed: None,
            status: AgentStatus::SignedOut,
            call: None,
            since: at,
            why: "has not signed in since the start".into(),
            handled: 0,
        }
    }

    /// What he is: his leg first, then his phone, then the clock, then his wish.
    pub(crate) fn derive(&self) -> (AgentStatus, Option<CallId>) {
        match (&self.leg, self.outside, self.wrap_up) {
            (Leg::Ringing(offer), ..) => (AgentStatus::Ringing, Some(offer.call)),
            (Leg::Talking(offer), ..) => (AgentStatus::Talking, Some(offer.call)),
            _ if self.intent == Intent::SignedOut => (AgentStatus::SignedOut, None),
            (Leg::None, Some(call), _) => (AgentStatus::Talking, Some(call)),
            (Leg::None, None, Some(call)) => (AgentStatus::WrapUp, Some(call)),
            (Leg::None, None, None) => (self.intent.status(), None),
        }
    }

    /// Whether a wish has to wait for the end of a call.
    pub(crate) fn is_talking(&self) -> bool {
        self.derive().0 == AgentStatus::Talking
    }

    /// Why he gets no calls although he is ready.
    pub(crate) fn bar(&self) -> Option<Bar> {
        match self.hold {
            _ if self.contacts == 0 => Some(Bar::NoDevice),
            Some(hold) => Some(Bar::Held(hold)),
            None => None,
        }
    }

    /// The key he is to stand under in free lists, if he is free.
    pub(crate) fn free(&self) -> Option<IdleSince> {
        let free = self.derive().0 == AgentStatus::Ready && self.bar().is_none() && !self.removed;
        free.then_some(self.idle)
    }

    /// The offer that rings at him for `call`.
    pub(crate) fn rings_for(&self, call: CallId) -> Option<&Offer> {
        match &self.leg {
            Leg::Ringing(offer) if offer.call == call => Some(offer),
            _ => None,
        }
    }

    /// Lets a wish that waited for the end of a call take effect, if he talks no longer. Says why
    /// he is what he is then.
    pub(crate) fn after_talk(&mut self) -> &'static str {
        if self.is_talking() {
            return "his phone is in a call that no queue gave him";
        }
        let wish = self.pending.take();
        self.intent = wish.unwrap_or(self.intent);
        if self.intent == Intent::SignedOut {
            self.wrap_up = None;
        }
        match wish {
            _ if self.removed => "is no longer configured",
            Some(_) if self.wrap_up.is_none() => "asked for it during the call",
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
    fn every_failed_offer_costs_time() {
        let now = Time::from_millis(1);
        for cause in [
            Cause::Busy,
            Cause::Declined,
            Cause::NoAnswer,
            Cause::Unreachable,
            Cause::NotRegistered,
            Cause::Congestion,
            Cause::Normal,
            Cause::Cancelled,
        ] {
            assert!(Hold::after(cause, now).until > now, "{cause:?}");
        }
    }
}
