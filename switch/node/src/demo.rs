//! The demo.
use crate::cli::DemoArgs;
use crate::clock::Clock;
/// Runs it.
///
/// # Errors
/// Why it could not start.
pub fn run(_args: &DemoArgs, _clock: Clock) -> Result<(), String> {
    Ok(())
}
