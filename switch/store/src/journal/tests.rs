//! Kills, tears, damage and compaction.

use super::frame::{Fault, HEADER};
use super::*;
use crate::scratch::Scratch;
use cordboard_model::callback::{Callback, CallbackId};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{Cdr, LegRole, RecordingEntry};
use cordboard_model::desk::WrapUp;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::{AgentId, CallId, IdMaker, LegId, Name, QueueId, RecordingId, TenantId, UserId};
use cordboard_model::journal::{ContactRecord, DialogRecord, JournalRecord};
use cordboard_model::leg::PartyId;
use cordboard_model::time::{Time, Wall};
use cordboard_model::view::AgentStatus;
use std::collections::{BTreeMap, BTreeSet};

const TENANT: TenantId = TenantId::DEFAULT;

fn dialog(user: &str) -> DialogRecord {
    DialogRecord {
        call_id: format!("call-of-{user}"),
        local: "<sip:500@switch>;tag=us".into(),
        remote: format!("\"{user} name\" <sip:{user}@10.0.0.9>;tag=them"),
        remote_target: format!("sip:{user}@10.0.0.9:5060"),
        routes: Vec::new(),
        local_cseq: 1,
        flow: "udp:10.0.0.9:5060".into(),
        contact: "<sip:switch>".into(),
    }
}

fn contact(user: &str, expires: i64) -> ContactRecord {
    ContactRecord {
        user: UserId::new(TENANT, user).unwrap(),
        uri: format!("sip:{user}@10.0.0.9"),
        flow: "udp:10.0.0.9:5060".into(),
        path: Vec::new(),
        call_id: "reg".into(),
        cseq: 1,
        q_milli: 1_000,
        user_agent: "phone".into(),
        expires: Wall(expires),
    }
}

fn cdr(call: CallId, ended: i64) -> Cdr {
    Cdr {
        call,
        from: PartyId::new("1001"),
        to: PartyId::new("500"),
        started: Wall(1_000),
        answered: None,
        bridged: None,
        ended: Wall(ended),
        cause: Cause::Normal,
        ended_by: Party::Caller,
        agent: None,
        flows: Vec::new(),
        queues: Vec::new(),
        legs: Vec::new(),
        recordings: Vec::new(),
        data: BTreeMap::new(),
        transfers: Vec::new(),
        supervisions: Vec::new(),
        wrap_ups: Vec::new(),
        joined: None,
        dialled: None,
        times: cordboard_model::cdr::CallTimes::default(),
    }
}

fn opened(call: CallId) -> JournalRecord {
    JournalRecord::CallOpened {
        call,
        from: PartyId::new("1001"),
        to: PartyId::new("500"),
        started: Wall(1_000),
    }
}

fn closed(call: CallId) -> JournalRecord {
    JournalRecord::CallClosed(Box::new(cdr(call, 9_000)))
}

fn up(call: CallId, leg: LegId, user: &str, agent: Option<&str>) -> JournalRecord {
    JournalRecord::DialogUp {
        call,
        leg,
        dialog: dialog(user),
        agent: agent.map(|name| AgentId::new(TENANT, name).unwrap()),
    }
}

fn queued(call: CallId, at: i64) -> JournalRecord {
    JournalRecord::Queued { call, queue: QueueId::new(TENANT, "sales").unwrap(), at: Wall(at), by: None }
}

/// Three calls as they overlap in life: one ends, one talks to an agent, one waits.
struct Day {
    calls: [CallId; 3],
    records: Vec<JournalRecord>,
}

