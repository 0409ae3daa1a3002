//! `[recordings]`: where they are, what seals them, how long they are kept.

use super::machine::RecordingsMachine;
use super::section::{Section, Wrong};
use super::tree::{Node, Value};
use super::value::{integer, one_of, size, some_text, text, wrong};
use crate::recordings::full::WhenFull;
use crate::recordings::keeper::Rules;
use crate::recordings::keys;
use crate::recordings::writer::Format;
use cordboard_media::RecordRate;
use cordboard_model::id::TenantId;
use std::collections::BTreeMap;
use std::path::Path;

/// Longest that is kept by days: a hundred years.
const DAYS_MAX: u32 = 36_525;

/// Days; 0 is for ever.
fn days(section: &Section<'_>) -> Option<u32> {
    let days = section.or("keep_days", 0, integer(0..=DAYS_MAX, "days"));
    Some(days).filter(|days| *days > 0)
}

pub(super) fn read(section: Section<'_>, base: &Path) -> RecordingsMachine {
    let dir = base.join(section.or("dir", "../var/recordings".to_owned(), some_text));
    let mut loaded = Vec::new();
    for (id, of_key) in section.named("key") {
        let from = |node: &Node| {
            let reference = text(node)?;
            // What is there may be a key itself, in the wrong place: it is not shown.
            let expected = "a key of 64 hexadecimal digits by \"env:NAME\" or \"file:PATH\"".to_owned();
            keys::load(&id.value, &reference, base).map_err(|found| Wrong { expected, found })
        };
        loaded.extend(
            of_key.need("from", "where it is: \"env:NAME\" or \"file:PATH\"", from).map(|at| at.value),
        );
        of_key.finish();
    }
    let known = |node: &Node| -> Result<String, Wrong> {
        let id = some_text(node)?;
        match loaded.iter().any(|key| key.id == id) {
            true => Ok(id),
            false => Err(wrong(node, "the name of a key that stands below as [recordings.key.NAME]")),
        }
    };
    let format = section.or("format", Format::Wav, |node: &Node| match text(node)?.as_str() {
        "wav" => Ok(Format::Wav),
        "opus" => Ok(Format::Opus),
        _ => Err(wrong(node, "\"wav\" or \"opus\"")),
    });
    let rate = section.or("rate", RecordRate::Narrow, |node: &Node| match &node.value {
        Value::Integer(Some(8_000)) => Ok(RecordRate::Narrow),
        Value::Integer(Some(16_000)) => Ok(RecordRate::Wide),
        Value::Text(word) if word == "auto" => Ok(RecordRate::Auto),
        _ => Err(wrong(node, "8000, 16000 or \"auto\"")),
    });
    let seal_with = section.opt("seal_with", known).map(|at| at.value);
    let mut by_tenant = BTreeMap::new();
    for (name, of_tenant) in section.named("tenant") {
        if let Ok(tenant) = TenantId::new(&name.value) {
            by_tenant.insert(tenant, days(&of_tenant));
        } else {
            section.conflict("tenant", name.pos, "that is no name of a tenant");
        }
        of_tenant.finish();
    }
    let bytes = section.or("keep_bytes", 0, size(0..=1 << 50));
    let rules = Rules { days: days(&section), by_tenant, bytes: Some(bytes).filter(|bytes| *bytes > 0) };
    let when_full = section.or("when_full", WhenFull::default(), one_of(WhenFull::NAMES));
    section.finish();
    RecordingsMachine { dir, format, rate, seal_with, keys: loaded, rules, when_full }
}
