//! What agents ask for, and what their phones do apart from queues.

use crate::agent::{Agent, IdleSince, Intent, Leg};
use crate::api::{Refused, RefusedReason};
use crate::engine::{AcdEngine, Timer};
use cordboard_model::id::{AgentId, CallId, UserId};
use cordboard_model::time::{Time, Wall};
use cordboard_model::view::AgentStatus;

impl AcdEngine {
    pub(crate) fn sign_in(&mut self, id: &AgentId, now: Time) -> Result<(), Refused> {
        self.known(id)?;
        self.change(id, |a| match (a.intent, a.pending) {
            (Intent::SignedOut, _) => a.intent = Intent::NotReady,
            (_, Some(Intent::SignedOut)) => a.pending = None,
            _ => {}
        });
        self.settle(id, "signed in", now);
        Ok(())
    }

    pub(crate) fn intend(&mut self, id: &AgentId, intent: Intent, now: Time) -> Result<(), Refused> {
        let agent = self.known(id)?;
        if agent.intent == Intent::SignedOut {
            if intent == Intent::SignedOut {
                return Ok(());
            }
            return Err(Refused {
                reason: RefusedReason::SignedOut,
                why: format!("agent {id} is not signed in"),
            });
        }
        if agent.is_talking() {
            self.change(id, |a| a.pending = (intent != a.intent).then_some(intent));
            return Ok(());
        }
        if intent != Intent::Ready {
            self.stop_ringing(id);
        }
        self.change(id, |a| {
            a.wrap_up = None;
            a.intent = intent;
        });
        self.settle(id, "asked for it", now);
        Ok(())
    }

    pub(crate) fn restore(
        &mut self,
        id: &AgentId,
        status: AgentStatus,
        since: Wall,
        now: Time,
    ) -> Result<(), Refused> {
        self.known(id)?;
        let (intent, since) = match status {
            AgentStatus::SignedOut => (Intent::SignedOut, since),
            AgentStatus::Ready => (Intent::Ready, since),
            AgentStatus::NotReady => (Intent::NotReady, since),
            AgentStatus::Rest => (Intent::Rest, since),
            AgentStatus::Ringing | AgentStatus::Talking | AgentStatus::WrapUp => {
                (Intent::Ready, self.wall.at(now))
            }
        };
        self.stop_ringing(id);
        let idle = IdleSince::restored(since, self.wall, now);
        self.change(id, |a| {
            a.wrap_up = None;
            // A call that began since the start is not ended by what was before it.
            match a.is_talking() {
                true => a.pending = Some(intent),
                false => a.intent = intent,
            }
        });
        let why = match status == intent.status() {
            true => "as before the restart".into(),
            false => format!("was {} before the restart", status.as_str()),
        };
        self.settle_since(id, &why, since, Some(idle));
        // Also where the status is the one he has already.
        self.change(id, |a| a.since = since);
        Ok(())
    }

    pub(crate) fn registered(&mut self, user: UserId, count: u32, now: Time) {
        let before = match count {
            0 => self.contacts.remove(&user),
            n => self.contacts.insert(user.clone(), n),
        };
        if before.unwrap_or(0) == count {
            return;
        }
        let agents = self.by_user.get(&user).cloned().unwrap_or_default();
        for id in agents {
            let mut forgiven = false;
            self.change(&id, |a| {
                a.contacts = count;
                forgiven = a.hold.take_if(|h| h.device).is_some();
            });
            if forgiven {
                self.deadlines.clear(&Timer::Hold(id.clone()));
            }
            self.settle(&id, "", now);
        }
    }

    pub(crate) fn outside(&mut self, id: &AgentId, call: Option<CallId>, now: Time) {
        let Some(agent) = self.agents.get(id) else {
            return;
        };
        match &agent.leg {
            Leg::Ringing(offer) | Leg::Talking(offer) if Some(offer.call) == call => return,
            Leg::Ringing(_) if call.is_some() => self.stop_ringing(id),
            _ => {}
        }
        let mut why = "";
        self.change(id, |a| {
            a.outside = call;
            why = a.after_talk();
        });
        self.settle(id, why, now);
    }

    pub(crate) fn known(&self, id: &AgentId) -> Result<&Agent, Refused> {
        let agent = self.agents.get(id).filter(|a| !a.removed);
        agent.ok_or_else(|| Refused {
            reason: RefusedReason::NoSuchAgent,
            why: format!("there is no agent {id}"),
        })
    }
}
