//! Offer and answer for one audio stream (RFC 3264), with telephone events (RFC 4733). Of video beside it see `video`.
//! Invariant: both sides end with one codec, and each payload type is the receiver's.

use super::path::{self, Side};
use super::video;
use super::{
    Connection, Crypto, Keying, LocalVideo, Media, SdpError, Security, SessionDescription, VideoSettled,
};
use cordboard_model::media::{Codec, Direction, OpusParams, StreamParams};
use cordboard_model::path::MediaPath;
use cordboard_model::srtp::SrtpKeys;
use sdp_types::{Attribute, Origin, Session};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// What we want of a stream, and where our end of it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Where we receive RTP.
    pub addr: SocketAddr,
    /// The id of `o=`, the same for the life of the dialog.
    pub session_id: u64,
    /// The version of `o=`. The caller raises it by one when the description changes
    /// (RFC 3264 8).
    pub version: u64,
    /// The codecs we may use, best first; none means [`Codec::DEFAULT`].
    pub codecs: Vec<Codec>,
    /// The codec that the other party of the call speaks already. It is taken wherever the peer offers it, before the
    /// order of the peer's offer, so that nothing need be transcoded.
    pub spoken: Option<Codec>,
    /// The payload type we offer for telephone events of 8 kHz, 96 to 125; the two after it are for those of other clocks.
    /// `None` for no events.
    pub dtmf_pt: Option<u8>,
    /// Which way audio may flow, seen from us.
    pub direction: Direction,
    /// Packet length we want to receive, milliseconds, 10 to 60.
    pub ptime_ms: u8,
    /// Whether our offers ask for RTCP on the RTP port. Who asks us for it gets it in any case.
    pub rtcp_mux: bool,
    /// Video beside the audio, if the other party of the call has some.
    pub video: Option<LocalVideo>,
    /// Audio and video had ways of their own once: they are in no group from then on, for a browser would not let go of it.
    pub parted: bool,
    /// Whether comfort noise (RFC 3389) is offered, and taken where a peer offers it.
    pub comfort: bool,
    /// Whether it is secured, and with which keys of ours.
    pub security: Security,
}

impl Local {
    /// The plainest stream of these codecs at `addr`: secured only where that is asked for, both ways, packets of 20 ms, telephone events as payload
    /// type 101.
    pub fn plain(addr: SocketAddr, session_id: u64, codecs: &[Codec]) -> Self {
        Self {
            addr,
            session_id,
            version: 1,
            codecs: codecs.to_vec(),
            spoken: None,
            dtmf_pt: Some(101),
            direction: Direction::SendRecv,
            ptime_ms: 20,
            rtcp_mux: false,
            video: None,
            parted: false,
            comfort: false,
            security: Security::default(),
        }
    }
}

/// What offer and answer settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The stream, for the media engine.
    pub stream: StreamParams,
    /// The keys of both sides, if the stream is secured.
    pub keys: Option<SrtpKeys>,
    /// How its way is found and its keys come to be, if ICE or DTLS are to do that.
    pub path: Option<MediaPath>,
    /// The video beside it, if there is some.
    pub video: Option<VideoSettled>,
    /// By which the answer names the line of the offer that it took.
    pub(crate) tag: Option<u32>,
    /// Whether the peer does not want to hear us: it put the call on hold.
    pub held_by_peer: bool,
    /// The peer's session id of `o=`.
    pub peer_session_id: String,
    /// The peer's version of `o=`; unchanged means an unchanged description.
    pub peer_version: u64,
}

/// A stream's payload types as the peer numbers them.
struct Chosen {
    codec: Codec,
    payload_type: u8,
    /// Of the events, and their clock.
    dtmf: Option<(u8, u32)>,
    /// Of comfort noise at the clock of the codec.
    comfort: Option<u8>,
    /// The line with its key, if it is secured.
    crypto: Option<Crypto>,
}

