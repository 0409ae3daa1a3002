//! Video beside the audio of calls: a second leg on the media threads for each party that has some, of which calls know nothing.
//!
//! Invariants: a party is offered video, or has its own taken, only together with another party of its call that has it, so that nobody
//! films for nobody (but who waits in a queue of video, or anywhere where that is configured); two are joined in video exactly while their audio is joined as a pair and their formats fit; the ports of
//! video are freed with those of the audio.

use crate::ShardOutput;
use crate::legs::Leg;
use crate::shard::Shard;
use cordboard_model::cdr::{Cdr, VideoRecord};
use cordboard_model::id::LegId;
use cordboard_model::media::{Codec, Direction, LegStats, MediaCommand, MediaEvent, StreamParams};
use cordboard_model::service::QueueKind;
use cordboard_model::trace::TraceMedia;
use cordboard_sip::sdp::{LocalVideo, VideoSettled, VideoTerms};
use core::net::SocketAddr;

/// Whether calls may have video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoRule {
    /// The most that each party is asked to send, kilobits a second.
    pub kbit: u32,
    /// Whether the video of a caller is taken who is answered while nobody else is in the call.
    pub waiting: bool,
}

/// The video of a leg.
#[derive(Clone, Debug)]
pub(crate) struct Video {
    /// The leg that carries it on a media thread.
    id: LegId,
    /// Its port, while it has one.
    local: Option<SocketAddr>,
    /// It was asked for, and was not closed by us since.
    open: bool,
    /// What its party settled on.
    settled: Option<VideoTerms>,
    /// The stream of it, if it has keys by DTLS.
    by_dtls: Option<StreamParams>,
    /// What it was in, at last.
    codec: Option<Codec>,
    stats: LegStats,
}

impl Leg {
    /// What other parties of the call may be offered of this one's video: what it settled on or, before it has settled anything, what
    /// it offers.
    fn shows(&self) -> Option<&VideoTerms> {
        let video = self.video.as_deref().filter(|video| video.open)?;
        match self.codec {
            Some(_) => video.settled.as_ref(),
            None => self.video_offered.as_deref(),
        }
    }
}

impl Shard {
    /// Before a command goes to a media thread: what it means to the video of its legs.
    pub(crate) fn video_before(&mut self, command: &mut MediaCommand) {
        match command {
            MediaCommand::Open { leg, near } => {
                if let Some(video) = self.open_video(*leg, *near) {
                    *near = near.or(Some(video));
                }
            }
            MediaCommand::Close { leg } => self.close_video(*leg),
            MediaCommand::Unbridge { leg } => self.part_video(*leg),
            MediaCommand::Mix { members, .. } => {
                for member in members.iter() {
                    self.part_video(member.leg);
                }
            }
            _ => {}
        }
    }

    /// After it went.
    pub(crate) fn video_after(&mut self, joined: Option<(LegId, LegId)>) {
        let Some((a, b)) = joined.filter(|_| self.legs.has_videos()) else {
            return;
        };
        for (leg, other) in [(a, b), (b, a)] {
            if self.legs.get(leg).is_some_and(|found| found.seen_with != Some(other)) {
                self.part_video(leg);
            }
            if let Some(found) = self.legs.get_mut(leg) {
                found.seen_with = Some(other);
            }
        }
        self.join_video(a);
    }

    /// Asks for ports, if the leg's party has video to offer or is to be offered some. They are asked for before those of the audio, and so
    /// are there when the call goes on.
    fn open_video(&mut self, leg: LegId, near: Option<LegId>) -> Option<LegId> {
        self.config.video?;
        let found = self.legs.get(leg)?;
        let wanted = found.video.is_none()
            && (found.video_offered.is_some() || self.others(leg).any(|other| other.shows().is_some()));
        if !wanted {
            return None;
        }
        let id = self.calls.new_leg(leg.tenant);
        let video = Video {
            id,
            local: None,
            open: true,
            settled: None,
            by_dtls: None,
            codec: None,
            stats: LegStats::default(),
        };
        self.legs.add_video(leg, video);
        self.out.push_back(ShardOutput::Media(MediaCommand::Open { leg: id, near }));
        Some(id)
    }

