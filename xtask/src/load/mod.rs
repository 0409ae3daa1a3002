//! `cargo xtask load KIND`: drivers that load the release binary. By command only: they take
//! minutes, and their figures mean something only on a machine with nothing else to do.
//!
//! One file for each kind, and a line in [`KINDS`]. docs/measuring.md says what each measures.

mod events;
mod hostile;
mod ivr;
mod kamailio;
mod machine;
mod media;
mod memory;
mod options;
mod overload;
mod probe;
mod queue;
mod quota;
mod scan;
mod signalling;
mod sipp;
mod switch;
mod talk;

use std::path::Path;

use crate::outcome::Outcome;
use options::Options;
use switch::Folder;

/// A kind of load: its name, what it measures, and what it does with the arguments after its name.
type Kind = (&'static str, &'static str, fn(&Path, &[String]) -> Outcome);

const KINDS: &[Kind] = &[
    (
        "signalling",
        "bridged calls a second and what each costs [--rate N] [--seconds S] [--against kamailio] [--no-build]",
        signalling::run,
    ),
    (
        "overload",
        "calls that end well when ten times too many come [--rate N] [--seconds S] [--quota] [--no-build]",
        overload::run,
    ),
    (
        "scan",
        "what a scan costs while calls talk [--calls N] [--packets N] [--seconds S] [--no-build]",
        scan::run,
    ),
    (
        "relay",
        "RTP passed on as it is, beside bare relays [--calls N] [--seconds S] [--rounds N] [--against rtpengine] [--io-uring] [--no-build]",
        media::relay,
    ),
    (
        "transcode",
        "A-law and G.722, or Opus, made of each other [--opus] [--calls N] [--seconds S] [--rounds N] [--against rtpengine] [--no-build]",
        media::transcode,
    ),
    (
        "record",
        "RTP passed on and recorded [--calls N] [--seconds S] [--rounds N] [--no-build]",
        media::record,
    ),
    (
        "mix",
        "conferences of three who speak A-law, or Opus [--opus] [--calls N] [--seconds S] [--rounds N] [--no-build]",
        media::mix,
    ),
    ("play", "music for callers [--calls N] [--seconds S] [--rounds N] [--no-build]", media::play),
    ("bare", "what `relay` compares with, by itself BACKEND ENDS", media::bare::run),
    (
        "ivr",
        "flows: answer, prompt, key, HTTP, hang up; and calls that wait [--rate N] [--seconds S] [--waiting N] [--no-build]",
        ivr::run,
    ),
    ("hostile", "flows that attack the switch while calls talk [--calls N] [--no-build]", hostile::run),
    (
        "queue",
        "agents with queues that are full, the store stopped in the middle; and time to ring [--waiting N] [--agents N] [--queues N] [--seconds S] [--talk S] [--burst N] [--few N] [--rate N] [--unanswered] [--no-build]",
        queue::run,
    ),
    (
        "events",
        "from a phone's BYE to its agent's page, and from an order of the page to the wire [--agents N] [--rate N] [--seconds S] [--no-build]",
        events::run,
    ),
    ("memory", "what a bridged call weighs [--calls N] [--settle S] [--no-build]", memory::run),
];

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let Some((name, rest)) = arguments.split_first() else {
        return Outcome::Misused(format!("a kind is missing; {}", known()));
    };
    match KINDS.iter().find(|(kind, _, _)| kind == name) {
        Some((_, _, run)) => run(root, rest),
        None => Outcome::Misused(format!("no kind {name:?}; {}", known())),
    }
}

/// A run with a loopback and a folder of its own; the folder stays when it failed.
fn drive(
    root: &Path,
    name: &str,
    options: Result<Options<'_>, String>,
    measure: impl FnOnce(&Path, &Path, &Options<'_>) -> Result<bool, String>,
) -> Outcome {
    let prepared = options.and_then(|options| {
        let binary = match options.binary() {
            Some(binary) if binary.is_file() => binary,
            Some(binary) => return Err(format!("there is no {}", binary.display())),
            None => switch::binary(root, !options.flag("--no-build"))?,
        };
        Ok((options, binary))
    });
    let (options, binary) = match prepared {
        Ok(prepared) => prepared,
        Err(why) => return Outcome::Misused(why),
    };
    if let Some(outcome) = machine::apart() {
        return outcome;
    }
    let mut folder = match Folder::new() {
        Ok(folder) => folder,
        Err(error) => return Outcome::Misused(format!("no folder for the run: {error}")),
    };
    let measured = measure(&binary, folder.path(), &options);
    if let Err(why) = &measured {
        eprintln!("load {name}: {why}");
    }
    let passed = measured == Ok(true);
    if !passed {
        folder.keep();
    }
    Outcome::of(passed)
}

fn known() -> String {
    let each: Vec<String> = KINDS.iter().map(|(name, says, _)| format!("{name}: {says}")).collect();
    format!("there are {}; each takes --binary PATH in place of --no-build", each.join("; "))
}

/// Where everything stands: one address for each part, so that no port of one meets another's.
mod place {
    /// The switch.
    pub(super) const SIP: &str = "127.0.0.1:5060";
    pub(super) const HTTP: &str = "127.0.0.1:8080";
    /// SIPp that calls, SIPp that is called, and the probe that is both.
    pub(super) const CALLER: &str = "127.0.0.2";
    pub(super) const CALLED: &str = "127.0.0.3";
    pub(super) const PROBE: &str = "127.0.0.4";
    /// What leads to SIPp, and what to the probe.
    pub(super) const NUMBER: &str = "9000";
    pub(super) const PROBE_NUMBER: &str = "9001";
}
