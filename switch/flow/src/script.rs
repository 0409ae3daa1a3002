//! The designer's test bench: runs a flow's text against written answers, in virtual time, without a phone.
//!
//! It is the same engine and the same verbs as in the switch; only the answers are written down. A script
//! is data ([`Script`] reads from TOML by serde), so that it can stand beside the flow it tests.

use crate::FlowEngine;
use crate::counters::Counters;
use crate::error::FlowError;
use crate::io::{FlowCommand, FlowInput, FlowOutput, PartyId};
use crate::seen::Seen;
use cordboard_model::ask::{Ask, CallbackAnswer, Told};
use cordboard_model::calendar::{self, CalendarState};
use cordboard_model::cause::Cause;
use cordboard_model::conference::{Attended, Conference, ConferenceEnd};
use cordboard_model::config::{Flow, FlowKit, FlowLimits, Library, Snapshot, Tenant};
use cordboard_model::data;
use cordboard_model::dial::{Dial, DialEnd, DialWay};
use cordboard_model::fetch::{FetchError, Fetched};
use cordboard_model::id::{CallId, FlowId, Name, TenantId};
use cordboard_model::keys::{Judged, judge};
use cordboard_model::signin::{PhoneAct, PhoneEnd};
use cordboard_model::stream::{StreamEnd, StreamOutcome};
use cordboard_model::time::{Duration, Time, WallClock};
use cordboard_model::verb::{CollectEnd, Destination, First, FirstEnd, QueueEnd, Verb, VerbAnswer};
use cordboard_model::view::QueueState;
use core::fmt;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

mod live;

pub use crate::line::line;
pub use live::{Live, Next};

/// The tests of one flow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The flow's file, relative to the script's folder. Not needed where the flow is given beside the script.
    #[serde(default)]
    pub flow: String,
    /// The calls to be played through.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One call played through.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is shown, as a sentence.
    pub name: String,
    /// The calling party.
    #[serde(default = "anybody")]
    pub from: String,
    /// The called number.
    #[serde(default = "anybody")]
    pub to: String,
    /// The call data at the start.
    #[serde(default)]
    pub data: BTreeMap<String, Value>,
    /// When the call begins, as `2026-11-21T09:00:00+01:00`.
    #[serde(default = "some_day")]
    pub at: String,
    /// The tenant's zone.
    #[serde(default = "utc")]
    pub zone: String,
    /// The verbs that are expected, in order, with what they are answered.
    pub steps: Vec<StepSpec>,
    /// `"ended"`, or a part of the error the flow fails with.
    #[serde(default = "ended")]
    pub end: String,
}

fn anybody() -> String {
    "1001".to_owned()
}

