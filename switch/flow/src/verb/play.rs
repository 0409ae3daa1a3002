//! `call:play("welcome")`, `call:play("a", "b")`, `call:play{"a", {silence=1}, barge_in=false}`: plays
//! prompts, tones and silence in order. Before an answer it is early media. Gives `true`, or the key
//! that cut it short.

use super::arg::{Arg, BadOption, Options, Table};
use super::{Asked, Plain, Reply, Request, items};
use cordboard_model::id::TenantId;
use cordboard_model::verb::{Verb, VerbAnswer};

/// As written in a flow.
pub const NAME: &str = "play";

/// Reads the arguments.
pub fn request(tenant: TenantId, args: &[Arg]) -> Result<Request, BadOption> {
    let mut list = Vec::new();
    let mut barge_in = true;
    match args {
        [Arg::Table(table)] if !items::is_item(table) => {
            let options = Table { list: Vec::new(), named: table.named.clone() };
            barge_in =
                Options::new(NAME, Some(&Arg::Table(options)), &["barge_in"])?.flag("barge_in", true)?;
            items::list(NAME, tenant, &table.list, &mut list)?;
        }
        args => items::list(NAME, tenant, args, &mut list)?,
    }
    if list.is_empty() {
        return Err(BadOption::new(NAME, "nothing to play was given"));
    }
    Ok((Verb::Play { items: list, barge_in }, Asked::Play))
}

/// Reads the answer.
pub fn reply(answer: VerbAnswer) -> Reply {
    Reply::Values(vec![match answer {
        VerbAnswer::Played { key: Some(key) } => Plain::text(key),
        _ => Plain::Bool(true),
    }])
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn asked(args: &[Arg]) -> Result<Verb, String> {
        request(TenantId::DEFAULT, args).map(|(verb, _)| verb).map_err(|e| e.0)
    }

    #[test]
    fn a_list_can_forbid_keys_to_cut_it_short() {
        let Ok(Verb::Play { items, barge_in }) =
            asked(&[table(&[("barge_in", Arg::Bool(false))], &[text("a"), text("b")])])
        else {
            panic!("not a play");
        };
        assert_eq!((items.len(), barge_in), (2, false));
    }

    #[test]
    fn several_prompts_are_one_playback() {
        assert!(
            matches!(asked(&[text("a"), text("b")]), Ok(Verb::Play { items, barge_in: true }) if items.len() == 2)
        );
    }

    #[test]
    fn nothing_and_unknown_options_are_refused() {
        assert_eq!(asked(&[]), Err("play: nothing to play was given".into()));
        assert_eq!(
            asked(&[table(&[("bargein", Arg::Bool(true))], &[text("a")])]),
            Err("play: unknown option 'bargein'; did you mean 'barge_in'?".into())
        );
    }

    #[test]
    fn the_key_that_cut_it_short_is_given_back() {
        assert_eq!(reply(VerbAnswer::Played { key: Some('5') }), Reply::Values(vec![Plain::text("5")]));
        assert_eq!(reply(VerbAnswer::Played { key: None }), Reply::Values(vec![Plain::Bool(true)]));
    }
}
