//! What this surface needs of the switch beside [`crate::switch::Switch`].

use crate::switch::Later;
use cordboard_model::application::Application;
use cordboard_model::config::Secret;
use cordboard_model::id::TenantId;
use serde_json::{Map, Value};

/// Longest name that another system may have for an agent, characters.
const NAME_MAX: usize = 128;

/// What another system says of an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is this one's.
    Is(String),
    /// It is nobody's; why.
    No(&'static str),
    /// It says nothing, within its time; why.
    Silent(String),
    /// It says something else; what.
    Garbage(String),
}

/// What its answer says: `field` of the JSON object that came with 2xx, a text or a whole number. Whoever has an address there that
/// nobody has verified is nobody.
pub fn told(status: u16, body: &[u8], field: &str) -> Told {
    match status {
        200..=299 => {}
        400 | 401 | 403 => return Told::No("the other system does not know the subject token"),
        _ => return Told::Garbage(format!("it answers {status}")),
    }
    let Ok(said) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return Told::Garbage("its answer is no JSON object".to_owned());
    };
    let name = match said.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        None | Some(Value::Null) => return Told::No("the other system does not say who the agent is"),
        Some(_) => return Told::Garbage(format!("its {field} is no text")),
    };
    let verified = match said.get("email_verified") {
        None => true,
        Some(Value::Bool(verified)) => *verified,
        Some(word) => word.as_str() == Some("true"),
    };
    match (1..=NAME_MAX).contains(&name.chars().count()) {
        true if field == "email" && !verified => {
            Told::No("the other system has not verified the agent's address")
        }
        true => Told::Is(name),
        false => Told::No("the other system does not say who the agent is"),
    }
}

/// Applications that are configured.
pub trait Applications: Send + Sync + 'static {
    /// The one with this client id, with whose tenant's it is.
    fn application(&self, client_id: &str) -> Option<(TenantId, Application)>;
    /// Asks the system at `url` whose access token this is, by the `field` of its answer.
    fn whose(&self, url: &str, field: &str, token: Secret) -> Later<Told>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_of_an_object_that_came_with_a_yes_says_who_it_is() {
        let of = |body: &str, field: &str| told(200, body.as_bytes(), field);
        let is = |name: &str| Told::Is(name.to_owned());
        assert_eq!(of(r#"{"sub":"7","email":"li@crm.example"}"#, "email"), is("li@crm.example"));
        assert_eq!(of(r#"{"sub":7}"#, "sub"), is("7"));
        assert_eq!(of(r#"{"email":"li","email_verified":true}"#, "email"), is("li"));
        assert_eq!(of(r#"{"email":"li","email_verified":"true"}"#, "email"), is("li"));
        assert_eq!(of(r#"{"sub":"li","email_verified":false}"#, "sub"), is("li"));
        for nobody in [
            "{}",
            r#"{"email":null}"#,
            r#"{"email":""}"#,
            r#"{"email":"li","email_verified":false}"#,
            r#"{"email":"li","email_verified":"false"}"#,
            r#"{"email":"li","email_verified":null}"#,
            &format!(r#"{{"email":"{}"}}"#, "x".repeat(NAME_MAX + 1)),
        ] {
            assert!(matches!(of(nobody, "email"), Told::No(_)), "{nobody}");
        }
        for garbage in
            ["", "li", "<html>", r#"["li"]"#, r#"{"email":["li"]}"#, r#"{"email":true}"#, r#"{"email":-1}"#]
        {
            assert!(matches!(of(garbage, "email"), Told::Garbage(_)), "{garbage}");
        }
    }

    #[test]
    fn nobody_is_believed_but_who_came_with_a_yes() {
        let of = |status| told(status, br#"{"sub":"li"}"#, "sub");
        for no in [400, 401, 403] {
            assert!(matches!(of(no), Told::No(_)), "{no}");
        }
        for other in [100, 199, 302, 404, 429, 500, 503] {
            assert_eq!(of(other), Told::Garbage(format!("it answers {other}")));
        }
    }
}
