//! `speech = {url = "wss://asr.example/v1", language = "en", phrases = {sales = {"sales", "orders"}}, least = 0.5}` of `collect` and
//! `menu`: a program that recognises speech hears the caller while keys are awaited. Here is what it is told, and what of
//! that which it heard is an entry.
//!
//! An entry is a phrase by its name, the longest that stands in what was said; or digits, if all that was said are digits.

use super::arg::{Arg, BadOption, Options};
use super::{Plain, Reply};
use cordboard_model::keys::{Judged, judge};
use cordboard_model::stream::{PARAMETER_MAX, URL_MAX};
use cordboard_model::verb::Ear;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const OPTIONS: &[&str] = &["url", "language", "phrases", "digits", "grammar", "least"];
/// Most names, and most phrases of one.
const PHRASES_MAX: usize = 64;
/// Longest phrase, bytes.
const PHRASE_MAX: usize = 256;

/// The words for digits, in English and Chinese.
const DIGITS: [(&str, char); 28] = [
    ("zero", '0'),
    ("oh", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("star", '*'),
    ("hash", '#'),
    ("pound", '#'),
    ("零", '0'),
    ("〇", '0'),
    ("一", '1'),
    ("幺", '1'),
    ("二", '2'),
    ("两", '2'),
    ("三", '3'),
    ("四", '4'),
    ("五", '5'),
    ("六", '6'),
    ("七", '7'),
    ("八", '8'),
    ("九", '9'),
    ("星", '*'),
];

/// What may be said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// Fewest and most digits.
    pub min: u8,
    /// See `min`.
    pub max: u8,
    /// What they may look like; anything if empty.
    pub patterns: Vec<String>,
    /// Whether digits may be said at all.
    pub digits: bool,
    /// Each phrase, as it is compared, with the name of its entry.
    pub phrases: Vec<(String, String)>,
    /// The least confidence that is believed, percent.
    pub least: u8,
}

/// Reads the option `speech` of `verb`. What is asked of digits is added by the caller.
pub fn read(options: &Options<'_>, verb: &'static str) -> Result<Option<(Ear, Words)>, BadOption> {
    let Some(arg) = options.raw("speech") else { return Ok(None) };
    let name = if verb == super::menu::NAME { "menu: speech" } else { "collect: speech" };
    let of = Options::new(name, Some(arg), OPTIONS)?;
    let Some(url) = of.text("url")? else {
        return Err(of.wrong("option 'url' is missing: where the recogniser listens"));
    };
    if url.len() > URL_MAX || !(url.starts_with("ws://") || url.starts_with("wss://")) {
        return Err(of.wrong("option 'url' must begin with ws:// or wss://"));
    }
    let language = of.text("language")?.unwrap_or("en");
    let phrases = phrases(&of)?;
    let digits = of.flag("digits", true)?;
    if !digits && phrases.is_empty() {
        return Err(of.wrong("has no 'phrases', and 'digits' is false: nothing can be said"));
    }
    let least = match of.raw("least") {
        None => 0,
        Some(Arg::Int(n @ 0..=1)) => *n as u8 * 100,
        Some(Arg::Number(n)) if (0.0..=1.0).contains(n) => (n * 100.0).round() as u8,
        Some(_) => return Err(of.wrong("option 'least' must be a number from 0 to 1")),
    };
    let mut parameters = BTreeMap::from([("language".to_owned(), language.to_owned())]);
    let grammar = match of.text("grammar")? {
        Some(own) if own.len() > PARAMETER_MAX => {
            return Err(of.wrong(format!("option 'grammar' has more than {PARAMETER_MAX} bytes")));
        }
        Some(own) => Some(own.to_owned()),
        None => grammar(language, digits, &phrases),
    };
    parameters.extend(grammar.map(|grammar| ("grammar".to_owned(), grammar)));
    let ear = Ear { url: url.to_owned(), parameters };
    Ok(Some((ear, Words { digits, phrases, least, ..Words::default() })))
}

