//! A finished call as a test: what its flow asked for and was answered, as `cordboard flow test` plays it.
//!
//! The answers are kept without secrets (`wiped.rs`), and the flow is run again with them, so nothing that it made of a secret is in
//! the test either. Where it goes another way because of that, the test ends with the caller hanging up there, and says so.

use crate::io::{FlowInput, FlowOutput, FlowRecord};
use crate::line::line;
use crate::script::{Bench, Source, bench_engine};
use crate::texts::TextName;
use crate::wiped::Trail;
use cordboard_model::ask::Told;
use cordboard_model::calendar::Moment;
use cordboard_model::conference::Attended;
use cordboard_model::fetch::Fetched;
use cordboard_model::signin::{PhoneAct, PhoneEnd};
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::{FirstEnd, Verb, VerbAnswer};
use core::fmt::Write;
use serde::Serialize;
use serde_json::Value;

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HowEnded {
    /// By itself.
    Ended,
    /// With this error, without its place.
    Failed(String),
    /// The call was gone, or taken elsewhere.
    Stopped,
}

/// A flow that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What it was given.
    pub record: FlowRecord,
    /// How it ended.
    pub end: HowEnded,
    /// What it asked for since something was hidden, from this answer on.
    trail: Option<(usize, Vec<String>)>,
}

impl Finished {
    /// Of a flow that is over. What was a secret is wiped.
    pub(crate) fn new(mut record: FlowRecord, end: HowEnded, trail: Trail) -> Self {
        let trail = trail.wipe(&mut record);
        Self { record, end, trail }
    }

    /// What was asked for before the answer of this number, if what is hidden could have led elsewhere.
    fn asked(&self, at: usize) -> Option<&str> {
        let (from, asked) = self.trail.as_ref()?;
        asked.get(at.checked_sub(*from)?).map(String::as_str)
    }

    /// About how many bytes it takes.
    pub fn heft(&self) -> usize {
        let record = &self.record;
        let texts: usize = record.texts.iter().map(|text| text.source.len()).sum();
        let asked = self.trail.iter().flat_map(|(_, asked)| asked);
        let asked: usize = asked.map(|line| line.len() + 24).sum();
        record.source.len() + texts + asked + record.answers.len() * 64 + record.data.len() * 64 + 512
    }

    /// The bench with the texts that the call ran.
    pub fn bench(&self) -> Bench {
        let record = &self.record;
        let own = Source { file: record.file.clone(), text: record.source.to_string() };
        let mut bench = Bench { flow: own, limits: record.limits, ..Bench::default() };
        for text in &record.texts {
            let source = Source { file: text.file.clone(), text: text.source.to_string() };
            match &text.name {
                TextName::Flow(id) => bench.flows.insert(id.name.to_string(), source),
                TextName::Library(_, name) => bench.libraries.insert(name.to_string(), source),
            };
        }
        bench
    }
}

/// Runs a flow with given answers.
struct Replay {
    engine: crate::FlowEngine,
    call: cordboard_model::id::CallId,
    ticks: u64,
    now: Time,
    ticket: u64,
}

impl Replay {
    fn new(finished: &Finished) -> Result<Self, String> {
        let FlowRecord { from, to, data, .. } = &finished.record;
        let now = Time::ZERO;
        let (engine, call) = bench_engine(&finished.bench(), (&from.0, &to.0), data, now)?;
        Ok(Self { engine, call, ticks: 0, now, ticket: 0 })
    }

    /// What the flow asks for next; its end if it asks for nothing.
    fn next(&mut self) -> Result<Verb, Option<String>> {
        loop {
            match self.engine.poll_output() {
                Some(FlowOutput::Log { .. }) => {}
                Some(FlowOutput::Verb { ticket, verb, .. }) => {
                    self.ticket = ticket;
                    return Ok(verb);
                }
                Some(FlowOutput::Failed { error, .. }) => return Err(Some(error.text)),
                Some(FlowOutput::Ended { .. }) | None => return Err(None),
            }
        }
    }

