//! `load ivr`: what flows cost. Calls that are answered, hear a prompt, press a key, have a server asked and are hung up: how
//! many a second, and CPU for a thousand. Then calls that wait: what each weighs, and what they cost without audio and with
//! music.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::drive;
use super::machine::{self, Whole};
use super::options::Options;
use super::sipp::{Calls, Sipp};
use super::switch::{More, Switch};
use crate::outcome::Outcome;

/// SIPp, whose keys come by INFO; and the server that flows ask.
const CALLER: &str = "127.0.0.6";
const SERVER: &str = "127.0.0.5:8090";
/// The numbers of the three flows.
const MENU: &str = "9100";
const WAIT: &str = "9101";
const MUSIC: &str = "9102";
/// How long a prompt plays before its key: ten packets.
const LISTENS: Duration = Duration::from_millis(200);
/// Parts of `--rate` that are tried, in per cent.
const STEPS: [u32; 4] = [25, 50, 75, 100];
/// A rate counts as reached if this part of it was; the start and the end of SIPp are in the time.
const REACHED: f64 = 0.9;
/// Calls a second while those that wait are set up.
const SET_UP: u32 = 200;
/// Transactions of a set-up end within this.
const SETTLE: Duration = Duration::from_secs(35);
/// CPU of those that wait is taken over this.
const LOOK: Duration = Duration::from_secs(10);
/// Calls that hear music.
const WITH_MUSIC: u32 = 1_000;
/// What a thousand calls may cost, CPU seconds; what one that waits may weigh, KB.
const GOAL_CPU: f64 = 1.0;
const GOAL_KB: f64 = 30.0;

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let options = Options::new(arguments, &["--rate", "--seconds", "--waiting"], &["--no-build"]);
    drive(root, "ivr", options, |binary, dir, options| {
        let flows = flows(root, dir).map_err(|error| format!("the flows: {error}"))?;
        let served = Served::begin().map_err(|error| format!("the server: {error}"))?;
        let (rate, seconds) = (options.number("--rate", 800), options.number("--seconds", 24));
        let waiting = options.number("--waiting", 10_000);
        let stand = Stand { root, dir, switch: start(binary, dir, &flows)?, served };
        let cost = stand.climb(rate, seconds)?;
        stand.switch.stop()?;
        let weight = waits(root, dir, start(binary, dir, &flows)?, waiting)?;
        music(root, dir, start(binary, dir, &flows)?)?;
        Ok(cost <= GOAL_CPU && weight <= GOAL_KB)
    })
}

fn start(binary: &Path, dir: &Path, flows: &str) -> Result<Switch, String> {
    let tenant = format!("http_allowed = [\"http://{SERVER}/\"]\nprompts = \"prompts\"\n");
    Switch::start_with(binary, dir, More { tenant: &tenant, sections: flows, ..More::default() })
}

/// Writes the flows down, and says how they are configured.
fn flows(root: &Path, dir: &Path) -> std::io::Result<String> {
    let prompts = root.join("ivr-flows").join("prompts");
    std::os::unix::fs::symlink(prompts, dir.join("prompts"))?;
    let menu = format!(
        "call:answer()\nlocal key = call:collect{{prompt = 'en.welcome', max = 1}}\n\
         local answer = call:http{{url = 'http://{SERVER}/keys', json = {{key = key, from = call.from}}}}\n\
         if answer and answer.ok then call.data.name = answer.json.name end\ncall:hang_up()\n"
    );
    let texts = [
        ("menu", MENU, menu),
        ("wait", WAIT, "call:answer()\nwhile true do call:wait(600) end\n".to_owned()),
        ("music", MUSIC, "call:answer()\nwhile true do call:play('music') end\n".to_owned()),
    ];
    let mut sections = format!(
        "[fetch]\nallow_private = true\n[tenant.default.trunk.keys]\npeers = [\"{CALLER}\"]\ndtmf = \"info\"\nmax_calls = 100000\n"
    );
    for (name, number, text) in texts {
        std::fs::write(dir.join(format!("{name}.lua")), text)?;
        sections.push_str(&format!(
            "[tenant.default.flow.{name}]\nfile = \"{name}.lua\"\n\
             [[tenant.default.number]]\naccess_code = \"{number}\"\nto = \"flow:{name}\"\n"
        ));
    }
    Ok(sections)
}

/// A server that answers what flows ask.
struct Served {
    /// Questions with the right key.
    right: Arc<AtomicU64>,
}

impl Served {
    fn begin() -> std::io::Result<Self> {
        let right = Arc::new(AtomicU64::new(0));
        let listener = TcpListener::bind(SERVER)?;
        let counts = Arc::clone(&right);
        // It ends with the process, as its connections do.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let right = Arc::clone(&counts);
                thread::spawn(move || serve(stream, &right));
            }
        });
        Ok(Self { right })
    }
}

/// One connection, for as many questions as come by it.
fn serve(stream: TcpStream, right: &AtomicU64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        std::io::Read::read_exact(&mut reader, &mut body)?;
        let known = String::from_utf8_lossy(&body).contains("\"key\":\"7\"");
        right.fetch_add(u64::from(known), Relaxed);
        let body = "{\"name\":\"Ann\",\"level\":2}";
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    }
}

struct Stand<'a> {
    root: &'a Path,
    dir: &'a Path,
    switch: Switch,
    served: Served,
}