/// The event codes of RFC 4733 3.2: the digits and `*#ABCD`.
const DTMF_EVENTS: &str = "0-15";
const DTMF_NAME: &str = "telephone-event";
/// Comfort noise (RFC 3389 5).
const COMFORT_NAME: &str = "CN";
/// What we want of Opus (RFC 7587 6.1): the redundancy, and one channel.
const OPUS_WANTED: &str = "useinbandfec=1;stereo=0";
/// RTP and RTCP on one port (RFC 5761 5.1.1).
pub(crate) const RTCP_MUX: &str = "rtcp-mux";
const PLAIN_RTP: &str = "RTP/AVP";
const SECURE_RTP: &str = "RTP/SAVP";
/// The same with early feedback (RFC 5124): our reports come as they do without.
const SECURE_FEEDBACK: &str = "RTP/SAVPF";
/// With keys by DTLS (RFC 5764 8).
const DTLS_RTP: &str = "UDP/TLS/RTP/SAVP";
/// What browsers offer and want.
pub(super) const DTLS_FEEDBACK: &str = "UDP/TLS/RTP/SAVPF";
/// By which our offers name their one stream.
const OUR_MID: &str = "0";

/// Our offer.
#[must_use]
pub fn offer(local: &Local) -> Vec<u8> {
    let codecs: Vec<(u8, Codec)> =
        codecs(local).iter().map(|codec| (codec.static_payload_type(), *codec)).collect();
    let mut session = session(local, (0, 0));
    let cryptos: Vec<Crypto> = local.security.offers().collect();
    let extras = Extras { comfort: comforts(local, &codecs), events: events(local.dtmf_pt, &codecs) };
    let mut stream = audio(local, &codecs, &extras, local.direction, &cryptos);
    let by_dtls = local.security.offered == Keying::Dtls;
    if local.rtcp_mux || by_dtls {
        stream.attributes.push(Attribute::new(RTCP_MUX));
    }
    if by_dtls {
        stream.proto = DTLS_FEEDBACK.to_owned();
        if local.video.is_none() && !local.parted {
            session.attributes.push(Attribute::with_value("group", format!("BUNDLE {OUR_MID}")));
        }
        let lines = path::lines(&local.security, local.addr, Some(OUR_MID), "audio", true, "actpass");
        stream.attributes.extend(lines);
        tell_lite(&mut session, local);
    }
    session.medias.push(stream);
    session.medias.extend(video::offered(local));
    print(&session)
}

/// A description of ours, whose stream of video is now what [`Local`] says: taken as it is, or, without, refused.
pub(crate) fn with_video(ours: &[u8], local: &Local) -> Vec<u8> {
    let Some(at) = ours.windows(MEDIA_VIDEO.len()).position(|start| start == MEDIA_VIDEO) else {
        return ours.to_vec();
    };
    let (before, section) = ours.split_at(at + 2);
    let media = video::offered(local).unwrap_or_else(|| {
        let line = String::from_utf8_lossy(section.split(|byte| *byte == b'\r').next().unwrap_or_default());
        let mut fields = line.split(' ').skip(1);
        let (_port, protocol) = (fields.next(), fields.next().unwrap_or(PLAIN_RTP).to_owned());
        let mut media = empty_media("video", 0, &protocol);
        media.fmt = fields.collect::<Vec<_>>().join(" ");
        media
    });
    let mut alone = Session::new(Origin::with_ip_addr(0, 0, local.addr.ip()), "-");
    alone.medias.push(media);
    let text = print(&alone);
    let found = text.windows(MEDIA_VIDEO.len()).position(|start| start == MEDIA_VIDEO);
    [before, text.get(found.map_or(0, |at| at + 2)..).unwrap_or_default()].concat()
}

/// How our offer's video begins; it is the last of its streams.
const MEDIA_VIDEO: &[u8] = b"\r\nm=video ";

