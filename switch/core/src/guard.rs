//! What the guard of the SIP port tells and is told.

use crate::shard::Shard;
use cordboard_model::event::EventKind;
use cordboard_model::guard::{BanView, Bar, BarFault, Network};
use cordboard_model::id::TenantId;
use cordboard_model::journal::JournalRecord;
use cordboard_sip::engine::{Banned, GuardFigures};
use core::time::Duration;

impl Shard {
    /// How long the input that comes next has waited since it arrived.
    pub fn note_delay(&mut self, delay: Duration) {
        self.sip.note_delay(delay);
    }

    /// Sources that get no answers.
    pub fn bans(&self) -> Vec<BanView> {
        self.sip.bans(self.now)
    }

    /// Keeps a source off until then, over restarts too. Gives how many registered contacts are among it.
    ///
    /// # Errors
    /// It would cut off who is never banned.
    pub fn bar(&mut self, bar: Bar) -> Result<usize, BarFault> {
        let record = JournalRecord::Barred(Box::new(bar.clone()));
        let contacts = self.sip.bar(bar, self.now)?;
        self.journal(None, record);
        self.settle();
        Ok(contacts)
    }

    /// Takes a ban back, whoever made it; false if there was none.
    pub fn lift_ban(&mut self, source: Network) -> bool {
        let (lifted, was_made) = self.sip.lift_ban(source, self.now);
        if was_made {
            self.journal(None, JournalRecord::Unbarred { source });
            self.settle();
        }
        lifted
    }

    /// What the guard has done since the start.
    pub fn guard_figures(&self) -> GuardFigures {
        self.sip.guard_figures()
    }

    /// A ban belongs to nobody's tenant: the operator's own hears of it.
    pub(crate) fn on_banned(&mut self, ban: &Banned) {
        let Banned { source, why, length, others } = ban;
        let more = match others {
            0 => String::new(),
            n => format!("; {n} other bans since the last that was told of"),
        };
        let text = format!("{source} gets no answers for {} s: {why}{more}", length.as_secs());
        self.event(TenantId::DEFAULT, EventKind::Alarm { code: "source_banned".into(), text });
    }
}
