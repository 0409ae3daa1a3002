//! What the shard asks of a media thread and what comes back. Packets never appear here.

pub use crate::codec::{Codec, OpusParams, VideoFeedback};
use crate::id::{AssetId, CallId, LegId, PlaybackId, RecordingId, StreamId};
use crate::path::{MediaPath, PathFault};
use crate::speech::Speech;
use crate::srtp::SrtpKeys;
use crate::stream::Track;
use crate::tone::{Signal, TonePlan};
use core::net::{IpAddr, SocketAddr};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How keys reach a party and come from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DtmfKind {
    /// As RTP events (RFC 4733), where both sides agree on them.
    #[default]
    Rfc4733,
    /// By signalling: SIP INFO.
    Info,
    /// As the two tones of a key in the audio (ITU-T Q.23). So it is, too, where RTP events are wanted and not agreed on.
    Inband,
}

/// Which way audio flows, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// We send, the peer is silent.
    SendOnly,
    /// We only receive.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// From its two halves.
    pub fn new(send: bool, recv: bool) -> Self {
        match (send, recv) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
    /// Whether we may send.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }
    /// Whether we expect to receive.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
    /// The same flow seen from the peer.
    pub fn reversed(self) -> Self {
        Direction::new(self.receives(), self.sends())
    }
}

/// What offer and answer settled for one audio stream of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamParams {
    /// Where the peer wants RTP. Its RTCP is one port up, unless both share one.
    pub remote: SocketAddr,
    /// RTCP goes and comes by the RTP port (RFC 5761).
    #[serde(default)]
    pub rtcp_mux: bool,
    /// The codec in use both ways.
    pub codec: Codec,
    /// The payload type we send it with.
    pub send_payload_type: u8,
    /// The payload type the peer sends it with.
    pub recv_payload_type: u8,
    /// RFC 4733 events: the payload types we send and receive them with.
    pub dtmf: Option<(u8, u8)>,
    /// Their clock, hertz: that of the codec, unless the peer knows no such events.
    #[serde(default = "telephone_hz")]
    pub dtmf_hz: u32,
    /// Comfort noise (RFC 3389) at the clock of the codec: the payload types we send and receive it with.
    #[serde(default)]
    pub comfort: Option<(u8, u8)>,
    /// What the peer wants of Opus, if that is the codec.
    #[serde(default)]
    pub opus: OpusParams,
    /// Packet length we send, milliseconds, 10 to 60.
    pub ptime_ms: u8,
    /// Which way audio flows, seen from us.
    pub direction: Direction,
}

fn telephone_hz() -> u32 {
    8_000
}

/// A tone the switch makes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Ring-back, as the call's tenant has it.
    RingBack,
    /// Busy, as the call's tenant has it.
    Busy,
    /// Congestion, as the call's tenant has it.
    Congestion,
    /// Dial tone, as the call's tenant has it.
    Dial,
    /// Special information: three rising tones, then a pause of a second.
    Information,
    /// One of those above, as a country's networks play it. The shard puts it in their place.
    Of(TonePlan, Signal),
    /// A short beep, 1,000 Hz for 200 ms.
    Beep,
    /// A steady sine of this many hertz, for tests and line checks; 100 to 3,400.
    Hertz(u16),
}

impl Tone {
    /// What it says, if it is one that each country has its own way to play.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Tone::RingBack => Some(Signal::RingBack),
            Tone::Busy => Some(Signal::Busy),
            Tone::Congestion => Some(Signal::Congestion),
            Tone::Dial => Some(Signal::Dial),
            Tone::Information => Some(Signal::Information),
            Tone::Of(_, signal) => Some(signal),
            Tone::Beep | Tone::Hertz(_) => None,
        }
    }

    /// The same as that country plays it; one that was a country's before stays.
    pub fn of(self, plan: TonePlan) -> Self {
        match (self, self.signal()) {
            (Tone::Of(..), _) | (_, None) => self,
            (_, Some(signal)) => Tone::Of(plan, signal),
        }
    }
}

/// One thing to play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayItem {
    /// A prompt or music file.
    Asset(AssetId),
    /// A tone, for this many milliseconds; periodic tones go on until then.
    Tone(Tone, u32),
    /// Silence for this many milliseconds.
    Silence(u32),
    /// Speech. The shard has it made and puts the asset in its place; a media thread never plays it.
    Say(Box<Speech>),
}