fn some_day() -> String {
    "2026-01-01T00:00:00Z".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

fn ended() -> String {
    "ended".to_owned()
}

/// One expected verb and its answer. Without an answer the verb is simply done; a collection without
/// digits times out, a queue is timed out, an entry of the call data is what the flow was started with or set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The beginning of the verb as [`line`] writes it, by whole words.
    pub expect: String,
    /// The digits the caller presses.
    #[serde(default)]
    pub digits: Option<String>,
    /// How the entry ends; found out from the digits if it is not said.
    #[serde(default)]
    pub how: Option<CollectEnd>,
    /// What the caller says instead, as the recogniser understands it; empty if it does not.
    #[serde(default)]
    pub said: Option<String>,
    /// How sure it is of that, or a stream's program of its result, 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// The key that cuts a playback short, or leaves a queue.
    #[serde(default)]
    pub key: Option<char>,
    /// What becomes of the wait in the queue.
    #[serde(default)]
    pub queue: Option<QueueEnd>,
    /// How the talk ends after which the flow goes on.
    #[serde(default)]
    pub dial: Option<DialEnd>,
    /// Who talked; the first who rings if it is not said.
    #[serde(default)]
    pub who: Option<String>,
    /// How a conference ends.
    #[serde(default)]
    pub conference: Option<ConferenceEnd>,
    /// What becomes of each who is rung for it; all are there for as long as it takes if it is not said.
    #[serde(default)]
    pub parties: Option<Vec<PartySpec>>,
    /// How a queue stands.
    #[serde(default)]
    pub state: Option<QueueState>,
    /// What becomes of a call-back; his place is kept if it is not said.
    #[serde(default)]
    pub callback: Option<CallbackAnswer>,
    /// How a stream ends.
    #[serde(default)]
    pub stream: Option<StreamEnd>,
    /// What its program found out.
    #[serde(default)]
    pub result: Option<String>,
    /// The value of an entry of the call data, as somebody else set it.
    #[serde(default)]
    pub data: Option<Value>,
    /// The status that a server answers with.
    #[serde(default)]
    pub status: Option<u16>,
    /// What it answers, as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// What it answers, as a text.
    #[serde(default)]
    pub text: Option<String>,
    /// Why it does not answer.
    #[serde(default)]
    pub http: Option<FetchError>,
    /// What is sent to it, as JSON, with `(secret)` for what is one.
    #[serde(default)]
    pub sent: Option<Value>,
    /// Whether other calls have counted as much as may be.
    #[serde(default)]
    pub limit: bool,
    /// What a counter has come to, other calls included.
    #[serde(default)]
    pub count: Option<i64>,
    /// Why an agent cannot sign in by keys, or be what he wants: `wrong`, `locked`, `elsewhere` ...
    #[serde(default)]
    pub refused: Option<String>,
    /// What time it is, as `2026-11-21T09:00:00+01:00`.
    #[serde(default)]
    pub at: Option<String>,
    /// The row that a table has.
    #[serde(default)]
    pub row: Option<BTreeMap<String, String>>,
    /// What a calendar says.
    #[serde(default)]
    pub calendar: Option<Hours>,
    /// The holiday that the day is.
    #[serde(default)]
    pub holiday: Option<String>,
    /// For how long that lasts, seconds.
    #[serde(default)]
    pub lasts: Option<u32>,
    /// Why the step could not be done.
    #[serde(default)]
    pub failed: Option<Cause>,
    /// Whether the caller hangs up instead.
    #[serde(default)]
    pub hung_up: bool,
    /// How long it takes, seconds.
    #[serde(default)]
    pub after: f64,
}

/// What becomes of one who is rung for a conference.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartySpec {
    /// The agent's or account's name, or the number.
    pub who: String,
    /// For how long he is there, seconds. If neither it nor a cause is said: for as long as the conference takes.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// Why he leaves; or why he does not come, if no time is said.
    #[serde(default)]
    pub cause: Option<Cause>,
}

/// What a calendar says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// It is open.
    Open,
    /// It is closed.
    Closed,
}

/// How a call went that went as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Every verb and log line, with its moment.
    pub trace: Vec<String>,
    /// How long the flow lived, in virtual time.
    pub took: Duration,
    /// What was seen of the flow.
    pub seen: Seen,
}

/// Where a call went otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The case.
    pub case: String,
    /// The step, counted from one; one more than there are if it is about the end.
    pub step: usize,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What had happened before.
    pub trace: Vec<String>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case \"{}\", step {}:", self.case, self.step)?;
        writeln!(f, "  expected {}", self.expected)?;
        write!(f, "  got      {}", self.got)?;
        for line in &self.trace {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mismatch {}

/// A text with its file, for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub file: String,
    /// The text.
    pub text: String,
}

/// What cases are played with.
#[derive(Clone, Debug, Default)]
pub struct Bench {
    /// The flow that is tested.
    pub flow: Source,
    /// Flows that it may run, by name.
    pub flows: BTreeMap<String, Source>,
    /// Texts that it may require, by name.
    pub libraries: BTreeMap<String, Source>,
    /// What each may use.
    pub limits: FlowLimits,
}

/// Plays one case. The texts are checked first.
pub fn run(bench: &Bench, case: &Case) -> Result<Report, Mismatch> {
    let mut play = Play::new(case);
    play.begin(bench).map_err(|error| play.mismatch("texts without errors", &error))?;
    for (index, step) in case.steps.iter().enumerate() {
        play.step = index + 1;
        play.take(step)?;
    }
    play.step = case.steps.len() + 1;
    play.close()
}