    fn close_video(&mut self, leg: LegId) {
        self.part_video(leg);
        let video = self.legs.get_mut(leg).and_then(|found| found.video.as_mut());
        if let Some(video) = video.filter(|video| video.open) {
            (video.open, video.local) = (false, None);
            let leg = video.id;
            self.out.push_back(ShardOutput::Media(MediaCommand::Close { leg }));
        }
    }

    /// The leg is joined with nobody.
    fn part_video(&mut self, leg: LegId) {
        let with = self.legs.get_mut(leg).and_then(|found| found.seen_with.take());
        if let Some(other) = with.and_then(|with| self.legs.get_mut(with)) {
            other.seen_with = None;
        }
        if with.is_some() {
            self.unbridge_video(leg);
        }
    }

    fn unbridge_video(&mut self, leg: LegId) {
        let video = self.legs.get(leg).and_then(|found| found.video.as_ref());
        if let Some(video) = video.filter(|video| video.open) {
            let leg = video.id;
            self.out.push_back(ShardOutput::Media(MediaCommand::Unbridge { leg }));
        }
    }

    /// Joins the video of two whose audio is joined, if one understands what the other makes.
    fn join_video(&mut self, leg: LegId) {
        let seen = |leg: LegId| {
            let found = self.legs.get(leg)?;
            let video = found.video.as_deref().filter(|video| video.open)?;
            Some((video.id, video.settled.as_ref()?.formats.first()?.clone()))
        };
        let with = self.legs.get(leg).and_then(|found| found.seen_with);
        match (seen(leg), with.and_then(seen)) {
            (Some((a, one)), Some((b, other))) if one.fits(&other) => {
                self.out.push_back(ShardOutput::Media(MediaCommand::Bridge { a, b }));
            }
            _ => self.unbridge_video(leg),
        }
    }

    /// Our end of the video in a description for a leg's party.
    pub(crate) fn local_video(&self, leg: LegId) -> Option<LocalVideo> {
        let rule = self.config.video?;
        let found = self.legs.get(leg)?;
        let port = found.video.as_deref().filter(|video| video.open)?.local?.port();
        let trunk = found.trunk.as_ref().and_then(|trunk| self.snapshot.trunk(trunk));
        // a carrier that never heard of video may refuse the whole call for it
        if found.video_offered.is_none() && trunk.is_some_and(|trunk| !trunk.video) {
            return None;
        }
        let shown = self.others(leg).find_map(|other| other.shows()).cloned();
        let mut terms =
            shown.or_else(|| self.alone(leg).filter(|_| rule.waiting || self.is_for_video(leg)))?;
        // The other's way may turn while they talk, and each leg has its own: what he does not send now is not ours to refuse.
        terms.direction = Direction::SendRecv;
        terms.kbit = Some(terms.kbit.map_or(rule.kbit, |kbit| kbit.min(rule.kbit)));
        Some(LocalVideo { port, terms })
    }

    /// Whether the leg's party waits in a queue of video, whose agents see who calls.
    fn is_for_video(&self, leg: LegId) -> bool {
        let call = self.legs.get(leg).map(|found| found.call);
        let queue = call.and_then(|call| self.trunks.numbers.queue_of(call));
        let kind = queue.and_then(|queue| self.snapshot.queue(queue)).map(|queue| queue.service.kind);
        matches!(kind, Some(QueueKind::Video | QueueKind::VideoClick))
    }

    /// What is taken of a caller with whom nobody talks yet: the first of what he offers, so that whoever comes is offered that.
    fn alone(&self, leg: LegId) -> Option<VideoTerms> {
        let mut terms = self.legs.get(leg)?.video_offered.as_deref()?.clone();
        terms.formats.truncate(1);
        // somebody who is there already has none, or he would have shown it
        let is_alone = self.others(leg).all(|other| other.codec.is_none());
        is_alone.then_some(terms)
    }

