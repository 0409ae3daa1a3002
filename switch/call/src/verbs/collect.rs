//! Collect: a prompt that the first key ends, then keys until a terminator, the wanted number or silence.
//!
//! Keys typed ahead count, and skip the prompt. Fewer keys than the minimum are no entry: the answer is empty. With a
//! recogniser the caller may speak instead, from the prompt's beginning on: what it understands before the first key is the
//! answer. Where it cannot be reached, or leaves without a word, keys are awaited alone.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::input::Ticket;
use crate::leg::{Heard, Port};
use crate::output::CallOutput;
use cordboard_model::event::EventKind;
use cordboard_model::id::StreamId;
use cordboard_model::keys::{Judged, judge};
use cordboard_model::media::{MediaCommand, PlayItem, Repeat};
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamOpening, StreamOutcome, StreamWay, Track};
use cordboard_model::time::Duration;
use cordboard_model::verb::{CollectEnd, Ear, VerbAnswer};

/// Most keys of one entry.
const KEYS_MAX: u8 = 64;

/// The rule of one entry and what was typed.
#[derive(Debug)]
pub(crate) struct Collect {
    min: usize,
    max: usize,
    terminators: String,
    first: Duration,
    inter: Duration,
    typed: String,
    secret: bool,
    patterns: Vec<String>,
    strict: bool,
    /// Its recogniser's stream, until that or the entry ends.
    ear: Option<StreamId>,
}

impl Collect {
    pub(crate) fn new(min: u8, max: u8, terminators: String, first_ms: u32, inter_ms: u32) -> Self {
        let max = max.clamp(1, KEYS_MAX);
        Self {
            min: usize::from(min.min(max)),
            max: usize::from(max),
            terminators,
            first: Duration::from_millis(first_ms.into()),
            inter: Duration::from_millis(inter_ms.into()),
            typed: String::new(),
            secret: false,
            patterns: Vec::new(),
            strict: false,
            ear: None,
        }
    }

    /// Whether its keys are a secret.
    pub(crate) fn of_secret(self, secret: bool) -> Self {
        Self { secret, ..self }
    }

    /// What it may look like, and whether keys that are no entry end it as such.
    pub(crate) fn like(self, patterns: Vec<String>, strict: bool) -> Self {
        let strict = strict || !patterns.is_empty();
        Self { patterns, strict, ..self }
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whose stream is on.
    pub(crate) fn ear(&self) -> Option<StreamId> {
        self.ear
    }

    /// Takes one key; says how the entry ended, if it did.
    pub(crate) fn take(&mut self, key: char) -> Option<CollectEnd> {
        if self.terminators.contains(key) {
            return Some(CollectEnd::Terminator);
        }
        self.typed.push(key);
        let full = (self.typed.len() >= self.max).then_some(CollectEnd::Max);
        if self.patterns.is_empty() {
            return full;
        }
        match judge(&self.patterns, &self.typed) {
            Judged::Fits => Some(CollectEnd::Pattern),
            Judged::Never => Some(CollectEnd::Invalid),
            Judged::MayGoOn | Judged::Incomplete => full,
        }
    }

    /// Whether what was typed is an entry.
    fn counts(&self) -> bool {
        let fits = || matches!(judge(&self.patterns, &self.typed), Judged::Fits | Judged::MayGoOn);
        self.typed.len() >= self.min && (self.patterns.is_empty() || fits())
    }

    pub(crate) fn answer(&mut self, end: CollectEnd) -> VerbAnswer {
        let counts = self.counts();
        let mut digits = core::mem::take(&mut self.typed);
        let pressed = !digits.is_empty() || end == CollectEnd::Terminator;
        if !counts {
            digits.clear();
        }
        let end = if self.strict && !counts && pressed { CollectEnd::Invalid } else { end };
        VerbAnswer::Digits { digits, end }
    }
}

impl Call {
    pub(super) fn verb_collect(
        &mut self,
        desk: &mut Desk,
        ticket: Ticket,
        prompt: Vec<PlayItem>,
        mut rule: Collect,
        ear: Option<Box<Ear>>,
    ) {
        self.open_ear(desk);
        let first = rule.first;
        if rule.secret {
            self.begin_secret(desk);
        }
        if let Some(ear) = ear.filter(|_| !rule.secret && self.digits.is_empty()) {
            rule.ear = self.open_hearing(desk, *ear);
        }
        self.begin_step(ticket, StepKind::Collect(rule));
        if !self.digits.is_empty() {
            self.collect_keys(desk);
        } else if !self.play(desk, self.caller.id, Heard::Step, prompt, Repeat::Once) {
            desk.set(Timer::Step(self.id), first);
        }
    }

