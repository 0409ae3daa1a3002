//! The ledger of figures, fed with what the rooms say, and what readers ask of it.
//!
//! Invariant: it changes nothing but records: no decision of the shard depends on it.

use crate::shard::Shard;
use cordboard_acd::figures::{Fold, Moment};
use cordboard_acd::{AcdInput, AcdOutput, Outcome};
use cordboard_model::cdr::Cdr;
use cordboard_model::figures::{ReportBy, WallView};
use cordboard_model::id::TenantId;
use cordboard_model::journal::JournalRecord;
use cordboard_model::record::AgentInterval;
use cordboard_model::time::Wall;

impl Shard {
    pub(crate) fn moment(&self) -> Moment {
        Moment { time: self.now, wall: self.wall.at(self.now) }
    }

    /// Tells the queues, and the ledger before them.
    pub(crate) fn tell_acd(&mut self, input: AcdInput) {
        let at = self.moment();
        if let AcdInput::Abandoned { call } | AcdInput::OfferFailed { call, caller_gone: true, .. } = &input {
            // By a key, by an operator, by its flow: all that is not to be counted as a caller who lost patience.
            let how = self.calls.left_queue_as(*call).map_or(Outcome::Abandoned, Outcome::of_leaving);
            self.acd.handle_input(AcdInput::Leaving { call: *call, how }, self.now);
        }
        self.ledger.note_input(&input, at);
        self.acd.handle_input(input, self.now);
    }

    /// Writes down what the queues have decided.
    pub(crate) fn note_acd(&mut self, output: &AcdOutput) {
        let at = self.moment();
        for interval in self.ledger.note_output(output, at).into_iter().flatten() {
            self.journal(None, JournalRecord::AgentInterval(Box::new(interval)));
        }
    }

    /// The record of a call gets what it was made of.
    pub(crate) fn ledger_into(&mut self, cdr: &mut Cdr) {
        for leg in &mut cdr.legs {
            leg.trunk = self.legs.get(leg.leg).and_then(|found| found.trunk.clone());
        }
        let at = self.moment();
        self.ledger.close(cdr, at);
    }

    /// The figures of now, as of `now` on the wall clock of the last input; none of a tenant that is not configured.
    pub fn wall_view(&mut self, tenant: TenantId) -> Option<WallView> {
        let at = self.moment();
        self.ledger.wall(&self.snapshot, tenant, at)
    }

    /// Stretches of work that go on, as they would be if they ended now.
    pub fn open_intervals(&self, tenant: TenantId) -> Vec<AgentInterval> {
        self.ledger.open_intervals(tenant, self.moment())
    }

    /// What was before the start, of the day that began at `day`: one fold of each kind that is not cut.
    pub fn seed_figures(&mut self, tenant: TenantId, day: Wall, folds: Vec<(ReportBy, Fold)>) {
        self.ledger.seed(tenant, day, folds);
    }
}
