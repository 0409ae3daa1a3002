//! One leg: its stream, whom it hears, who hears it, and what it has counted.

use crate::codec::opus::OpusConfig;
use crate::codec::{Decoder, NARROW, WIDE};
use crate::dtmf::receive::DigitReceiver;
use crate::dtmf::send::DigitSender;
use crate::engine::{PortKey, Reach};
use crate::graph::ear::Ear;
use crate::graph::feed::Feed;
use crate::graph::hearing::Hearing;
use crate::graph::live::Live;
use crate::graph::mixer::Seat;
use crate::graph::mouth::Mouth;
use crate::graph::player::Player;
use crate::graph::recorder::Channel;
use crate::graph::secret::Secret;
use crate::graph::video::Video;
use crate::kit::Stock;
use crate::quality::{self, Path};
use crate::rtcp::read::About;
use crate::rtcp::write::{self as report, LastReport};
use crate::rtp::Clock;
use crate::rtp::header::HEADER_LEN;
use crate::rtp::latch::Latch;
use crate::rtp::outgoing::Outgoing;
use crate::rtp::reception::Reception;
use crate::srtp::{self, Refused, Srtp};
use cordboard_model::id::{LegId, PlaybackId};
use cordboard_model::media::{Codec, DtmfKind, FarStats, LegStats, OpusParams, StreamParams};
use cordboard_model::srtp::SrtpKeys;
use cordboard_model::time::{Duration, Time};
use core::net::{IpAddr, SocketAddr};
use rand_core::RngCore;

/// A round trip beyond this is a mistake of who reports it: 10 s in 1/65,536 s.
const TRIP_MAX: u32 = 10 * 65_536;
/// Recordings one leg may be part of.
pub(crate) const TAPS_MAX: usize = 2;
/// Longest packet time we send, milliseconds.
const PTIME_MAX: u8 = 60;
/// Shortest.
const PTIME_MIN: u8 = 10;
/// Samples of the longest packet: no party is spoken to at more than 16 kHz, the band of speech.
pub(super) const FRAME_MAX: usize = PTIME_MAX as usize * 16;
/// And at 8 kHz.
pub(super) const NARROW_MAX: usize = PTIME_MAX as usize * 8;
/// Where a packet's payload ends at the latest, so that it fits the buffer asked of the shell.
pub(super) const PAYLOAD_END: usize = crate::MediaEngine::TRANSMIT_MIN - srtp::GROWTH;
/// The longest packet fits: 30 ms of linear samples.
const _: () = assert!(HEADER_LEN + 30 * 32 <= PAYLOAD_END);

/// Devices exist that tell each key both as an event and by INFO. Within this time both are one press: longer than
/// signalling takes, shorter than a person needs for the same key twice and to be told of each in another way only.
const SAME_PRESS: Duration = Duration::from_millis(400);

/// What was negotiated, and what was learnt of the peer since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub params: StreamParams,
    pub latch: Latch,
}

/// A leg's codec at work. Each use has a memory of its own; the feed of its partner has a third.
#[derive(Debug)]
pub(crate) struct Coders {
    pub codec: Codec,
    pub opus: OpusParams,
    /// What the party says, for recordings, in the order of arrival, at 8 kHz or, if one of them wants that, at 16.
    pub tape: Decoder,
    /// What the party is to hear.
    mouth: Mouth,
    /// Nothing was sent of what was spoken last.
    silent: bool,
}

impl Coders {
    /// A codec at its beginning, spoken at 8 kHz: at 16 once that makes a difference.
    pub(crate) fn new(codec: Codec, opus: OpusParams, config: &OpusConfig) -> Self {
        let mouth = Mouth::at(codec, opus, NARROW, config);
        Self { codec, opus, tape: Decoder::new(codec), mouth, silent: false }
    }

    /// The rate at which the party is spoken to.
    pub(crate) fn rate(&self) -> u32 {
        self.mouth.rate()
    }

    /// Speaks at `rate` from now on, or as near as the codec comes to it.
    pub(crate) fn tune(&mut self, rate: u32, stock: &mut Stock) {
        if rate.min(self.codec.sample_hz()) != self.mouth.rate() {
            let mut made = stock.mouth(self.codec, self.opus, rate);
            self.mouth.become_as(&mut made);
            stock.discard(made);
        }
    }

    /// Has recordings hear it at `rate`, or as near as the codec comes to it.
    pub(crate) fn tune_tape(&mut self, rate: u32, stock: &mut Stock) {
        if rate.min(self.codec.sample_hz()) != self.tape.rate() && !self.tape.turn(rate) {
            let mut made = stock.tape(self.codec, rate);
            core::mem::swap(&mut self.tape, &mut made);
            stock.discard(made);
        }
    }

