//! `local row, why = call:lookup("vip", call.from)`: looks a key up in a table of the tenant. Gives the row as a table, its
//! cells by the names of their columns; or `nil` and `"not_found"`.

use super::arg::{Arg, BadOption, at_most};
use super::{Asked, Plain, Reply, Request};
use cordboard_model::ask::Ask;
use cordboard_model::id::Name;
use cordboard_model::lookup::KEY_MAX;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "lookup";

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 2)?;
    let wrong = |what: &str, arg: Option<&Arg>| {
        let got = arg.unwrap_or(&Arg::Nil).type_name();
        BadOption::new(NAME, format!("the {what} must be a string, not a {got}"))
    };
    let table = match args.first() {
        Some(Arg::Text(name)) => Name::new(name)
            .map_err(|error| BadOption::new(NAME, format!("{name:?} is not a table's name: {error}")))?,
        other => return Err(wrong("table", other)),
    };
    let key = match args.get(1) {
        Some(Arg::Text(key)) => key.clone(),
        Some(Arg::Int(key)) => key.to_string(),
        other => return Err(wrong("key", other)),
    };
    if key.len() > KEY_MAX {
        return Err(BadOption::new(NAME, format!("the key has more than {KEY_MAX} bytes")));
    }
    Ok((Verb::Ask(Ask::Lookup { table, key }), Asked::Lookup))
}

/// The answer.
pub fn reply(row: Option<Vec<(String, String)>>) -> Reply {
    Reply::Values(match row {
        Some(cells) => {
            let cells = cells.into_iter().map(|(name, cell)| (name, Plain::Text(cell)));
            vec![Plain::Record(cells.collect())]
        }
        None => vec![Plain::Nil, Plain::text("not_found")],
    })
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

    #[test]
    fn a_key_is_a_string_or_a_whole_number_and_has_a_limit() {
        let asked = |args: &[Arg]| request(args).map(|(verb, _)| verb).map_err(|error| error.0);
        let table = Name::new("vip").unwrap();
        let lookup = Verb::Ask(Ask::Lookup { table, key: "7".into() });
        assert_eq!(asked(&[text("vip"), Arg::Int(7)]), Ok(lookup));
        assert_eq!(asked(&[text("vip")]), Err("lookup: the key must be a string, not a nil".into()));
        assert_eq!(
            asked(&[Arg::Int(1), text("x")]),
            Err("lookup: the table must be a string, not a number".into())
        );
        assert_eq!(
            asked(&[text("vip"), Arg::Secret("1".into())]),
            Err("lookup: the key must be a string, not a secret".into())
        );
        assert_eq!(
            asked(&[text("vip"), text(&"x".repeat(129))]),
            Err("lookup: the key has more than 128 bytes".into())
        );
        assert!(asked(&[text("a/b"), text("x")]).unwrap_err().contains("is not a table's name"));
    }
}
