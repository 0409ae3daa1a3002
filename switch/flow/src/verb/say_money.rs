//! `call:say_money("12.50", "EUR", "en")`: reads an amount of money by the units of its currency from prompt files. Returns as
//! `play` does.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request, spoken};
use cordboard_model::id::TenantId;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "say_money";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 4)?;
    let lang = spoken::language(NAME, args.get(2))?;
    let (amount, code) = (args.first().unwrap_or(&Arg::Nil), args.get(1).unwrap_or(&Arg::Nil));
    let names = spoken::money(NAME, lang, amount, code)?;
    let barge_in = Options::new(NAME, args.get(3), &["barge_in"])?.flag("barge_in", true)?;
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
    fn an_amount_as_text_or_as_a_number() {
        let said = "en.digits.12 en.money.euros en.and en.digits.50 en.money.cents";
        assert_eq!(asked(&[text("12.50"), text("EUR")]).unwrap(), said);
        assert_eq!(asked(&[Arg::Number(12.5), text("EUR")]).unwrap(), said);
        assert_eq!(asked(&[Arg::Int(2), text("CNY"), text("zh")]).unwrap(), "zh.liang zh.money.yuan");
        assert_eq!(
            asked(&[Arg::Number(0.1 + 0.2), text("EUR")]).unwrap_err(),
            "say_money: the amount must be one of EUR, as \"12.50\", not 0.30000000000000004"
        );
        assert_eq!(
            asked(&[Arg::Int(1), text("eur")]).unwrap_err(),
            "say_money: the currency must be one of EUR, USD, GBP, CHF, CNY, HKD, JPY, KRW, KWD, not \"eur\""
        );
        assert!(asked(&[table(&[], &[]), text("EUR")]).unwrap_err().ends_with("not a table"));
    }
}
