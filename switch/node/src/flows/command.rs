//! `cordboard flow publish`, `rollback` and `versions`: by the API of the running switch.

use crate::asking::{Line, escaped};
use crate::cli::{AskArgs, PublishArgs, RecordArgs, RollBackArgs, VersionsArgs};
use crate::config::Loaded;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))
}

/// The test that stands beside a flow's file.
fn beside(file: &Path) -> Option<PathBuf> {
    Some(file.with_extension("test.toml")).filter(|test| test.is_file())
}

fn line(ask: &AskArgs, loaded: &Loaded) -> Result<Line, String> {
    Line::new(ask.http, loaded)
}

/// What was done, a line each.
fn done(answer: &Value) -> String {
    let lines = answer.get("done").and_then(Value::as_array).into_iter().flatten();
    lines.filter_map(Value::as_str).map(|line| format!("{line}\n")).collect()
}

/// Publishes a file with its test, or the draft.
///
/// # Errors
/// What is wrong with it, as `cordboard check` and `cordboard flow test` write it; or why it cannot be asked.
pub fn publish(args: &PublishArgs, loaded: &Loaded) -> Result<String, String> {
    let mut body = json!({ "note": args.note });
    if let Some(file) = &args.file {
        body["text"] = read(file)?.into();
        if let Some(test) = args.test.clone().or_else(|| beside(file)) {
            body["test"] = read(&test)?.into();
        }
    }
    let path = format!("/api/v1/flows/{}/publish", escaped(&args.flow));
    Ok(done(&line(&args.ask, loaded)?.json("POST", &path, &body.to_string())?))
}

/// Publishes the texts of an earlier version.
///
/// # Errors
/// As [`publish`].
pub fn roll_back(args: &RollBackArgs, loaded: &Loaded) -> Result<String, String> {
    let body = json!({ "version": args.version, "note": args.note });
    let path = format!("/api/v1/flows/{}/rollback", escaped(&args.flow));
    Ok(done(&line(&args.ask, loaded)?.json("POST", &path, &body.to_string())?))
}

/// A finished call as a test.
///
/// # Errors
/// It is not kept any more, or the file cannot be written.
pub fn record(args: &RecordArgs, loaded: &Loaded) -> Result<String, String> {
    let query = args.flow.as_ref().map(|flow| format!("?flow={}", escaped(flow))).unwrap_or_default();
    let path = format!("/api/v1/calls/{}/flow-test{query}", escaped(&args.call));
    let text = line(&args.ask, loaded)?.ask("GET", &path, "")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let Some(out) = &args.out else { return Ok(text) };
    if out.exists() {
        return Err(format!("{} is there already", out.display()));
    }
    std::fs::write(out, text).map_err(|why| format!("{}: {why}", out.display()))?;
    Ok(format!("{} is written; `flow` in it names the flow's file\n", out.display()))
}

/// Lists the versions of a flow, newest first.
///
/// # Errors
/// As [`publish`].
pub fn versions(args: &VersionsArgs, loaded: &Loaded) -> Result<String, String> {
    let path = format!("/api/v1/flows/{}/versions", escaped(&args.flow));
    let answer = line(&args.ask, loaded)?.json("GET", &path, "")?;
    let mut out = String::new();
    for version in answer["items"].as_array().into_iter().flatten() {
        let text = |key: &str| version[key].as_str().unwrap_or_default();
        let at = version["at"].as_i64().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        let at = at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default();
        let back = version["back_to"].as_u64().map(|old| format!("  back to {old}")).unwrap_or_default();
        let sha256 = text("sha256").get(..12).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:>5}  {at}  {sha256}  {}{back}  {}",
            version["version"].as_u64().unwrap_or_default(),
            text("by"),
            text("note")
        );
    }
    match out.is_empty() {
        true => Ok(format!("no version of flow {} has been published yet\n", args.flow)),
        false => Ok(out),
    }
}
