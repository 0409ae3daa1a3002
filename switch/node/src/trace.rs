//! `cordboard trace`: asks the running switch for the ladder of a call.

use crate::asking::{Line, escaped};
use crate::cli::TraceArgs;
use crate::config::Loaded;
use std::io::Write;

/// Prints the ladder, or writes the capture.
///
/// # Errors
/// What the switch says, or why it cannot be asked, in words.
pub fn trace(args: &TraceArgs, loaded: &Loaded) -> Result<(), String> {
    let line = Line::new(args.http, loaded)?;
    let call = escaped(&args.call);
    let path = match args.pcap {
        Some(_) => format!("/api/v1/calls/{call}/trace.pcap"),
        None => format!("/api/v1/calls/{call}/trace?format=text&messages={}", args.messages),
    };
    let body = line.ask("GET", &path, "")?;
    match &args.pcap {
        Some(file) => std::fs::write(file, body).map_err(|why| format!("{}: {why}", file.display())),
        None => std::io::stdout().write_all(&body).map_err(|why| why.to_string()),
    }
}
