//! Who is in a talk besides the two: the guests of a conference and a supervisor; and what media is told of them.
//!
//! Invariants: two who talk, none of them muted or held by us, are joined packet by packet; a third, a supervisor, a mute or
//! a hold of ours makes it a mix, and the last of these to go unmakes it. The matrix is stated whole each time it changes. A party that is held, by
//! either side, is heard by nobody, so that its phone's music is not either. A supervisor is no talker: with fewer than two
//! talkers the talk ends, whoever listens.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::leg::{Leg, LegState};
use crate::supervise::Watch;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, LegId};
use cordboard_model::media::{MIX_MEMBERS_MAX, MediaCommand, MixMember};

/// Most who talk in one call: one place of a mix is kept for a supervisor.
pub(crate) const TALKERS_MAX: usize = MIX_MEMBERS_MAX - 1;

/// Why a conference, a supervision or a mute is not begun or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomRefusal {
    /// There is no such call, or the leg is not in it.
    NotFound,
    /// The call is not parties who talk.
    NotTalking,
    /// Somebody is being added already, or a supervisor is there.
    UnderWay,
    /// Nobody supervises, or nobody is being consulted.
    None,
    /// There is no place for another.
    Full,
    /// The supervisor is the agent himself.
    Own,
    /// The talk is recorded, and could not be any more after it: the call has as many recordings as one may have.
    Recordings,
}

/// Who joins, or has joined, the two.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) leg: LegId,
    pub(crate) agent: Option<AgentId>,
    /// As dialled.
    pub(crate) to: String,
    pub(crate) up: bool,
}

/// Who is in a talk besides the two.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Who is wanted, while routing is asked.
    pub(crate) asked: Option<String>,
    pub(crate) guests: Vec<Guest>,
    pub(crate) watch: Option<Watch>,
    pub(crate) speaker: Option<LegId>,
    /// The matrix that media was told; empty where it was told to join two, and which, the lower id first.
    told: Vec<MixMember>,
    pair: Option<[LegId; 2]>,
}

impl Room {
    /// Guests who talk.
    pub(crate) fn there(&self) -> Vec<LegId> {
        self.guests.iter().filter(|guest| guest.up).map(|guest| guest.leg).collect()
    }

    /// Whether two talk and nobody is being added: then one of them may be sent elsewhere.
    pub(crate) fn is_for_two(&self) -> bool {
        self.guests.is_empty() && self.asked.is_none()
    }

    /// Whether routing is asked for a guest.
    pub(crate) fn asks(&self) -> bool {
        self.asked.is_some()
    }

    /// Whether a leg rings for this room.
    pub(crate) fn waits_for(&self, leg: LegId) -> bool {
        let guest = self.guests.iter().any(|guest| guest.leg == leg && !guest.up);
        guest || self.watch.as_ref().is_some_and(|watch| watch.record.leg == leg && !watch.up)
    }
}

