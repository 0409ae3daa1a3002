//! What a phone is made with, what it is told and what it tells.

use super::digest::Digest;
use super::registrar::Registrar;
use cordboard_model::config::SipTimers;
use cordboard_model::media::Codec;
use cordboard_model::time::{Duration, Time};
use core::net::{IpAddr, SocketAddr};

/// What a phone is.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// Its account, or the number it calls from.
    pub user: String,
    /// The name it shows; empty for none.
    pub display: String,
    /// It writes the name it shows as the called party's too, which a switch keeps where it puts an account's
    /// own name in the caller's place: so a record tells which call it is of.
    pub names_callee: bool,
    /// Answers digest challenges; empty if it cannot.
    pub password: String,
    /// The host of its address of record.
    pub domain: String,
    /// Where its SIP socket is.
    pub sip_addr: SocketAddr,
    /// Where the RTP socket of its first line is; RTCP is one port up, each further line two.
    pub rtp_addr: SocketAddr,
    /// The address that its session descriptions name, where that is not where it is: behind a NAT.
    pub said_ip: Option<IpAddr>,
    /// The switch.
    pub server: SocketAddr,
    /// The algorithm it answers challenges with.
    pub digest: Digest,
    /// How long it asks to be registered; refreshed at half of what it gets.
    pub register: Duration,
    /// Calls it can be in at a time; one more gets 486. A carrier has many.
    pub lines: u16,
    /// The tone it says, hertz; a multiple of 50 is heard exactly.
    pub tone_hz: u16,
    /// How much higher each further line says it, hertz.
    pub tone_step_hz: u16,
    /// When it says it.
    pub voice: Voice,
    /// Codecs in the order it prefers.
    pub codecs: Vec<Codec>,
    /// What it does with a call that comes in.
    pub incoming: Plan,
    /// What it does wrong.
    pub quirks: Quirks,
    /// It registers others, as a carrier does.
    pub registrar: Option<Registrar>,
    /// Timers of RFC 3261 17.
    pub timers: SipTimers,
    /// Everything it draws comes from this.
    pub seed: u64,
}

impl PhoneConfig {
    /// A phone with one line that answers after a second, says 440 Hz and does nothing wrong.
    pub fn new(
        user: &str,
        password: &str,
        sip_addr: SocketAddr,
        rtp_addr: SocketAddr,
        server: SocketAddr,
    ) -> Self {
        Self {
            user: user.into(),
            display: String::new(),
            names_callee: false,
            password: password.into(),
            domain: server.ip().to_string(),
            sip_addr,
            rtp_addr,
            said_ip: None,
            server,
            digest: Digest::Sha256,
            register: Duration::from_secs(3_600),
            lines: 1,
            tone_hz: 440,
            tone_step_hz: 0,
            voice: Voice::Always,
            codecs: Codec::DEFAULT.to_vec(),
            incoming: Plan::answer(Duration::from_secs(1)),
            quirks: Quirks::default(),
            registrar: None,
            timers: SipTimers::default(),
            seed: 1,
        }
    }
}

/// When a phone sends audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Every 20 ms while it may.
    Always,
    /// Only while told to by [`Act::Speak`], and around digits; RTCP every five seconds either way.
    Probe,
}

/// What a phone does wrong, on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// It never acknowledges a 200.
    pub no_ack: bool,
    /// It never answers BYE.
    pub no_bye_reply: bool,
    /// It answers with 200 when it is cancelled, as if both had crossed.
    pub answers_cancel: bool,
    /// It hangs up before its own 200 is acknowledged (RFC 3261 15 forbids it).
    pub bye_before_ack: bool,
    /// It sends no RTCP either while it is silent.
    pub no_rtcp: bool,
    /// It calls without an offer, and answers the switch's with its ACK (RFC 3261 13.2.1). No fault, but rare.
    pub no_offer: bool,
}

/// How a phone meets a call, and what it does during one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The reply to a call that comes in; without meaning for one that goes out.
    pub reply: Reply,
    /// What is done when.
    pub steps: Vec<Step>,
}

/// The reply to a call that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Ring, then answer after this long.
    Answer(Duration),
    /// Send audio before the answer (183), then answer after this long.
    EarlyMedia(Duration),
    /// Ring, then refuse with this status after this long.
    Reject(u16, Duration),
    /// Ring until the caller gives up.
    RingOn,
    /// Not even a 100.
    Nothing,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Counted from here.
    pub from: Moment,
    /// How long after.
    pub after: Duration,
    /// What.
    pub act: Act,
}

/// A moment in the life of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It was begun, here or there.
    Start,
    /// It rings, here or there.
    Ringing,
    /// It was answered, here or there.
    Answered,
}

/// Something to be done in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Answer.
    Answer,
    /// Refuse with this status.
    Reject(u16),
    /// End it, whatever its state: CANCEL, 603 or BYE.
    HangUp,
    /// Press these keys as RFC 4733 events, 100 ms each.
    Press(String),
    /// Hold the peer by re-INVITE.
    Hold,
    /// Take it off hold.
    Resume,
    /// Say the tone for this long ([`Voice::Probe`]).
    Speak(Duration),
    /// Open the ear; what was heard before is forgotten.
    Listen,
    /// Send the peer to this number (REFER). The phone hangs up by itself once it is told that the number answered.
    Refer(String),
    /// Send the peer to whom the phone's oldest other call reached (REFER with Replaces); nothing if it has none.
    Join,
}