/// How often a playlist is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Once; [`MediaEvent::PlayDone`] follows.
    Once,
    /// Until stopped.
    Forever,
}

/// Most members of a mix: who hears whom is a matrix of bits, 32 to a row.
pub const MIX_MEMBERS_MAX: usize = 32;

/// One member of a mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixMember {
    /// The leg.
    pub leg: LegId,
    /// Bit n: its party hears the n-th member of the list. Its own bit counts for nothing.
    pub hears: u32,
    /// Its party is heard by nobody, and not recorded.
    pub muted: bool,
}

/// What the shard asks of a media thread. Commands for one leg are obeyed in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaCommand {
    /// Make a leg: bind a port pair. Answered by `Opened` or `OpenFailed`.
    Open {
        /// The leg.
        leg: LegId,
        /// A leg of the same call, on whose media thread this one belongs.
        near: Option<LegId>,
    },
    /// Set or change what was negotiated. A changed remote address starts symmetric learning anew.
    Configure {
        /// The leg.
        leg: LegId,
        /// What offer and answer settled.
        params: StreamParams,
        /// The host that the party's signalling comes from, if it is known: where nothing comes from `params.remote`, its packets
        /// are believed before those of any other host.
        #[serde(default)]
        signals: Option<IpAddr>,
        /// The keys of a stream over secure RTP; none for plain RTP. A key that stays goes on where it is. They are
        /// written nowhere.
        #[serde(skip)]
        keys: Option<Box<SrtpKeys>>,
        /// How its way is found and its keys come to be, where that is left to ICE and DTLS.
        #[serde(skip)]
        path: Option<Box<MediaPath>>,
    },
    /// The leg carries video beside the audio of another leg, in a stream of its own: no silence of it is told, and it is joined with
    /// others that do the same. Before its first `Configure`, and again when `feedback` changes.
    Video {
        /// The leg.
        leg: LegId,
        /// The leg of its party's audio; both are of one source for the party (RTCP CNAME).
        beside: LegId,
        /// What its party takes.
        feedback: VideoFeedback,
    },
    /// Play to the leg's party. A playback replaces the one that is on; while one is on, the bridge is not heard.
    Play {
        /// The leg.
        leg: LegId,
        /// Names this playback in `PlayDone`.
        playback: PlaybackId,
        /// In this order.
        items: Vec<PlayItem>,
        /// Once or for ever.
        repeat: Repeat,
    },
    /// Stop the playback, if it is still this one. `PlayDone` with `finished: false` follows.
    StopPlay {
        /// The leg.
        leg: LegId,
        /// Which playback.
        playback: PlaybackId,
    },
    /// Join two legs: each hears the other. Joining a joined leg parts it from its old partner first.
    Bridge {
        /// One leg.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// Legs hear each other as a matrix says: several of them, or two of which not each hears the other. States the whole:
    /// legs that are not named leave the mix, ones that are named leave what they were joined with. What each is sent goes
    /// on as one stream. [`MediaCommand::Bridge`], [`MediaCommand::Unbridge`] and [`MediaCommand::Close`] take a leg out; a
    /// mix without legs is no more.
    Mix {
        /// Whose mix.
        mix: CallId,
        /// At most [`MIX_MEMBERS_MAX`]; with more the command is refused.
        members: Vec<MixMember>,
        /// Soft and loud voices are made equal.
        gain: bool,
    },
    /// Part a leg from its partner, or take it out of its mix.
    Unbridge {
        /// Either of the two.
        leg: LegId,
    },
    /// How keys are sent to the leg's party from now on. RTP events until this is said.
    Dtmf {
        /// The leg.
        leg: LegId,
        /// How.
        kind: DtmfKind,
    },
    /// The leg's party pressed a key and signalling told so. It is told as `Digit`, and passed on to the party that the
    /// leg is joined with, unless it is the press that an event has told of.
    Pressed {
        /// The leg.
        leg: LegId,
        /// Of `0-9*#A-D`.
        digit: char,
    },
    /// Send keys to the leg's party, as [`MediaCommand::Dtmf`] says.
    SendDigits {
        /// The leg.
        leg: LegId,
        /// Of `0-9*#A-D`.
        digits: String,
        /// Length of each, milliseconds, 40 to 5,000.
        length_ms: u16,
    },
    /// Record what the parties say, on one sample clock: left channel and right channel.
    Record {
        /// Names this recording.
        recording: RecordingId,
        /// The left channel: the caller.
        left: LegId,
        /// The right channel: the agent. Silent if there is none.
        right: Option<LegId>,
    },
    /// From now on (`on`), or no longer, a recording is silent. Its clock goes on. `RecordingPaused` follows if that
    /// changed something.
    PauseRecord {
        /// Which.
        recording: RecordingId,
        /// Whether it is paused now.
        on: bool,
    },
    /// From now on (`on`), or no longer, what the leg's party says and presses is a secret: it is in no recording and
    /// nobody hears it. `Digit` tells of its keys all the same, for who collects them. When it ends, the party stays
    /// unheard until the key in hand has been let go.
    Secret {
        /// The leg.
        leg: LegId,
        /// Whether it is a secret now.
        on: bool,
    },
    /// End a recording. `RecordingClosed` follows.
    StopRecord {
        /// Which.
        recording: RecordingId,
    },
    /// A program has the leg: its party's audio is handed out in pieces, and the party hears what is fed.
    Live {
        /// The leg.
        leg: LegId,
        /// Names the stream.
        stream: StreamId,
    },
    /// A program listens to the leg's party, whoever the party talks to, and is not heard.
    Listen {
        /// The leg.
        leg: LegId,
        /// Names the stream.
        stream: StreamId,
        /// What the pieces are marked with.
        track: Track,
    },
    /// The program has the leg no longer, or listens no longer, if it is still this one.
    StopLive {
        /// The leg.
        leg: LegId,
        /// Which.
        stream: StreamId,
    },
    /// Hold started or ended: the silence limit does not count while held.
    Held {
        /// The leg.
        leg: LegId,
        /// Whether it is on hold now.
        held: bool,
    },
    /// End all that is done with the leg, and keep its port and its party for what comes next. `Vacated` with its figures
    /// follows.
    Vacate {
        /// The leg.
        leg: LegId,
    },
    /// Free the leg. `Closed` with its figures follows.
    Close {
        /// The leg.
        leg: LegId,
    },
}

