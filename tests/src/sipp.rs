//! SIPp as caller and as called phone. The session descriptions of its scenarios name a port where the harness itself
//! speaks and listens, and a MESSAGE of the harness in the call tells SIPp to go on, so that nothing is timed.

use crate::fail::{Fail, fail};
use crate::process::{Process, SOON, wait_for};
use crate::scenario::Scenario;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest life of a SIPp.
const LIFE: &str = "140s";

/// One SIPp with one scenario.
#[derive(Debug)]
pub struct Sipp {
    process: Process,
    /// `address:port` of its SIP socket.
    pub at: String,
    messages: PathBuf,
    calls: usize,
    tcp: bool,
    /// Connections by which it was told to go on. They stay: SIPp takes an end as the end of the call.
    told: Vec<TcpStream>,
}

/// How to start one.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// Its name: of its files and in messages.
    pub name: &'a str,
    /// Its own address.
    pub ip: &'a str,
    /// Its own port.
    pub port: u16,
    /// `address:port` of the switch.
    pub switch: &'a str,
    /// Who calls, for those that call; the account that authenticates.
    pub caller: &'a str,
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
    /// Speaks SIP over TCP, one connection for all its calls.
    pub tcp: bool,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            name: "sipp",
            ip: "127.0.0.1",
            port: 5070,
            switch: "127.0.0.1:5060",
            caller: "caller",
            user: "",
            password: "",
            rtp: 41_000,
            calls: 1,
            rate: 50,
            tcp: false,
        }
    }
}

/// One message as SIPp logged it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whether SIPp sent it.
    pub sent: bool,
    /// The whole text.
    pub text: String,
}

impl Message {
    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.text.lines().take_while(|line| !line.trim().is_empty());
        let of = |line: &'_ str| -> Option<(usize, bool)> {
            let (key, _) = line.split_once(':')?;
            Some((key.len() + 1, key.trim().eq_ignore_ascii_case(name)))
        };
        let mut found = lines.filter_map(|line| match of(line) {
            Some((at, true)) => line.get(at..).map(str::trim),
            _ => None,
        });
        found.next()
    }

    /// Where its session description wants audio.
    pub fn media(&self) -> Option<SocketAddr> {
        let connection = self.text.lines().find_map(|line| line.strip_prefix("c=IN IP"))?;
        let (_, ip) = connection.split_once(' ')?;
        let media = self.text.lines().find_map(|line| line.strip_prefix("m=audio "))?;
        let port = media.split_whitespace().next()?;
        Some(SocketAddr::new(ip.trim().parse().ok()?, port.parse().ok()?))
    }
}

/// Whether a UDP socket of this loopback has the address, or a TCP one listens there, as the kernel lists them.
fn is_bound(at: SocketAddr, tcp: bool) -> bool {
    let word = |bytes: &[u8]| {
        let bytes = bytes.try_into().unwrap_or_default();
        format!("{:08X}", u32::from_ne_bytes(bytes))
    };
    let (family, address) = match at.ip() {
        IpAddr::V4(ip) => ("", word(&ip.octets())),
        IpAddr::V6(ip) => ("6", ip.octets().chunks(4).map(word).collect::<String>()),
    };
    // 0A is a TCP socket that listens.
    let (list, state) = if tcp { ("tcp", Some("0A")) } else { ("udp", None) };
    let list = format!("/proc/thread-self/net/{list}{family}");
    let wanted = format!("{address}:{:04X}", at.port());
    let text = std::fs::read_to_string(list).unwrap_or_default();
    text.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let found = words.next() == Some(wanted.as_str());
        found && state.is_none_or(|state| words.nth(1) == Some(state))
    })
}