fn day() -> Day {
    let mut ids = IdMaker::new(100, 0);
    let calls = [ids.call(TENANT), ids.call(TENANT), ids.call(TENANT)];
    let legs: Vec<LegId> = (0..5).map(|_| ids.leg(TENANT)).collect();
    let (rec_a, rec_b) = (ids.recording(TENANT), ids.recording(TENANT));
    let agent = |name: &str, status| JournalRecord::Agent {
        agent: AgentId::new(TENANT, name).unwrap(),
        status,
        reason: None,
        limit_ms: None,
        since: Wall(500),
    };
    let recording =
        |recording, call| JournalRecord::RecordingOpened { recording, call, started: Wall(3_000) };
    let [a, b, c] = calls;
    let records = vec![
        JournalRecord::Registered(contact("1001", 60_000)),
        JournalRecord::Registered(contact("1002", 1_000)),
        agent("1001", AgentStatus::Ready),
        agent("1002", AgentStatus::Ready),
        opened(a),
        up(a, legs[0], "0301", None),
        queued(a, 1_500),
        opened(b),
        up(b, legs[1], "0302", None),
        queued(b, 1_700),
        up(a, legs[2], "1001", Some("1001")),
        agent("1001", AgentStatus::Talking),
        recording(rec_a, a),
        up(b, legs[3], "1002", Some("1002")),
        recording(rec_b, b),
        opened(c),
        up(c, legs[4], "0303", None),
        queued(c, 2_500),
        JournalRecord::DialogDown { call: a, leg: legs[0] },
        closed(a),
        JournalRecord::DialogDown { call: a, leg: legs[2] },
        JournalRecord::RecordingClosed(RecordingEntry {
            recording: rec_a,
            call: a,
            started: Wall(3_000),
            length_ms: 4_000,
            dropped_ms: 0,
            pauses: Vec::new(),
            parties: Vec::new(),
            label: String::new(),
            deleted: None,
        }),
        agent("1001", AgentStatus::WrapUp),
        JournalRecord::Unregistered {
            user: UserId::new(TENANT, "1002").unwrap(),
            uri: "sip:1002@10.0.0.9".into(),
        },
    ];
    Day { calls, records }
}

pub(super) fn bytes_of(records: &[JournalRecord]) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    for (i, record) in records.iter().enumerate() {
        super::frame::encode(record, Wall(1_000 + i as i64 * 100), &mut bytes).unwrap();
    }
    bytes
}

pub(super) fn fold(bytes: &[u8]) -> (Recovered, u64) {
    let (mut fold, mut seen) = (Fold::default(), 0);
    let scanned = scan::scan(bytes, |_, _, at, record| {
        seen += 1;
        fold.take(at, record);
    });
    let scanned = scanned.unwrap();
    (fold.finish(scanned.damage, scanned.torn), seen)
}

/// What a plain reading of the first `n` records says: calls opened, and calls closed.
fn reference(records: &[JournalRecord]) -> (BTreeSet<CallId>, BTreeSet<CallId>) {
    let (mut open, mut over) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        match record {
            JournalRecord::CallOpened { call, .. } => drop(open.insert(*call)),
            JournalRecord::CallClosed(cdr) => {
                open.remove(&cdr.call);
                over.insert(cdr.call);
            }
            _ => {}
        }
    }
    (open, over)
}

fn calls_of(recovered: &Recovered) -> (BTreeSet<CallId>, BTreeSet<CallId>) {
    let open: BTreeSet<_> = recovered.calls.iter().map(|c| c.call).collect();
    let over: BTreeSet<_> = recovered.closed.iter().map(|c| c.call).collect();
    assert_eq!(open.len(), recovered.calls.len());
    assert_eq!(over.len(), recovered.closed.len(), "a record is doubled");
    (open, over)
}

/// Writes `bytes` as the journal of a fresh folder.
pub(super) fn folder(bytes: &[u8]) -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.path().join(FILE), bytes).unwrap();
    scratch
}

pub(super) fn writer(scratch: &Scratch) -> (Writer, Recovered) {
    let (journal, recovered) = Journal::open(scratch.path()).unwrap();
    (journal.into_writer().unwrap(), recovered)
}

pub(super) fn append_all(writer: &mut Writer, records: &[JournalRecord]) {
    for (i, record) in records.iter().enumerate() {
        writer.append(record, Wall(1_000 + i as i64 * 100)).unwrap();
    }
    writer.commit(Time::ZERO).unwrap();
}

