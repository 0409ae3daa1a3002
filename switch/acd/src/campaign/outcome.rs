//! What came of a call of a campaign.

use cordboard_model::campaign::{CampaignGoal, CampaignSpec, Outcome};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{Cdr, LegRole};
use cordboard_model::desk::DeskFault;

/// Whether a number is not called again after this.
pub fn is_final(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Reached | Outcome::Vacant | Outcome::BadNumber)
}

/// What a cause before any answer says of who was called.
fn unanswered(cause: Cause) -> Outcome {
    match cause {
        Cause::Busy => Outcome::Busy,
        Cause::NoAnswer | Cause::Cancelled | Cause::Normal => Outcome::NoAnswer,
        Cause::Declined => Outcome::Declined,
        Cause::NotFound => Outcome::Vacant,
        Cause::Unreachable | Cause::NotRegistered => Outcome::Unreachable,
        Cause::NoRoute | Cause::Forbidden => Outcome::BadNumber,
        Cause::Congestion | Cause::QueueFull => Outcome::NoLine,
        Cause::Shutdown => Outcome::Unknown,
        _ => Outcome::Failed,
    }
}

/// What came of a call. Where agents come first, whoever was called is the called party of the record, else the calling one.
pub fn outcome_of(spec: &CampaignSpec, cdr: &Cdr) -> Outcome {
    if cdr.cause == Cause::LostByRestart && cdr.bridged.is_none() {
        return Outcome::Unknown;
    }
    if spec.kind.is_agent_first() {
        return if cdr.bridged.is_some() { Outcome::Reached } else { unanswered(cdr.cause) };
    }
    let called = cdr.legs.iter().find(|leg| leg.role == LegRole::Caller);
    let answered = called.is_some_and(|leg| leg.answered.is_some()) || cdr.answered.is_some();
    if !answered {
        return unanswered(cdr.cause);
    }
    match &spec.goal {
        CampaignGoal::Flow(_) if cdr.flows.is_empty() => Outcome::Failed,
        CampaignGoal::Flow(_) => Outcome::Reached,
        CampaignGoal::Queue(_) if cdr.bridged.is_some() => Outcome::Reached,
        CampaignGoal::Queue(_) => waited(cdr),
    }
}

/// He answered, and no agent talked to him.
fn waited(cdr: &Cdr) -> Outcome {
    match cdr.cause {
        Cause::QueueTimeout => Outcome::WaitTimeout,
        Cause::QueueFull | Cause::Congestion => Outcome::NoLine,
        Cause::Shutdown => Outcome::Unknown,
        Cause::Normal | Cause::Cancelled => Outcome::LeftWaiting,
        _ if cdr.queues.is_empty() => Outcome::NoAgent,
        _ => Outcome::Failed,
    }
}

/// What it is that the switch begins no call. None: it is no fault of the number's, and its turn comes again.
pub fn outcome_of_refusal(fault: DeskFault) -> Option<Outcome> {
    match fault {
        DeskFault::NotDialable => Some(Outcome::BadNumber),
        DeskFault::NoCalls => None,
        _ => Some(Outcome::Failed),
    }
}
