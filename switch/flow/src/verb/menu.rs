//! `call:menu{prompt="menu", tries=3, ["1"]=function() ... end, ["2"]="support"}`: asks for one key and
//! does what stands beside it. A function is called and its results returned; anything else is returned
//! as it is. A key without an entry plays `invalid`, no key plays `no_input`, and the prompt comes again;
//! after `tries` it gives `nil` and `"invalid"` or `"timeout"`. With `speech` (`heard.rs`) a choice may be said instead: by its
//! digit, or by a phrase whose name is the key.
//!
//! It is made of `collect` and `play`; the loop is in the prelude, because it calls the flow's functions.

use super::arg::{Arg, BadOption, Options, Table};
use super::{collect, heard, items};
use crate::seen::{NONE, WRONG};
use cordboard_model::id::TenantId;

/// As written in a flow.
pub const NAME: &str = "menu";

const OPTIONS: &[&str] = &["prompt", "tries", "first", "invalid", "no_input", "speech"];
/// How often the prompt is played if not said.
const TRIES: i64 = 3;

/// Checks the options and gives the number of tries.
pub fn tries(tenant: TenantId, args: &[Arg]) -> Result<i64, BadOption> {
    let [Arg::Table(table)] = args else {
        return Err(BadOption::new(NAME, "takes one table"));
    };
    let is_key = |name: &str| name.len() == 1 && collect::KEYS.contains(name);
    let choices = table.named.keys().filter(|name| is_key(name)).count() + table.list.len();
    if choices == 0 {
        return Err(BadOption::new(NAME, "has no choices: write [\"1\"] = function() ... end"));
    }
    if table.list.len() > 9 {
        return Err(BadOption::new(NAME, "has a choice for a key above 9"));
    }
    let named =
        table.named.iter().filter(|(name, _)| !is_key(name)).map(|(n, a)| (n.clone(), a.clone())).collect();
    let rest = Arg::Table(Table { list: Vec::new(), named });
    let options = Options::new(NAME, Some(&rest), OPTIONS)?;
    let mut heard = Vec::new();
    for name in ["prompt", "invalid", "no_input"] {
        if let Some(arg) = options.raw(name) {
            items::read(NAME, tenant, arg, &mut heard)?;
        }
    }
    options.millis("first", 0.1, 120.0)?;
    heard::read(&options, NAME)?;
    Ok(options.int("tries", 1..=10)?.unwrap_or(TRIES))
}

/// What may become of a try: each key with a choice, another key, none.
pub fn branches(args: &[Arg]) -> Vec<String> {
    let mut branches = vec![WRONG.to_owned(), NONE.to_owned()];
    if let [Arg::Table(table)] = args {
        let is_key = |name: &&String| name.len() == 1 && collect::KEYS.contains(name.as_str());
        branches.extend(table.named.keys().filter(is_key).cloned());
        branches.extend((1..=table.list.len()).map(|key| key.to_string()));
    }
    branches
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(named: &[(&str, Arg)], list: &[Arg]) -> Result<i64, String> {
        tries(TenantId::DEFAULT, &[table(named, list)]).map_err(|e| e.0)
    }

    #[test]
    fn keys_are_choices_and_the_rest_are_options() {
        let f = Arg::Other("function");
        assert_eq!(asked(&[("1", f.clone()), ("#", f.clone()), ("prompt", text("menu"))], &[]), Ok(3));
        assert_eq!(asked(&[("tries", Arg::Int(1))], &[f]), Ok(1));
    }

    #[test]
    fn a_menu_without_choices_or_with_strangers_is_refused() {
        assert!(asked(&[("prompt", text("menu"))], &[]).unwrap_err().starts_with("menu: has no choices"));
        let with = [("1", text("x")), ("retries", Arg::Int(2))];
        assert_eq!(asked(&with, &[]), Err("menu: unknown option 'retries'; did you mean 'tries'?".into()));
        let with = [("1", text("x")), ("tries", Arg::Int(0))];
        assert_eq!(
            asked(&with, &[]),
            Err("menu: option 'tries' must be a whole number from 1 to 10, not 0".into())
        );
    }
}
