//! What every route sees, and the check that an id is the asking tenant's.

use crate::key::Brake;
use crate::problem::Problem;
use crate::switch::Switch;
use cordboard_model::id::TenantId;
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
    /// What was configured.
    pub config: Arc<ApiConfig>,
}

/// An id from the path that must be of the asking tenant. Others' ids do not exist for him.
pub(crate) fn own<T>(text: &str, tenant: TenantId, of: impl Fn(&T) -> TenantId) -> Result<T, Problem>
where
    T: core::str::FromStr,
{
    let id = text.parse::<T>().map_err(|_| Problem::not_found(format!("{text:?} is not an id")))?;
    if of(&id) == tenant { Ok(id) } else { Err(Problem::not_found(text.to_owned())) }
}
