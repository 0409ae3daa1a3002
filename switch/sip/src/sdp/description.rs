//! Our view of a session description (RFC 8866): what offer and answer look at.
//! Invariant: the description is as its author wrote it; directions are seen from the author.

use super::path::{self, Setup};
use super::{Crypto, MAX_ATTRIBUTES, MAX_FORMATS, MAX_MEDIA, MAX_SDP_BYTES, SdpError};
use cordboard_model::media::Direction;
use cordboard_model::path::{Candidate, Fingerprint, IceCredentials};
use sdp_types::{NetType, ParserError};
use std::net::IpAddr;

/// Who made the description, and which version it is (`o=`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The session's id.
    pub session_id: String,
    /// Its version: one more for each change.
    pub version: u64,
}

/// Where media is wanted (`c=`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// An address. The unspecified one is a hold of RFC 2543.
    Ip(IpAddr),
    /// A host name, a multicast group with a time-to-live, another network.
    Other(String),
}

/// What a payload type means (`a=rtpmap`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// The payload type, 0 to 127.
    pub payload_type: u8,
    /// The encoding name.
    pub name: String,
    /// The RTP clock in hertz.
    pub clock_hz: u32,
    /// Channels; 1 when nothing is said.
    pub channels: u32,
}

/// One stream (`m=` and what belongs to it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video` ...
    pub kind: String,
    /// The RTP port; 0 refuses or ends the stream.
    pub port: u16,
    /// `RTP/AVP` ...
    pub protocol: String,
    /// The formats as written; payload types for RTP.
    pub formats: Vec<String>,
    /// The stream's own address.
    pub connection: Option<Connection>,
    /// The stream's own direction, as the author wrote it.
    pub direction: Option<Direction>,
    /// `a=ptime`, milliseconds.
    pub ptime_ms: Option<u32>,
    /// `a=maxptime`, milliseconds.
    pub maxptime_ms: Option<u32>,
    /// All `a=rtpmap`.
    pub rtpmaps: Vec<RtpMap>,
    /// All `a=fmtp`: payload type and parameters as written.
    pub fmtps: Vec<(u8, String)>,
    /// Whether RTCP may share the RTP port (`a=rtcp-mux`).
    pub rtcp_mux: bool,
    /// By what groups name it (`a=mid`).
    pub mid: Option<String>,
    /// Its own ICE credentials, else those of the session.
    pub ice: Option<IceCredentials>,
    /// Of all `a=candidate` those that can be used.
    pub candidates: Vec<Candidate>,
    /// Its own usable `a=fingerprint`, else that of the session.
    pub fingerprint: Option<Fingerprint>,
    /// Its own `a=setup`, else that of the session.
    pub setup: Option<Setup>,
    /// All `a=rtcp-fb`: the payload type, or none where it says `*`, and the rest of the line.
    pub feedback: Vec<(Option<u8>, String)>,
    /// Of all `a=crypto` those that can be used, in order.
    pub cryptos: Vec<Crypto>,
}

/// A session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    /// `o=`.
    pub origin: Origin,
    /// The address for streams without their own.
    pub connection: Option<Connection>,
    /// The direction for streams without their own, as the author wrote it.
    pub direction: Option<Direction>,
    /// The first `t=`: start and stop, 0 0 for a call.
    pub time: (u64, u64),
    /// The author only answers checks (`a=ice-lite`).
    pub ice_lite: bool,
    /// The streams that may share one port (`a=group:BUNDLE`).
    pub bundle: Vec<String>,
    /// The streams in order.
    pub media: Vec<Media>,
}

