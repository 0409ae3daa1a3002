//! Why the napkin made an offer, in the words of the guide: what decided, term by term, counted anew.

use super::reference::Reference;
use cordboard_model::service::Strategy;
use cordboard_model::time::{Duration, Time};

impl Reference {
    /// Why this caller gets this agent now.
    pub(super) fn reason(&self, c: usize, a: usize, by: &str, now: Time) -> String {
        let (caller, agent) = (&self.callers[c], &self.agents[a]);
        let q = caller.queue;
        let queue = &self.queues[q];
        let others = self.callers.iter().enumerate();
        let others = others.filter(|(i, o)| *i != c && o.queue == q && o.takes_more(queue)).count();
        let mut why = format!("{by}caller: priority {}", caller.priority);
        let present = self.priority(caller, now);
        if let gained @ 1.. = present - u64::from(caller.priority) {
            why += &format!(" + {gained} by waiting = {present}");
        }
        why += &format!(", waited {}, before {others} others in {}", seconds(now, caller.since), queue.name);
        why += "; agent: ";
        if agent.second == Some(q) {
            why += "preference 2, ";
        }
        if !agent.chats.is_empty() {
            why += &format!("{} chats, ", agent.chats.len());
        }
        why += &self.strategy(a, q, now);
        why += &format!("idle {}", seconds(now, agent.idle));
        if queue.chat {
            why += &format!(", slot {} of {}", agent.chats.len() + 1, agent.slots.0);
        }
        if by.is_empty() {
            let free = self.agents.iter().filter(|agent| agent.free_for(q, queue.chat)).count();
            why += &format!(", before {} others free there", free - 1);
        }
        if queue.strategy == Strategy::RingAll {
            why += &format!("; {} ring already", caller.at.len());
        }
        why
    }

    fn strategy(&self, a: usize, q: usize, now: Time) -> String {
        let term = self.term(a, q, now);
        match self.queues[q].strategy {
            Strategy::LongestIdle => String::new(),
            Strategy::FewestCalls => format!("{term} calls taken, "),
            Strategy::HighestSkill | Strategy::RingAll => format!("skill {}, ", -term),
            Strategy::LeastOccupied => {
                let hundredths = term / 100;
                format!("occupied {}.{:02} %, ", hundredths / 100, hundredths % 100)
            }
            Strategy::RoundRobin if term == 0 => "not had a turn, ".to_owned(),
            Strategy::RoundRobin => format!("last turn {term}, "),
        }
    }
}

fn seconds(now: Time, since: Time) -> String {
    let d: Duration = now.since(since);
    format!("{}.{:03} s", d.as_secs(), d.subsec_millis())
}
