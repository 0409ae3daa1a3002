//! `local passed, card = call:run("verify", {tries = 3})`: runs another flow of the tenant on this call and comes back
//! with what it returns. `local names = require("names")`: takes in a text of the tenant's library folder, once per call.
//!
//! Both are made in the prelude: the engine gives the text, in the version the call began with, and the text runs in the
//! coroutine of the call, in an environment of its own.

use super::arg::{Arg, BadOption};
use cordboard_model::id::Name;

/// As written in a flow.
pub const NAME: &str = "run";

/// Reads the name of a text.
pub fn name(verb: &str, arg: &Arg) -> Result<String, BadOption> {
    match arg {
        Arg::Text(name) => match Name::new(name) {
            Ok(_) => Ok(name.clone()),
            Err(error) => Err(BadOption::new(verb, format!("{name:?} is not a name: {error}"))),
        },
        other => Err(BadOption::new(verb, format!("the name must be a string, not a {}", other.type_name()))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn a_text_is_asked_for_by_a_name_and_nothing_else() {
        assert_eq!(name("require", &text("audio.util")), Ok("audio.util".into()));
        let wrong = |arg| name("require", &arg).map_err(|error| error.0);
        assert_eq!(wrong(Arg::Int(1)), Err("require: the name must be a string, not a number".into()));
        assert!(wrong(text("../secret")).unwrap_err().starts_with("require: \"../secret\" is not a name"));
        assert!(wrong(text("")).is_err());
    }
}
