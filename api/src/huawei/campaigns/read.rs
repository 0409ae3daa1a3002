//! A campaign and its numbers, as the reference writes them.

use super::{Code, Fault};
use crate::gateway::fields::Fields;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cordboard_model::calendar::{self, Hours};
use cordboard_model::campaign::{CampaignGoal, CampaignKind, CampaignSpec, NewNumber, ShownNumber};
use cordboard_model::id::Name;
use cordboard_model::time::Wall;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most numbers that are added at a time.
const NUMBERS: usize = 20;
/// Longest number that is shown.
const CALLER_MAX: usize = 24;
/// Most calls at a time where nothing is said.
const LINES: u32 = 30;
/// What a description must not have in it.
const NOT_IN_TEXTS: &str = "\"[]=;<>";
const DAY_MS: i64 = 86_400_000;

/// What the tenant has.
pub(super) struct Known {
    pub(super) skills: BTreeMap<Name, u32>,
    pub(super) flows: BTreeSet<Name>,
    pub(super) now: Wall,
}

fn fault<T>(code: Code, why: impl Into<String>) -> Result<T, Fault> {
    Err((code, why.into()))
}

fn needed(said: &Fields, name: &str, most: usize) -> Result<String, Fault> {
    match said.text(name) {
        None => fault(Code::Empty, format!("{name} is missing")),
        Some(text) if text.chars().count() > most => {
            fault(Code::TooLong, format!("{name} is longer than {most}"))
        }
        Some(text) => Ok(text),
    }
}

fn number(said: &Fields, name: &str) -> Result<Option<u32>, Fault> {
    said.number(name).map_err(|fault| (Code::Conversion, fault.message()))
}

/// `yyyy-MM-dd HH:mm:ss`, UTC.
fn date(said: &Fields, name: &str) -> Result<Wall, Fault> {
    let text = needed(said, name, 19)?;
    let at = text.split_once(' ').and_then(|(day, time)| calendar::read(&format!("{day}T{time}Z")));
    at.ok_or_else(|| (Code::Conversion, format!("{name} is {text:?}, and no yyyy-MM-dd HH:mm:ss")))
}

/// A campaign begins today at the earliest.
pub(super) fn begins_in_time(spec: &CampaignSpec, now: Wall) -> Result<(), Fault> {
    match spec.begins.0.div_euclid(DAY_MS) < now.0.div_euclid(DAY_MS) {
        true => fault(Code::Range, "strBeginTime is before today"),
        false => Ok(()),
    }
}

/// Minutes of the day; none if it is empty.
fn minute(said: &Fields, name: &str) -> Result<Option<u16>, Fault> {
    let Some(text) = said.text(name) else { return Ok(None) };
    let read = || {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
        (hours < 24 && minutes < 60 && text.len() == 5).then_some(hours * 60 + minutes)
    };
    read().map(Some).ok_or_else(|| (Code::HourMinute, format!("{name} is {text:?}, and no HH:mm")))
}

/// The three times of one kind of day.
fn times(said: &Fields, day: &str) -> Result<Vec<Hours>, Fault> {
    let mut times = Vec::new();
    for which in 1..=3 {
        let (begin, end) = (format!("{day}BeginTime{which}"), format!("{day}EndTime{which}"));
        match (minute(said, &begin)?, minute(said, &end)?) {
            (None, None) => {}
            (Some(from), Some(to)) if to > from => times.push(Hours { from, to }),
            // to the end of the day
            (Some(from), Some(0)) => times.push(Hours { from, to: 1_440 }),
            _ => return fault(Code::Combination, format!("{begin} and {end} are no stretch of a day")),
        }
    }
    Ok(times)
}

fn kind(said: &Fields) -> Result<CampaignKind, Fault> {
    let Some(kind) = number(said, "deviceType")? else { return fault(Code::Empty, "deviceType is missing") };
    let known = CampaignKind::ALL.into_iter().find(|known| super::show::kind(*known) == kind);
    known.ok_or_else(|| (Code::Range, "deviceType is 1, 2, 3, 5 or 6".to_owned()))
}