/// Begins a call on an engine.
fn start(
    engine: &mut FlowEngine,
    bench: &Bench,
    (from, to): (&str, &str),
    data: &BTreeMap<String, Value>,
    now: Time,
) -> Result<(), String> {
    let id = FlowId::new(TenantId::DEFAULT, TESTED).map_err(|e| e.to_string())?;
    let snapshot = snapshot(bench)?;
    let errors =
        |errors: Vec<FlowError>| errors.iter().map(FlowError::to_string).collect::<Vec<_>>().join("\n");
    engine.handle_command(FlowCommand::Configure(&snapshot), now).map_err(errors)?;
    let (from, to) = (PartyId(from.to_owned()), PartyId(to.to_owned()));
    let start = FlowCommand::Start { call: CALL, flow: id, from, to, data: data.clone() };
    engine.handle_command(start, now).map_err(errors)
}

/// An engine on which the tested flow of a bench has begun, and its call.
///
/// # Errors
/// What is wrong with the texts.
pub fn bench_engine(
    bench: &Bench,
    parties: (&str, &str),
    data: &BTreeMap<String, Value>,
    now: Time,
) -> Result<(FlowEngine, CallId), String> {
    let mut engine = FlowEngine::new([0; 32]);
    start(&mut engine, bench, parties, data, now)?;
    Ok((engine, CALL))
}

/// The only call there is.
const CALL: CallId = CallId { tenant: TenantId::DEFAULT, start: 0, shard: 0, number: 1 };

struct Play<'a> {
    case: &'a Case,
    engine: FlowEngine,
    call: CallId,
    now: Time,
    data: BTreeMap<String, Value>,
    counters: Counters,
    ticks: u64,
    step: usize,
    trace: Vec<String>,
}

impl<'a> Play<'a> {
    fn new(case: &'a Case) -> Self {
        let mut engine = FlowEngine::new([0; 32]);
        engine.watch();
        Self {
            case,
            engine,
            call: CALL,
            now: Time::ZERO,
            data: case.data.clone(),
            counters: Counters::default(),
            ticks: 0,
            step: 0,
            trace: Vec::new(),
        }
    }

    fn begin(&mut self, bench: &Bench) -> Result<(), String> {
        start(&mut self.engine, bench, (&self.case.from, &self.case.to), &self.case.data, self.now)
    }

    fn mismatch(&self, expected: &str, got: &str) -> Mismatch {
        Mismatch {
            case: self.case.name.clone(),
            step: self.step,
            expected: expected.to_owned(),
            got: got.to_owned(),
            trace: self.trace.clone(),
        }
    }

    fn note(&mut self, text: &str) {
        let ms = self.now.as_millis();
        self.trace.push(format!("{:>4}.{:03} {text}", ms / 1_000, ms % 1_000));
    }

    /// The next output that is not a log line.
    fn next(&mut self) -> Option<FlowOutput> {
        loop {
            match self.engine.poll_output()? {
                FlowOutput::Log { text, line, .. } => self.note(&format!("log {line}: {text}")),
                other => return Some(other),
            }
        }
    }

    fn take(&mut self, step: &StepSpec) -> Result<(), Mismatch> {
        let (ticket, verb) = match self.next() {
            Some(FlowOutput::Verb { ticket, verb, .. }) => (ticket, verb),
            Some(other) => return Err(self.mismatch(&step.expect, &end(&other))),
            None => return Err(self.mismatch(&step.expect, "nothing: the flow was over")),
        };
        let got = line(&verb);
        if !begins(&got, &step.expect) {
            return Err(self.mismatch(&step.expect, &got));
        }
        let asked = match &verb {
            Verb::Http(fetch) => Some(fetch),
            Verb::First(first) => first.fetch.as_ref(),
            _ => None,
        };
        if let (Some(wanted), Some(fetch)) = (&step.sent, asked) {
            let shown = fetch.body.as_ref().map(|body| body.shown.as_str()).unwrap_or_default();
            let sent: Value = serde_json::from_str(shown).unwrap_or_default();
            if sent != *wanted {
                return Err(self.mismatch(&format!("{} {wanted}", step.expect), &format!("{got} {shown}")));
            }
        }
        if matches!(&verb, Verb::Dial(dial) if step.dial.is_some() && !dial.go_on) {
            return Err(self.mismatch(&format!("{} go_on", step.expect), &got));
        }
        if matches!(&verb, Verb::Collect { ear: None, .. } if step.said.is_some()) {
            return Err(self.mismatch(&format!("{} speech", step.expect), &got));
        }
        let nobody = step.queue == Some(QueueEnd::NobodySignedIn);
        if matches!(&verb, Verb::Enqueue { staffed: false, .. } if nobody) {
            return Err(self.mismatch(&format!("{} staffed", step.expect), &got));
        }
        self.reply(step, ticket, &verb);
        Ok(())
    }