impl Sipp {
    /// Starts SIPp; it sends or listens at once.
    pub fn start(dir: &Path, scenario: &Scenario, setup: &Setup<'_>) -> Result<Self, Fail> {
        let messages = dir.join(format!("{}.messages", setup.name));
        // Of an earlier one of this name.
        let _ = std::fs::remove_file(&messages);
        let account = if setup.password.is_empty() { setup.user } else { setup.caller };
        let mut command = Command::new("sipp");
        command
            .arg("-sf")
            .arg(scenario.write(dir, setup.name)?)
            .args(["-i", setup.ip, "-mi", setup.ip, "-p", &setup.port.to_string(), "-s", setup.user])
            .args(["-m", &setup.calls.to_string(), "-r", &setup.rate.to_string()])
            .args(["-key", "rtp", &setup.rtp.to_string(), "-key", "caller", setup.caller])
            .args(["-au", account, "-ap", setup.password])
            // SIPp binds a media port of its own whether it is used or not.
            .args(["-mp", &(u32::from(setup.port) * 4 % 20_000 + 42_000).to_string()])
            .args(["-t", if setup.tcp { "t1" } else { "u1" }])
            .args(["-nostdin", "-timeout", LIFE, "-timeout_error", "-trace_err"])
            .args(["-trace_msg", "-message_file"])
            .arg(&messages)
            .arg("-error_file")
            .arg(dir.join(format!("{}.errors", setup.name)))
            .arg(setup.switch)
            .current_dir(dir);
        let process = Process::start(setup.name, dir, command)?;
        let at = SocketAddr::new(setup.ip.parse()?, setup.port).to_string();
        Ok(Self {
            process,
            at,
            messages,
            calls: usize::try_from(setup.calls)?,
            tcp: setup.tcp,
            told: Vec::new(),
        })
    }

    /// Starts SIPp as a phone that is called, and waits until it listens.
    pub fn listen(dir: &Path, scenario: &Scenario, setup: &Setup<'_>) -> Result<Self, Fail> {
        let mut sipp = Self::start(dir, scenario, setup)?;
        // Looked up and not tried: whoever tries to bind it may be what SIPp finds there.
        let at: SocketAddr = sipp.at.parse()?;
        let taken = || is_bound(at, setup.tcp).then_some(());
        let listens = wait_for(&format!("{} to listen", setup.name), SOON, taken);
        listens.map_err(|why| Fail(format!("{why}; it said:\n{}", sipp.process.output())))?;
        match sipp.process.ended() {
            None => Ok(sipp),
            Some(status) => fail(format!("SIPp ended with {status}:\n{}", sipp.process.output())),
        }
    }

    /// Registers an account's phone at an address, with digest (MD5), as SIPp.
    pub fn register(dir: &Path, setup: &Setup<'_>, expires: u32) -> Result<(), Fail> {
        Self::register_by(dir, setup, &Scenario::register(expires, 200))
    }

    /// The same by a scenario.
    pub fn register_by(dir: &Path, setup: &Setup<'_>, scenario: &Scenario) -> Result<(), Fail> {
        let name = format!("{}-registers", setup.name);
        let setup = Setup { name: &name, caller: setup.user, ..setup.clone() };
        let mut sipp = Self::start(dir, scenario, &setup)?;
        sipp.wait_success(SOON)
    }

