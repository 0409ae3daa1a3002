//! Hold, by a party's re-INVITE and by ours.
//!
//! Invariant: a party hears hold music while we hold it, or while the only party it talks to holds us; the
//! silence limit does not count for a leg that is held by either side (RFC 3264 8.4).

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::leg::{Heard, Leg, LegState};
use cordboard_model::event::EventKind;
use cordboard_model::id::LegId;
use cordboard_model::leg::LegCommand;
use cordboard_model::media::{MediaCommand, Repeat};

impl Call {
    /// The party holds us, or retrieves.
    pub(crate) fn peer_hold(&mut self, desk: &mut Desk, id: LegId, on: bool) {
        if let Some(leg) = self.leg_mut(id) {
            leg.holding.by_peer = on;
        }
        self.settle_hold(desk);
    }

    /// The API wants a talking party held or retrieved. The last word counts.
    pub(crate) fn want_hold(&mut self, desk: &mut Desk, id: LegId, on: bool) {
        if !self.talks(id) {
            return;
        }
        if let Some(leg) = self.leg_mut(id) {
            leg.holding.wanted = on;
            leg.holding.orderer = leg.holding.orderer.filter(|_| on);
        }
        self.ask_hold(desk, id);
    }

    /// Who held others has left those who talk: nobody else would let them go.
    pub(crate) fn let_go_of_all(&mut self, desk: &mut Desk, orderer: LegId) {
        let his = |leg: &&Leg| leg.holding.wanted && leg.holding.orderer == Some(orderer);
        let held: Vec<LegId> = self.legs().filter(his).map(|leg| leg.id).collect();
        for leg in held {
            self.want_hold(desk, leg, false);
        }
    }

    /// The talk is over but the caller stays: we hold him no longer.
    pub(crate) fn let_go(&mut self, desk: &mut Desk) {
        self.stop_play(desk, self.caller.id);
        self.caller.holding.wanted = false;
        self.ask_hold(desk, self.caller.id);
    }

    /// Sends the re-INVITE if one is needed and none is under way.
    pub(crate) fn ask_hold(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        let holding = &mut leg.holding;
        if leg.state == LegState::Up && holding.asked.is_none() && holding.wanted != holding.by_us {
            let on = holding.wanted;
            holding.asked = Some(on);
            desk.set(Timer::Hold(id), desk.limits.hold);
            desk.leg(id, LegCommand::Hold { on });
        }
    }

    /// Our re-INVITE was answered. A refused one is not repeated.
    pub(crate) fn hold_done(&mut self, desk: &mut Desk, id: LegId, on: bool, ok: bool) {
        let Some(leg) = self.leg_mut(id) else { return };
        let holding = &mut leg.holding;
        if holding.asked != Some(on) {
            return;
        }
        holding.asked = None;
        if ok {
            holding.by_us = on;
        } else if holding.wanted == on {
            holding.wanted = holding.by_us;
        }
        desk.clear(Timer::Hold(id));
        self.settle_hold(desk);
        self.ask_hold(desk, id);
    }

    /// Our re-INVITE got no answer in time.
    pub(crate) fn on_hold_deadline(&mut self, desk: &mut Desk, id: LegId) {
        if let Some(on) = self.leg(id).and_then(|leg| leg.holding.asked) {
            self.hold_done(desk, id, on, false);
        }
    }

    /// Makes media and readers agree with what is so.
    pub(crate) fn settle_hold(&mut self, desk: &mut Desk) {
        let caller = self.caller.id;
        self.tell_held(desk, caller);
        let (peer, joined) = match &self.doing {
            Doing::Talk(talk) => (talk.peer, talk.joined),
            _ => return,
        };
        self.tell_held(desk, peer);
        for guest in self.room.there() {
            self.tell_held(desk, guest);
        }
        if !joined {
            return;
        }
        if self.room.there().is_empty() {
            self.settle_music(desk, caller, Some(peer));
            self.settle_music(desk, peer, Some(caller));
        } else {
            // who leaves several to themselves gives them no music
            for talker in self.talkers() {
                self.settle_music(desk, talker, None);
            }
        }
        self.settle_room(desk);
    }

    fn tell_held(&mut self, desk: &mut Desk, id: LegId) {
        let (call, tenant) = (self.id, self.tenant());
        let Some(leg) = self.leg_mut(id) else { return };
        let held = leg.is_held();
        if leg.holding.told != held {
            leg.holding.told = held;
            desk.media(MediaCommand::Held { leg: id, held });
        }
        if leg.told.held != held {
            leg.told.held = held;
            desk.event(tenant, EventKind::LegHeld { call, leg: id, held });
        }
    }

    fn settle_music(&mut self, desk: &mut Desk, id: LegId, other: Option<LegId>) {
        let by_other = other.and_then(|other| self.leg(other)).is_some_and(|leg| leg.holding.by_peer);
        let Some(leg) = self.leg(id) else { return };
        let wanted = leg.holding.by_us || by_other;
        let plays = matches!(leg.playing, Some((_, Heard::Hold)));
        if wanted && !plays {
            let items = self.hold_items(desk);
            self.play(desk, id, Heard::Hold, items, Repeat::Forever);
        } else if !wanted && plays {
            self.stop_play(desk, id);
        }
    }
}
