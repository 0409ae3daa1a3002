//! Video beside the audio of a call: what one party offers is offered to the other, and what that one answers is answered
//! (RFC 3264; H.264 as RFC 6184 8.2 has it, VP8 as RFC 7741 6). We look at it only as far as two ends must agree.
//!
//! Invariants: the parameters of a format are those of the party that wrote them, letter by letter; two H.264 formats are one only
//! if profile and packetization mode are the same; video that cannot be had is refused with port 0 and never costs the call.

use super::negotiate::{self, empty_media};
use super::path::{self, Side};
use super::{Crypto, Keying, Local, Media, SessionDescription};
use cordboard_model::media::{Codec, Direction, OpusParams, StreamParams, VideoFeedback};
use cordboard_model::path::MediaPath;
use cordboard_model::srtp::{SrtpKeys, SrtpSuite};
use sdp_types::{Attribute, Bandwidth};
use std::net::SocketAddr;

/// Formats of video that are looked at and passed on; a browser's offer has a dozen.
pub const MAX_VIDEO_FORMATS: usize = 16;
/// Longest parameters of a format: those of H.264 may hold parameter sets, 100 bytes or two in base64.
const PARAMETERS_MAX: usize = 1_024;
/// "If no profile-level-id is present, the Baseline profile, without additional constraints at Level 1, MUST be inferred"
/// (RFC 6184 8.1).
const BASELINE: [u8; 3] = [0x42, 0x00, 0x0a];

/// One way to code video, as a party describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoFormat {
    /// The party's payload type.
    pub payload_type: u8,
    /// The codec.
    pub codec: Codec,
    /// Its `a=fmtp`, as written.
    pub parameters: Option<String>,
}

/// Video that a party offers, or has settled on: what the other party of its call can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoTerms {
    /// The formats, best first.
    pub formats: Vec<VideoFormat>,
    /// What it takes of feedback.
    pub feedback: VideoFeedback,
    /// Whether it is a phone that speaks of the profile with feedback (`RTP/AVPF`, RFC 4585). Browsers know no other, so that theirs says
    /// nothing of what a phone behind us should be offered: phones exist that refuse it and take feedback under `RTP/AVP`.
    pub early: bool,
    /// Which way its author means video to flow.
    pub direction: Direction,
    /// The most that its author wants to receive, kilobits a second (`b=AS`).
    pub kbit: Option<u32>,
}

/// Our end of a stream of video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalVideo {
    /// Where we receive it, at the address of the audio.
    pub port: u16,
    /// What we offer, or take: what the other party of the call can do. The direction is seen from us.
    pub terms: VideoTerms,
}

/// What offer and answer settled about video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoSettled {
    /// The stream, for the media engine.
    pub stream: StreamParams,
    /// The keys of both sides, if it is secured.
    pub keys: Option<SrtpKeys>,
    /// How its way is found and its keys come to be, if ICE and DTLS are to do that: a way of its own, beside that of the audio.
    pub path: Option<MediaPath>,
    /// What the party settled on, to be told to the other: one format, directions as the party means them.
    pub terms: VideoTerms,
    /// By which the answer names the line with a key that it took.
    pub(crate) tag: Option<u32>,
    /// The format of ours that it is.
    pub(crate) ours: VideoFormat,
}

impl VideoSettled {
    /// With what it is secured.
    pub(crate) fn suite(&self) -> Option<SrtpSuite> {
        self.keys.map(|keys| keys.send.suite())
    }
}

impl VideoFormat {
    /// Whether what one end makes the other understands: the same codec, and of H.264 the same profile and packetization mode.
    /// Levels may differ: each end says what it can receive.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        if self.codec != other.codec {
            return false;
        }
        // "The parameters identifying a media format configuration for H.264 are profile-level-id and packetization-mode"
        // (RFC 6184 8.2.2)
        self.codec != Codec::H264 || (self.profile() == other.profile() && self.mode() == other.mode())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.parameters.as_deref()?.split(';').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(known, _)| known.trim().eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.trim())
    }

    /// "When packetization-mode is not present, the value 0 MUST be inferred" (8.1).
    fn mode(&self) -> u8 {
        self.parameter("packetization-mode").and_then(|mode| mode.parse().ok()).unwrap_or(0)
    }

    fn profile(&self) -> Profile {
        let written = self.parameter("profile-level-id").and_then(|text| {
            let bytes = (0..3).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok());
            let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
            <[u8; 3]>::try_from(bytes).ok().filter(|_| text.len() == 6)
        });
        Profile::of(written.unwrap_or(BASELINE))
    }
}

/// A sub-profile of H.264, whichever way it is written (RFC 6184, table 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    Extended,
    High,
    /// One that is written in one way alone: profile_idc and profile-iop.
    Other(u8, u8),
}

