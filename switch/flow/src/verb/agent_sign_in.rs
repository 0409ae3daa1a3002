//! `local ok, why = call:agent_sign_in{agent = number, password = secret}`: an agent who has only a telephone signs in by its
//! keys. Gives `true`, or `nil` and why not: `wrong`, `locked`, `busy`, `expired`, `refused`, `elsewhere` or
//! `taken`.
//!
//! The password is what `collect_secret` gave, and nothing else: none stands in a flow. With `new` it is changed at once; with
//! `take_over` a session elsewhere is ended.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::config::Secret;
use cordboard_model::signin::{PhoneAct, PhoneEnd};
use cordboard_model::verb::{Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "agent_sign_in";
/// Longest number of an agent, bytes.
const NUMBER_MAX: usize = 64;

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let options = Options::new(NAME, args.first(), &["agent", "password", "new", "take_over"])?;
    let Some(agent) = options.text("agent")?.filter(|number| (1..=NUMBER_MAX).contains(&number.len())) else {
        return Err(options.wrong("option 'agent' is missing: his number"));
    };
    let secret = |name: &str| match options.raw(name) {
        None => Ok(None),
        Some(Arg::Secret(keys)) => Ok(Some(Secret(keys.clone()))),
        Some(other) => {
            let got = other.type_name();
            Err(options.wrong(format!("option '{name}' must be what collect_secret gave, not a {got}")))
        }
    };
    let Some(password) = secret("password")? else {
        return Err(options.wrong("option 'password' is missing: what collect_secret gave"));
    };
    let new = secret("new")?;
    let take_over = options.flag("take_over", false)?;
    let act = PhoneAct::SignIn { agent: agent.to_owned(), password, new, take_over };
    Ok((Verb::Phone(Box::new(act)), Asked::AgentSignIn))
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    Reply::Values(match answer {
        VerbAnswer::Phone(PhoneEnd::Ok) => vec![Plain::Bool(true)],
        VerbAnswer::Phone(PhoneEnd::Fault(word)) => vec![Plain::Nil, Plain::Text(word)],
        _ => vec![Plain::Nil, Plain::text("internal_error")],
    })
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn wrong(named: &[(&str, Arg)]) -> String {
        request(&[table(named, &[])]).unwrap_err().0
    }

    #[test]
    fn the_password_is_what_was_keyed_in_in_secret_and_is_shown_nowhere() {
        let named = [
            ("agent", text("1005")),
            ("password", Arg::Secret("482913".into())),
            ("take_over", Arg::Bool(true)),
        ];
        let (verb, asked) = request(&[table(&named, &[])]).unwrap();
        let password = Secret("482913".into());
        let act = PhoneAct::SignIn { agent: "1005".into(), password, new: None, take_over: true };
        assert_eq!((&verb, asked), (&Verb::Phone(Box::new(act)), Asked::AgentSignIn));
        let shown =
            format!("{verb:?} {} {}", crate::script::line(&verb), serde_json::to_string(&verb).unwrap());
        assert!(!shown.contains("482913"), "{shown}");
    }

    #[test]
    fn a_password_that_stands_in_a_flow_is_refused() {
        let keys = || Arg::Secret("1".into());
        assert_eq!(wrong(&[]), "agent_sign_in: option 'agent' is missing: his number");
        assert_eq!(
            wrong(&[("agent", text("1005"))]),
            "agent_sign_in: option 'password' is missing: what collect_secret gave"
        );
        assert_eq!(
            wrong(&[("agent", text("1005")), ("password", text("482913"))]),
            "agent_sign_in: option 'password' must be what collect_secret gave, not a string"
        );
        assert_eq!(
            wrong(&[("agent", text("1005")), ("password", keys()), ("new", Arg::Int(1))]),
            "agent_sign_in: option 'new' must be what collect_secret gave, not a number"
        );
        assert_eq!(
            wrong(&[("agent", keys()), ("password", keys())]),
            "agent_sign_in: option 'agent' must be a string, not a secret"
        );
    }

    #[test]
    fn the_answer_is_true_or_a_word() {
        assert_eq!(reply(VerbAnswer::Phone(PhoneEnd::Ok)), Reply::Values(vec![Plain::Bool(true)]));
        let fault = VerbAnswer::Phone(PhoneEnd::Fault("locked".into()));
        assert_eq!(reply(fault), Reply::Values(vec![Plain::Nil, Plain::text("locked")]));
    }
}
