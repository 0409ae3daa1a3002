//! What the control plane asks of the event stream: from where on, and what of it.

use crate::key::Who;
use crate::params::Params;
use crate::problem::Problem;
use crate::switch::{Since, Subscription};
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::{AgentId, CallId, Name, QueueId, TenantId};
use cordboard_model::view::{AgentView, CallView, QueueView};
use serde::Deserialize;

/// Most names in one list of a filter.
pub const LIST_MAX: usize = 50;

/// What of the stream a reader wants. Empty lists are no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// What concerns one of these agents, or one of the queues or calls.
    pub agents: Vec<Name>,
    /// Of these queues.
    pub queues: Vec<Name>,
    /// Of these calls.
    pub calls: Vec<CallId>,
    /// And of these kinds alone.
    pub kinds: Vec<String>,
}

/// What is left of a snapshot: calls, queues, agents.
pub type Narrowed = (Vec<CallView>, Vec<QueueView>, Vec<AgentView>);

/// An event's kind, and whom it concerns.
#[derive(Clone, Copy, Debug)]
pub struct Concerned<'a> {
    /// Its `type`.
    pub kind: &'a str,
    /// The call that it is about.
    pub call: Option<CallId>,
    /// Agents.
    pub agents: &'a [Name],
    /// Queues.
    pub queues: &'a [Name],
}

impl EventFilter {
    /// Whether it is about the whole tenant.
    pub fn is_of_all(&self) -> bool {
        self.agents.is_empty() && self.queues.is_empty() && self.calls.is_empty()
    }

    /// Whether an event goes through.
    pub fn takes(&self, event: Concerned<'_>) -> bool {
        let one_of = |wanted: &[Name], there: &[Name]| wanted.iter().any(|name| there.contains(name));
        let concerns = self.is_of_all()
            || one_of(&self.agents, event.agents)
            || one_of(&self.queues, event.queues)
            || event.call.is_some_and(|call| self.calls.contains(&call));
        concerns && (self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.kind))
    }

    /// What of a snapshot the events that go through are about.
    pub fn narrow(&self, calls: &[CallView], queues: &[QueueView], agents: &[AgentView]) -> Narrowed {
        if self.is_of_all() {
            return (calls.to_vec(), queues.to_vec(), agents.to_vec());
        }
        let agents: Vec<AgentView> =
            agents.iter().filter(|view| self.agents.contains(&view.agent.name)).cloned().collect();
        let queues = queues.iter().filter(|view| self.queues.contains(&view.queue.name)).cloned().collect();
        let concerns = |view: &&CallView| {
            self.calls.contains(&view.call)
                || agents.iter().any(|agent| agent.call == Some(view.call))
                || view.agent.as_ref().is_some_and(|agent| self.agents.contains(&agent.name))
                || view.queue.as_ref().is_some_and(|queue| self.queues.contains(&queue.name))
        };
        let calls = calls.iter().filter(concerns).cloned().collect();
        (calls, queues, agents)
    }

    /// Reads `agent`, `queue`, `call` and `kind`, each a list with commas, for who asks: an agent who is no supervisor
    /// sees what concerns himself.
    ///
    /// # Errors
    /// A list is too long or holds what is no such name, or he wants to see another's.
    pub fn read(query: &Params, who: &Who) -> Result<Self, Problem> {
        let tenant = who.tenant();
        let wrong = |field: &'static str| move |why: String| Problem::field(field, why);
        let agent = |text: &str| AgentId::new(tenant, text).map(|id| id.name).map_err(|why| why.to_string());
        let queue = |text: &str| QueueId::new(tenant, text).map(|id| id.name).map_err(|why| why.to_string());
        // Another tenant's is as one that was never given: it has no events here.
        let call = |text: &str| text.parse::<CallId>().map_err(|why| why.to_string());
        let mut filter = EventFilter {
            agents: list(query.text("agent"), agent).map_err(wrong("agent"))?,
            queues: list(query.text("queue"), queue).map_err(wrong("queue"))?,
            calls: list(query.text("call"), call).map_err(wrong("call"))?,
            kinds: list(query.text("kind"), kind).map_err(wrong("kind"))?,
        };
        if let Who::Agent(caller) = who
            && !caller.supervisor
        {
            let own = filter.agents.iter().all(|name| *name == caller.agent.name);
            if !own || !filter.queues.is_empty() || !filter.calls.is_empty() {
                return Err(Problem::not_his());
            }
            filter.agents = vec![caller.agent.name.clone()];
        }
        Ok(filter)
    }
}