#[test]
fn killed_at_any_byte_every_accepted_call_is_either_open_or_closed() {
    let day = day();
    let bytes = bytes_of(&day.records);
    let mut whole = 0;
    for cut in 0..=bytes.len() {
        let (recovered, seen) = fold(&bytes[..cut]);
        let seen = seen as usize;
        assert!(seen >= whole, "a longer file gave fewer records");
        whole = seen;
        assert!(recovered.damage.is_empty(), "cut at {cut}");
        assert_eq!(calls_of(&recovered), reference(&day.records[..seen]));
        let lost = lost_by_restart(&recovered, Wall(9_999));
        let lost: BTreeSet<_> = lost.iter().map(|cdr| cdr.call).collect();
        assert_eq!(lost, reference(&day.records[..seen]).0);
    }
    assert_eq!(whole, day.records.len());
}

#[test]
fn killed_again_after_the_lost_calls_were_closed_none_is_closed_twice() {
    let day = day();
    let bytes = bytes_of(&day.records);
    for cut in (0..=bytes.len()).step_by(bytes.len() / 40) {
        let scratch = folder(&bytes[..cut]);
        let (mut first, recovered) = writer(&scratch);
        let lost = lost_by_restart(&recovered, Wall(9_999));
        for cdr in &lost {
            let record = JournalRecord::CallClosed(Box::new(cdr.clone()));
            first.append(&record, Wall(9_999)).unwrap();
        }
        first.commit(Time::ZERO).unwrap();
        drop(first);
        let (second, again) = writer(&scratch);
        let (open, over) = calls_of(&again);
        assert_eq!((open, again.torn), (BTreeSet::new(), None), "cut at {cut}");
        assert!(lost_by_restart(&again, Wall(19_999)).is_empty());
        let (was_open, was_over) = calls_of(&recovered);
        assert_eq!(over, &was_open | &was_over);
        drop(second);
    }
}

#[test]
fn a_changed_byte_costs_one_record_and_is_named() {
    let day = day();
    let bytes = bytes_of(&day.records);
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x11;
        let (recovered, seen) = fold(&bad);
        let named = recovered.damage.len() + usize::from(recovered.torn.is_some());
        assert_eq!(named, 1, "byte {at}");
        let all = day.records.len() as u64;
        let expected = if at < HEADER.len() { all } else { all - 1 };
        assert_eq!(seen, expected, "byte {at}");
        let part = recovered.damage.first().or(recovered.torn.as_ref()).unwrap();
        let range = part.offset as usize..(part.offset + part.bytes) as usize;
        assert!(range.contains(&at), "byte {at} is not in {range:?}");
    }
}

#[test]
fn a_damaged_middle_is_kept_for_the_operator_and_gone_after_compaction() {
    let day = day();
    let mut bytes = bytes_of(&day.records);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let scratch = folder(&bytes);
    let (open, recovered) = writer(&scratch);
    drop(open);
    assert_eq!(recovered.damage.len(), 1);
    let kept = recovered.kept.unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), bytes);
    let (_, again) = Journal::open(scratch.path()).unwrap();
    assert_eq!((again.damage, again.torn, again.kept), (vec![], None, None));
}

#[test]
fn a_damaged_opening_record_still_leaves_the_call_interrupted() {
    let mut ids = IdMaker::new(100, 0);
    let (call, leg) = (ids.call(TENANT), ids.leg(TENANT));
    let mut bytes = bytes_of(&[opened(call), up(call, leg, "0301", None)]);
    bytes[HEADER.len() + 40] ^= 1;
    let (recovered, _) = fold(&bytes);
    assert_eq!(recovered.damage[0].fault, Fault::Checksum);
    let lost = lost_by_restart(&recovered, Wall(200_000));
    assert_eq!((lost.len(), lost[0].started), (1, Wall(100_000)));
}

#[test]
fn a_record_of_a_later_version_is_named_and_not_cut_off() {
    let day = day();
    let mut bytes = bytes_of(&day.records[..2]);
    let line = br#"{"kind":"teleported"}"#;
    let mut tail = format!("{:016x} ", 5).into_bytes();
    tail.extend_from_slice(line);
    let sum = super::crc::crc32(&tail);
    bytes.extend_from_slice(format!("{:08x} {sum:08x} ", line.len()).as_bytes());
    bytes.extend_from_slice(&tail);
    bytes.push(b'\n');
    let (recovered, seen) = fold(&bytes);
    assert_eq!((seen, recovered.torn), (2, None));
    assert_eq!(recovered.damage[0].fault, Fault::Unknown);
}

