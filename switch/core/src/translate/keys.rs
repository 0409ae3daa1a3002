//! What the rules of a leg's party say of its stream; keys that signalling tells, between media threads and SIP. What a press is, and whom it reaches, media threads decide:
//! they know who hears whom.

use crate::shard::Shard;
use cordboard_model::id::LegId;
use cordboard_model::media::{DtmfKind, MediaCommand};
use cordboard_model::srtp::{SrtpPolicy, SrtpRule};
use cordboard_sip::engine::SipCommand;

/// How long a key is pressed that the API sends, milliseconds.
const KEY_MS: u16 = 100;

impl Shard {
    /// How keys reach the leg's party: as its trunk or its account says.
    pub(crate) fn dtmf_of(&self, leg: LegId) -> DtmfKind {
        let Some(found) = self.legs.get(leg) else {
            return DtmfKind::default();
        };
        let of_trunk = found.trunk.as_ref().and_then(|id| self.snapshot.trunk(id)).map(|trunk| trunk.dtmf);
        let of_user = || self.snapshot.user(found.user.as_ref()?).map(|user| user.dtmf);
        of_trunk.or_else(of_user).unwrap_or_default()
    }

    /// Whether the leg's stream is secured: as its trunk or its account says.
    pub(crate) fn srtp_of(&self, leg: LegId) -> SrtpRule {
        let Some(found) = self.legs.get(leg) else {
            return SrtpRule::default();
        };
        let of_trunk = found.trunk.as_ref().and_then(|id| self.snapshot.trunk(id)).map(|trunk| trunk.srtp);
        let of_user = || self.snapshot.user(found.user.as_ref()?).map(|user| user.srtp);
        let rule = of_trunk.or_else(of_user).unwrap_or_default();
        match (rule.policy, self.is_urgent(found.call)) {
            // help is not refused for want of keys
            (SrtpPolicy::Required | SrtpPolicy::Dtls, true) => {
                SrtpRule { policy: SrtpPolicy::Optional, ..rule }
            }
            _ => rule,
        }
    }

    /// The media thread learns it where it differs from what every leg begins with.
    pub(crate) fn set_dtmf(&mut self, leg: LegId) {
        let kind = self.dtmf_of(leg);
        if kind != DtmfKind::default() {
            self.tell_media(MediaCommand::Dtmf { leg, kind });
        }
    }

    /// Sends keys to a leg's party, in its way. False if there is no such leg, or it is over.
    pub fn send_keys(&mut self, leg: LegId, digits: &str) -> bool {
        let is_up = self.legs.get(leg).is_some_and(|found| found.session.is_some());
        if is_up {
            let (digits, length_ms) = (digits.to_owned(), KEY_MS);
            self.tell_media(MediaCommand::SendDigits { leg, digits, length_ms });
        }
        is_up
    }

    /// The party pressed a key and INFO told so.
    pub(crate) fn on_key_told(&mut self, leg: LegId, digit: char) {
        self.tell_media(MediaCommand::Pressed { leg, digit });
    }

    /// A key for a party that takes them by INFO.
    pub(crate) fn on_key_due(&mut self, leg: LegId, digit: char, length_ms: u16) {
        if let Some(session) = self.legs.get(leg).and_then(|found| found.session) {
            self.sip.handle_command(SipCommand::Digit { session, digit, length_ms }, self.now);
        }
    }
}