/// Our answer to an offer, and what it settles.
///
/// The first audio stream with a common codec is taken that is as secure as it may be: one over secure RTP before one
/// over plain RTP. "The answer MUST contain
/// exactly the same number of "m=" lines as the offer", and a refused stream has port 0
/// (RFC 3264 6).
///
/// # Errors
/// See [`SdpError::code`] for the status code.
pub fn answer(offer: &[u8], local: &Local) -> Result<(Vec<u8>, Negotiated), SdpError> {
    let peer = SessionDescription::parse(offer)?;
    let (index, chosen) = choose_stream(&peer, local)?;
    let stream = peer.media.get(index).ok_or(SdpError::NoAudio)?;
    let ours = Numbers {
        codec: chosen.payload_type,
        dtmf: chosen.dtmf.map(|(number, _)| number),
        comfort: chosen.comfort,
    };
    let mut settled = settle(&peer, stream, &chosen, ours, local)?;
    if kind_of(stream) == Some(Keying::Dtls) {
        settled.path = Some(path::agree(stream, peer.ice_lite, local.addr, &local.security, Side::Answerer)?);
    }
    let ours = match chosen.crypto {
        Some(theirs) => {
            let send = local.security.key(theirs.key.suite()).ok_or(SdpError::NoCommonCrypto)?;
            settled.keys = Some(SrtpKeys { send, receive: theirs.key });
            settled.tag = Some(theirs.tag);
            Some(Crypto { tag: theirs.tag, key: send })
        }
        None => None,
    };
    let mut video = None;
    let by_dtls = settled.path.is_some();
    if let Some((at, media, found)) = video::answered(&peer, offer, local, by_dtls) {
        video = Some((at, media));
        settled.video = Some(found);
    }
    let mut session = session(local, peer.time);
    if !local.parted && video.is_none() {
        session.attributes.extend(group(&peer, stream));
    }
    if settled.path.as_ref().is_some_and(|path| path.ice.is_some()) {
        tell_lite(&mut session, local);
    }
    for (at, offered) in peer.media.iter().enumerate() {
        session.medias.push(if at == index {
            let codecs = [(chosen.payload_type, chosen.codec)];
            // the names as the peer spelled them
            let comfort = chosen.comfort.map(|number| (number, chosen.codec.clock_hz()));
            let extras =
                Extras { comfort: comfort.into_iter().collect(), events: chosen.dtmf.into_iter().collect() };
            let mut taken = audio(local, &codecs, &extras, settled.stream.direction, ours.as_slice());
            taken.media.clone_from(&offered.kind);
            taken.proto.clone_from(&offered.protocol);
            if offered.rtcp_mux {
                taken.attributes.push(Attribute::new(RTCP_MUX));
            }
            if let Some(path) = &settled.path {
                let (mid, has_ice) = (offered.mid.as_deref(), path.ice.is_some());
                let setup = path::setup_of(path);
                taken.attributes.extend(path::lines(
                    &local.security,
                    local.addr,
                    mid,
                    "audio",
                    has_ice,
                    setup,
                ));
            } else if let Some(mid) = &offered.mid {
                taken.attributes.push(Attribute::with_value("mid", mid));
            }
            taken
        } else {
            match video.take_if(|(video, _)| *video == at) {
                Some((_, media)) => media,
                None => refused(offered),
            }
        });
    }
    Ok((print(&session), settled))
}

/// The group of the one stream that is taken, if the peer has a group: what is refused is in no group (RFC 9143 7.3.3). With video beside it
/// there is none: a browser takes its video into the group again with its next offer, and does not let go of it.
fn group(peer: &SessionDescription, stream: &Media) -> Option<Attribute> {
    let mid = stream.mid.as_ref().filter(|mid| peer.bundle.contains(mid))?;
    Some(Attribute::with_value("group", format!("BUNDLE {mid}")))
}

/// What the answer to our own [`offer`] of the same `local` settles.
///
/// # Errors
/// The answer cannot be read, has not our one stream, or refuses it.
pub fn accept_answer(answer: &[u8], local: &Local) -> Result<Negotiated, SdpError> {
    let peer = SessionDescription::parse(answer)?;
    let [stream] = peer.media.as_slice() else {
        return Err(SdpError::Mismatch);
    };
    let offered: Vec<Crypto> = local.security.offers().collect();
    if !stream.kind.eq_ignore_ascii_case("audio") {
        return Err(SdpError::Mismatch);
    }
    if stream.port == 0 {
        return Err(SdpError::Refused);
    }
    match kind_of(stream) {
        Some(keying) if keying == local.security.offered => {}
        Some(Keying::Plain) => return Err(SdpError::NotSecured),
        _ => return Err(SdpError::Mismatch),
    }
    let chosen = choose_codec(stream, local).ok_or(SdpError::NoCommonCodec)?;
    let event = chosen.dtmf.and_then(|(_, hertz)| Some(event_type(local.dtmf_pt?, hertz)));
    let comfort = chosen.comfort.and_then(|_| comfort_type(chosen.codec.clock_hz()));
    let ours = Numbers { codec: chosen.codec.static_payload_type(), dtmf: event, comfort };
    let mut settled = settle(&peer, stream, &chosen, ours, local)?;
    // "If the answer contains an "a=rtcp-mux" attribute, the offerer and answerer MAY multiplex" (RFC 5761 5.1.1), and a
    // peer that answers with what was not offered is not believed.
    let by_dtls = local.security.offered == Keying::Dtls;
    settled.stream.rtcp_mux &= local.rtcp_mux || by_dtls;
    if by_dtls {
        settled.path = Some(path::agree(stream, peer.ice_lite, local.addr, &local.security, Side::Offerer)?);
    }
    if !offered.is_empty() {
        let taken = taken(&stream.cryptos, &offered).ok_or(SdpError::NoCommonCrypto)?;
        (settled.keys, settled.tag) = (Some(taken.0), Some(taken.1));
    }
    Ok(settled)
}

