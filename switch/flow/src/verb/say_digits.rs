//! `call:say_digits("4711", "en")`: reads keys one by one from prompt files. Returns as `play` does.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request, spoken};
use cordboard_model::id::TenantId;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "say_digits";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 3)?;
    let lang = spoken::language(NAME, args.get(1))?;
    let names = spoken::digits(NAME, lang, args.first().unwrap_or(&Arg::Nil))?;
    let barge_in = Options::new(NAME, args.get(2), &["barge_in"])?.flag("barge_in", true)?;
    Ok((Verb::Play { items: spoken::assets(tenant, names), barge_in }, Asked::Play))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;
    use cordboard_model::media::PlayItem;

    fn asked(args: &[Arg]) -> Result<String, String> {
        let (verb, _) = request(TenantId::DEFAULT, args).map_err(|e| e.0)?;
        let Verb::Play { items, .. } = verb else { panic!("not a play") };
        let name = |item: &PlayItem| match item {
            PlayItem::Asset(id) => id.name.to_string(),
            other => format!("{other:?}"),
        };
        Ok(items.iter().map(name).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn keys_are_read_as_they_are() {
        assert_eq!(asked(&[text("07*")]).unwrap(), "en.digits.0 en.digits.7 en.digits.star");
        assert_eq!(asked(&[Arg::Int(20), text("zh")]).unwrap(), "zh.2 zh.0");
        let options = table(&[("barge_in", Arg::Bool(false))], &[]);
        let quiet = request(TenantId::DEFAULT, &[text("1"), text("en"), options]);
        assert!(matches!(quiet, Ok((Verb::Play { barge_in: false, .. }, Asked::Play))));
        assert!(asked(&[text("x")]).unwrap_err().starts_with("say_digits: the digits must be 1 to 64 of"));
        assert!(asked(&[Arg::Int(-1)]).unwrap_err().ends_with("must be a string of them, not a number"));
        assert!(asked(&[]).is_err());
    }
}
