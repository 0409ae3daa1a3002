//! `cordboard report`: asks the running switch for figures.

use crate::asking::{Line, escaped};
use crate::cli::ReportArgs;
use crate::config::Loaded;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints the report, or writes it.
///
/// # Errors
/// What the switch says, or why it cannot be asked, in words.
pub fn report(args: &ReportArgs, loaded: &Loaded) -> Result<(), String> {
    let line = Line::new(args.ask.http, loaded)?;
    let mut path =
        format!("/api/v1/reports/{}?format={}&interval={}", escaped(&args.by), args.format, args.interval);
    for (name, value) in [("from", &args.from), ("to", &args.to)] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(path, "&{name}={}", escaped(value));
        }
    }
    let body = line.ask("GET", &path, "")?;
    match &args.out {
        Some(file) => std::fs::write(file, body).map_err(|why| format!("{}: {why}", file.display())),
        None => std::io::stdout().write_all(&body).map_err(|why| why.to_string()),
    }
}
