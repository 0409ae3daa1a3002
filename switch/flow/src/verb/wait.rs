//! `call:wait(1.5)`: lets time pass, in seconds, without audio. Gives `true`.

use super::arg::{Arg, BadOption, at_most, millis};
use super::{Asked, Request};
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "wait";

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 1)?;
    let ms = millis(NAME, "the time", args.first().unwrap_or(&Arg::Nil), 0.01, 3_600.0)?;
    Ok((Verb::Wait { ms }, Asked::Wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_in_seconds() {
        assert_eq!(request(&[Arg::Number(1.5)]).unwrap().0, Verb::Wait { ms: 1_500 });
        assert_eq!(request(&[]).unwrap_err().0, "wait: the time must be a number of seconds, not a nil");
        assert_eq!(
            request(&[Arg::Int(0)]).unwrap_err().0,
            "wait: the time must be 0.01 to 3600 seconds, not 0"
        );
    }
}
