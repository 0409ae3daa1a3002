//! One leg: its state, and the table of every state against every event.
//!
//! Invariants: a leg that was told to hang up ends, whatever crosses on the way; nothing happens to a leg
//! that is gone. The media of a leg is a small machine of its own: asked for, open, closing, free.

use crate::confirm::Confirm;
use crate::cover::Cover;
use crate::output::DialTarget;
use crate::told::ToldLeg;
use crate::verdict;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{LegRecord, LegRole};
use cordboard_model::id::{ActId, AgentId, LegId, PlaybackId, TrunkId};
use cordboard_model::leg::{LegEvent, PartyId};
use cordboard_model::media::LegStats;
use cordboard_model::time::{Duration, Wall};
use cordboard_model::view::{LegView, Unheard};

/// Where a leg stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegState {
    /// Caller: came in, not answered.
    Arrived,
    /// Caller: we want to answer; the 200 is on its way.
    Answering,
    /// Callee: its media port is asked for.
    Opening,
    /// Callee: called, nothing heard.
    Calling,
    /// Callee: rings.
    Ringing,
    /// Either: answered.
    Up,
    /// Either: told to hang up.
    Ending,
    /// Either: over.
    Gone,
}

/// What can happen to a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegInput {
    /// Its media port is there.
    Opened,
    /// It gets none.
    OpenFailed,
    /// A device rings.
    Ringing,
    /// The called side sends audio before its answer.
    EarlyMedia,
    /// It is answered.
    Answered,
    /// Our answer is acknowledged.
    Confirmed,
    /// The party holds or retrieves.
    PeerHold,
    /// Our hold was accepted or refused.
    HoldDone,
    /// The party wants the other one sent elsewhere.
    TransferAsked,
    /// The device says where the call shall go instead.
    Redirected,
    /// It is over.
    Ended,
    /// We want to answer.
    Answer,
    /// We want it to end.
    HangUp,
    /// The deadline of its state.
    Deadline,
}

/// What the call has to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LegAct {
    /// Nothing.
    Absorb,
    /// Go on with the call: the caller can hear.
    TellOpened,
    /// Refuse the call: no port.
    TellNoPort,
    /// Dial.
    Dial,
    /// Tell the call that it rings.
    TellRinging,
    /// Tell the call that it sends audio.
    TellEarly,
    /// Tell the call that it is answered.
    TellUp,
    /// Tell the call that its answer got stuck.
    TellStuck,
    /// Tell the call of the party's hold.
    TellHold,
    /// Tell the call what became of our hold.
    TellHoldDone,
    /// Tell the call of the wish for a transfer.
    TellTransfer,
    /// Keep where the device sends the call.
    KeepRedirect,
    /// Refuse that wish: it is not the moment.
    RefuseTransfer,
    /// Tell the call that it is over.
    TellGone,
    /// Send `Answer`.
    SendAnswer,
    /// Send `HangUp`.
    SendHangUp,
    /// Over without a word on the wire.
    Vanish,
}

impl LegState {
    /// The table. What is not written down is absorbed.
    pub(crate) fn on(self, input: LegInput) -> (LegState, LegAct) {
        use LegAct as A;
        use LegInput as I;
        use LegState as S;
        match (self, input) {
            (S::Arrived, I::Opened) => (S::Arrived, A::TellOpened),
            (S::Arrived, I::OpenFailed | I::Deadline) => (S::Arrived, A::TellNoPort),
            (S::Arrived, I::Answer) => (S::Answering, A::SendAnswer),

            // Either word means that the caller has the 200: the acknowledgement cannot come before it.
            (S::Answering, I::Answered | I::Confirmed) => (S::Up, A::TellUp),
            (S::Answering, I::Deadline) => (S::Answering, A::TellStuck),
            (S::Answering | S::Up, I::PeerHold) => (self, A::TellHold),

            (S::Opening, I::Opened) => (S::Calling, A::Dial),
            (S::Opening, I::OpenFailed | I::Deadline) => (S::Gone, A::TellGone),
            (S::Opening, I::HangUp) => (S::Gone, A::Vanish),

            (S::Calling, I::Ringing) => (S::Ringing, A::TellRinging),
            (S::Calling | S::Ringing, I::EarlyMedia) => (S::Ringing, A::TellEarly),
            (S::Calling | S::Ringing, I::Answered) => (S::Up, A::TellUp),

            (S::Calling | S::Ringing, I::Redirected) => (self, A::KeepRedirect),

            (S::Up, I::HoldDone) => (S::Up, A::TellHoldDone),
            (S::Up, I::TransferAsked) => (S::Up, A::TellTransfer),
            (S::Gone, I::TransferAsked) => (S::Gone, A::Absorb),
            (_, I::TransferAsked) => (self, A::RefuseTransfer),

            // The 200 crossed our CANCEL: the dialog exists after all and wants its BYE (RFC 3261 9.1).
            (S::Ending, I::Answered) => (S::Ending, A::SendHangUp),
            (S::Ending, I::Deadline) => (S::Gone, A::TellGone),

            (S::Gone, _) => (S::Gone, A::Absorb),
            (S::Ending, I::HangUp) => (S::Ending, A::Absorb),
            (_, I::HangUp) => (S::Ending, A::SendHangUp),
            (_, I::Ended) => (S::Gone, A::TellGone),
            (_, _) => (self, A::Absorb),
        }
    }
}

