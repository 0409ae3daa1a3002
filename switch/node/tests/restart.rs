//! A switch that was killed sends its BYEs when it is back, once, and not with the first timer that is due.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code; clippy spares only what is inside #[test]")]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for a message that must come.
const SOON: Duration = Duration::from_secs(10);
/// How long nothing may come: less than T1, after which a retransmission is right.
const QUIET: Duration = Duration::from_millis(250);

/// A process that is killed with the test, whatever becomes of it.
struct Switch {
    child: Child,
    sip: SocketAddr,
}

impl Drop for Switch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(config: &Path) -> Switch {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordboard"));
    let child = command.args(["run", "--config"]).arg(config).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let sip = ready.split("sip=udp:").nth(1).and_then(|rest| rest.split_whitespace().next());
    let sip = sip.unwrap_or_else(|| panic!("not ready: {ready}")).parse().unwrap();
    Switch { child, sip }
}

/// The next message that begins with `start`; others are passed over.
fn hear(socket: &UdpSocket, start: &str, within: Duration) -> Option<String> {
    socket.set_read_timeout(Some(within)).unwrap();
    let mut buf = [0; 4_096];
    loop {
        let len = socket.recv(&mut buf).ok()?;
        let text = String::from_utf8_lossy(&buf[..len]).into_owned();
        if text.starts_with(start) {
            return Some(text);
        }
    }
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let value = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_else(|| panic!("no {name} in {message}"))
}

fn folder(peer: SocketAddr) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("cordboard-restart-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let text = format!(
        "[sip]\nlisten = [\"127.0.0.1:0\"]\n[media]\nport_min = 41000\nport_max = 41099\n\
         [http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"calls.db\"\n[journal]\ndir = \"journal\"\n\
         [recordings]\ndir = \"recordings\"\n[limits]\ncalls = 10\n[tenant.default.queue.sales]\n\
         [[tenant.default.number]]\naccess_code = \"501\"\nto = \"queue:sales\"\n\
         [tenant.default.trunk.carrier]\npeers = [\"{peer}\"]\n\
         [tenant.default.user.1001]\npassword = \"no-phone-yet\"\n\
         [tenant.default.agent.1001]\nqueues = [\"sales\"]\nauto_sign_in = true\n"
    );
    std::fs::write(dir.join("cordboard.toml"), text).unwrap();
    dir
}

/// The dialog is in the journal a moment after the 200: what is killed before that has no BYE to send.
fn wait_for_dialog(journal: &Path) {
    let end = Instant::now() + SOON;
    while !String::from_utf8_lossy(&std::fs::read(journal).unwrap()).contains("dialog_up") {
        assert!(Instant::now() < end, "no dialog in the journal");
        std::thread::yield_now();
    }
}

#[test]
fn a_cut_call_hears_one_bye_when_the_switch_is_back() {
    let caller = UdpSocket::bind("127.0.0.1:0").unwrap();
    let here = caller.local_addr().unwrap();
    let dir = folder(here);
    let config = dir.join("cordboard.toml");
    let switch = start(&config);
    let request = |method: &str, to: &str, more: &str| {
        format!(
            "{method} sip:501@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+4930123@{here}>;tag=a\r\nTo: {to}\r\nCall-ID: cut\r\n\
             CSeq: 1 {method}\r\nContact: <sip:+4930123@{here}>\r\n{more}"
        )
    };
    let sdp =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n";
    let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
    caller.send_to(request("INVITE", "<sip:501@127.0.0.1>", &body).as_bytes(), switch.sip).unwrap();
    let ok = hear(&caller, "SIP/2.0 200", SOON).unwrap();
    let ack = request("ACK", header(&ok, "To"), "Content-Length: 0\r\n\r\n");
    caller.send_to(ack.as_bytes(), switch.sip).unwrap();
    wait_for_dialog(&dir.join("journal/journal.log"));
    drop(switch);

    let switch = start(&config);
    let bye = hear(&caller, "BYE ", SOON).unwrap();
    let mut answer = String::from("SIP/2.0 200 OK\r\n");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        answer += &format!("{name}: {}\r\n", header(&bye, name));
    }
    caller.send_to(format!("{answer}Content-Length: 0\r\n\r\n").as_bytes(), switch.sip).unwrap();
    assert_eq!(hear(&caller, "BYE ", QUIET), None, "a second one at once");
    drop(switch);
    std::fs::remove_dir_all(dir).unwrap();
}
