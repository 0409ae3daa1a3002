//! `local visits = call:get("visits", "integer", 0)`: an entry of the call data as a `"string"`, `"number"`, `"integer"`,
//! `"boolean"` or `"table"`; what is given if there is none, or if it is of another kind (then also `"not_a_number"` and so on).
//!
//! A text that reads as a number or a boolean is one, for what others set may come as text. The reading is in the prelude.

use super::arg::{Arg, BadOption, at_most};
use super::data;

/// As written in a flow.
pub const NAME: &str = "get";

const KINDS: [&str; 5] = ["string", "number", "integer", "boolean", "table"];

/// Checks the arguments, and gives the kind.
pub fn kind(args: &[Arg]) -> Result<&'static str, BadOption> {
    at_most(NAME, args, 3)?;
    data::get(args.first().unwrap_or(&Arg::Nil))
        .map_err(|error| BadOption(error.0.replacen("data", NAME, 1)))?;
    let named = match args.get(1) {
        None | Some(Arg::Nil) => Some(KINDS[0]),
        Some(Arg::Text(name)) => KINDS.into_iter().find(|kind| kind == name),
        Some(_) => None,
    };
    named.ok_or_else(|| BadOption::new(NAME, format!("the kind is one of {}", KINDS.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn an_entry_is_read_as_one_of_five_kinds() {
        let asked = |args: &[Arg]| kind(args).map_err(|error| error.0);
        assert_eq!(asked(&[text("x")]), Ok("string"));
        assert_eq!(asked(&[text("x"), text("integer"), Arg::Int(0)]), Ok("integer"));
        assert_eq!(
            asked(&[text("x"), text("int")]),
            Err("get: the kind is one of string, number, integer, boolean, table".into())
        );
        assert_eq!(asked(&[]), Err("get: a key must be a string, not a nil".into()));
        assert_eq!(asked(&[text("")]), Err("get: a key cannot be empty".into()));
    }
}
