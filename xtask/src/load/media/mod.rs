//! `load relay` and its like: what packets cost, how long they take, and what is lost, for the switch, for what the machine
//! can do at best, and for peers, in turn in one run.

pub(super) mod bare;
mod rtpengine;
mod shared;
mod speech;
mod traffic;
mod uring;
mod words;
mod work;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use super::options::{AGAINST, Options};
use super::place::PROBE;
use super::switch::{More, Switch};
use super::talk;
use super::{drive, machine};
use crate::outcome::Outcome;
use bare::{Backend, Bare};
use rtpengine::Rtpengine;
use speech::Voices;
use traffic::{RELAYED, Timing, Traffic, Voice, ear};
use work::{MUSIC, Work};

/// The flag for the switch by `io_uring`, too, in turn with the switch as it is delivered.
const BY_URING: &str = "--io-uring";
/// The flag for Opus instead of what is usual.
const OPUS: &str = "--opus";
/// Everybody is heard, and every cache is warm.
const WARM: Duration = Duration::from_secs(2);
/// Of packets, in a million, that may be lost where none should be: a turn of another program.
const LOST_MOST: f64 = 100.0;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Bare(Backend),
    Switch,
    /// The switch whose media threads ask for their sockets by `io_uring`.
    SwitchByUring,
    /// The switch that does no more than relay, beside the switch that does.
    Relaying,
    Rtpengine,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Subject::Bare(backend) => backend.name(),
            Subject::Switch => "cordboard",
            Subject::SwitchByUring => "cordboard-io_uring",
            Subject::Relaying => "cordboard-relay",
            Subject::Rtpengine => "rtpengine",
        }
    }
}

/// One that runs.
enum Running {
    Bare(Bare),
    Switch(Switch),
    Rtpengine(Rtpengine),
}

/// How our ends' codec is named in signalling.
fn named(voice: Voice) -> talk::Named {
    (voice.payload_type, voice.map)
}

impl Running {
    fn start(subject: Subject, load: &Load<'_>) -> Result<Self, String> {
        Ok(match subject {
            Subject::Bare(backend) => Self::Bare(Bare::start(backend, 2 * load.calls)?),
            Subject::Switch | Subject::SwitchByUring | Subject::Relaying => {
                let wrong = |error| format!("what the switch reads: {error}");
                load.work.prepare(load.root, load.dir).map_err(wrong)?;
                let media = if subject == Subject::SwitchByUring { "sockets = \"io_uring\"" } else { "" };
                let more = More { media, ..load.work.more() };
                Self::Switch(Switch::start_with(load.binary, load.dir, more)?)
            }
            Subject::Rtpengine => Self::Rtpengine(Rtpengine::start(load.dir)?),
        })
    }

    fn pid(&self) -> u32 {
        match self {
            Self::Bare(bare) => bare.pid(),
            Self::Switch(switch) => switch.pid(),
            Self::Rtpengine(engine) => engine.pid(),
        }
    }

    /// Where the ends of each call are to send to.
    fn calls(&mut self, load: &Load<'_>, by: &UdpSocket) -> Result<Vec<[Option<SocketAddr>; 2]>, String> {
        let calls = 0..load.calls;
        match self {
            Self::Bare(bare) => {
                Ok(calls.map(|call| [2 * call, 2 * call + 1].map(|end| Some(bare.port(end)))).collect())
            }
            Self::Switch(_) => {
                let wrong = |error| format!("the calls: {error}");
                let (place, voices) = (here()?, load.work.voices());
                let one = |call: usize| {
                    let end = |side: usize| (ear(place, 2 * call + side).port(), named(voices[side]));
                    let (number, ends) = (call as u32, [end(0), end(1)]);
                    let up = match load.work {
                        Work::Play => talk::set_up_to(by, number, MUSIC, ends),
                        _ => talk::set_up(by, number, ends).map(|[a, b]| (a, Some(b))),
                    };
                    up.map(|(caller, called)| [Some(caller), called]).map_err(wrong)
                };
                calls.map(one).collect()
            }
            Self::Rtpengine(engine) => {
                calls.map(|call| Ok(engine.call(call, load.work.voices())?.map(Some))).collect()
            }
        }
    }
}

/// What every subject is given.
#[derive(Clone, Copy)]
struct Load<'a> {
    work: Work,
    root: &'a Path,
    binary: &'a Path,
    dir: &'a Path,
    calls: usize,
    lasting: Duration,
    /// What the ends say where packets are decoded.
    voices: Option<&'a Voices>,
}

/// What one subject took in one turn.
#[derive(Clone, Copy, Debug)]
struct Taken {
    subject: Subject,
    /// Seconds of a core for a million packets.
    cpu: f64,
    /// Packets lost of a million.
    lost: f64,
    /// Time under way, microseconds.
    p50: f64,
    p99: f64,
    /// Memory of a call, KB.
    kilobytes: f64,
    /// Of the core.
    share: f64,
    others: f64,
}