    /// What offer and answer say of a leg's video, each time.
    pub(crate) fn configure_video(&mut self, leg: LegId, settled: Option<VideoSettled>) {
        let Some(video) = self.legs.get_mut(leg).and_then(|found| found.video.as_mut()) else {
            return;
        };
        let Some(VideoSettled { stream, keys, path, terms, .. }) = settled.filter(|_| video.open) else {
            if video.settled.take().is_some() {
                let (id, stream) = (video.id, video.by_dtls.take());
                self.unbridge_video(leg);
                self.still_video(id, stream);
            }
            return;
        };
        let id = video.id;
        let feedback = terms.feedback;
        (video.settled, video.codec) = (Some(terms), Some(stream.codec));
        video.by_dtls = path.as_ref().map(|_| stream);
        let suite = keys.map(|keys| keys.send.suite());
        let dtls = path.is_some();
        self.note_media(leg, TraceMedia::Agreed { params: stream, suite, dtls });
        let (keys, signals) = (keys.map(Box::new), self.signals_from(leg));
        for command in [
            MediaCommand::Video { leg: id, beside: leg, feedback },
            MediaCommand::Configure { leg: id, params: stream, signals, keys, path: path.map(Box::new) },
        ] {
            self.out.push_back(ShardOutput::Media(command));
        }
        self.join_video(leg);
    }

    /// The party refuses the video by DTLS that there was: its association and its way are forgotten. If it takes it again, another one
    /// begins.
    fn still_video(&mut self, leg: LegId, stream: Option<StreamParams>) {
        let still = |stream| StreamParams { direction: Direction::Inactive, ..stream };
        if let Some(params) = stream.map(still) {
            let configure = MediaCommand::Configure { leg, params, signals: None, keys: None, path: None };
            self.out.push_back(ShardOutput::Media(configure));
        }
    }

    /// What a media thread says of a leg that carries video. True: that is what it was about.
    pub(crate) fn on_video(&mut self, of: Option<LegId>, event: &MediaEvent) -> bool {
        let Some(leg) = of.and_then(|of| self.legs.of_video(of)) else {
            return false;
        };
        if let Some(video) = self.legs.get_mut(leg).and_then(|found| found.video.as_mut()) {
            match event {
                MediaEvent::Opened { local, .. } if video.open => video.local = Some(*local),
                // then there is no video, and the call goes on
                MediaEvent::OpenFailed { .. } => video.open = false,
                MediaEvent::Closed { stats, .. } => (video.open, video.stats) = (false, *stats),
                _ => {}
            }
        }
        if let MediaEvent::PathFailed { fault, .. } = *event {
            self.note_media(leg, TraceMedia::PathFailed { fault });
        }
        true
    }

    /// Writes into a call's record what became of the video of its legs.
    pub(crate) fn videos_into(&self, cdr: &mut Cdr) {
        for leg in &mut cdr.legs {
            let video = self.legs.get(leg.leg).and_then(|found| found.video.as_deref());
            leg.video = video.and_then(|video| {
                let stats = video.stats;
                Some(VideoRecord {
                    codec: video.codec?,
                    received: stats.received,
                    sent: stats.sent,
                    lost: stats.lost,
                    far_lost: stats.far.map(|far| far.lost),
                    jitter_us: stats.jitter_us,
                    unsealed: stats.unsealed,
                    fault: stats.fault,
                })
            });
        }
    }

    /// Frees what a forgotten call's video still has.
    pub(crate) fn forget_videos(&mut self, legs: &[LegId]) {
        for leg in legs {
            self.close_video(*leg);
        }
    }
}

impl Video {
    pub(crate) fn id(&self) -> LegId {
        self.id
    }
}
