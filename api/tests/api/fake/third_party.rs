//! Enterprises that say what their tokens say.

use super::Fake;
use cordboard_api::switch::Later;
use cordboard_api::third_party::beside::{Question, ThirdParties, Verdict};
use cordboard_model::id::TenantId;
use cordboard_model::third_party::ThirdPartyTerms;
use std::future::ready;

/// The token that its enterprise knows.
pub const GOOD: &str = "a-token-of-the-crm";
/// What the page of the tenant `default` calls it.
pub const SPACE: &str = "space-1";

impl ThirdParties for Fake {
    fn third_party(&self, space: &str) -> Option<(TenantId, ThirdPartyTerms)> {
        let terms = |space: &str| ThirdPartyTerms {
            url: "https://crm.example/validate".into(),
            space: space.into(),
            take_over: true,
        };
        (space == SPACE).then(|| (TenantId::DEFAULT, terms(space)))
    }

    fn is_vouched_for(&self, question: Question) -> Later<Verdict> {
        let said = match question.access_token.0.as_str() {
            GOOD => Verdict::Yes,
            "silent" => Verdict::Silent("no answer within 5s".into()),
            "garbage" => Verdict::Garbage("it answers 302".into()),
            _ => Verdict::No("the token has expired".into()),
        };
        Box::pin(ready(Ok(said)))
    }
}
