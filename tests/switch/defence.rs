//! Scanners and guessers at the running switch.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Fail, Outcome, ensure};
use cordboard_tests::process::{Process, wait_for};
use cordboard_tests::switch::{SOON, Switch};
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Loopback is not spared here.
const GUARD: &str = "[sip.guard]\nallow = [\"127.0.0.1\"]";

/// A known scanner in a folder of its own, to its end; gives what it printed.
fn scans(dir: &Path, name: &str, args: &[&str]) -> Result<String, Fail> {
    let mut command = Command::new(name);
    command.args(args).current_dir(dir).env("HOME", dir);
    let mut process = Process::start(name, dir, command)?;
    process.wait(Duration::from_secs(40))?;
    Ok(process.output())
}

/// sipvicious finds neither the switch nor an account; whoever it scans, calls go on.
pub fn scanners_find_nothing(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").user("1002").queue("").trunk().more(GUARD);
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let found = scans(dir, "svmap", &["-b", "127.0.0.9", "-P", "5062", "127.0.0.1"])?;
    ensure(!found.contains("127.0.0.1:5060"), || format!("svmap found the switch:\n{found}"))?;
    let found = scans(dir, "svwar", &["-b", "127.0.0.9", "-P", "5063", "-e", "1000-1004", "127.0.0.1"])?;
    ensure(!found.contains("| 1001"), || format!("svwar found an account:\n{found}"))?;
    let bans = switch.api.list("/api/v1/bans")?;
    ensure(bans.len() == 1 && bans[0]["source"] == "127.0.0.9", || format!("bans: {bans:?}"))?;
    ensure(switch.api.metric("cordboard_sip_guard_dropped_total")? >= 1.0, || {
        "nothing was left unheard".into()
    })?;
    switch.wait_logged("127.0.0.9")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    switch.wait_cdrs(1)?;
    switch.ensure_nothing_left()
}

/// Who guesses passwords is answered like anybody, and then not at all; the accounts he tries make no difference.
pub fn guessers_are_banned(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001").more(GUARD))?;
    let socket = UdpSocket::bind("127.0.0.9:5099")?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut answers = Vec::new();
    for n in 10..40 {
        let user = if n % 2 == 0 { "1001" } else { "9999" };
        let text = format!(
            "REGISTER sip:localhost SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5099;branch=z9hG4bKg{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@localhost>;tag=g{n}\r\nTo: <sip:{user}@localhost>\r\nCall-ID: g{n}\r\nCSeq: 1 REGISTER\r\n\
             Contact: <sip:{user}@127.0.0.9:5099>\r\nAuthorization: Digest username=\"{user}\", realm=\"localhost\", \
             nonce=\"00\", uri=\"sip:localhost\", response=\"00000000000000000000000000000000\", algorithm=MD5\r\n\
             Content-Length: 0\r\n\r\n"
        );
        socket.send_to(text.as_bytes(), &switch.sip)?;
        let mut buf = [0; 4_096];
        match socket.recv(&mut buf) {
            Ok(len) => answers.push(String::from_utf8_lossy(&buf[..len]).into_owned()),
            Err(_) => break,
        }
    }
    ensure((5..30).contains(&answers.len()), || format!("{} answers", answers.len()))?;
    let line = |answer: &String| answer.lines().next().unwrap_or_default().to_owned();
    ensure(answers.iter().all(|answer| line(answer) == "SIP/2.0 401 Unauthorized"), || {
        format!("{answers:?}")
    })?;
    let sizes: Vec<usize> = answers.iter().map(String::len).collect();
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    ensure(most.zip(least).is_some_and(|(most, least)| most - least <= 2), || {
        format!("answers differ: {sizes:?}")
    })?;
    wait_for("the ban to be shown", SOON, || {
        let bans = switch.api.list("/api/v1/bans").ok()?;
        bans.iter().any(|ban| ban["source"] == "127.0.0.9").then_some(())
    })
}

/// Asks with OPTIONS; whether it is answered. Each question is another.
fn is_heard(socket: &UdpSocket, switch: &Switch, n: u32) -> Result<bool, Fail> {
    let asks = format!(
        "OPTIONS sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5099;branch=z9hG4bKh{n}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@127.0.0.9>;tag=h\r\nTo: <sip:100@127.0.0.1>\r\nCall-ID: h{n}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    socket.send_to(asks.as_bytes(), &switch.sip)?;
    let mut buf = [0; 4_096];
    Ok(socket.recv(&mut buf).is_ok())
}

/// Who is banned by hand is not heard, neither after the switch was killed, until somebody takes it back; no trunk is cut off.
pub fn banned_by_hand(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1001").trunk().more(GUARD);
    let mut switch = Switch::start(dir, &config)?;
    let socket = UdpSocket::bind("127.0.0.9:5099")?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    ensure(is_heard(&socket, &switch, 1)?, || "nobody answers".into())?;
    let trunk = switch.api.send("POST", "/api/v1/bans", r#"{"source": "127.0.0.2"}"#)?;
    ensure(trunk.status == 409, || format!("a trunk is banned: {}", trunk.status))?;
    field(&trunk.json()?, "code", "trunk_address")?;
    let body = r#"{"source": "127.0.0.9", "seconds": 3600, "why": "calls at night"}"#;
    switch.api.post_body("/api/v1/bans", body)?;
    ensure(!is_heard(&socket, &switch, 2)?, || "it is answered".into())?;
    switch.kill();
    drop(switch);
    let switch = Switch::restart(dir)?;
    ensure(!is_heard(&socket, &switch, 3)?, || "it is answered after the kill".into())?;
    let bans = switch.api.list("/api/v1/bans")?;
    ensure(bans.len() == 1 && bans[0]["why"] == "calls at night", || format!("{bans:?}"))?;
    field(&bans[0], "dropped", 1)?;
    switch.api.post("/api/v1/bans/127.0.0.9/lift")?;
    ensure(is_heard(&socket, &switch, 4)?, || "it is not answered".into())?;
    ensure(switch.api.list("/api/v1/bans")?.is_empty(), || "it is in the list yet".into())?;
    let log = switch.api.list("/api/v1/audit?action=ban&outcome=done")?;
    ensure(log.len() == 1, || format!("the log: {log:?}"))
}
