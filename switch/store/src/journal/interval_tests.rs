//! Stretches of agents' work in the journal.

use super::tests::{append_all, bytes_of, fold, folder, writer};
use super::*;
use cordboard_model::id::{AgentId, IdMaker, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::record::{AgentInterval, IntervalEnd};
use cordboard_model::time::{Time, Wall};
use cordboard_model::view::AgentStatus;
use std::collections::BTreeSet;

/// Four stretches of two agents, each opened and, but for the last of each, closed. Record `n` is written at `1_000 + 100 n`.
fn records() -> Vec<JournalRecord> {
    let mut ids = IdMaker::new(100, 0);
    let mut of = |agent: &str, status, from| AgentInterval {
        id: ids.interval(TenantId::DEFAULT),
        agent: AgentId::new(TenantId::DEFAULT, agent).unwrap(),
        status,
        why: "asked for it".into(),
        reason: None,
        call: None,
        work: None,
        chats: 0,
        from: Wall(from),
        to: Wall(from),
        end: IntervalEnd::Open,
    };
    let (a, b) = (of("1", AgentStatus::Ready, 1_000), of("2", AgentStatus::Rest, 1_100));
    let (c, d) = (of("1", AgentStatus::Ringing, 1_200), of("2", AgentStatus::Ready, 1_500));
    let known = |open: &AgentInterval, to| open.clone().ended(Wall(to), IntervalEnd::Known);
    let (over_a, over_b, over_c) = (known(&a, 1_200), known(&b, 1_500), known(&c, 1_700));
    let all = [a, b, over_a, c, over_b, d, over_c];
    all.into_iter().map(|interval| JournalRecord::AgentInterval(Box::new(interval))).collect()
}

/// The ids of the stretches that were begun, and of those that were ended, in the first `n` records.
fn reference(records: &[JournalRecord]) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut begun, mut over) = (BTreeSet::new(), BTreeSet::new());
    for record in records {
        if let JournalRecord::AgentInterval(interval) = record {
            match interval.end {
                IntervalEnd::Open => begun.insert(interval.id.number),
                _ => over.insert(interval.id.number),
            };
        }
    }
    (begun, over)
}

fn ids(of: &[AgentInterval]) -> BTreeSet<u64> {
    let ids: BTreeSet<u64> = of.iter().map(|interval| interval.id.number).collect();
    assert_eq!(ids.len(), of.len(), "a stretch is doubled");
    ids
}

#[test]
fn killed_at_any_byte_every_stretch_of_work_is_open_or_over_and_an_open_one_ends_with_the_last_that_is_known()
{
    let records = records();
    let bytes = bytes_of(&records);
    for cut in frame::HEADER.len()..=bytes.len() {
        let (recovered, seen) = fold(&bytes[..cut]);
        let (begun, over) = reference(&records[..seen as usize]);
        assert_eq!(ids(&recovered.intervals), over);
        assert_eq!(ids(&recovered.open_intervals), &begun - &over);
        let cut = cut_intervals(&recovered);
        assert_eq!(ids(&cut), &begun - &over);
        for interval in cut {
            assert_eq!(interval.end, IntervalEnd::Cut);
            assert_eq!(interval.to, Wall(1_000 + (seen as i64 - 1) * 100).max(interval.from));
        }
    }
}

#[test]
fn killed_again_after_the_open_ones_were_cut_none_is_cut_twice_and_none_is_forgotten_before_it_is_stored() {
    let records = records();
    let bytes = bytes_of(&records);
    let scratch = folder(&bytes);
    let (mut first, recovered) = writer(&scratch);
    let cut = cut_intervals(&recovered);
    assert_eq!(cut.len(), 1);
    for interval in &cut {
        first.append(&JournalRecord::AgentInterval(Box::new(interval.clone())), Wall(9_000)).unwrap();
    }
    first.commit(Time::ZERO).unwrap();
    drop(first);
    let (mut second, again) = writer(&scratch);
    assert!(again.open_intervals.is_empty());
    assert_eq!(again.intervals.len(), 4);
    assert!(cut.iter().all(|interval| again.intervals.contains(interval)));
    assert_eq!(second.stats().unstored, 4);
    for interval in &again.intervals[..3] {
        second.stored(Stored::Interval(interval.id));
    }
    second.compact().unwrap();
    drop(second);
    let (third, left) = writer(&scratch);
    assert_eq!(left.intervals, again.intervals[3..]);
    drop(third);
}

#[test]
fn a_compaction_carries_what_is_open() {
    let scratch = folder(b"");
    let (mut first, _) = writer(&scratch);
    append_all(&mut first, &records());
    for number in 1..=4 {
        let of = |record: &JournalRecord| match record {
            JournalRecord::AgentInterval(interval) => Some(interval.id),
            _ => None,
        };
        let id = records().iter().filter_map(of).find(|id| id.number == number).unwrap();
        first.stored(Stored::Interval(id));
    }
    first.compact().unwrap();
    drop(first);
    let (_, recovered) = writer(&scratch);
    assert_eq!(recovered.open_intervals.len(), 1);
    assert!(recovered.intervals.is_empty());
}
