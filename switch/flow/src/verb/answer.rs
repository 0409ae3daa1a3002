//! `call:answer()`: answers the call; does nothing if it is answered. Gives `true`.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Request};
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "answer";

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 0)?;
    Ok((Verb::Answer, Asked::Answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_takes_nothing() {
        assert_eq!(request(&[]), Ok((Verb::Answer, Asked::Answer)));
        assert_eq!(request(&[Arg::Int(1)]).unwrap_err().0, "answer: takes no arguments");
    }
}