impl Profile {
    fn of([idc, iop, _level]: [u8; 3]) -> Self {
        let matches = |mask: u8, bits: u8| iop & mask == bits;
        match idc {
            0x42 if matches(0x4f, 0x40) => Self::ConstrainedBaseline,
            0x4d if matches(0x8f, 0x80) => Self::ConstrainedBaseline,
            0x58 if matches(0xcf, 0xc0) => Self::ConstrainedBaseline,
            0x42 if matches(0x4f, 0x00) => Self::Baseline,
            0x58 if matches(0xcf, 0x80) => Self::Baseline,
            0x4d if matches(0xaf, 0x00) => Self::Main,
            0x58 if matches(0xcf, 0x00) => Self::Extended,
            0x64 if iop == 0 => Self::High,
            _ => Self::Other(idc, iop),
        }
    }
}

/// The video that a description offers and that can be relayed; none if there is none, if it is refused, or if it is not secured as its
/// audio is, be it by DTLS or not: it would be refused, after another party had filmed for nobody.
#[must_use]
pub fn video_of(description: &[u8]) -> Option<VideoTerms> {
    let peer = SessionDescription::parse(description).ok()?;
    let is_audio = |media: &&Media| media.kind.eq_ignore_ascii_case("audio") && media.port != 0;
    let by_dtls = peer.media.iter().filter(is_audio).any(|media| kind(media) == Some(Keying::Dtls));
    let usable = |media: &&Media| match kind(media).filter(|_| is_video(media)) {
        Some(Keying::Dtls) => by_dtls && media.fingerprint.is_some(),
        Some(_) => !by_dtls,
        None => false,
    };
    let stream = peer.media.iter().find(usable)?;
    let formats = formats(stream);
    let kbit = bandwidth(description, &peer, stream);
    (!formats.is_empty()).then(|| terms(&peer, stream, formats, kbit))
}

fn is_video(media: &Media) -> bool {
    media.kind.eq_ignore_ascii_case("video") && media.port != 0
}

/// How it is secured; `None` for what is not relayed.
fn kind(media: &Media) -> Option<Keying> {
    negotiate::kind_of(media)
        .or_else(|| media.protocol.eq_ignore_ascii_case(PLAIN_FEEDBACK).then_some(Keying::Plain))
}

/// RTP with feedback before its time (RFC 4585 9).
const PLAIN_FEEDBACK: &str = "RTP/AVPF";

fn terms(
    peer: &SessionDescription,
    stream: &Media,
    formats: Vec<VideoFormat>,
    kbit: Option<u32>,
) -> VideoTerms {
    let first = formats.first().map(|format| format.payload_type);
    VideoTerms {
        feedback: feedback(stream, first),
        early: kind(stream) != Some(Keying::Dtls) && stream.protocol.to_ascii_uppercase().ends_with("AVPF"),
        direction: peer.direction_of(stream),
        formats,
        kbit,
    }
}

/// The formats that can be relayed, in the order of their author.
fn formats(media: &Media) -> Vec<VideoFormat> {
    let known = media.payload_types().filter_map(|payload_type| {
        let map = media.rtpmap(payload_type)?;
        let same =
            |codec: &Codec| map.name.eq_ignore_ascii_case(codec.name()) && map.clock_hz == codec.clock_hz();
        let codec = Codec::VIDEO.into_iter().find(same)?;
        let parameters = media.fmtp(payload_type).map(str::to_owned);
        let fits = parameters.as_ref().is_none_or(|text| text.len() <= PARAMETERS_MAX);
        fits.then_some(VideoFormat { payload_type, codec, parameters })
    });
    known.take(MAX_VIDEO_FORMATS).collect()
}

/// What is taken of feedback for a payload type.
fn feedback(media: &Media, payload_type: Option<u8>) -> VideoFeedback {
    let mut found = VideoFeedback::default();
    for (of, what) in &media.feedback {
        if of.is_some() && *of != payload_type {
            continue;
        }
        let words: Vec<&str> = what.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["nack"] => found.nack = true,
            ["nack", "pli"] => found.pli = true,
            ["ccm", "fir"] => found.fir = true,
            ["goog-remb"] => found.remb = true,
            _ => {}
        }
    }
    found
}

/// What both take.
fn common(one: VideoFeedback, other: VideoFeedback) -> VideoFeedback {
    VideoFeedback {
        nack: one.nack && other.nack,
        pli: one.pli && other.pli,
        fir: one.fir && other.fir,
        remb: one.remb && other.remb,
    }
}

