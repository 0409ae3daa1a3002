//! What every route sees.

use crate::key::Brake;
use crate::switch::Switch;
use crate::visitor::Watching;
use std::sync::Arc;

/// What the control plane is given at the start.
#[derive(Clone, Debug, Default)]
pub struct ApiConfig {
    /// The key that the demo's page is given when it is read from this machine. None outside the demo.
    pub page_key: Option<String>,
}

/// What every route sees.
#[derive(Clone)]
pub struct State {
    /// The switch.
    pub switch: Arc<dyn Switch>,
    /// Failed keys by address.
    pub brake: Arc<Brake>,
    /// Who waits for news of chats.
    pub watching: Watching,
    /// What was configured.
    pub config: Arc<ApiConfig>,
}