#[test]
fn a_later_format_is_refused_by_number() {
    let scratch = folder(b"cordboard-journal 2\nwhatever\n");
    let refused = Journal::open(scratch.path()).unwrap_err();
    assert!(matches!(refused, JournalError::Newer { found: 2, known: 1, .. }));
}

#[test]
fn a_second_process_is_kept_out_until_the_first_lets_go() {
    let scratch = Scratch::new();
    let (first, _) = Journal::open(scratch.path()).unwrap();
    let second = Journal::open(scratch.path());
    assert!(matches!(second, Err(JournalError::InUse { .. })));
    drop(first);
    assert!(Journal::open(scratch.path()).is_ok());
}

#[test]
fn what_was_alive_is_the_same_after_a_compaction() {
    let day = day();
    let scratch = folder(&bytes_of(&day.records));
    let (journal, before) = Journal::open(scratch.path()).unwrap();
    let old_size = journal.size;
    let open = journal.into_writer().unwrap();
    assert_eq!(open.stats().compactions, 1);
    assert!(open.stats().size < old_size);
    drop(open);
    let (journal, after) = Journal::open(scratch.path()).unwrap();
    // Of what is dead nothing is left, and so not when it was written.
    assert!(after.last <= before.last);
    assert_eq!(Recovered { last: after.last, ..before }, after);
    let open = journal.into_writer().unwrap();
    assert_eq!(open.stats().compactions, 0, "nothing was dead");
}

#[test]
fn a_closed_call_stays_in_the_journal_until_the_database_has_it() {
    let day = day();
    let [a, ..] = day.calls;
    let scratch = folder(&bytes_of(&day.records));
    let (mut open, recovered) = writer(&scratch);
    assert_eq!(recovered.closed.len(), 1);
    assert_eq!(open.stats().unstored, 2, "a call and its recording");
    open.stored(Stored::Cdr(a));
    open.stored(Stored::Recording(recovered.finished[0].recording));
    open.compact().unwrap();
    drop(open);
    let (_, after) = Journal::open(scratch.path()).unwrap();
    assert_eq!((after.closed.len(), after.finished.len()), (0, 0));
    assert_eq!(after.calls, recovered.calls);
}

#[test]
fn what_was_said_of_a_closed_call_stays_in_the_journal_until_the_database_has_it() {
    let day = day();
    let [a, b, _] = day.calls;
    let scratch = folder(&bytes_of(&day.records));
    let (mut open, _) = writer(&scratch);
    let said = |at, note: &str| WrapUp {
        agent: AgentId::new(TENANT, "1001").unwrap(),
        at: Wall(at),
        code: None,
        note: note.into(),
        by: String::new(),
    };
    let of = |call, at, note| JournalRecord::WrappedUp { call, said: said(at, note) };
    append_all(&mut open, &[of(a, 9_000, "first"), of(a, 9_001, "second"), of(b, 9_002, "while it is up")]);
    open.compact().unwrap();
    open.stored(Stored::WrapUp(a, Wall(9_000)));
    open.compact().unwrap();
    drop(open);
    let (mut open, after) = writer(&scratch);
    assert_eq!(after.wrap_ups, [(a, said(9_001, "second")), (b, said(9_002, "while it is up"))]);
    append_all(&mut open, &[closed(b)]);
    open.stored(Stored::WrapUp(a, Wall(9_001)));
    open.compact().unwrap();
    drop(open);
    let (_, after) = Journal::open(scratch.path()).unwrap();
    assert_eq!(after.wrap_ups, [], "the record of the other has it");
}

#[test]
fn who_is_to_be_called_back_is_in_the_journal_until_it_is_done() {
    let scratch = Scratch::new();
    let (journal, _) = Journal::open(scratch.path()).unwrap();
    let mut open = journal.into_writer().unwrap();
    let entry = |name: &str, attempts| Callback {
        id: CallbackId { tenant: TENANT, name: Name::new(name).unwrap() },
        number: "+4930".into(),
        since: Wall(5),
        queue: None,
        note: "after six".into(),
        attempts,
        last_attempt: None,
        last_call: None,
        taken_by: None,
        state: Default::default(),
        outcome: String::new(),
        kept: None,
        by: "key page".into(),
    };
    let put = |name, attempts| JournalRecord::Callback(Box::new(entry(name, attempts)));
    let done = JournalRecord::CallbackDone { id: entry("b", 0).id };
    append_all(&mut open, &[put("a", 0), put("b", 0), put("a", 1), done]);
    open.compact().unwrap();
    drop(open);
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    assert_eq!(recovered.callbacks, [entry("a", 1)]);
}

