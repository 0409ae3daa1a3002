//! What media threads report, told to calls.

use crate::shard::Shard;
use cordboard_call::CallInput;
use cordboard_model::media::MediaEvent;

impl Shard {
    pub(crate) fn on_media(&mut self, mut event: MediaEvent) {
        if self.on_line_media(&mut event) {
            return;
        }
        let leg = event.leg_mut().map(|leg| *leg);
        if self.on_video(leg, &event) {
            return;
        }
        let of_leg = leg.and_then(|leg| self.legs.get(leg)).map(|leg| leg.call);
        self.in_hand = match &event {
            MediaEvent::Speaking { mix, .. } => Some(*mix),
            _ => of_leg,
        };
        if let MediaEvent::Opened { leg, local } = &event
            && let Some(found) = self.legs.get_mut(*leg)
        {
            found.local = Some(*local);
        }
        if let MediaEvent::DigitDue { leg, digit, length_ms } = event {
            return self.on_key_due(leg, digit, length_ms);
        }
        self.note_media_event(&event);
        if cfg!(debug_assertions)
            && let MediaEvent::Digit { digit, .. } = &event
            && Some(*digit) == self.config.panic_key
        {
            injected_panic();
        }
        self.calls.handle_input(CallInput::Media(event), self.now);
    }
}

/// The fault that the test of a panic's cost asks for. Not in release builds.
#[allow(clippy::panic, reason = "the one panic on purpose: a test build shows that it ends one call")]
fn injected_panic() {
    panic!("a panic was asked for by the key of ShardConfig::panic_key");
}
