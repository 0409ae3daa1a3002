//! What a panic costs: the call in hand, and nothing else.

use crate::shard::Shard;
use cordboard_call::CallCommand;
use cordboard_flow::FlowCommand;
use cordboard_model::event::EventKind;
use cordboard_model::id::CallId;
use cordboard_model::time::Time;

impl Shard {
    /// To be called before work that is about no call, a question of the control plane for one: a panic in it must not
    /// cost the call that happened to come last.
    pub fn empty_hand(&mut self) {
        self.in_hand = None;
    }

    /// To be called after a call into this shard panicked and the panic was caught. Ends the call that was in hand,
    /// records it as an internal error, raises an alarm and carries on with what the others still had to say. Gives
    /// the call back for the log; none if the panic was about no call.
    pub fn after_panic(&mut self, now: Time) -> Option<CallId> {
        self.now = now.max(self.now);
        self.figures.panics += 1;
        let call = self.in_hand.take();
        if let Some(call) = call {
            self.routing.forget(call);
            self.flow_command(FlowCommand::Stop { call });
            self.calls.handle_command(CallCommand::Abort { call }, now);
            let text = format!(
                "a fault of ours ended call {call}; please report it with the log's lines before this"
            );
            self.event(call.tenant, EventKind::Alarm { code: "panic".into(), text });
        }
        self.settle();
        call
    }
}