#[test]
fn a_compaction_that_was_killed_leaves_the_journal_whole() {
    let day = day();
    let bytes = bytes_of(&day.records);
    let scratch = folder(&bytes);
    std::fs::write(scratch.path().join(NEW_FILE), &bytes[..bytes.len() / 3]).unwrap();
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    assert_eq!(calls_of(&recovered), reference(&day.records));
    assert!(!scratch.path().join(NEW_FILE).exists());
}

#[test]
fn what_is_written_after_a_compaction_is_found() {
    let day = day();
    let scratch = folder(&bytes_of(&day.records));
    let (mut open, _) = writer(&scratch);
    let [_, b, c] = day.calls;
    append_all(&mut open, &[closed(b)]);
    open.compact().unwrap();
    append_all(&mut open, &[closed(c)]);
    drop(open);
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    assert_eq!(calls_of(&recovered), (BTreeSet::new(), day.calls.into()));
}

#[test]
fn the_file_is_compacted_when_it_has_grown_over_its_limit_and_not_at_every_turn() {
    let scratch = Scratch::new();
    let options = JournalOptions { compact_at: 4_096, ..JournalOptions::default() };
    let (journal, _) = Journal::open_with(scratch.path(), options).unwrap();
    let mut open = journal.into_writer().unwrap();
    for i in 0..200 {
        append_all(&mut open, &[JournalRecord::Registered(contact("1001", i))]);
        open.compact_if_due().unwrap();
    }
    let stats = open.stats();
    assert!(stats.size < 4_096 + 512, "{stats:?}");
    assert!((3..30).contains(&stats.compactions), "{stats:?}");
}

#[test]
fn a_full_disk_is_named_and_the_batch_is_written_once_there_is_room() {
    let day = day();
    let scratch = Scratch::new();
    let (mut open, _) = writer(&scratch);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let file = open.swap_file(full);
    for record in &day.records {
        open.append(record, Wall(1)).unwrap();
    }
    let refused = open.commit(Time::ZERO).unwrap_err();
    assert!(matches!(refused, JournalError::DiskFull { .. }), "{refused}");
    assert!(open.has_batch());
    open.swap_file(file);
    open.commit(Time::ZERO).unwrap();
    drop(open);
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    assert_eq!(calls_of(&recovered), reference(&day.records));
}

#[test]
fn a_batch_is_one_commit_and_is_synced_when_its_interval_ends() {
    let day = day();
    let scratch = Scratch::new();
    let (mut open, _) = writer(&scratch);
    assert_eq!(open.next_sync(), None);
    append_all(&mut open, &day.records);
    assert_eq!(open.stats().commits, 1);
    assert_eq!(open.next_sync(), Some(Time::from_millis(20)));
    open.append(&day.records[0], Wall(1)).unwrap();
    open.commit(Time::from_millis(19)).unwrap();
    assert!(!open.sync_if_due(Time::from_millis(19)).unwrap());
    assert!(open.sync_if_due(Time::from_millis(20)).unwrap());
    assert_eq!((open.next_sync(), open.stats().syncs), (None, 1));
}

#[test]
fn a_record_that_is_too_long_is_refused_and_the_batch_stays_good() {
    let day = day();
    let scratch = Scratch::new();
    let (mut open, _) = writer(&scratch);
    let mut long = cdr(day.calls[0], 1);
    long.data.insert("k".into(), "x".repeat(5 << 20).into());
    append_all(&mut open, &day.records[..5]);
    let refused = open.append(&JournalRecord::CallClosed(Box::new(long)), Wall(1));
    assert!(matches!(refused, Err(JournalError::RecordTooLong { .. })));
    append_all(&mut open, &day.records[5..]);
    drop(open);
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    assert_eq!(calls_of(&recovered), reference(&day.records));
}

