//! The engine.

use crate::api::{AcdCommand, AcdInput, AcdOutput, Refused};
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::time::{Time, TimerReason, WallClock};
use cordboard_model::view::{AgentView, QueueView};
use std::collections::VecDeque;

/// Queues and agents of every tenant.
#[derive(Clone, Debug)]
pub struct AcdEngine {
    wall: WallClock,
    out: VecDeque<AcdOutput>,
}

impl AcdEngine {
    /// An engine without queues or agents.
    pub fn new(wall: WallClock) -> Self {
        Self {
            wall,
            out: VecDeque::new(),
        }
    }

    /// Takes a new relation between monotonic and wall clock.
    pub fn set_wall(&mut self, wall: WallClock) {
        self.wall = wall;
    }

    /// Carries out a command.
    pub fn handle_command(&mut self, _command: AcdCommand<'_>, _now: Time) -> Result<(), Refused> {
        Ok(())
    }

    /// Takes in what happened.
    pub fn handle_input(&mut self, _input: AcdInput, _now: Time) {}

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// The next output.
    pub fn poll_output(&mut self) -> Option<AcdOutput> {
        self.out.pop_front()
    }

    /// When the engine wants to be woken, and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        None
    }

    /// The queues of a tenant, by name.
    pub fn queues(&self, _tenant: TenantId) -> Vec<QueueView> {
        Vec::new()
    }

    /// The agents of a tenant, by work number.
    pub fn agents(&self, _tenant: TenantId) -> Vec<AgentView> {
        Vec::new()
    }

    /// One agent.
    pub fn agent(&self, _id: &AgentId) -> Option<AgentView> {
        None
    }

    /// Why an agent is what he is, since when, and what keeps calls from him.
    pub fn explain_agent(&self, _id: &AgentId) -> Option<String> {
        None
    }

    /// Whether no one waits and no agent rings, talks or wraps up.
    pub fn is_quiescent(&self) -> bool {
        true
    }
}
