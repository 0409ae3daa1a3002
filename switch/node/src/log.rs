//! The log: lines on standard error, by level.

use crate::config::LogLevel;
use tracing_subscriber::filter::LevelFilter;

/// Starts the log. A second start is ignored.
pub fn start(level: LogLevel) {
    let level = level.as_str().parse::<LevelFilter>().unwrap_or(LevelFilter::INFO);
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // Tests of one process share the log.
    let _ = log.with_ansi(false).try_init();
}
