//! What a reload changes, in words for the log and the API.

use super::WebhookConfig;
use super::value::duration_shown;
use super::{ApiKey, Loaded};
use core::time::Duration;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Longest value that is shown.
const SHOWN_MAX: usize = 60;

/// Added to what the threads and sockets that are up cannot take over.
const NEXT_START: &str = " (takes effect at the next start)";

/// What changed from `old` to `new`, one line each; empty if nothing did. No secret is shown.
///
/// Changes that take effect only at the next start say so.
pub fn diff(old: &Loaded, new: &Loaded) -> Vec<String> {
    let mut lines = Vec::new();
    let machine = |loaded: &Loaded| json(&loaded.machine);
    walk(&mut lines, &[], &machine(old), &machine(new));
    // Certificates are for the next connection, and published flows are read with the rest.
    let later = |line: &&mut String| !line.starts_with("sip, tls") && !line.starts_with("flow ");
    for line in lines.iter_mut().filter(later) {
        line.push_str(NEXT_START);
    }
    let limits = |loaded: &Loaded| json(&loaded.snapshot.limits);
    let before = lines.len();
    walk(&mut lines, &["limits"], &limits(old), &limits(new));
    // Media threads get theirs when they are made.
    let of_media = |line: &&mut String| line.starts_with("limits, media_");
    for line in lines.iter_mut().skip(before).filter(of_media) {
        line.push_str(NEXT_START);
    }
    let tenants = |loaded: &Loaded| json(&loaded.snapshot.tenants);
    walk(&mut lines, &["tenant"], &tenants(old), &tenants(new));
    keys(&mut lines, &old.machine.api_keys, &new.machine.api_keys);
    webhooks(&mut lines, &old.machine.webhooks, &new.machine.webhooks);
    if old.machine.huawei != new.machine.huawei {
        lines.push("huawei: who may ask, or with which keys, is another".to_owned());
    }
    assets(&mut lines, old, new);
    lines
}

fn json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Goes down both trees side by side. `path` is the way so far, as words.
fn walk(lines: &mut Vec<String>, path: &[&str], old: &Value, new: &Value) {
    if old == new {
        return;
    }
    let (Value::Object(a), Value::Object(b)) = (old, new) else {
        return lines.push(changed(path, old, new));
    };
    if is_leaf(a) || is_leaf(b) {
        return lines.push(changed(path, old, new));
    }
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let mut password = false;
    for key in keys {
        let below = [path, &[key.as_str()]].concat();
        match (a.get(key), b.get(key)) {
            (Some(x), Some(y)) if key.starts_with("ha1_") => password |= x != y,
            (Some(x), Some(y)) if key == "source" && x != y => {
                lines.push(format!("{}: the text changed", words(path)));
            }
            (Some(x), Some(y)) if key == "rows" => {
                if x != y {
                    lines.push(format!("{}: the rows changed", words(path)));
                }
            }
            (Some(x), Some(y)) => walk(lines, &below, x, y),
            (None, Some(_)) => lines.push(format!("{}: added", words(&below))),
            (Some(_), None) => lines.push(format!("{}: removed", words(&below))),
            (None, None) => {}
        }
    }
    if password {
        lines.push(format!("{}: the password changed", words(path)));
    }
}

/// Values that are one thing to a reader: a duration, an id, a destination.
fn is_leaf(object: &Map<String, Value>) -> bool {
    let has = |key| object.contains_key(key);
    let one_word = |key: &str| ["flow", "queue", "agent", "user", "trunk"].contains(&key);
    let id = |value: &Value| !matches!(value, Value::Object(o) if !o.contains_key("name"));
    let destination = object.len() == 1 && object.iter().all(|(key, value)| one_word(key) && id(value));
    (has("secs") && has("nanos")) || (has("tenant") && has("name")) || destination
}

fn changed(path: &[&str], old: &Value, new: &Value) -> String {
    format!("{}: {} -> {}", words(path), shown(old), shown(new))
}

