//! An agent's work in one page, call after call: what the page holds of it afterwards.

use crate::agent_bar::{hear_each_other, opened};
use crate::common::{CALLER, Phone, calls};
use cordboard_tests::Fail;
use cordboard_tests::desk::{At, Desk, Memory};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// After so many calls all that is made once is made: the first of everything, caches, most of what is compiled late.
const WARM: u32 = 10;
/// What the page may hold more at the end than when it was warm, KiB. Code goes on being compiled for a while, and a SIP library keeps
/// the transactions of calls for half a minute (RFC 3261 17), some 10 KiB a call: of calls as quickly as they go those are about
/// twenty, and of one a minute none.
const GROWTH_KIB: f64 = 256.0;
/// The same in nodes of the document, and in listeners.
const GROWTH: f64 = 20.0;

/// Calls as quickly as they go.
pub fn one_after_the_other(dir: &Path) -> Outcome {
    works(dir, 20, Duration::ZERO)
}

/// The whole hour.
pub fn an_hour(dir: &Path) -> Outcome {
    works(dir, 60, Duration::from_secs(60))
}

fn works(dir: &Path, count: u32, every: Duration) -> Outcome {
    let (switch, mut desk, bar) = opened(dir)?;
    let began = Instant::now();
    let mut warm = None;
    let mut last = None;
    for n in 1..=count {
        std::thread::sleep((began + every * (n - 1)).saturating_duration_since(Instant::now()));
        one_call(dir, &switch, &mut desk, bar, n).map_err(|why| Fail(format!("call {n}: {why}")))?;
        if n == WARM || n == count || n % 10 == 0 {
            let held = desk.memory(bar)?;
            println!("measured: after {n} calls in {:.0} s {held:?}", began.elapsed().as_secs_f64());
            if n == WARM {
                warm = Some(held);
            }
            last = Some(held);
        }
    }
    let (Some(warm), Some(last)) = (warm, last) else {
        return Err(Fail(format!("{count} calls are too few")));
    };
    desk.ensure_clean(bar)?;
    let cdrs = switch.wait_cdrs(count as usize)?;
    ensure(cdrs.len() == count as usize, || format!("{} calls are on record", cdrs.len()))?;
    has_not_grown(warm, last)
}

/// One call with what belongs to it: sound both ways, and by turns what agents do in a call; either side ends it.
fn one_call(dir: &Path, switch: &Switch, desk: &mut Desk, bar: At<'_>, n: u32) -> Outcome {
    let held = Scenario::caller(MU_LAW).invites().is_answered();
    let held = held.is_offered_again("recvonly").is_offered_again("sendrecv").ends();
    let holds = n % 4 == 1;
    let mut caller = Phone::by_trunk(dir, "501", &if holds { held } else { calls() }, CALLER)?;
    desk.sees(bar, "Incoming call")?;
    desk.click(bar, "Answer")?;
    desk.sees(bar, "Talking")?;
    hear_each_other(&mut caller, desk, bar)?;
    match n % 4 {
        1 => {
            desk.click(bar, "^Hold")?;
            desk.sees(bar, "On hold: the caller hears music")?;
            desk.click(bar, "^Retrieve")?;
            desk.loses(bar, "On hold: the caller hears music")?;
        }
        2 => {
            desk.click(bar, "^Transfer")?;
            desk.sees(bar, "Chen Jing")?;
            desk.click(bar, "^Close")?;
        }
        3 => {
            // its level listens to the microphone
            desk.click(bar, "Microphone, speaker, keys")?;
            desk.sees(bar, "Where it rings")?;
            desk.click(bar, "^Close")?;
        }
        _ => {
            desk.click(bar, "^Keys")?;
            desk.click(bar, "^5$")?;
            desk.click(bar, "^Close")?;
        }
    }
    if n.is_multiple_of(2) {
        desk.click(bar, "^Hang up")?;
        caller.ended()?;
    } else {
        caller.hangs_up()?;
    }
    desk.sees(bar, "Wrap-up")?;
    desk.does("choose", bar, json!({ "what": "sold" }))?;
    desk.fill(bar, "Note", &format!("the note of call {n}"))?;
    desk.click(bar, "^Save")?;
    desk.sees(bar, "Saved")?;
    desk.click(bar, "^Ready")?;
    switch.wait_agent("1001", "ready").map(drop)?;
    desk.sees(bar, "Waiting for the next call.")
}

fn has_not_grown(warm: Memory, last: Memory) -> Outcome {
    let both = || format!("warm: {warm:?}\nat the end: {last:?}");
    ensure(last.heap_kib - warm.heap_kib <= GROWTH_KIB, || format!("the heap has grown\n{}", both()))?;
    ensure(last.nodes - warm.nodes <= GROWTH, || format!("nodes are held\n{}", both()))?;
    ensure(last.listeners - warm.listeners <= GROWTH, || format!("listeners are held\n{}", both()))?;
    ensure(last.open < 0.5, || format!("a connection is open\n{}", both()))?;
    ensure(last.connections <= 1.0, || format!("connections are held\n{}", both()))?;
    ensure(last.tracks < 0.5, || format!("a microphone is on\n{}", both()))?;
    ensure(last.contexts <= warm.contexts, || format!("sounds are held\n{}", both()))
}
