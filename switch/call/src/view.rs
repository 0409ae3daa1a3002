//! A call as readers see it.

use crate::call::Call;
use crate::leg::LegState;
use cordboard_model::view::CallView;

impl Call {
    pub(crate) fn view(&self) -> CallView {
        let there = self.legs().filter(|leg| leg.state != LegState::Gone);
        CallView {
            call: self.id,
            from: self.incoming.from.clone(),
            to: self.incoming.to.clone(),
            stage: self.stage(),
            started: self.started,
            answered: self.answered,
            bridged: self.bridged,
            queue: self.queue_now().cloned(),
            agent: self.agent_now().cloned(),
            legs: there.map(|leg| leg.view()).collect(),
            data: self.data.clone(),
            route: self.route.clone(),
            transfer: self.told.transfer.clone(),
            supervision: self.room.watch.as_ref().map(|watch| watch.record.clone()),
            speaker: self.room.speaker,
            plays: self.plays(),
            collect: self.collects(),
        }
    }
}
