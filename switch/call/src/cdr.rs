//! The call detail record, made once from what the call wrote down.

use crate::call::{Call, End};
use cordboard_model::cdr::Cdr;

impl Call {
    /// The record. Legs whose end is not known yet get the call's.
    pub(crate) fn cdr(&self, end: End) -> Cdr {
        let mut legs: Vec<_> = self.legs().map(|leg| leg.record(end.at, end.cause)).collect();
        // a transfer by the caller has put another leg first
        legs.sort_by_key(|leg| (leg.started, leg.leg));
        let ended = legs.iter().map(|leg| leg.ended).fold(end.at, Ord::max);
        Cdr {
            call: self.id,
            from: self.incoming.from.clone(),
            to: self.incoming.to.clone(),
            started: self.started,
            answered: self.answered,
            bridged: self.bridged,
            ended,
            cause: end.cause,
            ended_by: end.by,
            agent: self.agent.clone(),
            flows: self.flows.clone(),
            queues: self.visits.clone(),
            legs,
            recordings: self.recordings.iter().map(|recording| recording.id).collect(),
            data: self.data.clone(),
            transfers: self.transfers.clone(),
            supervisions: self.supervisions.clone(),
            wrap_ups: self.wrap_ups.clone(),
            joined: self.joined,
            dialled: None,
            times: self.times,
        }
    }
}