impl Call {
    /// The legs of those who talk, a supervisor not among them; none unless they are joined.
    pub(crate) fn talkers(&self) -> Vec<LegId> {
        match &self.doing {
            Doing::Talk(talk) if talk.joined => {
                [self.caller.id, talk.peer].into_iter().chain(self.room.there()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a leg's party is one of those who talk.
    pub(crate) fn talks(&self, leg: LegId) -> bool {
        self.talkers().contains(&leg)
    }

    /// Who hears whom; nobody where two are simply joined.
    fn matrix(&self) -> Vec<MixMember> {
        let talkers: Vec<&Leg> = self.talkers().into_iter().filter_map(|leg| self.leg(leg)).collect();
        let watch = self.room.watch.as_ref().filter(|watch| watch.up);
        // whom we hold may go on speaking: his phone was only asked to stop
        let apart = |leg: &&Leg| leg.muted || leg.holding.by_us;
        let simple = talkers.len() < 3 && watch.is_none() && !talkers.iter().any(apart);
        if simple || talkers.len() < 2 {
            return Vec::new();
        }
        let heard: u32 = (0u32..).zip(&talkers).filter(|(_, leg)| !leg.is_held()).map(|(n, _)| 1 << n).sum();
        let above = 1 << talkers.len();
        let mut matrix: Vec<MixMember> = Vec::new();
        for leg in &talkers {
            let others = if leg.is_held() { 0 } else { heard };
            let supervisor = match watch.map(|watch| (watch.record.mode, watch.record.of)) {
                Some((SupervisionMode::BargeIn, _)) if !leg.is_held() => above,
                Some((SupervisionMode::Whisper, of)) if of == leg.id => above,
                _ => 0,
            };
            let own = 1 << matrix.len();
            matrix.push(MixMember { leg: leg.id, hears: (others | supervisor) & !own, muted: leg.muted });
        }
        if let Some(leg) = watch.and_then(|watch| self.leg(watch.record.leg)) {
            matrix.push(MixMember { leg: leg.id, hears: heard, muted: leg.muted });
        }
        matrix
    }

    /// Media joins those who talk.
    pub(crate) fn join_media(&mut self, desk: &mut Desk) {
        let Doing::Talk(talk) = &self.doing else { return };
        let peer = talk.peer;
        self.check_watch(desk);
        let matrix = self.matrix();
        if matrix.is_empty() {
            desk.media(MediaCommand::Bridge { a: self.caller.id, b: peer });
            self.room.pair = Some(self.pair_with(peer));
        } else {
            self.tell_matrix(desk, &matrix);
            self.room.pair = None;
        }
        self.room.told = matrix;
    }

    fn pair_with(&self, peer: LegId) -> [LegId; 2] {
        let mut pair = [self.caller.id, peer];
        pair.sort_unstable();
        pair
    }

    /// The two were joined before the answer.
    pub(crate) fn joined_early(&mut self, peer: LegId) {
        self.room.pair = Some(self.pair_with(peer));
    }

    /// Tells media who hears whom, if that has changed since they were joined.
    pub(crate) fn settle_room(&mut self, desk: &mut Desk) {
        let peer = match &self.doing {
            Doing::Talk(talk) if talk.joined && self.end.is_none() => talk.peer,
            _ => return,
        };
        self.check_watch(desk);
        let matrix = self.matrix();
        let same_two = !matrix.is_empty() || self.room.pair == Some(self.pair_with(peer));
        if matrix != self.room.told || !same_two {
            self.join_media(desk);
        }
        if self.room.told.is_empty() && self.room.speaker.is_some() {
            self.speaks(desk, None);
        }
    }

    fn tell_matrix(&self, desk: &mut Desk, matrix: &[MixMember]) {
        let gain = desk.conference_gain;
        desk.media(MediaCommand::Mix { mix: self.id, members: matrix.to_vec(), gain });
    }

    /// Takes those who talk apart.
    pub(crate) fn unjoin_media(&mut self, desk: &mut Desk) {
        let told = core::mem::take(&mut self.room.told);
        self.room.pair = None;
        if told.is_empty() {
            desk.media(MediaCommand::Unbridge { leg: self.caller.id });
        }
        for member in told {
            desk.media(MediaCommand::Unbridge { leg: member.leg });
        }
        self.room.speaker = None;
    }

    /// Somebody else speaks.
    pub(crate) fn speaks(&mut self, desk: &mut Desk, leg: Option<LegId>) {
        let leg = leg.filter(|leg| self.room.told.iter().any(|member| member.leg == *leg));
        if self.room.speaker != leg {
            self.room.speaker = leg;
            self.tell_speaker(desk);
        }
    }

    /// Nobody is to hear the party of a leg, or everybody again.
    pub(crate) fn mute(&mut self, desk: &mut Desk, id: LegId, muted: bool) -> Result<(), RoomRefusal> {
        let known = self.leg(id).is_some_and(Leg::is_alive);
        let supervises = self.room.watch.as_ref().is_some_and(|watch| watch.up && watch.record.leg == id);
        if !known {
            return Err(RoomRefusal::NotFound);
        }
        if !self.talks(id) && !supervises {
            return Err(RoomRefusal::NotTalking);
        }
        let (call, tenant) = (self.id, self.tenant());
        let Some(leg) = self.leg_mut(id).filter(|leg| leg.muted != muted) else {
            return Ok(());
        };
        leg.muted = muted;
        leg.told.muted = muted;
        desk.event(tenant, EventKind::LegMuted { call, leg: id, muted });
        self.settle_room(desk);
        Ok(())
    }

    /// A leg that rang for the room is answered.
    pub(crate) fn room_up(&mut self, desk: &mut Desk, id: LegId) {
        if self.room.watch.as_ref().is_some_and(|watch| watch.record.leg == id) {
            return self.watch_up(desk);
        }
        self.guest_up(desk, id);
    }

    /// A leg is gone: true if that is a matter of the room, and the talk goes on.
    pub(crate) fn left_room(&mut self, desk: &mut Desk, id: LegId, cause: Cause) -> bool {
        if self.room.watch.as_ref().is_some_and(|watch| watch.record.leg == id) {
            self.end_watch(desk, cause);
            self.settle_hold(desk);
            return true;
        }
        if self.guest_left(desk, id, cause) || self.talker_left(desk, id, cause) {
            self.settle_hold(desk);
            return true;
        }
        false
    }

    /// The talk is over: nobody is in it any more but the two.
    pub(crate) fn dismiss(&mut self, desk: &mut Desk) {
        let cause = self.end.map_or(Cause::Normal, |end| end.cause);
        if self.room.asked.take().is_some() {
            desk.clear(Timer::Route(self.id));
        }
        self.end_watch(desk, cause);
        for guest in core::mem::take(&mut self.room.guests) {
            self.tell_guest(desk, &guest, Some(cause));
            self.let_out(desk, guest.leg, cause);
        }
        self.room.told.clear();
        self.room.pair = None;
        self.room.speaker = None;
    }

    /// Ends a leg of the room. With the call's end all legs are ended in their order.
    pub(crate) fn let_out(&mut self, desk: &mut Desk, id: LegId, cause: Cause) {
        let is_there = self.leg(id).is_some_and(|leg| !matches!(leg.state, LegState::Gone));
        if is_there && self.end.is_none() {
            self.hang_up_leg(desk, id, cause);
        }
    }
}
