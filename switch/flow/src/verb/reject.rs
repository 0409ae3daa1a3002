//! `call:reject("busy")`: refuses a call that is not answered, so that nobody pays for it. Never returns; but gives `nil` and
//! `"protocol_error"` if the call is answered: then there is only `hang_up`.

use super::arg::{Arg, BadOption};
use super::{Asked, Request, hang_up};
use cordboard_model::cause::Cause;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "reject";

/// Reads the arguments, which are those of `hang_up`; "declined" if nothing is said.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    let named = |error: BadOption| BadOption(error.0.replacen(hang_up::NAME, NAME, 1));
    let cause = match (args.is_empty(), hang_up::request(args).map_err(named)?) {
        (false, (Verb::HangUp { cause }, _)) if cause != Cause::Normal => cause,
        _ => Cause::Declined,
    };
    Ok((Verb::Reject { cause }, Asked::Reject))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn a_refusal_says_why() {
        let asked = |args: &[Arg]| request(args).map(|(verb, _)| verb).map_err(|error| error.0);
        assert_eq!(asked(&[]), Ok(Verb::Reject { cause: Cause::Declined }));
        assert_eq!(asked(&[text("busy")]), Ok(Verb::Reject { cause: Cause::Busy }));
        assert!(asked(&[text("bored")]).unwrap_err().starts_with("reject: "));
        assert!(asked(&[Arg::Int(486)]).unwrap_err().starts_with("reject: "));
    }
}