/// Numbers that are shown: a text, or in the second version a list.
fn shown(said: &Fields, raw: &Value, second: bool) -> Result<Vec<ShownNumber>, Fault> {
    let long = |number: &str| number.len() > CALLER_MAX;
    if !second {
        let number = needed(said, "callerNo", CALLER_MAX)?;
        return Ok(vec![ShownNumber { number, priority: 1 }]);
    }
    let list = raw.get("callerNo").and_then(Value::as_array);
    let Some(list) = list.filter(|list| !list.is_empty()) else {
        return fault(Code::Empty, "callerNo has no number");
    };
    let mut shown = Vec::with_capacity(list.len());
    for one in list {
        let one = Fields::body(one.to_string().as_bytes()).unwrap_or_default();
        let number = needed(&one, "accessCode", CALLER_MAX)?;
        if long(&number) {
            return fault(Code::TooLong, "accessCode is longer than 24");
        }
        let priority = one.number("priority").map_err(|fault| (Code::Conversion, fault.message()))?;
        shown.push(ShownNumber { number, priority: priority.unwrap_or(1) });
    }
    Ok(shown)
}

/// The queue of `skillParam`, and how many are called for each free agent, of a hundred.
fn queue(said: &Fields, known: &Known) -> Result<(CampaignGoal, u32), Fault> {
    let Some(param) = said.inner("skillParam") else { return fault(Code::Empty, "skillParam is missing") };
    let id = number(&param, "skillId")?;
    let name = param.text("skillName");
    let by_id = known.skills.iter().find(|(_, of)| Some(**of) == id).map(|(name, _)| name.clone());
    let by_name =
        || name.as_ref().and_then(|name| known.skills.keys().find(|of| of.as_str() == name).cloned());
    let found = if id.is_some() { by_id } else { by_name() };
    let Some(queue) = found else { return fault(Code::Parameter, "skillParam names no skill of the tenant") };
    let predict = param.inner("predictParam").and_then(|param| param.inner("expPredictParam"));
    let rate = match predict.as_ref().and_then(|param| param.text("outBoundRate")) {
        None => 100,
        Some(text) => match text.parse::<f64>() {
            // a share, as 1.2, or the same of a hundred
            Ok(rate) if (0.1..=5.0).contains(&rate) => (rate * 100.0).round() as u32,
            Ok(rate) if (10.0..=500.0).contains(&rate) => rate.round() as u32,
            _ => return fault(Code::Range, "outBoundRate is 0.1 to 5, or 10 to 500 of a hundred"),
        },
    };
    Ok((CampaignGoal::Queue(queue), rate))
}

/// The flow of `ivrParam`: the reference's entries are not public, so any of these may name it.
fn flow(said: &Fields, known: &Known) -> Result<CampaignGoal, Fault> {
    let Some(param) = said.inner("ivrParam") else { return fault(Code::Empty, "ivrParam is missing") };
    let names =
        ["flowId", "flowName", "ivrId", "ivrName", "ivrCode"].into_iter().filter_map(|name| param.text(name));
    let flow = names.filter_map(|name| known.flows.iter().find(|flow| flow.as_str() == name).cloned()).next();
    match flow {
        Some(flow) => Ok(CampaignGoal::Flow(flow)),
        None => fault(Code::Parameter, "ivrParam names no flow of the tenant: say flowId"),
    }
}

/// Where results are posted: as it is, or as base64 has it.
fn url(said: &Fields) -> Result<Option<String>, Fault> {
    let Some(text) = said.text("callBackUrl") else { return Ok(None) };
    if text.contains("://") {
        return Ok(Some(text));
    }
    let read = STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.map(Some).ok_or_else(|| (Code::Illegal, "callBackUrl is no URL".to_owned()))
}

