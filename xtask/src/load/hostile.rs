//! `load hostile`: flows that attack the switch while calls talk. Every attack of `tests/hostile` is called once, one after
//! another; meanwhile every packet of the calls is counted, OPTIONS are timed, and new calls are set up.

use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::drive;
use super::options::Options;
use super::place::{PROBE, SIP};
use super::probe::{header, request};
use super::switch::{More, Switch};
use super::talk::Talks;
use crate::outcome::Outcome;

/// Who calls the flows, and who asks whether the switch is well.
const ATTACKER: &str = "127.0.0.7";
const DOCTOR: &str = "127.0.0.8";
/// An honest flow's number; the attacks' come after it.
const HONEST: u32 = 9_200;
/// Longest wait for a message, and for an attack's end.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two OPTIONS.
const PULSE: Duration = Duration::from_millis(20);
/// Longest time that an OPTIONS may take.
const MOST: Duration = Duration::from_millis(50);

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let options = Options::new(arguments, &["--calls"], &["--no-build"]);
    drive(root, "hostile", options, |binary, dir, options| {
        let calls = u16::try_from(options.number("--calls", 500)).map_err(|_| "too many calls")?.min(4_000);
        let attacks = attacks(root).map_err(|error| format!("tests/hostile: {error}"))?;
        let sections = sections(dir, &attacks).map_err(|error| format!("the flows: {error}"))?;
        let switch = Switch::start_with(binary, dir, More { sections: &sections, ..More::default() })?;
        measure(&switch, &attacks, calls)
    })
}

