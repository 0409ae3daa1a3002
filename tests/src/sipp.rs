//! SIPp as caller and as agent's phone. Scenario files are in tests/sipp; their SDP names a port where the harness
//! itself speaks and listens, and a MESSAGE of the harness in the call tells SIPp to go on, so that nothing is timed.

use crate::fail::{Fail, fail};
use crate::process::{Process, wait_for};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest life of a SIPp.
const LIFE: &str = "60s";

/// One SIPp with one scenario.
#[derive(Debug)]
pub struct Sipp {
    process: Process,
    /// `address:port` of its SIP socket.
    pub at: String,
    messages: PathBuf,
}

/// How to start one.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// Its name: of its files and in messages.
    pub name: &'a str,
    /// The scenario: `tests/sipp/NAME.xml`.
    pub scenario: &'a str,
    /// Its own address.
    pub ip: &'a str,
    /// Its own port.
    pub port: u16,
    /// `address:port` of the switch.
    pub switch: &'a str,
    /// What it dials, or the account it is.
    pub user: &'a str,
    /// The account's password.
    pub password: &'a str,
    /// The RTP port its SDP names.
    pub rtp: u16,
    /// How many calls.
    pub calls: u32,
    /// Calls a second.
    pub rate: u32,
    /// More arguments.
    pub more: &'a [&'a str],
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            name: "sipp",
            scenario: "",
            ip: "127.0.0.1",
            port: 5070,
            switch: "127.0.0.1:5060",
            user: "",
            password: "",
            rtp: 41_000,
            calls: 1,
            rate: 10,
            more: &[],
        }
    }
}

/// The folder of the scenario files.
pub fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sipp")
}

impl Sipp {
    /// Starts SIPp; it sends or listens at once.
    pub fn start(dir: &Path, setup: &Setup<'_>) -> Result<Self, Fail> {
        let messages = dir.join(format!("{}.messages", setup.name));
        let mut command = Command::new("sipp");
        command
            .arg("-sf")
            .arg(scenarios().join(format!("{}.xml", setup.scenario)))
            .args(["-i", setup.ip, "-p", &setup.port.to_string(), "-s", setup.user])
            .args(["-m", &setup.calls.to_string(), "-r", &setup.rate.to_string()])
            .args(["-key", "rtp", &setup.rtp.to_string()])
            .args(["-au", setup.user, "-ap", setup.password])
            // SIPp binds a media port of its own whether it is used or not.
            .args(["-mp", &(setup.port.wrapping_mul(4) % 20_000 + 42_000).to_string()])
            .args(["-nostdin", "-timeout", LIFE, "-timeout_error", "-trace_err"])
            .args(["-trace_msg", "-message_file"])
            .arg(&messages)
            .arg("-error_file")
            .arg(dir.join(format!("{}.errors", setup.name)))
            .args(setup.more)
            .arg(setup.switch)
            .current_dir(dir);
        let process = Process::start(setup.name, dir, command)?;
        let at = format!("{}:{}", setup.ip, setup.port);
        let sipp = Self { process, at, messages };
        Ok(sipp)
    }

    /// What it sent and received so far.
    pub fn messages(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.messages).unwrap_or_default()).into_owned()
    }

    /// Waits until it sent or received a message that holds `text`.
    pub fn wait_message(&mut self, text: &str, limit: Duration) -> Result<(), Fail> {
        let what = format!("{} to see {text:?}", self.at);
        let seen = wait_for(&what, limit, || {
            if self.messages().contains(text) {
                return Some(true);
            }
            self.process.ended().map(|_| self.messages().contains(text))
        });
        match seen {
            Ok(true) => Ok(()),
            Ok(false) => fail(format!("{what}: it ended before; it said:\n{}", self.process.output())),
            Err(why) => fail(format!("{why}; its messages:\n{}", self.messages())),
        }
    }

    /// The Call-ID of its (first) call.
    pub fn call_id(&self) -> Option<String> {
        let messages = self.messages();
        let line = messages.lines().find(|line| line.to_ascii_lowercase().starts_with("call-id:"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    }

    /// Tells its call to go on to the next step, by a MESSAGE in the call.
    pub fn go_on(&self) -> Result<(), Fail> {
        let call_id = wait_for("SIPp to have a call", Duration::from_secs(10), || self.call_id())?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let from = socket.local_addr()?;
        let at = &self.at;
        let text = format!(
            "MESSAGE sip:sipp@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-go-on\r\nFrom: <sip:harness@{from}>;tag=h\r\n\
             To: <sip:sipp@{at}>\r\nCall-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send_to(text.as_bytes(), at)?;
        Ok(())
    }

    /// Waits for its end and fails unless every call went as its scenario says.
    pub fn wait_success(&mut self, limit: Duration) -> Result<(), Fail> {
        let ended = self.process.wait_success(limit);
        ended.map_err(|why| Fail(format!("{why}; its messages:\n{}", self.messages())))
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
