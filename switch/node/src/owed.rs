//! The shard's end of the lane to the journal, with what the lane had no room for.
//!
//! Invariant: the journal gets what was put here in the order in which it was put, and a closing record is the last to
//! be given up. The lane has room for every call that may be up; what fills it all the same is a disk that stalls
//! while registrations and new calls go on.

use crate::journal::JournalOrder;
use cordboard_lane::Sender;
use cordboard_model::journal::JournalRecord;
use cordboard_model::record::IntervalEnd;
use std::collections::VecDeque;

/// Records kept behind a full lane; some 20 MB.
const OWED: usize = 65_536;

/// See the module.
#[derive(Debug)]
pub struct Owed {
    lane: Sender<JournalOrder>,
    waiting: VecDeque<JournalOrder>,
    most: usize,
    records: u64,
}

impl Owed {
    /// Before `lane`.
    pub fn new(lane: Sender<JournalOrder>) -> Self {
        Self { lane, waiting: VecDeque::new(), most: OWED, records: 0 }
    }

    /// Gives a record to the journal, or keeps it until there is room; [`Owed::flush`] must follow. What cannot be kept comes back.
    pub fn put(&mut self, order: JournalOrder) -> Result<(), JournalOrder> {
        self.pay();
        self.records += u64::from(matches!(order, JournalOrder::Record { .. }));
        let order = match self.waiting.is_empty() {
            true => match self.lane.try_send_quietly(order) {
                Ok(()) => return Ok(()),
                Err(refused) => refused.item,
            },
            false => order,
        };
        let is_closing = match &order {
            JournalOrder::Record { record, .. } => is_closing(record),
            JournalOrder::Mark(_) => false,
        };
        let most = if is_closing { self.most * 2 } else { self.most };
        if self.waiting.len() >= most || self.lane.is_closed() {
            return Err(order);
        }
        self.waiting.push_back(order);
        Ok(())
    }

    /// Gives the journal what it has room for now; [`Owed::flush`] must follow.
    pub fn pay(&mut self) {
        while let Some(order) = self.waiting.pop_front() {
            if let Err(refused) = self.lane.try_send_quietly(order) {
                return self.waiting.push_front(refused.item);
            }
        }
    }

    /// Wakes the journal for what it was given.
    pub fn flush(&self) {
        self.lane.flush();
    }

    /// How many records were put here.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Whether a record is the last of something that is over.
fn is_closing(record: &JournalRecord) -> bool {
    match record {
        JournalRecord::CallClosed(_) | JournalRecord::RecordingClosed(_) | JournalRecord::ChatClosed(_) => {
            true
        }
        JournalRecord::AgentInterval(interval) => interval.end != IntervalEnd::Open,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::cdr::RecordingEntry;
    use cordboard_model::id::{IdMaker, TenantId, UserId};
    use cordboard_model::time::Wall;

    fn order(record: JournalRecord) -> JournalOrder {
        JournalOrder::Record { ticket: None, record: Box::new(record), at: Wall(0) }
    }

    fn gone(name: &str) -> JournalOrder {
        let user = UserId::new(TenantId::DEFAULT, name).unwrap();
        order(JournalRecord::Unregistered { user, uri: name.into() })
    }

    fn closed() -> JournalOrder {
        let mut ids = IdMaker::new(1, 0);
        let (call, recording) = (ids.call(TenantId::DEFAULT), ids.recording(TenantId::DEFAULT));
        let entry = RecordingEntry {
            recording,
            call,
            started: Wall(0),
            length_ms: 0,
            dropped_ms: 0,
            pauses: Vec::new(),
            parties: Vec::new(),
            label: String::new(),
            deleted: None,
        };
        order(JournalRecord::RecordingClosed(entry))
    }

    fn names(lane: &mut cordboard_lane::Receiver<JournalOrder>) -> Vec<String> {
        let name = |order: JournalOrder| match order {
            JournalOrder::Mark(mark) => format!("mark {mark}"),
            JournalOrder::Record { record, .. } => match *record {
                JournalRecord::Unregistered { uri, .. } => uri,
                _ => "closed".to_owned(),
            },
        };
        std::iter::from_fn(|| lane.pop()).map(name).collect()
    }

    #[test]
    fn a_stalled_journal_gets_everything_in_order_when_it_goes_on() {
        let (sender, mut lane) = cordboard_lane::lane("test", 2);
        let mut owed = Owed::new(sender);
        for name in ["a", "b", "c", "d"] {
            assert!(owed.put(gone(name)).is_ok());
        }
        assert_eq!(names(&mut lane), ["a", "b"]);
        assert!(owed.put(gone("e")).is_ok());
        assert!(owed.put(JournalOrder::Mark(7)).is_ok());
        assert_eq!(names(&mut lane), ["c", "d"]);
        owed.pay();
        assert_eq!(names(&mut lane), ["e", "mark 7"], "a mark stands behind what was put before it");
        assert!(owed.is_empty());
        assert_eq!(owed.records(), 5);
    }

    #[test]
    fn a_closing_record_finds_room_where_others_are_refused() {
        let (sender, mut lane) = cordboard_lane::lane("test", 1);
        let mut owed = Owed { most: 1, ..Owed::new(sender) };
        assert!(owed.put(gone("a")).is_ok() && owed.put(gone("b")).is_ok());
        assert!(owed.put(gone("c")).is_err());
        assert!(owed.put(closed()).is_ok());
        assert!(owed.put(closed()).is_err(), "there is an end to it");
        let mut all = names(&mut lane);
        while !owed.is_empty() {
            owed.pay();
            all.extend(names(&mut lane));
        }
        assert_eq!(all, ["a", "b", "closed"]);
    }
}
