//! What agents ask for, and what their phones do apart from queues.

use crate::agent::{Agent, Asked, IdleSince, Intent, Leg};
use crate::api::{AcdOutput, Refused, RefusedReason};
use crate::engine::{AcdEngine, Timer};
use crate::reason::Seconds;
use crate::telephone::DEVICE_TAKEN;
use cordboard_model::cause::Cause;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::{AgentId, CallId, UserId};
use cordboard_model::service::{AgentOrder, REASON_MAX};
use cordboard_model::time::{Duration, Time, TimerReason, Wall};
use cordboard_model::view::AgentStatus;

/// The reason of those who are signed out because their device is gone.
pub(crate) const DEVICE_GONE: &str = "device_gone";

/// Whether a break or a sign-out has its reason from the switch, not from a person: a call was not taken, or the device
/// was gone.
fn is_imposed(reason: Option<&str>) -> bool {
    let causes = [Cause::NoAnswer, Cause::Unreachable, Cause::NotRegistered];
    reason.is_some_and(|word| word == DEVICE_GONE || causes.iter().any(|cause| cause.as_str() == word))
}

impl AcdEngine {
    /// What an agent, or somebody for him, asks for.
    pub(crate) fn order(
        &mut self,
        id: &AgentId,
        what: AgentOrder,
        by: Option<String>,
        now: Time,
    ) -> Result<(), Refused> {
        let asked = |intent, reason: Option<String>, limit| Asked { intent, reason, limit, by: by.clone() };
        match what {
            AgentOrder::SignIn => self.sign_in(id, by.clone(), now),
            AgentOrder::SignOut => self.intend(id, asked(Intent::SignedOut, None, None), now),
            AgentOrder::Ready => self.intend(id, asked(Intent::Ready, None, None), now),
            AgentOrder::NotReady { reason } => self.intend(id, asked(Intent::NotReady, reason, None), now),
            AgentOrder::Rest { reason, limit } => self.intend(id, asked(Intent::Rest, reason, limit), now),
            AgentOrder::Chats { most } => self.want_chats(id, most, now),
        }
    }

    fn sign_in(&mut self, id: &AgentId, by: Option<String>, now: Time) -> Result<(), Refused> {
        let agent = self.known(id)?;
        if agent.intent == Intent::SignedOut {
            self.is_free_for(id, &agent.device())?;
        }
        self.may_stay(id)?;
        self.change(id, |a| {
            a.gone = false;
            match (a.intent, &a.pending) {
                (Intent::SignedOut, _) => a.obey(Asked { by, ..Asked::own(Intent::NotReady) }),
                (_, Some(Asked { intent: Intent::SignedOut, .. })) => a.pending = None,
                _ => {}
            }
        });
        self.settle(id, "signed in", now);
        Ok(())
    }

    fn intend(&mut self, id: &AgentId, mut asked: Asked, now: Time) -> Result<(), Refused> {
        let agent = self.known(id)?;
        if agent.intent == Intent::SignedOut {
            if asked.intent == Intent::SignedOut {
                return Ok(());
            }
            return Err(Refused {
                reason: RefusedReason::SignedOut,
                why: format!("agent {id} is not signed in"),
            });
        }
        if asked.intent != Intent::SignedOut {
            self.may_stay(id)?;
        }
        asked.reason = asked.reason.map(|reason| reason.chars().take(REASON_MAX).collect());
        let is_talking = agent.is_talking();
        if asked.intent != Intent::Ready {
            self.stop_chat_offer(id);
        }
        if is_talking {
            self.change(id, |a| a.pending = (asked.intent != a.intent).then_some(asked));
            self.settle(id, "", now);
            return Ok(());
        }
        if asked.intent != Intent::Ready {
            self.stop_ringing(id);
        }
        let why = match &asked.by {
            Some(by) => format!("{by} asked for it"),
            None => "asked for it".to_owned(),
        };
        self.end_chat_wrap_ups(id);
        self.change(id, |a| a.wrap_up = None);
        if !self.leaves_after_chats(id, &asked) {
            self.change(id, |a| {
                a.pending = None;
                a.obey(asked);
            });
        }
        self.settle(id, &why, now);
        Ok(())
    }

