//! `call:say_date("2026-11-21", "en", {weekday = true, year = false})`: reads a day from prompt files. Also takes what
//! `call:now()` gave. Returns as `play` does.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request, spoken};
use cordboard_model::id::TenantId;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "say_date";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 3)?;
    let lang = spoken::language(NAME, args.get(1))?;
    let options = Options::new(NAME, args.get(2), &["weekday", "year", "barge_in"])?;
    let names = spoken::date(NAME, lang, args.first().unwrap_or(&Arg::Nil), &options)?;
    let barge_in = options.flag("barge_in", true)?;
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
    fn a_day_as_text_or_as_now_gives_it() {
        let now =
            [("year", Arg::Int(2_026)), ("month", Arg::Int(1)), ("day", Arg::Int(1)), ("zone", text("UTC"))];
        let said = "en.months.1 en.ordinals.1 en.digits.20 en.digits.20 en.digits.6";
        assert_eq!(asked(&[text("2026-01-01")]).unwrap(), said);
        assert_eq!(asked(&[table(&now, &[])]).unwrap(), said);
        let short = table(&[("weekday", Arg::Bool(true)), ("year", Arg::Bool(false))], &[]);
        assert_eq!(
            asked(&[text("2026-01-01"), text("zh"), short]).unwrap(),
            "zh.1 zh.month zh.1 zh.day zh.weekdays.4"
        );
        assert_eq!(
            asked(&[text("tomorrow")]),
            Err("say_date: the date must be as \"2026-11-21\" or from call:now(), not \"tomorrow\"".into())
        );
        assert!(asked(&[table(&now[..2], &[])]).unwrap_err().ends_with("not a table"));
    }
}
