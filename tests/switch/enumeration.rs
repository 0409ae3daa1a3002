//! What a stranger can learn of accounts, where nothing stops him from asking.

use crate::common::SOON;
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure, fail};
use cordboard_tests::process::Process;
use cordboard_tests::switch::Switch;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs one of the tools of sipvicious (a package of Debian) to its end; what it said.
fn tool(dir: &Path, name: &str, arguments: &[&str]) -> Result<String, Fail> {
    let mut command = Command::new(name);
    // It keeps its sessions below its home.
    command.args(arguments).env("HOME", dir).current_dir(dir);
    let mut process = Process::start(name, dir, command)?;
    process.wait(SOON * 5)?;
    Ok(process.output())
}

/// svwar lists no account, with each of its methods, where nothing stops it from asking.
pub fn svwar(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001").user("1002"))?;
    for method in ["REGISTER", "INVITE", "OPTIONS"] {
        let range = ["-b", "127.0.0.9", "-P", "5060", "-e", "990-1010", "-m", method, "--force", "127.0.0.1"];
        let said = tool(dir, "svwar", &range)?;
        ensure(said.contains("found nothing"), || format!("{method}: {said}"))?;
    }
    switch.ensure_nothing_left()
}

/// The medians of 1,000 tries to an account that exists and to one that does not, taken in turn, are within 10 %.
pub fn same_time(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1001"))?;
    let socket = UdpSocket::bind(("127.0.0.9", 5060))?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    for method in ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE"] {
        let mut closest = f64::MAX;
        // Other work on the machine may disturb a measurement, not five of them.
        for round in 0..5 {
            closest = closest.min(difference(&socket, method, round)?);
            if closest <= 0.1 {
                break;
            }
        }
        ensure(closest <= 0.1, || format!("{method}: the medians differ by {closest:.2}"))?;
    }
    switch.ensure_nothing_left()
}

fn difference(socket: &UdpSocket, method: &str, round: usize) -> Result<f64, Fail> {
    let mut times = [Vec::new(), Vec::new()];
    for n in 0..2_000 {
        let name = if n % 2 == 0 { "1001" } else { "1999" };
        times[n % 2].push(ask(socket, method, name, round * 10_000 + n)?);
    }
    let [real, unreal] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    });
    Ok((real / unreal - 1.0).abs())
}

/// One request with a wrong password; how long its answer takes.
fn ask(socket: &UdpSocket, method: &str, name: &str, n: usize) -> Result<Duration, Fail> {
    let text = format!(
        "{method} sip:{name}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5060;branch=z9hG4bK{method}{n}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{name}@127.0.0.1>;tag=t{n}\r\nTo: <sip:{name}@127.0.0.1>\r\nCall-ID: {method}{n}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:{name}@127.0.0.9>\r\n\
         Authorization: Digest username=\"{name}\", realm=\"localhost\", nonce=\"{n:064x}\", uri=\"sip:127.0.0.1\", \
         response=\"{n:032x}\", algorithm=MD5\r\nContent-Length: 0\r\n\r\n"
    );
    let mut answer = [0; 4_096];
    let begun = Instant::now();
    socket.send_to(text.as_bytes(), "127.0.0.1:5060")?;
    let length = socket.recv(&mut answer)?;
    let took = begun.elapsed();
    match answer.get(..length) {
        Some(answer) if answer.starts_with(b"SIP/2.0 ") => Ok(took),
        _ => fail("no answer"),
    }
}
