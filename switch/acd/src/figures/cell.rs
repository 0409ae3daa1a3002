//! The sums that figures are made of, and the figures made of them.
//!
//! Invariant: a sum grows by steps, each with one moment in the life of a visit, an offer, a talk. A finished record takes
//! all its steps at once, a running call one after the other: both ways come to the same sums.

use super::histogram::Histogram;
use cordboard_model::cdr::{LegRecord, LegRole, QueueVisit};
use cordboard_model::figures::{Figures, Ratio};
use cordboard_model::record::OfferEnd;
use cordboard_model::view::AgentStatus;

/// The limits that a wait is judged by, where its own record names none: those from before there were accounts.
const OLD_TARGET_MS: u64 = 20_000;
const OLD_SHORT_MS: u64 = 5_000;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended<'a> {
    /// `served`, `abandoned`, `timeout` or another word.
    pub(super) outcome: &'a str,
    pub(super) wait_ms: u64,
    pub(super) target_ms: u64,
    pub(super) short_ms: u64,
}

impl<'a> Ended<'a> {
    /// What a visit's record says.
    pub(super) fn of(visit: &'a QueueVisit) -> Self {
        let limits = visit.account.as_ref().map(|account| (account.target_ms, account.short_ms));
        let (target_ms, short_ms) = limits.unwrap_or((OLD_TARGET_MS, OLD_SHORT_MS));
        Self { outcome: &visit.outcome, wait_ms: visit.wait_ms(), target_ms, short_ms }
    }
}

/// Sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    sums: Figures,
    waits: Histogram,
    abandoned_wait_ms: u64,
}

impl Sums {
    /// A call came.
    pub(super) fn call(&mut self, answered: bool) {
        self.sums.calls += 1;
        self.sums.calls_answered += u64::from(answered);
    }

    /// A call that came is answered.
    pub(super) fn call_answered(&mut self) {
        self.sums.calls_answered += 1;
    }

    /// A visit was refused.
    pub(super) fn refuse(&mut self) {
        self.sums.refused += 1;
    }

    /// A call entered.
    pub(super) fn enter(&mut self) {
        self.sums.offered += 1;
    }

    /// Its wait ended.
    pub(super) fn leave(&mut self, ended: Ended<'_>) {
        let sums = &mut self.sums;
        match ended.outcome {
            "served" => {
                sums.answered += 1;
                sums.answered_in_target += u64::from(ended.wait_ms <= ended.target_ms);
                self.waits.add(ended.wait_ms);
            }
            "abandoned" => {
                sums.abandoned += 1;
                sums.short_abandoned += u64::from(ended.wait_ms <= ended.short_ms);
                sums.abandoned_in_target += u64::from(ended.wait_ms <= ended.target_ms);
                self.abandoned_wait_ms += ended.wait_ms;
            }
            "timeout" => sums.timed_out += 1,
            _ => sums.left_otherwise += 1,
        }
    }

    /// An offer ended.
    pub(super) fn offer(&mut self, end: OfferEnd) {
        let sums = &mut self.sums;
        sums.offers += 1;
        match end {
            OfferEnd::Answered => sums.offers_answered += 1,
            OfferEnd::NoAnswer => {
                sums.non_response += 1;
                sums.non_response_with_hangups += 1;
            }
            OfferEnd::CallerGone => sums.non_response_with_hangups += 1,
            OfferEnd::Busy | OfferEnd::Declined => sums.offers_refused += 1,
            OfferEnd::Unreachable | OfferEnd::NotRegistered | OfferEnd::Failed => sums.offers_failed += 1,
            OfferEnd::Withdrawn => sums.offers_withdrawn += 1,
            OfferEnd::Elsewhere => sums.offers_elsewhere += 1,
        }
    }

    /// A talk that came of a visit is over.
    pub(super) fn handle(&mut self, talk_ms: u64, hold_ms: u64) {
        self.sums.handled += 1;
        self.sums.talk_ms += talk_ms;
        self.sums.hold_ms += hold_ms;
    }

    /// An agent wrapped up after one.
    pub(super) fn wrap_up(&mut self, ms: u64) {
        self.sums.wrap_up_ms += ms;
    }

    /// An agent was something for so long, and had so many chats.
    pub(super) fn time(&mut self, status: AgentStatus, chats: u8, ms: u64) {
        let sums = &mut self.sums;
        if chats > 0 && !matches!(status.as_str(), "signed_out" | "talking" | "hold" | "wrap_up") {
            sums.time_chatting_ms += ms;
            return;
        }
        // By the words of the API: a status that is new here is some other, and is told apart by the agent's intervals.
        *match status.as_str() {
            "signed_out" => return,
            "ready" => &mut sums.time_ready_ms,
            "ringing" => &mut sums.time_ringing_ms,
            "talking" | "hold" => &mut sums.time_talking_ms,
            "wrap_up" => &mut sums.time_wrap_up_ms,
            "not_ready" => &mut sums.time_not_ready_ms,
            "rest" => &mut sums.time_rest_ms,
            _ => &mut sums.time_other_ms,
        } += ms;
    }