    /// The payload of a packet's samples at [`Coders::rate`]: how long, and whether it is the first after a silence.
    /// `None`: it is not to be sent.
    pub(super) fn speak(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<(usize, bool)> {
        let len = self.mouth.encode(pcm, out);
        let begins = self.turns(len == 0);
        (len > 0).then_some((len, begins))
    }

    /// Whether what is sent now is the first after a silence.
    pub(super) fn turns(&mut self, silent: bool) -> bool {
        core::mem::replace(&mut self.silent, silent) && !silent
    }

    /// The same of samples at 8 kHz.
    pub(super) fn speak_narrow(&mut self, pcm: &[i16], out: &mut [u8]) -> Option<(usize, bool)> {
        let mut wide = [0; FRAME_MAX];
        match self.mouth.widen(pcm, &mut wide) {
            None => self.speak(pcm, out),
            Some(len) => self.speak(wide.get(..len)?, out),
        }
    }
}

/// A recording that hears this leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tap {
    pub recording: u32,
    pub channel: Channel,
}

/// What keeps time for a leg that plays or sends digits. Frames are counted here when they are due
/// and made when the shell asks for packets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cadence {
    /// The millisecond of the oldest frame not made yet.
    pub frame_at_ms: u64,
    /// Frames that are due.
    pub pending: u8,
    /// Frames before these that came too late to be sent.
    pub skipped: u32,
    /// It stands in the queue of those with something to send.
    pub queued: bool,
}

/// Signs of life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    pub heard: Time,
    pub held: bool,
    /// `Silent` was told of this silence.
    pub told: bool,
}

/// The peer's view of our stream: its last report, and the round trips, smoothed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Far {
    pub lost: u32,
    pub of: u64,
    pub jitter: u32,
    trip_us: Option<u32>,
}

impl Far {
    /// A report that came now, when we had sent so many packets. The round trip is "A - LSR - DLSR" (RFC 3550 6.4.1).
    pub(crate) fn hear(&mut self, about: About, sent: u64, now: Time) {
        (self.lost, self.of, self.jitter) = (about.lost, sent, about.jitter);
        let trip = report::middle(now).wrapping_sub(about.last).wrapping_sub(about.delay);
        if about.last != 0 && trip < TRIP_MAX {
            let us = (u64::from(trip) * 1_000_000 / 65_536) as u32;
            self.trip_us = Some(self.trip_us.map_or(us, |before| (before * 3 + us) / 4));
        }
    }
}

/// Reports.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reports {
    pub cname: u64,
    /// Where the peer's RTCP comes from, if it did.
    pub from: Option<SocketAddr>,
    pub last: Option<LastReport>,
    /// What the peer's reports say of our stream.
    pub far: Option<Far>,
    /// Packets we had sent at our last report.
    pub sent: u64,
    pub due: Time,
    pub queued: bool,
}

/// How a key gets to a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As RTP events.
    Events,
    /// By signalling.
    Signalling,
    /// As tones.
    Tones,
}

/// By what we know of a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// An RTP event.
    Event,
    /// Signalling.
    Signalling,
    /// Tones.
    Tones,
}

impl Told {
    /// Whether what told it goes on by itself, with the packets, to who has it this way.
    pub(crate) fn goes_on(self, way: Option<Way>) -> bool {
        matches!((self, way), (Told::Event, Some(Way::Events)) | (Told::Tones, Some(Way::Tones)))
    }
}

/// The last press of a party.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Press {
    pub digit: char,
    pub told: Told,
    pub at: Time,
}

