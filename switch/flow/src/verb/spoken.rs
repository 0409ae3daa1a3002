//! What can be read aloud from prompt files, by verbs of its own and as an item of `play`: `{number = 42}`,
//! `{digits = "4711"}`, `{date = "2026-11-21"}`, `{time = "09:05"}`, `{money = "12.50", currency = "EUR"}`, each with
//! `language = "en"` or `"zh"`.

use super::arg::{Arg, BadOption, Options};
use crate::say::date::{Clock, Date};
use crate::say::money::{CURRENCIES, Currency};
use crate::say::{self, Lang, NUMBER_MAX};
use cordboard_model::id::{AssetId, Name, TenantId};
use cordboard_model::media::PlayItem;

/// The kinds.
pub const KINDS: [&str; 5] = ["number", "digits", "date", "time", "money"];

/// Most digits that are read.
const DIGITS_MAX: usize = 64;

/// The language of this argument; English if there is none.
pub fn language(verb: &str, arg: Option<&Arg>) -> Result<Lang, BadOption> {
    match arg {
        None | Some(Arg::Nil) => Ok(Lang::En),
        Some(Arg::Text(text)) => Lang::new(text)
            .ok_or_else(|| BadOption::new(verb, format!("there is no language '{text}'; there are en, zh"))),
        Some(other) => {
            let text = format!("the language must be \"en\" or \"zh\", not a {}", other.type_name());
            Err(BadOption::new(verb, text))
        }
    }
}

/// Reads an item of one of the kinds.
pub fn item(verb: &'static str, tenant: TenantId, kind: &str, arg: &Arg) -> Result<Vec<PlayItem>, BadOption> {
    let known: &'static [&'static str] = match kind {
        "number" => &["number", "language"],
        "digits" => &["digits", "language"],
        "date" => &["date", "language", "weekday", "year"],
        "time" => &["time", "language"],
        _ => &["money", "currency", "language"],
    };
    let options = Options::new(verb, Some(arg), known)?;
    let lang = language(verb, options.raw("language"))?;
    let value = options.raw(kind).unwrap_or(&Arg::Nil);
    let names = match kind {
        "number" => say::number(lang, number(verb, value)?),
        "digits" => digits(verb, lang, value)?,
        "date" => date(verb, lang, value, &options)?,
        "time" => say::time(lang, clock(verb, value)?),
        _ => money(verb, lang, value, options.raw("currency").unwrap_or(&Arg::Nil))?,
    };
    Ok(assets(tenant, names))
}

/// Names as prompts of the tenant.
pub fn assets(tenant: TenantId, names: Vec<Name>) -> Vec<PlayItem> {
    names.into_iter().map(|name| PlayItem::Asset(AssetId { tenant, name })).collect()
}

/// A number, or the digits that `collect` gave.
pub fn number(verb: &str, arg: &Arg) -> Result<u64, BadOption> {
    let range = |shown: &dyn core::fmt::Display| {
        BadOption::new(verb, format!("the number must be a whole one from 0 to {NUMBER_MAX}, not {shown}"))
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

/// Keys, read one by one.
pub fn digits(verb: &str, lang: Lang, arg: &Arg) -> Result<Vec<Name>, BadOption> {
    let text = match arg {
        Arg::Text(text) => text.clone(),
        Arg::Int(n) if *n >= 0 => n.to_string(),
        other => {
            let text = format!("the digits must be a string of them, not a {}", other.type_name());
            return Err(BadOption::new(verb, text));
        }
    };
    let read = say::digits(lang, &text).filter(|names| (1..=DIGITS_MAX).contains(&names.len()));
    read.ok_or_else(|| {
        BadOption::new(verb, format!("the digits must be 1 to {DIGITS_MAX} of 0-9, *, # and +, not {text:?}"))
    })
}

/// A whole number of a table, as `call:now` gives one.
fn field(arg: &Arg, name: &str) -> Option<i64> {
    match arg {
        Arg::Table(table) => match table.named.get(name) {
            Some(Arg::Int(n)) => Some(*n),
            _ => None,
        },
        _ => None,
    }
}

/// A day; `options` say whether with its weekday (no) and its year (yes).
pub fn date(verb: &str, lang: Lang, arg: &Arg, options: &Options<'_>) -> Result<Vec<Name>, BadOption> {
    let read = match arg {
        Arg::Text(text) => Date::read(text),
        table => field(table, "year")
            .zip(field(table, "month"))
            .zip(field(table, "day"))
            .and_then(|((year, month), day)| Date::new(year, month, day)),
    };
    let Some(day) = read else {
        return Err(BadOption::new(
            verb,
            wrong("the date must be as \"2026-11-21\" or from call:now()", arg),
        ));
    };
    Ok(say::date(lang, day, options.flag("weekday", false)?, options.flag("year", true)?))
}

/// A time of day.
pub fn clock(verb: &str, arg: &Arg) -> Result<Clock, BadOption> {
    let read = match arg {
        Arg::Text(text) => Clock::read(text),
        table => field(table, "hour")
            .zip(field(table, "minute"))
            .and_then(|(hour, minute)| Clock::new(hour, minute)),
    };
    read.ok_or_else(|| BadOption::new(verb, wrong("the time must be as \"09:05\" or from call:now()", arg)))
}

/// An amount of a currency.
pub fn money(verb: &str, lang: Lang, arg: &Arg, code: &Arg) -> Result<Vec<Name>, BadOption> {
    let found = match code {
        Arg::Text(code) => Currency::new(code),
        _ => None,
    };
    let Some(currency) = found else {
        let known = CURRENCIES.map(|currency| currency.code).join(", ");
        return Err(BadOption::new(verb, wrong(&format!("the currency must be one of {known}"), code)));
    };
    let amount = match arg {
        Arg::Text(text) => currency.read(text),
        Arg::Int(n) => currency.read(&n.to_string()),
        // The shortest text that is this number: 12.1 is 12.1, and a sum that is a hair off is refused.
        Arg::Number(n) => currency.read(&n.to_string()),
        _ => None,
    };
    match amount {
        Some(amount) => Ok(say::money(lang, currency, amount)),
        None => Err(BadOption::new(
            verb,
            wrong(&format!("the amount must be one of {}, as \"12.50\"", currency.code), arg),
        )),
    }
}

fn wrong(wanted: &str, got: &Arg) -> String {
    match got {
        Arg::Text(text) => format!("{wanted}, not {text:?}"),
        Arg::Int(n) => format!("{wanted}, not {n}"),
        Arg::Number(n) => format!("{wanted}, not {n}"),
        other => format!("{wanted}, not a {}", other.type_name()),
    }
}
