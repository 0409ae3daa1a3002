//! What third-party sign-in needs of the switch: which enterprise speaks for a tenant's agents, and what it says.

use crate::switch::Later;
use cordboard_model::config::Secret;
use cordboard_model::id::TenantId;
use cordboard_model::third_party::ThirdPartyTerms;
use serde::Deserialize;
use serde_json::{Value, json};

/// Most of an enterprise's own words that are passed on, characters.
const MESSAGE_MAX: usize = 200;

/// What an enterprise is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What its page has shown.
    pub access_token: Secret,
    /// What its page calls the tenant.
    pub space: String,
    /// Who its page says that the agent is.
    pub account: String,
}

impl Question {
    /// As it is posted.
    pub fn body(&self) -> String {
        let Self { access_token, space, account } = self;
        json!({ "access_token": access_token.0, "tenantSpaceId": space, "userAccount": account }).to_string()
    }
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The agent is who he says.
    Yes,
    /// He is not; with its own words.
    No(String),
    /// It says nothing, within its time; why.
    Silent(String),
    /// It says something else.
    Garbage(String),
}

/// What an enterprise's answer says. `retCode` is a number; a number in quotes is taken for it, as everywhere in that family of
/// interfaces. Whatever else it is, it is no yes.
pub fn verdict(status: u16, body: &[u8]) -> Verdict {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "retCode")]
        code: Value,
        #[serde(default)]
        message: Value,
    }
    if !(200..=299).contains(&status) {
        return Verdict::Garbage(format!("it answers {status}"));
    }
    // a list would be read as the fields in their order
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let Some(Answer { code, message }) = serde_json::from_slice(body).ok().filter(|_| is_object) else {
        return Verdict::Garbage("it answers something without a retCode".to_owned());
    };
    let number = match &code {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let words = || message.as_str().unwrap_or_default().chars().filter(|c| !c.is_control());
    match number {
        Some(0) => Verdict::Yes,
        Some(_) => Verdict::No(words().take(MESSAGE_MAX).collect()),
        None => Verdict::Garbage("its retCode is no number".to_owned()),
    }
}

/// The switch as third-party sign-in needs it beside [`crate::switch::Switch`].
pub trait ThirdParties: Send + Sync + 'static {
    /// The tenant that an enterprise's page calls this, with what is configured of the enterprise.
    fn third_party(&self, space: &str) -> Option<(TenantId, ThirdPartyTerms)>;
    /// Asks the enterprise.
    fn is_vouched_for(&self, question: Question) -> Later<Verdict>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_return_code_of_nothing_is_a_yes() {
        let yes = |text: &str| verdict(200, text.as_bytes()) == Verdict::Yes;
        assert!(yes(r#"{"retCode":0,"message":"validate success"}"#) && yes(r#"{"retCode":"0"}"#));
        assert_eq!(
            verdict(200, br#"{"retCode":7,"message":"expired\r\n"}"#),
            Verdict::No("expired".to_owned())
        );
        assert_eq!(verdict(200, br#"{"retCode":-1,"message":null}"#), Verdict::No(String::new()));
        for garbage in [
            "",
            "0",
            "yes",
            "<html>",
            "{}",
            "[0]",
            r#"{"retcode":0}"#,
            r#"{"retCode":null}"#,
            r#"{"retCode":false}"#,
            r#"{"retCode":""}"#,
            r#"{"retCode":0.5}"#,
            r#"{"retCode":[0]}"#,
            r#"{"retCode":0"#,
            r#"{"retCode":1,"retCode":0}"#,
        ] {
            assert!(matches!(verdict(200, garbage.as_bytes()), Verdict::Garbage(_)), "{garbage}");
        }
        for status in [199, 301, 302, 401, 500] {
            assert!(matches!(verdict(status, br#"{"retCode":0}"#), Verdict::Garbage(_)), "{status}");
        }
    }

    #[test]
    fn the_question_has_the_three_fields_as_the_page_said_them() {
        let (space, account) = ("12\"3".to_owned(), "li".to_owned());
        let question = Question { access_token: Secret("t".into()), space, account };
        let body: Value = serde_json::from_str(&question.body()).unwrap();
        assert_eq!(body, json!({ "access_token": "t", "tenantSpaceId": "12\"3", "userAccount": "li" }));
        assert!(!format!("{question:?}").contains("\"t\""), "no log has the token");
    }
}