/// `b=AS` of a stream (RFC 8866 5.8): these lines are not among those that decide, and are looked for here alone.
fn bandwidth(description: &[u8], peer: &SessionDescription, stream: &Media) -> Option<u32> {
    let index = peer.media.iter().position(|media| core::ptr::eq(media, stream))?;
    let text = String::from_utf8_lossy(description);
    let mut at = 0;
    for line in text.lines() {
        at += usize::from(line.starts_with("m="));
        if at == index + 1
            && let Some(value) = line.strip_prefix("b=AS:")
        {
            return value.trim().parse().ok();
        }
    }
    None
}

/// Our stream in an offer, or the answer to one.
fn media(
    local: &Local,
    video: &LocalVideo,
    formats: &[&VideoFormat],
    shown: (Direction, VideoFeedback),
    protocol: &str,
    cryptos: &[Crypto],
) -> sdp_types::Media {
    let mut media = empty_media("video", video.port, protocol);
    let (direction, feedback) = shown;
    if let Some(kbit) = video.terms.kbit {
        media.bandwidths.push(Bandwidth { bwtype: "AS".to_owned(), bandwidth: u64::from(kbit) });
    }
    let numbers: Vec<String> = formats.iter().map(|format| format.payload_type.to_string()).collect();
    media.fmt = numbers.join(" ");
    let mut put = |name: &str, value: String| media.attributes.push(Attribute::with_value(name, value));
    for VideoFormat { payload_type, codec, parameters } in formats {
        put("rtpmap", format!("{payload_type} {}/{}", codec.name(), codec.clock_hz()));
        if let Some(parameters) = parameters {
            put("fmtp", format!("{payload_type} {parameters}"));
        }
    }
    let VideoFeedback { nack, pli, fir, remb } = feedback;
    for (wanted, name) in [(nack, "nack"), (pli, "nack pli"), (fir, "ccm fir"), (remb, "goog-remb")] {
        if wanted {
            put("rtcp-fb", format!("* {name}"));
        }
    }
    for crypto in cryptos {
        put("crypto", crypto.print());
    }
    if local.rtcp_mux {
        media.attributes.push(Attribute::new(negotiate::RTCP_MUX));
    }
    media.attributes.push(Attribute::new(negotiate::attribute(direction)));
    media
}

/// The direction of our video while that of the audio is `audio`: a hold holds both.
pub(crate) fn direction(video: &LocalVideo, audio: Direction) -> Direction {
    let ours = video.terms.direction;
    Direction::new(ours.sends() && audio.sends(), ours.receives() && audio.receives())
}

/// Our stream of video in an offer.
pub(super) fn offered(local: &Local) -> Option<sdp_types::Media> {
    let video = local.video.as_ref()?;
    let security = local.security.for_video();
    let cryptos: Vec<Crypto> = security.offers().collect();
    let by_dtls = security.offered == Keying::Dtls;
    let protocol = match (cryptos.is_empty(), video.terms.early) {
        _ if by_dtls => negotiate::DTLS_FEEDBACK,
        (true, false) => "RTP/AVP",
        (true, true) => PLAIN_FEEDBACK,
        (false, false) => "RTP/SAVP",
        (false, true) => "RTP/SAVPF",
    };
    let formats: Vec<&VideoFormat> = video.terms.formats.iter().collect();
    let shown = (direction(video, local.direction), video.terms.feedback);
    let asked = Local { rtcp_mux: local.rtcp_mux || by_dtls, ..local.clone() };
    let mut ours = media(&asked, video, &formats, shown, protocol, &cryptos);
    if by_dtls {
        let lines = path::lines(&security, address(video, local), Some(OUR_MID), "video", true, "actpass");
        ours.attributes.extend(lines);
    }
    Some(ours)
}

/// By which our offers to browsers name it. It is in no group with the audio (RFC 9143): either has a way of its own.
const OUR_MID: &str = "1";

fn address(video: &LocalVideo, local: &Local) -> SocketAddr {
    SocketAddr::new(local.addr.ip(), video.port)
}