impl Stand<'_> {
    /// Higher and higher rates until calls fail; then the cost of a thousand calls at half of the best.
    fn climb(&self, rate: u32, seconds: u32) -> Result<f64, String> {
        println!(
            "{:>6} {:>9} {:>7} {:>7} {:>7} {:>13} {:>8} {:>7}",
            "rate", "reached/s", "calls", "failed", "resent", "switch us/call", "foreign%", "steal%"
        );
        let each = Duration::from_secs_f64(f64::from(seconds) / 2.0 / STEPS.len() as f64);
        let mut best = None;
        for part in STEPS {
            let asked = (rate * part / 100).max(1);
            let step = self.step(asked, each, &format!("ivr-{part}"))?;
            if step.failed > 0 || step.reached < REACHED * f64::from(asked) {
                break;
            }
            best = Some(step.reached);
        }
        let best = best.ok_or("not even the lowest rate was reached")?;
        println!("half load:");
        let half = (best / 2.0).round().max(1.0) as u32;
        let step = self.step(half, Duration::from_secs_f64(f64::from(seconds) / 2.0), "ivr-half")?;
        println!(
            "result ivr_calls_per_second={best:.0} cpu_seconds_per_1000={:.3} failed={}",
            step.cost, step.failed
        );
        if step.failed > 0 {
            Err(format!("{} calls failed at half load", step.failed))
        } else {
            Ok(step.cost)
        }
    }

    fn step(&self, rate: u32, lasting: Duration, name: &str) -> Result<Step, String> {
        let count = (f64::from(rate) * lasting.as_secs_f64()).ceil() as u32;
        let right = self.served.right.load(Relaxed);
        let (whole, cpu, used) = (Whole::read(), self.cpu(), machine::cpu_of_ended());
        let begun = Instant::now();
        let calls = Calls { rate, count, hold: LISTENS };
        let mut caller = Sipp::caller_of(self.root, self.dir, name, (CALLER, 5060), MENU, calls)?;
        caller.wait(lasting * 3 + Duration::from_secs(20))?;
        let took = begun.elapsed().saturating_sub(LISTENS);
        let counts = caller.counts()?;
        let cpu = self.cpu() - cpu;
        let others = Whole::read().others(whole, cpu + machine::cpu_of_ended() - used);
        // A call whose key did not come, or came wrong, is none that went well.
        let right = self.served.right.load(Relaxed) - right;
        let well = counts.successful.min(right);
        let failed = u64::from(count) - well.min(count.into());
        let cost = 1_000.0 * cpu / well.max(1) as f64;
        let reached = well as f64 / took.as_secs_f64();
        println!(
            "{rate:>6} {reached:>9.1} {well:>7} {failed:>7} {:>7} {:>13.0} {:>8.0} {:>7.0}",
            counts.repeated,
            1e3 * cost,
            others.foreign,
            others.steal
        );
        self.switch.wait_calls(0)?;
        Ok(Step { reached, failed, cost })
    }

    fn cpu(&self) -> f64 {
        machine::cpu(self.switch.pid()).unwrap_or(0.0)
    }
}

/// What a rate brought.
struct Step {
    reached: f64,
    failed: u64,
    /// CPU seconds for a thousand calls.
    cost: f64,
}

/// Calls that wait without audio: what each of the second half weighs.
fn waits(root: &Path, dir: &Path, switch: Switch, calls: u32) -> Result<f64, String> {
    let half = calls.div_ceil(2);
    let hold = Duration::from_secs(3_600);
    let set_up = Duration::from_secs(u64::from(half.div_ceil(SET_UP)));
    let mut callers = Vec::new();
    let mut weights = Vec::new();
    for turn in 1..=2_u16 {
        let calls = Calls { rate: SET_UP, count: half, hold };
        let name = format!("caller-wait-{turn}");
        callers.push(Sipp::caller_of(root, dir, &name, (CALLER, 5060 + turn), WAIT, calls)?);
        thread::sleep(set_up);
        switch.wait_calls(half * u32::from(turn))?;
        thread::sleep(SETTLE);
        let bytes = machine::resident(switch.pid()).ok_or("the switch has no memory to weigh")?;
        println!("{:>6} calls wait: {:>7} KB resident", half * u32::from(turn), bytes / 1_024);
        weights.push(bytes as f64);
    }
    let share = look(&switch);
    let weight = weights.windows(2).map(|pair| (pair[1] - pair[0]) / 1_024.0 / f64::from(half)).sum::<f64>();
    switch.wait_calls(2 * half)?;
    println!("result waiting_calls={} kb_per_call={weight:.1} core_percent={share:.1}", 2 * half);
    Ok(weight)
}

/// Calls that hear music: what they cost.
fn music(root: &Path, dir: &Path, switch: Switch) -> Result<(), String> {
    let calls = Calls { rate: SET_UP, count: WITH_MUSIC, hold: Duration::from_secs(3_600) };
    let caller = Sipp::caller_of(root, dir, "caller-music", (CALLER, 5060), MUSIC, calls)?;
    thread::sleep(Duration::from_secs(u64::from(WITH_MUSIC.div_ceil(SET_UP)) + 1));
    switch.wait_calls(WITH_MUSIC)?;
    let share = look(&switch);
    switch.wait_calls(WITH_MUSIC)?;
    println!("result music_calls={WITH_MUSIC} core_percent={share:.1}");
    drop(caller);
    Ok(())
}

/// Of one core, per cent.
fn look(switch: &Switch) -> f64 {
    let before = machine::cpu(switch.pid()).unwrap_or(0.0);
    thread::sleep(LOOK);
    100.0 * (machine::cpu(switch.pid()).unwrap_or(0.0) - before) / LOOK.as_secs_f64()
}
