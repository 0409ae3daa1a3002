//! `call:say_number(42, "en")`: reads a number, 0 to 999,999,999,999, from prompt files. Also takes the
//! digits that `collect` gave. Returns as `play` does.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request, spoken};
use crate::say;
use cordboard_model::id::TenantId;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "say_number";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 3)?;
    let number = spoken::number(NAME, args.first().unwrap_or(&Arg::Nil))?;
    let lang = spoken::language(NAME, args.get(1))?;
    let barge_in = Options::new(NAME, args.get(2), &["barge_in"])?.flag("barge_in", true)?;
    let items = spoken::assets(tenant, say::number(lang, number));
    Ok((Verb::Play { items, barge_in }, Asked::Play))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;
    use cordboard_model::media::PlayItem;

    fn asked(args: &[Arg]) -> Result<Vec<String>, String> {
        let (verb, _) = request(TenantId::DEFAULT, args).map_err(|e| e.0)?;
        let Verb::Play { items, .. } = verb else { panic!("not a play") };
        Ok(items
            .iter()
            .map(|item| match item {
                PlayItem::Asset(id) => id.name.to_string(),
                other => format!("{other:?}"),
            })
            .collect())
    }

    #[test]
    fn a_number_and_its_digits_are_read_alike() {
        assert_eq!(asked(&[Arg::Int(42), text("en")]).unwrap(), ["en.digits.40", "en.digits.2"]);
        assert_eq!(asked(&[text("0042"), text("zh")]).unwrap(), ["zh.4", "zh.10", "zh.2"]);
        assert_eq!(asked(&[text("000")]).unwrap(), ["en.digits.0"]);
    }

    #[test]
    fn what_is_not_a_sayable_number_is_refused() {
        let want = |shown: &str| {
            Err(format!("say_number: the number must be a whole one from 0 to 999999999999, not {shown}"))
        };
        assert_eq!(asked(&[Arg::Int(-1)]), want("-1"));
        assert_eq!(asked(&[Arg::Int(1_000_000_000_000)]), want("1000000000000"));
        assert_eq!(asked(&[Arg::Number(1.5)]), want("1.5"));
        assert_eq!(asked(&[text("4a")]), want("\"4a\""));
        assert_eq!(asked(&[]), want("a nil"));
        assert_eq!(
            asked(&[Arg::Int(1), text("fr")]),
            Err("say_number: there is no language 'fr'; there are en, zh".into())
        );
    }
}
