//! What must hold of every world in the end.

use super::floor::Floor;
use super::probe::Probes;
use crate::phone::{CallLog, End};
use crate::world::{WALL_AT_ZERO, World};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{Cdr, LegRole};
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, RecordingId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_model::view::AgentStatus;
use std::collections::{BTreeMap, BTreeSet};

/// Adds what does not hold to `faults`.
pub(super) fn check(world: &World, floor: &Floor, probes: &Probes, faults: &mut Vec<String>) {
    agents(world, faults);
    records(world, faults);
    journal(world, faults);
    events(world, faults);
    for cdr in world.cdrs() {
        if probes.heard.contains(&cdr.call) && cdr.bridged.is_none() {
            faults.push(format!("{}: they talked, and the record says they did not", cdr.call));
        }
    }
    let (tags, by_call) = (tags(world), by_call(world));
    for name in floor.phones.iter().filter(|_| !floor.rough) {
        let Some(phone) = world.phone(name) else { continue };
        for log in phone.log() {
            if log.outgoing {
                caller(floor, name, &log, tags.get(log.display.as_str()).copied(), faults);
            } else if let Some(cdr) = world.call_of(&log.call_id).and_then(|call| by_call.get(&call)) {
                callee(floor, name, &phone.config().user, &log, cdr, faults);
            }
        }
    }
    let forced = world.alarms().iter().filter(|code| *code == "call_teardown").count();
    if floor.kind && forced > 0 {
        faults.push(format!("{forced} calls were forgotten by force"));
    }
    for code in world.alarms() {
        if !floor.rough && code == "journal_late" && floor.kind {
            faults.push("the journal was late in a kind world".into());
        }
        if matches!(code.as_str(), "panic" | "call_aborted" | "flows_refused") {
            faults.push(format!("alarm {code}"));
        }
    }
}

fn agents(world: &World, faults: &mut Vec<String>) {
    for agent in world.shard().agents(TenantId::DEFAULT) {
        let rests = matches!(
            agent.status,
            AgentStatus::Ready | AgentStatus::NotReady | AgentStatus::Rest | AgentStatus::SignedOut
        );
        if !rests || agent.call.is_some() {
            faults.push(format!("agent {} is {:?} for ever: {}", agent.agent, agent.status, agent.why));
        }
    }
    for queue in world.shard().queues(TenantId::DEFAULT) {
        if !queue.waiting.is_empty() {
            faults.push(format!("queue {} has {} waiting", queue.queue, queue.waiting.len()));
        }
    }
}

/// One record for each call that was taken, and each makes sense by itself.
fn records(world: &World, faults: &mut Vec<String>) {
    let mut seen: BTreeMap<CallId, usize> = BTreeMap::new();
    for cdr in world.cdrs() {
        *seen.entry(cdr.call).or_insert(0) += 1;
        let order = [Some(cdr.started), cdr.answered, cdr.bridged, Some(cdr.ended)];
        let order: Vec<_> = order.into_iter().flatten().collect();
        if !order.is_sorted() {
            faults.push(format!("{}: times of the record out of order: {order:?}", cdr.call));
        }
        for leg in &cdr.legs {
            if leg.ended < leg.started || leg.answered.is_some_and(|at| at > leg.ended) {
                faults.push(format!("{}: times of leg {} out of order", cdr.call, leg.leg));
            }
        }
        for visit in &cdr.queues {
            if visit.outcome.is_empty() || visit.left < visit.entered {
                faults.push(format!("{}: a wait without an end: {visit:?}", cdr.call));
            }
        }
        if cdr.bridged.is_some() && cdr.answered.is_none() {
            faults.push(format!("{}: joined and not answered", cdr.call));
        }
    }
    for call in world.opened() {
        match seen.remove(call) {
            None if world.lost().contains(call) => {}
            Some(1) => {}
            Some(n) => faults.push(format!("{call}: {n} records")),
            None => faults.push(format!("{call}: no record")),
        }
    }
    for call in seen.keys() {
        faults.push(format!("{call}: a record, and it was never taken"));
    }
}

/// What was opened in the journal is closed in it.
fn journal(world: &World, faults: &mut Vec<String>) {
    let mut dialogs: BTreeSet<LegId> = BTreeSet::new();
    let mut recordings: BTreeSet<RecordingId> = BTreeSet::new();
    for record in world.journal() {
        match record {
            JournalRecord::DialogUp { leg, .. } => drop(dialogs.insert(*leg)),
            JournalRecord::DialogDown { leg, .. } => drop(dialogs.remove(leg)),
            JournalRecord::RecordingOpened { recording, .. } => drop(recordings.insert(*recording)),
            JournalRecord::RecordingClosed(entry) => drop(recordings.remove(&entry.recording)),
            _ => {}
        }
    }
    for leg in dialogs {
        faults.push(format!("leg {leg}: its dialog is up for ever in the journal"));
    }
    for recording in recordings {
        faults.push(format!("recording {recording}: open for ever in the journal"));
    }
}

