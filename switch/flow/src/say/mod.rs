//! Numbers, digits, dates, times and money as lists of prompts. Pure: a language and a value in, asset names out.
//!
//! The names are those of the prompts that ship in `ivr-flows/prompts`; a tenant that wants another
//! voice puts other files under the same names.

pub mod date;
pub mod en;
pub mod money;
pub mod zh;

use cordboard_model::id::Name;

/// The largest number that can be said.
pub const NUMBER_MAX: u64 = 999_999_999_999;

/// A language that numbers can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// English, without "and".
    En,
    /// Chinese (Mandarin).
    Zh,
}

impl Lang {
    /// Every language.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Zh];

    /// Reads `en` or `zh`.
    pub fn new(text: &str) -> Option<Lang> {
        Lang::ALL.into_iter().find(|lang| lang.as_str() == text)
    }

    /// The word the configuration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh => "zh",
        }
    }
}

/// The prompts that read `n`; none if it is above [`NUMBER_MAX`].
pub fn number(lang: Lang, n: u64) -> Vec<Name> {
    if n > NUMBER_MAX {
        return Vec::new();
    }
    let words = match lang {
        Lang::En => en::words(n),
        Lang::Zh => zh::words(n),
    };
    names(words)
}

/// The prompts that tell a waiting caller his place: "you are number", the number, "in the queue".
pub fn queue_position(lang: Lang, place: u64) -> Vec<Name> {
    let (before, after) = match lang {
        Lang::En => ("en.queue.you-are-number", "en.queue.in-line"),
        Lang::Zh => ("zh.queue.you-are-number", "zh.queue.in-line"),
    };
    let mut list = names(vec![before]);
    list.extend(number(lang, place));
    list.extend(names(vec![after]));
    list
}

/// The prompts that read keys one by one; none if one of them is none. A space or a dash is passed over.
pub fn digits(lang: Lang, text: &str) -> Option<Vec<Name>> {
    let word = |key: char| {
        Some(match (lang, key) {
            (Lang::En, '*') => "en.digits.star",
            (Lang::En, '#') => "en.digits.hash",
            (Lang::En, '+') => "en.digits.plus",
            (Lang::Zh, '*') => "zh.star",
            (Lang::Zh, '#') => "zh.hash",
            (Lang::Zh, '+') => "zh.plus",
            (Lang::En, key) => *en::words(key.to_digit(10)?.into()).first()?,
            (Lang::Zh, key) => *zh::words(key.to_digit(10)?.into()).first()?,
        })
    };
    let keys = text.chars().filter(|key| !matches!(key, ' ' | '-'));
    keys.map(word).collect::<Option<Vec<_>>>().map(names)
}

/// The prompts that tell a caller whom he will talk to: "this is agent", the number, and in Chinese "at your service"; none
/// where it is no number.
pub fn agent_number(lang: Lang, number: &str) -> Vec<Name> {
    let Some(read) = digits(lang, number).filter(|read| !read.is_empty()) else {
        return Vec::new();
    };
    let (before, after) = match lang {
        Lang::En => (vec!["en.agent.number"], vec![]),
        Lang::Zh => (vec!["zh.agent.number"], vec!["zh.agent.serves"]),
    };
    [names(before), read, names(after)].concat()
}

/// The prompts that ask who answers for an agent to press one to take a call.
pub fn press_to_take(lang: Lang) -> Vec<Name> {
    names(match lang {
        Lang::En => vec!["en.agent.take"],
        Lang::Zh => vec!["zh.agent.take"],
    })
}

/// The prompts that read a day.
pub fn date(lang: Lang, day: date::Date, weekday: bool, year: bool) -> Vec<Name> {
    names(date::date(lang, day, weekday, year))
}

/// The prompts that read a time of day.
pub fn time(lang: Lang, clock: date::Clock) -> Vec<Name> {
    names(date::time(lang, clock))
}

/// The prompts that read an amount of money.
pub fn money(lang: Lang, currency: &money::Currency, amount: money::Amount) -> Vec<Name> {
    names(money::money(lang, currency, amount))
}

