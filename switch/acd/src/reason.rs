//! Why a caller got an agent: the terms of a decision, in the order in which they decide.

use crate::queue::Turn;
use cordboard_model::id::QueueId;
use cordboard_model::service::Strategy;
use cordboard_model::time::Duration;
use core::fmt;

/// How it came to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By<'a> {
    /// The caller was the first and the agent too.
    Order,
    /// The caller waited for this agent.
    Wish,
    /// Somebody ordered it.
    Placed(&'a str),
}

/// The caller's side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallerTerms {
    /// As he came.
    pub(crate) priority: u8,
    /// As it is now.
    pub(crate) now: u16,
    pub(crate) waited: Duration,
    pub(crate) others: usize,
}

/// The agent's side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AgentTerms {
    pub(crate) turn: Turn,
    pub(crate) idle: Duration,
    pub(crate) others: usize,
    /// So many ring for this caller already.
    pub(crate) ringing: usize,
    /// The slot that a chat takes, and how many he has.
    pub(crate) slot: Option<(u8, u8)>,
}

/// One decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reason<'a> {
    pub(crate) queue: &'a QueueId,
    pub(crate) strategy: Strategy,
    pub(crate) by: By<'a>,
    pub(crate) caller: CallerTerms,
    pub(crate) agent: AgentTerms,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            By::Order => {}
            By::Wish => f.write_str("the caller waited for this agent; ")?,
            By::Placed(who) => write!(f, "placed by {who}; ")?,
        }
        write!(f, "caller: {}, before {} others in {}", self.caller, self.caller.others, self.queue)?;
        write!(f, "; agent: {}", InOrder(&self.agent.turn, self.strategy, self.agent.idle))?;
        if let Some((slot, of)) = self.agent.slot {
            write!(f, ", slot {slot} of {of}")?;
        }
        if self.by == By::Order {
            write!(f, ", before {} others free there", self.agent.others)?;
        }
        if self.strategy == Strategy::RingAll {
            write!(f, "; {} ring already", self.agent.ringing)?;
        }
        Ok(())
    }
}

impl fmt::Display for CallerTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "priority {}", self.priority)?;
        let gained = self.now.saturating_sub(self.priority.into());
        match self.now {
            u16::MAX => f.write_str(", put first")?,
            now if gained > 0 => write!(f, " + {gained} by waiting = {now}")?,
            _ => {}
        }
        write!(f, ", waited {}", Seconds(self.waited))
    }
}

/// Where an agent stands among the free ones, term by term.
pub(crate) struct InOrder<'a>(pub(crate) &'a Turn, pub(crate) Strategy, pub(crate) Duration);

impl fmt::Display for InOrder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(turn, strategy, idle) = self;
        if turn.preference > 1 {
            write!(f, "preference {}, ", turn.preference)?;
        }
        if turn.load > 0 {
            write!(f, "{} chats, ", turn.load)?;
        }
        match strategy {
            Strategy::LongestIdle => {}
            Strategy::FewestCalls => write!(f, "{} calls taken, ", turn.term)?,
            Strategy::HighestSkill | Strategy::RingAll => {
                write!(f, "skill {}, ", turn.term.saturating_neg())?
            }
            Strategy::LeastOccupied => {
                write!(f, "occupied {}.{:02} %, ", turn.term / 10_000, turn.term / 100 % 100)?;
            }
            Strategy::RoundRobin if turn.term == 0 => f.write_str("not had a turn, ")?,
            Strategy::RoundRobin => write!(f, "last turn {}, ", turn.term)?,
        }
        write!(f, "idle {}", Seconds(*idle))
    }
}

/// Seconds with their thousandths.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.0.as_secs(), self.0.subsec_millis())
    }
}