impl SessionDescription {
    /// Reads a description; lines may end with CRLF or bare LF.
    ///
    /// # Errors
    /// `Malformed` or `TooLarge`.
    pub fn parse(body: &[u8]) -> Result<Self, SdpError> {
        if body.len() > MAX_SDP_BYTES {
            return Err(SdpError::TooLarge);
        }
        let session = sdp_types::Session::parse(&relevant_lines(body)).map_err(|e| malformed(&e))?;
        let attributes: usize = session.medias.iter().map(|media| media.attributes.len()).sum();
        if session.medias.len() > MAX_MEDIA || attributes + session.attributes.len() > MAX_ATTRIBUTES {
            return Err(SdpError::TooLarge);
        }
        Ok(Self {
            origin: Origin { session_id: session.origin.sess_id, version: session.origin.sess_version },
            connection: session.connection.as_ref().map(connection),
            direction: session.attributes.iter().find_map(direction),
            time: session.times.first().map_or((0, 0), |time| (time.start_time, time.stop_time)),
            ice_lite: session.attributes.iter().any(|line| line.attribute.trim() == "ice-lite"),
            bundle: bundle(&session.attributes),
            media: session.medias.iter().map(|line| media(line, &session.attributes)).collect(),
        })
    }

    /// The address of a stream: its own, else that of the session.
    #[must_use]
    pub fn connection_of<'a>(&'a self, media: &'a Media) -> Option<&'a Connection> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// The direction of a stream as its author means it: its own, else that of the session,
    /// else both ways (RFC 8866 6.7). An unspecified address takes receiving away: 0.0.0.0 was
    /// how a call was held before RFC 3264 (8.4).
    #[must_use]
    pub fn direction_of(&self, media: &Media) -> Direction {
        let written = media.direction.or(self.direction).unwrap_or(Direction::SendRecv);
        match self.connection_of(media) {
            // with ICE it says that addresses are still to come (RFC 8840 4.1)
            Some(Connection::Ip(ip)) if ip.is_unspecified() && media.ice.is_none() => {
                Direction::new(written.sends(), false)
            }
            _ => written,
        }
    }
}

impl Media {
    /// The payload types in order, each once.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.iter().filter_map(|format| payload_type(format))
    }

    /// What a payload type means: by its rtpmap, else by the table of RFC 3551 (6) for those
    /// we know.
    #[must_use]
    pub fn rtpmap(&self, payload_type: u8) -> Option<RtpMap> {
        let written = self.rtpmaps.iter().find(|map| map.payload_type == payload_type);
        written.cloned().or_else(|| {
            let name = match payload_type {
                13 => "CN",
                0 => "PCMU",
                8 => "PCMA",
                9 => "G722",
                _ => return None,
            };
            Some(RtpMap { payload_type, name: name.to_owned(), clock_hz: 8000, channels: 1 })
        })
    }

    /// The format parameters of a payload type, as written.
    #[must_use]
    pub fn fmtp(&self, payload_type: u8) -> Option<&str> {
        self.fmtps.iter().find(|(of, _)| *of == payload_type).map(|(_, text)| text.as_str())
    }
}

/// The lines that decide something: version, origin, name, address, time, streams, attributes.
/// A damaged line of another kind is no reason to refuse a call. Each line that is left out
/// leaves an empty one, which sdp-types skips, so that errors count lines as the author did.
fn relevant_lines(body: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let is_kept = match line {
            [b'b' | b'e' | b'i' | b'k' | b'p' | b'r' | b'u' | b'z', b'=', ..] => false,
            [b't', b'=', value @ ..] => is_time(value),
            _ => true,
        };
        if is_kept {
            kept.extend_from_slice(line);
        } else {
            kept.push(b'\n');
        }
    }
    kept
}

fn is_time(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    let mut fields = text.split_ascii_whitespace().map(str::parse::<u64>);
    let well_formed = matches!((fields.next(), fields.next()), (Some(Ok(_)), Some(Ok(_))));
    well_formed && fields.next().is_none()
}

fn connection(line: &sdp_types::Connection) -> Connection {
    match line.connection_address.parse::<IpAddr>() {
        Ok(ip) if line.nettype == NetType::In => Connection::Ip(ip),
        _ => Connection::Other(line.connection_address.clone()),
    }
}

fn direction(attribute: &sdp_types::Attribute) -> Option<Direction> {
    let name = attribute.attribute.trim();
    [
        ("sendrecv", Direction::SendRecv),
        ("sendonly", Direction::SendOnly),
        ("recvonly", Direction::RecvOnly),
        ("inactive", Direction::Inactive),
    ]
    .into_iter()
    .find_map(|(text, direction)| name.eq_ignore_ascii_case(text).then_some(direction))
}

