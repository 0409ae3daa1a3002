//! Video between two phones at the running switch: bare sockets that send and ask for pictures, and a softphone with a codec.

use crate::common::field;
use cordboard_sip::wire::{HeaderName, Message, parse_datagram};
use cordboard_tests::Fail;
use cordboard_tests::baresip::Baresip;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::peer::Peer;
use cordboard_tests::process::{SOON, wait_for};
use cordboard_tests::switch::Switch;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

/// What every picture's packets carry first in VP8: a payload descriptor (RFC 7741 4.2).
const DESCRIPTOR: u8 = 0x10;

/// A camera and a screen: the two sockets of a stream of video.
struct Camera {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    ssrc: u32,
    /// Where the switch has its end.
    to: SocketAddr,
}

impl Camera {
    fn new(port: u16, ssrc: u32) -> Result<Self, Fail> {
        let open = |port: u16| -> Result<UdpSocket, Fail> {
            let socket = UdpSocket::bind(("127.0.0.1", port))?;
            socket.set_read_timeout(Some(SOON))?;
            Ok(socket)
        };
        Ok(Self { rtp: open(port)?, rtcp: open(port + 1)?, ssrc, to: SocketAddr::from(([127, 0, 0, 1], 9)) })
    }

    /// Sends the packets of a picture.
    fn films(&self, payload_type: u8, first: u16, timestamp: u32, packets: u16) -> Outcome {
        for n in 0..packets {
            let marker = if n + 1 == packets { 0x80 } else { 0 };
            let mut packet = vec![0x80, payload_type | marker];
            packet.extend((first + n).to_be_bytes());
            packet.extend(timestamp.to_be_bytes());
            packet.extend(self.ssrc.to_be_bytes());
            packet.push(DESCRIPTOR);
            packet.resize(1_200, n as u8);
            self.rtp.send_to(&packet, self.to)?;
        }
        Ok(())
    }

    /// The packets of a picture that came: the synchronisation source of all.
    fn sees(&self, payload_type: u8, packets: u16) -> Result<u32, Fail> {
        let mut buf = [0; 2_048];
        let mut source = None;
        let mut last: Option<u16> = None;
        for n in 0..packets {
            let (len, _) = self.rtp.recv_from(&mut buf)?;
            let packet = &buf[..len];
            let marker = packet[1] & 0x80 != 0;
            let number = u16::from_be_bytes([packet[2], packet[3]]);
            let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
            let right = packet[1] & 0x7f == payload_type
                && marker == (n + 1 == packets)
                && len == 1_200
                && packet[12] == DESCRIPTOR
                && packet[13..].iter().all(|byte| *byte == n as u8)
                && last.is_none_or(|last| number == last.wrapping_add(1))
                && source.is_none_or(|source| source == ssrc);
            ensure(right, || format!("packet {n} is {:02x?} of {len}", &packet[..16]))?;
            (source, last) = (Some(ssrc), Some(number));
        }
        source.ok_or(Fail("no packets were wanted".into()))
    }

    /// Says that a picture of this source was lost (RFC 4585 6.3.1).
    fn misses(&self, source: u32) -> Outcome {
        let mut packet = vec![0x80, 201, 0, 1];
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend([0x81, 206, 0, 2]);
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(source.to_be_bytes());
        let to = SocketAddr::new(self.to.ip(), self.to.port() + 1);
        self.rtcp.send_to(&packet, to)?;
        Ok(())
    }

    /// Is asked for a picture, of its own source.
    fn is_asked(&self) -> Outcome {
        let mut buf = [0; 2_048];
        loop {
            let (len, _) = self.rtcp.recv_from(&mut buf)?;
            let mut rest = &buf[..len];
            ensure(matches!(rest[1], 200 | 201), || format!("{rest:02x?} begins with no report"))?;
            while rest.len() >= 12 {
                let length = (usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 1) * 4;
                if rest[..2] == [0x81, 206] {
                    let about = rest[8..12].to_vec();
                    return ensure(about == self.ssrc.to_be_bytes(), || format!("it is about {about:02x?}"));
                }
                rest = rest.get(length..).unwrap_or_default();
            }
        }
    }

    /// Nothing is here any more.
    fn forgets(&self) -> Outcome {
        for socket in [&self.rtp, &self.rtcp] {
            socket.set_nonblocking(true)?;
            while socket.recv_from(&mut [0; 2_048]).is_ok() {}
            socket.set_nonblocking(false)?;
        }
        Ok(())
    }
}

fn body(audio: u16, video: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 5 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {audio} RTP/AVP 8\r\n{video}"
    )
    .into_bytes()
}

