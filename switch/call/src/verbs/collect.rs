//! Collect: a prompt that the first key ends, then keys until a terminator, the wanted number or silence.
//!
//! Keys typed ahead count, and skip the prompt. Fewer keys than the minimum are no entry: the answer is empty.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::input::Ticket;
use crate::leg::Heard;
use cordboard_model::keys::{Judged, judge};
use cordboard_model::media::{MediaCommand, PlayItem, Repeat};
use cordboard_model::time::Duration;
use cordboard_model::verb::{CollectEnd, VerbAnswer};

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

    /// Takes one key; says how the entry ended, if it did.
    fn take(&mut self, key: char) -> Option<CollectEnd> {
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

    fn answer(&mut self, end: CollectEnd) -> VerbAnswer {
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
        rule: Collect,
    ) {
        self.open_ear(desk);
        let (first, leg) = (rule.first, self.caller.id);
        if rule.secret {
            desk.media(MediaCommand::Secret { leg, on: true });
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