/// A leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub id: LegId,
    /// None while the shell is opening it.
    pub port: Option<PortKey>,
    /// Closed before its port was open.
    pub closing: bool,
    /// RTCP goes by the RTP port, and the pair's second port was said to be needed no more.
    pub one_port: bool,
    pub stream: Option<Stream>,
    /// Of the stream's codec, from its first `Configure` on.
    pub coders: Option<Box<Coders>>,
    /// The keys at work, for a stream over secure RTP.
    pub srtp: Option<Box<Srtp>>,
    /// How the party is found and the keys come to be, where that is not settled by signalling.
    pub path: Option<Box<Reach>>,
    pub reception: Reception,
    pub outgoing: Outgoing,
    pub digits_in: DigitReceiver,
    /// For who has keys as tones.
    pub ear: Option<Box<Ear>>,
    pub digits_out: DigitSender,
    pub dtmf: DtmfKind,
    pub press: Option<Press>,
    /// The press that RTP events tell of now was told by signalling before.
    pub press_known: bool,
    pub player: Option<Box<Player>>,
    /// What the partner says, where it must be decoded for this leg's party.
    pub feed: Option<Box<Feed>>,
    /// The program that has it.
    pub live: Option<Box<Live>>,
    pub partner: Option<u32>,
    /// What it has more if it carries video.
    pub video: Option<Box<Video>>,
    /// Whether what the party says and presses is nobody's business.
    pub secret: Secret,
    /// Where it sits in a mix; it has no partner then.
    pub seat: Option<Seat>,
    pub taps: [Option<Tap>; TAPS_MAX],
    pub cadence: Cadence,
    pub watch: Watch,
    pub hearing: Hearing,
    pub reports: Reports,
    /// Its place in the tick, in milliseconds.
    pub phase: u8,
    pub tick_ms: u8,
    pub epoch: u32,
    /// Our own address is one that everybody reaches.
    pub public: bool,
    pub foreign: u64,
    /// Packets of sources that had not proved to be the party yet: foreign, if nobody ever has.
    pub unproved: u64,
    pub malformed: u64,
    pub unsealed: u64,
    /// Microseconds of audio for the party that were invented.
    pub concealed_us: u64,
    /// What was counted before its present user came.
    before: Before,
}

/// What a leg had counted when it was vacated last.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    received: u64,
    lost: u64,
    gaps: u64,
    late: u64,
    sent: u64,
    /// Of what the party's reports say.
    far_lost: u64,
    far_of: u64,
}

/// Whether an address is reached from everywhere, and not from within one network alone.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = matches!(ip.octets(), [100, 64..=127, ..]);
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        IpAddr::V6(ip) => !(ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local()),
    }
}

/// Packet time towards a party, in milliseconds.
pub(crate) fn packet_ms(params: &StreamParams) -> u8 {
    params.codec.packet_ms(params.ptime_ms.clamp(PTIME_MIN, PTIME_MAX))
}

/// How keys reach a party.
fn way_of(dtmf: DtmfKind, params: &StreamParams) -> Way {
    match dtmf {
        DtmfKind::Info => Way::Signalling,
        DtmfKind::Rfc4733 if params.dtmf.is_some() => Way::Events,
        DtmfKind::Rfc4733 | DtmfKind::Inband => Way::Tones,
    }
}

/// The codec in which a party is listened to for tones of keys, if it is.
pub(crate) fn listens(dtmf: DtmfKind, params: &StreamParams) -> Option<Codec> {
    Some(params.codec).filter(|codec| way_of(dtmf, params) == Way::Tones && !codec.is_video())
}

impl Leg {
    pub(crate) fn new(id: LegId, phase: u8, tick_ms: u8, rng: &mut impl RngCore) -> Self {
        Self {
            id,
            port: None,
            closing: false,
            one_port: false,
            stream: None,
            coders: None,
            srtp: None,
            path: None,
            reception: Reception::default(),
            outgoing: Outgoing::new(rng),
            digits_in: DigitReceiver::default(),
            ear: None,
            digits_out: DigitSender::default(),
            dtmf: DtmfKind::default(),
            press: None,
            press_known: false,
            player: None,
            feed: None,
            live: None,
            partner: None,
            video: None,
            secret: Secret::default(),
            seat: None,
            taps: [None; TAPS_MAX],
            cadence: Cadence::default(),
            watch: Watch::default(),
            hearing: Hearing::default(),
            reports: Reports { cname: rng.next_u64(), ..Reports::default() },
            phase,
            tick_ms,
            epoch: 0,
            public: false,
            foreign: 0,
            unproved: 0,
            malformed: 0,
            unsealed: 0,
            concealed_us: 0,
            before: Before::default(),
        }
    }

