//! A case that is made up while it is played: each verb is shown, and answered by whoever looks.

use super::{Bench, Case, Play, StepSpec, end};
use crate::io::FlowOutput;
use cordboard_model::verb::Verb;

/// A call that is being played.
pub struct Live<'a> {
    play: Play<'a>,
    open: Option<(u64, Verb)>,
    /// Lines of the trace that were shown.
    shown: usize,
}

/// What comes next in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The flow asks for this, and waits.
    Verb(Verb),
    /// The flow is over: `ended`, or `failed` and why.
    Over(String),
}

impl<'a> Live<'a> {
    /// Begins a call; the steps and the end of `case` are not looked at. The texts are checked first.
    ///
    /// # Errors
    /// What is wrong with the texts, a line each.
    pub fn begin(bench: &Bench, case: &'a Case) -> Result<Self, String> {
        let mut play = Play::new(case);
        play.begin(bench)?;
        Ok(Self { play, open: None, shown: 0 })
    }

    /// What the flow waits for; the same until it has its answer.
    pub fn waits_for(&mut self) -> Next {
        if self.open.is_none() {
            match self.play.next() {
                Some(FlowOutput::Verb { ticket, verb, .. }) => self.open = Some((ticket, verb)),
                Some(over) => return Next::Over(end(&over)),
                None => return Next::Over("ended".to_owned()),
            }
        }
        self.open.as_ref().map_or(Next::Over("ended".to_owned()), |(_, verb)| Next::Verb(verb.clone()))
    }

    /// Answers the verb that is open as a test's step does; what the step expects is not looked at.
    pub fn answer(&mut self, step: &StepSpec) {
        if let Some((ticket, verb)) = self.open.take() {
            self.play.reply(step, ticket, &verb);
        }
    }

    /// What happened since the last time this was asked: verbs and log lines, with their moments.
    pub fn happened(&mut self) -> &[String] {
        let since = self.shown.min(self.play.trace.len());
        self.shown = self.play.trace.len();
        self.play.trace.get(since..).unwrap_or_default()
    }
}
