//! `[fetch]`: what flows ask by HTTP; and a tenant's secrets for it.

use super::section::{At, Section, Wrong};
use super::tenant::Context;
use super::tree::Node;
use super::value::{boolean, integer, size, some_text, text, wrong};
use crate::outgoing::Target;
use cordboard_model::config::{FlowSecret, Secret};
use cordboard_model::id::Name;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `[fetch]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FetchMachine {
    /// PEM: whom we trust, if not those the system trusts.
    pub ca: Option<PathBuf>,
    /// Whether servers may be at private addresses.
    pub allow_private: bool,
    /// Most questions at a time.
    pub at_once: u32,
    /// Longest answer, bytes.
    pub answer_size: usize,
}

impl Default for FetchMachine {
    fn default() -> Self {
        Self { ca: None, allow_private: false, at_once: 500, answer_size: 64 << 10 }
    }
}

pub(super) fn read(section: &Section<'_>, base: &Path) -> FetchMachine {
    let d = FetchMachine::default();
    let answer_size = section.or("answer_size", d.answer_size as u64, size(1 << 10..=1 << 20));
    let read = FetchMachine {
        ca: section.opt("ca", some_text).map(|at| base.join(at.value)),
        allow_private: section.or("allow_private", d.allow_private, boolean),
        at_once: section.or("at_once", d.at_once, integer(1..=10_000, "questions")),
        answer_size: usize::try_from(answer_size).unwrap_or(d.answer_size),
    };
    section.finish();
    read
}

/// How URLs begin that a list allows.
pub(super) fn urls(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let list = section.list(key, beginning);
    list.map_or_else(Vec::new, |list| list.value.into_iter().map(|at| at.value).collect())
}

fn beginning(node: &Node) -> Result<String, Wrong> {
    let url = some_text(node)?;
    match Target::read(&url, ["http", "https"]) {
        Some(target) if !target.path.contains('?') => Ok(url),
        _ => Err(wrong(node, "a URL that begins with http:// or https://, without a query")),
    }
}

/// The secrets of a tenant. Their values come from the environment alone: a file is shown around.
pub(super) fn secrets(
    sections: Vec<(At<String>, Section<'_>)>,
    context: &Context<'_>,
) -> BTreeMap<Name, FlowSecret> {
    super::tenant::each(sections, |_, section| {
        let variable = section.need("env", "the environment variable that has it", some_text);
        let prefix = section.or("prefix", String::new(), text);
        let to = urls(section, "to");
        if to.is_empty() && section.has("to").is_none() {
            return super::tenant::missing(section, "to", "how the URLs begin that it may be sent to");
        }
        let value = context.variable(section, &variable?)?;
        Some(FlowSecret { value: Secret(format!("{prefix}{value}")), to })
    })
}
