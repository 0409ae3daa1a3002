//! A caller and a called side on one socket, with a clock of their own: the time from INVITE to 200 to the
//! microsecond. SIPp's clock has steps of the kernel's tick, and its own queues are in what it measures.
//!
//! Invariant: one call at a time, and nothing is sent but in answer or at the call's turn; so what is
//! measured is the switch, the loopback twice, and this thread's wake-ups.

use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::place::{PROBE, PROBE_NUMBER, SIP};

/// Longest wait for a message; the call counts as failed then.
const PATIENCE: Duration = Duration::from_secs(2);

/// The port that session descriptions name; the probe itself hears nothing.
pub(super) const MEDIA: u16 = 40_000;

/// What was measured.
#[derive(Default)]
pub(super) struct Measured {
    /// INVITE to 200 of each call, in no order.
    pub(super) answers: Vec<Duration>,
    pub(super) failed: u64,
}

impl Measured {
    /// The time that `part` of the calls did not exceed, milliseconds.
    pub(super) fn percentile(&self, part: f64) -> Option<f64> {
        let mut sorted = self.answers.clone();
        sorted.sort_unstable();
        let rank = (part * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).map(|time| time.as_secs_f64() * 1e3)
    }
}

/// Calls every `every`, for `lasting`.
pub(super) fn run(every: Duration, lasting: Duration) -> io::Result<Measured> {
    let socket = UdpSocket::bind(format!("{PROBE}:5060"))?;
    socket.connect(SIP)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut measured = Measured::default();
    let begun = Instant::now();
    let mut turn = 0;
    while begun.elapsed() < lasting {
        turn += 1;
        match call(&socket, turn) {
            Ok(answer) => measured.answers.push(answer),
            Err(_) => measured.failed += 1,
        }
        std::thread::sleep((every * turn).saturating_sub(begun.elapsed()));
    }
    Ok(measured)
}

/// One call; the time from INVITE to 200.
fn call(socket: &UdpSocket, turn: u32) -> io::Result<Duration> {
    let mut buf = vec![0; 65_535];
    let id = format!("probe-{}-{turn}", std::process::id());
    let to = format!("<sip:{PROBE_NUMBER}@{SIP}>");
    let target = format!("sip:{PROBE_NUMBER}@{SIP}");
    let begun = Instant::now();
    socket.send(request("INVITE", 1, &target, &to, &id).as_bytes())?;
    let answer = until(socket, &mut buf, &id, "INVITE")?;
    let took = begun.elapsed();
    let to = header(&answer, "To").unwrap_or_default().to_owned();
    let contact = header(&answer, "Contact").unwrap_or_default();
    let target = contact.split('<').nth(1).and_then(|rest| rest.split('>').next());
    let target = target.unwrap_or_default().to_owned();
    // A proxy that stays in the dialog.
    let route =
        header(&answer, "Record-Route").map(|route| format!("Route: {route}\r\n")).unwrap_or_default();
    let within = |method: &str, cseq: u32| {
        request(method, cseq, &target, &to, &id).replacen("Contact:", &format!("{route}Contact:"), 1)
    };
    socket.send(within("ACK", 1).as_bytes())?;
    socket.send(within("BYE", 2).as_bytes())?;
    until(socket, &mut buf, &id, "BYE")?;
    Ok(took)
}

/// Serves the called side until our own request of this method has its final answer, which must be a 200.
fn until(socket: &UdpSocket, buf: &mut [u8], id: &str, method: &str) -> io::Result<String> {
    loop {
        let length = socket.recv(buf)?;
        let text = String::from_utf8_lossy(buf.get(..length).unwrap_or_default()).into_owned();
        let Some(code) = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)) else {
            if let Some(answer) = answer(&text) {
                socket.send(answer.as_bytes())?;
            }
            continue;
        };
        let ours = header(&text, "Call-ID") == Some(id)
            && header(&text, "CSeq").is_some_and(|cseq| cseq.ends_with(method));
        if ours && !code.starts_with('1') {
            return if code == "200" {
                Ok(text)
            } else {
                Err(io::Error::other(format!("{method} got {code}")))
            };
        }
    }
}

/// What the called side says to a request.
pub(super) fn answer(request: &str) -> Option<String> {
    if request.starts_with("ACK ") {
        return None;
    }
    let mut text = String::from("SIP/2.0 200 OK\r\n");
    for line in request.lines().take_while(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or_default();
        if ["Via", "Record-Route", "From", "Call-ID", "CSeq"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            text.push_str(line);
            text.push_str("\r\n");
        } else if name.eq_ignore_ascii_case("To") {
            let tag = if line.contains(";tag=") { "" } else { ";tag=probe" };
            text.push_str(&format!("{line}{tag}\r\n"));
        }
    }
    text.push_str(&format!("Contact: <sip:{PROBE}:5060>\r\n"));
    Some(with_body(text, request.starts_with("INVITE ")))
}

/// A request of the caller, outside or in the dialog.
pub(super) fn request(method: &str, cseq: u32, target: &str, to: &str, id: &str) -> String {
    let text = format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {PROBE}:5060;branch=z9hG4bK{id}-{method}\r\n\
         From: <sip:probe@{PROBE}:5060>;tag={id}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:{PROBE}:5060>\r\nMax-Forwards: 70\r\n"
    );
    with_body(text, method == "INVITE")
}

fn with_body(head: String, described: bool) -> String {
    if !described {
        return format!("{head}Content-Length: 0\r\n\r\n");
    }
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 {PROBE}\r\ns=-\r\nc=IN IP4 {PROBE}\r\nt=0 0\r\nm=audio {MEDIA} RTP/AVP 8\r\n\
         a=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
    );
    let length = body.len();
    format!("{head}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The value of the first header of this name.
pub(super) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.lines().take_while(|line| !line.is_empty());
    let mut values = lines.filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    values.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let answers = (1..=200).rev().map(Duration::from_millis).collect();
        let measured = Measured { answers, failed: 0 };
        assert_eq!(measured.percentile(0.5), Some(100.0));
        assert_eq!(measured.percentile(0.99), Some(198.0));
        assert_eq!(Measured::default().percentile(0.5), None);
    }

    #[test]
    fn the_called_side_answers_in_the_request_s_own_words() {
        let asked = request("INVITE", 1, "sip:a@b", "<sip:a@b>", "x");
        let said = answer(&asked).unwrap();
        assert!(said.starts_with("SIP/2.0 200 OK\r\n"));
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            assert_eq!(header(&said, name), header(&asked, name), "{name}");
        }
        assert_eq!(header(&said, "To"), Some("<sip:a@b>;tag=probe"));
        assert!(said.contains("m=audio"));
        assert_eq!(answer(&request("ACK", 1, "sip:a@b", "<sip:a@b>", "x")), None);
    }
}