    /// The prompt is over: the first key has its time.
    pub(crate) fn prompt_done(&mut self, desk: &mut Desk) {
        if let Some(StepKind::Collect(rule)) = self.step_kind() {
            let first = rule.first;
            desk.set(Timer::Step(self.id), first);
        }
    }

    /// Moves keys from the buffer into the entry.
    pub(crate) fn collect_keys(&mut self, desk: &mut Desk) {
        self.stop_play(desk, self.caller.id);
        self.stop_hearing(desk);
        while let Some(key) = self.digits.pop_front() {
            let Some(StepKind::Collect(rule)) = self.step_kind() else {
                return;
            };
            let inter = rule.inter;
            match rule.take(key) {
                Some(end) => {
                    let answer = rule.answer(end);
                    return self.finish_step(desk, answer);
                }
                None => desk.set(Timer::Step(self.id), inter),
            }
        }
    }

    /// Gives the caller's audio to a recogniser, which is not heard.
    fn open_hearing(&mut self, desk: &mut Desk, ear: Ear) -> Option<StreamId> {
        if self.caller.port != Port::Open {
            return None;
        }
        let (stream, call, leg) = (desk.ids.stream(self.tenant()), self.id, self.caller.id);
        let parameters = self.told_programs(ear.parameters);
        let flow = self.flow.as_ref().map(|flow| flow.id.name.as_str()).unwrap_or_default();
        let (by, way) = (format!("flow {flow}"), StreamWay::Inbound);
        let opening = StreamOpening { stream, call, leg, way, url: ear.url, parameters };
        desk.out.push_back(CallOutput::Stream(StreamCommand::Open(Box::new(opening))));
        desk.media(MediaCommand::Listen { leg, stream, track: Track::Inbound });
        desk.event(self.tenant(), EventKind::StreamStarted { call, stream, way, by });
        Some(stream)
    }

    /// There is a key, so what is said counts no more.
    fn stop_hearing(&mut self, desk: &mut Desk) {
        let ear = match self.step_kind() {
            Some(StepKind::Collect(rule)) => rule.ear.take(),
            _ => None,
        };
        if let Some(stream) = ear {
            self.close_hearing(desk, stream);
        }
    }

    /// A recogniser is wanted no longer.
    pub(crate) fn close_hearing(&self, desk: &mut Desk, stream: StreamId) {
        desk.out.push_back(CallOutput::Stream(StreamCommand::Close { stream }));
        self.hears_no_more(desk, stream, StreamEnd::Stopped);
    }

    fn hears_no_more(&self, desk: &mut Desk, stream: StreamId, end: StreamEnd) {
        let (call, leg) = (self.id, self.caller.id);
        if self.caller.port == Port::Open {
            desk.media(MediaCommand::StopLive { leg, stream });
        }
        desk.event(self.tenant(), EventKind::StreamEnded { call, stream, end });
    }

    /// A recogniser has understood something, or left. False if it is none of the step under way.
    pub(crate) fn heard(&mut self, desk: &mut Desk, stream: StreamId, outcome: &StreamOutcome) -> bool {
        match self.step_kind() {
            Some(StepKind::Collect(rule)) if rule.ear == Some(stream) => rule.ear = None,
            _ => return false,
        }
        self.hears_no_more(desk, stream, outcome.end);
        if let Some(words) = outcome.result.clone() {
            self.stop_play(desk, self.caller.id);
            self.finish_step(desk, VerbAnswer::Said { words, confidence: outcome.confidence });
        }
        true
    }

