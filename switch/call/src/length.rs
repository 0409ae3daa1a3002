//! How long a call may last: as long as any may, and no longer than its queue lets it, from its coming on. A call for help
//! has no end of ours.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::leg::Heard;
use cordboard_model::media::{PlayItem, Repeat, Tone};

/// What the agent hears before the end.
const WARNING: [PlayItem; 3] =
    [PlayItem::Tone(Tone::Beep, 200), PlayItem::Silence(200), PlayItem::Tone(Tone::Beep, 200)];

impl Call {
    /// The call is its queue's from now on: no longer than that allows, counted from when it came.
    pub(crate) fn limit_length(&mut self, desk: &mut Desk) {
        let Some(manner) = self.manner.clone().filter(|_| !self.urgent) else {
            return;
        };
        let most = desk.limits.call_length.min(manner.max_talk);
        let left = (self.begun + most).since(desk.now);
        desk.set(Timer::Length(self.id), left);
        desk.clear(Timer::Warning(self.id));
        if !manner.talk_warning.is_zero() && left > manner.talk_warning {
            desk.set(Timer::Warning(self.id), left - manner.talk_warning);
        }
    }

    /// The end is near: the agent hears it, unless he hears something else just then.
    pub(crate) fn on_warning(&mut self, desk: &mut Desk) {
        let joined = matches!(&self.doing, Doing::Talk(talk) if talk.joined);
        let Some(agent) = self.agent_leg().filter(|_| joined) else { return };
        if self.leg(agent).is_some_and(|leg| leg.playing.is_none()) {
            self.play(desk, agent, Heard::Warning, WARNING.to_vec(), Repeat::Once);
        }
    }
}