    fn answer(&mut self, verb: &Verb, answer: VerbAnswer) {
        let free =
            matches!(verb, Verb::Ask(_) | Verb::SetData { .. } | Verb::GetData { .. } | Verb::Record { .. })
                || matches!(verb, Verb::Phone(act) if matches!(**act, PhoneAct::Want(_)));
        if !free {
            self.ticks += 1;
        }
        if let Verb::Wait { ms } = verb {
            self.now = self.now + Duration::from_millis(u64::from(*ms));
        }
        let now = self.now + Duration::from_nanos(self.ticks);
        let input = FlowInput::Answer { call: self.call, ticket: self.ticket, answer };
        self.engine.handle_input(input, now);
    }
}

/// Whether an answer is one of those that a verb can have.
fn fits(verb: &Verb, answer: &VerbAnswer) -> bool {
    match answer {
        VerbAnswer::Played { .. } => matches!(verb, Verb::Play { .. }),
        VerbAnswer::Digits { .. } => matches!(verb, Verb::Collect { .. }),
        VerbAnswer::Said { .. } => matches!(verb, Verb::Collect { ear: Some(_), .. }),
        VerbAnswer::Queue(_) => matches!(verb, Verb::Enqueue { .. }),
        VerbAnswer::Dialled { .. } => matches!(verb, Verb::Dial(_)),
        VerbAnswer::Conferred { .. } => matches!(verb, Verb::Conference(_)),
        VerbAnswer::Streamed(_) => matches!(verb, Verb::Stream { .. }),
        VerbAnswer::Data(_) => matches!(verb, Verb::GetData { .. }),
        VerbAnswer::Told(_) => matches!(verb, Verb::Ask(_)),
        VerbAnswer::Fetched(_) => matches!(verb, Verb::Http(_) | Verb::First(_)),
        VerbAnswer::First(_) => matches!(verb, Verb::First(_)),
        VerbAnswer::Phone(_) => matches!(verb, Verb::Phone(_)),
        _ => true,
    }
}

/// The test, in TOML; `title` is the name of its case.
///
/// # Errors
/// The flow cannot be run again, in words.
pub fn as_test(finished: &Finished, title: &str) -> Result<String, String> {
    let record = &finished.record;
    let mut shown = Replay::new(finished)?;
    let mut steps = Vec::new();
    let mut zone = None;
    let mut parted = false;
    for (at, answer) in record.answers.iter().enumerate() {
        let Ok(verb) = shown.next() else {
            parted = true;
            break;
        };
        let asked = line(&verb);
        parted = finished.asked(at).is_some_and(|was| was != asked) || !fits(&verb, answer);
        if parted {
            steps.push(step(&verb, &VerbAnswer::HungUp, &mut zone));
            shown.answer(&verb, VerbAnswer::HungUp);
            break;
        }
        steps.push(step(&verb, answer, &mut zone));
        shown.answer(&verb, answer.clone());
    }
    let end = if parted { None } else { finish(&mut shown, finished, &mut steps, &mut zone) };
    Ok(written(record, title, zone, parted, end, &steps))
}

/// What the flow still asks for after its last answer, and its end if that is an error.
fn finish(
    shown: &mut Replay,
    finished: &Finished,
    steps: &mut Vec<String>,
    zone: &mut Option<String>,
) -> Option<String> {
    loop {
        match shown.next() {
            Ok(verb @ (Verb::HangUp { .. } | Verb::Reject { .. })) if finished.end != HowEnded::Stopped => {
                steps.push(step(&verb, &VerbAnswer::Done, zone));
                // Nothing is awaited after a hang-up; a rejection is answered.
                shown.answer(&verb, VerbAnswer::HungUp);
            }
            Ok(verb) => {
                let gone = matches!(verb, Verb::Transfer { .. } | Verb::Dial(_));
                // Handed over, and done; otherwise the caller was gone before there was an answer.
                let answer = if gone { VerbAnswer::Done } else { VerbAnswer::HungUp };
                steps.push(step(&verb, &answer, zone));
                shown.answer(&verb, answer);
            }
            Err(end) => return end,
        }
    }
}

