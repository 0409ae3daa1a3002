//! `call:hang_up()`, `call:hang_up("busy")`: ends the call and with it the flow. Never returns.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Request};
use cordboard_model::cause::Cause;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "hang_up";

/// The causes a flow can give; the others are the switch's to know.
const CAUSES: [Cause; 8] = [
    Cause::Normal,
    Cause::Busy,
    Cause::NoAnswer,
    Cause::Declined,
    Cause::NotFound,
    Cause::Forbidden,
    Cause::Congestion,
    Cause::FlowEnded,
];

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let cause = match args.first() {
        None | Some(Arg::Nil) => Cause::Normal,
        Some(Arg::Text(text)) => match CAUSES.into_iter().find(|cause| cause.as_str() == text) {
            Some(cause) => cause,
            None => {
                let all: Vec<&str> = CAUSES.iter().map(|cause| cause.as_str()).collect();
                return Err(BadOption::new(
                    NAME,
                    format!("there is no cause '{text}'; there are {}", all.join(", ")),
                ));
            }
        },
        Some(other) => {
            return Err(BadOption::new(
                NAME,
                format!("the cause must be a string, not a {}", other.type_name()),
            ));
        }
    };
    Ok((Verb::HangUp { cause }, Asked::HangUp))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn a_cause_is_one_of_a_few_words() {
        assert_eq!(request(&[]).unwrap().0, Verb::HangUp { cause: Cause::Normal });
        assert_eq!(request(&[text("busy")]).unwrap().0, Verb::HangUp { cause: Cause::Busy });
        assert_eq!(
            request(&[text("bussy")]).unwrap_err().0,
            "hang_up: there is no cause 'bussy'; there are normal, busy, no_answer, declined, not_found, forbidden, congestion, flow_ended"
        );
    }
}