#[test]
fn a_kill_between_the_closing_record_and_the_bye_still_gets_its_bye() {
    let mut ids = IdMaker::new(100, 0);
    let (call, leg, other) = (ids.call(TENANT), ids.leg(TENANT), ids.leg(TENANT));
    let down = JournalRecord::DialogDown { call, leg: other };
    let records =
        [opened(call), up(call, leg, "0301", None), up(call, other, "1001", None), down, closed(call)];
    let scratch = folder(&bytes_of(&records));
    for _ in 0..2 {
        let (mut open, recovered) = writer(&scratch);
        let legs: Vec<_> = recovered.dialogs().map(|(_, leg, _)| leg).collect();
        assert_eq!(legs, [leg], "before and after the compaction");
        assert!(recovered.calls.is_empty());
        open.compact().unwrap();
    }
    // 64*T1 after the closing any BYE has been answered or given up.
    let (mut open, _) = writer(&scratch);
    let later = JournalRecord::Registered(contact("1001", 1));
    open.append(&later, Wall(1_400 + 32_000)).unwrap();
    open.commit(Time::ZERO).unwrap();
    drop(open);
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    assert_eq!(recovered.dialogs().count(), 0);
}

#[test]
fn a_dialog_confirmed_before_its_call_was_accepted_needs_a_bye_but_no_record() {
    let mut ids = IdMaker::new(100, 0);
    let (call, leg) = (ids.call(TENANT), ids.leg(TENANT));
    let (recovered, _) = fold(&bytes_of(&[up(call, leg, "1001", None)]));
    assert_eq!(recovered.dialogs().count(), 1);
    assert!(lost_by_restart(&recovered, Wall(1)).is_empty());
    let (recovered, _) = fold(&bytes_of(&[up(call, leg, "1001", None), opened(call)]));
    assert_eq!(recovered.calls[0].legs.len(), 1, "it is the call's once accepted");
}

#[test]
fn the_first_closing_record_of_a_call_stands() {
    let call = IdMaker::new(100, 0).call(TENANT);
    let second = JournalRecord::CallClosed(Box::new(cdr(call, 77)));
    let (recovered, _) = fold(&bytes_of(&[opened(call), closed(call), second, opened(call)]));
    assert_eq!((recovered.closed.len(), recovered.calls.len()), (1, 0));
    assert_eq!((recovered.closed[0].ended, recovered.strays), (Wall(9_000), 2));
}

#[test]
fn the_record_of_a_lost_call_says_what_the_journal_knows() {
    let day = day();
    let [_, b, c] = day.calls;
    let (recovered, _) = fold(&bytes_of(&day.records));
    let lost = lost_by_restart(&recovered, Wall(50_000));
    let of = |call| lost.iter().find(|cdr| cdr.call == call).unwrap();
    let talked = of(b);
    assert_eq!((talked.cause, talked.ended), (Cause::LostByRestart, Wall(50_000)));
    assert_eq!(talked.agent.as_ref().unwrap().name.as_str(), "1002");
    assert_eq!((talked.answered, talked.bridged), (Some(Wall(1_800)), Some(Wall(2_300))));
    let roles: Vec<_> = talked.legs.iter().map(|leg| leg.role).collect();
    assert_eq!(roles, [LegRole::Caller, LegRole::Callee]);
    assert_eq!(talked.legs[1].party.user, "1002");
    assert_eq!((talked.queues[0].outcome.as_str(), talked.queues[0].left), ("served", Wall(2_300)));
    let recordings: Vec<RecordingId> = recovered.recordings.iter().map(|r| r.recording).collect();
    assert_eq!(talked.recordings, recordings);
    let waited = of(c);
    assert_eq!((waited.bridged, waited.agent.clone()), (None, None));
    assert_eq!(waited.queues[0].outcome, "lost_by_restart");
    assert_eq!(recovered.waiting()[0].0.call, c);
    assert_eq!(recovered.waiting().len(), 1);
}

#[test]
fn contacts_and_agents_are_as_they_were() {
    let (mut recovered, _) = fold(&bytes_of(&day().records));
    let states: Vec<_> = recovered.agents.iter().map(|a| a.status).collect();
    assert_eq!(states, [AgentStatus::WrapUp, AgentStatus::Ready]);
    assert_eq!(recovered.contacts, [contact("1001", 60_000)]);
    let ended = recovered.drop_expired(Wall(60_000));
    assert_eq!((ended.len(), recovered.contacts.len()), (1, 0));
}