    pub(crate) fn restore(
        &mut self,
        id: &AgentId,
        (status, reason, limit): (AgentStatus, Option<String>, Option<Duration>),
        since: Wall,
        now: Time,
    ) -> Result<(), Refused> {
        use AgentStatus::{Away, Hold, NotReady, Ready, Rest, Ringing, SignedOut, Talking, WrapUp};
        let signs_in_by_himself = self.known(id)?.config.auto_sign_in;
        if signs_in_by_himself && is_imposed(reason.as_deref()) {
            // What the switch imposed on him ends with it: he may have nothing to end it at himself.
            return Ok(());
        }
        let (intent, since) = match status {
            SignedOut => (Intent::SignedOut, since),
            Ready => (Intent::Ready, since),
            NotReady => (Intent::NotReady, since),
            Rest => (Intent::Rest, since),
            Ringing | Talking | Hold | WrapUp | Away => (Intent::Ready, self.wall.at(now)),
        };
        let taken = intent != Intent::SignedOut && {
            let device = self.known(id)?.device();
            self.holder(id, &device).is_some()
        };
        let (intent, reason) = match taken {
            true => (Intent::SignedOut, Some(DEVICE_TAKEN.to_owned())),
            false => (intent, reason),
        };
        self.stop_offers(id);
        let idle = IdleSince::restored(since, self.wall, now);
        let asked = Asked { reason, limit, ..Asked::own(intent) };
        let later = self.leaves_after_chats(id, &asked);
        self.change(id, |a| {
            a.wrap_up = None;
            if later {
                return;
            }
            // A call that began since the start is not ended by what was before it.
            match a.is_talking() {
                true => a.pending = Some(asked),
                false => a.obey(asked),
            }
        });
        let why = match status == intent.status() {
            true => "as before the restart".into(),
            false => format!("was {} before the restart", status.as_str()),
        };
        self.settle_since(id, &why, since, Some(idle), now);
        // Also where the status is the one he has already.
        self.change(id, |a| a.since = since);
        Ok(())
    }

    /// His call is on hold, or no longer.
    pub(crate) fn holds(&mut self, id: &AgentId, call: CallId, on: bool, now: Time) {
        let mut his = false;
        self.change(id, |a| {
            his = a.is_talking() && a.derive().1 == Some(call);
            a.held = if his { on } else { a.held };
        });
        if his {
            self.settle(id, if on { "the call is on hold" } else { "the call is no longer on hold" }, now);
        }
    }

    /// A break that begins is watched, by the limit of its own; one that is over is not.
    pub(crate) fn watch_rest(&mut self, id: &AgentId, begins: bool, now: Time) {
        let Some(agent) = self.agents.get(id) else {
            return;
        };
        let timer = Timer::Rest(id.clone());
        let limit = agent.limit.or(agent.config.duty.rest_limit);
        match (agent.status, limit) {
            (AgentStatus::Rest, Some(limit)) if begins => {
                let begun = self.wall.at(now).0.saturating_sub(agent.since.0);
                let begun = Duration::from_millis(u64::try_from(begun).unwrap_or(0));
                let left = limit.saturating_sub(begun);
                self.deadlines.set(timer, now + left, TimerReason("acd: a long break"));
            }
            (AgentStatus::Rest, _) if !begins => {}
            _ => _ = self.deadlines.clear(&timer),
        }
    }

    pub(crate) fn overdue(&mut self, id: &AgentId) {
        if let Some(agent) = self.agents.get(id) {
            self.out.push_back(AcdOutput::Overdue { agent: id.clone(), since: agent.since });
        }
    }

    /// One who is signed in without a device is signed out when that lasts.
    pub(crate) fn watch_device(&mut self, id: &AgentId, now: Time) {
        let Some(agent) = self.agents.get(id) else {
            return;
        };
        let timer = Timer::Device(id.clone());
        match agent.config.duty.device_grace.filter(|_| agent.is_missed()) {
            Some(grace) if self.deadlines.get(&timer).is_none() => {
                self.deadlines.set(timer, now + grace, TimerReason("acd: no device"));
            }
            Some(_) => {}
            None => _ = self.deadlines.clear(&timer),
        }
    }

    pub(crate) fn missed_too_long(&mut self, id: &AgentId, now: Time) {
        let grace = self.agents.get(id).and_then(|agent| agent.config.duty.device_grace).unwrap_or_default();
        self.stop_offers(id);
        self.change(id, |a| {
            match (a.is_talking(), a.is_chatting()) {
                // It is remembered beside what he asked for, and taken back if the phone he talks with registers again.
                (true, _) => a.gone = true,
                (false, true) => {
                    a.gone = true;
                    a.obey(Asked { intent: Intent::NotReady, ..Asked::gone() });
                }
                (false, false) => {
                    a.wrap_up = None;
                    a.obey(Asked::gone());
                }
            }
        });
        self.settle(id, &format!("his device was gone for {}", Seconds(grace)), now);
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
            let free = self.holder(&id, &AgentDevice::Account(user.clone())).is_none();
            self.change(&id, |a| {
                a.contacts = count;
                if count > 0 {
                    a.gone = false;
                    if free {
                        a.signs_in_again();
                    }
                }
                forgiven = a.hold.take_if(|h| h.device).is_some();
            });
            if forgiven {
                self.deadlines.clear(&Timer::Hold(id.clone()));
            }
            self.settle(&id, if count > 0 { "his device is back" } else { "his device is gone" }, now);
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
        if call.is_some() && self.agents.get(id).is_some_and(|agent| !agent.config.duty.chats.during_call) {
            self.stop_chat_offer(id);
        }
        let mut why = "";
        self.change(id, |a| {
            a.outside = call;
            a.held &= call.is_some() || a.leg != Leg::None;
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
