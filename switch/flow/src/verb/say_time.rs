//! `call:say_time("09:05", "en")`: reads a time of day from prompt files. Also takes what `call:now()` gave. Returns as
//! `play` does.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request, spoken};
use crate::say;
use cordboard_model::id::TenantId;
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "say_time";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 3)?;
    let lang = spoken::language(NAME, args.get(1))?;
    let clock = spoken::clock(NAME, args.first().unwrap_or(&Arg::Nil))?;
    let barge_in = Options::new(NAME, args.get(2), &["barge_in"])?.flag("barge_in", true)?;
    Ok((Verb::Play { items: spoken::assets(tenant, say::time(lang, clock)), barge_in }, Asked::Play))
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
    fn a_time_as_text_or_as_now_gives_it() {
        let now = table(&[("hour", Arg::Int(9)), ("minute", Arg::Int(5)), ("time", text("09:05:00"))], &[]);
        assert_eq!(asked(&[now]).unwrap(), "en.digits.9 en.digits.oh en.digits.5 en.time.am");
        assert_eq!(
            asked(&[text("12:00"), text("zh")]).unwrap(),
            "zh.time.noon zh.10 zh.2 zh.time.hour zh.time.sharp"
        );
        assert_eq!(
            asked(&[text("25:00")]),
            Err("say_time: the time must be as \"09:05\" or from call:now(), not \"25:00\"".into())
        );
    }
}
