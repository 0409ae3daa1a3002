//! `local n = call:count("pin:" .. card, {most = 3, seconds = 3600})`: counts something for all calls of the tenant. Gives
//! what has been counted, or `nil` and `"limit"` if it would be more than `most`; then it was not counted.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::ask::{Ask, COUNTER_NAME_MAX, COUNTER_SECONDS_MAX};
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "count";
/// How long a counter is kept if not said, seconds.
const SECONDS: u32 = 3_600;
/// Most that is added at a time.
const ADD_MAX: i64 = 1_000_000_000;

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 2)?;
    let name = match args.first() {
        Some(Arg::Text(name)) if (1..=COUNTER_NAME_MAX).contains(&name.len()) => name.clone(),
        Some(Arg::Text(_)) => {
            return Err(BadOption::new(NAME, format!("the name has 1 to {COUNTER_NAME_MAX} bytes")));
        }
        other => {
            let got = other.unwrap_or(&Arg::Nil).type_name();
            return Err(BadOption::new(NAME, format!("the name must be a string, not a {got}")));
        }
    };
    let options = Options::new(NAME, args.get(1), &["add", "most", "seconds"])?;
    let add = options.int("add", -ADD_MAX..=ADD_MAX)?.unwrap_or(1);
    let most = options.int("most", 0..=ADD_MAX)?;
    let seconds = options.int("seconds", 1..=i64::from(COUNTER_SECONDS_MAX))?;
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(SECONDS);
    Ok((Verb::Ask(Ask::Count { name, add, most, seconds }), Asked::Count))
}

/// The answer.
pub fn reply(counted: Option<i64>) -> Reply {
    Reply::Values(match counted {
        Some(n) => vec![Plain::Int(n)],
        None => vec![Plain::Nil, Plain::text("limit")],
    })
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    #[test]
    fn one_is_added_and_kept_for_an_hour_unless_said() {
        let usual = Ask::Count { name: "x".into(), add: 1, most: None, seconds: 3_600 };
        assert_eq!(request(&[text("x")]).unwrap().0, Verb::Ask(usual));
        let options = table(&[("add", Arg::Int(0)), ("most", Arg::Int(3)), ("seconds", Arg::Int(60))], &[]);
        let said = Ask::Count { name: "x".into(), add: 0, most: Some(3), seconds: 60 };
        assert_eq!(request(&[text("x"), options]).unwrap().0, Verb::Ask(said));
    }

    #[test]
    fn wrong_names_and_options_are_refused() {
        let wrong = |args: &[Arg]| request(args).unwrap_err().0;
        assert_eq!(wrong(&[]), "count: the name must be a string, not a nil");
        assert_eq!(wrong(&[text(&"x".repeat(129))]), "count: the name has 1 to 128 bytes");
        assert_eq!(
            wrong(&[text("x"), table(&[("seconds", Arg::Int(0))], &[])]),
            "count: option 'seconds' must be a whole number from 1 to 2592000, not 0"
        );
        assert_eq!(
            wrong(&[text("x"), table(&[("max", Arg::Int(0))], &[])]),
            "count: unknown option 'max'; there are add, most, seconds"
        );
    }
}