/// The prompts that tell a waiting caller how long it will be: in minutes, rounded up; one minute has words of its own.
pub fn queue_wait(lang: Lang, seconds: u64) -> Vec<Name> {
    let (one, before, after) = match lang {
        Lang::En => ("en.queue.one-minute", "en.queue.about", "en.queue.minutes"),
        Lang::Zh => ("zh.queue.one-minute", "zh.queue.about", "zh.queue.minutes"),
    };
    let minutes = seconds.div_ceil(60);
    if minutes <= 1 {
        return names(vec![one]);
    }
    let mut list = names(vec![before]);
    // Two of something is another word in Chinese than the number two.
    let count =
        if (lang, minutes) == (Lang::Zh, 2) { names(vec!["zh.liang"]) } else { number(lang, minutes) };
    list.extend(count);
    list.extend(names(vec![after]));
    list
}

fn names(words: Vec<&'static str>) -> Vec<Name> {
    words.into_iter().filter_map(|word| Name::new(word).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_valid_asset_name() {
        for lang in Lang::ALL {
            for n in [0, 7, 10, 19, 20, 90, 100, 2_000, 20_000, 123_456_789_012, NUMBER_MAX] {
                let words = match lang {
                    Lang::En => en::words(n),
                    Lang::Zh => zh::words(n),
                };
                assert_eq!(number(lang, n).len(), words.len(), "{lang:?} {n}");
            }
        }
    }

    #[test]
    fn digits_are_read_one_by_one() {
        let said = |lang, text: &str| {
            digits(lang, text).map(|list| list.iter().map(Name::to_string).collect::<Vec<_>>().join(" "))
        };
        for (lang, text, wanted) in [
            (Lang::En, "407", "en.digits.4 en.digits.0 en.digits.7"),
            (Lang::En, "*9#", "en.digits.star en.digits.9 en.digits.hash"),
            (
                Lang::En,
                "+49 30-1",
                "en.digits.plus en.digits.4 en.digits.9 en.digits.3 en.digits.0 en.digits.1",
            ),
            (Lang::Zh, "20#", "zh.2 zh.0 zh.hash"),
            (Lang::Zh, "*+1", "zh.star zh.plus zh.1"),
            (Lang::En, "", ""),
        ] {
            assert_eq!(said(lang, text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!([said(Lang::En, "1a"), said(Lang::Zh, "\u{0661}")], [None, None]);
    }

    #[test]
    fn an_agents_number_is_said_key_by_key_and_a_name_is_not() {
        let said =
            |lang, text| agent_number(lang, text).iter().map(Name::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(said(Lang::En, "107"), "en.agent.number en.digits.1 en.digits.0 en.digits.7");
        assert_eq!(said(Lang::Zh, "12"), "zh.agent.number zh.1 zh.2 zh.agent.serves");
        assert_eq!((said(Lang::En, "ann"), said(Lang::Zh, "-")), (String::new(), String::new()));
    }

    #[test]
    fn a_number_too_large_to_say_gives_nothing() {
        assert!(number(Lang::En, NUMBER_MAX + 1).is_empty());
    }

    #[test]
    fn a_wait_is_told_in_minutes_rounded_up() {
        let said = |lang, seconds| -> Vec<String> {
            queue_wait(lang, seconds).iter().map(Name::to_string).collect()
        };
        assert_eq!(said(Lang::En, 0), ["en.queue.one-minute"]);
        assert_eq!(said(Lang::Zh, 60), ["zh.queue.one-minute"]);
        assert_eq!(said(Lang::En, 61), ["en.queue.about", "en.digits.2", "en.queue.minutes"]);
        assert_eq!(said(Lang::Zh, 120), ["zh.queue.about", "zh.liang", "zh.queue.minutes"]);
    }

    #[test]
    fn the_place_in_the_queue_is_framed_by_two_phrases() {
        let list: Vec<String> = queue_position(Lang::Zh, 12).iter().map(Name::to_string).collect();
        assert_eq!(list, ["zh.queue.you-are-number", "zh.10", "zh.2", "zh.queue.in-line"]);
    }
}
