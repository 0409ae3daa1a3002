//! A ladder as text for a terminal: a column for the switch and one for each far end, an arrow for each message.

use cordboard_model::time::Wall;
use cordboard_model::trace::{TraceMedia, TraceMessage, TraceNote, TraceParty, TraceView, TraceWhat};
use serde_json::Value;
use std::fmt::Write;

/// Width of the column of times.
const TIME: usize = 14;
/// Distance between the lines of two columns.
const STEP: usize = 30;
/// Columns that are drawn; messages with further parties stand in the last.
const PARTIES: usize = 6;

/// The whole text. Writing to a String cannot fail.
pub(super) fn print(view: &TraceView, messages: bool) -> String {
    let mut out = String::new();
    let _ = match view.call {
        Some(call) => writeln!(out, "call {call}"),
        None => writeln!(out, "no call: a request that was refused before it became one"),
    };
    if view.cut {
        out.push_str("its beginning is no longer kept\n");
    }
    out.push('\n');
    heads(&mut out, &view.parties);
    for step in &view.steps {
        let time = clock(step.at_us);
        match &step.what {
            TraceWhat::Message(message) => {
                let line = arrow(message, view.parties.len());
                let _ = writeln!(out, "{time}  {line}");
            }
            TraceWhat::Note(note) => {
                let _ = writeln!(out, "{time}  * {}", words(note));
            }
        }
    }
    if messages {
        for step in &view.steps {
            if let TraceWhat::Message(message) = &step.what {
                whole(&mut out, message, &clock(step.at_us));
            }
        }
    }
    out
}

/// `12:34:56.789`, UTC.
fn clock(at_us: i64) -> String {
    let Wall(ms) = Wall(at_us.div_euclid(1_000));
    let day = ms.rem_euclid(86_400_000);
    let (s, ms) = (day / 1_000, day % 1_000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3_600, s / 60 % 60, s % 60)
}

/// The column of a far end: the first is left of the switch, the others right of it.
fn place(party: usize) -> usize {
    match party {
        0 => 0,
        other => other.min(PARTIES - 1) + 1,
    }
}

