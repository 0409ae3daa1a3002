//! `call:say("Your order is on its way", {language="en"})`: says a text. The same as `play` with one such item, and
//! returns as `play` does.

use super::arg::{Arg, BadOption, Options, at_most};
use super::{Asked, Request, items};
use cordboard_model::verb::Verb;

/// As written in a flow.
pub const NAME: &str = "say";

/// Reads the arguments.
pub fn request(args: &[Arg]) -> Result<Request, BadOption> {
    at_most(NAME, args, 2)?;
    let text = match args.first() {
        Some(Arg::Text(text)) => text,
        Some(Arg::Int(n)) => &n.to_string(),
        other => {
            let shown = other.map_or("nil", Arg::type_name);
            return Err(BadOption::new(NAME, format!("the text must be a string, not a {shown}")));
        }
    };
    let options = Options::new(NAME, args.get(1), &["language", "voice", "barge_in"])?;
    let item = items::speech(&options, text)?;
    let barge_in = options.flag("barge_in", true)?;
    Ok((Verb::Play { items: vec![item], barge_in }, Asked::Play))
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;
    use cordboard_model::media::PlayItem;

    #[test]
    fn a_text_is_one_item_of_a_playback_that_a_key_cuts_short_unless_that_is_forbidden() {
        let options = table(&[("language", text("zh")), ("barge_in", Arg::Bool(false))], &[]);
        let (verb, asked) = request(&[text("hao"), options]).unwrap();
        assert_eq!(asked, Asked::Play);
        let Verb::Play { items, barge_in: false } = verb else { panic!("{verb:?}") };
        assert!(
            matches!(&items[..], [PlayItem::Say(speech)] if speech.text == "hao" && speech.language == "zh")
        );
        assert!(matches!(request(&[Arg::Int(42)]), Ok((Verb::Play { barge_in: true, .. }, _))));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let said = |args: &[Arg]| request(args).unwrap_err().0;
        assert_eq!(said(&[]), "say: the text must be a string, not a nil");
        assert_eq!(said(&[table(&[], &[])]), "say: the text must be a string, not a table");
        assert_eq!(said(&[text("")]), "say: what is said must have 1 to 4096 bytes, not 0");
    }
}