/// The keys of an answer, which takes exactly one line of the offer and repeats its tag and its suite (RFC 4568 5.1.2).
pub(super) fn taken(answered: &[Crypto], offered: &[Crypto]) -> Option<(SrtpKeys, u32)> {
    let [theirs] = answered else {
        return None;
    };
    let same = |ours: &&Crypto| ours.tag == theirs.tag && ours.key.suite() == theirs.key.suite();
    let ours = offered.iter().find(same)?;
    Some((SrtpKeys { send: ours.key, receive: theirs.key }, theirs.tag))
}

/// Where a peer's description has its first audio stream that is not refused.
pub(crate) fn audio_address(description: &[u8]) -> Option<IpAddr> {
    let peer = SessionDescription::parse(description).ok()?;
    let stream =
        peer.media.iter().find(|media| media.kind.eq_ignore_ascii_case("audio") && media.port != 0)?;
    match peer.connection_of(stream)? {
        Connection::Ip(ip) => Some(*ip).filter(|ip| !ip.is_unspecified()),
        Connection::Other(_) => None,
    }
}

/// The codecs of the first audio stream that is not refused, in the order of its author.
#[must_use]
pub fn codecs_of(description: &[u8]) -> Vec<Codec> {
    let Ok(peer) = SessionDescription::parse(description) else {
        return Vec::new();
    };
    let is_audio = |media: &&Media| media.kind.eq_ignore_ascii_case("audio") && media.port != 0;
    let audio = peer.media.iter().find(is_audio);
    let mut codecs = Vec::new();
    for (_, codec) in audio.iter().flat_map(|audio| known_codecs(audio)) {
        if !codecs.contains(&codec) {
            codecs.push(codec);
        }
    }
    codecs
}

/// The best way to come to keys that an audio stream of a description has which is not refused.
#[must_use]
pub fn keying_offered(description: &[u8]) -> Keying {
    let Ok(peer) = SessionDescription::parse(description) else {
        return Keying::Plain;
    };
    let is_audio = |media: &&Media| media.kind.eq_ignore_ascii_case("audio") && media.port != 0;
    let kinds: Vec<Keying> = peer.media.iter().filter(is_audio).filter_map(kind_of).collect();
    let best = PREFERENCE.into_iter().find(|keying| kinds.contains(keying));
    best.unwrap_or_default()
}

/// Of several streams the one with keys that nobody on the way can read goes first.
const PREFERENCE: [Keying; 3] = [Keying::Dtls, Keying::Sdes, Keying::Plain];

/// A stream's payload types that are codecs of ours, in the order of its author.
fn known_codecs(media: &Media) -> impl Iterator<Item = (u8, Codec)> {
    media.payload_types().filter_map(|payload_type| {
        let map = media.rtpmap(payload_type)?;
        let same = |codec: &Codec| {
            map.name.eq_ignore_ascii_case(codec.name())
                && map.clock_hz == codec.clock_hz()
                && (map.channels == codec.channels() || map.channels == 1)
        };
        Codec::ALL.into_iter().find(same).map(|codec| (payload_type, codec))
    })
}

fn codecs(local: &Local) -> &[Codec] {
    if local.codecs.is_empty() { &Codec::DEFAULT } else { &local.codecs }
}

