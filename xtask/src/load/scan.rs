//! `load scan`: what a scan costs a switch with calls up.
//!
//! sipvicious scans a socket of ours, which writes down what it sends; that is then sent to the switch again and again,
//! two thousand packets a second, while calls run with audio both ways.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::drive;
use super::machine;
use super::options::Options;
use super::place::SIP;
use super::switch::{More, Switch};
use super::talk::Talks;
use crate::outcome::Outcome;

/// The scanner, and what it scans to be written down.
const SCANNER: &str = "127.0.0.9";
const DECOY: &str = "127.0.0.8";
/// Of one core, per cent: what a scan may cost.
const MOST: f64 = 5.0;
/// Loopback is not spared here.
const GUARD: &str = "[sip.guard]\nallow = []\n";

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let options = Options::new(arguments, &["--calls", "--packets", "--seconds"], &["--no-build"]);
    drive(root, "scan", options, |binary, dir, options| {
        let calls = u16::try_from(options.number("--calls", 100)).map_err(|_| "too many calls")?.min(4_000);
        let lasting = Duration::from_secs(u64::from(options.number("--seconds", 10)));
        let scan = record(dir)?;
        println!("{} packets of svwar and svmap are written down", scan.len());
        let switch = Switch::start_with(binary, dir, More { sections: GUARD, ..More::default() })?;
        measure(&switch, &scan, calls, options.number("--packets", 2_000), lasting)
    })
}

/// What sipvicious sends to somebody who answers that there is no such thing.
fn record(dir: &Path) -> Result<Vec<Vec<u8>>, String> {
    let wrong = |error: std::io::Error| format!("the scan cannot be written down: {error}");
    let socket = UdpSocket::bind(format!("{DECOY}:5060")).map_err(wrong)?;
    socket.set_read_timeout(Some(Duration::from_millis(50))).map_err(wrong)?;
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let listens = scope.spawn(|| {
            let (mut scan, mut buf) = (Vec::new(), vec![0; 65_535]);
            while !ended.load(Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buf) else { continue };
                let packet = buf.get(..length).unwrap_or_default().to_vec();
                // One that is refused so goes on.
                let _ = socket.send_to(refusal(&packet).as_bytes(), from);
                scan.push(packet);
            }
            scan
        });
        let scans: [&[&str]; 3] = [
            &["svwar", "-b", SCANNER, "-P", "5062", "-e", "1000-1400", "-m", "REGISTER", DECOY],
            &["svwar", "-b", SCANNER, "-P", "5063", "-e", "1000-1400", "-m", "INVITE", DECOY],
            &["svmap", "-b", SCANNER, "-P", "5064", DECOY],
        ];
        let tried = scans.iter().try_for_each(|scan| {
            let (name, arguments) = scan.split_first().ok_or("no scan")?;
            let mut command = Command::new("timeout");
            command.args(["20", name]).args(arguments).current_dir(dir).env("HOME", dir);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let ran = command.status();
            ran.map(drop)
                .map_err(|error| format!("{name} (Debian package sipvicious) did not start: {error}"))
        });
        ended.store(true, Relaxed);
        let scan = listens.join().map_err(|_| "the decoy ended badly".to_owned())?;
        tried?;
        if scan.len() < 100 {
            return Err(format!("only {} packets came; is the Debian package sipvicious there?", scan.len()));
        }
        Ok(scan)
    })
}

fn refusal(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = text.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
    let lines: Vec<&str> = lines.collect();
    format!("SIP/2.0 404 Not Found\r\n{}\r\nContent-Length: 0\r\n\r\n", lines.join("\r\n"))
}

/// Sends the scan for so long; how many packets.
fn replay(scan: &[Vec<u8>], rate: u32, lasting: Duration) -> std::io::Result<u64> {
    let socket = UdpSocket::bind(format!("{SCANNER}:5099"))?;
    socket.connect(SIP)?;
    let begun = Instant::now();
    let mut sent = 0;
    for packet in scan.iter().cycle() {
        if begun.elapsed() >= lasting {
            break;
        }
        socket.send(packet)?;
        sent += 1;
        let due = Duration::from_secs_f64(sent as f64 / f64::from(rate));
        thread::sleep(due.saturating_sub(begun.elapsed()));
    }
    Ok(sent)
}

fn measure(
    switch: &Switch,
    scan: &[Vec<u8>],
    calls: u16,
    rate: u32,
    lasting: Duration,
) -> Result<bool, String> {
    let mut talks = Talks::begin(calls).map_err(|error| format!("the calls: {error}"))?;
    let cpu = || {
        let shard = machine::cpu_of_thread(switch.pid(), "shard").unwrap_or(0.0);
        (shard, machine::cpu(switch.pid()).unwrap_or(0.0))
    };
    let percent = |seconds: f64| 100.0 * seconds / lasting.as_secs_f64();
    // The ends of each call are found by the first packets.
    talks.talk(Duration::from_secs(1));
    let before = cpu();
    let calm = talks.talk(lasting);
    let between = cpu();
    let (under, sent) = thread::scope(|scope| {
        let replaying = scope.spawn(|| replay(scan, rate, lasting));
        (talks.talk(lasting), replaying.join())
    });
    let after = cpu();
    let sent = match sent {
        Ok(Ok(sent)) => sent,
        Ok(Err(error)) => return Err(format!("the scan: {error}")),
        Err(_) => return Err("the scan ended badly".to_owned()),
    };
    let (quiet, busy) = (between.0 - before.0, after.0 - between.0);
    let (all_quiet, all_busy) = (between.1 - before.1, after.1 - between.1);
    let dropped = switch.metric("cordboard_sip_guard_dropped_total").unwrap_or(0.0);
    let lost = under.sent.saturating_sub(under.received);
    println!(
        "no scan: {} packets of {calls} calls sent, {} heard; signalling thread {:.2} % of a core, all threads {:.1} %",
        calm.sent,
        calm.received,
        percent(quiet),
        percent(all_quiet)
    );
    println!(
        "a scan of {sent} packets, {dropped} of them unread: {} sent, {} heard; signalling thread {:.2} %, all {:.1} %",
        under.sent,
        under.received,
        percent(busy),
        percent(all_busy)
    );
    let share = percent(busy - quiet);
    println!(
        "result scan_core_percent={share:.2} scan_packets_per_second={:.0} calls={calls} media_sent={} media_lost={lost}",
        sent as f64 / lasting.as_secs_f64(),
        under.sent
    );
    switch.wait_calls(u32::from(calls))?;
    Ok(share < MOST && lost == 0 && sent as f64 >= 0.9 * f64::from(rate) * lasting.as_secs_f64())
}