fn written(
    record: &FlowRecord,
    title: &str,
    zone: Option<String>,
    parted: bool,
    end: Option<String>,
    steps: &[String],
) -> String {
    let file = record.file.rsplit('/').next().unwrap_or_default();
    let mut out = String::from("# Recorded from a call. Keys that were a secret are replaced.\n");
    if parted {
        out.push_str(
            "# The call went on: what it did then depends on a secret. Give the last step its answer, and write the rest.\n",
        );
    }
    // Writing to a String cannot fail.
    let _ = write!(out, "flow = {}\n\n[[case]]\nname = {}\n", quoted(file), quoted(title));
    let _ = write!(out, "from = {}\nto = {}\n", quoted(&record.from.0), quoted(&record.to.0));
    if !record.data.is_empty() {
        let entries = record.data.iter().map(|(key, value)| format!("{} = {}", quoted(key), toml(value)));
        let _ = writeln!(out, "data = {{ {} }}", entries.collect::<Vec<_>>().join(", "));
    }
    if let Some(zone) = zone {
        let _ = writeln!(out, "zone = {}", quoted(&zone));
    }
    if let Some(end) = end {
        let _ = writeln!(out, "end = {}", quoted(end.lines().next().unwrap_or_default()));
    }
    out.push_str("steps = [\n");
    for step in steps {
        let _ = writeln!(out, "  {{ {step} }},");
    }
    out.push_str("]\n");
    out
}

/// The entries of a step.
fn step(verb: &Verb, answer: &VerbAnswer, zone: &mut Option<String>) -> String {
    let mut entries = vec![format!("expect = {}", quoted(&expected(verb)))];
    let mut add = |key: &str, value: String| entries.push(format!("{key} = {value}"));
    match answer {
        VerbAnswer::HungUp => add("hung_up", "true".to_owned()),
        VerbAnswer::Failed(cause) => add("failed", quoted(cause.as_str())),
        VerbAnswer::Played { key: Some(key) } | VerbAnswer::First(FirstEnd::Key(key)) => {
            add("key", quoted(&key.to_string()))
        }
        VerbAnswer::Digits { digits, end } if !digits.is_empty() => {
            add("digits", quoted(digits));
            add("how", quoted(&word(end)));
        }
        VerbAnswer::Said { words, confidence } => {
            add("said", quoted(words));
            confidence
                .iter()
                .for_each(|percent| add("confidence", format!("{:?}", f64::from(*percent) / 100.0)));
        }
        VerbAnswer::Queue(end) => add("queue", quoted(&word(end))),
        VerbAnswer::Phone(PhoneEnd::Fault(word)) => add("refused", quoted(word)),
        VerbAnswer::Dialled { end, who } => {
            add("dial", quoted(&word(end)));
            add("who", quoted(who));
        }
        VerbAnswer::Conferred { end, parties } => {
            add("conference", quoted(&word(end)));
            let parties: Vec<String> = parties.iter().map(party).collect();
            add("parties", format!("[{}]", parties.join(", ")));
        }
        VerbAnswer::Streamed(outcome) => {
            add("stream", quoted(&word(&outcome.end)));
            outcome.result.iter().for_each(|result| add("result", quoted(result)));
        }
        VerbAnswer::Data(Some(value)) => add("data", toml(value)),
        VerbAnswer::Fetched(fetched) => match &**fetched {
            Fetched::Answer { status, json, body } => {
                add("status", status.to_string());
                match serde_json::from_str::<Value>(body).ok().filter(|_| *json) {
                    Some(value) => add("json", toml(&value)),
                    None => add("text", quoted(body)),
                }
            }
            Fetched::Failed(why) => add("http", quoted(&word(why))),
        },
        VerbAnswer::Told(told) => match &**told {
            Told::Now(moment) => {
                zone.get_or_insert_with(|| moment.zone.clone());
                add("at", quoted(&iso(moment)));
            }
            Told::Calendar(state) => {
                add("calendar", quoted(if state.open { "open" } else { "closed" }));
                state.holiday.iter().for_each(|holiday| add("holiday", quoted(holiday)));
                state.changes.iter().for_each(|lasts| add("lasts", lasts.to_string()));
            }
            Told::Row(Some(row)) => {
                let cells = row.iter().map(|(name, cell)| format!("{} = {}", quoted(name), quoted(cell)));
                add("row", format!("{{ {} }}", cells.collect::<Vec<_>>().join(", ")));
            }
            Told::Queue(state) => add("state", toml(&serde_json::to_value(state).unwrap_or_default())),
            Told::Count(Some(count)) => add("count", count.to_string()),
            Told::Count(None) => add("limit", "true".to_owned()),
            Told::Callback(answer) => add("callback", quoted(answer.as_str())),
            Told::Row(None) => {}
        },
        _ => {}
    }
    entries.join(", ")
}