fn phrases(of: &Options<'_>) -> Result<Vec<(String, String)>, BadOption> {
    let mut all = Vec::new();
    for (name, arg) in of.named("phrases", PHRASES_MAX)?.into_iter().flatten() {
        let list = match arg {
            Arg::Table(table) if table.named.is_empty() && table.list.len() <= PHRASES_MAX => {
                table.list.as_slice()
            }
            one => core::slice::from_ref(one),
        };
        for phrase in list {
            let Arg::Text(phrase) = phrase else {
                return Err(
                    of.wrong(format!("the phrases of '{name}' must be a string or a list of strings"))
                );
            };
            let compared = plain(phrase);
            if compared.is_empty() || phrase.len() > PHRASE_MAX {
                return Err(of.wrong(format!("{phrase:?} is not a phrase of 1 to {PHRASE_MAX} bytes")));
            }
            all.push((compared, name.clone()));
        }
    }
    Ok(all)
}

/// What recognisers of short grammars are told (JSGF); none if it is no English, or too long to be told.
fn grammar(language: &str, digits: bool, phrases: &[(String, String)]) -> Option<String> {
    let is_english = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == ' ' || c == '\'');
    if !language.starts_with("en") {
        return None;
    }
    let mut words: Vec<&str> =
        phrases.iter().map(|(phrase, _)| phrase.as_str()).filter(|phrase| is_english(phrase)).collect();
    if digits {
        words.push("<d>+");
    }
    let numbers: Vec<&str> = DIGITS.iter().map(|(word, _)| *word).filter(|word| is_english(word)).collect();
    let numbers = if digits { format!(" <d> = {};", numbers.join(" | ")) } else { String::new() };
    let text = format!("#JSGF V1.0; grammar answer; public <answer> = {};{numbers}", words.join(" | "));
    (!words.is_empty() && text.len() <= PARAMETER_MAX).then_some(text)
}

