//! `[streams]`: programs that calls may be given to.

use super::section::{Section, Wrong};
use super::tree::Node;
use super::value::{boolean, duration, integer, some_text, wrong};
use crate::outgoing::Target;
use core::time::Duration;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `[streams]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StreamsMachine {
    /// How URLs begin that may be connected to.
    pub allowed: Vec<String>,
    /// PEM: whom we trust, if not those the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether they may be at private addresses.
    pub allow_private: bool,
    /// Longest time until there is a connection.
    pub connect: Duration,
    /// Most audio of a program that waits to be played.
    pub buffer: Duration,
    /// Most streams at a time.
    pub at_once: u32,
}

pub(super) fn read(section: &Section<'_>, base: &Path) -> StreamsMachine {
    let second = Duration::from_secs(1);
    let allowed = section.list("allowed", websocket).map_or_else(Vec::new, |list| list.value);
    let read = StreamsMachine {
        allowed: allowed.into_iter().map(|at| at.value).collect(),
        ca: section.opt("ca", some_text).map(|at| base.join(at.value)),
        allow_private: section.or("allow_private", false, boolean),
        connect: section.or("connect_limit", 5 * second, duration(Duration::from_millis(100)..=60 * second)),
        buffer: section.or("buffer", 300 * second, duration(second..=3_600 * second)),
        at_once: section.or("at_once", 1_000, integer(1..=100_000, "streams")),
    };
    section.finish();
    read
}

fn websocket(node: &Node) -> Result<String, Wrong> {
    let url = some_text(node)?;
    match Target::read(&url, ["ws", "wss"]) {
        Some(target) if !target.path.contains('?') => Ok(url),
        _ => Err(wrong(node, "a URL that begins with ws:// or wss://, without a query")),
    }
}
