//! What callers and agents of a queue hear, what of it is recorded, and how long a call of it may last; and what is recorded
//! of an agent or a trunk.

use super::destination::resolve;
use super::section::{At, Section, Wrong};
use super::tenant::Context;
use super::tree::{Node, Value};
use super::value::{duration, one_of, some_text, text, wrong};
use cordboard_model::audio::{
    AnswerAt, NumberAudio, NumberPart, NumberTo, QueueAudio, RecordRule, RecordWhen, TALK_MAX, WhenUnrecorded,
};
use cordboard_model::id::{AssetId, FlowId};
use core::time::Duration;

/// Where the agent's number stands in an announcement of a queue's own.
const NUMBER: &str = "{number}";

/// Whether it is said.
const NUMBERS: &[(&str, bool)] = &[("default", true), ("none", false)];
const NUMBER_TO: &[(&str, NumberTo)] = &[("caller", NumberTo::Caller), ("both", NumberTo::Both)];
const ANSWERS: &[(&str, AnswerAt)] = &[("entry", AnswerAt::Entry), ("agent", AnswerAt::Agent)];
const RECORDS: &[(&str, RecordWhen)] =
    &[("never", RecordWhen::Never), ("on_demand", RecordWhen::OnDemand), ("always", RecordWhen::Always)];
const FAILURES: &[(&str, WhenUnrecorded)] =
    &[("go_on", WhenUnrecorded::GoOn), ("refuse", WhenUnrecorded::Refuse)];

/// The word for nothing at all.
const NOTHING: &str = "none";

/// The prompt that is heard while waiting.
pub(super) fn music(context: &Context<'_>, section: &Section<'_>) -> Option<AssetId> {
    let at = section.opt("music", some_text).filter(|at| at.value != NOTHING)?;
    context.prompt(section, "music", &at)
}

/// A queue's.
pub(super) fn queue(context: &Context<'_>, section: &Section<'_>, language: &str) -> QueueAudio {
    let s = Duration::from_secs;
    let wait_flow = section.opt("wait_flow", some_text);
    let wait_flow = wait_flow.and_then(|at| resolve(section, "wait_flow", "flow", &at, &context.names.flows));
    let max_talk = section.or("max_talk", TALK_MAX, duration(s(1)..=TALK_MAX));
    let warning = section.opt("talk_warning", duration(s(0)..=s(600)));
    if let Some(at) = warning.as_ref().filter(|at| at.value >= max_talk) {
        section.conflict("talk_warning", at.pos, "expected less than max_talk");
    }
    let survey = section.opt("survey", some_text);
    let survey = survey.and_then(|at| resolve(section, "survey", "flow", &at, &context.names.flows));
    let silent = section.opt("music", some_text).is_some_and(|at| at.value == NOTHING);
    QueueAudio {
        silent,
        survey: survey.map(|name| FlowId { tenant: context.id, name }),
        wait_flow: wait_flow.map(|name| FlowId { tenant: context.id, name }),
        hold: context.asset(section, "hold_music"),
        number: number(context, section, language),
        number_to: section.or("agent_number_to", NumberTo::default(), one_of(NUMBER_TO)),
        answer: section.or("answer", AnswerAt::default(), one_of(ANSWERS)),
        record: record(context, section),
        max_talk,
        talk_warning: warning.map_or(Duration::ZERO, |at| at.value),
    }
}

/// A word, or a list of prompts in which the number has its place.
fn number(context: &Context<'_>, section: &Section<'_>, language: &str) -> NumberAudio {
    if !section.is_list("agent_number") {
        let asked = section.opt("agent_number", one_of(NUMBERS));
        return match asked {
            Some(At { value: false, .. }) => NumberAudio::None,
            Some(_) => NumberAudio::Default,
            // a tenant with prompts of its own, who has none for it, says nothing rather than warn at every call
            None if context.has_prompt(&format!("{language}.agent.number")) => NumberAudio::Default,
            None => NumberAudio::None,
        };
    }
    let listed = section.list("agent_number", some_text).map_or_else(Vec::new, |list| list.value);
    let part = |at: At<String>| match at.value.as_str() {
        NUMBER => Some(NumberPart::Number),
        _ => context.prompt(section, "agent_number", &at).map(NumberPart::Prompt),
    };
    NumberAudio::Own(listed.into_iter().filter_map(part).collect())
}

/// A queue's, an agent's or a trunk's; none where nothing is said.
pub(super) fn record(context: &Context<'_>, section: &Section<'_>) -> Option<RecordRule> {
    let when = section.opt("record", which);
    let announcement = context.asset(section, "record_announcement");
    let on_failure = section.opt("record_failure", one_of(FAILURES));
    if section.has("record").is_none() {
        for key in ["record_announcement", "record_failure"] {
            if let Some(pos) = section.has(key) {
                section.conflict(key, pos, "expected record beside it");
            }
        }
    }
    let on_failure = on_failure.map(|at| at.value).unwrap_or_default();
    when.map(|at| RecordRule { when: at.value, announcement, on_failure })
}

/// `true`, `false`, a word, or a share as `20%`.
fn which(node: &Node) -> Result<RecordWhen, Wrong> {
    let expected = "true, false, \"always\", \"on_demand\", \"never\" or a share from \"1%\" to \"100%\"";
    if let Value::Boolean(on) = node.value {
        return Ok(if on { RecordWhen::Always } else { RecordWhen::OnDemand });
    }
    let said = text(node).map_err(|_| wrong(node, expected))?;
    if let Some((_, when)) = RECORDS.iter().find(|(word, _)| *word == said) {
        return Ok(*when);
    }
    let share = said.strip_suffix('%').and_then(|share| share.parse::<u8>().ok());
    match share.filter(|share| (1..=100).contains(share)) {
        Some(share) => Ok(RecordWhen::Share(share)),
        None => Err(wrong(node, expected)),
    }
}