#[test]
fn counts_and_changed_rows_survive_a_compaction_and_what_is_over_does_not() {
    let scratch = Scratch::new();
    let (journal, _) = Journal::open(scratch.path()).unwrap();
    let mut open = journal.into_writer().unwrap();
    let tenant = TenantId::DEFAULT;
    let counted = |name: &str, value, ends| JournalRecord::Counted {
        tenant,
        name: name.into(),
        value,
        ends: Wall(ends),
    };
    let row = |key: &str, name: Option<&str>, hides| JournalRecord::TableRow {
        tenant,
        table: Name::new("vip").unwrap(),
        key: key.into(),
        cells: name.map(|name| [("name".to_owned(), name.to_owned())].into()),
        hides,
    };
    let records = [
        counted("pin", 1, 5_000),
        counted("pin", 2, 5_000),
        counted("over", 1, 2_000),
        row("1", Some("Ada"), false),
        row("1", Some("Bob"), false),
        row("2", Some("Eve"), false),
        row("2", None, false),
        row("3", None, true),
    ];
    for record in &records {
        open.append(record, Wall(1_000)).unwrap();
    }
    for (caller, agent, at, ends) in
        [("+4930", "1001", 1_000, 5_000), ("+4930", "1002", 1_100, 5_100), ("+4940", "1001", 900, 2_000)]
    {
        let agent = AgentId::new(tenant, agent).unwrap();
        let talked = JournalRecord::Talked { agent, caller: caller.into(), at: Wall(at), ends: Wall(ends) };
        open.append(&talked, Wall(1_000)).unwrap();
    }
    let mut ids = IdMaker::new(1, 0);
    let calls = [ids.call(tenant), ids.call(tenant), ids.call(tenant)];
    for (call, token, ends) in [(calls[0], "b", 5_000), (calls[1], "a", 5_100), (calls[2], "old", 2_000)] {
        let asked = JournalRecord::CallAsked { call, token: token.into(), ends: Wall(ends) };
        open.append(&asked, Wall(1_000)).unwrap();
    }
    open.append(&counted("late", 7, 9_000), Wall(3_000)).unwrap();
    open.commit(Time::ZERO).unwrap();
    open.compact().unwrap();
    drop(open);
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    let counts: Vec<_> = recovered.counters.iter().map(|c| (c.name.as_str(), c.value, c.ends.0)).collect();
    assert_eq!(counts, [("late", 7, 9_000), ("pin", 2, 5_000)]);
    let talks: Vec<_> =
        recovered.talks.iter().map(|t| (t.caller.as_str(), t.agent.name.as_str(), t.at.0)).collect();
    assert_eq!(talks, [("+4930", "1002", 1_100)]);
    let asked: Vec<_> = recovered.asked.iter().map(|asked| (asked.call, asked.token.as_str())).collect();
    assert_eq!(asked, [(calls[0], "b"), (calls[1], "a")], "oldest first");
    let rows: Vec<_> = recovered
        .rows
        .iter()
        .map(|row| (row.key.as_str(), row.cells.as_ref().map(|cells| cells["name"].as_str())))
        .collect();
    assert_eq!(rows, [("1", Some("Bob")), ("3", None)]);
}

