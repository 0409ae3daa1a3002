//! What has happened to an agent between two looks at his desk, in the reference's events (its table of events, and the
//! order that its developer guide gives).
//!
//! Invariant: pure; the same two looks and the same news give the same events. What says that he is busy comes before a
//! call's events, what says that he is free again after them.

use super::number;
use super::seen::{Seen, State, Talk};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::desk::SeatState;
use cordboard_model::id::{CallId, LegId, RecordingId};
use cordboard_model::time::Wall;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An event: its type and its content.
pub(crate) type Told = (&'static str, Value);

/// What the switch's own events say of the time between two looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Why legs ended.
    pub(crate) causes: BTreeMap<LegId, Cause>,
    /// Who ended calls, and why.
    pub(crate) ended: BTreeMap<CallId, (Party, Cause)>,
    /// Calls that he left by an order.
    pub(crate) ordered: Vec<CallId>,
    /// His break is longer than it may be.
    pub(crate) overdue: bool,
    /// Somebody else made him what he is.
    pub(crate) forced: bool,
    /// Something has happened to chats of his.
    pub(crate) texts: bool,
    /// Chats that he did not take in time.
    pub(crate) not_taken: Vec<CallId>,
    /// Recordings of his calls that have begun.
    pub(crate) recordings: Vec<(CallId, RecordingId, Wall)>,
}

impl News {
    /// Most of anything that is kept between two looks; the causes of what is beyond are told as the usual ones.
    pub(crate) const MOST: usize = 64;
}

/// What words are made of besides.
pub(crate) struct Words<'a> {
    /// His work number.
    pub(crate) me: &'a str,
    /// The number of a queue, and the name that people know it by.
    pub(crate) skill: &'a dyn Fn(&str) -> (u32, String),
    /// Now.
    pub(crate) date: Wall,
}

/// The events between two looks.
pub(crate) fn between(
    old: &Seen,
    new: &Seen,
    news: &News,
    kept: &mut BTreeMap<RecordingId, (CallId, Wall)>,
    words: &Words<'_>,
) -> Vec<Told> {
    let mut out = Vec::new();
    if new.state == State::Call && old.state != State::Call {
        out.push(("AgentState_Busy", Value::Null));
    }
    for (call, talk) in &new.talks {
        match old.talks.get(call) {
            Some(before) if before.leg == talk.leg => changed(&mut out, before, talk, words),
            Some(before) => {
                gone(&mut out, before, news);
                appeared(&mut out, talk, words);
            }
            None => appeared(&mut out, talk, words),
        }
    }
    begun(&mut out, new, news, kept);
    for (call, talk) in &old.talks {
        if !new.talks.contains_key(call) {
            gone(&mut out, talk, news);
        }
    }
    stopped(&mut out, new, kept, words.date);
    super::texts::between(&mut out, old, new, news, words);
    if new.state != State::Call && new.state != old.state {
        state(&mut out, &old.state, &new.state, news.forced);
    }
    if news.overdue && matches!(new.state, State::Rest(_)) {
        out.push(("AgentState_Rest_Timeout", Value::Null));
    }
    out
}

fn state(out: &mut Vec<Told>, old: &State, new: &State, forced: bool) {
    let same = core::mem::discriminant(old) == core::mem::discriminant(new);
    match old {
        State::Busy(_) if !same => out.push(("AgentState_CancelNotReady_Success", Value::Null)),
        State::Rest(_) if !same => out.push(("AgentState_CancelRest_Success", Value::Null)),
        State::Work(true) if !same => out.push(("AgentState_CancelWork_Success", Value::Null)),
        _ => {}
    }
    match new {
        State::Idle => out.push(("AgentState_Ready", Value::Null)),
        State::Busy(reason) => {
            let reason = if forced { "3" } else { reason };
            out.push(("AgentState_SetNotReady_Success", json!({ "reason": reason })));
        }
        State::Rest(reason) => out.push(("AgentState_SetRest_Success", json!({ "reason": reason }))),
        State::Work(own) => {
            if *own && *old != State::Call {
                out.push(("AgentState_SetWork_Success", Value::Null));
            }
            if !matches!(old, State::Work(_)) {
                out.push(("AgentState_Work", Value::Null));
            }
        }
        State::Out | State::Call => {}
    }
}

fn text(id: &str) -> Value {
    Value::String(id.to_owned())
}

fn talking(caller: &str, called: &str, id: &str, feature: u8) -> Told {
    let content = json!({
        "caller": caller,
        "called": called,
        "callid": id,
        "feature": feature.to_string(),
        "type": "main",
        "mediaAbility": "1",
    });
    ("AgentEvent_Talking", content)
}

/// What `AgentEvent_Ringing` and `AgentEvent_Auto_Answer` say.
pub(crate) fn ringing(talk: &Talk) -> Value {
    json!({
        "caller": talk.caller,
        "called": talk.called,
        "callid": talk.id,
        "type": "main",
        "feature": talk.feature.to_string(),
        "mediaAbility": "1",
        "transfer": if talk.sent_by.is_some() && !talk.helped { "yes" } else { "no" },
        "transfrom": talk.sent_by.clone().unwrap_or_default(),
    })
}