impl From<&LegEvent> for LegInput {
    fn from(event: &LegEvent) -> Self {
        match event {
            LegEvent::Ringing => LegInput::Ringing,
            LegEvent::EarlyMedia => LegInput::EarlyMedia,
            LegEvent::Answered => LegInput::Answered,
            LegEvent::Confirmed => LegInput::Confirmed,
            LegEvent::PeerHold { .. } => LegInput::PeerHold,
            LegEvent::HoldDone { .. } => LegInput::HoldDone,
            LegEvent::TransferAsked { .. } => LegInput::TransferAsked,
            LegEvent::Redirected { .. } => LegInput::Redirected,
            LegEvent::Ended { .. } => LegInput::Ended,
        }
    }
}

/// A leg's port on the media thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// `Open` is on its way.
    Asked,
    /// It is there.
    Open,
    /// `Close` is on its way.
    Closing,
    /// There is none, or none any more.
    Free,
}

/// What a playback is for, which decides what its end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A flow's step: a list, or a prompt before keys.
    Step,
    /// A failed flow's apology.
    Apology,
    /// Waiting music.
    Music,
    /// A queue's announcement.
    Announcement,
    /// Ring-back.
    RingBack,
    /// Hold music.
    Hold,
    /// What who answers a flow's ringing hears before he is joined.
    Whisper,
    /// What is heard before two are joined.
    Opening,
    /// That a key is to be pressed.
    Question,
    /// That the longest talk is near its end.
    Warning,
    /// What a program has played, or asks for keys with.
    Asked(ActId),
}

/// How a leg ended, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LegEnd {
    pub(crate) at: Wall,
    pub(crate) cause: Cause,
    pub(crate) sip_status: Option<u16>,
}

/// Hold, from both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// The party holds us.
    pub(crate) by_peer: bool,
    /// We hold the party.
    pub(crate) by_us: bool,
    /// What was last commanded.
    pub(crate) wanted: bool,
    /// The leg of the agent at whose desk that was.
    pub(crate) orderer: Option<LegId>,
    /// The re-INVITE under way.
    pub(crate) asked: Option<bool>,
    /// What media were told last.
    pub(crate) told: bool,
}

/// One leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) role: LegRole,
    pub(crate) party: PartyId,
    pub(crate) agent: Option<AgentId>,
    /// By which it came or was called.
    pub(crate) trunk: Option<TrunkId>,
    /// A trunk carries it though an agent or an account was called: his telephone is outside.
    pub(crate) carried: bool,
    pub(crate) state: LegState,
    pub(crate) port: Port,
    /// Where to dial once the port is open, and who is shown as calling; callees only.
    pub(crate) dial: Option<(DialTarget, PartyId)>,
    /// Where its device sends the call.
    pub(crate) redirect: Option<String>,
    /// How the party is rung again, if it is one of ours.
    pub(crate) back: Option<DialTarget>,
    pub(crate) started: Wall,
    /// When its party's phone rang, or it was heard early.
    pub(crate) rang: Option<Wall>,
    /// When it was picked up, if more was asked for before it counted as answered.
    pub(crate) picked_up: Option<Wall>,
    pub(crate) answered: Option<Wall>,
    /// What is asked of who answers, if anything.
    pub(crate) confirm: Option<Box<Confirm>>,
    pub(crate) end: Option<LegEnd>,
    pub(crate) stats: LegStats,
    pub(crate) playing: Option<(PlaybackId, Heard)>,
    /// How it is not heard, if it is not.
    pub(crate) unheard: Option<Unheard>,
    /// Told that it rings (180); callers only.
    pub(crate) told_ringing: bool,
    /// Told to listen before the answer (183); callers only.
    pub(crate) told_early: bool,
    /// What readers of this call were told last.
    pub(crate) told: ToldLeg,
    pub(crate) holding: Holding,
    /// Nobody is to hear its party.
    pub(crate) muted: bool,
    /// Nobody is to hear or record it, and why.
    pub(crate) cover: Cover,
}

