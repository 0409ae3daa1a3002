//! Consulting a queue: an agent wants to speak to one of its agents before his party is sent there.
//!
//! Invariants: it is the call that waits in the queue, once. While the agent who consults is there, he hears the queue's
//! music and his party the music on hold; the agent whom the queue gives is the target of the transfer, as if he had been
//! rung by name. If he who consults leaves before, his party keeps the place and waits in it as a caller does. Whose call it
//! is changes only when the party is sent.

use crate::call::{Call, Doing, Serving};
use crate::desk::Desk;
use crate::leg::Heard;
use crate::opening::Opening;
use crate::output::QueueOutput;
use crate::queue::Wait;
use crate::transfer::Stage;
use cordboard_model::audio::NumberTo;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{TransferOutcome, TransferRecord};
use cordboard_model::id::{AgentId, LegId, QueueId};
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::verb::Destination;

/// A queue that is consulted.
#[derive(Debug)]
pub(crate) struct Asked {
    wait: Wait,
    /// What who consults hears.
    music: Vec<PlayItem>,
    /// The number of the agent whom the queue has given, as the party hears it; none while nobody has answered.
    given: Option<Vec<PlayItem>>,
}

impl Asked {
    /// Whether the queue has still to give somebody.
    pub(crate) fn waits(&self) -> bool {
        self.given.is_none()
    }
}

impl Call {
    /// Whether an agent waits for whom a queue gives him.
    pub(crate) fn asks_queue(&self) -> bool {
        matches!(&self.doing, Doing::Transfer(transfer) if transfer.asks_queue())
    }

    /// The wait for an agent of the queue begins. Where nobody is signed in, it ends at once.
    pub(crate) fn consult_queue(&mut self, desk: &mut Desk, queue: QueueId) {
        let Doing::Transfer(transfer) = &mut self.doing else { return };
        let mut wait = Wait::new(queue.clone(), None, self.priority).until(String::new(), true);
        wait.entered = true;
        transfer.asked = Some(Asked { wait, music: Vec::new(), given: None });
        transfer.stage = Stage::Ringing;
        let by = transfer.talk.peer;
        let by = self.leg(by).and_then(|leg| leg.agent.clone()).or_else(|| self.agent.clone());
        self.visit(desk, &queue, by.clone());
        let (call, priority) = (self.id, self.priority);
        let (timeout_ms, staffed, wish) = (None, true, None);
        desk.queue(QueueOutput::Enter { call, queue, timeout_ms, priority, staffed, wish, by });
    }

    /// The queue has taken the call: what who consults hears until somebody answers.
    pub(crate) fn consulting_music(&mut self, desk: &mut Desk, items: Vec<PlayItem>) {
        let Doing::Transfer(transfer) = &mut self.doing else { return };
        let Some(asked) = &mut transfer.asked else { return };
        asked.wait.taken = true;
        asked.music = items;
        self.refused_by.clear();
        self.resume_consulting(desk);
    }

    /// The queue's music goes on, after what was said once.
    pub(crate) fn resume_consulting(&mut self, desk: &mut Desk) {
        let Doing::Transfer(transfer) = &self.doing else { return };
        let Some(asked) = transfer.asked.as_ref().filter(|asked| asked.waits()) else { return };
        let (by, items) = (transfer.talk.peer, asked.music.clone());
        if !self.play(desk, by, Heard::Music, items, Repeat::Forever) {
            self.stop_play(desk, by);
        }
    }

    /// Who consults hears his place in the queue.
    pub(crate) fn consulting_position(&mut self, desk: &mut Desk, announcement: Vec<PlayItem>) {
        if let Doing::Transfer(transfer) = &self.doing {
            let by = transfer.talk.peer;
            self.play(desk, by, Heard::Announcement, announcement, Repeat::Once);
        }
    }

    /// An agent of the queue has answered.
    pub(crate) fn consulted(&mut self, desk: &mut Desk, leg: LegId, agent: AgentId, number: Vec<PlayItem>) {
        let Doing::Transfer(transfer) = &mut self.doing else { return };
        if let Some(asked) = &mut transfer.asked {
            asked.given = Some(number);
        }
        transfer.target = Some(leg);
        transfer.agent = Some(agent.clone());
        desk.queue(QueueOutput::OfferAnswered { call: self.id, agent: agent.clone() });
        self.leave(desk, Some(agent.clone()), "served");
        self.serving.push(Serving { leg, agent });
        self.transfer_answered(desk);
    }

    /// The wait ended without an agent: whoever stands in for the queue is consulted, or the two talk again. A flow is
    /// nobody to speak to.
    pub(crate) fn consulting_ended(
        &mut self,
        desk: &mut Desk,
        (outcome, cause): (&str, Cause),
        overflow: Option<Destination>,
    ) {
        let Doing::Transfer(transfer) = &mut self.doing else { return };
        let by = transfer.talk.peer;
        let Some(asked) = transfer.asked.take() else { return };
        self.cancel_offers(desk);
        self.leave(desk, None, outcome);
        self.stop_play(desk, by);
        if !asked.wait.taken {
            self.refused_by.push(asked.wait.queue);
        }
        let overflow = overflow.filter(|to| match to {
            Destination::Flow(_) => false,
            Destination::Queue(to) => !self.refused_by.contains(to),
            _ => true,
        });
        match overflow.filter(|_| self.hops < desk.limits.hops) {
            Some(to) => {
                self.hops += 1;
                if let Doing::Transfer(transfer) = &mut self.doing {
                    transfer.stage = Stage::Routing;
                }
                self.transfer_routed(desk, Ok(to));
            }
            None => self.transfer_failed(desk, cause),
        }
    }

    /// The queue had taken back the offer that he answered: for it the call waits still. Who is spoken to goes, and the queue
    /// hears that nobody waits.
    pub(crate) fn consulted_withdrawn(&mut self, desk: &mut Desk, leg: LegId) {
        self.not_waiting(desk, leg);
        self.transfer_failed(desk, Cause::Cancelled);
        self.hang_up_leg(desk, leg, Cause::Cancelled);
    }

    /// Nobody is to be consulted there any more.
    pub(crate) fn leave_consulted(&mut self, desk: &mut Desk) {
        self.let_offers_go(desk);
        desk.queue(QueueOutput::Abandoned { call: self.id });
        self.leave(desk, None, "ended");
    }

    /// Who consulted has left: his party has the place in the queue.
    pub(crate) fn party_waits(&mut self, desk: &mut Desk, asked: Asked) {
        let Some(transfer) = self.take_transfer() else { return };
        self.close_record(desk, TransferRecord { outcome: TransferOutcome::Done, ..transfer.record });
        self.let_go(desk);
        self.stop_flow(desk, false);
        self.is_of_queue(desk, asked.wait.queue.clone());
        self.music = asked.music;
        self.doing = Doing::Queue(asked.wait);
        self.hears_queue(desk);
    }

    /// The party is sent to the agent whom the queue has given: the call is that queue's from now on. Gives what both are to
    /// hear before they talk.
    pub(crate) fn given_by_queue(&mut self, desk: &mut Desk, asked: Asked) -> Opening {
        self.is_of_queue(desk, asked.wait.queue);
        let both = self.manner.as_ref().is_some_and(|manner| manner.number_to == NumberTo::Both);
        Opening::number(asked.given.unwrap_or_default(), both)
    }

    /// What is so in this queue counts for the call.
    fn is_of_queue(&mut self, desk: &mut Desk, queue: QueueId) {
        self.manner = Some(desk.manners.queue(&queue));
        self.queue = Some(queue);
        self.limit_length(desk);
    }
}
