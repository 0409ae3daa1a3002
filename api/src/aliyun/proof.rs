//! Who an agent is: by the token that the application has signed, or by what the agent's other system says of its access token.
//!
//! Invariants: a token goes to the one system that is configured for the application that showed it, and to no log; only that
//! system's yes is one. A signed token opens once; an access token is good for as long as the system says.

use super::beside::Told;
use super::jwt::{self, Rules};
use super::{ACCESS, JWT, Refused};
use crate::access::id;
use crate::state::State;
use cordboard_model::application::{Application, Proof};
use cordboard_model::config::Secret;
use std::net::IpAddr;
use std::time::Instant;

/// Longest access token of another system, bytes.
const TOKEN_MAX: usize = 8 << 10;

/// Which kind of token is shown (RFC 8693 3).
pub(super) fn kind(proof: &Proof) -> &'static str {
    match proof {
        Proof::Signed { .. } => JWT,
        Proof::Asked { .. } => ACCESS,
    }
}

/// Which field says who the agent is.
pub(super) fn field(proof: &Proof) -> &str {
    match proof {
        Proof::Signed { .. } => "user_name",
        Proof::Asked { field, .. } => field,
    }
}

/// Who the agent is, and the id of this exchange.
pub(super) async fn user(
    state: &State,
    from: IpAddr,
    application: &Application,
    token: &str,
) -> Result<(String, String), Refused> {
    let wrong = |why| {
        state.brake.failed(from, Instant::now());
        Refused::new("invalid_grant", why)
    };
    match &application.proof {
        Proof::Signed { key, longest } => {
            let now = state.switch.moment();
            let longest_ms = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
            let Application { client_id: audience, issuer, .. } = application;
            let rules = Rules { key, issuer, audience, longest_ms };
            let said = jwt::claims(token, &rules, now).map_err(|why| wrong(why.as_str()))?;
            state.shown.note(&*state.switch, application, &said, now).await?;
            Ok((said.user, said.id))
        }
        Proof::Asked { url, field } => {
            // what is no header's value is no token that anybody has given out (RFC 6750 2.1, and the marks that some have besides)
            if token.len() > TOKEN_MAX || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(wrong("the subject token is no access token"));
            }
            match state.switch.whose(url, field, Secret(token.to_owned())).await? {
                Told::Is(user) => Ok((user, id(&*state.switch)?.to_string())),
                Told::No(why) => Err(wrong(why)),
                Told::Silent(why) => Err(Refused::silent(&why)),
                Told::Garbage(why) => Err(Refused::garbage(&why)),
            }
        }
    }
}
