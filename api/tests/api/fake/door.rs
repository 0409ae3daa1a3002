//! What the fake says of passwords and sessions.

use super::Fake;
use cordboard_api::switch::{AgentCaller, Refusal, SignIn, SignedIn};
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::signin::{PasswordFault, SessionView, SignInFault};
use cordboard_model::time::Wall;

/// The password of every agent.
pub const PASSWORD: &str = "correct7";
/// The token of agent 1001's session, and that of supervisor 1009's.
pub const TOKEN: &str = "cbs_agent";
pub const CHIEF: &str = "cbs_chief";
/// How those begin that the agent gateway is given.
pub const GATEWAY: &str = "cbs_gateway_";

/// Where every agent is signed in.
pub fn elsewhere() -> SessionView {
    SessionView {
        since: Wall(1_795_212_000_000),
        place: "desk 7".into(),
        address: "192.0.2.9".into(),
        phone: false,
    }
}

pub fn session(token: &str) -> Result<AgentCaller, Refusal> {
    let caller = |name: &str, supervisor| {
        let agent =
            AgentId::new(TenantId::DEFAULT, name).map_err(|error| Refusal::NotFound(error.to_string()))?;
        Ok(AgentCaller { agent, supervisor })
    };
    match token {
        TOKEN => caller("1001", false),
        CHIEF => caller("1009", true),
        token if token.starts_with(GATEWAY) => caller("1001", false),
        _ => Err(Refusal::NotFound("no such session".into())),
    }
}

impl Fake {
    /// Each password but the right one is the name of a fault.
    pub(super) fn door(order: &SignIn) -> Result<SignedIn, Refusal> {
        let fault = match order.password.as_ref().map(|password| password.0.as_str()) {
            None | Some(PASSWORD) if order.new.as_ref().is_some_and(|new| new.0 == "short") => {
                SignInFault::Password(PasswordFault::Short(8))
            }
            Some("elsewhere") if !order.session.as_ref().is_some_and(|session| session.take_over) => {
                SignInFault::Elsewhere(elsewhere())
            }
            Some("locked") => SignInFault::Locked(900),
            Some("soon") => SignInFault::TooSoon(4),
            Some("busy") => SignInFault::Busy,
            Some("aged-one") if order.new.is_none() => SignInFault::Expired,
            None | Some(PASSWORD | "elsewhere" | "aged-one") => {
                let token = order.session.as_ref().map(|_| Secret(TOKEN.into()));
                return Ok(SignedIn { token });
            }
            Some(_) => SignInFault::Wrong,
        };
        Err(Refusal::SignIn(fault))
    }
}
