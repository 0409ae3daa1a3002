//! `call:ring()`: tells the caller that it rings, without audio of ours. Does nothing if that was told, or if the call is
//! answered. Gives `true`.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Request};
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "ring";

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 0)?;
    Ok((Verb::Ring, Asked::Ring))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ringing_takes_no_arguments() {
        assert_eq!(request(&[]).unwrap().0, Verb::Ring);
        assert_eq!(request(&[Arg::Int(1)]).unwrap_err().0, "ring: takes no arguments");
    }
}