/// Numbered without gaps; what begins ends.
fn events(world: &World, faults: &mut Vec<String>) {
    let mut calls: BTreeSet<CallId> = BTreeSet::new();
    let mut waits: BTreeMap<CallId, i32> = BTreeMap::new();
    let mut recordings: BTreeSet<RecordingId> = BTreeSet::new();
    for (n, event) in world.events().iter().enumerate() {
        if event.seq != n as u64 + 1 {
            faults.push(format!("event {} is numbered {}", n + 1, event.seq));
            return;
        }
        match &event.what {
            EventKind::CallStarted { call, .. } => drop(calls.insert(*call)),
            EventKind::CallEnded { call, .. } => drop(calls.remove(call)),
            EventKind::QueueEntered { call, .. } => *waits.entry(*call).or_insert(0) += 1,
            EventKind::QueueLeft { call, .. } => *waits.entry(*call).or_insert(0) -= 1,
            EventKind::RecordingStarted { recording, .. } => drop(recordings.insert(*recording)),
            EventKind::RecordingReady { recording, .. } => drop(recordings.remove(recording)),
            _ => {}
        }
    }
    faults.extend(calls.iter().map(|call| format!("{call}: no event of its end")));
    faults.extend(recordings.iter().map(|r| format!("recording {r}: never told to be ready")));
    let open = waits.iter().filter(|(_, open)| **open != 0);
    faults.extend(open.map(|(call, open)| format!("{call}: {open} waits without an end")));
}

/// Records by the name that the caller gave the call.
fn tags(world: &World) -> BTreeMap<&str, &Cdr> {
    world.cdrs().iter().map(|cdr| (cdr.to.display.as_str(), cdr)).collect()
}

fn by_call(world: &World) -> BTreeMap<CallId, &Cdr> {
    world.cdrs().iter().map(|cdr| (cdr.call, cdr)).collect()
}

/// The caller's phone and the record agree.
fn caller(floor: &Floor, name: &str, log: &CallLog, cdr: Option<&Cdr>, faults: &mut Vec<String>) {
    let Some(cdr) = cdr else {
        if log.answered.is_some() {
            faults.push(format!("{name}: {} was answered and has no record", log.display));
        }
        return;
    };
    // Without an offer a call is up when the ACK has brought the answer, and that one may come after the BYE.
    let excused = floor.no_offer.contains(name);
    if log.answered.is_some() && cdr.answered.is_none() && !excused {
        faults.push(format!("{}: {name} was answered, the record says no", cdr.call));
    }
    let Some((_, end)) = log.ended else { return };
    if !floor.hurt.contains(name) {
        // Lost messages are sent again, so a phone that is well sees every answer there is.
        if cdr.answered.is_some() && log.answered.is_none() && end != End::Cancelled {
            faults.push(format!("{}: answered, and {name} never saw it: {end:?}", cdr.call));
        }
        let accused = cdr.cause == Cause::ProtocolError && cdr.ended_by == Party::Caller;
        if end == End::Lost || accused {
            faults.push(format!("{}: {name} did nothing wrong: {end:?}, {:?}", cdr.call, cdr.cause));
        }
    }
    if let (End::Refused(code), None) = (end, log.answered) {
        let recorded = cdr.legs.first().and_then(|leg| leg.sip_status);
        if recorded != Some(code) && code != 408 {
            faults.push(format!("{}: {name} got {code}, the record says {recorded:?}", cdr.call));
        }
    }
    if floor.kind
        && let (Some(seen), Some(recorded)) = (log.answered, cdr.answered)
        && apart(seen, recorded) > Duration::from_millis(500)
    {
        faults.push(format!("{}: {name} was answered at {seen:?}, the record says {recorded:?}", cdr.call));
    }
    // one who called may have come in by a transfer, and another one ended it
    let alone = cdr.transfers.is_empty() && cdr.supervisions.is_empty();
    if floor.kind && alone && log.answered.is_some() && end == End::There && cdr.ended_by == Party::Caller {
        faults.push(format!("{}: {name} was hung up on, the record says by {:?}", cdr.call, cdr.ended_by));
    }
}

/// How far a phone's time and a record's are apart.
fn apart(seen: Time, recorded: Wall) -> Duration {
    let at = recorded.0 - WALL_AT_ZERO.0;
    Duration::from_millis((seen.as_millis() as i64).abs_diff(at))
}

/// The called phone and the record agree, where the talk was long enough not to be a race.
fn callee(floor: &Floor, name: &str, user: &str, log: &CallLog, cdr: &Cdr, faults: &mut Vec<String>) {
    if !floor.hurt.contains(name) && log.ended.is_some_and(|(_, end)| end == End::Lost) {
        faults.push(format!("{}: {name} answered and got no ACK, or hung up and got no answer", cdr.call));
    }
    let (Some(answered), Some((ended, _))) = (log.answered, log.ended) else { return };
    let trunk = name == "carrier";
    let known = cdr.legs.iter().any(|leg| {
        leg.role == LegRole::Callee && leg.answered.is_some() && (trunk || leg.party.user == user)
    });
    if floor.kind && ended.since(answered) > Duration::from_secs(2) && !known {
        faults.push(format!("{}: {name} talked, the record has no such leg", cdr.call));
    }
}
