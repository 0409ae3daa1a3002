//! Session descriptions as phones write and read them: one audio stream, G.711 and telephone events.

use cordboard_model::media::{Codec, Direction};
use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};

/// The payload type that this phone receives events with. Not the switch's 101, so that a mix-up shows.
pub(super) const EVENT_PT: u8 = 99;

/// A description: ours, or what was read of the peer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sdp {
    pub addr: SocketAddr,
    pub codecs: Vec<Codec>,
    pub event_pt: Option<u8>,
    pub direction: Direction,
}

impl Sdp {
    /// The text, `session` and `version` as in `o=`.
    pub fn write(&self, session: u64, version: u64) -> Vec<u8> {
        let (family, ip) = match self.addr.ip() {
            IpAddr::V4(ip) => ("IP4", ip.to_string()),
            IpAddr::V6(ip) => ("IP6", ip.to_string()),
        };
        let mut text = format!(
            "v=0\r\no=phone {session} {version} IN {family} {ip}\r\ns=call\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
             m=audio {} RTP/AVP",
            self.addr.port()
        );
        for codec in &self.codecs {
            let _ = write!(text, " {}", codec.static_payload_type());
        }
        if let Some(pt) = self.event_pt {
            let _ = write!(text, " {pt}");
        }
        text.push_str("\r\n");
        for codec in &self.codecs {
            let pt = codec.static_payload_type();
            let _ = write!(text, "a=rtpmap:{pt} {}/8000\r\n", codec.name());
        }
        if let Some(pt) = self.event_pt {
            let _ = write!(text, "a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n");
        }
        let direction = match self.direction {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        };
        let _ = write!(text, "a=ptime:20\r\na={direction}\r\n");
        text.into_bytes()
    }

    /// Reads the first audio stream. The direction is as its author wrote it.
    pub fn read(body: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(body).ok()?;
        let mut ip: Option<IpAddr> = None;
        let mut port = None;
        let mut types: Vec<u8> = Vec::new();
        let mut event_pt = None;
        let mut direction = Direction::SendRecv;
        let mut in_audio = false;
        for line in text.lines() {
            if let Some(media) = line.strip_prefix("m=") {
                in_audio = port.is_none() && media.starts_with("audio ");
                if in_audio {
                    let mut words = media.split_ascii_whitespace().skip(1);
                    port = words.next().and_then(|port| port.parse::<u16>().ok());
                    types = words.skip(1).filter_map(|pt| pt.parse().ok()).collect();
                }
            } else if let Some(connection) = line.strip_prefix("c=IN IP") {
                let written = connection.split_once(' ').and_then(|(_, ip)| ip.parse().ok());
                if port.is_none() || in_audio {
                    ip = written;
                }
            } else if let Some(attribute) = line.strip_prefix("a=") {
                match attribute {
                    "sendrecv" => direction = Direction::SendRecv,
                    "sendonly" => direction = Direction::SendOnly,
                    "recvonly" => direction = Direction::RecvOnly,
                    "inactive" => direction = Direction::Inactive,
                    _ => {
                        let map = attribute.strip_prefix("rtpmap:").and_then(|m| m.split_once(' '));
                        if let Some((pt, "telephone-event/8000")) = map {
                            event_pt = pt.parse().ok();
                        }
                    }
                }
            }
        }
        let codec = |pt: &u8| match pt {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            9 => Some(Codec::G722),
            _ => None,
        };
        Some(Self {
            addr: SocketAddr::new(ip?, port?),
            codecs: types.iter().filter_map(codec).collect(),
            event_pt: event_pt.filter(|pt| types.contains(pt)),
            direction,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_reads_back() {
        let sdp = Sdp {
            addr: "192.0.2.9:4000".parse().unwrap(),
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            event_pt: Some(EVENT_PT),
            direction: Direction::SendOnly,
        };
        assert_eq!(Sdp::read(&sdp.write(1, 2)), Some(sdp));
        assert_eq!(Sdp::read(b"v=0\r\n"), None);
    }
}