/// Why a leg got no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenError {
    /// Every port of the range is in use.
    RangeExhausted,
    /// The operating system refused to bind.
    BindFailed,
    /// The media thread's lane is full.
    Overloaded,
}

/// Figures of one leg, from its opening to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LegStats {
    /// The codec that was agreed on last; none if none ever was.
    #[serde(default)]
    pub codec: Option<Codec>,
    /// RTP packets received and accepted.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Packets that the sequence numbers say were lost on the way to us.
    pub lost: u64,
    /// Packets refused: wrong source after the lock.
    pub foreign: u64,
    /// Packets refused: not RTP, unknown payload type, too long.
    pub malformed: u64,
    /// Packets refused: not sealed with the key that was agreed for secure RTP, or replayed.
    #[serde(default)]
    pub unsealed: u64,
    /// Interarrival jitter (RFC 3550 6.4.1) at the end, microseconds.
    pub jitter_us: u32,
    /// The highest it was.
    #[serde(default)]
    pub jitter_peak_us: u32,
    /// Gaps in the sequence numbers: packets lost side by side are one.
    #[serde(default)]
    pub gaps: u64,
    /// Packets that came behind later ones.
    #[serde(default)]
    pub late: u64,
    /// Mean opinion score of what came (E-model, ITU-T G.107), hundredths, 100 to 450.
    #[serde(default)]
    pub mos: Option<u16>,
    /// What the party reports of what it hears of us, if it reports.
    #[serde(default)]
    pub far: Option<FarStats>,
    /// Audio for the party that was invented because its partner's was lost or late, milliseconds. Only where the
    /// partner's audio is decoded.
    #[serde(default)]
    pub concealed_ms: u64,
    /// For how long nothing was heard of the party that should have been, milliseconds; only where it was longer than
    /// configured.
    #[serde(default)]
    pub unheard_ms: u64,
    /// Packets that came more than 60 ms after the quickest of their time, and how late the latest was, milliseconds.
    #[serde(default)]
    pub delayed: u64,
    /// See `delayed`.
    #[serde(default)]
    pub delay_peak_ms: u32,
    /// The party's session description names a private address, and ours does not.
    #[serde(default)]
    pub private: bool,
    /// What was wrong with the way to the party, or with its keys, at the end.
    #[serde(default)]
    pub fault: Option<PathFault>,
}

