//! What a panic costs: the call in hand, and nothing else.

use crate::shard::Shard;
use cordboard_call::CallCommand;
use cordboard_flow::FlowCommand;
use cordboard_model::event::EventKind;
use cordboard_model::id::CallId;
use cordboard_model::time::Time;

impl Shard {
    /// To be called before work that is about no call, a question of the control plane for one: a panic in it must not
    /// cost the call that happened to come last. Brings the time up to `now` too, for on a quiet switch the last input
    /// is long ago, and what the question commands counts its deadlines from [`Shard::now`].
    pub fn empty_hand(&mut self, now: Time) {
        self.now = now.max(self.now);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ShardConfig;
    use cordboard_model::time::{Wall, WallClock};
    use cordboard_plugin_api::Registry;

    #[test]
    fn a_question_after_a_quiet_hour_is_asked_now() {
        let config = ShardConfig {
            shard: 0,
            start_secs: 1,
            seed: [1; 32],
            local: ([127, 0, 0, 1], 5060).into(),
            listeners: Vec::new(),
            advertised: None,
            advertised_other: None,
            media_other: None,
            dtls: None,
            authenticated: Vec::new(),
            ptime_ms: 20,
            rtcp_mux: false,
            video: None,
            comfort_noise: false,
            wall: WallClock { at_zero: Wall(0) },
            panic_key: None,
            trace: cordboard_model::trace::TraceLimits::default(),
        };
        let mut shard = Shard::new(config, Registry::new(Vec::new()).unwrap());
        let hour = Time::from_nanos(3_600_000_000_000);
        shard.empty_hand(hour);
        assert_eq!(shard.now(), hour);
        shard.empty_hand(Time::ZERO);
        assert_eq!(shard.now(), hour, "time does not run back");
    }
}