fn alerting(id: &str, number: &str, workno: Option<&String>) -> Told {
    let workno = workno.cloned().unwrap_or_default();
    let content = json!({ "callid": id, "otherPhone": number, "otherPhoneWorkno": workno, "type": "main" });
    ("AgentEvent_Customer_Alerting", content)
}

fn customer_release(id: &str, number: &str) -> Told {
    ("AgentEvent_Customer_Release", json!({ "callid": id, "number": number }))
}

/// A call is there that was not.
fn appeared(out: &mut Vec<Told>, talk: &Talk, words: &Words<'_>) {
    let rang =
        Talk { seat: SeatState::Ringing, parties: Vec::new(), help: None, watch: None, ..talk.clone() };
    out.push(("AgentOther_PhoneAlerting", Value::Null));
    if !talk.own && !talk.inspects {
        out.push(("AgentEvent_Ringing", ringing(talk)));
    }
    let before = Talk { held: false, aside: false, ..rang };
    let before = match talk.seat {
        // who rings is not asked for by him, and nothing of the call is his news yet
        SeatState::Ringing => Talk { parties: talk.parties.clone(), ..before },
        _ => before,
    };
    changed(out, &before, talk, words);
}

fn changed(out: &mut Vec<Told>, old: &Talk, new: &Talk, words: &Words<'_>) {
    if old.seat == SeatState::Ringing && new.seat != SeatState::Ringing {
        out.push(("AgentOther_PhoneOffhook", json!({ "type": "unknown" })));
    }
    if !new.inspects {
        match new.seat {
            SeatState::Talking => to_talking(out, old, new, words),
            SeatState::Consulting | SeatState::Sending => to_help(out, old, new, words),
            SeatState::Consulted if old.seat == SeatState::Ringing => {
                out.push(talking(&new.caller, &new.called, &new.id, 51));
            }
            SeatState::Dialling if new.own && !new.aside => alerts(out, old, new),
            _ => {}
        }
    }
    watched(out, old, new);
}

/// Those who are being called since the last look.
fn alerts(out: &mut Vec<Told>, old: &Talk, new: &Talk) {
    for other in &new.parties {
        if !old.parties.iter().any(|known| known.leg == other.leg) {
            out.push(alerting(&new.id, &other.number, other.agent.as_ref()));
        }
    }
}

fn to_talking(out: &mut Vec<Told>, old: &Talk, new: &Talk, words: &Words<'_>) {
    let id = &new.id;
    let again = || talking(&new.caller, &new.called, id, new.feature);
    let joined = new.answered() >= 2 && (old.answered() < 2 || old.seat != SeatState::Talking);
    match old.seat {
        SeatState::Talking if old.aside && !new.aside => {
            out.push(("AgentEvent_ReturnFromIvr", text(id)));
            out.push(again());
        }
        SeatState::Talking if !old.held && new.held => out.push(("AgentEvent_Hold", text(id))),
        SeatState::Talking if old.held && !new.held => out.push(again()),
        SeatState::Talking => others(out, old, new),
        SeatState::Consulting => {
            if let (Some(help), false) = (&old.help, joined) {
                let help_id = number::of_leg(help.leg);
                match help.answered {
                    true => {
                        out.push(("AgentEvent_Call_Release", text(&help_id)));
                        out.push(customer_release(&help_id, &help.number));
                    }
                    false => out.push(("AgentEvent_Consult_Fail", text(&help_id))),
                }
            }
            if !joined {
                out.push(again());
            }
        }
        SeatState::Sending => {
            out.push(("AgentEvent_Connect_Fail", text(id)));
            out.push(again());
        }
        _ if old.aside => {
            out.push(("AgentEvent_ReturnFromIvr", text(id)));
            out.push(again());
        }
        _ => {
            if new.own {
                alerts(out, old, new);
            }
            out.push(again());
            // with an announcement before the talk he has taken the call and does not talk yet
            let offered = matches!(old.seat, SeatState::Ringing | SeatState::Dialling) && !new.own;
            if let Some(queue) = new.queue.as_ref().filter(|_| offered) {
                out.push(incoming(new, (words.skill)(queue.name.as_str())));
            }
        }
    }
    if joined {
        let numbers: Vec<&str> =
            new.parties.iter().filter(|other| other.answered).map(|other| other.number.as_str()).collect();
        out.push(("AgentEvent_Conference", json!({ "callid": id, "partner": numbers.join(",") })));
        if let Some(help) = &old.help {
            out.push(customer_release(&number::of_leg(help.leg), &help.number));
        }
    }
}

/// Who else joins a talk, or leaves it.
fn others(out: &mut Vec<Told>, old: &Talk, new: &Talk) {
    for other in &new.parties {
        if !other.answered && !old.parties.iter().any(|known| known.leg == other.leg) {
            out.push(alerting(&number::of_leg(other.leg), &other.number, other.agent.as_ref()));
        }
    }
    for other in &old.parties {
        if new.parties.iter().any(|known| known.leg == other.leg) {
            continue;
        }
        match other.answered {
            true => out.push(customer_release(&new.id, &other.number)),
            false => out.push(("AgentEvent_Connect_Fail", text(&number::of_leg(other.leg)))),
        }
    }
}