/// How the keys of a stream come to be; `None` if it is over something else than RTP.
pub(super) fn kind_of(media: &Media) -> Option<Keying> {
    let is = |name: &str| media.protocol.eq_ignore_ascii_case(name);
    if is(PLAIN_RTP) {
        return Some(Keying::Plain);
    }
    if is(DTLS_RTP) || is(DTLS_FEEDBACK) {
        return Some(Keying::Dtls);
    }
    (is(SECURE_RTP) || is(SECURE_FEEDBACK)).then_some(Keying::Sdes)
}

/// The first stream that can be used, secured ones before all that are not; or the reason why the best cannot.
fn choose_stream(peer: &SessionDescription, local: &Local) -> Result<(usize, Chosen), SdpError> {
    let mut why_not = SdpError::NoAudio;
    for keying in PREFERENCE {
        for (index, media) in peer.media.iter().enumerate() {
            let is_audio = media.kind.eq_ignore_ascii_case("audio") && media.port != 0;
            if !is_audio || kind_of(media) != Some(keying) {
                continue;
            }
            match choose_in(media, keying, local) {
                Ok(chosen) => return Ok((index, chosen)),
                Err(error) => why_not = error,
            }
        }
    }
    Err(why_not)
}

fn choose_in(media: &Media, keying: Keying, local: &Local) -> Result<Chosen, SdpError> {
    if !local.security.takes(keying) {
        let is_off = !local.security.is_required();
        return Err(if is_off { SdpError::NoAudio } else { SdpError::NotSecured });
    }
    let crypto = match keying {
        Keying::Sdes => Some(*media.cryptos.first().ok_or(SdpError::NoCommonCrypto)?),
        Keying::Plain | Keying::Dtls => None,
    };
    let chosen = choose_codec(media, local).ok_or(SdpError::NoCommonCodec)?;
    Ok(Chosen { crypto, ..chosen })
}

/// The codec that is spoken already, else the first in the peer's order that we may use: RFC 3264 6.1 recommends to keep
/// the order of the offer.
fn choose_codec(media: &Media, local: &Local) -> Option<Chosen> {
    let usable = || known_codecs(media).filter(|(_, codec)| codecs(local).contains(codec));
    let spoken = local.spoken.and_then(|spoken| usable().find(|(_, codec)| *codec == spoken));
    let (payload_type, codec) = spoken.or_else(|| usable().next())?;
    let event_of = |hertz: u32| {
        let is_event = |payload_type: &u8| {
            media
                .rtpmap(*payload_type)
                .is_some_and(|map| map.name.eq_ignore_ascii_case(DTMF_NAME) && map.clock_hz == hertz)
        };
        media.payload_types().find(is_event).map(|payload_type| (payload_type, hertz))
    };
    // "the RTP timestamp clock rate of the event [...] SHOULD be the same as that of the audio" (RFC 4733 2.1). Many phones
    // name events of 8 kHz alone, whatever they speak.
    let dtmf = local.dtmf_pt.and_then(|_| event_of(codec.clock_hz()).or_else(|| event_of(8_000)));
    let is_comfort = |payload_type: &u8| {
        media.rtpmap(*payload_type).is_some_and(|map| {
            map.name.eq_ignore_ascii_case(COMFORT_NAME) && map.clock_hz == codec.clock_hz()
        })
    };
    // Only what we would offer with this codec: with Opus there is none.
    let wanted = local.comfort && comfort_type(codec.clock_hz()).is_some();
    let comfort = media.payload_types().find(is_comfort).filter(|_| wanted);
    Some(Chosen { codec, payload_type, dtmf, comfort, crypto: None })
}

/// The payload type of our comfort noise at a clock: the static one at 8 kHz, a dynamic one at others (RFC 3389 4). None at
/// that of Opus, which has a silence of its own (RFC 7587 3.1.3).
fn comfort_type(hertz: u32) -> Option<u8> {
    match hertz {
        8_000 => Some(13),
        16_000 => Some(113),
        _ => None,
    }
}

