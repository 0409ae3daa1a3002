//! Calls in which both ends talk: every 20 ms a packet each way, and every one that comes out is counted.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::place::{PROBE, PROBE_NUMBER, SIP};
use super::probe::{MEDIA, answer, header, request};

/// Longest wait for a message of a call's set-up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two packets of a talker.
const FRAME: Duration = Duration::from_millis(20);
/// What is under way comes out within this.
const DRAIN: Duration = Duration::from_millis(300);
/// Ports of the callers and of the called, two for each call; of five digits, as [`MEDIA`] is.
const PORTS: [u16; 2] = [30_000, 40_000];

/// One end's audio.
struct End {
    socket: UdpSocket,
    peer: Option<SocketAddr>,
}

/// Calls that are up.
pub(super) struct Talks {
    signalling: UdpSocket,
    ends: Vec<End>,
    sequence: u16,
}

/// Packets of a while.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packets {
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Talks {
    /// Sets up `count` calls, one after another.
    pub(super) fn begin(count: u16) -> io::Result<Self> {
        let mut talks = Self { signalling: signalling()?, ends: Vec::new(), sequence: 0 };
        for call in 0..count {
            talks.call(call)?;
        }
        Ok(talks)
    }

    fn call(&mut self, call: u16) -> io::Result<()> {
        let ports = PORTS.map(|first| first + 2 * call);
        let peers = set_up(&self.signalling, call.into(), ports.map(|port| (port, A_LAW)))?;
        for (port, peer) in ports.into_iter().zip(peers) {
            let socket = UdpSocket::bind(format!("{PROBE}:{port}"))?;
            socket.set_nonblocking(true)?;
            self.ends.push(End { socket, peer: Some(peer) });
        }
        Ok(())
    }

    /// Everybody talks for so long; what came out of it.
    pub(super) fn talk(&mut self, lasting: Duration) -> Packets {
        let mut packets = Packets::default();
        let begun = Instant::now();
        let mut turn = 0;
        while begun.elapsed() < lasting {
            self.sequence = self.sequence.wrapping_add(1);
            for end in &self.ends {
                let sent = end.peer.map(|peer| end.socket.send_to(&packet(self.sequence), peer));
                packets.sent += u64::from(matches!(sent, Some(Ok(_))));
            }
            turn += 1;
            while begun.elapsed() < FRAME * turn {
                packets.received += self.hear();
                sleep(Duration::from_millis(2));
            }
        }
        let drained = Instant::now();
        while drained.elapsed() < DRAIN {
            packets.received += self.hear();
            sleep(Duration::from_millis(2));
        }
        packets
    }

    fn hear(&self) -> u64 {
        let mut buf = [0; 2_048];
        let of = |end: &End| {
            let mut heard = 0;
            while end.socket.recv(&mut buf).is_ok() {
                heard += 1;
            }
            heard
        };
        self.ends.iter().map(of).sum()
    }
}

/// How a session description names the one codec of an end: its payload type, and the `rtpmap` of it.
pub(super) type Named = (u8, &'static str);

/// G.711 A-law.
pub(super) const A_LAW: Named = (8, "PCMA/8000");

/// The signalling of both ends of all calls.
pub(super) fn signalling() -> io::Result<UdpSocket> {
    let signalling = UdpSocket::bind(format!("{PROBE}:5060"))?;
    signalling.connect(SIP)?;
    signalling.set_read_timeout(Some(PATIENCE))?;
    Ok(signalling)
}

/// Sets up a call between two ends, which hear at these ports in these codecs: where each is to send to.
pub(super) fn set_up(
    signalling: &UdpSocket,
    call: u32,
    ends: [(u16, Named); 2],
) -> io::Result<[SocketAddr; 2]> {
    match set_up_to(signalling, call, PROBE_NUMBER, ends)? {
        (ours, Some(theirs)) => Ok([ours, theirs]),
        _ => Err(io::Error::other(format!("call {call} rang nowhere"))),
    }
}

/// Sets up a call to a number, be it that we ring or that the switch itself answers.
pub(super) fn set_up_to(
    signalling: &UdpSocket,
    call: u32,
    number: &str,
    ends: [(u16, Named); 2],
) -> io::Result<(SocketAddr, Option<SocketAddr>)> {
    let [caller, called] = ends;
    let id = format!("talk-{}-{call}", std::process::id());
    let uri = format!("sip:{number}@{SIP}");
    let invite = request("INVITE", 1, &uri, &format!("<{uri}>"), &id);
    signalling.send(with_audio(&invite, caller).as_bytes())?;
    let (mut buf, mut theirs) = (vec![0; 65_535], None);
    loop {
        let length = signalling.recv(&mut buf)?;
        let text = String::from_utf8_lossy(buf.get(..length).unwrap_or_default()).into_owned();
        if text.starts_with("INVITE ") {
            theirs = media(&text);
        }
        let Some(code) = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)) else {
            if let Some(answer) = answer(&text) {
                signalling.send(with_audio(&answer, called).as_bytes())?;
            }
            continue;
        };
        if header(&text, "Call-ID") != Some(id.as_str()) || code.starts_with('1') {
            continue;
        }
        if code != "200" {
            return Err(io::Error::other(format!("call {call} got {code}")));
        }
        let target = header(&text, "Contact").and_then(|contact| contact.split(['<', '>']).nth(1));
        let ack = request("ACK", 1, target.unwrap_or(&uri), header(&text, "To").unwrap_or_default(), &id);
        signalling.send(ack.as_bytes())?;
        let ours = media(&text)
            .ok_or_else(|| io::Error::other(format!("call {call} was answered without a place for audio")))?;
        return Ok((ours, theirs));
    }
}