/// The line of a description that begins so, and those after it up to the next stream.
fn section(message: &Message, start: &str) -> String {
    let text = String::from_utf8_lossy(&message.body).into_owned();
    let lines = text.lines().skip_while(|line| !line.starts_with(start));
    let mut found: Vec<&str> = lines.collect();
    let end = found.iter().skip(1).position(|line| line.starts_with("m=")).map_or(found.len(), |at| at + 1);
    found.truncate(end);
    found.join("\n")
}

/// Where a stream is wanted.
fn place(section: &str) -> Result<SocketAddr, Fail> {
    let port = section.split(' ').nth(1).and_then(|port| port.parse().ok());
    let Some(port) = port.filter(|port| *port != 0) else {
        return fail(format!("there is no stream in {section:?}"));
    };
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A request of the caller in the dialog that this 200 made.
fn within(caller: &mut Peer, method: &str, seq: u32, ok: &Message) -> Outcome {
    let header = |name: HeaderName| ok.header(&name).unwrap_or_default().to_owned();
    let contact = header(HeaderName::Contact);
    let target = contact.split(['<', '>']).nth(1).unwrap_or_default();
    let text = format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKin{method}{seq};rport\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {seq} {method}\r\nContent-Length: 0\r\n\r\n",
        caller.at,
        header(HeaderName::From),
        header(HeaderName::To),
        header(HeaderName::CallId),
    );
    caller.send(&parse_datagram(text.as_bytes()).map_err(|why| Fail(format!("{why:?}")))?)
}

const H264_AND_VP8: &str = "m=video 42010 RTP/AVPF 99 98\r\na=rtpmap:99 H264/90000\r\n\
    a=fmtp:99 profile-level-id=42e01f;packetization-mode=1\r\na=rtpmap:98 VP8/90000\r\na=rtcp-fb:* nack pli\r\n";

/// 1001 calls `number` with video; the INVITE that has been let in, not sent yet.
fn invite(caller: &mut Peer, number: &str) -> Result<Message, Fail> {
    let uri = format!("sip:{number}@localhost");
    let contact = format!("Contact: <sip:1001@{}>\r\n", caller.at);
    let mut request = caller.request("INVITE", &uri, "1001", &contact)?;
    request.set_body("application/sdp", body(42_000, H264_AND_VP8));
    caller.proves(request, "1001")
}

fn phones(switch: &Switch) -> Result<(Peer, Peer), Fail> {
    let caller = Peer::udp("127.0.0.1:5071", &switch.sip)?;
    let mut called = Peer::udp("127.0.0.1:5073", &switch.sip)?;
    called.registers("1002", "<sip:1002@127.0.0.1:5073>", "")?;
    Ok((caller, called))
}

/// 1001 calls 1002, who answers with this video. Gives what 1002 was offered and what 1001 was answered.
fn talk(caller: &mut Peer, called: &mut Peer, video: &str) -> Result<(Message, Message), Fail> {
    let request = invite(caller, "1002")?;
    caller.send(&request)?;
    let offered = called.receive("INVITE")?;
    called.answer_with(&offered, 200, |answer| {
        answer.push(HeaderName::Contact, "<sip:1002@127.0.0.1:5073>");
        answer.set_body("application/sdp", body(43_000, video));
    })?;
    let ok = caller.receive("200 INVITE")?;
    let seq = ok.cseq().map_or(1, |cseq| cseq.seq);
    within(caller, "ACK", seq, &ok)?;
    called.receive("ACK")?;
    Ok((offered, ok))
}

/// The caller ends the call; its record.
fn ends(
    switch: &Switch,
    caller: &mut Peer,
    called: &mut Peer,
    ok: &Message,
) -> Result<serde_json::Value, Fail> {
    let seq = ok.cseq().map_or(1, |cseq| cseq.seq);
    within(caller, "BYE", seq + 1, ok)?;
    let bye = called.receive("BYE")?;
    called.answer(&bye, 200)?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    Ok(cdr)
}

