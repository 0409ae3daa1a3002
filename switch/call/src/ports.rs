//! The legs' ports on the media thread: asked for, there, closed, lost.
//!
//! Invariant: a port that was asked for is closed once, unless it was refused.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::leg::{LegAct, LegInput, LegState, Port};
use crate::output::CallOutput;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::event::EventKind;
use cordboard_model::id::LegId;
use cordboard_model::media::{AudioNews, LegStats, MediaCommand};
use cordboard_model::view::Unheard;

impl Call {
    /// The media thread made the leg's port.
    pub(crate) fn on_opened(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.port != Port::Asked {
            return; // a second word, or it was closed meanwhile
        }
        leg.port = Port::Open;
        let dial = leg.dial.take();
        let agent = leg.agent.clone();
        match (self.step(id, LegInput::Opened), dial) {
            (LegAct::Dial, Some((to, from))) => {
                desk.clear(Timer::Leg(id));
                let call = self.id;
                desk.out.push_back(CallOutput::Dial { call, leg: id, to, from, agent });
            }
            (LegAct::TellOpened, _) => {
                desk.clear(Timer::Leg(id));
                if !matches!(self.doing, Doing::Opening) {
                    return;
                }
                if let Some(old) = self.incoming.replaces {
                    desk.places.push((self.id, old, false));
                } else {
                    self.doing = Doing::Routing;
                    desk.set(Timer::Route(self.id), desk.limits.route);
                    let (call, incoming) = (self.id, self.incoming.clone());
                    desk.out.push_back(CallOutput::Route { call, incoming });
                }
            }
            _ => {}
        }
    }

    /// The media thread has no port for the leg.
    pub(crate) fn on_open_failed(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        if !matches!(leg.port, Port::Asked | Port::Closing) {
            return;
        }
        leg.port = Port::Free;
        match self.step(id, LegInput::OpenFailed) {
            LegAct::TellNoPort => self.end(desk, Cause::Congestion, Party::Switch),
            LegAct::TellGone => self.leg_gone(desk, id, Cause::Congestion, false, None),
            _ => {}
        }
    }

    /// The port is free again; these are its figures.
    pub(crate) fn on_closed(&mut self, desk: &mut Desk, id: LegId, stats: LegStats) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.port == Port::Free {
            return;
        }
        let asked = leg.port == Port::Closing;
        leg.port = Port::Free;
        leg.stats = stats;
        leg.playing = None;
        if !asked {
            // The media thread dropped a leg in use: without audio the leg is worth nothing.
            self.port_lost(desk, id);
        }
    }

    /// The leg's port went away under it.
    fn port_lost(&mut self, desk: &mut Desk, id: LegId) {
        if id == self.caller.id {
            return self.end(desk, Cause::InternalError, Party::Switch);
        }
        self.hang_up_leg(desk, id, Cause::InternalError);
        self.leg_lost(desk, id, Cause::InternalError, false);
    }

    /// Neither RTP nor RTCP for longer than the limit: a talker or caller whose machine is gone.
    pub(crate) fn on_silent(&mut self, desk: &mut Desk, id: LegId) {
        let counts = id == self.caller.id || matches!(&self.doing, Doing::Talk(talk) if talk.peer == id);
        let up = self.leg(id).is_some_and(|leg| leg.state == LegState::Up && !leg.is_held());
        if up && self.room.there().contains(&id) {
            self.leg_lost(desk, id, Cause::MediaTimeout, false);
            return self.hang_up_leg(desk, id, Cause::MediaTimeout);
        }
        if counts && up && !self.urgent {
            self.end(desk, Cause::MediaTimeout, Party::Switch);
        }
    }

    /// A party is not heard, or heard again, or late. Before its answer a phone need not send anything.
    pub(crate) fn on_audio(&mut self, desk: &mut Desk, id: LegId, news: AudioNews) {
        let (call, tenant) = (self.id, self.tenant());
        let Some(leg) = self.leg_mut(id) else { return };
        leg.unheard = match news {
            AudioNews::Nothing => Some(Unheard::Nothing),
            AudioNews::OneWay => Some(Unheard::OneWay),
            AudioNews::Back => None,
            AudioNews::Late { .. } => leg.unheard,
        };
        if leg.answered.is_some() {
            leg.told.unheard = leg.unheard;
            desk.event(tenant, EventKind::LegAudio { call, leg: id, news });
        }
    }

    /// What was told of a party before its answer, told to readers with it.
    pub(crate) fn tell_unheard(&mut self, desk: &mut Desk, id: LegId) {
        let (call, tenant) = (self.id, self.tenant());
        if let Some(leg) = self.leg_mut(id).filter(|leg| leg.unheard == Some(Unheard::Nothing)) {
            leg.told.unheard = leg.unheard;
            desk.event(tenant, EventKind::LegAudio { call, leg: id, news: AudioNews::Nothing });
        }
    }

    /// Frees a leg's port, once.
    pub(crate) fn close_port(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        leg.playing = None;
        if matches!(leg.port, Port::Asked | Port::Open) {
            leg.port = Port::Closing;
            desk.media(MediaCommand::Close { leg: id });
        }
    }
}
