//! One call of a phone: its dialog, its plan, its media.

use super::api::{Act, CallLog, Moment, PhoneCall, Plan};
use super::voice::Media;
use cordboard_model::media::Direction;
use cordboard_model::time::{Duration, Time};
use cordboard_sip::wire::{HeaderName, Message, Method, Uri};

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// We called; no final response yet.
    Calling,
    /// It rings here.
    Ringing,
    /// Answered.
    Up,
    /// We hung up; the BYE is not answered yet.
    Leaving,
}

/// Our 200 that waits for its ACK.
#[derive(Clone, Debug)]
pub(super) struct Unacked {
    pub bytes: Vec<u8>,
    pub cseq: u32,
    pub resend: Time,
    pub interval: Duration,
    pub deadline: Time,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Line {
    pub slot: u16,
    pub state: State,
    pub outgoing: bool,
    pub call_id: String,
    /// Our From or To value, with tag.
    pub local: String,
    /// The peer's.
    pub remote: String,
    pub remote_tag: Option<String>,
    pub target: Uri,
    pub routes: Vec<String>,
    pub cseq: u32,
    pub peer_cseq: Option<u32>,
    /// Branch of the INVITE that made the call.
    pub branch: String,
    pub proceeding: bool,
    pub rang: bool,
    /// We gave up before the answer.
    pub cancelled: bool,
    pub cancel_sent: bool,
    pub challenged: bool,
    /// We want to hang up as soon as our 200 is acknowledged.
    pub bye_wanted: bool,
    pub unacked: Option<Unacked>,
    /// A re-INVITE of ours: whether it holds.
    pub reinvite: Option<bool>,
    pub reinvite_again: Option<Time>,
    pub held: bool,
    pub held_by_peer: bool,
    pub sdp_session: u64,
    pub sdp_version: u64,
    pub plan: Plan,
    pub due: Vec<(Time, Act)>,
    pub media: Media,
    /// Its place in the phone's log.
    pub log: usize,
}

impl Line {
    /// A moment came: its steps are due from now on.
    pub fn moment(&mut self, moment: Moment, now: Time) {
        let steps = self.plan.steps.iter().filter(|step| step.from == moment);
        self.due.extend(steps.map(|step| (now + step.after, step.act.clone())));
    }

    /// A step that is due, the earliest first.
    pub fn pop_due(&mut self, now: Time) -> Option<Act> {
        let at = self
            .due
            .iter()
            .enumerate()
            .min_by_key(|(i, (at, _))| (*at, *i))
            .map(|(i, (at, _))| (i, *at))
            .filter(|(_, at)| *at <= now)
            .map(|(i, _)| i)?;
        Some(self.due.remove(at).1)
    }

    pub fn next(&self) -> Time {
        let due = self.due.iter().map(|(at, _)| *at);
        let unacked = self.unacked.iter().map(|u| u.resend.min(u.deadline));
        let media = self.media.poll_timeout();
        due.chain(unacked).chain(media).chain(self.reinvite_again).min().unwrap_or(Time::FAR)
    }

    /// What we say about our side when we offer.
    pub fn direction(&self) -> Direction {
        if self.held { Direction::SendOnly } else { Direction::SendRecv }
    }

    /// A request within the dialog.
    pub fn request(&mut self, method: Method) -> Message {
        self.cseq += 1;
        let cseq = self.cseq;
        self.request_with(method, cseq)
    }

    pub fn request_with(&self, method: Method, cseq: u32) -> Message {
        let line = format!("{cseq} {method}");
        let mut message = Message::request(method, self.target.clone());
        message.push(HeaderName::MaxForwards, "70");
        for route in &self.routes {
            message.push(HeaderName::Route, route.clone());
        }
        message.push(HeaderName::From, self.local.clone());
        message.push(HeaderName::To, self.remote.clone());
        message.push(HeaderName::CallId, self.call_id.clone());
        message.push(HeaderName::CSeq, line);
        message
    }
}

/// Writes down what a line knows.
pub(super) fn note(log: &mut CallLog, line: &Line) {
    log.received = line.media.received;
    log.sent = line.media.sent;
    log.held = line.held;
    log.held_by_peer = line.held_by_peer;
}

/// A new entry of the log.
pub(super) fn entry(call: PhoneCall, line: u16, outgoing: bool, call_id: &str, now: Time) -> CallLog {
    CallLog {
        call,
        line,
        outgoing,
        peer: String::new(),
        display: String::new(),
        call_id: call_id.into(),
        started: now,
        rang: None,
        answered: None,
        ended: None,
        received: 0,
        sent: 0,
        held_by_peer: false,
        held: false,
    }
}
