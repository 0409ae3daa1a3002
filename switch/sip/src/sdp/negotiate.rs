//! Offer and answer for one audio stream (RFC 3264), with telephone events (RFC 4733).
//! Invariant: both sides end with one codec, and each payload type is the receiver's.

use super::{Connection, Crypto, Media, SdpError, Security, SessionDescription};
use cordboard_model::media::{Codec, Direction, OpusParams, StreamParams};
use cordboard_model::srtp::SrtpKeys;
use sdp_types::{Attribute, Origin, Session};
use std::net::{IpAddr, SocketAddr};

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
    /// Whether it is secured, and with which keys of ours.
    pub security: Security,
}

/// What offer and answer settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The stream, for the media engine.
    pub stream: StreamParams,
    /// The keys of both sides, if the stream is secured.
    pub keys: Option<SrtpKeys>,
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
    /// The line with its key, if it is secured.
    crypto: Option<Crypto>,
}

/// The event codes of RFC 4733 3.2: the digits and `*#ABCD`.
const DTMF_EVENTS: &str = "0-15";
const DTMF_NAME: &str = "telephone-event";
/// What we want of Opus (RFC 7587 6.1): the redundancy, and one channel.
const OPUS_WANTED: &str = "useinbandfec=1;stereo=0";
/// RTP and RTCP on one port (RFC 5761 5.1.1).
pub(crate) const RTCP_MUX: &str = "rtcp-mux";
const PLAIN_RTP: &str = "RTP/AVP";
const SECURE_RTP: &str = "RTP/SAVP";
/// The same with early feedback (RFC 5124): our reports come as they do without.
const SECURE_FEEDBACK: &str = "RTP/SAVPF";

/// Our offer.
#[must_use]
pub fn offer(local: &Local) -> Vec<u8> {
    let codecs: Vec<(u8, Codec)> =
        codecs(local).iter().map(|codec| (codec.static_payload_type(), *codec)).collect();
    let mut session = session(local, (0, 0));
    let cryptos: Vec<Crypto> = local.security.offers().collect();
    let mut stream = audio(local, &codecs, &events(local.dtmf_pt, &codecs), local.direction, &cryptos);
    if local.rtcp_mux {
        stream.attributes.push(Attribute::new(RTCP_MUX));
    }
    session.medias.push(stream);
    print(&session)
}

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
    let mut settled =
        settle(&peer, stream, &chosen, (chosen.payload_type, chosen.dtmf.map(|(number, _)| number)), local)?;
    let ours = match chosen.crypto {
        Some(theirs) => {
            let send = local.security.key(theirs.key.suite()).ok_or(SdpError::NoCommonCrypto)?;
            settled.keys = Some(SrtpKeys { send, receive: theirs.key });
            settled.tag = Some(theirs.tag);
            Some(Crypto { tag: theirs.tag, key: send })
        }
        None => None,
    };
    let mut session = session(local, peer.time);
    for (at, offered) in peer.media.iter().enumerate() {
        session.medias.push(if at == index {
            let codecs = [(chosen.payload_type, chosen.codec)];
            // the names as the peer spelled them
            let mut taken =
                audio(local, &codecs, chosen.dtmf.as_slice(), settled.stream.direction, ours.as_slice());
            taken.media.clone_from(&offered.kind);
            taken.proto.clone_from(&offered.protocol);
            if offered.rtcp_mux {
                taken.attributes.push(Attribute::new(RTCP_MUX));
            }
            taken
        } else {
            refused(offered)
        });
    }
    Ok((print(&session), settled))
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
    match is_secured(stream) {
        Some(secured) if secured != offered.is_empty() => {}
        Some(false) => return Err(SdpError::NotSecured),
        _ => return Err(SdpError::Mismatch),
    }
    let chosen = choose_codec(stream, local).ok_or(SdpError::NoCommonCodec)?;
    let event = chosen.dtmf.and_then(|(_, hertz)| Some(event_type(local.dtmf_pt?, hertz)));
    let ours = (chosen.codec.static_payload_type(), event);
    let mut settled = settle(&peer, stream, &chosen, ours, local)?;
    // "If the answer contains an "a=rtcp-mux" attribute, the offerer and answerer MAY multiplex" (RFC 5761 5.1.1), and a
    // peer that answers with what was not offered is not believed.
    settled.stream.rtcp_mux &= local.rtcp_mux;
    if !offered.is_empty() {
        let taken = taken(&stream.cryptos, &offered).ok_or(SdpError::NoCommonCrypto)?;
        (settled.keys, settled.tag) = (Some(taken.0), Some(taken.1));
    }
    Ok(settled)
}

