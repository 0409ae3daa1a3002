//! The phone's transactions (RFC 3261 17), as small as a phone can have them.

use super::api::PhoneCall;
use cordboard_model::config::SipTimers;
use cordboard_model::time::{Duration, Time};
use cordboard_sip::wire::{HeaderName, Message, Method};
use core::net::SocketAddr;

/// What a request was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Unregister,
    Invite(PhoneCall),
    Reinvite(PhoneCall),
    Cancel(PhoneCall),
    Bye(PhoneCall),
    Refer(PhoneCall),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No response yet.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A final response came; an INVITE's is acknowledged again when it comes again.
    Completed,
}

/// What a response means to its transaction's user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Tell the user.
    Tell,
    /// Known already; an ACK is to be repeated.
    Again,
    /// Nothing.
    Nothing,
}

/// A request of ours.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub purpose: Purpose,
    pub request: Message,
    pub bytes: Vec<u8>,
    pub to: SocketAddr,
    /// The ACK of a final response of 300 or above.
    pub ack: Option<Vec<u8>>,
    invite: bool,
    state: State,
    resend: Option<Time>,
    interval: Duration,
    /// Timer B or F while it waits, D when it is done.
    pub deadline: Time,
    timers: SipTimers,
}

impl Client {
    pub fn new(purpose: Purpose, request: Message, to: SocketAddr, timers: SipTimers, now: Time) -> Self {
        Self {
            purpose,
            bytes: request.to_bytes(),
            invite: request.method() == Some(&Method::Invite),
            request,
            to,
            ack: None,
            state: State::Calling,
            resend: Some(now + timers.t1),
            interval: timers.t1,
            deadline: now + timers.t1 * 64,
            timers,
        }
    }

    pub fn is_completed(&self) -> bool {
        self.state == State::Completed
    }

    /// A response to it.
    pub fn on_response(&mut self, code: u16, now: Time) -> News {
        match (self.state, code) {
            (State::Completed, 300..) if self.invite => News::Again,
            (State::Completed, _) => News::Nothing,
            (_, 100..=199) => {
                self.state = State::Proceeding;
                if self.invite {
                    self.resend = None;
                    // A phone rings no longer than three minutes.
                    self.deadline = self.deadline.max(now + Duration::from_secs(180) + self.timers.t1 * 64);
                }
                News::Tell
            }
            _ => {
                self.state = State::Completed;
                self.resend = None;
                // Timer D for what must be acknowledged again; nothing to wait for otherwise.
                let lingers = self.invite && code >= 300;
                self.deadline = if lingers { now + self.timers.t1 * 64 } else { now };
                News::Tell
            }
        }
    }

    /// Whether the request is to be sent again now.
    pub fn poll_resend(&mut self, now: Time) -> bool {
        let Some(at) = self.resend.filter(|at| *at <= now && now < self.deadline) else {
            return false;
        };
        // Timer A doubles without end, timer E up to T2 and is T2 in Proceeding (17.1.1.2, 17.1.2.2).
        self.interval = match (self.invite, self.state) {
            (true, _) => self.interval * 2,
            (false, State::Proceeding) => self.timers.t2,
            (false, _) => (self.interval * 2).min(self.timers.t2),
        };
        self.resend = Some(at.max(now) + self.interval);
        true
    }

    pub fn next(&self) -> Time {
        self.resend.unwrap_or(Time::FAR).min(self.deadline)
    }
}

/// A request of the switch.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub request: Message,
    pub to: SocketAddr,
    /// The latest response.
    pub bytes: Vec<u8>,
    /// Its status.
    pub code: u16,
    pub call: Option<PhoneCall>,
    resend: Option<Time>,
    interval: Duration,
    /// When it is forgotten: H or J.
    pub deadline: Time,
    timers: SipTimers,
}

impl Server {
    pub fn new(request: Message, to: SocketAddr, timers: SipTimers) -> Self {
        Self {
            request,
            to,
            bytes: Vec::new(),
            code: 0,
            call: None,
            resend: None,
            interval: timers.t1,
            deadline: Time::FAR,
            timers,
        }
    }

    pub fn is_invite(&self) -> bool {
        self.request.method() == Some(&Method::Invite)
    }

    /// Whether the final response is still owed.
    pub fn is_open(&self) -> bool {
        self.code < 200
    }

    pub fn respond(&mut self, response: &Message, now: Time) -> Vec<u8> {
        self.code = response.status().unwrap_or(500);
        self.bytes = response.to_bytes();
        if self.code >= 200 {
            self.deadline = now + self.timers.t1 * 64;
            if self.code >= 300 && self.is_invite() {
                self.resend = Some(now + self.timers.t1);
            }
        }
        self.bytes.clone()
    }

    /// The ACK of a refusal came.
    pub fn on_ack(&mut self, now: Time) {
        if self.code >= 300 {
            self.resend = None;
            self.deadline = self.deadline.min(now + self.timers.t4);
        }
    }

    pub fn poll_resend(&mut self, now: Time) -> bool {
        let Some(at) = self.resend.filter(|at| *at <= now && now < self.deadline) else {
            return false;
        };
        self.interval = (self.interval * 2).min(self.timers.t2);
        self.resend = Some(at.max(now) + self.interval);
        true
    }

    pub fn next(&self) -> Time {
        self.resend.unwrap_or(Time::FAR).min(self.deadline)
    }
}

/// The ACK of a refusal: the INVITE's branch, the response's To (17.1.1.3).
pub(super) fn ack_of(invite: &Message, response: &Message) -> Option<Message> {
    let mut ack = Message::request(Method::Ack, invite.request_uri()?.clone());
    ack.push(HeaderName::Via, invite.via_top().ok()?.to_string());
    ack.push(HeaderName::MaxForwards, "70");
    for route in invite.headers.get_all(&HeaderName::Route) {
        ack.push(HeaderName::Route, route);
    }
    ack.push(HeaderName::From, invite.header(&HeaderName::From)?);
    ack.push(HeaderName::To, response.header(&HeaderName::To)?);
    ack.push(HeaderName::CallId, invite.call_id().ok()?);
    ack.push(HeaderName::CSeq, format!("{} ACK", invite.cseq().ok()?.seq));
    Some(ack)
}
