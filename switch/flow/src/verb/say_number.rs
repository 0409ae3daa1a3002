//! `call:say_number(42, "en")`: reads a number, 0 to 999,999,999,999, from prompt files. Also takes the
//! digits that `collect` gave. Returns as `play` does.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request};
use crate::say::{self, Lang, NUMBER_MAX};
use cordboard_model::id::{AssetId, TenantId};
use cordboard_model::media::PlayItem;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "say_number";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 3)?;
    let number = number(args.first().unwrap_or(&Arg::Nil))?;
    let lang = match args.get(1) {
        None | Some(Arg::Nil) => Lang::En,
        Some(Arg::Text(text)) => Lang::new(text).ok_or_else(|| {
            BadOption::new(NAME, format!("there is no language '{text}'; there are en, zh"))
        })?,
        Some(other) => {
            let text = format!("the language must be \"en\" or \"zh\", not a {}", other.type_name());
            return Err(BadOption::new(NAME, text));
        }
    };
    let barge_in = Options::new(NAME, args.get(2), &["barge_in"])?.flag("barge_in", true)?;
    let item = |name| PlayItem::Asset(AssetId { tenant, name });
    let items = say::number(lang, number).into_iter().map(item).collect();
    Ok((Verb::Play { items, barge_in }, Asked::Play))
}

fn number(arg: &Arg) -> Result<u64, BadOption> {
    let range = |shown: &dyn core::fmt::Display| {
        BadOption::new(NAME, format!("the number must be a whole one from 0 to {NUMBER_MAX}, not {shown}"))
    };
    let number = match arg {
        Arg::Int(n) => u64::try_from(*n).map_err(|_| range(n))?,
        Arg::Text(text)
            if !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_digit()) =>
        {
            let digits = text.trim_start_matches('0');
            if digits.is_empty() { 0 } else { digits.parse().map_err(|_| range(text))? }
        }
        Arg::Text(text) => return Err(range(&format!("{text:?}"))),
        Arg::Number(n) => return Err(range(n)),
        other => return Err(range(&format!("a {}", other.type_name()))),
    };
    if number > NUMBER_MAX { Err(range(&number)) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::text;
    use super::*;

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
