//! What this surface needs of the switch beside [`crate::switch::Switch`].

use cordboard_model::application::Application;
use cordboard_model::id::TenantId;

/// Applications that are configured.
pub trait Applications: Send + Sync + 'static {
    /// The one with this client id, with whose tenant's it is.
    fn application(&self, client_id: &str) -> Option<(TenantId, Application)>;
}