    /// Figures so far, of its present user.
    pub(crate) fn stats(&self) -> LegStats {
        let before = &self.before;
        let received = self.reception.received() - before.received;
        let lost = self.reception.lost().saturating_sub(before.lost);
        let (gaps, late) = self.reception.gaps_and_late();
        let (gaps, late) = (gaps.saturating_sub(before.gaps).min(lost), late.saturating_sub(before.late));
        let sent = self.outgoing.sent().0.saturating_sub(before.sent);
        let jitter_us = self.reception.jitter_us();
        let codec = self.stream.map(|stream| stream.params.codec);
        let trip = self.reports.far.and_then(|far| far.trip_us);
        let far = self.reports.far.map(|far| {
            let jitter_us = self.outgoing.clock().us_in(u64::from(far.jitter));
            let of = far.of.saturating_sub(before.far_of);
            let lost = u64::from(far.lost).saturating_sub(before.far_lost).min(of);
            let path = Path { received: of - lost, lost, gaps: 0, jitter_us, round_trip_us: trip };
            let mos = codec.and_then(|codec| quality::mos(codec, path));
            FarStats { lost, of, jitter_us, round_trip_us: trip, mos }
        });
        let path = Path { received, lost, gaps, jitter_us, round_trip_us: trip };
        let remote = self.stream.map(|stream| stream.params.remote.ip());
        let missed = self.hearing.missed();
        LegStats {
            codec,
            received,
            sent,
            lost,
            foreign: self.foreign + if received == 0 { self.unproved } else { 0 },
            malformed: self.malformed,
            unsealed: self.unsealed,
            jitter_us,
            jitter_peak_us: self.reception.jitter_peak_us(),
            gaps,
            late,
            mos: codec.and_then(|codec| quality::mos(codec, path)),
            far,
            concealed_ms: self.concealed_us / 1_000,
            unheard_ms: missed.unheard_ms,
            delayed: missed.delayed,
            delay_peak_ms: missed.delay_peak_ms,
            private: !self.is_searched() && self.public && remote.is_some_and(|ip| !is_public(ip)),
            fault: self.path.as_ref().and_then(|path| path.fault()),
        }
    }

    /// What is counted from now on is its next user's.
    pub(crate) fn count_anew(&mut self) {
        let (received, lost) = (self.reception.received(), self.reception.lost());
        let (gaps, late) = self.reception.gaps_and_late();
        let far = self.reports.far.map_or((0, 0), |far| (u64::from(far.lost), far.of));
        let (sent, (far_lost, far_of)) = (self.outgoing.sent().0, far);
        self.before = Before { received, lost, gaps, late, sent, far_lost, far_of };
        self.reception.peak_anew();
        self.hearing.count_anew();
        (self.foreign, self.unproved, self.malformed, self.unsealed) = (0, 0, 0, 0);
        self.concealed_us = 0;
    }