/// The streams of the BUNDLE group (RFC 9143 7.2).
fn bundle(attributes: &[sdp_types::Attribute]) -> Vec<String> {
    let groups = attributes.iter().filter(|line| line.attribute.trim() == "group");
    let mut values = groups.filter_map(|line| line.value.as_deref()?.trim().strip_prefix("BUNDLE"));
    let mids = values.next().unwrap_or_default().split_ascii_whitespace();
    mids.take(super::MAX_MEDIA).map(str::to_owned).collect()
}

/// ICE credentials; both are of the stream, or of the session.
fn credentials<'a>(value: impl Fn(&'static str) -> Option<&'a str>) -> Option<IceCredentials> {
    path::credentials(value("ice-ufrag")?, value("ice-pwd")?)
}

fn media(line: &sdp_types::Media, session: &[sdp_types::Attribute]) -> Media {
    let of_session = |name: &'static str| {
        session.iter().find(|line| line.attribute.trim() == name)?.value.as_deref().map(str::trim)
    };
    let values = |name: &'static str| {
        line.get_attribute_values(name).flatten().map(str::trim).filter(|value| !value.is_empty())
    };
    let millis = |name| values(name).next().and_then(whole_number);
    Media {
        kind: line.media.clone(),
        port: line.port,
        protocol: line.proto.clone(),
        formats: line.fmt.split_ascii_whitespace().take(MAX_FORMATS).map(str::to_owned).collect(),
        connection: line.connections.first().map(connection),
        direction: line.attributes.iter().find_map(direction),
        ptime_ms: millis("ptime"),
        maxptime_ms: millis("maxptime"),
        rtpmaps: values("rtpmap").filter_map(rtpmap).collect(),
        fmtps: values("fmtp").filter_map(fmtp).collect(),
        rtcp_mux: line.has_attribute("rtcp-mux"),
        mid: values("mid").next().map(str::to_owned),
        ice: credentials(|name| values(name).next()).or_else(|| credentials(of_session)),
        candidates: values("candidate").filter_map(path::candidate).collect(),
        fingerprint: values("fingerprint")
            .find_map(path::fingerprint)
            .or_else(|| path::fingerprint(of_session("fingerprint")?)),
        setup: values("setup").find_map(Setup::parse).or_else(|| Setup::parse(of_session("setup")?)),
        feedback: values("rtcp-fb").filter_map(feedback).collect(),
        cryptos: values("crypto").filter_map(Crypto::parse).collect(),
    }
}

/// `20`, and `20.0` as some write it.
fn whole_number(text: &str) -> Option<u32> {
    text.split('.').next()?.parse().ok()
}

/// A payload type as it must be written: an answer repeats it, so `+8` and `08` are none.
fn payload_type(text: &str) -> Option<u8> {
    let is_plain = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    let number = text.parse::<u8>().ok().filter(|_| is_plain)?;
    (number < 128).then_some(number)
}

/// `<payload type> <name>/<clock>[/<channels>]`
fn rtpmap(value: &str) -> Option<RtpMap> {
    let (number, encoding) = value.split_once([' ', '\t'])?;
    let mut parts = encoding.trim().split('/');
    let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
    let clock_hz = parts.next()?.trim().parse().ok()?;
    let channels = parts.next().and_then(|text| text.trim().parse().ok()).unwrap_or(1);
    Some(RtpMap { payload_type: payload_type(number)?, name, clock_hz, channels })
}

fn fmtp(value: &str) -> Option<(u8, String)> {
    let (number, parameters) = value.split_once([' ', '\t'])?;
    Some((payload_type(number)?, parameters.trim().to_owned()))
}

/// `<payload type or *> <what>` (RFC 4585 4.2).
fn feedback(value: &str) -> Option<(Option<u8>, String)> {
    let (number, what) = value.split_once([' ', '\t'])?;
    let number = if number == "*" { None } else { Some(payload_type(number)?) };
    Some((number, what.trim().to_owned()))
}