    /// What it sent and received so far, as it logged it.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.messages).unwrap_or_default()).into_owned()
    }

    /// What it sent and received so far.
    pub fn messages(&self) -> Vec<Message> {
        let log = self.log();
        let parts = log.split("-----------------------------------------------");
        let read = |part: &str| {
            let (head, text) = part.split_once(":\n\n").or_else(|| part.split_once(" :\n\n"))?;
            Some(Message { sent: head.contains("message sent"), text: text.replace('\r', "") })
        };
        parts.filter_map(read).collect()
    }

    /// The messages it received that begin with `start`.
    pub fn received(&self, start: &str) -> Vec<Message> {
        self.messages().into_iter().filter(|m| !m.sent && m.text.starts_with(start)).collect()
    }

    /// The messages it sent that begin with `start`.
    pub fn sent(&self, start: &str) -> Vec<Message> {
        self.messages().into_iter().filter(|m| m.sent && m.text.starts_with(start)).collect()
    }

    /// Waits until it received `count` messages that begin with `start`; gives the last.
    pub fn wait_received(&mut self, start: &str, count: usize) -> Result<Message, Fail> {
        self.wait_messages(false, start, count)
    }

    /// Waits until it sent `count` messages that begin with `start`; gives the last.
    pub fn wait_sent(&mut self, start: &str, count: usize) -> Result<Message, Fail> {
        self.wait_messages(true, start, count)
    }

    fn wait_messages(&mut self, sent: bool, start: &str, count: usize) -> Result<Message, Fail> {
        let word = if sent { "send" } else { "receive" };
        let what = format!("{} to {word} {count} of {start:?}", self.at);
        let mut ended = false;
        let seen = wait_for(&what, SOON, || {
            let found = if sent { self.sent(start) } else { self.received(start) };
            if found.len() >= count || ended {
                return Some(found.get(count.saturating_sub(1)).cloned());
            }
            // What it wrote last is read once more after its end.
            ended = self.process.ended().is_some();
            None
        });
        match seen {
            Ok(Some(message)) => Ok(message),
            Ok(None) => {
                fail(format!("{what}: it ended before; it said:\n{}{}", self.process.output(), self.log()))
            }
            Err(why) => fail(format!("{why}; its messages:\n{}", self.log())),
        }
    }

    /// Where the switch wants its audio, from the last session description it received.
    pub fn wait_media(&mut self) -> Result<SocketAddr, Fail> {
        let what = format!("a session description for {}", self.at);
        let seen = wait_for(&what, SOON, || {
            let found = self.messages().iter().rev().filter(|m| !m.sent).find_map(Message::media);
            found.map(Some).or_else(|| self.process.ended().map(|_| None))
        });
        let said = || format!("it said:\n{}{}", self.process.output(), self.log());
        match seen {
            Ok(Some(media)) => Ok(media),
            Ok(None) => fail(format!("{what}: SIPp ended before; {}", said())),
            Err(why) => fail(format!("{why}; {}", said())),
        }
    }

    /// The Call-IDs of its calls, in the order of their beginning.
    pub fn call_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for message in self.messages() {
            if let Some(id) = message.header("Call-ID")
                && !ids.iter().any(|known| known == id)
            {
                ids.push(id.to_owned());
            }
        }
        ids
    }

    /// Waits until a call of its is up: the answer of an INVITE is acknowledged. The switch knows it earlier.
    pub fn wait_up(&mut self) -> Result<(), Fail> {
        let seen = wait_for(&format!("a call of {} to be up", self.at), SOON, || {
            let messages = self.messages();
            let is_answer = |m: &Message| {
                m.text.starts_with("SIP/2.0 200")
                    && m.header("CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"))
            };
            let mut after = messages.iter().skip_while(|m| !is_answer(m));
            after
                .any(|m| m.text.starts_with("ACK "))
                .then_some(true)
                .or_else(|| self.process.ended().map(|_| false))
        });
        match seen {
            Ok(true) => Ok(()),
            Ok(false) => fail(format!("it ended before; it said:\n{}{}", self.process.output(), self.log())),
            Err(why) => fail(format!("{why}; its messages:\n{}", self.log())),
        }
    }

    /// Tells its (first) call to go on to the next step.
    pub fn go_on(&mut self) -> Result<(), Fail> {
        let id = wait_for("SIPp to have a call", SOON, || self.call_ids().into_iter().next())?;
        self.go_on_with(&id)
    }

    /// Tells all its calls to go on, once its log knows them all: it writes that in its own time.
    pub fn all_go_on(&mut self) -> Result<(), Fail> {
        let all = || Some(self.call_ids()).filter(|ids| ids.len() >= self.calls);
        let ids = wait_for(&format!("the log of SIPp to know {} calls", self.calls), SOON, all)?;
        ids.iter().try_for_each(|id| self.go_on_with(id))
    }

    /// Tells one call to go on, by a MESSAGE in it.
    pub fn go_on_with(&mut self, call_id: &str) -> Result<(), Fail> {
        if self.tcp {
            let mut stream = TcpStream::connect(&self.at)?;
            let text = self.word("TCP", stream.local_addr()?, call_id);
            stream.write_all(text.as_bytes())?;
            self.told.push(stream);
            return Ok(());
        }
        let ours = if self.at.starts_with('[') { "[::1]:0" } else { "127.0.0.1:0" };
        let socket = UdpSocket::bind(ours)?;
        let text = self.word("UDP", socket.local_addr()?, call_id);
        socket.send_to(text.as_bytes(), &self.at)?;
        Ok(())
    }

    /// What tells it to go on.
    fn word(&self, transport: &str, from: SocketAddr, call_id: &str) -> String {
        let at = &self.at;
        format!(
            "MESSAGE sip:sipp@{at} SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bK-go-on\r\n\
             From: <sip:harness@{from}>;tag=h\r\nTo: <sip:sipp@{at}>\r\nCall-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    }

    /// Waits for its end and fails unless every call went as its scenario says.
    pub fn wait_success(&mut self, limit: Duration) -> Result<(), Fail> {
        let ended = self.process.wait_success(limit);
        ended.map_err(|why| Fail(format!("{why}; its messages:\n{}", self.log())))
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
