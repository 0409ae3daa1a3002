//! rtpengine (Debian package rtpengine-daemon), in user space, in the switch's place: same core, same traffic. Driven by its
//! ng protocol: bencoded dictionaries over UDP.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::traffic::{Voice, ear};
use crate::load::machine::on_core;
use crate::load::place::PROBE;

const ADDRESS: &str = "127.0.0.6";
const CONTROL: &str = "127.0.0.6:2223";
const PATIENCE: Duration = Duration::from_secs(5);

/// A running rtpengine; it ends with this value.
pub(super) struct Rtpengine {
    child: Child,
    control: UdpSocket,
    asked: u32,
}

impl Rtpengine {
    pub(super) fn start(dir: &Path) -> Result<Self, String> {
        let wrong = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                "there is no rtpengine; install the Debian package rtpengine-daemon".to_owned()
            }
            _ => format!("rtpengine did not start: {error}"),
        };
        let log = File::create(dir.join("rtpengine.out")).map_err(wrong)?;
        let mut command = on_core("rtpengine", true);
        command.args(["--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--num-threads=1"]);
        command.args(["--config-file=none", "--port-min=10000", "--port-max=59999"]);
        command.arg(format!("--interface={ADDRESS}")).arg(format!("--listen-ng={CONTROL}"));
        command.current_dir(dir).stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(wrong)?).stderr(log);
        let child = command.spawn().map_err(wrong)?;
        let control = UdpSocket::bind(format!("{PROBE}:0")).map_err(wrong)?;
        control.connect(CONTROL).map_err(wrong)?;
        control.set_read_timeout(Some(Duration::from_millis(200))).map_err(wrong)?;
        let mut engine = Self { child, control, asked: 0 };
        let begun = Instant::now();
        while engine.ask("d7:command4:pinge").is_err() {
            if engine.child.try_wait().ok().flatten().is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(dir.join("rtpengine.out")).unwrap_or_default();
                return Err(format!("rtpengine did not become ready:\n{said}"));
            }
            sleep(Duration::from_millis(20));
        }
        engine.control.set_read_timeout(Some(PATIENCE)).map_err(wrong)?;
        Ok(engine)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sets up a call between two ends; where each sends to.
    pub(super) fn call(&mut self, call: usize, voices: [Voice; 2]) -> Result<[SocketAddr; 2], String> {
        let here = PROBE.parse().map_err(|_| "no address")?;
        let sdp = |side: usize| {
            let (at, voice) = (ear(here, 2 * call + side), voices[side]);
            format!(
                "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {pt}\r\na=rtpmap:{pt} {map}\r\n",
                map = voice.map,
                ip = at.ip(),
                port = at.port(),
                pt = voice.payload_type
            )
        };
        let id = format!("load-{call}");
        let mut offer = vec![("command", "offer"), ("call-id", &id), ("from-tag", "a")];
        let [first, second] = [sdp(0), sdp(1)];
        offer.push(("sdp", &first));
        let offered = self.ask(&dictionary(&offer))?;
        let answer =
            [("command", "answer"), ("call-id", &id), ("from-tag", "a"), ("to-tag", "b"), ("sdp", &second)];
        let answered = self.ask(&dictionary(&answer))?;
        // The offer that was rewritten is for the called side, the answer for the caller.
        let port = |text: &str| media(text).ok_or_else(|| format!("rtpengine said {text}"));
        Ok([port(&answered)?, port(&offered)?])
    }

    fn ask(&mut self, body: &str) -> Result<String, String> {
        let wrong = |error: io::Error| format!("rtpengine does not answer: {error}");
        self.asked += 1;
        let cookie = format!("{}_{} ", std::process::id(), self.asked);
        self.control.send(format!("{cookie}{body}").as_bytes()).map_err(wrong)?;
        let mut buf = vec![0; 65_535];
        loop {
            let length = self.control.recv(&mut buf).map_err(wrong)?;
            let text = String::from_utf8_lossy(&buf[..length]);
            if let Some(answer) = text.strip_prefix(&cookie) {
                return Ok(answer.to_owned());
            }
        }
    }
}

impl Drop for Rtpengine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A bencoded dictionary of strings.
fn dictionary(pairs: &[(&str, &str)]) -> String {
    let word = |word: &str| format!("{}:{word}", word.len());
    let each = pairs.iter().map(|(key, value)| word(key) + &word(value));
    format!("d{}e", each.collect::<String>())
}

fn media(text: &str) -> Option<SocketAddr> {
    let ip = text.split("c=IN IP4 ").nth(1)?.split(|c: char| c.is_whitespace()).next()?;
    let port = text.split("m=audio ").nth(1)?.split(' ').next()?;
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_carry_their_length_and_a_rewritten_description_tells_its_port() {
        assert_eq!(dictionary(&[("command", "ping")]), "d7:command4:pinge");
        let answer = "d6:result2:ok3:sdp40:v=0\r\nc=IN IP4 127.0.0.6\r\nm=audio 10002 RTP/AVP 8\r\ne";
        assert_eq!(media(answer), "127.0.0.6:10002".parse().ok());
    }
}
