//! The telephones of an agent in the bar: how that of the page proves itself, and what is said of another beside it.

use crate::agent_bar::{config, opened, opened_with, talking};
use crate::common::{Phone, answers_when_told};
use cordboard_tests::fail::Outcome;
use std::path::Path;

/// The switch takes SHA-256 alone; the page registers and talks.
pub fn by_sha256(dir: &Path) -> Outcome {
    let (switch, mut desk, bar) = opened_with(dir, &config(dir)?.sha256_alone())?;
    let mut caller = talking(dir, &mut desk, bar)?;
    desk.click(bar, "^Hang up")?;
    caller.ended()?;
    switch.wait_cdrs(1)?;
    desk.ensure_clean(bar)
}

/// The settings say where a desk phone registers and as whom; one that does is listed.
pub fn beside(dir: &Path) -> Outcome {
    let (switch, mut desk, bar) = opened(dir)?;
    desk.click(bar, "Microphone, speaker, keys")?;
    desk.sees(bar, "127.0.0.1:5060 UDP")?;
    desk.sees(bar, "No desk phone is registered.")?;
    desk.ensure_clean(bar)?;
    let _phone = Phone::registered(dir, "1001", 5_072, &answers_when_told(), 880.0)?;
    switch.wait_registered("1001", 2)?;
    desk.loses(bar, "No desk phone is registered.")?;
    desk.sees(bar, "SIPp")?;
    desk.ensure_clean(bar)
}
