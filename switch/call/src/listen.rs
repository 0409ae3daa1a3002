//! A program that listens to a call, because the API asked for it: to the caller, to whom he talks to, or to both.
//!
//! Invariant: whom it hears is settled after every input, from who is there then. It follows the call through queues,
//! transfers and flows, and a leg that leaves the call is heard no longer.

use crate::call::{Call, Doing};
use crate::desk::Desk;
use crate::leg::Port;
use crate::output::CallOutput;
use cordboard_model::event::EventKind;
use cordboard_model::id::{LegId, StreamId};
use cordboard_model::media::MediaCommand;
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamOpening, StreamWay, Track};
use std::collections::BTreeMap;

/// What is asked for, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAsked {
    /// Where the program listens.
    pub url: String,
    /// What it is told.
    pub parameters: BTreeMap<String, String>,
    /// Whom it hears.
    pub way: StreamWay,
    /// `key wallboard`.
    pub by: String,
}

/// Why it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenRefusal {
    /// There is no such call.
    NotFound,
    /// Nobody is there to be heard yet, or any more.
    Nobody,
    /// A program listens already.
    UnderWay,
    /// None listens.
    None,
}

/// The program, and whom it hears.
#[derive(Debug)]
pub(crate) struct Listening {
    stream: StreamId,
    way: StreamWay,
    hears: Vec<(LegId, Track)>,
}

impl Call {
    /// Has a program listen from now on.
    pub(crate) fn listen(&mut self, desk: &mut Desk, asked: ListenAsked) -> Result<(), ListenRefusal> {
        if self.end.is_some() || self.caller.port != Port::Open {
            return Err(ListenRefusal::Nobody);
        }
        if self.listening.is_some() {
            return Err(ListenRefusal::UnderWay);
        }
        let ListenAsked { url, parameters, way, by } = asked;
        let (stream, call, leg) = (desk.ids.stream(self.tenant()), self.id, self.caller.id);
        let parameters = self.told_programs(parameters);
        self.listening = Some(Listening { stream, way, hears: Vec::new() });
        let opening = StreamOpening { stream, call, leg, way, url, parameters };
        desk.out.push_back(CallOutput::Stream(StreamCommand::Open(Box::new(opening))));
        desk.event(self.tenant(), EventKind::StreamStarted { call, stream, way, by });
        Ok(())
    }

    /// The program is wanted no longer.
    pub(crate) fn listen_no_more(&mut self, desk: &mut Desk) -> Result<(), ListenRefusal> {
        let stream = self.listening.as_ref().ok_or(ListenRefusal::None)?.stream;
        desk.out.push_back(CallOutput::Stream(StreamCommand::Close { stream }));
        self.unlisten(desk, StreamEnd::Stopped);
        Ok(())
    }

    /// The program left, or never came. False: it is not this one.
    pub(crate) fn listener_ended(&mut self, desk: &mut Desk, stream: StreamId, end: StreamEnd) -> bool {
        let is_ours = self.listening.as_ref().is_some_and(|known| known.stream == stream);
        if is_ours {
            self.unlisten(desk, end);
        }
        is_ours
    }

    fn unlisten(&mut self, desk: &mut Desk, end: StreamEnd) {
        let Some(Listening { stream, hears, .. }) = self.listening.take() else { return };
        for (leg, _) in hears {
            self.stop_listening(desk, leg, stream);
        }
        let call = self.id;
        desk.event(self.tenant(), EventKind::StreamEnded { call, stream, end });
    }

    /// A leg that went to another call has its port there; one that was closed has none that could be heard.
    fn stop_listening(&self, desk: &mut Desk, leg: LegId, stream: StreamId) {
        if desk.legs.get(&leg) != Some(&self.id) || self.leg(leg).is_some_and(|leg| leg.port == Port::Open) {
            desk.media(MediaCommand::StopLive { leg, stream });
        }
    }

    /// Has the program hear who is there now.
    pub(crate) fn settle_listening(&mut self, desk: &mut Desk) {
        let Some(of) = &self.listening else { return };
        if self.end.is_some() {
            let _ = self.listen_no_more(desk);
            return;
        }
        let (stream, way) = (of.stream, of.way);
        let peer = match &self.doing {
            Doing::Talk(talk) if talk.joined => Some(talk.peer),
            _ => None,
        };
        let there = [(Some(self.caller.id), Track::Inbound), (peer, Track::Outbound)];
        let there = there.into_iter().filter_map(|(leg, track)| Some((leg?, track)));
        let is_open = |leg: LegId| self.leg(leg).is_some_and(|leg| leg.port == Port::Open);
        let wanted: Vec<_> = there.filter(|(leg, track)| way.hears(*track) && is_open(*leg)).collect();
        if wanted == of.hears {
            return;
        }
        let gone: Vec<_> = of.hears.iter().filter(|was| !wanted.contains(was)).map(|(leg, _)| *leg).collect();
        let new: Vec<_> = wanted.iter().filter(|now| !of.hears.contains(now)).copied().collect();
        for leg in gone {
            self.stop_listening(desk, leg, stream);
        }
        for (leg, track) in new {
            desk.media(MediaCommand::Listen { leg, stream, track });
        }
        if let Some(of) = &mut self.listening {
            of.hears = wanted;
        }
    }
}