impl Taken {
    /// Its row of the table; where nothing carries the time it was sent, there is none.
    fn row(&self) -> String {
        let time = |micros: f64| if micros.is_nan() { "-".to_owned() } else { format!("{micros:.1}") };
        format!(
            "{:<16} {:>14.2} {:>8.1} {:>10.1} {:>8} {:>8} {:>9.1} {:>9.1}",
            self.subject.name(),
            self.cpu,
            self.share,
            self.lost,
            time(self.p50),
            time(self.p99),
            self.kilobytes,
            self.others
        )
    }
}

pub(super) fn relay(root: &Path, arguments: &[String]) -> Outcome {
    run("relay", Work::Relay, root, arguments)
}

pub(super) fn transcode(root: &Path, arguments: &[String]) -> Outcome {
    run("transcode", Work::Transcode, root, arguments)
}

pub(super) fn mix(root: &Path, arguments: &[String]) -> Outcome {
    run("mix", Work::Mix, root, arguments)
}

pub(super) fn play(root: &Path, arguments: &[String]) -> Outcome {
    run("play", Work::Play, root, arguments)
}

pub(super) fn record(root: &Path, arguments: &[String]) -> Outcome {
    run("record", Work::Record, root, arguments)
}

fn run(name: &str, work: Work, root: &Path, arguments: &[String]) -> Outcome {
    let numbers = ["--calls", "--seconds", "--rounds"];
    let options = Options::new(arguments, &numbers, &["--no-build", OPUS, AGAINST, BY_URING]);
    drive(root, name, options, |binary, dir, options| {
        let work = match (work, options.flag(OPUS)) {
            (Work::Transcode, true) => Work::TranscodeOpus,
            (Work::Mix, true) => Work::MixOpus,
            (work, false) => work,
            _ => return Err(format!("{OPUS} is for transcode and mix")),
        };
        let calls = options.number("--calls", work.calls()).min(12_000) as usize;
        let lasting = Duration::from_secs(options.number("--seconds", 10).into());
        let voices = match work.is_codecs() {
            true => Some(Voices::new(root, dir, !options.flag("--no-build"), work.voices())?),
            false => None,
        };
        let load = Load { work, root, binary, dir, calls, lasting, voices: voices.as_ref() };
        let mut subjects =
            vec![Subject::Bare(Backend::Epoll), Subject::Bare(Backend::Uring), Subject::Switch];
        if work == Work::Relay {
            subjects.insert(2, Subject::Bare(Backend::Shared));
        }
        if options.flag(BY_URING) {
            subjects.push(Subject::SwitchByUring);
        }
        if options.flag(AGAINST) && matches!(work, Work::Relay | Work::Transcode | Work::TranscodeOpus) {
            subjects.push(Subject::Rtpengine);
        }
        if work != Work::Relay {
            subjects.insert(2, Subject::Relaying);
        }
        let mut taken = Vec::new();
        machine::stay_apart();
        for round in 0..options.number("--rounds", 2) {
            println!("round {}: {calls} calls, 50 packets a second each way, {lasting:?}", round + 1);
            println!(
                "                 CPU s per 10^6   core %  lost/10^6   p50 us   p99 us   KB/call  others %"
            );
            for subject in &subjects {
                let one = measure(*subject, &load)?;
                println!("{}", one.row());
                taken.push(one);
            }
        }
        let codecs = voices.map(|all| all.cost(work.voices())).transpose()?;
        Ok(judge(&taken, work, codecs))
    })
}

fn here() -> Result<Ipv4Addr, String> {
    PROBE.parse().map_err(|_| "no address".to_owned())
}

