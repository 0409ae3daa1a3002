//! The last BYE of a call is answered once the journal has the call's closing record.
//!
//! Invariant: every BYE that SIP keeps waiting is answered: at once while another leg of the call is up, otherwise with
//! the closing record or when the call is forgotten; SIP itself answers what is later than [`BYE_WAIT`].

use crate::shard::Shard;
use cordboard_model::id::{CallId, LegId};
use cordboard_model::time::Duration;
use cordboard_sip::engine::{SessionId, SipCommand};
use std::collections::BTreeMap;

/// Longest a BYE waits: the media figures that the record wants (200 ms) and the journal (50 ms), with some room, and
/// still before the peer repeats it after T1 (500 ms).
pub(crate) const BYE_WAIT: Duration = Duration::from_millis(400);

/// BYEs that wait, by call.
pub(crate) type Goodbyes = BTreeMap<CallId, Vec<SessionId>>;

impl Shard {
    /// The peer ended `leg` by BYE.
    pub(crate) fn on_bye(&mut self, call: CallId, leg: LegId, session: SessionId) {
        let others = self.legs.of(call).iter().filter(|other| **other != leg);
        let last = !others.filter_map(|other| self.legs.get(*other)).any(|other| other.session.is_some());
        match last {
            true => self.goodbyes.entry(call).or_default().push(session),
            false => self.answer_bye(session),
        }
    }

    /// The closing record is written, or nothing is left of the call.
    pub(crate) fn say_goodbye(&mut self, call: CallId) {
        for session in self.goodbyes.remove(&call).unwrap_or_default() {
            self.answer_bye(session);
        }
    }

    pub(crate) fn answer_bye(&mut self, session: SessionId) {
        self.sip.handle_command(SipCommand::AnswerBye { session }, self.now);
    }
}
