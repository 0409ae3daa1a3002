//! A leg whose user is done with it, and whose port and party stay for the next.
//!
//! Invariant: what one user has begun on a leg is over when the next one has it, and the next one's figures are its own.

use super::MediaEngine;
use cordboard_model::id::LegId;
use cordboard_model::media::MediaEvent;
use cordboard_model::time::Time;

impl MediaEngine {
    /// Ends all that is done with the leg, and tells its figures since it was opened or vacated last.
    pub(super) fn vacate(&mut self, id: LegId, now: Time) {
        let Some(key) = self.find(id) else {
            return;
        };
        self.set_secret(id, false, now);
        self.hold(id, false, now);
        self.let_go(key, now);
        if let Some(leg) = self.legs.get_mut(key) {
            let stats = leg.stats();
            leg.count_anew();
            self.tell(MediaEvent::Vacated { leg: id, stats });
        }
    }
}
