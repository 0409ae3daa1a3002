//! What an agent's bar asks of the switch beside his desk: a phone for its page, and the numbers that he may show.

use crate::switch::Later;
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, UserId};
use cordboard_model::telephone::TelephonesView;
use core::time::Duration;

/// A phone for a page: one more device of the agent's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePhone {
    /// The account that it registers.
    pub user: UserId,
    /// What stands behind the `@`, and the realm of its password.
    pub domain: String,
    /// What it says as the user name of digest.
    pub username: String,
    /// Its password. Shown once.
    pub password: Secret,
    /// For how long that is good.
    pub lasts: Duration,
}

/// The switch as the bar needs it beside [`crate::switch::Switch`].
pub trait PagePhones: Send + Sync + 'static {
    /// A phone for an agent's page.
    fn page_phone(&self, agent: AgentId) -> Later<PagePhone>;
    /// What another telephone of an agent's account needs, and which are registered.
    fn telephones(&self, agent: AgentId) -> Later<TelephonesView>;
    /// The numbers that an agent may have shown where he calls out.
    fn numbers_to_show(&self, agent: AgentId) -> Later<Vec<String>>;
}
