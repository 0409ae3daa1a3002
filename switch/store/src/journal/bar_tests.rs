//! Who is kept off the SIP port by somebody.

use super::*;
use crate::scratch::Scratch;
use cordboard_model::guard::Bar;
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::{Time, Wall};

fn bar(source: &str, why: &str, until: i64) -> Bar {
    Bar { source: source.parse().unwrap(), why: why.into(), by: "key ops".into(), until: Wall(until) }
}

#[test]
fn who_is_kept_off_is_so_after_a_compaction_until_it_ends_or_is_taken_back() {
    let scratch = Scratch::new();
    let (journal, _) = Journal::open(scratch.path()).unwrap();
    let mut open = journal.into_writer().unwrap();
    let taken_back = bar("192.0.2.8", "taken back", 5_000);
    for bar in [
        bar("192.0.2.0/24", "first", 5_000),
        bar("192.0.2.0/24", "again", 6_000),
        bar("192.0.2.7", "over", 2_000),
        taken_back.clone(),
    ] {
        open.append(&JournalRecord::Barred(Box::new(bar)), Wall(1_000)).unwrap();
    }
    open.append(&JournalRecord::Unbarred { source: taken_back.source }, Wall(1_000)).unwrap();
    open.append(&JournalRecord::Barred(Box::new(bar("10.0.0.0/8", "late", 9_000))), Wall(3_000)).unwrap();
    open.commit(Time::ZERO).unwrap();
    drop(open);
    let (journal, whole) = Journal::open(scratch.path()).unwrap();
    assert_eq!(whole.bars.len(), 3, "what has ended is for the reader to leave out");
    let mut open = journal.into_writer().unwrap();
    open.compact().unwrap();
    drop(open);
    let (_, recovered) = Journal::open(scratch.path()).unwrap();
    assert_eq!(recovered.bars, [bar("10.0.0.0/8", "late", 9_000), bar("192.0.2.0/24", "again", 6_000)]);
}