pub fn both_ways(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.md5_alone().user("1001").user("1002"))?;
    let (mut caller, mut called) = phones(&switch)?;
    let (mut one, mut other) = (Camera::new(42_010, 0x0a0a_0a0a)?, Camera::new(43_010, 0x0b0b_0b0b)?);
    let vp8 = "m=video 43010 RTP/AVPF 120\r\na=rtpmap:120 VP8/90000\r\na=rtcp-fb:120 nack pli\r\n";
    let (offered, ok) = talk(&mut caller, &mut called, vp8)?;
    let (offered, answered) = (section(&offered, "m=video"), section(&ok, "m=video"));
    let fmtp = "a=fmtp:99 profile-level-id=42e01f;packetization-mode=1";
    ensure(offered.contains(fmtp) && offered.contains("a=rtpmap:98 VP8/90000"), || offered.clone())?;
    ensure(answered.contains(" RTP/AVPF 98\n") && !answered.contains("H264"), || answered.clone())?;
    (one.to, other.to) = (place(&answered)?, place(&offered)?);

    // the two are joined a moment after the caller has his answer
    switch.wait_stage("bridged")?;
    let mut number = 90;
    other.rtp.set_read_timeout(Some(Duration::from_millis(50)))?;
    wait_for("video to pass", SOON, || {
        number += 1;
        one.films(98, number, 8_000, 1).ok()?;
        other.rtp.recv_from(&mut [0; 2_048]).ok()
    })?;
    other.rtp.set_read_timeout(Some(SOON))?;
    other.forgets()?;
    number += 1;
    one.films(98, number, 9_000, 5)?;
    let of_one = other.sees(120, 5)?;
    other.films(98, 700, 3_000, 4)?;
    let of_other = one.sees(98, 4)?;
    ensure(of_one != one.ssrc && of_other != other.ssrc, || "sources are passed on as they came".into())?;
    // what was asked for when they were joined is not what is asked for now
    one.forgets()?;
    other.forgets()?;
    other.misses(of_one)?;
    one.is_asked()?;
    one.misses(of_other)?;
    other.is_asked()?;
    one.films(98, number + 5, 12_000, 3)?;
    ensure(other.sees(120, 3)? == of_one, || "another source than before".into())?;

    let cdr = ends(&switch, &mut caller, &mut called, &ok)?;
    for (leg, received, sent) in [(0, 8, 4), (1, 4, 8)] {
        let video = &cdr["legs"][leg]["video"];
        let at_least = |name: &str, least: u64| video[name].as_u64().is_some_and(|count| count >= least);
        let right = video["codec"] == "vp8" && at_least("received", received) && at_least("sent", sent);
        ensure(right && video["lost"] == 0, || format!("video of leg {leg} in {cdr}"))?;
    }
    switch.ensure_nothing_left()
}

pub fn not_shared(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.md5_alone().user("1001").agent("1002").queue("");
    let switch = Switch::start(dir, &config)?;
    let (mut caller, mut called) = phones(&switch)?;
    let (_, ok) = talk(&mut caller, &mut called, "m=video 0 RTP/AVPF 99\r\n")?;
    let refused = section(&ok, "m=video");
    ensure(refused.starts_with("m=video 0 RTP/AVPF 99 98"), || refused.clone())?;
    place(&section(&ok, "m=audio"))?;
    let cdr = ends(&switch, &mut caller, &mut called, &ok)?;
    ensure(cdr["legs"][0]["video"].is_null(), || format!("{cdr}"))?;
    // and nobody films for a queue
    switch.api.post("/api/v1/agents/1002/rest")?;
    let request = invite(&mut caller, "501")?;
    caller.send(&request)?;
    let ok = caller.receive("200 INVITE")?;
    let refused = section(&ok, "m=video");
    ensure(refused.starts_with("m=video 0 "), || refused.clone())?;
    let seq = ok.cseq().map_or(1, |cseq| cseq.seq);
    within(&mut caller, "ACK", seq, &ok)?;
    within(&mut caller, "BYE", seq + 1, &ok)?;
    switch.wait_cdrs(2)?;
    switch.ensure_nothing_left()
}

/// A softphone with an encoder of its own sees itself: 1001 calls 1002, both of them baresip with VP8, and each decodes the other's
/// pictures.
pub fn baresip(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.md5_alone().user("1001").user("1002"))?;
    let mut called = Baresip::start_with_video(dir, "1002", 5_085)?;
    let mut caller = Baresip::start_with_video(dir, "1001", 5_087)?;
    switch.wait_registered("1001", 1).map_err(|why| Fail(format!("{why}; it said:\n{}", caller.output())))?;
    switch.wait_registered("1002", 1).map_err(|why| Fail(format!("{why}; it said:\n{}", called.output())))?;
    caller.order("/dial sip:1002@127.0.0.1")?;
    switch.wait_stage("bridged")?;
    for phone in [&mut caller, &mut called] {
        phone.wait_seeing()?;
    }
    caller.order("/hangup")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    for leg in 0..2 {
        let video = &cdr["legs"][leg]["video"];
        let (received, sent) = (video["received"].as_u64(), video["sent"].as_u64());
        let right =
            video["codec"] == "vp8" && received.is_some_and(|n| n > 20) && sent.is_some_and(|n| n > 20);
        ensure(right, || format!("video of leg {leg} in {cdr}"))?;
    }
    caller.stop()?;
    called.stop()?;
    switch.ensure_nothing_left()
}