    /// Time passes, and a verb has its answer.
    fn reply(&mut self, step: &StepSpec, ticket: u64, verb: &Verb) {
        self.note(&line(verb));
        let passes = match verb {
            Verb::Wait { ms } => f64::from(*ms) / 1_000.0,
            Verb::First(first) if step.after == 0.0 && by_time(step, first) => {
                f64::from(first.ms.unwrap_or_default()) / 1_000.0
            }
            _ => step.after,
        };
        self.now = self.now + Duration::try_from_secs_f64(passes).unwrap_or_default();
        self.engine.handle_timeout(self.now);
        let answer = self.answer(step, verb);
        self.engine.note_answer(&outcome(&answer));
        // What takes time in the switch takes some here, too, however little: budgets begin anew with it.
        let at_once =
            matches!(verb, Verb::Ask(_) | Verb::SetData { .. } | Verb::GetData { .. } | Verb::Record { .. })
                || matches!(verb, Verb::Phone(act) if matches!(**act, PhoneAct::Want(_)));
        self.ticks += u64::from(!at_once);
        let now = self.now + Duration::from_nanos(self.ticks);
        self.engine.handle_input(FlowInput::Answer { call: self.call, ticket, answer }, now);
    }

    fn answer(&mut self, step: &StepSpec, verb: &Verb) -> VerbAnswer {
        if step.hung_up {
            return VerbAnswer::HungUp;
        }
        if let Some(cause) = step.failed {
            return VerbAnswer::Failed(cause);
        }
        match verb {
            Verb::Play { .. } => VerbAnswer::Played { key: step.key },
            Verb::Collect { .. } if step.said.is_some() => VerbAnswer::Said {
                words: step.said.clone().unwrap_or_default(),
                confidence: percent(step.confidence),
            },
            Verb::Collect { .. } => collected(step.digits.as_deref().unwrap_or_default(), verb, step.how),
            Verb::Enqueue { .. } => {
                let pressed = step.key.map(QueueEnd::Key);
                VerbAnswer::Queue(step.queue.or(pressed).unwrap_or(QueueEnd::Timeout))
            }
            Verb::Dial(dial) if dial.go_on => talked(step, dial),
            Verb::Conference(conference) => conferred(step, conference),
            Verb::Stream { .. } => VerbAnswer::Streamed(StreamOutcome {
                end: step.stream.unwrap_or(StreamEnd::Closed),
                result: step.result.clone(),
                confidence: percent(step.confidence),
            }),
            Verb::SetData { key, value } => {
                if data::is_none(value) {
                    self.data.remove(key);
                } else {
                    self.data.insert(key.clone(), value.clone());
                }
                VerbAnswer::Done
            }
            Verb::GetData { key } => {
                VerbAnswer::Data(step.data.clone().or_else(|| self.data.get(key).cloned()))
            }
            Verb::Http(_) => VerbAnswer::Fetched(Box::new(fetched(step))),
            Verb::Phone(_) => VerbAnswer::Phone(step.refused.clone().map_or(PhoneEnd::Ok, PhoneEnd::Fault)),
            Verb::First(first) => match step.key {
                Some(key) if first.key => VerbAnswer::First(FirstEnd::Key(key)),
                _ if by_time(step, first) => VerbAnswer::First(FirstEnd::Time),
                _ => VerbAnswer::Fetched(Box::new(fetched(step))),
            },
            Verb::Ask(ask) => match self.told(step, ask) {
                Ok(told) => VerbAnswer::Told(Box::new(told)),
                Err(cause) => VerbAnswer::Failed(cause),
            },
            _ => VerbAnswer::Done,
        }
    }

