//! Which session is which leg, and what the shard must know of a leg to translate for it.

use crate::translate::Came;
use crate::video::Video;
use cordboard_model::id::{AgentId, CallId, LegId, TrunkId, UserId};
use cordboard_model::media::Codec;
use cordboard_sip::engine::SessionId;
use cordboard_sip::sdp::VideoTerms;
use core::net::SocketAddr;
use std::collections::BTreeMap;

/// One leg.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    /// Its call.
    pub(crate) call: CallId,
    /// Its session, once there is one.
    pub(crate) session: Option<SessionId>,
    /// What it brought along, if it came in.
    pub(crate) came: Option<Box<Came>>,
    /// Our media address, once its port is open.
    pub(crate) local: Option<SocketAddr>,
    /// The agent at its end, for the journal.
    pub(crate) agent: Option<AgentId>,
    /// He has ordered himself that his phone rings.
    pub(crate) own_wish: bool,
    /// The account at its end.
    pub(crate) user: Option<UserId>,
    /// Agents whose telephone is at its end, by its number.
    pub(crate) telephone_of: Vec<AgentId>,
    /// The trunk that carries it.
    pub(crate) trunk: Option<TrunkId>,
    /// An incoming leg: we were told to answer.
    pub(crate) answering: bool,
    /// Offer and answer are settled.
    pub(crate) settled: bool,
    /// Its dialog is in the journal.
    pub(crate) journalled: bool,
    /// The codecs that its party offered, in the party's order.
    pub(crate) offered: Vec<Codec>,
    /// The codec that it has.
    pub(crate) codec: Option<Codec>,
    /// The video that its party offered.
    pub(crate) video_offered: Option<Box<VideoTerms>>,
    /// Its video, if it may have some.
    pub(crate) video: Option<Box<Video>>,
    /// Whom its audio is joined with, if either has video.
    pub(crate) seen_with: Option<LegId>,
}

/// All legs of the shard.
#[derive(Debug, Default)]
pub(crate) struct Legs {
    legs: BTreeMap<LegId, Leg>,
    sessions: BTreeMap<SessionId, LegId>,
    calls: BTreeMap<CallId, Vec<LegId>>,
    /// Of which leg each leg that carries video is.
    videos: BTreeMap<LegId, LegId>,
    /// Legs that have another session or call since these were last taken.
    changed: Vec<LegId>,
}

impl Legs {
    pub(crate) fn add(&mut self, leg: LegId, call: CallId) -> &mut Leg {
        let of_call = self.calls.entry(call).or_default();
        if !of_call.contains(&leg) {
            of_call.push(leg);
        }
        self.legs.entry(leg).or_insert(Leg {
            call,
            session: None,
            came: None,
            local: None,
            agent: None,
            own_wish: false,
            user: None,
            telephone_of: Vec::new(),
            trunk: None,
            answering: false,
            settled: false,
            journalled: false,
            offered: Vec::new(),
            codec: None,
            video_offered: None,
            video: None,
            seen_with: None,
        })
    }

    pub(crate) fn bind(&mut self, leg: LegId, session: SessionId) {
        if let Some(found) = self.legs.get_mut(&leg) {
            found.session = Some(session);
            self.sessions.insert(session, leg);
            self.changed.push(leg);
        }
    }

    /// The leg is of another call from now on. Gives what is known of it.
    pub(crate) fn move_to(&mut self, leg: LegId, to: CallId) -> Option<Leg> {
        let found = self.legs.get_mut(&leg)?;
        let from = core::mem::replace(&mut found.call, to);
        let found = found.clone();
        if let Some(of_call) = self.calls.get_mut(&from) {
            of_call.retain(|known| *known != leg);
        }
        self.calls.entry(to).or_default().push(leg);
        self.changed.push(leg);
        Some(found)
    }

    /// Legs that have another session or call since this was last asked.
    pub(crate) fn take_changed(&mut self) -> Vec<LegId> {
        core::mem::take(&mut self.changed)
    }

    pub(crate) fn get(&self, leg: LegId) -> Option<&Leg> {
        self.legs.get(&leg)
    }

    pub(crate) fn get_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        self.legs.get_mut(&leg)
    }

    pub(crate) fn by_session(&self, session: SessionId) -> Option<LegId> {
        self.sessions.get(&session).copied()
    }

    /// The session is over; the leg stays until its call is forgotten.
    pub(crate) fn unbind(&mut self, session: SessionId) {
        if let Some(leg) = self.sessions.remove(&session)
            && let Some(found) = self.legs.get_mut(&leg)
        {
            found.session = None;
        }
    }

    /// The call is gone, and its legs with it. Gives the sessions that were still bound.
    pub(crate) fn forget(&mut self, call: CallId) -> Vec<SessionId> {
        let mut left = Vec::new();
        for leg in self.calls.remove(&call).unwrap_or_default() {
            let gone = self.legs.remove(&leg);
            if let Some(video) = gone.as_ref().and_then(|gone| gone.video.as_ref()) {
                self.videos.remove(&video.id());
            }
            if let Some(session) = gone.and_then(|gone| gone.session) {
                self.sessions.remove(&session);
                left.push(session);
            }
        }
        left
    }

    /// A leg has video.
    pub(crate) fn add_video(&mut self, leg: LegId, video: Video) {
        if let Some(found) = self.legs.get_mut(&leg) {
            self.videos.insert(video.id(), leg);
            found.video = Some(Box::new(video));
        }
    }

    /// Whose video a leg carries.
    pub(crate) fn of_video(&self, video: LegId) -> Option<LegId> {
        self.videos.get(&video).copied()
    }

    /// Whether any call has video.
    pub(crate) fn has_videos(&self) -> bool {
        !self.videos.is_empty()
    }

    /// The legs of a call.
    pub(crate) fn of(&self, call: CallId) -> &[LegId] {
        self.calls.get(&call).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.legs.is_empty() && self.sessions.is_empty() && self.calls.is_empty() && self.videos.is_empty()
    }
}