/// Comfort noise at each clock of our codecs, if it is wanted.
fn comforts(local: &Local, codecs: &[(u8, Codec)]) -> Vec<(u8, u32)> {
    let mut known: Vec<(u8, u32)> = Vec::new();
    for hertz in codecs.iter().map(|(_, codec)| codec.clock_hz()).filter(|_| local.comfort) {
        if let Some(number) = comfort_type(hertz)
            && !known.contains(&(number, hertz))
        {
            known.push((number, hertz));
        }
    }
    known
}

/// The payload type of our events of a clock.
fn event_type(first: u8, hertz: u32) -> u8 {
    let after = match hertz {
        48_000 => 1,
        16_000 => 2,
        _ => 0,
    };
    first.saturating_add(after).min(127)
}

/// Events for each clock of our codecs: "a=rtpmap lines for each clock rate" (RFC 4733 2.5.1.1 has an event at the clock of
/// the audio beside it).
fn events(first: Option<u8>, codecs: &[(u8, Codec)]) -> Vec<(u8, u32)> {
    let mut events: Vec<(u8, u32)> = Vec::new();
    for hertz in codecs.iter().map(|(_, codec)| codec.clock_hz()) {
        if let Some(first) = first
            && !events.iter().any(|(_, known)| *known == hertz)
        {
            events.push((event_type(first, hertz), hertz));
        }
    }
    events
}

/// What a peer wants of Opus.
fn opus_params(stream: &Media, payload_type: u8) -> OpusParams {
    let mut params = OpusParams::default();
    for pair in stream.fmtp(payload_type).unwrap_or_default().split(';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let Ok(value) = value.trim().parse::<u32>() else {
            continue;
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "useinbandfec" => params.fec = value == 1,
            "usedtx" => params.dtx = value == 1,
            "maxplaybackrate" => params.playback_hz = value.clamp(8_000, 48_000),
            "maxaveragebitrate" => params.bitrate = value.clamp(6_000, 510_000),
            _ => {}
        }
    }
    params
}

/// The payload types at which we receive.
#[derive(Clone, Copy)]
struct Numbers {
    codec: u8,
    dtmf: Option<u8>,
    comfort: Option<u8>,
}

/// Where a peer's stream is.
pub(super) fn remote_of(peer: &SessionDescription, stream: &Media) -> Option<SocketAddr> {
    let ip = match peer.connection_of(stream) {
        Some(Connection::Ip(ip)) => *ip,
        // candidates tell where it is
        _ if stream.ice.is_some() && kind_of(stream) == Some(Keying::Dtls) => Ipv4Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, stream.port))
}

fn settle(
    peer: &SessionDescription,
    stream: &Media,
    chosen: &Chosen,
    ours: Numbers,
    local: &Local,
) -> Result<Negotiated, SdpError> {
    let remote = remote_of(peer, stream).ok_or(SdpError::NoAddress)?;
    let theirs = peer.direction_of(stream);
    let direction = Direction::new(
        local.direction.sends() && theirs.receives(),
        local.direction.receives() && theirs.sends(),
    );
    Ok(Negotiated {
        stream: StreamParams {
            remote,
            rtcp_mux: stream.rtcp_mux,
            codec: chosen.codec,
            send_payload_type: chosen.payload_type,
            recv_payload_type: ours.codec,
            dtmf: chosen.dtmf.map(|(number, _)| number).zip(ours.dtmf),
            comfort: chosen.comfort.zip(ours.comfort),
            dtmf_hz: chosen.dtmf.map_or(chosen.codec.clock_hz(), |(_, hertz)| hertz),
            opus: match chosen.codec {
                Codec::Opus => opus_params(stream, chosen.payload_type),
                _ => OpusParams::default(),
            },
            ptime_ms: chosen.codec.packet_ms(send_ptime_ms(stream, local)),
            direction,
        },
        keys: None,
        path: None,
        video: None,
        tag: None,
        held_by_peer: !theirs.receives(),
        peer_session_id: peer.origin.session_id.clone(),
        peer_version: peer.origin.version,
    })
}

/// `a=ptime` is what its author wants to receive, so it decides what we send; whole tens from
/// 10 to 60, not above `a=maxptime`.
fn send_ptime_ms(stream: &Media, local: &Local) -> u8 {
    let wanted = stream.ptime_ms.filter(|ms| *ms > 0).unwrap_or(u32::from(local.ptime_ms));
    let most = stream.maxptime_ms.unwrap_or(60).clamp(10, 60);
    let ptime = wanted.min(most).clamp(10, 60) / 10 * 10;
    u8::try_from(ptime).unwrap_or(20)
}