fn heads(out: &mut String, parties: &[TraceParty]) {
    let mut columns = vec![(String::new(), String::new()); (parties.len() + 1).clamp(2, PARTIES + 1)];
    columns[1] = ("Cordboard".to_owned(), String::new());
    for (index, party) in parties.iter().enumerate().take(PARTIES) {
        let address = format!("{} {}", party.transport, party.address);
        if let Some(column) = columns.get_mut(place(index)) {
            *column =
                if party.name.is_empty() { (address, String::new()) } else { (party.name.clone(), address) };
        }
    }
    for row in [true, false] {
        let mut line = " ".repeat(TIME);
        for (first, second) in &columns {
            let text: String = (if row { first } else { second }).chars().take(STEP - 2).collect();
            let _ = write!(line, "{text:<STEP$}");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// `|------ INVITE (sdp) ------>|`, with the lines of the other columns.
fn arrow(message: &TraceMessage, parties: usize) -> String {
    let columns = (parties + 1).clamp(2, PARTIES + 1);
    let mut row: Vec<char> = vec![' '; (columns - 1) * STEP + 1];
    for line in row.iter_mut().step_by(STEP) {
        *line = '|';
    }
    let (far, near) = (place(message.party), 1);
    let (from, to) = (far.min(near) * STEP, far.max(near) * STEP);
    let rightwards = (far > near) == message.sent;
    for cell in row.iter_mut().take(to).skip(from + 1) {
        *cell = '-';
    }
    if let Some(tip) = row.get_mut(if rightwards { to - 1 } else { from + 1 }) {
        *tip = if rightwards { '>' } else { '<' };
    }
    let sdp = if message.sdp { " (sdp)" } else { "" };
    let again = if message.repeated { " again" } else { "" };
    let label: String = format!(" {}{sdp}{again} ", message.title).chars().take(STEP - 4).collect();
    // Beside the far end, so that what crosses other columns is not written over their lines.
    let room = if far > near { to - STEP } else { from };
    let start = room + (STEP - label.chars().count()) / 2;
    for (cell, letter) in row.iter_mut().skip(start).zip(label.chars()) {
        *cell = letter;
    }
    row.into_iter().collect::<String>().trim_end().to_owned()
}

/// A note in one line: what it is, and its values.
fn words(note: &TraceNote) -> String {
    match note {
        TraceNote::Event { event } => values(serde_json::to_value(event).unwrap_or_default()),
        TraceNote::Ended { cause, by } => {
            let by = serde_json::to_value(by).unwrap_or_default();
            format!("call_ended cause={} by={}", cause.as_str(), plain(&by))
        }
        TraceNote::Media { leg, media } => {
            let told = match media {
                TraceMedia::Agreed { params, suite, dtls } => {
                    let by = suite.map(|suite| suite.name()).or(dtls.then_some("DTLS"));
                    let secured = by.map_or_else(String::new, |by| format!(" secured by {by}"));
                    format!("agreed {} to {}{secured}", params.codec.name(), params.remote)
                }
                other => values(serde_json::to_value(other).unwrap_or_default()),
            };
            format!("media of leg {leg}: {told}")
        }
    }
}

fn values(value: Value) -> String {
    let Value::Object(object) = value else {
        return plain(&value);
    };
    let kind = object.get("type").map(plain).unwrap_or_default();
    let shown = |(key, value): (&String, &Value)| match value {
        _ if key == "type" || key == "call" => None,
        Value::Null => None,
        Value::Array(reasons) if key == "reasons" => {
            let reason = |one: &Value| format!("{}: {}", plain(&one["plugin"]), plain(&one["why"]));
            Some(format!(" ({})", reasons.iter().map(reason).collect::<Vec<_>>().join("; ")))
        }
        Value::Object(figures) if key == "stats" => {
            Some(figures.iter().map(|(key, value)| format!(" {key}={}", plain(value))).collect())
        }
        value => Some(format!(" {key}={}", plain(value))),
    };
    let rest: String = object.iter().filter_map(shown).collect();
    format!("{kind}{rest}")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => one_line(text),
        Value::Object(object) => match (object.get("tenant"), object.get("name"), object.get("user")) {
            (Some(_), Some(name), _) => plain(name),
            (None, None, Some(user)) => plain(user),
            _ => one_line(&value.to_string()),
        },
        other => other.to_string(),
    }
}

/// What came from outside must not draw lines of its own, nor reach the terminal's controls.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn whole(out: &mut String, message: &TraceMessage, time: &str) {
    let way = if message.sent { "to" } else { "from" };
    let _ = writeln!(out, "\n---- {time} {way} {} {}", message.transport, message.remote);
    let text = String::from_utf8_lossy(&message.bytes);
    for line in text.lines() {
        out.push_str(&one_line(line));
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::cause::{Cause, Party};
    use cordboard_model::trace::TraceStep;

    fn step(at_ms: i64, party: usize, sent: bool, title: &str, repeated: bool) -> TraceStep {
        let message = TraceMessage {
            party,
            sent,
            transport: "udp".into(),
            local: "192.0.2.1:5060".parse().unwrap(),
            remote: "192.0.2.9:5060".parse().unwrap(),
            repeated,
            leg: None,
            call_id: "x".into(),
            title: title.into(),
            sdp: title == "INVITE",
            bytes: b"INVITE x\r\nA: b\x1b[2J\r\n\r\n".to_vec(),
        };
        TraceStep { at_us: at_ms * 1_000, what: TraceWhat::Message(message) }
    }

    fn party(name: &str, address: &str) -> TraceParty {
        TraceParty { transport: "udp".into(), address: address.parse().unwrap(), name: name.into() }
    }

    #[test]
    fn a_ladder_has_a_column_for_each_party_and_an_arrow_for_each_message() {
        let parties = vec![
            party("600", "192.0.2.2:5060"),
            party("", "192.0.2.3:5060"),
            party("1002", "192.0.2.4:5060"),
        ];
        let ended = TraceNote::Ended { cause: Cause::Normal, by: Party::Caller };
        let steps = vec![
            step(45_296_789, 0, false, "INVITE", false),
            step(45_296_790, 1, true, "INVITE", false),
            step(45_296_791, 2, true, "INVITE", false),
            step(45_297_291, 2, true, "INVITE", true),
            step(45_297_300, 2, false, "180 Ringing", false),
            step(45_297_301, 0, true, "180 Ringing", false),
            TraceStep { at_us: 45_297_302_000, what: TraceWhat::Note(ended) },
        ];
        let view = TraceView { call: None, parties, steps, cut: true };
        insta::assert_snapshot!(print(&view, false));
    }

    #[test]
    fn what_came_from_outside_cannot_speak_to_the_terminal() {
        let parties = vec![party("600", "192.0.2.2:5060")];
        let view =
            TraceView { call: None, parties, steps: vec![step(0, 0, false, "INVITE", false)], cut: false };
        let text = print(&view, true);
        assert!(text.contains("A: b [2J") && !text.contains('\x1b'), "{text}");
    }
}