/// Words without capitals and punctuation, one space apart.
fn plain(text: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || "'*#〇".contains(c) { c } else { ' ' };
    let text: String = text.to_lowercase().chars().map(kept).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The digits that these words are, if all are.
fn digits(words: &str) -> Option<String> {
    let known = |word: &str| DIGITS.iter().find(|(name, _)| *name == word).map(|(_, digit)| *digit);
    let mut out = String::new();
    let mut times = 1;
    for word in words.split(' ') {
        if let Some(many) = [("double", 2), ("triple", 3)].iter().find(|(name, _)| *name == word) {
            times = many.1;
            continue;
        }
        let is_key = |c: char| c.is_ascii_digit() || c == '*' || c == '#';
        let all = known(word).map(String::from).or_else(|| {
            // "351" in one, and Chinese, which has no spaces.
            let each = |c: char| if is_key(c) { Some(c) } else { known(c.encode_utf8(&mut [0; 4])) };
            word.chars().map(each).collect()
        })?;
        (0..times).for_each(|_| out.push_str(&all));
        times = 1;
    }
    (!out.is_empty() && times == 1).then_some(out)
}

impl Words {
    /// The entry that was said.
    fn entry(&self, said: &str) -> Option<String> {
        let said = plain(said);
        let spaced = format!(" {said} ");
        let stands = |phrase: &str| match phrase.is_ascii() {
            true => spaced.contains(&format!(" {phrase} ")),
            false => said.contains(phrase),
        };
        let longest = self.phrases.iter().filter(|(phrase, _)| stands(phrase)).rev();
        if let Some((_, name)) = longest.max_by_key(|(phrase, _)| phrase.len()) {
            return Some(name.clone());
        }
        let keys = digits(&said).filter(|_| self.digits)?;
        let fits = self.patterns.is_empty()
            || matches!(judge(&self.patterns, &keys), Judged::Fits | Judged::MayGoOn);
        let counts = (usize::from(self.min)..=usize::from(self.max)).contains(&keys.len());
        (fits && counts).then_some(keys)
    }

    /// What the flow is told of what was said.
    pub fn reply(&self, said: &str, confidence: Option<u8>) -> Reply {
        let believed = confidence.is_none_or(|percent| percent >= self.least);
        let entry = self.entry(said).filter(|_| believed);
        let how = if entry.is_some() { "speech" } else { "invalid" };
        let mut values = vec![entry.map_or(Plain::Nil, Plain::Text), Plain::text(how)];
        values.extend(confidence.map(|percent| Plain::Number(f64::from(percent) / 100.0)));
        Reply::Values(values)
    }
}

#[cfg(test)]
mod tests {
    use super::super::arg::build::{table, text};
    use super::*;

    fn words(speech: Arg) -> Result<(Ear, Words), String> {
        let all = table(&[("speech", speech)], &[]);
        let options = Options::new("collect", Some(&all), &["speech"]).map_err(|error| error.0)?;
        read(&options, "collect").map(Option::unwrap).map_err(|error| error.0)
    }

    fn said(words: &Words, what: &str) -> Option<String> {
        words.entry(what)
    }

    #[test]
    fn digits_are_understood_one_by_one_in_english_and_chinese() {
        let words = Words { min: 1, max: 4, digits: true, ..Words::default() };
        for (what, entry) in [
            ("three five one", Some("351")),
            ("Three, five, oh.", Some("350")),
            ("351", Some("351")),
            ("3 5 1", Some("351")),
            ("double seven one", Some("771")),
            ("star one", Some("*1")),
            ("三五一", Some("351")),
            ("幺 两 〇", Some("120")),
            ("one please", None),
            ("double", None),
            ("one two three four five", None),
            ("", None),
        ] {
            assert_eq!(said(&words, what).as_deref(), entry, "{what}");
        }
        let like = Words { patterns: vec!["2XX".into()], ..words.clone() };
        assert_eq!(said(&like, "two one one").as_deref(), Some("211"));
        assert_eq!(said(&like, "three one one"), None);
        assert_eq!(said(&Words { digits: false, ..words }, "one"), None);
    }

    #[test]
    fn a_phrase_is_found_in_what_was_said_and_the_longest_counts() {
        let phrases = table(
            &[
                ("sales", table(&[], &[text("sales"), text("buy something")])),
                ("after", text("after sales")),
                ("zh", text("订单")),
            ],
            &[],
        );
        let speech = [("url", text("ws://r/")), ("phrases", phrases), ("digits", Arg::Bool(false))];
        let (ear, words) = words(table(&speech, &[])).unwrap();
        for (what, entry) in [
            ("Sales, please!", Some("sales")),
            ("I want to buy something", Some("sales")),
            ("after sales", Some("after")),
            ("wholesales", None),
            ("我要查订单", Some("zh")),
        ] {
            assert_eq!(said(&words, what).as_deref(), entry, "{what}");
        }
        let grammar = ear.parameters.get("grammar").unwrap();
        assert!(grammar.ends_with("public <answer> = after sales | sales | buy something;"), "{grammar}");
    }

    #[test]
    fn the_flow_hears_how_sure_the_recogniser_is_and_what_is_too_unsure_is_no_entry() {
        let words = Words { min: 1, max: 1, digits: true, least: 50, ..Words::default() };
        let number = |percent: f64| Plain::Number(percent / 100.0);
        assert_eq!(
            words.reply("one", Some(83)),
            Reply::Values(vec![Plain::text("1"), Plain::text("speech"), number(83.0)])
        );
        assert_eq!(
            words.reply("one", Some(49)),
            Reply::Values(vec![Plain::Nil, Plain::text("invalid"), number(49.0)])
        );
        assert_eq!(words.reply("one", None), Reply::Values(vec![Plain::text("1"), Plain::text("speech")]));
        assert_eq!(words.reply("", None), Reply::Values(vec![Plain::Nil, Plain::text("invalid")]));
    }

    #[test]
    fn wrong_options_for_speech_are_refused_by_name() {
        let url = || ("url", text("ws://r/"));
        let wrong = |named: &[(&str, Arg)]| words(table(named, &[])).unwrap_err();
        assert_eq!(wrong(&[]), "collect: speech: option 'url' is missing: where the recogniser listens");
        assert_eq!(
            wrong(&[("url", text("http://r/"))]),
            "collect: speech: option 'url' must begin with ws:// or wss://"
        );
        assert_eq!(
            wrong(&[url(), ("digits", Arg::Bool(false))]),
            "collect: speech: has no 'phrases', and 'digits' is false: nothing can be said"
        );
        assert_eq!(
            wrong(&[url(), ("least", Arg::Int(2))]),
            "collect: speech: option 'least' must be a number from 0 to 1"
        );
        let phrases = table(&[("a", Arg::Int(1))], &[]);
        assert_eq!(
            wrong(&[url(), ("phrases", phrases)]),
            "collect: speech: the phrases of 'a' must be a string or a list of strings"
        );
        assert_eq!(
            wrong(&[url(), ("phrase", text("a"))]),
            "collect: speech: unknown option 'phrase'; did you mean 'phrases'?"
        );
    }
}