/// The keys of an answer, which takes exactly one line of the offer and repeats its tag and its suite (RFC 4568 5.1.2).
fn taken(answered: &[Crypto], offered: &[Crypto]) -> Option<(SrtpKeys, u32)> {
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

/// Whether a description has an audio stream over secure RTP that is not refused.
#[must_use]
pub fn offers_security(description: &[u8]) -> bool {
    let is_secured = |media: &Media| {
        media.kind.eq_ignore_ascii_case("audio") && media.port != 0 && is_secured(media) == Some(true)
    };
    SessionDescription::parse(description).is_ok_and(|peer| peer.media.iter().any(is_secured))
}

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

/// Whether a stream is over secure RTP; `None` if it is over something else than RTP.
fn is_secured(media: &Media) -> Option<bool> {
    let is = |name: &str| media.protocol.eq_ignore_ascii_case(name);
    if is(PLAIN_RTP) {
        return Some(false);
    }
    (is(SECURE_RTP) || is(SECURE_FEEDBACK)).then_some(true)
}

/// The first stream that can be used, a secured one before all that are not; or the reason why the best cannot.
fn choose_stream(peer: &SessionDescription, local: &Local) -> Result<(usize, Chosen), SdpError> {
    let mut why_not = SdpError::NoAudio;
    for secured in [true, false] {
        for (index, media) in peer.media.iter().enumerate() {
            let is_audio = media.kind.eq_ignore_ascii_case("audio") && media.port != 0;
            if !is_audio || is_secured(media) != Some(secured) {
                continue;
            }
            match choose_in(media, secured, local) {
                Ok(chosen) => return Ok((index, chosen)),
                Err(error) => why_not = error,
            }
        }
    }
    Err(why_not)
}

fn choose_in(media: &Media, secured: bool, local: &Local) -> Result<Chosen, SdpError> {
    let crypto = match secured {
        true if !local.security.is_possible() => return Err(SdpError::NoAudio),
        true => Some(*media.cryptos.first().ok_or(SdpError::NoCommonCrypto)?),
        false if local.security.is_required() => return Err(SdpError::NotSecured),
        false => None,
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
    Some(Chosen { codec, payload_type, dtmf, crypto: None })
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

/// `ours` are the payload types at which we receive the codec and the events.
fn settle(
    peer: &SessionDescription,
    stream: &Media,
    chosen: &Chosen,
    ours: (u8, Option<u8>),
    local: &Local,
) -> Result<Negotiated, SdpError> {
    let Some(Connection::Ip(ip)) = peer.connection_of(stream) else {
        return Err(SdpError::NoAddress);
    };
    let theirs = peer.direction_of(stream);
    let direction = Direction::new(
        local.direction.sends() && theirs.receives(),
        local.direction.receives() && theirs.sends(),
    );
    Ok(Negotiated {
        stream: StreamParams {
            remote: SocketAddr::new(*ip, stream.port),
            rtcp_mux: stream.rtcp_mux,
            codec: chosen.codec,
            send_payload_type: chosen.payload_type,
            recv_payload_type: ours.0,
            dtmf: chosen.dtmf.map(|(number, _)| number).zip(ours.1),
            dtmf_hz: chosen.dtmf.map_or(chosen.codec.clock_hz(), |(_, hertz)| hertz),
            opus: match chosen.codec {
                Codec::Opus => opus_params(stream, chosen.payload_type),
                _ => OpusParams::default(),
            },
            ptime_ms: chosen.codec.packet_ms(send_ptime_ms(stream, local)),
            direction,
        },
        keys: None,
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

fn audio(
    local: &Local,
    codecs: &[(u8, Codec)],
    events: &[(u8, u32)],
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
    for (payload_type, clock_hz) in events {
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
    media
}

fn empty_media(kind: &str, port: u16, protocol: &str) -> sdp_types::Media {
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

const fn attribute(direction: Direction) -> &'static str {
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
mod tests {
    use super::*;
    use cordboard_model::srtp::{SrtpPolicy, SrtpRule};

    fn local() -> Local {
        Local {
            addr: "198.51.100.1:40000".parse().unwrap(),
            session_id: 7,
            version: 1,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            spoken: None,
            dtmf_pt: Some(101),
            direction: Direction::SendRecv,
            ptime_ms: 20,
            rtcp_mux: false,
            security: Security::new(SrtpRule { policy: SrtpPolicy::Off, without_tls: false }),
        }
    }

    fn body(media: &str) -> String {
        format!("v=0\r\no=- 5 9 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{media}")
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }

    fn answered(media: &str, local: &Local) -> (String, Negotiated) {
        let (bytes, negotiated) = answer(body(media).as_bytes(), local).unwrap();
        (text(bytes), negotiated)
    }

    #[test]
    fn our_offer_lists_codecs_and_events() {
        let expected = "v=0\no=- 7 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n\
            m=audio 40000 RTP/AVP 8 0 101\na=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\n\
            a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=ptime:20\na=sendrecv\n";
        assert_eq!(text(offer(&local())), expected);
    }

    #[test]
    fn an_answer_keeps_the_peers_order_numbers_and_streams() {
        let media = "m=video 4000 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\n\
            m=audio 4002 RTP/SAVP 0\r\n\
            m=audio 4004 RTP/AVP 18 0 8 96 97\r\na=rtpmap:96 telephone-event/48000\r\n\
            a=rtpmap:97 Telephone-Event/8000\r\na=ptime:30\r\n\
            m=audio 4006 RTP/AVP 0\r\n";
        let (text, negotiated) = answered(media, &local());
        let streams = "m=video 0 RTP/AVP 96 97\nm=audio 0 RTP/SAVP 0\n\
            m=audio 40000 RTP/AVP 0 97\na=rtpmap:0 PCMU/8000\na=rtpmap:97 telephone-event/8000\n\
            a=fmtp:97 0-15\na=ptime:20\na=sendrecv\nm=audio 0 RTP/AVP 0\n";
        assert_eq!(text.split_once("t=0 0\n").unwrap().1, streams);
        assert_eq!(
            negotiated,
            Negotiated {
                stream: StreamParams {
                    remote: "192.0.2.1:4004".parse().unwrap(),
                    rtcp_mux: false,
                    codec: Codec::Pcmu,
                    send_payload_type: 0,
                    recv_payload_type: 0,
                    dtmf: Some((97, 97)),
                    dtmf_hz: 8_000,
                    opus: OpusParams::default(),
                    ptime_ms: 30,
                    direction: Direction::SendRecv,
                },
                keys: None,
                tag: None,
                held_by_peer: false,
                peer_session_id: "5".into(),
                peer_version: 9,
            }
        );
    }

    #[test]
    fn dynamic_numbers_of_known_codecs_are_the_peers() {
        let media = "m=audio 4000 RTP/AVP 100 0\r\na=rtpmap:100 pcma/8000\r\na=rtpmap:0 L16/44100\r\n";
        let (text, negotiated) = answered(media, &local());
        assert!(text.contains("m=audio 40000 RTP/AVP 100\na=rtpmap:100 PCMA/8000\n"), "{text}");
        let stream = negotiated.stream;
        assert_eq!((stream.send_payload_type, stream.recv_payload_type, stream.dtmf), (100, 100, None));
    }

    #[test]
    fn the_codec_that_the_other_party_speaks_is_taken_before_the_peers_order() {
        let wide = Local { codecs: Codec::ALL.to_vec(), ..local() };
        let media = "m=audio 4000 RTP/AVP 9 0 8\r\n";
        let taken = |local: &Local| answered(media, local).1.stream.codec;
        assert_eq!(taken(&wide), Codec::G722);
        assert_eq!(taken(&Local { spoken: Some(Codec::Pcma), ..wide.clone() }), Codec::Pcma);
        assert_eq!(taken(&Local { spoken: Some(Codec::G722), ..local() }), Codec::Pcmu, "not ours to use");
        assert_eq!(codecs_of(body(media).as_bytes()), [Codec::G722, Codec::Pcmu, Codec::Pcma]);
        assert_eq!(codecs_of(b"v=0"), []);
    }

    #[test]
    fn g722_is_offered_with_the_clock_of_its_registration() {
        let wide = Local { codecs: vec![Codec::G722, Codec::Pcma], ..local() };
        let offered = text(offer(&wide));
        assert!(
            offered.contains("RTP/AVP 9 8 101\na=rtpmap:9 G722/8000\na=rtpmap:8 PCMA/8000\n"),
            "{offered}"
        );
        // 16000 is a mistake that phones once made; it is not G.722 of RFC 3551.
        let (_, negotiated) = answered("m=audio 4000 RTP/AVP 9 8\r\na=rtpmap:9 G722/16000\r\n", &wide);
        assert_eq!(negotiated.stream.codec, Codec::Pcma);
        let (text, negotiated) = answered("m=audio 4000 RTP/AVP 109 8\r\na=rtpmap:109 G722/8000\r\n", &wide);
        assert!(text.contains("RTP/AVP 109\na=rtpmap:109 G722/8000\n"), "{text}");
        assert_eq!((negotiated.stream.codec, negotiated.stream.send_payload_type), (Codec::G722, 109));
    }

    #[test]
    fn opus_is_offered_and_answered_with_events_of_its_own_clock() {
        let wide = Local { codecs: vec![Codec::Opus, Codec::Pcma], ..local() };
        let offered = text(offer(&wide));
        let lines = "RTP/AVP 111 8 102 101\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1;stereo=0\n\
            a=rtpmap:8 PCMA/8000\na=rtpmap:102 telephone-event/48000\na=fmtp:102 0-15\n\
            a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n";
        assert!(offered.contains(lines), "{offered}");
        let media = "m=audio 4000 RTP/AVP 96 8 97 98\r\na=rtpmap:96 OPUS/48000/2\r\n\
            a=fmtp:96 minptime=10; useinbandfec=1;usedtx=1;maxplaybackrate=16000\r\n\
            a=rtpmap:97 telephone-event/8000\r\na=rtpmap:98 telephone-event/48000\r\na=ptime:30\r\n";
        let (text, negotiated) = answered(media, &wide);
        assert!(text.contains("RTP/AVP 96 98\na=rtpmap:96 opus/48000/2\n"), "{text}");
        assert!(text.contains("a=rtpmap:98 telephone-event/48000\n"), "{text}");
        let stream = negotiated.stream;
        assert_eq!((stream.codec, stream.send_payload_type, stream.ptime_ms), (Codec::Opus, 96, 20));
        assert_eq!((stream.dtmf, stream.dtmf_hz), (Some((98, 98)), 48_000));
        let wanted = OpusParams { fec: true, dtx: true, playback_hz: 16_000, ..OpusParams::default() };
        assert_eq!(stream.opus, wanted);
        let narrow = media.replace("a=rtpmap:98 telephone-event/48000\r\n", "");
        let stream = answered(&narrow, &wide).1.stream;
        assert_eq!((stream.dtmf, stream.dtmf_hz), (Some((97, 97)), 8_000), "a phone that knows 8 kHz alone");
        let stream = accept_answer(body(media).as_bytes(), &wide).unwrap().stream;
        assert_eq!((stream.send_payload_type, stream.recv_payload_type), (96, 111));
        assert_eq!(stream.dtmf, Some((98, 102)));
    }

    #[test]
    fn an_accepted_stream_keeps_the_spelling_of_its_names() {
        let (text, _) = answered("m=AUDIO 4000 rtp/Avp 0\r\n", &local());
        assert!(text.contains("\nm=AUDIO 40000 rtp/Avp 0\n"), "{text}");
    }

    #[test]
    fn every_direction_is_answered_by_what_both_allow() {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        let all = [SendRecv, SendOnly, RecvOnly, Inactive];
        let mut table = Vec::new();
        for ours in all {
            for theirs in all {
                let local = Local { direction: ours, ..local() };
                let media = format!("m=audio 4000 RTP/AVP 0\r\na={}\r\n", attribute(theirs));
                let (text, negotiated) = answered(&media, &local);
                let settled = negotiated.stream.direction;
                assert!(text.ends_with(&format!("a={}\n", attribute(settled))));
                assert_eq!(negotiated.held_by_peer, !theirs.receives());
                table.push((ours, theirs, settled));
            }
        }
        let expected = [
            (SendRecv, [SendRecv, RecvOnly, SendOnly, Inactive]),
            (SendOnly, [SendOnly, Inactive, SendOnly, Inactive]),
            (RecvOnly, [RecvOnly, RecvOnly, Inactive, Inactive]),
            (Inactive, [Inactive; 4]),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .flat_map(|(ours, settled)| {
                all.into_iter().zip(settled).map(move |(theirs, settled)| (ours, theirs, settled))
            })
            .collect();
        assert_eq!(table, expected);
    }

    #[test]
    fn a_hold_of_rfc_2543_stops_our_sending() {
        let media = "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n";
        let (text, negotiated) = answered(media, &local());
        assert_eq!(negotiated.stream.direction, Direction::RecvOnly);
        assert!(negotiated.held_by_peer && text.ends_with("a=recvonly\n"));
    }

    #[test]
    fn offers_that_cannot_be_served_are_488_and_broken_ones_400() {
        let code =
            |media: &str| answer(body(media).as_bytes(), &local()).map_err(|error| (error, error.code()));
        let audio = "m=audio 4000 RTP/AVP 0\r\n";
        assert_eq!(code(""), Err((SdpError::NoAudio, 488)));
        assert_eq!(code("m=video 4000 RTP/AVP 96\r\n"), Err((SdpError::NoAudio, 488)));
        assert_eq!(code("m=audio 0 RTP/AVP 0\r\n"), Err((SdpError::NoAudio, 488)));
        assert_eq!(code("m=audio 4000 RTP/SAVP 0\r\n"), Err((SdpError::NoAudio, 488)));
        assert_eq!(code("m=audio 4000 RTP/AVP 3 18\r\n"), Err((SdpError::NoCommonCodec, 488)));
        assert_eq!(code("m=audio 4000 RTP/AVP 4294967296\r\n"), Err((SdpError::NoCommonCodec, 488)));
        let named = format!("{audio}c=IN IP4 host.example.com\r\n");
        assert_eq!(code(&named), Err((SdpError::NoAddress, 488)));
        assert_eq!(code("m=audio\r\n"), Err((SdpError::Malformed { line: 6 }, 400)));
        assert_eq!(code("m=audio 99999 RTP/AVP 0\r\n"), Err((SdpError::Malformed { line: 6 }, 400)));
    }

    #[test]
    fn an_answer_to_us_is_read_with_both_numberings() {
        let media = "m=audio 4000 RTP/AVP 8 96\r\na=rtpmap:96 telephone-event/8000\r\na=ptime:40\r\na=maxptime:30\r\na=recvonly\r\n";
        let negotiated = accept_answer(body(media).as_bytes(), &local()).unwrap();
        assert_eq!(
            negotiated.stream,
            StreamParams {
                remote: "192.0.2.1:4000".parse().unwrap(),
                rtcp_mux: false,
                codec: Codec::Pcma,
                send_payload_type: 8,
                recv_payload_type: 8,
                dtmf: Some((96, 101)),
                dtmf_hz: 8_000,
                opus: OpusParams::default(),
                ptime_ms: 30,
                direction: Direction::SendOnly,
            }
        );
    }

    #[test]
    fn answers_that_do_not_fit_are_refused() {
        let error = |media: &str| accept_answer(body(media).as_bytes(), &local()).unwrap_err();
        assert_eq!(error(""), SdpError::Mismatch);
        assert_eq!(error("m=audio 1 RTP/AVP 0\r\nm=audio 2 RTP/AVP 0\r\n"), SdpError::Mismatch);
        assert_eq!(error("m=video 1 RTP/AVP 0\r\n"), SdpError::Mismatch);
        assert_eq!(error("m=audio 0 RTP/AVP 0\r\n"), SdpError::Refused);
        assert_eq!(error("m=audio 1 RTP/AVP 9\r\n"), SdpError::NoCommonCodec);
        let only_a = Local { codecs: vec![Codec::Pcma], ..local() };
        let media = body("m=audio 1 RTP/AVP 0\r\n");
        assert_eq!(accept_answer(media.as_bytes(), &only_a), Err(SdpError::NoCommonCodec));
    }

    #[test]
    fn both_ends_of_our_own_offer_and_answer_agree() {
        let caller = local();
        let callee = Local { addr: "[2001:db8::2]:5000".parse().unwrap(), dtmf_pt: Some(96), ..local() };
        let (answer, at_callee) = answer(&offer(&caller), &callee).unwrap();
        let at_caller = accept_answer(&answer, &caller).unwrap();
        assert_eq!((at_callee.stream.remote, at_caller.stream.remote), (caller.addr, callee.addr));
        assert_eq!(at_caller.stream.codec, at_callee.stream.codec);
        assert_eq!((at_caller.stream.dtmf, at_callee.stream.dtmf), (Some((101, 101)), Some((101, 101))));
    }

    #[test]
    fn rtcp_shares_the_port_where_both_say_so() {
        let asks = Local { rtcp_mux: true, ..local() };
        let offered = text(offer(&asks));
        assert!(offered.ends_with("a=sendrecv\na=rtcp-mux\n"), "{offered}");
        let media = "m=audio 4000 RTP/AVP 0\r\n";
        let muxed = "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n";
        for ours in [local(), asks.clone()] {
            let (text, settled) = answered(muxed, &ours);
            assert!(text.contains("a=rtcp-mux\n") && settled.stream.rtcp_mux, "{text}");
            let (text, settled) = answered(media, &ours);
            assert!(!text.contains("rtcp-mux") && !settled.stream.rtcp_mux, "nobody asked: {text}");
        }
        let settled = |answer: &str, ours: &Local| {
            accept_answer(body(answer).as_bytes(), ours).unwrap().stream.rtcp_mux
        };
        assert!(settled(muxed, &asks) && !settled(media, &asks) && !settled(muxed, &local()));
    }

    #[test]
    fn packet_lengths_are_tens_from_10_to_60() {
        let ptime =
            |line: &str| answered(&format!("m=audio 1 RTP/AVP 0\r\n{line}"), &local()).1.stream.ptime_ms;
        let lines = [
            "",
            "a=ptime:0\r\n",
            "a=ptime:5\r\n",
            "a=ptime:35.5\r\n",
            "a=ptime:200\r\n",
            "a=ptime:99999999999\r\n",
            "a=maxptime:10\r\n",
            "a=ptime:60\r\na=maxptime:0\r\n",
        ];
        assert_eq!(lines.map(ptime), [20, 20, 10, 30, 60, 20, 10, 10]);
    }
}
