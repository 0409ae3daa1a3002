//! `local ok, why = call:agent_state("ready")`: the agent who has signed in on this call by `agent_sign_in` is ready, not ready
//! (`"not_ready"`), on a break (`"rest"`) or signed out (`"sign_out"`). `{reason = "lunch"}` says why. Gives `true`, or `nil` and
//! `no_session`: nobody has signed in here, or he has signed in elsewhere since.

use super::agent_sign_in;
use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Reply, Request};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::PhoneAct;
use cordboard_model::verb::{Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "agent_state";
const STATES: [&str; 4] = ["ready", "not_ready", "rest", "sign_out"];

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 2)?;
    let known = || STATES.map(|state| format!("{state:?}")).join(", ");
    let state = match args.first() {
        Some(Arg::Text(state)) => state.as_str(),
        other => {
            let got = other.unwrap_or(&Arg::Nil).type_name();
            return Err(BadOption::new(NAME, format!("the state is one of {}, not a {got}", known())));
        }
    };
    let options = Options::new(NAME, args.get(1), &["reason"])?;
    let reason = options.text("reason")?.map(str::to_owned);
    if reason.is_some() && !matches!(state, "not_ready" | "rest") {
        return Err(options.wrong("option 'reason' is for \"not_ready\" and \"rest\" alone"));
    }
    let order = match state {
        "ready" => AgentOrder::Ready,
        "not_ready" => AgentOrder::NotReady { reason },
        "rest" => AgentOrder::Rest { reason, limit: None },
        "sign_out" => AgentOrder::SignOut,
        other => return Err(BadOption::new(NAME, format!("the state is one of {}, not {other:?}", known()))),
    };
    Ok((Verb::Phone(Box::new(PhoneAct::Want(order))), Asked::AgentState))
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    agent_sign_in::reply(answer)
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(args: &[Arg]) -> Result<AgentOrder, String> {
        match request(args) {
            Ok((Verb::Phone(act), Asked::AgentState)) => match *act {
                PhoneAct::Want(order) => Ok(order),
                PhoneAct::SignIn { .. } => panic!(),
            },
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.0),
        }
    }

    #[test]
    fn each_state_is_asked_for_by_its_name() {
        assert_eq!(asked(&[text("ready")]), Ok(AgentOrder::Ready));
        assert_eq!(asked(&[text("sign_out")]), Ok(AgentOrder::SignOut));
        assert_eq!(asked(&[text("not_ready")]), Ok(AgentOrder::NotReady { reason: None }));
        let lunch = table(&[("reason", text("lunch"))], &[]);
        let rest = AgentOrder::Rest { reason: Some("lunch".into()), limit: None };
        assert_eq!(asked(&[text("rest"), lunch.clone()]), Ok(rest));
        let one = "agent_state: the state is one of \"ready\", \"not_ready\", \"rest\", \"sign_out\", not ";
        assert_eq!(asked(&[text("away")]), Err(format!("{one}\"away\"")));
        assert_eq!(asked(&[]), Err(format!("{one}a nil")));
        let error = "agent_state: option 'reason' is for \"not_ready\" and \"rest\" alone";
        assert_eq!(asked(&[text("ready"), lunch]), Err(error.to_owned()));
    }
}