/// Answers the INVITE that comes next, for an end: where that is to send to.
pub(super) fn ring(signalling: &UdpSocket, end: (u16, Named)) -> io::Result<SocketAddr> {
    let mut buf = vec![0; 65_535];
    let (mut place, mut up) = (None, false);
    while !up {
        let length = signalling.recv(&mut buf)?;
        let text = String::from_utf8_lossy(buf.get(..length).unwrap_or_default()).into_owned();
        if text.starts_with("INVITE ") {
            place = media(&text);
        }
        up = text.starts_with("ACK ") && place.is_some();
        if let Some(answer) = answer(&text) {
            signalling.send(with_audio(&answer, end).as_bytes())?;
        }
    }
    place.ok_or_else(|| io::Error::other("rang without a place for audio"))
}

/// The message with this port and this codec in its session description.
fn with_audio(message: &str, (port, (payload_type, map)): (u16, Named)) -> String {
    let Some((head, body)) = message.split_once("\r\n\r\n").filter(|(_, body)| !body.is_empty()) else {
        return message.to_owned();
    };
    let body = body.replace(
        &format!("m=audio {MEDIA} RTP/AVP 8"),
        &format!("m=audio {port} RTP/AVP {payload_type} 101"),
    );
    let clock = map.split('/').nth(1).unwrap_or("8000");
    let map = format!("a=rtpmap:{payload_type} {map}\r\na=rtpmap:101 telephone-event/{clock}");
    let body = body.replace("a=rtpmap:8 PCMA/8000", &map);
    let kept = head.lines().filter(|line| !line.starts_with("Content-Length"));
    let head: String = kept.map(|line| format!("{line}\r\n")).collect();
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// 20 ms of A-law.
fn packet(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(7_u32.to_be_bytes());
    packet.extend([0xD5; 160]);
    packet
}

/// Where a session description wants audio.
fn media(text: &str) -> Option<SocketAddr> {
    let ip = text.lines().find_map(|line| line.strip_prefix("c=IN IP4 "))?.trim().parse().ok()?;
    let port = text.lines().find_map(|line| line.strip_prefix("m=audio "))?.split(' ').next()?;
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_asks_for_audio_at_its_own_port_and_finds_the_other_s() {
        let invite = request("INVITE", 1, "sip:a@b", "<sip:a@b>", "x");
        let asked = with_audio(&invite, (30_002, (9, "G722/8000")));
        assert!(asked.contains("RTP/AVP 9 101\r\na=rtpmap:9 G722/8000\r\n"), "{asked}");
        let length = asked.split("\r\n\r\n").nth(1).map(|body| body.len().to_string());
        assert_eq!(header(&asked, "Content-Length").map(str::to_owned), length);
        let asked = with_audio(&invite, (30_002, (96, "opus/48000/2")));
        assert!(asked.contains("a=rtpmap:101 telephone-event/48000\r\n"), "{asked}");
    }
}