fn session(local: &Local, time: (u64, u64)) -> Session {
    let origin = Origin::with_ip_addr(local.session_id, local.version, local.addr.ip());
    let mut session = Session::new(origin, "-");
    session.connection = Some(sdp_types::Connection::from_ip_addr(local.addr.ip()));
    // "The "t=" line in the answer MUST equal that of the offer." (RFC 3264 6)
    session.times.push(sdp_types::Time::new(time.0, time.1));
    session
}

/// "a=ice-lite" is of the session (RFC 8839 5.3).
fn tell_lite(session: &mut Session, local: &Local) {
    if local.security.dtls.is_some_and(|dtls| dtls.ice_lite) {
        session.attributes.push(Attribute::new("ice-lite"));
    }
}

/// What stands in a stream beside its codecs: payload types, and their clocks.
struct Extras {
    comfort: Vec<(u8, u32)>,
    events: Vec<(u8, u32)>,
}

fn audio(
    local: &Local,
    codecs: &[(u8, Codec)],
    extras: &Extras,
    direction: Direction,
    cryptos: &[Crypto],
) -> sdp_types::Media {
    let protocol = if cryptos.is_empty() { PLAIN_RTP } else { SECURE_RTP };
    let mut media = empty_media("audio", local.addr.port(), protocol);
    let mut formats = Vec::with_capacity(codecs.len() + 1);
    for (payload_type, codec) in codecs {
        formats.push(payload_type.to_string());
        let mut map = format!("{payload_type} {}/{}", codec.name(), codec.clock_hz());
        if *codec == Codec::Opus {
            map.push_str("/2");
        }
        media.attributes.push(Attribute::with_value("rtpmap", map));
        if *codec == Codec::Opus {
            media.attributes.push(Attribute::with_value("fmtp", format!("{payload_type} {OPUS_WANTED}")));
        }
    }
    for (payload_type, clock_hz) in &extras.comfort {
        formats.push(payload_type.to_string());
        let map = format!("{payload_type} {COMFORT_NAME}/{clock_hz}");
        media.attributes.push(Attribute::with_value("rtpmap", map));
    }
    for (payload_type, clock_hz) in &extras.events {
        formats.push(payload_type.to_string());
        let map = format!("{payload_type} {DTMF_NAME}/{clock_hz}");
        media.attributes.push(Attribute::with_value("rtpmap", map));
        let events = format!("{payload_type} {DTMF_EVENTS}");
        media.attributes.push(Attribute::with_value("fmtp", events));
    }
    media.fmt = formats.join(" ");
    for crypto in cryptos {
        media.attributes.push(Attribute::with_value("crypto", crypto.print()));
    }
    media.attributes.push(Attribute::with_value("ptime", local.ptime_ms));
    media.attributes.push(Attribute::new(attribute(direction)));
    media
}

/// "To reject an offered stream, the port number in the corresponding stream in the answer MUST
/// be set to zero. Any media formats listed are ignored. At least one MUST be present" (6).
fn refused(offered: &Media) -> sdp_types::Media {
    let mut media = empty_media(&offered.kind, 0, &offered.protocol);
    media.fmt = if offered.formats.is_empty() { "0".into() } else { offered.formats.join(" ") };
    if let Some(mid) = &offered.mid {
        // "the answerer MUST [...] use the same identification-tag" (RFC 9143 7.3.3 by RFC 5888)
        media.attributes.push(Attribute::with_value("mid", mid));
    }
    media
}

pub(super) fn empty_media(kind: &str, port: u16, protocol: &str) -> sdp_types::Media {
    sdp_types::Media {
        media: kind.to_owned(),
        port,
        num_ports: None,
        proto: protocol.to_owned(),
        fmt: String::new(),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

pub(super) const fn attribute(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}

fn print(session: &Session) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    // writing to a Vec cannot fail
    let _ = session.write(&mut out);
    out
}

#[cfg(test)]
#[path = "negotiate_tests.rs"]
mod tests;