/// What a party's receiver reports (RTCP) say of our stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct FarStats {
    /// Packets of ours that it lost.
    pub lost: u64,
    /// Packets that we had sent when it reported last: what `lost` is a part of.
    #[serde(default)]
    pub of: u64,
    /// Interarrival jitter there at the last report, microseconds.
    pub jitter_us: u32,
    /// Round trip, microseconds, smoothed over its reports; `None` if none gave one.
    pub round_trip_us: Option<u32>,
    /// Mean opinion score of what it hears, hundredths.
    pub mos: Option<u16>,
}

/// What became of a party's audio while its call is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "audio", rename_all = "snake_case")]
pub enum AudioNews {
    /// Nothing ever came, for the configured time.
    Nothing,
    /// It was heard before and is no more, while its partner is: one-way audio. Reports (RTCP) alone do not count.
    OneWay,
    /// It is heard (again).
    Back,
    /// So many packets of the last second came late.
    Late {
        /// How many.
        packets: u32,
        /// By how much the latest, milliseconds.
        by_ms: u32,
    },
}

/// What a media thread tells the shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaEvent {
    /// The leg has a port.
    Opened {
        /// The leg.
        leg: LegId,
        /// The address for our session descriptions.
        local: SocketAddr,
    },
    /// The leg has no port and does not exist.
    OpenFailed {
        /// The leg.
        leg: LegId,
        /// Why.
        why: OpenError,
    },
    /// The party pressed a key. Sent once per press, at its first packet.
    Digit {
        /// The leg.
        leg: LegId,
        /// Of `0-9*#A-D`.
        digit: char,
    },
    /// A key is due at the leg's party, which takes keys by signalling.
    DigitDue {
        /// The leg.
        leg: LegId,
        /// Of `0-9*#A-D`.
        digit: char,
        /// How long it is pressed, milliseconds.
        length_ms: u16,
    },
    /// A playback ended.
    PlayDone {
        /// The leg.
        leg: LegId,
        /// Which playback.
        playback: PlaybackId,
        /// False if stopped, replaced, or an asset was missing.
        finished: bool,
    },
    /// The first valid packet: the source is locked to this address.
    Locked {
        /// The leg.
        leg: LegId,
        /// Where the party's audio comes from.
        from: SocketAddr,
    },
    /// Neither RTP nor RTCP came for the configured time, and the leg is not held. Sent once per silence.
    Silent {
        /// The leg.
        leg: LegId,
    },
    /// A party is not heard, or heard again, or late.
    Audio {
        /// The leg.
        leg: LegId,
        /// What.
        news: AudioNews,
    },
    /// A recording is silent from here on, or no longer.
    RecordingPaused {
        /// Which.
        recording: RecordingId,
        /// Whether it is paused now.
        on: bool,
        /// The first sample that is silent, or the first that is not, counted from the start on each channel, at the recording's rate.
        sample: u64,
    },
    /// Somebody else speaks in a mix, or nobody does any more.
    Speaking {
        /// Whose mix.
        mix: CallId,
        /// Who, or nobody.
        leg: Option<LegId>,
    },
    /// The stream cannot be secured as it was agreed: nothing will be heard either way.
    PathFailed {
        /// The leg.
        leg: LegId,
        /// Why.
        fault: PathFault,
    },
    /// The recording has its last sample.
    RecordingClosed {
        /// Which.
        recording: RecordingId,
        /// Length in milliseconds.
        length_ms: u64,
        /// Audio that was replaced by silence because the writer was too slow, milliseconds.
        dropped_ms: u64,
    },
    /// Nothing is done with the leg any more.
    Vacated {
        /// The leg.
        leg: LegId,
        /// Its figures since it was opened, or vacated before.
        stats: LegStats,
    },
    /// The leg's port is free again.
    Closed {
        /// The leg.
        leg: LegId,
        /// Its figures.
        stats: LegStats,
    },
}