    /// ICE decides no longer where its party is.
    pub(crate) fn unsteer(&mut self, learn_packets: u8) {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.latch.is_steered()) {
            stream.latch = stream.latch.unsteered(stream.params.remote, learn_packets);
        }
    }

    /// Takes the keys that were agreed, or that there are none.
    pub(crate) fn agree_on(&mut self, keys: Option<&SrtpKeys>, stock: &mut Stock) {
        match (keys, &mut self.srtp) {
            (Some(keys), Some(srtp)) => srtp.rekey(keys, stock),
            (Some(keys), None) => self.srtp = stock.srtp(keys),
            (None, _) => stock.discard(self.srtp.take()),
        }
    }

    /// Opens a datagram of the party, if it is sealed; says how long the packet is. `None`: it is not from who has the
    /// key, or was here before.
    pub(crate) fn unseal(&mut self, buf: &mut [u8], is_rtcp: bool) -> Option<usize> {
        if self.awaits_keys() {
            self.unsealed += 1;
            return None;
        }
        let Some(srtp) = &mut self.srtp else {
            return Some(buf.len());
        };
        let opened = if is_rtcp { srtp.unprotect_rtcp(buf) } else { srtp.unprotect(buf) };
        match opened {
            Ok(_) => {}
            // keep-alives and STUN, as phones send them through NAT
            Err(Refused::Malformed) => self.malformed += 1,
            Err(_) => self.unsealed += 1,
        }
        opened.ok()
    }

    /// Seals a packet of ours in the first `len` bytes of `buf`, if the stream wants that; says how long it is then.
    /// `None`: it may not be sent.
    pub(crate) fn seal(&mut self, buf: &mut [u8], len: usize, is_rtcp: bool) -> Option<usize> {
        let Some(srtp) = &mut self.srtp else {
            return Some(len);
        };
        let sealed = if is_rtcp { srtp.protect_rtcp(buf, len) } else { srtp.protect(buf, len) };
        sealed.ok()
    }

    /// Whether keys were agreed on and are not there yet: nothing may pass until then.
    pub(crate) fn awaits_keys(&self) -> bool {
        self.srtp.is_none() && self.path.as_ref().is_some_and(|path| path.secured)
    }

    /// Whether its party's address is found by ICE.
    pub(crate) fn is_searched(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.ice.is_some())
    }

    /// Whether reports can be sent: not before there are keys, and not by a port of their own where the keys are those of the RTP
    /// port: "a separate DTLS-SRTP session" would secure that one (RFC 5764 4.2).
    pub(crate) fn is_reported(&self) -> bool {
        let is_muxed = self.stream.is_some_and(|stream| stream.params.rtcp_mux);
        !self.awaits_keys() && (is_muxed || self.path.is_none())
    }

    /// Packet time in milliseconds.
    pub(crate) fn ptime_ms(&self) -> u8 {
        let agreed = self.stream.as_ref().map(|stream| packet_ms(&stream.params));
        agreed.unwrap_or(self.tick_ms.clamp(PTIME_MIN, PTIME_MAX))
    }

    /// The party's codec from now on, with its clock.
    pub(crate) fn speak_as(&mut self, params: &StreamParams, stock: &mut Stock, now: Time) {
        let clock = Clock::new(params.codec.clock_hz());
        self.outgoing.set_clock(clock, now);
        self.reception.set_clock(clock);
        self.digits_in.set_clock(clock);
        let same = |coders: &Coders| coders.codec == params.codec && coders.opus == params.opus;
        if params.codec.is_video() {
            stock.discard(self.coders.take());
        } else if !self.coders.as_deref().is_some_and(same) {
            let made = stock.coders(params.codec, params.opus);
            stock.discard(self.coders.replace(made));
            self.tune_to_player(stock);
        }
    }

    /// Whether what is played to it has more than the telephone band.
    pub(crate) fn plays_wide(&self) -> bool {
        self.player.as_ref().is_some_and(|player| player.is_wide())
    }

    /// Has the party hear all of what is played that its codec carries, up to the band of speech.
    pub(crate) fn tune_to_player(&mut self, stock: &mut Stock) {
        if self.plays_wide()
            && let Some(coders) = self.coders.as_mut()
        {
            coders.tune(WIDE, stock);
        }
    }

    /// Where a packet of ours would go now, by which port; `None` when none may be sent.
    pub(crate) fn target(&self) -> Option<(PortKey, SocketAddr)> {
        let stream = self.stream.as_ref()?;
        if !stream.params.direction.sends() || self.awaits_keys() {
            return None;
        }
        Some((self.port?, stream.latch.destination()?))
    }

    /// Notes a press; false if it is one that we know in another way.
    pub(crate) fn begins_press(&mut self, digit: char, told: Told, now: Time) -> bool {
        let is_last =
            |last: &Press| last.digit == digit && last.told != told && now.since(last.at) < SAME_PRESS;
        let is_new = !self.press.as_ref().is_some_and(is_last);
        self.press = is_new.then_some(Press { digit, told, at: now });
        is_new
    }

    /// How keys reach the party; `None` when none can.
    pub(crate) fn way(&self) -> Option<Way> {
        Some(way_of(self.dtmf, &self.stream.as_ref()?.params))
    }

    /// Has an ear where keys are tones, and none elsewhere: it costs time for each packet.
    pub(crate) fn prick_ear(&mut self, stock: &mut Stock) {
        let wanted = self.stream.and_then(|stream| listens(self.dtmf, &stream.params));
        if self.ear.as_ref().map(|ear| ear.codec()) != wanted {
            let ear = wanted.map(|codec| stock.ear(codec));
            stock.discard(core::mem::replace(&mut self.ear, ear));
        }
    }

    /// Whether we feed this leg ourselves, so that its partner is not heard.
    pub(crate) fn is_fed(&self) -> bool {
        self.player.is_some()
            || self.digits_out.is_active()
            || self.live.as_ref().is_some_and(|live| live.talker().is_some())
    }

    /// Whether packets of ours are made for this leg: what we feed it with, or its partner's words.
    pub(crate) fn is_made_for(&self) -> bool {
        self.is_fed() || self.feed.as_ref().is_some_and(|feed| feed.is_on())
    }

    /// Puts another playlist in place of the one that is on; says which one was.
    pub(crate) fn take_player(
        &mut self,
        player: Option<Box<Player>>,
        stock: &mut Stock,
    ) -> Option<PlaybackId> {
        let old = core::mem::replace(&mut self.player, player)?;
        let playback = old.playback();
        stock.discard(old);
        Some(playback)
    }

    /// Gives away all that it has on the heap: it is no more.
    pub(crate) fn hand_back(&mut self, stock: &mut Stock) {
        stock.discard(self.coders.take());
        stock.discard(self.srtp.take());
        stock.discard(self.path.take());
        stock.discard(self.ear.take());
        stock.discard(self.player.take());
        stock.discard(self.feed.take());
        stock.discard(self.live.take());
        stock.discard(self.video.take());
    }

    /// A sign of life from the party.
    pub(crate) fn hear(&mut self, now: Time) {
        self.watch.heard = now;
        self.watch.told = false;
    }
}