/// The attacks: name and text.
fn attacks(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut attacks = Vec::new();
    for entry in std::fs::read_dir(root.join("tests").join("hostile"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        attacks.push((name, std::fs::read_to_string(&path)?));
    }
    attacks.sort();
    Ok(attacks)
}

/// Writes the flows down, and says how they are configured.
fn sections(dir: &Path, attacks: &[(String, String)]) -> io::Result<String> {
    // A flow that waits for ever ends by its life.
    let mut sections = format!(
        "[limits.flow]\nwall = \"2s\"\n[tenant.default.trunk.strangers]\npeers = [\"{ATTACKER}\"]\nmax_calls = 100000\n"
    );
    let honest = ("honest".to_owned(), "call:answer()\ncall:hang_up()\n".to_owned());
    for ((name, text), number) in std::iter::once(&honest).chain(attacks).zip(HONEST..) {
        std::fs::write(dir.join(format!("{name}.lua")), text)?;
        sections.push_str(&format!(
            "[tenant.default.flow.{name}]\nfile = \"{name}.lua\"\n\
             [[tenant.default.number]]\naccess_code = \"{number}\"\nto = \"flow:{name}\"\n"
        ));
    }
    Ok(sections)
}

fn measure(switch: &Switch, attacks: &[(String, String)], calls: u16) -> Result<bool, String> {
    let mut talks = Talks::begin(calls).map_err(|error| format!("the calls: {error}"))?;
    // The ends of each call are found by the first packets.
    talks.talk(Duration::from_secs(1));
    let over = AtomicBool::new(false);
    let (talked, attacked, pulses) = thread::scope(|scope| {
        let attacking = scope.spawn(|| {
            let attacked = attack(attacks.len());
            over.store(true, Relaxed);
            attacked
        });
        let asking = scope.spawn(|| pulse(&over));
        let mut talked = Vec::new();
        while !over.load(Relaxed) {
            talked.push(talks.talk(Duration::from_secs(1)));
        }
        (talked, attacking.join(), asking.join())
    });
    let wrong = |what: &str| format!("{what} ended badly");
    let attacked =
        attacked.map_err(|_| wrong("the attacks"))?.map_err(|error| format!("the attacks: {error}"))?;
    let pulses = pulses.map_err(|_| wrong("OPTIONS"))?.map_err(|error| format!("OPTIONS: {error}"))?;
    let sent: u64 = talked.iter().map(|packets| packets.sent).sum();
    let lost = sent.saturating_sub(talked.iter().map(|packets| packets.received).sum());
    for ((name, _), took) in attacks.iter().zip(&attacked) {
        println!("{name:>28}: its call ended after {:>6.0} ms", took.as_secs_f64() * 1e3);
    }
    let mut sorted = pulses.clone();
    sorted.sort_unstable();
    let longest = sorted.last().copied().unwrap_or(PATIENCE);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(PATIENCE);
    println!(
        "result attacks={} calls={calls} media_sent={sent} media_lost={lost} options={} options_p50_ms={:.2} \
         options_longest_ms={:.2} new_calls={}",
        attacked.len(),
        pulses.len(),
        median.as_secs_f64() * 1e3,
        longest.as_secs_f64() * 1e3,
        attacked.len(),
    );
    switch.wait_calls(u32::from(calls))?;
    Ok(lost == 0 && longest < MOST && attacked.len() == attacks.len())
}

/// Asks the switch whether it is well until that is over; how long each answer took.
fn pulse(over: &AtomicBool) -> io::Result<Vec<Duration>> {
    let socket = UdpSocket::bind(format!("{DOCTOR}:5060"))?;
    socket.connect(SIP)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let (mut times, mut buf) = (Vec::new(), vec![0; 65_535]);
    while !over.load(Relaxed) {
        let id = format!("pulse-{}-{}", std::process::id(), times.len());
        let uri = format!("sip:{SIP}");
        let ask = request("OPTIONS", 1, &uri, &format!("<{uri}>"), &id).replace(PROBE, DOCTOR);
        let begun = Instant::now();
        socket.send(ask.as_bytes())?;
        socket.recv(&mut buf)?;
        times.push(begun.elapsed());
        thread::sleep(PULSE);
    }
    Ok(times)
}

/// Calls every attack in its turn, and an honest flow after each, which must be answered. How long each attack's call was up.
fn attack(attacks: usize) -> io::Result<Vec<Duration>> {
    let socket = UdpSocket::bind(format!("{ATTACKER}:5060"))?;
    socket.connect(SIP)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut times = Vec::new();
    for (turn, number) in (HONEST + 1..).take(attacks).enumerate() {
        times.push(call(&socket, &format!("attack-{turn}"), number)?);
        call(&socket, &format!("honest-{turn}"), HONEST)?;
    }
    Ok(times)
}

/// One call to a flow that answers and is ended by the switch; from its answer to its end.
fn call(socket: &UdpSocket, name: &str, number: u32) -> io::Result<Duration> {
    let id = format!("{name}-{}", std::process::id());
    let uri = format!("sip:{number}@{SIP}");
    socket.send(request("INVITE", 1, &uri, &format!("<{uri}>"), &id).replace(PROBE, ATTACKER).as_bytes())?;
    let (mut buf, mut answered) = (vec![0; 65_535], None);
    loop {
        let length = socket.recv(&mut buf)?;
        let text = String::from_utf8_lossy(buf.get(..length).unwrap_or_default()).into_owned();
        if header(&text, "Call-ID") != Some(id.as_str()) {
            continue;
        }
        if text.starts_with("BYE ") {
            socket
                .send(super::probe::answer(&text).unwrap_or_default().replace(PROBE, ATTACKER).as_bytes())?;
            return answered
                .map(|at: Instant| at.elapsed())
                .ok_or_else(|| io::Error::other("ended unanswered"));
        }
        let status =
            text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)).unwrap_or_default().to_owned();
        match status.as_str() {
            "200" => {
                answered.get_or_insert_with(Instant::now);
                let target = header(&text, "Contact").and_then(|contact| contact.split(['<', '>']).nth(1));
                let to = header(&text, "To").unwrap_or_default();
                let ack = request("ACK", 1, target.unwrap_or(&uri), to, &id).replace(PROBE, ATTACKER);
                socket.send(ack.as_bytes())?;
            }
            "" => {}
            code if code.starts_with('1') => {}
            code => return Err(io::Error::other(format!("{number} got {code}"))),
        }
    }
}