#[test]
fn who_asked_for_a_break_in_a_call_that_was_cut_has_it_and_no_wish_outlives_its_call() {
    let id = |name: &str| AgentId::new(TENANT, name).unwrap();
    let is = |name: &str, status| JournalRecord::Agent {
        agent: id(name),
        status,
        reason: None,
        limit_ms: None,
        since: Wall(500),
    };
    let wish = |name: &str, wish| JournalRecord::AgentWish { agent: id(name), wish };
    let records = [
        // on a break, and called out all the same; the ring and the talk are one call
        is("1001", AgentStatus::Ringing),
        wish("1001", AgentStatus::Rest),
        is("1001", AgentStatus::Talking),
        // asked for a break, and thought better of it
        is("1002", AgentStatus::Talking),
        wish("1002", AgentStatus::Rest),
        wish("1002", AgentStatus::Ready),
        // has had his break, and talks again
        is("1003", AgentStatus::Talking),
        wish("1003", AgentStatus::SignedOut),
        is("1003", AgentStatus::SignedOut),
        is("1003", AgentStatus::Talking),
    ];
    let scratch = folder(HEADER);
    let (mut open, _) = writer(&scratch);
    append_all(&mut open, &records);
    for _ in 0..2 {
        drop(open);
        let (reopened, recovered) = writer(&scratch);
        let agents = recovered.agents.iter().map(|a| (a.agent.name.as_str(), a.status, a.since.0));
        let expected = [
            ("1001", AgentStatus::Rest, 1_900),
            ("1002", AgentStatus::Ready, 1_900),
            ("1003", AgentStatus::Talking, 500),
        ];
        assert_eq!(agents.collect::<Vec<_>>(), expected);
        open = reopened;
        open.compact().unwrap();
    }
}

/// Each queue that a call entered was a line that compactions carried over for as long as it was up.
#[test]
fn of_a_call_that_enters_queues_without_end_the_last_are_in_the_journal() {
    let call = IdMaker::new(1, 0).call(TENANT);
    let records: Vec<_> = [opened(call)].into_iter().chain((0..1_000).map(|n| queued(call, n))).collect();
    let entered = |recovered: &Recovered| -> Vec<i64> {
        recovered.calls[0].queues.iter().map(|entry| entry.at.0).collect()
    };
    let last: Vec<i64> = (936..1_000).collect();
    assert_eq!(entered(&fold(&bytes_of(&records)).0), last);
    let scratch = Scratch::new();
    let (mut open, _) = writer(&scratch);
    append_all(&mut open, &records);
    open.compact().unwrap();
    drop(open);
    let (journal, after) = Journal::open(scratch.path()).unwrap();
    assert_eq!(entered(&after), last);
    assert!(journal.size < bytes_of(&records).len() as u64 / 10, "{} bytes", journal.size);
}

/// An agent's page that said the same of a call a million times.
#[test]
fn of_what_an_agent_says_of_a_call_that_is_up_the_last_is_in_the_journal() {
    let call = IdMaker::new(1, 0).call(TENANT);
    let said = |name: &str, at| WrapUp {
        agent: AgentId::new(TENANT, name).unwrap(),
        at: Wall(at),
        code: None,
        note: format!("for the {at}th time"),
        by: String::new(),
    };
    let of = |name: &str, at| JournalRecord::WrappedUp { call, said: said(name, at) };
    let mut records = vec![opened(call), of("1002", 0)];
    records.extend((1..1_000).map(|at| of("1001", at)));
    let scratch = Scratch::new();
    let (mut open, _) = writer(&scratch);
    append_all(&mut open, &records);
    open.compact().unwrap();
    drop(open);
    let (mut open, after) = writer(&scratch);
    assert_eq!(after.wrap_ups, [(call, said("1002", 0)), (call, said("1001", 999))]);
    append_all(&mut open, &[closed(call)]);
    open.compact().unwrap();
    drop(open);
    let (_, after) = Journal::open(scratch.path()).unwrap();
    assert_eq!(after.wrap_ups, [], "the record has it");
}

#[test]
fn what_an_agent_chose_to_be_rung_at_is_kept_until_he_wants_the_usual_again() {
    let id = |name: &str| AgentId::new(TENANT, name).unwrap();
    let number = || AgentDevice::Number("+8613812345678".into());
    let chose = |name: &str, device| JournalRecord::AgentDevice { agent: id(name), device };
    let account = AgentDevice::Account(UserId::new(TENANT, "1005").unwrap());
    let records = [
        chose("1001", Some(account)),
        chose("1001", Some(number())),
        chose("1002", Some(number())),
        chose("1002", None),
    ];
    let scratch = folder(HEADER);
    let (mut open, _) = writer(&scratch);
    append_all(&mut open, &records);
    for _ in 0..2 {
        drop(open);
        let (reopened, recovered) = writer(&scratch);
        assert_eq!(recovered.devices, [(id("1001"), number())]);
        open = reopened;
        open.compact().unwrap();
    }
}