/// One who was rung for a conference.
fn party(party: &Attended) -> String {
    let seconds =
        party.joined_ms.map(|ms| format!("seconds = {:?}, ", ms as f64 / 1_000.0)).unwrap_or_default();
    format!("{{ who = {}, {seconds}cause = {} }}", quoted(&party.who), quoted(party.cause.as_str()))
}

/// What of a verb is worth to be expected: without the times of keys, which are often changed.
fn expected(verb: &Verb) -> String {
    let all = line(verb);
    let cut = if matches!(verb, Verb::Collect { .. }) { " min=" } else { "\0" };
    all.split(cut).next().unwrap_or_default().to_owned()
}

/// As `2026-11-21T09:00:00+01:00`.
fn iso(at: &Moment) -> String {
    let Moment { year, month, day, hour, minute, second, offset, .. } = at;
    let (sign, east) = if *offset < 0 { ('-', -offset) } else { ('+', *offset) };
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{:02}:{:02}",
        east / 3_600,
        east / 60 % 60
    )
}

/// A text in TOML: its basic strings have the escapes of JSON, and wish for one more.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// A word of the model's, as scripts write it.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

/// JSON as TOML, which has no null: what is null is left out, as for the flow it is not there.
fn toml(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::String(text) => quoted(text),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().filter(|value| !value.is_null()).map(toml).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> =
                fields.map(|(name, value)| format!("{} = {}", quoted(name), toml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Script, bench_engine as begin, run};
    use cordboard_model::verb::CollectEnd;
    use std::collections::BTreeMap;

    /// The test of a flow that was given these answers, and what becomes of it when it is played.
    fn test_of(flow: &str, answers: &[VerbAnswer]) -> (String, Result<(), String>) {
        let bench =
            Bench { flow: Source { file: "flows/f.lua".into(), text: flow.into() }, ..Bench::default() };
        let data = BTreeMap::from([("language".to_owned(), Value::from("en"))]);
        let (mut engine, call) = begin(&bench, ("+49", "600"), &data, Time::ZERO).unwrap();
        for (at, answer) in (1_u64..).zip(answers) {
            let input = FlowInput::Answer { call, ticket: at, answer: answer.clone() };
            engine.handle_input(input, Time::from_nanos(at));
        }
        engine.handle_command(crate::FlowCommand::Stop { call }, Time::ZERO).unwrap();
        let finished = engine.finished(call).remove(0);
        let kept = format!("{finished:?}");
        for secret in ["4711", "t0k", "8642", "8643", "8644", "8645", "8646"] {
            assert!(flow.contains(secret) || !kept.contains(secret), "{secret} is kept: {kept}");
        }
        let made = as_test(&finished, "a \"call\"").unwrap();
        let script: Script = toml::from_str(&made).unwrap();
        let played = run(&finished.bench(), &script.cases[0]).map(|_| ()).map_err(|why| why.to_string());
        (made, played)
    }

    fn keys(digits: &str) -> VerbAnswer {
        VerbAnswer::Digits { digits: digits.into(), end: CollectEnd::Max }
    }

    #[test]
    fn what_was_answered_stands_in_the_test_and_secrets_do_not() {
        let flow = "call:answer()\nlocal pin = call:collect{max = 4, secret = true}\ncall.data.pin = pin\n\
                    local a = call:http{url = 'http://x/'}\ncall.data.name = a.json.name\n\
                    call:count('all')\ncall:hang_up()";
        let body = r#"{"name": "A\"da", "accessToken": "t0k", "none": null, "list": [1, 2.5]}"#.to_owned();
        let fetched = VerbAnswer::Fetched(Box::new(Fetched::Answer { status: 201, json: true, body }));
        let counted = VerbAnswer::Told(Box::new(Told::Count(Some(41))));
        let (made, played) = test_of(
            flow,
            &[VerbAnswer::Done, keys("4711"), VerbAnswer::Done, fetched, VerbAnswer::Done, counted],
        );
        assert_eq!(played, Ok(()), "{made}");
        for wanted in [
            "flow = \"f.lua\"",
            "name = \"a \\\"call\\\"\"",
            "data = { \"language\" = \"en\" }",
            "{ expect = \"set pin = 1111\" }",
            "status = 201, json = { \"accessToken\" = \"(secret)\", \"list\" = [1, 2.5], \"name\" = \"A\\\"da\" }",
            "count = 41",
        ] {
            assert!(made.contains(wanted), "no {wanted} in\n{made}");
        }
        assert!(!made.contains("4711") && !made.contains("t0k"), "{made}");
    }

    #[test]
    fn a_secret_that_is_said_back_or_is_a_number_or_a_list_is_not_in_the_test() {
        let flow = "local pin = call:collect_secret{max = 4}\n\
                    local a = call:http{url = 'http://x/', json = {pin = pin}}\n\
                    local b = call:http{url = 'http://x/plain'}\n\
                    local row = call:lookup('boxes', '1001')\ncall:log(pin:equals(row.pin))\n\
                    if pin:equals(row.pin) then call:play('right') end\ncall:hang_up()";
        let body = r#"{"echo": "pin 4711!", "as_number": 4711, "all": ["4711", [4711]], "pin": "4711",
                       "pins": ["8642", 8643], "passwordAge": 8644, "api_token": {"a": 8645, "b": true}}"#;
        let fetched = |json: bool, body: &str| {
            VerbAnswer::Fetched(Box::new(Fetched::Answer { status: 200, json, body: body.to_owned() }))
        };
        let cells = [("number", "1001"), ("pin", "4711"), ("note", "was 4711"), ("old_pin", "8646")];
        let row = cells.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())).collect();
        let (made, played) = test_of(
            flow,
            &[
                keys("4711"),
                fetched(true, body),
                fetched(false, "you said 4711"),
                VerbAnswer::Told(Box::new(Told::Row(Some(row)))),
                VerbAnswer::Played { key: None },
            ],
        );
        assert_eq!(played, Ok(()), "{made}");
        for secret in ["4711", "8642", "8643", "8644", "8645", "8646"] {
            assert!(!made.contains(secret), "{secret} in\n{made}");
        }
        for wanted in [
            "\"echo\" = \"pin 1111!\"",
            "\"as_number\" = 1111",
            "\"pins\" = \"(secret)\"",
            "\"pin\" = \"1111\"",
            "text = \"you said 1111\"",
            "\"note\" = \"was 1111\"",
            "\"old_pin\" = \"(secret)\"",
            "expect = \"play right\"",
        ] {
            assert!(made.contains(wanted), "no {wanted} in\n{made}");
        }
    }

    #[test]
    fn a_way_that_depends_on_a_secret_ends_where_it_begins() {
        let flow = "local pin = call:collect_secret{max = 4}\n\
                    if pin:equals('4711') then call:play('right') else call:play('wrong') end\ncall:hang_up()";
        let (made, played) = test_of(flow, &[keys("4711"), VerbAnswer::Played { key: None }]);
        assert_eq!(played, Ok(()), "{made}");
        assert!(
            made.contains("depends on a secret")
                && made.contains("{ expect = \"play wrong\", hung_up = true }")
        );
    }

    #[test]
    fn a_caller_who_hung_up_hangs_up_in_the_test() {
        let (made, played) = test_of("call:answer()\ncall:wait(20)\ncall:play('a')", &[VerbAnswer::Done]);
        assert_eq!(played, Ok(()), "{made}");
        assert!(made.contains("{ expect = \"wait 20\", hung_up = true },\n]"), "{made}");
    }
}