    /// No key in time.
    pub(crate) fn collect_timeout(&mut self, desk: &mut Desk) {
        if let Some(StepKind::Collect(rule)) = self.step_kind() {
            let answer = rule.answer(CollectEnd::Timeout);
            self.finish_step(desk, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(min: u8, max: u8) -> Collect {
        Collect::new(min, max, "#".into(), 5_000, 3_000)
    }

    fn digits(digits: &str, end: CollectEnd) -> VerbAnswer {
        VerbAnswer::Digits { digits: digits.into(), end }
    }

    #[test]
    fn an_entry_ends_at_the_terminator_which_is_not_part_of_it() {
        let mut entry = rule(1, 4);
        assert_eq!(entry.take('4'), None);
        assert_eq!(entry.take('2'), None);
        assert_eq!(entry.take('#'), Some(CollectEnd::Terminator));
        assert_eq!(entry.answer(CollectEnd::Terminator), digits("42", CollectEnd::Terminator));
    }

    #[test]
    fn an_entry_ends_at_its_last_key() {
        let mut entry = rule(1, 2);
        assert_eq!(entry.take('1'), None);
        assert_eq!(entry.take('*'), Some(CollectEnd::Max));
        assert_eq!(entry.answer(CollectEnd::Max), digits("1*", CollectEnd::Max));
    }

    #[test]
    fn fewer_keys_than_the_minimum_are_no_entry() {
        let mut entry = rule(3, 4);
        entry.take('1');
        assert_eq!(entry.answer(CollectEnd::Timeout), digits("", CollectEnd::Timeout));
    }

    #[test]
    fn an_entry_by_patterns_ends_when_it_is_decided_and_is_refused_when_it_cannot_become_one() {
        let by =
            |patterns: &[&str]| rule(1, 64).like(patterns.iter().map(|p| (*p).to_owned()).collect(), true);
        let mut entry = by(&["1XXX", "0"]);
        assert_eq!([entry.take('1'), entry.take('2'), entry.take('3')], [None; 3]);
        assert_eq!(entry.take('4'), Some(CollectEnd::Pattern));
        assert_eq!(entry.answer(CollectEnd::Pattern), digits("1234", CollectEnd::Pattern));
        assert_eq!(entry.take('0'), Some(CollectEnd::Pattern));
        let mut wrong = by(&["1XXX"]);
        assert_eq!(wrong.take('2'), Some(CollectEnd::Invalid));
        assert_eq!(wrong.answer(CollectEnd::Invalid), digits("", CollectEnd::Invalid));
        let mut short = by(&["1", "1XXX"]);
        assert_eq!(short.take('1'), None, "more may come");
        assert_eq!(short.answer(CollectEnd::Timeout), digits("1", CollectEnd::Timeout));
        assert_eq!([short.take('1'), short.take('2')], [None; 2]);
        assert_eq!(short.answer(CollectEnd::Terminator), digits("", CollectEnd::Invalid));
        let mut open = by(&["0."]);
        assert_eq!(
            [open.take('0'), open.take('4'), open.take('#')],
            [None, None, Some(CollectEnd::Terminator)]
        );
        assert_eq!(open.answer(CollectEnd::Terminator), digits("04", CollectEnd::Terminator));
    }

    #[test]
    fn silence_is_no_wrong_entry_and_a_terminator_alone_is_one() {
        let mut entry = rule(1, 4).like(Vec::new(), true);
        assert_eq!(entry.answer(CollectEnd::Timeout), digits("", CollectEnd::Timeout));
        assert_eq!(entry.answer(CollectEnd::Terminator), digits("", CollectEnd::Invalid));
    }

    #[test]
    fn limits_out_of_range_are_drawn_in() {
        let mut entry = Collect::new(200, 0, String::new(), 0, 0);
        assert_eq!((entry.min, entry.max), (1, 1));
        assert_eq!(entry.take('1'), Some(CollectEnd::Max));
        assert_eq!(Collect::new(0, 255, String::new(), 0, 0).max, 64);
    }
}