fn to_help(out: &mut Vec<Told>, old: &Talk, new: &Talk, words: &Words<'_>) {
    if old.seat != new.seat && new.seat == SeatState::Consulting && !old.held {
        out.push(("AgentEvent_Hold", text(&new.id)));
    }
    let Some(help) = &new.help else { return };
    let id = match new.seat {
        SeatState::Consulting => number::of_leg(help.leg),
        _ => new.id.clone(),
    };
    let before = old.help.as_ref().filter(|known| known.leg == help.leg);
    if before.is_none() {
        out.push(alerting(&id, &help.number, help.agent.as_ref()));
    }
    if new.seat == SeatState::Consulting && help.answered && before.is_none_or(|known| !known.answered) {
        out.push(talking(words.me, &help.number, &id, 51));
    }
}

fn incoming(talk: &Talk, (number, name): (u32, String)) -> Told {
    let content = json!({
        "callId": talk.id,
        "skillName": name,
        "skillId": number.to_string(),
        "caller": talk.caller,
        "called": talk.called,
        "lastReleaseAgentId": "",
        "mediaType": "5",
        "releaseAndReQueueCount": "0",
        "releaseAndReQueueCallFlag": "0",
    });
    ("AgentEvent_Incoming_CallInfo", content)
}

fn watched(out: &mut Vec<Told>, old: &Talk, new: &Talk) {
    if old.watch == new.watch {
        return;
    }
    let (event, watch) = match (&old.watch, &new.watch) {
        (_, Some(watch)) => ("AgentOther_BeQcStart", watch),
        (Some(watch), None) => ("AgentOther_BeQcStop", watch),
        (None, None) => return,
    };
    out.push((event, inspection(watch.mode, &watch.by)));
}

fn inspection(mode: SupervisionMode, by: &str) -> Value {
    let kind = match mode {
        SupervisionMode::Listen => "8",
        SupervisionMode::BargeIn | SupervisionMode::Intercept => "9",
        SupervisionMode::Whisper => "20172",
    };
    json!({ "qcType": kind, "qcAgentId": by })
}

/// A call is not there any more.
fn gone(out: &mut Vec<Told>, talk: &Talk, news: &News) {
    let id = &talk.id;
    let ended = news.ended.get(&talk.call).copied();
    let cause = news.causes.get(&talk.leg).copied().or(ended.map(|(_, cause)| cause));
    let rings = talk.seat == SeatState::Ringing;
    if let Some(watch) = &talk.watch {
        out.push(("AgentOther_BeQcStop", inspection(watch.mode, &watch.by)));
    }
    match () {
        () if talk.inspects => {}
        () if talk.own && (rings || (talk.seat == SeatState::Dialling && !talk.aside)) => {
            let failed = match talk.feature {
                6 => "AgentEvent_Inside_Call_Fail",
                _ => "AgentEvent_Call_Out_Fail",
            };
            out.push((failed, text(id)));
        }
        () if rings && cause == Some(Cause::NoAnswer) => out.push(("AgentEvent_No_Answer", text(id))),
        () => {
            if talk.seat == SeatState::Sending {
                out.push(("AgentEvent_SuccTransResult", json!({ "callId": id, "result": "0" })));
            }
            out.push(("AgentEvent_Call_Release", text(id)));
            out.push(customer_release(id, &talk.party()));
        }
    }
    let his_side = if talk.own { Party::Caller } else { Party::Callee };
    let by_him = ended.is_some_and(|(by, _)| by == his_side) && !news.ordered.contains(&talk.call);
    out.push(("AgentOther_PhoneRelease", json!({ "phoneState": if by_him { "2" } else { "3" } })));
}

/// Recordings that have begun since.
fn begun(out: &mut Vec<Told>, new: &Seen, news: &News, kept: &mut BTreeMap<RecordingId, (CallId, Wall)>) {
    for (call, recording, at) in &news.recordings {
        let Some(talk) = new.talks.get(call) else { continue };
        let content = json!({
            "taskId": recording.number,
            "caller": talk.caller,
            "called": talk.called,
            "locationId": "0",
            "recordID": recording.to_string(),
            "fileName": format!("Y:/{recording}"),
            "callId": talk.id,
            "fileMediaType": "1",
        });
        out.push(("AgentMediaEvent_Record", content));
        if kept.len() < News::MOST {
            kept.insert(*recording, (*call, *at));
        }
    }
}

/// Those whose call he is in no longer: for him they are done.
fn stopped(out: &mut Vec<Told>, new: &Seen, kept: &mut BTreeMap<RecordingId, (CallId, Wall)>, date: Wall) {
    kept.retain(|recording, (call, begun)| {
        if new.talks.contains_key(call) {
            return true;
        }
        let content = json!({
            "beginTime": begun.0.to_string(),
            "endTime": date.0.max(begun.0).to_string(),
            "taskId": recording.number,
            "fileMediaType": "1",
        });
        out.push(("AgentMediaEvent_StopRecordDone", content));
        false
    });
}

#[cfg(test)]
mod tests;