fn list<T>(text: Option<&str>, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let read: Vec<T> =
        text.split(',').take(LIST_MAX + 1).map(|one| read(one.trim())).collect::<Result<_, _>>()?;
    match read.len() <= LIST_MAX {
        true => Ok(read),
        false => Err(format!("at most {LIST_MAX} at once")),
    }
}

/// A kind of event, as its `type` has it.
///
/// # Errors
/// There is none of this name; says which there are.
pub fn kind(text: &str) -> Result<String, String> {
    // The entries of the kind are missing, which is another error than that there is no such kind.
    let tried = EventKind::deserialize(serde_json::json!({ "type": text }));
    match tried.map_err(|why| why.to_string()) {
        Err(why) if why.starts_with("unknown variant") => Err(why),
        _ => Ok(text.to_owned()),
    }
}

/// A reader that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follow {
    /// Whose stream.
    pub tenant: TenantId,
    /// Where he left off; none for a snapshot of now.
    pub since: Option<Since>,
    /// What he wants.
    pub filter: EventFilter,
}

/// The part of the switch that the event stream is asked of.
pub trait Events {
    /// Follows the stream.
    fn follow(&self, follow: Follow) -> Subscription;
}

/// Whether an event ends a session of this agent.
pub(crate) fn is_of_session(event: &Event, agent: &AgentId) -> bool {
    match &event.what {
        EventKind::SessionEnded { agent: whose, .. } => whose == agent,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_one_that_there_is() {
        assert_eq!(kind("call_started").as_deref(), Ok("call_started"));
        assert_eq!(kind("alarm").as_deref(), Ok("alarm"));
        let why = kind("call_startet").unwrap_err();
        assert!(why.contains("`call_started`"), "{why}");
    }

    #[test]
    fn a_list_has_an_end() {
        let read = |text: &str| list(Some(text), |one| Ok(one.to_owned()));
        assert_eq!(read("a, b").unwrap(), ["a", "b"]);
        assert_eq!(read(&vec!["a"; LIST_MAX].join(",")).unwrap().len(), LIST_MAX);
        assert!(read(&vec!["a"; LIST_MAX + 1].join(",")).is_err());
    }

    #[test]
    fn things_are_one_or_the_other_and_kinds_are_beside_them() {
        let name = |text: &str| Name::new(text).unwrap();
        let (agents, queues) = ([name("1001")], [name("sales")]);
        let event = Concerned { kind: "queue_offered", call: None, agents: &agents, queues: &queues };
        let takes = |agent: &str, queue: &str, kind: &str| {
            let some = |text: &str| if text.is_empty() { Vec::new() } else { vec![name(text)] };
            let kinds = if kind.is_empty() { Vec::new() } else { vec![kind.to_owned()] };
            EventFilter { agents: some(agent), queues: some(queue), calls: Vec::new(), kinds }.takes(event)
        };
        assert!(takes("", "", ""));
        assert!(takes("1001", "help", ""));
        assert!(takes("1002", "sales", ""));
        assert!(!takes("1002", "help", ""));
        assert!(takes("1001", "", "queue_offered"));
        assert!(!takes("1001", "", "queue_left"));
        assert!(!takes("", "", "queue_left"));
    }
}