/// `tenant default, queue sales, ring` of the way `tenant default queues sales ring`.
fn words(path: &[&str]) -> String {
    let mut words = String::new();
    let mut parts = path.iter();
    while let Some(part) = parts.next() {
        if !words.is_empty() {
            words.push_str(", ");
        }
        let kind = match *part {
            "tenant" => "tenant",
            "users" => "user",
            "agents" => "agent",
            "queues" => "queue",
            "flows" => "flow",
            "trunks" => "trunk",
            "kit" | "audio" | "desk" | "sign_in" => {
                words.truncate(words.len().saturating_sub(2));
                continue;
            }
            "libraries" => "library",
            "calendars" => "calendar",
            "tables" => "table",
            "secrets" => "secret",
            other => {
                words.push_str(other);
                continue;
            }
        };
        words.push_str(kind);
        // An agent's list of queues ends the way; a table of queues has a name after it.
        match parts.next() {
            Some(name) => {
                words.push(' ');
                words.push_str(name);
            }
            None => words.push('s'),
        }
    }
    words
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => object_shown(object),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    let short: String = text.chars().take(SHOWN_MAX).collect();
    format!("{short} ...")
}

fn object_shown(object: &Map<String, Value>) -> String {
    let number = |key: &str| object.get(key).and_then(Value::as_u64);
    if let (Some(secs), Some(nanos)) = (number("secs"), number("nanos")) {
        let nanos = u32::try_from(nanos).unwrap_or(0);
        return duration_shown(Duration::new(secs, nanos));
    }
    if let (Some(_), Some(Value::String(name))) = (object.get("tenant"), object.get("name")) {
        return name.clone();
    }
    if is_leaf(object) {
        let one = object.iter().map(|(kind, to)| match to {
            Value::Array(parts) => {
                let parts: Vec<String> = parts.iter().map(shown).collect();
                format!("{kind}:{}", parts.join(":"))
            }
            _ => format!("{kind}:{}", shown(to)),
        });
        return one.collect();
    }
    let access = object.get("access_code");
    if let (Some(access), Some(to)) = (access, object.get("to")) {
        return format!("{} to {}", shown(access), shown(to));
    }
    Value::Object(object.clone()).to_string()
}

fn keys(lines: &mut Vec<String>, old: &[ApiKey], new: &[ApiKey]) {
    for key in new {
        match old.iter().find(|known| known.name == key.name) {
            None => lines.push(format!("api_key {}: added", key.name)),
            Some(known) if known != key => lines.push(format!("api_key {}: changed", key.name)),
            Some(_) => {}
        }
    }
    for key in old {
        if !new.iter().any(|known| known.name == key.name) {
            lines.push(format!("api_key {}: removed", key.name));
        }
    }
}

fn webhooks(lines: &mut Vec<String>, old: &[WebhookConfig], new: &[WebhookConfig]) {
    let same = |a: &WebhookConfig, b: &WebhookConfig| (a.tenant, &a.name) == (b.tenant, &b.name);
    for hook in new {
        match old.iter().find(|known| same(known, hook)) {
            None => lines.push(format!("webhook {}/{}: added", hook.tenant, hook.name)),
            Some(known) if known != hook => {
                lines.push(format!("webhook {}/{}: changed", hook.tenant, hook.name))
            }
            Some(_) => {}
        }
    }
    for hook in old.iter().filter(|hook| !new.iter().any(|known| same(known, hook))) {
        lines.push(format!("webhook {}/{}: removed", hook.tenant, hook.name));
    }
}

fn assets(lines: &mut Vec<String>, old: &Loaded, new: &Loaded) {
    let names = |loaded: &Loaded| -> BTreeSet<String> {
        loaded.assets.iter().map(|(id, _)| id.to_string()).collect()
    };
    let (old, new) = (names(old), names(new));
    for name in new.difference(&old) {
        lines.push(format!("prompt {name}: added"));
    }
    for name in old.difference(&new) {
        lines.push(format!("prompt {name}: removed"));
    }
}
