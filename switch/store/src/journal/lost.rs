//! The call records of interrupted calls, made from what the journal holds.

use super::fold::{OpenCall, OpenLeg, Recovered};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{CallTimes, Cdr, LegRecord, LegRole, QueueVisit};
use cordboard_model::leg::PartyId;
use cordboard_model::media::LegStats;
use cordboard_model::record::{AgentInterval, IntervalEnd};
use cordboard_model::time::Wall;
use std::collections::BTreeMap;

/// One record for each interrupted call, with the cause "lost by restart". `now` is the time of the
/// start: that is when the dialogs are ended.
///
/// The caller appends each as `CallClosed` and commits before it does anything else; a later start
/// then finds the call closed, so that there is one record however often the switch is killed.
///
/// What the journal does not hold stays empty: flows, call data, media figures. A leg's `started` is
/// the moment its dialog was confirmed, except for the caller's, which is the call's.
pub fn lost_by_restart(recovered: &Recovered, now: Wall) -> Vec<Cdr> {
    let lost = |call| lost_call(recovered, call, now);
    recovered.calls.iter().map(lost).collect()
}

/// The stretches of agents' work that the restart cut: each ends with the last moment of which the journal knows, and
/// says so. The caller appends and commits them as the records of [`lost_by_restart`].
pub fn cut_intervals(recovered: &Recovered) -> Vec<AgentInterval> {
    let cut = |open: &AgentInterval| {
        let last = recovered.last.unwrap_or(open.from);
        open.clone().ended(last, IntervalEnd::Cut)
    };
    recovered.open_intervals.iter().map(cut).collect()
}

fn lost_call(recovered: &Recovered, call: &OpenCall, now: Wall) -> Cdr {
    // Legs are numbered in the order they are made, and the caller's is made first.
    let first = call.legs.iter().min_by_key(|leg| leg.leg.number);
    let caller = first.filter(|leg| leg.agent.is_none()).map(|leg| leg.leg);
    let is_caller = |leg: &OpenLeg| Some(leg.leg) == caller;
    let answered = call.legs.iter().find(|l| is_caller(l)).map(|leg| leg.up);
    let callee = call.legs.iter().filter(|leg| !is_caller(leg)).map(|l| l.up);
    let bridged = match (answered, callee.min()) {
        (Some(a), Some(b)) => Some(a.max(b)),
        _ => None,
    };
    let mut legs: Vec<LegRecord> =
        call.legs.iter().map(|leg| leg_record(call, leg, is_caller(leg), now)).collect();
    legs.sort_by_key(|leg| leg.leg);
    let open = recovered.recordings.iter();
    let open = open.filter(|r| r.call == call.call).map(|r| r.recording);
    let done = recovered.finished.iter();
    let done = done.filter(|r| r.call == call.call).map(|r| r.recording);
    let mut recordings: Vec<_> = done.chain(open).collect();
    recordings.sort();
    Cdr {
        call: call.call,
        from: call.from.clone(),
        to: call.to.clone(),
        started: call.started,
        answered,
        bridged,
        ended: now,
        cause: Cause::LostByRestart,
        ended_by: Party::Switch,
        agent: call.agent().cloned(),
        flows: Vec::new(),
        queues: visits(call, now),
        legs,
        recordings,
        data: BTreeMap::new(),
        transfers: Vec::new(),
        supervisions: Vec::new(),
        wrap_ups: Vec::new(),
        joined: None,
        dialled: None,
        times: CallTimes::default(),
    }
}

fn leg_record(call: &OpenCall, leg: &OpenLeg, caller: bool, now: Wall) -> LegRecord {
    let (role, party, started) = if caller {
        (LegRole::Caller, call.from.clone(), call.started)
    } else {
        (LegRole::Callee, party_of(&leg.dialog.remote), leg.up)
    };
    let cause = match leg.down {
        Some(_) => Cause::Normal,
        None => Cause::LostByRestart,
    };
    LegRecord {
        presented: None,
        trunk: None,
        video: None,
        leg: leg.leg,
        role,
        party,
        agent: leg.agent.clone(),
        started,
        rang: None,
        picked_up: None,
        answered: Some(leg.up),
        ended: leg.down.unwrap_or(now),
        cause,
        sip_status: None,
        stats: LegStats::default(),
        verdict: None,
        findings: Vec::new(),
    }
}

/// The waits: each ends when an agent answered, when the next one began, or with the switch.
fn visits(call: &OpenCall, now: Wall) -> Vec<QueueVisit> {
    let mut visits = Vec::with_capacity(call.queues.len());
    for (i, entry) in call.queues.iter().enumerate() {
        let until = call.queues.get(i + 1).map(|next| next.at);
        let within = |leg: &&OpenLeg| {
            leg.agent.is_some() && leg.up >= entry.at && until.is_none_or(|until| leg.up <= until)
        };
        let served = call.legs.iter().find(within);
        let (left, outcome) = match (served, until) {
            (Some(leg), _) => (leg.up, "served"),
            (None, Some(until)) => (until, "left"),
            (None, None) => (now, Cause::LostByRestart.as_str()),
        };
        visits.push(QueueVisit {
            queue: entry.queue.clone(),
            entered: entry.at,
            left,
            agent: served.and_then(|leg| leg.agent.clone()),
            outcome: outcome.into(),
            consulted_by: entry.by.clone(),
            account: None,
        });
    }
    visits
}

/// User and display name of a From or To value (RFC 3261 20.10), as far as they can be read.
fn party_of(value: &str) -> PartyId {
    let (display, uri) = match value.split_once('<') {
        Some((display, rest)) => (display, rest.split('>').next().unwrap_or_default()),
        None => ("", value.split(';').next().unwrap_or_default()),
    };
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let user = match rest.split_once('@') {
        Some((user, _)) => user,
        None if uri.starts_with("tel:") => rest,
        None => "",
    };
    let user = user.split([':', ';']).next().unwrap_or_default();
    PartyId { user: user.into(), display: display.trim().trim_matches('"').into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_party_is_read_from_every_form_of_a_from_value() {
        let party = |value| {
            let p = party_of(value);
            (p.user, p.display)
        };
        let is = |user: &str, display: &str| (user.to_owned(), display.to_owned());
        assert_eq!(party("\"Ann Lee\" <sip:1001@10.0.0.1:5060;ob>;tag=a"), is("1001", "Ann Lee"));
        assert_eq!(party("<sip:1002@example.org>"), is("1002", ""));
        assert_eq!(party("sip:1003@example.org;tag=7"), is("1003", ""));
        assert_eq!(party("<tel:+4930123;phone-context=x>"), is("+4930123", ""));
        assert_eq!(party("<sip:gateway.example.org>;tag=1"), is("", ""));
        assert_eq!(party(""), is("", ""));
    }
}