    fn told(&mut self, step: &StepSpec, ask: &Ask) -> Result<Told, Cause> {
        match ask {
            Ask::Now { zone } => {
                let zone = calendar::zone(zone.as_ref().unwrap_or(&self.case.zone)).ok_or(Cause::NotFound)?;
                let began = calendar::read(&self.case.at).ok_or(Cause::NotFound)?;
                let at = match &step.at {
                    Some(at) => calendar::read(at).ok_or(Cause::NotFound)?,
                    None => WallClock { at_zero: began }.at(self.now),
                };
                Ok(Told::Now(calendar::moment(at, &zone)))
            }
            Ask::Calendar { .. } => Ok(Told::Calendar(CalendarState {
                open: step.calendar.unwrap_or(Hours::Open) == Hours::Open,
                holiday: step.holiday.clone(),
                changes: step.lasts,
            })),
            Ask::Lookup { .. } => Ok(Told::Row(step.row.clone().map(|row| row.into_iter().collect()))),
            Ask::Queue { .. } => Ok(Told::Queue(step.state.unwrap_or(ATTENDED))),
            Ask::Callback(_) => Ok(Told::Callback(step.callback.unwrap_or(CallbackAnswer::Kept))),
            Ask::Count { .. } if step.limit => Ok(Told::Count(None)),
            Ask::Count { .. } if step.count.is_some() => Ok(Told::Count(step.count)),
            Ask::Count { name, add, most, seconds } => {
                let kept = Duration::from_secs((*seconds).into());
                let counted = self.counters.count((self.call.tenant, name), *add, *most, kept, self.now);
                counted.map(Told::Count).map_err(|_| Cause::Congestion)
            }
        }
    }

    fn close(mut self) -> Result<Report, Mismatch> {
        let got = match self.next() {
            Some(output) => end(&output),
            None => "nothing: the flow waits for an answer".to_owned(),
        };
        let as_expected = match self.case.end.as_str() {
            "ended" => got == "ended",
            part => got.starts_with("failed ") && got.contains(part),
        };
        if !as_expected {
            return Err(self.mismatch(&self.case.end, &got));
        }
        self.note(&got);
        let seen = self.engine.take_seen();
        Ok(Report { trace: self.trace, took: self.now.since(Time::ZERO), seen })
    }
}

/// As answers have it.
fn percent(confidence: Option<f64>) -> Option<u8> {
    confidence.map(|share| (share.clamp(0.0, 1.0) * 100.0).round() as u8)
}

/// Who is rung, by name.
fn who(way: &DialWay) -> String {
    match &way.to {
        Destination::Agent(id) => id.name.to_string(),
        Destination::User(id) => id.name.to_string(),
        Destination::Trunk(_, number) => number.clone(),
        Destination::Flow(_) | Destination::Queue(_) => String::new(),
    }
}

/// Who came to a conference: all, unless the step says otherwise.
fn conferred(step: &StepSpec, conference: &Conference) -> VerbAnswer {
    let ms = |seconds: f64| {
        Duration::try_from_secs_f64(seconds).map(|time| time.as_millis() as u64).unwrap_or_default()
    };
    let all = || {
        let whole = |way| PartySpec { who: who(way), seconds: None, cause: None };
        conference.ways.iter().map(whole).collect()
    };
    let attended = |party: PartySpec| {
        let whole = if party.cause.is_none() { Some(step.after) } else { None };
        Attended {
            who: party.who,
            joined_ms: party.seconds.or(whole).map(ms),
            cause: party.cause.unwrap_or(Cause::Normal),
        }
    };
    let parties: Vec<PartySpec> = step.parties.clone().unwrap_or_else(all);
    let parties: Vec<Attended> = parties.into_iter().map(attended).collect();
    let came = parties.iter().any(|party| party.joined_ms.is_some());
    let end = if came { ConferenceEnd::Ended } else { ConferenceEnd::Nobody };
    VerbAnswer::Conferred { end: step.conference.unwrap_or(end), parties }
}

