//! What a party hears from us: one playback at a time on a leg.
//!
//! Invariant: `Leg::playing` names the playback whose end still matters; the end of any other is absorbed.

use crate::call::{Call, Doing};
use crate::desk::Desk;
use crate::leg::{Heard, LegState, Port};
use cordboard_model::id::{LegId, PlaybackId};
use cordboard_model::leg::LegCommand;
use cordboard_model::media::{MediaCommand, PlayItem, Repeat};

impl Call {
    /// Plays to a leg; replaces what was on. Says whether it was begun.
    pub(crate) fn play(
        &mut self,
        desk: &mut Desk,
        id: LegId,
        heard: Heard,
        items: Vec<PlayItem>,
        repeat: Repeat,
    ) -> bool {
        let tenant = self.tenant();
        let Some(leg) = self.leg_mut(id) else {
            return false;
        };
        if leg.port != Port::Open || !leg.is_alive() || items.is_empty() {
            return false;
        }
        let playback = desk.ids.playback(tenant);
        leg.playing = Some((playback, heard));
        desk.media(MediaCommand::Play { leg: id, playback, items, repeat });
        true
    }

    /// Stops what a leg hears, if anything.
    pub(crate) fn stop_play(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        if let Some((playback, _)) = leg.playing.take() {
            desk.media(MediaCommand::StopPlay { leg: id, playback });
        }
    }

    /// Lets a caller who is not answered yet hear us (183).
    pub(crate) fn open_ear(&mut self, desk: &mut Desk) {
        if self.caller.state == LegState::Arrived && !self.caller.told_early {
            self.caller.told_early = true;
            self.times.early = Some(desk.wall_now());
            desk.leg(self.caller.id, LegCommand::EarlyMedia);
        }
    }

    /// A playback ended.
    pub(crate) fn on_play_done(&mut self, desk: &mut Desk, id: LegId, playback: PlaybackId, finished: bool) {
        let Some(leg) = self.leg_mut(id) else { return };
        let Some((_, heard)) = leg.playing.take_if(|(now, _)| *now == playback) else {
            return;
        };
        match (heard, &self.doing) {
            (Heard::Step, _) if self.flow_has_call() => self.step_heard(desk, finished),
            (Heard::Apology, Doing::Apology(_)) => self.follow_fallback(desk),
            (Heard::Whisper, Doing::Fork(_)) => self.branch_heard(desk, id),
            (Heard::Announcement, Doing::Queue(_)) => self.resume_music(desk),
            (Heard::Announcement, Doing::Transfer(_)) => self.resume_consulting(desk),
            (Heard::Opening, _) => self.opening_heard(desk),
            (Heard::Asked(act), _) => self.act_heard(desk, act, finished),
            // Music that ends by itself has a missing file: silence is better than a busy loop.
            _ => {}
        }
    }
}