impl Leg {
    /// A leg whose port is being asked for.
    pub(crate) fn new(id: LegId, role: LegRole, party: PartyId, started: Wall) -> Self {
        Self {
            id,
            role,
            party,
            agent: None,
            trunk: None,
            carried: false,
            state: match role {
                LegRole::Caller => LegState::Arrived,
                LegRole::Callee => LegState::Opening,
            },
            port: Port::Asked,
            dial: None,
            redirect: None,
            back: None,
            started,
            rang: None,
            picked_up: None,
            answered: None,
            confirm: None,
            end: None,
            stats: LegStats::default(),
            playing: None,
            unheard: None,
            told_ringing: false,
            told_early: false,
            told: ToldLeg::default(),
            holding: Holding::default(),
            muted: false,
            cover: Cover::default(),
        }
    }

    /// Whether signalling still has it.
    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.state, LegState::Ending | LegState::Gone)
    }

    /// Whether it was answered, and its key is waited for.
    pub(crate) fn is_asked(&self) -> bool {
        self.state == LegState::Up && self.confirm.as_ref().is_some_and(|confirm| confirm.asked)
    }

    /// Whether nothing of it is left anywhere.
    pub(crate) fn is_finished(&self) -> bool {
        self.state == LegState::Gone && self.port == Port::Free
    }

    /// Whether it is on hold, by either side.
    pub(crate) fn is_held(&self) -> bool {
        self.holding.by_peer || self.holding.by_us
    }

    /// Its line in the call's record. `ended` and `cause` stand in while its end is not known.
    pub(crate) fn record(&self, ended: Wall, cause: Cause) -> LegRecord {
        let end = self.end.unwrap_or(LegEnd { at: ended, cause, sip_status: None });
        let who = verdict::name(self.role, self.agent.is_some());
        let up = |answered: Wall| {
            let ms = end.at.0.saturating_sub(answered.0);
            Duration::from_millis(u64::try_from(ms).unwrap_or(0))
        };
        let findings =
            self.answered.map(|answered| verdict::findings(&self.stats, up(answered))).unwrap_or_default();
        LegRecord {
            verdict: verdict::words(who, &findings),
            findings,
            presented: None,
            trunk: None,
            video: None,
            leg: self.id,
            role: self.role,
            party: self.party.clone(),
            agent: self.agent.clone(),
            started: self.started,
            rang: self.rang,
            picked_up: self.picked_up,
            answered: self.answered,
            ended: end.at,
            cause: end.cause,
            sip_status: end.sip_status,
            stats: self.stats,
        }
    }

    /// As readers see it.
    pub(crate) fn view(&self) -> LegView {
        let ToldLeg { answered, held, muted, unheard } = self.to_tell();
        LegView { leg: self.id, party: self.party.clone(), answered, held, unheard, muted }
    }

    /// What of it changes for readers.
    pub(crate) fn to_tell(&self) -> ToldLeg {
        ToldLeg {
            answered: self.answered.is_some(),
            held: self.is_held(),
            muted: self.muted,
            unheard: self.unheard.filter(|_| self.answered.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    const STATES: [LegState; 8] = [
        LegState::Arrived,
        LegState::Answering,
        LegState::Opening,
        LegState::Calling,
        LegState::Ringing,
        LegState::Up,
        LegState::Ending,
        LegState::Gone,
    ];
    const INPUTS: [LegInput; 14] = [
        LegInput::Opened,
        LegInput::OpenFailed,
        LegInput::Ringing,
        LegInput::EarlyMedia,
        LegInput::Answered,
        LegInput::Confirmed,
        LegInput::PeerHold,
        LegInput::HoldDone,
        LegInput::TransferAsked,
        LegInput::Redirected,
        LegInput::Ended,
        LegInput::Answer,
        LegInput::HangUp,
        LegInput::Deadline,
    ];

    #[test]
    fn every_state_against_every_event() {
        let mut table = String::new();
        for state in STATES {
            let _ = writeln!(table, "{state:?}");
            for input in INPUTS {
                let (to, act) = state.on(input);
                if (to, act) == (state, LegAct::Absorb) {
                    let _ = writeln!(table, "  {input:?}: absorbed");
                } else {
                    let _ = writeln!(table, "  {input:?}: {to:?}, {act:?}");
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_leg_told_to_hang_up_never_comes_back() {
        for input in INPUTS {
            let (to, _) = LegState::Ending.on(input);
            assert!(matches!(to, LegState::Ending | LegState::Gone), "{input:?} leads to {to:?}");
            assert_eq!(LegState::Gone.on(input), (LegState::Gone, LegAct::Absorb));
        }
    }
}