    /// A leg of a trunk is over.
    pub(super) fn leg(&mut self, leg: &LegRecord) {
        let between = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        let (sums, up) = (&mut self.sums, u64::from(leg.answered.is_some()));
        match leg.role {
            LegRole::Caller => {
                sums.legs_in += 1;
                sums.legs_in_answered += up;
            }
            LegRole::Callee => {
                sums.legs_out += 1;
                sums.legs_out_answered += up;
            }
        }
        sums.legs_talk_ms += leg.answered.map_or(0, |at| between(at.0, leg.ended.0));
        sums.legs_ms += between(leg.started.0, leg.ended.0);
    }

    /// A visit's record, all steps at once. Offers and talks belong to agents too: see [`Sums::share`].
    pub(super) fn visit(&mut self, visit: &QueueVisit) {
        if visit.is_refused() {
            return self.refuse();
        }
        if visit.account.as_ref().is_none_or(|account| !account.callback) {
            self.enter();
            self.leave(Ended::of(visit));
        }
        for offer in visit.account.iter().flat_map(|account| &account.offers) {
            self.offer(offer.end);
        }
        if visit.outcome == "served" {
            let talk = visit.account.as_ref().map_or((0, 0), |account| (account.talk_ms, account.hold_ms));
            self.handle(talk.0, talk.1);
        }
    }

    /// Adds all that another one has.
    pub(super) fn merge(&mut self, other: &Self) {
        let (sums, more) = (&mut self.sums, &other.sums);
        macro_rules! add {
            ($($name:ident)*) => { $(sums.$name += more.$name;)* };
        }
        add!(calls calls_answered offered refused answered answered_in_target abandoned short_abandoned);
        add!(abandoned_in_target timed_out left_otherwise offers offers_answered non_response);
        add!(non_response_with_hangups offers_refused offers_failed offers_withdrawn offers_elsewhere);
        add!(handled talk_ms hold_ms wrap_up_ms time_ready_ms time_ringing_ms time_talking_ms time_wrap_up_ms time_not_ready_ms);
        add!(time_rest_ms time_other_ms time_chatting_ms legs_in legs_in_answered legs_out legs_out_answered legs_talk_ms legs_ms);
        self.waits.merge(&other.waits);
        self.abandoned_wait_ms += other.abandoned_wait_ms;
    }

    /// Visits of which the wait goes on.
    pub(super) fn waiting(&self) -> u64 {
        let sums = &self.sums;
        let over = sums.answered + sums.abandoned + sums.timed_out + sums.left_otherwise;
        sums.offered.saturating_sub(over)
    }

    /// The figures. Of those that still wait, `overdue` wait longer than their target: they will not be answered in it
    /// any more, of the others nobody knows yet.
    pub(super) fn figures(&self, overdue: u64) -> Figures {
        let s = &self.sums;
        let undecided = self.waiting().saturating_sub(overdue);
        let judged = s.offered.saturating_sub(s.short_abandoned).saturating_sub(undecided);
        let mean = |sum: u64, count: u64| (count > 0).then(|| (sum + count / 2) / count);
        let busy = s.time_talking_ms + s.time_chatting_ms + s.time_wrap_up_ms;
        Figures {
            service_level: Ratio::new(s.answered_in_target, judged),
            service_level_of_answered: Ratio::new(s.answered_in_target, s.answered),
            service_level_with_abandoned: Ratio::new(
                s.answered_in_target + s.abandoned_in_target,
                s.answered + s.abandoned,
            ),
            abandon_rate: Ratio::new(s.abandoned - s.short_abandoned, s.offered),
            asa_ms: self.waits.mean(),
            wait_p50_ms: self.waits.percentile(50),
            wait_p90_ms: self.waits.percentile(90),
            wait_p99_ms: self.waits.percentile(99),
            wait_max_ms: self.waits.max(),
            abandoned_wait_ms: mean(self.abandoned_wait_ms, s.abandoned),
            non_response_rate: Ratio::new(s.non_response, s.offers),
            aht_ms: mean(s.talk_ms + s.hold_ms + s.wrap_up_ms, s.handled),
            occupancy: Ratio::new(busy, busy + s.time_ready_ms),
            ..*s
        }
    }
}