/// A campaign.
pub(super) fn spec(said: &Fields, raw: &Value, second: bool, known: &Known) -> Result<CampaignSpec, Fault> {
    let name = needed(said, "name", 100)?;
    let description = said.text("description").unwrap_or_default();
    if description.chars().count() > 200 {
        return fault(Code::TooLong, "description is longer than 200");
    }
    if description.chars().any(|c| NOT_IN_TEXTS.contains(c)) {
        return fault(Code::Illegal, format!("description has one of {NOT_IN_TEXTS}"));
    }
    let (begins, ends) = (date(said, "strBeginTime")?, date(said, "strEndTime")?);
    if ends <= begins || ends <= known.now {
        return fault(Code::Combination, "strEndTime is not after strBeginTime and now");
    }
    let kind = kind(said)?;
    let ring = number(said, "maxAlertingTime")?;
    let Some(ring_s) = ring else { return fault(Code::Empty, "maxAlertingTime is missing") };
    let least = if kind == CampaignKind::Preview { 9 } else { 5 };
    let most = if second { 60 } else { 120 };
    if !(least..=most).contains(&ring_s) {
        return fault(Code::Range, format!("maxAlertingTime is {least} to {most}"));
    }
    let Some(schedule) = said.inner("scheduleParam") else {
        return fault(Code::Empty, "scheduleParam is missing");
    };
    let (workdays, holidays) = (times(&schedule, "workday")?, times(&schedule, "holiday")?);
    if workdays.is_empty() && holidays.is_empty() {
        return fault(Code::Empty, "scheduleParam has no time at which it may call");
    }
    let (goal, rate) = match kind.is_by_flow() {
        true => (flow(said, known)?, 100),
        false => queue(said, known)?,
    };
    let priority = number(said, "priority")?.unwrap_or(3);
    let priority = u8::try_from(priority).ok().filter(|priority| (1..=5).contains(priority));
    let Some(priority) = priority else { return fault(Code::Range, "priority is 1 to 5") };
    // the policy's own entries are not public; these are ours
    let retry = said.inner("retryPolicy").unwrap_or_default();
    let (attempts, minutes) = (number(&retry, "attempts")?, number(&retry, "intervalMinutes")?);
    Ok(CampaignSpec {
        name,
        description,
        kind,
        goal,
        begins,
        ends,
        workdays,
        holidays,
        shown: shown(said, raw, second)?,
        ring_s,
        priority,
        rate,
        lines: number(said, "maxCalls")?.unwrap_or(LINES),
        attempts: attempts.unwrap_or(1),
        every_s: minutes.unwrap_or(10).saturating_mul(60),
        url: url(said)?,
        said: raw.clone(),
    })
}

/// Numbers that are to be called.
pub(super) fn numbers(raw: &Value) -> Result<Vec<NewNumber>, Fault> {
    let Some(list) = raw.get("callDataList").and_then(Value::as_array).filter(|list| !list.is_empty()) else {
        return fault(Code::Empty, "callDataList has no number");
    };
    if list.len() > NUMBERS {
        return fault(Code::Count, format!("callDataList has more than {NUMBERS}"));
    }
    list.iter().map(one).collect()
}

fn one(raw: &Value) -> Result<NewNumber, Fault> {
    let said = Fields::body(raw.to_string().as_bytes()).map_err(|fault| (Code::Type, fault.message()))?;
    let called = needed(&said, "called", 32)?;
    let digits = called.strip_prefix('+').unwrap_or(&called);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*' || byte == b'#')
    {
        return fault(Code::Illegal, format!("called is {called:?}"));
    }
    let session = said.text("sessionId").unwrap_or_default();
    let entries = raw.as_object().into_iter().flatten();
    let rest = entries.filter(|(name, _)| !matches!(name.as_str(), "called" | "sessionId"));
    let data = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(NewNumber { called, session, data })
}
