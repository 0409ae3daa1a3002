//! What the journal held at the start is taken back: devices, agents, and a BYE for every dialog that was cut.

use crate::io::{Restore, RestoredAgent};
use crate::shard::Shard;
use cordboard_acd::{AcdCommand, Refused};
use cordboard_model::id::{AgentId, QueueId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::{Duration, Time};
use cordboard_model::view::AgentStatus;
use cordboard_sip::engine::SipCommand;
use std::collections::BTreeSet;

impl Shard {
    pub(crate) fn restore(&mut self, restore: Restore) {
        let now = self.now;
        for (tenant, last) in restore.events {
            self.numbering.go_on(tenant, last);
        }
        let mut users: BTreeSet<UserId> = BTreeSet::new();
        for contact in restore.contacts {
            let (user, uri) = (contact.user.clone(), contact.uri.clone());
            let before = self.sip.contact_count(&user);
            self.sip.handle_command(SipCommand::RestoreContact(Box::new(contact)), now);
            // One that has expired or has no account any more is not taken back, and is news when it comes again.
            if self.sip.contact_count(&user) > before {
                self.known_contacts.insert((user.clone(), uri));
            }
            users.insert(user);
        }
        for user in users {
            self.tell_contacts(&user);
        }
        for (agent, device) in restore.devices {
            self.restore_device(agent, device);
        }
        let mut agents = restore.agents;
        // who had left a telephone has left it before another is there
        agents.sort_by_key(|agent| agent.status != AgentStatus::SignedOut);
        for RestoredAgent { agent, status, reason, limit, since } in agents {
            let restore = AcdCommand::RestoreAgent { agent, status, reason, limit, since };
            // An agent who is no longer configured is refused, and that is right.
            let _ = self.acd.handle_command(restore, now);
        }
        for (tenant, name, value, ends) in restore.counters {
            let left = ends.0.saturating_sub(self.wall.at(now).0);
            if let Ok(left @ 1..) = u64::try_from(left) {
                self.counters.restore((tenant, name), value, now + Duration::from_millis(left));
            }
        }
        for (agent, caller, at, ends) in restore.talks {
            if ends > self.wall.at(now) {
                self.talks.set(agent, caller, at);
            }
        }
        for (call, token, ends) in restore.asked {
            if ends > self.wall.at(now) {
                self.tokens.put(call.tenant, token, call);
            }
        }
        for bar in restore.bars {
            // one that has ended, or would cut a trunk off now, is not taken back
            let _ = self.sip.bar(bar, now);
        }
        for entry in restore.callbacks {
            self.callbacks.restore(entry);
        }
        self.restore_places(&restore.answered);
        self.restore_sign_ins(restore.sign_ins);
        self.restore_chats(restore.chats);
        for (tenant, table, key, cells) in restore.rows {
            self.rows.set((tenant, table), key, Some(cells));
        }
        for dialog in restore.dialogs {
            self.sip.handle_command(SipCommand::ByeFromRecord(Box::new(dialog)), now);
        }
    }

    /// An agent's wish, answered at once.
    ///
    /// # Errors
    /// There is no such agent, or his state does not allow it.
    pub fn agent_intent(&mut self, command: AcdCommand<'_>, now: Time) -> Result<(), Refused> {
        self.now = now.max(self.now);
        self.in_hand = None;
        let who = match &command {
            AcdCommand::Order { agent, .. } => Some(agent.clone()),
            _ => None,
        };
        let answer = self.acd.handle_command(command, now);
        self.settle();
        if let Some(agent) = who {
            self.note_wish(&agent);
        }
        answer
    }

    /// The journal learns what an agent who is in a call will be after it: a restart ends the call, and not his break.
    pub(crate) fn note_wish(&mut self, agent: &AgentId) {
        let of_a_call = self.acd.agent(agent).is_some_and(|view| view.status.is_of_a_call());
        if let Some(wish) = self.acd.wish(agent).filter(|_| of_a_call) {
            self.journal(None, JournalRecord::AgentWish { agent: agent.clone(), wish });
        }
    }

    /// Who waits in a queue and who would take them, with the reasons, in words.
    pub fn explain_queue(&self, queue: &QueueId) -> Option<String> {
        self.acd.explain_queue(queue, self.now)
    }

    /// Why an agent is what he is, in words.
    pub fn explain_agent(&self, agent: &AgentId) -> Option<String> {
        Some(self.acd.explain_agent(agent)? + &self.explain_line(agent) + &self.explain_locks(agent))
    }
}