impl MediaEvent {
    /// The leg that it is about, if it is about one.
    pub fn leg_mut(&mut self) -> Option<&mut LegId> {
        match self {
            MediaEvent::Opened { leg, .. }
            | MediaEvent::OpenFailed { leg, .. }
            | MediaEvent::Digit { leg, .. }
            | MediaEvent::DigitDue { leg, .. }
            | MediaEvent::PlayDone { leg, .. }
            | MediaEvent::Locked { leg, .. }
            | MediaEvent::Silent { leg }
            | MediaEvent::Audio { leg, .. }
            | MediaEvent::PathFailed { leg, .. }
            | MediaEvent::Vacated { leg, .. }
            | MediaEvent::Closed { leg, .. } => Some(leg),
            MediaEvent::RecordingPaused { .. }
            | MediaEvent::RecordingClosed { .. }
            | MediaEvent::Speaking { .. } => None,
        }
    }
}

impl MediaCommand {
    /// Every leg that it needs on one media thread.
    pub fn legs(&self) -> impl Iterator<Item = LegId> + '_ {
        let second = match self {
            MediaCommand::Bridge { b, .. } => Some(*b),
            MediaCommand::Record { right, .. } => *right,
            _ => None,
        };
        let members: &[MixMember] = match self {
            MediaCommand::Mix { members, .. } => members.get(1..).unwrap_or_default(),
            _ => &[],
        };
        self.leg().into_iter().chain(second).chain(members.iter().map(|member| member.leg))
    }

    /// All legs that it names.
    pub fn legs_mut(&mut self) -> Vec<&mut LegId> {
        match self {
            MediaCommand::Open { leg, near } => core::iter::once(leg).chain(near).collect(),
            MediaCommand::Video { leg: a, beside: b, .. } | MediaCommand::Bridge { a, b } => vec![a, b],
            MediaCommand::Record { left, right, .. } => core::iter::once(left).chain(right).collect(),
            MediaCommand::Mix { members, .. } => members.iter_mut().map(|member| &mut member.leg).collect(),
            MediaCommand::Configure { leg, .. }
            | MediaCommand::Play { leg, .. }
            | MediaCommand::StopPlay { leg, .. }
            | MediaCommand::Unbridge { leg }
            | MediaCommand::Dtmf { leg, .. }
            | MediaCommand::Pressed { leg, .. }
            | MediaCommand::SendDigits { leg, .. }
            | MediaCommand::Live { leg, .. }
            | MediaCommand::Listen { leg, .. }
            | MediaCommand::StopLive { leg, .. }
            | MediaCommand::Held { leg, .. }
            | MediaCommand::Secret { leg, .. }
            | MediaCommand::Vacate { leg }
            | MediaCommand::Close { leg } => vec![leg],
            MediaCommand::StopRecord { .. } | MediaCommand::PauseRecord { .. } => Vec::new(),
        }
    }

    /// A leg this command is about.
    pub fn leg(&self) -> Option<LegId> {
        match self {
            MediaCommand::Open { leg, .. }
            | MediaCommand::Configure { leg, .. }
            | MediaCommand::Video { leg, .. }
            | MediaCommand::Play { leg, .. }
            | MediaCommand::StopPlay { leg, .. }
            | MediaCommand::Unbridge { leg }
            | MediaCommand::Dtmf { leg, .. }
            | MediaCommand::Pressed { leg, .. }
            | MediaCommand::SendDigits { leg, .. }
            | MediaCommand::Live { leg, .. }
            | MediaCommand::Listen { leg, .. }
            | MediaCommand::StopLive { leg, .. }
            | MediaCommand::Held { leg, .. }
            | MediaCommand::Secret { leg, .. }
            | MediaCommand::Vacate { leg }
            | MediaCommand::Close { leg } => Some(*leg),
            MediaCommand::Bridge { a, .. } => Some(*a),
            MediaCommand::Record { left, .. } => Some(*left),
            MediaCommand::Mix { members, .. } => members.first().map(|member| member.leg),
            MediaCommand::StopRecord { .. } | MediaCommand::PauseRecord { .. } => None,
        }
    }
}