impl Plan {
    /// Answers after this long.
    pub fn answer(after: Duration) -> Self {
        Self::reply(Reply::Answer(after))
    }

    /// Rings for ever.
    pub fn ring_on() -> Self {
        Self::reply(Reply::RingOn)
    }

    /// Refuses with this status after this long.
    pub fn reject(code: u16, after: Duration) -> Self {
        Self::reply(Reply::Reject(code, after))
    }

    /// This reply, no steps.
    pub fn reply(reply: Reply) -> Self {
        Self { reply, steps: Vec::new() }
    }

    /// For a call that goes out: nothing but what is added.
    pub fn call() -> Self {
        Self::ring_on()
    }

    /// The same plan with one more step.
    #[must_use]
    pub fn then(mut self, from: Moment, after: Duration, act: Act) -> Self {
        self.steps.push(Step { from, after, act });
        self
    }

    /// The same plan, hanging up this long after the answer.
    #[must_use]
    pub fn hang_up_after(self, talk: Duration) -> Self {
        self.then(Moment::Answered, talk, Act::HangUp)
    }

    /// The same plan, pressing keys this long after the answer.
    #[must_use]
    pub fn press(self, after: Duration, keys: &str) -> Self {
        self.then(Moment::Answered, after, Act::Press(keys.into()))
    }
}

/// A call of one phone, counted from one and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneCall(pub u32);

/// What the phone gets.
#[derive(Clone, Copy, Debug)]
pub enum PhoneInput<'a> {
    /// A datagram on its SIP socket.
    Sip {
        /// Who sent it.
        from: SocketAddr,
        /// The message.
        bytes: &'a [u8],
    },
    /// A datagram on the RTP socket of a line, counted from zero.
    Rtp {
        /// Which line.
        line: u16,
        /// The packet.
        bytes: &'a [u8],
    },
}

/// What the phone is told.
#[derive(Clone, Debug)]
pub enum PhoneCommand {
    /// Register, and stay registered.
    Register,
    /// Remove the registration.
    Unregister,
    /// Call a number.
    Call {
        /// The number.
        to: String,
        /// The number it calls from; its own user if none.
        from: Option<String>,
        /// The name it shows; its own if none.
        display: Option<String>,
        /// What it does in the call.
        plan: Plan,
    },
    /// Do something in a call.
    Do {
        /// Which; the latest if none.
        call: Option<PhoneCall>,
        /// What.
        act: Act,
    },
    /// From now on meet calls like this.
    Incoming(Plan),
    /// From now on do this wrong.
    Quirks(Quirks),
}

/// What the phone wants done, or known, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneOutput {
    /// Send from its SIP socket.
    Sip {
        /// Where.
        to: SocketAddr,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Send from the RTP socket of a line.
    Rtp {
        /// Which line.
        line: u16,
        /// Where.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Send from the RTCP socket of a line.
    Rtcp {
        /// Which line.
        line: u16,
        /// Where.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Something happened.
    Event(PhoneEvent),
}

/// What happened to a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneEvent {
    /// The switch has its registration.
    Registered,
    /// As a carrier, it has registered somebody.
    TookRegistration,
    /// As a carrier, it was shown a wrong password.
    RefusedRegistration,
    /// The registration was removed.
    Unregistered,
    /// The registration was refused with this status; 408 when no answer came.
    RegisterFailed(u16),
    /// A call has come in and rings.
    Incoming(PhoneCall),
    /// It rings at the other end.
    Ringing(PhoneCall),
    /// The call is up.
    Answered(PhoneCall),
    /// A hold or resume of ours was accepted (`true`) or refused.
    HoldDone(PhoneCall, bool),
    /// What became of a REFER of ours: the status that refused it, or the last that a NOTIFY told.
    Referred(PhoneCall, u16),
    /// The call is over.
    Ended(PhoneCall, End),
    /// A call could not be begun: no free line, or the number is none.
    NotCalled,
}

/// How a call ended, as the phone saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// We hung up.
    Here,
    /// The peer hung up.
    There,
    /// The peer refused with this status.
    Refused(u16),
    /// We refused with this status.
    Declined(u16),
    /// The caller cancelled: the peer if it called us, else we did.
    Cancelled,
    /// No answer to a request of ours, or no ACK.
    Lost,
}

/// A call as the phone saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLog {
    /// Its number.
    pub call: PhoneCall,
    /// The line it used.
    pub line: u16,
    /// Whether the phone called.
    pub outgoing: bool,
    /// The peer's user part.
    pub peer: String,
    /// The name the peer showed, or the one that was shown to it.
    pub display: String,
    /// Its Call-ID.
    pub call_id: String,
    /// When it began.
    pub started: Time,
    /// When it rang.
    pub rang: Option<Time>,
    /// When it was answered.
    pub answered: Option<Time>,
    /// When it ended, and how.
    pub ended: Option<(Time, End)>,
    /// RTP packets received.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Held by the peer at this moment.
    pub held_by_peer: bool,
    /// Held by us at this moment.
    pub held: bool,
}