/// Which stream of an offer is taken, with our answer to it and what it settles. None: every one is refused. Beside audio with keys by
/// DTLS it has such keys, too, and beside other audio it has not.
pub(super) fn answered(
    peer: &SessionDescription,
    offer: &[u8],
    local: &Local,
    by_dtls: bool,
) -> Option<(usize, sdp_types::Media, VideoSettled)> {
    let video = local.video.as_ref()?;
    let security = local.security.for_video();
    let keyings: &[Keying] = if by_dtls { &[Keying::Dtls] } else { &[Keying::Sdes, Keying::Plain] };
    for keying in keyings.iter().copied() {
        let is_fit = |(_, media): &(usize, &Media)| is_video(media) && kind(media) == Some(keying);
        let Some((index, stream)) = peer.media.iter().enumerate().find(is_fit) else {
            continue;
        };
        let theirs = formats(stream);
        let fitting = theirs.iter().find_map(|format| {
            let ours = video.terms.formats.iter().find(|ours| ours.fits(format))?;
            Some((format.clone(), ours.clone()))
        });
        let Some((format, ours)) = fitting.filter(|_| security.takes(keying)) else {
            continue;
        };
        let crypto = stream.cryptos.first().filter(|_| keying == Keying::Sdes);
        if keying == Keying::Sdes && crypto.is_none() {
            continue;
        }
        let settled =
            settle(peer, stream, (&format, format.payload_type), local, bandwidth(offer, peer, stream));
        let Some(mut settled) = settled else {
            continue;
        };
        if by_dtls {
            let ours = address(video, local);
            settled.path = Some(path::agree(stream, peer.ice_lite, ours, &security, Side::Answerer).ok()?);
        }
        let mut lines = Vec::new();
        if let Some(theirs) = crypto
            && let Some(send) = security.key(theirs.key.suite())
        {
            settled.keys = Some(SrtpKeys { send, receive: theirs.key });
            settled.tag = Some(theirs.tag);
            lines.push(Crypto { tag: theirs.tag, key: send });
        }
        // our number is the peer's, the parameters are those of the party behind us
        let shown = VideoFormat { payload_type: format.payload_type, ..ours };
        let feedback = settled.terms.feedback;
        let asked = Local { rtcp_mux: stream.rtcp_mux, ..local.clone() };
        let direction = settled.stream.direction;
        let mut ours = media(&asked, video, &[&shown], (direction, feedback), &stream.protocol, &lines);
        ours.media.clone_from(&stream.kind);
        let mid = stream.mid.as_deref();
        if let Some(path) = &settled.path {
            let (has_ice, setup) = (path.ice.is_some(), path::setup_of(path));
            let lines = path::lines(&security, address(video, local), mid, "video", has_ice, setup);
            ours.attributes.extend(lines);
        } else if let Some(mid) = mid {
            ours.attributes.push(Attribute::with_value("mid", mid));
        }
        settled.ours = shown;
        return Some((index, ours, settled));
    }
    None
}

/// What the stream at `index` of an answer settles, if it takes the one that we offered there. None: it refuses it, or does what was not
/// asked; then there is no video.
pub(crate) fn accepted(answer: &[u8], local: &Local, index: usize) -> Option<VideoSettled> {
    let video = local.video.as_ref()?;
    let peer = SessionDescription::parse(answer).ok()?;
    let stream = peer.media.get(index).filter(|stream| is_video(stream))?;
    if kind(stream)? != local.security.offered {
        return None;
    }
    let offered: Vec<Crypto> = local.security.for_video().offers().collect();
    let (format, ours) = formats(stream).into_iter().find_map(|format| {
        let fits = || video.terms.formats.iter().filter(|ours| ours.fits(&format));
        let same = fits().find(|ours| ours.payload_type == format.payload_type);
        let ours = same.or_else(|| fits().next())?.clone();
        Some((format, ours))
    })?;
    let mut settled =
        settle(&peer, stream, (&format, ours.payload_type), local, bandwidth(answer, &peer, stream))?;
    let by_dtls = local.security.offered == Keying::Dtls;
    settled.stream.rtcp_mux &= local.rtcp_mux || by_dtls;
    if by_dtls {
        let (security, ours) = (local.security.for_video(), address(video, local));
        settled.path = Some(path::agree(stream, peer.ice_lite, ours, &security, Side::Offerer).ok()?);
    }
    if !offered.is_empty() {
        let (keys, tag) = negotiate::taken(&stream.cryptos, &offered)?;
        (settled.keys, settled.tag) = (Some(keys), Some(tag));
    }
    settled.ours = ours;
    Some(settled)
}

fn settle(
    peer: &SessionDescription,
    stream: &Media,
    (format, receive): (&VideoFormat, u8),
    local: &Local,
    kbit: Option<u32>,
) -> Option<VideoSettled> {
    let video = local.video.as_ref()?;
    let remote = negotiate::remote_of(peer, stream)?;
    let theirs = peer.direction_of(stream);
    let ours = direction(video, local.direction);
    let mut terms = terms(peer, stream, vec![format.clone()], kbit);
    terms.feedback = common(feedback(stream, Some(format.payload_type)), video.terms.feedback);
    Some(VideoSettled {
        stream: StreamParams {
            remote,
            rtcp_mux: stream.rtcp_mux,
            codec: format.codec,
            send_payload_type: format.payload_type,
            recv_payload_type: receive,
            dtmf: None,
            dtmf_hz: format.codec.clock_hz(),
            comfort: None,
            opus: OpusParams::default(),
            ptime_ms: 20,
            direction: Direction::new(ours.sends() && theirs.receives(), ours.receives() && theirs.sends()),
        },
        keys: None,
        path: None,
        terms,
        tag: None,
        ours: format.clone(),
    })
}

#[cfg(test)]
#[path = "video_tests.rs"]
mod tests;