fn measure(subject: Subject, load: &Load<'_>) -> Result<Taken, String> {
    let load = &match subject {
        Subject::Relaying => Load { work: Work::Relay, voices: None, ..*load },
        _ => *load,
    };
    let Load { calls, lasting, .. } = *load;
    let mut traffic = Traffic::new(here()?).map_err(|error| format!("the ends' sockets: {error}"))?;
    let mut running = Running::start(subject, load)?;
    let pid = running.pid();
    let weight = || machine::resident(pid).ok_or_else(|| format!("{} is gone", subject.name()));
    let cpu = || machine::cpu(pid).ok_or_else(|| format!("{} is gone", subject.name()));
    let empty = weight()?;
    let bare = matches!(subject, Subject::Bare(_));
    let voices = if bare { [RELAYED; 2] } else { load.work.voices() };
    let said = |voice: Voice| load.voices.and_then(|voices| voices.of(voice));
    let wrong = |error| format!("the calls: {error}");
    let signalling = talk::signalling().map_err(wrong)?;
    for [first, second] in running.calls(load, &signalling)? {
        traffic.add([(first, voices[0], said(voices[0])), (second, voices[1], said(voices[1]))]);
    }
    if let Running::Switch(switch) = &running {
        let (place, voice) = (here()?, voices[0]);
        let mut thirds = 0..calls;
        load.work.begin(switch, || {
            let call = thirds.next().ok_or("more third parties than calls")?;
            let port = ear(place, 2 * calls + call).port();
            let to = talk::ring(&signalling, (port, named(voice))).map_err(wrong)?;
            traffic.add_third(call, to, voice, said(voice));
            Ok(())
        })?;
    }
    let timing = if load.work == Work::Play && !bare { Timing::Pace } else { Timing::Marks };
    traffic.talk(WARM, timing);
    let (whole, own, before) = (machine::Whole::read(), machine::cpu(std::process::id()), cpu()?);
    let mut heard = traffic.talk(lasting, timing);
    let used = cpu()? - before;
    let ours = machine::cpu(std::process::id()).unwrap_or(0.0) - own.unwrap_or(0.0);
    let others = machine::Whole::read().others(whole, used + ours);
    if heard.astray > 0 {
        return Err(format!("{}: {} packets came to another end", subject.name(), heard.astray));
    }
    if heard.unsent > 0 {
        println!("{} packets could not be sent", heard.unsent);
    }
    let heavy = weight()?.saturating_sub(empty);
    // Words have a time of their own: while everybody speaks at once, nobody is heard to begin.
    let mut words = (load.voices.is_some() && !bare).then(|| traffic.talk(lasting, Timing::Words));
    let mut late = |part| words.as_mut().unwrap_or(&mut heard).percentile(part).unwrap_or(f64::NAN);
    let (p50, p99) = (late(0.5), late(0.99));
    Ok(Taken {
        subject,
        cpu: 1e6 * used / heard.received.max(1) as f64,
        lost: 1e6 * heard.sent.saturating_sub(heard.received) as f64 / heard.sent.max(1) as f64,
        p50,
        p99,
        kilobytes: heavy as f64 / 1_024.0 / calls as f64,
        share: 100.0 * used / lasting.as_secs_f64(),
        others: others.foreign + others.steal,
    })
}

/// The turn of a subject that cost least.
fn best(taken: &[Taken], is: impl Fn(Subject) -> bool) -> Option<Taken> {
    taken.iter().filter(|one| is(one.subject)).min_by(|a, b| a.cpu.total_cmp(&b.cpu)).copied()
}

/// The p99 of the switch beside the best of the bare relays that had their turns next to its own: the median of all rounds.
/// What else the machine does shows in the slowest packets first, and differs from one turn to the next by more than relays do;
/// so the luckiest turns of each must not be compared.
fn beside(taken: &[Taken], is_bare: impl Fn(Subject) -> bool) -> f64 {
    // A round ends where a subject comes again.
    let round = 1 + taken.iter().skip(1).take_while(|one| one.subject != taken[0].subject).count();
    let ratio = |round: &[Taken]| {
        let ours = round.iter().find(|one| one.subject == Subject::Switch)?;
        let bare =
            round.iter().filter(|one| is_bare(one.subject)).map(|one| one.p99).min_by(f64::total_cmp)?;
        Some(ours.p99 / bare)
    };
    let mut ratios: Vec<f64> = taken.chunks(round.max(1)).filter_map(ratio).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints the ratios, `codecs` being microseconds that the codecs alone take for a packet; whether nothing was lost.
fn judge(taken: &[Taken], work: Work, codecs: Option<f64>) -> bool {
    let Some(ours) = best(taken, |subject| subject == Subject::Switch) else { return false };
    let is_bare = |subject| matches!(subject, Subject::Bare(_));
    let mut result = format!(
        "result cpu_per_million={:.2} lost_per_million={:.1} kb_per_call={:.1}",
        ours.cpu, ours.lost, ours.kilobytes
    );
    // Where nothing carries the time it was sent, there is none.
    let timed = !ours.p99.is_nan();
    if timed {
        result += &format!(" p50_us={:.1} p99_us={:.1}", ours.p50, ours.p99);
    }
    println!("{result}");
    let mut ratios = String::from("ratio");
    if let Some(bare) = best(taken, is_bare) {
        ratios += &format!(" cpu/{}={:.2}", bare.subject.name(), ours.cpu / bare.cpu);
        // A word waits for the jitter buffer, and music for its time: only what is passed on is under way for as long as it takes.
        if timed && work.is_passed_on() {
            ratios += &format!(" p99/bare={:.2}", beside(taken, is_bare));
        }
    }
    if let Some(other) = best(taken, |subject| subject == Subject::SwitchByUring) {
        ratios += &format!(" io_uring/epoll={:.2}", other.cpu / ours.cpu);
    }
    if let Some(relay) = best(taken, |subject| subject == Subject::Relaying) {
        ratios += &format!(" cpu/relay={:.2}", ours.cpu / relay.cpu);
        if let Some(codecs) = codecs {
            let whole = ours.cpu / (relay.cpu + codecs);
            ratios += &format!(" codecs_us={codecs:.2} cpu/(relay+codecs)={whole:.2}");
        }
    }
    if let Some(peer) = best(taken, |subject| subject == Subject::Rtpengine) {
        ratios += &format!(" cpu/rtpengine={:.2}", ours.cpu / peer.cpu);
        if timed {
            ratios += &format!(" p99/rtpengine={:.2}", ours.p99 / peer.p99);
        }
    }
    println!("{ratios}");
    ours.lost <= LOST_MOST
}
