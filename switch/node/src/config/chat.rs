//! Chats: how queues look after them.

use super::section::Section;
use super::value::{duration, duration_shown};
use cordboard_model::chat::ChatRules;
use cordboard_model::service::QueueKind;
use core::time::Duration;

const fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// How a queue of chats looks after them.
pub(super) fn rules(section: &Section<'_>, kind: QueueKind) -> ChatRules {
    let usual = ChatRules::default();
    let silence = section.opt("chat_silence", duration(secs(10)..=secs(86_400)));
    let warning = section.opt("chat_silence_warning", duration(secs(0)..=secs(3_600)));
    let answer = section.opt("chat_answer", duration(secs(0)..=secs(3_600)));
    let survey = section.opt("chat_survey", duration(secs(0)..=secs(86_400)));
    let given = [
        ("chat_silence", silence.as_ref().map(|at| at.pos)),
        ("chat_silence_warning", warning.as_ref().map(|at| at.pos)),
        ("chat_answer", answer.as_ref().map(|at| at.pos)),
        ("chat_survey", survey.as_ref().map(|at| at.pos)),
    ];
    for (key, pos) in given {
        if let (Some(pos), true) = (pos, kind != QueueKind::Multimedia) {
            section.conflict(key, pos, "expected only for kind \"multimedia\"");
        }
    }
    let silence = silence.map_or(usual.silence, |at| at.value);
    if let Some(at) = warning.as_ref().filter(|at| at.value >= silence) {
        let why = format!("expected less than chat_silence, {}", duration_shown(silence));
        section.conflict("chat_silence_warning", at.pos, why);
    }
    ChatRules {
        silence,
        warning: warning.map_or_else(|| usual.warning.min(silence / 2), |at| at.value),
        answer: answer.map_or(usual.answer, |at| Some(at.value).filter(|time| *time > Duration::ZERO)),
        survey: survey.map_or(usual.survey, |at| at.value),
    }
}