/// Who was dialled, and how the talk ended: he left first if the step does not say.
fn talked(step: &StepSpec, dial: &Dial) -> VerbAnswer {
    let who = step.who.clone().or(dial.ways.first().map(who)).unwrap_or_default();
    VerbAnswer::Dialled { end: step.dial.unwrap_or(DialEnd::Served), who }
}

/// Whether the time comes first: the step names no key, and no answer of a server that is asked.
fn by_time(step: &StepSpec, first: &First) -> bool {
    let answers = step.status.is_some() || step.json.is_some() || step.text.is_some() || step.http.is_some();
    let asked = first.fetch.is_some() && (answers || first.ms.is_none());
    let pressed = first.key && step.key.is_some();
    !(asked || pressed)
}

/// What became of a verb, where that may lead to different ways; else nothing.
fn outcome(answer: &VerbAnswer) -> String {
    match answer {
        VerbAnswer::HungUp => "hangs up".to_owned(),
        VerbAnswer::Failed(cause) => cause.as_str().to_owned(),
        VerbAnswer::Played { key: Some(key) } => format!("key {key}"),
        VerbAnswer::Digits { digits, .. } if digits.is_empty() => "no key".to_owned(),
        VerbAnswer::Digits { .. } => "keys".to_owned(),
        VerbAnswer::Said { .. } => "speech".to_owned(),
        VerbAnswer::Queue(end) => word(end),
        VerbAnswer::Phone(PhoneEnd::Fault(word)) => word.clone(),
        VerbAnswer::Dialled { end, .. } => word(end),
        VerbAnswer::Conferred { end, .. } => word(end),
        VerbAnswer::Streamed(outcome) => word(&outcome.end),
        VerbAnswer::Fetched(fetched) => match &**fetched {
            Fetched::Answer { status, .. } => status.to_string(),
            Fetched::Failed(why) => word(why),
        },
        VerbAnswer::Told(told) => match &**told {
            Told::Calendar(CalendarState { holiday: Some(_), .. }) => "holiday".to_owned(),
            Told::Calendar(state) => if state.open { "open" } else { "closed" }.to_owned(),
            Told::Row(row) => if row.is_some() { "found" } else { "not found" }.to_owned(),
            Told::Count(None) => "limit".to_owned(),
            Told::Callback(answer) => answer.as_str().to_owned(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// A word of the model's, as scripts write it.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

/// What a server says: 200 and nothing if the step does not say.
fn fetched(step: &StepSpec) -> Fetched {
    if let Some(why) = step.http {
        return Fetched::Failed(why);
    }
    let text = step.text.clone().unwrap_or_default();
    let body = step.json.as_ref().map_or(text, ToString::to_string);
    Fetched::Answer { status: step.status.unwrap_or(200), json: step.json.is_some(), body }
}

/// What comes of these keys, as the call would have it.
fn collected(typed: &str, verb: &Verb, how: Option<CollectEnd>) -> VerbAnswer {
    let Verb::Collect { min, max, terminators, patterns, strict, .. } = verb else {
        return VerbAnswer::Done;
    };
    let (mut digits, mut end) = (String::new(), None);
    for key in typed.chars() {
        if terminators.contains(key) {
            end = Some(CollectEnd::Terminator);
            break;
        }
        digits.push(key);
        end = (digits.len() >= usize::from(*max)).then_some(CollectEnd::Max);
        if !patterns.is_empty() {
            end = match judge(patterns, &digits) {
                Judged::Fits => Some(CollectEnd::Pattern),
                Judged::Never => Some(CollectEnd::Invalid),
                Judged::MayGoOn | Judged::Incomplete => end,
            };
        }
        if end.is_some() {
            break;
        }
    }
    let fits = || matches!(judge(patterns, &digits), Judged::Fits | Judged::MayGoOn);
    let counts = digits.len() >= usize::from(*min) && (patterns.is_empty() || fits());
    if (*strict || !patterns.is_empty()) && !counts && !typed.is_empty() {
        end = Some(CollectEnd::Invalid);
    }
    VerbAnswer::Digits { digits, end: how.or(end).unwrap_or(CollectEnd::Timeout) }
}

/// A queue of which a test says nothing: somebody is there, and nobody waits.
const ATTENDED: QueueState =
    QueueState { waiting: 0, full: false, agents: 1, ready: 1, wait: Some(0), position: None };

/// The name of the flow that is tested; no other can have it, for a file has a shorter one.
const TESTED: &str = "the.flow.that.is.tested";

fn snapshot(bench: &Bench) -> Result<Snapshot, String> {
    let mut flows = BTreeMap::new();
    let tested = (TESTED, &bench.flow);
    for (name, source) in bench.flows.iter().map(|(name, source)| (name.as_str(), source)).chain([tested]) {
        let id = FlowId::new(TenantId::DEFAULT, name).map_err(|error| format!("{name}: {error}"))?;
        let (file, source) = (source.file.clone(), source.text.clone());
        flows.insert(id.name.clone(), Flow { id, file, source, apology: None, fallback: None });
    }
    let mut libraries = BTreeMap::new();
    for (name, source) in &bench.libraries {
        let name = Name::new(name).map_err(|error| format!("{name}: {error}"))?;
        libraries.insert(name, Library { file: source.file.clone(), source: source.text.clone() });
    }
    let tenant = Tenant {
        id: TenantId::DEFAULT,
        kit: FlowKit { libraries, ..FlowKit::default() },
        flows,
        ..Tenant::new(TenantId::DEFAULT)
    };
    let mut snapshot = Snapshot::empty();
    snapshot.limits.flow = bench.limits;
    snapshot.tenants.insert(TenantId::DEFAULT, tenant);
    Ok(snapshot)
}

/// Whether `got` begins with the words of `expected`.
fn begins(got: &str, expected: &str) -> bool {
    let mut words = got.split_whitespace();
    expected.split_whitespace().all(|word| words.next() == Some(word))
}

fn end(output: &FlowOutput) -> String {
    match output {
        FlowOutput::Verb { verb, .. } => line(verb),
        FlowOutput::Ended { .. } => "ended".to_owned(),
        FlowOutput::Failed { error, .. } => format!("failed {}: {error}", error.kind.as_str()),
        FlowOutput::Log { text, .. } => format!("log {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(steps: Vec<StepSpec>) -> Case {
        let (from, to, data) = (anybody(), anybody(), BTreeMap::new());
        Case { name: "t".into(), from, to, data, at: some_day(), zone: utc(), steps, end: ended() }
    }

    fn step(expect: &str) -> StepSpec {
        StepSpec { expect: expect.into(), ..StepSpec::default() }
    }

    fn bench() -> Bench {
        Bench { flow: Source { file: "f.lua".into(), text: FLOW.into() }, ..Bench::default() }
    }

    const FLOW: &str =
        "call:answer()\nlocal d = call:collect{prompt='pin', max=4}\ncall:log(d)\ncall:wait(2)";

    #[test]
    fn a_call_that_goes_as_written_has_a_trace_in_virtual_time() {
        let pin = StepSpec { digits: Some("12#".into()), after: 3.5, ..step("collect pin max=4") };
        let report = run(&bench(), &case(vec![step("answer"), pin, step("wait")])).unwrap();
        assert_eq!(
            report.trace,
            [
                "   0.000 answer",
                "   0.000 collect pin max=4 min=1 terminators=# first=5 inter=3",
                "   3.500 log 3: 12",
                "   3.500 wait 2",
                "   5.500 ended",
            ]
        );
        assert_eq!(report.took, Duration::from_millis(5_500));
    }

    #[test]
    fn a_call_that_goes_otherwise_says_where() {
        let error = run(&bench(), &case(vec![step("answer"), step("play x")])).unwrap_err();
        assert_eq!((error.step, error.expected.as_str()), (2, "play x"));
        assert!(error.got.starts_with("collect pin"));
        let error = run(&bench(), &case(vec![step("answer")])).unwrap_err();
        assert_eq!((error.step, error.expected.as_str()), (2, "ended"));
    }

    #[test]
    fn words_are_compared_whole() {
        assert!(begins("enqueue sales timeout=60", "enqueue sales"));
        assert!(!begins("enqueue sales2", "enqueue sales"));
        assert!(!begins("answer", "answer now"));
    }
}