fn malformed(error: &ParserError) -> SdpError {
    let line = match error {
        ParserError::InvalidLineFormat(line, _)
        | ParserError::InvalidFieldEncoding(line, _)
        | ParserError::InvalidFieldFormat(line, _)
        | ParserError::MissingField(line, _)
        | ParserError::FieldTrailingData(line, _)
        | ParserError::InvalidVersion(line, _)
        | ParserError::MultipleVersions(line)
        | ParserError::MultipleOrigins(line)
        | ParserError::MultipleSessionNames(line)
        | ParserError::MultipleConnections(line) => *line,
        _ => 0,
    };
    SdpError::Malformed { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
        a=ptime:30\r\na=sendonly\r\n";

    fn parse(text: &str) -> SessionDescription {
        SessionDescription::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn bare_line_feeds_read_as_crlf() {
        let description = parse(PLAIN);
        assert_eq!(description, parse(&PLAIN.replace("\r\n", "\n")));
        let audio = &description.media[0];
        assert_eq!(audio.payload_types().collect::<Vec<_>>(), [8, 0, 101]);
        assert_eq!(audio.rtpmap(8).unwrap().name, "PCMA");
        assert_eq!((audio.rtpmap(9).unwrap().name.as_str(), audio.rtpmap(18)), ("G722", None));
        assert_eq!((audio.fmtp(101), audio.ptime_ms), (Some("0-15"), Some(30)));
        assert_eq!(description.direction_of(audio), Direction::SendOnly);
    }

    #[test]
    fn lines_that_decide_nothing_may_be_damaged() {
        let damaged = PLAIN.replace("t=0 0", "t=x\r\nb=AS:12.5\r\nz=nonsense\r\nk=\r\nr=7d\r\ne=\u{fffd}");
        assert_eq!(parse(&damaged).media, parse(PLAIN).media);
    }

    #[test]
    fn an_error_names_the_line_of_the_author() {
        let broken = "v=0\r\nb=AS:1\r\nno equals sign\r\n";
        assert_eq!(SessionDescription::parse(broken.as_bytes()), Err(SdpError::Malformed { line: 3 }));
        assert_eq!(SessionDescription::parse(b""), Err(SdpError::Malformed { line: 0 }));
    }

    #[test]
    fn the_unspecified_address_is_a_hold() {
        let held = PLAIN.replace("a=sendonly\r\n", "").replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0");
        let description = parse(&held);
        assert_eq!(description.direction_of(&description.media[0]), Direction::SendOnly);
    }

    #[test]
    fn a_stream_overrides_the_session() {
        let text = PLAIN.replace("t=0 0\r\n", "t=0 0\r\na=inactive\r\n") + "c=IN IP6 2001:db8::1\r\n";
        let description = parse(&text);
        let audio = &description.media[0];
        assert_eq!(description.direction_of(audio), Direction::SendOnly);
        assert_eq!(description.connection_of(audio), Some(&Connection::Ip("2001:db8::1".parse().unwrap())));
        let text = text.replace("a=sendonly\r\n", "");
        let description = parse(&text);
        assert_eq!(description.direction_of(&description.media[0]), Direction::Inactive);
    }

    #[test]
    fn odd_formats_and_maps_are_passed_over() {
        let text = PLAIN.replace("8 0 101", "4294967296 -1 128 +8 08 8")
            + "a=fmtp:4294967296 x\r\na=rtpmap:8\r\na=fmtp\r\na=rtpmap:200 X/1\r\n";
        let audio = &parse(&text).media[0];
        assert_eq!(audio.payload_types().collect::<Vec<_>>(), [8]);
        assert_eq!(audio.rtpmaps.len(), 1);
    }

    #[test]
    fn limits_are_named_outcomes() {
        let many = |line: &str, count: usize| PLAIN.to_owned() + &line.repeat(count);
        for text in [many("a=x\r\n", 1025), many("m=audio 0 RTP/AVP 0\r\n", 32), many("a=x\r\n", 9000)] {
            assert_eq!(SessionDescription::parse(text.as_bytes()), Err(SdpError::TooLarge));
        }
    }
}
